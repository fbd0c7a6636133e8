// SPDX-License-Identifier: BSD-2-Clause
/*
 * calendar.c - why a date that is written in the right form names no day.
 *
 * Promises to judge no other form, and to follow the Gregorian calendar (RFC 3339, 5.7 and appendix C).
 */
#include "base/calendar.h"
#include "base/words.h"
#include <stdio.h>

static bool is_full_date(struct slice s)
{
    for (size_t i = 0; s.n == 10 && i < s.n; i++)
        if (i == 4 || i == 7 ? s.p[i] != '-' : s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n == 10;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

static unsigned calendar_number(const char *p, size_t n)
{
    unsigned v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (unsigned)(p[i] - '0');
    return v;
}

const char *calendar_fault(struct slice day, char out[CALENDAR_FAULT])
{
    static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};
    if (!is_full_date(day))
        return NULL;
    unsigned y = calendar_number(day.p, 4), m = calendar_number(day.p + 5, 2), d = calendar_number(day.p + 8, 2);
    if (m < 1 || m > 12)
        snprintf(out, CALENDAR_FAULT, "months are numbered from 01 to 12");
    else if (d < 1)
        snprintf(out, CALENDAR_FAULT, "the days of a month are numbered from 01");
    else if (d > days_of(y, m))
        snprintf(out, CALENDAR_FAULT, "%s %04u has %u day%s", months[m - 1], y, days_of(y, m), words_s(days_of(y, m)));
    else
        return NULL;
    return out;
}
