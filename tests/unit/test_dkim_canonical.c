// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dkim_canonical.c - the canonical forms of RFC 6376 3.4 on headers and bodies, each with its canonical text
 * written out by hand, through whole signatures. Every case runs with folds as CRLF (Sendmail, a file) and as LF
 * (Postfix), and with the body in pieces of 1 octet, of 7, and whole.
 */
#include "tests/unit/dkim_lab.h"
#include "engines/engines.h"
#include "standards/dkim/dkim_canonical.h"
#include "standards/dkim/dkim_checker.h"

static const char zone[] = "s._domainkey.example.org TXT \"v=DKIM1; p={RSA2048}\"\n";

struct form_case {
    const char *name;
    const char *c; /* c= */
    const char *h; /* h= */
    struct lab_field fields[6];
    const char *headers; /* canonical */
    const char *body, *canonical_body;
    const char *tags, *canonical_field; /* NULL: the usual ones */
    bool fails;                         /* the texts given are not the canonical ones: must not verify */
    const char *opendkim;               /* it does not agree, or does not judge: why, and by what we are right */
};

#define FROM {"From", " a@example.org"}
#define SFROM "From: a@example.org\r\n"
#define RFROM "from:a@example.org\r\n"

static const struct form_case cases[] = {
    /* RFC 6376 3.4.5: the examples. */
    {"RFC 6376 3.4.5, relaxed",
     "relaxed/relaxed",
     "a:b:from",
     {{"A", " X"}, {"B ", " Y\t\r\n\tZ  "}, FROM},
     "a:X\r\nb:Y Z\r\n" RFROM,
     " C \r\nD \t E\r\n\r\n\r\n",
     " C\r\nD E\r\n"},
    {"RFC 6376 3.4.5, simple",
     "simple/simple",
     "a:b:from",
     {{"A", " X"}, {"B ", " Y\t\r\n\tZ  "}, FROM},
     "A: X\r\nB : Y\t\r\n\tZ  \r\n" SFROM,
     " C \r\nD \t E\r\n\r\n\r\n",
     " C \r\nD \t E\r\n"},
    {"RFC 6376 3.4.5, relaxed/simple",
     "relaxed/simple",
     "a:b:from",
     {{"A", " X"}, {"B ", " Y\t\r\n\tZ  "}, FROM},
     "a:X\r\nb:Y Z\r\n" RFROM,
     " C \r\nD \t E\r\n\r\n\r\n",
     " C \r\nD \t E\r\n"},

    /* Header, simple (3.4.1). */
    {"simple: no blank after the colon",
     "simple/simple",
     "from",
     {{"From", "a@example.org"}},
     "From:a@example.org\r\n",
     "",
     "\r\n"},
    {"simple: several blanks",
     "simple/simple",
     "from",
     {{"FROM", "  a@example.org \t"}},
     "FROM:  a@example.org \t\r\n",
     "",
     "\r\n"},
    {"simple: an empty value",
     "simple/simple",
     "from:subject",
     {FROM, {"Subject", ""}},
     SFROM "Subject:\r\n",
     "",
     "\r\n"},
    {"simple: a fold of blanks",
     "simple/simple",
     "from:x",
     {FROM, {"X", " a\r\n \r\n b"}},
     SFROM "X: a\r\n \r\n b\r\n",
     "",
     "\r\n"},
    {"simple: case of names stays",
     "simple/simple",
     "from:subject",
     {FROM, {"SUBJECT", " x"}},
     SFROM "subject: x\r\n",
     "",
     "\r\n",
     .fails = true},
    {"simple: one blank less",
     "simple/simple",
     "from:subject",
     {FROM, {"Subject", "  x"}},
     SFROM "Subject: x\r\n",
     "",
     "\r\n",
     .fails = true},
    {"simple: octets over 127",
     "simple/simple",
     "from:subject",
     {FROM, {"Subject", " \xff\xe4\x80"}},
     SFROM "Subject: \xff\xe4\x80\r\n",
     "",
     "\r\n"},

    /* Header, relaxed (3.4.2). */
    {"relaxed: names in lower case",
     "relaxed/simple",
     "From:SubJect",
     {{"FROM", " a"}, {"sUbJECT", " x"}},
     "from:a\r\nsubject:x\r\n",
     "",
     "\r\n"},
    {"relaxed: blanks about the colon",
     "relaxed/simple",
     "from",
     {{"From \t", "\t a "}},
     "from:a\r\n",
     "",
     "\r\n",
     .opendkim = "finds no From under that name; RFC 6376 3.4.2 has the blanks deleted"},
    {"relaxed: unfolded", "relaxed/simple", "from", {{"From", "\r\n a\r\n\tb\r\n  c"}}, "from:a b c\r\n", "", "\r\n"},
    {"relaxed: runs of blanks", "relaxed/simple", "from", {{"From", " a \t  b"}}, "from:a b\r\n", "", "\r\n"},
    {"relaxed: a fold of blanks", "relaxed/simple", "from", {{"From", " a\r\n \t \r\n b"}}, "from:a b\r\n", "", "\r\n"},
    {"relaxed: blanks at the end", "relaxed/simple", "from", {{"From", " a \r\n "}}, "from:a\r\n", "", "\r\n"},
    {"relaxed: empty",
     "relaxed/simple",
     "from:x:y",
     {{"From", ""}, {"X", " "}, {"Y", "\r\n "}},
     "from:\r\nx:\r\ny:\r\n",
     "",
     "\r\n"},
    {"relaxed: no blank is not a blank",
     "relaxed/simple",
     "from",
     {{"From", " a b"}},
     "from:ab\r\n",
     "",
     "\r\n",
     .fails = true},
    {"relaxed: a colon in the value",
     "relaxed/simple",
     "from:x",
     {FROM, {"X", " a : b:c"}},
     RFROM "x:a : b:c\r\n",
     "",
     "\r\n"},
    {"relaxed: a CR of its own stays",
     "relaxed/simple",
     "from:x",
     {FROM, {"X", " a\rb"}},
     RFROM "x:a\rb\r\n",
     "",
     "\r\n",
     .opendkim = "takes a CR of its own for a blank or a line end; RFC 6376 2.8 has WSP as space and tab"},

    /* The signature's own field (3.5 b=, 3.7). */
    {"own field folded, relaxed",
     "relaxed/simple",
     "from",
     {FROM},
     RFROM,
     "",
     "\r\n",
     .tags = "\r\n\tv=1; a=rsa-sha256;\r\n c=relaxed/simple; d=example.org;\r\n  s=s; h=from; bh={BH};\r\n\tb=",
     .canonical_field = "v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=s; h=from; bh={BH}; b="},
    {"own field folded, simple",
     "simple/simple",
     "from",
     {FROM},
     SFROM,
     "",
     "\r\n",
     .tags = "\r\n\tv=1; a=rsa-sha256;\r\n d=example.org;  s=s; h=from; bh={BH};\r\n\tb=",
     .canonical_field = "\r\n\tv=1; a=rsa-sha256;\r\n d=example.org;  s=s; h=from; bh={BH};\r\n\tb="},
    {"own field, blanks about tags, relaxed",
     "relaxed/simple",
     "from",
     {FROM},
     RFROM,
     "",
     "\r\n",
     .tags = "  v = 1 ;a=rsa-sha256;c=relaxed/simple ; d= example.org; s=s; h= from ; bh={BH} ; b=",
     .canonical_field = "v = 1 ;a=rsa-sha256;c=relaxed/simple ; d= example.org; s=s; h= from ; bh={BH} ; b="},

    /* Body, simple (3.4.3). */
    {"simple body: empty", "simple/simple", "from", {FROM}, SFROM, "", "\r\n"},
    {"simple body: one line end", "simple/simple", "from", {FROM}, SFROM, "\r\n", "\r\n"},
    {"simple body: only line ends", "simple/simple", "from", {FROM}, SFROM, "\r\n\r\n\r\n\r\n", "\r\n"},
    {"simple body: no line end at the end", "simple/simple", "from", {FROM}, SFROM, "abc", "abc\r\n"},
    {"simple body: empty lines at the end", "simple/simple", "from", {FROM}, SFROM, "abc\r\n\r\n\r\n", "abc\r\n"},
    {"simple body: empty lines within and before",
     "simple/simple",
     "from",
     {FROM},
     SFROM,
     "\r\n\r\na\r\n\r\nb\r\n",
     "\r\n\r\na\r\n\r\nb\r\n"},
    {"simple body: blanks stay", "simple/simple", "from", {FROM}, SFROM, " a  b \t\r\n \r\n", " a  b \t\r\n \r\n"},
    {"simple body: LF is a line end", "simple/simple", "from", {FROM}, SFROM, "a\nb\n\n\n", "a\r\nb\r\n"},
    {"simple body: a CR of its own stays",
     "simple/simple",
     "from",
     {FROM},
     SFROM,
     "a\rb\r\r\n\r",
     "a\rb\r\r\n\r\r\n",
     .opendkim = "takes a CR of its own for a blank or a line end; RFC 6376 2.8 has WSP as space and tab"},
    {"simple body: a dot at a line's start", "simple/simple", "from", {FROM}, SFROM, ".\r\n..a\r\n", ".\r\n..a\r\n"},

    /* Body, relaxed (3.4.4). */
    {"relaxed body: empty", "relaxed/relaxed", "from", {FROM}, RFROM, "", ""},
    {"relaxed body: only line ends", "relaxed/relaxed", "from", {FROM}, RFROM, "\r\n\r\n", ""},
    {"relaxed body: only blanks and line ends", "relaxed/relaxed", "from", {FROM}, RFROM, " \t \r\n\t\r\n  ", ""},
    {"relaxed body: no line end at the end",
     "relaxed/relaxed",
     "from",
     {FROM},
     RFROM,
     "a",
     "a\r\n",
     .opendkim = "adds no line end to a short last line; RFC 6376 3.4.4 (b)"},
    {"relaxed body: blanks at line ends", "relaxed/relaxed", "from", {FROM}, RFROM, "a \t\r\nb  \r\n", "a\r\nb\r\n"},
    {"relaxed body: blanks at the end, no line end",
     "relaxed/relaxed",
     "from",
     {FROM},
     RFROM,
     "a \t\r\nb  ",
     "a\r\nb\r\n",
     .opendkim = "keeps blanks that no line end follows; RFC 6376 3.4.4 (a)"},
    {"relaxed body: blanks at the start become one", "relaxed/relaxed", "from", {FROM}, RFROM, " \t a\r\n", " a\r\n"},
    {"relaxed body: runs become one", "relaxed/relaxed", "from", {FROM}, RFROM, "a  b\tc \t d\r\n", "a b c d\r\n"},
    {"relaxed body: empty lines stay within",
     "relaxed/relaxed",
     "from",
     {FROM},
     RFROM,
     "a\r\n\r\n \r\nb\r\n\r\n",
     "a\r\n\r\n\r\nb\r\n"},
    {"relaxed body: a line of blanks at the end goes",
     "relaxed/relaxed",
     "from",
     {FROM},
     RFROM,
     "a\r\n \t \r\n",
     "a\r\n"},
    {"relaxed body: LF is a line end", "relaxed/relaxed", "from", {FROM}, RFROM, "a  \nb\n\n", "a\r\nb\r\n"},
    {"relaxed body: a CR of its own is no blank",
     "relaxed/relaxed",
     "from",
     {FROM},
     RFROM,
     "a \r b\r\n",
     "a \r b\r\n",
     .opendkim = "takes a CR of its own for a blank or a line end; RFC 6376 2.8 has WSP as space and tab"},
    {"relaxed body: octets over 127, NUL-free",
     "relaxed/relaxed",
     "from",
     {FROM},
     RFROM,
     "\xff\x80  \xa0\r\n",
     "\xff\x80 \xa0\r\n"},
    {"relaxed body: a changed word", "relaxed/relaxed", "from", {FROM}, RFROM, "a b\r\n", "a c\r\n", .fails = true},

    /* c= itself (3.5). */
    {"c= with one word: the body is simple", "relaxed", "from", {FROM}, RFROM, "a  b\r\n", "a  b\r\n"},
    {"c=simple", "simple", "from", {FROM}, SFROM, "a  b\r\n", "a  b\r\n"},
    {"simple/relaxed", "simple/relaxed", "from", {FROM}, SFROM, "a  b \r\n", "a b\r\n"},

    /* Repeated names (5.4.2). */
    {"Received twice, from the bottom",
     "relaxed/simple",
     "from:received:received",
     {{"Received", " 1"}, {"Received", " 2"}, {"Received", " 3"}, FROM},
     RFROM "received:3\r\nreceived:2\r\n",
     "",
     "\r\n"},
    {"a name twice in h=, once in the message",
     "simple/simple",
     "from:from:x:x",
     {{"X", " 1"}, FROM},
     SFROM "X: 1\r\n",
     "",
     "\r\n"},
    {"Received once, two there",
     "relaxed/simple",
     "received:from",
     {{"Received", " 1"}, {"Received", " 2"}, FROM},
     "received:2\r\n" RFROM,
     "",
     "\r\n"},
};

