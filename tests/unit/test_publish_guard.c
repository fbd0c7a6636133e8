// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_publish_guard.c - totals of sets that overlap: which of them tell, together, of fewer than five; by hand, for
 * many random sets against a reader who tries all factors from -2 to 2, and for sets of several days, in which
 * organisations change, against one who does the linear algebra for each handful of organisations.
 */
#include "cm.h"
#include "report/publish_guard.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SETS 24
#define MEMBERS 400

/* `of`: how many organisations are in exactly these sets, written as "AB=3"; a small letter: where they miss. */
static const struct {
    const char *what, *of, *shown;
    bool tells;
} cases[] = {
    {"one set of five", "A=5", "A", false},
    {"one set of four", "A=4", "A", true},
    {"a set and one that holds it and two more", "AB=9 B=2", "AB", true},
    {"the larger of these alone", "AB=9 B=2", "B", false},
    {"a set and one that holds it and five more", "AB=9 B=5", "AB", false},
    {"two that share three: neither part follows", "A=9 AB=3 B=9", "AB", false},
    {"their union beside them: what they share follows", "AC=9 ABC=3 BC=9", "ABC", true},
    {"all, and two that leave three", "AC=9 BC=9 C=3", "ABC", true},
    {"all, and two that leave six", "AC=9 BC=9 C=6", "ABC", false},
    {"all, two that overlap, and three in neither: nothing follows", "AC=9 ABC=6 BC=9 C=3", "ABC", false},
    {"two that differ by two here and two there: a difference of four", "A=2 AB=20 B=2", "AB", true},
    {"two that differ by three here and two there", "A=3 AB=20 B=2", "AB", false},
    {"halves: three pairs give each twice", "AB=2 BC=20 AC=20", "ABC", true},
    {"a list of another policy, and two that are all of it but one", "AB=6 AC=7 A=1", "ABC", true},
    {"and three that are", "AB=6 AC=7 AD=8 A=2", "ABCD", true},
    {"and three that are all of it but five", "AB=6 AC=7 AD=8 A=5", "ABCD", false},
    {"the same list, of which one has changed", "AB=19 Ab=1", "AB", true},
    {"of which four have changed", "AB=16 Ab=2 aB=2", "AB", true},
    {"of which five have changed", "AB=15 Ab=2 aB=3", "AB", false},
    {"one day a list, the next day its halves, of which one has changed", "AB=9 AC=8 Ac=1", "ABC", true},
    {"of which five have changed", "AB=9 AC=8 Ac=5", "ABC", false},
    {"three days: five change, and all but one change back", "ABC=20 AbC=4 Abc=1", "ABC", true},
    {"three days: five change, and five others", "ABC=20 Abc=5 ABc=5", "ABC", false},
    {"three times one list, less two others that hold it", "ABC=30 B=1 C=1", "ABC", true},
};

struct world {
    struct publish_member of[SETS][MEMBERS];
    struct publish_set set[SETS];
    const struct publish_set *shown[SETS];
    size_t count;
};

static void member_put(struct world *w, size_t set, uint64_t organisation, bool meets)
{
    w->of[set][w->set[set].count++] = (struct publish_member){organisation, meets};
}

static void read_case(struct world *w, const char *of, const char *shown)
{
    uint64_t next = 1;
    *w = (struct world){.count = 0};
    for (const char *p = of; *p; p += *p == ' ') {
        const char *sets = p;
        unsigned count = 0;
        for (p += strcspn(p, "=") + 1; *p >= '0' && *p <= '9'; p++)
            count = count * 10 + (unsigned)(*p - '0');
        for (; count; count--, next++)
            for (const char *s = sets; *s != '='; s++)
                member_put(w, (size_t)((*s | 32) - 'a'), next * UINT64_C(0x9e3779b97f4a7c15), *s < 'a');
    }
    for (; *shown; shown++)
        w->shown[w->count++] = &w->set[*shown - 'A'];
    for (size_t i = 0; i < SETS; i++)
        w->set[i].all = w->of[i];
}

