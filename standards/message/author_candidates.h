// SPDX-License-Identifier: BSD-2-Clause
/*
 * author_candidates.h - the domains that some reader may show as author of a From field that cannot be parsed (RFC
 * 9989 11.5).
 *
 * Three readings are made of the field, and the domains of all are candidates:
 *   as it stands   every domain behind an "@" that does not stand in a comment, in brackets too, empty labels left
 *                  out; of what is no domain the part before the octet that makes it none ("victim.example'")
 *   leniently      encoded words decoded (RFC 2047; also twice, and where their end is missing), comments, folds,
 *                  quotes, backslashes and control octets (NUL and a CR alone too) left out, and characters that are
 *                  shown as "@" taken for it; once with octets above 127 and once without them
 *   as base64      each word that is base64 of a text with an "@", decoded: some readers show what they can decode
 * Candidates are used against a message only, never for it.
 */
#ifndef ASSAY_STANDARDS_MESSAGE_AUTHOR_CANDIDATES_H
#define ASSAY_STANDARDS_MESSAGE_AUTHOR_CANDIDATES_H

#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>

/* "@" signs looked at in the From fields of one message: a name that IDNA must look at costs microseconds. Own bound;
 * beyond it the authors cannot be told. */
#define AUTHOR_SIGNS_MAX 1000

struct author_candidates {
    void (*found)(void *context, const char *domain); /* canonical, two labels or more; valid only during the call */
    void *context;
    size_t signs;  /* looked at so far; 0 before the first field of a message */
    bool too_many; /* over AUTHOR_SIGNS_MAX, or out of memory: there may be more candidates */
    bool any_sign; /* an "@", or what is shown as one, stands in a field */
};

/* One From field's value. */
void author_candidates_read(struct author_candidates *c, struct slice value);

/* Tells whether the value holds what an honest mailer does not write beside an address it can be parsed by: an encoded
 * word, a CR that is not part of a line end, NUL, or an octet above 127. */
bool author_is_disguised(struct slice value);

#endif
