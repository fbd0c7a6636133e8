// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dane_client.c - standards/dane_client: client certificates pinned by TLSA (draft-ietf-dance-client-auth; RFC
 * 6698 2.1, RFC 7671 5.1).
 */
#include "dns/dns_replay.h"
#include "standards/dane/dane_client.h"
#include "tests/unit/cm.h"
#include <stdio.h>

#define A32 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define B32 "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define A32_COLONS "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"
#define SHA1 "00112233445566778899aabbccddeeff00112233"

static void cases(void **state)
{
    static const struct {
        const char *records, *cert, *key;
        bool none_shown;
        enum result want;
    } t[] = {
        {"_smtp-client.mx.example secure TLSA 3 1 1 " A32, NULL, A32, false, RESULT_PASS},
        {"_smtp-client.mx.example secure TLSA 3 1 1 " A32, NULL, A32_COLONS, false, RESULT_PASS},
        {"_smtp-client.mx.example secure TLSA 3 0 1 " A32, A32, B32, false, RESULT_PASS},
        {"_smtp-client.mx.example secure TLSA 3 1 2 " A32 A32, NULL, A32 A32, false, RESULT_PASS},
        {"_smtp-client.mx.example secure TLSA 3 1 1 " B32 "\n_smtp-client.mx.example secure TLSA 3 1 1 " A32, NULL, A32,
         false, RESULT_PASS},
        {"_smtp-client.mx.example secure TLSA 3 1 1 " A32, NULL, B32, false, RESULT_FAIL},
        {"_smtp-client.mx.example secure TLSA 3 1 1 " A32, A32, B32, false,
         RESULT_FAIL}, /* the certificate's digest is not the key's */
        {"_smtp-client.mx.example secure TLSA 3 1 1 " A32, NULL, NULL, true, RESULT_FAIL},
        {"_smtp-client.mx.example secure TLSA 3 1 1 " A32, NULL, NULL, false, RESULT_UNTESTED},
        {"_smtp-client.mx.example secure TLSA 3 1 1 " A32, A32, NULL, false, RESULT_UNTESTED},
        {"_smtp-client.mx.example secure TLSA 3 1 1 " A32, NULL, SHA1, false,
         RESULT_UNTESTED}, /* SHA-1 proves nothing */
        {"_smtp-client.mx.example secure TLSA 3 1 1 " A32, NULL, "zz", false, RESULT_UNTESTED},
        {"_smtp-client.mx.example secure TLSA 2 1 1 " A32, NULL, A32, false,
         RESULT_UNTESTED}, /* an issuer cannot be compared */
        {"_smtp-client.mx.example secure TLSA 1 1 1 " A32, NULL, A32, false, RESULT_NONE},
        {"_smtp-client.mx.example insecure TLSA 3 1 1 " A32, NULL, A32, false, RESULT_NONE},
        {"_smtp-client.mx.example secure nodata TLSA", NULL, A32, false, RESULT_NONE},
        {"other.example A 192.0.2.1", NULL, A32, false, RESULT_NONE},
        {"_smtp-client.mx.example bogus \"expired\"", NULL, A32, false, RESULT_FAIL},
        {"_smtp-client.mx.example timeout", NULL, A32, false, RESULT_TEMPERROR},
        {"_smtp-client.mx.example servfail", NULL, A32, true, RESULT_TEMPERROR},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        char text[1000], *error = NULL;
        snprintf(text, sizeof text, "%s\n", t[i].records);
        struct dns *dns = dns_replay_text(slice_str(text), "test", &error);
        if (!dns)
            print_error("%s\n", error);
        assert_non_null(dns);
        struct arena *a = arena_new(1 << 20);
        struct dns_scope *s = dns_scope_new(dns, a, NULL);
        struct dane_client_input in = {
            .name = "mx.example", .cert = t[i].cert, .public_key = t[i].key, .no_certificate = t[i].none_shown};
        struct dane_client_finding f;
        dane_client_start(s, "mx.example");
        assert_int_equal(dane_client_check(s, a, &in, &f), STATUS_OK);
        if (f.result != t[i].want)
            print_error("case %zu: %s (%s)\n", i, result_name(f.result), f.reason);
        assert_int_equal(f.result, t[i].want);
        assert_non_null(f.reason);
        dns_scope_free(s);
        dns_close(dns);
        arena_free(a);
    }
}

static void without_a_name(void **state)
{
    struct dane_client_input in = {.name = NULL};
    struct dane_client_finding f;
    assert_int_equal(dane_client_check(NULL, NULL, &in, &f), STATUS_OK);
    assert_int_equal(f.result, RESULT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases),
        cmocka_unit_test(without_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
