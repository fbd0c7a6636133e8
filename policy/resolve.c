// SPDX-License-Identifier: BSD-2-Clause
/*
 * resolve.c - resolves references once all statements are read: names of lists, values of settings, sets of own domains
 * and networks.
 *
 * Lists may be named before they are defined. What names a list that is not there, holds the wrong kind of entry, or
 * (in a tightening file) speaks for somebody else's recipients is an error at its place.
 */
#include "base/domain.h"
#include "policy/load.h"
#include "base/words.h"
#include "policy/policy_settings.h"
#include <stdlib.h>

static void place_at(const struct item *it, struct slice word, struct place *at)
{
    item_place_word(it, word, at);
}

static const char *nearest_list(struct loader *ld, const char *name)
{
    size_t n = ld->p->list_count < 1000 ? ld->p->list_count : 1000;
    const char **names = n ? calloc(n, sizeof *names) : NULL;
    for (size_t i = 0; names && i < n; i++)
        names[i] = ld->p->lists[i]->scope ? NULL : ld->p->lists[i]->name;
    const char *near = names ? words_nearest(slice_str(name), names, n) : NULL;
    free(names);
    return near ? arena_printf(ld->p->arena, "did you mean '%s'?", near) : "define it: list NAME in \"FILE\"";
}

/* The list of that name as this statement sees it: its own file's first, where that may only tighten. NULL after an
 * error. */
static struct list *find_list(struct loader *ld, const struct item *it, struct slice word, const char *name)
{
    struct policy *p = ld->p;
    const uint64_t *number = NULL;
    if (it->unit->tighten) {
        const char *own = arena_printf(p->arena, "%u %s", it->unit->number, name);
        number = own ? map_get(&p->list_names, slice_str(own)) : NULL;
    }
    const char *key = number ? NULL : arena_printf(p->arena, "0 %s", name);
    if (!number && key)
        number = map_get(&p->list_names, slice_str(key));
    if (number) {
        p->lists[*number]->used = true;
        return p->lists[*number];
    }
    struct place at;
    place_at(it, word, &at);
    loader_error(ld, &at, nearest_list(ld, name), "there is no list '%s'", name);
    return NULL;
}

/* A snapshot was taken by an earlier version, which may have allowed the value: the default is better then than no
 * policy at all. */
static void refuse_value(struct loader *ld, const struct item *it, const struct policy_setting *info, const char *why)
{
    struct place at;
    const char *shown = report_visible(ld->report, slice_str(it->s.value), 60), *help = arena_strdup(ld->p->arena, why);
    place_at(it, it->who_word, &at);
    if (ld->snapshot && !info->words)
        loader_warn(ld, &at, help, "'%s' is not valid for %s: the default holds", shown, it->s.name);
    else
        loader_error(ld, &at, help, "'%s' is not valid for %s", shown, it->s.name);
}

static void apply_setting(struct loader *ld, uint32_t number)
{
    struct item *it = &ld->p->items[number];
    size_t i = setting_find(slice_str(it->s.name));
    struct policy_setting info;
    char why[256];
    enum status st = STATUS_OK;
    if (!policy_setting_at(NULL, i, &info))
        return;
    bool names = strcmp(info.type, "names") == 0;
    for (size_t k = 0; st == STATUS_OK && k < (names ? it->s.item_count : 1); k++) {
        const char *v = names ? it->s.items[k] : it->s.value;
        if (names && strncmp(v, "list ", 5) == 0 && !find_list(ld, it, it->who_word, v + 5))
            return;
        st = setting_store(ld->p, i, slice_str(v), number + 1, why);
    }
    if (st == STATUS_NOMEM)
        ld->out_of_memory = true;
    else if (st != STATUS_OK)
        refuse_value(ld, it, &info, why);
}

static enum status add_list_to(struct keyset *k, const struct list *list)
{
    enum status st = STATUS_OK;
    size_t at = 0;
    for (struct slice key; st == STATUS_OK && (key = keyset_next(&list->keys, &at)).n;) {
        char name[KEYSET_KEY_MAX + 1];
        struct ip_net net;
        bool added;
        if (keyset_key_net(key, &net) || memchr(key.p, '@', key.n))
            continue;
        memcpy(name, key.p, key.n);
        name[key.n] = '\0';
        st = keyset_add_domain(k, name, &added);
    }
    return st;
}

static void apply_own(struct loader *ld, struct item *it)
{
    struct own *own = &ld->p->own;
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < it->s.item_count; i++) {
        const char *text = it->s.items[i];
        struct ip_net net;
        bool added;
        if (it->s.kind == POLICY_OWN && strcmp(it->s.name, "domains") == 0) {
            struct list *list = strncmp(text, "list ", 5) == 0 ? find_list(ld, it, it->word, text + 5) : NULL;
            if (strncmp(text, "list ", 5) == 0 && !list)
                return;
            st = list ? add_list_to(&own->domains, list) : keyset_add_domain(&own->domains, text, &added);
        } else if (ip_net_from_text(slice_str(text), &net) == STATUS_OK) {
            st = keyset_add_net(it->s.kind == POLICY_RELAY ? &own->relays : &own->networks, &net, &added);
        }
    }
    if (st != STATUS_OK)
        ld->out_of_memory = true;
}

