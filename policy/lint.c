// SPDX-License-Identifier: BSD-2-Clause
/*
 * lint.c - warnings about a policy that loads; never errors, and the policy is not changed.
 *
 * Reports: statements that can never apply and which one hides them, exact repeats, settings that are set again;
 * exemptions, trusts and suspensions that have ended, end soon, run long, can be used by anyone who types the name, or
 * excuse nothing; lists that are empty or that nobody names; rejects that reject nothing because the mode is dry-run; a
 * mode that enforces nothing.
 * It claims that something never applies only if that is so for every sender and recipient: the entries of lists are
 * not compared. Work is bounded by the statements times the few `always` and exemptions among them.
 */
#include "base/domain.h"
#include "policy/index.h"
#include "policy/load.h"
#include "policy/policy_settings.h"
#include <stdio.h>
#include <stdlib.h>

#define DAY 86400
#define SOON (30 * DAY)
#define LONG (180 * DAY)
#define CHAIN_MOST 500u
#define PAIRS_MOST 20000000u
#define NETWORK_PAIRS_MOST 2000000u /* each is two texts to read */

struct lint {
    struct policy *p;
    struct policy_report *r;
    time_t now;
    uint32_t *always; /* numbers of the rules that are always */
    size_t always_count;
    uint32_t *relays; /* numbers of the relay statements */
    size_t relay_count;
    bool compare_relays; /* with own networks: they are not too many */
};

static void doubt(const struct lint *l, enum policy_severity severity, const struct item *it, const char *help,
                  const char *fmt, ...) PRINTF_LIKE(5, 6);
static void doubt(const struct lint *l, enum policy_severity severity, const struct item *it, const char *help,
                  const char *fmt, ...)
{
    struct place at;
    va_list ap;
    item_place(it, &at);
    va_start(ap, fmt);
    report_vadd(l->r, severity, &at, help, fmt, ap);
    va_end(ap);
}

static bool is_rule(const struct item *it)
{
    return it->s.kind == POLICY_RULE || it->s.kind == POLICY_NAMES_RULE;
}

/* "line 14", or "FILE line 14" where that is another file. */
static const char *line_of(const struct lint *l, const struct item *from, const struct item *to)
{
    const char *text = from->unit == to->unit ? arena_printf(l->p->arena, "line %u", to->s.line)
                                              : arena_printf(l->p->arena, "%s line %u", to->s.file, to->s.line);
    return text ? text : "a line";
}

/* ---- who covers whom: every subject of `inner` is one of `outer` ---- */

static bool covers(const struct policy_party *outer, const struct policy_party *inner)
{
    if (outer->kind == POLICY_EVERYONE || outer->kind == POLICY_PARTY_NONE)
        return true;
    if (outer->kind == POLICY_NETWORK)
        return inner->kind == POLICY_NETWORK && outer->net.bits <= inner->net.bits &&
               ip_in_net(&inner->net.base, &outer->net);
    if (outer->kind == POLICY_DOMAIN && (inner->kind == POLICY_DOMAIN || inner->kind == POLICY_ONLY))
        return domain_is_within(inner->name, outer->name);
    if (outer->kind == POLICY_DOMAIN && inner->kind == POLICY_ADDRESS)
        return domain_is_within(strrchr(inner->name, '@') + 1, outer->name);
    return outer->kind == inner->kind && outer->name && inner->name && strcmp(outer->name, inner->name) == 0;
}

/* ---- statements that never apply ---- */

static uint32_t chain_of(const struct policy *p, const struct item *it)
{
    char net[KEYSET_NET_KEY];
    if (it->s.who.kind == POLICY_EVERYONE || it->s.who.kind == POLICY_SUBMITTERS)
        return p->index.whoms[it->whom_id].everyone;
    if (it->who_list) {
        uint32_t head = p->index.whoms[it->whom_id].lists;
        while (head && p->items[head - 1].who_list != it->who_list)
            head = p->items[head - 1].next_list;
        return head;
    }
    struct slice key =
        it->s.who.kind == POLICY_NETWORK ? keyset_net_key(&it->s.who.net, net) : slice_str(it->s.who.name);
    return index_find_who(p, it->whom_id, it->s.who.kind, keyset_hash(p->seed, key), key);
}

