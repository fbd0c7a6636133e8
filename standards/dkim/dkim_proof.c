// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_proof.c - fetches a signature's key, checks whether it may be used for it, and verifies the signature.
 *
 * DNS states stay apart (RFC 6376 6.1.2): no such name and no data are permanent ("no key"); a time-out, SERVFAIL and a
 * bogus answer are temporary, for this signature alone. A CNAME or DNAME on the way is the resolver's business: the
 * answer holds TXT data only.
 *
 * Of a key record must hold: k= fits a= (RFC 8463 3), h= has sha256, s= has email or *, p= is not empty, and with t=s
 * the domain of i= is d= itself. RSA keys under 1024 bits never verify anything (RFC 8301 3.2); their signatures are
 * still checked, so that the report can distinguish a weak key from a forgery.
 *
 * Records and keys are read once for each DNS answer, and kept with it (dns_parsed.h).
 */
#include "standards/dkim/dkim_proof.h"
#include "dns/dns_parsed.h"
#include "standards/dkim/dkim_check.h"
#include "standards/dkim/dkim_keyrec.h"

void dkim_proof_start(struct dns_scope *dns, const struct dkim_sigfield *f)
{
    char name[LIMIT_DOMAIN + 1];
    if (f->domain && f->selector && dkim_keyrec_name(f->selector, f->domain, name))
        dns_start(dns, name, DNS_TXT);
}

static bool proof_result(struct dkim_proof *out, enum result r, const char *reason)
{
    out->result = r;
    out->reason = reason;
    return false;
}

/* Tells whether this record may be used for this signature at all. */
static bool fits(const struct dkim_sigfield *f, const struct dkim_keyrec *k, struct dkim_proof *out)
{
    enum dkim_key_type wanted = f->algorithm == ALGORITHM_ED25519_SHA256 ? KEY_ED25519 : KEY_RSA;
    if (k->revoked)
        return proof_result(out, RESULT_PERMERROR, "the key is revoked");
    if (!k->type_known || k->type != wanted)
        return proof_result(out, RESULT_PERMERROR, "the key is of another type than a= says");
    if (!k->sha256)
        return proof_result(out, RESULT_PERMERROR, "the key is not for SHA-256 (h= of the key)");
    if (!k->email)
        return proof_result(out, RESULT_PERMERROR, "the key is not for e-mail (s= of the key)");
    if (k->strict && f->kind == SIGFIELD_DKIM && f->identity_domain && strcmp(f->identity_domain, f->domain) != 0)
        return proof_result(out, RESULT_PERMERROR, "the key asks for i= to be of d= itself (t=s)");
    return true;
}

/* A key record of an answer, read. */
struct kept_key {
    enum status status; /* of the record */
    const char *reason;
    struct dkim_keyrec record;
    enum status key_status; /* of the key in it, if the record could be used */
    const char *key_reason;
    struct dkim_pubkey *key;
};

struct kept_keys {
    size_t count;
    struct kept_key of[DKIM_CHECK_KEYS];
};

/* False: out of memory, so that it must not be kept. */
static bool read_key(struct slice text, struct kept_key *k, size_t *outside)
{
    if (!text.p) {
        k->status = STATUS_INVALID;
        k->reason = "the key record is malformed";
        return true;
    }
    k->status = dkim_keyrec_read(text, &k->record, &k->reason);
    if (k->status != STATUS_OK || k->record.revoked || !k->record.type_known)
        return k->status != STATUS_NOMEM;
    k->key_status = dkim_pubkey_get(k->record.type, k->record.p, &k->key, &k->key_reason);
    *outside += dkim_pubkey_octets(k->key);
    return k->key_status != STATUS_NOMEM;
}

static void drop_keys(void *form)
{
    struct kept_keys *keys = form;
    for (size_t i = 0; i < keys->count; i++)
        keys->of[i].key = dkim_pubkey_release(keys->of[i].key);
}

