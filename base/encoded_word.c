// SPDX-License-Identifier: BSD-2-Clause
/*
 * encoded_word.c - decodes encoded words (RFC 2047).
 *
 * Promises: for each octet at most ENCODED_WORD_CHARSET_MAX + ENCODED_WORD_TEXT_MAX of those behind it are looked at.
 * Failure: out of memory, or a bound of the buffer, sets out->failed.
 */
#include "base/encoded_word.h"
#include "base/base64.h"
#include "base/hex.h"
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Characters up to the next "?": a charset or an encoding, without blanks. false: none comes soon. */
static bool read_token(struct slice *s, struct slice *token)
{
    for (size_t i = 0; i < s->n && i <= ENCODED_WORD_CHARSET_MAX && !is_blank(s->p[i]); i++)
        if (s->p[i] == '?') {
            *token = slice_of(s->p, i);
            *s = slice_from(*s, i + 1);
            return true;
        }
    return false;
}

bool encoded_word_read(struct slice s, struct encoded_word *out)
{
    struct slice rest = slice_from(s, 2), encoding;
    if (s.n < 2 || s.p[0] != '=' || s.p[1] != '?' || !read_token(&rest, &out->charset) || !read_token(&rest, &encoding))
        return false;
    if (encoding.n != 1 || !memchr("bBqQ", encoding.p[0], 4))
        return false;
    const size_t most = ENCODED_WORD_TEXT_MAX + 2;
    const char *end = memmem(rest.p, rest.n < most ? rest.n : most, "?=", 2);
    if (!end)
        return false;
    const char *language = out->charset.n ? memchr(out->charset.p, '*', out->charset.n) : NULL;
    if (language)
        out->charset.n = (size_t)(language - out->charset.p);
    out->base64 = encoding.p[0] == 'b' || encoding.p[0] == 'B';
    out->text = slice_of(rest.p, (size_t)(end - rest.p));
    out->n = (size_t)(end + 2 - s.p);
    return true;
}

void encoded_word_decode_q(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        const int high = text.p[i] == '=' && i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text.p[i + 2]) : -1;
        if (low >= 0) {
            buf_addc(out, (char)(high << 4 | low));
            i += 2;
        } else {
            buf_addc(out, text.p[i] == '_' ? ' ' : text.p[i]);
        }
    }
}

/* UTF-7 (RFC 2152): "+" base64 of UTF-16 "-". */
static void decode_utf7(struct buf *out, struct slice s)
{
    for (size_t i = 0, n; i < s.n; i++) {
        if (s.p[i] != '+') {
            buf_addc(out, s.p[i]);
            continue;
        }
        for (n = i + 1; n < s.n && base64_value[(unsigned char)s.p[n]];)
            n++;
        base64_decode(out, slice_of(s.p + i + 1, n - i - 1));
        i = n < s.n && s.p[n] == '-' ? n : n - 1;
    }
}

/* "UTF-7" has older names that end with it: "unicode-1-1-utf-7", "x-unicode-2-0-utf-7". */
static bool is_utf7(struct slice charset)
{
    static const struct slice utf7 = SLICE_LIT("utf-7");
    return charset.n >= utf7.n && slice_eq_nocase(slice_from(charset, charset.n - utf7.n), utf7);
}

static void decode(struct buf *out, const struct encoded_word *w)
{
    struct buf octets = BUF_INIT;
    struct buf *to = is_utf7(w->charset) ? &octets : out;
    if (w->base64)
        base64_decode(to, w->text);
    else
        encoded_word_decode_q(to, w->text);
    if (to == &octets)
        decode_utf7(out, buf_slice(&octets));
    out->failed |= octets.failed;
    buf_release(&octets);
}

void encoded_word_decode_all(struct buf *out, struct slice s)
{
    struct encoded_word w;
    size_t blanks = 0; /* that were added behind a word */
    bool behind_word = false;
    for (size_t i = 0; i < s.n;) {
        if (s.p[i] == '=' && encoded_word_read(slice_from(s, i), &w)) {
            if (behind_word && !out->failed)
                buf_cut(out, out->n - blanks);
            decode(out, &w);
            behind_word = true;
            blanks = 0;
            i += w.n;
            continue;
        }
        behind_word &= is_blank(s.p[i]);
        blanks += behind_word;
        buf_addc(out, s.p[i++]);
    }
}
