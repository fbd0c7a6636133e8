// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_ingest.c - segments into the store: each record once, whatever happens. On SQLite; on PostgreSQL where
 * ASSAY_TEST_STORE has a URI (tests/system/ledger/run starts a server). Every test begins with an empty database.
 */
#include "tests/unit/ledger_store.h"

#include "journal/journal.h"
#include "ledger/timestamp.h"
#include "ledger/ingest.h"
#include "ledger/published.h"
#include "ledger/store_engine.h"
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ledger_store own;
static char journals[96];

static int set_up(void **state)
{
    (void)state;
    if (ledger_store_make(&own, -1) != 0)
        return -1;
    snprintf(journals, sizeof journals, "%s/journal", own.dir);
    return mkdir(journals, 0700);
}

static int tear_down(void **state)
{
    (void)state;
    return ledger_store_remove(&own);
}

static struct store *open_store(void)
{
    struct store *s = ledger_store_open(&own);
    assert_non_null(s);
    return s;
}

static int64_t sql_number(struct store *s, const char *sql)
{
    int64_t n = -1;
    if (store_ask_number(s, -1, &n, sql, "") != STATUS_OK)
        fail_msg("%s: %s", sql, store_error(s));
    return n;
}

static const char mail_format[] =
    "\"id\":\"Q%d\",\"message_id\":\"<%d@example.net>\",\"source\":\"internet\",\"client\":\"192.0.2.%d\",\"helo\":"
    "\"mail.example.net\","
    "\"mail_from\":\"example.net\",\"from\":\"example.net\",\"rcpts\":1,\"rcpt_domains\":[\"example.org\"],\"policy\":"
    "\"1a2b3c4d\","
    "\"verdict\":{\"action\":\"%s\",\"would\":\"%s\",\"statement\":\"L4\"},\"lines\":[{\"standard\":\"dmarc\","
    "\"subject\":\"example.net\","
    "\"result\":\"%s\",\"level\":\"follow\",\"action\":\"%s\",\"statement\":\"L4\"},{\"standard\":\"rdns\",\"subject\":"
    "\"192.0.2.%d\","
    "\"result\":\"none\",\"level\":\"require\",\"action\":\"tag\",\"exemption\":\"L9\"}],\"findings\":[{\"standard\":"
    "\"spf\",\"subject\":\"example.net\","
    "\"result\":\"%s\",\"security\":\"insecure\",\"identity\":\"mailfrom\"},{\"standard\":\"dkim\",\"subject\":"
    "\"example.net\",\"result\":\"%s\","
    "\"selector\":\"s1\",\"algorithm\":\"rsa-sha256\",\"bits\":2048,\"aligned\":true},{\"standard\":\"dmarc\","
    "\"subject\":\"example.net\","
    "\"result\":\"%s\",\"security\":\"secure\",\"record\":\"example.net\",\"p\":\"reject\",\"applied\":\"reject\","
    "\"adkim\":\"r\",\"t\":\"n\","
    "\"rua\":\"mailto:d@example.net\",\"discovery\":\"treewalk\",\"spf_aligned\":%s,\"dkim_aligned\":%s},"
    "{\"standard\":\"rdns\",\"subject\":\"192.0.2.%d\",\"result\":\"pass\"}]}";

static void write_mail(struct journal *j, int n, bool pass)
{
    struct buf b = BUF_INIT;
    struct json out = JSON_INTO(&b);
    const char *result = pass ? "pass" : "fail", *action = pass ? "deliver" : "reject", *yes = pass ? "true" : "false";
    journal_record(j, &out, "mail");
    buf_addc(&b, ',');
    buf_printf(&b, mail_format, n, n, n % 250, action, action, result, action, n % 250, result, result, result, yes,
               yes, n % 250);
    assert_int_equal(journal_write(j, buf_slice(&b), JOURNAL_WAIT), STATUS_OK);
    buf_release(&b);
}

static struct journal *open_journal(const char *host, size_t segment_bytes)
{
    const char *error = "";
    struct journal *j = journal_open(journals, "milter",
                                     &(struct journal_options){.host = host, .segment_bytes = segment_bytes}, &error);
    if (!j)
        fail_msg("%s", error);
    return j;
}

