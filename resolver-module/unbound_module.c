// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_module.c - the six functions that Unbound's dynlib module calls, and all that knows Unbound from inside.
 *
 * It translates and decides nothing: decide.c does. Its order, for an answer that the policy may refuse (measured in the project's reference: what
 * is left out here leaks from the cache at the second question):
 *
 *   new      look-ups of the validator and for priming pass untouched. Class ANY is refused. no_cache_store is set, so that neither iterator nor
 *            validator puts an unsigned answer where a worker would serve it without asking us.
 *   response (callback) a referral, or an answer about a name above the one asked, may be stored: else every query would walk from the zone's top.
 *   done     judged. Refused: SERVFAIL without message; the answer is stored `unchecked`, so that the next question comes through here again, without
 *            network. Passed: stored by us as the validator would have. SERVFAIL of the iterator: stored for 5 s as it would have.
 *   servfail (callback) the Extended DNS Error, from the words of the refusal (RFC 8914).
 *
 * When the policy changes, cached answers that may be judged otherwise are marked `unchecked` (sweep): by a worker, at once if a query comes, else by a
 * timer within a quarter second. An answer that was judged by the old policy and stored meanwhile is judged again (version before, version after).
 *
 * Failure: nothing here stops the resolver; out of memory costs a record or a cache entry.
 */
#include "config.h"
#include "dynlibmod/dynlibmod.h"
#include "iterator/iterator.h"
#include "respip/respip.h"
#include "services/cache/dns.h"
#include "services/mesh.h"
#include "services/modstack.h"
#include "sldns/rrdef.h"
#include "util/config_file.h"
#include "util/data/dname.h"
#include "util/data/msgreply.h"
#include "util/data/packed_rrset.h"
#include "util/log.h"
#include "util/module.h"
#include "util/net_help.h"
#include "util/netevent.h"
#include "util/regional.h"
#include "util/storage/slabhash.h"
#include "util/ub_event.h"
#include "validator/val_kcache.h"
#include "validator/val_kentry.h"
#include "validator/val_neg.h"
#include "validator/validator.h"

#include "base/clock.h"
#include "base/domain.h"
#include "resolver-module/aside.h"
#include "resolver-module/decide.h"
#include "resolver-module/observe.h"
#include "resolver-module/recent.h"
#include "resolver-module/suspend.h"
#include "resolver-module/unbound_compat.h"
#include "resolver-module/watch.h"
#include "resolver-module/workers.h"
#include <stdatomic.h>
#include <stddef.h>

/* What Unbound is this module for: compared with `unbound -V` before start (assay-unbound-prepare). */
#ifndef CONFCMDLINE
#define CONFCMDLINE ""
#endif
__attribute__((used, section(".assay.stamp"))) static const char assay_stamp[] = "assay-stamp{" PACKAGE_VERSION "|" CONFCMDLINE "}";

/* testbound, Unbound's own replay program, has no event loop to hang a timer on. */
#pragma weak comm_base_internal
#pragma weak ub_event_new
#pragma weak ub_event_free
#pragma weak ub_timer_add

#define RCODE_TTL 5 /* seconds a failure is remembered: the iterator's NORR_TTL */
#define NAME_TEXT (LDNS_MAX_DOMAINLEN * 4 + 1)
#define RRSETS_MAX 256 /* of one answer that are judged; an unsigned answer with more is refused where any is required */
#define JUDGE_ROUNDS 4
#define TICK_US 250000

struct assay {
    struct watch *watch;
    struct observe *observe;
    struct suspend *suspend;
    struct recent *recent;
    struct module_env *env; /* the daemon's: for what workers share */
    atomic_uint swept;      /* the version the cache was last marked for */
    atomic_flag ticking;    /* some worker has the timer */
    struct ub_event *timer;
    struct comm_base *timer_base;
    int ignore_cd, harden_referral; /* as configured */
    struct workers *workers;
};

/* Of one client's query, in its region. */
struct query {
    int store_was; /* no_cache_store as it came */
    const char *text; /* of the refusal, or NULL */
};

/* A name as text beside its wire form. */
struct name {
    const char *text;
    uint8_t *wire;
    size_t len;
};

/* An answer, translated. */
struct answer {
    struct decide_input input;
    struct decide_rrset *rrsets;
    struct name *names; /* room for two of each set, and the name asked */
    size_t name_count;
};

