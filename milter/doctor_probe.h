// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_probe.h - the test message of `assay doctor`, as assay-milter sees it (base/test_message.h): a question at
 * MAIL, and then, in the same connection and only after a valid question, one message with a null sender. It is judged
 * and dropped, and nothing is recorded.
 *
 * No libmilter here. Threads: as for a session.
 */
#ifndef ASSAY_MILTER_DOCTOR_PROBE_H
#define ASSAY_MILTER_DOCTOR_PROBE_H

#include "judge/reply.h"
#include "milter/daemon.h"
#include "milter/session.h"

#define DOCTOR_PROBE_WORDS 160

/* At MAIL: true if this is doctor's question. Then *out is the answer, with its text in `words`, and the session may
 * send the test message. */
bool doctor_probe_is_question(struct daemon *d, struct session *s, const char *path, char words[DOCTOR_PROBE_WORDS],
                              struct reply *out);

/* At MAIL, after the session has begun the message: if it is the test message, sets session.testing until the next
 * one. */
void doctor_probe_begins(struct session *s, const char *path);

/* A recipient of the test message: accepted, whatever the policy says. false: out of memory. */
bool doctor_probe_rcpt(struct session *s, const char *path);

/* The end of the test message: it is judged, neither logged nor recorded, and the receipt is written. The caller must
 * discard it. false: it may not wait for DNS (judge_no_wait), and is to be called again. */
bool doctor_probe_end(struct daemon *d, struct session *s);

#endif
