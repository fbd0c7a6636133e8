// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_socketmap.c - outgoing/socketmap: who asks is answered, whatever others do with their connections: requests in
 * part, requests that come together, answers that nobody takes, clients that say nothing.
 */
// check: slow
#include "base/clock.h"
#include "dns/dns_replay.h"
#include "net/https.h"
#include "outgoing/socketmap.h"
#include "tests/unit/web_host.h"
#include <poll.h>
#include <sys/resource.h>
#include <sys/un.h>

#define QUESTION "15:assay d.example,"
#define ANSWER "7:OK dane,"
#define TLSA                                                                                                           \
    "_25._tcp.mx.d.example secure TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
#define ZONE                                                                                                           \
    "d.example secure MX 10 mx.d.example\nmx.d.example secure A 192.0.2.1\n" TLSA                                      \
    "slow.example MX 10 mx.slow.example\nmx.slow.example A 192.0.2.1\n"                                                \
    "_mta-sts.slow.example TXT \"v=STSv1; id=1;\"\nmta-sts.slow.example A 127.0.0.1\n"
#define SOON                                                                                                           \
    5000 /* milliseconds: far above what an answer takes on a busy machine, far below what is waited for else */

struct world {
    struct web web;
    struct dns *dns;
    struct tls_policy *o;
    struct socketmap *map;
    char path[64];
};

static void world_begin(struct world *w)
{
    char *error = NULL;
    const char *why;

    *w = (struct world){.web = {.silent = true}};
    web_start(&w->web, "mta-sts.slow.example", 1);
    w->dns = dns_replay_text(slice_str(ZONE), "zone", &error);
    assert_non_null(w->dns);
    w->o = tls_policy_new(&(struct tls_policy_config){.dns = w->dns,
                                                      .ca_file = w->web.ca_file,
                                                      .port = w->web.port,
                                                      .fetch_ms = 8000,
                                                      .wait_ms = 9000,
                                                      .allow_special = true});
    assert_non_null(w->o);
    snprintf(w->path, sizeof w->path, "/tmp/assay-test-socketmap-%ld", (long)getpid());
    w->map = socketmap_open(w->path, 0600, NULL, w->o, &why);
    if (!w->map)
        fail_msg("%s", why);
}

static void world_end(struct world *w)
{
    w->map = socketmap_close(w->map);
    w->o = tls_policy_free(w->o);
    w->dns = dns_close(w->dns);
    web_stop(&w->web);
}

static int come(const struct world *w)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(to.sun_path, sizeof to.sun_path, "%s", w->path);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void octets_put(int fd, const char *octets)
{
    assert_int_equal(send(fd, octets, strlen(octets), MSG_NOSIGNAL), (ssize_t)strlen(octets));
}

/* Takes octets until `want` is there, or nothing has come for `ms`, or the connection ends. */
static void expect_octets(int fd, const char *want, int ms, const char *what)
{
    char got[1024] = "";
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};

    while (n < strlen(want) && poll(&p, 1, ms) == 1) {
        ssize_t more = recv(fd, got + n, strlen(want) - n, 0);
        if (more <= 0)
            break;
        n += (size_t)more;
        got[n] = '\0';
    }
    if (strcmp(got, want) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", what, got, want);
}

static bool is_over(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char one;

    return poll(&p, 1, ms) == 1 && recv(fd, &one, 1, 0) <= 0;
}

/* As many as the files of this process allow, both ends being its own. */
static size_t crowd_size(size_t want)
{
    struct rlimit r;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
    r.rlim_cur = r.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
    return r.rlim_cur / 3 < want ? (size_t)r.rlim_cur / 3 : want;
}

/* A thousand clients that send half a request each: the next one is answered all the same, at once. */
static void halves(void **state)
{
    size_t n = crowd_size(1000);
    int *fds = calloc(n, sizeof *fds);
    struct world w;

    (void)state;
    assert_non_null(fds);
    world_begin(&w);
    for (size_t i = 0; i < n; i++) {
        fds[i] = come(&w);
        octets_put(fds[i], "15:assay d.e");
    }
    int honest = come(&w);
    int64_t begun = clock_mono_ms();
    octets_put(honest, QUESTION);
    expect_octets(honest, ANSWER, SOON, "beside a thousand halves of requests");
    assert_true(clock_mono_ms() - begun < SOON);
    octets_put(fds[n - 1], "xample,");
    expect_octets(fds[n - 1], ANSWER, SOON, "the other half of the last one");
    if (n > 2 * SOCKETMAP_ROOM)
        assert_true(is_over(fds[0], SOON)); /* it was longest at it */
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    close(honest);
    world_end(&w);
    free(fds);
}

