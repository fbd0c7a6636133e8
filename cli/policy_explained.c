// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_explained.c - `assay policy explained [--json|--csv|--html] [--at DATE] [FILE]`: the register of what is
 * excused.
 *
 * One row for each exemption and standard, each suspension, each trusted forwarder: who, from what, why, agreed by
 * whom, since and through when, and its state on the day: explained, or explained but expired. How often each was used,
 * and whether the domain meets the standard by now, is the ledger's to say. As a table for the terminal, as JSON, as
 * CSV (RFC 4180), and as one page of HTML that needs nothing else.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/policy_cmd.h"

struct row {
    const char *id, *kind, *standard, *scope, *because, *agreed_by, *ref, *since, *through, *state;
};

typedef void put_row(struct buf *out, struct json *j, const struct row *r);

static void party_text(const struct policy_party *p, struct buf *out)
{
    char text[LIMIT_DOMAIN * 4];
    switch (p->kind) {
    case POLICY_EVERYONE:
        buf_adds(out, "everyone");
        break;
    case POLICY_NETWORK:
        buf_adds(out, ip_net_text(&p->net, text));
        break;
    case POLICY_IN_LIST:
        buf_printf(out, "list %s", p->name);
        break;
    case POLICY_ONLY:
        buf_printf(out, "only %s", domain_to_unicode(p->name, text, sizeof text));
        break;
    case POLICY_DOMAIN:
        buf_adds(out, domain_to_unicode(p->name, text, sizeof text));
        break;
    default:
        buf_adds(out, p->name);
    }
}

static void scope_text(const struct policy_statement *s, struct buf *out)
{
    party_text(&s->who, out);
    if (s->whom.kind) {
        buf_adds(out, " writing to ");
        party_text(&s->whom, out);
    }
    if (s->via.kind) {
        buf_adds(out, " via ");
        party_text(&s->via, out);
    }
    if (s->signed_by)
        buf_printf(out, " signed by %s", s->signed_by);
}

static void csv_field(struct buf *out, const char *text, const char *end)
{
    /* A spreadsheet would run a cell that begins so as a formula. */
    bool formula = text && *text && strchr("=+-@", *text);
    buf_adds(out, formula ? "\"'" : "\"");
    for (; text && *text; text++) {
        if (*text == '"')
            buf_addc(out, '"');
        buf_addc(out, *text);
    }
    buf_addc(out, '"');
    buf_adds(out, end);
}

static void put_csv(struct buf *out, struct json *j, const struct row *r)
{
    const char *const fields[] = {r->id,        r->kind, r->standard, r->scope,   r->because,
                                  r->agreed_by, r->ref,  r->since,    r->through, r->state};
    size_t n = sizeof fields / sizeof *fields;
    for (size_t i = 0; i < n; i++)
        csv_field(out, fields[i], i + 1 < n ? "," : "\r\n");
}

static void put_json(struct buf *out, struct json *j, const struct row *r)
{
    json_object(j);
    json_str(j, "id", r->id);
    json_str(j, "kind", r->kind);
    json_opt(j, "standard", r->standard);
    json_str(j, "scope", r->scope);
    json_str(j, "because", r->because);
    json_str(j, "agreed_by", r->agreed_by);
    json_opt(j, "ref", r->ref);
    json_opt(j, "since", r->since);
    json_str(j, "through", r->through);
    json_str(j, "state", r->state);
    json_end(j);
}

static void html_text(struct buf *out, const char *text)
{
    for (; text && *text; text++) {
        switch (*text) {
        case '<':
            buf_adds(out, "&lt;");
            break;
        case '>':
            buf_adds(out, "&gt;");
            break;
        case '&':
            buf_adds(out, "&amp;");
            break;
        case '"':
            buf_adds(out, "&quot;");
            break;
        default:
            buf_addc(out, *text);
        }
    }
}

static void html_cell(struct buf *out, const char *text)
{
    buf_adds(out, "<td>");
    html_text(out, text && *text ? text : "\xe2\x80\x93");
    buf_adds(out, "</td>");
}

static void put_html(struct buf *out, struct json *j, const struct row *r)
{
    buf_printf(out, "<tr%s>", strcmp(r->state, "explained") ? " class=\"ended\"" : "");
    html_cell(out, r->kind);
    html_cell(out, r->standard);
    html_cell(out, r->scope);
    html_cell(out, r->because);
    html_cell(out, r->agreed_by);
    html_cell(out, r->since);
    html_cell(out, r->through);
    html_cell(out, r->state);
    buf_adds(out, "</tr>\n");
}

static void put_text(struct buf *out, struct json *j, const struct row *r)
{
    buf_printf(out, "%s%s%s  %s", r->kind, *r->standard ? " from " : "", r->standard, r->scope);
    buf_printf(out, "\n    %s, through %s%s%s\n    because ", r->state, r->through, *r->since ? ", since " : "",
               r->since);
    utf8_add_visible(out, slice_str(r->because));
    buf_adds(out, "\n    agreed by ");
    utf8_add_visible(out, slice_str(r->agreed_by));
    if (r->ref) {
        buf_adds(out, "\n    ref ");
        utf8_add_visible(out, slice_str(r->ref));
    }
    buf_printf(out, "\n    %s\n\n", r->id);
}

