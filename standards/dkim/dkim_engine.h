// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_engine.h - a second verifier of DKIM hashes: what a loadable module (engines/opendkim.c) offers.
 *
 * A module exports one object of this type by the name DKIM_ENGINE_SYMBOL; judge/engine.c opens it (see
 * standards/spf/spf_engine.h for the stamp). What may be verified, and what a result means, stays ours: the module sees
 * only the signatures that dkim_check.c read and chose, and answers two questions about each.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_ENGINE_H
#define ASSAY_STANDARDS_DKIM_DKIM_ENGINE_H

#include "base/slice.h"
#include <stdbool.h>

#define DKIM_ENGINE_SYMBOL "assay_dkim_engine"
#define DKIM_ENGINE_STAMP_OCTETS 64
#define DKIM_ENGINE_STAMP "dkim " ASSAY_VERSION " " ASSAY_ENGINE_ABI

struct dkim_checker;
struct dkim_library; /* one message, the module's own */

struct dkim_engine {
    char stamp[DKIM_ENGINE_STAMP_OCTETS]; /* first in every version, so that a foreign one can be read */
    /* After the signatures were chosen. NULL: the library cannot verify this message (it refuses a field, no memory);
     * dkim_check.c verifies it. */
    struct dkim_library *(*begin)(const struct dkim_checker *c);
    void (*body)(struct dkim_library *l, struct slice chunk);
    /* The end of the body; keys come from the checker's scope. */
    void (*end)(struct dkim_library *l);
    /* What it found of the signature in this place of c->one. False: it could not judge this one (its key record is too
     * long for it, there are several, DNS failed, or it refuses what we accept); dkim_check.c verifies it. Where the
     * header fails, *body_verifies says nothing: the library stops there. */
    bool (*verdict)(const struct dkim_library *l, size_t one, bool *header_verifies, bool *body_verifies);
    /* NULL is allowed; returns NULL. */
    struct dkim_library *(*free)(struct dkim_library *l);
};

#endif
