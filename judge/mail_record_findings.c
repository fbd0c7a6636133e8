// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_record_findings.c - writes the `findings` of a mail's record: one entry for each result of a standard, with the
 * details that reports and queries need (assay-journal(5)).
 *
 * Promises to write what the engines found, not what was decided. Texts that senders or their DNS wrote are JSON
 * strings (base/json.h).
 */
#include "judge/checks.h"
#include "judge/mail_record.h"

static void open_finding(struct json *out, enum standard s, const char *subject, enum result r, const char *reason)
{
    json_open(out);
    json_str(out, "standard", standard_name(s));
    json_opt(out, "subject", subject);
    json_str(out, "result", result_name(r));
    json_opt(out, "reason", reason);
}

static void put_security(struct json *out, enum dns_security s)
{
    json_str(out, "security", dns_security_name(s));
}

/* with_text: a failure report may be asked for, and quotes the record. */
static void put_spf(struct json *out, const struct spf_finding *f, const char *identity, bool with_text)
{
    open_finding(out, STANDARD_SPF, f->domain, f->result, f->reason);
    put_security(out, f->security);
    json_str(out, "identity", identity);
    json_opt(out, "mechanism", f->mechanism);
    if (f->authorised_v4)
        json_int(out, "authorised", f->authorised_v4 > INT64_MAX ? INT64_MAX : (int64_t)f->authorised_v4);
    if (f->plus_all)
        json_bool(out, "plus_all", true);
    if (with_text && f->result != RESULT_PASS && f->record_count && f->records[0].text.n)
        json_slice(out, "txt", f->records[0].text);
    json_end(out);
}

static void put_dkim(struct json *out, struct judge *j)
{
    const struct judge_report *r = judge_report(j);

    for (size_t i = 0, k = 0; i < r->dkim_count; i++) {
        const struct dkim_signature *d = &r->dkim[i];
        open_finding(out, STANDARD_DKIM, d->domain, d->result, d->reason);
        put_security(out, d->security);
        json_opt(out, "selector", d->selector);
        const char *at = d->identity ? strrchr(d->identity, '@') : NULL;
        if (at && d->domain && strcmp(at + 1, d->domain) != 0)
            json_str(out, "identity_domain", at + 1);
        json_opt(out, "algorithm", d->algorithm);
        if (d->key_bits)
            json_int(out, "bits", d->key_bits);
        json_bool(out, "aligned", d->domain && k < r->facts.signature_count && r->facts.signatures[k].of_author != 0);
        k += d->domain != NULL;
        json_bool(out, "counts", d->counts);
        if (d->testing)
            json_bool(out, "testing", true);
        if (d->body_partly_unsigned)
            json_bool(out, "body_partly_unsigned", true);
        if (d->only_body_changed) /* the key is older than the name, and keys of the journal stay */
            json_bool(out, "header_hash_ok", true);
        json_opt(out, "header_b", d->header_b);
        json_end(out);
    }
    if (r->dkim_count == 0) {
        open_finding(out, STANDARD_DKIM, r->facts.author_count ? r->facts.authors[0].domain : r->facts.from,
                     RESULT_NONE, NULL);
        json_end(out);
    }
}

static void put_policy_tag(struct json *out, const char *key, enum dmarc_tag_state state, enum dmarc_policy p)
{
    if (state == DMARC_TAG_VALID)
        json_str(out, key, dmarc_policy_name(p));
}

static void put_uris(struct json *out, const char *key, const char *const *uris, size_t n)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_addc(&b, ',');
        buf_adds(&b, uris[i]);
    }
    json_opt(out, key, b.p);
    buf_release(&b);
}