static char *make_field(const struct form_case *t, bool simple)
{
    struct buf text = BUF_INIT, tags = BUF_INIT, value = BUF_INIT;
    buf_printf(&tags, "v=1; a=rsa-sha256; c=%s; d=example.org; s=s; h=%s; bh={BH}; b=", t->c, t->h);
    char *sent = lab_fill(t->tags ? t->tags : tags.p, t->canonical_body);
    char *canonical = lab_fill(t->canonical_field ? t->canonical_field : tags.p, t->canonical_body);
    const char *blank = t->tags ? "" : " ";
    buf_printf(&text, "%s%s%s%s", t->headers, simple ? "DKIM-Signature:" : "dkim-signature:", simple ? blank : "",
               canonical);
    char *b = lab_sign("RSA2048", buf_slice(&text));
    /* Folded and with blanks around: all of that is b='s value. */
    buf_printf(&value, "%s%s\r\n\t %.20s\r\n\t%s  ", blank, sent, b, b + 20);
    free(sent);
    free(canonical);
    free(b);
    buf_release(&text);
    buf_release(&tags);
    return buf_detach(&value);
}

static char *with_lf(const char *s)
{
    char *out = strdup(s), *to = out;
    for (const char *p = s; *p; p++)
        if (!(p[0] == '\r' && p[1] == '\n'))
            *to++ = *p;
    *to = '\0';
    return out;
}

