// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_scratch.c - texts in unlinked files that are mapped, with a window of them in memory.
 *
 * Promises that a text of more than REPORT_SCRATCH_SMALL octets takes no memory that the system cannot take back, and
 * that of what is gone through in order about REPORT_SCRATCH_STEP octets are in memory. A full disk is STATUS_AGAIN. A
 * mapped file that somebody else makes shorter meanwhile ends the process (SIGBUS): report_reader.c reads in a process
 * of its own.
 */
#include "feedback/report_scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAPS 48 /* each wrapping has one: REPORT_IN_DEPTH of them, and UTF-16 */
#define PAGE ((uintptr_t)4096)

static struct map {
    uintptr_t begin, end, mark; /* pages from begin to mark are given back */
} maps[MAPS];

/* Between these two nothing is to be done: most calls end here. */
static uintptr_t calm_from, calm_to;

static bool map_remember(const char *p, size_t n)
{
    for (size_t i = 0; i < MAPS; i++)
        if (!maps[i].end) {
            maps[i] = (struct map){(uintptr_t)p, (uintptr_t)p + n, (uintptr_t)p};
            return true;
        }
    return false;
}

static void map_forget(const char *p)
{
    for (size_t i = 0; i < MAPS; i++)
        if (maps[i].end && maps[i].begin == (uintptr_t)p)
            maps[i] = (struct map){0};
    calm_from = calm_to = 0;
}

void report_scratch_passed(const char *p)
{
    uintptr_t at = (uintptr_t)p;
    if (at >= calm_from && at < calm_to)
        return;
    for (size_t i = 0; i < MAPS; i++) {
        struct map *m = &maps[i];
        if (at < m->begin || at >= m->end)
            continue;
        at &= ~(PAGE - 1);
        if (at < m->mark)
            m->mark = at;
        if (at - m->mark >= REPORT_SCRATCH_STEP) {
            (void)madvise((void *)m->mark, at - m->mark, MADV_DONTNEED); // NOLINT: an address of our own mapping
            m->mark = at;
        }
        calm_from = m->mark;
        calm_to = m->mark + REPORT_SCRATCH_STEP < m->end ? m->mark + REPORT_SCRATCH_STEP : m->end;
        return;
    }
}

const char *report_scratch_find(struct slice s, const char *what, size_t n)
{
    while (s.n >= n) {
        size_t window = s.n < REPORT_SCRATCH_STEP + n ? s.n : REPORT_SCRATCH_STEP + n;
        const char *found = n == 1 ? memchr(s.p, what[0], window) : memmem(s.p, window, what, n);
        if (found || window == s.n)
            return found;
        s = slice_from(s, window - n + 1);
        report_scratch_passed(s.p);
    }
    return NULL;
}

/* ---- writing ---- */

static int open_unlinked(void)
{
    const char *set = getenv("TMPDIR"), *const folders[] = {set && *set ? set : "/var/tmp", "/tmp"};
    for (size_t i = 0; i < 2; i++) {
        char name[4096];
        int fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
        if (fd < 0 && snprintf(name, sizeof name, "%s/assay-report-XXXXXX", folders[i]) < (int)sizeof name &&
            (fd = mkostemp(name, O_CLOEXEC)) >= 0)
            (void)unlink(name);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = write(fd, p, n);
        if (w <= 0 && errno != EINTR)
            return false;
        p += w > 0 ? w : 0;
        n -= w > 0 ? (size_t)w : 0;
    }
    return true;
}

static void scratch_fail(struct report_scratch *s, enum status st)
{
    if (s->status == STATUS_OK)
        s->status = st;
}

void report_scratch_add(struct report_scratch *s, const void *p, size_t n)
{
    if (s->status != STATUS_OK)
        return;
    if (n > s->bound - s->n) {
        scratch_fail(s, STATUS_LIMIT);
        return;
    }
    if (s->fd < 0 && s->n + n > REPORT_SCRATCH_SMALL) {
        s->fd = open_unlinked();
        if (s->fd < 0 || !write_all(s->fd, s->p, s->n))
            scratch_fail(s, STATUS_AGAIN);
        free(s->p);
        s->p = NULL;
    }
    if (s->fd < 0 && !s->p && !(s->p = malloc(REPORT_SCRATCH_SMALL)))
        scratch_fail(s, STATUS_NOMEM);
    if (s->status == STATUS_OK && s->fd >= 0 && !write_all(s->fd, p, n))
        scratch_fail(s, STATUS_AGAIN);
    if (s->status != STATUS_OK)
        return;
    if (s->fd < 0 && n)
        memcpy(s->p + s->n, p, n);
    s->n += n;
}

/* ---- reading ---- */

static enum status map(struct report_scratch *s)
{
    void *at = mmap(NULL, s->n, PROT_READ, MAP_SHARED, s->fd, 0);
    if (at == MAP_FAILED)
        return STATUS_NOMEM;
    s->p = at;
    s->mapped = true;
    return map_remember(s->p, s->n) ? STATUS_OK : STATUS_NOMEM;
}

struct slice report_scratch_text(struct report_scratch *s)
{
    if (s->status == STATUS_OK && s->fd >= 0 && !s->mapped && s->n)
        s->status = map(s);
    return s->status == STATUS_OK ? slice_of(s->p, s->n) : SLICE_NULL;
}

void report_scratch_end(struct report_scratch *s)
{
    if (s->mapped) {
        map_forget(s->p);
        munmap(s->p, s->n);
    } else {
        free(s->p);
    }
    if (s->fd >= 0)
        close(s->fd);
    *s = REPORT_SCRATCH_INIT(s->bound);
}

enum status report_scratch_file(struct report_scratch *s, int fd)
{
    struct stat st;
    char space[65536];
    if (fstat(fd, &st) != 0)
        return STATUS_DENIED;
    if (S_ISREG(st.st_mode) && (size_t)st.st_size > s->bound)
        return STATUS_LIMIT;
    if (S_ISREG(st.st_mode) && (size_t)st.st_size > REPORT_SCRATCH_SMALL) {
        s->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        s->n = (size_t)st.st_size;
        s->status = s->fd < 0 ? STATUS_DENIED : map(s);
        return s->status;
    }
    ssize_t n;
    while ((n = read(fd, space, sizeof space)) > 0 && s->status == STATUS_OK)
        report_scratch_add(s, space, (size_t)n);
    if (n < 0)
        scratch_fail(s, STATUS_DENIED);
    return s->status;
}
