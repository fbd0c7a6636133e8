// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_module.c - checks that the module works in the running Unbound, and has the rights that it needs.
 *
 * Checks what is running, not only what is on the disk: the module's status file says which process wrote it, when that
 * began and what it has in force; the process must be an Unbound that runs now and began before. Its user and groups,
 * as the kernel has them (proc(5)), are compared with the files that the module reads and writes: if the user joined a
 * group after Unbound was started, the process is not in that group. Access control lists are not looked at. Reads
 * only.
 */
#include "base/clock.h"
#include "cli/doctor/doctor.h"
#include "policy/pause.h"
#include "policy/policy_settings.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREPARE "/usr/libexec/assay/assay-unbound-prepare"
#define BROKEN "/run/assay-unbound/broken" /* why the last start was without the module */
#define STATUS_MAX (1024 * 1024)
#define STALE_SECONDS 30 /* the module writes every two */
#define SETTLED_SECONDS 15
#define PROCESSES 16
#define GROUPS 128

enum { MAY_READ = 4, MAY_WRITE = 2, MAY_SEARCH = 1 };

/* One running Unbound. */
struct process {
    long pid;
    uid_t uid;
    gid_t gid[GROUPS]; /* the first one, and the others */
    size_t gids;
    int64_t began; /* seconds since 1970; 0: not known */
};

/* ---- what runs ---- */

/* The first octets of a file in /proc, or "". */
static const char *read_proc(long pid, const char *name, char *out, size_t size)
{
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof path, "/proc/%ld/%s", pid, name);
    FILE *f = fopen(path, "re");
    if (f) {
        n = fread(out, 1, size - 1, f);
        fclose(f);
    }
    out[n] = '\0';
    return out;
}

static const char *behind(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? at + strlen(key) : "";
}

/* When a process began: field 22 of its stat, in ticks since the system began (proc(5)). */
static int64_t began_at(long pid)
{
    char stat[1024], uptime[64];
    const char *at = strrchr(read_proc(pid, "stat", stat, sizeof stat), ')');
    FILE *f = fopen("/proc/uptime", "re");
    bool known = f && fgets(uptime, sizeof uptime, f);
    if (f)
        fclose(f);
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    long ticks = sysconf(_SC_CLK_TCK);
    if (!at || !known || ticks <= 0)
        return 0;
    return clock_wall() - (int64_t)strtod(uptime, NULL) + strtoll(at, NULL, 10) / ticks;
}

static bool read_process(long pid, struct process *p)
{
    char text[8192];
    if (strcmp(read_proc(pid, "comm", text, sizeof text), "unbound\n") != 0)
        return false;
    read_proc(pid, "status", text, sizeof text);
    *p = (struct process){.pid = pid, .began = began_at(pid), .gids = 1};
    unsigned long real, effective;
    if (sscanf(behind(text, "\nUid:"), "%lu %lu", &real, &effective) != 2)
        return false;
    p->uid = (uid_t)effective;
    if (sscanf(behind(text, "\nGid:"), "%lu %lu", &real, &effective) == 2)
        p->gid[0] = (gid_t)effective;
    char *end;
    for (const char *at = behind(text, "\nGroups:"); p->gids < GROUPS; at = end) {
        at += strspn(at, " \t");
        unsigned long g = strtoul(at, &end, 10);
        if (end == at || *at == '\n')
            break;
        p->gid[p->gids++] = (gid_t)g;
    }
    return true;
}

/* Tells whether the process sees another tree of files, or another network: one of a container's. Its mounts alone say
 * nothing, since a unit in a sandbox has its own. False if it cannot be determined. A process that is ending has no
 * network any more (ENOENT); it counts as elsewhere. */
static bool is_elsewhere(long pid)
{
    char theirs[64], ours[64], path[64];
    struct stat root, here;
    snprintf(path, sizeof path, "/proc/%ld/root", pid);
    if (stat(path, &root) == 0 && stat("/", &here) == 0 && (root.st_dev != here.st_dev || root.st_ino != here.st_ino))
        return true;
    snprintf(path, sizeof path, "/proc/%ld/ns/net", pid);
    ssize_t n = readlink(path, theirs, sizeof theirs);
    if (n < 0 && errno == ENOENT)
        return true;
    ssize_t m = readlink("/proc/self/ns/net", ours, sizeof ours);
    return n > 0 && m > 0 && (n != m || memcmp(theirs, ours, (size_t)n) != 0);
}

