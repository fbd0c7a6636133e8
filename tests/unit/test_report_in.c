// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_report_in.c - reports that others send: both forms, every wrapping, and what hostile senders make of them; and
 * where our own may go.
 */
// check: slow
#include "tests/unit/cm.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "feedback/dmarc_rua.h"
#include "feedback/report_fields.h"
#include "feedback/report_in.h"
#include "feedback/report_json.h"
#include "feedback/report_markup.h"
#include "feedback/report_message.h"
#include "feedback/report_reader.h"
#include "feedback/report_scratch.h"
#include "tests/unit/report_seen.h"
#include <fcntl.h>
#include <unistd.h>
#include <stdio.h>
#include <time.h>
#include <zlib.h>

static const char rfc9990[] =
    "<?xml version=\"1.0\"?>\n<feedback "
    "xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\"><version>1.0</version><report_metadata><org_name>Receiver</org_name>"
    "<email>a@b.example</email><report_id>x1@b.example</report_id><date_range><begin>1795046400</"
    "begin><end>1795132799</end></date_range></report_metadata>"
    "<policy_published><domain>example.org</domain><p>reject</p><sp>none</sp></policy_published>"
    "<extension><e:x xmlns:e=\"urn:x\"><record/></e:x></extension>"
    "<record><row><source_ip>192.0.2.1</source_ip><count>7</count><policy_evaluated><disposition>none</"
    "disposition><dkim>pass</dkim><spf>fail</spf>"
    "<reason><type>mailing_list</type></reason></policy_evaluated></row><identifiers><header_from>example.org</"
    "header_from></identifiers>"
    "<auth_results><dkim><domain>example.org</domain><selector>s1</selector><result>pass</result></dkim></"
    "auth_results></record></feedback>";

/* RFC 8460 appendix B, without its last failure: of what kind three of the sessions were is not said. */
static const char tlsrpt[] =
    "{\"organization-name\":\"Company-X\",\"date-range\":{\"start-datetime\":\"2026-11-19T00:00:00Z\",\"end-datetime\":"
    "\"2026-11-19T23:59:59Z\"},"
    "\"contact-info\":\"sts@company-x.example\",\"report-id\":\"5065427c-23d3\",\"policies\":[{\"policy\":{\"policy-"
    "type\":\"sts\",\"policy-domain\":"
    "\"company-y.example\"},\"summary\":{\"total-successful-session-count\":5326,\"total-failure-session-count\":303},"
    "\"failure-details\":[{\"result-type\":"
    "\"certificate-expired\",\"sending-mta-ip\":\"2001:db8::1\",\"receiving-mx-hostname\":\"mx1.mail.company-y."
    "example\",\"failed-session-count\":100},"
    "{\"result-type\":\"starttls-not-supported\",\"sending-mta-ip\":\"2001:db8::2\",\"failed-session-count\":200}]}]}";

static struct report_seen seen; /* of the last parse */

static enum status report_parse(const char *p, size_t n, struct arena *a, struct report_in *r, char *why)
{
    char *copy = exact(p, n);
    struct buf text = BUF_INIT;
    enum status st = report_first(slice_of(copy, n), &text, why);
    char *unpacked = exact(text.p, text.n);
    size_t m = text.n;
    buf_release(&text);
    free(copy);
    seen = (struct report_seen){.arena = a};
    if (st == STATUS_OK)
        st = report_seen_parse(&seen, slice_of(unpacked, m), r, why);
    free(unpacked);
    return st;
}

static void takes(const char *p, size_t n, const char *org, const char *domain, size_t rows, int64_t count)
{
    char why[200] = "";
    struct report_in r;
    struct arena *a = arena_new(1 << 26);
    if (report_parse(p, n, a, &r, why) != STATUS_OK)
        fail_msg("%s", why);
    assert_string_equal(r.org, org);
    assert_string_equal(r.domains[0], domain);
    assert_int_equal(r.row_count, seen.count);
    assert_int_equal(r.row_count, rows);
    int64_t sum = 0;
    for (size_t i = 0; i < r.row_count; i++)
        sum += seen.row[i].count;
    assert_int_equal(sum, count);
    assert_int_equal(r.begin, 1795046400);
    arena_free(a);
}

static void report_refuses(const char *p, size_t n, const char *says)
{
    char why[200] = "";
    struct report_in r;
    struct arena *a = arena_new(1 << 26);
    assert_int_not_equal(report_parse(p, n, a, &r, why), STATUS_OK);
    if (!strstr(why, says))
        fail_msg("'%s' does not say '%s'", why, says);
    arena_free(a);
}

/* bits 31: gzip, -15: raw */
static size_t pack(const char *in, size_t n, int bits, char *out, size_t size)
{
    z_stream z = {
        .next_in = (Bytef *)(size_t)in, .avail_in = (uInt)n, .next_out = (Bytef *)out, .avail_out = (uInt)size};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return size - z.avail_out;
}

static void both_forms(void **state)
{
    (void)state;
    takes(rfc9990, sizeof rfc9990 - 1, "Receiver", "example.org", 1, 7);
    takes(tlsrpt, sizeof tlsrpt - 1, "Company-X", "company-y.example", 4, 5629);
    char why[200];
    struct report_in r;
    struct arena *a = arena_new(1 << 25);
    assert_int_equal(report_parse(rfc9990, sizeof rfc9990 - 1, a, &r, why), STATUS_OK);
    assert_string_equal(seen.row[0].detail, "dkim=example.org/s1:pass reason=mailing_list");
    assert_string_equal(r.policy, "p=reject sp=none");
    assert_string_equal(seen.row[0].header_from, "example.org");
    arena_free(a);
}

