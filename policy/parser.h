// SPDX-License-Identifier: BSD-2-Clause
/*
 * parser.h - parses the words of one statement into a struct item.
 *
 * One function per rule of the grammar (assay-policy(5)). Each reads from the parser's position on, and leaves it after
 * what it read; on an error it reports (place, what was found, what was expected, the nearest word) and returns false,
 * and the statement is given up: statements are independent, so all errors of a file are found in one pass.
 */
#ifndef ASSAY_POLICY_PARSER_H
#define ASSAY_POLICY_PARSER_H

#include "policy/load.h"
#include "policy/model.h"
#include "policy/token.h"

struct parser {
    struct loader *ld;
    struct policy *p;
    const struct unit *unit;
    struct lexer *l;
    size_t at;
    struct item item;              /* being filled */
    size_t item_room;              /* of item.s.items */
    uint32_t seen;                 /* clauses, bits of enum clause */
    const struct token *where[12]; /* each clause's first word, by number */
};

enum clause {
    CLAUSE_WRITING,
    CLAUSE_OTHERWISE,
    CLAUSE_STRICTLY,
    CLAUSE_EXCEPT,
    CLAUSE_VIA,
    CLAUSE_SIGNED,
    CLAUSE_BECAUSE,
    CLAUSE_AGREED,
    CLAUSE_SINCE,
    CLAUSE_THROUGH,
    CLAUSE_REF,
    CLAUSE_COUNT,
};
#define CLAUSE_BIT(c) (UINT32_C(1) << (c))

/* Parses one statement. true: ps->item holds it. */
bool parse_statement(struct parser *ps);

/* ---- parse_words.c ---- */
const struct token *parse_peek(const struct parser *ps);
const struct token *parse_take(struct parser *ps); /* the end is never passed */
bool parse_is(const struct token *t, const char *word);
bool parse_accept(struct parser *ps, const char *word);
bool parse_expect(struct parser *ps, const char *word, const char *after);
const char *parse_string(struct parser *ps, const char *what);     /* NULL after an error */
const char *parse_shown(struct parser *ps, const struct token *t); /* 'word' or words for it, to put into a message */
void parse_error(struct parser *ps, const struct token *t, const char *help, const char *fmt, ...) PRINTF_LIKE(4, 5);
void parse_warn(struct parser *ps, const struct token *t, const char *help, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* "expected WHAT, found ...", with the nearest of `words` (ended by NULL) in the help if there is one. */
void parse_unexpected(struct parser *ps, const struct token *t, const char *what, const char *const *words);
const char *parse_copy(struct parser *ps, struct slice s);

/* ---- parse_hints.c: what was meant, as the help of an error; NULL: no idea ---- */
const char *hint_other_word(const struct token *t, const char *const *words); /* the one of `words` */
const char *hint_letters(struct parser *ps, const struct token *t, const char *near);
const char *hint_form(struct parser *ps, const struct token *t);
const char *hint_date(struct parser *ps, const struct token *t);    /* never NULL */
const char *hint_network(struct parser *ps, const struct token *t); /* never NULL */
bool hint_is_quote(struct slice s);                                 /* begins with a quote that is not " */

/* ---- parse_party.c ---- */
bool parse_who(struct parser *ps, struct policy_party *out);
bool parse_whom(struct parser *ps, struct policy_party *out);
bool parse_domain(struct parser *ps, const char **out);
bool parse_network(struct parser *ps, struct policy_party *out);
bool parse_list_name(struct parser *ps, const char **out);

/* ---- parse_clauses.c ---- */
bool parse_clauses(struct parser *ps, uint32_t allowed);
bool parse_need(struct parser *ps, uint32_t needed, const struct token *statement);

/* ---- parse_rule.c ---- */
bool parse_rule(struct parser *ps);
bool parse_exempt(struct parser *ps);
bool parse_suspend(struct parser *ps);
bool parse_trust(struct parser *ps);

/* ---- parse_house.c ---- */
bool parse_title(struct parser *ps);
bool parse_own(struct parser *ps);
bool parse_relay(struct parser *ps);
bool parse_submission(struct parser *ps);
bool parse_list(struct parser *ps);
bool parse_include(struct parser *ps);
bool parse_set(struct parser *ps);
bool parse_add_item(struct parser *ps, const char *text); /* to the statement's items; false: no memory */

/* ---- listener.c ---- */
bool parse_listener(struct parser *ps);

#endif
