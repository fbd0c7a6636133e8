// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_author_candidates.c - whom readers may see in a From field that cannot be parsed (RFC 9989 11.5): the plain
 * reading, the lenient one, and that neither can be flooded.
 */
#include "standards/message/author_candidates.h"
#include "base/buf.h"
#include "standards/message/format.h"
#include "tests/unit/cm.h"
#include <stdlib.h>

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define TEXT(s) s, sizeof(s) - 1

struct seen {
    struct buf names; /* " a.example b.example " */
};

static void found(void *context, const char *domain)
{
    struct seen *s = context;
    char name[300];
    snprintf(name, sizeof name, " %s ", domain);
    if (!strstr(s->names.p, name))
        buf_printf(&s->names, "%s%s ", s->names.n ? "" : " ", domain);
}

static const struct {
    const char *what, *value;
    size_t n;
    const char *expect; /* names that must be there, a blank round each; "!" before one that must not */
    bool disguised;
} cases[] = {
    {"a name that is none beside an address", TEXT(" Acme Inc <x@evil.example"), " evil.example ", false},
    {"two addresses without a comma", TEXT(" x@evil.example y@victim.example"), " evil.example victim.example ", false},
    {"in a comment only", TEXT(" <(x@comment.example)y@evil.example"), " evil.example !comment.example ", false},
    {"a comment that does not end hides nothing", TEXT(" (x@victim.example"), " victim.example ", false},
    {"a comment within the domain", TEXT(" x@vic(tim)tim.example>"), " victim.example ", false},
    {"a comment behind the sign", TEXT(" <x@(a(b)\\))victim.example"), " victim.example ", false},
    {"a fold within the domain", TEXT(" <x@victim\r\n .example"), " victim.example ", false},
    {"a fold behind the sign", TEXT(" <x@\r\n victim.example"), " victim.example ", false},
    {"blanks round the dots", TEXT(" <x @ victim . example"), " victim.example ", false},
    {"a CR alone", TEXT(" <x@vic\rtim.example>"), " victim.example ", true},
    {"a CR alone before another address", TEXT(" x@evil.example\r y@victim.example"), " evil.example victim.example ",
     true},
    {"NUL", TEXT(" <x@vic\0tim.example>"), " victim.example ", true},
    {"an octet above 127", TEXT(" <x@vic\xfftim.example>"), " victim.example ", true},
    {"a U-label",
     TEXT(" <x@b\xc3\xbc"
          "cher.example"),
     " xn--bcher-kva.example ", true},
    {"quotes within the domain", TEXT(" <x@\"victim\".example>"), " victim.example ", false},
    {"backslashes", TEXT(" <x@vi\\ctim.example>"), " victim.example ", false},
    {"an encoded word, Q", TEXT(" =?utf-8?q?boss=40victim.example?= <"), " victim.example ", true},
    {"an encoded word, B", TEXT(" =?utf-8?B?Ym9zc0B2aWN0aW0uZXhhbXBsZQ==?= <"), " victim.example ", true},
    {"a word of base64", TEXT(" PHhAdmljdGltLmV4YW1wbGU+, <x@evil.example>"), " evil.example victim.example ", false},
    {"a word of base64 in quotes, unpadded", TEXT(" \"Ym9zc0B2aWN0aW0uZXhhbXBsZQ\" <x@evil.example"),
     " evil.example victim.example ", false},
    {"a word that is base64 of nothing", TEXT(" Customers, Services <x@evil.example"), " evil.example ", false},
    {"an encoded word of UTF-7", TEXT(" =?utf-7?Q?boss+AEA-victim.example?="), " victim.example ", true},
    {"an encoded word of UTF-7 with a language (RFC 2231 5)", TEXT(" =?utf-7*en?Q?boss+AEA-victim.example?="),
     " victim.example ", true},
    {"an encoded word of UTF-7, all of it shifted", TEXT(" =?UTF-7?Q?+AGIAQAB2AGkAYwB0AGkAbQAuAGUAeABhAG0AcABsAGU-?="),
     " victim.example ", true},
    {"an encoded word in an encoded word", TEXT(" =?x?Q?=3D=3Fx=3FQ=3Fboss=40victim.example=3F=3D?="),
     " victim.example ", true},
    {"an encoded word that does not end", TEXT(" =?utf-8?Q?boss=40victim.example, <x@evil.example>"),
     " evil.example victim.example ", false},
    {"two encoded words", TEXT(" =?x?q?boss=40vic?=\r\n =?x?q?tim.example?= <"), " victim.example ", true},
    {"an encoded word as domain", TEXT(" <x@=?x?q?victim?=.example>"), " victim.example ", true},
    {"a wide at sign", TEXT(" <x\xef\xbc\xa0victim.example>"), " victim.example ", true},
    {"a small at sign", TEXT(" <x\xef\xb9\xabvictim.example>"), " victim.example ", true},
    {"no sign at all", TEXT(" The Boss"), "", false},
    {"no sign, but an encoded word", TEXT(" =?utf-8?q?The_Boss?="), "", true},
    {"a sign without a domain", TEXT(" boss@"), "", false},
    {"apostrophes round an address", TEXT(" 'boss@victim.example' <x@evil.example>"), " evil.example victim.example ",
     false},
    {"something behind a domain", TEXT(" <boss@victim.example.?x@evil.example>"), " victim.example ", false},
    {"empty labels", TEXT(" <boss@.victim..example.>"), " victim.example ", false},
    {"braces", TEXT(" {boss@victim.example}"), " victim.example ", false},
    {"a domain in brackets", TEXT(" <boss@[victim.example]>"), " victim.example ", false},
    {"a name of one label", TEXT(" <boss@localhost"), "!localhost ", false},
};

