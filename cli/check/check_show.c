// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_show.c - a report for people on a terminal.
 *
 * The grade and what it means first, then the three things most worth doing with what to publish or set, then the rest
 * in order of weight. Texts from outside were made visible where they were noted (check/testing.c).
 */
#include "cli/check/check_cmd.h"
#include "cli/cli.h"
#include "base/clock.h"
#include <stdio.h>

const char *check_grade_words(const struct check_report *r, char out[CHECK_GRADE_WORDS])
{
    if (r->least == r->grade)
        snprintf(out, CHECK_GRADE_WORDS, "%s", check_grade_name(r->grade));
    else
        snprintf(out, CHECK_GRADE_WORDS, _("%s to %s"), check_grade_name(r->least), check_grade_name(r->grade));
    return out;
}

static const char *colour_of(enum check_grade g)
{
    return cli_colour(stdout, g <= CHECK_A ? CLI_GREEN : g <= CHECK_C ? CLI_YELLOW : CLI_RED);
}

/* A grade that is not certain is no good one. */
static const char *colour_of_report(const struct check_report *r)
{
    return colour_of(r->least != r->grade && r->grade < CHECK_C ? CHECK_C : r->grade);
}

/* Two questions that everybody has of a domain, answered from the results. */
static void show_meaning(const struct check_report *r, struct buf *out)
{
    const struct check_result *x = r->results;
    const char *forged = x[CHECK_DMARC].state == CHECK_UNTESTED
                             ? _("It is not known whether mail in its name can be forged.")
                         : x[CHECK_DMARC].state == CHECK_PASS && x[CHECK_DMARC_POLICY].state == CHECK_PASS
                             ? _("Receivers are asked to stop mail that is forged in its name.")
                             : _("Anybody can send mail in its name, and receivers are not asked to stop it.");
    const char *way =
        !r->receives                            ? _("It takes no mail.")
        : x[CHECK_STARTTLS].state == CHECK_FAIL ? _("Mail to it crosses the internet in clear text.")
        : (r->mx_bogus && x[CHECK_DNSSEC_MX].state == CHECK_FAIL) || x[CHECK_DANE_MATCH].state == CHECK_FAIL ||
                x[CHECK_NS_TLSA].state == CHECK_FAIL || x[CHECK_STS_MX].state == CHECK_FAIL
            ? _("Careful senders cannot deliver mail to it.")
        : x[CHECK_DANE].state == CHECK_PASS && x[CHECK_DANE_MATCH].state == CHECK_PASS
            ? _("Mail to it is encrypted, and cannot be diverted on the way.")
        : x[CHECK_STS_MX].state == CHECK_PASS && x[CHECK_STS_MODE].state == CHECK_PASS
            ? _("Mail to it is encrypted by senders that know MTA-STS.")
        : x[CHECK_STARTTLS].state == CHECK_PASS ? _("Mail to it is encrypted, but can be diverted on the way.")
                                                : _("It is not known how mail to it is protected.");
    if (x[CHECK_DNSSEC_VALID].state == CHECK_FAIL)
        way = _("Its DNS is broken for everybody who validates.");
    buf_printf(out, "%s %s\n", forged, way);
}

static void show_entry(const struct check_report *r, enum check_test test, bool fix, struct buf *out)
{
    const struct check_test_info *info = check_test_info(test);
    const struct check_result *one = &r->results[test];
    buf_printf(out, "  %s%s%s\n", cli_colour(stdout, CLI_BOLD), cli_text(info->sentence),
               cli_colour(stdout, CLI_PLAIN));
    buf_printf(out, "     %s %s\n     %s\n", _("not so:"), one->evidence, cli_text(info->breaks));
    if (fix && one->fix) {
        buf_adds(out, "     ");
        buf_printf(out, _("to do, %s:"), cli_text(check_who_words(info->who)));
        buf_printf(out, "\n       %s\n", one->fix);
    }
}

static bool is_first(const struct check_report *r, int test)
{
    for (size_t i = 0; i < CHECK_FIRST; i++)
        if ((int)r->first[i] == test)
            return true;
    return false;
}

