// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_organisations.c - which organisations meet all that is asked: at least five mails that are not stopped forgery,
 * every standard asked in 95 % of them; exempted mail apart; what could not be tested counts as neither.
 *
 * On SQLite, or on the store that ASSAY_TEST_STORE names (an empty database of its own: tests/system/ledger/run).
 */
#include "tests/unit/ledger_store.h"

#include "cli/mail_history.h"
#include "ledger/ingest.h"
#include "ledger/organisations.h"
#include "ledger/store_engine.h"
#include "ledger/timestamp.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TODAY LEDGER_STORE_TODAY

static struct ledger_store where;
static struct store *s;
static struct aggregate *t;
static struct arena *a;
static struct organisations found;

static int set_up(void **state)
{
    (void)state;
    if (ledger_store_make(&where, 80000) != 0)
        return -1;
    s = ledger_store_open(&where);
    t = aggregate_new();
    a = arena_new((size_t)8 << 20);
    return s && t && a ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    organisations_free(&found);
    aggregate_free(t);
    store_close(s);
    arena_free(a);
    return ledger_store_remove(&where);
}

/* n mails of one domain from 192.0.2.NET, with these lines; dmarc: its result and policy. */
struct mail {
    const char *from, *org, *lines, *dmarc, *applied, *source;
    int net, day;
};

static void mails(int n, struct mail m)
{
    for (int i = 0; i < n; i++) {
        char text[2048], why[200];
        struct record r;
        snprintf(
            text, sizeof text,
            "{\"v\":1,\"t\":\"2026-11-%02dT0%d:00:00.%06dZ\",\"host\":\"mx\",\"kind\":\"mail\",\"id\":\"Q\","
            "\"source\":\"%s\",\"client\":\"192.0.%d.7\",\"from\":\"%s\",\"rcpts\":1,\"policy\":\"1a2b3c4d\","
            "\"verdict\":{\"action\":\"deliver\",\"would\":\"deliver\"},\"lines\":[%s],\"findings\":[{\"standard\":"
            "\"dmarc\",\"subject\":\"%s\",\"result\":\"%s\",\"org\":\"%s\",\"applied\":\"%s\"}]}",
            m.day ? m.day : 21, i % 9, i, m.source ? m.source : "internet", m.net, m.from, m.lines, m.from,
            m.dmarc ? m.dmarc : "pass", m.org ? m.org : m.from, m.applied ? m.applied : "none");
        if (record_parse(slice_str(text), &r, why) != STATUS_OK)
            fail_msg("%s: %s", why, text);
        assert_int_equal(store_begin(s), STATUS_OK);
        assert_int_equal(ingest_record(s, t, &r, slice_str(text)), STATUS_OK);
        assert_int_equal(aggregate_flush(t, s), STATUS_OK);
        assert_int_equal(store_commit(s), STATUS_OK);
        record_free(&r);
    }
}

#define LINE(standard, result, level)                                                                                  \
    "{\"standard\":\"" standard "\",\"subject\":\"x\",\"result\":\"" result "\",\"level\":\"" level                    \
    "\",\"action\":\"deliver\"}"
#define EXEMPT(standard, result)                                                                                       \
    "{\"standard\":\"" standard "\",\"subject\":\"x\",\"result\":\"" result                                            \
    "\",\"level\":\"record\",\"action\":\"deliver\",\"exemption\":\"L9\"}"

static const struct organisation *organisation_ask(const char *name)
{
    organisations_free(&found);
    assert_int_equal(organisations_ask(s, a, TODAY - 29, TODAY, &found), STATUS_OK);
    for (size_t i = 0; i < found.count; i++)
        if (strcmp(found.all[i].name, name) == 0)
            return &found.all[i];
    return NULL;
}

static void ninety_five_of_a_hundred_is_enough(void **state)
{
    (void)state;
    mails(19, (struct mail){"a.example", .lines = LINE("dmarc", "pass", "follow"), .net = 2});
    mails(1, (struct mail){"a.example", .lines = LINE("dmarc", "fail", "follow"), .dmarc = "fail", .net = 2});
    assert_int_equal(organisation_ask("a.example")->state, ORGANISATION_MEETS);
    mails(1, (struct mail){"a.example", .lines = LINE("dmarc", "fail", "follow"), .dmarc = "fail", .net = 2});
    assert_int_equal(organisation_ask("a.example")->state, ORGANISATION_MISSES);
    assert_int_equal(organisation_ask("a.example")->misses, 1 << STANDARD_DMARC);
}

