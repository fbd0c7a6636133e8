// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_say.c - what every check of `assay doctor` uses: to say what it found, to ask the policy, to run a program.
 *
 * A program runs without a shell, with a bound on its output and on its time.
 */
#include "cli/doctor/doctor.h"
#include "policy/policy_settings.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_MS 10000
#define RUN_OUTPUT 65536

void doctor_say(struct doctor *d, enum doctor_state state, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = arena_vprintf(d->arena, fmt, ap);
    va_end(ap);
    struct doctor_finding *f = ARENA_NEW(d->arena, struct doctor_finding);
    if (!f || !text)
        return;
    char *remedy = strchr(text, '\n');
    if (remedy)
        *remedy++ = '\0';
    *f = (struct doctor_finding){.state = state, .check = d->check, .text = text, .remedy = remedy};
    *d->last = f;
    d->last = &f->next;
}

const char *doctor_setting(const struct doctor *d, enum setting_id id, const char *fallback)
{
    const char *v = d->policy ? policy_set_text(d->policy, id) : NULL;
    return v && *v ? v : fallback;
}

/* Reads until the end, the bound or the deadline; what lies beyond the bound is read and dropped, so that the program
 * can end. */
static size_t read_all(int fd, char *out, size_t size)
{
    size_t n = 0;
    for (;;) {
        char spare[4096];
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, RUN_MS) <= 0)
            return n;
        ssize_t got = n < size ? read(fd, out + n, size - n) : read(fd, spare, sizeof spare);
        if (got <= 0)
            return n;
        if (n < size)
            n += (size_t)got;
    }
}

/* The exit code; a program that has not ended within RUN_MS is ended, and gives -1. */
static int wait_for_end(pid_t pid)
{
    int status = 0;
    for (int waited = 0; waited < RUN_MS; waited += 10) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        usleep(10000);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

const char *doctor_run(struct doctor *d, const char *const *argv, int *code)
{
    int fds[2];
    if (code)
        *code = -1;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return NULL;
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(fds[1], 1);
        dup2(null, 2);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(fds[1]);
    char *out = arena_alloc(d->arena, RUN_OUTPUT + 1);
    size_t n = pid > 0 && out ? read_all(fds[0], out, RUN_OUTPUT) : 0;
    close(fds[0]);
    if (pid < 0 || !out)
        return NULL;
    int rc = wait_for_end(pid);
    if (code)
        *code = rc;
    if (rc != 0)
        return NULL;
    struct slice text = slice_trim(slice_of(out, n));
    return arena_copy(d->arena, text.p, text.n);
}
