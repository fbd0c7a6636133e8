// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_starttls.c - base/starttls against servers that are right, wrong, slow and hostile (RFC 3207, RFC 7672 3.1 and 3.2).
 *
 * Each case starts one server thread on a loopback port, which plays its script for one connection and ends.
 */
#include "base/starttls.h"
#include "base/clock.h"
#include "tests/unit/cm.h"
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum script { GOOD, NO_STARTTLS, BUSY, REFUSED, SILENT, INJECT, NOT_SMTP, FLOOD, CLOSE_IN_TLS, SLOW_DRIP };

struct server {
    enum script script;
    int listener;
    unsigned port;
    X509 *leaf, *ca; /* ca: sent behind the leaf when not NULL */
    EVP_PKEY *key;
    pthread_t thread;
};

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void hear(int fd)
{
    char line[256];
    (void)!recv(fd, line, sizeof line, 0);
}

static void serve_tls(struct server *s, int fd)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(ctx, s->leaf);
    SSL_CTX_use_PrivateKey(ctx, s->key);
    if (s->ca)
        SSL_CTX_add1_chain_cert(ctx, s->ca);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        char line[64];
        (void)SSL_read(ssl, line, sizeof line);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void play(struct server *s, int fd)
{
    static const char flood[] = "220-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n";
    if (s->script == SILENT || s->script == SLOW_DRIP) {
        for (int i = 0; i < 40; i++) {
            if (s->script == SLOW_DRIP && send(fd, "2", 1, MSG_NOSIGNAL) != 1)
                return;
            usleep(50000);
        }
        return;
    }
    if (s->script == FLOOD) {
        for (int i = 0; i < 1000 && send(fd, flood, sizeof flood - 1, MSG_NOSIGNAL) > 0; i++)
            ;
        return;
    }
    if (s->script == NOT_SMTP) {
        say(fd, "SSH-2.0-OpenSSH\x1b[31m\r\n");
        return;
    }
    if (s->script == BUSY || s->script == REFUSED) {
        say(fd, s->script == BUSY ? "421 later\r\n" : "554 no\r\n");
        return;
    }
    say(fd, "220-mx\r\n220 mx.example\r\n");
    hear(fd);
    say(fd, s->script == NO_STARTTLS ? "250-mx\r\n250 SIZE 10\r\n" : "250-mx\r\n250-starttls\r\n250 SIZE 10\r\n");
    hear(fd);
    if (s->script == NO_STARTTLS)
        return;
    say(fd, s->script == INJECT ? "220 go\r\n250 injected\r\n" : "220 go\r\n");
    if (s->script != CLOSE_IN_TLS)
        serve_tls(s, fd);
}

static void *server_main(void *arg)
{
    struct server *s = arg;
    int fd = accept(s->listener, NULL, NULL);
    if (fd >= 0) {
        play(s, fd);
        close(fd);
    }
    return NULL;
}

static void start(struct server *s)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof sin;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&sin, &size), 0);
    s->port = ntohs(sin.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
}

static void stop(struct server *s)
{
    pthread_join(s->thread, NULL);
    close(s->listener);
}

static EVP_PKEY *make_key(void)
{
    EVP_PKEY *k = EVP_EC_gen("P-256");
    assert_non_null(k);
    return k;
}

/* A certificate for `name`, valid from..to seconds from now, signed by issuer (NULL: by itself). */
static X509 *make_cert(EVP_PKEY *key, const char *name, bool ca, long from, long to, X509 *issuer, EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509 *x = X509_new();
    char san[128];
    snprintf(san, sizeof san, "DNS:%s", name);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), from);
    X509_gmtime_adj(X509_getm_notAfter(x), to);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, ca ? "critical,CA:TRUE" : "CA:FALSE");
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    assert_true(X509_sign(x, issuer_key ? issuer_key : key, EVP_sha256()) > 0);
    return x;
}

static struct slice spki_digest(X509 *x, unsigned char out[32])
{
    unsigned char *der = NULL;
    unsigned int size;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    assert_true(n > 0);
    assert_int_equal(EVP_Digest(der, (size_t)n, out, &size, EVP_sha256(), NULL), 1);
    OPENSSL_free(der);
    return slice_of((char *)out, 32);
}

static struct starttls_request request_to(const struct server *s)
{
    struct starttls_request q = {.port = s->port, .server_name = "mx.example", .ehlo = "probe.example", .total_ms = 1000};
    assert_int_equal(ip_from_text(SLICE_LIT("127.0.0.1"), &q.address), STATUS_OK);
    return q;
}

