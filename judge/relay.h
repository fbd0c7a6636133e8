// SPDX-License-Identifier: BSD-2-Clause
/*
 * relay.h - finds the client behind one of our relays in the Received field that the relay wrote.
 *
 * The topmost Received field of the message that our MTA receives is the relay's own. The client can choose everything
 * in it except the address that the relay saw (HELO, the name its address claims). So only the places where MTAs write
 * that address are read (RFC 5321 4.4, TCP-info). If two places could be meant, the client is not known, and standards
 * that need its address say `none`.
 *
 * If the relay got the mail from itself (loopback, its own address, or a private one: a local content filter), from
 * another of our relays, or from a host of an own network, the next field is read, but only if the host that passed the
 * mail on wrote it, by its name or address. If not, or if it has no "from", the client is not known: a field that a
 * stranger could have written never makes mail count as our own.
 */
#ifndef ASSAY_JUDGE_RELAY_H
#define ASSAY_JUDGE_RELAY_H

#include "base/arena.h"
#include "base/ip.h"
#include "standards/message/header.h"

#define RELAY_HOPS_MAX 10 /* consecutive relays of ours; our own limit */

struct relay_hop {
    struct ip client;
    struct slice helo; /* HELO as the relay wrote it; hostile. Empty: not known */
    struct slice from; /* the word after "from" */
    struct slice name; /* reverse name of the client's address, as the relay looked it up; empty: not known */
    struct slice by;   /* the writer: the word after "by", and the name in the comment after that */
    struct slice by_name;
    struct ip by_address; /* family 0: not known */
};

/* Reads one Received field's value (RFC 5321 4.4; Postfix, Sendmail, Exim, qmail, Exchange, CommuniGate and MDaemon
 * forms). STATUS_INVALID: the client cannot be determined. */
enum status relay_read(struct slice received, struct relay_hop *out) MUST_CHECK;

struct policy;

struct relay_client {
    bool known;
    struct relay_hop hop;
    unsigned received;  /* number of the Received field that says so, from 1; 0 if none does */
    const char *reason; /* explanation; never NULL */
};

/* Finds the client behind the chain of relays at the top of the message; peer: the host that connected to us.
 * STATUS_NOMEM only. */
enum status relay_find(struct arena *a, const struct header_list *list, const struct policy *p, const struct ip *peer,
                       struct relay_client *out) MUST_CHECK;

#endif
