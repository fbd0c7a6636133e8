// SPDX-License-Identifier: BSD-2-Clause
/*
 * facts.h - what the verdict is computed from: plain values, no engine, no DNS, no packet.
 *
 * facts.c fills a struct facts from what the engines found; tests fill it by hand. Nothing in it is a decision. All
 * texts live at least as long as the verdict made from them. Domains are kept names (base/domain.h) or NULL: not known,
 * or not usable.
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
    JUDGE_INTERNET,   /* an SMTP client that nothing is known of */
    JUDGE_RELAY,      /* one of our relays handed it on; facts.client is the one it got it from */
    JUDGE_OWN,        /* a host of `own network` */
    JUDGE_SUBMISSION, /* a user of ours: authenticated, or on a submission port */
    JUDGE_LOCAL,      /* no SMTP client at all: the MTA's own command on this host */
    JUDGE_FLEET,      /* a relay of ours handed it on and had judged it itself */
};

/* "internet", "relay", "own-network", "submission", "local", "fleet" */
const char *judge_source_name(enum judge_source s);

/* Whether mail from there is judged by its sender's names at all (design section 4). */
bool judge_source_is_judged(enum judge_source s);

/* A DMARC policy: as published, or as applied after t= (RFC 9989 4.7). */
enum facts_policy { FACTS_P_ABSENT, FACTS_P_NONE, FACTS_P_QUARANTINE, FACTS_P_REJECT };

struct facts_signature {
    const char *domain; /* d= */
    enum result result;
    bool counts;           /* may feed DMARC: passes and leaves no body unsigned */
    uint32_t of_author;    /* bit i: d= is of the organisation of authors[i] */
    bool header_hash_ok;   /* the signed headers are as signed; where result is fail, only the body differs */
    bool key_published;    /* its key was found and can be read: d= does send mail */
    enum limit_kind limit; /* of temperror */
};

/* One whom the message is from, or may be taken to be from. All authors must pass, each by itself. */
struct facts_author {
    const char *domain; /* NULL: an address without a domain name */
    struct {
        enum result result;
        enum facts_policy published, applied;
        const char *record_domain; /* whose record it is */
        bool testing;              /* t=y lowered it */
        bool sampled_out;          /* pct left this mail out: it gets the next weaker action (RFC 7489 6.6.4) */
        bool could_align;          /* temperror: what could not be looked up might have made it pass */
        bool surely_aligned;       /* temperror: an identifier identical to the From domain passes, so it is no spoof */
        enum limit_kind limit;     /* of temperror: a bound of ours kept it from being found out */
        const char *reason;
    } dmarc;
    const char *sends_nothing; /* how the domain says that it sends no mail ("SPF -all", "null MX"), or NULL */
    bool known_signer; /* the ledger: it signs all its mail (design section 5), this one bears no signature of it */
};

#define FACTS_AUTHORS 17 /* FORMAT_DOMAINS_MAX, and one for those without a domain */

/* The author, where no domain can be told. */
enum facts_no_author {
    FACTS_AUTHOR_ABSENT, /* nothing that a reader would take for an address */
    FACTS_AUTHOR_HIDDEN, /* a reader may see one that we cannot read */
};

/* A domain that this mail proves to come through, whoever it says it is from. */
struct facts_forwarder {
    const char *domain;
    const char *proof; /* "its ARC seal", "its DKIM signature", "SPF" */
};

/* One sender domain whose DNS answers the verdict needed. */
struct facts_dnssec {
    const char *domain;
    enum dns_security security; /* the worst of the answers needed */
    const char *reason;         /* which answer that was */
    enum limit_kind limit;      /* of unknown */
};

struct facts_dane {
    const char *domain;
    enum result posture; /* pass: every MX host has DNSSEC-secure usable TLSA records */
    bool contradicted;   /* our own probe saw a certificate that the published records exclude */
    const char *reason;
    const char *state; /* dane_state_name() */
    bool probed;       /* the policy has it probed; then proof is PASS, FAIL or UNTESTED, else NONE */
    enum result proof;
    const char *proof_reason; /* words; NULL where there is nothing to say */
    enum limit_kind limit;    /* of temperror */
    /* not a sender's domain but the client's own name: its certificate, pinned in DNS (dane_client.h) */
    bool of_client;
};

#define FACTS_SENDERS (FACTS_AUTHORS + 1) /* authors and the MAIL FROM domain, each name once */

struct facts {
    enum judge_source source;
    struct ip client;   /* whom address-based standards judge; family 0: not known */
    bool client_hidden; /* a relay's Received line could not be read: those standards are `none` */
    const char *mail_from;
    const char *helo;
    const char *from; /* the one author's domain; NULL: there is not exactly one usable */
    bool null_sender;
    bool notification; /* it has the form of a delivery status or disposition notification (judge/bounce.h) */

    /* Bounds of ours that the message passed (design section 9): words that name the bound, or NULL. Over the first,
     * what the header section says counts as failed; over the second, who the authors are cannot be told at all. */
    const char *over_limit;
    const char *unseen;

    struct {
        enum result result;
        const char *domain; /* MAIL FROM, or HELO for the null sender */
        const char *reason;
        enum limit_kind limit; /* of temperror */
    } spf;

    const struct facts_signature *signatures;
    size_t signature_count;

    /* The first is the one that the mail is reported under: the one that fails under the strictest policy. */
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
        enum result result; /* none: no TLS; policy: something besides the version is weak; else pass */
        unsigned version;   /* 0: no TLS; 10, 11, 12, 13 */
        const char *weak;   /* what is weak in the session besides its version, or NULL */
        const char *words;  /* "TLSv1.2 with AES128-SHA", for people */
    } tls;

    enum result format;
    const char *format_reason;
    enum result rdns;
    enum limit_kind rdns_limit; /* of temperror */
    const char *rdns_reason;

    const char *const *signers; /* domains with a valid signature, for `signed by` */
    size_t signer_count;

    time_t unsure_since;  /* when this same mail could not be judged for the first time; 0: it is the first time */
    const char *listener; /* by whose name the MTA took it in, or NULL */
};

/* How long the same temporary failure defers a mail before it is judged as a failure (design section 4). */
#define FACTS_UNSURE_SECONDS (4 * 3600)

#endif
