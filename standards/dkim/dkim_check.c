// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_check.c - chooses which signatures of a message are read and verified, and verifies them (RFC 6376 section 6).
 *
 * Order of work. At the start every DKIM-Signature field is read up to d=, the DKIM_CHECK_LISTED first are kept, and
 * the ones to be tried are chosen: those that could align with From first (exactly its domain, then one within the
 * other, then a common suffix of two labels), so that many signatures of strangers cannot displace the one that
 * matters. Their keys are asked for at once and their body hashes announced. At the end each is judged separately: a
 * dead zone of one key does not affect the others.
 *
 * A signature's own verification is three steps that do not depend on each other (the header hash covers bh=, not the
 * body): the body hash, the header hash with the key, and what the rules allow. So a mailing list's footer shows as
 * header_hash_ok without body_hash_ok.
 *
 * Failure: memory alone. Everything lives in the caller's arena but OpenSSL's digests, which dkim_checker_free gives
 * back.
 */
#include "standards/dkim/dkim_check.h"
#include "base/clock.h"
#include "base/domain.h"
#include "standards/dkim/dkim_bodyhash.h"
#include "standards/dkim/dkim_checker.h"
#include "standards/dkim/dkim_engine.h"
#include "standards/dkim/dkim_fields.h"
#include "standards/dkim/dkim_proof.h"
#include "standards/message/header.h"

static const struct slice field_name = {"dkim-signature", 14};

/* How well a signature could align with From; smaller is better. Real alignment is DMARC's question; this only
 * orders. */
static unsigned rank_of(const char *domain, const char *from)
{
    if (!domain || !from)
        return 4;
    if (strcmp(domain, from) == 0)
        return 0;
    if (domain_is_within(from, domain) || domain_is_within(domain, from))
        return 1;
    return strcmp(domain_suffix(domain, 2), domain_suffix(from, 2)) == 0 ? 2 : 3;
}

/* Reads the fields, and keeps as many as are listed: all that could align, then the others from the top. */
static bool read_fields(struct dkim_checker *c, const char *from_domain)
{
    size_t listed = c->fields < DKIM_CHECK_LISTED ? c->fields : DKIM_CHECK_LISTED;
    c->one = ARENA_ARRAY(c->arena, struct dkim_one, listed);
    c->out = ARENA_ARRAY(c->arena, struct dkim_signature, listed);
    if (!c->one || !c->out)
        return false;
    unsigned nth = 0;
    for (size_t place = dkim_fields_top(c->index, field_name); place != SIZE_MAX;
         place = dkim_fields_below(c->index, place)) {
        struct dkim_one one = {.place = place, .nth = ++nth, .body = -1};
        dkim_sigfield_read(c->arena, SIGFIELD_DKIM, c->headers->fields[place].value, c->now, &one.field);
        one.rank = rank_of(one.field.domain, from_domain);
        if (c->count < listed) {
            c->one[c->count++] = one;
            continue;
        }
        /* Full: a stranger's, the lowest of the worst, makes room for one that may align better. */
        size_t worst = 0;
        for (size_t j = 1; j < c->count; j++)
            if (c->one[j].rank >= c->one[worst].rank)
                worst = j;
        if (one.rank >= c->one[worst].rank)
            continue;
        memmove(&c->one[worst], &c->one[worst + 1], (c->count - worst - 1) * sizeof *c->one);
        c->one[c->count - 1] = one;
    }
    return true;
}

/* Marks the ones to be tried, best rank first, top first within a rank; starts their keys and body hashes. */
static void signatures_choose(struct dkim_checker *c)
{
    unsigned tried = 0;
    for (unsigned rank = 0; rank <= 4 && !c->headers->over_limit; rank++)
        for (size_t i = 0; i < c->count && tried < DKIM_CHECK_SIGNATURES; i++) {
            struct dkim_one *one = &c->one[i];
            /* What is unusable whatever the key says costs nothing; expired ones are fetched for their report. */
            if (one->rank != rank || (one->field.problem != RESULT_PASS && one->field.problem != RESULT_POLICY))
                continue;
            one->tried = true;
            tried++;
            dkim_proof_start(c->dns, &one->field);
            one->body = dkim_bodyhash_want(c->bodies, one->field.relaxed_body, one->field.limited, one->field.limit);
        }
}

struct dkim_checker *dkim_checker_new(struct dns_scope *dns, struct arena *arena, const struct header_list *headers,
                                      const char *from_domain, const struct dkim_check_options *options)
{
    struct dkim_checker *c = ARENA_NEW(arena, struct dkim_checker);
    if (!c)
        return NULL;
    c->dns = dns;
    c->arena = arena;
    c->headers = headers;
    c->now = options && options->at ? options->at : clock_wall();
    c->ignore_testing = options && options->ignore_testing;
    c->index = dkim_fields_new(arena, headers);
    c->bodies = dkim_bodyhash_new(arena);
    if (!c->index || !c->bodies)
        return NULL;
    c->fields = dkim_fields_count(c->index, field_name);
    c->from_fields = header_count_seen(headers, "From");
    if (!read_fields(c, from_domain))
        return NULL;
    signatures_choose(c);
    c->engine = options ? options->engine : NULL;
    if (c->engine && c->count)
        c->library = c->engine->begin(c);
    if (arena_failed(arena))
        return dkim_checker_free(c);
    return c;
}

