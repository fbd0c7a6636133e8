// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_row.h - one row of a DMARC aggregate report (RFC 9990 3.1: mails of one address, one result and the same
 * identifiers are one record with a count), as the table dmarc_row has it: a column for each element.
 *
 * Every column is text and a part of the key; "" stands for "none". Only the signatures are several in one column
 * (dmarc_row_signature() reads them, dmarc_row_add_signature() writes them).
 *
 * Threads: all functions are pure, but for memory.
 */
#ifndef ASSAY_LEDGER_DMARC_ROW_H
#define ASSAY_LEDGER_DMARC_ROW_H

#include "base/arena.h"
#include "base/buf.h"
#include "ledger/store.h"

enum dmarc_row_column {
    DMARC_ROW_MARK, /* which of the day's policies it was judged by: "", where there was one only */
    DMARC_ROW_SOURCE_IP,
    DMARC_ROW_HEADER_FROM,
    DMARC_ROW_ENVELOPE_FROM,
    DMARC_ROW_DISPOSITION,
    DMARC_ROW_DKIM,   /* policy_evaluated: "pass" or "fail" */
    DMARC_ROW_SPF,    /* the same */
    DMARC_ROW_REASON, /* why the disposition differs from the policy: type, comment */
    DMARC_ROW_COMMENT,
    DMARC_ROW_SIGNATURES,
    DMARC_ROW_SPF_DOMAIN,
    DMARC_ROW_SPF_SCOPE, /* "": mfrom */
    DMARC_ROW_SPF_RESULT,
    DMARC_ROW_COLUMNS,
};

/* Their names in the table, in that order. */
#define DMARC_ROW_NAMES                                                                                                \
    "mark, source_ip, header_from, envelope_from, disposition, dkim, spf, reason, comment, signatures, spf_domain, "   \
    "spf_scope, spf_result"

/* Octets of all columns of a row together: a longer one is no mail's, and is not reported. An index row of PostgreSQL
 * holds 2,700 or so, day and domain included. */
#define DMARC_ROW_MAX 2200

struct dmarc_row {
    const char *column[DMARC_ROW_COLUMNS]; /* never NULL in a row that was read */
    int64_t count;
};

/* The row whose DMARC_ROW_NAMES begin at a column of the answer; its count is the column behind them. before (may be
 * NULL): an earlier row in the same arena, whose texts are shared where they are the same. False: out of memory. */
bool dmarc_row_read(const struct store_rows *r, int column, struct arena *a, const struct dmarc_row *before,
                    struct dmarc_row *out);

/* Octets of all columns. NULL counts as "". */
size_t dmarc_row_size(const struct dmarc_row *row);

/* A signature of DMARC_ROW_SIGNATURES: RFC 9990's dkim element of auth_results. */
struct dmarc_row_signature {
    char domain[DMARC_ROW_MAX + 1], selector[DMARC_ROW_MAX + 1], result[DMARC_ROW_MAX + 1];
};

/* Adds one to the text of a column. */
void dmarc_row_add_signature(struct buf *out, const char *domain, const char *selector, const char *result);

/* The next one at *at, which moves behind it. False: no more. What was not written by dmarc_row_add_signature is left
 * out. */
bool dmarc_row_signature(const char **at, struct dmarc_row_signature *out);

#endif
