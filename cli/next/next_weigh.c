// SPDX-License-Identifier: BSD-2-Clause
/*
 * next_weigh.c - what each step would have done to the mail that was seen.
 *
 * Every record of the last weeks is judged by the policy in force and by the policy with the step, by the verdict's own
 * function (cli/recall.h); a temporary failure counts as nothing. Stopped forgery (ledger/stopped.h) is counted apart:
 * nobody has to act on it. Records hold no recipients' addresses: statements `writing to` are left out. Mail from our
 * own networks and from submission is left out. Only the step that changes the mode looks at it: that step counts
 * everything that the policy would do. On failure of the store: its status.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "cli/next/next.h"
#include "cli/recall.h"
#include "ledger/stopped.h"
#include "policy/policy_settings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)

static enum result result_of(const struct value *f)
{
    const char *word = value_text(f, "result");
    return word ? result_from_name(slice_str(word)) : RESULT_UNTESTED;
}

/* The finding that a line of the verdict is about. */
static const struct value *finding_of(const struct record *r, const struct verdict_line *l)
{
    for (size_t i = 0; i < value_count(r->findings) && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *f = value_at(r->findings, i);
        const char *standard = value_text(f, "standard"), *subject = value_text(f, "subject");
        if (standard && strcmp(standard, standard_name(l->standard)) == 0 && l->subject && subject &&
            strcmp(subject, l->subject) == 0)
            return f;
    }
    return record_finding(r, standard_name(l->standard));
}

/* The severest action of this policy on one mail, by the verdict itself; *by: the finding that caused it. A temporary
 * failure counts as nothing, since the next attempt may succeed. */
static enum policy_action outcome(struct arena *a, const struct policy *p, const struct record *r,
                                  const struct recall *f, const struct value **by)
{
    enum policy_action worst = POLICY_DELIVER;
    struct verdict v;
    *by = NULL;
    if (recall_verdict(a, f, p, clock_wall(), &v) != STATUS_OK)
        return POLICY_DELIVER;
    for (size_t i = 0; i < v.line_count; i++) {
        const struct verdict_line *l = &v.lines[i];
        if (l->trial || l->temporary || l->action <= worst)
            continue;
        worst = l->action;
        *by = finding_of(r, l);
    }
    return worst;
}

/* The record's rua is the owner's own wish to be told; else the address that every domain must have (RFC 5321
 * 4.5.1). */
static const char *contact_of(struct next *n, const struct record *r, const char *domain)
{
    const char *rua = value_text(record_finding(r, "dmarc"), "rua"), *to = rua ? strstr(rua, "mailto:") : NULL;
    size_t len = to ? strcspn(to + 7, ",!? ") : 0;
    return len ? arena_printf(n->arena, "%.*s", (int)(len > 254 ? 254 : len), to + 7)
               : arena_printf(n->arena, "postmaster@%s", domain);
}

/* "dmarc fail; from 192.0.2.7, MAIL FROM esp.example, signed by esp.example" */
static const char *how_of(struct next *n, const struct record *r, const struct value *by)
{
    struct buf b = BUF_INIT;
    const char *comma = ", signed by ";
    buf_printf(&b, "%s %s; from %s", value_text(by, "standard"), value_text(by, "result"),
               r->client ? r->client : "an unknown client");
    if (r->mail_from)
        buf_printf(&b, ", MAIL FROM %s", r->mail_from);
    for (size_t i = 0; i < value_count(r->findings) && i < RECORD_FINDINGS_MAX && b.n < 300; i++) {
        const struct value *f = value_at(r->findings, i);
        const char *standard = value_text(f, "standard"), *subject = value_text(f, "subject");
        if (standard && subject && strcmp(standard, "dkim") == 0 && result_of(f) == RESULT_PASS) {
            buf_printf(&b, "%s%s", comma, subject);
            comma = " and ";
        }
    }
    const char *kept = b.failed ? NULL : arena_strdup(n->arena, b.p);
    buf_release(&b);
    return kept;
}

