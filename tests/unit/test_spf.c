// SPDX-License-Identifier: BSD-2-Clause
/*
 * SPF as RFC 7208 words it: each case names the section it was written from. DNS data is one small world (spf_world.h);
 * the openspf suite is another test (tests/conformance/run-spf) and is not needed here.
 */
#include "tests/unit/cm.h"

#include "base/buf.h"
#include "dns/dns_replay.h"
#include "standards/spf/spf.h"
#include "tests/unit/spf_world.h"
#include <stdio.h>

struct spf_case {
    const char *section;
    const char *client, *helo, *from; /* from "" is the null sender */
    enum result result;
    const char *mechanism; /* NULL: not compared */
};

#define A "192.0.2.1"
#define B "198.51.100.9"
#define SIX "2001:db8::25"

static const struct spf_case cases[] = {
    /* 2.3, 2.4, 4.3: identities and names */
    {"2.4", A, "mail.example.org", "user@plain.example", RESULT_PASS, "ip4:192.0.2.1"},
    {"2.4 null sender", A, "helo.example", "", RESULT_PASS, "a"},
    {"2.4 null sender, no name", A, "[192.0.2.1]", "", RESULT_NONE, NULL},
    {"4.3 single label", A, "mail.example.org", "user@localhost", RESULT_NONE, NULL},
    {"4.3 literal", A, "mail.example.org", "user@[192.0.2.1]", RESULT_NONE, NULL},
    {"4.3 empty label", A, "mail.example.org", "user@a..example", RESULT_NONE, NULL},
    {"4.3 no local part is postmaster", A, "mail.example.org", "@local.example", RESULT_PASS, NULL},
    {"4.3 case of the domain", A, "mail.example.org", "user@PLAIN.Example", RESULT_PASS, NULL},
    /* 4.4: lookups */
    {"4.4 no such name", A, "mail.example.org", "user@nowhere.example", RESULT_NONE, NULL},
    {"4.4 no data", A, "mail.example.org", "user@mail.example.org", RESULT_NONE, NULL},
    {"4.4 time-out", A, "mail.example.org", "user@slow.example", RESULT_TEMPERROR, NULL},
    {"4.4 server failure", A, "mail.example.org", "user@sick.example", RESULT_TEMPERROR, NULL},
    {"4.4 bogus is no record", A, "mail.example.org", "user@bogus.example", RESULT_TEMPERROR, NULL},
    /* 4.5: selecting records */
    {"4.5 two records", A, "mail.example.org", "user@two.example", RESULT_PERMERROR, NULL},
    {"4.5 other TXT records", A, "mail.example.org", "user@others.example", RESULT_PASS, NULL},
    {"4.5 v=spf10 is none", A, "mail.example.org", "user@v10.example", RESULT_NONE, NULL},
    {"4.5 version in any case", A, "mail.example.org", "user@case.example", RESULT_FAIL, "-ALL"},
    {"4.5 version alone", A, "mail.example.org", "user@empty.example", RESULT_NEUTRAL, NULL},
    {"3.3 strings joined", A, "mail.example.org", "user@joined.example", RESULT_PASS, "ip4:192.0.2.1"},
    /* 4.6: syntax anywhere, order, qualifiers */
    {"4.6 error after the match", A, "mail.example.org", "user@late-error.example", RESULT_PERMERROR, NULL},
    {"4.6.1 tab is no separator", A, "mail.example.org", "user@tab.example", RESULT_PERMERROR, NULL},
    {"4.6.1 several blanks", A, "mail.example.org", "user@blanks.example", RESULT_FAIL, NULL},
    {"4.6.1 unknown mechanism", A, "mail.example.org", "user@unknown.example", RESULT_PERMERROR, NULL},
    {"6 unknown modifier", A, "mail.example.org", "user@modifier.example", RESULT_FAIL, NULL},
    {"6 unknown modifier, bad macro", A, "mail.example.org", "user@badmodifier.example", RESULT_PERMERROR, NULL},
    {"4.6.2 softfail", A, "mail.example.org", "user@soft.example", RESULT_SOFTFAIL, "~all"},
    {"4.6.2 neutral", A, "mail.example.org", "user@quest.example", RESULT_NEUTRAL, "?all"},
    {"4.7 default", A, "mail.example.org", "user@nomatch.example", RESULT_NEUTRAL, NULL},
    {"5.1 after all", A, "mail.example.org", "user@afterall.example", RESULT_FAIL, "-all"},
    {"5.1 all with argument", A, "mail.example.org", "user@allarg.example", RESULT_PERMERROR, NULL},
    /* 5.2: include */
    {"5.2 pass", A, "mail.example.org", "user@inc.example", RESULT_PASS, "include:plain.example"},
    {"5.2 fail is no match", B, "mail.example.org", "user@inc.example", RESULT_SOFTFAIL, "~all"},
    {"5.2 qualifier", A, "mail.example.org", "user@incfail.example", RESULT_FAIL, "-include:plain.example"},
    {"5.2 none is permerror", A, "mail.example.org", "user@incnone.example", RESULT_PERMERROR, NULL},
    {"5.2 temperror", A, "mail.example.org", "user@incslow.example", RESULT_TEMPERROR, NULL},
    {"5.2 permerror", A, "mail.example.org", "user@incbad.example", RESULT_PERMERROR, NULL},
    {"5.2 bogus", A, "mail.example.org", "user@incbogus.example", RESULT_TEMPERROR, NULL},
    {"5.2 no domain", A, "mail.example.org", "user@incempty.example", RESULT_PERMERROR, NULL},
    {"4.6.4 loop", A, "mail.example.org", "user@incloop.example", RESULT_PERMERROR, NULL},
    /* 5.3, 5.4: a and mx */
    {"5.3", "192.0.2.10", "mail.example.org", "user@hosts.example", RESULT_PASS, "a"},
    {"5.3 prefix", "192.0.2.77", "mail.example.org", "user@prefix.example", RESULT_PASS, "a:host.example/24//64"},
    {"5.3 prefix of IPv6", "2001:db8:0:1::77", "mail.example.org", "user@prefix.example", RESULT_PASS, NULL},
    {"5.3 other prefix", "192.0.3.77", "mail.example.org", "user@prefix.example", RESULT_FAIL, NULL},
    {"5.3 /0 with no address", A, "mail.example.org", "user@zero.example", RESULT_FAIL, NULL},
    {"5.3 /0 with one", B, "mail.example.org", "user@zerohost.example", RESULT_PASS, NULL},
    {"5.3 /33", A, "mail.example.org", "user@p33.example", RESULT_PERMERROR, NULL},
    {"5.3 /032", A, "mail.example.org", "user@p032.example", RESULT_PERMERROR, NULL},
    {"5.3 //129", A, "mail.example.org", "user@p129.example", RESULT_PERMERROR, NULL},
    {"5.3 time-out", A, "mail.example.org", "user@aslow.example", RESULT_TEMPERROR, NULL},
    {"5.3 CNAME", "192.0.2.10", "mail.example.org", "user@acname.example", RESULT_PASS, NULL},
    {"5.4", "192.0.2.20", "mail.example.org", "user@hosts.example", RESULT_PASS, "mx"},
    {"5.4 IPv6 host", SIX, "mail.example.org", "user@hosts.example", RESULT_PASS, "mx"},
    {"5.4 no implicit MX", "192.0.2.10", "mail.example.org", "user@nomx.example", RESULT_FAIL, NULL},
    {"5.4 null MX", A, "mail.example.org", "user@nullmx.example", RESULT_FAIL, NULL},
    {"5.4 host times out", A, "mail.example.org", "user@mxslow.example", RESULT_TEMPERROR, NULL},
    {"4.6.4 ten MX hosts", "192.0.2.110", "mail.example.org", "user@tenmx.example", RESULT_PASS, NULL},
    {"4.6.4 eleven MX hosts", "192.0.2.101", "mail.example.org", "user@elevenmx.example", RESULT_PERMERROR, NULL},
    /* 5.5: ptr */
    {"5.5", "192.0.2.30", "mail.example.org", "user@ptr.example", RESULT_PASS, "ptr"},
    {"5.5 name below", "192.0.2.31", "mail.example.org", "user@ptr.example", RESULT_PASS, "ptr"},
    {"5.5 does not lead back", "192.0.2.32", "mail.example.org", "user@ptr.example", RESULT_FAIL, NULL},
    {"5.5 only by its end", "192.0.2.33", "mail.example.org", "user@ptr.example", RESULT_FAIL, NULL},
    {"5.5 failing look-up is no match", "192.0.2.34", "mail.example.org", "user@ptr.example", RESULT_FAIL, NULL},
    /* 5.6: ip4, ip6 */
    {"5.6 network", "203.0.113.77", "mail.example.org", "user@nets.example", RESULT_PASS, "ip4:203.0.113.0/24"},
    {"5.6 host bits set", "203.0.114.77", "mail.example.org", "user@hostbits.example", RESULT_PASS, NULL},
    {"5.6 IPv6 network", "2001:db8:5::1", "mail.example.org", "user@nets.example", RESULT_PASS, "ip6:2001:db8:5::/48"},
    {"5.6 IPv4-mapped client", "::ffff:203.0.113.77", "mail.example.org", "user@nets.example", RESULT_PASS,
     "ip4:203.0.113.0/24"},
    {"5.6 ip6 for an IPv4 client", A, "mail.example.org", "user@all6.example", RESULT_FAIL, NULL},
    {"5.6 leading zero", A, "mail.example.org", "user@octal.example", RESULT_PERMERROR, NULL},
    {"5.6 three octets", A, "mail.example.org", "user@three.example", RESULT_PERMERROR, NULL},
    {"5.6 ip4 of IPv6", A, "mail.example.org", "user@mixed.example", RESULT_PERMERROR, NULL},
    {"5.6 /0", B, "mail.example.org", "user@everyone.example", RESULT_PASS, NULL},
    /* 5.7: exists */
    {"5.7", A, "mail.example.org", "ok@exists.example", RESULT_PASS, "exists:%{l}.allow.example"},
    {"5.7 not there", A, "mail.example.org", "no@exists.example", RESULT_FAIL, NULL},
    {"5.7 A also for IPv6", SIX, "mail.example.org", "ok@exists.example", RESULT_PASS, NULL},
    {"5.7 any octets", A, "mail.example.org", "we ird\\x@exists.example", RESULT_PASS, NULL},
    /* 6.1: redirect */
    {"6.1", A, "mail.example.org", "user@redir.example", RESULT_PASS, "ip4:192.0.2.1"},
    {"6.1 fails there", B, "mail.example.org", "user@redir.example", RESULT_FAIL, NULL},
    {"6.1 none is permerror", A, "mail.example.org", "user@redirnone.example", RESULT_PERMERROR, NULL},
    {"6.1 not used after all", A, "mail.example.org", "user@redirall.example", RESULT_SOFTFAIL, "~all"},
    {"6 twice", A, "mail.example.org", "user@redirtwice.example", RESULT_PERMERROR, NULL},
    /* 4.6.4: limits */
    {"4.6.4 ten terms", A, "mail.example.org", "user@ten.example", RESULT_PASS, "a:mail.plain.example"},
    {"4.6.4 eleven terms", A, "mail.example.org", "user@eleven.example", RESULT_PERMERROR, NULL},
    {"4.6.4 over includes together", A, "mail.example.org", "user@spread.example", RESULT_PERMERROR, NULL},
    {"4.6.4 match before the eleventh", A, "mail.example.org", "user@early.example", RESULT_PASS, NULL},
    {"4.6.4 two void", A, "mail.example.org", "user@void2.example", RESULT_PASS, NULL},
    {"4.6.4 three void", A, "mail.example.org", "user@void3.example", RESULT_PERMERROR, NULL},
    {"4.6.4 void in an include", A, "mail.example.org", "user@voidinc.example", RESULT_PERMERROR, NULL},
    /* 7: macros */
    {"7.1 ends in a digit label", A, "mail.example.org", "user@digits.example", RESULT_PERMERROR, NULL},
    {"7.1 c in a domain", A, "mail.example.org", "user@macroc.example", RESULT_PERMERROR, NULL},
    {"7.1 zero parts", A, "mail.example.org", "user@macro0.example", RESULT_PERMERROR, NULL},
    {"7.1 brace missing", A, "mail.example.org", "user@macrobrace.example", RESULT_PERMERROR, NULL},
    {"7.4 reversed address", "192.0.2.3", "mail.example.org", "strong-bad@macro.example", RESULT_PASS, NULL},
};

