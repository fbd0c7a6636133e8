// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_retention.c - retention, forgetting and knowledge: what must go goes, what may stay stays. Days are set by hand
 * (clock_set_wall).
 */
#include "tests/unit/cm.h"

#include "base/clock.h"
#include "journal/known_signers.h"
#include "ledger/timestamp.h"
#include "ledger/ingest.h"
#include "ledger/retention.h"
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TODAY 20778 /* 2026-11-21 */

static char dir[64], path[96], db[96];
static struct store *s;
static const char *where; /* a file, or PostgreSQL where ASSAY_TEST_STORE has a URI (tests/system/ledger/run) */

static int set_up(void **state)
{
    (void)state;
    char why[STORE_ERROR] = "";
    snprintf(dir, sizeof dir, "/tmp/assay-tidy-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/knowledge", dir);
    snprintf(db, sizeof db, "%s/ledger.db", dir);
    clock_set_wall((time_t)TODAY * 86400 + 3600);
    where = getenv("ASSAY_TEST_STORE");
    if (where && system("psql -qAt \"$ASSAY_TEST_STORE\" -c 'DROP SCHEMA public CASCADE' -c 'CREATE SCHEMA public' "
                        ">/dev/null 2>&1") != 0)
        return -1;
    s = store_open(where ? where : db, STORE_WRITE, NULL, why);
    if (!s)
        print_error("%s\n", why);
    return s ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    store_close(s);
    clock_set_wall(0);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static int64_t number(const char *sql)
{
    int64_t n = -1;
    if (store_ask_number(s, -1, &n, sql, "") != STATUS_OK)
        fail_msg("%s: %s", sql, store_error(s));
    return n;
}

/* `count` mails from a domain, `days` ago; signed or aligned by SPF only. */
static void mails(const char *domain, const char *client, int days, int count, bool pass, bool is_signed)
{
    char day[TIMESTAMP_TEXT], line[1200];
    struct aggregate *t = aggregate_new();
    assert_int_equal(store_begin(s), STATUS_OK);
    timestamp_day_text(TODAY - days, day);
    for (int i = 0; i < count; i++) {
        struct record r;
        snprintf(line, sizeof line,
                 "{\"v\":1,\"t\":\"%sT12:00:00Z\",\"host\":\"mx1\",\"kind\":\"mail\",\"id\":\"Q%d\",\"message_id\":\"<%"
                 "d@x>\",\"source\":\"internet\","
                 "\"client\":\"%s\",\"helo\":\"mail.%s\",\"mail_from\":\"%s\",\"from\":\"%s\",\"rcpts\":1,\"verdict\":{"
                 "\"action\":\"deliver\"},"
                 "\"findings\":[{\"standard\":\"dmarc\",\"subject\":\"%s\",\"record\":\"%s\",\"result\":\"%s\",\"rua\":"
                 "\"mailto:a@%s\",\"spf_aligned\":%s,"
                 "\"dkim_aligned\":%s}]}",
                 day, i, i, client, domain, domain, domain, domain, domain, pass ? "pass" : "fail", domain,
                 pass ? "true" : "false", is_signed ? "true" : "false");
        assert_int_equal(record_parse(slice_str(line), &r, NULL), STATUS_OK);
        assert_int_equal(ingest_record(s, t, &r, slice_str(line)), STATUS_OK);
        record_free(&r);
    }
    assert_int_equal(aggregate_flush(t, s), STATUS_OK);
    assert_int_equal(store_commit(s), STATUS_OK);
    aggregate_free(t);
}

static void identities_go_in_time(void **state)
{
    (void)state;
    int64_t rows;
    struct retention_keep keep = {14 * 86400, 90 * 86400, 800 * 86400};
    mails("new.example", "192.0.2.7", 3, 2, true, true);
    mails("old.example", "2001:db8:1:2ff::9", 20, 3, true, true);
    mails("gone.example", "192.0.2.9", 95, 4, true, true);
    mails("long.example", "192.0.2.9", 900, 5, true, true);
    assert_int_equal(retention_run(s, &keep, &rows), STATUS_OK);
    assert_int_equal(number("SELECT count(*) FROM mail"), 5);
    assert_int_equal(number("SELECT count(*) FROM mail WHERE from_domain = 'new.example' AND client = '192.0.2.7' AND "
                            "queue_id IS NOT NULL AND "
                            "message_id IS NOT NULL AND record IS NOT NULL"),
                     2);
    assert_int_equal(number("SELECT count(*) FROM mail WHERE from_domain = 'old.example' AND client IS NULL AND "
                            "queue_id IS NULL AND message_id IS "
                            "NULL AND helo IS NULL AND record IS NULL AND client_net = '2001:db8:1:200::/56'"),
                     3);
    assert_int_equal(number("SELECT sum(count) FROM subject_day WHERE subject = 'gone.example'"), 4);
    assert_int_equal(number("SELECT count(*) FROM subject_day WHERE subject = 'long.example'"), 0);
    assert_int_equal(number("SELECT count(*) FROM dmarc_row WHERE domain <> 'new.example'"), 0);
    assert_int_equal(number("SELECT sum(count) FROM dmarc_row WHERE domain = 'new.example'"), 2);
    assert_true(rows > 0);
    assert_int_equal(retention_run(s, &keep, &rows), STATUS_OK);
    assert_int_equal(rows, 0);
}

static void months_come_and_go(void **state)
{
    (void)state;
    static const char partitions[] = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'mail'::regclass";
    int64_t rows;
    struct retention_keep keep = {14 * 86400, 90 * 86400, 800 * 86400};
    if (!where)
        skip();                              /* SQLite has no partitions */
    assert_int_equal(number(partitions), 7); /* August to January, and the rest */
    mails("a.example", "192.0.2.7", 1, 2, true, true);
    mails("b.example", "192.0.2.7", 75, 3, true, true);
    mails("c.example", "192.0.2.7", 400, 4, true, true);
    assert_int_equal(number("SELECT count(*) FROM mail_202611"), 2);
    assert_int_equal(number("SELECT count(*) FROM mail_202609"), 3);
    assert_int_equal(number("SELECT count(*) FROM mail_default"), 4);
    clock_set_wall((time_t)(TODAY + 45) * 86400);
    assert_int_equal(retention_run(s, &keep, &rows), STATUS_OK);
    assert_int_equal(number("SELECT count(*) FROM mail"), 2);
    assert_int_equal(number(partitions), 7); /* October to March */
    assert_int_equal(number("SELECT count(*) FROM pg_class WHERE relname IN ('mail_202608', 'mail_202609')"), 0);
    assert_int_equal(number("SELECT count(*) FROM pg_class WHERE relname IN ('mail_202702', 'mail_202703')"), 2);
}

static void what_is_forgotten_is_nowhere(void **state)
{
    (void)state;
    int64_t rows;
    mails("who.example", "192.0.2.7", 1, 2, true, true);
    mails("sub.who.example", "192.0.2.8", 1, 2, true, true);
    mails("somewho.example", "192.0.2.9", 1, 2, true, true);
    assert_int_equal(retention_forget(s, "who.example", &rows), STATUS_OK);
    assert_int_equal(number("SELECT count(*) FROM mail"), 2);
    assert_int_equal(number("SELECT count(*) FROM subject_day"), 1);
    assert_int_equal(number("SELECT count(*) FROM dmarc_row"), 1);
    assert_int_equal(number("SELECT count(*) FROM dmarc_domain"), 1);
    assert_int_equal(number("SELECT count(*) FROM signer_day"), 1);
    assert_int_equal(number("SELECT sum(count) FROM standard_day"), 6);
    assert_int_equal(retention_forget(s, "192.0.2.9", &rows), STATUS_OK);
    assert_int_equal(number("SELECT count(*) FROM mail"), 0);
    assert_int_equal(number("SELECT count(*) FROM dmarc_row"), 0);
}

static void an_underscore_is_no_wildcard(void **state)
{
    (void)state;
    int64_t rows;
    mails("x.a_b.example", "192.0.2.7", 1, 1, true, true);
    mails("x.acb.example", "192.0.2.8", 1, 1, true, true);
    assert_int_equal(retention_forget(s, "a_b.example", &rows), STATUS_OK);
    assert_int_equal(number("SELECT count(*) FROM mail WHERE from_domain = 'x.acb.example'"), 1);
    assert_int_equal(number("SELECT count(*) FROM mail"), 1);
}

static void who_signs_all_its_mail(void **state)
{
    (void)state;
    size_t n;
    char why[STORE_ERROR];
    for (int day = 1; day <= 8; day++) {
        mails("signs.example", "192.0.2.1", day, 5, true, true);
        mails("attacked.example", "192.0.2.2", day, 5, true, true);
        mails("attacked.example", "198.51.100.2", day, 50, false, false); /* forgeries */
        mails("mostly.example", "192.0.2.3", day, 5, true, day != 3);
        mails("unsigned.example", "192.0.2.4", day, 5, true, false);
    }
    for (int day = 1; day <= 3; day++)
        mails("fresh.example", "192.0.2.5", day, 20, true, true);
    for (int day = 1; day <= 8; day++)
        mails("rare.example", "192.0.2.6", day, 2, true, true);
    for (int day = 31; day <= 45; day++)
        mails("past.example", "192.0.2.6", day, 20, true, true);
    assert_int_equal(retention_write_signers(s, path, &n, why), STATUS_OK);
    assert_int_equal(n, 2);
    struct known_signers *k = known_signers_open(path);
    assert_true(known_signers_signs(k, "signs.example"));
    assert_true(known_signers_signs(k, "attacked.example"));
    assert_false(known_signers_signs(k, "mostly.example"));
    assert_false(known_signers_signs(k, "unsigned.example"));
    assert_false(known_signers_signs(k, "fresh.example"));
    assert_false(known_signers_signs(k, "rare.example"));
    assert_false(known_signers_signs(k, "past.example"));
    assert_false(known_signers_signs(k, "sub.signs.example"));
    assert_false(known_signers_signs(k, NULL));
    known_signers_close(k);
}

static void put(const char *text)
{
    char fresh[128];
    snprintf(fresh, sizeof fresh, "%s.x", path);
    FILE *f = fopen(fresh, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(rename(fresh, path), 0);
}

static void a_bad_file_leaves_what_was_known(void **state)
{
    (void)state;
    struct known_signers *k = known_signers_open(path);
    assert_non_null(k);
    assert_int_equal(known_signers_count(k), 0);
    put("assay-knowledge 1 2\na.example\nb.example\n");
    known_signers_refresh(k);
    assert_int_equal(known_signers_count(k), 2);
    static const char *const bad[] = {"",
                                      "x",
                                      "assay-knowledge 2 1\na\n",
                                      "assay-knowledge 1 3\na\nb\n",
                                      "assay-knowledge 1 1\na\nb\n",
                                      "assay-knowledge 1 2\nb\na\n",
                                      "assay-knowledge 1 2\na\na\n",
                                      "assay-knowledge 1 2\na\nb",
                                      "assay-knowledge 1 99999999999999999999\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(bad[i]);
        known_signers_refresh(k);
        assert_int_equal(known_signers_count(k), 2);
        assert_true(known_signers_signs(k, "b.example"));
    }
    unlink(path);
    known_signers_refresh(k);
    assert_true(known_signers_signs(k, "a.example"));
    put("assay-knowledge 1 0\n");
    known_signers_refresh(k);
    assert_int_equal(known_signers_count(k), 0);
    known_signers_close(k);
    assert_null(known_signers_close(NULL));
}

static void *asker(void *arg)
{
    for (int i = 0; i < 20000; i++)
        if (!known_signers_signs(arg, "a.example"))
            return arg;
    return NULL;
}

static void asked_while_it_changes(void **state)
{
    (void)state;
    put("assay-knowledge 1 1\na.example\n");
    struct known_signers *k = known_signers_open(path);
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, asker, k), 0);
    for (int i = 0; i < 50; i++) {
        put(i % 2 ? "assay-knowledge 1 1\na.example\n" : "assay-knowledge 1 2\na.example\nb.example\n");
        known_signers_refresh(k);
    }
    for (int i = 0; i < 4; i++) {
        void *failed = k;
        pthread_join(t[i], &failed);
        assert_null(failed);
    }
    known_signers_close(k);
}