static void every_wrapping(void **state)
{
    (void)state;
    char packed[8192], zip[9000], mail[20000], encoded[16384];
    size_t n = pack(rfc9990, sizeof rfc9990 - 1, 31, packed, sizeof packed);
    takes(packed, n, "Receiver", "example.org", 1, 7);
    static const char local[] = "PK\3\4\24\0\10\0\10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0a.xml";
    memcpy(zip, local, sizeof local - 1);
    size_t m = pack(rfc9990, sizeof rfc9990 - 1, -15, zip + sizeof local - 1, sizeof zip - sizeof local);
    takes(zip, m + sizeof local - 1, "Receiver", "example.org", 1, 7);
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t e = 0;
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)(unsigned char)packed[i] << 16 |
                     (i + 1 < n ? (unsigned)(unsigned char)packed[i + 1] << 8 : 0) |
                     (i + 2 < n ? (unsigned char)packed[i + 2] : 0u);
        for (int k = 3; k >= 0; k--)
            encoded[e++] = k < 3 - (int)(n - i) + 0 ? '=' : set[v >> (6 * k) & 63];
        if (i % 57 == 54)
            encoded[e++] = '\n';
    }
    int len = snprintf(mail, sizeof mail,
                       "From: a@b.example\r\nSubject: Report Domain: example.org\r\nContent-Type: multipart/mixed;\r\n "
                       "boundary=\"=_b\"\r\n\r\npreamble\r\n--=_b\r\n"
                       "Content-Type: text/plain\r\n\r\nhello\r\n--=_b\r\nContent-Type: "
                       "application/gzip\r\nContent-Transfer-Encoding: BASE64\r\n\r\n%.*s\r\n--=_b--\r\n",
                       (int)e, encoded);
    takes(mail, (size_t)len, "Receiver", "example.org", 1, 7);
    len = snprintf(mail, sizeof mail, "Content-Type: application/tlsrpt+json\n\n%s\n", tlsrpt);
    takes(mail, (size_t)len, "Company-X", "company-y.example", 4, 5629);
}

static void bombs(void **state)
{
    (void)state;
    size_t n = (size_t)160 << 20;
    char *zeros = calloc(1, n), *packed = malloc(1 << 20);
    assert_non_null(zeros);
    assert_non_null(packed);
    memset(zeros, ' ', n);
    size_t m = pack(zeros, n, 31, packed, 1 << 20);
    report_refuses(packed, m, "unpacks to more than is read");
    report_refuses(packed, m / 2, "cut off");
    free(zeros);
    free(packed);
    static const char laughs[] = "<?xml version=\"1.0\"?><!DOCTYPE feedback [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
                                 "\"&a;&a;&a;&a;\">]><feedback>&b;</feedback>";
    report_refuses(laughs, sizeof laughs - 1, "document type");
    static const char file[] =
        "<?xml version=\"1.0\"?><!DOCTYPE f [<!ENTITY x SYSTEM "
        "\"file:///etc/passwd\">]><feedback><report_metadata><org_name>&x;</org_name></report_metadata></feedback>";
    report_refuses(file, sizeof file - 1, "document type");
    /* The same, hidden from the eye by another encoding. */
    char wide[2 * sizeof file];
    for (size_t i = 0; i < sizeof file; i++) {
        wide[2 * i] = file[i];
        wide[2 * i + 1] = 0;
    }
    report_refuses(wide, sizeof wide, "");
}

static void deep_and_broken(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    buf_adds(&b, "<feedback>");
    for (int i = 0; i < 100000; i++)
        buf_adds(&b, "<a>");
    report_refuses(b.p, b.n, "nested more deeply");
    buf_reset(&b);
    buf_adds(&b, "{\"policies\":");
    for (int i = 0; i < 100000; i++)
        buf_adds(&b, "[");
    report_refuses(b.p, b.n, "nested more deeply");
    buf_reset(&b);
    for (int i = 0; i < 3000; i++)
        buf_adds(&b, "Content-Type: multipart/mixed; boundary=x\n\n--x\n");
    report_refuses(b.p, b.n, "no report");
    buf_release(&b);
    /* Cut off in its last record it is none; behind it, the record is whole and kept. */
    size_t whole = sizeof rfc9990 - 1 - strlen("</feedback>");
    for (size_t cut = 1; cut < whole; cut += 7)
        report_refuses(rfc9990, cut, "");
    takes(rfc9990, whole, "Receiver", "example.org", 1, 7);
    for (size_t cut = 0; cut < sizeof tlsrpt - 1; cut += 7)
        report_refuses(tlsrpt, cut, "");
    report_refuses("<feedback/>", 11, "missing");
    report_refuses("<other/>", 8, "");
    report_refuses("PK\3\4", 4, "");
    report_refuses("{}", 2, "missing");
    static const char nothing[] = "Content-Type: text/xml\nContent-Transfer-Encoding: base64\n\n!\n"; /* 0 octets */
    report_refuses(nothing, sizeof nothing - 1, "no report");
}

/* ---- what is in them ---- */

