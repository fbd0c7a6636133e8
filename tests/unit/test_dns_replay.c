// SPDX-License-Identifier: BSD-2-Clause
/* Saved answers: the format of dns_replay.h, the search among them, and the way back into a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "dns/dns_replay.h"
#include <stdlib.h>

static const char zone_text[] = "# a small world\n"
                                "time 2026-11-20T23:19:25Z\n"
                                "zone secure.example secure\n"
                                "zone bad.example bogus \"signature expired\"\n"
                                "zone dead.example timeout\n"
                                "example.org secure 600 MX 10 mx.example.org\n"
                                "            insecure MX 20 MX2.Example.ORG.\n"
                                "            TXT \"v=spf1 \" \"-all\" ; two strings, one text\n"
                                "            TXT plain\\032word\n"
                                "mx.example.org A 192.0.2.25\n"
                                "\tAAAA 2001:db8::25\n"
                                "www.secure.example CNAME host.secure.example\n"
                                "host.secure.example 60 A 192.0.2.80\n"
                                "mixed.secure.example CNAME mx.example.org\n"
                                "dangling.secure.example CNAME nowhere.secure.example\n"
                                "loop.example CNAME loop2.example\n"
                                "loop2.example CNAME loop.example\n"
                                "tobad.secure.example CNAME x.bad.example\n"
                                "x.bad.example A 192.0.2.1\n"
                                "good.bad.example secure A 192.0.2.2\n"
                                "slow.example timeout TXT\n"
                                "slow.example A 192.0.2.3\n"
                                "sick.example servfail \"no route\"\n"
                                "sick.example TXT fine\n"
                                "gone.example secure nxdomain\n"
                                "none.example secure 30 nodata MX\n"
                                "a.b.c.example A 192.0.2.4\n"
                                "empty.example TXT\n"
                                "odd\\032name.example TXT odd\n"
                                "alias.example secure 77 as real.example A 192.0.2.5\n"
                                "_25._tcp.mx.example.org TLSA 3 1 1 ABcd 0102\n"
                                "other.example TYPE99 \\# 4 00010203\n"
                                "null.example MX 0 .\n";

struct world {
    struct dns *dns;
    struct arena *arena;
    struct dns_scope *scope;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    char *error;
    w->dns = dns_replay_text(SLICE_LIT(zone_text), "world", &error);
    if (!w->dns)
        fail_msg("%s", error);
    w->arena = arena_new(1 << 20);
    w->scope = dns_scope_new(w->dns, w->arena, NULL);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    dns_scope_free(w->scope);
    arena_free(w->arena);
    dns_close(w->dns);
    free(w);
    return 0;
}

struct state_case {
    const char *name;
    enum dns_type type;
    enum dns_state state;
    enum dns_security security;
    size_t count;
    uint32_t ttl;
    const char *canonical;
};

static void is_answered_as_expected(struct world *w, const struct state_case *c)
{
    const struct dns_answer *a = dns_get(w->scope, c->name, c->type);
    if (a->state != c->state || a->security != c->security || a->count != c->count || a->ttl != c->ttl)
        fail_msg("%s type %u: %s, %s, %zu records, ttl %u", c->name, c->type, dns_state_name(a->state),
                 dns_security_name(a->security), a->count, a->ttl);
    if (c->canonical)
        assert_string_equal(a->canonical, c->canonical);
    else
        assert_null(a->canonical);
    if (a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS)
        assert_non_null(a->why);
}

static void states(void **state)
{
    static const struct state_case cases[] = {
        {"example.org", DNS_MX, DNS_FOUND, DNS_INSECURE, 2, 300, NULL},
        {"EXAMPLE.org.", DNS_TXT, DNS_FOUND, DNS_INSECURE, 2, 300, NULL},
        {"example.org", DNS_A, DNS_NODATA, DNS_SECURE, 0, 300, NULL},
        {"mx.example.org", DNS_AAAA, DNS_FOUND, DNS_INSECURE, 1, 300, NULL},
        {"mx.example.org", DNS_TXT, DNS_NODATA, DNS_INSECURE, 0, 300, NULL},
        {"nx.example.org", DNS_A, DNS_NXDOMAIN, DNS_INSECURE, 0, 300, NULL},
        {"nx.secure.example", DNS_A, DNS_NXDOMAIN, DNS_SECURE, 0, 300, NULL},
        {"www.secure.example", DNS_A, DNS_FOUND, DNS_SECURE, 1, 60, "host.secure.example"},
        {"www.secure.example", DNS_AAAA, DNS_NODATA, DNS_SECURE, 0, 300, "host.secure.example"},
        {"www.secure.example", DNS_CNAME, DNS_FOUND, DNS_SECURE, 1, 300, NULL},
        {"mixed.secure.example", DNS_A, DNS_FOUND, DNS_INSECURE, 1, 300, "mx.example.org"},
        {"dangling.secure.example", DNS_A, DNS_NXDOMAIN, DNS_SECURE, 0, 300, "nowhere.secure.example"},
        {"loop.example", DNS_A, DNS_TEMPFAIL, DNS_UNKNOWN, 0, 0, NULL},
        {"tobad.secure.example", DNS_A, DNS_BOGUS, DNS_BROKEN, 0, 0, NULL},
        {"x.bad.example", DNS_A, DNS_BOGUS, DNS_BROKEN, 0, 0, NULL},
        {"never-named.bad.example", DNS_A, DNS_BOGUS, DNS_BROKEN, 0, 0, NULL},
        {"good.bad.example", DNS_A, DNS_FOUND, DNS_SECURE, 1, 300, NULL},
        {"x.dead.example", DNS_TXT, DNS_TEMPFAIL, DNS_UNKNOWN, 0, 0, NULL},
        {"slow.example", DNS_TXT, DNS_TEMPFAIL, DNS_UNKNOWN, 0, 0, NULL},
        {"slow.example", DNS_A, DNS_FOUND, DNS_INSECURE, 1, 300, NULL},
        {"slow.example", DNS_MX, DNS_NODATA, DNS_INSECURE, 0, 300, NULL},
        {"sick.example", DNS_TXT, DNS_FOUND, DNS_INSECURE, 1, 300, NULL},
        {"sick.example", DNS_MX, DNS_TEMPFAIL, DNS_UNKNOWN, 0, 0, NULL},
        {"gone.example", DNS_TXT, DNS_NXDOMAIN, DNS_SECURE, 0, 300, NULL},
        {"none.example", DNS_MX, DNS_NODATA, DNS_SECURE, 0, 30, NULL},
        {"b.c.example", DNS_A, DNS_NODATA, DNS_INSECURE, 0, 300, NULL},
        {"x.a.b.c.example", DNS_A, DNS_NXDOMAIN, DNS_INSECURE, 0, 300, NULL},
        {"empty.example", DNS_TXT, DNS_FOUND, DNS_INSECURE, 1, 300, NULL},
        {"odd name.example", DNS_TXT, DNS_FOUND, DNS_INSECURE, 1, 300, NULL},
        {"alias.example", DNS_A, DNS_FOUND, DNS_SECURE, 1, 77, "real.example"},
        {"_25._tcp.mx.example.org", DNS_TLSA, DNS_FOUND, DNS_INSECURE, 1, 300, NULL},
        {"other.example", (enum dns_type)99, DNS_FOUND, DNS_INSECURE, 1, 300, NULL},
        {"a..b", DNS_A, DNS_BADNAME, DNS_UNKNOWN, 0, 0, NULL},
        {".", DNS_NS, DNS_NODATA, DNS_INSECURE, 0, 300, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is_answered_as_expected(*state, &cases[i]);
}

static void records(void **state)
{
    struct world *w = *state;
    const struct dns_answer *a = dns_get(w->scope, "example.org", DNS_TXT);
    assert_true(slice_eq(dns_txt(w->scope, a, 0), SLICE_LIT("v=spf1 -all")));
    assert_true(slice_eq(dns_txt(w->scope, a, 1), SLICE_LIT("plain word")));
    assert_null(dns_txt(w->scope, a, 2).p);
    a = dns_get(w->scope, "empty.example", DNS_TXT);
    assert_int_equal(a->rdata[0].n, 0);
    assert_non_null(dns_txt(w->scope, a, 0).p);
    assert_int_equal(dns_txt(w->scope, a, 0).n, 0);

    uint16_t preference = 0;
    a = dns_get(w->scope, "example.org", DNS_MX);
    assert_string_equal(dns_host(w->scope, a, 1, &preference), "mx2.example.org");
    assert_int_equal(preference, 20);
    assert_string_equal(dns_host(w->scope, dns_get(w->scope, "null.example", DNS_MX), 0, NULL), ".");
    assert_null(dns_host(w->scope, a, 2, NULL));

    struct ip ip;
    char text[IP_TEXT];
    assert_true(dns_address(dns_get(w->scope, "mx.example.org", DNS_AAAA), 0, &ip));
    assert_string_equal(ip_text(&ip, text), "2001:db8::25");
    assert_false(dns_address(a, 0, &ip));

    a = dns_get(w->scope, "_25._tcp.mx.example.org", DNS_TLSA);
    assert_memory_equal(a->rdata[0].p, "\3\1\1\xab\xcd\1\2", 7);
    assert_string_equal(dns_get(w->scope, "x.bad.example", DNS_A)->why, "signature expired");
    assert_int_equal(dns_replay_time(w->dns), 1795216765);
}

/* What a scope saw, saved and read again, answers each question the same. */
static void saved_and_replayed(void **state)
{
    static const struct {
        const char *name;
        enum dns_type type;
    } q[] = {
        {"example.org", DNS_MX},
        {"example.org", DNS_TXT},
        {"example.org", DNS_A},
        {"www.secure.example", DNS_A},
        {"www.secure.example", DNS_AAAA},
        {"dangling.secure.example", DNS_A},
        {"mixed.secure.example", DNS_A},
        {"x.bad.example", DNS_A},
        {"slow.example", DNS_TXT},
        {"sick.example", DNS_MX},
        {"gone.example", DNS_TXT},
        {"none.example", DNS_MX},
        {"empty.example", DNS_TXT},
        {"odd name.example", DNS_TXT},
        {"alias.example", DNS_A},
        {"_25._tcp.mx.example.org", DNS_TLSA},
        {"other.example", (enum dns_type)99},
        {"null.example", DNS_MX},
        {"host.secure.example", DNS_A},
        {"mx.example.org", DNS_A},
        {".", DNS_NS},
        {"a..b", DNS_A},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof q / sizeof *q; i++)
        dns_get(w->scope, q[i].name, q[i].type);
    char *text = NULL, *error;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    assert_int_equal(dns_replay_write(w->scope, f), STATUS_OK);
    fclose(f);
    struct dns *again = dns_replay_text(slice_of(text, n), "saved", &error);
    if (!again)
        fail_msg("%s\n%s", error, text);
    struct dns_scope *scope = dns_scope_new(again, w->arena, NULL);
    for (size_t i = 0; i < sizeof q / sizeof *q; i++) {
        const struct dns_answer *a = dns_get(w->scope, q[i].name, q[i].type), *b = dns_get(scope, q[i].name, q[i].type);
        if (a->state != b->state || a->security != b->security || a->count != b->count || a->ttl != b->ttl ||
            (a->canonical == NULL) != (b->canonical == NULL))
            fail_msg("%s: %s became %s, ttl %u %u in\n%s", q[i].name, dns_state_name(a->state),
                     dns_state_name(b->state), a->ttl, b->ttl, text);
        for (size_t k = 0; k < a->count; k++)
            assert_true(slice_eq(a->rdata[k], b->rdata[k]));
        if (a->canonical)
            assert_string_equal(a->canonical, b->canonical);
        if (a->why && a->state != DNS_BADNAME)
            assert_string_equal(a->why, b->why);
    }
    dns_scope_free(scope);
    dns_close(again);
    free(text);
}

