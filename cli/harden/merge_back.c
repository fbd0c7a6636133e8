// SPDX-License-Identifier: BSD-2-Clause
/*
 * merge_back.c - the three-way undo of a text file, by lines.
 *
 * Promises that a line which we did not write is never removed or changed, and that a line of ours is removed only if
 * it is still as written and can be identified without doubt. Pure: no files.
 */
#include "cli/harden/merge_back.h"
#include <string.h>

struct lines {
    struct slice *at;
    size_t n;
};

/* One place where before and after differ. */
struct hunk {
    size_t b, b_end; /* lines of before that we took out */
    size_t a, a_end; /* lines of after that we wrote */
};

struct merge {
    struct arena *arena;
    struct lines before, after, now;
    struct buf *left;
    size_t left_count;
};

static bool lines_split(struct arena *a, struct slice text, size_t room, struct lines *out)
{
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++)
        count += text.p[i] == '\n';
    *out = (struct lines){.at = ARENA_ARRAY(a, struct slice, count + 1 + room)};
    if (!out->at || count > MERGE_LINES)
        return false;
    for (size_t i = 0; i < text.n;) {
        const char *nl = memchr(text.p + i, '\n', text.n - i);
        size_t n = nl ? (size_t)(nl - text.p) - i : text.n - i;
        out->at[out->n++] = slice_of(text.p + i, n);
        i += n + 1;
    }
    return true;
}

static bool is_at(const struct lines *in, size_t place, const struct lines *what, size_t from, size_t to)
{
    if (place + (to - from) > in->n)
        return false;
    for (size_t i = from; i < to; i++)
        if (!slice_eq(in->at[place + i - from], what->at[i]))
            return false;
    return true;
}

/* How much of what stood around lines from..to of `after` stands around the same lines at `place` too: 0 to 2. */
static unsigned context(const struct merge *m, size_t place, size_t from, size_t to)
{
    size_t end = place + (to - from);
    bool above = from ? place && slice_eq(m->now.at[place - 1], m->after.at[from - 1]) : place == 0,
         below = to < m->after.n ? end < m->now.n && slice_eq(m->now.at[end], m->after.at[to]) : end == m->now.n;
    return (unsigned)above + (unsigned)below;
}

/* Where lines from..to of `after` stand now; false: nowhere, or it is not clear where. */
static bool find_block(const struct merge *m, size_t from, size_t to, size_t *place)
{
    unsigned best = 0, best_count = 0;
    for (size_t i = 0; i + (to - from) <= m->now.n; i++) {
        if (!is_at(&m->now, i, &m->after, from, to))
            continue;
        unsigned c = context(m, i, from, to) + 1;
        if (c > best) {
            best = c;
            best_count = 0;
            *place = i;
        }
        best_count += c == best;
    }
    return best_count == 1;
}

static void lines_replace(struct merge *m, size_t place, size_t count, const struct slice *with, size_t n)
{
    struct lines *l = &m->now;
    memmove(l->at + place + n, l->at + place + count, (l->n - place - count) * sizeof *l->at);
    for (size_t i = 0; i < n; i++)
        l->at[place + i] = with[i];
    l->n += n;
    l->n -= count;
}

static bool says_nothing(struct slice line)
{
    struct slice words = slice_trim(line);
    return words.n == 0 || words.p[0] == '#';
}

static void name_left(struct merge *m, const char *what, struct slice line)
{
    if (says_nothing(line))
        return;
    buf_printf(m->left, "%s: ", what);
    buf_addslice(m->left, slice_trim(line));
    buf_addc(m->left, '\n');
    m->left_count++;
}

/* The lines of a hunk do not stand together any more: each by itself. A line that says nothing alone (a comment, an
 * empty line) goes only where its neighbour of ours still stands beside it, which is not so here: it stays. */
static void take_out_singly(struct merge *m, const struct hunk *h)
{
    for (size_t i = h->a; i < h->a_end; i++) {
        size_t place = 0;
        if (says_nothing(m->after.at[i]))
            continue;
        if (find_block(m, i, i + 1, &place))
            lines_replace(m, place, 1, NULL, 0);
    }
}

/* Lines that we took out, and wrote nothing for: back behind the line that they stood behind. */
static bool put_back(struct merge *m, const struct hunk *h)
{
    size_t place = 0;
    if (h->a > 0 && !find_block(m, h->a - 1, h->a, &place))
        return false;
    lines_replace(m, h->a > 0 ? place + 1 : 0, 0, m->before.at + h->b, h->b_end - h->b);
    return true;
}

