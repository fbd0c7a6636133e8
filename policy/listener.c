// SPDX-License-Identifier: BSD-2-Clause
/*
 * listener.c - `listener NAME`: what is different for mail that comes in by one listener of the MTA.
 *
 * A listener is known by the name the MTA gives it ({daemon_name}: Postfix milter_macro_daemon_name, Sendmail
 * DaemonPortOptions Name=), compared as written. Of several statements about one name the last counts, whole; the
 * others are warned of. A listener that no statement names, or an MTA that tells no name, is treated by the rest of the
 * policy. Failure: a statement with an error is given up; the policy does not load.
 */
#include "policy/load.h"
#include "policy/parser.h"
#include "policy/policy_settings.h"
#include <stdlib.h>

static const char *const manners[] = {[POLICY_AS_USUAL] = "",
                                      [POLICY_AS_SUBMISSION] = "submission",
                                      [POLICY_AS_RELAY] = "relay",
                                      [POLICY_AS_UNJUDGED] = "unjudged"};
#define MANNERS (sizeof manners / sizeof *manners)

const char *policy_listener_manner_name(enum policy_listener_manner m)
{
    return m < MANNERS ? manners[m] : "?";
}

static bool take_names(struct parser *ps)
{
    do {
        const struct token *t = parse_peek(ps);
        const char *name;
        if (t->kind == TOKEN_STRING) {
            if (!(name = parse_string(ps, "the listener's name")))
                return false;
        } else if (t->kind == TOKEN_WORD) {
            ps->at++;
            name = parse_copy(ps, t->raw);
        } else {
            parse_unexpected(ps, t, "the name the MTA gives the listener", NULL);
            return false;
        }
        if (!parse_add_item(ps, name))
            return false;
    } while (parse_peek(ps)->kind == TOKEN_COMMA && parse_take(ps));
    return true;
}

/* One of `words` behind the word just taken; words[i] is numbered i. */
static bool take_one_of(struct parser *ps, const char *what, const char *const *words, size_t *out)
{
    const struct token *t = parse_peek(ps);
    for (size_t i = 0; words[i]; i++)
        if (parse_is(t, words[i])) {
            ps->at++;
            *out = i;
            return true;
        }
    parse_unexpected(ps, t, what, words);
    return false;
}

static bool said_twice(struct parser *ps, const struct token *t, bool before)
{
    if (before)
        parse_error(ps, t, NULL, "'%.*s' occurs twice in this statement", SLICE_ARG(t->raw));
    return before;
}

/* as, mode and when-unsure, each at most once. false after an error. */
static bool take_differences(struct parser *ps)
{
    static const char *const as[] = {"submission", "relay", "unjudged", NULL},
                             *const modes[] = {"enforce", "dry-run", NULL}, *const unsure[] = {"accept", "defer", NULL};
    struct policy_listener *l = &ps->item.s.listener;
    for (;;) {
        const struct token *t = parse_peek(ps);
        size_t i;
        if (parse_accept(ps, "as")) {
            if (said_twice(ps, t, l->as != POLICY_AS_USUAL) ||
                !take_one_of(ps, "'submission', 'relay' or 'unjudged' after 'as'", as, &i))
                return false;
            l->as = (enum policy_listener_manner)(i + 1);
        } else if (parse_accept(ps, "mode")) {
            if (said_twice(ps, t, l->mode) || !take_one_of(ps, "'enforce' or 'dry-run' after 'mode'", modes, &i))
                return false;
            l->mode = modes[i];
        } else if (parse_accept(ps, "when-unsure")) {
            if (said_twice(ps, t, l->when_unsure) ||
                !take_one_of(ps, "'accept' or 'defer' after 'when-unsure'", unsure, &i))
                return false;
            l->when_unsure = unsure[i];
        } else {
            return true;
        }
    }
}

bool parse_listener(struct parser *ps)
{
    static const char *const words[] = {"as", "mode", "when-unsure", NULL};
    const struct token *first = parse_take(ps);
    const struct policy_listener *l = &ps->item.s.listener;
    ps->item.s.kind = POLICY_LISTENER;
    ps->item.who_word = parse_peek(ps)->raw;
    if (!take_names(ps) || !take_differences(ps))
        return false;
    if (!l->as && !l->mode && !l->when_unsure) {
        parse_unexpected(ps, parse_peek(ps), "what is different there: 'as', 'mode' or 'when-unsure'", words);
        return false;
    }
    if (l->as == POLICY_AS_UNJUDGED && (l->mode || l->when_unsure)) {
        parse_error(ps, first, "remove 'mode' and 'when-unsure', or 'as unjudged'",
                    "what is not judged has no mode, and is never unsure");
        return false;
    }
    return parse_clauses(ps, 0);
}

void listener_canonical(const struct policy_statement *s, struct buf *out)
{
    buf_adds(out, "listener ");
    for (size_t i = 0; i < s->item_count; i++) {
        buf_adds(out, i ? ", " : "");
        canonical_quote(out, s->items[i]);
    }
    if (s->listener.as)
        buf_printf(out, " as %s", manners[s->listener.as]);
    if (s->listener.mode)
        buf_printf(out, " mode %s", s->listener.mode);
    if (s->listener.when_unsure)
        buf_printf(out, " when-unsure %s", s->listener.when_unsure);
}

void listener_apply(struct loader *ld, uint32_t number)
{
    struct own *own = &ld->p->own;
    if (own->listener_count < POLICY_LISTENERS_MAX) {
        own->listeners[own->listener_count++] = number;
        return;
    }
    struct place at;
    item_place(&ld->p->items[number], &at);
    loader_error(ld, &at, "one statement may name several listeners", "at most %u listener statements",
                 POLICY_LISTENERS_MAX);
}

const struct policy_statement *policy_listener(const struct policy *p, const char *name)
{
    if (!name || !*name)
        return NULL;
    for (size_t i = p->own.listener_count; i-- > 0;) {
        const struct policy_statement *s = &p->items[p->own.listeners[i]].s;
        for (size_t k = 0; k < s->item_count; k++)
            if (strcmp(s->items[k], name) == 0)
                return s;
    }
    return NULL;
}

bool policy_dry_run(const struct policy *p, const char *listener)
{
    const struct policy_statement *s = policy_listener(p, listener);
    return s && s->listener.mode ? strcmp(s->listener.mode, "dry-run") == 0 : policy_set_is(p, SETTING_MODE, "dry-run");
}

bool policy_defers_unsure(const struct policy *p, const char *listener)
{
    const struct policy_statement *s = policy_listener(p, listener);
    return s && s->listener.when_unsure ? strcmp(s->listener.when_unsure, "defer") == 0
                                        : policy_set_is(p, SETTING_WHEN_UNSURE, "defer");
}

bool listener_any_enforces(const struct policy *p)
{
    for (size_t i = 0; i < p->own.listener_count; i++) {
        const char *mode = p->items[p->own.listeners[i]].s.listener.mode;
        if (mode && strcmp(mode, "enforce") == 0)
            return true;
    }
    return false;
}
