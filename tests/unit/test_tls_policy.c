// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_tls_policy.c - outgoing/tls_policy: DANE before MTA-STS, never the other way; when a policy is fetched, kept,
 * refreshed and forgotten.
 */
#include "base/clock.h"
#include "dns/dns_replay.h"
#include "net/https.h"
#include "outgoing/tls_policy.h"
#include "outgoing/sts_cache.h"
#include "tests/unit/web_host.h"
#include <sys/resource.h>

#define S "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEAD "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"
#define POLICY HEAD "version: STSv1\nmode: enforce\nmx: mx.d.example\nmx: *.mail.d.example\nmax_age: 604800\n"
#define SECURE "secure match=mx.d.example servername=hostname"
#define STS "_mta-sts.d.example TXT \"v=STSv1; id=1;\"\nmta-sts.d.example A 127.0.0.1\n"
#define PLAIN "d.example MX 10 mx.d.example\nmx.d.example A 192.0.2.1\n"
#define OTHER "d.example MX 20 other.d.example\nother.d.example A 192.0.2.4\n"
#define SIGNED "d.example secure MX 10 mx.d.example\nmx.d.example secure A 192.0.2.1\n"
#define SIGNED2 SIGNED "d.example secure MX 20 mx2.d.example\nmx2.d.example secure A 192.0.2.2\n"
#define TLSA "_25._tcp.mx.d.example secure TLSA 3 1 1 " S "\n"
#define NOW 1795216765

struct world {
    struct web web;
    struct dns *dns;
    struct tls_policy *o;
    char file[64];
    char noted[256];
    atomic_int notes;
    unsigned wait_ms, fetch_ms; /* 0: as long as a busy machine needs */
    size_t queue;
};

static void take_note(void *context, const char *domain, const char *what)
{
    struct world *w = context;
    snprintf(w->noted, sizeof w->noted, "%s: %s", domain, what);
    w->notes++;
}

static void open_world(struct world *w, const char *zone)
{
    char *error = NULL;
    w->dns = dns_replay_text(slice_str(zone), "zone", &error);
    if (!w->dns)
        fail_msg("%s", error);
    struct tls_policy_config c = {.dns = w->dns,
                                  .file = w->file,
                                  .ca_file = w->web.ca_file,
                                  .port = w->web.port,
                                  .fetch_ms = w->fetch_ms,
                                  .wait_ms = w->wait_ms,
                                  .queue = w->queue,
                                  .tick_ms = 20,
                                  .allow_special = true,
                                  .note = take_note,
                                  .context = w};
    w->o = tls_policy_new(&c);
    assert_non_null(w->o);
}

static void close_world(struct world *w)
{
    w->o = tls_policy_free(w->o);
    w->dns = dns_close(w->dns);
}

static void world_begin(struct world *w, const char *zone, const char *answer)
{
    *w = (struct world){.web = {.answer = answer}};
    snprintf(w->file, sizeof w->file, "/tmp/assay-test-sts-%ld", (long)getpid());
    unlink(w->file);
    web_start(&w->web, "mta-sts.d.example", 1);
    clock_set_wall(NOW);
    open_world(w, zone);
}

static void world_end(struct world *w)
{
    char aside[80];

    close_world(w);
    web_stop(&w->web);
    unlink(w->file);
    snprintf(aside, sizeof aside, "%s.damaged", w->file);
    unlink(aside);
    clock_set_wall(0);
}

static void expect_answer(struct world *w, const char *what, const char *key, enum tls_policy_answer want,
                          const char *text)
{
    struct buf b = BUF_INIT;
    enum tls_policy_answer got = tls_policy_ask(w->o, &(struct tls_policy_question){.key = key}, &b);
    if (got != want || (text && strcmp(b.p, text) != 0))
        fail_msg("%s: %s: answer %d \"%s\", not %d \"%s\" (noted: %s)", what, key, (int)got, b.p, (int)want,
                 text ? text : "", w->noted);
    buf_release(&b);
}

struct order_case {
    const char *what, *zone;
    enum tls_policy_answer want;
    const char *text;
    int fetched;
};

static void try_all(const struct order_case *t, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct world w;
        world_begin(&w, t[i].zone, POLICY);
        expect_answer(&w, t[i].what, "d.example", t[i].want, t[i].text);
        if (w.web.taken != t[i].fetched)
            fail_msg("%s: fetched %d times, not %d", t[i].what, w.web.taken, t[i].fetched);
        world_end(&w);
    }
}

