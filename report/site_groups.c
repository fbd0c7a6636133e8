// SPDX-License-Identifier: BSD-2-Clause
/*
 * site_groups.c - the lists of the policy beside each other and beside all others; and, of each, those that meet all.
 *
 * Who does not is not named here: ranks are of lists, praise is by name.
 */
#include "report/write.h"
#include <stdlib.h>
#include <string.h>

#define FAME_MOST 200

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void hall_of_fame(struct write *w, const struct report_group *g)
{
    const char *names[FAME_MOST];
    size_t n = 0;
    for (size_t i = 0; i < g->member_count && n < FAME_MOST; i++)
        if (w->m->now.all[g->member[i]].state == ORGANISATION_MEETS)
            names[n++] = w->m->now.all[g->member[i]].name;
    if (!n)
        return;
    qsort(names, n, sizeof *names, by_name);
    write_raw(w, "<h3>");
    write_text(w, T("Hall of fame: they meet all"));
    write_raw(w, "</h3>\n<ul class=\"fame\">");
    for (size_t i = 0; i < n; i++) {
        write_raw(w, "<li>");
        write_isolated(w, names[i]);
        write_raw(w, "</li>");
    }
    write_raw(w, "</ul>\n");
}

static void one_group(struct write *w, const struct report_group *g, size_t number)
{
    struct chart_bar bars[STANDARD_MAIL_COUNT];
    size_t n = 0;
    int64_t told = report_told(&g->counts);
    buf_printf(w->out, "<section class=\"card wide\" id=\"group-%zu\"><h2>", number);
    write_isolated(w, g->name);
    write_raw(w, "</h2>\n<p>");
    FILL(T("{1} on the list; {2} of them wrote to us often enough to say anything."), write_number(w, g->members),
         write_number(w, told));
    write_raw(w, "</p>\n");
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++)
        if (report_told(&g->by[s]))
            bars[n++] =
                (struct chart_bar){write_standard(w, (enum standard)s), g->by[s].meets, report_told(&g->by[s]), 0, -1};
    if (told)
        chart_bars(w, T("Members that meet each standard"), bars, n);
    if (told)
        write_coverage(w);
    hall_of_fame(w, g);
    write_raw(w, "</section>\n");
}

/* Everybody that is in none of the lists. */
static struct report_counts others(const struct report_model *m)
{
    struct report_counts t = m->all;
    char *seen = m->now.count ? arena_alloc(m->arena, m->now.count) : NULL;
    for (size_t i = 0; seen && i < m->group_count; i++)
        for (size_t k = 0; k < m->groups[i].member_count; k++) {
            size_t index = m->groups[i].member[k];
            enum organisation_state s = m->now.all[index].state;
            if (seen[index])
                continue;
            seen[index] = 1;
            t.meets -= s == ORGANISATION_MEETS;
            t.explained -= s == ORGANISATION_EXPLAINED;
            t.misses -= s == ORGANISATION_MISSES;
        }
    return t;
}

static int by_share(const void *a, const void *b)
{
    const struct chart_bar *x = a, *y = b;
    double p = (double)x->value / (double)x->whole, q = (double)y->value / (double)y->whole;
    return p > q ? -1 : p < q ? 1 : strcmp(x->label, y->label);
}

void site_groups(struct write *w)
{
    const struct report_model *m = w->m;
    struct chart_bar bars[REPORT_GROUPS + 1];
    size_t n = 0;
    struct report_counts rest = others(m);
    write_raw(w, "<p class=\"lead\">");
    write_text(
        w,
        T("The lists of our policy beside each other: the share of their members that meet all that we ask of them."));
    write_raw(w, "</p>\n");
    write_coverage(w);
    if (!m->group_count) {
        write_raw(w, "<p>");
        write_text(w, T("The policy names no list."));
        write_raw(w, "</p>\n");
        return;
    }
    if (!m->groups_known) {
        write_raw(w, "<p class=\"note\">");
        write_text(w, T("No member of a list wrote to us in this period, or the ledger has not looked yet."));
        write_raw(w, "</p>\n");
    }
    for (size_t i = 0; i < m->group_count; i++)
        if (report_told(&m->groups[i].counts))
            bars[n++] = (struct chart_bar){m->groups[i].name, m->groups[i].counts.meets,
                                           report_told(&m->groups[i].counts), 0, -1};
    if (n && report_told(&rest))
        bars[n++] = (struct chart_bar){T("all others"), rest.meets, report_told(&rest), 0, -1};
    if (n)
        qsort(bars, n, sizeof *bars, by_share);
    chart_bars(w, T("Members that meet all"), bars, n);
    for (size_t i = 0; i < m->group_count; i++)
        one_group(w, &m->groups[i], i + 1);
}
