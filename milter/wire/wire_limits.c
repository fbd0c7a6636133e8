// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_limits.c - the bounds of our own milter engine.
 *
 * Memory is what the arenas of the messages in flight, unread commands and unwritten answers use together. Failure: if
 * a user that `milter.peers` names does not exist, the others remain; if none exists, nobody may connect, and the log
 * says so. So it does where this process cannot tell users apart: it runs in a user namespace that maps only some of
 * them (PrivateUsers= of systemd), and the kernel shows all others as one.
 */
#include "milter/wire/wire_limits.h"
#include "milter/log.h"
#include "policy/policy_settings.h"
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#define ALL_USERS 4294967295u /* how many the host's own user namespace maps (user_namespaces(7)) */
#define UNMAPPED_USER 65534   /* how the kernel shows the others, unless fs/overflowuid says otherwise */
#define PART_OF_MEMORY 4      /* milter.memory 0: a quarter of what there is */

static atomic_uint connections_max = 10000;
static atomic_llong memory_max = INT64_MAX, memory_used;

static pthread_mutex_t lock =
    PTHREAD_MUTEX_INITIALIZER; /* for whoever writes what is below, and reads `peers` or `unmapped` */
static uid_t peers[WIRE_PEERS_MAX];
static unsigned peer_count;
static atomic_bool peers_set;
static uid_t unmapped = (uid_t)-1; /* a user whom peers may not name, because it stands for many */
/* Users that have connected, for the log. Only ever grows: the first seen_count are read without the lock. */
static uid_t seen[WIRE_PEERS_MAX];
static atomic_uint seen_count;

/* The first line of a small file as a number; INT64_MAX if it is none ("max"). */
static int64_t number_in(const char *path)
{
    char text[64];
    FILE *f = fopen(path, "re");
    long long n = 0;

    if (!f)
        return INT64_MAX;
    if (!fgets(text, sizeof text, f) || sscanf(text, "%lld", &n) != 1 || n <= 0)
        n = INT64_MAX;
    fclose(f);
    return n;
}

/* MemoryMax of the service that we run in (cgroup version 2). */
static int64_t service_memory(void)
{
    char line[1024], path[1200];
    FILE *f = fopen("/proc/self/cgroup", "re");
    int64_t n = INT64_MAX;

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "0::/", 4) == 0) {
            line[strcspn(line, "\n")] = 0;
            snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", line + 3);
            n = number_in(path);
        }
    if (f)
        fclose(f);
    return n;
}

static int64_t usual_memory(void)
{
    const int64_t pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE),
                  host = pages > 0 && size > 0 ? pages * size : INT64_MAX, service = service_memory();

    return (host < service ? host : service) / PART_OF_MEMORY;
}

/* Tells whether the user namespace of this process maps all users. */
static bool sees_all_users(void)
{
    unsigned first, outside, count = ALL_USERS;
    FILE *f = fopen("/proc/self/uid_map", "re");

    if (f) {
        if (fscanf(f, "%u %u %u", &first, &outside, &count) != 3)
            count = ALL_USERS;
        fclose(f);
    }
    return count == ALL_USERS;
}

static void set_peers(const char *names)
{
    char copy[POLICY_TEXT_MAX + 1], *rest = copy;
    const char *name;

    snprintf(copy, sizeof copy, "%s", names);
    pthread_mutex_lock(&lock);
    peer_count = 0;
    atomic_store(&peers_set, *names != 0);
    while ((name = strsep(&rest, " \t,"))) {
        const struct passwd *pw = *name ? getpwnam(name) : NULL;
        if (*name && !pw)
            log_say("milter.peers names user %s, who does not exist", name);
        if (pw && peer_count < WIRE_PEERS_MAX)
            peers[peer_count++] = pw->pw_uid;
    }
    unmapped = *names && !sees_all_users() ? UNMAPPED_USER : (uid_t)-1;
    if (unmapped != (uid_t)-1)
        log_say(
            "milter.peers: this service does not see all users of the host (PrivateUsers=yes in its unit), and whom it "
            "does not see may not connect");
    if (*names && !peer_count)
        log_say("no user that milter.peers names exists: nobody may connect");
    pthread_mutex_unlock(&lock);
}

void wire_limits_set(const struct policy *p)
{
    const int64_t memory = policy_set_number(p, SETTING_MILTER_MEMORY);

    atomic_store(&connections_max, (unsigned)policy_set_number(p, SETTING_MILTER_CONNECTIONS));
    atomic_store(&memory_max, memory ? memory : usual_memory());
    set_peers(policy_set_text(p, SETTING_MILTER_PEERS));
}

unsigned wire_limits_connections(void)
{
    return atomic_load(&connections_max);
}

void wire_limits_count_memory(int64_t octets)
{
    atomic_fetch_add(&memory_used, octets);
}

bool wire_limits_memory_is_full(void)
{
    if (atomic_load(&memory_used) < atomic_load(&memory_max))
        return false;
    log_complain(LOG_LIMIT, "milter.memory is reached: mail is deferred until there is room");
    return true;
}

/* false: the system does not tell. */
static bool user_of(int fd, uid_t *uid)
{
#ifdef SO_PEERCRED
    struct ucred who;
    socklen_t n = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0 || who.uid == (uid_t)-1)
        return false;
    *uid = who.uid;
    return true;
#else
    gid_t gid;
    return getpeereid(fd, uid, &gid) == 0;
#endif
}

static bool is_among(uid_t uid, const uid_t *list, unsigned count)
{
    while (count-- > 0)
        if (list[count] == uid)
            return true;
    return false;
}

static bool is_local(int fd)
{
    struct sockaddr_storage own;
    socklen_t n = sizeof own;

    return getsockname(fd, (struct sockaddr *)&own, &n) == 0 && own.ss_family == AF_UNIX;
}

bool wire_limits_peer_may(int fd)
{
    uid_t uid = (uid_t)-1; /* nobody's */

    if (!user_of(fd, &uid) && !is_local(fd))
        return true; /* over TCP there is no user */
    if (!atomic_load(&peers_set) && is_among(uid, seen, atomic_load(&seen_count)))
        return true; /* nearly always */
    pthread_mutex_lock(&lock);
    const unsigned count = atomic_load(&seen_count);
    const bool may = !atomic_load(&peers_set) || (is_among(uid, peers, peer_count) && uid != unmapped),
               known = is_among(uid, seen, count) || count == WIRE_PEERS_MAX;
    if (may && !known) {
        seen[count] = uid;
        atomic_store(&seen_count, count + 1);
    }
    pthread_mutex_unlock(&lock);
    if (!may)
        log_complain(LOG_PROTOCOL, "a process of user %u may not connect: milter.peers does not name it",
                     (unsigned)uid);
    else if (!known)
        log_say("a mail server connects as user %u", (unsigned)uid);
    return may;
}
