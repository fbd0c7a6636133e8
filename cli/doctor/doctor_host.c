// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_host.c - checks the host: who can change the policy, the clock, the disk, the journal's backlog.
 *
 * Signatures and exemptions are judged by the clock, evidence needs space on the disk, and whoever can write the policy
 * or a list decides about mail. Reads only.
 */
#include "base/clock.h"
#include "base/words.h"
#include "cli/doctor/doctor.h"
#include "policy/policy_settings.h"
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#define DISK_CRITICAL (64ULL << 20)
#define DISK_WARNING (1ULL << 30)
#define BACKLOG_SECONDS 86400 /* segments are taken in within minutes where the ledger runs */
#define WORLD_WRITABLE (S_IWGRP | S_IWOTH)

static void judge_path(struct doctor *d, const char *path, const char *what)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        if (errno != ENOENT)
            doctor_say(d, DOCTOR_UNKNOWN, "%s %s: %s", what, path, strerror(errno));
        return;
    }
    bool by_group = st.st_mode & S_IWGRP && st.st_gid != 0;
    if (st.st_mode & S_IWOTH)
        doctor_say(d, DOCTOR_CRITICAL, "%s %s may be written by everybody\nchmod o-w %s", what, path, path);
    else if (by_group && S_ISREG(st.st_mode))
        doctor_say(d, DOCTOR_WARNING, "%s %s may be written by group %u\nchmod g-w %s", what, path, (unsigned)st.st_gid,
                   path);
    else
        doctor_say(d, DOCTOR_OK, "%s %s cannot be changed by other users", what, path);
}

void doctor_files(struct doctor *d)
{
    judge_path(d, d->policy_path, "the policy");
    const char *slash = strrchr(d->policy_path, '/');
    if (slash && slash > d->policy_path) {
        char *dir = arena_copy(d->arena, d->policy_path, (size_t)(slash - d->policy_path));
        if (dir)
            judge_path(d, dir, "its folder");
    }
    judge_path(d, d->state_dir, "the programs' folder");
}

void doctor_clock(struct doctor *d)
{
    struct timex t = {.modes = 0};
    int state = adjtimex(&t);
    if (state < 0)
        doctor_say(d, DOCTOR_UNKNOWN, "the kernel does not say whether the clock is kept right: %s", strerror(errno));
    else if (state == TIME_ERROR || t.status & STA_UNSYNC)
        doctor_say(d, DOCTOR_WARNING,
                   "nothing synchronises the clock; signatures and exemptions depend on it\n"
                   "run a time service, such as chrony or systemd-timesyncd");
    else
        doctor_say(d, DOCTOR_OK, "the clock is kept right");
}

/* The folder itself, or the nearest one above it that exists. */
static const char *existing(struct doctor *d, const char *path)
{
    struct stat st;
    char *p = arena_strdup(d->arena, path);
    while (p && stat(p, &st) != 0) {
        char *slash = strrchr(p, '/');
        if (!slash || slash == p)
            return "/";
        *slash = '\0';
    }
    return p ? p : "/";
}

void doctor_disk(struct doctor *d)
{
    const char *dir = doctor_setting(d, SETTING_JOURNAL_DIR, ASSAY_STATEDIR "/journal");
    struct statvfs v;
    if (statvfs(existing(d, dir), &v) != 0) {
        doctor_say(d, DOCTOR_UNKNOWN, "%s: %s", dir, strerror(errno));
        return;
    }
    unsigned long long free_bytes = (unsigned long long)v.f_bavail * v.f_frsize;
    unsigned long long mega = free_bytes >> 20;
    enum doctor_state s = free_bytes < DISK_CRITICAL  ? DOCTOR_CRITICAL
                          : free_bytes < DISK_WARNING ? DOCTOR_WARNING
                                                      : DOCTOR_OK;
    if (s != DOCTOR_OK)
        doctor_say(
            d, s, "%llu MB are free in the folder of the findings (%s)\nmake room, or set journal.dir to a larger disk",
            mega, dir);
    else
        doctor_say(d, DOCTOR_OK, "%llu MB are free in the folder of the findings", mega);
    if (v.f_files && v.f_favail < 1000)
        doctor_say(d, DOCTOR_WARNING, "only %llu file%s can still be made on that disk\nremove small files",
                   (unsigned long long)v.f_favail, words_s((int64_t)v.f_favail));
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);
    return n > s && strcmp(name + n - s, suffix) == 0;
}

void doctor_journal(struct doctor *d)
{
    const char *dir = doctor_setting(d, SETTING_JOURNAL_DIR, ASSAY_STATEDIR "/journal");
    DIR *handle = opendir(dir);
    if (!handle) {
        if (errno == ENOENT)
            doctor_say(d, DOCTOR_WARNING,
                       "there is no journal in %s: nothing was ever recorded\nstart assay-milter, or make the folder "
                       "for its user",
                       dir);
        else
            doctor_say(d, DOCTOR_UNKNOWN, "%s: %s\nrun this as root", dir, strerror(errno));
        return;
    }
    unsigned waiting = 0;
    time_t oldest = clock_wall();
    for (struct dirent *e; (e = readdir(handle)) != NULL;) {
        struct stat st;
        if (!has_suffix(e->d_name, ".journal") || fstatat(dirfd(handle), e->d_name, &st, 0) != 0)
            continue;
        waiting++;
        if (st.st_mtime < oldest)
            oldest = st.st_mtime;
    }
    closedir(handle);
    long age = (long)(clock_wall() - oldest);
    if (age > BACKLOG_SECONDS)
        doctor_say(
            d, DOCTOR_WARNING,
            "%u journal segment%s wait%s for assay-ledger, the oldest for %ld hour%s\nsystemctl status assay-ledger",
            waiting, words_s(waiting), waiting == 1 ? "s" : "", age / 3600, words_s(age / 3600));
    else
        doctor_say(d, DOCTOR_OK, "the journal is ingested (%u segment%s wait%s)", waiting, words_s(waiting),
                   waiting == 1 ? "s" : "");
}
