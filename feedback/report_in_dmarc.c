// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_in_dmarc.c - a DMARC aggregate report in XML, read (RFC 9990 section 3.1; RFC 7489 appendix C).
 *
 * Promises that reading costs memory for one record at a time besides what is kept, that no entity, document type or
 * network is ever used (a document with a DOCTYPE is refused unread, and the text is taken for UTF-8 whatever it says),
 * and that both forms give the same fields. Elements that are not known are passed over. On failure *out is not to be
 * used; the words say what is wrong.
 */
#include "base/arena.h"
#include "base/utf8.h"
#include "feedback/report_in.h"
#include <libxml/xmlreader.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS_FIRST 64

static const xmlNode *child(const xmlNode *n, const char *name)
{
    for (const xmlNode *c = n ? n->children : NULL; c; c = c->next)
        if (c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, name) == 0)
            return c;
    return NULL;
}

/* The text of a child, trimmed and bounded; "" where there is none. */
static const char *text_of(struct arena *a, const xmlNode *n, const char *name)
{
    const xmlNode *c = child(n, name);
    for (c = c ? c->children : NULL; c; c = c->next)
        if (c->type == XML_TEXT_NODE || c->type == XML_CDATA_SECTION_NODE) {
            struct slice s = slice_trim(slice_str((const char *)c->content));
            s.n = s.n > REPORT_IN_FIELD ? REPORT_IN_FIELD : s.n;
            const char *copy = arena_copy(a, s.p, s.n);
            return copy ? copy : "";
        }
    return "";
}

static int64_t number_of(struct arena *a, const xmlNode *n, const char *name)
{
    long long v = strtoll(text_of(a, n, name), NULL, 10);
    return v < 0 ? 0 : v;
}

static void read_metadata(struct arena *a, const xmlNode *n, struct report_in *out)
{
    const xmlNode *range = child(n, "date_range");
    out->org = text_of(a, n, "org_name");
    out->id = text_of(a, n, "report_id");
    out->begin = number_of(a, range, "begin");
    out->end = number_of(a, range, "end");
}

static void read_policy(struct arena *a, const xmlNode *n, struct report_in *out)
{
    out->domain = text_of(a, n, "domain");
    const char *p = text_of(a, n, "p"), *sp = text_of(a, n, "sp");
    out->policy = arena_printf(a, "p=%s%s%s", p, *sp ? " sp=" : "", sp);
}

/* "dkim=example.org/s1:pass spf=example.org:fail reason=local_policy" */
static const char *detail_of(struct arena *a, const xmlNode *auth, const xmlNode *evaluated)
{
    struct buf b = {.p = buf_empty, .bound = REPORT_IN_FIELD};
    for (const xmlNode *c = auth ? auth->children : NULL; c && b.n < REPORT_IN_FIELD / 2; c = c->next) {
        if (c->type != XML_ELEMENT_NODE || !child(c, "domain"))
            continue;
        const char *selector = text_of(a, c, "selector");
        buf_printf(&b, "%s%.8s=%.253s%s%.64s:%.16s", b.n ? " " : "", (const char *)c->name, text_of(a, c, "domain"),
                   *selector ? "/" : "", selector, text_of(a, c, "result"));
    }
    const xmlNode *reason = child(evaluated, "reason");
    if (reason)
        buf_printf(&b, "%sreason=%.40s", b.n ? " " : "", text_of(a, reason, "type"));
    const char *copy = arena_copy(a, b.p, b.n);
    buf_release(&b);
    return copy ? copy : "";
}

static bool room_for_row(struct arena *a, struct report_in *out, size_t *room)
{
    if (out->row_count < *room)
        return true;
    size_t more = *room ? *room * 2 : ROWS_FIRST;
    struct report_in_row *grown = ARENA_ARRAY(a, struct report_in_row, more);
    if (!grown)
        return false;
    if (out->row_count)
        memcpy(grown, out->rows, out->row_count * sizeof *grown);
    out->rows = grown;
    *room = more;
    return true;
}

