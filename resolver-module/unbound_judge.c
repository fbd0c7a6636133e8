// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_judge.c - one answer on its way to the client: decided on (decide.c), recorded, shaped, and stored.
 *
 * Promises: what is refused leaves no message in the query, and nothing in the cache that a worker would serve; what
 * passes is stored as the validator would have; an answer that was judged by a policy which changed meanwhile is judged
 * again. On failure (no memory) an answer that was not judged is not stored by us.
 */
#include "resolver-module/unbound_module.h"
#include "services/cache/dns.h"
#include "services/mesh.h"
#include "util/data/dname.h"
#include "util/net_help.h"
#include "util/regional.h"

#include "base/clock.h"
#include "policy/policy_settings.h"
#include "resolver-module/decide.h"
#include "resolver-module/unbound_answer.h"
#include "resolver-module/unbound_cache.h"
#include "resolver-module/unbound_compat.h"
#include "resolver-module/unbound_message.h"

#define JUDGE_ROUNDS 4

static void event_record(struct assay *s, struct module_qstate *q, const struct answer *a,
                         const struct decide_result *r, struct zones_event *e)
{
    answer_begin(e, r->state, q->qinfo.qtype);
    e->refused = r->what == DECIDE_REFUSE;
    e->would = r->would;
    e->unneeded = r->unneeded;
    if (r->state != DECIDE_STATE_FAILED)
        answer_zone(q, a, r, e);
    const struct policy_statement *st = r->statement ? r->statement : r->excuse;
    if (st)
        memcpy(e->statement, st->id,
               strnlen(st->id, sizeof e->statement - 1)); /* NUL up to its end already (answer_begin) */
    if (r->text[0])
        memcpy(e->reason, r->text, sizeof e->reason);
    e->has_reason = e->reason[0] != '\0';
    if (worker_queue_want_names(observe_queues(s->observe))) {
        e->has_name = true;
        answer_copy_name(e->name, sizeof e->name, a->input.name);
    }
    if (r->record)
        workers_event(s->workers, e);
}

/* A module may ask the same question again for a client's query (subnetcache, for a server without ECS): the refusal's
 * text is then the client's answer. It may ask another one (response-ip, for the target of its alias): the text is
 * given if that is why there is no answer. */
static void tell_supers(struct module_qstate *q, int id, const char *text)
{
    struct mesh_state_ref *super;
    if (!q->mesh_info)
        return;
    RBTREE_FOR(super, struct mesh_state_ref *, &q->mesh_info->super_set)
    {
        struct module_qstate *of = &super->s->s;
        struct query *m = of->minfo[id];
        if (!m)
            continue;
        bool same = of->qinfo.qtype == q->qinfo.qtype && query_dname_compare(of->qinfo.qname, q->qinfo.qname) == 0;
        *(same ? &m->text : &m->behind) = regional_strdup(of->region, text);
    }
}

/* Ends the query as refused, with these words. */
static void query_fail(struct module_qstate *q, int id, const char *text)
{
    struct query *m = q->minfo[id];
    if (m)
        m->text = regional_strdup(q->region, text);
    tell_supers(q, id, text);
    errinf(q, text);
    q->return_rcode = LDNS_RCODE_SERVFAIL;
    q->return_msg = NULL;
    q->no_cache_lookup = 1; /* no expired answer in its place */
}

static struct refusal_key key_of(const struct module_qstate *q, unsigned version)
{
    return (struct refusal_key){
        .name = q->qinfo.qname, .length = q->qinfo.qname_len, .type = q->qinfo.qtype, .version = version};
}

static void refusal_remember(struct assay *s, struct module_qstate *q, unsigned version, const struct zones_event *e)
{
    struct refusal_left left;
    struct refusal_key k = key_of(q, version);
    if (!(q->query_flags & BIT_RD) || COMPAT_NO_CACHE(q) || q->return_msg->rep->ttl <= 0)
        return;
    /* subnetcache may leave a question with CD and a client network (RFC 7871) unvalidated, whatever ignore-cd-flag
     * says: a refusal of its answer is for this client only. */
    if ((q->query_flags & BIT_CD) && cache_module(q, "subnetcache") >= 0)
        return;
    refusal_cache_put(s->refusals, &k, *q->env->now + q->return_msg->rep->ttl, e, &left);
    if (left.event.weight)
        workers_event(s->workers, &left.event);
    if (left.length) /* nobody knows its words any more */
        cache_refuse_no_more(q->env, left.name, left.length, left.type);
}

