// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_in.c - SMTP TLS reports (RFC 8460 section 4), which reader a text needs, and reports into the store.
 *
 * Promises that a report is stored wholly or not at all, and once: its sender's name, identifier and domain are its
 * key. On failure the words say what is wrong with it.
 */
#include "feedback/report_in.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "ledger/timestamp.h"
#include "ledger/value.h"
#include <stdio.h>

static enum status complain(char *why, enum status st, const char *text)
{
    snprintf(why, 200, "%s", text);
    return st;
}

static const char *keep(struct arena *a, const char *text)
{
    size_t n = text ? strnlen(text, REPORT_IN_FIELD) : 0;
    const char *copy = arena_copy(a, text ? text : "", n);
    return copy ? copy : "";
}

static int64_t seconds_of(const char *text)
{
    int64_t t = 0;
    return text && timestamp_from_record(text, &t) ? t / TIMESTAMP_SECOND : 0;
}

/* One policy: a row for what went well, one for each kind of failure. */
static void read_tls_policy(struct arena *a, const struct value *p, struct report_in *out, size_t room)
{
    const struct value *policy = value_get(p, "policy"), *summary = value_get(p, "summary"),
                       *failures = value_get(p, "failure-details");
    const char *type = keep(a, value_text(policy, "policy-type")),
               *domain = keep(a, value_text(policy, "policy-domain"));
    if (!*out->domain)
        out->domain = domain;
    int64_t good = value_number(summary, "total-successful-session-count");
    if (good > 0 && out->row_count < room)
        out->rows[out->row_count++] = (struct report_in_row){.source = "",
                                                             .result = "pass",
                                                             .dkim = "",
                                                             .spf = "",
                                                             .header_from = domain,
                                                             .detail = type,
                                                             .count = good};
    for (size_t i = 0; i < value_count(failures) && out->row_count < room; i++) {
        const struct value *f = value_at(failures, i);
        const char *source = value_text(f, "sending-mta-ip"), *mx = value_text(f, "receiving-mx-hostname");
        int64_t n = value_number(f, "failed-session-count");
        out->rows[out->row_count++] = (struct report_in_row){
            .source = keep(a, source),
            .result = keep(a, value_text(f, "result-type")),
            .dkim = "",
            .spf = "",
            .header_from = domain,
            .count = n > 0 ? n : 1,
            .detail = keep(a, arena_printf(a, "%.40s%s%.253s", type, mx ? " " : "", mx ? mx : ""))};
    }
}

enum status report_in_parse_tls(struct arena *a, struct slice json, struct report_in *out, char *why)
{
    char error[160];
    *out = (struct report_in){.kind = REPORT_IN_TLS, .org = "", .id = "", .domain = "", .policy = ""};
    struct value *v = value_parse(json, error);
    if (!v) {
        snprintf(why, 200, "%s", error);
        return STATUS_INVALID;
    }
    const struct value *range = value_get(v, "date-range"), *policies = value_get(v, "policies");
    out->org = keep(a, value_text(v, "organization-name"));
    out->id = keep(a, value_text(v, "report-id"));
    out->begin = seconds_of(value_text(range, "start-datetime"));
    out->end = seconds_of(value_text(range, "end-datetime"));
    size_t room = 0;
    for (size_t i = 0; i < value_count(policies) && room < REPORT_IN_ROWS; i++)
        room += 1 + value_count(value_get(value_at(policies, i), "failure-details"));
    out->rows = ARENA_ARRAY(a, struct report_in_row, room ? room : 1);
    for (size_t i = 0; out->rows && i < value_count(policies); i++)
        read_tls_policy(a, value_at(policies, i), out, room);
    value_free(v);
    if (arena_failed(a) || !out->rows)
        return complain(why, STATUS_NOMEM, "out of memory");
    if (!*out->org || !*out->id || !*out->domain)
        return complain(why, STATUS_INVALID, "organization-name, report-id or policy-domain is missing");
    return STATUS_OK;
}

enum status report_in_parse(struct arena *a, struct slice text, struct report_in *out, char *why)
{
    text = slice_trim(text);
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
        text = slice_trim(slice_from(text, 3));
    if (text.n && text.p[0] == '<')
        return report_in_parse_dmarc(a, text, out, why);
    if (text.n && text.p[0] == '{')
        return report_in_parse_tls(a, text, out, why);
    return complain(why, STATUS_INVALID, "it is neither XML (a DMARC report) nor JSON (a TLS report)");
}

static enum status store_row(struct store *s, const struct report_in *r, const char *kind, size_t i)
{
    const struct report_in_row *w = &r->rows[i];
    return store_run(s, NULL,
                     "INSERT INTO report_in_row (kind, org, report_id, domain, row, source, result, dkim, spf, "
                     "header_from, detail, count) VALUES "
                     "($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)",
                     "ttttittttt"
                     "ti",
                     kind, r->org, r->id, r->domain, (int64_t)i, w->source, w->result, w->dkim, w->spf, w->header_from,
                     w->detail, w->count);
}

enum status report_in_store(struct store *s, const struct report_in *r, const char *file, bool *fresh)
{
    const char *kind = r->kind == REPORT_IN_DMARC ? "dmarc" : "tls";
    int64_t changed = 0;
    enum status st = store_begin(s);
    if (st == STATUS_OK)
        st = store_run(s, &changed,
                       "INSERT INTO report_in (kind, org, report_id, domain, begins, ends, policy, file, taken) VALUES "
                       "($1,$2,$3,$4,$5,$6,$7,$8,$9) "
                       "ON CONFLICT (kind, org, report_id, domain) DO NOTHING",
                       "ttttiitti", kind, r->org, r->id, r->domain, r->begin, r->end, r->policy, file, clock_wall_us());
    *fresh = changed == 1;
    for (size_t i = 0; st == STATUS_OK && *fresh && i < r->row_count; i++)
        st = store_row(s, r, kind, i);
    if (st == STATUS_OK)
        st = store_commit(s);
    if (st != STATUS_OK)
        store_rollback(s);
    return st;
}
