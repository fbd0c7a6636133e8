// SPDX-License-Identifier: BSD-2-Clause
/*
 * report.h - `assay report`: its sections, between report.c (arguments, forms) and report_sections.c (questions to the
 * ledger).
 */
#ifndef ASSAY_CLI_LEDGER_REPORT_H
#define ASSAY_CLI_LEDGER_REPORT_H

#include "cli/ledger/ledger.h"

struct report_section {
    const char *key; /* in JSON and CSV */
    const char *title;
    const char *explain; /* one or two plain sentences */
    const char *none;    /* instead of an empty table */
    struct table *table;
};

#define REPORT_SECTIONS 12

struct report {
    const struct policy *policy;
    struct store *store;
    int64_t since_day, until_day; /* both included */
    struct report_section sections[REPORT_SECTIONS];
    size_t count;
};

/* Asks everything. Tables are to be freed by report_free, whatever came back. */
enum status report_fill(struct report *r) MUST_CHECK;
void report_free(struct report *r);

/* The site, into a.html. An exit code, after a message. report_site.c. */
int report_site(const struct report *r, const struct ledger_args *a);

#endif
