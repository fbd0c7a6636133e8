// SPDX-License-Identifier: BSD-2-Clause
/*
 * site_standards.c - the standards, one card each: what it protects from, who meets it, whether that has become
 * better, who is missing, who has to act.
 */
#include "report/standard_text.h"
#include "report/write.h"

#define MISSING_NAMED 5

static void who_is_missing(struct write *w, enum standard s)
{
    size_t n = 0;
    for (size_t i = 0; i < w->m->worst_count && n < MISSING_NAMED; i++) {
        const struct organisation *o = &w->m->now.all[w->m->worst[i]];
        char page[SITE_NAME];
        if (!(o->misses & UINT32_C(1) << s))
            continue;
        if (!n++) {
            write_raw(w, "<p>");
            write_text(w, T("Missing most:"));
        }
        write_raw(w, n > 1 ? ", " : " ");
        buf_printf(w->out, "<a href=\"%s\">", site_page_of(o->name, page));
        write_isolated(w, o->name);
        write_raw(w, "</a>");
    }
    write_raw(w, n ? "</p>\n" : "");
}

static void card(struct write *w, const struct report_standard *x)
{
    const struct standard_text *t = standard_text(x->standard);
    int64_t told = report_told(&x->now), asked = told + x->now.untested;
    buf_printf(w->out, "<section class=\"card\" id=\"%s\"><h2>", standard_name(x->standard));
    write_text(w, write_standard(w, x->standard));
    write_raw(w, "</h2>\n<p class=\"protects\">");
    write_text(w, language_text(w->m->language, t->protects));
    write_raw(w, "</p>\n");
    if (told) {
        write_raw(w, "<p class=\"figure\"><strong>");
        write_isolated(w, write_share(w, x->now.meets, told));
        write_raw(w, "</strong> <span>");
        write_text(w, T("of the organisations of which we ask it meet it."));
        write_raw(w, "</span></p>\n");
        write_coverage(w);
        const struct chart_part parts[] = {{T("meet it"), x->now.meets, CHART_YES},
                                           {T("have an exception"), x->now.explained, CHART_SOME},
                                           {T("do not meet it"), x->now.misses, CHART_NO},
                                           {T("could not be tested"), x->now.untested, CHART_OTHER}};
        chart_split(w, write_standard(w, x->standard), parts, x->now.untested ? 4 : 3);
        const char *change = write_change(w, &x->now, &x->before);
        if (change) {
            write_raw(w, "<p>");
            write_text(w, change);
            write_raw(w, "</p>\n");
        }
    } else {
        write_raw(w, "<p>");
        write_text(w, asked ? T("It could not be tested.") : T("We do not ask for it yet."));
        write_raw(w, "</p>\n");
    }
    if (x->mails) {
        write_raw(w, "<p>");
        FILL(T("Of all mail {1} met it."), write_share(w, x->passed, x->mails));
        if (x->mails_before) {
            write_raw(w, " ");
            FILL(T("Before, it was {1}."), write_share(w, x->passed_before, x->mails_before));
        }
        write_raw(w, "</p>\n");
    }
    who_is_missing(w, x->standard);
    write_raw(w, "<p class=\"acts\"><b>");
    write_text(w, T("Who has to act:"));
    write_raw(w, "</b> ");
    write_text(w, language_text(w->m->language, t->acts));
    write_raw(w, "</p></section>\n");
}

void site_standards(struct write *w)
{
    size_t n = 0;
    struct chart_bar bars[STANDARD_MAIL_COUNT];
    write_raw(w, "<p class=\"lead\">");
    write_text(w,
               T("Each standard closes one way to forge mail or to read it on its way. Asked of an organisation, it is "
                 "met when it passed in nearly all of its mail."));
    write_raw(w, "</p>\n");
    write_coverage(w);
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++) {
        const struct report_standard *x = &w->m->standards[s];
        if (report_told(&x->now))
            bars[n++] = (struct chart_bar){write_standard(w, x->standard), x->now.meets, report_told(&x->now),
                                           x->before.meets, report_told(&x->before)};
    }
    if (n) {
        chart_bars(w, T("Organisations that meet each standard, of those of whom we ask it"), bars, n);
        write_raw(w, "<p class=\"chart-title\">");
        write_text(w, T("The thin mark is where it was in the period before."));
        write_raw(w, "</p>\n");
    }
    chart_days(w, T("Mail by day"), w->m->by_day, w->m->day_count);
    write_raw(w, "<div class=\"cards\">\n");
    for (int asked = 1; asked >= 0; asked--)
        for (int s = 0; s < STANDARD_MAIL_COUNT; s++)
            if ((report_told(&w->m->standards[s].now) > 0) == asked)
                card(w, &w->m->standards[s]);
    write_raw(w, "</div>\n");
}
