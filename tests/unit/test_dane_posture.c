// SPDX-License-Identifier: BSD-2-Clause
/*
 * DANE posture, by RFC 7672 (sections in the cases), RFC 6698 and RFC 7671. Each case is a domain of its own; TLSA data
 * is written with S (32 octets), L (64 octets) and C (a DER sequence).
 */
#include "tests/unit/cm.h"

#include "base/buf.h"
#include "dns/dns_replay.h"
#include "standards/dane/dane_posture.h"
#include <stdio.h>

#define S "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define L S S
#define C "3003020105"
#define GOOD "_25._tcp.mx.D secure TLSA 3 1 1 " S "\n"
#define MX1 "D secure MX 10 mx.D\nmx.D secure A 192.0.2.1\n"
#define MX2 "D secure MX 10 mx.D\nD secure MX 20 mx2.D\nmx.D secure A 192.0.2.1\nmx2.D secure A 192.0.2.2\n"

static const struct {
    const char *section;
    const char *zone; /* D stands for the domain */
    enum dane_state state;
    enum result result;
    int first; /* state of the first host; -1: not compared */
} cases[] = {
    /* protected */
    {"2.2 one host", MX1 GOOD, DANE_PROTECTED, RESULT_PASS, DANE_HOST_PROTECTED},
    {"2.2 two hosts", MX2 GOOD "_25._tcp.mx2.D secure TLSA 2 0 1 " S "\n", DANE_PROTECTED, RESULT_PASS,
     DANE_HOST_PROTECTED},
    {"2.2 IPv6 only", "D secure MX 10 mx.D\nmx.D secure AAAA 2001:db8::1\n" GOOD, DANE_PROTECTED, RESULT_PASS,
     DANE_HOST_PROTECTED},
    {"2.2 both families", MX1 "mx.D secure AAAA 2001:db8::1\n" GOOD, DANE_PROTECTED, RESULT_PASS, DANE_HOST_PROTECTED},
    {"2.2 host elsewhere",
     "D secure MX 10 mx.host-D\nmx.host-D secure A 192.0.2.1\n_25._tcp.mx.host-D secure TLSA 3 1 1 " S "\n",
     DANE_PROTECTED, RESULT_PASS, DANE_HOST_PROTECTED},
    {"5 upper case", "D secure MX 10 MX.D\nmx.D secure A 192.0.2.1\n" GOOD, DANE_PROTECTED, RESULT_PASS,
     DANE_HOST_PROTECTED},
    {"2.2 a host without address beside", MX1 GOOD "D secure MX 20 dead.D\n", DANE_PROTECTED, RESULT_PASS,
     DANE_HOST_PROTECTED},
    {"2.2 the same host twice", MX1 GOOD "D secure MX 20 mx.D\n", DANE_PROTECTED, RESULT_PASS, DANE_HOST_PROTECTED},
    {"2.2 one family fails, one is secure", MX1 GOOD "mx.D timeout AAAA\n", DANE_PROTECTED, RESULT_PASS,
     DANE_HOST_PROTECTED},
    {"3.1 usable among unusable", MX1 GOOD "_25._tcp.mx.D secure TLSA 1 1 1 " S "\n", DANE_PROTECTED, RESULT_PASS,
     DANE_HOST_PROTECTED},
    {"3.1.1 DANE-EE with SHA-512", MX1 "_25._tcp.mx.D secure TLSA 3 1 2 " L "\n", DANE_PROTECTED, RESULT_PASS, -1},
    {"3.1.2 DANE-TA", MX1 "_25._tcp.mx.D secure TLSA 2 1 1 " S "\n", DANE_PROTECTED, RESULT_PASS, -1},
    {"3.1 whole certificate", MX1 "_25._tcp.mx.D secure TLSA 3 0 0 " C "\n", DANE_PROTECTED, RESULT_PASS, -1},
    {"3.1 whole key", MX1 "_25._tcp.mx.D secure TLSA 2 1 0 " C "\n", DANE_PROTECTED, RESULT_PASS, -1},
    /* implicit MX, null MX, no domain */
    {"2.2.2 implicit", "D secure A 192.0.2.1\n_25._tcp.D secure TLSA 3 1 1 " S "\n", DANE_PROTECTED, RESULT_PASS,
     DANE_HOST_PROTECTED},
    {"2.2.2 implicit, no TLSA", "D secure A 192.0.2.1\n", DANE_NONE, RESULT_NONE, DANE_HOST_NONE},
    {"2.2.2 implicit, unsigned", "D A 192.0.2.1\n_25._tcp.D TLSA 3 1 1 " S "\n", DANE_NONE, RESULT_NONE,
     DANE_HOST_INSECURE},
    {"2.2.2 implicit, no address", "D secure TXT x\n", DANE_NONE, RESULT_NONE, DANE_HOST_NO_ADDRESS},
    {"2.2.2 empty MX not signed", "D secure A 192.0.2.1\nD insecure nodata MX\n_25._tcp.D secure TLSA 3 1 1 " S "\n",
     DANE_INSECURE_MX, RESULT_NEUTRAL, DANE_HOST_PROTECTED},
    {"RFC 7505 null MX", "D secure MX 0 .\n", DANE_NO_MAIL, RESULT_NONE, -1},
    {"RFC 7505 null MX among others", MX1 GOOD "D secure MX 0 .\n", DANE_PROTECTED, RESULT_PASS, DANE_HOST_PROTECTED},
    {"no such domain", "x.D secure nodata A\nD secure nxdomain\n", DANE_NONE, RESULT_NONE, -1},
    /* insecure MX */
    {"2.2.1", "D MX 10 mx.D\nmx.D secure A 192.0.2.1\n" GOOD, DANE_INSECURE_MX, RESULT_NEUTRAL, DANE_HOST_PROTECTED},
    {"2.2.1 some hosts", "D MX 10 mx.D\nD MX 20 mx2.D\nmx.D secure A 192.0.2.1\nmx2.D A 192.0.2.2\n" GOOD,
     DANE_INSECURE_MX, RESULT_NEUTRAL, -1},
    {"2.2.1 none", "D MX 10 mx.D\nmx.D A 192.0.2.1\n", DANE_NONE, RESULT_NONE, DANE_HOST_INSECURE},
    {"2.2.1 MX by way of an unsigned alias", "D CNAME a-D\na-D MX 10 mx.D\nmx.D secure A 192.0.2.1\n" GOOD,
     DANE_INSECURE_MX, RESULT_NEUTRAL, DANE_HOST_PROTECTED},
    {"2.2.1 MX by way of a signed alias", "D secure CNAME a-D\na-D secure MX 10 mx.D\nmx.D secure A 192.0.2.1\n" GOOD,
     DANE_PROTECTED, RESULT_PASS, DANE_HOST_PROTECTED},
    /* partial */
    {"2.2 one of two", MX2 GOOD, DANE_PARTIAL, RESULT_NEUTRAL, DANE_HOST_PROTECTED},
    {"2.2 the second of two", MX2 "_25._tcp.mx2.D secure TLSA 3 1 1 " S "\n", DANE_PARTIAL, RESULT_NEUTRAL,
     DANE_HOST_NONE},
    {"2.2 the other unsigned",
     "D secure MX 10 mx.D\nD secure MX 20 mx2.D\nmx.D secure A 192.0.2.1\nmx2.D A 192.0.2.2\n" GOOD, DANE_PARTIAL,
     RESULT_NEUTRAL, DANE_HOST_PROTECTED},
    {"2.2 the other unusable", MX2 GOOD "_25._tcp.mx2.D secure TLSA 0 0 1 " S "\n", DANE_PARTIAL, RESULT_NEUTRAL,
     DANE_HOST_PROTECTED},
    {"2.2 the other broken", MX2 GOOD "_25._tcp.mx2.D bogus TLSA\n", DANE_PARTIAL, RESULT_NEUTRAL, DANE_HOST_PROTECTED},
    /* unusable */
    {"3.1.3 PKIX-EE", MX1 "_25._tcp.mx.D secure TLSA 1 1 1 " S "\n", DANE_UNUSABLE, RESULT_PERMERROR,
     DANE_HOST_UNUSABLE},
    {"3.1.3 PKIX-TA", MX1 "_25._tcp.mx.D secure TLSA 0 0 1 " S "\n", DANE_UNUSABLE, RESULT_PERMERROR,
     DANE_HOST_UNUSABLE},
    {"RFC 6698 unknown usage", MX1 "_25._tcp.mx.D secure TLSA 4 1 1 " S "\n", DANE_UNUSABLE, RESULT_PERMERROR, -1},
    {"RFC 6698 private usage", MX1 "_25._tcp.mx.D secure TLSA 255 1 1 " S "\n", DANE_UNUSABLE, RESULT_PERMERROR, -1},
    {"RFC 6698 unknown selector", MX1 "_25._tcp.mx.D secure TLSA 3 2 1 " S "\n", DANE_UNUSABLE, RESULT_PERMERROR, -1},
    {"RFC 6698 unknown matching type", MX1 "_25._tcp.mx.D secure TLSA 3 1 3 " S "\n", DANE_UNUSABLE, RESULT_PERMERROR,
     -1},
    {"RFC 6698 short SHA-256", MX1 "_25._tcp.mx.D secure TLSA 3 1 1 0011\n", DANE_UNUSABLE, RESULT_PERMERROR, -1},
    {"RFC 6698 SHA-256 called SHA-512", MX1 "_25._tcp.mx.D secure TLSA 3 1 2 " S "\n", DANE_UNUSABLE, RESULT_PERMERROR,
     -1},
    {"RFC 6698 whole certificate that is none", MX1 "_25._tcp.mx.D secure TLSA 3 0 0 30820105\n", DANE_UNUSABLE,
     RESULT_PERMERROR, -1},
    {"RFC 6698 no data", MX1 "_25._tcp.mx.D secure TLSA 3 1 1\n", DANE_UNUSABLE, RESULT_PERMERROR, -1},
    {"rdata of no octets", MX1 "_25._tcp.mx.D secure TLSA \\# 0\n", DANE_UNUSABLE, RESULT_PERMERROR, -1},
    {"rdata of two octets", MX1 "_25._tcp.mx.D secure TLSA \\# 2 0301\n", DANE_UNUSABLE, RESULT_PERMERROR, -1},
    /* none */
    {"2.2 NODATA", MX1 "_25._tcp.mx.D secure nodata TLSA\n", DANE_NONE, RESULT_NONE, DANE_HOST_NONE},
    {"2.2 NXDOMAIN", MX1, DANE_NONE, RESULT_NONE, DANE_HOST_NONE},
    {"2.2 wrong port", MX1 "_465._tcp.mx.D secure TLSA 3 1 1 " S "\n", DANE_NONE, RESULT_NONE, DANE_HOST_NONE},
    {"2.2 insecure TLSA", MX1 "_25._tcp.mx.D insecure TLSA 3 1 1 " S "\n", DANE_NONE, RESULT_NONE, DANE_HOST_INSECURE},
    {"2.2.2 insecure addresses", "D secure MX 10 mx.D\nmx.D A 192.0.2.1\n" GOOD, DANE_NONE, RESULT_NONE,
     DANE_HOST_INSECURE},
    {"2.2.2 one family insecure", MX1 "mx.D insecure AAAA 2001:db8::1\n" GOOD, DANE_NONE, RESULT_NONE,
     DANE_HOST_INSECURE},
    {"MX host without address", "D secure MX 10 dead.D\n", DANE_NONE, RESULT_NONE, DANE_HOST_NO_ADDRESS},
    {"MX that is no host name", "D secure MX 10 no\\032name.D\n", DANE_NONE, RESULT_NONE, -1},
    /* CNAME */
    {"2.2.3 end of a secure chain",
     "D secure MX 10 mx.D\nmx.D secure CNAME real.D\nreal.D secure A 192.0.2.1\n"
     "_25._tcp.real.D secure TLSA 3 1 1 " S "\n",
     DANE_PROTECTED, RESULT_PASS, DANE_HOST_PROTECTED},
    {"2.2.3 then the name itself", "D secure MX 10 mx.D\nmx.D secure CNAME real.D\nreal.D secure A 192.0.2.1\n" GOOD,
     DANE_PROTECTED, RESULT_PASS, DANE_HOST_PROTECTED},
    {"2.2.3 two links",
     "D secure MX 10 mx.D\nmx.D secure CNAME m2.D\nm2.D secure CNAME real.D\nreal.D secure A 192.0.2.1\n"
     "_25._tcp.real.D secure TLSA 3 1 1 " S "\n",
     DANE_PROTECTED, RESULT_PASS, DANE_HOST_PROTECTED},
    {"2.2.3 secure alias to an unsigned name",
     "D secure MX 10 mx.D\nmx.D secure CNAME real.D\nreal.D A 192.0.2.1\n" GOOD, DANE_PROTECTED, RESULT_PASS,
     DANE_HOST_PROTECTED},
    {"2.2.3 the same, records at the end",
     "D secure MX 10 mx.D\nmx.D secure CNAME real.D\nreal.D A 192.0.2.1\n"
     "_25._tcp.real.D secure TLSA 3 1 1 " S "\n",
     DANE_NONE, RESULT_NONE, DANE_HOST_NONE},
    {"2.2.3 insecure alias",
     "D secure MX 10 mx.D\nmx.D CNAME real.D\nreal.D secure A 192.0.2.1\n"
     "_25._tcp.real.D secure TLSA 3 1 1 " S "\n",
     DANE_NONE, RESULT_NONE, DANE_HOST_INSECURE},
    {"2.2.3 TLSA itself an alias", MX1 "_25._tcp.mx.D secure CNAME tlsa.D\ntlsa.D secure TLSA 3 1 1 " S "\n",
     DANE_PROTECTED, RESULT_PASS, DANE_HOST_PROTECTED},
    {"2.2.3 TLSA an alias to an unsigned name", MX1 "_25._tcp.mx.D secure CNAME tlsa.D\ntlsa.D TLSA 3 1 1 " S "\n",
     DANE_NONE, RESULT_NONE, DANE_HOST_INSECURE},
    {"2.2.3 broken at the end of the chain",
     "D secure MX 10 mx.D\nmx.D secure CNAME real.D\nreal.D secure A 192.0.2.1\n"
     "_25._tcp.real.D bogus TLSA\n" GOOD,
     DANE_BROKEN, RESULT_FAIL, DANE_HOST_BROKEN},
    /* broken and unknown */
    {"2.1.2 bogus TLSA", MX1 "_25._tcp.mx.D bogus \"expired\" TLSA\n", DANE_BROKEN, RESULT_FAIL, DANE_HOST_BROKEN},
    {"2.1.2 bogus denial", MX1 "_25._tcp.mx.D bogus\n", DANE_BROKEN, RESULT_FAIL, DANE_HOST_BROKEN},
    {"2.2 TLSA look-up fails", MX1 "_25._tcp.mx.D servfail\n", DANE_BROKEN, RESULT_TEMPERROR, DANE_HOST_BROKEN},
    {"2.2 TLSA look-up times out", MX1 "_25._tcp.mx.D timeout\n", DANE_BROKEN, RESULT_TEMPERROR, DANE_HOST_BROKEN},
    {"2.1.2 bogus MX", "zone D bogus\n", DANE_BROKEN, RESULT_FAIL, -1},
    {"2.1.2 bogus address", "D secure MX 10 mx.D\nmx.D bogus A\n", DANE_BROKEN, RESULT_FAIL, DANE_HOST_BROKEN},
    {"MX times out", "D timeout MX\n", DANE_UNKNOWN, RESULT_TEMPERROR, -1},
    {"addresses time out", "D secure MX 10 mx.D\nmx.D timeout\n", DANE_UNKNOWN, RESULT_TEMPERROR, DANE_HOST_UNKNOWN},
    {"one host protected, one not known", MX1 GOOD "D secure MX 20 slow.D\nslow.D timeout\n", DANE_UNKNOWN,
     RESULT_TEMPERROR, -1},
};