static void dane_before_mta_sts(void **state)
{
    static const struct order_case t[] = {
        {"neither", PLAIN, TLS_POLICY_NOT_FOUND, "", 0},
        {"MTA-STS alone", PLAIN STS, TLS_POLICY_FOUND, SECURE, 1},
        {"MTA-STS beside a signed zone without TLSA", SIGNED STS, TLS_POLICY_FOUND, SECURE, 1},
        {"DANE alone", SIGNED TLSA, TLS_POLICY_FOUND, "dane", 0},
        {"DANE is not overridden", SIGNED TLSA STS, TLS_POLICY_FOUND, "dane", 0},
        {"mixed, no policy", SIGNED2 TLSA, TLS_POLICY_FOUND, "dane", 0},
        {"mixed, an enforced policy: only hosts with TLSA, since one of them matches", SIGNED2 TLSA STS,
         TLS_POLICY_FOUND, "dane-only", 1},
        {"mixed, no host with TLSA matches the policy: never a downgrade",
         SIGNED2 "_25._tcp.mx2.d.example secure TLSA 3 1 1 " S "\n" STS, TLS_POLICY_LATER, NULL, 1},
        {"mixed: the host without TLSA in an unsigned zone",
         SIGNED TLSA "d.example secure MX 20 mx.u.example\nmx.u.example A 192.0.2.3\n" STS, TLS_POLICY_FOUND,
         "dane-only", 1},
        {"mixed: in an unsigned zone, no policy",
         SIGNED TLSA "d.example secure MX 20 mx.u.example\nmx.u.example A 192.0.2.3\n", TLS_POLICY_FOUND, "dane", 0},
    };
    try_all(t, sizeof t / sizeof *t);
}

static void hosts_that_fail(void **state)
{
    static const struct order_case t[] = {
        {"a failing host beside one in an unsigned zone: the other is used",
         SIGNED "_25._tcp.mx.d.example servfail\nd.example secure MX 20 mx.u.example\nmx.u.example A 192.0.2.3\n",
         TLS_POLICY_FOUND, "dane", 0},
        {"a host whose address is bogus beside a good one",
         SIGNED TLSA "d.example secure MX 20 z.example\nz.example bogus\n", TLS_POLICY_FOUND, "dane", 0},
        {"a host whose address is bogus beside one without TLSA",
         SIGNED "d.example secure MX 20 z.example\nz.example bogus\n", TLS_POLICY_FOUND, "dane", 0},
        {"both hosts fail", SIGNED2 "_25._tcp.mx.d.example servfail\n_25._tcp.mx2.d.example bogus\n", TLS_POLICY_LATER,
         NULL, 0},
        {"a host that failed is not among the names",
         SIGNED "_25._tcp.mx.d.example servfail\nd.example secure MX 20 a.mail.d.example\na.mail.d.example secure A "
                "192.0.2.3\n" STS,
         TLS_POLICY_FOUND, "secure match=a.mail.d.example servername=hostname", 1},
        {"the only host that matches failed", SIGNED2 "_25._tcp.mx.d.example servfail\n" STS, TLS_POLICY_LATER, NULL,
         1},
    };
    try_all(t, sizeof t / sizeof *t);
}

static void hosts_that_match(void **state)
{
    static const struct order_case t[] = {
        {"4.1: a wildcard is one label",
         "d.example MX 10 a.b.mail.d.example\nd.example MX 20 a.mail.d.example\na.mail.d.example A "
         "192.0.2.1\na.b.mail.d.example A 192.0.2.2\n" STS,
         TLS_POLICY_FOUND, "secure match=a.mail.d.example servername=hostname", 1},
        {"4.1: not the name itself", "d.example MX 10 mail.d.example\nmail.d.example A 192.0.2.1\n" STS,
         TLS_POLICY_LATER, NULL, 1},
        {"no host matches", "d.example MX 10 mx.evil.example\nmx.evil.example A 192.0.2.1\n" STS, TLS_POLICY_LATER,
         NULL, 1},
        {"no MX: the domain itself", "d.example A 192.0.2.1\n" STS, TLS_POLICY_LATER, NULL, 1},
        {"no such domain: Postfix finds that out",
         "_mta-sts.d.example TXT \"v=STSv1; id=1;\"\nmta-sts.d.example A 127.0.0.1\nd.example nxdomain\n",
         TLS_POLICY_FOUND, "secure match=mx.d.example:.mail.d.example servername=hostname", 1},
    };
    try_all(t, sizeof t / sizeof *t);
}

static void no_downgrade(void **state)
{
    static const struct order_case t[] = {
        {"DANE at one host, the other is broken", SIGNED2 TLSA "_25._tcp.mx2.d.example servfail\n" STS,
         TLS_POLICY_FOUND, "dane", 0},
        {"DANE at one host, the other cannot be found",
         SIGNED TLSA "d.example secure MX 20 z.example\nz.example timeout\n" STS, TLS_POLICY_FOUND, "dane", 0},
        {"TLSA times out: no downgrade", SIGNED "_25._tcp.mx.d.example timeout\n" STS, TLS_POLICY_LATER, NULL, 0},
        {"TLSA fails, no MTA-STS either", SIGNED "_25._tcp.mx.d.example servfail\n", TLS_POLICY_LATER, NULL, 0},
        {"TLSA is bogus", SIGNED "_25._tcp.mx.d.example bogus\n" STS, TLS_POLICY_LATER, NULL, 0},
        {"MX times out", "d.example timeout MX\n" STS, TLS_POLICY_LATER, NULL, 0},
        {"MX is bogus", "d.example bogus MX\n" STS, TLS_POLICY_LATER, NULL, 0},
        {"addresses of the only host time out", "d.example secure MX 10 z.example\nz.example timeout\n" STS,
         TLS_POLICY_LATER, NULL, 0},
        {"of one of two hosts: the policy decides for the other",
         SIGNED "d.example secure MX 20 z.example\nz.example timeout\n" STS, TLS_POLICY_FOUND, SECURE, 1},
        {"of one of two hosts, no policy: Postfix looks at each",
         SIGNED "d.example secure MX 20 z.example\nz.example timeout\n", TLS_POLICY_FOUND, "dane", 0},
    };
    try_all(t, sizeof t / sizeof *t);
}

