// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_judge.c - whole messages through the judge, DNS from a table: what is stamped, what counts as forged, what is
 * recorded, the client behind a relay, a From with several authors, what memory that runs out does. All of it twice:
 * with answers that are there at once, and by a caller that may not wait and is given them later.
 */
#include "judge/judge.h"
#include "dns/dns_replay.h"
#include "judge/mail_record.h"
#include "judge/stamp.h"
#include "cli/recall.h"
#include "feedback/dmarc_failure.h"
#include "ledger/value.h"
#include "tests/unit/cm.h"
#include "tests/unit/late_source.h"
#include <stdbool.h>

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

static const char zones[] = "asks.example secure TXT \"v=spf1 -all\"\n"
                            "_dmarc.asks.example secure TXT \"v=DMARC1; p=none; ruf=mailto:r@asks.example\"\n"
                            "good.example secure TXT \"v=spf1 ip4:192.0.2.10 -all\"\n"
                            "_dmarc.good.example secure TXT \"v=DMARC1; p=reject; rua=mailto:d@good.example\"\n"
                            "shop.example insecure TXT \"v=spf1 ip4:192.0.2.30 -all\"\n"
                            "_dmarc.shop.example insecure TXT \"v=DMARC1; p=quarantine\"\n"
                            "parked.example secure TXT \"V=SPF1  -ALL \"\n"
                            "_dmarc.parked.example secure TXT \"v=DMARC1; p=reject\"\n"
                            "nullmx.example secure MX 0 .\n"
                            "_dmarc.nullmx.example secure TXT \"v=DMARC1; p=reject\"\n"
                            "all.example secure TXT \"v=spf1 +all\"\n"
                            "_dmarc.all.example secure TXT \"v=DMARC1; p=quarantine\"\n"
                            "bogus.example bogus \"expired\"\n"
                            "_dmarc.bogus.example bogus \"expired\"\n"
                            "10.2.0.192.in-addr.arpa secure PTR mail.good.example\n"
                            "mail.good.example secure A 192.0.2.10\n"
                            "chain.example secure TXT \"v=spf1 include:c1.example include:c2.example -all\"\n"
                            "c1.example secure TXT \"v=spf1 include:c3.example mx ~all\"\n"
                            "c1.example secure MX 10 m1.example\n"
                            "c1.example secure MX 20 m2.example\n"
                            "m1.example secure A 192.0.2.77\n"
                            "m2.example secure A 192.0.2.78\n"
                            "c2.example secure TXT \"v=spf1 a:m3.example -all\"\n"
                            "m3.example secure A 192.0.2.79\n"
                            "c3.example secure TXT \"v=spf1 include:c4.example -all\"\n"
                            "c4.example secure TXT \"v=spf1 exists:%{i}.e.example -all\"\n"
                            "_dmarc.chain.example secure TXT \"v=DMARC1; p=reject\"\n"
                            "broken.example secure TXT \"v=spf1 include:tempfail.example -all\"\n"
                            "tempfail.example timeout\n"
                            "_dmarc.broken.example secure TXT \"v=DMARC1; p=reject\"\n"
                            "zone example secure\n";

static const char usual[] =
    "follow dmarc, spf of everyone\nrelay 203.0.113.200\nown network 203.0.113.0/25\nown domains example.org\n"
    "submission auth\nset mode enforce\nset authserv-id mx.example.org\n";

struct sent {
    const char *client, *helo, *from, *message;
};

struct judged {
    struct judge *j;
    const struct classes *c;
    struct stamp stamp;
};

static struct dns *source;
static struct late_source late;
static bool is_late;                /* answers come later, and nobody waits */
static unsigned late_rounds;        /* of the last message */
static struct mail_tls session_tls; /* of the next message */

static const struct judge_host *host(void)
{
    static struct judge_host h;
    h = (struct judge_host){
        .dns = is_late ? &late.base : source, .name = "mx.example.org", .authserv_id = "host.example.org"};
    return &h;
}

static void answer_arrived(void *told)
{
    ++*(unsigned *)told;
}

/* The end of the message; where nobody waits, answers are given until it needs no more. */
static enum status end_it(struct judge *j)
{
    enum status s = judge_end(j);

    for (late_rounds = 0; s == STATUS_AGAIN; late_rounds++) {
        assert_true(is_late && judge_waits(j));
        assert_true(late.open > 0);
        assert_int_equal(judge_end(j), STATUS_AGAIN); /* nothing has come since */
        late_deliver(&late);
        s = judge_end(j);
    }
    assert_false(judge_waits(j) && s == STATUS_OK);
    return s;
}

/* Feeds a message with LF line ends field by field, as an MTA would. */
static struct judged judge_it(const char *policy, const struct sent *s, size_t bound, enum status expected)
{
    const struct policy *p = policy_load_text(slice_str(policy), "test", NULL);
    struct judged r = {judge_new(host(), p, bound), NULL, {.count = 0}};
    struct judge_mail *m;
    struct header_list list;
    struct arena *a = arena_new(1 << 20);
    struct slice body;
    enum status status;

