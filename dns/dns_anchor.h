// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_anchor.h - checks the trust anchor file, and whether it can be kept up to date.
 *
 * With a file that has no key libunbound starts without complaint and then finds no answer secure, so the file is
 * checked first.
 */
#ifndef ASSAY_DNS_DNS_ANCHOR_H
#define ASSAY_DNS_DNS_ANCHOR_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

#define LIMIT_ANCHOR_BYTES (1024 * 1024) /* of the file; our own limit, the root has a handful of keys */

enum anchor_use {
    ANCHOR_STATIC,  /* as it stands: not writable for us, or keys of several zones */
    ANCHOR_RFC5011, /* one zone's keys, and we may write the file and its folder */
};

/* Checks the file. Not STATUS_OK: *error is one line that says what is wrong (malloc'ed; the caller frees it). */
enum status dns_anchor_check(const char *path, enum anchor_use *use, char **error) MUST_CHECK;

/* The key tags (RFC 4034 appendix B) of the root's keys in the file, at most `most`; their number. */
size_t dns_anchor_tags(const char *path, uint16_t *tags, size_t most);

/* The key tag of a DNSKEY record's rdata. */
uint16_t dns_key_tag(struct slice rdata);

/* Where `path` does not exist, makes it a copy of `seed` (whole or not at all). STATUS_OK also where it exists already.
 */
enum status dns_anchor_seed(const char *path, const char *seed, char **error) MUST_CHECK;

#endif
