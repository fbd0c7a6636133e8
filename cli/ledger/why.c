// SPDX-License-Identifier: BSD-2-Clause
/*
 * why.c - `assay why QUEUE-ID|MESSAGE-ID`: what was decided about one mail, by which line, on what evidence.
 *
 * Promises to find a mail from the moment the milter acknowledged it (in the journals) until ledger.keep-identity is
 * over (in the ledger), and to show every answer of the policy and every finding it stood on. A mail judged in classes
 * is shown once for each. On failure: EX_NOINPUT if no such mail is known, with how long they are kept.
 */
#include "base/utf8.h"
#include "cli/ledger/ledger.h"
#include "journal/journal_read.h"
#include "ledger/timestamp.h"
#include "ledger/record.h"
#include <stdlib.h>

static const struct ledger_usage usage = {
    "QUEUE-ID|MESSAGE-ID [--json]",
    "What was decided about a mail, by which line of the policy, and on what evidence."};

struct why {
    const struct ledger_args *args;
    const char *id;
    char bracketed[1024]; /* the Message-ID with its angle brackets */
    unsigned found;
    bool failed;
};

static void field(struct buf *b, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    buf_printf(b, "  %-12s ", name);
    utf8_add_visible(b, slice_str(value));
    buf_addc(b, '\n');
}

static void head(struct buf *b, const struct record *r)
{
    char when[TIMESTAMP_TEXT], text[96];
    buf_printf(b, "%s%s  %s%s\n", cli_colour(stdout, CLI_BOLD), timestamp_local_text(r->t, when),
               r->id ? r->id : "(no queue-id)", cli_colour(stdout, CLI_PLAIN));
    field(b, "host", r->host);
    field(b, "from", r->from ? r->from : "(no usable From domain)");
    field(b, "MAIL FROM", r->mail_from ? r->mail_from : "<>");
    field(b, "client", r->client);
    field(b, "HELO", r->helo);
    field(b, "Message-ID", r->message_id);
    field(b, "source", r->source);
    field(b, "not judged", r->skipped);
    bool less = strcmp(r->action, r->would) != 0;
    snprintf(text, sizeof text, "%.30s%s%.30s", r->action, less ? ", policy: " : "", less ? r->would : "");
    field(b, "done", text);
    field(b, "because", r->held_back);
    field(b, "by line", r->statement);
    field(b, "reply", r->text);
    field(b, "policy", r->policy);
}

static bool print_lines(const struct record *r)
{
    static const struct table_column columns[] = {
        {"standard", "  Asked"},   {"subject", "Of"},      {"level", "Level"},
        {"result", "Result"},      {"action", "Asks for"}, {"statement", "Line"},
        {"excused", "Excused by"}, {"reason", "Because"},  {NULL, NULL}};
    struct table *t = table_new(columns);
    for (size_t i = 0; i < value_count(r->lines) && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *l = value_at(r->lines, i);
        char name[40];
        snprintf(name, sizeof name, "  %.20s%s", value_text(l, "standard") ? value_text(l, "standard") : "?",
                 value_true(l, "trial") ? " (trial)" : "");
        table_text(t, name);
        table_text(t, value_text(l, "subject"));
        table_text(t, value_text(l, "level"));
        table_text(t, value_text(l, "result"));
        table_text(t, value_text(l, "action"));
        table_text(t, value_text(l, "statement"));
        const char *excused = value_text(l, "exemption") ? value_text(l, "exemption") : value_text(l, "trust");
        table_text(t, excused ? excused : value_text(l, "expired") ? "(expired)" : "");
        table_text(t, value_text(l, "reason"));
    }
    bool ok = table_print(t, TABLE_TEXT, "  The policy was asked nothing.");
    table_free(t);
    return ok;
}

static bool print_findings(const struct record *r)
{
    static const struct table_column columns[] = {{"standard", "  Found"}, {"subject", "Of"},     {"result", "Result"},
                                                  {"security", "DNSSEC"},  {"reason", "Details"}, {NULL, NULL}};
    static const char *const details[] = {"reason", "identity", "mechanism", "selector", "algorithm",
                                          "record", "p",        "applied",   "version",  "cipher"};
    struct table *t = table_new(columns);
    for (size_t i = 0; i < value_count(r->findings) && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *f = value_at(r->findings, i);
        struct buf b = BUF_INIT;
        char name[40];
        snprintf(name, sizeof name, "  %.30s", value_text(f, "standard") ? value_text(f, "standard") : "?");
        for (size_t k = 0; k < sizeof details / sizeof *details; k++) {
            const char *v = value_text(f, details[k]);
            if (v && *v)
                buf_printf(&b, k ? "%s%s=%s" : "%s%.0s%s", b.n ? " " : "", details[k], v);
        }
        if (value_number(f, "bits"))
            buf_printf(&b, "%sbits=%lld", b.n ? " " : "", (long long)value_number(f, "bits"));
        table_text(t, name);
        table_text(t, value_text(f, "subject"));
        table_text(t, value_text(f, "result"));
        table_text(t, value_text(f, "security"));
        table_text(t, b.p);
        buf_release(&b);
    }
    bool ok = table_print(t, TABLE_TEXT, "  Nothing was found.");
    table_free(t);
    return ok;
}

