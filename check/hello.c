// SPDX-License-Identifier: BSD-2-Clause
/*
 * hello.c - writes a ClientHello and reads the server's answer.
 *
 * Promises to write inside HELLO_OCTETS or nothing, and to read no octet outside what came: every length is checked
 * against what is left (struct cursor). An answer that is cut asks for more; one that breaks the grammar is malformed.
 */
#include "check/hello.h"

#define RECORD_HANDSHAKE 22
#define RECORD_ALERT 21
#define SERVER_HELLO 2
#define SERVER_KEY_EXCHANGE 12
#define SERVER_HELLO_DONE 14
#define EXT_SERVER_NAME 0
#define EXT_GROUPS 10
#define EXT_POINT_FORMATS 11
#define EXT_SIGNATURES 13
#define EXT_EMS 23
#define EXT_VERSIONS 43
#define EXT_KEY_SHARE 51
#define EXT_RENEGOTIATION 0xff01
#define RECORD_MOST 16640 /* RFC 8446 5.2: 2^14 + 256 */

/* ---- writing ---- */

struct writer {
    unsigned char *p;
    size_t n, room;
    bool full;
};

static void put8(struct writer *w, unsigned v)
{
    if (w->n < w->room)
        w->p[w->n++] = (unsigned char)v;
    else
        w->full = true;
}

static void put16(struct writer *w, unsigned v)
{
    put8(w, v >> 8 & 0xff);
    put8(w, v & 0xff);
}

static void put_octets(struct writer *w, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put8(w, ((const unsigned char *)p)[i]);
}

/* A length of two octets that is filled in when what it counts is there. */
static size_t length_begin(struct writer *w)
{
    put16(w, 0);
    return w->n;
}

static void length_end(struct writer *w, size_t at)
{
    if (!w->full) {
        w->p[at - 2] = (unsigned char)((w->n - at) >> 8);
        w->p[at - 1] = (unsigned char)(w->n - at);
    }
}

static void put_list(struct writer *w, unsigned extension, const uint16_t *ids, size_t count,
                     const struct hello_name *all, size_t all_count, bool weak)
{
    put16(w, extension);
    size_t outer = length_begin(w), inner = length_begin(w);
    for (size_t i = 0; ids && i < count; i++)
        put16(w, ids[i]);
    for (size_t i = 0; !ids && i < all_count; i++)
        if (weak || all[i].worth < HELLO_INSUFFICIENT)
            put16(w, all[i].id);
    length_end(w, inner);
    length_end(w, outer);
}

static void put_server_name(struct writer *w, const char *name)
{
    put16(w, EXT_SERVER_NAME);
    size_t outer = length_begin(w), list = length_begin(w);
    put8(w, 0);
    size_t host = length_begin(w);
    put_octets(w, name, strlen(name));
    length_end(w, host);
    length_end(w, list);
    length_end(w, outer);
}

static void put_extensions(struct writer *w, const struct hello_offer *o)
{
    size_t all = length_begin(w);
    if (o->server_name)
        put_server_name(w, o->server_name);
    put_list(w, EXT_GROUPS, o->groups, o->group_count, hello_groups + (o->version < HELLO_TLS13),
             hello_group_count - (o->version < HELLO_TLS13), true);
    put_octets(w, "\0\x0b\0\x02\x01\0", 6); /* EXT_POINT_FORMATS: uncompressed */
    if (o->version >= HELLO_TLS12)
        put_list(w, EXT_SIGNATURES, o->signatures, o->signature_count, hello_signatures, hello_signature_count, true);
    put16(w, EXT_EMS);
    put16(w, 0);
    put_octets(w, "\xff\x01\0\x01\0", 5); /* EXT_RENEGOTIATION: empty, a first handshake */
    if (o->version == HELLO_TLS13) {
        put_octets(w, "\0\x2b\0\x03\x02\x03\x04", 7); /* EXT_VERSIONS: TLS 1.3 alone */
        /* No key at all: the server names the group it wants by a HelloRetryRequest (RFC 8446 4.2.8). */
        put_octets(w, "\0\x33\0\x02\0\0", 6);
    }
    length_end(w, all);
}

