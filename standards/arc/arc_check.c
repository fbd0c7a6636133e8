// SPDX-License-Identifier: BSD-2-Clause
/*
 * arc_check.c - verifies an ARC chain (RFC 8617 5.2, steps 4 to 6) and reports what its sets say.
 *
 * The newest message signature must hold, and every seal from the newest to the first; older message signatures usually
 * do not hold any more (that is what ARC is for) and only show since which hop nothing was changed (oldest-pass).
 *
 * A permanent defect is fail and overrides everything; a key that could not be fetched now is temperror, and only if
 * there was no other defect. A set that was not checked says none, so that nothing unverified looks verified.
 *
 * The cost is bounded: 50 sets, each field hashed as often as there are seals above it, the body's hashes shared with
 * DKIM (dkim_bodyhash.h), keys by the scope's budget. Early questions to DNS stop at EARLY_KEYS, so that a long chain
 * of strangers cannot use up what DMARC needs.
 */
#include "standards/arc/arc_check.h"
#include "base/clock.h"
#include "standards/arc/arc_checker.h"
#include "standards/arc/arc_results.h"
#include "standards/dkim/dkim_proof.h"
#include "standards/message/header.h"

#define EARLY_KEYS 12

/* Asks for the keys that the outcome needs, newest first: message signature, then the seals. */
static void start_keys(struct arc_checker *c)
{
    size_t n = c->chain.count;
    dkim_proof_start(c->dns, &c->chain.links[n - 1].message);
    for (size_t i = n; i-- > 0 && n - i < EARLY_KEYS;)
        dkim_proof_start(c->dns, &c->chain.links[i].seal);
}

static bool want_bodies(struct arc_checker *c)
{
    c->body = arena_array(c->arena, c->chain.count, sizeof *c->body);
    if (!c->body)
        return false;
    for (size_t i = 0; i < c->chain.count; i++) {
        const struct dkim_sigfield *m = &c->chain.links[i].message;
        c->body[i][0] = c->body[i][1] = -1;
        if (m->problem == RESULT_PASS)
            c->body[i][0] = dkim_bodyhash_want(c->bodies, m->relaxed_body, m->limited, m->limit);
        if (m->problem == RESULT_PASS && !m->canonicalization_given)
            c->body[i][1] = dkim_bodyhash_want(c->bodies, true, m->limited, m->limit);
    }
    return true;
}

/* Allocates the finding's sets as soon as the chain is known. */
static bool prepare_sets(struct arc_checker *c)
{
    size_t n = c->chain.count;
    c->sets = ARENA_ARRAY(c->arena, struct arc_set, n);
    c->sealers = ARENA_ARRAY(c->arena, const char *, n);
    if (!c->sets || !c->sealers)
        return false;
    for (size_t i = 0; c->chain.links && i < n; i++) {
        const struct arc_link *link = &c->chain.links[n - 1 - i];
        struct arc_set *set = &c->sets[i];
        set->instance = (unsigned)(n - i);
        set->sealer = c->sealers[i] = link->seal.domain;
        set->selector = link->seal.selector;
        set->signer = link->message.domain;
        set->cv = link->seal.cv == RESULT_COUNT ? RESULT_NONE : link->seal.cv;
        set->aar = link->aar;
        arc_results_read(c->arena, set);
    }
    return true;
}

struct arc_checker *arc_checker_new(struct dns_scope *dns, struct arena *arena, const struct header_list *headers,
                                    const struct arc_check_options *options)
{
    struct dkim_checker *shared = options ? options->body_of : NULL;
    struct arc_checker *c = ARENA_NEW(arena, struct arc_checker);
    if (!c)
        return NULL;
    c->dns = dns;
    c->arena = arena;
    c->headers = headers;
    c->index = shared ? shared->index : dkim_fields_new(arena, headers);
    c->bodies = shared ? shared->bodies : dkim_bodyhash_new(arena);
    c->own_bodies = !shared;
    c->from_fields = header_count_seen(headers, "From");
    time_t now = options && options->at ? options->at : clock_wall();
    if (!c->index || !c->bodies || arc_chain_read(arena, headers, c->index, now, &c->chain) != STATUS_OK)
        return arc_checker_free(c);
    if (headers->over_limit && c->chain.count)
        c->chain.defect = "the header section is larger than what we read";
    if (!prepare_sets(c))
        return arc_checker_free(c);
    if (c->chain.count && !c->chain.defect) {
        if (!want_bodies(c))
            return arc_checker_free(c);
        start_keys(c);
    }
    return c;
}

