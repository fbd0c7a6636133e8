// SPDX-License-Identifier: BSD-2-Clause
/*
 * facts.c - from what the engines found to what the verdict is computed from.
 *
 * Promises to decide nothing: each fact is a value of a finding, or follows from findings by the words of a standard.
 * DNS is asked for one thing only, and only where a rejection may hang on it: whether the From domain says that it
 * sends no mail at all (RFC 7208 10.1.2, RFC 7505). Failure: STATUS_NOMEM.
 */
#include "base/domain.h"
#include "judge/checks.h"
#include "judge/posture.h"
#include "judge/session_tls.h"

/* Whether d= is of the From domain's organisation. Where DMARC found no record it has not walked: then one name must
 * lie in the other. */
static bool of_from(const struct judge_report *r, const char *domain, enum dmarc_alignment alignment)
{
    const char *from = r->format.from_domain;

    if (!from || !domain)
        return false;
    if (alignment == DMARC_ALIGNED)
        return true;
    if (r->dmarc.org_domain)
        return domain_is_within(domain, r->dmarc.org_domain);
    return domain_labels(domain) > 1 && (domain_is_within(domain, from) || domain_is_within(from, domain));
}

/* DMARC's word on the nth identifier that DKIM handed in. */
static enum dmarc_alignment alignment_of(const struct judge_report *r, const struct dkim_signature *d)
{
    for (size_t i = 0; i < r->identifier_count && i < r->dmarc.aligned_count; i++) {
        const struct dmarc_identifier *id = &r->identifiers[i];
        if (id->kind == DMARC_DKIM && id->domain == d->domain && id->selector == d->selector)
            return r->dmarc.aligned[i].alignment;
    }
    return DMARC_UNALIGNED;
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
        if (!d->domain)
            continue;
        s[f->signature_count++] = (struct facts_signature){
            .domain = d->domain,
            .result = d->result,
            .counts = d->counts,
            .of_from = of_from(r, d->domain, alignment_of(r, d)),
            .header_hash_ok = d->header_hash_ok,
        };
        if (d->counts)
            signers[f->signer_count++] = d->domain;
    }
    return STATUS_OK;
}

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

/* How the domain says that it sends nothing, or NULL. An answer that can't be had now says nothing. */
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

static void fill_dmarc(struct judge *j, struct facts *f)
{
    const struct dmarc_finding *d = &j->report.dmarc;
    bool signature = false;

    f->dmarc.result = d->result;
    f->dmarc.domain = d->domain;
    f->dmarc.reason = d->reason;
    f->dmarc.published = policy_fact(d, d->published);
    f->dmarc.applied = policy_fact(d, d->policy);
    f->dmarc.record_domain = d->record_domain;
    f->dmarc.testing = d->testing;
    f->dmarc.could_align = d->temp_could_have_aligned || d->dns_failed;
    f->dmarc.surely_aligned = d->identical_pass;
    if (d->result != RESULT_FAIL || f->dmarc.published != FACTS_P_REJECT || !d->domain)
        return;
    f->sends_nothing = sends_nothing(j, d->domain);
    for (size_t i = 0; i < f->signature_count; i++)
        signature |= f->signatures[i].of_from;
    f->known_signer = !signature && j->host->knows_signer && j->host->knows_signer(j->host->context, d->domain);
}

static enum dns_security worse(enum dns_security a, enum dns_security b)
{
    static const int rank[] = {[DNS_SECURE] = 0, [DNS_INSECURE] = 1, [DNS_UNKNOWN] = 2, [DNS_BROKEN] = 3};
    return rank[a] >= rank[b] ? a : b;
}

/* Security of the nth identifier's own answers. */
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

/* What the verdict on the From domain needed: DMARC's own answers and, where it passes, the best identifier that makes
 * it pass. A broken identifier beside a sound one spoils nothing; where none passes, one that might have counts. */
static enum dns_security from_security(const struct judge_report *r, const char **why)
{
    const struct dmarc_finding *d = &r->dmarc;
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
                              const char *what)
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
    f->dnssec[f->dnssec_count++] = (struct facts_dnssec){domain, s, reason};
    return STATUS_OK;
}

static enum status fill_dnssec(struct judge *j, struct facts *f)
{
    const struct judge_report *r = &j->report;
    const char *why;
    enum status s = STATUS_OK;