static void write_mails(const char *host, int from, int to)
{
    struct journal *j = open_journal(host, 20000);
    for (int i = from; i < to; i++)
        write_mail(j, i, i % 4 != 0);
    journal_close(j);
}

static struct ingest_report take(struct store *s)
{
    struct ingest_report r = {0};
    enum status st = ingest_folder(s, NULL, journals, NULL, &r);
    if (st != STATUS_OK)
        fail_msg("%s: %s", status_text(st), store_error(s));
    return r;
}

static unsigned files_with(const char *end)
{
    unsigned n = 0;
    DIR *d = opendir(journals);
    for (struct dirent *e; d && (e = readdir(d));)
        n += strlen(e->d_name) > strlen(end) && strcmp(e->d_name + strlen(e->d_name) - strlen(end), end) == 0;
    if (d)
        closedir(d);
    return n;
}

static void takes_each_record_once(void **state)
{
    (void)state;
    write_mails("mx1", 0, 100);
    struct store *s = open_store();
    struct ingest_report r = take(s);
    assert_string_equal(r.first_trouble, "");
    assert_int_equal(r.records, 100);
    assert_true(r.segments >= 2);
    assert_int_equal(r.waiting, 0);
    r = take(s);
    assert_int_equal(r.records, 0);
    assert_int_equal(files_with(".journal"), 0);
    assert_int_equal(sql_number(s, "SELECT count(*) FROM mail"), 100);
    assert_int_equal(sql_number(s, "SELECT mails FROM host WHERE name = 'mx1'"), 100);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM standard_hour"), 400);
    assert_int_equal(
        sql_number(
            s,
            "SELECT sum(count) FROM standard_day WHERE standard = 'dmarc' AND result = 'pass' AND security = 'secure'"),
        75);
    assert_int_equal(
        sql_number(s, "SELECT sum(count) FROM subject_day WHERE subject = 'example.net' AND standard = 'spf'"), 100);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM verdict_hour WHERE action = 'reject'"), 25);
    assert_int_equal(
        sql_number(
            s,
            "SELECT sum(count) FROM outcome_day WHERE standard = 'dmarc' AND action = 'reject' AND statement = 'L4'"),
        25);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM outcome_day WHERE exemption = 'L9'"), 100);
    assert_int_equal(
        sql_number(s,
                   "SELECT sum(count) FROM selector WHERE domain = 'example.net' AND selector = 's1' AND bits = 2048"),
        100);
    assert_int_equal(sql_number(s, "SELECT sum(passed) * 1000 + sum(signed) FROM signer_day"), 75075);
    assert_int_equal(sql_number(s, "SELECT count(*) FROM dmarc_domain WHERE rua = 'mailto:d@example.net'"), 1);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM dmarc_row"), 100);
    store_close(s);
}

static void counts_keep_no_exact_address(void **state)
{
    (void)state;
    write_mails("mx1", 0, 20);
    struct store *s = open_store();
    take(s);
    assert_int_equal(sql_number(s, "SELECT count(*) FROM subject_day WHERE standard = 'rdns'"), 1);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM subject_day WHERE subject = '192.0.2.0/24'"), 20);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM outcome_day WHERE subject = '192.0.2.0/24'"), 20);
    char out[INGEST_NET];
    assert_string_equal(ingest_coarse("2001:db8:1:2ff::9", out), "2001:db8:1:200::/56");
    assert_string_equal(ingest_coarse("example.org", out), "example.org");
    assert_null(ingest_coarse(NULL, out));
    store_close(s);
}

static void takes_what_is_still_being_written(void **state)
{
    (void)state;
    struct store *s = open_store();
    struct journal *j = open_journal("mx1", 0);
    write_mail(j, 1, true);
    write_mail(j, 2, true);
    assert_int_equal(take(s).records, 2);
    write_mail(j, 3, true);
    assert_int_equal(take(s).records, 1);
    assert_int_equal(take(s).records, 0);
    assert_int_equal(files_with(".open"), 1);
    journal_close(j);
    assert_int_equal(take(s).segments, 1);
    assert_int_equal(sql_number(s, "SELECT count(*) FROM mail"), 3);
    assert_int_equal(files_with(".journal"), 0);
    store_close(s);
}

