// SPDX-License-Identifier: BSD-2-Clause
/*
 * verify_json.c - a judged message for programs: what the journal would record (assay-journal(5), the same keys), with
 * the look-ups, the envelope's origin and each class's reply.
 */
#include "cli/verify/verify.h"
#include "judge/mail_record.h"
#include "judge/reply.h"

static void put_answers(struct json *out, struct judge *j)
{
    const struct dns_answer *a;

    json_open_array(out, "dns");
    for (size_t i = 0; judge_scope(j) && (a = dns_trace(judge_scope(j), i)) != NULL; i++) {
        json_open(out);
        json_str(out, "name", a->name);
        json_str(out, "type", dns_type_name(a->type));
        json_str(out, "state", dns_state_name(a->state));
        json_str(out, "security", dns_security_name(a->security));
        json_int(out, "count", (int64_t)a->count);
        json_opt(out, "why", a->why);
        json_end(out);
    }
    json_end(out);
}

static const char *reply_of(struct judge *j, const struct verdict *v)
{
    struct verdict as_if = *v;
    struct reply r;

    if (v->would < POLICY_DEFER)
        return NULL;
    as_if.action = v->would;
    if (reply_for(judge_arena(j), &as_if, judge_policy(j), judge_authserv_id(j), &r) != STATUS_OK)
        return NULL;
    return reply_text(judge_arena(j), &r);
}

static void put_header(struct json *out, struct judge *j)
{
    const struct judge_report *r = judge_report(j);

    json_int(out, "from_count", (int64_t)r->format.from_count);
    json_opt(out, "from", r->format.from_domain);
    json_int(out, "signatures", (int64_t)r->dkim_fields);
}

void verify_json(struct json *out, struct judge *j, const struct classes *c, const struct verify_guess *g,
                 const char *name)
{
    json_open(out);
    json_str(out, "message", name);
    json_open_in(out, "taken_from_message");
    json_bool(out, "client", g->ip);
    json_bool(out, "helo", g->helo);
    json_bool(out, "mail_from", g->from);
    json_end(out);
    json_open_in(out, "header");
    put_header(out, j);
    json_end(out);
    json_bool(out, "recipients_agree", c->agree);
    json_open_array(out, "classes");
    for (size_t i = 0; i < c->count; i++) {
        struct mail_record_extra x = {.stage = "end", .reply = reply_of(j, &c->list[i].verdict)};
        json_open(out);
        json_opt(out, "rcpt", c->list[i].rcpt);
        mail_record_mail(out, j, &c->list[i], &x);
        json_end(out);
    }
    json_end(out);
    put_answers(out, j);
    json_end(out);
}
