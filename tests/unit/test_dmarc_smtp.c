// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dmarc_smtp.c - what report.smtp may say, and servers that say nothing. The talk with a real server is
 * tests/system/ledger/smtp.py.
 */
#include "base/clock.h"
#include "feedback/dmarc_smtp.h"
#include "tests/unit/cm.h"
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void usable(void **state)
{
    static const struct {
        const char *url, *login;
        bool opportunistic, fits;
    } cases[] = {
        {"smtp://mail.example.org", "", false, true},
        {"smtp://mail.example.org:587", "/etc/assay/login", false, true},
        {"smtps://mail.example.org", "/etc/assay/login", false, true},
        {"smtp://[::1]:25", "", true, true},
        {"smtp://127.0.0.1", "", true, true},
        {"smtp://mail.example.org", "/etc/assay/login", true, false}, /* a password in the clear */
        {"smtp://", "", false, false},
        {"smtp://:25", "", false, false},
        {"smtp://a@mail.example.org", "", false, false},
        {"smtp://mail.example.org/name", "", false, false},
        {"smtp://mail.example.org?x", "", false, false},
        {"http://mail.example.org", "", false, false},
        {"file:///etc/passwd", "", false, false},
        {"mail.example.org", "", false, false},
        {"", "", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = NULL;
        struct dmarc_smtp s = {
            .url = cases[i].url, .login = cases[i].login, .opportunistic = cases[i].opportunistic, .ca_file = ""};
        bool fits = dmarc_smtp_is_usable(&s, &why);
        if (fits != cases[i].fits)
            fail_msg("%s: %d, %s", cases[i].url, fits, why ? why : "");
        assert_int_equal(why == NULL, fits);
        if (!fits) {
            char words[200];
            assert_int_equal(dmarc_smtp(&s, "a@b.example", slice_str("x\n"), 1, NULL, words), STATUS_INVALID);
            assert_string_equal(words, why);
        }
    }
}

static bool told_to_stop(void)
{
    return true;
}

/* A server that takes the connection and says nothing: the time ends it, and so does a program that is to end. */
static void silent(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char url[64], why[200] = "";
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    snprintf(url, sizeof url, "smtp://127.0.0.1:%d", ntohs(at.sin_port));
    struct dmarc_smtp s = {.url = url, .login = "", .opportunistic = true, .ca_file = ""};
    int64_t begun = clock_mono_ms();
    assert_int_equal(dmarc_smtp(&s, "a@b.example", slice_str("Subject: x\n\n"), 1, NULL, why), STATUS_AGAIN);
    assert_true(clock_mono_ms() - begun < 10000);
    assert_non_null(strstr(why, "127.0.0.1"));
    begun = clock_mono_ms();
    assert_int_equal(dmarc_smtp(&s, "a@b.example", slice_str("Subject: x\n\n"), 120, told_to_stop, why), STATUS_AGAIN);
    assert_in_range(clock_mono_ms() - begun, DMARC_SMTP_STOP_MS, 60000);
    close(fd);
    assert_int_equal(dmarc_smtp(&s, "a@b.example", slice_str("Subject: x\n\n"), 1, NULL, why), STATUS_AGAIN);
    assert_true(why[0] && strlen(why) < 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(usable), cmocka_unit_test(silent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
