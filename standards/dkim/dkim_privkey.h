// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_privkey.h - a private key of ours, and signatures with it.
 *
 * For sealing (arc_seal.h) and for signing mail of our own (dkim_signer.h). A struct dkim_privkey is immutable after it
 * was read: any thread may sign with it.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_PRIVKEY_H
#define ASSAY_STANDARDS_DKIM_DKIM_PRIVKEY_H

#include "base/arena.h"
#include "base/status.h"
#include <stdint.h>

struct dkim_privkey;

/* From a PEM file: RSA of 1024 (RFC 8301 3.2) to 8192 bits, or Ed25519, without a passphrase. NULL: *error says what
 * is wrong (static): the file cannot be read, others may read it, it holds no such key. */
struct dkim_privkey *dkim_privkey_read(const char *path, const char **error) MUST_CHECK;

/* The same, cached between calls: the file is read again only if it was replaced or changed. For callers that need the
 * key at every message. Any thread; release the key that you get. */
struct dkim_privkey *dkim_privkey_kept(const char *path, const char **error) MUST_CHECK;

/* NULL is allowed; returns NULL. */
struct dkim_privkey *dkim_privkey_free(struct dkim_privkey *k);

/* "rsa-sha256" or "ed25519-sha256". */
const char *dkim_privkey_algorithm(const struct dkim_privkey *k);

/* The signature of a SHA-256 hash as base64, in lines of at most 64 characters, separated by LF and a tab. In the
 * arena; NULL: memory, or OpenSSL refused. */
const char *dkim_privkey_sign(const struct dkim_privkey *k, struct arena *arena, const uint8_t hash[32]) MUST_CHECK;

/* 1 to 1024 octets as base64 on one line. In the arena; NULL: memory. */
const char *dkim_privkey_base64(struct arena *arena, const uint8_t *p, size_t n) MUST_CHECK;

#endif
