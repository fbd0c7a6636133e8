// SPDX-License-Identifier: BSD-2-Clause
/*
 * end_of_message.h - from the judge's verdicts to the one thing that is done with a mail: passed on with stamps, or
 * answered with a reply. Also keeps the evidence: journal and log line. No libmilter here.
 */
#ifndef ASSAY_MILTER_END_OF_MESSAGE_H
#define ASSAY_MILTER_END_OF_MESSAGE_H

#include "judge/reply.h"
#include "judge/stamp.h"
#include "milter/daemon.h"
#include "milter/session.h"

struct message_answer {
    bool refuse; /* answer with `reply`; else pass on with `stamp`, after `action` */
    enum policy_action action;
    struct stamp stamp;
    struct reply reply;
};

/* The message has ended. Waits for DNS. Never fails: what could not be judged is refused for now. */
void end_of_message(struct daemon *d, struct session *s, struct message_answer *out);

/* One more recipient, before the message is known. out->refuse: this recipient is answered with the reply. */
void end_of_message_at_rcpt(struct daemon *d, struct session *s, const char *path, struct message_answer *out);

#endif
