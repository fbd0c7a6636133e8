// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_readers.c - asks the system whether the programs' users may read the policy.
 *
 * A program's user and group are those of the folder where it keeps its state. A child becomes that user and asks by
 * access(2), so that folders on the way and ACLs count. Reads and changes nothing; where this process is not root, or a
 * folder is root's, nothing is claimed.
 */
#include "cli/policy/policy_readers.h"
#include "cli/policy/policy_cmd.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The files of a policy one after the other; *at from 0, *last from NULL. NULL: that was all. */
static const char *next_file(const struct policy *p, const char *path, size_t *at, const char **last)
{
    const struct policy_statement *s;
    const char *file = NULL;
    size_t entries;
    if (!*last)
        return *last = path;
    for (; (s = policy_statement_at(p, *at)); ++*at) {
        if (s->file && strcmp(s->file, *last) != 0)
            return *last = s->file;
        if (s->kind == POLICY_LIST && policy_list(p, s->name, &entries, &file) == STATUS_OK && file) {
            ++*at;
            return file;
        }
    }
    return NULL;
}

static bool become(const struct passwd *pw, const struct stat *folder)
{
    const bool groups = pw ? initgroups(pw->pw_name, folder->st_gid) == 0 : setgroups(0, NULL) == 0;
    return groups && setgid(folder->st_gid) == 0 && setuid(folder->st_uid) == 0;
}

/* Writes the file, and the first folder on the way to it that may not be entered, each with its NUL. */
static void tell(const char *file, int to)
{
    char folder[PATH_MAX] = "";
    for (const char *slash = strchr(file, '/'); slash && *file == '/'; slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", slash == file ? 1 : (int)(slash - file), file);
        if (access(folder, X_OK) != 0)
            break;
        *folder = '\0';
    }
    (void)!write(to, file, strlen(file) + 1);
    (void)!write(to, folder, strlen(folder) + 1);
}

/* Runs in the child: writes to the pipe the first file that may not be read. */
static void files_check(const struct policy *p, const char *path, int to)
{
    const char *last = NULL, *file;
    size_t at = 0;
    while ((file = p ? next_file(p, path, &at, &last) : last ? NULL : (last = path)))
        if (access(file, R_OK) != 0 && errno == EACCES) {
            tell(file, to);
            return;
        }
}

static bool look_as(const struct stat *folder, const struct policy *p, const char *path, struct policy_closed *out)
{
    const struct passwd *pw = getpwuid(folder->st_uid);
    const struct group *gr = getgrgid(folder->st_gid);
    char told[2 * PATH_MAX];
    int pipes[2];
    size_t n = 0;
    snprintf(out->group, sizeof out->group, "%s", gr ? gr->gr_name : "assay");
    snprintf(out->user, sizeof out->user, "%s", pw ? pw->pw_name : "");
    if (!pw)
        snprintf(out->user, sizeof out->user, "%lu", (unsigned long)folder->st_uid);
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return false;
    const pid_t child = fork();
    if (child == 0) {
        if (become(pw, folder))
            files_check(p, path, pipes[1]);
        _exit(0);
    }
    close(pipes[1]);
    for (ssize_t got; child > 0 && n + 1 < sizeof told; n += (size_t)got)
        if ((got = read(pipes[0], told + n, sizeof told - 1 - n)) <= 0)
            break;
    told[n] = '\0';
    const size_t end = strlen(told);
    snprintf(out->file, sizeof out->file, "%.*s", PATH_MAX - 1, told);
    snprintf(out->folder, sizeof out->folder, "%.*s", PATH_MAX - 1, end < n ? told + end + 1 : "");
    close(pipes[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    return n != 0;
}

/* The folder of that program's state. false: there is none, or root's. */
static bool folder_of(size_t program, const char *state, const char **name, struct stat *folder)
{
    char path[PATH_MAX], *slash;
    if (!(*name = policy_program(program, state, path)) || !(slash = strrchr(path, '/')))
        return false;
    *slash = '\0';
    return stat(path, folder) == 0 && folder->st_uid != 0;
}

bool policy_readers_closed(const struct policy *p, const char *path, const char *state, struct policy_closed *out)
{
    char snapshot[PATH_MAX];
    struct stat folder, before = {0};
    for (size_t i = 0; geteuid() == 0 && policy_program(i, state, snapshot); i++) {
        if (!folder_of(i, state, &out->program, &folder) || access(snapshot, F_OK) != 0 ||
            (folder.st_uid == before.st_uid && folder.st_gid == before.st_gid))
            continue;
        if (look_as(&folder, p, path, out))
            return true;
        before = folder;
    }
    return false;
}

void policy_readers_remedy(const struct policy_closed *closed, struct buf *out)
{
    if (*closed->folder)
        buf_printf(out, "chgrp %s %s && chmod g+rx %s; then ", closed->group, closed->folder, closed->folder);
    buf_printf(out, "chgrp %s %s && chmod g+r %s", closed->group, closed->file, closed->file);
}

bool policy_readers_closed_file(const char *file, const char *state, struct policy_closed *out)
{
    struct stat folder;
    return geteuid() == 0 && folder_of(POLICY_PROGRAM_MILTER, state, &out->program, &folder) &&
           look_as(&folder, NULL, file, out);
}

static bool is_hidden(const char *file)
{
    static const char *const folders[] = {"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"};
    char *real = realpath(file, NULL);
    bool hidden = false;
    for (size_t i = 0; real && !hidden && i < sizeof folders / sizeof *folders; i++)
        hidden = strncmp(real, folders[i], strlen(folders[i])) == 0;
    free(real);
    return hidden;
}

/* The real path of each folder is looked up once, since there may be 100,000 files in it. */
bool policy_readers_hidden(const struct policy *p, const char *path, char file[PATH_MAX])
{
    const char *last = NULL, *one, *before = NULL;
    size_t at = 0, folder = 0;
    struct stat st;
    while ((one = next_file(p, path, &at, &last))) {
        const char *slash = strrchr(one, '/');
        const size_t n = slash ? (size_t)(slash - one) : 0;
        const bool same = before && n == folder && strncmp(one, before, n) == 0;
        if ((!same || (lstat(one, &st) == 0 && S_ISLNK(st.st_mode))) && is_hidden(one)) {
            snprintf(file, PATH_MAX, "%s", one);
            return true;
        }
        before = one;
        folder = n;
    }
    return false;
}