/* The zone with D as the domain. */
static void expand(const char *zone, const char *domain, struct buf *out)
{
    for (; *zone; zone++) {
        if (*zone == 'D' && strncmp(zone, "DD", 2) != 0 && (zone[1] < 'A' || zone[1] > 'Z'))
            buf_adds(out, domain);
        else
            buf_addc(out, *zone);
    }
}

struct check {
    struct dns *dns;
    struct arena *arena;
    struct dns_scope *scope;
    struct dane_posture f;
};

static struct check check_zone(const char *zone, unsigned lookups)
{
    struct check c = {.arena = arena_new(4 << 20)};
    struct buf text = BUF_INIT;
    char *error = NULL;
    expand(zone, "d.example", &text);
    c.dns = dns_replay_text(buf_slice(&text), "zone", &error);
    if (!c.dns)
        fail_msg("%s\n%s", error, text.p);
    buf_release(&text);
    c.scope = dns_scope_new(c.dns, c.arena, &(struct dns_budget){.lookups = lookups});
    dane_start(c.scope, "d.example");
    assert_int_equal(dane_check(c.scope, c.arena, "d.example", &c.f), STATUS_OK);
    assert_non_null(c.f.reason);
    return c;
}

static void check_done(struct check *c)
{
    dns_scope_free(c->scope);
    arena_free(c->arena);
    dns_close(c->dns);
}