static void mistakes(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"example.org A 192.0.2.256\n", "t:1: A record: not an IPv4 address"},
        {"\n\nexample.org AAAA 192.0.2.1\n", "t:3: AAAA record: not an IPv6 address"},
        {"example.org MX mx.example.org\n", "t:1: MX record: expected a number from 0 to 65535"},
        {"example.org MX 10\n", "t:1: MX record: a field is missing"},
        {"example.org MX 10 a..b\n", "t:1: MX record: not a domain name"},
        {"example.org A 192.0.2.1 192.0.2.2\n", "t:1: A record: more words than the type has fields"},
        {"example.org TXT \"open\n", "t:1: a quote is not closed"},
        {"example.org\n", "t:1: expected a type, as in NAME MX 10 mx.example.org"},
        {"example.org nodata\n", "t:1: expected a type, as in NAME MX 10 mx.example.org"},
        {"example.org WHAT x\n",
         "t:1: \"WHAT\": expected secure, insecure, nodata, nxdomain, timeout, servfail, bogus, as, a TTL, or a type"},
        {" A 192.0.2.1\n", "t:1: a line that continues a name, but there is none before it"},
        {"a..b A 192.0.2.1\n", "t:1: \"a..b\" is not a domain name"},
        {"zone example.org fine\n", "t:1: expected secure, insecure, bogus, timeout or servfail after zone NAME"},
        {"time today\n", "t:1: expected time YYYY-MM-DDTHH:MM:SSZ"},
        {"x.example TLSA 3 1 1 abc\n", "t:1: TLSA record: an odd number of hexadecimal digits"},
        {"x.example TLSA 3 1 256 ab\n", "t:1: TLSA record: expected a number from 0 to 255"},
        {"x.example TYPE99 1\n", "t:1: ? record: this type is written as \\# LENGTH HEX"},
        {"x.example A \\# 3 c00002\n", NULL},
        {"x.example A \\# 4 c00002\n", "t:1: A record: the length after \\# is not the number of octets"},
        {"x.example timeout TXT y\n", "t:1: record data after a state that has none"},
        {"x.example TXT \\999\n", "t:1: TXT record: a bad escape in a string"},
        {"x.example CAA 0 issue \"ca.example\"\nx.example DS 1 8 2 abcd\nx.example DNSKEY 257 3 8 AwEAAQ==\n"
         "x.example SOA ns. host. 1 2 3 4 5\n",
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *error = NULL;
        struct dns *d = dns_replay_text(slice_str(cases[i].text), "t", &error);
        if (cases[i].error) {
            assert_null(d);
            assert_string_equal(error, cases[i].error);
        } else if (!d) {
            fail_msg("%s", error);
        }
        free(error);
        dns_close(d);
    }
    char *error = NULL;
    assert_null(dns_replay_new("/nonexistent/file", &error));
    assert_string_equal(error, "/nonexistent/file: cannot be opened: No such file or directory");
    free(error);
}

/* The one table from a DNSSEC state to a result, which the verdict, the header, the journal and `assay verify` use. */
static void one_result_of_each_security(void **state)
{
    assert_int_equal(dns_security_result(DNS_SECURE), RESULT_PASS);
    assert_int_equal(dns_security_result(DNS_INSECURE), RESULT_NONE);
    assert_int_equal(dns_security_result(DNS_BROKEN), RESULT_FAIL);
    assert_int_equal(dns_security_result(DNS_UNKNOWN), RESULT_TEMPERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(states, setup, teardown),
        cmocka_unit_test_setup_teardown(records, setup, teardown),
        cmocka_unit_test_setup_teardown(saved_and_replayed, setup, teardown),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(one_result_of_each_security),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
