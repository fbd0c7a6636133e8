// SPDX-License-Identifier: BSD-2-Clause
/*
 * reply.h - the reply that a refused sender reads: code, enhanced code (RFC 3463, 7372), and lines of text.
 *
 * The first line says what failed and for which domain, the second has the policy's own text where there is one, the
 * last has the refusal's reference (reply_refer), where to read more and whom to ask. No line is longer than SMTP
 * allows. All of it is printable ASCII, so that text of a sender or a DNS record cannot end a line or look like another
 * reply.
 *
 * The replies that no verdict decides (out of memory, another class of recipients) are fixed texts of
 * milter/end_of_message.c.
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

/* A refusal's reference: characters of base32 (RFC 4648 6), 50 bits. */
#define REPLY_REFERENCE_LENGTH 10
#define REPLY_REFERENCE_SIZE (REPLY_REFERENCE_LENGTH + 1)

struct reply {
    const char *code;     /* "550", "451" */
    const char *enhanced; /* "5.7.1" */
    const char *lines[REPLY_LINES];
    size_t count; /* at least 1 */
};

/* For an action of reject or defer. v has a deciding line, or none if the message could not be judged. STATUS_NOMEM:
 * *out is then a short fixed reply. */
enum status reply_for(struct arena *a, const struct verdict *v, const struct policy *p, const char *authserv_id,
                      struct reply *out) MUST_CHECK;

/* For recipients whose policies differ: at the end of the mail, and at RCPT on the retry. */
void reply_split(struct reply *out);
void reply_split_rcpt(struct reply *out);

/* A new reference: random, not derived from the mail, its queue ID or the time. "": no randomness. */
const char *reply_new_reference(char out[REPLY_REFERENCE_SIZE]);

/* Puts "Reference X" into the reply, so that `assay why X` finds what was decided. reference "": nothing. STATUS_NOMEM:
 * the reply stays as it was. */
enum status reply_refer(struct arena *a, struct reply *r, const char *reference) MUST_CHECK;

/* The reference as it is kept, from text that a person typed (lower case, blanks around it). false: it is none. */
bool reply_read_reference(const char *text, char out[REPLY_REFERENCE_SIZE]);

/* All lines in one, for logs and the journal. NULL if memory ran out. */
const char *reply_text(struct arena *a, const struct reply *r);

#endif
