// SPDX-License-Identifier: BSD-2-Clause
/*
 * journal_read.c - segments of a folder, and the lines of a segment.
 *
 * Promises to return each complete line once, in order, with the offset after it, in a fixed amount of memory, whatever
 * the file contains. If the file grows while it is read, the lines that are there are returned. If a read fails it
 * stops there: the lines returned before are valid.
 */
#include "journal/journal_read.h"
#include "base/array.h"
#include "journal/journal.h"
#include "journal/journal_segment.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPACE (JOURNAL_RECORD_MAX + 4096)

static enum status from_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return STATUS_MISSING;
    case EACCES:
    case EPERM:
    case ELOOP:
        return STATUS_DENIED;
    case ENOMEM:
        return STATUS_NOMEM;
    default:
        return STATUS_AGAIN;
    }
}

static bool is_segment(const char *name, bool *open)
{
    size_t n = strlen(name), o = strlen(SEGMENT_OPEN), c = strlen(SEGMENT_CLOSED);
    *open = n > o && strcmp(name + n - o, SEGMENT_OPEN) == 0;
    return *open || (n > c && strcmp(name + n - c, SEGMENT_CLOSED) == 0);
}

/* The time in a segment's name: it follows the second hyphen from the end. A writer's name may contain hyphens, too. */
static const char *stamp_of(const char *name)
{
    const char *last = strrchr(name, '-');
    const char *p = last;
    while (p && p > name && p[-1] != '-')
        p--;
    return p ? p : name;
}

static int by_age(const void *a, const void *b)
{
    const struct journal_file *x = a, *y = b;
    int order = strcmp(stamp_of(x->name), stamp_of(y->name));
    return order ? order : strcmp(x->name, y->name);
}

enum status journal_list(const char *dir, struct journal_file **files, size_t *count)
{
    struct journal_file *list = NULL;
    size_t n = 0, room = 0;
    enum status s = STATUS_OK;
    DIR *d = opendir(dir);
    if (!d)
        return from_errno();
    for (struct dirent *e; s == STATUS_OK && (e = readdir(d));) {
        struct stat st;
        bool open;
        if (!is_segment(e->d_name, &open) || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode))
            continue;
        if (n == room) {
            struct journal_file *grown = array_grow(list, &room, 64, sizeof *list);
            if (!grown) {
                s = STATUS_NOMEM;
                break;
            }
            list = grown;
        }
        list[n] = (struct journal_file){.name = strdup(e->d_name), .open = open, .bytes = (uint64_t)st.st_size};
        if (!list[n].name)
            s = STATUS_NOMEM;
        else
            n++;
    }
    closedir(d);
    if (s != STATUS_OK) {
        journal_list_free(list, n);
        return s;
    }
    if (n)
        qsort(list, n, sizeof *list, by_age);
    *files = list;
    *count = n;
    return STATUS_OK;
}

void journal_list_free(struct journal_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(files[i].name);
    free(files);
}

enum status journal_lines_open(struct journal_lines *l, const char *dir, const char *name, off_t from)
{
    struct stat st;
    *l = (struct journal_lines){.fd = -1, .base = from};
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return from_errno();
    l->fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int error = errno;
    close(folder);
    errno = error;
    if (l->fd < 0)
        return from_errno();
    enum status s = STATUS_OK;
    if (fstat(l->fd, &st) != 0 || !S_ISREG(st.st_mode))
        s = STATUS_INVALID;
    else if (lseek(l->fd, from, SEEK_SET) != from)
        s = STATUS_INVALID;
    else if (!(l->space = malloc(SPACE)))
        s = STATUS_NOMEM;
    if (s != STATUS_OK)
        journal_lines_close(l);
    return s;
}

/* Moves what is left to the front and reads more behind it. */
static void refill(struct journal_lines *l)
{
    memmove(l->space, l->space + l->at, l->filled - l->at);
    l->base += (off_t)l->at;
    l->filled -= l->at;
    l->at = 0;
    if (l->filled == SPACE) {
        l->skipping = true;
        l->base += (off_t)l->filled;
        l->filled = 0;
    }
    ssize_t n;
    do
        n = read(l->fd, l->space + l->filled, SPACE - l->filled);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        l->filled += (size_t)n;
        return;
    }
    l->end = true;
    l->torn = l->filled > 0 || l->skipping;
    l->failed = n < 0;
    l->errno_kept = n < 0 ? errno : 0;
}

bool journal_lines_next(struct journal_lines *l, struct slice *line, off_t *after)
{
    while (!l->end) {
        char *begin = l->space + l->at;
        char *newline = memchr(begin, '\n', l->filled - l->at);
        if (!newline) {
            refill(l);
            continue;
        }
        *line = slice_of(begin, (size_t)(newline - begin));
        l->at = (size_t)(newline - l->space) + 1;
        *after = l->base + (off_t)l->at;
        bool bad = l->skipping || line->n > JOURNAL_RECORD_MAX || memchr(line->p ? line->p : "", '\0', line->n);
        l->skipping = false;
        if (!bad)
            return true;
        l->bad++;
    }
    return false;
}

void journal_lines_close(struct journal_lines *l)
{
    if (l->fd >= 0)
        close(l->fd);
    free(l->space);
    l->fd = -1;
    l->space = NULL;
}
