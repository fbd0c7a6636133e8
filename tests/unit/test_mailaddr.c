// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_mailaddr.c - paths of SMTP: RFC 5321 4.1.2, 4.1.3, 4.5.1, RFC 6531 3.3, and the envelope tricks of spoofers.
 */
#include "base/arena.h"
#include "base/limits.h"
#include "standards/message/mailaddr.h"
#include "tests/unit/cm.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

static enum status path_parse(struct arena *a, const char *text, size_t n, bool utf8, struct mailbox *out)
{
    char *copy = exact(text, n);
    enum status s = mailaddr_path(a, slice_of(copy, n), utf8, out);
    free(copy);
    return s;
}

static void takes_the_good(void **state)
{
    static const struct {
        const char *in, *out;
        bool utf8;
    } t[] = {
        {"<user@example.com>", "user@example.com", false},
        {"user@example.com", "user@example.com", false},
        {" <user@example.com> ", "user@example.com", false},
        {"<User@EXAMPLE.com>", "User@example.com", false},
        {"<>", "", false},
        {"", "", false},
        {"<postmaster>", "postmaster", false},
        {"<Postmaster>", "Postmaster", false},
        {"<@a.example,@b.example:user@c.example>", "user@c.example", false},
        {"<@a.example:user@c.example>", "user@c.example", false},
        {"@a.example:user@c.example", "user@c.example", false},
        {"<@legitimate.com,@any.com:'any@attack.com>", "'any@attack.com", false},
        {"<\"quoted local\"@example.com>", "\"quoted local\"@example.com", false},
        {"<\"a\\\"b\\\\c\"@example.com>", "\"a\\\"b\\\\c\"@example.com", false},
        {"<\"a@b\"@example.com>", "\"a@b\"@example.com", false},
        {"<\"plain\"@example.com>", "plain@example.com", false},
        {"<\"\"@example.com>", "\"\"@example.com", false},
        {"<bounce+a=b-example.org@lists.example.com>", "bounce+a=b-example.org@lists.example.com", false},
        {"<!#$%&'*+-/=?^_`{|}~@example.com>", "!#$%&'*+-/=?^_`{|}~@example.com", false},
        {"<a@[192.0.2.1]>", "a@[192.0.2.1]", false},
        {"<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", false},
        {"<a@[ipv6:2001:db8::1]>", "a@[ipv6:2001:db8::1]", false},
        {"<a@localhost>", "a@localhost", false},
        {"<a@a_b.example>", "a@a_b.example", false},
        {"<a@xn--bcher-kva.example>", "a@xn--bcher-kva.example", false},
        {"<a@b\xc3\xbc"
         "cher.example>",
         "a@xn--bcher-kva.example", true},
        {"<j\xc3\xbcrgen@example.com>", "j\xc3\xbcrgen@example.com", true},
        {"<\"j\xc3\xbcrgen m\"@example.com>", "\"j\xc3\xbcrgen m\"@example.com", true},
        {"<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com>",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com", false},
    };
    struct buf text = BUF_INIT;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena *a = arena_new(1 << 16);
        struct mailbox m;
        if (path_parse(a, t[i].in, strlen(t[i].in), t[i].utf8, &m) != STATUS_OK)
            fail_msg("refused: %s", t[i].in);
        buf_reset(&text);
        mailaddr_add(&text, &m);
        assert_string_equal(text.p, t[i].out);
        arena_free(a);
    }
    buf_release(&text);
}

#define LIT(s) {s, sizeof(s) - 1}

static void refuses_the_bad(void **state)
{
    static const struct {
        const char *p;
        size_t n;
    } t[] = {
        LIT("<(any@legitimate.com>"),
        LIT("<any@legitimate.com(a.attack.com>"),
        LIT("<any@legitimate.com\0.attack.com>"),
        LIT("<any\0@attack.com>"),
        LIT("<"),
        LIT(">"),
        LIT("<<>>"),
        LIT("<a@b.example"),
        LIT("a@b.example>"),
        LIT("<a@b.example>x"),
        LIT("<a@b.example> x"),
        LIT("<a@b.example><c@d.example>"),
        LIT("<a>"),
        LIT("<a@>"),
        LIT("<a@ c.example>"),
        LIT("<a@c..example>"),
        LIT("<a@.c.example>"),
        LIT("<a@c,d.example>"),
        LIT("<@a.example:>"),
        LIT("<\"a@c.example>"),
        LIT("<\"a\"b@c.example>"),
        LIT("<\"a\x01\"@c.example>"),
        LIT("<\"a\tb\"@c.example>"),
        LIT("<\"a\\\x01\"@c.example>"),
        LIT("<a@[192.0.2.256]>"),
        LIT("<a@[192.0.2.1>"),
        LIT("<a@192.0.2.1]>"),
        LIT("<a@[2001:db8::1]>"),
        LIT("<a@[IPv6:192.0.2.1]>"),
        LIT("<a@[x:y]>"),
        LIT("<a@[]>"),
        LIT("<a@[192.0.2.1].example>"),
        LIT("<a\r\n@b.example>"),
        LIT("<a@b.example\r\n>"),
        LIT("<a@b.example\n>"),
        LIT("<a(c)@b.example>"),
        LIT("<a@b.example(c)>"),
        LIT("<a\\b@c.example>"),
        LIT("<a@c\xff.example>"),
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena *a = arena_new(1 << 16);
        struct mailbox m = {.domain = "untouched"};
        if (path_parse(a, t[i].p, t[i].n, false, &m) != STATUS_INVALID)
            fail_msg("taken: %s", t[i].p);
        assert_string_equal(m.domain, "untouched");
        arena_free(a);
    }
}

