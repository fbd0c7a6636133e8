// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_xml.c - the text of a DMARC aggregate report.
 *
 * Promises XML that is valid against RFC 9990's schema whatever senders wrote into their domains, selectors and
 * records: values that the schema lists are written only when they are in its list (else the nearest that is), free
 * texts are escaped, and what XML 1.0 cannot hold becomes U+FFFD. In RFC 7489's form, what that schema lacks is left
 * out or said in its words. A row without an address or a From domain is left out.
 */
#include "base/utf8.h"
#include "feedback/dmarc_report.h"
#include "ledger/value.h"
#include <inttypes.h>

static void xml_text(struct buf *b, const char *s)
{
    struct slice in = slice_str(s);
    while (in.n) {
        size_t len = utf8_length(in);
        unsigned char c = (unsigned char)in.p[0];
        uint32_t point = len ? utf8_point(in) : 0;
        if (c == '&')
            buf_adds(b, "&amp;");
        else if (c == '<')
            buf_adds(b, "&lt;");
        else if (c == '>')
            buf_adds(b, "&gt;");
        else if (!len || (c < 0x20 && c != '\t') || c == 0x7f || point == 0xfffe || point == 0xffff)
            buf_adds(b, "\xef\xbf\xbd");
        else
            buf_add(b, in.p, len);
        in = slice_from(in, len ? len : 1);
    }
}

static void element(struct buf *b, int depth, const char *name, const char *value)
{
    buf_printf(b, "%*s<%s>", depth * 2, "", name);
    xml_text(b, value);
    buf_printf(b, "</%s>\n", name);
}

static void element_if(struct buf *b, int depth, const char *name, const char *value)
{
    if (value && *value)
        element(b, depth, name, value);
}

static void xml_number(struct buf *b, int depth, const char *name, int64_t n)
{
    buf_printf(b, "%*s<%s>%" PRId64 "</%s>\n", depth * 2, "", name, n, name);
}

/* value when it is among `words` (blanks between), else `otherwise`. */
static const char *among(const char *value, const char *words, const char *otherwise)
{
    size_t n = value ? strlen(value) : 0;
    for (const char *p = words; n && *p;) {
        size_t w = strcspn(p, " ");
        if (w == n && memcmp(p, value, n) == 0)
            return value;
        p += w + (p[w] == ' ');
    }
    return otherwise;
}

#define DISPOSITIONS "none quarantine reject"

static void metadata(struct buf *b, const struct dmarc_report *r, size_t left_out)
{
    char id[DMARC_NAME_MAX];
    dmarc_report_id(r, id);
    buf_adds(b, "  <report_metadata>\n");
    element(b, 2, "org_name", r->org && r->org[0] ? r->org : dmarc_domain_of(r->from));
    element(b, 2, "email", r->contact);
    element_if(b, 2, "extra_contact_info", r->extra);
    element(b, 2, "report_id", id);
    buf_adds(b, "    <date_range>\n");
    xml_number(b, 3, "begin", r->day * 86400);
    xml_number(b, 3, "end", r->day * 86400 + 86399);
    buf_adds(b, "    </date_range>\n");
    if (left_out)
        buf_printf(b, "    <error>records with the lowest counts that were left out for size: %zu</error>\n", left_out);
}

static void published(struct buf *b, const struct dmarc_report *r, enum dmarc_form form)
{
    struct value *v = value_parse(slice_str(r->published), NULL);
    buf_adds(b, "  <policy_published>\n");
    element(b, 2, "domain", r->domain);
    element_if(b, 2, "adkim", among(value_text(v, "adkim"), "r s", NULL));
    element_if(b, 2, "aspf", among(value_text(v, "aspf"), "r s", NULL));
    const char *p = among(value_text(v, "p"), DISPOSITIONS, "none");
    const char *sp = among(value_text(v, "sp"), DISPOSITIONS, NULL);
    element(b, 2, "p", p);
    if (form == DMARC_RFC7489) {
        element(b, 2, "sp", sp ? sp : p);
        element(b, 2, "pct", "100");
        element_if(b, 2, "fo", value_text(v, "fo"));
    } else {
        element_if(b, 2, "sp", sp);
        element_if(b, 2, "np", among(value_text(v, "np"), DISPOSITIONS, NULL));
        element_if(b, 2, "fo", value_text(v, "fo"));
        element_if(b, 2, "testing", among(value_text(v, "t"), "y n", NULL));
        element_if(b, 2, "discovery_method", among(value_text(v, "discovery"), "psl treewalk", NULL));
    }
    buf_adds(b, "  </policy_published>\n");
    value_free(v);
}

/* A column, or NULL if it is empty. */
static const char *of(const struct dmarc_row *row, enum dmarc_row_column c)
{
    return row->column[c] && *row->column[c] ? row->column[c] : NULL;
}

