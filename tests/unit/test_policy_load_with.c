// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_policy_load_with.c - a policy read as if one of its files had other contents: lists and includes are found as
 * usual, nothing is written, and errors in it are reported at their place.
 */
#include "policy/policy.h"
#include "policy/policy_settings.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64], main_file[96], included[96], list[96];

static void file_put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/assay-load-with-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(main_file, sizeof main_file, "%s/policy", folder);
    snprintf(included, sizeof included, "%s/more", folder);
    snprintf(list, sizeof list, "%s/names", folder);
    file_put(main_file, "list l in \"names\"\nfollow dmarc of list l\ninclude \"more\"\n");
    file_put(included, "set mode dry-run\n");
    file_put(list, "in.example\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(main_file);
    unlink(included);
    unlink(list);
    return rmdir(folder);
}

static enum policy_level level(const struct policy *p, const char *who)
{
    struct policy_question q = {.standard = STANDARD_DMARC, .who = who};
    struct policy_answer a;
    policy_ask(p, &q, &a);
    return a.level;
}

static void of_the_main_file(void **state)
{
    (void)state;
    const char *text = "list l in \"names\"\nrequire dmarc of list l\ninclude \"more\"\n";
    struct policy *p = policy_load_with(main_file, main_file, slice_str(text), NULL),
                  *now = policy_load(main_file, NULL);
    assert_non_null(p);
    assert_non_null(now);
    assert_int_equal(level(p, "in.example"), POLICY_REQUIRE);
    assert_int_equal(level(p, "out.example"), POLICY_RECORD);
    assert_int_equal(level(now, "in.example"), POLICY_FOLLOW);
    assert_string_not_equal(policy_hash(p), policy_hash(now));
    policy_unref(p);
    policy_unref(now);
}

static void of_an_included_file(void **state)
{
    (void)state;
    struct policy *p = policy_load_with(main_file, included, SLICE_LIT("set mode enforce\n"), NULL);
    assert_non_null(p);
    assert_true(policy_set_is(p, SETTING_MODE, "enforce"));
    assert_int_equal(level(p, "in.example"), POLICY_FOLLOW);
    policy_unref(p);
    p = policy_load(main_file, NULL);
    assert_true(policy_set_is(p, SETTING_MODE, "dry-run"));
    policy_unref(p);
}

static void of_none_of_its_files(void **state)
{
    (void)state;
    struct policy *now = policy_load(main_file, NULL),
                  *p = policy_load_with(main_file, "/nonexistent", SLICE_LIT("nonsense\n"), NULL);
    assert_non_null(p);
    assert_string_equal(policy_hash(p), policy_hash(now));
    policy_unref(p);
    policy_unref(now);
}

static void errors_have_their_place(void **state)
{
    (void)state;
    struct policy_report *r = policy_report_new();
    assert_null(policy_load_with(main_file, included, SLICE_LIT("# fine\nset mode nonsense\n"), r));
    const struct policy_message *m = policy_report_at(r, 0);
    assert_non_null(m);
    assert_int_equal(m->severity, POLICY_ERROR);
    assert_int_equal(m->line, 2);
    assert_non_null(strstr(m->file, "more"));
    policy_report_free(r);
    assert_null(policy_load_with("/nonexistent", main_file, SLICE_LIT(""), NULL));
}

/* An included file may say nothing; a whole policy that says nothing is an accident. */
static void an_empty_text(void **state)
{
    (void)state;
    struct policy *p = policy_load_with(main_file, included, SLICE_LIT(""), NULL);
    assert_non_null(p);
    assert_int_equal(level(p, "in.example"), POLICY_FOLLOW);
    policy_unref(p);
    assert_null(policy_load_with(main_file, main_file, SLICE_LIT(""), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_the_main_file), cmocka_unit_test(of_an_included_file),
                                       cmocka_unit_test(of_none_of_its_files),
                                       cmocka_unit_test(errors_have_their_place), cmocka_unit_test(an_empty_text)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
