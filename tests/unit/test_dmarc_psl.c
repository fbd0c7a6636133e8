// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dmarc_psl.c - the RFC 7489 way: policy discovery (6.6.3) and alignment (3.1, 3.2) by the public suffix list, and
 * where it and RFC 9989's walk come to different answers. Names under co.uk and com, since the list is the real one.
 */
#include "tests/unit/dmarc_case.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define EX D("example.com", "v=DMARC1; p=reject")

static const struct dmarc_case cases[] = {
    {"author's own record", EX, "example.com", "", "fail example.com p reject example.com"},
    {"the organisation's record: p for want of sp", EX, "a.b.example.com", "", "fail example.com p reject example.com"},
    {"sp", D("example.com", "v=DMARC1; p=none; sp=quarantine"), "a.example.com", "",
     "fail example.com sp quarantine example.com"},
    {"np is not known", D("example.com", "v=DMARC1; p=none; np=reject"), "a.example.com", "",
     "fail example.com p none example.com"},
    {"an invalid np is not known either", D("example.com", "v=DMARC1; p=reject; np=x"), "a.example.com", "",
     "fail example.com p reject example.com"},
    {"t is not known", D("example.com", "v=DMARC1; p=reject; t=y"), "example.com", "",
     "fail example.com p reject example.com"},
    {"psd is not known", EX D("com", "v=DMARC1; p=none; psd=y"), "a.example.com", "",
     "fail example.com p reject example.com"},
    {"a record between is not looked at", EX D("b.example.com", "v=DMARC1; p=none; psd=n"), "a.b.example.com", "",
     "fail example.com p reject example.com"},
    {"a public suffix of two labels", D("example.co.uk", "v=DMARC1; p=reject"), "a.example.co.uk", "",
     "fail example.co.uk p reject example.co.uk"},
    {"two customers of a public suffix", D("one.co.uk", "v=DMARC1; p=reject"), "one.co.uk", "dkim=pass:two.co.uk",
     "fail one.co.uk p reject one.co.uk"},
    {"a public suffix is its own organisation", D("co.uk", "v=DMARC1; p=reject"), "co.uk", "spf=pass:one.co.uk",
     "fail co.uk p reject co.uk"},
    {"relaxed alignment without any record at the organisation", D("a.example.com", "v=DMARC1; p=reject"),
     "a.example.com", "dkim=pass:b.example.com", "pass a.example.com p reject example.com"},
    {"strict", D("example.com", "v=DMARC1; p=reject; adkim=s"), "example.com", "dkim=pass:a.example.com",
     "fail example.com p reject example.com"},
    {"several records at the author end discovery",
     "_dmarc.a.example.com TXT \"v=DMARC1; p=none\"\n_dmarc.a.example.com TXT \"v=DMARC1; p=reject\"\n" EX,
     "a.example.com", "", "none - - - example.com"},
    {"no record", "", "a.example.com", "dkim=pass:a.example.com", "none - - - example.com"},
    {"the author's look-up fails", "_dmarc.a.example.com timeout\n" EX, "a.example.com", "",
     "temperror - - ? example.com"},
    {"the organisation's look-up fails", "_dmarc.example.com servfail\n", "a.example.com", "",
     "temperror - - ? example.com"},
    {"a stranger's names are not asked about", EX "zone attack.com timeout\n", "example.com", "dkim=pass:attack.com",
     "fail example.com p reject example.com"},
    {"an unlisted top-level name: the last label is the suffix", D("giant.example", "v=DMARC1; p=reject"),
     "a.giant.example", "", "fail giant.example p reject giant.example"},
};

static void by_the_list(void **state)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct dmarc_world w;
        char line[700];
        case_open(&w, cases[i].zone, cases[i].ids);
        assert_int_equal(dmarc_check_psl(w.scope, w.arena, cases[i].from, w.ids, w.count, &w.f), STATUS_OK);
        case_line(&w.f, line, sizeof line);
        if (strcmp(line, cases[i].expect) != 0)
            fail_msg("%s: got \"%s\" (%s), expected \"%s\"", cases[i].what, line, w.f.reason, cases[i].expect);
        assert_true(w.f.psl);
        case_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_the_list)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
