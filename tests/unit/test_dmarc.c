// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dmarc.c - DMARC as RFC 9989 words it: the worked examples of its appendix B, policy discovery (4.10.1), the walk
 * and the Organizational Domain (4.10, 4.10.2), alignment (4.4), results (5.3). Each case says where its rule stands.
 */
#include "tests/unit/dmarc_case.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

#define B41 D("example.com", "v=DMARC1; p=reject") D("signing.example.com", "v=DMARC1; p=none")
#define B43 D("bank.example", "v=DMARC1; p=reject; psd=y") D("giant.bank.example", "v=DMARC1; p=quarantine")
#define DEEP "a.b.c.d.e.f.g.h.i.j.k.example.com"

static const struct dmarc_case appendix_b[] = {
    /* B.1.1, B.1.2: with records so that DMARC applies */
    {"B.1.1 example 1, SPF strict", D("example.com", "v=DMARC1; p=reject; aspf=s"), "example.com",
     "spf=pass:example.com", "pass example.com p reject example.com"},
    {"B.1.1 example 2, SPF relaxed", D("example.com", "v=DMARC1; p=reject"), "example.com",
     "spf=pass:child.example.com", "pass example.com p reject example.com"},
    {"B.1.1 example 3, not aligned", D("example.com", "v=DMARC1; p=reject"), "child.example.com",
     "spf=pass:example.net", "fail example.com p reject example.com"},
    {"B.1.2 example 1, DKIM strict", D("example.com", "v=DMARC1; p=reject; adkim=s"), "example.com",
     "dkim=pass:example.com", "pass example.com p reject example.com"},
    {"B.1.2 example 2, DKIM relaxed", D("example.com", "v=DMARC1; p=reject"), "child.example.com",
     "dkim=pass:example.com", "pass example.com p reject example.com"},
    {"B.1.2 example 3, not aligned", D("example.com", "v=DMARC1; p=reject"), "child.example.com",
     "dkim=pass:example.net", "fail example.com p reject example.com"},
    /* B.2: the records as published */
    {"B.2.1 monitoring", D("example.com", "v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com"), "example.com", "",
     "fail example.com p none example.com"},
    {"B.2.5 testing",
     D("test.example.com",
       "v=DMARC1; p=quarantine; rua=mailto:dmarc-feedback@example.com,mailto:tld-test@thirdparty.example.net; t=y"),
     "test.example.com", "", "fail test.example.com p none test.example.com"},
    {"B.2.5 enforced",
     D("test.example.com",
       "v=DMARC1; p=reject; rua=mailto:dmarc-feedback@example.com,mailto:tld-test@thirdparty.example.net"),
     "test.example.com", "", "fail test.example.com p reject test.example.com"},
    /* B.4.1 */
    {"B.4.1 SPF aligned", B41, "example.com", "spf=pass:example.com dkim=fail:signing.example.com",
     "pass example.com p reject example.com"},
    {"B.4.1 DKIM aligned", B41, "example.com", "spf=fail:example.com dkim=pass:signing.example.com",
     "pass example.com p reject example.com"},
    {"B.4.1 neither passes", B41, "example.com", "spf=fail:example.com dkim=fail:signing.example.com",
     "fail example.com p reject example.com"},
    /* B.4.2 */
    {"B.4.2 SPF aligned", B41, DEEP, "spf=pass:example.com dkim=fail:signing.example.com",
     "pass example.com p reject example.com"},
    {"B.4.2 DKIM aligned", B41, DEEP, "spf=softfail:example.com dkim=pass:signing.example.com",
     "pass example.com p reject example.com"},
    {"B.4.2 neither passes: the policy domain is example.com", B41, DEEP, "", "fail example.com p reject example.com"},
    /* B.4.3 */
    {"B.4.3 SPF aligned", B43, "giant.bank.example",
     "spf=pass:mail.giant.bank.example dkim=fail:mail.mega.bank.example",
     "pass giant.bank.example p quarantine giant.bank.example"},
    {"B.4.3 DKIM not aligned", B43, "giant.bank.example",
     "spf=fail:mail.giant.bank.example dkim=pass:mail.mega.bank.example",
     "fail giant.bank.example p quarantine giant.bank.example"},
    {"B.4.3 seen from mega: PSD policy, p for want of sp", B43, "mail.mega.bank.example", "",
     "fail bank.example p reject mega.bank.example"},
};

