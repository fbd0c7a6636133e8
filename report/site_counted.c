// SPDX-License-Identifier: BSD-2-Clause
/*
 * site_counted.c - for the administrator: how it was counted, how much of the time was seen, what could not be tested,
 * how the work was estimated; and the words.
 */
#include "ledger/timestamp.h"
#include "report/write.h"

static void section(struct write *w, const char *id, const char *title)
{
    buf_printf(w->out, "<section id=\"%s\"><h2>", id);
    write_text(w, title);
    write_raw(w, "</h2>\n");
}

static void item(struct write *w, const char *term, const char *text)
{
    write_raw(w, "<dt>");
    write_text(w, term);
    write_raw(w, "</dt><dd>");
    write_text(w, text);
    write_raw(w, "</dd>\n");
}

static void definition_list(struct write *w)
{
    section(w, "words", T("The words"));
    write_raw(w, "<dl class=\"words\">\n");
    item(w, T("Organisation"),
         T("All domains that belong together by their owner's DMARC; counted with at least five mails "
           "in the period."));
    item(w, T("Meets all"),
         T("In at least 95 % of its mail every standard that our policy follows or requires of it passed."));
    item(w, T("Exception"),
         T("A standard that is not asked of somebody for a time: with a reason, an end, and a name that "
           "agreed."));
    item(w, T("Forged"),
         T("Mail that failed DMARC, bears no signature of the domain, and came from where the domain never "
           "sent. It counts against nobody."));
    item(w, T("Could not be tested"), T("Neither met nor missed: it is in no share."));
    item(w, T("Refused or put aside"), T("Rejected at the door, or delivered as junk, or held."));
    item(w, T("Period"), T("Whole days, in UTC. The period before is as long and ends where this one begins."));
    write_raw(w, "</dl></section>\n");
}

static void coverage(struct write *w)
{
    const struct report_model *m = w->m;
    char share[LANGUAGE_FORM];
    section(w, "coverage", T("How complete these figures are"));
    write_raw(w, "<p>");
    FILL(T("Findings were written in {1} of {2} hours ({3})."), write_number(w, m->hours_seen),
         write_number(w, m->hours), language_share(m->language, m->hours_seen, m->hours, share));
    if (m->now.more) {
        write_raw(w, " ");
        write_text(w, T("There were more organisations than are looked at; those with the least mail are left out."));
    }
    write_raw(w, "</p>\n");
    if (m->host_count) {
        const char *const head[] = {T("Host"), T("Last heard of"), T("Mails"), T("Dropped"), T("Lost"), NULL};
        write_table(w, T("The hosts that write findings"), head);
        for (size_t i = 0; i < m->host_count; i++) {
            write_cell(w, m->hosts[i].name);
            write_cell(w, write_day(w, timestamp_day(m->hosts[i].last)));
            write_cell_number(w, write_number(w, m->hosts[i].mails));
            write_cell_number(w, write_number(w, m->hosts[i].dropped));
            write_cell_number(w, write_number(w, m->hosts[i].lost));
        }
        write_table_end(w);
    }
    write_raw(w, "</section>\n");
}

static void untested(struct write *w)
{
    size_t n = 0;
    section(w, "untested", T("What could not be tested"));
    const char *const head[] = {T("Standard"), T("Organisations"), NULL};
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++) {
        if (!w->m->standards[s].now.untested)
            continue;
        if (!n++)
            write_table(w, T("Organisations of whom a standard is asked that could not be tested"), head);
        write_cell(w, write_standard(w, (enum standard)s));
        write_cell_number(w, write_number(w, w->m->standards[s].now.untested));
    }
    if (n) {
        write_table_end(w);
    } else {
        write_raw(w, "<p>");
        write_text(w, T("Nothing: everything that is asked could be tested."));
        write_raw(w, "</p>\n");
    }
    write_raw(w, "</section>\n");
}

static void effort(struct write *w)
{
    struct report_cost cost;
    report_cost(w->m, &cost);
    section(w, "effort", T("How the work was estimated"));
    write_raw(w, "<p>");
    FILL(T("What is to be decided would touch {1} mails of {2} senders, as far as was seen; {3} of work."),
         write_number(w, cost.mails), write_number(w, cost.senders), write_hours(w, cost.minutes));
    write_raw(w, "</p>\n");
    const char *const head[] = {T("Act"), T("Minutes"), NULL};
    write_table(w, T("Minutes for each act"), head);
    for (int e = 0; e < REPORT_EFFORTS; e++) {
        write_cell(w, language_text(w->m->language, report_effort((enum report_effort)e)->text));
        write_cell_number(w, write_number(w, report_effort((enum report_effort)e)->minutes));
    }
    write_table_end(w);
    write_raw(w, "</section>\n");
}

void site_counted(struct write *w)
{
    definition_list(w);
    coverage(w);
    untested(w);
    effort(w);
}
