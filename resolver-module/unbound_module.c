// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_module.c - the six functions that Unbound's dynlib module calls. With unbound_answer.c, which reads Unbound's
 * answers, and unbound_cache.c, which stores them, all that knows Unbound from inside.
 *
 * It translates and decides nothing: decide.c does. Its order, for an answer that the policy may refuse (measured in
 * the project's reference: what is left out here leaks from the cache at the second question):
 *
 *   new      look-ups of the validator and for priming pass untouched. Class ANY is refused. no_cache_store is set, so
 *            that neither iterator nor
 *            validator puts an unsigned answer where a worker would serve it without asking us.
 *   response (callback) a referral, or an answer about a name above the one asked, may be stored: else every query
 *   would walk from the zone's top.
 *   done     judged. Refused: SERVFAIL without message; the answer is stored `unchecked`, so that the next question
 *            comes through here again, without
 *            network. Passed: stored by us as the validator would have. SERVFAIL of the iterator: stored for 5 s as it
 *            would have. What another module keeps from the cache (subnetcache: one network's answer) we do not store
 *            either.
 *   servfail (callback) the Extended DNS Error, from the words of the refusal (RFC 8914).
 *
 * When the policy changes, cached answers that may be judged otherwise are marked `unchecked` (sweep): by a worker, at
 * once if a query comes, else by a timer within a quarter second. An answer that was judged by the old policy and
 * stored meanwhile is judged again (version before, version after).
 *
 * Failure: nothing here stops the resolver; out of memory costs a record or a cache entry.
 */
#include "config.h"
#include "dynlibmod/dynlibmod.h"
#include "services/cache/dns.h"
#include "services/mesh.h"
#include "util/config_file.h"
#include "util/data/dname.h"
#include "util/net_help.h"
#include "util/netevent.h"
#include "util/regional.h"
#include "util/ub_event.h"

#include "base/clock.h"
#include "base/domain.h"
#include "resolver-module/writer_process.h"
#include "resolver-module/decide.h"
#include "resolver-module/observe.h"
#include "resolver-module/refusal_cache.h"
#include "resolver-module/suspend.h"
#include "resolver-module/unbound_answer.h"
#include "resolver-module/unbound_cache.h"
#include "resolver-module/unbound_compat.h"
#include "resolver-module/watch.h"
#include "resolver-module/workers.h"
#include "policy/policy_settings.h"
#include <stdatomic.h>
#include <stddef.h>

/* What Unbound is this module for: compared with `unbound -V` before start (assay-unbound-prepare). */
#ifndef CONFCMDLINE
#define CONFCMDLINE ""
#endif
__attribute__((used, section(".assay.stamp"))) static const char assay_stamp[] =
    "assay-stamp{" PACKAGE_VERSION "|" CONFCMDLINE "}";

/* testbound, Unbound's own replay program, has no event loop to hang a timer on. */
#pragma weak comm_base_internal
#pragma weak ub_event_new
#pragma weak ub_event_free
#pragma weak ub_timer_add

#define OURS 2 /* no_cache_store as we set it: true like another module's 1, and told apart from it */
#define JUDGE_ROUNDS 4
#define TICK_US 250000

struct assay {
    struct watch *watch;
    struct observe *observe;
    struct suspend *suspend;
    struct refusal_cache *recent;
    struct module_env *env; /* the daemon's: for what workers share */
    atomic_uint swept;      /* the version the cache was last marked for */
    atomic_flag ticking;    /* some worker has the timer */
    struct ub_event *timer;
    struct comm_base *timer_base;
    int ignore_cd; /* as configured */
    struct workers *workers;
};

/* Of one client's query, in its region. */
struct query {
    int store_was; /* no_cache_store as it came */
    /* another module set it: dns64 stores by itself what comes out at the end, and subnetcache what is one
       network's */
    bool foreign;
    const char *text; /* of the refusal, or NULL */
};

static struct assay *assay_of(struct module_env *env, int id)
{
    return ((struct dynlibmod_env *)env->modinfo[id])->dyn_env;
}

static void log_line(enum watch_log level, const char *line)
{
    if (writer_process_here())
        writer_process_say(level, line);
    else if (level == WATCH_ERROR)
        log_err("%s", line);
    else if (level == WATCH_WARNING)
        log_warn("%s", line);
    else
        log_info("%s", line);
}

static void record(struct assay *s, struct module_qstate *q, const struct answer *a, const struct decide_result *r,
                   struct zones_event *e)
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
    if (worker_queue_want_names(observe_lanes(s->observe))) {
        e->has_name = true;
        answer_copy_name(e->name, sizeof e->name, a->input.name);
    }
    if (r->record)
        workers_event(s->workers, e);
}

/* ---- judging ---- */

/* Who asks the same question once more on behalf of a client's query (subnetcache, of a server that knows no networks)
 * answers it in our words. */
static void tell_supers(struct module_qstate *q, int id, const char *text)
{
    struct mesh_state_ref *super;
    if (!q->mesh_info)
        return;
    RBTREE_FOR(super, struct mesh_state_ref *, &q->mesh_info->super_set)
    {
        struct module_qstate *of = &super->s->s;
        struct query *m = of->minfo[id];
        if (m && of->qinfo.qtype == q->qinfo.qtype && query_dname_compare(of->qinfo.qname, q->qinfo.qname) == 0)
            m->text = regional_strdup(of->region, text);
    }
}

/* Ends the query as refused, with these words. */
static void fail(struct module_qstate *q, int id, const char *text)
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

static struct recent_key key_of(const struct module_qstate *q, unsigned version)
{
    return (struct recent_key){
        .name = q->qinfo.qname, .length = q->qinfo.qname_len, .type = q->qinfo.qtype, .version = version};
}

static void remember(struct assay *s, struct module_qstate *q, unsigned version, const struct zones_event *e)
{
    struct zones_event left;
    struct recent_key k = key_of(q, version);
    if (!(q->query_flags & BIT_RD) || COMPAT_NO_CACHE(q) || q->return_msg->rep->ttl <= 0)
        return;
    refusal_cache_put(s->recent, &k, *q->env->now + q->return_msg->rep->ttl, e, &left);
    if (left.weight)
        workers_event(s->workers, &left);
}

/* Whether we keep the others from storing this answer, and store it ourselves. */
static bool stores(const struct module_qstate *q, const struct query *m)
{
    return m && !m->foreign && !cache_from_subnetcache(q);
}

/* Withheld from some, the answer is kept so that the next question for it comes through here again. */
static void withhold(struct module_qstate *q, const struct query *m)
{
    /* One that came from the cache is unchecked there already; without m others have stored it. */
    if (q->return_msg && (!m || (q->reply_origin && stores(q, m))))
        cache_store_unchecked(q);
}

static void refuse(struct module_qstate *q, int id, const struct decide_result *r)
{
    withhold(q, q->minfo[id]);
    fail(q, id, r->text);
}

/* A CD client that this resolver lets judge for itself gets what there is. */
static bool client_judges(const struct assay *s, const struct module_qstate *q)
{
    return (q->query_flags & BIT_CD) && watch_honours_cd(s->watch) && !q->env->cfg->ignore_cd;
}

static void note_suspension(struct assay *s, const struct policy *p, const struct answer *a,
                            const struct decide_result *r)
{
    const struct policy_statement *st = r->excuse && r->excuse->kind == POLICY_SUSPEND ? r->excuse : NULL;
    if (!st && r->state == DECIDE_STATE_SECURE) {
        const char *kept = decide_kept(a->input.name);
        st = kept ? policy_suspended(p, kept, a->input.at) : NULL;
    }
    if (!st || suspend_ended(s->suspend, st))
        return;
    int64_t settle = policy_set_number(p, SETTING_RESOLVER_SUSPENSION_SETTLES) * 1000;
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
    struct answer *a = answer_of(q);
    if (!a)
        return;
    a->input.retired = suspend_ended;
    a->input.retired_arg = s->suspend;
    a->input.paused = watch_paused(s->watch);
    decide(p, &a->input, &r);
    if (watch_can_suspend(s->watch))
        note_suspension(s, p, a, &r);
    if (r.what == DECIDE_REFUSE && client_judges(s, q)) {
        r.what = DECIDE_PASS; /* unchecked all the same: others are not let through */
        withhold(q, m);
        m = NULL;
    }
    record(s, q, a, &r, &e);
    if (r.what == DECIDE_REFUSE) {
        if (q->return_msg)
            remember(s, q, version, &e);
        refuse(q, id, &r);
        return;
    }
    if (r.what == DECIDE_PASS_BOGUS)
        q->return_msg->rep->security = sec_status_insecure;
    if (q->return_msg && a->input.rewritten)
        return; /* what the operator's rules made of it is not what others should get from the cache */
    if (!stores(q, m))
        return;
    if (q->return_msg)
        cache_store_passed(q);
    else if (a->input.rcode == LDNS_RCODE_SERVFAIL)
        cache_store_failure(q);
}

static void finish(struct assay *s, struct module_qstate *q, int id)
{
    struct query *m = minfo_of(q, id);
    bool refused = m && m->text; /* the question that was asked once more on its behalf: judged and recorded there */
    if (refused)
        fail(q, id, m->text);
    for (int round = 0; !refused && round < JUDGE_ROUNDS; round++) {
        unsigned version = watch_version(s->watch);
        const struct policy *p = workers_policy(s->workers, version);
        if (!p)
            break;
        judge(s, q, id, p, version);
        if (version == watch_version(s->watch) || !q->return_msg)
            break;
    }
    if (m)
        q->no_cache_store = m->store_was;
}

/* ---- marking the cache for another judgement ---- */

/* What the configuration must say for the policy's word to hold. */
static void force_options(struct assay *s, struct config_file *cfg)
{
    if (!watch_can_refuse(s->watch))
        return;
    int ignore_cd = watch_honours_cd(s->watch) ? s->ignore_cd : 1;
    if (cfg->ignore_cd != ignore_cd) {
        cfg->ignore_cd = ignore_cd;
        log_info("assay: ignore-cd-flag is now %s: the policy requires DNSSEC of names (set resolver.cd)",
                 ignore_cd ? "yes" : "no");
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
    force_options(s, env->cfg);
    worker_queue_swept(observe_lanes(s->observe), cache_mark_all(env));
}

static void record_repeats(struct assay *s)
{
    struct zones_event e;
    for (size_t i = 0; i < REFUSAL_CACHE_SLOTS; i++)
        if (refusal_cache_take(s->recent, i, &e))
            workers_event(s->workers, &e);
}

static void tick(int fd, short events, void *arg)
{
    struct assay *s = arg;
    (void)fd;
    (void)events;
    watch_look(s->watch);
    observe_look(s->observe);
    sweep(s, s->env);
    record_repeats(s);
    writer_process_flush(log_line);
    struct timeval every = {.tv_usec = TICK_US};
    ub_timer_add(s->timer, comm_base_internal(s->timer_base), tick, s, &every);
}

/* The first worker that has a query keeps the timer, in its own event loop, where no lock is held. */
static void start_ticking(struct assay *s, struct module_env *env)
{
    if (!comm_base_internal || !ub_event_new || !ub_timer_add || !env->worker_base ||
        atomic_flag_test_and_set(&s->ticking))
        return;
    s->timer_base = env->worker_base;
    struct ub_event_base *base = comm_base_internal(s->timer_base);
    struct timeval every = {.tv_usec = TICK_US};
    if (!base) /* testbound's */
        return;
    s->timer = ub_event_new(base, -1, UB_EV_TIMEOUT, tick, s);
    if (s->timer)
        ub_timer_add(s->timer, base, tick, s, &every);
    watch_look(s->watch);
}

/* ---- callbacks ---- */

static int servfail_callback(struct query_info *qinfo, struct module_qstate *q, struct reply_info *rep, int rcode,
                             struct edns_data *edns, struct edns_option **options, struct comm_reply *repinfo,
                             struct regional *region, struct timeval *start, int id, void *arg)
{
    (void)qinfo, (void)rep, (void)rcode, (void)edns, (void)repinfo, (void)start, (void)arg;
    struct query *m = q ? minfo_of(q, id) : NULL;
    if (m && m->text)
        edns_opt_list_append_ede(options, region, LDNS_EDE_BLOCKED, m->text);
    return 1;
}

static int local_callback(struct query_info *qinfo, struct module_qstate *q, struct reply_info *rep, int rcode,
                          struct edns_data *edns, struct edns_option **options, struct comm_reply *repinfo,
                          struct regional *region, struct timeval *start, int id, void *arg)
{
    (void)q, (void)rep, (void)rcode, (void)edns, (void)options, (void)repinfo, (void)start, (void)id;
    struct assay *s = arg;
    struct zones_event e;
    if (!qinfo || !qinfo->qname) /* class CHAOS: what the server says of itself */
        return 1;
    answer_begin(&e, DECIDE_STATE_LOCAL, qinfo->qtype);
    e.whole_org = true;
    answer_copy_name(e.zone, sizeof e.zone, answer_name(region, qinfo->qname));
    workers_event(s->workers, &e);
    return 1;
}

/* Whether a response only shows the way: a referral, or an answer about a name above the one asked (query name
 * minimisation). */
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
    if (!m || !response || !response->rep)
        return 1;
    cache_let_subnetcache_store(q, OURS);
    m->foreign = q->no_cache_store && q->no_cache_store != OURS;
    if (!m->foreign)
        q->no_cache_store = shows_the_way(q, response) ? 0 : OURS;
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
    static const char *const caches[] = {"subnetcache", "cachedb"};
    const char *modules = cfg->module_conf ? cfg->module_conf : "";
    const char *us = strstr(modules, "dynlib"), *validator = strstr(modules, "validator");
    if (!validator || (us && validator < us))
        log_err("assay: module-config \"%s\": nothing is validated before this module sees it; write \"dynlib "
                "validator iterator\"",
                modules);
    if (us && strstr(us, "dns64"))
        log_err("assay: module-config \"%s\": dns64 must stand before dynlib, else its look-ups are stored before they "
                "are judged",
                modules);
    for (size_t i = 0; us && i < sizeof caches / sizeof caches[0]; i++) {
        const char *cache = strstr(modules, caches[i]);
        if (cache && cache < us)
            log_err("assay: module-config \"%s\": %s must stand after dynlib, else it answers before this module sees "
                    "the question",
                    modules, caches[i]);
    }
    if (us && strstr(us, "cachedb"))
        log_warn("assay: module-config \"%s\": while the policy requires DNSSEC of names, cachedb is asked but given "
                 "nothing new to keep",
                 modules);
    if (cfg->val_permissive_mode)
        log_warn("assay: val-permissive-mode is on: bogus answers are let through, whatever the policy follows; "
                 "required names are still refused");
}

/* The validator keeps its reasons only where somebody asked for them in the log; here they are asked for, without the
 * log. */
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
    s->recent = refusal_cache_free(s->recent);
    s->watch = watch_stop(s->watch);
    s->suspend = suspend_free(s->suspend);
    writer_process_flush(log_line);
    if (s->timer && ub_event_free)
        ub_event_free(s->timer); /* its event loop is gone */
    free(s);
}

