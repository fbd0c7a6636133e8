// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_wire_connection.c - whole conversations of the milter protocol with our own engine: what the session is told and
 * what the MTA is answered, for protocol versions 2 to 6, steps without an answer, skip, unknown commands, macros of
 * each stage, new clients (SMFIC_QUIT_NC), commands out of their order, waiting for DNS, and refusals because a
 * limit is reached.
 */
#include "milter/wire/wire_connection.h"
#include "milter/wire/wire_flags.h"
#include "milter/wire/wire_reply.h"
#include "tests/unit/cm.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

/* What the session was told, one word each, and what it answers. */
static struct {
    char said[4096];
    enum mta_answer connect, helo, mail, rcpt, header_end, body, end;
    bool full, refuse_negotiation, silent_rcpt;
    unsigned sessions, pending;
} told;

static void told_say(const char *format, ...) PRINTF_LIKE(1, 2);
static void told_say(const char *format, ...)
{
    size_t n = strlen(told.said);
    va_list ap;

    va_start(ap, format);
    vsnprintf(told.said + n, sizeof told.said - n, format, ap);
    va_end(ap);
}

static const char *said(void)
{
    static char copy[sizeof told.said];

    memcpy(copy, told.said, sizeof copy);
    told.said[0] = 0;
    return copy;
}

static struct session *const a_session = (struct session *)(void *)&told;

static bool t_negotiate(unsigned long actions, unsigned long steps, unsigned long *use_actions,
                        unsigned long *use_steps)
{
    *use_actions = actions;
    *use_steps = steps & (WIRE_NO_REPLY_HEADER | WIRE_MAY_SKIP | WIRE_LEADING_SPACE | WIRE_NO_DATA | WIRE_NO_UNKNOWN);
    return !told.refuse_negotiation;
}

static bool t_answers_rcpt(void)
{
    return !told.silent_rcpt;
}

static const char *macro_or_none(struct mta *mta, const char *name)
{
    const char *value = mta->ops->macro(mta, name);
    return value ? value : "-";
}

static enum mta_answer t_connect(struct mta *mta, const char *host, const struct sockaddr *address,
                                 struct session **out)
{
    char text[INET6_ADDRSTRLEN] = "none";
    unsigned port = 0;

    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
        port = ntohs(in->sin_port);
    } else if (address && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)address;
        inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
        port = ntohs(in->sin6_port);
    } else if (address) {
        snprintf(text, sizeof text, "%.40s", ((const struct sockaddr_un *)(const void *)address)->sun_path);
    }
    told_say("connect(%s %s %u j=%s) ", host, text, port, macro_or_none(mta, "j"));
    *out = told.connect == MTA_CONTINUE ? a_session : NULL;
    told.sessions += *out != NULL;
    return told.connect;
}

static enum mta_answer t_helo(struct session *s, const char *name)
{
    told_say("helo(%s%s) ", name, s ? "" : " no session");
    return told.helo;
}

static enum mta_answer envelope(struct mta *mta, struct session *s, const char *const *args, const char *what,
                                enum mta_answer answer)
{
    static const char *const lines[] = {"50 % refused"};

    told_say("%s(", what);
    for (; *args; args++)
        told_say("%s ", *args);
    told_say("i=%s auth=%s%s) ", macro_or_none(mta, "i"), macro_or_none(mta, "{auth_authen}"), s ? "" : " no session");
    if (answer == MTA_REJECT)
        assert_true(mta->ops->reply(mta, "550", "5.7.1", lines, 1));
    return answer;
}

static enum mta_answer t_mail(struct mta *mta, struct session *s, const char *const *args)
{
    return envelope(mta, s, args, "mail", told.mail);
}

static enum mta_answer t_rcpt(struct mta *mta, struct session *s, const char *const *args)
{
    assert_false(mta->ops->insert_header(mta, "A", "b")); /* only at the end of a message */
    return envelope(mta, s, args, "rcpt", told.rcpt);
}

static void t_header(struct session *s, const char *name, const char *value)
{
    told_say("header(%s:%s) ", name, value);
}

static enum mta_answer t_header_end(struct session *s)
{
    told_say("eoh ");
    return told.header_end;
}

static enum mta_answer t_body(struct session *s, struct slice piece)
{
    told_say("body(%.*s) ", (int)piece.n, piece.p);
    return told.body;
}

static enum mta_answer t_end(struct mta *mta, struct session *s)
{
    static const char *const lines[] = {"no"};

    if (told.pending) {
        told.pending--;
        told_say("wait ");
        return MTA_PENDING;
    }
    told_say("end(i=%s) ", macro_or_none(mta, "i"));
    if (told.end == MTA_ACCEPT) {
        assert_true(mta->ops->change_header(mta, "X", 2, ""));
        assert_true(mta->ops->insert_header(mta, "A", " b"));
        assert_int_equal(mta->ops->quarantine(mta, "why"), true);
    } else if (told.end == MTA_TEMPFAIL) {
        assert_false(mta->ops->reply(mta, "451", "4.7", lines, 1)); /* no enhanced code: the MTA's own text is used */
    } else if (told.end == MTA_REJECT) {
        assert_true(mta->ops->reply(mta, "451", "4.7.1", lines, 1)); /* of the other class: not used */
    }
    return told.end;
}

static void t_abort(struct session *s)
{
    told_say("abort ");
}

