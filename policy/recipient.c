// SPDX-License-Identifier: BSD-2-Clause
/*
 * recipient.c - see recipient.h. Hostile text: anything that is not a mailbox with a domain name is not a recipient;
 * nothing is guessed.
 */
#include "policy/recipient.h"
#include "base/domain.h"

/* The local part without quotes and backslashes, in lower case. Octets written; 0: too long or empty. */
static size_t plain_local(struct slice local, char out[KEYSET_KEY_MAX + 1])
{
    size_t n = 0;
    bool quoted = local.n >= 2 && local.p[0] == '"' && local.p[local.n - 1] == '"';
    if (quoted)
        local = slice_of(local.p + 1, local.n - 2);
    for (size_t i = 0; i < local.n; i++) {
        char c = local.p[i];
        if (quoted && c == '\\' && i + 1 < local.n)
            c = local.p[++i];
        if (n >= KEYSET_KEY_MAX || c == '@' || c == '\0')
            return 0;
        out[n++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return n;
}

static void add_form(struct recipient *r, struct slice local)
{
    size_t domain = strlen(r->domain);
    char *to = r->forms[r->form_count];
    if (local.n == 0 || local.n + 1 + domain > KEYSET_KEY_MAX)
        return;
    memcpy(to, local.p, local.n);
    to[local.n] = '@';
    memcpy(to + local.n + 1, r->domain, domain + 1);
    if (r->form_count == 0 || strcmp(r->forms[r->form_count - 1], to) != 0)
        r->form_count++;
}

/* Without a BATV tag: prvs=TAG=user. TAG is ten or so letters and digits. */
static struct slice without_tag(struct slice local)
{
    if (local.n < 8 || memcmp(local.p, "prvs=", 5) != 0)
        return local;
    const char *end = memchr(local.p + 5, '=', local.n - 5);
    size_t tag = end ? (size_t)(end - local.p) - 5 : 0;
    return end && tag >= 4 && tag <= 32 ? slice_from(local, tag + 6) : local;
}

/* The usual domain without libidn2: letters, digits, hyphens, underscores and dots, no A-label to check. false: it
 * needs the longer way. */
static bool plain_domain(struct slice s, char out[LIMIT_DOMAIN + 1])
{
    size_t label = 0, i = 0;
    if (s.n > LIMIT_DOMAIN)
        return false;
    for (; i < s.n; i++) {
        char c = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + ('a' - 'A') : s.p[i]);
        bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && label != 2) || c == '_';
        if (c == '.' ? label == 0 : !good || label == LIMIT_LABEL)
            return false;
        label = c == '.' ? 0 : label + 1;
        out[i] = c;
    }
    out[i] = '\0';
    return label > 0;
}

bool recipient_parse(const char *rcpt, bool forms, struct recipient *out)
{
    struct slice s = slice_trim(slice_str(rcpt));
    char local[KEYSET_KEY_MAX + 1];
    if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
        s = slice_of(s.p + 1, s.n - 2);
    const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL;
    out->form_count = 0;
    if (!at)
        return false;
    struct slice domain = slice_from(s, (size_t)(at - s.p) + 1);
    if (!plain_domain(domain, out->domain) && domain_from_text(domain, out->domain) != STATUS_OK)
        return false;
    if (!forms)
        return true;
    struct slice given = slice_of(local, plain_local(slice_of(s.p, (size_t)(at - s.p)), local));
    add_form(out, given);
    struct slice tagless = without_tag(given);
    add_form(out, tagless);
    const char *plus = tagless.n ? memchr(tagless.p, '+', tagless.n) : NULL;
    if (plus)
        add_form(out, slice_of(tagless.p, (size_t)(plus - tagless.p)));
    return true;
}
