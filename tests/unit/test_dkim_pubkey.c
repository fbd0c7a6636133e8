// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dkim_pubkey.c - public keys as DNS has them: both DER forms, sizes, exponents, what is refused and with which
 * words, and the record around them.
 */
#include "tests/unit/dkim_lab.h"
#include "base/base64.h"
#include "standards/dkim/dkim_keyrec.h"
#include "standards/dkim/dkim_tags.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>

static size_t put_integer(unsigned char *to, const BIGNUM *n)
{
    size_t size = (size_t)BN_num_bytes(n) + 1, at = 0; /* with a zero octet in front: never negative */
    to[at++] = 0x02;
    to[at++] = 0x82;
    to[at++] = (unsigned char)(size >> 8);
    to[at++] = (unsigned char)size;
    to[at++] = 0;
    return at + (size_t)BN_bn2bin(n, to + at);
}

/* RSAPublicKey (RFC 8017 A.1.1) with this modulus and exponent, as base64. DER's shortest lengths aside: OpenSSL reads
 * BER here. */
static char *rsa_key(const BIGNUM *n, const BIGNUM *e)
{
    unsigned char der[8192], inner[8192];
    size_t size = put_integer(inner, n);
    size += put_integer(inner + size, e);
    der[0] = 0x30;
    der[1] = 0x82;
    der[2] = (unsigned char)(size >> 8);
    der[3] = (unsigned char)size;
    memcpy(der + 4, inner, size);
    return lab_base64(der, size + 4);
}

static enum status pubkey_get(enum dkim_key_type type, const char *text, unsigned *bits, const char **reason)
{
    struct dkim_pubkey *k = NULL;
    *reason = "";
    enum status s = dkim_pubkey_get(type, slice_str(text), &k, reason);
    if (s == STATUS_OK)
        *bits = dkim_pubkey_bits(k);
    dkim_pubkey_release(k);
    return s;
}

static void test_sizes(void **state)
{
    static const struct {
        const char *name;
        unsigned bits;
    } cases[] = {{"RSA512", 512}, {"RSA1024", 1024}, {"RSA2048", 2048},
                 {"PKCS1", 2048}, {"RSA4096", 4096}, {"RSA8192", 8192}};
    unsigned bits = 0;
    const char *reason;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(pubkey_get(KEY_RSA, lab_key(cases[i].name)->public_text, &bits, &reason), STATUS_OK);
        assert_int_equal(bits, cases[i].bits);
        assert_int_not_equal(pubkey_get(KEY_ED25519, lab_key(cases[i].name)->public_text, &bits, &reason), STATUS_OK);
    }
    assert_int_equal(pubkey_get(KEY_ED25519, lab_key("ED25519")->public_text, &bits, &reason), STATUS_OK);
    assert_int_equal(bits, 256);
    assert_int_equal(pubkey_get(KEY_RSA, lab_key("ED25519")->public_text, &bits, &reason), STATUS_INVALID);
}

