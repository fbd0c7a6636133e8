// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_check_judge.c - one fault in the facts of a domain, or what looks like one: the state of its test, the cause in
 * words and what to do about it, by the RFC's words.
 */
#include "tests/unit/facts_case.h"

#define SOA                                                                                                            \
    "dns a.example. secure 300 SOA ns.a.example. h.a.example. 1 2 3 4 5\ndns a.example. secure 300 NS ns.a.example.\n"
#define SOA_UNSIGNED                                                                                                   \
    "dns a.example. insecure 300 SOA ns.a.example. h.a.example. 1 2 3 4 5\ndns a.example. insecure 300 NS "            \
    "ns.a.example.\n"
#define DS(algorithm, digest)                                                                                          \
    "dns a.example. secure 300 DS 1 " algorithm " " digest " ABCDEF0123456789ABCDEF0123456789ABCDEF01\n"
#define KEY(algorithm) "dns a.example. secure 300 DNSKEY 257 3 " algorithm " AwEAAcUlFV1vhmqx6NSOUOq2R/dsR7Xm3upJ\n"

#define MX_A "dns a.example. insecure 300 MX 10 mx.a.example.\n"

/* RFC 8624 3.1 and 3.3, RFC 9905, RFC 9906; RFC 4035 5.2: a record whose digest or algorithm is not known does not
 * count. */
static void digests_and_algorithms(void **state)
{
    static const struct judge_case signed_zone[] = {
        {DS("13", "1"), CHECK_DNSSEC_DIGEST, CHECK_FAIL, "SHA-1 alone", "digest type 2"},
        {DS("13", "2"), CHECK_DNSSEC_DIGEST, CHECK_PASS, "SHA-256", NULL},
        {DS("13", "4"), CHECK_DNSSEC_DIGEST, CHECK_PASS, NULL, NULL},
        {DS("13", "3"), CHECK_DNSSEC_DIGEST, CHECK_FAIL, "GOST", "digest type 2"},
        {DS("13", "0"), CHECK_DNSSEC_DIGEST, CHECK_FAIL, "type 0", "digest type 2"},
        {DS("13", "5"), CHECK_DNSSEC_DIGEST, CHECK_FAIL, "type 5", "digest type 2"},
        {DS("13", "6"), CHECK_DNSSEC_DIGEST, CHECK_FAIL, "type 6", "digest type 2"},
        {DS("13", "255"), CHECK_DNSSEC_DIGEST, CHECK_FAIL, "type 255", NULL},
        {DS("13", "1") DS("13", "2"), CHECK_DNSSEC_DIGEST, CHECK_PASS, NULL, NULL},
        {DS("13", "3") DS("13", "4"), CHECK_DNSSEC_DIGEST, CHECK_PASS, NULL, NULL},
        {KEY("13"), CHECK_DNSSEC_ALGORITHM, CHECK_PASS, NULL, NULL},
        {KEY("15"), CHECK_DNSSEC_ALGORITHM, CHECK_PASS, NULL, NULL},
        {KEY("5"), CHECK_DNSSEC_ALGORITHM, CHECK_FAIL, "algorithm 5 (SHA-1", "algorithm 13"},
        {KEY("7"), CHECK_DNSSEC_ALGORITHM, CHECK_FAIL, "algorithm 7", "algorithm 13"},
        {KEY("12"), CHECK_DNSSEC_ALGORITHM, CHECK_FAIL, "algorithm 12", "algorithm 13"},
        {KEY("13") KEY("23"), CHECK_DNSSEC_ALGORITHM, CHECK_FAIL, "algorithm 23, which few", "algorithm 13"},
        {KEY("8"), CHECK_DNSSEC_ALGORITHM, CHECK_FAIL, "RSA with", "algorithm 13"},
    };
    static const struct judge_case unsigned_zone[] = {
        {DS("13", "3"), CHECK_DNSSEC_SIGNED, CHECK_UNTESTED, "digest type 3", NULL},
        {DS("13", "9"), CHECK_DNSSEC_SIGNED, CHECK_UNTESTED, "digest type 9", NULL},
        {DS("17", "2"), CHECK_DNSSEC_SIGNED, CHECK_UNTESTED, "algorithm 17", NULL},
        {DS("16", "2"), CHECK_DNSSEC_SIGNED, CHECK_UNTESTED, "cannot test (DS: algorithm 16, digest type 2)", NULL},
        {DS("16", "2"), CHECK_DNSSEC_VALID, CHECK_UNTESTED, "algorithm 16", NULL},
        {DS("16", "2"), CHECK_DNSSEC_ALGORITHM, CHECK_UNTESTED, "algorithm 16", NULL}, /* recommended to validate */
        {DS("16", "2"), CHECK_DNSSEC_DIGEST, CHECK_PASS, NULL, NULL},
        {DS("5", "2"), CHECK_DNSSEC_ALGORITHM, CHECK_FAIL, "SHA-1 or older", "algorithm 13"},
        {DS("16", "2") "dns mx.a.example. insecure 300 A 192.0.2.1\n" MX_A, CHECK_DNSSEC_MX, CHECK_UNTESTED,
         "a.example is signed", NULL},
        {DS("16", "2") "dns mx.a.example. insecure 300 A 192.0.2.1\n" MX_A, CHECK_DANE, CHECK_UNTESTED,
         "a.example is signed", NULL},
        {DS("16", "2") "dns mx.a.example. insecure 300 A 192.0.2.1\n" MX_A, CHECK_STS, CHECK_UNTESTED, "uses DANE",
         NULL},
        /* a DS record that is not secure itself says nothing: the chain ended above */
        {"dns a.example. insecure 300 DS 1 16 2 ABCDEF01\n", CHECK_DNSSEC_SIGNED, CHECK_FAIL, "unsigned", NULL},
        {"dns a.example. insecure 300 DS 1 13 2 ABCDEF01\ndns example. secure 300 DS 1 16 2 ABCDEF01\n"
         "dns example. insecure 300 SOA ns.example. h.example. 1 2 3 4 5\n",
         CHECK_DNSSEC_SIGNED, CHECK_UNTESTED, "example is signed", NULL},
        {"dns a.example. insecure 300 nodata DS\ndns example. secure 300 DS 1 13 2 ABCDEF01\n" /* opt-out */
         "dns example. secure 300 SOA ns.example. h.example. 1 2 3 4 5\n",
         CHECK_DNSSEC_SIGNED, CHECK_FAIL, "unsigned", NULL},
        {"dns a.example. secure 300 nodata DS\n", CHECK_DNSSEC_SIGNED, CHECK_FAIL, "unsigned", "Switch DNSSEC on"},
        {DS("13", "3"), CHECK_DNSSEC_DIGEST, CHECK_FAIL, "GOST", "digest type 2"},
        {DS("13", "9"), CHECK_DNSSEC_DIGEST, CHECK_FAIL, "type 9", "digest type 2"},
        {DS("17", "2"), CHECK_DNSSEC_ALGORITHM, CHECK_FAIL, "algorithm 17, which few", "algorithm 13"},
        {"", CHECK_DNSSEC_DIGEST, CHECK_NOT_APPLICABLE, NULL, NULL},
        {"", CHECK_DNSSEC_SIGNED, CHECK_FAIL, "unsigned", "Switch DNSSEC on"},
    };
    JUDGE(HEAD SOA, signed_zone);
    JUDGE(HEAD SOA_UNSIGNED, unsigned_zone);
}

/* RFC 7505 section 3: one record, preference 0, the root as its host. */
static void null_mx(void **state)
{
    static const struct judge_case t[] = {
        {"dns a.example. secure 300 MX 0 .\n", CHECK_MX, CHECK_PASS, "takes no mail", NULL},
        {"dns a.example. secure 300 MX 10 .\n", CHECK_MX, CHECK_FAIL, "preference is not 0", "a.example. MX 0 ."},
        {"dns a.example. secure 300 MX 10 .\n", CHECK_STARTTLS, CHECK_NOT_APPLICABLE, NULL, NULL},
        {"dns a.example. secure 300 MX 0 .\ndns a.example. secure 300 MX 10 mx.a.example.\n", CHECK_MX, CHECK_FAIL,
         "stands beside other", "Remove the record with the single dot"},
        {"dns a.example. secure 300 MX 10 .\ndns a.example. secure 300 MX 10 mx.a.example.\n", CHECK_MX, CHECK_FAIL,
         "stands beside other", NULL},
        {"dns a.example. secure 300 MX 0 .\ndns a.example. secure 300 MX 10 .\n", CHECK_MX, CHECK_FAIL, NULL, NULL},
    };
    JUDGE(HEAD SOA, t);
}

#define RPT(text) TXT("_smtp._tls.a.example.", text)