    assert_non_null(p);
    policy_unref(p);
    assert_non_null(r.j);
    static unsigned told;
    if (is_late)
        judge_no_wait(r.j, answer_arrived, &told);
    m = judge_mail(r.j);
    if (s->client && ip_from_text(slice_str(s->client), &m->peer) == STATUS_OK)
        m->client = m->peer;
    m->tls = session_tls;
    status = mail_set_helo(m, judge_arena(r.j), s->helo);
    if (status == STATUS_OK)
        status = mail_set_from(m, judge_arena(r.j), s->from, false);
    if (status == STATUS_OK)
        status = mail_add_rcpt(m, judge_arena(r.j), "<user@example.org>");
    m->source = mail_source(m, judge_policy(r.j), false);
    if (status == STATUS_OK)
        status = judge_envelope(r.j);
    header_list_init(&list, a);
    assert_int_equal(header_parse_message(&list, slice_str(s->message), &body), STATUS_OK);
    for (size_t i = 0; i < list.count && status == STATUS_OK; i++)
        status = judge_header(r.j, list.fields[i].name, list.fields[i].value);
    if (status == STATUS_OK)
        status = judge_headers_end(r.j);
    if (status == STATUS_OK) {
        judge_body(r.j, body, false);
        status = end_it(r.j);
    }
    if (status == STATUS_OK)
        status = judge_verdicts(r.j, NULL, &r.c);
    if (status == STATUS_OK)
        status = stamp_make(r.j, &r.c->list[0].verdict, &r.stamp);
    arena_free(a);
    assert_int_equal(status, expected);
    return r;
}

#define DATE "Date: Thu, 01 Jan 2026 00:00:00 +0000\n"
#define FROM_GOOD "From: A <a@good.example>\n" DATE "\nhello\n"
#define RECEIVED_BY_RELAY(client)                                                                                      \
    "Received: from x (unknown [" client "]) by backup.example.org with ESMTP; Fri, 20 Nov 2026 10:00:00 +0000\n"

