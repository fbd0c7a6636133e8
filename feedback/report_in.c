// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_in.c - parses SMTP TLS reports (RFC 8460 section 4), chooses the parser for a text, and stores reports.
 *
 * Promises that a report is stored completely or not at all, and once: its sender's name, identifier and domain are its
 * key. On failure the error text says what is wrong with it.
 */
#include "feedback/report_in.h"
#include "feedback/report_fields.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/domain.h"
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

/* A number as such or as a text; 0 if it is missing or null. What is neither, or not believable, is named. */
static int64_t count_of(const struct value *object, const char *key, struct report_in *out)
{
    const struct value *v = value_get(object, key);
    const char *text = value_text(object, key);
    int64_t n = value_number(object, key);
    if (!v || value_is_null(v) || (text && strcmp(text, "0") == 0))
        return 0;
    if (value_is_integer(v) ? n >= 0 && n <= REPORT_COUNT_MAX : report_field_count(text, &n))
        return n;
    out->partial = "a row is left out, its number of sessions is no whole number from 0 to 1,000,000,000";
    return 0;
}

/* The domain as it is kept among those of the report. NULL: too many, or no memory. */
static const char *domain_of(struct arena *a, struct report_in *out, const char *domain)
{
    for (size_t i = 0; i < out->domain_count; i++)
        if (strcmp(out->domains[i], domain) == 0)
            return out->domains[i];
    const char *copy = out->domain_count < REPORT_IN_DOMAINS ? arena_strdup(a, domain) : NULL;
    if (copy)
        out->domains[out->domain_count++] = copy;
    return copy;
}

/* Some senders write a single entry without the array around it. */
static size_t entries(const struct value *list)
{
    return value_is_object(list) ? 1 : value_count(list);
}

/* One policy: a row for what went well, one for each kind of failure; where those are not known, one for their sum. */
static void read_tls_policy(struct arena *a, const struct value *p, const char *domain, struct report_in *out,
                            size_t room)
{
    const struct value *policy = value_get(p, "policy"), *summary = value_get(p, "summary"),
                       *failures = value_get(p, "failure-details");
    const char *type = keep(a, value_text(policy, "policy-type"));
    int64_t good = count_of(summary, "total-successful-session-count", out),
            bad = count_of(summary, "total-failure-session-count", out);
    size_t failure_count = entries(failures);
    struct report_in_row row = {.source = "", .dkim = "", .spf = "", .header_from = domain, .detail = type};
    if (good > 0 && out->row_count < room) {
        row.result = "pass";
        row.count = good;
        out->rows[out->row_count++] = row;
    }
    for (size_t i = 0; i < failure_count && out->row_count < room; i++) {
        const struct value *f = value_is_object(failures) ? failures : value_at(failures, i);
        const char *mx = value_text(f, "receiving-mx-hostname");
        row.source = keep(a, value_text(f, "sending-mta-ip"));
        row.result = keep(a, value_text(f, "result-type"));
        row.count = count_of(f, "failed-session-count", out);
        row.detail = keep(a, arena_printf(a, "%.40s%s%.253s", type, mx ? " " : "", mx ? mx : ""));
        if (row.count == 0)
            out->partial = out->partial ? out->partial : "a failure without a number of sessions is left out";
        else
            out->rows[out->row_count++] = row;
    }
    if (failure_count == 0 && bad > 0 && out->row_count < room) {
        row.source = "";
        row.result = "failure";
        row.count = bad;
        row.detail = type;
        out->rows[out->row_count++] = row;
    }
}

/* The line of the i-th such key, from 0: a tree of JSON has no lines. */
static unsigned long line_of_key(struct slice json, const char *key, size_t i)
{
    unsigned long line = 1;
    for (struct slice s = json; s.n; s = slice_from(s, 1)) {
        if (s.p[0] == '\n')
            line++;
        else if (s.p[0] == '"' && s.n >= strlen(key) && memcmp(s.p, key, strlen(key)) == 0 && i-- == 0)
            break;
    }
    return line;
}

