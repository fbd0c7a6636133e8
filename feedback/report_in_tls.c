// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_in_tls.c - an SMTP TLS report in JSON, read (RFC 8460 section 4).
 *
 * Promises that reading costs memory for one failure at a time besides what the report is about, that a count which is
 * no whole number, a policy without a domain and a failure without a count are left out and named (out->partial), and
 * that a text which is no JSON, or a policy about what is no domain, makes the whole no report. Each policy has a row
 * for what went well and one for each kind of failure; and one for those failed sessions of whose kind it says nothing.
 * On failure *out is not to be used; the words say what is wrong.
 */
#include "feedback/report_in.h"
#include "feedback/report_fields.h"
#include "feedback/report_json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/domain.h"
#include <stdio.h>
#include <string.h>

#define IDENTIFIER_MOST 65536 /* octets that are looked at: as of an element's text in XML */
#define TYPE_MOST 40          /* octets of a policy's type in a row's detail */

struct reading {
    struct arena *arena;
    const struct report_in_rows *rows;
    struct report_in *out;
    struct buf type, source, result, detail; /* of the row that is being read */
    struct slice json, policies;
    enum status status;
    char *why;
};

static enum status tls_complain(char *why, enum status st, const char *text)
{
    snprintf(why, REPORT_IN_WHY, "%s", text);
    return st;
}

/* A text as it is kept, without blanks around it; "" if it is missing or something else. */
static const char *text_of(struct slice value, struct buf *out)
{
    buf_reset(out);
    (void)report_json_text(value, REPORT_IN_FIELD, out);
    struct slice text = slice_trim(report_field_cut(buf_slice(out)));
    if (text.n)
        memmove(out->p, text.p, text.n);
    out->n = text.n;
    buf_addc(out, '\0');
    return out->failed ? "" : out->p;
}

static const char *field(struct slice object, const char *key, struct buf *out)
{
    return text_of(report_json_get(object, key), out);
}

static const char *text_keep(struct reading *r, const char *text)
{
    const char *copy = arena_strdup(r->arena, text);
    return copy ? copy : "";
}

static void missing_note(struct reading *r, const char *missing)
{
    if (!r->out->partial)
        r->out->partial = missing;
}

/* "3.0" is 3 (RFC 8259 section 6 has one kind of number). */
static struct slice without_zeros(struct slice number)
{
    struct slice n = slice_trim(number);
    size_t end = n.n;
    while (end && n.p[end - 1] == '0')
        end--;
    return end > 1 && end < n.n && n.p[end - 1] == '.' ? slice_of(n.p, end - 1) : number;
}

/* A number as such or as a text; 0 if it is missing or null. What is neither, or not believable, is named. */
static int64_t count_of(struct reading *r, struct slice object, const char *key)
{
    struct slice v = report_json_get(object, key);
    char kind = report_json_kind(v);
    int64_t n = 0;
    if (!kind || kind == 'n')
        return 0;
    if (kind == '0' && report_json_integer(without_zeros(v), &n) && n >= 0 && n <= REPORT_COUNT_MAX)
        return n;
    const char *text = kind == '"' ? field(object, key, &r->detail) : "";
    if (strcmp(text, "0") == 0)
        return 0;
    if (report_field_count(text, &n))
        return n;
    missing_note(r, "a row is left out: its number of sessions is not a whole number from 0 to 1,000,000,000");
    return 0;
}

static void row_give(struct reading *r, size_t about, const char *source, const char *result, const char *detail,
                     int64_t n)
{
    if (r->status != STATUS_OK)
        return;
    if (r->out->row_count == REPORT_IN_ROWS) {
        r->status = tls_complain(r->why, STATUS_LIMIT, "more rows than are read");
        return;
    }
    struct report_in_row row = {.about = about,
                                .source = source,
                                .result = result,
                                .dkim = "",
                                .spf = "",
                                .header_from = r->out->domains[about],
                                .detail = detail,
                                .count = n};
    r->out->row_count++;
    if (r->rows && !r->rows->take(r->rows->context, &row))
        r->status = tls_complain(r->why, STATUS_AGAIN, "its rows were not wanted");
}

/* Its beginning, without a cut in a character of UTF-8. */
static struct slice text_cut(struct slice text, size_t most)
{
    if (text.n > most)
        for (text.n = most; text.n && ((unsigned char)text.p[text.n] & 0xc0) == 0x80;)
            text.n--;
    return text;
}

