// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_mail.c - looks for the signs of a DMARC report.
 *
 * Promises to read at most SUBJECT_MOST octets of a subject, and to require at least two signs. Cannot fail; if memory
 * runs out, it is not a report.
 */
#include "judge/report_mail.h"
#include "base/buf.h"
#include "base/domain.h"
#include "base/encoded_word.h"
#include "base/hex.h"
#include <ctype.h>
#include <string.h>

#define SUBJECT_MOST 2000
#define RCPTS_MOST 50

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

/* Makes the subject lower case, decodes encoded words, and replaces each run of blanks by one. A NUL is a blank. */
static void add_plain(struct buf *out, struct slice subject)
{
    struct buf raw = BUF_INIT;
    encoded_word_decode_all(&raw, subject);
    for (size_t i = 0; i < raw.n; i++)
        if (!is_blank(raw.p[i]))
            buf_addc(out, (char)tolower((unsigned char)raw.p[i]));
        else if (out->n && out->p[out->n - 1] != ' ')
            buf_addc(out, ' ');
    out->failed |= raw.failed;
    buf_release(&raw);
}

static bool text_holds(struct slice text, const char *word)
{
    const size_t n = strlen(word);
    const int first = tolower((unsigned char)word[0]);
    for (size_t i = 0; i + n <= text.n; i++)
        if (tolower((unsigned char)text.p[i]) == first && strncasecmp(text.p + i, word, n) == 0)
            return true;
    return false;
}

/* All subjects of reports have this word, perhaps encoded. Most mails have neither. */
static bool may_say_report(struct slice subject)
{
    subject.n = subject.n > SUBJECT_MOST ? SUBJECT_MOST : subject.n;
    return text_holds(subject, "report") || text_holds(subject, "=?");
}