/* All policies. One without a domain is left out; what is no domain makes the whole no report. */
static enum status read_tls_policies(struct arena *a, const struct value *policies, struct slice json,
                                     struct report_in *out, char *why)
{
    size_t room = 0;
    for (size_t i = 0; i < value_count(policies) && room < REPORT_IN_ROWS; i++)
        room += 2 + entries(value_get(value_at(policies, i), "failure-details"));
    out->rows = ARENA_ARRAY(a, struct report_in_row, room ? room : 1);
    out->domains = ARENA_ARRAY(a, const char *, REPORT_IN_DOMAINS);
    for (size_t i = 0; out->rows && out->domains && i < value_count(policies); i++) {
        const struct value *p = value_at(policies, i);
        const char *text = value_text(value_get(p, "policy"), "policy-domain"), *domain;
        char name[LIMIT_DOMAIN + 1];
        if (!text || !*text) {
            out->partial = "a policy without a policy-domain is left out";
            continue;
        }
        if (domain_from_text(slice_trim(slice_str(text)), name) != STATUS_OK) {
            snprintf(why, 200, "the policy-domain of policy %zu, in line %lu, is no domain name", i + 1,
                     line_of_key(json, "\"policy-domain\"", i));
            return STATUS_INVALID;
        }
        if (!(domain = domain_of(a, out, name)))
            return complain(why, arena_failed(a) ? STATUS_NOMEM : STATUS_LIMIT,
                            arena_failed(a) ? "out of memory" : "its policies are about more domains than are read");
        read_tls_policy(a, p, domain, out, room);
    }
    if (out->domain_count)
        out->domain = out->domains[0];
    return STATUS_OK;
}

enum status report_in_about(struct arena *a, const struct report_in *whole, size_t i, struct report_in *out)
{
    if (i >= (whole->domains ? whole->domain_count : 1))
        return STATUS_MISSING;
    *out = *whole;
    if (!whole->domains || whole->domain_count == 1)
        return STATUS_OK;
    out->domain = whole->domains[i];
    out->domains = NULL;
    out->domain_count = out->row_count = 0;
    out->rows = ARENA_ARRAY(a, struct report_in_row, whole->row_count ? whole->row_count : 1);
    if (!out->rows)
        return STATUS_NOMEM;
    for (size_t k = 0; k < whole->row_count; k++)
        if (whole->rows[k].header_from == out->domain) /* the same copy: domain_of */
            out->rows[out->row_count++] = whole->rows[k];
    return STATUS_OK;
}

