// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_reader.c - the helper process, its children, and what they say.
 *
 * Promises that a child has no more than its limits whatever it reads (RLIMIT_DATA and RLIMIT_AS for memory, RLIMIT_CPU
 * and a timer for time), that its death, by a limit or by a fault, is an unread file with the reason, and that nothing
 * it says is believed beyond what report_in.h allows. A helper that is gone makes each file unread, to be tried again.
 * No process is left when the caller ends: the helper's socket closes, and the children's pipe.
 */
#include "feedback/report_reader.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/domain.h"
#include "feedback/report_fields.h"
#include "feedback/report_message.h"
#include "feedback/report_scratch.h"
#include "feedback/report_sender.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARENA ((size_t)8 << 20)
#define FLUSH ((size_t)65536)
#define NAME_MOST 4200
/* Address space: the file, and what is unpacked of it at each step, are mapped. */
#define MAPPED (REPORT_IN_FILE * 2 + REPORT_IN_TEXT * 3)

/* What the helper is asked, with two descriptors: the file, and the pipe to write to. */
struct job {
    char name[NAME_MOST];
    char authserv_id[LIMIT_DOMAIN + 1];
    bool by_mail;
};

struct report_reader {
    int socket; /* to the helper */
    pid_t helper;
};

/* ---- the child ---- */

struct child {
    int out;
    struct buf said;
    bool by_mail;
    const char *sender;
};

/* Time spent waiting for whoever reads the pipe is not the child's. */
static void flush(struct child *c)
{
    struct itimerval left = {0};
    setitimer(ITIMER_REAL, &(struct itimerval){0}, &left);
    for (size_t at = 0; at < c->said.n;) {
        ssize_t n = write(c->out, c->said.p + at, c->said.n - at);
        if (n < 0 && errno != EINTR)
            _exit(EXIT_FAILURE); /* nobody wants it any more */
        at += n > 0 ? (size_t)n : 0;
    }
    if (c->said.failed)
        _exit(EXIT_FAILURE);
    buf_reset(&c->said);
    setitimer(ITIMER_REAL, &left, NULL);
}

static void child_say(struct child *c, const struct report_message *m)
{
    report_message_add(&c->said, m);
    if (c->said.n >= FLUSH || c->said.failed)
        flush(c);
}

static void say_unread(void *context, const char *where, const char *why, enum status st)
{
    child_say(context,
              &(struct report_message){.type = REPORT_MESSAGE_UNREAD, .number = {(int64_t)st}, .text = {where, why}});
}

static void say_bounced(void *context, const char *where, const char *recipient, const char *code, const char *id)
{
    child_say(context, &(struct report_message){.type = REPORT_MESSAGE_BOUNCE, .text = {where, recipient, code, id}});
}

static bool say_row(void *context, const struct report_in_row *w)
{
    child_say(context,
              &(struct report_message){.type = REPORT_MESSAGE_ROW,
                                       .number = {(int64_t)w->about, w->count},
                                       .text = {w->source, w->result, w->dkim, w->spf, w->header_from, w->detail}});
    return true;
}

/* Read twice: the head is said once all of it is known to be a report. */
static void say_found(void *context, const char *where, struct slice text)
{
    struct child *c = context;
    struct arena *a = arena_new(ARENA);
    struct report_in r;
    char why[REPORT_IN_WHY] = "";
    enum status st = a ? report_in_parse(a, text, NULL, &r, why) : STATUS_NOMEM;
    if (st != STATUS_OK) {
        say_unread(c, where, st == STATUS_NOMEM ? "it needs more memory than is given to a report" : why, st);
        arena_free(a);
        return;
    }
    child_say(c, &(struct report_message){.type = REPORT_MESSAGE_HEAD,
                                          .number = {r.kind, r.begin, r.end, (int64_t)text.n},
                                          .text = {where, r.org, r.id, r.policy, r.contact, r.partial}});
    for (size_t i = 0; i < r.domain_count; i++)
        child_say(c, &(struct report_message){.type = REPORT_MESSAGE_DOMAIN, .text = {r.domains[i]}});
    arena_reset(a);
    if (report_in_parse(a, text, &(struct report_in_rows){say_row, c}, &r, why) != STATUS_OK)
        _exit(EXIT_FAILURE); /* the same text again */
    arena_free(a);
    child_say(c, &(struct report_message){.type = REPORT_MESSAGE_END});
}

