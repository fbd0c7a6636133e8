// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_mail.c - compresses a DMARC report and writes the mail around it.
 *
 * Promises the same octets for the same report, a mail no longer than asked for (rows are left out for it, and the
 * report says how many), and a header without any text of a sender.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "feedback/dmarc_report.h"
#include "ledger/timestamp.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

/* Headers, the words for people, MIME boundaries. */
#define MAIL_OVERHEAD 8192

struct packing {
    z_stream z;
    struct buf *out;
};

static bool pack(struct packing *p, struct slice in, int flush)
{
    unsigned char space[65536];
    int rc;
    p->z.next_in = (Bytef *)(void *)(size_t)in.p;
    p->z.avail_in = (uInt)in.n;
    do {
        p->z.next_out = space;
        p->z.avail_out = sizeof space;
        rc = deflate(&p->z, flush);
        buf_add(p->out, space, sizeof space - p->z.avail_out);
    } while (rc == Z_OK && !p->out->failed && p->z.avail_out == 0);
    return !p->out->failed &&
           (rc == (flush == Z_FINISH ? Z_STREAM_END : Z_OK) || (rc == Z_BUF_ERROR && !p->z.avail_in));
}

static bool pack_piece(void *context, struct slice piece)
{
    return pack(context, piece, Z_NO_FLUSH);
}

/* As it is written: neither the text nor the rows' XML is ever there as a whole. */
static enum status compress_rows(const struct dmarc_report *r, enum dmarc_form form, size_t rows, struct buf *out)
{
    struct packing p = {.out = out};
    if (deflateInit2(&p.z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return STATUS_NOMEM;
    enum status st = dmarc_report_xml(r, form, rows, &(struct dmarc_xml_taker){pack_piece, &p});
    if (st == STATUS_AGAIN || (st == STATUS_OK && !pack(&p, SLICE_LIT(""), Z_FINISH)))
        st = STATUS_NOMEM;
    deflateEnd(&p.z);
    return st;
}

static size_t mail_octets(size_t gzip)
{
    return MAIL_OVERHEAD + (gzip + 2) / 3 * 4 / 76 * 77 + 80;
}

enum status dmarc_report_gzip(const struct dmarc_report *r, enum dmarc_form form, size_t max, struct buf *out,
                              size_t *rows)
{
    *rows = r->row_count;
    for (;;) {
        buf_reset(out);
        enum status st = compress_rows(r, form, *rows, out);
        size_t size = mail_octets(out->n);
        if (st != STATUS_OK || size <= max || *rows <= 1)
            return st != STATUS_OK ? st : size <= max ? STATUS_OK : STATUS_LIMIT;
        /* Rows are much alike: what the size asks for, and a little less. */
        size_t fewer = (size_t)((double)*rows * (double)max / (double)size * 0.97);
        *rows = fewer < 1 ? 1 : fewer < *rows ? fewer : *rows - 1;
    }
}

enum status dmarc_report_mail(const struct dmarc_report *r, const char *to, struct slice gzip, struct buf *out)
{
    char id[DMARC_NAME_MAX], file[DMARC_NAME_MAX], day[TIMESTAMP_TEXT], date[64];
    const char *us = dmarc_domain_of(r->from);
    time_t now = clock_wall();
    struct tm tm;
    dmarc_report_id(r, id);
    dmarc_report_file(r, file);
    timestamp_day_text(r->day, day);
    if (!gmtime_r(&now, &tm) || !strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm))
        return STATUS_INVALID;
    buf_printf(out, "From: %s\nTo: %s\nReply-To: %s\nDate: %s\nMessage-ID: <%s>\n", r->from, to, r->contact, date, id);
    buf_printf(out, "Subject: Report Domain: %s\n Submitter: %s\n Report-ID: <%s>\n", r->domain, us, id);
    buf_adds(out, "MIME-Version: 1.0\nAuto-Submitted: auto-generated\nContent-Type: multipart/mixed; "
                  "boundary=\"assay-dmarc-report\"\n\n");
    buf_adds(out, "--assay-dmarc-report\nContent-Type: text/plain; charset=utf-8\n\n");
    buf_printf(out,
               "This is a DMARC aggregate report (RFC 9990) about mail that said it came\nfrom %s,\nreceived at %s on "
               "%s (UTC).\n\n",
               r->domain, us, day);
    buf_printf(
        out,
        "The attached file, made for programs, lists which servers sent mail under\nthat name, how many mails, and "
        "whether SPF and DKIM passed for it. It holds\nno text of any mail. You get it since the DMARC record of "
        "the domain asks\nfor it: the TXT record at _dmarc.%s or above it\nnames this address in rua=. To get no "
        "more reports, remove the address there,\nor write to the address below.\n\n",
        r->domain);
    buf_printf(out, "Questions: %s\n\n", r->contact);
    buf_printf(out, "--assay-dmarc-report\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n");
    buf_printf(out, "Content-Disposition: attachment;\n filename=\"%s\"\n\n", file);
    base64_encode(out, gzip, BASE64_MAIL_LINE);
    buf_adds(out, "\n--assay-dmarc-report--\n");
    return out->failed ? STATUS_NOMEM : STATUS_OK;
}