static const struct {
    const char *what, *policy; /* NULL: usual */
    struct sent s;
    enum policy_action action;
    const char *stamped[4]; /* in Authentication-Results; one that begins with "!" must not be */
} cases[] = {
    {"aligned SPF",
     NULL,
     {"192.0.2.10", "mail.good.example", "<a@good.example>", FROM_GOOD},
     POLICY_DELIVER,
     {"mx.example.org;", "dmarc=pass", "iprev=pass", "x-dnssec=pass"}},
    {"spoof of p=reject",
     NULL,
     {"192.0.2.66", "x.example", "<a@x.example>", FROM_GOOD},
     POLICY_QUARANTINE,
     {"dmarc=fail", "policy.dmarc=reject"}},
    {"spoof of p=quarantine",
     NULL,
     {"192.0.2.66", "x.example", "<a@x.example>", "From: a@shop.example\n" DATE "\n"},
     POLICY_QUARANTINE,
     {"dmarc=fail", "x-dnssec=none"}},
    {"spoof of one that sends nothing, by SPF",
     NULL,
     {"192.0.2.66", "x.example", "<a@x.example>", "From: a@parked.example\n" DATE "\n"},
     POLICY_REJECT,
     {"dmarc=fail"}},
    {"spoof of one that sends nothing, by null MX",
     NULL,
     {"192.0.2.66", "x.example", "<a@x.example>", "From: a@nullmx.example\n" DATE "\n"},
     POLICY_REJECT,
     {"dmarc=fail"}},
    {"+all proves nothing",
     NULL,
     {"192.0.2.66", "x.example", "<a@all.example>", "From: a@all.example\n" DATE "\n"},
     POLICY_QUARANTINE,
     {"spf=pass", "dmarc=fail"}},
    {"+all counts where the policy says so",
     "follow dmarc of everyone\nset spf.all-counts yes\nset mode enforce\n",
     {"192.0.2.66", "x.example", "<a@all.example>", "From: a@all.example\n" DATE "\n"},
     POLICY_DELIVER,
     {"dmarc=pass"}},
    {"a HELO pass never makes a DMARC pass (CVE-2019-20790)",
     NULL,
     {"192.0.2.10", "good.example", "<a@x.example>", FROM_GOOD},
     POLICY_QUARANTINE,
     {"dmarc=fail", "smtp.helo=good.example"}},
    {"but of the null sender it does",
     NULL,
     {"192.0.2.10", "good.example", "<>", FROM_GOOD},
     POLICY_DELIVER,
     {"dmarc=pass", "smtp.helo=good.example", "!smtp.mailfrom"}},
    {"a MAIL FROM that is no address is nobody's",
     "follow dmarc of everyone\nset mode enforce\n",
     {"192.0.2.10", "good.example", "<(a@good.example>", FROM_GOOD},
     POLICY_QUARANTINE,
     {"spf=none" /* RFC 7208 2.6.1: no domain name could be taken from it */, "dmarc=fail", "x-message-format=fail"}},
    {"... and fails message-format",
     "require message-format of everyone\nset mode enforce\n",
     {"192.0.2.10", "good.example", "<(a@good.example>", FROM_GOOD},
     POLICY_REJECT,
     {""}},
    {"two From fields: the strictest author counts",
     NULL,
     {"192.0.2.10", "good.example", "<a@good.example>", "From: a@good.example\nFrom: b@parked.example\n" DATE "\n"},
     POLICY_REJECT,
     {"x-message-format=fail", "!dmarc=pass", "header.from=parked.example"}},
    {"two authors, both would pass: no pass",
     NULL,
     {"192.0.2.10", "good.example", "<a@good.example>", "From: a@good.example\nFrom: b@good.example\n" DATE "\n"},
     POLICY_DELIVER,
     {"dmarc=permerror", "!dmarc=pass"}},
    {"bogus waits under follow dnssec",
     "follow dnssec, dmarc of everyone\nset mode enforce\n",
     {"192.0.2.10", "x", "<a@bogus.example>", "From: a@bogus.example\n" DATE "\n"},
     POLICY_DEFER,
     {"x-dnssec=fail", "dmarc=temperror"}},
    {"ignored standards are not mentioned",
     "ignore spf, dkim, arc, rdns of everyone\nfollow dmarc of everyone\nset mode enforce\n",
     {"192.0.2.10", "mail.good.example", "<a@good.example>", FROM_GOOD},
     POLICY_DELIVER,
     {"dmarc=pass", "!spf=", "!dkim=", "!iprev="}},
    {"behind the relay: judged by the true client",
     NULL,
     {"203.0.113.200", "backup", "<a@good.example>", RECEIVED_BY_RELAY("192.0.2.10") FROM_GOOD},
     POLICY_DELIVER,
     {"spf=pass", "dmarc=pass", "policy.iprev=192.0.2.10", "!x-tls"}},
    {"behind the relay: a spoof",
     NULL,
     {"203.0.113.200", "backup", "<a@good.example>",
      RECEIVED_BY_RELAY("192.0.2.66") RECEIVED_BY_RELAY("192.0.2.10") FROM_GOOD},
     POLICY_QUARANTINE,
     {"spf=fail", "dmarc=fail"}},
    {"behind the relay: not known",
     NULL,
     {"203.0.113.200", "backup", "<a@good.example>", "Received: by nobody\n" FROM_GOOD},
     POLICY_QUARANTINE,
     {"spf=none", "!spf=fail", "!iprev"}},
    {"behind the relay a host of our own network: no way to be our own mail, the client is not known",
     NULL,
     {"203.0.113.200", "backup", "<a@good.example>", RECEIVED_BY_RELAY("203.0.113.7") FROM_GOOD},
     POLICY_QUARANTINE,
     {"spf=none", "dmarc=fail"}},
    {"a verdict above the relay's Received field, and no key to prove it by: judged by the client behind the relay",
     NULL,
     {"203.0.113.200", "backup", "<a@good.example>",
      "Assay-Verdict: deliver\n" RECEIVED_BY_RELAY("192.0.2.66") FROM_GOOD},
     POLICY_QUARANTINE,
     {"spf=fail"}},
    {"a relay that writes no Received field of its own: the sender's verdict proves nothing",
     NULL,
     {"203.0.113.200", "backup", "<a@good.example>", "Assay-Verdict: deliver\n" FROM_GOOD},
     POLICY_QUARANTINE,
     {"dmarc=fail"}},
    {"own network",
     NULL,
     {"203.0.113.7", "x", "<a@good.example>", FROM_GOOD},
     POLICY_DELIVER,
     {"mx.example.org; none"}},
    {"loopback is nobody special",
     NULL,
     {"127.0.0.1", "x", "<a@good.example>", FROM_GOOD},
     POLICY_QUARANTINE,
     {"spf=fail", "dmarc=fail"}},
    {"our own domain from outside",
     NULL,
     {"192.0.2.66", "x", "<a@x.example>", "From: boss@example.org\n" DATE "\n"},
     POLICY_DELIVER,
     {"dmarc=none"}},
};

static void whole_messages(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct judged r = judge_it(cases[i].policy ? cases[i].policy : usual, &cases[i].s, 0, STATUS_OK);
        const char *ar = r.stamp.fields[0].value;
        bool ok = r.c->list[0].verdict.action == cases[i].action;
        for (size_t k = 0; k < 4 && cases[i].stamped[k]; k++)
            ok = ok && (cases[i].stamped[k][0] == '!' ? !strstr(ar, cases[i].stamped[k] + 1)
                                                      : strstr(ar, cases[i].stamped[k]) != NULL);
        if (!ok) {
            print_error("%s: %s\n%s\n", cases[i].what, policy_action_name(r.c->list[0].verdict.action), ar);
            wrong++;
        }
        judge_free(r.j);
    }
    assert_int_equal(wrong, 0);
}

/* What the journal keeps of a message, without the time that it took. */
static char *record_of(const struct judged *r)
{
    struct mail_record_extra x = {.stage = "end"};
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);

    judge_report(r->j)->waited_ms = 0;
    judge_mail(r->j)->at = 1;
    json_open(&j);
    mail_record_mail(&j, r->j, &r->c->list[0], &x);
    json_end(&j);
    buf_adds(&b, r->stamp.fields[0].value);
    return buf_detach(&b);
}

