// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_identity.c - whose record is asked for (RFC 7208 sections 2.3, 2.4, 4.1, 4.3), what both engines ask first, and
 * which engine answers.
 *
 * A name that is not a domain name of two labels or more has no record: result none, and nothing is asked.
 */
#include "base/domain.h"
#include "standards/spf/spf_engine.h"

/* The domain of an identity in canonical form; NULL: there is none usable. */
static bool domain_of(const struct spf_input *in, enum spf_identity identity, char out[LIMIT_DOMAIN + 1])
{
    const char *text = identity == SPF_HELO || !in->domain ? in->helo : in->domain;
    return text && domain_from_text(slice_str(text), out) == STATUS_OK && strchr(out, '.');
}

const char *spf_identity_domain(struct arena *arena, const struct spf_input *in, enum spf_identity identity,
                                struct slice *local, const char **reason)
{
    char domain[LIMIT_DOMAIN + 1];
    bool by_helo = identity == SPF_HELO || !in->domain;
    *reason = NULL;
    if (in->client.family == 0)
        *reason = "the client's address is not known";
    else if (by_helo && !in->helo)
        *reason = identity == SPF_HELO ? "no HELO name is known" : "the null sender, and no HELO name is known";
    else if (!domain_of(in, identity, domain))
        *reason = by_helo ? "the HELO name is not a fully qualified domain name"
                          : "the sender's domain is not a fully qualified domain name";
    if (*reason)
        return NULL;
    *local = by_helo || in->local.n == 0 ? SLICE_LIT("postmaster") : in->local;
    const char *kept = arena_strdup(arena, domain);
    if (!kept)
        *reason = "out of memory";
    return kept;
}

void spf_start(struct dns_scope *scope, const struct spf_input *in)
{
    char domain[LIMIT_DOMAIN + 1];
    if (in->client.family == 0)
        return;
    if (domain_of(in, SPF_MAIL_FROM, domain))
        dns_start(scope, domain, DNS_TXT);
    if (domain_of(in, SPF_HELO, domain))
        dns_start(scope, domain, DNS_TXT);
}
