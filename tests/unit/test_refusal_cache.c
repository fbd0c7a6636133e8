// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_refusal_cache.c - the last refusals: known from the second on, for their question, policy and time only; a
 * repeat is reported once; names asked for once displace nothing.
 */
#include "tests/unit/cm.h"
#include "resolver-module/refusal_cache.h"
#include <stdio.h>

/* Wire form of LABEL.example, in its own storage. */
static struct refusal_key key(const char *label, uint16_t type, unsigned version)
{
    static uint8_t wire[8][80];
    static unsigned turn;
    uint8_t *w = wire[turn++ % 8];
    size_t n = strlen(label);
    w[0] = (uint8_t)n;
    memcpy(w + 1, label, n);
    memcpy(w + 1 + n, "\7example", 9);
    return (struct refusal_key){.name = w, .length = n + 10, .type = type, .version = version};
}

static struct zones_event event(const char *reason)
{
    struct zones_event e = {.state = DECIDE_STATE_INSECURE, .refused = true, .has_reason = true, .weight = 1};
    snprintf(e.reason, sizeof e.reason, "%s", reason);
    return e;
}

static void refusal_put(struct refusal_cache *r, const char *label, const char *reason, struct refusal_left *left)
{
    struct refusal_key k = key(label, 1, 1);
    struct zones_event e = event(reason);
    refusal_cache_put(r, &k, 100, &e, left);
}

static bool known(struct refusal_cache *r, const char *label, uint16_t type, unsigned version, time_t now,
                  char text[DECIDE_TEXT])
{
    struct refusal_key k = key(label, type, version);
    return refusal_cache_get(r, &k, now, text);
}

static void known_from_the_second_refusal_on(void **state)
{
    (void)state;
    struct refusal_cache *r = refusal_cache_new();
    struct refusal_left left;
    char text[DECIDE_TEXT];
    refusal_put(r, "www", "first", &left);
    assert_int_equal(left.event.weight, 0);
    assert_false(known(r, "www", 1, 1, 50, text));
    refusal_put(r, "www", "second", &left);
    assert_true(known(r, "www", 1, 1, 50, text));
    assert_string_equal(text, "second");
    assert_true(known(r, "WwW", 1, 1, 50, text)); /* RFC 4343 */
    assert_false(known(r, "www", 28, 1, 50, text));
    assert_false(known(r, "www", 1, 2, 50, text));
    assert_false(known(r, "www", 1, 1, 100, text));
    assert_false(known(r, "ww", 1, 1, 50, text));
    refusal_cache_free(r);
}

static unsigned all_repeats(struct refusal_cache *r, struct zones_event *out)
{
    unsigned n = 0;
    for (size_t i = 0; i < REFUSAL_CACHE_SLOTS; i++)
        if (refusal_cache_take(r, i, out))
            n += out->weight;
    return n;
}

static void repeats_are_handed_over_once(void **state)
{
    (void)state;
    struct refusal_cache *r = refusal_cache_new();
    struct zones_event out;
    struct refusal_left left;
    char text[DECIDE_TEXT];
    refusal_put(r, "www", "why", &left);
    refusal_put(r, "www", "why", &left);
    for (int i = 0; i < 5; i++)
        assert_true(known(r, "www", 1, 1, 50, text));
    assert_int_equal(all_repeats(r, &out), 5);
    assert_string_equal(out.reason, "why");
    assert_int_equal(all_repeats(r, &out), 0);
    assert_true(known(r, "www", 1, 1, 50, text));
    refusal_put(r, "www", "another", &left); /* takes the slot again: what was counted there is left to the caller */
    assert_int_equal(left.event.weight, 1);
    assert_string_equal(left.event.reason, "why");
    assert_int_equal(all_repeats(r, &out), 0);
    refusal_cache_free(r);
}

static void names_asked_for_once_push_nothing_out(void **state)
{
    (void)state;
    struct refusal_cache *r = refusal_cache_new();
    struct refusal_left left;
    char text[DECIDE_TEXT], label[40];
    refusal_put(r, "www", "why", &left);
    refusal_put(r, "www", "why", &left);
    for (unsigned i = 0; i < 50 * REFUSAL_CACHE_SLOTS; i++) {
        snprintf(label, sizeof label, "n%u", i);
        refusal_put(r, label, "made up", &left);
        assert_int_equal(left.event.weight, 0);
        assert_false(known(r, label, 1, 1, 50, text));
    }
    assert_true(known(r, "www", 1, 1, 50, text));
    refusal_cache_free(r);
}

/* The caller learns which question is not remembered any more, once. */
static void what_is_displaced_is_named(void **state)
{
    (void)state;
    struct refusal_cache *r = refusal_cache_new();
    struct refusal_left left;
    char text[DECIDE_TEXT], label[40];
    bool found = false;
    refusal_put(r, "www", "why", &left);
    refusal_put(r, "www", "why", &left);
    assert_int_equal(left.length, 0);
    refusal_put(r, "www", "why", &left); /* the same question again */
    assert_int_equal(left.length, 0);
    for (unsigned i = 0; i < 50 * REFUSAL_CACHE_SLOTS && !found; i++) {
        snprintf(label, sizeof label, "n%u", i);
        refusal_put(r, label, "another", &left);
        refusal_put(r, label, "another", &left);
        found = left.length == 13 && memcmp(left.name, "\3www\7example", 13) == 0;
        assert_int_equal(found, !known(r, "www", 1, 1, 50, text));
    }
    assert_true(found);
    assert_int_equal(left.type, 1);
    refusal_cache_free(r);
}

static void a_name_too_long_is_not_taken(void **state)
{
    (void)state;
    struct refusal_cache *r = refusal_cache_new();
    struct zones_event e = event("why");
    struct refusal_left left;
    uint8_t name[300] = {63};
    char text[DECIDE_TEXT];
    static const size_t lengths[] = {0, 257, 300};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t length = lengths[i];
        struct refusal_key k = {.name = name, .length = length, .type = 1, .version = 1};
        refusal_cache_put(r, &k, 100, &e, &left);
        refusal_cache_put(r, &k, 100, &e, &left);
        assert_false(refusal_cache_get(r, &k, 50, text));
    }
    refusal_cache_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_from_the_second_refusal_on),      cmocka_unit_test(repeats_are_handed_over_once),
        cmocka_unit_test(names_asked_for_once_push_nothing_out), cmocka_unit_test(what_is_displaced_is_named),
        cmocka_unit_test(a_name_too_long_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
