// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_record.c - writes the journal's record of one mail (assay-journal(5), kind mail), except its findings
 * (mail_record_findings.c).
 *
 * Promises what the manual says, key by key: keys that do not apply are left out, domains are canonical names, the null
 * sender has no mail_from. A local part is never written: recipients are recorded by domain. Failure: the buffer's
 * error flag, which the caller checks.
 */
#include "judge/mail_record.h"
#include "judge/report_mail.h"

#define RCPT_DOMAINS 50
#define RCPTS_LOOKED_AT 1000

/* What a sender may write at any length is cut, so that no record is too long for the journal (JOURNAL_RECORD_MAX),
 * whatever its octets become in JSON. A line has 998 characters (RFC 5322 2.1.1), and an identifier no fold (3.6.4). */
#define MESSAGE_ID_MAX 998

static void put_statement(struct json *out, const char *key, const struct policy_statement *s)
{
    if (s)
        json_str(out, key, s->id);
}

static void mail_record_verdict(struct json *out, const struct verdict *v, const char *reply)
{
    const struct verdict_line *l = v->action > POLICY_DELIVER ? verdict_deciding(v) : verdict_would_line(v);

    json_str(out, "action", policy_action_name(v->action));
    json_str(out, "would", policy_action_name(v->would));
    json_opt(out, "held_back", v->held_back);
    if (l)
        put_statement(out, "statement", l->statement);
    json_opt(out, "text", reply);
    json_opt(out, "override", verdict_override_name(v->dmarc_override));
    json_opt(out, "comment", v->dmarc_comment);
}

static void mail_record_lines(struct json *out, const struct verdict *v)
{
    for (size_t i = 0; i < v->line_count; i++) {
        const struct verdict_line *l = &v->lines[i];
        json_open(out);
        json_str(out, "standard", standard_name(l->standard));
        json_opt(out, "subject", l->subject);
        json_str(out, "result", result_name(l->result));
        json_str(out, "level", policy_level_name(l->level));
        json_str(out, "action", policy_action_name(l->action));
        json_str(out, "reason", l->reason);
        put_statement(out, "statement", l->statement);
        put_statement(out, "exemption", l->exemption);
        put_statement(out, "expired", l->expired);
        put_statement(out, "trust", l->trust);
        if (l->trial)
            json_bool(out, "trial", true);
        json_opt(out, "signal", l->signal);
        json_end(out);
    }
}

static bool is_of_class(const struct mail_record_extra *x, size_t i)
{
    return i >= x->rcpts_from && (!x->of || x->of[i] == x->of_class);
}

static bool seen_before(const struct judge_mail *m, const struct mail_record_extra *x, size_t i)
{
    for (size_t k = x->rcpts_from; k < i; k++)
        if (is_of_class(x, k) && m->rcpts[k].domain && strcmp(m->rcpts[k].domain, m->rcpts[i].domain) == 0)
            return true;
    return false;
}

/* Looks at the first RCPTS_LOOKED_AT recipients only: the record of a mail with more recipients need not name all their
 * domains. */
const char *mail_record_next_domain(const struct judge_mail *m, const struct mail_record_extra *x, size_t *at)
{
    if (*at < x->rcpts_from)
        *at = x->rcpts_from;
    for (size_t i = *at; i < m->rcpt_count && i < x->rcpts_from + RCPTS_LOOKED_AT; i++) {
        if (!is_of_class(x, i) || !m->rcpts[i].domain || seen_before(m, x, i))
            continue;
        *at = i + 1;
        return m->rcpts[i].domain;
    }
    return NULL;
}

static void put_rcpt_domains(struct json *out, const struct judge_mail *m, const struct mail_record_extra *x)
{
    const char *domain;
    size_t at = 0;

    json_open_array(out, "rcpt_domains");
    for (size_t n = 0; n < RCPT_DOMAINS && (domain = mail_record_next_domain(m, x, &at)); n++)
        json_str(out, NULL, domain);
    json_end(out);
}

static void put_cut(struct json *out, const char *key, struct slice text, size_t most)
{
    if (text.n)
        json_slice(out, key, slice_of(text.p, text.n < most ? text.n : most));
}

static void put_envelope(struct json *out, struct judge *j)
{
    const struct judge_mail *m = judge_mail(j);
    char text[IP_TEXT];

    json_opt(out, "id", m->queue_id);
    put_cut(out, "message_id", mail_message_id(m, judge_arena(j)), MESSAGE_ID_MAX);
    json_str(out, "source", judge_source_name(m->source));
    json_opt(out, "listener", m->daemon);
    if (m->client.family)
        json_str(out, "client", ip_text(&m->client, text));
    if (m->client.family && m->peer.family && !ip_eq(&m->client, &m->peer))
        json_str(out, "relay", ip_text(&m->peer, text));
    json_opt(out, "not_believed", judge_report(j)->fleet_doubt);
    put_cut(out, "helo", slice_str(m->helo ? m->helo : ""), LIMIT_HELO);
    json_opt(out, "mail_from", m->mail_from.domain);
    json_opt(out, "from", judge_report(j)->format.from_domain);
    if (mail_is_dmarc_report(m))
        json_bool(out, "report", true);
}

void mail_record_mail(struct json *out, struct judge *j, const struct class_of_rcpts *c,
                      const struct mail_record_extra *x)
{
    const struct judge_mail *m = judge_mail(j);

    put_envelope(out, j);
    json_int(out, "rcpts", (int64_t)c->rcpt_count);
    put_rcpt_domains(out, m, x);
    json_int(out, "size", (int64_t)(m->body_octets + m->headers.bytes));
    json_str(out, "policy", c->verdict.policy_hash);
    json_opt(out, "skipped", c->verdict.skipped);
    json_str(out, "stage", x->stage);
    json_opt(out, "reference", x->reference);
    if (x->split)
        json_bool(out, "split", true);
    json_int(out, "ms", x->took_ms);
    json_open_in(out, "verdict");
    mail_record_verdict(out, &c->verdict, x->reply);
    json_end(out);
    json_open_array(out, "lines");
    mail_record_lines(out, &c->verdict);
    json_end(out);
    json_open_array(out, "findings");
    mail_record_findings(out, j);
    json_end(out);
}
