// SPDX-License-Identifier: BSD-2-Clause
/*
 * timestamp.c - parses and prints times.
 *
 * Promises that a text is accepted completely or not at all: text after a time, a 31st of February and a 25th hour are
 * refused. Days are counted by the proleptic Gregorian calendar, in UTC, so that a record falls on the same day on
 * every host. On failure *out is untouched.
 */
#include "ledger/timestamp.h"
#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Static_assert(sizeof(time_t) == 8, "times beyond 2038: build with -D_TIME_BITS=64");

static bool timestamp_digits(const char **p, int n, int *out)
{
    int value = 0;
    for (int i = 0; i < n; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        value = value * 10 + (**p - '0');
    }
    *out = value;
    return true;
}

static bool literal(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

static bool date(const char **p, struct tm *tm)
{
    *tm = (struct tm){0};
    if (!timestamp_digits(p, 4, &tm->tm_year) || !literal(p, '-') || !timestamp_digits(p, 2, &tm->tm_mon) ||
        !literal(p, '-') || !timestamp_digits(p, 2, &tm->tm_mday))
        return false;
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    struct tm check = *tm;
    time_t t = timegm(&check);
    return t >= 0 && check.tm_mday == tm->tm_mday && check.tm_mon == tm->tm_mon && check.tm_year == tm->tm_year;
}

static bool hours(const char **p, struct tm *tm)
{
    return timestamp_digits(p, 2, &tm->tm_hour) && literal(p, ':') && timestamp_digits(p, 2, &tm->tm_min) &&
           tm->tm_hour < 24 && tm->tm_min < 60;
}

bool timestamp_from_record(const char *text, int64_t *out)
{
    struct tm tm;
    const char *p = text;
    if (!p || !date(&p, &tm) || !literal(&p, 'T') || !hours(&p, &tm) || !literal(&p, ':') ||
        !timestamp_digits(&p, 2, &tm.tm_sec) || tm.tm_sec > 60)
        return false;
    int64_t fraction = 0, scale = TIMESTAMP_SECOND / 10;
    if (literal(&p, '.'))
        for (; *p >= '0' && *p <= '9'; p++, scale /= 10)
            fraction += (*p - '0') * scale;
    if (!literal(&p, 'Z') || *p)
        return false;
    *out = (int64_t)timegm(&tm) * TIMESTAMP_SECOND + fraction;
    return true;
}

/* A local time. In the night in which the clock is put back an hour comes twice: the first of them, or the last. */
static int64_t local(const struct tm *wanted, bool last)
{
    struct tm tm = *wanted, real;
    tm.tm_isdst = -1;
    time_t found = timelocal(&tm);
    for (int summer = 0; summer <= 1; summer++) {
        tm = *wanted;
        tm.tm_isdst = summer;
        time_t t = timelocal(&tm);
        if (localtime_r(&t, &real) && real.tm_isdst == summer && real.tm_hour == wanted->tm_hour &&
            real.tm_min == wanted->tm_min && real.tm_mday == wanted->tm_mday && (last ? t > found : t < found))
            found = t;
    }
    return (int64_t)found * TIMESTAMP_SECOND;
}

/* Local midnight `days` before that of this day. */
static int64_t midnight(struct tm tm, int days)
{
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_mday -= days;
    tm.tm_isdst = -1;
    (void)timelocal(&tm); /* makes a day of the month of it */
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    return local(&tm, false);
}

static bool ago(const char *text, int64_t *out)
{
    char *end;
    long n = strtol(text, &end, 10);
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (end != text && n >= 0 && n <= 100000 && end[0] == units[i].unit && !end[1]) {
            *out = clock_wall_us() - n * units[i].seconds * TIMESTAMP_SECOND;
            return true;
        }
    return false;
}

static bool from_person(const char *text, bool last, int64_t *out)
{
    struct tm tm;
    const char *p = text;
    bool yesterday = strcmp(text, "yesterday") == 0, named = yesterday || strcmp(text, "today") == 0;
    time_t now = clock_wall();
    if (ago(text, out))
        return true;
    if (named)
        localtime_r(&now, &tm);
    else if (!date(&p, &tm))
        return false;
    if (named || !*p) {
        *out = last ? midnight(tm, yesterday - 1) - 1 : midnight(tm, yesterday);
        return true;
    }
    if (!((literal(&p, 'T') || literal(&p, ' ')) && hours(&p, &tm) &&
          (!literal(&p, ':') || (timestamp_digits(&p, 2, &tm.tm_sec) && tm.tm_sec < 60)) && !*p))
        return false;
    *out = local(&tm, last);
    return true;
}

bool timestamp_from_person(const char *text, int64_t *out)
{
    return from_person(text, false, out);
}

bool timestamp_until_from_person(const char *text, int64_t *out)
{
    return from_person(text, true, out);
}

int64_t timestamp_day(int64_t moment)
{
    return moment >= 0 ? moment / TIMESTAMP_DAY : -((-moment + TIMESTAMP_DAY - 1) / TIMESTAMP_DAY);
}

bool timestamp_day_from_text(const char *text, int64_t *day)
{
    struct tm tm;
    const char *p = text;
    if (!date(&p, &tm) || *p)
        return false;
    *day = (int64_t)timegm(&tm) / 86400;
    return true;
}

bool timestamp_day_from_person(const char *text, int64_t *day)
{
    int64_t moment;
    if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
        *day = timestamp_day(clock_wall_us()) - (text[0] == 'y');
        return true;
    }
    if (timestamp_day_from_text(text, day))
        return true;
    if (!timestamp_from_person(text, &moment))
        return false;
    *day = timestamp_day(moment);
    return true;
}

const char *timestamp_day_text(int64_t day, char out[TIMESTAMP_TEXT])
{
    char full[CLOCK_TEXT];
    snprintf(out, TIMESTAMP_TEXT, "%.10s", clock_utc_text((time_t)(day * 86400), full));
    return out;
}

const char *timestamp_local_text(int64_t moment, char out[TIMESTAMP_TEXT])
{
    struct tm tm;
    time_t t = (time_t)(moment / TIMESTAMP_SECOND);
    if (!localtime_r(&t, &tm) || !strftime(out, TIMESTAMP_TEXT, "%Y-%m-%d %H:%M:%S", &tm))
        snprintf(out, TIMESTAMP_TEXT, "?");
    return out;
}

int64_t timestamp_week(int64_t day)
{
    return day - (day + 3) % 7; /* 1970-01-01 was a Thursday */
}

int64_t timestamp_month(int64_t day)
{
    time_t t = (time_t)(day * 86400);
    struct tm tm;
    return gmtime_r(&t, &tm) ? day - (tm.tm_mday - 1) : day;
}
