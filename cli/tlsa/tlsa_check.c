// SPDX-License-Identifier: BSD-2-Clause
/*
 * tlsa_check.c - the question a renewal must ask before it switches: is the next certificate's TLSA record visible,
 * signed?
 *
 * Whether records and chain match is standards/dane/dane_match.h's answer: as a sending mail server judges it, digest
 * agility included (RFC 7671 9). Answers come validated from libunbound; an insecure answer is no promise (RFC 7672
 * 2.2). Says one line on failure.
 */
#include "cli/tlsa/tlsa_check.h"
#include "dns/dns_replay.h"
#include "dns/dns_unbound.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "standards/dane/dane_match.h"
#include <stdlib.h>
#include <unistd.h>

static struct dns *open_source(const struct tlsa_source *s, char **error)
{
    const char *anchor = s->anchor ? s->anchor : dns_anchor_or_system(ASSAY_STATEDIR "/root.key");
    if (s->dns)
        return dns_replay_new(s->dns, error);
    struct dns_unbound_config config = {.anchor = anchor, .forward = s->forward, .no_cache = true};
    return dns_unbound_new(&config, error);
}

/* Tells whether the records hold after the renewal: for each chain that comes next, or, where none is given, for one
 * that keeps the key. */
static bool holds_next(struct arena *a, const struct tlsa_question *q, const struct dane_match_request *now,
                       const struct dane_match *m)
{
    struct dane_match_request next = *now;
    struct dane_match n;

    for (size_t i = 0; i < q->next_count; i++) {
        next.chain = q->next[i].chain.der;
        next.chain_count = q->next[i].chain.count;
        if (dane_match(a, &next, &n) != STATUS_OK || n.state != DANE_MATCH_YES)
            return false;
    }
    return q->next_count || m->holds_after_renewal;
}

/* What is said of a record that does no harm now, and promises nothing. */
static void warn(const struct dane_match_request *r, const char *owner)
{
    const struct dane_record *missing = dane_match_missing_issuer(r);

    if (missing)
        cli_error("%s: the issuer that its %u %u %u record names is not in the chain (RFC 7671 5.2.3): that record "
                  "promises nothing; serve the whole chain, or take it out",
                  owner, missing->usage, missing->selector, missing->matching);
    for (size_t i = 0; i < r->records->count; i++) {
        const struct dane_record *t = &r->records->record[i];
        if (t->used && t->usage == DANE_TA && t->selector == DANE_SPKI && t->matching == DANE_FULL)
            cli_error("%s: a 2 1 0 record is a bare public key of an issuer: many senders cannot use it; publish 2 1 1 "
                      "or 3 1 1 instead (RFC 7671 5.2)",
                      owner);
    }
}

static int judge_chain(struct arena *a, const struct dane_records *records, const char *owner,
                       const struct tlsa_question *q, const struct tlsa_served *served)
{
    struct dane_match_request r = {.records = records,
                                   .chain = served->chain.der,
                                   .chain_count = served->chain.count,
                                   .host = q->host,
                                   .at = clock_wall()};
    const char *which =
        q->now_count > 1 ? arena_printf(a, "the certificate %s", served->certificate.subject) : "this certificate";
    struct dane_match m;

    if (!which || dane_match(a, &r, &m) != STATUS_OK) {
        cli_error("out of memory");
        return EX_OSERR;
    }
    if (m.state != DANE_MATCH_YES) {
        cli_error("%s: none of its %zu records promises %s (%s): publish 3 1 1 %s as well, and wait two times its TTL",
                  owner, records->count, which, m.why, served->certificate.spki_sha256);
        return CLI_CRITICAL;
    }
    warn(&r, owner);
    if (holds_next(a, q, &r, &m))
        return CLI_OK;
    if (q->next_count)
        cli_error("%s: its records promise %s, but not the next one: publish that one's record too, and wait two times "
                  "its TTL",
                  owner, which);
    else
        cli_error(
            "%s: its records promise %s only: the next renewal needs a new record, even if it keeps the key; publish "
            "3 1 1 %s instead",
            owner, q->now_count > 1 ? which : "this very certificate", served->certificate.spki_sha256);
    return CLI_WARNING;
}

/* The worst of what is served: a sender meets whichever certificate its own software prefers. */
static int judge_records(struct arena *a, const struct dns_answer *answer, const char *owner,
                         const struct tlsa_question *q)
{
    struct dane_records records;
    int worst = CLI_OK;

    if (dane_records_read(a, answer, &records) != STATUS_OK) {
        cli_error("out of memory");
        return EX_OSERR;
    }
    for (size_t i = 0; i < q->now_count; i++) {
        int rc = judge_chain(a, &records, owner, q, &q->now[i]);
        worst = rc > worst ? rc : worst;
    }
    return worst;
}

static int tlsa_judge(struct arena *a, const struct dns_answer *answer, const char *owner,
                      const struct tlsa_question *q)
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
        cli_error("%s has no TLSA record: publish 3 1 1 %s, and wait two times its TTL", owner,
                  q->now[0].certificate.spki_sha256);
        return CLI_CRITICAL;
    case DNS_FOUND:
        break;
    }
    if (answer->security != DNS_SECURE) {
        cli_error("%s: the zone is not signed, so the record promises nothing", owner);
        return CLI_CRITICAL;
    }
    return judge_records(a, answer, owner, q);
}

/* The records that count: those of a secure alias's target first, then the host's own (RFC 7672 2.2.2). */
static const struct dns_answer *tlsa_find(struct arena *a, struct dns_scope *scope, const struct tlsa_question *q,
                                          const char **owner)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};

    for (size_t i = 0; i < 2; i++) {
        const struct dns_answer *address = dns_get(scope, q->host, types[i]);
        if (address->state != DNS_FOUND || address->security != DNS_SECURE || !address->canonical ||
            strcmp(address->canonical, q->host) == 0)
            continue;
        *owner = arena_printf(a, "_%u._tcp.%s", q->port, address->canonical);
        const struct dns_answer *tlsa = *owner ? dns_get(scope, *owner, DNS_TLSA) : NULL;
        if (tlsa && tlsa->state != DNS_NODATA && tlsa->state != DNS_NXDOMAIN)
            return tlsa;
        break;
    }
    *owner = arena_printf(a, "_%u._tcp.%s", q->port, q->host);
    return *owner ? dns_get(scope, *owner, DNS_TLSA) : NULL;
}

int tlsa_check(struct arena *a, const struct tlsa_question *q, const struct tlsa_source *source)
{
    char *error = NULL;
    const char *owner = NULL;
    struct dns *dns = open_source(source, &error);
    if (!dns) {
        cli_error("%s", error ? error : "no DNS");
        free(error);
        return CLI_UNKNOWN;
    }
    struct dns_budget budget = {.lookups = 8, .lookup_ms = 10000, .total_ms = 15000};
    struct dns_scope *scope = dns_scope_new(dns, a, &budget);
    const struct dns_answer *answer = scope ? tlsa_find(a, scope, q, &owner) : NULL;
    int rc = answer ? tlsa_judge(a, answer, owner, q) : EX_OSERR;
    dns_scope_free(scope);
    dns_close(dns);
    return rc;
}