static void by_hand(void **state)
{
    (void)state;
    static struct world w;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_case(&w, cases[i].of, cases[i].shown);
        if (publish_guard_tells(w.shown, w.count, 5, NULL) != cases[i].tells)
            fail_msg("%s: %s", cases[i].what, cases[i].of);
    }
}

static void which_sets_tell(void **state)
{
    (void)state;
    static struct world w;
    bool in[SETS];
    read_case(&w, "AB=9 B=2 C=30 BC=8", "ABC");
    assert_true(publish_guard_tells(w.shown, w.count, 5, in) == false);
    read_case(&w, "AB=9 B=2 C=30", "ABC");
    assert_true(publish_guard_tells(w.shown, w.count, 5, in));
    assert_false(in[0]);
    assert_true(in[1]);
    assert_false(in[2]);
}

static uint64_t chance = 88172645463325252u;

static uint64_t random_next(void)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return chance;
}

/* What organisation o is in set s: 0 not in it, 1 in it, 2 in it and meets all. */
static unsigned what[SETS][40];

static void world_show(struct world *w, size_t sets, size_t organisations)
{
    *w = (struct world){.count = sets};
    for (size_t s = 0; s < sets; s++) {
        for (size_t o = 0; o < organisations; o++)
            if (what[s][o])
                member_put(w, s, o, what[s][o] == 2);
        w->set[s].all = w->of[s];
        w->shown[s] = &w->set[s];
    }
}

/* A reader who tries each factor from -2 to 2 for each of four sets, and finds a sum that speaks of one to four. */
static bool reader_adds(size_t organisations)
{
    for (int f = 0; f < 5 * 5 * 5 * 5; f++) {
        int factor[4] = {f % 5 - 2, f / 5 % 5 - 2, f / 25 % 5 - 2, f / 125 - 2};
        size_t touched = 0;
        for (size_t o = 0; o < organisations; o++) {
            int sum[3] = {0};
            for (int s = 0; s < 4; s++)
                sum[what[s][o]] += factor[s];
            touched += sum[1] != 0 || sum[2] != 0;
        }
        if (touched >= 1 && touched <= 4)
            return true;
    }
    return false;
}

/* The rank of the sets over the columns of all organisations but those left out. */
static size_t rank_without(size_t sets, size_t organisations, const size_t out[4])
{
    double m[SETS][80];
    size_t columns = 0, rank = 0;
    for (size_t o = 0; o < organisations; o++) {
        if (o == out[0] || o == out[1] || o == out[2] || o == out[3])
            continue;
        for (size_t s = 0; s < sets; s++) {
            m[s][columns] = what[s][o] == 1;
            m[s][columns + 1] = what[s][o] == 2;
        }
        columns += 2;
    }
    for (size_t c = 0; c < columns && rank < sets; c++) {
        size_t best = rank;
        for (size_t s = rank; s < sets; s++)
            if (fabs(m[s][c]) > fabs(m[best][c]))
                best = s;
        if (fabs(m[best][c]) < 1e-9)
            continue;
        for (size_t k = 0; k < columns; k++) {
            double x = m[rank][k];
            m[rank][k] = m[best][k];
            m[best][k] = x;
        }
        for (size_t s = rank + 1; s < sets; s++) {
            double factor = m[s][c] / m[rank][c];
            for (size_t k = c; k < columns; k++)
                m[s][k] -= factor * m[rank][k];
        }
        rank++;
    }
    return rank;
}

/* A reader who does the linear algebra: some sum speaks of these four or fewer alone, where the rank is less without
 * them. */
