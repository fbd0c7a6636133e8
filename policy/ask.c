// SPDX-License-Identifier: BSD-2-Clause
/*
 * ask.c - which statement decides. Pure, allocates nothing, and its time depends on the labels of
 * the names asked and on the statements about them, not on the size of the policy.
 *
 * The walk collects the statements that apply to the subject: for each WHOM the recipient matches (and for "no writing
 * to"), each WHO the sender matches. Each comes with two scores. WHOM: none < domain (more labels, more) < address.
 * WHO: everyone < network (longer prefix, more) < domain (more labels, more; `only` more than its domain). A list's
 * score is that of its entry that matched. Then: `always` first; WHOM; WHO; the later. Among exemptions in force the
 * most specific; it wins unless the statement is more specific in either score, and never over `always`. Last, a
 * statement of a file that may only tighten replaces the answer when it asks more in some outcome and less in none;
 * where it asks more in some and less in others, both count (policy_answer's `also`, and enum policy_whose).
 */
#include "base/clock.h"
#include "base/domain.h"
#include "policy/index.h"
#include "policy/recipient.h"
#include <stdio.h>

#define SCORE_NETWORK 0x100u
#define SCORE_DOMAIN 0x1000u
#define SCORE_ADDRESS 0x10000u
#define CANDIDATES 48u /* statements that did not decide, for explanations; the best ones are kept separately */

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
    struct candidate target;             /* the rule for which exemptions are looked up */
    struct candidate exemption, expired; /* the most specific exemptions that excuse it */
    bool any_exemption;
    struct candidate seen[CANDIDATES];
    enum policy_beaten_by unfit[CANDIDATES]; /* of exemptions: EXPIRED or EVIDENCE; else POLICY_BEATEN_LATER */
    size_t seen_count;
    void (*found)(struct walk *, const struct candidate *);
};

/* ---- order ---- */

/* Tells whether a goes before b, and by what. */
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

/* ---- why a statement does not apply ---- */

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

static void candidate_remember(struct walk *w, const struct candidate *c, enum policy_beaten_by unfit)
{
    if (w->seen_count < CANDIDATES) {
        w->unfit[w->seen_count] = unfit;
        w->seen[w->seen_count++] = *c;
    }
}

/* Tells whether an exemption's conditions hold: POLICY_BEATEN_LATER where they do. */
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
    candidate_remember(w, c, unfit);
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

/* Large lists are not in the cache: prefetches the buckets that will be looked at. */
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

static void walk_begin(struct walk *w, const struct policy *p, const struct policy_question *q, unsigned slot)
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
    if (w->any_exemption && !w->q->no_exemptions)
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

/* Lowers the level as an exemption does; false if it was not above that. */
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

/* The possible outcomes for a message that answers can treat differently. TLS: unencrypted, older than 1.2, 1.2. The
 * others: nothing published; failed, and the owner asks for nothing, for quarantine, for reject, for reject with a
 * second sign of forgery (RFC 9989 7.4). */
#define OUTCOMES 5

static void act_on_outcomes(const struct policy_answer *a, enum standard standard, enum policy_action out[OUTCOMES])
{
    for (size_t i = 0; i < OUTCOMES; i++)
        out[i] = POLICY_DELIVER;
    if (a->trial || a->level < POLICY_FOLLOW)
        return;
    if (standard == STANDARD_TLS) {
        const unsigned floor = a->tls_version ? a->tls_version : POLICY_TLS_FLOOR;
        for (unsigned i = 0; i < 3 && a->level == POLICY_REQUIRE; i++)
            out[i] = i < 2 || floor > POLICY_TLS_FLOOR ? a->action : POLICY_DELIVER;
        return;
    }
    if (a->level == POLICY_REQUIRE) {
        for (size_t i = 0; i < OUTCOMES; i++)
            out[i] = a->action;
        return;
    }
    if (standard != STANDARD_DMARC || a->action_written) {
        out[2] = out[3] = out[4] = a->action;
        return;
    }
    out[2] = POLICY_QUARANTINE;
    out[3] = a->as_published ? POLICY_REJECT : POLICY_QUARANTINE;
    out[4] = POLICY_REJECT;
}

/* Decided for each outcome, not by a rank of levels. *more: `a` asks more than b in some outcome; *less: less in some.
 */
static void answers_compare(const struct policy_answer *a, const struct policy_answer *b, enum standard standard,
                            bool *more, bool *less)
{
    enum policy_action of_a[OUTCOMES], of_b[OUTCOMES];
    act_on_outcomes(a, standard, of_a);
    act_on_outcomes(b, standard, of_b);
    *more = *less = false;
    for (size_t i = 0; i < OUTCOMES; i++) {
        *more = *more || of_a[i] > of_b[i];
        *less = *less || of_a[i] < of_b[i];
    }
    *more = *more || (!*less && a->level > b->level);
}