static size_t running(struct process out[PROCESSES])
{
    size_t count = 0;
    DIR *dir = opendir("/proc");
    for (struct dirent *e; dir && count < PROCESSES && (e = readdir(dir)) != NULL;)
        if (isdigit((unsigned char)e->d_name[0]) && read_process(strtol(e->d_name, NULL, 10), &out[count]) &&
            !is_elsewhere(out[count].pid))
            count++;
    if (dir)
        closedir(dir);
    return count;
}

/* ---- what it says ---- */

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static int64_t time_of(const json_t *o, const char *key)
{
    struct tm tm;
    memset(&tm, 0, sizeof tm);
    return strptime(text_of(o, key), "%Y-%m-%dT%H:%M:%SZ", &tm) ? timegm(&tm) : 0;
}

/* The status that stands there; NULL with errno: it does not, or cannot be read. */
static json_t *read_status(const char *path)
{
    struct stat st;
    json_t *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return NULL;
    errno = EINVAL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= STATUS_MAX)
        out = json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);
    close(fd);
    if (json_is_object(out))
        return out;
    json_decref(out);
    errno = EINVAL;
    return NULL;
}

static bool is_fresh(const json_t *status)
{
    return clock_wall() - time_of(status, "now") <= STALE_SECONDS;
}

/* The process that wrote the status, where it runs now. */
static const struct process *writer(const json_t *status, const struct process *all, size_t count)
{
    const int64_t said = time_of(status, "now");
    if (!is_fresh(status))
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (all[i].pid == (long)json_integer_value(json_object_get(status, "pid")) && all[i].began <= said + 1)
            return &all[i];
    return NULL;
}

/* True if the module's file was replaced since this process loaded it. */
static bool is_replaced(long pid)
{
    char line[512], path[64];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%ld/maps", pid);
    FILE *f = fopen(path, "re");
    while (f && !found && fgets(line, sizeof line, f))
        found = strstr(line, "assay-unbound.so (deleted)") != NULL;
    if (f)
        fclose(f);
    return found;
}

/* ---- what it may do ---- */

static bool is_in(const struct process *p, gid_t gid)
{
    for (size_t i = 0; i < p->gids; i++)
        if (p->gid[i] == gid)
            return true;
    return false;
}

/* By the mode of a file (POSIX 4.5): its owner's rights are the owner's, also where another class has more. */
static bool may(const struct process *p, const struct stat *st, unsigned want)
{
    unsigned shift = st->st_uid == p->uid ? 6 : is_in(p, st->st_gid) ? 3 : 0;
    return p->uid == 0 || ((st->st_mode >> shift) & want) == want;
}

/* Tells whether the user, as the system's files have it now, is in the group. */
static bool joined(uid_t uid, gid_t gid)
{
    gid_t all[GROUPS];
    int count = GROUPS;
    const struct passwd *pw = getpwuid(uid);
    if (!pw || getgrouplist(pw->pw_name, pw->pw_gid, all, &count) < 0)
        return false;
    for (int i = 0; i < count; i++)
        if (all[i] == gid)
            return true;
    return false;
}

static const char *user_name(struct doctor *d, uid_t uid)
{
    const struct passwd *pw = getpwuid(uid);
    const char *name = pw ? arena_strdup(d->arena, pw->pw_name) : arena_printf(d->arena, "%lu", (unsigned long)uid);
    return name ? name : "?";
}

static const char *group_name(struct doctor *d, gid_t gid)
{
    const struct group *gr = getgrgid(gid);
    const char *name = gr ? arena_strdup(d->arena, gr->gr_name) : arena_printf(d->arena, "%lu", (unsigned long)gid);
    return name ? name : "?";
}