/* RFC 8460 section 3. */
static void tls_reports(void **state)
{
    static const struct judge_case t[] = {
        {RPT("v=TLSRPTv1; rua=mailto:a@a.example"), CHECK_TLS_RPT, CHECK_PASS, NULL, NULL},
        {RPT("v=TLSRPTv1 ; rua=mailto:a@a.example ;"), CHECK_TLS_RPT, CHECK_PASS, NULL, NULL},
        {RPT("v=TLSRPTv1;rua=mailto:a@a.example,https://b.example/x"), CHECK_TLS_RPT, CHECK_PASS, NULL, NULL},
        {RPT("v=TLSRPTv1; ext=1; rua=mailto:a@a.example"), CHECK_TLS_RPT, CHECK_PASS, NULL, NULL},
        {RPT("v=TLSRPTv10; rua=mailto:a@a.example"), CHECK_TLS_RPT, CHECK_ADVICE, "there is no TLS-RPT record",
         "_smtp._tls.a.example. TXT"},
        {RPT("v=TLSRPTv1"), CHECK_TLS_RPT, CHECK_ADVICE, "there is no TLS-RPT record", NULL},
        {RPT("v=tlsrptv1; rua=mailto:a@a.example"), CHECK_TLS_RPT, CHECK_ADVICE, "there is no", NULL},
        {RPT(" v=TLSRPTv1; rua=mailto:a@a.example"), CHECK_TLS_RPT, CHECK_ADVICE, "there is no", NULL},
        {RPT("v=TLSRPTv1; rua=mailto:a@a.example, x"), CHECK_TLS_RPT, CHECK_ADVICE, "a destination of", NULL},
        {RPT("v=TLSRPTv1; rua=http://a.example/,mailto:a@a.example"), CHECK_TLS_RPT, CHECK_ADVICE, "a destination",
         "rua=mailto:a@a.example\""},
        {RPT("v=TLSRPTv1; rua=mailto:a@a.example; rua=ftp://a.example"), CHECK_TLS_RPT, CHECK_ADVICE, "a destination",
         NULL},
        {RPT("v=TLSRPTv1; rua=mailto:a@a.example , https://b.example/x"), CHECK_TLS_RPT, CHECK_PASS, NULL, NULL},
        {RPT("v=TLSRPTv1; rua=mailto:a%2cb@a.example"), CHECK_TLS_RPT, CHECK_PASS, NULL, NULL},
        /* tlsrpt-uri *(*WSP "," *WSP tlsrpt-uri): none is empty; "!" must be encoded; RFC 3986 2.1 */
        {RPT("v=TLSRPTv1; rua=mailto:a@a.example,"), CHECK_TLS_RPT, CHECK_ADVICE, "a destination",
         "_smtp._tls.a.example. TXT \"v=TLSRPTv1; rua=mailto:a@a.example\""},
        {RPT("v=TLSRPTv1; rua=,mailto:a@a.example"), CHECK_TLS_RPT, CHECK_ADVICE, "a destination",
         "rua=mailto:a@a.example\""},
        {RPT("v=TLSRPTv1; rua=mailto:a@a.example,,https://b.example/"), CHECK_TLS_RPT, CHECK_ADVICE, "a destination",
         "rua=mailto:a@a.example,https://b.example/\""},
        {RPT("v=TLSRPTv1; rua=,"), CHECK_TLS_RPT, CHECK_ADVICE, "has no rua=", "rua=mailto:tls-reports@a.example\""},
        {RPT("v=TLSRPTv1; rua=mailto:a@a.example!10m"), CHECK_TLS_RPT, CHECK_ADVICE, "has no rua=", NULL},
        {RPT("v=TLSRPTv1; rua=mailto:a%2@a.example"), CHECK_TLS_RPT, CHECK_ADVICE, "has no rua=", NULL},
        {RPT("v=TLSRPTv1; rua=mailto:a@a.example%4"), CHECK_TLS_RPT, CHECK_ADVICE, "has no rua=", NULL},
        {RPT("v=TLSRPTv1; rua=mailto:@a.example"), CHECK_TLS_RPT, CHECK_ADVICE, NULL, NULL},
        {RPT("v=TLSRPTv1; rua=mailto:a"), CHECK_TLS_RPT, CHECK_ADVICE, NULL, NULL},
        {RPT("v=TLSRPTv1; rua=https:///x"), CHECK_TLS_RPT, CHECK_ADVICE, NULL, NULL},
        {RPT("v=TLSRPTv1; rua=mailto:a @a.example"), CHECK_TLS_RPT, CHECK_ADVICE, "has no rua=", NULL},
        {RPT("v=TLSRPTv1; rua=https://a.example/<x>"), CHECK_TLS_RPT, CHECK_ADVICE, NULL, NULL},
        {RPT("v=TLSRPTv1; rua="), CHECK_TLS_RPT, CHECK_ADVICE, NULL, NULL},
        {RPT("rua=mailto:a@a.example; v=TLSRPTv1"), CHECK_TLS_RPT, CHECK_ADVICE, "found: rua=mailto:a@a.example", NULL},
        {RPT("v=TLSRPTv1; rua=mailto:a@a.example; rua=mailto:b@a.example"), CHECK_TLS_RPT, CHECK_ADVICE,
         "more than one rua=", NULL},
        {RPT("v=TLSRPTv1; nonsense; rua=mailto:a@a.example"), CHECK_TLS_RPT, CHECK_ADVICE, "NAME=VALUE", NULL},
        {RPT("v=TLSRPTv1;; rua=mailto:a@a.example"), CHECK_TLS_RPT, CHECK_ADVICE, "NAME=VALUE", NULL},
        {RPT("v=TLSRPTv1; x=a b; rua=mailto:a@a.example"), CHECK_TLS_RPT, CHECK_ADVICE, "NAME=VALUE", NULL},
        {RPT("v=TLSRPTv1; rua=mailto:a@a.example;;"), CHECK_TLS_RPT, CHECK_ADVICE, "NAME=VALUE", NULL},
        /* other texts there are discarded */
        {RPT("v=TLSRPTv1; rua=mailto:a@a.example") RPT("v=TLSRPTv10; rua=x"), CHECK_TLS_RPT, CHECK_PASS, NULL, NULL},
        {RPT("v=TLSRPTv1; rua=mailto:a@a.example") RPT("v=TLSRPTv1; rua=mailto:b@a.example"), CHECK_TLS_RPT,
         CHECK_ADVICE, "several", NULL},
    };
    JUDGE(HEAD ZONE, t);
}

#define STS_TXT(text) TXT("_mta-sts.a.example.", text)

/* RFC 8461 3.1: "v=STSv1" first, then fields; an id, of 1 to 32 letters and digits; syntactically invalid: no policy. */
static void sts_records(void **state)
{
    static const struct judge_case t[] = {
        {STS_TXT("v=STSv1; id=20260101T000000"), CHECK_STS_VALID, CHECK_PASS, NULL, NULL},
        {STS_TXT("v=STSv1;id=1"), CHECK_STS_VALID, CHECK_PASS, NULL, NULL},
        {STS_TXT("v=STSv1; x=y; id=1;"), CHECK_STS_VALID, CHECK_PASS, NULL, NULL},
        {STS_TXT("v=STSv1; id=1; id=2"), CHECK_STS_VALID, CHECK_FAIL, "more than one id", "id=1\""},
        {STS_TXT("v=STSv1; id=1; id=1"), CHECK_STS_VALID, CHECK_FAIL, "more than one id", NULL},
        {STS_TXT("v=STSv1; id="), CHECK_STS_VALID, CHECK_FAIL, "no id that can be read", NULL},
        {STS_TXT("v=STSv1; id=2026-01-01"), CHECK_STS_VALID, CHECK_FAIL, "no id that can be read", NULL},
        {STS_TXT("v=STSv1; id=0123456789abcdef0123456789abcdef"), CHECK_STS_VALID, CHECK_PASS, NULL, NULL},
        {STS_TXT("v=STSv1; id=0123456789abcdef0123456789abcdef0"), CHECK_STS_VALID, CHECK_FAIL, "no id", NULL},
        {STS_TXT("v=STSv1; id=1; nonsense"), CHECK_STS_VALID, CHECK_FAIL, NULL, NULL},
        {STS_TXT("v=STSv1;; id=1"), CHECK_STS_VALID, CHECK_FAIL, NULL, NULL},
        {STS_TXT("v=STSv1"), CHECK_STS_VALID, CHECK_FAIL, "that can be read; found: v=STSv1", NULL},
        {STS_TXT("id=1; v=STSv1"), CHECK_STS_VALID, CHECK_FAIL, "found: id=1; v=STSv1", NULL},
        {STS_TXT("id=1"), CHECK_STS_VALID, CHECK_FAIL, "found: id=1", NULL},
        {STS_TXT("v=STSv1; id=1") STS_TXT("v=STSv1; id=1; x=y"), CHECK_STS_VALID, CHECK_FAIL, "several", NULL},
        {STS_TXT("something else"), CHECK_STS_VALID, CHECK_NOT_APPLICABLE, NULL, NULL},
    };
    JUDGE(HEAD ZONE STS_FILE_OF("604800"), t);
}

/* RFC 6376 3.2, by RFC 9989 4.7: a tag that stands twice makes the list invalid. */
static void tags_that_stand_twice(void **state)
{
    static const struct judge_case t[] = {
        {DMARC("rua=mailto:d@a.example"), CHECK_DMARC_SYNTAX, CHECK_PASS, NULL, NULL},
        {DMARC("p=reject"), CHECK_DMARC_SYNTAX, CHECK_FAIL, "the tag p stands twice", "once"},
        {DMARC("adkim=s; adkim=r"), CHECK_DMARC_SYNTAX, CHECK_FAIL, "the tag adkim stands twice", NULL},
        {DMARC("rua=mailto:d@a.example; RUA=mailto:e@a.example"), CHECK_DMARC_SYNTAX, CHECK_FAIL, "the tag rua", NULL},
        {DMARC("zz=1; zz=2"), CHECK_DMARC_SYNTAX, CHECK_FAIL, "the tag zz", NULL},
        /* RFC 9989 4.8: *(dmarc-sep dmarc-tag) [dmarc-sep] */
        {DMARC("rua=mailto:d@a.example ; "), CHECK_DMARC_SYNTAX, CHECK_PASS, NULL, NULL},
        {DMARC("; rua=mailto:d@a.example"), CHECK_DMARC_SYNTAX, CHECK_FAIL, "not NAME=VALUE", "Remove it"},
        {DMARC("rua=mailto:d@a.example;;"), CHECK_DMARC_SYNTAX, CHECK_FAIL, "not NAME=VALUE", NULL},
        {DMARC("reject; rua=mailto:d@a.example"), CHECK_DMARC_SYNTAX, CHECK_FAIL, "not NAME=VALUE", NULL},
        {DMARC("=x; rua=mailto:d@a.example"), CHECK_DMARC_SYNTAX, CHECK_FAIL, "not NAME=VALUE", NULL},
#define BIMI(text) TXT("default._bimi.a.example.", text)
#define LOGO "v=BIMI1; l=https://a.example/l.svg"
        {DMARC("") BIMI("v=BIMI1; l=https://a.example/l.svg; a="), CHECK_BIMI, CHECK_PASS, NULL, NULL},
        /* draft-brand-indicators: a declination publishes no logo; p=none, sp=none and pct= below 100 show none */
        {DMARC("") BIMI("v=BIMI1; l=; a=;"), CHECK_BIMI, CHECK_NOTE, "there is no logo", NULL},
        {DMARC("") BIMI("v=BIMI1; l=https://a.example/l.svg; a=http://a.example/v.pem"), CHECK_BIMI, CHECK_NOTE,
         "a= is not an https:", NULL},
        {BIMI(LOGO), CHECK_BIMI, CHECK_NOTE, "no logo is shown", NULL},
        {TXT("_dmarc.a.example.", "v=DMARC1; p=none") BIMI(LOGO), CHECK_BIMI, CHECK_NOTE, "no logo is shown", NULL},
        {DMARC("sp=none") BIMI(LOGO), CHECK_BIMI, CHECK_NOTE, "no logo is shown", NULL},
        {TXT("_dmarc.a.example.", "v=DMARC1; p=quarantine; pct=50") BIMI(LOGO), CHECK_BIMI, CHECK_NOTE,
         "no logo is shown", NULL},
        {TXT("_dmarc.a.example.", "v=DMARC1; p=quarantine; sp=quarantine") BIMI(LOGO), CHECK_BIMI, CHECK_PASS, NULL,
         NULL},
        {"dns _dmarc.a.example. servfail \"no answer in time\"\n" BIMI(LOGO), CHECK_BIMI, CHECK_UNTESTED,
         "no answer in time", NULL},
        {"dns default._bimi.a.example. servfail \"no answer in time\"\n", CHECK_BIMI, CHECK_UNTESTED,
         "no answer in time", NULL},
        {BIMI("v=BIMI1; l=https://a.example/l.svg; l=https://b.example/l.svg"), CHECK_BIMI, CHECK_NOTE, "the tag l",
         NULL},
        {BIMI("v=BIMI10; l=https://a.example/l.svg"), CHECK_BIMI, CHECK_NOTE, "no record", NULL},
        {BIMI("v=BIMI1; l=http://a.example/l.svg"), CHECK_BIMI, CHECK_NOTE, "l= is not an https: address", NULL},
        {BIMI("v=BIMI1"), CHECK_BIMI, CHECK_NOTE, "l= is missing", NULL},
        {BIMI("v=BIMI1; l=") BIMI("v=BIMI1; l=https://a.example/"), CHECK_BIMI, CHECK_NOTE, "several", NULL},
    };
    JUDGE(HEAD SOA, t);
}

