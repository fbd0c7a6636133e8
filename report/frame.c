// SPDX-License-Identifier: BSD-2-Clause
/*
 * frame.c - head and foot of our pages, and their style (frame.h).
 *
 * Promises pages that load nothing but the style sheet and run nothing: a Content-Security-Policy says so, too.
 */
#include "report/frame.h"
#include "base/clock.h"

enum status frame_style(struct folder *f)
{
    return folder_put(f, "style.css", page_style());
}

const char *frame_name(const struct write *w)
{
    const char *title = policy_title(w->m->policy);
    return *title ? title : T("Mail and DNS");
}

void frame_head(struct write *w, const char *title)
{
    buf_printf(w->out,
               "<!DOCTYPE html>\n<html lang=\"%s\" dir=\"%s\"><head><meta charset=\"utf-8\">\n<meta "
               "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'self' file:\">\n<meta "
               "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" "
               "content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n<title>",
               language_name(w->m->language), language_direction(w->m->language));
    write_text(w, title);
    write_raw(w, " \xc2\xb7 ");
    write_text(w, frame_name(w));
    write_raw(
        w, "</title>\n<link rel=\"stylesheet\" href=\"style.css\"></head>\n<body>\n<a class=\"skip\" href=\"#main\">");
    write_text(w, T("To the text"));
    write_raw(w, "</a>\n<header><p class=\"title\">");
    write_isolated(w, frame_name(w));
    write_raw(w, "</p>\n<p class=\"period\">");
    write_text(w, write_period(w));
    write_raw(w, "</p>\n");
}

void frame_main(struct write *w, const char *title)
{
    write_raw(w, "</header>\n<main id=\"main\">\n<h1>");
    write_isolated(w, title);
    write_raw(w, "</h1>\n");
}

void frame_end(struct write *w, bool with_policy)
{
    char now[CLOCK_TEXT];
    write_raw(w, "</main>\n<footer><p>");
    FILL("Assay {1} \xc2\xb7 {2}", ASSAY_VERSION, clock_utc_text((time_t)w->m->made, now));
    if (with_policy)
        FILL(" \xc2\xb7 {1} {2}", T("policy"), policy_hash(w->m->policy));
    if (with_policy && policy_owner(w->m->policy)[0]) {
        write_raw(w, " \xc2\xb7 ");
        FILL(T("Questions: {1}"), policy_owner(w->m->policy));
    }
    write_raw(w, "</p></footer>\n</body></html>\n");
}
