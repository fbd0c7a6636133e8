// SPDX-License-Identifier: BSD-2-Clause
/*
 * eight.h - looks at eight octets of a text at once, in one 64-bit number (SWAR).
 *
 * Each test says whether any of the eight octets is as asked, not which one. Tests may be joined by |, so that a loop
 * branches once for eight octets. The octets' order in the number does not matter.
 */
#ifndef ASSAY_BASE_EIGHT_H
#define ASSAY_BASE_EIGHT_H

#include <stdint.h>
#include <string.h>

#define EIGHT_TIMES(octet) (UINT64_C(0x0101010101010101) * (octet))

static inline uint64_t eight_at(const char *p)
{
    uint64_t eight;
    memcpy(&eight, p, sizeof eight);
    return eight;
}

/* Not 0: an octet is below limit, which is at most 128. */
static inline uint64_t eight_below(uint64_t eight, unsigned limit)
{
    return (eight - EIGHT_TIMES(limit)) & ~eight & EIGHT_TIMES(0x80);
}

/* Not 0: an octet is above limit, which is at most 127. */
static inline uint64_t eight_above(uint64_t eight, unsigned limit)
{
    return ((eight + EIGHT_TIMES(127 - limit)) | eight) & EIGHT_TIMES(0x80);
}

/* Not 0: an octet is this one. */
static inline uint64_t eight_have(uint64_t eight, unsigned char octet)
{
    return eight_below(eight ^ EIGHT_TIMES(octet), 1);
}

#endif
