// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_table.c - what a replay file says, searched as a name server would (RFC 1034 4.3.2 without wildcards; RFC 8020).
 *
 * Order of a search at a name: a line about that type, a CNAME record (followed), a line about the whole name, the
 * zone's state; then "no data" where the name or one below it is listed, else "no such name". A negative answer is as
 * secure as the name's own lines say, else as its zone. A chain is as secure as its weakest link, and fails where a
 * link fails. Fails only because memory ran out.
 */
#include "dns/dns_table.h"
#include "base/limits.h"
#include <stdlib.h>

#define BUCKETS 4096u

struct node {
    struct node *next;
    struct dns_line *first, **last;
    bool has_zone;
    enum dns_state zone_state;
    enum dns_security zone_security;
    const char *zone_why;
    char name[];
};

struct dns_table {
    struct arena *arena;
    const char *unknown; /* why a question fails that nothing speaks of; NULL: it does not */
    struct node *bucket[BUCKETS];
};

/* What a search has gathered so far. */
struct search {
    const struct dns_table *table;
    struct dns_result made;
    struct slice rdata[LIMIT_DNS_RRS];
    char name[DNS_NAME_TEXT];
};

static unsigned name_hash(const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 16777619u;
    return h % BUCKETS;
}

/* The name above; "." of a top-level name; NULL of the root. */
static const char *parent(const char *name)
{
    if (strcmp(name, ".") == 0)
        return NULL;
    const char *dot = strchr(name, '.');
    return dot ? dot + 1 : ".";
}

static struct node *node_find(const struct dns_table *t, const char *name)
{
    struct node *n = t->bucket[name_hash(name)];
    while (n && strcmp(n->name, name) != 0)
        n = n->next;
    return n;
}

struct dns_table *dns_table_new(struct arena *arena)
{
    struct dns_table *t = ARENA_NEW(arena, struct dns_table);
    if (t)
        t->arena = arena;
    return t;
}

/* The node of a name, made with all those above it (they exist when it does). */
static struct node *node_of(struct dns_table *t, const char *name)
{
    struct node *wanted = NULL;
    for (const char *at = name; at; at = parent(at)) {
        struct node *n = node_find(t, at);
        if (!n) {
            size_t length = strlen(at) + 1;
            n = arena_alloc(t->arena, sizeof *n + length);
            if (!n)
                return NULL;
            memcpy(n->name, at, length);
            n->last = &n->first;
            n->next = t->bucket[name_hash(at)];
            t->bucket[name_hash(at)] = n;
        }
        if (at == name)
            wanted = n;
    }
    return wanted;
}

enum status dns_table_add(struct dns_table *t, const char *name, const struct dns_line *line)
{
    struct node *n = node_of(t, name);
    struct dns_line *copy = ARENA_NEW(t->arena, struct dns_line);
    if (!n || !copy)
        return STATUS_NOMEM;
    *copy = *line;
    copy->next = NULL;
    copy->as = arena_strdup(t->arena, line->as);
    copy->why = arena_strdup(t->arena, line->why);
    copy->rdata = arena_slice(t->arena, line->rdata);
    *n->last = copy;
    n->last = &copy->next;
    return arena_failed(t->arena) ? STATUS_NOMEM : STATUS_OK;
}

/* By type, in the order of the file. */
static int by_type(const void *a, const void *b)
{
    const struct dns_line *x = *(const struct dns_line *const *)a, *y = *(const struct dns_line *const *)b;
    return x->type != y->type ? (x->type > y->type ? 1 : -1) : (x->number > y->number) - (x->number < y->number);
}

/* The same for one name, whose lines are so many. */
static size_t node_contradiction(const struct node *n, size_t lines)
{
    const struct dns_line **sorted = malloc(lines * sizeof(const struct dns_line *));
    size_t count = 0, first = 0;
    if (!sorted)
        return SIZE_MAX;
    for (const struct dns_line *l = n->first; l; l = l->next)
        sorted[count++] = l;
    qsort(sorted, count, sizeof *sorted, by_type);
    for (size_t i = 1; i < count; i++)
        if (sorted[i]->type == sorted[i - 1]->type && sorted[i]->state != sorted[i - 1]->state &&
            (!first || sorted[i]->number < first))
            first = sorted[i]->number;
    free(sorted);
    return first;
}