/* Local parts that RFC 5321 does not know, and that MTAs take: the domain is what follows the last "@". */
static void odd_paths(void **state)
{
    static const struct {
        const char *path, *local, *domain;
    } t[] = {
        {"<a..b@d.example>", "a..b", "d.example"},
        {"<a.@d.example>", "a.", "d.example"},
        {"<.a@d.example>", ".a", "d.example"},
        {"<a:b@d.example>", "a:b", "d.example"},
        {"<a;b@d.example>", "a;b", "d.example"},
        {"<a@b@d.example>", "a@b", "d.example"},
        {"a@b@d.example", "a@b", "d.example"},
        {"<a@d.example.>", "a", "d.example"},
        {"<a..b@d.example.>", "a..b", "d.example"},
        {"<a b@d.example>", "a b", "d.example"},
        {"< a@d.example >", "a", "d.example"},
        {"<@victim.example>", "", "victim.example"}, /* RFC 7208 4.3: postmaster is put in for SPF */
        {"<@r.example:a..b@d.example>", "a..b", "d.example"},
        {"<@r.example b@d.example>", "@r.example b", "d.example"},
        {"<@r.example:@s.example:c@d.example>", "@s.example:c", "d.example"},
        {"<j\xfcrgen@d.example>", "j\xfcrgen", "d.example"},
        {"<j\xc3\xbcrgen@d.example>", "j\xc3\xbcrgen", "d.example"},
        {"<\"j\xfc\"@d.example>", "j\xfc", "d.example"},
        {"<a@b\xc3\xbc"
         "cher.example>",
         "a", "xn--bcher-kva.example"},
        {"<a@-c.example>", "a", "-c.example"},
        {"<any@legitimate.com'@any.attack.com>", "any@legitimate.com'", "any.attack.com"},
        {"<@a.example,:b@c.example>", "b", "c.example"},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena *a = arena_new(1 << 16);
        struct mailbox m;
        if (path_parse(a, t[i].path, strlen(t[i].path), false, &m) != STATUS_OK)
            fail_msg("refused: %s", t[i].path);
        assert_int_equal(m.notes, MAILBOX_ODD_ADDRESS);
        assert_string_equal(m.domain, t[i].domain);
        if (!slice_eq(m.local, slice_str(t[i].local)))
            fail_msg("%s: local part %.*s", t[i].path, (int)m.local.n, m.local.p);
        arena_free(a);
    }
}

static void smtputf8_must_be_utf8(void **state)
{
    static const char *const t[] = {"<a@b\xfc"
                                    "cher.example>",
                                    "<\"\\\xc3\xbc\"@example.com>"};
    struct arena *a = arena_new(1 << 16);
    for (size_t i = 0; i < COUNT(t); i++) {
        struct mailbox m;
        assert_int_equal(path_parse(a, t[i], strlen(t[i]), true, &m), STATUS_INVALID);
    }
    arena_free(a);
}

static void has_limits(void **state)
{
    char text[LIMIT_ADDRESS + 2];
    struct mailbox m;
    struct arena *a = arena_new(1 << 16);
    memset(text, 'a', sizeof text);
    assert_int_equal(path_parse(a, text, LIMIT_ADDRESS + 1, false, &m), STATUS_LIMIT);
    arena_free(a);
    a = arena_new(1);
    assert_int_equal(path_parse(a, "<a@b.example>", 13, false, &m), STATUS_NOMEM);
    arena_free(a);
}

static void null_path_and_postmaster_have_no_domain(void **state)
{
    struct arena *a = arena_new(1 << 16);
    struct mailbox m;
    assert_int_equal(path_parse(a, "<>", 2, false, &m), STATUS_OK);
    assert_null(m.domain);
    assert_int_equal(m.local.n, 0);
    assert_int_equal(path_parse(a, "<PostMaster>", 12, false, &m), STATUS_OK);
    assert_null(m.domain);
    assert_int_equal(m.local.n, 10);
    assert_int_equal(path_parse(a, "<a@[192.0.2.1]>", 15, false, &m), STATUS_OK);
    assert_null(m.domain);
    assert_true(slice_eq(m.literal, SLICE_LIT("[192.0.2.1]")));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_good), cmocka_unit_test(refuses_the_bad),
        cmocka_unit_test(odd_paths),      cmocka_unit_test(smtputf8_must_be_utf8),
        cmocka_unit_test(has_limits),     cmocka_unit_test(null_path_and_postmaster_have_no_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