static struct assay *assay_of(struct module_env *env, int id)
{
    return ((struct dynlibmod_env *)env->modinfo[id])->dyn_env;
}

static void log_line(enum watch_log level, const char *line)
{
    if (aside_here())
        aside_say(level, line);
    else if (level == WATCH_ERROR)
        log_err("%s", line);
    else if (level == WATCH_WARNING)
        log_warn("%s", line);
    else
        log_info("%s", line);
}

/* ---- translating ---- */

/* As name_text, for a name of letters, digits, hyphens and underscores: nearly all are. NULL: another, or no memory. */
static const char *plain_name_text(struct regional *region, const uint8_t *wire)
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
static const char *name_text(struct regional *region, const uint8_t *wire)
{
    const char *plain = plain_name_text(region, wire);
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
    struct name *n = &a->names[a->name_count];
    *n = (struct name){name_text(region, wire), wire, len};
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

static bool translate_rrset(struct answer *a, struct regional *region, struct ub_packed_rrset_key *k, bool authority)
{
    struct packed_rrset_data *d = data_of(k);
    struct decide_rrset *r = &a->rrsets[a->input.count++];
    r->target = NULL;
    r->type = ntohs(k->rk.type);
    r->owner = add_name(a, region, k->rk.dname, k->rk.dname_len);
    r->security = security_of(d->security);
    r->authority = authority;
    r->opt_out = has_opt_out(r->type, d);
    if ((r->type == LDNS_RR_TYPE_CNAME || r->type == LDNS_RR_TYPE_DNAME) && d->count > 0 && d->rr_len[0] > 2 &&
        dname_valid(d->rr_data[0] + 2, d->rr_len[0] - 2) == d->rr_len[0] - 2)
        r->target = add_name(a, region, d->rr_data[0] + 2, d->rr_len[0] - 2);
    return (k->rk.flags & PACKED_RRSET_RPZ) != 0;
}

static bool is_rewritten(const struct module_qstate *q)
{
    const struct respip_action_info *r = q->respip_action_info;
    return COMPAT_RPZ_APPLIED(q) || (r && r->action != respip_none && r->action != respip_inform && !r->rpz_disabled && r->rpz_used) ||
           (q->return_msg && q->return_msg->rep->authoritative && q->return_msg->rep->security == sec_status_insecure);
}

/* Of a secure answer every part is secure: its records need not be looked at one by one. */
static size_t sets_to_judge(const struct reply_info *rep)
{
    size_t n = rep && rep->security != sec_status_secure ? rep->an_numrrsets + rep->ns_numrrsets : 0;
    return n < RRSETS_MAX ? n : RRSETS_MAX;
}

static struct answer *translate(struct module_qstate *q)
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
    a->input.rcode = q->return_rcode ? (unsigned)q->return_rcode : rep ? (unsigned)FLAGS_GET_RCODE(rep->flags) : LDNS_RCODE_SERVFAIL;
    a->input.security = rep ? security_of(rep->security) : DECIDE_UNCHECKED;
    a->input.rrsets = a->rrsets;
    a->input.at = (time_t)*q->env->now;
    a->input.rewritten = rep && is_rewritten(q);
    for (size_t i = 0; i < sets; i++)
        a->input.rewritten |= translate_rrset(a, region, rep->rrsets[i], i >= rep->an_numrrsets);
    return a;
}

/* ---- what is recorded of it ---- */

static uint8_t *wire_of(const struct answer *a, const char *text, size_t *len)
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
    return name_text(region, d->rr_data[i] + 20);
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
            return name_text(q->env->scratch, k->rk.dname);
    }
    return NULL;
}

/* Where the validator, which has just judged this very name, found the chain of trust to end; NULL: it did not, or the answer came past it. Its
 * finding is what its key cache would give, without the walk through that cache. */
static struct key_entry_key *chain_end_of(const struct module_qstate *q, const uint8_t *name)
{
    int id = modstack_find(&q->env->mesh->mods, "validator");
    const struct val_qstate *v = id >= 0 ? q->minfo[id] : NULL;
    bool same = v && v->key_entry && v->qchase.qname == name; /* no name is copied on the way */
    return same && key_entry_isnull(v->key_entry) ? v->key_entry : NULL;
}

