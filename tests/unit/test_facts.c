// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_facts.c - facts are written and read back octet by octet, hostile files are refused with their line, and a
 * report over saved facts says what the RFCs say of them, with "could not be tested" if nothing is known.
 */
#include "tests/unit/cm.h"
#include "base/base64.h"
#include "check/check.h"
#include "check/facts.h"
#include "tests/unit/facts_case.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

static struct facts *read_text(struct arena *a, const char *text, const char **error)
{
    return facts_read(a, slice_str(text), error);
}

static void a_value_comes_back_octet_by_octet(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct buf b = BUF_INIT;
    char all[256];
    const char *error;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    buf_adds(&b, "assay-facts 1\nsubject domain=a.example time=1795867200\nweb host=x outcome=done");
    facts_text(&b, "body", slice_of(all, sizeof all));
    facts_end_line(&b);
    struct facts *f = facts_read(a, buf_slice(&b), &error);
    assert_non_null(f);
    assert_int_equal(f->web_count, 1);
    assert_int_equal(f->web[0].body.n, 256);
    assert_memory_equal(f->web[0].body.p, all, 256);
    for (size_t i = 0; i < b.n; i++)
        assert_true(b.p[i] == '\n' || (b.p[i] >= ' ' && b.p[i] < 0x7f));
    facts_free(f);
    buf_release(&b);
    arena_free(a);
}

static void bad_files_are_refused_with_their_line(void **state)
{
    static const struct {
        const char *text, *words;
    } t[] = {
        {"", "is empty"},
        {"assay-facts 2\n", "line 1: a file of facts begins with"},
        {"assay-facts 1\n", "no line \"subject"},
        {"assay-facts 1\nsubject domain=a.example", "line 2: the file is cut off"},
        {"assay-facts 1\nsubject domain=a..b\n", "line 2: domain="},
        {"assay-facts 1\nsubject domain=\"a.example\n", "line 2: a quoted value"},
        {"assay-facts 1\nsubject domain=\"\\x4\"\n", "line 2: a quoted value"},
        {"assay-facts 1\nsubject domain\n", "NAME=VALUE"},
        {"assay-facts 1\nsubject domain=a.example time=1795867200\nsmtp host=x address=999.1.1.1 outcome=done\n",
         "line 3: address="},
        {"assay-facts 1\nsubject domain=a.example time=1795867200\nsmpt host=x address=192.0.2.1\n",
         "line 3: a line begins with"},
        {"assay-facts 1\nsubject domain=a.example time=1795867200\ncert der=AAAA\n",
         "line 3: a certificate should stand directly behind"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct arena *a = arena_new(1 << 22);
        const char *error = NULL;
        assert_null(read_text(a, t[i].text, &error));
        if (!strstr(error, t[i].words))
            print_error("%zu: %s\n", i, error);
        assert_non_null(strstr(error, t[i].words));
        arena_free(a);
    }
}

static void facts_refuse(const char *text, const char *words)
{
    struct arena *a = arena_new(1 << 22);
    const char *error = NULL;
    assert_null(read_text(a, text, &error));
    if (!strstr(error, words))
        print_error("%s\n%s\n", text, error);
    assert_non_null(strstr(error, words));
    arena_free(a);
}

#define BEGIN "assay-facts 1\nsubject domain=a.example time=1795867200\n"

/* A value that cannot be read is no 0: the file is refused, with line and field. */
static void a_number_that_cannot_be_read_is_an_error(void **state)
{
    static const struct {
        const char *line, *field;
        const char *most;
    } t[] = {
        {"server host=x address=192.0.2.1 question=SOA outcome=answered", "rcode", "15"},
        {"server host=x address=192.0.2.1 question=SOA outcome=answered", "aa", "1"},
        {"server host=x address=192.0.2.1 question=SOA outcome=answered", "tcp", "1"},
        {"server host=x address=192.0.2.1 question=SOA outcome=answered", "serial", "4294967295"},
        {"server host=x address=192.0.2.1 question=SOA outcome=answered", "signed-to", "4294967295"},
        {"server host=x address=192.0.2.1 question=SOA outcome=answered", "signed-from", "4294967295"},
        {"smtp host=x address=192.0.2.1 outcome=done", "connected", "1"},
        {"smtp host=x address=192.0.2.1 outcome=done", "usage", "3"},
        {"tls host=x address=192.0.2.1 probe=tls12 outcome=accepted", "version", "65535"},
        {"tls host=x address=192.0.2.1 probe=tls12 outcome=accepted", "cipher", "65535"},
        {"tls host=x address=192.0.2.1 probe=tls12 outcome=accepted", "group", "65535"},
        {"tls host=x address=192.0.2.1 probe=tls12 outcome=accepted", "signature", "65535"},
        {"tls host=x address=192.0.2.1 probe=tls12 outcome=accepted", "dh-bits", "65535"},
        {"tls host=x address=192.0.2.1 probe=tls12 outcome=accepted", "compression", "255"},
        {"tls host=x address=192.0.2.1 probe=tls12 outcome=accepted", "alert", "255"},
        {"tls host=x address=192.0.2.1 probe=tls12 outcome=accepted", "ems", "1"},
        {"tls host=x address=192.0.2.1 probe=tls12 outcome=accepted", "renegotiation", "1"},
    };
    static const char *const bad[] = {"\"\"",   "x",   "-1",  "+1", "0x1",        "\" 1\"",
                                      "\"1 \"", "1.0", "1e1", "१",  "\"1\\x00\"", "99999999999999999999999"};
    char text[400], words[100];
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        snprintf(words, sizeof words, "line 3: %s= should be a number from 0 to %s", t[i].field, t[i].most);
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            snprintf(text, sizeof text, BEGIN "%s %s=%s\n", t[i].line, t[i].field, bad[k]);
            facts_refuse(text, words);
        }
        snprintf(text, sizeof text, BEGIN "%s %s=%s0\n", t[i].line, t[i].field, t[i].most);
        facts_refuse(text, words);
        snprintf(text, sizeof text, BEGIN "%s %s=%s\n", t[i].line, t[i].field, t[i].most);
        struct arena *a = arena_new(1 << 22);
        const char *error = NULL;
        struct facts *f = read_text(a, text, &error);
        assert_non_null(f);
        facts_free(f);
        arena_free(a);
    }
    facts_refuse("assay-facts 1\nsubject domain=a.example\n", "line 2: time= is missing");
    facts_refuse("assay-facts 1\nsubject domain=a.example time=now\n", "line 2: time= should be a number");
    facts_refuse("assay-facts 1\nsubject domain=a.example time=-1\n", "line 2: time= should be a number");
    facts_refuse("assay-facts 1\nsubject domain=a.example time=1 table=1x\n", "line 2: table= should be a number");
}