static struct dns *world(void)
{
    char *error;
    struct dns *d = dns_replay_text(slice_str(spf_world), "world", &error);
    if (!d)
        fail_msg("%s", error);
    return d;
}

struct check {
    struct dns *dns;
    struct arena *arena;
    struct dns_scope *scope;
    struct spf_finding f;
};

static struct check check_client(const char *client, const char *helo, const char *from, enum spf_identity identity)
{
    struct check c = {.dns = world(), .arena = arena_new(16 << 20)};
    c.scope = dns_scope_new(c.dns, c.arena, NULL);
    const char *at = strrchr(from, '@');
    struct spf_input in = {.helo = helo, .receiver = "mx.receiver.example"};
    assert_int_equal(ip_from_text(slice_str(client), &in.client), STATUS_OK);
    if (at) {
        in.local = slice_of(from, (size_t)(at - from));
        in.domain = at + 1;
    }
    spf_start(c.scope, &in);
    assert_int_equal(spf_check(c.scope, c.arena, &in, identity, &c.f), STATUS_OK);
    assert_non_null(c.f.reason);
    return c;
}

static void check_done(struct check *c)
{
    dns_scope_free(c->scope);
    arena_free(c->arena);
    dns_close(c->dns);
}

static void spf_table(void **state)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct spf_case *k = &cases[i];
        struct check c = check_client(k->client, k->helo, k->from, SPF_MAIL_FROM);
        bool same = !k->mechanism || (c.f.mechanism && strcmp(k->mechanism, c.f.mechanism) == 0);
        if (c.f.result != k->result || !same) {
            print_error("%s, %s: %s by %s, expected %s (%s)\n", k->section, k->from, result_name(c.f.result),
                        c.f.mechanism ? c.f.mechanism : "none", result_name(k->result), c.f.reason);
            wrong++;
        }
        check_done(&c);
    }
    assert_int_equal(wrong, 0);
    assert_true(sizeof cases / sizeof *cases >= 60);
}

