// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dmarc_record.c - the record's grammar (RFC 9989 4.7, 4.8) and the names of a walk (4.10), apart from DNS.
 */
#include "tests/unit/dmarc_case.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define LIT(s) {s, sizeof(s) - 1}

static void knows_a_record(void **state)
{
    static const struct {
        struct slice text;
        bool is;
    } t[] = {
        {LIT("v=DMARC1"), true},
        {LIT("v=DMARC1;"), true},
        {LIT("v=DMARC1; p=none"), true},
        {LIT("v=DMARC1;p=none"), true},
        {LIT("v=DMARC1 ; p=none"), true},
        {LIT("v = DMARC1; p=none"), true},
        {LIT("v\t=\tDMARC1\t;"), true},
        {LIT("V=DMARC1"), true},
        {LIT("v=DMARC1;\0"), true},
        {LIT("v=dmarc1"), false},
        {LIT("v=Dmarc1; p=none"), false},
        {LIT("v=DMARC10; p=none"), false},
        {LIT("v=DMARC2; p=none"), false},
        {LIT("v=DMARC"), false},
        {LIT("v=DMARC1 p=none"), false},
        {LIT("v=DMARC1, p=none"), false},
        {LIT("v=DMARC1\0; p=none"), false},
        {LIT(" v=DMARC1; p=none"), false},
        {LIT(";v=DMARC1; p=none"), false},
        {LIT("p=none; v=DMARC1"), false},
        {LIT("vv=DMARC1"), false},
        {LIT("v==DMARC1"), false},
        {LIT("v"), false},
        {LIT("v="), false},
        {LIT(""), false},
        {LIT("\"v=DMARC1; p=none\""), false},
        {LIT("v=\"DMARC1\"; p=none"), false},
        {LIT("v=spf1 -all"), false},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        char *copy = exact(t[i].text.p, t[i].text.n);
        if (dmarc_is_record(slice_of(copy, t[i].text.n)) != t[i].is)
            fail_msg("case %zu: %s", i, t[i].text.p);
        free(copy);
    }
}

static void state_of(char *out, size_t size, enum dmarc_tag_state s, enum dmarc_policy p)
{
    snprintf(out, size, "%s", s == DMARC_TAG_ABSENT ? "-" : s == DMARC_TAG_INVALID ? "!" : dmarc_policy_name(p));
}

/* A record as one line: p sp np psd t adkim aspf fo | rua ... | ruf ... */
static void line_of(const struct dmarc_record *r, struct buf *out)
{
    char p[16], sp[16], np[16];
    state_of(p, sizeof p, r->p_state, r->p);
    state_of(sp, sizeof sp, r->sp_state, r->sp);
    state_of(np, sizeof np, r->np_state, r->np);
    buf_printf(out, "%s %s %s %c %c %c %c %u |", p, sp, np, "uyn"[r->psd], r -> testing ? 'y' : 'n',
               r->adkim_strict ? 's' : 'r', r->aspf_strict ? 's' : 'r', r->fo);
    for (size_t i = 0; i < r->rua_count; i++)
        buf_printf(out, " %s", r->rua[i]);
    buf_adds(out, " |");
    for (size_t i = 0; i < r->ruf_count; i++)
        buf_printf(out, " %s", r->ruf[i]);
}

