// SPDX-License-Identifier: BSD-2-Clause
/* Forward-confirmed reverse DNS and HELO: cases from RFC 8601 section 2.7.3 and RFC 5321 sections 2.3.5, 4.1.1.1,
 * 4.1.3. */
#include "tests/unit/cm.h"

#include "base/buf.h"
#include "dns/dns_replay.h"
#include "standards/rdns.h"
#include <stdio.h>

static const char zones[] =
    "1.2.0.192.in-addr.arpa secure PTR mail.example.org\n"
    "mail.example.org secure A 192.0.2.1\n"
    "2.2.0.192.in-addr.arpa PTR lies.example.org\n"
    "lies.example.org A 192.0.2.99\n"
    "3.2.0.192.in-addr.arpa secure PTR gone.example.org\n"
    "  secure PTR mail3.example.org\n"
    "mail3.example.org insecure A 192.0.2.3\n"
    "4.2.0.192.in-addr.arpa PTR slow.example.org\n"
    "slow.example.org timeout\n"
    "5.2.0.192.in-addr.arpa timeout\n"
    "6.2.0.192.in-addr.arpa bogus\n"
    "7.2.0.192.in-addr.arpa PTR slow.example.org\n"
    "  PTR mail7.example.org\n"
    "mail7.example.org A 192.0.2.7\n"
    "8.2.0.192.in-addr.arpa PTR not\\032a\\032host\n"
    "9.2.0.192.in-addr.arpa nodata PTR\n"
    "10.2.0.192.in-addr.arpa PTR bogus.example.org\n"
    "bogus.example.org bogus\n"
    "11.2.0.192.in-addr.arpa PTR only6.example.org\n"
    "only6.example.org AAAA 2001:db8::1\n"
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR only6.example.org\n";

static void rdns_addresses(void **state)
{
    static const struct {
        const char *client;
        enum result result;
        const char *name;
        enum dns_security security;
    } cases[] = {
        {"192.0.2.1", RESULT_PASS, "mail.example.org", DNS_SECURE},
        {"::ffff:192.0.2.1", RESULT_PASS, "mail.example.org", DNS_SECURE},
        {"192.0.2.2", RESULT_FAIL, "lies.example.org", DNS_INSECURE},
        {"192.0.2.3", RESULT_PASS, "mail3.example.org", DNS_INSECURE},
        {"192.0.2.4", RESULT_TEMPERROR, "slow.example.org", DNS_UNKNOWN},
        {"192.0.2.5", RESULT_TEMPERROR, NULL, DNS_UNKNOWN},
        {"192.0.2.6", RESULT_TEMPERROR, NULL, DNS_BROKEN},
        {"192.0.2.7", RESULT_PASS, "mail7.example.org", DNS_UNKNOWN},
        {"192.0.2.8", RESULT_FAIL, NULL, DNS_INSECURE},
        {"192.0.2.9", RESULT_PERMERROR, NULL, DNS_INSECURE},
        {"192.0.2.10", RESULT_TEMPERROR, "bogus.example.org", DNS_BROKEN},
        {"192.0.2.11", RESULT_FAIL, "only6.example.org", DNS_INSECURE},
        {"192.0.2.200", RESULT_PERMERROR, NULL, DNS_INSECURE},
        {"2001:db8::1", RESULT_PASS, "only6.example.org", DNS_INSECURE},
        {"", RESULT_PERMERROR, NULL, DNS_UNKNOWN},
    };
    char *error;
    struct dns *dns = dns_replay_text(SLICE_LIT(zones), "zones", &error);
    if (!dns)
        fail_msg("%s", error);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_new(1 << 20);
        struct dns_scope *s = dns_scope_new(dns, arena, NULL);
        struct ip client = {0};
        struct rdns_finding f;
        if (*cases[i].client)
            assert_int_equal(ip_from_text(slice_str(cases[i].client), &client), STATUS_OK);
        assert_int_equal(rdns_check(s, arena, &client, NULL, &f), STATUS_OK);
        if (f.result != cases[i].result || f.security != cases[i].security)
            fail_msg("%s: %s, %s (%s)", cases[i].client, result_name(f.result), dns_security_name(f.security),
                     f.reason);
        if (cases[i].name)
            assert_string_equal(f.name, cases[i].name);
        else
            assert_null(f.name);
        assert_int_equal(f.helo.result, RESULT_NONE);
        dns_scope_free(s);
        arena_free(arena);
    }
    dns_close(dns);
}

