// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_mime.c - as report_mime.h says.
 *
 * Promises to look at no more than FIELD_MOST octets of a field, a bounded number of times. No failure but that of a
 * scratch file.
 */
#include "feedback/report_mime.h"
#include "base/base64.h"
#include "base/encoded_word.h"
#include "base/hex.h"
#include "base/utf8.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define FIELD_MOST 65536 /* octets of a header field that are looked at */
#define PASSES 4         /* over the pieces of a parameter, which may stand in any order */
#define PIECES 100

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice report_mime_line(struct slice s)
{
    const char *end = s.n ? report_scratch_find(s, "\n", 1) : NULL;
    return slice_of(s.p, end ? (size_t)(end - s.p) + 1 : s.n);
}

struct slice report_mime_field(struct slice *s)
{
    struct slice field = report_mime_line(*s);
    for (struct slice rest = slice_from(*s, field.n); rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t');
         rest = slice_from(*s, field.n))
        field.n += report_mime_line(rest).n;
    *s = slice_from(*s, field.n);
    return field;
}

/* Without blanks and comments in front (RFC 5322 3.2.2: comments nest). */
static struct slice without_comments(struct slice s)
{
    size_t i = 0, depth = 0;
    for (; i < s.n && (depth || s.p[i] == '(' || is_blank(s.p[i])); i++) {
        if (i % REPORT_SCRATCH_STEP == 0)
            report_scratch_passed(s.p + i);
        depth += s.p[i] == '(';
        depth -= s.p[i] == ')';
        i += depth && s.p[i] == '\\';
    }
    return slice_from(s, i < s.n ? i : s.n);
}

/* Octets of the name that the line begins with, if a colon follows it, after blanks or not (RFC 5322 4.5); else 0. */
static size_t field_name(struct slice line)
{
    size_t n = 0, colon;
    while (n < line.n && n < REPORT_MIME_LINE && line.p[n] > ' ' && line.p[n] != ':' && line.p[n] < 127)
        n++;
    for (colon = n; colon < line.n && (line.p[colon] == ' ' || line.p[colon] == '\t');)
        colon++;
    return n && colon < line.n && line.p[colon] == ':' ? n : 0;
}

bool report_mime_begins_header(struct slice s)
{
    struct slice line = report_mime_line(slice_of(s.p, s.n < REPORT_MIME_LINE ? s.n : REPORT_MIME_LINE));
    return field_name(line) || (line.n > 5 && memcmp(line.p, ">From ", 6) == 0);
}

bool report_mime_field_is(struct slice field, const char *name, struct slice *value)
{
    size_t n = strlen(name);
    field.n = field.n < FIELD_MOST ? field.n : FIELD_MOST;
    if (field.n <= n || strncasecmp(field.p, name, n) != 0 || field_name(field) != n)
        return false;
    const char *colon = memchr(field.p + n, ':', field.n - n);
    *value = slice_trim(without_comments(slice_from(field, (size_t)(colon - field.p) + 1)));
    return true;
}

/* Whether a line in a header is where the body begins, the empty line before it being forgotten. */
static bool is_body(struct slice line)
{
    struct slice s = slice_trim(line);
    size_t n = 0;
    if (report_mime_begins(s, "<?xml") || report_mime_begins(s, "<feedback") || report_mime_begins(s, "--"))
        return true;
    while (n < s.n && n < REPORT_MIME_LINE && base64_value[(unsigned char)s.p[n]])
        n++;
    return n >= 40 && (n == s.n || n == REPORT_MIME_LINE || s.p[n] == '=');
}

bool report_mime_part(struct slice text, struct report_mime_part *p)
{
    *p = (struct report_mime_part){0};
    bool fields = text.n && (text.p[0] == '\n' || text.p[0] == '\r');
    while (text.n && text.p[0] != '\n' && text.p[0] != '\r') {
        struct slice rest = text, field = report_mime_field(&rest);
        report_scratch_passed(field.p);
        if (p->type.p && !field_name(field) && is_body(field)) {
            p->body = text;
            return true;
        }
        text = rest;
        fields = fields || field_name(field);
        (void)(report_mime_field_is(field, "Content-Type", &p->type) ||
               report_mime_field_is(field, "Content-Transfer-Encoding", &p->encoding) ||
               report_mime_field_is(field, "Content-Disposition", &p->disposition));
    }
    p->body = slice_from(text, report_mime_line(text).n);
    return fields;
}

/* ---- parameters ---- */

static void name_put(char *out, size_t *n, char c)
{
    if (*n + 1 < REPORT_MIME_NAME)
        out[(*n)++] = c;
    out[*n] = '\0';
}

/* A quoted string without its quoted pairs and folds, or a word. Returns what is behind it. */
static struct slice take_value(struct slice s, char out[REPORT_MIME_NAME])
{
    size_t i = s.n && s.p[0] == '"', n = 0;
    bool quoted = i;
    out[0] = '\0';
    for (; i < s.n && (quoted ? s.p[i] != '"' : s.p[i] != ';' && !is_blank(s.p[i])); i++) {
        if (quoted && (s.p[i] == '\r' || s.p[i] == '\n'))
            continue;
        i += quoted && s.p[i] == '\\' && i + 1 < s.n;
        name_put(out, &n, s.p[i]);
    }
    return slice_from(s, i + quoted < s.n ? i + quoted : s.n);
}