size_t dns_table_contradiction(const struct dns_table *t)
{
    size_t first = 0;
    for (size_t b = 0; b < BUCKETS; b++)
        for (const struct node *n = t->bucket[b]; n; n = n->next) {
            size_t lines = 0;
            for (const struct dns_line *l = n->first; l; l = l->next)
                lines++;
            size_t found = lines > 1 ? node_contradiction(n, lines) : 0;
            if (found == SIZE_MAX)
                return found;
            if (found && (!first || found < first))
                first = found;
        }
    return first;
}

enum status dns_table_zone(struct dns_table *t, const char *name, enum dns_state state, enum dns_security security,
                           const char *why)
{
    struct node *n = node_of(t, name);
    if (!n)
        return STATUS_NOMEM;
    if (n->has_zone && (n->zone_state != state || n->zone_security != security))
        return STATUS_INVALID;
    n->has_zone = true;
    n->zone_state = state;
    n->zone_security = security;
    n->zone_why = arena_strdup(t->arena, why);
    return why && !n->zone_why ? STATUS_NOMEM : STATUS_OK;
}

void dns_table_only_known(struct dns_table *t, const char *why)
{
    t->unknown = why;
}

static const struct node *zone_of(const struct dns_table *t, const char *name)
{
    for (; name; name = parent(name)) {
        const struct node *n = node_find(t, name);
        if (n && n->has_zone)
            return n;
    }
    return NULL;
}

static enum dns_security zone_security(const struct dns_table *t, const char *name)
{
    const struct node *zone = zone_of(t, name);
    return zone && zone->zone_state == DNS_FOUND ? zone->zone_security : DNS_INSECURE;
}

static void weaken(struct search *s, enum dns_security security, const char *name)
{
    if (security == DNS_SECURITY_UNSET)
        security = zone_security(s->table, name);
    if (security < s->made.security)
        s->made.security = security;
}

static void search_fail(struct search *s, enum dns_state state, const char *why)
{
    static const char *const bogus = "validation failure (as saved)", *const temporary = "server failure (as saved)";
    s->made.state = state;
    s->made.security = state == DNS_BOGUS ? DNS_BROKEN : DNS_UNKNOWN;
    s->made.count = 0;
    s->made.ttl = 0;
    s->made.canonical = NULL;
    s->made.why = why ? why : state == DNS_BOGUS ? bogus : temporary;
}

static void negative(struct search *s, enum dns_state state, const struct dns_line *line)
{
    s->made.state = state;
    if (line && line->ttl < s->made.ttl)
        s->made.ttl = line->ttl;
}

/* Tells whether the record is in the result already: no two of a set are equal (RFC 2181 section 5). */
static bool has_rdata(const struct search *s, struct slice rdata)
{
    for (size_t i = 0; i < s->made.count; i++)
        if (slice_eq(s->rdata[i], rdata))
            return true;
    return false;
}

/* The lines of `type` at n into the result. False: there are none. */
static bool take_lines(struct search *s, const struct node *n, enum dns_type type)
{
    bool any = false;
    for (const struct dns_line *l = n->first; l; l = l->next) {
        if (l->type != type)
            continue;
        any = true;
        if (l->state == DNS_TEMPFAIL || l->state == DNS_BOGUS) {
            search_fail(s, l->state, l->why);
            return true;
        }
        weaken(s, l->security, n->name);
        if (l->as)
            s->made.canonical = l->as;
        if (l->state != DNS_FOUND) {
            negative(s, l->state, l);
            return true;
        }
        if (l->ttl < s->made.ttl)
            s->made.ttl = l->ttl;
        if (s->made.count < LIMIT_DNS_RRS && !has_rdata(s, l->rdata))
            s->rdata[s->made.count++] = l->rdata;
    }
    if (any)
        s->made.state = DNS_FOUND;
    return any;
}

