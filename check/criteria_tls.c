// SPDX-License-Identifier: BSD-2-Clause
/*
 * criteria_tls.c - what TLS the mail hosts of a domain offer (RFC 9325; NCSC-NL TLS guidelines 2025-05).
 *
 * Pure over the facts: the conversations and the offers that tls_probe.c made. A host that was not reached is untested
 * here; that it does not answer is said by criteria_mail.c.
 */
#include "check/testing.h"

#define DH_GOOD 3072          /* NCSC-NL */
#define DH_LEAST 2048         /* RFC 9325 4.1 */
#define X25519MLKEM768 0x11ec /* IANA's number (TLS Supported Groups) */

static const char *where(struct testing *t, const char *host, const struct ip *a)
{
    char ip[IP_TEXT];
    const char *text = arena_printf(t->arena, "%s (%s)", host, ip_text(a, ip));
    return text ? text : host;
}

static const struct facts_tls *probe_of(const struct facts *f, const struct facts_smtp *s, const char *probe)
{
    for (size_t i = 0; i < f->tls_count; i++)
        if (ip_eq(&f->tls[i].address, &s->address) && strcmp(f->tls[i].host, s->host) == 0 &&
            strcmp(f->tls[i].probe, probe) == 0)
            return &f->tls[i];
    return NULL;
}

/* The version that an offer asks for. A host that answers with an older one has not accepted the offer (RFC 5246 E.1).
 * If it answers with a newer one, every client ends the handshake. */
static unsigned version_of(const char *probe)
{
    static const struct {
        const char *probe;
        unsigned version;
    } others[] = {{"tls13", HELLO_TLS13},
                  {"pq", HELLO_TLS13},
                  {"tls11", HELLO_TLS11},
                  {"tls10", HELLO_TLS10},
                  {"ssl3", HELLO_SSL3}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(others[i].probe, probe) == 0)
            return others[i].version;
    return HELLO_TLS12;
}

static bool is_accepted(const struct facts_tls *p)
{
    return strcmp(p->outcome, "accepted") == 0 && (!p->answer.version || p->answer.version == version_of(p->probe));
}

static bool is_refused(const struct facts_tls *p)
{
    return strcmp(p->outcome, "refused") == 0 || strcmp(p->outcome, "not TLS") == 0 ||
           (strcmp(p->outcome, "accepted") == 0 && !is_accepted(p));
}

static bool accepts(const struct facts *f, const struct facts_smtp *s, const char *probe)
{
    const struct facts_tls *p = probe_of(f, s, probe);
    return p && is_accepted(p);
}

static bool probe_refused(const struct facts *f, const struct facts_smtp *s, const char *probe)
{
    const struct facts_tls *p = probe_of(f, s, probe);
    return p && is_refused(p);
}

/* Whatever the version: a broken cipher protects under none. */
static bool takes_broken(const struct facts *f, const struct facts_smtp *s)
{
    const struct facts_tls *p = probe_of(f, s, "broken");
    return p && strcmp(p->outcome, "accepted") == 0;
}

/* An old server that only speaks what our library refuses, old versions or broken ciphers: it encrypts, badly. */
static bool speaks_old(const struct facts *f, const struct facts_smtp *s)
{
    return strcmp(s->outcome, "TLS failed") == 0 &&
           (accepts(f, s, "tls11") || accepts(f, s, "tls10") || accepts(f, s, "ssl3") ||
            (takes_broken(f, s) && !accepts(f, s, "tls12")));
}

static const char curves_fix[] = LANGUAGE_MARK("Offer X25519 and P-256 (Postfix: tls_eecdh_auto_curves).");
static const char dh_fix[] = LANGUAGE_MARK("Use Diffie-Hellman parameters of 3072 bits, or leave DHE out (Postfix: "
                                           "smtpd_tls_dh1024_param_file = auto).");

