// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_dmarc_record.c - TXT texts of any octets as DMARC records. A text is read exactly when its version says so, and
 * its URIs are printable.
 */
#include "base/arena.h"
#include "standards/dmarc/dmarc.h"
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_holds(int holds)
{
    if (!holds)
        __builtin_trap();
}

static void check_uris(const char *const *uris, size_t n)
{
    check_holds(n <= DMARC_URIS_MAX);
    for (size_t i = 0; i < n; i++)
        for (const char *p = uris[i]; *p; p++)
            check_holds(*p > 32 && *p < 127 && *p != ',' && *p != '!');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 20);
    struct slice text = slice_of((const char *)data, size);
    struct dmarc_record r;
    enum status s = dmarc_record_parse(arena, text, &r);
    check_holds(s == STATUS_LIMIT || (s == STATUS_OK) == dmarc_is_record(text));
    if (s == STATUS_OK) {
        check_uris(r.rua, r.rua_count);
        check_uris(r.ruf, r.ruf_count);
        check_holds(r.fo != 0 && !((r.fo & DMARC_FO_0) && (r.fo & DMARC_FO_1)));
    }
    arena_free(arena);
    return 0;
}
