// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_walk.c - the DNS Tree Walk (RFC 9989 4.10) and the Organizational Domain (4.10.2).
 *
 * All names of a walk are asked at once, at most eight. dmarc_walk_settle(), which is pure and contains the logic, then
 * drops the answers that the walk would not have asked for, since it stops at psd=y or psd=n. Promises: if DNS failed
 * at a name, the Organizational Domain is unknown, unless the walk stopped before that name; a failure is never taken
 * for "no record". A name that is too long for DNS with "_dmarc." before it has no record.
 */
#include "base/domain.h"
#include "base/utf8.h"
#include "dns/dns_parsed.h"
#include "standards/dmarc/dmarc_eval.h"

#define SHORTCUT_LABELS 8 /* 4.10, step 4: from so many labels on ... */
#define SHORTCUT_LEFT 7   /* ... the second query is for the name cut to these */
#define PREFIX "_dmarc."

static bool step_failed(const struct dmarc_step *s)
{
    return s->state == DNS_TEMPFAIL || s->state == DNS_BOGUS;
}

size_t dmarc_walk_names(const char *start, const char *names[DMARC_WALK_MAX])
{
    size_t n = 0;
    const char *next =
        domain_labels(start) < SHORTCUT_LABELS ? domain_parent(start) : domain_suffix(start, SHORTCUT_LEFT);
    names[n++] = start;
    for (; next && n < DMARC_WALK_MAX; next = domain_parent(next))
        names[n++] = next;
    return n;
}

/* Steps 2 and 6: where the walk stops. */
static void cut_at_stop(struct dmarc_walk *w)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct dmarc_record *r = w->steps[i].record;
        if (step_failed(&w->steps[i]))
            w->unknown = true;
        if (r && r->psd != DMARC_PSD_U) {
            w->count = i + 1;
            return;
        }
    }
}

/* 4.10.2: the Organizational Domain, from the longest name to the shortest. */
static const char *organizational_domain(const struct dmarc_walk *w)
{
    const char *fewest_labels = w->start;
    for (size_t i = 0; i < w->count; i++) {
        const struct dmarc_record *r = w->steps[i].record;
        if (!r)
            continue;
        if (r->psd == DMARC_PSD_N)
            return w->steps[i].domain;
        if (r->psd == DMARC_PSD_Y && i > 0)
            return domain_suffix(w->start, domain_labels(w->steps[i].domain) + 1);
        fewest_labels = w->steps[i].domain;
    }
    return fewest_labels;
}

/* Works out a walk whose steps are filled in for all of dmarc_walk_names(): where it stops, the Organizational Domain.
 * Pure. */
static void dmarc_walk_settle(struct dmarc_walk *w)
{
    w->unknown = false;
    w->org_domain = NULL;
    w->org = w->suffix = NULL;
    w->author = w->count ? &w->steps[0] : NULL;
    cut_at_stop(w);
    if (w->unknown)
        return;
    w->org_domain = organizational_domain(w);
    for (size_t i = 0; i < w->count; i++) {
        const struct dmarc_step *s = &w->steps[i];
        if (s->record && strcmp(s->domain, w->org_domain) == 0)
            w->org = s;
        if (s->record && s->record->psd == DMARC_PSD_Y && i > 0)
            w->suffix = s;
    }
}

void dmarc_walk_start(struct dns_scope *scope, const char *start)
{
    const char *names[DMARC_WALK_MAX];
    char name[sizeof PREFIX + LIMIT_DOMAIN] = PREFIX;
    size_t n = dmarc_walk_names(start, names);
    for (size_t i = 0; i < n; i++) {
        const size_t octets = strlen(names[i]);
        if (octets > LIMIT_DOMAIN)
            continue; /* no name in DNS */
        memcpy(name + sizeof PREFIX - 1, names[i], octets + 1);
        dns_start(scope, name, DNS_TXT);
    }
}

