// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_canonical.c - header fields made ready for hashing (RFC 6376 3.4.1 simple, 3.4.2 relaxed).
 *
 * simple:  the field as it was on the wire. A line end inside (LF or CRLF, however the MTA hands folds over) is CRLF.
 * relaxed: name in lower case without blanks around it; the value unfolded, each run of white space one space, none at
 * either end.
 *
 * A CR that no LF follows is no line end; it is hashed as it is. Promises: every octet of the input is looked at once;
 * output is at most twice the input plus four octets; nothing fails.
 */
#include "standards/dkim/dkim_canonical.h"

void dkim_canonical_flush(struct dkim_canonical *c)
{
    if (c->n)
        c->sink(c->context, c->piece, c->n);
    c->n = 0;
}

static void canonical_put(struct dkim_canonical *c, char octet)
{
    if (c->n == sizeof c->piece)
        dkim_canonical_flush(c);
    c->piece[c->n++] = octet;
}

static void put_all(struct dkim_canonical *c, const char *p, size_t n)
{
    while (n) {
        if (c->n == sizeof c->piece)
            dkim_canonical_flush(c);
        size_t room = sizeof c->piece - c->n;
        size_t part = n < room ? n : room;
        memcpy(c->piece + c->n, p, part);
        c->n += part;
        p += part;
        n -= part;
    }
}

/* Where white space begins at i: how many octets of it, 0 if none. A CR is white space only as part of CRLF. */
static size_t blank_at(struct slice s, size_t i)
{
    char c = s.p[i];
    if (c == ' ' || c == '\t' || c == '\n')
        return 1;
    return c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n' ? 2 : 0;
}

struct relaxed {
    bool started; /* something other than white space has been put */
    bool blank;   /* white space is waiting for what follows it */
};

/* Octet by octet: a copy of each word would cost more, as most words are short. */
static void put_relaxed(struct dkim_canonical *c, struct slice s, struct relaxed *state)
{
    bool started = state->started, blank = state->blank;
    for (size_t i = 0; i < s.n;) {
        if (sizeof c->piece - c->n < 2)
            dkim_canonical_flush(c);
        const size_t room = (sizeof c->piece - c->n) / 2, end = s.n - i < room ? s.n : i + room;
        char *out = c->piece + c->n;
        for (; i < end; i++) {
            const size_t white = (unsigned char)s.p[i] <= ' ' ? blank_at(s, i) : 0;
            if (white) {
                blank = started;
                i += white - 1;
                continue;
            }
            *out = ' ';
            out += blank;
            *out++ = s.p[i];
            blank = false;
            started = true;
        }
        c->n = (size_t)(out - c->piece);
    }
    *state = (struct relaxed){started, blank};
}

static void put_simple(struct dkim_canonical *c, struct slice s, char *before)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n' && *before != '\r')
            canonical_put(c, '\r');
        canonical_put(c, s.p[i]);
        *before = s.p[i];
    }
}

static void put_lower(struct dkim_canonical *c, struct slice name)
{
    name = slice_trim(name);
    for (size_t i = 0; i < name.n; i++)
        canonical_put(c, name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + ('a' - 'A')) : name.p[i]);
}

void dkim_canonical_field(struct dkim_canonical *c, struct slice name, struct slice value, struct slice without,
                          bool relaxed, bool line_end)
{
    struct slice head = value, tail = SLICE_NULL;
    if (without.p) {
        size_t from = (size_t)(without.p - value.p);
        head = slice_of(value.p, from);
        tail = slice_from(value, from + without.n);
    }
    if (relaxed) {
        struct relaxed state = {false, false};
        put_lower(c, name);
        canonical_put(c, ':');
        put_relaxed(c, head, &state);
        put_relaxed(c, tail, &state);
    } else {
        char before = ':';
        put_all(c, name.p, name.n);
        canonical_put(c, ':');
        put_simple(c, head, &before);
        put_simple(c, tail, &before);
    }
    if (line_end)
        put_all(c, "\r\n", 2);
}
