// SPDX-License-Identifier: BSD-2-Clause
/*
 * parse_house.c - parses the statements about our own systems: policy, own, relay, submission, list, include, set.
 *
 * What the statements name (files, lists, values) is read and checked by the loader; here only the form is checked.
 */
#include "policy/parser.h"
#include "base/array.h"
#include <stdio.h>

bool parse_add_item(struct parser *ps, const char *text)
{
    struct policy_statement *s = &ps->item.s;
    if (s->item_count == ps->item_room) {
        const char **more = array_grow_in(ps->p->arena, s->items, &ps->item_room, 1, sizeof *more);
        if (!more) {
            ps->ld->out_of_memory = true;
            return false;
        }
        s->items = more;
    }
    ((const char **)(uintptr_t)s->items)[s->item_count++] = text;
    return text != NULL;
}

bool parse_title(struct parser *ps)
{
    struct policy_statement *s = &ps->item.s;
    const struct token *first = parse_take(ps);
    s->kind = POLICY_TITLE;
    if (!(s->name = parse_string(ps, "the policy's title")))
        return false;
    if (parse_accept(ps, "owner") && !(s->value = parse_string(ps, "the policy's owner")))
        return false;
    if (ps->unit->from) {
        parse_error(ps, first, NULL, "an included file has no title of its own");
        return false;
    }
    return parse_clauses(ps, 0);
}

static bool take_networks(struct parser *ps)
{
    do {
        struct policy_party net = {0};
        char text[IP_NET_TEXT];
        if (!parse_network(ps, &net) || !parse_add_item(ps, parse_copy(ps, slice_str(ip_net_text(&net.net, text)))))
            return false;
    } while (parse_peek(ps)->kind == TOKEN_COMMA && parse_take(ps));
    return true;
}

bool parse_own(struct parser *ps)
{
    static const char *const words[] = {"domains", "domain", "network", "networks", NULL};
    struct policy_statement *s = &ps->item.s;
    ps->at++;
    s->kind = POLICY_OWN;
    if (parse_accept(ps, "network") || parse_accept(ps, "networks")) {
        s->name = "network";
        return take_networks(ps) && parse_clauses(ps, 0);
    }
    if (!parse_accept(ps, "domains") && !parse_accept(ps, "domain")) {
        parse_unexpected(ps, parse_peek(ps), "'domains' or 'network' after 'own'", words);
        return false;
    }
    s->name = "domains";
    do {
        const char *domain;
        if (parse_accept(ps, "list")) {
            const char *list;
            if (!parse_list_name(ps, &list))
                return false;
            domain = arena_printf(ps->p->arena, "list %s", list);
        } else if (!parse_domain(ps, &domain)) {
            return false;
        }
        if (!parse_add_item(ps, domain))
            return false;
    } while (parse_peek(ps)->kind == TOKEN_COMMA && parse_take(ps));
    return parse_clauses(ps, 0);
}

bool parse_relay(struct parser *ps)
{
    ps->at++;
    ps->item.s.kind = POLICY_RELAY;
    return take_networks(ps) && parse_clauses(ps, 0);
}

bool parse_submission(struct parser *ps)
{
    static const char *const words[] = {"auth", NULL};
    ps->at++;
    ps->item.s.kind = POLICY_SUBMISSION;
    do {
        const struct token *t = parse_peek(ps);
        unsigned port = 0;
        for (size_t i = 0; t->kind == TOKEN_WORD && i < t->raw.n && i < 6; i++)
            port = t->raw.p[i] >= '0' && t->raw.p[i] <= '9' ? port * 10 + (unsigned)(t->raw.p[i] - '0') : 1000000;
        if (!parse_is(t, "auth") && (t->kind != TOKEN_WORD || port < 1 || port > 65535 || t->raw.n > 5)) {
            parse_unexpected(ps, t, "a port (587) or 'auth' after 'submission'", words);
            return false;
        }
        ps->at++;
        if (!parse_add_item(ps, port && port <= 65535 ? arena_printf(ps->p->arena, "%u", port) : "auth"))
            return false;
    } while (parse_peek(ps)->kind == TOKEN_COMMA && parse_take(ps));
    return parse_clauses(ps, 0);
}

