// SPDX-License-Identifier: BSD-2-Clause
/*
 * domain.c - the one place where text becomes a domain name.
 *
 * ASCII text is only checked and lower-cased (characters, lengths); text with octets above 127 goes through libidn2
 * (IDNA 2008, RFC 5891, non-transitional) and then the same checks. Labels with "xn--" are checked to be real A-labels,
 * since a fake one shows a person another name than DNS sees. Fails with a status; never half-writes the result.
 */
#include "base/domain.h"
#include "base/utf8.h"
#include <idn2.h>
#include <stdlib.h>

/* A table, because the resolver does this for every octet of every name. */
const char domain_kept_octets[256] = {
    ['-'] = '-', ['_'] = '_', ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5',
    ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd',
    ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l',
    ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't',
    ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z', ['A'] = 'a', ['B'] = 'b',
    ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j',
    ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',
    ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z',
};

static bool is_kept_octet(char c)
{
    return c && domain_kept_octets[(unsigned char)c] == c;
}

/* Checks characters and label lengths of n octets without the final dot. */
static enum status check_kept(const char *s, size_t n)
{
    size_t label = 0; /* where it begins */
    if (n == 0)
        return STATUS_INVALID;
    if (n > LIMIT_DOMAIN)
        return STATUS_LIMIT;
    for (size_t i = 0; i <= n; i++) {
        while (i < n && is_kept_octet(s[i]))
            i++;
        if (i - label > LIMIT_LABEL)
            return STATUS_LIMIT;
        if (i == label || (i < n && s[i] != '.'))
            return STATUS_INVALID;
        label = i + 1;
    }
    return STATUS_OK;
}

static bool has_a_label(const char *s)
{
    return strncmp(s, "xn--", 4) == 0 || strstr(s, ".xn--") != NULL;
}

static enum status from_unicode(struct slice text, char out[LIMIT_DOMAIN + 1])
{
    char in[LIMIT_DOMAIN * 4 + 1];
    if (text.n >= sizeof in)
        return STATUS_LIMIT;
    memcpy(in, text.p, text.n);
    in[text.n] = '\0';
    char *ascii = NULL;
    int rc = idn2_to_ascii_8z(in, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc != IDN2_OK || !ascii) {
        idn2_free(ascii);
        return rc == IDN2_TOO_BIG_DOMAIN || rc == IDN2_TOO_BIG_LABEL ? STATUS_LIMIT : STATUS_INVALID;
    }
    size_t n = strlen(ascii);
    for (size_t i = 0; i < n; i++)
        if (ascii[i] >= 'A' && ascii[i] <= 'Z')
            ascii[i] = (char)(ascii[i] + ('a' - 'A'));
    if (n && ascii[n - 1] == '.')
        ascii[--n] = '\0';
    enum status s = check_kept(ascii, n);
    if (s == STATUS_OK)
        memcpy(out, ascii, n + 1);
    idn2_free(ascii);
    return s;
}

static bool is_visible(struct slice s)
{
    for (size_t len; s.n; s = slice_from(s, len)) {
        len = utf8_length(s);
        if (len == 0 || !utf8_is_visible(utf8_point(s)))
            return false;
    }
    return true;
}

/* An "xn--" label must decode, and to text that encodes to the same label: anything else is a fake A-label (RFC 5890
 * 2.3.2.1), which shows a person another name than DNS sees. Labels of characters that IDNA 2008 does not allow
 * (emoji) are names that exist; they pass, since they are only ever shown as the A-labels they are. */
static enum status check_a_labels(const char *kept)
{
    char *unicode = NULL, *back = NULL;
    int rc = idn2_to_unicode_8z8z(kept, &unicode, IDN2_NONTRANSITIONAL);
    bool real = rc == IDN2_DISALLOWED;
    if (rc == IDN2_OK && unicode && is_visible(slice_str(unicode))) {
        rc = idn2_to_ascii_8z(unicode, &back, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
        real = rc == IDN2_DISALLOWED || (rc == IDN2_OK && back && slice_eq_nocase(slice_str(back), slice_str(kept)));
    }
    idn2_free(back);
    idn2_free(unicode);
    return real ? STATUS_OK : STATUS_INVALID;
}

enum status domain_from_text(struct slice text, char out[LIMIT_DOMAIN + 1])
{
    char low[LIMIT_DOMAIN + 2];
    if (text.n && memchr(text.p, '\0', text.n))
        return STATUS_INVALID;
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] > 127)
            return from_unicode(text, out);
    if (text.n > LIMIT_DOMAIN + 1)
        return STATUS_LIMIT;
    size_t n = text.n;
    for (size_t i = 0; i < n; i++) {
        char c = text.p[i];
        low[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    if (n && low[n - 1] == '.')
        n--;
    low[n] = '\0';
    enum status s = check_kept(low, n);
    if (s == STATUS_OK && has_a_label(low))
        s = check_a_labels(low);
    if (s == STATUS_OK)
        memcpy(out, low, n + 1);
    return s;
}

bool domain_is_kept(const char *s)
{
    return s && check_kept(s, strlen(s)) == STATUS_OK;
}

bool domain_is_host(const char *kept)
{
    if (!domain_is_kept(kept) || strchr(kept, '_'))
        return false;
    for (const char *p = kept; *p; p++)
        if (*p == '-' && (p == kept || p[-1] == '.' || p[1] == '.' || p[1] == '\0'))
            return false;
    return true;
}

size_t domain_labels(const char *kept)
{
    size_t n = *kept ? 1 : 0;
    for (; *kept; kept++)
        n += *kept == '.';
    return n;
}

const char *domain_parent(const char *kept)
{
    const char *dot = strchr(kept, '.');
    return dot ? dot + 1 : NULL;
}

const char *domain_suffix(const char *kept, size_t count)
{
    size_t have = domain_labels(kept);
    for (; have > count; have--)
        kept = strchr(kept, '.') + 1;
    return kept;
}

bool domain_is_within(const char *name, const char *top)
{
    size_t n = strlen(name), t = strlen(top);
    if (n < t || memcmp(name + n - t, top, t) != 0)
        return false;
    return n == t || name[n - t - 1] == '.';
}

const char *domain_to_unicode(const char *kept, char *out, size_t size)
{
    char *unicode = NULL, back[LIMIT_DOMAIN + 1];
    const char *shown = kept;
    if (has_a_label(kept) && idn2_to_unicode_8z8z(kept, &unicode, IDN2_NONTRANSITIONAL) == IDN2_OK && unicode &&
        from_unicode(slice_str(unicode), back) == STATUS_OK && strcmp(back, kept) == 0 && strlen(unicode) < size)
        shown = unicode;
    size_t n = strlen(shown);
    if (size) {
        if (n >= size)
            n = size - 1;
        memcpy(out, shown, n);
        out[n] = '\0';
    }
    idn2_free(unicode);
    return out;
}
