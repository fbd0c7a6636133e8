// SPDX-License-Identifier: BSD-2-Clause
/*
 * grade.c - from results to points and a grade, by one table (assay-check(1)).
 *
 *   points   100 less the weights (tests.def) of what is not met, at least 0
 *   grade    A from 90, B from 75, C from 60, D from 45, E from 25, F below; never better than the cap of what failed,
 *            and F where the signatures of a mail host's addresses are not valid: who validates sends nothing there
 *   A+       95 points, nothing required failed, and: DNSSEC, p=reject, and DANE or an MTA-STS policy in force; a
 *            domain that neither sends nor receives needs the first two
 *   range    what could not be tested costs nothing; if it would have capped the grade, `least` says how far down
 *
 * Pure.
 */
#include "check/testing.h"

static const struct {
    unsigned points;
    enum check_grade grade;
} steps[] = {{90, CHECK_A}, {75, CHECK_B}, {60, CHECK_C}, {45, CHECK_D}, {25, CHECK_E}, {0, CHECK_F}};

const char *check_grade_name(enum check_grade g)
{
    static const char *const names[] = {"A+", "A", "B", "C", "D", "E", "F"};
    return (unsigned)g < sizeof names / sizeof names[0] ? names[g] : "?";
}

static enum check_grade by_points(unsigned points)
{
    size_t i = 0;
    while (points < steps[i].points)
        i++;
    return steps[i].grade;
}

static bool passed(const struct check_report *r, enum check_test test)
{
    return r->results[test].state == CHECK_PASS;
}

static bool earns_plus(const struct testing *t)
{
    const struct check_report *r = t->report;
    bool way = !r->receives || (t->dane && passed(r, CHECK_DANE_MATCH)) || t->sts_enforced;
    return r->score >= 95 && r->counts[CHECK_FAIL] == 0 && passed(r, CHECK_DNSSEC_SIGNED) &&
           passed(r, CHECK_DNSSEC_VALID) && t->rejects && way;
}

/* Tells whether a is more worth doing than b: what caps, then what weighs. */
static bool worth_more(enum check_test a, enum check_test b)
{
    const struct check_test_info *x = check_test_info(a), *y = check_test_info(b);
    if (x->cap != y->cap) /* F is the largest of the caps, NONE larger: no cap comes last */
        return x->cap == CHECK_NONE ? false : y->cap == CHECK_NONE ? true : x->cap > y->cap;
    return x->weight > y->weight;
}

static void choose_first(struct check_report *r)
{
    for (size_t i = 0; i < CHECK_FIRST; i++) {
        r->first[i] = CHECK_TESTS;
        for (int test = 0; test < CHECK_TESTS; test++) {
            bool taken = r->results[test].state < CHECK_ADVICE;
            for (size_t k = 0; k < i; k++)
                taken = taken || (int)r->first[k] == test;
            if (!taken && (r->first[i] == CHECK_TESTS || worth_more((enum check_test)test, r->first[i])))
                r->first[i] = (enum check_test)test;
        }
    }
}

void grade_report(struct testing *t)
{
    struct check_report *r = t->report;
    unsigned lost = 0;
    enum check_grade cap = CHECK_A_PLUS, hidden = CHECK_A_PLUS;
    for (int i = 0; i < CHECK_TESTS; i++) {
        const struct check_test_info *info = check_test_info((enum check_test)i);
        struct check_result *one = &r->results[i];
        if (!one->evidence)
            one->evidence = "";
        r->counts[one->state]++;
        if (one->state >= CHECK_ADVICE)
            lost += info->weight;
        if (one->state == CHECK_FAIL && info->cap != CHECK_NONE && info->cap > cap)
            cap = info->cap;
        if (one->state == CHECK_UNTESTED && info->cap != CHECK_NONE && info->cap > hidden)
            hidden = info->cap;
    }
    if (r->mx_bogus && r->results[CHECK_DNSSEC_MX].state == CHECK_FAIL)
        cap = CHECK_F;
    else if (r->mx_bogus) /* and our own DNS is not in order */
        hidden = CHECK_F;
    r->score = lost > 100 ? 0 : 100 - lost;
    r->grade = earns_plus(t) ? CHECK_A_PLUS : by_points(r->score);
    r->grade = cap > r->grade ? cap : r->grade;
    r->least = hidden > r->grade ? hidden : r->grade;
    choose_first(r);
}