void arc_checker_body(struct arc_checker *c, struct slice chunk)
{
    if (c->own_bodies)
        dkim_bodyhash_add(c->bodies, chunk);
}

/* Keeps the worst outcome: fail before temperror before pass. Anything that is neither pass nor temporary is a failure
 * to ARC. */
static enum result weigh(struct arc_checker *c, struct arc_finding *out, const struct dkim_proof *proof,
                         unsigned instance, const char *what)
{
    enum result mine = proof->result == RESULT_PASS || proof->result == RESULT_TEMPERROR ? proof->result : RESULT_FAIL;
    if (mine == RESULT_PASS || out->result == RESULT_FAIL || out->result == mine)
        return mine;
    const char *text = arena_printf(c->arena, "%s i=%u: %s", what, instance, proof->reason);
    out->result = mine;
    out->reason = text ? text : proof->reason;
    return mine;
}

/* The worst of the answers that were used. */
static void note_security(struct arc_checker *c, struct arc_finding *out, const struct dkim_proof *proof)
{
    static const int rank[] = {[DNS_BROKEN] = 0, [DNS_UNKNOWN] = 1, [DNS_INSECURE] = 2, [DNS_SECURE] = 3};
    if (!proof->asked)
        return;
    if (!c->key_seen || rank[proof->security] < rank[out->security])
        out->security = proof->security;
    c->key_seen = true;
}

static void proof_result(struct dkim_proof *proof, enum result r, const char *reason)
{
    proof->result = r;
    proof->reason = reason;
}

/* The message signature of links[i] as if it said this c=: the body, then the header and its key. */
static void check_message_as(struct arc_checker *c, size_t i, bool relaxed_header, int body, struct dkim_proof *proof,
                             bool *body_partly_unsigned)
{
    uint8_t hash[DKIM_HASH_OCTETS];
    uint64_t total = 0;
    const struct arc_link *link = &c->chain.links[i];
    const struct dkim_sigfield *m = &link->message;
    enum status status = dkim_bodyhash_get(c->bodies, body, hash, &total);
    if (status == STATUS_NOMEM) {
        proof_result(proof, RESULT_TEMPERROR, "out of memory");
        return;
    }
    *body_partly_unsigned = m->limited && total > m->limit;
    if (status != STATUS_OK || memcmp(hash, m->body_hash, sizeof hash) != 0) {
        proof_result(proof, RESULT_FAIL, "the body hash does not verify");
        return;
    }
    struct dkim_fields_request r = {
        .names = m->names, .relaxed = relaxed_header, .self = link->message_place, .b_raw = m->b_raw};
    if (dkim_fields_hash(c->index, &r, hash) != STATUS_OK)
        proof_result(proof, RESULT_TEMPERROR, "out of memory");
    else
        dkim_proof_check(c->dns, c->arena, m, PROOF_BY_HASH, hash, proof);
}

/* The message signature of links[i]. Without c= it is simple/simple, by RFC 8617 4.1.2 and RFC 6376 3.5; the sealers
 * behind the public ARC suite took it for relaxed/relaxed (its case ams_fields_c_na), so that is tried where the
 * first does not hold. */
static void check_message(struct arc_checker *c, size_t i, struct dkim_proof *proof, bool *body_partly_unsigned)
{
    const struct dkim_sigfield *m = &c->chain.links[i].message;
    *proof = (struct dkim_proof){.reason = ""};
    if (m->problem != RESULT_PASS) {
        proof_result(proof, m->problem, m->reason);
        return;
    }
    check_message_as(c, i, m->relaxed_header, c->body[i][0], proof, body_partly_unsigned);
    if (proof->result == RESULT_FAIL && !m->canonicalization_given)
        check_message_as(c, i, true, c->body[i][1], proof, body_partly_unsigned);
}

/* The seal of links[i]: over all sets up to its own, oldest first, each as AAR, message signature, seal (RFC 8617
 * 5.1.1). */
