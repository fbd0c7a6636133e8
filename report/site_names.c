// SPDX-License-Identifier: BSD-2-Clause
/*
 * site_names.c - what our resolver was asked for: how much of it was signed, and the domains without working DNSSEC
 * that were asked for most.
 */
#include "report/write.h"
#include <string.h>

void site_names(struct write *w)
{
    const struct report_model *m = w->m;
    write_raw(w, "<p class=\"lead\">");
    write_text(w, T("DNS says where everything on the internet is. A signed answer cannot be altered on its way "
                    "unnoticed; the others can."));
    write_raw(w, "</p>\n");
    if (!m->names) {
        write_raw(w, "<p>");
        write_text(w, T("Our resolver has not reported anything in this period."));
        write_raw(w, "</p>\n");
        return;
    }
    write_raw(w, "<p class=\"figure\"><strong>");
    write_isolated(w, write_share(w, m->names_secure, m->names));
    write_raw(w, "</strong> <span>");
    write_text(w, T("of what was asked for was signed, and the signature was right."));
    write_raw(w, "</span></p>\n");
    write_coverage(w);
    const struct chart_part parts[] = {
        {T("signed"), m->names_secure, CHART_YES},
        {T("not signed"), m->names_insecure, CHART_SOME},
        {T("signature is wrong: refused"), m->names_bogus, CHART_NO},
        {T("other"), m->names - m->names_secure - m->names_insecure - m->names_bogus, CHART_OTHER}};
    chart_split(w, T("Answers by DNSSEC"), parts, 4);
    if (!m->zone_count)
        return;
    const char *const head[] = {T("Domain"), T("DNSSEC"), T("Asked for"), NULL};
    write_table(w, T("Domains without working DNSSEC, by how often they were asked for"), head);
    for (size_t i = 0; i < m->zone_count; i++) {
        const struct report_zone *z = &m->zones[i];
        write_cell(w, z->name);
        write_cell(w, z->state && strcmp(z->state, "bogus") == 0 ? T("signature is wrong: refused") : T("not signed"));
        write_cell_number(w, write_number(w, z->asked));
    }
    write_table_end(w);
    write_raw(w, "<p>");
    write_text(w, T("Whoever runs the DNS of these domains has to sign them, or to mend what is broken."));
    write_raw(w, "</p>\n");
}