bool report_mail_subject(struct slice subject)
{
    struct buf b = BUF_INIT;
    if (!may_say_report(subject))
        return false;
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

/* "receiver!domain!begin!end[!id].xml[.gz]", or .zip: three marks before an ending of the kind. A mark may be encoded:
 * "%21" (RFC 2231), "=21" (RFC 2047). */
static bool holds_report_name(struct slice text)
{
    size_t marks = 0;
    for (size_t i = 0; i < text.n; i++)
        marks += text.p[i] == '!' ||
                 (i + 2 < text.n && (text.p[i] == '%' || text.p[i] == '=') && memcmp(text.p + i + 1, "21", 2) == 0);
    return marks >= 3 && (text_holds(text, ".xml") || text_holds(text, ".zip") || text_holds(text, ".gz"));
}

/* The type and name of an attachment, by RFC 9990 3.5.2, RFC 7489 7.2.1.1, RFC 5965 2. */
static bool is_report_field(struct slice name, struct slice value)
{
    if (slice_eq_nocase(name, SLICE_LIT("Content-Type")))
        return text_holds(value, "feedback-report") || holds_report_name(value);
    if (slice_eq_nocase(name, SLICE_LIT("Content-Disposition")))
        return holds_report_name(value);
    return slice_eq_nocase(name, SLICE_LIT("Content-Description")) && text_holds(value, "DMARC");
}

static struct slice line_of(struct slice s)
{
    const char *end = s.n ? memchr(s.p, '\n', s.n) : NULL;
    return slice_of(s.p, end ? (size_t)(end - s.p) + 1 : s.n);
}

/* Whether a part says so, in the first octets of the body. Lines that only look like such a field are taken for one:
 * one sign is not enough. */
static bool parts_say_so(struct slice body)
{
    while (body.n) {
        struct slice field = line_of(body);
        for (struct slice rest = slice_from(body, field.n); rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t');
             rest = slice_from(body, field.n))
            field.n += line_of(rest).n;
        const char *colon =
            field.n > 8 && strncasecmp(field.p, "Content-", 8) == 0 ? memchr(field.p, ':', field.n) : NULL;
        if (colon) {
            struct slice name = slice_trim(slice_of(field.p, (size_t)(colon - field.p)));
            if (is_report_field(name, slice_from(field, name.n + 1)))
                return true;
        }
        body = slice_from(body, field.n);
    }
    return false;
}

static bool header_says_so(const struct judge_mail *m)
{
    static const char *const names[] = {"Content-Type", "Content-Disposition", "Content-Description"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_report_field(slice_str(names[i]), field(m, names[i])))
            return true;
    return false;
}

static bool is_automatic(const struct judge_mail *m)
{
    struct slice word = slice_trim(field(m, "Auto-Submitted"));
    return m->null_sender || (word.n && !text_holds(word, "no") && word.n < 200) || text_holds(word, "auto-");
}

bool report_mail_may_be(const struct judge_mail *m)
{
    struct slice type = field(m, "Content-Type");
    return report_mail_subject(slice_trim(field(m, "Subject"))) || header_says_so(m) ||
           (is_automatic(m) && (text_holds(type, "multipart/") || text_holds(type, "application/")));
}

/* ---- whether it goes where reports are wanted ---- */

/* The domain behind "report domain:"; "" if there is none. */
static void subject_domain(const struct judge_mail *m, char out[LIMIT_DOMAIN + 1])
{
    const struct slice subject = slice_trim(field(m, "Subject"));
    struct buf b = BUF_INIT;
    out[0] = '\0';
    if (!may_say_report(subject))
        return;
    add_plain(&b, subject);
    const char *at = b.failed ? NULL : strstr(b.p, "report domain");
    if (at) {
        at += strlen("report domain");
        at += strspn(at, " :{<\"");
        struct slice name = slice_of(at, strcspn(at, " }>,;\""));
        if (domain_from_text(name, out) != STATUS_OK)
            out[0] = '\0';
    }
    buf_release(&b);
}

static void add_name(struct arena *a, const char *domain, struct report_mail_names *out)
{
    const char *name = domain && *domain ? arena_printf(a, "_dmarc.%s", domain) : NULL;
    for (size_t i = 0; name && i < out->count; i++)
        if (strcmp(out->name[i], name) == 0)
            return;
    if (name && out->count < REPORT_MAIL_NAMES && strlen(name) <= LIMIT_DOMAIN)
        out->name[out->count++] = name;
}

void report_mail_records(const struct judge_mail *m, struct arena *a, struct report_mail_names *out)
{
    char domain[LIMIT_DOMAIN + 1];
    *out = (struct report_mail_names){.count = 0};
    if (!report_mail_may_be(m))
        return;
    subject_domain(m, domain);
    add_name(a, domain, out);
    for (size_t i = 0; i < m->rcpt_count && i < RCPTS_MOST; i++)
        add_name(a, m->rcpts[i].domain, out);
}

/* A rua tag's URI without scheme, size and percent-encoding (RFC 9990 3.4). */
static void add_address(struct buf *out, struct slice uri)
{
    static const char scheme[] = "mailto:";
    uri = slice_trim(uri);
    if (uri.n < sizeof scheme - 1 || strncasecmp(uri.p, scheme, sizeof scheme - 1) != 0)
        return;
    uri = slice_from(uri, sizeof scheme - 1);
    for (size_t i = 0; i < uri.n && uri.p[i] != '!' && uri.p[i] != '?'; i++) {
        if (uri.p[i] == '%' && i + 2 < uri.n && hex_value(uri.p[i + 1]) >= 0 && hex_value(uri.p[i + 2]) >= 0) {
            buf_addc(out, (char)(hex_value(uri.p[i + 1]) * 16 + hex_value(uri.p[i + 2])));
            i += 2;
        } else {
            buf_addc(out, uri.p[i]);
        }
    }
}

static bool is_recipient(const struct judge_mail *m, struct slice address)
{
    for (size_t i = 0; i < m->rcpt_count && i < RCPTS_MOST; i++)
        if (m->rcpts[i].address && slice_eq_nocase(slice_trim(slice_str(m->rcpts[i].address)), address))
            return true;
    return false;
}

bool report_mail_names_rcpt(const struct judge_mail *m, struct slice txt)
{
    bool dmarc = false, found = false;
    for (size_t at = 0; at < txt.n && !found;) {
        struct slice rest = slice_from(txt, at);
        const char *end = memchr(rest.p, ';', rest.n), *equals;
        struct slice tag = slice_of(rest.p, end ? (size_t)(end - rest.p) : rest.n);
        at += tag.n + 1;
        equals = tag.n ? memchr(tag.p, '=', tag.n) : NULL;
        struct slice name = equals ? slice_trim(slice_of(tag.p, (size_t)(equals - tag.p))) : SLICE_NULL;
        struct slice value = equals ? slice_from(tag, (size_t)(equals - tag.p) + 1) : SLICE_NULL;
        dmarc =
            dmarc || (slice_eq_nocase(name, SLICE_LIT("v")) && slice_eq_nocase(slice_trim(value), SLICE_LIT("DMARC1")));
        if (!dmarc || !(slice_eq_nocase(name, SLICE_LIT("rua")) || slice_eq_nocase(name, SLICE_LIT("ruf"))))
            continue;
        for (size_t from = 0; from < value.n && !found;) {
            struct slice uris = slice_from(value, from);
            const char *comma = memchr(uris.p, ',', uris.n);
            struct slice uri = slice_of(uris.p, comma ? (size_t)(comma - uris.p) : uris.n);
            struct buf address = BUF_INIT;
            add_address(&address, uri);
            found = address.n && is_recipient(m, buf_slice(&address));
            buf_release(&address);
            from += uri.n + 1;
        }
    }
    return found;
}

bool mail_is_dmarc_report(const struct judge_mail *m)
{
    /* RFC 5965 2: a mail of this type is a report whatever else it shows. */
    if (text_holds(field(m, "Content-Type"), "feedback-report"))
        return true;
    int signs = report_mail_subject(slice_trim(field(m, "Subject"))) + is_automatic(m) + m->to_rua;
    return signs >= 2 || (signs == 1 && (header_says_so(m) || parts_say_so(m->body_head)));
}