#define SMTP "smtp host=x address=192.0.2.1 outcome=done\n"
#define SERVER "server host=x address=192.0.2.1 question=SOA outcome=answered\n"
#define WEB "web host=x path=/a outcome=done\n"
#define TLS(probe, outcome, cipher)                                                                                    \
    "tls host=x address=192.0.2.1 probe=" probe " outcome=" outcome " cipher=" cipher "\n"

/* All that a file says is judged; so what is not known, or said twice, is an error. */
static void what_is_unknown_or_said_twice_is_an_error(void **state)
{
    facts_refuse("assay-facts 1\nsubject domain=a.example time=1 table=9999\n",
                 "table= should be a number from 0 to 1000");
    facts_refuse(BEGIN "subject domain=b.example time=1\n", "line 3: the subject was named before");
    facts_refuse(BEGIN "here ipv4=yes\nhere ipv4=no\n", "line 4: there was a line \"here\" before");
    facts_refuse(BEGIN "here ipv4=perhaps\n", "line 3: ipv4= should be yes, no or");
    facts_refuse(BEGIN "here ipv5=yes\n", "line 3: ipv5= is not a field of this line");
    facts_refuse(BEGIN "smtp host=x address=192.0.2.1 outcome=done outcome=timeout\n", "line 3: outcome= stands twice");
    facts_refuse(BEGIN "smtp host=x address=192.0.2.1 outcome=done ougcome=done\n", "line 3: ougcome= is not a field");
    facts_refuse(BEGIN "smtp address=192.0.2.1\n", "line 3: host= is missing");
    facts_refuse(BEGIN "smtp host=\"x\\x00y\" address=192.0.2.1 outcome=done\n",
                 "line 3: host= should be text, without NUL");
    facts_refuse(BEGIN SMTP SMTP, "line 4: this address of this host");
    facts_refuse(BEGIN SERVER SERVER, "line 4: this question to this server");
    facts_refuse(BEGIN "selector name=s\nselector name=S\n", "line 4: this selector");
    facts_refuse(BEGIN WEB WEB, "line 4: this page");
    facts_refuse(BEGIN "rpki host=x address=192.0.2.1\nrpki host=x address=192.0.2.1\n", "line 4: this address");
    facts_refuse(BEGIN "tls host=x address=192.0.2.1\n", "line 3: probe= is missing");
    facts_refuse(BEGIN TLS("tls12", "accepted", "53") TLS("tls12", "refused", "53"),
                 "line 4: this offer to this address");
    facts_refuse(BEGIN "smtp host=x address=192.0.2.1\n", "line 3: outcome= is missing");
    facts_refuse(BEGIN "server host=x address=192.0.2.1 question=SOA\n", "line 3: outcome= is missing");
    facts_refuse(BEGIN "server host=x address=192.0.2.1 outcome=answered\n", "line 3: question= is missing");
    facts_refuse(BEGIN "tls host=x address=192.0.2.1 probe=old\n", "line 3: outcome= is missing");
    facts_refuse(BEGIN "web host=x path=/a\n", "line 3: outcome= is missing");
    facts_refuse(BEGIN SMTP "cert der=A*AA\n", "line 4: der= should be base64");
    facts_refuse(BEGIN SMTP "cert der=AAAAA\n", "line 4: der= should be base64");
    facts_refuse(BEGIN SMTP "cert der=A===\n", "line 4: der= should be base64");
    facts_refuse(BEGIN SMTP "cert\n", "line 4: der= is missing");
    facts_refuse(BEGIN SMTP "cert der=AAAA\nseen tls=1\ncert der=AAAA\n",
                 "line 6: a certificate should stand directly behind");
    facts_refuse(BEGIN SMTP "dns a.example. bogus\ncert der=AAAA\n",
                 "line 5: a certificate should stand directly behind");
    facts_refuse(BEGIN "dnssec x\n", "line 3: a field should be NAME=VALUE");
}

