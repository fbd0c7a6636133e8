// SPDX-License-Identifier: BSD-2-Clause
/*
 * site.c - the pages of a site, what surrounds each of them, and the order in which they are written (site.h).
 *
 * Promises that each page is well formed, loads nothing but our style sheet, and runs nothing: a
 * Content-Security-Policy says so, too. On failure nothing stands at the place that did not stand there before.
 */
#include "report/site.h"
#include "base/clock.h"
#include "report/folder.h"
#include "report/write.h"

static const char style[] =
#include "report/style.inc"
    ;

struct page {
    const char *file, *title;
    void (*write)(struct write *w);
};

static const struct page pages[] = {
    {"index.html", LANGUAGE_MARK("Where we stand"), site_index},
    {"standards.html", LANGUAGE_MARK("The standards"), site_standards},
    {"explained.html", LANGUAGE_MARK("Explained"), site_explained},
    {"own.html", LANGUAGE_MARK("Our own house"), site_own},
    {"correspondents.html", LANGUAGE_MARK("Correspondents"), site_correspondents},
    {"groups.html", LANGUAGE_MARK("Groups"), site_groups},
    {"names.html", LANGUAGE_MARK("Names"), site_names},
    {"counted.html", LANGUAGE_MARK("How it was counted"), site_counted},
};

#define PAGES (sizeof pages / sizeof *pages)

static void navigation(struct write *w, const struct page *here)
{
    write_raw(w, "<nav aria-label=\"");
    write_text(w, T("Pages"));
    write_raw(w, "\"><ul>\n");
    for (size_t i = 0; i < PAGES; i++) {
        buf_printf(w->out, "<li><a href=\"%s\"%s>", pages[i].file, &pages[i] == here ? " aria-current=\"page\"" : "");
        write_text(w, language_text(w->m->language, pages[i].title));
        write_raw(w, "</a></li>\n");
    }
    write_raw(w, "</ul></nav>\n");
}

static const char *name_of_all(const struct write *w)
{
    const char *title = policy_title(w->m->policy);
    return *title ? title : T("Mail and DNS");
}

static void begin(struct write *w, const struct page *here, const char *title)
{
    buf_printf(w->out,
               "<!DOCTYPE html>\n<html lang=\"%s\" dir=\"ltr\"><head><meta charset=\"utf-8\">\n<meta "
               "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'self' file:\">\n<meta "
               "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" "
               "content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n<title>",
               language_name(w->m->language));
    write_text(w, title);
    write_raw(w, " \xc2\xb7 ");
    write_text(w, name_of_all(w));
    write_raw(
        w, "</title>\n<link rel=\"stylesheet\" href=\"style.css\"></head>\n<body>\n<a class=\"skip\" href=\"#main\">");
    write_text(w, T("To the text"));
    write_raw(w, "</a>\n<header><p class=\"title\">");
    write_text(w, name_of_all(w));
    write_raw(w, "</p>\n<p class=\"period\">");
    write_text(w, write_period(w));
    write_raw(w, "</p>\n");
    navigation(w, here);
    write_raw(w, "</header>\n<main id=\"main\">\n<h1>");
    write_text(w, title);
    write_raw(w, "</h1>\n");
}

static void end(struct write *w)
{
    char now[CLOCK_TEXT];
    write_raw(w, "</main>\n<footer><p>");
    FILL("Assay {1} \xc2\xb7 {2} {3} \xc2\xb7 {4}", ASSAY_VERSION, T("policy"), policy_hash(w->m->policy),
         clock_utc_text((time_t)w->m->made, now));
    if (policy_owner(w->m->policy)[0]) {
        write_raw(w, " \xc2\xb7 ");
        FILL(T("Questions: {1}"), policy_owner(w->m->policy));
    }
    write_raw(w, "</p></footer>\n</body></html>\n");
}

static enum status put(struct folder *f, struct write *w, const char *file)
{
    enum status st = w->out->failed ? STATUS_NOMEM : folder_put(f, file, buf_slice(w->out));
    buf_reset(w->out);
    w->charts = 0;
    return st;
}

enum status site_write(const struct report_model *m, const char *dir, char why[SITE_WHY])
{
    struct buf out = BUF_INIT;
    struct write writing = {.m = m, .out = &out}, *w = &writing;
    struct folder *f = folder_begin(dir, why);
    enum status st = f ? folder_put(f, "style.css", slice_of(style, sizeof style - 1)) : STATUS_DENIED;
    for (size_t i = 0; i < PAGES && st == STATUS_OK; i++) {
        begin(w, &pages[i], language_text(m->language, pages[i].title));
        pages[i].write(w);
        end(w);
        st = put(f, w, pages[i].file);
    }
    for (size_t i = 0; i < m->worst_count && st == STATUS_OK; i++) {
        char file[SITE_NAME];
        const char *name = m->now.all[m->worst[i]].name;
        begin(w, NULL, name);
        site_correspondent(w, m->worst[i]);
        end(w);
        st = put(f, w, site_page_of(name, file));
    }
    buf_release(&out);
    if (!f)
        return st;
    return st == STATUS_OK ? folder_finish(f, why) : folder_drop(f, st, why);
}