/* Why TLS fails with senders' libraries, as ours, though an offer of all there is was accepted: the host took a key
 * exchange that they do not know, or that is too weak for them. NULL: it is not known. */
static const char *exchange_fix(const struct facts *f, const struct facts_smtp *s)
{
    const struct facts_tls *p = accepts(f, s, "tls12") ? probe_of(f, s, "tls12") : NULL;
    const struct hello_name *group = p ? hello_group(p->answer.group) : NULL;
    if (group && group->worth >= HELLO_PHASE_OUT)
        return curves_fix;
    return p && p->answer.dh_bits && p->answer.dh_bits < DH_LEAST ? dh_fix : NULL;
}

static void test_starttls(struct testing *t, const struct facts_smtp *s)
{
    const char *at = where(t, s->host, &s->address), *exchange = exchange_fix(t->facts, s);
    static const char fix[] = LANGUAGE_MARK(
        "Give the mail server a certificate and switch STARTTLS on (Postfix: smtpd_tls_security_level = may).");
    if (strcmp(s->outcome, "done") == 0 || speaks_old(t->facts, s))
        testing_say(t, CHECK_STARTTLS, CHECK_PASS, NULL, "every mail server encrypts");
    else if (testing_is_clear(s) && *s->ehlo && strstr(s->reason, "refuses STARTTLS"))
        testing_say(t, CHECK_STARTTLS, CHECK_FAIL, fix, "%s offers it, and refuses it: %s", at,
                    testing_word(t, s->reason));
    else if (testing_is_clear(s))
        testing_say(t, CHECK_STARTTLS, CHECK_FAIL, fix, "%s does not offer it", at);
    else if (strcmp(s->outcome, "injection") == 0)
        testing_say(t, CHECK_STARTTLS, CHECK_FAIL, "Bring the mail server's software up to date.",
                    "%s sends text in clear behind its answer to STARTTLS", at);
    else if (strcmp(s->outcome, "TLS failed") == 0)
        testing_say(t, CHECK_STARTTLS, CHECK_FAIL, exchange ? exchange : fix, "%s offers it, but TLS fails: %s", at,
                    testing_word(t, s->reason));
    else
        testing_say(t, CHECK_STARTTLS, CHECK_UNTESTED, NULL, "%s: %s: %s", at, testing_word(t, s->outcome),
                    testing_word(t, s->reason));
}

static void test_versions(struct testing *t, const struct facts_smtp *s)
{
    static const char *const old[][2] = {{"tls11", "TLS 1.1"}, {"tls10", "TLS 1.0"}, {"ssl3", "SSL 3.0"}};
    const struct facts *f = t->facts;
    const char *at = where(t, s->host, &s->address);
    bool any_old = false, refused = false;
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++) {
        any_old = any_old || accepts(f, s, old[i][0]);
        refused = refused || probe_refused(f, s, old[i][0]);
        if (accepts(f, s, old[i][0]))
            testing_say(t, CHECK_TLS_OLD, CHECK_FAIL,
                        "Switch the old protocols off (Postfix: smtpd_tls_protocols = >=TLSv1.2).", "%s offers %s", at,
                        old[i][1]);
    }
    if (!any_old && refused)
        testing_say(t, CHECK_TLS_OLD, CHECK_PASS, NULL, "none of TLS 1.1, TLS 1.0 and SSL 3.0 is offered");
    if (accepts(f, s, "tls12") || accepts(f, s, "tls13") || accepts(f, s, "broken") ||
        strcmp(s->version, "TLSv1.2") == 0 || strcmp(s->version, "TLSv1.3") == 0)
        testing_say(t, CHECK_TLS_VERSION, CHECK_PASS, NULL, "TLS 1.2 or 1.3 is offered");
    else if (probe_refused(f, s, "tls12") && any_old)
        testing_say(t, CHECK_TLS_VERSION, CHECK_FAIL, "Bring the mail server's TLS library up to date.",
                    "%s offers neither TLS 1.2 nor TLS 1.3", at);
    else
        testing_say(t, CHECK_TLS_VERSION, CHECK_UNTESTED, NULL, "%s: which versions it offers is not known", at);
}

