// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_publish_guard.c - totals of groups that overlap: which of them tell, together, of fewer than five; by hand, and
 * for many random groups against a reader who tries all factors from -2 to 2.
 */
#include "cm.h"
#include "report/publish_guard.h"
#include <stdio.h>
#include <string.h>

/* `of`: how many organisations are in exactly these groups, written as "AB=3"; the rest is in "-". */
static const struct {
    const char *what, *of;
    uint64_t shown;
    bool tells;
} cases[] = {
    {"one group of five", "A=5", 1, false},
    {"one group of four", "A=4", 1, true},
    {"a group and one that holds it and two more", "AB=9 B=2", 3, true},
    {"the larger of these alone", "AB=9 B=2", 2, false},
    {"a group and one that holds it and five more", "AB=9 B=5", 3, false},
    {"two that share three: neither part follows", "A=9 AB=3 B=9", 3, false},
    {"their union beside them: what they share follows", "AC=9 ABC=3 BC=9", 7, true},
    {"all, and two that leave three", "AC=9 BC=9 C=3", 7, true},
    {"all, and two that leave six", "AC=9 BC=9 C=6", 7, false},
    {"all, two that overlap, and three in neither: nothing follows", "AC=9 ABC=6 BC=9 C=3", 7, false},
    {"two that differ by two here and two there", "A=2 AB=20 B=2", 3, false},
    {"halves: three pairs give each", "AB=2 BC=20 AC=20", 7, true},
};

static size_t members(const char *of, uint64_t *out)
{
    size_t n = 0;
    for (const char *p = of; *p; p += *p == ' ') {
        uint64_t groups = 0;
        for (; *p != '='; p++)
            groups |= UINT64_C(1) << (*p - 'A');
        unsigned count = 0;
        for (p++; *p >= '0' && *p <= '9'; p++)
            count = count * 10 + (unsigned)(*p - '0');
        for (; count; count--)
            out[n++] = groups;
    }
    return n;
}

static void by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t member[200], in;
        struct arena *a = arena_new(1 << 20);
        size_t n = members(cases[i].of, member);
        if (publish_guard_tells(a, member, n, cases[i].shown, 5, &in) != cases[i].tells)
            fail_msg("%s: %s", cases[i].what, cases[i].of);
        arena_free(a);
    }
}

/* A reader who tries each factor for each of four groups: finds a set of one to four. */
static bool reader_finds(const uint64_t *member, size_t n)
{
    for (int f = 0; f < 5 * 5 * 5 * 5; f++) {
        int factor[4] = {f % 5 - 2, f / 5 % 5 - 2, f / 25 % 5 - 2, f / 125 - 2};
        size_t ones = 0, noughts = 0;
        for (size_t i = 0; i < n; i++) {
            int sum = 0;
            for (int g = 0; g < 4; g++)
                sum += member[i] >> g & 1 ? factor[g] : 0;
            ones += sum == 1;
            noughts += sum == 0;
        }
        if (ones >= 1 && ones <= 4 && ones + noughts == n)
            return true;
    }
    return false;
}

static void what_a_reader_finds_is_told(void **state)
{
    (void)state;
    uint64_t chance = 88172645463325252u;
    unsigned found = 0, told = 0;
    for (int round = 0; round < 4000; round++) {
        uint64_t member[24], in;
        struct arena *a = arena_new(1 << 20);
        for (size_t i = 0; i < 24; i++) {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            /* often in the same groups as the one before, so that there are cells of all sizes */
            member[i] = i && (chance >> 20 & 7) ? member[i - 1] : chance >> 30 & 15;
        }
        bool reader = reader_finds(member, 24), guard = publish_guard_tells(a, member, 24, 15, 5, &in);
        if (reader && !guard)
            fail_msg("round %d: a reader finds a set that is not told of", round);
        found += reader;
        told += guard;
        arena_free(a);
    }
    assert_true(found > 500 && found < 3800); /* both happen */
    assert_true(told <= found + found / 10);  /* and nothing is hidden without need */
}

static void no_room_is_yes(void **state)
{
    (void)state;
    static uint64_t member[200];
    uint64_t in;
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < 200; i++)
        member[i] = i + 1; /* two hundred cells of one */
    assert_true(publish_guard_tells(a, member, 200, 255, 5, &in));
    a = arena_free(a);
    a = arena_new(64);
    assert_true(publish_guard_tells(a, member, 200, 255, 5, &in));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_hand), cmocka_unit_test(what_a_reader_finds_is_told),
                                       cmocka_unit_test(no_room_is_yes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
