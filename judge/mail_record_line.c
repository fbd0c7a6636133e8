// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_record_line.c - writes the log line of one mail: fixed keys in a fixed order, the same for every mail, so that
 * grep, awk and log collectors need no special cases. As text: key=value, the value in double quotes where it is empty
 * or holds blanks, quotes or "="; as JSON: one object.
 *
 * Promises one line without control characters, whatever the sender wrote (base/utf8.h). A key without a value is
 * written with an empty value.
 */
#include "base/eight.h"
#include "base/utf8.h"
#include "judge/mail_record.h"

#define LINE_VALUE_MAX 300 /* limit of one value, before escaping */
#define LINE_DOMAINS 8     /* recipients' domains that are named */

struct line {
    struct buf *out;
    struct json json;
    bool as_json;
};

static bool eight_bare(uint64_t eight)
{
    return !(eight_below(eight, 33) | eight_above(eight, 126) | eight_have(eight, '"') | eight_have(eight, '=') |
             eight_have(eight, ',') | eight_have(eight, ';') | eight_have(eight, '\\'));
}

/* Whether a value needs neither quotes nor escapes, as most do. */
static bool is_bare(struct slice value)
{
    size_t i = 0;

    while (i + 8 <= value.n && eight_bare(eight_at(value.p + i)))
        i += 8;
    for (; i < value.n; i++) {
        const char c = value.p[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == ',' || c == ';' || c == '\\')
            return false;
    }
    return value.n > 0;
}

static void put_slice(struct line *l, const char *key, struct slice value)
{
    struct buf b = BUF_INIT;
    bool quote;

    if (value.n > LINE_VALUE_MAX)
        value.n = LINE_VALUE_MAX;
    if (l->as_json) {
        json_slice(&l->json, key, value);
        return;
    }
    if (value.n == 0 || is_bare(value)) {
        buf_add_texts(l->out, l->out->n ? " " : "", key, value.n ? "=" : "=\"\"");
        buf_addslice(l->out, value);
        return;
    }
    utf8_add_visible(&b, value);
    quote = b.n == 0 || strpbrk(b.p, " \"=,;") != NULL;
    buf_add_texts(l->out, l->out->n ? " " : "", key, quote ? "=\"" : "=");
    for (size_t i = 0; i < b.n;) {
        const size_t run = strcspn(b.p + i, "\""); /* there is no NUL in it */
        buf_add(l->out, b.p + i, run);
        i += run;
        if (i < b.n) {
            buf_adds(l->out, "\\\"");
            i++;
        }
    }
    if (quote)
        buf_addc(l->out, '"');
    buf_release(&b);
}

static void line_put(struct line *l, const char *key, const char *value)
{
    put_slice(l, key, slice_str(value ? value : ""));
}

static void put_number(struct line *l, const char *key, int64_t n)
{
    if (l->as_json) {
        json_int(&l->json, key, n);
        return;
    }
    buf_add_texts(l->out, l->out->n ? " " : "", key, "=");
    buf_add_number(l->out, n);
}

/* "pass:example.org/s1,fail:list.example/k" */
static void put_dkim(struct line *l, const struct judge_report *r)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < r->dkim_count && i < 8; i++)
        buf_add_texts(&b, i ? "," : "", result_name(r->dkim[i].result), r->dkim[i].domain ? ":" : "",
                      r->dkim[i].domain ? r->dkim[i].domain : "", r->dkim[i].selector ? "/" : "",
                      r->dkim[i].selector ? r->dkim[i].selector : "");
    line_put(l, "dkim", b.n ? b.p : "none");
    buf_release(&b);
}

/* Ids of the statements whose lines ask for an action, the most severe first; exemptions and trusts are preceded by
 * that word. */
static void put_statements(struct line *l, const struct verdict *v)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < v->line_count; i++) {
        const struct verdict_line *x = &v->lines[i];
        if (x->action > POLICY_DELIVER)
            buf_add_texts(&b, b.n ? "," : "", verdict_line_name(x), ":", x->statement ? x->statement->id : "default",
                          x->trial ? "(trial)" : "");
        if (x->exemption)
            buf_printf(&b, "%s%s:exempt-%s", b.n ? "," : "", standard_name(x->standard), x->exemption->id);
        if (x->expired)
            buf_printf(&b, "%s%s:expired-%s", b.n ? "," : "", standard_name(x->standard), x->expired->id);
        if (x->trust)
            buf_printf(&b, "%s%s:trust-%s", b.n ? "," : "", standard_name(x->standard), x->trust->id);
    }
    line_put(l, "by", b.p);
    buf_release(&b);
}

/* The reason in words, from the deciding line. */
static const char *reason_of(const struct verdict *v)
{
    const struct verdict_line *l = v->action > POLICY_DELIVER ? verdict_deciding(v) : verdict_would_line(v);
    return l ? l->reason : "";
}

static void add_explained(struct buf *b, const char *what, const struct policy_statement *s)
{
    if (s)
        buf_printf(b, "%s%s %s: %s", b->n ? "; " : "", what, s->id, s->because ? s->because : "");
}

