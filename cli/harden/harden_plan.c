// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden_plan.c - what the parts of `assay harden` call: refuse, note, say why, read and propose a file, run a program.
 *
 * Promises that a refusal is printed and remembered (h->refused), so that nothing is changed; that a program is run
 * without a shell, with /dev/null as its input, and that at most RUN_OUTPUT octets of what it prints are kept.
 */
#include "cli/harden/harden.h"
#include "cli/cli.h"
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_OUTPUT (1024 * 1024)

void harden_refuse(struct harden *h, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(h->arena, fmt, ap);
    va_end(ap);
    h->refused = true;
    cli_error("%s", text ? text : "out of memory");
}

void harden_note(struct harden *h, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(h->arena, fmt, ap);
    va_end(ap);
    printf("note: ");
    cli_put_visible(stdout, text ? text : "out of memory");
    putchar('\n');
}

void harden_reason(struct harden *h, const char *name, const char *text)
{
    for (size_t i = 0; i < h->reason_count; i++)
        if (name && strcmp(h->reasons[i].name, name) == 0)
            return;
    if (name && text && h->reason_count < HARDEN_REASONS)
        h->reasons[h->reason_count++] = (struct harden_reason){.name = name, .text = text};
}

void harden_tell_reasons(const struct harden *h)
{
    int width = 0;
    for (size_t i = 0; i < h->reason_count; i++) {
        const int n = (int)strlen(h->reasons[i].name);
        width = n > width ? n : width;
    }
    if (h->reason_count)
        puts("\nWhy:");
    for (size_t i = 0; i < h->reason_count; i++)
        printf("  %-*s  # %s\n", width, h->reasons[i].name, h->reasons[i].text);
}

bool harden_read(struct harden *h, const char *path, struct slice *text, bool *exists)
{
    const char *why = NULL;
    enum status s = edit_text(h->set, path, text, exists, &why);
    if (s != STATUS_OK)
        harden_refuse(h, "%s", why ? why : status_text(s));
    return s == STATUS_OK;
}

bool harden_write(struct harden *h, const char *path, struct slice text, mode_t mode)
{
    const char *why = NULL;
    enum status s = edit_propose(h->set, path, text, mode, &why);
    if (s != STATUS_OK)
        harden_refuse(h, "%s", why ? why : status_text(s));
    return s == STATUS_OK;
}

bool harden_wrote(const struct harden *h, struct slice entry)
{
    for (size_t i = 0; i < h->wrote_count; i++)
        if (h->wrote[i] && slice_eq(entry, slice_str(h->wrote[i])))
            return true;
    return false;
}

static const char *run(struct harden *h, const char *const *argv, bool with_errors, int *code)
{
    int fds[2], status = 0;
    if (code)
        *code = -1;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return NULL;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(fds[1], 1);
        dup2(with_errors ? fds[1] : null, 2);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(fds[1]);
    char *out = malloc(RUN_OUTPUT); /* the arena keeps only what was printed */
    size_t n = 0;
    for (ssize_t got; out && n < RUN_OUTPUT && (got = read(fds[0], out + n, RUN_OUTPUT - n)) > 0;)
        n += (size_t)got;
    close(fds[0]);
    bool ended = pid >= 0 && waitpid(pid, &status, 0) == pid && out;
    if (ended && code)
        *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ended = ended && !(WIFEXITED(status) && WEXITSTATUS(status) == 127);
    struct slice text = slice_trim(slice_of(out, n));
    const char *kept = ended ? arena_copy(h->arena, n ? text.p : "", text.n) : NULL;
    free(out);
    return kept;
}

const char *harden_run(struct harden *h, const char *const *argv, int *code)
{
    return run(h, argv, true, code);
}

const char *harden_ask(struct harden *h, const char *const *argv, int *code)
{
    return run(h, argv, false, code);
}

void harden_reload_by(struct harden *h, const char *command)
{
    for (size_t i = 0; i < h->reload_count; i++)
        if (strcmp(h->reload[i], command) == 0)
            return;
    if (h->reload_count < HARDEN_RELOADS)
        h->reload[h->reload_count++] = command;
}

void harden_reload(struct harden *h, bool really)
{
    for (size_t i = 0; i < h->reload_count; i++) {
        const char *argv[] = {"/bin/sh", "-c", h->reload[i], NULL};
        int code = 0;
        if (!really) {
            printf("%s  %s\n", i ? "" : "To put it in force:\n", h->reload[i]);
            continue;
        }
        const char *out = harden_run(h, argv, &code);
        if (code != 0)
            cli_error("%s: %s", h->reload[i], out && *out ? out : "failed without a message; its log says why");
        else
            printf("Done: %s\n", h->reload[i]);
    }
}
