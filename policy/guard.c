// SPDX-License-Identifier: BSD-2-Clause
/*
 * guard.c - keeps out policies that load but look like an accident.
 *
 * Kept out, so that the current policy stays in force: a policy where a list lost over 30% of its names; a file without
 * a mode while the current policy enforces (a truncated file loses its last lines first); a file with fewer than half
 * of the statements, or with fewer than half of the customers' files if there were many. An explicit `set mode dry-run`
 * is always obeyed at once, whatever else is missing: it is the emergency brake, and it refuses nothing.
 *
 * `assay policy accept` lets such a policy in (policy_accept): its hash is then stored next to the snapshot.
 */
#include "policy/guard.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include "policy/source.h"
#include <stdio.h>

/* Customers come and go: only many that disappear at once are suspicious. */
#define CUSTOMERS_MANY 10

static const char *const accept_help = "if this is right, `assay policy accept` lets it in all the same: then reload";

/* Tells whether the policy says `set mode dry-run` in writing: the emergency brake. */
static bool guard_writes_dry_run(const struct policy *p)
{
    return p->settings[SETTING_MODE].item && policy_set_is(p, SETTING_MODE, "dry-run");
}

/* Statements of the operator's own files, and files of customers (which may only tighten). */
static void statements_count(const struct policy *p, size_t *statements, size_t *customers)
{
    *statements = *customers = 0;
    for (size_t i = 0; i < p->item_count; i++)
        *statements += !p->items[i].s.tightens;
    for (size_t i = 0; i < p->unit_count; i++)
        *customers += p->units[i]->tighten;
}

static bool lists_shrank(const struct policy *before, const struct policy *after, struct policy_report *r)
{
    bool any = false;
    for (size_t i = 0; i < after->list_count; i++) {
        const struct list *l = after->lists[i];
        size_t had, has = l->keys.count;
        const char *file;
        if (l->scope || policy_list(before, l->name, &had, &file) != STATUS_OK)
            continue;
        if ((uint64_t)has * 100 >= (uint64_t)had * (100 - POLICY_SHRINK_PERCENT))
            continue;
        struct place at;
        item_place(&after->items[l->item], &at);
        report_add(r, POLICY_ERROR, &at, accept_help,
                   "list %s lost %zu of its %zu name%s: more than %u%% at once needs a second look", l->name, had - has,
                   had, had == 1 ? "" : "s", POLICY_SHRINK_PERCENT);
        any = true;
    }
    return any;
}

static bool mode_is_missing(const struct policy *before, const struct policy *after, const struct place *at,
                            struct policy_report *r)
{
    if (!policy_set_is(before, SETTING_MODE, "enforce") || after->settings[SETTING_MODE].item)
        return false;
    report_add(
        r, POLICY_ERROR, at,
        "write `set mode enforce`, or `set mode dry-run` to stop enforcing; `assay policy accept` lets it in as it is",
        "this would switch enforcement off: the policy in force enforces, and this file has no `set mode`: it "
        "looks cut short");
    return true;
}

static bool statements_are_missing(const struct policy *before, const struct policy *after, const struct place *at,
                                   struct policy_report *r)
{
    size_t had, has, customers_had, customers_have;
    statements_count(before, &had, &customers_had);
    statements_count(after, &has, &customers_have);
    bool few = has * 2 < had, few_customers = customers_had >= CUSTOMERS_MANY && customers_have * 2 < customers_had;
    if (few)
        report_add(
            r, POLICY_ERROR, at, accept_help,
            "this file has %zu statement%s, and the policy in force has %zu: fewer than half needs a second look", has,
            has == 1 ? "" : "s", had);
    if (few_customers)
        report_add(r, POLICY_ERROR, at, accept_help,
                   "files of customers that are gone: %zu of %zu: more than half at once needs a second look",
                   customers_had - customers_have, customers_had);
    return few || few_customers;
}

bool guard_keeps_out(const struct policy *before, const struct policy *after, const char *path, struct policy_report *r)
{
    struct place at = {.file = path};
    if (guard_writes_dry_run(after))
        return !policy_set_is(before, SETTING_MODE, "enforce") && lists_shrank(before, after, r);
    bool mode = mode_is_missing(before, after, &at, r), few = statements_are_missing(before, after, &at, r);
    return lists_shrank(before, after, r) || mode || few;
}

bool guard_is_accepted(const struct policy *p, const char *snapshot_path)
{
    struct source_text t = {0};
    struct buf path = BUF_INIT;
    bool yes = false;
    buf_printf(&path, "%s.accept", snapshot_path ? snapshot_path : "");
    if (snapshot_path && !path.failed && source_read(path.p, 64, &t) == STATUS_OK) {
        yes = slice_eq(slice_trim(t.text), slice_str(p->hash));
        source_text_release(&t);
    }
    buf_release(&path);
    return yes;
}

enum status policy_accept(const struct policy *p, const char *snapshot_path, char reason[256])
{
    struct buf path = BUF_INIT, text = BUF_INIT;
    buf_printf(&path, "%s.accept", snapshot_path);
    buf_printf(&text, "%s\n", p->hash);
    enum status s = path.failed || text.failed ? STATUS_NOMEM : source_write(path.p, buf_slice(&text), 0644, reason);
    buf_release(&path);
    buf_release(&text);
    return s;
}
