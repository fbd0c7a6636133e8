// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_report_in.c - a report that somebody sent: unpacked and read, both kinds, any wrapping.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "feedback/report_in.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[200];
    struct buf text = {.p = buf_empty, .bound = 1 << 22};
    struct arena *a = arena_new(1 << 24);
    struct report_in r;
    if (a && report_in_unpack(slice_of((const char *)data, size), &text, why) == STATUS_OK &&
        report_in_parse(a, buf_slice(&text), &r, why) == STATUS_OK &&
        (!*r.org || !*r.id || !*r.domain || r.row_count > REPORT_IN_ROWS))
        abort();
    buf_release(&text);
    arena_free(a);
    return 0;
}