static enum status report_in_parse_tls(struct arena *a, struct slice json, struct report_in *out, char *why)
{
    char error[160];
    *out = (struct report_in){
        .kind = REPORT_IN_TLS, .proof = REPORT_IN_UNKNOWN, .org = "", .id = "", .domain = "", .policy = ""};
    if (json.n > REPORT_IN_JSON)
        return complain(why, STATUS_LIMIT, "the report is larger than is read");
    struct value *v = value_parse(json, error);
    if (!v) {
        snprintf(why, 200, "%s", error);
        return STATUS_INVALID;
    }
    const struct value *range = value_get(v, "date-range"), *policies = value_get(v, "policies");
    const char *contact = value_text(v, "contact-info"), *at = contact ? strrchr(contact, '@') : NULL;
    out->org = keep(a, value_text(v, "organization-name"));
    out->org = *out->org || !at ? out->org : keep(a, at + 1);
    out->contact = contact ? keep(a, contact) : NULL;
    out->id = keep(a, value_text(v, "report-id"));
    bool dated = report_field_moment(value_text(range, "start-datetime"), &out->begin) &&
                 report_field_moment(value_text(range, "end-datetime"), &out->end);
    enum status st = read_tls_policies(a, policies, json, out, why);
    value_free(v);
    if (st != STATUS_OK)
        return st;
    if (!*out->id && dated)
        out->id = arena_printf(a, "none-%lld-%lld", (long long)out->begin, (long long)out->end);
    if (arena_failed(a) || !out->rows || !out->domains)
        return complain(why, STATUS_NOMEM, "out of memory");
    if (!*out->org || !*out->domain)
        return complain(why, STATUS_INVALID, "organization-name (and contact-info) or policy-domain is missing");
    return dated ? STATUS_OK : complain(why, STATUS_INVALID, "its date-range is missing, or is not a time of a report");
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

static enum status store_row(struct store *s, const struct report_in *r, const char *kind, const char *id, size_t i)
{
    const struct report_in_row *w = &r->rows[i];
    return store_run(s, NULL,
                     "INSERT INTO report_in_row (kind, org, report_id, domain, row, source, result, dkim, spf, "
                     "header_from, detail, count) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)",
                     "ttttitttttti", kind, r->org, id, r->domain, (int64_t)i, w->source, w->result, w->dkim, w->spf,
                     w->header_from, w->detail, w->count);
}

/* A repeat has the same sender (in any case), identifier and range. One with the same identifier and another range is
 * another report: `id` then gets the range. */
static enum status find_same(struct store *s, const struct report_in *r, const char *kind, char *id, size_t size,
                             bool *repeat)
{
    int64_t same = 0, like = 0;
    enum status st =
        store_ask_number(s, 0, &same,
                         "SELECT count(*) FROM report_in WHERE kind = $1 AND lower(org) = lower($2) AND "
                         "(report_id = $3 OR report_id = $4) AND domain = $5 AND begins = $6 AND ends = $7",
                         "tttttii", kind, r->org, r->id, id, r->domain, r->begin, r->end);
    if (st == STATUS_OK)
        st = store_ask_number(
            s, 0, &like,
            "SELECT count(*) FROM report_in WHERE kind = $1 AND org = $2 AND report_id = $3 AND domain = "
            "$4",
            "tttt", kind, r->org, r->id, r->domain);
    *repeat = same > 0;
    if (!like)
        snprintf(id, size, "%s", r->id);
    return st;
}

/* Whether its sender's day has room for it. */
static enum status find_room(struct store *s, const struct report_in *r, const char *sender, bool *room)
{
    int64_t today = timestamp_day(clock_wall_us()) * TIMESTAMP_DAY;
    struct store_rows *q =
        store_ask(s,
                  "SELECT count(*), CAST(sum(octets) AS BIGINT) FROM report_in WHERE sender = $1 AND "
                  "taken >= $2 AND authenticated = $3",
                  "tii", sender, today, (int64_t)r->proof);
    *room = store_next(q) && store_number(q, 0) < REPORT_IN_DAY_REPORTS &&
            store_number(q, 1) + (int64_t)r->octets <= REPORT_IN_DAY_OCTETS;
    return store_done(q);
}

enum status report_in_store(struct store *s, const struct report_in *r, const char *file, bool *fresh)
{
    const char *kind = r->kind == REPORT_IN_DMARC ? "dmarc" : "tls";
    char id[REPORT_IN_FIELD + 64];
    /* What nobody has proved is no sender's, or a stranger could use up the day of another. */
    const char *sender = r->proof == REPORT_IN_PROVED && r->sender ? r->sender : "";
    bool repeat = false, room = true;
    snprintf(id, sizeof id, "%s (%lld-%lld)", r->id, (long long)r->begin, (long long)r->end);
    enum status st = store_begin(s);
    if (st == STATUS_OK)
        st = find_same(s, r, kind, id, sizeof id, &repeat);
    *fresh = st == STATUS_OK && !repeat;
    if (*fresh && r->by_mail) {
        st = find_room(s, r, sender, &room);
        *fresh = st == STATUS_OK && room;
    }
    if (*fresh)
        st =
            store_run(s, &(int64_t){0},
                      "INSERT INTO report_in (kind, org, report_id, domain, begins, ends, policy, file, taken, ours, "
                      "partial, authenticated, sender, octets) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14) "
                      "ON CONFLICT (kind, org, report_id, domain) DO "
                      "NOTHING",
                      "ttttiittiititi", kind, r->org, id, r->domain, r->begin, r->end, r->policy, file, clock_wall_us(),
                      (int64_t)!r->others, r->partial ? r->partial : "", (int64_t)r->proof, sender, (int64_t)r->octets);
    for (size_t i = 0; st == STATUS_OK && *fresh && i < r->row_count; i++)
        st = store_row(s, r, kind, id, i);
    if (st == STATUS_OK)
        st = store_commit(s);
    if (st != STATUS_OK)
        store_rollback(s);
    return st == STATUS_OK && !room ? STATUS_LIMIT : st;
}
