// SPDX-License-Identifier: BSD-2-Clause
/*
 * annual.c - the figures of a year and the register of exceptions, as a document for an annual report (annual.h).
 *
 * One text in two forms: HTML and plain text, put together by the same calls, so that they say the same. Promises that
 * nothing a sender wrote leaves its place in either: HTML by page_text(), text by utf8_add_visible().
 */
#include "report/annual.h"
#include "base/utf8.h"
#include "ledger/timestamp.h"
#include "report/frame.h"
#include "report/write.h"
#include <string.h>

#define COLUMNS 76

struct document {
    struct write *w;
    bool plain;
    const char *const *head;
    size_t column;
};

/* Text in lines that fit, the following ones behind `indent` blanks. */
static void put_lines(struct buf *out, const char *text, size_t indent)
{
    struct buf b = BUF_INIT;
    size_t column = indent;
    utf8_add_visible(&b, slice_str(text));
    for (const char *p = b.p; *p;) {
        size_t n = strcspn(p, " ");
        if (column > indent && column + 1 + n > COLUMNS) {
            buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            buf_addc(out, ' ');
            column++;
        }
        buf_add(out, p, n);
        column += n;
        p += n + (p[n] == ' ');
    }
    buf_addc(out, '\n');
    out->failed |= b.failed;
    buf_release(&b);
}

static void heading(struct document *d, const char *text)
{
    if (d->plain) {
        buf_addc(d->w->out, '\n');
        put_lines(d->w->out, text, 0);
        buf_addc(d->w->out, '\n');
        return;
    }
    write_raw(d->w, "<h2>");
    write_text(d->w, text);
    write_raw(d->w, "</h2>\n");
}

static void document_paragraph(struct document *d, const char *text)
{
    if (d->plain) {
        put_lines(d->w->out, text, 0);
        return;
    }
    write_raw(d->w, "<p>");
    write_text(d->w, text);
    write_raw(d->w, "</p>\n");
}

static void document_table(struct document *d, const char *caption, const char *const *head)
{
    d->head = head;
    d->column = 0;
    if (d->plain)
        put_lines(d->w->out, caption, 0);
    else
        write_table(d->w, caption, head);
}

/* In plain text a row is its first cell, and the others below it with their titles. */
static void cell(struct document *d, const char *text)
{
    struct buf *out = d->w->out;
    text = text && *text ? text : "\xe2\x80\x93";
    if (!d->plain) {
        write_cell(d->w, text);
        return;
    }
    buf_adds(out, d->column == 0 ? "  " : "    ");
    if (d->column) {
        struct buf line = BUF_INIT;
        buf_printf(&line, "%s: %s", d->head[d->column], text);
        put_lines(out, line.p, 4);
        out->failed |= line.failed;
        buf_release(&line);
    } else {
        put_lines(out, text, 2);
    }
    d->column = d->head[d->column + 1] ? d->column + 1 : 0;
}

static void table_end(struct document *d)
{
    if (!d->plain)
        write_table_end(d->w);
}

/* Beside each table of shares. */
static void coverage(struct document *d)
{
    char share[LANGUAGE_FORM];
    const struct report_model *m = d->w->m;
    if (!report_is_patchy(m))
        return;
    const char *text = language_text(m->language,
                                     LANGUAGE_MARK("Findings cover only part of this period: {1} of its hours.")),
               *place = strstr(text, "{1}");
    const char *said = arena_printf(m->arena, "%.*s%s%s", (int)(place - text), text,
                                    language_share(m->language, m->hours_seen, m->hours, share), place + 3);
    document_paragraph(d, said ? said : "");
}

static void shares(struct document *d)
{
    struct write *w = d->w;
    const struct report_model *m = w->m;
    const char *const head[] = {T("Standard"), T("This year"), T("The year before"), NULL};
    heading(d, T("Where we stand"));
    coverage(d);
    document_table(d, T("Organisations that write to us and meet what we ask of them"), head);
    cell(d, T("All that we ask"));
    cell(d, write_share(w, m->all.meets, report_told(&m->all)));
    cell(d, write_share(w, m->all_before.meets, report_told(&m->all_before)));
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++) {
        const struct report_standard *x = &m->standards[s];
        if (!report_told(&x->now) && !report_told(&x->before))
            continue;
        cell(d, write_standard(w, x->standard));
        cell(d, write_share(w, x->now.meets, report_told(&x->now)));
        cell(d, write_share(w, x->before.meets, report_told(&x->before)));
    }
    table_end(d);
}

