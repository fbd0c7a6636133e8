// SPDX-License-Identifier: BSD-2-Clause
/*
 * write.c - sentences, figures and tables of a page (write.h).
 *
 * Promises well-formed HTML whatever the texts are. Out of memory: the buffer's mark, or an empty text.
 */
#include "report/write.h"
#include "ledger/timestamp.h"
#include "report/glossary.h"
#include <stdarg.h>
#include <string.h>

#define FILL_MOST 6

void write_raw(struct write *w, const char *html)
{
    buf_adds(w->out, html);
}

void write_text(struct write *w, const char *text)
{
    page_text(w->out, text ? text : "");
}

void write_isolated(struct write *w, const char *text)
{
    if (w->bare)
        write_text(w, text);
    else
        page_isolated(w->out, text ? text : "");
}

void write_fill(struct write *w, const char *text, ...)
{
    const char *args[FILL_MOST] = {0};
    va_list list;
    va_start(list, text);
    for (size_t i = 0; i < FILL_MOST && (args[i] = va_arg(list, const char *)) != NULL; i++)
        continue;
    va_end(list);
    while (*text) {
        size_t n = strcspn(text, "{");
        struct buf part = BUF_INIT;
        buf_add(&part, text, n);
        write_text(w, part.p);
        w->out->failed |= part.failed;
        buf_release(&part);
        text += n;
        if (text[0] == '{' && text[1] >= '1' && text[1] <= '0' + FILL_MOST && text[2] == '}') {
            write_isolated(w, args[text[1] - '1']);
            text += 3;
        } else if (*text) {
            buf_addc(w->out, *text++);
        }
    }
}

static const char *text_kept(const struct write *w, const char *text)
{
    const char *t = arena_strdup(w->m->arena, text);
    return t ? t : "";
}

const char *write_number(const struct write *w, int64_t n)
{
    char text[LANGUAGE_FORM];
    return text_kept(w, language_number(w->m->language, n, text));
}

const char *write_share(const struct write *w, int64_t part, int64_t whole)
{
    char a[LANGUAGE_FORM], b[LANGUAGE_FORM];
    if (whole >= REPORT_FEW || whole == 0)
        return text_kept(w, language_share(w->m->language, part, whole, a));
    const char *t = arena_printf(w->m->arena, "%s %s %s", language_number(w->m->language, part, a), T("of"),
                                 language_number(w->m->language, whole, b));
    return t ? t : "";
}

const char *write_day(const struct write *w, int64_t day)
{
    char text[LANGUAGE_FORM];
    return text_kept(w, language_day(w->m->language, day, text));
}

const char *write_period(const struct write *w)
{
    const char *t =
        arena_printf(w->m->arena, "%s \xe2\x80\x93 %s", write_day(w, w->m->since_day), write_day(w, w->m->until_day));
    return t ? t : "";
}

const char *write_plural(const struct write *w, int64_t n, const char *one, const char *many)
{
    return language_plural(w->m->language, n, one, many);
}

const char *write_hours(const struct write *w, int64_t minutes)
{
    int64_t hours = (minutes + 59) / 60;
    const char *t =
        arena_printf(w->m->arena, "%s %s", write_number(w, hours), write_plural(w, hours, T("hour"), T("hours")));
    return t ? t : "";
}

const char *write_standard(const struct write *w, enum standard s)
{
    return glossary_standard(w->m->language, s);
}

const char *write_change(const struct write *w, const struct report_counts *now, const struct report_counts *before)
{
    int64_t told = report_told(now), was = report_told(before);
    if (!told || !was)
        return NULL;
    int64_t difference = now->meets * 100 / told - before->meets * 100 / was;
    return difference > 0   ? T("More than in the period before.")
           : difference < 0 ? T("Fewer than in the period before.")
                            : T("As many as in the period before.");
}

void write_coverage(struct write *w)
{
    if (!report_is_patchy(w->m))
        return;
    write_raw(w, "<p class=\"note\">");
    FILL(T("Findings cover only part of this period: {1} of its hours."),
         text_kept(w, language_share(w->m->language, w->m->hours_seen, w->m->hours, (char[LANGUAGE_FORM]){0})));
    write_raw(w, "</p>\n");
}

const char *write_state(const struct write *w, enum exceptions_state s)
{
    return glossary_exception(w->m->language, s);
}

const char *write_policy_day(const struct write *w, time_t t)
{
    char text[POLICY_DAY_TEXT];
    int64_t day = 0;
    return timestamp_day_from_text(policy_day_text(t, text), &day) ? write_day(w, day) : "";
}

/* ---- tables ---- */

void write_table(struct write *w, const char *caption, const char *const *head)
{
    page_table(&w->table, w->out, caption, head);
}

void write_cell(struct write *w, const char *text)
{
    page_cell(&w->table, text);
}

void write_cell_link(struct write *w, const char *href, const char *text)
{
    page_cell_open(&w->table, "long");
    buf_printf(w->out, "<a href=\"%s\">", href);
    write_isolated(w, text);
    write_raw(w, "</a>");
    page_cell_close(&w->table);
}

void write_cell_number(struct write *w, const char *number)
{
    page_cell_open(&w->table, "num");
    write_isolated(w, number);
    page_cell_close(&w->table);
}

void write_table_end(struct write *w)
{
    page_table_end(&w->table);
}
