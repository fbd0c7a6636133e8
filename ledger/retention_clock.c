// SPDX-License-Identifier: BSD-2-Clause
/*
 * retention_clock.c - the time that retention counts from, kept in the store.
 *
 * Promises that a clock which jumps ahead deletes nothing: neither between two boots, where CLOCK_BOOTTIME says how
 * much time really passed, nor after a boot, where the time of the last run does. A clock that jumps back only makes
 * retention wait. A clock that comes back to the time that was kept is right again, and retention goes on at once. If
 * the store fails nothing has changed.
 */
#include "base/clock.h"
#include "ledger/retention.h"
#include "ledger/timestamp.h"
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct kept {
    int64_t now;            /* what retention counts from */
    int64_t wall, boot, id; /* of the last run */
    int64_t steady;         /* microseconds of consistent time since a jump; -1: no jump */
};

struct retention_time retention_time_read(void)
{
    struct retention_time t = {.wall = clock_wall_us()};
    struct timespec ts;
    char id[64] = "";
    if (clock_gettime(CLOCK_BOOTTIME, &ts) == 0)
        t.boot = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, id, sizeof id - 1) : 0;
    if (fd >= 0)
        close(fd);
    for (ssize_t i = 0; i < n; i++)
        t.boot_id = (t.boot_id * 131 + id[i]) & INT64_C(0x7fffffffffff);
    return t;
}

static const char *const names[] = {"retention_now", "clock_wall", "clock_boot", "clock_boot_id", "clock_steady"};
#define NAMES (sizeof names / sizeof *names)

static enum status read_kept(struct store *s, int64_t *v)
{
    enum status st = STATUS_OK;
    for (size_t i = 0; i < NAMES && st == STATUS_OK; i++)
        st = store_ask_number(s, -1, &v[i], "SELECT number FROM ledger_state WHERE name = $1", "t", names[i]);
    return st;
}

static enum status write_kept(struct store *s, const int64_t *v)
{
    enum status st = store_begin(s);
    for (size_t i = 0; i < NAMES && st == STATUS_OK; i++)
        st = store_run(
            s, &(int64_t){0},
            "INSERT INTO ledger_state (name, number) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET number = "
            "excluded.number",
            "ti", names[i], v[i]);
    if (st == STATUS_OK)
        st = store_commit(s);
    if (st != STATUS_OK)
        store_rollback(s);
    return st;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A store without a clock yet is new, or of an earlier version. Its newest data tells when it was last written to. */
static enum status first_run(struct store *s, const struct retention_time *t, struct kept *k)
{
    int64_t last = 0;
    enum status st = store_ask_number(s, t->wall, &last, "SELECT max(last_seen) FROM host", "");
    bool jump = st == STATUS_OK && t->wall - last > RETENTION_JUMP;
    *k = (struct kept){.now = jump ? last : t->wall, .steady = jump ? 0 : -1};
    return st;
}

/* The wall clock says what the kept time says: it is right, whatever it said in between. */
static bool is_near(const struct kept *k, const struct retention_time *t)
{
    return t->wall - k->now <= RETENTION_JUMP && k->now - t->wall <= RETENTION_JUMP;
}

static void advance(struct kept *k, const struct retention_time *t)
{
    bool same = k->id == t->boot_id;
    int64_t by_wall = t->wall - k->wall, passed = same ? t->boot - k->boot : by_wall;
    bool jump = by_wall - (same ? passed : 0) > RETENTION_JUMP;
    passed = passed < 0 ? 0 : passed;
    if (is_near(k, t))
        k->steady = -1;
    else if (jump)
        k->steady = 0;
    else if (k->steady >= 0)
        k->steady += by_wall < 0 ? 0 : least(by_wall, passed);
    if (k->steady >= RETENTION_STEADY)
        k->steady = -1;
    if (k->steady < 0 && t->wall > k->now)
        k->now += least(least(t->wall - k->now, RETENTION_ADVANCE), passed + passed / 24);
}

enum status retention_clock(struct store *s, const struct retention_time *t, bool believe, int64_t *now, bool *held,
                            char *why)
{
    int64_t v[NAMES];
    enum status st = read_kept(s, v);
    struct kept k = {v[0], v[1], v[2], v[3], v[4]};
    if (st == STATUS_OK && k.now < 0)
        st = first_run(s, t, &k);
    else if (st == STATUS_OK)
        advance(&k, t);
    if (st != STATUS_OK)
        return st;
    if (believe)
        k = (struct kept){.now = t->wall, .steady = -1};
    *held = k.steady >= 0;
    *now = least(k.now, t->wall);
    if (*held)
        snprintf(why, STORE_ERROR,
                 "the clock jumped ahead: nothing is deleted before it has been consistent for 7 days, or `assay "
                 "ledger tidy "
                 "--now` says that it is right");
    return write_kept(s, (int64_t[]){k.now, t->wall, t->boot, t->boot_id, k.steady});
}
