// SPDX-License-Identifier: BSD-2-Clause
/*
 * relay.h - who really sent it: the client behind a relay of ours, read from the Received line that the relay wrote
 * (design section 4).
 *
 * The topmost Received field of what our MTA was handed is the relay's own. Everything in it but the address that the
 * relay saw can be chosen by the client (HELO, the name its address claims), so only the places where MTAs write that
 * address are read (RFC 5321 4.4, TCP-info), and where two of them could be meant, none is: then the client is not
 * known, and standards that ask about addresses say `none`.
 *
 * Where the relay got the mail from itself (loopback, its own address, a private one: a content filter beside it), from
 * another relay of ours, or from a host of an own network, the next field is read: but only where it was written by the
 * host that handed the mail on, by its name or address. Where it was not, or says no "from", the client is not known:
 * mail from inside is never taken for our own because of a field that a stranger could have written.
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
    struct slice from; /* the word behind "from" */
    struct slice name; /* of the client's address, as the relay looked it up; empty: not told */
    struct slice by;   /* who wrote it: the word behind "by", and the name in the comment behind that */
    struct slice by_name;
    struct ip by_address; /* family 0: not told */
};

/* Reads one Received field's value (RFC 5321 4.4; Postfix, Sendmail, Exim, qmail, Exchange, CommuniGate and MDaemon
 * forms). STATUS_INVALID: the
 * client can't be told. */
enum status relay_read(struct slice received, struct relay_hop *out) MUST_CHECK;

struct policy;

struct relay_client {
    bool known;
    struct relay_hop hop;
    unsigned received;  /* which Received field says so, from 1; 0 where none does */
    const char *reason; /* in words; never NULL */
};

/* The client behind the chain of relays at the top of the message; peer: who handed it to us. STATUS_NOMEM only. */
enum status relay_find(struct arena *a, const struct header_list *list, const struct policy *p, const struct ip *peer,
                       struct relay_client *out) MUST_CHECK;

#endif
