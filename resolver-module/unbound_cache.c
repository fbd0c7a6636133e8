// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_cache.c - what goes into Unbound's message cache and how it stands there.
 *
 * Promises: what is stored is what iterator and validator would have stored (their lines on time to live, prefetch,
 * expired answers and failures are followed; where versions differ see unbound_compat.h). No lock is held at return. On
 * failure (no memory) there is no entry, and the next question goes to the network.
 */
#include "resolver-module/unbound_cache.h"
#include "services/cache/dns.h"
#include "services/mesh.h"
#include "validator/val_neg.h"
#include "validator/validator.h"
#ifdef CLIENT_SUBNET
#include "edns-subnet/subnetmod.h"
#endif

#include "resolver-module/unbound_compat.h"

#define RCODE_TTL 5              /* seconds a failure is remembered: the iterator's NORR_TTL */
#define REFUSED LDNS_EDE_BLOCKED /* as the reason of a bogus answer; the validator never gives this one */

/* Tells whether a message is a referral: it has no data, and no proof that there is none. */
static bool is_referral(const struct reply_info *rep)
{
    bool soa = false;
    for (size_t i = rep->an_numrrsets; i < rep->an_numrrsets + rep->ns_numrrsets; i++)
        soa |= ntohs(rep->rrsets[i]->rk.type) == LDNS_RR_TYPE_SOA;
    return rep->an_numrrsets == 0 && !soa && FLAGS_GET_RCODE(rep->flags) == LDNS_RCODE_NOERROR;
}

/* A query without RD is stored by the iterator alone, which validates nothing; and the response may be a referral,
 * which is not an answer. */
static void store_rep(struct module_qstate *q, struct query_info *under, const struct reply_info *rep,
                      enum sec_status as)
{
    bool recursion = (q->query_flags & BIT_RD) != 0;
    if (COMPAT_NO_CACHE(q) || (!recursion && is_referral(rep)))
        return;
    struct reply_info copy = *rep; /* dns_cache_store copies all it keeps, and leaves this one alone */
    cache_clear_mark(&copy);
    copy.security = recursion ? as : sec_status_unchecked;
    if (!COMPAT_CACHE_STORE(q->env, under, &copy, q->prefetch_leeway, q->query_flags, q->qstarttime))
        log_err("assay: out of memory storing an answer");
}

static void store(struct module_qstate *q, struct query_info *under, enum sec_status as)
{
    store_rep(q, under, q->return_msg->rep, as);
}

/* Tells whether the cache holds an answer that a failure must not replace; an expired answer that may be served then
 * gets more time, as the iterator would give it. Holds no lock at return. */
static bool has_better(struct module_qstate *q)
{
    struct config_file *cfg = q->env->cfg;
    struct msgreply_entry *m =
        msg_cache_lookup(q->env, q->qinfo.qname, q->qinfo.qname_len, q->qinfo.qtype, q->qinfo.qclass, q->query_flags,
                         cfg->serve_expired ? 0 : *q->env->now, cfg->serve_expired);
    if (!m)
        return false;
    struct reply_info *rep = m->entry.data;
    int rcode = FLAGS_GET_RCODE(rep->flags);
    bool good = rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN;
    bool refused = rep->security == sec_status_unchecked || cache_refuses(rep); /* may not be served */
    bool better = good && !refused;
    if (better && cfg->serve_expired) {
        if (cfg->serve_expired_ttl_reset && *q->env->now + cfg->serve_expired_ttl > rep->serve_expired_ttl)
            rep->serve_expired_ttl = *q->env->now + cfg->serve_expired_ttl;
        COMPAT_SERVE_NOREC(rep, *q->env->now + RCODE_TTL);
    }
    lock_rw_unlock(&m->entry.lock);
    return better;
}

void cache_store_failure(struct module_qstate *q)
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

