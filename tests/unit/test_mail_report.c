// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_mail_report.c - which mails are DMARC reports (RFC 9990 3.5.1, 3.5.2; RFC 7489 7.2.1.1; RFC 2047; RFC 3834).
 */
#include "tests/unit/cm.h"

#include "base/arena.h"
#include "judge/mail_report.h"
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
    };
    static const char *const no[] = {"",
                                     "Report",
                                     "Report Domains of last week",
                                     "Quarterly report",
                                     "=?utf-8?Q?Report_Domain",
                                     "=?utf-8?X?Report?=",
                                     "Our DMARC project"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!mail_report_subject(slice_str(yes[i])))
            fail_msg("no report: %s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (mail_report_subject(slice_str(no[i])))
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
    assert_true(is_report(subject, false, "dmarc-reports@example.org"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(subjects), cmocka_unit_test(two_signs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
