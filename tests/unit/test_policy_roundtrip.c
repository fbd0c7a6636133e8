// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_policy_roundtrip.c - over generated policies: the canonical form, read back, is the same policy. The same
 * statements in the same words, and the same answer to every question. Seeds are fixed, so a failure comes again; it
 * prints its policy.
 */
#include "base/clock.h"
#include "cm.h"
#include "policy/policy.h"
#include <stdio.h>

#define NOW 1795176000
#define POLICIES 1500u
#define QUESTIONS 60u

static uint64_t state;

static uint32_t random_draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

#define ONE_OF(table) table[random_draw(sizeof table / sizeof *table)]

static const char *const domains[] = {"a.example",
                                      "b.a.example",
                                      "c.b.a.example",
                                      "example",
                                      "bank.example",
                                      "b\xc3\xbc"
                                      "cher.example",
                                      "xn--mnchen-3ya.example",
                                      "A.Example.",
                                      "_x.test"};
static const char *const networks[] = {"192.0.2.0/24", "192.0.2.7", "192.0.2.0/25", "2001:db8::/32",
                                       "0.0.0.0/0",    "::/0",      "2001:db8::1"};
static const char *const whoms[] = {"b.example", "x.b.example", "pay@b.example", "Pay+x@b.example", "PAY@x.b.example"};
static const char *const texts[] = {
    "plain", "with \\\"quotes\\\"", "back\\\\slash", "caf\xc3\xa9 \xe2\x82\xac", "# no comment", "a, b", "  blanks  "};
static const char *const gaps[] = {" ", "  ", "\t", "\n  ", "   # a comment\n\t", "\n\n "};

static void word_put(struct buf *b, const char *word)
{
    if (b->n && b->p[b->n - 1] != '\n')
        buf_adds(b, random_draw(4) ? " " : ONE_OF(gaps));
    buf_adds(b, word);
}

static void put_text(struct buf *b, const char *before)
{
    word_put(b, before);
    buf_printf(b, " \"%s\"", ONE_OF(texts));
}

static void put_who(struct buf *b)
{
    switch (random_draw(5)) {
    case 0:
        word_put(b, "everyone");
        break;
    case 1:
        word_put(b, "only");
        word_put(b, ONE_OF(domains));
        break;
    case 2:
        word_put(b, ONE_OF(networks));
        break;
    default:
        word_put(b, ONE_OF(domains));
    }
}

static void put_standards(struct buf *b, bool require, bool follow)
{
    static const char *const all[] = {"spf", "dkim", "dmarc", "dane", "tls", "dnssec", "message-format", "rdns"};
    uint32_t mask = 1 + random_draw(255);
    bool comma = false;
    for (unsigned i = 0; i < 8; i++) {
        if (!(mask >> i & 1))
            continue;
        if (comma)
            buf_addc(b, ',');
        word_put(b, all[i]);
        if (i == 4 && require && random_draw(2))
            word_put(b, random_draw(2) ? "1.2 or newer" : "1.3");
        if (i == 2 && follow && random_draw(2))
            word_put(b, "as published");
        comma = true;
    }
}

static void put_explained(struct buf *b, const char *through)
{
    if (random_draw(2))
        put_text(b, "ref");
    put_text(b, "agreed by");
    word_put(b, "through");
    word_put(b, through);
    if (random_draw(3) == 0)
        word_put(b, "since 2026-10-01");
    put_text(b, "because");
}

static void put_rule(struct buf *b)
{
    static const char *const levels[] = {"ignore", "record", "follow", "require"};
    static const char *const acts[] = {"tag", "quarantine", "hold", "defer", "reject"};
    unsigned level = random_draw(4);
    if (random_draw(5) == 0)
        word_put(b, "always");
    if (random_draw(5) == 0)
        word_put(b, "trial");
    word_put(b, levels[level]);
    if (random_draw(5) == 0) {
        word_put(b, "dnssec of");
        if (random_draw(3) == 0) {
            word_put(b, "every name");
        } else {
            word_put(b, "names in");
            word_put(b, ONE_OF(domains));
            if (level == 3 && random_draw(2))
                word_put(b, "strictly");
        }
        return;
    }
    put_standards(b, level == 3, level == 2);
    word_put(b, "of");
    put_who(b);
    if (level >= 2 && random_draw(2)) {
        word_put(b, "otherwise");
        word_put(b, ONE_OF(acts));
        if (random_draw(2))
            buf_printf(b, " \"%s\"", ONE_OF(texts));
    }
    if (random_draw(3) == 0) {
        word_put(b, "writing to");
        word_put(b, ONE_OF(whoms));
    }
    if (random_draw(4) == 0)
        put_text(b, "because");
}

static void put_exempt(struct buf *b)
{
    static const char *const ends[] = {"2027-03-31", "2026-11-19", "2026-12-01", "2026-11-20"};
    word_put(b, "exempt");
    put_who(b);
    word_put(b, "from");
    put_standards(b, false, false);
    if (random_draw(3) == 0) {
        word_put(b, "via");
        word_put(b, ONE_OF(networks));
    } else if (random_draw(2)) {
        word_put(b, "signed by");
        word_put(b, ONE_OF(domains));
    }
    if (random_draw(3) == 0) {
        word_put(b, "writing to");
        word_put(b, ONE_OF(whoms));
    }
    put_explained(b, ONE_OF(ends));
}

