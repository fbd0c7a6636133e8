// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_unpack.c - finds every report in an input: gzip (RFC 1952), zip, mail (RFC 5322, 2045), mbox, and these within
 * each other.
 *
 * Promises that no input makes it unpack more than REPORT_IN_TEXT octets in all, or REPORT_IN_RATIO times what it read,
 * nor look at more than REPORT_IN_PARTS parts nested REPORT_IN_DEPTH deep; that each part which should be a report and
 * cannot be read is named with the reason; that names in an archive are never used as names of files; and that what is
 * unpacked stands in a scratch file, not in memory (report_scratch.h). On failure of one part the others are still
 * read.
 */
#include "base/base64.h"
#include "base/buf.h"
#include "feedback/report_in.h"
#include "feedback/report_json.h"
#include "feedback/report_markup.h"
#include "feedback/report_scratch.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define ZIP_HEADER 30
#define ZIP_ENTRY 46
#define ZIP_END 22
#define LOOK_AT 4096           /* octets that tell what a text is */
#define FIELD_MOST 65536       /* octets of a header field that are looked at */
#define BOUNDARY_LINE_MOST 998 /* RFC 5322 2.1.1 */
#define UNPACKED REPORT_SCRATCH_INIT(REPORT_IN_TEXT + 65536)

/* What a delivery status notification says so far. */
struct bounce {
    char recipient[REPORT_IN_WHERE], code[16], id[REPORT_IN_WHERE];
    bool failed;
};

struct walk {
    const struct report_in_walker *to;
    size_t unpacked; /* octets, in all */
    unsigned parts, found, unread;
    struct bounce *bounce; /* inside of one */
    bool full;             /* that it has too many parts has been said */
};

/* One thing looked at, and what to call it. */
struct item {
    struct slice in;
    const char *where;
    int depth;
    bool expected; /* its type or name says that it is a report: it must not be skipped in silence */
};

static void unread(struct walk *w, const char *where, const char *why)
{
    w->unread++;
    w->to->unread(w->to->context, where, why, STATUS_INVALID);
}

/* What was to be unpacked into a scratch file, and was not. */
static void not_unpacked(struct walk *w, const char *where, enum status st)
{
    w->unread++;
    w->to->unread(w->to->context, where,
                  st == STATUS_LIMIT   ? "it unpacks to more than is read"
                  : st == STATUS_AGAIN ? "there is no room on the disk (TMPDIR) to unpack it"
                                       : "it needs more memory than is given to a report",
                  st);
}

static void too_many(struct walk *w, const char *where)
{
    if (!w->full)
        unread(w, where, "it has more parts than are looked at");
    w->full = true;
}

static void look(struct walk *w, struct item it);

/* bits: 31 gzip, -15 raw deflate. *used: octets of `in`. NULL: done, or out->status says what is wrong. */
static const char *inflate_into(struct walk *w, struct slice in, int bits, struct report_scratch *out, size_t *used)
{
    unsigned char space[65536];
    z_stream z = {.next_in = (Bytef *)(void *)(size_t)in.p, .avail_in = (uInt)in.n};
    size_t most = in.n * REPORT_IN_RATIO + 4096, total = 0;
    size_t left = REPORT_IN_TEXT - w->unpacked;
    most = most < left ? most : left;
    if (inflateInit2(&z, bits) != Z_OK) {
        out->status = STATUS_NOMEM;
        *used = in.n;
        return NULL;
    }
    int rc;
    do {
        z.next_out = space;
        z.avail_out = sizeof space;
        rc = inflate(&z, Z_NO_FLUSH);
        total += sizeof space - z.avail_out;
        if (total <= most)
            report_scratch_add(out, space, sizeof space - z.avail_out);
        report_scratch_passed((const char *)z.next_in);
    } while (rc == Z_OK && total <= most && out->status == STATUS_OK && (z.avail_in || z.avail_out == 0));
    *used = in.n - z.avail_in;
    inflateEnd(&z);
    w->unpacked += total < left ? total : left;
    if (total > most && out->status == STATUS_OK)
        out->status = STATUS_LIMIT;
    return rc == Z_STREAM_END || out->status != STATUS_OK ? NULL : "it is compressed wrongly, or cut off";
}

