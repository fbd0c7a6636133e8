// SPDX-License-Identifier: BSD-2-Clause
/*
 * The libunbound source against a small signed world of its own (dns_zones/, read as auth-zones: no network) and a name
 * server made here, on loopback, that answers late or never.
 */
#include "tests/unit/cm.h"

#include "base/clock.h"
#include "dns/dns_canary.h"
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONES "tests/unit/dns_zones"

/* Names that begin with "l" are answered after LATE_MS, "n" never, "f" with a failure (SERVFAIL) as often as
 * `failing` says, "d" not as often as `dropping` says, others at once. */
#define LATE_MS 300

struct server {
    pthread_t thread;
    int socket, port;
    int stop[2];
    atomic_uint queries, failing, dropping;
};

struct world {
    struct server server;
    char folder[64], conf[80], anchor[80];
    struct dns *dns;
};

static void server_answer(struct server *s, unsigned char *q, size_t n, const struct sockaddr_in *to)
{
    static const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 9};
    size_t at = 12;
    while (at < n && q[at])
        at += q[at] + 1u;
    at += 5;
    if (at > n)
        return;
    if ((q[13] | 0x20) == 'f' && s->failing) {
        s->failing--;
        q[2] = 0x84;
        q[3] = 2;
        memset(q + 6, 0, 6);
        sendto(s->socket, q, at, 0, (const struct sockaddr *)to, sizeof *to);
        return;
    }
    bool is_a = q[at - 3] == 1;
    q[2] = 0x84;
    q[3] = 0;
    memset(q + 6, 0, 6);
    q[7] = is_a ? 1 : 0;
    if (is_a)
        memcpy(q + at, record, sizeof record);
    sendto(s->socket, q, at + (is_a ? sizeof record : 0), 0, (const struct sockaddr *)to, sizeof *to);
}

static void *server_serve(void *arg)
{
    struct server *s = arg;
    struct pollfd fd[2] = {{.fd = s->socket, .events = POLLIN}, {.fd = s->stop[0], .events = POLLIN}};
    while (poll(fd, 2, -1) >= 0 && !fd[1].revents) {
        unsigned char q[600];
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(s->socket, q, 512, 0, (struct sockaddr *)&from, &size);
        if (n < 17)
            continue;
        s->queries++;
        char first = (char)(q[13] | 0x20);
        if (first == 'l')
            usleep(LATE_MS * 1000);
        if (first == 'd' && s->dropping)
            s->dropping--;
        else if (first != 'n')
            server_answer(s, q, (size_t)n, &from);
    }
    return NULL;
}

static void server_start(struct server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    s->socket = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(s->socket, (struct sockaddr *)&at, sizeof at), 0);
    getsockname(s->socket, (struct sockaddr *)&at, &size);
    s->port = ntohs(at.sin_port);
    assert_int_equal(pipe(s->stop), 0);
    pthread_create(&s->thread, NULL, server_serve, s);
}

static void server_stop(struct server *s)
{
    assert_int_equal(write(s->stop[1], "x", 1), 1);
    pthread_join(s->thread, NULL);
    close(s->stop[0]);
    close(s->stop[1]);
    close(s->socket);
}

static void write_conf(struct world *w)
{
    static const char *const zones[] = {"good", "bad", "plain"};
    FILE *f = fopen(w->conf, "w");
    fprintf(f,
            "server:\n val-override-date: \"20261115000000\"\n trust-anchor-signaling: no\n do-ip6: no\n"
            "auth-zone:\n name: \".\"\n zonefile: \"" ZONES
            "/root.signed\"\n for-downstream: no\n fallback-enabled: no\n"
            "stub-zone:\n name: \"slow\"\n stub-addr: 127.0.0.1@%d\n",
            w->server.port);
    for (size_t i = 0; i < 3; i++)
        fprintf(f,
                "auth-zone:\n name: \"%s\"\n zonefile: \"" ZONES
                "/%s.signed\"\n for-downstream: no\n fallback-enabled: no\n",
                zones[i], zones[i]);
    fclose(f);
}