void cache_store_passed(struct module_qstate *q)
{
    struct reply_info *rep = q->return_msg->rep;
    if (rep->security == sec_status_secure && q->env->neg_cache)
        val_neg_addreply(q->env->neg_cache, rep);
    /* A proof about a name above the one asked is stored under that name, as the validator stores it; what is not
     * proved is stored under the name that was asked and judged. */
    store(q, rep->security == sec_status_secure ? &q->return_msg->qinfo : &q->qinfo, rep->security);
}

void cache_store_unchecked(struct module_qstate *q)
{
    /* YXDOMAIN (RFC 6672 2.2), the one answer that message_keep_from() cannot keep from a client, is not stored. */
    if (FLAGS_GET_RCODE(q->return_msg->rep->flags) != LDNS_RCODE_YXDOMAIN)
        store(q, &q->qinfo, sec_status_unchecked);
}

/* One alias of the answer (CNAME, DNAME), under its own name and type. */
static void store_link(struct module_qstate *q, struct ub_packed_rrset_key *k)
{
    const struct packed_rrset_data *d = k->entry.data;
    struct query_info under = q->qinfo;
    struct reply_info rep = *q->return_msg->rep;
    under.qname = k->rk.dname;
    under.qname_len = k->rk.dname_len;
    under.qtype = ntohs(k->rk.type);
    rep.rrsets = &k;
    rep.an_numrrsets = rep.rrset_count = 1;
    rep.ns_numrrsets = rep.ar_numrrsets = 0;
    rep.ttl = d->ttl;
    rep.prefetch_ttl = PREFETCH_TTL_CALC(rep.ttl);
    rep.serve_expired_ttl = rep.ttl + q->env->cfg->serve_expired_ttl;
    FLAGS_SET_RCODE(rep.flags, LDNS_RCODE_NOERROR);
    store_rep(q, &under, &rep, sec_status_unchecked);
}

int cache_module(const struct module_qstate *q, const char *name)
{
    const struct module_stack *mods = &q->env->mesh->mods;
    for (int i = 0; i < mods->num; i++)
        if (mods->mod[i]->name[0] == name[0] && strcmp(mods->mod[i]->name, name) == 0)
            return i;
    return -1;
}

/* The last part of the message as the validator had it, before response-ip changed it. */
static void store_last_part(struct module_qstate *q)
{
    int id = cache_module(q, "validator");
    const struct val_qstate *v = id >= 0 ? q->minfo[id] : NULL;
    if (!v || !v->chase_reply || v->chase_reply->an_numrrsets == 0 ||
        v->chase_reply->security < sec_status_indeterminate || v->qchase.qtype != q->qinfo.qtype)
        return;
    for (size_t i = 0; i < v->chase_reply->rrset_count; i++)
        if (v->chase_reply->rrsets[i]->rk.flags & (PACKED_RRSET_RPZ | PACKED_RRSET_FIXEDTTL))
            return;
    struct query_info under = v->qchase;
    struct reply_info rep = *v->chase_reply;
    rep.ar_numrrsets = 0;
    rep.rrset_count = rep.an_numrrsets + rep.ns_numrrsets;
    store_rep(q, &under, &rep, sec_status_unchecked);
}

void cache_store_behind(struct module_qstate *q)
{
    struct reply_info *rep = q->return_msg->rep;
    for (size_t i = 0; i < rep->an_numrrsets; i++) {
        struct ub_packed_rrset_key *k = rep->rrsets[i];
        if (k->rk.flags & (PACKED_RRSET_RPZ | PACKED_RRSET_FIXEDTTL))
            break;
        uint16_t type = ntohs(k->rk.type);
        if ((type == LDNS_RR_TYPE_CNAME || type == LDNS_RR_TYPE_DNAME) && q->qinfo.qtype != type)
            store_link(q, k);
    }
    store_last_part(q);
}

#ifdef CLIENT_SUBNET
static void let_store(struct subnet_qstate *sq, int ours)
{
    if (sq && sq->started_no_cache_store == ours)
        sq->started_no_cache_store = 0;
}

/* subnetcache remembers no_cache_store as it was when the query began. That was our value, with which it would store
 * nothing. */
