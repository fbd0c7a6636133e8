// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish_guard.c - what follows from totals of sets that overlap (publish_guard.h).
 *
 * Organisations that are in the same sets, in the same state, are one cell. A set is a row of ones and noughts over the
 * columns: for each cell those of its organisations that meet all, and those that do not. What follows is every vector
 * that the rows span. They are brought to echelon form, modulo a large prime so that there is no rounding, with the
 * cells of five or more first: a vector without those is a sum of the last rows, those whose pivot is in a small cell.
 *
 * For each of these rows the search grows a set of small cells, until some sum of rows with this one is zero outside
 * the set. While there is no such sum, there are columns outside the set that only certain cells can clear if they are
 * added: the columns' own cells, and the pivots of the rows that are not zero there. Other cells need not be tried, so
 * the search is complete. Promises to say yes on any doubt.
 */
#include "report/publish_guard.h"
#include <stdlib.h>
#include <string.h>

#define PRIME UINT64_C(2147483647)
#define ROWS_MOST 320
#define CELLS_MOST 16384
#define LEAST_MOST 8
#define CHOSEN_ROWS (2 * LEAST_MOST) /* a cell has two columns, and so at most two pivots */

struct organisation_in {
    uint64_t mark, sign[2]; /* sign: which sets it is in, and how */
    size_t cell;
};

struct guard {
    struct organisation_in *all;
    size_t count;
    size_t *size_of; /* of each cell: how many organisations; the large ones first */
    size_t cells, large;
    uint8_t *in; /* rows x cells: 0 it is not in the set, 1 it is, 2 it is and meets all */
    size_t rows, columns;
    uint32_t *matrix;  /* rows x columns, in echelon form */
    size_t *cell_of;   /* of each column */
    size_t *pivot_of;  /* of each row of the echelon form */
    size_t rank, last; /* last: the first row whose pivot is in a small cell */
    size_t chosen[LEAST_MOST], chosen_count, most;
    uint64_t work;
};

static int by_mark(const void *a, const void *b)
{
    uint64_t x = ((const struct organisation_in *)a)->mark, y = ((const struct organisation_in *)b)->mark;
    return x < y ? -1 : x > y;
}

static int by_sign(const void *a, const void *b)
{
    return memcmp(((const struct organisation_in *)a)->sign, ((const struct organisation_in *)b)->sign,
                  sizeof((const struct organisation_in *)a)->sign);
}

static struct organisation_in *organisation_find(const struct guard *g, uint64_t mark)
{
    const struct organisation_in key = {.mark = mark};
    return bsearch(&key, g->all, g->count, sizeof key, by_mark);
}

/* A number for "in this set, in this state"; the sum of an organisation's is its sign. */
static uint64_t mixed(uint64_t n)
{
    n += UINT64_C(0x9e3779b97f4a7c15);
    n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
    return n ^ n >> 31;
}

static bool note_organisations(struct guard *g, const struct publish_set *const *sets)
{
    size_t most = 1, kept = 0;
    for (size_t r = 0; r < g->rows; r++)
        most += sets[r]->count;
    g->all = calloc(most, sizeof *g->all);
    if (!g->all)
        return false;
    for (size_t r = 0; r < g->rows; r++)
        for (size_t i = 0; i < sets[r]->count; i++)
            g->all[g->count++].mark = sets[r]->all[i].organisation;
    qsort(g->all, g->count, sizeof *g->all, by_mark);
    for (size_t i = 0; i < g->count; i++)
        if (i == 0 || g->all[i].mark != g->all[i - 1].mark)
            g->all[kept++] = g->all[i];
    g->count = kept;
    for (size_t r = 0; r < g->rows; r++)
        for (size_t i = 0; i < sets[r]->count; i++) {
            struct organisation_in *o = organisation_find(g, sets[r]->all[i].organisation);
            o->sign[0] += mixed(4 * r + sets[r]->all[i].meets);
            o->sign[1] += mixed(4 * r + 2 + sets[r]->all[i].meets);
        }
    return true;
}

