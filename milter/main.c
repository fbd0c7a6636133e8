// SPDX-License-Identifier: BSD-2-Clause
/*
 * main.c - assay-milter: judges incoming mail for Postfix and Sendmail (assay-milter(8)).
 *
 * The order of the steps follows from the privileges they need: read the policy, open the socket, create the folders,
 * become the user; only then go to the background, start threads and use the network. A step that fails ends the
 * program with one clear line and an exit code of sysexits.h.
 */
#include "base/streams.h"
#include "milter/ending.h"
#include "milter/libmilter_server.h"
#include "milter/log.h"
#include "milter/options.h"
#include "milter/server.h"
#include "milter/second_socket.h"
#include "milter/session.h"
#include "milter/start.h"
#include "milter/wire/wire_limits.h"
#include "milter/wire/wire_server.h"
#include "net/ready.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define MAIN_DRAIN_SECONDS 25 /* longer than a message may wait for DNS, shorter than ENDING_SECONDS */

/* Blocks these signals for this thread and all that it will create: only the engine's signal thread handles them. If
 * another thread left one unblocked, the kernel could deliver it there, and its default action ends the program. */
static void block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Everything before the first connection, in the order that the rights need. Returns an exit code; 0: it is ready. */
static int start_all(const struct policy *p, const struct options *o, const char *socket, enum server_engine engine,
                     bool from_snapshot)
{
    int rc = start_modules(&the_daemon, p);

    /* Not as root: whoever can write the snapshot could choose where root listens. A socket on the command line is
     * root's own choice. */
    if (!rc && from_snapshot && !o->socket)
        rc = start_drop_rights(p, o, from_snapshot);
    if (!rc)
        rc = server_open(socket, engine);
    if (!rc)
        rc = start_socket_rights(p, server_hidden());
    if (!rc)
        rc = server_show();
    if (!rc)
        rc = start_drop_rights(p, o, from_snapshot);
    if (!rc && !o->foreground)
        rc = start_background();
    if (!rc && !ending_prepare())
        log_complain(LOG_START, "no thread watches how long the end takes: out of memory or threads");
    if (!rc)
        rc = start_engines(&the_daemon, o);
    return rc;
}

/* Serves until it is told to stop. Returns the exit code, unless a message is still being judged: then it exits. */
static int milter_serve(const struct server_plan *plan)
{
    int rc;

    start_ready();
    if (!ready_tell())
        log_complain(LOG_START, "the service manager cannot be told that this program is ready: %s", strerror(errno));
    rc = server_run(plan);
    second_socket_close();
    if (!session_drain(MAIN_DRAIN_SECONDS)) {
        log_say("stopped while mail was being judged: the MTA will try it again");
        journal_flush(the_daemon.journal, 1000);
        _exit(rc);
    }
    log_say("stopped");
    return rc;
}

static int milter_run(const struct options *o)
{
    const struct policy *p;
    char *socket;
    bool from_snapshot = false;
    int rc;

    block_signals();
    rc = start_policy(&the_daemon, o, &from_snapshot);
    if (rc)
        return rc;
    p = policy_live_get(the_daemon.policy);
    socket = strdup(o->socket ? o->socket : policy_set_text(p, SETTING_MILTER_SOCKET));
    const struct server_plan plan = {
        .engine = policy_set_is(p, SETTING_MILTER_ENGINE, "native") ? SERVER_NATIVE : SERVER_LIBMILTER,
        .threads = (unsigned)policy_set_number(p, SETTING_MILTER_THREADS),
        .drain_seconds = MAIN_DRAIN_SECONDS,
        .reload = daemon_reload,
    };

    rc = socket ? start_all(p, o, socket, plan.engine, from_snapshot) : EX_OSERR;
    if (!rc) {
        log_open(o->foreground);
        log_say("version %s listens at %s: policy %s, mode %s", ASSAY_VERSION, socket, policy_hash(p),
                policy_set_text(p, SETTING_MODE));
        wire_limits_set(p);
    }
    if (!rc && !o->socket) {
        the_daemon.main_socket = socket;
        second_socket_begin(libmilter_connect, plan.engine == SERVER_NATIVE ? wire_server_listen : NULL);
        second_socket_listen(p, socket);
    }
    policy_unref(p);
    if (!rc)
        rc = milter_serve(&plan);
    free(socket);
    return rc;
}

int main(int argc, char **argv)
{
    struct options o;
    int rc = streams_hold() ? milter_options(&o, argc, argv) : EX_OSERR;

    if (rc >= 0)
        return rc;
    if (o.version) {
        printf("assay-milter %s\n", ASSAY_VERSION);
        return EX_OK;
    }
    if (o.test)
        return start_test(&o);
    signal(SIGPIPE, SIG_IGN);
    rc = milter_run(&o);
    start_undo(&the_daemon, rc);
    return rc;
}
