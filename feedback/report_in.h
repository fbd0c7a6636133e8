// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_in.h - reports that others sent about our domains: DMARC aggregate reports (RFC 9990, RFC 7489) and SMTP TLS
 * reports (RFC 8460).
 *
 * report_in_file() takes a file as it came: XML or JSON, plain, gzip or zip, or a whole mail with such a part in it.
 * Everything in it is hostile: sizes are bounded at each step, XML is read with entities and network off, and what is
 * taken over are single fields of bounded length. A report that is in the ledger already (same sender, identifier and
 * domain) is taken for a repeat and changes nothing.
 */
#ifndef ASSAY_FEEDBACK_REPORT_IN_H
#define ASSAY_FEEDBACK_REPORT_IN_H

#include "base/slice.h"
#include "ledger/store.h"
#include <stddef.h>
#include <stdint.h>

/* Bounds of what is read, own. The largest honest aggregate reports seen are some 30 MB of XML. */
#define REPORT_IN_FILE ((size_t)64 << 20)
#define REPORT_IN_TEXT ((size_t)128 << 20)
#define REPORT_IN_RATIO 1100 /* octets of text per octet compressed: deflate's own bound is 1032 */
#define REPORT_IN_ROWS 500000
#define REPORT_IN_FIELD 1024
#define REPORT_IN_PARTS 100 /* of a mail */

enum report_in_kind { REPORT_IN_DMARC, REPORT_IN_TLS };

struct report_in_row {
    const char *source, *result, *dkim, *spf, *header_from, *detail;
    int64_t count;
};

struct report_in {
    enum report_in_kind kind;
    const char *org, *id, *domain, *policy;
    int64_t begin, end; /* seconds since 1970 */
    struct report_in_row *rows;
    size_t row_count;
};

struct arena;

/* The one report in the text (XML or JSON, already unpacked); what is in it lives in the arena. STATUS_INVALID: it is
 * none, why (200 octets) says what is wrong; STATUS_LIMIT; STATUS_NOMEM. */
enum status report_in_parse(struct arena *a, struct slice text, struct report_in *out, char *why) MUST_CHECK;
enum status report_in_parse_dmarc(struct arena *a, struct slice xml, struct report_in *out, char *why) MUST_CHECK;
enum status report_in_parse_tls(struct arena *a, struct slice json, struct report_in *out, char *why) MUST_CHECK;

/* Unpacks a file's octets: gzip, zip (its first file), a mail (its first part that is one of these), or none of these:
 * as it is. The text is added to out. */
struct buf;
enum status report_in_unpack(struct slice file, struct buf *out, char *why) MUST_CHECK;

/* Into the store, in one transaction. *fresh: false where it was there already. */
enum status report_in_store(struct store *s, const struct report_in *r, const char *file, bool *fresh) MUST_CHECK;

#endif