static void put_record(struct json *out, const struct dmarc_record *r)
{
    static const char *const psd[] = {[DMARC_PSD_U] = "u", [DMARC_PSD_Y] = "y", [DMARC_PSD_N] = "n"};
    char fo[16];
    size_t n = 0;

    put_policy_tag(out, "p", r->p_state, r->p);
    put_policy_tag(out, "sp", r->sp_state, r->sp);
    put_policy_tag(out, "np", r->np_state, r->np);
    json_str(out, "adkim", r->adkim_strict ? "s" : "r");
    json_str(out, "aspf", r->aspf_strict ? "s" : "r");
    for (unsigned i = 0; i < 4; i++) {
        if (!(r->fo & (1u << i)))
            continue;
        if (n)
            fo[n++] = ':';
        fo[n++] = "01ds"[i];
    }
    fo[n] = 0;
    json_opt(out, "fo", fo);
    json_str(out, "t", r->testing ? "y" : "n");
    json_str(out, "psd", psd[r->psd]);
    put_uris(out, "rua", r->rua, r->rua_count);
    put_uris(out, "ruf", r->ruf, r->ruf_count);
}

/* What we know about an author beyond what it published. */
static void put_knowledge(struct json *out, const struct facts *f, size_t i)
{
    if (i >= f->author_count)
        return;
    json_opt(out, "sends_nothing", f->authors[i].sends_nothing);
    if (f->authors[i].known_signer)
        json_bool(out, "known_signer", true);
}

/* One of several possible authors of the message. */
static void put_candidate(struct json *out, const struct judge_author *a, const struct facts *f, size_t i)
{
    json_open(out);
    json_opt(out, "domain", a->domain);
    json_str(out, "result", result_name(a->dmarc.result));
    json_opt(out, "record", a->dmarc.record_domain);
    if (a->dmarc.record && a->dmarc.policy_known)
        json_str(out, "applied", dmarc_policy_name(a->dmarc.policy));
    put_knowledge(out, f, i);
    json_end(out);
}

static void put_dmarc(struct json *out, struct judge *j)
{
    const struct dmarc_finding *d = &judge_report(j)->dmarc;

    open_finding(out, STANDARD_DMARC, d->domain, d->result, d->reason);
    put_security(out, d->security);
    json_opt(out, "record", d->record_domain);
    json_opt(out, "org", d->org_domain);
    if (d->record)
        put_record(out, d->record);
    if (d->record && d->policy_known)
        json_str(out, "applied", dmarc_policy_name(d->policy));
    json_str(out, "discovery", d->psl ? "psl" : "treewalk");
    json_bool(out, "spf_aligned", d->spf_aligned);
    json_bool(out, "dkim_aligned", d->dkim_aligned);
    put_knowledge(out, &judge_report(j)->facts, 0);
    /* One From domain in two fields is one candidate, whose own result the message's permerror does not say. */
    if (judge_report(j)->author_count > 1 ||
        (judge_report(j)->author_count == 1 && judge_report(j)->authors[0].dmarc.result != d->result)) {
        json_open_array(out, "candidates");
        for (size_t i = 0; i < judge_report(j)->author_count; i++)
            put_candidate(out, &judge_report(j)->authors[i], &judge_report(j)->facts, i);
        json_end(out);
    }
    if (judge_report(j)->dmarc_compared) {
        const struct dmarc_finding *walked = &judge_report(j)->dmarc_by_walk;
        json_open_in(out, "by_treewalk");
        json_str(out, "result", result_name(walked->result));
        json_opt(out, "record", walked->record_domain);
        json_opt(out, "org", walked->org_domain);
        if (walked->record && walked->policy_known)
            json_str(out, "applied", dmarc_policy_name(walked->policy));
        json_end(out);
    }
    json_end(out);
}

static void put_arc(struct json *out, const struct arc_finding *a, const char *from)
{
    open_finding(out, STANDARD_ARC, from, a->result, a->reason);
    if (a->instance_count) {
        put_security(out, a->security);
        json_int(out, "instances", a->instance_count);
        json_open_array(out, "sealers");
        for (unsigned i = 0; a->sealers && i < a->instance_count; i++)
            if (a->sealers[i])
                json_str(out, NULL, a->sealers[i]);
        json_end(out);
    }
    json_end(out);
}

