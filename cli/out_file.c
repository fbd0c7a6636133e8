// SPDX-License-Identifier: BSD-2-Clause
/*
 * out_file.c - files that a command writes where its user says.
 *
 * Promises that the file is complete or is not there, that what was there before stays until then, and that root
 * follows no name that somebody else put there: no link, FIFO or device is opened, and of a file with several names
 * only the one given is replaced.
 */
#include "base/rootfile.h"
#include "cli/cli.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *cli_replace_file(const char *path, struct slice text, mode_t mode)
{
    const struct rootfile_rights rights = {.mode = mode, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    struct stat st;
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode)   ? "it is a folder"
               : S_ISLNK(st.st_mode) ? "it is a symbolic link, which is not followed: give the file itself"
                                     : "it is not a regular file";
    return rootfile_write(path, text, &rights) == STATUS_OK ? NULL : strerror(errno);
}

bool cli_flush_to_file(const char *path, struct buf *b, mode_t mode)
{
    const char *wrong = b->failed ? "out of memory" : cli_replace_file(path, buf_slice(b), mode);
    if (wrong)
        cli_error("%s: %s", path, wrong);
    buf_release(b);
    return !wrong;
}

bool cli_is_one_file(const char *a, const char *b)
{
    const char *paths[] = {a, b}, *names[2];
    struct stat files[2], folders[2];
    if (stat(a, &files[0]) == 0 && stat(b, &files[1]) == 0)
        return files[0].st_dev == files[1].st_dev && files[0].st_ino == files[1].st_ino;
    for (size_t i = 0; i < 2; i++) {
        const char *slash = strrchr(paths[i], '/');
        char *folder = slash ? strndup(paths[i], (size_t)(slash - paths[i]) + 1) : strdup(".");
        const bool known = folder && stat(folder, &folders[i]) == 0;
        free(folder);
        if (!known)
            return false;
        names[i] = slash ? slash + 1 : paths[i];
    }
    return folders[0].st_dev == folders[1].st_dev && folders[0].st_ino == folders[1].st_ino &&
           strcmp(names[0], names[1]) == 0;
}
