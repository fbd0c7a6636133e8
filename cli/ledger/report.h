// SPDX-License-Identifier: BSD-2-Clause
/*
 * report.h - `assay report`: its sections, between report.c (arguments, forms) and report_sections.c (questions to the
 * ledger).
 */
#ifndef ASSAY_CLI_LEDGER_REPORT_H
#define ASSAY_CLI_LEDGER_REPORT_H

#include "cli/ledger/ledger.h"
#include <assert.h>

struct report_section {
    const char *key; /* in JSON and CSV */
    const char *title;
    const char *explain; /* one or two plain sentences */
    const char *none;    /* instead of an empty table */
    struct table *table;
};

#define REPORT_SECTIONS 16

struct report {
    const struct policy *policy;
    struct store *store;
    int64_t since_day, until_day; /* both included */
    struct report_section sections[REPORT_SECTIONS];
    size_t count;
};

/* One section more, without rows yet. */
static inline struct table *report_section(struct report *r, const char *key, const char *title, const char *explain,
                                           const char *none, const struct table_column *columns)
{
    assert(r->count < REPORT_SECTIONS);
    struct report_section *s = &r->sections[r->count++];
    *s = (struct report_section){key, title, explain, none, table_new(columns)};
    return s->table;
}

/* Asks everything. Tables are to be freed by report_free, whatever came back. */
enum status report_fill(struct report *r) MUST_CHECK;
void report_free(struct report *r);

/* Two of the sections: the organisations that write to us. report_organisations.c. */
enum status report_organisations(struct report *r) MUST_CHECK;

/* The site, into a.html. An exit code, after a message. report_site.c. */
int report_site(const struct report *r, const struct ledger_args *a);

#endif