static void moments(void **state)
{
    (void)state;
    int64_t t = 0, day = 0;
    char text[TIMESTAMP_TEXT];
    assert_true(timestamp_from_record("2026-11-20T23:19:25.123456Z", &t));
    assert_int_equal(t, INT64_C(1795216765123456));
    assert_true(timestamp_from_record("1970-01-01T00:00:00Z", &t));
    assert_int_equal(t, 0);
    static const char *const none[] = {"",
                                       "2026-11-20",
                                       "2026-02-30T00:00:00Z",
                                       "2026-11-20T24:00:00Z",
                                       "2026-11-20T10:00:00",
                                       "2026-11-20T10:00:00Zx",
                                       "2026-11-20 10:00:00Z",
                                       "2026-13-01T00:00:00Z",
                                       "x026-11-20T10:00:00Z"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(timestamp_from_record(none[i], &t));
    assert_false(timestamp_from_record(NULL, &t));
    assert_true(timestamp_day_from_text("2026-11-21", &day));
    assert_int_equal(day, TODAY);
    assert_string_equal(timestamp_day_text(timestamp_week(day), text), "2026-11-16");
    assert_string_equal(timestamp_day_text(timestamp_week(day + 1), text), "2026-11-16");
    assert_string_equal(timestamp_day_text(timestamp_week(day + 2), text), "2026-11-23");
    assert_string_equal(timestamp_day_text(timestamp_month(day), text), "2026-11-01");
    assert_int_equal(timestamp_day(-1), -1);
    assert_true(timestamp_from_person("24h", &t));
    assert_int_equal(t, clock_wall_us() - TIMESTAMP_DAY);
    assert_false(timestamp_from_person("24x", &t));
    assert_false(timestamp_from_person("-3d", &t));
    assert_false(timestamp_from_person("2026-11-20T10:0", &t));
    assert_true(timestamp_from_person("2026-11-20 10:00", &t));
    assert_true(timestamp_from_person("yesterday", &t));
}

#define ON(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(identities_go_in_time),        ON(months_come_and_go),
        ON(what_is_forgotten_is_nowhere), ON(an_underscore_is_no_wildcard),
        ON(who_signs_all_its_mail),       ON(a_bad_file_leaves_what_was_known),
        ON(asked_while_it_changes),       ON(moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
