// SPDX-License-Identifier: BSD-2-Clause
/*
 * sts_cache.h - the MTA-STS policies of domains that we sent to, and what is known of fetching them. For tls_policy.c.
 *
 * A policy holds until `expires`, whatever its domain's DNS or web server says meanwhile (RFC 8461 5.1), so it is kept
 * over a restart: one file, written whole and exchanged at once. Not locked: tls_policy.c holds its lock around every
 * call.
 */
#ifndef ASSAY_OUTGOING_STS_CACHE_H
#define ASSAY_OUTGOING_STS_CACHE_H

#include "base/buf.h"
#include "base/limits.h"
#include "standards/sts/sts.h"
#include <time.h>

#define TLS_POLICY_DOMAINS                                                                                             \
    16384 /* most entries; then the least recently asked one is dropped, those without a policy first */

struct tls_policy_entry {
    char domain[LIMIT_DOMAIN + 1]; /* canonical name */
    char id[STS_ID + 1];           /* of the record by which the policy was fetched */
    enum sts_mode mode;
    char *mx;                /* patterns, a blank between; NULL: never had a policy */
    time_t fetched, expires; /* 0: no policy */
    time_t used;             /* last asked for */
    time_t retry;            /* not fetched before */
    unsigned failures;
    bool ours;               /* the last fetch failed by our own fault */
    char wanted[STS_ID + 1]; /* id of the record for which a fetch is under way */
    char why[128];           /* the last failure that was the domain's */
    bool fetching;           /* a fetch is under way: the entry is not replaced */
};

struct sts_cache;

struct sts_cache *sts_cache_new(void); /* NULL: out of memory */
struct sts_cache *sts_cache_free(struct sts_cache *c);

struct tls_policy_entry *sts_cache_find(struct sts_cache *c, const char *domain); /* NULL: none */

/* The same, or a new and empty one. NULL: out of memory, or all are being fetched. */
struct tls_policy_entry *sts_cache_place(struct sts_cache *c, const char *domain, time_t now);

/* Takes a fetched policy over. STATUS_NOMEM: the entry is as before. */
enum status sts_cache_store(struct tls_policy_entry *e, const struct sts_policy *p, const char *id,
                            time_t now) MUST_CHECK;

static inline bool tls_policy_entry_holds(const struct tls_policy_entry *e, time_t now)
{
    return e->mx && e->expires > now;
}

/* The entry at i, from 0; NULL at the end. */
struct tls_policy_entry *sts_cache_at(struct sts_cache *c, size_t i);

/* The file's text: all policies that hold. */
void sts_cache_text(const struct sts_cache *c, time_t now, struct buf *out);

/* Takes the policies of such a file over that still hold; lines that are none are skipped, and counted. STATUS_MISSING:
 * there is no file. STATUS_AGAIN: it cannot be read (errno). */
enum status sts_cache_read(struct sts_cache *c, const char *path, time_t now, size_t *wrong) MUST_CHECK;

#endif