/* The text with one piece of it replaced. */
static void replaced(struct buf *out, const char *text, const char *piece, const char *by)
{
    const char *at = strstr(text, piece);
    assert_non_null(at);
    buf_reset(out);
    buf_add(out, text, (size_t)(at - text));
    buf_adds(out, by);
    buf_adds(out, at + strlen(piece));
}

/* RFC 1035 2.3.3, RFC 5890 2.3.2.1: one name, however it is written. */
static void domains_are_one_name(void **state)
{
    (void)state;
    static const struct {
        const char *written, *kept; /* NULL: no domain */
    } t[] = {{"EXAMPLE.org", "example.org"},
             {"example.org.", "example.org"},
             {"b\xc3\xbc"
              "cher.example",
              "xn--bcher-kva.example"},
             {"no domain at all", NULL},
             {"a..example", NULL},
             {".", NULL}};
    struct buf b = BUF_INIT, element = BUF_INIT;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        buf_reset(&element);
        buf_printf(&element, "<policy_published>\n<domain>%s</domain>", t[i].written);
        replaced(&b, rfc9990, "<policy_published><domain>example.org</domain>", element.p);
        if (t[i].kept)
            takes(b.p, b.n, "Receiver", t[i].kept, 1, 7);
        else
            report_refuses(b.p, b.n, "in line 3, is no domain name");
        buf_reset(&element);
        buf_printf(&element, "\n\"policy-domain\":\"%s\"", t[i].written);
        replaced(&b, tlsrpt, "\"policy-domain\":\"company-y.example\"", element.p);
        if (t[i].kept)
            takes(b.p, b.n, "Company-X", t[i].kept, 4, 5629);
        else
            report_refuses(b.p, b.n, "policy 1, in line 2, is no domain name");
    }
    buf_release(&element);
    buf_release(&b);
}

/* expat looks at an unfinished token anew with each chunk: what never ends must not cost its square. */
static void long_tokens(void **state)
{
    (void)state;
    static const char *const begin[] = {"<!--", "<?x ", "<x a='"}, *const end[] = {"-->", "?>", "'/>"};
    size_t n = (size_t)30 << 20;
    char *fill = malloc(n);
    assert_non_null(fill);
    memset(fill, 'x', n);
    struct buf b = {.p = buf_empty, .bound = (size_t)64 << 20};
    for (size_t i = 0; i < 6; i++) {
        bool before = i >= 3;
        if (before && i == 5)
            continue; /* a tag there is the root */
        buf_reset(&b);
        buf_adds(&b, before ? "<?xml version=\"1.0\"?>\n" : "<feedback>\n");
        buf_adds(&b, begin[i % 3]);
        buf_add(&b, fill, n);
        buf_adds(&b, end[i % 3]);
        buf_adds(&b, before ? "<feedback/>" : "</feedback>");
        char why[200] = "";
        struct report_in r;
        struct arena *a = arena_new(1 << 26);
        assert_int_equal(report_in_parse(a, buf_slice(&b), NULL, &r, why), STATUS_LIMIT);
        assert_non_null(strstr(why, "longer than is read (1 MB), in line 2"));
        arena_free(a);
    }
    static const char *const pieces[] = {"<a", "<feedback ", "<!--<"};
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < n; k++)
            fill[k] = pieces[i][k % strlen(pieces[i])];
        struct slice rest = slice_of(fill, n);
        assert_int_equal(report_markup_take(&rest).n, n);
        assert_int_equal(rest.n, 0);
        assert_int_equal(report_markup_find(slice_of(fill, n)).n, 0);
    }
    buf_release(&b);
    free(fill);
}

/* XML 1.0 2.7: within CDATA an "&" is only itself; "<![CDATA[" in a comment begins nothing. */
static void ampersands(void **state)
{
    (void)state;
    static const char *const t[] = {"<![CDATA[A & B]]>",         "A &amp; B",         "A & B",
                                    "<!-- <![CDATA[ & -->A & B", "<![CDATA[A &]]> B", "<![CDATA[A ]]>& B"};
    struct buf b = BUF_INIT, name = BUF_INIT;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        buf_reset(&name);
        buf_printf(&name, "<org_name>%s</org_name>", t[i]);
        replaced(&b, rfc9990, "<org_name>Receiver</org_name>", name.p);
        takes(b.p, b.n, "A & B", "example.org", 1, 7);
    }
    buf_release(&name);
    buf_release(&b);
}

/* XML 1.0 4.3.3: the declaration names the encoding; what is UTF-8 nonetheless is read as it. */
static void encodings(void **state)
{
    static const struct {
        const char *declared, *octets, *org;
    } t[] = {{"ISO-8859-1",
              "Stra\xdf"
              "e",
              "Stra\u00dfe"},
             {"iso-8859-1", "Stra\u00dfe", "Stra\u00dfe"},
             {"windows-1252", "\x80 5", "\u20ac 5"},
             {"ISO-8859-1", "\x93x\x94", "\u201cx\u201d"},
             {"windows-1252", "a\x81", "a\ufffd"},
             {"UTF-8",
              "Stra\xdf"
              "e",
              "Stra\ufffde"},
             {"ISO-8859-15",
              "Stra\xdf"
              "e",
              "Stra\ufffde"},
             {"US-ASCII", "Stra\u00dfe", "Stra\u00dfe"}};
    struct buf b = BUF_INIT, name = BUF_INIT, declared = BUF_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        buf_reset(&name);
        buf_printf(&name, "<org_name>%s</org_name>", t[i].octets);
        replaced(&b, strstr(rfc9990, "<feedback"), "<org_name>Receiver</org_name>", name.p);
        for (int single = 0; single < 2; single++) {
            buf_reset(&declared);
            buf_printf(&declared, "<?xml version=\"1.0\" encoding=%c%s%c?>\n%s", single ? '\'' : '"', t[i].declared,
                       single ? '\'' : '"', b.p);
            takes(declared.p, declared.n, t[i].org, "example.org", 1, 7);
        }
    }
    buf_release(&declared);
    buf_release(&name);
    buf_release(&b);
}