static void identities(void **state)
{
    struct check c = check_client(A, "helo.example", "user@plain.example", SPF_HELO);
    assert_int_equal(c.f.result, RESULT_PASS);
    assert_string_equal(c.f.domain, "helo.example");
    assert_int_equal(c.f.identity, SPF_HELO);
    check_done(&c);
    c = check_client(A, "HELO.Example", "user@plain.example", SPF_MAIL_FROM);
    assert_string_equal(c.f.domain, "plain.example");
    check_done(&c);
    c = check_client(A, "localhost", "user@plain.example", SPF_HELO);
    assert_int_equal(c.f.result, RESULT_NONE);
    assert_null(c.f.domain);
    check_done(&c);
}

/* 11.1: each of nine includes includes nine that include nine; the eleventh term ends it, and DNS is asked no more than
 * that. */
static void include_tree(void **state)
{
    struct buf text = BUF_INIT;
    char *error;
    buf_adds(&text, "t.example TXT \"v=spf1");
    for (int i = 0; i < 9; i++)
        buf_printf(&text, " include:t%d.example", i);
    buf_adds(&text, "\"\n");
    for (int i = 0; i < 9; i++) {
        buf_printf(&text, "t%d.example TXT \"v=spf1", i);
        for (int k = 0; k < 9; k++)
            buf_printf(&text, " include:t%d%d.example", i, k);
        buf_adds(&text, "\"\n");
        for (int k = 0; k < 9; k++) {
            buf_printf(&text, "t%d%d.example TXT \"v=spf1", i, k);
            for (int m = 0; m < 9; m++)
                buf_printf(&text, " include:t%d%d%d.example", i, k, m);
            buf_adds(&text, "\"\n");
            for (int m = 0; m < 9; m++)
                buf_printf(&text, "t%d%d%d.example TXT \"v=spf1 ?all\"\n", i, k, m);
        }
    }
    struct dns *dns = dns_replay_text(buf_slice(&text), "tree", &error);
    assert_non_null(dns);
    struct arena *arena = arena_new(16 << 20);
    struct dns_scope *scope = dns_scope_new(dns, arena, &(struct dns_budget){.lookups = 1000});
    struct spf_input in = {.helo = "h.example", .local = SLICE_LIT("u"), .domain = "t.example"};
    struct spf_finding f;
    assert_int_equal(ip_from_text(SLICE_LIT(A), &in.client), STATUS_OK);
    assert_int_equal(spf_check(scope, arena, &in, SPF_MAIL_FROM, &f), STATUS_OK);
    assert_int_equal(f.result, RESULT_PERMERROR);
    assert_int_equal(f.terms, 11);
    assert_int_equal(f.record_count, 11);
    size_t asked = 0;
    while (dns_trace(scope, asked))
        asked++;
    assert_in_range(asked, 11, 40);
    dns_scope_free(scope);
    arena_free(arena);
    dns_close(dns);
    buf_release(&text);
}