/* One row for a suspension or a trust; one for each standard of an exemption. */
static size_t put_statement(const struct policy_statement *s, time_t at, put_row *put, struct buf *out, struct json *j)
{
    char since[POLICY_DAY_TEXT] = "", through[POLICY_DAY_TEXT];
    struct buf scope = BUF_INIT;
    size_t n = 0;
    scope_text(s, &scope);
    if (s->since)
        policy_day_text(s->since, since);
    policy_day_text(s->until - 43200, through);
    struct row r = {.id = s->id,
                    .scope = scope.p,
                    .because = s->because,
                    .agreed_by = s->agreed_by,
                    .ref = s->ref,
                    .since = since,
                    .through = through,
                    .standard = ""};
    r.kind = s->kind == POLICY_EXEMPT  ? "exemption"
             : s->kind == POLICY_TRUST ? "trusted forwarder"
                                       : "suspended validation";
    r.state = s->until <= at ? "explained but expired" : "explained";
    if (s->kind != POLICY_EXEMPT) {
        put(out, j, &r);
        n = 1;
    }
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT && s->kind == POLICY_EXEMPT; i++) {
        if (!(s->standards & POLICY_BIT(i)))
            continue;
        r.standard = standard_name((enum standard)i);
        put(out, j, &r);
        n++;
    }
    buf_release(&scope);
    return n;
}

static size_t put_all(const struct policy *p, time_t at, put_row *put, struct buf *out, struct json *j)
{
    const struct policy_statement *s;
    size_t rows = 0;
    for (size_t i = 0; (s = policy_statement_at(p, i)); i++)
        if (s->kind == POLICY_EXEMPT || s->kind == POLICY_TRUST || s->kind == POLICY_SUSPEND)
            rows += put_statement(s, at, put, out, j);
    return rows;
}

static const char html_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Apply or explain</title>\n"
    "<style>body{font:11pt/1.4 sans-serif;margin:2em;color:#222}table{border-collapse:collapse;width:100%}"
    "th,td{border-bottom:1px solid #bbb;padding:.4em "
    ".6em;text-align:left;vertical-align:top}thead{display:table-header-group}"
    "tr.ended{color:#a00}tr{break-inside:avoid}caption{text-align:left;padding-bottom:.6em}</style></head><body>\n";

static void put_page(const struct policy *p, time_t at, struct buf *out)
{
    char day[POLICY_DAY_TEXT];
    buf_adds(out, html_head);
    buf_adds(out, "<h1>Apply or explain</h1>\n<p>");
    html_text(out, *policy_title(p) ? policy_title(p) : "Policy for mail and DNS");
    if (*policy_owner(p)) {
        buf_adds(out, ", kept by ");
        html_text(out, policy_owner(p));
    }
    buf_printf(out,
               ". As of %s; policy %s.</p>\n<p>Every exception to the security standards this organisation insists on: "
               "what is excused, why, "
               "who agreed, and until when. An exception that has ended is in force no more; it stays in this register "
               "until it is taken out of "
               "the policy.</p>\n<table><thead><tr><th>What</th><th>Standard</th><th>For "
               "whom</th><th>Because</th><th>Agreed by</th>"
               "<th>Since</th><th>Through</th><th>State</th></tr></thead><tbody>\n",
               policy_day_text(at, day), policy_hash(p));
    if (put_all(p, at, put_html, out, NULL) == 0)
        buf_adds(out, "<tr><td colspan=\"8\">Nothing is excused.</td></tr>\n");
    buf_adds(out, "</tbody></table>\n</body></html>\n");
}

int policy_cmd_explained(int argc, char **argv)
{
    static const struct policy_usage usage = {"explained [--json|--csv|--html] [--at DATE] [FILE]",
                                              "The register of exemptions, suspensions and trusted forwarders: what is "
                                              "excused, why, agreed by whom, until when."};
    struct policy_args a;
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    int rc = policy_args_read(&a, &usage, argc, argv,
                              POLICY_ARG_JSON | POLICY_ARG_CSV | POLICY_ARG_HTML | POLICY_ARG_AT | POLICY_ARG_FILE);
    if (rc >= 0)
        return rc;
    if (a.json + a.csv + a.html > 1)
        return cli_usage("--json, --csv and --html do not go together");
    struct policy *p = policy_cmd_load(a.file, &rc);
    if (!p)
        return rc;
    time_t at = a.at ? a.at : clock_wall();
    if (a.json) {
        json_array(&j, NULL);
        put_all(p, at, put_json, &b, &j);
        json_end(&j);
        buf_addc(&b, '\n');
    } else if (a.csv) {
        buf_adds(&b, "id,kind,standard,scope,because,agreed by,ref,since,through,state\r\n");
        put_all(p, at, put_csv, &b, NULL);
    } else if (a.html) {
        put_page(p, at, &b);
    } else if (put_all(p, at, put_text, &b, NULL) == 0) {
        buf_adds(&b, "Nothing is excused: no exemption, no suspension, no trusted forwarder.\n");
    }
    bool ok = cli_flush(&b);
    policy_unref(p);
    return ok ? EX_OK : EX_SOFTWARE;
}
