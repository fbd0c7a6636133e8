// SPDX-License-Identifier: BSD-2-Clause
/*
 * mta_asks.c - compares what Postfix asks with where assay-milter listens.
 *
 * Promises to change nothing, and to claim something only of entries that are plainly Assay's: a unix socket in a
 * folder of that name.
 */
#include "cli/harden/mta_asks.h"
#include "cli/harden/harden_postfix.h"
#include "policy/policy_settings.h"
#include <stdio.h>
#include <string.h>

/* "{ unix:/x, a=b }" and "unix:/x" name the same socket. */
static bool names(struct slice entry, const char *written)
{
    const char *at = written ? memmem(entry.p, entry.n, written, strlen(written)) : NULL;
    size_t end = at ? (size_t)(at - entry.p) + strlen(written) : 0;
    return at && (end == entry.n || strchr(", \t}", entry.p[end]));
}

static const char *look(struct postfix *p, const struct policy *policy, const char *where, const char *list)
{
    const char *sockets[] = {policy_set_text(policy, SETTING_MILTER_SOCKET), policy_mta_socket(policy)};
    struct slice entry;
    for (const char *at = list; postfix_next_entry(&at, &entry);) {
        bool ours = false;
        for (size_t i = 0; i < 2; i++)
            ours = ours || (sockets[i] &&
                            (names(entry, postfix_writes(p, "smtp/inet", sockets[i])) || names(entry, sockets[i])));
        if (!ours && memmem(entry.p, entry.n, "unix:", 5) && memmem(entry.p, entry.n, "assay/", 6))
            return arena_printf(p->h->arena,
                                "%s asks %.*s, where assay-milter does not listen (it listens at %s): mail is "
                                "deferred",
                                where, SLICE_ARG(entry), sockets[0]);
    }
    return NULL;
}

const char *mta_asks_elsewhere(struct arena *a, const struct policy *policy)
{
    const char *argv[] = {"postconf", "-h", "config_directory", NULL};
    struct harden h = {.arena = a, .root = "", .socket = policy_set_text(policy, SETTING_MILTER_SOCKET)};
    struct postfix p = {.h = &h};
    int code = -1;
    const char *dir = harden_run(&h, argv, &code);
    if (code != 0 || !dir || snprintf(p.dir, sizeof p.dir, "%s", dir) >= (int)sizeof p.dir)
        return NULL;
    const char *said = look(&p, policy, "smtpd_milters in main.cf", postfix_get(&p, "smtpd_milters"));
    const char *all = said ? NULL : postfix_ask(&p, "-P", NULL);
    for (const char *line = all; line && *line && !said;) {
        size_t n = strcspn(line, "\n");
        const char *text = arena_copy(a, line, n), *equals = text ? strstr(text, "/smtpd_milters =") : NULL;
        const char *where = equals ? arena_printf(a, "master.cf: %.*s", (int)(equals - text), text) : NULL;
        if (where)
            said = look(&p, policy, where, strchr(equals, '=') + 1);
        line += n + (line[n] == '\n');
    }
    return said;
}
