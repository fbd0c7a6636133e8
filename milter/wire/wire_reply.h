// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_reply.h - writes what a filter answers over the milter protocol. Each function adds one packet to a buffer, so
 * that all edits of a message and its last answer leave in one write: over TCP a second small write would wait for the
 * acknowledgement of the first (Nagle's algorithm and delayed ACK, some 44 ms).
 *
 * Out of memory: buf_failed is the buffer's own mark; look at it once before the write. A text with a NUL cannot be
 * given, since texts are C strings.
 */
#ifndef ASSAY_MILTER_WIRE_WIRE_REPLY_H
#define ASSAY_MILTER_WIRE_WIRE_REPLY_H

#include "base/buf.h"
#include "milter/wire/wire_command.h"

enum wire_answer {
    WIRE_ACCEPT = 'a',
    WIRE_CONTINUE = 'c',
    WIRE_DISCARD = 'd',
    WIRE_PROGRESS = 'p', /* the MTA's waiting time begins again */
    WIRE_REJECT = 'r',
    WIRE_SKIP = 's', /* no more of the body is wanted */
    WIRE_TEMPFAIL = 't',
};

void wire_put_answer(struct buf *out, enum wire_answer answer);
void wire_put_options(struct buf *out, const struct wire_options *options);

/* Adds to an options packet, which must be the last in `out`: the macros wanted at a stage (SMFIM_..., 0 to 6), their
 * names with blanks between. `from`: out->n before the options were put. For MTAs that offered SMFIF_SETSYMLIST. */
void wire_add_symbols(struct buf *out, size_t from, uint32_t stage, const char *names);

/* A field at place `index` (0: before all others), and a change of the index-th field of this name (1: the first; an
 * empty value removes it). */
void wire_put_insert_header(struct buf *out, uint32_t index, const char *name, const char *value);
void wire_put_change_header(struct buf *out, uint32_t index, const char *name, const char *value);
void wire_put_quarantine(struct buf *out, const char *reason);

/* An SMTP reply: code of three digits, enhanced code (NULL: none), 1 to WIRE_REPLY_LINES lines of text (RFC 5321
 * 4.2.1). Percent signs are doubled, because MTAs read the text as a printf format. STATUS_INVALID, and nothing is put,
 * if the code is not 4xx or 5xx, the enhanced code is of another class (RFC 3463), or a line holds a control character
 * or is longer than WIRE_REPLY_LINE. */
#define WIRE_REPLY_LINES 32 /* libmilter's MAXREPLIES */
#define WIRE_REPLY_LINE 980 /* libmilter's MAXREPLYLEN */
enum status wire_put_reply(struct buf *out, const char *code, const char *enhanced, const char *const *lines,
                           size_t count) MUST_CHECK;

#endif