static void more_entries_than_the_bounds_are_refused(void **state)
{
    static const struct {
        const char *before, *after, *kind;
        int most;
    } t[] = {{"selector name=s", "\n", "selector", FACTS_SELECTORS},
             {"server host=h", " address=192.0.2.1 question=SOA outcome=answered\n", "server", FACTS_SERVERS},
             {"smtp host=h", " address=192.0.2.1 outcome=done\n", "smtp", FACTS_SMTP},
             {"tls host=h", " address=192.0.2.1 probe=old outcome=refused\n", "tls", FACTS_TLS},
             {"web host=h", " outcome=done\n", "web", FACTS_WEB},
             {"rpki host=h", " address=192.0.2.1\n", "rpki", FACTS_RPKI},
             {"cert der=", "\n", "cert", FACTS_CHAIN}};
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        for (int more = 0; more < 2; more++) {
            struct arena *a = arena_new(64 << 20);
            struct buf b = BUF_INIT;
            const char *error = NULL;
            char line[200], words[100];
            buf_adds(&b, i == 6 ? BEGIN SMTP : BEGIN);
            for (int k = 0; k < t[i].most + more; k++) {
                snprintf(line, sizeof line, "%s%04d%s", t[i].before, k, t[i].after);
                buf_adds(&b, line);
            }
            struct facts *f = facts_read(a, buf_slice(&b), &error);
            snprintf(words, sizeof words, "there are more than %d lines \"%s\"", t[i].most, t[i].kind);
            assert_true(more ? !f && strstr(error, words) : f != NULL);
            facts_free(f);
            buf_release(&b);
            arena_free(a);
        }
    struct arena *a = arena_new(64 << 20);
    struct buf b = BUF_INIT;
    const char *error;
    while (b.n <= FACTS_OCTETS)
        buf_adds(&b, BEGIN);
    assert_null(facts_read(a, buf_slice(&b), &error));
    assert_non_null(strstr(error, "over 4 MB"));
    buf_release(&b);
    arena_free(a);
}

/* What one line says of a name another may not deny; a record that is doubled is one (RFC 2181 section 5). The line is
 * that of the file. */
static void the_dns_part_contradicts_nothing(void **state)
{
    static const struct {
        const char *lines, *words; /* NULL: it is in order */
    } t[] = {
        {"dns a.example. secure 300 nodata MX\ndns a.example. secure 300 MX 10 b.\n", "line 4: a line before says"},
        {"dns a.example. secure 300 MX 10 b.\nseen tls=1\n\ndns a.example. bogus MX\n", "line 6: a line before"},
        {"dns a.example. bogus\ndns a.example. nxdomain\n", "line 4: a line before"},
        {"dns zone . secure\ndns zone . insecure\n", "line 4: a line before says otherwise of this zone"},
        {"here ipv4=yes\ndns a.example. secure 300 MX ten b.\n", "line 4: MX record"},
        {"dns a.example. secure 300 MX 10 b.\ndns a.example. secure 300 MX 10 b.\n", NULL},
        {"dns a.example. bogus\ndns a.example. secure 300 MX 10 b.\ndns zone . secure\ndns zone . secure\n", NULL},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct arena *a = arena_new(32 << 20);
        struct check_report r;
        struct buf text = BUF_INIT;
        const char *error = NULL;
        buf_printf(&text, BEGIN "%s", t[i].lines);
        struct facts *f = read_text(a, text.p, &error);
        assert_non_null(f);
        assert_int_equal(check_judge(a, f, 0, LANGUAGE_EN, &r, &error), t[i].words ? STATUS_INVALID : STATUS_OK);
        if (t[i].words && strncmp(error, t[i].words, strlen(t[i].words)) != 0)
            print_error("%zu: %s\n", i, error);
        assert_true(!t[i].words || strncmp(error, t[i].words, strlen(t[i].words)) == 0);
        facts_free(f);
        buf_release(&text);
        arena_free(a);
    }
}