static void what_dane_cannot_use(void **state)
{
    static const struct order_case t[] = {
        {"unusable TLSA: the policy asks for more", SIGNED "_25._tcp.mx.d.example secure TLSA 1 1 1 " S "\n" STS,
         TLS_POLICY_FOUND, SECURE, 1},
        {"unusable TLSA alone: encrypted", SIGNED "_25._tcp.mx.d.example secure TLSA 1 1 1 " S "\n", TLS_POLICY_FOUND,
         "dane", 0},
        {"forged MX with TLSA of its own does not lift the policy",
         "d.example MX 10 mx.d.example\nmx.d.example secure A 192.0.2.1\n" TLSA STS, TLS_POLICY_FOUND, SECURE, 1},
        {"MX not signed, TLSA, no policy", "d.example MX 10 mx.d.example\nmx.d.example secure A 192.0.2.1\n" TLSA,
         TLS_POLICY_FOUND, "dane", 0},
        {"MX not signed, its host's TLSA fails",
         "d.example MX 10 mx.d.example\nmx.d.example secure A 192.0.2.1\n_25._tcp.mx.d.example servfail\n" STS,
         TLS_POLICY_FOUND, SECURE, 1},
        {"null MX", "d.example MX 0 .\n" STS, TLS_POLICY_NOT_FOUND, "", 0},
    };
    try_all(t, sizeof t / sizeof *t);
}

static void records_of_mta_sts(void **state)
{
    static const struct order_case t[] = {
        {"two records", PLAIN STS "_mta-sts.d.example TXT \"v=STSv1; id=2;\"\n", TLS_POLICY_NOT_FOUND, "", 0},
        {"a record beside others", PLAIN STS "_mta-sts.d.example TXT \"something else\"\n", TLS_POLICY_FOUND, SECURE,
         1},
        {"a record in two strings",
         PLAIN "_mta-sts.d.example TXT \"v=STSv1; i\" \"d=1\"\nmta-sts.d.example A 127.0.0.1\n", TLS_POLICY_FOUND,
         SECURE, 1},
        {"a broken record", PLAIN "_mta-sts.d.example TXT \"v=STSv1; id=1-2;\"\nmta-sts.d.example A 127.0.0.1\n",
         TLS_POLICY_NOT_FOUND, "", 0},
        {"a host for policies, no record", PLAIN "mta-sts.d.example A 127.0.0.1\n", TLS_POLICY_NOT_FOUND, "", 0},
        {"a record, no host", PLAIN "_mta-sts.d.example TXT \"v=STSv1; id=1;\"\n", TLS_POLICY_NOT_FOUND, "", 0},
    };
    try_all(t, sizeof t / sizeof *t);
}

/* Names that lead elsewhere, and records that are unusual. */
static void aliases(void **state)
{
    static const struct order_case t[] = {
        {"7672 2.2.2: an MX that is a CNAME: TLSA of its target",
         "d.example secure MX 10 alias.d.example\nalias.d.example secure CNAME mx.d.example\nmx.d.example secure A "
         "192.0.2.1\n" TLSA,
         TLS_POLICY_FOUND, "dane", 0},
        {"7672 2.2.2: its target has none: TLSA of the alias",
         "d.example secure MX 10 alias.d.example\nalias.d.example secure CNAME mx.d.example\nmx.d.example secure A "
         "192.0.2.1\n_25._tcp.alias.d.example secure TLSA 3 1 1 " S "\n",
         TLS_POLICY_FOUND, "dane", 0},
        {"7672 2.2.2: through an unsigned zone: the alias alone",
         "d.example secure MX 10 alias.d.example\nalias.d.example secure CNAME mx.u.example\nmx.u.example insecure A "
         "192.0.2.1\n_25._tcp.alias.d.example secure TLSA 3 1 1 " S "\n",
         TLS_POLICY_FOUND, "dane", 0},
        {"8461 4.1: the name that MX says counts, not its target's",
         "d.example MX 10 alias.mail.d.example\nalias.mail.d.example CNAME mx.u.example\nmx.u.example A "
         "192.0.2.1\n" STS,
         TLS_POLICY_FOUND, "secure match=alias.mail.d.example servername=hostname", 1},
        {"7671 7: TLSA at a CNAME",
         SIGNED "_25._tcp.mx.d.example secure CNAME t.d.example\nt.d.example secure TLSA 3 1 1 " S "\n",
         TLS_POLICY_FOUND, "dane", 0},
        {"7671 7: into an unsigned zone: no TLSA",
         SIGNED "_25._tcp.mx.d.example secure CNAME t.u.example\nt.u.example insecure TLSA 3 1 1 " S "\n" STS,
         TLS_POLICY_FOUND, SECURE, 1},
        {"7671 7: its end fails: no downgrade",
         SIGNED "_25._tcp.mx.d.example secure CNAME t.d.example\nt.d.example servfail\n" STS, TLS_POLICY_LATER, NULL,
         0},
        {"8461 8.2: the record at a CNAME, the policy host too",
         PLAIN "_mta-sts.d.example CNAME d.sts.example\nd.sts.example TXT \"v=STSv1; id=1;\"\nmta-sts.d.example CNAME "
               "w.sts.example\nw.sts.example A 127.0.0.1\n",
         TLS_POLICY_FOUND, SECURE, 1},
        {"one host twice", PLAIN "d.example MX 20 mx.d.example\n" STS, TLS_POLICY_FOUND, SECURE, 1},
        {"answers that may not be kept", "d.example 0 MX 10 mx.d.example\nmx.d.example 0 A 192.0.2.1\n" STS,
         TLS_POLICY_FOUND, SECURE, 1},
        {"TLSA: one that is usable beside one that is not",
         SIGNED "_25._tcp.mx.d.example secure TLSA 1 1 1 " S "\n" TLSA, TLS_POLICY_FOUND, "dane", 0},
        {"TLSA of a port that is not 25", SIGNED "_465._tcp.mx.d.example secure TLSA 3 1 1 " S "\n" STS,
         TLS_POLICY_FOUND, SECURE, 1},
        {"an address in the place of a name in MX", "d.example MX 10 192.0.2.1\n" STS, TLS_POLICY_LATER, NULL, 1},
    };
    try_all(t, sizeof t / sizeof *t);
}

