// SPDX-License-Identifier: BSD-2-Clause
/*
 * parse_rule.c - parses rules and exceptions: LEVEL ... of WHO, exempt, suspend validation, trust.
 *
 * Grammar and meaning are checked here: which level a standard takes, what may be said of names, how long an exemption
 * may run, what a file may do that may only tighten. Defaults of actions: policy_default_action().
 */
#include "policy/parser.h"
#include <stdio.h>

static const char *const standard_words[] = {"spf",    "dkim",           "dmarc", "arc",      "dane", "tls",
                                             "dnssec", "message-format", "rdns",  "own-from", NULL};

/* `tls 1.2 or newer` and `dmarc as published`. */
static bool take_detail(struct parser *ps, enum standard standard, const struct token *word)
{
    struct policy_statement *s = &ps->item.s;
    const struct token *t = parse_peek(ps);
    if (standard == STANDARD_TLS && t->kind == TOKEN_WORD && t->raw.n && t->raw.p[0] >= '0' && t->raw.p[0] <= '9') {
        s->tls_version = parse_is(t, "1.2") ? 12 : parse_is(t, "1.3") ? 13 : 0;
        if (!s->tls_version) {
            parse_error(ps, t, "versions are 1.2 and 1.3: older ones are no protection (RFC 8996)",
                        "%s is not a version of tls to require", parse_shown(ps, t));
            return false;
        }
        if (s->kind == POLICY_EXEMPT || s->level != POLICY_REQUIRE) {
            parse_error(ps, t, "write require tls 1.2 or newer", "a version can only be required");
            return false;
        }
        ps->at++;
        return !parse_accept(ps, "or") || parse_expect(ps, "newer", "after 'or'");
    }
    if (parse_is(t, "as")) {
        if (standard != STANDARD_DMARC || s->kind == POLICY_EXEMPT || s->level != POLICY_FOLLOW) {
            parse_error(ps, t, NULL, "'as published' belongs to 'follow dmarc'");
            return false;
        }
        ps->at++;
        return (s->as_published = parse_expect(ps, "published", "after 'as'"));
    }
    return true;
}

static bool take_standard(struct parser *ps)
{
    struct policy_statement *s = &ps->item.s;
    const struct token *t = parse_peek(ps);
    enum standard standard = t->kind == TOKEN_WORD ? standard_from_name(t->raw) : STANDARD_COUNT;
    bool own_from = parse_is(t, "own-from"), nothing;
    if (!own_from && standard == STANDARD_COUNT) {
        if (t->kind == TOKEN_WORD && t->raw.n > 3 && memcmp(t->raw.p, "tls", 3) == 0 && strchr("123-v", t->raw.p[3])) {
            parse_error(ps, t, "write tls 1.2 or newer", "expected a standard, found %s", parse_shown(ps, t));
            return false;
        }
        if (parse_is(t, "all") || parse_is(t, "everything") || parse_is(t, "any") || parse_is(t, "*")) {
            parse_error(ps, t, "name each standard, with commas between them: spf, dkim, dmarc",
                        "expected a standard, found %s", parse_shown(ps, t));
            return false;
        }
        parse_unexpected(ps, t, "a standard: spf, dkim, dmarc, arc, dane, tls, dnssec, message-format or rdns",
                         standard_words);
        return false;
    }
    ps->at++;
    if (own_from)
        return s->own_from = true;
    if (standard >= STANDARD_MAIL_COUNT) {
        parse_error(ps, t, "assay check DOMAIN tests it; in a policy stand those that mail or names are judged by",
                    "%s has no statement: no message is judged by it", standard_name(standard));
        return false;
    }
    if (s->standards & POLICY_BIT(standard)) {
        parse_error(ps, t, NULL, "%s stands twice", standard_name(standard));
        return false;
    }
    s->standards |= POLICY_BIT(standard);
    if (s->kind != POLICY_EXEMPT && !part_standard_takes(standard, s->level, &nothing)) {
        parse_error(ps, t, "use record; whose chain counts is said by `trust DOMAIN as forwarder`",
                    "%s cannot be required of anybody", standard_name(standard));
        return false;
    }
    if (s->kind != POLICY_EXEMPT && nothing)
        parse_warn(ps, t, "use record or require", "%s has no published policy: 'follow' acts on nothing",
                   standard_name(standard));
    return take_detail(ps, standard, t);
}

