// SPDX-License-Identifier: BSD-2-Clause
/*
 * check.c - runs all tests over one domain's facts, in a fixed order.
 *
 * Promises the same report for the same facts: it does not use the clock, the network or this computer's files. The DNS
 * part of the facts becomes a source of answers; a question that is not in it was "not asked", and what rests on it
 * could not be tested.
 */
#include "check/testing.h"
#include "dns/dns_replay.h"
#include <stdlib.h>
#include <string.h>

#define LOOKUPS 2000
#define ALL_MS 60000

static const struct dns_budget budget = {.lookups = LOOKUPS, .lookup_ms = 5000, .total_ms = ALL_MS};

/* What is wrong with our own DNS, though the canary was well: the keys of the root are ours to fetch and to trust. No
 * domain is to blame for a chain that does not even begin. "": nothing. */
static const char *own_trouble(struct testing *t)
{
    if (*t->facts->canary || dns_get(t->scope, t->facts->domain, DNS_SOA)->state != DNS_BOGUS)
        return t->facts->canary;
    return dns_get(t->scope, ".", DNS_DNSKEY)->state == DNS_BOGUS
               ? LANGUAGE_MARK("the keys of the root zone could not be validated")
               : "";
}

/* While our own DNS, clock or network is broken, a failure says nothing about the domain. */
static void blame_ourselves(struct testing *t, const char *trouble)
{
    for (int i = 0; i < CHECK_TESTS; i++) {
        struct check_result *r = &t->report->results[i];
        if (r->state < CHECK_ADVICE)
            continue;
        const char *text =
            testing_print(t, "our own DNS is not in order (%s): %s", testing_word(t, trouble), r->evidence);
        *r = (struct check_result){.state = CHECK_UNTESTED, .evidence = text};
    }
}

static void criteria_run(struct testing *t)
{
    criteria_dns(t);
    if (!t->gone) {
        criteria_mail(t);
        criteria_spf(t);
        criteria_dmarc(t);
        criteria_tls(t);
        criteria_cert(t);
        criteria_transport(t);
        criteria_rpki(t);
        criteria_sender(t);
    }
    if (!t->report->sends && t->rejects && t->report->results[CHECK_DKIM].state == CHECK_UNTESTED)
        t->report->results[CHECK_DKIM] = (struct check_result){.evidence = ""};
    t->report->rejects = t->rejects;
    const char *trouble = own_trouble(t);
    if (*trouble)
        blame_ourselves(t, trouble);
    grade_report(t);
}

/* The DNS part of the facts as a source of answers. NULL: *error says which line is wrong. */
static struct dns *open_answers(struct arena *arena, const struct facts *facts, const char **error)
{
    char *why = NULL;
    struct dns *source = dns_replay_text(buf_slice(&facts->dns), "line", &why);
    const size_t denied = source ? dns_replay_contradiction(source) : 0;
    *error = "out of memory";
    if (why && strncmp(why, "line:", 5) == 0) /* "line:7: ..." */
        *error = arena_printf(arena, "line %s", why + 5);
    else if (denied && denied != SIZE_MAX)
        *error = arena_printf(arena, "line %zu: a line before says otherwise of this name and type", denied);
    free(why);
    return denied ? dns_close(source) : source;
}

enum status check_judge(struct arena *arena, const struct facts *facts, unsigned table, enum language language,
                        struct check_report *out, const char **error)
{
    *out = (struct check_report){.domain = facts->domain, .at = facts->at};
    out->table = table ? table : facts->table ? facts->table : CHECK_TABLE;
    if (out->table != CHECK_TABLE) {
        *error =
            arena_printf(arena, "there is no table %u of grades; this program has table %d", out->table, CHECK_TABLE);
        return STATUS_LIMIT;
    }
    struct dns *source = open_answers(arena, facts, error);
    if (!source)
        return STATUS_INVALID;
    dns_replay_only_known(source, testing_not_asked);
    struct dns_scope *scope = dns_scope_new(source, arena, &budget);
    struct testing t = {.arena = arena, .facts = facts, .scope = scope, .report = out, .language = language};
    if (scope) {
        dns_scope_sort(scope); /* the same words whatever the order */
        criteria_run(&t);
    }
    dns_scope_free(scope);
    dns_close(source);
    *error = "out of memory";
    return scope && !arena_failed(arena) ? STATUS_OK : STATUS_NOMEM;
}

void check_ask(struct dns_scope *scope, struct arena *arena, const struct facts *facts)
{
    static const enum dns_type types[] = {DNS_SOA,  DNS_NS,     DNS_MX, DNS_TXT, DNS_A,
                                          DNS_AAAA, DNS_DNSKEY, DNS_DS, DNS_CAA};
    static const char *const below[] = {"_dmarc", "_mta-sts", "_smtp._tls", "default._bimi"};
    struct check_report report = {.domain = facts->domain};
    struct testing t = {.arena = arena, .facts = facts, .scope = scope, .report = &report};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        dns_start(scope, facts->domain, types[i]);
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
        const char *name = arena_printf(arena, "%s.%s", below[i], facts->domain);
        if (name)
            dns_start(scope, name, DNS_TXT);
    }
    criteria_run(&t);
}
