// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_bodyhash.c - the two canonical forms of a body, as streams, and their hashes.
 *
 * simple (RFC 6376 3.4.3):  empty lines at the end of the body are one CRLF at most; an empty body is one CRLF. relaxed
 * (RFC 6376 3.4.4): white space at line ends goes; runs of it within a line are one space; empty lines at the end go; a
 * body that is
 *                           not empty ends in CRLF; an empty body is nothing.
 *
 * Both are one machine: octets that may still be dropped (line ends, and in relaxed form white space) are counted, not
 * stored, and written when an octet follows that needs them. So memory is constant, whatever is sent, and pieces may be
 * split anywhere, between CR and LF too. Lines that are canonical already, as most are, are found by octet_scan and go
 * to the digest in one run; the machine handles only what remains.
 *
 * An l= counts octets of the canonical form (RFC 6376 3.4.5). When the count reaches a limit that somebody wants, the
 * digest is copied and finished there; so a hundred signatures with a hundred lengths cost one hash of the body.
 *
 * Failure: a digest that OpenSSL could not make leaves its number without a hash, and dkim_bodyhash_get says
 * STATUS_NOMEM.
 */
#include "standards/dkim/dkim_bodyhash.h"
#include "base/octet_scan.h"
#include "standards/dkim/dkim_digest.h"

#define PIECE 4096

struct want {
    bool relaxed;
    bool limited;
    bool reached;
    bool failed;
    uint64_t limit;
    uint8_t hash[32];
};

struct form {
    struct dkim_digest *digest; /* NULL: nobody wants this form */
    bool relaxed;
    bool failed;
    bool blank;         /* relaxed: white space waits for something to follow it on its line */
    uint64_t line_ends; /* CRLFs that wait for something to follow them */
    uint64_t total;     /* octets put out */
    uint64_t next;      /* the lowest limit not reached yet; UINT64_MAX: none */
    size_t n;
    char piece[PIECE]; /* last: not zeroed */
};

struct dkim_bodyhash {
    struct form forms[2]; /* simple, relaxed */
    struct want wants[DKIM_BODYHASH_MAX];
    int want_count;
    bool begun, ended;
    bool cr; /* the last octet was a CR that may be half of a line end */
};

struct dkim_bodyhash *dkim_bodyhash_new(struct arena *arena)
{
    struct dkim_bodyhash *b = arena_room(arena, sizeof *b);
    if (!b)
        return NULL;
    for (int i = 0; i < 2; i++) {
        memset(&b->forms[i], 0, offsetof(struct form, piece));
        b->forms[i].next = UINT64_MAX;
    }
    memset(b->wants, 0, sizeof *b - offsetof(struct dkim_bodyhash, wants));
    b->forms[1].relaxed = true;
    return b;
}

int dkim_bodyhash_want(struct dkim_bodyhash *b, bool relaxed, bool limited, uint64_t limit)
{
    struct form *f = &b->forms[relaxed];
    for (int i = 0; i < b->want_count; i++) {
        const struct want *w = &b->wants[i];
        if (w->relaxed == relaxed && w->limited == limited && (!limited || w->limit == limit))
            return i;
    }
    if (b->begun || b->want_count == DKIM_BODYHASH_MAX)
        return -1;
    if (!f->digest && !(f->digest = dkim_digest_new()))
        return -1;
    b->wants[b->want_count] = (struct want){.relaxed = relaxed, .limited = limited, .limit = limit};
    if (limited && limit < f->next)
        f->next = limit;
    return b->want_count++;
}

static void flush(struct form *f)
{
    dkim_digest_add(f->digest, f->piece, f->n);
    f->n = 0;
}

/* The count stands at f->next: keeps the hash for those who want it there, and finds the next limit. */
static void snapshot(struct dkim_bodyhash *b, struct form *f)
{
    uint64_t here = f->next;
    flush(f);
    f->next = UINT64_MAX;
    for (int i = 0; i < b->want_count; i++) {
        struct want *w = &b->wants[i];
        if (w->relaxed != f->relaxed || !w->limited || w->reached)
            continue;
        if (w->limit == here) {
            w->reached = true;
            w->failed = dkim_digest_peek(f->digest, w->hash) != STATUS_OK;
        } else if (w->limit < f->next) {
            f->next = w->limit;
        }
    }
}

/* Puts octets of the canonical form. Cuts at limits, so that a snapshot falls exactly on them. */
static void bodyhash_put(struct dkim_bodyhash *b, struct form *f, const char *p, size_t n)
{
    while (n) {
        if (f->total == f->next)
            snapshot(b, f);
        if (f->n == PIECE || (n >= PIECE && f->n))
            flush(f);
        size_t part = n >= PIECE ? n : PIECE - f->n < n ? PIECE - f->n : n;
        if (part > f->next - f->total)
            part = (size_t)(f->next - f->total);
        if (part >= PIECE) { /* a long run goes to the digest as it is */
            dkim_digest_add(f->digest, p, part);
        } else {
            memcpy(f->piece + f->n, p, part);
            f->n += part;
        }
        f->total += part;
        p += part;
        n -= part;
    }
}

