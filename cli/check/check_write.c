// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_write.c - a report as JSON, CSV, a page, a label, and metrics.
 *
 * Promises that no text of a stranger leaves its place: JSON and HTML by the writers of base/json.h and report/page.h,
 * CSV with quotes and with an apostrophe before what a spreadsheet would take for a formula, SVG with nothing in it but
 * the domain's canonical name, the grade and a date. Page and label refer to nothing outside themselves.
 */
#include "base/clock.h"
#include "cli/csv.h"
#include "cli/check/check_cmd.h"
#include "report/page.h"
#include <stdio.h>

void check_write_json(const struct check_one *one, const char *profile, struct json *j)
{
    const struct check_report *r = &one->report;
    char when[CLOCK_TEXT];
    json_open(j);
    json_str(j, "domain", one->domain);
    if (one->error) {
        json_str(j, "error", one->error);
        json_end(j);
        return;
    }
    json_str(j, "time", clock_utc_text(r->at, when));
    json_int(j, "table", r->table);
    json_str(j, "grade", check_grade_name(r->grade));
    json_str(j, "grade_at_least", check_grade_name(r->least));
    json_int(j, "score", r->score);
    json_bool(j, "sends", r->sends);
    json_bool(j, "receives", r->receives);
    json_open_array(j, "first");
    for (size_t i = 0; i < CHECK_FIRST && r->first[i] != CHECK_TESTS; i++)
        json_str(j, NULL, check_test_info(r->first[i])->name);
    json_end(j);
    json_open_array(j, "results");
    for (int i = 0; i < CHECK_TESTS; i++) {
        const struct check_test_info *info = check_test_info((enum check_test)i);
        const struct check_result *x = &r->results[i];
        json_open(j);
        json_str(j, "test", info->name);
        json_str(j, "standard", standard_name(info->standard));
        json_str(j, "level", check_level_name(info->level));
        json_str(j, "state", check_state_name(x->state));
        json_str(j, "evidence", x->evidence);
        json_opt(j, "fix", x->fix);
        json_str(j, "who", check_who_name(info->who));
        json_end(j);
    }
    json_end(j);
    if (profile) {
        struct check_profile_result p;
        check_profile_judge(profile, r, &p);
        json_open_in(j, "profile");
        json_str(j, "name", profile);
        json_int(j, "requirements", (int64_t)p.rules);
        json_int(j, "met", (int64_t)p.met);
        json_int(j, "untested", (int64_t)p.unknown);
        json_open_array(j, "missing");
        for (size_t i = 0; i < p.missing; i++)
            json_str(j, NULL, check_test_info(p.first_missing[i])->name);
        json_end(j);
        json_end(j);
    }
    json_end(j);
}

/* ---- CSV (RFC 4180) ---- */

void check_write_csv_head(struct buf *out)
{
    buf_adds(out, "domain,time,grade,score,test,standard,level,state,evidence,fix\r\n");
}

void check_write_csv(const struct check_one *one, struct buf *out)
{
    const struct check_report *r = &one->report;
    char when[CLOCK_TEXT], score[16];
    snprintf(score, sizeof score, "%u", r->score);
    clock_utc_text(r->at, when);
    for (int i = 0; i < CHECK_TESTS; i++) {
        const struct check_test_info *info = check_test_info((enum check_test)i);
        const struct check_result *x = &r->results[i];
        const char *const cells[] = {one->domain,
                                     when,
                                     check_grade_name(r->grade),
                                     score,
                                     info->name,
                                     standard_name(info->standard),
                                     check_level_name(info->level),
                                     check_state_name(x->state),
                                     x->evidence,
                                     x->fix ? x->fix : ""};
        for (size_t k = 0; k < sizeof cells / sizeof cells[0]; k++) {
            if (k)
                buf_addc(out, ',');
            csv_cell(out, cells[k]);
        }
        buf_adds(out, "\r\n");
    }
}

/* ---- HTML ---- */

