// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_case.h - one DMARC case as texts: saved DNS answers, a From domain, what SPF and DKIM found, and the finding in
 * one line.
 *
 * ids: kind=result:domain, with "!" behind the domain if it must not count: "dkim=pass:signing.example.com
 * spf=temperror:example.com".
 *
 * expect: "RESULT RECORD-DOMAIN TAG POLICY ORG", "-" for none, "?" for what could not be told: "fail example.com sp
 * quarantine example.com".
 *
 * expect_finding() asserts that a case comes out as it says; it names the case that does not.
 */
#ifndef ASSAY_TESTS_UNIT_DMARC_CASE_H
#define ASSAY_TESTS_UNIT_DMARC_CASE_H

#include "base/buf.h"
#include "dns/dns_replay.h"
#include "standards/dmarc/dmarc.h"
#include "tests/unit/cm.h"
#include <stdio.h>

#define D(name, record) "_dmarc." name " TXT \"" record "\"\n"

struct dmarc_case {
    const char *what;
    const char *zone;
    const char *from;
    const char *ids;
    const char *expect;
};

#define DMARC_CASE_IDS 12

struct dmarc_world {
    struct arena *arena;
    struct dns *source;
    struct dns_scope *scope;
    struct dmarc_identifier ids[DMARC_CASE_IDS];
    size_t count;
    char domains[DMARC_CASE_IDS][300];
    struct dmarc_finding f;
};

static inline enum result case_result(const char *word)
{
    enum result r = result_from_name(slice_str(word));
    assert_int_not_equal(r, RESULT_COUNT);
    return r;
}

static inline void case_identifiers(struct dmarc_world *w, const char *text)
{
    char kind[8], result[16], domain[300];
    int used = 0;
    while (sscanf(text, " %7[a-z]=%15[a-z]:%299s%n", kind, result, domain, &used) == 3) {
        struct dmarc_identifier *id = &w->ids[w->count];
        size_t n = strlen(domain);
        id->counts = domain[n - 1] != '!';
        if (!id->counts)
            domain[n - 1] = '\0';
        id->kind = strcmp(kind, "spf") == 0 ? DMARC_SPF : DMARC_DKIM;
        id->result = case_result(result);
        snprintf(w->domains[w->count], sizeof w->domains[0], "%s", domain);
        id->domain = strcmp(domain, "-") == 0 ? NULL : w->domains[w->count];
        w->count++;
        text += used;
    }
    assert_int_equal(strspn(text, " "), strlen(text));
}

static inline void case_open(struct dmarc_world *w, const char *zone, const char *ids)
{
    char *error = NULL;
    memset(w, 0, sizeof *w);
    w->arena = arena_new(4 << 20);
    w->source = dns_replay_text(slice_str(zone), "case", &error);
    if (!w->source)
        fail_msg("%s", error);
    w->scope = dns_scope_new(w->source, w->arena, NULL);
    assert_non_null(w->scope);
    case_identifiers(w, ids);
}

static inline void case_close(struct dmarc_world *w)
{
    dns_scope_free(w->scope);
    dns_close(w->source);
    arena_free(w->arena);
}

static inline void case_line(const struct dmarc_finding *f, char *out, size_t size)
{
    snprintf(out, size, "%s %s %s %s %s", result_name(f->result), f->record_domain ? f->record_domain : "-",
             f->tag[0] ? f->tag : "-",
             f->policy_known ? dmarc_policy_name(f->policy)
             : f->dns_failed ? "?"
                             : "-",
             f->org_domain ? f->org_domain : "?");
}

static inline void expect_finding(const struct dmarc_case *k)
{
    struct dmarc_world w;
    char line[700];
    case_open(&w, k->zone, k->ids);
    assert_int_equal(dmarc_check(w.scope, w.arena, k->from, w.ids, w.count, &w.f), STATUS_OK);
    case_line(&w.f, line, sizeof line);
    if (strcmp(line, k->expect) != 0)
        fail_msg("%s: got \"%s\" (%s), expected \"%s\"", k->what, line, w.f.reason, k->expect);
    assert_non_null(w.f.reason);
    case_close(&w);
}

#endif
