// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_scratch.h - room for what a report unpacks to, outside of memory: small texts in memory, larger ones in an
 * unlinked file that is mapped.
 *
 * A mapped text is read as any slice. Whoever goes through one says how far he is (report_scratch_passed), and the
 * pages behind are taken out of memory; they are read again from the file if somebody goes back. So a reader needs the
 * memory of its own structures, however large the text is.
 *
 * Threads: the list of mapped files is one per process; one thread only.
 */
#ifndef ASSAY_FEEDBACK_REPORT_SCRATCH_H
#define ASSAY_FEEDBACK_REPORT_SCRATCH_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

#define REPORT_SCRATCH_SMALL ((size_t)256 << 10) /* octets that stay in memory */
#define REPORT_SCRATCH_STEP ((size_t)256 << 10)  /* pages are given back in such steps */

struct report_scratch {
    char *p; /* the text: in memory, or mapped */
    size_t n, bound;
    int fd; /* -1: in memory */
    bool mapped;
    enum status status; /* OK; LIMIT: more than bound; NOMEM; AGAIN: the disk has no room */
};

#define REPORT_SCRATCH_INIT(most) ((struct report_scratch){.bound = (most), .fd = -1})

/* Adds octets. After a failure nothing is added, and `status` says why. Not after report_scratch_text. */
void report_scratch_add(struct report_scratch *s, const void *p, size_t n);

/* Octets on their way into a scratch file, one by one; report_pending_end adds the last of them. */
struct report_pending {
    struct report_scratch *out;
    size_t n;
    char octets[4096];
};

static inline void report_pending_end(struct report_pending *p)
{
    report_scratch_add(p->out, p->octets, p->n);
    p->n = 0;
}

static inline void report_pending_put(struct report_pending *p, char c)
{
    p->octets[p->n++] = c;
    if (p->n == sizeof p->octets)
        report_pending_end(p);
}

/* The whole text, until report_scratch_end. Empty after a failure. */
struct slice report_scratch_text(struct report_scratch *s);

void report_scratch_end(struct report_scratch *s);

/* Maps a regular file for reading; a pipe is copied first. STATUS_LIMIT: it is larger than s->bound. STATUS_DENIED: it
 * cannot be read. */
enum status report_scratch_file(struct report_scratch *s, int fd) MUST_CHECK;

/* All in front of p has been read. p may be in any text; only mapped ones are concerned. */
void report_scratch_passed(const char *p);

/* As memmem, and with report_scratch_passed on the way. NULL: it is not in s. */
const char *report_scratch_find(struct slice s, const char *what, size_t n);

#endif