static void undo_hunk(struct merge *m, const struct hunk *h)
{
    size_t place = 0, wrote = h->a_end - h->a, took = h->b_end - h->b;
    if (wrote && find_block(m, h->a, h->a_end, &place)) {
        lines_replace(m, place, wrote, m->before.at + h->b, took);
    } else if (wrote && !took) {
        take_out_singly(m, h);
    } else if (!(took && !wrote && put_back(m, h))) {
        for (size_t i = h->a; i < h->a_end; i++)
            if (find_block(m, i, i + 1, &place))
                name_left(m, "remove", m->after.at[i]);
        for (size_t i = h->b; i < h->b_end; i++)
            name_left(m, "put back", m->before.at[i]);
    }
}

/* The places where before[b..b_end) and after[a..a_end) differ, by their longest common subsequence; undone from the
 * last to the first, so that line numbers of `after` stay true. */
static bool undo_middle(struct merge *m, struct hunk all)
{
    size_t rows = all.b_end - all.b, columns = all.a_end - all.a;
    if (rows > MERGE_COMPARED || columns > MERGE_COMPARED || !rows || !columns) {
        if (rows || columns)
            undo_hunk(m, &all);
        return true;
    }
    unsigned short *table = arena_array(m->arena, (rows + 1) * (columns + 1), sizeof *table);
    struct hunk *hunks = ARENA_ARRAY(m->arena, struct hunk, rows + columns + 1);
    size_t count = 0, i = 0, k = 0;
    if (!table || !hunks)
        return false;
    for (size_t r = rows; r-- > 0;)
        for (size_t c = columns; c-- > 0;) {
            unsigned short *cell = table + r * (columns + 1) + c, down = cell[columns + 1], right = cell[1];
            *cell = slice_eq(m->before.at[all.b + r], m->after.at[all.a + c])
                        ? (unsigned short)(cell[columns + 2] + 1)
                        : (unsigned short)(down > right ? down : right);
        }
    while (i < rows || k < columns) {
        struct hunk h = {.b = all.b + i, .a = all.a + k};
        while ((i < rows || k < columns) &&
               !(i < rows && k < columns && slice_eq(m->before.at[all.b + i], m->after.at[all.a + k]))) {
            const unsigned short *cell = table + i * (columns + 1) + k;
            if (k == columns || (i < rows && cell[columns + 1] >= cell[1]))
                i++;
            else
                k++;
        }
        h.b_end = all.b + i;
        h.a_end = all.a + k;
        if (h.b_end > h.b || h.a_end > h.a)
            hunks[count++] = h;
        for (; i < rows && k < columns && slice_eq(m->before.at[all.b + i], m->after.at[all.a + k]); i++)
            k++;
    }
    while (count-- > 0)
        undo_hunk(m, &hunks[count]);
    return true;
}

enum status merge_back(struct arena *a, struct slice before, struct slice after, struct slice now, struct slice *out,
                       struct buf *left, size_t *left_count)
{
    struct merge m = {.arena = a, .left = left};
    struct buf text = BUF_INIT;
    if (!lines_split(a, before, 0, &m.before) || !lines_split(a, after, 0, &m.after) ||
        !lines_split(a, now, m.before.n, &m.now))
        return arena_failed(a) ? STATUS_NOMEM : STATUS_LIMIT;
    struct hunk h = {.b_end = m.before.n, .a_end = m.after.n};
    while (h.b < h.b_end && h.a < h.a_end && slice_eq(m.before.at[h.b], m.after.at[h.a])) {
        h.b++;
        h.a++;
    }
    while (h.b_end > h.b && h.a_end > h.a && slice_eq(m.before.at[h.b_end - 1], m.after.at[h.a_end - 1])) {
        h.b_end--;
        h.a_end--;
    }
    if (!undo_middle(&m, h))
        return STATUS_NOMEM;
    bool ended = !now.n || now.p[now.n - 1] == '\n';
    for (size_t i = 0; i < m.now.n; i++) {
        buf_addslice(&text, m.now.at[i]);
        if (i + 1 < m.now.n || ended)
            buf_addc(&text, '\n');
    }
    *out = text.failed ? SLICE_NULL : arena_slice(a, buf_slice(&text));
    *left_count = m.left_count;
    bool failed = text.failed || left->failed || (text.n && !out->p);
    buf_release(&text);
    return failed ? STATUS_NOMEM : STATUS_OK;
}
