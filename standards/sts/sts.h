// SPDX-License-Identifier: BSD-2-Clause
/*
 * sts.h - MTA-STS (RFC 8461): what a domain asks of those who send to it, read from its TXT record and its policy file.
 *
 * Pure: no DNS and no web here; outgoing/tls_policy.c fetches and remembers. Any thread.
 */
#ifndef ASSAY_STANDARDS_STS_STS_H
#define ASSAY_STANDARDS_STS_STS_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdint.h>

#define STS_ID 32             /* octets of an id (RFC 8461 3.1) */
#define STS_FILE 65536        /* octets of a policy file (RFC 8461 3.3 advises a bound of 64 kilobytes) */
#define STS_MAX_AGE 31557600u /* seconds: about a year (RFC 8461 3.2) */
#define STS_RECORD 4096       /* octets of a TXT record; our own limit */

/* Tells whether a TXT record begins as one of MTA-STS: "v=STSv1", blanks, ";" (3.1). All others at the name are passed
 * over. */
bool sts_is_record(struct slice txt);

/* The id of a record (3.1), as a C string. Unknown fields are skipped; of several ids the first counts. STATUS_INVALID:
 * not by the grammar, or no id: the domain then has no policy. STATUS_LIMIT: over STS_RECORD. */
enum status sts_record_id(struct slice txt, char out[STS_ID + 1]) MUST_CHECK;

/* Tells whether a field of a record is an extension, NAME=VALUE: the grammar is that of RFC 8461 3.1 and of RFC 8460
 * section 3. */
bool sts_is_extension(struct slice field);

enum sts_mode {
    STS_NONE,    /* the domain has no policy any more */
    STS_TESTING, /* mail goes if it would without one */
    STS_ENFORCE, /* only to hosts that match `mx` and show a valid certificate */
};

struct sts_policy {
    enum sts_mode mode;
    uint32_t max_age;      /* seconds; what is above STS_MAX_AGE counts as that */
    bool long_age;         /* and it was above */
    const char *const *mx; /* canonical names; "*." before a name stands for one label more */
    size_t mx_count;       /* at least 1 unless mode is STS_NONE */
};

/* Reads a policy file (3.2). Lines end by LF or CRLF; empty ones are skipped; fields in any order; of fields given
 * twice the first counts, but every mx; unknown fields are skipped, and so are mx that are addresses. STATUS_INVALID,
 * with *why (static words): no policy by the grammar. STATUS_LIMIT: over STS_FILE, which bounds the number of mx too.
 * STATUS_NOMEM. The policy lives in the arena. */
enum status sts_policy_read(struct arena *arena, struct slice file, struct sts_policy *out,
                            const char **why) MUST_CHECK;

/* Tells whether a pattern of a policy allows a mail host (4.1): the same name, or with "*." exactly one label before
 * the rest. Both are canonical. */
bool sts_mx_matches(const char *pattern, const char *host);

/* A pattern in the form that sts_policy_read gives, from the text of our own file. STATUS_INVALID: not a pattern. */
enum status sts_pattern(struct slice text, char out[LIMIT_DOMAIN + 3]) MUST_CHECK;

const char *sts_mode_name(enum sts_mode m); /* "none", "testing", "enforce" */

#endif
