// SPDX-License-Identifier: BSD-2-Clause
/*
 * ask.c - which statement decides (design section 3). Pure, without memory, in a time that depends on the labels of the
 * names asked and on the statements that speak of them, not on the size of the policy.
 *
 * The walk collects the statements that speak of the subject: for each WHOM the recipient matches (and for "no writing
 * to"), each WHO the sender matches. Each comes with two scores. WHOM: none < domain (more labels, more) < address.
 * WHO: everyone < network (longer prefix, more) < domain (more labels, more; `only` more than its domain). A list's
 * score is that of its entry that matched. Then: `always` first; WHOM; WHO; the later. Among exemptions in force the
 * most specific; it wins over a statement that is more specific than it in neither score, and never over `always`.
 * Last, a statement of a file that may only tighten replaces the outcome when it asks more and in nothing less.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "policy/index.h"
#include "policy/recipient.h"

#define SCORE_NETWORK 0x100u
#define SCORE_DOMAIN 0x1000u
#define SCORE_ADDRESS 0x10000u
#define CANDIDATES 48u /* kept to be told as beaten; the best ones are kept apart and never lost */

struct candidate {
    const struct item *item; /* NULL: none */
    uint32_t whom, who;
};

struct walk {
    const struct policy *p;
    const struct policy_question *q;
    uint32_t slot;
    time_t at;
    struct keyset_name who;
    bool has_who;
    struct candidate rule, tighter;
    struct candidate target;             /* the rule that exemptions are sought for */
    struct candidate exemption, expired; /* the most specific ones that excuse it */
    bool any_exemption;
    struct candidate seen[CANDIDATES];
    enum policy_beaten_by unfit[CANDIDATES]; /* of exemptions: EXPIRED or EVIDENCE; else POLICY_BEATEN_LATER */
    size_t seen_count;
    void (*found)(struct walk *, const struct candidate *);
};

/* ---- order ---- */

/* Whether a goes before b, and by what. */
static bool outranks(const struct candidate *a, const struct candidate *b, enum policy_beaten_by *why)
{
    if (a->item->s.always != b->item->s.always) {
        *why = POLICY_BEATEN_ALWAYS;
        return a->item->s.always;
    }
    if (a->whom != b->whom) {
        *why = POLICY_BEATEN_WHOM;
        return a->whom > b->whom;
    }
    if (a->who != b->who) {
        *why = POLICY_BEATEN_WHO;
        return a->who > b->who;
    }
    *why = POLICY_BEATEN_LATER;
    return a->item > b->item;
}

static void keep_best(struct candidate *best, const struct candidate *c)
{
    enum policy_beaten_by why;
    if (!best->item || outranks(c, best, &why))
        *best = *c;
}

static bool covers(const struct candidate *exemption, const struct candidate *rule)
{
    return !rule->item->s.always && rule->whom <= exemption->whom && rule->who <= exemption->who;
}

/* ---- what stands in a statement's way ---- */

static bool via_holds(const struct item *it, const struct ip *client)
{
    if (!it->s.via.kind)
        return true;
    if (!client || !client->family)
        return false;
    return it->via_list ? keyset_longest_net(&it->via_list->keys, client) > 0 : ip_in_net(client, &it->s.via.net);
}

static bool signed_holds(const struct item *it, const struct policy_question *q)
{
    if (!it->s.signed_by)
        return true;
    for (size_t i = 0; i < q->signer_count; i++)
        if (domain_is_within(q->signers[i], it->s.signed_by))
            return true;
    return false;
}

static bool ended(const struct item *it, time_t at)
{
    return it->s.until && it->s.until <= at;
}

static bool begun(const struct item *it, time_t at)
{
    return it->s.since <= at;
}

/* ---- the walk ---- */

static void remember(struct walk *w, const struct candidate *c, enum policy_beaten_by unfit)
{
    if (w->seen_count < CANDIDATES) {
        w->unfit[w->seen_count] = unfit;
        w->seen[w->seen_count++] = *c;
    }
}

