// SPDX-License-Identifier: BSD-2-Clause
/*
 * mailaddr.h - mail addresses: the paths of SMTP (RFC 5321 4.1.2) and the From field (RFC 5322 3.4, RFC 6854).
 *
 * The address itself is read strictly: local part, "@", domain, wholly parsed or not at all, never a guess at what was
 * meant. Every part of the program that needs an address of a message gets it from here, so that no two parts can see
 * two different ones. Refused although some reader somewhere would take it: encoded words as local part (RFC 2047 5),
 * 8-bit octets that are no UTF-8, more than one "@". Of the obsolete forms (RFC 5322 4.4) those are taken in which every
 * reader finds the same domain.
 *
 * The words around it are read leniently: phrases with dots (obs-phrase: `John Q. Public <j@example.org>`), with square
 * brackets or commas in encoded words if no quoted string stands beside them, raw 8-bit and RFC 6532 display names,
 * comments, folds, groups, empty places in a list. An unquoted address as display name is taken only where its domain
 * is that of the address behind it (`j@example.org <j@example.org>`): both readings give the same domain. What is taken
 * here, other readers must see too: tests/conformance/differential/check-grammar compares them.
 *
 * Underscores in domains are taken (base/domain.h); U-labels become A-labels. The 64 octets of RFC 5321 4.5.3.1.1 are
 * not enforced on local parts: real bounce addresses are longer, and the RFC asks not to; LIMIT_ADDRESS bounds the
 * whole.
 *
 * All functions are pure; results live in the arena. On failure results are untouched.
 */
#ifndef ASSAY_STANDARDS_MESSAGE_MAILADDR_H
#define ASSAY_STANDARDS_MESSAGE_MAILADDR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* Mailboxes read of one From field; beyond it STATUS_LIMIT (RFC 9989 11.5 asks for such a bound). */
#define MAILADDR_FROM_MAX 64

/* Departures from the RFC that leave the domain beyond doubt. */
enum mailbox_note {
    MAILBOX_ODD_ADDRESS = 1 << 0, /* a local part that RFC 5321 does not know, or a dot behind the domain */
    MAILBOX_ODD_NAME = 1 << 1,    /* a display name that is no phrase: unquoted commas, colons, lone parentheses */
    MAILBOX_OBSOLETE = 1 << 2,    /* RFC 5322 4.4: a source route, blanks or comments between dotted words */
};

struct mailbox {
    unsigned notes;       /* MAILBOX_... */
    struct slice local;   /* quoting undone. Empty for the null path, and for "<@domain>" */
    const char *domain;   /* canonical (base/domain.h); NULL: null path, a bare <postmaster>, or a domain literal */
    struct slice literal; /* "[192.0.2.1]", "[IPv6:...]", with its brackets; empty if there is a domain */
    struct slice display; /* decoded of quoting only, not of encoded words; hostile text. Empty if there is none */
};

/* A Reverse-path or Forward-path as MTAs hand it over, with or without its angle brackets. A source route (RFC 5321
 * 4.1.2 A-d-l) is checked and stripped, here and nowhere else. "<>" (and the empty text) is the null path: STATUS_OK,
 * empty local, no domain. A bare "postmaster" is taken (RFC 5321 4.5.1), any other local part without domain is not.
 * smtputf8: RFC 6531 local parts and U-labels are allowed.
 *
 * Most callers need only the domain of a path, and MTAs accept local parts that RFC 5321 does not allow (a..b@d, a.@d,
 * .a@d, a:b@d, a@b@d, none at all in "<@d>", 8-bit without SMTPUTF8): then the domain is what follows the last "@",
 * without a final dot, and the box is marked MAILBOX_ODD_ADDRESS. STATUS_INVALID: no domain can be told, or controls or
 * angle brackets stand in it; STATUS_LIMIT: longer than LIMIT_ADDRESS; STATUS_NOMEM. */
enum status mailaddr_path(struct arena *arena, struct slice text, bool smtputf8, struct mailbox *out) MUST_CHECK;

/* What follows "From:" (folds may be in). All its mailboxes in the order written, groups opened; *count 0 where there
 * are only empty groups. STATUS_INVALID: not wholly a mailbox-list or address-list; STATUS_LIMIT: over
 * LIMIT_HEADER_FIELD octets, an address over LIMIT_ADDRESS, or more than MAILADDR_FROM_MAX mailboxes; STATUS_NOMEM.
 * *reason (may not be NULL) is then a static text that says why, for people.
 *
 * Three departures from the RFC are accepted and marked.
 *   MAILBOX_ODD_ADDRESS  an address of one "@" whose local part is no dot-atom (a..b@d, a.@d, a:b@d) or whose domain
 *                        has a final dot
 *   MAILBOX_ODD_NAME     a field that is not a list by the grammar, but ends in its only angle address, with no "@" in
 *                        the words before it: they can only be its name
 *   MAILBOX_OBSOLETE     the forms of RFC 5322 4.4 in which every reader finds the same domain: a source route by the
 *                        address's own domain alone, blanks or comments round the dots of a local part, and round the
 *                        first dot of a domain (what stands before it is no domain) */
enum status mailaddr_from(struct arena *arena, struct slice field_body, struct mailbox **out, size_t *count,
                          const char **reason) MUST_CHECK;

/* Tells whether the inside of brackets is an address literal (RFC 5321 4.1.3); no General-address-literal has been
 * registered. */
bool mailaddr_is_literal(struct slice inner);

/* The address in text form, local part quoted where RFC 5321 needs it: "local@domain", "local@[literal]", "" for the
 * null path. */
void mailaddr_add(struct buf *out, const struct mailbox *m);

#endif
