// SPDX-License-Identifier: BSD-2-Clause
/*
 * site_explained.c - apply or explain: the register of exceptions and trusted forwarders with their states, and those
 * who do not meet the policy and that nobody explained.
 */
#include "ledger/timestamp.h"
#include "report/glossary.h"
#include "report/write.h"

static void states(struct write *w)
{
    int64_t count[EXCEPTIONS_STATES] = {0};
    for (size_t i = 0; i < w->m->exception_count; i++)
        count[w->m->exceptions[i].state]++;
    const struct chart_part parts[] = {{T("explained"), count[EXCEPTIONS_EXPLAINED], CHART_SOME},
                                       {T("met by now: can go"), count[EXCEPTIONS_APPLIED], CHART_YES},
                                       {T("could not be tested"), count[EXCEPTIONS_COULD_NOT_TEST], CHART_OTHER},
                                       {T("ended"), count[EXCEPTIONS_ENDED], CHART_PAST},
                                       {T("ended, and not met"), count[EXCEPTIONS_ENDED_NOT_APPLIED], CHART_NO}};
    chart_split(w, T("Exceptions by state"), parts, sizeof parts / sizeof *parts);
}

static void definition(struct write *w, const char *term, const char *text)
{
    write_raw(w, "<dt>");
    write_text(w, term);
    write_raw(w, "</dt><dd>");
    write_isolated(w, text);
    write_raw(w, "</dd>");
}

static void entry(struct write *w, const struct report_exception *e)
{
    const struct policy_statement *p = e->statement;
    enum standard s = e->standard ? standard_from_name(slice_str(e->standard)) : STANDARD_COUNT;
    buf_printf(w->out, "<li class=\"card entry\" id=\"%s%s%s\"><h3>", p->id, e->standard ? "-" : "",
               e->standard ? e->standard : "");
    write_isolated(w, e->scope);
    write_raw(w, "</h3>\n<p><span class=\"state\">");
    write_text(w, write_state(w, e->state));
    write_raw(w, "</span> ");
    write_text(w, glossary_kind(w->m->language, p));
    if (s < STANDARD_COUNT)
        FILL(T(" from {1}"), write_standard(w, s));
    write_raw(w, "</p>\n<dl>");
    definition(w, T("Because"), p->because);
    definition(w, T("Agreed to by"), p->agreed_by);
    if (p->since)
        definition(w, T("Since"), write_policy_day(w, p->since));
    definition(w, T("Through"), write_policy_day(w, p->until - 43200));
    if (p->ref)
        definition(w, T("Reference"), p->ref);
    if (p->kind != POLICY_SUSPEND)
        definition(w, T("Used"),
                   e->used ? arena_printf(w->m->arena, "%s \xc3\x97, %s", write_number(w, e->used),
                                          write_day(w, timestamp_day(e->last)))
                           : T("never"));
    write_raw(w, "</dl></li>\n");
}

static void list(struct write *w, const char *id, const char *title, bool ending)
{
    size_t n = 0;
    for (size_t i = 0; i < w->m->exception_count; i++) {
        if (w->m->exceptions[i].ends_soon != ending)
            continue;
        if (!n++) {
            buf_printf(w->out, "<section id=\"%s\"><h2>", id);
            write_text(w, title);
            write_raw(w, "</h2>\n<ul class=\"cards plain\">\n");
        }
        entry(w, &w->m->exceptions[i]);
    }
    write_raw(w, n ? "</ul></section>\n" : "");
}

static void unexplained(struct write *w)
{
    const struct report_model *m = w->m;
    write_raw(w, "<section id=\"unexplained\"><h2>");
    write_text(w, T("Not met, and not explained"));
    write_raw(w, "</h2>\n<p>");
    if (!m->unexplained_count) {
        write_text(w, m->only_recorded > 0
                          ? T("None that the policy asks for. Mail failed DMARC, but nothing is asked of it yet: it is "
                              "only recorded.")
                          : T("None: all that was seen meets the policy or is explained."));
        write_raw(w, "</p></section>\n");
        return;
    }
    write_text(w,
               T("Their mail did not do what the policy asks, and nobody agreed to an exception. Forged mail is among "
                 "it, too."));
    write_raw(w, " ");
    write_text(w,
               T("A domain of which little mail passed may be the victim of a forger: do not write to its owner before "
                 "that is known."));
    write_raw(w, "</p>\n");
    const char *const head[] = {T("Domain"), T("Standard"), T("Mails"), T("Exception"), NULL};
    write_table(w, T("Domains with the most mail that is not explained"), head);
    for (size_t i = 0; i < m->unexplained_count; i++) {
        const struct report_unexplained *u = &m->unexplained[i];
        write_cell(w, u->domain);
        write_cell(w, write_standard(w, standard_from_name(slice_str(u->standard ? u->standard : ""))));
        write_cell_number(w, write_number(w, u->mails));
        write_cell(w, u->ended ? T("ended") : T("none"));
    }
    write_table_end(w);
    write_raw(w, "</section>\n");
}

void site_explained(struct write *w)
{
    write_raw(w, "<p class=\"lead\">");
    write_text(
        w, T("Apply or explain: who cannot meet a standard yet gets an exception with a reason, an end, and the name "
             "of whoever agreed. It stands here, and it ends by itself."));
    write_raw(w, "</p>\n");
    if (!w->m->exception_count) {
        write_raw(w, "<p>");
        write_text(w, T("There is no exception."));
        write_raw(w, "</p>\n");
    }
    states(w);
    list(w, "ending", T("Ending within a month: to be decided"), true);
    list(w, "register", T("The register"), false);
    unexplained(w);
}
