// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_digest.h - SHA-256, by OpenSSL, without its look-up costs (the algorithm is fetched once per process).
 *
 * Internal to dkim_* and arc_*. A digest belongs to one thread at a time.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_DIGEST_H
#define ASSAY_STANDARDS_DKIM_DKIM_DIGEST_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

struct dkim_digest;

/* NULL if memory ran out or OpenSSL has no SHA-256. */
struct dkim_digest *dkim_digest_new(void);

/* What fails here shows at the end. */
void dkim_digest_add(struct dkim_digest *d, const void *p, size_t n);

/* The hash of what was added so far; more may be added after. STATUS_NOMEM: none could be made. */
enum status dkim_digest_peek(const struct dkim_digest *d, uint8_t out[32]) MUST_CHECK;

/* The hash; d is freed. */
enum status dkim_digest_end(struct dkim_digest *d, uint8_t out[32]) MUST_CHECK;

/* NULL is allowed; returns NULL. */
struct dkim_digest *dkim_digest_free(struct dkim_digest *d);

#endif
