// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_pause.c - policy/pause: a pause is on only by a whole, current, safe file.
 */
#include "policy/pause.h"
#include "tests/unit/cm.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], file[96];

static int set_up(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/assay-pause-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(file, sizeof file, "%s/pause", dir);
    return 0;
}

static int tear_down(void **state)
{
    unlink(file);
    return rmdir(dir);
}

static void file_put(const char *text)
{
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(file, 0644), 0);
}

static void comes_and_goes(void **state)
{
    struct pause p = {.until = 5000, .by = "root", .because = "invoices \xc3\xbc"}, got;
    assert_int_equal(pause_read(dir, 1000, &got), STATUS_MISSING);
    assert_int_equal(pause_write(dir, 1000, &p), STATUS_OK);
    assert_int_equal(pause_read(dir, 1000, &got), STATUS_OK);
    assert_int_equal(got.until, 5000);
    assert_string_equal(got.because, p.because);
    assert_string_equal(got.by, "root");
    assert_int_equal(pause_read(dir, 4999, &got), STATUS_OK);
    assert_int_equal(pause_read(dir, 5000, &got), STATUS_MISSING);
    assert_int_equal(pause_end(dir), STATUS_OK);
    assert_int_equal(pause_end(dir), STATUS_MISSING);
}

/* From Friday 17:00 to Monday 9:00. */
static void lasts_a_weekend(void **state)
{
    struct pause p = {.until = 1000 + 64 * 3600, .by = "root", .because = "x"}, got;
    assert_int_equal(pause_write(dir, 1000, &p), STATUS_OK);
    assert_int_equal(pause_read(dir, 1000 + 64 * 3600 - 1, &got), STATUS_OK);
    assert_int_equal(pause_read(dir, 1000 + 64 * 3600, &got), STATUS_MISSING);
    assert_int_equal(pause_end(dir), STATUS_OK);
}

static void refuses_to_write(void **state)
{
    struct pause p = {.until = 1000 + PAUSE_MAX_SECONDS + 1, .by = "root", .because = "x"};
    assert_int_equal(pause_write(dir, 1000, &p), STATUS_LIMIT);
    p.until = 1000;
    assert_int_equal(pause_write(dir, 1000, &p), STATUS_LIMIT);
    p.until = 2000;
    p.because[0] = '\0';
    assert_int_equal(pause_write(dir, 1000, &p), STATUS_INVALID);
    snprintf(p.because, sizeof p.because, "a\nuntil 9999-01-01T00:00:00Z");
    assert_int_equal(pause_write(dir, 1000, &p), STATUS_INVALID);
}

static void doubt_means_enforce(void **state)
{
    static const char good[] = "until 1970-01-01T01:00:00Z\nby root\nbecause x\n";
    static const char *const bad[] = {"",
                                      "x",
                                      "until 1970-01-01T01:00:00Z\n",
                                      "until 1970-01-01T01:00:00Z\nby root\nbecause x",
                                      "by root\n",
                                      "until tomorrow\nby root\nbecause x\n",
                                      "until 1970-01-01T01:00:00Z\nby root\nbecause x\nmore\n",
                                      "until 1970-01-01T01:00:00Z\nby \nbecause x\n"};
    struct pause got;
    file_put(good);
    assert_int_equal(pause_read(dir, 1000, &got), STATUS_OK);
    assert_int_equal(pause_read(dir, 3600 - PAUSE_MAX_SECONDS - 1, &got), STATUS_MISSING);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        file_put(bad[i]);
        assert_int_equal(pause_read(dir, 1000, &got), STATUS_INVALID);
    }
    file_put(good);
    assert_int_equal(chmod(file, 0666), 0);
    assert_int_equal(pause_read(dir, 1000, &got), STATUS_DENIED);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(symlink("/etc/passwd", file), 0);
    assert_int_equal(pause_read(dir, 1000, &got), STATUS_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_and_goes, set_up, NULL),
        cmocka_unit_test_setup_teardown(lasts_a_weekend, NULL, NULL),
        cmocka_unit_test_setup_teardown(refuses_to_write, NULL, NULL),
        cmocka_unit_test_setup_teardown(doubt_means_enforce, NULL, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
