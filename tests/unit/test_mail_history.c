// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_mail_history.c - passes of many domains are all counted, however often the table of places grows.
 */
#include "cm.h"
#include "base/buf.h"
#include "base/clock.h"
#include "cli/mail_history.h"
#include "ledger/stopped.h"
#include <stdio.h>
#include <time.h>

#define DOMAINS 1200

/* One mail in the name of domain number n: from its own network, or, failed, from elsewhere. */
static void with_mail(unsigned n, const char *client, const char *result,
                      void (*do_it)(void *context, const struct record *r), void *context)
{
    char line[900], now[CLOCK_TEXT], why[160];
    struct record r;
    clock_utc_text(time(NULL) - 3600, now);
    snprintf(
        line, sizeof line,
        "{\"v\":1,\"t\":\"%.19s.000000Z\",\"host\":\"mx1.example.org\",\"kind\":\"mail\",\"id\":\"4B%u\",\"source\":"
        "\"internet\",\"client\":\"%s\",\"helo\":\"h.example\",\"mail_from\":\"d%u.example\",\"from\":\"d%u.example\","
        "\"rcpts\":1,\"policy\":\"1a2b3c4d\",\"verdict\":{\"action\":\"deliver\",\"would\":\"deliver\"},\"lines\":[],"
        "\"findings\":[{\"standard\":\"dmarc\",\"subject\":\"d%u.example\",\"result\":\"%s\",\"applied\":\"none\"}]}",
        now, n, client, n, n, n, result);
    assert_int_equal(record_parse(slice_str(line), &r, why), STATUS_OK);
    do_it(context, &r);
    record_free(&r);
}

static void history_add(void *context, const struct record *r)
{
    mail_history_add(context, r);
}

struct question {
    struct mail_history *h;
    const struct policy *p;
    bool stopped;
};

static void history_ask(void *context, const struct record *r)
{
    struct question *q = context;
    q->stopped = mail_history_is_stopped(q->h, q->p, r);
}

/* Each domain passes just as often as it must, so that what is forged in its name is known as that. `before`: places
 * that are made first, so that the table grows at either place of a domain. */
static void no_pass_is_lost(unsigned before)
{
    struct arena *a = arena_new((size_t)16 << 20);
    struct policy *p = policy_load_text(slice_str("follow dmarc of everyone\n"), "test", NULL);
    struct mail_history *h = mail_history_new(a);
    char client[40];
    assert_non_null(h);
    assert_non_null(p);
    for (unsigned i = 0; i < before; i++)
        with_mail(DOMAINS, "192.0.2.7", "fail", history_add, h);
    for (unsigned n = 0; n < DOMAINS; n++)
        for (unsigned i = 0; i < STOPPED_PASSES; i++) {
            snprintf(client, sizeof client, "10.%u.%u.1", n / 250, n % 250);
            with_mail(n, client, "pass", history_add, h);
        }
    for (unsigned n = 0; n < DOMAINS; n++) {
        struct question q = {.h = h, .p = p};
        with_mail(n, "203.0.113.9", "fail", history_ask, &q);
        if (!q.stopped)
            fail_msg("a pass of d%u.example was lost", n);
    }
    mail_history_free(h);
    policy_unref(p);
    arena_free(a);
}

static void passes_are_all_counted(void **state)
{
    no_pass_is_lost(0);
    no_pass_is_lost(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(passes_are_all_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