/* The next "name=value"; words without "=" are skipped. False: there is none. */
static bool next_parameter(struct slice *rest, struct slice *name, char value[REPORT_MIME_NAME])
{
    for (struct slice s = *rest;;) {
        s = without_comments(s);
        while (s.n && s.p[0] == ';')
            s = without_comments(slice_from(s, 1));
        if (!s.n)
            return false;
        size_t n = 0;
        while (n < s.n && !is_blank(s.p[n]) && !strchr("=;(", s.p[n]))
            n++;
        *name = slice_of(s.p, n);
        s = without_comments(slice_from(s, n));
        if (s.n && s.p[0] == '=') {
            *rest = take_value(without_comments(slice_from(s, 1)), value);
            return true;
        }
        s = slice_from(s, n == 0); /* an octet that begins no name */
    }
}

/* Adds a piece; of an encoded one the octets, the first one's without its character set and language. */
static void add_piece(char *out, size_t *n, const char *text, bool encoded, bool first)
{
    const char *quote = encoded && first ? strchr(text, '\'') : NULL;
    quote = quote ? strchr(quote + 1, '\'') : NULL;
    for (const char *p = quote ? quote + 1 : text; *p; p++) {
        int octet = encoded && *p == '%' && hex_value(p[1]) >= 0 && hex_value(p[2]) >= 0
                        ? hex_value(p[1]) * 16 + hex_value(p[2])
                        : -1;
        name_put(out, n, octet > 0 ? (char)octet : *p);
        p += octet > 0 ? 2 : 0;
    }
}

/* Which piece of the parameter that name is: "*0", "*1*"; -1: none. "*" alone, the whole, is 0. */
static int piece_number(struct slice name, size_t n, bool *encoded)
{
    struct slice s = slice_from(name, n);
    int number = 0;
    *encoded = s.n > 0 && s.p[s.n - 1] == '*';
    if (s.n == 0 || s.p[0] != '*' || s.n > 5)
        return -1;
    for (size_t i = 1; i < s.n - (*encoded && s.n > 1); i++) {
        if (!isdigit((unsigned char)s.p[i]))
            return -1;
        number = number * 10 + (s.p[i] - '0');
    }
    return number;
}

bool report_mime_parameter(struct slice value, const char *name, char out[REPORT_MIME_NAME])
{
    char text[REPORT_MIME_NAME];
    struct slice called;
    size_t n = strlen(name), length = 0;
    int wanted = 0, before = -1;
    out[0] = '\0';
    for (int pass = 0; pass < PASSES && wanted != before; pass++) {
        before = wanted;
        for (struct slice rest = value; next_parameter(&rest, &called, text);) {
            bool encoded;
            if (called.n < n || strncasecmp(called.p, name, n) != 0)
                continue;
            if (called.n == n && wanted == 0) {
                memcpy(out, text, sizeof text);
                return true;
            }
            if (piece_number(called, n, &encoded) != wanted || wanted == PIECES)
                continue;
            add_piece(out, &length, text, encoded, wanted == 0);
            wanted++;
        }
    }
    return wanted > 0;
}

/* Octets that are no UTF-8, and a NUL, become "?". */
static void make_utf8(char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = text[i] ? utf8_length(slice_of(text + i, n - i)) : 0;
        text[i] = len ? text[i] : '?';
        i += len ? len : 1;
    }
}

void report_mime_file_name(const struct report_mime_part *p, char out[REPORT_MIME_NAME])
{
    char raw[REPORT_MIME_NAME];
    struct buf name = BUF_INIT;
    out[0] = '\0';
    if (!report_mime_parameter(p->disposition, "filename", raw) && !report_mime_parameter(p->type, "name", raw))
        return;
    encoded_word_decode_all(&name, slice_str(raw)); /* never longer than raw */
    memcpy(out, name.p, name.n);
    out[name.n] = '\0';
    make_utf8(out, name.n);
    buf_release(&name);
}

/* ---- encodings ---- */

bool report_mime_begins(struct slice s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && strncasecmp(s.p, word, n) == 0;
}

bool report_mime_is_type(const struct report_mime_part *p, const char *type)
{
    return report_mime_begins(p->type, type);
}

struct slice report_mime_encoding(const struct report_mime_part *p)
{
    struct slice s = p->encoding;
    size_t n = 0;
    s = slice_from(s, s.n && s.p[0] == '"');
    while (n < s.n && !is_blank(s.p[n]) && !strchr("\";(", s.p[n]))
        n++;
    return slice_of(s.p, n);
}