static const char *cipher_name(struct testing *t, uint16_t id)
{
    const struct hello_name *n = hello_cipher(id);
    return n ? n->name : T("an unknown cipher");
}

/* Reports which ciphers of one list a host accepts: broken and anonymous ones in any version of TLS. */
static void test_list(struct testing *t, const struct facts_smtp *s, const char *probe, enum check_test test,
                      const char *fix)
{
    bool asked = false;
    for (size_t i = 0; i < t->facts->tls_count; i++) {
        const struct facts_tls *p = &t->facts->tls[i];
        if (!ip_eq(&p->address, &s->address) || strcmp(p->host, s->host) != 0 || strcmp(p->probe, probe) != 0)
            continue;
        const bool taken = test != CHECK_TLS_CIPHERS_OLD ? strcmp(p->outcome, "accepted") == 0 : is_accepted(p);
        asked = asked || is_refused(p);
        if (taken)
            testing_say(t, test, testing_unmet(test), fix, "%s accepts %s", where(t, s->host, &s->address),
                        cipher_name(t, p->answer.cipher));
    }
    if (asked)
        testing_say(t, test, CHECK_PASS, NULL, "none is accepted");
}

static void test_ciphers(struct testing *t, const struct facts_smtp *s)
{
    static const char modern[] =
        LANGUAGE_MARK("Leave the old ciphers out (Postfix: smtpd_tls_exclude_ciphers, tls_medium_cipherlist).");
    test_list(t, s, "broken", CHECK_TLS_CIPHERS, modern);
    test_list(t, s, "anonymous", CHECK_TLS_ANONYMOUS,
              LANGUAGE_MARK("Leave the anonymous ciphers out (Postfix: smtpd_tls_exclude_ciphers = aNULL)."));
    if (accepts(t->facts, s, "tls12")) /* in older versions there is no good cipher: tls-version says so */
        test_list(t, s, "old", CHECK_TLS_CIPHERS_OLD, modern);
    if (accepts(t->facts, s, "tls13") && !accepts(t->facts, s, "tls12"))
        testing_say(t, CHECK_TLS_CIPHERS_OLD, CHECK_PASS, NULL, "TLS 1.3 alone is offered");
    const struct facts_tls *order = probe_of(t->facts, s, "order");
    if (!order || !is_accepted(order)) {
        if (accepts(t->facts, s, "tls12") || accepts(t->facts, s, "tls13"))
            testing_say(t, CHECK_TLS_ORDER, CHECK_PASS, NULL, "only good ciphers are offered");
        return;
    }
    const struct hello_name *chosen = hello_cipher(order->answer.cipher);
    if (chosen && chosen->worth <= HELLO_SUFFICIENT)
        testing_say(t, CHECK_TLS_ORDER, CHECK_PASS, NULL, "the server chooses the better cipher");
    else if (!probe_refused(t->facts, s, "good")) /* it has better ones */
        testing_say(t, CHECK_TLS_ORDER, CHECK_ADVICE,
                    "Let the server choose (Postfix: tls_preempt_cipherlist = yes), or leave the weaker ciphers out.",
                    "%s chose %s though better ones were offered", where(t, s->host, &s->address),
                    cipher_name(t, order->answer.cipher));
}

