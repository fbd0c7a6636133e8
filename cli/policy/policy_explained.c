// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_explained.c - `assay policy explained [--json|--csv|--html] [--lang LANGUAGE] [--at DATE] [FILE]`: the
 * register of what is excused.
 *
 * One row for each exemption and standard, each suspension, each trusted forwarder: who, from what, why, agreed by
 * whom, since and through when, and its state on the day: explained, or explained but expired. How often each was used,
 * and whether the domain meets the standard by now, comes from the ledger. As a table for the terminal, as JSON, as CSV
 * (RFC 4180), and as one page of HTML that needs nothing else. Only the page is translated: it says what the report's
 * site says (report/glossary.h).
 */
#include "base/clock.h"
#include "base/domain.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/csv.h"
#include "cli/policy/policy_cmd.h"
#include "cli/policy/policy_ledger.h"
#include "cli/text.h"
#include "ledger/exceptions.h"
#include "ledger/timestamp.h"
#include "report/page.h"
#include "report/glossary.h"
#include <string.h>

struct row {
    const struct policy_statement *statement;
    enum exceptions_state known;
    const char *id, *kind, *standard, *scope, *because, *agreed_by, *ref, *since, *through, *state;
    struct policy_use use;
};

struct listing;
typedef void put_row(struct listing *l, const struct row *r);

struct listing {
    const struct policy *p;
    struct store *store; /* NULL: no ledger to ask */
    time_t at;
    put_row *put;
    struct buf *out;
    struct json json;
    struct page_table table;
};

static void put_csv(struct listing *l, const struct row *r)
{
    char used[24] = "";
    if (r->use.count >= 0)
        snprintf(used, sizeof used, "%lld", (long long)r->use.count);
    const char *const fields[] = {r->id,  r->kind,  r->standard, r->scope, r->because, r->agreed_by,
                                  r->ref, r->since, r->through,  r->state, used,       r->use.last};
    size_t n = sizeof fields / sizeof *fields;
    for (size_t i = 0; i < n; i++) {
        csv_cell(l->out, fields[i]);
        buf_adds(l->out, i + 1 < n ? "," : "\r\n");
    }
}

static void put_json(struct listing *l, const struct row *r)
{
    struct json *j = &l->json;
    json_open(j);
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
    if (r->use.count >= 0)
        json_int(j, "used", r->use.count);
    json_opt(j, "last_used", r->use.last);
    json_end(j);
}

static void put_used(const struct row *r, struct buf *out)
{
    if (r->use.count < 0)
        buf_adds(out, "not known");
    else if (r->use.count == 0)
        buf_adds(out, "never");
    else
        buf_printf(out, "%lld time%s, last on %s", (long long)r->use.count, r->use.count == 1 ? "" : "s", r->use.last);
}

/* A day as the reader's language writes it; text as it is if it is none. */
static const char *day_for_people(const char *text, char out[LANGUAGE_FORM])
{
    int64_t day;
    return timestamp_day_from_text(text, &day) ? language_day(cli_language(), day, out) : text;
}

static void html_used(struct page_table *t, const struct policy_use *use)
{
    char day[LANGUAGE_FORM], count[LANGUAGE_FORM];
    page_cell_open(t, NULL);
    page_isolated(t->out, use->count < 0    ? _("not known")
                          : use->count == 0 ? _("never")
                                            : language_number(cli_language(), use->count, count));
    if (use->count > 0) {
        buf_adds(t->out, " \xc3\x97, ");
        page_isolated(t->out, day_for_people(use->last, day));
    }
    page_cell_close(t);
}

/* "exempted from DANE" */
static void html_what(struct page_table *t, const struct row *r)
{
    page_cell_open(t, NULL);
    page_text(t->out, glossary_kind(cli_language(), r->statement));
    if (*r->standard) {
        const char *text = _(" from {1}"), *place = strstr(text, "{1}");
        buf_printf(t->out, "%.*s", (int)(place - text), text);
        page_isolated(t->out, glossary_standard(cli_language(), standard_from_name(slice_str(r->standard))));
        buf_adds(t->out, place + 3);
    }
    page_cell_close(t);
}

