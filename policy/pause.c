// SPDX-License-Identifier: BSD-2-Clause
/*
 * pause.c - the pause file.
 *
 * Promises that nothing but a whole, current file of ours, writable by its owner alone, stops enforcement: on any doubt
 * the answer is "no pause". Writing goes by rename, so that no reader sees half a file.
 */
#include "base/rootfile.h"
#include "policy/pause.h"
#include "base/clock.h"
#include "base/slice.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define FILE_SIZE 1024

static bool path_of(const char *dir, const char *name, char out[PATH_SIZE])
{
    int n = snprintf(out, PATH_SIZE, "%s/%s", dir, name);
    return n > 0 && n < PATH_SIZE;
}

static bool is_text(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > PAUSE_TEXT_MAX)
        return false;
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            return false;
    return true;
}

static enum status read_octets(const char *path, char *out, size_t size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? STATUS_MISSING : STATUS_DENIED;
    bool safe = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & (S_IWGRP | S_IWOTH)) &&
                (st.st_uid == 0 || st.st_uid == geteuid());
    ssize_t n = safe ? read(fd, out, size - 1) : -1;
    close(fd);
    if (n < 0)
        return STATUS_DENIED;
    out[n] = '\0';
    return strlen(out) == (size_t)n ? STATUS_OK : STATUS_INVALID;
}

/* Takes "KEY text\n" from the front of *at. */
static bool pause_field(const char **at, const char *key, char out[PAUSE_TEXT_MAX + 1])
{
    size_t k = strlen(key);
    const char *end = strchr(*at, '\n');
    if (!end || strncmp(*at, key, k) != 0 || (*at)[k] != ' ')
        return false;
    const char *text = *at + k + 1;
    if ((size_t)(end - text) > PAUSE_TEXT_MAX)
        return false;
    memcpy(out, text, (size_t)(end - text));
    out[end - text] = '\0';
    *at = end + 1;
    return is_text(out);
}

static bool read_time(const char *text, time_t *out)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    *out = end && *end == '\0' ? timegm(&tm) : 0;
    return *out > 0;
}

enum status pause_read(const char *state_dir, time_t now, struct pause *out)
{
    char path[PATH_SIZE], text[FILE_SIZE], until[PAUSE_TEXT_MAX + 1];
    struct pause p;
    if (!path_of(state_dir, "pause", path))
        return STATUS_INVALID;
    enum status s = read_octets(path, text, sizeof text);
    if (s != STATUS_OK)
        return s;
    const char *at = text;
    if (!pause_field(&at, "until", until) || !pause_field(&at, "by", p.by) || !pause_field(&at, "because", p.because) ||
        *at || !read_time(until, &p.until))
        return STATUS_INVALID;
    if (p.until <= now || p.until > now + PAUSE_MAX_SECONDS)
        return STATUS_MISSING;
    *out = p;
    return STATUS_OK;
}

enum status pause_write(const char *state_dir, time_t now, const struct pause *p)
{
    char path[PATH_SIZE], until[CLOCK_TEXT], text[2 * PAUSE_TEXT_MAX + CLOCK_TEXT + 64];
    if (!is_text(p->by) || !is_text(p->because) || !path_of(state_dir, "pause", path))
        return STATUS_INVALID;
    if (p->until <= now || p->until > now + PAUSE_MAX_SECONDS)
        return STATUS_LIMIT;
    const struct rootfile_rights rights = {.mode = 0644, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    int n = snprintf(text, sizeof text, "until %s\nby %s\nbecause %s\n", clock_utc_text(p->until, until), p->by,
                     p->because);
    enum status s = rootfile_write(path, slice_of(text, (size_t)n), &rights);
    return s == STATUS_OK || s == STATUS_AGAIN ? s : STATUS_DENIED;
}

enum status pause_end(const char *state_dir)
{
    char path[PATH_SIZE];
    if (!path_of(state_dir, "pause", path))
        return STATUS_INVALID;
    enum status s = rootfile_remove(path);
    return s == STATUS_OK || s == STATUS_MISSING ? s : STATUS_DENIED;
}
