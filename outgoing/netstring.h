// SPDX-License-Identifier: BSD-2-Clause
/*
 * netstring.h - octets with their number before them: "5:hello,". What Postfix's socketmap protocol is made of
 * (socketmap_table(5)).
 *
 * Digits without a leading zero ("0" alone is zero), a colon, so many octets, a comma. Any thread.
 */
#ifndef ASSAY_OUTGOING_NETSTRING_H
#define ASSAY_OUTGOING_NETSTRING_H

#include "base/slice.h"

#define NETSTRING_FRAME 8 /* the most that stands around the octets, up to NETSTRING_LONGEST */
#define NETSTRING_LONGEST 999999

/* The first netstring in the octets received so far: how many octets it takes, its content within them in *content. 0:
 * it is not complete yet. -1: it is none, or has more than `most` (at most NETSTRING_LONGEST) octets, which is said as
 * soon as it can be. */
long netstring_first(struct slice come, size_t most, struct slice *content);

#endif
