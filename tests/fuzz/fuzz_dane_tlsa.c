// SPDX-License-Identifier: BSD-2-Clause
/* TLSA records: the input is cut at each zero octet pair into rdata of one answer; what is used must be usable, and
 * have words if not. */
#include "standards/dane/dane_tlsa.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rdata[100];
    size_t count = 0, start = 0;
    char *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    for (size_t i = 0; i + 1 < size && count < 99; i++) {
        if (copy[i] == 0 && copy[i + 1] == 0) {
            rdata[count++] = slice_of(copy + start, i - start);
            start = ++i + 1;
        }
    }
    rdata[count++] = slice_of(copy + start, size - start);
    struct arena *arena = arena_new(1 << 20);
    struct dns_answer a = {.name = "x", .type = DNS_TLSA, .state = DNS_FOUND, .count = count, .rdata = rdata};
    struct dane_records r;
    if (dane_records_read(arena, &a, &r) == STATUS_OK) {
        for (size_t i = 0; i < r.count; i++) {
            const struct dane_record *k = &r.record[i];
            if (k->usable != (k->why == NULL) || (k->used && !k->usable) || !dane_record_text(arena, k, i))
                abort();
        }
    }
    arena_free(arena);
    free(copy);
    return 0;
}