/* Returns the number of its sessions; 0: it is left out. */
static int64_t read_failure(struct reading *r, struct slice f, size_t about)
{
    int64_t n = count_of(r, f, "failed-session-count");
    if (n == 0) {
        missing_note(r, "a failure without a number of sessions is left out");
        return 0;
    }
    char address[IP_TEXT];
    const char *source = report_field_address(field(f, "sending-mta-ip", &r->source), address);
    const char *result = field(f, "result-type", &r->result);
    if (r->result.p)
        report_field_word(r->result.p);
    const char *mx = field(f, "receiving-mx-hostname", &r->detail);
    struct slice type = text_cut(slice_str(r->type.p), TYPE_MOST), host = text_cut(slice_str(mx), LIMIT_DOMAIN);
    char detail[TYPE_MOST + LIMIT_DOMAIN + 2];
    snprintf(detail, sizeof detail, "%.*s%s%.*s", SLICE_ARG(type), host.n ? " " : "", SLICE_ARG(host));
    row_give(r, about, source, result, detail, n);
    return n;
}

/* RFC 8460 4.4 asks for all of these: without one of them a number of sessions is not known, which is not 0. */
static void note_missing(struct reading *r, struct slice summary, char failures)
{
    const char kind = report_json_kind(summary);
    if (!kind || kind == 'n')
        missing_note(r, "a policy has no summary: how many sessions went well is not known");
    else if (kind != '{')
        missing_note(r, "a summary is left out: it is no object, or there twice");
    else if (!report_json_kind(report_json_get(summary, "total-successful-session-count")))
        missing_note(r, "a policy does not say how many sessions went well");
    if (failures && !strchr("{[n", failures))
        missing_note(r, "failures are left out: they are no array, or there twice");
}

static void read_policy(struct reading *r, struct slice p, size_t about)
{
    struct slice summary = report_json_get(p, "summary"), failures = report_json_get(p, "failure-details");
    const char *type = field(report_json_get(p, "policy"), "policy-type", &r->type);
    const char kind = report_json_kind(failures);
    int64_t good = count_of(r, summary, "total-successful-session-count"),
            bad = count_of(r, summary, "total-failure-session-count");
    note_missing(r, summary, kind);
    struct slice rest = failures, key, value;
    int64_t told = 0; /* of the failed sessions, by kind */
    bool any = false, all = true;
    if (good > 0)
        row_give(r, about, "", "pass", type, good);
    while (r->status == STATUS_OK && (kind == '[' ? report_json_next(&rest, &key, &value) : kind == '{' && !any)) {
        /* some senders write a single entry without the array around it */
        int64_t n = read_failure(r, kind == '[' ? value : failures, about);
        told += n;
        all = all && n > 0;
        any = true;
    }
    if (!any && !report_json_kind(report_json_get(summary, "total-failure-session-count")))
        missing_note(r, "a policy does not say how many sessions failed");
    if (all && bad > told)
        row_give(r, about, "", "failure", type, bad - told);
}

/* The number of this domain among those of the report. False: too many, or no memory. */
static bool place_of(struct reading *r, const char *domain, size_t *about)
{
    struct report_in *out = r->out;
    for (*about = 0; *about < out->domain_count; ++*about)
        if (strcmp(out->domains[*about], domain) == 0)
            return true;
    if (out->domain_count == REPORT_IN_DOMAINS) {
        r->status = tls_complain(r->why, STATUS_LIMIT, "its policies are about more domains than are read");
        return false;
    }
    const char *copy = arena_strdup(r->arena, domain);
    if (!copy)
        r->status = tls_complain(r->why, STATUS_NOMEM, "out of memory");
    else
        out->domains[out->domain_count++] = copy;
    return copy != NULL;
}

static unsigned long line_of(struct slice text, struct slice at)
{
    unsigned long line = 1;
    for (const char *p = text.p; p < at.p; p++)
        line += *p == '\n';
    return line;
}

static void take_policy(struct reading *r, struct slice p, size_t number)
{
    char name[LIMIT_DOMAIN + 1];
    size_t about;
    struct slice domain = report_json_get(report_json_get(p, "policy"), "policy-domain");
    const char *text = field(report_json_get(p, "policy"), "policy-domain", &r->detail);
    if (!*text) {
        missing_note(r, "a policy without a policy-domain is left out");
    } else if (domain_from_text(slice_str(text), name) != STATUS_OK) {
        snprintf(r->why, REPORT_IN_WHY, "the policy-domain of policy %zu, in line %lu, is no domain name", number,
                 line_of(r->json, domain));
        r->status = STATUS_INVALID;
    } else if (place_of(r, name, &about)) {
        read_policy(r, p, about);
    }
}

