// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_unpack.c - a report's text out of what it came in: gzip (RFC 1952), zip, a mail (RFC 5322, 2045), or nothing.
 *
 * Promises that no input makes it write more than REPORT_IN_TEXT octets or REPORT_IN_RATIO times what it read, nor look
 * at more than REPORT_IN_PARTS parts nested MAIL_DEPTH deep; that it takes the first report it finds and nothing else;
 * and that names in an archive are never used as names of files. On failure out holds nothing of use.
 */
#include "base/base64.h"
#include "base/buf.h"
#include "feedback/report_in.h"
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define MAIL_DEPTH 4
#define ZIP_HEADER 30

static enum status complain(char *why, enum status st, const char *text)
{
    snprintf(why, 200, "%s", text);
    return st;
}

/* bits: 31 gzip, -15 raw deflate. */
static enum status inflate_into(struct slice in, int bits, struct buf *out, char *why)
{
    static const size_t step = 65536;
    unsigned char space[65536];
    z_stream z = {.next_in = (Bytef *)(void *)(size_t)in.p, .avail_in = (uInt)in.n};
    size_t most = in.n * REPORT_IN_RATIO + 4096, total = 0;
    most = most < REPORT_IN_TEXT ? most : REPORT_IN_TEXT;
    if (inflateInit2(&z, bits) != Z_OK)
        return complain(why, STATUS_NOMEM, "out of memory");
    int rc;
    do {
        z.next_out = space;
        z.avail_out = (uInt)step;
        rc = inflate(&z, Z_NO_FLUSH);
        total += step - z.avail_out;
        if (total <= most)
            buf_add(out, space, step - z.avail_out);
    } while (rc == Z_OK && total <= most && (z.avail_in || z.avail_out == 0));
    inflateEnd(&z);
    if (total > most)
        return complain(why, STATUS_LIMIT, "it unpacks to more than is read");
    if (out->failed)
        return complain(why, STATUS_NOMEM, "out of memory");
    return rc == Z_STREAM_END ? STATUS_OK : complain(why, STATUS_INVALID, "it is packed wrongly, or cut off");
}

static unsigned le16(const char *p)
{
    return (unsigned char)p[0] | (unsigned)(unsigned char)p[1] << 8;
}

/* The first file: local header, name, extra field, data (stored or deflated). */
static enum status unzip(struct slice in, struct buf *out, char *why)
{
    if (in.n < ZIP_HEADER || (le16(in.p + 6) & 1))
        return complain(why, STATUS_INVALID, "the zip file is cut off or encrypted");
    unsigned method = le16(in.p + 8);
    size_t skip = ZIP_HEADER + le16(in.p + 26) + le16(in.p + 28), size = le16(in.p + 18) | (size_t)le16(in.p + 20)
                                                                                               << 16;
    struct slice data = slice_from(in, skip);
    if (method == 8)
        return inflate_into(data, -15, out, why);
    if (method != 0 || size > data.n)
        return complain(why, STATUS_INVALID, "the zip file is packed in a way that is not read");
    buf_add(out, data.p, size);
    return STATUS_OK;
}

/* ---- mail ---- */

struct part {
    struct slice type, encoding, disposition, body; /* header values unfolded as they stand */
};

static struct slice line_of(struct slice s)
{
    const char *end = s.n ? memchr(s.p, '\n', s.n) : NULL;
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
    if (field.n <= n || strncasecmp(field.p, name, n) != 0 || field.p[n] != ':')
        return false;
    *value = slice_trim(slice_from(field, n + 1));
    return true;
}

static bool read_part(struct slice text, struct part *p)
{
    *p = (struct part){0};
    bool fields = false;
    while (text.n && text.p[0] != '\n' && text.p[0] != '\r') {
        struct slice field = take_field(&text);
        fields = fields || memchr(field.p, ':', field.n);
        (void)(field_is(field, "Content-Type", &p->type) ||
               field_is(field, "Content-Transfer-Encoding", &p->encoding) ||
               field_is(field, "Content-Disposition", &p->disposition));
    }
    p->body = slice_from(text, line_of(text).n);
    return fields;
}

