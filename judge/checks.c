// SPDX-License-Identifier: BSD-2-Clause
/*
 * checks.c - the engines, run over one message.
 *
 * Order in time: the client's names at the first wanted recipient, From and signatures at the end of the header,
 * everything else when the message has ended and all questions have been on their way for as long as the body took.
 * Results go from engine to engine as structures: DMARC is handed SPF's and DKIM's findings, never a header (RFC 8601's
 * fields are written from the report at the very end, by stamp.c).
 *
 * A HELO pass never feeds DMARC but for the null sender (RFC 9989 4.4.2; CVE-2019-20790 was that mistake).
 */
#include "judge/checks.h"
#include "judge/seal.h"
#include "judge/posture.h"
#include "policy/policy_settings.h"

static struct spf_input spf_input(const struct judge *j)
{
    const struct judge_mail *m = &j->mail;
    return (struct spf_input){
        .client = m->client,
        .helo = m->helo,
        .local = m->mail_from.local,
        .domain = m->mail_from.domain,
        .receiver = j->host->name,
    };
}

void checks_start_client(struct judge *j)
{
    struct spf_input in = spf_input(j);

    j->client_started = true;
    posture_start(j, j->mail.mail_from.domain);
    posture_start_client(j);
    if (j->mail.client.family == 0)
        return;
    spf_start(j->scope, &in);
    rdns_start(j->scope, &j->mail.client, j->mail.helo);
}

enum status checks_start_header(struct judge *j)
{
    struct dkim_check_options dkim = {.at = j->mail.at,
                                      .opendkim = policy_set_is(j->policy, SETTING_DKIM_ENGINE, "opendkim")};
    struct arc_check_options arc = {.at = j->mail.at};
    const char *from;

    format_check(j->arena, &j->mail.headers, NULL, &j->report.format);
    from = j->report.format.from_domain;
    if (from)
        dmarc_start(j->scope, from);
    posture_start(j, from);
    j->dkim = dkim_checker_new(j->scope, j->arena, &j->mail.headers, from, &dkim);
    if (!j->dkim)
        return STATUS_NOMEM;
    arc.body_of = j->dkim;
    j->arc = arc_checker_new(j->scope, j->arena, &j->mail.headers, &arc);
    seal_prepare(j);
    return j->arc ? STATUS_OK : STATUS_NOMEM;
}

/* Whether an SPF pass says anything: a record that lets everybody send, or more addresses than the policy takes, proves
 * nothing of the sender. */
static bool spf_counts(const struct judge *j, const struct spf_finding *f)
{
    const int64_t most = policy_set_number(j->policy, SETTING_SPF_MAX_ADDRESSES);

    if (f->plus_all && !policy_set_number(j->policy, SETTING_SPF_ALL_COUNTS))
        return false;
    return most <= 0 || f->authorised_v4 <= (uint64_t)most;
}

static enum status run_spf(struct judge *j)
{
    struct judge_report *r = &j->report;
    struct spf_input in = spf_input(j);
    enum spf_engine engine =
        policy_set_is(j->policy, SETTING_SPF_ENGINE, "libspf2") ? SPF_ENGINE_LIBSPF2 : SPF_ENGINE_OWN;
    enum status s;

    if (j->mail.mail_from_bad) { /* none, not permerror: no domain name could be taken from it (RFC 7208 2.6.1) */
        r->spf =
            (struct spf_finding){.result = RESULT_NONE, .identity = SPF_MAIL_FROM, .reason = "MAIL FROM is no address"};
        s = STATUS_OK;
    } else if (j->mail.mail_from.literal.n || (!j->mail.mail_from.domain && !j->mail.null_sender)) {
        r->spf =
            (struct spf_finding){.result = RESULT_NONE, .identity = SPF_MAIL_FROM, .reason = "MAIL FROM has no domain"};
        s = STATUS_OK;
    } else {
        s = spf_check_by(engine, j->scope, j->arena, &in, SPF_MAIL_FROM, &r->spf);
    }
    if (s == STATUS_OK)
        s = spf_check_by(engine, j->scope, j->arena, &in, SPF_HELO, &r->helo);
    return s;
}

