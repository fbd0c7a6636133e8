// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish.c - what the world may see of a report (site.h): our own domains with their grades, and totals of lists.
 *
 * Promises that no correspondent is named, no exempted domain, reason, reference, selector or host but our own domains.
 * A total of fewer than PUBLISH_LEAST organisations is not shown; where one alone is hidden, the next smallest is, too,
 * so that it cannot be reckoned from a sum; and none is shown that would tell of fewer by any sum or difference with
 * what is shown or ever was, on any page, by any policy, of any period (publish_guard.h, publish_history.h). Totals
 * that differ from those shown last, here or on another page, by fewer than PUBLISH_LEAST members are not published
 * anew: those stand (publish_log.h).
 */
#include "report/publish.h"
#include "ledger/published.h"
#include "report/frame.h"
#include "report/publish_guard.h"
#include "report/publish_log.h"
#include "report/write.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct totals {
    struct publish_total all[REPORT_GROUPS + 1];
    struct publish_set of[REPORT_GROUPS + 1]; /* who is counted in it today */
    size_t count;
    int64_t rest; /* who stands in no list */
};

static bool counts(const struct organisation *o)
{
    return o->state == ORGANISATION_MEETS || o->state == ORGANISATION_EXPLAINED || o->state == ORGANISATION_MISSES;
}

/* index: of those that may be counted, count of them; NULL: all organisations. */
static bool totals_add(struct totals *t, const struct report_model *m, const char *name,
                       const struct report_counts *figures, const size_t *index, size_t count)
{
    struct publish_member *all = ARENA_ARRAY(m->arena, struct publish_member, count + 1);
    int64_t told = report_told(figures);
    size_t n = 0;
    if (!all)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct organisation *o = &m->now.all[index ? index[i] : i];
        if (counts(o))
            all[n++] = publish_member_of(o->name, o->state == ORGANISATION_MEETS);
    }
    t->of[t->count] = (struct publish_set){all, n};
    t->all[t->count++] = (struct publish_total){name, told, figures->meets, told < PUBLISH_LEAST};
    return true;
}

/* The totals of today. */
static bool reckon(struct totals *t, const struct report_model *m)
{
    char *listed = arena_alloc(m->arena, m->now.count + 1);
    if (!listed || !totals_add(t, m, NULL, &m->all, NULL, m->now.count))
        return false;
    memset(listed, 0, m->now.count + 1);
    for (size_t g = 0; g < m->group_count; g++) {
        const struct report_group *group = &m->groups[g];
        if (!totals_add(t, m, group->name, &group->counts, group->member, group->member_count))
            return false;
        for (size_t i = 0; i < group->member_count; i++)
            listed[group->member[i]] = 1;
    }
    for (size_t i = 0; i < m->now.count; i++)
        t->rest += !listed[i] && counts(&m->now.all[i]);
    return true;
}

/* One hidden total alone could be reckoned from the others. */
static void hide_a_second(struct totals *t)
{
    size_t hidden = 0, next = t->count;
    for (size_t i = 1; i < t->count; i++) {
        hidden += t->all[i].hidden;
        if (!t->all[i].hidden && (next == t->count || t->all[i].told < t->all[next].told))
            next = i;
    }
    hidden += t->rest > 0 && t->rest < PUBLISH_LEAST; /* a group, too, and never shown */
    if (hidden == 1 && next < t->count)
        t->all[next].hidden = true;
}

/* Where a total is nearly one that is shown, that one is what is shown: their difference would tell of a few. */
static void hold_to_what_is_shown(struct totals *t, const struct publish_log *log)
{
    for (size_t i = 0; i < t->count; i++)
        publish_log_hold(log, &t->all[i]);
}

/* ---- what follows from all that is shown and was shown ---- */

#define SETS_MOST (PUBLISH_HISTORY_MOST + REPORT_GROUPS + 1)

struct sums {
    struct totals *t;
    const struct publish_log *log;
    const struct publish_history *history;
    bool stands[REPORT_GROUPS + 1]; /* its figures are shown already, on this page or another: it adds nothing */
    bool before[REPORT_GROUPS + 1]; /* it was shown when nobody kept who was counted: taken for who is today */
    const struct publish_set *sets[SETS_MOST];
    size_t total[SETS_MOST], count; /* total: which of today's a set is, or SIZE_MAX */
};

static struct slice list_of(const struct publish_total *t)
{
    return slice_str(t->name ? t->name : PUBLISHED_ALL);
}

static bool note_line(void *context, struct slice list, int64_t told, int64_t meets)
{
    struct sums *s = context;
    for (size_t i = 0; i < s->t->count; i++) {
        const struct publish_total *t = &s->t->all[i];
        if (!slice_eq(list, list_of(t)))
            continue;
        s->stands[i] = s->stands[i] || (t->told == told && t->meets == meets);
        s->before[i] = s->before[i] || !publish_history_has(s->history, list, told, meets);
    }
    return true;
}

static void add_set(struct sums *s, const struct publish_set *set, size_t total)
{
    s->sets[s->count] = set;
    s->total[s->count++] = total;
}

