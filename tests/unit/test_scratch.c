// SPDX-License-Identifier: BSD-2-Clause
/* Folders of a trial: one that was killed leaves nothing for long, and nothing outside is ever removed. */
#include "cli/harden/scratch.h"
#include "tests/unit/cm.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[] = "/tmp/assay-test-scratch.XXXXXX";

static const char *in(const char *folder, const char *name)
{
    static char path[4][256];
    static unsigned n;
    n = (n + 1) % 4;
    snprintf(path[n], sizeof path[n], "%s/%s", folder, name);
    return path[n];
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void file_put(const char *path)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
}

/* A folder with a file, a folder in a folder, and a link that leads out. */
static void folder_fill(const char *folder)
{
    file_put(in(folder, "main.cf"));
    assert_int_equal(mkdir(in(folder, "queue"), 0700), 0);
    assert_int_equal(mkdir(in(folder, "queue/active"), 0700), 0);
    file_put(in(folder, "queue/active/mail"));
    assert_int_equal(symlink(in(top, "outside"), in(folder, "queue/away")), 0);
}

static void made_and_removed(void **state)
{
    struct scratch s;
    assert_true(scratch_open(&s, top, "one"));
    assert_true(is_there(s.path));
    folder_fill(s.path);
    char path[SCRATCH_PATH];
    memcpy(path, s.path, sizeof path);
    scratch_close(&s);
    assert_false(is_there(path));
    assert_true(is_there(in(top, "outside/file"))); /* what a link leads to stays */
    scratch_close(&s);                              /* once more: nothing */
    assert_false(scratch_open(&s, in(top, "none"), "one"));
    assert_string_equal(s.path, "");
}

/* Makes a folder, tells its name, and waits to be killed. */
static pid_t maker(char path[SCRATCH_PATH])
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct scratch s;
        alarm(60);
        if (!scratch_open(&s, top, "one") || write(fds[1], s.path, sizeof s.path) != sizeof s.path)
            _exit(1);
        for (;;)
            pause();
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], path, SCRATCH_PATH), SCRATCH_PATH);
    close(fds[0]);
    return pid;
}

static void of_a_killed_run(void **state)
{
    char dead[SCRATCH_PATH], alive[SCRATCH_PATH];
    struct scratch s;
    pid_t first = maker(dead), second = maker(alive);
    folder_fill(dead);
    folder_fill(alive);
    kill(first, SIGKILL);
    assert_int_equal(waitpid(first, NULL, 0), first);
    assert_true(is_there(dead));
    assert_true(scratch_open(&s, top, "two")); /* another name: not its business */
    assert_true(is_there(dead));
    scratch_close(&s);
    assert_true(scratch_open(&s, top, "one"));
    assert_false(is_there(dead));
    assert_true(is_there(in(alive, "queue/active/mail"))); /* somebody is at work there */
    assert_true(is_there(in(top, "outside/file")));
    scratch_close(&s);
    kill(second, SIGKILL);
    assert_int_equal(waitpid(second, NULL, 0), second);
    assert_true(scratch_open(&s, top, "one"));
    assert_false(is_there(alive));
    scratch_close(&s);
}

/* Whoever may write to /tmp can make such a name. */
static void what_is_not_ours(void **state)
{
    struct scratch s;
    assert_int_equal(symlink("outside", in(top, "assay-one-abcdef")), 0);
    file_put(in(top, "assay-one-ghijkl"));
    assert_int_equal(mkdir(in(top, "assay-one-longer-name"), 0700), 0);
    assert_int_equal(mkdir(in(top, "assay-one-theirs"), 0700), 0);
    bool others = geteuid() == 0 && chown(in(top, "assay-one-theirs"), 12345, 12345) == 0;
    assert_true(scratch_open(&s, top, "one"));
    assert_true(is_there(in(top, "assay-one-abcdef")));
    assert_true(is_there(in(top, "assay-one-ghijkl")));
    assert_true(is_there(in(top, "assay-one-longer-name")));
    assert_true(is_there(in(top, "outside/file")));
    assert_int_equal(is_there(in(top, "assay-one-theirs")), others);
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_and_removed),
        cmocka_unit_test(of_a_killed_run),
        cmocka_unit_test(what_is_not_ours),
    };
    char command[64];
    if (!mkdtemp(top) || mkdir(in(top, "outside"), 0700) != 0)
        return 1;
    file_put(in(top, "outside/file"));
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command) == 0 ? rc : 1;
}
