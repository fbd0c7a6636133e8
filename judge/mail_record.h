// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_record.h - writes what is kept of a judged message: the journal's record (assay-journal(5), kind mail) and one
 * log line.
 *
 * One record for each class of recipients. The log line has the same keys in the same order for every message, as
 * key=value text with values quoted where they need it, or as one JSON object. Hostile text is escaped in both. Neither
 * contains a local part of an address.
 *
 * Pure except for the buffers given.
 */
#ifndef ASSAY_JUDGE_MAIL_RECORD_H
#define ASSAY_JUDGE_MAIL_RECORD_H

#include "base/json.h"
#include "judge/judge.h"

struct mail_record_extra {
    const char *reply;       /* reply sent to the peer, or NULL */
    const char *reference;   /* that the reply bears, or NULL */
    const char *stage;       /* "end", "rcpt": the stage at which this was decided */
    int64_t took_ms;         /* time from connect or the last mail to the verdict */
    bool split;              /* deferred because its recipients' policies differ */
    const unsigned char *of; /* struct classes' `of`; NULL: all recipients belong to the class */
    unsigned of_class;       /* whose recipients these are */
    size_t rcpts_from;       /* recipients before this one belong to another decision */
};

/* Adds the keys of kind mail to an open object; the caller opened it (journal_record) and ends it. */
void mail_record_mail(struct json *out, struct judge *j, const struct class_of_rcpts *c,
                      const struct mail_record_extra *x);

/* One line for the log, without line end. json: as JSON. */
void mail_record_line(struct buf *out, struct judge *j, const struct class_of_rcpts *c,
                      const struct mail_record_extra *x, bool json);

/* The next recipient domain of the class, each once; *at from 0. NULL at the end. */
const char *mail_record_next_domain(const struct judge_mail *m, const struct mail_record_extra *x, size_t *at);

/* ---- parts, for `assay verify --json` and the two above ---- */
void mail_record_findings(struct json *out, struct judge *j); /* the array's entries */

#endif