static void posture_table(void **state)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct check c = check_zone(cases[i].zone, 0);
        int first = c.f.host_count ? (int)c.f.hosts[0].state : -1;
        if (c.f.state != cases[i].state || c.f.result != cases[i].result ||
            (cases[i].first >= 0 && first != cases[i].first)) {
            print_error("%s: %s, %s, first host %s (%s), expected %s\n", cases[i].section, dane_state_name(c.f.state),
                        result_name(c.f.result), first < 0 ? "none" : dane_host_state_name((enum dane_host_state)first),
                        c.f.reason, dane_state_name(cases[i].state));
            wrong++;
        }
        check_done(&c);
    }
    assert_int_equal(wrong, 0);
    assert_true(sizeof cases / sizeof *cases >= 50);
}

/* RFC 7671 section 9: of one usage and selector the strongest digest counts; a malformed one is no digest. */
static void digest_agility(void **state)
{
    struct check c = check_zone(MX1 "_25._tcp.mx.D secure TLSA 3 1 1 " S "\n_25._tcp.mx.D secure TLSA 3 1 2 " L "\n"
                                    "_25._tcp.mx.D secure TLSA 3 0 1 " S "\n_25._tcp.mx.D secure TLSA 2 1 1 " S "\n"
                                    "_25._tcp.mx.D secure TLSA 2 1 2 " S "\n_25._tcp.mx.D secure TLSA 3 1 0 " C "\n",
                                0);
    static const struct {
        bool usable, used;
    } expected[] = {{true, false}, {true, true}, {true, true}, {true, true}, {false, false}, {true, true}};
    const struct dane_records *r = &c.f.hosts[0].records;
    assert_int_equal(r->count, 6);
    assert_int_equal(r->usable, 5);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(r->record[i].usable, expected[i].usable);
        assert_int_equal(r->record[i].used, expected[i].used);
        assert_true((r->record[i].why == NULL) == expected[i].usable);
    }
    assert_string_equal(dane_record_text(c.arena, &r->record[0], 4), "3 1 1 00112233...");
    assert_string_equal(dane_record_text(c.arena, &r->record[5], 0), "3 1 0 " C);
    check_done(&c);
}