/* Words of `expect`: each must be seen, except those behind "!". */
static bool as_expected(const char *expect, const char *names)
{
    char word[300];
    for (const char *p = expect; *p; p += strcspn(p, " ")) {
        p += strspn(p, " ");
        size_t n = strcspn(p, " ");
        bool absent = *p == '!';
        if (!n)
            break;
        snprintf(word, sizeof word, " %.*s ", (int)(n - absent), p + absent);
        if ((strstr(names, word) != NULL) == absent)
            return false;
    }
    return *expect || !*names;
}

static void disguises(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct seen s = {BUF_INIT};
        struct author_candidates c = {.found = found, .context = &s};
        char *exact = malloc(cases[i].n); /* read beyond its end: the sanitizer sees it */
        memcpy(exact, cases[i].value, cases[i].n);
        author_candidates_read(&c, slice_of(exact, cases[i].n));
        bool disguised = author_is_disguised(slice_of(exact, cases[i].n));
        if (!as_expected(cases[i].expect, s.names.p) || disguised != cases[i].disguised || c.too_many) {
            print_error("%s: \"%s\"%s\n", cases[i].what, s.names.p, disguised ? ", disguised" : "");
            wrong++;
        }
        free(exact);
        buf_release(&s.names);
    }
    assert_int_equal(wrong, 0);
}

static void a_flood_is_told(void **state)
{
    struct seen s = {BUF_INIT};
    struct author_candidates c = {.found = found, .context = &s};
    struct buf text = BUF_INIT;
    (void)state;
    for (int i = 0; i <= AUTHOR_SIGNS_MAX; i++)
        buf_adds(&text, "@a.example ");
    buf_adds(&text, "@victim.example");
    author_candidates_read(&c, buf_slice(&text));
    assert_true(c.too_many);
    buf_reset(&text);
    for (int i = 0; i < 250000; i++) /* quadratic reading would take minutes */
        buf_adds(&text, i % 3 ? "(" : "=?x?q?");
    c = (struct author_candidates){.found = found, .context = &s};
    author_candidates_read(&c, buf_slice(&text));
    buf_release(&text);
    buf_release(&s.names);
}

static void finding(const char *text, size_t n, struct format_finding *f)
{
    struct arena *a = arena_new(16 << 20);
    struct header_list list;
    header_list_init(&list, a);
    assert_int_not_equal(header_parse_message(&list, slice_of(text, n), NULL), STATUS_NOMEM);
    format_check(a, &list, f);
    f->from = NULL;
    arena_free(a);
}

static void what_is_known_of_the_author(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        enum format_author author;
        size_t domains;
    } t[] = {
        {TEXT("Subject: x\n\n"), FORMAT_AUTHOR_ABSENT, 0},
        {TEXT("From: The Boss\n\n"), FORMAT_AUTHOR_ABSENT, 0},
        {TEXT("From: undisclosed:;\n\n"), FORMAT_AUTHOR_ABSENT, 0},
        {TEXT("From: =?utf-8?q?boss?=\n\n"), FORMAT_AUTHOR_HIDDEN, 0},
        {TEXT("From: b\xff\n\n"), FORMAT_AUTHOR_HIDDEN, 0},
        {TEXT("From: boss@\n\n"), FORMAT_AUTHOR_HIDDEN, 0},
        {TEXT("From: a\nFrom: b\n\n"), FORMAT_AUTHOR_HIDDEN, 0},
        {TEXT("From: a@a.example\n\n"), FORMAT_AUTHOR_READ, 1},
        {TEXT("From: a@a.example, b@b.example\n\n"), FORMAT_AUTHOR_READ, 2},
        {TEXT("From: =?x?q?c=40c.example?= <a@a.example>\n\n"), FORMAT_AUTHOR_READ, 1},
        {TEXT("From: a@a.example\nFrom: b@b.example\n\n"), FORMAT_AUTHOR_GUESSED, 2},
        {TEXT("From: a@a.example b@b.example\n\n"), FORMAT_AUTHOR_GUESSED, 2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct format_finding f;
        finding(t[i].text, t[i].n, &f);
        if (f.author != t[i].author || f.domain_count != t[i].domains || f.many_authors)
            fail_msg("%s: %d, %zu domains", t[i].text, f.author, f.domain_count);
    }
}

static void more_authors_than_are_judged(void **state)
{
    struct buf good = BUF_INIT, bad = BUF_INIT;
    struct format_finding f;
    (void)state;
    buf_adds(&good, "From: ");
    buf_adds(&bad, "From: broken ");
    for (int i = 0; i < FORMAT_DOMAINS_MAX; i++) {
        buf_printf(&good, "%sx@a%d.example", i ? ", " : "", i);
        buf_printf(&bad, "x@a%d.example ", i);
    }
    finding(good.p, good.n, &f);
    assert_false(f.many_authors);
    finding(bad.p, bad.n, &f);
    assert_false(f.many_authors);
    buf_adds(&good, ", x@victim.example");
    buf_adds(&bad, "x@victim.example");
    finding(good.p, good.n, &f);
    assert_true(f.many_authors);
    finding(bad.p, bad.n, &f);
    assert_true(f.many_authors);
    buf_release(&good);
    buf_release(&bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disguises),
        cmocka_unit_test(a_flood_is_told),
        cmocka_unit_test(what_is_known_of_the_author),
        cmocka_unit_test(more_authors_than_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