/* Looks at what was unpacked, or names what is wrong, and lets go of it. */
static void look_at_unpacked(struct walk *w, const char *why, struct report_scratch *out, struct item it)
{
    it.in = why ? SLICE_NULL : report_scratch_text(out);
    if (why)
        unread(w, it.where, why);
    else if (out->status != STATUS_OK)
        not_unpacked(w, it.where, out->status);
    else
        look(w, it);
    report_scratch_end(out);
}

/* All members of a gzip file make one text (RFC 1952 2.2). */
static void look_in_gzip(struct walk *w, struct item it)
{
    struct report_scratch out = UNPACKED;
    const char *why = NULL;
    while (!why && out.status == STATUS_OK && it.in.n > 2 && memcmp(it.in.p, "\x1f\x8b", 2) == 0) {
        size_t used = 0;
        why = inflate_into(w, it.in, 31, &out, &used);
        it.in = slice_from(it.in, used ? used : it.in.n);
    }
    look_at_unpacked(w, why, &out, (struct item){SLICE_NULL, it.where, it.depth - 1, true});
}

/* ---- zip ---- */

static uint32_t le(const char *p, int octets)
{
    uint32_t v = 0;
    for (int i = octets; i-- > 0;)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

/* One file of an archive, by its entry in the directory: size and method stand there also where the local header leaves
 * them to a descriptor. */
static void look_at_zipped(struct walk *w, struct item it, const char *entry)
{
    char where[300];
    uint32_t method = le(entry + 10, 2), packed = le(entry + 20, 4), name = le(entry + 28, 2), at = le(entry + 42, 4);
    struct slice local = slice_from(it.in, at);
    struct report_scratch out = UNPACKED;
    const char *why = NULL;
    size_t used;
    snprintf(where, sizeof where, "%.150s: %.*s", it.where, (int)(name < 120 ? name : 120), entry + ZIP_ENTRY);
    if (name && entry[ZIP_ENTRY + name - 1] == '/')
        return; /* a folder */
    if (local.n < ZIP_HEADER || memcmp(local.p, "PK\3\4", 4) != 0) {
        unread(w, where, "the archive's directory points to no file");
        return;
    }
    struct slice data = slice_from(local, ZIP_HEADER + le(local.p + 26, 2) + le(local.p + 28, 2));
    data.n = data.n < packed ? data.n : packed;
    if (le(entry + 8, 2) & 1)
        why = "it is encrypted";
    else if (method == 8)
        why = inflate_into(w, data, -15, &out, &used);
    else if (method != 0)
        why = "it is packed in a way that is not read";
    if (why || method != 0)
        look_at_unpacked(w, why, &out, (struct item){SLICE_NULL, where, it.depth - 1, false});
    else
        look(w, (struct item){data, where, it.depth - 1, false});
}

/* Without a directory (cut off): the first file, as far as it goes. */
static void look_at_first_zipped(struct walk *w, struct item it)
{
    struct report_scratch out = UNPACKED;
    const char *why = "the zip file is cut off";
    size_t used;
    if (it.in.n > ZIP_HEADER && le(it.in.p + 8, 2) == 8)
        why = inflate_into(w, slice_from(it.in, ZIP_HEADER + le(it.in.p + 26, 2) + le(it.in.p + 28, 2)), -15, &out,
                           &used);
    look_at_unpacked(w, why, &out, (struct item){SLICE_NULL, it.where, it.depth - 1, true});
}

static void look_in_zip(struct walk *w, struct item it)
{
    const char *end = NULL;
    for (size_t back = ZIP_END; back <= it.in.n && back <= ZIP_END + 65535 && !end; back++)
        if (memcmp(it.in.p + it.in.n - back, "PK\5\6", 4) == 0)
            end = it.in.p + it.in.n - back;
    if (!end) {
        look_at_first_zipped(w, it);
        return;
    }
    unsigned before = w->found + w->unread;
    struct slice directory = slice_from(it.in, le(end + 16, 4));
    for (uint32_t n = le(end + 10, 2); n > 0; n--, w->parts++) {
        if (w->parts >= REPORT_IN_PARTS) {
            too_many(w, it.where);
            return;
        }
        if (directory.n < ZIP_ENTRY || memcmp(directory.p, "PK\1\2", 4) != 0)
            break;
        size_t size = ZIP_ENTRY + (size_t)le(directory.p + 28, 2) + le(directory.p + 30, 2) + le(directory.p + 32, 2);
        if (size > directory.n)
            break;
        look_at_zipped(w, it, directory.p);
        directory = slice_from(directory, size);
    }
    if (w->found + w->unread == before)
        unread(w, it.where, "no report is in the archive");
}

/* ---- mail ---- */

struct part {
    struct slice type, encoding, disposition, body; /* header values as they stand */
};

static struct slice line_of(struct slice s)
{
    const char *end = s.n ? report_scratch_find(s, "\n", 1) : NULL;
    return slice_of(s.p, end ? (size_t)(end - s.p) + 1 : s.n);
}

/* A header field with its folded lines; the rest of the text is left in *s. */
static struct slice take_field(struct slice *s)
{
    struct slice field = line_of(*s);
    for (struct slice rest = slice_from(*s, field.n); rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t');
         rest = slice_from(*s, field.n))
        field.n += line_of(rest).n;
    *s = slice_from(*s, field.n);
    return field;
}

static bool field_is(struct slice field, const char *name, struct slice *value)
{
    size_t n = strlen(name);
    field.n = field.n < FIELD_MOST ? field.n : FIELD_MOST;
    if (field.n <= n || strncasecmp(field.p, name, n) != 0 || field.p[n] != ':')
        return false;
    *value = slice_trim(slice_from(field, n + 1));
    return true;
}

/* False: it has no header at all. An empty header (a part that begins with an empty line) is one. */
static bool read_part(struct slice text, struct part *p)
{
    *p = (struct part){0};
    bool fields = text.n && (text.p[0] == '\n' || text.p[0] == '\r');
    while (text.n && text.p[0] != '\n' && text.p[0] != '\r') {
        struct slice field = take_field(&text);
        report_scratch_passed(field.p);
        fields = fields || memchr(field.p, ':', field.n < LOOK_AT ? field.n : LOOK_AT);
        (void)(field_is(field, "Content-Type", &p->type) ||
               field_is(field, "Content-Transfer-Encoding", &p->encoding) ||
               field_is(field, "Content-Disposition", &p->disposition));
    }
    p->body = slice_from(text, line_of(text).n);
    return fields;
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

static struct slice parameter(struct slice value, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i + n < value.n; i++) {
        if (strncasecmp(value.p + i, name, n) != 0 || (i && !strchr("; \t\r\n", value.p[i - 1])))
            continue;
        struct slice v = without_blanks(slice_from(value, i + n)); /* RFC 822 had blanks around the "=" */
        if (!v.n || v.p[0] != '=')
            continue;
        v = without_blanks(slice_from(v, 1));
        bool quoted = v.n && v.p[0] == '"';
        v = slice_from(v, quoted);
        size_t len = 0;
        while (len < v.n && (quoted ? v.p[len] != '"' : !strchr("; \t\r\n", v.p[len])))
            len++;
        return slice_of(v.p, len);
    }
    return SLICE_NULL;
}

static bool begins(struct slice s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && strncasecmp(s.p, word, n) == 0;
}

/* Of a field's value the token that it begins with: comments and parameters may follow. */
static struct slice token(struct slice value)
{
    size_t n = 0;
    while (n < value.n && !strchr(" \t\r\n;(", value.p[n]))
        n++;
    return slice_of(value.p, n);
}

static bool holds(struct slice s, const char *word)
{
    size_t n = strlen(word);
    for (s.n = s.n < LOOK_AT ? s.n : LOOK_AT; s.n >= n; s = slice_from(s, 1))
        if (strncasecmp(s.p, word, n) == 0)
            return true;
    return false;
}

static int hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* Octets on their way into a scratch file. */
struct pending {
    struct report_scratch *out;
    size_t n;
    char octets[4096];
};

static void pending_put(struct pending *p, char c)
{
    p->octets[p->n++] = c;
    if (p->n == sizeof p->octets) {
        report_scratch_add(p->out, p->octets, p->n);
        p->n = 0;
    }
}

/* RFC 2045 6.7. */
static void add_quoted_printable(struct report_scratch *out, struct slice in)
{
    struct pending p = {.out = out};
    for (size_t i = 0; i < in.n && out->status == STATUS_OK; i++) {
        if (i % LOOK_AT == 0)
            report_scratch_passed(in.p + i);
        if (in.p[i] != '=') {
            pending_put(&p, in.p[i]);
            continue;
        }
        size_t k = i + 1;
        while (k < in.n && k - i < BOUNDARY_LINE_MOST && (in.p[k] == ' ' || in.p[k] == '\t' || in.p[k] == '\r'))
            k++;
        if (k < in.n && in.p[k] == '\n') {
            i = k; /* a soft line break */
        } else if (i + 2 < in.n && hex(in.p[i + 1]) >= 0 && hex(in.p[i + 2]) >= 0) {
            pending_put(&p, (char)(hex(in.p[i + 1]) * 16 + hex(in.p[i + 2])));
            i += 2;
        } else {
            pending_put(&p, '=');
        }
    }
    report_scratch_add(out, p.octets, p.n);
}

static bool add_decoded(void *context, const char *octets, size_t n, const char *read)
{
    struct report_scratch *out = context;
    report_scratch_add(out, octets, n);
    report_scratch_passed(read);
    return out->status == STATUS_OK;
}

static bool is_encoding(const struct part *p, const char *name)
{
    return slice_eq_nocase(token(p->encoding), slice_str(name));
}

/* Why a part cannot be read, whatever is in it; NULL: it can. An encoding of no standard's ("8-bit") is none. */
static const char *never_read(const struct part *p, bool expected, char why[200])
{
    struct slice encoding = token(p->encoding);
    if (begins(p->type, "application/pkcs7-mime") || begins(p->type, "application/x-pkcs7-mime"))
        return "it is encrypted, or signed in one piece, by S/MIME, which is not read";
    if (begins(p->type, "application/pgp-encrypted"))
        return "it is encrypted by OpenPGP, which is not read";
    if (!expected || !begins(encoding, "x-"))
        return NULL;
    snprintf(why, 200, "its Content-Transfer-Encoding, %.*s, is not read", (int)(encoding.n < 60 ? encoding.n : 60),
             encoding.p);
    return why;
}

static void look_at_leaf(struct walk *w, const struct part *p, const char *where, int depth)
{
    struct report_scratch b = REPORT_SCRATCH_INIT(REPORT_IN_FILE);
    struct slice body = p->body, name = parameter(p->disposition, "filename");
    char called[300];
    name = name.n ? name : parameter(p->type, "name");
    snprintf(called, sizeof called, "%.150s%s%.*s", where, name.n ? ": " : "", (int)(name.n < 120 ? name.n : 120),
             name.n ? name.p : "");
    if (is_encoding(p, "base64")) {
        (void)base64_decode_to(body, add_decoded, &b); /* b.status says whether it went well */
        body = report_scratch_text(&b);
    } else if (is_encoding(p, "quoted-printable")) {
        add_quoted_printable(&b, body);
        body = report_scratch_text(&b);
    }
    bool expected = begins(p->type, "application/gzip") || begins(p->type, "application/zip") ||
                    begins(p->type, "application/tlsrpt") || holds(name, ".xml") || holds(name, ".zip") ||
                    holds(name, ".gz") || holds(name, ".json");
    char room[200];
    const char *why = never_read(p, expected, room);
    if (why)
        unread(w, called, why);
    else if (b.status != STATUS_OK)
        not_unpacked(w, called, b.status);
    else
        look(w, (struct item){body, called, depth - 1, expected});
    report_scratch_end(&b);
}

/* ---- bounces ---- */

static void copy_field(char *out, size_t size, struct slice value, const char *without)
{
    while (value.n && strchr(without, value.p[0]) && value.p[0])
        value = slice_from(value, 1);
    while (value.n && strchr(without, value.p[value.n - 1]) && value.p[value.n - 1])
        value.n--;
    snprintf(out, size, "%.*s", value.n < size ? (int)value.n : 0, value.n ? value.p : "");
}

/* The fields of the first recipient that failed for good (RFC 3464 2.3). */
static void read_delivery_status(struct bounce *b, struct slice text)
{
    struct bounce now = {{0}, {0}, {0}, false};
    while (text.n && !b->failed) {
        struct slice field = take_field(&text), value;
        report_scratch_passed(field.p);
        if (field_is(field, "Final-Recipient", &value)) {
            const char *type = value.n ? memchr(value.p, ';', value.n) : NULL;
            copy_field(now.recipient, sizeof now.recipient,
                       type ? slice_from(value, (size_t)(type + 1 - value.p)) : SLICE_NULL, " \t<>");
        } else if (field_is(field, "Action", &value)) {
            now.failed = begins(value, "failed");
        } else if (field_is(field, "Status", &value)) {
            copy_field(now.code, sizeof now.code, value, " \t");
        }
        if (now.failed && now.code[0] == '5' && *now.recipient) {
            memcpy(b->recipient, now.recipient, sizeof b->recipient);
            memcpy(b->code, now.code, sizeof b->code);
            b->failed = true;
        }
        if (slice_trim(field).n == 0) /* the next recipient's */
            memset(&now, 0, sizeof now);
    }
}

static void read_returned(struct bounce *b, struct slice text)
{
    while (text.n && text.p[0] != '\n' && text.p[0] != '\r') {
        struct slice field = take_field(&text), value;
        report_scratch_passed(field.p);
        if (field_is(field, "Message-ID", &value) && !*b->id)
            copy_field(b->id, sizeof b->id, value, " \t<>");
    }
}

/* A part of a delivery status notification. What is in the mail that came back is no report that somebody sent. */
static void look_in_bounce(struct bounce *b, const struct part *p)
{
    if (begins(p->type, "message/delivery-status"))
        read_delivery_status(b, p->body);
    else if (begins(p->type, "message/rfc822") || begins(p->type, "text/rfc822-headers"))
        read_returned(b, p->body);
}

static void tell_bounce(struct walk *w, const char *where, const struct bounce *b)
{
    w->found++; /* one that is delayed, too, is no mail without a report */
    if (b->failed && *b->id && w->to->bounced)
        w->to->bounced(w->to->context, where, b->recipient, b->code, b->id);
}

static void look_in_mail(struct walk *w, struct slice text, const char *where, int depth)
{
    struct part p;
    if (!read_part(text, &p))
        return;
    if (w->bounce) {
        look_in_bounce(w->bounce, &p);
        return;
    }
    if (depth <= 0 || w->parts >= REPORT_IN_PARTS) {
        too_many(w, where);
        return;
    }
    w->parts++;
    struct slice boundary = parameter(p.type, "boundary");
    if (begins(p.type, "message/rfc822") && !is_encoding(&p, "base64") && !is_encoding(&p, "quoted-printable")) {
        look_in_mail(w, p.body, where, depth - 1);
        return;
    }
    if (!begins(p.type, "multipart/") || boundary.n == 0) {
        look_at_leaf(w, &p, where, depth);
        return;
    }
    struct bounce bounce = {{0}, {0}, {0}, false};
    bool is_bounce = begins(p.type, "multipart/report") && holds(p.type, "delivery-status");
    w->bounce = is_bounce ? &bounce : NULL;
    struct slice rest = p.body, begin = SLICE_NULL;
    while (rest.n) {
        struct slice line = line_of(rest);
        bool is = false, last = false;
        report_scratch_passed(line.p);
        if (line.n >= boundary.n + 2 && line.n <= BOUNDARY_LINE_MOST && memcmp(line.p, "--", 2) == 0 &&
            memcmp(line.p + 2, boundary.p, boundary.n) == 0) {
            struct slice behind = slice_trim(slice_from(line, boundary.n + 2)); /* not a longer boundary's beginning */
            last = behind.n == 2 && memcmp(behind.p, "--", 2) == 0;
            is = behind.n == 0 || last;
        }
        if (is && begin.p)
            look_in_mail(w, slice_of(begin.p, (size_t)(line.p - begin.p)), where, depth - 1);
        rest = slice_from(rest, line.n);
        if (is)
            begin = last ? SLICE_NULL : rest;
    }
    if (begin.p && begin.n) /* a mail that was cut off: what is behind the last boundary */
        look_in_mail(w, begin, where, depth - 1);
    w->bounce = NULL;
    if (is_bounce)
        tell_bounce(w, where, &bounce);
}

/* RFC 4155: mails, each behind a line that begins "From ". */
static void look_in_mbox(struct walk *w, struct item it)
{
    char where[300];
    unsigned number = 0;
    struct slice rest = it.in;
    while (rest.n) {
        if (w->parts >= REPORT_IN_PARTS) {
            too_many(w, it.where);
            return;
        }
        rest = slice_from(rest, line_of(rest).n);
        const char *next = report_scratch_find(rest, "\nFrom ", 6);
        size_t n = next ? (size_t)(next - rest.p) + 1 : rest.n;
        snprintf(where, sizeof where, "%.150s: mail %u", it.where, ++number);
        unsigned before = w->found + w->unread;
        look_in_mail(w, slice_of(rest.p, n), where, it.depth - 1);
        if (w->found + w->unread == before)
            unread(w, where, "no report is in it");
        rest = slice_from(rest, n);
    }
}

/* ---- what it is ---- */

/* The text without BOM, UTF-16 made UTF-8; what is not UTF-16 stays where it is. */
static struct slice plain_text(struct slice in, struct report_scratch *room)
{
    struct pending p = {.out = room};
    bool big = in.n > 3 && (memcmp(in.p, "\xfe\xff", 2) == 0 || (!in.p[0] && in.p[1]));
    bool little = in.n > 3 && (memcmp(in.p, "\xff\xfe", 2) == 0 || (in.p[0] && !in.p[1] && in.p[2] && !in.p[3]));
    if (in.n >= 3 && memcmp(in.p, "\xef\xbb\xbf", 3) == 0) {
        while (in.n >= 3 && memcmp(in.p, "\xef\xbb\xbf", 3) == 0) /* a tool put its own before another's */
            in = slice_from(in, 3);
        return in;
    }
    if (!big && !little)
        return in;
    for (size_t i = 0; i + 1 < in.n && room->status == STATUS_OK; i += 2) {
        unsigned hi = (unsigned char)in.p[i + !big], lo = (unsigned char)in.p[i + big], c = hi << 8 | lo;
        if (i % LOOK_AT == 0)
            report_scratch_passed(in.p + i);
        if (c == 0xfeff)
            continue;
        if (c >= 0xd800 && c < 0xe000) { /* no name or number of ours is beyond the first plane */
            if (i % 4)
                continue;
            c = 0xfffd;
        }
        if (c < 0x80) {
            pending_put(&p, (char)c);
            continue;
        }
        if (c >= 0x800)
            pending_put(&p, (char)(0xe0 | c >> 12));
        pending_put(&p, c < 0x800 ? (char)(0xc0 | c >> 6) : (char)(0x80 | (c >> 6 & 63)));
        pending_put(&p, (char)(0x80 | (c & 63)));
    }
    report_scratch_add(room, p.octets, p.n);
    return report_scratch_text(room);
}

static bool is_xml_report(struct slice t)
{
    return t.n > 1 && t.p[0] == '<' && (holds(t, "<feedback") || holds(t, ":feedback"));
}

static bool is_json_report(struct slice t)
{
    return t.n > 1 && (t.p[0] == '{' || t.p[0] == '[') &&
           (holds(t, "\"policies\"") || holds(t, "\"report-id\"") || holds(t, "organization-name"));
}

static bool is_mail(struct slice t)
{
    struct slice line = line_of(slice_of(t.p, t.n < LOOK_AT ? t.n : LOOK_AT));
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    for (const char *p = line.p; colon && p < colon; p++)
        if (*p <= ' ' || (unsigned char)*p > 126)
            return false;
    return colon && colon > line.p;
}

/* One report, or an array of them. */
static void find_in_json(struct walk *w, struct slice text, const char *where)
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
            too_many(w, where);
            return;
        }
        snprintf(called, sizeof called, "%.250s: report %u", where, number);
        w->found++;
        w->to->found(w->to->context, number > 1 ? called : where, value);
    }
}

