// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dmarc_align.c - DMARC alignment (RFC 9989 4.4, 4.10.2), what DNS failures may and may not do (5.3.6), and
 * several From domains (11.5).
 */
#include "base/limits.h"
#include "tests/unit/dmarc_case.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define EX D("example.com", "v=DMARC1; p=reject")
#define STRICT D("example.com", "v=DMARC1; p=reject; adkim=s; aspf=s")

static const struct dmarc_case alignment[] = {
    /* table 1 of 4.4 */
    {"relaxed: same organisation", EX, "news.example.com", "dkim=pass:foo.example.com",
     "pass example.com p reject example.com"},
    {"strict: identical", STRICT, "example.com", "dkim=pass:example.com", "pass example.com p reject example.com"},
    {"none: no common organisation", EX, "news.example.com", "dkim=pass:foo.example.net",
     "fail example.com p reject example.com"},
    /* strict is really strict */
    {"strict DKIM: the organisation is not enough", STRICT, "example.com", "dkim=pass:a.example.com",
     "fail example.com p reject example.com"},
    {"strict SPF: the organisation is not enough", STRICT, "example.com", "spf=pass:a.example.com",
     "fail example.com p reject example.com"},
    {"strict: not the parent either", STRICT, "a.example.com", "dkim=pass:example.com",
     "fail example.com p reject example.com"},
    {"strict: identical subdomain under the organisation's record", STRICT, "a.example.com", "dkim=pass:a.example.com",
     "pass example.com p reject example.com"},
    {"adkim=s leaves SPF relaxed", D("example.com", "v=DMARC1; p=reject; adkim=s"), "example.com",
     "spf=pass:a.example.com dkim=pass:b.example.com", "pass example.com p reject example.com"},
    {"aspf=s leaves DKIM relaxed", D("example.com", "v=DMARC1; p=reject; aspf=s"), "example.com",
     "spf=pass:a.example.com", "fail example.com p reject example.com"},
    {"aspf=s leaves DKIM relaxed (2)", D("example.com", "v=DMARC1; p=reject; aspf=s"), "example.com",
     "dkim=pass:a.example.com", "pass example.com p reject example.com"},
    {"an unknown adkim is relaxed", D("example.com", "v=DMARC1; p=reject; adkim=x"), "example.com",
     "dkim=pass:a.example.com", "pass example.com p reject example.com"},
    {"adkim=S, without case", D("example.com", "v=DMARC1; p=reject; adkim=S"), "example.com", "dkim=pass:a.example.com",
     "fail example.com p reject example.com"},
    {"the mode is the record's that applies, not the subdomain's", EX D("a.b.example.com", "v=DMARC1; p=none; adkim=s"),
     "b.example.com", "dkim=pass:a.b.example.com", "pass example.com p reject example.com"},
    /* a walk for each identifier */
    {"an identifier with psd=n is an organisation of its own", EX D("a.example.com", "v=DMARC1; p=none; psd=n"),
     "example.com", "dkim=pass:a.example.com", "fail example.com p reject example.com"},
    {"an author with psd=n is an organisation of its own", EX D("a.example.com", "v=DMARC1; p=none; psd=n"),
     "a.example.com", "dkim=pass:example.com", "fail a.example.com p none a.example.com"},
    {"both below the same psd=n", EX D("a.example.com", "v=DMARC1; p=none; psd=n"), "x.a.example.com",
     "dkim=pass:y.a.example.com", "pass a.example.com p none a.example.com"},
    {"two customers of a public suffix", D("co.example", "v=DMARC1; p=reject; psd=y"), "one.co.example",
     "dkim=pass:two.co.example", "fail co.example p reject one.co.example"},
    {"the public suffix itself does not vouch for its customers", D("co.example", "v=DMARC1; p=reject; psd=y"),
     "one.co.example", "spf=pass:co.example", "fail co.example p reject one.co.example"},
    {"a customer does not vouch for the public suffix", D("co.example", "v=DMARC1; p=reject; psd=y"), "co.example",
     "spf=pass:one.co.example", "fail co.example p reject co.example"},
    {"one customer's own subdomains", D("co.example", "v=DMARC1; p=reject; psd=y"), "a.one.co.example",
     "dkim=pass:b.one.co.example", "pass co.example p reject one.co.example"},
    {"a record at the top-level name makes all of it one organisation", D("com", "v=DMARC1; p=reject"), "one.com",
     "dkim=pass:two.com", "pass com p reject com"},
    {"two names without any record above are not aligned", D("a.example.com", "v=DMARC1; p=reject"), "a.example.com",
     "dkim=pass:b.example.com", "fail a.example.com p reject a.example.com"},
    {"deep identifier, shortcut", EX, "example.com", "dkim=pass:1.2.3.4.5.6.7.8.9.example.com",
     "pass example.com p reject example.com"},
    {"a psd=n in the part the shortcut skips is not seen",
     EX D("5.6.7.8.9.a.b.c.example.com", "v=DMARC1; p=none; psd=n"), "example.com",
     "dkim=pass:1.2.3.4.5.6.7.8.9.a.b.c.example.com", "pass example.com p reject example.com"},
    {"a name that only ends alike", EX, "example.com", "dkim=pass:badexample.com spf=pass:example.com.attack.net",
     "fail example.com p reject example.com"},
    /* what counts */
    {"only a pass authenticates", EX, "example.com",
     "spf=softfail:example.com dkim=fail:example.com dkim=neutral:example.com dkim=policy:example.com "
     "dkim=permerror:example.com spf=none:example.com",
     "fail example.com p reject example.com"},
    {"one of many signatures suffices", EX, "example.com",
     "dkim=fail:example.com dkim=pass:example.net dkim=pass:a.example.com", "pass example.com p reject example.com"},
    {"a pass that must not count", EX, "example.com", "dkim=pass:example.com!",
     "fail example.com p reject example.com"},
    {"the null sender's HELO name, handed in as SPF domain", EX, "example.com", "spf=pass:mx.example.com",
     "pass example.com p reject example.com"},
    {"no SPF domain at all", EX, "example.com", "spf=none:-", "fail example.com p reject example.com"},
    {"no policy, no pass", "", "example.com", "dkim=pass:example.com spf=pass:example.com", "none - - - example.com"},
};