static void many_hosts(void **state)
{
    struct buf zone = BUF_INIT;
    for (int i = 1; i <= 100; i++)
        buf_printf(&zone, "D secure MX %d m%d.D\nm%d.D secure A 192.0.2.%d\n_25._tcp.m%d.D secure TLSA 3 1 1 " S "\n",
                   i, i, i, i, i);
    struct check c = check_zone(zone.p, 0);
    assert_int_equal(c.f.state, DANE_PARTIAL);
    assert_int_equal(c.f.mx_count, 100);
    assert_int_equal(c.f.host_count, LIMIT_DANE_HOSTS);
    assert_string_equal(c.f.hosts[0].name, "m1.d.example");
    assert_string_equal(c.f.hosts[9].name, "m10.d.example");
    assert_non_null(strstr(c.f.reason, "first 10 of 100"));
    size_t asked = 0;
    while (dns_trace(c.scope, asked))
        asked++;
    assert_int_equal(asked, 31);
    check_done(&c);
    c = check_zone(zone.p, 12);
    assert_int_equal(c.f.state, DANE_UNKNOWN);
    assert_int_equal(c.f.result, RESULT_TEMPERROR);
    check_done(&c);
    buf_release(&zone);
}

static void details(void **state)
{
    struct check c = check_zone("D secure MX 20 second.D\nD MX 10 first.D\nfirst.D A 192.0.2.1\nsecond.D bogus\n", 0);
    assert_string_equal(c.f.hosts[0].name, "first.d.example");
    assert_int_equal(c.f.hosts[1].preference, 20);
    assert_int_equal(c.f.security, DNS_BROKEN);
    assert_int_equal(c.f.mx_security, DNS_INSECURE);
    assert_int_equal(c.f.state, DANE_BROKEN);
    assert_non_null(strstr(c.f.reason, "second.d.example"));
    check_done(&c);
    c = check_zone(
        "D secure MX 10 mx.D\nmx.D secure CNAME real.D\nreal.D secure A 192.0.2.1\n_25._tcp.real.D secure TLSA 3 1 1 " S
        "\n",
        0);
    assert_string_equal(c.f.hosts[0].base, "real.d.example");
    assert_true(c.f.hosts[0].v4);
    assert_false(c.f.hosts[0].v6);
    assert_int_equal(c.f.security, DNS_SECURE);
    check_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(posture_table), cmocka_unit_test(digest_agility),
                                       cmocka_unit_test(many_hosts), cmocka_unit_test(details)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
