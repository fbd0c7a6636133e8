// SPDX-License-Identifier: BSD-2-Clause
/*
 * facts_authors.c - what the verdict needs to know about each author of a message: its DMARC result, which signatures
 * belong to its organisation, and whether its DNS answers are signed.
 *
 * Decides nothing. Each author is looked at separately: proof for one of them does not count for another. There is one
 * DNS question, asked only if a rejection may depend on it: whether an author's domain says that it sends no mail at
 * all (RFC 7208 10.1.2, RFC 7505). Failure: STATUS_NOMEM.
 */
#include "base/domain.h"
#include "judge/checks.h"
#include <openssl/evp.h>

/* What DMARC said, for this author, about an identifier from DKIM. */
static const struct dmarc_aligned *aligned_of(const struct judge_report *r, const struct judge_author *author,
                                              const struct dkim_signature *d)
{
    static const struct dmarc_aligned nothing = {.alignment = DMARC_UNALIGNED};
    for (size_t i = 0; i < r->identifier_count && i < author->dmarc.aligned_count; i++) {
        const struct dmarc_identifier *id = &r->identifiers[i];
        if (id->kind == DMARC_DKIM && id->domain == d->domain && id->selector == d->selector)
            return &author->dmarc.aligned[i];
    }
    return &nothing;
}

/* Tells whether d= belongs to the organisation of this author; strict alignment does not matter here. A name below that
 * organisation may be another one (psd=n, or below psd=y), so its own walk decides. An author without a record has no
 * such walk: a name below his is his, but not below a public suffix, where others have names. If his own walk failed,
 * one name must be the other or a parent of it. *unsure: the walk of d= failed now. */
static bool of_author(const struct judge_report *r, const struct judge_author *author, const struct dkim_signature *d,
                      bool *unsure)
{
    const struct dmarc_aligned *aligned = aligned_of(r, author, d);
    const char *domain = d->domain, *org = author->dmarc.org_domain;

    *unsure = false;
    if (!author->domain || !domain)
        return false;
    if (aligned->alignment == DMARC_ALIGNED)
        return true;
    if (!org)
        return domain_labels(domain) > 1 &&
               (domain_is_within(domain, author->domain) || domain_is_within(author->domain, domain));
    if (aligned->org_domain)
        return strcmp(aligned->org_domain, org) == 0;
    *unsure = aligned->walk != NULL;
    return domain_is_within(domain, org) && (*unsure || !dmarc_psl_is_suffix(org));
}

static enum status fill_signatures(struct judge *j, struct facts *f)
{
    const struct judge_report *r = &j->report;
    struct facts_signature *s = ARENA_ARRAY(j->arena, struct facts_signature, r->dkim_count + 1);
    const char **signers = ARENA_ARRAY(j->arena, const char *, r->dkim_count + 1);

    if (!s || !signers)
        return STATUS_NOMEM;
    f->signatures = s;
    f->signers = signers;
    for (size_t i = 0; i < r->dkim_count; i++) {
        const struct dkim_signature *d = &r->dkim[i];
        struct facts_signature *one = &s[f->signature_count];
        const bool as_none = d->testing && d->result == RESULT_NEUTRAL; /* a failure of a key in testing mode */
        if (!d->domain)
            continue;
        *one = (struct facts_signature){
            .domain = d->domain,
            .result = d->result,
            .counts = d->counts,
            .only_body_changed = d->only_body_changed,
            .key_published = d->key_bits > 0 && !as_none,
            .limit = d->limit,
        };
        for (size_t k = 0; k < r->author_count && !as_none; k++) {
            bool unsure;
            if (of_author(r, &r->authors[k], d, &unsure))
                one->of_author |= UINT32_C(1) << k;
            if (unsure)
                one->unsure_of |= UINT32_C(1) << k;
        }
        f->signature_count++;
        if (d->counts)
            signers[f->signer_count++] = d->domain;
    }
    return STATUS_OK;
}

/* ---- DMARC ---- */

static enum facts_policy policy_fact(const struct dmarc_finding *d, enum dmarc_policy p)
{
    if (!d->record || !d->policy_known)
        return FACTS_P_ABSENT;
    return p == DMARC_POLICY_REJECT ? FACTS_P_REJECT : p == DMARC_POLICY_QUARANTINE ? FACTS_P_QUARANTINE : FACTS_P_NONE;
}