/* For Postfix 3.10 and later (TLSRPT_README): the policy beside the answer; none beside an answer of DANE. */
static void attributes(void **state)
{
    static const struct {
        const char *what, *zone, *text;
    } t[] = {
        {"enforced", PLAIN STS,
         SECURE " policy_type=sts policy_domain=d.example policy_ttl=604800 { policy_string = version: STSv1 } { "
                "policy_string = mode: enforce } { policy_string = mx: mx.d.example } { policy_string = mx: "
                "*.mail.d.example } { policy_string = max_age: 604800 } mx_host_pattern=mx.d.example "
                "mx_host_pattern=*.mail.d.example"},
        {"DANE", SIGNED TLSA STS, "dane"},
        {"mixed", SIGNED2 TLSA STS, "dane-only"},
        {"no host matches: delivered nowhere, and reported", "d.example MX 10 mx.evil.example\n" STS,
         "secure match=hostname servername=hostname policy_type=sts policy_domain=d.example policy_ttl=604800 { "
         "policy_string = version: STSv1 } { policy_string = mode: enforce } { policy_string = mx: mx.d.example } { "
         "policy_string = mx: *.mail.d.example } { policy_string = max_age: 604800 } mx_host_pattern=mx.d.example "
         "mx_host_pattern=*.mail.d.example policy_failure=validation-failure"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct world w;
        struct buf b = BUF_INIT;
        world_begin(&w, t[i].zone, POLICY);
        assert_int_equal(tls_policy_ask(w.o, &(struct tls_policy_question){.key = "d.example", .attributes = true}, &b),
                         TLS_POLICY_FOUND);
        if (strcmp(b.p, t[i].text) != 0)
            fail_msg("%s: %s", t[i].what, b.p);
        buf_release(&b);
        world_end(&w);
    }
}

/* A fetch that ends after the wait: the answer is "later", and the policy is there at the next question. If the old
 * policy is still valid, nobody waits for the new one. */
static void late(void **state)
{
    struct world w;
    world_begin(&w, PLAIN STS, POLICY);
    close_world(&w);
    w.web.silent = true;
    w.wait_ms = 200;
    w.fetch_ms = 2000;
    open_world(&w, PLAIN STS);
    expect_answer(&w, "its fetch is still under way", "d.example", TLS_POLICY_LATER, NULL);
    for (int i = 0; i < 2000 && !w.notes; i++)
        usleep(10000);
    usleep(100000); /* the failure is remembered right after it is noted */
    expect_answer(&w, "its own fetch failed: as if no policy", "d.example", TLS_POLICY_NOT_FOUND, "");
    assert_int_equal(w.web.taken, 1);
    world_end(&w);
}

static void keys(void **state)
{
    static const struct {
        const char *key;
        enum tls_policy_answer want;
    } t[] = {
        {"d.example", TLS_POLICY_FOUND},
        {"D.Example.", TLS_POLICY_FOUND},
        {"d.example:25", TLS_POLICY_FOUND},
        {"D.EXAMPLE:25", TLS_POLICY_FOUND},
        {"d.example:smtp", TLS_POLICY_FOUND},
        {"d.example:587", TLS_POLICY_NOT_FOUND},
        {"[d.example]", TLS_POLICY_NOT_FOUND},
        {"[d.example]:25", TLS_POLICY_NOT_FOUND},
        {".d.example", TLS_POLICY_NOT_FOUND},
        {".example", TLS_POLICY_NOT_FOUND},
        {"192.0.2.1", TLS_POLICY_NOT_FOUND},
        {"[192.0.2.1]:25", TLS_POLICY_NOT_FOUND},
        {"[IPv6:2001:db8::1]", TLS_POLICY_NOT_FOUND},
        {"", TLS_POLICY_NOT_FOUND},
        {"user@d.example", TLS_POLICY_NOT_FOUND},
        {"d..example", TLS_POLICY_NOT_FOUND},
        {"unix:/run/x", TLS_POLICY_NOT_FOUND},
    };
    struct world w;
    world_begin(&w, PLAIN STS, POLICY);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        expect_answer(&w, "key", t[i].key, t[i].want, t[i].want == TLS_POLICY_FOUND ? SECURE : "");
    assert_int_equal(w.web.taken, 1);
    world_end(&w);
}

static void modes_and_failures(void **state)
{
    static const struct {
        const char *what, *answer;
    } t[] = {
        {"testing", HEAD "version: STSv1\nmode: testing\nmx: mx.d.example\nmax_age: 604800\n"},
        {"none", HEAD "version: STSv1\nmode: none\nmax_age: 604800\n"},
        {"no policy", HEAD "hello\n"},
        {"404", "HTTP/1.0 404 no\r\n\r\n"},
        {"another type", "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nversion: STSv1\nmode: enforce\nmx: "
                         "mx.d.example\nmax_age: 604800\n"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct world w;
        world_begin(&w, PLAIN STS, t[i].answer);
        for (int k = 0; k < 5; k++)
            expect_answer(&w, t[i].what, "d.example", TLS_POLICY_NOT_FOUND, "");
        assert_int_equal(w.web.taken, 1); /* neither a policy nor a failure is asked for again at once */
        assert_int_equal(w.notes, i < 2 ? 0 : 1);
        clock_set_wall(NOW + TLS_POLICY_RETRY);
        expect_answer(&w, t[i].what, "d.example", TLS_POLICY_NOT_FOUND, "");
        assert_int_equal(w.web.taken, i < 2 ? 1 : 2);
        world_end(&w);
    }
}

/* Kept over a restart; to its end whatever happens; a new id fetches anew. */
static void policy_kept(void **state)
{
    struct world w;
    world_begin(&w, PLAIN OTHER STS, POLICY);
    expect_answer(&w, "fetched", "d.example", TLS_POLICY_FOUND, SECURE);
    close_world(&w);
    w.web.answer = "HTTP/1.0 500 dead\r\n\r\n";
    open_world(&w, PLAIN);
    expect_answer(&w, "after a restart, the record gone", "d.example", TLS_POLICY_FOUND, SECURE);
    assert_int_equal(w.web.taken, 1);
    close_world(&w);
    open_world(&w, PLAIN OTHER "_mta-sts.d.example TXT \"v=STSv1; id=2;\"\nmta-sts.d.example A 127.0.0.1\n");
    expect_answer(&w, "a new id, the web server dead", "d.example", TLS_POLICY_FOUND, SECURE);
    assert_int_equal(w.web.taken, 2);
    expect_answer(&w, "not asked at every mail", "d.example", TLS_POLICY_FOUND, SECURE);
    assert_int_equal(w.web.taken, 2);
    w.web.answer = HEAD "version: STSv1\nmode: enforce\nmx: other.d.example\nmax_age: 86400\n";
    clock_set_wall(NOW + TLS_POLICY_RETRY);
    expect_answer(&w, "the new one", "d.example", TLS_POLICY_FOUND, "secure match=other.d.example servername=hostname");
    close_world(&w);
    open_world(&w, PLAIN OTHER);
    clock_set_wall(NOW + TLS_POLICY_RETRY + 86399);
    expect_answer(&w, "to its end", "d.example", TLS_POLICY_FOUND, "secure match=other.d.example servername=hostname");
    clock_set_wall(NOW + TLS_POLICY_RETRY + 86400);
    expect_answer(&w, "and not longer", "d.example", TLS_POLICY_NOT_FOUND, "");
    world_end(&w);
}

static void wait_for(struct world *w, int taken)
{
    for (int i = 0; i < 300 && w->web.taken < taken; i++)
        usleep(10000);
    assert_int_equal(w->web.taken, taken);
}

/* Once a day, beside the mail; a failure keeps what there is. */
static void refreshed(void **state)
{
    struct world w;
    world_begin(&w, PLAIN STS, POLICY);
    expect_answer(&w, "fetched", "d.example", TLS_POLICY_FOUND, SECURE);
    w.web.answer = "HTTP/1.0 500 dead\r\n\r\n";
    clock_set_wall(NOW + TLS_POLICY_REFRESH);
    wait_for(&w, 2);
    for (int i = 0; i < 300 && !w.notes; i++)
        usleep(10000);
    usleep(100000); /* the time of the failure is noted right after */
    expect_answer(&w, "while it fails", "d.example", TLS_POLICY_FOUND, SECURE);
    w.web.answer = HEAD "version: STSv1\nmode: testing\nmx: mx.d.example\nmax_age: 86400\n";
    clock_set_wall(NOW + TLS_POLICY_REFRESH + TLS_POLICY_RETRY);
    wait_for(&w, 3);
    for (int i = 0; i < 100; i++) { /* taken over right after its connection ends */
        struct buf b = BUF_INIT;
        bool done = tls_policy_ask(w.o, &(struct tls_policy_question){.key = "d.example"}, &b) == TLS_POLICY_NOT_FOUND;
        buf_release(&b);
        if (done)
            break;
        usleep(10000);
    }
    expect_answer(&w, "taken over", "d.example", TLS_POLICY_NOT_FOUND, "");
    world_end(&w);
}

static void *ask_dead(void *arg)
{
    expect_answer(arg, "a silent web server", "d.example", TLS_POLICY_NOT_FOUND, "");
    return NULL;
}

#define SIDE_BY_SIDE                                                                                                   \
    PLAIN STS "e.example secure MX 10 mx.e.example\nmx.e.example secure A 192.0.2.3\n"                                 \
              "_25._tcp.mx.e.example secure TLSA 3 1 1 " S "\n"

/* One fetch for all who need it; nobody else waits for it. */
static void side_by_side(void **state)
{
    struct world w;
    pthread_t threads[8];
    world_begin(&w, SIDE_BY_SIDE, POLICY);
    close_world(&w);
    w.web.silent = true;
    w.fetch_ms = 4000;
    open_world(&w, SIDE_BY_SIDE);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_dead, &w), 0);
    wait_for(&w, 1);
    int64_t start_ms = clock_mono_ms();
    expect_answer(&w, "another domain meanwhile", "e.example", TLS_POLICY_FOUND, "dane");
    assert_true(clock_mono_ms() - start_ms < 3500); /* the fetch takes 4,000 */
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(w.web.taken, 1);
    world_end(&w);
}

