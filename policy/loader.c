// SPDX-License-Identifier: BSD-2-Clause
/*
 * loader.c - what the steps of loading a policy share: messages with their places, the texts, the paths.
 *
 * Errors are counted; with any error there is no policy. A text comes from the disk, from a snapshot, or from a change
 * that is only being tried; the code that reads it need not know which. The steps themselves are in load.c, units.c,
 * lists.c and resolve.c.
 */
#include "policy/load.h"
#include "base/array.h"
#include <stdlib.h>
#include <sys/stat.h>

void loader_error(struct loader *ld, const struct place *at, const char *help, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report_vadd(ld->report, POLICY_ERROR, at, help, fmt, ap);
    va_end(ap);
    ld->errors++;
}

void loader_warn(struct loader *ld, const struct place *at, const char *help, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report_vadd(ld->report, POLICY_WARNING, at, help, fmt, ap);
    va_end(ap);
}

void item_place(const struct item *it, struct place *out)
{
    *out = (struct place){.file = it->unit->shown, .lineno = it->s.line, .line = it->line, .text = it->word};
}

void item_place_word(const struct item *it, struct slice word, struct place *out)
{
    const struct slice whole = it->unit->text;
    item_place(it, out);
    if (!word.p || word.p < whole.p || word.p + word.n > whole.p + whole.n)
        return;
    const char *end = whole.p + whole.n, *start = word.p, *stop = word.p;
    while (start > whole.p && start[-1] != '\n')
        start--;
    while (stop < end && *stop != '\n')
        stop++;
    for (const char *p = it->line.p; p < start; p++)
        out->lineno += *p == '\n';
    out->line = slice_of(start, (size_t)(stop - start));
    out->text = word;
}

struct item *policy_item_add(struct policy *p)
{
    if (p->item_count == p->item_size) {
        struct item *more =
            p->item_size > POLICY_STATEMENTS_MAX ? NULL : array_grow(p->items, &p->item_size, 64, sizeof *more);
        if (!more)
            return NULL;
        p->items = more;
    }
    return &p->items[p->item_count++];
}

enum status loader_read(const struct snapshot *from, enum snapshot_kind kind, const char *path, size_t most,
                        struct source_text *t)
{
    struct slice kept;
    if (!from)
        return source_read(path, most, t);
    t->help = NULL;
    if (snapshot_get(from, kind, path, &kept) != STATUS_OK) {
        memcpy(t->reason, "it is not in the snapshot", sizeof "it is not in the snapshot");
        return STATUS_MISSING;
    }
    char *copy = malloc(kept.n + 1);
    if (!copy)
        return STATUS_NOMEM;
    if (kept.n)
        memcpy(copy, kept.p, kept.n);
    t->text = slice_of(copy, kept.n);
    return STATUS_OK;
}

enum status loader_unit(const struct loader *ld, const struct snapshot *from, const char *path, struct source_text *t)
{
    struct stat st;
    if (!from)
        loader_tries(ld, path);
    enum status s = loader_read(from, SNAPSHOT_UNIT, path, POLICY_FILE_MAX, t);
    if (s != STATUS_OK || !ld->trial || from || stat(path, &st) != 0 || st.st_dev != ld->trial->device ||
        st.st_ino != ld->trial->inode)
        return s;
    char *copy = malloc(ld->trial->text.n + 1);
    if (!copy) {
        source_text_release(t);
        return STATUS_NOMEM;
    }
    if (ld->trial->text.n)
        memcpy(copy, ld->trial->text.p, ld->trial->text.n);
    free((void *)(uintptr_t)t->text.p);
    t->text = slice_of(copy, ld->trial->text.n);
    return STATUS_OK;
}

/* ---- what was looked at ---- */

static uint64_t stamp_path(uint64_t h, const char *path)
{
    struct stat st = {0};
    if (stat(path, &st) != 0)
        return h * 31 + 1;
    const uint64_t parts[] = {(uint64_t)st.st_ino,
                              (uint64_t)st.st_size,
                              (uint64_t)st.st_mtim.tv_sec,
                              (uint64_t)st.st_mtim.tv_nsec,
                              (uint64_t)st.st_ctim.tv_nsec,
                              st.st_mode,
                              st.st_uid};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        h = (h ^ parts[i]) * UINT64_C(0x100000001b3);
    return h;
}

void tried_add(struct tried *t, const char *path)
{
    if (t->paths.failed)
        return;
    buf_add(&t->paths, path, strlen(path) + 1);
    if (!t->paths.failed)
        t->stamp = stamp_path(t->stamp, path);
}

uint64_t tried_stamp(const struct tried *t)
{
    uint64_t h = 0;
    for (size_t at = 0; at < t->paths.n; at += strlen(t->paths.p + at) + 1)
        h = stamp_path(h, t->paths.p + at);
    return h;
}

void loader_tries(const struct loader *ld, const char *path)
{
    if (ld->tried)
        tried_add(ld->tried, path);
}

const struct snapshot *loader_source(const struct loader *ld, const struct unit *u)
{
    return u->earlier && ld->tolerance ? ld->tolerance->earlier : ld->snapshot;
}

bool loader_failed(const struct loader *ld, const char *path)
{
    return ld->tolerance && map_get(&ld->tolerance->bad, slice_str(path));
}

void loader_forgive(struct loader *ld, const char *path, size_t before)
{
    struct tolerance *t = ld->tolerance;
    if (!t || ld->errors == before)
        return;
    ld->forgiven += ld->errors - before;
    if (map_get(&t->bad, slice_str(path)))
        return;
    const char *kept = arena_strdup(t->arena, path);
    if (!kept || map_put(&t->bad, slice_str(kept), 1) != STATUS_OK)
        ld->out_of_memory = true;
}

const char *loader_path(struct loader *ld, const char *from, const char *name)
{
    const char *slash = strrchr(from, '/');
    const char *path = name[0] == '/' || !slash
                           ? arena_strdup(ld->p->arena, name)
                           : arena_printf(ld->p->arena, "%.*s/%s", (int)(slash - from), from, name);
    if (!path)
        ld->out_of_memory = true;
    return path;
}
