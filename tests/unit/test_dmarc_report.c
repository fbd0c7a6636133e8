// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dmarc_report.c - one DMARC report: names by RFC 9990's grammar, what is left out when it grows too large, the
 * same octets each time, consent of destinations (RFC 9990 section 4).
 */
#include "tests/unit/cm.h"

#include "base/arena.h"
#include "base/clock.h"
#include "dns/dns_replay.h"
#include "feedback/dmarc_failure.h"
#include "feedback/dmarc_report.h"
#include "feedback/dmarc_rua.h"
#include "feedback/dmarc_send.h"
#include "feedback/report_in.h"
#include "tests/unit/report_seen.h"
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define ROWS 20000

static struct dmarc_row rows[ROWS];
static char addresses[ROWS][24], signatures[ROWS][60];

static struct dmarc_report report_of(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        snprintf(addresses[i], sizeof addresses[i], "192.%zu.%zu.%zu", i % 250, i / 250 % 250, i % 241);
        snprintf(signatures[i], sizeof signatures[i], "example.net/s%zu/pass", i * 7919 % 100003);
        rows[i] = (struct dmarc_row){.column = {[DMARC_ROW_SOURCE_IP] = addresses[i],
                                                [DMARC_ROW_HEADER_FROM] = "example.net",
                                                [DMARC_ROW_DISPOSITION] = "none",
                                                [DMARC_ROW_DKIM] = "pass",
                                                [DMARC_ROW_SPF] = "fail",
                                                [DMARC_ROW_SIGNATURES] = signatures[i]},
                                     .count = (int64_t)(n - i)};
    }
    return (struct dmarc_report){.day = 20776,
                                 .domain = "example.net",
                                 .published = "{\"p\":\"none\"}",
                                 .from = "d@mx.example.org",
                                 .org = "",
                                 .contact = "c@example.org",
                                 .extra = "",
                                 .rows = rows,
                                 .row_count = n};
}

static void names(void **state)
{
    (void)state;
    char out[DMARC_NAME_MAX];
    struct dmarc_report r = report_of(1);
    dmarc_report_id(&r, out);
    assert_string_equal(out, "2026-11-19.example.net@mx.example.org");
    dmarc_report_file(&r, out);
    assert_string_equal(out, "mx.example.org!example.net!1795046400!1795132799.xml.gz");
    assert_string_equal(dmarc_domain_of("a@b"), "b");
    assert_string_equal(dmarc_domain_of("ab"), "");
}

static void same_each_time(void **state)
{
    (void)state;
    struct dmarc_report r = report_of(50);
    struct buf a = BUF_INIT, b = BUF_INIT;
    size_t n;
    assert_int_equal(dmarc_report_gzip(&r, DMARC_RFC9990, 1 << 20, &a, &n), STATUS_OK);
    assert_int_equal(n, 50);
    sleep(1);
    assert_int_equal(dmarc_report_gzip(&r, DMARC_RFC9990, 1 << 20, &b, &n), STATUS_OK);
    assert_true(slice_eq(buf_slice(&a), buf_slice(&b)));
    buf_release(&a);
    buf_release(&b);
}

