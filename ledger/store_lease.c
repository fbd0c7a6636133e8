// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_lease.c - who may do a long work on the store, and whom the others are told to wait for.
 *
 * Promises that no two stores have the lease at once, and that nobody has to take it from a process that died. A lock
 * file that cannot be made since the disk is full does not keep retention from making room: the work is then done
 * without it. On failure nothing is held.
 */
#include "ledger/store_lease.h"
#include "ledger/store_engine.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PG_LEASE "4155537" /* the number means nothing; the second one is the schema's */
#define PG_IDLE "assay-ledger"

/* ---- files ---- */

/* What root makes in the folder of another user is that user's. */
static bool give_to_owner(int fd, const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct stat st;
    snprintf(folder, sizeof folder, "%.*s", slash && slash != path ? (int)(slash - path) : 1, slash ? path : ".");
    return geteuid() != 0 || (lstat(path, &st) != 0 && stat(folder, &st) != 0) || fchown(fd, st.st_uid, st.st_gid) == 0;
}

/* Nothing but a file of ours: a link, or a second name of another file, is not written to. */
static int open_own(const char *name, const char *path)
{
    const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    struct stat st;
    int fd = open(name, flags | O_CREAT | O_EXCL, 0640);
    bool made = fd >= 0;
    if (!made && errno == EEXIST)
        fd = open(name, flags);
    if (fd < 0 || (made && give_to_owner(fd, path)) ||
        (!made && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1))
        return fd;
    close(fd);
    errno = EPERM;
    return -1;
}

int store_lock_file(const char *path, const char *ending, int how)
{
    char name[PATH_MAX];
    int n = snprintf(name, sizeof name, "%s%s", path, ending);
    if (n < 0 || n >= (int)sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = open_own(name, path);
    if (fd < 0 || flock(fd, how | LOCK_NB) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* ---- who it is ---- */

static const char *program_name(void)
{
#ifdef __linux__
    return program_invocation_short_name;
#else
    return getprogname();
#endif
}

/* "retention by assay-ledger, process 12 on mx1.example.org": what must not be cut off first, since PostgreSQL keeps 63
 * characters. */
static void name_oneself(const char *work, char *out, size_t size)
{
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    snprintf(out, size, "%s by %s, process %ld%s%s", work, program_name(), (long)getpid(), *host ? " on " : "", host);
}

static enum status say_busy(struct store *s, const char *who)
{
    size_t n = (size_t)snprintf(s->error, sizeof s->error, "the ledger is busy: %.200s",
                                who && *who ? who : "a long work of another process");
    for (size_t i = 0; i < n && s->error[i]; i++)
        if ((unsigned char)s->error[i] < ' ' || s->error[i] == 0x7f)
            s->error[i] = '?';
    s->busy = true;
    return STATUS_AGAIN;
}

/* ---- SQLite ---- */

static enum status take_file(struct store *s, const char *who)
{
    char holder[256] = "", name[PATH_MAX];
    const char *path = sqlite3_db_filename(store_sqlite_handle(s), "main");
    if (!path || !*path) /* in memory */
        return STATUS_OK;
    s->lease = store_lock_file(path, STORE_LEASE_ENDING, LOCK_EX);
    if (s->lease >= 0) { /* the words are for people: without them it is a lease as well */
        ssize_t n = ftruncate(s->lease, 0) == 0 ? pwrite(s->lease, who, strlen(who), 0) : 0;
        (void)n;
        return STATUS_OK;
    }
    if (errno == ENOSPC || errno == EDQUOT)
        return STATUS_OK;
    snprintf(name, sizeof name, "%.*s" STORE_LEASE_ENDING, PATH_MAX - 16, path);
    if (errno != EWOULDBLOCK) {
        snprintf(s->error, sizeof s->error, "%.300s: %s", name, strerror(errno));
        return STATUS_DENIED;
    }
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    ssize_t n = fd >= 0 ? pread(fd, holder, sizeof holder - 1, 0) : 0;
    if (fd >= 0)
        close(fd);
    holder[n > 0 ? n : 0] = '\0';
    return say_busy(s, holder);
}

static void leave_file(struct store *s)
{
    if (s->lease < 0)
        return;
    int n = ftruncate(s->lease, 0);
    (void)n;
    close(s->lease);
    s->lease = -1;
}

/* ---- PostgreSQL ---- */

#define PG_KEY PG_LEASE ", hashtext(current_schema())"

static enum status pg_name(struct store *s, const char *who)
{
    int64_t n;
    return store_ask_number(s, 0, &n, "SELECT length(set_config('application_name', $1, false))", "t", who);
}

static enum status take_advisory(struct store *s, const char *who)
{
    int64_t got = 0;
    enum status st = store_ask_number(s, 0, &got, "SELECT pg_try_advisory_lock(" PG_KEY ")::int", "");
    if (st != STATUS_OK || got)
        return st == STATUS_OK ? pg_name(s, who) : st;
    struct store_rows *r = store_ask(
        s,
        "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = "
        "'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
        "AND l.classid = " PG_LEASE " AND l.objid = (hashtext(current_schema())::bigint & 4294967295)::oid",
        "");
    char holder[256] = "";
    if (store_next(r) && store_text(r, 0))
        snprintf(holder, sizeof holder, "%s", store_text(r, 0));
    st = store_done(r);
    return st == STATUS_OK ? say_busy(s, holder) : st;
}

static void leave_advisory(struct store *s)
{
    int64_t n;
    char kept[STORE_ERROR];
    memcpy(kept, s->error, sizeof kept);
    enum status st = store_ask_number(s, 0, &n, "SELECT pg_advisory_unlock(" PG_KEY ")::int", "");
    if (st == STATUS_OK)
        st = pg_name(s, PG_IDLE);
    (void)st; /* a connection that is lost has lost the lock */
    memcpy(s->error, kept, sizeof kept);
}

/* ---- the lease ---- */

static enum status take(struct store *s, const char *work)
{
    char who[512];
    name_oneself(work, who, sizeof who);
    s->busy = false;
    return store_is_shared(s) ? take_advisory(s, who) : take_file(s, who);
}

enum status store_lease_take(struct store *s, const char *work)
{
    enum status st = s->leases ? STATUS_OK : take(s, work);
    if (st == STATUS_OK && !s->leases++)
        s->lease_work = work;
    return st;
}

void store_lease_leave(struct store *s)
{
    if (!s->leases || --s->leases)
        return;
    if (store_is_shared(s))
        leave_advisory(s);
    else
        leave_file(s);
}

enum status store_lease_renew(struct store *s)
{
    return s->leases ? take(s, s->lease_work) : STATUS_OK;
}

bool store_is_busy(const struct store *s)
{
    return s->busy;
}
