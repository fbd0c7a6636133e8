// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_facts.c - a file of facts from anybody: read and judged, never a crash, and the same report twice.
 */
#include "check/check.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(64u << 20);
    const char *error;
    struct facts *f = facts_read(a, slice_of((const char *)data, size), &error);
    struct check_report one, two;
    if (f && check_judge(a, f, 0, LANGUAGE_EN, &one, &error) == STATUS_OK &&
        check_judge(a, f, 0, LANGUAGE_EN, &two, &error) == STATUS_OK)
        for (int i = 0; i < CHECK_TESTS; i++)
            if (one.results[i].state != two.results[i].state ||
                strcmp(one.results[i].evidence, two.results[i].evidence) != 0)
                abort();
    facts_free(f);
    arena_free(a);
    return 0;
}
