// SPDX-License-Identifier: BSD-2-Clause
/*
 * stamp.c - writes Authentication-Results and Assay-Verdict from the report and the verdict.
 *
 * Promises: every value goes through standards/message/authres.h, which quotes it safely; a standard that the policy
 * ignores is not mentioned, because it was not judged; every other one is, also with `none`, so that a reader sees that
 * it was checked. Failure: STATUS_NOMEM. Then there are no fields, and the mail must not be passed on.
 */
#include "judge/stamp.h"
#include "base/buf.h"
#include "judge/checks.h"
#include "judge/fleet.h"
#include "judge/forged.h"
#include "judge/seal.h"
#include "standards/dkim/dkim_bodyhash.h"
#include "standards/message/authres.h"
#include "policy/policy_settings.h"

static void write_spf(struct authres_writer *w, const struct judge *j)
{
    const struct judge_report *r = &j->report;

    authres_method(w, "spf", result_name(r->spf.result), r->spf.reason);
    authres_property(w, "smtp", j->mail.null_sender ? "helo" : "mailfrom", r->spf.domain);
    if (j->mail.null_sender || !r->helo.domain)
        return;
    authres_method(w, "spf", result_name(r->helo.result), r->helo.reason);
    authres_property(w, "smtp", "helo", r->helo.domain);
}

static void write_signature(struct authres_writer *w, const struct dkim_signature *d)
{
    authres_method(w, "dkim", result_name(d->result), d->reason);
    authres_property(w, "header", "d", d->domain);
    authres_property(w, "header", "s", d->selector);
    authres_property(w, "header", "a", d->algorithm);
    authres_property(w, "header", "b", d->header_b);
}

/* Signatures that were not verified get a result too, up to this number; then one with the count of the rest. */
#define DKIM_UNVERIFIED_MAX 32

static void write_dkim(struct authres_writer *w, const struct judge *j)
{
    const struct judge_report *r = &j->report;
    size_t unverified = 0, unsaid = r->dkim_fields > r->dkim_count ? r->dkim_fields - r->dkim_count : 0;

    if (r->dkim_count == 0)
        authres_method(w, "dkim", "none", NULL);
    for (size_t i = 0; i < r->dkim_count; i++) {
        if (!r->dkim[i].tried && ++unverified > DKIM_UNVERIFIED_MAX)
            unsaid++;
        else
            write_signature(w, &r->dkim[i]);
    }
    if (unsaid)
        authres_method(w, "dkim", result_name(RESULT_POLICY),
                       arena_printf(j->arena, "not verified: %zu further signature%s", unsaid, unsaid == 1 ? "" : "s"));
}

/* One result for each author in From. If From cannot be parsed there is one for the message, with the strictest
 * candidate. A message with several authors passes only if each does: where one does not, none is said to pass. Who
 * reads this field after us may look for "dmarc=pass" alone, and the second author may be there for that. */
static void write_dmarc(struct authres_writer *w, const struct judge *j, const struct verdict *v)
{
    const struct judge_report *r = &j->report;
    const bool each = r->format.author == FORMAT_AUTHOR_READ && r->author_count > 1;
    const char *comment = v->dmarc_override ? v->dmarc_comment : NULL;
    bool all_pass = true;

    for (size_t i = 0; each && i < r->author_count; i++)
        all_pass = all_pass && r->authors[i].dmarc.result == RESULT_PASS;
    for (size_t i = 0; i < (each ? r->author_count : 1); i++) {
        const struct dmarc_finding *d = each ? &r->authors[i].dmarc : &r->dmarc;
        if (d->result == RESULT_PASS && !all_pass)
            continue;
        authres_method(w, "dmarc", result_name(d->result), d->reason);
        authres_comment(w, comment);
        comment = NULL;
        authres_property(w, "header", "from", d->domain);
        if (d->record)
            authres_property(w, "policy", "dmarc", dmarc_policy_name(d->policy));
    }
}

static void write_arc(struct authres_writer *w, const struct judge *j)
{
    const struct arc_finding *a = &j->report.arc;
    char number[16];

    authres_method(w, "arc", result_name(a->result), a->instance_count ? a->reason : NULL);
    if (a->result != RESULT_PASS)
        return;
    snprintf(number, sizeof number, "%u", a->oldest_pass);
    authres_property(w, "header", "oldest-pass", number); /* RFC 8617 5.2 */
    if (a->sealers)
        authres_property(w, "header", "d", a->sealers[0]);
}

