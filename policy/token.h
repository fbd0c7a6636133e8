// SPDX-License-Identifier: BSD-2-Clause
/*
 * token.h - from the text of a policy file to the words of one statement.
 *
 * A statement is a line and the lines behind it that begin with a blank. Lines without any word (blank or comment only)
 * are skipped. What no policy may hold is reported here, once per line: octets that are no UTF-8, NUL and other control
 * characters, characters that cannot be seen or turn the direction of writing, a string that does not end in its line,
 * a line too long. The statement it stands in is then `bad`.
 */
#ifndef ASSAY_POLICY_TOKEN_H
#define ASSAY_POLICY_TOKEN_H

#include "base/arena.h"
#include "policy/report.h"

enum token_kind { TOKEN_WORD, TOKEN_STRING, TOKEN_COMMA, TOKEN_END };

struct token {
    enum token_kind kind;
    struct slice raw;  /* as in the file, quotes included */
    const char *value; /* of a string: without quotes and escapes; in the arena */
    struct slice line;
    unsigned lineno;
};

struct lexer {
    const char *file;
    struct slice rest; /* what was not read yet */
    unsigned lineno;   /* of the line at the start of rest, less one */
    struct policy_report *report;
    struct arena *arena;
    struct token *tokens; /* of the statement, ended by a TOKEN_END; heap, used again for the next one */
    size_t count, size;
    bool bad; /* an error was reported in this statement: do not parse it */
    size_t errors;
    bool out_of_memory;
};

void lexer_init(struct lexer *l, const char *file, struct slice text, struct arena *arena,
                struct policy_report *report);

/* Gives back the tokens; texts of strings stay in the arena. */
void lexer_release(struct lexer *l);

/* The next statement's tokens; false at the end of the file. At least one token stands before TOKEN_END. */
bool lexer_next(struct lexer *l);

/* Where a token stands. */
struct place lexer_place(const struct lexer *l, const struct token *t);

#endif