/* Numbers the cells, the large ones first; the organisations are in the order of their marks afterwards. */
static bool make_cells(struct guard *g)
{
    qsort(g->all, g->count, sizeof *g->all, by_sign);
    for (size_t i = 0; i < g->count; i++)
        g->cells += i == 0 || by_sign(&g->all[i], &g->all[i - 1]) != 0;
    g->size_of = calloc(g->cells + 1, sizeof *g->size_of);
    if (!g->size_of || g->cells > CELLS_MOST)
        return false;
    size_t next[2] = {0, g->cells}; /* large ones are numbered from the start, small ones from the end */
    for (size_t i = 0, n; i < g->count; i += n) {
        for (n = 1; i + n < g->count && by_sign(&g->all[i], &g->all[i + n]) == 0;)
            n++;
        size_t cell = n > g->most ? next[0]++ : --next[1];
        g->size_of[cell] = n;
        for (size_t k = 0; k < n; k++)
            g->all[i + k].cell = cell;
    }
    g->large = next[0];
    qsort(g->all, g->count, sizeof *g->all, by_mark);
    return true;
}

static bool make_matrix(struct guard *g, const struct publish_set *const *sets)
{
    g->in = calloc(g->rows * g->cells + 1, 1);
    g->cell_of = calloc(2 * g->cells + 1, sizeof *g->cell_of);
    g->pivot_of = calloc(g->rows + 1, sizeof *g->pivot_of);
    g->matrix = calloc(g->rows * 2 * g->cells + 1, sizeof *g->matrix);
    if (!g->in || !g->cell_of || !g->pivot_of || !g->matrix)
        return false;
    for (size_t r = 0; r < g->rows; r++)
        for (size_t i = 0; i < sets[r]->count; i++)
            g->in[r * g->cells + organisation_find(g, sets[r]->all[i].organisation)->cell] =
                sets[r]->all[i].meets ? 2 : 1;
    g->columns = 2 * g->cells;
    for (size_t c = 0; c < g->columns; c++) {
        g->cell_of[c] = c / 2;
        for (size_t r = 0; r < g->rows; r++)
            g->matrix[r * g->columns + c] = g->in[r * g->cells + c / 2] == 1 + c % 2;
    }
    return true;
}

static uint64_t inverse(uint64_t base)
{
    uint64_t out = 1;
    for (uint64_t exponent = PRIME - 2; exponent; exponent >>= 1, base = base * base % PRIME)
        if (exponent & 1)
            out = out * base % PRIME;
    return out;
}

/* row -= factor * other */
static void subtract(uint32_t *row, const uint32_t *other, uint64_t factor, size_t n)
{
    for (size_t i = 0; factor && i < n; i++)
        if (other[i])
            row[i] = (uint32_t)((row[i] + (PRIME - factor) * other[i]) % PRIME);
}

static void to_echelon_form(struct guard *g)
{
    size_t n = g->columns;
    for (size_t c = 0; c < n && g->rank < g->rows; c++) {
        size_t at = g->rank;
        while (at < g->rows && g->matrix[at * n + c] == 0)
            at++;
        if (at == g->rows)
            continue;
        uint32_t *row = g->matrix + g->rank * n, *other = g->matrix + at * n;
        for (size_t i = 0; at != g->rank && i < n; i++) {
            uint32_t x = row[i];
            row[i] = other[i];
            other[i] = x;
        }
        uint64_t factor = inverse(row[c]);
        for (size_t i = 0; i < n; i++)
            row[i] = (uint32_t)(row[i] * factor % PRIME);
        for (size_t r = 0; r < g->rows; r++)
            if (r != g->rank)
                subtract(g->matrix + r * n, row, g->matrix[r * n + c], n);
        g->last += g->cell_of[c] < g->large;
        g->pivot_of[g->rank++] = c;
    }
}

static bool is_chosen(const struct guard *g, size_t cell)
{
    for (size_t i = 0; i < g->chosen_count; i++)
        if (g->chosen[i] == cell)
            return true;
    return false;
}

