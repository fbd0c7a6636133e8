// SPDX-License-Identifier: BSD-2-Clause
/*
 * postfix_release.c - makes Postfix stop asking assay-milter: removes what harden wrote from main.cf and master.cf.
 *
 * There are two ways. postfix_undo_file() restores each setting by itself: a setting that still has harden's value gets
 * its earlier value; a list loses only our entry; a setting that somebody changed since is left and named.
 * harden_postfix_release() removes all settings that make Postfix ask assay-milter, in every instance. It refuses a
 * configuration that it does not understand.
 */
#include "cli/harden/harden_postfix.h"
#include "cli/harden/undo_store.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void release_list(struct postfix *p, const char *name)
{
    const char *now = postfix_ask(p, "-h", name), *rest = now ? postfix_without_ours(p, now) : NULL,
               *expanded = postfix_get(p, name);
    if (rest)
        postfix_edit(p, name, rest);
    else if (postfix_without_ours(p, expanded) && !(now && strstr(now, "$smtpd_milters")))
        harden_refuse(p->h,
                      "%s/main.cf: %s = %s still asks Assay by a parameter of yours: take it out of there, then again",
                      p->original, name, now ? now : "");
}

/* Listeners with settings of their own in master.cf: named, and left to whoever wrote them. */
static void release_master(struct postfix *p)
{
    const char *out = postfix_ask(p, "-P", NULL);
    for (const char *line = out; line && *line;) {
        size_t n = strcspn(line, "\n");
        const char *text = arena_copy(p->h->arena, line, n), *value = text ? strchr(text, '=') : NULL;
        const char *milters = text ? strstr(text, "milters") : NULL;
        if (value && milters && milters < value && postfix_without_ours(p, value + 1))
            harden_refuse(p->h, "%s/master.cf: %s still asks assay-milter: take it out, then again", p->original, text);
        line += n + (line[n] == '\n');
    }
}

static void release_instance(struct harden *h, const char *dir)
{
    static const char *const lists[] = {"smtpd_milters", "non_smtpd_milters", "smtp_tls_policy_maps"};
    struct postfix p = {.h = h, .original = dir};
    if (postfix_open(&p)) {
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
            release_list(&p, lists[i]);
        release_master(&p);
        postfix_propose(&p, "-e", p.edits, p.count, "main.cf");
    }
    postfix_close(&p);
}

void harden_postfix_release(struct harden *h)
{
    const char *more[] = {"postconf", "-h", "multi_instance_directories", NULL};
    int code = 0;
    const char *dir = postfix_instance(h);
    const char *main_cf = dir ? arena_printf(h->arena, "%s/main.cf", dir) : NULL;
    if (!main_cf || access(main_cf, F_OK) != 0)
        return; /* Postfix is there and asks nobody */
    release_instance(h, dir);
    const char *list = h->postfix_dir ? NULL : harden_ask(h, more, &code);
    for (const char *at = list; at && code == 0 && *(at += strspn(at, ", \t\n"));) {
        size_t n = strcspn(at, ", \t\n");
        const char *instance = arena_copy(h->arena, at, n);
        if (instance)
            release_instance(h, instance);
        at += n;
    }
}

/* ---- setting by setting ---- */

static bool value_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_list(const char *name)
{
    const char *slash = strrchr(name, '/'), *bare = slash ? slash + 1 : name;
    return strcmp(bare, "smtpd_milters") == 0 || strcmp(bare, "non_smtpd_milters") == 0 ||
           strcmp(bare, "smtp_tls_policy_maps") == 0;
}

struct taken_back {
    const char *set[POSTFIX_MAX_EDITS], *gone[POSTFIX_MAX_EDITS];
    size_t set_count, gone_count;
};

static void give_back(struct postfix *p, struct taken_back *t, const char *name, const char *value)
{
    if (value && t->set_count < POSTFIX_MAX_EDITS)
        t->set[t->set_count++] = arena_printf(p->h->arena, "%s=%s", name, value);
    else if (!value && t->gone_count < POSTFIX_MAX_EDITS)
        t->gone[t->gone_count++] = name;
}

static void undo_edit(struct postfix *p, bool master, const struct undo_setting *e, struct taken_back *t,
                      struct buf *left, size_t *count)
{
    const char *now = postfix_explicit(p, master, e->name), *rest = NULL;
    if (value_same(now, e->was))
        return; /* back already */
    if (e->now && value_same(now, e->now)) {
        give_back(p, t, e->name, e->was);
        return;
    }
    if (now && is_list(e->name))
        rest = postfix_without_ours(p, now);
    if (rest) {
        give_back(p, t, e->name, *rest || e->was ? rest : NULL);
        const char *wrote = e->now ? postfix_without_ours(p, e->now) : e->was;
        if (!e->was || value_same(wrote, e->was) || value_same(rest, e->was))
            return;
    }
    const char *what = !e->was ? "remove it" : arena_printf(p->h->arena, "it was: %s", e->was);
    buf_printf(left, "%s = %s (changed since; %s)\n", e->name, rest ? rest : now ? now : "", what ? what : "");
    (*count)++;
}

void postfix_undo_file(struct harden *h, const char *path, const struct undo_setting *edits, struct buf *left,
                       size_t *count)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    const char *dir = arena_copy(h->arena, path, slash ? (size_t)(slash - path) : 0);
    const bool master = strcmp(file, "master.cf") == 0;
    struct postfix p = {.h = h, .original = dir};
    struct taken_back t = {0};
    if (dir && postfix_open(&p)) {
        for (; edits; edits = edits->next)
            undo_edit(&p, master, edits, &t, left, count);
        postfix_run_edits(&p, master ? "-P" : "-e", t.set, t.set_count);
        postfix_run_edits(&p, master ? "-PX" : "-X", t.gone, t.gone_count);
        if (t.set_count + t.gone_count)
            postfix_take_copy(&p, file);
    }
    postfix_close(&p);
}
