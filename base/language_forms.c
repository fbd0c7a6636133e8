// SPDX-License-Identifier: BSD-2-Clause
/*
 * language_forms.c - numbers, shares, days and plurals, as each language writes them (language.h).
 *
 * One table, so that no locale need be installed and none is changed. Promises text of one line that fits
 * LANGUAGE_FORM. Pure.
 */
#include "base/language.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NO_BREAK "\xc2\xa0"
#define NARROW_NO_BREAK "\xe2\x80\xaf"

struct form {
    const char *thousands; /* between groups of three digits */
    const char *percent;
    const char *day_mark; /* behind the day of the month, but for the first; first_mark of the first */
    const char *first_mark;
    bool none_is_one; /* the plural begins at two */
    const char *months[12];
};

static const struct form forms[LANGUAGE_COUNT] = {
    [LANGUAGE_EN] = {",",
                     "%",
                     "",
                     "",
                     false,
                     {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                      "November", "December"}},
    [LANGUAGE_NL] = {".",
                     "%",
                     "",
                     "",
                     false,
                     {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september",
                      "oktober", "november", "december"}},
    [LANGUAGE_DE] = {".",
                     NO_BREAK "%",
                     ".",
                     ".",
                     false,
                     {"Januar", "Februar", "M\xc3\xa4rz", "April", "Mai", "Juni", "Juli", "August", "September",
                      "Oktober", "November", "Dezember"}},
    [LANGUAGE_FR] = {NARROW_NO_BREAK,
                     NO_BREAK "%",
                     "",
                     "er",
                     true,
                     {"janvier", "f\xc3\xa9vrier", "mars", "avril", "mai", "juin", "juillet", "ao\xc3\xbbt",
                      "septembre", "octobre", "novembre",
                      "d\xc3\xa9"
                      "cembre"}},
};

static const struct form *form_of(enum language l)
{
    return &forms[(unsigned)l < LANGUAGE_COUNT ? l : LANGUAGE_EN];
}

const char *language_number(enum language l, int64_t n, char out[LANGUAGE_FORM])
{
    char digits[24];
    const char *between = form_of(l)->thousands;
    size_t at = 0, count = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
    if (n < 0)
        out[at++] = '-';
    for (size_t i = 0; i < count; i++) {
        if (i && (count - i) % 3 == 0) {
            memcpy(out + at, between, strlen(between));
            at += strlen(between);
        }
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *language_share(enum language l, int64_t part, int64_t whole, char out[LANGUAGE_FORM])
{
    if (whole <= 0) {
        snprintf(out, LANGUAGE_FORM, "\xe2\x80\x93");
        return out;
    }
    int64_t share = (int64_t)(100.0 * (double)part / (double)whole + 0.5);
    if (share >= 100 && part < whole)
        share = 99;
    if (share <= 0 && part > 0)
        share = 1;
    snprintf(out, LANGUAGE_FORM, "%" PRId64 "%s", share, form_of(l)->percent);
    return out;
}

/* Year, month (from 1) and day of the month: the days of 400 years repeat (proleptic Gregorian calendar). */
static void date_of(int64_t day, int64_t *year, unsigned *month, unsigned *of_month)
{
    int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned of_era = (unsigned)(z - era * 146097);
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100), m = (5 * of_year + 2) / 153;
    *of_month = of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = (int64_t)year_of_era + era * 400 + (*month <= 2);
}

const char *language_day(enum language l, int64_t day, char out[LANGUAGE_FORM])
{
    const struct form *f = form_of(l);
    int64_t year;
    unsigned month, of_month;
    date_of(day, &year, &month, &of_month);
    snprintf(out, LANGUAGE_FORM, "%u%s %s %" PRId64, of_month, of_month == 1 ? f->first_mark : f->day_mark,
             f->months[month - 1], year);
    return out;
}

const char *language_plural(enum language l, int64_t n, const char *one, const char *many)
{
    return n == 1 || (n == 0 && form_of(l)->none_is_one) ? one : many;
}
