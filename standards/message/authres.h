// SPDX-License-Identifier: BSD-2-Clause
/*
 * authres.h - the Authentication-Results field (RFC 8601): writing it so that nothing can break out, reading it, and
 * telling a forged one.
 *
 * Writing: results come in as structures and leave as text, never the other way round within this program. Every text
 * that a sender can influence becomes one quoted-string or one comment; control characters and octets above 127 become
 * "?" (the field must be plain ASCII on its way through MTAs without SMTPUTF8; our domains are A-labels), and what is
 * too long is cut. So no value can end its quotes, begin a comment, add a result or a line.
 *
 * Reading: RFC 8601 2.2, all or nothing, with the unquoted "/", "=", "+" and ":" in property values and the empty place
 * behind a last ";" that many writers leave; used for ARC-Authentication-Results and by tests. What it gives is what a
 * stranger claims.
 *
 * Threads: none of it keeps state outside what it is given.
 */
#ifndef ASSAY_STANDARDS_MESSAGE_AUTHRES_H
#define ASSAY_STANDARDS_MESSAGE_AUTHRES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* ---- writing ---- */

#define AUTHRES_LINE 78       /* lines are folded there where a fold is possible (RFC 5322 2.1.1) */
#define AUTHRES_VALUE_MAX 320 /* octets of one value, reason or comment; longer ones are cut and end in "..." */

/*
 *     struct authres_writer w;
 *     authres_begin(&w, &buf, "mx.example.org");
 *     authres_method(&w, "spf", "pass", NULL);
 *     authres_property(&w, "smtp", "mailfrom", "example.net");
 *     authres_method(&w, "dmarc", "fail", "p=reject, nothing aligned");
 *     authres_comment(&w, "org example.net");
 *     authres_property(&w, "header", "from", "example.net");
 *     if (authres_end(&w) != STATUS_OK) ...
 */
struct authres_writer {
    struct buf *out;
    size_t column; /* of the line being written; starts behind "Authentication-Results: " */
    bool method;   /* a method was written */
    bool failed;
    const char *fold;
};

/* Starts the value: the authserv-id, quoted where it is no token. Folds are LF and a tab, as libmilter wants them; set
 * w->fold to "\r\n\t" after this call for text that goes elsewhere. */
void authres_begin(struct authres_writer *w, struct buf *out, const char *id);

/* The next method and its result, both Keywords (letters, digits, hyphens): anything else sets the failure mark.
 * reason: written as reason="...", NULL or empty: none. */
void authres_method(struct authres_writer *w, const char *method, const char *result, const char *reason);

/* A comment in the place reached. NULL or empty: nothing. */
void authres_comment(struct authres_writer *w, const char *text);

/* ptype.property=value of the method begun last; a token as it is, local@domain as it is if both are plain, else
 * quoted. NULL or empty value: nothing is written. */
void authres_property(struct authres_writer *w, const char *ptype, const char *property, const char *value);
void authres_property_slice(struct authres_writer *w, const char *ptype, const char *property, struct slice value);

/* Ends it; if no method was written, with "; none" (RFC 8601 2.2). STATUS_INVALID: a Keyword was none, or a property
 * came before any method; STATUS_NOMEM. The text must not be used then. */
enum status authres_end(struct authres_writer *w) MUST_CHECK;

/* ---- reading ---- */

#define AUTHRES_RESULTS_MAX 100   /* of one field; our own limit */
#define AUTHRES_PROPERTIES_MAX 50 /* of one result */

struct authres_property_read {
    struct slice ptype; /* empty: none was written */
    struct slice name;
    struct slice value; /* quoting undone */
};

struct authres_result {
    struct slice method;
    struct slice method_version; /* digits; empty: none given */
    struct slice result;
    struct slice reason; /* quoting undone; empty: none */
    const struct authres_property_read *properties;
    size_t property_count;
};

struct authres {
    struct slice id;                      /* authserv-id, quoting undone */
    struct slice version;                 /* digits; empty: none given (version 1) */
    const struct authres_result *results; /* none: the field says "; none" */
    size_t count;
};

/* The value behind the field's colon. STATUS_INVALID: not what RFC 8601 2.2 says; STATUS_LIMIT; STATUS_NOMEM. */
enum status authres_parse(struct arena *arena, struct slice value, struct authres *out) MUST_CHECK;

/* The same, and properties without ptype are taken (`dmarc=pass action=none header.from=...`): large senders write
 * them, and what they seal in ARC-Authentication-Results must be readable for `trust` to mean anything. */
enum status authres_parse_lenient(struct arena *arena, struct slice value, struct authres *out) MUST_CHECK;

/* The first result of that method (case-insensitive) from `from` on, or NULL. */
const struct authres_result *authres_find(const struct authres *a, const char *method,
                                          const struct authres_result *after);

/* The value of a property, case-insensitive; SLICE_NULL: not there. */
struct slice authres_get(const struct authres_result *r, const char *ptype, const char *name);

/* ---- forged ones ---- */

/*
 * Whether a field that came with the message may be taken for one of ours and must go (RFC 8601 5): its authserv-id is
 * our_id or lies below it, in any case, as U-labels, quoted, among comments and folds, with a dot at the end, a
 * version, or a job id behind it ("mx.example.org/4711"); or it has no authserv-id at all; or its beginning cannot be
 * read, so that some reader may see our name in it. A field that plainly names somebody else is not forged, whatever
 * follows. our_id need not be a domain name.
 */
bool authres_is_forged(struct slice value, const char *our_id);

#endif