static void every_standard_in_one_mail(void **state)
{
    (void)state;
    /* each standard in 90 %, both in 80 % */
    mails(8, (struct mail){"b.example", .lines = LINE("dmarc", "pass", "follow") "," LINE("tls", "pass", "require")});
    mails(1, (struct mail){"b.example", .lines = LINE("dmarc", "none", "follow") "," LINE("tls", "pass", "require"),
                           .dmarc = "none"});
    mails(1, (struct mail){"b.example", .lines = LINE("dmarc", "pass", "follow") "," LINE("tls", "fail", "require")});
    const struct organisation *o = organisation_ask("b.example");
    assert_int_equal(o->mails, 10);
    assert_int_equal(o->met, 8);
    assert_int_equal(o->state, ORGANISATION_MISSES);
    /* recorded or on trial is not asked */
    mails(5, (struct mail){"c.example",
                           .lines =
                               LINE("dmarc", "fail",
                                    "record") ",{\"standard\":\"tls\",\"result\":"
                                              "\"fail\",\"level\":\"require\",\"action\":\"deliver\",\"trial\":true}"});
    assert_int_equal(organisation_ask("c.example")->state, ORGANISATION_NOT_ASKED);
}

static void four_mails_say_nothing_and_subdomains_are_one_organisation(void **state)
{
    (void)state;
    mails(4, (struct mail){"a.d.example", .org = "d.example", .lines = LINE("dmarc", "pass", "follow")});
    assert_null(organisation_ask("d.example"));
    mails(1, (struct mail){"b.d.example", .org = "d.example", .lines = LINE("dmarc", "pass", "follow")});
    assert_int_equal(organisation_ask("d.example")->state, ORGANISATION_MEETS);
    mails(9, (struct mail){"own.example", .lines = LINE("dmarc", "pass", "follow"), .source = "own-network"});
    assert_null(organisation_ask("own.example"));
}

static void exempted_is_explained_and_untested_is_neither(void **state)
{
    (void)state;
    mails(5, (struct mail){"e.example", .lines = EXEMPT("dane", "none") "," LINE("dmarc", "pass", "follow")});
    assert_int_equal(organisation_ask("e.example")->state, ORGANISATION_EXPLAINED);
    assert_int_equal(organisation_ask("e.example")->excused, 1 << STANDARD_DANE);
    mails(5, (struct mail){"u.example", .lines = LINE("dane", "untested", "require")});
    assert_int_equal(organisation_ask("u.example")->state, ORGANISATION_UNTESTED);
    mails(5, (struct mail){"u.example", .lines = LINE("dane", "pass", "require")});
    assert_int_equal(organisation_ask("u.example")->state, ORGANISATION_MEETS);
}

/* 115 mails of 115 pass, 63 of them beside an exemption that was not needed: all met it, and none is excused. */
static void what_passes_is_not_excused(void **state)
{
    (void)state;
    mails(52, (struct mail){"p.example", .lines = LINE("dmarc", "pass", "require")});
    mails(63, (struct mail){"p.example", .lines = EXEMPT("dmarc", "pass")});
    const struct organisation *o = organisation_ask("p.example");
    assert_int_equal(o->mails, 115);
    assert_int_equal(o->met, 115);
    assert_int_equal(o->explained, 0);
    assert_int_equal(o->excused, 0);
    assert_int_equal(o->by[STANDARD_DMARC].explained, 0);
    assert_int_equal(o->state, ORGANISATION_MEETS);
}

static void forgery_that_was_stopped_is_nobodys_debt(void **state)
{
    (void)state;
    static const char *const missed = LINE("dmarc", "fail", "follow");
    mails(5, (struct mail){"f.example", .lines = LINE("dmarc", "pass", "follow"), .net = 2});
    mails(20, (struct mail){"f.example", .lines = missed, .dmarc = "fail", .applied = "reject", .net = 66});
    const struct organisation *o = organisation_ask("f.example");
    assert_int_equal(o->stopped, 20);
    assert_int_equal(o->mails, 5);
    assert_int_equal(o->state, ORGANISATION_MEETS);
    assert_int_equal(o->misses, 0);
    /* from its own network it is its own fault */
    mails(5, (struct mail){"f.example", .lines = missed, .dmarc = "fail", .applied = "reject", .net = 2});
    assert_int_equal(organisation_ask("f.example")->state, ORGANISATION_MISSES);
    /* three days from one place are a new provider, no forger */
    for (int day = 18; day < 21; day++)
        mails(3,
              (struct mail){"g.example", .lines = missed, .dmarc = "fail", .applied = "reject", .net = 9, .day = day});
    assert_int_equal(organisation_ask("g.example")->stopped, 0);
    assert_int_equal(organisation_ask("g.example")->state, ORGANISATION_MISSES);
    /* of a domain that asks for nothing and that nobody knows: unexplained */
    mails(6, (struct mail){"h.example", .lines = missed, .dmarc = "fail", .net = 12});
    assert_int_equal(organisation_ask("h.example")->stopped, 0);
    /* ... and too little seen to tell: it may be forged */
    assert_int_equal(organisation_ask("h.example")->perhaps, 6);
    assert_int_equal(organisation_ask("g.example")->perhaps, 0); /* three days from one place */
    assert_int_equal(organisation_ask("f.example")->perhaps, 0); /* from its own network */
}

