// SPDX-License-Identifier: BSD-2-Clause
/*
 * charset.c - converts what is printed, a character at a time, by iconv (charset.h).
 *
 * Promises that no output is lost for want of a character: what has no place in the character set, or is no UTF-8,
 * becomes "?". Fails as a write to the descriptor fails.
 */
#include "cli/charset.h"
#include "base/utf8.h"
#include <errno.h>
#include <iconv.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST 4    /* octets of a character of UTF-8 */
#define CONVERTED 16 /* and of what stands for it in another character set */

struct charset {
    iconv_t to;
    char held[LONGEST]; /* the beginning of a character */
    size_t held_count;
};

struct stream {
    struct charset *charset;
    int fd;
};

static struct stream streams[] = {{NULL, STDOUT_FILENO}, {NULL, STDERR_FILENO}};

struct charset *charset_new(const char *name)
{
    struct charset *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->to = iconv_open(name, "UTF-8");
    if (c->to != (iconv_t)-1)
        return c;
    free(c);
    return NULL;
}

struct charset *charset_free(struct charset *c)
{
    if (c)
        iconv_close(c->to);
    free(c);
    return NULL;
}

static void add_character(struct charset *c, struct slice one, struct buf *out)
{
    char converted[CONVERTED], *to = converted, *from = (char *)(uintptr_t)one.p;
    size_t room = sizeof converted, left = one.n;
    if (iconv(c->to, &from, &left, &to, &room) == (size_t)-1 || left) {
        iconv(c->to, NULL, NULL, NULL, NULL);
        buf_addc(out, '?');
    } else {
        buf_add(out, converted, (size_t)(to - converted));
    }
}

/* Tells whether s is the beginning of a longer character. */
static bool is_cut_off(struct slice s)
{
    const unsigned char first = (unsigned char)s.p[0];
    const size_t whole = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    for (size_t i = 1; i < s.n; i++)
        if (((unsigned char)s.p[i] & 0xc0) != 0x80)
            return false;
    return s.n < whole;
}

/* The character at the start of the text, or an octet of none. */
static size_t add_first(struct charset *c, struct slice text, struct buf *out)
{
    const size_t n = utf8_length(text);
    if ((unsigned char)text.p[0] < 0x80)
        buf_addc(out, text.p[0]);
    else if (n)
        add_character(c, slice_of(text.p, n), out);
    else
        buf_addc(out, '?');
    return n ? n : 1;
}

/* What is held, as far as it is whole. */
static void add_held(struct charset *c, struct buf *out)
{
    while (c->held_count && !is_cut_off(slice_of(c->held, c->held_count))) {
        size_t n = add_first(c, slice_of(c->held, c->held_count), out);
        c->held_count -= n;
        memmove(c->held, c->held + n, c->held_count);
    }
}

void charset_add(struct charset *c, struct slice text, struct buf *out)
{
    while (c->held_count && text.n) {
        c->held[c->held_count++] = text.p[0];
        text = slice_from(text, 1);
        add_held(c, out);
    }
    while (text.n && !(text.n < LONGEST && is_cut_off(text)))
        text = slice_from(text, add_first(c, text, out));
    if (text.n)
        memcpy(c->held, text.p, text.n);
    c->held_count += text.n;
}

static ssize_t stream_put(void *cookie, const char *p, size_t n)
{
    struct stream *s = cookie;
    struct buf converted = BUF_INIT;
    charset_add(s->charset, slice_of(p, n), &converted);
    struct slice rest = buf_slice(&converted);
    bool good = !converted.failed;
    while (good && rest.n) {
        ssize_t written = write(s->fd, rest.p, rest.n);
        good = written >= 0 || errno == EINTR;
        rest = slice_from(rest, written > 0 ? (size_t)written : 0);
    }
    buf_release(&converted);
    return good ? (ssize_t)n : 0;
}

static void stream_replace(FILE **f, struct stream *s, const char *name)
{
    if (!isatty(s->fd))
        return;
    s->charset = charset_new(name);
    FILE *ours = s->charset ? fopencookie(s, "w", (cookie_io_functions_t){.write = stream_put}) : NULL;
    if (!ours) {
        s->charset = charset_free(s->charset);
        return;
    }
    setvbuf(ours, NULL, _IOLBF, BUFSIZ);
    *f = ours;
}

void charset_begin(void)
{
    const char *name = nl_langinfo(CODESET);
    if (strcmp(name, "UTF-8") == 0 || strcmp(name, "ANSI_X3.4-1968") == 0 || strcmp(name, "US-ASCII") == 0)
        return;
    stream_replace(&stdout, &streams[0], name);
    stream_replace(&stderr, &streams[1], name);
}

int charset_fd(FILE *f)
{
    return f == stdout ? STDOUT_FILENO : f == stderr ? STDERR_FILENO : fileno(f);
}