static const struct dmarc_case failures[] = {
    {"the author's record cannot be had: neither fail ...", "_dmarc.example.com timeout\n", "example.com", "",
     "temperror - - ? ?"},
    {"... nor pass", "_dmarc.example.com servfail\n", "example.com", "dkim=pass:example.com", "temperror - - ? ?"},
    {"bogus is no lack of a record", "_dmarc.example.com bogus \"signature expired\"\n", "example.com", "",
     "temperror - - ? ?"},
    {"the author has none, the organisation's cannot be had", "_dmarc.example.com timeout\n", "a.example.com", "",
     "temperror - - ? ?"},
    {"none at the author and the name above is open", EX "_dmarc.com timeout\n", "a.example.com", "",
     "temperror - - ? ?"},
    {"the author's own record stands though the name above is open: fail", EX "_dmarc.com timeout\n", "example.com",
     "dkim=pass:example.net", "fail example.com p reject ?"},
    {"... and pass, identical", EX "_dmarc.com timeout\n", "example.com", "dkim=pass:example.com",
     "pass example.com p reject ?"},
    {"... but the organisation is open", EX "_dmarc.com timeout\n", "example.com", "dkim=pass:a.example.com",
     "temperror example.com p reject ?"},
    {"strict needs no organisation", STRICT "_dmarc.com timeout\n", "example.com", "dkim=pass:a.example.com",
     "fail example.com p reject ?"},
    {"what lies above psd=n is of no matter", D("example.com", "v=DMARC1; p=reject; psd=n") "_dmarc.com timeout\n",
     "example.com", "dkim=pass:a.example.com", "pass example.com p reject example.com"},
    {"a failure below psd=y is of matter", D("com", "v=DMARC1; p=reject; psd=y") "_dmarc.example.com timeout\n",
     "a.example.com", "", "temperror - - ? ?"},
    {"an identifier's own walk fails", EX "_dmarc.a.example.com timeout\n", "example.com", "dkim=pass:a.example.com",
     "temperror example.com p reject example.com"},
    {"... but another stands", EX "_dmarc.a.example.com timeout\n", "example.com",
     "dkim=pass:a.example.com spf=pass:b.example.com", "pass example.com p reject example.com"},
    {"... and one that did not pass is of no matter", EX "_dmarc.a.example.com timeout\n", "example.com",
     "dkim=fail:a.example.com", "fail example.com p reject example.com"},
    {"... nor one that must not count", EX "_dmarc.a.example.com timeout\n", "example.com", "dkim=pass:a.example.com!",
     "fail example.com p reject example.com"},
    {"a stranger's dead zone buys no temperror", EX "zone attack.com timeout\n", "example.com",
     "dkim=pass:attack.com spf=pass:attack.com", "fail example.com p reject example.com"},
    {"... nor his dead subdomain of the same top-level name", EX "_dmarc.x.attack.com timeout\n", "example.com",
     "dkim=temperror:x.attack.com", "fail example.com p reject example.com"},
    {"a signature that could have aligned and cannot be checked", EX, "example.com", "dkim=temperror:a.example.com",
     "temperror example.com p reject example.com"},
    {"SPF that could have aligned", EX, "example.com", "spf=temperror:example.com",
     "temperror example.com p reject example.com"},
    {"... but a pass stands", EX, "example.com", "spf=temperror:example.com dkim=pass:example.com",
     "pass example.com p reject example.com"},
    {"... unaligned under strict: fail", STRICT, "example.com", "dkim=temperror:a.example.com",
     "fail example.com p reject example.com"},
    {"... must not count: fail", EX, "example.com", "dkim=temperror:example.com!",
     "fail example.com p reject example.com"},
    {"whether the name exists cannot be had, and it matters",
     D("example.com", "v=DMARC1; p=none; sp=none; np=reject") "a.example.com timeout\n", "a.example.com", "",
     "temperror example.com - ? example.com"},
    {"... does not matter, sp and np agree",
     D("example.com", "v=DMARC1; p=none; sp=reject; np=reject") "a.example.com timeout\n", "a.example.com", "",
     "fail example.com sp reject example.com"},
    {"... does not matter, aligned", D("example.com", "v=DMARC1; p=none; sp=none; np=reject") "a.example.com timeout\n",
     "a.example.com", "dkim=pass:a.example.com", "pass example.com - - example.com"},
    {"a failure above everything else: TLD dead, no record seen", "_dmarc.com servfail\n", "example.com", "",
     "temperror - - ? ?"},
};

