// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_trial.c - tries a configuration of Unbound without touching the one that runs.
 *
 * Promises that nothing outside the trial's folder is written, that no question leaves this host, and that the process
 * group of the trial is gone when it returns.
 */
#include "cli/harden/unbound_trial.h"
#include "base/clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN "/run/assay-unbound" /* where the AppArmor profile of our Unbound lets it read and write */
#define NAME "assay-trial.invalid"
#define SAID_MAX 2000
#define EXIT_FORBIDDEN 126

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

/* What a trial leaves out, and what it copies. */
static const char *const left_out[] = {"interface",
                                       "ip-address",
                                       "port",
                                       "pidfile",
                                       "logfile",
                                       "use-syslog",
                                       "chroot",
                                       "directory",
                                       "do-daemonize",
                                       "module-config",
                                       "dynlib-file",
                                       "interface-automatic",
                                       "interface-action",
                                       "interface-view",
                                       "interface-tag",
                                       "interface-tag-action",
                                       "interface-tag-data",
                                       "root-hints",
                                       "tls-service-key",
                                       "tls-service-pem",
                                       "ssl-service-key",
                                       "ssl-service-pem",
                                       "tls-port",
                                       "https-port",
                                       "num-threads",
                                       "so-reuseport",
                                       "outgoing-interface",
                                       "prefetch",
                                       NULL};
static const char *const clauses_left_out[] = {"remote-control", "dnstap", "cachedb", "dnscrypt", "dynlib", NULL};
static const char *const of_zones[] = {"primary", "master", "url", "allow-notify", NULL};
static const char *const anchors[] = {"auto-trust-anchor-file", "trust-anchor-file", "trusted-keys-file", NULL};

bool unbound_trial_begin(struct unbound_trial *t)
{
    const char *top = *t->h->root || access(RUN, W_OK) != 0 ? "/tmp" : RUN;
    if (scratch_open(&t->scratch, top, "trial"))
        return true;
    harden_refuse(t->h, "%s: no room for a trial of Unbound's configuration: %s", top, strerror(errno));
    return false;
}

void unbound_trial_end(struct unbound_trial *t)
{
    scratch_close(&t->scratch);
}

static bool write_copied(struct unbound_trial *t, const char *name, struct slice text)
{
    const char *path = arena_printf(t->h->arena, "%s/%s", t->scratch.path, name);
    FILE *f = path ? fopen(path, "we") : NULL;
    bool good = f && fwrite(text.p ? text.p : "", 1, text.n, f) == text.n;
    if (f && fclose(f) != 0)
        good = false;
    if (!good)
        harden_refuse(t->h, "%s/%s: no room for a trial: %s", t->scratch.path, name, strerror(errno));
    return good && chmod(path, 0644) == 0;
}

/* A copy of a file, whose path is returned; NULL: there is no such file. */
static const char *copy_of(struct unbound_trial *t, const char *path, unsigned number)
{
    struct slice text;
    bool exists;
    const char *name = arena_printf(t->h->arena, "copy-%u", number);
    if (!name || path[0] != '/' || !harden_read(t->h, path, &text, &exists) || !exists || !write_copied(t, name, text))
        return NULL;
    return arena_printf(t->h->arena, "%s/%s", t->scratch.path, name);
}

/* Writes one statement into the copy. */
static void trial_put(struct unbound_trial *t, const struct unbound_conf *c, size_t i, bool start, struct buf *b)
{
    const struct unbound_statement *s = &c->at[i];
    const char *clause = s->values ? unbound_clause(c, i) : s->name;
    if (start && geteuid() != 0 && strcmp(s->name, "username") == 0)
        return; /* only root can become it */
    if (start && (is_one_of(clause, clauses_left_out) || is_one_of(s->name, left_out)))
        return;
    if (!s->values) {
        buf_printf(b, "%s:\n", s->name);
        return;
    }
    if (start && (strcmp(clause, "auth-zone") == 0 || strcmp(clause, "rpz") == 0)) {
        if (is_one_of(s->name, of_zones))
            return;
        const char *copy =
            strcmp(s->name, "zonefile") == 0 ? copy_of(t, unbound_bare(t->h->arena, s->values), (unsigned)i) : NULL;
        if (strcmp(s->name, "zonefile") == 0 && !copy)
            return;
        if (copy) {
            buf_printf(b, "    zonefile: \"%s\"\n", copy);
            return;
        }
    }
    if (start && is_one_of(s->name, anchors)) {
        const char *copy = copy_of(t, unbound_bare(t->h->arena, s->values), (unsigned)i);
        if (copy)
            buf_printf(b, "    %s: \"%s\"\n", strcmp(s->name, "trusted-keys-file") == 0 ? s->name : "trust-anchor-file",
                       copy);
        return;
    }
    buf_printf(b, "    %s: %s\n", s->name, s->values);
}

