// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dns_parsed.c - parsed forms of records, kept with their answer: by name and type, no longer than the TTL (keys
 * an hour), with the answer's security, dropped by dns_forget, bounded in octets, a sixteenth for one client network; a
 * revoked key is honoured as soon as the answer that had it is over; threads.
 *
 * The source here is a table of one TXT text a name, with the real cache in front and a clock that the test sets.
 */
#include "tests/unit/dkim_lab.h"
#include "dns/dns_cache.h"
#include "dns/dns_parsed.h"
#include "standards/dkim/dkim_proof.h"
#include "standards/dkim/dkim_pubkey.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

struct source {
    struct dns base;
    struct dns_cache *cache;
    int64_t now;
    uint32_t ttl;
    enum dns_security security;
    const char *text;
    unsigned asked;
};

static atomic_uint made, dropped;
static size_t form_octets; /* that a form takes outside of its arena */

static struct dns_result *answer_of(struct source *s, const char *text)
{
    char rdata[1024];
    size_t n = 0;
    for (size_t left = strlen(text); left;) {
        const size_t k = left < 255 ? left : 255;
        rdata[n] = (char)k;
        memcpy(rdata + n + 1, text + strlen(text) - left, k);
        n += k + 1;
        left -= k;
    }
    const struct slice one = slice_of(rdata, n);
    return dns_result_new(&(struct dns_result){
        .state = DNS_FOUND, .security = s->security, .ttl = s->ttl, .count = 1, .rdata = &one, .expires = INT64_MAX});
}

static struct dns_result *source_ask(struct dns *source, const struct dns_question *q, struct dns_flight **flight)
{
    struct source *s = (struct source *)source;
    struct dns_result *r = answer_of(s, s->text ? s->text : q->name);
    *flight = NULL;
    s->asked++;
    r->expires = s->now + (int64_t)dns_cache_ttl(q->name, s->ttl) * 1000;
    dns_cache_put(s->cache, q, r, s->now);
    return r;
}

static struct dns_result *known(struct dns *source, const struct dns_question *q)
{
    struct source *s = (struct source *)source;
    return dns_cache_get(s->cache, q, s->now);
}

static void grew(struct dns *source, const struct dns_question *q, const struct dns_result *r, size_t octets)
{
    dns_cache_grew(((struct source *)source)->cache, q, r, octets);
}

static void source_forget(struct dns *source)
{
    dns_cache_clear(((struct source *)source)->cache);
}

static const struct dns_ops ops = {.ask = source_ask, .known = known, .grew = grew, .forget = source_forget};

static struct source source_new(size_t bytes)
{
    atomic_store(&made, 0);
    atomic_store(&dropped, 0);
    form_octets = 0;
    return (struct source){
        .base.ops = &ops, .cache = dns_cache_new(bytes), .now = 1000, .ttl = 300, .security = DNS_SECURE};
}

static void *form_make(struct arena *arena, const struct slice *texts, size_t count, size_t *outside)
{
    atomic_fetch_add(&made, 1);
    *outside += form_octets;
    return count ? arena_copy(arena, texts[0].p, texts[0].n) : NULL;
}

static void form_drop(void *form)
{
    atomic_fetch_add(&dropped, 1);
}

static const struct dns_form form = {form_make, form_drop}, other_form = {form_make, form_drop};

/* Reads a name in a scope of its own, and gives the text that its parsed form contains. */
static void read_for(struct source *s, const char *name, const struct ip *client, char out[256])
{
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *scope =
        dns_scope_new(&s->base, arena, &(struct dns_budget){.client = client ? *client : (struct ip){0}});
    const char *text = dns_parsed(scope, dns_get(scope, name, DNS_TXT), &form);
    assert_non_null(text);
    snprintf(out, 256, "%s", text);
    dns_scope_free(scope);
    arena_free(arena);
}

static void read_once_until_the_ttl(void **state)
{
    struct source s = source_new(1 << 20);
    char text[256];
    s.text = "first";
    read_for(&s, "a.example", NULL, text);
    s.text = "second";
    read_for(&s, "A.example.", NULL, text);
    assert_string_equal(text, "first");
    assert_int_equal(made, 1);
    read_for(&s, "b.example", NULL, text); /* another name */
    assert_int_equal(made, 2);
    s.now += 299 * 1000;
    read_for(&s, "a.example", NULL, text);
    assert_string_equal(text, "first");
    s.now += 1000;
    read_for(&s, "a.example", NULL, text);
    assert_string_equal(text, "second");
    assert_int_equal(made, 3);
    dns_cache_free(s.cache);
    assert_int_equal(dropped, 3);
}

