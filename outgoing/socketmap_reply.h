// SPDX-License-Identifier: BSD-2-Clause
/*
 * socketmap_reply.h - one request of the socketmap protocol, and its reply (outgoing/socketmap.h).
 */
#ifndef ASSAY_OUTGOING_SOCKETMAP_REPLY_H
#define ASSAY_OUTGOING_SOCKETMAP_REPLY_H

#include "outgoing/tls_policy.h"

/* Appends the reply to `request`, the content of a netstring, as netstring. at_once: false, and nothing is appended, if
 * the reply must be waited for. Any thread. */
bool socketmap_reply(struct tls_policy *o, struct slice request, bool at_once, struct buf *reply);

#endif
