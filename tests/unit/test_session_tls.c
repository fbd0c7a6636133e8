// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_session_tls.c - what the MTA reports about a session's encryption: versions, and suites that RFC 9325 4.1
 * forbids.
 */
#include "judge/session_tls.h"
#include "tests/unit/cm.h"
#include <stdbool.h>

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

static void versions(void **state)
{
    static const struct {
        const char *text;
        unsigned version;
    } cases[] = {{"TLSv1.3", 13}, {"TLSv1.2", 12}, {"tlsv1.1", 11}, {"TLSv1", 10}, {"TLSv1.0", 10}, {"SSLv3", 3},
                 {NULL, 0},       {"", 0},         {"TLSv1.4", 13}, {"what", 1},   {"TLSv0.9", 1}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(session_tls_version(cases[i].text), cases[i].version);
}

static void ciphers(void **state)
{
    static const struct {
        const char *cipher;
        unsigned bits;
        bool weak;
    } cases[] = {
        {"TLS_AES_256_GCM_SHA384", 256, false},
        {"ECDHE-RSA-AES128-GCM-SHA256", 128, false},
        {"AECDH-AES256-SHA", 256, false},
        {"ECDHE-RSA-CHACHA20-POLY1305", 256, false},
        {"ADH-AES256-GCM-SHA384", 256, false},
        {"CAMELLIA256-SHA", 256, false},
        {NULL, 0, false},
        {NULL, 56, true},
        {"RC4-SHA", 128, true},
        {"DES-CBC3-SHA", 112, true},
        {"EDH-RSA-DES-CBC-SHA", 56, true},
        {"EXP-RC2-CBC-MD5", 40, true},
        {"NULL-SHA256", 0, true},
        {"ECDHE-RSA-NULL-SHA", 0, true},
        {"TLS_RSA_WITH_RC4_128_MD5", 128, true},
        {"AES128-SHA", 64, true},
        {"DESPERATE-SHA", 128, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if ((session_tls_weakness(cases[i].cipher, cases[i].bits) != NULL) != cases[i].weak)
            fail_msg("%s, %u bits", cases[i].cipher ? cases[i].cipher : "none", cases[i].bits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(versions), cmocka_unit_test(ciphers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
