// SPDX-License-Identifier: BSD-2-Clause
/*
 * tlsa_check.c - the question a renewal must ask before it switches: is the next certificate's TLSA record visible,
 * signed?
 *
 * Only DANE-EE records (usage 3) are compared: they promise the certificate itself. Answers come validated from
 * libunbound; an insecure answer is no promise (RFC 7672 2.2). Says one line on failure.
 */
#include "cli/tlsa/tlsa_check.h"
#include "dns/dns_replay.h"
#include "dns/dns_unbound.h"
#include "cli/cli.h"
#include <stdlib.h>
#include <unistd.h>

#define SYSTEM_ANCHOR "/usr/share/dns/root.key"

static struct dns *open_source(const struct tlsa_source *s, char **error)
{
    const char *anchor = s->anchor ? s->anchor : ASSAY_STATEDIR "/root.key";
    if (s->dns)
        return dns_replay_new(s->dns, error);
    if (!s->anchor && access(anchor, R_OK) != 0)
        anchor = SYSTEM_ANCHOR;
    struct dns_unbound_config config = {.anchor = anchor, .forward = s->forward, .no_cache = true};
    return dns_unbound_new(&config, error);
}

static bool promised(const struct dns_answer *answer, const struct certificate *c)
{
    for (size_t i = 0; i < answer->count; i++) {
        struct slice r = answer->rdata[i];
        if (r.n > 3 && r.p[0] == 3 && certificate_matches(c, (uint8_t)r.p[1], (uint8_t)r.p[2], slice_from(r, 3)))
            return true;
    }
    return false;
}

static int judge(const struct dns_answer *answer, const char *owner, const struct certificate *c)
{
    switch (answer->state) {
    case DNS_TEMPFAIL:
    case DNS_BADNAME:
        cli_error("%s: %s", owner, answer->why ? answer->why : dns_state_name(answer->state));
        return CLI_UNKNOWN;
    case DNS_BOGUS:
        cli_error("%s does not validate: %s", owner, answer->why ? answer->why : "bogus");
        return CLI_CRITICAL;
    case DNS_NODATA:
    case DNS_NXDOMAIN:
        cli_error("%s has no TLSA record: publish 3 1 1 %s, and wait two times its TTL", owner, c->spki_sha256);
        return CLI_CRITICAL;
    case DNS_FOUND:
        break;
    }
    if (answer->security != DNS_SECURE) {
        cli_error("%s: the zone is not signed, so the record promises nothing", owner);
        return CLI_CRITICAL;
    }
    if (promised(answer, c))
        return CLI_OK;
    cli_error(
        "%s: none of its %zu records is for this certificate: publish 3 1 1 %s as well, and wait two times its TTL",
        owner, answer->count, c->spki_sha256);
    return CLI_CRITICAL;
}

int tlsa_check(struct arena *a, const char *owner, const struct certificate *c, const struct tlsa_source *source)
{
    char *error = NULL;
    struct dns *dns = open_source(source, &error);
    if (!dns) {
        cli_error("%s", error ? error : "no DNS");
        free(error);
        return CLI_UNKNOWN;
    }
    struct dns_budget budget = {.lookups = 2, .lookup_ms = 10000, .total_ms = 15000};
    struct dns_scope *scope = dns_scope_new(dns, a, &budget);
    int rc = scope ? judge(dns_get(scope, owner, DNS_TLSA), owner, c) : EX_OSERR;
    dns_scope_free(scope);
    dns_close(dns);
    return rc;
}
