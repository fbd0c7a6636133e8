// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_examples.c - six mails, and what becomes of each by this policy: what `assay policy read` begins with.
 *
 * Promises that the milter's own decision is asked (verdict_decide), as if the policy were in force, for a recipient of
 * whom no statement speaks apart; nothing is decided here. Out of memory: no examples.
 */
#include "cli/policy/policy_examples.h"
#include "base/arena.h"
#include "base/clock.h"
#include "cli/policy/policy_words.h"
#include "judge/verdict.h"

#define STRANGER "stranger.example"
#define OTHER "elsewhere.example"

/* What the standards say of it; the rest passes. */
struct example {
    const char *words;
    enum result dmarc, format, tls;
    enum facts_policy published;
    bool own, signed_other;
};

static const struct example examples[] = {
    {N_("A mail whose sender is proved: signed by its domain, over TLS."), RESULT_PASS, RESULT_PASS, RESULT_PASS,
     FACTS_P_REJECT, false, false},
    {N_("A mail that bears the name of a domain whose owner asks to refuse what is not proved (p=reject), and is not."),
     RESULT_FAIL, RESULT_PASS, RESULT_PASS, FACTS_P_REJECT, false, false},
    {N_("The same of an owner who asks for the junk folder (p=quarantine)."), RESULT_FAIL, RESULT_PASS, RESULT_PASS,
     FACTS_P_QUARANTINE, false, false},
    {N_("A mail that somebody elsewhere writes in our own name."), RESULT_FAIL, RESULT_PASS, RESULT_PASS,
     FACTS_P_REJECT, true, false},
    {N_("A mail of a domain that publishes no DMARC, from a server without TLS."), RESULT_NONE, RESULT_PASS,
     RESULT_NONE, FACTS_P_ABSENT, false, false},
    {N_("A message with two senders, of which people see one and programs another."), RESULT_PASS, RESULT_FAIL,
     RESULT_PASS, FACTS_P_NONE, false, false},
};

static const char *own_domain(const struct policy *p)
{
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(p, i)); i++)
        if (s->kind == POLICY_OWN && strcmp(s->name, "domains") == 0 && s->item_count && s->items[0][0] != 'l')
            return s->items[0];
    return NULL;
}

static void example_fill(struct facts *f, const struct example *e, const char *from,
                         const struct facts_signature *signature)
{
    const bool passes = e->dmarc == RESULT_PASS;
    *f = (struct facts){.source = JUDGE_INTERNET,
                        .mail_from = passes ? from : OTHER,
                        .helo = passes ? "mail." STRANGER : "mail." OTHER,
                        .from = from,
                        .client = {.family = 4, .octets = {192, 0, 2, 66}},
                        .arc = RESULT_NONE,
                        .rdns = RESULT_PASS,
                        .format = e->format,
                        .format_reason = e->format == RESULT_FAIL ? "two From fields" : NULL,
                        .author_count = 1};
    f->spf.result = RESULT_PASS;
    f->spf.domain = f->mail_from;
    f->signatures = signature;
    f->signature_count = passes;
    f->authors[0].domain = from;
    f->authors[0].dmarc.result = e->dmarc;
    f->authors[0].dmarc.published = f->authors[0].dmarc.applied = e->published;
    f->authors[0].dmarc.record_domain = from;
    f->authors[0].dmarc.reason = "not proved";
    f->tls.result = e->tls;
    f->tls.version = e->tls == RESULT_PASS ? 13 : 0;
    f->tls.words = e->tls == RESULT_PASS ? "TLSv1.3" : "no TLS";
}

bool policy_example(const struct policy *p, size_t i, struct policy_example *out)
{
    if (i >= sizeof examples / sizeof *examples)
        return false;
    const struct example *e = &examples[i];
    const char *own = own_domain(p), *from = e->own && own ? own : STRANGER;
    const struct facts_signature signature = {
        .domain = from, .result = RESULT_PASS, .counts = true, .of_author = 1, .key_published = true};
    struct arena *a = arena_new((size_t)4 << 20);
    struct facts *f = a ? ARENA_NEW(a, struct facts) : NULL;
    struct verdict v = {.action = POLICY_DELIVER};
    *out = (struct policy_example){.mail = _(e->words), .action = POLICY_DELIVER};
    if (e->own && !own)
        out->unknown = _("the policy does not say which domains are our own");
    if (f && !out->unknown) {
        example_fill(f, e, from, &signature);
        if (verdict_decide(a, f, p, NULL, clock_wall(), NULL, &v) == STATUS_OK) {
            const struct verdict_line *l = verdict_would_line(&v);
            out->action = v.would;
            out->statement = l ? l->statement : NULL;
            out->trial = l && l->trial;
        }
    }
    arena_free(a);
    return true;
}
