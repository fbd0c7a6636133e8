// SPDX-License-Identifier: BSD-2-Clause
/*
 * site_index.c - page one: where we stand, for somebody who has never heard of any of this.
 *
 * It answers five questions: are we safe, who is not, what must I decide, what does it cost, what is an exception and
 * who agreed to it. At most 250 words and five figures (tests/system/report holds both), whatever the ledger holds:
 * where the share needs two figures ("3 of 5"), or how much was seen must stand beside it, other figures become words.
 * Everything else is one page further.
 */
#include "report/glossary.h"
#include "report/write.h"
#include <string.h>

#define DECIDE_AT_ONCE 3
#define NAMED 3  /* domains in a sentence */
#define AGREED 2 /* of those who agreed */
#define CITED 36 /* octets of the name of somebody who agreed: the register has all of it */

/* Figures that the first answer needs besides the usual. */
static int figures_more(const struct report_model *m)
{
    int64_t told = report_told(&m->all);
    return (told > 0 && told < REPORT_FEW) + (told > 0 && report_is_patchy(m));
}

/* As many octets of a text as make whole characters within `most`. */
static size_t within(const char *text, size_t most)
{
    size_t n = strlen(text);
    if (n <= most)
        return n;
    for (n = most; n && ((unsigned char)text[n] & 0xC0) == 0x80;)
        n--;
    return n;
}

static void question(struct write *w, const char *id, const char *text)
{
    buf_printf(w->out, "<section class=\"question\" id=\"%s\"><h2>", id);
    write_text(w, text);
    write_raw(w, "</h2>\n");
}

static void index_answer(struct write *w, const char *text)
{
    write_raw(w, "<p class=\"answer\">");
    write_text(w, text);
    write_raw(w, "</p>\n");
}

/* A large figure and the words behind it. */
static void figure(struct write *w, const char *figure, const char *text)
{
    write_raw(w, "<p class=\"figure\"><strong>");
    write_isolated(w, figure);
    write_raw(w, "</strong> <span>");
    write_text(w, text);
    write_raw(w, "</span></p>\n");
}

/* A link whose words do not name the page: on paper its title stands behind them. */
static void link_to(struct write *w, const char *href, const char *page, const char *text)
{
    buf_printf(w->out, "<a href=\"%s\" data-page=\"", href);
    write_text(w, page);
    write_raw(w, "\">");
    write_text(w, text);
    write_raw(w, "</a>");
}

static void index_paragraph(struct write *w, const char *text)
{
    write_raw(w, "<p>");
    write_text(w, text);
    write_raw(w, "</p>\n");
}

/* ---- are we safe? ---- */

static size_t own_with_debts(const struct report_model *m, size_t *checked)
{
    size_t n = 0;
    *checked = 0;
    for (size_t i = 0; i < m->own_count; i++) {
        if (!m->own[i].count)
            continue;
        (*checked)++;
        n += m->own[i].grades[m->own[i].count - 1].failed > 0;
    }
    return n;
}

static void own_house(struct write *w)
{
    size_t checked, debts = own_with_debts(w->m, &checked);
    write_raw(w, "<p>");
    write_text(w, !checked ? T("Our own domains have not been checked yet.")
                  : !debts ? T("Our own domains are in order.")
                           : T("Our own domains are not all in order."));
    write_raw(w, " <a href=\"own.html\">");
    write_text(w, T("Our own house"));
    write_raw(w, "</a></p>\n");
}

