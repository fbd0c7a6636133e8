// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dkim_many.c - many signatures on one message, and the bounds: which are tried, what one failure does to the
 * others, what is listed.
 */
#include "tests/unit/dkim_lab.h"

static const char zone[] = "s._domainkey.example.org secure TXT \"v=DKIM1; p={RSA2048}\"\n"
                           "s._domainkey.mail.example.org TXT \"v=DKIM1; p={RSA2048}\"\n"
                           "s._domainkey.other.org TXT \"v=DKIM1; p={RSA2048}\"\n"
                           "zone dead.example timeout\n"
                           "zone bogus.example bogus\n";

#define BODY "Hello.\r\n"

static void add_signature(struct lab *l, const char *domain)
{
    char *field = lab_signature("RSA2048", domain, "s", BODY);
    lab_add(l, "DKIM-Signature", field);
    free(field);
}

static const struct dkim_signature *checker_run(struct lab *l, struct dkim_checker **c, size_t *count)
{
    const struct dkim_signature *s = NULL;
    lab_add(l, "From", " a@example.org");
    *c = dkim_checker_new(l->dns, l->arena, &l->headers, "example.org", NULL);
    assert_non_null(*c);
    dkim_checker_body(*c, SLICE_LIT(BODY));
    assert_int_equal(dkim_checker_end(*c, &s, count), STATUS_OK);
    return s;
}

static void test_aligned_ones_first(void **state)
{
    struct lab l;
    struct dkim_checker *c;
    size_t count = 0, tried = 0;
    lab_open(&l, zone);
    for (int i = 0; i < 50; i++)
        add_signature(&l, "stranger.example");
    add_signature(&l, "other.org");
    add_signature(&l, "mail.example.org");
    add_signature(&l, "example.org");
    const struct dkim_signature *s = checker_run(&l, &c, &count);
    assert_int_equal(count, 53);
    for (size_t i = 0; i < count; i++) {
        tried += s[i].tried;
        assert_int_equal(s[i].field, i + 1);
        if (!s[i].tried) {
            assert_int_equal(s[i].result, RESULT_POLICY);
            assert_string_equal(s[i].reason, "not verified: more than 16 signatures");
        }
    }
    assert_int_equal(tried, DKIM_CHECK_SIGNATURES);
    assert_int_equal(s[52].result, RESULT_PASS);
    assert_int_equal(s[52].security, DNS_SECURE);
    assert_int_equal(s[51].result, RESULT_PASS);
    assert_false(s[50].tried); /* a stranger like the fifty above it */
    assert_int_equal(s[0].result, RESULT_PERMERROR);
    dkim_checker_free(c);
    lab_close(&l);
}

static void test_each_by_itself(void **state)
{
    struct lab l;
    struct dkim_checker *c;
    size_t count = 0;
    lab_open(&l, zone);
    add_signature(&l, "dead.example");
    add_signature(&l, "bogus.example");
    add_signature(&l, "gone.example");
    lab_add(&l, "DKIM-Signature", " rubbish");
    add_signature(&l, "example.org");
    add_signature(&l, "example.org");
    const struct dkim_signature *s = checker_run(&l, &c, &count);
    assert_int_equal(count, 6);
    assert_int_equal(s[0].result, RESULT_TEMPERROR);
    assert_int_equal(s[0].key_state, DNS_TEMPFAIL);
    assert_int_equal(s[1].result, RESULT_TEMPERROR);
    assert_int_equal(s[1].key_state, DNS_BOGUS);
    assert_int_equal(s[1].security, DNS_BROKEN);
    assert_int_equal(s[2].result, RESULT_PERMERROR);
    assert_int_equal(s[3].result, RESULT_NEUTRAL);
    assert_null(s[3].domain);
    /* Two of one name: one question, and both know how it was answered. */
    assert_int_equal(s[4].result, RESULT_PASS);
    assert_int_equal(s[5].result, RESULT_PASS);
    assert_int_equal(s[5].security, DNS_SECURE);
    assert_non_null(dns_trace(l.dns, 3));
    assert_null(dns_trace(l.dns, 4));
    dkim_checker_free(c);
    lab_close(&l);
}