static enum status run_dkim(struct judge *j)
{
    struct judge_report *r = &j->report;
    enum status s = dkim_checker_end(j->dkim, &r->dkim, &r->dkim_count);

    r->dkim_fields = dkim_checker_fields(j->dkim);
    if (s == STATUS_OK)
        s = arc_checker_end(j->arc, &r->arc);
    return s;
}

/* Whether organisations are found the RFC 7489 way. */
static bool psl(const struct judge *j)
{
    return policy_set_is(j->policy, SETTING_DMARC_PSL, "yes");
}

/* A From that names no one author, though domains can be read in it: each is one that a reader may take for the author
 * (RFC 9989 11.5), so the strictest answer counts. Even where all of them pass, that is no pass of the message. */
static enum status check_authors(struct judge *j)
{
    _Static_assert(FORMAT_DOMAINS_MAX >= DMARC_AUTHORS_MAX, "dmarc_check_authors reads as many");
    const struct format_finding *f = &j->report.format;
    struct judge_report *r = &j->report;
    enum status s = dmarc_check_authors(j->scope, j->arena, f->domains, f->domain_count, r->identifiers,
                                        r->identifier_count, psl(j), &r->dmarc);

    if (s == STATUS_OK && r->dmarc.result == RESULT_PASS)
        r->dmarc = (struct dmarc_finding){
            .result = RESULT_PERMERROR, .reason = "From does not name one author", .domain = r->dmarc.domain};
    return s;
}

static enum status run_dmarc(struct judge *j)
{
    struct judge_report *r = &j->report;
    struct dmarc_identifier *ids = ARENA_ARRAY(j->arena, struct dmarc_identifier, r->dkim_count + 1);
    size_t n = 0;

    if (!ids)
        return STATUS_NOMEM;
    if (r->spf.domain && r->spf.result != RESULT_NONE)
        ids[n++] = (struct dmarc_identifier){
            .kind = DMARC_SPF, .domain = r->spf.domain, .result = r->spf.result, .counts = spf_counts(j, &r->spf)};
    for (size_t i = 0; i < r->dkim_count; i++) {
        const struct dkim_signature *d = &r->dkim[i];
        if (d->domain)
            ids[n++] = (struct dmarc_identifier){.kind = DMARC_DKIM,
                                                 .domain = d->domain,
                                                 .selector = d->selector,
                                                 .result = d->result,
                                                 .counts = d->counts ||
                                                           d->result == RESULT_TEMPERROR}; /* it might have counted */
    }
    r->identifiers = ids;
    r->identifier_count = n;
    if (!r->format.from_domain && r->format.domain_count)
        return check_authors(j);
    if (!psl(j))
        return dmarc_check(j->scope, j->arena, r->format.from_domain, ids, n, &r->dmarc);
    r->dmarc_compared = r->format.from_domain != NULL;
    enum status s = dmarc_check_psl(j->scope, j->arena, r->format.from_domain, ids, n, &r->dmarc);
    return s == STATUS_OK ? dmarc_check(j->scope, j->arena, r->format.from_domain, ids, n, &r->dmarc_by_walk) : s;
}

enum status checks_end(struct judge *j)
{
    struct judge_report *r = &j->report;
    enum status s;

    format_check(j->arena, &j->mail.headers, &j->mail.body, &r->format);
    if (r->format.result == RESULT_TEMPERROR)
        return STATUS_NOMEM;
    if (!r->judged)
        return STATUS_OK;
    s = run_spf(j);
    if (s == STATUS_OK)
        s = run_dkim(j);
    if (s == STATUS_OK)
        s = run_dmarc(j);
    if (s == STATUS_OK)
        s = rdns_check(j->scope, j->arena, &j->mail.client, j->mail.helo, &r->rdns);
    return s;
}
