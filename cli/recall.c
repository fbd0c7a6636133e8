// SPDX-License-Identifier: BSD-2-Clause
/*
 * recall.c - facts out of a mail's record, for the milter's own decision.
 *
 * Promises that a record of any content gives facts (what is missing or wrong is "not known"), within FACTS_AUTHORS and
 * FACTS_SENDERS, and that a mail which the milter did not judge (submission, own network, ...) is not judged here
 * either. Failure: out of memory only.
 */
#include "cli/recall.h"
#include "base/domain.h"
#include "judge/session_tls.h"
#include <string.h>

#define SIGNATURES 64

static enum result result_of(const struct value *f)
{
    const char *word = value_text(f, "result");
    return word ? result_from_name(slice_str(word)) : RESULT_UNTESTED;
}

static const char *name_of(const char *text)
{
    return text && domain_is_kept(text) ? text : NULL;
}

static enum judge_source source_of(const struct record *r)
{
    static const enum judge_source all[] = {JUDGE_INTERNET,   JUDGE_RELAY, JUDGE_OWN,
                                            JUDGE_SUBMISSION, JUDGE_LOCAL, JUDGE_FLEET};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (str_is(r->source, judge_source_name(all[i])))
            return all[i];
    return JUDGE_INTERNET;
}

static enum facts_policy policy_of(const char *word)
{
    return str_is(word, "none")         ? FACTS_P_NONE
           : str_is(word, "quarantine") ? FACTS_P_QUARANTINE
           : str_is(word, "reject")     ? FACTS_P_REJECT
                                        : FACTS_P_ABSENT;
}

/* What the owner published for this author: the organisation's p, or sp below it. */
static enum facts_policy published_of(const struct value *dmarc)
{
    const char *subject = value_text(dmarc, "subject"), *record = value_text(dmarc, "record");
    const char *sp = value_text(dmarc, "sp"), *applied = value_text(dmarc, "applied");
    bool below = subject && record && strcmp(subject, record) != 0;
    enum facts_policy p = policy_of(below && sp ? sp : value_text(dmarc, "p"));
    return p == FACTS_P_ABSENT ? policy_of(applied) : p;
}

static void add_author(struct facts *f, const struct value *dmarc, const char *domain, const struct value *of)
{
    if (f->author_count == FACTS_AUTHORS)
        return;
    struct facts_author *a = &f->authors[f->author_count++];
    *a = (struct facts_author){.domain = domain, .sends_nothing = value_text(of, "sends_nothing")};
    a->known_signer = value_true(of, "known_signer");
    a->dmarc.result = result_of(of);
    a->dmarc.applied = policy_of(value_text(of, "applied"));
    a->dmarc.published = of == dmarc ? published_of(dmarc) : a->dmarc.applied;
    a->dmarc.record_domain = value_text(of, "record");
    a->dmarc.testing = of == dmarc && str_is(value_text(dmarc, "t"), "y");
    a->dmarc.could_align = a->dmarc.result == RESULT_TEMPERROR;
    a->dmarc.reason = value_text(of, "reason");
}

static void add_authors(struct facts *f, const struct record *r, const struct value *dmarc)
{
    const struct value *several = value_get(dmarc, "candidates");
    for (size_t i = 0; i < value_count(several); i++)
        add_author(f, dmarc, name_of(value_text(value_at(several, i), "domain")), value_at(several, i));
    const char *domain = name_of(r->from ? r->from : value_text(dmarc, "subject"));
    if (value_count(several) == 0 && domain)
        add_author(f, dmarc, domain, dmarc);
    if (f->author_count == 0 && result_of(dmarc) == RESULT_PERMERROR)
        f->no_author = FACTS_AUTHOR_HIDDEN;
}

static void add_signature(struct facts *f, struct facts_signature *all, const struct value *v)
{
    const char *domain = name_of(value_text(v, "subject"));
    if (!domain || !value_text(v, "selector") || f->signature_count == SIGNATURES)
        return;
    bool aligned = value_true(v, "aligned");
    const char **signers = (const char **)(void *)(size_t)f->signers;
    all[f->signature_count++] = (struct facts_signature){.domain = domain,
                                                         .result = result_of(v),
                                                         .counts = value_true(v, "counts"),
                                                         .of_author = aligned ? (1u << FACTS_AUTHORS) - 1 : 0,
                                                         .only_body_changed = value_true(v, "header_hash_ok"),
                                                         .key_published = value_number(v, "bits") > 0};
    if (result_of(v) == RESULT_PASS)
        signers[f->signer_count++] = domain;
}

static enum dns_security security_of(const struct value *v)
{
    const char *word = value_text(v, "security");
    return str_is(word, dns_security_name(DNS_SECURE))     ? DNS_SECURE
           : str_is(word, dns_security_name(DNS_INSECURE)) ? DNS_INSECURE
           : str_is(word, dns_security_name(DNS_BROKEN))   ? DNS_BROKEN
                                                           : DNS_UNKNOWN;
}

static void add_dane(struct facts *f, const struct value *v)
{
    if (f->dane_count == sizeof f->dane / sizeof *f->dane)
        return;
    const char *proof = value_text(v, "proof");
    f->dane[f->dane_count++] = (struct facts_dane){
        .domain = name_of(value_text(v, "subject")),
        .posture = result_of(v),
        .contradicted = str_is(proof, "fail") || (value_true(v, "client") && result_of(v) == RESULT_FAIL),
        .reason = value_text(v, "reason"),
        .state = value_text(v, "state"),
        .probed = proof != NULL,
        .proof_reason = value_text(v, "proof_reason"),
        .of_client = value_true(v, "client")};
}

