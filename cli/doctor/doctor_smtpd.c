// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_smtpd.c - what Postfix's own settings do to the milter: the chroot its smtpd runs in, how long it waits, and
 * whose mail it relays.
 *
 * A socket outside of the queue folder cannot be reached from a chroot, whatever its rights are. At the end of a
 * message Postfix waits milter_content_timeout for the answer, which may take message.timeout of ours; before that
 * milter_command_timeout.
 */
#include "cli/doctor/doctor.h"
#include "cli/mta_networks.h"
#include "policy/policy_settings.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* "30s", "5m", "1h", "1d", "1w", "20": seconds (postconf(5), time units; `unit` without one). -1: not a time. */
static long seconds_of(const char *text, long unit)
{
    static const struct {
        char letter;
        long seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || n < 0)
        return -1;
    for (size_t i = 0; *end && i < sizeof units / sizeof *units; i++)
        if (*end == units[i].letter && !end[1])
            return n > LONG_MAX / units[i].seconds ? -1 : n * units[i].seconds;
    return *end ? -1 : n * unit;
}

void doctor_smtpd_waits(struct doctor *d, const char *where, const char *content, const char *command)
{
    long ours = d->policy ? policy_set_number(d->policy, SETTING_MESSAGE_TIMEOUT) : 20;
    long lookup = d->policy ? policy_set_number(d->policy, SETTING_DNS_TIMEOUT) : 5;
    long wait = *content ? seconds_of(content, 1) : -1, step = *command ? seconds_of(command, 1) : -1;
    if (wait >= 0 && wait <= ours)
        doctor_say(d, DOCTOR_CRITICAL,
                   "%sPostfix waits %lds for a verdict (milter_content_timeout), and we look for up to %lds "
                   "(message.timeout): it gives up first\npostconf -e milter_content_timeout=300s, or a shorter set "
                   "message.timeout",
                   where, wait, ours);
    else if (wait >= 0)
        doctor_say(d, DOCTOR_OK, "%sPostfix waits %lds for a verdict, longer than message.timeout (%lds)", where, wait,
                   ours);
    if (step >= 0 && step <= lookup)
        doctor_say(d, DOCTOR_WARNING,
                   "%sPostfix waits %lds for each answer (milter_command_timeout), and a look-up may take %lds "
                   "(dns.timeout)\npostconf -e milter_command_timeout=30s",
                   where, step, lookup);
}

/* The unix socket among the milters that a chroot at `queue` has no name for; NULL: none. What a process in the chroot
 * opens as /x is QUEUE/x, so only a name that exists there can be reached. */
static const char *out_of_reach(struct doctor *d, const char *milters, const char *queue)
{
    for (const char *p = milters; *p;) {
        p += strspn(p, ", \t{}");
        size_t n = strcspn(p, ", \t{}");
        struct slice path = slice_of(p, n);
        p += n;
        if (path.n > 5 && memcmp(path.p, "unix:", 5) == 0)
            path = slice_from(path, 5);
        else if (path.n > 6 && memcmp(path.p, "local:", 6) == 0)
            path = slice_from(path, 6);
        else
            continue;
        const char *inside = arena_printf(d->arena, "%s/%.*s", queue, SLICE_ARG(path));
        const char *outside = arena_copy(d->arena, path.p, path.n);
        struct stat st;
        if (inside && outside && lstat(inside, &st) != 0 && *outside == '/' && lstat(outside, &st) == 0)
            return outside;
    }
    return NULL;
}

void doctor_smtpd_chroot(struct doctor *d, struct postfix *p, const struct postfix_service *services, size_t count,
                         const char *queue)
{
    size_t caged = 0, out = 0;
    for (size_t i = 0; i < count && *queue; i++) {
        struct postfix_value milters = {"smtpd_milters", NULL};
        if (!services[i].caged || !postfix_values(p, &services[i], &milters, 1))
            continue;
        const char *socket = out_of_reach(d, milters.text ? milters.text : "", queue);
        caged++;
        out += socket != NULL;
        if (socket)
            doctor_say(d, DOCTOR_CRITICAL,
                       "%s (smtpd, master.cf) runs in the chroot %s, where %s cannot be reached: its mail is not "
                       "judged\nassay harden puts the socket below %s; or write n in the fifth column of that line",
                       services[i].name, queue, socket, queue);
    }
    if (caged && !out)
        doctor_say(d, DOCTOR_OK, "smtpd runs in the chroot %s, and reaches the milters' sockets from there", queue);
}

void doctor_smtpd_networks(struct doctor *d, const char *networks)
{
    const struct mta_networks n = mta_networks_unknown(d->arena, d->policy, networks);

    if (*n.open)
        doctor_say(
            d, DOCTOR_CRITICAL,
            "Postfix relays for everybody: mynetworks has %s\ntake it out of mynetworks; hosts of yours are named "
            "one network at a time",
            n.open);
    if (*n.others)
        doctor_say(
            d, DOCTOR_WARNING,
            "Postfix relays for %s (mynetworks%s%s), and the policy does not know it: its mail is judged as mail "
            "from outside\nwrite `own network %s` into the policy; a host there that passes mail of others on is "
            "a `relay`",
            n.others, *n.left_out ? ", which leaves out " : "", n.left_out, n.others);
    if (*n.unread)
        doctor_say(d, DOCTOR_NOTE,
                   "mynetworks also has %s, which doctor does not look up\nif hosts of yours are named there: `own "
                   "network` in the policy",
                   n.unread);
    if (*n.here)
        doctor_say(
            d, DOCTOR_NOTE,
            "mail that programs on this host give in by SMTP, %s, is judged as mail from outside\nif they send in "
            "your name: `own network %s` in the policy, unless a proxy or container passes outside mail on from "
            "there",
            n.here, n.here);
}
