// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_in.c - chooses the parser for a report's text.
 *
 * Promises that a text is read by one parser at most, by its first character. On failure the words say what it is not.
 */
#include "feedback/report_in.h"
#include "feedback/report_scratch.h"
#include <stdio.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum status report_in_parse(struct arena *a, struct slice text, const struct report_in_rows *rows,
                            struct report_in *out, char *why)
{
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
        text = slice_from(text, 3);
    while (text.n && is_blank(text.p[0])) {
        report_scratch_passed(text.p);
        text = slice_from(text, 1);
    }
    if (text.n && text.p[0] == '<')
        return report_in_parse_dmarc(a, text, rows, out, why);
    if (text.n && text.p[0] == '{')
        return report_in_parse_tls(a, text, rows, out, why);
    snprintf(why, REPORT_IN_WHY, "it is neither XML (a DMARC report) nor JSON (a TLS report)");
    return STATUS_INVALID;
}