static void check_exponent(const char *hex, enum status expected, const char *why)
{
    BIGNUM *n = NULL, *e = NULL;
    unsigned bits = 0;
    const char *reason;
    assert_int_equal(EVP_PKEY_get_bn_param(lab_key("RSA2048")->key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    assert_true(BN_hex2bn(&e, hex) > 0);
    char *text = rsa_key(n, e);
    enum status s = pubkey_get(KEY_RSA, text, &bits, &reason);
    if (s != expected || !strstr(reason ? reason : "", why))
        fail_msg("exponent %s: %s, \"%s\"", hex, status_text(s), reason);
    free(text);
    BN_free(n);
    BN_free(e);
}

static void test_exponents(void **state)
{
    check_exponent("03", STATUS_OK, "");
    check_exponent("010001", STATUS_OK, "");
    check_exponent("8000000000000001", STATUS_OK, "");
    check_exponent("010000000000000001", STATUS_LIMIT, "too large");
    check_exponent("01", STATUS_LIMIT, "none");
    check_exponent("02", STATUS_LIMIT, "none");
}

static void test_too_large(void **state)
{
    BIGNUM *n = BN_new(), *e = NULL;
    unsigned bits = 0;
    const char *reason;
    assert_true(BN_hex2bn(&e, "010001") > 0);
    assert_int_equal(BN_set_bit(n, 8193 - 1), 1);
    assert_int_equal(BN_set_bit(n, 0), 1);
    char *text = rsa_key(n, e);
    assert_int_equal(pubkey_get(KEY_RSA, text, &bits, &reason), STATUS_LIMIT);
    free(text);
    assert_int_equal(BN_set_bit(n, 30000), 1);
    text = rsa_key(n, e);
    assert_int_equal(pubkey_get(KEY_RSA, text, &bits, &reason), STATUS_LIMIT);
    assert_non_null(strstr(reason, "longer"));
    free(text);
    BN_free(n);
    BN_free(e);
}

static void test_refused(void **state)
{
    static const char *const bad[] = {"", "A", "AAAA", "====", "AAAA*", "MIIB", "AA=A"};
    unsigned bits = 0;
    const char *reason;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *copy = exact(bad[i], strlen(bad[i]));
        struct dkim_pubkey *k = NULL;
        assert_int_equal(dkim_pubkey_get(KEY_RSA, slice_of(copy, strlen(bad[i])), &k, &reason), STATUS_INVALID);
        assert_null(k);
        assert_non_null(reason);
        free(copy);
    }
    /* A whole key with octets behind it is not a key. */
    unsigned char der[1024];
    const char *text = lab_key("RSA1024")->public_text;
    int n = EVP_DecodeBlock(der, (const unsigned char *)text, (int)strlen(text));
    char *longer = lab_base64(der, (size_t)n + 1);
    assert_int_equal(pubkey_get(KEY_RSA, longer, &bits, &reason), STATUS_INVALID);
    free(longer);
}

static void test_records(void **state)
{
    static const struct {
        const char *text;
        enum status status;
        const char *reason;
    } cases[] = {
        {"v=DKIM1; p=AAAA", STATUS_OK, ""},
        {"p=AAAA", STATUS_OK, ""},
        {"p=", STATUS_OK, ""},
        {"v=DKIM1;k=rsa;p=A A\tA;", STATUS_OK, ""},
        {"k=rsa; v=DKIM1; p=AAAA", STATUS_MISSING, "first"},
        {"v=dkim1; p=AAAA", STATUS_MISSING, "DKIM1"},
        {"v=spf1 -all", STATUS_MISSING, "DKIM1"},
        {"v=DKIM1", STATUS_INVALID, "p="},
        {"", STATUS_MISSING, "p="},
        {"x=y", STATUS_MISSING, "p="},
        {"v=DKIM1; p", STATUS_INVALID, "malformed"},
        {"v=DKIM1; p=A; p=A", STATUS_INVALID, "twice"},
        {"v=DKIM1;; p=A", STATUS_INVALID, "malformed"},
        {"v=DKIM1\\; p=A", STATUS_MISSING, "DKIM1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dkim_keyrec r;
        const char *reason = "";
        char *copy = exact(cases[i].text, strlen(cases[i].text));
        enum status s = dkim_keyrec_read(slice_of(copy, strlen(cases[i].text)), &r, &reason);
        free(copy);
        if (s != cases[i].status || (s != STATUS_OK && !strstr(reason, cases[i].reason)))
            fail_msg("\"%s\": %s, \"%s\"", cases[i].text, status_text(s), reason);
    }
    char name[LIMIT_DOMAIN + 1], label[244];
    assert_true(dkim_keyrec_name("s", "example.org", name));
    assert_string_equal(name, "s._domainkey.example.org");
    memset(label, 'a', sizeof label);
    label[sizeof label - 1] = '\0';
    assert_false(dkim_keyrec_name(label, "example.org", name));
    assert_string_equal(name, "");
    label[LIMIT_DOMAIN - strlen("._domainkey.example.org")] = '\0'; /* as long as a name may be */
    assert_true(dkim_keyrec_name(label, "example.org", name));
    assert_int_equal(strlen(name), LIMIT_DOMAIN);
}

/* Every length up to 40 octets, a fold at every place, with and without padding, in a buffer of exactly that size. */
static void test_base64(void **state)
{
    for (size_t n = 0; n <= 40; n++) {
        char raw[40];
        uint8_t back[40];
        struct buf text = BUF_INIT;
        size_t got = 99;
        for (size_t i = 0; i < n; i++)
            raw[i] = (char)(i * 151 + n * 7);
        base64_encode(&text, slice_of(raw, n), 0);
        for (size_t at = 0; at <= text.n; at++) {
            struct buf folded = BUF_INIT;
            buf_add(&folded, text.p, at);
            buf_adds(&folded, "\r\n\t ");
            buf_add(&folded, text.p + at, text.n - at);
            assert_int_equal(dkim_tags_base64(buf_slice(&folded), back, n, &got), STATUS_OK);
            assert_int_equal(got, n);
            assert_memory_equal(back, raw, n);
            if (n)
                assert_int_equal(dkim_tags_base64(buf_slice(&folded), back, n - 1, &got), STATUS_LIMIT);
            folded.p[at] = '!';
            assert_int_equal(dkim_tags_base64(buf_slice(&folded), back, n, &got), STATUS_INVALID);
            buf_release(&folded);
        }
        while (text.n && text.p[text.n - 1] == '=')
            buf_cut(&text, text.n - 1);
        assert_int_equal(dkim_tags_base64(buf_slice(&text), back, n, &got), STATUS_OK);
        assert_int_equal(got, n);
        assert_memory_equal(back, raw, n);
        buf_addc(&text, 'A'); /* six bits more: no octet, or one too many */
        const enum status more = dkim_tags_base64(buf_slice(&text), back, n, &got);
        assert_int_equal(more, n % 3 == 0 ? STATUS_INVALID : STATUS_LIMIT);
        buf_release(&text);
    }
}

static int pubkey_forget(void **state)
{
    dkim_pubkey_forget_all();
    lab_forget_keys();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes),     cmocka_unit_test(test_exponents),
                                       cmocka_unit_test(test_too_large), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_records),   cmocka_unit_test(test_base64)};
    return cmocka_run_group_tests(tests, NULL, pubkey_forget);
}