static void write_rdns(struct authres_writer *w, const struct judge *j)
{
    char text[IP_TEXT];

    if (j->mail.client.family == 0)
        return;
    authres_method(w, "iprev", result_name(j->report.rdns.result), j->report.rdns.reason);
    authres_comment(w, j->report.rdns.name);
    authres_property(w, "policy", "iprev", ip_text(&j->mail.client, text));
}

static void write_tls(struct authres_writer *w, const struct judge *j)
{
    const struct facts *f = &j->report.facts;

    if (f->source == JUDGE_RELAY)
        return;
    authres_method(w, "x-tls", result_name(f->tls.result), f->tls.weak);
    authres_property(w, "smtp", "tls-version", j->mail.tls.version);
    authres_property(w, "smtp", "cipher", j->mail.tls.cipher);
}

static void write_dnssec(struct authres_writer *w, const struct judge *j)
{
    for (size_t i = 0; i < j->report.facts.dnssec_count; i++) {
        const struct facts_dnssec *d = &j->report.facts.dnssec[i];
        authres_method(w, "x-dnssec", result_name(dns_security_result(d->security)),
                       d->security == DNS_SECURE ? NULL : d->reason);
        authres_property(w, "policy", "domain", d->domain);
    }
}

static void write_dane(struct authres_writer *w, const struct judge *j)
{
    for (size_t i = 0; i < j->report.facts.dane_count; i++) {
        const struct facts_dane *d = &j->report.facts.dane[i];
        authres_method(w, "x-dane", result_name(d->posture), d->reason);
        authres_property(w, d->of_client ? "smtp" : "policy", d->of_client ? "helo" : "domain", d->domain);
        if (d->state)
            authres_property(w, "policy", "state", d->state);
        if (d->probed)
            authres_property(w, "policy", "proof", result_name(d->proof));
    }
}

static void write_format(struct authres_writer *w, const struct judge *j)
{
    if (j->report.facts.format != RESULT_PASS)
        authres_method(w, "x-message-format", result_name(j->report.facts.format), j->report.facts.format_reason);
}

/* Tells whether the policy ignores a standard for this mail: every line about it says so. */
static bool ignored(const struct verdict *v, enum standard s)
{
    bool any = false;

    for (size_t i = 0; i < v->line_count; i++) {
        if (v->lines[i].standard != s)
            continue;
        if (v->lines[i].level != POLICY_IGNORE)
            return false;
        any = true;
    }
    return any;
}

static const char *authentication_results(struct judge *j, const struct verdict *v)
{
    struct buf b = BUF_INIT;
    struct authres_writer w;
    const char *text = NULL;

    authres_begin(&w, &b, judge_authserv_id(j));
    if (v->skipped) {
        if (j->mail.auth_user)
            authres_method(&w, "auth", "pass", NULL); /* RFC 8601 2.7.4; the login itself is the user's own business */
    } else {
        static const struct {
            enum standard standard;
            void (*write)(struct authres_writer *, const struct judge *);
        } writers[] = {
            {STANDARD_SPF, write_spf},   {STANDARD_DKIM, write_dkim},
            {STANDARD_ARC, write_arc},   {STANDARD_DNSSEC, write_dnssec},
            {STANDARD_DANE, write_dane}, {STANDARD_TLS, write_tls},
            {STANDARD_RDNS, write_rdns}, {STANDARD_MESSAGE_FORMAT, write_format},
        };
        if (!ignored(v, STANDARD_DMARC))
            write_dmarc(&w, j, v);
        for (size_t i = 0; i < sizeof writers / sizeof *writers; i++)
            if (!ignored(v, writers[i].standard))
                writers[i].write(&w, j);
    }
    if (authres_end(&w) == STATUS_OK && !b.failed)
        text = arena_copy(j->arena, b.p, b.n);
    buf_release(&b);
    return text;
}

static const char *verdict_value(struct judge *j, const struct verdict *v)
{
    const struct verdict_line *l = v->action > POLICY_DELIVER ? verdict_deciding(v) : verdict_would_line(v);
    const char *statement = l && l->statement ? l->statement->id : NULL;

    if (v->skipped)
        return arena_texts(j->arena, policy_action_name(v->action), "; skipped=", v->skipped,
                           "; policy=", v->policy_hash);
    return arena_texts(j->arena, policy_action_name(v->action), statement ? "; statement=" : "",
                       statement ? statement : "", "; policy=", v->policy_hash, v->held_back ? "; would=" : "",
                       v->held_back ? policy_action_name(v->would) : "", v->held_back ? "; held=" : "",
                       !v->held_back                            ? ""
                       : v->dry_run                             ? "dry-run"
                       : strncmp(v->held_back, "trial", 5) == 0 ? "trial"
                                                                : "pause");
}