static void with_its_security(void **state)
{
    struct source s = source_new(1 << 20);
    struct arena *arena = arena_new(1 << 20);
    s.text = "text";
    for (int i = 0; i < 2; i++) {
        s.security = i ? DNS_INSECURE : DNS_SECURE;
        struct dns_scope *scope = dns_scope_new(&s.base, arena, NULL);
        const struct dns_answer *a = dns_get(scope, "a.example", DNS_TXT);
        assert_non_null(dns_parsed(scope, a, &form));
        assert_int_equal(a->security, s.security);
        dns_scope_free(scope);
        s.now += 300 * 1000;
    }
    assert_int_equal(made, 2);
    dns_cache_free(s.cache);
    arena_free(arena);
}

static void forgotten(void **state)
{
    struct source s = source_new(1 << 20);
    char text[256];
    size_t answers, bytes;
    s.text = "first";
    read_for(&s, "a.example", NULL, text);
    dns_forget(&s.base);
    dns_cache_size(s.cache, &answers, &bytes);
    assert_int_equal(answers, 0);
    assert_int_equal(bytes, 0);
    s.text = "second";
    read_for(&s, "a.example", NULL, text);
    assert_string_equal(text, "second");
    dns_forget(NULL);
    dns_cache_free(s.cache);
}

/* Whoever uses a form keeps it, whatever the cache does. */
static void kept_by_its_scope(void **state)
{
    struct source s = source_new(1 << 20);
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *scope = dns_scope_new(&s.base, arena, NULL);
    const char *text = dns_parsed(scope, dns_get(scope, "a.example", DNS_TXT), &form);
    dns_forget(&s.base);
    assert_string_equal(text, "a.example");
    assert_int_equal(dropped, 0);
    dns_scope_free(scope);
    assert_int_equal(dropped, 1);
    dns_cache_free(s.cache);
    arena_free(arena);
}

/* An answer keeps one form, and none that is too long; others belong to the scope that asks, once. */
static void of_the_scope_alone(void **state)
{
    struct source s = source_new(1 << 20);
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *scope = dns_scope_new(&s.base, arena, NULL);
    const struct dns_answer *a = dns_get(scope, "a.example", DNS_TXT);
    assert_non_null(dns_parsed(scope, a, &form));
    const void *of_scope = dns_parsed(scope, a, &other_form);
    assert_non_null(of_scope);
    assert_ptr_equal(dns_parsed(scope, a, &other_form), of_scope);
    assert_int_equal(made, 2);
    form_octets = LIMIT_DNS_PARSED + 1;
    const struct dns_answer *b = dns_get(scope, "b.example", DNS_TXT);
    assert_non_null(dns_parsed(scope, b, &form));
    dns_scope_free(scope);
    assert_int_equal(dropped, 2);
    size_t answers, bytes;
    dns_cache_size(s.cache, &answers, &bytes);
    assert_int_equal(answers, 2);
    assert_true(bytes < LIMIT_DNS_PARSED);
    dns_cache_free(s.cache);
    arena_free(arena);
}

static void parsed_bounded(void **state)
{
    const size_t bound = 1 << 20;
    struct source s = source_new(bound);
    char name[64], text[256];
    size_t answers, bytes;
    form_octets = 5000;
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "n%u.example", i);
        read_for(&s, name, NULL, text);
        dns_cache_size(s.cache, &answers, &bytes);
        assert_true(bytes <= bound);
    }
    assert_in_range(answers, 100, bound / 5000);
    assert_int_equal(made, 2000);
    assert_int_equal(dropped, 2000 - answers);
    dns_cache_free(s.cache);
    assert_int_equal(dropped, 2000);
}

static void a_sixteenth_for_one_network(void **state)
{
    const size_t bound = 4 << 20;
    struct source s = source_new(bound);
    const struct ip good = {.family = 4, .octets = {192, 0, 2, 1}};
    char name[64], text[256];
    size_t answers, bytes, before;
    form_octets = 3000;
    for (unsigned i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "good%u.example", i);
        read_for(&s, name, &good, text);
    }
    dns_cache_size(s.cache, &answers, &before);
    for (unsigned i = 0; i < 3000; i++) { /* 250 addresses of one /24 */
        const struct ip bad = {.family = 4, .octets = {198, 51, 100, (uint8_t)(i % 250)}};
        snprintf(name, sizeof name, "bad%u.example", i);
        read_for(&s, name, &bad, text);
        dns_cache_size(s.cache, &answers, &bytes);
        assert_true(bytes - before <= bound / LIMIT_DNS_CACHE_NETWORK);
    }
    assert_true(bytes - before > bound / LIMIT_DNS_CACHE_NETWORK / 2);
    const unsigned asked = s.asked;
    for (unsigned i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "good%u.example", i);
        read_for(&s, name, &good, text);
    }
    assert_int_equal(s.asked, asked);     /* the others' are still there */
    for (unsigned i = 0; i < 3000; i++) { /* the same by IPv6: one /56 */
        const struct ip bad = {.family = 6, .octets = {0x20, 1, 0xd, 0xb8, 0, 0, 1, (uint8_t)i, [15] = 1}};
        snprintf(name, sizeof name, "worse%u.example", i);
        read_for(&s, name, &bad, text);
    }
    dns_cache_size(s.cache, &answers, &bytes);
    assert_true(bytes - before <= 2 * (bound / LIMIT_DNS_CACHE_NETWORK));
    dns_cache_free(s.cache);
}