/* RFC 7208 4.6.4: ten mx terms of ten hosts each are legal. A message's budget allows all of them and the
 * check of HELO. */
static void ten_by_ten(void **state)
{
    struct buf text = BUF_INIT;
    char *error;
    buf_adds(&text, "t.example TXT \"v=spf1");
    for (int i = 0; i < 10; i++)
        buf_printf(&text, " mx:m%d.example", i);
    buf_adds(&text, " -all\"\n");
    for (int i = 0; i < 10; i++)
        for (int k = 0; k < 10; k++) {
            buf_printf(&text, "m%d.example MX %d h%d%d.example\n", i, k, i, k);
            buf_printf(&text, "h%d%d.example A 192.0.2.%d\n", i, k, i * 10 + k + 1);
        }
    struct dns *dns = dns_replay_text(buf_slice(&text), "ten", &error);
    assert_non_null(dns);
    static const struct {
        const char *client;
        enum result result;
    } t[] = {{"192.0.2.1", RESULT_PASS}, {"192.0.2.100", RESULT_PASS}, {"192.0.2.101", RESULT_FAIL}};
    for (size_t i = 0; i < 3; i++) {
        struct arena *arena = arena_new(16 << 20);
        struct dns_scope *scope = dns_scope_new(dns, arena, &(struct dns_budget){.message = true});
        struct spf_input in = {.helo = "t.example", .local = SLICE_LIT("u"), .domain = "t.example"};
        struct spf_finding f;
        assert_int_equal(ip_from_text(slice_str(t[i].client), &in.client), STATUS_OK);
        dns_scope_purpose(scope, DNS_FOR_SPF);
        assert_int_equal(spf_check(scope, arena, &in, SPF_MAIL_FROM, &f), STATUS_OK);
        assert_int_equal(f.result, t[i].result);
        assert_int_equal(spf_check(scope, arena, &in, SPF_HELO, &f), STATUS_OK);
        assert_int_equal(f.result, t[i].result);
        assert_int_equal(dns_scope_limit(scope), LIMIT_NOT_REACHED);
        dns_scope_free(scope);
        arena_free(arena);
    }
    dns_close(dns);
    buf_release(&text);
}

