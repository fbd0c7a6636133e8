// SPDX-License-Identifier: BSD-2-Clause
/*
 * web_host.h - an HTTPS host for tests: a thread on a loopback port that gives every connection the same octets after
 * TLS. Its authority's certificate is written to a file. With `silent` it accepts and says nothing.
 */
#ifndef ASSAY_TESTS_UNIT_WEB_HOST_H
#define ASSAY_TESTS_UNIT_WEB_HOST_H

#include "tests/unit/mail_host.h"
#include <errno.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdatomic.h>

struct web {
    const char *answer; /* header and body; may be exchanged between requests */
    size_t answer_size; /* 0: up to its NUL */
    bool silent;
    int cut; /* so many connections are closed at once */
    int listener;
    unsigned port;
    atomic_int taken;
    char asked[1024]; /* the last request */
    char ca_file[64];
    X509 *leaf, *ca;
    EVP_PKEY *key, *ca_key;
    pthread_t thread;
};

static inline void web_serve(struct web *w, int fd)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(ctx, w->leaf);
    SSL_CTX_use_PrivateKey(ctx, w->key);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        int n = SSL_read(ssl, w->asked, sizeof w->asked - 1);
        w->asked[n > 0 ? n : 0] = '\0';
        SSL_write(ssl, w->answer, (int)(w->answer_size ? w->answer_size : strlen(w->answer)));
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static inline void *web_main(void *arg)
{
    struct web *w = arg;
    for (;;) {
        int fd = accept(w->listener, NULL, NULL);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
            usleep(1000);
            continue;
        }
        if (fd < 0)
            return NULL;
        if (w->taken++ < w->cut) {
            struct linger now = {.l_onoff = 1};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        } else if (w->silent) {
            char octets[2048];
            while (recv(fd, octets, sizeof octets, 0) > 0)
                ;
        } else {
            web_serve(w, fd);
        }
        close(fd);
    }
}

/* A host with a certificate for `name` of `days` from now (negative: it ended so long ago). */
static inline void web_start(struct web *w, const char *name, long days)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof sin;
    signal(SIGPIPE, SIG_IGN);
    w->ca_key = make_key();
    w->key = make_key();
    w->ca = make_cert(w->ca_key, "ca.example", true, -86400, 86400, NULL, NULL);
    w->leaf = make_cert(w->key, name, false, -30 * 86400, days * 86400, w->ca, w->ca_key);
    snprintf(w->ca_file, sizeof w->ca_file, "/tmp/assay-test-ca-XXXXXX");
    int fd = mkstemp(w->ca_file);
    FILE *f = fdopen(fd, "w");
    assert_int_equal(PEM_write_X509(f, w->ca), 1);
    fclose(f);
    w->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(w->listener, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(listen(w->listener, 8), 0);
    assert_int_equal(getsockname(w->listener, (struct sockaddr *)&sin, &size), 0);
    w->port = ntohs(sin.sin_port);
    assert_int_equal(pthread_create(&w->thread, NULL, web_main, w), 0);
}

static inline void web_stop(struct web *w)
{
    shutdown(w->listener, SHUT_RDWR);
    pthread_join(w->thread, NULL);
    close(w->listener);
    unlink(w->ca_file);
    X509_free(w->leaf);
    X509_free(w->ca);
    EVP_PKEY_free(w->key);
    EVP_PKEY_free(w->ca_key);
}

#endif
