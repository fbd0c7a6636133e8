// SPDX-License-Identifier: BSD-2-Clause
/*
 * parse_clauses.c - parses the clauses after the main part of a statement: writing to, otherwise, strictly, except
 * bounces, via, signed by, because, agreed by, since, through, ref.
 *
 * Clauses may stand in any order, each once. One that belongs to another kind of statement is an error that says where
 * it belongs. The end of a `through` day is worked out here: the first second of the day after, in local time.
 */
#include "policy/parser.h"
#include "base/calendar.h"
#include <stdio.h>

static const char *const first_words[] = {"writing", "otherwise", "strictly", "except",  "via", "signed",
                                          "because", "agreed",    "since",    "through", "ref", NULL};
static const char *const whole[] = {"writing to", "otherwise", "strictly", "except bounces", "via", "signed by",
                                    "because",    "agreed by", "since",    "through",        "ref"};
static const char *const belongs[] = {
    [CLAUSE_WRITING] = "'writing to' belongs to rules of mail, exempt, trust, and include ... may tighten",
    [CLAUSE_OTHERWISE] = "'otherwise' belongs to rules of mail",
    [CLAUSE_STRICTLY] = "'strictly' belongs to 'require dnssec of names ...'",
    [CLAUSE_EXCEPT] = "'except bounces' belongs to 'require dmarc of ...'",
    [CLAUSE_VIA] = "'via' belongs to exempt and trust",
    [CLAUSE_SIGNED] = "'signed by' belongs to exempt",
    [CLAUSE_BECAUSE] = "",
    [CLAUSE_AGREED] = "'agreed by' belongs to exempt, suspend and trust",
    [CLAUSE_SINCE] = "'since' belongs to exempt, suspend and trust",
    [CLAUSE_THROUGH] = "'through' belongs to exempt, suspend and trust",
    [CLAUSE_REF] = "'ref' comes after 'because'",
};

static bool take_date(struct parser *ps, int days, time_t *out)
{
    const struct token *t = parse_peek(ps);
    char fault[CALENDAR_FAULT];
    *out = t->kind == TOKEN_WORD ? policy_day(t->raw, days) : 0;
    if (*out == 0 && t->kind == TOKEN_WORD && calendar_fault(t->raw, fault)) {
        parse_error(ps, t, arena_printf(ps->p->arena, "%s", fault), "there is no day %s", parse_shown(ps, t));
        return false;
    }
    if (*out == 0) {
        parse_error(ps, t, hint_date(ps, t), "expected a date, found %s", parse_shown(ps, t));
        return false;
    }
    ps->at++;
    return true;
}

static bool take_action(struct parser *ps)
{
    static const char *const words[] = {"tag", "quarantine", "hold", "defer", "reject", NULL};
    const struct token *t = parse_peek(ps);
    struct policy_statement *s = &ps->item.s;
    for (size_t i = 0; words[i]; i++) {
        if (!parse_is(t, words[i]))
            continue;
        s->action = (enum policy_action)(POLICY_TAG + i);
        s->action_written = true;
        ps->at++;
        t = parse_peek(ps);
        if (t->kind != TOKEN_STRING)
            return true;
        if (strlen(t->value) > POLICY_PEER_TEXT_MAX) {
            parse_error(ps, t, "write the essential, and a link",
                        "the text for the peer has %zu octets; at most %u fit in a reply", strlen(t->value),
                        POLICY_PEER_TEXT_MAX);
            return false;
        }
        s->peer_text = parse_string(ps, "the text for the peer");
        return s->peer_text != NULL;
    }
    parse_unexpected(ps, t, "an action: tag, quarantine, hold, defer or reject", words);
    return false;
}

static bool take_text(struct parser *ps, const char *what, const char **out)
{
    return (*out = parse_string(ps, what)) != NULL;
}

