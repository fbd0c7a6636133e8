// SPDX-License-Identifier: BSD-2-Clause
/*
 * posture.c - selects the sender's domains whose DANE is checked, and turns the result into facts.
 *
 * A posture costs up to 31 look-ups, so a domain is checked only if a statement asks for more than `ignore` of it, for
 * any of the recipients. A posture says what is published; only a probe finds a certificate that contradicts it.
 * Failure: STATUS_NOMEM.
 */
#include "judge/posture.h"
#include "judge/prober.h"
#include "standards/dane/dane_client.h"
#include "standards/dane/dane_posture.h"
#include "policy/policy_settings.h"

static bool policy_asks(const struct judge *j, const char *domain, const char *rcpt)
{
    struct policy_question q = {
        .standard = STANDARD_DANE,
        .who = domain,
        .rcpt = rcpt,
        .at = j->mail.at,
        .client = j->mail.client.family ? &j->mail.client : NULL,
    };
    struct policy_answer a;

    policy_ask(j->policy, &q, &a);
    return a.statement && a.level > POLICY_IGNORE;
}

static bool is_wanted(const struct judge *j, const char *domain)
{
    /* Without rules for single recipients the answer for one is that for all. */
    const size_t most = policy_differs_by_rcpt(j->policy) ? j->mail.rcpt_count : 1;

    if (!domain)
        return false;
    if (j->mail.rcpt_count == 0)
        return policy_asks(j, domain, NULL);
    for (size_t i = 0; i < j->mail.rcpt_count && i < most; i++)
        if (policy_asks(j, domain, j->mail.rcpts[i].address))
            return true;
    return false;
}

void posture_start(struct judge *j, const char *domain)
{
    if (is_wanted(j, domain))
        dane_start(j->scope, domain);
}

/* Adds what our own probe knows, if the policy wants the domain probed. Never waits: for the first mail of a domain
 * nothing is known yet. */
static enum status prove(struct judge *j, const struct dane_posture *p, struct facts_dane *d)
{
    struct proof proof;

    if (dns_scope_lacks(j->scope)) /* this run is dropped */
        return STATUS_OK;
    if (!j->host->prober || !policy_set_has(j->policy, SETTING_DANE_PROBE, d->domain))
        return STATUS_OK;
    prober_ask(j->host->prober, p, j->mail.at, &proof);
    d->probed = true;
    d->proof = proof.result;
    d->contradicted = proof.result == RESULT_FAIL;
    d->proof_reason =
        proof.result == RESULT_PASS
            ? arena_printf(j->arena, "the servers show the certificates that were promised (%s)", proof.tls)
            : arena_printf(j->arena, "%s: %s", proof.host, proof.reason);
    return d->proof_reason ? STATUS_OK : STATUS_NOMEM;
}

static enum status posture_add(struct judge *j, const char *domain)
{
    struct facts *f = &j->report.facts;
    struct dane_posture p;

    if (!is_wanted(j, domain))
        return STATUS_OK;
    (void)dns_scope_limit(j->scope); /* limits reached earlier are not DANE's */
    enum status s = dane_check(j->scope, j->arena, domain, &p);
    if (s != STATUS_OK)
        return s;
    struct facts_dane *d = &f->dane[f->dane_count++];
    *d = (struct facts_dane){
        .domain = p.domain, .posture = p.result, .state = dane_state_name(p.state), .reason = p.reason};
    d->limit = dns_scope_limit(j->scope);
    if (p.result != RESULT_TEMPERROR)
        d->limit = LIMIT_NOT_REACHED;
    return prove(j, &p, d);
}

/* The client's own promise about its certificate. Adds an entry only if there is a promise, so that `require dane` does
 * not affect clients without one. */
static enum status add_client(struct judge *j)
{
    const struct judge_mail *m = &j->mail;
    struct facts *f = &j->report.facts;
    struct dane_client_input in = {.name = m->helo_domain,
                                   .cert = m->tls.cert_fingerprint,
                                   .public_key = m->tls.cert_public_key,
                                   .no_certificate = m->tls.cert_told};
    struct dane_client_finding c;

    if (m->source == JUDGE_RELAY || !is_wanted(j, in.name))
        return STATUS_OK;
    enum status s = dane_client_check(j->scope, j->arena, &in, &c);
    if (s == STATUS_OK && c.result != RESULT_NONE)
        f->dane[f->dane_count++] = (struct facts_dane){.domain = c.name,
                                                       .posture = c.result,
                                                       .reason = c.reason,
                                                       .contradicted = c.result == RESULT_FAIL,
                                                       .of_client = true};
    return s;
}

void posture_start_client(struct judge *j)
{
    if (j->mail.source != JUDGE_RELAY && is_wanted(j, j->mail.helo_domain))
        dane_client_start(j->scope, j->mail.helo_domain);
}

enum status posture_fill(struct judge *j)
{
    struct facts *f = &j->report.facts;
    enum status s = posture_add(j, f->mail_from);

    for (size_t i = 0; i < f->author_count && s == STATUS_OK; i++)
        if (!f->mail_from || !f->authors[i].domain || strcmp(f->mail_from, f->authors[i].domain) != 0)
            s = posture_add(j, f->authors[i].domain);
    return s == STATUS_OK ? add_client(j) : s;
}
