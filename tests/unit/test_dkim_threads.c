// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dkim_threads.c - many checkers at once: the key cache, the digests and libopendkim's one handle are shared by
 * all threads, and nothing else is. Worth most when built with -fsanitize=thread.
 */
#include "tests/unit/dkim_lab.h"
#include "engines/engines.h"
#include "standards/dkim/dkim_pubkey.h"
#include <pthread.h>
#include <stdatomic.h>

#define THREADS 4
#define ROUNDS 60

static const char zone_template[] = "s._domainkey.a.example TXT \"v=DKIM1; p={RSA2048}\"\n"
                                    "t._domainkey.a.example TXT \"v=DKIM1; p={RSA1024}\"\n"
                                    "u._domainkey.a.example TXT \"v=DKIM1; k=ed25519; p={ED25519}\"\n"
                                    "zone dead.example timeout\n";

static char *signatures[3];
static struct dns *source;
static atomic_uint wrong;

static bool message_judge(bool opendkim)
{
    struct dkim_check_options options = {.engine = opendkim ? &assay_dkim_engine : NULL};
    struct arena *arena = arena_new(LIMIT_MESSAGE_ARENA);
    struct dns_scope *dns = dns_scope_new(source, arena, NULL);
    struct header_list list;
    const struct dkim_signature *s = NULL;
    size_t count = 0;
    bool good = true;
    header_list_init(&list, arena);
    for (int i = 0; i < 3; i++)
        good &= header_list_add(&list, SLICE_LIT("DKIM-Signature"), slice_str(signatures[i])) == STATUS_OK;
    good &= header_list_add(&list, SLICE_LIT("From"), SLICE_LIT(" a@example.org")) == STATUS_OK;
    struct dkim_checker *c = dkim_checker_new(dns, arena, &list, "a.example", &options);
    dkim_checker_body(c, SLICE_LIT("Hello.\r\n"));
    good &= dkim_checker_end(c, &s, &count) == STATUS_OK && count == 3;
    for (size_t i = 0; i < count; i++)
        good &= s[i].result == RESULT_PASS;
    dkim_checker_free(c);
    dns_scope_free(dns);
    arena_free(arena);
    return good;
}

static void *work(void *context)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (!message_judge(i % 2))
            atomic_fetch_add(&wrong, 1);
        if (i % 16 == 0)
            dkim_pubkey_forget_all();
    }
    return context;
}

static void test_threads(void **state)
{
    pthread_t t[THREADS];
    char *error = NULL, *zone = lab_zone(zone_template);
    source = dns_replay_text(slice_str(zone), "zone", &error);
    assert_non_null(source);
    signatures[0] = lab_signature("RSA2048", "a.example", "s", "Hello.\r\n");
    signatures[1] = lab_signature("RSA1024", "a.example", "t", "Hello.\r\n");
    signatures[2] = lab_signature("ED25519", "a.example", "u", "Hello.\r\n");
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, work, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(t[i], NULL), 0);
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(dkim_pubkey_stats().hits > dkim_pubkey_stats().misses);
    for (int i = 0; i < 3; i++)
        free(signatures[i]);
    dns_close(source);
    free(zone);
    lab_forget_keys();
}

/* More keys than fit into the cache: its size stays bounded, and evicted keys are read again. */
static void test_cache_is_bounded(void **state)
{
    const char *reason = NULL;
    dkim_pubkey_forget_all();
    for (unsigned i = 0; i < 5000; i++) {
        unsigned char raw[32] = {(unsigned char)i, (unsigned char)(i >> 8), 7};
        char *text = lab_base64(raw, sizeof raw);
        struct dkim_pubkey *k = NULL;
        if (dkim_pubkey_get(KEY_ED25519, slice_str(text), &k, &reason) == STATUS_OK)
            dkim_pubkey_release(k);
        free(text);
    }
    assert_in_range(dkim_pubkey_stats().kept, 1000, 2048);
    dkim_pubkey_forget_all();
    assert_int_equal(dkim_pubkey_stats().kept, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads), cmocka_unit_test(test_cache_is_bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