static struct session *t_close(struct session *s)
{
    if (s) {
        told_say("close ");
        told.sessions--;
    }
    return NULL;
}

static const struct mta_macros macros[] = {{WIRE_STAGE_CONNECT, "j {daemon_name}"}, {WIRE_STAGE_END, "i"}};
static const struct mta_callbacks table = {macros, 2,        t_negotiate,  t_answers_rcpt, t_connect, t_helo,  t_mail,
                                           t_rcpt, t_header, t_header_end, t_body,         t_end,     t_abort, t_close};

static bool is_full(void)
{
    return told.full;
}

static const struct wire_host host = {.callbacks = &table, .memory_is_full = is_full};

static int set_up(void **state)
{
    memset(&told, 0, sizeof told);
    told.end = MTA_ACCEPT;
    return 0;
}

/* ---- an MTA ---- */

struct talk {
    struct wire_connection *c;
    struct buf in;
    bool octet_by_octet;
    enum wire_next next;
};

static struct talk talk_begin(bool refuse)
{
    return (struct talk){.c = wire_connection_new(&host, NULL, NULL, refuse), .in = BUF_INIT};
}

static void talk_finish(struct talk *t)
{
    wire_connection_free(t->c);
    buf_release(&t->in);
    assert_int_equal(told.sessions, 0);
}

/* Gives the octets as they come; what is not taken is given again with the next. */
static void talk_feed(struct talk *t, const char *octets, size_t n)
{
    const size_t step = t->octet_by_octet ? 1 : n;

    for (size_t at = 0; at < n && t->next == WIRE_NEXT_READ; at += step) {
        buf_add(&t->in, octets + at, step);
        char *copy = exact(t->in.p, t->in.n);
        struct slice in = slice_of(copy, t->in.n);
        t->next = wire_connection_read(t->c, &in);
        buf_reset(&t->in);
        buf_addslice(&t->in, in);
        free(copy);
    }
}

static void packet(struct talk *t, char letter, const char *data, size_t n)
{
    const size_t length = n + 1;
    struct buf b = BUF_INIT;
    const char head[5] = {(char)(length >> 24), (char)(length >> 16), (char)(length >> 8), (char)length, letter};

    buf_add(&b, head, sizeof head);
    buf_add(&b, data, n);
    talk_feed(t, b.p, b.n);
    buf_release(&b);
}

#define SEND(t, letter, data) packet(t, letter, data, sizeof(data) - 1)

static void negotiate(struct talk *t, uint32_t version, uint32_t actions, uint32_t steps)
{
    const uint32_t numbers[] = {htonl(version), htonl(actions), htonl(steps)};
    char data[12];

    memcpy(data, numbers, sizeof data);
    packet(t, 'O', data, sizeof data);
}

/* The letters of all answers since the last call, those with an SMTP reply followed by its text. */
static const char *talk_answers(struct talk *t)
{
    static char text[1024];
    struct slice rest = buf_slice(wire_connection_out(t->c));
    struct wire_command a;
    size_t n = 0;
    long used;

    while ((used = wire_command_first(rest, WIRE_DATA_64K, &a)) > 0) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%c%s%s", a.letter, a.letter == 'y' ? a.data.p : "",
                              a.letter == 'y' ? "|" : "");
        rest = slice_from(rest, (size_t)used);
    }
    assert_int_equal(rest.n, 0);
    text[n] = 0;
    buf_reset(wire_connection_out(t->c));
    return text;
}

#define ALL_STEPS 0x1fffffu
/* Of an MTA that waits for an answer at connect, at MAIL, and after each body chunk. */
#define ANSWERED_STEPS (ALL_STEPS & ~(WIRE_NO_REPLY_CONNECT | WIRE_NO_REPLY_MAIL | WIRE_NO_REPLY_BODY))

static void to_rcpt(struct talk *t, uint32_t steps)
{
    negotiate(t, 6, 0x1ff, steps);
    SEND(t, 'D', "Cj\0mx.example\0");
    SEND(t, 'C',
         "host\0004\x30\x39"
         "192.0.2.1\0");
    SEND(t, 'H', "helo.example\0");
    SEND(t, 'M', "<a@x.example>\0SIZE=1\0");
    SEND(t, 'R', "<b@y.example>\0");
}

static void whole_mail(void **state)
{
    for (int bytes = 0; bytes < 2; bytes++) {
        struct talk t = talk_begin(false);
        t.octet_by_octet = bytes;
        to_rcpt(&t, ANSWERED_STEPS);
        assert_string_equal(said(), "connect(host 192.0.2.1 12345 j=mx.example) helo(helo.example) "
                                    "mail(<a@x.example> SIZE=1 i=- auth=-) rcpt(<b@y.example> i=- auth=-) ");
        SEND(&t, 'L', "Subject\0 hi\0");
        SEND(&t, 'N', "");
        SEND(&t, 'B', "text");
        SEND(&t, 'D', "Ei\0004Q\0");
        SEND(&t, 'E', "");
        assert_string_equal(said(), "header(Subject: hi) eoh body(text) end(i=4Q) ");
        /* Negotiation, connect, MAIL, RCPT, body; the edits and their order. HELO, fields and their end: no answer. */
        assert_string_equal(talk_answers(&t), "Occccmiqa");
        assert_int_equal(t.next, WIRE_NEXT_READ);
        SEND(&t, 'Q', "");
        assert_int_equal(t.next, WIRE_NEXT_CLOSE);
        assert_null(wire_connection_fault(t.c));
        talk_finish(&t);
        assert_string_equal(said(), "close ");
    }
}

