// SPDX-License-Identifier: BSD-2-Clause
/*
 * report.h - adds to a policy_report, for policy/ only. Every function accepts a NULL report, and then only returns its
 * value.
 */
#ifndef ASSAY_POLICY_REPORT_H
#define ASSAY_POLICY_REPORT_H

#include "policy/policy.h"
#include <stdarg.h>

/* A place in a file. `text` points into `line`; line.p NULL: the place is the line, or the file, as a whole. */
struct place {
    const char *file;
    unsigned lineno;
    struct slice line;
    struct slice text;
};

void report_add(struct policy_report *r, enum policy_severity severity, const struct place *at, const char *help,
                const char *fmt, ...) PRINTF_LIKE(5, 6);
void report_vadd(struct policy_report *r, enum policy_severity severity, const struct place *at, const char *help,
                 const char *fmt, va_list ap) PRINTF_LIKE(5, 0);

/* Sorts the messages by file, in the order read, and by place; messages of one place stay in the order added.
 */
void report_sort(struct policy_report *r);

/* policy_report_wants_json() is true from now on. */
void report_set_json(struct policy_report *r);

/* Turns errors into warnings: the parts they are about were left out, and the rest is in force. */
void report_soften(struct policy_report *r);

/* Text that may hold anything, made visible and cut to about `most` octets, in r's arena; "?" if there is no memory.
 */
const char *report_visible(struct policy_report *r, struct slice text, size_t most);

#endif
