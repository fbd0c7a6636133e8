// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_fields.h - the header section as signatures see it: chosen by name from the bottom up, canonicalised, hashed
 * (RFC 6376 3.4, 3.7, 5.4.2).
 *
 * Internal to dkim_* and arc_*. A struct dkim_fields is an index of one message's header list: made once, used by every
 * signature. It lives in the arena and belongs to one thread at a time.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_FIELDS_H
#define ASSAY_STANDARDS_DKIM_DKIM_FIELDS_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

struct header_list;
struct dkim_fields;

#define DKIM_HASH_OCTETS 32 /* SHA-256 */

/* NULL if memory ran out. */
struct dkim_fields *dkim_fields_new(struct arena *arena, const struct header_list *headers);

/* How many fields have this name (ASCII case aside, blanks before the colon aside). */
size_t dkim_fields_count(const struct dkim_fields *f, struct slice name);

/* The first field of that name from the top: its place in the header list, or SIZE_MAX. */
size_t dkim_fields_top(const struct dkim_fields *f, struct slice name);

/* The next one of its name below the field at this place, or SIZE_MAX. */
size_t dkim_fields_below(const struct dkim_fields *f, size_t place);

struct dkim_fields_request {
    struct slice names; /* h=: taken one by one, each name's fields from the bottom up, each field once */
    bool relaxed;
    /* the signature's own field: never taken by names, hashed last without its b= and without a line end; SIZE_MAX: it
       is not in the list but being made, and given by the next two */
    size_t self;
    struct slice own_name, own_value;
    struct slice b_raw; /* the octets in it that count as absent */
};

/* The header hash of one signature. STATUS_NOMEM only (a hash that OpenSSL could not make counts as that). */
enum status dkim_fields_hash(struct dkim_fields *f, const struct dkim_fields_request *r,
                             uint8_t out[DKIM_HASH_OCTETS]) MUST_CHECK;

/* A field that is not in the list (yet). */
struct dkim_field_made {
    struct slice name, value;
};

/* The hash over a list of whole fields, relaxed, those in the list first, then those being made; the very last
 * without its b= and its line end: an ARC seal's (RFC 8617 5.1.1). */
enum status dkim_fields_seal_hash(struct dkim_fields *f, const size_t *places, size_t count,
                                  const struct dkim_field_made *made, size_t made_count, struct slice b_raw,
                                  uint8_t out[DKIM_HASH_OCTETS]) MUST_CHECK;

#endif