static void test_exchange(struct testing *t, const struct facts_smtp *s)
{
    const struct facts_tls *dhe = probe_of(t->facts, s, "dhe"), *weak = probe_of(t->facts, s, "weak-group");
    const char *at = where(t, s->host, &s->address);
    if (weak && is_accepted(weak) && hello_group(weak->answer.group) &&
        hello_group(weak->answer.group)->worth >= HELLO_INSUFFICIENT)
        testing_say(t, CHECK_TLS_EXCHANGE, CHECK_FAIL, curves_fix, "%s accepts the group %s", at,
                    hello_group(weak->answer.group)->name);
    if (dhe && is_accepted(dhe) && dhe->answer.dh_bits && dhe->answer.dh_bits < DH_LEAST)
        testing_say(t, CHECK_TLS_EXCHANGE, CHECK_FAIL, dh_fix, "%s uses Diffie-Hellman with %u bits", at,
                    dhe->answer.dh_bits);
    else if (dhe && is_accepted(dhe) && dhe->answer.dh_bits && dhe->answer.dh_bits < DH_GOOD)
        testing_say(t, CHECK_TLS_EXCHANGE, CHECK_NOTE, dh_fix, "%s uses Diffie-Hellman with %u bits", at,
                    dhe->answer.dh_bits);
    if (accepts(t->facts, s, "tls12") || accepts(t->facts, s, "tls13"))
        testing_say(t, CHECK_TLS_EXCHANGE, CHECK_PASS, NULL, "strong groups");
    const struct facts_tls *sha1 = probe_of(t->facts, s, "sha1");
    if (sha1 && is_accepted(sha1) && sha1->answer.signature >> 8 == 2)
        testing_say(t, CHECK_TLS_HASH, CHECK_FAIL, "Bring the mail server's TLS library up to date.",
                    "%s signs the key exchange with SHA-1", at);
    else if ((sha1 && accepts(t->facts, s, "tls12")) || accepts(t->facts, s, "tls13"))
        testing_say(t, CHECK_TLS_HASH, CHECK_PASS, NULL, "SHA-1 is refused");
}

static void test_extensions(struct testing *t, const struct facts_smtp *s)
{
    const struct facts_tls *p = probe_of(t->facts, s, "tls12");
    const char *at = where(t, s->host, &s->address);
    if (!p || !is_accepted(p)) {
        if (accepts(t->facts, s, "tls13")) {
            testing_say(t, CHECK_TLS_COMPRESSION, CHECK_PASS, NULL, "TLS 1.3 has none");
            testing_say(t, CHECK_TLS_RENEGOTIATION, CHECK_PASS, NULL, "TLS 1.3 has none");
            testing_say(t, CHECK_TLS_EMS, CHECK_PASS, NULL, "TLS 1.3 has it built in");
        }
        return;
    }
    static const char update[] = LANGUAGE_MARK("Bring the mail server's TLS library up to date.");
    if (p->answer.compression)
        testing_say(t, CHECK_TLS_COMPRESSION, CHECK_FAIL,
                    "Switch TLS compression off (Postfix: tls_ssl_options = NO_COMPRESSION).", "%s compresses", at);
    else
        testing_say(t, CHECK_TLS_COMPRESSION, CHECK_PASS, NULL, "off");
    if (p->answer.renegotiation)
        testing_say(t, CHECK_TLS_RENEGOTIATION, CHECK_PASS, NULL, "secure renegotiation is supported");
    else
        testing_say(t, CHECK_TLS_RENEGOTIATION, CHECK_FAIL, update, "%s does not know secure renegotiation", at);
    if (p->answer.ems)
        testing_say(t, CHECK_TLS_EMS, CHECK_PASS, NULL, "used");
    else
        testing_say(t, CHECK_TLS_EMS, CHECK_ADVICE, update, "%s does not use it", at);
}

static const char gap[] = LANGUAGE_MARK("%s answered no more before all was asked");

/* A host that is offered nothing but the group and takes another has not accepted it. */
static void test_post_quantum(struct testing *t, const struct facts_smtp *s)
{
    const struct facts_tls *pq = probe_of(t->facts, s, "pq");
    const char *at = where(t, s->host, &s->address);
    if (accepts(t->facts, s, "pq") && pq->answer.group == X25519MLKEM768)
        testing_say(t, CHECK_TLS_PQ, CHECK_PASS, NULL, "X25519MLKEM768 is offered");
    else if (accepts(t->facts, s, "pq") || probe_refused(t->facts, s, "pq") || probe_refused(t->facts, s, "tls13"))
        testing_say(t, CHECK_TLS_PQ, CHECK_NOTE, NULL, "%s does not offer X25519MLKEM768", at);
    else
        testing_say(t, CHECK_TLS_PQ, CHECK_UNTESTED, NULL, gap, at);
}

