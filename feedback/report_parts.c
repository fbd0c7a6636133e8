// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_parts.c - goes through the parts of a mail (RFC 2045 to 2049) and the mails of an mbox.
 *
 * Promises that each part which says or shows that it is a report, or is packed or encrypted in a way that is not read,
 * is looked at or named; that of a mail about another mail (a notification, RFC 3464 and RFC 6533; a receipt, RFC 8098;
 * a report about one mail, RFC 6591 and RFC 5965) nothing is taken for a report that somebody sent, whatever it brings
 * back; and that no more than REPORT_IN_PARTS parts are looked at.
 */
#include "base/domain.h"
#include "feedback/report_mime.h"
#include "feedback/report_parts.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What a delivery status notification says so far. */
struct report_bounce {
    char recipient[REPORT_IN_WHERE], code[16], id[REPORT_IN_WHERE];
    bool failed;
};

/* ---- one part ---- */

/* Whether the name ends so, in any case. */
static bool ends(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcasecmp(name + n - m, end) == 0;
}

static bool is_one_of(const struct report_mime_part *p, const char *const *types)
{
    for (; *types; types++)
        if (report_mime_is_type(p, *types))
            return true;
    return false;
}

/* By its type, with the names that there were before RFC 6713 and beside it, or by its name. */
static bool is_expected(const struct report_mime_part *p, const char *name)
{
    static const char *const types[] = {"application/gzip",  "application/x-gzip", "application/zip",
                                        "application/x-zip", "application/tlsrpt", "application/xml",
                                        "text/xml",          "application/json",   NULL};
    static const char *const signatures[] = {"application/pgp-signature", "application/pkcs7-signature",
                                             "application/x-pkcs7-signature", NULL};
    return (is_one_of(p, types) || report_walk_is_named(slice_str(name))) && !is_one_of(p, signatures);
}

/* Why a part cannot be read, whatever is in it; NULL: it can. An encoding of no standard's ("8-bit") is none. */
static const char *never_read(const struct report_mime_part *p, const char *name, bool expected, char why[200])
{
    struct slice encoding = report_mime_encoding(p);
    if (report_mime_is_type(p, "application/pkcs7-mime") || report_mime_is_type(p, "application/x-pkcs7-mime") ||
        ends(name, ".p7m"))
        return "it is encrypted, or signed in one piece, by S/MIME, which is not read";
    if (report_mime_is_type(p, "application/pgp-encrypted"))
        return "it is encrypted by OpenPGP, which is not read";
    if (report_mime_is_type(p, "message/partial"))
        return "it is one part of a mail that was split, which is not read (message/partial)";
    if (report_mime_is_type(p, "multipart/"))
        return "its multipart has no boundary";
    if (!expected || !report_mime_begins(encoding, "x-"))
        return NULL;
    snprintf(why, 200, "its Content-Transfer-Encoding, %.*s, is not read", (int)(encoding.n < 60 ? encoding.n : 60),
             encoding.p);
    return why;
}

/* A file in lines of its own within a text, as programs did before MIME: "begin 644 name". */
static bool holds_uuencode(struct slice s)
{
    bool first = report_mime_begins(s, "begin ");
    for (const char *p = s.p; first || (p = report_scratch_find(s, "\nbegin ", 7)); first = false) {
        s = slice_from(s, (size_t)(p - s.p) + (first ? 6 : 7));
        size_t n = 0;
        while (n < s.n && n < 4 && s.p[n] >= '0' && s.p[n] <= '7')
            n++;
        if (n >= 3 && n < s.n && s.p[n] == ' ')
            return true;
    }
    return false;
}

