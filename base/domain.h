// SPDX-License-Identifier: BSD-2-Clause
/*
 * domain.h - domain names as this project keeps them.
 *
 * Canonical form: A-labels, lower case, no dot at the end, labels of 1..63 octets, at most 253 octets in all (RFC 1035
 * 2.3.4). What a sender wrote becomes a canonical name at one place only, domain_from_text(), so that no two parts of
 * the program can see two different names (RFC 5890 to 5892, IDNA 2008 by libidn2, non-transitional).
 *
 * Letters, digits, hyphen and underscore are allowed (underscore: names like _dmarc). Anything else is refused: NUL,
 * blanks, quotes and 8-bit octets never reach DNS, a header or a log through a canonical name. Look-ups whose names may
 * hold other octets (SPF macros) go through dns.h as text of their own and never become canonical names.
 *
 * All functions are pure and may be called from any thread.
 */
#ifndef ASSAY_BASE_DOMAIN_H
#define ASSAY_BASE_DOMAIN_H

#include "base/limits.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* Turns text (ASCII or UTF-8, any case, with or without the final dot) into a canonical name in out. STATUS_INVALID:
 * not a name; STATUS_LIMIT: too long; out is untouched then. The root (".") is STATUS_INVALID. */
enum status domain_from_text(struct slice text, char out[LIMIT_DOMAIN + 1]) MUST_CHECK;

/* The octet as it is in a canonical name (capitals become lower case); 0: it cannot occur in one. */
extern const char domain_kept_octets[256];

/* Tells whether s already is a canonical name. */
bool domain_is_kept(const char *s);

/* A host name in the sense of RFC 1123 2.1: a canonical name without underscore and no label that begins or ends with a
 * hyphen. */
bool domain_is_host(const char *kept);

/* Number of labels. */
size_t domain_labels(const char *kept);

/* The name without its first label; NULL if it has only one. Points into kept. */
const char *domain_parent(const char *kept);

/* The last `count` labels; the whole name when it has fewer. Points into kept. */
const char *domain_suffix(const char *kept, size_t count);

/* Tells whether name equals top or lies below it. */
bool domain_is_within(const char *name, const char *top);

/* The form for people: U-labels where they can be shown and give the same A-labels back, else the canonical name. out
 * gets at most size - 1 octets; returns out. */
const char *domain_to_unicode(const char *kept, char *out, size_t size);

#endif