static void file_put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/assay-dns-XXXXXX");
    if (!mkdtemp(w->folder))
        return -1;
    snprintf(w->conf, sizeof w->conf, "%s/conf", w->folder);
    snprintf(w->anchor, sizeof w->anchor, "%s/anchor", w->folder);
    server_start(&w->server);
    write_conf(w);
    char *error;
    w->dns = dns_unbound_new(
        &(struct dns_unbound_config){.anchor = ZONES "/anchor", .anchor_fixed = true, .extra = w->conf}, &error);
    if (!w->dns)
        fail_msg("%s", error);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    dns_close(w->dns);
    server_stop(&w->server);
    unlink(w->conf);
    unlink(w->anchor);
    rmdir(w->folder);
    free(w);
    return 0;
}

static void states(void **state)
{
    static const struct {
        const char *name;
        enum dns_type type;
        enum dns_state state;
        enum dns_security security;
        size_t count;
        const char *canonical;
    } cases[] = {
        {"good", DNS_TXT, DNS_FOUND, DNS_SECURE, 1, NULL},
        {"good", DNS_MX, DNS_NODATA, DNS_SECURE, 0, NULL},
        {"nothing.good", DNS_A, DNS_NXDOMAIN, DNS_SECURE, 0, NULL},
        {"www.good", DNS_A, DNS_FOUND, DNS_SECURE, 1, "host.good"},
        {"WWW.good.", DNS_A, DNS_FOUND, DNS_SECURE, 1, "host.good"},
        {"www.good", DNS_AAAA, DNS_NODATA, DNS_SECURE, 0, "host.good"},
        {"toplain.good", DNS_A, DNS_FOUND, DNS_INSECURE, 1, "host.plain"},
        {"odd name.good", DNS_TXT, DNS_FOUND, DNS_SECURE, 1, NULL},
        {"host.plain", DNS_A, DNS_FOUND, DNS_INSECURE, 1, NULL},
        {"nothing.plain", DNS_A, DNS_NXDOMAIN, DNS_INSECURE, 0, NULL},
        {"bad", DNS_A, DNS_BOGUS, DNS_BROKEN, 0, NULL},
        {"nothing.bad", DNS_A, DNS_BOGUS, DNS_BROKEN, 0, NULL},
        {"no-such-tld", DNS_A, DNS_NXDOMAIN, DNS_SECURE, 0, NULL},
        {"quick.slow", DNS_A, DNS_FOUND, DNS_INSECURE, 1, NULL},
        {"quick.slow", DNS_TXT, DNS_NODATA, DNS_INSECURE, 0, NULL},
        {"a..b", DNS_A, DNS_BADNAME, DNS_UNKNOWN, 0, NULL},
    };
    struct world *w = *state;
    struct arena *arena = arena_new(1 << 20);
    for (int twice = 0; twice < 2; twice++) {
        struct dns_scope *s = dns_scope_new(w->dns, arena, NULL);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            dns_start(s, cases[i].name, cases[i].type);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            const struct dns_answer *a = dns_get(s, cases[i].name, cases[i].type);
            if (a->state != cases[i].state || a->security != cases[i].security || a->count != cases[i].count)
                fail_msg("%s: %s, %s, %zu (%s)", cases[i].name, dns_state_name(a->state),
                         dns_security_name(a->security), a->count, a->why ? a->why : "");
            if (cases[i].canonical)
                assert_string_equal(a->canonical, cases[i].canonical);
            else
                assert_null(a->canonical);
        }
        assert_true(slice_eq(dns_txt(s, dns_get(s, "good", DNS_TXT), 0), SLICE_LIT("signed and joined")));
        assert_non_null(strstr(dns_get(s, "bad", DNS_A)->why, "bad"));
        dns_scope_free(s);
    }
    struct dns_unbound_stats stats;
    dns_unbound_stats(w->dns, &stats);
    assert_true(stats.cached >= 10);
    assert_int_equal(stats.bogus, 4);
    assert_int_equal(stats.under_way, 0);
    arena_free(arena);
}

