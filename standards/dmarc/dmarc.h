// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc.h - DMARC (RFC 9989): the record that applies to a From domain, and whether an authenticated identifier is
 * aligned with it.
 *
 * This reports what the standard says and decides nothing. The verdict, which finds here all it needs, makes sure that
 * p=reject alone does not lead to a rejection (RFC 9989 5.4, 7.4).
 *
 * Where the text leaves a choice, we take:
 *   - Several DMARC records at one name: all discarded, as if there were none there, and the walk goes on (RFC
 * 9989 4.10, steps 2 and 6).
 *   - A tag that is given twice with different values counts as not valid. A record whose p is missing or not valid, or
 *     whose sp or np is not valid, means p=none if rua has a valid URI, else RESULT_PERMERROR: no DMARC processing
 *     (4.10.1). The first tag must be v=DMARC1, no blank before it (4.8).
 *   - "Exists" is anything but NXDOMAIN for the From domain itself (3.2.13); an alias whose target does not exist does
 * exist.
 *   - A DNS failure or a bogus answer never makes a fail and never a pass (5.3.6): RESULT_TEMPERROR, unless the mail
 *     passes without that answer, or no answer could have made the identifier aligned. So nobody can cause a temperror
 *     with somebody else's dead zone.
 *   - Alignment of an identifier that does not lie at or below the From domain's Organizational Domain needs no walk:
 * its own Organizational Domain is always itself or above it, so the two cannot be equal. All others get a walk of
 * their own (4.10.2).
 *
 * Everything a finding points to lives in the arena given, or in the scope's. Threads: as the scope.
 */
#ifndef ASSAY_STANDARDS_DMARC_DMARC_H
#define ASSAY_STANDARDS_DMARC_DMARC_H

#include "base/arena.h"
#include "base/buf.h"
#include "dns/dns.h"
#include "base/slice.h"
#include "base/standard.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* ---- the record ---- */

#define DMARC_URIS_MAX 20     /* reporting URIs kept of each tag */
#define DMARC_RECORD_MAX 8192 /* octets of a record read at all */

enum dmarc_policy { DMARC_POLICY_NONE, DMARC_POLICY_QUARANTINE, DMARC_POLICY_REJECT };
enum dmarc_psd { DMARC_PSD_U, DMARC_PSD_Y, DMARC_PSD_N };
enum dmarc_tag_state { DMARC_TAG_ABSENT, DMARC_TAG_VALID, DMARC_TAG_INVALID };

enum dmarc_fo { DMARC_FO_0 = 1, DMARC_FO_1 = 2, DMARC_FO_D = 4, DMARC_FO_S = 8 };

struct dmarc_record {
    const char *text; /* as published, in the arena; hostile */
    enum dmarc_tag_state p_state, sp_state, np_state;
    enum dmarc_policy p, sp, np; /* good where the state is VALID */
    enum dmarc_psd psd;
    bool testing; /* t=y */
    bool adkim_strict, aspf_strict;
    unsigned fo;                     /* DMARC_FO_...; DMARC_FO_0 by default */
    const char *rua[DMARC_URIS_MAX]; /* syntactically valid URIs, the obsolete "!size" cut off */
    size_t rua_count;
    const char *ruf[DMARC_URIS_MAX];
    size_t ruf_count;
    bool rua_wrong, ruf_wrong, fo_wrong; /* a part of the tag cannot be read and was left out */
    const char *pct; /* the historic tag as published, for reports in RFC 7489's form; NULL: not there */
};

/* Tells whether a TXT text is a DMARC record at all: first tag v, value exactly DMARC1. */
bool dmarc_is_record(struct slice text);

/* Reads a record. STATUS_INVALID: it is none; STATUS_LIMIT: over DMARC_RECORD_MAX; STATUS_NOMEM. Anything wrong behind
 * the version is not an error. */
enum status dmarc_record_parse(struct arena *arena, struct slice text, struct dmarc_record *out) MUST_CHECK;

/* A copy with all its texts. NULL: out of memory. */
const struct dmarc_record *dmarc_record_copy(struct arena *arena, const struct dmarc_record *r);