static bool reader_solves(size_t sets, size_t organisations)
{
    const size_t none[4] = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX};
    size_t rank = rank_without(sets, organisations, none);
    for (size_t a = 0; a < organisations; a++)
        for (size_t b = a + 1; b < organisations; b++)
            for (size_t c = b + 1; c < organisations; c++)
                for (size_t d = c + 1; d < organisations; d++)
                    if (rank_without(sets, organisations, (size_t[4]){a, b, c, d}) < rank)
                        return true;
    return false;
}

static void what_a_reader_adds_up_is_told(void **state)
{
    (void)state;
    static struct world w;
    unsigned found = 0, told = 0;
    for (int round = 0; round < 4000; round++) {
        for (size_t o = 0; o < 24; o++) {
            uint64_t in = random_next();
            for (size_t s = 0; s < 4; s++) /* often as the one before, so that there are cells of all sizes */
                what[s][o] = o && (in >> 20 & 7) ? what[s][o - 1] : in >> (30 + s) & 1;
        }
        world_show(&w, 4, 24);
        bool reader = reader_adds(24), guard = publish_guard_tells(w.shown, 4, 5, NULL);
        if (reader && !guard)
            fail_msg("round %d: a reader finds a sum that is not told of", round);
        found += reader;
        told += guard;
    }
    assert_true(found > 500 && found < 3800); /* both happen */
    assert_true(told <= found + found / 10);  /* and nothing is hidden without need */
}

/* Lists of two policies, their totals on some days, between which some organisations change. */
static void make_days(size_t lists, size_t days, size_t organisations)
{
    unsigned list[8][40] = {{0}}, meets[40];
    for (size_t o = 0; o < organisations; o++) {
        uint64_t in = random_next();
        meets[o] = in & 1;
        for (size_t s = 0; s < lists; s++)
            list[s][o] = o && (in >> 20 & 3) ? list[s][o - 1] : in >> (30 + s) & 1;
    }
    for (size_t d = 0; d < days; d++) {
        for (size_t s = 0; s < lists; s++)
            for (size_t o = 0; o < organisations; o++)
                what[d * lists + s][o] = list[s][o] ? 1 + meets[o] : 0;
        for (size_t n = random_next() % 12, o = random_next() % organisations; n; n--)
            meets[(o + n) % organisations] ^= 1;
    }
}

static void linear_algebra_over_days_is_told(void **state)
{
    (void)state;
    static struct world w;
    unsigned found = 0;
    for (int round = 0; round < 150; round++) {
        size_t lists = 2 + random_next() % 2, days = 1 + random_next() % 2, n = 16;
        make_days(lists, days, n);
        world_show(&w, lists * days, n);
        bool reader = reader_solves(lists * days, n), guard = publish_guard_tells(w.shown, lists * days, 5, NULL);
        if (reader != guard)
            fail_msg("round %d: %zu lists, %zu days: a reader %s, the guard %s", round, lists, days,
                     reader ? "finds few" : "finds nobody", guard ? "tells" : "does not");
        found += reader;
    }
    assert_true(found > 15 && found < 135); /* both happen */
}

static void no_room_is_yes(void **state)
{
    (void)state;
    static const struct publish_set *many[321];
    static struct publish_member alone[5];
    struct publish_set five = {alone, 5};
    bool in[321] = {false};
    for (size_t i = 0; i < 5; i++)
        alone[i].organisation = i;
    for (size_t i = 0; i < 321; i++)
        many[i] = &five;
    assert_false(publish_guard_tells(many, 320, 5, in));
    assert_true(publish_guard_tells(many, 321, 5, in));
    assert_true(in[0] && in[320]);
    assert_true(publish_guard_tells(many, 1, 9, in)); /* a bound that it is not made for */
    assert_false(publish_guard_tells(many, 0, 5, in));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand), cmocka_unit_test(which_sets_tell), cmocka_unit_test(what_a_reader_adds_up_is_told),
        cmocka_unit_test(linear_algebra_over_days_is_told), cmocka_unit_test(no_room_is_yes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
