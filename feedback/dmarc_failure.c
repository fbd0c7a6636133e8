// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_failure.c - decides whether a failure report is asked for, and writes its mail.
 *
 * Promises a mail by the grammars of RFC 6522 (multipart/report), RFC 5965 (feedback-report) and RFC 6591 (the fields
 * of auth-failure), whatever a sender wrote: every value that came from outside is written only when all of it is
 * within the few characters its field allows, else the field is left out or reads "none". No local part is written. On
 * failure the caller must discard out.
 */
#include "feedback/dmarc_failure.h"
#include "base/clock.h"
#include "base/standard.h"
#include "feedback/dmarc_report.h"
#include "ledger/timestamp.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DATE 64
#define TOKEN 300
#define SPF_LINE 60 /* a line of a record is folded at the first word after so many octets */
#define SPF_WORD                                                                                                       \
    400 /* octets without a place to fold it: twice as many, each with a backslash, fit in 998 (RFC 5322) */

/* A domain, a selector or an address: letters, digits and . - _ : only. */
static bool is_plain(const char *s)
{
    size_t n = s ? strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") : 0;
    return n > 0 && n < TOKEN && s[n] == '\0';
}

static const char *plain_of(const struct value *f, const char *key)
{
    const char *s = value_text(f, key);
    return is_plain(s) ? s : NULL;
}

/* The findings that a report contains. */
struct told {
    const struct value *dmarc, *dkim, *spf;
    bool signature_failed; /* any of them */
};

/* RFC 9991 asks for a signature that could have been aligned and did not pass; else one that failed, else any. */
static int weight(const struct value *dkim)
{
    const char *result = value_text(dkim, "result");
    return value_true(dkim, "aligned") && !str_is(result, "pass") ? 3 : str_is(result, "fail") ? 2 : dkim ? 1 : 0;
}

/* dkim: the first of the most weight. */
static struct told told_of(const struct record *r)
{
    struct told t = {.dmarc = record_finding(r, "dmarc")};
    size_t n = value_count(r->findings);
    for (size_t i = 0; i < n && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *f = value_at(r->findings, i);
        const char *standard = value_text(f, "standard");
        if (str_is(standard, "spf") && !t.spf && str_is(value_text(f, "identity"), "mailfrom"))
            t.spf = f;
        t.signature_failed |= str_is(standard, "dkim") && str_is(value_text(f, "result"), "fail");
        if (str_is(standard, "dkim") && plain_of(f, "selector") && plain_of(f, "subject") && weight(f) > weight(t.dkim))
            t.dkim = f;
    }
    return t;
}

bool dmarc_failure_asked(const struct record *r)
{
    struct told t = told_of(r);
    const char *ruf = value_text(t.dmarc, "ruf"), *fo = value_text(t.dmarc, "fo"),
               *result = value_text(t.dmarc, "result");
    bool dkim = value_true(t.dmarc, "dkim_aligned"), spf = value_true(t.dmarc, "spf_aligned");
    if (!ruf || !*ruf || !(str_is(result, "pass") || str_is(result, "fail")) || str_is(r->action, "defer") ||
        !record_is_from_outside(r) || !is_plain(r->client) || !is_plain(r->from) || !r->mail_from || !*r->mail_from ||
        value_true(r->root, "report") || str_is(value_text(t.dmarc, "psd"), "y"))
        return false;
    fo = fo && *fo ? fo : "0";
    return (strchr(fo, '0') && !dkim && !spf) || (strchr(fo, '1') && !(dkim && spf)) ||
           (strchr(fo, 'd') && t.signature_failed) ||
           (strchr(fo, 's') && t.spf && str_is(value_text(t.spf, "result"), "fail"));
}

static bool date_text(time_t t, char out[DATE])
{
    struct tm tm;
    return gmtime_r(&t, &tm) && strftime(out, DATE, "%a, %d %b %Y %H:%M:%S +0000", &tm) > 0;
}

static const char *delivery(const struct record *r)
{
    return str_is(r->action, "reject")       ? "reject"
           : str_is(r->action, "quarantine") ? "spam"
           : str_is(r->action, "hold")       ? "other"
                                             : "delivered";
}

/* RFC 8601's words; what is none of them is not known. */
static const char *result_of(const struct value *f)
{
    enum result r = result_from_name(slice_str(value_text(f, "result")));
    return r == RESULT_COUNT || r == RESULT_UNTESTED ? "none" : result_name(r);
}