/* RFC 9990 3.1.1: seconds since 1970. What is sent besides. */
static void moments(void **state)
{
    static const struct {
        const char *text;
        int64_t first, last; /* 0: none */
    } t[] = {{"1795046400", 1795046400, 1795046400},
             {"1795046400000", 1795046400, 1795046400},
             {"1795046400.5", 1795046400, 1795046400},
             {"1795046400.", 1795046400, 1795046400},
             {".5", 0, 0},
             {"1795046400.5.5", 0, 0},
             {"1795046400,5", 0, 0},
             {"-1795046400", 0, 0},
             {"2026-11-19", 1795046400, 1795132799},
             {"2026-11-19T00:00:00Z", 1795046400, 1795046400},
             {"2026-11-19t00:00:00.75z", 1795046400, 1795046400},
             {"2026-11-19 00:00:00", 1795046400, 1795046400},
             {"2026-11-19T01:00:00+0100", 1795046400, 1795046400},
             {"2026-11-18T20:30:00-03:30", 1795046400, 1795046400},
             {"2026-11-19 00:00:00 UTC", 1795046400, 1795046400},
             {"2026-11-19T00:00:00 gmt", 1795046400, 1795046400},
             {"2026-11-19 01:30:00 +01:30", 1795046400, 1795046400},
             {"2026-11-18T23:59:60Z", 1795046400, 1795046400},
             {"2026-11-19T00:00:60Z", 0, 0},
             {"2026-11-19 00:00:00 CET", 0, 0},
             {"2026-11-19 00:00:00 ", 0, 0},
             {"2026-11-19 00:00:0", 0, 0},
             {"2026-+1-19T00:00:00Z", 0, 0},
             {"2026- 1-19T00:00:00Z", 0, 0},
             {"2026-11-19T00:00:-1Z", 0, 0},
             {"2026-11-19T24:00:00Z", 0, 0},
             {"2026-11-19T00:60:00Z", 0, 0},
             {"2026-11-31T00:00:00Z", 0, 0},
             {"2026-13-01T00:00:00Z", 0, 0},
             {"2026-11-19T00:00:00+01:60", 0, 0},
             {"2026-11-19T00:00:00+1", 0, 0},
             {"2026-11-19T00:00:00+24:00", 0, 0},
             {"2026-11-19T00:00:00+0 :0", 0, 0},
             {"2026-11-31", 0, 0},
             {"2026-02-29", 0, 0},
             {"2026-1-9", 0, 0},
             {"2026-11-19T", 0, 0},
             {"19.11.2026", 0, 0},
             {"2004-12-31", 0, 0},
             {"", 0, 0}};
    (void)state;
    clock_set_wall(1795200000);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        int64_t first = 0, last = 0;
        bool a = report_field_moment(t[i].text, &first), b = report_field_last_moment(t[i].text, &last);
        if (a != (t[i].first != 0) || b != a || (a && (first != t[i].first || last != t[i].last)))
            fail_msg("%s: %lld to %lld", t[i].text, (long long)first, (long long)last);
    }
    assert_false(report_field_moment(NULL, &(int64_t){0}));
    clock_set_wall(0);
}

/* RFC 5952; RFC 4291 2.5.5.2. */
static void report_addresses(void **state)
{
    static const char *const t[][2] = {{"192.0.2.1", "192.0.2.1"},
                                       {"2001:DB8:0:0::0:1", "2001:db8::1"},
                                       {"[2001:db8::1]", "2001:db8::1"},
                                       {"IPv6:2001:db8::1", "2001:db8::1"},
                                       {"::ffff:192.0.2.1", "192.0.2.1"},
                                       {"::FFFF:C000:0201", "192.0.2.1"},
                                       {"192.0.2.1:25", "192.0.2.1"},
                                       {"[2001:db8::1]:25", "2001:db8::1"},
                                       {"2001:db8::1:25", "2001:db8::1:25"},
                                       {"192.0.2.1:", "192.0.2.1:"},
                                       {"192.0.2.1:65536", "192.0.2.1:65536"},
                                       {"192.0.2.1/32", "192.0.2.1"},
                                       {"2001:DB8::1/128", "2001:db8::1"},
                                       {"192.0.2.0/24", "192.0.2.0/24"},
                                       {"::ffff:192.0.2.1/128", "::ffff:192.0.2.1/128"},
                                       {"fe80::1%eth0", "fe80::1%eth0"},
                                       {"192.0.2", "192.0.2"},
                                       {"mail.example.org", "mail.example.org"},
                                       {"", ""}};
    char out[IP_TEXT];
    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        assert_string_equal(report_field_address(t[i][0], out), t[i][1]);
}