/* What was waiting is needed after all. */
static void put_waiting(struct dkim_bodyhash *b, struct form *f)
{
    while (f->line_ends) {
        bodyhash_put(b, f, "\r\n", 2);
        f->line_ends--;
    }
    if (f->blank)
        bodyhash_put(b, f, " ", 1);
    f->blank = false;
}

/* Octets that are no line end; in relaxed form no white space either. */
static void put_text(struct dkim_bodyhash *b, struct form *f, const char *p, size_t n)
{
    put_waiting(b, f);
    bodyhash_put(b, f, p, n);
}

static void line_end(struct form *f)
{
    f->blank = false;
    f->line_ends++;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* A stretch without line ends. */
static void add_stretch(struct dkim_bodyhash *b, struct form *f, const char *p, size_t n)
{
    if (!f->relaxed) {
        if (n)
            put_text(b, f, p, n);
        return;
    }
    for (size_t i = 0; i < n;) {
        if (is_blank(p[i])) {
            f->blank = true;
            i++;
            continue;
        }
        size_t end = i + 1;
        /* A single space between words is already canonical: it need not be cut out. */
        while (end < n && (!is_blank(p[end]) || (p[end] == ' ' && end + 1 < n && !is_blank(p[end + 1]))))
            end++;
        put_text(b, f, p + i, end - i);
        i = end;
    }
}

/* Puts the octets from p on that are canonical already, in one run of many lines. The run ends in text: line ends after
 * it may still be dropped, so they are left to the caller. Returns the length of the run. */
static size_t put_canonical(struct dkim_bodyhash *b, struct form *f, const char *p, size_t n)
{
    if (*p == '\r' || *p == '\n' || (f->relaxed && is_blank(*p)))
        return 0;
    n = octet_scan_canonical(p, n, f->relaxed);
    while (n && (p[n - 1] == '\r' || p[n - 1] == '\n'))
        n--;
    if (n)
        put_text(b, f, p, n);
    return n;
}

static void add_to_form(struct dkim_bodyhash *b, struct form *f, const char *p, const char *end)
{
    while (p < end) {
        p += put_canonical(b, f, p, (size_t)(end - p));
        const char *lf = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        const char *stop = lf ? lf : end;
        /* A CR before the LF belongs to the line end; one at the end of the chunk may. */
        const char *text_end = stop > p && stop[-1] == '\r' ? stop - 1 : stop;
        add_stretch(b, f, p, (size_t)(text_end - p));
        if (!lf)
            return;
        line_end(f);
        p = lf + 1;
    }
}

static void add_to_each(struct dkim_bodyhash *b, const char *p, size_t n)
{
    for (int i = 0; i < 2; i++)
        if (b->forms[i].digest)
            add_to_form(b, &b->forms[i], p, p + n);
}

static void add_cr_to_each(struct dkim_bodyhash *b)
{
    for (int i = 0; i < 2; i++)
        if (b->forms[i].digest)
            add_stretch(b, &b->forms[i], "\r", 1);
}

void dkim_bodyhash_add(struct dkim_bodyhash *b, struct slice chunk)
{
    b->begun = true;
    if (b->ended || !chunk.n || !b->want_count)
        return;
    if (b->cr && *chunk.p != '\n')
        add_cr_to_each(b);
    b->cr = chunk.p[chunk.n - 1] == '\r';
    add_to_each(b, chunk.p, chunk.n);
}

static void end_form(struct dkim_bodyhash *b, struct form *f)
{
    /* simple: the last line ends, empty body or not; relaxed: if there is a line at all. */
    f->blank = false;
    f->line_ends = 0;
    if (!f->relaxed || f->total)
        bodyhash_put(b, f, "\r\n", 2);
    if (f->total == f->next)
        snapshot(b, f);
    flush(f);
    for (int i = 0; i < b->want_count; i++) {
        struct want *w = &b->wants[i];
        if (w->relaxed == f->relaxed && !w->limited) {
            w->reached = true;
            w->failed = dkim_digest_peek(f->digest, w->hash) != STATUS_OK;
        }
    }
}

void dkim_bodyhash_end(struct dkim_bodyhash *b)
{
    if (b->ended)
        return;
    if (b->cr)
        add_cr_to_each(b);
    b->begun = b->ended = true;
    for (int i = 0; i < 2; i++)
        if (b->forms[i].digest)
            end_form(b, &b->forms[i]);
}

enum status dkim_bodyhash_get(const struct dkim_bodyhash *b, int number, uint8_t out[32], uint64_t *total)
{
    if (number < 0 || number >= b->want_count || !b->ended)
        return STATUS_NOMEM;
    const struct want *w = &b->wants[number];
    *total = b->forms[w->relaxed].total;
    if (!w->reached)
        return STATUS_INVALID;
    if (w->failed)
        return STATUS_NOMEM;
    memcpy(out, w->hash, sizeof w->hash);
    return STATUS_OK;
}

struct dkim_bodyhash *dkim_bodyhash_free(struct dkim_bodyhash *b)
{
    if (b)
        for (int i = 0; i < 2; i++)
            b->forms[i].digest = dkim_digest_free(b->forms[i].digest);
    return NULL;
}
