// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_check_advice.c - what servers answer that is not what they were asked, what the two sides of a delegation say,
 * and what is advised where one record has several faults: the same whatever the order of the records.
 */
#include "tests/unit/facts_case.h"

#define SOA                                                                                                            \
    "dns a.example. secure 300 SOA ns.a.example. h.a.example. 1 2 3 4 5\ndns a.example. secure 300 NS ns.a.example.\n"
#define SERVER(n, question, rest)                                                                                      \
    "server host=ns" n ".a.example address=192.0.2.5" n " question=" question " outcome=answered rcode=0 " rest "\n"
#define TWO SERVER("1", "SOA", "aa=1 digest=aa") SERVER("1", "MX", "aa=1 digest=ab")
#define MX_ASKED "smtp host=mx.a.example address=192.0.2.1 outcome=done banner=220 version=TLSv1.3\n"
#define PROBE(name, rest) "tls host=mx.a.example address=192.0.2.1 probe=" name " " rest "\n"

#define OLDER(name) PROBE(name, "outcome=accepted version=770 cipher=49162 ems=1 renegotiation=1")
#define ONLY_TLS11                                                                                                     \
    "smtp host=mx.a.example address=192.0.2.1 outcome=done banner=220 version=TLSv1.1\n" PROBE(                        \
        "tls13", "outcome=refused alert=70") OLDER("tls12") OLDER("old") PROBE("phase-out", "outcome=refused")         \
        OLDER("order") PROBE("dhe", "outcome=refused") OLDER("sha1") PROBE("weak-group", "outcome=refused")            \
            PROBE("broken", "outcome=refused") OLDER("tls11") PROBE("tls10", "outcome=refused")                        \
                PROBE("ssl3", "outcome=refused")
#define TLS12_OF(rest) PROBE("tls12", "outcome=accepted version=771 cipher=49196 ems=1 renegotiation=1" rest)
#define TLS_FAILS "smtp host=mx.a.example address=192.0.2.1 outcome=\"TLS failed\" reason=x banner=220\n"

#define TLS12_ASKED                                                                                                    \
    MX_ASKED PROBE("tls12", "outcome=accepted version=771 cipher=49199 ems=1 renegotiation=1")                         \
        PROBE("old", "outcome=refused") PROBE("phase-out", "outcome=refused") PROBE("sha1", "outcome=refused")         \
            PROBE("weak-group", "outcome=refused")
/* RFC 9325 4.1: 2,048 bits at least; NCSC-NL: 3,072. */
static void sizes_of_diffie_hellman(void **state)
{
    static const struct judge_case t[] = {
        {TLS12_ASKED PROBE("dhe", "outcome=accepted version=771 cipher=158 dh-bits=3072"), CHECK_TLS_EXCHANGE,
         CHECK_PASS, NULL, NULL},
        {TLS12_ASKED PROBE("dhe", "outcome=accepted version=771 cipher=158 dh-bits=3071"), CHECK_TLS_EXCHANGE,
         CHECK_NOTE, "with 3071 bits", "3072 bits"},
        {TLS12_ASKED PROBE("dhe", "outcome=accepted version=771 cipher=158 dh-bits=2048"), CHECK_TLS_EXCHANGE,
         CHECK_NOTE, "with 2048 bits", NULL},
        {TLS12_ASKED PROBE("dhe", "outcome=accepted version=771 cipher=158 dh-bits=2047"), CHECK_TLS_EXCHANGE,
         CHECK_FAIL, "with 2047 bits", NULL},
        {TLS12_ASKED PROBE("dhe", "outcome=refused"), CHECK_TLS_EXCHANGE, CHECK_PASS, NULL, NULL},
    };
    JUDGE(HEAD ZONE, t);
}