static struct next_hit *hit_of(struct next *n, struct next_step *s, const struct record *r, const struct value *by)
{
    const char *domain = r->from ? r->from : r->mail_from ? r->mail_from : "(no usable sender)";
    bool made = false;
    struct next_hit *h = next_hit_at(n, s, domain, domain, &made);
    if (h && made) {
        h->own = policy_is_own_domain(n->now, h->domain);
        h->contact = h->own || *domain == '(' ? NULL : contact_of(n, r, h->domain);
        h->how = how_of(n, r, by);
    }
    return h;
}

static void weigh_mail(struct next *n, const struct record *r)
{
    const struct value *by;
    arena_reset(n->scratch);
    struct recall f;
    if (recall_facts(n->scratch, r, &f) != STATUS_OK)
        return;
    enum policy_action now = outcome(n->scratch, n->now, r, &f, &by);
    for (size_t i = 0; i < n->count; i++) {
        struct next_step *s = &n->steps[i];
        if (s->names)
            continue;
        enum policy_action then = outcome(n->scratch, s->after, r, &f, &by), before = s->is_mode ? POLICY_DELIVER : now;
        if (then <= before || !by)
            continue;
        if (mail_history_is_stopped(n->history, n->now, r)) {
            s->stopped++;
            continue;
        }
        s->mails++;
        struct next_hit *h = hit_of(n, s, r, by);
        if (!h)
            continue;
        h->mails++;
        h->perhaps += mail_history_may_be_forged(n->history, n->now, r);
        h->worst = then > h->worst ? then : h->worst;
    }
}

static void remember_place(struct next *n, const struct record *r, void *arg)
{
    (void)arg;
    mail_history_add(n->history, r);
}

typedef void mail_function(struct next *n, const struct record *r, void *arg);

/* Each mail from outside since then, the newest first. */
static enum status each_mail(struct next *n, struct store *s, int64_t since_us, int64_t most, mail_function *fn,
                             void *arg)
{
    struct store_rows *rows =
        store_ask(s, "SELECT record FROM mail WHERE t >= $1 AND record IS NOT NULL ORDER BY t DESC LIMIT $2", "ii",
                  since_us, most);
    while (store_next(rows)) {
        struct record r;
        char why[160];
        const char *line = store_record(rows, 0);
        if (!line || record_parse(slice_str(line), &r, why) != STATUS_OK)
            continue;
        if (r.kind == RECORD_MAIL && record_is_from_outside(&r))
            fn(n, &r, arg);
        record_free(&r);
    }
    return store_done(rows);
}

/* Tells whether the mail passes DKIM for its author by testing keys alone (t=y, RFC 6376 3.6.1). */
static bool passes_by_testing_keys(const struct record *r)
{
    bool testing = false;
    for (size_t i = 0; i < value_count(r->findings); i++) {
        const struct value *v = value_at(r->findings, i);
        const char *standard = value_text(v, "standard"), *result = value_text(v, "result");
        if (!standard || !result || strcmp(standard, "dkim") != 0 || strcmp(result, "pass") != 0 ||
            !value_true(v, "aligned") || !value_true(v, "counts"))
            continue;
        if (!value_true(v, "testing"))
            return false;
        testing = true;
    }
    return testing;
}

static void count_and_weigh(struct next *n, const struct record *r, void *arg)
{
    int64_t *first = arg;
    n->mails++;
    n->testing += passes_by_testing_keys(r);
    *first = *first == 0 || r->t < *first ? r->t : *first;
    weigh_mail(n, r);
}

/* How long the mail was looked at: up to now, not to the newest mail, since a weekend or a holiday without mail counts
 * too; and from the first mail, although its record may have gone, as far back as records are kept. */
static void look_back(struct next *n, int64_t first, int64_t oldest, int64_t last)
{
    const int64_t now = clock_wall_us(), kept = policy_set_number(n->now, SETTING_LEDGER_KEEP_IDENTITY) / 86400;
    int64_t begun = n->cut ? first : oldest;
    n->stale = last ? (now - last) / DAY_US : 0;
    n->days = begun && begun <= now ? (now - begun) / DAY_US + 1 : 0;
    n->days = n->days > kept ? kept : n->days;
}

