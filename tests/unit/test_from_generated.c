// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_from_generated.c - From fields made by RFC 5322's own rules, at random: each rule of 3.2 to 3.4 and RFC 6854
 * that we take has a function that writes an instance of it. Every field must be taken, and give exactly the addresses
 * that went in. One octet of damage to the address part of a field must never give an address of another domain than
 * one that stands in it.
 *
 * The generator is seeded: a failure names its field, and comes again.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "standards/message/lex822.h"
#include "standards/message/mailaddr.h"
#include "tests/unit/cm.h"
#include <stdio.h>

#define ROUNDS 30000

static uint32_t seed = 53226854;

static uint32_t random_next(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)seed * below) >> 32);
}

static void any_of(struct buf *b, const char *octets, uint32_t at_most)
{
    for (uint32_t n = 1 + random_next(at_most); n; n--)
        buf_addc(b, octets[random_next((uint32_t)strlen(octets))]);
}

#define ALNUM "abcxyzABCXYZ0189"
#define ATEXT ALNUM "!#$%&'*+-/^_`{|}~"

static void fws(struct buf *b)
{
    static const char *const forms[] = {" ", "\t", "  ", "\r\n ", " \r\n\t", "\n ", "\r\n \r\n "};
    buf_adds(b, forms[random_next(7)]);
}

static void comment(struct buf *b, int depth)
{
    buf_addc(b, '(');
    for (uint32_t n = random_next(4); n; n--) {
        switch (random_next(depth ? 5 : 4)) {
        case 0:
            fws(b);
            break;
        case 1:
            any_of(b, ATEXT "<>@,;:.[]\"", 5);
            break;
        case 2:
            buf_adds(b, "\\");
            any_of(b, ATEXT "()\\\" ", 1);
            break;
        case 3:
            buf_adds(b, "\xc3\xbc");
            break;
        default:
            comment(b, depth - 1);
        }
    }
    buf_addc(b, ')');
}

static void cfws(struct buf *b)
{
    for (uint32_t n = random_next(3); n; n--) {
        if (random_next(2))
            fws(b);
        else
            comment(b, 2);
    }
}

/* Writes the quoted-string and appends what it says. */
static void quoted_string(struct buf *b, struct buf *says)
{
    static const char text[] = ATEXT " <>@,;:.[]()";
    buf_addc(b, '"');
    for (uint32_t n = 1 + random_next(6); n; n--) {
        bool pair = random_next(4) == 0;
        char c = pair ? "\"\\a(<"[random_next(5)] : text[random_next(sizeof text - 1)];
        if (pair)
            buf_addc(b, '\\');
        buf_addc(b, c);
        buf_addc(says, c);
    }
    buf_addc(b, '"');
}

static void atom(struct buf *b)
{
    any_of(b, ATEXT, 6);
}

static void dot_atom(struct buf *b)
{
    atom(b);
    for (uint32_t n = random_next(3); n; n--) {
        buf_addc(b, '.');
        atom(b);
    }
}

/* Also with blanks or comments round the first dot (obs-domain). `kept` is the name without them. */
static void domain_make(struct buf *b, struct buf *kept)
{
    const bool gap = random_next(4) == 0;
    for (uint32_t n = random_next(3), first = n; n; n--) {
        const size_t at = b->n;
        any_of(b, ALNUM, 5);
        buf_add(kept, b->p + at, b->n - at);
        buf_addc(kept, '.');
        if (gap && n == first)
            cfws(b);
        buf_addc(b, '.');
        if (gap && n == first)
            cfws(b);
    }
    const size_t at = b->n;
    buf_adds(b, random_next(5) ? "Example"
                               : "b\xc3\xbc"
                                 "cher");
    buf_add(kept, b->p + at, b->n - at);
}

static void buf_lower(struct buf *b)
{
    for (size_t i = 0; i < b->n; i++)
        b->p[i] = (char)(b->p[i] >= 'A' && b->p[i] <= 'Z' ? b->p[i] + 32 : b->p[i]);
}

/* obs-local-part: atoms with blanks or comments round their dots. */
static void obs_local_part(struct buf *b, struct buf *says)
{
    for (uint32_t n = 1 + random_next(3);; n--) {
        const size_t at = b->n;
        atom(b);
        buf_add(says, b->p + at, b->n - at);
        if (!n)
            return;
        cfws(b);
        buf_addc(b, '.');
        buf_addc(says, '.');
        cfws(b);
    }
}

/* addr-spec; appends "local@domain" to the addresses expected. */
static void addr_spec(struct buf *b, struct buf *expect)
{
    struct buf local = BUF_INIT, name = BUF_INIT;
    struct mailbox m = {.domain = NULL};
    cfws(b);
    size_t at = b->n;
    if (random_next(4)) {
        dot_atom(b);
        buf_add(&local, b->p + at, b->n - at);
    } else if (random_next(2)) {
        obs_local_part(b, &local);
    } else {
        quoted_string(b, &local);
    }
    cfws(b);
    buf_addc(b, '@');
    cfws(b);
    domain_make(b, &name);
    buf_lower(&name);
    char *umlaut = strstr(name.p, "b\xc3\xbc"
                                  "cher");
    if (umlaut) {
        buf_cut(&name, (size_t)(umlaut - name.p));
        buf_adds(&name, "xn--bcher-kva");
    }
    cfws(b);
    m.local = buf_slice(&local);
    m.domain = name.p;
    mailaddr_add(expect, &m);
    buf_addc(expect, '\n');
    buf_release(&local);
    buf_release(&name);
}

