// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_stopped.c - what is stopped forgery and what is unexplained, ground by ground.
 */
#include "cm.h"
#include "ledger/stopped.h"

#define FORGED .failed = true, .client_known = true

static const struct {
    const char *what;
    struct stopped_facts f;
    enum stopped is;
} rows[] = {
    {"it passes", {.failed = false, .own = true, .client_known = true}, STOPPED_NO},
    {"in our own name", {FORGED, .own = true}, STOPPED_FORGERY},
    {"the owner asks for reject or quarantine", {FORGED, .strict = true}, STOPPED_FORGERY},
    {"20 passes elsewhere", {FORGED, .passes = 20}, STOPPED_FORGERY},
    {"19 passes elsewhere, p=none", {FORGED, .passes = 19}, STOPPED_UNEXPLAINED},
    {"an aligned signature, broken, with a published key",
     {FORGED, .strict = true, .signed_by_domain = true},
     STOPPED_UNEXPLAINED},
    {"the domain has sent from there", {FORGED, .own = true, .passes = 50, .passes_here = 1}, STOPPED_UNEXPLAINED},
    {"two days from there", {FORGED, .strict = true, .days_here = 2}, STOPPED_FORGERY},
    {"three days from there: a new provider", {FORGED, .strict = true, .days_here = 3}, STOPPED_UNEXPLAINED},
    {"the client is not known", {.failed = true, .own = true, .strict = true}, STOPPED_UNEXPLAINED},
};

static void stopped_table(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (stopped_judge(&rows[i].f) != rows[i].is)
            fail_msg("%s: %d", rows[i].what, (int)stopped_judge(&rows[i].f));
}

/* Only where nothing but the number of passes is missing: any other doubt is the sender's to clear up. */
static void may_be_forged(void **state)
{
    static const struct {
        struct stopped_facts f;
        bool is;
    } cases[] = {
        {{FORGED}, true},
        {{FORGED, .passes = 19, .days_here = 2}, true},
        {{FORGED, .passes = 20}, false}, /* it is forged */
        {{FORGED, .strict = true}, false},
        {{FORGED, .own = true}, false},
        {{FORGED, .days_here = 3}, false},
        {{FORGED, .passes = 5, .passes_here = 1}, false},
        {{FORGED, .signed_by_domain = true}, false},
        {{.failed = true}, false}, /* from an unknown client */
        {{.client_known = true}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (stopped_may_be_forged(&cases[i].f) != cases[i].is)
            fail_msg("case %zu", i);
}

static void networks(void **state)
{
    struct ip a, b;
    assert_int_equal(ip_from_text(slice_str("192.0.2.7"), &a), STATUS_OK);
    assert_int_equal(ip_from_text(slice_str("192.0.2.200"), &b), STATUS_OK);
    struct ip_net net = stopped_network(&a);
    assert_true(ip_in_net(&b, &net));
    assert_int_equal(ip_from_text(slice_str("192.0.3.7"), &b), STATUS_OK);
    assert_false(ip_in_net(&b, &net));
    assert_int_equal(ip_from_text(slice_str("2001:db8:1::7"), &a), STATUS_OK);
    assert_int_equal(ip_from_text(slice_str("2001:db8:1:ffff::1"), &b), STATUS_OK);
    net = stopped_network(&a);
    assert_true(ip_in_net(&b, &net));
    assert_int_equal(net.bits, 48);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stopped_table), cmocka_unit_test(may_be_forged),
                                       cmocka_unit_test(networks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