size_t hello_write(const struct hello_offer *o, const unsigned char random[32], unsigned char out[HELLO_OCTETS])
{
    struct writer w = {.p = out, .room = HELLO_OCTETS};
    uint16_t legacy = o->version > HELLO_TLS12 ? HELLO_TLS12 : (uint16_t)o->version;
    put8(&w, RECORD_HANDSHAKE);
    put16(&w, legacy > HELLO_TLS10 ? HELLO_TLS10 : legacy);
    size_t record = length_begin(&w);
    put8(&w, 1); /* client_hello */
    put8(&w, 0);
    size_t message = length_begin(&w);
    put16(&w, legacy);
    put_octets(&w, random, 32);
    put8(&w, 0); /* no session */
    size_t ciphers = length_begin(&w);
    for (size_t i = 0; i < o->cipher_count; i++)
        put16(&w, o->ciphers[i]);
    length_end(&w, ciphers);
    put_octets(&w, o->compression ? "\x02\x01\0" : "\x01\0", o->compression ? 3 : 2);
    if (o->version > HELLO_SSL3)
        put_extensions(&w, o);
    length_end(&w, message);
    length_end(&w, record);
    return w.full ? 0 : w.n;
}

/* ---- reading ---- */

struct cursor {
    const unsigned char *p;
    size_t n;
    bool bad;
};

static struct cursor cursor_cut(struct cursor *c, size_t n)
{
    struct cursor part = {c->p, n, false};
    if (n > c->n) {
        c->bad = true;
        return (struct cursor){c->p, 0, true};
    }
    c->p += n;
    c->n -= n;
    return part;
}

static unsigned number_get(struct cursor *c, size_t octets)
{
    struct cursor part = cursor_cut(c, octets);
    unsigned v = 0;
    for (size_t i = 0; i < part.n; i++)
        v = v << 8 | part.p[i];
    return v;
}

static void read_extensions(struct cursor c, struct hello_answer *out)
{
    while (c.n && !c.bad) {
        unsigned kind = number_get(&c, 2);
        struct cursor body = cursor_cut(&c, number_get(&c, 2));
        if (kind == EXT_VERSIONS)
            out->version = (uint16_t)number_get(&body, 2);
        else if (kind == EXT_KEY_SHARE)
            out->group = (uint16_t)number_get(&body, 2);
        else if (kind == EXT_EMS)
            out->ems = true;
        else if (kind == EXT_RENEGOTIATION)
            out->renegotiation = true;
        c.bad = c.bad || body.bad;
    }
    if (c.bad)
        out->state = HELLO_MALFORMED;
}

static void read_server_hello(struct cursor c, struct hello_answer *out)
{
    /* RFC 8446 4.1.3: the SHA-256 of "HelloRetryRequest" in the place of the random octets. */
    static const unsigned char retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                            0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                            0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    out->version = (uint16_t)number_get(&c, 2);
    struct cursor random = cursor_cut(&c, 32);
    (void)cursor_cut(&c, number_get(&c, 1)); /* session */
    out->cipher = (uint16_t)number_get(&c, 2);
    out->compression = (uint8_t)number_get(&c, 1);
    if (c.bad || out->version < HELLO_SSL3) {
        out->state = HELLO_MALFORMED;
        return;
    }
    out->retry = memcmp(random.p, retry, sizeof retry) == 0;
    if (c.n >= 2)
        read_extensions(cursor_cut(&c, number_get(&c, 2)), out);
    if (out->version < HELLO_SSL3 || out->version > HELLO_TLS13)
        out->state = HELLO_MALFORMED;
    if (out->version >= HELLO_TLS13 && out->state == HELLO_MORE)
        out->state = HELLO_ACCEPTED; /* all else of TLS 1.3 is encrypted */
}

/* Which kind of key exchange a cipher suite of TLS 1.2 and older has, by its name. */
static bool has_exchange(uint16_t cipher, const char *kind)
{
    const struct hello_name *n = hello_cipher(cipher);
    return n && strncmp(n->name, kind, strlen(kind)) == 0;
}

