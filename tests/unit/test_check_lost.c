// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_check_lost.c - what rests on an answer that did not come is no pass and no failure, and what a name has of its
 * organisation.
 */
#include "tests/unit/facts_case.h"

#define SOA "dns a.example. secure 300 SOA ns.a.example. h.a.example. 1 2 3 4 5\n"
#define BIMI(text) TXT("default._bimi.a.example.", text)
#define LOGO "v=BIMI1; l=https://a.example/l.svg"
#define IN_ORGANISATION                                                                                                \
    "assay-facts 1\nsubject domain=s.a.example time=1795867200 table=1\nhere ipv4=yes ipv6=yes\ndns zone . insecure\n" \
    "dns s.a.example. secure 300 SOA ns.a.example. h.a.example. 1 2 3 4 5\n"
#define LOST(name) "dns " name " servfail \"no answer in time\"\n"
/* What rests on an answer that did not come is no pass, and no failure; what is known without it stays known. */
static void spf_of_which_a_part_is_lost(void **state)
{
    static const struct judge_case t[] = {
        {SPF("include:b.a.example -all") LOST("b.a.example."), CHECK_SPF_LOOKUPS, CHECK_UNTESTED, "a part", NULL},
        {SPF("include:b.a.example -all") LOST("b.a.example."), CHECK_SPF_VOID, CHECK_UNTESTED, "a part", NULL},
        {SPF("include:b.a.example -all") LOST("b.a.example."), CHECK_SPF_WIDE, CHECK_UNTESTED, "a part", NULL},
        {SPF("include:b.a.example -all") LOST("b.a.example."), CHECK_SPF_PTR, CHECK_UNTESTED, "a part", NULL},
        {SPF("include:b.a.example -all") LOST("b.a.example."), CHECK_SPF_POLICY, CHECK_PASS, NULL, NULL},
        {SPF("ptr include:b.a.example -all") LOST("b.a.example."), CHECK_SPF_PTR, CHECK_ADVICE, NULL, NULL},
        {SPF("ip4:10.0.0.0/8 include:b.a.example -all") LOST("b.a.example."), CHECK_SPF_WIDE, CHECK_ADVICE, NULL, NULL},
        {SPF("a:x.a.example -all") LOST("x.a.example."), CHECK_SPF_LOOKUPS, CHECK_PASS, "1 of 10", NULL},
        {SPF("a:x.a.example -all") LOST("x.a.example."), CHECK_SPF_VOID, CHECK_PASS, NULL, NULL}, /* one is allowed */
        {SPF("a:x.a.example a:n.a.example a:m.a.example -all") LOST("x.a.example."), CHECK_SPF_VOID, CHECK_UNTESTED,
         "a part", NULL},
        {SPF("a:x.a.example a:n.a.example a:m.a.example a:l.a.example -all") LOST("x.a.example."), CHECK_SPF_VOID,
         CHECK_FAIL, NULL, NULL},
        {SPF("a:x.a.example -all") LOST("x.a.example."), CHECK_SPF_PTR, CHECK_PASS, NULL, NULL},
    };
    JUDGE(HEAD SOA, t);
}

/* RFC 9990 section 4: a destination of the same organisation needs no consent; which it is of is not known here. */
static void consent_of_an_organisation_that_is_not_known(void **state)
{
    static const struct judge_case t[] = {
        {TXT("_dmarc.s.a.example.", "v=DMARC1; p=reject; rua=mailto:d@a.example") LOST("_dmarc.a.example."),
         CHECK_DMARC_EXTERNAL, CHECK_UNTESTED, "could not be looked up", NULL},
        {TXT("_dmarc.s.a.example.", "v=DMARC1; p=reject; rua=mailto:d@a.example") LOST("_dmarc.a.example.")
             TXT("s.a.example._report._dmarc.a.example.", "v=DMARC1"),
         CHECK_DMARC_EXTERNAL, CHECK_PASS, NULL, NULL},
        {TXT("_dmarc.s.a.example.", "v=DMARC1; p=reject; rua=mailto:d@b.test"), CHECK_DMARC_EXTERNAL, CHECK_FAIL,
         "has not agreed", NULL},
    };
    JUDGE(IN_ORGANISATION, t);
}

/* A computer without certificates of authorities trusts nobody, which is no fault of a mail host (RFC 8461 4.2). */
static void nobody_is_trusted_here(void **state)
{
#define HOST(trust)                                                                                                    \
    ZONE STS STS_FILE_OF("604800") "smtp host=mx.a.example address=192.0.2.1 outcome=done banner=220" trust "\n"
    static const struct judge_case t[] = {
        {HOST(""), CHECK_STS_MX, CHECK_UNTESTED, "could not be asked for its certificate", NULL},
        {HOST(""), CHECK_CERT_TRUST, CHECK_NOT_APPLICABLE, NULL, NULL},
        {HOST(" trust=\"self-signed certificate\""), CHECK_STS_MX, CHECK_FAIL, "not issued by a known authority", NULL},
    };
    JUDGE(HEAD, t);
}

/* A name without a logo of its own bears that of its organisation. */
static void the_logo_of_the_organisation(void **state)
{
    static const struct judge_case t[] = {
        {DMARC("") BIMI(LOGO), CHECK_BIMI, CHECK_PASS, NULL, NULL},
        {DMARC("") BIMI(LOGO) TXT("default._bimi.s.a.example.", "v=BIMI1; l="), CHECK_BIMI, CHECK_NOTE,
         "there is no logo", NULL},
        {DMARC("") BIMI(LOGO) TXT("default._bimi.s.a.example.", "another text"), CHECK_BIMI, CHECK_PASS, NULL, NULL},
        {DMARC("sp=none") BIMI(LOGO), CHECK_BIMI, CHECK_NOTE, "no logo is shown", NULL},
        {DMARC(""), CHECK_BIMI, CHECK_NOTE, "no record", NULL},
    };
    JUDGE(IN_ORGANISATION, t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spf_of_which_a_part_is_lost),
        cmocka_unit_test(consent_of_an_organisation_that_is_not_known),
        cmocka_unit_test(nobody_is_trusted_here),
        cmocka_unit_test(the_logo_of_the_organisation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