/* One result of TLS: the facts, the header, the journal and the verdict all have the same. */
static void one_result_of_tls(void **state)
{
    static const struct {
        const char *version, *cipher;
        enum result result;
        const char *stamped, *recorded;
        enum policy_action action;
    } kinds[] = {
        {NULL, NULL, RESULT_NONE, "x-tls=none", "\"result\":\"none\"", POLICY_REJECT},
        {"TLSv1.2", "RC4-SHA", RESULT_POLICY, "x-tls=policy", "\"result\":\"policy\"", POLICY_REJECT},
        {"TLSv1.3", "TLS_AES_256_GCM_SHA384", RESULT_PASS, "x-tls=pass", "\"result\":\"pass\"", POLICY_DELIVER},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct sent s = {"192.0.2.10", "mail.good.example", "<a@good.example>", FROM_GOOD};
        session_tls = (struct mail_tls){.version = kinds[i].version, .cipher = kinds[i].cipher};
        struct judged r = judge_it("require tls of everyone\nset mode enforce\n", &s, 0, STATUS_OK);
        char *record = record_of(&r);
        const char *finding = strstr(record, "\"standard\":\"tls\"");
        const char *result = finding ? strstr(finding, kinds[i].recorded) : NULL;

        assert_int_equal(judge_report(r.j)->facts.tls.result, kinds[i].result);
        assert_int_equal(r.c->list[0].verdict.action, kinds[i].action);
        if (!strstr(r.stamp.fields[0].value, kinds[i].stamped))
            fail_msg("'%s' is not in '%s'", kinds[i].stamped, r.stamp.fields[0].value);
        if (!result || strcspn(finding, "}") < (size_t)(result - finding))
            fail_msg("'%s' is not in the finding of '%s'", kinds[i].recorded, record);
        free(record);
        judge_free(r.j);
    }
    session_tls = (struct mail_tls){.version = NULL};
}

static size_t trace_length(const struct judged *r)
{
    size_t n = 0;

    while (judge_scope(r->j) && dns_trace(judge_scope(r->j), n))
        n++;
    return n;
}

/* A message is judged alike whether its caller waits for DNS or not: the findings, the verdict, what is stamped, and
 * what was asked. */
static void waiting_changes_nothing(void **state)
{
    static const struct sent more[] = {
        {"192.0.2.77", "x", "<a@chain.example>", "From: a@chain.example\n" DATE "\n"},
        {"192.0.2.79", "x", "<a@chain.example>", "From: a@chain.example\n" DATE "\n"},
        {"192.0.2.66", "x", "<a@chain.example>", "From: a@chain.example\n" DATE "\n"},
        {"192.0.2.66", "x", "<a@broken.example>", "From: a@broken.example\n" DATE "\n"},
        {"192.0.2.66", "chain.example", "<>", "From: a@chain.example, b@good.example\n" DATE "\n"},
    };
    static const char strict[] = "require dane, dmarc, spf, dnssec, rdns of everyone\nset mode enforce\n";
    unsigned most = 0;

    for (size_t i = 0; i < COUNT(cases) + 2 * COUNT(more); i++) {
        const bool is_more = i >= COUNT(cases);
        const size_t k = is_more ? (i - COUNT(cases)) / 2 : i;
        const struct sent *one = is_more ? &more[k] : &cases[k].s;
        const char *policy = is_more ? (i % 2 ? strict : usual) : cases[k].policy ? cases[k].policy : usual;
        char *record[2];
        size_t asked[2];
        for (int turn = 0; turn < 2; turn++) {
            is_late = turn;
            struct judged r = judge_it(policy, one, 0, STATUS_OK);
            record[turn] = record_of(&r);
            asked[turn] = trace_length(&r);
            judge_free(r.j);
        }
        is_late = false;
        assert_string_equal(record[0], record[1]);
        assert_int_equal(asked[0], asked[1]);
        assert_int_equal(late.open, 0);
        most = late_rounds > most ? late_rounds : most;
        free(record[0]);
        free(record[1]);
    }
    assert_in_range(most, 4, 12); /* the chain is four includes deep, and packets are few: far from 24 */
}

/* The policy's outcome, and the second ground for it, of a message that is judged now. */
struct outcome {
    enum policy_action would;
    char signal[200];
};

static struct outcome outcome_of(const struct verdict *v)
{
    struct outcome out = {.would = v->would};
    const struct verdict_line *l = verdict_would_line(v);

    if (l && l->signal)
        snprintf(out.signal, sizeof out.signal, "%s", l->signal);
    return out;
}

/* What the same policy makes of the journal's record of it, asked as `assay next` asks (cli/recall.h). */
static struct outcome recalled(const struct judged *r, const char *policy)
{
    struct mail_record_extra x = {.stage = "end"};
    const struct policy *p = policy_load_text(slice_str(policy), "test", NULL);
    struct arena *a = arena_new(1 << 20);
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    struct record record;
    struct recall facts;
    struct verdict v;
    char why[160];

