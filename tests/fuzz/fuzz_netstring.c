// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_netstring.c - any octets as netstrings, as they come one more at a time: what is none stays none, what is whole
 * stays the same, and is as long as it says.
 */
#include "outgoing/netstring.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_holds(int holds)
{
    if (!holds)
        __builtin_trap();
}

/* The same octets in a block of their own, so that a read behind them is seen. */
static long first(const uint8_t *data, size_t size, size_t *length)
{
    char *copy = malloc(size ? size : 1), frame[16];
    struct slice content = SLICE_NULL;
    if (size)
        memcpy(copy, data, size);
    long used = netstring_first(slice_of(copy, size), MOST, &content);
    check_holds(used >= -1 && used <= (long)size);
    if (used > 0) {
        int n = snprintf(frame, sizeof frame, "%zu:", content.n);
        check_holds(content.n <= MOST && content.p == copy + n && memcmp(copy, frame, (size_t)n) == 0 &&
                    used == n + (long)content.n + 1);
        check_holds(copy[used - 1] == ',');
    }
    *length = content.n;
    free(copy);
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    long before = 0;
    size_t length = 0, now;
    if (size > MOST + 2 * NETSTRING_FRAME)
        size = MOST + 2 * NETSTRING_FRAME;
    for (size_t n = 0; n <= size; n++) {
        long used = first(data, n, &now);
        check_holds(before == 0 || used == before); /* decided once, decided for good */
        check_holds(before <= 0 || now == length);
        before = used;
        length = now;
    }
    check_holds(before != 0 || size <= MOST + NETSTRING_FRAME); /* so many octets are enough to know */
    return 0;
}