/* Of the rows whose pivots are in chosen cells: columns outside, as many as there are rows, in which only all factors 0
 * give 0. Fewer: some sum of the rows is nothing outside. */
static size_t find_witness(struct guard *g, const size_t *rows, size_t count, size_t *witness)
{
    uint64_t basis[CHOSEN_ROWS][CHOSEN_ROWS], column[CHOSEN_ROWS];
    size_t lead[CHOSEN_ROWS], found = 0;
    for (size_t c = 2 * g->large; c < g->columns && found < count; c++) {
        if (is_chosen(g, g->cell_of[c]))
            continue;
        g->work += count;
        for (size_t i = 0; i < count; i++)
            column[i] = g->matrix[rows[i] * g->columns + c];
        for (size_t b = 0; b < found; b++)
            for (size_t i = 0, factor = column[lead[b]]; factor && i < count; i++)
                column[i] = (column[i] + (PRIME - factor) * basis[b][i]) % PRIME;
        size_t first = 0;
        while (first < count && column[first] == 0)
            first++;
        if (first == count)
            continue;
        uint64_t factor = inverse(column[first]);
        for (size_t i = 0; i < count; i++)
            basis[found][i] = column[i] * factor % PRIME;
        lead[found] = first;
        witness[found++] = c;
    }
    return found;
}

static bool guard_grow(struct guard *g, size_t size);

static bool grow_by(struct guard *g, size_t size, size_t cell)
{
    if (size + g->size_of[cell] > g->most || is_chosen(g, cell))
        return false;
    g->chosen[g->chosen_count++] = cell;
    if (guard_grow(g, size + g->size_of[cell]))
        return true;
    g->chosen_count--;
    return false;
}

/* Whether a sum is confined to the chosen cells, or to some more, of g->most organisations at most. */
static bool guard_grow(struct guard *g, size_t size)
{
    size_t rows[CHOSEN_ROWS], witness[CHOSEN_ROWS], count = 0;
    g->work += g->rank - g->last;
    if (g->work > PUBLISH_GUARD_WORK)
        return true;
    for (size_t r = g->last; r < g->rank; r++)
        if (is_chosen(g, g->cell_of[g->pivot_of[r]]))
            rows[count++] = r;
    if (find_witness(g, rows, count, witness) < count)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (grow_by(g, size, g->cell_of[witness[i]]))
            return true;
        for (size_t r = g->last; r < g->rank; r++)
            if (g->matrix[r * g->columns + witness[i]] && grow_by(g, size, g->cell_of[g->pivot_of[r]]))
                return true;
    }
    return false;
}

static bool search(struct guard *g, bool *in)
{
    bool found = false;
    for (size_t r = g->last; r < g->rank && !found; r++) {
        g->chosen_count = 0;
        found = grow_by(g, 0, g->cell_of[g->pivot_of[r]]);
    }
    for (size_t r = 0; found && in && r < g->rows; r++) {
        in[r] = g->work > PUBLISH_GUARD_WORK;
        for (size_t i = 0; i < g->chosen_count; i++)
            in[r] = in[r] || g->in[r * g->cells + g->chosen[i]] != 0;
    }
    return found;
}

bool publish_guard_tells(const struct publish_set *const *sets, size_t count, unsigned least, bool *in)
{
    struct guard g = {.rows = count, .most = least - 1};
    for (size_t r = 0; in && r < count; r++)
        in[r] = true;
    bool tells = count > ROWS_MOST || least < 2 || least > LEAST_MOST;
    tells = tells || !note_organisations(&g, sets) || !make_cells(&g) ||
            (uint64_t)count * count * 2 * g.cells > PUBLISH_GUARD_WORK || !make_matrix(&g, sets);
    if (!tells) {
        to_echelon_form(&g);
        tells = search(&g, in);
    }
    free(g.all);
    free(g.size_of);
    free(g.in);
    free(g.cell_of);
    free(g.pivot_of);
    free(g.matrix);
    return tells;
}