/* True if no recipient has an own domain: then nobody needs our verdict, and nobody may have its proof. */
static bool goes_out(const struct judge *j)
{
    bool own = j->mail.rcpt_count == 0;

    for (size_t i = 0; i < j->mail.rcpt_count && !own; i++)
        own = j->mail.rcpts[i].domain && policy_is_own_domain(j->policy, j->mail.rcpts[i].domain);
    return !own;
}

/* Tells whether every recipient has an own domain, so that the proof does not leave our systems. */
static bool stays_in(const struct judge *j)
{
    for (size_t i = 0; i < j->mail.rcpt_count; i++)
        if (!j->mail.rcpts[i].domain || !policy_is_own_domain(j->policy, j->mail.rcpts[i].domain))
            return false;
    return j->mail.rcpt_count > 0;
}

/* Adds the proof for the hosts of our fleet to the verdict, if there is a key; else returns it unchanged. If a key
 * cannot be read, the report says so. */
static const char *with_proof(struct judge *j, const char *text)
{
    const char *path = policy_set_text(j->policy, SETTING_FLEET_KEY_FILE), *why, *said;
    char proof[FLEET_PROOF_TEXT];
    struct fleet_key key;
    uint8_t hash[32];
    uint64_t total;

    if (!text || !j->body || !j->report.judged || !stays_in(j) ||
        dkim_bodyhash_get(j->body, j->body_number, hash, &total) != STATUS_OK)
        return text;
    if (!fleet_key_read(path, &key, &why)) {
        j->report.fleet_problem = arena_printf(j->arena, "%s: %s", path, why);
        return text;
    }
    said = arena_printf(j->arena, "%s; host=%s; time=%lld", text, j->host->name, (long long)j->mail.at);
    if (!said || fleet_prove(&key, slice_str(said), &j->mail, hash, proof) != STATUS_OK)
        return NULL;
    return arena_printf(j->arena, "%s; proof=%s", said, proof);
}

/* "Name: value" of the setting, split. */
static bool quarantine_mark(struct judge *j, struct stamp_field *out)
{
    const char *text = policy_set_text(j->policy, SETTING_QUARANTINE_HEADER), *colon = strchr(text, ':');

    if (!colon || colon == text)
        return false;
    out->name = arena_copy(j->arena, text, (size_t)(colon - text));
    out->value = colon + 1 + strspn(colon + 1, " \t");
    return out->name != NULL;
}

enum status stamp_make(struct judge *j, const struct verdict *v, struct stamp *out)
{
    *out = (struct stamp){.count = 1};
    out->fields[0] = (struct stamp_field){"Authentication-Results", authentication_results(j, v)};
    if (!v->skipped || j->mail.source == JUDGE_FLEET || !goes_out(j))
        out->fields[out->count++] = (struct stamp_field){"Assay-Verdict", with_proof(j, verdict_value(j, v))};
    if (!out->fields[0].value || !out->fields[out->count - 1].value)
        return STATUS_NOMEM;
    if (v->action == POLICY_QUARANTINE && quarantine_mark(j, &out->fields[out->count])) {
        const char *name = out->fields[out->count++].name;
        if (strncasecmp(name, "X-", 2) == 0) {
            out->mark = name;
            out->marks = (unsigned)header_count(&j->mail.headers, name);
        }
    }
    if (v->action < POLICY_DEFER)
        seal_stamp(j, out->fields[0].value, out);
    return arena_failed(j->arena) ? STATUS_NOMEM : STATUS_OK;
}

/* Tells whether a host of our fleet passed the mail on, and proved it: such a host may write fields in our name above
 * its own Received field.
 */
static bool fleet_wrote(const struct judge *j, bool above_trace)
{
    return above_trace && j->mail.source == JUDGE_FLEET;
}

bool stamp_is_forged(const struct judge *j, const struct header_field *field)
{
    bool above_trace = true;

    for (const struct header_field *f = j->mail.headers.fields; f != field; f++)
        above_trace &= !header_is(f, "Received");
    return forged_claims_us(field->name, field->value, judge_authserv_id(j)) && !fleet_wrote(j, above_trace);
}

bool stamp_next_forged(const struct judge *j, size_t *at, const char **name, unsigned *index)
{
    while (*at < j->forged.count) {
        const struct forged_field *f = &j->forged.fields[j->forged.count - ++*at];
        if (fleet_wrote(j, f->above_trace))
            continue;
        *name = f->name;
        *index = f->index;
        return true;
    }
    return false;
}

bool stamp_too_many_forged(const struct judge *j)
{
    return j->forged.too_many;
}
