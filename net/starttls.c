// SPDX-License-Identifier: BSD-2-Clause
/*
 * starttls.c - the TLS handshake behind SMTP's STARTTLS (smtp_client.c), and what the peer showed in it.
 *
 * Promises to return within total_ms (one deadline for everything), to leave no socket open, and to say in the result
 * how far it came. DANE is judged by OpenSSL after the rules of RFC 7672: usages 0 and 1 are not usable, DANE-EE checks
 * neither name nor dates.
 */
#include "net/starttls.h"
#include "base/language.h"
#include "net/smtp_client.h"
#include <sys/socket.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

struct session {
    struct arena *arena;
    const struct starttls_request *request;
    struct starttls_result *result;
    struct smtp_client client;
    SSL_CTX *ctx;
    SSL *ssl;
};

const char *starttls_outcome_name(enum starttls_outcome o)
{
    static const char *const names[] = {"done",
                                        LANGUAGE_MARK("unreachable"),
                                        LANGUAGE_MARK("timed out"),
                                        LANGUAGE_MARK("busy"),
                                        LANGUAGE_MARK("refused"),
                                        LANGUAGE_MARK("no STARTTLS"),
                                        LANGUAGE_MARK("injection"),
                                        LANGUAGE_MARK("TLS failed"),
                                        LANGUAGE_MARK("cut off"),
                                        LANGUAGE_MARK("an answer over the limit"),
                                        LANGUAGE_MARK("not SMTP"),
                                        LANGUAGE_MARK("internal error")};
    return (unsigned)o < sizeof names / sizeof names[0] ? names[o] : "?";
}

static bool fail_tls(struct session *s, const char *what)
{
    unsigned long e = ERR_get_error();
    const char *text = e ? ERR_reason_error_string(e) : NULL;
    ERR_clear_error();
    return smtp_client_fail(&s->client, STARTTLS_HANDSHAKE, what, slice_str(text));
}

#define HANDSHAKE_MOST                                                                                                 \
    ((size_t)128 << 10) /* octets of a handshake; OpenSSL takes 100 kB of certificates; our own limit */
#define DRAIN_MS 300

/* Tells whether the host goes on sending beyond what a handshake may have. */
static bool is_flood(struct session *s)
{
    char chunk[16384];
    BIO *in = SSL_get_rbio(s->ssl);
    size_t n = in ? (size_t)BIO_number_read(in) : 0;
    struct pollfd p = {.fd = s->client.fd, .events = POLLIN};
    ssize_t got = 1;
    while (n <= HANDSHAKE_MOST && got > 0 && poll(&p, 1, DRAIN_MS) > 0)
        if ((got = recv(s->client.fd, chunk, sizeof chunk, 0)) > 0)
            n += (size_t)got;
    return n > HANDSHAKE_MOST;
}

/* Why the handshake ended. A host that hangs up on our first message refuses TLS; one that hangs up within its answer,
 * or whose connection was reset, says nothing about it. */
static bool fail_handshake(struct session *s, int error, int os_error)
{
    unsigned long e = ERR_peek_error();
    bool ended = error == SSL_ERROR_SSL && ERR_GET_REASON(e) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    BIO *in = SSL_get_rbio(s->ssl);
    enum starttls_outcome outcome = STARTTLS_HANDSHAKE;
    if (error == SSL_ERROR_SSL && (ERR_GET_REASON(e) == SSL_R_EXCESSIVE_MESSAGE_SIZE || is_flood(s)))
        outcome = STARTTLS_TOO_LONG;
    else if ((error == SSL_ERROR_SYSCALL && os_error == ECONNRESET) || (ended && in && BIO_number_read(in) > 0))
        outcome = STARTTLS_CUT;
    (void)fail_tls(s, "the TLS handshake failed");
    if (outcome == STARTTLS_CUT && !ended)
        return smtp_client_fail(&s->client, outcome, "the TLS handshake failed", SLICE_LIT("connection reset"));
    s->client.outcome = outcome;
    return false;
}

/* RFC 7672 3.1: only DANE-TA(2) and DANE-EE(3) count; a record OpenSSL does not know (selector, digest) is left out by
 * it. */