    if (f->from) {
        enum dns_security sec = from_security(r, &why);
        s = add_dnssec(j, f, f->from, sec, why);
    }
    /* SPF of a MAIL FROM domain that is not the From domain matters where DMARC did not pass without it. */
    if (s == STATUS_OK && f->mail_from && (!f->from || strcmp(f->mail_from, f->from) != 0) &&
        r->spf.security != DNS_UNKNOWN && !(r->dmarc.result == RESULT_PASS && !r->dmarc.spf_aligned))
        s = add_dnssec(j, f, f->mail_from, r->spf.security, "the SPF record");
    return s;
}

/* Whom this mail proves to come through: see facts.h. An ARC set is believed where the content is still what its sealer
 * saw, and where the sealer saw DMARC pass for this very From domain. */
static enum status fill_forwarders(struct judge *j, struct facts *f)
{
    const struct judge_report *r = &j->report;
    struct facts_forwarder *list =
        ARENA_ARRAY(j->arena, struct facts_forwarder, r->arc.instance_count + r->dkim_count + 1);
    size_t n = 0;

    if (!list)
        return STATUS_NOMEM;
    for (unsigned i = 0; r->arc.counts && r->arc.sets && i < r->arc.instance_count; i++) {
        const struct arc_set *set = &r->arc.sets[i];
        const bool unchanged = i == 0 || set->instance >= r->arc.oldest_pass;
        if (unchanged && set->sealer && set->dmarc == RESULT_PASS && f->from &&
            (!set->dmarc_from || strcmp(set->dmarc_from, f->from) == 0))
            list[n++] = (struct facts_forwarder){set->sealer, "its ARC seal"};
    }
    for (size_t i = 0; i < r->dkim_count; i++)
        if (r->dkim[i].counts && r->dkim[i].domain)
            list[n++] = (struct facts_forwarder){r->dkim[i].domain, "its DKIM signature"};
    if (r->spf.result == RESULT_PASS && r->spf.domain && !r->spf.plus_all)
        list[n++] = (struct facts_forwarder){r->spf.domain, "SPF"};
    f->forwarders = list;
    f->forwarder_count = n;
    return STATUS_OK;
}

enum status facts_fill_early(struct judge *j)
{
    struct facts *f = &j->report.facts;
    const struct judge_mail *m = &j->mail;

    f->source = m->source;
    f->listener = m->daemon;
    f->client = m->client;
    f->client_hidden = m->client_hidden || m->client.family == 0;
    f->mail_from = m->mail_from.domain;
    f->helo = m->helo_domain;
    f->null_sender = m->null_sender;
    f->tls.version = session_tls_version(m->tls.version);
    f->tls.weak = f->tls.version ? session_tls_weakness(m->tls.cipher, m->tls.bits) : NULL;
    f->tls.result = !f->tls.version ? RESULT_NONE : f->tls.weak ? RESULT_POLICY : RESULT_PASS;
    f->tls.words = f->tls.version ? arena_printf(j->arena, "%s with %s", m->tls.version,
                                                 m->tls.cipher ? m->tls.cipher : "an unknown cipher")
                                  : "no TLS";
    return f->tls.words ? STATUS_OK : STATUS_NOMEM;
}

/* The message-format finding, and a MAIL FROM that is no address with it. */
static void fill_format(struct judge *j, struct facts *f)
{
    f->format = j->report.format.result;
    f->format_reason = j->report.format.reason;
    if (j->mail.mail_from_bad) {
        f->format = RESULT_FAIL;
        f->format_reason = "MAIL FROM is no address (RFC 5321 4.1.2)";
    }
}

enum status facts_fill(struct judge *j)
{
    struct facts *f = &j->report.facts;
    const struct judge_report *r = &j->report;
    enum status s = facts_fill_early(j);

    f->from = r->format.from_domain;
    fill_format(j, f);
    if (s != STATUS_OK || !r->judged)
        return s;
    f->spf.result = r->spf.result;
    f->spf.domain = r->spf.domain;
    f->spf.reason = r->spf.reason;
    f->arc = r->arc.result;
    f->arc_reason = r->arc.reason;
    f->rdns = r->rdns.result;
    f->rdns_reason = r->rdns.reason;
    s = fill_signatures(j, f);
    if (s == STATUS_OK)
        s = fill_forwarders(j, f);
    if (s != STATUS_OK)
        return s;
    fill_dmarc(j, f);
    s = fill_dnssec(j, f);
    return s == STATUS_OK ? posture_fill(j) : s;
}
