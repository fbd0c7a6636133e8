// SPDX-License-Identifier: BSD-2-Clause
/*
 * units.c - files of the policy language: the main one, and what it includes.
 *
 * An include is read where it stands, so its statements are "later" than those before it and "earlier" than those
 * behind it. A folder means its files *.policy in the order of their names. Depth, number of files and cycles are
 * bounded. A file that may only tighten speaks for the recipients the include names, or, if it names none, for the
 * domain the file is called after (customer.example.policy).
 */
#include "base/domain.h"
#include "base/array.h"
#include "policy/parser.h"
#include <stdlib.h>

static struct unit *new_unit(struct policy *p, const char *path, const char *shown, const struct unit *from)
{
    if (p->unit_count == p->unit_size) {
        struct unit **more = array_grow(p->units, &p->unit_size, 16, sizeof *more);
        if (!more)
            return NULL;
        p->units = more;
    }
    struct unit *u = ARENA_NEW(p->arena, struct unit);
    const char *kept_path = arena_strdup(p->arena, path), *kept_shown = arena_strdup(p->arena, shown);
    if (!u || !kept_path || !kept_shown)
        return NULL;
    *u = (struct unit){.path = kept_path, .shown = kept_shown, .from = from, .depth = from ? from->depth + 1 : 0};
    u->number = (unsigned)p->unit_count;
    p->units[p->unit_count++] = u;
    return u;
}

/* Takes over the text. NULL: out of memory, which the loader then knows. */
static struct unit *add_unit(struct loader *ld, const char *path, const char *shown, const struct unit *from,
                             struct source_text *t)
{
    struct unit *u = new_unit(ld->p, path, shown, from);
    if (!u) {
        source_text_release(t);
        ld->out_of_memory = true;
        return NULL;
    }
    u->text = t->text;
    u->owner = t->owner;
    return u;
}

static void include(struct loader *ld, const struct unit *from, const struct item *it);

static const char *make_id(struct loader *ld, const struct unit *u, unsigned line)
{
    return u->number ? arena_printf(ld->p->arena, "I%u.L%u", u->number, line) : arena_printf(ld->p->arena, "L%u", line);
}

static void item_keep(struct loader *ld, const struct unit *u, struct item *from)
{
    struct item *it = policy_item_add(ld->p);
    struct buf text = BUF_INIT;
    if (!it) {
        ld->out_of_memory = true;
        return;
    }
    *it = *from;
    if (it->s.kind == POLICY_INCLUDE)
        it->s.name = loader_path(ld, u->path, it->s.name);
    else if (it->s.kind == POLICY_LIST)
        it->s.value = loader_path(ld, u->path, it->s.value);
    if (u->tighten && it->s.kind == POLICY_RULE && !it->s.whom.kind)
        it->s.whom = u->whom;
    it->slots = part_slots(&it->s);
    it->s.id = make_id(ld, u, it->s.line);
    if (it->s.name != NULL || it->s.kind != POLICY_INCLUDE)
        canonical_statement(&it->s, &text);
    it->s.text = arena_copy(ld->p->arena, text.p, text.n);
    if (!it->s.id || !it->s.text || text.failed)
        ld->out_of_memory = true;
    buf_release(&text);
}

/* Counts the errors since `before` as those of a statement `suspend`, or forgets them. */
static void set_suspension_aside(struct loader *ld, size_t before)
{
    if (ld->tolerance && ld->tolerance->leaves_suspensions)
        ld->errors = before;
    else
        ld->bad_suspensions += ld->errors - before;
}

static void parse_unit(struct loader *ld, const struct unit *u)
{
    struct lexer lexer;
    lexer_init(&lexer, u->shown, u->text, ld->p->arena, ld->report);
    while (!ld->out_of_memory && lexer_next(&lexer)) {
        struct parser ps = {.ld = ld, .p = ld->p, .unit = u, .l = &lexer};
        size_t before = ld->errors;
        if (lexer.bad || !parse_statement(&ps)) {
            if (ps.item.s.kind == POLICY_SUSPEND && !u->tighten)
                set_suspension_aside(ld, before);
            continue;
        }
        struct item it = ps.item;
        item_keep(ld, u, &it);
        if (it.s.kind == POLICY_INCLUDE && !ld->out_of_memory)
            include(ld, u, &it);
    }
    ld->errors += lexer.errors;
    ld->out_of_memory = ld->out_of_memory || lexer.out_of_memory;
    lexer_release(&lexer);
}