/* RFC 1035, RFC 5890; what is in front of an "@" is nobody's business. */
static void domains(void **state)
{
    static const char *const t[][2] = {{"Example.ORG.", "example.org"},
                                       {"a@example.org", "example.org"},
                                       {"<a@b@Example.org>", "example.org"},
                                       {"@example.org", "example.org"},
                                       {"b\u00fccher.example", "xn--bcher-kva.example"},
                                       {"example.org>", NULL},
                                       {"a@", NULL},
                                       {"a b", NULL},
                                       {"", NULL}};
    char out[LIMIT_DOMAIN + 1];
    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        assert_int_equal(report_field_domain(t[i][0], out), t[i][1] != NULL);
        if (t[i][1])
            assert_string_equal(out, t[i][1]);
    }
}

struct seen {
    unsigned found, partial, unread;
    char where[300];
};

static void saw(void *context, const char *where, struct slice text)
{
    struct seen *s = context;
    char why[200] = "";
    struct report_in r;
    struct arena *a = arena_new(1 << 22);
    if (report_in_parse(a, text, NULL, &r, why) != STATUS_OK)
        fail_msg("%s: %s", where, why);
    s->found++;
    s->partial += r.partial != NULL;
    snprintf(s->where, sizeof s->where, "%s", where);
    arena_free(a);
}

static void saw_unread(void *context, const char *where, const char *why, enum status st)
{
    (void)where, (void)why, (void)st;
    ((struct seen *)context)->unread++;
}

static void several_and_footers(void **state)
{
    (void)state;
    static const struct {
        const char *between, *behind;
        unsigned found;
    } t[] = {{NULL, "\n\n", 1},
             {NULL, "\n-- \nSent by <b>a list</b> & others </feedback>", 1},
             {NULL, "<!-- <feedback> -->", 1},
             {"\n", "", 2},
             {"junk <!-- </feedback> -->", "\nfooter <", 2}};
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct seen s = {0};
        buf_reset(&b);
        buf_adds(&b, rfc9990);
        if (t[i].between)
            buf_printf(&b, "%s%s", t[i].between, rfc9990);
        buf_adds(&b, t[i].behind);
        char *copy = exact(b.p, b.n);
        report_in_walk(slice_of(copy, b.n), "file", &(struct report_in_walker){saw, saw_unread, NULL, &s});
        free(copy);
        assert_int_equal(s.found, t[i].found);
        assert_int_equal(s.partial, 0);
        assert_int_equal(s.unread, 0);
        assert_string_equal(s.where, t[i].found == 2 ? "file: report 2" : "file");
    }
    buf_release(&b);
}

static void tls_counts(void **state)
{
    (void)state;
    static const struct {
        const char *piece, *by;
        size_t rows;
        int64_t sum;
        bool partial;
    } t[] = {{"count\":100", "count\":1e308", 2, 5526, true}, {"count\":100", "count\":1.5", 2, 5526, true},
             {"count\":100", "count\":-1", 2, 5526, true},    {"count\":100", "count\":\"100\"", 4, 5629, false},
             {"count\":5326", "count\":1e308", 3, 303, true}, {"count\":5326", "count\":1.5", 3, 303, true},
             {"count\":5326", "count\":null", 3, 303, false}, {"count\":5326", "count\":0", 3, 303, false},
             {"count\":5326", "count\":true", 3, 303, true}};
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char why[200] = "";
        struct report_in r;
        struct arena *a = arena_new(1 << 20);
        replaced(&b, tlsrpt, t[i].piece, t[i].by);
        takes(b.p, b.n, "Company-X", "company-y.example", t[i].rows, t[i].sum);
        assert_int_equal(report_in_parse(a, buf_slice(&b), NULL, &r, why), STATUS_OK);
        assert_int_equal(r.partial != NULL, t[i].partial);
        arena_free(a);
    }
    static const char object[] =
        "{\"organization-name\":\"X\",\"date-range\":{\"start-datetime\":\"2026-11-19T00:00:00Z\",\"end-datetime\":"
        "\"2026-11-19T23:59:59Z\"},\"report-id\":\"1\",\"policies\":[{\"policy\":{\"policy-type\":\"sts\",\"policy-"
        "domain\":\"a.example\"},\"failure-details\":{\"result-type\":\"sts-policy-invalid\",\"failed-session-count\":"
        "4}}]}";
    takes(object, sizeof object - 1, "X", "a.example", 1, 4);
    buf_release(&b);
}

static void tls_domains_apart(void **state)
{
    (void)state;
    static const char text[] =
        "{\"organization-name\":\"X\",\"date-range\":{\"start-datetime\":\"2026-11-19T00:00:00Z\",\"end-datetime\":"
        "\"2026-11-19T23:59:59Z\"},\"report-id\":\"1\",\"policies\":["
        "{\"policy\":{\"policy-domain\":\"a.example\"},\"summary\":{\"total-successful-session-count\":1}},"
        "{\"policy\":{\"policy-domain\":\"b.example\"},\"summary\":{\"total-successful-session-count\":2}},"
        "{\"policy\":{\"policy-domain\":\"A.example.\"},\"summary\":{\"total-successful-session-count\":4}}]}";
    char why[200] = "";
    struct report_in r;
    struct arena *a = arena_new(1 << 24);
    struct report_seen s = {.arena = a};
    assert_int_equal(report_seen_parse(&s, slice_of(text, sizeof text - 1), &r, why), STATUS_OK);
    assert_int_equal(r.domain_count, 2);
    assert_string_equal(r.domains[0], "a.example");
    assert_string_equal(r.domains[1], "b.example");
    assert_int_equal(s.count, 3);
    static const size_t about[] = {0, 1, 0};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(s.row[i].about, about[i]);
        assert_int_equal(s.row[i].count, 1 << i);
        assert_string_equal(s.row[i].header_from, r.domains[about[i]]);
    }
    arena_free(a);
}