const char *dmarc_policy_name(enum dmarc_policy p); /* "none", "quarantine", "reject" */

/* ---- the walk ---- */

#define DMARC_WALK_MAX 8 /* RFC 9989 4.10: no more than eight queries */

/* What DNS said at one name. Filled from DNS by dmarc_walk(), or by a test. */
struct dmarc_step {
    const char *domain; /* without "_dmarc." */
    enum dns_state state;
    enum dns_security security;
    const struct dmarc_record *record; /* the one valid record; NULL: none */
    unsigned records;                  /* DMARC records found there: over 1, all are discarded */
    const char *why;                   /* of TEMPFAIL and BOGUS */
};

struct dmarc_walk {
    const char *start;
    struct dmarc_step steps[DMARC_WALK_MAX];
    size_t count;                    /* steps up to and with the one at which the walk stopped */
    bool unknown;                    /* one of them failed in DNS: org_domain cannot be told */
    const char *org_domain;          /* Organizational Domain of `start`; NULL when unknown */
    const struct dmarc_step *author; /* the step at `start` itself */
    /* the step whose name is org_domain, if it was queried and has a record; else NULL */
    const struct dmarc_step *org;
    const struct dmarc_step *suffix; /* the step with psd=y above `start`; else NULL */
};

/* The names a walk from `start` (canonical form) looks at, longest first; returns how many. They point into start. */
size_t dmarc_walk_names(const char *start, const char *names[DMARC_WALK_MAX]);

/* Asks for all names of a walk at once and does not wait. */
void dmarc_walk_start(struct dns_scope *scope, const char *start);

/* A walk by DNS. NULL: out of memory. */
const struct dmarc_walk *dmarc_walk(struct dns_scope *scope, struct arena *arena, const char *start);

/* ---- the finding ---- */

enum dmarc_kind { DMARC_SPF, DMARC_DKIM };

/* What SPF or DKIM found, handed in by the caller. */
struct dmarc_identifier {
    enum dmarc_kind kind;
    const char *domain;    /* canonical: MAIL FROM domain (null sender: HELO name, RFC 7208 2.4), or d=; NULL: none */
    const char *selector;  /* DKIM only */
    enum result result;    /* only RESULT_PASS authenticates; RESULT_TEMPERROR might have */
    bool counts;           /* false: must not count although it passed (l= leaves body unsigned, +all, ...) */
    enum limit_kind limit; /* of TEMPERROR: our own limit that was reached, if that was the cause */
};

enum dmarc_alignment {
    DMARC_UNALIGNED,
    DMARC_ALIGNED,
    DMARC_ALIGNMENT_UNKNOWN, /* DNS failed on the way */
};

/* One for each identifier, in the same order. */
struct dmarc_aligned {
    enum dmarc_alignment alignment; /* whether the domain is aligned, whatever the identifier's result */
    bool identical;                 /* the same name as the From domain */
    bool passes;                    /* aligned, passed and counts: this one makes the DMARC pass */
    const struct dmarc_walk *walk;  /* its own walk if one was needed; else NULL */
    const char *org_domain;         /* its Organizational Domain; NULL: not asked for, or could not be told */
};

enum dmarc_source {
    DMARC_FROM_NOWHERE, /* no record */
    DMARC_FROM_AUTHOR,  /* the From domain's own record: p */
    DMARC_FROM_ORG,     /* of its Organizational Domain: sp, np */
    DMARC_FROM_PSD,     /* of its Public Suffix Domain: sp, np */
};

enum dmarc_existence { DMARC_EXISTENCE_UNASKED, DMARC_EXISTS, DMARC_EXISTS_NOT, DMARC_EXISTENCE_UNKNOWN };

struct dmarc_finding {
    enum result result; /* none, pass, fail, temperror, permerror (RFC 9989 9.2) */
    const char *reason; /* why, for people: our own text: printable ASCII, canonical domain names; never NULL */
    const char *domain; /* the From domain */

