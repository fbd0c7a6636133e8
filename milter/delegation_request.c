// SPDX-License-Identifier: BSD-2-Clause
/*
 * delegation_request.c - reads what Postfix tells a policy service.
 *
 * Postfix passes on text that strangers wrote (HELO, sender, names in certificates). So a value is kept only if it has
 * the form it must have (an address, a port, hex digits and colons), and no text of a client is kept. On failure *out
 * holds what was read so far, and must not be used.
 */
#include "milter/delegation_request.h"

static bool is_digest(struct slice v)
{
    for (size_t i = 0; i < v.n; i++)
        if (!strchr("0123456789abcdefABCDEF:", v.p[i]) || v.p[i] == '\0')
            return false;
    return v.n < DELEGATION_DIGEST;
}

static void read_digest(struct slice value, char out[DELEGATION_DIGEST])
{
    size_t n = is_digest(value) ? value.n : 0;
    if (n)
        memcpy(out, value.p, n);
    out[n] = '\0';
}

static unsigned read_port(struct slice v)
{
    unsigned n = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9' || n > 65535)
            return 0;
        n = n * 10 + (unsigned)(v.p[i] - '0');
    }
    return n <= 65535 ? n : 0;
}

static void read_attribute(struct delegation_request *r, struct slice name, struct slice value, bool *is_request)
{
    if (slice_eq(name, SLICE_LIT("request")))
        *is_request = slice_eq(value, SLICE_LIT("smtpd_access_policy"));
    else if (slice_eq(name, SLICE_LIT("client_address")) && ip_from_text(value, &r->client) != STATUS_OK)
        r->client.family = 0;
    else if (slice_eq(name, SLICE_LIT("client_port")))
        r->port = read_port(value);
    else if (slice_eq(name, SLICE_LIT("ccert_fingerprint")))
        read_digest(value, r->cert);
    else if (slice_eq(name, SLICE_LIT("ccert_pubkey_fingerprint")))
        read_digest(value, r->public_key);
}

bool delegation_request_read(struct slice text, struct delegation_request *out)
{
    bool is_request = false;

    *out = (struct delegation_request){.port = 0};
    while (text.n) {
        const char *nl = memchr(text.p, '\n', text.n);
        const char *equals = nl ? memchr(text.p, '=', (size_t)(nl - text.p)) : NULL;
        if (!equals)
            return false;
        struct slice name = slice_of(text.p, (size_t)(equals - text.p)),
                     value = slice_of(equals + 1, (size_t)(nl - equals - 1));
        read_attribute(out, name, value, &is_request);
        text = slice_from(text, (size_t)(nl - text.p) + 1);
    }
    return is_request;
}
