// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_record_pack.c - records compressed and read back, damaged ones; signatures in a column of a DMARC row.
 */
#include "tests/unit/cm.h"

#include "ledger/dmarc_row.h"
#include "ledger/record_pack.h"
#include <stdio.h>
#include <stdlib.h>

static const char record[] =
    "{\"v\":1,\"t\":\"2026-11-10T18:32:49.085152Z\",\"host\":\"mx1.example.org\",\"kind\":\"mail\",\"id\":"
    "\"4B00014CA0\","
    "\"source\":\"internet\",\"client\":\"192.0.2.1\",\"helo\":\"a.example\",\"mail_from\":\"a.example\",\"from\":\"a."
    "example\","
    "\"verdict\":{\"action\":\"deliver\",\"would\":\"deliver\",\"statement\":\"L5\"},\"findings\":[{\"standard\":"
    "\"spf\","
    "\"subject\":\"a.example\",\"result\":\"pass\",\"security\":\"insecure\",\"identity\":\"mailfrom\"}]}";

static void it_is_read_back(void **state)
{
    (void)state;
    struct record_packer *p = record_packer_new();
    char stored[sizeof record], *large = malloc(RECORD_PACK_MAX + 2);
    assert_non_null(p);
    for (int i = 0; i < 3; i++) {
        snprintf(stored, sizeof stored, "%s", record_pack(p, record));
        assert_int_equal(stored[0], '1');
        assert_true(strlen(stored) < sizeof record / 2);
        assert_string_equal(record_unpack(p, stored), record);
    }
    assert_string_equal(record_unpack(p, record), record); /* as an earlier version wrote it */
    assert_null(record_unpack(p, NULL));
    unsigned seed = 1;
    for (size_t n = 0; n <= RECORD_PACK_MAX; n = n * 3 + 1) { /* what does not compress */
        for (size_t i = 0; i < n; i++)
            large[i] = (char)(1 + (seed = seed * 1103515245 + 12345) / 65536 % 255);
        large[n] = '\0';
        char *copy = strdup(record_pack(p, large));
        assert_string_equal(record_unpack(p, copy), large);
        free(copy);
    }
    memset(large, 'a', RECORD_PACK_MAX);
    large[RECORD_PACK_MAX] = '\0';
    char *most = strdup(record_pack(p, large));
    assert_int_equal(strlen(record_unpack(p, most)), RECORD_PACK_MAX);
    free(most);
    free(large);
    record_packer_free(p);
}

static void what_is_damaged_is_none(void **state)
{
    (void)state;
    struct record_packer *p = record_packer_new();
    char stored[sizeof record];
    snprintf(stored, sizeof stored, "%s", record_pack(p, record));
    size_t n = strlen(stored);
    for (size_t i = 0; i < n; i++) { /* it gives another text, or none: never more than it may */
        char one[sizeof record];
        snprintf(one, sizeof one, "%s", stored);
        one[i] = one[i] == 'x' ? 'y' : 'x';
        const char *text = record_unpack(p, one);
        assert_true(!text || strlen(text) <= RECORD_PACK_MAX);
        if (stored[i] == '=')
            continue; /* base64's padding says nothing */
        snprintf(one, sizeof one, "%.*s", (int)i, stored);
        text = record_unpack(p, one);
        assert_true(!text || strcmp(text, record) != 0);
    }
    assert_null(record_unpack(p, ""));
    assert_null(record_unpack(p, "1"));
    assert_null(record_unpack(p, "2abc"));
    assert_null(record_unpack(p, "1!!!!"));
    assert_string_equal(record_unpack(p, stored), record);
    record_packer_free(p);
}

static void signatures_of_a_row(void **state)
{
    (void)state;
    static const char *const odd[] = {"example.net", "a b/c%d", "", "\x01\x7f", "\xc3\xa9", "%41"};
    struct buf b = BUF_INIT;
    struct dmarc_row_signature s;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        dmarc_row_add_signature(&b, odd[i], odd[sizeof odd / sizeof *odd - 1 - i], "pass");
    const char *at = b.p;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        assert_true(dmarc_row_signature(&at, &s));
        assert_string_equal(s.domain, odd[i]);
        assert_string_equal(s.selector, odd[sizeof odd / sizeof *odd - 1 - i]);
        assert_string_equal(s.result, "pass");
    }
    assert_false(dmarc_row_signature(&at, &s));
    buf_release(&b);
    static const char *const none[] = {"", " ", "a", "a/b", "a/b/c/d", "a/%/c", "a/%4/c", "a/%00/c", "a/%zz/c"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        at = none[i];
        assert_false(dmarc_row_signature(&at, &s));
    }
    at = "a/b x/y/z";
    assert_true(dmarc_row_signature(&at, &s));
    assert_string_equal(s.domain, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_read_back),
        cmocka_unit_test(what_is_damaged_is_none),
        cmocka_unit_test(signatures_of_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
