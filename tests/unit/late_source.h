// SPDX-License-Identifier: BSD-2-Clause
/*
 * late_source.h - a source of DNS answers that come later: those of another source, once late_deliver() was called. A
 * caller that waits gets them at once. For tests of callers that may not wait.
 */
#ifndef ASSAY_TESTS_LATE_SOURCE_H
#define ASSAY_TESTS_LATE_SOURCE_H

#include "dns/dns_source.h"
#include <stdlib.h>

struct dns_flight {
    struct dns_flight *next;
    struct dns_result *result;
    bool come;
    struct dns_watch *watches;
};

struct late_source {
    struct dns base;
    struct dns *under; /* answers at once */
    struct dns_flight *flights;
    unsigned asked, open;
};

static struct dns_result *late_ask(struct dns *source, const struct dns_question *q, struct dns_flight **flight)
{
    struct late_source *l = (struct late_source *)source;
    struct dns_flight *none, *f = calloc(1, sizeof *f);

    f->result = l->under->ops->ask(l->under, q, &none);
    f->next = l->flights;
    l->flights = f;
    l->asked++;
    l->open++;
    *flight = f;
    return NULL;
}

static struct dns_result *late_await(struct dns *source, struct dns_flight *f, int64_t until)
{
    return f->come || until ? dns_result_hold(f->result) : NULL;
}

static unsigned late_let_go(struct dns *source, struct dns_flight *f)
{
    struct late_source *l = (struct late_source *)source;
    struct dns_flight **at = &l->flights;

    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    l->open--;
    dns_result_drop(f->result);
    free(f);
    return 1;
}

static bool late_watch(struct dns *source, struct dns_flight *f, struct dns_watch *w)
{
    if (f->come)
        return false;
    w->next = f->watches;
    f->watches = w;
    return true;
}

static void late_unwatch(struct dns *source, struct dns_flight *f, struct dns_watch *w)
{
    struct dns_watch **at = &f->watches;

    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
}

static const struct dns_ops late_ops = {
    .ask = late_ask, .await = late_await, .let_go = late_let_go, .watch = late_watch, .unwatch = late_unwatch};

/* All answers that are under way come now. */
static void late_deliver(struct late_source *l)
{
    for (struct dns_flight *f = l->flights; f; f = f->next) {
        f->come = true;
        for (struct dns_watch *w = f->watches; w; w = w->next)
            w->arrived(w->context);
        f->watches = NULL;
    }
}

#endif
