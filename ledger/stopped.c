// SPDX-License-Identifier: BSD-2-Clause
/*
 * stopped.c - distinguishes stopped forgery from mail that failed for an unknown reason.
 *
 * Promises: pure. On any doubt the mail is unexplained, never forgery: a sender's mistake must stay visible.
 */
#include "ledger/stopped.h"

enum stopped stopped_judge(const struct stopped_facts *f)
{
    if (!f->failed)
        return STOPPED_NO;
    if (f->signed_by_domain || !f->client_known || f->passes_here > 0 || f->days_here >= STOPPED_STEADY_DAYS)
        return STOPPED_UNEXPLAINED;
    return f->own || f->strict || f->passes >= STOPPED_PASSES ? STOPPED_FORGERY : STOPPED_UNEXPLAINED;
}

struct ip_net stopped_network(const struct ip *client)
{
    return ip_net_of(client, client->family == 6 ? STOPPED_NET6 : STOPPED_NET4);
}