static void aligns(void **state)
{
    for (size_t i = 0; i < COUNT(alignment); i++)
        expect_finding(&alignment[i]);
}

static void dns_failures_never_fail_and_never_pass(void **state)
{
    for (size_t i = 0; i < COUNT(failures); i++)
        expect_finding(&failures[i]);
}

static void says_why_it_could_not_tell(void **state)
{
    struct dmarc_world w;
    case_open(&w, EX, "dkim=temperror:a.example.com dkim=pass:attack.com");
    assert_int_equal(dmarc_check(w.scope, w.arena, "example.com", w.ids, w.count, &w.f), STATUS_OK);
    assert_true(w.f.temp_could_have_aligned);
    assert_false(w.f.dns_failed);
    assert_int_equal(w.f.aligned[0].alignment, DMARC_ALIGNED);
    assert_int_equal(w.f.aligned[1].alignment, DMARC_UNALIGNED);
    assert_null(w.f.aligned[1].walk);
    case_close(&w);
    case_open(&w, "_dmarc.example.com bogus \"expired\"\n", "dkim=pass:example.com");
    assert_int_equal(dmarc_check(w.scope, w.arena, "example.com", w.ids, w.count, &w.f), STATUS_OK);
    assert_true(w.f.dns_failed);
    assert_true(w.f.identical_pass);
    assert_false(w.f.policy_known);
    assert_int_equal(w.f.security, DNS_BROKEN);
    assert_string_equal(w.f.reason, "_dmarc.example.com is bogus");
    case_close(&w);
}