/* Follows a CNAME record at n: its target becomes the name searched. False: there is none. */
static bool take_cname(struct search *s, const struct node *n)
{
    for (const struct dns_line *l = n->first; l; l = l->next) {
        if (l->type != DNS_CNAME || l->state != DNS_FOUND)
            continue;
        weaken(s, l->security, n->name);
        if (l->ttl < s->made.ttl)
            s->made.ttl = l->ttl;
        return dns_name_from_wire(l->rdata.p, l->rdata.n, s->name) != 0;
    }
    return false;
}

/* Nothing of the type, no CNAME: the name's own statement, or "no data". */
static void take_nothing(struct search *s, const struct node *n)
{
    enum dns_security said = DNS_SECURITY_UNSET;
    for (const struct dns_line *l = n->first; l; l = l->next) {
        if (l->type == 0) {
            if (l->state == DNS_TEMPFAIL || l->state == DNS_BOGUS) {
                search_fail(s, l->state, l->why);
                return;
            }
            weaken(s, l->security, n->name);
            if (l->as)
                s->made.canonical = l->as;
            negative(s, l->state, l);
            return;
        }
        if (said == DNS_SECURITY_UNSET)
            said = l->security;
    }
    weaken(s, said, n->name);
    negative(s, DNS_NODATA, NULL);
}

/* Tells whether every line of n leaves its security to the zone, and the zone fails: then so do they. */
static bool zone_fails(struct search *s, const struct node *n)
{
    const struct node *zone = zone_of(s->table, s->name);
    if (!zone || zone->zone_state == DNS_FOUND)
        return false;
    for (const struct dns_line *l = n ? n->first : NULL; l; l = l->next)
        if (l->security != DNS_SECURITY_UNSET || l->state != DNS_FOUND)
            return false;
    search_fail(s, zone->zone_state, zone->zone_why);
    return true;
}

/* Tells whether a line speaks of the name as a whole. */
static bool has_statement(const struct node *n)
{
    const struct dns_line *l = n ? n->first : NULL;
    while (l && l->type != 0)
        l = l->next;
    return l != NULL;
}

/* One step at s->name. True: there is an answer; false: a CNAME leads on. */
static bool search_step(struct search *s, enum dns_type type)
{
    const struct node *n = node_find(s->table, s->name);
    if (zone_fails(s, n) || (n && take_lines(s, n, type)))
        return true;
    if (n && type != DNS_CNAME && take_cname(s, n))
        return false;
    if (s->table->unknown && !has_statement(n) && !zone_of(s->table, s->name)) {
        search_fail(s, DNS_TEMPFAIL, s->table->unknown);
    } else if (n) {
        take_nothing(s, n);
    } else {
        weaken(s, zone_security(s->table, s->name), s->name);
        negative(s, DNS_NXDOMAIN, NULL);
    }
    return true;
}

struct dns_result *dns_table_answer(const struct dns_table *t, const struct dns_question *q)
{
    struct search *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->table = t;
    s->made = (struct dns_result){.security = DNS_SECURE, .ttl = UINT32_MAX, .rdata = s->rdata};
    memcpy(s->name, q->name, sizeof s->name);
    unsigned links = 0;
    while (!search_step(s, q->type)) {
        if (++links > DNS_TABLE_CHAIN) {
            search_fail(s, DNS_TEMPFAIL, "too many CNAME records in a chain");
            break;
        }
    }
    if (links && s->made.state != DNS_TEMPFAIL && s->made.state != DNS_BOGUS && !s->made.canonical)
        s->made.canonical = s->name;
    if (s->made.ttl == UINT32_MAX)
        s->made.ttl = 300;
    struct dns_result *r = dns_result_new(&s->made);
    free(s);
    return r;
}
