// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_module.c - the six functions that Unbound's dynlib module calls. Only this file and unbound_judge.c,
 * unbound_options.c, unbound_answer.c (reads Unbound's answers), unbound_message.c (changes them) and unbound_cache.c
 * (stores them) know Unbound's internals.
 *
 * It translates; decide.c decides what becomes of an answer. Class ANY alone is refused here: there is nothing to
 * judge. Its order, for an answer that the policy may refuse (a step that is left out lets the answer leak from the
 * cache at the second question):
 *
 *   new      look-ups of the validator and for priming pass untouched. Class ANY is refused. no_cache_store is set, so
 *            that neither iterator nor validator puts an unsigned answer where a worker would serve it without asking
 *            us.
 *   response (callback) a referral, or an answer about a name above the one asked, may be stored: else every query
 *            would walk from the zone's top.
 *   done     judged. Refused: SERVFAIL without message; the answer is stored `unchecked`, so that the next question
 *            comes through here again, without network. Passed: stored by us as the validator would have. SERVFAIL of
 *            the iterator: stored for 5 s as it would have. What another module keeps from the cache (subnetcache: one
 *            network's answer) we do not store either. Of what the operator's own rules changed (RPZ, response-ip) only
 *            what follows the change is stored. Where validation is suspended for an alias, what it leads to is
 *            asked for by itself, and joined on (`pass` is the event that then wakes us).
 *   reply, servfail, cache (callbacks) the Extended DNS Error of a refusal, or of a suspension (RFC 8914).
 *
 * A question that is refused again and again is then refused by the worker itself, from the cache: its stored answer is
 * marked bogus (cache_refuse), which the worker answers as SERVFAIL, and the callback adds the words and counts it. The
 * data stays in the cache for Unbound's own look-ups, which take what is bogus there as they take what is unchecked.
 * Where the worker would leave out what is wanted, or somebody else has a say, each question goes the whole way
 * instead:
 *
 *   another module in the chain    RPZ, response-ip, views and networks (RFC 7871) change answers by client; DNS64 and
 *                                  cachedb take answers on
 *   serve-expired                  the worker would refuse by an answer that has ended
 *   resolver.cd honour             clients with CD get the data
 *   ede: yes                       1.17 adds Extended DNS Error 6 of its own to each bogus answer
 *   log-servfail, extended-statistics   no line is logged, and the answers are counted as bogus
 *   DS, DNSKEY                     are the validator's own
 *
 * When the policy changes, cached answers that may be judged otherwise are marked `unchecked` (sweep): by a worker, at
 * once if a query comes, else by a timer within a tenth of a second. An answer that was judged by the old policy and
 * stored meanwhile is judged again (version before, version after). Configuration options that the policy depends on
 * are compared at every query, at every answer from the cache and by the timer, and put right. An answer that is on its
 * way out only because ignore-cd-flag was changed (unbound-control set_option) is kept from the client by the callback.
 *
 * Failure: nothing here stops the resolver; out of memory costs a record or a cache entry. A worker of the resolver
 * uses no file here: that is the threads' work (background.h).
 */
#include "resolver-module/unbound_module.h"
#include "services/cache/dns.h"
#include "services/mesh.h"
#include "util/data/dname.h"
#include "util/net_help.h"
#include "util/netevent.h"
#include "util/regional.h"
#include "util/ub_event.h"

#include "base/clock.h"
#include "base/secret.h"
#include "resolver-module/background.h"
#include "resolver-module/decide.h"
#include "resolver-module/unbound_answer.h"
#include "resolver-module/unbound_cache.h"
#include "resolver-module/unbound_compat.h"
#include "resolver-module/unbound_message.h"
#include "policy/policy_settings.h"
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

#define TICK_US 100000
#define EDE_NEGATIVE_TRUST_ANCHOR ((sldns_ede_code)33) /* IANA's number; Unbound has no name for it */

static void log_safe(enum watch_log level, const char *line)
{
    if (background_here())
        background_say(level, line);
    else if (level == WATCH_ERROR)
        log_err("%s", line);
    else if (level == WATCH_WARNING)
        log_warn("%s", line);
    else
        log_info("%s", line);
}

static void log_visible(enum watch_log level, const char *line)
{
    struct buf safe = BUF_INIT;
    secret_add_line(&safe, slice_str(line));
    log_safe(level, safe.failed ? "a line was lost: out of memory" : safe.p);
    buf_release(&safe);
}

/* ---- marking the cache for another judgement ---- */

static void module_sweep(struct assay *s, struct module_env *env)
{
    unsigned version = watch_version(s->watch), swept = atomic_load(&s->swept);
    if (version == swept || !atomic_compare_exchange_strong(&s->swept, &swept, version))
        return;
    unbound_options_force(s);
    unbound_options_warn(s, env);
    worker_queue_swept(observe_queues(s->observe), cache_mark_all(env));
}

static void record_repeats(struct assay *s)
{
    struct zones_event e;
    bool some = refusal_cache_repeated(s->refusals);
    for (size_t i = 0; some && i < REFUSAL_CACHE_SLOTS; i++)
        if (refusal_cache_take(s->refusals, i, &e))
            workers_event(s->workers, &e);
}

static void tick(int fd, short events, void *arg)
{
    struct assay *s = arg;
    (void)fd;
    (void)events;
    watch_look(s->watch);
    observe_look(s->observe);
    unbound_options_mind(s);
    record_repeats(s);
    background_flush(log_visible);
    module_sweep(s, s->env); /* after the log: what it says of a change is then so */
    struct timeval every = {.tv_usec = TICK_US};
    ub_timer_add(s->timer, comm_base_internal(s->timer_base), tick, s, &every);
}

/* The first worker that has a query keeps the timer, in its own event loop, if no lock is held. */
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
        atomic_store(&s->ticks, ub_timer_add(s->timer, base, tick, s, &every) == 0);
}

/* ---- callbacks ---- */

/* A worker refuses from the cache by itself. It holds locks of the cache. */
static void tell_refusal(struct assay *s, const struct query_info *qinfo, const struct timeval *now,
                         struct edns_option **options, struct regional *region)
{
    char text[DECIDE_TEXT];
    unbound_options_mind(s);
    bool known = unbound_judge_text(s, qinfo, now->tv_sec, text);
    edns_opt_list_append_ede(options, region, LDNS_EDE_BLOCKED,
                             known ? text : "refused by the policy of this resolver");
}

static int servfail_callback(struct query_info *qinfo, struct module_qstate *q, struct reply_info *rep, int rcode,
                             struct edns_data *edns, struct edns_option **options, struct comm_reply *repinfo,
                             struct regional *region, struct timeval *start, int id, void *arg)
{
    (void)rcode, (void)edns, (void)repinfo;
    struct query *m = q ? query_of(q, id) : NULL;
    if (m && m->text)
        edns_opt_list_append_ede(options, region, m->not_ready ? LDNS_EDE_NOT_READY : LDNS_EDE_BLOCKED, m->text);
    else if (!q && qinfo && rep && start && cache_refuses(rep))
        tell_refusal(arg, qinfo, start, options, region);
    return 1;
}

/* Extended DNS Error 33 where the answer is given out under a suspension. */
static void tell_suspension(struct assay *s, const struct reply_info *rep, struct edns_option **options,
                            struct regional *region)
{
    const struct ub_packed_rrset_key *k = message_marked(rep);
    const struct policy *p = k ? watch_policy(s->watch) : NULL;
    char text[DECIDE_TEXT];
    if (!p)
        return;
    decide_suspension_text(decide_suspension(p, answer_name(region, k->rk.dname), 0), text);
    edns_opt_list_append_ede(options, region, EDE_NEGATIVE_TRUST_ANCHOR, text);
    policy_unref(p);
}

static int reply_callback(struct query_info *qinfo, struct module_qstate *q, struct reply_info *rep, int rcode,
                          struct edns_data *edns, struct edns_option **options, struct comm_reply *repinfo,
                          struct regional *region, struct timeval *start, int id, void *arg)
{
    (void)rcode, (void)edns, (void)repinfo, (void)start, (void)id;
    struct assay *s = arg;
    unbound_options_mind(s); /* an answer from the cache passes no module: only this callback sees it */
    if (s->ignore_cd.on && rep && qinfo && message_unjudged(rep))
        message_keep_from(qinfo, q, rep, region); /* given out only because ignore-cd-flag was changed */
    else if (rep && watch_can_suspend(s->watch))
        tell_suspension(s, rep, options, region);
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

/* Tells whether a response is a referral, or an answer about a name above the one asked (query name minimisation). */
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
    struct query *m = query_of(q, id);
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
           inplace_cb_register_wrapped(reply_callback, inplace_cb_reply, s, env, id) &&
           inplace_cb_register_wrapped(reply_callback, inplace_cb_reply_cache, s, env, id) &&
           inplace_cb_register_wrapped(local_callback, inplace_cb_reply_local, s, env, id) &&
           inplace_cb_register_wrapped(response_callback, inplace_cb_query_response, s, env, id);
}

/* ---- the six functions ---- */

/* The symbols that dlsym finds; all others are local (version.map). */
#pragma GCC visibility push(default)
int init(struct module_env *env, int id);
void deinit(struct module_env *env, int id);
void operate(struct module_qstate *q, enum module_ev event, int id, struct outbound_entry *outbound);
void inform_super(struct module_qstate *q, int id, struct module_qstate *super);
void clear(struct module_qstate *q, int id);
size_t get_mem(struct module_env *env, int id);
#pragma GCC visibility pop

static const char *from_environment(const char *name, const char *otherwise)
{
    const char *v = getenv(name);
    return v && *v ? v : otherwise;
}

static void module_release(struct assay *s)
{
    if (s->workers)
        record_repeats(s);
    s->workers = workers_free(s->workers);
    s->observe = observe_stop(s->observe);
    s->refusals = refusal_cache_free(s->refusals);
    s->watch = watch_stop(s->watch);
    suspend_release(s->suspend);
    background_flush(log_visible);
    if (s->timer && ub_event_free)
        ub_event_free(s->timer); /* its event loop is gone */
    free(s);
}

static bool module_start(struct assay *s, struct module_env *env)
{
    const char *dir = from_environment("ASSAY_RESOLVER_DIR", ASSAY_STATEDIR "/resolver");
    struct watch_hooks hooks = {.log = log_visible};
    char path[4096];
    snprintf(path, sizeof path, "%s/suspensions-ended", dir);
    s->suspend = suspend_new(path);
    s->refusals = refusal_cache_new();
    s->watch = watch_start(from_environment("ASSAY_POLICY", ASSAY_SYSCONFDIR "/policy"), dir,
                           from_environment("ASSAY_STATE", ASSAY_STATEDIR), &hooks);
    if (!s->suspend || !s->refusals || !s->watch)
        return false;
    struct observe_options o = {.dir = dir,
                                .unbound = PACKAGE_VERSION,
                                .modules = env->cfg->module_conf,
                                .watch = s->watch,
                                .suspend = s->suspend,
                                .hooks = &hooks};
    s->observe = observe_start(&o);
    background_flush(log_visible);
    s->workers = s->observe ? workers_new(s->watch, observe_queues(s->observe)) : NULL;
    return s->workers != NULL;
}

static struct assay *new_assay(struct module_env *env)
{
    struct assay *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->env = env;
    unbound_options_init(s, env->cfg);
    atomic_flag_clear(&s->ticking);
    return s;
}

int init(struct module_env *env, int id)
{
    struct dynlibmod_env *de = env->modinfo[id];
    de->dyn_env = NULL;
    if (!unbound_options_check(env->cfg))
        return 0; /* ends the resolver */
    unbound_options_ask_for_reasons(env->cfg);
    (void)background_ready();
    struct assay *s = new_assay(env);
    if (!s || !module_start(s, env) || !register_callbacks(env, id, s)) {
        if (s)
            module_release(s);
        log_err("assay: out of memory at start; the module does nothing");
        return 1;
    }
    de->dyn_env = s;
    atomic_store(&s->swept, watch_version(s->watch) - 1);
    module_sweep(s, env); /* what reload_keep_cache kept */
    return 1;
}

void deinit(struct module_env *env, int id)
{
    struct assay *s = assay_of(env, id);
    if (!s)
        return;
    inplace_cb_delete_wrapped(env, inplace_cb_reply_servfail, id);
    inplace_cb_delete_wrapped(env, inplace_cb_reply, id);
    inplace_cb_delete_wrapped(env, inplace_cb_reply_cache, id);
    inplace_cb_delete_wrapped(env, inplace_cb_reply_local, id);
    inplace_cb_delete_wrapped(env, inplace_cb_query_response, id);
    ((struct dynlibmod_env *)env->modinfo[id])->dyn_env = NULL;
    module_release(s);
}

/* A new query. True: it ends here. */
static bool set_out(struct assay *s, struct module_qstate *q, int id)
{
    start_ticking(s, q->env);
    unbound_options_mind(s);
    module_sweep(s, q->env);
    bool unread = watch_unread(s->watch);
    if (!unread && !watch_can_refuse(s->watch) && !watch_can_suspend(s->watch))
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
    if (unread && unbound_judge_not_ready(q, id))
        return true;
    cache_let_subnetcache_store(q, OURS);
    if (unbound_judge_refused_again(s, q, id))
        return true;
    if (!m->foreign)
        q->no_cache_store = OURS;
    return false;
}

void operate(struct module_qstate *q, enum module_ev event, int id, struct outbound_entry *outbound)
{
    struct assay *s = assay_of(q->env, id);
    bool own = !s || q->is_valrec || q->is_priming, waits = false; /* own: look-ups that no client sees */
    (void)outbound;
    switch (event) {
    case module_event_new:
    case module_event_pass:
        if (!own && unbound_judge_waits(query_of(q, id))) {
            waits = unbound_judge_joined(s, q, id);
            q->ext_state[id] = waits ? module_wait_subquery : module_finished;
        } else {
            q->ext_state[id] = !own && set_out(s, q, id) ? module_finished : module_wait_module;
        }
        break;
    case module_event_moddone:
        if (!own)
            waits = unbound_judge_answer(s, q, id);
        q->ext_state[id] = waits ? module_wait_subquery : module_finished;
        break;
    default:
        q->ext_state[id] = module_error;
    }
}

void inform_super(struct module_qstate *q, int id, struct module_qstate *super)
{
    unbound_judge_inform(q, id, super);
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
