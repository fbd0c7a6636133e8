// SPDX-License-Identifier: BSD-2-Clause
/*
 * cm.h - cmocka with the headers that it needs before it, and exact-size copies of input, so that a read past the end
 * shows under ASan.
 */
#ifndef ASSAY_TESTS_UNIT_CM_H
#define ASSAY_TESTS_UNIT_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A heap copy of exactly n octets; the caller frees it. */
static inline char *exact(const void *p, size_t n)
{
    char *copy = malloc(n ? n : 1);
    if (copy && n)
        memcpy(copy, p, n);
    return copy;
}

#endif
