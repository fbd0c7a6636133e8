// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish.c - what the world may see of a report (site.h): our own domains with their grades, and totals of lists.
 *
 * Promises that no correspondent is named, no exempted domain, reason, reference, selector or host but our own domains.
 * A total of fewer than PUBLISH_LEAST organisations is not shown; where one alone is hidden, the next smallest is, too,
 * so that it cannot be reckoned from a sum; and so that no fewer can be reckoned from lists that overlap, or with what
 * was published before (publish_guard.h). Totals that differ from those shown last, here or on another page, by fewer
 * than PUBLISH_LEAST members are not published anew: those stand (publish_log.h).
 */
#include "report/publish.h"
#include "report/frame.h"
#include "report/publish_guard.h"
#include "report/publish_log.h"
#include "report/write.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct totals {
    struct publish_total all[REPORT_GROUPS + 1];
    size_t count;
    uint64_t *member; /* of each organisation that is counted: a bit for each total that it is in */
    size_t members;
};

static void add(struct totals *t, const char *name, const struct report_counts *counts)
{
    int64_t told = report_told(counts);
    t->all[t->count++] = (struct publish_total){name, told, counts->meets, told < PUBLISH_LEAST};
}

/* One hidden total alone could be reckoned from the others. */
static void hide_a_second(struct totals *t)
{
    size_t hidden = 0, next = t->count;
    int64_t rest = 0; /* who stands in no list: a group, too, and never shown */
    for (size_t i = 0; i < t->members; i++)
        rest += t->member[i] == 1;
    for (size_t i = 1; i < t->count; i++) {
        hidden += t->all[i].hidden;
        if (!t->all[i].hidden && (next == t->count || t->all[i].told < t->all[next].told))
            next = i;
    }
    hidden += rest > 0 && rest < PUBLISH_LEAST;
    if (hidden == 1 && next < t->count)
        t->all[next].hidden = true;
}

static bool counts(const struct organisation *o)
{
    return o->state == ORGANISATION_MEETS || o->state == ORGANISATION_EXPLAINED || o->state == ORGANISATION_MISSES;
}

/* Who is in which total. */
static enum status note_members(struct totals *t, const struct report_model *m)
{
    uint64_t *of = ARENA_ARRAY(m->arena, uint64_t, m->now.count + 1);
    if (!of)
        return STATUS_NOMEM;
    for (size_t i = 0; i < m->now.count; i++)
        of[i] = counts(&m->now.all[i]);
    for (size_t g = 0; g < m->group_count; g++)
        for (size_t i = 0; i < m->groups[g].member_count; i++)
            if (counts(&m->now.all[m->groups[g].member[i]]))
                of[m->groups[g].member[i]] |= UINT64_C(1) << (g + 1);
    for (size_t i = 0; i < m->now.count; i++)
        if (of[i])
            of[t->members++] = of[i];
    t->member = of;
    return STATUS_OK;
}

/* Where a total is nearly one that is shown, that one is what is shown: their difference would tell of a few. */
static void hold_to_what_is_shown(struct totals *t, const struct publish_log *log)
{
    for (size_t i = 0; i < t->count; i++)
        publish_log_hold(log, &t->all[i]);
}

/* The smallest list that is shown, of those in `of` if there is one; 0: no list is shown. */
static size_t smallest(const struct totals *t, uint64_t of)
{
    size_t best = 0, other = 0;
    for (size_t i = 1; i < t->count; i++) {
        size_t *to = of >> i & 1 ? &best : &other;
        if (!t->all[i].hidden && (!*to || t->all[i].told < t->all[*to].told))
            *to = i;
    }
    return best ? best : other;
}

/* Until no few organisations follow from what is shown and what was shown before. */
static void hide_what_tells(struct totals *t, const struct report_model *m, const struct publish_log *log)
{
    uint64_t in;
    for (;;) {
        uint64_t known = 0;
        for (size_t i = 0; i < t->count; i++) {
            bool was = publish_log_has(log, &t->all[i]);
            known |= (uint64_t)(was || !t->all[i].hidden) << i;
        }
        if (!publish_guard_tells(m->arena, t->member, t->members, known, PUBLISH_LEAST, &in))
            return;
        size_t list = smallest(t, in);
        if (!list)
            return; /* what was shown before tells it: nothing of today's does */
        t->all[list].hidden = true;
    }
}

