// SPDX-License-Identifier: BSD-2-Clause
/*
 * keyset.h - sets of a million and more short octet strings, looked up by suffix for every mail.
 *
 * A key is 1 to 255 octets: a canonical domain, a recipient address, or a network (keyset_net_key). The octets lie one
 * after the other in one block, each after its length; the table beside it holds an offset and 32 bits of the hash for
 * each, at most two thirds full: 12 to 24 octets a key beyond its text. Hashes run from the last octet to the first, so
 * one pass over a name gives the hashes of all its parent domains. Each policy gets a new random seed, so that nobody
 * can construct names that collide.
 *
 * Threads: one thread fills it; then any number may look up. Looking up allocates nothing.
 */
#ifndef ASSAY_POLICY_KEYSET_H
#define ASSAY_POLICY_KEYSET_H

#include "base/ip.h"
#include "base/limits.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdint.h>

#define KEYSET_KEY_MAX 255u /* octets; our own limit, above LIMIT_DOMAIN: a longer address cannot be in a list */

struct keyset_slot {
    uint32_t offset; /* into octets, plus one; 0: free */
    uint32_t hash;
};

struct keyset {
    uint64_t seed;
    unsigned char *octets;
    size_t used, size;
    struct keyset_slot *slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t count;
    uint32_t label_counts; /* bit n: a domain of n labels is in it (31: 31 or more) */
    uint64_t prefix4;      /* bit n: an IPv4 network of n bits is in it */
    uint64_t prefix6[3];   /* the same for IPv6 */
};

/* A name and its parents with their hashes, computed once for any number of sets. */
#define KEYSET_LABELS_MAX 127 /* RFC 1035: 253 octets of text hold no more */
struct keyset_name {
    const char *name;
    unsigned labels;
    unsigned char length; /* octets of name */
    struct {
        unsigned char at; /* where the parent begins in name */
        uint64_t hash;
    } parent[KEYSET_LABELS_MAX]; /* [0]: the last label alone; [labels - 1]: the name itself */
};

void keyset_init(struct keyset *k, uint64_t seed);
void keyset_release(struct keyset *k);

/* Reserves room for `count` keys of `octets` octets in total, so that filling does not reallocate. A hint; keyset_add
 * reports a failure. */
void keyset_reserve(struct keyset *k, size_t count, size_t octets);

/* Adds a key; *added false when it was there already. STATUS_LIMIT for a key too long or a set beyond 4 GiB,
 * STATUS_NOMEM. */
enum status keyset_add(struct keyset *k, struct slice key, bool *added) MUST_CHECK;

/* Adds a canonical domain, an address, or a network, and notes what kinds the set holds. */
enum status keyset_add_domain(struct keyset *k, const char *domain, bool *added) MUST_CHECK;
enum status keyset_add_net(struct keyset *k, const struct ip_net *net, bool *added) MUST_CHECK;

/* Frees the memory that filling left unused. */
void keyset_trim(struct keyset *k);

bool keyset_has(const struct keyset *k, struct slice key);

/* The set's keys in the order added: *at from 0; the empty slice at the end. */
struct slice keyset_next(const struct keyset *k, size_t *at);

/* Hashes of a canonical domain and its parents. */
void keyset_name(uint64_t seed, const char *domain, struct keyset_name *out);

/* Labels of the longest name in the set that is `n` or above it; 0: none. n must be hashed with the set's seed. */
unsigned keyset_longest(const struct keyset *k, const struct keyset_name *n);

/* Prefetches the memory that keyset_longest will read soon. */
void keyset_expect(const struct keyset *k, const struct keyset_name *n);
/* Prefetches, as the next step, the key that will be compared. */
void keyset_expect_key(const struct keyset *k, const struct keyset_name *n);

/* Bits, plus one, of the longest network in the set that holds the address; 0: none. */
unsigned keyset_longest_net(const struct keyset *k, const struct ip *a);

uint64_t keyset_hash(uint64_t seed, struct slice key);

/* Octets of memory beside the keys themselves. */
size_t keyset_overhead(const struct keyset *k);
size_t keyset_text(const struct keyset *k);

/* A network as a key: family, bits, octets of the base. Family is 4 or 6, so no name is ever taken for one. */
#define KEYSET_NET_KEY 18
struct slice keyset_net_key(const struct ip_net *net, char out[KEYSET_NET_KEY]);
/* The network of such a key; false for a name or an address. */
bool keyset_key_net(struct slice key, struct ip_net *out);

#endif