/* Tells whether `path` is being read already: it, or an includer of an includer of it. */
static bool is_cycle(const char *path, const struct unit *from)
{
    char *real = realpath(path, NULL);
    bool found = false;
    for (; real && from && !found; from = from->from) {
        char *other = realpath(from->path, NULL);
        found = other && strcmp(real, other) == 0;
        free(other);
    }
    free(real);
    return found;
}

static struct place place_of(const struct unit *from, const struct item *it)
{
    return (struct place){.file = from->shown, .lineno = it->s.line, .line = it->line, .text = it->word};
}

/* The recipients a tightening file speaks for. */
static bool owner_of(struct loader *ld, const struct unit *from, const struct item *it, const char *path,
                     struct policy_party *out)
{
    const char *name = strrchr(path, '/');
    char domain[LIMIT_DOMAIN + 1];
    *out = it->s.whom;
    if (out->kind)
        return true;
    struct slice base = slice_str(name ? name + 1 : path);
    if (base.n > 7 && domain_from_text(slice_of(base.p, base.n - 7), domain) == STATUS_OK &&
        strcmp(base.p + base.n - 7, ".policy") == 0 && strchr(domain, '.')) {
        out->kind = POLICY_DOMAIN;
        out->name = arena_strdup(ld->p->arena, domain);
        return out->name != NULL;
    }
    struct place at = place_of(from, it);
    loader_error(ld, &at,
                 "name the file after the recipients' domain (customer.example.policy), or say: may tighten writing to "
                 "customer.example",
                 "whose recipients does %s speak for?", report_visible(ld->report, slice_str(path), 200));
    return false;
}

static bool add_folder(struct loader *ld, struct folder **chain, const char *path, struct slice names)
{
    struct folder *f = ARENA_NEW(ld->p->arena, struct folder);
    if (!f)
        return false;
    *f = (struct folder){.path = path, .names = arena_slice(ld->p->arena, names), .next = *chain};
    *chain = f;
    return f->names.p != NULL;
}

/* A customer's file that failed before: false, nothing of it is read; true, it is read as it was. */
static bool earlier_version(struct loader *ld, const char *path)
{
    struct slice text;
    const struct snapshot *earlier = ld->tolerance->earlier;
    if (earlier && snapshot_get(earlier, SNAPSHOT_UNIT, path, &text) == STATUS_OK)
        return true;
    if (!add_folder(ld, &ld->p->left_out, arena_strdup(ld->p->arena, path), SLICE_NULL))
        ld->out_of_memory = true;
    return false;
}

static void read_unit(struct loader *ld, const struct unit *from, const struct item *it, const char *path,
                      const char *shown)
{
    struct place at = place_of(from, it);
    struct unit made = {.tighten = it->s.tightens, .earlier = it->s.tightens && loader_failed(ld, path)};
    struct source_text t = {.any_owner = it->s.tightens, .folder = ld->folder};
    if (it->s.tightens && !owner_of(ld, from, it, path, &made.whom))
        return;
    enum status s = loader_unit(ld, loader_source(ld, &made), path, &t);
    if (s == STATUS_MISSING && it->s.tightens && ld->snapshot)
        return; /* it was left out when the snapshot was made */
    if (s != STATUS_OK) {
        loader_error(ld, &at, t.help ? t.help : "a relative path is taken from the folder of the file that names it",
                     "cannot include %s: %s", report_visible(ld->report, slice_str(shown), 200), t.reason);
        return;
    }
    struct unit *u = add_unit(ld, path, shown, from, &t);
    if (!u)
        return;
    u->tighten = made.tighten;
    u->earlier = made.earlier;
    u->whom = made.whom;
    const size_t items = ld->p->item_count, errors = ld->errors;
    parse_unit(ld, u);
    /* A customer's file may say nothing: it can only ask more. */
    if (!u->tighten && !ld->snapshot && ld->p->item_count == items && ld->errors == errors && !ld->out_of_memory)
        loader_warn(ld, &at, "if nothing belongs there, remove the include",
                    "there is no statement in %s: it is empty or cut short",
                    report_visible(ld->report, slice_str(shown), 200));
}

