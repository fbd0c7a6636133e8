// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_reply.c - what a refused sender reads: codes (RFC 3463, RFC 7372), that "DMARC" and the domain are named,
 * that a domain whose name may be forged is not blamed, and that no text, however hostile, makes a line longer than
 * SMTP's or another line out of one (RFC 5321 4.5.3.1.5).
 */
#include "judge/reply.h"
#include "tests/unit/cm.h"
#include <stdbool.h>

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

static const struct policy *read_policy(const char *text)
{
    const struct policy *p = policy_load_text(slice_str(text), "test", NULL);
    assert_non_null(p);
    return p;
}

static struct verdict verdict_of(const struct verdict_line *l)
{
    return (struct verdict){
        .action = l->action, .would = l->action, .lines = l, .line_count = 1, .policy_hash = "1a2b3c4d"};
}

static const struct {
    struct verdict_line line;
    const char *code, *enhanced, *words[3];
} cases[] = {
    {{.standard = STANDARD_DMARC,
      .subject = "bank.example",
      .result = RESULT_FAIL,
      .level = POLICY_FOLLOW,
      .action = POLICY_REJECT,
      .reason = "nothing aligned",
      .signal = "it sends no mail"},
     "550",
     "5.7.1",
     {"DMARC: mail that claims to be from bank.example is refused as the domain's owner asks", "it sends no mail", ""}},
    {{.standard = STANDARD_DMARC,
      .subject = "bank.example",
      .result = RESULT_FAIL,
      .level = POLICY_REQUIRE,
      .action = POLICY_REJECT,
      .reason = "nothing aligned"},
     "550",
     "5.7.1",
     {"DMARC is required of mail that claims to be from bank.example: nothing aligned", "", ""}},
    {{.standard = STANDARD_SPF,
      .subject = "bank.example",
      .result = RESULT_FAIL,
      .level = POLICY_FOLLOW,
      .action = POLICY_REJECT,
      .reason = "-all"},
     "550",
     "5.7.23",
     {"SPF: mail that claims to be from bank.example is refused: -all", "", ""}},
    {{.standard = STANDARD_DNSSEC,
      .subject = "a.example",
      .result = RESULT_NONE,
      .level = POLICY_REQUIRE,
      .action = POLICY_REJECT,
      .reason = "unsigned"},
     "550",
     "5.7.1",
     {"DNSSEC is required of a.example: unsigned", "", ""}},
    {{.standard = STANDARD_RDNS,
      .subject = "mx.a.example",
      .result = RESULT_FAIL,
      .level = POLICY_REQUIRE,
      .action = POLICY_REJECT,
      .reason = "x"},
     "550",
     "5.7.25",
     {"Reverse DNS is required of a client that calls itself mx.a.example: x", "", ""}},
    {{.standard = STANDARD_DMARC,
      .subject = "bank.example",
      .level = POLICY_REQUIRE,
      .action = POLICY_REJECT,
      .reason = "no record"},
     "550",
     "5.7.1",
     {"DMARC is required of bank.example", "no record", "rfc9989"}},
    {{.standard = STANDARD_SPF,
      .subject = "a.example",
      .level = POLICY_REQUIRE,
      .action = POLICY_REJECT,
      .reason = "x"},
     "550",
     "5.7.23",
     {"SPF", "a.example", "x"}},
    {{.standard = STANDARD_DKIM,
      .subject = "a.example",
      .level = POLICY_REQUIRE,
      .action = POLICY_REJECT,
      .reason = "x"},
     "550",
     "5.7.20",
     {"DKIM", "", ""}},
    {{.standard = STANDARD_TLS,
      .subject = "a.example",
      .level = POLICY_REQUIRE,
      .action = POLICY_REJECT,
      .reason = "not encrypted"},
     "550",
     "5.7.10",
     {"TLS", "not encrypted", ""}},
    {{.standard = STANDARD_RDNS, .level = POLICY_REQUIRE, .action = POLICY_REJECT, .reason = "x"},
     "550",
     "5.7.25",
     {"Reverse DNS", "this mail", ""}},
    {{.standard = STANDARD_MESSAGE_FORMAT,
      .subject = "shop.example", /* whose name was used: not blamed */
      .result = RESULT_FAIL,
      .level = POLICY_REQUIRE,
      .action = POLICY_REJECT,
      .reason = "two From fields"},
     "550",
     "5.6.0",
     {"Message format: malformed message: two From fields", "rfc5322", ""}},
    {{.standard = STANDARD_DMARC,
      .subject = "a.example",
      .result = RESULT_TEMPERROR,
      .level = POLICY_FOLLOW,
      .action = POLICY_DEFER,
      .temporary = true,
      .reason = "time-out"},
     "451",
     "4.7.1",
     {"could not be checked now", "try again", "time-out"}},
    {{.standard = STANDARD_DNSSEC,
      .subject = "a.example",
      .level = POLICY_REQUIRE,
      .action = POLICY_REJECT,
      .reason = "unsigned",
      .text = "Sign your zone"},
     "550",
     "5.7.1",
     {"DNSSEC", "Sign your zone", "postmaster@example.org"}},
};

