// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_canonical.h - canonical forms of header fields, as a stream (RFC 6376 3.4.1, 3.4.2).
 *
 * Internal to dkim_* and arc_*. The octets go to a sink in pieces. No allocation, no state but the caller's struct; any
 * thread.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_CANONICAL_H
#define ASSAY_STANDARDS_DKIM_DKIM_CANONICAL_H

#include "base/slice.h"
#include <stdbool.h>

#define DKIM_CANONICAL_PIECE 2048

struct dkim_canonical {
    void (*sink)(void *context, const char *p, size_t n);
    void *context;
    size_t n;
    char piece[DKIM_CANONICAL_PIECE];
};

/* One field. `without` is a part of value (it points into it) that counts as absent; SLICE_NULL: none. */
void dkim_canonical_field(struct dkim_canonical *c, struct slice name, struct slice value, struct slice without,
                          bool relaxed, bool line_end);

/* Gives the sink what is still held. */
void dkim_canonical_flush(struct dkim_canonical *c);

#endif
