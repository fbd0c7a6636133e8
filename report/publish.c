// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish.c - what the world may see of a report (site.h): our own domains with their grades, and totals of lists.
 *
 * Promises that no correspondent is named, no exempted domain, reason, reference, selector or host but our own domains.
 * A total of fewer than PUBLISH_LEAST organisations is not shown; where one alone is hidden, the next smallest is, too,
 * so that it cannot be reckoned from a sum; and so that no fewer can be reckoned from lists that overlap, or with what
 * was published before (publish_guard.h). A log beside the folder keeps what was published: totals that differ from
 * the last ones by fewer than PUBLISH_LEAST members are not published anew, the last ones stand.
 */
#include "report/publish.h"
#include "base/rootfile.h"
#include "report/frame.h"
#include "report/publish_guard.h"
#include "report/write.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_OCTETS 65536

struct total {
    const char *name; /* of the list; NULL: all organisations */
    int64_t told, meets;
    bool hidden;
};

struct totals {
    struct total all[REPORT_GROUPS + 1];
    size_t count;
    uint64_t *member; /* of each organisation that is counted: a bit for each total that it is in */
    size_t members;
};

static void add(struct totals *t, const char *name, const struct report_counts *counts)
{
    int64_t told = report_told(counts);
    t->all[t->count++] = (struct total){name, told, counts->meets, told < PUBLISH_LEAST};
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

/* A line of the log: NAME, a tab, told, a blank, meets. The last of a name counts. */
static bool last_of(const struct buf *log, const char *name, int64_t *told, int64_t *meets)
{
    bool found = false;
    size_t n = strlen(name);
    for (const char *p = log->p; *p;) {
        size_t line = strcspn(p, "\n");
        if (line > n && strncmp(p, name, n) == 0 && p[n] == '\t') {
            char *end;
            *told = strtoll(p + n + 1, &end, 10);
            *meets = strtoll(end, NULL, 10);
            found = true;
        }
        p += line + (p[line] == '\n');
    }
    return found;
}

static int64_t far(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* Where a total is nearly the last one, the last one is what is shown: their difference would tell of a few. */
static void hold_to_the_last(struct totals *t, const struct buf *log)
{
    for (size_t i = 0; i < t->count; i++) {
        struct total *x = &t->all[i];
        int64_t told, meets;
        if (!last_of(log, x->name ? x->name : "*", &told, &meets))
            continue;
        bool near_told = x->told != told && far(x->told, told) < PUBLISH_LEAST;
        bool near_meets = x->meets != meets && far(x->meets, meets) < PUBLISH_LEAST;
        if (near_told || near_meets) {
            x->told = told;
            x->meets = meets;
            x->hidden = told < PUBLISH_LEAST;
        }
    }
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
static void hide_what_tells(struct totals *t, const struct report_model *m, const struct buf *log)
{
    uint64_t in;
    for (;;) {
        uint64_t known = 0;
        for (size_t i = 0; i < t->count; i++) {
            int64_t told, meets;
            bool was = last_of(log, t->all[i].name ? t->all[i].name : "*", &told, &meets);
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

static bool is_shown(const struct totals *t, struct slice name)
{
    for (size_t i = 0; i < t->count; i++)
        if (!t->all[i].hidden && slice_eq(name, slice_str(t->all[i].name ? t->all[i].name : "*")))
            return true;
    return false;
}

/* What is not shown this time keeps its line: it was published, and is compared with when it is shown again. */
static void keep_lines(const struct totals *t, const struct buf *log, struct buf *out)
{
    for (const char *p = log->p; *p;) {
        size_t line = strcspn(p, "\n"), name = strcspn(p, "\t\n");
        if (p[name] == '\t' && !is_shown(t, slice_of(p, name)))
            buf_printf(out, "%.*s\n", (int)line, p);
        p += line + (p[line] == '\n');
    }
}

static enum status write_log(const struct totals *t, const struct buf *log, const char *path)
{
    const struct rootfile_rights rights = {.mode = 0600, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < t->count; i++)
        if (!t->all[i].hidden)
            buf_printf(&b, "%s\t%lld %lld\n", t->all[i].name ? t->all[i].name : "*", (long long)t->all[i].told,
                       (long long)t->all[i].meets);
    keep_lines(t, log, &b);
    enum status st = b.failed           ? STATUS_NOMEM
                     : b.n > LOG_OCTETS ? STATUS_LIMIT
                                        : rootfile_write(path, buf_slice(&b), &rights);
    buf_release(&b);
    return st;
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

enum status publish_write(const struct report_model *m, const char *dir, char why[FOLDER_WHY])
{
    struct buf out = BUF_INIT, log = BUF_INIT;
    struct write writing = {.m = m, .out = &out}, *w = &writing;
    struct totals t = {.count = 0};
    char path[ROOTFILE_PATH];
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    if (snprintf(path, sizeof path, "%.*s" FOLDER_PUBLISHED, (int)n, dir) >= (int)sizeof path) {
        snprintf(why, FOLDER_WHY, "the folder's name is too long");
        return STATUS_LIMIT;
    }
    enum status st = rootfile_read(path, ROOTFILE_NOBODY, LOG_OCTETS, &log);
    if (st != STATUS_OK && st != STATUS_MISSING) {
        snprintf(why, FOLDER_WHY, "%.400s cannot be read: what was published before is not known", path);
        buf_release(&log);
        return st;
    }
    add(&t, NULL, &m->all);
    for (size_t i = 0; i < m->group_count; i++)
        add(&t, m->groups[i].name, &m->groups[i].counts);
    hold_to_the_last(&t, &log);
    st = note_members(&t, m);
    if (st == STATUS_OK) {
        hide_a_second(&t);
        hide_what_tells(&t, m, &log);
    } else {
        snprintf(why, FOLDER_WHY, "out of memory");
    }
    struct folder *f = st == STATUS_OK ? folder_begin(dir, FOLDER_OPEN, why) : NULL;
    st = st != STATUS_OK ? st : f ? frame_style(f) : STATUS_DENIED;
    if (st == STATUS_OK) {
        frame_head(w, T("Where we stand"));
        frame_main(w, T("Where we stand"));
        own_domains(w);
        totals_of_lists(w, &t);
        frame_end(w, false);
        st = out.failed ? STATUS_NOMEM : folder_put(f, "index.html", buf_slice(&out));
    }
    if (st == STATUS_OK)
        st = write_log(&t, &log, path);
    if (st == STATUS_LIMIT)
        snprintf(why, FOLDER_WHY, "%.400s would be over %d octets: it names too many lists", path, LOG_OCTETS);
    if (f)
        st = st == STATUS_OK ? folder_finish(f, why) : folder_drop(f, st, why);
    buf_release(&out);
    buf_release(&log);
    return st;
}