static void read_text(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    out[fread(out, 1, size - 1, f)] = '\0';
    fclose(f);
}

/* A file of ours that somebody spoiled: what is a policy is taken, the rest skipped, loudly, and the file set aside. */
static void spoiled_file(void **state)
{
    struct world w;
    char text[400], aside[80], there[2048] = "";
    world_begin(&w, PLAIN, POLICY);
    snprintf(aside, sizeof aside, "%s.damaged", w.file);
    unlink(aside);
    close_world(&w);
    FILE *f = fopen(w.file, "w");
    snprintf(text, sizeof text,
             "\nd.example\nd.example 1 enforce 1 99999999999999 1\n.. 1 enforce 1 %d 1 mx.d.example\nd.example 1 "
             "enforce 1 x 1 mx\n"
             "d.example 1-1 enforce 1 %d 1 mx.d.example\nd.example 1 strict 1 %d 1 mx.d.example\nd.example 1 enforce 1 "
             "%d 1 mx.*\n",
             NOW + 9, NOW + 9, NOW + 9, NOW + 9);
    fputs(text, f);
    fprintf(f, "d.example 7 enforce %d 999999999999999 %d mx.d.example *.mail.d.example\nx.example 1 enforce 1", NOW,
            NOW);
    fclose(f);
    open_world(&w, PLAIN);
    assert_int_equal(w.notes, 1);
    assert_non_null(strstr(w.noted, "skipped"));
    assert_non_null(strstr(w.noted, "FILE.damaged"));
    read_text(aside, there, sizeof there);
    assert_memory_equal(there, text, strlen(text));
    assert_non_null(strstr(there, "x.example 1 enforce 1"));
    for (int i = 0; i < 500 && access(w.file, R_OK) != 0; i++)
        usleep(10000);
    read_text(w.file, there, sizeof there);
    assert_non_null(strstr(there, "\nd.example 7 enforce "));
    assert_null(strstr(there, "x.example"));
    assert_null(strstr(there, "strict"));
    expect_answer(&w, "the good line", "d.example", TLS_POLICY_FOUND, SECURE);
    clock_set_wall(NOW + STS_MAX_AGE);
    expect_answer(&w, "not for ever", "d.example", TLS_POLICY_NOT_FOUND, "");
    world_end(&w);
}