/* Tells whether we keep the others from storing this answer, and store it ourselves. */
static bool stores(const struct module_qstate *q, const struct query *m)
{
    return m && !m->foreign && !cache_from_subnetcache(q);
}

/* If some clients may not have the answer, it is stored unchecked: the next question for it is judged again. */
static void withhold(struct module_qstate *q, const struct query *m)
{
    /* An answer from the cache is unchecked there already; without `m` other modules have stored it. */
    if (q->return_msg && (!m || (q->reply_origin && stores(q, m))))
        cache_store_unchecked(q);
}

/* A client with CD judges for itself, and gets the answer as it is, if the policy allows that, or if it has nothing to
 * refuse and so leaves ignore-cd-flag as configured. */
static bool client_judges(const struct assay *s, const struct module_qstate *q)
{
    return (q->query_flags & BIT_CD) && !q->env->cfg->ignore_cd &&
           (watch_honours_cd(s->watch) || !watch_can_refuse(s->watch));
}

/* A look-up of Unbound's own that takes the path of a client's question: for an auth-zone's primary, or a trust
 * anchor's keys. */
static bool is_own(const struct module_qstate *q)
{
    return q->mesh_info && q->mesh_info->cb_list && !q->mesh_info->reply_list;
}

static uint64_t question_hash(const struct answer *a)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ a->input.type;
    for (const char *c = a->input.name; *c; c++)
        h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    return h;
}

int64_t unbound_judge_settle_ms(const struct module_env *env, const struct policy *p)
{
    int64_t settle = policy_set_number(p, SETTING_RESOLVER_SUSPENSION_SETTLES),
            least = SUSPEND_TTLS * env->cfg->bogus_ttl;
    return (settle > least ? settle : least) * 1000;
}

/* Notes what the answer says of a suspension. True: one that had ended is in force again, and the answer is to be
 * decided on once more. */
static bool note_suspension(struct assay *s, struct module_qstate *q, const struct policy *p, const struct answer *a,
                            const struct decide_result *r)
{
    bool bogus = r->state == DECIDE_STATE_BOGUS || r->state == DECIDE_STATE_SUSPENDED, say = false;
    if (!bogus && r->state != DECIDE_STATE_SECURE)
        return false;
    const struct policy_statement *st = decide_suspension(p, bogus ? r->subject : a->input.name, a->input.at);
    if (!st)
        return false;
    const struct suspend_answer seen = {
        .secure = !bogus, .fetched = q->reply_origin != NULL, .question = question_hash(a)};
    enum suspend_change change =
        suspend_note(s->suspend, st, &seen, clock_mono_ms(), unbound_judge_settle_ms(q->env, p), &say);
    if (change == SUSPEND_ENDED)
        log_info("assay: %s (%s) has ended by itself: answers there validate again", st->id, st->text);
    if (say)
        log_warn("assay: %s (%s) is in force again: %s does not validate", st->id, st->text, r->subject);
    if (change != SUSPEND_SAME)
        watch_touch(s->watch);
    return change == SUSPEND_AGAIN;
}

struct beside {
    const struct policy *policy;
    const struct decide_input *in;
    struct regional *region;
};

static bool may_stand_beside(void *arg, const struct ub_packed_rrset_key *k)
{
    const struct beside *b = arg;
    enum decide_security how = answer_security(k);
    if (how == DECIDE_SECURE || (k->rk.flags & PACKED_RRSET_RPZ))
        return true;
    const char *owner = answer_name(b->region, k->rk.dname);
    return owner && decide_beside(b->policy, b->in, owner, how);
}

/* Ends a query of a suspended alias, whose target has to be asked for by itself: cut behind the alias. True: it waits
 * for that question. */
static bool follow(struct module_qstate *q, int id, const struct answer *a, const struct decide_result *r)
{
    struct query *m = query_of(q, id);
    struct module_qstate *sub = NULL;
    struct query_info ask = q->qinfo;
    ask.qname = answer_wire(a, r->next, &ask.qname_len);
    ask.local_alias = NULL;
    if (m && ask.qname && (q->query_flags & BIT_RD) && message_cut(q, r->keep) &&
        !q->env->detect_cycle(q, &ask, BIT_RD, 0, 0) && COMPAT_ATTACH_SUB(q, &ask, &sub)) {
        m->follow = FOLLOW_WAITS;
        return true;
    }
    q->return_rcode = LDNS_RCODE_SERVFAIL;
    q->return_msg = NULL;
    q->no_cache_lookup = 1;
    return false;
}