static const struct item *later_of_the_same(const struct lint *l, const struct item *it, uint32_t slot)
{
    unsigned steps = 0;
    for (uint32_t n = chain_of(l->p, it); n && steps < CHAIN_MOST; n = l->p->items[n - 1].next, steps++) {
        const struct item *other = &l->p->items[n - 1];
        if (other > it && is_rule(other) && strcmp(other->s.text, it->s.text) != 0 && (other->slots & slot) &&
            other->s.always >= it->s.always && other->s.tightens == it->s.tightens)
            return other;
    }
    return NULL;
}

static const struct item *always_above(const struct lint *l, const struct item *it, uint32_t slot)
{
    for (size_t i = 0; !it->s.always && !it->s.tightens && i < l->always_count; i++) {
        const struct item *a = &l->p->items[l->always[i]];
        if ((a->slots & slot) && covers(&a->s.who, &it->s.who) && covers(&a->s.whom, &it->s.whom))
            return a;
    }
    return NULL;
}

static const char *slot_name(unsigned slot)
{
    return slot < STANDARD_MAIL_COUNT ? standard_name((enum standard)slot)
           : slot == SLOT_OWN_FROM    ? "own-from"
                                      : "dnssec of names";
}

static void check_hidden(const struct lint *l, const struct item *it)
{
    const struct item *by = NULL;
    bool all = true;
    const struct item *hiders[SLOT_COUNT] = {0};
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        if (!(it->slots & SLOT_BIT(slot)))
            continue;
        hiders[slot] = later_of_the_same(l, it, SLOT_BIT(slot));
        if (!hiders[slot])
            hiders[slot] = always_above(l, it, SLOT_BIT(slot));
        all = all && hiders[slot] && (!by || by == hiders[slot]);
        by = hiders[slot] ? hiders[slot] : by;
    }
    if (all && by) {
        doubt(l, POLICY_WARNING, it, "remove one of the two", "this never applies: %s decides instead (%s)",
              line_of(l, it, by), by->s.text);
        return;
    }
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (hiders[slot])
            doubt(l, POLICY_WARNING, it, arena_printf(l->p->arena, "take %s out of one of the two", slot_name(slot)),
                  "its %s never applies: %s decides instead (%s)", slot_name(slot), line_of(l, it, hiders[slot]),
                  hiders[slot]->s.text);
}

/* ---- repeats ---- */

static bool check_repeat(const struct lint *l, struct map *seen, uint32_t number)
{
    const struct item *it = &l->p->items[number];
    const uint64_t *first = map_get(seen, slice_str(it->s.text));
    if (first) {
        doubt(l, POLICY_WARNING, it, "remove one of the two", "this repeats %s", line_of(l, it, &l->p->items[*first]));
        return true;
    }
    (void)!map_put(seen, slice_str(it->s.text), number);
    return false;
}

static void check_set(const struct lint *l, const struct item *it)
{
    size_t i = setting_find(slice_str(it->s.name));
    uint32_t last = i < setting_count() ? l->p->settings[i].item : 0;
    const char *told = i == SETTING_MILTER_SOCKET               ? l->p->mta_socket
                       : i == SETTING_POSTFIX_TLS_POLICY_SOCKET ? l->p->mta_tls_policy_socket
                                                                : NULL;
    const bool unix_socket = strncmp(l->p->settings[i].text ? l->p->settings[i].text : "", "unix:", 5) == 0;
    if (told && last && &l->p->items[last - 1] == it && unix_socket && strcmp(l->p->settings[i].text, told) != 0)
        doubt(l, POLICY_WARNING, it, "take the line out, or run assay harden again",
              "the MTA asks %s, where `assay harden` put it: assay-milter listens at both", told);
    struct policy_setting info;
    if (!last || &l->p->items[last - 1] == it || !policy_setting_at(l->p, i, &info) || strcmp(info.type, "names") == 0)
        return;
    doubt(l, POLICY_WARNING, it, "remove one of the two", "%s is set again in %s, which counts", it->s.name,
          line_of(l, it, &l->p->items[last - 1]));
}

