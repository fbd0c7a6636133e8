// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_judge.c - whole messages of any octets through the judge, with DNS from a table: header, signatures, chains,
 * From, relays, stamps and records. A domain that publishes "-all" and no key never gets a DMARC pass, and no text
 * from the message makes a line of its own in a field that we add.
 */
#include "dns/dns_replay.h"
#include "judge/mail_record.h"
#include "judge/stamp.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char zones[] =
    "parked.example secure TXT \"v=spf1 -all\"\n_dmarc.parked.example secure TXT \"v=DMARC1; p=reject\"\n"
    "good.example secure TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n_dmarc.good.example secure TXT \"v=DMARC1; "
    "p=quarantine\"\n"
    "s._domainkey.good.example secure TXT \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n"
    "zone example secure\n";
static const char text[] =
    "follow spf, dmarc, dnssec of everyone\nrequire message-format, dkim, rdns of everyone otherwise tag\n"
    "relay 203.0.113.200\nown network 203.0.113.0/25\nset mode enforce\nset authserv-id mx.example.org\n";

static void check_stamp(const struct stamp *stamp)
{
    for (size_t i = 0; i < stamp->count; i++)
        for (const char *p = stamp->fields[i].value; *p; p++)
            if ((unsigned char)*p > 126 || (*p == '\n' && p[1] != '\t') || (*p < ' ' && *p != '\n' && *p != '\t'))
                __builtin_trap();
}

static void judge_it(struct judge *j, struct slice message, bool relay)
{
    struct judge_mail *m = judge_mail(j);
    struct slice body = SLICE_NULL;
    const struct classes *c;
    struct mail_record_extra x = {.stage = "end"};
    struct stamp stamp;
    struct buf b = BUF_INIT;
    struct json out = JSON_INTO(&b);

    m->peer = m->client = (struct ip){4, {relay ? 203 : 192, 0, relay ? 113 : 2, relay ? 200 : 66}};
    m->source = mail_source(m, judge_policy(j), false);
    if (mail_set_helo(m, judge_arena(j), "x.example") != STATUS_OK ||
        mail_set_from(m, judge_arena(j), "<a@x.example>", false) != STATUS_OK ||
        mail_add_rcpt(m, judge_arena(j), "<u@example.org>") != STATUS_OK || judge_envelope(j) != STATUS_OK)
        return;
    enum status s = header_parse_message(&m->headers, message, &body);
    if ((s != STATUS_OK && s != STATUS_LIMIT) || judge_headers_end(j) != STATUS_OK)
        return;
    judge_body(j, body, false);
    if (judge_end(j) != STATUS_OK || judge_verdicts(j, NULL, &c) != STATUS_OK ||
        stamp_make(j, &c->list[0].verdict, &stamp) != STATUS_OK)
        return;
    const struct dmarc_finding *d = &judge_report(j)->dmarc;
    if (d->result == RESULT_PASS && d->domain && strcmp(d->domain, "parked.example") == 0)
        __builtin_trap();
    check_stamp(&stamp);
    mail_record_line(&b, j, &c->list[0], &x, false);
    if (memchr(b.p, '\n', b.n))
        __builtin_trap();
    buf_reset(&b);
    json_open(&out);
    mail_record_mail(&out, j, &c->list[0], &x);
    json_end(&out);
    buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dns *dns;
    static const struct policy *policy;
    char *error = NULL;

    if (!dns) {
        dns = dns_replay_text(slice_str(zones), "zones", &error);
        policy = policy_load_text(slice_str(text), "policy", NULL);
        if (!dns || !policy)
            abort();
    }
    if (size == 0)
        return 0;
    struct judge_host host = {.dns = dns, .name = "mx", .authserv_id = "mx"};
    struct judge *j = judge_new(&host, policy, 4 << 20);
    if (j)
        judge_it(j, slice_of((const char *)data + 1, size - 1), data[0] & 1);
    judge_free(j);
    return 0;
}