static void are_we_safe(struct write *w)
{
    const struct report_model *m = w->m;
    int64_t told = report_told(&m->all),
            kept_away = m->only_records ? m->would_refuse + m->would_aside : m->refused + m->aside;
    size_t checked, debts = own_with_debts(m, &checked);
    question(w, "safe", T("Are we safe?"));
    if (!m->mails && !told) {
        index_answer(w, T("We cannot say yet."));
        index_paragraph(w, m->names ? T("No mail was judged in this period; only our resolver reports.")
                                    : T("Nothing was judged in this period."));
        own_house(w);
        write_raw(w, "</section>\n");
        return;
    }
    index_answer(w, m->only_records                                           ? T("Not yet: for now we only watch.")
                    : told && m->all.misses * 20 <= told && checked && !debts ? T("Yes, as far as can be seen.")
                    : told && !m->all.meets                                   ? T("Not yet.")
                                                                              : T("Partly."));
    if (told)
        figure(w, write_share(w, m->all.meets, told),
               T("of the organisations that write to us meet all that we ask of their mail."));
    else
        index_paragraph(w, m->all.not_asked ? T("The policy asks nothing yet of the organisations that write to us.")
                                            : T("Too little mail came to compare organisations."));
    write_coverage(w);
    const char *change = write_change(w, &m->all, &m->all_before);
    if (change)
        index_paragraph(w, change);
    const struct chart_part parts[] = {{T("meet all"), m->all.meets, CHART_YES},
                                       {T("have an exception"), m->all.explained, CHART_SOME},
                                       {T("do not meet all"), m->all.misses, CHART_NO}};
    chart_split(w, T("Organisations that write to us"), parts, 3);
    if (kept_away && figures_more(m) > 1)
        index_paragraph(w, m->only_records ? T("Some mail would have been refused or put aside.")
                                           : T("Some mail was refused or put aside."));
    else if (kept_away)
        figure(w, write_number(w, kept_away),
               m->only_records ? T("mails would have been refused or put aside.")
                               : T("mails were refused or put aside."));
    own_house(w);
    write_raw(w, "</section>\n");
}

/* ---- who is not? ---- */

static void names_of(struct write *w, const size_t *index, size_t count, bool linked)
{
    for (size_t i = 0; i < count && i < NAMED; i++) {
        char page[SITE_NAME];
        const char *name = w->m->now.all[index[i]].name;
        write_raw(w, i ? ", " : " ");
        if (linked)
            buf_printf(w->out, "<a href=\"%s\">", site_page_of(name, page));
        write_isolated(w, name);
        write_raw(w, linked ? "</a>" : "");
    }
}

static void who_is_not(struct write *w)
{
    const struct report_model *m = w->m;
    question(w, "who", T("Who is not?"));
    if (!m->all.misses) {
        index_answer(w, T("Nobody that we know of."));
    } else {
        if (figures_more(m))
            index_answer(w, T("Organisations that do not meet all, and have no exception."));
        else
            figure(w, write_number(w, m->all.misses),
                   write_plural(w, m->all.misses, T("organisation does not meet all, and has no exception."),
                                T("organisations do not meet all, and have no exception.")));
        write_raw(w, "<p>");
        if (m->missing_most < STANDARD_MAIL_COUNT)
            FILL(T("Missing most: {1}."), glossary_plain(m->language, m->missing_most));
        write_raw(w, " ");
        write_text(w, T("Write first to:"));
        names_of(w, m->worst, m->worst_count, true);
        write_raw(w, ". ");
        link_to(w, "correspondents.html", T("Correspondents"), T("All"));
        write_raw(w, "</p>\n");
    }
    if (m->victim_count) {
        write_raw(w, "<p>");
        write_text(w, T("Forgers misused the name of:"));
        names_of(w, m->victims, m->victim_count, false);
        write_raw(w, ".</p>\n");
    }
    write_raw(w, "</section>\n");
}

/* ---- what must I decide? what does it cost? ---- */

static void one_decision(struct write *w, const struct report_decision *d)
{
    write_raw(w, "<li><p><strong>");
    FILL(language_text(w->m->language, d->title), d->about);
    write_raw(w, ".</strong> ");
    write_text(w, d->ready     ? T("Nobody would be hit.")
                  : d->senders ? T("Ask some senders first.")
                               : T("Watch it longer first."));
    if (d->stopped) {
        write_raw(w, " ");
        write_text(w, T("It would stop forged mail."));
    }
    write_raw(w, "</p><pre><code>");
    write_text(w, d->line);
    write_raw(w, "</code></pre></li>\n");
}

