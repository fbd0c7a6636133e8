// SPDX-License-Identifier: BSD-2-Clause
/*
 * verdict_rules.c - what `follow` and `require` act on, for each standard: the table of assay-policy(5) as code, one
 * function per row (DMARC's is in verdict_dmarc.c).
 *
 * Each function is pure and asks for nothing if the level is ignore or record. What could not be determined is never a
 * failure: it goes through rule_unsure(). What cannot be asked at all (an unknown client behind a relay, no such
 * subject) is not a failure either.
 */
#include "judge/verdict_rules.h"

/* Tells whether DMARC passed for every author. */
static bool dmarc_passed(const struct ruling *r)
{
    const struct facts *f = r->f;

    for (size_t i = 0; i < f->author_count; i++)
        if (f->authors[i].dmarc.result != RESULT_PASS)
            return false;
    return f->author_count > 0 && !f->over_limit && !f->unseen;
}

/* Tells whether a statement in force follows or requires something that depends on the author. */
static const struct policy_statement *acts_on_authors(const struct ruling *r)
{
    const struct policy_statement *s;

    for (size_t i = 0; (s = policy_statement_at(r->p, i)) != NULL; i++)
        if (s->kind == POLICY_RULE && s->level >= POLICY_FOLLOW && !s->trial && !s->own_from &&
            (s->standards &
             (POLICY_BIT(STANDARD_DMARC) | POLICY_BIT(STANDARD_MESSAGE_FORMAT) | POLICY_BIT(STANDARD_DKIM))))
            return s;
    return NULL;
}

/* The header names more authors than we look at, so it is not known which statements about authors apply. No honest
 * mail comes near these limits. */
void rule_unseen(struct ruling *r)
{
    const struct policy_statement *s = r->f->unseen ? acts_on_authors(r) : NULL;
    struct verdict_line *l;

    if (!s)
        return;
    l = rule_ask(r, STANDARD_MESSAGE_FORMAT, NULL, NULL, RESULT_FAIL, r->f->unseen);
    l->level = POLICY_REQUIRE;
    l->statement = s;
    l->exemption = l->expired = NULL;
    l->trial = false;
    l->text = NULL;
    rule_limited(r, l, LIMIT_OF_MESSAGE, NULL, POLICY_REJECT);
}

/* follow: `fail` (-all) if DMARC did not pass; require: anything but pass in that case. RFC 7208 8.4 to 8.7. */
void rule_spf(struct ruling *r)
{
    const struct facts *f = r->f;
    const char *who = f->null_sender ? f->helo : f->mail_from;
    struct verdict_line *l = rule_ask(r, STANDARD_SPF, who, NULL, f->spf.result, f->spf.reason);

    if (l->level < POLICY_FOLLOW || dmarc_passed(r) || f->client_hidden)
        return;
    if (f->spf.result == RESULT_TEMPERROR && f->spf.limit)
        rule_limited(r, l, f->spf.limit, NULL, r->answer.action);
    else if (f->spf.result == RESULT_TEMPERROR)
        rule_unsure(r, l, r->answer.action, false);
    else if (l->level == POLICY_REQUIRE ? f->spf.result != RESULT_PASS : f->spf.result == RESULT_FAIL)
        rule_fails(r, l, NULL);
}

/* The best result of this author's signatures; *limit: for temperror, the limit that caused it. */
static enum result best_signature(const struct facts *f, size_t author, enum limit_kind *limit)
{
    enum result best = RESULT_NONE;
    bool unsure = false;

    *limit = LIMIT_OF_MESSAGE;
    for (size_t i = 0; i < f->signature_count; i++) {
        const struct facts_signature *s = &f->signatures[i];
        if (!(s->of_author >> author & 1))
            continue;
        const bool perhaps = s->counts && (s->unsure_of >> author & 1);
        if (s->counts && !perhaps)
            best = RESULT_PASS;
        else if (best == RESULT_NONE)
            best = s->result == RESULT_PASS ? RESULT_POLICY : s->result;
        if (s->result == RESULT_TEMPERROR || perhaps) {
            unsure = true;
            *limit = s->limit < *limit ? s->limit : *limit;
        }
    }
    return best != RESULT_PASS && unsure ? RESULT_TEMPERROR : best;
}