static void test_listed(void **state)
{
    struct lab l;
    struct dkim_checker *c;
    size_t count = 0;
    lab_open(&l, zone);
    for (int i = 0; i < 1500; i++)
        lab_add(&l, "DKIM-Signature", " v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=AAAA; b=AAAA");
    add_signature(&l, "example.org");
    const struct dkim_signature *s = checker_run(&l, &c, &count);
    assert_int_equal(dkim_checker_fields(c), 1501);
    assert_int_equal(count, DKIM_CHECK_LISTED);
    assert_int_equal(s[count - 1].result, RESULT_PASS);
    assert_int_equal(s[count - 1].field, 1501);
    dkim_checker_free(c);
    lab_close(&l);
}

static void test_header_b_tells_apart(void **state)
{
    static const char *const b[] = {"abcdefghijkl", "abcdefghijxx", "zzzzzzzzzzzz", "abcd efgh\r\n ijkl", "xx"};
    static const char *const want[] = {"abcdefghijkl", "abcdefghijx", "zzzzzzzz", "abcdefghijkl", "xx"};
    struct lab l;
    struct dkim_checker *c;
    size_t count = 0;
    lab_open(&l, zone);
    for (size_t i = 0; i < 5; i++) {
        char value[200];
        snprintf(value, sizeof value, " v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=AAAA; b=%s", b[i]);
        lab_add(&l, "DKIM-Signature", value);
    }
    const struct dkim_signature *s = checker_run(&l, &c, &count);
    assert_int_equal(count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(s[i].header_b, want[i]);
    dkim_checker_free(c);
    lab_close(&l);
}

/* One field's value of a given size in one place, wanted neutral and cheap. */
static void field_refuse(struct buf *value, const char *why)
{
    struct lab l;
    struct dkim_checker *c;
    size_t count = 0;
    lab_open(&l, zone);
    lab_add(&l, "DKIM-Signature", value->p);
    const struct dkim_signature *s = checker_run(&l, &c, &count);
    assert_int_equal(count, 1);
    assert_int_equal(s[0].result, RESULT_NEUTRAL);
    if (!strstr(s[0].reason, why))
        fail_msg("\"%s\" does not say \"%s\"", s[0].reason, why);
    dkim_checker_free(c);
    lab_close(&l);
    buf_release(value);
}

static void test_bounds(void **state)
{
    struct buf names = BUF_INIT, tags = BUF_INIT, lengthy = BUF_INIT, b = BUF_INIT;
    buf_adds(&names,
             " v=1; a=rsa-sha256; d=example.org; s=s; bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=AAAA; h=from");
    for (int i = 0; i < DKIM_CHECK_NAMES; i++)
        buf_adds(&names, ":x");
    buf_adds(&tags, " v=1");
    for (int i = 0; i < 1000; i++)
        buf_printf(&tags, "; t%d=", i);
    buf_adds(&lengthy, " v=1; z=");
    for (int i = 0; i < 70000; i++)
        buf_addc(&lengthy, 'z');
    buf_adds(&b, " v=1; a=rsa-sha256; d=example.org; s=s; h=from; bh=AAAA; b=");
    for (int i = 0; i < 4000; i++)
        buf_addc(&b, 'A');
    field_refuse(&names, "too many names");
    field_refuse(&tags, "too many tags");
    field_refuse(&lengthy, "too long");
    field_refuse(&b, "b=");
}

static void test_header_not_read_whole(void **state)
{
    struct lab l;
    struct dkim_checker *c;
    size_t count = 0;
    lab_open(&l, zone);
    add_signature(&l, "example.org");
    l.headers.over_limit = true;
    const struct dkim_signature *s = checker_run(&l, &c, &count);
    assert_int_equal(s[0].result, RESULT_NEUTRAL);
    assert_false(s[0].counts);
    dkim_checker_free(c);
    lab_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_aligned_ones_first),
                                       cmocka_unit_test(test_each_by_itself),
                                       cmocka_unit_test(test_listed),
                                       cmocka_unit_test(test_header_b_tells_apart),
                                       cmocka_unit_test(test_bounds),
                                       cmocka_unit_test(test_header_not_read_whole)};
    return cmocka_run_group_tests(tests, NULL, lab_end);
}
