// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_psl.c - the Organizational Domain as RFC 7489 3.2 had it: one label more than the public suffix, by the list
 * that libpsl brings.
 *
 * For sites that want to compare the two ways (`set dmarc.psl yes`), and to know where names below an author without a
 * record belong to others. Two look-ups: the From domain, then its organisation; where several records stand at the
 * first, discovery ends there (RFC 7489 6.6.3 steps 3 and 5), unlike RFC 9989's walk. The list is the distribution's
 * newest one, loaded once for the process and never freed; where it cannot be loaded, a name is its own organisation.
 * Threads: any.
 */
#include "base/domain.h"
#include "standards/dmarc/dmarc_eval.h"
#include <libpsl.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const psl_ctx_t *suffixes;

static void suffixes_load(void)
{
    suffixes = psl_latest(NULL);
    if (!suffixes)
        suffixes = psl_builtin();
}

const char *dmarc_psl_organisation(struct arena *arena, const char *domain)
{
    pthread_once(&once, suffixes_load);
    const char *org = suffixes ? psl_registrable_domain(suffixes, domain) : NULL;
    return arena_strdup(arena, org ? org : domain);
}

bool dmarc_psl_is_suffix(const char *domain)
{
    pthread_once(&once, suffixes_load);
    return suffixes && psl_is_public_suffix2(suffixes, domain, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}

/* One step; false: out of memory. */
static bool psl_ask(struct dns_scope *scope, struct arena *arena, struct dmarc_walk *w, const char *domain)
{
    struct dmarc_step *step = &w->steps[w->count++];
    step->domain = domain;
    return dmarc_walk_look_up(scope, arena, step);
}

const struct dmarc_walk *dmarc_psl_walk(struct dns_scope *scope, struct arena *arena, const char *start)
{
    struct dmarc_walk *w = ARENA_NEW(arena, struct dmarc_walk);
    if (!w || !(w->start = arena_strdup(arena, start)) || !(w->org_domain = dmarc_psl_organisation(arena, start)) ||
        !psl_ask(scope, arena, w, w->start))
        return NULL;
    w->author = &w->steps[0];
    bool same = strcmp(w->org_domain, w->start) == 0;
    if (!same && w->author->records == 0 && !psl_ask(scope, arena, w, w->org_domain))
        return NULL;
    const struct dmarc_step *last = &w->steps[w->count - 1];
    w->unknown = last->state == DNS_TEMPFAIL || last->state == DNS_BOGUS;
    if (last->record && strcmp(last->domain, w->org_domain) == 0)
        w->org = last;
    return w;
}
