// SPDX-License-Identifier: BSD-2-Clause
/*
 * dane_client.c - client certificates pinned in DNS.
 *
 * The kind of a digest follows from its length: 32 octets are SHA-256, 64 are SHA-512; MD5 and SHA-1, which old
 * configurations still give, prove nothing and are ignored. Promises PASS only for a digest equal to one in a
 * DNSSEC-secure, usable DANE-EE record. STATUS_NOMEM is the only failure.
 */
#include "standards/dane/dane_client.h"
#include "base/limits.h"
#include "standards/dane/dane_tlsa.h"

#define PREFIX "_smtp-client."

static char *owner_of(struct arena *a, const char *name)
{
    return arena_printf(a, PREFIX "%s", name);
}

void dane_client_start(struct dns_scope *scope, const char *name)
{
    char owner[sizeof PREFIX + LIMIT_DOMAIN];
    if (!name)
        return;
    snprintf(owner, sizeof owner, PREFIX "%s", name);
    dns_start(scope, owner, DNS_TLSA);
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Octets of a digest as an MTA writes it; 0: not known, or of a kind that proves nothing. */
static size_t read_digest(const char *text, unsigned char out[64])
{
    size_t n = 0;
    while (text && *text) {
        if (*text == ':') {
            text++;
            continue;
        }
        int high = hex_value(text[0]), low = high < 0 ? -1 : hex_value(text[1]);
        if (low < 0 || n == 64)
            return 0;
        out[n++] = (unsigned char)(high << 4 | low);
        text += 2;
    }
    return n == 32 || n == 64 ? n : 0;
}

struct digests {
    unsigned char octets[2][64]; /* by selector: certificate, public key */
    size_t n[2];
};

/* 1: matches; 0: comparable, and does not; -1: not comparable. */
static int record_compare(const struct dane_record *r, const struct digests *d)
{
    if (!r->usable || r->usage != DANE_EE || r->matching == DANE_FULL || r->selector > DANE_SPKI)
        return -1;
    size_t want = r->matching == DANE_SHA256 ? 32 : 64;
    if (d->n[r->selector] != want)
        return -1;
    return memcmp(d->octets[r->selector], r->data.p, want) == 0;
}

static void finding_say(struct dane_client_finding *out, enum result result, const char *reason)
{
    out->result = result;
    out->reason = reason;
}

static void client_judge(const struct dane_records *records, const struct dane_client_input *in,
                         struct dane_client_finding *out)
{
    struct digests d = {.n = {0}};
    bool comparable = false;
    d.n[0] = read_digest(in->cert, d.octets[0]);
    d.n[1] = read_digest(in->public_key, d.octets[1]);
    for (size_t i = 0; i < records->count; i++) {
        int c = record_compare(&records->record[i], &d);
        if (c == 1) {
            finding_say(out, RESULT_PASS, "its certificate is the one that its name's TLSA records promise");
            return;
        }
        comparable |= c == 0;
    }
    if (comparable)
        finding_say(out, RESULT_FAIL, "its certificate is not one that its name's TLSA records promise");
    else if (records->usable == 0)
        finding_say(out, RESULT_NONE, "its TLSA records cannot be used");
    else if (in->no_certificate)
        finding_say(out, RESULT_FAIL, "its name's TLSA records promise a certificate, and it showed none");
    else
        finding_say(out, RESULT_UNTESTED, "the MTA tells no digest that its TLSA records could be compared with");
}

enum status dane_client_check(struct dns_scope *scope, struct arena *arena, const struct dane_client_input *in,
                              struct dane_client_finding *out)
{
    *out = (struct dane_client_finding){
        .result = RESULT_NONE, .name = in->name, .reason = "no name", .security = DNS_UNKNOWN};
    if (!in->name)
        return STATUS_OK;
    const char *owner = owner_of(arena, in->name);
    if (!owner)
        return STATUS_NOMEM;
    const struct dns_answer *a = dns_get(scope, owner, DNS_TLSA);
    struct dane_records records;
    out->security = a->security;
    if (a->state == DNS_BOGUS)
        finding_say(out, RESULT_FAIL, "the TLSA records of its name are bogus");
    else if (a->state == DNS_TEMPFAIL)
        finding_say(out, RESULT_TEMPERROR, "the TLSA records of its name could not be looked up");
    else if (a->state != DNS_FOUND || a->security != DNS_SECURE)
        finding_say(out, RESULT_NONE,
                    a->state == DNS_FOUND ? "its TLSA records are not signed"
                                          : "its name has no TLSA records for clients");
    else if (dane_records_read(arena, a, &records) != STATUS_OK)
        return STATUS_NOMEM;
    else
        client_judge(&records, in, out);
    return STATUS_OK;
}
