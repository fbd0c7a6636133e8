// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_module.h - what the files that know Unbound share: one loaded module, one query on its way, and the functions
 * between them. For unbound_*.c only; the order of things is told in unbound_module.c.
 */
#ifndef ASSAY_RESOLVER_MODULE_UNBOUND_MODULE_H
#define ASSAY_RESOLVER_MODULE_UNBOUND_MODULE_H

#include "config.h"
#include "dynlibmod/dynlibmod.h"
#include "util/config_file.h"
#include "util/module.h"

#include "resolver-module/observe.h"
#include "resolver-module/refusal_cache.h"
#include "resolver-module/suspend.h"
#include "resolver-module/watch.h"
#include "resolver-module/workers.h"
#include <stdatomic.h>
#include <stdbool.h>

#define OURS 2 /* no_cache_store as we set it: true like another module's 1, and told apart from it */

/* An option of Unbound's that the policy depends on. */
struct forced {
    const char *name;
    int *value;
    int want;                /* while it is forced */
    int stood;               /* before it was */
    bool on;                 /* it is forced: for ignore-cd-flag, no client judges for itself */
    _Atomic int64_t said_ms; /* last time that a change was put right in the log; 0: never */
};

struct assay {
    struct watch *watch;
    struct observe *observe;
    struct suspend *suspend;
    struct refusal_cache *refusals;
    struct module_env *env; /* the daemon's: for what workers share */
    atomic_uint swept;      /* the version the cache was last marked for */
    atomic_flag ticking;    /* some worker has the timer */
    atomic_bool ticks;      /* ... and it runs */
    struct ub_event *timer;
    struct comm_base *timer_base;
    struct workers *workers;
    struct forced ignore_cd, referral_path;
    atomic_flag forcing;
};

/* Of one client's query, in its region. */
struct query {
    int store_was; /* no_cache_store as it came */
    bool foreign;  /* another module set it: dns64 stores by itself what comes out at the end, and subnetcache what is
                         one network's */
    const char *text;   /* of the refusal, or NULL */
    bool not_ready;     /* ... which is that the policy is not read yet */
    const char *behind; /* the text of a refused sub-question (response-ip's alias); given if there is no answer */
    /* A suspended alias: what it leads to is asked for by itself. Or the question is (FOLLOW_ANEW). */
    enum { FOLLOW_NOT, FOLLOW_WAITS, FOLLOW_ANEW, FOLLOW_ANSWERED } follow;
    struct reply_info *tail; /* its answer; NULL: there is none */
    bool tail_stays;         /* ... is not to be kept in the cache with ours */
    bool anew;               /* the answer was not validated: the question itself was asked again */
    bool changed;            /* the operator's own rules made some of the answer */
};

static inline struct assay *assay_of(struct module_env *env, int id)
{
    return ((struct dynlibmod_env *)env->modinfo[id])->dyn_env;
}

static inline struct query *query_of(struct module_qstate *q, int id)
{
    return q->minfo[id];
}

/* ---- unbound_judge.c ---- */

/* Judges an answer that has arrived, and sets the query's reply. True: it waits for another question's answer. */
bool unbound_judge_answer(struct assay *s, struct module_qstate *q, int id);

/* Ends a query that nobody can judge yet: the policy is still being read. False: it is Unbound's own. */
bool unbound_judge_not_ready(struct module_qstate *q, int id);

/* Tells whether the query waits for what a suspended alias leads to; then unbound_judge_joined() when that has come. */
bool unbound_judge_waits(const struct query *m);
bool unbound_judge_joined(struct assay *s, struct module_qstate *q, int id);

/* The answer to such a question, for the query that waits for it. */
void unbound_judge_inform(struct module_qstate *q, int id, struct module_qstate *super);

/* Tells whether the question was refused a short time ago, by this policy, and the answer it was refused for is still
 * in the cache: then the query is ended so. */
bool unbound_judge_refused_again(struct assay *s, struct module_qstate *q, int id);

/* Of a question that a worker refuses from its cache by itself: its words, and the repeat is counted. False: they are
 * not known any more. */
bool unbound_judge_text(const struct assay *s, const struct query_info *question, time_t now, char text[DECIDE_TEXT]);

/* The settling time of suspensions, in milliseconds, by the policy and by Unbound's val-bogus-ttl. */
int64_t unbound_judge_settle_ms(const struct module_env *env, const struct policy *p);

/* ---- unbound_options.c ---- */

/* Tells whether this module can work in this module-config; logs what is wrong. */
bool unbound_options_check(const struct config_file *cfg);

/* Has the validator keep its reasons, which end in the record. */
void unbound_options_ask_for_reasons(struct config_file *cfg);

/* The configuration is read anew for each module, and may be gone when this one ends: nothing is released then. */
void unbound_options_init(struct assay *s, struct config_file *cfg);
void unbound_options_force(struct assay *s); /* forces, or gives back, as the policy in force wants it */

/* Puts right what was changed meanwhile. At every query and answer, so it is no call where nothing was. */
static inline void unbound_options_mind(struct assay *s)
{
    if ((s->ignore_cd.on && *s->ignore_cd.value != s->ignore_cd.want) ||
        (s->referral_path.on && *s->referral_path.value != s->referral_path.want))
        unbound_options_force(s);
}

void unbound_options_warn(struct assay *s, const struct module_env *env); /* of settings that do not fit the policy */

#endif