static void many_commands_in_one_read(void **state)
{
    static const char stream[] = "\0\0\0\x0dO\0\0\0\6\0\0\1\xff\0\x1f\xff\xff"
                                 "\0\0\0\7Chost\0U"
                                 "\0\0\0\5Hmx1\0"
                                 "\0\0\0\4M<>\0"
                                 "\0\0\0\5R<b>\0"
                                 "\0\0\0\1N\0\0\0\1E\0\0"; /* of an MTA that offers all */
    struct talk t = talk_begin(false);

    talk_feed(&t, stream, sizeof stream - 1);
    assert_string_equal(said(), "connect(host none 0 j=-) helo(mx1) mail(<> i=- auth=-) rcpt(<b> i=- auth=-) eoh "
                                "end(i=-) ");
    assert_string_equal(talk_answers(&t), "Ocmiqa");
    assert_int_equal(t.in.n, 2); /* the start of the next packet */
    talk_finish(&t);
}

/* What an MTA of an older version cannot do is not asked of it, and each step is answered. */
static void versions_2_to_6(void **state)
{
    for (uint32_t version = 2; version <= 6; version++) {
        struct talk t = talk_begin(false);
        struct wire_command o;
        struct wire_options got;
        negotiate(&t, version, version < 6 ? 0x3f : 0x1ff, version < 6 ? 0x7f : ALL_STEPS);
        assert_true(wire_command_first(buf_slice(wire_connection_out(t.c)), WIRE_DATA_64K, &o) > 0);
        assert_true(wire_read_options(o.data, &got));
        assert_int_equal(got.version, version);
        assert_int_equal(got.protocol & ~(version < 6 ? 0x7fu : ALL_STEPS), 0);
        assert_int_equal(o.data.n > 12, version == 6); /* names of macros only where they were offered */
        talk_answers(&t);
        SEND(&t, 'C', "host\0U");
        SEND(&t, 'H', "h\0");
        SEND(&t, 'M', "<>\0");
        SEND(&t, 'R', "<b>\0");
        SEND(&t, 'L', "A\0 b\0");
        SEND(&t, 'N', "");
        assert_string_equal(talk_answers(&t), version < 6 ? "cccccc" : "c");
        talk_finish(&t);
        said();
    }
    struct talk t = talk_begin(false);
    negotiate(&t, 1, 0xf, 0x3f);
    assert_int_equal(t.next, WIRE_NEXT_CLOSE);
    talk_finish(&t);
    t = talk_begin(false); /* a later one gets 6 */
    negotiate(&t, 7, 0x1ff, ANSWERED_STEPS);
    assert_int_equal(wire_connection_out(t.c)->p[8], 6);
    talk_finish(&t);
    t = talk_begin(false); /* no bits at all: those of the first version */
    negotiate(&t, 2, 0, 0);
    assert_int_equal(wire_connection_out(t.c)->p[12], 0xf);
    talk_finish(&t);
    told.refuse_negotiation = true;
    t = talk_begin(false);
    negotiate(&t, 6, 0x1ff, ANSWERED_STEPS);
    assert_int_equal(t.next, WIRE_NEXT_CLOSE);
    assert_string_equal(talk_answers(&t), "");
    talk_finish(&t);
}

static void skip_where_the_mta_knows_it(void **state)
{
    struct talk t = talk_begin(false);
    told.body = MTA_SKIP;
    to_rcpt(&t, ANSWERED_STEPS);
    talk_answers(&t);
    SEND(&t, 'B', "one");
    SEND(&t, 'E', "two");
    assert_string_equal(talk_answers(&t), "smiqa");
    talk_finish(&t);
    t = talk_begin(false);
    told.said[0] = 0;
    to_rcpt(&t, ANSWERED_STEPS & ~WIRE_MAY_SKIP);
    talk_answers(&t);
    SEND(&t, 'B', "one");
    SEND(&t, 'E', "");
    assert_string_equal(talk_answers(&t), "cmiqa");
    talk_finish(&t);
}

static void unknown_commands_and_data(void **state)
{
    struct talk t = talk_begin(false);
    negotiate(&t, 6, 0x1ff, ANSWERED_STEPS & ~(WIRE_NO_UNKNOWN | WIRE_NO_DATA));
    SEND(&t, 'C', "host\0L\0\0/run/x\0");
    SEND(&t, 'U', "XYZZY\0");
    SEND(&t, 'H', "h\0");
    SEND(&t, 'U', "XYZZY\0");
    SEND(&t, 'M', "<>\0");
    SEND(&t, 'R', "<b>\0");
    SEND(&t, 'T', "");
    SEND(&t, 'L', "A\0 b\0");
    SEND(&t, 'E', ""); /* it may not come before the end of the fields: the message is ended, without an answer */
    assert_string_equal(talk_answers(&t), "Occcccc");
    assert_string_equal(said(), "connect(host /run/x 0 j=-) helo(h) mail(<> i=- auth=-) rcpt(<b> i=- auth=-) "
                                "header(A: b) abort ");
    SEND(&t, 'M', "<>\0");
    assert_string_equal(talk_answers(&t), "c");
    talk_finish(&t);
}

