// SPDX-License-Identifier: BSD-2-Clause
/*
 * snapshot.c - writes and opens snapshots; snapshot.h describes the format.
 *
 * Opening checks the checksum first, then every length against the rest of the file. A snapshot is our own file, but it
 * may have been damaged on the disk.
 */
#include "policy/snapshot.h"
#include "policy/model.h"
#include <stdio.h>
#include <stdlib.h>

#define FIRST_LINE "assay-policy-snapshot 1 "
static const char *const kinds[] = {"unit", "list", "dir"};

static uint64_t sum_of(struct slice s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static void snapshot_put(struct buf *out, enum snapshot_kind kind, const char *path, struct slice text)
{
    buf_printf(out, "%s %zu %s\n", kinds[kind], text.n, path);
    buf_addslice(out, text);
    buf_addc(out, '\n');
}

static void put_list(struct buf *out, const struct list *l)
{
    struct buf text = BUF_INIT;
    size_t at = 0;
    for (struct slice key; (key = keyset_next(&l->keys, &at)).n;) {
        struct ip_net net;
        char net_text[IP_NET_TEXT];
        if (keyset_key_net(key, &net))
            buf_adds(&text, ip_net_text(&net, net_text));
        else
            buf_addslice(&text, key);
        buf_addc(&text, '\n');
    }
    snapshot_put(out, SNAPSHOT_LIST, l->path, buf_slice(&text));
    out->failed = out->failed || text.failed;
    buf_release(&text);
}

void snapshot_write(const struct policy *p, struct buf *out)
{
    buf_printf(out, FIRST_LINE "%s %lld\n", p->hash, (long long)p->loaded_at);
    for (size_t i = 0; i < p->unit_count; i++)
        snapshot_put(out, SNAPSHOT_UNIT, p->units[i]->path, p->units[i]->text);
    for (const struct folder *f = p->folders; f; f = f->next)
        snapshot_put(out, SNAPSHOT_DIR, f->path, f->names);
    for (size_t i = 0; i < p->list_count; i++)
        put_list(out, p->lists[i]);
    buf_printf(out, "end %016llx\n", (unsigned long long)sum_of(buf_slice(out)));
}

void snapshot_close(struct snapshot *s)
{
    map_release(&s->paths);
    free((void *)(uintptr_t)s->main);
    free((void *)(uintptr_t)s->text.p);
    *s = (struct snapshot){0};
}

/* The line at the start of *rest without its LF, which is taken off; false when there is none. */
static bool take_line(struct slice *rest, struct slice *line)
{
    const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    if (!end)
        return false;
    *line = slice_of(rest->p, (size_t)(end - rest->p));
    *rest = slice_from(*rest, line->n + 1);
    return true;
}

static bool check_sum(struct slice *text)
{
    char end[32];
    if (text->n < 21)
        return false;
    struct slice body = slice_of(text->p, text->n - 21);
    snprintf(end, sizeof end, "end %016llx\n", (unsigned long long)sum_of(body));
    if (memcmp(text->p + body.n, end, 21) != 0)
        return false;
    *text = body;
    return true;
}

static bool first_line(struct snapshot *s, struct slice line)
{
    size_t n = sizeof FIRST_LINE - 1;
    char number[32] = "";
    if (line.n < n + 10 || line.n > n + 30 || memcmp(line.p, FIRST_LINE, n) != 0)
        return false;
    memcpy(s->hash, line.p + n, 8);
    s->hash[8] = '\0';
    memcpy(number, line.p + n + 9, line.n - n - 9);
    s->made = (time_t)strtoll(number, NULL, 10);
    return true;
}

/* "KIND LENGTH PATH" */
static bool entry_line(struct slice line, unsigned *kind, size_t *length, struct slice *path)
{
    for (*kind = 0; *kind < 3; ++*kind) {
        size_t n = strlen(kinds[*kind]);
        if (line.n <= n + 1 || memcmp(line.p, kinds[*kind], n) != 0 || line.p[n] != ' ')
            continue;
        size_t i = n + 1;
        for (*length = 0; i < line.n && line.p[i] >= '0' && line.p[i] <= '9' && *length < SIZE_MAX / 20; i++)
            *length = *length * 10 + (size_t)(line.p[i] - '0');
        *path = slice_from(line, i + 1);
        return i < line.n && line.p[i] == ' ' && path->n > 0;
    }
    return false;
}

/* Keys of the map: "unit 12 /path" has the kind's letter put before its path, in place: the octet before the path is
 * the blank. */
static bool index_entries(struct snapshot *s, struct slice rest)
{
    struct slice line, path;
    unsigned kind;
    size_t length;
    while (rest.n) {
        if (!take_line(&rest, &line) || !entry_line(line, &kind, &length, &path) || rest.n < length + 1)
            return false;
        char *key = (char *)(uintptr_t)path.p - 1;
        *key = (char)('0' + kind);
        uint64_t place = (uint64_t)(rest.p - s->text.p);
        if (map_put(&s->paths, slice_of(key, path.n + 1), place << 32 | length) != STATUS_OK || place >= UINT32_MAX ||
            length >= UINT32_MAX)
            return false;
        if (kind == SNAPSHOT_UNIT && !s->main && !(s->main = strndup(path.p, path.n)))
            return false;
        rest = slice_from(rest, length + 1);
    }
    return s->main != NULL;
}

enum status snapshot_open(struct snapshot *s, struct slice text)
{
    struct slice rest = text, line;
    *s = (struct snapshot){.text = text};
    map_init(&s->paths, 0);
    if (check_sum(&rest) && take_line(&rest, &line) && first_line(s, line) && index_entries(s, rest))
        return STATUS_OK;
    snapshot_close(s);
    return STATUS_INVALID;
}

enum status snapshot_get(const struct snapshot *s, enum snapshot_kind kind, const char *path, struct slice *out)
{
    struct buf key = BUF_INIT;
    buf_printf(&key, "%c%s", '0' + (int)kind, path);
    const uint64_t *value = map_get(&s->paths, buf_slice(&key));
    buf_release(&key);
    if (!value)
        return STATUS_MISSING;
    *out = slice_of(s->text.p + (*value >> 32), (size_t)(*value & UINT32_MAX));
    return STATUS_OK;
}
