// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_answer.c - reads Unbound's messages, record sets and key cache; writes none of them.
 *
 * Promises: every text lies in the worker's scratch region or in the caller's event, cut where it ends; rdata is read
 * only where its length says that it is there. On failure (region exhausted) a name is "", a translation NULL.
 */
#include "resolver-module/unbound_answer.h"
#include "services/cache/dns.h"
#include "services/mesh.h"
#include "util/data/dname.h"
#include "util/net_help.h"
#include "util/regional.h"
#include "validator/val_kcache.h"
#include "validator/val_kentry.h"
#include "validator/validator.h"

#include "base/domain.h"
#include "resolver-module/unbound_cache.h"
#include "resolver-module/unbound_compat.h"
#include <stddef.h>

#define NAME_TEXT (LDNS_MAX_DOMAINLEN * 4 + 1)
#define RRSETS_MAX                                                                                                     \
    256 /* of one answer that are judged; an unsigned answer with more is refused where any is required */

/* A name as text beside its wire form. */
struct answer_name {
    const char *text;
    uint8_t *wire;
    size_t len;
};

/* As name_text, for a name of letters, digits, hyphens and underscores: nearly all are. NULL: another, or no memory. */
static const char *plain_name(struct regional *region, const uint8_t *wire)
{
    size_t len = 1;
    for (const uint8_t *w = wire; *w; w += *w + 1)
        len += *w + 1u;
    char *text = regional_alloc(region, len), *o = text;
    for (const uint8_t *w = wire; text && *w; *o++ = '.', w++)
        for (const uint8_t *last = w + *w; w < last;) {
            if (!(*o++ = domain_kept_octets[*++w]))
                return NULL;
        }
    if (text)
        *(o > text ? o - 1 : o) = '\0';
    return text;
}

/* Lower case, no dot at the end, odd octets as \DDD (RFC 1035 5.1). */
const char *answer_name(struct regional *region, const uint8_t *wire)
{
    const char *plain = plain_name(region, wire);
    if (plain)
        return plain;
    char text[NAME_TEXT], *o = text;
    for (const uint8_t *w = wire; *w && o < text + sizeof text - 5; w += *w + 1) {
        if (o > text)
            *o++ = '.';
        for (unsigned i = 1; i <= *w && o < text + sizeof text - 5; i++) {
            uint8_t c = w[i];
            if (c >= 'A' && c <= 'Z')
                c = (uint8_t)(c + 'a' - 'A');
            if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
                *o++ = (char)c;
            else
                o += snprintf(o, 5, "\\%03u", c);
        }
    }
    *o = '\0';
    return regional_strdup(region, text);
}

static const char *add_name(struct answer *a, struct regional *region, uint8_t *wire, size_t len)
{
    for (size_t i = 0; i < a->name_count; i++)
        if (a->names[i].len == len && query_dname_compare(a->names[i].wire, wire) == 0)
            return a->names[i].text;
    struct answer_name *n = &a->names[a->name_count];
    *n = (struct answer_name){answer_name(region, wire), wire, len};
    if (!n->text)
        return "";
    a->name_count++;
    return n->text;
}

static enum decide_security security_of(enum sec_status s)
{
    switch (s) {
    case sec_status_bogus:
        return DECIDE_BOGUS;
    case sec_status_indeterminate:
        return DECIDE_INDETERMINATE;
    case sec_status_insecure:
        return DECIDE_INSECURE;
    case sec_status_secure_sentinel_fail:
    case sec_status_secure:
        return DECIDE_SECURE;
    default:
        return DECIDE_UNCHECKED;
    }
}

static struct packed_rrset_data *data_of(const struct ub_packed_rrset_key *k)
{
    return (struct packed_rrset_data *)k->entry.data;
}

