// SPDX-License-Identifier: BSD-2-Clause
/*
 * smtp_client.c - SMTP up to STARTTLS, against a peer that may be slow, silent or hostile.
 *
 * Promises to return by the deadline (checked round every wait) and to say in outcome and reason how far it came.
 * Replies are bounded; octets that arrive unencrypted after the reply to STARTTLS are an attack and end the session
 * (RFC 3207 section 6).
 */
#include "net/smtp_client.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "net/dial.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_TOTAL_MS 20000
#define DEFAULT_PORT 25
#define TOO_LONG "the host took too long to answer"

bool smtp_client_fail(struct smtp_client *s, enum starttls_outcome outcome, const char *what, struct slice detail)
{
    struct buf b = BUF_INIT;
    buf_adds(&b, what);
    if (detail.n) {
        buf_adds(&b, ": ");
        utf8_add_visible(&b, slice_of(detail.p, detail.n > 200 ? 200 : detail.n));
    }
    char *text = b.failed ? NULL : arena_strdup(s->arena, b.p);
    buf_release(&b);
    s->outcome = outcome;
    s->reason = text ? text : "out of memory";
    return false;
}

static bool fail_errno(struct smtp_client *s, enum starttls_outcome outcome, const char *what)
{
    char text[128];
    const char *e = strerror_r(errno, text, sizeof text);
    return smtp_client_fail(s, outcome, what, slice_str(e));
}

/* Waits until the socket is ready; false (with the outcome set) when time is up. */
bool smtp_client_wait(struct smtp_client *s, short events)
{
    for (;;) {
        int64_t left = s->deadline - clock_mono_ms();
        if (left <= 0)
            return smtp_client_fail(s, STARTTLS_TIMEOUT, TOO_LONG, SLICE_NULL);
        struct pollfd p = {.fd = s->fd, .events = events};
        int n = poll(&p, 1, (int)left);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return fail_errno(s, STARTTLS_INTERNAL, "poll");
    }
}

static bool connect_to(struct smtp_client *s, const struct starttls_request *r)
{
    switch (dial_ip(&r->address, r->port ? r->port : DEFAULT_PORT, r->source, s->deadline, &s->fd)) {
    case DIAL_DONE:
        return true;
    case DIAL_NO_SOURCE:
        return fail_errno(s, STARTTLS_INTERNAL, "cannot use the source address");
    case DIAL_NOT_HERE:
        return fail_errno(s, STARTTLS_INTERNAL, "cannot connect");
    case DIAL_UNREACHABLE:
        return fail_errno(s, STARTTLS_UNREACHABLE, "cannot connect");
    case DIAL_CUT:
        return fail_errno(s, STARTTLS_CUT, "the connection was lost");
    case DIAL_LATE:
        return smtp_client_fail(s, STARTTLS_TIMEOUT, TOO_LONG, SLICE_NULL);
    case DIAL_NO_SOCKET:
        break;
    }
    return fail_errno(s, STARTTLS_INTERNAL, "socket");
}

static bool send_line(struct smtp_client *s, const char *verb, const char *argument)
{
    char line[1024];
    int n = snprintf(line, sizeof line, "%s%s%s\r\n", verb, argument ? " " : "", argument ? argument : "");
    if (n < 0 || (size_t)n >= sizeof line)
        return smtp_client_fail(s, STARTTLS_INTERNAL, "our own name is too long", SLICE_NULL);
    for (size_t at = 0; at < (size_t)n;) {
        ssize_t w = send(s->fd, line + at, (size_t)n - at, MSG_NOSIGNAL);
        if (w > 0)
            at += (size_t)w;
        else if (w < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (!smtp_client_wait(s, POLLOUT))
                return false;
        } else {
            return fail_errno(s, STARTTLS_CUT, "the connection was lost");
        }
    }
    return true;
}

/* The length of the whole reply at the start of `in`, or 0 while it is not whole. A reply's last line has no hyphen
 * behind its code. */
static size_t whole_reply(const struct smtp_client *s)
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

/* Tells whether what has come so far may begin a reply: digits (RFC 5321 4.2). */
static bool is_code(const struct smtp_client *s)
{
    for (size_t i = 0; i < 3 && i < s->have; i++)
        if (s->in[i] < '0' || s->in[i] > '9')
            return false;
    return true;
}

/* Reads one reply: its code, and the text in s->in, of *length octets; what lies behind stays in s->in. 0 on failure.
 */