static void put_house(struct buf *b)
{
    static const char *const others[] = {"own domains example.org, example.net",
                                         "own network 203.0.113.0/24, 2001:db8::/48",
                                         "relay 192.0.2.10",
                                         "submission 587, auth",
                                         "set mode enforce",
                                         "set dns.timeout 4s",
                                         "require own-from of submission",
                                         "set report.org \"mx, one\"",
                                         "record own-from of submission"};
    word_put(b, ONE_OF(others));
}

static void put_statement(struct buf *b)
{
    switch (random_draw(8)) {
    case 0:
    case 1:
        put_exempt(b);
        break;
    case 2:
        put_house(b);
        break;
    case 3:
        word_put(b, "trust");
        word_put(b, ONE_OF(domains));
        if (random_draw(2))
            word_put(b, "and below");
        word_put(b, "as forwarder");
        if (random_draw(2)) {
            word_put(b, "via");
            word_put(b, ONE_OF(networks));
        }
        put_explained(b, "2027-03-31");
        break;
    case 4:
        if (random_draw(3) == 0) {
            word_put(b, "suspend validation below");
            word_put(b, ONE_OF(domains));
            put_explained(b, "2026-11-22");
            break;
        } /* fall through */
    default:
        put_rule(b);
    }
    buf_adds(b, random_draw(5) ? "\n" : "  # said\n\n");
}

static void canonical(const struct policy *p, struct buf *out)
{
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(p, i)); i++)
        buf_printf(out, "%s\n", s->text);
}

static size_t number_of(const struct policy *p, const struct policy_statement *s)
{
    size_t i = 0;
    while (s && policy_statement_at(p, i) && policy_statement_at(p, i) != s)
        i++;
    return s ? i + 1 : 0;
}

/* One random question put to both; the answers agree, down to the number of each statement named. */
static bool agree(const struct policy *p, const struct policy *q)
{
    static const char *const asked[] = {"a.example",  "z.b.a.example",         "c.b.a.example", "bank.example",
                                        "other.test", "xn--bcher-kva.example", "_x.test"};
    static const char *const rcpts[] = {"pay+7@b.example", "x@x.b.example", "y@c.example", "pay@x.b.example"};
    struct policy_question question = {.standard = (enum standard)random_draw(STANDARD_MAIL_COUNT),
                                       .names = random_draw(6) == 0,
                                       .own_from = random_draw(20) == 0,
                                       .at = NOW};
    const char *signers[] = {ONE_OF(asked)};
    struct ip ip = {0};
    struct policy_answer a, b;
    question.who = random_draw(8) ? ONE_OF(asked) : NULL;
    question.rcpt = random_draw(2) ? ONE_OF(rcpts) : NULL;
    question.signers = signers;
    question.signer_count = random_draw(2);
    if (random_draw(2) && ip_from_text(slice_str(random_draw(2) ? "192.0.2.7" : "2001:db8::1"), &ip) == STATUS_OK)
        question.who_ip = question.client = &ip;
    policy_ask(p, &question, &a);
    policy_ask(q, &question, &b);
    bool same = a.level == b.level && a.action == b.action && a.trial == b.trial && a.always == b.always &&
                a.tls_version == b.tls_version && a.strictly == b.strictly && a.as_published == b.as_published &&
                a.beaten_count == b.beaten_count;
    return same && number_of(p, a.statement) == number_of(q, b.statement) &&
           number_of(p, a.exemption) == number_of(q, b.exemption) && number_of(p, a.expired) == number_of(q, b.expired);
}

static void one_policy(uint32_t number)
{
    struct buf text = BUF_INIT, once = BUF_INIT, twice = BUF_INIT;
    state = UINT64_C(88172645463325252) + number * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned n = 1 + random_draw(12); n; n--)
        put_statement(&text);
    struct policy_report *r = policy_report_new();
    struct policy *p = policy_load_text(buf_slice(&text), "generated", r);
    if (!p) {
        struct buf why = BUF_INIT;
        for (size_t i = 0; policy_report_at(r, i); i++)
            policy_message_print(policy_report_at(r, i), &why);
        print_error("%s\n%s", text.p, why.p);
        fail_msg("policy %u does not load", number);
    }
    canonical(p, &once);
    struct policy *q = policy_load_text(buf_slice(&once), "again", NULL);
    if (!q)
        fail_msg("policy %u: its canonical form does not load:\n%s\n%s", number, text.p, once.p);
    canonical(q, &twice);
    if (!slice_eq(buf_slice(&once), buf_slice(&twice)))
        fail_msg("policy %u: read back it is another:\n%s\n%s", number, once.p, twice.p);
    for (unsigned i = 0; i < QUESTIONS; i++)
        if (!agree(p, q))
            fail_msg("policy %u: question %u is answered otherwise:\n%s", number, i, once.p);
    policy_report_free(r);
    policy_unref(p);
    policy_unref(q);
    buf_release(&text);
    buf_release(&once);
    buf_release(&twice);
}

static void test_generated(void **unused)
{
    for (uint32_t i = 0; i < POLICIES; i++)
        one_policy(i);
}

static int fix_clock(void **unused)
{
    setenv("TZ", "Europe/Amsterdam", 1);
    tzset();
    clock_set_wall(NOW);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_generated)};
    return cmocka_run_group_tests(tests, fix_clock, NULL);
}