static void dkim_of(struct ruling *r, const char *domain, size_t author)
{
    const struct facts *f = r->f;
    enum limit_kind limit;
    const enum result best = best_signature(f, author, &limit);
    struct verdict_line *l = rule_ask(r, STANDARD_DKIM, domain, NULL, best,
                                      best == RESULT_PASS   ? "a valid signature of the From domain's organisation"
                                      : best == RESULT_NONE ? "no signature of the From domain's organisation"
                                                            : "no valid signature of the From domain's organisation");

    if (l->level != POLICY_REQUIRE)
        return;
    if (f->over_limit)
        rule_limited(r, l, LIMIT_OF_MESSAGE, f->over_limit, r->answer.action);
    else if (best == RESULT_TEMPERROR && limit)
        rule_limited(r, l, limit, NULL, r->answer.action);
    else if (best == RESULT_TEMPERROR)
        rule_unsure(r, l, r->answer.action, false);
    else if (best != RESULT_PASS)
        rule_fails(r, l, NULL);
}

/* require: a valid signature of each author's organisation. DKIM has no published policy, so there is nothing to
 * follow. */
void rule_dkim(struct ruling *r)
{
    for (size_t i = 0; i < r->f->author_count; i++)
        dkim_of(r, r->f->authors[i].domain, i);
    if (r->f->author_count == 0)
        dkim_of(r, NULL, FACTS_AUTHORS);
}

/* Recorded only: a chain is the claim of strangers. Sealers named by `trust` can change a verdict, in DMARC's rule. */
void rule_arc(struct ruling *r)
{
    rule_ask(r, STANDARD_ARC, r->f->from, NULL, r->f->arc, r->f->arc_reason);
}

/* follow: our own proof contradicts what is published; require: every MX host with DNSSEC-secure usable TLSA records
 * (RFC 7672). */
void rule_dane(struct ruling *r)
{
    for (size_t i = 0; i < r->f->dane_count; i++) {
        const struct facts_dane *d = &r->f->dane[i];
        struct verdict_line *l = rule_ask(r, STANDARD_DANE, d->domain, NULL, d->posture, d->reason);
        if (l->level < POLICY_FOLLOW || d->posture == RESULT_UNTESTED)
            continue;
        if (d->contradicted && d->of_client)
            rule_fails(r, l, NULL);
        else if (d->contradicted)
            rule_fails(r, l,
                       arena_printf(r->arena,
                                    "its mail host does not serve the certificate that its TLSA records promise: %s",
                                    d->proof_reason ? d->proof_reason : "no match"));
        else if (l->level == POLICY_REQUIRE && d->posture == RESULT_TEMPERROR && d->limit)
            rule_limited(r, l, d->limit, NULL, r->answer.action);
        else if (l->level == POLICY_REQUIRE && d->posture == RESULT_TEMPERROR)
            rule_unsure(r, l, r->answer.action, false);
        else if (l->level == POLICY_REQUIRE && d->posture != RESULT_PASS)
            rule_fails(r, l, NULL);
    }
}

/* require: TLS of at least the version written, or of POLICY_TLS_FLOOR, without a cipher known to be weak. A relay's
 * session says nothing about the client behind it. */
void rule_tls(struct ruling *r)
{
    const struct facts *f = r->f;
    const unsigned version = f->tls.version;
    struct verdict_line *l;
    unsigned wanted;

    if (f->source == JUDGE_RELAY)
        return;
    l = rule_ask(r, STANDARD_TLS, f->mail_from, &f->client, f->tls.result, f->tls.words);
    if (l->level != POLICY_REQUIRE)
        return;
    wanted = r->answer.tls_version ? r->answer.tls_version : POLICY_TLS_FLOOR;
    if (version == 0) {
        rule_fails(r, l, "the session is not encrypted");
        return;
    }
    if (version < wanted) {
        rule_fails(r, l,
                   arena_printf(r->arena, "the session uses %s, but TLS 1.%u or newer is required", f->tls.words,
                                wanted % 10));
        l->result = RESULT_POLICY;
    } else if (f->tls.weak) {
        rule_fails(r, l, arena_printf(r->arena, "the session uses %s: %s", f->tls.words, f->tls.weak));
    }
}

