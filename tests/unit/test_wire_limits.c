// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_wire_limits.c - milter.connections, milter.memory and milter.peers as our own protocol engine takes them from a
 * policy: a quarter of the host's memory or of the service's MemoryMax, what is counted, and whose processes may
 * connect. wire_limits.c is included, so that the files of the control group can be the test's.
 */
#include "policy/policy.h"
#include "policy/policy_settings.h"
#include "tests/unit/cm.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *cgroup, *memory_file, *memory_text; /* contents, and the path that must be asked for; NULL: none */

static FILE *test_open(const char *path, const char *mode)
{
    if (strcmp(path, "/proc/self/uid_map") == 0)
        return fopen(path, mode);
    const char *text = strcmp(path, "/proc/self/cgroup") == 0          ? cgroup
                       : memory_file && strcmp(path, memory_file) == 0 ? memory_text
                                                                       : NULL;
    return text ? fmemopen((void *)(uintptr_t)text, strlen(text), "r") : NULL;
}

#define fopen test_open
#include "milter/wire/wire_limits.c"

static void use(const char *settings)
{
    char text[512];
    const struct policy *p;

    snprintf(text, sizeof text, "follow dmarc of everyone\n%s", settings);
    p = policy_load_text(slice_str(text), "test", NULL);
    assert_non_null(p);
    wire_limits_set(p);
    policy_unref(p);
}

static void connections(void **state)
{
    use("");
    assert_int_equal(wire_limits_connections(), 10000);
    use("set milter.connections 17\n");
    assert_int_equal(wire_limits_connections(), 17);
}

static void memory_as_set(void **state)
{
    use("set milter.memory 64k\n");
    assert_false(wire_limits_memory_is_full());
    wire_limits_count_memory(65535);
    assert_false(wire_limits_memory_is_full());
    wire_limits_count_memory(1);
    assert_true(wire_limits_memory_is_full());
    use("set milter.memory 128k\n"); /* a reload: what is counted stays */
    assert_false(wire_limits_memory_is_full());
    wire_limits_count_memory(65536);
    assert_true(wire_limits_memory_is_full());
    wire_limits_count_memory(-131072);
    assert_false(wire_limits_memory_is_full());
}

static int64_t quarter_of_the_host(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / 4;
}

/* The bound by what may be counted before it is reached. */
static void bound_holds(int64_t bound)
{
    wire_limits_count_memory(bound - 1);
    assert_false(wire_limits_memory_is_full());
    wire_limits_count_memory(1);
    assert_true(wire_limits_memory_is_full());
    wire_limits_count_memory(-bound);
}

static void a_quarter_of_what_there_is(void **state)
{
    static const struct {
        const char *cgroup, *file, *text;
        int64_t bound; /* 0: a quarter of the host */
    } cases[] = {
        {NULL, NULL, NULL, 0},
        {"0::/system.slice/assay-milter.service\n", "/sys/fs/cgroup/system.slice/assay-milter.service/memory.max",
         "8388608\n", 2097152},
        {"0::/system.slice/assay-milter.service\n", "/sys/fs/cgroup/system.slice/assay-milter.service/memory.max",
         "max\n", 0},
        {"0::/system.slice/assay-milter.service\n", "/sys/fs/cgroup/system.slice/assay-milter.service/memory.max",
         "0\n", 0},
        {"0::/x\n", "/sys/fs/cgroup/x/memory.max", " ", 0},
        {"0::/x\n", NULL, NULL, 0},
        {"0::/\n", "/sys/fs/cgroup//memory.max", "4194304\n", 1048576},                       /* in a container */
        {"12:memory:/y\n1:name=systemd:/y\n", "/sys/fs/cgroup/y/memory.max", "8388608\n", 0}, /* version 1 */
        {"1:name=systemd:/y\n0::/z\n", "/sys/fs/cgroup/z/memory.max", "8388608\n", 2097152},
        {"0::/x\n", "/sys/fs/cgroup/x/memory.max", "9000000000000000000\n", 0}, /* more than the host has */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cgroup = cases[i].cgroup;
        memory_file = cases[i].file;
        memory_text = cases[i].text;
        use("");
        bound_holds(cases[i].bound ? cases[i].bound : quarter_of_the_host());
    }
    cgroup = memory_file = memory_text = NULL;
}

static bool may(int family)
{
    int fd[2], listener;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    bool is;

    if (family == AF_UNIX) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    } else {
        listener = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
        fd[1] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd[1], (struct sockaddr *)&a, sizeof a), 0);
        fd[0] = accept(listener, NULL, NULL);
        assert_true(fd[0] >= 0);
        close(listener);
    }
    is = wire_limits_peer_may(fd[0]);
    close(fd[0]);
    close(fd[1]);
    return is;
}

static void peers_by_name(void **state)
{
    const struct passwd *pw = getpwuid(geteuid());
    char text[200], own[64];

    if (!pw)
        skip();
    snprintf(own, sizeof own, "%s", pw->pw_name);
    use("");
    assert_true(may(AF_UNIX));
    use("set milter.peers \"no-such-user\"\n"); /* nobody, since nobody of that name exists */
    assert_false(may(AF_UNIX));
    assert_true(may(AF_INET)); /* bears no user */
    snprintf(text, sizeof text, "set milter.peers \"no-such-user %s\"\n", own);
    use(text);
    assert_true(may(AF_UNIX));
    use(strcmp(own, "nobody") == 0 ? "set milter.peers \"root\"\n" : "set milter.peers \"nobody\"\n");
    assert_false(may(AF_UNIX));
    snprintf(text, sizeof text, "set milter.peers \"nobody,  %s\"\n", own);
    use(text);
    assert_true(may(AF_UNIX));
    assert_true(may(AF_UNIX));
    struct buf many = BUF_INIT; /* as many as a setting holds: none is left out */
    buf_adds(&many, "set milter.peers \"");
    for (size_t i = 0; i < 60; i++)
        buf_adds(&many, "nobody ");
    buf_printf(&many, "%s\"\n", own);
    use(many.p);
    assert_true(may(AF_UNIX));
    buf_release(&many);
    use("");
    assert_true(may(AF_UNIX));
}

/* In a user namespace that maps user 0 alone, as PrivateUsers= makes one, another user is seen as nobody (65534). To
 * name nobody must not let in all users of the host. */
static int stranger_as_nobody(int fd)
{
    static const char map[] = "0 0 1\n";
    const int to = unshare(CLONE_NEWUSER) == 0 ? open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC) : -1;

    if (to < 0 || write(to, map, strlen(map)) != (ssize_t)strlen(map))
        return 77;
    close(to);
    use("set milter.peers \"nobody root\"\n");
    return wire_limits_peer_may(fd) ? 1 : may(AF_UNIX) ? 0 : 2;
}

static void peers_that_are_not_seen(void **state)
{
    int fd[2], ended = -1;
    (void)state;

    if (geteuid() != 0)
        skip();
    assert_int_equal(seteuid(1234), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    assert_int_equal(seteuid(0), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(stranger_as_nobody(fd[0]));
    assert_int_equal(waitpid(child, &ended, 0), child);
    close(fd[0]);
    close(fd[1]);
    assert_true(WIFEXITED(ended));
    if (WEXITSTATUS(ended) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(ended), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections),
        cmocka_unit_test(memory_as_set),
        cmocka_unit_test(a_quarter_of_what_there_is),
        cmocka_unit_test(peers_by_name),
        cmocka_unit_test(peers_that_are_not_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
