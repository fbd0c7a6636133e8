// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_reason.c - says why something was done with a mail, or what is the worst that was found of it.
 *
 * Promises that a mail of which anything that was looked at failed is never called a pass, whatever the policy asks.
 * What the policy asked about comes before what was found without its asking, where both are as bad. Texts of a sender
 * are added as they are: show them through cli/table.h. Failure: the buffer's error flag.
 */
#include "cli/ledger/mail_reason.h"
#include "base/standard.h"

/* How bad a result is: 0 for what is no failure ("none": it is not used). */
static int badness(const char *result)
{
    switch (result_from_name(slice_str(result ? result : ""))) {
    case RESULT_FAIL:
    case RESULT_PERMERROR:
        return 3;
    case RESULT_SOFTFAIL:
    case RESULT_POLICY:
        return 2;
    case RESULT_TEMPERROR:
        return 1;
    case RESULT_NONE:
    case RESULT_PASS:
    case RESULT_NEUTRAL:
    case RESULT_UNTESTED:
    case RESULT_COUNT: /* not a word for a result */
        break;
    }
    return 0;
}

/* Of two that are as bad: the one that says more about the author comes first. */
static int weight(const char *standard)
{
    static const enum standard order[] = {STANDARD_RDNS, STANDARD_TLS,    STANDARD_SPF,
                                          STANDARD_DKIM, STANDARD_DNSSEC, STANDARD_DANE,
                                          STANDARD_ARC,  STANDARD_DMARC,  STANDARD_MESSAGE_FORMAT};
    const enum standard s = standard_from_name(slice_str(standard ? standard : ""));
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (order[i] == s)
            return (int)i + 1;
    return 0;
}

static const struct value *worse(const struct value *a, const struct value *b)
{
    const int bad_a = badness(value_text(a, "result")), bad_b = badness(value_text(b, "result"));
    if (!a || bad_a != bad_b)
        return !a || bad_b > bad_a ? b : a;
    return weight(value_text(b, "standard")) > weight(value_text(a, "standard")) ? b : a;
}

static const struct value *worst_of(const struct record *r)
{
    const struct value *worst = NULL;
    for (size_t i = 0; i < value_count(r->lines) && i < RECORD_FINDINGS_MAX; i++)
        worst = worse(worst, value_at(r->lines, i));
    for (size_t i = 0; i < value_count(r->findings) && i < RECORD_FINDINGS_MAX; i++)
        worst = worse(worst, value_at(r->findings, i));
    return worst && badness(value_text(worst, "result")) ? worst : NULL;
}

/* The first line that asks for what the policy wants done. */
static const struct value *deciding(const struct record *r)
{
    for (size_t i = 0; i < value_count(r->lines) && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *line = value_at(r->lines, i);
        const char *action = value_text(line, "action");
        if (action && strcmp(action, r->would) == 0)
            return line;
    }
    return value_at(r->lines, 0);
}

static void add_result(struct buf *out, const struct value *f)
{
    const char *standard = value_text(f, "standard"), *result = value_text(f, "result"),
               *reason = value_text(f, "reason");
    buf_printf(out, "%s=%s", standard ? standard : "?", result ? result : "?");
    if (reason && *reason && (!result || strcmp(reason, result) != 0))
        buf_printf(out, ": %s", reason);
}

void mail_reason_add(struct buf *out, const struct record *r)
{
    const struct value *f = strcmp(r->would, "deliver") == 0 ? NULL : deciding(r);
    if (f) {
        const char *standard = value_text(f, "standard"), *reason = value_text(f, "reason");
        if (standard)
            buf_printf(out, "%s: %s", standard, reason ? reason : "");
        return;
    }
    if ((f = worst_of(r)) || (f = record_finding(r, "dmarc")))
        add_result(out, f);
    else if (r->skipped)
        buf_printf(out, "not judged: %s", r->skipped);
    else if ((f = value_at(r->lines, 0)))
        add_result(out, f);
}
