// SPDX-License-Identifier: BSD-2-Clause
/*
 * opendkim.h - the hashes of a message's signatures verified by libopendkim instead of by ourselves (struct
 * dkim_check_options, opendkim).
 *
 * Internal to dkim_check.c. What may be verified, and what a result means, stays ours: the library sees only the
 * signatures that were read and chosen, and answers two questions about each.
 */
#ifndef ASSAY_ENGINES_OPENDKIM_H
#define ASSAY_ENGINES_OPENDKIM_H

#include "standards/dkim/dkim_checker.h"

struct dkim_library;

/* After the signatures were chosen. NULL: the library cannot take this message (a field it refuses, no memory): verify
 * by ourselves. */
struct dkim_library *dkim_library_new(const struct dkim_checker *c);

void dkim_library_body(struct dkim_library *l, struct slice chunk);

/* The end of the body; keys come from the checker's scope. */
void dkim_library_end(struct dkim_library *l);

/* What it found of the signature in this place of c->one. False: it could not judge this one (its key record is too
 * long for it, there are several, DNS failed, or it refuses what we accept): verify by ourselves. Where the header
 * fails, *body_verifies says nothing: the library stops there. */
bool dkim_library_verdict(const struct dkim_library *l, size_t one, bool *header_verifies, bool *body_verifies);

/* NULL is fine; returns NULL. */
struct dkim_library *dkim_library_free(struct dkim_library *l);

#endif