static void copy_of_a_taken_segment_adds_nothing(void **state)
{
    (void)state;
    char command[300];
    write_mails("mx1", 0, 10);
    snprintf(command, sizeof command, "mkdir %s/kept && cp %s/*.journal %s/kept/", own.dir, journals, own.dir);
    assert_int_equal(system(command), 0);
    struct store *s = open_store();
    take(s);
    snprintf(command, sizeof command,
             "for f in %s/kept/*; do cp $f %s/other-20300101T000000Z-0000000$((i=i+1)).journal; done", own.dir,
             journals);
    assert_int_equal(system(command), 0);
    struct ingest_report r = take(s);
    assert_int_equal(r.records, 0);
    assert_true(r.segments > 0);
    assert_int_equal(files_with(".journal"), 0);
    assert_int_equal(sql_number(s, "SELECT count(*) FROM mail"), 10);
    store_close(s);
}

static void put_segment(const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", journals, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

#define HEADING(v, id)                                                                                                 \
    "{\"v\":" v ",\"t\":\"2026-11-20T10:00:00Z\",\"host\":\"mx1\",\"kind\":\"segment\",\"segment\":\"" id              \
    "\",\"writer\":\"milter\"}\n"
#define NOTE(n)                                                                                                        \
    "{\"v\":1,\"t\":\"2026-11-20T10:00:0" n                                                                            \
    "Z\",\"host\":\"mx1\",\"kind\":\"note\",\"note\":\"lost\",\"dropped\":1,\"lost\":2}\n"

static void corrupt_segments_are_set_aside(void **state)
{
    (void)state;
    put_segment("milter-20261120T100000Z-00000001.journal",
                HEADING("1", "one") NOTE("1") "{\"v\":1,\"t\":\"2026\n" NOTE("2"));
    put_segment("milter-20261120T100001Z-00000002.journal", "garbage\n" NOTE("3"));
    put_segment("milter-20261120T100002Z-00000003.journal", "");
    put_segment("milter-20261120T100003Z-00000004.journal",
                HEADING("1", "four") NOTE("4") "{\"v\":1,\"t\":\"2026-11-20T1");
    struct store *s = open_store();
    struct ingest_report r = take(s);
    assert_int_equal(r.records, 3);
    assert_int_equal(r.bad, 1);
    assert_int_equal(r.aside, 3);
    assert_int_equal(r.torn, 1);
    assert_int_equal(files_with(".bad"), 3);
    assert_int_equal(files_with(".bad.why"), 3);
    assert_int_equal(files_with(".journal"), 0);
    assert_non_null(strstr(r.first_trouble, "1 line could not be understood; the first: before octet"));
    assert_int_equal(sql_number(s, "SELECT dropped * 100 + lost FROM host WHERE name = 'mx1'"), 306);
    store_close(s);
}

static void newer_segments_wait(void **state)
{
    (void)state;
    put_segment("milter-20261120T100000Z-00000001.journal", HEADING("2", "new") NOTE("1"));
    struct store *s = open_store();
    struct ingest_report r = take(s);
    assert_int_equal(r.newer, 1);
    assert_int_equal(r.records, 0);
    assert_int_equal(files_with(".journal"), 1);
    store_close(s);
}

static void two_takers_at_once(void **state)
{
    (void)state;
    store_close(open_store());
    write_mails("mx1", 0, 400);
    write_mails("mx2", 400, 800);
    pid_t child[4];
    for (int i = 0; i < 4; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            struct ingest_report r = {0};
            struct store *s = store_open(own.where, STORE_WRITE, NULL, NULL);
            enum status st = s ? STATUS_AGAIN : STATUS_INVALID;
            for (int tries = 0; tries < 20 && st == STATUS_AGAIN; tries++)
                st = ingest_folder(s, NULL, journals, NULL, &r);
            store_close(s);
            _exit(st == STATUS_OK ? 0 : 1);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status = -1;
        waitpid(child[i], &status, 0);
        assert_int_equal(status, 0);
    }
    struct store *s = open_store();
    take(s);
    assert_int_equal(sql_number(s, "SELECT count(*) FROM mail"), 800);
    assert_int_equal(sql_number(s, "SELECT count(DISTINCT queue_id) FROM mail"), 800);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM standard_hour"), 3200);
    assert_int_equal(sql_number(s, "SELECT sum(mails) FROM host"), 800);
    store_close(s);
}

/* Each host its own folder, all the same domains: every upsert meets another's. */
static void hosts_race_into_one_store(void **state)
{
    (void)state;
    enum { HOSTS = 4, EACH = 600 };
    char folders[HOSTS][128], name[16];
    pid_t child[HOSTS];
    store_close(open_store());
    for (int i = 0; i < HOSTS; i++) {
        snprintf(journals, sizeof journals, "%.60s/journal-%d", own.dir, i);
        snprintf(folders[i], sizeof folders[i], "%s", journals);
        snprintf(name, sizeof name, "mx%d", i);
        write_mails(name, i * EACH, (i + 1) * EACH);
    }
    for (int i = 0; i < HOSTS; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            struct ingest_report r = {0};
            struct store *s = store_open(own.where, STORE_WRITE, NULL, NULL);
            enum status st = s ? STATUS_AGAIN : STATUS_INVALID;
            for (int tries = 0; tries < 20 && st == STATUS_AGAIN; tries++)
                st = ingest_folder(s, NULL, folders[i], NULL, &r);
            store_close(s);
            _exit(st == STATUS_OK && r.records == EACH ? 0 : 1);
        }
    }
    for (int i = 0; i < HOSTS; i++) {
        int status = -1;
        waitpid(child[i], &status, 0);
        assert_int_equal(status, 0);
    }
    struct store *s = open_store();
    assert_int_equal(sql_number(s, "SELECT count(DISTINCT queue_id) FROM mail"), HOSTS * EACH);
    assert_int_equal(sql_number(s, "SELECT count(*) FROM mail"), HOSTS * EACH);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM subject_day WHERE standard = 'spf'"), HOSTS * EACH);
    assert_int_equal(sql_number(s, "SELECT count(*) FROM host WHERE mails = 600"), HOSTS);
    store_close(s);
}