/* The zone cut of an answer that is not secure: as the answer itself says, else where the chain of trust ended, by the validator's key cache. (A
 * missing proof leaves a bad entry there at a name that is no cut.) */
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
        zone = name_text(q->env->scratch, k->name);
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

static void copy_name(char *out, size_t size, const char *name)
{
    const char *kept = name ? decide_kept(name) : NULL;
    size_t n = kept ? strnlen(kept, size - 1) : 0;
    memcpy(out, kept ? kept : "", n);
    out[n] = '\0';
}

static uint16_t key_bits(struct module_qstate *q, const char *zone_of, uint8_t *name, size_t len)
{
    struct key_entry_key *k =
        q->env->key_cache && zone_of ? key_cache_obtain(q->env->key_cache, name, len, q->qinfo.qclass, q->env->scratch, *q->env->now) : NULL;
    if (!k || !key_entry_isgood(k) || key_entry_isnull(k))
        return 0;
    size_t bits = key_entry_keysize(k);
    return (uint16_t)(bits > UINT16_MAX ? 0 : bits);
}

static void event_zone(struct module_qstate *q, const struct answer *a, const struct decide_result *r, struct zones_event *e)
{
    size_t len = 0;
    uint8_t *wire = wire_of(a, r->subject, &len);
    const char *zone = NULL, *why = NULL;
    if (r->state == DECIDE_STATE_SECURE || r->state == DECIDE_STATE_OPT_OUT) {
        zone = signed_zone(q, &e->algorithm);
        if (wire && r->state == DECIDE_STATE_SECURE)
            e->key_bits = key_bits(q, zone, wire, len);
    } else if (wire && r->state != DECIDE_STATE_REWRITTEN) {
        zone = unsigned_zone(q, wire, len, r->state == DECIDE_STATE_BOGUS || r->state == DECIDE_STATE_SUSPENDED, &why);
    }
    e->whole_org = zone == NULL;
    copy_name(e->zone, sizeof e->zone, zone ? zone : r->subject);
    if ((r->state == DECIDE_STATE_BOGUS || r->state == DECIDE_STATE_SUSPENDED) && q->return_msg)
        bogus_reason(q, why, e->reason, sizeof e->reason);
}

/* Only what counts of it is set: the texts are long. */
static void begin_event(struct zones_event *e, enum decide_state state, uint16_t type)
{
    memset(e, 0, offsetof(struct zones_event, zone));
    e->state = (uint8_t)state;
    e->type = type;
    e->weight = 1;
    e->zone[0] = e->reason[0] = '\0';
}

static void record(struct assay *s, struct module_qstate *q, const struct answer *a, const struct decide_result *r, struct zones_event *e)
{
    begin_event(e, r->state, q->qinfo.qtype);
    e->refused = r->what == DECIDE_REFUSE;
    e->would = r->would;
    e->unneeded = r->unneeded;
    if (r->state != DECIDE_STATE_FAILED)
        event_zone(q, a, r, e);
    const struct policy_statement *st = r->statement ? r->statement : r->excuse;
    if (st)
        snprintf(e->statement, sizeof e->statement, "%s", st->id);
    if (r->text[0])
        memcpy(e->reason, r->text, sizeof e->reason);
    e->has_reason = e->reason[0] != '\0';
    if (observe_wants_names(s->observe)) {
        e->has_name = true;
        copy_name(e->name, sizeof e->name, a->input.name);
    }
    if (r->record)
        workers_event(s->workers, e);
}

/* ---- storing what we kept the others from storing ---- */

static void store(struct module_qstate *q, struct query_info *under, enum sec_status as)
{
    if (COMPAT_NO_CACHE(q))
        return;
    struct reply_info copy = *q->return_msg->rep; /* dns_cache_store copies all it keeps, and leaves this one alone */
    copy.security = q->query_flags & BIT_RD ? as : sec_status_unchecked; /* without RD only the iterator stores, which checks nothing */
    if (!COMPAT_CACHE_STORE(q->env, under, &copy, q->prefetch_leeway, q->query_flags, q->qstarttime))
        log_err("assay: out of memory storing an answer");
}

/* Whether the cache holds something better than a failure, that must stay; an expired answer that may be served is then given more time, as the
 * iterator would. Holds no lock at return. */