static void add_row(const struct check_report *r, enum check_test test, struct page_table *t)
{
    const struct check_test_info *info = check_test_info(test);
    const struct check_result *x = &r->results[test];
    page_cell(t, cli_text(info->sentence));
    page_cell(t, cli_text(check_state_name(x->state)));
    page_cell_open(t, NULL);
    page_isolated(t->out, x->evidence);
    if (x->state >= CHECK_ADVICE) {
        buf_adds(t->out, "<br>");
        page_text(t->out, cli_text(info->breaks));
    }
    if (x->fix) {
        buf_adds(t->out, "<br><code>");
        page_text(t->out, x->fix);
        buf_adds(t->out, "</code>");
    }
    page_cell_close(t);
}

static void add_table(const struct check_report *r, const char *title, enum check_state from, enum check_state to,
                      struct buf *out)
{
    const char *const head[] = {_("Asked for"), _("Result"), _("Found, and what to do"), NULL};
    struct page_table t;
    bool any = false;
    for (int i = 0; i < CHECK_TESTS; i++) {
        if (r->results[i].state < from || r->results[i].state > to)
            continue;
        if (!any) {
            buf_adds(out, "<h2>");
            page_text(out, title);
            buf_adds(out, "</h2>\n");
            page_table(&t, out, title, head);
        }
        any = true;
        add_row(r, (enum check_test)i, &t);
    }
    if (any)
        page_table_end(&t);
}

void check_write_html(const struct check_one *one, struct buf *out)
{
    const struct check_report *r = &one->report;
    char grade[CHECK_GRADE_WORDS], when[CLOCK_TEXT];
    page_begin(out, cli_language(), one->domain, one->domain);
    buf_adds(out, "<p>");
    buf_printf(out,
               r->least == r->grade ? _("Grade %s, %u of 100 points, on %s.")
                                    : _("Grade %s, %u of 100 points of what could be tested, on %s."),
               check_grade_words(r, grade), r->score, clock_utc_text(r->at, when));
    buf_adds(out, "</p>\n");
    add_table(r, _("Not met"), CHECK_ADVICE, CHECK_FAIL, out);
    add_table(r, _("Could not be tested"), CHECK_UNTESTED, CHECK_UNTESTED, out);
    add_table(r, _("In order"), CHECK_PASS, CHECK_NOTE, out);
    page_end(out);
}

/* ---- label ---- */

#define LABEL_LINE 17 /* letters of 11 px that fit in its width */

static void add_label_line(const char *text, size_t n, const char *before, int y, struct buf *out)
{
    const size_t width = (n + (*before != 0)) * 7;

    buf_printf(out,
               "<text x=\"60\" y=\"%d\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#222222\" "
               "text-anchor=\"middle\" textLength=\"%zu\" lengthAdjust=\"spacingAndGlyphs\">%s%.*s</text>\n",
               y, width > 104 ? 104 : width, before, (int)n, text);
}

/* The domain in one line or two, the second from a dot on where there is one. What does not fit is left out from the
 * start, since a name is owned from its end; the title has all of it. */
static void add_label_name(const char *domain, struct buf *out)
{
    const size_t n = strlen(domain);
    size_t second = n <= LABEL_LINE ? 0 : n - LABEL_LINE;

    if (second == 0) {
        add_label_line(domain, n, "", 88, out);
        return;
    }
    const char *dot = strchr(domain + second - 1, '.');
    if (dot && dot[1])
        second = (size_t)(dot + 1 - domain);
    if (second <= LABEL_LINE)
        add_label_line(domain, second, "", 84, out);
    else /* an ellipsis */
        add_label_line(domain + second - (LABEL_LINE - 1), LABEL_LINE - 1, "\342\200\246", 84, out);
    add_label_line(domain + second, n - second, "", 97, out);
}