static void codes_and_words(void **state)
{
    const struct policy *p = read_policy("policy \"x\" owner \"postmaster@example.org\"\n");

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *a = arena_new(1 << 16);
        struct verdict v = verdict_of(&cases[i].line);
        struct reply r;
        assert_int_equal(reply_for(a, &v, p, "mx.example.org", &r), STATUS_OK);
        assert_string_equal(r.code, cases[i].code);
        assert_string_equal(r.enhanced, cases[i].enhanced);
        for (size_t k = 0; k < 3 && cases[i].words[k]; k++)
            if (!strstr(reply_text(a, &r), cases[i].words[k]))
                fail_msg("'%s' is not in '%s'", cases[i].words[k], reply_text(a, &r));
        arena_free(a);
    }
    policy_unref(p);
}

/* RFC 5321 4.2: a reply is ASCII. An owner's domain has another form, and what has none is not named. */
static void owner_in_ascii(void **state)
{
    static const struct {
        const char *owner, *words, *never;
    } t[] = {{"Post@m\xc3\xbcnchen.example", "ask Post@xn--mnchen-3ya.example (", "??"},
             {"Post@example.org", "ask Post@example.org (", "??"},
             {"J\xc3\xb6rg, post@example.org", "rfc9989 (", "ask"},
             {"j\xc3\xb6rg@example.org", "rfc9989 (", "ask"},
             {"J\xc3\xb6rg", "rfc9989 (", "sk"}};
    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena *a = arena_new(1 << 16);
        char text[200];
        struct verdict_line l = {.standard = STANDARD_DMARC,
                                 .subject = "bank.example",
                                 .result = RESULT_FAIL,
                                 .level = POLICY_REQUIRE,
                                 .action = POLICY_REJECT,
                                 .reason = "no match"};
        struct verdict v = verdict_of(&l);
        struct reply r;
        snprintf(text, sizeof text, "policy \"x\" owner \"%s\"\n", t[i].owner);
        const struct policy *p = read_policy(text);
        assert_int_equal(reply_for(a, &v, p, "mx.example.org", &r), STATUS_OK);
        const char *last = r.lines[r.count - 1];
        if (!strstr(last, t[i].words) || strstr(last, t[i].never))
            fail_msg("'%s': '%s'", t[i].owner, last);
        policy_unref(p);
        arena_free(a);
    }
}