void dkim_checker_body(struct dkim_checker *c, struct slice chunk)
{
    dkim_bodyhash_add(c->bodies, chunk);
    if (c->library)
        c->engine->body(c->library, chunk);
}

static const char *canonicalization_of(const struct dkim_sigfield *f)
{
    static const char *const names[2][2] = {{"simple/simple", "simple/relaxed"}, {"relaxed/simple", "relaxed/relaxed"}};
    return f->names.p ? names[f->relaxed_header][f->relaxed_body] : "";
}

/* What the field says, before anything is tried. A header that was not read whole may hold a From that nobody
 * counted. */
static void describe(const struct dkim_checker *c, const struct dkim_one *one, struct dkim_signature *s)
{
    const struct dkim_sigfield *f = &one->field;
    *s = (struct dkim_signature){
        .result = f->problem,
        .reason = f->reason,
        .domain = f->domain,
        .selector = f->selector,
        .identity = f->identity,
        .algorithm = dkim_algorithm_name(f->algorithm),
        .canonicalization = canonicalization_of(f),
        .header_b = "",
        .tried = one->tried,
        .oversigned_from = f->from_names > c->from_fields,
        .signed_at = f->signed_at,
        .expires = f->expires,
        .field = one->nth,
    };
}

/* The body's part. Sets body_hash_ok and what l= leaves open. The words for what is wrong, or NULL. */
static const char *check_body(const struct dkim_checker *c, const struct dkim_one *one, struct dkim_signature *s,
                              bool *no_memory)
{
    uint8_t hash[DKIM_HASH_OCTETS];
    uint64_t total = 0;
    enum status status = dkim_bodyhash_get(c->bodies, one->body, hash, &total);
    *no_memory = status == STATUS_NOMEM;
    if (status == STATUS_INVALID)
        return "l= is more than the body has";
    if (status != STATUS_OK)
        return "out of memory";
    if (one->field.limited && total > one->field.limit) {
        s->body_partly_unsigned = true;
        s->unsigned_octets = total - one->field.limit;
    }
    s->body_hash_ok = memcmp(hash, one->field.body_hash, sizeof hash) == 0;
    return s->body_hash_ok ? NULL : "the body hash does not verify";
}

/* Verifies the header with the key. */
static void prove(struct dkim_checker *c, const struct dkim_one *one, struct dkim_signature *s,
                  struct dkim_proof *proof)
{
    uint8_t hash[DKIM_HASH_OCTETS];
    const struct dkim_sigfield *f = &one->field;
    struct dkim_fields_request r = {
        .names = f->names, .relaxed = f->relaxed_header, .self = one->place, .b_raw = f->b_raw};
    bool header_ok = false, body_ok = false;
    if (c->library && c->engine->verdict(c->library, (size_t)(one - c->one), &header_ok, &body_ok)) {
        s->body_hash_ok = s->body_hash_ok && (body_ok || !header_ok);
        dkim_proof_check(c->dns, c->arena, f, header_ok ? PROOF_KNOWN_GOOD : PROOF_KNOWN_BAD, NULL, proof);
    } else if (dkim_fields_hash(c->index, &r, hash) != STATUS_OK) {
        *proof = (struct dkim_proof){.result = RESULT_TEMPERROR, .reason = "out of memory"};
    } else {
        dkim_proof_check(c->dns, c->arena, f, PROOF_BY_HASH, hash, proof);
    }
}

/* The key's part. Without a second engine, whose word on the body is part of it, a result is kept for another run. */
static void check_header(struct dkim_checker *c, struct dkim_one *one, struct dkim_signature *s,
                         struct dkim_proof *proof)
{
    const struct dkim_sigfield *f = &one->field;

    if (one->proved)
        *proof = one->proof;
    else
        prove(c, one, s, proof);
    one->proved = !c->library && proof->result != RESULT_TEMPERROR;
    one->proof = *proof;
    s->key_asked = proof->asked;
    s->key_state = proof->key_state;
    s->security = proof->security;
    s->limit = proof->limit;
    s->key_bits = proof->bits;
    s->testing = proof->testing;
    s->header_hash_ok = proof->verified;
    s->weak_key = proof->bits && f->algorithm == ALGORITHM_RSA_SHA256 && proof->bits < DKIM_CHECK_RSA_BITS_WEAK;
}

static void signature_result(struct dkim_signature *s, enum result r, const char *reason)
{
    s->result = r;
    s->reason = reason;
}