/* All standards, also those after a bad one, so that each bad one is reported. */
static bool take_standards(struct parser *ps)
{
    bool ok = true;
    do {
        size_t before = ps->at;
        bool good = take_standard(ps);
        ok = ok && good;
        if (!good && ps->at == before) {
            const struct token *t = parse_peek(ps);
            if (t->kind != TOKEN_WORD || parse_is(t, "of") || parse_is(t, "from"))
                return false;
            ps->at++;
        }
        if (!good && parse_peek(ps)->kind != TOKEN_COMMA)
            return false;
    } while (parse_peek(ps)->kind == TOKEN_COMMA && parse_take(ps));
    return ok;
}

/* `every name`, `names in DOMAIN`, `names in list NAME`; *names says whether it was one. */
static bool take_names(struct parser *ps, bool *names)
{
    struct policy_party *who = &ps->item.s.who;
    *names = true;
    if (parse_accept(ps, "every")) {
        who->kind = POLICY_EVERYONE;
        return parse_expect(ps, "name", "after 'every' (everyone: all senders; every name: all of DNS)");
    }
    if (!parse_accept(ps, "names")) {
        *names = false;
        return true;
    }
    if (!parse_expect(ps, "in", "after 'names'"))
        return false;
    ps->item.who_word = parse_peek(ps)->raw;
    if (parse_accept(ps, "list")) {
        who->kind = POLICY_IN_LIST;
        ps->item.who_word = parse_peek(ps)->raw;
        return parse_list_name(ps, &who->name);
    }
    if (parse_accept(ps, "only"))
        who->kind = POLICY_ONLY;
    else
        who->kind = POLICY_DOMAIN;
    return parse_domain(ps, &who->name);
}

static bool check_names(struct parser *ps, const struct token *who)
{
    struct policy_statement *s = &ps->item.s;
    s->kind = POLICY_NAMES_RULE;
    s->action = POLICY_DELIVER;
    if (s->standards != POLICY_BIT(STANDARD_DNSSEC) || s->own_from) {
        parse_error(ps, who, "write the others in a statement of their own, of everyone or of a domain",
                    "of names only dnssec can be asked");
        return false;
    }
    return true;
}

/* What is asked of whom by name, and never of an address. That a network is named for dmarc is a ground to reject where
 * a domain's owner asks for it; as an exemption it is nothing. */
static void warn_network(struct parser *ps, const struct token *who)
{
    const struct policy_statement *s = &ps->item.s;
    uint32_t by_address = POLICY_BIT(STANDARD_TLS) | POLICY_BIT(STANDARD_RDNS);
    if (s->kind == POLICY_RULE && s->level >= POLICY_FOLLOW)
        by_address |= POLICY_BIT(STANDARD_DMARC);
    if (s->who.kind != POLICY_NETWORK || !(s->standards & ~by_address))
        return;
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT; i++)
        if (s->standards & ~by_address & POLICY_BIT(i))
            parse_warn(ps, who, s->kind == POLICY_EXEMPT ? "exempt the domain, via this network" : "name a domain",
                       "%s is asked of domains, not of networks: the statement never applies to it",
                       standard_name((enum standard)i));
}

static bool check_rule(struct parser *ps, const struct token *who)
{
    struct policy_statement *s = &ps->item.s;
    bool submitters = s->who.kind == POLICY_SUBMITTERS;
    if (s->own_from != submitters || (s->own_from && s->standards)) {
        parse_error(ps, who, "write require own-from of submission",
                    "own-from is asked of submission, and of submission nothing else");
        return false;
    }
    if (s->own_from && s->level == POLICY_FOLLOW) {
        parse_error(ps, who, "use record or require", "nobody publishes a wish about own-from");
        return false;
    }
    if (s->action_written && s->level < POLICY_FOLLOW) {
        parse_error(ps, ps->where[CLAUSE_OTHERWISE], "use follow or require to act",
                    "%s never acts: 'otherwise' would do nothing", policy_level_name(s->level));
        return false;
    }
    if (s->peer_text && s->action < POLICY_DEFER)
        parse_warn(ps, ps->where[CLAUSE_OTHERWISE], "only defer and reject answer the peer",
                   "%s accepts the mail: nobody reads the text", policy_action_name(s->action));
    warn_network(ps, who);
    return true;
}

/* Checks the statement against what a file included with `may tighten` may contain. */
static bool check_tighten(struct parser *ps, const struct token *first)
{
    const struct policy_statement *s = &ps->item.s;
    if (!ps->unit->tighten)
        return true;
    if (s->kind != POLICY_RULE || s->own_from) {
        parse_error(ps, first, "leave it to the main policy", "this file may only tighten: %s is not for it to say",
                    s->own_from ? "own-from" : "what is asked of names");
        return false;
    }
    if (s->always || s->trial || s->level == POLICY_IGNORE) {
        parse_error(ps, first, "it may record, follow and require",
                    "this file may only tighten: '%s' is not for it to say",
                    s->always  ? "always"
                    : s->trial ? "trial"
                               : "ignore");
        return false;
    }
    return true;
}