static void macros_of_each_stage(void **state)
{
    struct talk t = talk_begin(false);
    negotiate(&t, 6, 0x1ff, ANSWERED_STEPS);
    SEND(&t, 'D', "C{j}\0mx\0i\0C\0");
    SEND(&t, 'C', "host\0U");
    SEND(&t, 'D', "H{auth_authen}\0early\0");
    SEND(&t, 'H', "h\0");
    SEND(&t, 'D', "M{auth_authen}\0ann\0i\0M\0");
    SEND(&t, 'M', "<>\0");
    SEND(&t, 'D', "Ri\0R\0");
    SEND(&t, 'R', "<b>\0");
    SEND(&t, 'D', "U{x}\0for no stage\0");
    SEND(&t, 'D', "R"); /* none: those before stay */
    SEND(&t, 'R', "<c>\0");
    SEND(&t, 'D', "Ti\0T\0");
    SEND(&t, 'D', "Ni\0N\0");
    SEND(&t, 'N', "");
    SEND(&t, 'D', "Ei\0E\0");
    SEND(&t, 'E', ""); /* the end of the header hides it: it comes later in the protocol's own order */
    assert_string_equal(said(), "connect(host none 0 j=mx) helo(h) mail(<> i=M auth=ann) rcpt(<b> i=R auth=ann) "
                                "rcpt(<c> i=R auth=ann) eoh end(i=N) ");
    SEND(&t, 'M', "<>\0"); /* the next mail has MAIL's of the one before, and none of later stages */
    assert_string_equal(said(), "mail(<> i=M auth=ann) ");
    SEND(&t, 'H', "h\0"); /* HELO out of its order ends the message, and forgets MAIL's */
    SEND(&t, 'M', "<>\0");
    assert_string_equal(said(), "abort helo(h) mail(<> i=C auth=early) ");
    SEND(&t, 'D', "Ri\0no value");
    assert_string_equal(wire_connection_fault(t.c), "SMFIC_MACRO is malformed");
    talk_finish(&t);
}

static void new_client_on_the_same_connection(void **state)
{
    struct talk t = talk_begin(false);
    to_rcpt(&t, ANSWERED_STEPS);
    said();
    SEND(&t, 'K', ""); /* in the middle of a message */
    assert_string_equal(said(), "close ");
    SEND(&t, 'C',
         "other\0"
         "6\0\x19IPv6:2001:db8::1\0");
    SEND(&t, 'M', "<>\0");
    assert_string_equal(said(), "connect(other 2001:db8::1 25 j=-) mail(<> i=- auth=-) ");
    assert_string_equal(talk_answers(&t), "Occccc");
    talk_finish(&t);
}

static void refusals(void **state)
{
    struct talk t = talk_begin(false);
    told.rcpt = MTA_REJECT;
    to_rcpt(&t, ANSWERED_STEPS);
    assert_string_equal(talk_answers(&t), "Occy550 5.7.1 50 %% refused|");
    told.rcpt = MTA_CONTINUE;
    SEND(&t, 'R', "<c>\0"); /* the other recipients go on */
    told.header_end = MTA_TEMPFAIL;
    said();
    SEND(&t, 'N', ""); /* no answer: the message is forgotten, and its body is refused */
    assert_string_equal(said(), "eoh abort ");
    told.body = MTA_TEMPFAIL;
    SEND(&t, 'B', "x");
    assert_string_equal(talk_answers(&t), "ct");
    told.mail = MTA_REJECT;
    SEND(&t, 'M', "<>\0");
    told.mail = MTA_CONTINUE;
    SEND(&t, 'R', "<c>\0"); /* no message: not answered */
    SEND(&t, 'M', "<>\0");
    SEND(&t, 'R', "<c>\0");
    told.end = MTA_TEMPFAIL;
    SEND(&t, 'E', "x");
    told.body = MTA_CONTINUE;
    SEND(&t, 'M', "<>\0");
    SEND(&t, 'R', "<c>\0");
    SEND(&t, 'E', "x");
    assert_string_equal(talk_answers(&t), "y550 5.7.1 50 %% refused|cctcct");
    told.end = MTA_REJECT;
    SEND(&t, 'M', "<>\0");
    SEND(&t, 'R', "<c>\0");
    SEND(&t, 'E', "");
    told.end = MTA_DISCARD;
    SEND(&t, 'M', "<>\0");
    SEND(&t, 'R', "<c>\0");
    SEND(&t, 'E', "");
    assert_string_equal(talk_answers(&t), "ccrccd");
    talk_finish(&t);
}

static void helo_that_cannot_be_kept(void **state)
{
    struct talk t = talk_begin(false);
    told.helo = MTA_TEMPFAIL;
    to_rcpt(&t, ANSWERED_STEPS);
    assert_non_null(strstr(said(), "helo(helo.example) close mail(<a@x.example> SIZE=1 i=- auth=- no session) "));
    talk_finish(&t);
    t = talk_begin(false); /* with an answer, where the MTA waits for one */
    to_rcpt(&t, ANSWERED_STEPS & ~WIRE_NO_REPLY_HELO);
    assert_string_equal(talk_answers(&t), "Octcc");
    talk_finish(&t);
    t = talk_begin(false);
    told.helo = MTA_CONTINUE;
    told.header_end = MTA_TEMPFAIL;
    to_rcpt(&t, ANSWERED_STEPS & ~WIRE_NO_REPLY_HEADER_END);
    SEND(&t, 'N', "");
    assert_string_equal(talk_answers(&t), "Occct");
    talk_finish(&t);
}