static void read_key_exchange(struct cursor c, struct hello_answer *out)
{
    if (has_exchange(out->cipher, "ECDHE_") || has_exchange(out->cipher, "ECDH_anon_")) {
        if (number_get(&c, 1) == 3) /* named_curve */
            out->group = (uint16_t)number_get(&c, 2);
        (void)cursor_cut(&c, number_get(&c, 1));
    } else if (has_exchange(out->cipher, "DHE_") || has_exchange(out->cipher, "DH_anon_")) {
        struct cursor prime = cursor_cut(&c, number_get(&c, 2));
        while (prime.n && *prime.p == 0)
            (void)cursor_cut(&prime, 1);
        out->dh_bits = (uint16_t)(prime.n > 8191 ? 65528 : prime.n * 8);
        (void)cursor_cut(&c, number_get(&c, 2));
        (void)cursor_cut(&c, number_get(&c, 2));
    }
    if (out->version == HELLO_TLS12 && !c.bad && c.n >= 2)
        out->signature = (uint16_t)number_get(&c, 2);
    out->state = c.bad ? HELLO_MALFORMED : HELLO_ACCEPTED;
}

/* One handshake message. */
static void read_message(unsigned kind, struct cursor body, bool first, struct hello_answer *out)
{
    if (first != (kind == SERVER_HELLO))
        out->state = HELLO_MALFORMED;
    else if (kind == SERVER_HELLO)
        read_server_hello(body, out);
    else if (kind == SERVER_KEY_EXCHANGE)
        read_key_exchange(body, out);
    else if (kind == SERVER_HELLO_DONE)
        out->state = HELLO_ACCEPTED; /* no ServerKeyExchange: RSA key exchange */
}

/* The octets of the handshake, out of their records, into `flat`; how many. An alert or garbage ends it. */
static size_t unwrap(struct slice octets, unsigned char *flat, size_t room, struct hello_answer *out)
{
    struct cursor c = {(const unsigned char *)octets.p, octets.n, false};
    size_t n = 0;
    while (c.n >= 5) {
        unsigned kind = number_get(&c, 1), major = number_get(&c, 1);
        (void)number_get(&c, 1);
        size_t length = number_get(&c, 2);
        if (major != 3 || (kind != RECORD_HANDSHAKE && kind != RECORD_ALERT) || length > RECORD_MOST) {
            out->state = HELLO_MALFORMED;
            break;
        }
        if (kind == RECORD_ALERT) {
            struct cursor alert = c;
            unsigned level = number_get(&alert, 1), what = number_get(&alert, 1);
            if (!alert.bad && level == 2) {
                out->alert = (uint8_t)what;
                out->state = HELLO_ALERTED;
            }
            if (c.n < length || level == 2)
                break;
            (void)cursor_cut(&c, length);
            continue;
        }
        struct cursor part = cursor_cut(&c, length < c.n ? length : c.n);
        if (part.n > room - n)
            part.n = room - n;
        memcpy(flat + n, part.p, part.n);
        n += part.n;
        if (part.n < length)
            break;
    }
    return n;
}

void hello_read(struct slice octets, struct hello_answer *out)
{
    static _Thread_local unsigned char flat[HELLO_ANSWER];
    *out = (struct hello_answer){.state = HELLO_MORE};
    size_t n = unwrap(octets, flat, sizeof flat, out);
    enum hello_state wrapped = out->state;
    out->state = HELLO_MORE;
    struct cursor c = {flat, n, false};
    for (bool first = true; c.n >= 4 && out->state == HELLO_MORE; first = false) {
        struct cursor head = c;
        unsigned kind = number_get(&head, 1);
        size_t length = number_get(&head, 3);
        if (first && kind != SERVER_HELLO)
            out->state = HELLO_MALFORMED;
        if (length > head.n)
            break;
        c = head;
        read_message(kind, cursor_cut(&c, length), first, out);
    }
    if (out->state == HELLO_MORE && wrapped != HELLO_MORE)
        out->state = wrapped;
    if (out->state == HELLO_MORE && octets.n >= HELLO_ANSWER)
        out->state = out->cipher ? HELLO_ACCEPTED : HELLO_TOO_LONG;
}
