// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_smtp.c - how Postfix's smtp protects mail going out: main.cf's settings, and what services of master.cf have
 * of their own (-o).
 *
 * A service that does not ask assay-outgoing though main.cf does sends by no policy of MTA-STS. One that asks needs
 * certificate authorities that it can read: without them every mail to a domain with an enforced policy waits. Postfix
 * reads smtp_tls_CAfile before it enters its chroot, and smtp_tls_CApath from inside.
 */
#include "cli/doctor/doctor.h"
#include "cli/harden/ca_store.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICES 64 /* smtp clients of one master.cf that are looked at */

struct client {
    char name[96]; /* "relay/unix", as postconf -P has it */
    bool caged;
};

/* The service's own value of a setting, by the lines of postconf -P; NULL: it has none. */
static const char *own_value(struct doctor *d, const char *lines, const char *service, const char *setting)
{
    const char *start = arena_printf(d->arena, "%s/%s =", service, setting);
    const size_t n = start ? strlen(start) : 0;

    for (const char *at = n ? lines : NULL; at; at = strchr(at, '\n'), at += at != NULL) {
        const struct slice line = slice_of(at, strcspn(at, "\n"));
        if (line.n < n || memcmp(line.p, start, n) != 0)
            continue;
        const struct slice value = slice_trim(slice_from(line, n));
        return value.n ? arena_copy(d->arena, value.p, value.n) : "";
    }
    return NULL;
}

static size_t clients_of(struct doctor *d, struct client out[SERVICES])
{
    const char *text = doctor_run(d, (const char *const[]){"postconf", "-M", NULL}, NULL);
    char *lines = text ? arena_strdup(d->arena, text) : NULL, *save = NULL;
    size_t count = 0;

    for (char *line = lines ? strtok_r(lines, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
        char name[64], type[16], chroot[16], program[64];
        if (count == SERVICES ||
            sscanf(line, "%63s %15s %*s %*s %15s %*s %*s %63s", name, type, chroot, program) != 4 ||
            strcmp(program, "smtp") != 0)
            continue;
        snprintf(out[count].name, sizeof out[count].name, "%s/%s", name, type);
        out[count++].caged = strcmp(chroot, "y") == 0;
    }
    return count;
}

/* What keeps a client from verifying any certificate; NULL: nothing that we know of. cage: its chroot; "": none. */
static const char *trouble_with(struct doctor *d, const char *file, const char *folder, const char *cage)
{
    const char *inside = arena_printf(d->arena, "%s%s", cage, folder);

    if (!*file && !*folder)
        return "Postfix knows no certificate authorities";
    if (*file && access(file, R_OK) != 0)
        return errno == EACCES ? NULL
                               : arena_printf(d->arena,
                                              "smtp_tls_CAfile=%s cannot be read (%s), and Postfix does no TLS without "
                                              "it",
                                              file, strerror(errno));
    if ((*file && ca_store_is_good(file)) || (*folder && inside && ca_store_folder_has_some(inside)))
        return NULL;
    if (*file)
        return arena_printf(d->arena, "smtp_tls_CAfile=%s holds no certificate of an authority that is valid now",
                            file);
    return arena_printf(d->arena, "smtp_tls_CApath: %s has no certificates under the names that OpenSSL looks for%s",
                        inside ? inside : folder, *cage ? " (smtp runs in that chroot)" : "");
}

void doctor_smtp(struct doctor *d, const struct doctor_smtp_settings *s)
{
    struct client clients[SERVICES];
    const size_t n = clients_of(d, clients);
    const char *lines = doctor_run(d, (const char *const[]){"postconf", "-x", "-P", NULL}, NULL), *said = "";
    const bool main_asks = strstr(s->maps, ":assay") != NULL;

    for (size_t i = 0; i < n; i++) {
        const char *name = clients[i].name;
        const char *maps = own_value(d, lines, name, "smtp_tls_policy_maps"),
                   *file = own_value(d, lines, name, "smtp_tls_CAfile"),
                   *folder = own_value(d, lines, name, "smtp_tls_CApath"),
                   *append = own_value(d, lines, name, "tls_append_default_CA");
        const bool own = maps || file || folder || append;
        if (maps && main_asks && !strstr(maps, ":assay"))
            doctor_say(
                d, DOCTOR_WARNING,
                "%s (master.cf) has a smtp_tls_policy_maps of its own that does not ask assay-outgoing: its mail "
                "goes out by no policy of MTA-STS\ntake that -o out, or add main.cf's socketmap to it",
                name);
        if (!strstr(maps ? maps : s->maps, ":assay") || strcmp(append ? append : s->append, "yes") == 0)
            continue;
        const char *why =
            trouble_with(d, file ? file : s->file, folder ? folder : s->folder, clients[i].caged ? s->queue : "");
        if (!why || (!own && strcmp(why, said) == 0))
            continue;
        if (!own)
            said = why;
        doctor_say(d, DOCTOR_CRITICAL, "%s%s%s: mail to domains with an enforced MTA-STS policy waits\n%s", why,
                   own ? ", for " : "", own ? name : "",
                   own ? "take its -o smtp_tls_CAfile and smtp_tls_CApath out of master.cf, or correct them"
                       : "assay harden sets smtp_tls_CAfile where it is empty; or: postconf -e "
                         "smtp_tls_CAfile=/etc/ssl/certs/ca-certificates.crt");
    }
}