static void details(void **state)
{
    struct check c = check_client(A, "mail.example.org", "user@inc.example", SPF_MAIL_FROM);
    assert_int_equal(c.f.record_count, 2);
    assert_string_equal(c.f.records[0].domain, "inc.example");
    assert_string_equal(c.f.records[1].domain, "plain.example");
    assert_int_equal(c.f.records[1].security, DNS_SECURE);
    assert_int_equal(c.f.security, DNS_INSECURE);
    assert_int_equal(c.f.terms, 1);
    assert_int_equal(c.f.authorised_v4, 1);
    check_done(&c);
    c = check_client(A, "mail.example.org", "user@plain.example", SPF_MAIL_FROM);
    assert_int_equal(c.f.security, DNS_SECURE);
    check_done(&c);
    c = check_client(A, "mail.example.org", "user@incbogus.example", SPF_MAIL_FROM);
    assert_int_equal(c.f.security, DNS_BROKEN);
    check_done(&c);
    c = check_client(B, "mail.example.org", "user@case.example", SPF_MAIL_FROM);
    assert_true(c.f.sends_nothing);
    check_done(&c);
    c = check_client(B, "mail.example.org", "user@plain.example", SPF_MAIL_FROM);
    assert_false(c.f.sends_nothing);
    check_done(&c);
}