static void add_field(struct lab *l, const char *name, const char *value, bool lf)
{
    char *v = lf ? with_lf(value) : strdup(value);
    lab_add(l, name, v);
    free(v);
}

/* The same message by libopendkim: it must judge it, and agree, or stand in the table as a known exception. */
static void form_compare(const struct form_case *t, const struct dkim_checker *c, const struct dkim_signature *s)
{
    bool header = false, body = false;
    bool judged = c->library && c->engine->verdict(c->library, 0, &header, &body);
    bool agrees = judged && (header && body) == !t->fails;
    if (agrees == (t->opendkim != NULL))
        fail_msg("%s: libopendkim %s: header %d, body %d", t->name,
                 !judged  ? "does not judge it"
                 : agrees ? "agrees after all"
                          : "differs",
                 header, body);
}

static void run_case(const struct form_case *t, bool lf, size_t piece, bool opendkim)
{
    struct dkim_check_options options = {.engine = opendkim ? &assay_dkim_engine : NULL};
    struct lab l;
    const struct dkim_signature *s = NULL;
    size_t count = 0, n = strlen(t->body);
    char *field = make_field(t, strncmp(t->c, "simple", 6) == 0);
    lab_open(&l, zone);
    for (size_t i = 0; t->fields[i].name; i++)
        add_field(&l, t->fields[i].name, t->fields[i].value, lf);
    add_field(&l, "DKIM-Signature", field, lf);
    struct dkim_checker *c = dkim_checker_new(l.dns, l.arena, &l.headers, NULL, &options);
    assert_non_null(c);
    for (size_t i = 0; i < n; i += piece) {
        size_t part = n - i < piece ? n - i : piece;
        char *copy = exact(t->body + i, part);
        dkim_checker_body(c, slice_of(copy, part));
        free(copy);
    }
    assert_int_equal(dkim_checker_end(c, &s, &count), STATUS_OK);
    assert_int_equal(count, 1);
    if (opendkim)
        form_compare(t, c, s);
    else if (s->result != (t->fails ? RESULT_FAIL : RESULT_PASS))
        fail_msg("%s (%s, pieces of %zu): %s, \"%s\"", t->name, lf ? "LF" : "CRLF", piece, result_name(s->result),
                 s->reason);
    dkim_checker_free(c);
    lab_close(&l);
    free(field);
}

