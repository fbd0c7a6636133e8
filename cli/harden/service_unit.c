// SPDX-License-Identifier: BSD-2-Clause
/*
 * service_unit.c - asks systemd which folders a service may write to.
 *
 * systemctl is asked, not the unit's file: an administrator's drop-ins count. If it gives no answer, nothing counts as
 * forbidden.
 */
#include "cli/harden/service_unit.h"
#include <string.h>

/* "NAME=VALUE", a line of systemctl show; "" if there is none. */
static struct slice property(const char *said, const char *name)
{
    const size_t n = strlen(name);
    for (const char *at = said; at && *at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, name, n) == 0 && at[n] == '=')
            return slice_of(at + n + 1, strcspn(at + n + 1, "\n"));
    }
    return SLICE_LIT("");
}

/* A path of the list, perhaps with - or + before it, that the folder is or lies in. */
static bool covers(struct slice paths, const char *folder)
{
    while (paths.n) {
        const char *blank = memchr(paths.p, ' ', paths.n);
        struct slice one = slice_of(paths.p, blank ? (size_t)(blank - paths.p) : paths.n);
        paths = slice_from(paths, blank ? one.n + 1 : one.n);
        while (one.n && (*one.p == '-' || *one.p == '+'))
            one = slice_from(one, 1);
        if (one.n && strncmp(folder, one.p, one.n) == 0 && (folder[one.n] == '/' || folder[one.n] == '\0'))
            return true;
    }
    return false;
}

const char *service_unit_forbids(struct harden *h, const char *service, const char *socket)
{
    const char *const argv[] = {"systemctl", "show", "--property=LoadState,ProtectSystem,ReadWritePaths", service,
                                NULL};
    const char *slash = strncmp(socket, "unix:/", 6) == 0 ? strrchr(socket, '/') : NULL;
    const char *folder = slash ? arena_copy(h->arena, socket + 5, (size_t)(slash - socket) - 5) : NULL;
    int code = -1;
    const char *said = folder && *folder ? harden_ask(h, argv, &code) : NULL;
    if (code != 0 || !slice_eq(property(said, "LoadState"), SLICE_LIT("loaded")) ||
        !slice_eq(property(said, "ProtectSystem"), SLICE_LIT("strict")))
        return NULL;
    return covers(property(said, "ReadWritePaths"), folder) ? NULL : folder;
}
