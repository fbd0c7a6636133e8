// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_cache.h - a cache of finished answers, kept exactly as long as their TTL, in bounded memory.
 *
 * Holds these results: found, no data, no such name. Temporary failures, bogus answers and answers of TTL 0 are not
 * cached; a TTL above a day counts as a day (RFC 8767 section 4 allows such a cap). When the bound is reached the least
 * recently used answers are dropped.
 *
 * Shared by threads: sixteen shards, each with its own lock, held for the time of one search.
 */
#ifndef ASSAY_DNS_DNS_CACHE_H
#define ASSAY_DNS_DNS_CACHE_H

#include "dns/dns_source.h"

#define LIMIT_DNS_CACHE_TTL 86400 /* seconds */

struct dns_cache;

/* bytes: bound on keys and answers together. NULL when out of memory. */
struct dns_cache *dns_cache_new(size_t bytes) MUST_CHECK;
struct dns_cache *dns_cache_free(struct dns_cache *c); /* NULL is allowed; returns NULL */

/* The answer, with one reference for the caller, or NULL. now: clock_mono_ms(). */
struct dns_result *dns_cache_get(struct dns_cache *c, const struct dns_question *q, int64_t now);

/* Takes its own reference if the answer can be cached and memory allows. r->expires must be set. */
void dns_cache_put(struct dns_cache *c, const struct dns_question *q, struct dns_result *r, int64_t now);

/* Answers and octets held now. */
void dns_cache_size(struct dns_cache *c, size_t *answers, size_t *bytes);

#endif