/* ---- JSON in place ---- */

/* RFC 8259: what is a text of it, and what is none. */
static void json_grammar(void **state)
{
    (void)state;
    static const char *const good[] = {"{}",         " [ ] ",   "\"\"", "0",    "-0",
                                       "-1.5e+10",   "1E2",     "true", "null", "{\"a\":[1,{\"b\":\"\\u00e9\\\"\"}]}",
                                       "[[],[],{}]", "{\"\":0}"};
    static const char *const bad[] = {
        "",           " ",       "{",        "[",     "]",     "}",     "[}",      "{]",        "[1,]",
        "{\"a\":1,}", "{\"a\"}", "{\"a\":}", "{a:1}", "{1:1}", "[1 2]", "01",      "-",         "1.",
        ".5",         "1e",      "+1",       "tru",   "TRUE",  "nullx", "\"",      "\"\\x\"",   "\"\\u12g4\"",
        "\"a\nb\"",   "[1]]",    "{}{}",     "[,1]",  "{,}",   "\"\\",  "\"\\u00", "{\"a\" 1}", "[\"a\":1]"};
    char why[200];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (report_json_check(slice_str(good[i]), why) != STATUS_OK)
            fail_msg("%s: %s", good[i], why);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *copy = exact(bad[i], strlen(bad[i]));
        if (report_json_check(slice_of(copy, strlen(bad[i])), why) != STATUS_INVALID)
            fail_msg("%s is taken for JSON", bad[i]);
        free(copy);
    }
    char deep[80];
    memset(deep, '[', 80);
    memset(deep + REPORT_JSON_DEPTH, ']', REPORT_JSON_DEPTH);
    assert_int_equal(report_json_check(slice_of(deep, (size_t)REPORT_JSON_DEPTH * 2), why), STATUS_OK);
    memset(deep, '[', 80);
    assert_int_equal(report_json_check(slice_of(deep, REPORT_JSON_DEPTH + 1), why), STATUS_LIMIT);
    assert_int_equal(report_json_check(slice_str("[1,\n2,\n3 4]"), why), STATUS_INVALID);
    assert_non_null(strstr(why, "line 3"));
}

static void json_walk(void **state)
{
    (void)state;
    struct slice v = slice_str(" {\"a\": 1, \"b\" : [ \"x\", {\"a\":9}, -3 ], \"d\": \"\\ud83d\\ude00\\u0000\\n\\/\", "
                               "\"e\": 1, \"e\": 2, \"f\":3, "
                               "\"f\" : 3, \"\\u0067\": 4}");
    struct slice rest = report_json_get(v, "b"), key, value;
    struct buf b = BUF_INIT;
    int64_t n = 0;
    char kinds[4] = "";
    for (size_t i = 0; report_json_next(&rest, &key, &value); i++) {
        assert_true(i < 3 && key.n == 0);
        kinds[i] = report_json_kind(value);
    }
    assert_string_equal(kinds, "\"{0");
    assert_true(report_json_integer(slice_str("-3"), &n) && n == -3);
    assert_false(report_json_integer(slice_str("3.0"), &n));
    assert_false(report_json_integer(slice_str("99999999999999999999"), &n));
    assert_true(report_json_text(report_json_get(v, "d"), 100, &b));
    assert_true(slice_eq(buf_slice(&b), slice_str("\xf0\x9f\x98\x80\xef\xbf\xbd\n/")));
    assert_int_equal(report_json_kind(report_json_get(v, "c")), 0);
    assert_int_equal(report_json_kind(report_json_get(v, "e")),
                     REPORT_JSON_TWICE); /* RFC 8259 4: no two readers agree */
    assert_true(report_json_integer(report_json_get(v, "f"), &n) && n == 3);
    assert_true(report_json_integer(report_json_get(v, "g"), &n) && n == 4);
    assert_int_equal(report_json_kind(report_json_get(slice_str("[]"), "c")), 0);
    buf_release(&b);
}

/* ---- scratch files ---- */

static void scratch(void **state)
{
    (void)state;
    struct report_scratch s = REPORT_SCRATCH_INIT((size_t)4 << 20);
    char block[1000];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)('a' + i % 26);
    for (size_t n = 0; n < 3000; n++) /* 3 MB: it goes into a file */
        report_scratch_add(&s, block, sizeof block);
    struct slice text = report_scratch_text(&s);
    assert_int_equal(text.n, 3000000);
    assert_true(s.mapped);
    assert_null(report_scratch_find(text, "z0", 2));
    const char *last = report_scratch_find(slice_from(text, 2999990), "f", 1);
    assert_non_null(last);
    assert_int_equal(text.p + text.n - last, 7); /* the 26 letters again and again */
    for (size_t i = 0; i < text.n; i += 4096)
        report_scratch_passed(text.p + i);
    assert_memory_equal(text.p, block, sizeof block); /* it is read again */
    report_scratch_end(&s);
    for (size_t n = 0; n < 5000; n++)
        report_scratch_add(&s, block, sizeof block);
    assert_int_equal(s.status, STATUS_LIMIT);
    assert_int_equal(report_scratch_text(&s).n, 0);
    report_scratch_end(&s);
    report_scratch_add(&s, "abc", 3);
    assert_false(s.mapped);
    assert_true(slice_eq(report_scratch_text(&s), SLICE_LIT("abc")));
    report_scratch_end(&s);
}

