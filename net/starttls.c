// SPDX-License-Identifier: BSD-2-Clause
/*
 * starttls.c - SMTP up to TLS, against a peer that may be slow, silent or hostile.
 *
 * Promises to return within total_ms (one deadline for everything, checked round every wait), to leave no socket open,
 * and to say in the result how far it came. Replies are bounded; octets that arrive in clear behind the reply to
 * STARTTLS are an attack and end the session (RFC 3207 section 6). DANE is judged by OpenSSL after the rules of RFC
 * 7672: usages 0 and 1 are not usable, DANE-EE checks neither name nor dates.
 */
#include "net/starttls.h"
#include "base/clock.h"
#include "base/utf8.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_TOTAL_MS 20000
#define DEFAULT_PORT 25

struct session {
    struct arena *arena;
    const struct starttls_request *request;
    struct starttls_result *result;
    int fd;
    int64_t deadline;
    SSL_CTX *ctx;
    SSL *ssl;
    char in[STARTTLS_MAX_REPLY];
    size_t have;
};

const char *starttls_outcome_name(enum starttls_outcome o)
{
    static const char *const names[] = {"done",        "unreachable", "timed out",  "busy",     "refused",
                                        "no STARTTLS", "injection",   "TLS failed", "not SMTP", "internal error"};
    return (unsigned)o < sizeof names / sizeof names[0] ? names[o] : "?";
}

static bool fail(struct session *s, enum starttls_outcome outcome, const char *what, struct slice detail)
{
    struct buf b = BUF_INIT;
    buf_adds(&b, what);
    if (detail.n) {
        buf_adds(&b, ": ");
        utf8_add_visible(&b, slice_of(detail.p, detail.n > 200 ? 200 : detail.n));
    }
    char *text = b.failed ? NULL : arena_strdup(s->arena, b.p);
    buf_release(&b);
    s->result->outcome = outcome;
    s->result->reason = text ? text : "out of memory";
    return false;
}

static bool fail_errno(struct session *s, enum starttls_outcome outcome, const char *what)
{
    char text[128];
    const char *e = strerror_r(errno, text, sizeof text);
    return fail(s, outcome, what, slice_str(e));
}

/* Waits until the socket is ready; false (with the outcome set) when time is up. */
static bool wait_for(struct session *s, short events)
{
    for (;;) {
        int64_t left = s->deadline - clock_mono_ms();
        if (left <= 0)
            return fail(s, STARTTLS_TIMEOUT, "the host took too long to answer", SLICE_NULL);
        struct pollfd p = {.fd = s->fd, .events = events};
        int n = poll(&p, 1, (int)left);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return fail_errno(s, STARTTLS_INTERNAL, "poll");
    }
}

static socklen_t to_sockaddr(const struct ip *a, unsigned port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (a->family == 4) {
        struct sockaddr_in *sin = (struct sockaddr_in *)out;
        sin->sin_family = AF_INET;
        sin->sin_port = htons((uint16_t)port);
        memcpy(&sin->sin_addr, a->octets, 4);
        return sizeof *sin;
    }
    struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)out;
    sin6->sin6_family = AF_INET6;
    sin6->sin6_port = htons((uint16_t)port);
    memcpy(&sin6->sin6_addr, a->octets, 16);
    return sizeof *sin6;
}

