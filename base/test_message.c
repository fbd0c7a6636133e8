// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_message.c - reads and writes the two small files that identify a test message.
 *
 * Promises that a file is read only if it is a plain file, belongs to root or to us, cannot be written (for the
 * secrets: or read) by others, and is neither older than TEST_MESSAGE_SECONDS nor from the future. Files are made anew,
 * never through a link: the folder is the milter's user's, and doctor is root. Failure: a status, nothing left behind.
 */
#include "base/test_message.h"
#include "base/slice.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define FILE_SIZE 256
#define OFFER "test-message"
#define RECEIPT "test-message.seen"

static bool path_of(const char *dir, const char *name, char out[PATH_SIZE])
{
    int n = snprintf(out, PATH_SIZE, "%s/%s", dir, name);
    return n > 0 && n < PATH_SIZE;
}

static bool secret(char out[TEST_MESSAGE_SECRET + 1])
{
    unsigned char octets[TEST_MESSAGE_SECRET / 2];
    if (getrandom(octets, sizeof octets, 0) != (ssize_t)sizeof octets)
        return false;
    for (size_t i = 0; i < sizeof octets; i++)
        snprintf(out + 2 * i, 3, "%02x", octets[i]);
    return true;
}

/* A new file of this content, given to `owner` where we may. */
static enum status write_file(const char *path, const char *text, uid_t owner)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == ENOSPC ? STATUS_AGAIN : errno == ENOENT ? STATUS_MISSING : STATUS_DENIED;
    size_t n = strlen(text);
    bool ok = write(fd, text, n) == (ssize_t)n && (geteuid() != 0 || owner == 0 || fchown(fd, owner, (gid_t)-1) == 0);
    ok &= close(fd) == 0;
    if (!ok)
        unlink(path);
    return ok ? STATUS_OK : STATUS_AGAIN;
}

/* owner: accepted as owner of the file, besides root and ourselves. */
static enum status read_file(const char *path, uid_t owner, char out[FILE_SIZE], time_t *made)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? STATUS_MISSING : STATUS_DENIED;
    bool safe = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 077) &&
                (st.st_uid == 0 || st.st_uid == geteuid() || st.st_uid == owner);
    ssize_t n = safe ? read(fd, out, FILE_SIZE - 1) : -1;
    close(fd);
    if (n < 0)
        return STATUS_DENIED;
    out[n] = '\0';
    *made = st.st_mtime;
    return strlen(out) == (size_t)n ? STATUS_OK : STATUS_INVALID;
}

enum status test_message_offer(const char *state_dir, struct test_message *out)
{
    char path[PATH_SIZE], text[FILE_SIZE];
    struct stat st;
    if (!path_of(state_dir, OFFER, path))
        return STATUS_INVALID;
    if (stat(state_dir, &st) != 0)
        return errno == ENOENT ? STATUS_MISSING : STATUS_DENIED;
    test_message_withdraw(state_dir);
    if (!secret(out->ask) || !secret(out->answer))
        return STATUS_AGAIN;
    snprintf(text, sizeof text, "ask %s answer %s\n", out->ask, out->answer);
    return write_file(path, text, st.st_uid);
}

void test_message_withdraw(const char *state_dir)
{
    char path[PATH_SIZE];
    if (path_of(state_dir, OFFER, path))
        unlink(path);
    if (path_of(state_dir, RECEIPT, path))
        unlink(path);
}

static bool is_of_now(time_t made, time_t now)
{
    return now >= made - 2 && now <= made + TEST_MESSAGE_SECONDS;
}

bool test_message_is_offered(const char *state_dir, time_t now)
{
    char path[PATH_SIZE];
    struct stat st;

    return path_of(state_dir, OFFER, path) && lstat(path, &st) == 0 && is_of_now(st.st_mtime, now);
}

enum status test_message_read(const char *state_dir, time_t now, struct test_message *out)
{
    char path[PATH_SIZE], text[FILE_SIZE];
    struct test_message m;
    time_t made;
    int end = 0;
    if (!path_of(state_dir, OFFER, path))
        return STATUS_INVALID;
    enum status s = read_file(path, 0, text, &made);
    if (s != STATUS_OK)
        return s;
    if (sscanf(text, "ask %32[0-9a-f] answer %32[0-9a-f]\n%n", m.ask, m.answer, &end) != 2 || !end || text[end] ||
        strlen(m.ask) != TEST_MESSAGE_SECRET || strlen(m.answer) != TEST_MESSAGE_SECRET)
        return STATUS_INVALID;
    if (!is_of_now(made, now))
        return STATUS_MISSING;
    *out = m;
    return STATUS_OK;
}

bool test_message_is_question(const char *path, const char **ask)
{
    const char *local = path + (*path == '<');
    const size_t before = sizeof TEST_MESSAGE_LOCAL - 1;
    if (strncasecmp(local, TEST_MESSAGE_LOCAL, before) != 0)
        return false;
    *ask = local + before;
    if (strspn(*ask, "0123456789abcdef") != TEST_MESSAGE_SECRET)
        return false;
    const char *rest = *ask + TEST_MESSAGE_SECRET, *at = "@" TEST_MESSAGE_DOMAIN;
    return strncasecmp(rest, at, strlen(at)) == 0 && (rest[strlen(at)] == '>' || rest[strlen(at)] == '\0');
}

enum status test_receipt_write(const char *state_dir, const struct test_message *m, const struct test_receipt *r)
{
    char path[PATH_SIZE], text[FILE_SIZE];
    if (!path_of(state_dir, RECEIPT, path))
        return STATUS_INVALID;
    snprintf(text, sizeof text, "%s %s %s %lld %lu %llu\n", m->answer, r->policy, r->would, r->ms, r->fields,
             r->octets);
    return write_file(path, text, 0);
}

enum status test_receipt_read(const char *state_dir, const struct test_message *m, struct test_receipt *out)
{
    char path[PATH_SIZE], text[FILE_SIZE], answer[TEST_MESSAGE_SECRET + 1];
    struct test_receipt r;
    struct stat st;
    time_t made;
    if (!path_of(state_dir, RECEIPT, path) || stat(state_dir, &st) != 0)
        return STATUS_MISSING;
    enum status s = read_file(path, st.st_uid, text, &made);
    if (s != STATUS_OK)
        return s;
    if (sscanf(text, "%32[0-9a-f] %8[0-9a-f] %15[a-z-] %lld %lu %llu", answer, r.policy, r.would, &r.ms, &r.fields,
               &r.octets) != 6)
        return STATUS_MISSING; /* perhaps half written: try again */
    if (strcmp(answer, m->answer) != 0)
        return STATUS_MISSING;
    *out = r;
    return STATUS_OK;
}
