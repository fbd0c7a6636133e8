// SPDX-License-Identifier: BSD-2-Clause
/*
 * journal_segment.c - the files of a journal: made, appended to, closed, recovered.
 *
 * Promises: a file named *.open or *.journal always begins with a whole heading line (it is created under another name,
 * locked, given its heading and only then renamed); a file named *.journal has been synced before it got that name, and
 * is never written again; a line is complete, or partial at the end of a file if its writer died. The lock (flock)
 * lives as long as the writer: whoever gets it knows that the writer is dead. On failure errno is kept, and a partly
 * written line is removed by ftruncate; if even that fails the segment is marked broken, and the reader drops its last
 * line.
 */
#include "journal/journal_segment.h"
#include "base/clock.h"
#include "base/json.h"
#include "journal/journal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SEGMENT_NEW ".new"

static bool random_hex(char *out, size_t octets)
{
    unsigned char raw[16];
    if (octets > sizeof raw || getrandom(raw, octets, 0) != (ssize_t)octets)
        return false;
    for (size_t i = 0; i < octets; i++)
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
    return true;
}

void segment_now(char out[SEGMENT_TIME])
{
    int64_t us = clock_wall_us();
    char second[CLOCK_TEXT];
    clock_utc_text((time_t)(us / 1000000), second);
    snprintf(out, SEGMENT_TIME, "%.19s.%06dZ", second, (int)(us % 1000000));
}

static bool append_own(struct segment *s, const char *kind, const char *writer, const char *host)
{
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    char t[SEGMENT_TIME];
    segment_now(t);
    json_open(&j);
    json_int(&j, "v", JOURNAL_VERSION);
    json_str(&j, "t", t);
    json_str(&j, "host", host);
    json_str(&j, "kind", kind);
    json_str(&j, "segment", s->id);
    if (writer) {
        json_str(&j, "writer", writer);
        json_str(&j, "program", ASSAY_VERSION);
    } else {
        json_int(&j, "records", (int64_t)s->records);
    }
    json_end(&j);
    buf_addc(&b, '\n');
    bool ok = !b.failed && segment_append(s, buf_slice(&b));
    if (b.failed)
        errno = ENOMEM;
    buf_release(&b);
    return ok;
}

/* Gives up a segment that never got its name. */
static bool abandon(struct segment *s, int dir, const char *name)
{
    int error = errno;
    unlinkat(dir, name, 0);
    close(s->fd);
    *s = SEGMENT_NONE;
    errno = error;
    return false;
}

bool segment_create(struct segment *s, int dir, const char *writer, const char *host)
{
    char unique[9], stamp[CLOCK_TEXT], fresh[SEGMENT_NAME + 8], open_name[SEGMENT_NAME + 8];
    struct tm tm;
    time_t now = clock_wall();
    *s = SEGMENT_NONE;
    if (!random_hex(s->id, 16) || !random_hex(unique, 4))
        return false;
    if (!gmtime_r(&now, &tm) || !strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm)) {
        errno = EOVERFLOW;
        return false;
    }
    snprintf(s->name, sizeof s->name, "%s-%s-%s", writer, stamp, unique);
    snprintf(fresh, sizeof fresh, "%s" SEGMENT_NEW, s->name);
    snprintf(open_name, sizeof open_name, "%s" SEGMENT_OPEN, s->name);
    s->fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0660);
    if (s->fd < 0)
        return false;
    if (flock(s->fd, LOCK_EX | LOCK_NB) != 0 || !append_own(s, "segment", writer, host) ||
        renameat(dir, fresh, dir, open_name) != 0)
        return abandon(s, dir, fresh);
    s->records = 0;
    s->opened_ms = clock_mono_ms();
    return true;
}

bool segment_append(struct segment *s, struct slice line)
{
    size_t done = 0;
    while (done < line.n) {
        ssize_t n = write(s->fd, line.p + done, line.n - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            int error = n == 0 ? ENOSPC : errno;
            if (done && ftruncate(s->fd, s->end) != 0)
                s->broken = true;
            errno = error;
            return false;
        }
    }
    s->end += (off_t)line.n;
    s->records++;
    s->dirty = true;
    return true;
}

bool segment_sync(const struct segment *s)
{
    return s->fd < 0 || fdatasync(s->fd) == 0;
}

void segment_close(struct segment *s, int dir, const char *host)
{
    if (s->fd < 0)
        return;
    char from[SEGMENT_NAME + 8], to[SEGMENT_NAME + 8];
    snprintf(from, sizeof from, "%s" SEGMENT_OPEN, s->name);
    snprintf(to, sizeof to, "%s" SEGMENT_CLOSED, s->name);
    if (!s->broken)
        (void)append_own(s, "end", NULL, host);
    /* The name promises that the data is on the disk: sync first. A failed sync leaves it open, for the next start to
     * close. */
    if (segment_sync(s) && renameat(dir, from, dir, to) == 0)
        fsync(dir);
    close(s->fd);
    *s = SEGMENT_NONE;
}

static bool ends_with(const char *name, const char *end, size_t *stem)
{
    size_t n = strlen(name), m = strlen(end);
    if (n <= m || memcmp(name + n - m, end, m) != 0)
        return false;
    *stem = n - m;
    return true;
}

/* True when nobody holds the file's lock; a file that has vanished or changed its name meanwhile is somebody's. */
static bool orphaned(int dir, const char *name)
{
    struct stat held, named;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool free_of = fstat(fd, &held) == 0 && S_ISREG(held.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
                   fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == held.st_ino &&
                   named.st_dev == held.st_dev;
    if (free_of)
        fdatasync(fd);
    close(fd);
    return free_of;
}

/* The folder, to be read by readdir, without moving the caller's descriptor. */
static DIR *folder(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d && fd >= 0)
        close(fd);
    return d;
}

unsigned segment_recover(int dir, const char *writer)
{
    unsigned count = 0;
    size_t stem = 0, n = writer ? strlen(writer) : 0;
    DIR *d = folder(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (writer && (strncmp(e->d_name, writer, n) != 0 || e->d_name[n] != '-'))
            continue;
        if (ends_with(e->d_name, SEGMENT_NEW, &stem)) {
            if (orphaned(dir, e->d_name))
                unlinkat(dir, e->d_name, 0);
        } else if (ends_with(e->d_name, SEGMENT_OPEN, &stem) && stem < SEGMENT_NAME && orphaned(dir, e->d_name)) {
            char to[SEGMENT_NAME + 8];
            snprintf(to, sizeof to, "%.*s" SEGMENT_CLOSED, (int)stem, e->d_name);
            count += renameat(dir, e->d_name, dir, to) == 0;
        }
    }
    if (d)
        closedir(d);
    if (count)
        fsync(dir);
    return count;
}

uint64_t segment_folder_bytes(int dir)
{
    uint64_t sum = 0;
    struct stat st;
    DIR *d = folder(dir);
    for (struct dirent *e; d && (e = readdir(d));)
        if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            sum += (uint64_t)st.st_size;
    if (d)
        closedir(d);
    return sum;
}
