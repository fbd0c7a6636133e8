// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns.c - a scope: one message's use of DNS.
 *
 * Promises that a question asked twice in a scope is one question with one answer; that no scope asks more than its
 * budget or waits beyond its deadline; and that a failure is an answer like any other: dns_get never returns NULL. When
 * memory runs out the answer is a temporary failure. Answers are copied into the scope's arena and live on when the
 * scope is freed.
 *
 * A caller that may not wait (dns_scope_no_wait) gets "not yet" where another would wait, and is told when to try
 * again. Both see the same answers: the budget and the deadlines count from when a question was asked.
 *
 * The states of an entry: created by dns_start or dns_get (then it is counted), waiting while the scope may send no
 * more packets, under way (flight set), done. dns_get waits and makes it done; dns_scope_free releases what is still
 * under way. Only done entries are in the trace.
 *
 * Packets (LIMIT_DNS_WIRE, a message's scope only): a question that the source does not know at once holds the worst
 * case of a look-up until it is answered, then it is charged what the source counted. A look-up that did not end in
 * time is charged what the source lets it send.
 */
#include "dns/dns.h"
#include "base/clock.h"
#include "dns/dns_source.h"
#include "base/limits.h"
#include <stdlib.h>

/* Packets of a look-up beyond which some were spent on servers that failed, or on the way to the zone, which is cached
 * for the next attempt. */
#define DEAR 4

struct entry {
    struct entry *next;
    struct dns_question *q; /* NULL: bad name */
    struct dns_flight *flight;
    struct dns_watch watch; /* of the flight, where the caller may not wait */
    bool watched;
    int64_t until;
    unsigned held;     /* packets, while under way */
    bool by_scope_end; /* `until` is the end of the scope's time, not of the look-up's */
    bool waiting;      /* for packets: the source was not asked yet */
    bool done;
    enum dns_purpose purpose;
    struct dns_held shared; /* result: NULL if the answer is none of a source */
    struct dns_answer answer;
};

struct dns_scope {
    struct dns *source;
    struct arena *arena;
    struct entry *first, **last;
    unsigned asked[DNS_PURPOSES], lookups[DNS_PURPOSES];
    enum dns_purpose purpose;
    unsigned packets, packets_held; /* charged; held by questions under way */
    bool dear;                      /* a later attempt need not send all of them again */
    bool failed;                    /* a server did, so that a later attempt may find it mended */
    bool first_asked;               /* dns_scope_first_asked() */
    bool message;
    bool waiting; /* an entry does */
    bool no_wait, lacks, given_up;
    bool sort; /* dns_scope_sort() */
    void (*arrived)(void *context);
    void *arrived_context;
    struct ip client;
    bool (*charge)(void *context);
    void *context;
    enum limit_kind limit; /* the gravest limit reached since dns_scope_limit() was called */
    unsigned lookup_ms, total_ms;
    int64_t end;
    struct dns_parsed *forms; /* that no result keeps */
};

static const struct dns_answer not_yet = {.name = "", .type = DNS_A, .state = DNS_TEMPFAIL, .why = "not yet"};
static const struct dns_answer no_memory = {
    .name = "", .type = DNS_A, .state = DNS_TEMPFAIL, .why = "out of memory", .limit = LIMIT_OF_MOMENT};

struct dns *dns_close(struct dns *source)
{
    if (source)
        source->ops->close(source);
    return NULL;
}

void dns_forget(struct dns *source)
{
    if (source && source->ops->forget)
        source->ops->forget(source);
}

struct dns_scope *dns_scope_new(struct dns *source, struct arena *arena, const struct dns_budget *budget)
{
    static const struct dns_budget defaults;
    static const unsigned of_message[DNS_PURPOSES] = {[DNS_FOR_REST] = LIMIT_DNS_REST,
                                                      [DNS_FOR_DMARC] = LIMIT_DNS_DMARC,
                                                      [DNS_FOR_KEYS] = LIMIT_DNS_KEYS,
                                                      [DNS_FOR_SPF] = LIMIT_DNS_SPF};
    struct dns_scope *s = ARENA_NEW(arena, struct dns_scope);
    if (!s)
        return NULL;
    if (!budget)
        budget = &defaults;
    s->source = source;
    s->arena = arena;
    s->last = &s->first;
    s->lookups[DNS_FOR_REST] = budget->lookups ? budget->lookups : LIMIT_DNS_LOOKUPS;
    if (budget->message)
        memcpy(s->lookups, of_message, sizeof of_message);
    s->message = budget->message;
    s->client = budget->client;
    s->charge = budget->charge;
    s->context = budget->context;
    s->lookup_ms = budget->lookup_ms ? budget->lookup_ms : LIMIT_DNS_SECONDS * 1000;
    s->total_ms = budget->total_ms ? budget->total_ms : LIMIT_MESSAGE_SECONDS * 1000;
    dns_scope_renew(s);
    return s;
}

void dns_scope_renew(struct dns_scope *s)
{
    s->end = clock_mono_ms() + s->total_ms;
}

void dns_scope_sort(struct dns_scope *s)
{
    s->sort = true;
}

void dns_scope_first_asked(struct dns_scope *s)
{
    s->first_asked = true;
}

void dns_scope_purpose(struct dns_scope *s, enum dns_purpose purpose)
{
    if (s->message)
        s->purpose = purpose;
}

struct arena *dns_scope_arena(struct dns_scope *s)
{
    return s->arena;
}

/* Returns the packets that the look-up has sent, as the source counts them. */
static unsigned let_go(struct dns_scope *s, struct entry *e)
{
    struct dns_flight *f = e->flight;

    if (e->watched)
        s->source->ops->unwatch(s->source, f, &e->watch);
    e->watched = false;
    e->flight = NULL;
    return s->source->ops->let_go(s->source, f);
}

struct dns_scope *dns_scope_free(struct dns_scope *s)
{
    if (!s)
        return NULL;
    for (struct entry *e = s->first; e; e = e->next)
        if (e->flight)
            (void)let_go(s, e);
    for (struct entry *e = s->first; e; e = e->next) {
        dns_result_drop(e->shared.result);
        e->shared.result = NULL;
        e->answer.held = NULL;
    }
    s->forms = dns_parsed_free(s->forms);
    return NULL;
}

struct dns_parsed **dns_scope_forms(struct dns_scope *s)
{
    return &s->forms;
}

void dns_scope_grew(struct dns_scope *s, const struct dns_held *held, size_t octets)
{
    if (s->source->ops->grew)
        s->source->ops->grew(s->source, held->q, held->result, octets);
}

/* Answers the entry without asking a source: budget, time, memory or a bad name. */
static void entry_set_answer(struct entry *e, enum dns_state state, const char *why, enum limit_kind limit)
{
    e->answer.state = state;
    e->answer.security = DNS_UNKNOWN;
    e->answer.why = why;
    e->answer.limit = limit;
    e->done = true;
}

static uint32_t ttl_left(const struct dns_result *r)
{
    int64_t left = r->expires ? (r->expires - clock_mono_ms() + 999) / 1000 : (int64_t)r->ttl;
    return left < 0 ? 0 : left < (int64_t)r->ttl ? (uint32_t)left : r->ttl;
}

static int by_octets(const void *a, const void *b)
{
    return slice_order(*(const struct slice *)a, *(const struct slice *)b);
}

/* Copies a result into the arena. Its reference is held until the scope ends if it has records, for dns_parsed(). */
static void entry_copy(struct dns_scope *s, struct entry *e, struct dns_result *r)
{
    struct dns_answer *a = &e->answer;
    struct slice *rdata = ARENA_ARRAY(s->arena, struct slice, r->count);
    bool whole = rdata != NULL;
    for (size_t i = 0; whole && i < r->count; i++) {
        rdata[i] = arena_slice(s->arena, r->rdata[i]);
        whole = rdata[i].p != NULL || r->rdata[i].n == 0;
    }
    a->canonical = arena_strdup(s->arena, r->canonical);
    a->why = arena_strdup(s->arena, r->why);
    if (!whole || (r->canonical && !a->canonical) || (r->why && !a->why)) {
        a->canonical = NULL;
        entry_set_answer(e, DNS_TEMPFAIL, "out of memory", LIMIT_OF_MOMENT);
    } else {
        a->state = r->state;
        a->security = r->security;
        a->limit = r->limit;
        a->ttl = ttl_left(r);
        a->count = r->count;
        a->rdata = rdata;
        if (s->sort && a->count)
            qsort(rdata, a->count, sizeof *rdata, by_octets);
        e->done = true;
        if (r->count) {
            e->shared = (struct dns_held){.result = r, .q = e->q};
            a->held = &e->shared;
            return;
        }
    }
    dns_result_drop(r);
}

static struct entry *entry_find(struct dns_scope *s, const char *name, const char *normal, enum dns_type type)
{
    for (struct entry *e = s->first; e; e = e->next) {
        if (e->answer.type != type)
            continue;
        if (e->q ? normal && strcmp(e->q->name, normal) == 0 : strcmp(e->answer.name, name) == 0)
            return e;
    }
    return NULL;
}

/* Takes the answer of an entry under way, NULL if it did not come in time, and charges its packets. */
static void entry_finish(struct dns_scope *s, struct entry *e, struct dns_result *r)
{
    const bool failed = !r || (r->limit == LIMIT_NOT_REACHED && (r->state == DNS_TEMPFAIL || r->state == DNS_BOGUS));
    const unsigned left = let_go(s, e), sent = r ? r->packets : left;
    const unsigned packets = sent < e->held ? sent : e->held;

    s->packets_held -= e->held;
    s->packets += packets;
    s->failed |= failed;
    s->dear |= packets > DEAR || (r && r->limit == LIMIT_OF_COST);
    if (r)
        entry_copy(s, e, r);
    else if (e->by_scope_end)
        entry_set_answer(e, DNS_TEMPFAIL, "the time for all look-ups is up", LIMIT_OF_MOMENT);
    else
        entry_set_answer(e, DNS_TEMPFAIL, "no answer in time", LIMIT_NOT_REACHED);
}

/* Tells whether a name in the same zone was answered: the way to it is known and cached. */
static bool zone_is_known(const struct dns_scope *s, const struct dns_question *q)
{
    const char *zone = dns_name_zone(q->name);
    for (const struct entry *e = s->first; e; e = e->next)
        if (e->q && e->done && e->answer.state <= DNS_NXDOMAIN && strcmp(dns_name_zone(e->q->name), zone) == 0)
            return true;
    return false;
}

/* The packets that a look-up may send; 0: it may not begin now. Until DMARC and keys have asked, some are kept for
 * them. The last packets go to names in zones that are known, and only if nothing else may come back: a look-up that
 * was stopped on its way to a signed zone would leave libunbound without the zone's key for a minute, for all others,
 * too. */
static unsigned packets_for(const struct dns_scope *s, const struct entry *e)
{
    const unsigned first = s->asked[DNS_FOR_DMARC] + s->asked[DNS_FOR_KEYS];
    const bool kept = e->purpose != DNS_FOR_DMARC && e->purpose != DNS_FOR_KEYS && first < LIMIT_DNS_WIRE_RESERVED;
    unsigned reserved = kept ? LIMIT_DNS_WIRE_RESERVED - first : 0;
    if (s->first_asked && reserved > LIMIT_DNS_WIRE_WALK)
        reserved = LIMIT_DNS_WIRE_WALK;
    const unsigned used = s->packets + s->packets_held + reserved;
    const unsigned left = used < LIMIT_DNS_WIRE ? LIMIT_DNS_WIRE - used : 0;

    if (!s->message || left >= LIMIT_DNS_WIRE_LOOKUP)
        return LIMIT_DNS_WIRE_LOOKUP;
    return s->packets_held == 0 && left >= LIMIT_DNS_WIRE_LEAST && zone_is_known(s, e->q) ? left : 0;
}

/* Collects the answers that have arrived, without waiting. */
static void scope_collect(struct dns_scope *s)
{
    for (struct entry *e = s->first; e; e = e->next) {
        struct dns_result *r = e->flight ? s->source->ops->await(s->source, e->flight, 0) : NULL;
        if (r)
            entry_finish(s, e, r);
    }
}

static void entry_watch(struct dns_scope *s, struct entry *e)
{
    if (!s->no_wait)
        return;
    e->watch = (struct dns_watch){.arrived = s->arrived, .context = s->arrived_context};
    e->watched = s->source->ops->watch(s->source, e->flight, &e->watch);
}

#define GIVEN_UP "the look-ups of this message take too many rounds"

/* Asks the source; as far as is known it does not have the answer in its cache. */
static void entry_begin(struct dns_scope *s, struct entry *e)
{
    e->waiting = false;
    if (s->given_up) {
        entry_set_answer(e, DNS_TEMPFAIL, GIVEN_UP, LIMIT_OF_MOMENT);
        return;
    }
    if (s->charge && !s->charge(s->context)) {
        entry_set_answer(e, DNS_TEMPFAIL, "this client's look-ups are used up for now", LIMIT_OF_MOMENT);
        return;
    }
    e->held = packets_for(s, e);
    e->q->packets = s->message ? e->held : 0;
    struct dns_result *r = s->source->ops->ask(s->source, e->q, &e->flight);
    if (r) {
        entry_copy(s, e, r);
    } else if (!e->flight) {
        entry_set_answer(e, DNS_TEMPFAIL, "out of memory", LIMIT_OF_MOMENT);
    } else {
        s->packets_held += e->held;
        e->until = clock_mono_ms() + s->lookup_ms;
        e->by_scope_end = e->until >= s->end;
        if (e->by_scope_end)
            e->until = s->end;
        entry_watch(s, e);
    }
}

/* Asks the waiting questions, in their order, as far as the packet budget allows. */
static void begin_waiting(struct dns_scope *s)
{
    if (!s->waiting)
        return;
    scope_collect(s);
    s->waiting = false;
    for (struct entry *e = s->first; e; e = e->next) {
        if (e->waiting && packets_for(s, e))
            entry_begin(s, e);
        s->waiting |= e->waiting;
    }
}

static void entry_ask(struct dns_scope *s, struct entry *e)
{
    const struct dns_ops *ops = s->source->ops;

    if (s->asked[s->purpose] >= s->lookups[s->purpose]) {
        entry_set_answer(e, DNS_TEMPFAIL, "no look-up left of the number allowed", LIMIT_OF_MESSAGE);
        return;
    }
    s->asked[s->purpose]++;
    e->purpose = s->purpose;
    struct dns_result *r = ops->known ? ops->known(s->source, e->q) : NULL;
    if (r) {
        entry_copy(s, e, r);
    } else if (packets_for(s, e)) {
        entry_begin(s, e);
    } else {
        e->waiting = s->waiting = true;
        begin_waiting(s);
    }
}

static struct entry *first_under_way(const struct dns_scope *s)
{
    struct entry *e = s->first;

    while (e && !e->flight)
        e = e->next;
    return e;
}

/* Waits for other entries until this one may begin, unless the caller may not wait. If no other is under way and there
 * is still no room, the packet budget of this message is used up. */
static void begin_now(struct dns_scope *s, struct entry *e)
{
    while (e->waiting) {
        begin_waiting(s);
        struct entry *other = first_under_way(s);
        if (e->waiting && other && s->no_wait)
            return;
        if (e->waiting && other)
            entry_finish(s, other, s->source->ops->await(s->source, other->flight, other->until));
        else if (e->waiting && !packets_for(s, e))
            break;
    }
    if (!e->waiting)
        return;
    e->waiting = false;
    if (s->failed || s->dear)
        entry_set_answer(e, DNS_TEMPFAIL, "the look-ups of this message cost too many packets to ask more",
                         s->failed ? LIMIT_OF_MOMENT : LIMIT_OF_COST);
    else
        entry_set_answer(e, DNS_TEMPFAIL, "no packet left of the number that a message may send", LIMIT_OF_MESSAGE);
}

/* The entry that was made for just this spelling: most questions are started first, and their answers fetched later. */
static struct entry *entry_asked(struct dns_scope *s, const char *name, enum dns_type type)
{
    for (struct entry *e = s->first; e; e = e->next)
        if (e->answer.type == type && strcmp(e->answer.name, name) == 0)
            return e;
    return NULL;
}

/* The entry of this question, made and asked if there is none; NULL when out of memory. */
static struct entry *entry_of(struct dns_scope *s, const char *name, enum dns_type type)
{
    char normal[DNS_NAME_TEXT];
    struct entry *e = entry_asked(s, name, type);
    if (e)
        return e;
    bool good = dns_name_normal(name, normal) == STATUS_OK;
    e = entry_find(s, name, good ? normal : NULL, type);
    if (e)
        return e;
    e = ARENA_NEW(s->arena, struct entry);
    struct dns_question *q = good ? ARENA_NEW(s->arena, struct dns_question) : NULL;
    char *kept = arena_strdup(s->arena, name);
    if (!e || !kept || (good && !q))
        return NULL;
    e->answer.name = kept;
    e->answer.type = type;
    *s->last = e;
    s->last = &e->next;
    if (!good) {
        entry_set_answer(e, DNS_BADNAME, "not a domain name", LIMIT_NOT_REACHED);
        return e;
    }
    e->q = q;
    memcpy(q->name, normal, sizeof normal);
    q->type = type;
    q->client = s->client;
    entry_ask(s, e);
    return e;
}

void dns_start(struct dns_scope *s, const char *name, enum dns_type type)
{
    begin_waiting(s);
    (void)entry_of(s, name, type);
}

/* Takes the answer if it has come, or if its time is over. */
static void entry_collect(struct dns_scope *s, struct entry *e)
{
    if (!e->flight)
        return;
    struct dns_result *r = s->source->ops->await(s->source, e->flight, 0);
    if (!r && clock_mono_ms() >= e->until)
        r = s->source->ops->await(s->source, e->flight, e->until); /* so that the source counts it as one in vain */
    else if (!r)
        return;
    entry_finish(s, e, r);
}

static const struct dns_answer *await(struct dns_scope *s, const char *name, enum dns_type type)
{
    struct entry *e = entry_of(s, name, type);
    if (!e)
        return &no_memory;
    if (e->waiting)
        begin_now(s, e);
    if (!e->done && s->no_wait)
        entry_collect(s, e);
    else if (!e->done)
        entry_finish(s, e, s->source->ops->await(s->source, e->flight, e->until));
    s->lacks |= !e->done;
    return e->done ? &e->answer : &not_yet;
}

const struct dns_answer *dns_get(struct dns_scope *s, const char *name, enum dns_type type)
{
    const struct dns_answer *a = await(s, name, type);
    if (a->limit > s->limit)
        s->limit = a->limit;
    return a;
}

enum limit_kind dns_scope_limit(struct dns_scope *s)
{
    enum limit_kind limit = s->limit;
    s->limit = LIMIT_NOT_REACHED;
    return limit;
}

size_t dns_scope_failures(const struct dns_scope *s)
{
    size_t n = 0;
    for (const struct entry *e = s->first; e; e = e->next)
        n += e->done && e->answer.state == DNS_TEMPFAIL;
    return n;
}

void dns_scope_no_wait(struct dns_scope *s, void (*arrived)(void *context), void *context)
{
    if (!s->source->ops->watch)
        return;
    s->no_wait = true;
    s->arrived = arrived;
    s->arrived_context = context;
    for (struct entry *e = s->first; e; e = e->next)
        if (e->flight && !e->watched)
            entry_watch(s, e);
}

void dns_scope_begin_run(struct dns_scope *s)
{
    s->lacks = false;
}

bool dns_scope_lacks(const struct dns_scope *s)
{
    return s->lacks;
}

bool dns_scope_awaits(struct dns_scope *s)
{
    for (struct entry *e = s->first; e; e = e->next)
        entry_collect(s, e);
    begin_waiting(s);
    return first_under_way(s) != NULL;
}

bool dns_scope_asks(const struct dns_scope *s)
{
    return first_under_way(s) != NULL;
}

void dns_scope_give_up(struct dns_scope *s)
{
    s->given_up = true;
    for (struct entry *e = s->first; e; e = e->next) {
        if (!e->done && e->flight)
            entry_finish(s, e, NULL);
        else if (e->waiting)
            e->waiting = false;
        else
            continue;
        entry_set_answer(e, DNS_TEMPFAIL, GIVEN_UP, LIMIT_OF_MOMENT);
    }
    s->waiting = false;
}

const struct dns_answer *dns_trace(const struct dns_scope *s, size_t i)
{
    for (const struct entry *e = s->first; e; e = e->next)
        if (e->done && i-- == 0)
            return &e->answer;
    return NULL;
}
