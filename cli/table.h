// SPDX-License-Identifier: BSD-2-Clause
/*
 * table.h - rows of an answer, shown as a table for people, as JSON or as CSV: the same cells each time.
 *
 * Cells are added row after row, left to right. Whatever a sender put into them is made harmless for the form they are
 * shown in: control and direction characters for terminals (base/utf8.h), quotes for CSV (RFC 4180) and a leading
 * apostrophe where a spreadsheet would take text for a formula. When memory runs out the table says so at table_print.
 */
#ifndef ASSAY_CLI_TABLE_H
#define ASSAY_CLI_TABLE_H

#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum table_form { TABLE_TEXT, TABLE_JSON, TABLE_CSV, TABLE_HTML };

struct table_column {
    const char *key;   /* in JSON, and the heading of CSV */
    const char *title; /* for people; NULL: not shown to them */
};

struct table;

/* columns must outlive the table and ends with a key of NULL. NULL when out of memory (table_print then says so). */
struct table *table_new(const struct table_column *columns);
struct table *table_free(struct table *t);

void table_text(struct table *t, const char *text); /* NULL: empty, null in JSON */
void table_number(struct table *t, int64_t n);
void table_share(struct table *t, int64_t part,
                 int64_t whole);              /* "97.5 %"; a number 0..100 in JSON and CSV; empty where whole is 0 */
void table_day(struct table *t, int64_t day); /* days since 1970 */
void table_moment(struct table *t,
                  int64_t moment); /* microseconds since 1970: local time for people, UTC for programs; 0: empty */

size_t table_rows(const struct table *t);

/* Adds the table to out; failure is out's mark. `none` is ours, never a sender's text. */
void table_write(const struct table *t, enum table_form form, const char *none, struct buf *out);

/* Writes to stdout. For people: `none` instead of a table without rows. False, after a message, when memory or stdout
 * failed. */
bool table_print(const struct table *t, enum table_form form, const char *none);

#endif
