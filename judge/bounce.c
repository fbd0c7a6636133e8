// SPDX-License-Identifier: BSD-2-Clause
/*
 * bounce.c - reads one Content-Type field as far as its report-type (RFC 2045 5.1, RFC 6522 3).
 *
 * Promises: a field that does not match the grammar, up to the end of its parameters, is not a notification; nor is one
 * with the same parameter twice. Cannot fail; if memory runs out, it is not a notification.
 */
#include "judge/bounce.h"
#include "base/buf.h"
#include "standards/message/lex822.h"

#define PARAMETERS_MAX 32 /* our own limit: report-type and boundary are in use */

/* [CFWS] c [CFWS] */
static bool mark(struct lex *l, char c)
{
    return lex_cfws(l) && lex_char(l, c) && lex_cfws(l);
}

/* value := token / quoted-string */
static bool value(struct lex *l, struct buf *out)
{
    struct slice token;

    buf_reset(out);
    if (!lex_token(l, &token))
        return lex_quoted_string(l, true, out) && !out->failed;
    buf_addslice(out, token);
    return !out->failed;
}

/* Reads the parameters up to the end of the field. *type: the value of report-type; false: bad grammar, or it occurs
 * twice. */
static bool report_type(struct lex *l, struct buf *text, bool *notification)
{
    unsigned seen = 0;

    for (unsigned n = 0; mark(l, ';'); n++) {
        struct slice name;
        if (lex_end(l))
            break; /* a ";" at the end: many mailers write it */
        if (n == PARAMETERS_MAX || !lex_token(l, &name) || !mark(l, '=') || !value(l, text))
            return false;
        if (!slice_eq_nocase(name, SLICE_LIT("report-type")))
            continue;
        seen++;
        *notification = slice_eq_nocase(buf_slice(text), SLICE_LIT("delivery-status")) ||
                        slice_eq_nocase(buf_slice(text), SLICE_LIT("disposition-notification"));
    }
    return seen == 1 && lex_cfws(l) && lex_end(l);
}

bool bounce_is_notification(const struct header_list *list)
{
    const struct header_field *f = header_find(list, "Content-Type", 1);
    struct buf text = BUF_INIT;
    struct slice type, subtype;
    bool is = false, good;
    struct lex l;

    if (!f || list->over_limit || header_find(list, "Content-Type", 2))
        return false;
    l = lex_of(f->value);
    good = lex_cfws(&l) && lex_token(&l, &type) && mark(&l, '/') && lex_token(&l, &subtype) &&
           slice_eq_nocase(type, SLICE_LIT("multipart")) && slice_eq_nocase(subtype, SLICE_LIT("report")) &&
           report_type(&l, &text, &is);
    buf_release(&text);
    return good && is;
}
