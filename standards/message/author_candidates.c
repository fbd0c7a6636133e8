// SPDX-License-Identifier: BSD-2-Clause
/*
 * author_candidates.c - finds the authors that mail programs may show for a broken From field.
 *
 * Promises: each octet is looked at a fixed number of times; what begins like a comment or an encoded word and does not
 * end is plain text, so that an unended one hides nothing. Failure: out of memory is too_many.
 */
#include "standards/message/author_candidates.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/domain.h"
#include "base/encoded_word.h"
#include "standards/message/lex822.h"
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Octets of the "@", or of a character that compatibility normalisation makes into one, at the front of s; 0: none.
 * U+FF20 and U+FE6B. */
static size_t sign_at(struct slice s)
{
    if (s.n && s.p[0] == '@')
        return 1;
    if (s.n >= 3 && (memcmp(s.p, "\xef\xbc\xa0", 3) == 0 || memcmp(s.p, "\xef\xb9\xab", 3) == 0))
        return 3;
    return 0;
}

/* ---- the domains behind the signs of a text ---- */

/* The dotted words at the front of s without empty ones, blanks round their dots left out, and blanks before them where
 * `loose`. */
static void domain_run(struct slice s, bool loose, struct buf *out)
{
    size_t i = 0;
    while (loose && i < s.n && is_blank(s.p[i]))
        i++;
    for (; i < s.n; i++) {
        const bool dot_before = out->n && out->p[out->n - 1] == '.';
        if (s.p[i] == '.' && (dot_before || !out->n))
            continue;
        if (lex_is_atext((unsigned char)s.p[i]) || s.p[i] == '.') {
            buf_addc(out, s.p[i]);
            continue;
        }
        size_t next = i;
        while (loose && next < s.n && is_blank(s.p[next]))
            next++;
        const bool dot_behind = next < s.n && s.p[next] == '.';
        if (next == i || !(dot_before || dot_behind))
            break;
        i = next - 1;
    }
    while (out->n && out->p[out->n - 1] == '.')
        buf_cut(out, out->n - 1);
}

/* Names longer than any domain are looked at no further. */
#define RUN_MAX (4 * LIMIT_DOMAIN)

/* True for a domain name; one label is nobody's. */
static bool take_domain(struct author_candidates *c, struct slice name)
{
    char kept[LIMIT_DOMAIN + 1];
    if (!name.n || domain_from_text(name, kept) != STATUS_OK || !strchr(kept, '.'))
        return false;
    c->found(c->context, kept);
    return true;
}

/* What stands before the first octet that no domain holds, as in "victim.example'". */
static struct slice domain_part(struct slice run)
{
    size_t n = 0;
    while (n < run.n &&
           (run.p[n] == '.' || (unsigned char)run.p[n] > 127 || domain_kept_octets[(unsigned char)run.p[n]]))
        n++;
    while (n && run.p[n - 1] == '.')
        n--;
    return slice_of(run.p, n);
}

static void read_signs(struct author_candidates *c, struct slice text, bool loose)
{
    struct buf run = BUF_INIT;
    for (size_t i = 0, sign; i < text.n; i += sign ? sign : 1) {
        sign = sign_at(slice_from(text, i));
        if (!sign)
            continue;
        c->any_sign = true;
        if (++c->signs > AUTHOR_SIGNS_MAX) {
            c->too_many = true;
            break;
        }
        struct slice rest = slice_from(text, i + sign);
        if (rest.n && rest.p[0] == '[')
            rest = slice_from(rest, 1);
        if (rest.n > RUN_MAX)
            rest.n = RUN_MAX;
        buf_reset(&run);
        domain_run(rest, loose, &run);
        if (!take_domain(c, buf_slice(&run)))
            take_domain(c, domain_part(buf_slice(&run)));
    }
    c->too_many |= run.failed;
    buf_release(&run);
}

/* ---- what a lenient reader makes of it ---- */

/* The end of the comment that begins at s.p[i] (RFC 5322 3.2.2), or i where none ends. */
static size_t comment_end(struct slice s, size_t i)
{
    int depth = 0;
    for (size_t k = i; k < s.n; k++) {
        if (s.p[k] == '\\')
            k++;
        else if (s.p[k] == '(')
            depth++;
        else if (s.p[k] == ')' && --depth == 0)
            return k + 1;
    }
    return i;
}