/* RFC 5246 E.1: who knows an older version alone answers an offer of a newer one with it, and has not accepted it. */
static void versions_that_are_older_than_asked(void **state)
{
    static const struct judge_case t[] = {
        {ONLY_TLS11, CHECK_STARTTLS, CHECK_PASS, NULL, NULL},
        {ONLY_TLS11, CHECK_TLS_VERSION, CHECK_FAIL, "neither TLS 1.2 nor TLS 1.3", "TLS library up to date"},
        {ONLY_TLS11, CHECK_TLS_OLD, CHECK_FAIL, "offers TLS 1.1", NULL},
        {ONLY_TLS11, CHECK_TLS_CIPHERS, CHECK_PASS, NULL, NULL},
        {ONLY_TLS11, CHECK_TLS_CIPHERS_OLD, CHECK_NOT_APPLICABLE, NULL, NULL},
        {ONLY_TLS11, CHECK_TLS_ORDER, CHECK_NOT_APPLICABLE, NULL, NULL},
        {ONLY_TLS11, CHECK_TLS_HASH, CHECK_NOT_APPLICABLE, NULL, NULL},
        {ONLY_TLS11, CHECK_TLS_EMS, CHECK_NOT_APPLICABLE, NULL, NULL},
        /* TLS 1.0 alone: TLS 1.1 is not offered, whatever answered its offer */
        {MX_ASKED PROBE("tls12", "outcome=accepted version=769 cipher=49162")
             PROBE("tls11", "outcome=accepted version=769 cipher=49162")
                 PROBE("tls10", "outcome=accepted version=769 cipher=49162"),
         CHECK_TLS_OLD, CHECK_FAIL, "mx.a.example (192.0.2.1) offers TLS 1.0", NULL},
        /* a newer one than was asked for: no client goes on, so that TLS 1.0 is not offered */
        {MX_ASKED PROBE("tls12", "outcome=accepted version=771 cipher=49199") PROBE("tls11", "outcome=refused")
             PROBE("tls10", "outcome=accepted version=771 cipher=49199") PROBE("ssl3", "outcome=refused"),
         CHECK_TLS_OLD, CHECK_PASS, NULL, NULL},
        /* broken under any version */
        {MX_ASKED PROBE("tls12", "outcome=accepted version=769 cipher=49162")
             PROBE("broken", "outcome=accepted version=769 cipher=10"),
         CHECK_TLS_CIPHERS, CHECK_FAIL, "RSA_WITH_3DES_EDE_CBC_SHA", NULL},
        /* TLS fails with usual libraries for the one thing that the host knows */
        {TLS_FAILS TLS12_OF(" group=21"), CHECK_STARTTLS, CHECK_FAIL, "TLS fails", "Offer X25519"},
        {TLS_FAILS TLS12_OF(" dh-bits=1024"), CHECK_STARTTLS, CHECK_FAIL, "TLS fails", "Diffie-Hellman parameters"},
        {TLS_FAILS TLS12_OF(" group=29"), CHECK_STARTTLS, CHECK_FAIL, "TLS fails", "smtpd_tls_security_level"},
        /* who has no better cipher cannot prefer it */
        {MX_ASKED TLS12_OF("") PROBE("order", "outcome=accepted version=771 cipher=158")
             PROBE("good", "outcome=refused"),
         CHECK_TLS_ORDER, CHECK_UNTESTED, NULL, NULL},
        {MX_ASKED TLS12_OF("") PROBE("order", "outcome=accepted version=771 cipher=158")
             PROBE("good", "outcome=accepted version=771 cipher=49196"),
         CHECK_TLS_ORDER, CHECK_ADVICE, "though better ones were offered", "tls_preempt_cipherlist"},
    };
    JUDGE(HEAD ZONE, t);
}

#define PARENT(rest) "parent host=ns.b.example address=192.0.2.60 outcome=answered" rest "\n"
#define TWO_NS "dns a.example. secure 300 NS ns2.a.example.\n"

