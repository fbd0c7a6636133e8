// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_delegation_request.c - any octets as a request of Postfix's policy-delegation protocol: what is read is an
 * address, a port and digests, or nothing.
 */
#include "milter/delegation_request.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_holds(int holds)
{
    if (!holds)
        __builtin_trap();
}

static void check_digest(const char *text)
{
    size_t n = strlen(text);
    check_holds(n < DELEGATION_DIGEST && strspn(text, "0123456789abcdefABCDEF:") == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1), text[IP_TEXT];
    struct delegation_request r;
    struct ip again;
    if (size)
        memcpy(copy, data, size);
    if (delegation_request_read(slice_of(copy, size), &r)) {
        check_holds(size && copy[size - 1] == '\n' && memmem(copy, size, "request=smtpd_access_policy\n", 28) != NULL);
        check_holds(r.port <= 65535);
        check_digest(r.cert);
        check_digest(r.public_key);
        if (r.client.family)
            check_holds(ip_from_text(slice_str(ip_text(&r.client, text)), &again) == STATUS_OK &&
                        ip_eq(&again, &r.client));
    }
    free(copy);
    return 0;
}
