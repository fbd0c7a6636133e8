// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dns_direct.c - answers of one named server (RFC 1035 4.1, RFC 5452 9.1), and the key tags of a trust anchor file
 * (RFC 4034 appendix B; the root's keys of 2017 and 2024, whose tags IANA publishes).
 */
#include "tests/unit/cm.h"
#include "dns/direct.h"
#include "dns/dns_anchor.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KSK_2017                                                                                                       \
    "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN"                         \
    "7SWXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8"                         \
    "efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLY"                         \
    "A4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU="
#define KSK_2024                                                                                                       \
    "AwEAAa96jeuknZlaeSrvyAJj6ZHv28hhOKkx3rLGXVaC6rXTsDc449/cidltpkyGwCJNnOAlFNKF2jBosZBU5eeH"                         \
    "spaQWOmOElZsjICMQMC3aeHbGiShvZsx4wMYSjH8e7Vrhbu6irwCzVBApESjbUdpWWmEnhathWu1jo+siFUiRAAx"                         \
    "m9qyJNg/wOZqqzL/dL/q8PkcRU5oUKEpUge71M3ej2/7CPqpdVwuMoTvoB+ZOT4YeGyxMvHmbrxlFzGOHOijtzN+"                         \
    "u1TQNatX2XBuzZNQ1K+s2CXkPIZo7s6JgZyvaBevYtxPvYLw4z9mR7K2vaF18UYH9Z9GNUUeayffKC73PYc="

static bool reads(const unsigned char *message, size_t n, const unsigned char *question, size_t length,
                  struct dns_direct_answer *out)
{
    struct arena *a = arena_new(1u << 20);
    bool truncated;
    *out = (struct dns_direct_answer){.outcome = DNS_DIRECT_ANSWERED};
    bool good = dns_direct_read(a, slice_of((const char *)message, n), slice_of((const char *)question, length), out,
                                &truncated);
    arena_free(a);
    return good;
}

/* An error that is a header alone, as Unbound's access-control sends it, counts by its ID; an answer does not. */
static void errors_without_a_question(void **state)
{
    (void)state;
    unsigned char question[512], m[12] = {0x12, 0x34, 0x80, 0x05};
    struct dns_direct_answer out;
    size_t n = dns_direct_question(".", DNS_DS, 0x1234, question);
    assert_true(n > 0);
    assert_true(reads(m, sizeof m, question, n, &out));
    assert_int_equal(out.rcode, 5);
    assert_int_equal(out.count, 0);
    m[3] = 0x20; /* NOERROR, and AD: nobody's answer */
    assert_false(reads(m, sizeof m, question, n, &out));
    m[3] = 0x05;
    m[0] = 0x13; /* to another question */
    assert_false(reads(m, sizeof m, question, n, &out));
    m[0] = 0x12;
    m[2] = 0x00; /* a question */
    assert_false(reads(m, sizeof m, question, n, &out));
    m[2] = 0x80;
    m[7] = 1; /* records that are not there */
    assert_false(reads(m, sizeof m, question, n, &out));
    m[7] = 0;
    assert_false(reads(m, sizeof m - 1, question, n, &out));
}

static void the_ad_bit(void **state)
{
    (void)state;
    unsigned char question[512], m[512];
    struct dns_direct_answer out;
    size_t n = dns_direct_question("example.org", DNS_DS, 7, question);
    memcpy(m, question, n);
    m[2] |= 0x80;
    assert_true(reads(m, n, question, n, &out));
    assert_false(out.authenticated);
    m[3] |= 0x20;
    assert_true(reads(m, n, question, n, &out));
    assert_true(out.authenticated);
}

static size_t tags_of(const char *text, uint16_t tags[4])
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/assay-test-anchor.%d", (int)getpid());
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    size_t n = dns_anchor_tags(path, tags, 4);
    assert_int_equal(unlink(path), 0);
    return n;
}

static void tags_of_the_root(void **state)
{
    (void)state;
    uint16_t tags[4];
    assert_int_equal(tags_of("; words\n. IN DNSKEY 257 3 8 " KSK_2017 "\n.\t86400\tIN DNSKEY 257 3 8 " KSK_2024
                             " ;{id = 38696 (ksk), size = 2048b} ;;state=2\n",
                             tags),
                     2);
    assert_int_equal(tags[0], 20326);
    assert_int_equal(tags[1], 38696);
    assert_int_equal(tags_of(". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n"
                             ". DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16\n",
                             tags),
                     2);
    assert_int_equal(tags[0], 20326);
    assert_int_equal(tags[1], 38696);
    assert_int_equal(tags_of("example.org. IN DS 1 8 2 AB\n. IN DS 99999 8 2 AB\n. IN DS x 8 2 AB\n. IN DS 1\n", tags),
                     0);
    assert_int_equal(tags_of("", tags), 0);
    assert_int_equal(dns_anchor_tags("/nonexistent/anchor", tags, 4), 0);
    assert_int_equal(tags_of(". DS 1 8 2 A\n. DS 2 8 2 A\n. DS 3 8 2 A\n. DS 4 8 2 A\n. DS 5 8 2 A\n", tags), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_without_a_question),
        cmocka_unit_test(the_ad_bit),
        cmocka_unit_test(tags_of_the_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
