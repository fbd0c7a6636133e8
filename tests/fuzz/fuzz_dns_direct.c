// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_dns_direct.c - a DNS message from a name server that was asked directly: behind a question of ours, any octets.
 */
#include "dns/direct.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char question[512], message[65535];
    size_t n = dns_direct_question("example.org", DNS_MX, 7, question);
    struct arena *a = arena_new(8u << 20);
    struct dns_direct_answer out = {.outcome = DNS_DIRECT_ANSWERED};
    bool truncated;
    if (size > sizeof message - n)
        size = sizeof message - n;
    memcpy(message, question, n - 11); /* header and question as they were asked, then whatever comes */
    message[2] |= 0x80;
    if (size >= 4)
        memcpy(message + 6, data, 4); /* counts */
    memcpy(message + n - 11, data, size);
    if (dns_direct_read(a, slice_of((char *)message, n - 11 + size), slice_of((char *)question, n), &out, &truncated))
        for (size_t i = 0; i < out.count; i++)
            if (!out.records[i].rdata.p)
                abort();
    arena_free(a);
    return 0;
}
