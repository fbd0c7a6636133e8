// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_prober.c - judge/prober: what it proves, what it never connects to, how seldom it connects.
 */
#include "base/clock.h"
#include "dns/dns_replay.h"
#include "judge/prober.h"
#include "tests/unit/mail_host.h"
#include <signal.h>

#define NOW 1795216765
#define DAY 86400L

struct world {
    struct server host;
    EVP_PKEY *key;
    struct arena *arena;
    struct dns *dns;
    struct dns_scope *scope;
    struct prober *prober;
    struct dane_posture posture;
    const char *record; /* of the TLSA record; NULL: 3 1 1 and the key's digest, or another */
};

static bool forbid_all(void *context, const struct ip *a)
{
    return true;
}

/* A domain whose one mail host is at `address` and promises the host's key, or another one. */
static void world_begin(struct world *w, enum script script, const char *address, bool right_key, bool allow_special,
                        bool forbid)
{
    unsigned char digest[32];
    char hex[65], text[600], *error = NULL;
    w->key = make_key();
    w->host = (struct server){.script = script, .key = w->key, .connections = 9};
    w->host.leaf = make_cert(w->key, "mx.good.example", false, -DAY, 30 * DAY, NULL, NULL);
    start(&w->host);
    spki_digest(w->host.leaf, digest);
    digest[0] ^= !right_key;
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    snprintf(
        text, sizeof text,
        "good.example secure MX 10 mx.good.example\nmx.good.example secure A %s\nmx.good.example secure nodata AAAA\n"
        "_25._tcp.mx.good.example secure TLSA %s%s\n",
        address, w->record ? w->record : "3 1 1 ", w->record ? "" : hex);
    w->dns = dns_replay_text(slice_str(text), "test", &error);
    assert_non_null(w->dns);
    w->arena = arena_new(1 << 22);
    w->scope = dns_scope_new(w->dns, w->arena, NULL);
    assert_int_equal(dane_check(w->scope, w->arena, "good.example", &w->posture), STATUS_OK);
    assert_int_equal(w->posture.state, DANE_PROTECTED);
    struct prober_config c = {.dns = w->dns,
                              .name = "probe.example",
                              .port = w->host.port,
                              .rate_ms = 1,
                              .session_ms = 1500,
                              .allow_special = allow_special,
                              .forbidden = forbid ? forbid_all : NULL};
    w->prober = prober_new(&c);
    assert_non_null(w->prober);
    clock_set_wall(NOW);
}

static void world_end(struct world *w)
{
    clock_set_wall(0);
    prober_free(w->prober);
    stop(&w->host);
    X509_free(w->host.leaf);
    EVP_PKEY_free(w->key);
    dns_scope_free(w->scope);
    dns_close(w->dns);
    arena_free(w->arena);
}

static struct proof asked_twice(struct world *w)
{
    struct proof p;
    prober_ask(w->prober, &w->posture, NOW, &p);
    assert_int_equal(p.result, RESULT_UNTESTED); /* never at once */
    assert_string_not_equal(p.reason, "");
    assert_true(prober_idle(w->prober, 5000));
    prober_ask(w->prober, &w->posture, NOW, &p);
    return p;
}

static void proves(void **state)
{
    static const struct {
        const char *what, *address;
        enum script script;
        bool right_key, allow, forbid;
        enum result want;
        int connections;
    } t[] = {
        {"match", "127.0.0.1", GOOD, true, true, false, RESULT_PASS, 2},
        {"mismatch", "127.0.0.1", GOOD, false, true, false, RESULT_FAIL, 1},
        {"no STARTTLS contradicts the promise", "127.0.0.1", NO_STARTTLS, true, true, false, RESULT_FAIL, 1},
        {"421 is no proof", "127.0.0.1", BUSY, true, true, false, RESULT_UNTESTED, 1},
        {"text in clear behind STARTTLS is no proof", "127.0.0.1", INJECT, true, true, false, RESULT_UNTESTED, 1},
        {"silence is no proof", "127.0.0.1", SILENT, true, true, false, RESULT_UNTESTED, 1},
        {"loopback is never probed", "127.0.0.1", GOOD, true, false, false, RESULT_UNTESTED, 0},
        {"private addresses are never probed", "10.0.0.1", GOOD, true, false, false, RESULT_UNTESTED, 0},
        {"our own addresses are never probed", "127.0.0.1", GOOD, true, true, true, RESULT_UNTESTED, 0},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct world w = {0};
        world_begin(&w, t[i].script, t[i].address, t[i].right_key, t[i].allow, t[i].forbid);
        struct proof p = asked_twice(&w);
        int taken = w.host.taken;
        if (p.result != t[i].want || taken != t[i].connections)
            print_error("%s: %s (%s), %d connections\n", t[i].what, result_name(p.result), p.reason, taken);
        assert_int_equal(p.result, t[i].want);
        assert_int_equal(taken, t[i].connections);
        if (p.result == RESULT_PASS) {
            assert_true(p.not_after > NOW - DAY);
            assert_non_null(strstr(p.tls, "TLSv1"));
        } else {
            assert_string_equal(p.host, "mx.good.example");
        }
        world_end(&w);
    }
}

/* However often mail asks: one probe an hour; a failure waits longer each time; a proof ends after its time. */
static void restraint(void **state)
{
    struct world w = {0};
    struct proof p;
    world_begin(&w, GOOD, "127.0.0.1", true, true, false);
    asked_twice(&w);
    for (int i = 0; i < 100; i++)
        prober_ask(w.prober, &w.posture, NOW + i, &p);
    assert_true(prober_idle(w.prober, 5000));
    assert_int_equal(w.host.taken, 2); /* for each kind of key */
    prober_ask(w.prober, &w.posture, NOW + 6 * 3600 + 1, &p);
    assert_int_equal(p.result, RESULT_UNTESTED); /* too old to be used; tested again */
    assert_true(prober_idle(w.prober, 5000));
    assert_int_equal(w.host.taken, 4);
    world_end(&w);
}

static void backs_off(void **state)
{
    struct world w = {0};
    struct proof p;
    world_begin(&w, BUSY, "127.0.0.1", true, true, false);
    asked_twice(&w);
    prober_ask(w.prober, &w.posture, NOW + 3601, &p);
    assert_true(prober_idle(w.prober, 5000));
    assert_int_equal(w.host.taken, 1); /* after one failure: two hours */
    prober_ask(w.prober, &w.posture, NOW + 7201, &p);
    assert_true(prober_idle(w.prober, 5000));
    assert_int_equal(w.host.taken, 2);
    world_end(&w);
}

/* What is DER, and no certificate, OpenSSL cannot use: it promises nothing, so nothing contradicts it. */
static void unusable(void **state)
{
    struct world w = {.record = "3 0 0 30020500"};
    world_begin(&w, GOOD, "127.0.0.1", true, true, false);
    struct proof p = asked_twice(&w);
    assert_int_equal(p.result, RESULT_UNTESTED);
    assert_int_equal(w.host.taken, 1);
    assert_non_null(strstr(p.reason, "none of its records can be used"));
    world_end(&w);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proves),
        cmocka_unit_test(restraint),
        cmocka_unit_test(backs_off),
        cmocka_unit_test(unusable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
