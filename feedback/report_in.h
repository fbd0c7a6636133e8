// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_in.h - reports that others sent about our domains: DMARC aggregate reports (RFC 9990, RFC 7489) and SMTP TLS
 * reports (RFC 8460).
 *
 * report_in_walk() finds the reports in a file as it came: XML or JSON, plain, gzip or zip, or a whole mail with such a
 * part in it. Everything in it is hostile: sizes are bounded at each step, XML is read with entities and network off,
 * and what is taken over are single fields of bounded length. A report that is in the ledger already (same sender,
 * identifier and domain) is taken for a repeat and changes nothing.
 *
 * Texts are read in place and never held as a tree, and a report's rows are handed on one by one, so that the memory
 * for it does not grow with it. report_reader.h does all this in a process of its own, with limits.
 */
#ifndef ASSAY_FEEDBACK_REPORT_IN_H
#define ASSAY_FEEDBACK_REPORT_IN_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bounds of what is read, own. The largest honest aggregate reports seen are some 30 MB of XML. */
#define REPORT_IN_FILE ((size_t)64 << 20)
#define REPORT_IN_TEXT ((size_t)100 << 20)
#define REPORT_IN_RATIO 1100 /* octets of text per octet compressed: deflate's our own limit is 1032 */
#define REPORT_IN_ROWS 1000000
#define REPORT_IN_FIELD 1024
#define REPORT_IN_PARTS 10000     /* of mails and archives, in all */
#define REPORT_IN_DEPTH 16        /* of wrappings */
#define REPORT_IN_XML_DEPTH 32    /* of elements */
#define REPORT_IN_NAMES 2000      /* kinds of elements that are not of RFC 9990 */
#define REPORT_IN_DOMAINS 100     /* of the policies of one TLS report */
#define REPORT_IN_POLICIES 100000 /* of one TLS report */
#define REPORT_IN_WHERE 300       /* of the way into a file */
#define REPORT_IN_WHY 200

enum report_in_kind { REPORT_IN_DMARC, REPORT_IN_TLS };

struct report_in_row {
    size_t about; /* which of the report's domains */
    const char *source, *result, *dkim, *spf, *header_from, *detail;
    int64_t count; /* from 1 to REPORT_COUNT_MAX (report_fields.h) */
};

struct report_in {
    enum report_in_kind kind;
    const char *org, *id, *policy;
    /* What it is about, canonical (domain.h): one or more. A TLS report's policies may be about several. */
    const char **domains;
    size_t domain_count;
    int64_t begin, end;  /* seconds since 1970 */
    const char *contact; /* address of the sender as the report gives it; NULL: none */
    const char *partial; /* what is missing, in words; NULL: nothing */
    size_t row_count;

    /* Whether its sender was authenticated (report_sender.h), and the From domain of the mail that proves it. Set by
     * the caller before report_store_begin. */
    enum report_in_proof { REPORT_IN_UNKNOWN = -1, REPORT_IN_NOT_PROVED, REPORT_IN_PROVED } proof;
    const char *sender; /* NULL: none */
    size_t octets;      /* of its text */
    bool by_mail;       /* the bounds of a sender's day apply */
};

struct arena;

/* Gets the rows, in their order; what a row points to is good for the call. False: no more is wanted. */
struct report_in_rows {
    bool (*take)(void *context, const struct report_in_row *row);
    void *context;
};

/* The one report in the text (XML or JSON, already unpacked); what *out points to lives in the arena. rows: NULL if
 * only what stands in *out is asked for. Rows come before it is known that the report is one: a caller that cannot take
 * them back reads twice. STATUS_INVALID: it is none, why (REPORT_IN_WHY octets) says what is wrong; STATUS_LIMIT;
 * STATUS_NOMEM; STATUS_AGAIN: the rows were not wanted. */
enum status report_in_parse(struct arena *a, struct slice text, const struct report_in_rows *rows,
                            struct report_in *out, char *why) MUST_CHECK;
enum status report_in_parse_dmarc(struct arena *a, struct slice xml, const struct report_in_rows *rows,
                                  struct report_in *out, char *why) MUST_CHECK;
enum status report_in_parse_tls(struct arena *a, struct slice json, const struct report_in_rows *rows,
                                struct report_in *out, char *why) MUST_CHECK;

/* Finds every report in a file's octets, however wrapped: gzip, zip, mail, mbox, within each other; UTF-16 and BOM are
 * undone. found: the text of one, good for the call. unread: what should be one and cannot be read; called also where
 * there is none at all. where: the file's name and the way into it. */
struct report_in_walker {
    void (*found)(void *context, const char *where, struct slice text);
    /* status: AGAIN if it can be read later, when the disk has room. */
    void (*unread)(void *context, const char *where, const char *why, enum status status);
    /* A mail that says that one of ours could not be delivered (RFC 3464), for good. recipient: its Final-Recipient;
     * code: its Status; id: the Message-ID of ours. May be NULL. */
    void (*bounced)(void *context, const char *where, const char *recipient, const char *code, const char *id);
    void *context;
};
void report_in_walk(struct slice file, const char *name, const struct report_in_walker *to);

#endif
