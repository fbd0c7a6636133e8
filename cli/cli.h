// SPDX-License-Identifier: BSD-2-Clause
/*
 * cli.h - what the sub-commands of `assay` share.
 *
 * A sub-command is one function, one line in commands.def and one file (or a few with the same prefix). It prints its
 * result on stdout, everything else on stderr, and returns its exit code: sysexits.h for usage and configuration, 0 ok
 * / 1 warning / 2 critical / 3 unknown for checks. It must not call exit(). Text for people by default, `--json` for
 * programs; colours only on a terminal.
 *
 * Threads: one.
 */
#ifndef ASSAY_CLI_CLI_H
#define ASSAY_CLI_CLI_H

#include "base/buf.h"
#include "base/options.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <sysexits.h>

/* Exit codes of commands that check something. */
enum cli_exit { CLI_OK = 0, CLI_WARNING = 1, CLI_CRITICAL = 2, CLI_UNKNOWN = 3 };

#define CLI_POLICY_PATH ASSAY_SYSCONFDIR "/policy"

struct policy;

struct cli_command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *group;
    const char *help;
};

/* "assay: TEXT" (or "assay NAME: TEXT" once a sub-command runs) and a newline on stderr. */
void cli_error(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* As cli_error, with a hint at the help behind it; returns EX_USAGE. For bad options and arguments. */
int cli_usage(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The running command's command line, by its table (base/options.h): -1: go on, the operands are argv[1] to
 * argv[*operands]; else the exit code, after the help or a complaint. */
int cli_options(const struct options_spec *spec, int argc, char **argv, void *into, int *operands);

/* Runs the command of `table` (ended by a name of NULL) that argv[1] names; `prefix` ("assay", "assay policy") stands
 * in help and errors. No argument, `help`, `--help` and `-h` print the table. Returns the command's exit code, or
 * EX_USAGE, naming the nearest command. */
int cli_dispatch(const char *prefix, const struct cli_command *table, int argc, char **argv);

/* The policy of that file, or NULL after its errors went to stderr; *rc is then EX_NOINPUT if there is no such file,
 * else EX_CONFIG. */
struct policy *cli_load_policy(const char *path, int *rc);

/* Colours: the escape sequence where f is a terminal that shows them and NO_COLOR is unset, else "". */
enum cli_colour { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_RED, CLI_GREEN, CLI_YELLOW, CLI_BLUE };
const char *cli_colour(FILE *f, enum cli_colour c);

/* The columns that COLUMNS in the environment asks for, else those of the terminal that f is (at most 200), else 100.
 * Never less than 40. */
int cli_width(FILE *f);

/* The same for prose, where a person reads it (f is a terminal, or COLUMNS is set); else lines are as long as they are,
 * for programs that look for words in them. */
size_t cli_prose_width(FILE *f);

/* Adds text that begins at column `indent`, as its further lines do, wrapped at blanks to `width` columns. A word that
 * is longer is not broken. */
void cli_wrap(struct buf *out, const char *text, size_t indent, size_t width);

/* Writes `lead`, which must end in column `indent`, then the text, wrapped as above to the width of the terminal, and a
 * line end. */
void cli_put_wrapped(const char *lead, size_t indent, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Asks a person at the terminal: "QUESTION [y/N]". True only for y and yes, in any case; without a terminal: false,
 * without a word. */
bool cli_confirm(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Writes text that may hold anything so that it is safe on a terminal (base/utf8.h). */
void cli_put_visible(FILE *f, const char *text);

/* Writes a finished buffer and releases it. false, after a message, when memory ran out or stdout took not all of it.
 */
bool cli_flush(struct buf *b);

/* Replaces the file, completely or not at all: where that fails, what was there before stays. Takes the place of a
 * regular file only, and follows no link, because others may be able to write to the folder (base/rootfile.h). Returns
 * NULL, or what is wrong. Threads: any. */
const char *cli_replace_file(const char *path, struct slice text, mode_t mode);

/* The same for a finished buffer, which is released. false, after a message that names the file. */
bool cli_flush_to_file(const char *path, struct buf *b, mode_t mode);

/* Tells whether two paths lead to the same file. If there is no file yet: whether they would create the same one. */
bool cli_is_one_file(const char *a, const char *b);

/* Columns that text takes on a terminal: code points, wide ones twice, combining ones not at all. */
size_t cli_columns(const char *text);

#define COMMAND(name, function, group, help) int cmd_##function(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND

#endif