/* All policies. One without a domain is left out; what is no domain makes the whole no report. */
static void read_policies(struct reading *r)
{
    struct slice rest = r->policies, key, value;
    if (report_json_kind(rest) == '{') /* one without the array around it */
        take_policy(r, rest, 1);
    if (report_json_kind(rest) != '[')
        return;
    for (size_t n = 1; r->status == STATUS_OK && report_json_next(&rest, &key, &value); n++) {
        if (n > REPORT_IN_POLICIES)
            r->status = tls_complain(r->why, STATUS_LIMIT, "it has more policies than are read");
        else
            take_policy(r, value, n);
    }
}

/* A text, or a number as it is written: of seconds, or one that is an identifier. */
static const char *text_or_number(struct slice v, struct buf *out)
{
    struct slice n = slice_trim(v);
    if (report_json_kind(v) != '0')
        return text_of(v, out);
    buf_reset(out);
    buf_add(out, n.p, n.n < REPORT_IN_FIELD ? n.n : REPORT_IN_FIELD);
    buf_addc(out, '\0');
    return out->failed ? "" : out->p;
}

static const char *identifier_of(struct reading *r, struct slice value)
{
    if (report_json_kind(value) != '"')
        return text_keep(r, text_or_number(value, &r->detail));
    buf_reset(&r->detail);
    (void)report_json_text(value, IDENTIFIER_MOST, &r->detail);
    const char *id = report_field_identifier(r->arena, slice_trim(buf_slice(&r->detail)));
    return id ? id : "";
}

static enum status read_head(struct reading *r, bool *dated)
{
    struct report_in *out = r->out;
    enum { ORG, ID, CONTACT, RANGE, POLICIES, MEMBERS };
    static const char *const names[MEMBERS] = {"organization-name", "report-id", "contact-info", "date-range",
                                               "policies"};
    struct slice member[MEMBERS];
    report_json_get_all(r->json, names, member, MEMBERS);
    struct slice range = member[RANGE];
    r->policies = member[POLICIES];
    out->domains = ARENA_ARRAY(r->arena, const char *, REPORT_IN_DOMAINS);
    if (report_json_kind(member[CONTACT]) == '"')
        out->contact = text_keep(r, text_of(member[CONTACT], &r->detail));
    const char *at = out->contact ? strrchr(out->contact, '@') : NULL;
    out->org = text_keep(r, text_of(member[ORG], &r->detail));
    out->org = *out->org || !at ? out->org : at + 1;
    out->id = identifier_of(r, member[ID]);
    *dated =
        report_field_range(text_or_number(report_json_get(range, "start-datetime"), &r->source),
                           text_or_number(report_json_get(range, "end-datetime"), &r->result), &out->begin, &out->end);
    return arena_failed(r->arena) ? tls_complain(r->why, STATUS_NOMEM, "out of memory") : STATUS_OK;
}

static enum status reading_finish(struct reading *r, bool dated)
{
    struct report_in *out = r->out;
    if (!*out->id && dated)
        out->id = arena_printf(r->arena, "none-%lld-%lld", (long long)out->begin, (long long)out->end);
    if (arena_failed(r->arena) || r->detail.failed || r->source.failed || r->result.failed || r->type.failed)
        return tls_complain(r->why, STATUS_NOMEM, "out of memory");
    if (report_json_kind(r->policies) == REPORT_JSON_TWICE)
        return tls_complain(r->why, STATUS_INVALID, "it has policies twice, with different values");
    if (!*out->org || !out->domain_count)
        return tls_complain(r->why, STATUS_INVALID, "organization-name (and contact-info) or policy-domain is missing");
    return dated ? STATUS_OK
                 : tls_complain(r->why, STATUS_INVALID, "its date-range is missing, or is not a time of a report");
}

enum status report_in_parse_tls(struct arena *a, struct slice json, const struct report_in_rows *rows,
                                struct report_in *out, char *why)
{
    struct reading r = {.arena = a,
                        .rows = rows,
                        .out = out,
                        .type = BUF_INIT,
                        .source = BUF_INIT,
                        .result = BUF_INIT,
                        .detail = BUF_INIT,
                        .json = json,
                        .why = why};
    bool dated = false;
    *out = (struct report_in){.kind = REPORT_IN_TLS, .proof = REPORT_IN_UNKNOWN, .org = "", .id = "", .policy = ""};
    if (json.n > REPORT_IN_TEXT)
        return tls_complain(why, STATUS_LIMIT, "the report is larger than is read");
    r.status = report_json_check(json, why);
    if (r.status == STATUS_OK)
        r.status = read_head(&r, &dated);
    if (r.status == STATUS_OK)
        read_policies(&r);
    if (r.status == STATUS_OK)
        r.status = reading_finish(&r, dated);
    buf_release(&r.type);
    buf_release(&r.source);
    buf_release(&r.result);
    buf_release(&r.detail);
    return r.status;
}
