// SPDX-License-Identifier: BSD-2-Clause
/*
 * token.c - lines, continuations, comments, words, strings and commas.
 *
 * Promises to read every octet once, to report each bad line once, and to go on with the next statement after an error.
 * CR before LF and a byte order mark at the very start are taken with a note, since editors on other systems write them
 * and they change nothing.
 */
#include "policy/token.h"
#include "base/array.h"
#include "base/utf8.h"
#include "policy/limits.h"
#include <stdlib.h>

/* UTF-16 and UTF-32, with their mark or, since all words of a policy are ASCII, by the NUL of their first letter. */
static bool is_wide(struct slice text)
{
    return text.n >= 2 && (memcmp(text.p, "\xff\xfe", 2) == 0 || memcmp(text.p, "\xfe\xff", 2) == 0 ||
                           (text.n % 2 == 0 && (text.p[0] == '\0') != (text.p[1] == '\0')));
}

void lexer_init(struct lexer *l, const char *file, struct slice text, struct arena *arena, struct policy_report *report)
{
    *l = (struct lexer){.file = file, .rest = text, .report = report, .arena = arena};
    if (is_wide(text)) {
        struct place at = {.file = file, .lineno = 1};
        report_add(report, POLICY_ERROR, &at, "save it as UTF-8", "the file is in UTF-16 or UTF-32, not in UTF-8");
        l->errors++;
        l->rest = SLICE_NULL;
    } else if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) {
        l->rest = slice_from(text, 3);
        struct place at = {.file = file, .lineno = 1};
        report_add(report, POLICY_NOTE, &at, "save it as UTF-8 without BOM",
                   "the file begins with a byte order mark; it is passed over");
    }
}

void lexer_release(struct lexer *l)
{
    free(l->tokens);
    l->tokens = NULL;
    l->count = l->size = 0;
}

struct place lexer_place(const struct lexer *l, const struct token *t)
{
    return (struct place){.file = l->file, .lineno = t->lineno, .line = t->line, .text = t->raw};
}