/* ---- messages and the reader ---- */

static void messages(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct report_message m, sent = {.type = REPORT_MESSAGE_ROW,
                                     .number = {3, 17},
                                     .text = {"192.0.2.1", "none", "p\xff", NULL, "example.org", "\xc3\xa4"}};
    report_message_add(&b, &sent);
    report_message_add(&b, &(struct report_message){.type = REPORT_MESSAGE_END});
    for (size_t n = 0; n < b.n; n++) { /* every beginning of it is no message yet, and is not read behind */
        char *copy = exact(b.p, n);
        struct slice in = slice_of(copy, n);
        enum status st = report_message_take(&in, &m);
        if (st == STATUS_OK)
            st = report_message_take(&in, &m);
        assert_int_equal(st, STATUS_AGAIN);
        free(copy);
    }
    struct slice in = buf_slice(&b);
    assert_int_equal(report_message_take(&in, &m), STATUS_OK);
    assert_int_equal(m.number[1], 17);
    assert_string_equal(m.text[2], "p?");
    assert_string_equal(m.text[3], "");
    assert_string_equal(m.text[5], "\xc3\xa4");
    assert_int_equal(report_message_take(&in, &m), STATUS_OK);
    assert_int_equal(m.type, REPORT_MESSAGE_END);
    assert_int_equal(in.n, 0);
    for (size_t i = 0; i < b.n; i++) { /* any octet changed: taken or refused, never read outside of it */
        char *copy = exact(b.p, b.n);
        copy[i] = (char)(copy[i] ^ 0x41);
        in = slice_of(copy, b.n);
        while (report_message_take(&in, &m) == STATUS_OK)
            ;
        free(copy);
    }
    buf_release(&b);
}

struct read_back {
    unsigned heads, rows, whole, broken, unread;
    enum report_in_proof proof;
    char where[300], why[300];
};

static void back_head(void *context, const char *where, const struct report_in *r)
{
    struct read_back *b = context;
    b->heads++;
    b->proof = r->proof;
    snprintf(b->where, sizeof b->where, "%s", where);
    assert_string_equal(r->org, "Receiver");
    assert_string_equal(r->domains[0], "example.org");
}

static void back_row(void *context, const struct report_in_row *row)
{
    struct read_back *b = context;
    b->rows++;
    assert_int_equal(row->count, 7);
}

static void back_end(void *context, bool whole)
{
    struct read_back *b = context;
    b->whole += whole;
    b->broken += !whole;
}

static void back_unread(void *context, const char *where, const char *why, enum status st)
{
    struct read_back *b = context;
    (void)where, (void)st;
    b->unread++;
    snprintf(b->why, sizeof b->why, "%s", why);
}

static void back_bounced(void *context, const char *where, const char *recipient, const char *code, const char *id)
{
    struct read_back *b = context;
    (void)where;
    snprintf(b->why, sizeof b->why, "%s %s %s", recipient, code, id);
}

static struct read_back read_back(struct report_reader *reader, const char *text, size_t n, const char *id)
{
    struct read_back b = {0};
    char name[] = "/tmp/assay-report-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0 && write(fd, text, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
    report_reader_read(reader, fd, "a file", id,
                       &(struct report_reader_to){back_head, back_row, back_end, back_unread, back_bounced, &b});
    close(fd);
    unlink(name);
    return b;
}

static void by_another_process(void **state)
{
    (void)state;
    struct report_reader *reader = report_reader_start();
    assert_non_null(reader);
    struct read_back b = read_back(reader, rfc9990, sizeof rfc9990 - 1, NULL);
    assert_true(b.heads == 1 && b.rows == 1 && b.whole == 1 && b.broken == 0 && b.unread == 0);
    assert_int_equal(b.proof, REPORT_IN_UNKNOWN);
    assert_string_equal(b.where, "a file");
    b = read_back(reader, "rubbish", 7, NULL);
    assert_true(b.heads == 0 && b.unread == 1);
    struct buf mail = BUF_INIT;
    buf_printf(&mail,
               "Authentication-Results: mx.example.org; dmarc=pass header.from=b.example\nFrom: a@b.example\n"
               "Content-Type: text/xml\n\n%s",
               rfc9990);
    b = read_back(reader, mail.p, mail.n, "mx.example.org");
    assert_true(b.heads == 1 && b.rows == 1 && b.whole == 1 && b.unread == 0);
    assert_int_equal(b.proof, REPORT_IN_PROVED);
    b = read_back(reader, mail.p, mail.n, "mx.example.net");
    assert_int_equal(b.proof, REPORT_IN_NOT_PROVED);
    /* RFC 3464 appendix E: a bounce; the mail that came back is no report to be read. */
    static const struct {
        const char *action, *status, *says;
    } bounces[] = {{"failed", "5.1.1", "dmarc@a.example 5.1.1 2026-11-19.a.example@example.org"},
                   {"delayed", "4.4.7", ""},
                   {"failed", "4.4.7", ""},
                   {"relayed", "5.0.0", ""}};
    for (size_t i = 0; i < sizeof bounces / sizeof *bounces; i++) {
        buf_reset(&mail);
        buf_printf(
            &mail,
            "From: MAILER-DAEMON@mx.example\nMIME-Version: 1.0\nContent-Type: multipart/report; "
            "report-type=delivery-status;\n boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\nI am sorry.\n--b\n"
            "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; "
            "dmarc@a.example\nAction: %s\nStatus: %s\n\n--b\nContent-Type: message/rfc822\n\nFrom: x@y.example\n"
            "Message-ID: <2026-11-19.a.example@example.org>\nContent-Type: text/xml\n\n%s\n--b--\n",
            bounces[i].action, bounces[i].status, rfc9990);
        b = read_back(reader, mail.p, mail.n, "mx.example.org");
        assert_true(b.heads == 0 && b.unread == 0);
        assert_string_equal(b.why, bounces[i].says);
    }
    buf_release(&mail);
    assert_null(report_reader_end(reader));
}

