// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_message.c - checks that mail reaches assay-milter, by a real message through the mail server, which the milter
 * drops.
 *
 * Order: first it writes the secrets for the milter, then it connects, so that the milter makes the mail server wait
 * for the answer to RCPT (milter/rcpt_answer.c). No message is sent before the milter has proved that it is there. For
 * that, doctor sends a MAIL command whose sender is a question that only our milter can answer (base/test_message.h).
 * The mail server passes the answer on at MAIL, or at RCPT if it does not wait for the milter at MAIL. Only after the
 * right answer does doctor send, in the same connection, a message with a null sender to a domain that cannot exist
 * (RFC 6761 6.4). The milter judges and drops it, and leaves a receipt. If the milter dies in between and
 * milter_default_action=accept is set, the message can neither be delivered nor returned.
 *
 * Every wait is bounded. Failure: a finding; what could not be found out is said to be unknown.
 */
#include "base/clock.h"
#include "base/test_message.h"
#include "cli/doctor/doctor.h"
#include "net/dial.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY_MS 15000 /* postscreen keeps a new client waiting for six seconds */
#define RECEIPT_MS 25000
#define REPLY_SIZE 2048

struct talk {
    int fd;
    int code;
    char text[REPLY_SIZE]; /* of the last reply, lines joined by LF */
};

/* HOST, HOST:PORT or [ADDRESS]:PORT. */
static int connect_to(struct doctor *d, const char *where)
{
    char *host = arena_strdup(d->arena, where), *port = host ? strrchr(host, ':') : NULL;

    if (!host)
        return -1;
    if (*host == '[' && strchr(host, ']')) {
        char *end = strchr(host++, ']');
        port = end[1] == ':' ? end + 1 : NULL;
        *end = '\0';
    } else if (port && strchr(host, ':') != port) {
        port = NULL; /* an IPv6 address */
    }
    if (port)
        *port++ = '\0';
    return dial_host(host, port ? port : "25", REPLY_MS);
}

/* The whole of the text so far is a reply when its last line has a blank behind the code. */
static bool is_whole(const char *text, size_t n)
{
    const char *line = text;
    if (n < 5 || text[n - 1] != '\n')
        return false;
    for (size_t i = 0; i + 1 < n; i++)
        if (text[i] == '\n')
            line = text + i + 1;
    return text + n - line >= 5 && line[3] == ' ';
}

/* Reads one reply; its code, or 0 when none came. */
static int reply(struct talk *t)
{
    const int64_t until = clock_mono_ms() + REPLY_MS;
    size_t n = 0;
    t->code = 0;
    t->text[0] = '\0';
    while (!is_whole(t->text, n) && n + 1 < sizeof t->text) {
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        int64_t left = until - clock_mono_ms();
        if (left <= 0 || poll(&p, 1, (int)left) <= 0)
            return 0;
        ssize_t got = recv(t->fd, t->text + n, sizeof t->text - 1 - n, 0);
        if (got <= 0)
            return 0;
        n += (size_t)got;
        t->text[n] = '\0';
    }
    while (n && (t->text[n - 1] == '\n' || t->text[n - 1] == '\r'))
        t->text[--n] = '\0';
    t->code = (int)strtol(t->text, NULL, 10);
    return t->code;
}

static int talk_say(struct talk *t, const char *line)
{
    size_t n = strlen(line);
    return send(t->fd, line, n, MSG_NOSIGNAL) == (ssize_t)n ? reply(t) : (t->code = 0);
}

static const char *shown(const struct talk *t)
{
    return *t->text ? t->text : "no answer";
}

/* Tells whether our milter answered the question. Says what else did. */
static bool talk_ask(struct doctor *d, struct talk *t, const struct test_message *m, const char *where)
{
    char line[160];
    if (reply(t) != 220 || talk_say(t, "EHLO localhost\r\n") / 100 != 2) {
        doctor_say(d, DOCTOR_UNKNOWN, "the mail server at %s does not talk to us: %s\nlook into its log", where,
                   shown(t));
        return false;
    }
    snprintf(line, sizeof line, "MAIL FROM:<" TEST_MESSAGE_LOCAL "%s@" TEST_MESSAGE_DOMAIN ">\r\n", m->ask);
    /* Mail for its postmaster is what a mail server accepts from anybody (RFC 5321 4.5.1); one that has none may still
     * accept the test message's recipient. The milter is asked about a recipient that is accepted, and refuses it. */
    if (talk_say(t, line) / 100 == 2 && talk_say(t, "RCPT TO:<postmaster>\r\n") / 100 == 5 &&
        !strstr(t->text, m->answer))
        talk_say(t, "RCPT TO:<assay-test@" TEST_MESSAGE_DOMAIN ">\r\n");
    if (t->code / 100 == 5 && strstr(t->text, m->answer)) {
        talk_say(t, "RSET\r\n"); /* if RCPT got the answer, MAIL had been accepted */
        return true;
    }
    if (t->code / 100 == 2)
        doctor_say(d, DOCTOR_CRITICAL,
                   "mail that comes in at %s does not reach assay-milter: it is delivered unjudged (nothing was sent)\n"
                   "assay harden makes the mail server ask it; a listener with smtpd_milters of its own (-o) names the "
                   "socket there",
                   where);
    else if (t->code / 100 == 4)
        doctor_say(d, DOCTOR_CRITICAL,
                   "the mail server at %s is deferring all mail: %s\nsystemctl restart assay-milter; if that does not "
                   "help, assay harden "
                   "puts its socket right",
                   where, shown(t));
    else
        doctor_say(d, DOCTOR_UNKNOWN,
                   "the mail server at %s refuses the test before the milter sees it: %s\nlook into its log", where,
                   shown(t));
    return false;
}

