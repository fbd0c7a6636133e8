// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_recount.c - the daily totals counted again from the records: what was taken in as it was written stays octet for
 * octet, what was damaged comes back, a day without all its records and the membership of a day that is over stay.
 *
 * On SQLite, or on the store that ASSAY_TEST_STORE names (an empty database of its own: tests/system/ledger/run).
 */
#include "tests/unit/cm.h"

#include "base/buf.h"
#include "base/clock.h"
#include "ledger/ingest.h"
#include "ledger/recount.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TODAY 20778 /* 2026-11-21 */

static char dir[64], db[96];
static struct store *s;
static struct aggregate *t;
static const struct policy *policy;
static struct organisation_lists *lists;
static unsigned seed;

static const char *const names[] = {"a.example", "mail.b.example", "c.example", "d.test", "x.y.d.test", "none.example"};
static const char *const orgs[] = {"a.example", "b.example", "c.example", "d.test", "d.test", "none.example"};

static unsigned some(unsigned n)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % n;
}

static void write_list(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* friends: an organisation, one below an organisation, one above (d.test by "test" would be all). */
static void load_policy(const char *friends)
{
    char text[400];
    write_list("friends", friends);
    write_list("towns", "c.example\nd.test\n192.0.2.0/24\n");
    snprintf(text, sizeof text,
             "list friends in \"%s/friends\"\nlist towns in \"%s/towns\"\nrecord dmarc of list friends\nrecord dmarc "
             "of list towns\n",
             dir, dir);
    organisation_lists_free(lists);
    policy_unref(policy);
    policy = policy_load_text(slice_str(text), "test", NULL);
    assert_non_null(policy);
    lists = organisation_lists_new(policy);
    assert_non_null(lists);
    aggregate_set_lists(t, lists);
}

static int set_up(void **state)
{
    (void)state;
    char why[STORE_ERROR] = "";
    snprintf(dir, sizeof dir, "/tmp/assay-recount-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(db, sizeof db, "%s/ledger.db", dir);
    clock_set_wall((time_t)TODAY * 86400 + 80000);
    const char *where = getenv("ASSAY_TEST_STORE");
    if (where && system("psql -qAt \"$ASSAY_TEST_STORE\" -c 'DROP SCHEMA public CASCADE' -c 'CREATE SCHEMA public' "
                        ">/dev/null 2>&1") != 0)
        return -1;
    s = store_open(where ? where : db, STORE_WRITE, NULL, why);
    t = aggregate_new();
    if (!s || !t)
        return -1;
    load_policy("a.example\nmail.b.example\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    aggregate_free(t);
    store_close(s);
    lists = organisation_lists_free(lists);
    policy_unref(policy);
    policy = NULL;
    clock_set_wall(0);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static void ingest(const char *text)
{
    char why[200] = "";
    struct record r;
    if (record_parse(slice_str(text), &r, why) != STATUS_OK)
        fail_msg("%s: %s", why, text);
    assert_int_equal(ingest_record(s, t, &r, slice_str(text)), STATUS_OK);
    record_free(&r);
}

/* Mails of all shapes over six days, in batches. */
static void random_mails(int n)
{
    static const char *const results[] = {"pass", "fail", "none", "temperror", "untested", "permerror"};
    static const char *const levels[] = {"record", "follow", "require"};
    static const char *const standards[] = {"spf", "dkim", "dmarc", "tls", "dane", "message-format"};
    static const char *const sources[] = {"internet", "internet", "relay", "own-network"};
    static const char *const applied[] = {"none", "quarantine", "reject"};
    assert_int_equal(store_begin(s), STATUS_OK);
    for (int i = 0; i < n; i++) {
        unsigned who = some(6);
        const char *dmarc = results[some(6)];
        struct buf b = BUF_INIT;
        buf_printf(
            &b,
            "{\"v\":1,\"t\":\"2026-11-%02uT%02u:00:00.%06dZ\",\"host\":\"mx%u\",\"kind\":\"mail\",\"id\":\"Q%d\","
            "\"source\":\"%s\",\"client\":\"192.0.%u.7\",\"from\":\"%s\",\"mail_from\":\"%s\",\"rcpts\":1,"
            "\"policy\":\"1a2b3c4d\",\"verdict\":{\"action\":\"deliver\",\"would\":\"deliver\"},\"findings\":["
            "{\"standard\":\"dmarc\",\"subject\":\"%s\",\"result\":\"%s\",\"org\":\"%s\",\"applied\":\"%s\"}",
            16 + some(6), some(24), i, some(3), i, sources[some(4)], some(9), names[who], names[who], names[who], dmarc,
            orgs[who], applied[some(3)]);
        for (unsigned k = some(4); k; k--)
            buf_printf(&b, ",{\"standard\":\"%s\",\"subject\":\"%s\",\"result\":\"%s\",\"security\":\"insecure\"}",
                       standards[some(6)], names[some(6)], results[some(6)]);
        buf_adds(&b, "],\"lines\":[");
        for (unsigned k = 0, m = some(4); k < m; k++)
            buf_printf(&b,
                       "%s{\"standard\":\"%s\",\"subject\":\"x\",\"result\":\"%s\",\"level\":\"%s\"%s,\"action\":"
                       "\"deliver\"}",
                       k ? "," : "", standards[some(6)], results[some(6)], levels[some(3)],
                       some(5) ? "" : ",\"exemption\":\"L4\"");
        buf_adds(&b, "]}");
        ingest(b.p);
        buf_release(&b);
        if (some(20) == 0) {
            assert_int_equal(aggregate_flush(t, s), STATUS_OK);
            assert_int_equal(store_commit(s), STATUS_OK);
            assert_int_equal(store_begin(s), STATUS_OK);
        }
    }
    ingest("{\"v\":1,\"t\":\"2026-11-20T01:00:00.000000Z\",\"host\":\"mx\",\"kind\":\"names\",\"zone\":\"z.example\","
           "\"state\":\"secure\",\"count\":7,\"first\":\"2026-11-20T00:00:00.000000Z\",\"last\":"
           "\"2026-11-20T01:00:00.000000Z\"}");
    assert_int_equal(aggregate_flush(t, s), STATUS_OK);
    assert_int_equal(store_commit(s), STATUS_OK);
}

static void dump_rows(struct buf *out, const char *sql, int columns)
{
    struct store_rows *r = store_ask(s, sql, "");
    while (store_next(r)) {
        for (int i = 0; i < columns; i++)
            buf_printf(out, "%s|", store_text(r, i));
        buf_addc(out, '\n');
    }
    assert_int_equal(store_done(r), STATUS_OK);
}

/* Every total, in an order of its own. */
static void dump(struct buf *out)
{
    buf_reset(out);
    dump_rows(out, "SELECT day, scope, standard, result, security, count FROM standard_day ORDER BY 1,2,3,4,5", 6);
    dump_rows(out, "SELECT day, org, asked, mails, met, explained, untested FROM org_day ORDER BY 1,2,3", 7);
    dump_rows(out, "SELECT day, org, standard, missed, explained, untested FROM org_miss_day ORDER BY 1,2,3", 6);
    dump_rows(out, "SELECT day, org, net, standard, count, strict FROM org_failed_day ORDER BY 1,2,3,4", 6);
    dump_rows(out, "SELECT org, net, passed, first_seen, last_seen FROM org_source ORDER BY 1,2", 5);
    dump_rows(out, "SELECT day, name, org FROM org_group_day ORDER BY 1,2,3", 3);
}

static void sql_run(const char *sql)
{
    assert_int_equal(store_run(s, &(int64_t){0}, sql, ""), STATUS_OK);
}

static void after_random_mails_nothing_changes(void **state)
{
    (void)state;
    struct buf before = BUF_INIT, after = BUF_INIT;
    struct recount found;
    for (seed = 1; seed < 6; seed++) {
        unsigned kept = seed;
        random_mails(120);
        seed = kept;
        dump(&before);
        assert_int_equal(recount(s, lists, &found), STATUS_OK);
        assert_int_equal(found.days, 6);
        assert_int_equal(found.left, 0);
        assert_int_equal(found.mended_count, 0);
        assert_false(found.sources_mended);
        dump(&after);
        assert_string_equal(before.p, after.p);
    }
    assert_non_null(strstr(before.p, "|friends|b.example|")); /* by one of its own below it */
    assert_non_null(strstr(before.p, "|towns|d.test|"));
    assert_null(strstr(before.p, "|friends|none.example|"));
    buf_release(&before);
    buf_release(&after);
}

static void what_is_damaged_comes_back(void **state)
{
    (void)state;
    static const char *const damage[] = {
        "DELETE FROM org_day WHERE day = 20775",
        "UPDATE org_day SET mails = mails + 7, met = 0 WHERE org = 'a.example'",
        "INSERT INTO org_day VALUES (20774, 'ghost.example', 'dmarc', 9, 9, 0, 0)",
        "DELETE FROM org_miss_day",
        "UPDATE org_miss_day SET missed = 1000000 WHERE org = 'd.test'",
        "UPDATE org_failed_day SET count = 0, strict = 99",
        "DELETE FROM org_failed_day WHERE standard = ''",
        "DELETE FROM standard_day WHERE scope = 'mail'",
        "UPDATE standard_day SET result = 'policy' WHERE result = 'pass' AND day = 20776 AND scope = 'mail'",
        "DELETE FROM org_group_day",
        "INSERT INTO org_group_day VALUES (20776, 'towns', 'ghost.example')",
        "DELETE FROM org_source WHERE org = 'c.example'",
        "UPDATE org_source SET passed = 0, last_seen = first_seen",
    };
    struct buf before = BUF_INIT, after = BUF_INIT;
    struct recount found;
    seed = 77;
    random_mails(200);
    dump(&before);
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        sql_run(damage[i]);
        dump(&after);
        assert_string_not_equal(before.p, after.p);
        assert_int_equal(recount(s, lists, &found), STATUS_OK);
        if (!found.mended_count && !found.sources_mended)
            fail_msg("not noticed: %s", damage[i]);
        dump(&after);
        if (strcmp(before.p, after.p) != 0)
            fail_msg("not mended: %s", damage[i]);
    }
    sql_run("DELETE FROM org_day WHERE day = 20775");
    assert_int_equal(recount(s, lists, &found), STATUS_OK);
    assert_int_equal(found.mended_count, 1);
    assert_int_equal(found.mended[0], 20775);
    buf_release(&before);
    buf_release(&after);
}

static void a_day_without_all_records_stays(void **state)
{
    (void)state;
    struct buf before = BUF_INIT, after = BUF_INIT;
    struct recount found;
    seed = 5;
    random_mails(150);
    sql_run("UPDATE mail SET record = NULL WHERE t = (SELECT min(t) FROM mail)"); /* older than may be kept */
    sql_run("DELETE FROM mail WHERE t = (SELECT max(t) FROM mail)");              /* forgotten */
    sql_run("UPDATE org_day SET mails = mails + 1 WHERE day IN (20773, 20778)");
    dump(&before);
    assert_int_equal(recount(s, lists, &found), STATUS_OK);
    assert_int_equal(found.days, 4);
    assert_int_equal(found.left, 2);
    assert_int_equal(found.mended_count, 0);
    dump(&after);
    assert_string_equal(before.p, after.p);
    buf_release(&before);
    buf_release(&after);
}

static void membership_is_that_of_the_day(void **state)
{
    (void)state;
    struct buf before = BUF_INIT, after = BUF_INIT;
    struct recount found;
    seed = 9;
    random_mails(150);
    dump(&before);
    load_policy("none.example\n");
    assert_int_equal(recount(s, lists, &found), STATUS_OK);
    dump(&after);
    assert_string_equal(before.p, after.p);
    ingest("{\"v\":1,\"t\":\"2026-11-21T20:00:00.000000Z\",\"host\":\"mx\",\"kind\":\"mail\",\"id\":\"Q\",\"source\":"
           "\"internet\",\"client\":\"192.0.2.7\",\"from\":\"none.example\",\"rcpts\":1,\"policy\":\"1a2b3c4d\","
           "\"verdict\":{\"action\":\"deliver\",\"would\":\"deliver\"},\"lines\":[],\"findings\":[]}");
    assert_int_equal(store_begin(s), STATUS_OK);
    assert_int_equal(aggregate_flush(t, s), STATUS_OK);
    assert_int_equal(store_commit(s), STATUS_OK);
    dump(&after);
    assert_non_null(strstr(after.p, "20778|friends|none.example|")); /* from the mail on, in its transaction */
    assert_null(strstr(after.p, "20777|friends|none.example|"));
    assert_non_null(strstr(after.p, "20777|friends|a.example|"));
    buf_release(&before);
    buf_release(&after);
}

static void an_empty_ledger_has_nothing_to_count(void **state)
{
    (void)state;
    struct recount found;
    assert_int_equal(recount(s, NULL, &found), STATUS_OK);
    assert_int_equal(found.days + found.left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(after_random_mails_nothing_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_damaged_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_day_without_all_records_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(membership_is_that_of_the_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_ledger_has_nothing_to_count, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