static void check_seal(struct arc_checker *c, size_t i, struct dkim_proof *proof)
{
    uint8_t hash[DKIM_HASH_OCTETS];
    size_t places[ARC_CHECK_SETS * 3], n = 0;
    const struct dkim_sigfield *s = &c->chain.links[i].seal;
    *proof = (struct dkim_proof){.reason = ""};
    if (s->problem != RESULT_PASS) {
        proof_result(proof, s->problem, s->reason);
        return;
    }
    for (size_t j = 0; j <= i; j++) {
        places[n++] = c->chain.links[j].aar_place;
        places[n++] = c->chain.links[j].message_place;
        places[n++] = c->chain.links[j].seal_place;
    }
    if (dkim_fields_seal_hash(c->index, places, n, NULL, 0, s->b_raw, hash) != STATUS_OK)
        proof_result(proof, RESULT_TEMPERROR, "out of memory");
    else
        dkim_proof_check(c->dns, c->arena, s, PROOF_BY_HASH, hash, proof);
}

/* Step 4, and step 6 for every seal. All are checked, so that a permanent defect is found after a temporary one. */
static void check_chain(struct arc_checker *c, struct arc_finding *out)
{
    size_t n = c->chain.count;
    struct dkim_proof proof;
    out->result = RESULT_PASS;
    check_message(c, n - 1, &proof, &out->body_partly_unsigned);
    note_security(c, out, &proof);
    c->sets[0].message = weigh(c, out, &proof, (unsigned)n, "message signature");
    for (size_t i = n; i-- > 0 && out->result != RESULT_FAIL;) {
        check_seal(c, i, &proof);
        note_security(c, out, &proof);
        c->sets[n - 1 - i].key_bits = proof.bits;
        c->sets[n - 1 - i].seal = weigh(c, out, &proof, (unsigned)i + 1, "seal");
    }
}

/* Tells whether a message signature that holds binds what a reader sees: every From field, and the body to its end. The
 * public suite lets h= leave out From. */
static bool binds(const struct arc_checker *c, size_t i, bool body_partly_unsigned)
{
    const struct dkim_sigfield *m = &c->chain.links[i].message;
    return !body_partly_unsigned && m->from_names > 0 && m->from_names >= c->from_fields;
}

/* Step 5: how far down the message signatures hold without a break. One that does not bind the message breaks it
 * too: anybody may have changed what it leaves open. */
static void find_oldest_pass(struct arc_checker *c, struct arc_finding *out)
{
    size_t n = c->chain.count;
    for (size_t i = n - 1; i-- > 0;) {
        struct dkim_proof proof;
        bool partly = false;
        check_message(c, i, &proof, &partly);
        struct arc_set *set = &c->sets[n - 1 - i];
        set->message = proof.result == RESULT_PASS || proof.result == RESULT_TEMPERROR ? proof.result : RESULT_FAIL;
        if (set->message != RESULT_PASS || !binds(c, i, partly)) {
            out->oldest_pass = (unsigned)i + 2;
            return;
        }
    }
}

enum status arc_checker_end(struct arc_checker *c, struct arc_finding *out)
{
    *out = (struct arc_finding){.result = RESULT_NONE, .reason = "", .security = DNS_UNKNOWN};
    if (!c->chain.count && !c->chain.defect)
        return STATUS_OK;
    dkim_bodyhash_end(c->bodies);
    c->key_seen = false;
    for (size_t i = 0; i < c->chain.count; i++)
        c->sets[i].message = c->sets[i].seal = RESULT_NONE;
    out->instance_count = (unsigned)c->chain.count;
    out->sealers = c->sealers;
    out->sets = c->chain.readable ? c->sets : NULL;
    if (c->chain.defect) {
        out->result = RESULT_FAIL;
        out->reason = c->chain.defect;
        return STATUS_OK;
    }
    check_chain(c, out);
    if (out->result == RESULT_PASS)
        find_oldest_pass(c, out);
    out->counts = out->result == RESULT_PASS && binds(c, c->chain.count - 1, out->body_partly_unsigned);
    if (out->result == RESULT_PASS && !out->counts)
        out->reason =
            out->body_partly_unsigned ? "l= leaves a part of the body unsigned" : "a From field is not signed";
    if (!arena_failed(c->arena))
        return STATUS_OK;
    out->result = RESULT_TEMPERROR;
    out->reason = "out of memory";
    out->counts = false;
    return STATUS_NOMEM;
}

struct arc_checker *arc_checker_free(struct arc_checker *c)
{
    if (c && c->own_bodies)
        c->bodies = dkim_bodyhash_free(c->bodies);
    return NULL;
}
