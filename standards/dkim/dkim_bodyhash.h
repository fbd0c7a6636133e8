// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_bodyhash.h - the body's hashes, for all signatures of one message at once (RFC 6376 3.4.3, 3.4.4, 3.4.5).
 *
 * Who needs a hash asks for it (dkim_bodyhash_want) before the body comes and reads it after its end. Each canonical
 * form is made and hashed once, however many signatures want it, and however many different l= they have: a shorter
 * hash is a snapshot on the way.
 *
 * The body may come in pieces of any size. LF is a line end like CRLF; a CR alone is an octet like any other. One
 * thread at a time.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_BODYHASH_H
#define ASSAY_STANDARDS_DKIM_DKIM_BODYHASH_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

struct dkim_bodyhash;

/* Different hashes (form and length) one message may want. */
#define DKIM_BODYHASH_MAX 128

/* NULL if memory ran out. */
struct dkim_bodyhash *dkim_bodyhash_new(struct arena *arena);

/* Asks for a hash. Gives its number, or -1: DKIM_BODYHASH_MAX reached, or the body has begun and was not prepared for
 * it, or memory ran out. */
int dkim_bodyhash_want(struct dkim_bodyhash *b, bool relaxed, bool limited, uint64_t limit);

void dkim_bodyhash_add(struct dkim_bodyhash *b, struct slice chunk);

/* The end of the body. Calling it again does nothing. */
void dkim_bodyhash_end(struct dkim_bodyhash *b);

/* After the end: the hash. *total is the length of the whole canonical body. STATUS_INVALID: the body is shorter than
 * the limit; STATUS_NOMEM. */
enum status dkim_bodyhash_get(const struct dkim_bodyhash *b, int number, uint8_t out[32], uint64_t *total) MUST_CHECK;

/* NULL is allowed; returns NULL. */
struct dkim_bodyhash *dkim_bodyhash_free(struct dkim_bodyhash *b);

#endif