/* Whether an exemption's conditions hold: POLICY_BEATEN_LATER where they do. */
static enum policy_beaten_by fitness(const struct walk *w, const struct item *it)
{
    if (!via_holds(it, w->q->client) || !signed_holds(it, w->q) || !begun(it, w->at))
        return POLICY_BEATEN_EVIDENCE;
    return ended(it, w->at) ? POLICY_BEATEN_EXPIRED : POLICY_BEATEN_LATER;
}

static void found_rule(struct walk *w, const struct candidate *c)
{
    const struct policy_statement *s = &c->item->s;
    enum policy_beaten_by unfit = POLICY_BEATEN_LATER;
    if (s->kind != POLICY_EXEMPT) {
        keep_best(s->tightens ? &w->tighter : &w->rule, c);
    } else {
        w->any_exemption = true;
        unfit = fitness(w, c->item);
    }
    remember(w, c, unfit);
}

static void found_exemption(struct walk *w, const struct candidate *c)
{
    if (c->item->s.kind != POLICY_EXEMPT || !covers(c, &w->target))
        return;
    enum policy_beaten_by unfit = fitness(w, c->item);
    if (unfit != POLICY_BEATEN_EVIDENCE)
        keep_best(unfit == POLICY_BEATEN_EXPIRED ? &w->expired : &w->exemption, c);
}

static void chain(struct walk *w, uint32_t head, uint32_t whom, uint32_t who)
{
    while (head) {
        const struct item *it = &w->p->items[head - 1];
        if (it->slots & w->slot)
            w->found(w, &(struct candidate){it, whom, who});
        head = it->next;
    }
}

static void chain_networks(struct walk *w, uint32_t id, uint32_t whom_score)
{
    const struct whom *whom = &w->p->index.whoms[id];
    const struct ip *a = w->q->who_ip;
    for (unsigned bits = a->family == 4 ? 33 : 129; bits-- > 0;) {
        bool have = a->family == 4 ? whom->prefix4 >> bits & 1 : whom->prefix6[bits / 64] >> (bits % 64) & 1;
        char text[KEYSET_NET_KEY];
        if (!have)
            continue;
        struct ip_net net = ip_net_of(a, bits);
        struct slice key = keyset_net_key(&net, text);
        chain(w, index_find_who(w->p, id, POLICY_NETWORK, keyset_hash(w->p->seed, key), key), whom_score,
              SCORE_NETWORK + bits);
    }
}

static void chain_domains(struct walk *w, uint32_t id, uint32_t whom_score)
{
    const struct whom *whom = &w->p->index.whoms[id];
    const struct keyset_name *n = &w->who;
    for (unsigned i = n->labels; i-- > 0;) {
        struct slice key = slice_of(n->name + n->parent[i].at, (size_t)n->length - n->parent[i].at);
        if (!(whom->label_counts >> (i + 1 < 31 ? i + 1 : 31) & 1))
            continue;
        if (i + 1 == n->labels)
            chain(w, index_find_who(w->p, id, POLICY_ONLY, n->parent[i].hash, key), whom_score,
                  SCORE_DOMAIN + 2 * (i + 1) + 1);
        chain(w, index_find_who(w->p, id, POLICY_DOMAIN, n->parent[i].hash, key), whom_score,
              SCORE_DOMAIN + 2 * (i + 1));
    }
}

static void chain_lists(struct walk *w, uint32_t id, uint32_t whom_score)
{
    for (uint32_t head = w->p->index.whoms[id].lists; head; head = w->p->items[head - 1].next_list) {
        const struct keyset *k = &w->p->items[head - 1].who_list->keys;
        unsigned labels = w->has_who ? keyset_longest(k, &w->who) : 0;
        unsigned bits = !labels && w->q->who_ip ? keyset_longest_net(k, w->q->who_ip) : 0;
        if (labels)
            chain(w, head, whom_score, SCORE_DOMAIN + 2 * labels);
        else if (bits)
            chain(w, head, whom_score, SCORE_NETWORK + bits - 1);
    }
}

static void walk_whom(struct walk *w, uint32_t id, uint32_t whom_score)
{
    const struct whom *whom = &w->p->index.whoms[id];
    chain(w, whom->everyone, whom_score, 0);
    if (w->has_who && whom->label_counts)
        chain_domains(w, id, whom_score);
    if (w->q->who_ip)
        chain_networks(w, id, whom_score);
    if (whom->lists)
        chain_lists(w, id, whom_score);
}