static bool has_better(struct module_qstate *q)
{
    struct config_file *cfg = q->env->cfg;
    struct msgreply_entry *m = msg_cache_lookup(q->env, q->qinfo.qname, q->qinfo.qname_len, q->qinfo.qtype, q->qinfo.qclass, q->query_flags,
                                                cfg->serve_expired ? 0 : *q->env->now, cfg->serve_expired);
    if (!m)
        return false;
    struct reply_info *rep = m->entry.data;
    int rcode = FLAGS_GET_RCODE(rep->flags);
    bool good = rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN;
    bool better = rep->security != sec_status_unchecked && good; /* unchecked: was refused, may not be served */
    if (better && cfg->serve_expired) {
        if (cfg->serve_expired_ttl_reset && *q->env->now + cfg->serve_expired_ttl > rep->serve_expired_ttl)
            rep->serve_expired_ttl = *q->env->now + cfg->serve_expired_ttl;
        COMPAT_SERVE_NOREC(rep, *q->env->now + RCODE_TTL);
    }
    lock_rw_unlock(&m->entry.lock);
    return better;
}

static void store_failure(struct module_qstate *q)
{
    struct reply_info err;
    if (!(q->query_flags & BIT_RD) || COMPAT_NO_CACHE(q) || q->is_drop)
        return;
    if (q->prefetch_leeway > RCODE_TTL && dns_cache_prefetch_adjust(q->env, &q->qinfo, RCODE_TTL, q->query_flags))
        return;
    if (has_better(q))
        return;
    memset(&err, 0, sizeof err);
    err.flags = (uint16_t)(BIT_QR | BIT_RA);
    FLAGS_SET_RCODE(err.flags, LDNS_RCODE_SERVFAIL);
    err.qdcount = 1;
    err.ttl = RCODE_TTL;
    err.prefetch_ttl = PREFETCH_TTL_CALC(err.ttl);
    err.serve_expired_ttl = RCODE_TTL;
    err.security = sec_status_indeterminate;
    if (!COMPAT_CACHE_STORE(q->env, &q->qinfo, &err, 0, q->query_flags, q->qstarttime))
        log_err("assay: out of memory storing a failure");
}

static void store_passed(struct module_qstate *q)
{
    struct reply_info *rep = q->return_msg->rep;
    if (rep->security == sec_status_secure && q->env->neg_cache)
        val_neg_addreply(q->env->neg_cache, rep);
    /* A proof about a name above the one asked stays under that name, as the validator keeps it; what is not proved, under what was asked and judged. */
    store(q, rep->security == sec_status_secure ? &q->return_msg->qinfo : &q->qinfo, rep->security);
}

/* ---- judging ---- */

/* Ends the query as refused, with these words. */
static void fail(struct module_qstate *q, struct query *m, const char *text)
{
    if (m)
        m->text = regional_strdup(q->region, text);
    errinf(q, text);
    q->return_rcode = LDNS_RCODE_SERVFAIL;
    q->return_msg = NULL;
    q->no_cache_lookup = 1; /* no expired answer in its place */
}

static struct recent_key key_of(const struct module_qstate *q, unsigned version)
{
    return (struct recent_key){.name = q->qinfo.qname, .length = q->qinfo.qname_len, .type = q->qinfo.qtype, .version = version};
}

static void remember(struct assay *s, struct module_qstate *q, unsigned version, const struct zones_event *e)
{
    struct zones_event left;
    struct recent_key k = key_of(q, version);
    if (!(q->query_flags & BIT_RD) || COMPAT_NO_CACHE(q) || q->return_msg->rep->ttl <= 0)
        return;
    recent_put(s->recent, &k, *q->env->now + q->return_msg->rep->ttl, e, &left);
    if (left.weight)
        workers_event(s->workers, &left);
}

static void refuse(struct module_qstate *q, struct query *m, const struct decide_result *r, bool ours)
{
    /* An answer that came from the cache is unchecked there already; one that others stored must be made so. */
    if (q->return_msg && (q->reply_origin || !ours))
        store(q, &q->qinfo, sec_status_unchecked);
    fail(q, m, r->text);
}

