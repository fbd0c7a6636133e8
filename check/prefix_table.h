// SPDX-License-Identifier: BSD-2-Clause
/*
 * prefix_table.h - networks, each with an AS and a length, and which of them hold an address: ROAs (rtr.h) and routes
 * (origin.h).
 *
 * Filled by one thread, then sorted once, then read by any number. Limit: PREFIX_TABLE_MOST entries, some 28 octets
 * each.
 */
#ifndef ASSAY_CHECK_PREFIX_TABLE_H
#define ASSAY_CHECK_PREFIX_TABLE_H

#include "base/ip.h"

#define PREFIX_TABLE_MOST 4000000 /* own bound: the Internet has 1.3 million routes */

struct prefix {
    struct ip_net network;
    uint8_t longest; /* of a ROA: the longest prefix that it allows (RFC 6482, section 3.3) */
    uint32_t as;
};

struct prefix_table;

struct prefix_table *prefix_table_new(void);                                  /* NULL: out of memory */
struct prefix_table *prefix_table_free(struct prefix_table *t);               /* NULL is fine */
enum status prefix_table_add(struct prefix_table *t, const struct prefix *p); /* STATUS_LIMIT, STATUS_NOMEM */
void prefix_table_sort(struct prefix_table *t);

/* The entries whose network holds an address and has this many bits: *count of them, side by side. NULL: none. */
const struct prefix *prefix_table_find(const struct prefix_table *t, const struct ip *a, unsigned bits, size_t *count);

#endif
