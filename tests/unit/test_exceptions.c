// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_exceptions.c - the register of exceptions outlives the policies it stood in: the same exception in another line,
 * agreed anew, is the same; another scope, standard or kind is another.
 *
 * On SQLite, or on the store that ASSAY_TEST_STORE names (an empty database of its own: tests/system/ledger/run).
 */
#include "tests/unit/ledger_store.h"

#include "ledger/exceptions.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TODAY LEDGER_STORE_TODAY
#define AGREED " because \"they move\" agreed by \"postmaster\" through 2027-01-31\n"
#define AGAIN " because \"they moved late\" agreed by \"board\" through 2027-03-31\n"

static struct ledger_store where;
static struct store *s;
static const struct policy *old, *new; /* the same exemption in lines 1 and 3 */

static const struct policy *policy_of(const char *text)
{
    struct policy_report *r = policy_report_new();
    struct policy *p = policy_load_text(slice_str(text), "policy", r);
    if (!p)
        fail_msg("%s", policy_report_at(r, 0)->text);
    policy_report_free(r);
    return p;
}

static int set_up(void **state)
{
    (void)state;
    if (ledger_store_make(&where, 3600) != 0)
        return -1;
    s = ledger_store_open(&where);
    old = policy_of("exempt a.example from dane, dmarc" AGREED "trust l.example as forwarder" AGREED);
    new = policy_of("# one line more\nfollow dmarc of everyone\nexempt a.example from dane" AGAIN
                    "exempt a.example from dane writing to b.example" AGREED "trust l.example as forwarder" AGREED
                    "suspend validation below s.example because \"x\" agreed by \"y\" through 2026-11-25\n");
    return s ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    policy_unref(old);
    policy_unref(new);
    store_close(s);
    return ledger_store_remove(&where);
}

static void used(const struct policy *p, const char *standard, const char *subject, const char *exemption,
                 const char *trust, int64_t count)
{
    assert_int_equal(
        store_run(
            s, NULL,
            "INSERT INTO outcome_day (day, standard, subject, result, level, action, statement, exemption, expired, "
            "trust, policy, count, "
            "first_seen, last_seen) VALUES ($1, $2, $3, 'fail', 'record', 'deliver', 'L9', $4, '', $5, $6, $7, $8, $9)",
            "itttttiii", (int64_t)TODAY, standard, subject, exemption, trust, policy_hash(p), count,
            (int64_t)TODAY * 86400 * 1000000, (int64_t)(TODAY * 86400 + count) * 1000000),
        STATUS_OK);
}

static const struct policy_statement *at_line(const struct policy *p, const char *id)
{
    const struct policy_statement *st;
    for (size_t i = 0; (st = policy_statement_at(p, i)); i++)
        if (strcmp(st->id, id) == 0)
            return st;
    fail_msg("no statement %s", id);
    return NULL;
}

static void store_fill(void)
{
    assert_int_equal(exceptions_keep(s, old), STATUS_OK);
    assert_int_equal(exceptions_keep(s, new), STATUS_OK);
    used(old, "dane", "a.example", "L1", "", 3);
    used(old, "dmarc", "a.example", "L1", "", 5);
    used(new, "dane", "a.example", "L3", "", 10);
    used(new, "dane", "sub.a.example", "L3", "", 1);
    used(new, "dane", "a.example", "L4", "", 100);
    used(old, "dmarc", "c.example", "", "L2", 7);
    used(new, "dmarc", "c.example", "", "L5", 20);
}

static void same_exception_in_another_line(void **state)
{
    (void)state;
    int64_t count, last;
    store_fill();
    assert_int_equal(exceptions_used(s, new, at_line(new, "L3"), "dane", &count, &last), STATUS_OK);
    assert_int_equal(count, 14);
    assert_int_equal(last, (int64_t)(TODAY * 86400 + 10) * 1000000);
    assert_int_equal(exceptions_used(s, old, at_line(old, "L1"), "dane", &count, &last), STATUS_OK);
    assert_int_equal(count, 14);
    assert_int_equal(exceptions_used(s, old, at_line(old, "L1"), "dmarc", &count, &last), STATUS_OK);
    assert_int_equal(count, 5);
    assert_int_equal(exceptions_used(s, new, at_line(new, "L4"), "dane", &count, &last), STATUS_OK);
    assert_int_equal(count, 100);
    assert_int_equal(exceptions_used(s, new, at_line(new, "L5"), NULL, &count, &last), STATUS_OK);
    assert_int_equal(count, 27);
}

static void a_policy_not_yet_kept_is_asked_by_its_own_ids(void **state)
{
    (void)state;
    int64_t count, last;
    used(new, "dane", "a.example", "L3", "", 2);
    used(old, "dane", "a.example", "L1", "", 4);
    assert_int_equal(exceptions_used(s, new, at_line(new, "L3"), "dane", &count, &last), STATUS_OK);
    assert_int_equal(count, 2);
    assert_int_equal(exceptions_used(s, new, at_line(new, "L4"), "dane", &count, &last), STATUS_OK);
    assert_int_equal(count, 0);
    assert_int_equal(last, 0);
}

