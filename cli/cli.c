// SPDX-License-Identifier: BSD-2-Clause
/*
 * cli.c - dispatches sub-commands, and prints their messages with colours and widths.
 *
 * Promises that errors go to stderr with the command's name before them, that the message for a mistyped command names
 * the nearest one, that they hold no password and nothing that a terminal obeys, and that escape sequences are written
 * to terminals only (NO_COLOR and TERM=dumb are heeded).
 */
#include "cli/charset.h"
#include "cli/cli.h"
#include "base/secret.h"
#include "base/options.h"
#include "base/utf8.h"
#include "base/words.h"
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

static char prefix_now[64] = "assay";

static void cli_complain(const char *fmt, va_list ap) PRINTF_LIKE(1, 0);
static void cli_complain(const char *fmt, va_list ap)
{
    char *words = NULL;
    struct buf safe = BUF_INIT, out = BUF_INIT;
    fflush(stdout);
    if (vasprintf(&words, fmt, ap) < 0)
        words = NULL;
    secret_add(&safe, slice_str(words ? words : "out of memory"));
    utf8_add_lines(&out, buf_slice(&safe));
    fprintf(stderr, "%s: %.*s\n", prefix_now, (int)out.n, out.n ? out.p : "");
    buf_release(&safe);
    buf_release(&out);
    free(words);
}

void cli_error(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cli_complain(fmt, ap);
    va_end(ap);
}

int cli_usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cli_complain(fmt, ap);
    va_end(ap);
    fprintf(stderr, "Try '%s --help'.\n", prefix_now);
    return EX_USAGE;
}

int cli_options(const struct options_spec *spec, int argc, char **argv, void *into, int *operands)
{
    return options_start(spec, prefix_now, argc, argv, into, operands, stdout, stderr);
}

#define WIDTH_MIN 40    /* narrower than this nothing can be read */
#define WIDTH_PROSE 200 /* a wider terminal has no longer lines */
#define WIDTH_MAX 10000 /* that COLUMNS may ask for */
#define TABLE_COLUMN 15 /* where the help of a command begins */

static void print_help(const char *text)
{
    struct buf b = BUF_INIT;
    cli_wrap(&b, text, TABLE_COLUMN, OPTIONS_HELP_WIDTH);
    printf("%s\n", b.p ? b.p : "");
    buf_release(&b);
}

static void print_table(const char *prefix, const struct cli_command *table)
{
    const char *group = NULL;
    printf("Usage: %s COMMAND [ARGUMENT...]\n", prefix);
    for (; table->name; table++) {
        if (table->group && (!group || strcmp(group, table->group) != 0))
            printf("\n%s%s%s\n", cli_colour(stdout, CLI_BOLD), table->group, cli_colour(stdout, CLI_PLAIN));
        else if (!group)
            putchar('\n');
        group = table->group ? table->group : "";
        printf("  %-12s ", table->name);
        print_help(table->help);
    }
    printf("\n'%s COMMAND --help' says more.\n", prefix);
}

static int unknown(const char *prefix, const struct cli_command *table, const char *word)
{
    const char *names[64];
    size_t n = 0;
    for (; table->name && n < sizeof names / sizeof *names; table++)
        names[n++] = table->name;
    const char *near = words_nearest(slice_str(word), names, n);
    fprintf(stderr, "%s: there is no command '", prefix);
    cli_put_visible(stderr, word);
    if (near)
        fprintf(stderr, "'; did you mean '%s'?\n", near);
    else
        fprintf(stderr, "'\n");
    fprintf(stderr, "Try '%s --help'.\n", prefix);
    return EX_USAGE;
}

int cli_dispatch(const char *prefix, const struct cli_command *table, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "help";
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_table(prefix, table);
        return argc > 1 ? EX_OK : EX_USAGE;
    }
    for (const struct cli_command *c = table; c->name; c++) {
        if (strcmp(c->name, word) != 0)
            continue;
        snprintf(prefix_now, sizeof prefix_now, "%s %s", prefix, word);
        return c->run(argc - 1, argv + 1);
    }
    return unknown(prefix, table, word);
}