/* NSEC3 rdata, after its length: hash algorithm, flags (RFC 5155 3.2). */
static bool has_opt_out(uint16_t type, const struct packed_rrset_data *d)
{
    for (size_t i = 0; type == LDNS_RR_TYPE_NSEC3 && i < d->count; i++)
        if (d->rr_len[i] > 4 && (d->rr_data[i][3] & 1))
            return true;
    return false;
}

/* Tells whether a rule of the operator's made this record set. Nothing that came from the network bears these flags:
 * RPZ sets the one, response-ip the other. */
static bool is_local(const struct ub_packed_rrset_key *k)
{
    return (k->rk.flags & (PACKED_RRSET_RPZ | PACKED_RRSET_FIXEDTTL)) != 0;
}

static void translate_rrset(struct answer *a, struct regional *region, struct ub_packed_rrset_key *k, bool authority)
{
    struct packed_rrset_data *d = data_of(k);
    struct decide_rrset *r = &a->rrsets[a->input.count++];
    r->target = NULL;
    r->type = ntohs(k->rk.type);
    r->owner = add_name(a, region, k->rk.dname, k->rk.dname_len);
    r->security = security_of(d->security);
    r->authority = authority;
    r->opt_out = has_opt_out(r->type, d);
    r->local = is_local(k);
    if ((r->type == LDNS_RR_TYPE_CNAME || r->type == LDNS_RR_TYPE_DNAME) && d->count > 0 && d->rr_len[0] > 2 &&
        dname_valid(d->rr_data[0] + 2, d->rr_len[0] - 2) == d->rr_len[0] - 2)
        r->target = add_name(a, region, d->rr_data[0] + 2, d->rr_len[0] - 2);
}

/* Tells whether response-ip, or RPZ's rules for addresses, took away the data that they found. */
static bool address_rule_denies(const struct respip_action_info *r)
{
    if (!r || r->rpz_disabled)
        return false;
    switch ((int)r->action) {
    case respip_static:
    case respip_redirect:
    case respip_inform_redirect:
    case respip_always_nxdomain:
    case respip_always_nodata:
        return true;
    default: /* those that let the answer be: inform, transparent, RPZ's passthru and tcp-only; those that drop it */
        return false;
    }
}

/* Tells whether an operator's own rule ended the answer without data. RPZ leaves its zone's SOA in the additional
 * section. */
static bool local_denial(const struct module_qstate *q, const struct reply_info *rep)
{
    bool local = COMPAT_RPZ_APPLIED(q) || address_rule_denies(q->respip_action_info);
    for (size_t i = rep->an_numrrsets; i < rep->rrset_count && !local; i++)
        local = (rep->rrsets[i]->rk.flags & PACKED_RRSET_RPZ) != 0;
    return local;
}

/* Of a secure answer every part is secure: its records need not be looked at one by one. */
static size_t sets_to_judge(const struct reply_info *rep)
{
    size_t n = rep && rep->security != sec_status_secure ? rep->an_numrrsets + rep->ns_numrrsets : 0;
    return n < RRSETS_MAX ? n : RRSETS_MAX;
}

struct answer *answer_of(struct module_qstate *q)
{
    struct regional *region = q->env->scratch;
    struct reply_info *rep = q->return_msg ? q->return_msg->rep : NULL;
    size_t sets = sets_to_judge(rep);
    struct answer *a = regional_alloc_zero(region, sizeof *a);
    if (!a || !(a->names = regional_alloc(region, (2 * sets + 1) * sizeof *a->names)))
        return NULL;
    if (sets && !(a->rrsets = regional_alloc(region, sets * sizeof *a->rrsets)))
        return NULL;
    a->input.name = add_name(a, region, q->qinfo.qname, q->qinfo.qname_len);
    a->input.type = q->qinfo.qtype;
    a->input.class = q->qinfo.qclass;
    a->input.rcode = q->return_rcode ? (unsigned)q->return_rcode
                     : rep           ? (unsigned)FLAGS_GET_RCODE(rep->flags)
                                     : LDNS_RCODE_SERVFAIL;
    a->input.security = rep ? security_of(rep->security) : DECIDE_UNCHECKED;
    a->input.rrsets = a->rrsets;
    a->input.at = (time_t)*q->env->now;
    a->input.local_denial = rep && rep->security != sec_status_secure && local_denial(q, rep);
    for (size_t i = 0; i < sets; i++)
        translate_rrset(a, region, rep->rrsets[i], i >= rep->an_numrrsets);
    return a;
}

