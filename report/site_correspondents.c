// SPDX-License-Identifier: BSD-2-Clause
/*
 * site_correspondents.c - suppliers and correspondents: those that miss with the most mail, and a page each with what
 * to ask of them and the letter.
 */
#include "report/standard_text.h"
#include "report/write.h"

static int64_t missed(const struct organisation *o)
{
    int64_t n = o->mails - o->met - o->explained - o->untested - o->not_asked;
    return n < 0 ? 0 : n;
}

static const char *standards_missed(struct write *w, const struct organisation *o)
{
    const char *text = "";
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++)
        if (o->misses & UINT32_C(1) << s)
            text = arena_printf(w->m->arena, "%s%s%s", text, *text ? ", " : "", write_standard(w, (enum standard)s));
    return *text ? text : T("each a little");
}

void site_correspondents(struct write *w)
{
    const struct report_model *m = w->m;
    write_raw(w, "<p class=\"lead\">");
    write_text(
        w, T("Organisations that write to us and do not meet all that we ask, those with the most such mail first. A "
             "letter to each is ready; nobody is written to by itself."));
    write_raw(w, "</p>\n");
    write_coverage(w);
    if (!m->worst_count) {
        write_raw(w, "<p>");
        write_text(w, T("Nobody that we know of."));
        write_raw(w, "</p>\n");
        return;
    }
    const char *const head[] = {T("Organisation"), T("Missing"),       T("Mails that miss"),
                                T("Of its mails"), T("May be forged"), NULL};
    write_table(w, T("Organisations that do not meet all"), head);
    for (size_t i = 0; i < m->worst_count; i++) {
        const struct organisation *o = &m->now.all[m->worst[i]];
        char page[SITE_NAME];
        write_cell_link(w, site_page_of(o->name, page), o->name);
        write_cell(w, standards_missed(w, o));
        write_cell_number(w, write_number(w, missed(o)));
        write_cell_number(w, write_number(w, o->mails));
        write_cell_number(w, write_number(w, o->perhaps));
    }
    write_table_end(w);
}

static void what_is_missing(struct write *w, const struct organisation *o)
{
    const char *const head[] = {T("Standard"), T("Asked of mails"),      T("Not met"),
                                T("Exempted"), T("Could not be tested"), NULL};
    write_table(w, T("By standard"), head);
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++) {
        if (!(o->asked & UINT32_C(1) << s) || o->by[s].asked <= 0)
            continue;
        write_cell(w, write_standard(w, (enum standard)s));
        write_cell_number(w, write_number(w, o->by[s].asked));
        write_cell_number(w, write_number(w, o->by[s].missed));
        write_cell_number(w, write_number(w, o->by[s].explained));
        write_cell_number(w, write_number(w, o->by[s].untested));
    }
    write_table_end(w);
}

static void isolated_paragraph(struct write *w, const char *text)
{
    write_raw(w, "<p>");
    write_isolated(w, text);
    write_raw(w, "</p>\n");
}

/* By what anybody can see of their mail to us; no user and no client of ours is in it. */
static void letter(struct write *w, const struct organisation *o)
{
    write_raw(w, "<section id=\"letter\"><h2>");
    write_text(w, T("The letter"));
    write_raw(w, "</h2>\n<blockquote>\n");
    isolated_paragraph(w, T("Dear colleague,"));
    write_raw(w, "<p>");
    FILL(T("We exchange mail with {1}, and would like to do so safely. From {2} to {3} we received {4} mails in your "
           "name; "
           "{5} of them did not meet what we ask."),
         o->name, write_day(w, w->m->since_day), write_day(w, w->m->until_day), write_number(w, o->mails),
         write_number(w, missed(o)));
    write_raw(w, "</p>\n<ul>\n");
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++) {
        const struct standard_text *t = standard_text((enum standard)s);
        if (!(o->misses & UINT32_C(1) << s))
            continue;
        write_raw(w, "<li><b>");
        write_text(w, write_standard(w, (enum standard)s));
        write_raw(w, ".</b> ");
        write_text(w, language_text(w->m->language, t->protects));
        write_raw(w, " ");
        write_text(w, language_text(w->m->language, t->acts));
        write_raw(w, "</li>\n");
    }
    write_raw(w, "</ul>\n");
    isolated_paragraph(w, T("Should we be mistaken, please tell us; we will look again."));
    isolated_paragraph(w, T("With kind regards,"));
    if (*policy_owner(w->m->policy))
        isolated_paragraph(w, policy_owner(w->m->policy));
    write_raw(w, "</blockquote>\n<p>");
    write_text(w, T("With what anybody can see of the domain from outside, and the records to publish:"));
    write_raw(w, "</p><pre><code>assay letter ");
    write_text(w, o->name);
    write_raw(w, "</code></pre></section>\n");
}

void site_correspondent(struct write *w, size_t index)
{
    const struct organisation *o = &w->m->now.all[index];
    int64_t told = o->mails - o->untested - o->not_asked;
    write_raw(w, "<p class=\"figure\"><strong>");
    write_isolated(w, write_share(w, o->met, told));
    write_raw(w, "</strong> <span>");
    write_text(w, T("of its mail met all that we ask."));
    write_raw(w, "</span></p>\n<p>");
    FILL(T("Missing: {1}."), standards_missed(w, o));
    if (o->stopped) {
        write_raw(w, " ");
        FILL(T("Besides, forgers used its name in {1} mails, which do not count."), write_number(w, o->stopped));
    }
    if (o->perhaps) {
        write_raw(w, " ");
        FILL(T("May be forged: {1} mails, since too little of its mail passed to tell. Do not send the letter before "
               "that "
               "is known."),
             write_number(w, o->perhaps));
    }
    write_raw(w, "</p>\n");
    write_coverage(w);
    what_is_missing(w, o);
    letter(w, o);
    write_raw(w, "<section><h2>");
    write_text(w, T("If they cannot do it yet"));
    write_raw(w, "</h2><p>");
    write_text(w, T("Agree to an exception, with a reason and an end:"));
    write_raw(w, "</p><pre><code>");
    for (int s = 0, n = 0; s < STANDARD_MAIL_COUNT; s++)
        if (o->misses & UINT32_C(1) << s) {
            write_raw(w, n++ ? ", " : "exempt ");
            if (n == 1) {
                write_text(w, o->name);
                write_raw(w, " from ");
            }
            write_raw(w, standard_name((enum standard)s));
        }
    write_raw(w, "\n  because \"...\" agreed by \"...\" through YYYY-MM-DD</code></pre></section>\n");
}
