// SPDX-License-Identifier: BSD-2-Clause
/*
 * ingest_coarse.c - the network in place of an address, for what is kept longer than ledger.keep-identity (ingest.h).
 *
 * Promises that no exact address is in what comes out. Pure.
 */
#include "ledger/ingest.h"

const char *ingest_coarse(const char *subject, char out[INGEST_NET])
{
    struct ip a;
    if (!subject || ip_from_text(slice_str(subject), &a) != STATUS_OK)
        return subject;
    struct ip_net net = ip_net_of(&a, a.family == 4 ? 24 : 56);
    return ip_net_text(&net, out);
}
