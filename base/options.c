// SPDX-License-Identifier: BSD-2-Clause
/*
 * options.c - parses a command line by a table, and makes the help from it.
 *
 * Promises one complaint about a wrong command line, about its first error, and that all forms of an option mean the
 * same. getopt_long is not used because it prints its own messages, under the name argv[0].
 */
#include "base/options.h"
#include "base/words.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const struct option_row help_row = {
    .letter = 'h', .name = "help", .help = "show this help", .kind = OPTION_FLAG};

struct reading {
    const struct options_spec *spec;
    void *into;
    struct buf *why;
    bool help;
};

/* Tells whether this row is an option of this command. */
static bool applies(const struct options_spec *s, size_t i)
{
    return s->rows[i].name && (s->rows[i].bit == 0 || (s->rows[i].bit & s->takes) != 0);
}

/* ---- finding an option ---- */

static const struct option_row *by_letter(const struct options_spec *s, char letter)
{
    for (size_t i = 0; i < s->row_count; i++)
        if (s->rows[i].letter == letter && applies(s, i))
            return &s->rows[i];
    return letter == help_row.letter ? &help_row : NULL;
}

/* Every name in the table; that of the help is last. */
static size_t all_names(const struct options_spec *s, const char *names[OPTIONS_MAX + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < s->row_count && n < OPTIONS_MAX; i++)
        if (applies(s, i))
            names[n++] = s->rows[i].name;
    names[n++] = help_row.name;
    return n;
}

static const struct option_row *row_named(const struct options_spec *s, const char *name)
{
    for (size_t i = 0; i < s->row_count; i++)
        if (applies(s, i) && strcmp(s->rows[i].name, name) == 0)
            return &s->rows[i];
    return &help_row;
}

/* The option of that long name, or the only one that begins with it. NULL after a complaint. */
static const struct option_row *by_name(struct reading *r, struct slice typed)
{
    const char *names[OPTIONS_MAX + 1], *found = NULL, *second = NULL;
    const size_t n = all_names(r->spec, names);
    for (size_t i = 0; i < n; i++) {
        if (slice_eq(typed, slice_str(names[i])))
            return row_named(r->spec, names[i]);
        if (typed.n == 0 || strncmp(names[i], typed.p, typed.n) != 0)
            continue;
        second = found ? names[i] : NULL;
        found = found ? found : names[i];
        if (second)
            break;
    }
    if (found && !second)
        return row_named(r->spec, found);
    if (second) {
        buf_printf(r->why, "option '--%.*s' can be '--%s' or '--%s'", (int)typed.n, typed.p, found, second);
        return NULL;
    }
    const char *near = words_nearest(typed, names, n);
    buf_printf(r->why, "unknown option '--%.*s'", (int)typed.n, typed.p);
    if (near)
        buf_printf(r->why, "; did you mean '--%s'?", near);
    return NULL;
}

/* ---- taking its value ---- */

static bool option_number(const struct option_row *o, const char *value, int64_t *out)
{
    char *end;
    errno = 0;
    const long long n = strtoll(value, &end, 10);
    *out = n;
    return *value && !*end && errno == 0 && n >= o->low && n <= o->high;
}

static bool option_set(struct reading *r, const struct option_row *o, const char *value)
{
    void *place = (char *)r->into + o->at;
    const char *wanted = NULL;
    if (o == &help_row) {
        r->help = true;
    } else if (o->kind == OPTION_FLAG) {
        *(bool *)place = true;
    } else if (o->kind == OPTION_TEXT && !*value) {
        buf_printf(r->why, "the value of option '--%s' is empty: --%s %s", o->name, o->name, o->argument);
        return false;
    } else if (o->kind == OPTION_TEXT || o->kind == OPTION_ANY_TEXT) {
        *(const char **)place = value;
    } else if (o->kind == OPTION_TAKE) {
        wanted = o->take(r->into, value);
        if (wanted)
            buf_printf(r->why, "--%s: '%s' is not %s", o->name, value ? value : "", wanted);
    } else if (!option_number(o, value, (int64_t *)place)) {
        wanted = "";
        buf_printf(r->why, "--%s: '%s' is not a number from %" PRId64 " to %" PRId64, o->name, value, o->low, o->high);
    }
    return wanted == NULL;
}