static void outcomes(void **state)
{
    static const struct {
        enum script script;
        enum starttls_outcome want;
    } t[] = {
        {NO_STARTTLS, STARTTLS_NOT_OFFERED}, {BUSY, STARTTLS_BUSY},          {REFUSED, STARTTLS_REFUSED},
        {SILENT, STARTTLS_TIMEOUT},          {SLOW_DRIP, STARTTLS_TIMEOUT},  {INJECT, STARTTLS_INJECTION},
        {NOT_SMTP, STARTTLS_PROTOCOL},       {FLOOD, STARTTLS_PROTOCOL},     {CLOSE_IN_TLS, STARTTLS_HANDSHAKE},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct server s = {.script = t[i].script};
        struct arena *a = arena_new(1 << 20);
        struct starttls_result r;
        start(&s);
        struct starttls_request q = request_to(&s);
        int64_t before = clock_mono_ms();
        starttls_run(a, &q, &r);
        assert_true(clock_mono_ms() - before < 5000);
        if (r.outcome != t[i].want)
            print_error("script %d: %s (%s)\n", t[i].script, starttls_outcome_name(r.outcome), r.reason);
        assert_int_equal(r.outcome, t[i].want);
        assert_non_null(r.reason);
        assert_null(strchr(r.reason, '\x1b'));
        stop(&s);
        arena_free(a);
    }
}

static void unreachable(void **state)
{
    struct server s = {.script = GOOD, .port = 1};
    struct arena *a = arena_new(1 << 20);
    struct starttls_result r;
    struct starttls_request q = request_to(&s);
    starttls_run(a, &q, &r);
    assert_int_equal(r.outcome, STARTTLS_UNREACHABLE);
    arena_free(a);
}

#define DAY 86400L

/* RFC 7672 3.1.1: with DANE-EE neither name nor dates count; 3.1.2: with DANE-TA both do, and the issuer must be in what is served. */
static void dane(void **state)
{
    static const struct {
        const char *what, *leaf_name;
        long from, to;
        bool send_ca;
        uint8_t usage;
        bool of_ca, wrong_data, match;
    } t[] = {
        {"EE matches", "mx.example", -DAY, DAY, true, 3, false, false, true},
        {"EE mismatch", "mx.example", -DAY, DAY, true, 3, false, true, false},
        {"EE expired is fine", "mx.example", -2 * DAY, -DAY, true, 3, false, false, true},
        {"EE wrong name is fine", "other.example", -DAY, DAY, true, 3, false, false, true},
        {"TA matches", "mx.example", -DAY, DAY, true, 2, true, false, true},
        {"TA expired", "mx.example", -2 * DAY, -DAY, true, 2, true, false, false},
        {"TA wrong name", "other.example", -DAY, DAY, true, 2, true, false, false},
        {"TA issuer not served", "mx.example", -DAY, DAY, false, 2, true, false, false},
        {"PKIX-EE is not usable", "mx.example", -DAY, DAY, true, 1, false, false, false},
        {"PKIX-TA is not usable", "mx.example", -DAY, DAY, true, 0, true, false, false},
    };
    EVP_PKEY *ca_key = make_key(), *key = make_key();
    X509 *ca = make_cert(ca_key, "ca.example", true, -DAY, 9 * DAY, NULL, NULL);
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct server s = {.script = GOOD, .key = key, .ca = t[i].send_ca ? ca : NULL};
        s.leaf = make_cert(key, t[i].leaf_name, false, t[i].from, t[i].to, ca, ca_key);
        struct arena *a = arena_new(1 << 20);
        unsigned char digest[32];
        struct starttls_tlsa tlsa = {t[i].usage, 1, 1, spki_digest(t[i].of_ca ? ca : s.leaf, digest)};
        digest[0] ^= t[i].wrong_data;
        struct starttls_result r;
        start(&s);
        struct starttls_request q = request_to(&s);
        q.tlsa = &tlsa;
        q.tlsa_count = 1;
        starttls_run(a, &q, &r);
        stop(&s);
        if (r.outcome != STARTTLS_DONE || r.dane_match != t[i].match)
            print_error("%s: %s (%s), match %d, %s\n", t[i].what, starttls_outcome_name(r.outcome), r.reason, r.dane_match,
                        r.dane_error ? r.dane_error : "-");
        assert_int_equal(r.outcome, STARTTLS_DONE);
        assert_int_equal(r.dane_match, t[i].match);
        assert_int_equal(r.tlsa_usable, t[i].usage >= 2);
        assert_int_equal(r.dane_usage, t[i].match ? t[i].usage : -1);
        assert_int_equal(r.chain_count, t[i].send_ca ? 2 : 1);
        assert_non_null(r.version);
        assert_true(r.not_after > r.not_before);
        X509_free(s.leaf);
        arena_free(a);
    }
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes),
        cmocka_unit_test(unreachable),
        cmocka_unit_test(dane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