static bool set_up_dane(struct session *s)
{
    const struct starttls_request *r = s->request;
    if (r->tlsa_count == 0)
        return true;
    if (SSL_dane_enable(s->ssl, r->server_name ? r->server_name : "") <= 0)
        return fail_tls(s, "OpenSSL's DANE could not be set up");
    SSL_dane_set_flags(s->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    SSL_set_hostflags(s->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (r->base_domain && SSL_add1_host(s->ssl, r->base_domain) != 1)
        return fail_tls(s, "OpenSSL's DANE could not be set up");
    for (size_t i = 0; i < r->tlsa_count && i < STARTTLS_MAX_TLSA; i++) {
        const struct starttls_tlsa *t = &r->tlsa[i];
        if (t->usage != 2 && t->usage != 3)
            continue;
        if (SSL_dane_tlsa_add(s->ssl, t->usage, t->selector, t->matching, (const unsigned char *)t->data.p, t->data.n) >
            0)
            s->result->tlsa_usable++;
        ERR_clear_error();
    }
    return true;
}

/* By the signatures that we take a server chooses between its certificates (RFC 8446 4.4.2.2). */
static const char *const sigalgs[] = {
    [STARTTLS_KEYS_RSA] =
        "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512:"
        "RSA+SHA1",
    [STARTTLS_KEYS_ECDSA] = "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519",
};

static bool set_up_tls(struct session *s)
{
    s->ctx = SSL_CTX_new(TLS_client_method());
    if (!s->ctx || SSL_CTX_dane_enable(s->ctx) <= 0)
        return fail_tls(s, "OpenSSL could not be set up");
    SSL_CTX_set_verify(s->ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_security_level(s->ctx, 0); /* a small key behind a matching record is a match (RFC 7672 3.1.1) */
    if (s->request->keys != STARTTLS_KEYS_ANY && SSL_CTX_set1_sigalgs_list(s->ctx, sigalgs[s->request->keys]) != 1)
        return fail_tls(s, "OpenSSL could not be set up");
    s->ssl = SSL_new(s->ctx);
    if (!s->ssl || SSL_set_fd(s->ssl, s->client.fd) != 1)
        return fail_tls(s, "OpenSSL could not be set up");
    if (s->request->server_name && SSL_set_tlsext_host_name(s->ssl, s->request->server_name) != 1)
        return fail_tls(s, "OpenSSL could not be set up");
    return set_up_dane(s);
}

static bool shake_hands(struct session *s)
{
    if (!set_up_tls(s))
        return false;
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int n = SSL_connect(s->ssl), os_error = errno;
        if (n == 1)
            return true;
        int e = SSL_get_error(s->ssl, n);
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
            return fail_handshake(s, e, os_error);
        if (!smtp_client_wait(&s->client, e == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT))
            return false;
    }
}

static time_t asn1_time(const ASN1_TIME *t)
{
    struct tm tm;
    return t && ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

static bool keep_chain(struct session *s)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(s->ssl);
    int n = chain ? sk_X509_num(chain) : 0;
    if (n > STARTTLS_MAX_CHAIN)
        n = STARTTLS_MAX_CHAIN;
    struct slice *out = ARENA_ARRAY(s->arena, struct slice, (size_t)n);
    if (!out)
        return smtp_client_fail(&s->client, STARTTLS_INTERNAL, "out of memory", SLICE_NULL);
    for (int i = 0; i < n; i++) {
        unsigned char *der = NULL;
        int length = i2d_X509(sk_X509_value(chain, i), &der);
        if (length > 0)
            out[i] = arena_slice(s->arena, slice_of((char *)der, (size_t)length));
        OPENSSL_free(der);
    }
    s->result->chain = out;
    s->result->chain_count = (size_t)n;
    if (n > 0) {
        EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(chain, 0));
        s->result->key_bits = key ? (unsigned)EVP_PKEY_get_bits(key) : 0;
        s->result->rsa_key = key && EVP_PKEY_is_a(key, "RSA");
        s->result->weak_key = key && EVP_PKEY_get_security_bits(key) < STARTTLS_SECURITY_BITS;
        s->result->not_before = asn1_time(X509_get0_notBefore(sk_X509_value(chain, 0)));
        s->result->not_after = asn1_time(X509_get0_notAfter(sk_X509_value(chain, 0)));
    }
    return !arena_failed(s->arena) || smtp_client_fail(&s->client, STARTTLS_INTERNAL, "out of memory", SLICE_NULL);
}

static void judge_dane(struct session *s)
{
    struct starttls_result *r = s->result;
    r->dane_usage = -1;
    if (r->tlsa_usable == 0)
        return;
    uint8_t usage = 0;
    long verified = SSL_get_verify_result(s->ssl);
    if (verified == X509_V_OK && SSL_get0_dane_tlsa(s->ssl, &usage, NULL, NULL, NULL, NULL) >= 0) {
        r->dane_match = true;
        r->dane_usage = usage;
    } else {
        r->dane_error = verified == X509_V_OK ? "no record matched" : X509_verify_cert_error_string(verified);
    }
}

static void session_finish(struct session *s)
{
    s->result->version = arena_strdup(s->arena, SSL_get_version(s->ssl));
    s->result->cipher = arena_strdup(s->arena, SSL_get_cipher_name(s->ssl));
    judge_dane(s);
    if (!keep_chain(s))
        return;
    s->result->outcome = STARTTLS_DONE;
    s->result->reason = "the handshake finished";
    ERR_clear_error();
    (void)SSL_write(s->ssl, "QUIT\r\n", 6); /* a courtesy: whether it arrives changes nothing */
}

void starttls_run(struct arena *arena, const struct starttls_request *request, struct starttls_result *result)
{
    struct session s = {.arena = arena, .request = request, .result = result};
    *result = (struct starttls_result){.outcome = STARTTLS_INTERNAL, .dane_usage = -1};
    if (smtp_client_open(&s.client, arena, request) && shake_hands(&s))
        session_finish(&s);
    if (result->outcome != STARTTLS_DONE) {
        result->outcome = s.client.outcome;
        result->reason = s.client.reason;
    }
    result->connected = s.client.connected;
    result->banner = s.client.banner;
    result->ehlo = s.client.ehlo;
    SSL_free(s.ssl);
    SSL_CTX_free(s.ctx);
    ERR_clear_error();
    smtp_client_close(&s.client);
}