/* Each report of a plain XML file; what is behind the last is none, and is not looked at. */
static void find_in_xml(struct walk *w, struct slice text, const char *where)
{
    char called[300];
    for (unsigned number = 1; text.n; number++) {
        if (number > 1 && w->parts++ >= REPORT_IN_PARTS) {
            too_many(w, where);
            return;
        }
        snprintf(called, sizeof called, "%.250s: report %u", where, number);
        struct slice report = report_markup_take(&text);
        w->found++;
        w->to->found(w->to->context, number > 1 ? called : where, report);
        text = report_markup_find(text);
    }
}

static void look(struct walk *w, struct item it)
{
    struct report_scratch room = UNPACKED;
    struct slice in = it.in;
    if (it.depth <= 0) {
        unread(w, it.where, "it is nested more deeply than is read");
        return;
    }
    if (in.n > 2 && memcmp(in.p, "\x1f\x8b", 2) == 0) {
        look_in_gzip(w, it);
        return;
    }
    if (in.n >= 4 && memcmp(in.p, "PK\3\4", 4) == 0) {
        look_in_zip(w, it);
        return;
    }
    struct slice text = without_blanks(plain_text(in, &room));
    if (room.status != STATUS_OK) {
        not_unpacked(w, it.where, room.status);
        report_scratch_end(&room);
        return;
    }
    bool looks = text.n > 1 && (text.p[0] == '{' || text.p[0] == '[' || (text.p[0] == '<' && !holds(text, "<html")));
    if (is_xml_report(text) || is_json_report(text) || (it.expected && looks)) {
        if (text.p[0] == '<')
            find_in_xml(w, text, it.where);
        else
            find_in_json(w, text, it.where);
    } else if (begins(text, "From ")) {
        look_in_mbox(w, (struct item){text, it.where, it.depth, false});
    } else if (is_mail(text) && it.depth > 1) {
        unsigned before = w->found + w->unread;
        look_in_mail(w, text, it.where, it.depth - 1);
        if (w->found + w->unread == before && it.expected)
            unread(w, it.where, "it is no report, and no mail with one in it");
    } else if (it.expected) {
        unread(w, it.where, "it is no report, and no mail with one in it");
    }
    report_scratch_end(&room);
}

void report_in_walk(struct slice file, const char *name, const struct report_in_walker *to)
{
    struct walk w = {.to = to};
    if (file.n > REPORT_IN_FILE) {
        to->unread(to->context, name, "the file is larger than is read", STATUS_LIMIT);
        return;
    }
    look(&w, (struct item){file, name, REPORT_IN_DEPTH, true});
    if (w.found + w.unread == 0)
        to->unread(to->context, name, "no report is in it", STATUS_INVALID);
}