bool parse_list(struct parser *ps)
{
    struct policy_statement *s = &ps->item.s;
    ps->at++;
    s->kind = POLICY_LIST;
    ps->item.who_word = parse_peek(ps)->raw;
    if (!parse_list_name(ps, &s->name) || !parse_expect(ps, "in", "after the name of the list"))
        return false;
    ps->item.whom_word = parse_peek(ps)->raw;
    return (s->value = parse_string(ps, "the list's file")) && parse_clauses(ps, 0);
}

bool parse_include(struct parser *ps)
{
    struct policy_statement *s = &ps->item.s;
    const struct token *first = parse_take(ps);
    s->kind = POLICY_INCLUDE;
    ps->item.who_word = parse_peek(ps)->raw;
    if (!(s->name = parse_string(ps, "the file to include")))
        return false;
    if (parse_accept(ps, "may"))
        if (!(s->tightens = parse_expect(ps, "tighten", "after 'may'")))
            return false;
    if (!parse_clauses(ps, s->tightens ? CLAUSE_BIT(CLAUSE_WRITING) : 0))
        return false;
    if (ps->unit->tighten) {
        parse_error(ps, first, NULL, "this file may only tighten: it cannot include others");
        return false;
    }
    return true;
}

/* Reads a value: one string or word, or words with commas (`a, b`, `list x`), as one text. */
static bool take_value(struct parser *ps, struct policy_statement *s)
{
    const struct token *t = parse_peek(ps);
    if (t->kind == TOKEN_STRING) {
        s->value = parse_take(ps)->value;
        return parse_add_item(ps, s->value);
    }
    do {
        t = parse_peek(ps);
        bool list = parse_is(t, "list") && t[1].kind == TOKEN_WORD;
        if (t->kind != TOKEN_WORD) {
            parse_unexpected(ps, t, "a value", NULL);
            return false;
        }
        ps->at++;
        const char *one =
            list ? arena_printf(ps->p->arena, "list %.*s", SLICE_ARG(parse_take(ps)->raw)) : parse_copy(ps, t->raw);
        if (!one || !parse_add_item(ps, one))
            return false;
        s->value = s->value ? arena_printf(ps->p->arena, "%s, %s", s->value, one) : one;
    } while (parse_peek(ps)->kind == TOKEN_COMMA && parse_take(ps));
    return s->value != NULL;
}

bool parse_set(struct parser *ps)
{
    struct policy_statement *s = &ps->item.s;
    ps->at++;
    s->kind = POLICY_SET;
    const struct token *t = parse_peek(ps);
    size_t i = t->kind == TOKEN_WORD ? setting_find(t->raw) : setting_count();
    if (i == setting_count()) {
        const char *near = t->kind == TOKEN_WORD ? setting_nearest(t->raw) : NULL;
        const char *help = near ? arena_printf(ps->p->arena, "did you mean '%s'?", near)
                                : "`assay policy show --defaults` lists them all";
        parse_error(ps, t, help, "expected the name of a setting, found %s", parse_shown(ps, t));
        return false;
    }
    ps->at++;
    s->name = parse_copy(ps, t->raw);
    ps->item.who_word = parse_peek(ps)->raw;
    if (parse_is(parse_peek(ps), "=") || parse_is(parse_peek(ps), ":")) {
        parse_error(ps, parse_peek(ps), hint_form(ps, parse_peek(ps)), "expected the value of %.*s, found %s",
                    SLICE_ARG(t->raw), parse_shown(ps, parse_peek(ps)));
        return false;
    }
    return s->name && take_value(ps, s) && parse_clauses(ps, 0);
}
