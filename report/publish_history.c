// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish_history.c - reads and writes the sets behind published totals (publish_history.h).
 *
 * As text, a member is its mark in 16 hexadecimal digits, and + where it met all or - where it did not; the members are
 * in the order of their marks, so that the same set is the same text. Promises that a damaged set is an error: then
 * nothing is published.
 */
#include "report/publish_history.h"
#include "base/buf.h"
#include "ledger/published.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBER_TEXT 17
#define MARK_OCTETS 16

struct publish_member publish_member_of(const char *organisation, bool meets)
{
    unsigned char hash[EVP_MAX_MD_SIZE] = {0};
    struct publish_member m = {.meets = meets};
    unsigned n = 0;
    EVP_Digest(organisation, strlen(organisation), hash, &n, EVP_sha256(), NULL);
    for (unsigned i = 0; i < 8; i++)
        m.organisation = m.organisation << 8 | hash[i];
    return m;
}

/* One member; false: it is none. */
static bool read_member(const char *text, struct publish_member *out)
{
    uint64_t mark = 0;
    for (unsigned i = 0; i < MEMBER_TEXT - 1; i++) {
        const char *digits = "0123456789abcdef", *at = text[i] ? strchr(digits, text[i]) : NULL;
        if (!at)
            return false;
        mark = mark << 4 | (uint64_t)(at - digits);
    }
    *out = (struct publish_member){mark, text[MEMBER_TEXT - 1] == '+'};
    return text[MEMBER_TEXT - 1] == '+' || text[MEMBER_TEXT - 1] == '-';
}

static bool add_shown(void *context, const char *list, int64_t told, int64_t meets, const char *members)
{
    struct publish_history *h = context;
    size_t length = members ? strlen(members) : 1, count = length / MEMBER_TEXT;
    if (h->count == PUBLISH_HISTORY_MOST || h->members + count > PUBLISH_HISTORY_MEMBERS)
        return false;
    struct publish_member *all = ARENA_ARRAY(h->arena, struct publish_member, count + 1);
    const char *name = arena_strdup(h->arena, list ? list : "");
    h->failed = !all || !name || length % MEMBER_TEXT != 0;
    for (size_t i = 0; !h->failed && i < count; i++)
        h->failed = !read_member(members + i * MEMBER_TEXT, &all[i]);
    if (h->failed)
        return false;
    h->all[h->count++] = (struct publish_shown){name, told, meets, {all, count}};
    h->members += count;
    return true;
}

enum status publish_history_read(struct publish_history *h, struct arena *a, struct store *s)
{
    *h = (struct publish_history){.arena = a};
    enum status st = published_sets_each(s, PUBLISH_HISTORY_MOST, add_shown, h);
    return st == STATUS_OK && h->failed ? STATUS_INVALID : st;
}

bool publish_history_has(const struct publish_history *h, struct slice list, int64_t told, int64_t meets)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->all[i].told == told && h->all[i].meets == meets && slice_eq(slice_str(h->all[i].list), list))
            return true;
    return false;
}

static int by_mark(const void *a, const void *b)
{
    uint64_t x = ((const struct publish_member *)a)->organisation, y = ((const struct publish_member *)b)->organisation;
    return x < y ? -1 : x > y;
}

enum status publish_history_put(struct store *s, int64_t day, const struct publish_shown *shown)
{
    struct publish_member *sorted = calloc(shown->set.count + 1, sizeof *sorted);
    unsigned char hash[EVP_MAX_MD_SIZE] = {0};
    char mark[2 * MARK_OCTETS + 1] = "";
    struct buf text = BUF_INIT;
    unsigned n = 0;
    if (!sorted)
        return STATUS_NOMEM;
    if (shown->set.count)
        memcpy(sorted, shown->set.all, shown->set.count * sizeof *sorted);
    qsort(sorted, shown->set.count, sizeof *sorted, by_mark);
    for (size_t i = 0; i < shown->set.count; i++)
        buf_printf(&text, "%016llx%c", (unsigned long long)sorted[i].organisation, sorted[i].meets ? '+' : '-');
    EVP_Digest(text.n ? text.p : "", text.n, hash, &n, EVP_sha256(), NULL);
    for (unsigned i = 0; i < MARK_OCTETS; i++)
        snprintf(mark + 2 * i, sizeof mark - 2 * i, "%02x", hash[i]);
    enum status st =
        text.failed ? STATUS_NOMEM
                    : published_set_put(s, mark, day, shown->list, shown->told, shown->meets, text.n ? text.p : "");
    buf_release(&text);
    free(sorted);
    return st;
}
