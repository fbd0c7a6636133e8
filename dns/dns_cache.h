// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_cache.h - a cache of finished answers, kept exactly as long as their TTL, in bounded memory.
 *
 * Holds these results: found, no data, no such name. Temporary failures, bogus answers and answers of TTL 0 are not
 * cached; a TTL above a day counts as a day (RFC 8767 section 4 allows such a cap), one of a DKIM key above an hour as
 * an hour. When the bound is reached the least recently used answers are dropped.
 *
 * One client network (/24, /56) fills at most a sixteenth of the bound with what its mail made us ask for: beyond it
 * its own older answers make room, or the new one is not kept. Networks are counted in a table of fixed size by a keyed
 * hash: two that share a place share its part.
 *
 * Shared by threads: sixteen shards, each with its own lock, held for the time of one search.
 */
#ifndef ASSAY_DNS_DNS_CACHE_H
#define ASSAY_DNS_DNS_CACHE_H

#include "dns/dns_source.h"

#define LIMIT_DNS_CACHE_TTL 86400    /* seconds */
#define LIMIT_DNS_CACHE_KEY_TTL 3600 /* seconds, of names with a label _domainkey */
#define LIMIT_DNS_CACHE_NETWORK 16   /* a network's part of the bound: one in so many */

struct dns_cache;

/* bytes: bound on keys and answers together. NULL when out of memory. */
struct dns_cache *dns_cache_new(size_t bytes) MUST_CHECK;
struct dns_cache *dns_cache_free(struct dns_cache *c); /* NULL is allowed; returns NULL */

/* The answer, with one reference for the caller, or NULL. now: clock_mono_ms(). */
struct dns_result *dns_cache_get(struct dns_cache *c, const struct dns_question *q, int64_t now);

/* The seconds that an answer of this name (normal form) and TTL may be kept. */
uint32_t dns_cache_ttl(const char *name, uint32_t ttl);

/* Takes its own reference if the answer can be cached and memory allows. r->expires must be set. */
void dns_cache_put(struct dns_cache *c, const struct dns_question *q, struct dns_result *r, int64_t now);

/* Counts octets that hang on a result, if it is the one that is kept for the question. */
void dns_cache_grew(struct dns_cache *c, const struct dns_question *q, const struct dns_result *r, size_t octets);

/* Drops everything. */
void dns_cache_clear(struct dns_cache *c);

/* Answers and octets held now. */
void dns_cache_size(struct dns_cache *c, size_t *answers, size_t *bytes);

/* Searches that found an answer. */
uint64_t dns_cache_hits(struct dns_cache *c);

#endif
