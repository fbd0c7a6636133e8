// SPDX-License-Identifier: BSD-2-Clause
/*
 * page.c - the style of our HTML pages, their texts and tables, and head and foot of a page that stands alone.
 *
 * Promises well-formed HTML whatever the texts are: controls and direction characters are made visible (base/utf8.h),
 * markup is escaped, and a Content-Security-Policy keeps even a slip of ours from loading or running anything. Failure
 * is the buffer's mark. A cell bears its column's title, so that a narrow screen can show the rows as lists; on paper a
 * table's head comes again on each page.
 */
#include "report/page.h"
#include "base/utf8.h"

#define LONG_WORD 18

static const char style[] =
#include "report/style.inc"
    ;

struct slice page_style(void)
{
    return slice_of(style, sizeof style - 1);
}

void page_text(struct buf *out, const char *text)
{
    struct buf b = BUF_INIT;
    utf8_add_visible(&b, slice_str(text));
    for (const char *p = b.p; *p; p++) {
        if (*p == '&')
            buf_adds(out, "&amp;");
        else if (*p == '<')
            buf_adds(out, "&lt;");
        else if (*p == '>')
            buf_adds(out, "&gt;");
        else if (*p == '"')
            buf_adds(out, "&quot;");
        else
            buf_addc(out, *p);
    }
    out->failed |= b.failed;
    buf_release(&b);
}

void page_isolated(struct buf *out, const char *text)
{
    buf_adds(out, "<bdi>");
    page_text(out, text);
    buf_adds(out, "</bdi>");
}

void page_begin(struct buf *out, enum language language, const char *title, const char *heading)
{
    buf_printf(out, "<!DOCTYPE html>\n<html lang=\"%s\" dir=\"%s\">", language_name(language),
               language_direction(language));
    buf_adds(out,
             "<head><meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    page_text(out, title);
    buf_printf(out, "</title>\n<style>%s</style></head>\n<body>\n<main>\n<h1>", style);
    page_text(out, heading);
    buf_adds(out, "</h1>\n");
}

void page_end(struct buf *out)
{
    buf_adds(out, "</main>\n</body></html>\n");
}

/* ---- tables ---- */

void page_table(struct page_table *t, struct buf *out, const char *caption, const char *const *head)
{
    *t = (struct page_table){.out = out, .head = head};
    buf_adds(out, "<table role=\"table\"><caption>");
    page_text(out, caption);
    buf_adds(out, "</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">");
    for (; head[t->columns]; t->columns++) {
        buf_adds(out, "<th scope=\"col\" role=\"columnheader\">");
        page_text(out, head[t->columns]);
        buf_adds(out, "</th>");
    }
    buf_adds(out, "</tr></thead>\n<tbody role=\"rowgroup\">\n");
}

void page_cell_open(struct page_table *t, const char *class)
{
    if (t->column == 0)
        buf_adds(t->out, "<tr role=\"row\">");
    buf_adds(t->out, "<td role=\"cell\"");
    if (class)
        buf_printf(t->out, " class=\"%s\"", class);
    buf_adds(t->out, " data-label=\"");
    page_text(t->out, t->head[t->column]);
    buf_adds(t->out, "\">");
}

void page_cell_close(struct page_table *t)
{
    buf_adds(t->out, "</td>");
    if (++t->column == t->columns) {
        buf_adds(t->out, "</tr>\n");
        t->column = 0;
    }
}

/* Whether a word of it may be broken anywhere, since it is too long for a column: names and what senders wrote. */
static bool has_long_word(const char *text)
{
    for (size_t n = 0; *text; text++) {
        n = *text == ' ' ? 0 : n + 1;
        if (n > LONG_WORD)
            return true;
    }
    return false;
}

void page_cell(struct page_table *t, const char *text)
{
    page_cell_open(t, text && has_long_word(text) ? "long" : NULL);
    page_isolated(t->out, text && *text ? text : "\xe2\x80\x93");
    page_cell_close(t);
}

void page_table_end(struct page_table *t)
{
    buf_adds(t->out, "</tbody></table>\n");
}
