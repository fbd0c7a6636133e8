// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_report.h - one DMARC aggregate report: its text, its names, its mail (RFC 9990; RFC 7489 section 7.2 and
 * appendix C on request).
 *
 * A report is about one policy domain and one UTC day. Its identifier, file name, subject and, from the same rows, its
 * content are functions of domain, day and our own address: whoever makes it again makes the same.
 *
 * All functions are pure (except memory) and may be called from any thread.
 */
#ifndef ASSAY_FEEDBACK_DMARC_REPORT_H
#define ASSAY_FEEDBACK_DMARC_REPORT_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/status.h"
#include "ledger/dmarc_row.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows taken from the ledger for one report; with more, those with the lowest counts are left out and the report says
 * so. */
#define DMARC_REPORT_ROWS 200000

enum dmarc_form { DMARC_RFC9990, DMARC_RFC7489 };

struct dmarc_report {
    int64_t day;           /* days since 1970, UTC */
    const char *domain;    /* policy domain */
    const char *published; /* as ingest_record.c made it */
    /* "", or of a policy that was applied on the same day before the last one: its mark (ingest_policy_mark). A report
       has data of one policy only (RFC 9990 3.1), so each has a report, and its names bear the mark. */
    const char *mark;
    const char *from; /* our address: its domain is the submitter */
    const char *org, *contact, *extra;
    const struct dmarc_row *rows; /* highest count first */
    size_t row_count;
    int64_t rows_left_out; /* already, by DMARC_REPORT_ROWS */
    int64_t mails;         /* of all rows, those left out too */
};

#define DMARC_NAME_MAX 700 /* octets of an identifier or file name: two domains (LIMIT_DOMAIN), days and a mark */
/* "2026-11-20.example.com@example.org"; with a mark "2026-11-20.example.com.1a2b3c4d@example.org" */
void dmarc_report_id(const struct dmarc_report *r, char out[DMARC_NAME_MAX]);
/* "example.org!example.com!1795132800!1795219199.xml.gz"; with a mark "...!1795219199!1a2b3c4d.xml.gz" */
void dmarc_report_file(const struct dmarc_report *r, char out[DMARC_NAME_MAX]);
/* The domain of an address; "" if there is none. */
const char *dmarc_domain_of(const char *address);

/* The XML of the first `rows` rows, in pieces of about DMARC_XML_PIECE octets, so that memory does not grow with the
 * rows. take: false ends it, STATUS_AGAIN. A row that cannot be read back is left out. STATUS_INVALID: not one row was
 * left; STATUS_NOMEM. */
#define DMARC_XML_PIECE 65536
struct dmarc_xml_taker {
    bool (*take)(void *context, struct slice piece);
    void *context;
};
enum status dmarc_report_xml(const struct dmarc_report *r, enum dmarc_form form, size_t rows,
                             const struct dmarc_xml_taker *to) MUST_CHECK;

/* The gzip of it (RFC 1952; no time, no name: the same octets each time), with as many rows as fit into max octets of a
 * mail. *rows: how many that were. */
enum status dmarc_report_gzip(const struct dmarc_report *r, enum dmarc_form form, size_t max, struct buf *out,
                              size_t *rows) MUST_CHECK;

/* The mail that carries it (RFC 5322, 2045; RFC 9990 3.5.2), lines ending in LF, to be given to sendmail. to: checked
 * by dmarc_rua.h. */
enum status dmarc_report_mail(const struct dmarc_report *r, const char *to, struct slice gzip,
                              struct buf *out) MUST_CHECK;

#endif
