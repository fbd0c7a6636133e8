// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_in_dmarc.c - a DMARC aggregate report in XML, read (RFC 9990 section 3.1; RFC 7489 appendix C), by expat.
 *
 * Promises that reading costs memory for one record at a time, that no entity, document type or network is ever used (a
 * document with a DOCTYPE is refused), and that both forms give the same fields. The text is UTF-8, whatever it says of
 * itself; but an octet that is none is windows-1252 where the XML declaration says that or ISO-8859-1. Before expat
 * goes a lenient pass: other octets that are no UTF-8 and control characters become U+FFFD, an "&" that begins no
 * entity is escaped (not in CDATA, where it is none), and an XML declaration is no more than an instruction, wherever
 * and however it is written. Elements that are not known are skipped; expat remembers the name of each, so their number
 * is bounded. Where the text breaks off or goes wrong behind a whole record, and what the report is about came before,
 * the records so far are kept and out->partial names the line; so it does for records whose count is not a number, or
 * with a field that has two values. A field within which another element stands has none. On failure *out is not to be
 * used; the words say what is wrong.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/domain.h"
#include "base/utf8.h"
#include "feedback/report_in.h"
#include "feedback/report_fields.h"
#include "feedback/report_markup.h"
#include "feedback/report_scratch.h"
#include <ctype.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_MEMORY ((size_t)1 << 20) /* of the fields of one record */
#define NAME_MOST 256                   /* octets of an element's or attribute's name */
#define KNOWN 24                        /* octets of the longest name that we look for, and more */
#define CHUNK 65536
#define TEXT_MOST 65536            /* octets of one element's text */
#define LAG_MOST ((size_t)1 << 20) /* octets of one tag, comment or instruction: expat begins anew with each chunk */

/* Where the parser is. Expat 2.9 has functions of 64 bits for that, and deprecates the others. */
static unsigned long line_of(XML_Parser parser)
{
#if XML_MAJOR_VERSION > 2 || (XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION >= 9)
    return (unsigned long)XML_GetCurrentLineNumber64(parser);
#else
    return XML_GetCurrentLineNumber(parser);
#endif
}

static int64_t octet_of(XML_Parser parser)
{
#if XML_MAJOR_VERSION > 2 || (XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION >= 9)
    return XML_GetCurrentByteIndex64(parser);
#else
    return XML_GetCurrentByteIndex(parser);
#endif
}

/* Where in the document we are. */
enum place { OUTSIDE, METADATA, PUBLISHED, RECORD };

struct reading {
    struct arena *arena, *record;
    const struct report_in_rows *rows;
    struct report_in *out;
    XML_Parser parser;
    enum place place;
    int depth, place_depth;
    bool has_child[REPORT_IN_XML_DEPTH + 1]; /* the element open at that depth: its text is in two ways to be read */
    bool feedback, metadata, published;
    bool two_domains, two_dates;
    enum status status; /* not OK: stopped by us */
    char *why;
    struct buf text; /* of the element that is open */
    char path[REPORT_IN_XML_DEPTH][KNOWN];
    uint64_t names[REPORT_IN_NAMES * 2]; /* hashes of the names of elements and attributes; 0: none */
    size_t name_count;
    const char *domain, *p, *sp, *email, *begin, *end;
    size_t refused;
    unsigned long refused_line, domain_line;
    const char *verbatim; /* up to here the text is a comment, CDATA or an instruction */
    /* the record that is being read */
    struct report_in_row row;
    const char *count, *auth_domain, *auth_selector, *auth_result, *reason;
    bool two_values; /* a field of the row is there twice, with another value */
    struct buf detail;
};