static bool take_whom(struct parser *ps)
{
    if (!parse_expect(ps, "to", "after 'writing'"))
        return false;
    ps->item.whom_word = parse_peek(ps)->raw;
    return parse_whom(ps, &ps->item.s.whom);
}

static bool take_clause(struct parser *ps, enum clause c)
{
    struct policy_statement *s = &ps->item.s;
    switch (c) {
    case CLAUSE_WRITING:
        return take_whom(ps);
    case CLAUSE_OTHERWISE:
        return take_action(ps);
    case CLAUSE_STRICTLY:
        return s->strictly = true;
    case CLAUSE_EXCEPT:
        return s->except_bounces = parse_expect(ps, "bounces", "after 'except'");
    case CLAUSE_VIA:
        if (parse_accept(ps, "list")) {
            s->via.kind = POLICY_IN_LIST;
            return parse_list_name(ps, &s->via.name);
        }
        return parse_network(ps, &s->via);
    case CLAUSE_SIGNED:
        return parse_expect(ps, "by", "after 'signed'") && parse_domain(ps, &s->signed_by);
    case CLAUSE_BECAUSE:
        return take_text(ps, "the reason", &s->because);
    case CLAUSE_AGREED:
        return parse_expect(ps, "by", "after 'agreed'") && take_text(ps, "who agreed", &s->agreed_by);
    case CLAUSE_SINCE:
        return take_date(ps, 0, &s->since);
    case CLAUSE_THROUGH:
        return take_date(ps, 1, &s->until);
    default:
        return take_text(ps, "the reference", &s->ref);
    }
}

bool parse_clauses(struct parser *ps, uint32_t allowed)
{
    allowed |= CLAUSE_BIT(CLAUSE_BECAUSE) | CLAUSE_BIT(CLAUSE_REF);
    while (parse_peek(ps)->kind != TOKEN_END) {
        const struct token *t = parse_peek(ps);
        unsigned c = 0;
        while (c < CLAUSE_COUNT && !parse_is(t, first_words[c]))
            c++;
        if (c == CLAUSE_COUNT) {
            char what[160] = "the end of the statement";
            size_t n = 0;
            for (unsigned i = 0; i < CLAUSE_COUNT; i++)
                if (allowed & ~ps->seen & CLAUSE_BIT(i))
                    n += (size_t)snprintf(what + n, sizeof what - n, n ? ", '%s'" : "'%s'", whole[i]);
            snprintf(what + n, sizeof what - n, n ? " or the end of the statement" : "%s", n ? "" : what);
            if (t->kind == TOKEN_COMMA) {
                parse_error(ps, t,
                            "only standards, `own` and `relay` take several with commas; write one statement for each, "
                            "or use a list",
                            "expected %s, found a comma", what);
                return false;
            }
            parse_unexpected(ps, t, what, first_words);
            return false;
        }
        if (!(allowed & CLAUSE_BIT(c))) {
            parse_error(ps, t, NULL, "%s", belongs[c]);
            return false;
        }
        if (ps->seen & CLAUSE_BIT(c)) {
            parse_error(ps, t, NULL, "'%s' occurs twice in this statement", whole[c]);
            return false;
        }
        ps->seen |= CLAUSE_BIT(c);
        ps->where[c] = t;
        ps->at++;
        if (!take_clause(ps, (enum clause)c))
            return false;
    }
    return true;
}

bool parse_need(struct parser *ps, uint32_t needed, const struct token *statement)
{
    char missing[160] = "";
    size_t n = 0;
    for (unsigned c = 0; c < CLAUSE_COUNT; c++)
        if (needed & ~ps->seen & CLAUSE_BIT(c))
            n += (size_t)snprintf(missing + n, sizeof missing - n, n ? ", '%s'" : "'%s'", whole[c]);
    if (!n)
        return true;
    parse_error(ps, statement, "apply or explain: because \"why\" agreed by \"who\" through 2027-03-31",
                "'%.*s' does not say %s", SLICE_ARG(statement->raw), missing);
    return false;
}
