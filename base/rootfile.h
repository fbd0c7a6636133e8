// SPDX-License-Identifier: BSD-2-Clause
/*
 * rootfile.h - safe file operations for root in a folder that another user can write to.
 *
 * Root follows no name that somebody else could have put there. All functions work by openat() from "/" (or from the
 * current folder) and hold each folder open while they work in it. The rules:
 *   - A symbolic link on the way to the folder is followed only if its owner is root or the caller, and the folder that
 *     it stands in belongs to one of them and cannot be written by others (or is sticky). A link as the last component
 *     is never followed.
 *   - A file is read only if it is regular, has one name, and belongs to root, to the caller, or to the one other user
 *     that the caller names. What is read there is data: no caller takes a user, a path to write or a mode from it.
 *   - A file is written under a fresh random name (O_EXCL), given its owner and mode by its descriptor, synced, and
 *     renamed. What stood there under the name is replaced, never opened: link, FIFO, device or file of others.
 *   - Owner and mode are changed by the descriptor, after the kind, the owner and the number of names were checked.
 *
 * Returns a status; errno says more and is kept for the caller's words. STATUS_DENIED with errno ELOOP: a symbolic link
 * that is not followed; EPERM: an owner, or a number of names, that is not accepted; STATUS_INVALID: not the kind of
 * file that is wanted. Threads: any number. Limit: ROOTFILE_PATH octets of a path, ROOTFILE_LINKS links.
 */
#ifndef ASSAY_BASE_ROOTFILE_H
#define ASSAY_BASE_ROOTFILE_H

#include "base/buf.h"
#include "base/status.h"
#include <sys/stat.h>
#include <sys/types.h>

#define ROOTFILE_PATH 4096
#define ROOTFILE_LINKS 40             /* as the kernel's own limit for a path */
#define ROOTFILE_NOBODY ((uid_t) - 1) /* no other owner is accepted; or: the owner stays */

struct rootfile_rights {
    mode_t mode;
    uid_t uid; /* ROOTFILE_NOBODY: as it is made */
    gid_t gid; /* (gid_t)-1: as it is made */
};

/* Opens a folder; the caller closes it. -1 with errno. */
int rootfile_folder(const char *path);

/* The same of the folder that holds path; *name is the last component, within path. */
int rootfile_parent(const char *path, const char **name);

/* Appends what is in it to out. STATUS_LIMIT: it holds more than `most` octets. */
enum status rootfile_read(const char *path, uid_t other, size_t most, struct buf *out) MUST_CHECK;

/* Replaces the file, completely or not at all. On disk, under its name, when it returns. */
enum status rootfile_write(const char *path, struct slice text, const struct rootfile_rights *rights) MUST_CHECK;

/* Makes a folder with these rights, and syncs its name; or gives the one that is there, root's or the caller's, to
 * rights->uid; its mode then stays as it is. */
enum status rootfile_make_folder(const char *path, const struct rootfile_rights *rights) MUST_CHECK;

/* Sets owner and mode of an existing entry of this kind (S_IFREG, S_IFSOCK, S_IFDIR). It must be root's, the caller's
 * or rights->uid's. A mode of 0 leaves the mode. */
enum status rootfile_give(const char *path, mode_t kind, const struct rootfile_rights *rights) MUST_CHECK;

/* Removes a name that is not a folder, and syncs that. STATUS_MISSING: there is none. */
enum status rootfile_remove(const char *path) MUST_CHECK;

/* STATUS_DENIED for EACCES, EPERM, ELOOP and EROFS; STATUS_MISSING for ENOENT and ENOTDIR; else STATUS_AGAIN. */
enum status rootfile_status(int error);

#endif