/* ---- the rule of stopped forgery, mail by mail and by the daily totals ---- */

#define WORLDS 60
#define WORLD_MAILS 60
#define WINDOW 30       /* days asked about */
#define KNOWN_LONGEST 2 /* days of mail of a domain that passes elsewhere */

static unsigned seed = 1;

static unsigned random_draw(unsigned n)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % n;
}

/* A mail that says it is a domain's: passed or failed, from one of a few networks, signed or not, on some day. What
 * passes in one world of three comes from one network, so that the domain gets known and the others may be forgers'. */
static void generated(char *out, size_t size, const char *domain, unsigned i, unsigned longest)
{
    static const char *const results[] = {"pass", "fail", "fail", "fail", "fail", "none"};
    static const char *const applied[] = {"none", "none", "reject", "quarantine"};
    /* The last three are in one /48; the last two in one /56 of it. */
    static const char *const clients[] = {"192.0.2.1",    "192.0.2.200",       "198.51.100.9",     "203.0.113.5",
                                          "2001:db8:1::", "2001:db8:1:100::1", "2001:db8:1:1ff::2"};
    static const char *const signatures[] = {"", "", "", "\"aligned\":true,\"bits\":2048,", "\"aligned\":true,"};
    static const char *const authors[] = {"", "", "", "", ",\"candidates\":[{},{}]"};
    const char *signature = signatures[random_draw(5)], *result = results[random_draw(6)];
    bool known = longest == KNOWN_LONGEST;
    const char *client = clients[known && random_draw(2) ? 0 : random_draw(7)];
    if (known)
        result = client == clients[0] ? "pass" : "fail";
    char day[TIMESTAMP_TEXT], dkim[300] = "";
    timestamp_day_text(TODAY - random_draw(longest), day);
    if (*signature)
        snprintf(dkim, sizeof dkim,
                 ",{\"standard\":\"dkim\",\"subject\":\"%s\",\"selector\":\"s\",%s\"result\":\"fail\"}", domain,
                 signature);
    snprintf(
        out, size,
        "{\"v\":1,\"t\":\"%sT0%u:00:00.%06uZ\",\"host\":\"mx\",\"kind\":\"mail\",\"id\":\"Q\",\"source\":\"%s\","
        "\"client\":\"%s\",\"from\":\"%s\",\"rcpts\":1,\"policy\":\"1a2b3c4d\",\"verdict\":{\"action\":\"deliver\","
        "\"would\":\"deliver\"},\"lines\":[],\"findings\":[{\"standard\":\"dmarc\",\"subject\":\"%s\",\"result\":"
        "\"%s\",\"org\":\"%s\",\"applied\":\"%s\"%s}%s]}",
        day, random_draw(10), i, random_draw(8) ? "internet" : "relay", client, domain, domain, result, domain,
        applied[random_draw(4)], authors[random_draw(5)], dkim);
}

/* All of one domain's mails into the ledger, and mail by mail through the history. Forged ones within the window. */
static int64_t by_mail(const char *domain, const struct policy *p, unsigned longest)
{
    struct record all[WORLD_MAILS];
    struct mail_history *h = mail_history_new(a);
    int64_t stopped = 0;
    assert_non_null(h);
    assert_int_equal(store_begin(s), STATUS_OK);
    for (unsigned i = 0; i < WORLD_MAILS; i++) {
        char text[2048], why[200];
        generated(text, sizeof text, domain, i, longest);
        if (record_parse(slice_str(text), &all[i], why) != STATUS_OK)
            fail_msg("%s: %s", why, text);
        assert_int_equal(ingest_record(s, t, &all[i], slice_str(text)), STATUS_OK);
        mail_history_add(h, &all[i]);
    }
    assert_int_equal(aggregate_flush(t, s), STATUS_OK);
    assert_int_equal(store_commit(s), STATUS_OK);
    for (unsigned i = 0; i < WORLD_MAILS; i++) {
        stopped += timestamp_day(all[i].t) > TODAY - WINDOW && mail_history_is_stopped(h, p, &all[i]);
        record_free(&all[i]);
    }
    mail_history_free(h);
    return stopped;
}