/* A CD client that this resolver lets judge for itself gets what there is. */
static bool client_judges(const struct assay *s, const struct module_qstate *q)
{
    return (q->query_flags & BIT_CD) && watch_honours_cd(s->watch) && !q->env->cfg->ignore_cd;
}

static void note_suspension(struct assay *s, const struct policy *p, const struct answer *a, const struct decide_result *r)
{
    const struct policy_statement *st = r->excuse && r->excuse->kind == POLICY_SUSPEND ? r->excuse : NULL;
    if (!st && r->state == DECIDE_STATE_SECURE) {
        const char *kept = decide_kept(a->input.name);
        st = kept ? policy_suspended(p, kept, a->input.at) : NULL;
    }
    if (!st || suspend_ended(s->suspend, st))
        return;
    int64_t settle = policy_set_number(p, "resolver.suspension-settles") * 1000;
    if (suspend_note(s->suspend, st, r->state == DECIDE_STATE_SECURE, clock_mono_ms(), settle)) {
        log_info("assay: %s (%s) has ended by itself: answers there validate again", st->id, st->text);
        watch_touch(s->watch);
    }
}

static struct query *minfo_of(struct module_qstate *q, int id)
{
    return q->minfo[id];
}

/* One round by the policy in force. */
static void judge(struct assay *s, struct module_qstate *q, int id, const struct policy *p, unsigned version)
{
    struct query *m = minfo_of(q, id);
    struct decide_result r;
    struct zones_event e;
    struct answer *a = translate(q);
    if (!a)
        return;
    a->input.retired = suspend_ended;
    a->input.retired_arg = s->suspend;
    a->input.paused = watch_paused(s->watch);
    decide(p, &a->input, &r);
    if (watch_can_suspend(s->watch))
        note_suspension(s, p, a, &r);
    if (r.what == DECIDE_REFUSE && client_judges(s, q)) {
        r.what = DECIDE_PASS; /* stored unchecked all the same: others are not let through */
        if (m && q->return_msg)
            store(q, &q->qinfo, sec_status_unchecked);
        m = NULL;
    }
    record(s, q, a, &r, &e);
    if (r.what == DECIDE_REFUSE) {
        if (q->return_msg)
            remember(s, q, version, &e);
        refuse(q, m, &r, m != NULL);
        return;
    }
    if (r.what == DECIDE_PASS_BOGUS)
        q->return_msg->rep->security = sec_status_insecure;
    if (m && q->return_msg && a->input.rewritten)
        return; /* what the operator's rules made of it is not what others should get from the cache */
    if (m && q->return_msg)
        store_passed(q);
    else if (m && a->input.rcode == LDNS_RCODE_SERVFAIL)
        store_failure(q);
    else if (r.what == DECIDE_PASS_BOGUS && q->return_msg)
        store(q, &q->qinfo, sec_status_insecure);
}

static void finish(struct assay *s, struct module_qstate *q, int id)
{
    for (int round = 0; round < JUDGE_ROUNDS; round++) {
        unsigned version = watch_version(s->watch);
        const struct policy *p = workers_policy(s->workers, version);
        if (!p)
            break;
        judge(s, q, id, p, version);
        if (version == watch_version(s->watch) || !q->return_msg)
            break;
    }
    struct query *m = minfo_of(q, id);
    if (m)
        q->no_cache_store = m->store_was;
}

/* ---- marking the cache for another judgement ---- */

/* Answers that are neither proved nor failed: what the policy says may differ now. Bogus ones too, for suspensions. */
static void mark_entry(struct lruhash_entry *e, void *arg)
{
    struct reply_info *rep = e->data;
    uint64_t *count = arg;
    if (rep->security == sec_status_unchecked || rep->security == sec_status_secure || rep->rrset_count == 0)
        return;
    rep->security = sec_status_unchecked;
    ++*count;
}

/* What the configuration must say for the policy's word to hold. */
static void force_options(struct assay *s, struct config_file *cfg)
{
    if (!watch_can_refuse(s->watch))
        return;
    int ignore_cd = watch_honours_cd(s->watch) ? s->ignore_cd : 1;
    if (cfg->ignore_cd != ignore_cd) {
        cfg->ignore_cd = ignore_cd;
        log_info("assay: ignore-cd-flag is now %s: the policy requires DNSSEC of names (set resolver.cd)", ignore_cd ? "yes" : "no");
    }
    if (cfg->harden_referral_path) {
        cfg->harden_referral_path = 0;
        log_info("assay: harden-referral-path is now no: its look-ups would store answers before they are judged");
    }
}

