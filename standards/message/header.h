// SPDX-License-Identifier: BSD-2-Clause
/*
 * header.h - the header section of one message as a list of fields, and how a saved message becomes one.
 *
 * Fields stand in the order in which they stand in the message. A field's name and value are kept octet for octet,
 * since DKIM hashes them; what is odd about a field (a name that is none, NUL, a bare CR or LF, a line too long) is
 * noted in `flaws` and judged in format.h. Names are compared without regard to case and without the blanks that RFC
 * 5322 4.5 allowed before the colon, nor other blanks and folds round them, which nothing allowed and some readers
 * overlook: "From :", " From:" and "FROM:" are all From. Whoever counts fields of a name must count what any reader of
 * the message would.
 *
 * Bounds: LIMIT_HEADER_FIELDS, LIMIT_HEADER_FIELD and LIMIT_HEADER_BYTES (base/limits.h). A field beyond them is not
 * kept: header_list_add returns STATUS_LIMIT and over_limit stays set; the message must then not be judged as if it had
 * been read whole. Fields that decide, or that name us, are kept beyond these bounds too, so that nobody hides a From
 * behind a heap of other fields: From and the others that may stand once (RFC 5322 3.6), Authentication-Results,
 * Assay-Verdict, DKIM-Signature and the ARC fields. They have bounds of their own, HEADER_DECIDING_FIELDS and
 * HEADER_DECIDING_BYTES beyond the others; where those are passed, or one of them is longer than LIMIT_HEADER_FIELD,
 * `blind` stays set: who the author is can then not be told at all.
 *
 * Threads: a list belongs to one thread at a time. It lives in the arena given and needs no freeing.
 */
#ifndef ASSAY_STANDARDS_MESSAGE_HEADER_H
#define ASSAY_STANDARDS_MESSAGE_HEADER_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

/* What is odd about a field, or about the header section as a whole (header_list.flaws has them all). */
enum header_flaw {
    HEADER_BAD_NAME = 1 << 0,    /* the name is no field-name: 1*(%d33-57 / %d59-126), RFC 5322 3.6.8 */
    HEADER_BLANK_COLON = 1 << 1, /* blanks before the colon (obsolete: RFC 5322 4.5) */
    HEADER_NUL = 1 << 2,         /* RFC 5322 2.2, 4.1: never allowed */
    HEADER_BARE_CR = 1 << 3,     /* CR without LF: RFC 5322 2.3 */
    HEADER_BARE_LF = 1 << 4,     /* LF that is neither a fold nor (in a file with LF line ends) the end of a line */
    HEADER_LONG_LINE = 1 << 5,   /* a line over 998 octets: RFC 5322 2.1.1 */
    HEADER_BAD_LINE = 1 << 6,    /* a line in the header section that is no field and continues none */
    HEADER_FIRST_BLANK = 1 << 7, /* the first line begins with a blank: it continues nothing */
    HEADER_EMPTY_FOLD = 1 << 8,  /* a continuation line of blanks only (obsolete: RFC 5322 4.2) */
    HEADER_NO_END = 1 << 9,      /* the message ends within its header section (fine if it has no body) */
};

/* Fields that decide kept beyond LIMIT_HEADER_FIELDS, and octets of them beyond LIMIT_HEADER_BYTES. Own bounds: no
 * honest mail has a tenth of the first. */
#define HEADER_DECIDING_FIELDS 1000
#define HEADER_DECIDING_BYTES (1024 * 1024)

struct header_field {
    struct slice name; /* as handed over */
    /* everything behind the colon: leading blank and folding (LF or CRLF) kept, without the last line end */
    struct slice value;
    unsigned index; /* from 1 among the fields of that name, as smfi_chgheader counts */
    unsigned flaws; /* HEADER_... */
    uint32_t key;   /* header.c's: a hash of the name, so that most other names are told apart by it */
};

struct header_list {
    struct arena *arena;
    struct header_field *fields;
    size_t count;
    size_t room;
    size_t bytes;        /* of names and values, with 3 octets each for colon and line end */
    unsigned flaws;      /* of all fields and of the section */
    size_t extra_bytes;  /* of these, beyond LIMIT_HEADER_BYTES or LIMIT_HEADER_FIELDS */
    size_t extra_fields; /* fields that decide, kept beyond those bounds */
    bool over_limit;     /* a bound was passed: something may not have been kept */
    bool blind;          /* a field that decides was not kept, or not whole */
};

void header_list_init(struct header_list *list, struct arena *arena);

/* Takes one field over, as an MTA hands it to a milter: copies both texts. STATUS_LIMIT: a bound is passed, the field
 * is kept only where it decides; STATUS_NOMEM: the arena is full. An odd field is kept, with its flaws: STATUS_OK. */
enum status header_list_add(struct header_list *list, struct slice name, struct slice value) MUST_CHECK;

/* The nth field of that name from the top, n from 1; NULL when there are fewer. */
const struct header_field *header_find(const struct header_list *list, const char *name, unsigned nth);

/* How many fields have that name. */
size_t header_count(const struct header_list *list, const char *name);

/* Tells whether a field has that name (see above for what is the same). */
bool header_is(const struct header_field *field, const char *name);

/* A field of that name within another's value, behind a CR or LF alone: readers that end lines there see it. The first
 * at or behind *at: *out is its value, to the next such end, and *at moves there. False: there is none (more). */
bool header_within(struct slice value, const char *name, size_t *at, struct slice *out);

/* How many fields of that name some reader may see: those there are, and those within the values of others. */
size_t header_count_seen(const struct header_list *list, const char *name);

/* A saved message. Fills `list` (which must be initialised and empty) and sets *body (may be NULL) to what follows the
 * empty line. A leading mbox "From " line is skipped. The first line end decides whether the file's lines end in CRLF
 * or LF. A line that is no field and continues none does not end the section here (some readers go on, some do not:
 * such a message must not pass): it is skipped, with HEADER_BAD_LINE. Names and values point into `message`, which must
 * outlive the list. STATUS_LIMIT, STATUS_NOMEM as above. */
enum status header_parse_message(struct header_list *list, struct slice message, struct slice *body) MUST_CHECK;

/* The value on one line: folds undone (RFC 5322 2.2.3: the line end goes, the blanks stay), without blanks at its ends.
 * In the arena; SLICE_NULL when that is full. */
struct slice header_unfold(struct arena *arena, struct slice value) MUST_CHECK;

#endif