/* True: it may, or there is nothing there to judge. */
static bool reaches(struct doctor *d, const struct process *p, const char *path, unsigned want, const char *what)
{
    struct stat st;
    if (stat(path, &st) != 0 || may(p, &st, want))
        return true;
    const bool by_group = ((st.st_mode >> 3) & want) == want && st.st_uid != p->uid;
    const char *user = user_name(d, p->uid), *group = group_name(d, st.st_gid);
    if (by_group && joined(p->uid, st.st_gid))
        doctor_say(
            d, DOCTOR_CRITICAL,
            "%s: Unbound (process %ld) has no access to %s, since it was started before its user %s joined group "
            "%s\nsystemctl restart unbound",
            what, p->pid, path, user, group);
    else if (by_group)
        doctor_say(
            d, DOCTOR_CRITICAL,
            "%s: Unbound (process %ld) has no access to %s, since its user %s is not in group %s\nusermod -aG %s "
            "%s, then systemctl restart unbound",
            what, p->pid, path, user, group, group, user);
    else
        doctor_say(d, DOCTOR_CRITICAL,
                   "%s: Unbound's user %s has no access to %s (mode %04o, group %s)\nsystemd-tmpfiles --create sets "
                   "the folders' rights",
                   what, user, path, (unsigned)(st.st_mode & 07777), group);
    return false;
}

/* Checks everything that the module reads and writes; reports the first that it cannot. */
static bool look_at_rights(struct doctor *d, const struct process *p)
{
    const char *journal = doctor_setting(d, SETTING_RESOLVER_JOURNAL, ""), *slash = strrchr(d->policy_path, '/');
    const char *folder =
        slash && slash > d->policy_path ? arena_copy(d->arena, d->policy_path, (size_t)(slash - d->policy_path)) : ".";
    const char *own = arena_printf(d->arena, "%s/resolver", d->state_dir);
    if (!journal || !*journal)
        journal = doctor_setting(d, SETTING_JOURNAL_DIR, ASSAY_STATEDIR "/journal");
    return folder && own && reaches(d, p, folder, MAY_SEARCH | MAY_READ, "the module cannot read the policy") &&
           reaches(d, p, d->policy_path, MAY_READ, "the module cannot read the policy") &&
           reaches(d, p, d->state_dir, MAY_SEARCH, "assay pause does not reach the resolver") &&
           reaches(d, p, own, MAY_SEARCH | MAY_WRITE, "the module cannot keep the last good policy") &&
           reaches(d, p, journal, MAY_SEARCH | MAY_WRITE, "the module cannot record what it finds");
}

/* ---- the whole ---- */

static void look_at_policy(struct doctor *d, const json_t *status)
{
    const json_t *policy = json_object_get(status, "policy");
    const char *error = text_of(policy, "error"), *hash = text_of(policy, "hash");
    struct stat st;
    if (strcmp(text_of(policy, "source"), "none") == 0)
        doctor_say(d, DOCTOR_CRITICAL,
                   "the module has no policy in force, and every answer passes: %s\nassay policy check %s", error,
                   d->policy_path);
    else if (*error)
        doctor_say(d, DOCTOR_WARNING, "the module runs on policy %s, since the file is bad: %s\nassay policy check %s",
                   hash, error, d->policy_path);
    else if (d->policy && strcmp(hash, policy_hash(d->policy)) != 0 && stat(d->policy_path, &st) == 0 &&
             clock_wall() - st.st_mtime > SETTLED_SECONDS)
        doctor_say(d, DOCTOR_WARNING,
                   "the module runs on policy %s, and %s is %s\nassay resolver status says more; the module reads "
                   "ASSAY_POLICY of Unbound's environment, where it is set",
                   hash, d->policy_path, policy_hash(d->policy));
}

