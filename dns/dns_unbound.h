// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_unbound.h - answers from the DNS itself, resolved and validated in this process by libunbound.
 *
 * Resolves from the root, or through `forward`: one thread runs libunbound (dns_loop.h), any number of threads wait.
 * Validation is never left to another host: what a forwarder says about security is checked here against the trust
 * anchor. In front stands a cache of parsed answers (dns_cache.h) that keeps each as long as its TTL says and no
 * longer; temporary failures and bogus answers are not kept there.
 *
 * Equal questions under way at the same time, from any number of scopes, are one look-up. A scope that gives up
 * (deadline, or dns_scope_free) releases its look-up at once; libunbound goes on with it for some seconds, and what it
 * finds is kept in the cache. How many may be under way for one client network and in one zone: dns_share.h.
 *
 * dns_unbound_new starts threads: call it after daemonizing, never before a fork. struct dns may be used by all
 * threads.
 */
#ifndef ASSAY_DNS_DNS_UNBOUND_H
#define ASSAY_DNS_DNS_UNBOUND_H

#include "dns/dns.h"
#include "base/status.h"

/* Look-ups under way at one time over all scopes, and ports that libunbound may open for them; beyond it a question is
 * a temporary failure, so that a flood of mail cannot exhaust memory. If the process may open fewer than twice as many
 * files, the limit is half of those. */
#define LIMIT_DNS_FLIGHTS 4096

/* Packets that one look-up may send where its question names no number. */
#define LIMIT_DNS_FLIGHT_PACKETS 100

struct dns_unbound_config {
    /* DNSSEC trust anchor: a file of DS or DNSKEY records, or one kept by RFC 5011 (autotrust). Not optional:
     * without one nothing would ever be secure. A file that is missing, empty or without a key is an error at
     * dns_unbound_new. Where this process may write it and its folder, it is kept up to date by RFC 5011; else
     * it is used as it stands. */
    const char *anchor;
    bool anchor_fixed;       /* never write the anchor file, also where we may */
    const char *anchor_seed; /* copied to `anchor` where that does not exist, e.g. DNS_SYSTEM_ANCHOR; NULL:
                                none */
    const char *forward;     /* "ADDRESS", "ADDRESS@PORT"; several with blanks between; NULL or "": resolve from the
                                root */
    const char *extra;       /* an unbound.conf file read first (stub zones, local ports, dates of tests); NULL or "":
                                none */
    size_t cache_bytes;      /* of the cache in front; 0: 32 MiB */
    bool no_cache;           /* no cache in front (tests, benches) */
    bool small;              /* for a few questions only: no more than 64 look-ups, small caches */
    /* For a program whose own administrator chose the names: a look-up for which its zone has no share left
     * (dns_share.h) waits until others have ended, DNS_PATIENCE_MS at most, and does not fail. dns_start() then may
     * wait, too. */
    bool patient;
};

#define DNS_PATIENCE_MS 30000

/* The anchor that the distribution keeps. */
#define DNS_SYSTEM_ANCHOR "/usr/share/dns/root.key"

/* The anchor wanted where this process may read it, else the distribution's: for a program that asks beside the milter,
 * which makes and keeps its own. */
const char *dns_anchor_or_system(const char *wanted);

/* A source, or NULL with *error set to one line that says what is wrong with which setting or file (malloc'ed; the
 * caller frees it). */
struct dns *dns_unbound_new(const struct dns_unbound_config *config, char **error) MUST_CHECK;

/* The first setting that bounds a look-up's packets and that this libunbound does not take, for a log; NULL: it takes
 * all (max-global-quota is known since 1.21). Lives as long as the source. */
const char *dns_unbound_not_taken(struct dns *source);

struct dns_unbound_stats {
    uint64_t asked;     /* questions that scopes had */
    uint64_t cached;    /* of these, answered by the cache in front */
    uint64_t merged;    /* of these, joined to a look-up under way */
    uint64_t resolved;  /* look-ups that libunbound finished */
    uint64_t timed_out; /* waits that a deadline ended */
    uint64_t bogus;     /* of resolved: answers that did not validate */
    uint64_t failed;    /* of resolved: temporary failures */
    uint64_t refused;   /* over LIMIT_DNS_FLIGHTS, or over the share of a client network or zone */
    uint64_t dead;      /* not asked: the zone's servers are known not to answer */
    uint64_t under_way;
};

/* Counters since the start. Zeroes where `source` is no libunbound source. */
void dns_unbound_stats(struct dns *source, struct dns_unbound_stats *out);

#endif
