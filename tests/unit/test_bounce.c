// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_bounce.c - the form of a notification: RFC 6522 3, RFC 2045 5.1. Any other Content-Type is not a notification.
 */
#include "judge/bounce.h"
#include "tests/unit/cm.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define DSN "Content-Type: multipart/report; report-type=delivery-status; boundary=x\n"

static const struct {
    const char *header;
    bool is;
} cases[] = {
    {DSN, true},
    {"content-type:MULTIPART/Report;REPORT-TYPE=Disposition-Notification\n", true},
    {"Content-Type: multipart/report;\n\tboundary=\"a;b\";\n report-type=\"delivery-status\"\n", true},
    {"Content-Type: multipart/report (bounce); boundary=x (y); report-type = delivery-status;\n", true},
    {"Subject: bounce\n", false},
    {"Content-Type: text/plain; report-type=delivery-status\n", false},
    {"Content-Type: multipart/mixed; report-type=delivery-status\n", false},
    {"Content-Type: multipart/report; boundary=x\n", false},
    {"Content-Type: multipart/report; report-type=feedback-report\n", false},
    {"Content-Type: multipart/report; x=\"; report-type=delivery-status\"\n", false},
    {"Content-Type: multipart/report (; report-type=delivery-status)\n", false},
    {"Content-Type: multipart/report; report-type=delivery-status; report-type=feedback-report\n", false},
    {"Content-Type: multipart/report; report-type=delivery-status junk\n", false},
    {"Content-Type: multipart/report report-type=delivery-status\n", false},
    {"X-Content-Type: multipart/report; report-type=delivery-status\n", false},
    {DSN DSN, false},
};

static void forms(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *a = arena_new(1 << 20);
        char text[1024];
        struct header_list list;
        header_list_init(&list, a);
        snprintf(text, sizeof text, "%s\n", cases[i].header);
        assert_int_equal(header_parse_message(&list, slice_str(text), NULL), STATUS_OK);
        if (bounce_is_notification(&list) != cases[i].is) {
            print_error("%s", cases[i].header);
            wrong++;
        }
        list.over_limit = true;
        assert_false(bounce_is_notification(&list));
        arena_free(a);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
