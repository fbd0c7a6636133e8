// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_authres.c - Authentication-Results: what RFC 8601 2.2 lets be written and read, its appendix B examples, that
 * nothing a sender chose can add or cut a field, and every form in which a forged one may look like ours (RFC 8601 5).
 */
#include "base/arena.h"
#include "base/buf.h"
#include "standards/message/authres.h"
#include "tests/unit/cm.h"
#include <stdio.h>

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define LIT(s) {s, sizeof(s) - 1}

/* A field read, as one line: id/version: method/version=result "reason" ptype.name=value ... ; ... */
static enum status read_line_by(enum status (*parse)(struct arena *, struct slice, struct authres *), struct slice text,
                                struct buf *out)
{
    struct arena *arena = arena_new(1 << 20);
    struct authres a;
    char *copy = exact(text.p, text.n);
    enum status s = parse(arena, slice_of(copy, text.n), &a);
    free(copy);
    buf_reset(out);
    if (s == STATUS_OK) {
        buf_printf(out, "%.*s/%.*s:", SLICE_ARG(a.id), SLICE_ARG(a.version));
        for (size_t i = 0; i < a.count; i++) {
            const struct authres_result *r = &a.results[i];
            buf_printf(out, " %.*s/%.*s=%.*s", SLICE_ARG(r->method), SLICE_ARG(r->method_version),
                       SLICE_ARG(r->result));
            if (r->reason.n)
                buf_printf(out, " \"%.*s\"", SLICE_ARG(r->reason));
            for (size_t p = 0; p < r->property_count; p++)
                buf_printf(out, " %.*s.%.*s=%.*s", SLICE_ARG(r->properties[p].ptype), SLICE_ARG(r->properties[p].name),
                           SLICE_ARG(r->properties[p].value));
            buf_addc(out, ';');
        }
    }
    arena_free(arena);
    return s;
}

static enum status read_line(struct slice text, struct buf *out)
{
    return read_line_by(authres_parse, text, out);
}

/* What large senders write and seal: properties without ptype. By RFC 8601 2.2 they are none. */
static void reads_leniently(void **state)
{
    static const struct {
        const char *in, *out; /* out NULL: refused leniently, too */
    } t[] = {
        {" mx.microsoft.com 1; spf=pass (sender ip is 192.0.2.1) smtp.rcpttodomain=x.example smtp.mailfrom=y.example; "
         "dmarc=pass (p=none sp=none pct=100) "
         "action=none header.from=y.example; dkim=pass (signature was verified) header.d=y.example; arc=none (0)",
         "mx.microsoft.com/1: spf/=pass smtp.rcpttodomain=x.example smtp.mailfrom=y.example; dmarc/=pass .action=none "
         "header.from=y.example; dkim/=pass "
         "header.d=y.example; arc/=none;"},
        {" mx.example; dkim=pass (2048-bit rsa key sha256) header.d=y.example header.b=abcdefgh x-bits=2048; "
         "x-vs=clean score=-100 state=0",
         "mx.example/: dkim/=pass header.d=y.example header.b=abcdefgh .x-bits=2048; x-vs/=clean .score=-100 "
         ".state=0;"},
        {" mx.example; dkim=fail dkim=pass", "mx.example/: dkim/=fail .dkim=pass;"}, /* one result, and it failed */
        {" mx.example; dkim=pass action=", NULL},
        {" mx.example; dkim=pass .action=none", NULL},
        {" mx.example; dkim=pass =none", NULL},
    };
    struct buf out = BUF_INIT;
    for (size_t i = 0; i < COUNT(t); i++) {
        enum status s = read_line_by(authres_parse_lenient, slice_str(t[i].in), &out);
        if ((s == STATUS_OK) != (t[i].out != NULL) || (t[i].out && strcmp(out.p, t[i].out) != 0))
            fail_msg("%s: %s", t[i].in, out.p);
        assert_int_equal(read_line(slice_str(t[i].in), &out), STATUS_INVALID);
    }
    buf_release(&out);
}

