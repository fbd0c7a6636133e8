// SPDX-License-Identifier: BSD-2-Clause
/*
 * dane_tlsa.c - a TLSA record's fields, whether mail can use it, and which of several digests counts.
 *
 * Usages 0 and 1 are unusable in SMTP: there is no list of authorities that all mail servers share (RFC 7672 3.1.3). An
 * invalid record (unknown usage, selector, matching type; a digest of the wrong length; data that is not a certificate
 * or key) is unusable, not an error: the others of the set still count (RFC 6698 4.1, RFC 7671 section 4). Fails only
 * because memory ran out.
 */
#include "standards/dane/dane_tlsa.h"
#include "base/buf.h"

/* Tells whether data is one DER SEQUENCE from its first octet to its last: what a certificate and a public key both are
 * (X.690 8.1, 8.9). */
static bool is_der_sequence(struct slice d)
{
    if (d.n < 4 || (unsigned char)d.p[0] != 0x30)
        return false;
    size_t length = (unsigned char)d.p[1], octets = 0;
    if (length & 0x80) {
        octets = length & 0x7f;
        length = 0;
        if (octets == 0 || octets > 3 || d.n < 2 + octets)
            return false;
        for (size_t i = 0; i < octets; i++)
            length = length << 8 | (unsigned char)d.p[2 + i];
    }
    return length == d.n - 2 - octets;
}

static const char *obstacle(const struct dane_record *r)
{
    if (r->usage == DANE_PKIX_TA || r->usage == DANE_PKIX_EE)
        return "usages 0 and 1 are not for mail (RFC 7672 3.1.3)";
    if (r->usage > DANE_EE)
        return "unknown usage";
    if (r->selector > DANE_SPKI)
        return "unknown selector";
    switch (r->matching) {
    case DANE_FULL:
        return is_der_sequence(r->data) ? NULL : "the data is no certificate or key";
    case DANE_SHA256:
        return r->data.n == 32 ? NULL : "a SHA-256 digest has 32 octets";
    case DANE_SHA512:
        return r->data.n == 64 ? NULL : "a SHA-512 digest has 64 octets";
    default:
        return "unknown matching type";
    }
}

static void read_record(struct slice rdata, struct dane_record *r)
{
    *r = (struct dane_record){.why = "shorter than a TLSA record can be"};
    if (rdata.n < 3)
        return;
    r->usage = (uint8_t)rdata.p[0];
    r->selector = (uint8_t)rdata.p[1];
    r->matching = (uint8_t)rdata.p[2];
    r->data = slice_from(rdata, 3);
    r->why = r->data.n ? obstacle(r) : "no data";
    r->usable = r->why == NULL;
}

/* RFC 7671 section 9: among digests of one usage and selector only the strongest counts; whole certificates and keys
 * always do. */
static void choose_digests(struct dane_records *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct dane_record *r = &s->record[i];
        r->used = r->usable;
        for (size_t k = 0; r->used && r->matching != DANE_FULL && k < s->count; k++) {
            const struct dane_record *o = &s->record[k];
            if (o->usable && o->usage == r->usage && o->selector == r->selector && o->matching > r->matching)
                r->used = false;
        }
    }
}

enum status dane_records_read(struct arena *arena, const struct dns_answer *a, struct dane_records *out)
{
    size_t n = a->count < LIMIT_DANE_RECORDS ? a->count : LIMIT_DANE_RECORDS;
    *out = (struct dane_records){0};
    if (a->type != DNS_TLSA || a->state != DNS_FOUND)
        return STATUS_OK;
    out->record = ARENA_ARRAY(arena, struct dane_record, n);
    if (!out->record)
        return STATUS_NOMEM;
    for (; out->count < n; out->count++) {
        read_record(a->rdata[out->count], &out->record[out->count]);
        out->usable += out->record[out->count].usable;
    }
    choose_digests(out);
    return STATUS_OK;
}

const char *dane_record_text(struct arena *arena, const struct dane_record *r, size_t octets)
{
    struct buf text = BUF_INIT;
    buf_printf(&text, "%u %u %u ", r->usage, r->selector, r->matching);
    for (size_t i = 0; i < r->data.n && (octets == 0 || i < octets); i++)
        buf_printf(&text, "%02x", (unsigned)(unsigned char)r->data.p[i]);
    if (octets && octets < r->data.n)
        buf_adds(&text, "...");
    const char *copy = text.failed ? NULL : arena_copy(arena, text.p, text.n);
    buf_release(&text);
    return copy;
}
