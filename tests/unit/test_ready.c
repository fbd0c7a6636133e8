// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_ready.c - the service manager is told once, in the words of sd_notify(3); nobody to tell is no failure.
 */
#include "net/ready.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/assay-ready-XXXXXX";

/* A manager that reads at name ('@': Linux's abstract namespace). */
static int manager(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    size_t n = strlen(name);

    assert_true(fd >= 0 && n < sizeof at.sun_path);
    memcpy(at.sun_path, name, n);
    if (*name == '@')
        at.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)), 0);
    return fd;
}

static void expect_told(const char *name)
{
    char got[64] = "";
    int fd = manager(name);

    setenv("NOTIFY_SOCKET", name, 1);
    assert_true(ready_tell());
    assert_int_equal(recv(fd, got, sizeof got, 0), strlen("READY=1"));
    assert_string_equal(got, "READY=1");
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_true(ready_tell());
    assert_int_equal(recv(fd, got, sizeof got, 0), -1);
    close(fd);
}

static void told(void **state)
{
    char path[64], abstract[64];

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/notify", folder);
    expect_told(path);
    unlink(path);
    rmdir(folder);
    snprintf(abstract, sizeof abstract, "@assay-ready-%ld", (long)getpid());
    expect_told(abstract);
}

static void nobody(void **state)
{
    unsetenv("NOTIFY_SOCKET");
    assert_true(ready_tell());
    setenv("NOTIFY_SOCKET", "", 1);
    assert_true(ready_tell());
}

static void not_told(void **state)
{
    char longest[200];

    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    longest[0] = '/';
    const char *wrong[] = {"relative", "/", "@", longest};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("NOTIFY_SOCKET", wrong[i], 1);
        assert_false(ready_tell());
        assert_int_equal(errno, EINVAL);
        assert_null(getenv("NOTIFY_SOCKET"));
    }
    setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
    assert_false(ready_tell());
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told),
        cmocka_unit_test(nobody),
        cmocka_unit_test(not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
