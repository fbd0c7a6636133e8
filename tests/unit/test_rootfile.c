// SPDX-License-Identifier: BSD-2-Clause
// What base/rootfile refuses and what it never touches: a symbolic link, a hard link, a FIFO, a device and a file of
// another owner in each place, in a folder that belongs to another user. Needs root; as another user most is skipped.
#include "base/rootfile.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#define THEM 65533 /* the user that owns the folder */

static char top[] = "/tmp/assay-rootfile-XXXXXX";
static char theirs[128], outside[128], path[160];

static const char *in(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", theirs, name);
    return path;
}

static void file_put(const char *where, const char *text, uid_t uid, mode_t mode)
{
    int fd = open(where, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchown(fd, uid, uid), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int setup(void **state)
{
    (void)state;
    if (geteuid() != 0)
        return 0;
    assert_non_null(mkdtemp(top));
    assert_int_equal(chmod(top, 0755), 0);
    snprintf(theirs, sizeof theirs, "%s/theirs", top);
    snprintf(outside, sizeof outside, "%s/outside", top);
    assert_int_equal(mkdir(theirs, 0755), 0);
    assert_int_equal(chown(theirs, THEM, THEM), 0);
    file_put(outside, "root's own", 0, 0600);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char line[64];
    snprintf(line, sizeof line, "rm -rf %s", top);
    return geteuid() == 0 && system(line) != 0;
}

/* The file outside is what it was: octets, owner, mode, and its one or two names. */
static void assert_untouched(void)
{
    struct stat st;
    char text[32] = "";
    int fd = open(outside, O_RDONLY);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    assert_int_equal(fstat(fd, &st), 0);
    close(fd);
    assert_string_equal(text, "root's own");
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

enum trick { LINK, DANGLING, HARD, FIFO, DEVICE, OTHERS, TRICKS };

static void play(enum trick t, const char *name)
{
    const char *at = in(name);
    unlink(at);
    switch (t) {
    case LINK:
        assert_int_equal(symlink(outside, at), 0);
        assert_int_equal(lchown(at, THEM, THEM), 0);
        break;
    case DANGLING: {
        char nowhere[160];
        snprintf(nowhere, sizeof nowhere, "%s/nowhere", top);
        assert_int_equal(symlink(nowhere, at), 0);
        break;
    }
    case HARD:
        assert_int_equal(link(outside, at), 0);
        break;
    case FIFO:
        assert_int_equal(mkfifo(at, 0666), 0);
        break;
    case DEVICE:
        if (mknod(at, S_IFCHR | 0666, makedev(1, 3)) != 0)
            file_put(at, "no device", 2, 0600); /* a container may not make one */
        break;
    case OTHERS:
        file_put(at, "of user 2", 2, 0666);
        break;
    case TRICKS:
        break;
    }
}

static void test_read(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    for (enum trick t = LINK; t < TRICKS; t++) {
        struct buf b = BUF_INIT;
        play(t, "read");
        assert_int_not_equal(rootfile_read(in("read"), THEM, 1000, &b), STATUS_OK);
        assert_int_equal(b.n, 0);
        buf_release(&b);
    }
    unlink(in("read"));
    file_put(in("read"), "theirs", THEM, 0644);
    struct buf b = BUF_INIT;
    assert_int_equal(rootfile_read(in("read"), ROOTFILE_NOBODY, 1000, &b), STATUS_DENIED);
    assert_int_equal(rootfile_read(in("read"), THEM, 1000, &b), STATUS_OK);
    assert_string_equal(b.p, "theirs");
    assert_int_equal(rootfile_read(in("read"), THEM, 3, &b), STATUS_LIMIT);
    assert_int_equal(rootfile_read(in("nothing"), THEM, 3, &b), STATUS_MISSING);
    buf_release(&b);
    assert_untouched();
}

static void test_write(void **state)
{
    (void)state;
    struct stat st;
    struct rootfile_rights r = {.mode = 0640, .uid = THEM, .gid = THEM};
    if (geteuid() != 0)
        skip();
    for (enum trick t = LINK; t < TRICKS; t++) {
        play(t, "write");
        assert_int_equal(rootfile_write(in("write"), slice_str("new"), &r), STATUS_OK);
        assert_int_equal(lstat(in("write"), &st), 0);
        assert_true(S_ISREG(st.st_mode) && st.st_uid == THEM && st.st_nlink == 1 && (st.st_mode & 07777) == 0640);
        assert_untouched();
    }
    snprintf(path, sizeof path, "%s/nowhere", top);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(rootfile_write(in("no/such"), slice_str("x"), &r), STATUS_MISSING);
}

static void test_give(void **state)
{
    (void)state;
    struct rootfile_rights r = {.mode = 0666, .uid = THEM, .gid = THEM};
    if (geteuid() != 0)
        skip();
    for (enum trick t = LINK; t < TRICKS; t++) {
        play(t, "give");
        assert_int_not_equal(rootfile_give(in("give"), S_IFREG, &r), STATUS_OK);
        assert_int_not_equal(rootfile_give(in("give"), S_IFSOCK, &r), STATUS_OK);
        assert_int_not_equal(rootfile_make_folder(in("give"), &r), STATUS_OK);
        assert_untouched();
    }
    unlink(in("give"));
    file_put(in("give"), "root's, to be given", 0, 0600);
    assert_int_equal(rootfile_give(in("give"), S_IFREG, &r), STATUS_OK);
    struct stat st;
    assert_int_equal(lstat(in("give"), &st), 0);
    assert_true(st.st_uid == THEM && (st.st_mode & 07777) == 0666);
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    snprintf(sun.sun_path, sizeof sun.sun_path, "%.90s/socket", theirs);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(s, (struct sockaddr *)&sun, sizeof sun), 0);
    assert_int_equal(rootfile_give(in("socket"), S_IFSOCK, &r), STATUS_OK);
    assert_int_equal(lstat(in("socket"), &st), 0);
    assert_int_equal(st.st_uid, THEM);
    close(s);
}

static void test_folder(void **state)
{
    (void)state;
    struct rootfile_rights r = {.mode = 02770, .uid = THEM, .gid = THEM};
    struct stat st;
    char target[160], etc[200];
    if (geteuid() != 0)
        skip();
    assert_int_equal(rootfile_make_folder(in("journal"), &r), STATUS_OK);
    assert_int_equal(rootfile_make_folder(in("journal"), &r), STATUS_OK); /* twice is the same */
    assert_int_equal(stat(in("journal"), &st), 0);
    assert_true(st.st_uid == THEM && (st.st_mode & 07777) == 02770);
    snprintf(target, sizeof target, "%s/roots", top);
    assert_int_equal(mkdir(target, 0700), 0);
    assert_int_equal(rmdir(in("journal")), 0);
    assert_int_equal(symlink(target, in("journal")), 0);
    assert_int_equal(rootfile_make_folder(in("journal"), &r), STATUS_DENIED);
    assert_int_equal(stat(target, &st), 0);
    assert_true(st.st_uid == 0 && (st.st_mode & 07777) == 0700);
    /* A link in the path is refused too: root made it, but it stands in their folder. */
    assert_int_equal(rootfile_write(in("journal/file"), slice_str("x"), &r), STATUS_DENIED);
    assert_int_equal(errno, ELOOP);
    snprintf(etc, sizeof etc, "%s/file", target);
    assert_int_equal(access(etc, F_OK), -1);
    /* Where only root may write, a link is a host's own way to lay out its disks. */
    snprintf(etc, sizeof etc, "%s/var", top);
    assert_int_equal(symlink(target, etc), 0);
    snprintf(etc, sizeof etc, "%s/var/file", top);
    assert_int_equal(rootfile_write(etc, slice_str("x"), &r), STATUS_OK);
    assert_int_equal(rootfile_remove(etc), STATUS_OK);
    assert_int_equal(rootfile_remove(etc), STATUS_MISSING);
    int fd = rootfile_folder("/../..//tmp/./..");
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(rootfile_folder("/etc/passwd"), -1);
    assert_int_equal(errno, ENOTDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read), cmocka_unit_test(test_write),
                                       cmocka_unit_test(test_give), cmocka_unit_test(test_folder)};
    return cmocka_run_group_tests_name("rootfile", tests, setup, teardown);
}