/* What we could not do ourselves is no answer of the domain's: it has a record, so its mail waits (RFC 8461 3.3 is of
 * the domain's own failures). Mail to others goes on, and so does what is remembered. */
static void queue_full(void **state)
{
    static const char zone[] = PLAIN STS
        "b.example MX 10 mx.b.example\nmx.b.example A 192.0.2.2\n_mta-sts.b.example TXT \"v=STSv1; "
        "id=1;\"\nmta-sts.b.example A 127.0.0.1\nc.example MX 10 mx.c.example\nmx.c.example A 192.0.2.3\n"
        "e.example MX 10 mx.d.example\n_mta-sts.e.example TXT \"v=STSv1; id=2;\"\nmta-sts.e.example A 127.0.0.1\n";
    struct world w;
    world_begin(&w, zone, POLICY);
    close_world(&w);
    FILE *f = fopen(w.file, "w");
    fprintf(f, "e.example 1 enforce %d %d %d mx.d.example\n", NOW, NOW + 1000, NOW);
    fclose(f);
    w.web.silent = true;
    w.wait_ms = 100;
    w.fetch_ms = 4000;
    w.queue = 1;
    open_world(&w, zone);
    expect_answer(&w, "the one place is taken", "d.example", TLS_POLICY_LATER, NULL);
    expect_answer(&w, "the queue is full", "b.example", TLS_POLICY_LATER, NULL);
    assert_non_null(strstr(w.noted, "b.example: the queue of policies to fetch is full"));
    expect_answer(&w, "... and asked again", "b.example", TLS_POLICY_LATER, NULL);
    expect_answer(&w, "... no record, no policy", "c.example", TLS_POLICY_NOT_FOUND, "");
    expect_answer(&w, "... a policy that holds, its new id cannot be fetched", "e.example", TLS_POLICY_FOUND, SECURE);
    world_end(&w);
}

/* Opens files until there are no more; returns how many. */
static size_t use_up_files(int files[256])
{
    size_t n = 0;
    while (n < 256 && (files[n] = dup(0)) >= 0)
        n++;
    return n;
}

