// SPDX-License-Identifier: BSD-2-Clause
/*
 * site_own.c - our own house: the grades of our own domains over time, what others report about them, and how they
 * reach our servers.
 */
#include "report/write.h"

static void first_things(struct write *w, const struct report_own *o)
{
    bool any = false;
    for (size_t i = 0; i < CHECK_FIRST && o->first[i] < CHECK_TESTS; i++) {
        const struct check_test_info *t = check_test_info(o->first[i]);
        if (!any) {
            write_raw(w, "<h3>");
            write_text(w, T("To mend first"));
            write_raw(w, "</h3>\n<ul>");
        }
        any = true;
        write_raw(w, "<li><strong>");
        write_text(w, T("Not yet:"));
        write_raw(w, "</strong> ");
        write_text(w, language_text(w->m->language, t->sentence));
        write_raw(w, "</li>");
    }
    write_raw(w, any ? "</ul>\n" : "");
}

static const char *state_words(struct write *w, enum check_state s)
{
    return s == CHECK_UNTESTED ? T("could not be tested") : s <= CHECK_NOTE ? T("met") : T("not met");
}

static void transport(struct write *w, const struct report_own *o)
{
    size_t n = 0;
    for (size_t i = 0; i < REPORT_OWN_TESTS; i++) {
        const struct report_own_test *x = &o->transport[i];
        const char *const head[] = {T("What is asked"), T("State"), T("What was found"), NULL};
        if (!x->evidence)
            continue;
        if (!n++)
            write_table(w, T("How mail reaches its servers"), head);
        write_cell(w, language_text(w->m->language, check_test_info(x->test)->sentence));
        write_cell(w, state_words(w, x->state));
        write_cell(w, x->evidence);
    }
    if (n)
        write_table_end(w);
}

static void one_domain(struct write *w, const struct report_own *o)
{
    const struct report_grade *g = &o->grades[o->count - 1];
    write_raw(w, "<section class=\"card wide\"><h2>");
    write_isolated(w, o->domain);
    write_raw(w, "</h2>\n<p class=\"figure\"><strong>");
    write_text(w, check_grade_name(g->grade));
    write_raw(w, "</strong> <span>");
    FILL(T("{1} of 100 points, checked on {2}"), write_number(w, g->score), write_day(w, g->day));
    write_raw(w, "</span></p>\n");
    if (g->untested) {
        write_raw(w, "<p>");
        FILL(T("Could not be tested: {1}"), write_number(w, g->untested));
        write_raw(w, "</p>\n");
    }
    first_things(w, o);
    transport(w, o);
    if (o->count > 1) {
        const char *const head[] = {T("Day"), T("Grade"), T("Points"), NULL};
        write_table(w, T("Grades over time"), head);
        for (size_t i = o->count; i-- > 0 && o->count - i <= 12;) {
            write_cell(w, write_day(w, o->grades[i].day));
            write_cell(w, check_grade_name(o->grades[i].grade));
            write_cell_number(w, write_number(w, o->grades[i].score));
        }
        write_table_end(w);
    }
    write_raw(w, "</section>\n");
}

static void grades(struct write *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->m->own_count; i++) {
        if (!w->m->own[i].count)
            continue;
        n++;
        one_domain(w, &w->m->own[i]);
    }
    if (n)
        return;
    write_raw(w, "<p>");
    write_text(w, T("Our own domains have not been checked yet."));
    write_raw(w, "</p><pre><code>assay check --own --keep</code></pre>\n");
}

static void reported(struct write *w)
{
    const struct report_model *m = w->m;
    write_raw(w, "<section id=\"reported\"><h2>");
    write_text(w, T("What others report about our domains"));
    write_raw(w, "</h2>\n<p>");
    if (!m->reported_count) {
        write_text(w, T("No report about our domains was read in."));
        write_raw(w, "</p></section>\n");
        return;
    }
    write_text(w,
               T("Mail that said it came from us, as its receivers saw it. What is not proved to be ours is forged, or "
                 "sent by a server of ours that is not set up right."));
    write_raw(w, "</p>\n");
    const char *const head[] = {T("Our domain"),
                                T("Reporters"),
                                T("Mails"),
                                T("Proved to be ours"),
                                T("Sessions with TLS reported"),
                                T("Failed"),
                                NULL};
    write_table(w, T("Reports by domain"), head);
    for (size_t i = 0; i < m->reported_count; i++) {
        const struct report_reported *x = &m->reported[i];
        write_cell(w, x->domain);
        write_cell_number(w, write_number(w, x->reporters));
        write_cell_number(w, write_number(w, x->mails));
        write_cell_number(w, write_share(w, x->aligned, x->mails));
        write_cell_number(w, write_number(w, x->sessions));
        write_cell_number(w, write_number(w, x->sessions_failed));
    }
    write_table_end(w);
    write_raw(w, "</section>\n");
}

void site_own(struct write *w)
{
    write_raw(w, "<p class=\"lead\">");
    write_text(
        w, T("We can ask of others only what we do ourselves. A domain's grade says how safely others can write to it, "
             "and how hard it is to forge."));
    write_raw(w, "</p>\n");
    grades(w);
    reported(w);
}
