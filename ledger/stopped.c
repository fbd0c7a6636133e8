// SPDX-License-Identifier: BSD-2-Clause
/*
 * stopped.c - distinguishes stopped forgery from mail that failed for an unknown reason.
 *
 * Promises: pure. On any doubt the mail is unexplained, never forgery: a sender's mistake must stay visible.
 */
#include "ledger/stopped.h"
#include "base/domain.h"
#include <string.h>

enum stopped stopped_judge(const struct stopped_facts *f)
{
    if (!f->failed)
        return STOPPED_NO;
    if (f->signed_by_domain || !f->client_known || f->passes_here > 0 || f->days_here >= STOPPED_STEADY_DAYS)
        return STOPPED_UNEXPLAINED;
    return f->own || f->strict || f->passes >= STOPPED_PASSES ? STOPPED_FORGERY : STOPPED_UNEXPLAINED;
}

bool stopped_may_be_forged(const struct stopped_facts *f)
{
    struct stopped_facts known = *f;
    known.passes = STOPPED_PASSES;
    return stopped_judge(f) == STOPPED_UNEXPLAINED && stopped_judge(&known) == STOPPED_FORGERY;
}

struct ip_net stopped_network(const struct ip *client)
{
    return ip_net_of(client, client->family == 6 ? STOPPED_NET6 : STOPPED_NET4);
}

/* A signature of the domain whose key is published, even a broken one: the domain's own work. */
static bool is_signed_by(const struct record *r, const char *domain)
{
    for (size_t i = 0; i < value_count(r->findings) && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *f = value_at(r->findings, i);
        const char *subject = value_text(f, "subject");
        if (str_is(value_text(f, "standard"), "dkim") && value_text(f, "selector") && value_number(f, "bits") > 0 &&
            subject && (value_true(f, "aligned") || domain_is_within(subject, domain)))
            return true;
    }
    return false;
}

void stopped_evidence(const struct record *r, const char *domain, struct stopped_evidence *out)
{
    const struct value *dmarc = record_finding(r, "dmarc");
    const char *result = value_text(dmarc, "result"), *applied = value_text(dmarc, "applied");
    bool one_author = value_count(value_get(dmarc, "candidates")) <= 1;
    struct ip client;
    *out = (struct stopped_evidence){.passed = one_author && str_is(result, "pass"),
                                     .failed = one_author && str_is(result, "fail"),
                                     .strict = str_is(applied, "quarantine") || str_is(applied, "reject")};
    out->signed_by_domain = out->failed && is_signed_by(r, domain);
    out->client_known = r->client && ip_from_text(slice_str(r->client), &client) == STATUS_OK;
    if (out->client_known)
        out->network = stopped_network(&client);
}
