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
#define REPORT_IN_TEXT ((size_t)100 << 20)
#define REPORT_IN_RATIO 1100 /* octets of text per octet compressed: deflate's our own limit is 1032 */
#define REPORT_IN_ROWS 1000000
#define REPORT_IN_FIELD 1024
#define REPORT_IN_PARTS 10000             /* of mails and archives, in all */
#define REPORT_IN_DEPTH 16                /* of wrappings */
#define REPORT_IN_XML_DEPTH 32            /* of elements */
#define REPORT_IN_DOMAINS 100             /* of the policies of one TLS report */
#define REPORT_IN_JSON ((size_t)16 << 20) /* a tree of it takes some twenty times as much */

enum report_in_kind { REPORT_IN_DMARC, REPORT_IN_TLS };

struct report_in_row {
    const char *source, *result, *dkim, *spf, *header_from, *detail;
    int64_t count;
};

struct report_in {
    enum report_in_kind kind;
    const char *org, *id, *domain, *policy; /* domain: canonical (domain.h) */
    int64_t begin, end;                     /* seconds since 1970 */
    const char *contact;                    /* address of the sender as the report gives it; NULL: none */
    const char *partial;                    /* what is missing, in words; NULL: nothing */

    /* Set by the caller before report_in_store. */
    bool others; /* about a domain that is not ours */
    /* Whether its sender was authenticated (report_sender.h), and the From domain of the mail that proves it. */
    enum report_in_proof { REPORT_IN_UNKNOWN = -1, REPORT_IN_NOT_PROVED, REPORT_IN_PROVED } proof;
    const char *sender; /* NULL: none */
    size_t octets;      /* of its text */
    bool by_mail;       /* the bounds of a sender's day apply */

    struct report_in_row *rows;
    size_t row_count;

    /* A TLS report's policies may be about several domains; `domain` is the first. NULL: about that one alone. */
    const char **domains;
    size_t domain_count;
};

struct arena;

/* The one report in the text (XML or JSON, already unpacked); what is in it lives in the arena. STATUS_INVALID: it is
 * none, why (200 octets) says what is wrong; STATUS_LIMIT; STATUS_NOMEM. */
enum status report_in_parse(struct arena *a, struct slice text, struct report_in *out, char *why) MUST_CHECK;
enum status report_in_parse_dmarc(struct arena *a, struct slice xml, struct report_in *out, char *why) MUST_CHECK;
/* What a report says about the i-th of its domains, with the rows about it, in the arena. STATUS_MISSING: it has no
 * such; STATUS_NOMEM. */
enum status report_in_about(struct arena *a, const struct report_in *whole, size_t i, struct report_in *out) MUST_CHECK;

/* Finds every report in a file's octets, however wrapped: gzip, zip, mail, mbox, within each other; UTF-16 and BOM are
 * undone. found: the text of one, good for the call. unread: what should be one and cannot be read; called also where
 * there is none at all. where: the file's name and the way into it. */
struct report_in_walker {
    void (*found)(void *context, const char *where, struct slice text);
    void (*unread)(void *context, const char *where, const char *why);
    void *context;
};
void report_in_walk(struct slice file, const char *name, const struct report_in_walker *to);

/* The first of them alone; its text is added to out. */
struct buf;
enum status report_in_unpack(struct slice file, struct buf *out, char *why) MUST_CHECK;

/* What one sender may bring by mail in a UTC day; all that are not authenticated are one. */
#define REPORT_IN_DAY_REPORTS 1000
#define REPORT_IN_DAY_OCTETS INT64_C(1000000000)

/* Stores it, in one transaction. *fresh: false if it was there already. STATUS_LIMIT: its sender has brought as much
 * today as is taken; nothing is stored. */
enum status report_in_store(struct store *s, const struct report_in *r, const char *file, bool *fresh) MUST_CHECK;

#endif