#define EXAMPLE D("example.com", "v=DMARC1; p=reject; sp=quarantine; np=none")

static const struct dmarc_case discovery[] = {
    {"no record anywhere", "", "example.com", "spf=pass:example.com", "none - - - example.com"},
    {"a TXT that is no record", D("example.com", "v=spf1 -all"), "example.com", "", "none - - - example.com"},
    {"author's own record: p", EXAMPLE, "example.com", "", "fail example.com p reject example.com"},
    {"existing subdomain: sp", EXAMPLE "a.example.com A 192.0.2.1\n", "a.example.com", "",
     "fail example.com sp quarantine example.com"},
    {"NODATA exists", EXAMPLE "a.example.com nodata MX\n", "a.example.com", "",
     "fail example.com sp quarantine example.com"},
    {"empty non-terminal exists (RFC 8020)", EXAMPLE "x.a.example.com A 192.0.2.1\n", "a.example.com", "",
     "fail example.com sp quarantine example.com"},
    {"something at _dmarc below exists", EXAMPLE D("a.example.com", "no record"), "a.example.com", "",
     "fail example.com sp quarantine example.com"},
    {"non-existent subdomain: np", EXAMPLE, "a.example.com", "", "fail example.com np none example.com"},
    {"alias to nowhere exists", EXAMPLE "a.example.com CNAME gone.example.net\n", "a.example.com", "",
     "fail example.com sp quarantine example.com"},
    {"np falls back to sp", D("example.com", "v=DMARC1; p=none; sp=reject"), "a.example.com", "",
     "fail example.com sp reject example.com"},
    {"sp and np fall back to p", D("example.com", "v=DMARC1; p=reject"), "a.example.com", "",
     "fail example.com p reject example.com"},
    {"np without sp, name exists: p", D("example.com", "v=DMARC1; p=none; np=reject") "a.example.com A 192.0.2.1\n",
     "a.example.com", "", "fail example.com p none example.com"},
    {"np without sp, name does not exist", D("example.com", "v=DMARC1; p=none; np=reject"), "a.example.com", "",
     "fail example.com np reject example.com"},
    {"np does not touch the domain itself", D("example.com", "v=DMARC1; p=none; np=reject"), "example.com", "",
     "fail example.com p none example.com"},
    {"author's record before the organisation's", EXAMPLE D("a.example.com", "v=DMARC1; p=none"), "a.example.com", "",
     "fail a.example.com p none example.com"},
    {"sp of a subdomain's own record is not used", EXAMPLE D("a.example.com", "v=DMARC1; p=none; sp=reject"),
     "x.a.example.com", "", "fail example.com np none example.com"},
    {"a record between is not the policy",
     D("example.com", "v=DMARC1; p=none") D("b.example.com", "v=DMARC1; p=reject"), "a.b.example.com", "",
     "fail example.com p none example.com"},
    {"the only record above is the organisation's", D("b.example.com", "v=DMARC1; p=reject"), "a.b.example.com", "",
     "fail b.example.com p reject b.example.com"},
    {"a record at the top-level name", D("com", "v=DMARC1; p=reject"), "a.example.com", "", "fail com p reject com"},
    {"psd=n below the top", D("example.com", "v=DMARC1; p=reject") D("b.example.com", "v=DMARC1; p=none; psd=n"),
     "a.b.example.com", "", "fail b.example.com p none b.example.com"},
    {"psd=u is the default said aloud",
     D("example.com", "v=DMARC1; p=reject") D("b.example.com", "v=DMARC1; p=none; psd=u"), "a.b.example.com", "",
     "fail example.com p reject example.com"},
    {"an unknown psd is u", D("example.com", "v=DMARC1; p=reject") D("b.example.com", "v=DMARC1; p=none; psd=x"),
     "a.b.example.com", "", "fail example.com p reject example.com"},
    {"psd=y: one below, which has a record", D("com", "v=DMARC1; p=reject; psd=y") D("example.com", "v=DMARC1; p=none"),
     "a.example.com", "", "fail example.com p none example.com"},
    {"psd=y: one below has none: PSD policy, sp",
     D("com", "v=DMARC1; p=none; sp=reject; psd=y") "a.example.com A 192.0.2.1\n", "a.example.com", "",
     "fail com sp reject example.com"},
    {"psd=y: np for a name that does not exist", D("com", "v=DMARC1; p=none; sp=none; np=reject; psd=y"), "nobody.com",
     "", "fail com np reject nobody.com"},
    {"psd=y: the organisation is the author itself",
     D("com", "v=DMARC1; p=none; sp=reject; psd=y") "example.com A 192.0.2.1\n", "example.com", "",
     "fail com sp reject example.com"},
    {"the PSD itself as author: its p", D("com", "v=DMARC1; p=quarantine; sp=reject; psd=y"), "com", "",
     "fail com p quarantine com"},
    {"PSD policy is not used where the organisation has a record without p",
     D("com", "v=DMARC1; p=reject; psd=y") D("example.com", "v=DMARC1"), "a.example.com", "",
     "permerror example.com - - example.com"},
    {"the walk stops at psd=y: nothing above counts",
     D("co.example", "v=DMARC1; p=none; psd=y") D("example", "v=DMARC1; p=reject"), "a.b.co.example", "",
     "fail co.example p none b.co.example"},
    {"the walk stops at psd=n: nothing above counts",
     D("b.example.com", "v=DMARC1; p=none; psd=n") D("com", "v=DMARC1; p=reject; psd=y"), "b.example.com", "",
     "fail b.example.com p none b.example.com"},
    {"psd=y and a record between: one below psd=y, not the record",
     D("com", "v=DMARC1; p=reject; psd=y") D("b.example.com", "v=DMARC1; p=none"), "a.b.example.com", "",
     "fail com p reject example.com"},
    {"two records at the author: both discarded, the walk goes on",
     "_dmarc.a.example.com TXT \"v=DMARC1; p=none\"\n_dmarc.a.example.com TXT \"v=DMARC1; p=reject\"\n" D(
         "example.com", "v=DMARC1; p=quarantine"),
     "a.example.com", "", "fail example.com p quarantine example.com"},
    {"two records and none above",
     "_dmarc.example.com TXT \"v=DMARC1; p=none\"\n_dmarc.example.com TXT \"v=DMARC1; p=reject\"\n", "example.com", "",
     "none - - - example.com"},
    {"two records, one with psd=n: the walk does not stop there",
     "_dmarc.b.example.com TXT \"v=DMARC1; p=none; psd=n\"\n_dmarc.b.example.com TXT \"v=DMARC1; p=none\"\n" D(
         "example.com", "v=DMARC1; p=quarantine"),
     "a.b.example.com", "", "fail example.com p quarantine example.com"},
    {"a record beside other texts",
     "_dmarc.example.com TXT \"something else\"\n_dmarc.example.com TXT \"v=DMARC1; p=reject\"\n_dmarc.example.com TXT "
     "\"v=DMARC2; p=none\"\n",
     "example.com", "", "fail example.com p reject example.com"},
    {"strings of one TXT are joined without a blank (4.5)", "_dmarc.example.com TXT \"v=DMA\" \"RC1; p=rej\" \"ect\"\n",
     "example.com", "", "fail example.com p reject example.com"},
    {"the record may be an alias",
     "_dmarc.example.com CNAME dmarc.provider.example\ndmarc.provider.example TXT \"v=DMARC1; p=reject\"\n",
     "example.com", "", "fail example.com p reject example.com"},
    {"a single label", D("localhost", "v=DMARC1; p=reject"), "localhost", "", "fail localhost p reject localhost"},
    {"no From domain", EXAMPLE, NULL, "", "none - - - ?"},
};

