// SPDX-License-Identifier: BSD-2-Clause
/*
 * why_print.c - shows one mail for `assay why`: the envelope, every answer of the policy, every finding.
 *
 * Promises that text of a sender is made harmless for the terminal. On failure: false, after a message.
 */
#include "base/utf8.h"
#include "cli/ledger/why.h"
#include "ledger/timestamp.h"

const char *why_reference(const struct record *r)
{
    return value_text(r->root, "reference");
}

static void field(struct buf *b, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    buf_printf(b, "  %-12s ", name);
    utf8_add_visible(b, slice_str(value));
    buf_addc(b, '\n');
}

static void envelope(struct buf *b, const struct record *r)
{
    char when[TIMESTAMP_TEXT], text[96];
    buf_printf(b, "%s%s  %s%s\n", cli_colour(stdout, CLI_BOLD), timestamp_local_text(r->t, when),
               r->id ? r->id : "(no queue-id)", cli_colour(stdout, CLI_PLAIN));
    field(b, "host", r->host);
    field(b, "reference", why_reference(r));
    field(b, "from", r->from ? r->from : "(no usable From domain)");
    field(b, "MAIL FROM", r->mail_from ? r->mail_from : "<>");
    field(b, "client", r->client);
    field(b, "HELO", r->helo);
    field(b, "Message-ID", r->message_id);
    struct buf to = BUF_INIT;
    for (size_t i = 0; i < value_count(r->rcpt_domains) && i < WHY_DOMAINS; i++)
        buf_printf(&to, "%s%s", i ? ", " : "", value_text_at(r->rcpt_domains, i));
    field(b, "to", to.p);
    buf_release(&to);
    field(b, "source", r->source);
    field(b, "not judged", r->skipped);
    if (r->not_believed) {
        struct buf relay = BUF_INIT;
        buf_printf(&relay, "not believed: %s", r->not_believed);
        field(b, "its relay's verdict", relay.p);
        buf_release(&relay);
    }
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
        const char *asked = r->skipped ? "own-from" : value_text(l, "standard"); /* verdict.h, `skipped` */
        snprintf(name, sizeof name, "  %.20s%s", asked ? asked : "?", value_true(l, "trial") ? " (trial)" : "");
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
    bool ok = table_print(t, TABLE_TEXT, "  The policy was not asked.");
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

bool why_print(const struct record *r)
{
    struct buf b = BUF_INIT;
    envelope(&b, r);
    buf_addc(&b, '\n');
    return cli_flush(&b) && print_lines(r) && putchar('\n') != EOF && print_findings(r);
}
