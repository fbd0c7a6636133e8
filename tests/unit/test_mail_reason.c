// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_mail_reason.c - the column Why: a mail that failed anything that was looked at is never called a pass, and what
 * was done is explained by the line that asked for it.
 */
#include "cli/ledger/mail_reason.h"
#include "tests/unit/cm.h"

#define MAIL(would, more)                                                                                              \
    "{\"v\":1,\"t\":\"2026-11-18T10:00:00Z\",\"kind\":\"mail\",\"verdict\":{\"action\":\"deliver\",\"would\":\"" would \
    "\"}," more "}"
#define SPF(result, reason)                                                                                            \
    "{\"standard\":\"spf\",\"result\":\"" result "\",\"action\":\"deliver\",\"reason\":\"" reason "\"}"
#define DMARC(result, action, reason)                                                                                  \
    "{\"standard\":\"dmarc\",\"result\":\"" result "\",\"action\":\"" action "\",\"reason\":\"" reason "\"}"
#define FOUND(standard, result) "{\"standard\":\"" standard "\",\"result\":\"" result "\"}"

static void the_worst_is_said(void **state)
{
    static const struct {
        const char *record, *why;
    } cases[] = {
        /* nothing is asked: what failed is said, wherever it stands */
        {MAIL("deliver",
              "\"lines\":[" SPF("pass", "pass") "," DMARC("fail", "deliver", "nothing aligned") "],\"findings\":[]"),
         "dmarc=fail: nothing aligned"},
        {MAIL("deliver",
              "\"lines\":[" SPF("pass", "pass") "],\"findings\":[" FOUND("spf", "pass") "," FOUND("dmarc", "fail") "]"),
         "dmarc=fail"},
        {MAIL("deliver",
              "\"findings\":[" FOUND("dmarc", "fail") "," FOUND("message-format", "fail") "," FOUND("spf", "fail") "]"),
         "message-format=fail"},
        /* the worse result comes before the heavier standard */
        {MAIL("deliver", "\"findings\":[" FOUND("dmarc", "temperror") "," FOUND("dkim", "permerror") "," FOUND(
                             "spf", "softfail") "]"),
         "dkim=permerror"},
        {MAIL("deliver", "\"findings\":[" FOUND("dmarc", "temperror") "," FOUND("spf", "softfail") "]"),
         "spf=softfail"},
        {MAIL("deliver", "\"findings\":[" FOUND("tls", "policy") "," FOUND("dmarc", "none") "]"), "tls=policy"},
        /* nothing failed */
        {MAIL("deliver", "\"lines\":[" SPF("neutral", "?all") "],\"findings\":[" FOUND("spf", "neutral") "," FOUND(
                             "dmarc", "pass") "]"),
         "dmarc=pass"},
        {MAIL("deliver", "\"findings\":[" FOUND("spf", "pass") "," FOUND("dmarc", "none") "]"), "dmarc=none"},
        {MAIL("deliver", "\"lines\":[" SPF("pass", "pass") "]"), "spf=pass"},
        {MAIL("deliver", "\"skipped\":\"submission\""), "not judged: submission"},
        {MAIL("deliver", "\"findings\":[]"), ""},
        /* something is asked: the line that asks for it, though another is worse */
        {MAIL("reject", "\"lines\":[" SPF("fail", "-all") "," DMARC("fail", "reject", "nothing aligned") "]"),
         "dmarc: nothing aligned"},
        {MAIL("tag", "\"lines\":[" DMARC("fail", "tag", "nothing aligned") "],\"findings\":[" FOUND("message-format",
                                                                                                    "fail") "]"),
         "dmarc: nothing aligned"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record r;
        struct buf b = BUF_INIT;
        assert_int_equal(record_parse(slice_str(cases[i].record), &r, NULL), STATUS_OK);
        mail_reason_add(&b, &r);
        assert_string_equal(b.p ? b.p : "", cases[i].why);
        buf_release(&b);
        record_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_worst_is_said)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