static void authorised(void **state)
{
    struct check c = check_client("203.0.113.77", "mail.example.org", "user@nets.example", SPF_MAIL_FROM);
    assert_int_equal(c.f.authorised_v4, 256 + 128); /* /24, /25 inside it, /25 of its own */
    assert_int_equal(c.f.authorised_v6, 65536 + 1);
    assert_false(c.f.plus_all);
    check_done(&c);
    c = check_client(B, "mail.example.org", "user@everyone.example", SPF_MAIL_FROM);
    assert_true(c.f.authorised_v4 == (uint64_t)1 << 32);
    assert_true(c.f.authorised_v6 == UINT64_MAX);
    check_done(&c);
    c = check_client(B, "mail.example.org", "user@plusall.example", SPF_MAIL_FROM);
    assert_true(c.f.plus_all);
    check_done(&c);
    c = check_client(A, "mail.example.org", "user@incfail.example", SPF_MAIL_FROM);
    assert_int_equal(c.f.authorised_v4, 0);
    check_done(&c);
    c = check_client("192.0.2.77", "mail.example.org", "user@prefix.example", SPF_MAIL_FROM);
    assert_int_equal(c.f.authorised_v4, 256);
    check_done(&c);
}

/* 6.2; and nothing a sender writes there may be more than plain words. */
static void explanations(void **state)
{
    static const struct {
        const char *from, *explanation;
    } k[] = {
        {"user@exp.example", "198.51.100.9 is not one of exp.example's servers, see http://x.example/?u=user%26%40"},
        {"user@expredir.example",
         "198.51.100.9 is not one of expredir.example's servers, see http://x.example/?u=user%26%40"},
        {"user@expinc.example", NULL},
        {"user@expnone.example", NULL},
        {"user@exptwo.example", NULL},
        {"user@expcontrol.example", NULL},
        {"user@expbad.example", NULL},
        {"user@exphuge.example", NULL},
        {"user@expslow.example", NULL},
    };
    for (size_t i = 0; i < sizeof k / sizeof *k; i++) {
        char from[64];
        snprintf(from, sizeof from, "user&@%s", k[i].from + 5);
        struct check c = check_client(B, "mail.example.org", from, SPF_MAIL_FROM);
        if (c.f.result != RESULT_FAIL)
            fail_msg("%s: %s (%s)", k[i].from, result_name(c.f.result), c.f.reason);
        if (!k[i].explanation)
            assert_null(c.f.explanation);
        else if (!c.f.explanation || strncmp(c.f.explanation, k[i].explanation, strlen(k[i].explanation) - 3) != 0)
            fail_msg("%s: %s", k[i].from, c.f.explanation ? c.f.explanation : "none");
        check_done(&c);
    }
    struct check c = check_client(B, "mail.example.org", "us\ner@explocal.example", SPF_MAIL_FROM);
    assert_int_equal(c.f.result, RESULT_FAIL);
    assert_null(c.f.explanation);
    check_done(&c);
}