    json_open(&j);
    json_int(&j, "v", 1);
    json_str(&j, "t", "2026-11-20T10:00:00.000000Z");
    json_str(&j, "kind", "mail");
    mail_record_mail(&j, r->j, &r->c->list[0], &x);
    json_end(&j);
    assert_int_equal(record_parse(buf_slice(&b), &record, why), STATUS_OK);
    assert_int_equal(recall_facts(a, &record, &facts), STATUS_OK);
    assert_int_equal(recall_verdict(a, &facts, p, judge_mail(r->j)->at, &v), STATUS_OK);
    struct outcome out = outcome_of(&v);
    record_free(&record);
    buf_release(&b);
    arena_free(a);
    policy_unref(p);
    return out;
}

/* `assay next` and what-if over the ledger ask the verdict's own function: of every message here, recorded while
 * nothing was asked, each policy makes the same as if it had been in force, with the same second ground (RFC 9989
 * 7.4). */
static void recorded_then_asked_is_the_same(void **state)
{
    static const char recording[] =
        "record spf, dkim, arc, dmarc, dane, tls, dnssec, message-format, rdns of everyone\n";
    static const char *const asked[] = {
        "follow dmarc of everyone\n",
        "follow dmarc as published of everyone\n",
        "follow dmarc, spf of everyone\nown domains good.example\n",
        "follow dmarc of everyone\nfollow dmarc of 192.0.2.64/28\n",
        "require dmarc of everyone otherwise quarantine\n",
        "require dmarc, spf of everyone\nexempt good.example from dmarc because \"x\" agreed by \"y\" through "
        "2026-12-31\n",
        "require message-format of everyone\nrequire rdns of everyone\n",
        "trial require dmarc of everyone\nfollow spf of everyone otherwise reject\n",
    };
    static const struct sent more[] = {
        {"192.0.2.66", "x.example", "<a@x.example>", "From: a@good.example\nFrom: b@good.example\n" DATE "\n"},
        {"192.0.2.66", "x.example", "<>", "From: a@good.example\nFrom: b@parked.example\n" DATE "\n"},
        {"192.0.2.66", "x.example", "<>", FROM_GOOD},
        {"192.0.2.66", "asks.example", "<>", "From: a@asks.example\n" DATE "\n"},
        {"192.0.2.66", "asks.example", "<(a@asks.example>", "From: a@asks.example\n" DATE "\n"},
        {"192.0.2.66", "good.example", "<a@[192.0.2.66]>", FROM_GOOD},
        {"192.0.2.66", "x.example", "<postmaster>", FROM_GOOD},
        {"192.0.2.66", "x.example", "<a@asks.example>", "From: a@asks.example\n" DATE "\n"},
        {"192.0.2.66", "x.example", "<a@x.example>", "Subject: nobody\n" DATE "\n"},
        {"192.0.2.66", "x.example", "<a@x.example>", "From: Staff:;\n" DATE "\n"},
        {"192.0.2.66", "x.example", "<a@broken.example>", "From: a@broken.example\n" DATE "\n"},
        {"192.0.2.77", "x.example", "<a@chain.example>", "From: a@chain.example, b@good.example\n" DATE "\n"},
    };
    unsigned by_signal = 0, acted = 0, wrong = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(cases) + COUNT(more); i++) {
        const struct sent *one = i < COUNT(cases) ? &cases[i].s : &more[i - COUNT(cases)];
        for (size_t k = 0; k < COUNT(asked); k++) {
            char before[600], after[600];
            const char *ours = "relay 203.0.113.200\nown network 203.0.113.0/25\nset mode enforce\n";
            snprintf(before, sizeof before, "%s%s", recording, ours);
            snprintf(after, sizeof after, "%s%s%s", recording, asked[k], ours);
            struct judged then = judge_it(before, one, 0, STATUS_OK);
            struct judged now = judge_it(after, one, 0, STATUS_OK);
            struct outcome is = recalled(&then, after), want = outcome_of(&now.c->list[0].verdict);
            if (is.would != want.would || strcmp(is.signal, want.signal) != 0) {
                print_error("%s from %s: %.60s: under %s: recalled %s (%s), judged %s (%s)\n", one->from, one->client,
                            one->message, asked[k], policy_action_name(is.would), is.signal,
                            policy_action_name(want.would), want.signal);
                wrong++;
            }
            acted += want.would > POLICY_DELIVER;
            by_signal += *want.signal != 0;
            judge_free(then.j);
            judge_free(now.j);
        }
    }
    print_message("%u of %zu outcomes act, %u by a second ground\n", acted, (COUNT(cases) + COUNT(more)) * COUNT(asked),
                  by_signal);
    assert_int_equal(wrong, 0);
    assert_in_range(acted, 50, (COUNT(cases) + COUNT(more)) * COUNT(asked) - 50);
    assert_in_range(by_signal, 10, acted);
}