static void add_arc(struct facts *f, struct arena *a, const struct value *v)
{
    const struct value *sealers = value_get(v, "sealers");
    f->arc = result_of(v);
    f->arc_reason = value_text(v, "reason");
    size_t n = f->arc == RESULT_PASS ? value_count(sealers) : 0;
    struct facts_forwarder *all = ARENA_ARRAY(a, struct facts_forwarder, n + f->signer_count + 2), *at = all;
    if (!all)
        return;
    for (size_t i = 0; i < n && i < 50; i++)
        if (name_of(value_text_at(sealers, i)))
            *at++ = (struct facts_forwarder){value_text_at(sealers, i), "its ARC seal"};
    for (size_t i = 0; i < f->signer_count; i++)
        *at++ = (struct facts_forwarder){f->signers[i], "its DKIM signature"};
    if (f->spf.result == RESULT_PASS && f->spf.domain)
        *at++ = (struct facts_forwarder){f->spf.domain, "SPF"};
    f->forwarders = all;
    f->forwarder_count = (size_t)(at - all);
}

/* The null sender has no finding about MAIL FROM; a MAIL FROM that is no address has one. */
static bool is_null_sender(const struct record *r)
{
    for (size_t i = 0; !r->mail_from && i < value_count(r->findings) && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *v = value_at(r->findings, i);
        if (str_is(value_text(v, "standard"), "spf") && str_is(value_text(v, "identity"), "mailfrom"))
            return false;
    }
    return !r->mail_from;
}

static void add_spf(struct facts *f, const struct value *v)
{
    const char *identity = value_text(v, "identity");
    if (str_is(identity, "helo") && !f->null_sender)
        return;
    f->spf.result = result_of(v);
    f->spf.domain = name_of(value_text(v, "subject"));
    f->spf.reason = value_text(v, "reason");
}

static void add_tls(struct facts *f, const struct value *v)
{
    const char *version = value_text(v, "version");
    f->tls.result = result_of(v);
    f->tls.version = version ? session_tls_version(version) : 0;
    f->tls.weak = f->tls.result == RESULT_POLICY ? value_text(v, "reason") : NULL;
    f->tls.words = version;
}

static void add_finding(struct facts *f, const struct record *r, struct facts_signature *all, const struct value *v)
{
    const char *s = value_text(v, "standard");
    if (str_is(s, "spf"))
        add_spf(f, v);
    else if (str_is(s, "dkim"))
        add_signature(f, all, v);
    else if (str_is(s, "dmarc"))
        add_authors(f, r, v);
    else if (str_is(s, "dane"))
        add_dane(f, v);
    else if (str_is(s, "tls"))
        add_tls(f, v);
    else if (str_is(s, "dnssec") && f->dnssec_count < FACTS_SENDERS)
        f->dnssec[f->dnssec_count++] = (struct facts_dnssec){
            .domain = name_of(value_text(v, "subject")), .security = security_of(v), .reason = value_text(v, "reason")};
    else if (str_is(s, "message-format")) {
        f->format = result_of(v);
        f->format_reason = value_text(v, "reason");
        f->over_limit = value_text(v, "over_limit");
        f->unseen = value_text(v, "unseen");
    } else if (str_is(s, "rdns")) {
        f->rdns = result_of(v);
        f->rdns_reason = value_text(v, "reason");
    }
}

enum status recall_facts(struct arena *a, const struct record *r, struct recall *out)
{
    struct facts_signature *signatures = ARENA_ARRAY(a, struct facts_signature, SIGNATURES);
    const char **signers = ARENA_ARRAY(a, const char *, SIGNATURES);
    const struct value *arc = record_finding(r, "arc");
    struct facts *f = &out->facts;
    if (!signatures || !signers)
        return STATUS_NOMEM;
    *f = (struct facts){.source = source_of(r),
                        .mail_from = name_of(r->mail_from),
                        .helo = name_of(r->helo),
                        .from = name_of(r->from),
                        .null_sender = is_null_sender(r),
                        .spf.result = RESULT_NONE,
                        .arc = RESULT_NONE,
                        .format = RESULT_NONE,
                        .rdns = RESULT_NONE,
                        .tls.result = RESULT_NONE,
                        .signatures = signatures,
                        .signers = signers};
    if (r->client && ip_from_text(slice_str(r->client), &f->client) != STATUS_OK)
        f->client = (struct ip){0};
    f->client_hidden = f->source == JUDGE_RELAY && f->client.family == 0;
    for (size_t i = 0; i < value_count(r->findings) && i < RECORD_FINDINGS_MAX; i++)
        add_finding(f, r, signatures, value_at(r->findings, i));
    add_arc(f, a, arc);
    out->early = !record_finding(r, "dmarc");
    return arena_failed(a) ? STATUS_NOMEM : STATUS_OK;
}

enum status recall_verdict(struct arena *a, const struct recall *f, const struct policy *p, time_t at,
                           struct verdict *out)
{
    return f->early ? verdict_decide_early(a, &f->facts, p, NULL, at, NULL, out)
                    : verdict_decide(a, &f->facts, p, NULL, at, NULL, out);
}