static void ttl_is_true(void **state)
{
    struct world *w = *state;
    struct arena *arena = arena_new(1 << 20);
    struct dns_unbound_stats before, after;
    struct dns_scope *s = dns_scope_new(w->dns, arena, NULL);
    assert_int_equal(dns_get(s, "short.good", DNS_A)->ttl, 1);
    assert_int_equal(dns_get(s, "host.good", DNS_A)->ttl, 120);
    assert_int_equal(dns_get(s, "zero.good", DNS_A)->ttl, 0);
    dns_scope_free(s);
    usleep(1200 * 1000);
    dns_unbound_stats(w->dns, &before);
    s = dns_scope_new(w->dns, arena, NULL);
    dns_get(s, "short.good", DNS_A);
    dns_get(s, "zero.good", DNS_A);
    assert_in_range(dns_get(s, "host.good", DNS_A)->ttl, 117, 119);
    dns_unbound_stats(w->dns, &after);
    assert_int_equal(after.cached - before.cached, 1);
    dns_scope_free(s);
    arena_free(arena);
}

static void own_deadline(void **state)
{
    struct world *w = *state;
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *s = dns_scope_new(w->dns, arena, &(struct dns_budget){.lookup_ms = 600, .total_ms = 1000});
    int64_t start = clock_mono_ms();
    dns_start(s, "never1.slow", DNS_A);
    dns_start(s, "never2.slow", DNS_A);
    const struct dns_answer *a = dns_get(s, "never1.slow", DNS_A);
    assert_int_equal(a->state, DNS_TEMPFAIL);
    assert_int_equal(a->limit, LIMIT_NOT_REACHED);
    assert_int_equal(dns_get(s, "never2.slow", DNS_A)->state, DNS_TEMPFAIL);
    assert_in_range(clock_mono_ms() - start, 599, 1150);
    a = dns_get(s, "never3.slow", DNS_A);
    assert_int_equal(a->limit, LIMIT_OF_MOMENT);
    dns_start(s, "never4.slow", DNS_A);
    dns_scope_free(s);
    assert_in_range(clock_mono_ms() - start, 999, 1190);
    struct dns_unbound_stats stats;
    dns_unbound_stats(w->dns, &stats);
    assert_int_equal(stats.timed_out, 3);
    assert_int_equal(stats.under_way, 4); /* libunbound goes on with them: they count until it has done */
    for (int i = 0; i < 1000 && stats.under_way; i++) {
        usleep(10000);
        dns_unbound_stats(w->dns, &stats);
    }
    assert_int_equal(stats.under_way, 0);
    assert_true(w->server.queries <= 4 * LIMIT_DNS_WIRE_LOOKUP);
    printf("four look-ups at a dead server: %u packets in %lld ms\n", atomic_load(&w->server.queries),
           (long long)(clock_mono_ms() - start));
    arena_free(arena);
}

struct asker {
    pthread_t thread;
    struct dns *dns;
    unsigned lookup_ms;
    enum dns_state state;
};

static void *ask_late(void *arg)
{
    struct asker *a = arg;
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *s = dns_scope_new(a->dns, arena, &(struct dns_budget){.lookup_ms = a->lookup_ms});
    a->state = dns_get(s, "late.slow", DNS_A)->state;
    dns_scope_free(s);
    arena_free(arena);
    return NULL;
}

/* Eight scopes ask the same at once: one look-up; the two that cannot wait take nothing from the others. */
static void merged(void **state)
{
    struct world *w = *state;
    struct asker asker[8];
    for (size_t i = 0; i < 8; i++) {
        asker[i] = (struct asker){.dns = w->dns, .lookup_ms = i < 2 ? 60 : 3000};
        pthread_create(&asker[i].thread, NULL, ask_late, &asker[i]);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(asker[i].thread, NULL);
        assert_int_equal(asker[i].state, i < 2 ? DNS_TEMPFAIL : DNS_FOUND);
    }
    struct dns_unbound_stats stats;
    dns_unbound_stats(w->dns, &stats);
    assert_int_equal(stats.asked, 8);
    assert_int_equal(stats.merged, 7);
    assert_int_equal(stats.resolved, 1);
}

/* A look-up for which nobody waits any more may send little, and somebody who then asks the same may join it: he has
 * asked for all of it, and does not get the failure that the first one's leaving would have led to. */
static void joined_when_left(void **state)
{
    struct world *w = *state;
    struct arena *arena = arena_new(1 << 20);
    const struct dns_budget patient = {.lookup_ms = 15000, .total_ms = 15000, .message = true};

    w->server.queries = 0;
    w->server.dropping = 3;
    struct dns_scope *leaves = dns_scope_new(w->dns, arena, &patient), *joins = dns_scope_new(w->dns, arena, &patient);
    dns_start(leaves, "dropped.slow", DNS_A);
    for (int i = 0; i < 5000 && !w->server.queries; i++)
        usleep(1000);
    assert_true(w->server.queries);
    dns_scope_free(leaves);
    assert_int_equal(dns_get(joins, "dropped.slow", DNS_A)->state, DNS_FOUND);
    dns_scope_free(joins);
    arena_free(arena);
}

