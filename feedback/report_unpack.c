// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_unpack.c - finds every report in an input: gzip (RFC 1952), zlib (RFC 1950), and, by the files beside it, zip,
 * tar, mail and mbox, and all these within each other.
 *
 * Promises that no input makes it unpack more than REPORT_IN_TEXT octets in all, or REPORT_IN_RATIO times what it read,
 * nor look at more than REPORT_IN_PARTS parts nested REPORT_IN_DEPTH deep; that each part which should be a report and
 * cannot be read is named with the reason; that names in an archive are never used as names of files; and that what is
 * unpacked stands in a scratch file, not in memory (report_scratch.h). On failure of one part the others are still
 * read.
 */
#include "feedback/report_archive.h"
#include "feedback/report_json.h"
#include "feedback/report_markup.h"
#include "feedback/report_mime.h"
#include "feedback/report_parts.h"
#include "feedback/report_walk.h"
#include <stdio.h>
#include <string.h>

#define LOOK_AT 4096     /* octets that tell what a text is */
#define WORDS_MOST 65536 /* octets in front of a report */

/* All members of a gzip file make one text (RFC 1952 2.2). */
static void look_in_gzip(struct report_walk *w, struct report_item it)
{
    struct report_scratch out = REPORT_UNPACKED;
    const char *why = NULL;
    while (!why && out.status == STATUS_OK && it.in.n > 2 && memcmp(it.in.p, "\x1f\x8b", 2) == 0) {
        size_t used = 0;
        why = report_walk_inflate(w, it.in, 31, &out, &used);
        it.in = slice_from(it.in, used ? used : it.in.n);
    }
    report_walk_look_at(w, why, &out, (struct report_item){SLICE_NULL, it.where, it.depth - 1, true});
}

static void look_in_zlib(struct report_walk *w, struct report_item it)
{
    struct report_scratch out = REPORT_UNPACKED;
    size_t used;
    const char *why = report_walk_inflate(w, it.in, 15, &out, &used);
    report_walk_look_at(w, why, &out, (struct report_item){SLICE_NULL, it.where, it.depth - 1, true});
}

/* ---- what it is ---- */

static bool head_holds(struct slice s, const char *word)
{
    size_t n = strlen(word);
    for (s.n = s.n < LOOK_AT ? s.n : LOOK_AT; s.n >= n; s = slice_from(s, 1))
        if (strncasecmp(s.p, word, n) == 0)
            return true;
    return false;
}

/* Without the blanks in front of it. */
static struct slice without_blanks(struct slice s)
{
    size_t i = 0;
    for (; i < s.n && strchr(" \t\r\n", s.p[i]) && s.p[i]; i++)
        if (i % LOOK_AT == 0)
            report_scratch_passed(s.p + i);
    return slice_from(s, i);
}