/* The worst of what the result needed: a pass by the identical domain needs the author's record only. */
static void keeps_the_security_of_what_counted(void **state)
{
    static const struct {
        const char *zone, *from, *ids;
        enum dns_security security;
    } t[] = {
        {"zone . secure\n" EX, "example.com", "dkim=pass:example.com", DNS_SECURE},
        {"zone . insecure\nzone example.com secure\n" EX, "example.com", "dkim=pass:example.com", DNS_SECURE},
        {"zone . insecure\nzone example.com secure\n" EX, "example.com", "dkim=pass:a.example.com", DNS_INSECURE},
        {"zone . secure\n" EX, "example.com", "dkim=pass:a.example.com", DNS_SECURE},
        {"zone . secure\nzone a.example.com insecure\n" EX, "example.com", "dkim=pass:a.example.com", DNS_INSECURE},
        {"zone . secure\nzone a.example.com insecure\n" EX, "example.com",
         "dkim=pass:a.example.com spf=pass:example.com", DNS_SECURE},
        {EX, "example.com", "", DNS_INSECURE},
        {"zone . secure\n" EX, "example.com", "", DNS_SECURE},
        {"zone . secure\nzone a.example.com insecure\n" D("example.com", "v=DMARC1; p=reject; np=none"),
         "a.example.com", "", DNS_INSECURE},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct dmarc_world w;
        case_open(&w, t[i].zone, t[i].ids);
        assert_int_equal(dmarc_check(w.scope, w.arena, t[i].from, w.ids, w.count, &w.f), STATUS_OK);
        if (w.f.security != t[i].security)
            fail_msg("case %zu: %s", i, dns_security_name(w.f.security));
        case_close(&w);
    }
}

static void several_authors(void **state)
{
    static const struct {
        const char *zone, *ids;
        const char *domains[3];
        const char *expect; /* result and domain */
    } t[] = {
        {EX, "dkim=pass:attack.com", {"attack.com", "example.com"}, "fail example.com"},
        {EX D("attack.com", "v=DMARC1; p=none"),
         "dkim=pass:attack.com",
         {"attack.com", "example.com"},
         "fail example.com"},
        {EX D("attack.com", "v=DMARC1; p=none"), "", {"attack.com", "example.com"}, "fail example.com"},
        {EX D("attack.com", "v=DMARC1; p=none"), "", {"example.com", "attack.com"}, "fail example.com"},
        {D("attack.com", "v=DMARC1; p=none"),
         "dkim=pass:attack.com",
         {"attack.com", "example.net"},
         "none example.net"},
        {EX D("b.net", "v=DMARC1; p=none"),
         "dkim=pass:example.com dkim=pass:b.net",
         {"example.com", "b.net"},
         "pass example.com"},
        {EX "_dmarc.b.net timeout\n", "dkim=pass:example.com", {"example.com", "b.net"}, "temperror b.net"},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct dmarc_world w;
        char line[400];
        size_t n = 0;
        while (n < 3 && t[i].domains[n])
            n++;
        case_open(&w, t[i].zone, t[i].ids);
        assert_int_equal(dmarc_check_authors(w.scope, w.arena, t[i].domains, n, w.ids, w.count, false, &w.f),
                         STATUS_OK);
        snprintf(line, sizeof line, "%s %s", result_name(w.f.result), w.f.domain);
        assert_string_equal(line, t[i].expect);
        case_close(&w);
    }
}