static void look_at_rest(struct doctor *d, const json_t *status, const struct process *p)
{
    const json_t *journal = json_object_get(status, "journal");
    struct pause pause;
    if (is_replaced(p->pid) || strcmp(text_of(status, "assay"), ASSAY_VERSION) != 0)
        doctor_say(d, DOCTOR_WARNING,
                   "Unbound (process %ld) still runs the module of Assay %s, which was replaced since\nsystemctl "
                   "restart unbound",
                   p->pid, text_of(status, "assay"));
    if (*text_of(status, "order"))
        doctor_say(
            d, DOCTOR_CRITICAL,
            "answers may bypass the module: %s\nput that line into /etc/assay/unbound-modules, take module-config "
            "out of Unbound's own files, then systemctl restart unbound",
            text_of(status, "order"));
    look_at_policy(d, status);
    if (!look_at_rights(d, p))
        return;
    if (!json_is_true(json_object_get(journal, "healthy")))
        doctor_say(d, DOCTOR_WARNING,
                   "the module cannot record what it finds: %s\nlook at the folder journal.dir names",
                   text_of(journal, "error"));
    if (pause_read(d->state_dir, clock_wall(), &pause) == STATUS_OK &&
        json_is_false(json_object_get(json_object_get(status, "policy"), "paused")))
        doctor_say(d, DOCTOR_WARNING,
                   "assay pause does not reach the resolver: the module goes on enforcing\nmay Unbound's user read "
                   "%s/pause?",
                   d->state_dir);
}

static void say_absent(struct doctor *d, const json_t *status, const struct process *p)
{
    char why[400] = "";
    FILE *f = fopen(BROKEN, "re");
    if (f) {
        if (!fgets(why, sizeof why, f))
            why[0] = '\0';
        fclose(f);
        why[strcspn(why, "\n")] = '\0';
    }
    const char *last =
        status ? arena_printf(d->arena, "; its last status is of %s, by process %lld", text_of(status, "now"),
                              (long long)json_integer_value(json_object_get(status, "pid")))
               : "";
    doctor_say(
        d, DOCTOR_CRITICAL,
        "Unbound runs (process %ld), and the module is not in it: names are not judged%s%s%s\nassay harden, then "
        "systemctl restart unbound; its log says why the module is not loaded",
        p->pid, last ? last : "", *why ? ": " : "", why);
}

/* The module and the Unbound that would be started with it. */
static void look_at_files(struct doctor *d)
{
    const char *argv[] = {PREPARE, "--check", NULL};
    int code;
    doctor_run(d, argv, &code);
    if (code == 0)
        doctor_say(d, DOCTOR_OK, "the module fits the Unbound that is started with it");
    else if (code == 1)
        doctor_say(d, DOCTOR_WARNING,
                   "the distribution has a newer Unbound than the one with the module. The older one runs, without the "
                   "corrections of the newer one\nin Assay's source: make resolver deb, then apt install "
                   "./build/deb/assay-unbound_*.deb; or, for "
                   "Unbound's update at once and names judged by nobody: apt remove assay-unbound");
    else
        doctor_say(d, DOCTOR_CRITICAL,
                   "module and Unbound do not fit: Unbound will start without the module\n" PREPARE
                   " --check says why");
}

void doctor_module(struct doctor *d)
{
    struct process all[PROCESSES];
    const char *path = arena_printf(d->arena, "%s/resolver/status.json", d->state_dir);
    const bool installed = access(PREPARE, X_OK) == 0;
    errno = ENOENT;
    json_t *status = path ? read_status(path) : NULL;
    const int error = status ? 0 : errno;
    if (installed)
        look_at_files(d);
    if (!installed && error == ENOENT) {
        doctor_say(d, DOCTOR_NOTE, "the module for Unbound is not installed here (package assay-unbound)");
        return;
    }
    size_t count = running(all);
    const struct process *p = status ? writer(status, all, count) : NULL;
    if (error && error != ENOENT) {
        doctor_say(d, DOCTOR_UNKNOWN, "%s: %s\nrun this as root", path,
                   error == EINVAL ? "it is not a status of the module's" : strerror(error));
    } else if (p) {
        doctor_say(d, DOCTOR_OK, "the module is at work in Unbound %s (process %ld, since %s), on policy %s",
                   text_of(status, "unbound"), p->pid, text_of(status, "started"),
                   text_of(json_object_get(status, "policy"), "hash"));
        look_at_rest(d, status, p);
    } else if (count) {
        say_absent(d, status, &all[0]);
    } else if (status && is_fresh(status) && geteuid() != 0) { /* proc(5): hidepid */
        doctor_say(d, DOCTOR_UNKNOWN, "the process that writes %s cannot be seen\nrun this as root", path);
    } else {
        doctor_say(d, DOCTOR_WARNING, "Unbound does not run here: names are not judged\nsystemctl start unbound");
    }
    json_decref(status);
}
