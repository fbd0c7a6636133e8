// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_inet_name.c - names of inet sockets: what is read, and that no part of a name is taken for the whole.
 * Alone: make check-one T=test_inet_name. Needs nothing.
 */
#include "base/inet_name.h"
#include "tests/unit/cm.h"
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void are_read(void **state)
{
    static const struct {
        const char *name;
        int family;
        const char *port, *host;
    } cases[] = {
        {"inet:8891", AF_INET, "8891", ""},
        {"inet:1@localhost", AF_INET, "1", "localhost"},
        {"inet:65535@192.0.2.1", AF_INET, "65535", "192.0.2.1"},
        {"inet:8891@[192.0.2.1]", AF_INET, "8891", "192.0.2.1"},
        {"inet6:8891", AF_INET6, "8891", ""},
        {"inet6:8891@mx.example.org", AF_INET6, "8891", "mx.example.org"},
        {"inet6:8891@::1", AF_INET6, "8891", "::1"},
        {"inet6:8891@[::1]", AF_INET6, "8891", "::1"},
        {"inet6:8891@[IPv6:2001:db8::1]", AF_INET6, "8891", "2001:db8::1"},
        {"inet6:8891@fe80::1%eth0", AF_INET6, "8891", "fe80::1%eth0"},
        {"inet:8891@::1", AF_INET6, "8891", "::1"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct inet_name n;
        assert_true(inet_name_read(cases[i].name, &n));
        assert_int_equal(n.family, cases[i].family);
        assert_string_equal(n.port, cases[i].port);
        assert_string_equal(n.host, cases[i].host);
    }
}

/* A slip of the pen must not open every address of this computer, nor another port. */
static void are_refused(void **state)
{
    static const char *const names[] = {
        "",
        "inet",
        "inet:",
        "inet:@127.0.0.1",
        "inet:0",
        "inet:65536@127.0.0.1",
        "inet:99999@127.0.0.1",
        "inet:118891@127.0.0.1",
        "inet:-1@127.0.0.1",
        "inet:+8891@127.0.0.1",
        "inet: 8891@127.0.0.1",
        "inet:8891x@127.0.0.1",
        "inet:8891 @127.0.0.1",
        "inet:8891:127.0.0.1",
        "inet:8891@",
        "inet:8891@ 127.0.0.1",
        "inet:8891@127.0.0.1 ",
        "inet:8891@127.0.0.1@x",
        "inet:8891@[]",
        "inet:8891@[::1",
        "inet:8891@::1]",
        "inet:smtp@127.0.0.1",
        "inet4:8891@127.0.0.1",
        "unix:/run/assay/milter.sock",
        "8891@127.0.0.1",
    };
    char most[300] = "inet:8891@";
    struct inet_name n;
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (inet_name_read(names[i], &n))
            fail_msg("'%s' was read", names[i]);
    }
    memset(most + 10, 'a', sizeof n.host - 1);
    assert_true(inet_name_read(most, &n));
    most[10 + sizeof n.host - 1] = 'a';
    assert_false(inet_name_read(most, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(are_read), cmocka_unit_test(are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
