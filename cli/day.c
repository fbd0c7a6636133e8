// SPDX-License-Identifier: BSD-2-Clause
/*
 * day.c - what an option answers that takes a date: that there is no such day, or how dates are written.
 */
#include "cli/day.h"
#include "base/calendar.h"
#include <stdio.h>

const char *cli_day_wanted(const char *value, const char *form)
{
    static char wanted[CALENDAR_FAULT + 8];
    char fault[CALENDAR_FAULT];
    if (!calendar_fault(slice_of(value, strcspn(value, "T ")), fault))
        return form;
    snprintf(wanted, sizeof wanted, "a day: %s", fault);
    return wanted;
}
