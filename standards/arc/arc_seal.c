// SPDX-License-Identifier: BSD-2-Clause
/*
 * arc_seal.c - makes one ARC set: results, message signature, seal, in that order (RFC 8617 5.1).
 *
 * cv= is what arc_check.c found: none if there was no chain, pass, or fail. A chain that failed is sealed by its newest
 * set alone (5.1.2), and one that says so itself gets nothing more. A chain that could not be verified now is not
 * sealed: any cv= would be a guess.
 *
 * Signed are the fields a reader sees and replies to, each as often as it is there, and From once more so that none can
 * be added unseen. Canonical forms are relaxed/relaxed: sealed mail goes through more hands. Failure: memory, which has
 * a status other than "not to be sealed".
 */
#include "standards/arc/arc_seal.h"
#include "base/clock.h"
#include "standards/arc/arc_checker.h"
#include "standards/dkim/dkim_signer.h"

#define AAR "ARC-Authentication-Results"
#define MESSAGE "ARC-Message-Signature"
#define SEAL "ARC-Seal"

enum status arc_seal_prepare(struct arc_checker *c)
{
    return dkim_bodyhash_want(c->bodies, true, false, 0) >= 0 ? STATUS_OK : STATUS_AGAIN;
}

/* Without a number that dkim_bodyhash_want gave out there is no hash. */
static const char *body_hash(struct arc_checker *c)
{
    uint8_t hash[DKIM_HASH_OCTETS];
    uint64_t total = 0;
    dkim_bodyhash_end(c->bodies);
    int number = dkim_bodyhash_want(c->bodies, true, false, 0);
    if (number < 0 || dkim_bodyhash_get(c->bodies, number, hash, &total) != STATUS_OK)
        return NULL;
    return dkim_privkey_base64(c->arena, hash, sizeof hash);
}

static const char *make_message(struct arc_checker *c, const struct arc_seal_request *r, unsigned instance, time_t at)
{
    const char *names = dkim_signer_names(c->arena, c->index), *bh = names ? body_hash(c) : NULL;
    if (!bh)
        return NULL;
    struct dkim_signer_request request = {.key = r->key, .field = SLICE_LIT(MESSAGE), .names = names};
    request.tags =
        arena_printf(c->arena, "i=%u; a=%s; c=relaxed/relaxed; d=%s; s=%s;\n\tt=%lld; h=%s;\n\tbh=%s;\n\tb=", instance,
                     dkim_privkey_algorithm(r->key), r->domain, r->selector, (long long)at, names, bh);
    return request.tags ? dkim_signer_sign(c->arena, c->index, &request) : NULL;
}

static const char *make_seal(struct arc_checker *c, const struct arc_seal_request *r, const struct arc_seal_set *set,
                             enum result cv, time_t at)
{
    size_t places[ARC_CHECK_SETS * 3], n = 0;
    uint8_t hash[DKIM_HASH_OCTETS];
    char *tags = arena_printf(c->arena, "i=%u; a=%s; cv=%s; d=%s; s=%s;\n\tt=%lld;\n\tb=", set->instance,
                              dkim_privkey_algorithm(r->key), result_name(cv), r->domain, r->selector, (long long)at);
    if (!tags)
        return NULL;
    for (size_t i = 0; cv == RESULT_PASS && i < c->chain.count; i++) {
        places[n++] = c->chain.links[i].aar_place;
        places[n++] = c->chain.links[i].message_place;
        places[n++] = c->chain.links[i].seal_place;
    }
    struct dkim_field_made made[3] = {{SLICE_LIT(AAR), slice_str(set->aar)},
                                      {SLICE_LIT(MESSAGE), slice_str(set->message)},
                                      {SLICE_LIT(SEAL), slice_str(tags)}};
    struct slice b_raw = slice_from(made[2].value, made[2].value.n);
    if (dkim_fields_seal_hash(c->index, places, n, made, 3, b_raw, hash) != STATUS_OK)
        return NULL;
    const char *b = dkim_privkey_sign(r->key, c->arena, hash);
    return b ? arena_printf(c->arena, "%s%s", tags, b) : NULL;
}

enum status arc_seal_make(struct arc_checker *c, const struct arc_finding *found, const struct arc_seal_request *r,
                          struct arc_seal_set *out)
{
    struct arc_seal_set set = {.instance = (unsigned)c->chain.count + 1};
    time_t at = r->at ? r->at : clock_wall();
    if (found->result == RESULT_TEMPERROR)
        return STATUS_AGAIN;
    bool sealed_as_failed =
        c->chain.count && c->chain.links && c->chain.links[c->chain.count - 1].seal.cv == RESULT_FAIL;
    if (set.instance > ARC_CHECK_SETS || sealed_as_failed || (found->result == RESULT_PASS && !c->chain.links))
        return STATUS_MISSING;
    set.aar = arena_printf(c->arena, "i=%u; %.*s", set.instance, SLICE_ARG(r->results));
    set.message = set.aar ? make_message(c, r, set.instance, at) : NULL;
    set.seal = set.message ? make_seal(c, r, &set, found->result, at) : NULL;
    if (!set.seal)
        return STATUS_NOMEM;
    *out = set;
    return STATUS_OK;
}
