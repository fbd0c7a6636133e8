// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_sts_fetch.c - the queue of policy fetches: silent hosts delay no other fetch, and at most two fetches at
 * once ask one network.
 */
#include "outgoing/sts_fetch.h"
#include "tests/unit/cm.h"
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUICK 300
#define SILENT 32
#define NETS 64
#define FETCH_MS 60000 /* far above what 300 handshakes need on a busy machine; the silent host gives up before */

/* A host on every loopback address: on 127.9.*.* it says nothing, elsewhere it hangs up after a moment. */
struct host {
    int listener;
    unsigned port;
    pthread_t thread;
    atomic_bool gives_up;
    atomic_int at_once, most, near[NETS], most_near;
};

struct visit {
    struct host *host;
    int fd;
    unsigned char to[4];
};

static void peak(atomic_int *most, int now)
{
    int seen = *most;
    while (seen < now && !atomic_compare_exchange_weak(most, &seen, now))
        ;
}

static void *visit_main(void *arg)
{
    struct visit *v = arg;
    struct host *h = v->host;
    char octets[4096];
    const bool silent = v->to[1] == 9;

    peak(&h->most, ++h->at_once);
    if (!silent)
        peak(&h->most_near, ++h->near[v->to[2] % NETS]);
    while (silent && !h->gives_up && recv(v->fd, octets, sizeof octets, MSG_DONTWAIT) != 0)
        usleep(20000);
    if (!silent)
        usleep(5000);
    h->at_once--;
    if (!silent)
        h->near[v->to[2] % NETS]--;
    close(v->fd);
    free(v);
    return NULL;
}

static void *host_main(void *arg)
{
    struct host *h = arg;
    int fd;

    while ((fd = accept(h->listener, NULL, NULL)) >= 0) {
        struct visit *v = calloc(1, sizeof *v);
        struct sockaddr_in to;
        socklen_t size = sizeof to;
        pthread_t thread;
        assert_non_null(v);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &size), 0);
        *v = (struct visit){.host = h, .fd = fd};
        memcpy(v->to, &to.sin_addr, 4);
        assert_int_equal(pthread_create(&thread, NULL, visit_main, v), 0);
        pthread_detach(thread);
    }
    return NULL;
}

static void open_host(struct host *h)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t size = sizeof sin;

    h->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(h->listener, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(listen(h->listener, 512), 0);
    assert_int_equal(getsockname(h->listener, (struct sockaddr *)&sin, &size), 0);
    h->port = ntohs(sin.sin_port);
    assert_int_equal(pthread_create(&h->thread, NULL, host_main, h), 0);
}

static void close_host(struct host *h)
{
    shutdown(h->listener, SHUT_RDWR);
    pthread_join(h->thread, NULL);
    close(h->listener);
}

struct requests {
    atomic_int quick, silent, ours;
};

static void fetch_done(void *context, const char *domain, enum sts_fetch_outcome outcome,
                       const struct sts_policy *policy, const char *why)
{
    struct requests *t = context;

    assert_null(policy);
    t->ours += outcome == STS_FETCH_OURS;
    if (domain[0] == 's')
        t->silent++;
    else
        t->quick++;
}

static void fetch_start(struct sts_fetch *f, const char *kind, unsigned i, const char *address, enum status want)
{
    char domain[32];
    struct ip ip;

    snprintf(domain, sizeof domain, "%s%u.example", kind, i);
    assert_int_equal(ip_from_text(slice_str(address), &ip), STATUS_OK);
    assert_int_equal(sts_fetch_start(f, domain, &ip, 1), want);
}

static void silent_beside_quick(void **state)
{
    static struct host h;
    static struct requests t;
    struct sts_fetch_config config = {.fetch_ms = FETCH_MS, .done = fetch_done, .context = &t};
    char address[32];

    open_host(&h);
    config.port = h.port;
    struct sts_fetch *f = sts_fetch_new(&config);
    for (unsigned i = 0; i < SILENT; i++) { /* each in a network of its own */
        snprintf(address, sizeof address, "127.9.%u.1", i);
        fetch_start(f, "s", i, address, STATUS_OK);
    }
    for (unsigned i = 0; i < QUICK; i++) {
        snprintf(address, sizeof address, "127.1.%u.%u", i % NETS, 1 + i / NETS);
        fetch_start(f, "q", i, address, STATUS_OK);
    }
    for (int i = 0; i < 5000 && t.quick < QUICK; i++)
        usleep(10000);
    assert_int_equal(t.quick, QUICK);
    assert_int_equal(t.silent, 0); /* nobody waited for one that says nothing */
    h.gives_up = true;
    for (int i = 0; i < 5000 && t.silent < SILENT; i++)
        usleep(10000);
    assert_int_equal(t.silent, SILENT);
    assert_int_equal(t.ours, 0);
    assert_true(h.most <= STS_FETCH_AT_ONCE);
    assert_true(h.most_near <= STS_FETCH_PER_NETWORK);
    sts_fetch_free(f);
    close_host(&h);
}

/* The queue is bounded, and what never ran ends as our own fault. */
static void full_and_stopped(void **state)
{
    static struct host h;
    static struct requests t;
    struct sts_fetch_config config = {.fetch_ms = FETCH_MS, .done = fetch_done, .context = &t};

    open_host(&h);
    config.port = h.port;
    struct sts_fetch *f = sts_fetch_new(&config);
    for (unsigned i = 0; i < STS_FETCH_QUEUE; i++) /* all in one network: two run */
        fetch_start(f, "s", i, "127.9.1.1", STATUS_OK);
    fetch_start(f, "s", STS_FETCH_QUEUE, "127.1.1.1", STATUS_LIMIT);
    sts_fetch_free(f);
    assert_int_equal(t.silent, STS_FETCH_QUEUE);
    assert_true(t.ours >= STS_FETCH_QUEUE - 4);
    assert_true(h.most <= STS_FETCH_PER_NETWORK);
    close_host(&h);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    assert_true(https_begin());
    const struct CMUnitTest tests[] = {cmocka_unit_test(silent_beside_quick), cmocka_unit_test(full_and_stopped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