static void walk_recipient(struct walk *w, const char *rcpt)
{
    const struct index *x = &w->p->index;
    struct recipient r;
    struct keyset_name domain;
    if (x->whom_count == 1 || !recipient_parse(rcpt, x->whom_addresses || x->lists_have_addresses, &r))
        return;
    keyset_name(w->p->seed, r.domain, &domain);
    for (unsigned i = 0; i < domain.labels; i++) {
        struct slice key = slice_of(domain.name + domain.parent[i].at, (size_t)domain.length - domain.parent[i].at);
        uint32_t id = x->whom_label_counts >> (i + 1 < 31 ? i + 1 : 31) & 1
                          ? index_find_whom(w->p, POLICY_DOMAIN, domain.parent[i].hash, key)
                          : 0;
        if (id)
            walk_whom(w, id, SCORE_DOMAIN + i + 1);
    }
    for (size_t i = 0; x->whom_addresses && i < r.form_count; i++) {
        struct slice key = slice_str(r.forms[i]);
        uint32_t id = index_find_whom(w->p, POLICY_ADDRESS, keyset_hash(w->p->seed, key), key);
        if (id)
            walk_whom(w, id, SCORE_ADDRESS);
    }
    for (size_t i = 0; i < x->whom_list_count; i++) {
        const struct list *list = x->whoms[x->whom_lists[i]].list;
        bool address = false;
        for (size_t k = 0; list->has_address && k < r.form_count && !address; k++)
            address = keyset_has(&list->keys, slice_str(r.forms[k]));
        unsigned labels = address ? 0 : keyset_longest(&list->keys, &domain);
        if (address || labels)
            walk_whom(w, x->whom_lists[i], address ? SCORE_ADDRESS : SCORE_DOMAIN + labels);
    }
}

/* Large lists lie far from the processor: what will be looked at is asked for before other work, and is there after it.
 */
static void expect_lists(const struct walk *w, void (*expect)(const struct keyset *, const struct keyset_name *))
{
    for (uint32_t head = w->has_who ? w->p->index.whoms[0].lists : 0; head; head = w->p->items[head - 1].next_list)
        expect(&w->p->items[head - 1].who_list->keys, &w->who);
}

static void walk(struct walk *w, void (*found)(struct walk *, const struct candidate *))
{
    w->found = found;
    expect_lists(w, keyset_expect);
    if (w->q->rcpt)
        walk_recipient(w, w->q->rcpt);
    expect_lists(w, keyset_expect_key);
    walk_whom(w, 0, 0);
}

static void begin(struct walk *w, const struct policy *p, const struct policy_question *q, unsigned slot)
{
    w->p = p;
    w->q = q;
    w->slot = SLOT_BIT(slot);
    w->at = q->at ? q->at : clock_wall();
    w->seen_count = 0;
    w->any_exemption = false;
    w->rule.item = w->tighter.item = NULL;
    w->has_who = q->who && (p->index.named_slots & w->slot);
    if (w->has_who)
        keyset_name(p->seed, q->who, &w->who);
}

/* Seeks the exemptions that excuse one rule: the most specific that is in force, and the most specific that has ended.
 */
static void seek_exemptions(struct walk *w, const struct candidate *rule)
{
    w->exemption.item = w->expired.item = NULL;
    w->target = *rule;
    if (w->any_exemption)
        walk(w, found_exemption);
}

/* ---- the answer ---- */

static void answer_from(struct policy_answer *a, const struct policy_statement *s, enum standard standard)
{
    a->level = s->level;
    a->trial = s->trial;
    a->always = s->always;
    a->strictly = s->strictly;
    a->as_published = s->as_published;
    a->except_bounces = s->except_bounces && standard == STANDARD_DMARC;
    a->tls_version = standard == STANDARD_TLS ? s->tls_version : 0;
    a->text = s->peer_text;
    a->statement = s;
    a->action_written = s->action_written;
    a->action = s->action_written || s->own_from ? s->action : policy_default_action(standard, s->level);
}

