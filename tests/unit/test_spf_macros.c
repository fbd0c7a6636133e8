// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_spf_macros.c - what macros expand to and which are none, case by case from RFC 7208 section 7, the examples of
 * 7.4 first; and the order in which the hosts of an mx are asked (5.4).
 */
#include "tests/unit/cm.h"

#include "base/buf.h"
#include "dns/dns_replay.h"
#include "standards/spf/spf.h"
#include "standards/spf/spf_macro.h"

static const char *validated(void *arg)
{
    return "mx.example.org";
}

static struct spf_macro_values values_of(const char *client, const char *local, const char *domain)
{
    struct spf_macro_values v = {.local = slice_str(local),
                                 .sender_domain = domain,
                                 .domain = domain,
                                 .helo = "helo.example.net",
                                 .receiver = "here.example",
                                 .validated = validated};
    assert_int_equal(ip_from_text(slice_str(client), &v.client), STATUS_OK);
    return v;
}

struct expansion {
    const char *macro, *expected;
};

static void expect_expansions(const struct spf_macro_values *v, const struct expansion *k, size_t n)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < n; i++) {
        struct buf out = BUF_INIT;
        const char *why = spf_macro_check(slice_str(k[i].macro), SPF_MACRO_EXPLANATION);
        enum status s = why ? STATUS_INVALID : spf_macro_expand(slice_str(k[i].macro), v, &out);
        if (s != STATUS_OK || !slice_eq_nocase(buf_slice(&out), slice_str(k[i].expected))) {
            print_error("%s: %s, expected %s (%s)\n", k[i].macro, out.p, k[i].expected, why ? why : "");
            wrong++;
        }
        buf_release(&out);
    }
    assert_int_equal(wrong, 0);
}