static void apply_submission(struct loader *ld, struct item *it)
{
    struct own *own = &ld->p->own;
    own->said = true;
    for (size_t i = 0; i < it->s.item_count; i++) {
        if (strcmp(it->s.items[i], "auth") == 0) {
            own->auth = true;
        } else if (own->port_count < sizeof own->ports / sizeof *own->ports) {
            own->ports[own->port_count++] = (uint16_t)strtoul(it->s.items[i], NULL, 10);
        } else {
            struct place at;
            item_place(it, &at);
            loader_error(ld, &at, NULL, "at most %zu submission ports", sizeof own->ports / sizeof *own->ports);
            return;
        }
    }
}

static bool domain_inside(struct loader *ld, const struct unit *u, const char *domain)
{
    struct keyset_name n;
    if (u->whom.kind == POLICY_DOMAIN)
        return domain_is_within(domain, u->whom.name);
    if (u->whom.kind != POLICY_IN_LIST)
        return false;
    const char *key = arena_printf(ld->p->arena, "0 %s", u->whom.name);
    const uint64_t *number = key ? map_get(&ld->p->list_names, slice_str(key)) : NULL;
    if (!number)
        return false;
    keyset_name(ld->p->seed, domain, &n);
    return keyset_longest(&ld->p->lists[*number]->keys, &n) > 0;
}

static bool recipient_inside(struct loader *ld, const struct unit *u, const char *name)
{
    const char *at = strrchr(name, '@');
    if (u->whom.kind == POLICY_ADDRESS)
        return at && strcmp(name, u->whom.name) == 0;
    return domain_inside(ld, u, at ? at + 1 : name);
}

/* A tightening file's statement must cover only recipients that it was included for. */
static void check_recipients(struct loader *ld, struct item *it)
{
    const struct policy_party *whom = &it->s.whom, *ours = &it->unit->whom;
    char name[KEYSET_KEY_MAX + 1];
    const char *outside = NULL;
    if (whom->kind == ours->kind && strcmp(whom->name, ours->name) == 0)
        return;
    if (whom->kind == POLICY_IN_LIST) {
        size_t at = 0;
        for (struct slice key; it->whom_list && !outside && (key = keyset_next(&it->whom_list->keys, &at)).n;) {
            memcpy(name, key.p, key.n);
            name[key.n] = '\0';
            outside = recipient_inside(ld, it->unit, name) ? NULL : name;
        }
    } else if (!recipient_inside(ld, it->unit, whom->name)) {
        outside = whom->name;
    }
    if (outside) {
        struct place at;
        place_at(it, it->whom_word, &at);
        loader_error(ld, &at, "it may speak only for the recipients it was included for",
                     "%s is not among the recipients of this file",
                     report_visible(ld->report, slice_str(outside), 200));
    }
}

static void tie(struct loader *ld, struct item *it)
{
    struct policy_statement *s = &it->s;
    if (s->who.kind == POLICY_IN_LIST)
        it->who_list = find_list(ld, it, it->who_word, s->who.name);
    if (s->whom.kind == POLICY_IN_LIST)
        it->whom_list = find_list(ld, it, it->whom_word, s->whom.name);
    if (s->via.kind == POLICY_IN_LIST)
        it->via_list = find_list(ld, it, it->word, s->via.name);
    if (it->unit->tighten && s->kind == POLICY_RULE)
        check_recipients(ld, it);
}

void loader_resolve(struct loader *ld)
{
    struct policy *p = ld->p;
    for (uint32_t i = 0; i < p->item_count && !ld->out_of_memory; i++) {
        struct item *it = &p->items[i];
        size_t before = ld->errors;
        tie(ld, it);
        if (it->unit->tighten)
            loader_forgive(ld, it->unit->path, before);
        if (it->s.kind == POLICY_SET)
            apply_setting(ld, i);
        else if (it->s.kind == POLICY_OWN || it->s.kind == POLICY_RELAY)
            apply_own(ld, it);
        else if (it->s.kind == POLICY_SUBMISSION)
            apply_submission(ld, it);
        else if (it->s.kind == POLICY_LISTENER)
            listener_apply(ld, i);
        else if (it->s.kind == POLICY_TITLE) {
            p->title = it->s.name;
            p->owner = it->s.value ? it->s.value : "";
        }
    }
}

static const struct list *list_of(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->list_count; i++)
        if (!p->lists[i]->scope && strcmp(p->lists[i]->name, name) == 0)
            return p->lists[i];
    return NULL;
}

enum status policy_list(const struct policy *p, const char *name, size_t *entries, const char **file)
{
    const struct list *l = list_of(p, name);
    if (!l)
        return STATUS_MISSING;
    *entries = l->keys.count;
    *file = l->path;
    return STATUS_OK;
}

bool policy_list_next(const struct policy *p, const char *name, size_t *at, char out[POLICY_ENTRY_TEXT])
{
    const struct list *l = list_of(p, name);
    struct slice key = l ? keyset_next(&l->keys, at) : SLICE_NULL;
    struct ip_net net;
    if (!key.n)
        return false;
    if (keyset_key_net(key, &net)) {
        ip_net_text(&net, out);
    } else {
        memcpy(out, key.p, key.n);
        out[key.n] = '\0';
    }
    return true;
}

bool policy_list_has(const struct policy *p, const char *name, const char *domain)
{
    const struct list *l = list_of(p, name);
    struct keyset_name n;
    if (!l || !*domain)
        return false;
    keyset_name(l->keys.seed, domain, &n);
    return keyset_longest(&l->keys, &n) > 0;
}
