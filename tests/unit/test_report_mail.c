// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_report_mail.c - which mails are DMARC reports (RFC 9990 3.5.1, 3.5.2; RFC 7489 7.2.1.1; RFC 2047; RFC 3834).
 */
#include "tests/unit/cm.h"

#include "base/arena.h"
#include "judge/report_mail.h"
#include <string.h>

static void subjects(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "Report Domain: example.org Submitter: a.example Report-ID: <1@a.example>",
        "Report domain: example.org Submitter: google.com Report-ID: 1234",
        "[Preview] Report Domain: example.org Submitter: b.example Report-ID: 1",
        "Report  Domain:  example.org",
        "Report Domain : example.org",
        "REPORT DOMAIN: EXAMPLE.ORG",
        "Dmarc Aggregate Report Domain: {example.org} Submitter: {amazonses.com} Date: {2026-11-20}",
        "Report\r\n Domain: example.org\r\n Submitter: a.example",
        "=?utf-8?Q?Report_Domain=3A_example=2Eorg?= Submitter: x",
        "=?UTF-8?B?UmVwb3J0IERvbWFpbjogZXhhbXBsZS5vcmc=?=",
        "=?utf-8?q?Report_Dom?= =?utf-8?q?ain:_example.org?=",
        "DMARC aggregate report for example.org",
        "REPORT DOMAIN: EXAMPLE.ORG SUBMITTER: A.EXAMPLE REPORT-ID: <1@a.example>",
        "Report\tDomain:\texample.org",
        "Report Domain:example.org",
        "Report Domain : example.org",
        "Fwd: Report Domain: example.org Submitter: a.example",
        "Re: [dmarc] Report domain: example.org",
        "[Preview] Report Domain: example.org Submitter: enterprise.example Report-ID: 1",
        "=?iso-8859-1?Q?Report_Domain:_example.org?=",
        "=?US-ASCII?B?UmVwb3J0IERvbWFpbjogZXhhbXBsZS5vcmc=?=",
        "Dmarc Aggregate Report Domain: {example.org} Submitter: {a.example} Date: {2026-11-20} Report-ID: {1}",
        "DMARC Aggregate Report for example.org from a.example",
    };
    static const char *const no[] = {"",
                                     "Report",
                                     "Report Domains of last week",
                                     "Quarterly report",
                                     "=?utf-8?Q?Report_Domain",
                                     "=?utf-8?X?Report?=",
                                     "Domain report: example.org",
                                     "Annual report, domain of finance",
                                     "Reporting a domain: example.org",
                                     "Your report on the domain example.org",
                                     "=?utf-8?B?####?=",
                                     "Delivery report",
                                     "Our DMARC project"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!report_mail_subject(slice_str(yes[i])))
            fail_msg("no report: %s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (report_mail_subject(slice_str(no[i])))
            fail_msg("a report: %s", no[i]);
}

static bool is_report(const char *header, bool null_sender, const char *rcpt)
{
    struct arena *a = arena_new(1 << 20);
    struct judge_mail m = {.null_sender = null_sender};
    struct mail_rcpt to = {.address = rcpt};
    struct slice body;
    header_list_init(&m.headers, a);
    assert_int_equal(header_parse_message(&m.headers, slice_str(header), &body), STATUS_OK);
    if (rcpt) {
        m.rcpts = &to;
        m.rcpt_count = 1;
    }
    bool yes = mail_is_dmarc_report(&m);
    arena_free(a);
    return yes;
}

/* Two signs of four; a subject alone, which anyone can write, is one. */
static void two_signs(void **state)
{
    (void)state;
    static const char subject[] = "Subject: Report domain: example.org Submitter: a.example\r\n\r\n";
    assert_false(is_report(subject, false, "bob@example.org"));
    assert_true(is_report(subject, true, "bob@example.org"));
    /* Tells whether a recipient is there for reports is told by published records, never guessed from its name. */
    assert_false(is_report(subject, false, "dmarc-reports@example.org"));
    assert_true(
        is_report("Auto-Submitted: auto-generated\r\nSubject: Report Domain: example.org\r\n\r\n", false, NULL));
    assert_false(is_report("Auto-Submitted: no\r\nSubject: Report Domain: example.org\r\n\r\n", false, NULL));
    assert_true(is_report("Subject: Report Domain: example.org\r\nContent-Type: application/gzip;\r\n "
                          "name=\"a.example!example.org!1!2.xml.gz\"\r\n\r\n",
                          false, NULL));
    assert_true(is_report("Subject: x\r\nAuto-Submitted: auto-generated\r\nContent-Disposition: attachment; "
                          "filename=a.example!example.org!1!2!u.zip\r\n\r\n",
                          false, NULL));
    assert_false(is_report("Subject: x\r\nContent-Type: application/zip; name=a!b!c!d.zip\r\n\r\n", false, NULL));
    assert_false(is_report("Subject: x\r\nAuto-Submitted: auto-replied\r\n\r\n", true, "dmarc@example.org"));
    /* RFC 5965: a failure report says so by its type. */
    assert_true(is_report("Content-Type: multipart/report; report-type=feedback-report\r\n\r\n", false, NULL));
}

