// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_send.c - pipes a mail into the MTA's command, with a time limit.
 *
 * Promises never to hang on a command that reads nothing or never ends: pipes are written and read without blocking,
 * and when the time is up the child is killed by its id and waited for. No shell is used; the words of the command come
 * from the policy, the mail only ever goes to standard input. On failure the report is tried again by the caller, so a
 * command that took the mail and then failed may send it twice.
 */
#include "feedback/dmarc_send.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "policy/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define WORDS (POLICY_TEXT_MAX / 2 + 1) /* as many as a setting holds */

struct pipes {
    int in[2], err[2]; /* the child's */
};

extern char **environ;

/* Starts the command with the pipes as its standard input and error; an error number, or 0. */
static int command_start(char **words, const struct pipes *p, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, p->in[0], 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, p->err[1], 2);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawnp(pid, words[0], &actions, &attributes, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* How long the command may take: less once we are told to stop. */
struct limit {
    int64_t until;
    bool (*stop)(void);
    bool stopped;
};

static bool is_over(struct limit *l)
{
    int64_t now = clock_mono_ms();
    if (!l->stopped && l->stop && l->stop()) {
        l->stopped = true;
        l->until = l->until < now + DMARC_SEND_STOP_MS ? l->until : now + DMARC_SEND_STOP_MS;
    }
    return now >= l->until;
}

/* Feeds the mail and keeps the first octets of what the child says. */
static void command_feed(const struct pipes *p, struct slice mail, struct limit *limit, char *said, size_t size)
{
    size_t n = 0;
    int in = p->in[1];
    fcntl(in, F_SETFL, O_NONBLOCK);
    fcntl(p->err[0], F_SETFL, O_NONBLOCK);
    while (!is_over(limit)) {
        struct pollfd f[2] = {{p->err[0], POLLIN, 0}, {in, POLLOUT, 0}};
        if (poll(f, in >= 0 ? 2 : 1, 200) < 0 && errno != EINTR)
            break;
        char more[512];
        ssize_t got = f[0].revents ? read(p->err[0], more, sizeof more) : -1;
        for (ssize_t i = 0; i < got && n + 1 < size; i++)
            said[n++] = more[i];
        if (got == 0)
            break; /* the child has ended, or closed its stderr */
        if (in >= 0 && f[1].revents) {
            ssize_t put = mail.n ? write(in, mail.p, mail.n) : 0;
            if (put > 0)
                mail = slice_from(mail, (size_t)put);
            if (mail.n == 0 || (put < 0 && errno != EAGAIN && errno != EINTR)) {
                close(in);
                in = -1;
            }
        }
    }
    if (in >= 0)
        close(in);
    said[n] = '\0';
}

static int wait_for(pid_t pid, struct limit *limit)
{
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (is_over(limit)) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return -1;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000000}, NULL);
    }
    return status;
}

static enum status send_judge(int status, char *said, char *why)
{
    struct buf b = BUF_INIT;
    said[strcspn(said, "\n")] = '\0';
    utf8_add_visible(&b, slice_str(said));
    if (status == -1)
        snprintf(why, 200, "the mail command did not end in time");
    else if (WIFSIGNALED(status))
        snprintf(why, 200, "the mail command was ended by signal %d", WTERMSIG(status));
    else
        snprintf(why, 200, "the mail command ended with %d%s%.150s", WEXITSTATUS(status), b.n ? ": " : "", b.p);
    buf_release(&b);
    bool taken = status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (taken)
        why[0] = '\0';
    if (taken)
        return STATUS_OK;
    bool ended = status != -1 && WIFEXITED(status);
    return ended && (WEXITSTATUS(status) == EX_NOUSER || WEXITSTATUS(status) == EX_NOHOST) ? STATUS_MISSING
                                                                                           : STATUS_AGAIN;
}

enum status dmarc_send(const char *command, struct slice mail, unsigned seconds, bool (*stop)(void), char *why)
{
    char text[POLICY_TEXT_MAX + 1], said[512] = "", *words[WORDS + 1], *save = NULL;
    size_t n = 0;
    struct pipes p;
    snprintf(text, sizeof text, "%s", command);
    for (char *w = strtok_r(text, " \t", &save); w && n < WORDS; w = strtok_r(NULL, " \t", &save))
        words[n++] = w;
    words[n] = NULL;
    snprintf(why, 200, "`set report.sendmail` is empty");
    if (n == 0)
        return STATUS_INVALID;
    if (pipe2(p.in, O_CLOEXEC) != 0 || pipe2(p.err, O_CLOEXEC) != 0) {
        snprintf(why, 200, "%s", strerror(errno));
        return STATUS_AGAIN;
    }
    struct limit limit = {.until = clock_mono_ms() + (int64_t)seconds * 1000, .stop = stop};
    pid_t pid = 0;
    int error = command_start(words, &p, &pid);
    close(p.in[0]);
    close(p.err[1]);
    if (error == 0)
        command_feed(&p, mail, &limit, said, sizeof said);
    else
        close(p.in[1]);
    close(p.err[0]);
    if (error == 0)
        return send_judge(wait_for(pid, &limit), said, why);
    snprintf(why, 200, "%.100s: %s", words[0], strerror(error));
    return error == EAGAIN || error == ENOMEM ? STATUS_AGAIN : STATUS_INVALID;
}