static void put_authentication(struct buf *b, const struct record *r, const struct told *t, const char *us)
{
    buf_printf(b, "Authentication-Results: %s;\n dmarc=%s header.from=%s", us, result_of(t->dmarc), r->from);
    if (t->spf && is_plain(r->mail_from))
        buf_printf(b, ";\n spf=%s smtp.mailfrom=%s", result_of(t->spf), r->mail_from);
    if (t->dkim)
        buf_printf(b, ";\n dkim=%s header.d=%s header.s=%s", result_of(t->dkim), value_text(t->dkim, "subject"),
                   value_text(t->dkim, "selector"));
    buf_addc(b, '\n');
}

/* A blank between words, where a line may be folded. */
static bool is_gap(const char *text, size_t i)
{
    return i && text[i - 1] != ' ' && text[i] == ' ' && text[i + 1] && text[i + 1] != ' ';
}

/* Tells whether a record can be quoted unchanged: plain characters that fit into the lines of a mail. */
static bool is_tellable(const char *text, size_t n)
{
    bool good = n > 0 && n <= DMARC_FAILURE_SPF;
    for (size_t i = 0, line = 0; good && i < n; i++) {
        line = is_gap(text, i) ? 0 : line + 1;
        good = text[i] >= 0x20 && text[i] <= 0x7e && line <= SPF_WORD;
    }
    return good;
}

/* SPF-DNS (RFC 6591): "txt" ":" domain ":" quoted-string. */
static void put_spf_dns(struct buf *b, const struct value *spf)
{
    const char *domain = plain_of(spf, "subject"), *text = value_text(spf, "txt");
    size_t n = text ? strlen(text) : 0;
    if (!domain || !is_tellable(text, n))
        return;
    buf_printf(b, "SPF-DNS: txt : %s :\n \"", domain);
    for (size_t i = 0, line = 0; i < n; i++, line++) {
        if (line > SPF_LINE && is_gap(text, i)) {
            buf_addc(b, '\n');
            line = 0;
        }
        if (text[i] == '"' || text[i] == '\\')
            buf_addc(b, '\\');
        buf_addc(b, text[i]);
    }
    buf_adds(b, "\"\n");
}

static void put_feedback(struct buf *b, const struct record *r, const struct told *t, const char *us)
{
    char date[DATE];
    bool no_dkim = !value_true(t->dmarc, "dkim_aligned"), no_spf = !value_true(t->dmarc, "spf_aligned");
    buf_adds(b, "Feedback-Type: auth-failure\nUser-Agent: Assay/" ASSAY_VERSION "\nVersion: 1\nAuth-Failure: dmarc\n");
    /* Those that failed to (RFC 9991 section 4). */
    buf_printf(b, "Identity-Alignment: %s\n",
               no_dkim && no_spf ? "dkim, spf"
               : no_dkim         ? "dkim"
               : no_spf          ? "spf"
                                 : "none");
    buf_printf(b, "Delivery-Result: %s\n", delivery(r));
    if (date_text((time_t)(r->t / TIMESTAMP_SECOND), date))
        buf_printf(b, "Arrival-Date: %s\n", date);
    buf_printf(b, "Source-IP: %s\nReported-Domain: %s\n", r->client, r->from);
    if (is_plain(r->mail_from))
        buf_printf(b, "Original-Mail-From: <redacted@%s>\n", r->mail_from);
    put_authentication(b, r, t, us);
    if (t->dkim && !str_is(value_text(t->dkim, "result"), "pass")) {
        const char *d = value_text(t->dkim, "subject"), *i = plain_of(t->dkim, "identity_domain");
        buf_printf(b, "DKIM-Domain: %s\nDKIM-Identity: @%s\nDKIM-Selector: %s\n", d, i ? i : d,
                   value_text(t->dkim, "selector"));
    }
    if (t->spf && !str_is(value_text(t->spf, "result"), "pass"))
        put_spf_dns(b, t->spf);
}

