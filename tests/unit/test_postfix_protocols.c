// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_postfix_protocols.c - what Postfix says besides the milter protocol: outgoing/netstring,
 * milter/delegation_request.
 */
#include "milter/delegation_request.h"
#include "outgoing/netstring.h"
#include "tests/unit/cm.h"

static void netstrings(void **state)
{
    static const struct {
        const char *text;
        long used;
        const char *content;
    } t[] = {
        {"5:hello,", 8, "hello"},
        {"5:hello,5:w", 8, "hello"},
        {"0:,", 3, ""},
        {"10:0123456789,", 14, "0123456789"},
        {"", 0, NULL},
        {"5", 0, NULL},
        {"5:", 0, NULL},
        {"5:hello", 0, NULL},
        {"0", 0, NULL},
        {"5:hello;", -1, NULL},
        {"05:", -1, NULL},
        {"00", -1, NULL},
        {":,", -1, NULL},
        {"-1:", -1, NULL},
        {"11:", -1, NULL},
        {"11", -1, NULL}, /* over 10 */
        {"5 hello,", -1, NULL},
        {"99999999999999999999999999", -1, NULL},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct slice content = SLICE_NULL;
        long used = netstring_first(slice_str(t[i].text), 10, &content);
        if (used != t[i].used)
            print_error("\"%s\": %ld\n", t[i].text, used);
        assert_int_equal(used, t[i].used);
        if (t[i].content)
            assert_true(slice_eq(content, slice_str(t[i].content)));
    }
}

#define IS "request=smtpd_access_policy\n"

static void requests(void **state)
{
    static const struct {
        const char *text;
        bool good;
        const char *client;
        unsigned port;
        const char *cert, *key;
    } t[] = {
        {IS "client_address=192.0.2.7\nclient_port=25\nccert_fingerprint=AA:bb\nccert_pubkey_fingerprint=0c\n", true,
         "192.0.2.7", 25, "AA:bb", "0c"},
        {"client_port=1\n" IS, true, "unknown", 1, "", ""},
        {IS "client_address=::ffff:192.0.2.7\n", true, "192.0.2.7", 0, "", ""},
        {IS "client_address=unknown\nclient_port=65536\nccert_fingerprint=a b\n", true, "unknown", 0, "", ""},
        {IS "client_port=-1\nccert_fingerprint=\n", true, "unknown", 0, "", ""},
        {IS "client_port=4294967321\n", true, "unknown", 0, "", ""}, /* 25 and 2^32 */
        {IS "ccert_fingerprint=aa\nccert_fingerprint=bb\n", true, "unknown", 0, "bb", ""},
        {IS "ccert_fingerprint=aa\nccert_fingerprint=x\n", true, "unknown", 0, "", ""},
        {IS "sender=a=b@example\n=\n", true, "unknown", 0, "", ""},
        {IS "no equals sign\n", false, NULL, 0, NULL, NULL},
        {IS "client_port=25", false, NULL, 0, NULL, NULL}, /* its line does not end */
        {"request=junk\n", false, NULL, 0, NULL, NULL},
        {"client_port=25\n", false, NULL, 0, NULL, NULL},
        {"", false, NULL, 0, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct delegation_request r;
        char text[IP_TEXT];
        bool good = delegation_request_read(slice_str(t[i].text), &r);
        if (good != t[i].good)
            print_error("case %zu\n", i);
        assert_int_equal(good, t[i].good);
        if (!good)
            continue;
        assert_string_equal(ip_text(&r.client, text), t[i].client);
        assert_int_equal(r.port, t[i].port);
        assert_string_equal(r.cert, t[i].cert);
        assert_string_equal(r.public_key, t[i].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(netstrings),
        cmocka_unit_test(requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
