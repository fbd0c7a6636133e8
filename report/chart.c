// SPDX-License-Identifier: BSD-2-Clause
/*
 * chart.c - charts as inline SVG (write.h).
 *
 * Promises: each has a text alternative, and the same figures in a table behind it; shades differ in lightness or by a
 * pattern, and have a gap between them, so that they can be told apart without colour; no text in the drawing, so that
 * it may be stretched to any width. Figures come as they are; nothing is rounded but the drawing. tests/system/report
 * checks that drawing, text and table say the same, and that neighbours differ in grey.
 */
#include "report/write.h"

#define WIDTH 1000
#define GAP 4
#define MARK 5
#define HALO 15
#define NONE "\xe2\x80\x93"

static const char *const shades[] = {
    [CHART_YES] = "yes", [CHART_SOME] = "some", [CHART_NO] = "no", [CHART_OTHER] = "other", [CHART_PAST] = "past"};

/* Up to the text alternative; end_title() ends that. */
static void open_drawing(struct write *w, int height, const char *class)
{
    unsigned id = ++w->charts;
    buf_printf(w->out,
               "<svg class=\"chart %s\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
               "aria-labelledby=\"chart%u\"><title id=\"chart%u\">",
               class, WIDTH, height, id, id);
    w->bare = true;
}

static void end_title(struct write *w)
{
    w->bare = false;
    write_raw(w, "</title>");
}

/* A shade that is not plain: what is repeated, on its ground. */
static void pattern(struct write *w, enum chart_shade shade, int width, int height, const char *figure)
{
    const char *name = shades[shade];
    buf_printf(w->out,
               "<pattern id=\"%s%u\" width=\"%d\" height=\"%d\" patternUnits=\"userSpaceOnUse\"><rect "
               "class=\"%s-back\" width=\"%d\" height=\"%d\"/>%s</pattern>",
               name, w->charts, width, height, name, width, height, figure);
}

/* They are wide, since a drawing is made narrower rather than lower. */
static void patterns(struct write *w)
{
    write_raw(w, "<defs>");
    pattern(w, CHART_SOME, 24, 20, "<path class=\"some-line\" d=\"M0 20L24 0H36L12 20ZM-24 20L0 0H12L-12 20Z\"/>");
    pattern(w, CHART_OTHER, 20, 10, "<ellipse class=\"other-line\" cx=\"10\" cy=\"5\" rx=\"5\" ry=\"2.5\"/>");
    pattern(w, CHART_PAST, 20, 10, "<rect class=\"past-line\" width=\"20\" height=\"4\"/>");
    write_raw(w, "</defs>");
}

static void rect(struct write *w, enum chart_shade shade, double x, double y, double width, double height)
{
    if (width <= 0 || height <= 0)
        return;
    buf_printf(w->out, "<rect class=\"%s\"", shades[shade]);
    if (shade != CHART_YES && shade != CHART_NO)
        buf_printf(w->out, " fill=\"url(#%s%u)\"", shades[shade], w->charts);
    buf_printf(w->out, " x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", x, y, width, height);
}

/* A line in the drawing: a gap between two shades, or (of two classes) a mark that shows on any of them. */
static void line(struct write *w, const char *class, double middle, double width, int height)
{
    buf_printf(w->out, "<rect class=\"%s\" x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"%d\"/>", class,
               middle - width / 2, width, height);
}

/* The figures, for those who want to read them. */
static void figures(struct write *w, const char *title, const char *const *head)
{
    write_raw(w, "<details class=\"figures\"><summary>");
    write_text(w, T("The figures as a table"));
    write_raw(w, "</summary>\n");
    write_table(w, title, head);
}

static void figures_end(struct write *w)
{
    write_table_end(w);
    write_raw(w, "</details>\n");
}

void chart_split(struct write *w, const char *title, const struct chart_part *parts, size_t count)
{
    int64_t all = 0;
    double x = 0;
    for (size_t i = 0; i < count; i++)
        all += parts[i].value;
    if (!all)
        return;
    write_raw(w, "<figure>");
    open_drawing(w, 40, "split");
    write_text(w, title);
    for (size_t i = 0; i < count; i++)
        FILL(i ? ", {1} {2}" : ": {1} {2}", write_number(w, parts[i].value), parts[i].label);
    end_title(w);
    patterns(w);
    for (size_t i = 0; i < count; i++) {
        double width = (double)WIDTH * (double)parts[i].value / (double)all;
        rect(w, parts[i].shade, x, 0, width, 40);
        if (width > 0 && x > 0)
            line(w, "gap", x, GAP, 40);
        x += width;
    }
    write_raw(w, "</svg>\n<figcaption><ul class=\"legend\">");
    for (size_t i = 0; i < count; i++) {
        buf_printf(w->out, "<li><span class=\"key %s\"></span>", shades[parts[i].shade]);
        write_text(w, parts[i].label);
        write_raw(w, "</li>");
    }
    write_raw(w, "</ul></figcaption>\n");
    const char *const head[] = {T("What"), T("Count"), NULL};
    figures(w, title, head);
    for (size_t i = 0; i < count; i++) {
        write_cell(w, parts[i].label);
        write_cell_number(w, write_number(w, parts[i].value));
    }
    figures_end(w);
    write_raw(w, "</figure>\n");
}