/* ---- trials ---- */

/* Only one statement decides, so a statement on trial replaces the one that acted on these senders before: then nothing
 * acts on them.
 */
static void check_trial(const struct lint *l, const struct item *it)
{
    for (size_t i = 0; i < l->p->item_count; i++) {
        const struct item *other = &l->p->items[i];
        if (other->s.kind != POLICY_RULE || other->s.trial || other->s.always || other->s.level < POLICY_FOLLOW ||
            !(other->slots & it->slots) || !covers(&other->s.who, &it->s.who) || !covers(&other->s.whom, &it->s.whom))
            continue;
        bool hidden = other > it && covers(&it->s.who, &other->s.who) && covers(&it->s.whom, &other->s.whom);
        if (hidden || other->s.action == POLICY_DELIVER)
            continue;
        doubt(l, POLICY_WARNING, it, "to try it out and lose nothing meanwhile: `assay policy what-if`",
              "while this is on trial, %s does not act on them (%s): one line decides, and a trial does nothing",
              line_of(l, it, other), other->s.text);
        return;
    }
}

/* ---- what customers ask ---- */

static void check_tightens(const struct lint *l, const struct item *it)
{
    const struct policy_statement *instead;
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT; i++)
        if ((it->s.standards & POLICY_BIT(i)) &&
            policy_tightens_nothing(l->p, &it->s, (enum standard)i, l->now, &instead))
            doubt(l, POLICY_WARNING, it, "it may only ask more: act where the main policy does not, or more severely",
                  "its %s changes nothing: the main policy asks as much or more, in %s line %u (%s)",
                  standard_name((enum standard)i), instead->file, instead->line, instead->text);
}

/* A provider's customers send with domains of their own. */
static void check_own_from(const struct lint *l, const struct item *it)
{
    size_t domains = l->p->own.domains.count;
    if (it->s.own_from && it->s.level == POLICY_REQUIRE && domains < 2)
        doubt(l, POLICY_WARNING, it, "name every domain that users send with in `own domains`, or remove this",
              "users of this server may write as %s only: mail they send as any other domain is refused",
              domains ? "the one own domain" : "no domain, since none is named as own, so as nobody");
}

/* ---- what is explained ---- */

static void check_days(const struct lint *l, const struct item *it, const char *what)
{
    char day[POLICY_DAY_TEXT];
    time_t from = it->s.since && it->s.since < l->now ? it->s.since : l->now;
    policy_day_text(it->s.until - DAY / 2, day);
    if (it->s.until <= l->now)
        doubt(l, POLICY_WARNING, it, "renew it, or remove it", "the %s ended with %s and does nothing any more", what,
              day);
    else if (it->s.until - l->now < SOON && it->s.kind != POLICY_SUSPEND)
        doubt(l, POLICY_WARNING, it, "agree on what comes then", "the %s ends with %s, in %lld day%s", what, day,
              (long long)(it->s.until - l->now) / DAY, (it->s.until - l->now) / DAY == 1 ? "" : "s");
    else if (it->s.until - from > LONG && it->s.kind == POLICY_EXEMPT)
        doubt(l, POLICY_WARNING, it, "agree on a shorter one, and look again then",
              "the %s runs for %lld days, through %s", what, (long long)(it->s.until - from) / DAY, day);
}

/* An SMTP reply is ASCII (RFC 5321 4.2). */
static void check_peer_text(const struct lint *l, const struct item *it)
{
    for (const char *at = it->s.peer_text; at && *at; at++)
        if ((unsigned char)*at > 127) {
            doubt(l, POLICY_WARNING, it, "write it in ASCII: a domain as xn--..., the rest of a web address with %XX",
                  "the text for the peer has letters beyond ASCII: who is refused reads '?' in their place");
            return;
        }
}

