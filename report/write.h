// SPDX-License-Identifier: BSD-2-Clause
/*
 * write.h - what the pages of a site are put together from: sentences with places for figures, tables, charts.
 *
 * Every text goes through page_text(): nothing that a sender wrote can leave its place. Figures are written as the
 * language writes them. For the files site_*.c alone. Texts that these give back are in the model's arena.
 */
#ifndef ASSAY_REPORT_WRITE_H
#define ASSAY_REPORT_WRITE_H

#include "report/page.h"
#include "report/model.h"

struct write {
    const struct report_model *m;
    struct buf *out;
    struct page_table table; /* that is open */
    unsigned charts;         /* on this page, so far */
    bool bare;               /* no element may stand here: a drawing's title is open */
};

/* The catalogue's form of a text of ours. */
#define T(text) language_text(w->m->language, LANGUAGE_MARK(text))

/* Adds a text, in which {1}, {2}, ... stand for the texts behind it, each isolated; NULL ends them. */
void write_fill(struct write *w, const char *text, ...);
#define FILL(...) write_fill(w, __VA_ARGS__, (const char *)NULL)

void write_raw(struct write *w, const char *html); /* ours */
void write_text(struct write *w, const char *text);
void write_isolated(struct write *w, const char *text); /* page_isolated() */

const char *write_number(const struct write *w, int64_t n);
const char *write_share(const struct write *w, int64_t part, int64_t whole); /* "62%", of few "3 of 5" */
const char *write_day(const struct write *w, int64_t day);
const char *write_period(const struct write *w);
const char *write_plural(const struct write *w, int64_t n, const char *one, const char *many);
const char *write_hours(const struct write *w, int64_t minutes); /* "3 hours" */

/* "DMARC", "Message format" */
const char *write_standard(const struct write *w, enum standard s);

/* An exception's state, in words. */
const char *write_state(const struct write *w, enum exceptions_state s);

/* The day that a time of the policy lies in, which is local time. */
const char *write_policy_day(const struct write *w, time_t t);

/* Better, worse or the same as before; NULL if there is nothing to compare with. */
const char *write_change(const struct write *w, const struct report_counts *now, const struct report_counts *before);

/* Beside a share: how much of the time was seen, where that is little. */
void write_coverage(struct write *w);

/* A table. head: its columns, ended by NULL. Cells from left to right; a row begins and ends by itself. */
void write_table(struct write *w, const char *caption, const char *const *head);
void write_cell(struct write *w, const char *text);
void write_cell_link(struct write *w, const char *href, const char *text);
void write_cell_number(struct write *w, const char *number);
void write_table_end(struct write *w);

/* ---- charts (chart.c): inline SVG with a text alternative, the figures in a table behind ---- */

/* Neighbours of a chart are of different shades. */
enum chart_shade { CHART_YES, CHART_SOME, CHART_NO, CHART_OTHER, CHART_PAST };

struct chart_part {
    const char *label;
    int64_t value;
    enum chart_shade shade;
};

/* One bar, cut into its parts, with a legend. */
void chart_split(struct write *w, const char *title, const struct chart_part *parts, size_t count);

/* Bars below each other, each of `whole`; before: a mark where it was (-1: none). */
struct chart_bar {
    const char *label;
    int64_t value, whole, before, before_whole;
};
void chart_bars(struct write *w, const char *title, const struct chart_bar *bars, size_t count);

/* A column for each day. */
void chart_days(struct write *w, const char *title, const struct report_day *days, size_t count);

/* ---- the pages (site_*.c) ---- */

/* Where the page of an organisation is: "c-0123456789abcdef.html". page_name.c. */
#define SITE_NAME 32
const char *site_page_of(const char *organisation, char out[SITE_NAME]);

void site_index(struct write *w);
void site_standards(struct write *w);
void site_explained(struct write *w);
void site_own(struct write *w);
void site_correspondents(struct write *w);
void site_correspondent(struct write *w, size_t index); /* into model.now.all */
void site_groups(struct write *w);
void site_names(struct write *w);
void site_counted(struct write *w);

#endif