static void reads(void **state)
{
    static const struct {
        const char *in, *out;
    } t[] = {
        /* RFC 8601 appendix B.2 to B.7 */
        {" example.org 1; none", "example.org/1:"},
        {" example.com;\r\n  spf=pass smtp.mailfrom=example.net", "example.com/: spf/=pass smtp.mailfrom=example.net;"},
        {" example.com;\r\n  auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n  spf=pass "
         "smtp.mailfrom=example.net",
         "example.com/: auth/=pass smtp.auth=sender@example.net; spf/=pass smtp.mailfrom=example.net;"},
        {" example.com; iprev=pass policy.iprev=192.0.2.200", "example.com/: iprev/=pass policy.iprev=192.0.2.200;"},
        {" example.com;\r\n      dkim=fail reason=\"signature verification failed\"\r\n      "
         "header.d=newyork.example.com",
         "example.com/: dkim/=fail \"signature verification failed\" header.d=newyork.example.com;"},
        {" foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n    "
         "  policy (A dot can go here) . "
         "(like that) expired\r\n      (this surprised me) = (as I wasn't expecting it) 1362471462",
         "foo.example.net/1: dkim/1=fail policy.expired=1362471462;"},
        {" example.com; sender-id=fail header.from=example.com; dkim=pass (good signature) header.d=example.com",
         "example.com/: sender-id/=fail header.from=example.com; dkim/=pass header.d=example.com;"},
        /* other shapes */
        {"example.com; dkim=pass header.i=@example.com header.b=\"dzdVyOfA\"",
         "example.com/: dkim/=pass header.i=@example.com header.b=dzdVyOfA;"},
        {"example.com; dkim=pass header.b=/d5r+A==", "example.com/: dkim/=pass header.b=/d5r+A==;"},
        {"\"mx.example.com/4711\"; none", "mx.example.com/4711/:"},
        {"example.com; spf=pass smtp.mailfrom=\"a b\"@example.net",
         "example.com/: spf/=pass smtp.mailfrom=a b@example.net;"},
        {"example.com; spf=pass reason=word", "example.com/: spf/=pass \"word\";"},
        {"example.com; dmarc=pass (p=reject \\) \"x) header.from=a.example",
         "example.com/: dmarc/=pass header.from=a.example;"},
        {"example.com; spf=pass;", "example.com/: spf/=pass;"},
        {"example.com; NONE", "example.com/:"},
        {"example.com; spf=none smtp.helo=x.example", "example.com/: spf/=none smtp.helo=x.example;"},
        {"example.com\n\t; spf=pass\n\tsmtp.mailfrom=x.example", "example.com/: spf/=pass smtp.mailfrom=x.example;"},
        {"example.com; arc=pass (i=1) smtp.remote-ip=2001:db8::1",
         "example.com/: arc/=pass smtp.remote-ip=2001:db8::1;"},
    };
    struct buf line = BUF_INIT;
    for (size_t i = 0; i < COUNT(t); i++) {
        enum status s = read_line(slice_str(t[i].in), &line);
        if (s != STATUS_OK)
            fail_msg("%s: %s", t[i].in, status_text(s));
        assert_string_equal(line.p, t[i].out);
    }
    buf_release(&line);
}

static void refuses_what_does_not_follow_the_grammar(void **state)
{
    static const char *const t[] = {
        "",
        "example.com",
        "example.com;",
        "; spf=pass",
        "spf=pass smtp.mailfrom=x.example",
        "example.com spf=pass",
        "example.com; spf",
        "example.com; spf=",
        "example.com; =pass",
        "example.com; spf=pass smtp.mailfrom",
        "example.com; spf=pass smtp=x",
        "example.com; spf=pass smtp.mailfrom=",
        "example.com; spf=pass (unended",
        "example.com; spf=pass reason=\"unended",
        "example.com; none; spf=pass",
        "example.com; spf=pass; none",
        "example.com;; spf=pass",
        "example/net; spf=pass",
        "example.com; spf=pass\nsmtp.mailfrom=x",
        "example.com; spf=pass words behind it",
    };
    struct buf line = BUF_INIT;
    for (size_t i = 0; i < COUNT(t); i++)
        if (read_line(slice_str(t[i]), &line) == STATUS_OK)
            fail_msg("%s: %s", t[i], line.p);
    buf_release(&line);
}