static void one_bar(struct write *w, const struct chart_bar *b)
{
    double whole = b->whole > 0 ? (double)b->whole : 1, part = WIDTH * (double)b->value / whole;
    write_raw(w, "<div class=\"bar\"><span class=\"bar-label\">");
    write_isolated(w, b->label);
    write_raw(w, "</span>");
    open_drawing(w, 20, "bar-drawing");
    FILL("{1}: {2}", b->label, write_share(w, b->value, b->whole));
    end_title(w);
    rect(w, CHART_YES, 0, 0, part, 20);
    rect(w, CHART_NO, part, 0, WIDTH - part, 20);
    if (part > 0 && part < WIDTH)
        line(w, "gap", part, GAP, 20);
    if (b->before_whole > 0) {
        double at = HALO / 2.0 + (WIDTH - HALO) * (double)b->before / (double)b->before_whole;
        line(w, "halo", at, HALO, 20);
        line(w, "mark", at, MARK, 20);
    }
    write_raw(w, "</svg><span class=\"bar-value\">");
    write_isolated(w, write_share(w, b->value, b->whole));
    write_raw(w, "</span></div>\n");
}

void chart_bars(struct write *w, const char *title, const struct chart_bar *bars, size_t count)
{
    bool before = false;
    if (!count)
        return;
    write_raw(w, "<figure class=\"bars\"><p class=\"chart-title\">");
    write_text(w, title);
    write_raw(w, "</p>\n");
    for (size_t i = 0; i < count; i++) {
        one_bar(w, &bars[i]);
        before |= bars[i].before_whole > 0;
    }
    const char *const head[] = {T("What"), T("Meet it"), T("Of"), before ? T("Before") : NULL, T("Of"), NULL};
    figures(w, title, head);
    for (size_t i = 0; i < count; i++) {
        bool was = bars[i].before_whole > 0;
        write_cell(w, bars[i].label);
        write_cell_number(w, write_number(w, bars[i].value));
        write_cell_number(w, write_number(w, bars[i].whole));
        if (before) {
            write_cell_number(w, was ? write_number(w, bars[i].before) : NONE);
            write_cell_number(w, was ? write_number(w, bars[i].before_whole) : NONE);
        }
    }
    figures_end(w);
    write_raw(w, "</figure>\n");
}

void chart_days(struct write *w, const char *title, const struct report_day *days, size_t count)
{
    int64_t most = 1, first = w->m->since_day, span = w->m->until_day - first + 1;
    double step = (double)WIDTH / (double)span;
    if (!count)
        return;
    for (size_t i = 0; i < count; i++)
        most = days[i].mails > most ? days[i].mails : most;
    write_raw(w, "<figure><p class=\"chart-title\">");
    write_text(w, title);
    write_raw(w, "</p>\n");
    open_drawing(w, 160, "days");
    FILL(T("{1}, from {2} to {3}"), title, write_day(w, first), write_day(w, w->m->until_day));
    end_title(w);
    for (size_t i = 0; i < count; i++) {
        double all = 160.0 * (double)days[i].mails / (double)most, met = 160.0 * (double)days[i].met / (double)most;
        double x = step * (double)(days[i].day - first) + step * 0.1;
        rect(w, CHART_NO, x, 160 - all, step * 0.8, all - met);
        rect(w, CHART_YES, x, 160 - met, step * 0.8, met);
    }
    write_raw(w, "</svg>\n<figcaption class=\"ends\"><span>");
    write_isolated(w, write_day(w, first));
    write_raw(w, "</span><span>");
    write_isolated(w, write_day(w, w->m->until_day));
    write_raw(w, "</span></figcaption>\n<ul class=\"legend\"><li><span class=\"key yes\"></span>");
    write_text(w, T("met all that we ask"));
    write_raw(w, "</li><li><span class=\"key no\"></span>");
    write_text(w, T("the rest"));
    write_raw(w, "</li></ul>\n");
    const char *const head[] = {T("Day"), T("Mails"), T("Met all"), NULL};
    figures(w, title, head);
    for (size_t i = 0; i < count; i++) {
        write_cell(w, write_day(w, days[i].day));
        write_cell_number(w, write_number(w, days[i].mails));
        write_cell_number(w, write_number(w, days[i].met));
    }
    figures_end(w);
    write_raw(w, "</figure>\n");
}
