// SPDX-License-Identifier: BSD-2-Clause
/*
 * criteria_sender.c - tests the hosts that send mail of the domain: their names, whether what they send is aligned with
 * From (RFC 9989 4.4), and whether it came encrypted.
 *
 * From outside nobody can see who sends for a domain. So these are the addresses that the ledger saw passing, and those
 * that the administrator named; without any the result is "not known", never a failure.
 * Pure: who sends, and how often what was seen, are facts.
 */
#include "check/testing.h"
#include "standards/spf/spf.h"

static const char *address_text(struct testing *t, const struct ip *a)
{
    char text[IP_TEXT];
    const char *kept = arena_strdup(t->arena, ip_text(a, text));
    return kept ? kept : "";
}

static void test_name(struct testing *t, const struct ip *a)
{
    char arpa[IP_ARPA_TEXT];
    const char *ip = address_text(t, a);
    switch (testing_confirmed(t, a)) {
    case CONFIRMED:
        testing_say(t, CHECK_SENDER_PTR, CHECK_PASS, NULL, "every address has a name that leads back to it");
        return;
    case CONFIRMED_UNKNOWN:
        testing_say(t, CHECK_SENDER_PTR, CHECK_UNTESTED, NULL, "the name of %s could not be looked up", ip);
        return;
    case CONFIRMED_NOT:
        testing_say(t, CHECK_SENDER_PTR, CHECK_ADVICE,
                    testing_print(t, "Publish %s. PTR with the name of the host, and that name with the address %s.",
                                  ip_arpa(a, arpa), ip),
                    "%s has no name that leads back to it", ip);
        return;
    }
}

/* A sender that was not seen: what the domain's records let it do. */
static void test_unseen(struct testing *t, const struct ip *a)
{
    const struct spf_input in = {.client = *a, .domain = t->facts->domain};
    const char *ip = address_text(t, a);
    struct spf_finding f = {.result = RESULT_TEMPERROR};
    if (spf_check(t->scope, t->arena, &in, SPF_MAIL_FROM, &f) != STATUS_OK)
        f.result = RESULT_TEMPERROR;
    if (f.result == RESULT_PASS)
        testing_say(t, CHECK_SENDER_ALIGNED, CHECK_PASS, NULL, "SPF of the domain allows %s", ip);
    else if (t->live_selector)
        testing_say(t, CHECK_SENDER_ALIGNED, CHECK_PASS, NULL, "signatures by the key %s are the domain's own",
                    t->live_selector);
    else if (f.result == RESULT_TEMPERROR)
        testing_say(t, CHECK_SENDER_ALIGNED, CHECK_UNTESTED, NULL, "whether SPF allows %s could not be looked up", ip);
    else
        testing_say(t, CHECK_SENDER_ALIGNED, CHECK_FAIL,
                    testing_print(t, "Put ip%d:%s into the SPF record of %s, or sign with a DKIM key of the domain.",
                                  a->family, ip, t->facts->domain),
                    "SPF of the domain does not allow %s, and no DKIM key of the domain is known", ip);
}

static void test_seen(struct testing *t, const struct facts_sender *s)
{
    const char *ip = address_text(t, &s->address);
    if (s->aligned)
        testing_say(t, CHECK_SENDER_ALIGNED, CHECK_PASS, NULL, "mails of %s that were aligned: %lld of %lld", ip,
                    (long long)s->aligned, (long long)s->mails);
    else
        testing_say(t, CHECK_SENDER_ALIGNED, CHECK_FAIL,
                    testing_print(t, "Let %s sign with a DKIM key of %s, or use an envelope sender of the domain.", ip,
                                  t->facts->domain),
                    "mails of %s that were aligned, by DKIM or by SPF: none of %lld", ip, (long long)s->mails);
}

static void test_encryption(struct testing *t)
{
    const struct facts *f = t->facts;
    if (!f->seen_tls && !f->seen_clear)
        testing_say(t, CHECK_SENDER_TLS, CHECK_UNTESTED, NULL, "not known: no mail of the domain was seen here");
    else if (f->seen_clear)
        testing_say(t, CHECK_SENDER_TLS, CHECK_ADVICE,
                    "Let the sending servers use TLS (Postfix: smtp_tls_security_level = dane, or may).",
                    "mails that came without TLS: %lld of %lld", (long long)f->seen_clear,
                    (long long)(f->seen_tls + f->seen_clear));
    else
        testing_say(t, CHECK_SENDER_TLS, CHECK_PASS, NULL, "mails that came with TLS: all of %lld",
                    (long long)f->seen_tls);
}

void criteria_sender(struct testing *t)
{
    static const char unknown[] =
        LANGUAGE_MARK("not known: no mail of the domain was seen here, and no sending server was named");
    if (!t->report->sends)
        return;
    for (size_t i = 0; i < t->facts->sender_count; i++) {
        const struct facts_sender *s = &t->facts->senders[i];
        test_name(t, &s->address);
        if (s->mails)
            test_seen(t, s);
        else
            test_unseen(t, &s->address);
    }
    if (!t->facts->sender_count) {
        testing_say(t, CHECK_SENDER_PTR, CHECK_UNTESTED, NULL, unknown);
        if (t->live_selector)
            testing_say(t, CHECK_SENDER_ALIGNED, CHECK_PASS, NULL, "signatures by the key %s are the domain's own",
                        t->live_selector);
        else
            testing_say(t, CHECK_SENDER_ALIGNED, CHECK_UNTESTED, NULL, unknown);
    }
    test_encryption(t);
}