/* Ends the query for now: the same question is asked by itself, without CD and without a network. True: it waits for
 * that; false: it cannot be asked, and there is no answer. */
static bool ask_anew(struct module_qstate *q, struct query *m)
{
    struct module_qstate *sub = NULL;
    struct query_info ask = q->qinfo;
    ask.local_alias = NULL;
    m->anew = true;
    if (!q->env->detect_cycle(q, &ask, BIT_RD, 0, 0) && COMPAT_ATTACH_SUB(q, &ask, &sub)) {
        m->follow = FOLLOW_ANEW;
        return true;
    }
    q->return_rcode = LDNS_RCODE_SERVFAIL;
    q->return_msg = NULL;
    q->no_cache_lookup = 1;
    return false;
}

static bool is_answer(const struct answer *a)
{
    return a->input.rcode == LDNS_RCODE_NOERROR || a->input.rcode == LDNS_RCODE_NXDOMAIN ||
           a->input.rcode == LDNS_RCODE_YXDOMAIN;
}

/* For a client with CD, subnetcache fetches an answer without a client network as the validator fetches keys: it is not
 * validated, whatever ignore-cd-flag says. Data of the operator's own rules needs no validation. */
static bool nobody_validated(const struct assay *s, const struct module_qstate *q, const struct query *m,
                             const struct answer *a)
{
    bool ours = a->input.local_denial || (a->input.count > 0 && a->input.rrsets[0].local);
    return m && !m->anew && m->follow == FOLLOW_NOT && q->return_msg && is_answer(a) && !ours &&
           (q->query_flags & BIT_RD) && (q->query_flags & BIT_CD) && a->input.security != DECIDE_BOGUS &&
           a->input.security < DECIDE_INSECURE && cache_module(q, "subnetcache") >= 0 && !is_own(q) &&
           !client_judges(s, q);
}

/* Of what the operator's own rules changed. What came from the cache stands there already. */
static void keep_behind(struct module_qstate *q, const struct query *m, const struct answer *a)
{
    if (stores(q, m) && q->return_msg && q->reply_origin && m->follow == FOLLOW_NOT && answer_has_local(a))
        cache_store_behind(q);
}

/* Stores what passed, if we are the one who stores it. */
static void answer_keep(struct module_qstate *q, const struct query *m, const struct answer *a)
{
    if (!stores(q, m))
        return;
    if (a->input.rcode == LDNS_RCODE_SERVFAIL)
        cache_store_failure(q);
    else if (q->return_msg && answer_has_local(a))
        keep_behind(q, m, a);
    else if (q->return_msg && is_answer(a) && !m->tail_stays)
        cache_store_passed(q);
}

static void decide_on(struct assay *s, struct module_qstate *q, struct answer *a, const struct query *m,
                      const struct policy *p, struct decide_result *r)
{
    a->input.retired = suspend_ended;
    a->input.retired_arg = s->suspend;
    a->input.paused = watch_paused(s->watch);
    a->input.followed = m && m->follow == FOLLOW_ANSWERED;
    a->input.own = is_own(q);
    a->input.client_judges = client_judges(s, q);
    decide(p, &a->input, r);
    if (watch_can_suspend(s->watch) && note_suspension(s, q, p, a, r))
        decide(p, &a->input, r);
}

/* Tells whether Unbound sends the authority and additional sections. With minimal-responses it leaves them out of a
 * positive answer (its positive_answer()). In a secure message they are examined all the same, because it stays in the
 * cache when that option changes; others are judged again. */