static bool take_level(struct parser *ps)
{
    static const char *const words[] = {"ignore", "record", "follow", "require", "trial", NULL};
    const struct token *t = parse_peek(ps);
    for (unsigned i = 0; i <= POLICY_REQUIRE; i++) {
        if (parse_is(t, words[i])) {
            ps->item.s.level = (enum policy_level)i;
            ps->at++;
            return true;
        }
    }
    parse_unexpected(ps, t, "a level: ignore, record, follow or require", words);
    return false;
}

static void default_action(struct policy_statement *s)
{
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT && !s->action_written; i++) {
        if (s->standards & POLICY_BIT(i)) {
            s->action = policy_default_action((enum standard)i, s->level);
            return;
        }
    }
    if (!s->action_written && s->own_from)
        s->action = s->level == POLICY_REQUIRE ? POLICY_REJECT : POLICY_DELIVER;
}

/* "of" after the standards; a standard there lacks its comma, and what else could be meant is the sender. */
static bool take_of(struct parser *ps)
{
    const struct token *t = parse_peek(ps);
    if (t->kind == TOKEN_WORD && standard_from_name(t->raw) != STANDARD_COUNT) {
        parse_error(ps, t, "write a comma between standards", "expected 'of' or a comma after the standards, found %s",
                    parse_shown(ps, t));
        return false;
    }
    if (parse_is(t, "and") || parse_is(t, "or") || parse_is(t, "&") || parse_is(t, "+")) {
        parse_error(ps, t, "write a comma between standards; each is asked",
                    "expected 'of' or a comma after the standards, found %s", parse_shown(ps, t));
        return false;
    }
    if (parse_is(t, "otherwise") || parse_is(t, "writing") || parse_is(t, "everyone") || parse_is(t, "list") ||
        (t->kind == TOKEN_WORD && memchr(t->raw.p, '.', t->raw.n))) {
        parse_error(ps, t, "first of whom: require dmarc of everyone, of bank.example, of list NAME",
                    "expected 'of' after the standards, found %s", parse_shown(ps, t));
        return false;
    }
    return parse_expect(ps, "of", "after the standards");
}

bool parse_rule(struct parser *ps)
{
    const struct token *first = parse_peek(ps);
    struct policy_statement *s = &ps->item.s;
    bool names = false;
    s->kind = POLICY_RULE;
    for (; parse_is(parse_peek(ps), "always") || parse_is(parse_peek(ps), "trial"); ps->at++)
        *(parse_is(parse_peek(ps), "always") ? &s->always : &s->trial) = true;
    if (!take_level(ps) || !take_standards(ps) || !take_of(ps))
        return false;
    const struct token *who = parse_peek(ps);
    ps->item.who_word = who->raw;
    if (!take_names(ps, &names) || (!names && !parse_who(ps, &s->who)))
        return false;
    uint32_t allowed = names ? CLAUSE_BIT(CLAUSE_STRICTLY) : CLAUSE_BIT(CLAUSE_WRITING) | CLAUSE_BIT(CLAUSE_OTHERWISE);
    if (!names && s->level == POLICY_REQUIRE && (s->standards & POLICY_BIT(STANDARD_DMARC)))
        allowed |= CLAUSE_BIT(CLAUSE_EXCEPT);
    if (!parse_clauses(ps, allowed))
        return false;
    if (s->strictly && s->level != POLICY_REQUIRE) {
        parse_error(ps, ps->where[CLAUSE_STRICTLY], "write require dnssec of names in ... strictly", "%s",
                    "'strictly' belongs to require");
        return false;
    }
    if (!(names ? check_names(ps, who) : check_rule(ps, who)) || !check_tighten(ps, first))
        return false;
    if (!names)
        default_action(s);
    return true;
}

/* The end of an exemption or suspension, at most so many days from now. If the clock was never set this is not
 * checked. */
