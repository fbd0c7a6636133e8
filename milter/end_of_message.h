// SPDX-License-Identifier: BSD-2-Clause
/*
 * end_of_message.h - turns the verdicts into the one action for a mail: it is passed on with our header fields, or
 * answered with a reply. Also writes journal and log line. No libmilter here.
 */
#ifndef ASSAY_MILTER_END_OF_MESSAGE_H
#define ASSAY_MILTER_END_OF_MESSAGE_H

#include "judge/reply.h"
#include "judge/stamp.h"
#include "milter/daemon.h"
#include "milter/session.h"

struct message_answer {
    bool refuse; /* true: answer with `reply`; false: do `action`, and pass the mail on with `stamp` */
    enum policy_action action;
    struct stamp stamp;
    struct reply reply;
};

/* At the end of the message. Waits for DNS, or returns false if it may not wait (judge_no_wait): then nothing was done,
 * and it is to be called again. Never fails: a message that could not be judged gets a temporary failure. */
bool end_of_message(struct daemon *d, struct session *s, struct message_answer *out);

/* At each recipient, before the message is known. out->refuse: answer this recipient with the reply. silent: the MTA
 * does not wait for the answer, so out->refuse refuses the whole mail, and the policy is applied at the mail's end. */
void end_of_message_at_rcpt(struct daemon *d, struct session *s, const char *path, bool silent,
                            struct message_answer *out);

#endif
