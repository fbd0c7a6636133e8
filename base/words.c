// SPDX-License-Identifier: BSD-2-Clause
/*
 * words.c - edit distance (Damerau's restricted form: a swap of neighbours is one slip) over short words.
 *
 * Words longer than LONGEST match nothing, so the table has a fixed size and the work is bounded.
 */
#include "base/words.h"

#define LONGEST 40u

static unsigned char word_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

static unsigned distance(struct slice a, struct slice b)
{
    unsigned row[3][LONGEST + 1]; /* two rows back, one row back, this one; used in turn */
    for (unsigned j = 0; j <= b.n; j++)
        row[0][j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            bool same = word_lower(a.p[i - 1]) == word_lower(b.p[j - 1]);
            now[j] = min3(up[j] + 1, now[j - 1] + 1, up[j - 1] + !same);
            if (i > 1 && j > 1 && word_lower(a.p[i - 1]) == word_lower(b.p[j - 2]) &&
                word_lower(a.p[i - 2]) == word_lower(b.p[j - 1]) && up2[j - 2] + 1 < now[j])
                now[j] = up2[j - 2] + 1;
        }
    }
    return row[a.n % 3][b.n];
}

const char *words_nearest(struct slice typed, const char *const *words, size_t n)
{
    const char *best = NULL;
    unsigned allowed = typed.n <= 4 ? 1 : typed.n <= 8 ? 2 : 3;
    if (typed.n == 0 || typed.n > LONGEST)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct slice w = slice_str(words[i]);
        if (w.n == 0 || w.n > LONGEST)
            continue;
        unsigned d = distance(typed, w);
        if (d <= allowed && d < w.n) {
            best = words[i];
            if (d == 0)
                break;
            allowed = d - 1;
        }
    }
    return best;
}
