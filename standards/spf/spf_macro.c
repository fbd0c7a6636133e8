// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_macro.c - macro-string and what it expands to (RFC 7208 sections 7.1 to 7.4).
 *
 * One reader (macro_read) serves the check and the expansion, so that exactly what was checked is expanded. Values
 * are octets from the sender: nothing here treats them as text with an end. The result is bounded; a name is cut from
 * the left by whole labels.
 */
#include "standards/spf/spf_macro.h"
#include "base/clock.h"
#include "base/limits.h"
#include "standards/spf/spf.h"

#define VALUE_MAX 4096 /* octets of one value: a local part and a domain are far below (limits.h) */

struct macro {
    char literal; /* of %% and %_; 0: none */
    bool space20; /* %- */
    char letter;  /* lower case; 0: no %{} */
    bool escaped; /* the letter was upper case */
    unsigned digits;
    bool has_digits, reverse;
    char delimiters[8];
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Tells whether set holds c; NUL is in no set. */
static bool in_set(const char *set, char c)
{
    return c && strchr(set, c);
}

/* transformers *delimiter "}" from s.p[i]; returns the length up to and with the brace, 0: malformed. */
static size_t read_transformers(struct slice s, size_t i, struct macro *m)
{
    for (; i < s.n && is_digit(s.p[i]); i++) {
        m->has_digits = true;
        if (m->digits <= VALUE_MAX)
            m->digits = m->digits * 10 + (unsigned)(s.p[i] - '0');
    }
    if (i < s.n && (s.p[i] == 'r' || s.p[i] == 'R')) {
        m->reverse = true;
        i++;
    }
    for (; i < s.n && in_set(".-+,/_=", s.p[i]); i++) {
        size_t n = strlen(m->delimiters);
        if (!in_set(m->delimiters, s.p[i]))
            m->delimiters[n] = s.p[i];
    }
    if (i >= s.n || s.p[i] != '}')
        return 0;
    if (!m->delimiters[0])
        m->delimiters[0] = '.';
    return i + 1;
}

/* The macro-expand that s begins with. Returns its length, 0: malformed. */
static size_t macro_read(struct slice s, struct macro *m)
{
    *m = (struct macro){0};
    if (s.n < 2)
        return 0;
    if (s.p[1] == '%' || s.p[1] == '_' || s.p[1] == '-') {
        m->literal = s.p[1] == '%' ? '%' : s.p[1] == '_' ? ' ' : 0;
        m->space20 = s.p[1] == '-';
        return 2;
    }
    if (s.p[1] != '{' || s.n < 4)
        return 0;
    char c = s.p[2];
    m->escaped = c >= 'A' && c <= 'Z';
    m->letter = m->escaped ? (char)(c - 'A' + 'a') : c;
    if (!in_set("slodiphvcrt", m->letter))
        return 0;
    return read_transformers(s, 3, m);
}

/* toplabel: letters, digits and inner hyphens, not all digits. */
static bool is_toplabel(struct slice s)
{
    bool other_than_digits = false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alnum(s.p[i]) && s.p[i] != '-')
            return false;
        other_than_digits |= !is_digit(s.p[i]);
    }
    return s.n && other_than_digits && s.p[0] != '-' && s.p[s.n - 1] != '-';
}

/* The octets behind the last macro-expand: domain-end = "." toplabel [ "." ], or nothing where a macro came before. */
static bool is_domain_end(struct slice tail, bool after_macro)
{
    if (tail.n == 0)
        return after_macro;
    if (tail.p[tail.n - 1] == '.')
        tail.n--;
    size_t dot = tail.n;
    while (dot && tail.p[dot - 1] != '.')
        dot--;
    return dot && is_toplabel(slice_from(tail, dot));
}

const char *spf_macro_check(struct slice text, enum spf_macro_use use)
{
    size_t tail = 0;
    for (size_t i = 0; i < text.n;) {
        char c = text.p[i];
        if (c != '%') {
            if ((c < 0x21 || c > 0x7e) && !(use == SPF_MACRO_EXPLANATION && c == ' '))
                return "an octet that is no visible ASCII character";
            i++;
            continue;
        }
        struct macro m;
        size_t n = macro_read(slice_from(text, i), &m);
        if (n == 0)
            return "a malformed macro";
        if (m.has_digits && m.digits == 0)
            return "a macro that keeps 0 parts";
        if (use == SPF_MACRO_DOMAIN && in_set("crt", m.letter))
            return "a macro letter for explanations only";
        i += n;
        tail = i;
    }
    if (use == SPF_MACRO_DOMAIN && !is_domain_end(slice_from(text, tail), tail > 0))
        return "the name does not end in a top-level domain";
    return NULL;
}

bool spf_macro_is_fixed(struct slice text)
{
    for (size_t i = 0; i < text.n;) {
        struct macro m;
        size_t n = text.p[i] == '%' ? macro_read(slice_from(text, i), &m) : 0;
        if (n && m.letter && !in_set("do", m.letter))
            return false;
        i += n ? n : 1;
    }
    return true;
}

/* i: the address with dots, an IPv6 one by its nibbles. */
static void add_dotted(const struct ip *ip, struct buf *out)
{
    char text[IP_TEXT];
    if (ip->family != 6) {
        buf_adds(out, ip_text(ip, text));
        return;
    }
    for (unsigned i = 0; i < 16; i++)
        buf_printf(out, "%s%X.%X", i ? "." : "", ip->octets[i] >> 4, ip->octets[i] & 15u);
}