/* The TXT records of an answer, parsed; kept with the answer. */
struct kept_dmarc {
    unsigned records;           /* that are DMARC records */
    struct dmarc_record record; /* if there is one, and not too long */
    bool usable;
};

/* The one DMARC record among them: 4.10, steps 2 and 6. */
static void *make_dmarc(struct arena *arena, const struct slice *texts, size_t count, size_t *outside)
{
    struct kept_dmarc *k = ARENA_NEW(arena, struct kept_dmarc);
    struct slice text = SLICE_NULL;
    for (size_t i = 0; k && i < count; i++) {
        if (!dmarc_is_record(texts[i]))
            continue;
        k->records++;
        text = texts[i];
    }
    if (!k || k->records != 1 || text.n > DMARC_RECORD_MAX)
        return k;
    k->usable = dmarc_record_parse(arena, text, &k->record) == STATUS_OK;
    return k->usable ? k : NULL;
}

static const struct dns_form dmarc_form = {make_dmarc, NULL};

/* A finding lives longer than the answers, so the record is copied. False: out of memory. */
static bool take_records(struct dns_scope *scope, struct arena *arena, const struct dns_answer *a,
                         struct dmarc_step *step)
{
    const struct kept_dmarc *k = dns_parsed(scope, a, &dmarc_form);
    if (!k)
        return false;
    step->records = k->records;
    if (k->usable)
        step->record = dmarc_record_copy(arena, &k->record);
    return !k->usable || step->record;
}

bool dmarc_walk_look_up(struct dns_scope *scope, struct arena *arena, struct dmarc_step *step)
{
    const char *name = arena_texts(arena, PREFIX, step->domain);
    if (!name)
        return false;
    const struct dns_answer *a = dns_get(scope, name, DNS_TXT);
    step->state = a->state;
    step->security = a->security;
    step->why = a->why;
    return a->state != DNS_FOUND || take_records(scope, arena, a, step);
}

const struct dmarc_walk *dmarc_walk(struct dns_scope *scope, struct arena *arena, const char *start)
{
    const char *names[DMARC_WALK_MAX];
    struct dmarc_walk *w = ARENA_NEW(arena, struct dmarc_walk);
    const char *own = arena_strdup(arena, start);
    if (!w || !own)
        return NULL;
    dmarc_walk_start(scope, own);
    w->start = own;
    w->count = dmarc_walk_names(own, names);
    for (size_t i = 0; i < w->count; i++) {
        w->steps[i].domain = names[i];
        if (!dmarc_walk_look_up(scope, arena, &w->steps[i]))
            return NULL;
        if (w->steps[i].record && w->steps[i].record->psd != DMARC_PSD_U)
            w->count = i + 1; /* no need to wait for what lies above */
    }
    dmarc_walk_settle(w);
    return w;
}

static void describe_step(const struct dmarc_step *s, struct buf *out)
{
    buf_printf(out, PREFIX "%s  %s", s->domain, dns_state_name(s->state));
    if (s->security != DNS_UNKNOWN)
        buf_printf(out, ", %s", dns_security_name(s->security));
    if (s->record) {
        buf_adds(out, ": ");
        utf8_add_visible(out, slice_str(s->record->text));
    } else if (s->records > 1) {
        buf_printf(out, ": %u DMARC records, which count as none", s->records);
    } else if (s->state == DNS_FOUND) {
        buf_adds(out, s->records ? ": a DMARC record larger than is read" : ": no DMARC record among the texts");
    } else if (s->why) {
        buf_adds(out, ": ");
        utf8_add_visible(out, slice_str(s->why));
    }
    buf_addc(out, '\n');
}

void dmarc_walk_describe(const struct dmarc_walk *walk, struct buf *out)
{
    for (size_t i = 0; i < walk->count; i++)
        describe_step(&walk->steps[i], out);
    if (walk->org_domain)
        buf_printf(out, "Organizational Domain of %s: %s\n", walk->start, walk->org_domain);
    else
        buf_printf(out, "Organizational Domain of %s: could not be told, DNS failed\n", walk->start);
}
