// SPDX-License-Identifier: BSD-2-Clause
/*
 * parse_words.c - helpers of the parser for words and error messages.
 *
 * Promises that every error names the place, the text found there and what was expected, and that the text is safe to
 * print.
 */
#include "policy/parser.h"
#include "base/words.h"
#include <stdio.h>

const struct token *parse_peek(const struct parser *ps)
{
    return &ps->l->tokens[ps->at];
}

const struct token *parse_take(struct parser *ps)
{
    const struct token *t = parse_peek(ps);
    if (t->kind != TOKEN_END)
        ps->at++;
    return t;
}

bool parse_is(const struct token *t, const char *word)
{
    return t->kind == TOKEN_WORD && slice_eq(t->raw, slice_str(word));
}

bool parse_accept(struct parser *ps, const char *word)
{
    if (!parse_is(parse_peek(ps), word))
        return false;
    ps->at++;
    return true;
}

const char *parse_copy(struct parser *ps, struct slice s)
{
    const char *copy = arena_copy(ps->p->arena, s.p, s.n);
    if (!copy)
        ps->ld->out_of_memory = true;
    return copy;
}

const char *parse_shown(struct parser *ps, const struct token *t)
{
    if (t->kind == TOKEN_END)
        return "the end of the statement";
    if (t->kind == TOKEN_COMMA)
        return "a comma";
    const char *text = report_visible(ps->ld->report, t->raw, 60);
    const char *quoted = t->kind == TOKEN_STRING ? text : arena_printf(ps->p->arena, "'%s'", text);
    return quoted ? quoted : text;
}

void parse_error(struct parser *ps, const struct token *t, const char *help, const char *fmt, ...)
{
    struct place at = lexer_place(ps->l, t);
    va_list ap;
    va_start(ap, fmt);
    report_vadd(ps->ld->report, POLICY_ERROR, &at, help, fmt, ap);
    va_end(ap);
    ps->ld->errors++;
}

void parse_warn(struct parser *ps, const struct token *t, const char *help, const char *fmt, ...)
{
    struct place at = lexer_place(ps->l, t);
    va_list ap;
    va_start(ap, fmt);
    report_vadd(ps->ld->report, POLICY_WARNING, &at, help, fmt, ap);
    va_end(ap);
}

static bool begins_statement(const struct token *t)
{
    static const char *const words[] = {"policy",     "always", "trial",   "ignore", "record",  "follow",
                                        "require",    "exempt", "suspend", "trust",  "own",     "relay",
                                        "submission", "list",   "include", "set",    "listener"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (parse_is(t, words[i]))
            return true;
    return false;
}

/* A word that looks like a new statement at the start of an indented line: most likely meant as one. */
static const char *continuation_help(struct parser *ps, const struct token *t)
{
    if (t == ps->l->tokens || !begins_statement(t))
        return NULL;
    if (t[-1].lineno == t->lineno) /* the rest are also words within a statement */
        return parse_is(t, "set") || parse_is(t, "require") || parse_is(t, "record") || parse_is(t, "follow") ||
                       parse_is(t, "exempt") || parse_is(t, "own") || parse_is(t, "include")
                   ? "each statement begins on a line of its own"
                   : NULL;
    return arena_printf(
        ps->p->arena,
        "the line begins with white space and so continues line %u; remove the blanks to begin a new statement",
        ps->l->tokens[0].lineno);
}

void parse_unexpected(struct parser *ps, const struct token *t, const char *what, const char *const *words)
{
    size_t n = 0;
    while (words && words[n])
        n++;
    const char *help = continuation_help(ps, t);
    const char *near = n && t->kind == TOKEN_WORD ? words_nearest(t->raw, words, n) : NULL,
               *other = hint_other_word(t, words);
    near = other ? other : near;
    for (size_t i = 0; !help && i < n && t->kind == TOKEN_STRING; i++)
        if (strcmp(t->value, words[i]) == 0)
            help = arena_printf(ps->p->arena, "write it without quotes: %s", words[i]);
    if (!help)
        help = hint_letters(ps, t, near);
    if (!help && !near)
        help = hint_form(ps, t);
    if (!help && near)
        help = arena_printf(ps->p->arena, "did you mean '%s'?", near);
    parse_error(ps, t, help, "expected %s, found %s", what, parse_shown(ps, t));
}

bool parse_expect(struct parser *ps, const char *word, const char *after)
{
    const char *const words[] = {word, NULL};
    char what[160];
    if (parse_accept(ps, word))
        return true;
    const struct token *t = parse_peek(ps);
    snprintf(what, sizeof what, "'%s' %s", word, after);
    /* If what comes next may follow that word, the word itself is missing. */
    const bool name = t->kind == TOKEN_WORD && (memchr(t->raw.p, '.', t->raw.n) || memchr(t->raw.p, '@', t->raw.n));
    if (name || (t->kind == TOKEN_STRING && strcmp(t->value, word) != 0))
        parse_error(ps, t, arena_printf(ps->p->arena, "write '%s' before it", word), "expected %s, found %s", what,
                    parse_shown(ps, t));
    else
        parse_unexpected(ps, t, what, words);
    return false;
}

const char *parse_string(struct parser *ps, const char *what)
{
    const struct token *t = parse_peek(ps);
    if (t->kind != TOKEN_STRING) {
        const char *help = t->kind != TOKEN_WORD   ? NULL
                           : hint_is_quote(t->raw) ? "use the plain double quote: \""
                                                   : "put it in double quotes";
        parse_error(ps, t, help, "expected %s in double quotes, found %s", what, parse_shown(ps, t));
        return NULL;
    }
    if (!*t->value) {
        parse_error(ps, t, "write it between the quotes", "%s is empty", what);
        return NULL;
    }
    ps->at++;
    return t->value;
}