static void finds_results_and_properties(void **state)
{
    struct arena *arena = arena_new(1 << 20);
    struct authres a;
    assert_int_equal(authres_parse(arena, SLICE_LIT("x; DKIM=fail header.d=a; spf=pass; dkim=pass Header.D=b"), &a),
                     STATUS_OK);
    const struct authres_result *r = authres_find(&a, "dkim", NULL);
    assert_true(slice_eq(r->result, SLICE_LIT("fail")));
    r = authres_find(&a, "dkim", r);
    assert_true(slice_eq(authres_get(r, "header", "d"), SLICE_LIT("b")));
    assert_int_equal(authres_get(r, "header", "i").n, 0);
    assert_null(authres_find(&a, "dkim", r));
    assert_null(authres_find(&a, "dmarc", NULL));
    arena_free(arena);
}

static void read_limits(void **state)
{
    struct buf text = BUF_INIT, line = BUF_INIT;
    buf_adds(&text, "x");
    for (int i = 0; i <= AUTHRES_RESULTS_MAX; i++)
        buf_adds(&text, "; spf=pass");
    assert_int_equal(read_line(buf_slice(&text), &line), STATUS_LIMIT);
    buf_reset(&text);
    buf_adds(&text, "x; spf=pass");
    for (int i = 0; i <= AUTHRES_PROPERTIES_MAX; i++)
        buf_adds(&text, " smtp.a=b");
    assert_int_equal(read_line(buf_slice(&text), &line), STATUS_LIMIT);
    buf_release(&text);
    buf_release(&line);
}

static void writes_what_it_is_told(void **state)
{
    struct buf out = BUF_INIT;
    struct authres_writer w;
    authres_begin(&w, &out, "mx.example.org");
    authres_method(&w, "spf", "pass", NULL);
    authres_property(&w, "smtp", "mailfrom", "user@example.net");
    authres_property(&w, "smtp", "helo", "");
    authres_method(&w, "dkim", "fail", "body hash \"differs\"");
    authres_property(&w, "header", "d", "example.net");
    authres_property(&w, "header", "b", "aB/+c=");
    authres_method(&w, "dmarc", "pass", "");
    authres_comment(&w, "p=reject (tested)");
    authres_property(&w, "header", "from", "example.net");
    authres_property(&w, "policy", "dmarc", "reject");
    assert_int_equal(authres_end(&w), STATUS_OK);
    assert_string_equal(
        out.p,
        "mx.example.org;\n\tspf=pass smtp.mailfrom=user@example.net;\n\tdkim=fail reason=\"body hash \\\"differs\\\"\" "
        "header.d=example.net\n\theader.b=\"aB/+c=\";\n\tdmarc=pass (p=reject \\(tested\\)) "
        "header.from=example.net\n\tpolicy.dmarc=reject");
    buf_reset(&out);
    authres_begin(&w, &out, "mx.example.org");
    assert_int_equal(authres_end(&w), STATUS_OK);
    assert_string_equal(out.p, "mx.example.org; none");
    buf_reset(&out);
    authres_begin(&w, &out, "mx.example.org/4711");
    w.fold = "\r\n\t";
    authres_method(&w, "x-dane", "none", NULL);
    assert_int_equal(authres_end(&w), STATUS_OK);
    assert_string_equal(out.p, "\"mx.example.org/4711\";\r\n\tx-dane=none");
    buf_release(&out);
}