static void need_answer(struct testing *t, const struct facts_smtp *s, enum check_test test, const char *probe)
{
    if (!accepts(t->facts, s, probe) && !probe_refused(t->facts, s, probe))
        testing_say(t, test, CHECK_UNTESTED, NULL, gap, where(t, s->host, &s->address));
}

/* What a host was not asked about, because it answered no more, is no pass by what its neighbours said. */
static void test_gaps(struct testing *t, const struct facts_smtp *s)
{
    static const struct {
        enum check_test test;
        const char *probe; /* the last that it needs */
    } needs[] = {{CHECK_TLS_OLD, "ssl3"}, {CHECK_TLS_CIPHERS, "broken"}};
    static const enum check_test of_tls12[] = {CHECK_TLS_CIPHERS_OLD, CHECK_TLS_ORDER,       CHECK_TLS_EXCHANGE,
                                               CHECK_TLS_HASH,        CHECK_TLS_COMPRESSION, CHECK_TLS_RENEGOTIATION,
                                               CHECK_TLS_EMS};
    static const char *const probes12[] = {"old", "phase-out", "dhe", "sha1", "weak-group"};
    const char *at = where(t, s->host, &s->address);
    const struct facts *f = t->facts;
    bool known12 = accepts(f, s, "tls12") || probe_refused(f, s, "tls12");
    /* This probe is missing in facts that an earlier version saved, and for an address with many names. */
    if (probe_of(f, s, "anonymous") || !probe_of(f, s, "ssl3"))
        need_answer(t, s, CHECK_TLS_ANONYMOUS, "anonymous");
    else
        testing_say(t, CHECK_TLS_ANONYMOUS, CHECK_UNTESTED, NULL, "%s was not asked", at);
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        need_answer(t, s, needs[i].test, needs[i].probe);
    for (size_t i = 0; i < sizeof probes12 / sizeof probes12[0]; i++)
        known12 =
            known12 && (!accepts(f, s, "tls12") || accepts(f, s, probes12[i]) || probe_refused(f, s, probes12[i]));
    for (size_t i = 0; i < sizeof of_tls12 / sizeof of_tls12[0] && !known12; i++)
        testing_say(t, of_tls12[i], CHECK_UNTESTED, NULL, gap, at);
}

static void test_address(struct testing *t, const struct facts_smtp *s)
{
    test_starttls(t, s);
    if (strcmp(s->outcome, "done") != 0 && !speaks_old(t->facts, s))
        return;
    test_versions(t, s);
    test_ciphers(t, s);
    test_exchange(t, s);
    test_extensions(t, s);
    test_gaps(t, s);
    test_post_quantum(t, s);
}

void criteria_tls(struct testing *t)
{
    bool looked = false;
    for (size_t i = 0; i < t->mail.count; i++)
        for (size_t k = 0; k < t->mail.hosts[i].address_count; k++) {
            const struct mail_host *h = &t->mail.hosts[i];
            const struct facts_smtp *s = testing_smtp(t->facts, h->name, &h->addresses[k]);
            if (h->addresses[k].family == 6 && t->facts->ipv6 != FACTS_YES)
                continue;
            looked = true;
            if (s)
                test_address(t, s);
            else
                testing_say(t, CHECK_STARTTLS, CHECK_UNTESTED, NULL, "%s was not asked",
                            where(t, h->name, &h->addresses[k]));
        }
    if (t->report->receives && !looked)
        testing_say(t, CHECK_STARTTLS, CHECK_UNTESTED, NULL, "no mail server could be asked");
}