/* RFC 2045 6.7. */
static void add_quoted_printable(struct report_scratch *out, struct slice in)
{
    struct report_pending p = {.out = out};
    for (size_t i = 0; i < in.n && out->status == STATUS_OK; i++) {
        if (i % 4096 == 0)
            report_scratch_passed(in.p + i);
        if (in.p[i] != '=') {
            report_pending_put(&p, in.p[i]);
            continue;
        }
        size_t k = i + 1;
        while (k < in.n && k - i < REPORT_MIME_LINE && (in.p[k] == ' ' || in.p[k] == '\t' || in.p[k] == '\r'))
            k++;
        if (k < in.n && in.p[k] == '\n') {
            i = k; /* a soft line break */
        } else if (i + 2 < in.n && hex_value(in.p[i + 1]) >= 0 && hex_value(in.p[i + 2]) >= 0) {
            report_pending_put(&p, (char)(hex_value(in.p[i + 1]) * 16 + hex_value(in.p[i + 2])));
            i += 2;
        } else {
            report_pending_put(&p, '=');
        }
    }
    report_pending_end(&p);
}

struct base64_lines {
    struct report_pending p;
    unsigned bits, have;
    size_t width; /* of the first line; 0: none yet */
    bool stopped; /* something that is no base64 came behind it: only lines as wide as the first go on */
};

/* Whether a line is base64. One stray octet in it is none of it (RFC 2045 6.8); blanks between words, or more of them,
 * make it a text of somebody. */
static bool is_base64_line(const struct base64_lines *b, struct slice line)
{
    size_t other = 0, most = line.n < REPORT_MIME_LINE ? line.n : REPORT_MIME_LINE;
    for (size_t i = 0; i < most; i++)
        other += !base64_value[(unsigned char)line.p[i]] && line.p[i] != '=';
    return other <= 1 && most > other &&
           (!b->stopped || most == b->width || (other == 0 && most % 4 == 0 && b->have == 0));
}

static void add_base64_line(struct base64_lines *b, struct slice line)
{
    for (size_t i = 0; i < line.n && b->p.out->status == STATUS_OK; i++) {
        const unsigned v = base64_value[(unsigned char)line.p[i]];
        if (i % 4096 == 0)
            report_scratch_passed(line.p + i);
        if (line.p[i] == '=')
            b->bits = b->have = 0;
        if (!v)
            continue;
        b->bits = b->bits << 6 | (v - 1);
        b->have += 6;
        if (b->have >= 8) {
            b->have -= 8;
            report_pending_put(&b->p, (char)(b->bits >> b->have & 0xff));
        }
    }
}

static void add_base64(struct report_scratch *out, struct slice in)
{
    struct base64_lines b = {.p = {.out = out}};
    while (in.n && out->status == STATUS_OK) {
        struct slice line = report_mime_line(in);
        in = slice_from(in, line.n);
        line = slice_trim(line);
        while (line.n && (line.p[0] == '>' || is_blank(line.p[0]))) /* quoted in a reply */
            line = slice_from(line, 1);
        if (line.n && is_base64_line(&b, line)) {
            b.width = b.width ? b.width : line.n < REPORT_MIME_LINE ? line.n : REPORT_MIME_LINE;
            add_base64_line(&b, line);
        } else if (line.n && b.width) {
            b.stopped = true;
        }
    }
    report_pending_end(&b.p);
}

bool report_mime_decode(const struct report_mime_part *p, struct report_scratch *out)
{
    struct slice encoding = report_mime_encoding(p);
    if (slice_eq_nocase(encoding, slice_str("base64")))
        add_base64(out, p->body);
    else if (slice_eq_nocase(encoding, slice_str("quoted-printable")))
        add_quoted_printable(out, p->body);
    else
        return false;
    return true;
}

/* ---- multiparts ---- */

/* RFC 2046 5.1.1: blanks may follow a boundary; but not more of a longer one. */
static bool is_boundary(struct slice line, const char *boundary, bool *last)
{
    size_t n = strlen(boundary);
    if (line.n < n + 2 || line.n > REPORT_MIME_LINE || memcmp(line.p, "--", 2) != 0 ||
        memcmp(line.p + 2, boundary, n) != 0)
        return false;
    struct slice behind = slice_trim(slice_from(line, n + 2));
    *last = behind.n == 2 && memcmp(behind.p, "--", 2) == 0;
    return behind.n == 0 || *last;
}

bool report_mime_next_part(struct report_mime_parts *m, struct slice *part)
{
    while (m->rest.n) {
        struct slice line = report_mime_line(m->rest);
        bool last = false, is = is_boundary(line, m->boundary, &last);
        report_scratch_passed(line.p);
        m->rest = slice_from(m->rest, line.n);
        if (!is)
            continue;
        *part = m->begin.p ? slice_of(m->begin.p, (size_t)(line.p - m->begin.p)) : SLICE_NULL;
        m->begin = last ? SLICE_NULL : m->rest;
        if (part->p)
            return true;
    }
    *part = m->begin; /* a mail that was cut off: what is behind the last boundary */
    m->begin = SLICE_NULL;
    return part->p && part->n;
}