static void *make_keys(struct arena *arena, const struct slice *texts, size_t count, size_t *outside)
{
    struct kept_keys *keys = ARENA_NEW(arena, struct kept_keys);
    while (keys && keys->count < count && keys->count < DKIM_CHECK_KEYS) {
        const size_t i = keys->count++;
        if (!read_key(texts[i], &keys->of[i], outside)) {
            drop_keys(keys);
            return NULL;
        }
    }
    return keys;
}

static const struct dns_form key_form = {make_keys, drop_keys};

/* One key record. True: it decided, no further one need be tried. */
static bool try_record(const struct kept_key *k, const struct dkim_sigfield *f, enum dkim_proof_by by,
                       const uint8_t hash[32], struct dkim_proof *out)
{
    if (k->status != STATUS_OK)
        return proof_result(out, RESULT_PERMERROR, k->reason);
    out->testing = k->record.testing;
    if (!fits(f, &k->record, out))
        return false;
    if (k->key_status != STATUS_OK)
        return proof_result(out, RESULT_PERMERROR, k->key_reason);
    out->bits = dkim_pubkey_bits(k->key);
    out->verified = by == PROOF_BY_HASH ? dkim_pubkey_verify(k->key, hash, f->signature, f->signature_size)
                                        : by == PROOF_KNOWN_GOOD;
    if (!out->verified)
        return proof_result(out, RESULT_FAIL, "the signature does not verify");
    proof_result(out, RESULT_PASS, "");
    if (k->record.type == KEY_RSA && out->bits < DKIM_CHECK_RSA_BITS_MIN)
        proof_result(out, RESULT_POLICY, "the RSA key has fewer than 1024 bits (RFC 8301 3.2)");
    return true;
}

/* What the state of the answer alone decides. True: go on with its records. */
static bool has_records(const struct dns_answer *a, struct arena *arena, struct dkim_proof *out)
{
    char *reason;
    switch (a->state) {
    case DNS_FOUND:
        return true;
    case DNS_NXDOMAIN:
    case DNS_NODATA:
        return proof_result(out, RESULT_PERMERROR, "no key");
    case DNS_BADNAME:
        return proof_result(out, RESULT_PERMERROR, "no key: its name is no domain name");
    case DNS_BOGUS:
        return proof_result(out, RESULT_TEMPERROR, "the key's DNS answer is bogus");
    case DNS_TEMPFAIL:
        break;
    }
    reason = arena_printf(arena, "the key could not be fetched%s%s", a->why ? ": " : "", a->why ? a->why : "");
    for (char *c = reason; c && *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    return proof_result(out, RESULT_TEMPERROR, reason ? reason : "the key could not be fetched");
}

void dkim_proof_check(struct dns_scope *dns, struct arena *arena, const struct dkim_sigfield *f, enum dkim_proof_by by,
                      const uint8_t hash[32], struct dkim_proof *out)
{
    char name[LIMIT_DOMAIN + 1];
    *out = (struct dkim_proof){.reason = ""};
    if (!dkim_keyrec_name(f->selector, f->domain, name)) {
        proof_result(out, RESULT_PERMERROR, "no key: its name would be too long");
        return;
    }
    const struct dns_answer *a = dns_get(dns, name, DNS_TXT);
    out->asked = true;
    out->key_state = a->state;
    out->security = a->security;
    out->limit = a->limit;
    if (!has_records(a, arena, out))
        return;
    const struct kept_keys *keys = dns_parsed(dns, a, &key_form);
    if (!keys) {
        proof_result(out, RESULT_TEMPERROR, "out of memory");
        return;
    }
    struct dkim_proof best = *out;
    best.result = RESULT_NONE;
    for (size_t i = 0; i < keys->count; i++) {
        struct dkim_proof one = *out;
        bool decided = try_record(&keys->of[i], f, by, hash, &one);
        /* A key that was tried says more than a record that could not be used. */
        if (decided || best.result != RESULT_FAIL)
            best = one;
        if (decided)
            break;
    }
    *out = best;
}