/* Takes the level down as an exemption does; false when it was not above that. */
static bool excuse(struct policy_answer *a, const struct policy_question *q)
{
    enum policy_level to = q->names ? POLICY_FOLLOW : POLICY_RECORD;
    if (a->level <= to)
        return false;
    a->level = to;
    a->action = q->names ? POLICY_DEFER : POLICY_DELIVER;
    a->action_written = false;
    a->strictly = a->as_published = a->except_bounces = false;
    a->tls_version = 0;
    a->text = NULL;
    return true;
}

/* Whether `more` asks more than `than`, and in nothing less. */
static bool asks_more(const struct policy_answer *more, const struct policy_answer *than)
{
    if (more->level != than->level)
        return more->level > than->level && more->tls_version >= than->tls_version && more->action >= than->action;
    bool less = more->action < than->action || more->tls_version < than->tls_version ||
                (than->as_published && !more->as_published) || (more->except_bounces && !than->except_bounces);
    bool bigger = more->action > than->action || more->tls_version > than->tls_version ||
                  (more->as_published && !than->as_published) || (than->except_bounces && !more->except_bounces) ||
                  (than->trial && more->level > POLICY_RECORD);
    return !less && bigger;
}

/* Lets a customer's statement replace the outcome. True when it did. */
static bool tighten(struct walk *w, struct policy_answer *a)
{
    struct policy_answer customer = {0};
    struct candidate exemption = w->exemption;
    if (!w->tighter.item)
        return false;
    answer_from(&customer, &w->tighter.item->s, w->q->standard);
    if (!asks_more(&customer, a))
        return false;
    seek_exemptions(w, &w->tighter);
    bool excused = w->exemption.item != NULL;
    w->exemption = exemption;
    if (excused)
        return false;
    a->exemption = a->expired = NULL;
    answer_from(a, &w->tighter.item->s, w->q->standard);
    return true;
}

/* Why one that speaks of the subject did not decide. */
static enum policy_beaten_by why_beaten(const struct walk *w, const struct policy_answer *a,
                                        const struct candidate *decided, size_t i)
{
    const struct candidate *c = &w->seen[i];
    const struct policy_statement *s = &c->item->s;
    enum policy_beaten_by why = POLICY_BEATEN_LATER;
    bool customer = decided->item && decided->item->s.tightens;
    if (s->kind == POLICY_EXEMPT) {
        if (w->unfit[i] != POLICY_BEATEN_LATER)
            return w->unfit[i];
        if (a->exemption || !decided->item || covers(c, decided))
            return a->exemption ? POLICY_BEATEN_EXEMPTION : POLICY_BEATEN_NEEDLESS;
    } else if (s->tightens != customer) {
        return POLICY_BEATEN_MAY_ONLY_TIGHTEN;
    }
    if (decided->item)
        (void)outranks(decided, c, &why);
    return why;
}

static void tell_beaten(const struct walk *w, struct policy_answer *a, const struct candidate *decided)
{
    for (size_t i = 0; i < w->seen_count && a->beaten_count < POLICY_BEATEN_MAX; i++) {
        const struct policy_statement *s = &w->seen[i].item->s;
        if (s != a->statement && s != a->exemption)
            a->beaten[a->beaten_count++] = (struct policy_beaten){s, why_beaten(w, a, decided, i)};
    }
}

static void clear(struct policy_answer *a, enum policy_level level)
{
    a->level = level;
    a->action = POLICY_DELIVER;
    a->action_written = a->trial = a->always = a->strictly = a->as_published = a->except_bounces = false;
    a->tls_version = 0;
    a->text = NULL;
    a->statement = a->exemption = a->expired = NULL;
    a->beaten_count = 0;
}

/* What the operator's own statements say. */
static void decide(struct walk *w, struct policy_answer *a)
{
    const struct policy_question *q = w->q;
    answer_from(a, &w->rule.item->s, q->names ? STANDARD_DNSSEC : q->standard);
    if (q->names)
        a->action = a->level >= POLICY_FOLLOW ? POLICY_DEFER : POLICY_DELIVER;
    bool above = a->level > (q->names ? POLICY_FOLLOW : POLICY_RECORD);
    seek_exemptions(w, &w->rule);
    if (w->exemption.item && excuse(a, q))
        a->exemption = &w->exemption.item->s;
    else if (above && w->expired.item)
        a->expired = &w->expired.item->s;
}