static void show(struct why *w, const char *record)
{
    struct record r;
    if (record_parse(slice_str(record), &r, NULL) != STATUS_OK)
        return;
    w->found++;
    if (w->args->form == TABLE_JSON) {
        puts(record);
    } else {
        struct buf b = BUF_INIT;
        if (w->found > 1)
            buf_addc(&b, '\n');
        head(&b, &r);
        buf_addc(&b, '\n');
        w->failed = !cli_flush(&b) || !print_lines(&r) || putchar('\n') == EOF || !print_findings(&r) || w->failed;
    }
    record_free(&r);
}

static bool is_it(const struct why *w, const struct record *r)
{
    return r->kind == RECORD_MAIL &&
           ((r->id && strcmp(r->id, w->id) == 0) ||
            (r->message_id && (strcmp(r->message_id, w->id) == 0 || strcmp(r->message_id, w->bracketed) == 0)));
}

static void look_in_journals(struct why *w, const struct ledger_config *c)
{
    for (size_t k = 0; k < c->folder_count; k++) {
        struct journal_file *files;
        size_t n;
        if (journal_list(c->folders[k], &files, &n) != STATUS_OK)
            continue;
        for (size_t i = 0; i < n; i++) {
            struct journal_lines l;
            struct slice line;
            off_t after;
            if (journal_lines_open(&l, c->folders[k], files[i].name, 0) != STATUS_OK)
                continue;
            while (journal_lines_next(&l, &line, &after)) {
                struct record r;
                if (record_parse(line, &r, NULL) != STATUS_OK)
                    continue;
                char *copy = is_it(w, &r) ? strndup(line.p, line.n) : NULL;
                record_free(&r);
                if (copy)
                    show(w, copy);
                free(copy);
            }
            journal_lines_close(&l);
        }
        journal_list_free(files, n);
    }
}

static int look_in_store(struct why *w, const struct ledger_config *c)
{
    char words[STORE_ERROR];
    enum status st = STATUS_OK;
    struct store *s = store_open(c->store, STORE_READ, &st, words);
    if (!s && st == STATUS_MISSING)
        return EX_OK;
    if (!s) {
        cli_error("%s", words);
        return EX_TEMPFAIL;
    }
    struct store_rows *r =
        store_ask(s, "SELECT record FROM mail WHERE queue_id = $1 OR message_id = $1 OR message_id = $2 ORDER BY t",
                  "tt", w->id, w->bracketed);
    while (store_next(r))
        if (store_text(r, 0))
            show(w, store_text(r, 0));
    st = store_done(r);
    if (st != STATUS_OK)
        cli_error("%s", store_error(s));
    store_close(s);
    return st == STATUS_OK ? EX_OK : EX_TEMPFAIL;
}

int cmd_why(int argc, char **argv)
{
    struct ledger_args a;
    struct ledger_config c;
    int rc = ledger_args_read(&a, argc, argv, LEDGER_STORE | LEDGER_JOURNAL | LEDGER_JSON, 1, 1, &usage);
    if (rc >= 0)
        return rc;
    const struct policy *p = ledger_settings(&a, &c, &rc);
    if (!p)
        return rc;
    struct why w = {.args = &a, .id = a.words[0]};
    snprintf(w.bracketed, sizeof w.bracketed, "<%s>", w.id);
    rc = look_in_store(&w, &c);
    if (!w.found)
        look_in_journals(&w, &c);
    if (!w.found && rc == EX_OK) {
        cli_error("no mail with queue-id or Message-ID '%s' is known; they are kept for %lld days", w.id,
                  (long long)c.keep_identity / 86400);
        rc = EX_NOINPUT;
    } else if (w.failed) {
        rc = EX_IOERR;
    }
    policy_unref(p);
    return rc;
}
