// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_hello.c - the ClientHello that check/hello.h writes is taken by OpenSSL as the offer it is meant to be, and an
 * answer is read whatever way it is cut (RFC 8446 section 4, RFC 5246 section 7.4).
 */
#include "tests/unit/cm.h"
#include "check/hello.h"
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static SSL_CTX *server_context(int highest)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
    SSL_CTX_set_max_proto_version(ctx, highest);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ctx;
}

/* What a real server says to an offer. Returns its length. */
static size_t ask(SSL_CTX *ctx, const struct hello_offer *o, unsigned char out[20000])
{
    unsigned char random[32] = {7}, offer[HELLO_OCTETS];
    size_t n = hello_write(o, random, offer);
    assert_true(n > 0);
    SSL *ssl = SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem()), *answers = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, answers);
    SSL_set_accept_state(ssl);
    BIO_write(in, offer, (int)n);
    SSL_do_handshake(ssl);
    int got = BIO_read(answers, out, 20000);
    SSL_free(ssl);
    return got > 0 ? (size_t)got : 0;
}

static void a_real_server_takes_the_offer_of_tls_1_2(void **state)
{
    static const uint16_t ciphers[] = {0xc02b, 0xc02c};
    struct hello_offer o = {
        .version = HELLO_TLS12, .ciphers = ciphers, .cipher_count = 2, .server_name = "mx.example.org"};
    static unsigned char answer[20000];
    struct hello_answer a;
    SSL_CTX *ctx = server_context(TLS1_2_VERSION);
    size_t n = ask(ctx, &o, answer);
    hello_read(slice_of((char *)answer, n), &a);
    assert_int_equal(a.state, HELLO_ACCEPTED);
    assert_int_equal(a.version, HELLO_TLS12);
    assert_true(a.cipher == 0xc02b || a.cipher == 0xc02c);
    assert_true(a.ems);
    assert_true(a.renegotiation);
    assert_int_equal(a.compression, 0);
    assert_non_null(hello_group(a.group));
    assert_non_null(hello_signature(a.signature));
    for (size_t cut = 0; cut < n; cut++) { /* a part of it is never taken for more, and nothing is read behind it */
        char *part = malloc(cut ? cut : 1);
        memcpy(part, answer, cut);
        struct hello_answer b;
        hello_read(slice_of(part, cut), &b);
        assert_true(b.state == HELLO_MORE || b.state == HELLO_ACCEPTED);
        free(part);
    }
    SSL_CTX_free(ctx);
}

static void a_real_server_names_its_group_in_tls_1_3(void **state)
{
    static const uint16_t ciphers[] = {0x1301, 0x1302}, groups[] = {0x001d};
    struct hello_offer o = {
        .version = HELLO_TLS13, .ciphers = ciphers, .cipher_count = 2, .groups = groups, .group_count = 1};
    static unsigned char answer[20000];
    struct hello_answer a;
    SSL_CTX *ctx = server_context(TLS1_3_VERSION);
    hello_read(slice_of((char *)answer, ask(ctx, &o, answer)), &a);
    assert_int_equal(a.state, HELLO_ACCEPTED);
    assert_int_equal(a.version, HELLO_TLS13);
    assert_true(a.retry);
    assert_int_equal(a.group, 0x001d);
    SSL_CTX_free(ctx);
}

static void a_refusal_is_an_alert(void **state)
{
    static const uint16_t ciphers[] = {0x000a};
    struct hello_offer o = {.version = HELLO_TLS12, .ciphers = ciphers, .cipher_count = 1};
    static unsigned char answer[20000];
    struct hello_answer a;
    SSL_CTX *ctx = server_context(TLS1_2_VERSION);
    hello_read(slice_of((char *)answer, ask(ctx, &o, answer)), &a);
    assert_int_equal(a.state, HELLO_ALERTED);
    assert_int_equal(a.alert, 40); /* handshake_failure */
    SSL_CTX_free(ctx);
}

static void what_is_no_tls_is_malformed(void **state)
{
    struct hello_answer a;
    hello_read(SLICE_LIT("220 mx ESMTP\r\n"), &a);
    assert_int_equal(a.state, HELLO_MALFORMED);
    hello_read(SLICE_LIT("\x16\x03\x03\xff\xff"), &a); /* a record over the limit */
    assert_int_equal(a.state, HELLO_MALFORMED);
    hello_read(SLICE_LIT("\x16\x03\x03\0\x06\x0b\0\0\x02\0\0"), &a); /* a Certificate where a ServerHello should be */
    assert_int_equal(a.state, HELLO_MALFORMED);
    hello_read(SLICE_NULL, &a);
    assert_int_equal(a.state, HELLO_MORE);
}

static void ssl_3_has_no_extensions(void **state)
{
    static const uint16_t ciphers[] = {0x0005};
    struct hello_offer o = {.version = HELLO_SSL3, .ciphers = ciphers, .cipher_count = 1, .compression = true};
    unsigned char random[32] = {1}, out[HELLO_OCTETS];
    size_t n = hello_write(&o, random, out);
    assert_int_equal(n, 5 + 4 + 2 + 32 + 1 + 2 + 2 + 3);
    assert_int_equal(out[1] << 8 | out[2], 0x0300);
}

static void names_are_unique(void **state)
{
    for (size_t i = 0; i < hello_cipher_count; i++)
        assert_ptr_equal(hello_cipher(hello_ciphers[i].id), &hello_ciphers[i]);
    for (size_t i = 0; i < hello_group_count; i++)
        assert_ptr_equal(hello_group(hello_groups[i].id), &hello_groups[i]);
    assert_null(hello_cipher(0xfefe));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_server_takes_the_offer_of_tls_1_2),
        cmocka_unit_test(a_real_server_names_its_group_in_tls_1_3),
        cmocka_unit_test(a_refusal_is_an_alert),
        cmocka_unit_test(what_is_no_tls_is_malformed),
        cmocka_unit_test(ssl_3_has_no_extensions),
        cmocka_unit_test(names_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
