// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_history.c - from where each domain's mail passed and failed in the last 90 days, so that stopped forgery is not
 * told as its victim's fault (ledger/stopped.h).
 *
 * Kept in memory while the question is answered: a count for each domain, and for each domain and client network.
 * Networks that the ledger knows of an organisation count too: they outlive the records of single mails.
 */
#include "cli/mail_history.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/domain.h"
#include "ledger/stopped.h"
#include "ledger/timestamp.h"
#include "policy/map.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 400
#define SOURCES_MOST 500000 /* networks of organisations; about 100 octets each */

struct place {
    int64_t passes;
    uint64_t days[2]; /* bit i: mail failed i days ago */
};

struct mail_history {
    struct arena *arena;
    struct map at; /* "DOMAIN" and "DOMAIN NETWORK" -> number of places */
    struct place *places;
    size_t count, size;
    int64_t today; /* days since 1970 */
    bool cut;      /* there are more networks than are read: nothing is called forgery */
};

struct mail_history *mail_history_new(struct arena *a)
{
    struct mail_history *h = ARENA_NEW(a, struct mail_history);
    if (h) {
        *h = (struct mail_history){.arena = a, .today = timestamp_day(clock_wall_us())};
        map_init(&h->at, 1);
    }
    return h;
}

void mail_history_free(struct mail_history *h)
{
    if (h) {
        map_release(&h->at);
        free(h->places);
    }
}

static struct place *place_of(struct mail_history *h, const char *key, bool make)
{
    const uint64_t *n = map_get(&h->at, slice_str(key));
    if (n || !make)
        return n ? &h->places[*n] : NULL;
    if (h->count == h->size) {
        struct place *more = array_grow(h->places, &h->size, 256, sizeof *more);
        if (!more)
            return NULL;
        h->places = more;
    }
    const char *kept = arena_strdup(h->arena, key);
    if (!kept || map_put(&h->at, slice_str(kept), h->count) != STATUS_OK)
        return NULL;
    h->places[h->count] = (struct place){0};
    return &h->places[h->count++];
}

static const char *key_of(const char *domain, const struct stopped_evidence *e, char out[KEY_SIZE])
{
    char net[IP_NET_TEXT];
    if (!e->client_known)
        return NULL;
    snprintf(out, KEY_SIZE, "%s %s", domain, ip_net_text(&e->network, net));
    return out;
}

void mail_history_add(struct mail_history *h, const struct record *r)
{
    char text[KEY_SIZE];
    struct stopped_evidence e;
    int64_t ago = h->today - timestamp_day(r->t);
    if (!r->from || !domain_is_kept(r->from) || ago < 0 || ago >= STOPPED_LOOK_BACK_DAYS)
        return;
    stopped_evidence(r, r->from, &e);
    const char *key = key_of(r->from, &e, text);
    struct place *whole = e.passed ? place_of(h, r->from, true) : NULL;
    if (whole)
        whole->passes++; /* before the next place_of(), which may move all places */
    struct place *here = key && (e.passed || e.failed) ? place_of(h, key, true) : NULL;
    if (here && e.passed)
        here->passes++;
    else if (here)
        here->days[ago / 64] |= UINT64_C(1) << (ago % 64);
}

static int days_of(const struct place *p)
{
    return __builtin_popcountll(p->days[0]) + __builtin_popcountll(p->days[1]);
}

bool mail_history_is_decided(struct mail_history *h, const char *domain, const char *network)
{
    char key[KEY_SIZE];
    const struct place *whole = place_of(h, domain, false), *here;
    if (!whole || whole->passes < STOPPED_PASSES || !network)
        return whole && whole->passes >= STOPPED_PASSES;
    snprintf(key, KEY_SIZE, "%s %s", domain, network);
    here = place_of(h, key, false);
    return here && (here->passes > 0 || days_of(here) >= STOPPED_STEADY_DAYS);
}

/* "org DOMAIN NETWORK": a network of an organisation, not of exactly this domain. */
static bool org_key(const char *org, const struct ip_net *network, char out[KEY_SIZE])
{
    char net[IP_NET_TEXT];
    int len = snprintf(out, KEY_SIZE, "org %s %s", org, ip_net_text(network, net));
    return len > 0 && len < KEY_SIZE;
}

static enum status take_sources(struct mail_history *h, struct store_rows *rows)
{
    int64_t n = 0;
    bool memory = true;
    while (memory && store_next(rows)) {
        const char *org = store_text(rows, 0), *text = store_text(rows, 1);
        struct ip_net net;
        char key[KEY_SIZE];
        h->cut = ++n > SOURCES_MOST || h->cut;
        if (!org || !text || ip_net_from_text(slice_str(text), &net) != STATUS_OK)
            continue;
        net = stopped_network(&net.base);
        if (!org_key(org, &net, key))
            continue;
        struct place *p = place_of(h, key, true);
        memory = p != NULL;
        if (p)
            p->passes++;
    }
    enum status st = store_done(rows);
    return memory ? st : STATUS_NOMEM;
}

enum status mail_history_load(struct mail_history *h, struct store *s, const char *domain)
{
    const int64_t day = h->today - STOPPED_LOOK_BACK_DAYS + 1, since = day * TIMESTAMP_DAY, most = SOURCES_MOST + 1;
    if (!domain)
        return take_sources(
            h, store_ask(s,
                         "SELECT org, net FROM org_source WHERE last_seen >= $1 AND org IN (SELECT org FROM "
                         "org_failed_day WHERE day >= $2) LIMIT $3",
                         "iii", since, day, most));
    enum status st = STATUS_OK;
    for (const char *org = domain; st == STATUS_OK && org && *org; org = domain_parent(org))
        st = take_sources(h, store_ask(s, "SELECT org, net FROM org_source WHERE org = $1 AND last_seen >= $2 LIMIT $3",
                                       "tii", org, since, most));
    return st;
}

/* Whether mail of the domain's organisation has passed from this network. */
static bool organisation_passed(struct mail_history *h, const char *domain, const struct stopped_evidence *e)
{
    char key[KEY_SIZE];
    for (const char *org = domain; e->client_known && org && *org; org = domain_parent(org))
        if (org_key(org, &e->network, key) && place_of(h, key, false))
            return true;
    return false;
}

/* False: nothing is known of mail in this name. */
static bool facts_of(struct mail_history *h, const struct policy *p, const struct record *r, struct stopped_facts *f)
{
    char text[KEY_SIZE];
    struct stopped_evidence e;
    if (!r->from || !domain_is_kept(r->from) || h->cut)
        return false;
    stopped_evidence(r, r->from, &e);
    const char *key = key_of(r->from, &e, text);
    const struct place *whole = place_of(h, r->from, false), *here = key ? place_of(h, key, false) : NULL;
    *f = (struct stopped_facts){
        .failed = e.failed,
        .signed_by_domain = e.signed_by_domain,
        .own = policy_is_own_domain(p, r->from),
        .strict = e.strict,
        .passes = whole ? whole->passes : 0,
        .passes_here = (here ? here->passes : 0) + organisation_passed(h, r->from, &e),
        .days_here = here ? days_of(here) : 0,
        .client_known = e.client_known,
    };
    return true;
}

bool mail_history_is_stopped(struct mail_history *h, const struct policy *p, const struct record *r)
{
    struct stopped_facts f;
    return facts_of(h, p, r, &f) && stopped_judge(&f) == STOPPED_FORGERY;
}

bool mail_history_may_be_forged(struct mail_history *h, const struct policy *p, const struct record *r)
{
    struct stopped_facts f;
    return facts_of(h, p, r, &f) && stopped_may_be_forged(&f);
}