static bool sends_beside(const struct module_qstate *q)
{
    const struct reply_info *rep = q->return_msg->rep;
    if (!q->env->cfg->minimal_responses || rep->security == sec_status_secure || q->qinfo.qtype == LDNS_RR_TYPE_NS ||
        FLAGS_GET_RCODE(rep->flags) != LDNS_RCODE_NOERROR)
        return true;
    bool positive = false;
    for (size_t i = 0; i < rep->an_numrrsets + rep->ns_numrrsets; i++) {
        uint16_t type = ntohs(rep->rrsets[i]->rk.type);
        if (i < rep->an_numrrsets)
            positive |= type == q->qinfo.qtype;
        else if (type == LDNS_RR_TYPE_NSEC || type == LDNS_RR_TYPE_NSEC3)
            return true;
    }
    return !positive;
}

/* Changes the message to what may be given out. */
static void shape(struct assay *s, struct module_qstate *q, const struct policy *p, struct answer *a,
                  const struct decide_result *r)
{
    struct beside b = {p, &a->input, q->env->scratch};
    if (q->return_msg && r->state == DECIDE_STATE_FAILED)
        message_empty(q); /* nobody validated it */
    if (q->return_msg && r->what == DECIDE_PASS_BOGUS)
        message_suspend(q);
    else if (q->return_msg && watch_can_refuse(s->watch) && !a->input.own && sends_beside(q))
        message_thin(q, may_stand_beside, &b);
}

/* Judges once, by the policy in force. True: the query waits for another question's answer. */
static bool query_judge(struct assay *s, struct module_qstate *q, int id, const struct policy *p, unsigned version)
{
    struct query *m = query_of(q, id);
    struct decide_result r;
    struct zones_event e;
    if (q->return_msg)
        cache_clear_mark(q->return_msg->rep);
    if (q->return_msg && watch_can_suspend(s->watch))
        message_unmark(q);
    struct answer *a = answer_of(q);
    if (!a)
        return false;
    if (nobody_validated(s, q, m, a))
        return ask_anew(q, m);
    decide_on(s, q, a, m, p, &r);
    if (r.what == DECIDE_FOLLOW)
        return follow(q, id, a, &r);
    if (r.state == DECIDE_STATE_FAILED && r.what == DECIDE_PASS && m && m->behind) {
        query_fail(q, id, m->behind);
        return false;
    }
    if (r.withhold)
        withhold(q, m);
    event_record(s, q, a, &r, &e);
    if (r.what == DECIDE_REFUSE) {
        bool whole = is_answer(a) && !answer_has_local(a) && !(m && m->follow == FOLLOW_ANSWERED);
        if (q->return_msg && whole) {
            refusal_remember(s, q, version, &e);
            withhold(q, m);
        }
        keep_behind(q, m, a);
        query_fail(q, id, r.text);
        return false;
    }
    shape(s, q, p, a, &r);
    if (m)
        m->changed = answer_has_local(a);
    if (!r.withhold)
        answer_keep(q, m, a);
    return false;
}

/* Appends the answer behind the alias, or takes the validated answer; without one there is no answer. */
static void alias_join(struct module_qstate *q, int id)
{
    struct query *m = query_of(q, id);
    bool anew = m->follow == FOLLOW_ANEW;
    m->follow = FOLLOW_ANSWERED;
    if (!m->text && m->tail && q->return_msg) {
        if (anew) {
            q->return_msg->rep = m->tail;
            m->follow = FOLLOW_NOT;
            m->tail_stays = true; /* it is kept already, under its own question */
            return;
        }
        if (message_join(q, m->tail))
            return;
    }
    q->return_rcode = LDNS_RCODE_SERVFAIL;
    q->return_msg = NULL;
    q->no_cache_lookup = 1;
}

bool unbound_judge_answer(struct assay *s, struct module_qstate *q, int id)
{
    struct query *m = query_of(q, id);
    struct reply_info *whole = q->return_msg ? q->return_msg->rep : NULL; /* as it came: judging shapes it */
    bool refused = m && m->text, waits = false; /* judged and recorded if it was asked on this query's behalf */
    if (refused)
        query_fail(q, id, m->text);
    for (int round = 0; !refused && !waits && round < JUDGE_ROUNDS; round++) {
        unsigned version = watch_version(s->watch);
        const struct policy *p = workers_policy(s->workers, version);
        if (!p)
            break;
        if (q->return_msg)
            q->return_msg->rep = whole;
        waits = query_judge(s, q, id, p, version);
        if (version == watch_version(s->watch) || !q->return_msg)
            break;
    }
    if (m && !waits)
        q->no_cache_store = m->store_was;
    return waits;
}

