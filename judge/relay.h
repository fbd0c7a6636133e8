// SPDX-License-Identifier: BSD-2-Clause
/*
 * relay.h - who really sent it: the client behind a relay of ours, read from the Received line that the relay wrote
 * (design section 4).
 *
 * The topmost Received field of what our MTA was handed is the relay's own. Everything in it but the address that the
 * relay saw can be chosen by the client (HELO, the name its address claims), so only the places where MTAs write that
 * address are read (RFC 5321 4.4, TCP-info), and where two of them could be meant, none is: then the client is not
 * known, and standards that ask about addresses say `none`.
 */
#ifndef ASSAY_JUDGE_RELAY_H
#define ASSAY_JUDGE_RELAY_H

#include "base/arena.h"
#include "base/ip.h"
#include "standards/message/header.h"

#define RELAY_HOPS_MAX 10 /* relays of ours in a row; own bound */

struct relay_hop {
    struct ip client;
    struct slice helo; /* as the relay wrote it; hostile. Empty: not told */
};

/* Reads one Received field's value (RFC 5321 4.4; Postfix, Sendmail, Exim, qmail, Exchange forms). STATUS_INVALID: the
 * client can't be told. */
enum status relay_read(struct slice received, struct relay_hop *out) MUST_CHECK;

struct policy;

struct relay_client {
    bool known;
    struct relay_hop hop;
    unsigned received;  /* which Received field says so, from 1; 0 where none does */
    const char *reason; /* in words; never NULL */
    bool judged;        /* the relay put its own verdict above its Received field: our fleet has judged this mail */
};

/* The client behind the chain of relays at the top of the message. STATUS_NOMEM only. */
enum status relay_find(struct arena *a, const struct header_list *list, const struct policy *p,
                       struct relay_client *out) MUST_CHECK;

#endif