/* What is packed or encrypted in a way that is not read, by its first octets; NULL: nothing of these. */
static const char *never_read(struct slice in)
{
    static const struct {
        const char *octets;
        size_t n;
        const char *why;
    } kinds[] = {
        {"7z\xbc\xaf\x27\x1c", 6, "it is packed by 7-Zip, which is not read"},
        {"Rar!\x1a\x07", 6, "it is packed by RAR, which is not read"},
        {"\xfd"
         "7zXZ",
         5, "it is packed by xz, which is not read"},
        {"\x28\xb5\x2f\xfd", 4, "it is packed by Zstandard, which is not read"},
        {"\x1f\x9d", 2, "it is packed by compress, which is not read"},
        {"LZIP", 4, "it is packed by lzip, which is not read"},
        {"\x78\x9f\x3e\x22", 4, "it is winmail.dat of Outlook (TNEF), which is not read"},
        {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, "it is a file of Outlook or Office, which is not read"},
        {"-----BEGIN PGP MESSAGE-----", 27, "it is encrypted by OpenPGP, which is not read"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (in.n >= kinds[i].n && memcmp(in.p, kinds[i].octets, kinds[i].n) == 0)
            return kinds[i].why;
    bool bzip2 = in.n >= 10 && memcmp(in.p, "BZh", 3) == 0 && memcmp(in.p + 4, "1AY&SY", 6) == 0;
    return bzip2 ? "it is packed by bzip2, which is not read" : NULL;
}

/* RFC 1950 2.2; the check keeps texts that begin with an "x" out. */
static bool is_zlib(struct slice in)
{
    return in.n > 2 && in.p[0] == 0x78 && ((unsigned)in.p[0] << 8 | (unsigned char)in.p[1]) % 31 == 0;
}

static void put_point(struct report_pending *p, unsigned c)
{
    if (c < 0x80) {
        report_pending_put(p, (char)c);
        return;
    }
    if (c >= 0x10000)
        report_pending_put(p, (char)(0xf0 | c >> 18));
    if (c >= 0x800)
        report_pending_put(p, (char)(c >= 0x10000 ? 0x80 | (c >> 12 & 63) : 0xe0 | c >> 12));
    report_pending_put(p, c < 0x800 ? (char)(0xc0 | c >> 6) : (char)(0x80 | (c >> 6 & 63)));
    report_pending_put(p, (char)(0x80 | (c & 63)));
}

static unsigned unit_at(struct slice in, size_t i, bool big)
{
    return i + 1 < in.n ? (unsigned)(unsigned char)in.p[i + !big] << 8 | (unsigned char)in.p[i + big] : 0;
}

/* The text without BOM, UTF-16 made UTF-8; half a pair becomes U+FFFD. What is not UTF-16 stays where it is. */
static struct slice plain_text(struct slice in, struct report_scratch *room)
{
    struct report_pending p = {.out = room};
    bool big = in.n > 3 && (memcmp(in.p, "\xfe\xff", 2) == 0 || (!in.p[0] && in.p[1]));
    bool little = in.n > 3 && (memcmp(in.p, "\xff\xfe", 2) == 0 || (in.p[0] && !in.p[1] && in.p[2] && !in.p[3]));
    if (in.n >= 3 && memcmp(in.p, "\xef\xbb\xbf", 3) == 0) {
        while (in.n >= 3 && memcmp(in.p, "\xef\xbb\xbf", 3) == 0) /* a tool put its own before another's */
            in = slice_from(in, 3);
        return in;
    }
    if (!big && !little)
        return in;
    while (unit_at(in, 0, big) == 0xfeff)
        in = slice_from(in, 2);
    for (size_t i = 0; i + 1 < in.n && room->status == STATUS_OK; i += 2) {
        unsigned c = unit_at(in, i, big), low = c >= 0xd800 && c < 0xdc00 ? unit_at(in, i + 2, big) : 0;
        if (i % LOOK_AT == 0)
            report_scratch_passed(in.p + i);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        } else if (c >= 0xd800 && c < 0xe000) {
            c = 0xfffd;
        }
        put_point(&p, c);
    }
    report_pending_end(&p);
    return report_scratch_text(room);
}

static bool is_xml_report(struct slice t)
{
    return t.n > 1 && t.p[0] == '<' && (head_holds(t, "<feedback") || head_holds(t, ":feedback"));
}

static bool is_json_report(struct slice t)
{
    return t.n > 1 && (t.p[0] == '{' || t.p[0] == '[') &&
           (head_holds(t, "\"policies\"") || head_holds(t, "\"report-id\"") || head_holds(t, "organization-name"));
}

static bool is_mail(struct slice t)
{
    struct slice line = report_mime_line(slice_of(t.p, t.n < LOOK_AT ? t.n : LOOK_AT));
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    for (const char *p = line.p; colon && p < colon; p++)
        if (*p <= ' ' || (unsigned char)*p > 126)
            return false;
    return colon && colon > line.p;
}

/* One report, or an array of them. */
static void find_in_json(struct report_walk *w, struct slice text, const char *where)
{
    char called[300], why[REPORT_IN_WHY];
    struct slice rest = text, key, value;
    if (text.p[0] != '[' || report_json_check(text, why) != STATUS_OK) { /* whoever reads it says what is wrong */
        w->found++;
        w->to->found(w->to->context, where, text);
        return;
    }
    for (unsigned number = 1; report_json_next(&rest, &key, &value); number++) {
        if (number > 1 && w->parts++ >= REPORT_IN_PARTS) {
            report_walk_too_many(w, where);
            return;
        }
        snprintf(called, sizeof called, "%.250s: report %u", where, number);
        w->found++;
        w->to->found(w->to->context, number > 1 ? called : where, value);
    }
}

/* Each report of a plain XML file. What is behind the last is somebody's words, and is not looked at; unless it is
 * records. */
static void find_in_xml(struct report_walk *w, struct slice text, const char *where)
{
    char called[300];
    struct slice behind = SLICE_NULL;
    for (unsigned number = 1; text.n; number++) {
        if (number > 1 && w->parts++ >= REPORT_IN_PARTS) {
            report_walk_too_many(w, where);
            return;
        }
        snprintf(called, sizeof called, "%.250s: report %u", where, number);
        struct slice report = report_markup_take(&text);
        w->found++;
        w->to->found(w->to->context, number > 1 ? called : where, report);
        text = report_markup_find(behind = text);
    }
    if (report_scratch_find(behind, "<record>", 8))
        report_walk_unread(w, where, "records stand behind the end of the report");
}

/* Whether a person may have written it: what is left of a damaged archive is none. */
static bool is_words(struct slice s)
{
    size_t n = 0;
    while (n < s.n && n < WORDS_MOST && ((unsigned char)s.p[n] >= 0x20 || (s.p[n] && strchr("\t\r\n\f", s.p[n]))))
        n++;
    return n == s.n;
}

/* The text from a line on that begins a report in XML, behind words of somebody; empty: there is none. */
static struct slice behind_words(struct slice s)
{
    static const char *const begins[] = {"\n<?xml", "\n<feedback"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        const char *p = report_scratch_find(s, begins[i], strlen(begins[i]));
        struct slice from = p ? slice_from(s, (size_t)(p + 1 - s.p)) : SLICE_NULL;
        if (is_xml_report(from) && is_words(slice_of(s.p, (size_t)(from.p - s.p))))
            return from;
    }
    return SLICE_NULL;
}

/* False: the octets are no archive and nothing packed. */
static bool look_in_packed(struct report_walk *w, struct report_item it)
{
    const char *why = never_read(it.in);
    if (why)
        report_walk_unread(w, it.where, why);
    else if (it.in.n > 2 && memcmp(it.in.p, "\x1f\x8b", 2) == 0)
        look_in_gzip(w, it);
    else if (report_archive_is_zip(it.in))
        report_archive_zip(w, it);
    else if (report_archive_is_tar(it.in))
        report_archive_tar(w, it);
    else if (it.expected && is_zlib(it.in))
        look_in_zlib(w, it);
    else
        return false;
    return true;
}

/* Without the line that a mailbox put in front of a mail and quoted. */
static struct slice without_from(struct slice text)
{
    struct slice behind = report_mime_begins(text, ">From ") ? slice_from(text, report_mime_line(text).n) : text;
    return is_mail(behind) ? behind : text;
}

static void look_at_text(struct report_walk *w, struct report_item it, struct slice text)
{
    text = without_from(text);
    bool looks =
        text.n > 1 && (text.p[0] == '{' || text.p[0] == '[' || (text.p[0] == '<' && !head_holds(text, "<html")));
    unsigned before = w->found + w->unread;
    if (is_xml_report(text) || is_json_report(text) || (it.expected && looks)) {
        if (text.p[0] == '<')
            find_in_xml(w, text, it.where);
        else
            find_in_json(w, text, it.where);
    } else if (report_mime_begins(text, "From ")) {
        report_parts_mbox(w, (struct report_item){text, it.where, it.depth, false});
    } else if (is_mail(text) && it.depth > 1) {
        report_parts_mail(w, text, it.where, it.depth - 1);
    } else if ((text = behind_words(text)).n) {
        find_in_xml(w, text, it.where);
    } else if (it.expected && report_archive_ends_as_zip(it.in)) {
        report_archive_zip(w, it);
    }
    if (w->found + w->unread == before && it.expected)
        report_walk_unread(w, it.where, "it is no report, and no mail with one in it");
}

static void item_unpack(struct report_walk *w, struct report_item it)
{
    struct report_scratch room = REPORT_UNPACKED;
    if (it.depth <= 0) {
        report_walk_unread(w, it.where, "it is nested more deeply than is read");
        return;
    }
    if (look_in_packed(w, it))
        return;
    struct slice text = without_blanks(plain_text(it.in, &room));
    if (room.status != STATUS_OK)
        report_walk_not_unpacked(w, it.where, room.status);
    else if (text.p == it.in.p || !look_in_packed(w, (struct report_item){text, it.where, it.depth, it.expected}))
        look_at_text(w, it, text);
    report_scratch_end(&room);
}

void report_in_walk(struct slice file, const char *name, const struct report_in_walker *to)
{
    struct report_walk w = {.to = to, .look = item_unpack};
    if (file.n > REPORT_IN_FILE) {
        to->unread(to->context, name, "the file is larger than is read", STATUS_LIMIT);
        return;
    }
    item_unpack(&w, (struct report_item){file, name, REPORT_IN_DEPTH, true});
    if (w.found + w.unread == 0)
        to->unread(to->context, name, "no report is in it", STATUS_INVALID);
}
