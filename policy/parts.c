// SPDX-License-Identifier: BSD-2-Clause
/*
 * parts.c - the words of the language as values: levels, actions, days, and a table of what each standard is
 * asked of and does.
 *
 * Pure; a day that does not exist (2027-02-30) is none.
 */
#include "policy/model.h"
#include <stdio.h>

static const char *const levels[] = {"ignore", "record", "follow", "require"};
static const char *const actions[] = {"deliver", "tag", "quarantine", "hold", "defer", "reject"};

const char *policy_level_name(enum policy_level l)
{
    return (size_t)l < sizeof levels / sizeof *levels ? levels[l] : "?";
}

const char *policy_action_name(enum policy_action a)
{
    return (size_t)a < sizeof actions / sizeof *actions ? actions[a] : "?";
}

enum policy_action policy_default_action(enum standard s, enum policy_level l)
{
    if (l < POLICY_FOLLOW)
        return POLICY_DELIVER;
    if (l == POLICY_REQUIRE)
        return POLICY_REJECT;
    switch (s) {
    case STANDARD_SPF:
    case STANDARD_DANE:
        return POLICY_TAG;
    case STANDARD_DMARC:
        return POLICY_REJECT; /* the most a domain's owner can ask for: what is done is what the record says */
    case STANDARD_DNSSEC:
        return POLICY_DEFER;
    default:
        return POLICY_DELIVER;
    }
}

/* Tells whether a level may be asked of a standard, and whether it then acts on nothing, because the standard publishes
 * no wish. */
bool part_standard_takes(enum standard s, enum policy_level l, bool *acts_on_nothing)
{
    bool wish = s == STANDARD_SPF || s == STANDARD_DMARC || s == STANDARD_DANE || s == STANDARD_DNSSEC;
    *acts_on_nothing = l == POLICY_FOLLOW && !wish;
    return !(s == STANDARD_ARC && l == POLICY_REQUIRE);
}

uint32_t part_slots(const struct policy_statement *s)
{
    switch (s->kind) {
    case POLICY_RULE:
        return s->own_from ? SLOT_BIT(SLOT_OWN_FROM) : s->standards;
    case POLICY_NAMES_RULE:
        return SLOT_BIT(SLOT_NAMES);
    case POLICY_EXEMPT:
        return s->standards | (s->standards & POLICY_BIT(STANDARD_DNSSEC) ? SLOT_BIT(SLOT_NAMES) : 0);
    case POLICY_TRUST:
        return SLOT_BIT(SLOT_TRUST);
    case POLICY_SUSPEND:
        return SLOT_BIT(SLOT_SUSPEND);
    default:
        return 0;
    }
}

static int part_digits(struct slice s, size_t from, size_t n)
{
    int v = 0;
    for (size_t i = from; i < from + n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -1;
        v = v * 10 + (s.p[i] - '0');
    }
    return v;
}

time_t policy_day(struct slice text, int days)
{
    if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-')
        return 0;
    int y = part_digits(text, 0, 4), m = part_digits(text, 5, 2), d = part_digits(text, 8, 2);
    if (y < 1971 || m < 1 || m > 12 || d < 1 || d > 31)
        return 0;
    struct tm day = {.tm_year = y - 1900, .tm_mon = m - 1, .tm_mday = d, .tm_hour = 12, .tm_isdst = -1};
    if (mktime(&day) == (time_t)-1 || day.tm_mday != d)
        return 0;
    struct tm first = {.tm_year = y - 1900, .tm_mon = m - 1, .tm_mday = d + days, .tm_isdst = -1};
    time_t t = mktime(&first);
    return t == (time_t)-1 ? 0 : t;
}

const char *policy_day_text(time_t t, char out[POLICY_DAY_TEXT])
{
    struct tm day;
    if (!localtime_r(&t, &day) || strftime(out, POLICY_DAY_TEXT, "%Y-%m-%d", &day) == 0)
        snprintf(out, POLICY_DAY_TEXT, "?");
    return out;
}