static void *ask_and_leave(void *arg)
{
    struct asker *a = arg;
    struct arena *arena = arena_new(1 << 20);
    for (unsigned i = 0; i < 300; i++) {
        struct dns_scope *s = dns_scope_new(a->dns, arena, &(struct dns_budget){.lookup_ms = 1 + i % 3});
        char name[64];
        for (unsigned k = 0; k < 8; k++) {
            snprintf(name, sizeof name, "q%u.slow", (i * 8 + k) % 97);
            dns_start(s, name, DNS_A);
        }
        if (i % 4)
            dns_get(s, name, DNS_A);
        dns_scope_free(s);
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

/* Answers and departures cross each other: for ASan, TSan and valgrind; here that all look-ups are accounted for. */
static void races(void **state)
{
    struct world *w = *state;
    struct asker asker[4];
    for (size_t i = 0; i < 4; i++) {
        asker[i] = (struct asker){.dns = w->dns};
        pthread_create(&asker[i].thread, NULL, ask_and_leave, &asker[i]);
    }
    for (size_t i = 0; i < 4; i++)
        pthread_join(asker[i].thread, NULL);
    struct dns_unbound_stats stats;
    for (int i = 0; i < 200; i++) {
        dns_unbound_stats(w->dns, &stats);
        if (stats.under_way == 0)
            break;
        usleep(10000);
    }
    assert_int_equal(stats.under_way, 0);
    assert_int_equal(stats.asked, 4 * 300 * 8);
}

static void close_under_way(void **state)
{
    struct world *w = *state;
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *s = dns_scope_new(w->dns, arena, NULL);
    dns_start(s, "never.slow", DNS_A);
    dns_start(s, "late2.slow", DNS_A);
    dns_scope_free(s);
    arena_free(arena);
}

/* More look-ups in one zone than its share, begun at once: how many are turned away. The server is slow, so that none
 * has ended when the last is begun. */
static unsigned turned_away(struct world *w, bool patient, unsigned most)
{
    char *error, name[32];
    struct dns *d = dns_unbound_new(
        &(struct dns_unbound_config){
            .anchor = ZONES "/anchor", .anchor_fixed = true, .extra = w->conf, .small = true, .patient = patient},
        &error);
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *s = dns_scope_new(d, arena, &(struct dns_budget){.lookup_ms = 30000, .total_ms = 60000});
    unsigned refused = 0;
    for (unsigned i = 0; i < most; i++) {
        snprintf(name, sizeof name, "l%u.busy.slow", i);
        dns_start(s, name, DNS_A);
    }
    for (unsigned i = 0; i < most; i++) {
        snprintf(name, sizeof name, "l%u.busy.slow", i);
        const struct dns_answer *a = dns_get(s, name, DNS_A);
        refused += a->limit == LIMIT_OF_MOMENT;
    }
    dns_scope_free(s);
    arena_free(arena);
    dns_close(d);
    return refused;
}

/* A source of 64 look-ups gives one busy zone 7 of them: an eighth of the 57 that are then free. */
static void patient_waits_for_its_share(void **state)
{
    assert_int_equal(turned_away(*state, false, 11), 4);
    assert_int_equal(turned_away(*state, true, 11), 0);
}

static void refused(struct dns_unbound_config config, const char *expected)
{
    char *error = NULL;
    struct dns *d = dns_unbound_new(&config, &error);
    if (d) {
        dns_close(d);
        fail_msg("started, but expected: %s", expected);
    }
    assert_non_null(error);
    if (!strstr(error, expected) || strchr(error, '\n'))
        fail_msg("\"%s\" does not say \"%s\"", error, expected);
    free(error);
}

static void bad_settings(void **state)
{
    struct world *w = *state;
    struct dns_unbound_config c = {.anchor = w->anchor};
    refused((struct dns_unbound_config){0}, "no trust anchor is set");
    refused(c, "cannot be read: No such file or directory");
    file_put(w->anchor, "");
    refused(c, "the file is empty");
    file_put(w->anchor, "; only a comment\n");
    refused(c, "holds no DS or DNSKEY record");
    file_put(w->anchor, "hello world, this is not one\n");
    refused(c, "holds no DS or DNSKEY record");
    file_put(w->anchor, ". IN DS 20326 8 2 nonsense\n");
    c.anchor_fixed = true;
    refused(c, w->anchor);
    c = (struct dns_unbound_config){.anchor = ZONES "/anchor", .anchor_fixed = true, .forward = "localhost"};
    refused(c, "dns.forward \"localhost\": expected ADDRESS or ADDRESS@PORT");
    c.forward = "127.0.0.1@70000";
    refused(c, "expected ADDRESS or ADDRESS@PORT");
    c.forward = NULL;
    c.extra = "/nonexistent";
    refused(c, "/nonexistent");
    file_put(w->anchor, "server:\n no-such-option: 1\n");
    c.extra = w->anchor;
    refused(c, w->anchor);
}

static void seeded_anchor(void **state)
{
    struct world *w = *state;
    struct stat st;
    char *error;
    struct dns_unbound_config c = {.anchor = w->anchor, .anchor_seed = ZONES "/anchor", .extra = w->conf};
    unlink(w->anchor);
    struct dns *d = dns_unbound_new(&c, &error);
    if (!d)
        fail_msg("%s", error);
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *s = dns_scope_new(d, arena, NULL);
    assert_int_equal(dns_get(s, "good", DNS_TXT)->security, DNS_SECURE);
    dns_scope_free(s);
    arena_free(arena);
    dns_close(d);
    assert_int_equal(stat(w->anchor, &st), 0);
    assert_true(st.st_size > 0);
}

static enum dns_health canary(struct dns_unbound_config config, const char *name, char **why)
{
    return dns_canary(&config, name, 300, why);
}

static void canary_says(void **state)
{
    struct world *w = *state;
    struct dns_unbound_config c = {.anchor = ZONES "/anchor", .extra = w->conf};
    char *why;
    assert_int_equal(canary(c, NULL, &why), DNS_HEALTHY);
    assert_null(why);
    assert_int_equal(canary(c, "good", &why), DNS_HEALTHY);
    assert_int_equal(canary(c, "host.plain", &why), DNS_HEALTHY);
    assert_int_equal(canary(c, "bad", &why), DNS_UNTRUSTED);
    assert_non_null(strstr(why, "clock"));
    free(why);
    int64_t start = clock_mono_ms();
    assert_int_equal(canary(c, "never.slow", &why), DNS_UNREACHABLE);
    assert_in_range(clock_mono_ms() - start, 290, 9000);
    assert_non_null(strstr(why, "network"));
    free(why);
    /* a moment's failure is none: it is asked again, by a resolver that does not remember it (RFC 9520 3.2) */
    w->server.failing = 1;
    assert_int_equal(canary(c, "f.slow", &why), DNS_HEALTHY);
    const unsigned before = w->server.queries;
    w->server.failing = 1000;
    assert_int_equal(canary(c, "f.slow", &why), DNS_UNREACHABLE);
    free(why);
    w->server.failing = (w->server.queries - before) / 2; /* as many as a try takes, and some more */
    assert_int_equal(canary(c, "f.slow", &why), DNS_HEALTHY);
    assert_null(why);
    file_put(w->anchor, "");
    c.anchor = w->anchor;
    assert_int_equal(canary(c, NULL, &why), DNS_UNCONFIGURED);
    assert_non_null(strstr(why, "empty"));
    free(why);
    /* the right file, but the key of another world: nothing validates */
    file_put(w->anchor, ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n");
    assert_int_equal(canary(c, NULL, &why), DNS_UNTRUSTED);
    free(why);
}

int main(void)
{
#define WITH_WORLD(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_WORLD(states),
        WITH_WORLD(ttl_is_true),
        WITH_WORLD(own_deadline),
        WITH_WORLD(merged),
        WITH_WORLD(joined_when_left),
        WITH_WORLD(races),
        WITH_WORLD(close_under_way),
        WITH_WORLD(bad_settings),
        WITH_WORLD(seeded_anchor),
        WITH_WORLD(canary_says),
        WITH_WORLD(patient_waits_for_its_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
