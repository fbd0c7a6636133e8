// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_most_seen.c - the subjects seen most by lists are those of the sum over all of them: while days are open, after
 * lists were made, after late mail, retention, forget, kill -9, a restore, and a pass that was broken off; and lists
 * decide where some subjects are seen much more than others.
 *
 * On SQLite, or on the store that ASSAY_TEST_STORE names (an empty database of its own: tests/system/ledger/run).
 */
// check: slow
#include "tests/unit/ledger_store.h"

#include "ledger/aggregate.h"
#include "ledger/most_seen.h"
#include "ledger/questions.h"
#include "ledger/retention.h"
#include "ledger/store_backup.h"
#include "ledger/timestamp.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUBJECTS 560 /* of them half on each day: more than a list has */
#define DAYS 12
#define FIRST_DAY (LEDGER_STORE_TODAY - DAYS)

static struct ledger_store own;
static struct store *s;
static unsigned seed;

static unsigned some(unsigned n)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % n;
}

static int set_up(void **state)
{
    (void)state;
    seed = 7;
    if (ledger_store_make(&own, 40000) != 0)
        return -1;
    s = ledger_store_open(&own);
    return s ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    s = store_close(s);
    return ledger_store_remove(&own);
}

static void aggregate_seen(struct aggregate *t, int64_t day, const char *subject, const char *standard,
                           const char *result, const char *security, int64_t n)
{
    char text[24];
    /* Of names only DNSSEC is recorded. */
    const char *scope = some(9) || strcmp(standard, "dnssec") != 0 ? "mail" : "names";
    snprintf(text, sizeof text, "%lld", (long long)day);
    aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_SUBJECT_DAY,
                                               .keys = {subject, scope, standard, text, result, security},
                                               .counts = {n},
                                               .moment = day * TIMESTAMP_DAY + some(86400) * TIMESTAMP_SECOND});
    aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_STANDARD_DAY,
                                               .keys = {text, "mail", standard, result, security},
                                               .counts = {n},
                                               .moment = day * TIMESTAMP_DAY});
}

/* even: each subject about as often; else the first ones much more often than the others. */
static void take_days(int64_t from, int64_t to, bool even)
{
    static const char *const standards[] = {"tls", "dnssec"}, *const results[] = {"pass", "fail"},
                             *const states[] = {"secure", "insecure", ""};
    struct aggregate *t = aggregate_new();
    assert_non_null(t);
    for (int64_t day = from; day <= to; day++) {
        for (unsigned i = 0; i < SUBJECTS; i++) {
            char name[40];
            bool usual = some(10) != 0;
            snprintf(name, sizeof name, "d%u.example", i);
            if (some(2))
                aggregate_seen(t, day, name, usual ? "tls" : standards[some(2)], usual ? "pass" : results[some(2)],
                               usual ? "secure" : states[i % 3], even ? 1 : 1 + (int64_t)some(5) + 30000 / (i + 1));
        }
        assert_int_equal(store_begin(s), STATUS_OK);
        assert_int_equal(aggregate_flush(t, s), STATUS_OK);
        assert_int_equal(store_commit(s), STATUS_OK);
    }
    aggregate_free(t);
}

static size_t put_rows(struct store_rows *r, char *out, size_t size)
{
    size_t n = 0;
    *out = '\0';
    while (store_next(r) && n < size)
        n += (size_t)snprintf(out + n, size - n, "%s %s %s %s %lld %lld %lld\n", store_text(r, 0), store_text(r, 1),
                              store_text(r, 2), store_text(r, 3), (long long)store_number(r, 4),
                              (long long)store_number(r, 5), (long long)store_number(r, 6));
    assert_int_equal(store_done(r), STATUS_OK);
    return n;
}

