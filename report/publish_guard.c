// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish_guard.c - what follows from totals of groups that overlap (publish_guard.h).
 *
 * Organisations that are in the same groups are one cell; a group is a row of ones and noughts over the cells. What
 * follows from the rows is what they span, so they are brought to echelon form (modulo a large prime, so that there is
 * no rounding), and each small set of cells is tried. Promises to say yes on any doubt. Pure.
 */
#include "report/publish_guard.h"
#include <stdlib.h>
#include <string.h>

#define PRIME UINT64_C(2147483647)
#define ROWS 64
#define CELLS_MOST 4096
#define SMALL_MOST 40 /* cells that may be part of a small set: at most 40^4 / 24 sets are tried */

struct cell {
    uint64_t groups;
    size_t size;
};

struct guard {
    struct cell *cells;
    size_t cell_count;
    uint64_t *rows[ROWS]; /* in echelon form: row i has 1 at pivot[i], where all others have 0 */
    size_t pivot[ROWS], row_count;
    size_t small[SMALL_MOST], small_count;
    size_t most; /* organisations of a set that must not follow */
    uint64_t in;
};

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t power(uint64_t base, uint64_t exponent)
{
    uint64_t out = 1;
    for (; exponent; exponent >>= 1, base = base * base % PRIME)
        if (exponent & 1)
            out = out * base % PRIME;
    return out;
}

static void subtract(uint64_t *row, const uint64_t *other, uint64_t factor, size_t n)
{
    for (size_t i = 0; factor && i < n; i++)
        row[i] = (row[i] + (PRIME - factor) * other[i]) % PRIME;
}

/* Takes one more row into the echelon form; false: no memory. */
static bool add_row(struct guard *g, struct arena *a, unsigned group)
{
    size_t n = g->cell_count, at = 0;
    uint64_t *row = ARENA_ARRAY(a, uint64_t, n);
    if (!row)
        return false;
    for (size_t i = 0; i < n; i++)
        row[i] = g->cells[i].groups >> group & 1;
    for (size_t r = 0; r < g->row_count; r++)
        subtract(row, g->rows[r], row[g->pivot[r]], n);
    while (at < n && row[at] == 0)
        at++;
    if (at == n)
        return true; /* it follows from the others */
    uint64_t inverse = power(row[at], PRIME - 2);
    for (size_t i = 0; i < n; i++)
        row[i] = row[i] * inverse % PRIME;
    for (size_t r = 0; r < g->row_count; r++)
        subtract(g->rows[r], row, g->rows[r][at], n);
    g->pivot[g->row_count] = at;
    g->rows[g->row_count++] = row;
    return true;
}

/* Whether a set of cells (the first `count` of chosen) is what the rows span. */
static bool follows(const struct guard *g, const size_t *chosen, size_t count)
{
    const uint64_t *used[8];
    size_t n = 0;
    for (size_t r = 0; r < g->row_count; r++)
        for (size_t i = 0; i < count; i++)
            if (g->pivot[r] == chosen[i])
                used[n++] = g->rows[r];
    for (size_t cell = 0; n && cell < g->cell_count; cell++) {
        uint64_t sum = 0, wanted = 0;
        for (size_t i = 0; i < n; i++)
            sum += used[i][cell];
        for (size_t i = 0; i < count; i++)
            wanted |= chosen[i] == cell;
        if (sum % PRIME != wanted)
            return false;
    }
    return n > 0;
}

/* Tries all sets that begin with the `count` chosen ones, of `size` organisations. */
static bool try_sets(struct guard *g, size_t *chosen, size_t count, size_t from, size_t size)
{
    if (count && follows(g, chosen, count)) {
        for (size_t i = 0; i < count; i++)
            g->in |= g->cells[chosen[i]].groups;
        return true;
    }
    for (size_t i = from; i < g->small_count; i++) {
        size_t more = size + g->cells[g->small[i]].size;
        chosen[count] = g->small[i];
        if (more <= g->most && try_sets(g, chosen, count + 1, i + 1, more))
            return true;
    }
    return false;
}

static bool make_cells(struct guard *g, struct arena *a, const uint64_t *member, size_t count)
{
    uint64_t *sorted = ARENA_ARRAY(a, uint64_t, count);
    g->cells = ARENA_ARRAY(a, struct cell, CELLS_MOST);
    if (!sorted || !g->cells)
        return false;
    memcpy(sorted, member, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_value);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || sorted[i] != sorted[i - 1]) {
            if (g->cell_count == CELLS_MOST)
                return false;
            g->cells[g->cell_count++] = (struct cell){.groups = sorted[i]};
        }
        g->cells[g->cell_count - 1].size++;
    }
    for (size_t i = 0; i < g->cell_count; i++) {
        if (g->cells[i].size > g->most)
            continue;
        if (g->small_count == SMALL_MOST)
            return false;
        g->small[g->small_count++] = i;
    }
    return true;
}

bool publish_guard_tells(struct arena *a, const uint64_t *member, size_t count, uint64_t shown, unsigned least,
                         uint64_t *in)
{
    struct guard g = {.most = least - 1};
    size_t chosen[8];
    *in = UINT64_MAX;
    if (count == 0 || !shown)
        return false;
    if (least > 8 || !make_cells(&g, a, member, count))
        return true;
    for (unsigned group = 0; group < ROWS; group++)
        if (shown >> group & 1 && !add_row(&g, a, group))
            return true;
    if (!try_sets(&g, chosen, 0, 0, 0))
        return false;
    *in = g.in;
    return true;
}