/* ---- one word of the command line ---- */

/* "--name", "--name=value". `next` is the word after it, or NULL; *used says whether it was the value. */
static bool long_form(struct reading *r, const char *word, const char *next, bool *used)
{
    const char *equals = strchr(word, '=');
    const struct slice typed = equals ? slice_of(word, (size_t)(equals - word)) : slice_str(word);
    const struct option_row *o = by_name(r, typed);
    if (!o)
        return false;
    if (!o->argument && equals) {
        buf_printf(r->why, "option '--%s' takes no value", o->name);
        return false;
    }
    if (o->argument && !equals && !next) {
        buf_printf(r->why, "option '--%s' needs a value: --%s %s", o->name, o->name, o->argument);
        return false;
    }
    *used = o->argument && !equals;
    return option_set(r, o, !o->argument ? NULL : equals ? equals + 1 : next);
}

/* "-abc": flags, the last of them with its value, in the same word or the next. */
static bool short_form(struct reading *r, const char *letters, const char *next, bool *used)
{
    for (; *letters && !r->help; letters++) {
        const struct option_row *o = by_letter(r->spec, *letters);
        if (!o) {
            buf_printf(r->why, "unknown option '-%c'", *letters);
            return false;
        }
        if (!o->argument) {
            if (!option_set(r, o, NULL))
                return false;
            continue;
        }
        if (letters[1])
            return option_set(r, o, letters + 1);
        if (!next) {
            buf_printf(r->why, "option '-%c' needs a value: -%c %s", o->letter, o->letter, o->argument);
            return false;
        }
        *used = true;
        return option_set(r, o, next);
    }
    return true;
}

static enum options_end operands_fit(const struct reading *r, char **argv, int n)
{
    for (int i = 1; i <= n; i++)
        if (!*argv[i]) {
            buf_adds(r->why, "an argument is empty: ''");
            return OPTIONS_WRONG;
        }
    if (n > r->spec->most) {
        buf_printf(r->why, "unexpected argument '%s'", argv[r->spec->most + 1]);
        return OPTIONS_WRONG;
    }
    if (n < r->spec->least) {
        const char *needs = r->spec->needs;
        buf_printf(r->why, needs ? "'%s' needs %s" : "'%s' needs an argument", argv[0], needs);
        return OPTIONS_WRONG;
    }
    return OPTIONS_OK;
}

enum options_end options_read(const struct options_spec *spec, int argc, char **argv, void *into, int *operands,
                              struct buf *why)
{
    struct reading r = {.spec = spec, .into = into, .why = why};
    bool only_operands = false;
    int n = 0;
    for (int i = 1; i < argc && !r.help; i++) {
        char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
        bool used = false, good = true;
        if (only_operands || word[0] != '-' || word[1] == '\0')
            argv[++n] = word;
        else if (strcmp(word, "--") == 0)
            only_operands = true;
        else if (word[1] == '-')
            good = long_form(&r, word + 2, next, &used);
        else
            good = short_form(&r, word + 1, next, &used);
        if (!good)
            return OPTIONS_WRONG;
        i += used;
    }
    *operands = n;
    return r.help ? OPTIONS_HELP : operands_fit(&r, argv, n);
}

/* ---- help ---- */

