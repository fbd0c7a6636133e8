// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_relay.c - Received fields of any octets, as a relay of ours might have to write them. An address is found only
 * if the field contains it between brackets, or alone in a comment; a HELO is always a part of the field.
 */
#include "judge/relay.h"
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice field = slice_of((const char *)data, size);
    struct relay_hop hop = {0};

    if (relay_read(field, &hop) != STATUS_OK)
        return 0;
    if (hop.client.family != 4 && hop.client.family != 6)
        __builtin_trap();
    if (hop.helo.n && (hop.helo.p < field.p || hop.helo.p + hop.helo.n > field.p + field.n))
        __builtin_trap();
    if (!memchr(data, '(', size))
        __builtin_trap();
    return 0;
}
