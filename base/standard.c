// SPDX-License-Identifier: BSD-2-Clause
/*
 * standard.c - the words of standard.h.
 *
 * Promises static texts, and that name -> value -> name gives the name back.
 */
#include "base/standard.h"

static const char *const standard_names[STANDARD_COUNT] = {
    [STANDARD_SPF] = "spf",       [STANDARD_DKIM] = "dkim",       [STANDARD_DMARC] = "dmarc",
    [STANDARD_ARC] = "arc",       [STANDARD_DANE] = "dane",       [STANDARD_TLS] = "tls",
    [STANDARD_DNSSEC] = "dnssec", [STANDARD_RDNS] = "rdns",       [STANDARD_MESSAGE_FORMAT] = "message-format",
    [STANDARD_IPV6] = "ipv6",     [STANDARD_MTA_STS] = "mta-sts", [STANDARD_TLS_RPT] = "tls-rpt",
    [STANDARD_CAA] = "caa",       [STANDARD_RPKI] = "rpki",
};

static const char *const result_names[RESULT_COUNT] = {
    [RESULT_NONE] = "none",           [RESULT_PASS] = "pass",           [RESULT_FAIL] = "fail",
    [RESULT_SOFTFAIL] = "softfail",   [RESULT_NEUTRAL] = "neutral",     [RESULT_POLICY] = "policy",
    [RESULT_TEMPERROR] = "temperror", [RESULT_PERMERROR] = "permerror", [RESULT_UNTESTED] = "untested",
};

static unsigned standard_find(const char *const *names, unsigned count, struct slice name)
{
    for (unsigned i = 0; i < count; i++)
        if (slice_eq_nocase(slice_str(names[i]), name))
            return i;
    return count;
}

const char *standard_name(enum standard s)
{
    return (unsigned)s < STANDARD_COUNT ? standard_names[s] : "?";
}

enum standard standard_from_name(struct slice name)
{
    return (enum standard)standard_find(standard_names, STANDARD_COUNT, name);
}

const char *result_name(enum result r)
{
    return (unsigned)r < RESULT_COUNT ? result_names[r] : "?";
}

enum result result_from_name(struct slice name)
{
    return (enum result)standard_find(result_names, RESULT_COUNT, name);
}