/* Our own rule about our own users: the reply says so, and neither blames DMARC nor names an RFC. */
static void own_from_is_our_own_rule(void **state)
{
    static const struct policy_statement rule = {.own_from = true, .id = "L7"};
    struct verdict_line l = {.standard = STANDARD_DMARC,
                             .subject = "bank.example",
                             .result = RESULT_FAIL,
                             .level = POLICY_REQUIRE,
                             .action = POLICY_REJECT,
                             .reason = "users of this server may only write as one of its own domains",
                             .statement = &rule};
    const struct policy *p = read_policy("policy \"x\" owner \"postmaster@example.org\"\n");
    struct arena *a = arena_new(1 << 16);
    struct verdict v = verdict_of(&l);
    struct reply r;

    (void)state;
    assert_int_equal(reply_for(a, &v, p, "mx.example.org", &r), STATUS_OK);
    const char *text = reply_text(a, &r);
    assert_non_null(strstr(text, "Sender address not allowed: users of this server may not send as bank.example"));
    assert_non_null(strstr(text, "users of this server may only write as one of its own domains"));
    assert_non_null(strstr(text, "postmaster@example.org"));
    assert_null(strstr(text, "DMARC"));
    assert_null(strstr(text, "rfc"));
    policy_unref(p);
    arena_free(a);
}

/* The policy's own words are about mail that failed: of mail that could not be checked nobody can say so. */
static void words_of_the_policy(void **state)
{
    struct verdict_line l = {.standard = STANDARD_DMARC,
                             .subject = "a.example",
                             .result = RESULT_TEMPERROR,
                             .level = POLICY_REQUIRE,
                             .action = POLICY_DEFER,
                             .temporary = true,
                             .reason = "no answer",
                             .text = "This is not from us"};
    struct arena *a = arena_new(1 << 20);
    const struct policy *p = read_policy("");
    struct reply r;

    (void)state;
    for (unsigned failed = 0; failed < 2; failed++) {
        l.temporary = !failed;
        l.action = failed ? POLICY_REJECT : POLICY_DEFER;
        struct verdict v = verdict_of(&l);
        assert_int_equal(reply_for(a, &v, p, "mx.example.org", &r), STATUS_OK);
        assert_string_equal(r.code, failed ? "550" : "451");
        assert_int_equal(r.count, failed ? 3 : 2);
        assert_int_equal(strcmp(r.lines[1], "This is not from us") == 0, failed);
    }
    policy_unref((struct policy *)(uintptr_t)p);
    arena_free(a);
}

static void hostile_text_stays_on_its_line(void **state)
{
    char reason[5000];
    struct verdict_line l = {.standard = STANDARD_SPF,
                             .subject = "a.example",
                             .level = POLICY_REQUIRE,
                             .action = POLICY_REJECT,
                             .reason = reason,
                             .text = "caf\xc3\xa9\r\n250 OK \x1b[31m %s %n"};
    struct verdict v = verdict_of(&l);
    struct arena *a = arena_new(1 << 20);
    const struct policy *p = read_policy("set reply.help \"https://mx.example.org/why\"\n");
    struct reply r;

    (void)state;
    for (size_t i = 0; i < sizeof reason - 1; i++)
        reason[i] = "ab \r\n\0\x7f\xff%"[i % 9] ? "ab \r\n\0\x7f\xff%"[i % 9] : 'z';
    reason[sizeof reason - 1] = 0;
    assert_int_equal(reply_for(a, &v, p, "mx.example.org", &r), STATUS_OK);
    assert_int_equal(r.count, 3);
    for (size_t i = 0; i < r.count; i++) {
        assert_true(strlen(r.lines[i]) <= REPLY_LINE_MAX);
        for (const char *c = r.lines[i]; *c; c++)
            assert_true(*c >= ' ' && *c <= '~');
    }
    assert_non_null(strstr(r.lines[2], "https://mx.example.org/why"));
    assert_null(strstr(r.lines[2], "rfc7208"));
    arena_free(a);
    policy_unref(p);
}