static void cut_to_size(void **state)
{
    (void)state;
    struct dmarc_report r = report_of(ROWS);
    struct buf gzip = BUF_INIT, text = BUF_INIT, mail = BUF_INIT;
    size_t n;
    char why[200];
    r.rows_left_out = 5;
    assert_int_equal(dmarc_report_gzip(&r, DMARC_RFC9990, 65536, &gzip, &n), STATUS_OK);
    assert_true(n > 100 && n < ROWS);
    assert_int_equal(dmarc_report_mail(&r, "x@y.example", buf_slice(&gzip), &mail), STATUS_OK);
    assert_true(mail.n <= 65536);
    assert_true(mail.n > 40000);
    /* Who gets it reads what it is, why it came, and how to stop it. */
    static const char *const words[] = {"lists which servers sent mail", "no text of any mail",
                                        "in rua=", "To get no more reports"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_non_null(strstr(mail.p, words[i]));
    assert_int_equal(report_first(buf_slice(&gzip), &text, why), STATUS_OK);
    char says[100];
    snprintf(says, sizeof says, "<error>records with the lowest counts that were left out for size: %zu</error>",
             ROWS - n + 5);
    assert_non_null(strstr(text.p, says));
    assert_non_null(strstr(text.p, "<count>20000</count>")); /* the highest counts stay */
    assert_null(strstr(text.p, "<count>1</count>"));
    struct arena *a = arena_new(1 << 26);
    struct report_in in;
    assert_int_equal(report_in_parse(a, buf_slice(&text), NULL, &in, why), STATUS_OK);
    assert_int_equal(in.row_count, n);
    arena_free(a);
    buf_release(&gzip);
    buf_release(&text);
    buf_release(&mail);
}

static bool add_piece(void *xml, struct slice piece)
{
    buf_add(xml, piece.p, piece.n);
    return true;
}

static void rows_that_are_none(void **state)
{
    (void)state;
    struct dmarc_report r = report_of(3);
    struct buf b = BUF_INIT;
    const struct dmarc_xml_taker to = {add_piece, &b};
    rows[0].column[DMARC_ROW_SOURCE_IP] = "";
    rows[1].column[DMARC_ROW_HEADER_FROM] = NULL;
    assert_int_equal(dmarc_report_xml(&r, DMARC_RFC9990, 3, &to), STATUS_OK);
    assert_true(buf_slice(&b).n > 0);
    buf_reset(&b);
    rows[2].column[DMARC_ROW_SOURCE_IP] = NULL;
    assert_int_equal(dmarc_report_xml(&r, DMARC_RFC9990, 3, &to), STATUS_INVALID);
    buf_release(&b);
}

/* ---- consent ---- */

static const char zone[] = "a.example._report._dmarc.yes.example TXT \"v=DMARC1\"\n"
                           "a.example._report._dmarc.semi.example TXT \"v = DMARC1 ; x=y\"\n"
                           "a.example._report._dmarc.case.example TXT \"v=dmarc1\"\n"
                           "a.example._report._dmarc.more.example TXT \"v=DMARC12\"\n"
                           "a.example._report._dmarc.second.example TXT \"x=1; v=DMARC1\"\n"
                           "a.example._report._dmarc.other.example TXT \"v=DMARC1; rua=mailto:r@other.example\"\n"
                           "a.example._report._dmarc.away.example TXT \"v=DMARC1; rua=mailto:r@elsewhere.example\"\n"
                           "a.example._report._dmarc.bad.example TXT \"v=DMARC1; rua=https://bad.example\"\n"
                           "a.example._report._dmarc.two.example TXT \"v=spf1 -all\"\n"
                           "a.example._report._dmarc.two.example TXT \"v=DMARC1\"\n"
                           "a.example._report._dmarc.slow.example timeout TXT\n"
                           "a.example._report._dmarc.bogus.example bogus \"expired\" TXT\n";

static void consent(void **state)
{
    (void)state;
    static const struct {
        const char *domain, *org, *address;
        enum dmarc_rua_wanted wanted;
        const char *becomes;
    } t[] = {
        {"a.example", "a.example", "d@a.example", DMARC_WANTED, "d@a.example"},
        {"a.example", "a.example", "d@sub.a.example", DMARC_WANTED, "d@sub.a.example"},
        {"sub.a.example", "a.example", "d@other.a.example", DMARC_WANTED, "d@other.a.example"},
        {"a.example", "a.example", "d@yes.example", DMARC_WANTED, "d@yes.example"},
        {"a.example", "a.example", "d@semi.example", DMARC_WANTED, "d@semi.example"},
        {"a.example", "a.example", "d@case.example", DMARC_UNWANTED, NULL},
        {"a.example", "a.example", "d@more.example", DMARC_UNWANTED, NULL},
        {"a.example", "a.example", "d@second.example", DMARC_UNWANTED, NULL},
        {"a.example", "a.example", "d@other.example", DMARC_WANTED, "r@other.example"},
        {"a.example", "a.example", "d@away.example", DMARC_UNWANTED, NULL},
        {"a.example", "a.example", "d@bad.example", DMARC_UNWANTED, NULL},
        {"a.example", "a.example", "d@two.example", DMARC_WANTED, "d@two.example"},
        {"a.example", "a.example", "d@none.example", DMARC_UNWANTED, NULL},
        {"a.example", "a.example", "d@xa.example", DMARC_UNWANTED, NULL},
        {"a.example", "a.example", "d@slow.example", DMARC_ASK_LATER, NULL},
        {"a.example", "a.example", "d@bogus.example", DMARC_UNWANTED, NULL},
        /* The record stands at a public suffix, above the organisation: only its very own host is internal. */
        {"example", "a.example", "d@b.example", DMARC_UNWANTED, NULL},
        {"example", "a.example", "d@example", DMARC_WANTED, "d@example"},
    };
    char path[] = "/tmp/assay-consent-XXXXXX", *error = NULL, long_name[300];
    int fd = mkstemp(path);
    assert_int_equal(write(fd, zone, sizeof zone - 1), sizeof zone - 1);
    close(fd);
    struct dns *dns = dns_replay_new(path, &error);
    if (!dns)
        fail_msg("%s", error);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct arena *a = arena_new(1 << 20);
        struct dns_scope *s = dns_scope_new(dns, a, NULL);
        const char *address = t[i].address, *why = NULL;
        enum dmarc_rua_wanted w = dmarc_rua_check(s, a, t[i].domain, t[i].org, &address, &why);
        if (w != t[i].wanted || !why || (t[i].becomes && strcmp(address, t[i].becomes) != 0))
            fail_msg("%s -> %s: %d (%s), address %s", t[i].domain, t[i].address, w, why, address);
        dns_scope_free(s);
        arena_free(a);
    }
    struct arena *a = arena_new(1 << 20);
    struct dns_scope *s = dns_scope_new(dns, a, NULL);
    memset(long_name, 'x', sizeof long_name);
    for (size_t i = 50; i < 250; i += 50)
        long_name[i] = '.';
    snprintf(long_name + 239, 20, ".yes.example");
    const char *address = "d@yes.example", *why = NULL;
    assert_int_equal(dmarc_rua_check(s, a, long_name, long_name, &address, &why), DMARC_UNWANTED);
    assert_non_null(strstr(why, "too long"));
    dns_scope_free(s);
    arena_free(a);
    dns_close(dns);
    unlink(path);
}