static void keys_an_hour(void **state)
{
    assert_int_equal(dns_cache_ttl("s._domainkey.a.example", 86400), 3600);
    assert_int_equal(dns_cache_ttl("_domainkey.a.example", 86400), 3600);
    assert_int_equal(dns_cache_ttl("s._domainkey.a.example", 60), 60);
    assert_int_equal(dns_cache_ttl("_dmarc.a.example", 3601), 3601);
    assert_int_equal(dns_cache_ttl("x_domainkey.a.example", 1000000), 86400);
}

static enum result proof(struct source *s, const char **reason)
{
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *scope = dns_scope_new(&s->base, arena, NULL);
    const struct dkim_sigfield f = {.domain = "a.example", .selector = "s", .algorithm = ALGORITHM_RSA_SHA256};
    struct dkim_proof p;
    dkim_proof_check(scope, arena, &f, PROOF_KNOWN_GOOD, NULL, &p);
    *reason = p.reason; /* static for what is tested here */
    dns_scope_free(scope);
    arena_free(arena);
    return p.result;
}

/* RFC 6376 3.6.1: an empty p= revokes the key. */
static void a_revoked_key(void **state)
{
    struct source s = source_new(1 << 20);
    char record[700];
    const char *reason;
    snprintf(record, sizeof record, "v=DKIM1; p=%s", lab_key("RSA2048")->public_text);
    s.text = record;
    s.ttl = 86400;
    assert_int_equal(proof(&s, &reason), RESULT_PASS);
    s.text = "v=DKIM1; p=";
    s.now += 3599 * 1000;
    assert_int_equal(proof(&s, &reason), RESULT_PASS);
    s.now += 1000; /* a day by its TTL, an hour by our bound */
    assert_int_equal(proof(&s, &reason), RESULT_PERMERROR);
    assert_string_equal(reason, "the key is revoked");
    s.text = record;
    s.now += 3600 * 1000;
    assert_int_equal(proof(&s, &reason), RESULT_PASS);
    dns_cache_free(s.cache);
    dkim_pubkey_forget_all();
}

#define THREADS 4
#define ROUNDS 2000

static void *use(void *context)
{
    struct source *s = context;
    struct arena *arena = arena_new(1 << 20);
    char name[64];
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct dns_scope *scope = dns_scope_new(&s->base, arena, NULL);
        for (unsigned k = 0; k < 5; k++) {
            snprintf(name, sizeof name, "n%u.example", (i + k) % 40);
            const char *text = dns_parsed(scope, dns_get(scope, name, DNS_TXT), &form);
            if (!text || strcmp(text, name) != 0)
                abort();
        }
        if (i % 500 == 499)
            dns_forget(&s->base);
        dns_scope_free(scope);
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static struct dns_result *ask_uncounted(struct dns *source, const struct dns_question *q, struct dns_flight **flight)
{
    struct source copy = *(struct source *)source; /* its counter belongs to one thread */
    return source_ask(&copy.base, q, flight);
}

static void by_threads(void **state)
{
    static const struct dns_ops shared = {.ask = ask_uncounted, .known = known, .grew = grew, .forget = source_forget};
    struct source s = source_new(1 << 16); /* answers are pushed out all the time */
    pthread_t thread[THREADS];
    s.base.ops = &shared;
    form_octets = 500;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, use, &s);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    dns_cache_free(s.cache);
    assert_int_equal(made, dropped);
    assert_true(made < THREADS * ROUNDS * 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_once_until_the_ttl),
        cmocka_unit_test(with_its_security),
        cmocka_unit_test(forgotten),
        cmocka_unit_test(kept_by_its_scope),
        cmocka_unit_test(of_the_scope_alone),
        cmocka_unit_test(parsed_bounded),
        cmocka_unit_test(a_sixteenth_for_one_network),
        cmocka_unit_test(keys_an_hour),
        cmocka_unit_test(a_revoked_key),
        cmocka_unit_test(by_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