const char *cli_colour(FILE *f, enum cli_colour c)
{
    static const char *const codes[] = {"\033[0m",  "\033[1m",  "\033[2m", "\033[31m",
                                        "\033[32m", "\033[33m", "\033[34m"};
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    if (!isatty(charset_fd(f)) || (no && *no) || !term || strcmp(term, "dumb") == 0)
        return "";
    return codes[c];
}

/* Reads the whole line of an answer: only y and yes, in any case, mean yes. */
static bool said_yes(FILE *f)
{
    char line[8];
    size_t n = 0;
    for (int c; (c = getc(f)) != EOF && c != '\n'; n++)
        if (n < sizeof line)
            line[n] = (char)c;
    struct slice answer = slice_trim(slice_of(line, n < sizeof line ? n : 0));
    return slice_eq_nocase(answer, SLICE_LIT("y")) || slice_eq_nocase(answer, SLICE_LIT("yes"));
}

bool cli_confirm(const char *fmt, ...)
{
    va_list ap;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return false;
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    fputs(" [y/N] ", stdout);
    fflush(stdout);
    return said_yes(stdin);
}

int cli_width(FILE *f)
{
    const char *given = getenv("COLUMNS");
    struct winsize w;
    int n = 100;
    char *end = NULL;
    long columns = given && *given ? strtol(given, &end, 10) : 0;
    if (columns > 0 && columns <= WIDTH_MAX && !*end)
        return columns < WIDTH_MIN ? WIDTH_MIN : (int)columns;
    if (ioctl(charset_fd(f), TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        n = w.ws_col;
    return n < WIDTH_MIN ? WIDTH_MIN : n > WIDTH_PROSE ? WIDTH_PROSE : n;
}

size_t cli_prose_width(FILE *f)
{
    return isatty(charset_fd(f)) || getenv("COLUMNS") ? (size_t)cli_width(f) : SIZE_MAX;
}

void cli_wrap(struct buf *out, const char *text, size_t indent, size_t width)
{
    size_t column = indent;
    for (struct buf word = BUF_INIT; *text; buf_release(&word)) {
        const size_t n = strcspn(text, " ");
        buf_add(&word, text, n);
        const size_t columns = cli_columns(word.p ? word.p : "");
        if (column > indent && column + 1 + columns > width) {
            buf_addc(out, '\n');
            for (column = 0; column < indent; column++)
                buf_addc(out, ' ');
        } else if (column > indent) {
            buf_addc(out, ' ');
            column++;
        }
        buf_add(out, text, n);
        column += columns;
        text += n + strspn(text + n, " ");
    }
}

void cli_put_wrapped(const char *lead, size_t indent, const char *fmt, ...)
{
    struct buf lines = BUF_INIT;
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) >= 0)
        cli_wrap(&lines, text, indent, cli_prose_width(stdout));
    va_end(ap);
    printf("%s%s\n", lead, lines.p ? lines.p : "");
    buf_release(&lines);
    free(text);
}

void cli_put_visible(FILE *f, const char *text)
{
    struct buf b = BUF_INIT;
    utf8_add_visible(&b, slice_str(text));
    fwrite(b.p, 1, b.n, f);
    buf_release(&b);
}

bool cli_flush(struct buf *b)
{
    bool ok = !b->failed;
    if (!ok)
        cli_error("out of memory");
    else if (fwrite(b->p, 1, b->n, stdout) != b->n)
        ok = false; /* main says so */
    buf_release(b);
    return ok;
}

size_t cli_columns(const char *text)
{
    struct slice s = slice_str(text);
    size_t n = 0;
    while (s.n) {
        size_t len = utf8_length(s);
        if (len) {
            int w = wcwidth((wchar_t)utf8_point(s));
            n += w < 0 ? 1 : (size_t)w;
        } else {
            n++;
        }
        s = slice_from(s, len ? len : 1);
    }
    return n;
}
