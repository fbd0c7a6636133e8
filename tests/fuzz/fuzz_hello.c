// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_hello.c - what a server answers to a ClientHello: any octets, cut anywhere, without a read beyond them.
 */
#include "check/hello.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hello_answer whole, half;
    hello_read(slice_of((const char *)data, size), &whole);
    hello_read(slice_of((const char *)data, size / 2), &half);
    if (whole.state == HELLO_ACCEPTED && whole.version == 0)
        abort();
    return 0;
}