void cache_let_subnetcache_store(const struct module_qstate *q, int ours)
{
    int id = cache_module(q, "subnetcache");
    struct mesh_state_ref *super;
    if (id < 0)
        return;
    let_store(q->minfo[id], ours);
    if (q->mesh_info)
        RBTREE_FOR(super, struct mesh_state_ref *, &q->mesh_info->super_set)
    let_store(super->s->s.minfo[id], ours);
}

/* Tells whether the answer came out of subnetcache's own cache, behind which nobody was asked. */
bool cache_from_subnetcache(const struct module_qstate *q)
{
    int subnet = cache_module(q, "subnetcache");
    int validator = subnet >= 0 && q->minfo[subnet] ? cache_module(q, "validator") : -1;
    return validator >= 0 && !q->minfo[validator];
}
#else
void cache_let_subnetcache_store(const struct module_qstate *q, int ours)
{
    (void)q, (void)ours;
}

bool cache_from_subnetcache(const struct module_qstate *q)
{
    (void)q;
    return false;
}
#endif

/* ---- refused by the worker ---- */

void cache_clear_mark(struct reply_info *rep)
{
    if (rep->reason_bogus == REFUSED)
        rep->reason_bogus = LDNS_EDE_NONE;
}

bool cache_refuses(const struct reply_info *rep)
{
    return rep->security == sec_status_bogus && rep->reason_bogus == REFUSED;
}

static void set_refused(struct reply_info *rep, bool on)
{
    rep->security = on ? sec_status_bogus : sec_status_unchecked;
    rep->reason_bogus = on ? REFUSED : LDNS_EDE_NONE;
}

/* The version is compared under the entry's lock: a change of it is followed by cache_mark_all(), which takes the lock
 * after this, and takes the mark off. */
void cache_refuse(struct module_qstate *q, const struct watch *watch, unsigned version)
{
    struct msgreply_entry *e = msg_cache_lookup(q->env, q->qinfo.qname, q->qinfo.qname_len, q->qinfo.qtype,
                                                q->qinfo.qclass, q->query_flags, *q->env->now, 1);
    if (!e)
        return;
    struct reply_info *rep = e->entry.data;
    if (rep->security == sec_status_unchecked && watch_version(watch) == version)
        set_refused(rep, true);
    lock_rw_unlock(&e->entry.lock);
}

/* What was asked with CD stands by itself in the cache, for AAAA. */
void cache_refuse_no_more(struct module_env *env, uint8_t *name, size_t length, uint16_t type)
{
    static const uint16_t flags[] = {0, BIT_CD};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        struct msgreply_entry *e = msg_cache_lookup(env, name, length, type, LDNS_RR_CLASS_IN, flags[i], 0, 1);
        if (!e)
            continue;
        struct reply_info *rep = e->entry.data;
        if (cache_refuses(rep))
            set_refused(rep, false);
        lock_rw_unlock(&e->entry.lock);
    }
}

/* Answers that are neither proved nor failed: what the policy says may differ now. Bogus ones too, for suspensions, and
 * denials without any record set. */
static void mark_entry(struct lruhash_entry *e, void *arg)
{
    struct reply_info *rep = e->data;
    uint64_t *count = arg;
    int rcode = FLAGS_GET_RCODE(rep->flags);
    bool answers = rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN || rcode == LDNS_RCODE_YXDOMAIN;
    if (rep->security == sec_status_unchecked || rep->security == sec_status_secure || !answers)
        return;
    if (cache_refuses(rep))
        set_refused(rep, false);
    rep->security = sec_status_unchecked;
    if (rcode == LDNS_RCODE_YXDOMAIN) { /* see cache_store_unchecked(); a failure is not served when expired */
        rep->ttl = 0;
        FLAGS_SET_RCODE(rep->flags, LDNS_RCODE_SERVFAIL);
    }
    ++*count;
}

uint64_t cache_mark_all(struct module_env *env)
{
    uint64_t count = 0;
    slabhash_traverse(env->msg_cache, 1, mark_entry, &count);
    return count;
}