struct shown {
    int here, elsewhere;
    int64_t organisations;
};

static void note_shown(void *context, bool here, const char *list, int64_t organisations, int64_t meets)
{
    struct shown *x = context;
    assert_string_equal(list, "a list's \"name\"");
    assert_true(meets < organisations);
    x->here += here;
    x->elsewhere += !here;
    if (here)
        x->organisations = organisations;
}

static void published_totals_are_kept_by_page(void **state)
{
    (void)state;
    struct store *s = open_store();
    struct shown x = {0};
    const char *list = "a list's \"name\"";
    assert_int_equal(published_begin(s), STATUS_OK);
    assert_int_equal(published_put(s, "mx1:/srv/a", 20000, list, 20, 1), STATUS_OK);
    assert_int_equal(published_put(s, "mx1:/srv/a", 20001, list, 30, 1), STATUS_OK);
    assert_int_equal(published_put(s, "mx1:/srv/b", 20001, list, 40, 1), STATUS_OK);
    assert_int_equal(store_commit(s), STATUS_OK);
    assert_int_equal(published_begin(s), STATUS_OK);
    assert_int_equal(published_put(s, "mx1:/srv/c", 20002, list, 50, 1), STATUS_OK);
    store_rollback(s);
    assert_int_equal(published_each(s, "mx1:/srv/a", note_shown, &x), STATUS_OK);
    assert_int_equal(x.here, 1);
    assert_int_equal(x.elsewhere, 1);
    assert_int_equal(x.organisations, 30);
    store_close(s);
}