static void out_of_files(void **state)
{
    struct rlimit old, low;
    struct world w;
    int files[256];
    world_begin(&w, PLAIN STS, POLICY);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = old;
    low.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    size_t n = use_up_files(files);
    expect_answer(&w, "no socket can be made", "d.example", TLS_POLICY_LATER, NULL);
    for (size_t i = 0; i < n; i++)
        close(files[i]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    expect_answer(&w, "not asked again at once", "d.example", TLS_POLICY_LATER, NULL);
    assert_int_equal(w.web.taken, 0);
    clock_set_wall(NOW + TLS_POLICY_RETRY_OURS);
    expect_answer(&w, "there are files again", "d.example", TLS_POLICY_FOUND, SECURE);
    world_end(&w);
}

static void no_authorities(void **state)
{
    struct world w;
    world_begin(&w, PLAIN STS, POLICY);
    close_world(&w);
    unlink(w.web.ca_file);
    open_world(&w, PLAIN STS);
    expect_answer(&w, "we have no certificates of authorities", "d.example", TLS_POLICY_LATER, NULL);
    world_end(&w);
}

#define LINES(mode, age) "version: STSv1\nmode: " mode "\nmx: mx.d.example\nmax_age: " age "\n"

/* What a policy host may say: first to who never had its policy, then to who has a valid one, and sees a new id. */
struct strange_case {
    const char *what, *answer;
    const char *first; /* NULL: not found */
};

static void try_strange(const struct strange_case *t, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct world w;
        world_begin(&w, PLAIN STS, t[i].answer);
        expect_answer(&w, t[i].what, "d.example", t[i].first ? TLS_POLICY_FOUND : TLS_POLICY_NOT_FOUND, t[i].first);
        world_end(&w);
        if (t[i].first)
            continue;
        world_begin(&w, PLAIN STS, POLICY); /* RFC 8461 5.1: a valid policy is used until its end */
        expect_answer(&w, "the policy before", "d.example", TLS_POLICY_FOUND, SECURE);
        close_world(&w);
        w.web.answer = t[i].answer;
        open_world(&w, PLAIN "_mta-sts.d.example TXT \"v=STSv1; id=2;\"\nmta-sts.d.example A 127.0.0.1\n");
        expect_answer(&w, t[i].what, "d.example", TLS_POLICY_FOUND, SECURE);
        assert_int_equal(w.web.taken, 2);
        world_end(&w);
    }
}

static void strange_http(void **state)
{
    static const struct strange_case t[] = {
        {"a redirect to itself",
         "HTTP/1.1 301 Moved\r\nLocation: /.well-known/mta-sts.txt\r\nContent-Type: text/plain\r\nContent-Length: "
         "73\r\n\r\n" LINES("enforce", "86400"),
         NULL},
        {"302", "HTTP/1.1 302 F\r\nLocation: https://mta-sts.d.example/x\r\nContent-Length: 0\r\n\r\n", NULL},
        {"307", "HTTP/1.1 307 T\r\nLocation: https://mta-sts.d.example/x\r\nContent-Length: 0\r\n\r\n", NULL},
        {"204", "HTTP/1.1 204 No\r\nContent-Type: text/plain\r\n\r\n", NULL},
        {"304", "HTTP/1.1 304 Same\r\nContent-Type: text/plain\r\n\r\n", NULL},
        {"500", "HTTP/1.1 500 No\r\nContent-Type: text/plain\r\n\r\n" LINES("enforce", "86400"), NULL},
        {"100 before it", "HTTP/1.1 100 Continue\r\n\r\n" HEAD LINES("enforce", "86400"), SECURE},
        {"chunks that end",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3d\r\n" LINES(
             "enforce", "86400") "\r\n0\r\n\r\n",
         SECURE},
        {"HTML", "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" LINES("enforce", "86400"), NULL},
        {"a charset", "HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" LINES("enforce", "86400"),
         SECURE},
        {"another charset",
         "HTTP/1.0 200 OK\r\nContent-Type: TEXT/PLAIN;charset=\"us-ascii\"\r\n\r\n" LINES("enforce", "86400"), SECURE},
        {"compressed, as it says",
         "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08", NULL},
    };
    try_strange(t, sizeof t / sizeof *t);
}

static void strange_policies(void **state)
{
    static const struct strange_case t[] = {
        {"nothing", HEAD, NULL},
        {"a byte order mark", HEAD "\xef\xbb\xbf" LINES("enforce", "86400"), NULL},
        {"CRLF and LF mixed", HEAD "version: STSv1\r\nmode: enforce\nmx: mx.d.example\r\nmax_age: 86400", SECURE},
        {"CR alone", HEAD "version: STSv1\rmode: enforce\rmx: mx.d.example\rmax_age: 86400\r", NULL},
        {"3.2: of a field that is there twice the first counts",
         HEAD "version: STSv1\nmode: enforce\nmode: none\nmode:\nmx: mx.d.example\nmax_age: 86400\nmax_age: "
              "0\nversion: STSv2\n",
         SECURE},
        {"a version twice, the first is wrong", HEAD "version: STSv2\n" LINES("enforce", "86400"), NULL},
        {"max_age 0", HEAD LINES("enforce", "0"), SECURE},
        {"max_age of ten digits", HEAD LINES("enforce", "9999999999"), SECURE},
        {"max_age of eleven digits", HEAD LINES("enforce", "99999999999"), NULL},
        {"max_age below zero", HEAD LINES("enforce", "-1"), NULL},
        {"max_age with a point", HEAD LINES("enforce", "86400.0"), NULL},
        {"no max_age", HEAD "version: STSv1\nmode: enforce\nmx: mx.d.example\n", NULL},
        {"no mode", HEAD "version: STSv1\nmx: mx.d.example\nmax_age: 86400\n", NULL},
        {"no mx", HEAD "version: STSv1\nmode: enforce\nmax_age: 86400\n", NULL},
        {"an mode of its own", HEAD LINES("Enforce", "86400"), NULL},
        {"fields of the future", HEAD LINES("enforce", "86400") "tls_min: 1.3\nx.y-z_1: a b\n", SECURE},
        {"a NUL", HEAD "version: STSv1\nmode: enforce\nmx: mx.d.example", NULL},
    };
    try_strange(t, sizeof t / sizeof *t);
}