/* ---- the page ---- */

static void own_domains(struct write *w)
{
    size_t n = 0;
    const char *const head[] = {T("Domain"), T("Grade"), T("Day"), NULL};
    write_raw(w, "<section id=\"own\"><h2>");
    write_text(w, T("Our own house"));
    write_raw(w, "</h2>\n");
    for (size_t i = 0; i < w->m->own_count; i++) {
        const struct report_own *o = &w->m->own[i];
        if (!o->count)
            continue;
        if (!n++)
            write_table(w, T("Grades of our own domains"), head);
        write_cell(w, o->domain);
        write_cell(w, check_grade_name(o->grades[o->count - 1].grade));
        write_cell(w, write_day(w, o->grades[o->count - 1].day));
    }
    if (n) {
        write_table_end(w);
    } else {
        write_raw(w, "<p>");
        write_text(w, T("Our own domains have not been checked yet."));
        write_raw(w, "</p>\n");
    }
    write_raw(w, "</section>\n");
}

static void totals_of_lists(struct write *w, const struct totals *t)
{
    struct chart_bar bars[REPORT_GROUPS + 1];
    size_t n = 0, hidden = 0;
    for (size_t i = 0; i < t->count; i++) {
        hidden += t->all[i].hidden;
        if (!t->all[i].hidden)
            bars[n++] = (struct chart_bar){t->all[i].name ? t->all[i].name : T("all organisations"), t->all[i].meets,
                                           t->all[i].told, 0, -1};
    }
    write_raw(w, "<section id=\"groups\"><h2>");
    write_text(w, T("Those who write to us"));
    write_raw(w, "</h2>\n");
    write_coverage(w);
    chart_bars(w, T("Organisations that meet all that we ask of their mail"), bars, n);
    if (hidden) {
        write_raw(w, "<p>");
        write_text(w, T("Groups of fewer than five are not shown, so that nobody can be recognised."));
        write_raw(w, "</p>\n");
    }
    write_raw(w, "</section>\n");
}

/* What may be shown, of what there is and what was shown. */
static enum status choose(struct totals *t, const struct report_model *m, const struct publish_log *log,
                          char why[FOLDER_WHY])
{
    add(t, NULL, &m->all);
    for (size_t i = 0; i < m->group_count; i++)
        add(t, m->groups[i].name, &m->groups[i].counts);
    hold_to_what_is_shown(t, log);
    for (size_t i = 1; i < t->count; i++)
        t->all[i].hidden = t->all[i].hidden || publish_log_tells(log, t->all, t->count, i);
    enum status st = note_members(t, m);
    if (st != STATUS_OK) {
        snprintf(why, FOLDER_WHY, "out of memory");
        return st;
    }
    hide_a_second(t);
    hide_what_tells(t, m, log);
    return STATUS_OK;
}

static enum status write_page(struct folder *f, const struct report_model *m, const struct totals *t)
{
    struct buf out = BUF_INIT;
    struct write writing = {.m = m, .out = &out}, *w = &writing;
    enum status st = frame_style(f);
    frame_head(w, T("Where we stand"));
    frame_main(w, T("Where we stand"));
    own_domains(w);
    totals_of_lists(w, t);
    frame_end(w, false);
    if (st == STATUS_OK)
        st = out.failed ? STATUS_NOMEM : folder_put(f, "index.html", buf_slice(&out));
    buf_release(&out);
    return st;
}

enum status publish_write(const struct report_model *m, struct store *kept, const char *dir, char why[FOLDER_WHY])
{
    struct totals t = {.count = 0};
    struct publish_log log;
    enum status st = publish_log_begin(&log, kept, dir, why);
    if (st != STATUS_OK)
        return st;
    st = choose(&t, m, &log, why);
    struct folder *f = st == STATUS_OK ? folder_begin(dir, FOLDER_OPEN, why) : NULL;
    st = st != STATUS_OK ? st : f ? write_page(f, m, &t) : STATUS_DENIED;
    if (st == STATUS_OK)
        st = publish_log_keep(&log, t.all, t.count, m->made / 86400, why);
    if (f)
        st = st == STATUS_OK ? folder_finish(f, why) : folder_drop(f, st, why);
    return publish_log_end(&log, st, why);
}