static void old_program_leaves_a_newer_database_alone(void **state)
{
    (void)state;
    struct store *s = open_store();
    assert_int_equal(store_run(s, NULL, "UPDATE assay_schema SET version = 99", ""), STATUS_OK);
    store_close(s);
    char why[STORE_ERROR];
    enum status st = STATUS_OK;
    assert_null(store_open(own.where, STORE_WRITE, &st, why));
    assert_int_equal(st, STATUS_LIMIT);
    assert_non_null(strstr(why, "schema version 99"));
}

static void a_failed_statement_undoes_the_transaction(void **state)
{
    (void)state;
    struct store *s = open_store();
    assert_int_equal(store_begin(s), STATUS_OK);
    assert_int_equal(
        store_run(s, NULL,
                  "INSERT INTO zone (name, state, reason, algorithm, bits, count, first_seen, last_seen) VALUES "
                  "($1, 'x', '', '', 0, 1, 1, 1)",
                  "t", "example.org"),
        STATUS_OK);
    /* The same key again: PostgreSQL says so at the commit, SQLite at once. */
    enum status st =
        store_run(s, NULL,
                  "INSERT INTO zone (name, state, reason, algorithm, bits, count, first_seen, last_seen) VALUES "
                  "($1, 'x', '', '', 0, 1, 1, 1)",
                  "t", "example.org");
    if (st == STATUS_OK)
        st = store_commit(s);
    assert_int_not_equal(st, STATUS_OK);
    assert_non_null(strstr(store_error(s), own.where == own.file ? "UNIQUE" : "duplicate key"));
    store_rollback(s);
    assert_int_equal(sql_number(s, "SELECT count(*) FROM zone"), 0);
    store_close(s);
}

static void names_are_counted(void **state)
{
    (void)state;
    put_segment("unbound-20261120T100000Z-00000001.journal",
                HEADING("1", "names") "{\"v\":1,\"t\":\"2026-11-20T10:00:00Z\",\"host\":\"r1\",\"kind\":\"names\","
                                      "\"zone\":\"example.com\","
                                      "\"state\":\"insecure\",\"count\":40,\"first\":\"2026-11-20T09:00:00Z\",\"last\":"
                                      "\"2026-11-20T09:59:00Z\",\"types\":[\"A\"]}\n"
                                      "{\"v\":1,\"t\":\"2026-11-20T10:01:00Z\",\"host\":\"r1\",\"kind\":\"names\","
                                      "\"zone\":\"example.com\",\"state\":\"insecure\","
                                      "\"count\":2,\"reason\":\"no "
                                      "DS\",\"refused\":1,\"would\":3,\"statement\":\"L6\",\"policy\":\"p\"}\n"
                                      "{\"v\":1,\"t\":\"2026-11-20T10:01:00Z\",\"host\":\"r1\",\"kind\":\"note\","
                                      "\"note\":\"dropped\",\"count\":9}\n"
                                      "{\"v\":1,\"t\":\"2026-11-20T10:01:00Z\",\"host\":\"r1\",\"kind\":\"names\","
                                      "\"zone\":\"example.org\",\"state\":\"secure\","
                                      "\"count\":5,\"algorithm\":[13],\"bits\":256}\n");
    struct store *s = open_store();
    take(s);
    assert_int_equal(
        sql_number(s, "SELECT count FROM zone WHERE name = 'example.com' AND state = 'insecure' AND reason = 'no DS'"),
        42);
    assert_int_equal(
        sql_number(s, "SELECT sum(count) FROM outcome_day WHERE subject = 'example.com' AND action = 'refuse' "
                      "AND statement = 'L6'"),
        4);
    assert_int_equal(sql_number(s, "SELECT dropped FROM host WHERE name = 'r1'"), 9);
    assert_int_equal(sql_number(s, "SELECT bits FROM zone WHERE name = 'example.org' AND algorithm = '13'"), 256);
    assert_int_equal(
        sql_number(
            s, "SELECT count FROM standard_day WHERE scope = 'names' AND result = 'none' AND security = 'insecure'"),
        42);
    assert_int_equal(sql_number(s, "SELECT first_seen / 1000000 FROM zone WHERE name = 'example.com'"), 1795165200);
    store_close(s);
}