static void test_forms(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int lf = 0; lf < 2; lf++) {
            run_case(&cases[i], lf, 1, false);
            run_case(&cases[i], lf, 7, false);
            run_case(&cases[i], lf, 4096, false);
        }
}

static void test_opendkim_agrees(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int lf = 0; lf < 2; lf++)
            run_case(&cases[i], lf, 3, true);
}

/* The example of RFC 6376 A.2 and the pair of RFC 8463 A.3 stand in the public suite; here a body far over one piece,
 * with every cut. */
static void test_large_body(void **state)
{
    struct buf body = BUF_INIT, canonical = BUF_INIT;
    for (int i = 0; i < 3000; i++) {
        buf_printf(&body, "line %d  with \t blanks \r\n", i);
        buf_printf(&canonical, "line %d with blanks\r\n", i);
    }
    struct form_case t = {"large", "relaxed/relaxed", "from", {FROM}, RFROM, body.p, canonical.p};
    static const size_t pieces[] = {1, 2, 3, 1000, 4095, 4096, 4097, 65536};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        run_case(&t, false, pieces[i], false);
    buf_release(&body);
    buf_release(&canonical);
}

static void keep(void *context, const char *p, size_t n)
{
    buf_add(context, p, n);
}

/* RFC 6376 3.4.2, word for word: unfold, make each sequence of WSP one space, delete WSP at the end and around the
 * colon. A fold is LF or CRLF here, followed by WSP or not. */