/* All sets whose totals are known to a reader; only_before: to one who has not seen the page that is to be written. */
static void sums_collect(struct sums *s, bool only_before)
{
    s->count = 0;
    memset(s->stands, 0, sizeof s->stands);
    memset(s->before, 0, sizeof s->before);
    publish_log_each(s->log, note_line, s);
    for (size_t i = 0; i < s->history->count; i++)
        add_set(s, &s->history->all[i].set, SIZE_MAX);
    for (size_t i = 0; i < s->t->count; i++)
        if (s->before[i] || (!only_before && !s->t->all[i].hidden && !s->stands[i]))
            add_set(s, &s->t->of[i], s->before[i] ? SIZE_MAX : i);
}

/* Of the totals that are new, the one to do without: the smallest list, if there is one among those that tell. */
static size_t choose_one(const struct sums *s, const bool *in)
{
    size_t best = SIZE_MAX;
    bool best_in = false;
    for (size_t k = 0; k < s->count; k++) {
        size_t i = s->total[k];
        if (i == SIZE_MAX)
            continue;
        bool better = best == SIZE_MAX || (i && !best) || (i && in[k] && !best_in) ||
                      (i && in[k] == best_in && s->t->all[i].told < s->t->all[best].told);
        if (better) {
            best = i;
            best_in = i && in[k];
        }
    }
    return best;
}

/* Until no few organisations follow. What is shown already stands instead of what would tell; where there is nothing
 * yet, the total is hidden. */
static void hide_what_tells(struct totals *t, const struct publish_log *log, const struct publish_history *history)
{
    struct sums sums = {.t = t, .log = log, .history = history}, *s = &sums;
    bool in[SETS_MOST];
    sums_collect(s, true);
    if (publish_guard_tells(s->sets, s->count, PUBLISH_LEAST, NULL)) {
        for (size_t i = 1; i < t->count; i++) /* what was shown tells it: nothing of today's does */
            t->all[i].hidden = true;
        if (!publish_log_last(log, &t->all[0]))
            t->all[0].hidden = true;
        return;
    }
    for (;;) {
        sums_collect(s, false);
        if (!publish_guard_tells(s->sets, s->count, PUBLISH_LEAST, in))
            return;
        size_t i = choose_one(s, in);
        if (i == SIZE_MAX)
            return;
        if (!publish_log_last(log, &t->all[i]))
            t->all[i].hidden = true;
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
static void totals_choose(struct totals *t, const struct publish_log *log, const struct publish_history *history)
{
    hold_to_what_is_shown(t, log);
    for (size_t i = 1; i < t->count; i++)
        t->all[i].hidden = t->all[i].hidden || publish_log_tells(log, history, t->all, t->count, i);
    hide_a_second(t);
    hide_what_tells(t, log, history);
}

/* Keeps who is counted in what is new. */
static enum status keep_sets(const struct totals *t, const struct publish_log *log,
                             const struct publish_history *history, int64_t day, char why[FOLDER_WHY])
{
    struct totals copy = *t;
    struct sums s = {.t = &copy, .log = log, .history = history};
    sums_collect(&s, false);
    for (size_t i = 0; i < t->count; i++) {
        if (t->all[i].hidden || s.stands[i])
            continue;
        const struct publish_shown shown = {t->all[i].name ? t->all[i].name : PUBLISHED_ALL, t->all[i].told,
                                            t->all[i].meets, t->of[i]};
        enum status st = publish_history_put(log->store, day, &shown);
        if (st != STATUS_OK) {
            snprintf(why, FOLDER_WHY, "the ledger cannot keep what is published: %s",
                     st == STATUS_NOMEM ? "out of memory" : store_error(log->store));
            return st;
        }
    }
    return STATUS_OK;
}

static enum status read_and_choose(struct totals *t, const struct report_model *m, const struct publish_log *log,
                                   struct publish_history *history, char why[FOLDER_WHY])
{
    enum status st = publish_history_read(history, m->arena, log->store);
    if (st == STATUS_OK && !reckon(t, m))
        st = STATUS_NOMEM;
    if (st == STATUS_OK)
        totals_choose(t, log, history);
    else
        snprintf(why, FOLDER_WHY, "what was published before is not known: %s",
                 st == STATUS_NOMEM     ? "out of memory"
                 : st == STATUS_INVALID ? "a set of the table published_set is damaged"
                                        : store_error(log->store));
    return st;
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
    struct publish_history *history = ARENA_NEW(m->arena, struct publish_history);
    struct publish_log log;
    if (!history) {
        snprintf(why, FOLDER_WHY, "out of memory");
        return STATUS_NOMEM;
    }
    enum status st = publish_log_begin(&log, kept, dir, why);
    if (st != STATUS_OK)
        return st;
    st = read_and_choose(&t, m, &log, history, why);
    struct folder *f = st == STATUS_OK ? folder_begin(dir, FOLDER_OPEN, why) : NULL;
    st = st != STATUS_OK ? st : f ? write_page(f, m, &t) : STATUS_DENIED;
    if (st == STATUS_OK)
        st = keep_sets(&t, &log, history, m->made / 86400, why);
    if (st == STATUS_OK)
        st = publish_log_keep(&log, t.all, t.count, m->made / 86400, why);
    if (f)
        st = st == STATUS_OK ? folder_finish(f, why) : folder_drop(f, st, why);
    return publish_log_end(&log, st, why);
}