/* The explained exceptions that were used, and those that have ended, in the policy's own words. */
static void put_explained(struct line *l, const struct verdict *v)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < v->line_count; i++) {
        add_explained(&b, "exempt", v->lines[i].exemption);
        add_explained(&b, "trust", v->lines[i].trust);
        add_explained(&b, "expired", v->lines[i].expired);
    }
    line_put(l, "explained", b.p);
    buf_release(&b);
}

/* What a rejection by DMARC is based on besides p=reject. */
static const char *ground_of(const struct verdict *v)
{
    for (size_t i = 0; i < v->line_count; i++)
        if (v->lines[i].signal && v->lines[i].action > POLICY_DELIVER)
            return v->lines[i].signal;
    return "";
}

/* "TLSv1.2/ECDHE-RSA-AES128-GCM-SHA256", "none" where the client came without: said for every mail from a network, since
 * it can decide at RCPT, before anything else is known. */
static void put_tls(struct line *l, struct judge *j)
{
    const struct judge_mail *m = judge_mail(j);
    struct buf b = BUF_INIT;

    buf_adds(&b, m->tls.version ? m->tls.version : m->peer.family ? "none" : "");
    if (m->tls.version && m->tls.cipher)
        buf_add_texts(&b, "/", m->tls.cipher);
    line_put(l, "tls", b.p);
    buf_release(&b);
}

/* Domains of the recipients of this class. */
static void put_to(struct line *l, const struct judge_mail *m, const struct mail_record_extra *x)
{
    struct buf b = BUF_INIT;
    const char *domain;
    size_t at = 0;

    for (size_t n = 0; n < LINE_DOMAINS && (domain = mail_record_next_domain(m, x, &at)); n++)
        buf_add_texts(&b, n ? "," : "", domain);
    if (mail_record_next_domain(m, x, &at))
        buf_adds(&b, ",...");
    line_put(l, "to", b.p);
    buf_release(&b);
}

/* File and line of the statement that decides: "by" has only its short id, and a customer knows the file. */
static void put_file(struct line *l, const struct verdict *v)
{
    const struct verdict_line *x = v->action > POLICY_DELIVER ? verdict_deciding(v) : verdict_would_line(v);
    const struct policy_statement *s = x ? x->statement : NULL;
    struct buf b = BUF_INIT;

    if (s && s->file)
        buf_printf(&b, "%s:%u", s->file, s->line);
    line_put(l, "file", b.p);
    buf_release(&b);
}

static void put_results(struct line *l, struct judge *j)
{
    const struct judge_report *r = judge_report(j);

    if (!r->judged) {
        static const char *const keys[] = {"spf", "dkim", "dmarc", "arc", "dnssec", "rdns", "tls", "format"};
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (strcmp(keys[i], "tls") == 0)
                put_tls(l, j);
            else
                line_put(l, keys[i], "");
        return;
    }
    line_put(l, "spf", result_name(r->spf.result));
    put_dkim(l, r);
    line_put(l, "dmarc", result_name(r->dmarc.result));
    line_put(l, "arc", result_name(r->arc.result));
    line_put(l, "dnssec", r->facts.dnssec_count ? dns_security_name(r->facts.dnssec[0].security) : "");
    line_put(l, "rdns", result_name(r->rdns.result));
    put_tls(l, j);
    line_put(l, "format", result_name(r->facts.format));
}

void mail_record_line(struct buf *out, struct judge *j, const struct class_of_rcpts *c,
                      const struct mail_record_extra *x, bool json)
{
    struct line l = {.out = out, .json = JSON_INTO(out), .as_json = json};
    const struct judge_mail *m = judge_mail(j);
    const struct verdict *v = &c->verdict;
    char text[IP_TEXT];

    if (json)
        json_open(&l.json);
    line_put(&l, "id", m->queue_id);
    line_put(&l, "action", x->split ? "split" : policy_action_name(v->action));
    line_put(&l, "would", policy_action_name(v->would));
    line_put(&l, "held", v->held_back);
    line_put(&l, "source", judge_source_name(m->source));
    line_put(&l, "client", m->client.family ? ip_text(&m->client, text) : "");
    line_put(&l, "helo", m->helo);
    line_put(&l, "mail-from", m->null_sender ? "<>" : m->mail_from.domain);
    line_put(&l, "from", judge_report(j)->format.from_domain);
    put_number(&l, "rcpts", (int64_t)c->rcpt_count);
    put_results(&l, j);
    put_statements(&l, v);
    line_put(&l, "reason", reason_of(v));
    line_put(&l, "ground", ground_of(v));
    put_explained(&l, v);
    line_put(&l, "override", verdict_override_name(v->dmarc_override));
    line_put(&l, "stage", x->stage);
    line_put(&l, "policy", v->policy_hash);
    put_number(&l, "ms", x->took_ms);
    put_slice(&l, "message-id", mail_message_id(m, judge_arena(j)));
    put_to(&l, m, x);
    put_file(&l, v);
    line_put(&l, "reference", x->reference);
    if (json)
        json_end(&l.json);
}
