// SPDX-License-Identifier: BSD-2-Clause
/*
 * next_names.c - what each step would have done to the names that were asked of the resolver.
 *
 * The resolver's module records zones, each with its DNSSEC state and a count of answers. Each zone is judged by the
 * policy in force and by the policy with the step: bogus is refused where dnssec is followed, unsigned where it is
 * required. A record speaks of a zone, not of a name: for a statement about names below a zone cut that was never seen
 * nothing is counted. An exemption or a suspension counts as it does in the resolver. On failure of the store: its
 * status.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "cli/next/next.h"
#include "ledger/timestamp.h"
#include <string.h>

#define ZONES_MOST 200000 /* zones in one state; the most frequent ones are looked at */

enum status next_names_seen(struct next *n, struct store *s)
{
    const int64_t day = timestamp_day(n->since_us);
    int64_t days = 0;
    enum status st = store_ask_number(s, 0, &n->answers,
                                      "SELECT sum(count) FROM standard_day WHERE scope = 'names' AND standard = "
                                      "'dnssec' AND day >= $1",
                                      "i", day);
    if (st == STATUS_OK)
        st = store_ask_number(s, 0, &days,
                              "SELECT max(day) - min(day) + 1 FROM standard_day WHERE scope = 'names' AND standard = "
                              "'dnssec' AND day >= $1",
                              "i", day);
    n->names_days = days;
    struct store_rows *rows = st == STATUS_OK
                                  ? store_ask(s,
                                              "SELECT name FROM zone WHERE state = 'secure' AND last_seen >= $1 "
                                              "ORDER BY count DESC LIMIT $2",
                                              "ii", n->since_us, (int64_t)ZONES_MOST)
                                  : NULL;
    while (rows && store_next(rows)) {
        const char *zone = store_text(rows, 0);
        if (!zone || !domain_is_kept(zone) || n->own_signed_count == NEXT_OWN_SIGNED ||
            !policy_is_own_domain(n->now, zone))
            continue;
        const char *kept = arena_strdup(n->arena, zone);
        if (kept)
            n->own_signed[n->own_signed_count++] = kept;
    }
    return st == STATUS_OK ? store_done(rows) : st;
}

/* Tells whether the resolver would refuse names of this zone by this policy. */
static bool policy_refuses(const struct policy *p, const char *zone, const char *state)
{
    struct policy_question q = {.standard = STANDARD_DNSSEC, .names = true, .who = zone};
    struct policy_answer a;
    policy_ask(p, &q, &a);
    if (a.trial)
        return false;
    if (strcmp(state, "bogus") == 0)
        return a.level >= POLICY_FOLLOW && !policy_suspended(p, zone, clock_wall());
    return a.level == POLICY_REQUIRE;
}

static void weigh_zone(struct next *n, const char *zone, const char *state, int64_t answers, const char *reason)
{
    const bool now = policy_refuses(n->now, zone, state);
    for (size_t i = 0; i < n->count; i++) {
        struct next_step *step = &n->steps[i];
        if (!policy_refuses(step->after, zone, state) || (now && !step->is_mode))
            continue;
        bool made = false;
        const char *key = arena_printf(n->arena, "zone %s", zone);
        struct next_hit *h = key ? next_hit_at(n, step, key, zone, &made) : NULL;
        step->answers += answers;
        if (!h)
            continue;
        h->answers += answers;
        if (made) {
            h->contact = arena_printf(n->arena, "hostmaster@%s", zone); /* RFC 2142 7 */
            h->how = arena_printf(n->arena, "%s%s%s", state, reason && *reason ? ": " : "", reason ? reason : "");
        }
    }
}

enum status next_weigh_names(struct next *n, struct store *s)
{
    struct store_rows *rows = store_ask(
        s,
        "SELECT d.subject, d.security, sum(d.count), (SELECT z.reason FROM zone z WHERE z.name = d.subject AND z.state "
        "= d.security) FROM subject_day d WHERE d.standard = 'dnssec' AND d.scope = 'names' AND d.security IN "
        "('bogus', "
        "'insecure', 'indeterminate') AND d.day >= $1 GROUP BY d.subject, d.security ORDER BY sum(d.count) DESC LIMIT "
        "$2",
        "ii", timestamp_day(n->since_us), (int64_t)ZONES_MOST);
    while (store_next(rows)) {
        const char *zone = store_text(rows, 0), *state = store_text(rows, 1);
        if (zone && state && domain_is_kept(zone))
            weigh_zone(n, zone, state, store_number(rows, 2), store_text(rows, 3));
    }
    return store_done(rows);
}
