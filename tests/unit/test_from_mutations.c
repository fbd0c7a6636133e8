// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_from_mutations.c - many thousands of From headers made of the pieces that spoofers use, sent by an attacker
 * whose own domain passes SPF and DKIM, in the name of a victim with p=reject. Whatever the header:
 *
 *   1. the victim's domain never gets a DMARC pass;
 *   2. where the attacker's own does, "@" and the victim's name stand in quotes, in a comment or nowhere: no reader
 * takes it for the address;
 *   3. where the message gets no From domain, the victim's name, if it follows an "@", is among those that DMARC
 * is asked about, and fails.
 *
 * The generator is seeded: a failure names its header, and comes again.
 */
#include "base/limits.h"
#include "standards/message/format.h"
#include "tests/unit/dmarc_case.h"

#define ROUNDS 40000
#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

static const char *const pieces[] = {
    "admin@legitimate.com",
    "<admin@legitimate.com>",
    "any@attack.com",
    "<any@attack.com>",
    "a@x.attack.com",
    "admin@sub.legitimate.com",
    "legitimate.com",
    "attack.com",
    "admin",
    "@",
    "@legitimate.com",
    "@attack.com",
    "<",
    ">",
    "(",
    ")",
    "\"",
    "\\",
    ",",
    ";",
    ":",
    ".",
    " ",
    "\n ",
    "\r\n\t",
    "\n",
    "\r",
    "\x01",
    "\x7f",
    "\xc3\xbc",
    "\xff",
    "=?utf-8?Q?admin=40legitimate=2Ecom?=",
    "=?utf-8?B?YWRtaW5AbGVnaXRpbWF0ZS5jb20=?=",
    "Admin",
    "\"Admin\"",
    "\"admin@legitimate.com\"",
    "(admin@legitimate.com)",
    "Group:",
    "undisclosed:;",
    "[192.0.2.1]",
    "%",
    "!",
    "|",
    "\nFrom: ",
    "\nfrom:",
    "\nFrom : ",
    "\nSender: ",
    "\nResent-From: ",
    "\n\n",
    "\nX",
    "'",
    "`",
    "\xef\xbc\xa0legitimate.com",
    "legitimate\xe3\x80\x82"
    "com",
};

static const char *const begins[] = {"From: ",    "From:",        "From : ",
                                     "from:",     "FROM:\n ",     " From: ",
                                     "From\n : ", "X: y\nFrom: ", "Sender: admin@legitimate.com\nFrom: "};

static uint32_t seed = 20260520;

static uint32_t random_next(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)seed * below) >> 32);
}

static void make_header(struct buf *out)
{
    buf_reset(out);
    buf_adds(out, begins[random_next(COUNT(begins))]);
    for (uint32_t n = 1 + random_next(7); n; n--)
        buf_adds(out, pieces[random_next(COUNT(pieces))]);
    buf_adds(out, "\nTo: victim@victim.com\n\n");
}

/* Well-formed fields with one to three octets changed, dropped or doubled. */
static void bend_header(struct buf *out)
{
    static const char *const fields[] = {
        "From: \"Admin (x)\" <any@attack.com>\nTo: v@victim.com\n\n",
        "From: Admin <any@attack.com>, \"admin@legitimate.com\" <b@attack.com>\n\n",
        "From: \"admin@legitimate.com\" <any@attack.com>\n\n",
        "From: any@attack.com (admin@legitimate.com)\n\n",
        "From: \"a\\\" <admin@legitimate.com>\" <any@attack.com>\n\n",
        "From: G: any@attack.com, (x <admin@legitimate.com>) b@attack.com;\n\n",
    };
    static const char with[] = "\"\\()<>,;:@. \t\r\n[]\x01\xc3x";
    buf_reset(out);
    buf_adds(out, fields[random_next(COUNT(fields))]);
    for (uint32_t n = 1 + random_next(3); n; n--) {
        uint32_t at = 5 + random_next((uint32_t)out->n - 7);
        char c = with[random_next(sizeof with - 1)];
        struct buf bent = BUF_INIT;
        uint32_t how = random_next(3);
        buf_add(&bent, out->p, at);
        if (how != 1)
            buf_addc(&bent, c);
        buf_adds(&bent, out->p + at + (how == 2 ? 0 : 1));
        buf_release(out);
        *out = bent;
    }
}