/* Which fields of a message must go. */
static void forged_fields(void **state)
{
    static const struct {
        const char *field, *client;
        bool forged;
    } fields[] = {
        {"Authentication-Results: mx.example.org; dmarc=pass\n", "192.0.2.10", true},
        {"authentication-results: MX.Example.Org 1; dmarc=pass\n", "192.0.2.10", true},
        {"Authentication-Results: host.example.org; dmarc=pass\n", "192.0.2.10",
         false}, /* the policy names us otherwise */
        {"Authentication-Results: other.example; dmarc=pass\n", "192.0.2.10", false},
        {"Assay-Verdict: deliver\n", "192.0.2.10", true},
        {"ASSAY-VERDICT : anything\n", "192.0.2.10", true},
        {"Assay-Verdict: deliver\n", "203.0.113.7", true},   /* own network too */
        {"Assay-Verdict: deliver\n", "203.0.113.200", true}, /* a relay, but below nothing that it wrote: see below */
        {"X-Assay-Verdict: deliver\n", "192.0.2.10", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(fields); i++) {
        char text[512];
        struct sent s = {fields[i].client, "x", "<a@good.example>", text};
        snprintf(text, sizeof text, "Received: from a (a [192.0.2.10]) by b\n%s%s", fields[i].field, FROM_GOOD);
        struct judged r = judge_it(usual, &s, 0, STATUS_OK);
        if (stamp_is_forged(r.j, &judge_mail(r.j)->headers.fields[1]) != fields[i].forged)
            fail_msg("%s", fields[i].field);
        assert_false(stamp_is_forged(r.j, &judge_mail(r.j)->headers.fields[0]));
        judge_free(r.j);
    }
    struct sent above = {"203.0.113.200", "x", "<a@good.example>",
                         "Assay-Verdict: quarantine\nAuthentication-Results: mx.example.org; spf=fail\n"
                         "Received: from a (a [192.0.2.66]) by b\nAssay-Verdict: deliver\n" FROM_GOOD};
    struct judged r = judge_it(usual, &above, 0, STATUS_OK);
    const struct header_field *f = judge_mail(r.j)->headers.fields;
    assert_true(stamp_is_forged(r.j, &f[0])); /* no key proves that a host of our fleet wrote it */
    assert_true(stamp_is_forged(r.j, &f[1]));
    assert_true(stamp_is_forged(r.j, &f[3]));
    judge_free(r.j);
}

static void verdict_field(void **state)
{
    static const struct {
        const char *policy, *value;
        size_t fields;
    } kinds[] = {
        {"follow dmarc of everyone\nset mode enforce\n", "quarantine; statement=L1; policy=", 3},
        {"follow dmarc of everyone\nset mode enforce\nset quarantine.header \"X-Junk: yes\"\n",
         "quarantine; statement=L1; policy=", 3},
        {"follow dmarc of everyone\nset mode enforce\nset quarantine.header \"\"\n",
         "quarantine; statement=L1; policy=", 2},
        {"follow dmarc of everyone\n", "deliver; statement=L1; policy=", 2},
        {"trial follow dmarc of everyone\nset mode enforce\n", "deliver; statement=L1; policy=", 2},
    };
    static const char *const rest[] = {"", "", "", "; would=quarantine; held=dry-run",
                                       "; would=quarantine; held=trial"};
    struct sent s = {"192.0.2.66", "x", "<a@x.example>", FROM_GOOD};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct judged r = judge_it(kinds[i].policy, &s, 0, STATUS_OK);
        const char *v = r.stamp.fields[1].value;
        assert_int_equal(r.stamp.count, kinds[i].fields);
        assert_string_equal(r.stamp.fields[1].name, "Assay-Verdict");
        if (strncmp(v, kinds[i].value, strlen(kinds[i].value)) != 0 ||
            strcmp(v + strlen(kinds[i].value) + 8, rest[i]) != 0)
            fail_msg("%s", v);
        if (i == 1)
            assert_string_equal(r.stamp.fields[2].name, "X-Junk");
        judge_free(r.j);
    }
}

/* The log line: one line, all keys in their order, whatever the sender wrote; the record: JSON by the manual, no local
 * part. */
static void recorded(void **state)
{
    static const char *const keys[] = {
        "id=",      " action=", " would=",      " held=",   " source=", " client=",    " helo=",     " mail-from=",
        " from=",   " rcpts=",  " spf=",        " dkim=",   " dmarc=",  " arc=",       " dnssec=",   " rdns=",
        " tls=",    " format=", " by=",         " reason=", " ground=", " explained=", " override=", " stage=",
        " policy=", " ms=",     " message-id=", " to=",     " file=",   " reference="};
    struct sent s = {"192.0.2.66", "x\"\n action=deliver", "<secret@x.example>",
                     "From: hidden@good.example\nMessage-ID: <1@x\x1b[31m>\n" DATE "\n"};
    struct judged r = judge_it(usual, &s, 0, STATUS_OK);
    struct mail_record_extra x = {.stage = "end"};
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    struct value *o;

    (void)state;
    mail_record_line(&b, r.j, &r.c->list[0], &x, false);
    const char *at = b.p;
    for (size_t i = 0; i < COUNT(keys); i++) {
        at = strstr(at, keys[i]);
        if (!at)
            fail_msg("%s is not in its place: %s", keys[i], b.p);
    }
    assert_null(strchr(b.p, '\n'));
    assert_null(strchr(b.p, '\x1b'));
    buf_reset(&b);
    mail_record_line(&b, r.j, &r.c->list[0], &x, true);
    o = value_parse(buf_slice(&b), NULL);
    assert_non_null(o);
    assert_string_equal(value_text(o, "action"), "quarantine");
    assert_non_null(value_text(o, "message-id"));
    value_free(o);
    buf_reset(&b);
    json_open(&j);
    mail_record_mail(&j, r.j, &r.c->list[0], &x);
    json_end(&j);
    o = value_parse(buf_slice(&b), NULL);
    assert_non_null(o);
    assert_string_equal(value_text(o, "from"), "good.example");
    assert_string_equal(value_text(o, "mail_from"), "x.example");
    assert_string_equal(value_text(value_get(o, "verdict"), "override"), "local_policy");
    assert_null(strstr(b.p, "secret"));
    assert_null(strstr(b.p, "hidden"));
    assert_null(strstr(b.p, "user@"));
    assert_non_null(strstr(b.p, "mailto:d@good.example"));
    value_free(o);
    buf_release(&b);
    judge_free(r.j);
}

