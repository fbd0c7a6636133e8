// SPDX-License-Identifier: BSD-2-Clause
/*
 * arena.c - a bump allocator with a bound.
 *
 * Blocks grow by doubling up to BLOCK_MAX; a request larger than a block gets one of its own. Promises memory
 * aligned to max_align_t, and that the blocks together never exceed the bound. On failure it returns NULL, marks the
 * arena, and leaves everything allocated before untouched.
 */
#include "base/arena.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_FIRST 4096u
#define BLOCK_MAX (256u * 1024)
#define ALIGN _Alignof(max_align_t)

struct block {
    struct block *next;
    size_t size; /* octets after the header */
    size_t used;
    max_align_t data[];
};

struct arena {
    struct block *head; /* the one being filled */
    size_t bound;
    size_t first; /* octets of the first block */
    size_t total; /* octets in all blocks */
    size_t used;
    bool failed;
};

struct arena *arena_new_sized(size_t bound, size_t first)
{
    struct arena *a = calloc(1, sizeof *a);
    if (a) {
        a->bound = bound;
        a->first = first;
    }
    return a;
}

struct arena *arena_new(size_t bound)
{
    return arena_new_sized(bound, BLOCK_FIRST);
}

static void free_blocks(struct block *b)
{
    while (b) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
}

struct arena *arena_free(struct arena *a)
{
    if (a) {
        free_blocks(a->head);
        free(a);
    }
    return NULL;
}

void arena_reset(struct arena *a)
{
    struct block *keep = a->head;
    if (keep) {
        free_blocks(keep->next);
        keep->next = NULL;
        keep->used = 0;
    }
    a->total = keep ? keep->size : 0;
    a->used = 0;
    a->failed = false;
}

static struct block *arena_grow(struct arena *a, size_t need)
{
    size_t size = a->head ? a->head->size * 2 : a->first;
    if (size > BLOCK_MAX)
        size = BLOCK_MAX;
    if (size < need)
        size = need;
    if (a->total + size > a->bound)
        size = need;
    if (size > a->bound || a->total > a->bound - size)
        return NULL;
    struct block *b = malloc(sizeof *b + size);
    if (!b)
        return NULL;
    b->size = size;
    b->used = 0;
    b->next = a->head;
    a->head = b;
    a->total += size;
    return b;
}

void *arena_room(struct arena *a, size_t n)
{
    if (n > SIZE_MAX - ALIGN) {
        a->failed = true;
        return NULL;
    }
    size_t need = n ? (n + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
    struct block *b = a->head;
    if (!b || b->size - b->used < need)
        b = arena_grow(a, need);
    if (!b) {
        a->failed = true;
        return NULL;
    }
    char *p = (char *)b->data + b->used;
    b->used += need;
    a->used += need;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    void *p = arena_room(a, n);
    return p ? memset(p, 0, n) : NULL;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) {
        a->failed = true;
        return NULL;
    }
    return arena_alloc(a, count * size);
}

char *arena_copy(struct arena *a, const void *p, size_t n)
{
    if (n == SIZE_MAX) {
        a->failed = true;
        return NULL;
    }
    char *copy = arena_room(a, n + 1);
    if (copy && n)
        memcpy(copy, p, n);
    if (copy)
        copy[n] = '\0';
    return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return s ? arena_copy(a, s, strlen(s)) : NULL;
}

struct slice arena_slice(struct arena *a, struct slice s)
{
    char *copy = arena_copy(a, s.p, s.n);
    return copy ? slice_of(copy, s.n) : SLICE_NULL;
}

/* Most texts are short: they are made here, and copied. */
#define SHORT_TEXT 512

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    char made[SHORT_TEXT];
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(made, sizeof made, fmt, ap);
    char *text = n < 0 ? NULL : arena_room(a, (size_t)n + 1);
    if (text && (size_t)n < sizeof made)
        memcpy(text, made, (size_t)n + 1);
    else if (text)
        vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return text;
}

char *arena_list(struct arena *a, const char *const *texts)
{
    size_t n = 0;
    for (size_t i = 0; texts[i]; i++)
        n += strlen(texts[i]);
    char *all = arena_room(a, n + 1), *at = all;
    for (size_t i = 0; all && texts[i]; i++)
        at = stpcpy(at, texts[i]);
    if (all)
        *at = '\0';
    return all;
}

bool arena_failed(const struct arena *a)
{
    return a->failed;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}

size_t arena_octets(const struct arena *a)
{
    size_t n = sizeof *a + a->total;
    for (const struct block *b = a->head; b; b = b->next)
        n += sizeof *b;
    return n;
}