/* ---- rua ---- */

static void rua_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *tag, *first;
        size_t count;
    } t[] = {
        {"mailto:a@example.org", "a@example.org", 1},
        {" MAILTO:a@EXAMPLE.org!10m , mailto:b@example.net", "a@example.org", 2},
        {"mailto:a%2Bb@example.org", "a+b@example.org", 1},
        {"mailto:a@example.org,mailto:a@example.org", "a@example.org", 1},
        {"mailto:a@b\xc3\xbc"
         "cher.example",
         "a@xn--bcher-kva.example", 1},
        {"mailto:1@a.example,mailto:2@a.example,mailto:3@a.example,mailto:4@a.example,mailto:5@a.example,mailto:6@a."
         "example",
         "1@a.example", 6}, /* which five get it is decided by who takes it (RFC 9990 4) */
        {"https://example.org/", "", 0},
        {"mailto:-oQ/tmp@example.org", "", 0},
        {"mailto:a b@example.org", "", 0},
        {"mailto:a%0aBcc:x@example.org", "", 0},
        {"mailto:a%00@example.org", "", 0},
        {"mailto:\"a\"@example.org", "", 0},
        {"mailto:a@example.org,b@example.net", "a@example.org", 1},
        {"mailto:a@[192.0.2.1]", "", 0},
        {"mailto:a@_x.example.org", "", 0},
        {"mailto:.a@example.org", "", 0},
        {"mailto:a..b@example.org", "", 0},
        {"mailto:@example.org", "", 0},
        {"mailto:a@", "", 0},
        {"mailto:a%4", "", 0},
        {"", "", 0},
        {",,,", "", 0},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct arena *a = arena_new(1 << 16);
        struct dmarc_rua r;
        char *copy = exact(t[i].tag, strlen(t[i].tag));
        assert_int_equal(dmarc_rua_parse(a, slice_of(copy, strlen(t[i].tag)), &r), STATUS_OK);
        if (r.count != t[i].count || (r.count && strcmp(r.address[0], t[i].first) != 0))
            fail_msg("%s: %zu, %s", t[i].tag, r.count, r.count ? r.address[0] : "");
        free(copy);
        arena_free(a);
    }
}

/* No record makes us read more than so many, and the owner's own addresses come first. */
static void own_addresses_first(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 16);
    struct buf tag = BUF_INIT;
    struct dmarc_rua r;
    for (int i = 0; i < DMARC_RUA_READ + 5; i++)
        buf_printf(&tag, "mailto:%d@%s.example,", i, i % 7 == 6 ? "mail.own" : "other");
    assert_int_equal(dmarc_rua_parse(a, buf_slice(&tag), &r), STATUS_OK);
    assert_int_equal(r.count, DMARC_RUA_READ);
    dmarc_rua_own_first(&r, "news.own.example", "own.example");
    assert_string_equal(r.address[0], "6@mail.own.example");
    assert_string_equal(r.address[1], "13@mail.own.example");
    assert_string_equal(r.address[2], "0@other.example");
    assert_string_equal(r.address[DMARC_RUA_READ - 1], "19@other.example");
    dmarc_rua_own_first(&r, "other.example", "");
    assert_string_equal(r.address[0], "0@other.example");
    buf_release(&tag);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_forms),
                                       cmocka_unit_test(every_wrapping),
                                       cmocka_unit_test(bombs),
                                       cmocka_unit_test(deep_and_broken),
                                       cmocka_unit_test(domains_are_one_name),
                                       cmocka_unit_test(long_tokens),
                                       cmocka_unit_test(ampersands),
                                       cmocka_unit_test(encodings),
                                       cmocka_unit_test(moments),
                                       cmocka_unit_test(report_addresses),
                                       cmocka_unit_test(domains),
                                       cmocka_unit_test(several_and_footers),
                                       cmocka_unit_test(tls_counts),
                                       cmocka_unit_test(tls_domains_apart),
                                       cmocka_unit_test(json_grammar),
                                       cmocka_unit_test(json_walk),
                                       cmocka_unit_test(scratch),
                                       cmocka_unit_test(messages),
                                       cmocka_unit_test(by_another_process),
                                       cmocka_unit_test(rua_addresses),
                                       cmocka_unit_test(own_addresses_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