void policy_ask(const struct policy *p, const struct policy_question *q, struct policy_answer *a)
{
    struct walk w;
    struct policy_question asked = *q;
    if (q->own_from)
        asked.who = NULL;
    if (q->names)
        asked.rcpt = NULL;
    const bool of_network =
        q->standard == STANDARD_TLS || q->standard == STANDARD_RDNS || (q->standard == STANDARD_DMARC && !q->who);
    if (q->own_from || q->names || !of_network)
        asked.who_ip = NULL;
    begin(&w, p, &asked,
          q->own_from ? (unsigned)SLOT_OWN_FROM
          : q->names  ? (unsigned)SLOT_NAMES
                      : (unsigned)q->standard);
    walk(&w, found_rule);
    clear(a, q->own_from ? POLICY_IGNORE : POLICY_RECORD);
    w.exemption.item = NULL;
    if (w.rule.item)
        decide(&w, a);
    struct candidate decided = tighten(&w, a) ? w.tighter : w.rule;
    if (w.seen_count > 1 || (w.seen_count && !a->statement))
        tell_beaten(&w, a, &decided);
}

/* ---- other questions ---- */

static void found_in_force(struct walk *w, const struct candidate *c)
{
    if (via_holds(c->item, w->q->client) && begun(c->item, w->at) && !ended(c->item, w->at))
        keep_best(&w->rule, c);
}

static const struct policy_statement *in_force(const struct policy *p, enum slot slot, const char *domain,
                                               const char *rcpt, const struct ip *client, time_t at)
{
    struct policy_question q = {.client = client, .who = domain, .rcpt = rcpt, .at = at};
    struct walk w;
    if (!(p->index.slots & SLOT_BIT(slot)))
        return NULL;
    begin(&w, p, &q, slot);
    walk(&w, found_in_force);
    return w.rule.item ? &w.rule.item->s : NULL;
}

const struct policy_statement *policy_trusted(const struct policy *p, const char *domain, const char *rcpt,
                                              const struct ip *client, time_t at)
{
    return in_force(p, SLOT_TRUST, domain, rcpt, client, at);
}

bool policy_suspends(const struct policy *p)
{
    return p->index.slots & SLOT_BIT(SLOT_SUSPEND);
}

const struct policy_statement *policy_suspended(const struct policy *p, const char *domain, time_t at)
{
    return in_force(p, SLOT_SUSPEND, domain, NULL, NULL, at);
}

static void found_exemption_in_force(struct walk *w, const struct candidate *c)
{
    if (c->item->s.kind == POLICY_EXEMPT)
        found_in_force(w, c);
}

const struct policy_statement *policy_exempt_name(const struct policy *p, const char *domain, time_t at)
{
    struct policy_question q = {.who = domain, .at = at};
    struct walk w;
    begin(&w, p, &q, SLOT_NAMES);
    walk(&w, found_exemption_in_force);
    return w.rule.item ? &w.rule.item->s : NULL;
}

bool policy_is_own_domain(const struct policy *p, const char *domain)
{
    struct keyset_name n;
    if (!p->own.domains.count || !domain)
        return false;
    keyset_name(p->seed, domain, &n);
    return keyset_longest(&p->own.domains, &n) > 0;
}

bool policy_is_own_network(const struct policy *p, const struct ip *a)
{
    return keyset_longest_net(&p->own.networks, a) > 0;
}

bool policy_is_relay(const struct policy *p, const struct ip *a)
{
    return keyset_longest_net(&p->own.relays, a) > 0;
}

bool policy_is_submission(const struct policy *p, unsigned port, bool authenticated)
{
    if (!p->own.said)
        return authenticated;
    for (size_t i = 0; i < p->own.port_count; i++)
        if (p->own.ports[i] == port)
            return true;
    return p->own.auth && authenticated;
}

size_t policy_memory(const struct policy *p, size_t *list_text)
{
    size_t n = arena_used(p->arena) + p->item_size * sizeof *p->items + p->index.octets, text = 0;
    for (size_t i = 0; i < p->list_count; i++) {
        n += keyset_overhead(&p->lists[i]->keys);
        text += keyset_text(&p->lists[i]->keys);
    }
    if (list_text)
        *list_text = text;
    return n;
}