/* All but ours, in one file. */
static bool write_copy(struct unbound_trial *t, const struct unbound_conf *c, const char *more, const char *name)
{
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->at[i].file, t->ours) != 0 && strncmp(c->at[i].file, RUN "/", sizeof RUN) != 0)
            trial_put(t, c, i, more != NULL, &b);
    buf_adds(&b, more ? more : "");
    bool good = !b.failed && write_copied(t, name, buf_slice(&b));
    buf_release(&b);
    return good;
}

const char *unbound_trial_ask(struct unbound_trial *t, const struct unbound_conf *c, const char *name,
                              const char **said)
{
    const char *path = arena_printf(t->h->arena, "%s/asked.conf", t->scratch.path);
    const char *argv[] = {t->checkconf, "-o", name, path, NULL};
    int code = -1;
    *said = "it could not be run";
    if (!path || !write_copy(t, c, NULL, "asked.conf"))
        return NULL;
    const char *out = harden_ask(t->h, argv, &code);
    if (code == 0)
        return out;
    out = harden_run(t->h, argv, &code);
    *said = out ? out : *said;
    return NULL;
}

/* ---- the start ---- */

static int free_port(void)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sin;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), port = -1;
    if (fd >= 0 && bind(fd, (struct sockaddr *)&sin, n) == 0 && getsockname(fd, (struct sockaddr *)&sin, &n) == 0)
        port = ntohs(sin.sin_port);
    if (fd >= 0)
        close(fd);
    return port;
}

static pid_t trial_start(struct unbound_trial *t)
{
    const char *conf = arena_printf(t->h->arena, "%s/unbound.conf", t->scratch.path),
               *log = arena_printf(t->h->arena, "%s/said", t->scratch.path),
               *policy = arena_printf(t->h->arena, "%s/policy", t->scratch.path),
               *state = arena_printf(t->h->arena, "%s/state", t->scratch.path);
    if (!conf || !log || !policy || !state)
        return -1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    setsid();
    int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600), null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    dup2(out, 1);
    dup2(out, 2);
    setenv("ASSAY_POLICY", policy, 1);
    setenv("ASSAY_RESOLVER_DIR", state, 1);
    setenv("ASSAY_STATE", state, 1);
    execl(t->unbound, t->unbound, "-d", "-p", "-c", conf, (char *)NULL);
    _exit(errno == EACCES || errno == EPERM ? EXIT_FORBIDDEN : 127);
}

/* Whether the system kept it from being started, or from reading the copy at all: that says nothing of its settings. */
static bool is_forbidden(struct unbound_trial *t, int how, const char *said)
{
    const char *at = strstr(said, t->scratch.path);
    at = at ? at + strlen(t->scratch.path) : "";
    return (WIFEXITED(how) && WEXITSTATUS(how) == EXIT_FORBIDDEN) ||
           (strncmp(at, "/unbound.conf", strlen("/unbound.conf")) == 0 && strstr(at, "Permission denied"));
}

/* One question for NAME's TXT record, which the copy holds as local data. */
static bool trial_answers(int port)
{
    static const unsigned char question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
                                            "\x0b"
                                            "assay-trial"
                                            "\x07"
                                            "invalid"
                                            "\x00\x00\x10\x00\x01";
    struct sockaddr_in sin = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    struct timeval wait = {.tv_usec = 200000};
    unsigned char reply[512];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ssize_t n = -1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
        connect(fd, (struct sockaddr *)&sin, sizeof sin) == 0 &&
        send(fd, question, sizeof question - 1, 0) == (ssize_t)sizeof question - 1)
        n = recv(fd, reply, sizeof reply, 0);
    if (fd >= 0)
        close(fd);
    if (n < 0)
        usleep(50000);
    return n > 12 && reply[0] == 0x12 && (reply[3] & 15) == 0 && reply[7] > 0;
}

static void trial_stop(pid_t pid)
{
    for (int i = 0; i < 40; i++) {
        kill(-pid, i < 20 ? SIGTERM : SIGKILL);
        if (waitpid(pid, NULL, WNOHANG) != 0)
            break;
        usleep(100000);
    }
    kill(-pid, SIGKILL);
}