/* follow: a bogus answer that the verdict needed; require: an insecure one too. A bogus answer defers: it may be an
 * attack or a mistake. */
void rule_dnssec(struct ruling *r)
{
    for (size_t i = 0; i < r->f->dnssec_count; i++) {
        const struct facts_dnssec *d = &r->f->dnssec[i];
        struct verdict_line *l =
            rule_ask(r, STANDARD_DNSSEC, d->domain, NULL, dns_security_result(d->security), d->reason);
        if (l->level < POLICY_FOLLOW)
            continue;
        if (d->security == DNS_BROKEN) {
            rule_fails(r, l, NULL);
            if (l->level == POLICY_REQUIRE || !r->answer.action_written)
                l->action = POLICY_DEFER;
            l->temporary = l->action == POLICY_DEFER;
        } else if (l->level == POLICY_REQUIRE && d->security == DNS_UNKNOWN && d->limit) {
            rule_limited(r, l, d->limit, NULL, r->answer.action);
        } else if (l->level == POLICY_REQUIRE && d->security == DNS_UNKNOWN) {
            rule_unsure(r, l, r->answer.action, false);
        } else if (l->level == POLICY_REQUIRE && d->security == DNS_INSECURE) {
            rule_fails(r, l, NULL);
        }
    }
}

static void format_of(struct ruling *r, const char *domain)
{
    struct verdict_line *l = rule_ask(r, STANDARD_MESSAGE_FORMAT, domain, NULL, r->f->format, r->f->format_reason);

    if (l->level == POLICY_REQUIRE && r->f->format != RESULT_PASS)
        rule_fails(r, l, NULL);
}

/* require: the grammar of RFC 5322, as far as breaking it could mislead somebody. A statement about one domain applies
 * to every domain that the author may be taken for. */
void rule_format(struct ruling *r)
{
    for (size_t i = 0; i < r->f->author_count; i++)
        format_of(r, r->f->authors[i].domain);
    if (r->f->author_count == 0)
        format_of(r, r->f->from);
}

/* require: a name whose address is the client's (RFC 8601 2.7.3, iprev). No answer is not a failure. */
void rule_rdns(struct ruling *r)
{
    const struct facts *f = r->f;
    struct verdict_line *l;

    if (f->client.family == 0)
        return;
    l = rule_ask(r, STANDARD_RDNS, f->helo, &f->client, f->rdns, f->rdns_reason);
    if (l->level != POLICY_REQUIRE || f->rdns == RESULT_PASS)
        return;
    if (f->rdns == RESULT_TEMPERROR && f->rdns_limit)
        rule_limited(r, l, f->rdns_limit, NULL, r->answer.action);
    else if (f->rdns == RESULT_TEMPERROR)
        rule_unsure(r, l, r->answer.action, true);
    else
        rule_fails(r, l, NULL);
}

/* require own-from of submission: our users may write only with one of our own domains in From. This is not a standard;
 * it is reported under DMARC, because DMARC requires this alignment. */
void rule_own_from(struct ruling *r)
{
    const struct facts *f = r->f;
    const bool own = f->from && !f->unseen && policy_is_own_domain(r->p, f->from);
    struct policy_question q = {.own_from = true, .rcpt = r->rcpt, .at = r->at};
    struct policy_answer a;
    struct verdict_line *l;

    policy_ask(r->p, &q, &a);
    if (a.level != POLICY_REQUIRE)
        return;
    l = rule_ask(r, STANDARD_DMARC, f->from, NULL, own ? RESULT_PASS : RESULT_FAIL,
                 "the From domain is one of our own (own-from)");
    r->answer = a;
    l->level = a.level;
    l->trial = a.trial;
    l->text = a.text;
    l->statement = a.statement;
    l->exemption = l->expired = NULL;
    if (!own)
        rule_fails(r, l, f->unseen ? f->unseen : "users of this server may only write as one of its own domains");
}
