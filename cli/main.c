// SPDX-License-Identifier: BSD-2-Clause
/*
 * main.c - assay's entry: the table of sub-commands, the version, the search path for system programs, and nothing
 * else.
 *
 * `assay` alone and `assay help` print the table; `assay help NAME` is `assay NAME --help`. An unknown command is
 * EX_USAGE, with the nearest one named. What a sub-command returns is the exit code, unless stdout could not take the
 * output: then EX_IOERR, so that a report cut short by a full disk is never taken for a whole one.
 */
#include "base/streams.h"
#include "cli/charset.h"
#include "cli/cli.h"
#include <libintl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_command commands[] = {
#define COMMAND(name, function, group, help) {name, cmd_##function, group, help},
#include "cli/commands.def"
#undef COMMAND
    {NULL, NULL, NULL, NULL},
};

static int command_run(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0)) {
        printf("assay %s\n", ASSAY_VERSION);
        return EX_OK;
    }
    if (argc > 2 && strcmp(argv[1], "help") == 0) {
        char help[] = "--help", *again[] = {argv[0], argv[2], help, NULL};
        return cli_dispatch("assay", commands, 3, again);
    }
    return cli_dispatch("assay", commands, argc, argv);
}

/* `assay standards | head`: who read has enough, which is no failure of ours to tell of. */
static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

static bool path_has(const char *path, const char *folder)
{
    const size_t n = strlen(folder);
    for (const char *at = path; *at; at += strcspn(at, ":"), at += *at == ':')
        if (strncmp(at, folder, n) == 0 && (at[n] == ':' || at[n] == '\0'))
            return true;
    return false;
}

/* Adds /usr/sbin to PATH, where postconf, unbound-checkconf and others are. It is missing in an ordinary user's PATH,
 * and in root's after `su` without a dash (su(1)). Without it, assay would say that Postfix is not installed. */
static bool reach_system_programs(void)
{
    const char *path = getenv("PATH");
    char *longer = NULL;
    if (!path || !path_has(path, "/usr/bin") || path_has(path, "/usr/sbin"))
        return true;
    bool good = asprintf(&longer, "%s:/usr/sbin:/sbin", path) >= 0 && setenv("PATH", longer, 1) == 0;
    free(longer);
    return good;
}

int main(int argc, char **argv)
{
    if (!streams_hold() || !reach_system_programs())
        return EX_OSERR;
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    textdomain("assay");
    charset_begin();
    signal(SIGPIPE, SIG_IGN);
    int rc = command_run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (!reader_is_gone())
            cli_error("could not write all output");
        return rc == EX_OK ? EX_IOERR : rc;
    }
    return rc;
}
