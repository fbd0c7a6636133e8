// SPDX-License-Identifier: BSD-2-Clause
/*
 * slice.h - a pointer and a length, passed by value.
 *
 * Text from outside is handled as slices: it may contain NUL bytes, and only its length says where it ends. A slice
 * owns nothing; it is valid as long as the memory that it points into. The empty slice has n == 0, and p may then be
 * NULL.
 */
#ifndef ASSAY_BASE_SLICE_H
#define ASSAY_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct slice {
    const char *p;
    size_t n;
};

#define SLICE_NULL ((struct slice){NULL, 0})
#define SLICE_LIT(literal) ((struct slice){(literal), sizeof(literal) - 1})

/* For printf: "%.*s", SLICE_ARG(s). Only for text known to hold no NUL. */
#define SLICE_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct slice slice_of(const char *p, size_t n)
{
    return (struct slice){p, n};
}

/* The slice of a C string; NULL gives the empty slice. */
static inline struct slice slice_str(const char *s)
{
    return (struct slice){s, s ? strlen(s) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Tells whether s begins with these octets. */
static inline bool slice_begins(struct slice s, const char *with)
{
    const size_t n = strlen(with);
    return s.n >= n && (n == 0 || memcmp(s.p, with, n) == 0);
}

/* Tells whether the text is this word; a text that is NULL is not. */
static inline bool str_is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

/* The order of two texts by their octets, a shorter one first where it begins the other; below, above or equal 0. */
static inline int slice_order(struct slice a, struct slice b)
{
    const size_t both = a.n < b.n ? a.n : b.n;
    const int order = both ? memcmp(a.p, b.p, both) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* Compares without regard to ASCII case. Does not stop at a NUL, as strncasecmp would. */
static inline bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
        if (x >= 'A' && x <= 'Z')
            x += 'a' - 'A';
        if (y >= 'A' && y <= 'Z')
            y += 'a' - 'A';
        if (x != y)
            return false;
    }
    return true;
}

/* The part from octet `from` on; from beyond the end gives the empty slice at the end. */
static inline struct slice slice_from(struct slice s, size_t from)
{
    if (from > s.n)
        from = s.n;
    return (struct slice){s.n ? s.p + from : s.p, s.n - from};
}

/* Without blanks (space, tab, CR, LF) at either end. */
static inline struct slice slice_trim(struct slice s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\r' || s.p[0] == '\n'))
        s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\n'))
        s.n--;
    return s;
}

#endif