bool unbound_judge_joined(struct assay *s, struct module_qstate *q, int id)
{
    alias_join(q, id);
    return unbound_judge_answer(s, q, id);
}

bool unbound_judge_waits(const struct query *m)
{
    return m && (m->follow == FOLLOW_WAITS || m->follow == FOLLOW_ANEW);
}

void unbound_judge_inform(struct module_qstate *q, int id, struct module_qstate *super)
{
    struct query *m = super->minfo[id], *of = q->minfo[id];
    bool answered = q->return_rcode == LDNS_RCODE_NOERROR && q->return_msg;
    int rcode = answered ? (int)FLAGS_GET_RCODE(q->return_msg->rep->flags) : LDNS_RCODE_SERVFAIL;
    if (!unbound_judge_waits(m))
        return;
    if (of && of->text)
        m->text = regional_strdup(super->region, of->text);
    if (rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN || rcode == LDNS_RCODE_YXDOMAIN)
        m->tail = reply_info_copy(q->return_msg->rep, NULL, super->region);
    m->tail_stays = !of || of->foreign || of->changed || of->tail_stays || cache_from_subnetcache(q);
}

/* Tells whether a worker may refuse this question from the cache by itself: where nothing that Unbound then leaves out
 * is wanted, and nobody else has a say in the answer. See the contract of unbound_module.c. */
static bool worker_may_refuse(const struct assay *s, const struct module_qstate *q)
{
    const struct config_file *cfg = q->env->cfg;
    const struct module_stack *mods = &q->env->mesh->mods;
    bool alone = mods->num == 3 && strcmp(mods->mod[0]->name, "dynlib") == 0 && cache_module(q, "validator") == 1;
    bool own_use = q->qinfo.qtype == LDNS_RR_TYPE_DS || q->qinfo.qtype == LDNS_RR_TYPE_DNSKEY;
    return atomic_load_explicit(&s->ticks, memory_order_relaxed) && alone && !own_use && !cfg->serve_expired &&
           !cfg->ede && !cfg->log_servfail && !cfg->stat_extended && !watch_honours_cd(s->watch) && q->mesh_info &&
           q->mesh_info->reply_list;
}

bool unbound_judge_refused_again(struct assay *s, struct module_qstate *q, int id)
{
    char text[DECIDE_TEXT];
    struct refusal_key k = key_of(q, watch_version(s->watch));
    if (!(q->query_flags & BIT_RD) || q->qinfo.qclass != LDNS_RR_CLASS_IN || q->prefetch_leeway || q->blacklist ||
        q->no_cache_lookup || client_judges(s, q) || is_own(q))
        return false;
    if (q->client_info) /* response-ip, views or RPZ: by client, and from now on, the answer may be one they change */
        return false;
    struct msgreply_entry *e = msg_cache_lookup(q->env, q->qinfo.qname, q->qinfo.qname_len, q->qinfo.qtype,
                                                q->qinfo.qclass, q->query_flags, *q->env->now, 0);
    if (!e)
        return false;
    const struct reply_info *rep = e->entry.data;
    bool unchecked = rep->security == sec_status_unchecked, cached = unchecked || cache_refuses(rep);
    lock_rw_unlock(&e->entry.lock);
    if (!cached || !refusal_cache_get(s->refusals, &k, *q->env->now, text))
        return false;
    query_fail(q, id, text);
    if (unchecked && worker_may_refuse(s, q))
        cache_refuse(q, s->watch, k.version);
    return true;
}

bool unbound_judge_not_ready(struct module_qstate *q, int id)
{
    struct query *m = query_of(q, id);
    if (is_own(q))
        return false;
    m->not_ready = true;
    query_fail(q, id, "the policy of this resolver is still being read");
    return true;
}

bool unbound_judge_text(const struct assay *s, const struct query_info *question, time_t now, char text[DECIDE_TEXT])
{
    struct refusal_key k = {.type = question->qtype, .version = watch_version(s->watch)};
    uint8_t *name = question->qname;
    size_t length = question->qname_len;
    if (question->local_alias && question->local_alias->rrset) /* local data led to the name that is refused */
        get_cname_target(question->local_alias->rrset, &name, &length);
    k.name = name;
    k.length = length;
    return question->qclass == LDNS_RR_CLASS_IN && refusal_cache_get(s->refusals, &k, now, text);
}