static void reading_stop(struct reading *r, enum status st, const char *why)
{
    if (r->status == STATUS_OK) {
        r->status = st;
        snprintf(r->why, 200, "%s", why);
    }
    XML_StopParser(r->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

/* Counts a name if it is a new one (FNV-1a; two with one hash are one here). */
static bool room_for_name(struct reading *r, const char *name)
{
    const size_t slots = sizeof r->names / sizeof *r->names;
    uint64_t h = 14695981039346656037u;
    size_t n = 0;
    for (; name[n] && n <= NAME_MOST; n++)
        h = (h ^ (unsigned char)name[n]) * 1099511628211u;
    h += h == 0;
    size_t at = h % slots;
    while (r->names[at] && r->names[at] != h)
        at = (at + 1) % slots;
    if (n <= NAME_MOST && r->names[at] != h && r->name_count < REPORT_IN_NAMES) {
        r->names[at] = h;
        r->name_count++;
    }
    return n <= NAME_MOST && r->names[at] == h;
}

static bool room_for_names(struct reading *r, const char *element, const char **attributes)
{
    bool room = room_for_name(r, element);
    for (size_t i = 0; room && attributes[i]; i += 2)
        room = room_for_name(r, attributes[i]);
    return room;
}

static void on_start(void *context, const char *full, const char **attributes)
{
    struct reading *r = context;
    const char *name = local_name(full);
    if (!room_for_names(r, full, attributes)) {
        reading_stop(r, STATUS_LIMIT, "it has more or longer names of elements and attributes than are read");
        return;
    }
    if (r->depth == REPORT_IN_XML_DEPTH) {
        reading_stop(r, STATUS_LIMIT, "its elements are nested more deeply than is read");
        return;
    }
    if (r->depth == 0 && !str_is(name, "feedback"))
        reading_stop(r, STATUS_INVALID, "the XML is no DMARC report: its root is not <feedback>");
    r->feedback = true;
    r->has_child[r->depth] = true;
    snprintf(r->path[r->depth++], KNOWN, "%s", name);
    r->has_child[r->depth] = false;
    buf_reset(&r->text);
    if (r->place != OUTSIDE)
        return;
    bool extension = r->depth > 1 && str_is(r->path[1], "extension");
    r->place = extension                          ? OUTSIDE
               : str_is(name, "report_metadata")  ? METADATA
               : str_is(name, "policy_published") ? PUBLISHED
               : str_is(name, "record")           ? RECORD
                                                  : OUTSIDE;
    if (r->place == OUTSIDE)
        return;
    r->place_depth = r->depth;
    r->row = (struct report_in_row){0};
    r->count = r->auth_domain = r->auth_selector = r->auth_result = r->reason = NULL;
    r->two_values = false;
    buf_reset(&r->detail);
    arena_reset(r->record);
}

static void on_text(void *context, const char *text, int n)
{
    struct reading *r = context;
    if (r->place == OUTSIDE)
        return;
    if (r->text.n + (size_t)n > TEXT_MOST)
        reading_stop(r, STATUS_LIMIT, "the text of an element is longer than is read");
    else
        buf_add(&r->text, text, (size_t)n);
}

static const char *text_kept(struct reading *r)
{
    struct slice s = report_field_cut(slice_trim(buf_slice(&r->text)));
    const char *copy = arena_copy(r->place == RECORD ? r->record : r->arena, s.p, s.n);
    return copy ? copy : "";
}

/* A word of the standards, in small letters. */
static const char *kept_word(struct reading *r)
{
    struct slice s = report_field_cut(slice_trim(buf_slice(&r->text)));
    char *copy = arena_copy(r->place == RECORD ? r->record : r->arena, s.p, s.n);
    if (copy)
        report_field_word(copy);
    return copy ? copy : "";
}

/* A head has each of its elements once: one that comes a thousand times must not fill the memory. */
static void keep_once(struct reading *r, const char **field)
{
    if (!*field || !**field)
        *field = text_kept(r);
}

static const char *kept_as(struct reading *r, const char *text)
{
    const char *copy = arena_strdup(r->place == RECORD ? r->record : r->arena, text);
    return copy ? copy : "";
}

/* The element that is ending is a child of that one. Extensions have elements of the same names in other places. */
static bool is_child_of(const struct reading *r, const char *parent)
{
    return r->depth >= 2 && str_is(r->path[r->depth - 2], parent);
}

/* A field that decides what the report is about: *twice if it comes again with another value. */
static void keep_decisive(struct reading *r, const char **field, bool *twice)
{
    const char *before = *field;
    if (before && strcasecmp(before, text_kept(r)) != 0)
        *twice = true;
    keep_once(r, field);
}

static const char *kept_identifier(struct reading *r)
{
    const char *id = report_field_identifier(r->arena, slice_trim(buf_slice(&r->text)));
    return id ? id : "";
}

static void end_metadata(struct reading *r, const char *name)
{
    if (is_child_of(r, "date_range") && str_is(name, "begin"))
        keep_decisive(r, &r->begin, &r->two_dates);
    else if (is_child_of(r, "date_range") && str_is(name, "end"))
        keep_decisive(r, &r->end, &r->two_dates);
    else if (!is_child_of(r, "report_metadata"))
        return;
    else if (str_is(name, "org_name"))
        keep_once(r, &r->out->org);
    else if (str_is(name, "email"))
        keep_once(r, &r->email);
    else if (str_is(name, "report_id") && !*r->out->id)
        r->out->id = kept_identifier(r);
}

static void end_published(struct reading *r, const char *name)
{
    if (!is_child_of(r, "policy_published"))
        return;
    if (str_is(name, "domain")) {
        if (!r->domain || !*r->domain)
            r->domain_line = line_of(r->parser);
        keep_decisive(r, &r->domain, &r->two_domains);
    } else if (str_is(name, "p")) {
        keep_once(r, &r->p);
    } else if (str_is(name, "sp")) {
        keep_once(r, &r->sp);
    }
}

/* "dkim=example.org/s1:pass spf=example.org:fail" */
static void end_auth_result(struct reading *r, const char *name)
{
    struct buf *b = &r->detail;
    if (r->auth_domain && b->n < REPORT_IN_FIELD / 2)
        buf_printf(b, "%s%.8s=%.253s%s%.64s:%.16s", b->n ? " " : "", name, r->auth_domain,
                   r->auth_selector && *r->auth_selector ? "/" : "", r->auth_selector ? r->auth_selector : "",
                   r->auth_result ? r->auth_result : "");
    r->auth_domain = r->auth_selector = r->auth_result = NULL;
}

/* Of a result by another method nothing is kept. */
static void end_in_auth_results(struct reading *r, const char *name)
{
    char domain[LIMIT_DOMAIN + 1];
    if (is_child_of(r, "auth_results") && (str_is(name, "dkim") || str_is(name, "spf")))
        end_auth_result(r, name);
    else if (!is_child_of(r, "dkim") && !is_child_of(r, "spf"))
        return;
    else if (str_is(name, "domain"))
        r->auth_domain = report_field_domain(text_kept(r), domain) ? kept_as(r, domain) : text_kept(r);
    else if (str_is(name, "selector"))
        r->auth_selector = text_kept(r);
    else if (str_is(name, "result"))
        r->auth_result = kept_word(r);
}

/* A row has each of its fields once (RFC 9990 appendix A): of two values nobody knows which one holds. */
static void keep_in_row(struct reading *r, const char **field, const char *value)
{
    if (*field && strcmp(*field, value) != 0)
        r->two_values = true;
    *field = value;
}

static void end_in_row(struct reading *r, const char *name)
{
    char text[IP_TEXT];
    if (is_child_of(r, "row") && str_is(name, "source_ip"))
        keep_in_row(r, &r->row.source, kept_as(r, report_field_address(text_kept(r), text)));
    else if (is_child_of(r, "row") && str_is(name, "count"))
        keep_in_row(r, &r->count, text_kept(r));
    else if (is_child_of(r, "policy_evaluated") && str_is(name, "disposition"))
        keep_in_row(r, &r->row.result, kept_word(r));
    else if (is_child_of(r, "policy_evaluated") && str_is(name, "dkim"))
        keep_in_row(r, &r->row.dkim, kept_word(r));
    else if (is_child_of(r, "policy_evaluated") && str_is(name, "spf"))
        keep_in_row(r, &r->row.spf, kept_word(r));
    else if (is_child_of(r, "reason") && str_is(name, "type"))
        r->reason = r->reason ? r->reason : kept_word(r);
}

static void end_header_from(struct reading *r)
{
    char domain[LIMIT_DOMAIN + 1];
    keep_in_row(r, &r->row.header_from, report_field_domain(text_kept(r), domain) ? kept_as(r, domain) : text_kept(r));
}

/* By the child of the record that we are in: what is in another one is an extension (RFC 9990 section 5). */
static void end_in_record(struct reading *r, const char *name)
{
    const char *part = r->path[r->place_depth];
    if (str_is(part, "auth_results"))
        end_in_auth_results(r, name);
    else if (str_is(part, "row") || str_is(part, "policy_evaluated"))
        end_in_row(r, name);
    else if ((str_is(part, "identifiers") || str_is(part, "identities")) &&
             str_is(name, "header_from")) /* RFC 7489's drafts */
        end_header_from(r);
}

/* What was not there is an empty text. */
static void fill_row(struct report_in_row *row)
{
    const char **const fields[] = {&row->source, &row->result, &row->dkim, &row->spf, &row->header_from};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        *fields[i] = *fields[i] ? *fields[i] : "";
}

static void end_record(struct reading *r)
{
    if (!report_field_count(r->count, &r->row.count) || r->two_values) {
        if (!r->refused++)
            r->refused_line = line_of(r->parser);
        return;
    }
    if (r->out->row_count == REPORT_IN_ROWS) {
        reading_stop(r, STATUS_LIMIT, "more records than are read");
        return;
    }
    if (r->reason)
        buf_printf(&r->detail, "%sreason=%.40s", r->detail.n ? " " : "", r->reason);
    if (r->detail.failed || arena_failed(r->record)) {
        reading_stop(r, STATUS_NOMEM, "a record needs more memory than is given to it");
        return;
    }
    fill_row(&r->row);
    r->row.detail = r->detail.p;
    r->out->row_count++;
    if (r->rows && !r->rows->take(r->rows->context, &r->row))
        reading_stop(r, STATUS_AGAIN, "its rows were not wanted");
}

static void on_end(void *context, const char *full)
{
    struct reading *r = context;
    const char *name = local_name(full);
    if (r->has_child[r->depth])
        buf_reset(&r->text);
    if (r->depth > r->place_depth) {
        if (r->place == METADATA)
            end_metadata(r, name);
        else if (r->place == PUBLISHED)
            end_published(r, name);
        else if (r->place == RECORD)
            end_in_record(r, name);
    } else if (r->place != OUTSIDE) {
        if (r->place == RECORD)
            end_record(r);
        r->metadata = r->metadata || r->place == METADATA;
        r->published = r->published || r->place == PUBLISHED;
        r->place = OUTSIDE;
    }
    r->depth--;
    buf_reset(&r->text);
}

static void on_doctype(void *context, const char *name, const char *sysid, const char *pubid, int internal)
{
    (void)name, (void)sysid, (void)pubid, (void)internal;
    reading_stop(context, STATUS_INVALID, "the XML has a document type, which reports never have");
}

/* ---- the lenient pass ---- */

static bool is_entity(struct slice s)
{
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_begins(s, names[i]))
            return true;
    size_t n = s.n > 2 && s.p[1] == '#' ? 2 : 0;
    size_t hex = n && s.n > 3 && s.p[2] == 'x';
    size_t k = n + hex;
    while (n && k < s.n && k < 10 && (hex ? isxdigit((unsigned char)s.p[k]) : isdigit((unsigned char)s.p[k])))
        k++;
    return n && k > n + hex && k < s.n && s.p[k] == ';';
}

/* The XML declaration: what it says of the text was read by report_markup_is_latin(), and some senders write it twice,
 * behind something else, or not as XML asks. */
static bool is_declaration(struct slice s)
{
    return s.n > 5 && strncasecmp(s.p, "<?xml", 5) == 0 && strchr(" \t\r\n?", s.p[5]) && s.p[5];
}

/* How many octets stand as they are, whatever is around them. */
static size_t plain_octets(struct slice s)
{
    size_t n = 0;
    while (n < s.n && (((unsigned char)s.p[n] >= 0x20 && (unsigned char)s.p[n] < 0x7f) || s.p[n] == '\n') &&
           s.p[n] != '<' && s.p[n] != '&')
        n++;
    return n;
}

/* Adds the next octets, made good; what it took goes from *in. */
static void add_lenient(struct buf *out, struct slice *in, const char **verbatim, bool latin)
{
    while (in->n && out->n < CHUNK) {
        size_t plain = plain_octets(slice_of(in->p, in->n < CHUNK ? in->n : CHUNK));
        if (plain) {
            buf_add(out, in->p, plain);
            *in = slice_from(*in, plain);
            continue;
        }
        size_t len = utf8_length(*in);
        unsigned char c = (unsigned char)in->p[0];
        uint32_t point = len ? utf8_point(*in) : 0;
        bool markup = in->p >= *verbatim;
        if (c == '<' && markup)
            *verbatim = in->p + report_markup_verbatim(*in);
        if (markup && is_declaration(*in)) {
            buf_adds(out, "<?_"); /* an instruction to nobody: the lines are counted on */
            len = 5;
        } else if (c == '&' && markup && !is_entity(*in))
            buf_adds(out, "&amp;");
        else if (!len && latin)
            report_markup_add_latin(out, c);
        else if (!len || (c < 0x20 && !strchr("\t\r\n", c)) || !c || point == 0xfffe || point == 0xffff)
            buf_adds(out, "\xef\xbf\xbd");
        else
            buf_add(out, in->p, len);
        *in = slice_from(*in, len ? len : 1);
    }
}

static bool reading_feed(struct reading *r, struct slice xml)
{
    struct buf chunk = BUF_INIT;
    enum XML_Status st = XML_STATUS_OK;
    size_t fed = 0, read = 0;
    r->verbatim = xml.p;
    bool latin = report_markup_is_latin(xml);
    do {
        buf_reset(&chunk);
        report_scratch_passed(xml.p);
        add_lenient(&chunk, &xml, &r->verbatim, latin);
        st = chunk.failed ? XML_STATUS_ERROR : XML_Parse(r->parser, chunk.p, (int)chunk.n, xml.n == 0);
        fed += chunk.n;
        const int64_t at = octet_of(r->parser); /* -1: not known */
        read = at > 0 && (size_t)at > read ? (size_t)at : read;
        if (st == XML_STATUS_OK && xml.n && fed - read > LAG_MOST) {
            r->status = STATUS_LIMIT;
            snprintf(r->why, 200, "a comment, processing instruction or tag is longer than is read (1 MB), in line %lu",
                     line_of(r->parser));
            break;
        }
    } while (st == XML_STATUS_OK && xml.n);
    buf_release(&chunk);
    return st == XML_STATUS_OK && r->status == STATUS_OK;
}

/* ---- the whole ---- */

static enum status dmarc_complain(char *why, enum status st, const char *text)
{
    snprintf(why, 200, "%s", text);
    return st;
}

/* What is there of the report's head must be enough to know it again. */
static enum status reading_finish(struct reading *r, char *why)
{
    struct report_in *out = r->out;
    const char *at = r->email ? strrchr(r->email, '@') : NULL;
    out->contact = r->email;
    if (!*out->org && at)
        out->org = at + 1;
    if (!*out->org || !r->domain || !*r->domain)
        return dmarc_complain(why, STATUS_INVALID, "org_name (and email), or the policy's domain, is missing");
    char domain[LIMIT_DOMAIN + 1];
    if (domain_from_text(slice_str(r->domain), domain) != STATUS_OK) {
        snprintf(why, 200, "the policy's domain, in line %lu, is no domain name", r->domain_line);
        return STATUS_INVALID;
    }
    if (r->two_domains)
        return dmarc_complain(why, STATUS_INVALID, "its policy is about more than one domain");
    if (r->two_dates)
        return dmarc_complain(why, STATUS_INVALID, "its date_range has a begin or an end twice, with different values");
    out->domains = ARENA_ARRAY(r->arena, const char *, 1);
    if (!out->domains)
        return dmarc_complain(why, STATUS_NOMEM, "out of memory");
    out->domains[0] = arena_strdup(r->arena, domain);
    out->domain_count = 1;
    if (r->p)
        out->policy = arena_printf(r->arena, r->sp && *r->sp ? "p=%.40s sp=%.40s" : "p=%.40s", r->p, r->sp);
    if (!report_field_range(r->begin, r->end, &out->begin, &out->end))
        return dmarc_complain(why, STATUS_INVALID, "its date_range is missing, or is not a time of a report");
    if (!*out->id)
        out->id = arena_printf(r->arena, "none-%lld-%lld", (long long)out->begin, (long long)out->end);
    if (r->refused && !out->partial)
        out->partial = arena_printf(r->arena,
                                    "records left out, since their count is no number, or a field has two values: %zu; "
                                    "the first ends in line %lu",
                                    r->refused, r->refused_line);
    return arena_failed(r->arena) ? dmarc_complain(why, STATUS_NOMEM, "out of memory") : STATUS_OK;
}

static enum status reading_judge(struct reading *r, bool whole, char *why)
{
    struct report_in *out = r->out;
    if (!whole && r->status == STATUS_OK) {
        char text[160];
        if (XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY)
            return dmarc_complain(why, STATUS_NOMEM, "it needs more memory than is given to a report");
        snprintf(text, sizeof text, "the XML is not well-formed in line %lu: %.80s", line_of(r->parser),
                 XML_ErrorString(XML_GetErrorCode(r->parser)));
        if (!out->row_count || !r->metadata || !r->published)
            return dmarc_complain(why, STATUS_INVALID, text);
        out->partial = arena_strdup(r->arena, text);
    }
    if (r->status != STATUS_OK)
        return r->status;
    if (out->row_count == 0 && r->refused)
        return dmarc_complain(why, STATUS_INVALID, "no record has a count that is a number, and each field once");
    return reading_finish(r, why);
}

static enum status read(struct reading *r, struct slice xml, char *why)
{
    r->parser = XML_ParserCreate("UTF-8");
    if (!r->parser)
        return dmarc_complain(why, STATUS_NOMEM, "out of memory");
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    bool whole = reading_feed(r, xml);
    enum status st = reading_judge(r, whole, why);
    XML_ParserFree(r->parser);
    return st;
}

enum status report_in_parse_dmarc(struct arena *a, struct slice xml, const struct report_in_rows *rows,
                                  struct report_in *out, char *why)
{
    struct reading *r = ARENA_NEW(a, struct reading);
    *out = (struct report_in){.kind = REPORT_IN_DMARC, .proof = REPORT_IN_UNKNOWN, .org = "", .id = "", .policy = ""};
    if (xml.n > REPORT_IN_TEXT)
        return dmarc_complain(why, STATUS_LIMIT, "the report is larger than is read");
    if (!r)
        return dmarc_complain(why, STATUS_NOMEM, "out of memory");
    *r = (struct reading){
        .arena = a, .record = arena_new(RECORD_MEMORY), .rows = rows, .out = out, .why = why, .text = BUF_INIT};
    r->detail = BUF_INIT;
    enum status st = r->record ? read(r, xml, why) : dmarc_complain(why, STATUS_NOMEM, "out of memory");
    buf_release(&r->text);
    buf_release(&r->detail);
    arena_free(r->record);
    return st;
}