/* Asks both ways, over ranges of all kinds. Returns how many of `asked` questions the lists decided. */
static int agree(int *asked)
{
    static const int64_t ranges[][2] = {{0, 1000000},
                                        {FIRST_DAY, FIRST_DAY},
                                        {FIRST_DAY + 3, LEDGER_STORE_TODAY - 1},
                                        {LEDGER_STORE_TODAY - 6, LEDGER_STORE_TODAY},
                                        {LEDGER_STORE_TODAY, 1000000},
                                        {FIRST_DAY - 60, FIRST_DAY - 50},
                                        {FIRST_DAY + 4, FIRST_DAY + 11}};
    static const char *const states[] = {"pass", "fail", "secure", ""}, *const standards[] = {"tls", "dnssec"};
    static char lists[65536], sums[65536];
    int decided = 0;
    *asked = 0;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        for (size_t k = 0; k < 2 * 4; k++) {
            const char *standard = standards[k % 2], *state = states[k / 2];
            bool by_lists, is_result = k / 2 < 2;
            int64_t limit = (i + k) % 2 ? 7 : 30;
            put_rows(most_seen_ask(s, standard, state, is_result, ranges[i][0], ranges[i][1], limit, &by_lists), lists,
                     sizeof lists);
            put_rows(store_ask(s, is_result ? QUESTION_TOP_PASSED : QUESTION_TOP_SECURITY, "ttiii", standard, state,
                               ranges[i][0], ranges[i][1], limit),
                     sums, sizeof sums);
            assert_string_equal(lists, sums);
            decided += by_lists;
            ++*asked;
        }
    return decided;
}

static int64_t sql_number(const char *sql)
{
    int64_t n = 0;
    assert_int_equal(store_ask_number(s, 0, &n, sql, ""), STATUS_OK);
    return n;
}

static int stops_in;
static bool fold_stop(void)
{
    return stops_in-- <= 0;
}