static const struct dmarc_case requests[] = {
    {"p missing, rua: p=none", D("example.com", "v=DMARC1; rua=mailto:a@example.com"), "example.com", "",
     "fail example.com - none example.com"},
    {"p missing, no rua", D("example.com", "v=DMARC1"), "example.com", "", "permerror example.com - - example.com"},
    {"p missing, rua with no valid URI", D("example.com", "v=DMARC1; rua=a@example.com"), "example.com", "",
     "permerror example.com - - example.com"},
    {"p missing, no rua, even when aligned", D("example.com", "v=DMARC1"), "example.com", "dkim=pass:example.com",
     "permerror example.com - - example.com"},
    {"p missing, rua, aligned", D("example.com", "v=DMARC1; rua=mailto:a@example.com"), "example.com",
     "dkim=pass:example.com", "pass example.com - none example.com"},
    {"p invalid, rua", D("example.com", "v=DMARC1; p=discard; rua=mailto:a@example.com"), "example.com", "",
     "fail example.com - none example.com"},
    {"p invalid, no rua", D("example.com", "v=DMARC1; p=discard"), "example.com", "",
     "permerror example.com - - example.com"},
    {"p empty, rua", D("example.com", "v=DMARC1; p=; rua=mailto:a@example.com"), "example.com", "",
     "fail example.com - none example.com"},
    {"sp invalid spoils p too (4.10.1), rua", D("example.com", "v=DMARC1; p=reject; sp=x; rua=mailto:a@example.com"),
     "example.com", "", "fail example.com - none example.com"},
    {"sp invalid, no rua", D("example.com", "v=DMARC1; p=reject; sp=x"), "example.com", "",
     "permerror example.com - - example.com"},
    {"np invalid, rua", D("example.com", "v=DMARC1; p=reject; np=x; rua=mailto:a@example.com"), "a.example.com", "",
     "fail example.com - none example.com"},
    {"a doubled p that disagrees is not valid",
     D("example.com", "v=DMARC1; p=reject; p=none; rua=mailto:a@example.com"), "example.com", "",
     "fail example.com - none example.com"},
    {"a doubled p that agrees", D("example.com", "v=DMARC1; p=reject; p=reject"), "example.com", "",
     "fail example.com p reject example.com"},
    {"unknown and historic tags are ignored", D("example.com", "v=DMARC1; p=reject; pct=0; rf=afrf; ri=1; x=y; zzz"),
     "example.com", "", "fail example.com p reject example.com"},
    {"literals without case", D("example.com", "V = DMARC1 ; P = ReJect"), "example.com", "",
     "fail example.com p reject example.com"},
    {"t=y: reject becomes quarantine", D("example.com", "v=DMARC1; p=reject; t=y"), "example.com", "",
     "fail example.com p quarantine example.com"},
    {"t=y: quarantine becomes none", D("example.com", "v=DMARC1; p=quarantine; t=y"), "example.com", "",
     "fail example.com p none example.com"},
    {"t=y: none stays none", D("example.com", "v=DMARC1; p=none; t=y"), "example.com", "",
     "fail example.com p none example.com"},
    {"t=y lowers sp too", D("example.com", "v=DMARC1; p=none; sp=reject; t=y"), "a.example.com", "",
     "fail example.com sp quarantine example.com"},
    {"t=n and t of nonsense", D("example.com", "v=DMARC1; p=reject; t=x"), "example.com", "",
     "fail example.com p reject example.com"},
};

static void cases_run(const struct dmarc_case *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect_finding(&t[i]);
}

static void worked_examples(void **state)
{
    cases_run(appendix_b, COUNT(appendix_b));
}

static void policy_discovery(void **state)
{
    cases_run(discovery, COUNT(discovery));
}

static void policy_tags(void **state)
{
    cases_run(requests, COUNT(requests));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_examples),
        cmocka_unit_test(policy_discovery),
        cmocka_unit_test(policy_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