static bool connect_to(struct session *s)
{
    const struct starttls_request *r = s->request;
    struct sockaddr_storage sa;
    if (r->address.family != 4 && r->address.family != 6)
        return fail(s, STARTTLS_INTERNAL, "no address", SLICE_NULL);
    s->fd = socket(r->address.family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        return fail_errno(s, STARTTLS_INTERNAL, "socket");
    if (r->source && r->source->family == r->address.family) {
        socklen_t n = to_sockaddr(r->source, 0, &sa);
        if (bind(s->fd, (struct sockaddr *)&sa, n) != 0)
            return fail_errno(s, STARTTLS_INTERNAL, "cannot use the source address");
    }
    socklen_t n = to_sockaddr(&r->address, r->port ? r->port : DEFAULT_PORT, &sa);
    if (connect(s->fd, (struct sockaddr *)&sa, n) == 0)
        return true;
    if (errno != EINPROGRESS)
        return fail_errno(s, STARTTLS_UNREACHABLE, "cannot connect");
    if (!wait_for(s, POLLOUT))
        return false;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    errno = error;
    return error == 0 || fail_errno(s, STARTTLS_UNREACHABLE, "cannot connect");
}

static bool send_line(struct session *s, const char *verb, const char *argument)
{
    char line[1024];
    int n = snprintf(line, sizeof line, "%s%s%s\r\n", verb, argument ? " " : "", argument ? argument : "");
    if (n < 0 || (size_t)n >= sizeof line)
        return fail(s, STARTTLS_INTERNAL, "our own name is too long", SLICE_NULL);
    for (size_t at = 0; at < (size_t)n;) {
        ssize_t w = send(s->fd, line + at, (size_t)n - at, MSG_NOSIGNAL);
        if (w > 0)
            at += (size_t)w;
        else if (w < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (!wait_for(s, POLLOUT))
                return false;
        } else {
            return fail_errno(s, STARTTLS_PROTOCOL, "the host closed the connection");
        }
    }
    return true;
}

/* The length of the whole reply at the start of `in`, or 0 while it is not whole. A reply's last line has no hyphen
 * behind its code. */
static size_t whole_reply(const struct session *s)
{
    size_t at = 0;
    for (;;) {
        const char *nl = at < s->have ? memchr(s->in + at, '\n', s->have - at) : NULL;
        if (!nl)
            return 0;
        size_t end = (size_t)(nl - s->in) + 1;
        if (end - at < 4 || s->in[at + 3] != '-')
            return end;
        at = end;
    }
}

/* Reads one reply: its code, and the text in s->in, of *length octets; what lies behind stays in s->in. 0 on failure.
 */
static int read_reply(struct session *s, size_t *length)
{
    size_t n;
    while ((n = whole_reply(s)) == 0) {
        if (s->have == sizeof s->in) {
            fail(s, STARTTLS_PROTOCOL, "a reply over the limit", SLICE_NULL);
            return 0;
        }
        ssize_t got = recv(s->fd, s->in + s->have, sizeof s->in - s->have, 0);
        if (got > 0) {
            s->have += (size_t)got;
        } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (!wait_for(s, POLLIN))
                return 0;
        } else {
            fail(s, STARTTLS_PROTOCOL, "the host closed the connection", SLICE_NULL);
            return 0;
        }
    }
    *length = n;
    for (int i = 0; i < 3; i++)
        if (n < 4 || s->in[i] < '0' || s->in[i] > '9') {
            fail(s, STARTTLS_PROTOCOL, "this is no SMTP server", slice_trim(slice_of(s->in, n)));
            return 0;
        }
    return (s->in[0] - '0') * 100 + (s->in[1] - '0') * 10 + (s->in[2] - '0');
}

static void drop_reply(struct session *s, size_t length)
{
    memmove(s->in, s->in + length, s->have - length);
    s->have -= length;
}

/* Whether a line of the EHLO reply is the keyword STARTTLS (RFC 3207 section 2). */
static bool offers_starttls(const struct session *s, size_t length)
{
    for (size_t at = 0; at < length;) {
        const char *nl = memchr(s->in + at, '\n', length - at);
        size_t end = nl ? (size_t)(nl - s->in) + 1 : length;
        if (end - at > 4 && slice_eq_nocase(slice_trim(slice_of(s->in + at + 4, end - at - 4)), SLICE_LIT("STARTTLS")))
            return true;
        at = end;
    }
    return false;
}

/* A reply that must be of the 2xx kind; else the outcome says busy or refused. */
static bool expect_2xx(struct session *s, const char *what, enum starttls_outcome refused, size_t *length)
{
    int code = read_reply(s, length);
    if (code == 0)
        return false;
    if (code >= 200 && code <= 299)
        return true;
    return fail(s, code >= 400 && code <= 499 ? STARTTLS_BUSY : refused, what, slice_trim(slice_of(s->in, *length)));
}