/* RFC 1034 4.2.2: the NS records on both sides of the cut are the same. */
static void both_sides_of_the_cut(void **state)
{
    static const struct judge_case t[] = {
        {TWO TWO_NS PARENT(" names=\"ns.a.example ns2.a.example\""), CHECK_NS_AGREE, CHECK_UNTESTED, "fewer than two",
         NULL},
        {TWO PARENT(" names=\"ns.a.example ns9.a.example\""), CHECK_NS_AGREE, CHECK_FAIL,
         "the parent zone names ns9.a.example as a name server of a.example, which the zone does not",
         "for a.example as the zone itself: ns.a.example"},
        {TWO TWO_NS PARENT(" names=ns.a.example"), CHECK_NS_AGREE, CHECK_ADVICE,
         "the parent zone does not name ns2.a.example", "ns.a.example ns2.a.example"},
        {TWO TWO_NS PARENT(" names=\"ns.a.example ns2.a.example.b.example\""), CHECK_NS_AGREE, CHECK_FAIL,
         "names ns2.a.example.b.example", NULL},
        /* a server of both zones answers for the lower one, and one that does not answer says nothing */
        {TWO PARENT(""), CHECK_NS_AGREE, CHECK_UNTESTED, "fewer than two", NULL},
        {TWO "parent host=ns.b.example address=192.0.2.60 outcome=timeout\n", CHECK_NS_ANSWER, CHECK_PASS, NULL, NULL},
    };
    JUDGE(HEAD SOA "dns ns.a.example. secure 300 A 192.0.2.51\n", t);
}

#define OVER_TCP(n, rest) "tcp host=ns" n ".a.example address=192.0.2.5" n " " rest "\n"
#define TWO_SOA TWO SERVER("2", "SOA", "aa=1 digest=aa")

/* RFC 7766 section 5, RFC 9210 section 3. That none answers so may be our own network's doing. */
static void servers_that_take_no_tcp(void **state)
{
    static const struct judge_case t[] = {
        {TWO_SOA OVER_TCP("1", "outcome=answered") OVER_TCP("2", "outcome=unreachable"), CHECK_NS_ANSWER, CHECK_FAIL,
         "over TCP: ns2.a.example (192.0.2.52): unreachable", "answer over TCP, too"},
        {TWO_SOA OVER_TCP("1", "outcome=answered") OVER_TCP("2", "outcome=timeout"), CHECK_NS_ANSWER, CHECK_FAIL,
         "over TCP", NULL},
        {TWO_SOA OVER_TCP("1", "outcome=unreachable") OVER_TCP("2", "outcome=unreachable"), CHECK_NS_ANSWER,
         CHECK_UNTESTED, "over TCP", NULL},
        /* what does not answer at all is said once, and what says that it cannot is running */
        {TWO "server host=ns2.a.example address=192.0.2.52 question=SOA outcome=timeout\n", CHECK_NS_ANSWER, CHECK_FAIL,
         "timeout", "Start this name server"},
        {TWO "server host=ns2.a.example address=192.0.2.52 question=SOA outcome=answered rcode=5\n", CHECK_NS_ANSWER,
         CHECK_FAIL, "REFUSED", "Let this name server load the zone"},
        {TWO "server host=ns2.a.example address=192.0.2.52 question=SOA outcome=answered rcode=1\n", CHECK_NS_ANSWER,
         CHECK_FAIL, "FORMERR", "software up to date"},
    };
    JUDGE(HEAD SOA "dns ns.a.example. secure 300 A 192.0.2.51\n", t);
}

#define RSA_1024                                                                                                       \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDuUhf/YvAMt8JGuD7Jt2Gcno9yh9ejAZch"                                         \
    "comfM2AB4AwgZFZ+nfKfOVjahtHttGzo6kt7fltRwEAljyI7zxNCLxaBO5RtWRXPNk9ucIdf"                                         \
    "RGiUzbtPmJEwEApWGJzptoTlTGX6xwU3+Bz2xjyG8SifY3BHdy0WKt6pvGkeXJeSjwIDAQAB"
#define KEY_S(text) "selector name=s source=option\n" SPF("mx -all") TXT("s._domainkey.a.example.", text)
#define VOID_MX(n) "dns m" n ".a.example. secure 300 MX 1 n" n ".a.example.\n"