static void limit(int what, rlim_t most)
{
    (void)setrlimit(what, &(struct rlimit){most, most});
}

/* Memory: as much more than the process has now. */
static void set_limits(void)
{
    limit(RLIMIT_CORE, 0);
    (void)setrlimit(RLIMIT_CPU, &(struct rlimit){REPORT_READER_SECONDS, REPORT_READER_SECONDS + 1});
    signal(SIGALRM, SIG_DFL);
    signal(SIGXCPU, SIG_DFL);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_sec = REPORT_READER_WALL}, NULL);
#ifndef __SANITIZE_ADDRESS__
    unsigned long size = 0, data = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%lu %*u %*u %*u %*u %lu", &size, &data) == 2) { // NOLINT(cert-err34-c): the kernel writes it
        rlim_t page = (rlim_t)sysconf(_SC_PAGESIZE);
        limit(RLIMIT_DATA, data * page + REPORT_READER_MEMORY);
        limit(RLIMIT_AS, size * page + REPORT_READER_MEMORY + MAPPED);
    }
    if (f)
        fclose(f);
#endif
}

static void read_sender(struct child *c, struct slice mail, const char *authserv_id)
{
    struct arena *a = arena_new(REPORT_READER_HEAD * 2);
    const char *domain = NULL;
    mail.n = mail.n < REPORT_READER_HEAD ? mail.n : REPORT_READER_HEAD;
    /* A header that is larger than any honest one proves nothing. */
    if (a && report_sender_read(a, mail, authserv_id, &domain) == STATUS_OK && domain)
        child_say(c, &(struct report_message){.type = REPORT_MESSAGE_SENDER, .text = {domain}});
    arena_free(a);
}

static void read_file(const struct job *job, int in, int out)
{
    struct child c = {.out = out, .said = BUF_INIT};
    struct report_scratch file = REPORT_SCRATCH_INIT(REPORT_IN_FILE);
    set_limits();
    enum status st = report_scratch_file(&file, in);
    struct slice text = report_scratch_text(&file);
    if (st == STATUS_OK && job->by_mail)
        read_sender(&c, text, job->authserv_id);
    if (st == STATUS_OK)
        report_in_walk(text, job->name, &(struct report_in_walker){say_found, say_unread, say_bounced, &c});
    else
        say_unread(&c, job->name,
                   st == STATUS_LIMIT   ? "the file is larger than is read"
                   : st == STATUS_AGAIN ? "there is no room on the disk (TMPDIR) for it"
                                        : "it cannot be read",
                   st);
    child_say(&c, &(struct report_message){.type = REPORT_MESSAGE_DONE});
    flush(&c);
    _exit(EXIT_SUCCESS);
}

/* ---- the helper ---- */

static bool take_job(int socket, struct job *job, int fds[2])
{
    char control[CMSG_SPACE(2 * sizeof(int))];
    struct iovec data = {job, sizeof *job};
    struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n;
    do
        n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    struct cmsghdr *c = n == (ssize_t)sizeof *job ? CMSG_FIRSTHDR(&m) : NULL;
    if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(2 * sizeof(int)))
        return false;
    memcpy(fds, CMSG_DATA(c), 2 * sizeof(int));
    return true;
}

/* Answers each job with the status of its child. */
static void help(int socket)
{
    static struct job job;
    int fds[2];
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGINT, SIG_IGN); /* the caller gets it too, and ends */
    while (take_job(socket, &job, fds)) {
        pid_t pid = fork();
        if (pid == 0) {
            close(socket);
            read_file(&job, fds[0], fds[1]);
        }
        close(fds[0]);
        close(fds[1]);
        int status = -1;
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (write(socket, &status, sizeof status) != sizeof status)
            break;
    }
    _exit(EXIT_SUCCESS);
}

struct report_reader *report_reader_start(void)
{
    struct report_reader *r = calloc(1, sizeof *r);
    int ends[2];
    if (!r || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        free(r);
        return NULL;
    }
    r->socket = ends[0];
    r->helper = fork();
    if (r->helper == 0) {
        close(ends[0]);
        help(ends[1]);
    }
    close(ends[1]);
    if (r->helper > 0)
        return r;
    close(ends[0]);
    free(r);
    return NULL;
}

