// SPDX-License-Identifier: BSD-2-Clause
/*
 * start_rights.c - sets the socket's permissions, becomes the user, goes to the background.
 *
 * Order, as called by main: the socket is created as root and given to the MTA's group; the folders are created and
 * given to our user; then root is given up for good (groups, group, user, in this order, and checked). Nothing reads
 * the network before that.
 */
#include "base/rootfile.h"
#include "milter/log.h"
#include "milter/start.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static int ready_fd = -1;

int start_socket_rights(const struct policy *p, const char *path)
{
    const char *text = policy_set_text(p, SETTING_MILTER_SOCKET_MODE);
    struct group *g;
    unsigned long mode;
    char *end;

    if (!path)
        return 0;
    mode = strtoul(text, &end, 8);
    if (*text == 0 || *end || mode > 0777) {
        log_failure("set milter.socket-mode \"%s\": must be octal permissions such as 0660", text);
        return EX_CONFIG;
    }
    g = geteuid() == 0 ? getgrnam(policy_set_text(p, SETTING_MILTER_SOCKET_GROUP)) : NULL;
    const struct rootfile_rights rights = {
        .mode = (mode_t)mode, .uid = ROOTFILE_NOBODY, .gid = g ? g->gr_gid : (gid_t)-1};
    if (rootfile_give(path, S_IFSOCK, &rights) != STATUS_OK) {
        log_failure("permissions of %s: %s", path, strerror(errno));
        return EX_NOPERM;
    }
    return 0;
}

/* Creates a folder, if its parent exists, and gives it to the user. A folder of another owner is left as it is: whether
 * we can write to it shows when we do. The user may own the parent folder: see base/rootfile.h. */
static int give_folder(const char *path, const struct passwd *pw)
{
    const struct rootfile_rights rights = {.mode = 0750, .uid = pw->pw_uid, .gid = pw->pw_gid};
    enum status s = rootfile_make_folder(path, &rights);

    if (s == STATUS_OK || (s == STATUS_DENIED && errno == EPERM))
        return 0;
    log_failure("cannot create folder %s for %s: %s", path, pw->pw_name,
                errno == ELOOP    ? "it is a symbolic link that root does not own; remove it"
                : errno == EINVAL ? "it exists and is not a folder; remove it"
                                  : strerror(errno));
    return s == STATUS_DENIED ? EX_NOPERM : EX_CANTCREAT;
}

/* The user to become. A snapshot lies in a folder that our user can write to, so a user named there is not trusted:
 * then it is the owner of the snapshot. */
static const char *user_to_become(const struct policy *p, const struct options *o, const char *snapshot,
                                  bool from_snapshot)
{
    struct stat st;
    const struct passwd *owner;

    if (o->user)
        return o->user;
    if (!from_snapshot || (lstat(snapshot, &st) == 0 && st.st_uid == 0))
        return policy_set_text(p, SETTING_MILTER_USER);
    owner = lstat(snapshot, &st) == 0 ? getpwuid(st.st_uid) : NULL;
    return owner ? owner->pw_name : "assay";
}

int start_drop_rights(const struct policy *p, const struct options *o, bool from_snapshot)
{
    const char *state = o->state ? o->state : ASSAY_STATEDIR, *name;
    char journal[PATH_MAX], snapshot[PATH_MAX];
    struct passwd *pw;
    int rc;

    if (geteuid() != 0)
        return 0;
    snprintf(snapshot, sizeof snapshot, "%s/policy.snapshot", state);
    name = user_to_become(p, o, snapshot, from_snapshot);
    pw = getpwnam(name);
    if (!pw) {
        log_failure("user '%s' does not exist: create it, or set milter.user (or -u)", name);
        return EX_NOUSER;
    }
    rc = give_folder(state, pw);
    /* A snapshot that root wrote is given to the user; any other is the user's already, or is replaced. */
    const struct rootfile_rights rights = {.uid = pw->pw_uid, .gid = pw->pw_gid};
    enum status given = rc == 0 ? rootfile_give(snapshot, S_IFREG, &rights) : STATUS_OK;
    if (rc == 0)
        rc = give_folder(start_journal_dir(p, o, journal), pw);
    if (rc)
        return rc;
    if (given != STATUS_OK && given != STATUS_MISSING)
        log_failure("%s is not given to %s, because it is a link or belongs to somebody else", snapshot, name);
    if (initgroups(pw->pw_name, pw->pw_gid) != 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0) {
        log_failure("cannot become user '%s': %s", name, strerror(errno));
        return EX_NOPERM;
    }
    if (pw->pw_uid != 0 && setresuid(0, 0, 0) == 0) {
        log_failure("cannot give up root privileges");
        return EX_SOFTWARE;
    }
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return 0;
}

int start_background(void)
{
    int fds[2], status = 0;
    char ok;
    pid_t pid;

    if (pipe(fds) != 0 || (pid = fork()) < 0) {
        log_failure("cannot go to the background: %s", strerror(errno));
        return EX_OSERR;
    }
    if (pid > 0) {
        close(fds[1]);
        if (read(fds[0], &ok, 1) == 1)
            _exit(EX_OK);
        waitpid(pid, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE);
    }
    close(fds[0]);
    ready_fd = fds[1];
    setsid();
    return chdir("/") == 0 ? 0 : EX_OSERR;
}

void start_ready(void)
{
    if (ready_fd < 0)
        return;
    if (write(ready_fd, "y", 1) == 1 && freopen("/dev/null", "r", stdin) && freopen("/dev/null", "w", stdout) &&
        freopen("/dev/null", "w", stderr))
        close(ready_fd);
    ready_fd = -1;
}