/* true: the milter has to have it now. */
static bool send_message(struct doctor *d, struct talk *t, const char *where)
{
    static const char message[] =
        "From: assay doctor <assay-test@" TEST_MESSAGE_DOMAIN ">\r\n"
        "To: assay-test@" TEST_MESSAGE_DOMAIN "\r\n"
        "Subject: test message of assay doctor, dropped by assay-milter\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "\r\n"
        "This message is a test of the way mail goes on this server. Nobody should ever see it.\r\n.\r\n";
    if (talk_say(t, "MAIL FROM:<>\r\n") / 100 == 2 &&
        talk_say(t, "RCPT TO:<assay-test@" TEST_MESSAGE_DOMAIN ">\r\n") / 100 == 2 && talk_say(t, "DATA\r\n") == 354 &&
        talk_say(t, message) / 100 == 2)
        return true;
    doctor_say(d, DOCTOR_OK,
               "assay-milter is asked about mail that comes in at %s; a whole message was not sent, since the mail "
               "server would not "
               "take it: %s",
               where, shown(t));
    return false;
}

static void await_receipt(struct doctor *d, const struct test_message *m, const char *where, int64_t began)
{
    struct test_receipt r = {0};
    enum status s = STATUS_MISSING;
    while ((s = test_receipt_read(d->state_dir, m, &r)) != STATUS_OK && clock_mono_ms() - began < RECEIPT_MS)
        usleep(20000);
    if (s != STATUS_OK) {
        doctor_say(
            d, DOCTOR_CRITICAL,
            "a test message given to %s did not come to its end in assay-milter (it can be delivered to nobody)\n"
            "look for assay-milter's and the mail server's lines of this minute in the log",
            where);
        return;
    }
    const char *file = d->policy ? policy_hash(d->policy) : r.policy;
    if (r.fields == 0)
        doctor_say(d, DOCTOR_CRITICAL,
                   "a test message reached assay-milter without its header\nno filter may stand before the milter");
    else if (strcmp(file, r.policy) != 0)
        doctor_say(d, DOCTOR_WARNING,
                   "a test message was judged by policy %s in %lld ms and dropped, but the file is policy "
                   "%s\nsystemctl reload "
                   "assay-milter",
                   r.policy, r.ms, file);
    else
        doctor_say(
            d, DOCTOR_OK,
            "a test message given to %s reached assay-milter, was judged by policy %s in %lld ms (%s) and dropped",
            where, r.policy, r.ms, r.would);
}

static void test_at(struct doctor *d, struct talk *t, const struct test_message *m, const char *where)
{
    const int64_t began = clock_mono_ms();

    if (talk_ask(d, t, m, where) && send_message(d, t, where))
        await_receipt(d, m, where, began);
    (void)talk_say(t, "QUIT\r\n");
}

/* Connects to the mail server. Returns false, after a finding, if none answers. */
static bool reach(struct doctor *d, struct talk *t, const char **where)
{
    static const char *const usual[] = {"127.0.0.1", "[::1]"};

    *where = d->smtp;
    t->fd = d->smtp ? connect_to(d, d->smtp) : -1;
    for (size_t i = 0; !d->smtp && t->fd < 0 && i < sizeof usual / sizeof *usual; i++)
        t->fd = connect_to(d, *where = usual[i]);
    if (t->fd < 0 && d->smtp)
        doctor_say(d, DOCTOR_CRITICAL, "no mail server answers at %s: %s\nstart it, or correct --smtp", *where,
                   strerror(errno));
    else if (t->fd < 0)
        doctor_say(d, DOCTOR_NOTE,
                   "no mail server answers on this host's loopback address, so no test message was sent; "
                   "--smtp HOST[:PORT] names another");
    return t->fd >= 0;
}

void doctor_message(struct doctor *d)
{
    struct talk *t = ARENA_NEW(d->arena, struct talk);
    struct test_message m;
    const char *where;

    if (!t)
        return;
    const enum status s = test_message_offer(d->state_dir, &m);
    if (s == STATUS_OK) /* the milter must see the secrets before it negotiates with the mail server */
        (void)poll(NULL, 0, TEST_MESSAGE_NOTICE_MS);
    if (reach(d, t, &where)) {
        if (s == STATUS_OK)
            test_at(d, t, &m, where);
        else
            doctor_say(d, DOCTOR_UNKNOWN,
                       "no test message was sent: the secrets for assay-milter cannot be written in %s (%s)\n%s",
                       d->state_dir, status_text(s),
                       geteuid() ? "run this as root" : "is assay-milter installed, and its state folder there?");
        close(t->fd);
    }
    if (s == STATUS_OK)
        test_message_withdraw(d->state_dir);
}
