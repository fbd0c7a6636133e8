// SPDX-License-Identifier: BSD-2-Clause
/*
 * record.c - parses journal records.
 *
 * Promises that a line is a record or is refused with the reason: a record has a version that this program knows, a
 * time and a kind. Everything else is optional. On failure *out holds nothing that must be freed.
 */
#include "ledger/record.h"
#include "journal/journal.h"
#include "ledger/timestamp.h"
#include <stdio.h>

static enum record_kind kind_of(const char *word)
{
    static const struct {
        const char *word;
        enum record_kind kind;
    } kinds[] = {{"mail", RECORD_MAIL},
                 {"names", RECORD_NAMES},
                 {"note", RECORD_NOTE},
                 {"segment", RECORD_SEGMENT},
                 {"end", RECORD_END}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(word, kinds[i].word) == 0)
            return kinds[i].kind;
    return RECORD_OTHER;
}

static void read_mail(struct record *r)
{
    const struct value *v = r->root, *verdict = value_get(v, "verdict");
    r->id = value_text(v, "id");
    r->message_id = value_text(v, "message_id");
    r->source = value_text(v, "source");
    r->client = value_text(v, "client");
    r->helo = value_text(v, "helo");
    r->mail_from = value_text(v, "mail_from");
    r->from = value_text(v, "from");
    r->policy = value_text(v, "policy");
    r->skipped = value_text(v, "skipped");
    r->not_believed = value_text(v, "not_believed");
    r->reference = value_text(v, "reference");
    r->rcpts = value_number(v, "rcpts");
    r->size = value_number(v, "size");
    r->findings = value_get(v, "findings");
    r->lines = value_get(v, "lines");
    r->rcpt_domains = value_get(v, "rcpt_domains");
    r->action = value_text(verdict, "action");
    r->would = value_text(verdict, "would");
    r->held_back = value_text(verdict, "held_back");
    r->statement = value_text(verdict, "statement");
    r->text = value_text(verdict, "text");
    r->override = value_text(verdict, "override");
    r->comment = value_text(verdict, "comment");
    if (!r->action)
        r->action = "deliver";
    if (!r->would)
        r->would = r->action;
}

static void read_names(struct record *r)
{
    const struct value *v = r->root;
    r->zone = value_text(v, "zone");
    r->state = value_text(v, "state");
    r->reason = value_text(v, "reason");
    r->statement = value_text(v, "statement");
    r->policy = value_text(v, "policy");
    r->count = value_number(v, "count");
    r->bits = value_number(v, "bits");
    r->types = value_get(v, "types");
    r->algorithms = value_get(v, "algorithm");
    if (!timestamp_from_record(value_text(v, "first"), &r->first))
        r->first = r->t;
    if (!timestamp_from_record(value_text(v, "last"), &r->last))
        r->last = r->t;
}

/* A line that is no record: the reason for the log, and nothing is kept of it. */
static enum status unusable(struct record *r, enum status s, char *why, const char *text)
{
    if (why && text)
        snprintf(why, 160, "%s", text);
    record_free(r);
    return s;
}

enum status record_parse(struct slice line, struct record *out, char *why)
{
    *out = (struct record){.root = value_parse(line, why)};
    if (!out->root)
        return STATUS_INVALID;
    const char *kind = value_text(out->root, "kind");
    out->version = value_number(out->root, "v");
    if (!value_is_object(out->root) || out->version < 1 || !kind)
        return unusable(out, STATUS_INVALID, why, "no record: \"v\" or \"kind\" is missing");
    if (out->version > JOURNAL_VERSION)
        return unusable(out, STATUS_LIMIT, why, "of a newer version than this program knows");
    if (!timestamp_from_record(value_text(out->root, "t"), &out->t))
        return unusable(out, STATUS_INVALID, why, "\"t\" is no time");
    out->host = value_text(out->root, "host");
    if (!out->host)
        out->host = "";
    out->kind = kind_of(kind);
    if (out->kind == RECORD_MAIL) {
        read_mail(out);
    } else if (out->kind == RECORD_NAMES) {
        read_names(out);
    } else if (out->kind == RECORD_SEGMENT || out->kind == RECORD_END) {
        out->segment = value_text(out->root, "segment");
        out->writer = value_text(out->root, "writer");
        out->program = value_text(out->root, "program");
    } else if (out->kind == RECORD_NOTE) {
        out->note = value_text(out->root, "note");
        out->text = value_text(out->root, "text");
        out->reason = value_text(out->root, "error");
        out->dropped = value_number(out->root, "dropped");
        out->lost = value_number(out->root, "lost");
        if (out->note && strcmp(out->note, "dropped") == 0) { /* the module's own queue */
            out->dropped = value_number(out->root, "count");
            out->reason = value_text(out->root, "reason");
        }
    }
    return STATUS_OK;
}

void record_free(struct record *r)
{
    value_free(r->root);
    *r = (struct record){0};
}

const struct value *record_finding(const struct record *r, const char *standard)
{
    size_t n = value_count(r->findings);
    for (size_t i = 0; i < n && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *f = value_at(r->findings, i);
        const char *s = value_text(f, "standard");
        if (s && strcmp(s, standard) == 0)
            return f;
    }
    return NULL;
}

bool record_is_from_outside(const struct record *r)
{
    return r->source && (strcmp(r->source, "internet") == 0 || strcmp(r->source, "relay") == 0);
}