static void listeners_that_are_not_judged(void **state)
{
    struct talk t = talk_begin(false);
    told.connect = MTA_ACCEPT;
    to_rcpt(&t, ANSWERED_STEPS);
    assert_string_equal(talk_answers(&t), "Oacc");
    assert_non_null(strstr(said(), "no session"));
    talk_finish(&t);
}

/* An MTA that waits neither at connect nor for body chunks gets one answer each to MAIL, RCPT and the end. */
static void steps_without_an_answer(void **state)
{
    for (int bytes = 0; bytes < 2; bytes++) {
        struct talk t = talk_begin(false);
        t.octet_by_octet = bytes;
        to_rcpt(&t, ALL_STEPS);
        SEND(&t, 'L', "Subject\0 hi\0");
        SEND(&t, 'N', "");
        told.body = MTA_SKIP; /* cannot be said */
        SEND(&t, 'B', "one");
        told.body = MTA_CONTINUE;
        SEND(&t, 'B', "two");
        said();
        SEND(&t, 'E', "three");
        assert_string_equal(said(), "body(three) end(i=-) ");
        assert_string_equal(talk_answers(&t), "Ocmiqa");
        talk_finish(&t);
        said();
    }
}

/* A refusal at MAIL is said to each recipient, with its words, and to no recipient of the next message or client. */
static void what_mail_could_not_say(void **state)
{
    for (int next = 0; next < 4; next++) {
        struct talk t = talk_begin(false);
        told.mail = MTA_REJECT;
        to_rcpt(&t, ALL_STEPS);
        SEND(&t, 'R', "<c>\0");
        assert_string_equal(talk_answers(&t), "Oy550 5.7.1 50 %% refused|y550 5.7.1 50 %% refused|");
        assert_null(strstr(said(), "rcpt("));
        told.mail = MTA_CONTINUE;
        told.rcpt = MTA_TEMPFAIL;
        if (next == 1)
            SEND(&t, 'A', "");
        if (next == 2)
            SEND(&t, 'H', "h\0");
        if (next == 3) {
            SEND(&t, 'K', "");
            SEND(&t, 'C', "host\0U");
        }
        SEND(&t, 'M', "<>\0");
        SEND(&t, 'R', "<b>\0");
        told.rcpt = MTA_CONTINUE;
        SEND(&t, 'R', "<c>\0");
        assert_string_equal(talk_answers(&t), "tc"); /* "t": nothing is left of the words that refused MAIL */
        talk_finish(&t);
        said();
    }
    struct talk t = talk_begin(false);
    told.mail = MTA_TEMPFAIL;
    to_rcpt(&t, ALL_STEPS);
    assert_string_equal(talk_answers(&t), "Ot");
    talk_finish(&t);
    t = talk_begin(false); /* above milter.memory at MAIL alone: no message has begun, and no recipient is accepted */
    told.mail = MTA_CONTINUE;
    negotiate(&t, 6, 0x1ff, ALL_STEPS);
    SEND(&t, 'C', "host\0U");
    told.full = true;
    SEND(&t, 'M', "<>\0");
    told.full = false;
    said();
    SEND(&t, 'R', "<b>\0");
    assert_string_equal(said(), "");
    assert_string_equal(talk_answers(&t), "Ot");
    talk_finish(&t);
}

/* What could not be said at connect is said at RCPT: to the next clients, too, and no more after another connect. */
static void what_connect_could_not_say(void **state)
{
    struct talk t = talk_begin(false);
    told.connect = MTA_ACCEPT; /* a listener that is not judged */
    to_rcpt(&t, ALL_STEPS);
    assert_string_equal(talk_answers(&t), "Oa");
    SEND(&t, 'M', "<>\0");
    SEND(&t, 'R', "<b>\0");
    assert_string_equal(talk_answers(&t), "a");
    said();
    SEND(&t, 'K', "");
    told.connect = MTA_CONTINUE;
    SEND(&t, 'C', "host\0U");
    SEND(&t, 'M', "<>\0");
    SEND(&t, 'R', "<b>\0");
    assert_string_equal(talk_answers(&t), "c");
    assert_string_equal(said(), "connect(host none 0 j=-) mail(<> i=- auth=-) rcpt(<b> i=- auth=-) ");
    talk_finish(&t);
    t = talk_begin(false); /* where HELO is answered, it is said there */
    told.connect = MTA_ACCEPT;
    to_rcpt(&t, ALL_STEPS & ~WIRE_NO_REPLY_HELO);
    assert_string_equal(talk_answers(&t), "Oaa");
    talk_finish(&t);
    t = talk_begin(false); /* no memory: there is no session, and each recipient is told so */
    told.connect = told.mail = MTA_TEMPFAIL;
    said();
    to_rcpt(&t, ALL_STEPS);
    assert_string_equal(talk_answers(&t), "Ot");
    assert_non_null(strstr(said(), "no session"));
    talk_finish(&t);
    t = talk_begin(true); /* above milter.connections: connect keeps its answer */
    negotiate(&t, 6, 0x1ff, ALL_STEPS);
    SEND(&t, 'C', "host\0U");
    assert_string_equal(talk_answers(&t), "Ot");
    talk_finish(&t);
}