/* Adds text from column `at` on, wrapped at blanks; further lines are indented to `indent`. */
static void add_wrapped(struct buf *out, const char *text, size_t at, size_t indent)
{
    while (*text) {
        size_t n = strcspn(text, " \n");
        if (at + n > OPTIONS_HELP_WIDTH && at > indent) {
            buf_printf(out, "\n%*s", (int)indent, "");
            at = indent;
        }
        buf_add(out, text, n);
        at += n;
        text += n;
        if (*text == '\n') {
            buf_printf(out, "\n%*s", text[1] && text[1] != '\n' ? (int)indent : 0, "");
            at = indent;
            text++;
        } else if (*text == ' ') {
            text++;
            if (at + 1 + strcspn(text, " \n") <= OPTIONS_HELP_WIDTH) {
                buf_addc(out, ' ');
                at++;
            } else {
                buf_printf(out, "\n%*s", (int)indent, "");
                at = indent;
            }
        }
    }
    buf_addc(out, '\n');
}

/* A table's line: what is on the left, then its help from column `column` on. */
static void add_line(struct buf *out, const char *left, const char *help, size_t column)
{
    const size_t n = strlen(left);
    if (n + 2 > column)
        buf_printf(out, "%s\n%*s", left, (int)column, "");
    else
        buf_printf(out, "%-*s", (int)column, left);
    add_wrapped(out, help, column, column);
}

static void left_of(const struct option_row *o, char *left, size_t size)
{
    char letter[] = "    ";
    if (o->letter)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(left, size, "  %.4s--%s%s%s", letter, o->name, o->argument ? " " : "", o->argument ? o->argument : "");
}

/* The column where the help begins: after the longest left side that leaves room for it. */
static size_t column_of(const struct options_spec *s)
{
    size_t column = 12;
    char left[96];
    for (size_t i = 0; i < s->row_count; i++) {
        if (!applies(s, i))
            continue;
        left_of(&s->rows[i], left, sizeof left);
        if (strlen(left) + 2 > column && strlen(left) <= 28)
            column = strlen(left) + 2;
    }
    return column;
}

void options_help(const struct options_spec *s, const char *name, struct buf *out)
{
    const char *form = s->synopsis;
    char left[96];
    size_t column = column_of(s);
    for (bool first = true; first || *form; first = false) {
        const size_t n = strcspn(form, "\n");
        char one[512];
        snprintf(one, sizeof one, "%s%s%.*s", name, n ? " " : "", (int)n, form);
        buf_adds(out, first ? "Usage: " : "       ");
        add_wrapped(out, one, 7, 7 + strlen(name) + 1);
        form += n + (form[n] == '\n');
    }
    buf_addc(out, '\n');
    add_wrapped(out, s->text, 0, 0);
    buf_addc(out, '\n');
    for (size_t i = 0; i < s->row_count; i++) {
        if (!s->rows[i].name)
            buf_printf(out, "%s%s:\n", i ? "\n" : "", s->rows[i].help);
        if (!applies(s, i))
            continue;
        left_of(&s->rows[i], left, sizeof left);
        add_line(out, left, s->rows[i].help, column);
    }
    left_of(&help_row, left, sizeof left);
    add_line(out, left, help_row.help, column);
    if (s->word_count) {
        buf_addc(out, '\n');
        add_wrapped(out, s->words_are, 0, 0);
    }
    for (size_t i = 0; i < s->word_count; i++) {
        snprintf(left, sizeof left, "  %s", s->words[i].name);
        add_line(out, left, s->words[i].help, 14);
    }
    if (s->after) {
        buf_addc(out, '\n');
        add_wrapped(out, s->after, 0, 0);
    }
}

int options_start(const struct options_spec *spec, const char *name, int argc, char **argv, void *into, int *operands,
                  FILE *out, FILE *err)
{
    struct buf b = BUF_INIT;
    int rc = -1;
    switch (options_read(spec, argc, argv, into, operands, &b)) {
    case OPTIONS_OK:
        break;
    case OPTIONS_HELP:
        options_help(spec, name, &b);
        fwrite(b.p, 1, b.n, out);
        rc = EX_OK;
        break;
    case OPTIONS_WRONG:
        fflush(out);
        fprintf(err, "%s: %.*s\nTry '%s --help'.\n", name, (int)b.n, b.n ? b.p : "", name);
        rc = EX_USAGE;
        break;
    }
    buf_release(&b);
    return rc;
}