static void sweep(struct assay *s, struct module_env *env)
{
    unsigned version = watch_version(s->watch), swept = atomic_load(&s->swept);
    if (version == swept || !atomic_compare_exchange_strong(&s->swept, &swept, version))
        return;
    uint64_t count = 0;
    force_options(s, env->cfg);
    slabhash_traverse(env->msg_cache, 1, mark_entry, &count);
    observe_swept(s->observe, count);
}

static void record_repeats(struct assay *s)
{
    struct zones_event e;
    for (size_t i = 0; i < RECENT_SLOTS; i++)
        if (recent_take(s->recent, i, &e))
            workers_event(s->workers, &e);
}

static void tick(int fd, short events, void *arg)
{
    struct assay *s = arg;
    (void)fd;
    (void)events;
    sweep(s, s->env);
    record_repeats(s);
    aside_flush(log_line);
    struct timeval every = {.tv_usec = TICK_US};
    ub_timer_add(s->timer, comm_base_internal(s->timer_base), tick, s, &every);
}

/* The first worker that has a query keeps the timer, in its own event loop, where no lock is held. */
static void start_ticking(struct assay *s, struct module_env *env)
{
    if (!comm_base_internal || !ub_event_new || !ub_timer_add || !env->worker_base || atomic_flag_test_and_set(&s->ticking))
        return;
    s->timer_base = env->worker_base;
    struct ub_event_base *base = comm_base_internal(s->timer_base);
    struct timeval every = {.tv_usec = TICK_US};
    if (!base) /* testbound's */
        return;
    s->timer = ub_event_new(base, -1, UB_EV_TIMEOUT, tick, s);
    if (s->timer)
        ub_timer_add(s->timer, base, tick, s, &every);
}

/* ---- callbacks ---- */

static int servfail_callback(struct query_info *qinfo, struct module_qstate *q, struct reply_info *rep, int rcode, struct edns_data *edns,
                             struct edns_option **options, struct comm_reply *repinfo, struct regional *region, struct timeval *start, int id,
                             void *arg)
{
    (void)qinfo, (void)rep, (void)rcode, (void)edns, (void)repinfo, (void)start, (void)arg;
    struct query *m = q ? minfo_of(q, id) : NULL;
    if (m && m->text)
        edns_opt_list_append_ede(options, region, LDNS_EDE_BLOCKED, m->text);
    return 1;
}

static int local_callback(struct query_info *qinfo, struct module_qstate *q, struct reply_info *rep, int rcode, struct edns_data *edns,
                          struct edns_option **options, struct comm_reply *repinfo, struct regional *region, struct timeval *start, int id,
                          void *arg)
{
    (void)q, (void)rep, (void)rcode, (void)edns, (void)options, (void)repinfo, (void)start, (void)id;
    struct assay *s = arg;
    struct zones_event e;
    if (!qinfo || !qinfo->qname) /* class CHAOS: what the server says of itself */
        return 1;
    begin_event(&e, DECIDE_STATE_LOCAL, qinfo->qtype);
    e.whole_org = true;
    copy_name(e.zone, sizeof e.zone, name_text(region, qinfo->qname));
    workers_event(s->workers, &e);
    return 1;
}

/* Whether a response only shows the way: a referral, or an answer about a name above the one asked (query name minimisation). */
static bool shows_the_way(const struct module_qstate *q, const struct dns_msg *msg)
{
    const struct reply_info *rep = msg->rep;
    bool soa = false, ns = false;
    if (FLAGS_GET_RCODE(rep->flags) != LDNS_RCODE_NOERROR)
        return false;
    if (msg->qinfo.qname_len < q->qinfo.qname_len && dname_strict_subdomain_c(q->qinfo.qname, msg->qinfo.qname))
        return true;
    for (size_t i = rep->an_numrrsets; i < rep->an_numrrsets + rep->ns_numrrsets; i++) {
        soa |= ntohs(rep->rrsets[i]->rk.type) == LDNS_RR_TYPE_SOA;
        ns |= ntohs(rep->rrsets[i]->rk.type) == LDNS_RR_TYPE_NS;
    }
    return rep->an_numrrsets == 0 && ns && !soa;
}

