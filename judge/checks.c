// SPDX-License-Identifier: BSD-2-Clause
/*
 * checks.c - runs the engines over one message.
 *
 * Order in time: the client's names are looked up at the first accepted recipient, those of From and signatures at the
 * end of the header. Results are collected when the message has ended: the look-ups had all the time that the body
 * took. Results pass between engines as structures: DMARC gets SPF's and DKIM's findings, never a header (stamp.c
 * writes RFC 8601's fields from the report at the very end).
 *
 * A HELO pass counts for DMARC only with the null sender (RFC 9989 4.4.2; CVE-2019-20790 was that mistake).
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
    dns_scope_purpose(j->scope, DNS_FOR_SPF);
    spf_start(j->scope, &in);
    dns_scope_purpose(j->scope, DNS_FOR_REST);
    rdns_start(j->scope, &j->mail.client, j->mail.helo);
}

/* Tells whether organisational domains are found by the method of RFC 7489 (public suffix list). */
static bool psl(const struct judge *j)
{
    return policy_set_number(j->policy, SETTING_DMARC_PSL) != 0;
}

static size_t author_domains(const struct judge *j)
{
    const size_t n = j->report.format.domain_count;
    return n < FORMAT_DOMAINS_MAX ? n : FORMAT_DOMAINS_MAX;
}

enum status checks_start_header(struct judge *j)
{
    struct dkim_check_options dkim = {.at = j->mail.at,
                                      .engine = engines_dkim(j->host->engines),
                                      .ignore_testing = policy_set_is(j->policy, SETTING_DKIM_TESTING_KEYS, "ignore")};
    struct arc_check_options arc = {.at = j->mail.at};
    const char *from;

    format_check(j->arena, &j->mail.headers, &j->report.format);
    from = j->report.format.from_domain;
    dns_scope_purpose(j->scope, DNS_FOR_DMARC);
    for (size_t i = 0; i < author_domains(j) && !psl(j); i++)
        dmarc_start(j->scope, j->report.format.domains[i]);
    dns_scope_purpose(j->scope, DNS_FOR_KEYS);
    j->dkim = dkim_checker_new(j->scope, j->arena, &j->mail.headers, from, &dkim);
    if (!j->dkim)
        return STATUS_NOMEM;
    if (!psl(j)) /* with the public suffix list the records are asked for at the end */
        dns_scope_first_asked(j->scope);
    dns_scope_purpose(j->scope, DNS_FOR_REST);
    report_mail_records(&j->mail, j->arena, &j->report_records);
    for (size_t i = 0; i < j->report_records.count; i++)
        dns_start(j->scope, j->report_records.name[i], DNS_TXT);
    for (size_t i = 0; i < author_domains(j); i++)
        posture_start(j, j->report.format.domains[i]);
    arc.body_of = j->dkim;
    j->arc = arc_checker_new(j->scope, j->arena, &j->mail.headers, &arc);
    seal_prepare(j);
    return j->arc ? STATUS_OK : STATUS_NOMEM;
}

bool checks_spf_counts(const struct judge *j, const struct spf_finding *f)
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
    const struct spf_engine *engine = engines_spf(j->host->engines);
    enum limit_kind limit = dns_scope_limit(j->scope); /* limits reached earlier are not SPF's */
    enum status s;

    if (j->mail.mail_from_bad) { /* none, not permerror: no domain name could be taken from it (RFC 7208 2.6.1) */
        r->spf = (struct spf_finding){
            .result = RESULT_NONE, .identity = SPF_MAIL_FROM, .reason = "MAIL FROM is not an address"};
        s = STATUS_OK;
    } else if (j->mail.mail_from.literal.n || (!j->mail.mail_from.domain && !j->mail.null_sender)) {
        r->spf =
            (struct spf_finding){.result = RESULT_NONE, .identity = SPF_MAIL_FROM, .reason = "MAIL FROM has no domain"};
        s = STATUS_OK;
    } else {
        s = spf_check_by(engine, j->scope, j->arena, &in, SPF_MAIL_FROM, &r->spf);
    }
    limit = dns_scope_limit(j->scope);
    r->spf_limit = r->spf.result == RESULT_TEMPERROR ? limit : LIMIT_NOT_REACHED;
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

static enum status check_author(struct judge *j, struct judge_author *author)
{
    struct judge_report *r = &j->report;

    if (!author->domain) {
        author->dmarc = (struct dmarc_finding){.result = RESULT_PERMERROR,
                                               .reason = "an author has an address without a domain name"};
        return STATUS_OK;
    }
    if (psl(j))
        return dmarc_check_psl(j->scope, j->arena, author->domain, r->identifiers, r->identifier_count, &author->dmarc);
    return dmarc_check(j->scope, j->arena, author->domain, r->identifiers, r->identifier_count, &author->dmarc);
}

/* Makes the finding of the message. Each author was checked separately; the strictest finding counts. If From cannot be
 * read, or occurs twice, the message does not pass even if all candidates pass (RFC 9989 11.5). */
static enum status sum_up_authors(struct judge *j)
{
    struct judge_report *r = &j->report;