/* ---- the mail command ---- */

static void mail_command(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        enum status status;
        const char *says;
    } t[] = {
        {"/bin/cat", STATUS_OK, ""},
        {"true", STATUS_OK, ""},
        {"false", STATUS_AGAIN, "ended with 1"},
        {"/nonexistent/x -t", STATUS_INVALID, "No such file"},
        {"", STATUS_INVALID, "empty"},
        {"sleep 30", STATUS_AGAIN, "in time"},
        {"ls /nonexistent", STATUS_AGAIN, "nonexistent"},
        {"test 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 1 -a 0 = 1",
         STATUS_AGAIN, "ended with 1"}}; /* 42 words, of which the last decide */
    char why[200];
    struct buf big = BUF_INIT;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 30000; i++)
        buf_adds(&big, "a line of a mail that is longer than a pipe holds\n");
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        enum status st = dmarc_send(t[i].command, buf_slice(&big), 2, NULL, why);
        if (st != t[i].status || !strstr(why, t[i].says))
            fail_msg("%s: %s, '%s'", t[i].command, status_text(st), why);
    }
    buf_release(&big);
}

static bool told_to_stop(void)
{
    return true;
}

static void a_command_that_hangs_while_we_are_to_end(void **state)
{
    (void)state;
    char why[200];
    int64_t began = clock_mono_ms();
    assert_int_equal(dmarc_send("sleep 60", slice_str("x\n"), 60, told_to_stop, why), STATUS_AGAIN);
    assert_in_range(clock_mono_ms() - began, DMARC_SEND_STOP_MS, 30000);
    assert_int_equal(dmarc_send("true", slice_str("x\n"), 60, told_to_stop, why), STATUS_OK);
}

/* Whoever gets a failure report need not know its fields: what happened, what we did, what to do, why it came. */
static void words_of_a_failure(void **state)
{
    static const struct {
        const char *dkim, *spf, *action, *says[3];
    } t[] = {
        {"false", "false", "reject", {"DMARC failed: neither a DKIM signature nor SPF", "We refused the mail.", ""}},
        {"false", "true", "deliver", {"DMARC passed by SPF, but no DKIM signature", "We accepted the mail.", ""}},
        {"true", "false", "quarantine", {"DMARC passed by a DKIM signature, but SPF", "marked it as junk", ""}},
        {"true", "true", "hold", {"DMARC passed, but one of the DKIM signatures failed", "hold it until", ""}}};
    static const char *const always[] = {
        "This is a DMARC failure report (RFC 9991) about one mail that said it came\n"
        "from news.example.net, received at example.org\nfrom the server 192.0.2.66.\n",
        "If the server 192.0.2.66 sends mail for you, let it sign with DKIM\nas "
        "news.example.net,",
        "somebody else used your name", "_dmarc.example.net\nnames this address in ruf=", "Questions: c@example.org\n"};
    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct buf line = BUF_INIT, mail = BUF_INIT;
        struct record r;
        char why[200];
        buf_printf(
            &line,
            "{\"v\":1,\"t\":\"2026-11-20T10:00:00Z\",\"host\":\"mx1\",\"kind\":\"mail\",\"source\":\"internet\","
            "\"client\":\"192.0.2.66\",\"mail_from\":\"x.example\",\"from\":\"news.example.net\",\"verdict\":"
            "{\"action\":\"%s\"},\"findings\":[{\"standard\":\"dmarc\",\"result\":\"%s\",\"record\":\"example.net\","
            "\"dkim_aligned\":%s,\"spf_aligned\":%s}]}",
            t[i].action, i ? "pass" : "fail", t[i].dkim, t[i].spf);
        assert_int_equal(record_parse(buf_slice(&line), &r, why), STATUS_OK);
        assert_int_equal(dmarc_failure_mail(&r, "a@example.org", "c@example.org", "r@example.net", "id", &mail),
                         STATUS_OK);
        const char *end = strstr(mail.p, "message/feedback-report");
        assert_non_null(end);
        mail.p[end - mail.p] = '\0'; /* only the words */
        for (size_t k = 0; k < 3; k++)
            if (!strstr(mail.p, t[i].says[k]))
                fail_msg("'%s' is not in: %s", t[i].says[k], mail.p);
        for (size_t k = 0; k < sizeof always / sizeof *always; k++)
            if (!strstr(mail.p, always[k]))
                fail_msg("'%s' is not in: %s", always[k], mail.p);
        record_free(&r);
        buf_release(&line);
        buf_release(&mail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_a_failure), cmocka_unit_test(names),
        cmocka_unit_test(same_each_time),     cmocka_unit_test(cut_to_size),
        cmocka_unit_test(rows_that_are_none), cmocka_unit_test(consent),
        cmocka_unit_test(mail_command),       cmocka_unit_test(a_command_that_hangs_while_we_are_to_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