/* 7.4, whole: strong-bad@email.example.com from 192.0.2.3, whose validated name is mx.example.org. */
static void examples(void **state)
{
    static const struct expansion k[] = {
        {"%{s}", "strong-bad@email.example.com"},
        {"%{o}", "email.example.com"},
        {"%{d}", "email.example.com"},
        {"%{d4}", "email.example.com"},
        {"%{d3}", "email.example.com"},
        {"%{d2}", "example.com"},
        {"%{d1}", "com"},
        {"%{dr}", "com.example.email"},
        {"%{d2r}", "example.email"},
        {"%{l}", "strong-bad"},
        {"%{l-}", "strong.bad"},
        {"%{lr}", "strong-bad"},
        {"%{lr-}", "bad.strong"},
        {"%{l1r-}", "strong"},
        {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
        {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
        {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
        {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
        {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
    };
    static const struct expansion six[] = {
        {"%{ir}.%{v}._spf.%{d2}",
         "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"},
    };
    struct spf_macro_values v = values_of("192.0.2.3", "strong-bad", "email.example.com");
    expect_expansions(&v, k, sizeof k / sizeof *k);
    v = values_of("2001:db8::cb01", "strong-bad", "email.example.com");
    expect_expansions(&v, six, 1);
}

/* 7.2 and 7.3 beside their examples. */
static void transformers(void **state)
{
    static const struct expansion k[] = {
        {"%%%_%-", "% %20"},      /* 7.1: the three without braces */
        {"%{l=}", "a.b.c+d%x"},   /* "=" is one of the seven delimiters */
        {"%{l+}", "a=b=c.d%x"},   /* split at +, joined with dots */
        {"%{l+=}", "a.b.c.d%x"},  /* several delimiters */
        {"%{l2+=}", "c.d%x"},     /* the rightmost two */
        {"%{lr+=}", "d%x.c.b.a"}, /* reversed before counting: */
        {"%{l2r+=}", "b.a"},      /* so the rightmost two are the first two */
        {"%{l1r+=}", "a"},
        {"%{l9999999999999999999999+=}", "a.b.c.d%x"}, /* more parts than there are: all */
        {"%{L}", "a%3Db%3Dc%2Bd%25x"},                 /* upper case: URL escaped (7.3) */
        {"%{L+=}", "a.b.c.d%25x"},                     /* after the split */
        {"%{S}", "a%3Db%3Dc%2Bd%25x%40email.example.com"},
        {"%{D}", "email.example.com"}, /* unreserved characters stay (RFC 3986 2.3) */
        {"%{h}", "helo.example.net"},
        {"%{h2R}", "example.helo"}, /* the r in either case: ABNF strings have none (RFC 5234 2.3) */
        {"%{p}", "mx.example.org"},
        {"%{p1}", "org"},
        {"%{c}", "192.0.2.3"}, /* readable address */
        {"%{r}", "here.example"},
        {"%{v}", "in-addr"},
        {"x%{o1}y", "xcomy"},
    };
    static const struct expansion six[] = {
        {"%{c}", "2001:db8::cb01"},
        {"%{i1}", "1"},
        {"%{i4r}", "1.0.0.2"},
        {"%{v}", "ip6"},
    };
    struct spf_macro_values v = values_of("192.0.2.3", "a=b=c+d%x", "email.example.com");
    expect_expansions(&v, k, sizeof k / sizeof *k);
    v = values_of("2001:db8::cb01", "u", "email.example.com");
    expect_expansions(&v, six, sizeof six / sizeof *six);
}

struct grammar {
    const char *text;
    bool domain, modifier, explanation; /* whether it may stand as each */
};

/* 7.1 and section 12: domain-spec, the value of an unknown modifier (macro-string), explain-string. */
static void grammar(void **state)
{
    static const struct grammar k[] = {
        {"example.com", true, true, true},
        {"example.com.", true, true, true},
        {"%{d}", true, true, true},
        {"%{d}.", false, true, true}, /* domain-end is "." toplabel or a macro-expand */
        {"x.%%", true, true, true},   /* ... and %% is a macro-expand */
        {"example", false, true, true},
        {"", false, true, true},
        {"x.123", false, true, true}, /* toplabel is not all digits */
        {"x.1a2", true, true, true},
        {"x.-a", false, true, true},
        {"x.a-", false, true, true},
        {"x.a--b", true, true, true}, /* as in xn-- */
        {"x.a_b", false, true, true},
        {"a_b.x", true, true, true}, /* macro-literal before the end: any visible character but % */
        {"a/b.x", true, true, true},
        {"%{d}x", false, true, true},
        {"%", false, false, false},
        {"x%", false, false, false},
        {"%a.x", false, false, false},
        {"%{x}.x", false, false, false},
        {"%{}.x", false, false, false},
        {"%{d", false, false, false},
        {"%{d0}.x", false, false, false}, /* 7.3: the number MUST be nonzero */
        {"%{d00}.x", false, false, false},
        {"%{dr2}.x", false, false, false}, /* transformers = *DIGIT [ "r" ] */
        {"%{d2rr}.x", false, false, false},
        {"%{d-r}.x", false, false, false}, /* delimiters come last */
        {"%{d;}.x", false, false, false},
        {"%{d.-+,/_=}", true, true, true},
        {"%{c}.x", false, true, true}, /* 7.2: c, r, t only in explanations; an unknown modifier is ignored (6) */
        {"%{r}", false, true, true},
        {"%{T}", false, true, true},
        {"two words", false, false, true}, /* explain-string = *( macro-string / SP ) */
        {"tab\there.x", false, false, false},
        {"caf\xc3\xa9.x", false, false, false}, /* macro-literal is %x21-24 / %x26-7E */
        {"del\x7f.x", false, false, false},
    };
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof k / sizeof *k; i++) {
        const bool got[3] = {!spf_macro_check(slice_str(k[i].text), SPF_MACRO_DOMAIN),
                             !spf_macro_check(slice_str(k[i].text), SPF_MACRO_STRING),
                             !spf_macro_check(slice_str(k[i].text), SPF_MACRO_EXPLANATION)};
        if (got[0] == k[i].domain && got[1] == k[i].modifier && got[2] == k[i].explanation)
            continue;
        print_error("%s: domain-spec %d, modifier %d, explanation %d\n", k[i].text, got[0], got[1], got[2]);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* 7.3: longer than 253 characters, "the left side is truncated to fit, by removing successive domain labels". */
static void truncation(void **state)
{
    char local[301], label[61];
    struct buf out = BUF_INIT, wanted = BUF_INIT;
    memset(label, 'a', 60);
    label[60] = '\0';
    snprintf(local, sizeof local, "x.y.%s.%s.%s.%s", label, label, label, label);
    struct spf_macro_values v = values_of("192.0.2.3", local, "example.com"); /* 247 octets */
    /* 4 + 243 + 1 + 5 = 253: fits, nothing goes */
    buf_printf(&wanted, "%s.abcde", local);
    assert_int_equal(wanted.n, 253);
    assert_int_equal(spf_macro_domain(SLICE_LIT("%{l}.abcde"), &v, &out), STATUS_OK);
    assert_string_equal(out.p, wanted.p);
    /* 254: one label goes, though one octet would do */
    buf_reset(&out);
    buf_reset(&wanted);
    buf_printf(&wanted, "%s.abcdef", local + 2);
    assert_int_equal(spf_macro_domain(SLICE_LIT("%{l}.abcdef"), &v, &out), STATUS_OK);
    assert_string_equal(out.p, wanted.p);
    buf_release(&out);
    buf_release(&wanted);
}

struct judged {
    const char *from;
    enum result result;
};

/* Whole checks: modifiers (section 6), void look-ups (4.6.4), and the order of an mx (5.4: "in order of MX
 * preference"). */
static void checks(void **state)
{
    static const char zone[] =
        "unknown.example TXT \"v=spf1 seen=%{t} at=%{c}/%{r} ip4:192.0.2.3 -all\"\n"
        "often.example TXT \"v=spf1 x=1 x=2 x= ip4:192.0.2.3 -all\"\n" /* 6: "no matter where, or how often" */
        "late.example TXT \"v=spf1 -all x=y\"\n"
        /* 6.1: after all mechanisms, wherever it stands */
        "early.example TXT \"v=spf1 redirect=good.example ip4:198.51.100.1\"\n"
        "good.example TXT \"v=spf1 ip4:192.0.2.3 -all\"\n"
        "mark.example TXT \"v=spf1 +redirect=good.example\"\n" /* modifiers have no qualifier */
        "twice.example TXT \"v=spf1 exp=a.example -all exp=b.example\"\n"
        "value.example TXT \"v=spf1 ip4:192.0.2.3 redirect=\"\n"
        "order.example TXT \"v=spf1 mx -all\"\n MX 20 good-host.example\n MX 10 slow.example\n"
        "second.example TXT \"v=spf1 mx -all\"\n MX 20 slow.example\n MX 10 good-host.example\n"
        "nullmx.example TXT \"v=spf1 mx:n.example mx:n.example mx:n.example ip4:192.0.2.3 -all\"\n"
        "n.example MX 0 .\n"
        "nomx.example TXT \"v=spf1 mx:h.example mx:h.example mx:h.example ip4:192.0.2.3 -all\"\n"
        "h.example MX 0 nothing.example\n"
        "good-host.example A 192.0.2.3\n"
        "slow.example timeout\n";
    static const struct judged k[] =
        {
            {"unknown.example", RESULT_PASS},
            {"often.example", RESULT_PASS},
            {"late.example", RESULT_FAIL},
            {"early.example", RESULT_PASS},
            {"mark.example", RESULT_PERMERROR},
            {"twice.example", RESULT_PERMERROR},
            {"value.example", RESULT_PERMERROR},
            {"order.example", RESULT_TEMPERROR}, /* the host of preference 10 cannot be told, and it comes first */
            {"second.example", RESULT_PASS},     /* it matched before the slow one was needed */
            {"nullmx.example", RESULT_PASS},    /* 4.6.4: an answer count of 0 is void; a null MX is an answer of one */
            {"nomx.example", RESULT_PERMERROR}, /* three terms whose address look-ups find nothing */
        };
    char *error;
    struct dns *dns = dns_replay_text(slice_str(zone), "zone", &error);
    if (!dns)
        fail_msg("%s", error);
    for (size_t i = 0; i < sizeof k / sizeof *k; i++) {
        struct arena *arena = arena_new(1 << 20);
        struct dns_scope *scope = dns_scope_new(dns, arena, NULL);
        struct spf_input in = {.helo = "h.example", .local = SLICE_LIT("u"), .domain = k[i].from};
        struct spf_finding f;
        assert_int_equal(ip_from_text(SLICE_LIT("192.0.2.3"), &in.client), STATUS_OK);
        assert_int_equal(spf_check(scope, arena, &in, SPF_MAIL_FROM, &f), STATUS_OK);
        if (f.result != k[i].result)
            fail_msg("%s: %s, expected %s (%s)", k[i].from, result_name(f.result), result_name(k[i].result), f.reason);
        dns_scope_free(scope);
        arena_free(arena);
    }
    dns_close(dns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples),   cmocka_unit_test(transformers), cmocka_unit_test(grammar),
        cmocka_unit_test(truncation), cmocka_unit_test(checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
