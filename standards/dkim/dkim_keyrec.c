// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_keyrec.c - key records, one decision per tag (RFC 6376 3.6.1).
 *
 * v= must be first where it is there, and DKIM1; any other makes the record one to be discarded. Tags we do not know
 * are ignored, g= (RFC 4871) among them. What a record says is only read here; whether it fits a signature is decided
 * where the signature is (dkim_proof.c).
 */
#include "standards/dkim/dkim_keyrec.h"
#include "standards/dkim/dkim_tags.h"

static bool list_allows(const struct taglist *tags, const char *tag, const char *word, const char *any)
{
    const struct tag *t = taglist_find(tags, tag);
    return !t || dkim_tags_list_has(t->value, word) || (any && dkim_tags_list_has(t->value, any));
}

static void read_type(const struct taglist *tags, struct dkim_keyrec *out)
{
    const struct tag *k = taglist_find(tags, "k");
    out->type_known = true;
    out->type = KEY_RSA;
    if (k && slice_eq(k->value, SLICE_LIT("ed25519")))
        out->type = KEY_ED25519;
    else if (k && !slice_eq(k->value, SLICE_LIT("rsa")))
        out->type_known = false;
}

enum status dkim_keyrec_read(struct slice text, struct dkim_keyrec *out, const char **reason)
{
    struct taglist tags;
    *out = (struct dkim_keyrec){0};
    if (dkim_tags_parse(text, &tags, reason) != STATUS_OK)
        return STATUS_INVALID;
    const struct tag *v = taglist_find(&tags, "v");
    *reason = "v= is not DKIM1, or not first";
    if (v && (v != &tags.tags[0] || !slice_eq(v->value, SLICE_LIT("DKIM1"))))
        return STATUS_MISSING;
    const struct tag *p = taglist_find(&tags, "p");
    *reason = "the key record has no p=";
    if (!p)
        return v ? STATUS_INVALID : STATUS_MISSING;
    read_type(&tags, out);
    out->sha256 = list_allows(&tags, "h", "sha256", NULL);
    out->email = list_allows(&tags, "s", "email", "*");
    const struct tag *t = taglist_find(&tags, "t");
    out->testing = t && dkim_tags_list_has(t->value, "y");
    out->strict = t && dkim_tags_list_has(t->value, "s");
    out->p = p->value;
    out->revoked = p->value.n == 0;
    return STATUS_OK;
}

bool dkim_keyrec_name(const char *selector, const char *domain, char out[LIMIT_DOMAIN + 1])
{
    static const char between[] = "._domainkey.";
    const size_t s = strlen(selector), b = sizeof between - 1, d = strlen(domain);
    if (s > LIMIT_DOMAIN || d > LIMIT_DOMAIN || s + b + d > LIMIT_DOMAIN) {
        out[0] = '\0';
        return false;
    }
    memcpy(out, selector, s);
    memcpy(out + s, between, b);
    memcpy(out + s + b, domain, d + 1);
    return true;
}