static void put_html(struct listing *l, const struct row *r)
{
    enum language lang = cli_language();
    struct page_table *t = &l->table;
    char since[LANGUAGE_FORM], through[LANGUAGE_FORM];
    page_cell(t, r->scope);
    html_what(t, r);
    page_cell(t, glossary_exception(lang, r->known));
    page_cell(t, r->because);
    page_cell_open(t, NULL);
    page_isolated(t->out, r->agreed_by);
    if (r->ref) {
        buf_adds(t->out, "<br>");
        page_isolated(t->out, r->ref);
    }
    page_cell_close(t);
    page_cell(t, day_for_people(r->since, since));
    page_cell(t, day_for_people(r->through, through));
    html_used(t, &r->use);
}

static void put_text(struct listing *l, const struct row *r)
{
    struct buf *out = l->out;
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
    buf_adds(out, "\n    used: ");
    put_used(r, out);
    buf_printf(out, "\n    %s\n\n", r->id);
}

/* The state on the day; what the ledger cannot say is left out. */
static const char *state_of(const struct listing *l, const struct policy_statement *s, const char *standard,
                            enum exceptions_state *state)
{
    static const char *const words[EXCEPTIONS_STATES] = {
        [EXCEPTIONS_EXPLAINED] = "explained",
        [EXCEPTIONS_APPLIED] = "applied",
        [EXCEPTIONS_ENDED] = "explained but expired",
        [EXCEPTIONS_ENDED_NOT_APPLIED] = "explained but expired, not applied",
        [EXCEPTIONS_COULD_NOT_TEST] = "could not test",
    };
    if (exceptions_state(l->store, s, standard, l->at, state) != STATUS_OK)
        cli_error("the ledger cannot be asked about %s: %s", s->id, store_error(l->store));
    return words[*state];
}

static void put_one(struct listing *l, const struct policy_statement *s, struct row *r, const char *standard)
{
    r->standard = standard ? standard : "";
    r->statement = s;
    r->state = state_of(l, s, r->standard, &r->known);
    r->use = (struct policy_use){.count = -1};
    if (s->kind != POLICY_SUSPEND)
        policy_ledger_use(l->store, l->p, s, standard, &r->use);
    l->put(l, r);
}

/* One row for a suspension or a trust; one for each standard of an exemption. */
static size_t put_statement(struct listing *l, const struct policy_statement *s)
{
    char since[POLICY_DAY_TEXT] = "", through[POLICY_DAY_TEXT];
    struct buf scope = BUF_INIT;
    size_t n = 0;
    policy_scope(s, true, &scope);
    if (s->since)
        policy_day_text(s->since, since);
    policy_day_text(s->until - 43200, through);
    struct row r = {.id = s->id, .scope = scope.p, .because = s->because, .agreed_by = s->agreed_by, .ref = s->ref};
    r.since = since;
    r.through = through;
    r.kind = s->kind == POLICY_EXEMPT  ? "exemption"
             : s->kind == POLICY_TRUST ? "trusted forwarder"
                                       : "suspended validation";
    if (s->kind != POLICY_EXEMPT) {
        put_one(l, s, &r, NULL);
        n = 1;
    }
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT && s->kind == POLICY_EXEMPT; i++) {
        if (!(s->standards & POLICY_BIT(i)))
            continue;
        put_one(l, s, &r, standard_name((enum standard)i));
        n++;
    }
    buf_release(&scope);
    return n;
}

static size_t put_all(struct listing *l, put_row *put)
{
    const struct policy_statement *s;
    size_t rows = 0;
    l->put = put;
    for (size_t i = 0; (s = policy_statement_at(l->p, i)); i++)
        if (exceptions_is_one(s))
            rows += put_statement(l, s);
    return rows;
}

