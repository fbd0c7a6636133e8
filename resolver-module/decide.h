// SPDX-License-Identifier: BSD-2-Clause
/*
 * decide.h - what the resolver does with one answer: pass it on, or refuse it, by the policy's statements on names.
 *
 * Pure: an answer (names, types, and what the validator said of each record set) and a policy give a decision and its
 * words. Nothing here knows Unbound, and nothing is kept between two calls, so the first and the thousandth question
 * get the same answer.
 *
 * One principle: every record set is judged by itself, by its owner, and an excuse excuses the record sets it speaks of
 * and no others. What was not validated is never given out.
 *
 *   - `require dnssec of names in D` refuses an answer that holds an unsigned record set owned at or below D. A CNAME's
 *     target elsewhere is not the owner's doing: it passes and is recorded, unless the statement says `strictly`. A
 *     denial (NXDOMAIN, NODATA) is judged by the name it denies.
 *   - An exemption excuses unsigned record sets at or below its name, those that another statement's `strictly` asks
 *     for too.
 *   - A suspension of validation (RFC 7646) excuses bogus record sets owned at or below its name, and only those: an
 *     unsigned one that is required stays refused, and `always require` is not loosened. The validator stops at the
 *     first bogus link of a chain of aliases. What comes behind it was not validated: it is asked for by itself
 *     (DECIDE_FOLLOW), and judged by itself.
 *   - What the operator's own rules made (RPZ, response-ip) passes, and only that: the aliases that led there are
 *     judged.
 *   - Denials in a signed zone that prove only by NSEC3 opt-out (RFC 5155 6, 9.2) pass, and are recorded as such.
 *
 * Names here are text as the resolver holds them: lower case, no dot at the end, "" for the root; octets that no
 * canonical name has (base/domain.h) may stand in them as \DDD, and are cut off, label by label from the left, before
 * the policy is asked: statements can only be about what is right of them.
 */
#ifndef ASSAY_RESOLVER_MODULE_DECIDE_H
#define ASSAY_RESOLVER_MODULE_DECIDE_H

#include "policy/policy.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* What the validator said (RFC 4035 4.3), in the order of Unbound's own values, but none of its names. */
enum decide_security {
    DECIDE_UNCHECKED,
    DECIDE_BOGUS,
    DECIDE_INDETERMINATE, /* no trust anchor above it, or never validated (RRSIG asked for) */
    DECIDE_INSECURE,
    DECIDE_SECURE,
};

struct decide_rrset {
    const char *owner;
    const char *target; /* of CNAME and DNAME: where it leads; else NULL */
    uint16_t type;
    enum decide_security security;
    bool authority; /* stands in the authority section */
    bool opt_out;   /* an NSEC3 with the opt-out flag (RFC 5155 3.1.2.1) */
    bool local;     /* made by the operator's own rules: RPZ, response-ip */
};

struct decide_input {
    const char *name; /* asked */
    uint16_t type;
    uint16_t class;
    unsigned rcode;
    enum decide_security security; /* of the message: its weakest part */
    const struct decide_rrset *rrsets;
    size_t count;
    bool local_denial;  /* an operator's own rule (RPZ, response-ip) ends the chain without data */
    bool followed;      /* what follows a bogus link was asked for by itself, and this is the answer to that question */
    bool own;           /* a look-up of the resolver's own, that no client sees: it passes, and is not recorded */
    bool client_judges; /* the client validates for itself (CD), and the resolver lets it */
    bool paused;        /* enforcement is off for a time: what would be refused passes, and is recorded so */
    time_t at;          /* now; 0: ask the clock */
    /* Tells whether a suspension has ended by itself (suspend.h); NULL: none has. */
    bool (*retired)(const void *arg, const struct policy_statement *s);
    const void *retired_arg;
};

/* What is recorded of the answer's subject. */
enum decide_state {
    DECIDE_STATE_SECURE,
    DECIDE_STATE_INSECURE,
    DECIDE_STATE_BOGUS,
    DECIDE_STATE_INDETERMINATE,
    DECIDE_STATE_EXEMPT,    /* unsigned, required, and excused by an exemption */
    DECIDE_STATE_SUSPENDED, /* bogus, and validation is suspended there */
    DECIDE_STATE_OPT_OUT,
    DECIDE_STATE_REWRITTEN,
    DECIDE_STATE_LOCAL,  /* answered from local data; never judged */
    DECIDE_STATE_FAILED, /* nobody answered: says nothing of signatures, and is recorded as a count only */
    DECIDE_STATE_COUNT,
};

enum decide_what {
    DECIDE_PASS,
    DECIDE_REFUSE,     /* SERVFAIL with an Extended DNS Error that carries `text` */
    DECIDE_PASS_BOGUS, /* validation is suspended: give the bogus answer as an unsigned one */
    DECIDE_FOLLOW,     /* validation is suspended for the first `keep` record sets: ask for `next` by itself, put its
                          answer behind them, and decide again (`followed`) */
};

/* The EDE text with its NUL: fits beside a question into 512 octets (RFC 8914 2: keep it short). */
#define DECIDE_TEXT 224

struct decide_result {
    enum decide_what what;
    bool would;    /* passed only because of `trial`, dry-run or a pause: it would have been refused */
    bool record;   /* false: the policy ignores this name */
    bool unneeded; /* an exemption covers the name, and the answer is secure */
    bool withhold; /* passed to this one only: others must not get it from a cache */
    enum decide_state state;
    const char *subject; /* the name the state is about (in the input): of what was refused, the unsigned owner */
    const struct policy_statement *statement; /* that decided a refusal, or NULL */
    const struct policy_statement *excuse;    /* the exemption or suspension that counted, or NULL */
    size_t keep;                              /* DECIDE_FOLLOW */
    const char *next;                         /* DECIDE_FOLLOW */
    char text[DECIDE_TEXT];                   /* of a refusal, real or would-be; else "" */
};

void decide(const struct policy *p, const struct decide_input *in, struct decide_result *out);

/* Tells whether a record set outside of the answer section (in the additional section, or the NS set of the authority
 * section) may be given out: not if it is unsigned and required. Of `in`, `at` and `paused` are read. */
bool decide_beside(const struct policy *p, const struct decide_input *in, const char *owner,
                   enum decide_security security);

/* The suspension that stands in the policy for this name now, ended by itself or not; NULL: none. */
const struct policy_statement *decide_suspension(const struct policy *p, const char *name, time_t at);

/* The words of an Extended DNS Error about a suspension, which may be NULL. */
void decide_suspension_text(const struct policy_statement *s, char text[DECIDE_TEXT]);

/* Tells whether the policy has a statement that can refuse an answer. Scans all statements: once per reading. */
bool decide_can_refuse(const struct policy *p);

/* The longest right-hand part of a name that is a canonical name (base/domain.h), or NULL (root, or no such label).
 * Points into name. */
const char *decide_kept(const char *name);

const char *decide_state_name(enum decide_state s); /* "secure", "opt-out", ... */

#endif
