// SPDX-License-Identifier: BSD-2-Clause
/*
 * workers.c - each thread's own data, found through a thread-local variable.
 *
 * Promises: an answer takes no lock and no atomic operation beyond a load, except a thread's first one and after a
 * change of the policy. The variable also says which instance it belongs to, because its data is freed with that
 * instance. If memory runs out a thread has no data of its own: it judges nothing, and its events go to the shared
 * queue.
 */
#include "resolver-module/workers.h"
#include <stdatomic.h>
#include <stdlib.h>

struct worker {
    unsigned version; /* watch_version when the policy was taken; the policy is of this version or later */
    const struct policy *policy;
    struct worker_queue *queue; /* NULL: none to be had */
    struct worker *next;
};

struct workers {
    struct watch *watch;
    struct worker_queues *queues;
    unsigned instance;
    _Atomic(struct worker *) all;
};

static atomic_uint instances;
static _Thread_local unsigned instance_here;
static _Thread_local struct worker *here;

struct workers *workers_new(struct watch *watch, struct worker_queues *queues)
{
    struct workers *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->watch = watch;
    w->queues = queues;
    w->instance = atomic_fetch_add(&instances, 1) + 1;
    return w;
}

struct workers *workers_free(struct workers *w)
{
    if (!w)
        return NULL;
    for (struct worker *k = atomic_load(&w->all), *next; k; k = next) {
        next = k->next;
        policy_unref(k->policy);
        free(k);
    }
    free(w);
    return NULL;
}

static struct worker *this_one(struct workers *w)
{
    if (instance_here == w->instance)
        return here;
    instance_here = w->instance;
    here = calloc(1, sizeof *here);
    if (!here)
        return NULL;
    here->queue = worker_queue_take(w->queues);
    here->next = atomic_load(&w->all);
    while (!atomic_compare_exchange_weak(&w->all, &here->next, here))
        ;
    return here;
}

const struct policy *workers_policy(struct workers *w, unsigned version)
{
    struct worker *k = this_one(w);
    if (!k)
        return NULL;
    worker_queue_expect(k->queue);
    if (k->version != version || !k->policy) {
        policy_unref(k->policy);
        k->policy = watch_policy(w->watch);
        k->version = version;
    }
    return k->policy;
}

void workers_event(struct workers *w, const struct zones_event *e)
{
    struct worker *k = this_one(w);
    worker_queue_event(w->queues, k ? k->queue : NULL, e);
}