/* The MAIL FROM domain; for the null sender the client, of which the ledger keeps the network. */
static const char *tls_subject(struct judge *j, char text[IP_TEXT])
{
    const struct judge_mail *m = judge_mail(j);
    return m->mail_from.domain ? m->mail_from.domain : m->client.family ? ip_text(&m->client, text) : NULL;
}

static void put_tls(struct json *out, struct judge *j)
{
    const struct facts *f = &judge_report(j)->facts;
    const struct mail_tls *t = &judge_mail(j)->tls;
    char text[IP_TEXT];

    if (f->source == JUDGE_RELAY)
        return;
    open_finding(out, STANDARD_TLS, tls_subject(j, text), f->tls.result, f->tls.weak);
    json_opt(out, "version", t->version);
    json_opt(out, "cipher", t->cipher);
    if (t->bits)
        json_int(out, "bits", t->bits);
    json_opt(out, "client_certificate", t->cert_subject);
    json_end(out);
}

static void put_dnssec(struct json *out, const struct facts *f)
{
    for (size_t i = 0; i < f->dnssec_count; i++) {
        open_finding(out, STANDARD_DNSSEC, f->dnssec[i].domain, dns_security_result(f->dnssec[i].security),
                     f->dnssec[i].reason);
        put_security(out, f->dnssec[i].security);
        json_end(out);
    }
}

/* Writes the names of the bits that are set; nothing if none is. */
static void put_bits(struct json *out, const char *key, unsigned bits, const char *(*name)(unsigned bit))
{
    if (!bits)
        return;
    json_open_array(out, key);
    for (unsigned bit = 1; bit && bit <= bits; bit <<= 1)
        if (bits & bit)
            json_str(out, NULL, name(bit));
    json_end(out);
}

static void put_format(struct json *out, const struct judge_report *r)
{
    open_finding(out, STANDARD_MESSAGE_FORMAT, r->format.from_domain, r->facts.format, r->facts.format_reason);
    put_bits(out, "flaws", r->format.flaws, format_flaw_name);
    put_bits(out, "remarks", r->format.remarks, format_remark_name);
    json_opt(out, "doubled", r->format.doubled);
    json_opt(out, "over_limit", r->facts.over_limit);
    json_opt(out, "unseen", r->facts.unseen);
    json_end(out);
}

void mail_record_findings(struct json *out, struct judge *j)
{
    const struct judge_report *r = judge_report(j);
    const struct facts *f = &r->facts;

    if (f->format != RESULT_NONE) /* none: the mail was decided before its header came */
        put_format(out, r);
    if (judge_source_is_judged(f->source))
        put_tls(out, j);
    if (!r->judged)
        return;
    put_spf(out, &r->spf, judge_mail(j)->null_sender ? "helo" : "mailfrom",
            r->dmarc.record && r->dmarc.record->ruf_count);
    if (!judge_mail(j)->null_sender)
        put_spf(out, &r->helo, "helo", false);
    put_dkim(out, j);
    put_dmarc(out, j);
    put_arc(out, &r->arc, f->from);
    put_dnssec(out, f);
    for (size_t i = 0; i < f->dane_count; i++) {
        open_finding(out, STANDARD_DANE, f->dane[i].domain, f->dane[i].posture, f->dane[i].reason);
        json_opt(out, "state", f->dane[i].state);
        if (f->dane[i].of_client)
            json_bool(out, "client", true);
        if (f->dane[i].probed) {
            json_str(out, "proof", result_name(f->dane[i].proof));
            json_opt(out, "proof_reason", f->dane[i].proof_reason);
        }
        json_end(out);
    }
    if (judge_mail(j)->client.family) {
        char client[IP_TEXT];
        open_finding(out, STANDARD_RDNS, ip_text(&judge_mail(j)->client, client), r->rdns.result, r->rdns.reason);
        json_opt(out, "name", r->rdns.name);
        put_security(out, r->rdns.security);
        json_end(out);
    }
}