static void refuses_words_that_are_none(void **state)
{
    static const char *const words[] = {"", "a b", "a=b", "a;b", "-a", "a-", "a\nb", "a_b", "\xc3\xbc", "a.b", "a/1"};
    for (size_t i = 0; i < COUNT(words); i++) {
        struct buf out = BUF_INIT;
        struct authres_writer w;
        authres_begin(&w, &out, "x");
        authres_method(&w, words[i], "pass", NULL);
        assert_int_equal(authres_end(&w), STATUS_INVALID);
        buf_reset(&out);
        authres_begin(&w, &out, "x");
        authres_method(&w, "spf", "pass", NULL);
        authres_property(&w, words[i], "x", "y");
        assert_int_equal(authres_end(&w), STATUS_INVALID);
        buf_reset(&out);
        authres_begin(&w, &out, "x");
        authres_method(&w, "spf", words[i], NULL);
        assert_int_equal(authres_end(&w), STATUS_INVALID);
        buf_release(&out);
    }
    struct buf out = BUF_INIT;
    struct authres_writer w;
    authres_begin(&w, &out, "x");
    authres_property(&w, "smtp", "helo", "y");
    assert_int_equal(authres_end(&w), STATUS_INVALID);
    authres_begin(&w, &out, "");
    assert_int_equal(authres_end(&w), STATUS_INVALID);
    buf_release(&out);
}

/* Texts with which senders have cut or added results (a4, a5, a6, CVE-2020-12272), and worse. */
static const struct slice hostile[] = {
    LIT("legitimate.com'a.attack.com"),
    LIT("any@legitimate.com(a.attack.com"),
    LIT("legitimate.com'@any.attack.com"),
    LIT("a; dkim=pass header.d=legitimate.com"),
    LIT("a\r\n\tdkim=pass"),
    LIT("a\nBcc: x@y"),
    LIT("a\r\n\r\nbody"),
    LIT("a\""),
    LIT("a\\"),
    LIT("a\\\""),
    LIT("\"; dmarc=pass; x=\""),
    LIT("(("),
    LIT("))"),
    LIT("\\)"),
    LIT("a (b)"),
    LIT("\0"),
    LIT("a\0b"),
    LIT("\x7f\x1b[2J"),
    LIT("\xff\xfe"),
    LIT("j\xc3\xbcrgen@b\xc3\xbc"
        "cher.example"),
    LIT(" "),
    LIT("=?utf-8?Q?x?="),
    LIT("user@"),
    LIT("@example.com"),
    LIT("a@b@c"),
    LIT("a..b@c.example"),
    LIT("\"a b\"@c.example"),
    LIT("[192.0.2.1]"),
    LIT("a,b"),
    LIT("a=b"),
    LIT("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
};

static void no_line_breaks_out(const char *text)
{
    size_t line = 24;
    for (const char *p = text; *p; p++) {
        assert_true((*p >= 32 && *p < 127) || (*p == '\n' && p[1] == '\t') || *p == '\t');
        line = *p == '\n' ? 0 : line + 1;
        assert_true(line < 998);
    }
}

static void nothing_breaks_out(void **state)
{
    struct buf out = BUF_INIT, line = BUF_INIT;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        struct authres_writer w;
        char text[256];
        memcpy(text, hostile[i].p, hostile[i].n);
        text[hostile[i].n] = '\0';
        buf_reset(&out);
        authres_begin(&w, &out, "mx.example.org");
        authres_method(&w, "spf", "fail", text);
        authres_comment(&w, text);
        authres_property_slice(&w, "smtp", "mailfrom", hostile[i]);
        authres_comment(&w, text);
        authres_method(&w, "dkim", "none", NULL);
        assert_int_equal(authres_end(&w), STATUS_OK);
        no_line_breaks_out(out.p);
        assert_int_equal(strlen(out.p), out.n);
        if (read_line(buf_slice(&out), &line) != STATUS_OK)
            fail_msg("cannot be read back: %s", out.p);
        assert_true(strncmp(line.p, "mx.example.org/: spf/=fail", 26) == 0);
        assert_non_null(strstr(line.p, "; dkim/=none;"));
        struct arena *arena = arena_new(1 << 20);
        struct authres a;
        assert_int_equal(authres_parse(arena, buf_slice(&out), &a), STATUS_OK);
        assert_int_equal(a.count, 2);
        assert_int_equal(a.results[0].property_count, 1);
        arena_free(arena);
    }
    buf_release(&out);
    buf_release(&line);
}

