// SPDX-License-Identifier: BSD-2-Clause
/*
 * record.h - one parsed record of a journal (assay-journal(5)).
 *
 * record_parse() parses a line; texts point into its JSON tree and are valid until record_free. Keys that are missing
 * give NULL or 0; keys that are not known are ignored, so that a newer writer of the same version can say more. Text
 * that came from outside is as the sender wrote it: show it through utf8_add_visible or cli/table.h only.
 */
#ifndef ASSAY_LEDGER_RECORD_H
#define ASSAY_LEDGER_RECORD_H

#include "base/slice.h"
#include "base/status.h"
#include "ledger/value.h"
#include <stdbool.h>
#include <stdint.h>

enum record_kind { RECORD_SEGMENT, RECORD_END, RECORD_MAIL, RECORD_NAMES, RECORD_NOTE, RECORD_OTHER };

/* Findings and lines of one mail that are looked at. */
#define RECORD_FINDINGS_MAX 200

struct record {
    struct value *root;
    enum record_kind kind;
    int64_t version;
    int64_t t; /* microseconds since 1970 */
    const char *host;

    /* kind segment */
    const char *segment, *writer, *program;

    /* kind mail */
    const char *id, *message_id, *source, *client, *helo, *mail_from, *from, *policy, *skipped,
        *not_believed, /* why the verdict that a relay brought was not */
        *reference;    /* of the reply to a refused client */
    int64_t rcpts, size;
    const char *action, *would, *held_back, *statement, *text, *override, *comment;
    const struct value *findings, *lines, *rcpt_domains;

    /* kind names */
    const char *zone, *state, *reason;
    int64_t count, first, last, bits;
    const struct value *types, *algorithms;

    /* kind note */
    const char *note;
    int64_t dropped, lost;
};

/* STATUS_INVALID: no JSON object, or no version, time or kind (why, at least 160 octets, says which); STATUS_LIMIT: of
 * a newer version. */
enum status record_parse(struct slice line, struct record *out, char *why) MUST_CHECK;
void record_free(struct record *r);

/* The first finding of a standard, or NULL. */
const struct value *record_finding(const struct record *r, const char *standard);

/* Whether the mail came from outside: from a stranger, or through a relay of ours. */
bool record_is_from_outside(const struct record *r);

#endif