static void look_at_leaf(struct report_walk *w, const struct report_mime_part *p, const char *where, int depth)
{
    struct report_scratch b = REPORT_SCRATCH_INIT(REPORT_IN_FILE);
    char called[300], room[200], name[REPORT_MIME_NAME];
    report_mime_file_name(p, name);
    snprintf(called, sizeof called, "%.150s%s%.120s", where, *name ? ": " : "", name);
    struct slice body = report_mime_decode(p, &b) ? report_scratch_text(&b) : p->body;
    bool expected = is_expected(p, name);
    const char *why = never_read(p, name, expected, room);
    unsigned before = w->found + w->unread;
    if (why)
        report_walk_unread(w, called, why);
    else if (b.status != STATUS_OK)
        report_walk_not_unpacked(w, called, b.status);
    else
        w->look(w, (struct report_item){body, called, depth - 1, expected});
    if (w->found + w->unread == before && (!p->type.n || report_mime_is_type(p, "text/plain")) && holds_uuencode(body))
        report_walk_unread(w, called, "a file in it is in uuencode, which is not read");
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
static void read_delivery_status(struct report_bounce *b, struct slice text)
{
    struct report_bounce now = {{0}, {0}, {0}, false};
    while (text.n && !b->failed) {
        struct slice field = report_mime_field(&text), value;
        report_scratch_passed(field.p);
        if (report_mime_field_is(field, "Final-Recipient", &value)) {
            const char *type = value.n ? memchr(value.p, ';', value.n) : NULL;
            copy_field(now.recipient, sizeof now.recipient,
                       type ? slice_from(value, (size_t)(type + 1 - value.p)) : SLICE_NULL, " \t<>");
        } else if (report_mime_field_is(field, "Action", &value)) {
            now.failed = report_mime_begins(value, "failed");
        } else if (report_mime_field_is(field, "Status", &value)) {
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

static void read_returned(struct report_bounce *b, struct slice text)
{
    while (text.n && text.p[0] != '\n' && text.p[0] != '\r') {
        struct slice field = report_mime_field(&text), value;
        report_scratch_passed(field.p);
        if (report_mime_field_is(field, "Message-ID", &value) && !*b->id)
            copy_field(b->id, sizeof b->id, value, " \t<>");
    }
}

/* A part of a delivery status notification, as RFC 3464 or RFC 6533 has it. What is in the mail that came back is no
 * report that somebody sent. */
static void look_in_bounce(struct report_bounce *b, const struct report_mime_part *p)
{
    static const char *const statuses[] = {"message/delivery-status", "message/global-delivery-status", NULL};
    static const char *const returned[] = {"message/rfc822", "text/rfc822-headers", "message/global", NULL};
    struct report_scratch room = REPORT_SCRATCH_INIT(REPORT_IN_FILE);
    struct slice text = report_mime_decode(p, &room) ? report_scratch_text(&room) : p->body;
    if (room.status == STATUS_OK && is_one_of(p, statuses))
        read_delivery_status(b, text);
    else if (room.status == STATUS_OK && is_one_of(p, returned))
        read_returned(b, text);
    report_scratch_end(&room);
}

static void tell_bounce(struct report_walk *w, const char *where, const struct report_bounce *b)
{
    w->found++; /* one that is delayed, too, is no mail without a report */
    if (b->failed && *b->id && w->to->bounced)
        w->to->bounced(w->to->context, where, b->recipient, b->code, b->id);
}

/* ---- reports about one mail ---- */

/* A word out of a field, if it is one. */
static void copy_word(char *out, size_t size, struct slice value)
{
    size_t n = 0;
    while (n < value.n && n + 1 < size && (isalnum((unsigned char)value.p[n]) || value.p[n] == '-'))
        n++;
    snprintf(out, size, "%.*s", (int)n, n ? value.p : "");
}

/* Names a report about one mail by its kind and the first domain that it is about. */
static void tell_about_one_mail(struct report_walk *w, const char *where, struct slice fields)
{
    char kind[40] = "", domain[LIMIT_DOMAIN + 1] = "", why[REPORT_IN_WHY];
    while (fields.n) {
        struct slice field = report_mime_field(&fields), value;
        report_scratch_passed(field.p);
        if (!*kind && report_mime_field_is(field, "Feedback-Type", &value))
            copy_word(kind, sizeof kind, value);
        else if (!*domain && report_mime_field_is(field, "Reported-Domain", &value) &&
                 domain_from_text(value, domain) != STATUS_OK)
            domain[0] = '\0';
    }
    snprintf(why, sizeof why, "a report about one mail (%s%s%.100s), which is not counted", *kind ? kind : "of no kind",
             *domain ? ", " : "", domain);
    report_walk_unread(w, where, why);
}

/* ---- mails about another mail ---- */

enum about { ABOUT_NOTHING, ABOUT_ONE_MAIL, ABOUT_DELIVERY, ABOUT_RECEIPT };

/* What a mail tells of another one: by a part of it, which is then *fields, since not every sender says report-type; or
 * by that alone. */
static enum about about_another(const struct report_mime_part *p, const char *boundary, struct report_mime_part *fields)
{
    static const struct {
        const char *report_type, *part, *global; /* the last: RFC 6533 */
        enum about about;
    } kinds[] = {{"feedback-report", "message/feedback-report", "message/feedback-report", ABOUT_ONE_MAIL},
                 {"delivery-status", "message/delivery-status", "message/global-delivery-status", ABOUT_DELIVERY},
                 {"disposition-notification", "message/disposition-notification",
                  "message/global-disposition-notification", ABOUT_RECEIPT}};
    const size_t n = sizeof kinds / sizeof *kinds;
    struct report_mime_parts m = {.rest = p->body, .boundary = boundary};
    char type[REPORT_MIME_NAME];
    struct slice text;
    while (report_mime_next_part(&m, &text))
        for (size_t i = 0; report_mime_part(text, fields) && i < n; i++)
            if (report_mime_is_type(fields, kinds[i].part) || report_mime_is_type(fields, kinds[i].global))
                return kinds[i].about;
    *fields = (struct report_mime_part){0};
    for (size_t i = 0; i < n && report_mime_is_type(p, "multipart/report"); i++)
        if (report_mime_parameter(p->type, "report-type", type) && strcasecmp(type, kinds[i].report_type) == 0)
            return kinds[i].about;
    return ABOUT_NOTHING;
}

static void look_in_feedback(struct report_walk *w, const struct report_mime_part *fields, const char *where)
{
    struct report_scratch b = REPORT_SCRATCH_INIT(REPORT_IN_FILE);
    struct slice text = report_mime_decode(fields, &b) ? report_scratch_text(&b) : fields->body;
    if (b.status != STATUS_OK)
        report_walk_not_unpacked(w, where, b.status);
    else
        tell_about_one_mail(w, where, text);
    report_scratch_end(&b);
}

/* ---- mails ---- */

static void look_in_parts(struct report_walk *w, const struct report_mime_part *p, const char *boundary,
                          const char *where, int depth, bool is_bounce)
{
    struct report_bounce bounce = {{0}, {0}, {0}, false};
    struct report_mime_parts m = {.rest = p->body, .boundary = boundary};
    struct slice text;
    bool any = false;
    w->bounce = is_bounce ? &bounce : NULL;
    for (; report_mime_next_part(&m, &text); any = true)
        report_parts_mail(w, text, where, depth - 1);
    w->bounce = NULL;
    if (!any && !is_bounce && slice_trim(p->body).n)
        report_walk_unread(w, where, "the boundary of its multipart is not in it");
    if (is_bounce)
        tell_bounce(w, where, &bounce);
}

static void look_in_multipart(struct report_walk *w, const struct report_mime_part *p, char *boundary,
                              const char *where, int depth)
{
    struct report_mime_part fields;
    for (size_t n = strlen(boundary); n && (boundary[n - 1] == ' ' || boundary[n - 1] == '\t');)
        boundary[--n] = '\0'; /* it never ends with a blank (RFC 2046 5.1.1): a gateway put it there */
    enum about about = about_another(p, boundary, &fields);
    if (about == ABOUT_ONE_MAIL)
        look_in_feedback(w, &fields, where);
    else if (about == ABOUT_RECEIPT)
        report_walk_unread(w, where, "a receipt of one who read another mail, which is not counted");
    else
        look_in_parts(w, p, boundary, where, depth, about == ABOUT_DELIVERY);
}

void report_parts_mail(struct report_walk *w, struct slice text, const char *where, int depth)
{
    struct report_mime_part p;
    char boundary[REPORT_MIME_NAME];
    if (!report_mime_part(text, &p))
        return;
    if (w->bounce) {
        look_in_bounce(w->bounce, &p);
        return;
    }
    if (depth <= 0 || w->parts >= REPORT_IN_PARTS) {
        report_walk_too_many(w, where);
        return;
    }
    w->parts++;
    struct slice encoding = report_mime_encoding(&p);
    bool encoded =
        slice_eq_nocase(encoding, slice_str("base64")) || slice_eq_nocase(encoding, slice_str("quoted-printable"));
    if (report_mime_is_type(&p, "message/rfc822") && !encoded)
        report_parts_mail(w, p.body, where, depth - 1);
    else if (!report_mime_is_type(&p, "multipart/") || !report_mime_parameter(p.type, "boundary", boundary) ||
             !*boundary)
        look_at_leaf(w, &p, where, depth);
    else
        look_in_multipart(w, &p, boundary, where, depth);
}

/* Where the next mail's "From " line is. A line of a text may begin so, too, since not every program quotes it: that one
 * has no header behind it. */
static size_t next_mail(struct slice all)
{
    struct slice s = all;
    for (const char *p; (p = report_scratch_find(s, "\nFrom ", 6));) {
        s = slice_from(s, (size_t)(p - s.p) + 1);
        report_scratch_passed(p);
        if (report_mime_begins_header(slice_from(s, report_mime_line(s).n)))
            return (size_t)(s.p - all.p);
    }
    return all.n;
}

/* RFC 4155: mails, each behind a line that begins "From ". */
void report_parts_mbox(struct report_walk *w, struct report_item it)
{
    char where[300];
    unsigned number = 0;
    struct slice rest = it.in;
    while (rest.n) {
        if (w->parts >= REPORT_IN_PARTS) {
            report_walk_too_many(w, it.where);
            return;
        }
        rest = slice_from(rest, report_mime_line(rest).n);
        size_t n = next_mail(rest);
        snprintf(where, sizeof where, "%.150s: mail %u", it.where, ++number);
        unsigned before = w->found + w->unread;
        report_parts_mail(w, slice_of(rest.p, n), where, it.depth - 1);
        if (w->found + w->unread == before)
            report_walk_unread(w, where, "no report is in it");
        rest = slice_from(rest, n);
    }
}
