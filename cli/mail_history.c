// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_history.c - from where each domain's mail passed and failed in the last 90 days, so that stopped forgery is not
 * told as its victim's fault (ledger/stopped.h).
 *
 * Kept in memory while the question is answered: a count for each domain, and for each domain and client network.
 */
#include "base/clock.h"
#include "cli/mail_history.h"
#include "ledger/stopped.h"
#include "policy/map.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)
#define KEY_SIZE 400

struct place {
    int64_t passes;
    uint64_t days[2]; /* bit i: mail failed i days ago */
};

struct mail_history {
    struct arena *arena;
    struct map at; /* "DOMAIN" and "DOMAIN NETWORK" -> number of places */
    struct place *places;
    size_t count, size;
    int64_t now;
};

struct mail_history *mail_history_new(struct arena *a)
{
    struct mail_history *h = ARENA_NEW(a, struct mail_history);
    if (h) {
        *h = (struct mail_history){.arena = a, .now = clock_wall_us()};
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
        size_t size = h->size ? h->size * 2 : 256;
        struct place *more = realloc(h->places, size * sizeof *more);
        if (!more)
            return NULL;
        h->places = more;
        h->size = size;
    }
    const char *kept = arena_strdup(h->arena, key);
    if (!kept || map_put(&h->at, slice_str(kept), h->count) != STATUS_OK)
        return NULL;
    h->places[h->count] = (struct place){0};
    return &h->places[h->count++];
}

static bool key_of(const struct facts *f, char out[KEY_SIZE])
{
    char net[IP_NET_TEXT];
    if (!f->from || !f->client.family)
        return false;
    struct ip_net n = stopped_network(&f->client);
    snprintf(out, KEY_SIZE, "%s %s", f->from, ip_net_text(&n, net));
    return true;
}

void mail_history_add(struct mail_history *h, const struct facts *f, int64_t t)
{
    char key[KEY_SIZE];
    enum result dmarc = f->author_count ? f->authors[0].dmarc.result : RESULT_NONE;
    if (!f->from || (dmarc != RESULT_PASS && dmarc != RESULT_FAIL))
        return;
    struct place *whole = dmarc == RESULT_PASS ? place_of(h, f->from, true) : NULL;
    if (whole)
        whole->passes++;
    struct place *here = key_of(f, key) ? place_of(h, key, true) : NULL;
    int64_t ago = (h->now - t) / DAY_US;
    if (here && dmarc == RESULT_PASS)
        here->passes++;
    else if (here && ago >= 0 && ago < 128)
        here->days[ago / 64] |= UINT64_C(1) << (ago % 64);
}

bool mail_history_is_stopped(struct mail_history *h, const struct policy *p, const struct facts *f)
{
    char key[KEY_SIZE];
    const struct facts_author *a = &f->authors[0];
    if (!f->from || f->author_count != 1)
        return false;
    const struct place *whole = place_of(h, f->from, false), *here = key_of(f, key) ? place_of(h, key, false) : NULL;
    struct stopped_facts s = {
        .failed = a->dmarc.result == RESULT_FAIL,
        .own = policy_is_own_domain(p, f->from),
        .strict = a->dmarc.applied >= FACTS_P_QUARANTINE,
        .passes = whole ? whole->passes : 0,
        .passes_here = here ? here->passes : 0,
        .days_here = here ? __builtin_popcountll(here->days[0]) + __builtin_popcountll(here->days[1]) : 0,
        .client_known = f->client.family != 0,
    };
    for (size_t i = 0; i < f->signature_count; i++)
        s.signed_by_domain = s.signed_by_domain || (f->signatures[i].of_author && f->signatures[i].key_published);
    return stopped_judge(&s) == STOPPED_FORGERY;
}