static void read_record(struct arena *a, const xmlNode *n, struct report_in_row *row)
{
    const xmlNode *r = child(n, "row"), *evaluated = child(r, "policy_evaluated");
    const xmlNode *identifiers = child(n, "identifiers") ? child(n, "identifiers") : child(n, "identities");
    *row = (struct report_in_row){.source = text_of(a, r, "source_ip"),
                                  .count = number_of(a, r, "count"),
                                  .result = text_of(a, evaluated, "disposition"),
                                  .dkim = text_of(a, evaluated, "dkim"),
                                  .spf = text_of(a, evaluated, "spf"),
                                  .header_from = text_of(a, identifiers, "header_from"),
                                  .detail = detail_of(a, child(n, "auth_results"), evaluated)};
}

static enum status complain(char *why, enum status st, const char *text)
{
    snprintf(why, 200, "%s", text);
    return st;
}

/* One element below the root; *next says that the reader has to step over it. */
static enum status one_element(struct arena *a, xmlTextReader *r, struct report_in *out, size_t *room, char *why)
{
    const char *name = (const char *)xmlTextReaderConstLocalName(r);
    bool metadata = strcmp(name, "report_metadata") == 0, policy = strcmp(name, "policy_published") == 0,
         record = strcmp(name, "record") == 0;
    if (!metadata && !policy && !record)
        return STATUS_OK;
    const xmlNode *n = xmlTextReaderExpand(r);
    if (!n)
        return complain(why, STATUS_INVALID, "the XML is not well-formed");
    if (metadata)
        read_metadata(a, n, out);
    if (policy)
        read_policy(a, n, out);
    if (!record)
        return STATUS_OK;
    if (out->row_count == REPORT_IN_ROWS)
        return complain(why, STATUS_LIMIT, "more records than are read");
    if (!room_for_row(a, out, room))
        return complain(why, STATUS_NOMEM, "out of memory");
    read_record(a, n, &out->rows[out->row_count++]);
    return STATUS_OK;
}

static enum status read_elements(struct arena *a, xmlTextReader *r, struct report_in *out, char *why)
{
    size_t room = 0;
    int more = xmlTextReaderRead(r);
    while (more == 1 && xmlTextReaderNodeType(r) != XML_READER_TYPE_ELEMENT)
        more = xmlTextReaderRead(r);
    if (more != 1 || strcmp((const char *)xmlTextReaderConstLocalName(r), "feedback") != 0)
        return complain(why, STATUS_INVALID, "the XML's first element is not <feedback>");
    more = xmlTextReaderRead(r);
    while (more == 1) {
        if (xmlTextReaderNodeType(r) == XML_READER_TYPE_ELEMENT) {
            enum status st = one_element(a, r, out, &room, why);
            if (st != STATUS_OK)
                return st;
            more = xmlTextReaderNext(r);
        } else {
            more = xmlTextReaderRead(r);
        }
    }
    return more == 0 ? STATUS_OK : complain(why, STATUS_INVALID, "the XML is not well-formed");
}

enum status report_in_parse_dmarc(struct arena *a, struct slice xml, struct report_in *out, char *why)
{
    *out = (struct report_in){.kind = REPORT_IN_DMARC, .org = "", .id = "", .domain = "", .policy = ""};
    if (xml.n > REPORT_IN_TEXT)
        return complain(why, STATUS_LIMIT, "the report is larger than is read");
    if (memmem(xml.p, xml.n, "<!DOCTYPE", 9) || memmem(xml.p, xml.n, "<!ENTITY", 8))
        return complain(why, STATUS_INVALID, "the XML has a document type: no honest report has");
    xmlTextReader *r = xmlReaderForMemory(xml.p, (int)xml.n, NULL, "UTF-8",
                                          XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                              XML_PARSE_NOCDATA);
    if (!r)
        return complain(why, STATUS_NOMEM, "out of memory");
    enum status st = read_elements(a, r, out, why);
    xmlFreeTextReader(r);
    if (st == STATUS_OK && arena_failed(a))
        return complain(why, STATUS_NOMEM, "out of memory");
    if (st == STATUS_OK && (!*out->org || !*out->id || !*out->domain))
        return complain(why, STATUS_INVALID, "org_name, report_id or the policy's domain is missing");
    return st;
}
