// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_what_if_ledger.c - `assay policy what-if OTHER` without mail: whose outcome would change, by what the ledger
 * saw.
 *
 * The ledger keeps what each standard said of each domain, by day; this asks both policies what they make of each such
 * result, and counts where they differ. It is an estimate, and says so: recipients are not kept (so `writing to` is
 * left out), nor which results came in one message (so SPF is taken as if DMARC had not passed), nor client addresses
 * (so `via` does not hold). Temporary failures count as no change.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "base/json.h"
#include "cli/policy/policy_ledger.h"
#include "cli/policy/policy_what_if.h"
#include "policy/policy_settings.h"
#include <stdlib.h>

#define LINES_MOST 1000u

struct change {
    char subject[LIMIT_DOMAIN + 1], standard[24], result[16];
    char before[48], after[48];
    const char *statement; /* of the policy that asks more */
    int64_t count;
};

struct estimate {
    const struct policy *now, *other;
    struct change *changes;
    size_t count, size;
    int64_t looked_at, changed;
};

/* What one policy makes of a result, in words; "deliver" where nothing is done. */
static const struct policy_statement *outcome(const struct policy *p, enum standard standard, const char *subject,
                                              enum result result, char out[48])
{
    struct policy_question q = {.standard = standard, .who = subject};
    struct policy_answer a;
    policy_ask(p, &q, &a);
    bool acts = a.level == POLICY_REQUIRE && result != RESULT_PASS;
    if (a.level == POLICY_FOLLOW && (standard == STANDARD_SPF || standard == STANDARD_DMARC))
        acts = result == RESULT_FAIL;
    bool owner = acts && standard == STANDARD_DMARC && a.level == POLICY_FOLLOW && !a.action_written;
    snprintf(out, 48, "%s%s", owner ? "as published" : policy_action_name(acts ? a.action : POLICY_DELIVER),
             acts && a.trial ? " (trial)" : "");
    return a.statement;
}

static bool keep(struct estimate *e, const struct change *c)
{
    if (e->count == e->size) {
        size_t size = e->size ? e->size * 2 : 64;
        struct change *more = realloc(e->changes, size * sizeof *more);
        if (!more)
            return false;
        e->changes = more;
        e->size = size;
    }
    e->changes[e->count++] = *c;
    return true;
}

static bool look(struct estimate *e, const char *subject, const char *standard, const char *result, int64_t count)
{
    enum standard s = standard_from_name(slice_str(standard));
    enum result r = result_from_name(slice_str(result));
    struct change c = {.count = count};
    if (s >= STANDARD_MAIL_COUNT || !domain_is_kept(subject) || r == RESULT_TEMPERROR || r == RESULT_UNTESTED)
        return true;
    e->looked_at += count;
    const struct policy_statement *a = outcome(e->now, s, subject, r, c.before),
                                  *b = outcome(e->other, s, subject, r, c.after);
    if (strcmp(c.before, c.after) == 0)
        return true;
    e->changed += count;
    snprintf(c.subject, sizeof c.subject, "%s", subject);
    snprintf(c.standard, sizeof c.standard, "%s", standard);
    snprintf(c.result, sizeof c.result, "%s", result);
    const struct policy_statement *decides = strcmp(c.after, "deliver") ? b : a;
    c.statement = decides ? decides->text : NULL;
    return keep(e, &c);
}

static int by_count(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    return x->count != y->count ? x->count > y->count ? -1 : 1 : strcmp(x->subject, y->subject);
}

static void print_text(const struct estimate *e, const char *since)
{
    for (size_t i = 0; i < e->count && i < LINES_MOST; i++) {
        const struct change *c = &e->changes[i];
        printf("%s%s%s: %lld time%s %s %s: %s -> %s\n", cli_colour(stdout, CLI_BOLD), c->subject,
               cli_colour(stdout, CLI_PLAIN), (long long)c->count, c->count == 1 ? "" : "s", c->standard, c->result,
               c->before, c->after);
        if (c->statement) {
            printf("    by ");
            cli_put_visible(stdout, c->statement);
            putchar('\n');
        }
    }
    if (e->count > LINES_MOST)
        printf("and %zu more domains.\n", e->count - LINES_MOST);
    printf("%lld of %lld results since %s would be treated otherwise. An estimate: recipients and clients are not "
           "kept; saved mail gives the exact answer.\n",
           (long long)e->changed, (long long)e->looked_at, since);
}

static void print_json(const struct estimate *e, const char *since)
{
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    json_open(&j);
    json_bool(&j, "estimate", true);
    json_str(&j, "since", since);
    json_int(&j, "results", e->looked_at);
    json_int(&j, "changed", e->changed);
    json_open_array(&j, "changes");
    for (size_t i = 0; i < e->count; i++) {
        const struct change *c = &e->changes[i];
        json_open(&j);
        json_str(&j, "domain", c->subject);
        json_str(&j, "standard", c->standard);
        json_str(&j, "result", c->result);
        json_str(&j, "from", c->before);
        json_str(&j, "to", c->after);
        json_int(&j, "count", c->count);
        json_opt(&j, "statement", c->statement);
        json_end(&j);
    }
    json_end(&j);
    json_end(&j);
    buf_addc(&b, '\n');
    cli_flush(&b);
}

int what_if_ledger(const struct policy *now, const struct policy *other, time_t since, bool json)
{
    struct estimate e = {.now = now, .other = other};
    char day[POLICY_DAY_TEXT];
    struct store *s = policy_ledger_open(now);
    if (!s) {
        cli_error("there is no ledger to ask in %s; name saved mail: what-if OTHER MAIL",
                  policy_set_text(now, SETTING_LEDGER_STORE));
        return EX_NOINPUT;
    }
    struct store_rows *r = store_ask(s,
                                     "SELECT subject, standard, result, sum(count) FROM subject_day WHERE scope = "
                                     "'mail' AND day >= $1 GROUP BY subject, "
                                     "standard, result",
                                     "i", (int64_t)since / 86400);
    bool ok = true;
    while (store_next(r) && ok)
        ok = look(&e, store_text(r, 0), store_text(r, 1), store_text(r, 2), store_number(r, 3));
    if (store_done(r) != STATUS_OK || !ok) {
        cli_error("the ledger cannot be asked: %s", ok ? store_error(s) : "out of memory");
        free(e.changes);
        store_close(s);
        return EX_TEMPFAIL;
    }
    if (e.count)
        qsort(e.changes, e.count, sizeof *e.changes, by_count);
    policy_day_text(since, day);
    if (json)
        print_json(&e, day);
    else
        print_text(&e, day);
    free(e.changes);
    store_close(s);
    return e.changed ? CLI_WARNING : CLI_OK;
}
