// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_report.c - looks for the signs of a DMARC report.
 *
 * Promises to read at most SUBJECT_MOST octets of a subject, and to require at least two signs. Cannot fail; if memory
 * runs out, it is not a report.
 */
#include "judge/mail_report.h"
#include "base/base64.h"
#include "base/buf.h"
#include <ctype.h>
#include <string.h>

#define SUBJECT_MOST 2000
#define RCPTS_MOST 50

static int hex(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? (tolower((unsigned char)c) - 'a' + 10)
                                        : -1;
}

static void add_q(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '=' && i + 2 < text.n && hex(text.p[i + 1]) >= 0 && hex(text.p[i + 2]) >= 0) {
            buf_addc(out, (char)(hex(text.p[i + 1]) * 16 + hex(text.p[i + 2])));
            i += 2;
        } else {
            buf_addc(out, text.p[i] == '_' ? ' ' : text.p[i]);
        }
    }
}

/* RFC 2047 2: "=?charset?encoding?text?=". Returns its length, or 0. */
static size_t add_encoded_word(struct buf *out, struct slice s)
{
    const char *end = s.p + s.n;
    const char *charset = s.n > 2 && s.p[0] == '=' && s.p[1] == '?' ? memchr(s.p + 2, '?', s.n - 2) : NULL;
    if (!charset || end - charset < 4 || charset[2] != '?')
        return 0;
    const char *text = charset + 3, *stop = memmem(text, (size_t)(end - text), "?=", 2);
    int encoding = tolower((unsigned char)charset[1]);
    if (!stop || (encoding != 'q' && encoding != 'b'))
        return 0;
    struct slice body = slice_of(text, (size_t)(stop - text));
    if (encoding == 'q')
        add_q(out, body);
    else
        base64_decode(out, body);
    return (size_t)(stop + 2 - s.p);
}

/* Makes the subject lower case, decodes encoded words, and replaces each run of blanks by one. */
static void add_plain(struct buf *out, struct slice subject)
{
    struct buf raw = BUF_INIT;
    bool word = false;
    subject.n = subject.n > SUBJECT_MOST ? SUBJECT_MOST : subject.n;
    while (subject.n) {
        size_t blanks = 0;
        while (blanks < subject.n && strchr(" \t\r\n", subject.p[blanks]))
            blanks++;
        size_t before = raw.n;
        if (blanks)
            buf_addc(&raw, ' ');
        size_t n = add_encoded_word(&raw, slice_from(subject, blanks));
        if (n && blanks && word && raw.n > before) /* blanks between two encoded words are dropped (RFC 2047 6.2) */
            memmove((char *)(void *)(size_t)raw.p + before, raw.p + before + 1, --raw.n - before);
        word = n != 0;
        if (!n && blanks < subject.n)
            buf_addc(&raw, subject.p[blanks]), n = 1;
        subject = slice_from(subject, blanks + n);
    }
    for (size_t i = 0; i < raw.n; i++)
        if (!(raw.p[i] == ' ' && (out->n == 0 || out->p[out->n - 1] == ' ')))
            buf_addc(out, (char)tolower((unsigned char)raw.p[i]));
    buf_release(&raw);
}

bool mail_report_subject(struct slice subject)
{
    struct buf b = BUF_INIT;
    add_plain(&b, subject);
    const char *at = b.failed ? NULL : strstr(b.p, "report domain");
    bool found = at && (at[13] == ':' || (at[13] == ' ' && at[14] == ':'));
    /* "DMARC Aggregate Report for example.org", as some large senders write it */
    found = found || (!b.failed && strstr(b.p, "dmarc") && strstr(b.p, "report") &&
                      (strstr(b.p, "aggregate") || strstr(b.p, "report-id") || strstr(b.p, "submitter")));
    buf_release(&b);
    return found;
}

static struct slice field(const struct judge_mail *m, const char *name)
{
    const struct header_field *f = header_find(&m->headers, name, 1);
    return f ? f->value : SLICE_NULL;
}

static bool holds(struct slice text, const char *word)
{
    size_t n = strlen(word);
    for (; text.n >= n; text = slice_from(text, 1))
        if (strncasecmp(text.p, word, n) == 0)
            return true;
    return false;
}

/* "receiver!domain!begin!end[!id].xml[.gz]", or .zip: three marks before an ending of the kind. */
static bool holds_report_name(struct slice text)
{
    size_t marks = 0;
    for (size_t i = 0; i < text.n; i++)
        marks += text.p[i] == '!';
    return marks >= 3 && (holds(text, ".xml") || holds(text, ".zip") || holds(text, ".gz"));
}

static bool has_report_part(const struct judge_mail *m)
{
    struct slice type = field(m, "Content-Type"), disposition = field(m, "Content-Disposition");
    return holds(type, "feedback-report") || holds_report_name(type) || holds_report_name(disposition) ||
           holds(field(m, "Content-Description"), "DMARC");
}

static bool is_automatic(const struct judge_mail *m)
{
    struct slice word = slice_trim(field(m, "Auto-Submitted"));
    return m->null_sender || (word.n && !holds(word, "no") && word.n < 200) || holds(word, "auto-");
}

/* An address that is made for reports: dmarc@, rua@, dmarc-reports@, ... */
static bool goes_to_reports(const struct judge_mail *m)
{
    for (size_t i = 0; i < m->rcpt_count && i < RCPTS_MOST; i++) {
        const char *path = m->rcpts[i].address, *at = path ? strrchr(path, '@') : NULL;
        struct slice local = at ? slice_of(path, (size_t)(at - path)) : SLICE_NULL;
        if (holds(local, "dmarc") || holds(local, "rua") || holds(local, "aggregate"))
            return true;
    }
    return false;
}

bool mail_is_dmarc_report(const struct judge_mail *m)
{
    int signs =
        mail_report_subject(slice_trim(field(m, "Subject"))) + 2 * holds(field(m, "Content-Type"), "feedback-report");
    if (signs == 0 && !has_report_part(m))
        return false;
    signs += has_report_part(m) + is_automatic(m) + goes_to_reports(m);
    return signs >= 2;
}