static void one_mail_counts_once_for_a_standard(void **state)
{
    (void)state;
    put_segment(
        "milter-20261120T100000Z-00000001.journal",
        HEADING(
            "1",
            "once") "{\"v\":1,\"t\":\"2026-11-20T10:00:00Z\",\"host\":\"mx1\",\"kind\":\"mail\",\"mail_from\":\"b."
                    "example\",\"from\":\"a.example\",\"client\":\"192.0.2.7\",\"findings\":["
                    "{\"standard\":\"tls\",\"result\":\"none\"},{\"standard\":\"arc\",\"result\":\"none\"},"
                    "{\"standard\":\"rdns\",\"subject\":\"x.example\",\"result\":\"pass\"},"
                    "{\"standard\":\"spf\",\"identity\":\"mailfrom\",\"subject\":\"b.example\",\"result\":\"fail\"},"
                    "{\"standard\":\"spf\",\"identity\":\"helo\",\"subject\":\"h.example\",\"result\":\"pass\"},"
                    "{\"standard\":\"dkim\",\"subject\":\"a.example\",\"selector\":\"r\",\"aligned\":true,\"result\":"
                    "\"fail\"},"
                    "{\"standard\":\"dkim\",\"subject\":\"a.example\",\"selector\":\"e\",\"aligned\":true,\"result\":"
                    "\"pass\"},"
                    "{\"standard\":\"dkim\",\"subject\":\"c.example\",\"selector\":\"x\",\"aligned\":false,\"result\":"
                    "\"pass\"},"
                    "{\"standard\":\"dnssec\",\"subject\":\"a.example\",\"result\":\"pass\",\"security\":\"secure\"},"
                    "{\"standard\":\"dnssec\",\"subject\":\"b.example\",\"result\":\"none\",\"security\":\"insecure\"}]"
                    "}\n"
                    "{\"v\":1,\"t\":\"2026-11-20T10:00:01Z\",\"host\":\"mx1\",\"kind\":\"mail\",\"findings\":["
                    "{\"standard\":\"spf\",\"identity\":\"helo\",\"subject\":\"h.example\",\"result\":\"pass\"}]}\n");
    struct store *s = open_store();
    assert_int_equal(take(s).records, 2);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM standard_day WHERE standard = 'spf' AND result = 'fail'"),
                     1);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM standard_day WHERE standard = 'spf'"), 2);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM standard_day WHERE standard = 'dkim'"), 1);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM standard_day WHERE standard = 'dkim' AND result = 'pass'"),
                     1);
    assert_int_equal(sql_number(s,
                                "SELECT sum(count) FROM standard_day WHERE standard = 'dnssec' AND result = 'none' AND "
                                "security = 'insecure'"),
                     1);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM standard_day"), 7);
    assert_int_equal(
        sql_number(
            s, "SELECT count FROM subject_day WHERE standard = 'dkim' AND subject = 'a.example' AND result = 'pass'"),
        1);
    /* DKIM and ARC are asked of the From domain, TLS of the MAIL FROM domain, rDNS of the client. */
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM subject_day WHERE standard = 'dkim'"), 1);
    assert_int_equal(
        sql_number(s, "SELECT sum(count) FROM subject_day WHERE standard = 'tls' AND subject = 'b.example'"), 1);
    assert_int_equal(
        sql_number(s, "SELECT sum(count) FROM subject_day WHERE standard = 'arc' AND subject = 'a.example'"), 1);
    assert_int_equal(
        sql_number(s, "SELECT sum(count) FROM subject_day WHERE standard = 'rdns' AND subject = '192.0.2.0/24'"), 1);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM subject_day WHERE standard = 'dnssec'"), 2);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM subject_day WHERE subject = 'h.example'"), 1);
    assert_int_equal(sql_number(s, "SELECT count(*) FROM selector"), 3);
    store_close(s);
}

