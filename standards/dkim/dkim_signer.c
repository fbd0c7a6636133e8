// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_signer.c - chooses what is signed and signs it (RFC 6376 5.4.1: the fields that are the core of a message).
 *
 * A field that is there several times is named so often, at most REPEAT_MAX; Received, Return-Path and trace fields are
 * not signed, nor what changes on the way. Failure is NULL: memory, or that the message has no From.
 */
#include "standards/dkim/dkim_signer.h"
#include "base/buf.h"
#include "base/clock.h"
#include "standards/dkim/dkim_bodyhash.h"

#define REPEAT_MAX 10
#define LINE 60

static const char *const signed_names[] = {
    "from",        "reply-to",     "subject",          "date",
    "to",          "cc",           "message-id",       "in-reply-to",
    "references",  "mime-version", "content-type",     "content-transfer-encoding",
    "resent-from", "resent-to",    "resent-date",      "resent-cc",
    "list-id",     "list-help",    "list-unsubscribe", "list-unsubscribe-post",
    "list-post",   "list-archive", "dkim-signature",
};

const char *dkim_signer_names(struct arena *arena, const struct dkim_fields *fields)
{
    struct buf b = BUF_INIT;
    size_t line = 0;
    if (!dkim_fields_count(fields, SLICE_LIT("from")))
        return NULL;
    buf_adds(&b, "from");
    for (size_t i = 0; i < sizeof signed_names / sizeof *signed_names; i++) {
        size_t n = dkim_fields_count(fields, slice_str(signed_names[i]));
        for (size_t k = 0; k < n && k < REPEAT_MAX; k++) {
            if (b.n - line + strlen(signed_names[i]) > LINE) {
                buf_adds(&b, "\n\t");
                line = b.n;
            }
            buf_printf(&b, ":%s", signed_names[i]);
        }
    }
    const char *names = b.failed ? NULL : arena_strdup(arena, b.p);
    buf_release(&b);
    return names;
}

const char *dkim_signer_sign(struct arena *arena, struct dkim_fields *fields, const struct dkim_signer_request *r)
{
    uint8_t hash[DKIM_HASH_OCTETS];
    struct slice value = slice_str(r->tags);
    struct dkim_fields_request request = {.names = slice_str(r->names),
                                          .relaxed = true,
                                          .self = SIZE_MAX,
                                          .own_name = r->field,
                                          .own_value = value,
                                          .b_raw = slice_from(value, value.n)};
    if (dkim_fields_hash(fields, &request, hash) != STATUS_OK)
        return NULL;
    const char *b = dkim_privkey_sign(r->key, arena, hash);
    return b ? arena_printf(arena, "%s%s", r->tags, b) : NULL;
}

static const char *hash_of_body(struct arena *arena, struct slice body)
{
    uint8_t hash[DKIM_HASH_OCTETS];
    uint64_t total = 0;
    struct dkim_bodyhash *b = dkim_bodyhash_new(arena);
    int number = b ? dkim_bodyhash_want(b, true, false, 0) : -1;
    const char *text = NULL;
    if (number >= 0) {
        dkim_bodyhash_add(b, body);
        dkim_bodyhash_end(b);
        if (dkim_bodyhash_get(b, number, hash, &total) == STATUS_OK)
            text = dkim_privkey_base64(arena, hash, sizeof hash);
    }
    dkim_bodyhash_free(b);
    return text;
}

const char *dkim_signer_field(struct arena *arena, const struct header_list *headers, struct slice body,
                              const struct dkim_privkey *key, const char *domain, const char *selector, time_t at)
{
    struct dkim_fields *fields = dkim_fields_new(arena, headers);
    const char *names = fields ? dkim_signer_names(arena, fields) : NULL,
               *bh = names ? hash_of_body(arena, body) : NULL;
    if (!bh)
        return NULL;
    struct dkim_signer_request r = {.key = key, .field = SLICE_LIT("DKIM-Signature"), .names = names};
    r.tags =
        arena_printf(arena, "v=1; a=%s; c=relaxed/relaxed; d=%s; s=%s;\n\tt=%lld; h=%s;\n\tbh=%s;\n\tb=",
                     dkim_privkey_algorithm(key), domain, selector, (long long)(at ? at : clock_wall()), names, bh);
    return r.tags ? dkim_signer_sign(arena, fields, &r) : NULL;
}
