// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_dkim_keyrec.c - a key record, its key, and a verification with it, which must fail: nobody signed anything.
 */
#include "standards/dkim/dkim_keyrec.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t hash[32] = {1}, signature[256] = {2};
    struct dkim_keyrec r;
    struct dkim_pubkey *key = NULL;
    const char *reason = NULL;
    if (dkim_keyrec_read(slice_of((const char *)data, size), &r, &reason) != STATUS_OK || r.revoked || !r.type_known)
        return 0;
    if (dkim_pubkey_get(r.type, r.p, &key, &reason) != STATUS_OK)
        return 0;
    if (dkim_pubkey_verify(key, hash, signature, r.type == KEY_ED25519 ? 64 : sizeof signature) &&
        dkim_pubkey_bits(key) >= 512)
        abort();
    dkim_pubkey_release(key);
    return 0;
}
