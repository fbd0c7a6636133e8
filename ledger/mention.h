// SPDX-License-Identifier: BSD-2-Clause
/*
 * mention.h - whether a text mentions a name: what `forget` looks for.
 *
 * Pure; any thread.
 */
#ifndef ASSAY_LEDGER_MENTION_H
#define ASSAY_LEDGER_MENTION_H

#include "base/limits.h"
#include <stdbool.h>

#define MENTION_SHOWN (4 * LIMIT_DOMAIN + 1) /* room for a name in U-labels */

/* Whether name (a domain or an address, not "") stands in text as a whole, in any case. A part of a longer name does
 * not count ("ample.org" in "example.org", "example.org" in "example.org.uk"); a name below it does. NULL: no. */
bool mention_of(const char *text, const char *name);

#endif