#define L63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

/* RFC 7208 4.8 and RFC 1035 2.3.4: a domain-spec that is no name of DNS is an error to some and no match to others.
 * Where a macro stands, the name is not known (7.3). */
static void names_in_spf(void **state)
{
    static const struct judge_case t[] = {
        {SPF("a:foo..example -all"), CHECK_SPF_SYNTAX, CHECK_FAIL,
         "a:foo..example in the record of a.example: its name "
         "has an empty label",
         "correct its name"},
        {SPF("a:.foo.example -all"), CHECK_SPF_SYNTAX, CHECK_FAIL, "empty label", NULL},
        {SPF("a:foo.example. -all"), CHECK_SPF_SYNTAX, CHECK_PASS, NULL, NULL},
        {SPF("mx:" L63 ".example -all"), CHECK_SPF_SYNTAX, CHECK_PASS, NULL, NULL},
        {SPF("mx:" L63 "x.example -all"), CHECK_SPF_SYNTAX, CHECK_FAIL, "63 octets", NULL},
        {SPF("exists:" L63 "." L63 "." L63 "." L63 " -all"), CHECK_SPF_SYNTAX, CHECK_FAIL, "253 octets", NULL},
        {SPF("include:foo..example -all"), CHECK_SPF_SYNTAX, CHECK_FAIL, "include:foo..example", NULL},
        {SPF("redirect=foo..example"), CHECK_SPF_SYNTAX, CHECK_FAIL, "redirect=foo..example", NULL},
        {SPF("-all exp=foo..example"), CHECK_SPF_SYNTAX, CHECK_FAIL, "foo..example", NULL},
        /* RFC 7208 6.2: the explanation is that of the domain's own record, or of the one redirected to */
        {SPF("include:b.example -all") TXT("b.example.", "v=spf1 -all exp=foo..example"), CHECK_SPF_SYNTAX, CHECK_PASS,
         NULL, NULL},
        {SPF("include:b.example -all") TXT("b.example.", "v=spf1 redirect=c.example")
             TXT("c.example.", "v=spf1 -all exp=foo..example"),
         CHECK_SPF_SYNTAX, CHECK_PASS, NULL, NULL},
        {SPF("redirect=b.example") TXT("b.example.", "v=spf1 -all exp=foo..example"), CHECK_SPF_SYNTAX, CHECK_FAIL,
         "foo..example in the record of b.example", NULL},
        {SPF("include:b.example -all") TXT("b.example.", "v=spf1 -all exp=%{z}.example"), CHECK_SPF_SYNTAX, CHECK_FAIL,
         "the record of b.example", "Ask whoever keeps b.example"},
        {SPF("include:b.a.example -all") TXT("b.a.example.", "v=spf1 ip4:1"), CHECK_SPF_SYNTAX, CHECK_FAIL, NULL,
         "Correct the record."},
        /* 7.2: %{d} is the domain whose record is read, %{o} that of the sender: no mail changes them */
        {SPF("include:_spf.%{d} -all") TXT("_spf.a.example.", "v=spf1 +all"), CHECK_SPF_EVERYBODY, CHECK_FAIL, NULL,
         NULL},
        {SPF("include:%{d1r}.%{o} -all"), CHECK_SPF_SYNTAX, CHECK_FAIL, "there is no SPF record", NULL},
        {SPF("include:_spf.%{d} -all") TXT("_spf.a.example.", "v=spf1 include:%{d2}.b.example -all")
             TXT("a.example.b.example.", "v=spf1 -all"),
         CHECK_SPF_LOOKUPS, CHECK_PASS, "2 of 10", NULL},
        {SPF("redirect=_spf.%{d}") TXT("_spf.a.example.", "v=spf1 mx ?all"), CHECK_SPF_POLICY, CHECK_FAIL, NULL, NULL},
        {SPF("include:%{i}._spf.%{d} -all"), CHECK_SPF_SYNTAX, CHECK_PASS, NULL, NULL},
        {SPF("redirect=%{l}._spf.%{d}"), CHECK_SPF_POLICY, CHECK_UNTESTED, "could not be followed", NULL},
        {SPF("ptr:foo..example -all"), CHECK_SPF_SYNTAX, CHECK_FAIL, "ptr:foo..example", NULL},
        {SPF("exists:%{i}.foo.example -all"), CHECK_SPF_SYNTAX, CHECK_PASS, NULL, NULL},
        {SPF("exists:%{i}..foo.example -all"), CHECK_SPF_SYNTAX, CHECK_FAIL, "empty label", NULL},
        {SPF("exists:%{ir.}.%{v}._spf.%{d2} -all"), CHECK_SPF_SYNTAX, CHECK_PASS, NULL, NULL},
        {SPF("exists:%{i}." L63 "x.example -all"), CHECK_SPF_SYNTAX, CHECK_FAIL, "63 octets", NULL},
        {SPF("exists:%{i}." L63 "." L63 "." L63 "." L63 " -all"), CHECK_SPF_SYNTAX, CHECK_PASS, NULL, NULL},
        {SPF("exists:a%%b%_c.example -all"), CHECK_SPF_SYNTAX, CHECK_PASS, NULL, NULL},
        {SPF("a:foo..example -all"), CHECK_SPF_VOID, CHECK_PASS, NULL, NULL},
        {SPF("a:foo..example -all"), CHECK_SPF_LOOKUPS, CHECK_PASS, "1 of 10", NULL}, /* it is a term all the same */
    };
    JUDGE(HEAD ZONE, t);
}

/* RFC 9990 section 4: consent of who gets the reports; a failed look-up is neither consent nor refusal (RFC 4035 5.5).
 */
static void consent(void **state)
{
    static const struct judge_case t[] = {
        {DMARC("rua=https://b.test/dmarc"), CHECK_DMARC_RUA, CHECK_ADVICE, "by mail alone",
         "rua=mailto:dmarc@a.example"},
        {DMARC("rua=https://b.test/dmarc,mailto:r@a.example"), CHECK_DMARC_RUA, CHECK_PASS, NULL, NULL},
        {DMARC("rua=mailto:r@b.test"), CHECK_DMARC_EXTERNAL, CHECK_FAIL, "b.test has not agreed",
         "a.example._report._dmarc.b.test. TXT \"v=DMARC1\""},
        {DMARC("rua=mailto:r@b.test") TXT("a.example._report._dmarc.b.test.", "v=DMARC1;"), CHECK_DMARC_EXTERNAL,
         CHECK_PASS, NULL, NULL},
        {DMARC("rua=mailto:r@b.test") "dns a.example._report._dmarc.b.test. bogus\n", CHECK_DMARC_EXTERNAL,
         CHECK_UNTESTED, "could not be looked up", NULL},
        {DMARC("rua=mailto:r@b.test") "dns a.example._report._dmarc.b.test. timeout\n", CHECK_DMARC_EXTERNAL,
         CHECK_UNTESTED, NULL, NULL},
        {DMARC("rua=mailto:r@b.test") TXT("a.example._report._dmarc.b.test.", "v=spf1"), CHECK_DMARC_EXTERNAL,
         CHECK_FAIL, NULL, NULL},
        {DMARC("rua=mailto:r@b.test") TXT("a.example._report._dmarc.b.test.", "v=spf1")
             TXT("a.example._report._dmarc.b.test.", "v=DMARC1"),
         CHECK_DMARC_EXTERNAL, CHECK_PASS, NULL, NULL},
        {DMARC("rua=mailto:r@b.test") TXT("a.example._report._dmarc.b.test.", "v=DMARC1; rua=mailto:x@b.test"),
         CHECK_DMARC_EXTERNAL, CHECK_PASS, NULL, NULL},
        {DMARC("rua=mailto:r@b.test") TXT("a.example._report._dmarc.b.test.", "v=DMARC1; rua=mailto:x@c.test"),
         CHECK_DMARC_EXTERNAL, CHECK_FAIL, "another host", "a.example._report._dmarc.b.test. TXT \"v=DMARC1\""},
        {DMARC("rua=mailto:r@a.example,mailto:r@b.test"), CHECK_DMARC_EXTERNAL, CHECK_FAIL, "b.test", NULL},
    };
    JUDGE(HEAD ZONE, t);
}

#define L64 "abababababababababababababababababababababababababababababababab"
#define FIFTY "ip4:192.0.2.1 ip4:192.0.2.2 ip4:192.0.2.3 ip4:192.0.2.4 "

/* RFC 7208 3.3 and 3.4. */
static void size_and_strings_of_spf(void **state)
{
    static const struct judge_case t[] = {
        {SPF("-all"), CHECK_SPF_SIZE, CHECK_PASS, NULL, NULL},
        {SPF(FIFTY FIFTY FIFTY FIFTY "-all"), CHECK_SPF_SIZE, CHECK_PASS, NULL, NULL},
        {"dns a.example. secure 300 TXT \"v=spf1 " FIFTY FIFTY FIFTY FIFTY "\" \"" FIFTY FIFTY FIFTY FIFTY "\" \"" FIFTY
         "-all\"\n",
         CHECK_SPF_SIZE, CHECK_ADVICE, "octets", "Remove texts"},
        {SPF("-all") TXT("a.example.", FIFTY FIFTY FIFTY FIFTY) TXT("a.example.", FIFTY FIFTY FIFTY FIFTY "x"),
         CHECK_SPF_SIZE, CHECK_ADVICE, "at most 512", NULL},
        /* several strings are one record, without blanks between them */
        {"dns a.example. secure 300 TXT \"v=spf1 ip4:19\" \"2.0.2.1 -a\" \"ll\"\n", CHECK_SPF_SYNTAX, CHECK_PASS, NULL,
         NULL},
        {"dns a.example. secure 300 TXT \"v=spf1 ip4:19\" \"2.0.2.1 -a\" \"ll\"\n", CHECK_SPF_POLICY, CHECK_PASS, NULL,
         NULL},
        {"dns a.example. secure 300 TXT \"v=spf1 ip4:192.0.2.1\" \"-all\"\n", CHECK_SPF_SYNTAX, CHECK_FAIL, NULL, NULL},
        {"dns a.example. secure 300 TXT \"v=spf1\" \" -all\"\n", CHECK_SPF, CHECK_PASS, NULL, NULL},
    };
    JUDGE(HEAD ZONE, t);
}