#define PARKED                                                                                                         \
    "dns a.example. secure 300 SOA ns.a.example. h.a.example. 1 2 3 4 5\ndns a.example. secure 300 NS "                \
    "ns1.x.example.\n"                                                                                                 \
    "dns a.example. secure 300 NS ns2.x.example.\ndns a.example. secure 300 MX 0 .\ndns a.example. secure 300 TXT "    \
    "\"v=spf1 -all\"\n"                                                                                                \
    "dns _dmarc.a.example. secure 300 TXT \"v=DMARC1; p=reject\"\n"

static void a_domain_that_takes_no_mail_is_asked_for_none_of_it(void **state)
{
    struct arena *a = arena_new(32 << 20);
    struct check_report r;
    judge(a, HEAD PARKED, &r);
    assert_false(r.receives);
    assert_false(r.sends);
    assert_int_equal(r.results[CHECK_MX].state, CHECK_PASS);
    assert_int_equal(r.results[CHECK_STARTTLS].state, CHECK_NOT_APPLICABLE);
    assert_int_equal(r.results[CHECK_DANE].state, CHECK_NOT_APPLICABLE);
    assert_int_equal(r.results[CHECK_DKIM].state, CHECK_NOT_APPLICABLE);
    assert_int_equal(r.results[CHECK_SPF].state, CHECK_PASS);
    assert_true(r.rejects);
    arena_free(a);
}

static void nothing_known_is_no_failure_and_a_range(void **state)
{
    struct arena *a = arena_new(32 << 20);
    struct check_report r;
    judge(a, HEAD "dns a.example. timeout\ndns _dmarc.a.example. timeout\ndns _mta-sts.a.example. timeout\n", &r);
    assert_int_equal(r.results[CHECK_EXISTS].state, CHECK_UNTESTED);
    assert_int_equal(r.results[CHECK_DNSSEC_VALID].state, CHECK_UNTESTED);
    assert_int_equal(r.results[CHECK_DMARC].state, CHECK_UNTESTED);
    assert_int_equal(r.counts[CHECK_FAIL], 0);
    assert_true(r.least > r.grade);
    arena_free(a);
}

static void our_own_trouble_is_not_theirs(void **state)
{
    struct arena *a = arena_new(32 << 20);
    struct check_report r;
    judge(a,
          "assay-facts 1\nsubject domain=a.example time=1795867200\nhere ipv4=yes canary=\"no answer\"\ndns a.example. "
          "bogus\n",
          &r);
    assert_int_equal(r.counts[CHECK_FAIL], 0);
    assert_int_equal(r.counts[CHECK_ADVICE], 0);
    assert_int_equal(r.results[CHECK_DNSSEC_VALID].state, CHECK_UNTESTED);
    arena_free(a);
}

static void caps_hold(void **state)
{
    static const struct {
        const char *dns;
        enum check_test test;
        enum check_grade at_best;
    } t[] = {
        {"dns a.example. bogus\n", CHECK_DNSSEC_VALID, CHECK_F},
        {"dns _dmarc.a.example. bogus\n", CHECK_DNSSEC_VALID, CHECK_F},
        {"dns a.example. secure 300 MX 10 mx.a.example.\ndns mx.a.example. bogus\n", CHECK_DNSSEC_MX, CHECK_F},
        {"dns a.example. secure 300 TXT \"v=spf1 +all\"\n", CHECK_SPF_EVERYBODY, CHECK_F},
        {"dns a.example. secure 300 TXT \"v=spf1 -all\"\n", CHECK_DMARC, CHECK_C},
        {"dns _dmarc.a.example. secure 300 TXT \"v=DMARC1; p=none\"\n", CHECK_DMARC_POLICY, CHECK_C},
        {"dns a.example. secure 300 MX 10 mx.a.example.\ndns mx.a.example. secure 300 A 192.0.2.1\n"
         "smtp host=mx.a.example address=192.0.2.1 outcome=\"no STARTTLS\" banner=220\n",
         CHECK_STARTTLS, CHECK_D},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct arena *a = arena_new(32 << 20);
        struct check_report r;
        char text[2000];
        snprintf(text, sizeof text, "%sdns a.example. secure 300 NS ns.x.example.\n%s", HEAD, t[i].dns);
        judge(a, text, &r);
        assert_int_equal(r.results[t[i].test].state, CHECK_FAIL);
        assert_true(r.grade >= t[i].at_best);
        assert_non_null(r.results[t[i].test].evidence);
        arena_free(a);
    }
}