static void check_open(const struct lint *l, const struct item *it)
{
    const uint32_t by_name = POLICY_BIT(STANDARD_DMARC) | POLICY_BIT(STANDARD_SPF);
    const bool everybody = it->s.via.kind == POLICY_NETWORK && it->s.via.net.bits == 0;
    if ((it->s.via.kind && !everybody) || it->s.signed_by || !(it->s.standards & by_name))
        return;
    const char *which = !(it->s.standards & POLICY_BIT(STANDARD_SPF))     ? "dmarc"
                        : !(it->s.standards & POLICY_BIT(STANDARD_DMARC)) ? "spf"
                                                                          : "dmarc and spf";
    doubt(l, POLICY_WARNING, it, "add 'via NETWORK' or 'signed by DOMAIN'",
          "anyone can write this sender's name: exempted from %s, forgers pass as well", which);
}

/* Tells whether some rule asks for what the exemption excuses, of somebody it excuses, and is not more specific. */
static bool excuses(const struct lint *l, const struct item *it)
{
    for (size_t i = 0; i < l->p->item_count; i++) {
        const struct item *rule = &l->p->items[i];
        enum policy_level above = rule->s.kind == POLICY_NAMES_RULE ? POLICY_FOLLOW : POLICY_RECORD;
        if (!is_rule(rule) || !(rule->slots & it->slots) || rule->s.level <= above || rule->s.always)
            continue;
        bool unknown = rule->who_list || it->who_list || rule->whom_list || it->whom_list;
        if (unknown || (covers(&rule->s.who, &it->s.who) && (covers(&rule->s.whom, &it->s.whom))))
            return true;
    }
    return false;
}

static void check_exemption(const struct lint *l, const struct item *it, bool look_for_rules)
{
    check_days(l, it, "exemption");
    check_open(l, it);
    if (look_for_rules && it->s.until > l->now && !excuses(l, it))
        doubt(l, POLICY_WARNING, it, "remove it, or correct who or what it is about",
              "this exemption excuses nothing: no statement asks it of them");
}

/* ---- lists, mode ---- */

static void check_lists(const struct lint *l)
{
    for (size_t i = 0; i < l->p->list_count; i++) {
        const struct list *list = l->p->lists[i];
        if (!list->keys.count)
            doubt(l, POLICY_WARNING, &l->p->items[list->item], "is that the right file?",
                  "list %s is empty: what is said of it never applies", list->name);
        else if (!list->used)
            doubt(l, POLICY_NOTE, &l->p->items[list->item], NULL, "no statement speaks of list %s", list->name);
    }
}

static void check_mode(const struct lint *l)
{
    const struct item *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < l->p->item_count; i++) {
        const struct item *it = &l->p->items[i];
        if (it->s.kind != POLICY_RULE || it->s.level < POLICY_FOLLOW || it->s.action != POLICY_REJECT || it->s.trial)
            continue;
        first = first ? first : it;
        n++;
    }
    if (!first || !policy_set_is(l->p, SETTING_MODE, "dry-run") || listener_any_enforces(l->p))
        return;
    if (n == 1)
        doubt(l, POLICY_WARNING, first, "set mode enforce, when the time has come",
              "the mode is dry-run: this rejects nothing yet");
    else
        doubt(l, POLICY_WARNING, first, "set mode enforce, when the time has come",
              "the mode is dry-run: this and %zu more statement%s reject nothing yet", n - 1, n == 2 ? "" : "s");
}

/* A policy that enforces, and has nothing to enforce: what is left when the lines above `set mode` were lost. */
static void check_enforces(const struct lint *l)
{
    const uint32_t mode = l->p->settings[SETTING_MODE].item;
    for (size_t i = 0; i < l->p->item_count; i++)
        if (is_rule(&l->p->items[i]) && l->p->items[i].s.level >= POLICY_FOLLOW && !l->p->items[i].s.trial)
            return;
    if (mode && policy_set_is(l->p, SETTING_MODE, "enforce"))
        doubt(l, POLICY_WARNING, &l->p->items[mode - 1], "say what is asked, such as: follow dmarc of everyone",
              "nothing is asked of anybody: no statement follows or requires a standard, so nothing is refused");
}

static bool item_asks(const struct item *it, enum policy_level level, enum standard standard)
{
    return it->s.kind == POLICY_RULE && it->s.level == level && !it->s.trial &&
           (it->s.standards & POLICY_BIT(standard)) != 0;
}

