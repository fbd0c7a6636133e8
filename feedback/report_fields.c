// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_fields.c - reads the fields of reports that others sent.
 *
 * Promises to accept a number or a time only if the whole text is valid and within its bounds, and to write each
 * address in one spelling only. Nothing else can fail but memory.
 */
#include "feedback/report_fields.h"
#include "feedback/report_in.h"
#include "base/clock.h"
#include "base/domain.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EARLIEST INT64_C(1104537600) /* 2005: before there was DMARC */
#define BEGINS 900                   /* octets of a long identifier that are kept */
#define AHEAD (2 * 86400)
#define RANGE_MOST (366 * 86400) /* own: most are about a day (RFC 9990 3.5.1), and one of years has a wrong date */
#define MILLISECONDS INT64_C(100000000000) /* a larger number is in milliseconds */

static bool field_digits(const char *text, int64_t *out)
{
    size_t n = text ? strlen(text) : 0;
    if (n == 0 || n > 17 || strspn(text, "0123456789") != n)
        return false;
    *out = strtoll(text, NULL, 10);
    return true;
}

/* xs:integer: a "+" and zeros may stand before it. */
bool report_field_count(const char *text, int64_t *out)
{
    return field_digits(text ? text + (*text == '+') : NULL, out) && *out > 0 && *out <= REPORT_COUNT_MAX;
}

/* "1763510400.25": the fraction is cut off. */
static bool seconds(const char *text, int64_t *out)
{
    char whole[24];
    const char *point = strchr(text, '.');
    size_t n = point ? (size_t)(point - text) : 0;
    if (!point)
        return field_digits(text, out);
    if (n >= sizeof whole || strspn(point + 1, "0123456789") != strlen(point + 1))
        return false;
    memcpy(whole, text, n);
    whole[n] = '\0';
    return field_digits(whole, out);
}

/* Tells whether the text begins with that form: 0 stands for a digit, a blank for any octet. */
static bool has_form(const char *text, const char *form)
{
    for (; *form; form++, text++)
        if (*form == '0' ? !isdigit((unsigned char)*text) : !*text || (*form != ' ' && *text != *form))
            return false;
    return true;
}

static int field_number(const char *p, size_t n)
{
    int v = 0;
    while (n-- > 0)
        v = v * 10 + (*p++ - '0');
    return v;
}

/* Seconds since 1970 of a time in UTC. False: there is no such day. */
static bool since_1970(struct tm tm, int64_t *out)
{
    int day = tm.tm_mday, month = tm.tm_mon;
    *out = (int64_t)timegm(&tm);
    return tm.tm_mday == day && tm.tm_mon == month;
}

static struct tm day_of(const char *text)
{
    return (struct tm){.tm_year = field_number(text, 4) - 1900,
                       .tm_mon = field_number(text + 5, 2) - 1,
                       .tm_mday = field_number(text + 8, 2)};
}

/* "2026-11-19": its first second. */
static bool date(const char *text, int64_t *out)
{
    return strlen(text) == 10 && has_form(text, "0000-00-00") && since_1970(day_of(text), out);
}

/* "", "Z", " UTC", "+01:00", " -0330". Other names of zones have more than one meaning. */
static bool zone_offset(const char *p, int *out)
{
    bool blank = *p == ' ';
    *out = 0;
    p += blank;
    if (!*p)
        return !blank;
    if (strcasecmp(p, "Z") == 0 || strcasecmp(p, "UTC") == 0 || strcasecmp(p, "GMT") == 0)
        return true;
    bool colon = has_form(p + 1, "00:00") && strlen(p) == 6;
    if ((*p != '+' && *p != '-') || !(colon || (has_form(p + 1, "0000") && strlen(p) == 5)))
        return false;
    int h = field_number(p + 1, 2), m = field_number(p + 3 + colon, 2);
    *out = (*p == '-' ? -1 : 1) * (h * 3600 + m * 60);
    return h <= 23 && m <= 59;
}

/* "2026-11-19t00:00:00.5+01:00" */
static bool rfc3339(const char *text, int64_t *out)
{
    int zone;
    if (!has_form(text, "0000-00-00 00:00:00") || !strchr("Tt ", text[10]))
        return false;
    struct tm tm = day_of(text);
    tm.tm_hour = field_number(text + 11, 2);
    tm.tm_min = field_number(text + 14, 2);
    tm.tm_sec = field_number(text + 17, 2);
    if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    int second = tm.tm_sec;
    tm.tm_sec = 0; /* timegm() would change the day behind a leap second */
    const char *p = text + 19;
    if (*p == '.')
        for (p++; isdigit((unsigned char)*p); p++)
            ;
    if (!since_1970(tm, out) || !zone_offset(p, &zone))
        return false;
    *out += second - zone;
    return second < 60 || *out % 86400 == 0; /* RFC 3339 appendix D: leap seconds end a day of UTC */
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

bool report_field_range(const char *begin, const char *end, int64_t *begins, int64_t *ends)
{
    return report_field_moment(begin, begins) && report_field_last_moment(end, ends) && *ends >= *begins &&
           *ends - *begins <= RANGE_MOST;
}

/* "192.0.2.1:25", "[2001:db8::1]:25": without the port. Of IPv6 without brackets nobody knows which colon it is. */
static struct slice without_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t port;
    bool is = colon && colon > text && field_digits(colon + 1, &port) && port <= 65535 &&
              (*text == '[' ? colon[-1] == ']' : strchr(text, ':') == colon);
    return is ? slice_of(text, (size_t)(colon - text)) : slice_str(text);
}

const char *report_field_address(const char *text, char out[IP_TEXT])
{
    struct ip a;
    struct ip_net net;
    if (ip_from_text(without_port(text), &a) == STATUS_OK)
        return ip_text(&a, out);
    if (strchr(text, '/') && ip_net_from_text(slice_str(text), &net) == STATUS_OK &&
        net.bits == (net.base.family == 4 ? 32 : 128))
        return ip_text(&net.base, out);
    return text;
}

bool report_field_domain(const char *text, char out[LIMIT_DOMAIN + 1])
{
    const char *at = strrchr(text, '@');
    struct slice s = slice_str(at ? at + 1 : text);
    while (at && s.n && (s.p[s.n - 1] == '>' || s.p[s.n - 1] == ' '))
        s.n--;
    return domain_from_text(s, out) == STATUS_OK;
}

void report_field_word(char *text)
{
    for (; *text; text++)
        *text = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
}

const char *report_field_identifier(struct arena *a, struct slice text)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    struct slice begins = slice_of(text.p, BEGINS);
    if (text.n <= REPORT_IN_FIELD)
        return arena_copy(a, text.p, text.n);
    while (begins.n && ((unsigned char)text.p[begins.n] & 0xc0) == 0x80)
        begins.n--;
    for (size_t i = 0; i < text.n; i++)
        hash = (hash ^ (unsigned char)text.p[i]) * 1099511628211u;
    return arena_printf(a, "%.*s#%016" PRIx64, SLICE_ARG(begins), hash);
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