/* Eleven names: the eleventh is not looked at. */
static void ten_names(void **state)
{
    struct buf text = BUF_INIT;
    char *error;
    for (int i = 1; i <= 11; i++)
        buf_printf(&text, "1.2.0.192.in-addr.arpa PTR n%d.example.org\nn%d.example.org A 192.0.2.%d\n", i, i,
                   i == 11 ? 1 : 77);
    struct dns *dns = dns_replay_text(buf_slice(&text), "names", &error);
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *s = dns_scope_new(dns, arena, NULL);
    struct ip client;
    struct rdns_finding f;
    assert_int_equal(ip_from_text(SLICE_LIT("192.0.2.1"), &client), STATUS_OK);
    assert_int_equal(rdns_check(s, arena, &client, NULL, &f), STATUS_OK);
    assert_int_equal(f.result, RESULT_FAIL);
    assert_int_equal(f.names, 11);
    dns_scope_free(s);
    arena_free(arena);
    dns_close(dns);
    buf_release(&text);
}

static void helo(void **state)
{
    static const struct {
        const char *text;
        enum helo_syntax syntax;
        enum result result; /* from client 192.0.2.1 */
    } cases[] = {
        {"mail.example.org", HELO_NAME, RESULT_PASS},
        {"MAIL.Example.Org.", HELO_NAME, RESULT_PASS},
        {"lies.example.org", HELO_NAME, RESULT_NEUTRAL},
        {"nowhere.example.org", HELO_NAME, RESULT_NEUTRAL},
        {"slow.example.org", HELO_NAME, RESULT_TEMPERROR},
        {"bogus.example.org", HELO_NAME, RESULT_TEMPERROR},
        {"[192.0.2.1]", HELO_LITERAL, RESULT_PASS},
        {"[IPv6:::ffff:192.0.2.1]", HELO_LITERAL, RESULT_PASS},
        {"[192.0.2.2]", HELO_LITERAL, RESULT_FAIL},
        {"[IPv6:2001:db8::1]", HELO_LITERAL, RESULT_FAIL},
        {"192.0.2.1", HELO_BARE_ADDRESS, RESULT_FAIL},
        {"2001:db8::1", HELO_BARE_ADDRESS, RESULT_FAIL},
        {"[2001:db8::1]", HELO_INVALID, RESULT_FAIL},
        {"[IPv6:192.0.2.1]", HELO_INVALID, RESULT_FAIL},
        {"[mail.example.org]", HELO_INVALID, RESULT_FAIL},
        {"[192.0.2.1", HELO_INVALID, RESULT_FAIL},
        {"[]", HELO_INVALID, RESULT_FAIL},
        {"localhost", HELO_SINGLE_LABEL, RESULT_FAIL},
        {"OEMCOMPUTER", HELO_SINGLE_LABEL, RESULT_FAIL},
        {"my_host.example.org", HELO_INVALID, RESULT_FAIL},
        {"-bad.example.org", HELO_INVALID, RESULT_FAIL},
        {"a..example.org", HELO_INVALID, RESULT_FAIL},
        {"mail example.org", HELO_INVALID, RESULT_FAIL},
        {"192.0.2.999", HELO_INVALID, RESULT_FAIL},
        {"mail.example.org\n", HELO_INVALID, RESULT_FAIL},
        {".", HELO_INVALID, RESULT_FAIL},
        {"", HELO_MISSING, RESULT_NONE},
    };
    char *error;
    struct dns *dns = dns_replay_text(SLICE_LIT(zones), "zones", &error);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_new(1 << 20);
        struct dns_scope *s = dns_scope_new(dns, arena, NULL);
        struct ip client;
        struct rdns_finding f;
        assert_int_equal(ip_from_text(SLICE_LIT("192.0.2.1"), &client), STATUS_OK);
        assert_int_equal(rdns_check(s, arena, &client, cases[i].text, &f), STATUS_OK);
        if (f.helo.syntax != cases[i].syntax || f.helo.result != cases[i].result)
            fail_msg("%s: %d %s (%s)", cases[i].text, f.helo.syntax, result_name(f.helo.result), f.helo.reason);
        assert_int_equal(f.result, RESULT_PASS);
        dns_scope_free(s);
        arena_free(arena);
    }
    dns_close(dns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rdns_addresses), cmocka_unit_test(ten_names),
                                       cmocka_unit_test(helo)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