/* Tells whether the victim's address stands in the first From field outside of quotes and comments, as a simple reader
 * sees them, and is not the beginning of another's longer name. */
static bool shows_victim(struct slice value)
{
    static const struct slice needle = {"@legitimate.com", 15};
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        struct slice here = slice_from(value, i);
        if (c == '\\' && (quoted || depth))
            i++;
        else if (c == '"' && !depth)
            quoted = !quoted;
        else if (c == '(' && !quoted)
            depth++;
        else if (c == ')' && !quoted && depth)
            depth--;
        else if (!quoted && !depth && here.n >= needle.n && slice_eq_nocase(slice_of(here.p, needle.n), needle) &&
                 (here.n == needle.n || strchr("<>()\",;: \t\r\n", here.p[needle.n])))
            return true;
    }
    return false;
}

static bool of_victim(const char *domain)
{
    return strcmp(domain, "legitimate.com") == 0 || strcmp(domain, "sub.legitimate.com") == 0;
}

static void check_header(struct dmarc_world *w, struct slice text)
{
    struct arena *a = arena_new(1 << 20);
    struct header_list list;
    struct format_finding f;
    struct dmarc_finding d;
    struct dns_scope *scope = dns_scope_new(w->source, a, NULL);
    header_list_init(&list, a);
    assert_int_equal(header_parse_message(&list, text, NULL), STATUS_OK);
    format_check(a, &list, &f);
    const struct header_field *from = header_find(&list, "From", 1);
    if (f.from_domain) {
        assert_int_equal(dmarc_check(scope, a, f.from_domain, w->ids, w->count, &d), STATUS_OK);
        if (d.result == RESULT_PASS && (of_victim(f.from_domain) || shows_victim(from->value)))
            fail_msg("a pass for %s from: %s", f.from_domain, text.p);
        if (of_victim(f.from_domain))
            assert_int_equal(d.result, RESULT_FAIL);
    } else if (from && f.domain_count) {
        bool victim = false;
        for (size_t i = 0; i < f.domain_count; i++)
            victim |= of_victim(f.domains[i]);
        assert_int_equal(dmarc_check_authors(scope, a, f.domains, f.domain_count, w->ids, w->count, false, &d),
                         STATUS_OK);
        if (victim && d.result != RESULT_FAIL)
            fail_msg("the victim is not asked about: %s", text.p);
    } else if (from && f.from_fields == 1 && shows_victim(from->value)) {
        fail_msg("the victim's name is not seen: %s", text.p);
    }
    dns_scope_free(scope);
    arena_free(a);
}

static void mutations_run(void (*make)(struct buf *))
{
    struct dmarc_world w;
    struct buf text = BUF_INIT;
    case_open(&w, D("legitimate.com", "v=DMARC1; p=reject") D("attack.com", "v=DMARC1; p=none"),
              "spf=pass:attack.com dkim=pass:attack.com dkim=pass:x.attack.com dkim=permerror:legitimate.com");
    for (int i = 0; i < ROUNDS; i++) {
        make(&text);
        char *copy = exact(text.p, text.n + 1);
        check_header(&w, slice_of(copy, text.n));
        free(copy);
    }
    buf_release(&text);
    case_close(&w);
}

static void headers_of_spoofing_pieces(void **state)
{
    mutations_run(make_header);
}

static void good_headers_bent(void **state)
{
    mutations_run(bend_header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_of_spoofing_pieces),
        cmocka_unit_test(good_headers_bent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
