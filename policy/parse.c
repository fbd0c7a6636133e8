// SPDX-License-Identifier: BSD-2-Clause
/*
 * parse.c - finds out which statement a line is.
 *
 * The first word decides. For an unknown word the error names the nearest statement. Statements that a tightening file
 * must not contain are refused before they are parsed further, so that a customer's file cannot make us read other
 * files.
 */
#include "policy/parser.h"

static const struct {
    const char *word;
    bool (*parse)(struct parser *);
    bool tightening; /* allowed in a file that may only tighten */
} table[] = {
    {"policy", parse_title, false},
    {"always", parse_rule, true},
    {"trial", parse_rule, true},
    {"ignore", parse_rule, true},
    {"record", parse_rule, true},
    {"follow", parse_rule, true},
    {"require", parse_rule, true},
    {"exempt", parse_exempt, false},
    {"suspend", parse_suspend, false},
    {"trust", parse_trust, false},
    {"own", parse_own, false},
    {"relay", parse_relay, false},
    {"submission", parse_submission, false},
    {"listener", parse_listener, false},
    {"list", parse_list, true},
    {"include", parse_include, false},
    {"set", parse_set, false},
};
#define KINDS (sizeof table / sizeof *table)

static void unknown(struct parser *ps, const struct token *t)
{
    const char *words[KINDS + 1] = {0};
    for (size_t i = 0; i < KINDS; i++)
        words[i] = table[i].word;
    parse_unexpected(ps, t, "a statement (record, follow, require, exempt, trust, own, list, set, ...)", words);
}

bool parse_statement(struct parser *ps)
{
    const struct token *t = parse_peek(ps);
    size_t i = 0;
    ps->item = (struct item){.unit = ps->unit, .line = t->line, .word = t->raw};
    ps->item_room = 0;
    ps->item.s.file = ps->unit->shown;
    ps->item.s.line = t->lineno;
    ps->item.s.tightens = ps->unit->tighten;
    while (i < KINDS && !parse_is(t, table[i].word))
        i++;
    if (i == KINDS) {
        unknown(ps, t);
        return false;
    }
    if (ps->unit->tighten && !table[i].tightening) {
        parse_error(ps, t, "it may record, follow and require, and name lists of its own",
                    "this file may only tighten: '%s' is not for it to say", table[i].word);
        return false;
    }
    return table[i].parse(ps);
}
