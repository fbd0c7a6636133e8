// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_host.h - a mail host for tests: a thread on a loopback port that plays a script for one connection (or several)
 * and ends.
 */
#ifndef ASSAY_TESTS_UNIT_MAIL_HOST_H
#define ASSAY_TESTS_UNIT_MAIL_HOST_H

#include "base/slice.h"
#include "tests/unit/cm.h"
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum script {
    GOOD,
    NO_STARTTLS,
    BUSY,
    REFUSED,
    SILENT,
    INJECT,
    NOT_SMTP,
    FLOOD,
    CLOSE_IN_TLS,
    SLOW_DRIP,
    HALF_TLS,
    RESET_IN_TLS,
    LONG_CHAIN
};

struct server {
    enum script script;
    int listener;
    unsigned port;
    X509 *leaf, *ca, *root; /* ca, then root: sent behind the leaf when not NULL */
    EVP_PKEY *key;
    int connections; /* how many it takes before it ends; 0: one */
    int taken;
    pthread_t thread;
};

static inline void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static inline void hear(int fd)
{
    char line[256];
    (void)!recv(fd, line, sizeof line, 0);
}

/* An end of the handshake that no TLS library would make. */
static inline void spoil_tls(struct server *s, int fd)
{
    static const char half[] = "\x16\x03\x03\x00\x60\x02\x00\x00\x5c\x03\x03";
    char hello[8192];
    struct linger now = {.l_onoff = 1};
    (void)!recv(fd, hello, sizeof hello, 0);
    if (s->script == HALF_TLS)
        (void)!send(fd, half, sizeof half - 1, MSG_NOSIGNAL);
    if (s->script == RESET_IN_TLS)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static inline void serve_tls(struct server *s, int fd)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(ctx, s->leaf);
    SSL_CTX_use_PrivateKey(ctx, s->key);
    if (s->ca)
        SSL_CTX_add1_chain_cert(ctx, s->ca);
    for (int i = 0; s->script == LONG_CHAIN && i < 12000; i++) /* 6 MB or so */
        SSL_CTX_add1_chain_cert(ctx, s->leaf);
    if (s->root)
        SSL_CTX_add1_chain_cert(ctx, s->root);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        char line[64];
        (void)SSL_read(ssl, line, sizeof line);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static inline void play(struct server *s, int fd)
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
    if (s->script == GOOD || s->script == INJECT || s->script == LONG_CHAIN)
        serve_tls(s, fd);
    else
        spoil_tls(s, fd);
}

static inline void *server_main(void *arg)
{
    struct server *s = arg;
    do {
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0)
            break;
        s->taken++;
        play(s, fd);
        close(fd);
    } while (s->taken < s->connections);
    return NULL;
}

static inline void start(struct server *s)
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

static inline void stop(struct server *s)
{
    if (s->connections)
        shutdown(s->listener, SHUT_RDWR); /* it may be waiting for one more */
    pthread_join(s->thread, NULL);
    close(s->listener);
}

static inline EVP_PKEY *make_key(void)
{
    EVP_PKEY *k = EVP_EC_gen("P-256");
    assert_non_null(k);
    return k;
}

/* A certificate for `name`, valid from..to seconds from now, signed by issuer (NULL: by itself). */
static inline X509 *make_cert(EVP_PKEY *key, const char *name, bool ca, long from, long to, X509 *issuer,
                              EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509 *x = X509_new();
    char san[128];
    const bool cn_only = strncmp(name, "CN:", 3) == 0; /* a certificate without DNS names */
    name += cn_only ? 3 : 0;
    snprintf(san, sizeof san, "DNS:%s", name);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), from);
    X509_gmtime_adj(X509_getm_notAfter(x), to);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
    if (!cn_only)
        X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, ca ? "critical,CA:TRUE" : "CA:FALSE");
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    assert_true(X509_sign(x, issuer_key ? issuer_key : key, EVP_sha256()) > 0);
    return x;
}

static inline struct slice spki_digest(X509 *x, unsigned char out[32])
{
    unsigned char *der = NULL;
    unsigned int size;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    assert_true(n > 0);
    assert_int_equal(EVP_Digest(der, (size_t)n, out, &size, EVP_sha256(), NULL), 1);
    OPENSSL_free(der);
    return slice_of((char *)out, 32);
}

#endif