/* Why a signature does not count although it verifies (`policy`), or NULL. */
static const char *rule_against(const struct dkim_checker *c, const struct dkim_one *one,
                                const struct dkim_signature *s, const struct dkim_proof *proof)
{
    if (proof->result == RESULT_POLICY)
        return proof->reason;
    if (s->result != RESULT_PASS)
        return s->reason; /* expired, or signed in the future */
    if (one->field.from_names < c->from_fields)
        return "the message has a From field that is not signed";
    if (s->body_partly_unsigned)
        return "l= leaves a part of the body unsigned";
    if (s->testing && c->ignore_testing)
        return "the key is for testing only (t=y), and dkim.testing-keys is ignore";
    return NULL;
}

/* One signature. What weighs more comes first: a problem of the key or the hashes says more than an expiry. */
static void judge_whole(struct dkim_checker *c, struct dkim_one *one, struct dkim_signature *s)
{
    struct dkim_proof proof = {0};
    bool no_memory = false;
    describe(c, one, s);
    _Static_assert(DKIM_CHECK_SIGNATURES == 16, "the reason below says so");
    if (!one->tried) {
        bool large = c->headers->over_limit;
        if (s->result == RESULT_PASS || s->result == RESULT_POLICY)
            signature_result(s, large ? RESULT_NEUTRAL : RESULT_POLICY,
                             large ? "not tried: the header section is larger than what we read"
                                   : "not verified: more than 16 signatures");
        return;
    }
    const char *body_problem = check_body(c, one, s, &no_memory);
    check_header(c, one, s, &proof);
    if (proof.result != RESULT_PASS && proof.result != RESULT_POLICY) {
        signature_result(s, proof.result, proof.reason);
        return;
    }
    if (!body_problem && !s->body_hash_ok)
        body_problem = "the body hash does not verify";
    const char *against = rule_against(c, one, s, &proof);
    if (body_problem) {
        s->only_body_changed = !no_memory && !against;
        signature_result(s, no_memory ? RESULT_TEMPERROR : RESULT_FAIL, body_problem);
        return;
    }
    if (against) {
        signature_result(s, RESULT_POLICY, against);
        return;
    }
    s->counts = true;
    if (s->testing)
        s->reason = "testing key (t=y)";
    else if (s->weak_key)
        s->reason = "the RSA key has fewer than 2048 bits";
}

/* RFC 6376 3.6.1: a message signed in testing is not treated worse than an unsigned one, even should the signature
 * fail. */
static void signature_judge(struct dkim_checker *c, struct dkim_one *one, struct dkim_signature *s)
{
    judge_whole(c, one, s);
    if (!s->testing || s->result != RESULT_FAIL)
        return;
    const char *text = arena_printf(c->arena, "%s; its key is for testing (t=y), so it is as no signature", s->reason);
    signature_result(s, RESULT_NEUTRAL, text ? text : "a testing key (t=y)");
    s->header_hash_ok = s->only_body_changed = false;
}

/* The characters of b= that tell this signature from the others (RFC 6008 section 3: at least eight, white space
 * aside). */
static bool name_by_b(struct dkim_checker *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct slice b = c->one[i].field.b_text;
        char *text = arena_alloc(c->arena, b.n + 1);
        size_t n = 0;
        if (!text)
            return false;
        for (size_t j = 0; j < b.n; j++)
            if (b.p[j] != ' ' && b.p[j] != '\t' && b.p[j] != '\r' && b.p[j] != '\n')
                text[n++] = b.p[j] > 0x20 && b.p[j] < 0x7f ? b.p[j] : '?';
        c->out[i].header_b = text;
    }
    for (size_t i = 0; i < c->count; i++) {
        size_t needed = 8;
        for (size_t j = 0; j < c->count; j++) {
            const char *a = c->out[i].header_b, *b = c->out[j].header_b;
            size_t same = 0;
            while (i != j && a[same] && a[same] == b[same])
                same++;
            if (i != j && same + 1 > needed)
                needed = same + 1;
        }
        c->one[i].b_length = needed;
    }
    for (size_t i = 0; i < c->count; i++) {
        struct slice b = slice_str(c->out[i].header_b);
        c->out[i].header_b = arena_copy(c->arena, b.p, b.n < c->one[i].b_length ? b.n : c->one[i].b_length);
        if (!c->out[i].header_b)
            return false;
    }
    return true;
}

enum status dkim_checker_end(struct dkim_checker *c, const struct dkim_signature **out, size_t *count)
{
    *out = NULL;
    *count = 0;
    dkim_bodyhash_end(c->bodies);
    if (c->library && !c->library_ended)
        c->engine->end(c->library);
    c->library_ended = true;
    for (size_t i = 0; i < c->count; i++)
        signature_judge(c, &c->one[i], &c->out[i]);
    if (!name_by_b(c))
        return STATUS_NOMEM;
    *out = c->out;
    *count = c->count;
    return STATUS_OK;
}

size_t dkim_checker_fields(const struct dkim_checker *c)
{
    return c->fields;
}

struct dkim_checker *dkim_checker_free(struct dkim_checker *c)
{
    if (c) {
        c->bodies = dkim_bodyhash_free(c->bodies);
        if (c->library)
            c->library = c->engine->free(c->library);
    }
    return NULL;
}