static int response_callback(struct module_qstate *q, struct dns_msg *response, int id, void *arg)
{
    struct query *m = minfo_of(q, id);
    (void)arg;
    if (m && !m->store_was && response && response->rep)
        q->no_cache_store = !shows_the_way(q, response);
    return 1;
}

static bool register_callbacks(struct module_env *env, int id, struct assay *s)
{
    return inplace_cb_register_wrapped(servfail_callback, inplace_cb_reply_servfail, s, env, id) &&
           inplace_cb_register_wrapped(local_callback, inplace_cb_reply_local, s, env, id) &&
           inplace_cb_register_wrapped(response_callback, inplace_cb_query_response, s, env, id);
}

/* ---- the six functions ---- */

/* What dlsym finds; all else stays inside (version.map). */
#pragma GCC visibility push(default)
int init(struct module_env *env, int id);
void deinit(struct module_env *env, int id);
void operate(struct module_qstate *q, enum module_ev event, int id, struct outbound_entry *outbound);
void inform_super(struct module_qstate *q, int id, struct module_qstate *super);
void clear(struct module_qstate *q, int id);
size_t get_mem(struct module_env *env, int id);
#pragma GCC visibility pop

static void check_configuration(const struct config_file *cfg)
{
    const char *modules = cfg->module_conf ? cfg->module_conf : "";
    const char *us = strstr(modules, "dynlib"), *validator = strstr(modules, "validator");
    if (!validator || (us && validator < us))
        log_err("assay: module-config \"%s\": nothing is validated before this module sees it; write \"dynlib validator iterator\"", modules);
    if (us && strstr(us, "dns64"))
        log_err("assay: module-config \"%s\": dns64 must stand before dynlib, else its look-ups are stored before they are judged", modules);
    if (cfg->val_permissive_mode)
        log_warn("assay: val-permissive-mode is on: bogus answers are let through, whatever the policy follows; required names are still refused");
}

/* The validator keeps its reasons only where somebody asked for them in the log; here they are asked for, without the log. */
static void ask_for_reasons(struct config_file *cfg)
{
    if (cfg->val_log_level == 0 && !cfg->log_servfail && !cfg->ede) {
        cfg->val_log_level = 2;
        cfg->val_log_squelch = 1;
    }
}

static const char *from_environment(const char *name, const char *otherwise)
{
    const char *v = getenv(name);
    return v && *v ? v : otherwise;
}

static void release(struct assay *s)
{
    if (s->workers)
        record_repeats(s);
    s->workers = workers_free(s->workers);
    s->observe = observe_stop(s->observe);
    s->recent = recent_free(s->recent);
    s->watch = watch_stop(s->watch);
    s->suspend = suspend_free(s->suspend);
    aside_flush(log_line);
    if (s->timer && ub_event_free)
        ub_event_free(s->timer); /* its event loop is gone */
    free(s);
}

static bool start(struct assay *s, struct module_env *env)
{
    const char *dir = from_environment("ASSAY_RESOLVER_DIR", ASSAY_STATEDIR "/resolver");
    struct watch_hooks hooks = {.log = log_line};
    char path[4096];
    snprintf(path, sizeof path, "%s/suspensions-ended", dir);
    s->env = env;
    s->ignore_cd = env->cfg->ignore_cd;
    atomic_flag_clear(&s->ticking);
    s->suspend = suspend_new(path);
    s->recent = recent_new();
    s->watch = watch_start(from_environment("ASSAY_POLICY", ASSAY_SYSCONFDIR "/policy"), dir,
                           from_environment("ASSAY_STATE", ASSAY_STATEDIR), &hooks);
    if (!s->suspend || !s->recent || !s->watch)
        return false;
    struct observe_options o = {.dir = dir, .unbound = PACKAGE_VERSION, .watch = s->watch, .hooks = &hooks};
    s->observe = observe_start(&o);
    aside_flush(log_line);
    s->workers = s->observe ? workers_new(s->watch, s->observe) : NULL;
    return s->workers != NULL;
}