static void a_clock_that_jumps_back_changes_nothing(void **state)
{
    (void)state;
    time_t now = clock_wall();
    struct store *s = open_store();
    clock_set_wall(now);
    write_mails("mx1", 0, 10);
    clock_set_wall(now - 86400 * 3);
    write_mails("mx1", 10, 20);
    assert_int_equal(take(s).records, 20);
    clock_set_wall(now - 86400 * 400);
    write_mails("mx1", 20, 30);
    assert_int_equal(take(s).records, 10);
    /* What was dated ahead of the clock as it was then has waited, and comes when its time has come. */
    int64_t waiting = -1;
    assert_int_equal(sql_number(s, "SELECT count(*) FROM mail"), 20);
    assert_int_equal(sql_number(s, "SELECT count(*) FROM ahead"), 10);
    clock_set_wall(0);
    assert_int_equal(ingest_ahead(s, NULL, &waiting), STATUS_OK);
    assert_int_equal(waiting, 0);
    assert_int_equal(sql_number(s, "SELECT count(DISTINCT queue_id) FROM mail"), 30);
    assert_int_equal(sql_number(s, "SELECT count(DISTINCT day) FROM standard_day"), 3);
    assert_int_equal(files_with(".journal"), 0);
    store_close(s);
}

/* SQLite's library does not say how often a statement was prepared, but which ones are: what a new store ran once, to
 * make its tables, must not have taken the places of what runs for each record. */
static bool is_prepared(struct store *s, const char *begins)
{
    if (store_is_shared(s)) {
        int64_t n = 0;
        char like[64];
        snprintf(like, sizeof like, "%s%%", begins);
        assert_int_equal(store_ask_number(s, 0, &n,
                                          "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE $1", "t",
                                          like),
                         STATUS_OK);
        return n > 0;
    }
    for (sqlite3_stmt *st = NULL; (st = sqlite3_next_stmt(store_sqlite_handle(s), st));)
        if (strncmp(sqlite3_sql(st), begins, strlen(begins)) == 0)
            return true;
    return false;
}

static void statements_of_each_record_stay_prepared(void **state)
{
    static const char *const each[] = {"INSERT INTO mail (", "INSERT INTO subject_day (", "INSERT INTO subject_seen (",
                                       "INSERT INTO org_day (", "INSERT INTO dmarc_row ("};
    (void)state;
    struct store *s = open_store();
    write_mails("mx1", 0, 5);
    take(s);
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        assert_true(is_prepared(s, each[i]));
    /* Many more that are asked once: the answers stay right, and so do those that are in use meanwhile. */
    struct store_rows *r = store_ask(s, "SELECT queue_id FROM mail ORDER BY queue_id", "");
    for (int i = 0; i < 300; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "SELECT count(*) + %d FROM mail", i);
        assert_int_equal(sql_number(s, sql), 5 + i);
        if (i % 100 == 0)
            assert_true(store_next(r));
    }
    assert_string_equal(store_text(r, 0), "Q2");
    assert_int_equal(store_done(r), STATUS_OK);
    assert_false(is_prepared(s, "SELECT count(*) + 7 "));
    assert_true(is_prepared(s, "SELECT count(*) + 299 "));
    write_mails("mx1", 5, 10);
    assert_int_equal(take(s).records, 5);
    assert_int_equal(sql_number(s, "SELECT sum(count) FROM dmarc_row"), 10);
    store_close(s);
}

#define ON(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(takes_each_record_once),
        ON(counts_keep_no_exact_address),
        ON(takes_what_is_still_being_written),
        ON(copy_of_a_taken_segment_adds_nothing),
        ON(corrupt_segments_are_set_aside),
        ON(newer_segments_wait),
        ON(two_takers_at_once),
        ON(hosts_race_into_one_store),
        ON(published_totals_are_kept_by_page),
        ON(old_program_leaves_a_newer_database_alone),
        ON(a_failed_statement_undoes_the_transaction),
        ON(names_are_counted),
        ON(one_mail_counts_once_for_a_standard),
        ON(a_clock_that_jumps_back_changes_nothing),
        ON(statements_of_each_record_stay_prepared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