static bool check_days(struct parser *ps, int most, const char *what)
{
    const struct policy_statement *s = &ps->item.s;
    char last[POLICY_DAY_TEXT];
    time_t now = ps->ld->now;
    if (now < 1700000000 || ps->ld->snapshot)
        return true;
    if (s->since && s->since >= s->until) {
        parse_error(ps, ps->where[CLAUSE_SINCE], NULL, "it begins after it ends");
        return false;
    }
    time_t latest = policy_day(slice_str(policy_day_text(now, last)), most + 1);
    if (s->until <= latest)
        return true;
    const char *help = arena_printf(ps->p->arena, "the latest day today is %s", policy_day_text(latest - 43200, last));
    parse_error(ps, ps->where[CLAUSE_THROUGH] + 1, help, "%s runs at most %d days", what, most);
    return false;
}

#define EXPLAINED (CLAUSE_BIT(CLAUSE_BECAUSE) | CLAUSE_BIT(CLAUSE_AGREED) | CLAUSE_BIT(CLAUSE_THROUGH))
#define EXPLAINED_ALLOWED (EXPLAINED | CLAUSE_BIT(CLAUSE_SINCE))

bool parse_exempt(struct parser *ps)
{
    struct policy_statement *s = &ps->item.s;
    const struct token *first = parse_take(ps), *who = parse_peek(ps);
    s->kind = POLICY_EXEMPT;
    ps->item.who_word = who->raw;
    if (who->kind == TOKEN_WORD && (parse_is(who, "from") || standard_from_name(who->raw) != STANDARD_COUNT)) {
        parse_error(ps, who, "the domain stands first: exempt a.example from dmarc",
                    "expected who is exempted, found %s", parse_shown(ps, who));
        return false;
    }
    if (!parse_who(ps, &s->who))
        return false;
    if (parse_is(parse_peek(ps), "because") || parse_is(parse_peek(ps), "agreed") ||
        parse_is(parse_peek(ps), "through")) {
        parse_error(ps, parse_peek(ps), "write from what, then why: exempt a.example from dmarc because \"...\"",
                    "expected 'from' after who is exempted, found %s", parse_shown(ps, parse_peek(ps)));
        return false;
    }
    if (!parse_expect(ps, "from", "after who is exempted"))
        return false;
    const struct token *standards = parse_peek(ps);
    if (!take_standards(ps))
        return false;
    if (s->own_from || s->who.kind == POLICY_SUBMITTERS) {
        parse_error(ps, standards, "record own-from of submission", "own-from is not exempted from");
        return false;
    }
    if (!parse_clauses(ps, EXPLAINED_ALLOWED | CLAUSE_BIT(CLAUSE_WRITING) | CLAUSE_BIT(CLAUSE_VIA) |
                               CLAUSE_BIT(CLAUSE_SIGNED)))
        return false;
    if (s->via.kind && s->signed_by) {
        parse_error(ps, ps->where[CLAUSE_SIGNED], "write two statements if either is enough",
                    "'via' and 'signed by' exclude each other");
        return false;
    }
    warn_network(ps, who);
    return parse_need(ps, EXPLAINED, first) && check_days(ps, POLICY_EXEMPT_DAYS, "an exemption");
}

bool parse_suspend(struct parser *ps)
{
    struct policy_statement *s = &ps->item.s;
    const struct token *first = parse_take(ps);
    s->kind = POLICY_SUSPEND;
    s->who.kind = POLICY_DOMAIN;
    if (!parse_expect(ps, "validation", "after 'suspend'") || !parse_expect(ps, "below", "after 'suspend validation'"))
        return false;
    ps->item.who_word = parse_peek(ps)->raw;
    if (!parse_domain(ps, &s->who.name) || !parse_clauses(ps, EXPLAINED_ALLOWED))
        return false;
    return parse_need(ps, EXPLAINED, first) && check_days(ps, POLICY_SUSPEND_DAYS, "a suspension");
}

bool parse_trust(struct parser *ps)
{
    struct policy_statement *s = &ps->item.s;
    const struct token *first = parse_take(ps);
    s->kind = POLICY_TRUST;
    s->who.kind = POLICY_ONLY;
    ps->item.who_word = parse_peek(ps)->raw;
    if (!parse_domain(ps, &s->who.name))
        return false;
    if (parse_accept(ps, "and")) {
        s->who.kind = POLICY_DOMAIN;
        if (!parse_expect(ps, "below", "after 'and'"))
            return false;
    }
    if (!parse_expect(ps, "as", "after the domain that is trusted") || !parse_expect(ps, "forwarder", "after 'as'"))
        return false;
    if (!parse_clauses(ps, EXPLAINED_ALLOWED | CLAUSE_BIT(CLAUSE_WRITING) | CLAUSE_BIT(CLAUSE_VIA)))
        return false;
    return parse_need(ps, EXPLAINED, first);
}