struct report_reader *report_reader_end(struct report_reader *r)
{
    if (!r)
        return NULL;
    close(r->socket);
    while (waitpid(r->helper, NULL, 0) < 0 && errno == EINTR)
        ;
    free(r);
    return NULL;
}

/* ---- the caller ---- */

struct receiving {
    const struct report_reader_to *to;
    struct arena *arena; /* of the head */
    struct report_in head;
    const char *where, *sender;
    size_t domains, rows;
    enum { NO_REPORT, HEAD, ROWS } state;
    bool by_mail, done;
};

static bool begin_head(struct receiving *r, const struct report_message *m)
{
    if (r->state != NO_REPORT || (m->number[0] != REPORT_IN_DMARC && m->number[0] != REPORT_IN_TLS) ||
        m->number[1] < 0 || m->number[2] < 0 || m->number[3] < 0 || m->number[3] > (int64_t)REPORT_IN_TEXT ||
        !*m->text[1] || !*m->text[2])
        return false;
    arena_reset(r->arena);
    r->where = arena_strdup(r->arena, m->text[0]);
    r->head = (struct report_in){.kind = (enum report_in_kind)m->number[0],
                                 .begin = m->number[1],
                                 .end = m->number[2],
                                 .octets = (size_t)m->number[3],
                                 .org = arena_strdup(r->arena, m->text[1]),
                                 .id = arena_strdup(r->arena, m->text[2]),
                                 .policy = arena_strdup(r->arena, m->text[3]),
                                 .contact = *m->text[4] ? arena_strdup(r->arena, m->text[4]) : NULL,
                                 .partial = *m->text[5] ? arena_strdup(r->arena, m->text[5]) : NULL,
                                 .domains = ARENA_ARRAY(r->arena, const char *, REPORT_IN_DOMAINS),
                                 .proof = REPORT_IN_UNKNOWN,
                                 .sender = r->sender,
                                 .by_mail = r->by_mail};
    if (r->by_mail)
        r->head.proof = report_sender_speaks_for(r->sender, &r->head) ? REPORT_IN_PROVED : REPORT_IN_NOT_PROVED;
    r->state = HEAD;
    r->rows = 0;
    return !arena_failed(r->arena);
}

static bool add_domain(struct receiving *r, const char *text)
{
    char domain[LIMIT_DOMAIN + 1];
    if (r->state != HEAD || r->head.domain_count == REPORT_IN_DOMAINS ||
        domain_from_text(slice_str(text), domain) != STATUS_OK || strcmp(domain, text) != 0)
        return false;
    return (r->head.domains[r->head.domain_count++] = arena_strdup(r->arena, domain)) != NULL;
}

static bool give_head(struct receiving *r)
{
    if (r->state == ROWS)
        return true;
    if (r->state != HEAD || r->head.domain_count == 0)
        return false;
    r->state = ROWS;
    r->to->head(r->to->context, r->where, &r->head);
    return true;
}

static bool give_row(struct receiving *r, const struct report_message *m)
{
    if (!give_head(r) || m->number[0] < 0 || (size_t)m->number[0] >= r->head.domain_count || m->number[1] < 1 ||
        m->number[1] > REPORT_COUNT_MAX || ++r->rows > REPORT_IN_ROWS)
        return false;
    r->to->row(r->to->context, &(struct report_in_row){.about = (size_t)m->number[0],
                                                       .count = m->number[1],
                                                       .source = m->text[0],
                                                       .result = m->text[1],
                                                       .dkim = m->text[2],
                                                       .spf = m->text[3],
                                                       .header_from = m->text[4],
                                                       .detail = m->text[5]});
    return true;
}