static void long_record(void **state)
{
    for (size_t n = LIMIT_SPF_RECORD - 1; n <= LIMIT_SPF_RECORD + 1; n++) {
        struct buf zone = BUF_INIT;
        char *error;
        buf_adds(&zone, "long.example TXT \"v=spf1 ip4:192.0.2.1 x=");
        while (zone.n < n - 5 + strlen("long.example TXT \""))
            buf_addc(&zone, 'y');
        buf_adds(&zone, " -all\"\n");
        struct dns *dns = dns_replay_text(buf_slice(&zone), "long", &error);
        assert_non_null(dns);
        struct arena *arena = arena_new(1 << 20);
        struct dns_scope *scope = dns_scope_new(dns, arena, NULL);
        struct spf_input in = {.helo = "h.example", .local = SLICE_LIT("u"), .domain = "long.example"};
        struct spf_finding f;
        assert_int_equal(ip_from_text(SLICE_LIT(A), &in.client), STATUS_OK);
        assert_int_equal(spf_check(scope, arena, &in, SPF_MAIL_FROM, &f), STATUS_OK);
        assert_int_equal(f.records[0].text.n, n);
        assert_int_equal(f.result, n <= LIMIT_SPF_RECORD ? RESULT_PASS : RESULT_PERMERROR);
        dns_scope_free(scope);
        arena_free(arena);
        dns_close(dns);
        buf_release(&zone);
    }
}

static void no_client(void **state)
{
    struct dns *dns = world();
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *scope = dns_scope_new(dns, arena, NULL);
    struct spf_input in = {.helo = "helo.example", .domain = "plain.example"};
    struct spf_finding f;
    assert_int_equal(spf_check(scope, arena, &in, SPF_MAIL_FROM, &f), STATUS_OK);
    assert_int_equal(f.result, RESULT_NONE);
    assert_int_equal(f.security, DNS_UNKNOWN);
    assert_null(dns_trace(scope, 0));
    dns_scope_free(scope);
    arena_free(arena);
    dns_close(dns);
}

static void little_memory(void **state)
{
    struct dns *dns = world();
    unsigned ran_out = 0;
    for (size_t bound = 64; bound <= 8192; bound += 64) {
        struct arena *big = arena_new(16 << 20), *small = arena_new(bound);
        struct dns_scope *scope = dns_scope_new(dns, big, NULL);
        struct spf_input in = {.helo = "mail.example.org", .local = SLICE_LIT("u"), .domain = "eleven.example"};
        struct spf_finding f;
        assert_int_equal(ip_from_text(SLICE_LIT(A), &in.client), STATUS_OK);
        enum status s = spf_check(scope, small, &in, SPF_MAIL_FROM, &f);
        assert_int_equal(f.result, s == STATUS_OK ? RESULT_PERMERROR : RESULT_TEMPERROR);
        assert_non_null(f.reason);
        ran_out += s == STATUS_NOMEM;
        dns_scope_free(scope);
        arena_free(small);
        arena_free(big);
    }
    assert_true(ran_out > 0);
    dns_close(dns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spf_table),     cmocka_unit_test(identities), cmocka_unit_test(include_tree),
        cmocka_unit_test(ten_by_ten),    cmocka_unit_test(details),    cmocka_unit_test(authorised),
        cmocka_unit_test(explanations),  cmocka_unit_test(no_client),  cmocka_unit_test(long_record),
        cmocka_unit_test(little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
