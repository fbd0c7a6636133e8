// SPDX-License-Identifier: BSD-2-Clause
/*
 * check.h - a domain against the standards: facts, tests, grade.
 *
 *     facts     the questions and their answers (facts.h): gathered once (gather.h), kept in a file, hostile when read
 *     tests     tests.def: pure functions over the facts; each has one result, with evidence and what to do
 *     grade     one table (grade.c): points, caps, and the things most worth doing first
 *
 * check_judge() is pure: the same facts give the same report, on any host, in any year. What could not be tested is a
 * result of its own and never a failure; where it hides something that would cap the grade, the grade is a range.
 *
 * Everything in a report lives in the arena given. Texts may hold what a stranger wrote, made visible (base/utf8.h):
 * still to be escaped for HTML, CSV and JSON where they are shown. Threads: a report belongs to one.
 */
#ifndef ASSAY_CHECK_CHECK_H
#define ASSAY_CHECK_CHECK_H

#include "base/language.h"
#include "base/standard.h"
#include "check/facts.h"

#define CHECK_TABLE 1 /* version of tests and weights; a file is judged by the one it names */

enum check_level { CHECK_REQUIRED, CHECK_RECOMMENDED, CHECK_OPTIONAL };
enum check_who { CHECK_BY_ZONE, CHECK_BY_DNS, CHECK_BY_MAIL };

/* Grades, the best first. */
enum check_grade { CHECK_A_PLUS, CHECK_A, CHECK_B, CHECK_C, CHECK_D, CHECK_E, CHECK_F, CHECK_NONE };

enum check_test {
#define CHECK_TEST(id, name, standard, level, weight, cap, who, breaks, sentence, source) CHECK_##id,
#include "check/tests.def"
#undef CHECK_TEST
    CHECK_TESTS
};

struct check_test_info {
    const char *name;
    enum standard standard;
    enum check_level level;
    unsigned weight;
    enum check_grade cap; /* CHECK_NONE: none */
    enum check_who who;
    const char *breaks, *sentence, *source;
};

const struct check_test_info *check_test_info(enum check_test t);
enum check_test check_test_from_name(struct slice name); /* CHECK_TESTS: there is none */

/* In order of severity. */
enum check_state {
    CHECK_NOT_APPLICABLE,
    CHECK_PASS,
    CHECK_NOTE,     /* optional, and not there */
    CHECK_UNTESTED, /* could not be tested: the evidence says why */
    CHECK_ADVICE,   /* recommended, and not met */
    CHECK_FAIL,
};

struct check_result {
    enum check_state state;
    const char *evidence; /* who was asked, and the answer; never NULL */
    const char *fix;      /* the record to publish or the setting to change, ready to copy; NULL: none */
};

#define CHECK_FIRST 3

struct check_report {
    const char *domain;
    time_t at;
    unsigned table;
    bool sends, receives; /* false: the domain says that it does not */
    bool rejects;         /* its DMARC policy is reject, in force */
    bool mx_bogus;        /* an address of a mail host does not validate: who validates cannot send there */
    struct check_result results[CHECK_TESTS];
    unsigned counts[CHECK_FAIL + 1];
    unsigned score; /* 0 to 100 */
    enum check_grade grade;
    enum check_grade least; /* if all that could not be tested failed; equal to grade: nothing hides a cap */
    enum check_test first[CHECK_FIRST]; /* most worth doing first; CHECK_TESTS behind the last */
};

/* Judges facts. STATUS_INVALID: the DNS part of the file is broken, *error says where; STATUS_LIMIT: a table of grades
 * that this program does not have; STATUS_NOMEM. table: 0, or the table to judge by. language: of evidence and fixes;
 * states and grades are the same in each. */
enum status check_judge(struct arena *arena, const struct facts *facts, unsigned table, enum language language,
                        struct check_report *out, const char **error) MUST_CHECK;

/* Asks DNS for all that the tests want to know, through a scope of one's own, and notes it there. For gather.c. */
void check_ask(struct dns_scope *scope, struct arena *arena, const struct facts *facts);

const char *check_state_name(enum check_state s); /* "pass", "fail", "advice", "untested", "note", "not applicable" */
const char *check_grade_name(enum check_grade g); /* "A+", "A", ... */
const char *check_who_name(enum check_who w);     /* "zone", "dns", "mail" */
const char *check_who_words(enum check_who w);    /* "whoever keeps the domain's DNS entries" */
const char *check_level_name(enum check_level l);

#endif
