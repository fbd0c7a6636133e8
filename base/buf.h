// SPDX-License-Identifier: BSD-2-Clause
/*
 * buf.h - text that grows, on the heap.
 *
 * A struct buf set to BUF_INIT is empty and valid. The octet after the text is always NUL, so that b.p can be used as a
 * C string where the text holds no NUL. When memory runs out, or the text would pass `bound` (0: no bound), the buffer
 * keeps what it has, sets `failed`, and takes nothing more: check once at the end. buf_release frees the memory.
 *
 * Threads: one at a time.
 */
#ifndef ASSAY_BASE_BUF_H
#define ASSAY_BASE_BUF_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *p; /* never NULL: points at an empty string before the first octet */
    size_t n;
    size_t size; /* allocated; 0: p is not ours to free */
    size_t bound;
    bool failed;
};

extern char buf_empty[1];
#define BUF_INIT ((struct buf){.p = buf_empty})

void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addslice(struct buf *b, struct slice s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* For what is written for every mail, where buf_printf would read a format each time: texts one after the other, and a
 * number in decimal digits. No text may be NULL; "" adds nothing. */
#define buf_add_texts(b, ...) buf_add_list(b, (const char *const[]){__VA_ARGS__, NULL})
void buf_add_list(struct buf *b, const char *const *texts);
void buf_add_number(struct buf *b, int64_t n);

/* The octets between double quotes. Nothing in them is escaped. */
void buf_add_quoted(struct buf *b, struct slice s);

/* Room for n octets at the end, which the caller writes; then buf_took() says how many of them they were. NULL: failed,
 * nothing may be written. Also to get at once the memory that a text will need. */
char *buf_room(struct buf *b, size_t n);
void buf_took(struct buf *b, size_t n);

/* Cuts the text to its first n octets (n beyond the end: no change). */
void buf_cut(struct buf *b, size_t n);

/* Empties it and clears the failure mark; keeps the memory. */
void buf_reset(struct buf *b);

/* Frees the memory and leaves an empty, valid buffer. */
void buf_release(struct buf *b);

/* Returns the text as a malloc'ed string, which the caller frees; the buffer is then empty. NULL when failed. */
char *buf_detach(struct buf *b) MUST_CHECK;

static inline struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->p, b->n);
}

#endif
