// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_message.h - what the process that reads reports tells the one that started it, over a pipe.
 *
 * A message is a type, numbers and texts, as many as its type has. The reader of reports has had hostile input:
 * whatever it writes is taken for a message only if its lengths, its type and its texts (UTF-8, without NUL) are as
 * they should be.
 *
 * Pure: buffers of the caller.
 */
#ifndef ASSAY_FEEDBACK_REPORT_MESSAGE_H
#define ASSAY_FEEDBACK_REPORT_MESSAGE_H

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdint.h>

enum report_message_type {
    REPORT_MESSAGE_SENDER, /* | domain: the mail's From passed DMARC */
    REPORT_MESSAGE_HEAD,   /* kind, begin, end, octets | where, org, id, policy, contact, partial */
    REPORT_MESSAGE_DOMAIN, /* | domain: what it is about; one or more follow a head */
    REPORT_MESSAGE_ROW,    /* about, count | source, result, dkim, spf, header_from, detail */
    REPORT_MESSAGE_END,    /* the report is whole */
    REPORT_MESSAGE_UNREAD, /* status | where, why */
    REPORT_MESSAGE_BOUNCE, /* | where, recipient, code, id */
    REPORT_MESSAGE_DONE,   /* there is no further one */
    REPORT_MESSAGE_TYPES,
};

#define REPORT_MESSAGE_NUMBERS 4
#define REPORT_MESSAGE_TEXTS 6
#define REPORT_MESSAGE_TEXT 1200  /* octets of a text */
#define REPORT_MESSAGE_MOST 16384 /* of a message: more than all its texts */

struct report_message {
    enum report_message_type type;
    int64_t number[REPORT_MESSAGE_NUMBERS];
    const char *text[REPORT_MESSAGE_TEXTS]; /* never NULL if the type has one */
};

/* Adds a message. NULL texts are empty; a text is cut, and octets that are no UTF-8 are replaced. */
void report_message_add(struct buf *out, const struct report_message *m);

/* Takes the first message from *in, whose octets stay where its texts point. STATUS_AGAIN: it is not there whole;
 * STATUS_INVALID: it is none. */
enum status report_message_take(struct slice *in, struct report_message *m) MUST_CHECK;

#endif
