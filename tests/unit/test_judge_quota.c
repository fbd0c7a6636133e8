// SPDX-License-Identifier: BSD-2-Clause
/* A client network over its cap: its mail asks nobody any more; a relay and other networks go on. The source is made
 * here: it knows nothing at once. */
#include "tests/unit/cm.h"

#include "base/clock.h"
#include "dns/dns_source.h"
#include "judge/judge.h"

struct dns_flight {
    char unused;
};

struct made {
    struct dns base;
    unsigned asked;
};

static struct dns_result *made_ask(struct dns *source, const struct dns_question *q, struct dns_flight **flight)
{
    ((struct made *)source)->asked++;
    *flight = calloc(1, sizeof **flight);
    return NULL;
}

static struct dns_result *made_await(struct dns *source, struct dns_flight *f, int64_t until)
{
    return dns_result_new(&(struct dns_result){.state = DNS_NXDOMAIN, .security = DNS_INSECURE});
}

static unsigned made_let_go(struct dns *source, struct dns_flight *f)
{
    free(f);
    return 0;
}

static const struct dns_ops made_ops = {.ask = made_ask, .await = made_await, .let_go = made_let_go};

/* Judges one mail; returns how many questions it asked. */
static unsigned judge_one(struct judge_host *host, const struct policy *p, const char *peer, enum judge_source source)
{
    struct made *m = (struct made *)host->dns;
    unsigned before = m->asked;
    struct judge *j = judge_new(host, p, 0);
    struct judge_mail *mail = judge_mail(j);
    mail->source = source;
    assert_int_equal(ip_from_text(slice_str(peer), &mail->peer), STATUS_OK);
    mail->client = mail->peer;
    assert_int_equal(mail_set_helo(mail, judge_arena(j), "mail.sender.example"), STATUS_OK);
    assert_int_equal(mail_set_from(mail, judge_arena(j), "<a@sender.example>", false), STATUS_OK);
    assert_int_equal(mail_add_rcpt(mail, judge_arena(j), "<b@example.org>"), STATUS_OK);
    assert_int_equal(judge_envelope(j), STATUS_OK);
    assert_int_equal(judge_header(j, SLICE_LIT("From"), SLICE_LIT(" a@sender.example")), STATUS_OK);
    assert_int_equal(judge_headers_end(j), STATUS_OK);
    assert_int_equal(judge_end(j), STATUS_OK);
    if (m->asked == before)
        assert_int_equal(judge_report(j)->spf.result, RESULT_TEMPERROR);
    else
        assert_int_equal(judge_report(j)->spf.result, RESULT_NONE);
    judge_free(j);
    return m->asked - before;
}

static void capped(void **state)
{
    struct made m = {.base.ops = &made_ops};
    struct judge_host host = {
        .dns = &m.base, .name = "mx.example.org", .authserv_id = "mx.example.org", .quota = quota_new()};
    struct policy_report *r = policy_report_new();
    struct policy *p = policy_load_text(
        SLICE_LIT("policy \"t\" owner \"x@example.org\"\nfollow dmarc of everyone\nset dns.per-client 30\n"
                  "relay 198.51.100.1\n"),
        "test", r);
    assert_non_null(p);
    unsigned first = judge_one(&host, p, "192.0.2.1", JUDGE_INTERNET), asked = first;
    assert_in_range(first, 3, 20);
    for (unsigned i = 0; i < 30 && asked <= 30; i++)
        asked += judge_one(&host, p, "192.0.2.2", JUDGE_INTERNET);
    assert_int_equal(judge_one(&host, p, "192.0.2.3", JUDGE_INTERNET), 0);
    assert_int_equal(judge_one(&host, p, "203.0.113.1", JUDGE_INTERNET), first);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(judge_one(&host, p, "198.51.100.1", JUDGE_INTERNET), first);
    policy_unref(p);
    policy_report_free(r);
    quota_free(host.quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(capped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
