// SPDX-License-Identifier: BSD-2-Clause
/*
 * metrics.c - the figures of a report as metrics (metrics.h).
 *
 * Promises that no correspondent is named: labels are standards, states, and lists of our own policy, escaped as the
 * format asks.
 */
#include "report/metrics.h"
#include <inttypes.h>

static void help(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, text, name);
}

static void label(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            buf_addc(out, '\\');
        buf_addc(out, (unsigned char)*text < 0x20 ? ' ' : *text);
    }
}

static void counts_metrics(struct buf *out, const char *name, const char *key, const char *of,
                           const struct report_counts *t)
{
    const struct {
        const char *state;
        int64_t n;
    } rows[] = {{"meets", t->meets}, {"explained", t->explained}, {"misses", t->misses}, {"untested", t->untested}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_printf(out, "%s{", name);
        if (key) {
            buf_printf(out, "%s=\"", key);
            label(out, of);
            buf_adds(out, "\",");
        }
        buf_printf(out, "state=\"%s\"} %" PRId64 "\n", rows[i].state, rows[i].n);
    }
}

void report_metrics(const struct report_model *m, struct buf *out)
{
    help(out, "assay_organisations",
         "Organisations that write to us, by whether they meet everything that the policy asks of them.");
    counts_metrics(out, "assay_organisations", NULL, NULL, &m->all);
    help(out, "assay_standard_organisations",
         "Organisations of which the policy asks this standard, by whether they meet it.");
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++)
        if (report_told(&m->standards[s].now))
            counts_metrics(out, "assay_standard_organisations", "standard", standard_name((enum standard)s),
                           &m->standards[s].now);
    if (m->group_count)
        help(out, "assay_list_organisations",
             "Organisations in this list of the policy, by whether they meet everything that the policy asks of them.");
    for (size_t i = 0; i < m->group_count; i++)
        counts_metrics(out, "assay_list_organisations", "list", m->groups[i].name, &m->groups[i].counts);
    help(out, "assay_exceptions_in_force", "Exceptions of the policy that are in force.");
    buf_printf(out, "assay_exceptions_in_force %" PRId64 "\n", m->in_force);
    help(out, "assay_exceptions_ending", "Exceptions of the policy that end within a month.");
    buf_printf(out, "assay_exceptions_ending %" PRId64 "\n", m->ending);
    help(out, "assay_hours_covered_ratio", "Share of the hours in which findings were written.");
    buf_printf(out, "assay_hours_covered_ratio %.4f\n", (double)m->hours_seen / (double)(m->hours ? m->hours : 1));
    help(out, "assay_report_time_seconds", "When the report was made.");
    buf_printf(out, "assay_report_time_seconds %" PRId64 "\n", m->made);
}