static struct slice parameter(struct slice value, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i + n < value.n; i++) {
        if (strncasecmp(value.p + i, name, n) != 0 || value.p[i + n] != '=' ||
            (i && !strchr("; \t\r\n", value.p[i - 1])))
            continue;
        struct slice v = slice_from(value, i + n + 1);
        bool quoted = v.n && v.p[0] == '"';
        v = slice_from(v, quoted);
        size_t len = 0;
        while (len < v.n && (quoted ? v.p[len] != '"' : !strchr("; \t\r\n", v.p[len])))
            len++;
        return slice_of(v.p, len);
    }
    return SLICE_NULL;
}

static bool looks_like_report(struct slice s)
{
    struct slice t = slice_trim(s);
    return (s.n > 3 && (memcmp(s.p, "\x1f\x8b", 2) == 0 || memcmp(s.p, "PK\3\4", 4) == 0)) ||
           (t.n > 1 && (t.p[0] == '{' || memcmp(t.p, "<?", 2) == 0 || (t.n > 9 && memcmp(t.p, "<feedback", 9) == 0)));
}

static enum status unpack(struct slice in, struct buf *out, char *why, int depth, unsigned *parts);

static enum status leaf(const struct part *p, struct buf *out, char *why, unsigned *parts)
{
    struct buf b = {.p = buf_empty, .bound = REPORT_IN_FILE};
    struct slice body = p->body;
    if (slice_eq_nocase(p->encoding, SLICE_LIT("base64"))) {
        base64_decode(&b, body);
        body = buf_slice(&b);
    }
    enum status st = STATUS_MISSING;
    if (looks_like_report(body))
        st = unpack(body, out, why, 0, parts);
    buf_release(&b);
    return st;
}

/* STATUS_MISSING: no report in it. */
static enum status search_mail(struct slice text, struct buf *out, char *why, int depth, unsigned *parts)
{
    struct part p;
    if (depth == 0 || *parts == 0 || !read_part(text, &p))
        return STATUS_MISSING;
    --*parts;
    struct slice boundary = parameter(p.type, "boundary");
    if (p.type.n < 10 || strncasecmp(p.type.p, "multipart/", 10) != 0 || boundary.n == 0)
        return leaf(&p, out, why, parts);
    struct slice rest = p.body, begin = SLICE_NULL;
    while (rest.n) {
        struct slice line = line_of(rest);
        bool is =
            line.n >= boundary.n + 2 && memcmp(line.p, "--", 2) == 0 && memcmp(line.p + 2, boundary.p, boundary.n) == 0;
        if (is && begin.p) {
            enum status st = search_mail(slice_of(begin.p, (size_t)(line.p - begin.p)), out, why, depth - 1, parts);
            if (st != STATUS_MISSING)
                return st;
        }
        rest = slice_from(rest, line.n);
        if (is)
            begin = rest;
    }
    /* A mail that was cut off: what is behind the last boundary. */
    return begin.p && begin.n ? search_mail(begin, out, why, depth - 1, parts) : STATUS_MISSING;
}

static enum status unpack(struct slice in, struct buf *out, char *why, int depth, unsigned *parts)
{
    if (in.n > 2 && memcmp(in.p, "\x1f\x8b", 2) == 0)
        return inflate_into(in, 31, out, why);
    if (in.n > 4 && memcmp(in.p, "PK\3\4", 4) == 0)
        return unzip(in, out, why);
    if (looks_like_report(in) || depth == 0) {
        buf_addslice(out, in);
        return out->failed ? complain(why, STATUS_NOMEM, "out of memory") : STATUS_OK;
    }
    enum status st = search_mail(in, out, why, depth, parts);
    return st == STATUS_MISSING ? complain(why, STATUS_INVALID, "it is no report, nor a mail with one in it") : st;
}

enum status report_in_unpack(struct slice file, struct buf *out, char *why)
{
    unsigned parts = REPORT_IN_PARTS;
    if (file.n > REPORT_IN_FILE)
        return complain(why, STATUS_LIMIT, "the file is larger than is read");
    return unpack(file, out, why, MAIL_DEPTH, &parts);
}
