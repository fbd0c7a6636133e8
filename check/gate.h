// SPDX-License-Identifier: BSD-2-Clause
/*
 * gate.h - rate limit: how often, and by how many threads at once, one address is asked in a run.
 *
 * gate_enter() waits until fewer than GATE_AT_ONCE are in and the last began long enough ago; gate_leave() lets the
 * next in. Waiting is bounded, because every caller bounds its own work.
 */
#ifndef ASSAY_CHECK_GATE_H
#define ASSAY_CHECK_GATE_H

#include "base/ip.h"

#define GATE_AT_ONCE 2

struct gate;

/* pace_ms: least time between two beginnings at one address. NULL: out of memory. */
struct gate *gate_new(unsigned pace_ms);
struct gate *gate_free(struct gate *g); /* NULL is allowed; nobody may be inside */

/* false: out of memory; do not ask, and do not call gate_leave(). */
bool gate_enter(struct gate *g, const struct ip *address);
void gate_leave(struct gate *g, const struct ip *address);

#endif