/* Random, of the alphabet of RFC 4648 6; in the reply whatever is long in it, and read back as it was typed. */
static void reference(void **state)
{
    char one[REPLY_REFERENCE_SIZE], two[REPLY_REFERENCE_SIZE], back[REPLY_REFERENCE_SIZE], long_text[1000];
    static const char *const not_one[] = {"", "ABCDEFGHI", "ABCDEFGHIJK", "ABCDEFGH1J", "ABCDE GHIJ", "4F3a2b1c9d"};
    struct verdict_line l = {.standard = STANDARD_TLS,
                             .subject = "a.example",
                             .level = POLICY_REQUIRE,
                             .action = POLICY_REJECT,
                             .reason = "x"};
    struct verdict v = verdict_of(&l);
    struct arena *a = arena_new(1 << 16), *small = arena_new(16);
    struct buf b = BUF_INIT;
    struct reply r;

    (void)state;
    memset(long_text, 'u', sizeof long_text);
    buf_printf(&b, "set reply.help \"https://mx.example.org/%.300s\"\n", long_text);
    const struct policy *p = read_policy(b.p);
    assert_int_equal(strlen(reply_new_reference(one)), 10);
    assert_int_equal(strspn(one, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), 10);
    assert_string_not_equal(one, reply_new_reference(two));
    assert_int_equal(reply_for(a, &v, p, "mx.example.org", &r), STATUS_OK);
    assert_int_equal(reply_refer(a, &r, one), STATUS_OK);
    assert_int_equal(r.count, 2);
    assert_non_null(strstr(r.lines[1], one));
    assert_true(strlen(r.lines[1]) <= REPLY_LINE_MAX);
    reply_split(&r);
    assert_int_equal(reply_refer(a, &r, one), STATUS_OK);
    assert_int_equal(r.count, 2);
    assert_non_null(strstr(r.lines[1], one));
    reply_split(&r);
    assert_int_equal(reply_refer(a, &r, ""), STATUS_OK);
    assert_int_equal(r.count, 1);
    assert_int_equal(reply_refer(small, &r, one), STATUS_NOMEM);
    assert_int_equal(r.count, 1);
    assert_true(reply_read_reference(" abcdefgh27\n", back));
    assert_string_equal(back, "ABCDEFGH27");
    for (size_t i = 0; i < COUNT(not_one); i++)
        if (reply_read_reference(not_one[i], back))
            fail_msg("'%s' was taken for a reference", not_one[i]);
    buf_release(&b);
    arena_free(a);
    arena_free(small);
    policy_unref(p);
}

static void without_a_line(void **state)
{
    struct verdict v = {.action = POLICY_DEFER, .policy_hash = "x"};
    struct arena *a = arena_new(1 << 16), *small = arena_new(16);
    const struct policy *p = read_policy("set mode enforce\n");
    struct verdict_line l = {.standard = STANDARD_SPF,
                             .subject = "a.example",
                             .level = POLICY_REQUIRE,
                             .action = POLICY_REJECT,
                             .reason = "x"};
    struct reply r;

    (void)state;
    assert_int_equal(reply_for(a, &v, p, "mx", &r), STATUS_OK);
    assert_string_equal(r.code, "451");
    v = verdict_of(&l);
    assert_int_equal(reply_for(small, &v, p, "mx", &r), STATUS_NOMEM);
    assert_string_equal(r.code, "550");
    assert_int_equal(r.count, 1);
    reply_split(&r);
    assert_string_equal(r.code, "451");
    reply_split_rcpt(&r);
    assert_string_equal(r.code, "452");
    assert_string_equal(r.enhanced, "4.5.3");
    arena_free(a);
    arena_free(small);
    policy_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_and_words),
        cmocka_unit_test(own_from_is_our_own_rule),
        cmocka_unit_test(owner_in_ascii),
        cmocka_unit_test(words_of_the_policy),
        cmocka_unit_test(hostile_text_stays_on_its_line),
        cmocka_unit_test(without_a_line),
        cmocka_unit_test(reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