/* "v=spf1 -all" and nothing else. */
static bool is_spf_none(struct slice text)
{
    static const char version[] = "v=spf1";

    if (text.n < sizeof version || strncasecmp(text.p, version, sizeof version - 1) != 0 ||
        text.p[sizeof version - 1] != ' ')
        return false;
    return slice_eq_nocase(slice_trim(slice_from(text, sizeof version - 1)), SLICE_LIT("-all"));
}

/* How the domain declares that it sends no mail, or NULL. A temporary DNS failure is NULL too. */
static const char *sends_nothing(struct judge *j, const char *from)
{
    const struct dns_answer *txt, *mx;
    unsigned records = 0, none = 0;
    uint16_t preference;

    dns_start(j->scope, from, DNS_MX);
    txt = dns_get(j->scope, from, DNS_TXT);
    for (size_t i = 0; txt->state == DNS_FOUND && i < txt->count; i++) {
        struct slice text = dns_txt(j->scope, txt, i);
        records += text.n >= 6 && strncasecmp(text.p, "v=spf1", 6) == 0;
        none += is_spf_none(text);
    }
    if (records == 1 && none == 1)
        return "the From domain says by SPF that it sends no mail (v=spf1 -all)";
    mx = dns_get(j->scope, from, DNS_MX);
    if (mx->state == DNS_FOUND && mx->count == 1) {
        const char *host = dns_host(j->scope, mx, 0, &preference);
        if (host && strcmp(host, ".") == 0)
            return "the From domain says by a null MX that it has no mail";
    }
    return NULL;
}

/* RFC 7489 6.3: pct is a plain integer from 0 to 100; anything else is treated as absent. */
static unsigned percentage(const char *pct)
{
    unsigned n = 0;

    for (const char *p = pct; p && *p; p++) {
        if (*p < '0' || *p > '9' || (n = n * 10 + (unsigned)(*p - '0')) > 100)
            return 100;
    }
    return pct && *pct ? n : 100;
}

/* Tells whether this mail is outside the pct sample. The same mail gets the same answer all day (UTC), at each delivery
 * attempt and on every host; different domains get different answers. */
static bool is_sampled_out(struct judge *j, const struct dmarc_finding *d)
{
    const unsigned pct = d->psl && d->record && d->result == RESULT_FAIL ? percentage(d->record->pct) : 100;
    const int64_t day = (int64_t)j->mail.at / 86400;
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    struct slice id;
    const char *text;

    if (pct >= 100)
        return false;
    id = mail_message_id(&j->mail, j->arena);
    text = arena_printf(j->arena, "%lld %s %.*s", (long long)day, d->domain, (int)id.n, id.p ? id.p : "");
    if (!text || !EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL))
        return false;
    return (digest[0] << 8 | digest[1]) % 100u >= pct;
}

/* An aligned signature with a published key shows that the domain sends mail, even if the message was changed on its
 * way (RFC 9989 7.4). A domain that signs all its mail does not send mail without a signature. */
static void fill_knowledge(struct judge *j, struct facts *f, size_t k)
{
    struct facts_author *author = &f->authors[k];
    bool signature = false, key = false;

    if (author->dmarc.result != RESULT_FAIL || author->dmarc.published != FACTS_P_REJECT || !author->domain)
        return;
    for (size_t i = 0; i < f->signature_count; i++) {
        const bool of_it = f->signatures[i].of_author >> k & 1;
        signature |= of_it;
        key |= of_it && f->signatures[i].key_published;
    }
    if (!key)
        author->sends_nothing = sends_nothing(j, author->domain);
    author->known_signer =
        !signature && j->host->knows_signer && j->host->knows_signer(j->host->context, author->domain);
}

static void fill_author(struct judge *j, struct facts *f, size_t k)
{
    const struct dmarc_finding *d = &j->report.authors[k].dmarc;
    struct facts_author *author = &f->authors[k];

    *author = (struct facts_author){.domain = j->report.authors[k].domain};
    author->dmarc.result = d->result;
    author->dmarc.reason = d->reason;
    author->dmarc.published = policy_fact(d, d->published);
    author->dmarc.applied = policy_fact(d, d->policy);
    author->dmarc.record_domain = d->record_domain;
    author->dmarc.testing = d->testing;
    author->dmarc.sampled_out = is_sampled_out(j, d);
    author->dmarc.could_align = d->temp_could_have_aligned || d->dns_failed;
    author->dmarc.surely_aligned = d->identical_pass;
    author->dmarc.limit = d->limit;
    fill_knowledge(j, f, k);
}

/* ---- DNSSEC ---- */