/* The bound, and names made deep to use up all look-ups before the one that matters is asked about. */
static void many_authors(void **state)
{
    static const char *const deep[] = {
        "1.2.3.4.5.6.7.a.attack.com", "1.2.3.4.5.6.7.b.attack.com",
        "1.2.3.4.5.6.7.c.attack.com", "1.2.3.4.5.6.7.d.attack.com",
        "1.2.3.4.5.6.7.e.attack.com", "1.2.3.4.5.6.7.f.attack.com",
        "1.2.3.4.5.6.7.g.attack.com", "1.2.3.4.5.6.7.h.attack.com",
        "1.2.3.4.5.6.7.i.attack.com", "1.2.3.4.5.6.7.j.attack.com",
        "1.2.3.4.5.6.7.k.attack.com", "1.2.3.4.5.6.7.l.attack.com",
        "1.2.3.4.5.6.7.m.attack.com", "1.2.3.4.5.6.7.n.attack.com",
        "1.2.3.4.5.6.7.o.attack.com", "example.com",
    };
    struct dmarc_world w;
    const char *many[DMARC_AUTHORS_MAX];
    assert_int_equal(COUNT(deep), DMARC_AUTHORS_MAX);
    case_open(&w, EX, "dkim=pass:attack.com");
    assert_int_equal(dmarc_check_authors(w.scope, w.arena, deep, COUNT(deep), w.ids, w.count, false, &w.f), STATUS_OK);
    assert_int_equal(w.f.result, RESULT_FAIL);
    assert_string_equal(w.f.domain, "example.com");
    case_close(&w);
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = "example.com";
    case_open(&w, EX, "dkim=pass:example.com");
    assert_int_equal(dmarc_check_authors(w.scope, w.arena, many, COUNT(many), w.ids, w.count, false, &w.f), STATUS_OK);
    assert_int_equal(w.f.result, RESULT_PASS);
    assert_int_equal(dmarc_check_authors(w.scope, w.arena, many, COUNT(many) + 1, w.ids, w.count, false, &w.f),
                     STATUS_OK);
    assert_int_equal(w.f.result, RESULT_PERMERROR);
    case_close(&w);
    case_open(&w, EX, "dkim=fail:example.com");
    assert_int_equal(dmarc_check_authors(w.scope, w.arena, many, COUNT(many) + 1, w.ids, w.count, false, &w.f),
                     STATUS_OK);
    assert_int_equal(w.f.result, RESULT_FAIL);
    case_close(&w);
}

static void out_of_memory_is_no_fail(void **state)
{
    struct dmarc_world w;
    case_open(&w, EX, "dkim=pass:a.example.com");
    for (size_t bound = 1; bound < 4096; bound += 64) {
        struct arena *small = arena_new(bound);
        enum status s = dmarc_check(w.scope, small, "example.com", w.ids, w.count, &w.f);
        assert_true(s == STATUS_OK || (s == STATUS_NOMEM && w.f.result == RESULT_TEMPERROR));
        assert_true(s == STATUS_NOMEM || w.f.result == RESULT_PASS);
        arena_free(small);
    }
    case_close(&w);
}

/* A name that is too long for DNS with "_dmarc." before it has no record of its own; the walk goes on. */
static void names_too_long_have_no_record(void **state)
{
    struct dmarc_world w;
    char from[LIMIT_DOMAIN + 1] = "";
    case_open(&w, EX, "dkim=pass:example.com");
    for (int i = 0; i < 4; i++)
        memset(from + strlen(from), 'a', i < 3 ? 60 : 55), memcpy(from + strlen(from), ".", 2);
    memcpy(from + strlen(from), "example.com", 12);
    assert_int_equal(strlen(from), 250);
    assert_int_equal(dmarc_check(w.scope, w.arena, from, w.ids, w.count, &w.f), STATUS_OK);
    assert_int_equal(w.f.result, RESULT_PASS);
    assert_string_equal(w.f.record_domain, "example.com");
    assert_int_equal(w.f.walk->steps[0].state, DNS_BADNAME);
    case_close(&w);
}

static void over_budget_is_no_fail(void **state)
{
    struct dmarc_world w;
    struct dns_budget few = {.lookups = 2};
    case_open(&w, EX, "dkim=pass:a.example.com");
    struct dns_scope *scope = dns_scope_new(w.source, w.arena, &few);
    assert_int_equal(dmarc_check(scope, w.arena, "example.com", w.ids, w.count, &w.f), STATUS_OK);
    assert_int_equal(w.f.result, RESULT_TEMPERROR);
    dns_scope_free(scope);
    case_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns),
        cmocka_unit_test(dns_failures_never_fail_and_never_pass),
        cmocka_unit_test(says_why_it_could_not_tell),
        cmocka_unit_test(keeps_the_security_of_what_counted),
        cmocka_unit_test(several_authors),
        cmocka_unit_test(many_authors),
        cmocka_unit_test(out_of_memory_is_no_fail),
        cmocka_unit_test(over_budget_is_no_fail),
        cmocka_unit_test(names_too_long_have_no_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
