// SPDX-License-Identifier: BSD-2-Clause
/*
 * model_organisations.c - the organisations of a report (model.h): how many meet all, by standard and by list; whose
 * name was forged most; who gets a page.
 *
 * Promises that our own domains are not counted as correspondents, and that an organisation counts for a list once,
 * however many of the list's names are its own. Pure but for the questions.
 */
#include "base/array.h"
#include "policy/map.h"
#include "report/model.h"
#include <stdlib.h>
#include <string.h>

static void state_count(struct report_counts *t, enum organisation_state s)
{
    t->meets += s == ORGANISATION_MEETS;
    t->explained += s == ORGANISATION_EXPLAINED;
    t->misses += s == ORGANISATION_MISSES;
    t->untested += s == ORGANISATION_UNTESTED;
}

/* Takes out our own domains: the report is about others. */
static void drop_own(struct report_model *m, struct organisations *o)
{
    size_t kept = 0;
    for (size_t i = 0; i < o->count; i++)
        if (!policy_is_own_domain(m->policy, o->all[i].name))
            o->all[kept++] = o->all[i];
    o->count = kept;
}

static void most_forged(struct report_model *m)
{
    for (size_t i = 0; i < m->now.count; i++) {
        int64_t n = m->now.all[i].stopped;
        size_t at = m->victim_count;
        m->stopped += n;
        m->stopped_domains += n > 0;
        if (n == 0 || (at == REPORT_TOP && n <= m->now.all[m->victims[at - 1]].stopped))
            continue;
        at = at == REPORT_TOP ? at - 1 : at;
        m->victim_count += m->victim_count < REPORT_TOP;
        for (; at && m->now.all[m->victims[at - 1]].stopped < n; at--)
            m->victims[at] = m->victims[at - 1];
        m->victims[at] = i;
    }
}

static int64_t missed(const struct organisation *o)
{
    int64_t n = o->mails - o->met - o->explained - o->untested - o->not_asked;
    return n < 0 ? 0 : n;
}

/* The organisations with the most mail among those that do not meet all. */
static enum status find_worst(struct report_model *m)
{
    m->worst = ARENA_ARRAY(m->arena, size_t, REPORT_TOP + REPORT_GROUPS * REPORT_TOP);
    if (!m->worst)
        return STATUS_NOMEM;
    for (size_t i = 0; i < m->now.count; i++) {
        const struct organisation *o = &m->now.all[i];
        size_t at = m->worst_count;
        if (o->state != ORGANISATION_MISSES || (at == REPORT_TOP && missed(o) <= missed(&m->now.all[m->worst[at - 1]])))
            continue;
        at = at == REPORT_TOP ? at - 1 : at;
        m->worst_count += m->worst_count < REPORT_TOP;
        for (; at && missed(&m->now.all[m->worst[at - 1]]) < missed(o); at--)
            m->worst[at] = m->worst[at - 1];
        m->worst[at] = i;
    }
    return STATUS_OK;
}

static void count_states(const struct organisations *o, struct report_counts *all, struct report_standard *standards,
                         bool now)
{
    for (size_t i = 0; i < o->count; i++) {
        state_count(all, o->all[i].state);
        all->not_asked += o->all[i].state == ORGANISATION_NOT_ASKED;
        for (int s = 0; s < STANDARD_MAIL_COUNT; s++)
            state_count(now ? &standards[s].now : &standards[s].before,
                        organisation_state_of(&o->all[i], (enum standard)s));
    }
}

enum status report_ask_organisations(struct report_model *m)
{
    enum status st = organisations_ask(m->store, m->arena, m->since_day, m->until_day, &m->now);
    if (st == STATUS_OK)
        st = organisations_ask(m->store, m->arena, m->before_day, m->since_day - 1, &m->before);
    if (st != STATUS_OK)
        return st;
    drop_own(m, &m->now);
    drop_own(m, &m->before);
    count_states(&m->now, &m->all, m->standards, true);
    count_states(&m->before, &m->all_before, m->standards, false);
    m->missing_most = STANDARD_MAIL_COUNT;
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++)
        if (m->standards[s].now.misses > 0 && (m->missing_most == STANDARD_MAIL_COUNT ||
                                               m->standards[s].now.misses > m->standards[m->missing_most].now.misses))
            m->missing_most = (enum standard)s;
    most_forged(m);
    return find_worst(m);
}

/* ---- groups: the lists of the policy ---- */

static struct report_group *group_of(struct report_model *m, const char *name)
{
    for (size_t i = 0; i < m->group_count; i++)
        if (strcmp(m->groups[i].name, name) == 0)
            return &m->groups[i];
    return NULL;
}

static void add_member(struct report_model *m, struct report_group *g, size_t index)
{
    const struct organisation *o = &m->now.all[index];
    if (g->member_count == g->member_room) {
        size_t *more = array_grow_in(m->arena, g->member, &g->member_room, 1, sizeof *more);
        if (!more)
            return;
        g->member = more;
    }
    g->member[g->member_count++] = index;
    state_count(&g->counts, o->state);
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++)
        state_count(&g->by[s], organisation_state_of(o, (enum standard)s));
}

static bool has_page(const struct report_model *m, size_t index)
{
    for (size_t i = 0; i < m->worst_count; i++)
        if (m->worst[i] == index)
            return true;
    return false;
}

/* The members of each list that do not meet all get a page, too, at most so many: those that write most. */
static void pages_of_members(struct report_model *m)
{
    for (size_t g = 0; g < m->group_count; g++)
        for (size_t i = 0, n = 0; i < m->groups[g].member_count && n < REPORT_TOP; i++) {
            size_t index = m->groups[g].member[i];
            if (m->now.all[index].state != ORGANISATION_MISSES)
                continue;
            n++;
            if (!has_page(m, index))
                m->worst[m->worst_count++] = index;
        }
}

static int by_index(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

enum status report_ask_groups(struct report_model *m)
{
    const struct policy_statement *p;
    struct map by_name;
    for (size_t i = 0; (p = policy_statement_at(m->policy, i)) && m->group_count < REPORT_GROUPS; i++) {
        size_t entries = 0;
        const char *file;
        if (p->kind != POLICY_LIST || policy_list(m->policy, p->name, &entries, &file) != STATUS_OK)
            continue;
        m->groups[m->group_count++] = (struct report_group){.name = p->name, .members = (int64_t)entries};
    }
    if (!m->group_count)
        return STATUS_OK;
    map_init(&by_name, 1);
    enum status st = STATUS_OK;
    for (size_t i = 0; i < m->now.count && st == STATUS_OK; i++)
        st = map_put(&by_name, slice_str(m->now.all[i].name), i);
    struct store_rows *r = st == STATUS_OK ? store_ask(m->store,
                                                       "SELECT DISTINCT name, org FROM org_group_day WHERE day >= $1 "
                                                       "AND day <= $2 ORDER BY name, org",
                                                       "ii", m->since_day, m->until_day)
                                           : NULL;
    while (r && store_next(r)) {
        struct report_group *g = group_of(m, store_text(r, 0));
        const char *org = store_text(r, 1);
        const uint64_t *at = org && *org ? map_get(&by_name, slice_str(org)) : NULL;
        m->groups_known = true;
        if (g && at)
            add_member(m, g, *at);
    }
    if (r)
        st = store_done(r);
    map_release(&by_name);
    for (size_t i = 0; i < m->group_count; i++)
        if (m->groups[i].member_count)
            qsort(m->groups[i].member, m->groups[i].member_count, sizeof(size_t), by_index);
    pages_of_members(m);
    return st;
}