#define MX_ASKED "smtp host=mx.a.example address=192.0.2.1 outcome=done banner=220 version=TLSv1.3\n"
#define PROBE(name, rest) "tls host=mx.a.example address=192.0.2.1 probe=" name " " rest "\n"
#define ALL_PROBES                                                                                                     \
    PROBE("tls13", "outcome=accepted version=772 cipher=4865")                                                         \
    PROBE("pq", "outcome=refused")                                                                                     \
    PROBE("tls12", "outcome=accepted version=771 cipher=49199 ems=1 renegotiation=1")                                  \
    PROBE("old", "outcome=refused")                                                                                    \
    PROBE("phase-out", "outcome=refused")                                                                              \
    PROBE("dhe", "outcome=refused")                                                                                    \
    PROBE("sha1", "outcome=refused")                                                                                   \
    PROBE("weak-group", "outcome=refused")                                                                             \
    PROBE("broken", "outcome=refused")                                                                                 \
    PROBE("tls11", "outcome=refused") PROBE("tls10", "outcome=refused") PROBE("ssl3", "outcome=refused")
#define STRANGER "smtp host=www.b.example address=192.0.2.9 outcome=\"no STARTTLS\" banner=220\n"

/* Only what DNS names as a mail host of the domain is judged, and what was not asked is no pass. */
static void only_mail_hosts_are_judged(void **state)
{
    static const struct judge_case t[] = {
        {MX_ASKED ALL_PROBES, CHECK_STARTTLS, CHECK_PASS, NULL, NULL},
        {MX_ASKED ALL_PROBES, CHECK_TLS_OLD, CHECK_PASS, NULL, NULL},
        {MX_ASKED ALL_PROBES, CHECK_TLS_EMS, CHECK_PASS, NULL, NULL},
        {MX_ASKED ALL_PROBES STRANGER, CHECK_STARTTLS, CHECK_PASS, NULL, NULL},
        {STRANGER, CHECK_STARTTLS, CHECK_UNTESTED, "mx.a.example (192.0.2.1) was not asked", NULL},
        {STRANGER, CHECK_MX_ANSWER, CHECK_UNTESTED, "was not asked", NULL},
        {"smtp host=mx.a.example address=192.0.2.7 outcome=\"no STARTTLS\"\n", CHECK_STARTTLS, CHECK_UNTESTED,
         "not asked", NULL},
        {"smtp host=www.b.example address=192.0.2.1 outcome=\"no STARTTLS\"\n", CHECK_STARTTLS, CHECK_UNTESTED, NULL,
         NULL},
        {STRANGER "cert der=MIIB\n", CHECK_CERT_KEY, CHECK_NOT_APPLICABLE, NULL, NULL},
        {"smtp host=mx.a.example address=192.0.2.1 outcome=unreachable reason=refused\n" STRANGER, CHECK_MX_ANSWER,
         CHECK_UNTESTED, "unreachable", NULL},
        {"smtp host=mx.a.example address=192.0.2.1 outcome=\"an answer over the limit\" reason=long banner=220\n",
         CHECK_STARTTLS, CHECK_UNTESTED, "an answer over the limit", NULL},
        {"smtp host=mx.a.example address=192.0.2.1 outcome=\"cut off\" reason=reset banner=220\n", CHECK_STARTTLS,
         CHECK_UNTESTED, "cut off", NULL},
        {"smtp host=mx.a.example address=192.0.2.1 outcome=\"TLS failed\" reason=x banner=220\n", CHECK_STARTTLS,
         CHECK_FAIL, "offers it, but TLS fails", "smtpd_tls_security_level"},
        /* it answered no more: what was not asked is not known */
        {MX_ASKED PROBE("tls13", "outcome=refused") PROBE("tls12", "outcome=\"timed out\""), CHECK_TLS_OLD,
         CHECK_UNTESTED, "answered no more", NULL},
        {MX_ASKED PROBE("tls13", "outcome=refused") PROBE("tls12", "outcome=\"timed out\""), CHECK_TLS_EXCHANGE,
         CHECK_UNTESTED, "answered no more", NULL},
        {MX_ASKED PROBE("tls12", "outcome=accepted version=771 cipher=49199 ems=1 renegotiation=1")
             PROBE("old", "outcome=unreachable"),
         CHECK_TLS_CIPHERS_OLD, CHECK_UNTESTED, "answered no more", NULL},
        {MX_ASKED, CHECK_TLS_CIPHERS, CHECK_UNTESTED, NULL, NULL},
    };
    JUDGE(HEAD ZONE, t);
}

/* Its acceptance is a group of that number; what was not asked is not known. */
static void post_quantum_key_exchange(void **state)
{
    static const struct judge_case t[] = {
        {MX_ASKED PROBE("tls13", "outcome=accepted version=772") PROBE("pq", "outcome=accepted version=772 group=4588"),
         CHECK_TLS_PQ, CHECK_PASS, "X25519MLKEM768 is offered", NULL},
        {MX_ASKED PROBE("tls13", "outcome=accepted version=772") PROBE("pq", "outcome=accepted version=772 group=29"),
         CHECK_TLS_PQ, CHECK_NOTE, "does not offer X25519MLKEM768", NULL},
        {MX_ASKED PROBE("tls13", "outcome=accepted version=772") PROBE("pq", "outcome=accepted version=772"),
         CHECK_TLS_PQ, CHECK_NOTE, "does not offer X25519MLKEM768", NULL},
        {MX_ASKED ALL_PROBES, CHECK_TLS_PQ, CHECK_NOTE, "does not offer X25519MLKEM768", NULL},
        {MX_ASKED PROBE("tls13", "outcome=refused"), CHECK_TLS_PQ, CHECK_NOTE, "does not offer X25519MLKEM768", NULL},
        {MX_ASKED PROBE("tls13", "outcome=accepted version=772") PROBE("pq", "outcome=\"timed out\""), CHECK_TLS_PQ,
         CHECK_UNTESTED, "answered no more", NULL},
        {MX_ASKED, CHECK_TLS_PQ, CHECK_UNTESTED, "answered no more", NULL},
    };
    JUDGE(HEAD ZONE, t);
}

/* RFC 5246 A.5: a key exchange without a certificate may serve encryption that is opportunistic; NCSC-NL calls it
 * insufficient. It is advice, whatever the version; and facts that do not have it say nothing of it. */
static void anonymous_key_exchange(void **state)
{
    static const struct judge_case t[] = {
        {MX_ASKED ALL_PROBES PROBE("anonymous", "outcome=refused alert=40"), CHECK_TLS_ANONYMOUS, CHECK_PASS,
         "none is accepted", NULL},
        {MX_ASKED ALL_PROBES PROBE("anonymous", "outcome=accepted version=771 cipher=167 dh-bits=3072"),
         CHECK_TLS_ANONYMOUS, CHECK_ADVICE, "mx.a.example (192.0.2.1) accepts DH_anon_WITH_AES_256_GCM_SHA384",
         "smtpd_tls_exclude_ciphers = aNULL"},
        {MX_ASKED ALL_PROBES PROBE("anonymous", "outcome=accepted version=769 cipher=49177"), CHECK_TLS_ANONYMOUS,
         CHECK_ADVICE, "ECDH_anon_WITH_AES_256_CBC_SHA", NULL},
        {MX_ASKED ALL_PROBES PROBE("anonymous", "outcome=\"not TLS\""), CHECK_TLS_ANONYMOUS, CHECK_PASS, NULL, NULL},
        {MX_ASKED ALL_PROBES PROBE("anonymous", "outcome=\"timed out\""), CHECK_TLS_ANONYMOUS, CHECK_UNTESTED,
         "answered no more", NULL},
        {MX_ASKED ALL_PROBES, CHECK_TLS_ANONYMOUS, CHECK_UNTESTED, "was not asked", NULL},
        {MX_ASKED PROBE("tls13", "outcome=\"timed out\""), CHECK_TLS_ANONYMOUS, CHECK_UNTESTED, "answered no more",
         NULL},
        /* one that is broken is told as broken */
        {MX_ASKED PROBE("broken", "outcome=accepted version=771 cipher=24"), CHECK_TLS_CIPHERS, CHECK_FAIL,
         "DH_anon_WITH_RC4_128_MD5", NULL},
        /* an answer that no client takes is no acceptance */
        {MX_ASKED PROBE("broken", "outcome=\"not TLS\""), CHECK_TLS_CIPHERS, CHECK_PASS, "none is accepted", NULL},
    };
    JUDGE(HEAD ZONE, t);
}