/* While our own DNS is not in order, no signature is known to be wrong: the cap is hidden, not in force. */
static void our_own_trouble_hides_a_cap(void **state)
{
    struct arena *a = arena_new(32 << 20);
    struct check_report r;
    judge(a,
          "assay-facts 1\nsubject domain=a.example time=1795867200 table=1\n"
          "here ipv4=yes ipv6=yes canary=\"no trust anchor\"\ndns zone . secure\n"
          "dns a.example. secure 300 MX 10 mx.a.example.\ndns mx.a.example. bogus\n",
          &r);
    assert_int_equal(r.results[CHECK_DNSSEC_MX].state, CHECK_UNTESTED);
    assert_true(r.grade < CHECK_F);
    assert_int_equal(r.least, CHECK_F);
    judge(a, HEAD "dns a.example. bogus \"validation failure\"\ndns . bogus DNSKEY\n", &r);
    assert_int_equal(r.results[CHECK_DNSSEC_VALID].state, CHECK_UNTESTED);
    assert_non_null(strstr(r.results[CHECK_DNSSEC_VALID].evidence, "keys of the root"));
    judge(a, HEAD "dns a.example. bogus \"no DNSKEY rrset for trust anchor .\"\n", &r); /* words of a stranger */
    assert_int_equal(r.results[CHECK_DNSSEC_VALID].state, CHECK_FAIL);
    arena_free(a);
}

/* One fault, or none, and the state that its test must have by the RFC. */
struct planted {
    const char *facts;
    enum check_test test;
    enum check_state state;
};

static void has_the_state_of_the_rfc(const struct planted *planted)
{
    struct arena *a = arena_new(32 << 20);
    struct check_report r;
    char text[4000];
    snprintf(text, sizeof text, "%s%s%s", HEAD, ZONE, planted->facts);
    judge(a, text, &r);
    if (r.results[planted->test].state != planted->state)
        print_error("%s: %s\n%s", check_state_name(r.results[planted->test].state), r.results[planted->test].evidence,
                    planted->facts);
    assert_int_equal(r.results[planted->test].state, planted->state);
    arena_free(a);
}