/* The same mails as the large senders send them: the report is a part of the body (RFC 9990 3.5.2). */
static bool with_body(const char *header, const char *body, bool null_sender, bool to_rua)
{
    struct arena *a = arena_new(1 << 20);
    struct judge_mail m = {.null_sender = null_sender, .to_rua = to_rua, .body_head = slice_str(body)};
    header_list_init(&m.headers, a);
    assert_int_equal(header_parse_message(&m.headers, slice_str(header), NULL), STATUS_OK);
    bool yes = mail_is_dmarc_report(&m);
    assert_true(!yes || report_mail_may_be(&m)); /* what may be none is not looked at */
    arena_free(a);
    return yes;
}

static void parts_of_the_body(void **state)
{
    (void)state;
    static const char subject[] =
        "Subject: Report domain: example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
                      none[] = "Subject: hello\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
                      automatic[] = "Subject: hello\r\nContent-Type: multipart/mixed; boundary=b\r\n"
                                    "Auto-Submitted: auto-generated\r\n\r\n";
    static const char *const reports[] = {
        "--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nContent-Type: application/gzip\r\nContent-Disposition: "
        "attachment;\r\n filename=\"a.example!example.org!1!2.xml.gz\"\r\n\r\n",
        "--b\ncontent-type: application/zip; name=a.example!example.org!1!2!u.zip\n\n",
        "--b\nContent-Disposition: attachment; filename*=UTF-8''a.example%21example.org%211%212.xml.gz\n\n",
        "--b\nContent-Disposition: "
        "attachment;\n\tfilename*0=\"a.example!example.org!\";\n\tfilename*1=\"1!2.xml.gz\"\n\n",
        "--b\nContent-Type: application/gzip; name=\"=?utf-8?Q?a.example=21example.org=211=212.xml.gz?=\"\n\n",
        "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: auth-failure\n",
    };
    static const char *const others[] = {
        "--b\nContent-Type: application/gzip; name=photos.gz\n\n",
        "--b\nContent-Type: text/plain\n\nWow!!! Look: photos.zip\n",
        "X-Content-Type: application/zip; name=a!b!c!d.zip\n",
        "Content-Disposition",
        "Content-Disposition:",
        "",
    };
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
        if (!with_body(subject, reports[i], false, false) || !with_body(automatic, reports[i], false, false) ||
            !with_body(none, reports[i], true, false))
            fail_msg("no report: %s", reports[i]);
        assert_false(with_body(none, reports[i], false, false)); /* one sign */
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (with_body(subject, others[i], false, false) || with_body(automatic, others[i], false, false))
            fail_msg("a report: %s", others[i]);
    assert_true(with_body(subject, "", false, true));
    assert_true(with_body(automatic, "", false, true));
    assert_true(with_body(subject, "", true, false));
}

/* The recipient by the rua tag of a published record (RFC 9990 3.4). */
static void published_rua(void **state)
{
    (void)state;
    static const struct {
        const char *record, *rcpt;
        bool named;
    } t[] = {
        {"v=DMARC1; p=none; rua=mailto:d@example.org", "d@example.org", true},
        {"v=DMARC1; p=none; rua=mailto:x@example.net , MAILTO:d%2Bx@EXAMPLE.org!10m; fo=1", "D+X@example.org", true},
        {"v=DMARC1; p=none; ruf=mailto:d@example.org", "d@example.org", true},
        {"v=DMARC1; p=none; rua=mailto:d@example.org", "bob@example.org", false},
        {"v=DMARC1; p=none; rua=mailto:d@example.org", "d@example.org.example.net", false},
        {"v=spf1; rua=mailto:d@example.org", "d@example.org", false},
        {"rua=mailto:d@example.org; v=DMARC1", "d@example.org", false},
        {"v=DMARC1; xrua=mailto:d@example.org", "d@example.org", false},
        {"v=DMARC1; rua=https:d@example.org", "d@example.org", false},
        {"v=DMARC1; rua=", "", false},
        {"v=DMARC1; rua=mailto:", "", false},
        {"v=DMARC1; rua=mailto:%", "%", true},
        {"", "d@example.org", false},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct mail_rcpt to = {.address = t[i].rcpt};
        struct judge_mail m = {.rcpts = &to, .rcpt_count = 1};
        if (report_mail_names_rcpt(&m, slice_str(t[i].record)) != t[i].named)
            fail_msg("%s: %s", t[i].record, t[i].rcpt);
    }
}

/* Where that record is: of the domain that the subject names, and of the recipients'. */
static void records(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 20);
    struct mail_rcpt to[] = {
        {"d@collector.example", "collector.example"}, {"e@collector.example", "collector.example"}, {"f", NULL}};
    struct judge_mail m = {.rcpts = to, .rcpt_count = 3};
    struct report_mail_names n;
    header_list_init(&m.headers, a);
    assert_int_equal(
        header_parse_message(&m.headers, SLICE_LIT("Subject: [x] Report Domain: {Example.ORG} Submitter: y\n\n"), NULL),
        STATUS_OK);
    report_mail_records(&m, a, &n);
    assert_int_equal(n.count, 2);
    assert_string_equal(n.name[0], "_dmarc.example.org");
    assert_string_equal(n.name[1], "_dmarc.collector.example");
    header_list_init(&m.headers, a);
    assert_int_equal(header_parse_message(&m.headers, SLICE_LIT("Subject: hello\n\n"), NULL), STATUS_OK);
    report_mail_records(&m, a, &n);
    assert_int_equal(n.count, 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(subjects), cmocka_unit_test(two_signs),
                                       cmocka_unit_test(parts_of_the_body), cmocka_unit_test(published_rua),
                                       cmocka_unit_test(records)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
