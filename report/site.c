// SPDX-License-Identifier: BSD-2-Clause
/*
 * site.c - the pages of a site, what surrounds each of them, and the order in which they are written (site.h).
 *
 * Promises that each page is well formed, loads nothing but our style sheet, and runs nothing: a
 * Content-Security-Policy says so, too. On failure nothing stands at the place that did not stand there before.
 */
#include "report/site.h"
#include "report/frame.h"
#include "report/write.h"

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

static void site_begin(struct write *w, const struct page *here, const char *title)
{
    frame_head(w, title);
    navigation(w, here);
    frame_main(w, title);
}

static enum status site_put(struct folder *f, struct write *w, const char *file)
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
    struct folder *f = folder_begin(dir, FOLDER_PRIVATE, why);
    enum status st = f ? frame_style(f) : STATUS_DENIED;
    for (size_t i = 0; i < PAGES && st == STATUS_OK; i++) {
        site_begin(w, &pages[i], language_text(m->language, pages[i].title));
        pages[i].write(w);
        frame_end(w, true);
        st = site_put(f, w, pages[i].file);
    }
    for (size_t i = 0; i < m->worst_count && st == STATUS_OK; i++) {
        char file[SITE_NAME];
        const char *name = m->now.all[m->worst[i]].name;
        site_begin(w, NULL, name);
        site_correspondent(w, m->worst[i]);
        frame_end(w, true);
        st = site_put(f, w, site_page_of(name, file));
    }
    buf_release(&out);
    if (!f)
        return st;
    return st == STATUS_OK ? folder_finish(f, why) : folder_drop(f, st, why);
}
