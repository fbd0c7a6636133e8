// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_markup.c - finds the XML documents in a text and what in them is not markup.
 *
 * Promises to look at each octet a bounded number of times. It does not judge whether the text is well-formed: the
 * parser does. No failure.
 */
#include "feedback/report_markup.h"
#include "feedback/report_scratch.h"
#include <string.h>

#define TAG_MOST 256 /* octets of a tag's name: a longer one is not ours */

size_t report_markup_verbatim(struct slice s)
{
    static const struct {
        const char *begin, *end;
    } kinds[] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].begin), m = strlen(kinds[i].end);
        if (s.n < n || memcmp(s.p, kinds[i].begin, n) != 0)
            continue;
        const char *end = report_scratch_find(slice_from(s, n), kinds[i].end, m);
        return end ? (size_t)(end - s.p) + m : s.n;
    }
    return 0;
}

/* The next tag of a <feedback> element: the text from it on. *size: its octets; *step: 1 begins the element, -1 ends
 * it, 0 does both. Empty: there is none. */
static struct slice next_tag(struct slice s, size_t *size, int *step)
{
    for (const char *p; s.n && (p = report_scratch_find(s, "<", 1));) {
        s = slice_from(s, (size_t)(p - s.p));
        report_scratch_passed(p);
        size_t skip = report_markup_verbatim(s), at = s.n > 1 && s.p[1] == '/' ? 2 : 1, end = at;
        if (skip) {
            s = slice_from(s, skip);
            continue;
        }
        for (; end < s.n && end < TAG_MOST && !strchr(" \t\r\n/><", s.p[end]); end++)
            if (s.p[end] == ':')
                at = end + 1;
        if (end - at == 8 && memcmp(s.p + at, "feedback", 8) == 0) {
            const char *close = report_scratch_find(slice_from(s, end), ">", 1);
            if (!close)
                break; /* no further tag ends either */
            *size = (size_t)(close - s.p) + 1;
            *step = s.p[1] == '/' ? -1 : close[-1] == '/' ? 0 : 1;
            return s;
        }
        s = slice_from(s, end);
    }
    return slice_of(s.p, 0);
}

struct slice report_markup_take(struct slice *rest)
{
    struct slice all = *rest, s = all;
    size_t size = 0, depth = 0;
    int step = 0;
    while ((s = next_tag(s, &size, &step)).n) {
        depth += step > 0;
        depth -= step < 0 && depth > 0;
        s = slice_from(s, size);
        if (depth == 0) {
            size_t n = (size_t)(s.p - all.p);
            *rest = slice_from(all, n);
            return slice_of(all.p, n);
        }
    }
    *rest = slice_from(all, all.n);
    return all;
}

struct slice report_markup_find(struct slice s)
{
    size_t size = 0;
    int step = 0;
    while ((s = next_tag(s, &size, &step)).n && step < 0)
        s = slice_from(s, size);
    return s;
}

bool report_markup_is_latin(struct slice xml)
{
    static const char *const names[] = {"iso-8859-1\"", "iso-8859-1'",  "iso8859-1\"", "iso8859-1'", "iso_8859-1\"",
                                        "iso_8859-1'",  "windows-1252", "cp1252",      "latin1",     "latin-1"};
    struct slice head = slice_of(xml.p, xml.n < 5 || memcmp(xml.p, "<?xml", 5) != 0 ? 0 : report_markup_verbatim(xml));
    for (head.n = head.n < TAG_MOST ? head.n : TAG_MOST; head.n; head = slice_from(head, 1))
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (head.n >= strlen(names[i]) && strncasecmp(head.p, names[i], strlen(names[i])) == 0)
                return true;
    return false;
}

void report_markup_add_latin(struct buf *out, unsigned char octet)
{
    static const uint16_t marks[32] = {0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                       0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
                                       0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                       0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};
    unsigned c = octet < 0x80 ? 0xfffd : octet < 0xa0 ? marks[octet - 0x80] : octet;
    if (c >= 0x800)
        buf_addc(out, (char)(0xe0 | c >> 12));
    buf_addc(out, c < 0x800 ? (char)(0xc0 | c >> 6) : (char)(0x80 | (c >> 6 & 63)));
    buf_addc(out, (char)(0x80 | (c & 63)));
}