static void relaxed_by_the_book(struct buf *out, struct slice value)
{
    struct buf unfolded = BUF_INIT, narrow = BUF_INIT;
    for (size_t i = 0; i < value.n; i++) {
        const bool crlf = value.p[i] == '\r' && i + 1 < value.n && value.p[i + 1] == '\n';
        if (!crlf)
            buf_addc(&unfolded, value.p[i] == '\n' || value.p[i] == '\t' ? ' ' : value.p[i]);
    }
    for (size_t i = 0; i < unfolded.n; i++)
        if (unfolded.p[i] != ' ' || !narrow.n || narrow.p[narrow.n - 1] != ' ')
            buf_addc(&narrow, unfolded.p[i]);
    struct slice rest = buf_slice(&narrow);
    if (rest.n && rest.p[0] == ' ')
        rest = slice_from(rest, 1);
    if (rest.n && rest.p[rest.n - 1] == ' ')
        rest.n--;
    buf_adds(out, "name:");
    buf_addslice(out, rest);
    buf_release(&unfolded);
    buf_release(&narrow);
}

/* Values longer than a piece, so that its end meets text, blanks and folds at each place. */
static void test_long_values(void **state)
{
    static const char *const letters[] = {"a", "a ", "ab \t\r\n", "abcdefghijklm\r\n \n\r", "    a"};
    static char value[3 * DKIM_CANONICAL_PIECE];
    unsigned draw = 1;
    for (size_t round = 0; round < 400; round++) {
        const char *from = letters[round % 5];
        const size_t n = round * 17 % sizeof value;
        for (size_t i = 0; i < n; i++) {
            draw = draw * 1103515245 + 12345;
            value[i] = from[(draw >> 16) % strlen(from)];
        }
        struct buf got = BUF_INIT, expected = BUF_INIT;
        struct dkim_canonical c = {.sink = keep, .context = &got};
        dkim_canonical_field(&c, SLICE_LIT("Name"), slice_of(value, n), SLICE_NULL, true, false);
        dkim_canonical_flush(&c);
        relaxed_by_the_book(&expected, slice_of(value, n));
        assert_int_equal(got.n, expected.n);
        assert_memory_equal(got.p, expected.p, expected.n);
        buf_release(&got);
        buf_release(&expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms), cmocka_unit_test(test_opendkim_agrees),
                                       cmocka_unit_test(test_large_body), cmocka_unit_test(test_long_values)};
    return cmocka_run_group_tests(tests, NULL, lab_end);
}