bool answer_has_local(const struct answer *a)
{
    bool local = a->input.local_denial;
    for (size_t i = 0; i < a->input.count && !local; i++)
        local = a->rrsets[i].local;
    return local;
}

enum decide_security answer_security(const struct ub_packed_rrset_key *k)
{
    return security_of(data_of(k)->security);
}

/* ---- what is recorded of it ---- */

uint8_t *answer_wire(const struct answer *a, const char *text, size_t *len)
{
    for (size_t i = 0; i < a->name_count; i++)
        if (a->names[i].text == text) {
            *len = a->names[i].len;
            return a->names[i].wire;
        }
    return NULL;
}

/* The last signature's signer over a set: its zone (RFC 4034 3.1.7), and the algorithm. */
static const char *signer_of(struct regional *region, const struct ub_packed_rrset_key *k, uint8_t *algorithm)
{
    struct packed_rrset_data *d = data_of(k);
    if (d->rrsig_count == 0)
        return NULL;
    size_t i = d->count;
    if (d->rr_len[i] < 2 + 18 + 1 || dname_valid(d->rr_data[i] + 20, d->rr_len[i] - 20) == 0)
        return NULL;
    *algorithm = d->rr_data[i][4];
    return answer_name(region, d->rr_data[i] + 20);
}

static const char *signed_zone(struct module_qstate *q, uint8_t *algorithm)
{
    struct reply_info *rep = q->return_msg->rep;
    for (size_t i = 0; i < rep->an_numrrsets + rep->ns_numrrsets; i++) {
        const char *zone = signer_of(q->env->scratch, rep->rrsets[i], algorithm);
        if (zone)
            return zone;
    }
    return NULL;
}

/* Owner of the SOA or NS set of the authority section that the name is in. */
static const char *authority_zone(struct module_qstate *q, uint8_t *name)
{
    struct reply_info *rep = q->return_msg ? q->return_msg->rep : NULL;
    for (size_t i = rep ? rep->an_numrrsets : 0; rep && i < rep->an_numrrsets + rep->ns_numrrsets; i++) {
        struct ub_packed_rrset_key *k = rep->rrsets[i];
        uint16_t type = ntohs(k->rk.type);
        if ((type == LDNS_RR_TYPE_SOA || type == LDNS_RR_TYPE_NS) && dname_subdomain_c(name, k->rk.dname))
            return answer_name(q->env->scratch, k->rk.dname);
    }
    return NULL;
}

/* Where the validator, which has just judged this very name, found the chain of trust to end; NULL: it found no end, or
 * did not validate this answer. The same as a search in its key cache would find, without the search. */
static struct key_entry_key *chain_end_of(const struct module_qstate *q, const uint8_t *name)
{
    int id = cache_module(q, "validator");
    const struct val_qstate *v = id >= 0 ? q->minfo[id] : NULL;
    bool same = v && v->key_entry && v->qchase.qname == name; /* no name is copied on the way */
    return same && key_entry_isnull(v->key_entry) ? v->key_entry : NULL;
}

/* The zone cut of an answer that is not secure: as the answer itself says, else where the chain of trust ended, by
 * the validator's key cache. (A missing proof leaves a bad entry there at a name that is no cut.) */
