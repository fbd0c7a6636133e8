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
static size_t server_hello(SSL_CTX *ctx, const struct hello_offer *o, unsigned char out[20000])
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
    size_t n = server_hello(ctx, &o, answer);
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
    hello_read(slice_of((char *)answer, server_hello(ctx, &o, answer)), &a);
    assert_int_equal(a.state, HELLO_ACCEPTED);
    assert_int_equal(a.version, HELLO_TLS13);
    assert_true(a.retry);
    assert_int_equal(a.group, 0x001d);
    SSL_CTX_free(ctx);
}

/* RFC 5246 7.4.3: the ServerKeyExchange of DH_anon and ECDH_anon (RFC 4492 section 5.4) has no signature. */
static void a_real_server_without_a_certificate(void **state)
{
    for (size_t i = 0; i < hello_cipher_count; i++) {
        const struct hello_name *n = &hello_ciphers[i];
        const uint16_t wanted[] = {n->id};
        struct hello_offer o = {.version = HELLO_TLS12, .ciphers = wanted, .cipher_count = 1};
        static unsigned char answer[20000];
        struct hello_answer a;
        if (n->worth != HELLO_ANONYMOUS || strstr(n->name, "CAMELLIA") || strstr(n->name, "SEED"))
            continue; /* which a library may be without */
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        SSL_CTX_set_security_level(ctx, 0);
        assert_int_equal(SSL_CTX_set_cipher_list(ctx, "aNULL"), 1);
        SSL_CTX_set_dh_auto(ctx, 1);
        hello_read(slice_of((char *)answer, server_hello(ctx, &o, answer)), &a);
        assert_int_equal(a.state, HELLO_ACCEPTED);
        assert_int_equal(a.cipher, n->id);
        assert_int_equal(a.signature, 0);
        assert_true(strncmp(n->name, "ECDH_anon_", 10) == 0 ? hello_group(a.group) != NULL : a.dh_bits >= 1024);
        SSL_CTX_free(ctx);
    }
}

static void a_refusal_is_an_alert(void **state)
{
    static const uint16_t ciphers[] = {0x000a};
    struct hello_offer o = {.version = HELLO_TLS12, .ciphers = ciphers, .cipher_count = 1};
    static unsigned char answer[20000];
    struct hello_answer a;
    SSL_CTX *ctx = server_context(TLS1_2_VERSION);
    hello_read(slice_of((char *)answer, server_hello(ctx, &o, answer)), &a);
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

/* The offer of X25519MLKEM768 alone (RFC 8446 4.2.7): in the list of supported groups, and with no key of it. */
static void the_offer_names_the_hybrid_group(void **state)
{
    static const uint16_t ciphers[] = {0x1302}, pq[] = {0x11ec};
    struct hello_offer o = {
        .version = HELLO_TLS13, .ciphers = ciphers, .cipher_count = 1, .groups = pq, .group_count = 1};
    static const unsigned char groups[] = {0, 10, 0, 4, 0, 2, 0x11, 0xec};
    unsigned char random[32] = {1}, out[HELLO_OCTETS];
    size_t n = hello_write(&o, random, out);
    assert_true(n > 0);
    assert_non_null(memmem(out, n, groups, sizeof groups));
}

/* What a server that has X25519MLKEM768 says to that offer: a HelloRetryRequest that names the group (RFC 8446 4.1.4),
 * then a ChangeCipherSpec for middleboxes (appendix D.4). */
static const unsigned char hybrid_retry[] = {
    0x16, 0x03, 0x03, 0x00, 0x38, 0x02, 0x00, 0x00, 0x34, 0x03, 0x03, 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a,
    0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c,
    0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c, 0x00, 0x13, 0x02, 0x00, 0x00, 0x0c, 0x00, 0x2b,
    0x00, 0x02, 0x03, 0x04, 0x00, 0x33, 0x00, 0x02, 0x11, 0xec, 0x14, 0x03, 0x03, 0x00, 0x01, 0x01};

static void a_retry_for_the_hybrid_group_is_its_acceptance(void **state)
{
    const size_t whole = 5 + 0x38;
    struct hello_answer a;
    for (size_t cut = 0; cut <= sizeof hybrid_retry; cut++) {
        char *part = malloc(cut ? cut : 1);
        memcpy(part, hybrid_retry, cut);
        hello_read(slice_of(part, cut), &a);
        assert_int_equal(a.state, cut < whole ? HELLO_MORE : HELLO_ACCEPTED);
        free(part);
    }
    assert_int_equal(a.version, HELLO_TLS13);
    assert_int_equal(a.cipher, 0x1302);
    assert_true(a.retry);
    assert_int_equal(a.group, 0x11ec);
    assert_string_equal(hello_group(a.group)->name, "X25519MLKEM768");
}

/* A ServerHello with the server's share: a ciphertext of ML-KEM-768 (1,088 octets) and a key of X25519 (32). */
static void a_share_of_the_hybrid_group_is_read(void **state)
{
    enum { SHARE = 1088 + 32, EXTENSIONS = 6 + 4 + 4 + SHARE, BODY = 2 + 32 + 1 + 2 + 1 + 2 + EXTENSIONS };
    unsigned char octets[5 + 4 + BODY] = {0x16,       3, 3, (4 + BODY) >> 8, (4 + BODY) & 255, 2, 0, BODY >> 8,
                                          BODY & 255, 3, 3};
    static const unsigned char head[] = {
        0, 0x13, 0x01, 0,  EXTENSIONS >> 8,  EXTENSIONS & 255,  0,    43,   0,          2,
        3, 4,    0,    51, (4 + SHARE) >> 8, (4 + SHARE) & 255, 0x11, 0xec, SHARE >> 8, SHARE & 255};
    struct hello_answer a;
    memset(octets + 11, 0x5a, 32);
    memcpy(octets + 43, head, sizeof head);
    hello_read(slice_of((char *)octets, sizeof octets - 1), &a);
    assert_int_equal(a.state, HELLO_MORE);
    hello_read(slice_of((char *)octets, sizeof octets), &a);
    assert_int_equal(a.state, HELLO_ACCEPTED);
    assert_int_equal(a.version, HELLO_TLS13);
    assert_false(a.retry);
    assert_int_equal(a.group, 0x11ec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_server_takes_the_offer_of_tls_1_2),
        cmocka_unit_test(a_real_server_names_its_group_in_tls_1_3),
        cmocka_unit_test(a_real_server_without_a_certificate),
        cmocka_unit_test(a_refusal_is_an_alert),
        cmocka_unit_test(what_is_no_tls_is_malformed),
        cmocka_unit_test(ssl_3_has_no_extensions),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(the_offer_names_the_hybrid_group),
        cmocka_unit_test(a_retry_for_the_hybrid_group_is_its_acceptance),
        cmocka_unit_test(a_share_of_the_hybrid_group_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
