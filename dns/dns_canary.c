// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_canary.c - asks one question by a resolver of its own, a few times.
 *
 * One lost answer must not make us call our DNS broken. After a failure it asks again, by another resolver, because
 * libunbound remembers failures, and treats a key that it could not fetch as a bad key.
 *
 * The anchor file is read, never written, and not seeded: the resolver that does the work owns it. An insecure answer
 * counts as healthy: then the anchor is for another part of the name space than `name`, which is allowed. Error texts
 * say what to look at.
 */
#include "dns/dns_canary.h"
#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>

#define TRIES 3
#define PAUSE_MS 1000 /* between two tries, at most a tenth of the time given: packets are often lost together */

static enum dns_health canary_judge(const struct dns_answer *a, char **why)
{
    const char *words;
    enum dns_health h;
    if (a->state == DNS_BOGUS) {
        h = DNS_UNTRUSTED;
        words = "DNS answers do not validate: look at this host's clock and at the trust anchor";
    } else if (a->state == DNS_TEMPFAIL) {
        h = DNS_UNREACHABLE;
        words = "DNS cannot be reached: look at the network, dns.forward and the firewall";
    } else {
        return DNS_HEALTHY;
    }
    if (asprintf(why, "%s (%s: %s)", words, a->name, a->why ? a->why : dns_state_name(a->state)) < 0)
        *why = NULL;
    return h;
}

static enum dns_health ask_once(const struct dns_unbound_config *config, const char *name, unsigned ms, char **why)
{
    struct dns *dns = dns_unbound_new(config, why);
    if (!dns)
        return DNS_UNCONFIGURED;
    enum dns_health h = DNS_HEALTHY;
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *scope =
        arena ? dns_scope_new(dns, arena, &(struct dns_budget){.lookup_ms = ms, .total_ms = ms + 1000}) : NULL;
    if (scope)
        h = canary_judge(dns_get(scope, name ? name : ".", DNS_SOA), why);
    dns_scope_free(scope);
    arena_free(arena);
    dns_close(dns);
    return h;
}

enum dns_health dns_canary(const struct dns_unbound_config *config, const char *name, unsigned ms, char **why)
{
    struct dns_unbound_config own = *config;
    own.no_cache = true;
    own.small = true;
    own.anchor_fixed = true;
    own.anchor_seed = NULL;
    const int64_t end = clock_mono_ms() + ms;
    enum dns_health h = DNS_UNCONFIGURED;
    *why = NULL;
    for (unsigned left = TRIES; left > 0; left--) {
        const int64_t time = end - clock_mono_ms();
        if (left < TRIES && time <= 0)
            break;
        free(*why);
        h = ask_once(&own, name, time > left ? (unsigned)(time / left) : 1, why);
        if (h == DNS_HEALTHY || h == DNS_UNCONFIGURED)
            break;
        if (left > 1)
            clock_sleep_ms(ms / 10 < PAUSE_MS ? ms / 10 : PAUSE_MS);
    }
    return h;
}