static const char *last_words(struct unbound_trial *t, const char *otherwise)
{
    struct buf b = BUF_INIT;
    const char *path = arena_printf(t->h->arena, "%s/said", t->scratch.path);
    FILE *f = path ? fopen(path, "re") : NULL;
    char line[1024];
    while (f && fgets(line, sizeof line, f) && b.n < SAID_MAX)
        if (strstr(line, "error") || strstr(line, "fatal") || strstr(line, "assay"))
            buf_adds(&b, line);
    if (f)
        fclose(f);
    const char *said = b.n ? arena_copy(t->h->arena, b.p, b.n) : otherwise;
    buf_release(&b);
    return said;
}

static enum unbound_trial_result trial_watch(struct unbound_trial *t, pid_t pid, const char **said)
{
    const char *status = arena_printf(t->h->arena, "%s/state/status.json", t->scratch.path);
    int64_t end = clock_mono_ms() + UNBOUND_TRIAL_SECONDS * 1000;
    int how = 0;
    bool answered = false;
    while (status && clock_mono_ms() < end) {
        if (waitpid(pid, &how, WNOHANG) == pid) {
            *said = last_words(t, "it ended at once, without a message");
            return is_forbidden(t, how, *said) ? UNBOUND_TRIAL_FORBIDDEN : UNBOUND_TRIAL_FAILED;
        }
        answered = answered || trial_answers(t->port);
        if (answered && access(status, F_OK) == 0)
            return UNBOUND_TRIAL_GOOD;
        if (answered)
            usleep(50000);
    }
    *said = last_words(t, answered ? "it answers, but the module did not say that it is loaded"
                                   : "it gave no answer within 10 seconds");
    return UNBOUND_TRIAL_FAILED;
}

/* The folder belongs to the user that this Unbound becomes. */
static void give_folder(struct unbound_trial *t, const struct unbound_conf *c, const char *state)
{
    const char *user = "unbound";
    for (size_t i = 0; i < c->count; i++)
        if (c->at[i].values && strcmp(c->at[i].name, "username") == 0)
            user = unbound_bare(t->h->arena, c->at[i].values);
    const struct passwd *pw = geteuid() == 0 ? getpwnam(user) : NULL;
    if (chmod(t->scratch.path, 0711) != 0 || (pw && chown(state, pw->pw_uid, pw->pw_gid) != 0))
        harden_note(t->h, "%s: not given to %s: %s", state, user, strerror(errno));
}

bool unbound_trial_check(struct unbound_trial *t, const struct unbound_conf *c, const char *chain, const char **said)
{
    const char *state = arena_printf(t->h->arena, "%s/state", t->scratch.path);
    t->port = free_port();
    const char *more = arena_printf(
        t->h->arena,
        "server:\n    interface: 127.0.0.1\n    port: %d\n    do-daemonize: no\n    pidfile: \"\"\n    chroot: \"\"\n"
        "    use-syslog: no\n    logfile: \"\"\n    directory: \"%s\"\n    num-threads: 1\n    module-config: \"%s\"\n"
        "    ignore-cd-flag: yes\n    harden-referral-path: no\n    local-data: '" NAME ". TXT \"ok\"'\n"
        "    access-control: 127.0.0.0/8 allow\n%s"
        "dynlib:\n    dynlib-file: \"%s\"\nremote-control:\n    control-enable: no\n",
        t->port, t->scratch.path, chain, geteuid() == 0 ? "" : "    username: \"\"\n", t->module);
    const char *policy =
        arena_printf(t->h->arena, "policy \"trial\"\nrecord dnssec of every name\nset journal.dir \"%s/journal\"\n",
                     state ? state : "");
    const char *conf = arena_printf(t->h->arena, "%s/unbound.conf", t->scratch.path);
    const char *argv[] = {t->checkconf, conf, NULL};
    int code = -1;
    *said = "no room for a trial";
    if (t->port < 0 || !state || !more || !policy || !conf || (mkdir(state, 0750) != 0 && errno != EEXIST) ||
        !write_copy(t, c, more, "unbound.conf") || !write_copied(t, "policy", slice_str(policy)))
        return false;
    give_folder(t, c, state);
    const char *out = harden_run(t->h, argv, &code);
    if (code != 0)
        *said = out ? out : "unbound-checkconf could not be run";
    return code == 0;
}

enum unbound_trial_result unbound_trial_start(struct unbound_trial *t, const char **said)
{
    pid_t pid = trial_start(t);
    *said = "it could not be started";
    enum unbound_trial_result result = pid > 0 ? trial_watch(t, pid, said) : UNBOUND_TRIAL_FAILED;
    if (pid > 0)
        trial_stop(pid);
    return result;
}
