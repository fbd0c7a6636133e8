// SPDX-License-Identifier: BSD-2-Clause
/*
 * buf.c - growing text.
 *
 * Promises that a NUL always follows the text, and that a failed addition changes nothing but the mark: text is added
 * completely or not at all.
 */
#include "base/buf.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The first size of a text. Each further one is twice the last, and a call of realloc(). */
#define BUF_FIRST 256

char buf_empty[1] = "";

static bool reserve(struct buf *b, size_t more)
{
    if (b->failed || more > SIZE_MAX / 4 - b->n || (b->bound && b->n + more > b->bound)) {
        b->failed = true;
        return false;
    }
    size_t need = b->n + more + 1;
    if (need <= b->size)
        return true;
    size_t size = b->size ? b->size : BUF_FIRST;
    while (size < need)
        size *= 2;
    char *p = realloc(b->size ? b->p : NULL, size);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->size = size;
    return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (!reserve(b, n))
        return;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
    if (s)
        buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
    if (b->n + 1 < b->size || reserve(b, 1)) {
        if (b->failed || (b->bound && b->n == b->bound)) {
            b->failed = true;
            return;
        }
        b->p[b->n++] = c;
        b->p[b->n] = '\0';
    }
}

void buf_addslice(struct buf *b, struct slice s)
{
    buf_add(b, s.p, s.n);
}

void buf_add_quoted(struct buf *b, struct slice s)
{
    if (!reserve(b, s.n + 2))
        return;
    b->p[b->n] = '"';
    if (s.n)
        memcpy(b->p + b->n + 1, s.p, s.n);
    b->p[b->n + 1 + s.n] = '"';
    b->n += s.n + 2;
    b->p[b->n] = '\0';
}

char *buf_room(struct buf *b, size_t n)
{
    return reserve(b, n) ? b->p + b->n : NULL;
}

void buf_took(struct buf *b, size_t n)
{
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_add_list(struct buf *b, const char *const *texts)
{
    for (; *texts; texts++)
        buf_add(b, *texts, strlen(*texts));
}

void buf_add_number(struct buf *b, int64_t n)
{
    char digits[20]; /* of 2^63, and the sign */
    size_t at = sizeof digits;
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;

    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (n < 0)
        digits[--at] = '-';
    buf_add(b, digits + at, sizeof digits - at);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    const size_t room = b->failed ? 0 : b->size - b->n; /* most texts fit at once */
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(room ? b->p + b->n : NULL, room, fmt, ap);
    const bool fits = n >= 0 && (size_t)n < room && !(b->bound && b->n + (size_t)n > b->bound);
    if (room && !fits)
        b->p[b->n] = '\0';
    if (n < 0)
        b->failed = true;
    else if (fits)
        b->n += (size_t)n;
    else if (reserve(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

void buf_cut(struct buf *b, size_t n)
{
    if (n < b->n) {
        b->n = n;
        b->p[n] = '\0';
    }
}

void buf_reset(struct buf *b)
{
    buf_cut(b, 0);
    b->failed = false;
}

void buf_release(struct buf *b)
{
    if (b->size)
        free(b->p);
    size_t bound = b->bound;
    *b = BUF_INIT;
    b->bound = bound;
}

char *buf_detach(struct buf *b)
{
    if (!reserve(b, 0)) {
        buf_release(b);
        return NULL;
    }
    char *p = b->p;
    p[b->n] = '\0';
    b->size = 0;
    b->p = buf_empty;
    b->n = 0;
    return p;
}
