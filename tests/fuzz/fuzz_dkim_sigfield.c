// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_dkim_sigfield.c - a signature field's value, read as each of the three kinds. What was read must keep what
 * dkim_sigfield.h promises.
 */
#include "base/domain.h"
#include "standards/dkim/dkim_sigfield.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_true(int truth)
{
    if (!truth)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice value = slice_of((const char *)data, size);
    for (int kind = SIGFIELD_DKIM; kind <= SIGFIELD_ARC_SEAL; kind++) {
        struct arena *arena = arena_new(1 << 20);
        struct dkim_sigfield f;
        dkim_sigfield_read(arena, (enum dkim_sigfield_kind)kind, value, 1767225600, &f);
        expect_true(f.reason != NULL);
        expect_true(!f.domain || domain_is_kept(f.domain));
        expect_true(!f.selector || domain_is_kept(f.selector));
        expect_true(!f.b_raw.p || (f.b_raw.p >= value.p && f.b_raw.p + f.b_raw.n <= value.p + value.n));
        if (f.problem == RESULT_PASS) {
            expect_true(f.domain && f.selector && f.signature_size && f.algorithm != ALGORITHM_OTHER);
            expect_true(kind == SIGFIELD_DKIM ? f.from_names > 0 : f.instance >= 1 && f.instance <= 50);
        }
        arena_free(arena);
    }
    return 0;
}
