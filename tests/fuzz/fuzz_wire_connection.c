// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_wire_connection.c - any octets as an MTA's conversation with our own engine of the milter protocol: whole and
 * octet by octet give the same answers; each answer is a whole packet; nothing is told to a session that is not there;
 * header fields are changed only at the end of a message, and a session is closed once.
 */
#include "milter/wire/wire_connection.h"
#include "milter/wire/wire_flags.h"
#include "milter/wire/wire_reply.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_holds(bool holds)
{
    if (!holds)
        __builtin_trap();
}

/* A session that answers by what it is told, so that the octets choose among all answers. */
struct session {
    uint32_t sum;
    bool in_message;
};

static void session_hear(struct session *s, const char *text)
{
    for (; s && *text; text++)
        s->sum = s->sum * 31 + (unsigned char)*text;
}

static enum mta_answer answer_choose(const struct session *s)
{
    static const enum mta_answer all[] = {MTA_CONTINUE, MTA_CONTINUE, MTA_CONTINUE, MTA_CONTINUE,
                                          MTA_REJECT,   MTA_TEMPFAIL, MTA_ACCEPT,   MTA_DISCARD};
    return s ? all[s->sum % (sizeof all / sizeof *all)] : MTA_TEMPFAIL;
}

static bool f_negotiate(unsigned long actions, unsigned long steps, unsigned long *use_actions,
                        unsigned long *use_steps)
{
    *use_actions =
        actions & (WIRE_MAY_ADD_HEADERS | WIRE_MAY_CHANGE_HEADERS | WIRE_MAY_QUARANTINE | WIRE_MAY_SET_SYMBOLS);
    *use_steps = steps & (WIRE_NO_REPLY_HEADER | WIRE_MAY_SKIP | WIRE_LEADING_SPACE);
    return steps != 1;
}

static bool silent;

static bool f_answers_rcpt(void)
{
    return !silent;
}

static enum mta_answer f_connect(struct mta *mta, const char *host, const struct sockaddr *address,
                                 struct session **out)
{
    const char *j = mta->ops->macro(mta, "j");

    *out = NULL;
    if (host[0] == 'x')
        return MTA_ACCEPT;
    *out = calloc(1, sizeof **out);
    session_hear(*out, host);
    session_hear(*out, j ? j : "");
    return MTA_CONTINUE;
}

static enum mta_answer f_helo(struct session *s, const char *name)
{
    session_hear(s, name);
    return answer_choose(s) == MTA_TEMPFAIL ? MTA_TEMPFAIL : MTA_CONTINUE;
}

static enum mta_answer mta_refuse(struct mta *mta, enum mta_answer a)
{
    static const char *const lines[] = {"50 % of", "it"};

    check_holds(!mta->ops->insert_header(mta, "A", " b") && !mta->ops->quarantine(mta, "why"));
    if (a == MTA_REJECT)
        check_holds(mta->ops->reply(mta, "550", "5.7.1", lines, 2));
    return a;
}

static enum mta_answer f_mail(struct mta *mta, struct session *s, const char *const *args)
{
    for (; *args; args++)
        session_hear(s, *args);
    if (s)
        s->in_message = true;
    return mta_refuse(mta, answer_choose(s));
}

static enum mta_answer f_rcpt(struct mta *mta, struct session *s, const char *const *args)
{
    const char *i = mta->ops->macro(mta, "i");

    session_hear(s, i ? i : "");
    session_hear(s, *args ? *args : "");
    return mta_refuse(mta, answer_choose(s));
}

static void f_header(struct session *s, const char *name, const char *value)
{
    check_holds(*name != 0);
    session_hear(s, value);
}

static enum mta_answer f_header_end(struct session *s)
{
    return answer_choose(s) == MTA_TEMPFAIL ? MTA_TEMPFAIL : MTA_CONTINUE;
}

static enum mta_answer f_body(struct session *s, struct slice piece)
{
    for (size_t i = 0; s && i < piece.n; i++)
        s->sum += (unsigned char)piece.p[i];
    return s ? (s->sum % 5 ? MTA_CONTINUE : MTA_SKIP) : MTA_TEMPFAIL;
}

static enum mta_answer f_end(struct mta *mta, struct session *s)
{
    if (s && mta->arrived && s->sum % 3) {
        s->sum /= 3;
        return MTA_PENDING;
    }
    (void)mta->ops->change_header(mta, "X", 1, "");
    (void)mta->ops->insert_header(mta, "A", " b");
    (void)mta->ops->quarantine(mta, "why");
    return answer_choose(s);
}

static void f_abort(struct session *s)
{
    if (s)
        s->in_message = false;
}

static struct session *f_close(struct session *s)
{
    free(s);
    return NULL;
}

static bool full;
static bool is_full(void)
{
    return full;
}

static void answer_arrived(void *context)
{
}

static const struct mta_macros macros[] = {{WIRE_STAGE_CONNECT, "j"}, {WIRE_STAGE_END, "i"}};
static const struct mta_callbacks table = {macros, 2,        f_negotiate,  f_answers_rcpt, f_connect, f_helo,  f_mail,
                                           f_rcpt, f_header, f_header_end, f_body,         f_end,     f_abort, f_close};
static const struct wire_host host = {.callbacks = &table, .memory_is_full = is_full};

static void play(const uint8_t *data, size_t size, size_t step, bool waits, bool refused, struct buf *out)
{
    struct wire_connection *c = wire_connection_new(&host, waits ? answer_arrived : NULL, NULL, refused);
    struct buf in = BUF_INIT;
    enum wire_next next = WIRE_NEXT_READ;
    bool waited;

    for (size_t at = 0; at < size && next != WIRE_NEXT_CLOSE; at += step) {
        buf_add(&in, data + at, step < size - at ? step : size - at);
        do {
            char *copy = malloc(in.n ? in.n : 1);
            memcpy(copy, in.p, in.n);
            struct slice rest = slice_of(copy, in.n);
            next = wire_connection_read(c, &rest);
            buf_reset(&in);
            buf_addslice(&in, rest);
            free(copy);
            waited = next == WIRE_NEXT_WAIT; /* what came behind the end is still to be read */
            while (next == WIRE_NEXT_WAIT)
                next = wire_connection_resume(c);
        } while (waited && next == WIRE_NEXT_READ);
    }
    if (waits)
        wire_connection_progress(c);
    (void)wire_connection_session(c);
    (void)wire_connection_fault(c);
    buf_addslice(out, buf_slice(wire_connection_out(c)));
    buf_release(&in);
    wire_connection_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = BUF_INIT, pieces = BUF_INIT;
    struct wire_command answer;
    struct slice rest;
    long n;

    if (size < 2)
        return 0;
    const bool waits = data[0] & 1, refused = (data[0] & 0x0e) == 2;
    full = (data[0] & 0x70) == 0x10;
    silent = data[0] & 0x80;
    play(data + 1, size - 1, size - 1, waits, refused, &whole);
    play(data + 1, size - 1, size > 4096 ? 97 : 1, waits, refused, &pieces);
    check_holds(whole.n == pieces.n && memcmp(whole.p, pieces.p, whole.n) == 0);
    for (rest = buf_slice(&whole); (n = wire_command_first(rest, WIRE_DATA_1M, &answer)) > 0;)
        rest = slice_from(rest, (size_t)n);
    check_holds(rest.n == 0);
    buf_release(&whole);
    buf_release(&pieces);
    return 0;
}
