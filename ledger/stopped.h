// SPDX-License-Identifier: BSD-2-Clause
/*
 * stopped.h - tells whether mail that failed DMARC is stopped forgery, or something its sender has to mend.
 *
 * Mail that failed everything and comes from a network that the domain never used is stopped forgery: a success, and
 * nobody has to act. Everything else that failed is unexplained: a forwarder, a new provider, a mistake. This file says
 * what one mail is evidence of, and decides; the callers count: cli/mail_history.c mail by mail, organisations.c by the
 * daily totals. A test checks that both counts agree.
 */
#ifndef ASSAY_LEDGER_STOPPED_H
#define ASSAY_LEDGER_STOPPED_H

#include "base/ip.h"
#include "ledger/record.h"
#include <stdbool.h>
#include <stdint.h>

#define STOPPED_LOOK_BACK_DAYS 90 /* days in UTC, today included */
#define STOPPED_PASSES 20         /* aligned passes of a domain needed to know its usual mail */
#define STOPPED_STEADY_DAYS 3     /* failures on so many days from one network: a new provider, not a forger */
#define STOPPED_NET4 24           /* size of a client's network, in bits */
#define STOPPED_NET6 48

enum stopped { STOPPED_NO, STOPPED_FORGERY, STOPPED_UNEXPLAINED };

struct stopped_facts {
    bool failed;           /* DMARC says fail */
    bool signed_by_domain; /* an aligned signature, even a broken one, whose key is published */
    bool own;              /* the From domain is one of our own */
    bool strict;           /* the domain owner publishes quarantine or reject */
    int64_t passes;        /* aligned passes of the domain, over STOPPED_LOOK_BACK_DAYS */
    int64_t passes_here;   /* ... from the client's network */
    int64_t days_here;     /* days of these on which mail of the domain failed from there, signed or not */
    bool client_known;
};

/* Pure. */
enum stopped stopped_judge(const struct stopped_facts *f);

/* Whether the mail is unexplained only because too few mails of its domain passed (STOPPED_PASSES) to know where it
 * sends from: it may be forged, and the domain's owner should not be asked to mend anything. Pure. */
bool stopped_may_be_forged(const struct stopped_facts *f);

/* The client's network, whose mails count together. */
struct ip_net stopped_network(const struct ip *client);

/* What one mail shows of a domain that it names as its author's. Of a mail with several authors: neither passed nor
 * failed, since nobody knows whose mail it is. */
struct stopped_evidence {
    bool passed, failed; /* DMARC */
    bool signed_by_domain, strict, client_known;
    struct ip_net network; /* of the client; only if it is known */
};
void stopped_evidence(const struct record *r, const char *domain, struct stopped_evidence *out);

#endif
