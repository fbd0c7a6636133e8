// SPDX-License-Identifier: BSD-2-Clause
/*
 * outgoing.c - opens and closes what answers Postfix about its own mail.
 *
 * The socket has the mode and group of milter.socket: who may hand us mail may ask this. What goes wrong later (a
 * policy that cannot be fetched, a file that cannot be written) is a line in the log, limited, and no mail waits for it
 * that need not. A socket that cannot be opened ends the start with EX_UNAVAILABLE: Postfix, told to ask there, would
 * keep all its mail.
 */
#include "milter/outgoing.h"
#include "net/https.h"
#include "milter/log.h"
#include "outgoing/socketmap.h"
#include "policy/policy_settings.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static void note(void *context, const char *domain, const char *what)
{
    log_complain(LOG_OUTBOUND, "MTA-STS: %s: %s", domain, what);
}

int outgoing_open(struct daemon *d, const struct policy *p)
{
    const char *socket = policy_set_text(p, SETTING_POSTFIX_TLS_POLICY_SOCKET),
               *error = "out of memory, or libcurl cannot be used";
    char file[PATH_MAX];
    struct tls_policy_config c = {.dns = d->host.dns, .file = file, .note = note};

    if (!*socket)
        return 0;
    snprintf(file, sizeof file, "%s/" OUTGOING_FILE, d->state_dir);
    d->tls_policy = https_begin() ? tls_policy_new(&c) : NULL;
    if (d->tls_policy)
        d->socketmap =
            socketmap_open(socket, (unsigned)strtoul(policy_set_text(p, SETTING_MILTER_SOCKET_MODE), NULL, 8),
                           policy_set_text(p, SETTING_MILTER_SOCKET_GROUP), d->tls_policy, &error);
    if (!d->socketmap)
        fprintf(stderr, "assay-milter: postfix.tls-policy-socket: %s\n", error);
    return d->socketmap ? 0 : EX_UNAVAILABLE;
}

void outgoing_close(struct daemon *d)
{
    d->socketmap = socketmap_close(d->socketmap);
    d->tls_policy = tls_policy_free(d->tls_policy);
}