enum status next_weigh(struct next *n, struct store *s)
{
    int64_t first = 0, oldest = 0, last = 0, rows = 0;
    if (!next_hits_begin(n))
        return STATUS_NOMEM;
    n->mails = 0;
    n->scratch = arena_new((size_t)4 << 20);
    n->history = mail_history_new(n->arena);
    if (!n->scratch || !n->history)
        return STATUS_NOMEM;
    enum status st = store_ask_number(s, 0, &rows, "SELECT count(*) FROM mail WHERE t >= $1 AND record IS NOT NULL",
                                      "i", n->since_us);
    if (!n->mails_most || n->mails_most > NEXT_MAILS_MAX)
        n->mails_most = NEXT_MAILS_MAX;
    if (st == STATUS_OK)
        st = store_ask_number(s, 0, &last, "SELECT max(t) FROM mail WHERE t >= $1", "i", n->since_us);
    if (st == STATUS_OK)
        st = store_ask_number(s, 0, &oldest, "SELECT min(t) FROM mail WHERE t >= $1", "i", n->since_us);
    if (st == STATUS_OK)
        st = mail_history_load(n->history, s, NULL);
    if (st == STATUS_OK)
        st = each_mail(n, s, clock_wall_us() - STOPPED_LOOK_BACK_DAYS * DAY_US, n->mails_most, remember_place, NULL);
    if (st == STATUS_OK)
        st = each_mail(n, s, n->since_us, n->mails_most, count_and_weigh, &first);
    if (st == STATUS_OK && n->answers)
        st = next_weigh_names(n, s);
    n->scratch = arena_free(n->scratch);
    mail_history_free(n->history);
    n->history = NULL;
    n->cut = rows > n->mails_most;
    look_back(n, first, oldest, last);
    next_hits_end(n);
    bool enough = n->days >= n->days_least && n->mails >= n->mails_least && n->stale <= NEXT_STALE_DAYS,
         enough_names = n->names_days >= n->days_least && n->answers >= n->mails_least;
    for (size_t i = 0; i < n->count; i++) {
        struct next_step *step = &n->steps[i];
        if (step->state != NEXT_SAY)
            step->state = step->mails || step->answers            ? NEXT_ASK_FIRST
                          : (step->names ? enough_names : enough) ? NEXT_READY
                                                                  : NEXT_NOT_YET;
    }
    return st;
}

/* ---- whose mail this is ---- */

#define OWN_LOOKED_AT 5000
#define OWN_SEEN 64

struct seen {
    const char *domain[OWN_SEEN];
    int64_t mails[OWN_SEEN];
    size_t count;
};

static void see_recipients(struct next *n, const struct record *r, void *arg)
{
    struct seen *s = arg;
    for (size_t i = 0; i < value_count(r->rcpt_domains) && i < 16; i++) {
        const char *domain = value_text_at(r->rcpt_domains, i);
        size_t k = 0;
        while (domain && k < s->count && strcmp(s->domain[k], domain) != 0)
            k++;
        if (!domain || !domain_is_kept(domain) || k == OWN_SEEN)
            continue;
        if (k == s->count) {
            s->domain[s->count] = arena_strdup(n->arena, domain);
            s->mails[s->count++] = 0;
        }
        s->mails[k]++;
    }
}

enum status next_own_domains(struct next *n, struct store *s, const char **out, size_t most, size_t *count)
{
    struct seen seen = {.count = 0};
    enum status st = each_mail(n, s, n->since_us, OWN_LOOKED_AT, see_recipients, &seen);
    *count = 0;
    while (*count < most) {
        size_t best = OWN_SEEN;
        for (size_t i = 0; i < seen.count; i++)
            if (seen.domain[i] && seen.mails[i] > 0 && (best == OWN_SEEN || seen.mails[i] > seen.mails[best]))
                best = i;
        if (best == OWN_SEEN)
            break;
        out[(*count)++] = seen.domain[best];
        seen.mails[best] = 0;
    }
    return st;
}