static void show_state(const struct check_report *r, enum check_state state, const char *title, struct buf *out)
{
    bool any = false;
    for (int i = 0; i < CHECK_TESTS; i++) {
        if (r->results[i].state != state || is_first(r, i))
            continue;
        if (!any)
            buf_printf(out, "\n%s\n", title);
        any = true;
        if (state >= CHECK_ADVICE)
            show_entry(r, (enum check_test)i, true, out);
        else
            buf_printf(out, "  %s: %s\n", check_test_info((enum check_test)i)->name, r->results[i].evidence);
    }
}

static void show_passed(const struct check_report *r, struct buf *out)
{
    size_t column = 0, width = (size_t)cli_width(stdout);
    if (!r->counts[CHECK_PASS])
        return;
    buf_printf(out, "\n%s (%u)\n ", _("In order"), r->counts[CHECK_PASS]);
    for (int i = 0; i < CHECK_TESTS; i++) {
        const char *name = check_test_info((enum check_test)i)->name;
        if (r->results[i].state != CHECK_PASS)
            continue;
        if (column + strlen(name) + 4 > width) {
            buf_adds(out, "\n ");
            column = 0;
        }
        buf_printf(out, " %s", name);
        column += strlen(name) + 1;
    }
    buf_addc(out, '\n');
}

void check_show(const struct check_options *o, const struct check_one *one, struct buf *out)
{
    const struct check_report *r = &one->report;
    char grade[CHECK_GRADE_WORDS], when[CLOCK_TEXT];
    buf_printf(out, "%s%s%s   %s", cli_colour(stdout, CLI_BOLD), one->domain, cli_colour(stdout, CLI_PLAIN),
               colour_of_report(r));
    buf_printf(out, _("grade %s"), check_grade_words(r, grade));
    buf_adds(out, cli_colour(stdout, CLI_PLAIN));
    if (!r->counts[CHECK_PASS] && !r->counts[CHECK_ADVICE] && !r->counts[CHECK_FAIL])
        buf_adds(out, _(", nothing could be tested"));
    else
        buf_printf(out, r->least == r->grade ? _(", %u of 100") : _(", %u of 100 of what could be tested"), r->score);
    buf_printf(out, "   (%s)\n", clock_utc_text(r->at, when));
    show_meaning(r, out);
    if (r->first[0] != CHECK_TESTS)
        buf_printf(out, "\n%s\n", _("Do first"));
    for (size_t i = 0; i < CHECK_FIRST && r->first[i] != CHECK_TESTS; i++)
        show_entry(r, r->first[i], true, out);
    show_state(r, CHECK_FAIL, _("Not met"), out);
    show_state(r, CHECK_ADVICE, _("Advice"), out);
    show_state(r, CHECK_UNTESTED, _("Could not be tested"), out);
    show_state(r, CHECK_NOTE, _("Optional, and not there"), out);
    show_passed(r, out);
    if (o->profile) {
        buf_addc(out, '\n');
        check_profile_show(o->profile, r, out);
    }
}

void check_show_fix(const struct check_one *one, struct buf *out)
{
    const struct check_report *r = &one->report;
    for (size_t i = 0; i < CHECK_FIRST && r->first[i] != CHECK_TESTS; i++)
        if (r->results[r->first[i]].fix)
            buf_printf(out, "%s: %s: %s\n", one->domain, cli_text(check_who_words(check_test_info(r->first[i])->who)),
                       r->results[r->first[i]].fix);
}

void check_show_line(const struct check_one *one, struct buf *out)
{
    const struct check_report *r = &one->report;
    char grade[CHECK_GRADE_WORDS];
    buf_printf(out, "%s grade %s, %u of 100: %u not met, %u advised, %u not tested", one->domain,
               check_grade_words(r, grade), r->score, r->counts[CHECK_FAIL], r->counts[CHECK_ADVICE],
               r->counts[CHECK_UNTESTED]);
    if (r->first[0] != CHECK_TESTS)
        buf_printf(out, "; first: %s", check_test_info(r->first[0])->name);
    buf_printf(out, " | score=%u;;;0;100 failed=%u untested=%u\n", r->score, r->counts[CHECK_FAIL],
               r->counts[CHECK_UNTESTED]);
}