static void mail(struct document *d)
{
    struct write *w = d->w;
    const char *const head[] = {T("Standard"), T("This year"), T("The year before"), NULL};
    heading(d, T("All mail"));
    coverage(d);
    document_table(d, T("The share of all mail that met each standard, asked for or not"), head);
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++) {
        const struct report_standard *x = &w->m->standards[s];
        if (!x->mails && !x->mails_before)
            continue;
        cell(d, write_standard(w, x->standard));
        cell(d, write_share(w, x->passed, x->mails));
        cell(d, write_share(w, x->passed_before, x->mails_before));
    }
    table_end(d);
}

static void lists(struct document *d)
{
    struct write *w = d->w;
    const char *const head[] = {T("List"), T("Members that meet all"), NULL};
    if (!w->m->group_count)
        return;
    heading(d, T("Groups"));
    coverage(d);
    document_table(d, T("The lists of our policy"), head);
    for (size_t i = 0; i < w->m->group_count; i++) {
        const struct report_group *g = &w->m->groups[i];
        cell(d, g->name);
        cell(d, write_share(w, g->counts.meets, report_told(&g->counts)));
    }
    table_end(d);
}

static void own(struct document *d)
{
    struct write *w = d->w;
    const char *const head[] = {T("Domain"), T("Grade"), T("At first"), NULL};
    size_t n = 0;
    heading(d, T("Our own house"));
    for (size_t i = 0; i < w->m->own_count; i++) {
        const struct report_own *o = &w->m->own[i];
        if (!o->count)
            continue;
        if (!n++)
            document_table(d, T("Grades of our own domains"), head);
        cell(d, o->domain);
        cell(d, check_grade_name(o->grades[o->count - 1].grade));
        cell(d, check_grade_name(o->grades[0].grade));
    }
    if (n)
        table_end(d);
    else
        document_paragraph(d, T("Our own domains have not been checked yet."));
}

static void explained(struct document *d)
{
    struct write *w = d->w;
    const char *const head[] = {T("For whom"),     T("Standard"), T("State"), T("Because"),
                                T("Agreed to by"), T("Through"),  NULL};
    heading(d, T("Explained"));
    document_paragraph(
        d, T("Apply or explain: who cannot meet a standard yet gets an exception with a reason, an end, and the name "
             "of whoever agreed. It stands here, and it ends by itself."));
    if (!w->m->exception_count) {
        document_paragraph(d, T("There is no exception."));
        return;
    }
    document_table(d, T("The register"), head);
    for (size_t i = 0; i < w->m->exception_count; i++) {
        const struct report_exception *e = &w->m->exceptions[i];
        cell(d, e->scope);
        cell(d, e->standard ? write_standard(w, standard_from_name(slice_str(e->standard))) : NULL);
        cell(d, write_state(w, e->state));
        cell(d, e->statement->because);
        cell(d, e->statement->agreed_by);
        cell(d, write_policy_day(w, e->statement->until - 43200));
    }
    table_end(d);
}

static void counted(struct document *d)
{
    struct write *w = d->w;
    heading(d, T("How it was counted"));
    document_paragraph(
        d, T("An organisation counts with at least five mails that are not stopped forgery. It meets all if in at "
             "least 95 % of them every standard passed that our policy follows or requires of it; exceptions are "
             "counted apart, and what could not be tested is in no share."));
}

static void body(struct document *d)
{
    shares(d);
    mail(d);
    lists(d);
    own(d);
    explained(d);
    counted(d);
}

/* "Security of mail and DNS in 2026" */
static const char *title_of(struct write *w)
{
    char day[TIMESTAMP_TEXT];
    const char *text = T("Security of mail and DNS in {1}"), *place = strstr(text, "{1}");
    timestamp_day_text(w->m->since_day, day);
    const char *title = arena_printf(w->m->arena, "%.*s%.4s%s", (int)(place - text), text, day, place + 3);
    return title ? title : "";
}

void annual_text(const struct report_model *m, struct buf *out)
{
    struct write w = {.m = m, .out = out};
    struct document d = {.w = &w, .plain = true};
    put_lines(out, title_of(&w), 0);
    put_lines(out, frame_name(&w), 0);
    put_lines(out, write_period(&w), 0);
    body(&d);
}

enum status annual_write(const struct report_model *m, const char *dir, char why[FOLDER_WHY])
{
    struct buf out = BUF_INIT;
    struct write w = {.m = m, .out = &out};
    struct document d = {.w = &w};
    struct folder *f = folder_begin(dir, FOLDER_PRIVATE, why);
    enum status st = f ? frame_style(f) : STATUS_DENIED;
    if (st == STATUS_OK) {
        const char *title = title_of(&w);
        frame_head(&w, title);
        frame_main(&w, title);
        body(&d);
        frame_end(&w, true);
        st = out.failed ? STATUS_NOMEM : folder_put(f, "index.html", buf_slice(&out));
    }
    if (f)
        st = st == STATUS_OK ? folder_finish(f, why) : folder_drop(f, st, why);
    buf_release(&out);
    return st;
}