/* The customer's statement, if no exemption excuses from it. */
static bool customer_asks(struct walk *w, struct policy_answer *customer)
{
    struct candidate exemption = w->exemption;
    if (!w->tighter.item)
        return false;
    *customer = (struct policy_answer){.level = POLICY_RECORD};
    answer_from(customer, &w->tighter.item->s, w->q->standard);
    seek_exemptions(w, &w->tighter);
    bool excused = w->exemption.item != NULL;
    w->exemption = exemption;
    return !excused;
}

/* Lets a customer's statement replace the answer. True when it did. */
static bool tighten(struct walk *w, struct policy_answer *a)
{
    struct policy_answer customer;
    bool more, less;
    if (!customer_asks(w, &customer))
        return false;
    answers_compare(&customer, a, w->q->standard, &more, &less);
    if (less && more)
        a->also = customer.statement;
    if (less || !more)
        return false;
    a->exemption = a->expired = NULL;
    answer_from(a, &w->tighter.item->s, w->q->standard);
    return true;
}

/* Why a statement that applies to the subject did not decide. */
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

static void clear_answer(struct policy_answer *a, enum policy_level level)
{
    a->level = level;
    a->action = POLICY_DELIVER;
    a->action_written = a->trial = a->always = a->strictly = a->as_published = a->except_bounces = false;
    a->tls_version = 0;
    a->text = NULL;
    a->statement = a->also = a->exemption = a->expired = NULL;
    a->beaten_count = 0;
}

/* What the operator's own statements say. */
static void decide_answer(struct walk *w, struct policy_answer *a)
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
    walk_begin(&w, p, &asked,
               q->own_from ? (unsigned)SLOT_OWN_FROM
               : q->names  ? (unsigned)SLOT_NAMES
                           : (unsigned)q->standard);
    walk(&w, found_rule);
    clear_answer(a, q->own_from ? POLICY_IGNORE : POLICY_RECORD);
    w.exemption.item = NULL;
    bool customer = false;
    if (q->whose == POLICY_WHOSE_CUSTOMER) {
        struct policy_answer asked_for;
        customer = customer_asks(&w, &asked_for);
        if (customer)
            answer_from(a, &w.tighter.item->s, q->standard);
    } else {
        if (w.rule.item)
            decide_answer(&w, a);
        customer = q->whose == POLICY_WHOSE_BOTH && tighten(&w, a);
    }
    struct candidate decided = customer ? w.tighter : w.rule;
    if (w.seen_count > 1 || (w.seen_count && !a->statement))
        tell_beaten(&w, a, &decided);
}

/* ---- other questions ---- */

bool policy_differs_by_rcpt(const struct policy *p)
{
    return p->index.whom_count > 1; /* the first is every recipient */
}

bool policy_decides_at_rcpt(const struct policy *p)
{
    for (size_t i = 0; i < p->own.listener_count; i++)
        if (p->items[p->own.listeners[i]].s.listener.as == POLICY_AS_UNJUDGED)
            return true;
    return policy_differs_by_rcpt(p) || (p->index.acting_slots & SLOT_BIT(STANDARD_TLS));
}

bool policy_has_customers(const struct policy *p)
{
    for (size_t i = 0; i < p->unit_count; i++)
        if (p->units[i]->tighten)
            return true;
    return false;
}

bool policy_tightens_nothing(const struct policy *p, const struct policy_statement *s, enum standard standard,
                             time_t at, const struct policy_statement **instead)
{
    char rcpt[KEYSET_KEY_MAX + 16];
    struct policy_answer operator, customer;
    bool more, less;
    if (s->who.kind == POLICY_IN_LIST || s->who.kind == POLICY_NETWORK || s->whom.kind == POLICY_IN_LIST ||
        !s->whom.name)
        return false;
    snprintf(rcpt, sizeof rcpt, "%s%s", s->whom.kind == POLICY_ADDRESS ? "" : "anybody@", s->whom.name);
    struct policy_question q = {.standard = standard,
                                .who = s->who.name ? s->who.name : "somebody.invalid",
                                .rcpt = rcpt,
                                .at = at,
                                .whose = POLICY_WHOSE_OPERATOR,
                                .no_exemptions = true};
    policy_ask(p, &q, &operator);
    q.whose = POLICY_WHOSE_CUSTOMER;
    policy_ask(p, &q, &customer);
    if (customer.statement != s || !operator.statement)
        return false;
    answers_compare(&customer, &operator, standard, &more, &less);
    if (instead)
        *instead = operator.statement;
    return !more;
}

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
    walk_begin(&w, p, &q, slot);
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
    walk_begin(&w, p, &q, SLOT_NAMES);
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
