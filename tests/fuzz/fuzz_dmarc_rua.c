// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_dmarc_rua.c - a rua tag: every address it gives must be one that can stand in a header and on a command's input
 * as it is.
 */
#include "base/domain.h"
#include "feedback/dmarc_rua.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(1 << 20);
    struct dmarc_rua r;
    if (a && dmarc_rua_parse(a, slice_of((const char *)data, size), &r) == STATUS_OK)
        for (size_t i = 0; i < r.count; i++) {
            const char *at = strrchr(r.address[i], '@');
            if (!at || at == r.address[i] || !domain_is_kept(at + 1) || strpbrk(r.address[i], " \t\r\n<>,;:\"()[]\\") ||
                r.address[i][0] == '-')
                abort();
        }
    arena_free(a);
    return 0;
}