/* follow dmarc asks the owner of the author's domain: a mail that names no author, or one that cannot be read, has no
 * owner to ask. */
static void check_authors(const struct lint *l)
{
    const struct item *first = NULL;
    for (size_t i = 0; i < l->p->item_count; i++) {
        const struct item *it = &l->p->items[i];
        if (item_asks(it, POLICY_REQUIRE, STANDARD_MESSAGE_FORMAT) && it->s.who.kind == POLICY_EVERYONE &&
            !it->s.whom.kind)
            return;
        if (!first && item_asks(it, POLICY_FOLLOW, STANDARD_DMARC) && it->s.who.kind != POLICY_NETWORK)
            first = it;
    }
    if (first)
        doubt(
            l, POLICY_WARNING, first, "add: require message-format of everyone",
            "a mail whose From names nobody, or cannot be read, has no owner whose wish could be followed: it is only "
            "tagged, or put into the junk folder");
}

/* What a relay passes on is judged, whoever judged it before, unless that is proved. */
static void check_relay(const struct lint *l, const struct item *it)
{
    if (!*policy_set_text(l->p, SETTING_FLEET_KEY_FILE))
        doubt(l, POLICY_NOTE, it, "set fleet.key-file, where the relay runs assay-milter too",
              "mail that the relay has judged is judged again, by the client behind the relay");
    doubt(l, POLICY_NOTE, it, "where NAT stands before the relay, give it the clients' addresses (PROXY protocol)",
          "a client that the relay sees under a private address, or under its own, is not known: SPF says none of its "
          "mail");
}

static bool overlaps(const char *one, const char *two)
{
    struct ip_net a, b;
    return ip_net_from_text(slice_str(one), &a) == STATUS_OK && ip_net_from_text(slice_str(two), &b) == STATUS_OK &&
           (ip_in_net(&a.base, &b) || ip_in_net(&b.base, &a));
}

/* What a relay hands us is never our own mail by an address that its Received fields name: whoever sent it could have
 * written them. */
static void check_own_network(const struct lint *l, const struct item *it)
{
    struct ip_net net;
    for (size_t k = 0; k < it->s.item_count; k++)
        if (ip_net_from_text(slice_str(it->s.items[k]), &net) == STATUS_OK && net.bits == 0)
            doubt(l, POLICY_WARNING, it, "name the networks of your own hosts",
                  "%s is everybody: all mail counts as mail of your own", it->s.items[k]);
    for (size_t i = 0; l->compare_relays && i < l->relay_count; i++) {
        const struct item *other = &l->p->items[l->relays[i]];
        for (size_t k = 0; k < other->s.item_count * it->s.item_count; k++) {
            const char *theirs = other->s.items[k / it->s.item_count], *ours = it->s.items[k % it->s.item_count];
            if (!overlaps(theirs, ours))
                continue;
            doubt(l, POLICY_WARNING, it, "leave hosts that hand us others' mail out of own network",
                  "%s holds the relay %s (%s): what that host hands us is judged by the client behind it, not taken as "
                  "our own",
                  ours, theirs, line_of(l, it, other));
            return;
        }
    }
    if (l->relay_count)
        doubt(l, POLICY_NOTE, it, "let those hosts log in, or hand their mail to this host itself",
              "mail of this network that comes by way of the relay of %s is judged like everybody's",
              line_of(l, it, &l->p->items[l->relays[0]]));
}

/* `as published` is not always the owner's word alone: says where a rejection becomes a quarantine (as
 * verdict_dmarc.c has it). */
static void check_published(const struct lint *l, const struct item *it)
{
    const struct item *relay = l->relay_count && !it->s.action_written ? &l->p->items[l->relays[0]] : NULL;
    doubt(l, POLICY_NOTE, it, "require dmarc of those whose mail must pass, whatever happened to it on the way",
          "as published: what the owner wants rejected is only quarantined where an aligned signature holds over the "
          "header and the body alone was changed on the way%s%s%s%s",
          relay ? "; where the client behind the relay of " : "", relay ? line_of(l, it, relay) : "",
          relay ? " is not known" : "",
          policy_set_number(l->p, SETTING_DMARC_PSL) ? "; and where its pct leaves the mail out (dmarc.psl yes)" : "");
}