/* Of the original's header what is kept of it: From without its local part, the Message-ID where it is a plain one. */
static void put_original(struct buf *b, const struct record *r)
{
    const char *id = r->message_id;
    size_t n = id ? strlen(id) : 0;
    bool good = n > 4 && n < TOKEN && id[0] == '<' && id[n - 1] == '>' && memchr(id, '@', n);
    for (size_t i = 1; good && i < n - 1; i++)
        good = id[i] > 0x20 && id[i] < 0x7f && !strchr("<>\"\\(),;:[]", id[i]);
    buf_printf(b, "From: redacted@%s\n", r->from);
    if (good)
        buf_printf(b, "Message-ID: %s\n", id);
}

/* ---- in words ---- */

/* What was wrong, for somebody who does not know the fields. */
static void put_what(struct buf *b, const struct record *r, const struct told *t)
{
    bool dkim = value_true(t->dmarc, "dkim_aligned"), spf = value_true(t->dmarc, "spf_aligned");
    if (!dkim && !spf)
        buf_printf(b, "DMARC failed: neither a DKIM signature nor SPF showed that the mail came from\n%s.\n", r->from);
    else if (!dkim)
        buf_printf(b, "DMARC passed by SPF, but no DKIM signature of that domain was valid.\n");
    else if (!spf)
        buf_printf(b, "DMARC passed by a DKIM signature, but SPF did not pass for that domain.\n");
    else
        buf_printf(b, "DMARC passed, but one of the DKIM signatures failed.\n");
    buf_printf(b, "We %s\n\n",
               str_is(r->action, "reject")       ? "refused the mail."
               : str_is(r->action, "quarantine") ? "accepted the mail and marked it as junk."
               : str_is(r->action, "hold")       ? "accepted the mail and hold it until somebody has looked at it."
                                                 : "accepted the mail.");
}

static void put_advice(struct buf *b, const struct record *r)
{
    buf_printf(
        b,
        "If the server %s sends mail for you, let it sign with DKIM\nas %s, and name it in the SPF record of the "
        "domain that it\nsends from. If it does not, somebody else used your name, and you need do\nnothing "
        "about this mail.\n\n",
        r->client, r->from);
}

static void put_why(struct buf *b, const struct record *r, const struct told *t, const char *contact)
{
    const char *domain = plain_of(t->dmarc, "record");
    buf_printf(
        b,
        "You get this report since the DMARC record of the domain asks for it: the TXT\nrecord at "
        "_dmarc.%s%s\nnames this address in ruf=. To get no more of them, remove the address there,\nor write to "
        "the address below.\n\nQuestions: %s\n\n",
        domain ? domain : r->from, domain ? "" : " or above it", contact);
}

static void put_words(struct buf *b, const struct record *r, const struct told *t, const char *us, const char *contact)
{
    buf_printf(b,
               "This is a DMARC failure report (RFC 9991) about one mail that said it came\nfrom %s, received at %s\n"
               "from the server %s.\n\n",
               r->from, us, r->client);
    put_what(b, r, t);
    put_advice(b, r);
    buf_adds(b, "The second part, made for programs, says what was checked. The third has the\nmail's From and "
                "Message-ID. Names before the @, the subject and the text have\nbeen left out.\n\n");
    put_why(b, r, t, contact);
}

enum status dmarc_failure_mail(const struct record *r, const char *from, const char *contact, const char *to,
                               const char *id, struct buf *out)
{
    struct told t = told_of(r);
    const char *us = dmarc_domain_of(from);
    char date[DATE];
    if (!t.dmarc || !is_plain(r->from) || !is_plain(r->client) || !date_text(clock_wall(), date))
        return STATUS_INVALID;
    buf_printf(out, "From: %s\nTo: %s\nDate: %s\nMessage-ID: <%s@%s>\n", from, to, date, id, us);
    buf_printf(out, "Subject: DMARC failure report for mail from %s\nAuto-Submitted: auto-generated\n", r->from);
    buf_adds(out, "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report;\n "
                  "boundary=\"assay-dmarc-failure\"\n\n");
    buf_adds(out, "--assay-dmarc-failure\nContent-Type: text/plain; charset=us-ascii\n\n");
    put_words(out, r, &t, us, contact);
    buf_adds(out, "--assay-dmarc-failure\nContent-Type: message/feedback-report\n\n");
    put_feedback(out, r, &t, us);
    buf_adds(out, "\n--assay-dmarc-failure\nContent-Type: text/rfc822-headers\n\n");
    put_original(out, r);
    buf_adds(out, "\n--assay-dmarc-failure--\n");
    return out->failed ? STATUS_NOMEM : STATUS_OK;
}
