// SPDX-License-Identifier: BSD-2-Clause
/*
 * words.h - finds the nearest word: what somebody who mistyped probably meant.
 */
#ifndef ASSAY_BASE_WORDS_H
#define ASSAY_BASE_WORDS_H

#include "base/slice.h"
#include <stddef.h>
#include <stdint.h>

/* The one of n words nearest to `typed`, by insertions, deletions, changes and swaps of neighbours, ASCII case apart;
 * NULL if none is near (more than one slip in words of up to 4 octets, 2 up to 8, 3 beyond). The first of equally near
 * ones. Entries of NULL are skipped. Pure. */
const char *words_nearest(struct slice typed, const char *const *words, size_t n);

/* "" for one, "s" for any other number: "%lld mail%s". For English alone; base/language.h has the others. */
static inline const char *words_s(int64_t n)
{
    return n == 1 ? "" : "s";
}

#endif
