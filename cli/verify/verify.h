// SPDX-License-Identifier: BSD-2-Clause
/*
 * verify.h - between the files of `assay verify`: what was asked, the messages, the printing.
 */
#ifndef ASSAY_CLI_VERIFY_VERIFY_H
#define ASSAY_CLI_VERIFY_VERIFY_H

#include "base/buf.h"
#include "base/json.h"
#include "judge/judge.h"

struct verify_options {
    const char *message;
    const char *ip, *helo, *from, *tls, *policy, *dns, *save_dns, *at;
    const char *auth;
    const char **rcpts;
    size_t rcpt_count;
    bool json, brief, header;
};

/* ---- verify.c, also for `assay policy what-if` ---- */

/* The DNS as `assay verify` asks it: from a saved file, or by libunbound with the policy's anchor and forwarder. NULL
 * after a message. */
struct dns *verify_dns(const char *replay, const struct policy *policy);

/* Judges one message under one policy. *out is the judge, to be freed in any case (NULL is allowed); the classes live
 * in it. */
enum status verify_judge(const struct judge_host *host, const struct policy *policy, const struct verify_options *o,
                         time_t at, struct slice message, struct judge **out,
                         const struct classes **classes) MUST_CHECK;

/* ---- verify_source.c: where messages come from ---- */

#define VERIFY_MESSAGE_BYTES ((size_t)256 * 1024 * 1024) /* of one file */

/* Calls `each` for every message: of a file (one message, or an mbox, told by its first line), of a Maildir (new and
 * cur), of any other folder of files, or of stdin ("-"). name: for people. Stops when each returns false. 0, or an exit
 * code after a message. */
int verify_each(const char *path, bool (*each)(void *context, const char *name, struct slice message), void *context);

/* ---- verify_guess.c: what was not said, taken from the saved message ---- */

struct verify_guess {
    bool ip, helo, from; /* was taken from the message, not from the options */
};

/* Fills client, HELO and MAIL FROM from the topmost Received and Return-Path fields where the options leave them out.
 * STATUS_NOMEM. */
enum status verify_guess(struct judge *j, const struct verify_options *o, struct verify_guess *out) MUST_CHECK;

/* ---- verify_print.c, verify_json.c ---- */

void verify_print(struct buf *out, struct judge *j, const struct classes *c, const struct verify_options *o,
                  const struct verify_guess *g, const char *name);
void verify_print_brief(struct buf *out, struct judge *j, const struct classes *c, const char *name);
void verify_json(struct json *out, struct judge *j, const struct classes *c, const struct verify_guess *g,
                 const char *name);

#endif
