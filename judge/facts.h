// SPDX-License-Identifier: BSD-2-Clause
/*
 * facts.h - what the verdict is computed from: plain values, no engine, no DNS, no packet.
 *
 * facts.c fills a struct facts from what the engines found; tests fill it by hand. Nothing in it is a decision. All
 * texts live at least as long as the verdict made from them. Domains are canonical names (base/domain.h) or NULL: not
 * known, or not usable.
 */
#ifndef ASSAY_JUDGE_FACTS_H
#define ASSAY_JUDGE_FACTS_H

#include "dns/dns.h"
#include "base/ip.h"
#include "base/standard.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Where a mail came from, as far as judging it goes. */
enum judge_source {
    JUDGE_INTERNET,   /* an SMTP client we know nothing about */
    JUDGE_RELAY,      /* one of our relays passed it on; facts.client is the host that the relay got it from */
    JUDGE_OWN,        /* a host of `own network` */
    JUDGE_SUBMISSION, /* a user of ours: authenticated, or on a submission port */
    JUDGE_LOCAL,      /* no SMTP client: submitted by the MTA's own command on this host */
    JUDGE_FLEET,      /* one of our relays passed it on and had already judged it */
};

/* "internet", "relay", "own-network", "submission", "local", "fleet" */
const char *judge_source_name(enum judge_source s);

/* Tells whether mail from there is judged by its sender's names at all. */
bool judge_source_is_judged(enum judge_source s);

/* A DMARC policy: as published, or as applied after t= (RFC 9989 4.7). */
enum facts_policy { FACTS_P_ABSENT, FACTS_P_NONE, FACTS_P_QUARANTINE, FACTS_P_REJECT };

struct facts_signature {
    const char *domain; /* d= */
    enum result result;
    bool counts;            /* may count for DMARC: passes and leaves no part of the body unsigned */
    bool only_body_changed; /* fails by its body alone: with the body as it was signed it would count */
    bool key_published;     /* its key was found and is valid: d= does send mail */
    enum limit_kind limit;  /* for temperror */
    uint32_t of_author;     /* bit i: d= belongs to the organisation of authors[i] */
    uint32_t unsure_of;     /* of these bits, those for which that could not be looked up now */
};

/* An author of the message, or a possible one. All authors must pass, each by itself. */
struct facts_author {
    const char *domain; /* NULL: an address without a domain name */
    struct {
        enum result result;
        enum facts_policy published, applied;
        const char *record_domain; /* domain whose DMARC record applies */
        bool testing;              /* t=y lowered it */
        bool sampled_out;          /* not in the pct sample: gets the next weaker action (RFC 7489 6.6.4) */
        bool could_align;          /* temperror: a failed look-up could have made it pass */
        bool surely_aligned;       /* temperror: an identifier identical to the From domain passes, so it is no spoof */
        enum limit_kind limit;     /* for temperror: a limit of ours kept us from finding out */
        const char *reason;
    } dmarc;
    const char *sends_nothing; /* how the domain declares that it sends no mail ("SPF -all", "null MX"), or NULL */
    bool known_signer;         /* the ledger: the domain signs all its mail; this mail has no signature of it */
};

#define FACTS_AUTHORS 17 /* FORMAT_DOMAINS_MAX, and one for authors without a domain */

/* What is known about the author if the domain cannot be determined. */
enum facts_no_author {
    FACTS_AUTHOR_ABSENT, /* From has nothing that a reader would take for an address */
    FACTS_AUTHOR_HIDDEN, /* a reader may see an address that we cannot parse */
};

/* A domain that this mail is proved to have come through, whatever its From says. */
struct facts_forwarder {
    const char *domain;
    const char *proof; /* "its ARC seal", "its DKIM signature", "SPF" */
};

/* One sender domain whose DNS answers the verdict needed. */
struct facts_dnssec {
    const char *domain;
    enum dns_security security; /* the worst state of the answers needed */
    const char *reason;         /* which answer that was */
    enum limit_kind limit;      /* of unknown */
};

struct facts_dane {
    const char *domain;
    enum result posture; /* pass: every MX host has DNSSEC-secure usable TLSA records */
    bool contradicted;   /* our own probe saw a certificate that the published records exclude */
    const char *reason;
    const char *state; /* dane_state_name() */
    bool probed;       /* the policy wants it probed: proof is PASS, FAIL or UNTESTED; else NONE */
    enum result proof;
    const char *proof_reason; /* text; NULL if there is nothing to say */
    enum limit_kind limit;    /* for temperror */
    /* about the client's own name, not a sender's domain: its certificate, pinned in DNS (dane_client.h) */
    bool of_client;
};

#define FACTS_SENDERS (FACTS_AUTHORS + 1) /* authors and the MAIL FROM domain, each name once */

struct facts {
    enum judge_source source;
    struct ip client;   /* the address that SPF and the like judge; family 0: not known */
    bool client_hidden; /* a relay's Received line could not be read: those standards are `none` */
    const char *mail_from;
    const char *helo;
    const char *from; /* the one author's domain; NULL: there is not exactly one usable */
    bool null_sender;
    bool notification; /* it has the form of a delivery status or disposition notification (judge/bounce.h) */

    /* Limits of ours that the message exceeds: text that names the limit, or NULL. Over the first,
     * what the header section says counts as failed; over the second, the authors cannot be determined at all. */
    const char *over_limit;
    const char *unseen;

    struct {
        enum result result;
        const char *domain; /* MAIL FROM, or HELO for the null sender */
        const char *reason;
        enum limit_kind limit; /* for temperror */
    } spf;

    const struct facts_signature *signatures;
    size_t signature_count;

    /* The first is the one that the mail is reported for: it fails under the strictest policy. */
    struct facts_author authors[FACTS_AUTHORS];
    size_t author_count;
    enum facts_no_author no_author; /* where author_count is 0 */

    enum result arc;
    const char *arc_reason;
    const struct facts_forwarder *forwarders;
    size_t forwarder_count;

    struct facts_dane dane[FACTS_SENDERS + 1]; /* and the client */
    size_t dane_count;
    struct facts_dnssec dnssec[FACTS_SENDERS];
    size_t dnssec_count;

    struct {
        enum result result; /* none: no TLS; policy: something other than the version is weak; else pass */
        unsigned version;   /* 0: no TLS; 10, 11, 12, 13 */
        const char *weak;   /* what is weak in the session other than its version, or NULL */
        const char *words;  /* "TLSv1.2 with AES128-SHA", for people */
    } tls;

    enum result format;
    const char *format_reason;
    enum result rdns;
    enum limit_kind rdns_limit; /* for temperror */
    const char *rdns_reason;

    const char *const *signers; /* domains with a valid signature, for `signed by` */
    size_t signer_count;

    time_t unsure_since;  /* when this mail could first not be judged; 0: this is the first time */
    const char *listener; /* name of the MTA's listener that received it, or NULL */
};

/* How long the same temporary failure defers a mail before it is judged as a failure. */
#define FACTS_UNSURE_SECONDS (4 * 3600)

/* How long a mail whose look-ups cost too much (LIMIT_OF_COST) is deferred. Within this time an MTA tries four times or
 * more (RFC 5321 4.5.4.1: twice in the first hour, then every two or three), and each try finds in the cache what the
 * ones before asked: a mail that still costs as much would do so for ever. */
#define FACTS_COST_SECONDS 3600

#endif
