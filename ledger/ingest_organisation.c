// SPDX-License-Identifier: BSD-2-Clause
/*
 * ingest_organisation.c - what one mail adds to the daily totals of the organisation that it names as its author.
 *
 * Promises: only mail from outside counts (internet, relay); the organisation is DMARC's organisational domain of the
 * From domain, or where none is known the From domain; for each standard one answer a mail, the worst of its lines. A
 * line counts where the policy follows or requires the standard, not in a trial, or where an exemption took that away.
 * Pure but for the aggregate, whose failures are remembered there.
 */
#include "base/domain.h"
#include "base/standard.h"
#include "ledger/ingest.h"
#include "ledger/organisations.h"
#include "ledger/stopped.h"
#include <stdio.h>
#include <string.h>

enum answer { ANSWER_NOT_ASKED, ANSWER_MET, ANSWER_EXPLAINED, ANSWER_UNTESTED, ANSWER_MISSED };

static enum answer asked_answer(const struct value *line)
{
    const char *level = value_text(line, "level"), *word = value_text(line, "result");
    bool exempt = value_text(line, "exemption") != NULL;
    if ((!exempt && !str_is(level, "follow") && !str_is(level, "require")) || value_true(line, "trial") || !word)
        return ANSWER_NOT_ASKED;
    switch (result_from_name(slice_str(word))) {
    case RESULT_PASS:
        return ANSWER_MET;
    case RESULT_TEMPERROR:
    case RESULT_UNTESTED:
        return exempt ? ANSWER_EXPLAINED : ANSWER_UNTESTED;
    default:
        return exempt ? ANSWER_EXPLAINED : ANSWER_MISSED;
    }
}

/* One answer for each standard; the worst of them. */
static enum answer record_answers(const struct record *r, enum answer out[STANDARD_MAIL_COUNT])
{
    enum answer worst = ANSWER_NOT_ASKED;
    memset(out, 0, STANDARD_MAIL_COUNT * sizeof *out);
    for (size_t i = 0; i < value_count(r->lines) && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *line = value_at(r->lines, i);
        const char *name = value_text(line, "standard");
        enum standard s = name ? standard_from_name(slice_str(name)) : STANDARD_COUNT;
        enum answer a = s < STANDARD_MAIL_COUNT ? asked_answer(line) : ANSWER_NOT_ASKED;
        if (a == ANSWER_NOT_ASKED)
            continue;
        out[s] = a > out[s] ? a : out[s];
        worst = a > worst ? a : worst;
    }
    return worst;
}

static void add_failed(struct aggregate *t, const struct record *r, const char *const keys[3], const char *standard,
                       bool strict)
{
    aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_ORG_FAILED_DAY,
                                               .keys = {keys[0], keys[1], keys[2], standard},
                                               .counts = {1, strict},
                                               .moment = r->t});
}

/* From where: a network that proved to be the organisation's, or one whose mail may be forged (stopped.h). */
static void add_source(struct aggregate *t, const struct record *r, const char *day, const char *org,
                       const enum answer all[STANDARD_MAIL_COUNT], enum answer worst)
{
    struct stopped_evidence e;
    char net[IP_NET_TEXT];
    stopped_evidence(r, org, &e);
    if (!e.client_known)
        return;
    const char *const keys[3] = {day, org, ip_net_text(&e.network, net)};
    if (e.passed)
        aggregate_add(t, &(struct aggregate_entry){
                             .sum = AGGREGATE_ORG_SOURCE, .keys = {org, keys[2]}, .counts = {1}, .moment = r->t});
    if (e.failed && e.signed_by_domain)
        add_failed(t, r, keys, ORGANISATION_SIGNED, e.strict);
    if (!e.failed || e.signed_by_domain)
        return;
    add_failed(t, r, keys, ORGANISATION_ALL_MAIL, e.strict);
    if (worst == ANSWER_MISSED)
        add_failed(t, r, keys, ORGANISATION_MISSED_ANY, e.strict);
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++)
        if (all[s] == ANSWER_MISSED)
            add_failed(t, r, keys, standard_name((enum standard)s), e.strict);
}

static const char *organisation_of(const struct record *r)
{
    const char *org = value_text(record_finding(r, "dmarc"), "org");
    if (org && domain_is_kept(org) && (!r->from || domain_is_within(r->from, org)))
        return org;
    return r->from && domain_is_kept(r->from) ? r->from : NULL;
}

static void add_lists(struct aggregate *t, const struct record *r, const char *day, const char *org)
{
    const char *names[ORGANISATION_LISTS_MAX];
    size_t n = organisation_lists_of(aggregate_lists(t), org, names);
    for (size_t i = 0; i < n; i++)
        aggregate_add(
            t, &(struct aggregate_entry){.sum = AGGREGATE_ORG_GROUP_DAY, .keys = {day, names[i], org}, .moment = r->t});
}

void ingest_organisation(struct aggregate *t, const struct record *r, const char *day)
{
    enum answer all[STANDARD_MAIL_COUNT], worst = record_answers(r, all);
    const char *org = organisation_of(r);
    char asked[160] = "";
    if (!org || r->skipped || !record_is_from_outside(r))
        return;
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++) {
        const char *name = standard_name((enum standard)s);
        size_t n = strlen(asked);
        if (all[s] == ANSWER_NOT_ASKED)
            continue;
        snprintf(asked + n, sizeof asked - n, "%s%s", n ? "," : "", name);
        if (all[s] != ANSWER_MET)
            aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_ORG_MISS_DAY,
                                                       .keys = {day, org, name},
                                                       .counts = {all[s] == ANSWER_MISSED, all[s] == ANSWER_EXPLAINED,
                                                                  all[s] == ANSWER_UNTESTED},
                                                       .moment = r->t});
    }
    aggregate_add(t, &(struct aggregate_entry){
                         .sum = AGGREGATE_ORG_DAY,
                         .keys = {day, org, asked},
                         .counts = {1, worst == ANSWER_MET, worst == ANSWER_EXPLAINED, worst == ANSWER_UNTESTED},
                         .moment = r->t});
    add_lists(t, r, day, org);
    add_source(t, r, day, org, all, worst);
}