#define PTR "dns 5.2.0.192.in-addr.arpa. secure 300 PTR out.a.example.\n"
#define SELECTOR                                                                                                       \
    "selector name=s source=option\n" TXT("s._domainkey.a.example.",                                                   \
                                          "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
#define OUT "dns out.a.example. secure 300 A 192.0.2.5\n"

/* Who sends for the domain: RFC 1912 2.1; RFC 9989 4.4. */
static void senders(void **state)
{
    static const struct judge_case t[] = {
        {SPF("mx -all"), CHECK_SENDER_PTR, CHECK_UNTESTED, "not known: no mail", NULL},
        {SPF("mx -all"), CHECK_SENDER_ALIGNED, CHECK_UNTESTED, "not known: no mail", NULL},
        {SPF("mx -all"), CHECK_SENDER_TLS, CHECK_UNTESTED, "not known", NULL},
        {SPF("mx -all") SELECTOR, CHECK_SENDER_ALIGNED, CHECK_PASS, "the key s", NULL},
        {SPF("-all") "sender address=192.0.2.5\n", CHECK_SENDER_PTR, CHECK_NOT_APPLICABLE, NULL, NULL},
        {SPF("mx -all") "sender address=192.0.2.5\n" PTR OUT, CHECK_SENDER_PTR, CHECK_PASS, NULL, NULL},
        {SPF("mx -all") "sender address=192.0.2.5\ndns 5.2.0.192.in-addr.arpa. nxdomain 300\n", CHECK_SENDER_PTR,
         CHECK_ADVICE, "192.0.2.5 has no name that leads back", "5.2.0.192.in-addr.arpa. PTR"},
        {SPF("mx -all") "sender address=192.0.2.5\n" PTR "dns out.a.example. secure 300 A 192.0.2.6\n",
         CHECK_SENDER_PTR, CHECK_ADVICE, NULL, NULL},
        {SPF("mx -all") "sender address=192.0.2.5\ndns 5.2.0.192.in-addr.arpa. timeout\n", CHECK_SENDER_PTR,
         CHECK_UNTESTED, NULL, NULL},
        {SPF("mx -all") "sender address=192.0.2.5\n" PTR "dns out.a.example. bogus\n", CHECK_SENDER_PTR, CHECK_UNTESTED,
         NULL, NULL},
        /* named, and not seen: what SPF allows, or a key of the domain's own */
        {SPF("ip4:192.0.2.5 -all") "sender address=192.0.2.5\n", CHECK_SENDER_ALIGNED, CHECK_PASS,
         "SPF of the domain allows", NULL},
        {SPF("mx -all") "sender address=192.0.2.5\n", CHECK_SENDER_ALIGNED, CHECK_FAIL, "does not allow 192.0.2.5",
         "ip4:192.0.2.5"},
        {SPF("mx -all") "sender address=2001:db8::5\n", CHECK_SENDER_ALIGNED, CHECK_FAIL, NULL, "ip6:2001:db8::5"},
        {SPF("mx -all") SELECTOR "sender address=192.0.2.5\n", CHECK_SENDER_ALIGNED, CHECK_PASS, "the key s", NULL},
        {SPF("include:b.example -all") "dns b.example. timeout\nsender address=192.0.2.5\n", CHECK_SENDER_ALIGNED,
         CHECK_UNTESTED, NULL, NULL},
        /* seen */
        {SPF("mx -all") "sender address=192.0.2.5 source=ledger mails=9 aligned=8\n", CHECK_SENDER_ALIGNED, CHECK_PASS,
         "8 of 9", NULL},
        {SPF("ip4:192.0.2.5 -all") SELECTOR "sender address=192.0.2.5 mails=9 aligned=0\n", CHECK_SENDER_ALIGNED,
         CHECK_FAIL, "none of 9", "DKIM key of a.example"},
        {SPF("mx -all") "seen tls=5 clear=0\n", CHECK_SENDER_TLS, CHECK_PASS, "all of 5", NULL},
        {SPF("mx -all") "seen tls=5 clear=1\n", CHECK_SENDER_TLS, CHECK_ADVICE, "1 of 6", "smtp_tls_security_level"},
    };
    JUDGE(HEAD ZONE, t);
}

#define KEY_SIGNED(key) "selector name=s source=option\n" key

/* RFC 4035 5.5: nobody who validates gets an answer that is bogus. Where the domain itself validates it is a fault. */
static void bogus_below_a_good_zone(void **state)
{
    static const struct judge_case t[] = {
        {KEY_SIGNED("dns s._domainkey.a.example. bogus\n"), CHECK_DKIM, CHECK_FAIL,
         "s: its DNSSEC signatures are not valid", "sign the zone anew"},
        {KEY_SIGNED("dns s._domainkey.a.example. timeout\n"), CHECK_DKIM, CHECK_UNTESTED, "could not be looked up",
         NULL},
        {SPF("include:b.example -all") "dns b.example. bogus\n", CHECK_SPF_SYNTAX, CHECK_FAIL,
         "include:b.example in the record of a.example: its DNSSEC signatures are not valid", "sign the zone anew"},
        {SPF("redirect=b.example") "dns b.example. bogus\n", CHECK_SPF_SYNTAX, CHECK_FAIL, "redirect=b.example",
         "sign the zone anew"},
        {SPF("include:b.example -all") "dns b.example. timeout\n", CHECK_SPF_SYNTAX, CHECK_UNTESTED, NULL, NULL},
    };
    JUDGE(HEAD ZONE, t);
    /* The domain itself does not validate: that is the one fault, and what cannot be seen for it is not known. */
    static const struct judge_case own[] = {
        {KEY_SIGNED("dns s._domainkey.a.example. bogus\n"), CHECK_DNSSEC_VALID, CHECK_FAIL, NULL, "sign the zone anew"},
        {KEY_SIGNED("dns s._domainkey.a.example. bogus\n"), CHECK_DKIM, CHECK_UNTESTED,
         "its DNSSEC signatures are not valid", NULL},
    };
    JUDGE(HEAD "dns a.example. bogus\ndns mx.a.example. bogus\n", own);
}

#define RPKI(host, address, rest) "rpki host=" host " address=" address " " rest "\n"
#define NS_OF_ALL                                                                                                      \
    "dns a.example. secure 300 NS ns.x.example.\ndns a.example. secure 300 MX 10 mx.b.example.\n"                      \
    "dns mx.b.example. secure 300 A 192.0.2.1\ndns b.example. secure 300 NS ns.y.example.\n"
#define COVERED "roas=\"64500 192.0.2.0/24 24\""

/* RFC 6811: name servers, of the domain and of its mail hosts' zones, beside the mail hosts. */
static void routes_of_name_servers(void **state)
{
    static const struct judge_case t[] = {
        {"", CHECK_RPKI_NS, CHECK_UNTESTED, NULL, NULL},
        {RPKI("mx.b.example", "192.0.2.1", COVERED), CHECK_RPKI, CHECK_PASS, NULL, NULL},
        {RPKI("mx.b.example", "192.0.2.1", COVERED), CHECK_RPKI_NS, CHECK_UNTESTED, "no address is known", NULL},
        {RPKI("ns.x.example", "192.0.2.3", "role=ns " COVERED), CHECK_RPKI_NS, CHECK_PASS, "covers this address", NULL},
        {RPKI("ns.y.example", "192.0.2.3", "role=ns"), CHECK_RPKI_NS, CHECK_ADVICE, "no ROA covers",
         "name servers are in"},
        {RPKI("ns.z.example", "192.0.2.3", "role=ns"), CHECK_RPKI_NS, CHECK_UNTESTED, NULL, NULL}, /* nobody's */
        {RPKI("mx.z.example", "192.0.2.3", "why=\"\""), CHECK_RPKI, CHECK_UNTESTED, NULL, NULL},
        {RPKI("ns.x.example", "192.0.2.3", "role=ns " COVERED " origins=\"64501 192.0.2.0/24\""), CHECK_RPKI_NS,
         CHECK_FAIL, "is invalid", "origin AS64501"},
        {RPKI("ns.x.example", "192.0.2.3", "role=ns " COVERED " origins=\"64501 192.0.2.0/24\""), CHECK_RPKI,
         CHECK_UNTESTED, NULL, NULL},
    };
    JUDGE(HEAD "dns a.example. secure 300 SOA ns.a.example. h.a.example. 1 2 3 4 5\n" NS_OF_ALL, t);
}

#define SERVER(n, question, rest)                                                                                      \
    "server host=ns" n ".a.example address=192.0.2.5" n " question=" question " outcome=answered rcode=0 " rest "\n"
#define SIGNED(from, to) SERVER("1", "SOA", "aa=1 digest=ab signed-to=" to " signed-from=" from)

/* The facts are of 1795867200. RFC 6781 4.4.2: a signature is made anew long before it ends; who signs each answer when
 * it is asked for makes signatures of hours or days. */
static void signatures_that_end(void **state)
{
    static const struct judge_case t[] = {
        {SIGNED("1795780800", "1795953600"), CHECK_DNSSEC_EXPIRY, CHECK_PASS, NULL, NULL},      /* -1 day, +1 day */
        {SIGNED("1795863600", "1795885200"), CHECK_DNSSEC_EXPIRY, CHECK_PASS, NULL, NULL},      /* -1 h, +5 h */
        {SIGNED("1795863600", "1795868000"), CHECK_DNSSEC_EXPIRY, CHECK_FAIL, "ends: 0", NULL}, /* -1 h, +13 min */
        {SIGNED("1794744000", "1795953600"), CHECK_DNSSEC_EXPIRY, CHECK_FAIL, "ends: 24", "DNS host"}, /* -13, +1 */
        {SIGNED("1794744000", "1796126400"), CHECK_DNSSEC_EXPIRY, CHECK_PASS, NULL, NULL},             /* +3 days */
        {SERVER("1", "SOA", "aa=1 digest=ab signed-to=1795953600"), CHECK_DNSSEC_EXPIRY, CHECK_FAIL, "ends: 24", NULL},
        /* One server signs when it is asked, another keeps old signatures. */
        {SIGNED("1795863600", "1795885200")
             SERVER("2", "SOA", "aa=1 digest=ab signed-to=1795953600 signed-from=1794744000"),
         CHECK_DNSSEC_EXPIRY, CHECK_FAIL, "ends: 24", NULL},
    };
    JUDGE(HEAD SOA, t);
}

/* RFC 1034 4.3.2: a server that does not hold the zone may answer with a referral, and that differs from nothing. */
static void servers_that_do_not_hold_the_zone(void **state)
{
#define TWO SERVER("1", "SOA", "aa=1 digest=aa") SERVER("1", "MX", "aa=1 digest=ab")
    static const struct judge_case t[] = {
        {TWO SERVER("2", "SOA", "aa=0 digest=ee") SERVER("2", "MX", "aa=0 digest=ee"), CHECK_NS_ANSWER, CHECK_FAIL,
         "ns2.a.example does not hold the zone", "load the zone"},
        {TWO SERVER("2", "SOA", "aa=0 digest=ee") SERVER("2", "MX", "aa=0 digest=ee"), CHECK_NS_AGREE, CHECK_UNTESTED,
         "fewer than two", NULL},
        {TWO SERVER("2", "SOA", "aa=1 digest=aa") SERVER("2", "MX", "aa=1 digest=ee"), CHECK_NS_AGREE, CHECK_FAIL,
         "differ about MX", NULL},
        {"dns ns.a.example. secure 300 nodata A\ndns ns.a.example. secure 300 nodata AAAA\n", CHECK_NS_ANSWER,
         CHECK_FAIL, "ns.a.example has no address", "Correct the name"},
        {"dns ns.a.example. nxdomain A\ndns ns.a.example. nxdomain AAAA\n", CHECK_NS_ANSWER, CHECK_FAIL, "no address",
         NULL},
        {"dns ns.a.example. timeout A\ndns ns.a.example. timeout AAAA\n", CHECK_NS_ANSWER, CHECK_UNTESTED, NULL, NULL},
        {"dns ns.a.example. secure 300 nodata A\ndns ns.a.example. secure 300 AAAA 2001:db8::1\n", CHECK_NS_ANSWER,
         CHECK_FAIL, "no name server has an IPv4 address", "IPv4 address"},
        {"dns ns.a.example. timeout A\ndns ns.a.example. secure 300 AAAA 2001:db8::1\n", CHECK_NS_ANSWER,
         CHECK_UNTESTED, NULL, NULL},
        /* what was not asked is no pass by what the others said */
        {TWO "dns ns.a.example. secure 300 A 192.0.2.51\n", CHECK_NS_ANSWER, CHECK_PASS, NULL, NULL},
        {TWO "dns ns.a.example. secure 300 A 192.0.2.51\ndns ns.a.example. secure 300 A 192.0.2.59\n", CHECK_NS_ANSWER,
         CHECK_UNTESTED, "ns.a.example (192.0.2.59) was not asked", NULL},
    };
    JUDGE(HEAD SOA, t);
}

#define HOST_SAYS(rest) "smtp host=mx2.a.example address=192.0.2.2 " rest "\n"

/* RFC 5321 4.5.3.2.1: a client waits five minutes for a greeting. What a host may do to us alone is no fault of it. */
static void hosts_that_do_not_answer_us(void **state)
{
    static const struct judge_case t[] = {
        {HOST_SAYS("outcome=unreachable reason=x"), CHECK_MX_ANSWER, CHECK_FAIL, "unreachable",
         "Start the mail server"},
        {HOST_SAYS("outcome=\"timed out\" reason=x"), CHECK_MX_ANSWER, CHECK_FAIL, "timed out", NULL},
        {HOST_SAYS("outcome=\"timed out\" reason=x connected=1"), CHECK_MX_ANSWER, CHECK_UNTESTED, "timed out", NULL},
        {HOST_SAYS("outcome=\"cut off\" reason=x connected=1"), CHECK_MX_ANSWER, CHECK_UNTESTED, "cut off", NULL},
        {HOST_SAYS("outcome=refused reason=\"554 no\" connected=1"), CHECK_MX_ANSWER, CHECK_UNTESTED, "554 no", NULL},
        {HOST_SAYS("outcome=busy reason=\"421 no\" connected=1"), CHECK_MX_ANSWER, CHECK_UNTESTED, "421 no", NULL},
        {HOST_SAYS("outcome=\"internal error\" reason=x"), CHECK_MX_ANSWER, CHECK_UNTESTED, NULL, NULL},
        {HOST_SAYS("outcome=\"not SMTP\" reason=x connected=1"), CHECK_MX_ANSWER, CHECK_FAIL, NULL, NULL},
    };
    JUDGE(HEAD ZONE "dns a.example. secure 300 MX 20 mx2.a.example.\ndns mx2.a.example. secure 300 A 192.0.2.2\n"
                    "smtp host=mx.a.example address=192.0.2.1 outcome=done banner=220\n",
          t);
}

#define WEB(rest) STS "web host=mta-sts.a.example path=/ " rest "\n"

/* RFC 8461 3.3, as far as it is the domain's trouble and not ours. */
static void policies_that_were_not_fetched(void **state)
{
    static const struct judge_case t[] = {
        {WEB("outcome=unreachable why=x"), CHECK_STS_VALID, CHECK_FAIL, "x", "Serve the policy"},
        {WEB("outcome=certificate why=x"), CHECK_STS_VALID, CHECK_FAIL, "x", NULL},
        {WEB("outcome=type why=x"), CHECK_STS_VALID, CHECK_FAIL, "x", "with the type text/plain"},
        {WEB("outcome=\"too long\" why=x"), CHECK_STS_VALID, CHECK_FAIL, "x", "senders read 64 KiB of it at most"},
        /* RFC 9110 15.5.9, 15.6; RFC 6585 section 4: for the moment, or to us alone */
        {WEB("outcome=status why=\"the server says 503, not 200\""), CHECK_STS_VALID, CHECK_UNTESTED, "503", NULL},
        {WEB("outcome=status why=\"the server says 429, not 200\""), CHECK_STS_VALID, CHECK_UNTESTED, "429", NULL},
        {WEB("outcome=status why=\"the server says 404, not 200\""), CHECK_STS_VALID, CHECK_FAIL, "404", NULL},
        {WEB("outcome=status why=\"the server says 500, not 200\""), CHECK_STS_VALID, CHECK_FAIL, "500", NULL},
        {WEB("outcome=\"internal error\" why=\"out of memory\""), CHECK_STS_VALID, CHECK_UNTESTED, "out of memory",
         NULL},
        {WEB("outcome=\"not asked\" why=\"its address could not be looked up\""), CHECK_STS_VALID, CHECK_UNTESTED,
         "could not be looked up", NULL},
        {WEB("outcome=\"timed out\" why=x"), CHECK_STS_VALID, CHECK_UNTESTED, "x", NULL},
    };
    JUDGE(HEAD ZONE, t);
}

/* RFC 6761 6.3: the name means whoever looks it up. */
static void localhost_is_no_mail_host(void **state)
{
#define LOCAL "dns localhost. insecure 300 A 127.0.0.1\n"
    static const struct judge_case t[] = {
        {LOCAL, CHECK_MX_HOST, CHECK_FAIL, "localhost is no name of a mail server", "remove it from MX"},
        {LOCAL, CHECK_DNSSEC_MX, CHECK_NOT_APPLICABLE, NULL, NULL},
        {LOCAL, CHECK_DANE, CHECK_NOT_APPLICABLE, NULL, NULL},
    };
    JUDGE(HEAD SOA "dns a.example. secure 300 MX 10 localhost.\n", t);
}

#define NS2 "dns a.example. secure 300 NS ns2.a.example.\n"
#define A(name, address) "dns " name ".a.example. secure 300 A " address "\n"
#define AAAA(name, address) "dns " name ".a.example. secure 300 AAAA " address "\n"

/* RFC 2181 10.3: an NS record names no alias. RFC 2182 section 5: at least two servers, which are not two names of one.
 */
static void names_of_name_servers(void **state)
{
    static const struct judge_case t[] = {
        {"dns ns.a.example. secure 300 CNAME b.a.example.\n" A("ns", "192.0.2.1"), CHECK_NS_ANSWER, CHECK_FAIL,
         "ns.a.example is an alias", "Name the host itself in the NS record"},
        {NS2 A("ns", "192.0.2.1") A("ns2", "192.0.2.1"), CHECK_NS_COUNT, CHECK_FAIL, "have one address (names: 2)",
         "in another network"},
        {NS2 A("ns", "192.0.2.1") A("ns2", "192.0.2.1") AAAA("ns", "2001:db8::1") AAAA("ns2", "2001:db8::1"),
         CHECK_NS_COUNT, CHECK_FAIL, NULL, NULL},
        {NS2 A("ns", "192.0.2.1") A("ns2", "192.0.2.2"), CHECK_NS_COUNT, CHECK_PASS, NULL, NULL},
        {NS2 A("ns", "192.0.2.1") A("ns2", "192.0.2.1") AAAA("ns", "2001:db8::1") AAAA("ns2", "2001:db8::2"),
         CHECK_NS_COUNT, CHECK_PASS, NULL, NULL},
        {NS2 A("ns", "192.0.2.1") AAAA("ns2", "2001:db8::1"), CHECK_NS_COUNT, CHECK_PASS, NULL, NULL},
        {NS2 A("ns", "192.0.2.1") "dns ns2.a.example. timeout A\n", CHECK_NS_COUNT, CHECK_PASS, NULL, NULL},
        {NS2 A("ns", "192.0.2.1") "dns ns2.a.example. nxdomain A\n", CHECK_NS_COUNT, CHECK_PASS, NULL, NULL},
    };
    JUDGE(HEAD SOA, t);
}

/* RFC 1034 4.3.2: whoever holds the zone answers what it is asked of it. An address that is not of the internet was not
 * asked, which is no pass. */
static void servers_that_fail_a_question(void **state)
{
#define FAILS(question, rcode)                                                                                         \
    "server host=ns2.a.example address=192.0.2.52 question=" question " outcome=answered aa=1 rcode=" rcode "\n"
#define FIRST_TWO SERVER("1", "SOA", "aa=1 digest=aa") SERVER("2", "SOA", "aa=1 digest=aa")
#define BELOW(label) "\"TXT " label ".a.example\""
#define BOTH(question, one, other) SERVER("1", question, "aa=1 digest=" one) SERVER("2", question, "aa=1 digest=" other)
    static const struct judge_case t[] = {
        {FIRST_TWO FAILS("MX", "2"), CHECK_NS_ANSWER, CHECK_FAIL, "asked for MX: ns2.a.example", "take it out"},
        {FIRST_TWO FAILS("TXT", "5"), CHECK_NS_ANSWER, CHECK_FAIL, "REFUSED", NULL},
        {FIRST_TWO SERVER("2", "TXT", "aa=1 digest=ab"), CHECK_NS_ANSWER, CHECK_PASS, NULL, NULL},
        {FIRST_TWO "server host=ns2.a.example address=192.0.2.52 question=NS outcome=timeout\n", CHECK_NS_ANSWER,
         CHECK_UNTESTED, "asked for NS", NULL},
        {FIRST_TWO SERVER("1", "TLSA", "aa=1 digest=ab") SERVER("2", "TLSA", "aa=1 digest=cd"), CHECK_NS_AGREE,
         CHECK_FAIL, "differ about TLSA", "load the same zone"},
        {FIRST_TWO SERVER("1", "TLSA", "aa=1 digest=ab") FAILS("TLSA", "3 digest=cd"), CHECK_NS_AGREE, CHECK_FAIL,
         "differ about TLSA", NULL},
        {FIRST_TWO SERVER("1", "TXT", "aa=1 digest=ab") SERVER("2", "TXT", "aa=1 digest=ab")
             SERVER("1", "TLSA", "aa=1 digest=cd") FAILS("TLSA", "3 digest=cd"),
         CHECK_NS_AGREE, CHECK_PASS, "the same everywhere: TXT, TLSA", NULL},
        {FIRST_TWO BOTH(BELOW("_dmarc"), "ab", "cd"), CHECK_NS_AGREE, CHECK_FAIL,
         "ns1.a.example (192.0.2.51) and ns2.a.example (192.0.2.52) differ about TXT _dmarc.a.example",
         "load the same"},
        {FIRST_TWO BOTH(BELOW("_mta-sts"), "ab", "cd"), CHECK_NS_AGREE, CHECK_FAIL, "TXT _mta-sts.a.example", NULL},
        {FIRST_TWO BOTH("DNSKEY", "ab", "cd"), CHECK_NS_AGREE, CHECK_FAIL, "differ about DNSKEY", NULL},
        {FIRST_TWO BOTH(BELOW("_dmarc"), "ab", "ab") BOTH("MX", "cd", "cd"), CHECK_NS_AGREE, CHECK_PASS,
         "the same everywhere: TXT _dmarc.a.example, MX", NULL},
        {FIRST_TWO SERVER("1", BELOW("_dmarc"), "aa=1 digest=ab") FAILS(BELOW("_dmarc"), "3 digest=ab"), CHECK_NS_AGREE,
         CHECK_PASS, NULL, NULL},
        {FIRST_TWO SERVER("1", BELOW("_dmarc"), "aa=1 digest=ab") FAILS(BELOW("_dmarc"), "3 digest=ab"),
         CHECK_NS_ANSWER, CHECK_PASS, NULL, NULL}, /* no such name is an answer */
        {FIRST_TWO FAILS(BELOW("_dmarc"), "2"), CHECK_NS_ANSWER, CHECK_FAIL, "asked for TXT _dmarc.a.example", NULL},
        {FIRST_TWO FAILS("\"TLSA _25._tcp.mx2.a.example\"", "2"), CHECK_NS_TLSA, CHECK_FAIL, "SERVFAIL", NULL},
        {SERVER("1", "SOA", "aa=1 digest=aa") "server host=ns2.a.example address=10.1.2.3 question=SOA outcome=skipped "
                                              "why=\"not an address of the public internet\"\n",
         CHECK_NS_ANSWER, CHECK_UNTESTED, "ns2.a.example (10.1.2.3)", NULL},
    };
    JUDGE(HEAD SOA A("ns", "192.0.2.51"), t);
}

#define V6(address) "dns mx.a.example. secure 300 AAAA " address "\n"
#define HIDDEN(address)                                                                                                \
    V6(address)                                                                                                        \
    "smtp host=mx.a.example address=" address                                                                          \
    " outcome=\"not asked\" reason=\"not an address of the public internet\"\n"

/* An AAAA record with an address that nobody can reach is no IPv6: IPv4-mapped (RFC 4291 2.5.5.2), unique local (RFC
 * 4193), loopback. Nobody needs its name either. RFC 2181 10.3 and RFC 1123 2.1: what an MX record may hold. */
static void addresses_and_names_that_lead_nowhere(void **state)
{
    static const struct judge_case t[] = {
        {V6("2001:db8::1"), CHECK_MX_IPV6, CHECK_PASS, NULL, NULL},
        {V6("::ffff:192.0.2.1"), CHECK_MX_IPV6, CHECK_FAIL, "public internet", "mx.a.example. AAAA"},
        {HIDDEN("fd00::25"), CHECK_MX_IPV6, CHECK_FAIL, "public internet", NULL},
        {HIDDEN("fd00::25") V6("2001:db8::1"), CHECK_MX_IPV6, CHECK_PASS, NULL, NULL},
        {"dns 1.2.0.192.in-addr.arpa. secure 300 PTR mx.a.example.\n" HIDDEN("fd00::25"), CHECK_MX_PTR, CHECK_PASS,
         NULL, NULL},
        {NS2 AAAA("ns", "::ffff:192.0.2.1") AAAA("ns2", "2001:db8::1"), CHECK_NS_IPV6, CHECK_FAIL, "1 of", NULL},
        /* RFC 3974: whoever has IPv4 alone must reach one of them */
        {"dns mx6.a.example. secure 300 AAAA 2001:db8::1\ndns a.example. secure 300 MX 20 mx6.a.example.\n"
         "dns mx6.a.example. secure 300 nodata A\n",
         CHECK_MX_HOST, CHECK_PASS, NULL, NULL},
        {"dns a.example. secure 300 MX \\# 13 001409687474703a2f2f6d7800\n", CHECK_MX_HOST, CHECK_FAIL,
         "in MX is no name of a host", "the name of a mail server"},
        {"dns a.example. secure 300 MX 20 gone.b.example.\ndns gone.b.example. insecure 60 nxdomain A\n"
         "dns gone.b.example. insecure 60 nxdomain AAAA\n",
         CHECK_DNSSEC_MX, CHECK_PASS, NULL, NULL},
        {"dns a.example. secure 300 MX 20 gone.b.example.\ndns gone.b.example. insecure 60 nxdomain A\n"
         "dns gone.b.example. insecure 60 nxdomain AAAA\n",
         CHECK_MX_HOST, CHECK_FAIL, "gone.b.example has no address", NULL},
    };
    JUDGE(HEAD ZONE, t);
}

#define ONLY6 SOA "dns a.example. secure 300 MX 10 mx.a.example.\n" V6("2001:db8::1")

static void mail_hosts_without_ipv4(void **state)
{
    static const struct judge_case t[] = {
        {"dns mx.a.example. secure 300 nodata A\n", CHECK_MX_HOST, CHECK_FAIL, "no mail server has an IPv4 address",
         "mx.a.example. A "},
        {"dns mx.a.example. timeout A\n", CHECK_MX_HOST, CHECK_PASS, NULL, NULL}, /* it may have one */
    };
    JUDGE(HEAD ONLY6, t);
}

#define MX_OF(n) "dns a.example. secure 300 MX " n " m" n ".a.example.\n"
#define NINE MX_OF("11") MX_OF("12") MX_OF("13") MX_OF("14") MX_OF("15") MX_OF("16") MX_OF("17") MX_OF("18") MX_OF("19")
#define AT(n) "dns mx.a.example. secure 300 A 192.0.2." n "\n"
#define ANSWERS(n) "smtp host=mx.a.example address=192.0.2." n " outcome=done banner=220\n"
#define FOUR ANSWERS("1") AT("2") ANSWERS("2") AT("3") ANSWERS("3") AT("4") ANSWERS("4")

/* A bound of ours is no pass for what lies beyond it. */
static void more_than_is_looked_at(void **state)
{
    static const struct judge_case t[] = {
        {NINE ANSWERS("1"), CHECK_MX_ANSWER, CHECK_PASS, NULL, NULL},
        {NINE MX_OF("20") ANSWERS("1"), CHECK_MX_ANSWER, CHECK_UNTESTED, "not all are asked; mail servers: 10", NULL},
        {NINE "dns a.example. secure 300 MX 20 m19.a.example.\n" ANSWERS("1"), CHECK_MX_ANSWER, CHECK_PASS, NULL, NULL},
        {FOUR, CHECK_MX_ANSWER, CHECK_PASS, NULL, NULL},
        {FOUR AT("5"), CHECK_MX_ANSWER, CHECK_UNTESTED, "addresses of each: 4", NULL},
    };
    JUDGE(HEAD ZONE, t);
}

#define CAA(flags, tag, value) "dns a.example. secure 300 CAA " flags " " tag " \"" value "\"\n"

/* RFC 8659 4.1: what an authority does not know and is critical forbids it to issue; 4.2: a value that is malformed
 * names nobody. */
static void authorities(void **state)
{
    static const struct judge_case t[] = {
        {CAA("0", "issue", "ca.example"), CHECK_CAA, CHECK_PASS, "at a.example", NULL},
        {CAA("128", "issue", "ca.example; accounturi=https://ca.example/1"), CHECK_CAA, CHECK_PASS, NULL, NULL},
        {CAA("0", "issue", " ca.example ; "), CHECK_CAA, CHECK_PASS, NULL, NULL},
        {CAA("0", "issue", ";"), CHECK_CAA, CHECK_PASS, NULL, NULL}, /* nobody may */
        {CAA("0", "ISSUE", "ca.example"), CHECK_CAA, CHECK_PASS, NULL, NULL},
        {CAA("0", "issue", "ca.example") CAA("0", "issuewild", ";"), CHECK_CAA, CHECK_PASS, NULL, NULL},
        {CAA("0", "issue", "ca.example") CAA("128", "issuemail", ";"), CHECK_CAA, CHECK_PASS, NULL,
         NULL}, /* RFC 9495 */
        {CAA("0", "issue", "ca.example") CAA("0", "tbs", "x"), CHECK_CAA, CHECK_PASS, NULL, NULL},
        {CAA("0", "issue", "ca.example") CAA("128", "tbs", "x"), CHECK_CAA, CHECK_ADVICE, "does not know tbs",
         "critical flag"},
        {CAA("0", "issue", "https://ca.example/"), CHECK_CAA, CHECK_ADVICE, "\"https://ca.example/\" is no name",
         "a.example. CAA 0 issue"},
        {CAA("0", "issue", "ca.example, b.example"), CHECK_CAA, CHECK_ADVICE, "is no name", NULL},
        {CAA("0", "issuemail", "ca.example"), CHECK_CAA, CHECK_ADVICE, "no CAA record says who may issue", NULL},
        {"dns example. secure 300 CAA 0 issue \"ca.example\"\n", CHECK_CAA, CHECK_PASS, "at example", NULL},
    };
    JUDGE(HEAD ZONE, t);
}

#define NO_MAIL SOA "dns a.example. secure 300 MX 0 .\n"
#define DMARC_TEXT(text) TXT("_dmarc.a.example.", text)

/* The record to publish keeps what the domain asks for already, and suits what it sends and takes. */
static void records_to_publish(void **state)
{
    static const struct judge_case takes_mail[] = {
        {"", CHECK_SPF, CHECK_FAIL, NULL, "a.example. TXT \"v=spf1 mx -all\""},
        {"", CHECK_DMARC, CHECK_FAIL, NULL, "\"v=DMARC1; p=quarantine; rua=mailto:dmarc@a.example\""},
        {DMARC_TEXT(
             "v=DMARC1; p=none; pct=5; adkim=s; sp=none; np=reject; rua=mailto:r@b.test, mailto:d@a.example; fo=1"),
         CHECK_DMARC_POLICY, CHECK_FAIL, "p=none",
         "_dmarc.a.example. TXT \"v=DMARC1; p=quarantine; adkim=s; np=reject; rua=mailto:r@b.test, mailto:d@a.example; "
         "fo=1\""},
        {DMARC_TEXT("v=DMARC1; p=quarantine; t=y; rua=mailto:r@a.example"), CHECK_DMARC_POLICY, CHECK_FAIL, NULL,
         "\"v=DMARC1; p=quarantine; rua=mailto:r@a.example\""},
        {DMARC_TEXT("v=DMARC1; p=none; aspf=s"), CHECK_DMARC_POLICY, CHECK_FAIL, NULL, "rua=mailto:dmarc@a.example\""},
        {DMARC("rua=mailto:r@b.test"), CHECK_DMARC_EXTERNAL, CHECK_FAIL, NULL,
         "Ask whoever keeps b.test to publish: a.example._report._dmarc.b.test. TXT \"v=DMARC1\""},
    };
    static const struct judge_case takes_none[] = {
        {"", CHECK_SPF, CHECK_FAIL, NULL, "a.example. TXT \"v=spf1 -all\""},
        {SPF("-all"), CHECK_DMARC, CHECK_FAIL, NULL, "_dmarc.a.example. TXT \"v=DMARC1; p=reject\""},
        {SPF("-all") DMARC_TEXT("v=DMARC1; p=none"), CHECK_DMARC_POLICY, CHECK_FAIL, NULL, "v=DMARC1; p=reject\""},
        {SPF("-all") DMARC("sp=reject"), CHECK_DMARC_RUA, CHECK_ADVICE, NULL, "an address of yours that takes mail"},
    };
    static const struct judge_case implicit[] = {
        {"dns a.example. secure 300 A 192.0.2.1\n", CHECK_SPF, CHECK_FAIL, NULL, "\"v=spf1 a -all\""},
    };
    static const struct judge_case unknown[] = {
        {"dns a.example. timeout MX\n", CHECK_SPF, CHECK_FAIL, NULL, "\"v=spf1 mx -all\""},
    };
    JUDGE(HEAD ZONE, takes_mail);
    JUDGE(HEAD NO_MAIL, takes_none);
    JUDGE(HEAD SOA, implicit);
    JUDGE(HEAD SOA, unknown);
}

#define NAMES(n) "dns 1.2.0.192.in-addr.arpa. secure 300 PTR w" n ".a.example.\n"
#define FIVE(n) NAMES(n "1") NAMES(n "2") NAMES(n "3") NAMES(n "4") NAMES(n "5")

/* One of several names is enough; where there are more than we look up, nothing is known. */
static void addresses_with_several_names(void **state)
{
    static const struct judge_case t[] = {
        {FIVE("a"), CHECK_MX_PTR, CHECK_ADVICE, "no name that leads back", NULL},
        {FIVE("a") "dns 1.2.0.192.in-addr.arpa. secure 300 PTR mx.a.example.\n", CHECK_MX_PTR, CHECK_PASS, NULL, NULL},
        {FIVE("a") FIVE("b") NAMES("c"), CHECK_MX_PTR, CHECK_UNTESTED, "could not be looked up", NULL},
    };
    JUDGE(HEAD ZONE, t);
}

/* RFC 3207 section 4: a host that offers TLS and has none now. */
static void hosts_that_refuse_starttls(void **state)
{
#define REFUSES(code)                                                                                                  \
    "smtp host=mx.a.example address=192.0.2.1 outcome=busy banner=220 ehlo=250 reason=\"the host refuses "             \
    "STARTTLS: " code "\"\n"
    static const struct judge_case t[] = {
        {REFUSES("454 4.7.0 no"), CHECK_STARTTLS, CHECK_FAIL, "offers it, and refuses it", "smtpd_tls_security_level"},
        {REFUSES("421 closing"), CHECK_STARTTLS, CHECK_UNTESTED, "busy", NULL},
        {REFUSES("454 4.7.0 no") "dns _25._tcp.mx.a.example. secure 300 TLSA 3 1 1 " L64 "\n", CHECK_DANE_MATCH,
         CHECK_FAIL, "does not encrypt", "Switch STARTTLS on"},
        {"smtp host=mx.a.example address=192.0.2.1 outcome=busy reason=\"the host greets with an error: 421 no\"\n",
         CHECK_STARTTLS, CHECK_UNTESTED, "busy", NULL},
    };
    JUDGE(HEAD ZONE, t);
}

#define TLSA_OF(host) "dns _25._tcp." host " secure 300 TLSA 3 1 0 30020500\n"
#define DONE(rest) "smtp host=mx.a.example address=192.0.2.1 outcome=done banner=220 version=TLSv1.3 " rest "\n"

/* RFC 7672 3.1.3: a record that cannot be used counts as if it were not there; it pins nothing. */
static void records_that_openssl_does_not_take(void **state)
{
    static const struct judge_case t[] = {
        {DONE("dane=none"), CHECK_DANE_USABLE, CHECK_FAIL, "neither a certificate nor a key", "3 1 1"},
        {DONE("dane=none"), CHECK_DANE_MATCH, CHECK_NOT_APPLICABLE, NULL, NULL},
        {DONE("dane=match usage=3"), CHECK_DANE_USABLE, CHECK_PASS, NULL, NULL},
        {DONE("dane=\"no record matched\""), CHECK_DANE_MATCH, CHECK_FAIL, NULL, NULL},
    };
    JUDGE(HEAD ZONE TLSA_OF("mx.a.example."), t);
}

/* RFC 7672 2.2.2: a mail host whose addresses do not validate is not used by whoever validates. That is one fault, of
 * the addresses; of its TLSA records nothing is known. An address that is not signed beside one that is counts, too. */
static void addresses_that_are_not_secure(void **state)
{
#define MX SOA "dns a.example. secure 300 MX 10 mx.a.example.\n"
    static const struct judge_case t[] = {
        {MX "dns mx.a.example. secure 300 A 192.0.2.1\ndns mx.a.example. bogus AAAA\n", CHECK_DNSSEC_MX, CHECK_FAIL,
         "mx.a.example: its DNSSEC", "mend the signatures"},
        {MX "dns mx.a.example. secure 300 A 192.0.2.1\ndns mx.a.example. bogus AAAA\n", CHECK_NS_TLSA, CHECK_UNTESTED,
         NULL, NULL},
        {MX "dns mx.a.example. bogus\n", CHECK_NS_TLSA, CHECK_UNTESTED, NULL, NULL},
        {MX "dns mx.a.example. secure 300 A 192.0.2.1\ndns mx.a.example. insecure 300 AAAA 2001:db8::1\n",
         CHECK_DNSSEC_MX, CHECK_FAIL, "mx.a.example is not signed", NULL},
        {MX "dns mx.a.example. secure 300 A 192.0.2.1\ndns mx.a.example. secure 300 AAAA 2001:db8::1\n"
            "dns _25._tcp.mx.a.example. bogus TLSA\n",
         CHECK_NS_TLSA, CHECK_FAIL, "TLSA of mx.a.example", NULL},
    };
#undef MX
    JUDGE(HEAD, t);
}

/* A question that is not in the facts was not asked: nothing is known of it, and its absence is no fault (RFC 2308: "no
 * data" and "no such name" are answers). */
static void questions_that_were_not_asked(void **state)
{
    static const struct judge_case t[] = {
        {SOA "dns a.example. secure 300 MX 10 mx.a.example.\n", CHECK_MX_HOST, CHECK_UNTESTED,
         "mx.a.example: not asked", NULL},
        {ZONE, CHECK_MX_IPV6, CHECK_UNTESTED, "not asked", NULL},
        {ZONE, CHECK_DNSSEC_MX, CHECK_UNTESTED, "mx.a.example: not asked", NULL},
        {ZONE "dns mx.a.example. secure 300 nodata AAAA\n", CHECK_DNSSEC_MX, CHECK_PASS, NULL, NULL},
        {SOA, CHECK_MX, CHECK_UNTESTED, "MX of a.example: not asked", NULL},
        {SOA, CHECK_SPF, CHECK_UNTESTED, "TXT of a.example: not asked", NULL},
        {SOA, CHECK_DMARC, CHECK_UNTESTED, NULL, NULL},
        {SOA, CHECK_CAA, CHECK_UNTESTED, "CAA of a.example: not asked", NULL},
        {SOA, CHECK_DNSSEC_ALGORITHM, CHECK_UNTESTED, "not asked", NULL},
        {SOA, CHECK_BIMI, CHECK_UNTESTED, "not asked", NULL},
        {ZONE, CHECK_STS, CHECK_UNTESTED, "not asked", NULL},
        {ZONE, CHECK_TLS_RPT, CHECK_UNTESTED, "not asked", NULL},
        {SPF("a:x.a.example -all"), CHECK_SPF_VOID, CHECK_PASS, "without an answer: 0", NULL},
        {SPF("include:x.a.example -all"), CHECK_SPF_SYNTAX, CHECK_UNTESTED, "not asked", NULL},
        {DMARC("rua=mailto:r@b.test"), CHECK_DMARC_EXTERNAL, CHECK_UNTESTED, "could not be looked up", NULL},
        {"", CHECK_EXISTS, CHECK_UNTESTED, "a.example: not asked", NULL},
        /* and a name that was asked, and is not there, is known not to be */
        {ZONE "dns mx.a.example. secure 300 nodata AAAA\n", CHECK_MX_IPV6, CHECK_FAIL, "has no IPv6 address", NULL},
        {SOA "dns a.example. secure 300 MX 10 mx.a.example.\ndns mx.a.example. secure 300 nxdomain\n", CHECK_MX_HOST,
         CHECK_FAIL, "mx.a.example has no address", NULL},
    };
    JUDGE(HEAD_ALONE, t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_and_algorithms),
        cmocka_unit_test(null_mx),
        cmocka_unit_test(tls_reports),
        cmocka_unit_test(sts_records),
        cmocka_unit_test(tags_that_stand_twice),
        cmocka_unit_test(names_in_spf),
        cmocka_unit_test(consent),
        cmocka_unit_test(size_and_strings_of_spf),
        cmocka_unit_test(only_mail_hosts_are_judged),
        cmocka_unit_test(post_quantum_key_exchange),
        cmocka_unit_test(senders),
        cmocka_unit_test(bogus_below_a_good_zone),
        cmocka_unit_test(routes_of_name_servers),
        cmocka_unit_test(signatures_that_end),
        cmocka_unit_test(servers_that_do_not_hold_the_zone),
        cmocka_unit_test(hosts_that_do_not_answer_us),
        cmocka_unit_test(policies_that_were_not_fetched),
        cmocka_unit_test(localhost_is_no_mail_host),
        cmocka_unit_test(names_of_name_servers),
        cmocka_unit_test(servers_that_fail_a_question),
        cmocka_unit_test(addresses_and_names_that_lead_nowhere),
        cmocka_unit_test(mail_hosts_without_ipv4),
        cmocka_unit_test(more_than_is_looked_at),
        cmocka_unit_test(authorities),
        cmocka_unit_test(records_to_publish),
        cmocka_unit_test(addresses_with_several_names),
        cmocka_unit_test(hosts_that_refuse_starttls),
        cmocka_unit_test(anonymous_key_exchange),
        cmocka_unit_test(records_that_openssl_does_not_take),
        cmocka_unit_test(addresses_that_are_not_secure),
        cmocka_unit_test(questions_that_were_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