static void planted_in_spf(void **state)
{
    static const struct planted t[] = {
        /* RFC 7208 5.2: what an include allows counts by the qualifier of the include */
        {SPF("include:b.example -all") TXT("b.example.", "v=spf1 +all"), CHECK_SPF_EVERYBODY, CHECK_FAIL},
        {SPF("?include:b.example -all") TXT("b.example.", "v=spf1 +all"), CHECK_SPF_EVERYBODY, CHECK_PASS},
        {SPF("-include:b.example -all") TXT("b.example.", "v=spf1 ip4:0.0.0.0/0 -all"), CHECK_SPF_EVERYBODY,
         CHECK_PASS},
        {SPF("redirect=b.example") TXT("b.example.", "v=spf1 +all"), CHECK_SPF_EVERYBODY, CHECK_FAIL},
        {SPF("-a:mx.a.example/0 -all"), CHECK_SPF_EVERYBODY, CHECK_PASS},
        {SPF("a:mx.a.example/0 -all"), CHECK_SPF_EVERYBODY, CHECK_FAIL},
        /* RFC 7208 5.7 */
        {SPF("exists:mx.a.example -all"), CHECK_SPF_EVERYBODY, CHECK_FAIL},
        {SPF("exists:%{i}.mx.a.example -all"), CHECK_SPF_EVERYBODY, CHECK_PASS},
        /* addresses that two terms allow count once */
        {SPF("ip4:64.0.0.0/2 ip4:64.0.0.0/2 ip4:65.0.0.0/8 -all"), CHECK_SPF_EVERYBODY, CHECK_PASS},
        {SPF("ip4:64.0.0.0/2 ip4:64.0.0.0/2 ip4:128.0.0.0/2 -all"), CHECK_SPF_EVERYBODY, CHECK_FAIL},
        /* RFC 7208 5.3, 5.4: a prefix for IPv6 */
        {SPF("a:mx.a.example//0 -all") "dns mx.a.example. secure 300 AAAA 2001:db8::1\n", CHECK_SPF_EVERYBODY,
         CHECK_FAIL},
        {SPF("mx//0 -all") "dns mx.a.example. secure 300 AAAA 2001:db8::1\n", CHECK_SPF_EVERYBODY, CHECK_FAIL},
        {SPF("-mx//0 -all") "dns mx.a.example. secure 300 AAAA 2001:db8::1\n", CHECK_SPF_EVERYBODY, CHECK_PASS},
        {SPF("mx//64 -all") "dns mx.a.example. secure 300 AAAA 2001:db8::1\n", CHECK_SPF_EVERYBODY, CHECK_PASS},
        /* what could not be looked up is no failure, and may hide one */
        {SPF("include:b.example -all") "dns b.example. timeout\n", CHECK_SPF_EVERYBODY, CHECK_UNTESTED},
        {SPF("redirect=b.example") "dns b.example. timeout\n", CHECK_SPF_POLICY, CHECK_UNTESTED},
        {SPF("redirect=%{l}.b.example"), CHECK_SPF_POLICY, CHECK_UNTESTED},
        {SPF("redirect=b.example"), CHECK_SPF_POLICY, CHECK_NOT_APPLICABLE}, /* 6.1: permerror, said as such */
        {SPF("redirect=b.example"), CHECK_SPF_SYNTAX, CHECK_FAIL},
        {SPF("mx"), CHECK_SPF_POLICY, CHECK_FAIL},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        has_the_state_of_the_rfc(&t[i]);
}

static void planted_in_dmarc(void **state)
{
    static const struct planted t[] = {
        /* RFC 9989 4.7, 9990 section 4 (and 9991: reports of failures ask as those of sums do) */
        {DMARC("psd=q"), CHECK_DMARC_SYNTAX, CHECK_FAIL},
        {DMARC("t=yes"), CHECK_DMARC_SYNTAX, CHECK_FAIL},
        {DMARC("t=y"), CHECK_DMARC_POLICY, CHECK_NOTE}, /* quarantine in force, and said so */
        {DMARC("adkim=x"), CHECK_DMARC_SYNTAX, CHECK_FAIL},
        {DMARC("aspf="), CHECK_DMARC_SYNTAX, CHECK_FAIL},
        {DMARC("adkim = s ;aspf=R; t=n; psd=u; x=y"), CHECK_DMARC_SYNTAX, CHECK_PASS},
        {DMARC("ruf=mailto:a@b.test"), CHECK_DMARC_EXTERNAL, CHECK_FAIL},
        {DMARC("rua=mailto:a@b.test"), CHECK_DMARC_EXTERNAL, CHECK_FAIL},
        {DMARC("ruf=mailto:a@b.test") TXT("a.example._report._dmarc.b.test.", "v=DMARC1"), CHECK_DMARC_EXTERNAL,
         CHECK_PASS},
        {DMARC("rua=mailto:a@b.test") "dns a.example._report._dmarc.b.test. timeout\n", CHECK_DMARC_EXTERNAL,
         CHECK_UNTESTED},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        has_the_state_of_the_rfc(&t[i]);
}

static void planted_on_the_way(void **state)
{
    static const struct planted t[] = {
        /* RFC 8460 section 3 */
        {TXT("_smtp._tls.a.example.", "v=TLSRPTv1; rua=mailto:a@a.example"), CHECK_TLS_RPT, CHECK_PASS},
        {TXT("_smtp._tls.a.example.", "v=TLSRPTv1; rua=https://a.example/"), CHECK_TLS_RPT, CHECK_PASS},
        {TXT("_smtp._tls.a.example.", "v=TLSRPTv1;"), CHECK_TLS_RPT, CHECK_ADVICE},
        {TXT("_smtp._tls.a.example.", "v=TLSRPTv1; rua=a@a.example"), CHECK_TLS_RPT, CHECK_ADVICE},
        /* RFC 8461 */
        {STS STS_FILE_OF("604800"), CHECK_STS_MODE, CHECK_PASS},
        {STS STS_FILE_OF("0"), CHECK_STS_MODE, CHECK_ADVICE},
        {STS STS_FILE_OF("604800"), CHECK_STS_MX, CHECK_UNTESTED}, /* nobody asked mx.a.example */
        /* a name server's address that is not known is none that is missing */
        {"dns a.example. secure 300 NS n1.x.example.\ndns a.example. secure 300 NS n2.x.example.\n"
         "dns n1.x.example. timeout\ndns n2.x.example. timeout\n",
         CHECK_NS_IPV6, CHECK_UNTESTED},
        /* RFC 7672 2.1.2: a look-up of TLSA that fails, while the host's address is found, keeps mail from it */
        {"dns _25._tcp.mx.a.example. timeout\n", CHECK_NS_TLSA, CHECK_FAIL},
        {"dns _25._tcp.mx.a.example. bogus\n", CHECK_NS_TLSA, CHECK_FAIL},
        {"dns _25._tcp.mx.a.example. timeout\n", CHECK_DANE_MATCH, CHECK_NOT_APPLICABLE},
        /* RFC 7671 section 9: a digest set aside is no second record */
        {"dns _25._tcp.mx.a.example. secure 300 TLSA 3 1 1 "
         "0000000000000000000000000000000000000000000000000000000000000000\n"
         "dns _25._tcp.mx.a.example. secure 300 TLSA 3 1 2 "
         "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "0"
         "000000000000000000\n",
         CHECK_DANE_ROLLOVER, CHECK_NOTE},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        has_the_state_of_the_rfc(&t[i]);
}

static void planted_in_dkim_keys(void **state)
{
    static const struct planted t[] = {
        /* RFC 6376 3.6.1 */
        {"selector name=s source=option\n" TXT(
             "s._domainkey.a.example.", "v=DKIM1; k=ed25519; s=tlsrpt; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
         CHECK_DKIM, CHECK_FAIL},
        {"selector name=s source=option\n" TXT(
             "s._domainkey.a.example.", "v=DKIM1; k=ed25519; h=sha1; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
         CHECK_DKIM, CHECK_FAIL},
        {"selector name=s source=option\n" TXT("s._domainkey.a.example.", "v=DKIM1; p="), CHECK_DKIM, CHECK_UNTESTED},
        {"selector name=s source=option\n" TXT("s._domainkey.a.example.",
                                               "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
         CHECK_DKIM, CHECK_PASS},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        has_the_state_of_the_rfc(&t[i]);
}

static EVP_PKEY *key_of(const char *kind, const char *option, const char *value)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    assert_non_null(c);
    bool dsa = strcmp(kind, "DSA") == 0;
    assert_true((dsa ? EVP_PKEY_paramgen_init(c) : EVP_PKEY_keygen_init(c)) == 1);
    if (option)
        assert_true(EVP_PKEY_CTX_ctrl_str(c, option, value) > 0);
    assert_int_equal(dsa ? EVP_PKEY_paramgen(c, &key) : EVP_PKEY_generate(c, &key), 1);
    EVP_PKEY_CTX_free(c);
    if (!dsa)
        return key;
    EVP_PKEY *parameters = key;
    key = NULL;
    c = EVP_PKEY_CTX_new(parameters, NULL);
    assert_true(EVP_PKEY_keygen_init(c) == 1 && EVP_PKEY_generate(c, &key) == 1);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(parameters);
    return key;
}

/* A certificate of the key, signed by itself. */
static void certificate(EVP_PKEY *key, struct buf *out)
{
    X509 *x = X509_new();
    unsigned char *der = NULL;
    assert_non_null(x);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 86400 * 365));
    assert_int_equal(X509_set_pubkey(x, key), 1);
    bool edwards = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
    assert_true(X509_sign(x, key, edwards ? NULL : EVP_sha256()) > 0);
    int n = i2d_X509(x, &der);
    assert_true(n > 0);
    base64_encode(out, slice_of((const char *)der, (size_t)n), 0);
    OPENSSL_free(der);
    X509_free(x);
}

/* RFC 9325 4.1 and 4.5; Internet.nl's list: RSA from 2048 bits, ECDSA, EdDSA; no DSA. */
static void the_kind_of_a_certificates_key_is_seen(void **state)
{
    static const struct {
        const char *kind, *option, *value, *words;
        enum check_state state;
    } t[] = {
        {"RSA", "rsa_keygen_bits", "1024", "RSA with 1024 bits", CHECK_FAIL},
        {"RSA", "rsa_keygen_bits", "2048", "RSA with 2048 bits", CHECK_PASS},
        {"RSA-PSS", "rsa_keygen_bits", "2048", "RSA with 2048 bits", CHECK_PASS},
        {"EC", "ec_paramgen_curve", "P-256", "ECDSA with 256 bits", CHECK_PASS},
        {"EC", "ec_paramgen_curve", "P-521", "ECDSA with 521 bits", CHECK_PASS},
        {"EC", "ec_paramgen_curve", "P-192", "ECDSA with 192 bits", CHECK_FAIL},
        {"ED25519", NULL, NULL, "EdDSA with 25", CHECK_PASS},
        {"ED448", NULL, NULL, "EdDSA with 4", CHECK_PASS},
        {"DSA", "dsa_paramgen_bits", "2048", "a key with 2048 bits", CHECK_FAIL},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct arena *a = arena_new(32 << 20);
        struct check_report r;
        struct buf text = BUF_INIT;
        EVP_PKEY *key = key_of(t[i].kind, t[i].option, t[i].value);
        buf_adds(&text, HEAD ZONE "smtp host=mx.a.example address=192.0.2.1 outcome=done\ncert der=\"");
        certificate(key, &text);
        buf_adds(&text, "\"\n");
        judge(a, text.p, &r);
        assert_int_equal(r.results[CHECK_CERT_KEY].state, t[i].state);
        if (!strstr(r.results[CHECK_CERT_KEY].evidence, t[i].words))
            print_error("%s: %s\n", t[i].words, r.results[CHECK_CERT_KEY].evidence);
        assert_non_null(strstr(r.results[CHECK_CERT_KEY].evidence, t[i].words));
        EVP_PKEY_free(key);
        buf_release(&text);
        arena_free(a);
    }
}

/* However long it is: a failure stays, with what of its evidence fits. */
static void long_evidence_is_cut(void **state)
{
    struct arena *a = arena_new(32 << 20);
    struct check_report r;
    struct buf text = BUF_INIT;
    buf_adds(&text, HEAD ZONE "server host=");
    for (int i = 0; i < 2500; i++)
        buf_addc(&text, 'x');
    buf_adds(&text, " address=192.0.2.5 question=SOA outcome=answered rcode=0 aa=0\n"
                    "server host=ns address=192.0.2.3 question=SOA outcome=answered rcode=0 aa=1 digest=ab\n");
    judge(a, text.p, &r);
    assert_int_equal(r.results[CHECK_NS_ANSWER].state, CHECK_FAIL);
    assert_true(strlen(r.results[CHECK_NS_ANSWER].evidence) <= 2000);
    assert_non_null(strstr(r.results[CHECK_NS_ANSWER].evidence, "xxx"));
    buf_release(&text);
    arena_free(a);
}

static void mail_hosts_that_are_not_known_leave_a_range(void **state)
{
    struct arena *a = arena_new(32 << 20);
    struct check_report r;
    judge(a, HEAD "dns a.example. timeout\n" TXT("_dmarc.a.example.", "v=DMARC1; p=reject"), &r);
    assert_int_equal(r.results[CHECK_STARTTLS].state, CHECK_UNTESTED);
    assert_int_equal(r.results[CHECK_SPF_EVERYBODY].state, CHECK_UNTESTED);
    assert_int_equal(r.counts[CHECK_FAIL], 0);
    assert_int_equal(r.least, CHECK_F);
    arena_free(a);
}

/* Whatever field it stands in: no control character, no line end and no turn of direction reaches evidence or fix. */
static void hostile_text_is_made_visible(void **state)
{
    static const char *const outcomes[] = {"done", "\"\\x1b[31m\\x0a\"", "\"TLS failed\"", "\"not asked\"", "\x1b[1m"};
    static const char bad[] = "\"\\x1b[31m\\x0a\\x0d\\x09\\xe2\\x80\\xae\\xc2\\x9b\\xff<b>\"";
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        struct arena *a = arena_new(32 << 20);
        struct check_report r;
        char text[6000];
        const char *o = outcomes[i];
        snprintf(text, sizeof text,
                 "%s%sserver host=%s address=192.0.2.5 question=SOA outcome=%s why=%s\n"
                 "smtp host=%s address=192.0.2.1 outcome=%s reason=%s banner=%s dane=%s trust=%s\n"
                 "smtp host=mx.a.example address=192.0.2.1 outcome=%s reason=%s dane=%s trust=%s\n"
                 "web host=%s path=%s outcome=%s why=%s\nrpki host=%s address=192.0.2.1 why=%s\n" STS,
                 HEAD, ZONE, bad, o, bad, bad, o, bad, bad, bad, bad, o, bad, bad, bad, bad, bad, o, bad, bad, bad);
        judge(a, text, &r);
        for (int k = 0; k < CHECK_TESTS; k++) {
            const char *texts[] = {r.results[k].evidence, r.results[k].fix ? r.results[k].fix : ""};
            for (size_t j = 0; j < 2; j++) {
                for (const char *p = texts[j]; *p; p++)
                    assert_true((unsigned char)*p >= ' ' && *p != 0x7f);
                assert_null(strstr(texts[j], "\xe2\x80\xae"));
                assert_null(strstr(texts[j], "\xc2\x9b"));
            }
        }
        arena_free(a);
    }
}

static void every_test_is_documented(void **state)
{
    for (int i = 0; i < CHECK_TESTS; i++) {
        const struct check_test_info *info = check_test_info((enum check_test)i);
        assert_true(*info->name && *info->breaks && *info->sentence && *info->source);
        assert_true(info->weight <= 100);
        assert_true(info->level != CHECK_OPTIONAL || info->weight == 0); /* what is optional costs nothing */
        assert_int_equal(check_test_from_name(slice_str(info->name)), i);
    }
    assert_int_equal(check_test_from_name(SLICE_LIT("nosuch")), CHECK_TESTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_comes_back_octet_by_octet),
        cmocka_unit_test(bad_files_are_refused_with_their_line),
        cmocka_unit_test(a_number_that_cannot_be_read_is_an_error),
        cmocka_unit_test(what_is_unknown_or_said_twice_is_an_error),
        cmocka_unit_test(more_entries_than_the_bounds_are_refused),
        cmocka_unit_test(the_dns_part_contradicts_nothing),
        cmocka_unit_test(a_domain_that_takes_no_mail_is_asked_for_none_of_it),
        cmocka_unit_test(nothing_known_is_no_failure_and_a_range),
        cmocka_unit_test(our_own_trouble_is_not_theirs),
        cmocka_unit_test(caps_hold),
        cmocka_unit_test(our_own_trouble_hides_a_cap),
        cmocka_unit_test(planted_in_spf),
        cmocka_unit_test(planted_in_dmarc),
        cmocka_unit_test(planted_on_the_way),
        cmocka_unit_test(planted_in_dkim_keys),
        cmocka_unit_test(the_kind_of_a_certificates_key_is_seen),
        cmocka_unit_test(long_evidence_is_cut),
        cmocka_unit_test(mail_hosts_that_are_not_known_leave_a_range),
        cmocka_unit_test(hostile_text_is_made_visible),
        cmocka_unit_test(every_test_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