static void lexer_fail(struct lexer *l, struct slice line, struct slice at, const char *help, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
static void lexer_fail(struct lexer *l, struct slice line, struct slice at, const char *help, const char *fmt, ...)
{
    struct place place = {.file = l->file, .lineno = l->lineno, .line = line, .text = at};
    va_list ap;
    va_start(ap, fmt);
    report_vadd(l->report, POLICY_ERROR, &place, help, fmt, ap);
    va_end(ap);
    l->bad = true;
    l->errors++;
}

/* The line at the start of rest, without its end; rest moves behind it. */
static struct slice take_line(struct lexer *l)
{
    const char *end = memchr(l->rest.p, '\n', l->rest.n);
    struct slice line = end ? slice_of(l->rest.p, (size_t)(end - l->rest.p)) : l->rest;
    l->rest = slice_from(l->rest, line.n + (end != NULL));
    l->lineno++;
    if (line.n && line.p[line.n - 1] == '\r') {
        line.n--;
        if (l->lineno == 1 && end) {
            struct place at = {.file = l->file, .lineno = 1};
            report_add(l->report, POLICY_NOTE, &at, NULL, "lines end in CR LF; read as if they ended in LF");
        }
    }
    return line;
}

/* Tells whether a code point may stand in a policy: it can be seen, and what is seen is what is there (Unicode TR 36,
 * bidi and invisible characters). */
static bool allowed_point(uint32_t c)
{
    return c == '\t' || utf8_is_visible(c);
}

/* Checks the characters of a line; false after an error. */
static bool check_line(struct lexer *l, struct slice line)
{
    if (line.n > POLICY_LINE_MAX) {
        lexer_fail(l, slice_of(line.p, POLICY_LINE_MAX), slice_of(line.p, 1),
                   "a statement may go on in the next line if that begins with a blank",
                   "the line has %zu octets; at most %u are read", line.n, POLICY_LINE_MAX);
        return false;
    }
    for (size_t i = 0; i < line.n;) {
        struct slice here = slice_of(line.p + i, line.n - i);
        unsigned char c = (unsigned char)line.p[i];
        size_t n = c < 0x80 ? 1 : utf8_length(here);
        if (n == 0) {
            lexer_fail(l, line, slice_of(here.p, 1), "save the file as UTF-8",
                       "the octet 0x%02X is not valid UTF-8 (is the file in Latin-1?)", c);
            return false;
        }
        uint32_t point = c < 0x80 ? c : utf8_point(here);
        if (!allowed_point(point)) {
            const char *what = point == 0      ? "a NUL octet"
                               : point == '\r' ? "a CR that is not part of a line end"
                                               : "a character that cannot be seen";
            lexer_fail(l, line, slice_of(here.p, n), point == '\r' ? "end each line with LF" : "remove it",
                       "%s (U+%04X)", what, (unsigned)point);
            return false;
        }
        i += n;
    }
    return true;
}

static struct token *add_token(struct lexer *l, enum token_kind kind, struct slice line, struct slice raw)
{
    if (l->count == l->size) {
        struct token *more = array_grow(l->tokens, &l->size, 64, sizeof *more);
        if (!more) {
            l->out_of_memory = l->bad = true;
            return NULL;
        }
        l->tokens = more;
    }
    struct token *t = &l->tokens[l->count++];
    *t = (struct token){.kind = kind, .raw = raw, .line = line, .lineno = l->lineno};
    return t;
}

/* A string that begins at line.p[at]; returns where reading goes on. Within it, \" is a quote and \\ a backslash. */
static size_t take_string(struct lexer *l, struct slice line, size_t at)
{
    char value[POLICY_TEXT_MAX + 1];
    size_t i = at + 1, n = 0;
    for (; i < line.n && line.p[i] != '"'; i++) {
        if (line.p[i] == '\\' && i + 1 < line.n && (line.p[i + 1] == '"' || line.p[i + 1] == '\\'))
            i++;
        else if (line.p[i] == '\\') {
            lexer_fail(l, line, slice_of(line.p + i, 1), "write \\\\ for a backslash and \\\" for a quote",
                       "a backslash stands before neither \" nor \\");
            return line.n;
        }
        if (n < POLICY_TEXT_MAX)
            value[n] = line.p[i];
        n++;
    }
    struct slice raw = slice_of(line.p + at, i - at + (i < line.n));
    if (i >= line.n) {
        lexer_fail(l, line, raw, "close it with \" in the same line", "the string does not end");
        return line.n;
    }
    if (n > POLICY_TEXT_MAX) {
        lexer_fail(l, line, raw, NULL, "the string has %zu octets; at most %u are kept", n, POLICY_TEXT_MAX);
        return i + 1;
    }
    struct token *t = add_token(l, TOKEN_STRING, line, raw);
    if (t && !(t->value = arena_copy(l->arena, value, n)))
        l->out_of_memory = l->bad = true;
    return i + 1;
}

static void take_tokens(struct lexer *l, struct slice line)
{
    for (size_t i = 0; i < line.n && line.p[i] != '#';) {
        char c = line.p[i];
        if (c == ' ' || c == '\t') {
            i++;
        } else if (l->count >= POLICY_TOKENS_MAX) {
            lexer_fail(l, line, slice_of(line.p + i, 1), NULL, "the statement has more than %u words",
                       POLICY_TOKENS_MAX);
            return;
        } else if (c == '"') {
            i = take_string(l, line, i);
        } else if (c == ',') {
            add_token(l, TOKEN_COMMA, line, slice_of(line.p + i++, 1));
        } else {
            size_t from = i;
            while (i < line.n && !strchr(" \t,\"#", line.p[i]))
                i++;
            add_token(l, TOKEN_WORD, line, slice_of(line.p + from, i - from));
        }
    }
}

static bool is_blank(struct slice line)
{
    line = slice_trim(line);
    return line.n == 0 || line.p[0] == '#';
}

static bool begins_blank(struct slice line)
{
    return line.n && (line.p[0] == ' ' || line.p[0] == '\t');
}

/* Tells whether the next line with a word in it continues the statement. Looks only; lines without a word are taken on
 * the way. */
static bool continues(struct lexer *l)
{
    while (l->rest.n) {
        const char *end = memchr(l->rest.p, '\n', l->rest.n);
        struct slice line = end ? slice_of(l->rest.p, (size_t)(end - l->rest.p)) : l->rest;
        if (!is_blank(line))
            return begins_blank(line);
        if (!check_line(l, take_line(l)))
            return false;
    }
    return false;
}

bool lexer_next(struct lexer *l)
{
    l->count = 0;
    l->bad = false;
    while (l->rest.n && l->count == 0 && !l->bad && !l->out_of_memory) {
        struct slice line = take_line(l);
        if (!check_line(l, line) || is_blank(line))
            continue;
        if (begins_blank(line))
            lexer_fail(l, line, slice_of(slice_trim(line).p, 1), "remove the blanks at its start",
                       "the line begins with white space, but no statement stands before it that it could continue");
        else
            take_tokens(l, line);
    }
    if (l->count == 0 && !l->bad)
        return false;
    while (!l->out_of_memory && continues(l)) {
        struct slice line = take_line(l);
        if (check_line(l, line))
            take_tokens(l, line);
    }
    const struct token *last = l->count ? &l->tokens[l->count - 1] : NULL;
    struct token *end = add_token(l, TOKEN_END, last ? last->line : SLICE_NULL, SLICE_NULL);
    if (end && last) {
        last = &l->tokens[l->count - 2];
        end->raw = slice_of(last->raw.p + last->raw.n, 0);
        end->lineno = last->lineno;
    }
    return !l->out_of_memory;
}