    if (r->author_count == 0) {
        r->dmarc = (struct dmarc_finding){.result = RESULT_NONE, .reason = "no From domain to ask about"};
        if (r->format.author == FORMAT_AUTHOR_HIDDEN)
            r->dmarc.result = RESULT_PERMERROR;
        return STATUS_OK;
    }
    for (size_t i = 1; i < r->author_count; i++)
        if (dmarc_severity(&r->authors[i].dmarc) > dmarc_severity(&r->authors[0].dmarc)) {
            struct judge_author first = r->authors[0];
            r->authors[0] = r->authors[i];
            r->authors[i] = first;
        }
    r->dmarc = r->authors[0].dmarc;
    if (r->format.author != FORMAT_AUTHOR_GUESSED)
        return STATUS_OK;
    r->dmarc.result = RESULT_PERMERROR;
    r->dmarc.reason = arena_printf(j->arena, "From does not name exactly one author; of the possible ones, %s: %s",
                                   r->authors[0].domain, r->authors[0].dmarc.reason);
    return r->dmarc.reason ? STATUS_OK : STATUS_NOMEM;
}

static enum status check_authors(struct judge *j)
{
    _Static_assert(FORMAT_DOMAINS_MAX + 1 == FACTS_AUTHORS, "one author for each domain, and one without a domain");
    struct judge_report *r = &j->report;
    enum status s = STATUS_OK;

    r->authors = ARENA_ARRAY(j->arena, struct judge_author, FACTS_AUTHORS);
    if (!r->authors)
        return STATUS_NOMEM;
    for (size_t i = 0; i < author_domains(j); i++)
        r->authors[r->author_count++].domain = r->format.domains[i];
    if ((r->format.flaws & FORMAT_FROM_LITERAL) && r->author_count)
        r->author_count++;
    for (size_t i = 0; i < r->author_count && s == STATUS_OK; i++)
        s = check_author(j, &r->authors[i]);
    if (s == STATUS_OK)
        s = sum_up_authors(j);
    r->dmarc_compared = psl(j) && r->format.from_domain != NULL;
    if (s == STATUS_OK && r->dmarc_compared)
        s = dmarc_check(j->scope, j->arena, r->format.from_domain, r->identifiers, r->identifier_count,
                        &r->dmarc_by_walk);
    return s;
}

static enum status run_dmarc(struct judge *j)
{
    struct judge_report *r = &j->report;
    struct dmarc_identifier *ids = ARENA_ARRAY(j->arena, struct dmarc_identifier, r->dkim_count + 1);
    size_t n = 0;

    if (!ids)
        return STATUS_NOMEM;
    if (r->spf.domain)
        ids[n++] = (struct dmarc_identifier){.kind = DMARC_SPF,
                                             .domain = r->spf.domain,
                                             .result = r->spf.result,
                                             .counts = checks_spf_counts(j, &r->spf),
                                             .limit = r->spf_limit};
    for (size_t i = 0; i < r->dkim_count; i++) {
        const struct dkim_signature *d = &r->dkim[i];
        ids[n++] =
            (struct dmarc_identifier){.kind = DMARC_DKIM,
                                      .domain = d->domain,
                                      .selector = d->selector,
                                      .result = d->result,
                                      .counts = d->counts || d->result == RESULT_TEMPERROR, /* it could have passed */
                                      .limit = d->limit};
    }
    r->identifiers = ids;
    r->identifier_count = n;
    return check_authors(j);
}

/* Whether a recipient is there for reports. What DNS does not say is no sign. */
static void find_rua(struct judge *j)
{
    for (size_t i = 0; i < j->report_records.count && !j->mail.to_rua; i++) {
        const struct dns_answer *answer = dns_get(j->scope, j->report_records.name[i], DNS_TXT);
        for (size_t k = 0; answer->state == DNS_FOUND && k < answer->count && !j->mail.to_rua; k++)
            j->mail.to_rua = report_mail_names_rcpt(&j->mail, dns_txt(j->scope, answer, k));
    }
}

enum status checks_end(struct judge *j)
{
    struct judge_report *r = &j->report;
    enum status s;

    if (r->format.result == RESULT_TEMPERROR || arena_failed(j->arena))
        return STATUS_NOMEM;
    if (!r->judged)
        return STATUS_OK;
    dns_scope_purpose(j->scope, DNS_FOR_SPF);
    s = run_spf(j);
    dns_scope_purpose(j->scope, DNS_FOR_KEYS);
    if (s == STATUS_OK)
        s = run_dkim(j);
    dns_scope_purpose(j->scope, DNS_FOR_DMARC);
    if (s == STATUS_OK)
        s = run_dmarc(j);
    dns_scope_purpose(j->scope, DNS_FOR_REST);
    if (s != STATUS_OK)
        return s;
    find_rua(j);
    (void)dns_scope_limit(j->scope);
    s = rdns_check(j->scope, j->arena, &j->mail.client, j->mail.helo, &r->rdns);
    r->rdns_limit = dns_scope_limit(j->scope);
    if (r->rdns.result != RESULT_TEMPERROR)
        r->rdns_limit = LIMIT_NOT_REACHED;
    return s;
}
