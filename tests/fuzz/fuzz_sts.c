// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_sts.c - any octets as an MTA-STS record and as a policy file: what is read is within its bounds, and its
 * patterns read back as themselves.
 */
#include "standards/sts/sts.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_holds(int holds)
{
    if (!holds)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1), id[STS_ID + 1], pattern[LIMIT_DOMAIN + 3];
    struct arena *arena = arena_new(1 << 20);
    struct sts_policy p;
    const char *why = NULL;
    if (size)
        memcpy(copy, data, size);
    struct slice text = slice_of(copy, size);
    if (sts_record_id(text, id) == STATUS_OK)
        check_holds(sts_is_record(text) && strlen(id) >= 1 && strlen(id) <= STS_ID);
    if (sts_policy_read(arena, text, &p, &why) == STATUS_OK) {
        check_holds(p.max_age <= STS_MAX_AGE && p.mx_count <= STS_FILE / 4 && (p.mx_count || p.mode == STS_NONE));
        for (size_t i = 0; i < p.mx_count; i++)
            check_holds(sts_pattern(slice_str(p.mx[i]), pattern) == STATUS_OK && strcmp(pattern, p.mx[i]) == 0);
    } else {
        check_holds(why != NULL);
    }
    arena_free(arena);
    free(copy);
    return 0;
}