static void add_value(char letter, const struct spf_macro_values *v, struct buf *out)
{
    char text[IP_TEXT];
    switch (letter) {
    case 's':
        buf_addslice(out, v->local);
        buf_addc(out, '@');
        buf_adds(out, v->sender_domain);
        break;
    case 'l':
        buf_addslice(out, v->local);
        break;
    case 'o':
        buf_adds(out, v->sender_domain);
        break;
    case 'd':
        buf_adds(out, v->domain);
        break;
    case 'i':
        add_dotted(&v->client, out);
        break;
    case 'p':
        buf_adds(out, v->validated ? v->validated(v->arg) : "unknown");
        break;
    case 'v':
        buf_adds(out, v->client.family == 6 ? "ip6" : "in-addr");
        break;
    case 'h':
        buf_adds(out, v->helo ? v->helo : "unknown");
        break;
    case 'c':
        buf_adds(out, ip_text(&v->client, text));
        break;
    case 'r':
        buf_adds(out, v->receiver ? v->receiver : "unknown");
        break;
    default:
        buf_printf(out, "%lld", (long long)clock_wall());
        break;
    }
}

static void add_part(struct slice part, bool escaped, struct buf *out)
{
    if (!escaped) {
        buf_addslice(out, part);
        return;
    }
    for (size_t i = 0; i < part.n; i++) {
        if (is_alnum(part.p[i]) || in_set("-._~", part.p[i]))
            buf_addc(out, part.p[i]);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)part.p[i]);
    }
}

/* Split at delimiters, reversed where asked for, the rightmost parts kept, joined with dots (7.3). */
static enum status add_transformed(struct slice value, const struct macro *m, struct buf *out)
{
    uint16_t start[VALUE_MAX + 2];
    size_t parts = 0;
    if (value.n > VALUE_MAX)
        return STATUS_LIMIT;
    start[parts++] = 0;
    for (size_t i = 0; i < value.n; i++)
        if (in_set(m->delimiters, value.p[i]))
            start[parts++] = (uint16_t)(i + 1);
    start[parts] = (uint16_t)(value.n + 1);

    size_t first = m->digits && m->digits < parts ? parts - m->digits : 0;
    for (size_t i = first; i < parts; i++) {
        size_t k = m->reverse ? parts - 1 - i : i;
        if (i > first)
            buf_addc(out, '.');
        add_part(slice_of(value.p + start[k], start[k + 1] - 1u - start[k]), m->escaped, out);
    }
    return STATUS_OK;
}

static enum status add_macro(const struct macro *m, const struct spf_macro_values *values, struct buf *out)
{
    struct buf value = BUF_INIT;
    if (m->literal)
        buf_addc(out, m->literal);
    if (m->space20)
        buf_adds(out, "%20");
    if (!m->letter)
        return STATUS_OK;
    add_value(m->letter, values, &value);
    enum status s = value.failed ? STATUS_NOMEM : add_transformed(buf_slice(&value), m, out);
    buf_release(&value);
    return s;
}

static size_t octets_before(struct slice s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

enum status spf_macro_expand(struct slice text, const struct spf_macro_values *values, struct buf *out)
{
    for (size_t i = 0; i < text.n;) {
        struct macro m;
        size_t n = octets_before(slice_from(text, i), '%');
        if (n) {
            buf_add(out, text.p + i, n);
        } else if ((n = macro_read(slice_from(text, i), &m))) {
            enum status s = add_macro(&m, values, out);
            if (s != STATUS_OK)
                return s;
        } else {
            n = 1;
            buf_addc(out, '%');
        }
        i += n;
        if (out->n > LIMIT_SPF_EXPANSION)
            return STATUS_LIMIT;
    }
    return out->failed ? STATUS_NOMEM : STATUS_OK;
}

/* Without a final dot; whole labels off the left until it fits (7.3). */
static struct slice cut_name(struct slice name)
{
    if (name.n && name.p[name.n - 1] == '.')
        name.n--;
    while (name.n > LIMIT_DOMAIN) {
        const char *dot = memchr(name.p, '.', name.n);
        if (!dot)
            break;
        name = slice_from(name, (size_t)(dot - name.p) + 1);
    }
    return name;
}

enum status spf_macro_domain(struct slice text, const struct spf_macro_values *values, struct buf *out)
{
    struct buf expanded = BUF_INIT;
    enum status s = spf_macro_expand(text, values, &expanded);
    struct slice name = cut_name(buf_slice(&expanded));
    const bool plain = octets_before(name, '\0') == name.n && octets_before(name, '\\') == name.n;
    if (s == STATUS_OK && plain)
        buf_addslice(out, name);
    for (size_t i = 0; s == STATUS_OK && !plain && i < name.n; i++) {
        if (name.p[i] == '\0' || name.p[i] == '\\')
            buf_printf(out, "\\%03u", (unsigned)(unsigned char)name.p[i]);
        else
            buf_addc(out, name.p[i]);
    }
    if (s == STATUS_OK && out->failed)
        s = STATUS_NOMEM;
    buf_release(&expanded);
    return s;
}