/* Some worlds have mail of ten days, some of ninety-nine: days before the window count as steady, those before the
 * ninety do not. */
static void totals_come_to_what_each_mail_comes_to(void **state)
{
    (void)state;
    struct policy_report *report = policy_report_new();
    struct policy *p = policy_load_text(slice_str("record dmarc of everyone\n"), "policy", report);
    int64_t expected[WORLDS], forged = 0;
    unsigned none = 0;
    assert_non_null(p);
    for (unsigned i = 0; i < WORLDS; i++) {
        char domain[32];
        snprintf(domain, sizeof domain, "w%u.example", i);
        expected[i] = by_mail(domain, p, i % 3 == 0 ? KNOWN_LONGEST : i % 3 == 1 ? 10 : 99);
        forged += expected[i];
        none += expected[i] == 0;
    }
    organisations_free(&found);
    assert_int_equal(organisations_ask(s, a, TODAY - WINDOW + 1, TODAY, &found), STATUS_OK);
    assert_true(found.count > WORLDS / 2);
    for (size_t i = 0; i < found.count; i++) {
        unsigned world = (unsigned)strtoul(found.all[i].name + 1, NULL, 10);
        if (found.all[i].stopped != expected[world])
            fail_msg("%s: %lld by the totals, %lld mail by mail", found.all[i].name, (long long)found.all[i].stopped,
                     (long long)expected[world]);
    }
    /* Both answers were drawn. */
    assert_true(forged > 20 && none > 5);
    policy_unref(p);
    policy_report_free(report);
}

static int hundreds_of_instructions;

static int count_instructions(void *unused)
{
    (void)unused;
    hundreds_of_instructions++;
    return 0;
}

/* What the question costs where so many organisations had forged mail each day of a month. */
static int cost_of_asking(int organisations)
{
    assert_int_equal(store_run(s, NULL, "DELETE FROM org_day", ""), STATUS_OK);
    assert_int_equal(store_run(s, NULL, "DELETE FROM org_failed_day", ""), STATUS_OK);
#define EACH_DAY                                                                                                       \
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $1 * 30 - 1), d(day, org) AS (SELECT "   \
    "$2 - i / $1, 'o' || (i % $1) || '.example' FROM n) "
    assert_int_equal(store_run(s, NULL,
                               EACH_DAY "INSERT INTO org_day (day, org, asked, mails, met, explained, untested) "
                                        "SELECT day, org, 'dmarc', 9, 0, 0, 0 FROM d",
                               "ii", (int64_t)organisations, (int64_t)TODAY),
                     STATUS_OK);
    assert_int_equal(store_run(s, NULL,
                               EACH_DAY
                               ", w(standard) AS (SELECT 'signed' UNION ALL SELECT '' UNION ALL SELECT 'dmarc') "
                               "INSERT INTO org_failed_day (day, org, net, standard, count, strict) SELECT "
                               "day, org, '192.0.2.0/24', standard, 9, 9 FROM d CROSS JOIN w",
                               "ii", (int64_t)organisations, (int64_t)TODAY),
                     STATUS_OK);
    organisations_free(&found);
    arena_reset(a);
    hundreds_of_instructions = 0;
    sqlite3_progress_handler(store_sqlite_handle(s), 100, count_instructions, NULL);
    assert_int_equal(organisations_ask(s, a, TODAY - 29, TODAY, &found), STATUS_OK);
    sqlite3_progress_handler(store_sqlite_handle(s), 0, NULL, NULL);
    assert_int_equal(found.count, organisations);
    return hundreds_of_instructions;
}

/* With ten times the organisations the question may take some ten times as long, not a hundred times: meanwhile the
 * file keeps all that is written to it. */
static void the_question_grows_with_what_is_there(void **state)
{
    (void)state;
    if (where.where != where.file)
        skip();
    int few = cost_of_asking(50), many = cost_of_asking(500);
    assert_in_range(many, few * 8, few * 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ninety_five_of_a_hundred_is_enough, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_standard_in_one_mail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(four_mails_say_nothing_and_subdomains_are_one_organisation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exempted_is_explained_and_untested_is_neither, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_passes_is_not_excused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgery_that_was_stopped_is_nobodys_debt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_question_grows_with_what_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(totals_come_to_what_each_mail_comes_to, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
