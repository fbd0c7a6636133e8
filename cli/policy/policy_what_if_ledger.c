// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_what_if_ledger.c - `assay policy what-if OTHER` without mail: whose outcome would change, by what the ledger
 * saw.
 *
 * Both policies are asked about each mail from outside whose record is kept, by the milter's own decision
 * (cli/recall.h), and what they would have done is counted where it differs. Records hold no recipients' addresses, so
 * `writing to` is left out. The newest MAILS_MOST mails are looked at.
 */
#include "base/clock.h"
#include "base/array.h"
#include "base/words.h"
#include "base/domain.h"
#include "base/json.h"
#include "cli/policy/policy_ledger.h"
#include "cli/policy/policy_what_if.h"
#include "cli/recall.h"
#include "policy/map.h"
#include "policy/policy_settings.h"
#include <stdlib.h>

#define LINES_MOST 1000u
#define MAILS_MOST 200000
#define ARENA_BOUND ((size_t)64 << 20)

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
    time_t at;           /* judged as of */
    struct arena *arena; /* of one mail */
    struct arena *keys;  /* of index */
    struct map index;    /* of changes */
};

/* What one policy makes of a mail, in words; "deliver" if nothing is done. */
static void words_of(const struct verdict *v, char out[48])
{
    bool trial = v->held_back && strcmp(v->held_back, "trial") == 0;
    snprintf(out, 48, "%s%s", policy_action_name(v->would), trial ? " (trial)" : "");
}

static bool change_keep(struct estimate *e, const struct change *c)
{
    if (e->count == e->size) {
        struct change *more = array_grow(e->changes, &e->size, 64, sizeof *more);
        if (!more)
            return false;
        e->changes = more;
    }
    e->changes[e->count++] = *c;
    return true;
}

static bool same_change(const struct change *a, const struct change *b)
{
    return strcmp(a->subject, b->subject) == 0 && strcmp(a->standard, b->standard) == 0 &&
           strcmp(a->result, b->result) == 0 && strcmp(a->before, b->before) == 0 && strcmp(a->after, b->after) == 0;
}

static bool count_change(struct estimate *e, const struct change *c)
{
    struct slice key;
    struct buf b = BUF_INIT;
    buf_printf(&b, "%s\n%s\n%s\n%s\n%s", c->subject, c->standard, c->result, c->before, c->after);
    key = buf_slice(&b);
    const uint64_t *at = b.failed ? NULL : map_get(&e->index, key);
    bool ok = !b.failed;
    if (at && same_change(&e->changes[*at], c)) {
        e->changes[*at].count++;
    } else if (ok) {
        const char *kept = arena_copy(e->keys, key.p, key.n);
        ok = kept && map_put(&e->index, slice_of(kept, key.n), e->count) == STATUS_OK && change_keep(e, c);
    }
    buf_release(&b);
    return ok;
}

/* One mail, by both policies. */
static bool record_compare(struct estimate *e, const struct record *r)
{
    struct recall facts;
    struct verdict before, after;
    struct change c = {.count = 1};
    if (recall_facts(e->arena, r, &facts) != STATUS_OK || !judge_source_is_judged(facts.facts.source))
        return !arena_failed(e->arena);
    if (recall_verdict(e->arena, &facts, e->now, e->at, &before) != STATUS_OK ||
        recall_verdict(e->arena, &facts, e->other, e->at, &after) != STATUS_OK)
        return false;
    e->looked_at++;
    words_of(&before, c.before);
    words_of(&after, c.after);
    if (strcmp(c.before, c.after) == 0)
        return true;
    e->changed++;
    const struct verdict_line *l = verdict_would_line(after.would > before.would ? &after : &before);
    l = l ? l : verdict_would_line(&after);
    const char *subject = l && l->subject ? l->subject : r->from ? r->from : r->mail_from;
    snprintf(c.subject, sizeof c.subject, "%s", subject ? subject : "(no usable sender)");
    snprintf(c.standard, sizeof c.standard, "%s", l ? standard_name(l->standard) : "");
    snprintf(c.result, sizeof c.result, "%s", l ? result_name(l->result) : "");
    c.statement = l && l->statement ? l->statement->text : NULL;
    return count_change(e, &c);
}

static enum status look_at_all(struct estimate *e, struct store *s, time_t since, bool *ok)
{
    struct store_rows *rows =
        store_ask(s, "SELECT record FROM mail WHERE t >= $1 AND record IS NOT NULL ORDER BY t DESC LIMIT $2", "ii",
                  (int64_t)since * 1000000, (int64_t)MAILS_MOST);
    *ok = true;
    while (*ok && store_next(rows)) {
        struct record r;
        char why[160];
        const char *line = store_record(rows, 0);
        if (!line || record_parse(slice_str(line), &r, why) != STATUS_OK)
            continue;
        *ok = r.kind != RECORD_MAIL || record_compare(e, &r);
        record_free(&r);
        arena_reset(e->arena);
    }
    return store_done(rows);
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
        printf("and %zu more domain%s.\n", e->count - LINES_MOST, words_s((int64_t)(e->count - LINES_MOST)));
    struct buf said = BUF_INIT, lines = BUF_INIT;
    buf_printf(
        &said,
        "%lld of %lld mail%s since %s would be treated differently, as the milter would decide by what it found then. "
        "Only mail whose record the ledger still has is counted (ledger.keep-identity). "
        "Statements `writing to` are left out: records hold no recipients.",
        (long long)e->changed, (long long)e->looked_at, words_s(e->looked_at), since);
    cli_wrap(&lines, said.p ? said.p : "", 0, cli_prose_width(stdout));
    puts(lines.p ? lines.p : "");
    buf_release(&said);
    buf_release(&lines);
}

static void print_json(const struct estimate *e, const char *since)
{
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    json_open(&j);
    json_bool(&j, "estimate", true);
    json_str(&j, "since", since);
    json_int(&j, "mails", e->looked_at);
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
    struct estimate e = {.now = now, .other = other, .at = clock_wall()};
    char day[POLICY_DAY_TEXT];
    struct store *s = policy_ledger_open(now);
    if (!s) {
        cli_error("there is no ledger to ask in %s; name saved mail: what-if OTHER MAIL",
                  policy_set_text(now, SETTING_LEDGER_STORE));
        return EX_NOINPUT;
    }
    e.arena = arena_new(ARENA_BOUND);
    e.keys = arena_new(ARENA_BOUND);
    map_init(&e.index, 1);
    bool ok = e.arena && e.keys;
    enum status st = ok ? look_at_all(&e, s, since, &ok) : STATUS_NOMEM;
    int rc = e.changed ? CLI_WARNING : CLI_OK;
    policy_day_text(since, day);
    if (st != STATUS_OK || !ok) {
        cli_error("the ledger cannot be asked: %s", ok ? store_error(s) : "out of memory");
        rc = EX_TEMPFAIL;
    } else {
        if (e.count)
            qsort(e.changes, e.count, sizeof *e.changes, by_count);
        if (json)
            print_json(&e, day);
        else
            print_text(&e, day);
    }
    map_release(&e.index);
    arena_free(e.arena);
    arena_free(e.keys);
    free(e.changes);
    store_close(s);
    return rc;
}
