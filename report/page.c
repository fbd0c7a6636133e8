// SPDX-License-Identifier: BSD-2-Clause
/*
 * page.c - head, style and foot of our HTML pages.
 *
 * Promises well-formed HTML whatever the texts are: controls and direction characters are made visible (base/utf8.h),
 * markup is escaped, and a Content-Security-Policy keeps even a slip of ours from loading or running anything. Failure
 * is the buffer's mark. Numbers and dates stand on one line (class n); a wide table scrolls by itself, and on paper its
 * head comes again on each page.
 */
#include "report/page.h"
#include "base/utf8.h"

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222;background:#fff}"
    "table{border-collapse:collapse;margin:1em 0;display:block;overflow-x:auto}"
    "th,td{text-align:left;padding:.3em 1em .3em 0;border-bottom:1px solid #ccc;vertical-align:top}"
    ".n{white-space:nowrap;font-variant-numeric:tabular-nums}.r{text-align:right}"
    "h2{margin-top:2em}p{max-width:45em}footer{margin-top:3em;color:#555}tr.ended{color:#a00}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}th,td{border-color:#444}footer{color:#999}"
    "tr.ended{color:#f99}}"
    "@media print{body{font-size:10pt;margin:0;max-width:none}table{display:table;width:100%}"
    "thead{display:table-header-group}tr{break-inside:avoid}}";

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

void page_begin(struct buf *out, enum language language, const char *title, const char *heading)
{
    buf_printf(out, "<!DOCTYPE html>\n<html lang=\"%s\">", language_name(language));
    buf_adds(out,
             "<head><meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    page_text(out, title);
    buf_printf(out, "</title>\n<style>%s</style></head>\n<body>\n<h1>", style);
    page_text(out, heading);
    buf_adds(out, "</h1>\n");
}

void page_end(struct buf *out)
{
    buf_adds(out, "</body></html>\n");
}
