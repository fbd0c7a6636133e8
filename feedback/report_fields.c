// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_fields.c - numbers and times in the reports of others.
 *
 * Promises that what is not wholly a number or a time within its bounds is none, and one spelling for each address. No
 * failure besides.
 */
#include "feedback/report_fields.h"
#include "feedback/report_in.h"
#include "base/clock.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EARLIEST INT64_C(1104537600) /* 2005: before there was DMARC */
#define AHEAD (2 * 86400)
#define MILLISECONDS INT64_C(100000000000) /* a larger number is in milliseconds */

static bool digits(const char *text, int64_t *out)
{
    size_t n = text ? strlen(text) : 0;
    if (n == 0 || n > 17 || strspn(text, "0123456789") != n)
        return false;
    *out = strtoll(text, NULL, 10);
    return true;
}

bool report_field_count(const char *text, int64_t *out)
{
    return digits(text, out) && *out > 0 && *out <= REPORT_COUNT_MAX;
}

/* "1763510400.25": the fraction is cut off. */
static bool seconds(const char *text, int64_t *out)
{
    char whole[24];
    const char *point = strchr(text, '.');
    size_t n = point ? (size_t)(point - text) : 0;
    if (!point)
        return digits(text, out);
    if (n >= sizeof whole || strspn(point + 1, "0123456789") != strlen(point + 1))
        return false;
    memcpy(whole, text, n);
    whole[n] = '\0';
    return digits(whole, out);
}

/* "2026-11-19": its first second. */
static bool date(const char *text, int64_t *out)
{
    struct tm tm = {0};
    int used = 0;
    if (strlen(text) != 10 || sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &used) != 3 ||
        used != 10)
        return false;
    int day = tm.tm_mday, month = --tm.tm_mon;
    tm.tm_year -= 1900;
    *out = (int64_t)timegm(&tm);
    return tm.tm_mday == day && tm.tm_mon == month;
}

/* "+01:00", "-0330" */
static bool zone_offset(const char *p, int *out)
{
    int h = 0, m = 0;
    bool colon = strlen(p) == 6 && p[3] == ':';
    if (!(colon || strlen(p) == 5) || sscanf(p + 1, colon ? "%2d:%2d" : "%2d%2d", &h, &m) != 2 || h > 23 || m > 59 ||
        strspn(p + 1, "0123456789:") != strlen(p + 1))
        return false;
    *out = (*p == '-' ? -1 : 1) * (h * 3600 + m * 60);
    return true;
}

/* "2026-11-19t00:00:00.5+01:00" */
static bool rfc3339(const char *text, int64_t *out)
{
    struct tm tm = {0};
    int used = 0;
    char mark = 0;
    if (sscanf(text, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &mark, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec, &used) != 7 ||
        !strchr("Tt ", mark) || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
        tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    const char *p = text + used;
    if (*p == '.')
        for (p++; isdigit((unsigned char)*p); p++)
            ;
    int zone = 0;
    if (*p == '+' || *p == '-') {
        if (!zone_offset(p, &zone))
            return false;
    } else if (*p && !((*p == 'Z' || *p == 'z') && !p[1])) {
        return false;
    }
    int day = tm.tm_mday, month = tm.tm_mon;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *out = (int64_t)timegm(&tm) - zone;
    return tm.tm_mday == day && tm.tm_mon == month - 1; /* no 30th of February */
}

static bool moment(const char *text, int64_t of_a_date, int64_t *out)
{
    if (!text)
        return false;
    if (date(text, out))
        *out += of_a_date;
    else if (!seconds(text, out) && !rfc3339(text, out))
        return false;
    if (*out >= MILLISECONDS)
        *out /= 1000;
    return *out >= EARLIEST && *out <= (int64_t)clock_wall() + AHEAD;
}

bool report_field_moment(const char *text, int64_t *out)
{
    return moment(text, 0, out);
}

bool report_field_last_moment(const char *text, int64_t *out)
{
    return moment(text, 86399, out);
}

const char *report_field_address(const char *text, char out[IP_TEXT])
{
    struct ip a;
    return ip_from_text(slice_str(text), &a) == STATUS_OK ? ip_text(&a, out) : text;
}

void report_field_word(char *text)
{
    for (; *text; text++)
        *text = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
}

struct slice report_field_cut(struct slice text)
{
    if (text.n <= REPORT_IN_FIELD)
        return text;
    text.n = REPORT_IN_FIELD;
    while (text.n && ((unsigned char)text.p[text.n] & 0xc0) == 0x80)
        text.n--;
    return text;
}