static const char *unsigned_zone(struct module_qstate *q, uint8_t *name, size_t len, bool bogus, const char **why)
{
    const char *zone = authority_zone(q, name);
    if (zone && !bogus)
        return zone;
    struct key_entry_key *k = bogus ? NULL : chain_end_of(q, name);
    if (!k && q->env->key_cache)
        k = key_cache_obtain(q->env->key_cache, name, len, q->qinfo.qclass, q->env->scratch, *q->env->now);
    if (k && bogus && key_entry_isbad(k))
        *why = key_entry_get_reason(k);
    if (!zone && k && (bogus || key_entry_isnull(k)))
        zone = answer_name(q->env->scratch, k->name);
    return zone;
}

static const char *ede_words(sldns_ede_code code)
{
    switch ((int)code) {
    case 1:
        return "unsupported DNSKEY algorithm";
    case 2:
        return "unsupported DS digest type";
    case 5:
        return "DNSSEC indeterminate";
    case 7:
        return "signature expired";
    case 8:
        return "signature not yet valid";
    case 9:
        return "DNSKEY missing";
    case 10:
        return "RRSIGs missing";
    case 11:
        return "no zone key bit set";
    case 12:
        return "NSEC missing";
    case 27:
        return "unsupported NSEC3 iterations value";
    default:
        return "DNSSEC validation failed";
    }
}

static void bogus_reason(struct module_qstate *q, const char *key_reason, char *out, size_t size)
{
    const char *words = key_reason && *key_reason ? key_reason : ede_words(q->return_msg->rep->reason_bogus);
    char *text = COMPAT_BOGUS_TEXT(q); /* "validation failure <NAME TYPE CLASS>: WHY" */
    const char *why = text ? strstr(text, ">: ") : NULL;
    snprintf(out, size, "%s", why && why[3] ? why + 3 : words);
    free(text);
}

void answer_copy_name(char *out, size_t size, const char *name)
{
    const char *kept = name ? decide_kept(name) : NULL;
    size_t n = kept ? strnlen(kept, size - 1) : 0;
    memcpy(out, kept ? kept : "", n);
    out[n] = '\0';
}

static uint16_t key_bits(struct module_qstate *q, const char *zone_of, uint8_t *name, size_t len)
{
    struct key_entry_key *k =
        q->env->key_cache && zone_of
            ? key_cache_obtain(q->env->key_cache, name, len, q->qinfo.qclass, q->env->scratch, *q->env->now)
            : NULL;
    if (!k || !key_entry_isgood(k) || key_entry_isnull(k))
        return 0;
    size_t bits = key_entry_keysize(k);
    return (uint16_t)(bits > UINT16_MAX ? 0 : bits);
}

void answer_zone(struct module_qstate *q, const struct answer *a, const struct decide_result *r, struct zones_event *e)
{
    size_t len = 0;
    uint8_t *wire = answer_wire(a, r->subject, &len);
    const char *zone = NULL, *why = NULL;
    if (r->state == DECIDE_STATE_SECURE || r->state == DECIDE_STATE_OPT_OUT) {
        zone = signed_zone(q, &e->algorithm);
        if (wire && r->state == DECIDE_STATE_SECURE)
            e->key_bits = key_bits(q, zone, wire, len);
    } else if (wire && r->state != DECIDE_STATE_REWRITTEN) {
        zone = unsigned_zone(q, wire, len, r->state == DECIDE_STATE_BOGUS || r->state == DECIDE_STATE_SUSPENDED, &why);
    }
    e->whole_org = zone == NULL;
    answer_copy_name(e->zone, sizeof e->zone, zone ? zone : r->subject);
    if ((r->state == DECIDE_STATE_BOGUS || r->state == DECIDE_STATE_SUSPENDED) && q->return_msg)
        bogus_reason(q, why, e->reason, sizeof e->reason);
}

/* Sets only the fields that are used: the texts are long. */
void answer_begin(struct zones_event *e, enum decide_state state, uint16_t type)
{
    memset(e, 0, offsetof(struct zones_event, zone));
    e->state = (uint8_t)state;
    e->type = type;
    e->weight = 1;
    e->zone[0] = e->reason[0] = '\0';
}