static const struct {
    const char *text, *expect;
} records[] = {
    {"v=DMARC1", "- - - u n r r 1 | |"},
    {"v=DMARC1; p=none", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=quarantine; sp=reject; np=none", "quarantine reject none u n r r 1 | |"},
    {"v=DMARC1; p = reject ; adkim = s ; aspf = s ; psd = y ; t = y", "reject - - y y s s 1 | |"},
    {"v=DMARC1; P=REJECT; ADKIM=S; PSD=N; T=Y", "reject - - n y s r 1 | |"},
    {"v=DMARC1;;; p=none;;", "none - - u n r r 1 | |"},
    {"v=DMARC1; p", "! - - u n r r 1 | |"},
    {"v=DMARC1; p=", "! - - u n r r 1 | |"},
    {"v=DMARC1; p=none reject", "! - - u n r r 1 | |"},
    {"v=DMARC1; p=none,", "! - - u n r r 1 | |"},
    {"v=DMARC1; p=none; p=none", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; p=reject", "! - - u n r r 1 | |"},
    {"v=DMARC1; p=none; adkim=s; adkim=r", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; adkim=strict; aspf=; psd=maybe; t=1", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; v=DMARC2", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; sp=\x01", "none ! - u n r r 1 | |"},
    {"v=DMARC1; p=none; sp=\xff", "none ! - u n r r 1 | |"},
    /* reporting URIs */
    {"v=DMARC1; p=none; rua=mailto:a@example.com", "none - - u n r r 1 | mailto:a@example.com |"},
    {"v=DMARC1; p=none; rua=mailto:a@example.com,mailto:b@example.com",
     "none - - u n r r 1 | mailto:a@example.com mailto:b@example.com |"},
    {"v=DMARC1; p=none; rua= mailto:a@example.com , mailto:b@example.com ",
     "none - - u n r r 1 | mailto:a@example.com mailto:b@example.com |"},
    {"v=DMARC1; p=none; rua=mailto:a@example.com!10m", "none - - u n r r 1 | mailto:a@example.com |"},
    {"v=DMARC1; p=none; rua=mailto:a@example.com!50", "none - - u n r r 1 | mailto:a@example.com |"},
    {"v=DMARC1; p=none; rua=mailto:a@example.com!10x", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; rua=mailto:a@example.com!", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; rua=mailto:a!b@example.com", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; rua=mailto:a%21b@example.com", "none - - u n r r 1 | mailto:a%21b@example.com |"},
    {"v=DMARC1; p=none; rua=mailto:a%2@example.com", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; rua=a@example.com", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; rua=mailto:", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; rua=mailto:example.com", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; rua=mailto:@example.com", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; rua=mailto:a@", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; rua=mailto:a@b c.example", "none - - u n r r 1 | |"},
    {"v=DMARC1; p=none; rua=MAILTO:a@example.com", "none - - u n r r 1 | MAILTO:a@example.com |"},
    {"v=DMARC1; p=none; rua=mailto:a@example.com?subject=x", "none - - u n r r 1 | mailto:a@example.com?subject=x |"},
    {"v=DMARC1; p=none; rua=https://example.com/r", "none - - u n r r 1 | https://example.com/r |"},
    {"v=DMARC1; p=none; rua=,,mailto:a@example.com,junk", "none - - u n r r 1 | mailto:a@example.com |"},
    {"v=DMARC1; p=none; ruf=mailto:f@example.com; fo=1:d:s", "none - - u n r r 14 | | mailto:f@example.com"},
    {"v=DMARC1; p=none; ruf=mailto:f@example.com; fo=d", "none - - u n r r 4 | | mailto:f@example.com"},
    {"v=DMARC1; p=none; ruf=mailto:f@example.com; fo=D:S:0", "none - - u n r r 13 | | mailto:f@example.com"},
    {"v=DMARC1; p=none; ruf=mailto:f@example.com; fo=0:1", "none - - u n r r 1 | | mailto:f@example.com"},
    {"v=DMARC1; p=none; ruf=mailto:f@example.com; fo=d:d", "none - - u n r r 1 | | mailto:f@example.com"},
    {"v=DMARC1; p=none; ruf=mailto:f@example.com; fo=x", "none - - u n r r 1 | | mailto:f@example.com"},
    {"v=DMARC1; p=none; fo=1", "none - - u n r r 1 | |" /* ignored without ruf (4.7) */},
};

static void reads_records(void **state)
{
    for (size_t i = 0; i < COUNT(records); i++) {
        struct arena *a = arena_new(1 << 16);
        struct buf line = BUF_INIT;
        struct dmarc_record r;
        size_t n = strlen(records[i].text);
        char *copy = exact(records[i].text, n);
        assert_int_equal(dmarc_record_parse(a, slice_of(copy, n), &r), STATUS_OK);
        free(copy);
        line_of(&r, &line);
        if (strcmp(line.p, records[i].expect) != 0)
            fail_msg("%s: got \"%s\", expected \"%s\"", records[i].text, line.p, records[i].expect);
        assert_string_equal(r.text, records[i].text);
        buf_release(&line);
        arena_free(a);
    }
}

static void has_limits(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct buf text = BUF_INIT;
    struct dmarc_record r;
    assert_int_equal(dmarc_record_parse(a, SLICE_LIT("v=spf1"), &r), STATUS_INVALID);
    buf_adds(&text, "v=DMARC1; p=none; rua=mailto:a@example.com");
    while (text.n < 4000)
        buf_adds(&text, ",mailto:a@example.com");
    assert_int_equal(dmarc_record_parse(a, buf_slice(&text), &r), STATUS_OK);
    assert_int_equal(r.rua_count, DMARC_URIS_MAX);
    while (text.n <= DMARC_RECORD_MAX)
        buf_adds(&text, ",mailto:a@example.com");
    assert_int_equal(dmarc_record_parse(a, buf_slice(&text), &r), STATUS_LIMIT);
    buf_release(&text);
    arena_free(a);
    a = arena_new(8);
    assert_int_equal(dmarc_record_parse(a, SLICE_LIT("v=DMARC1; p=none"), &r), STATUS_NOMEM);
    arena_free(a);
}

static void keeps_the_historic_pct(void **state)
{
    struct arena *a = arena_new(1 << 16);
    struct dmarc_record r;
    assert_int_equal(dmarc_record_parse(a, SLICE_LIT("v=DMARC1; p=reject; pct=25"), &r), STATUS_OK);
    assert_string_equal(r.pct, "25");
    assert_int_equal(dmarc_record_parse(a, SLICE_LIT("v=DMARC1; p=reject"), &r), STATUS_OK);
    assert_null(r.pct);
    arena_free(a);
}

/* 4.10: the eight queries for a.b.c.d.e.f.g.h.i.j.mail.example.com, and fewer labels. */
static void names_of_a_walk(void **state)
{
    static const struct {
        const char *start, *names;
    } t[] = {
        {"com", "com"},
        {"example.com", "example.com com"},
        {"a.mail.example.com", "a.mail.example.com mail.example.com example.com com"},
        {"1.2.3.4.5.6.7", "1.2.3.4.5.6.7 2.3.4.5.6.7 3.4.5.6.7 4.5.6.7 5.6.7 6.7 7"},
        {"1.2.3.4.5.6.7.8", "1.2.3.4.5.6.7.8 2.3.4.5.6.7.8 3.4.5.6.7.8 4.5.6.7.8 5.6.7.8 6.7.8 7.8 8"},
        {"0.1.2.3.4.5.6.7.8", "0.1.2.3.4.5.6.7.8 2.3.4.5.6.7.8 3.4.5.6.7.8 4.5.6.7.8 5.6.7.8 6.7.8 7.8 8"},
        {"a.b.c.d.e.f.g.h.i.j.mail.example.com",
         "a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com h.i.j.mail.example.com i.j.mail.example.com "
         "j.mail.example.com mail.example.com example.com com"},
        {"a.b.c.d.e.f.g.h.i.j.k.example.com", "a.b.c.d.e.f.g.h.i.j.k.example.com g.h.i.j.k.example.com "
                                              "h.i.j.k.example.com i.j.k.example.com j.k.example.com "
                                              "k.example.com example.com com"},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        const char *names[DMARC_WALK_MAX];
        struct buf seen = BUF_INIT;
        size_t n = dmarc_walk_names(t[i].start, names);
        for (size_t k = 0; k < n; k++)
            buf_printf(&seen, "%s%s", k ? " " : "", names[k]);
        assert_string_equal(seen.p, t[i].names);
        buf_release(&seen);
    }
}

/* Below the name that psd=y stands at, the label that the shortcut skipped may be the organisation (4.10.2, rule 2). */
static void one_label_below_may_never_have_been_asked(void **state)
{
    struct dmarc_world w;
    case_open(&w, D("7.6.5.4.3.2.1", "v=DMARC1; p=reject; psd=y"), "");
    const struct dmarc_walk *walk = dmarc_walk(w.scope, w.arena, "10.9.8.7.6.5.4.3.2.1");
    assert_non_null(walk);
    assert_string_equal(walk->org_domain, "8.7.6.5.4.3.2.1");
    assert_int_equal(walk->count, 2);
    assert_null(walk->org);
    assert_string_equal(walk->suffix->domain, "7.6.5.4.3.2.1");
    case_close(&w);
}

static void says_the_walk(void **state)
{
    struct dmarc_world w;
    struct buf text = BUF_INIT;
    case_open(&w,
              "_dmarc.a.example.com timeout\nexample.com nodata TXT\n" D("b.example.com", "x\\027y")
                  D("example.com", "v=DMARC1; p=none; x=\\027") "_dmarc.com bogus \"expired\"\n",
              "");
    dmarc_walk_describe(dmarc_walk(w.scope, w.arena, "a.example.com"), &text);
    assert_non_null(strstr(text.p, "_dmarc.a.example.com  temporary failure"));
    assert_non_null(strstr(text.p, "_dmarc.example.com  found, insecure: v=DMARC1; p=none; x=\\x1b\n"));
    assert_non_null(strstr(text.p, "_dmarc.com  bogus, "));
    assert_non_null(strstr(text.p, "Organizational Domain of a.example.com: could not be told, DNS failed\n"));
    buf_reset(&text);
    dmarc_walk_describe(dmarc_walk(w.scope, w.arena, "b.example.com"), &text);
    assert_non_null(strstr(text.p, "_dmarc.b.example.com  found, insecure: no DMARC record among the texts\n"));
    assert_null(strchr(text.p, 27));
    buf_release(&text);
    case_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_a_record),  cmocka_unit_test(reads_records),
        cmocka_unit_test(has_limits),      cmocka_unit_test(keeps_the_historic_pct),
        cmocka_unit_test(names_of_a_walk), cmocka_unit_test(one_label_below_may_never_have_been_asked),
        cmocka_unit_test(says_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