static bool talk_smtp(struct session *s)
{
    size_t length = 0;
    if (!expect_2xx(s, "the host greets with an error", STARTTLS_REFUSED, &length))
        return false;
    drop_reply(s, length);
    if (!send_line(s, "EHLO", s->request->ehlo ? s->request->ehlo : "localhost"))
        return false;
    if (!expect_2xx(s, "the host refuses EHLO", STARTTLS_REFUSED, &length))
        return false;
    if (!offers_starttls(s, length))
        return fail(s, STARTTLS_NOT_OFFERED, "the host does not offer STARTTLS", SLICE_NULL);
    drop_reply(s, length);
    if (!send_line(s, "STARTTLS", NULL) || !expect_2xx(s, "the host refuses STARTTLS", STARTTLS_NOT_OFFERED, &length))
        return false;
    drop_reply(s, length);
    if (s->have)
        return fail(s, STARTTLS_INJECTION, "text came in clear behind the reply to STARTTLS", slice_of(s->in, s->have));
    return true;
}

static bool fail_tls(struct session *s, const char *what)
{
    unsigned long e = ERR_get_error();
    const char *text = e ? ERR_reason_error_string(e) : NULL;
    ERR_clear_error();
    return fail(s, STARTTLS_HANDSHAKE, what, slice_str(text));
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

static bool set_up_tls(struct session *s)
{
    s->ctx = SSL_CTX_new(TLS_client_method());
    if (!s->ctx || SSL_CTX_dane_enable(s->ctx) <= 0)
        return fail_tls(s, "OpenSSL could not be set up");
    SSL_CTX_set_verify(s->ctx, SSL_VERIFY_NONE, NULL);
    s->ssl = SSL_new(s->ctx);
    if (!s->ssl || SSL_set_fd(s->ssl, s->fd) != 1)
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
        int n = SSL_connect(s->ssl);
        if (n == 1)
            return true;
        int e = SSL_get_error(s->ssl, n);
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
            return fail_tls(s, "the TLS handshake failed");
        if (!wait_for(s, e == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT))
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
        return fail(s, STARTTLS_INTERNAL, "out of memory", SLICE_NULL);
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
        s->result->not_before = asn1_time(X509_get0_notBefore(sk_X509_value(chain, 0)));
        s->result->not_after = asn1_time(X509_get0_notAfter(sk_X509_value(chain, 0)));
    }
    return !arena_failed(s->arena) || fail(s, STARTTLS_INTERNAL, "out of memory", SLICE_NULL);
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

static void finish(struct session *s)
{
    s->result->outcome = STARTTLS_DONE;
    s->result->reason = "the handshake finished";
    s->result->version = arena_strdup(s->arena, SSL_get_version(s->ssl));
    s->result->cipher = arena_strdup(s->arena, SSL_get_cipher_name(s->ssl));
    judge_dane(s);
    if (keep_chain(s)) {
        ERR_clear_error();
        (void)SSL_write(s->ssl, "QUIT\r\n", 6); /* a courtesy: whether it arrives changes nothing */
    }
}

void starttls_run(struct arena *arena, const struct starttls_request *request, struct starttls_result *result)
{
    struct session s = {.arena = arena, .request = request, .result = result, .fd = -1};
    *result = (struct starttls_result){.outcome = STARTTLS_INTERNAL, .reason = "nothing was tried", .dane_usage = -1};
    s.deadline = clock_mono_ms() + (request->total_ms ? request->total_ms : DEFAULT_TOTAL_MS);
    if (connect_to(&s) && talk_smtp(&s) && shake_hands(&s))
        finish(&s);
    SSL_free(s.ssl);
    SSL_CTX_free(s.ctx);
    ERR_clear_error();
    if (s.fd >= 0)
        close(s.fd);
}