static void include_file(struct loader *ld, const struct unit *from, const struct item *it, const char *path,
                         const char *shown)
{
    struct place at = place_of(from, it);
    size_t before = ld->errors;
    if (from->depth + 1 > POLICY_INCLUDE_DEPTH || ld->p->unit_count > POLICY_FILES_MAX)
        loader_error(ld, &at, NULL, "includes go at most %u files deep, and %u in all", POLICY_INCLUDE_DEPTH,
                     POLICY_FILES_MAX);
    else if (!ld->snapshot && !it->s.tightens && is_cycle(path, from))
        loader_error(ld, &at, "remove one of the includes", "%s includes itself",
                     report_visible(ld->report, slice_str(shown), 200));
    else if (!it->s.tightens || !loader_failed(ld, path) || earlier_version(ld, path))
        read_unit(ld, from, it, path, shown);
    if (it->s.tightens)
        loader_forgive(ld, path, before);
}

static enum status folder_names(struct loader *ld, const char *path, struct buf *names, size_t *count,
                                struct source_text *t)
{
    struct slice kept;
    if (!ld->snapshot) {
        loader_tries(ld, path);
        return source_dir(path, names, count, t);
    }
    enum status s = snapshot_get(ld->snapshot, SNAPSHOT_DIR, path, &kept);
    if (s == STATUS_OK)
        buf_addslice(names, kept);
    for (size_t i = 0; s == STATUS_OK && i < kept.n; i++)
        *count += kept.p[i] == '\0';
    return s;
}

/* The names are those of its files, each ended by NUL. */
static void include_files_of(struct loader *ld, const struct unit *from, const struct item *it, const char *path,
                             const char *shown, const char *names, size_t count)
{
    struct source_folder here = source_folder_of(path), *outer = ld->folder;
    ld->folder = &here;
    for (size_t i = 0; i < count && !ld->out_of_memory; i++, names += strlen(names) + 1) {
        const char *file = arena_printf(ld->p->arena, "%s/%s", path, names),
                   *file_shown = arena_printf(ld->p->arena, "%s/%s", shown, names);
        if (!file || !file_shown)
            ld->out_of_memory = true;
        else
            include_file(ld, from, it, file, file_shown);
    }
    ld->folder = outer;
    source_folder_close(&here);
}

static void include_folder(struct loader *ld, const struct unit *from, const struct item *it, const char *path,
                           const char *shown)
{
    struct source_text t = {0};
    struct buf names = BUF_INIT;
    size_t count = 0;
    struct place at = place_of(from, it);
    if (folder_names(ld, path, &names, &count, &t) != STATUS_OK)
        loader_error(ld, &at, t.help, "cannot include the folder %s: %s",
                     report_visible(ld->report, slice_str(shown), 200), t.reason);
    else if (!add_folder(ld, &ld->p->folders, path, buf_slice(&names)))
        ld->out_of_memory = true;
    else if (count == 0)
        loader_warn(ld, &at, "files in a folder are read when they are called NAME.policy",
                    "the folder %s holds no file *.policy", report_visible(ld->report, slice_str(shown), 200));
    include_files_of(ld, from, it, path, shown, names.p, count);
    buf_release(&names);
}

static bool is_folder(struct loader *ld, const char *path)
{
    struct slice kept;
    return ld->snapshot ? snapshot_get(ld->snapshot, SNAPSHOT_DIR, path, &kept) == STATUS_OK : source_is_dir(path);
}

static void include(struct loader *ld, const struct unit *from, const struct item *it)
{
    const char *path = loader_path(ld, from->path, it->s.name), *shown = loader_path(ld, from->shown, it->s.name);
    if (!path || !shown)
        return;
    if (is_folder(ld, path))
        include_folder(ld, from, it, path, shown);
    else
        include_file(ld, from, it, path, shown);
}

void loader_main(struct loader *ld, const char *path, const char *shown, struct slice text)
{
    struct source_text t = {.text = text};
    struct place whole = {.file = shown};
    const enum status st = text.p ? STATUS_OK : loader_unit(ld, ld->snapshot, path, &t);
    if (st != STATUS_OK) {
        loader_error(ld, &whole, st == STATUS_MISSING ? LOADER_BEGIN_WITH : t.help, "cannot read the policy: %s",
                     t.reason);
        return;
    }
    struct unit *u = add_unit(ld, path, shown, NULL, &t);
    if (u)
        parse_unit(ld, u);
}
