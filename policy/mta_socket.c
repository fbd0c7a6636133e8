// SPDX-License-Identifier: BSD-2-Clause
/*
 * mta_socket.c - reads the sockets that `assay harden` configured in the MTA.
 *
 * Promises to read at most MTA_SOCKET_MAX octets of a regular file that only root or the caller may write, and to
 * accept only "unix:/PATH" without blanks. On any failure there is no socket.
 */
#include "policy/mta_socket.h"
#include "base/rootfile.h"
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static bool read_one(const char *path, char out[MTA_SOCKET_MAX])
{
    struct buf text = BUF_INIT;
    struct stat st;
    const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - 1 + strlen("unix:");
    bool good = lstat(path, &st) == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH)) &&
                rootfile_read(path, ROOTFILE_NOBODY, MTA_SOCKET_MAX, &text) == STATUS_OK;
    struct slice line = slice_trim(buf_slice(&text));
    good = good && line.n > 6 && line.n <= most && memcmp(line.p, "unix:/", 6) == 0;
    for (size_t i = 0; good && i < line.n; i++)
        good = line.p[i] > ' ' && line.p[i] < 0x7f;
    if (good)
        snprintf(out, MTA_SOCKET_MAX, "%.*s", SLICE_ARG(line));
    buf_release(&text);
    return good;
}

bool mta_socket_read(const char *policy_path, const char *file, char out[MTA_SOCKET_MAX])
{
    char path[ROOTFILE_PATH];
    const char *slash = strrchr(policy_path, '/');
    int n = snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash - policy_path) + 1 : 0, policy_path, file);
    if (n > 0 && (size_t)n < sizeof path && read_one(path, out))
        return true;
    snprintf(path, sizeof path, "%s/%s", ASSAY_SYSCONFDIR, file);
    return read_one(path, out);
}