/* Of several statements about one listener the last counts, whole. */
static void check_listener(const struct lint *l, const struct item *it)
{
    for (size_t i = 0; i < it->s.item_count; i++) {
        const struct policy_statement *s = policy_listener(l->p, it->s.items[i]);
        if (s && s != &it->s)
            doubt(l, POLICY_WARNING, it, "remove one of the two",
                  "listener \"%s\" is spoken of again in %s, which counts", it->s.items[i],
                  line_of(l, it, (const struct item *)(const void *)s));
    }
}

static bool is_own_network(const struct item *it)
{
    return it->s.kind == POLICY_OWN && strcmp(it->s.name, "network") == 0;
}

static void check_item(const struct lint *l, struct map *seen, uint32_t i, bool look_for_rules)
{
    const struct item *it = &l->p->items[i];
    if (it->s.kind == POLICY_SET) {
        check_set(l, it);
        return;
    }
    if (it->s.kind != POLICY_INCLUDE && it->s.kind != POLICY_LIST && check_repeat(l, seen, i))
        return;
    if (is_rule(it))
        check_hidden(l, it);
    if (it->s.kind == POLICY_RULE && it->s.trial && look_for_rules)
        check_trial(l, it);
    if (is_rule(it) && it->s.tightens)
        check_tightens(l, it);
    check_own_from(l, it);
    check_peer_text(l, it);
    if (it->s.as_published)
        check_published(l, it);
    if (it->s.except_bounces)
        doubt(
            l, POLICY_WARNING, it, "leave it out, where bounces of those senders are signed",
            "'except bounces' lets in every mail from the null sender that has the form of a delivery notice, whoever "
            "it says it is from");
    if (it->s.kind == POLICY_RELAY)
        check_relay(l, it);
    if (is_own_network(it))
        check_own_network(l, it);
    if (it->s.kind == POLICY_EXEMPT)
        check_exemption(l, it, look_for_rules);
    else if (it->s.kind == POLICY_TRUST)
        check_days(l, it, "trust");
    else if (it->s.kind == POLICY_SUSPEND)
        check_days(l, it, "suspension");
    else if (it->s.kind == POLICY_LISTENER)
        check_listener(l, it);
}

/* Notes the statements that others are compared with. */
static void gather(struct lint *l)
{
    size_t own = 0, relays = 0;
    l->always = calloc(l->p->item_count + 1, sizeof *l->always);
    l->relays = calloc(l->p->item_count + 1, sizeof *l->relays);
    for (uint32_t i = 0; i < l->p->item_count; i++) {
        const struct item *it = &l->p->items[i];
        if (l->always && is_rule(it) && it->s.always && l->always_count < CHAIN_MOST)
            l->always[l->always_count++] = i;
        if (l->relays && it->s.kind == POLICY_RELAY)
            l->relays[l->relay_count++] = i;
        relays += it->s.kind == POLICY_RELAY ? it->s.item_count : 0;
        own += is_own_network(it) ? it->s.item_count : 0;
    }
    l->compare_relays = (uint64_t)own * relays < NETWORK_PAIRS_MOST;
}

void lint(struct policy *p, struct policy_report *r, time_t now)
{
    struct lint l = {.p = p, .r = r, .now = now};
    struct map seen;
    size_t exemptions = 0;
    if (!r)
        return;
    map_init(&seen, p->seed);
    gather(&l);
    for (uint32_t i = 0; i < p->item_count; i++)
        exemptions += p->items[i].s.kind == POLICY_EXEMPT || p->items[i].s.trial;
    bool look_for_rules = exemptions * p->item_count < PAIRS_MOST;
    for (uint32_t i = 0; i < p->item_count; i++)
        check_item(&l, &seen, i, look_for_rules);
    check_lists(&l);
    check_mode(&l);
    check_enforces(&l);
    check_authors(&l);
    map_release(&seen);
    free(l.always);
    free(l.relays);
}