static void to_end(struct talk *t)
{
    SEND(t, 'L', "Subject\0 hi\0");
    SEND(t, 'N', "");
    SEND(t, 'B', "text");
    SEND(t, 'E', "");
}

/* Where the MTA does not wait at RCPT either, the first answer is the end's, and says what MAIL and RCPT could not: of
 * the whole mail, with its words, and not of the next mail or client. */
static void what_rcpt_could_not_say(void **state)
{
    static const struct {
        enum mta_answer connect, mail, rcpt;
        bool full;
        const char *says;
    } cases[] = {
        {MTA_CONTINUE, MTA_CONTINUE, MTA_CONTINUE, false, "miqa"},
        {MTA_CONTINUE, MTA_REJECT, MTA_CONTINUE, false, "y550 5.7.1 50 %% refused|"},
        {MTA_CONTINUE, MTA_TEMPFAIL, MTA_CONTINUE, false, "t"},
        {MTA_CONTINUE, MTA_CONTINUE, MTA_REJECT, false, "y550 5.7.1 50 %% refused|"},
        {MTA_CONTINUE, MTA_CONTINUE, MTA_TEMPFAIL, false, "t"},
        {MTA_CONTINUE, MTA_CONTINUE, MTA_CONTINUE, true, "t"},
        {MTA_TEMPFAIL, MTA_TEMPFAIL, MTA_CONTINUE, false, "t"},
        {MTA_ACCEPT, MTA_CONTINUE, MTA_CONTINUE, false, "a"},
    };

    told.silent_rcpt = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct talk t = talk_begin(false);
        t.octet_by_octet = i % 2;
        negotiate(&t, 6, 0x1ff, ALL_STEPS);
        assert_string_equal(talk_answers(&t), "O");
        told.connect = cases[i].connect;
        SEND(&t, 'C', "host\0U");
        told.mail = cases[i].mail;
        SEND(&t, 'M', "<>\0");
        SEND(&t, 'R', "<b>\0");
        told.rcpt = cases[i].rcpt;
        told.full = cases[i].full;
        SEND(&t, 'R', "<c>\0");
        told.rcpt = MTA_CONTINUE; /* does not take back what the recipient before got */
        told.full = false;
        SEND(&t, 'R', "<d>\0");
        assert_string_equal(talk_answers(&t), "");
        to_end(&t);
        assert_string_equal(talk_answers(&t), cases[i].says);
        assert_int_equal(strstr(said(), "end(") != NULL, strchr(cases[i].says, 'i') != NULL);
        told.connect = told.mail = MTA_CONTINUE;
        SEND(&t, 'K', "");
        SEND(&t, 'C', "host\0U");
        SEND(&t, 'M', "<>\0");
        SEND(&t, 'R', "<b>\0");
        to_end(&t);
        assert_string_equal(talk_answers(&t), "miqa");
        talk_finish(&t);
        said();
    }
    told.silent_rcpt = false;
}

/* Once a mail is decided, the session keeps nothing of it, though the MTA still sends all: its header and body would
 * use memory beyond milter.memory, which is what the mail may be refused for. */
static void nothing_is_kept_of_a_decided_mail(void **state)
{
    struct talk t = talk_begin(false);

    told.silent_rcpt = true;
    negotiate(&t, 6, 0x1ff, ALL_STEPS);
    SEND(&t, 'C', "host\0U");
    SEND(&t, 'M', "<>\0");
    talk_answers(&t);
    said();
    told.full = true;
    SEND(&t, 'R', "<b>\0");
    told.full = false;
    assert_string_equal(said(), "abort ");
    SEND(&t, 'R', "<c>\0");
    to_end(&t);
    assert_string_equal(said(), "");
    assert_string_equal(talk_answers(&t), "t");
    told.mail = MTA_REJECT;
    SEND(&t, 'M', "<>\0");
    assert_non_null(strstr(said(), "abort "));
    SEND(&t, 'R', "<b>\0");
    to_end(&t);
    assert_string_equal(said(), "");
    assert_string_equal(talk_answers(&t), "y550 5.7.1 50 %% refused|");
    told.mail = MTA_CONTINUE;
    told.silent_rcpt = false;
    talk_finish(&t);
}

/* The words that one client's mail was refused by are not another client's. */
static void the_next_client_has_words_of_its_own(void **state)
{
    struct talk t = talk_begin(false);

    told.silent_rcpt = true;
    negotiate(&t, 6, 0x1ff, ALL_STEPS & ~WIRE_NO_REPLY_CONNECT);
    SEND(&t, 'C', "host\0U");
    SEND(&t, 'M', "<>\0");
    told.rcpt = MTA_REJECT;
    SEND(&t, 'R', "<b>\0");
    to_end(&t);
    assert_string_equal(talk_answers(&t), "Ocy550 5.7.1 50 %% refused|");
    SEND(&t, 'K', "");
    told.connect = MTA_REJECT;
    SEND(&t, 'C', "host\0U");
    assert_string_equal(talk_answers(&t), "r");
    told.connect = told.rcpt = MTA_CONTINUE;
    told.silent_rcpt = false;
    talk_finish(&t);
    said();
}