static enum dns_security worse(enum dns_security a, enum dns_security b)
{
    static const int rank[] = {[DNS_SECURE] = 0, [DNS_INSECURE] = 1, [DNS_UNKNOWN] = 2, [DNS_BROKEN] = 3};
    return rank[a] >= rank[b] ? a : b;
}

/* DNSSEC state of the answers for the nth identifier. */
static enum dns_security identifier_security(const struct judge_report *r, size_t i)
{
    const struct dmarc_identifier *id = &r->identifiers[i];

    if (id->kind == DMARC_SPF)
        return r->spf.security;
    for (size_t k = 0; k < r->dkim_count; k++)
        if (r->dkim[k].domain == id->domain && r->dkim[k].selector == id->selector)
            return r->dkim[k].security;
    return DNS_UNKNOWN;
}

/* Determines which answers the verdict on an author needed: DMARC's own and, if it passes, those of the best identifier
 * that makes it pass. A broken identifier does no harm if another passes; if none passes, one that could have passed
 * counts. */
static enum dns_security author_security(const struct judge_report *r, const struct dmarc_finding *d, const char **why)
{
    enum dns_security best = DNS_BROKEN, all = d->security;
    bool any = false;

    *why = "the DMARC record";
    for (size_t i = 0; i < r->identifier_count && i < d->aligned_count; i++) {
        const enum dns_security s = identifier_security(r, i);
        if (d->result == RESULT_PASS && d->aligned[i].passes) {
            any = true;
            if (worse(best, s) == best)
                best = s;
        } else if (d->result != RESULT_PASS && d->aligned[i].alignment != DMARC_UNALIGNED && s == DNS_BROKEN) {
            *why = r->identifiers[i].kind == DMARC_SPF ? "the SPF record" : "the key of a signature";
            all = DNS_BROKEN;
        }
    }
    if (any && worse(best, all) != all) {
        *why = "the SPF record or the key that makes DMARC pass";
        all = best;
    }
    return all;
}

static enum status add_dnssec(struct judge *j, struct facts *f, const char *domain, enum dns_security s,
                              const char *what, enum limit_kind limit)
{
    static const char *const words[] = {
        [DNS_UNKNOWN] = "could not be looked up now",
        [DNS_INSECURE] = "is not signed (DNSSEC)",
        [DNS_SECURE] = "is signed and valid (DNSSEC)",
        [DNS_BROKEN] = "is bogus: its DNSSEC signature does not validate",
    };
    char *reason = arena_printf(j->arena, "%s of %s %s", what, domain, words[s]);

    if (!reason)
        return STATUS_NOMEM;
    f->dnssec[f->dnssec_count++] =
        (struct facts_dnssec){domain, s, reason, s == DNS_UNKNOWN ? limit : LIMIT_NOT_REACHED};
    return STATUS_OK;
}

static enum status fill_dnssec(struct judge *j, struct facts *f)
{
    const struct judge_report *r = &j->report;
    bool is_author = false, passes_without_spf = f->author_count > 0;
    enum status s = STATUS_OK;

    for (size_t k = 0; k < f->author_count && s == STATUS_OK; k++) {
        const struct judge_author *author = &r->authors[k];
        const char *why;
        if (!author->domain)
            continue;
        enum dns_security sec = author_security(r, &author->dmarc, &why);
        s = add_dnssec(j, f, author->domain, sec, why, author->dmarc.limit);
        is_author |= f->mail_from && strcmp(f->mail_from, author->domain) == 0;
        passes_without_spf &= author->dmarc.result == RESULT_PASS && !author->dmarc.spf_aligned;
    }
    /* SPF of a MAIL FROM domain that is not an author's matters only if DMARC did not pass without it. */
    if (s == STATUS_OK && f->mail_from && !is_author && r->spf.security != DNS_UNKNOWN && !passes_without_spf)
        s = add_dnssec(j, f, f->mail_from, r->spf.security, "the SPF record", r->spf_limit);
    return s;
}

enum status facts_fill_authors(struct judge *j)
{
    struct facts *f = &j->report.facts;
    enum status s = fill_signatures(j, f);

    if (s != STATUS_OK)
        return s;
    f->no_author = j->report.format.author == FORMAT_AUTHOR_HIDDEN ? FACTS_AUTHOR_HIDDEN : FACTS_AUTHOR_ABSENT;
    f->author_count = j->report.author_count;
    for (size_t k = 0; k < f->author_count; k++)
        fill_author(j, f, k);
    return fill_dnssec(j, f);
}