static void phrase(struct buf *b)
{
    struct buf ignored = BUF_INIT;
    cfws(b);
    atom(b);
    for (uint32_t n = random_next(4); n; n--) {
        fws(b);
        switch (random_next(5)) {
        case 0:
            quoted_string(b, &ignored);
            break;
        case 1:
            buf_adds(b, "=?utf-8?Q?J=C3=BCrgen_x?=");
            break;
        case 2:
            buf_adds(b, "Q.");
            break;
        case 3:
            buf_adds(b, "M\xfcller");
            break;
        default:
            atom(b);
        }
    }
    cfws(b);
    buf_release(&ignored);
}

static void mailbox(struct buf *b, struct buf *expect)
{
    uint32_t form = random_next(3);
    if (form == 0) {
        addr_spec(b, expect);
        return;
    }
    if (form == 1)
        phrase(b);
    else
        cfws(b);
    buf_addc(b, '<');
    addr_spec(b, expect);
    buf_addc(b, '>');
    cfws(b);
}

static void mailbox_list(struct buf *b, struct buf *expect)
{
    mailbox(b, expect);
    for (uint32_t n = random_next(3); n; n--) {
        buf_addc(b, ',');
        if (random_next(6) == 0) {
            cfws(b);
            buf_addc(b, ',');
        }
        mailbox(b, expect);
    }
}

static void address_make(struct buf *b, struct buf *expect)
{
    if (random_next(5)) {
        mailbox(b, expect);
        return;
    }
    phrase(b);
    buf_addc(b, ':');
    if (random_next(3))
        mailbox_list(b, expect);
    else
        cfws(b);
    buf_addc(b, ';');
    cfws(b);
}

static void from(struct buf *b, struct buf *expect)
{
    buf_reset(b);
    buf_reset(expect);
    address_make(b, expect);
    for (uint32_t n = random_next(3); n; n--) {
        buf_addc(b, ',');
        address_make(b, expect);
    }
}

static void every_field_of_the_grammar_is_taken(void **state)
{
    struct buf text = BUF_INIT, expect = BUF_INIT, got = BUF_INIT;
    for (int i = 0; i < ROUNDS; i++) {
        struct arena *a = arena_new(1 << 20);
        struct mailbox *box = NULL;
        size_t count = 0;
        const char *why = "";
        from(&text, &expect);
        char *copy = exact(text.p, text.n);
        if (mailaddr_from(a, slice_of(copy, text.n), &box, &count, &why) != STATUS_OK)
            fail_msg("refused (%s): %s", why, text.p);
        buf_reset(&got);
        for (size_t k = 0; k < count; k++) {
            mailaddr_add(&got, &box[k]);
            buf_addc(&got, '\n');
        }
        if (strcmp(got.p, expect.p) != 0)
            fail_msg("%s\ngave:\n%sexpected:\n%s", text.p, got.p, expect.p);
        free(copy);
        arena_free(a);
    }
    buf_release(&text);
    buf_release(&expect);
    buf_release(&got);
}

/* Tells whether the name stands here, without regard to case and to blanks and comments round dots. */
static bool stands_here(struct slice name, struct lex at)
{
    for (size_t i = 0; i < name.n; i++) {
        struct lex before = at;
        if (lex_cfws(&at) && lex_peek(&at) != '.')
            at = before;
        if (lex_end(&at) || !slice_eq_nocase(slice_of(name.p + i, 1), slice_of(at.p, 1)))
            return false;
        at.p++;
        if (name.p[i] == '.' && !lex_cfws(&at))
            return false;
    }
    return true;
}

/* Tells whether a canonical domain stands in the text. Names that IDNA changed are not looked for. */
static bool stands_in(const char *domain, struct slice text)
{
    struct slice name = slice_str(domain);
    if (strstr(domain, "xn--"))
        return true;
    for (size_t i = 0; i + name.n <= text.n; i++)
        if (stands_here(name, lex_of(slice_from(text, i))))
            return true;
    return false;
}

static void damage_gives_no_domain_that_is_not_there(void **state)
{
    static const char with[] = "\"\\()<>,;:@. \r\n[]\x01\xc3";
    struct buf text = BUF_INIT, expect = BUF_INIT;
    size_t taken = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct arena *a = arena_new(1 << 20);
        struct mailbox *box = NULL;
        size_t count = 0;
        const char *why = "";
        from(&text, &expect);
        text.p[random_next((uint32_t)text.n)] = with[random_next(sizeof with - 1)];
        char *copy = exact(text.p, text.n);
        if (mailaddr_from(a, slice_of(copy, text.n), &box, &count, &why) == STATUS_OK) {
            taken++;
            for (size_t k = 0; k < count; k++)
                if (box[k].domain && !stands_in(box[k].domain, buf_slice(&text)))
                    fail_msg("%s is not in: %s", box[k].domain, text.p);
        }
        free(copy);
        arena_free(a);
    }
    assert_true(taken > 0 && taken < ROUNDS);
    buf_release(&text);
    buf_release(&expect);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_the_grammar_is_taken),
        cmocka_unit_test(damage_gives_no_domain_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
