// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_facts.c - facts are written and read back octet by octet, hostile files are refused with their line, and a
 * report over saved facts says what the RFCs say of them, with "could not be tested" if nothing is known.
 */
#include "tests/unit/cm.h"
#include "check/check.h"
#include "check/facts.h"

static struct facts *read_text(struct arena *a, const char *text, const char **error)
{
    return facts_read(a, slice_str(text), error);
}

static void a_value_comes_back_octet_by_octet(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct buf b = BUF_INIT;
    char all[256];
    const char *error;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    buf_adds(&b, "assay-facts 1\nsubject domain=a.example\nweb host=x");
    facts_text(&b, "body", slice_of(all, sizeof all));
    facts_end_line(&b);
    struct facts *f = facts_read(a, buf_slice(&b), &error);
    assert_non_null(f);
    assert_int_equal(f->web_count, 1);
    assert_int_equal(f->web[0].body.n, 256);
    assert_memory_equal(f->web[0].body.p, all, 256);
    for (size_t i = 0; i < b.n; i++)
        assert_true(b.p[i] == '\n' || (b.p[i] >= ' ' && b.p[i] < 0x7f));
    facts_free(f);
    buf_release(&b);
    arena_free(a);
}

static void bad_files_are_refused_with_their_line(void **state)
{
    static const struct {
        const char *text, *words;
    } t[] = {
        {"", "is empty"},
        {"assay-facts 2\n", "line 1: a file of facts begins with"},
        {"assay-facts 1\n", "no line \"subject"},
        {"assay-facts 1\nsubject domain=a.example", "line 2: the file is cut off"},
        {"assay-facts 1\nsubject domain=a..b\n", "line 2: domain="},
        {"assay-facts 1\nsubject domain=\"a.example\n", "line 2: a quoted value"},
        {"assay-facts 1\nsubject domain=\"\\x4\"\n", "line 2: a quoted value"},
        {"assay-facts 1\nsubject domain\n", "NAME=VALUE"},
        {"assay-facts 1\nsubject domain=a.example\nsmtp host=x address=999.1.1.1\n", "line 3: address="},
        {"assay-facts 1\nsubject domain=a.example\ncert der=AAAA\n", "line 3: a certificate should stand behind"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct arena *a = arena_new(1 << 22);
        const char *error = NULL;
        assert_null(read_text(a, t[i].text, &error));
        if (!strstr(error, t[i].words))
            print_error("%zu: %s\n", i, error);
        assert_non_null(strstr(error, t[i].words));
        arena_free(a);
    }
}

static void bounds_hold(void **state)
{
    struct arena *a = arena_new(64 << 20);
    struct buf b = BUF_INIT;
    const char *error;
    buf_adds(&b, "assay-facts 1\nsubject domain=a.example\n");
    for (int i = 0; i < 3 * FACTS_SERVERS; i++)
        buf_adds(&b, "server host=x address=192.0.2.1 question=SOA outcome=answered rcode=99999999999999999999\n");
    for (int i = 0; i < 3 * FACTS_SELECTORS; i++)
        buf_adds(&b, "selector name=x\n");
    struct facts *f = facts_read(a, buf_slice(&b), &error);
    assert_non_null(f);
    assert_int_equal(f->server_count, FACTS_SERVERS);
    assert_int_equal(f->selector_count, FACTS_SELECTORS);
    assert_int_equal(f->servers[0].rcode, 0); /* no number of the bounds */
    facts_free(f);
    buf_reset(&b);
    while (b.n <= FACTS_OCTETS)
        buf_adds(&b, "subject domain=a.example\n");
    assert_null(facts_read(a, buf_slice(&b), &error));
    assert_non_null(strstr(error, "over 4 MB"));
    buf_release(&b);
    arena_free(a);
}

/* A report of facts; the caller frees the arena. */
static void judge(struct arena *a, const char *text, struct check_report *r)
{
    const char *error = NULL;
    struct facts *f = read_text(a, text, &error);
    if (!f)
        print_error("%s\n", error);
    assert_non_null(f);
    assert_int_equal(check_judge(a, f, 0, r, &error), STATUS_OK);
    facts_free(f);
}

#define HEAD "assay-facts 1\nsubject domain=a.example time=1795867200 table=1\nhere ipv4=yes ipv6=yes\n"
#define PARKED                                                                                                         \
    "dns a.example. secure 300 SOA ns.a.example. h.a.example. 1 2 3 4 5\ndns a.example. secure 300 NS "                \
    "ns1.x.example.\n"                                                                                                 \
    "dns a.example. secure 300 NS ns2.x.example.\ndns a.example. secure 300 MX 0 .\ndns a.example. secure 300 TXT "    \
    "\"v=spf1 -all\"\n"                                                                                                \
    "dns _dmarc.a.example. secure 300 TXT \"v=DMARC1; p=reject\"\n"

static void a_domain_that_takes_no_mail_is_asked_for_none_of_it(void **state)
{
    struct arena *a = arena_new(32 << 20);
    struct check_report r;
    judge(a, HEAD PARKED, &r);
    assert_false(r.receives);
    assert_false(r.sends);
    assert_int_equal(r.results[CHECK_MX].state, CHECK_PASS);
    assert_int_equal(r.results[CHECK_STARTTLS].state, CHECK_NOT_APPLICABLE);
    assert_int_equal(r.results[CHECK_DANE].state, CHECK_NOT_APPLICABLE);
    assert_int_equal(r.results[CHECK_DKIM].state, CHECK_NOT_APPLICABLE);
    assert_int_equal(r.results[CHECK_SPF].state, CHECK_PASS);
    assert_true(r.rejects);
    arena_free(a);
}

static void nothing_known_is_no_failure_and_a_range(void **state)
{
    struct arena *a = arena_new(32 << 20);
    struct check_report r;
    judge(a, HEAD "dns a.example. timeout\ndns _dmarc.a.example. timeout\ndns _mta-sts.a.example. timeout\n", &r);
    assert_int_equal(r.results[CHECK_EXISTS].state, CHECK_UNTESTED);
    assert_int_equal(r.results[CHECK_DNSSEC_VALID].state, CHECK_UNTESTED);
    assert_int_equal(r.results[CHECK_DMARC].state, CHECK_UNTESTED);
    assert_int_equal(r.counts[CHECK_FAIL], 0);
    assert_true(r.least > r.grade);
    arena_free(a);
}

static void our_own_trouble_is_not_theirs(void **state)
{
    struct arena *a = arena_new(32 << 20);
    struct check_report r;
    judge(a,
          "assay-facts 1\nsubject domain=a.example time=1795867200\nhere ipv4=yes canary=\"no answer\"\ndns a.example. "
          "bogus\n",
          &r);
    assert_int_equal(r.counts[CHECK_FAIL], 0);
    assert_int_equal(r.counts[CHECK_ADVICE], 0);
    assert_int_equal(r.results[CHECK_DNSSEC_VALID].state, CHECK_UNTESTED);
    arena_free(a);
}

static void caps_hold(void **state)
{
    static const struct {
        const char *dns;
        enum check_test test;
        enum check_grade at_best;
    } t[] = {
        {"dns a.example. bogus\n", CHECK_DNSSEC_VALID, CHECK_F},
        {"dns a.example. secure 300 TXT \"v=spf1 +all\"\n", CHECK_SPF_EVERYBODY, CHECK_F},
        {"dns a.example. secure 300 TXT \"v=spf1 -all\"\n", CHECK_DMARC, CHECK_C},
        {"dns _dmarc.a.example. secure 300 TXT \"v=DMARC1; p=none\"\n", CHECK_DMARC_POLICY, CHECK_C},
        {"dns a.example. secure 300 MX 10 mx.a.example.\ndns mx.a.example. secure 300 A 192.0.2.1\n"
         "smtp host=mx.a.example address=192.0.2.1 outcome=\"no STARTTLS\" banner=220\n",
         CHECK_STARTTLS, CHECK_D},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct arena *a = arena_new(32 << 20);
        struct check_report r;
        char text[2000];
        snprintf(text, sizeof text, "%sdns a.example. secure 300 NS ns.x.example.\n%s", HEAD, t[i].dns);
        judge(a, text, &r);
        assert_int_equal(r.results[t[i].test].state, CHECK_FAIL);
        assert_true(r.grade >= t[i].at_best);
        assert_non_null(r.results[t[i].test].evidence);
        arena_free(a);
    }
}

static void every_test_is_documented(void **state)
{
    for (int i = 0; i < CHECK_TESTS; i++) {
        const struct check_test_info *info = check_test_info((enum check_test)i);
        assert_true(*info->name && *info->breaks && *info->sentence && *info->source);
        assert_true(info->weight <= 100);
        assert_true(info->level != CHECK_OPTIONAL || info->weight == 0); /* what is optional costs nothing */
        assert_int_equal(check_test_from_name(slice_str(info->name)), i);
    }
    assert_int_equal(check_test_from_name(SLICE_LIT("nosuch")), CHECK_TESTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_comes_back_octet_by_octet),
        cmocka_unit_test(bad_files_are_refused_with_their_line),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(a_domain_that_takes_no_mail_is_asked_for_none_of_it),
        cmocka_unit_test(nothing_known_is_no_failure_and_a_range),
        cmocka_unit_test(our_own_trouble_is_not_theirs),
        cmocka_unit_test(caps_hold),
        cmocka_unit_test(every_test_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
