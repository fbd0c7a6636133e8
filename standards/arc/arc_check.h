// SPDX-License-Identifier: BSD-2-Clause
/*
 * arc_check.h - verifies the ARC chain of one message (RFC 8617).
 *
 * Used like dkim_check.h: new when the header section is complete (keys are asked for at once), body as it comes, end,
 * free. What it finds is only what the chain proves: who sealed, and that the newest sealer's view of the message still
 * holds. The policy decides whether a sealer is trusted: a chain sealed by a stranger proves nothing (anyone can write
 * "dmarc=pass").
 *
 * Results: none (no ARC field at all), pass, fail (RFC 8617 5.2: any defect of structure, of a seal, or of the newest
 * message signature), and temperror where a key could not be fetched now and nothing else was wrong: kept apart, since
 * RFC 8617 has no word for it (for Authentication-Results it is "fail" to those who want RFC 8617's three words; RFC
 * 8601 2.7 knows temperror).
 */
#ifndef ASSAY_STANDARDS_ARC_ARC_CHECK_H
#define ASSAY_STANDARDS_ARC_ARC_CHECK_H

#include "base/arena.h"
#include "dns/dns.h"
#include "base/slice.h"
#include "base/standard.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct header_list;
struct dkim_checker;

/* RFC 8617 4.2.1: i= is 1 to 50. */
#define ARC_CHECK_SETS 50

struct arc_set {
    unsigned instance;    /* i=, from 1 (the oldest) */
    const char *sealer;   /* d= of the ARC-Seal, kept */
    const char *selector; /* s= of the ARC-Seal, kept */
    const char *signer;   /* d= of the ARC-Message-Signature, kept */
    enum result cv;       /* as written in the seal: none, pass or fail */
    enum result seal;     /* pass, fail, temperror; none: not verified, since something else failed first */
    enum result message;  /* the ARC-Message-Signature: same */
    struct slice aar;     /* the ARC-Authentication-Results after "i=N;": hostile text, as received */
    const char *authserv; /* its authserv-id, printable ASCII; NULL if it is unreadable */
    enum result spf, dkim, dmarc,
        arc; /* its result for each (none if there is none; of several the best). Trust only known sealers */
    const char *dmarc_from; /* header.from of that dmarc, kept; NULL if there is none, empty if it is no name */
    unsigned key_bits;      /* the seal's key; 0: none seen */
};

struct arc_finding {
    enum result result;
    const char *reason;      /* one line of printable ASCII, never NULL */
    unsigned instance_count; /* highest instance; 0: none */
    /* RFC 8617 5.2 step 6: lowest instance from which on all message signatures hold, over every From field and the
       whole body; 0: all do (or none was verified) */
    unsigned oldest_pass;
    /* d= of the seals, newest first; instance_count of them; NULL entries where unreadable */
    const char *const *sealers;
    /* newest first; instance_count of them; only where the structure was readable, else NULL */
    const struct arc_set *sets;
    /* l= of the newest message signature leaves octets of the body unsigned */
    bool body_partly_unsigned;
    bool counts; /* pass, with every From field and the whole body signed by the newest: may be weighed with `trust` */
    enum dns_security security; /* the worst of the keys' answers that counted; DNS_UNKNOWN if none did */
};

struct arc_check_options {
    time_t at; /* judge as of this time; 0: clock_wall() */
    /* a DKIM checker of the same message: its body hashes are shared and arc_checker_body does nothing. It must be made
       before this one, fed until its end, and freed after this one's end. NULL: none */
    struct dkim_checker *body_of;
};

struct arc_checker;

/* options may be NULL. Never waits. NULL if memory ran out. */
struct arc_checker *arc_checker_new(struct dns_scope *dns, struct arena *arena, const struct header_list *headers,
                                    const struct arc_check_options *options);

void arc_checker_body(struct arc_checker *c, struct slice chunk);

/* May wait for DNS. STATUS_NOMEM only; *out then says temperror. With body_of: after dkim_checker_end of that one. */
enum status arc_checker_end(struct arc_checker *c, struct arc_finding *out) MUST_CHECK;

/* NULL is allowed; returns NULL. */
struct arc_checker *arc_checker_free(struct arc_checker *c);

#endif