/* Whether this resolver has one thread, and shall keep to it: then a process writes, and the timer looks after the
 * policy. Not where memory is full already (reload_keep_cache), nor without a timer (testbound). */
static bool stays_alone(const struct module_env *env)
{
    return env->cfg->num_threads <= 1 && comm_base_internal && writer_process_is_light();
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
    (void)writer_process_ready();
    s->suspend = suspend_new(path);
    s->recent = refusal_cache_new();
    s->watch = watch_start(from_environment("ASSAY_POLICY", ASSAY_SYSCONFDIR "/policy"), dir,
                           from_environment("ASSAY_STATE", ASSAY_STATEDIR), &hooks);
    if (!s->suspend || !s->recent || !s->watch)
        return false;
    struct observe_options o = {
        .dir = dir, .unbound = PACKAGE_VERSION, .watch = s->watch, .hooks = &hooks, .apart = stays_alone(env)};
    s->observe = observe_start(&o);
    writer_process_flush(log_line);
    if (s->observe && observe_is_apart(s->observe))
        watch_leave_snapshot(s->watch);
    else if (!watch_follow(s->watch))
        return false;
    s->workers = s->observe ? workers_new(s->watch, observe_lanes(s->observe)) : NULL;
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

/* Refused of late, by this policy, and the answer it was refused for is still in the cache: no need to go the whole
 * way. */
static bool refused_of_late(struct assay *s, struct module_qstate *q, int id)
{
    char text[DECIDE_TEXT];
    struct recent_key k = key_of(q, watch_version(s->watch));
    if (!(q->query_flags & BIT_RD) || q->qinfo.qclass != LDNS_RR_CLASS_IN || q->prefetch_leeway || q->blacklist ||
        q->no_cache_lookup || client_judges(s, q))
        return false;
    struct msgreply_entry *e = msg_cache_lookup(q->env, q->qinfo.qname, q->qinfo.qname_len, q->qinfo.qtype,
                                                q->qinfo.qclass, q->query_flags, *q->env->now, 0);
    if (!e)
        return false;
    bool cached = ((struct reply_info *)e->entry.data)->security == sec_status_unchecked;
    lock_rw_unlock(&e->entry.lock);
    if (!cached || !refusal_cache_get(s->recent, &k, *q->env->now, text))
        return false;
    fail(q, id, text);
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
    m->foreign = q->no_cache_store != 0;
    q->minfo[id] = m;
    cache_let_subnetcache_store(q, OURS);
    if (refused_of_late(s, q, id))
        return true;
    if (!m->foreign)
        q->no_cache_store = OURS;
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
    return assay_of(env, id) ? sizeof(struct assay) + WORKER_QUEUE_QUEUE * 128 +
                                   (WORKER_QUEUE_QUEUE_LONG + REFUSAL_CACHE_SLOTS) * sizeof(struct zones_event)
                             : 0;
}
