// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_row.c - rows of DMARC aggregate reports, read from and written to their columns.
 *
 * Promises that what dmarc_row_add_signature wrote is read back as it was, whatever characters a signer put into a
 * domain or selector: a signature is "domain/selector/result", signatures are separated by a blank, and '%', '/', what
 * is below '!' and DEL are written as %XX. On failure of memory the buffer remembers it.
 */
#include "ledger/dmarc_row.h"
#include <stdio.h>
#include <string.h>

bool dmarc_row_read(const struct store_rows *r, int column, struct arena *a, const struct dmarc_row *before,
                    struct dmarc_row *out)
{
    for (int i = 0; i < DMARC_ROW_COLUMNS; i++) {
        const char *text = store_text(r, column + i);
        text = text ? text : "";
        out->column[i] = before && strcmp(before->column[i], text) == 0 ? before->column[i] : arena_strdup(a, text);
        if (!out->column[i])
            return false;
    }
    out->count = store_number(r, column + DMARC_ROW_COLUMNS);
    return true;
}

size_t dmarc_row_size(const struct dmarc_row *row)
{
    size_t n = 0;
    for (int i = 0; i < DMARC_ROW_COLUMNS; i++)
        n += row->column[i] ? strlen(row->column[i]) : 0;
    return n;
}

static void add_token(struct buf *out, const char *text, const char *end)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p <= ' ' || *p == '%' || *p == '/' || *p == 0x7f)
            buf_printf(out, "%%%02X", *p);
        else
            buf_addc(out, (char)*p);
    buf_adds(out, end);
}

void dmarc_row_add_signature(struct buf *out, const char *domain, const char *selector, const char *result)
{
    if (out->n)
        buf_addc(out, ' ');
    add_token(out, domain, "/");
    add_token(out, selector, "/");
    add_token(out, result, "");
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One part, to `end`; NULL: it is none. */
static const char *token(const char *at, const char *ends, char out[DMARC_ROW_MAX + 1])
{
    size_t n = 0;
    while (*at && !strchr(ends, *at) && *at != '/' && *at != ' ' && n < DMARC_ROW_MAX) {
        char c = *at++;
        if (c == '%') {
            int high = hex(at[0]), low = high < 0 ? -1 : hex(at[1]);
            if (low < 0 || high + low == 0)
                return NULL;
            c = (char)(high * 16 + low);
            at += 2;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return *at == '\0' ? (strchr(ends, ' ') ? at : NULL) : strchr(ends, *at) ? at : NULL;
}

static const char *signature_read(const char *at, struct dmarc_row_signature *out)
{
    const char *p = token(at, "/", out->domain);
    p = p ? token(p + 1, "/", out->selector) : NULL;
    return p ? token(p + 1, " ", out->result) : NULL;
}

bool dmarc_row_signature(const char **at, struct dmarc_row_signature *out)
{
    while (**at) {
        const char *end = signature_read(*at, out);
        *at += strcspn(*at, " ");
        *at += **at == ' ';
        if (end)
            return true;
    }
    return false;
}