static void long_texts_are_cut(void **state)
{
    struct buf out = BUF_INIT, line = BUF_INIT;
    struct authres_writer w;
    char text[4000];
    memset(text, '"', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    authres_begin(&w, &out, "mx.example.org");
    authres_method(&w, "spf", "fail", text);
    authres_comment(&w, text);
    authres_property(&w, "smtp", "mailfrom", text);
    assert_int_equal(authres_end(&w), STATUS_OK);
    no_line_breaks_out(out.p);
    assert_int_equal(read_line(buf_slice(&out), &line), STATUS_OK);
    assert_non_null(strstr(line.p, "\"\"\"..."));
    buf_release(&out);
    buf_release(&line);
}

static void folds_where_it_can(void **state)
{
    struct buf out = BUF_INIT;
    struct authres_writer w;
    authres_begin(&w, &out, "mx.example.org");
    authres_method(&w, "dkim", "pass", NULL);
    for (int i = 0; i < 20; i++)
        authres_property(&w, "header", "d", "a-domain-of-some-length.example.org");
    assert_int_equal(authres_end(&w), STATUS_OK);
    size_t column = 24, longest = 0;
    for (size_t i = 0; i < out.n; i++) {
        column = out.p[i] == '\n' ? 0 : out.p[i] == '\t' ? column + 8 : column + 1;
        longest = column > longest ? column : longest;
    }
    assert_true(longest <= 79); /* the ";" behind the last piece of a result may stand beyond */
    buf_release(&out);
}

/* RFC 5322 2.2.3: a fold takes the place of a blank, however long the fold and the piece behind it are. */
static void a_fold_takes_the_place_of_a_blank(void **state)
{
    static const char *const folds[] = {"\n\t", "\r\n\t"};
    char value[121];
    for (size_t length = 1; length < sizeof value; length++) {
        memset(value, 'v', length);
        value[length] = '\0';
        char unfolded[2][1000] = {{0}};
        for (size_t f = 0; f < 2; f++) {
            struct buf out = BUF_INIT;
            struct authres_writer w;
            authres_begin(&w, &out, "mx.example.org");
            w.fold = folds[f];
            authres_method(&w, "dkim", "pass", value);
            authres_property(&w, "header", "d", value);
            authres_comment(&w, value);
            assert_int_equal(authres_end(&w), STATUS_OK);
            for (size_t i = 0, n = 0; i < out.n && n + 1 < sizeof unfolded[f]; i++)
                if (strncmp(out.p + i, folds[f], strlen(folds[f])) == 0) {
                    unfolded[f][n++] = ' ';
                    i += strlen(folds[f]) - 1;
                } else {
                    unfolded[f][n++] = out.p[i];
                }
            buf_release(&out);
        }
        char expected[1000];
        snprintf(expected, sizeof expected, "mx.example.org; dkim=pass reason=\"%s\" header.d=%s (%s)", value, value,
                 value);
        assert_string_equal(unfolded[0], expected);
        assert_string_equal(unfolded[1], expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses_what_does_not_follow_the_grammar),
        cmocka_unit_test(reads_leniently),
        cmocka_unit_test(finds_results_and_properties),
        cmocka_unit_test(read_limits),
        cmocka_unit_test(writes_what_it_is_told),
        cmocka_unit_test(refuses_words_that_are_none),
        cmocka_unit_test(nothing_breaks_out),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(folds_where_it_can),
        cmocka_unit_test(a_fold_takes_the_place_of_a_blank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
