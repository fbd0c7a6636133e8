// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_milter.c - checks that assay-milter answers on its sockets.
 *
 * Speaks the first step of the milter protocol (option negotiation, as an MTA does) and closes the connection. Waits at
 * most three seconds.
 */
#include "cli/doctor/doctor.h"
#include "net/dial.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define WAIT_SECONDS 3

/* SMFIC_OPTNEG with version 6 and everything an MTA may offer; the answer must be SMFIC_OPTNEG too. */
static bool negotiate(int fd)
{
    static const unsigned char ask[17] = {0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff};
    static const unsigned char quit[5] = {0, 0, 0, 1, 'Q'};
    unsigned char answer[17];
    struct timeval tv = {.tv_sec = WAIT_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    bool ok = send(fd, ask, sizeof ask, MSG_NOSIGNAL) == (ssize_t)sizeof ask &&
              recv(fd, answer, sizeof answer, MSG_WAITALL) == (ssize_t)sizeof answer && answer[4] == 'O';
    (void)!send(fd, quit, sizeof quit, MSG_NOSIGNAL);
    return ok;
}

static void judge_socket(struct doctor *d, const char *spec)
{
    int fd = dial_named(spec, WAIT_SECONDS * 1000);
    if (fd < 0 && (errno == EACCES || errno == EPERM)) {
        doctor_say(d, DOCTOR_UNKNOWN, "%s: %s\nrun this as root", spec, strerror(errno));
        return;
    }
    if (fd < 0) {
        doctor_say(d, DOCTOR_CRITICAL, "nobody answers on %s (%s): mail is not judged\nsystemctl restart assay-milter",
                   spec, strerror(errno));
        return;
    }
    if (negotiate(fd))
        doctor_say(d, DOCTOR_OK, "assay-milter answers on %s", spec);
    else
        doctor_say(d, DOCTOR_CRITICAL,
                   "what listens on %s does not answer as a milter does\nsystemctl restart assay-milter", spec);
    close(fd);
}

/* The policy's socket, and the one that harden told the MTA if that is another. */
void doctor_milter(struct doctor *d)
{
    const char *spec = doctor_setting(d, SETTING_MILTER_SOCKET, "unix:/run/assay/milter.sock"),
               *told = d->policy ? policy_mta_socket(d->policy) : NULL;
    judge_socket(d, spec);
    if (told && strcmp(told, spec) != 0)
        judge_socket(d, told);
}
