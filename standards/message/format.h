// SPDX-License-Identifier: BSD-2-Clause
/*
 * format.h - the message-format finding: whether every reader sees the same author in a message.
 *
 * RFC 5322 3.6 says how often each field may stand, RFC 5322 2.1 to 2.3 which octets a message may hold; RFC 9989 11.5
 * why a message with none or several authors is a threat: DMARC has no domain to ask about, while the reader is shown
 * one. So from_domain is set only when the message has exactly one From field, that field is wholly parsed, and all its
 * addresses have one and the same domain.
 *
 * Where it is not set, `domains` has all that a reader may take for the author's: those of every From field that can be
 * parsed, and of one that cannot, its candidates (author_candidates.h). DMARC should be asked about each of them, so
 * that a broken From field does not buy what a proper one would not.
 *
 * Flaws make the finding RESULT_FAIL. Remarks are departures from the RFC that honest mail is full of: recorded, never
 * a failure.
 *
 * Pure; results live in the arena.
 */
#ifndef ASSAY_STANDARDS_MESSAGE_FORMAT_H
#define ASSAY_STANDARDS_MESSAGE_FORMAT_H

#include "base/arena.h"
#include "base/standard.h"
#include "standards/message/header.h"
#include "standards/message/mailaddr.h"
#include <stdbool.h>
#include <stddef.h>

/* Distinct From domains listed in a finding; more are counted only. */
#define FORMAT_DOMAINS_MAX 16

enum format_flaw {
    FORMAT_NO_FROM = 1 << 0,      /* no From field at all */
    FORMAT_MANY_FROM = 1 << 1,    /* more than one From field */
    FORMAT_BAD_FROM = 1 << 2,     /* From cannot be wholly parsed */
    FORMAT_FROM_EMPTY = 1 << 3,   /* From names nobody (empty groups only) */
    FORMAT_FROM_LITERAL = 1 << 4, /* an author at a domain literal: no domain to ask about */
    FORMAT_FROM_DOMAINS = 1 << 5, /* authors of several domains in one field */
    FORMAT_DOUBLED = 1 << 6,      /* another field that may stand once stands twice (`doubled` names it) */
    FORMAT_NUL = 1 << 7,
    FORMAT_BARE_CR = 1 << 8,
    FORMAT_BARE_LF = 1 << 9,
    FORMAT_BAD_LINE = 1 << 10,   /* a line in the header section that is no field, or a field without a proper name */
    FORMAT_OVER_LIMIT = 1 << 11, /* more header than we read (base/limits.h) */
};

/* What is known of who the message is from. */
enum format_author {
    FORMAT_AUTHOR_ABSENT,  /* no From field names anybody, nor seems to */
    FORMAT_AUTHOR_HIDDEN,  /* none can be told, but a reader may see one: an "@" without a usable domain, an encoded
                              word, a CR alone, NUL, an octet above 127, or a second From field */
    FORMAT_AUTHOR_GUESSED, /* `domains` are candidates: a From field cannot be parsed, or there is more than one */
    FORMAT_AUTHOR_READ,    /* `domains` are those of the one From field's addresses */
};

enum format_remark {
    FORMAT_REMARK_BLANK_COLON = 1 << 0, /* blanks before a colon (RFC 5322 4.5) */
    FORMAT_REMARK_LONG_LINE = 1 << 1,   /* a header line over 998 octets (RFC 5322 2.1.1) */
    FORMAT_REMARK_NO_DATE = 1 << 2,     /* RFC 5322 3.6 wants a Date */
    FORMAT_REMARK_NO_SENDER = 1 << 3,   /* several authors and no Sender (RFC 5322 3.6.2) */
    FORMAT_REMARK_AUTHORS = 1 << 4,     /* several addresses in From, not of several domains */
    FORMAT_REMARK_EMPTY_FOLD = 1 << 5,  /* a continuation line of blanks only (RFC 5322 4.2) */
    FORMAT_REMARK_ODD_NAME = 1 << 6,    /* obsolete or unquoted name in From: no phrase by RFC 5322 3.4 */
    FORMAT_REMARK_ODD_ADDRESS = 1 << 7, /* a local part in From that RFC 5322 3.4.1 does not know, or a final dot */
    FORMAT_REMARK_ODD_SENDER = 1 << 8,  /* the same in MAIL FROM (RFC 5321 4.1.2); set by who knows the envelope */
    FORMAT_REMARK_OBSOLETE = 1 << 9,    /* an address in From of an obsolete form (RFC 5322 4.4) */
};

/* What was seen while the body went by. Set to all zero first. */
struct format_body {
    bool nul;
    bool bare_cr;
    bool bare_lf;
    bool last_cr; /* the last octet so far is a CR: what it is depends on the next */
};

/* Looks at the next part of the body. lf_lines: lines end in LF (a saved file), so that an LF alone is no flaw. */
void format_body_chunk(struct format_body *body, struct slice chunk, bool lf_lines);

/* The body has ended. */
void format_body_end(struct format_body *body);

struct format_finding {
    enum result result; /* RESULT_PASS or RESULT_FAIL; RESULT_TEMPERROR when memory ran out */
    unsigned flaws;     /* FORMAT_... */
    unsigned remarks;   /* FORMAT_REMARK_... */
    const char *reason; /* the gravest flaw in words, for SMTP replies and logs: printable ASCII of ours, nothing of the
                           sender's but field names from RFC 5322; NULL if there is none */
    const char *from_domain; /* canonical form; NULL unless there is exactly one usable domain */
    struct mailbox *from;    /* the addresses of the first From field */
    size_t from_count;
    size_t from_fields;                      /* number of From fields */
    const char *domains[FORMAT_DOMAINS_MAX]; /* distinct; see above */
    size_t domain_count;                     /* may be larger than FORMAT_DOMAINS_MAX */
    bool many_authors; /* more domains than FORMAT_DOMAINS_MAX, or not every place that may name one was looked at */
    enum format_author author;
    const char *doubled; /* the first doubled field other than From, as RFC 5322 spells it; NULL: none */
};

/* Looks at the header section. A large From costs milliseconds: call it once for a message. */
void format_check(struct arena *arena, const struct header_list *list, struct format_finding *out);

/* Adds what the body has shown to the finding of its header. Allocates nothing, and may be called again. */
void format_add_body(const struct format_body *body, struct format_finding *f);

/* One flaw (a single bit) as a short word for logs and JSON: "no-from", "doubled-field". "?" for anything else. */
const char *format_flaw_name(unsigned flaw);
const char *format_remark_name(unsigned remark);

#endif