/* An MTA that waits at a step after RCPT hears there what RCPT could not say, and no other answer. */
static void the_first_answer_after_rcpt(void **state)
{
    static const struct {
        uint32_t waits;
        enum mta_answer connect, rcpt;
        const char *says;
    } cases[] = {
        {WIRE_NO_REPLY_HEADER_END, MTA_CONTINUE, MTA_REJECT, "cy550 5.7.1 50 %% refused|"},
        {WIRE_NO_REPLY_BODY, MTA_CONTINUE, MTA_REJECT, "cy550 5.7.1 50 %% refused|"},
        {WIRE_NO_REPLY_HEADER_END, MTA_ACCEPT, MTA_CONTINUE, "ca"},
        {WIRE_NO_REPLY_BODY, MTA_ACCEPT, MTA_CONTINUE, "ca"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct talk t = talk_begin(false);
        told.silent_rcpt = true;
        negotiate(&t, 6, 0x1ff, ALL_STEPS & ~(cases[i].waits | WIRE_NO_REPLY_HEADER));
        talk_answers(&t);
        told.connect = cases[i].connect;
        SEND(&t, 'C', "host\0U");
        SEND(&t, 'M', "<>\0");
        told.rcpt = cases[i].rcpt;
        SEND(&t, 'R', "<b>\0");
        to_end(&t);
        assert_string_equal(talk_answers(&t), cases[i].says);
        assert_null(strstr(said(), "header"));
        told.connect = told.rcpt = MTA_CONTINUE;
        told.silent_rcpt = false;
        talk_finish(&t);
        said();
    }
}

/* The MTA waits at RCPT if it cannot do otherwise, if it is wanted, if memory is full, or above milter.connections. */
static void who_waits_at_rcpt(void **state)
{
    for (int i = 0; i < 5; i++) {
        struct talk t = talk_begin(i == 3);
        told.silent_rcpt = i != 1;
        told.full = i == 2;
        negotiate(&t, 6, 0x1ff, i == 0 ? ALL_STEPS & ~WIRE_NO_REPLY_RCPT : ALL_STEPS);
        told.full = told.silent_rcpt = false;
        SEND(&t, 'C', "host\0U");
        assert_string_equal(talk_answers(&t), i == 3 ? "Ot" : "O");
        SEND(&t, 'M', "<>\0");
        SEND(&t, 'R', "<b>\0");
        if (i != 3)
            assert_string_equal(talk_answers(&t), i < 3 ? "c" : "");
        talk_finish(&t);
        said();
    }
}

static void a_body_that_cannot_be_kept(void **state)
{
    struct talk t = talk_begin(false);
    to_rcpt(&t, ALL_STEPS);
    SEND(&t, 'N', "");
    said();
    told.body = told.end = MTA_TEMPFAIL;
    SEND(&t, 'B', "x");
    told.body = MTA_CONTINUE;
    SEND(&t, 'B', "y");
    SEND(&t, 'E', "");
    assert_string_equal(said(), "body(x) abort body(y) end(i=-) ");
    assert_string_equal(talk_answers(&t), "Oct");
    talk_finish(&t);
}

static void no_room(void **state)
{
    struct talk t = talk_begin(true); /* above milter.connections: at connect, never silence and never accept */
    negotiate(&t, 6, 0x1ff, ANSWERED_STEPS);
    SEND(&t, 'C', "host\0U");
    assert_string_equal(talk_answers(&t), "Ot");
    assert_string_equal(said(), "");
    talk_finish(&t);
    t = talk_begin(false); /* above milter.memory: before the content is sent */
    told.full = true;
    to_rcpt(&t, ANSWERED_STEPS);
    assert_string_equal(talk_answers(&t), "Oct");
    told.full = false;
    SEND(&t, 'M', "<>\0");
    told.full = true;
    SEND(&t, 'R', "<c>\0");
    assert_string_equal(talk_answers(&t), "ct");
    talk_finish(&t);
}

static void waiting_for_dns(void **state)
{
    struct talk t = talk_begin(false);
    to_rcpt(&t, ANSWERED_STEPS);
    talk_answers(&t);
    said();
    told.pending = 3;
    static const char end_and_next[] = "\0\0\0\1E\0\0\0\4M<>\0";
    talk_feed(&t, end_and_next, sizeof end_and_next - 1);
    assert_int_equal(t.next, WIRE_NEXT_WAIT);
    assert_int_equal(t.in.n, 8); /* the next message stays where it is */
    wire_connection_progress(t.c);
    assert_int_equal(wire_connection_resume(t.c), WIRE_NEXT_WAIT);
    assert_int_equal(wire_connection_resume(t.c), WIRE_NEXT_WAIT);
    assert_string_equal(talk_answers(&t), "p");
    assert_int_equal(wire_connection_resume(t.c), WIRE_NEXT_READ);
    assert_string_equal(talk_answers(&t), "miqa");
    t.next = WIRE_NEXT_READ;
    talk_feed(&t, "", 0);
    SEND(&t, 'R', "<b>\0");
    assert_string_equal(said(), "wait wait wait end(i=-) mail(<> i=- auth=-) rcpt(<b> i=- auth=-) ");
    told.pending = 1; /* hung up while waiting */
    SEND(&t, 'E', "");
    assert_int_equal(t.next, WIRE_NEXT_WAIT);
    talk_finish(&t);
}

static void abort_and_what_may_follow(void **state)
{
    struct talk t = talk_begin(false);
    SEND(&t, 'A', ""); /* before anything: nothing to end */
    to_rcpt(&t, ANSWERED_STEPS);
    assert_string_equal(talk_answers(&t), "ccc"); /* neither negotiation nor a client may come any more */
    assert_string_equal(said(), "helo(helo.example no session) mail(<a@x.example> SIZE=1 i=- auth=- no session) "
                                "rcpt(<b@y.example> i=- auth=- no session) ");
    SEND(&t, 'L', "A\0 b\0");
    assert_string_equal(talk_answers(&t), ""); /* nobody has agreed on an answer to fields */
    talk_finish(&t);
    t = talk_begin(false);
    to_rcpt(&t, ANSWERED_STEPS);
    said();
    SEND(&t, 'A', "");
    SEND(&t, 'A', "");
    SEND(&t, 'M', "<>\0");
    SEND(&t, 'M', "<>\0"); /* without an abort between */
    assert_string_equal(said(), "abort abort mail(<> i=- auth=-) abort mail(<> i=- auth=-) ");
    assert_string_equal(talk_answers(&t), "Occccc");
    SEND(&t, 'C', "again\0U"); /* one client a connection */
    assert_string_equal(said(), "abort ");
    assert_string_equal(talk_answers(&t), "");
    talk_finish(&t);
}

static void what_is_not_the_protocol_closes(void **state)
{
    static const struct {
        char letter;
        const char *data;
        size_t n;
    } cases[] = {
        {'H', "", 0},
        {'H', "x", 1},
        {'Z', "", 0},
        {'D', "", 0},
        {'O', "short", 5},
        {'C', "host\0", 5},
        {'C',
         "host\0004\0\x19"
         "1.2.3\0",
         13},
        {'C',
         "host\0006\0\x19"
         "1.2.3.4\0",
         15},
        {'M', "<>", 2},
        {'M', "", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct talk t = talk_begin(false);
        if (cases[i].letter != 'O')
            negotiate(&t, 6, 0x1ff, ANSWERED_STEPS);
        if (cases[i].letter != 'O' && cases[i].letter != 'C')
            SEND(&t, 'C', "host\0U");
        packet(&t, cases[i].letter, cases[i].data, cases[i].n);
        assert_int_equal(t.next, WIRE_NEXT_CLOSE);
        assert_non_null(wire_connection_fault(t.c));
        talk_finish(&t);
    }
}

static void what_is_too_long_or_empty_closes(void **state)
{
    char path[5 + 3 + 200];
    struct talk t = talk_begin(false);

    negotiate(&t, 6, 0x1ff, ANSWERED_STEPS);
    memset(path, 'p', sizeof path);
    memcpy(path, "host\0L\0\0", 8);
    path[sizeof path - 1] = 0; /* longer than a socket's path can be */
    packet(&t, 'C', path, sizeof path);
    assert_int_equal(t.next, WIRE_NEXT_CLOSE);
    talk_finish(&t);
    t = talk_begin(false);
    talk_feed(&t, "\0\0\0\0", 4);
    assert_int_equal(t.next, WIRE_NEXT_CLOSE);
    talk_finish(&t);
    t = talk_begin(false);
    to_rcpt(&t, ANSWERED_STEPS);
    SEND(&t, 'L', "\0 v\0"); /* a field without a name */
    assert_int_equal(t.next, WIRE_NEXT_CLOSE);
    talk_finish(&t);
    t = talk_begin(false);
    to_rcpt(&t, ANSWERED_STEPS);
    memset(path, 0, 66); /* 66 empty texts */
    packet(&t, 'R', path, 66);
    assert_int_equal(t.next, WIRE_NEXT_CLOSE);
    talk_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(whole_mail, set_up),
        cmocka_unit_test_setup(many_commands_in_one_read, set_up),
        cmocka_unit_test_setup(versions_2_to_6, set_up),
        cmocka_unit_test_setup(skip_where_the_mta_knows_it, set_up),
        cmocka_unit_test_setup(unknown_commands_and_data, set_up),
        cmocka_unit_test_setup(macros_of_each_stage, set_up),
        cmocka_unit_test_setup(new_client_on_the_same_connection, set_up),
        cmocka_unit_test_setup(refusals, set_up),
        cmocka_unit_test_setup(helo_that_cannot_be_kept, set_up),
        cmocka_unit_test_setup(listeners_that_are_not_judged, set_up),
        cmocka_unit_test_setup(steps_without_an_answer, set_up),
        cmocka_unit_test_setup(what_mail_could_not_say, set_up),
        cmocka_unit_test_setup(what_connect_could_not_say, set_up),
        cmocka_unit_test_setup(what_rcpt_could_not_say, set_up),
        cmocka_unit_test_setup(nothing_is_kept_of_a_decided_mail, set_up),
        cmocka_unit_test_setup(the_first_answer_after_rcpt, set_up),
        cmocka_unit_test_setup(the_next_client_has_words_of_its_own, set_up),
        cmocka_unit_test_setup(who_waits_at_rcpt, set_up),
        cmocka_unit_test_setup(a_body_that_cannot_be_kept, set_up),
        cmocka_unit_test_setup(no_room, set_up),
        cmocka_unit_test_setup(waiting_for_dns, set_up),
        cmocka_unit_test_setup(abort_and_what_may_follow, set_up),
        cmocka_unit_test_setup(what_is_not_the_protocol_closes, set_up),
        cmocka_unit_test_setup(what_is_too_long_or_empty_closes, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