static void strange_hosts_of_mail(void **state)
{
    static const struct strange_case t[] = {
        {"mx: an address beside",
         HEAD
         "version: STSv1\nmode: enforce\nmx: 192.0.2.1\nmx: [IPv6:2001:db8::1]\nmx: mx.d.example\nmax_age: 86400\n",
         SECURE},
        {"mx: only an address", HEAD "version: STSv1\nmode: enforce\nmx: 192.0.2.1\nmax_age: 86400\n", NULL},
        {"mx: a U-label",
         HEAD "version: STSv1\nmode: enforce\nmx: m\xc3\xa4il.d.example\nmx: mx.d.example\nmax_age: 86400\n", NULL},
        {"mx: an A-label beside",
         HEAD "version: STSv1\nmode: enforce\nmx: xn--mil-qla.d.example\nmx: mx.d.example\nmax_age: 86400\n", SECURE},
        {"mx: an underscore",
         HEAD "version: STSv1\nmode: enforce\nmx: mx_1.d.example\nmx: mx.d.example\nmax_age: 86400\n", NULL},
        {"mx: everything", HEAD "version: STSv1\nmode: enforce\nmx: *\nmax_age: 86400\n", NULL},
        {"mx: a star within", HEAD "version: STSv1\nmode: enforce\nmx: mx.*.example\nmax_age: 86400\n", NULL},
        {"mx: in capitals", HEAD "version: STSv1\nmode: enforce\nmx: MX.D.Example\nmax_age: 86400\n", SECURE},
    };
    try_strange(t, sizeof t / sizeof *t);
}

static void answers_without_end(void **state)
{
    static char ten_megabytes[10 * 1024 * 1024 + 200], chunks[512 * 1024];
    static const struct strange_case t[] = {
        {"ten megabytes", ten_megabytes, NULL},
        {"chunks without end", chunks, NULL},
    };
    snprintf(ten_megabytes, sizeof ten_megabytes, HEAD LINES("enforce", "86400"));
    memset(ten_megabytes + strlen(ten_megabytes), 'x', sizeof ten_megabytes - 1 - strlen(ten_megabytes));
    snprintf(chunks, sizeof chunks,
             "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t n = strlen(chunks); n + 8 < sizeof chunks; n += 6)
        memcpy(chunks + n, "1\r\nx\r\n", 7);
    try_strange(t, sizeof t / sizeof *t);
}

/* When the table is full, who has a policy stays. */
static void full(void **state)
{
    struct sts_cache *c = sts_cache_new();
    static const char *const mx[] = {"mx.d.example"};
    struct sts_policy p = {.mode = STS_ENFORCE, .max_age = 1000, .mx = mx, .mx_count = 1};
    char name[32];
    for (int i = 0; i < TLS_POLICY_DOMAINS; i++) {
        snprintf(name, sizeof name, "d%d.example", i);
        struct tls_policy_entry *e = sts_cache_place(c, name, NOW + i);
        assert_non_null(e);
        if (i != 5)
            assert_int_equal(sts_cache_store(e, &p, "1", NOW), STATUS_OK);
    }
    assert_non_null(sts_cache_place(c, "new.example", NOW));
    assert_null(sts_cache_find(c, "d5.example"));
    assert_non_null(sts_cache_find(c, "d0.example"));
    assert_string_equal(sts_cache_find(c, "new.example")->id, "");
    sts_cache_free(c);
}

int main(void)
{
    assert_true(https_begin());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dane_before_mta_sts),
        cmocka_unit_test(hosts_that_fail),
        cmocka_unit_test(hosts_that_match),
        cmocka_unit_test(no_downgrade),
        cmocka_unit_test(what_dane_cannot_use),
        cmocka_unit_test(records_of_mta_sts),
        cmocka_unit_test(aliases),
        cmocka_unit_test(attributes),
        cmocka_unit_test(late),
        cmocka_unit_test(keys),
        cmocka_unit_test(modes_and_failures),
        cmocka_unit_test(policy_kept),
        cmocka_unit_test(refreshed),
        cmocka_unit_test(side_by_side),
        cmocka_unit_test(spoiled_file),
        cmocka_unit_test(full),
        cmocka_unit_test(queue_full),
        cmocka_unit_test(out_of_files),
        cmocka_unit_test(no_authorities),
        cmocka_unit_test(strange_http),
        cmocka_unit_test(strange_policies),
        cmocka_unit_test(strange_hosts_of_mail),
        cmocka_unit_test(answers_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