static int read_reply(struct smtp_client *s, size_t *length)
{
    size_t n;
    while ((n = whole_reply(s)) == 0) {
        if (!is_code(s)) {
            smtp_client_fail(s, STARTTLS_PROTOCOL, "this is not an SMTP server", slice_trim(slice_of(s->in, s->have)));
            return 0;
        }
        if (s->have == sizeof s->in) {
            smtp_client_fail(s, STARTTLS_PROTOCOL, "a reply over the limit", SLICE_NULL);
            return 0;
        }
        ssize_t got = recv(s->fd, s->in + s->have, sizeof s->in - s->have, 0);
        if (got > 0) {
            s->have += (size_t)got;
        } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (!smtp_client_wait(s, POLLIN))
                return 0;
        } else {
            if (got < 0)
                fail_errno(s, STARTTLS_CUT, "the connection was lost");
            else
                smtp_client_fail(s, STARTTLS_CUT, "the host closed the connection", SLICE_NULL);
            return 0;
        }
    }
    *length = n;
    if (n < 4 || !is_code(s)) {
        smtp_client_fail(s, STARTTLS_PROTOCOL, "this is not an SMTP server", slice_trim(slice_of(s->in, n)));
        return 0;
    }
    return (s->in[0] - '0') * 100 + (s->in[1] - '0') * 10 + (s->in[2] - '0');
}

static void drop_reply(struct smtp_client *s, size_t length)
{
    memmove(s->in, s->in + length, s->have - length);
    s->have -= length;
}

/* Tells whether a line of the EHLO reply is the keyword STARTTLS (RFC 3207 section 2). */
static bool offers_starttls(const struct smtp_client *s, size_t length)
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
static bool expect_2xx(struct smtp_client *s, const char *what, enum starttls_outcome refused, size_t *length)
{
    int code = read_reply(s, length);
    if (code == 0)
        return false;
    if (code >= 200 && code <= 299)
        return true;
    return smtp_client_fail(s, code >= 400 && code <= 499 ? STARTTLS_BUSY : refused, what,
                            slice_trim(slice_of(s->in, *length)));
}

/* A reply's text on one line, made visible. */
static const char *kept_reply(struct smtp_client *s, size_t length)
{
    struct buf b = BUF_INIT;
    for (size_t at = 0; at < length;) {
        const char *nl = memchr(s->in + at, '\n', length - at);
        size_t end = nl ? (size_t)(nl - s->in) + 1 : length;
        buf_adds(&b, at ? " | " : "");
        utf8_add_visible(&b, slice_trim(slice_of(s->in + at, end - at)));
        at = end;
    }
    const char *text = b.failed ? NULL : arena_copy(s->arena, b.p, b.n > SMTP_CLIENT_TEXT ? SMTP_CLIENT_TEXT : b.n);
    buf_release(&b);
    return text;
}

static bool talk(struct smtp_client *s, const char *ehlo)
{
    size_t length = 0;
    if (!expect_2xx(s, "the host greets with an error", STARTTLS_REFUSED, &length))
        return false;
    s->banner = kept_reply(s, length);
    drop_reply(s, length);
    if (!send_line(s, "EHLO", ehlo ? ehlo : "localhost"))
        return false;
    if (!expect_2xx(s, "the host refuses EHLO", STARTTLS_REFUSED, &length)) {
        /* A host that does not know the command has no extensions (RFC 5321 3.2); others refuse us. */
        if (s->outcome == STARTTLS_REFUSED && s->in[0] == '5' && s->in[1] == '0')
            s->outcome = STARTTLS_NOT_OFFERED;
        return false;
    }
    s->ehlo = kept_reply(s, length);
    if (!offers_starttls(s, length))
        return smtp_client_fail(s, STARTTLS_NOT_OFFERED, "the host does not offer STARTTLS", SLICE_NULL);
    drop_reply(s, length);
    if (!send_line(s, "STARTTLS", NULL) || !expect_2xx(s, "the host refuses STARTTLS", STARTTLS_NOT_OFFERED, &length))
        return false;
    drop_reply(s, length);
    if (s->have)
        return smtp_client_fail(s, STARTTLS_INJECTION, "unencrypted text came after the reply to STARTTLS",
                                slice_of(s->in, s->have));
    return true;
}

bool smtp_client_open(struct smtp_client *s, struct arena *arena, const struct starttls_request *r)
{
    *s = (struct smtp_client){.arena = arena, .fd = -1, .outcome = STARTTLS_INTERNAL, .reason = "nothing was tried"};
    s->deadline = clock_mono_ms() + (r->total_ms ? r->total_ms : DEFAULT_TOTAL_MS);
    s->connected = connect_to(s, r);
    return s->connected && talk(s, r->ehlo);
}

void smtp_client_close(struct smtp_client *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}