static void what_to_decide(struct write *w)
{
    const struct report_model *m = w->m;
    size_t shown = 0;
    question(w, "decide", T("What must I decide?"));
    index_answer(w, m->decision_count || m->ending ? T("Whether we ask for more.") : T("Nothing now."));
    if (m->decision_count)
        write_raw(w, "<ul class=\"decisions\">\n");
    for (; shown < m->decision_count && shown + (m->ending > 0) < DECIDE_AT_ONCE; shown++)
        one_decision(w, &m->decisions[shown]);
    if (m->decision_count)
        write_raw(w, "</ul>\n");
    if (m->ending) {
        write_raw(w, "<p>");
        write_text(w, T("Exceptions end within a month: renew them or let them end."));
        write_raw(w, " ");
        link_to(w, "explained.html#ending", T("Explained"), T("Which ones"));
        write_raw(w, "</p>\n");
    }
    write_raw(w, "</section>\n");
}

static void what_it_costs(struct write *w)
{
    struct report_cost cost;
    report_cost(w->m, &cost);
    question(w, "cost", T("What does it cost?"));
    if (!cost.minutes) {
        index_answer(w, T("Nothing now."));
    } else {
        figure(w, write_number(w, (cost.minutes + 59) / 60),
               write_plural(w, (cost.minutes + 59) / 60, T("hour of our work."), T("hours of our work.")));
        write_raw(w, "<p>");
        write_text(w, cost.mails ? T("First ask those whose mail would be affected.")
                                 : T("No legitimate mail that we saw would be affected."));
        write_raw(w, " <a href=\"counted.html#effort\">");
        write_text(w, T("How it was counted"));
        write_raw(w, "</a></p>\n");
    }
    write_raw(w, "</section>\n");
}

/* ---- what is an exception, and who agreed to it? ---- */

static void agreed_by(struct write *w)
{
    const char *said[AGREED] = {0};
    size_t n = 0;
    for (size_t i = 0; i < w->m->exception_count && n < AGREED; i++) {
        const struct policy_statement *p = w->m->exceptions[i].statement;
        bool known = !p->agreed_by || p->until <= w->m->made;
        for (size_t k = 0; k < n && !known; k++)
            known = strcmp(said[k], p->agreed_by) == 0;
        if (!known)
            said[n++] = p->agreed_by;
    }
    for (size_t i = 0; i < n; i++) {
        write_raw(w, i ? "; <cite>" : " <cite>");
        bool long_one = strlen(said[i]) > CITED;
        write_isolated(w, long_one ? arena_printf(w->m->arena, "%.*s\xe2\x80\xa6", (int)within(said[i], CITED), said[i])
                                   : said[i]);
        write_raw(w, "</cite>");
    }
    write_raw(w, n ? "." : "");
}

static void exceptions(struct write *w)
{
    const struct report_model *m = w->m;
    question(w, "exception", T("What is an exception, and who agreed to it?"));
    index_paragraph(
        w, T("Somebody need not meet a standard for a while: for a reason, until a day, and somebody agreed."));
    figure(w, write_number(w, m->in_force),
           write_plural(w, m->in_force, T("exception is in force."), T("exceptions are in force.")));
    write_raw(w, "<p>");
    if (m->in_force) {
        write_text(w, T("Agreed to by:"));
        agreed_by(w);
    }
    write_raw(w, " <a href=\"explained.html\">");
    write_text(w, T("The register"));
    write_raw(w, "</a></p>\n</section>\n");
}

void site_index(struct write *w)
{
    write_raw(w, "<div class=\"questions\">\n");
    are_we_safe(w);
    who_is_not(w);
    what_to_decide(w);
    what_it_costs(w);
    exceptions(w);
    write_raw(w, "</div>\n");
}