    /* what applies */
    enum dmarc_source source;
    const char *record_domain;         /* the DMARC Policy Domain; NULL: none */
    const struct dmarc_record *record; /* NULL: none */
    char tag[3]; /* the tag that was used: "p", "sp" or "np"; "" if none was (no record, or p=none by default) */
    enum dmarc_policy published; /* what that tag says */
    enum dmarc_policy policy;    /* what is to be applied, after t= (RFC 9989 9.1: policy.dmarc) */
    bool policy_known; /* false: DNS failed before record or tag could be told; published and policy are `none` then */
    bool testing;      /* t=y lowered, or would lower, the policy */
    enum dmarc_existence exists; /* of the From domain; asked only where it matters */
    bool psl;                    /* found the RFC 7489 way (dmarc_check_psl) */

    /* alignment */
    const char *org_domain;              /* of the From domain; NULL: could not be told, or was not needed */
    const struct dmarc_aligned *aligned; /* one for each identifier handed in */
    size_t aligned_count;
    bool spf_aligned,
        dkim_aligned; /* some identifier of that kind passes, aligned and counting (reports: policy_evaluated) */
    bool temp_could_have_aligned; /* no pass, and an identifier that failed for the moment could have made one: result
                                     is temperror */
    bool dns_failed;              /* a DNS answer of the walks that mattered failed: result is temperror */
    enum limit_kind limit;        /* of TEMPERROR: our own limit that was reached, if DNS itself did not fail */
    bool identical_pass; /* an identifier identical to the From domain passes, even where result is temperror: no spoof
                          */

    enum dns_security security;    /* the worst of the answers that the result needed */
    const struct dmarc_walk *walk; /* of the From domain: the trace. NULL: none was made */
};

/* Asks for what dmarc_check will need of this From domain, and does not wait. */
void dmarc_start(struct dns_scope *scope, const char *from_domain);

/* The finding. from_domain NULL (no usable From): RESULT_NONE. Fails only for memory: STATUS_NOMEM, then out is
 * RESULT_TEMPERROR. */
enum status dmarc_check(struct dns_scope *scope, struct arena *arena, const char *from_domain,
                        const struct dmarc_identifier *identifiers, size_t n, struct dmarc_finding *out) MUST_CHECK;

/* Ranks the findings of several authors, the greatest being the most severe: first a fail, by its policy; then what
 * could not be determined; then no record; then a pass. Pure. */
int dmarc_severity(const struct dmarc_finding *f);

/* From domains checked of one message; RFC 9989 11.5 asks for a bound. */
#define DMARC_AUTHORS_MAX 16

/* For a message that shows several domains as author (RFC 9989 11.5): checks each of the first DMARC_AUTHORS_MAX, those
 * with few labels first, so that deep names, made to use up the look-ups, do not hide another. The finding is the one
 * with the strictest policy among those that fail; if none fails, one that could not be determined; else one without a
 * record; a pass only if every domain passes and none was left out. n_domains == 0: RESULT_NONE. */
enum status dmarc_check_authors(struct dns_scope *scope, struct arena *arena, const char *const *from_domains,
                                size_t n_domains, const struct dmarc_identifier *identifiers, size_t n, bool psl,
                                struct dmarc_finding *out) MUST_CHECK;

/* The same by RFC 7489: the record of the From domain, else of its Organizational Domain by the public suffix list
 * (libpsl); np, psd and t are not used. */
enum status dmarc_check_psl(struct dns_scope *scope, struct arena *arena, const char *from_domain,
                            const struct dmarc_identifier *identifiers, size_t n, struct dmarc_finding *out) MUST_CHECK;

/* Tells whether others register names below this one, by a rule of the public suffix list: co.uk, or a company's domain
 * whose customers have names there. False for what no rule names, and where the list cannot be loaded. */
bool dmarc_psl_is_suffix(const char *domain);

/* The walk as lines for people, one for each name ("_dmarc.example.org  found, secure: v=DMARC1; ..."), hostile text
 * made visible. */
void dmarc_walk_describe(const struct dmarc_walk *walk, struct buf *out);

#endif