/* A request that comes octet by octet, and one that begins behind a whole one. */
static void pieces(void **state)
{
    struct world w;
    char one[2] = "";

    (void)state;
    world_begin(&w);
    int fd = come(&w);
    for (const char *p = QUESTION; *p; p++) {
        one[0] = *p;
        octets_put(fd, one);
        usleep(2000);
    }
    expect_octets(fd, ANSWER, SOON, "octet by octet");
    octets_put(fd, QUESTION "15:assay d");
    expect_octets(fd, ANSWER, SOON, "the whole one before");
    usleep(50000);
    octets_put(fd, ".example," QUESTION);
    expect_octets(fd, ANSWER ANSWER, SOON, "the rest, and one more");
    octets_put(fd, "15:as");
    usleep(50000);
    octets_put(fd, "say d.example;");
    assert_true(is_over(fd, SOON));
    close(fd);
    fd = come(&w);
    octets_put(fd, QUESTION "no netstring");
    expect_octets(fd, ANSWER, SOON, "what came before octets that are none");
    assert_true(is_over(fd, SOON));
    close(fd);
    world_end(&w);
}

/* Requests that came together: the first is answered though the second must be waited for. */
static void together(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w);
    int fd = come(&w);
    int64_t begun = clock_mono_ms();
    octets_put(fd, QUESTION "18:assay slow.example," QUESTION);
    expect_octets(fd, ANSWER, SOON, "before one that must be waited for");
    assert_true(clock_mono_ms() - begun < SOON);
    expect_octets(fd, "9:NOTFOUND ," ANSWER, 20000, "then the others, in order");
    for (int i = 0; i < 500; i++)
        octets_put(fd, QUESTION QUESTION);
    for (int i = 0; i < 500; i++)
        expect_octets(fd, ANSWER ANSWER, SOON, "a thousand without a pause");
    close(fd);
    world_end(&w);
}

/* All places taken by clients that say nothing: one more waits, until the first of them has been silent too long. */
static void silent(void **state)
{
    int fds[SOCKETMAP_CLIENTS];
    struct world w;

    (void)state;
    world_begin(&w);
    int64_t begun = clock_mono_ms();
    for (size_t i = 0; i < SOCKETMAP_CLIENTS; i++)
        fds[i] = come(&w);
    int honest = come(&w);
    octets_put(honest, QUESTION);
    expect_octets(honest, ANSWER, 30000, "the one more");
    assert_true(clock_mono_ms() - begun >= SOCKETMAP_CROWDED * 1000);
    size_t over = 0;
    for (size_t i = 0; i < SOCKETMAP_CLIENTS; i++)
        over += is_over(fds[i], 0);
    assert_int_equal(over, 1); /* as many as were needed */
    for (size_t i = 0; i < SOCKETMAP_CLIENTS; i++)
        close(fds[i]);
    close(honest);
    world_end(&w);
}

/* Clients that ask and take no answers lose their places too. */
static void deaf(void **state)
{
    int fds[SOCKETMAP_CLIENTS];
    char many[20 * 100 + 1] = "";
    struct world w;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        memcpy(many + i * (sizeof QUESTION - 1), QUESTION, sizeof QUESTION);
    world_begin(&w);
    for (size_t i = 0; i < SOCKETMAP_CLIENTS; i++) {
        fds[i] = come(&w);
        while (send(fds[i], many, strlen(many), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
            ;
    }
    int honest = come(&w);
    octets_put(honest, QUESTION);
    expect_octets(honest, ANSWER, 60000, "beside clients that take no answers");
    for (size_t i = 0; i < SOCKETMAP_CLIENTS; i++)
        close(fds[i]);
    close(honest);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pieces), cmocka_unit_test(together), cmocka_unit_test(halves),
                                       cmocka_unit_test(silent), cmocka_unit_test(deaf)};

    signal(SIGPIPE, SIG_IGN);
    https_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
