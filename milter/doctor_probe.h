// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_probe.h - the test message of `assay doctor`, as assay-milter sees it (base/test_message.h): a question at
 * MAIL, and, from whoever asked it rightly and in the same connection, one message with a null sender, which is judged,
 * dropped and forgotten.
 *
 * No libmilter here. Threads: as a session's.
 */
#ifndef ASSAY_MILTER_DOCTOR_PROBE_H
#define ASSAY_MILTER_DOCTOR_PROBE_H

#include "judge/reply.h"
#include "milter/daemon.h"
#include "milter/session.h"

#define DOCTOR_PROBE_WORDS 160

/* At MAIL: whether this is doctor's question. Then *out is the answer, with its words in `words`, and the session is
 * trusted to hand in the test message. */
bool doctor_probe_is_question(struct daemon *d, struct session *s, const char *path, char words[DOCTOR_PROBE_WORDS],
                              struct reply *out);

/* At MAIL, once the session has begun the message: is it the test message? Then session.testing is set until the next
 * one. */
void doctor_probe_begins(struct session *s, const char *path);

/* A recipient of it: taken, whatever the policy says. false: out of memory. */
bool doctor_probe_rcpt(struct session *s, const char *path);

/* Its end: judged, neither logged nor recorded; the receipt is written. It must be discarded. */
void doctor_probe_end(struct daemon *d, struct session *s);

#endif
