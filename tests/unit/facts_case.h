// SPDX-License-Identifier: BSD-2-Clause
/*
 * facts_case.h - facts as text, judged: for the tests of `assay check`.
 */
#ifndef ASSAY_TESTS_UNIT_FACTS_CASE_H
#define ASSAY_TESTS_UNIT_FACTS_CASE_H

#include "check/check.h"
#include "tests/unit/cm.h"

/* A report of facts; the caller frees the arena. */
static inline void judge(struct arena *a, const char *text, struct check_report *r)
{
    const char *error = NULL;
    struct facts *f = facts_read(a, slice_str(text), &error);
    if (!f)
        print_error("%s\n", error);
    assert_non_null(f);
    assert_int_equal(check_judge(a, f, 0, LANGUAGE_EN, r, &error), STATUS_OK);
    facts_free(f);
}

/* One fault in the facts of a domain, or what looks like one. */
struct judge_case {
    const char *facts;
    enum check_test test;
    enum check_state state;
    const char *evidence, *fix; /* parts of them; NULL: any */
};

static inline void judge_all(const char *head, const struct judge_case *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct arena *a = arena_new(32 << 20);
        struct check_report r;
        struct buf text = BUF_INIT;
        buf_adds(&text, head);
        buf_adds(&text, t[i].facts);
        judge(a, text.p, &r);
        const struct check_result *one = &r.results[t[i].test];
        bool good = one->state == t[i].state && (!t[i].evidence || strstr(one->evidence, t[i].evidence)) &&
                    (!t[i].fix || (one->fix && strstr(one->fix, t[i].fix)));
        if (!good)
            print_error("%zu: %s: %s: %s (%s)\n%s", i, check_test_info(t[i].test)->name, check_state_name(one->state),
                        one->evidence, one->fix ? one->fix : "-", t[i].facts);
        assert_true(good);
        buf_release(&text);
        arena_free(a);
    }
}

#define JUDGE(head, t) judge_all(head, t, sizeof(t) / sizeof(t)[0])

#define HEAD_ALONE "assay-facts 1\nsubject domain=a.example time=1795867200 table=1\nhere ipv4=yes ipv6=yes\n"
#define HEAD HEAD_ALONE "dns zone . insecure\n" /* what no line names was asked, and is not there */
#define ZONE                                                                                                           \
    "dns a.example. secure 300 SOA ns.a.example. h.a.example. 1 2 3 4 5\n"                                             \
    "dns a.example. secure 300 MX 10 mx.a.example.\ndns mx.a.example. secure 300 A 192.0.2.1\n"
#define TXT(name, text) "dns " name " secure 300 TXT \"" text "\"\n"
#define SPF(text) TXT("a.example.", "v=spf1 " text)
#define STS_FILE_OF(age)                                                                                               \
    "web host=mta-sts.a.example path=/ outcome=done body=\"version: STSv1\\x0amode: enforce\\x0amx: "                  \
    "mx.a.example\\x0amax_age: " age "\\x0a\"\n"
#define DMARC(tags) TXT("_dmarc.a.example.", "v=DMARC1; p=reject; " tags)
#define STS TXT("_mta-sts.a.example.", "v=STSv1; id=1")

#endif