static void put_paragraph(struct buf *out, const char *text)
{
    buf_adds(out, "<p>");
    page_isolated(out, text);
    buf_adds(out, "</p>\n");
}

static void put_page(struct listing *l)
{
    const char *const head[] = {_("For whom"), _("What"),    _("State"), _("Because"), _("Agreed to by"),
                                _("Since"),    _("Through"), _("Used"),  NULL};
    char text[POLICY_DAY_TEXT], day[LANGUAGE_FORM];
    struct buf *out = l->out;
    page_begin(out, cli_language(), _("The register"), _("The register"));
    put_paragraph(out, *policy_title(l->p) ? policy_title(l->p) : _("Mail and DNS"));
    buf_printf(out, "<p><bdi>%s</bdi> \xc2\xb7 %s <bdi>%s</bdi>", day_for_people(policy_day_text(l->at, text), day),
               _("policy"), policy_hash(l->p));
    if (*policy_owner(l->p)) {
        buf_adds(out, " \xc2\xb7 ");
        page_isolated(out, policy_owner(l->p));
    }
    buf_adds(out, "</p>\n");
    put_paragraph(out,
                  _("Apply or explain: who cannot meet a standard yet gets an exception with a reason, an end, and "
                    "the name of whoever agreed. It stands here, and it ends by itself."));
    put_paragraph(out,
                  _("What has ended is no longer in force; it stays here until it is taken out of the policy. Met by "
                    "now: all mail of the last 30 days met the standard, so that the exception can go."));
    size_t before = out->n;
    page_table(&l->table, out, _("Exceptions by state"), head);
    if (put_all(l, put_html) == 0) {
        buf_cut(out, before);
        put_paragraph(out, _("There is no exception."));
    } else {
        page_table_end(&l->table);
    }
    page_end(out);
}

static void put_form(struct listing *l, const struct policy_args *a)
{
    struct buf *out = l->out;
    if (a->json) {
        json_open_array(&l->json, NULL);
        put_all(l, put_json);
        json_end(&l->json);
        buf_addc(out, '\n');
    } else if (a->csv) {
        buf_adds(out, "id,kind,standard,scope,because,agreed by,ref,since,through,state,used,last used\r\n");
        put_all(l, put_csv);
    } else if (a->html) {
        put_page(l);
    } else if (put_all(l, put_text) == 0) {
        buf_adds(out, "Nothing is excused: no exemption, no suspension, no trusted forwarder.\n");
    }
}

int policy_cmd_explained(int argc, char **argv)
{
    static const struct policy_usage usage = {
        "[--json|--csv|--html] [--lang LANGUAGE] [--at DATE] [FILE]",
        "The register of exemptions, suspensions and trusted forwarders: what is excused, why, agreed by whom, until "
        "when, and, where there is a ledger, how often each was used and whether it is still needed."};
    struct policy_args a;
    struct buf b = BUF_INIT;
    int rc = policy_args_read(&a, &usage, argc, argv,
                              POLICY_ARG_JSON | POLICY_ARG_CSV | POLICY_ARG_HTML | POLICY_ARG_AT | POLICY_ARG_FILE |
                                  POLICY_ARG_LANG);
    if (rc >= 0)
        return rc;
    if (a.json + a.csv + a.html > 1)
        return cli_usage("--json, --csv and --html do not go together");
    if (a.html)
        cli_speak(&a.lang, false);
    struct policy *p = cli_load_policy(a.file, &rc);
    if (!p)
        return rc;
    struct listing l = {
        .p = p, .store = policy_ledger_open(p), .at = a.at ? a.at : clock_wall(), .out = &b, .json = JSON_INTO(&b)};
    put_form(&l, &a);
    bool ok = cli_flush(&b);
    store_close(l.store);
    policy_unref(p);
    return ok ? EX_OK : EX_SOFTWARE;
}