static void lists_give_what_the_sum_over_all_gives(void **state)
{
    (void)state;
    int asked, rows;
    int64_t gone;
    take_days(FIRST_DAY, LEDGER_STORE_TODAY, false);
    agree(&asked); /* every day is open */
    int64_t open = sql_number("SELECT count(*) FROM subject_seen");
    for (int n = 1; n < 30; n += 9) { /* broken off again and again */
        stops_in = n;
        assert_int_equal(most_seen_keep(s, LEDGER_STORE_TODAY, fold_stop), STATUS_OK);
        agree(&asked);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(most_seen_keep(s, LEDGER_STORE_TODAY, NULL), STATUS_OK);
    assert_int_equal(sql_number("SELECT count(DISTINCT day) FROM subject_seen"), 1); /* today */
    assert_true(sql_number("SELECT count(*) FROM subject_seen") < open / 6);
    assert_int_equal(sql_number("SELECT count(*) FROM most_seen_block WHERE days = 1"), DAYS);
    rows = agree(&asked);
    if (rows < asked * 9 / 10)
        fail_msg("lists decided %d of %d questions", rows, asked);
    take_days(FIRST_DAY + 9, FIRST_DAY + 10, false); /* late mail, into days and blocks that have lists */
    agree(&asked);
    take_days(LEDGER_STORE_TODAY, LEDGER_STORE_TODAY, true);
    agree(&asked);
    assert_int_equal(most_seen_keep(s, LEDGER_STORE_TODAY + 1, NULL), STATUS_OK);
    agree(&asked);
    assert_int_equal(sql_number("SELECT count(*) FROM subject_seen"), 0);
    assert_int_equal(retention_forget(s, "d0.example", false, &gone), STATUS_OK);
    assert_int_equal(sql_number("SELECT count(*) FROM most_seen WHERE subject = 'd0.example'"), 0);
    agree(&asked);
    struct retention_keep keep = {86400, 86400, 86400 * 6};
    assert_int_equal(retention_run(s, &keep, clock_wall_us(), NULL, &gone), STATUS_OK);
    assert_int_equal(sql_number("SELECT min(day) FROM most_seen_block") >= LEDGER_STORE_TODAY - 6, 1);
    assert_int_equal(sql_number("SELECT min(day) FROM most_seen") >= LEDGER_STORE_TODAY - 6, 1);
    agree(&asked);
}

/* Where lists do not decide, everything is added up. */
static void equal_counts_are_added_up(void **state)
{
    (void)state;
    int asked;
    take_days(FIRST_DAY, LEDGER_STORE_TODAY, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(most_seen_keep(s, LEDGER_STORE_TODAY, NULL), STATUS_OK);
    agree(&asked);
}

/* A store of an earlier version has rows that no subject_seen tells of: they are listed first. */
static void an_earlier_store_is_listed(void **state)
{
    (void)state;
    int asked;
    take_days(FIRST_DAY, LEDGER_STORE_TODAY, false);
    assert_int_equal(store_run(s, NULL, "DELETE FROM subject_seen", ""), STATUS_OK);
    assert_int_equal(store_run(s, NULL, "UPDATE ledger_state SET number = 0 WHERE name = 'most_seen_ready'", ""),
                     STATUS_OK);
    assert_int_equal(agree(&asked), 0);
    stops_in = 6;
    assert_int_equal(most_seen_keep(s, LEDGER_STORE_TODAY, fold_stop), STATUS_OK);
    assert_int_equal(agree(&asked), 0);
    take_days(LEDGER_STORE_TODAY - 1, LEDGER_STORE_TODAY, true);
    assert_int_equal(most_seen_keep(s, LEDGER_STORE_TODAY, NULL), STATUS_OK);
    assert_int_equal(sql_number("SELECT number FROM ledger_state WHERE name = 'most_seen_ready'"), 1);
    assert_true(agree(&asked) > asked / 2);
}

static bool die(void)
{
    if (stops_in-- <= 0)
        raise(SIGKILL);
    return false;
}

static void make_lists_and_die(int after)
{
    int how = 0;
    s = store_close(s);
    pid_t pid = fork();
    if (pid == 0) {
        stops_in = after;
        s = ledger_store_open(&own);
        _exit(s && most_seen_keep(s, LEDGER_STORE_TODAY, die) == STATUS_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    s = ledger_store_open(&own);
    assert_non_null(s);
}

/* PostgreSQL is backed up and restored by its own tools. */
static void by_tool(const char *tool, const char *file)
{
    char command[400];
    snprintf(command, sizeof command,
             strcmp(tool, "pg_dump") == 0 ? "pg_dump --clean --if-exists --file='%s' \"$ASSAY_TEST_STORE\""
                                          : "psql -qX -v ON_ERROR_STOP=1 -f '%s' \"$ASSAY_TEST_STORE\" >/dev/null",
             file);
    assert_int_equal(system(command), 0);
}

/* Killed again and again while lists are made, with late mail in between; then brought back from a copy that was made
 * before some of the lists and some of the mail. */
static void killed_and_restored(void **state)
{
    (void)state;
    int asked;
    char copy[128], why[STORE_ERROR] = "";
    take_days(FIRST_DAY, LEDGER_STORE_TODAY, false);
    for (int n = 0; n < 4; n++) {
        make_lists_and_die(n);
        agree(&asked);
        take_days(FIRST_DAY + n, FIRST_DAY + n, false);
        agree(&asked);
    }
    bool in_file = !store_is_shared(s);
    snprintf(copy, sizeof copy, "%s/copy.db", own.dir);
    if (in_file)
        assert_int_equal(store_backup(s, copy, why), STATUS_OK);
    else
        by_tool("pg_dump", copy);
    for (int i = 0; i < 3; i++)
        assert_int_equal(most_seen_keep(s, LEDGER_STORE_TODAY, NULL), STATUS_OK);
    assert_true(agree(&asked) >= asked * 9 / 10);
    int64_t sum = sql_number("SELECT sum(count) FROM subject_day");
    take_days(FIRST_DAY + 2, FIRST_DAY + 3, false);
    assert_true(sql_number("SELECT sum(count) FROM subject_day") > sum);
    s = store_close(s);
    if (in_file)
        assert_int_equal(store_restore(own.file, copy, why), STATUS_OK);
    else
        by_tool("psql", copy);
    s = ledger_store_open(&own);
    assert_non_null(s);
    assert_int_equal(sql_number("SELECT sum(count) FROM subject_day"), sum);
    agree(&asked);
    for (int i = 0; i < 3; i++)
        assert_int_equal(most_seen_keep(s, LEDGER_STORE_TODAY, NULL), STATUS_OK);
    assert_true(agree(&asked) >= asked * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_give_what_the_sum_over_all_gives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equal_counts_are_added_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_earlier_store_is_listed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed_and_restored, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
