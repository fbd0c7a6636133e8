// SPDX-License-Identifier: BSD-2-Clause
/*
 * next_undo.c - `assay next --undo`: the last step that was written is taken out of the policy again.
 *
 * Three-way: a policy that nobody touched since gets its exact octets back; in one that was edited only the lines of
 * that step are taken out, and what they replaced is put back; every other line stays. A line that was changed since is
 * left and named. Exit: 0 all is back, or there was nothing to undo; 1 something was left.
 */
#include "cli/cli.h"
#include "cli/harden/merge_back.h"
#include "cli/harden/undo_store.h"
#include "cli/next/next.h"
#include <stdlib.h>

struct next_undo {
    struct arena *arena;
    struct edit *set;
    struct buf left;
    size_t left_count;
};

static enum status undo_file(struct next_undo *u, const struct undo_file *c, const char **why)
{
    enum undo_state state;
    struct slice now, text = c->before;
    size_t count = 0;
    enum status s = undo_state_of(u->arena, c, &state, &now, why);
    if (s != STATUS_OK || state == UNDO_BACK)
        return s;
    if (state == UNDO_CHANGED &&
        (!c->after_known || merge_back(u->arena, c->before, c->after, now, &text, &u->left, &count) != STATUS_OK)) {
        buf_printf(&u->left, "%s was changed since, and is left as it is\n", c->path);
        u->left_count++;
        return STATUS_OK;
    }
    u->left_count += count;
    return edit_propose(u->set, c->path, text, 0644, why);
}

static int code_of(enum status s)
{
    return s == STATUS_DENIED ? EX_NOPERM : s == STATUS_INVALID ? EX_CONFIG : EX_TEMPFAIL;
}

int next_undo(struct arena *a, const char *keep, const char *reload)
{
    struct next_undo u = {.arena = a, .set = edit_new(a), .left = BUF_INIT};
    struct undo_set *set = arena_alloc(a, sizeof *set);
    const char *why = NULL, *path;
    enum status s = set && u.set ? undo_load(a, keep, 0, set, &why) : STATUS_NOMEM;
    if (s == STATUS_MISSING) {
        puts("There is nothing to undo.");
        return EX_OK;
    }
    for (size_t i = 0; s == STATUS_OK && i < set->count; i++)
        s = undo_file(&u, &set->files[i], &why);
    if (s == STATUS_OK)
        s = edit_apply(u.set, NULL, &why);
    if (s == STATUS_OK) {
        for (size_t i = 0; (path = edit_path(u.set, i)) != NULL; i++)
            printf("%s: what was written last is removed\n", path);
        for (const char *at = u.left.p; *at; at += strcspn(at, "\n") + 1) {
            const char *line = arena_copy(a, at, strcspn(at, "\n"));
            printf("left: ");
            cli_put_visible(stdout, line ? line : "");
            putchar('\n');
        }
        if (!edit_count(u.set) && !u.left_count)
            puts("Nothing was changed: the policy is as it was before that step.");
        if (edit_count(u.set))
            printf("To put it in force:\n  %s\n", reload);
        undo_forget(a, keep, set->number);
    } else {
        cli_error("%s", why ? why : status_text(s));
    }
    buf_release(&u.left);
    return s != STATUS_OK ? code_of(s) : u.left_count ? CLI_WARNING : EX_OK;
}