/* Without the comments that end; each leaves what `instead` says. One that does not end would be looked for again from
 * every parenthesis, so the first such one ends the search. */
static void without_comments(struct slice s, const char *instead, struct buf *out)
{
    bool search = true;
    for (size_t i = 0; i < s.n; i++) {
        size_t end = search && s.p[i] == '(' ? comment_end(s, i) : i;
        if (end > i) {
            buf_adds(out, instead);
            i = end - 1;
            continue;
        }
        search &= s.p[i] != '(';
        buf_addc(out, s.p[i]);
    }
}

/* Without quotes, backslashes and control octets; without octets above 127 unless `eight_bit`, except those that are
 * shown as "@". */
static void without_odd(struct slice s, bool eight_bit, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        size_t sign = sign_at(slice_from(s, i));
        if (sign) {
            buf_addc(out, '@');
            i += sign - 1;
        } else if (c == '\t') {
            buf_addc(out, ' ');
        } else if (c >= ' ' && c != 127 && c != '"' && c != '\\' && (c < 128 || eight_bit)) {
            buf_addc(out, (char)c);
        }
    }
}

/* Words shorter than this hold no address in base64: six octets. */
#define BASE64_WORD_MIN 8

/* ---- words that are base64, without the marks of RFC 2047 ---- */

static void read_base64(struct author_candidates *c, struct slice word)
{
    struct buf text = BUF_INIT;
    base64_decode(&text, word);
    if (text.n && memchr(text.p, '@', text.n))
        read_signs(c, buf_slice(&text), true);
    c->too_many |= text.failed;
    buf_release(&text);
}

/* Words are what stands between blanks and RFC 5322's specials. */
static void read_base64_words(struct author_candidates *c, struct slice s)
{
    for (size_t i = 0, begin = 0; i <= s.n; i++) {
        if (i < s.n && !strchr(" \t\r\n,;:<>()[]\"@\\", s.p[i]))
            continue;
        if (i - begin >= BASE64_WORD_MIN)
            read_base64(c, slice_of(s.p + begin, i - begin));
        begin = i + 1;
    }
}

/* Reads a decoded field leniently, with and without octets above 127. */
static void read_leniently(struct author_candidates *c, struct slice decoded)
{
    struct buf plain = BUF_INIT, text = BUF_INIT;
    without_comments(decoded, "", &plain);
    for (int eight_bit = 0; eight_bit <= 1; eight_bit++) {
        buf_reset(&text);
        without_odd(buf_slice(&plain), eight_bit, &text);
        read_signs(c, buf_slice(&text), true);
    }
    c->too_many |= plain.failed || text.failed;
    buf_release(&plain);
    buf_release(&text);
}

/* The field with its encoded words decoded, once and, where words come out of that, twice; and with all that looks like
 * the Q encoding decoded, as in a word that has no end. */
static void read_decoded(struct author_candidates *c, struct slice value)
{
    struct buf once = BUF_INIT, twice = BUF_INIT;
    encoded_word_decode_all(&once, value);
    read_leniently(c, buf_slice(&once));
    encoded_word_decode_all(&twice, buf_slice(&once));
    if (!slice_eq(buf_slice(&once), buf_slice(&twice)))
        read_leniently(c, buf_slice(&twice));
    c->too_many |= once.failed || twice.failed;
    if (value.n && memchr(value.p, '=', value.n)) {
        buf_reset(&once);
        encoded_word_decode_q(&once, value);
        read_leniently(c, buf_slice(&once));
        c->too_many |= once.failed;
    }
    buf_release(&once);
    buf_release(&twice);
}

void author_candidates_read(struct author_candidates *c, struct slice value)
{
    struct buf plain = BUF_INIT;
    without_comments(value, " ", &plain);
    read_signs(c, buf_slice(&plain), false);
    c->too_many |= plain.failed;
    buf_release(&plain);
    read_decoded(c, value);
    read_base64_words(c, value);
}

bool author_is_disguised(struct slice value)
{
    struct encoded_word w;
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c == 0 || c > 127 || (c == '\r' && (i + 1 >= value.n || value.p[i + 1] != '\n')) ||
            (c == '=' && encoded_word_read(slice_from(value, i), &w)))
            return true;
    }
    return false;
}