static bool message_give(struct receiving *r, const struct report_message *m)
{
    static char sender[REPORT_MESSAGE_TEXT + 1];
    switch (m->type) {
    case REPORT_MESSAGE_SENDER:
        snprintf(sender, sizeof sender, "%s", m->text[0]);
        r->sender = r->by_mail ? sender : NULL;
        return r->state == NO_REPORT && r->by_mail;
    case REPORT_MESSAGE_HEAD:
        return begin_head(r, m);
    case REPORT_MESSAGE_DOMAIN:
        return add_domain(r, m->text[0]);
    case REPORT_MESSAGE_ROW:
        return give_row(r, m);
    case REPORT_MESSAGE_END:
        if (!give_head(r))
            return false;
        r->state = NO_REPORT;
        r->to->end(r->to->context, true);
        return true;
    case REPORT_MESSAGE_UNREAD:
        r->to->unread(r->to->context, m->text[0], m->text[1],
                      m->number[0] == STATUS_AGAIN ? STATUS_AGAIN : STATUS_INVALID);
        return r->state == NO_REPORT;
    case REPORT_MESSAGE_BOUNCE:
        r->to->bounced(r->to->context, m->text[0], m->text[1], m->text[2], m->text[3]);
        return r->state == NO_REPORT;
    case REPORT_MESSAGE_DONE:
        r->done = true;
        return r->state == NO_REPORT;
    default:
        return false;
    }
}

/* False: it says what no message is. */
static bool receive(struct receiving *r, int fd)
{
    char space[FLUSH];
    struct buf have = {.p = buf_empty, .bound = FLUSH + REPORT_MESSAGE_MOST + 8};
    ssize_t n;
    bool good = true;
    while (good && ((n = read(fd, space, sizeof space)) > 0 || (n < 0 && errno == EINTR))) {
        if (n < 0)
            continue;
        buf_add(&have, space, (size_t)n);
        struct slice in = buf_slice(&have);
        struct report_message m;
        enum status st;
        while ((st = report_message_take(&in, &m)) == STATUS_OK && (good = message_give(r, &m)))
            ;
        good = good && st == STATUS_AGAIN && !have.failed;
        memmove(have.p, in.p, in.n);
        buf_cut(&have, in.n);
    }
    buf_release(&have);
    return good;
}

static bool ask_helper(const struct report_reader *r, const struct job *job, int in, int out)
{
    union {
        char octets[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr aligned;
    } control = {{0}};
    struct iovec data = {(void *)(size_t)job, sizeof *job};
    struct msghdr m = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.octets, .msg_controllen = sizeof control.octets};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(c), (int[]){in, out}, 2 * sizeof(int));
    return sendmsg(r->socket, &m, MSG_NOSIGNAL) == (ssize_t)sizeof *job;
}

/* Why a child ended before it was done. */
static const char *end_of(int status, char *room, size_t size)
{
    int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (signal_number == SIGXCPU || signal_number == SIGALRM || signal_number == SIGKILL)
        return "reading it took more time than is given to a report";
    snprintf(room, size, "its reader ended before it was done (%s %d)", signal_number ? "signal" : "status",
             signal_number       ? signal_number
             : WIFEXITED(status) ? WEXITSTATUS(status)
                                 : status);
    return room;
}

void report_reader_read(struct report_reader *reader, int fd, const char *name, const char *authserv_id,
                        const struct report_reader_to *to)
{
    static struct job job;
    struct receiving r = {.to = to, .arena = arena_new(ARENA), .by_mail = authserv_id != NULL};
    int ends[2], status = -1;
    char room[100];
    memset(&job, 0, sizeof job);
    snprintf(job.name, sizeof job.name, "%s", name);
    snprintf(job.authserv_id, sizeof job.authserv_id, "%s", authserv_id ? authserv_id : "");
    job.by_mail = r.by_mail;
    if (!r.arena || pipe2(ends, O_CLOEXEC) != 0) {
        to->unread(to->context, name, strerror(errno), STATUS_AGAIN);
        arena_free(r.arena);
        return;
    }
    bool asked = ask_helper(reader, &job, fd, ends[1]);
    close(ends[1]);
    bool good = asked && receive(&r, ends[0]);
    close(ends[0]); /* a child that goes on writing ends by it */
    if (asked && read(reader->socket, &status, sizeof status) != (ssize_t)sizeof status)
        asked = false;
    if (r.state == ROWS)
        to->end(to->context, false);
    if (!asked)
        to->unread(to->context, name, "the process that reads reports is gone", STATUS_AGAIN);
    else if (!good)
        to->unread(to->context, name, "its reader said what it should not", STATUS_INVALID);
    else if (!r.done)
        to->unread(to->context, name, end_of(status, room, sizeof room), STATUS_INVALID);
    arena_free(r.arena);
}