/* A grade that is not certain, because something could not be tested, has no colour. */
void check_write_label(const struct check_one *one, struct buf *out)
{
    static const char *const fills[] = {"#00693e", "#00693e", "#3c6e00", "#7a5c00", "#9a4a00", "#a03000", "#a01818"};
    const struct check_report *r = &one->report;
    char when[CLOCK_TEXT], grade[CHECK_GRADE_WORDS], words[64], points[160];
    clock_utc_text(r->at, when);
    check_grade_words(r, grade);
    snprintf(words, sizeof words, _("grade %s"), grade);
    snprintf(points, sizeof points, _("%u of 100 points on %.10s, tested with Assay"), r->score, when);
    buf_printf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120\" height=\"120\" viewBox=\"0 0 120 120\" role=\"img\" "
        "aria-labelledby=\"t d\">\n<title id=\"t\">%s %s: %s</title>\n"
        "<desc id=\"d\">%s</desc>\n"
        "<rect width=\"120\" height=\"120\" rx=\"10\" fill=\"#ffffff\" stroke=\"#333333\"/>\n"
        "<rect x=\"10\" y=\"10\" width=\"100\" height=\"64\" rx=\"6\" fill=\"%s\"/>\n",
        _("Mail and DNS security of"), one->domain, words, points,
        r->least != r->grade ? "#555555" : fills[r->grade <= CHECK_F ? r->grade : CHECK_F]);
    buf_printf(
        out,
        "<text x=\"60\" y=\"58\" font-family=\"sans-serif\" font-size=\"%d\" font-weight=\"bold\" fill=\"#ffffff\" "
        "text-anchor=\"middle\">%s</text>\n",
        strlen(grade) > 2 ? 24 : 46, grade);
    add_label_name(one->domain, out);
    buf_printf(out,
               "<text x=\"60\" y=\"112\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#222222\" "
               "text-anchor=\"middle\">%.10s</text>\n</svg>\n",
               when);
}

void check_add_metrics(struct check_metrics *m, const struct check_one *one)
{
    const struct check_report *r = &one->report;
    const char *d = one->domain;
    buf_printf(&m->of[0], "{domain=\"%s\"} %u\n", d, r->score);
    buf_printf(&m->of[1], "{domain=\"%s\",grade=\"%s\"} 1\n", d, check_grade_name(r->grade));
    buf_printf(&m->of[2], "{domain=\"%s\",grade=\"%s\"} 1\n", d, check_grade_name(r->least));
    buf_printf(&m->of[3], "{domain=\"%s\"} %u\n", d, r->counts[CHECK_FAIL]);
    buf_printf(&m->of[4], "{domain=\"%s\"} %u\n", d, r->counts[CHECK_UNTESTED]);
    buf_printf(&m->of[5], "{domain=\"%s\"} %lld\n", d, (long long)r->at);
}

void check_write_metrics(const struct check_metrics *m, struct buf *out)
{
    static const struct {
        const char *name, *help;
    } kinds[CHECK_METRICS] = {{"score", "Points of 100."},
                              {"grade", "The grade, of what could be tested."},
                              {"grade_at_least", "The grade if all that could not be tested failed."},
                              {"failed", "Requirements that are not met."},
                              {"untested", "Tests that could not be made."},
                              {"time_seconds", "When the domain was checked."}};
    for (size_t i = 0; i < CHECK_METRICS; i++) {
        struct slice rest = buf_slice(&m->of[i]);
        if (rest.n)
            buf_printf(out, "# HELP assay_check_%s %s\n# TYPE assay_check_%s gauge\n", kinds[i].name, kinds[i].help,
                       kinds[i].name);
        while (rest.n) {
            const char *end = memchr(rest.p, '\n', rest.n);
            size_t n = end ? (size_t)(end - rest.p) + 1 : rest.n;
            buf_printf(out, "assay_check_%s%.*s", kinds[i].name, (int)n, rest.p);
            rest = slice_from(rest, n);
        }
        out->failed = out->failed || m->of[i].failed;
    }
}

void check_metrics_release(struct check_metrics *m)
{
    for (size_t i = 0; i < CHECK_METRICS; i++)
        buf_release(&m->of[i]);
}