static void kept_once(void **state)
{
    (void)state;
    int64_t n = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(exceptions_keep(s, new), STATUS_OK);
    assert_int_equal(store_ask_number(s, -1, &n, "SELECT count(*) FROM exception", ""), STATUS_OK);
    assert_int_equal(n, 4);
}

static void listed_as_agreed_last(void **state)
{
    (void)state;
    struct exceptions_use u;
    store_fill();
    used(old, "spf", "x.example", "L77", "", 1000); /* an id that no kept policy has */
    struct store_rows *r = exceptions_ask(s, TODAY, TODAY, 10);
    static const struct {
        const char *scope, *standard, *because;
        int64_t subjects, count;
    } want[] = {
        {"L77", "spf", NULL, 1, 1000},
        {"a.example writing to b.example", "dane", "they move", 1, 100},
        {"l.example", "dmarc", "they move", 1, 27},
        {"a.example", "dane", "they moved late", 2, 14},
        {"a.example", "dmarc", "they moved late", 1, 5},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        assert_true(exceptions_next(r, &u));
        assert_string_equal(u.scope, want[i].scope);
        assert_string_equal(u.standard, want[i].standard);
        assert_int_equal(u.subjects, want[i].subjects);
        assert_int_equal(u.count, want[i].count);
        if (want[i].because)
            assert_string_equal(u.because, want[i].because);
        else
            assert_null(u.because);
    }
    assert_false(exceptions_next(r, &u));
    assert_int_equal(store_done(r), STATUS_OK);
    r = exceptions_ask(s, TODAY - 9, TODAY - 1, 10);
    assert_false(exceptions_next(r, &u));
    assert_int_equal(store_done(r), STATUS_OK);
}

static void subject_seen(const char *domain, const char *result, int days_ago, int64_t count)
{
    assert_int_equal(
        store_run(s, NULL,
                  "INSERT INTO subject_day (day, subject, scope, standard, result, security, count, first_seen, "
                  "last_seen) VALUES ($1, $2, 'mail', 'dane', $3, '', $4, 1, 1)",
                  "itti", (int64_t)TODAY - days_ago, domain, result, count),
        STATUS_OK);
}

/* The state of `exempt DOMAIN from dane`, in force or ended by now. */
static enum exceptions_state state_of(struct store *from, const char *domain, bool ended)
{
    char text[300];
    enum exceptions_state state = EXCEPTIONS_STATES;
    snprintf(text, sizeof text, "exempt %s from dane" AGREED, domain);
    const struct policy *p = policy_of(text);
    const struct policy_statement *st = policy_statement_at(p, 0);
    time_t at = ended ? st->until : st->until - 1;
    clock_set_wall(at);
    assert_int_equal(exceptions_state(from, st, "dane", at, &state), STATUS_OK);
    policy_unref(p);
    return state;
}

/* Mail of the last thirty days says whether the domain meets the standard: all of it, none, or nobody can tell. */
static void state_by_what_was_seen(void **state)
{
    (void)state;
    static const struct {
        const char *domain, *result[2];
        enum exceptions_state in_force, ended;
    } rows[] = {
        {"unseen.example", {0}, EXCEPTIONS_EXPLAINED, EXCEPTIONS_ENDED},
        {"passes.example", {"pass"}, EXCEPTIONS_APPLIED, EXCEPTIONS_APPLIED},
        {"fails.example", {"fail"}, EXCEPTIONS_EXPLAINED, EXCEPTIONS_ENDED_NOT_APPLIED},
        {"both.example", {"pass", "none"}, EXCEPTIONS_EXPLAINED, EXCEPTIONS_ENDED_NOT_APPLIED},
        {"unsure.example", {"temperror", "untested"}, EXCEPTIONS_COULD_NOT_TEST, EXCEPTIONS_COULD_NOT_TEST},
        {"mostly.example", {"pass", "temperror"}, EXCEPTIONS_EXPLAINED, EXCEPTIONS_ENDED},
    };
    int64_t until = TODAY + 71; /* 2027-01-31, the last day of AGREED */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int k = 0; k < 2 && rows[i].result[k]; k++)
            subject_seen(rows[i].domain, rows[i].result[k], (int)(TODAY - until) + 9, 3);
        subject_seen(rows[i].domain, "permerror", (int)(TODAY - until) + EXCEPTIONS_RECENT_DAYS + 3,
                     3); /* too long ago */
        if (state_of(s, rows[i].domain, false) != rows[i].in_force ||
            state_of(s, rows[i].domain, true) != rows[i].ended)
            fail_msg("%s: %d in force, %d ended", rows[i].domain, (int)state_of(s, rows[i].domain, false),
                     (int)state_of(s, rows[i].domain, true));
    }
    /* Of a group nobody asks, and without a ledger nothing was seen. */
    assert_int_equal(state_of(s, "everyone", true), EXCEPTIONS_ENDED);
    assert_int_equal(state_of(NULL, "passes.example", false), EXCEPTIONS_EXPLAINED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(same_exception_in_another_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_policy_not_yet_kept_is_asked_by_its_own_ids, set_up, tear_down),
        cmocka_unit_test_setup_teardown(kept_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(listed_as_agreed_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(state_by_what_was_seen, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