static void evaluated(struct buf *b, const struct dmarc_row *row, enum dmarc_form form)
{
    const char *type = of(row, DMARC_ROW_REASON), *comment = of(row, DMARC_ROW_COMMENT);
    const char *what =
        among(of(row, DMARC_ROW_DISPOSITION), form == DMARC_RFC9990 ? DISPOSITIONS " pass" : DISPOSITIONS, "none");
    buf_adds(b, "      <policy_evaluated>\n");
    element(b, 4, "disposition", what);
    element(b, 4, "dkim", among(of(row, DMARC_ROW_DKIM), "pass fail", "fail"));
    element(b, 4, "spf", among(of(row, DMARC_ROW_SPF), "pass fail", "fail"));
    if (type) {
        const char *known = form == DMARC_RFC9990
                                ? "local_policy mailing_list other policy_test_mode trusted_forwarder"
                                : "forwarded sampled_out trusted_forwarder mailing_list local_policy other";
        buf_adds(b, "        <reason>\n");
        element(b, 5, "type", among(type, known, "other"));
        element_if(b, 5, "comment", comment ? comment : among(type, known, type));
        buf_adds(b, "        </reason>\n");
    }
    buf_adds(b, "      </policy_evaluated>\n");
}

static void signatures(struct buf *b, const char *at)
{
    static const char results[] = "none pass fail policy neutral temperror permerror";
    struct dmarc_row_signature s;
    while (at && dmarc_row_signature(&at, &s)) {
        buf_adds(b, "      <dkim>\n");
        element(b, 4, "domain", s.domain);
        element(b, 4, "selector", s.selector);
        element(b, 4, "result", among(s.result, results, "neutral"));
        buf_adds(b, "      </dkim>\n");
    }
}

static void auth_results(struct buf *b, const struct dmarc_row *row, enum dmarc_form form)
{
    const char *spf = of(row, DMARC_ROW_SPF_DOMAIN);
    buf_adds(b, "    <auth_results>\n");
    signatures(b, of(row, DMARC_ROW_SIGNATURES));
    if (spf || form == DMARC_RFC7489) {
        /* RFC 9990 knows mfrom only: of the null sender it is postmaster at HELO (RFC 7208 2.4). */
        const char *scope = form == DMARC_RFC7489 ? of(row, DMARC_ROW_SPF_SCOPE) : NULL;
        buf_adds(b, "      <spf>\n");
        element(b, 4, "domain", spf ? spf : of(row, DMARC_ROW_HEADER_FROM));
        element(b, 4, "scope", among(scope, "helo", "mfrom"));
        element(
            b, 4, "result",
            spf ? among(of(row, DMARC_ROW_SPF_RESULT), "none neutral pass fail softfail temperror permerror", "none")
                : "none");
        buf_adds(b, "      </spf>\n");
    }
    buf_adds(b, "    </auth_results>\n");
}

static bool xml_record(struct buf *b, const struct dmarc_row *row, enum dmarc_form form)
{
    const char *ip = of(row, DMARC_ROW_SOURCE_IP), *from = of(row, DMARC_ROW_HEADER_FROM),
               *mail_from = of(row, DMARC_ROW_ENVELOPE_FROM);
    if (!ip || !from)
        return false;
    buf_adds(b, "  <record>\n    <row>\n");
    element(b, 3, "source_ip", ip);
    xml_number(b, 3, "count", row->count);
    evaluated(b, row, form);
    buf_adds(b, "    </row>\n    <identifiers>\n");
    if (mail_from || form == DMARC_RFC7489)
        element(b, 3, "envelope_from", mail_from ? mail_from : "");
    element(b, 3, "header_from", from);
    buf_adds(b, "    </identifiers>\n");
    auth_results(b, row, form);
    buf_adds(b, "  </record>\n");
    return true;
}

static bool hand_over(struct buf *b, const struct dmarc_xml_taker *to)
{
    bool wanted = b->failed || to->take(to->context, buf_slice(b));
    if (!b->failed)
        buf_reset(b);
    return wanted;
}

/* out: memory for one piece. */
static enum status write_all(const struct dmarc_report *r, enum dmarc_form form, size_t rows, struct buf *out,
                             const struct dmarc_xml_taker *to)
{
    size_t written = 0;
    bool wanted = true;
    rows = rows < r->row_count ? rows : r->row_count;
    buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    buf_adds(out, form == DMARC_RFC9990 ? "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n" : "<feedback>\n");
    buf_adds(out, "  <version>1.0</version>\n");
    metadata(out, r, r->row_count - rows + (size_t)r->rows_left_out);
    if (form == DMARC_RFC9990)
        element(out, 2, "generator", "Assay " ASSAY_VERSION);
    buf_adds(out, "  </report_metadata>\n");
    published(out, r, form);
    for (size_t i = 0; i < rows && !out->failed && wanted; i++) {
        written += xml_record(out, &r->rows[i], form);
        if (out->n >= DMARC_XML_PIECE)
            wanted = hand_over(out, to);
    }
    buf_adds(out, "</feedback>\n");
    if (wanted)
        wanted = hand_over(out, to);
    return out->failed ? STATUS_NOMEM : !wanted ? STATUS_AGAIN : written ? STATUS_OK : STATUS_INVALID;
}

enum status dmarc_report_xml(const struct dmarc_report *r, enum dmarc_form form, size_t rows,
                             const struct dmarc_xml_taker *to)
{
    struct buf piece = BUF_INIT;
    enum status st = write_all(r, form, rows, &piece, to);
    buf_release(&piece);
    return st;
}