/* What stands beside another fault is said, too, and the record to publish keeps what was right. */
static void several_faults_of_one_record(void **state)
{
    static const struct judge_case t[] = {
        {KEY_S("v=DKIM1; t=y; p=" RSA_1024), CHECK_DKIM, CHECK_ADVICE, "s: RSA with 1024 bits; s: the key says",
         "Make a new key of 2048 bits. Remove t=y."},
        {KEY_S("v=DKIM1; p=" RSA_1024), CHECK_DKIM, CHECK_ADVICE, "s: RSA with 1024 bits", "2048 bits."},
        {TXT("_dmarc.a.example.", "v=DMARC2; p=reject; rua=mailto:r@a.example; adkim=s"), CHECK_DMARC, CHECK_FAIL,
         "found: v=DMARC2", "TXT \"v=DMARC1; p=reject; rua=mailto:r@a.example; adkim=s\""},
        {TXT("_dmarc.a.example.", "v=DMARC2; p=none; rua=mailto:r@a.example"), CHECK_DMARC, CHECK_FAIL, NULL,
         "TXT \"v=DMARC1; p=quarantine; rua=mailto:r@a.example\""},
        /* RFC 7208 4.6.4: a term is void, whose hosts all are */
        {SPF("mx:m1.a.example mx:m2.a.example mx:m3.a.example -all") VOID_MX("1") VOID_MX("2") VOID_MX("3"),
         CHECK_SPF_VOID, CHECK_FAIL, "one too many is mx:m3.a.example", NULL},
        {SPF("mx:m1.a.example mx:m2.a.example mx:m3.a.example -all") VOID_MX("1") VOID_MX("2")
             VOID_MX("3") "dns m3.a.example. secure 300 MX 2 mx.a.example.\n",
         CHECK_SPF_VOID, CHECK_PASS, "2", NULL},
        /* what another's record allows cannot be mended in one's own */
        {SPF("mx include:b.example -all") TXT("b.example.", "v=spf1 +all"), CHECK_SPF_EVERYBODY, CHECK_FAIL,
         "+all in the record of b.example", "Remove what leads to the record of b.example"},
        {SPF("mx include:b.a.example -all") TXT("b.a.example.", "v=spf1 +all"), CHECK_SPF_EVERYBODY, CHECK_FAIL, NULL,
         "End the record with -all."},
    };
    JUDGE(HEAD ZONE, t);
}

/* RFC 2181 section 5: the records of one name and type are a set. What is said of it is the same in any order. */
static void records_in_another_order(void **state)
{
    static const char *const sets[][2] = {
        {TXT("_dmarc.a.example.", "v=DMARC2; p=reject; rua=mailto:a@a.example"),
         TXT("_dmarc.a.example.", "v=DMARC3; p=reject; rua=mailto:b@a.example")},
        {TXT("_mta-sts.a.example.", "v=STSv2; id=1"), TXT("_mta-sts.a.example.", "v=STSv3; id=2")},
        {TXT("_smtp._tls.a.example.", "v=TLSRPTv1; rua=mailto:a@a.example"),
         TXT("_smtp._tls.a.example.", "v=TLSRPTv1; rua=mailto:b@a.example")},
        {KEY_S("v=DKIM1; t=y; p=" RSA_1024), TXT("s._domainkey.a.example.", "v=DKIM1; p=" RSA_1024)},
        {"dns a.example. secure 300 MX 10 x.a.example.\n", "dns a.example. secure 300 MX 10 w.a.example.\n"},
        {"dns a.example. secure 300 CAA 128 tbs \"x\"\n", "dns a.example. secure 300 CAA 128 abs \"x\"\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct check_report r[2];
        struct arena *a[2];
        for (size_t k = 0; k < 2; k++) {
            struct buf text = BUF_INIT;
            buf_printf(&text, "%s%s%s%s", HEAD, ZONE, sets[i][k], sets[i][!k]);
            a[k] = arena_new(32 << 20);
            judge(a[k], text.p, &r[k]);
            buf_release(&text);
        }
        for (size_t test = 0; test < CHECK_TESTS; test++) {
            const struct check_result *x = &r[0].results[test], *y = &r[1].results[test];
            assert_int_equal(x->state, y->state);
            assert_string_equal(x->evidence ? x->evidence : "", y->evidence ? y->evidence : "");
            assert_string_equal(x->fix ? x->fix : "", y->fix ? y->fix : "");
        }
        arena_free(a[0]);
        arena_free(a[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_of_diffie_hellman),      cmocka_unit_test(versions_that_are_older_than_asked),
        cmocka_unit_test(both_sides_of_the_cut),        cmocka_unit_test(servers_that_take_no_tcp),
        cmocka_unit_test(several_faults_of_one_record), cmocka_unit_test(records_in_another_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
