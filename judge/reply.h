// SPDX-License-Identifier: BSD-2-Clause
/*
 * reply.h - the words that a refused sender reads: code, enhanced code (RFC 3463, 7372), and lines of text.
 *
 * The first line says what failed and for which domain, the second has the policy's own text where there is one, the
 * last where to read more and whom to ask. Nothing of it is longer than SMTP allows, and nothing that a sender or a DNS
 * record wrote can end a line or be taken for another reply: all of it is printable ASCII.
 *
 * Pure; texts live in the arena given.
 */
#ifndef ASSAY_JUDGE_REPLY_H
#define ASSAY_JUDGE_REPLY_H

#include "base/arena.h"
#include "judge/verdict.h"

/* RFC 5321 4.5.3.1.5: 512 octets with code and line end. Ours leave room for "550-5.7.26 " and for doubled percent
 * signs. */
#define REPLY_LINE_MAX 440
#define REPLY_LINES 3

struct reply {
    const char *code;     /* "550", "451" */
    const char *enhanced; /* "5.7.1" */
    const char *lines[REPLY_LINES];
    size_t count; /* at least 1 */
};

/* For an action of reject or defer. v has a deciding line, or none (then: we could not judge). STATUS_NOMEM: *out is a
 * short reply all the same. */
enum status reply_for(struct arena *a, const struct verdict *v, const struct policy *p, const char *authserv_id,
                      struct reply *out) MUST_CHECK;

/* Recipients whose policies differ: at the end of the mail, and at RCPT on the retry. */
void reply_split(struct reply *out);
void reply_split_rcpt(struct reply *out);

/* All lines in one, for logs and the journal. NULL when memory is out. */
const char *reply_text(struct arena *a, const struct reply *r);

#endif