int init(struct module_env *env, int id)
{
    struct dynlibmod_env *de = env->modinfo[id];
    struct assay *s = calloc(1, sizeof *s);
    check_configuration(env->cfg);
    ask_for_reasons(env->cfg);
    if (!s || !start(s, env) || !register_callbacks(env, id, s)) {
        if (s)
            release(s);
        log_err("assay: out of memory or threads at start; the module does nothing");
        de->dyn_env = NULL;
        return 1; /* 0 would end the resolver */
    }
    de->dyn_env = s;
    atomic_store(&s->swept, watch_version(s->watch) - 1);
    sweep(s, env); /* what reload_keep_cache kept */
    return 1;
}

void deinit(struct module_env *env, int id)
{
    struct assay *s = assay_of(env, id);
    if (!s)
        return;
    inplace_cb_delete_wrapped(env, inplace_cb_reply_servfail, id);
    inplace_cb_delete_wrapped(env, inplace_cb_reply_local, id);
    inplace_cb_delete_wrapped(env, inplace_cb_query_response, id);
    ((struct dynlibmod_env *)env->modinfo[id])->dyn_env = NULL;
    release(s);
}

/* Refused of late, by this policy, and the answer it was refused for is still in the cache: no need to go the whole way. */
static bool refused_of_late(struct assay *s, struct module_qstate *q, struct query *m)
{
    char text[DECIDE_TEXT];
    struct recent_key k = key_of(q, watch_version(s->watch));
    if (!(q->query_flags & BIT_RD) || q->qinfo.qclass != LDNS_RR_CLASS_IN || q->prefetch_leeway || q->blacklist || q->no_cache_lookup ||
        client_judges(s, q))
        return false;
    struct msgreply_entry *e = msg_cache_lookup(q->env, q->qinfo.qname, q->qinfo.qname_len, q->qinfo.qtype, q->qinfo.qclass, q->query_flags,
                                                *q->env->now, 0);
    if (!e)
        return false;
    bool cached = ((struct reply_info *)e->entry.data)->security == sec_status_unchecked;
    lock_rw_unlock(&e->entry.lock);
    if (!cached || !recent_get(s->recent, &k, *q->env->now, text))
        return false;
    fail(q, m, text);
    return true;
}

/* A query sets out. True: it ends here. */
static bool set_out(struct assay *s, struct module_qstate *q, int id)
{
    start_ticking(s, q->env);
    sweep(s, q->env);
    if (!watch_can_refuse(s->watch) && !watch_can_suspend(s->watch))
        return false;
    if (q->qinfo.qclass == LDNS_RR_CLASS_ANY && watch_can_refuse(s->watch)) {
        /* Its look-ups, one for each class, would be stored before we see them. */
        q->return_rcode = LDNS_RCODE_REFUSED;
        q->return_msg = NULL;
        return true;
    }
    struct query *m = regional_alloc_zero(q->region, sizeof *m);
    if (!m)
        return false; /* judged all the same, and stored over what the validator stored */
    m->store_was = q->no_cache_store;
    q->minfo[id] = m;
    if (refused_of_late(s, q, m))
        return true;
    q->no_cache_store = 1;
    return false;
}

void operate(struct module_qstate *q, enum module_ev event, int id, struct outbound_entry *outbound)
{
    struct assay *s = assay_of(q->env, id);
    bool own = !s || q->is_valrec || q->is_priming; /* look-ups that no client sees */
    (void)outbound;
    switch (event) {
    case module_event_new:
    case module_event_pass:
        q->ext_state[id] = !own && set_out(s, q, id) ? module_finished : module_wait_module;
        break;
    case module_event_moddone:
        if (!own)
            finish(s, q, id);
        q->ext_state[id] = module_finished;
        break;
    default:
        q->ext_state[id] = module_error;
    }
}

void inform_super(struct module_qstate *q, int id, struct module_qstate *super)
{
    (void)q, (void)id, (void)super; /* this module asks nothing of its own */
}

void clear(struct module_qstate *q, int id)
{
    q->minfo[id] = NULL; /* it lies in the query's region */
}

size_t get_mem(struct module_env *env, int id)
{
    return assay_of(env, id) ? sizeof(struct assay) + OBSERVE_QUEUE * 128 + (OBSERVE_QUEUE_LONG + RECENT_SLOTS) * sizeof(struct zones_event) : 0;
}
