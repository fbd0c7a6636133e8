// SPDX-License-Identifier: BSD-2-Clause
/*
 * kept.h - what a run has asked already, so that no host is asked the same twice, and how many conversations are under
 * way at once.
 *
 * Threads: any number share one store. Whoever wants what another thread asks for right now waits for it.
 */
#ifndef ASSAY_CHECK_KEPT_H
#define ASSAY_CHECK_KEPT_H

#include "base/buf.h"

struct kept;

/* sockets: most conversations at once; 0: no bound. NULL: out of memory. */
struct kept *kept_new(unsigned sockets);
struct kept *kept_free(struct kept *k); /* NULL is allowed; nobody may be inside */

/* One conversation; adds text to out, and fails by the buffer's mark. It must not call kept_get(). */
typedef void (*kept_ask)(void *context, struct buf *out);

/* Adds to out what was said under this key in this run. Where nobody has asked yet, `ask` does, once there is a socket
 * for it. What failed is asked anew. key NULL: asked for this caller alone. */
void kept_get(struct kept *k, const char *key, kept_ask ask, void *context, struct buf *out);

#endif
