// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_pubkey.h - public keys as DNS has them, parsed once and kept, and the check of a signature with one.
 *
 * Internal to dkim_* and arc_*. Reading a key costs several times what a verification does, so
 * parsed keys are kept in one bounded cache for the process. They are found by the key's own octets, never by its name:
 * nothing in the cache can be stale.
 *
 * Threads: all functions from any thread. A struct dkim_pubkey is immutable and has a reference count.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_PUBKEY_H
#define ASSAY_STANDARDS_DKIM_DKIM_PUBKEY_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

enum dkim_key_type { KEY_RSA, KEY_ED25519 };

/* Octets of a key in DER: RSA 8192 bits with a large exponent fits. */
#define DKIM_PUBKEY_OCTETS 2304

struct dkim_pubkey;

/* The key in p= (base64). RSA: SubjectPublicKeyInfo, or RSAPublicKey as RFC 6376 3.6.1 has it; Ed25519: 32 octets
 * (RFC 8463 4). STATUS_INVALID: no such key; STATUS_LIMIT: size or exponent beyond the bounds in dkim_check.h;
 * STATUS_NOMEM. *reason is static then. Release what you get. */
enum status dkim_pubkey_get(enum dkim_key_type type, struct slice base64, struct dkim_pubkey **out,
                            const char **reason) MUST_CHECK;

/* Returns NULL; NULL is allowed. */
struct dkim_pubkey *dkim_pubkey_release(struct dkim_pubkey *k);

unsigned dkim_pubkey_bits(const struct dkim_pubkey *k);

/* Octets of memory that it takes, about; 0 for NULL. */
size_t dkim_pubkey_octets(const struct dkim_pubkey *k);

/* Tells whether this is the signature of a SHA-256 hash: PKCS #1 v1.5 (RFC 8017 8.2) or PureEdDSA over the hash (RFC
 * 8463 3). */
bool dkim_pubkey_verify(const struct dkim_pubkey *k, const uint8_t hash[32], const uint8_t *signature, size_t n);

/* Empties the cache: at the end of a program, and between tests. */
void dkim_pubkey_forget_all(void);

/* What the cache has done since the start, for figures. */
struct dkim_pubkey_stats {
    uint64_t hits, misses;
    uint32_t kept;
};
struct dkim_pubkey_stats dkim_pubkey_stats(void);

#endif
