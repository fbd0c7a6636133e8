// SPDX-License-Identifier: BSD-2-Clause
/*
 * origin.h - who announces an address: the origin AS of its route, from a table of routes on disk.
 *
 * The table is a "pfx2as" file, a line a route: NETWORK, LENGTH and ORIGIN, separated by blanks or tabs. Several
 * origins of one route are joined by "_"; an AS set, joined by ",", has no origin (RFC 6811, section 2). Lines that
 * begin with # are comments.
 *
 * The same from DNS (names below a zone that give "ORIGIN | NETWORK | ...") is read by origin_from_txt().
 *
 * Threads: a table is read by any number once it is loaded. Limits: those of prefix_table.h; 512 octets a line.
 */
#ifndef ASSAY_CHECK_ORIGIN_H
#define ASSAY_CHECK_ORIGIN_H

#include "base/buf.h"
#include "check/prefix_table.h"

#define ORIGIN_SEVERAL 8 /* origins of one route */
#define ORIGIN_WHY 512

/* NULL, with one line in `why`: the file cannot be read, or a line of it is wrong. */
struct prefix_table *origin_load(const char *path, char why[ORIGIN_WHY]);

/* The most specific route to an address, as text for facts: "64500 192.0.2.0/24, ...", one entry an origin. Adds
 * nothing where there is no route. */
void origin_of(const struct prefix_table *t, const struct ip *a, struct buf *out);

/* Adds the origins of one TXT record in the form "64500 64501 | 192.0.2.0/24 | ...", where it covers the address.
 * false: it has not that form, or its network does not cover the address. */
bool origin_from_txt(struct slice text, const struct ip *a, struct buf *out);

#endif