/* assay-milter(8): a value stands as it is unless it holds what must be quoted or escaped, at any place of it. */
static void values_of_the_line_at_every_place(void **state)
{
    struct sent s = {"192.0.2.66", "x.example", "<a@x.example>", "From: a@good.example\n" DATE "\n"};
    struct judged r = judge_it(usual, &s, 0, STATUS_OK);

    (void)state;
    for (size_t i = 0; i < (size_t)20 * 255; i++) {
        char text[] = "0123456789abcdefghij", bare[40];
        const char c = (char)(i % 255 + 1);
        text[i / 255] = c;
        struct mail_record_extra x = {.stage = "end", .reference = text};
        struct buf b = BUF_INIT;
        snprintf(bare, sizeof bare, " reference=%s", text);
        mail_record_line(&b, r.j, &r.c->list[0], &x, false);
        const bool stands = c > ' ' && c < 0x7f && !strchr("\"=,;\\", c);
        assert_true(b.n > strlen(bare));
        assert_int_equal(strcmp(b.p + b.n - strlen(bare), bare) == 0, stands);
        buf_release(&b);
    }
    judge_free(r.j);
}

/* What the MTA calls itself is our name in Authentication-Results, unless the policy sets one; else the host's name. */
static void our_name(void **state)
{
    static const struct {
        const char *policy, *mta, *is;
    } names[] = {
        {"follow dmarc of everyone\n", "mail.example.net", "mail.example.net"},
        {"follow dmarc of everyone\nset authserv-id \"set.example\"\n", "mail.example.net", "set.example"},
        {"follow dmarc of everyone\nset authserv-id \"set.example\"\n", NULL, "set.example"},
        {"follow dmarc of everyone\n", NULL, "host.example.org"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct sent s = {"192.0.2.66", "x.example", "<secret@x.example>", "From: a@good.example\n" DATE "\n"};
        struct judged r = judge_it(names[i].policy, &s, 0, STATUS_OK);
        judge_mail(r.j)->mta_name = names[i].mta;
        assert_string_equal(judge_authserv_id(r.j), names[i].is);
        judge_free(r.j);
    }
}

/* What a failure report is made of (RFC 9991): in the record of a mail whose owner asks for one, and only there. */
static void failure_recorded(void **state)
{
    static const struct {
        const char *header;
        bool asked;
    } mails[] = {
        {"From: hidden@asks.example\nMessage-ID: <1@asks.example>\n" DATE "\n", true},
        {"From: hidden@asks.example\nContent-Type: multipart/report;\n report-type=Feedback-Report\n" DATE "\n", false},
        {"From: hidden@asks.example\nSubject: Report Domain: x.example\nAuto-Submitted: auto-generated\n" DATE "\n",
         false},
        {"From: hidden@asks.example\nMessage-ID: <1@asks.example>\nSubject: Report Domain: x.example\n" DATE "\n",
         true}, /* anyone writes that */
        {"From: hidden@good.example\n" DATE "\n", false},
    };
    for (size_t i = 0; i < COUNT(mails); i++) {
        struct sent s = {"192.0.2.66", "x.example", "<secret@asks.example>", mails[i].header};
        struct judged r = judge_it(usual, &s, 0, STATUS_OK);
        struct mail_record_extra x = {.stage = "end"};
        struct buf b = BUF_INIT, mail = BUF_INIT;
        struct json j = JSON_INTO(&b);
        struct record record;
        char why[200];
        json_open(&j);
        json_int(&j, "v", 1);
        json_str(&j, "t", "2026-11-20T10:00:00Z");
        json_str(&j, "host", "mx1");
        json_str(&j, "kind", "mail");
        mail_record_mail(&j, r.j, &r.c->list[0], &x);
        json_end(&j);
        assert_int_equal(record_parse(buf_slice(&b), &record, why), STATUS_OK);
        if (dmarc_failure_asked(&record) != mails[i].asked)
            fail_msg("case %zu: %s", i, b.p);
        assert_int_equal(strstr(b.p, "\"txt\":\"v=spf1") != NULL, i < 4);
        if (mails[i].asked) {
            assert_int_equal(
                dmarc_failure_mail(&record, "a@example.org", "c@example.org", "r@asks.example", "id", &mail),
                STATUS_OK);
            assert_non_null(strstr(mail.p, "\nSPF-DNS: txt : asks.example :\n \"v=spf1 -all\"\n"));
            assert_non_null(strstr(mail.p, "\nMessage-ID: <1@asks.example>\n"));
            assert_non_null(strstr(mail.p, "\nIdentity-Alignment: dkim, spf\n"));
            assert_null(strstr(mail.p, "secret"));
            assert_null(strstr(mail.p, "hidden"));
        }
        record_free(&record);
        buf_release(&b);
        buf_release(&mail);
        judge_free(r.j);
    }
}

/* Whatever the bound, a message is judged or the caller is told: never half. */
static void memory_runs_out(void **state)
{
    struct sent s = {"192.0.2.66", "x", "<a@x.example>", FROM_GOOD};
    unsigned told = 0, judged = 0;

    (void)state;
    for (size_t bound = 4096; bound < 400000; bound += 1777) {
        const struct policy *p = policy_load_text(slice_str(usual), "test", NULL);
        struct judge *j = judge_new(host(), p, bound);
        const struct classes *c;
        enum status status = STATUS_NOMEM;
        policy_unref(p);
        if (!j)
            continue;
        struct judge_mail *m = judge_mail(j);
        assert_int_equal(ip_from_text(slice_str(s.client), &m->peer), STATUS_OK);
        m->client = m->peer;
        if (mail_set_helo(m, judge_arena(j), s.helo) == STATUS_OK &&
            mail_set_from(m, judge_arena(j), s.from, false) == STATUS_OK && judge_envelope(j) == STATUS_OK &&
            judge_header(j, SLICE_LIT("From"), SLICE_LIT(" a@parked.example")) == STATUS_OK &&
            judge_headers_end(j) == STATUS_OK && end_it(j) == STATUS_OK)
            status = judge_verdicts(j, NULL, &c);
        if (status == STATUS_OK) {
            judged++;
            assert_true(c->list[0].verdict.action == POLICY_REJECT || c->list[0].verdict.action == POLICY_DEFER ||
                        judge_report(j)->dmarc.result == RESULT_TEMPERROR);
        } else {
            told++;
        }
        judge_free(j);
    }
    assert_true(told > 0);
    assert_true(judged > 0);
}

static int set_up(void **state)
{
    char *error = NULL;
    (void)state;
    source = dns_replay_text(slice_str(zones), "test", &error);
    if (!source)
        print_error("%s\n", error);
    free(error);
    late = (struct late_source){.base.ops = &late_ops, .under = source};
    return source ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    source = dns_close(source);
    return 0;
}

/* As many as the limit says, as long as they may be, each asked about before content crosses. */
static void ten_thousand_recipients(void **state)
{
    const struct policy *p =
        policy_load_text(SLICE_LIT("require tls of everyone writing to nobody.example\n"), "t", NULL);
    struct judge *j = judge_new(host(), p, 0);
    struct verdict v;
    char path[LIMIT_ADDRESS + 3];
    const size_t local = LIMIT_ADDRESS - sizeof "00000@example.org";

    (void)state;
    policy_unref(p);
    judge_mail(j)->source = JUDGE_INTERNET;
    memset(path, 'a', sizeof path);
    for (unsigned i = 0; i < LIMIT_RECIPIENTS; i++) {
        path[0] = '<';
        snprintf(path + local, sizeof path - local, "%05u@example.org>", i);
        assert_int_equal(mail_add_rcpt(judge_mail(j), judge_arena(j), path), STATUS_OK);
        assert_non_null(judge_early_arena(j));
        assert_int_equal(judge_early(j, judge_mail(j)->rcpts[i].address, NULL, &v), STATUS_OK);
    }
    assert_string_equal(judge_mail(j)->rcpts[LIMIT_RECIPIENTS - 1].domain, "example.org");
    assert_int_equal(mail_add_rcpt(judge_mail(j), judge_arena(j), "<a@example.org>"), STATUS_LIMIT);
    judge_free(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_messages),
        cmocka_unit_test(forged_fields),
        cmocka_unit_test(verdict_field),
        cmocka_unit_test(recorded),
        cmocka_unit_test(values_of_the_line_at_every_place),
        cmocka_unit_test(failure_recorded),
        cmocka_unit_test(our_name),
        cmocka_unit_test(ten_thousand_recipients),
        cmocka_unit_test(recorded_then_asked_is_the_same),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(one_result_of_tls),
    };
    const struct CMUnitTest both[] = {cmocka_unit_test(waiting_changes_nothing)};
    int failed = cmocka_run_group_tests(both, set_up, tear_down);

    failed += cmocka_run_group_tests(tests, set_up, tear_down);
    is_late = true;
    return failed + cmocka_run_group_tests(tests, set_up, tear_down);
}
