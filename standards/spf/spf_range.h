// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_range.h - counting the addresses that networks hold together, overlaps once. Used by the spf_* files only.
 *
 * The figure tells a record that lets half a cloud send from one that names three hosts.
 */
#ifndef ASSAY_STANDARDS_SPF_SPF_RANGE_H
#define ASSAY_STANDARDS_SPF_SPF_RANGE_H

#include "base/arena.h"
#include "base/ip.h"
#include "standards/spf/spf_record.h"

struct spf_range {
    struct spf_range *next;
    uint64_t first, last; /* IPv4 addresses; or the upper 64 bits of IPv6 ones */
};

struct spf_ranges {
    struct spf_range *v4, *v6;
    size_t count;
};

#define LIMIT_SPF_RANGES 10000 /* networks counted; our own limit, the rest is left out */

/* Adds a network; when memory or the bound is reached it is left out. */
void spf_ranges_add(struct arena *arena, struct spf_ranges *r, const struct ip_net *net);

/* Adds the networks that a record lets pass without a look-up, up to its first "all"; sets *plus_all where that one
 * passes. */
void spf_ranges_add_record(struct arena *arena, struct spf_ranges *r, const struct spf_record *record, bool *plus_all);

/* Addresses in `v4`, or networks of 64 bits in `v6`; saturating. Sorts the list. */
uint64_t spf_ranges_count(struct arena *arena, struct spf_range *list);

#endif
