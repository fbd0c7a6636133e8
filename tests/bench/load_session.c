// SPDX-License-Identifier: BSD-2-Clause
/*
 * load_session.c - the conversation, step by step. Each step returns GO_ON, FINAL (the outcome is known) or LOST (the
 * connection is; s->error says why). Packets are collected in `out` and leave before an answer is waited for, or when
 * they are many.
 */
#include "tests/bench/load_session.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define VERSION 6u
#define ACTIONS 0x1ffu         /* every SMFIF_ bit */
#define PROTOCOL 0x1fffffu     /* every SMFIP_ bit but the larger sizes */
#define CHUNK 65535u           /* MILTER_CHUNK_SIZE */
#define FLUSH_AT 65536u        /* octets that wait before they are sent without need */
#define PACKET_MOST 0x1000000u /* of a filter's answer */

#define NO_CONNECT 0x1u
#define NO_HELO 0x2u
#define NO_MAIL 0x4u
#define NO_RCPT 0x8u
#define NO_BODY 0x10u
#define NO_HEADERS 0x20u
#define NO_HEADER_END 0x40u
#define SILENT_HEADER 0x80u
#define NO_DATA 0x200u
#define SILENT_CONNECT 0x1000u
#define SILENT_HELO 0x2000u
#define SILENT_MAIL 0x4000u
#define SILENT_RCPT 0x8000u
#define SILENT_DATA 0x10000u
#define SILENT_HEADER_END 0x40000u
#define SILENT_BODY 0x80000u
#define LEADING_BLANK 0x100000u

enum step { GO_ON, FINAL, LOST };
enum stage { AT_CONNECT, AT_HELO, AT_MAIL, AT_RCPT, AT_DATA, AT_END, AT_HEADER_END };

const char *const outcome_name[OUTCOMES] = {"accept", "reject", "tempfail", "discard", "quarantine", "error"};

struct macro {
    const char *name, *value;
};

static void octets_put(struct octets *o, const void *p, size_t n)
{
    if (o->n + n > o->room) {
        o->room = (o->n + n) * 2 + 512;
        o->p = need(o->p, o->room);
    }
    memcpy(o->p + o->n, p, n);
    o->n += n;
}

static void put_number(struct octets *o, uint32_t v)
{
    const uint32_t wire = htonl(v);
    octets_put(o, &wire, sizeof wire);
}

static void put_text(struct octets *o, const char *text)
{
    octets_put(o, text, strlen(text) + 1);
}

static uint32_t number_at(const char *p)
{
    uint32_t wire;
    memcpy(&wire, p, sizeof wire);
    return ntohl(wire);
}

/* A packet is begun, filled, and ended, which writes its length. */
static size_t begin_packet(struct filter *f, char letter)
{
    size_t at = f->out.n;
    put_number(&f->out, 0);
    octets_put(&f->out, &letter, 1);
    return at;
}

static void end_packet(struct filter *f, size_t at)
{
    const uint32_t wire = htonl((uint32_t)(f->out.n - at - 4));
    memcpy(f->out.p + at, &wire, sizeof wire);
}

static bool send_out(struct session *s, struct filter *f)
{
    for (size_t at = 0; at < f->out.n;) {
        const size_t left = f->out.n - at;
        ssize_t n =
            send(f->fd, f->out.p + at, s->write_most && left > s->write_most ? s->write_most : left, MSG_NOSIGNAL);
        if (n > 0) {
            at += (size_t)n;
        } else if (errno != EINTR) {
            snprintf(s->error, sizeof s->error, "send: %s", strerror(errno));
            return false;
        }
    }
    f->out.n = 0;
    return true;
}

static bool read_more(struct session *s, struct filter *f)
{
    struct pollfd p = {.fd = f->fd, .events = POLLIN};
    if (f->in_at)
        memmove(f->in.p, f->in.p + f->in_at, f->in.n - f->in_at);
    f->in.n -= f->in_at;
    f->in_at = 0;
    if (f->in.room - f->in.n < 4096)
        f->in.p = need(f->in.p, f->in.room = f->in.room * 2 + 8192);
    int ready = poll(&p, 1, s->seconds * 1000);
    if (ready == 0) {
        snprintf(s->error, sizeof s->error, "no answer in %d s", s->seconds);
        return false;
    }
    ssize_t n = ready < 0 ? -1 : recv(f->fd, f->in.p + f->in.n, f->in.room - f->in.n - 1, 0);
    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0) {
        snprintf(s->error, sizeof s->error, "receive: %s", n ? strerror(errno) : "the filter has closed");
        return false;
    }
    f->in.n += (size_t)n;
    return true;
}

/* The next packet; its data lives until the next call and is followed by a NUL. */
static bool next_packet(struct session *s, struct filter *f, char *letter, char **data, size_t *size)
{
    if (!send_out(s, f))
        return false;
    for (;;) {
        size_t have = f->in.n - f->in_at;
        uint32_t length = have >= 4 ? number_at(f->in.p + f->in_at) : 0;
        if (have >= 4 && (length == 0 || length > PACKET_MOST)) {
            snprintf(s->error, sizeof s->error, "a packet of %u octets", length);
            return false;
        }
        if (have >= 4 && have - 4 >= length) {
            *letter = f->in.p[f->in_at + 4];
            *data = f->in.p + f->in_at + 5;
            *size = length - 1;
            f->in_at += 4 + (size_t)length;
            return true;
        }
        if (!read_more(s, f))
            return false;
    }
}

static int dial_unix(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path)
        fail("the path of a unix socket is at most %zu octets long: %s", sizeof a.sun_path - 1, path);
    memcpy(a.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int tries = 0; fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) < 0; tries++) {
        if (errno != EAGAIN || tries > 5000) { /* EAGAIN: its queue of connections is full */
            close(fd);
            return -1;
        }
        usleep(1000);
    }
    return fd;
}

static int dial_inet(const char *where)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    char *end;
    a.sin_port = htons((uint16_t)strtoul(where, &end, 10));
    if (*end != '@' || inet_pton(AF_INET, end + 1, &a.sin_addr) != 1)
        fail("inet:PORT@ADDRESS was expected: inet:%s", where);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) < 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static bool dial(struct session *s, struct filter *f, const char *address)
{
    if (strncmp(address, "unix:", 5) == 0)
        f->fd = dial_unix(address + 5);
    else if (strncmp(address, "inet:", 5) == 0)
        f->fd = dial_inet(address + 5);
    else
        fail("unix:PATH or inet:PORT@ADDRESS was expected: %s", address);
    if (f->fd < 0)
        snprintf(s->error, sizeof s->error, "connect to %s: %s", address, strerror(errno));
    return f->fd >= 0;
}

static bool negotiate(struct session *s, struct filter *f)
{
    char letter, *data;
    size_t size, at = begin_packet(f, 'O');
    put_number(&f->out, VERSION);
    put_number(&f->out, ACTIONS);
    put_number(&f->out, PROTOCOL);
    end_packet(f, at);
    if (!next_packet(s, f, &letter, &data, &size))
        return false;
    if (letter != 'O' || size < 12) {
        snprintf(s->error, sizeof s->error, "options were expected, not '%c'", letter);
        return false;
    }
    f->protocol = number_at(data + 8);
    memset(f->symbols, 0, sizeof f->symbols);
    for (size_t i = 12; i + 5 <= size;) {
        const uint32_t stage = number_at(data + i);
        const size_t n = strnlen(data + i + 4, size - i - 4);
        if (stage < STAGES)
            snprintf(f->symbols[stage], sizeof f->symbols[stage], "%.*s", (int)n, data + i + 4);
        i += 4 + n + 1;
    }
    return true;
}

static bool is_wanted(const struct filter *f, enum stage stage, const char *name)
{
    const char *list = f->symbols[stage];
    const size_t n = strlen(name);
    if (!*list)
        return true;
    for (const char *at = strstr(list, name); at; at = strstr(at + 1, name))
        if ((at == list || strchr(" ,", at[-1])) && strchr(" ,", at[n]))
            return true;
    return false;
}

static void put_macros(struct filter *f, enum stage stage, char letter, const struct macro *m)
{
    size_t at = begin_packet(f, 'D');
    octets_put(&f->out, &letter, 1);
    for (; m->name; m++)
        if (m->value && is_wanted(f, stage, m->name)) {
            put_text(&f->out, m->name);
            put_text(&f->out, m->value);
        }
    end_packet(f, at);
}

/* ---- answers ---- */

static void insert_field(struct session *s, size_t at, char *name, bool blank, const char *value)
{
    size_t n = strlen(name) + 1, v = strlen(value) + 1;
    char *copy = need(NULL, n + v + 1);
    memcpy(copy, name, n);
    copy[n] = ' ';
    memcpy(copy + n + !blank, value, v);
    s->owned = need(s->owned, (s->owned_count + 1) * sizeof *s->owned);
    s->owned[s->owned_count++] = copy;
    if (s->field_count == s->field_room)
        s->fields = need(s->fields, (s->field_room = s->field_room * 2 + 64) * sizeof *s->fields);
    if (at > s->field_count)
        at = s->field_count;
    memmove(s->fields + at + 1, s->fields + at, (s->field_count - at) * sizeof *s->fields);
    s->fields[at] = (struct field){.name = copy, .value = copy + n};
    s->field_count++;
}

/* The index-th field of this name is replaced, or removed where value is empty. */
static void change_field(struct session *s, uint32_t index, char *name, bool blank, const char *value)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < s->field_count; i++) {
        if (strcasecmp(s->fields[i].name, name) != 0 || ++seen != index)
            continue;
        memmove(s->fields + i, s->fields + i + 1, (s->field_count - i - 1) * sizeof *s->fields);
        s->field_count--;
        if (*value)
            insert_field(s, i, name, blank, value);
        return;
    }
}

static void take_edit(struct session *s, const struct filter *f, char letter, char *data, size_t size)
{
    const bool blank = f->protocol & LEADING_BLANK;
    char *name = letter == 'h' ? data : data + 4;
    if (size < 6 || !memchr(name, 0, size - (size_t)(name - data)))
        return;
    const char *value = name + strlen(name) + 1;
    if (letter == 'm') {
        change_field(s, number_at(data), name, blank, value);
        return;
    }
    s->inserted++;
    insert_field(s, letter == 'h' ? s->field_count : number_at(data), name, blank, value);
}

/* Takes answers up to the one that ends a step. */
static enum step session_answer(struct session *s, struct filter *f, enum outcome *outcome)
{
    char letter, *data;
    size_t size;
    for (;;) {
        if (!next_packet(s, f, &letter, &data, &size))
            return LOST;
        const char kept = data[size];
        data[size] = '\0';
        if (letter == 'y')
            snprintf(s->reply, sizeof s->reply, "%s", data);
        else if (letter == 'q')
            *outcome = QUARANTINED;
        else if (strchr("him", letter))
            take_edit(s, f, letter, data, size);
        const bool later = letter == 'y' && *data == '4';
        data[size] = kept;
        switch (letter) {
        case 'c':
        case 's':
            return GO_ON;
        case 'a':
            f->done = true;
            return GO_ON;
        case 'd':
            *outcome = DISCARDED;
            return FINAL;
        case 'r':
        case 't':
        case 'y':
            *outcome = letter == 't' || later ? DEFERRED : REJECTED;
            return FINAL;
        default:
            break; /* an edit, or "wait a little" */
        }
    }
}

static enum step answer_unless(struct session *s, struct filter *f, uint32_t silent, enum outcome *outcome)
{
    if (!(f->protocol & silent))
        return session_answer(s, f, outcome);
    return f->out.n < FLUSH_AT || send_out(s, f) ? GO_ON : LOST;
}

/* ---- steps ---- */

static enum step step_connect(struct session *s, struct filter *f, const struct mail *m, enum outcome *outcome)
{
    const bool six = strchr(m->address, ':') != NULL;
    const uint16_t port = htons(50000);
    char client[600], address[80];
    snprintf(client, sizeof client, "%s [%s%s]", m->client, six ? "IPv6:" : "", m->address);
    snprintf(address, sizeof address, "%s%s", six ? "IPv6:" : "", m->address);
    if (f->protocol & NO_CONNECT)
        return GO_ON;
    const struct macro macros[] = {{"j", "mx.example.org"},
                                   {"{daemon_name}", "mx.example.org"},
                                   {"{daemon_addr}", "203.0.113.1"},
                                   {"{daemon_port}", "25"},
                                   {"v", "Postfix 3.7.11"},
                                   {"{client_addr}", m->address},
                                   {"{client_port}", "50000"},
                                   {"_", client},
                                   {0}};
    put_macros(f, AT_CONNECT, 'C', macros);
    size_t at = begin_packet(f, 'C');
    put_text(&f->out, m->client);
    octets_put(&f->out, six ? "6" : "4", 1);
    octets_put(&f->out, &port, sizeof port);
    put_text(&f->out, address);
    end_packet(f, at);
    return answer_unless(s, f, SILENT_CONNECT, outcome);
}

/* A step whose command has one text, with the macros before it. */
static enum step step_text(struct session *s, struct filter *f, enum stage stage, const struct macro *macros,
                           char letter, const char *text, uint32_t silent, enum outcome *outcome)
{
    put_macros(f, stage, letter, macros);
    size_t at = begin_packet(f, letter);
    put_text(&f->out, text);
    end_packet(f, at);
    return answer_unless(s, f, silent, outcome);
}

static enum step step_helo(struct session *s, struct filter *f, const struct mail *m, enum outcome *outcome)
{
    static const struct macro none[] = {
        {"{tls_version}", "TLSv1.3"}, {"{cipher}", "TLS_AES_256_GCM_SHA384"}, {"{cipher_bits}", "256"}, {0}};
    return f->protocol & NO_HELO ? GO_ON : step_text(s, f, AT_HELO, none, 'H', m->helo, SILENT_HELO, outcome);
}

static enum step step_mail(struct session *s, struct filter *f, const struct mail *m, enum outcome *outcome)
{
    char path[700];
    const char *host = strrchr(m->from, '@');
    const struct macro macros[] = {{"{mail_addr}", m->from},
                                   {"{mail_host}", host ? host + 1 : NULL},
                                   {"{mail_mailer}", "smtp"},
                                   {"{tls_version}", "TLSv1.3"},
                                   {"{cipher}", "TLS_AES_256_GCM_SHA384"},
                                   {"{cipher_bits}", "256"},
                                   {0}};
    snprintf(path, sizeof path, "<%s>", m->from);
    return f->protocol & NO_MAIL ? GO_ON : step_text(s, f, AT_MAIL, macros, 'M', path, SILENT_MAIL, outcome);
}

static enum step step_rcpt(struct session *s, struct filter *f, const struct mail *m, const char *id,
                           enum outcome *outcome)
{
    char path[700];
    const char *host = strrchr(m->rcpt, '@');
    const struct macro macros[] = {
        {"i", id}, {"{rcpt_addr}", m->rcpt}, {"{rcpt_host}", host ? host + 1 : NULL}, {"{rcpt_mailer}", "local"}, {0}};
    snprintf(path, sizeof path, "<%s>", m->rcpt);
    return f->protocol & NO_RCPT ? GO_ON : step_text(s, f, AT_RCPT, macros, 'R', path, SILENT_RCPT, outcome);
}

static enum step step_data(struct session *s, struct filter *f, const char *id, enum outcome *outcome)
{
    const struct macro macros[] = {{"i", id}, {0}};
    if (f->protocol & NO_DATA)
        return GO_ON;
    put_macros(f, AT_DATA, 'T', macros);
    end_packet(f, begin_packet(f, 'T'));
    return answer_unless(s, f, SILENT_DATA, outcome);
}

static enum step step_header(struct session *s, struct filter *f, const char *id, enum outcome *outcome)
{
    const struct macro macros[] = {{"i", id}, {0}};
    enum step step = GO_ON;
    for (size_t i = 0; !(f->protocol & NO_HEADERS) && i < s->field_count && step == GO_ON && !f->done; i++) {
        const char *value = s->fields[i].value;
        size_t at = begin_packet(f, 'L');
        put_text(&f->out, s->fields[i].name);
        put_text(&f->out, value + (!(f->protocol & LEADING_BLANK) && *value == ' '));
        end_packet(f, at);
        step = answer_unless(s, f, SILENT_HEADER, outcome);
    }
    if (step != GO_ON || f->done || (f->protocol & NO_HEADER_END))
        return step;
    put_macros(f, AT_HEADER_END, 'N', macros);
    end_packet(f, begin_packet(f, 'N'));
    return answer_unless(s, f, SILENT_HEADER_END, outcome);
}

static enum step step_body(struct session *s, struct filter *f, const struct mail *m, enum outcome *outcome)
{
    char letter, *data;
    size_t size;
    for (size_t at = 0; !(f->protocol & NO_BODY) && at < m->body_size && !f->done; at += CHUNK) {
        size_t packet = begin_packet(f, 'B');
        octets_put(&f->out, m->body + at, m->body_size - at < CHUNK ? m->body_size - at : CHUNK);
        end_packet(f, packet);
        if (f->protocol & SILENT_BODY) {
            if (!send_out(s, f))
                return LOST;
            continue;
        }
        if (!next_packet(s, f, &letter, &data, &size))
            return LOST;
        if (letter == 's')
            break;
        f->done = letter == 'a';
        if (letter == 'c' || letter == 'a')
            continue;
        f->in_at -= 5 + size; /* a refusal: read again as the answer to a step */
        return session_answer(s, f, outcome);
    }
    return GO_ON;
}

static enum step step_content(struct session *s, struct filter *f, const struct mail *m, const char *id,
                              enum outcome *outcome)
{
    const struct macro macros[] = {{"i", id}, {0}};
    enum step step = step_header(s, f, id, outcome);
    if (step == GO_ON && !f->done)
        step = step_body(s, f, m, outcome);
    if (step != GO_ON || f->done)
        return step;
    put_macros(f, AT_END, 'E', macros);
    end_packet(f, begin_packet(f, 'E'));
    return session_answer(s, f, outcome);
}

void session_close(struct session *s)
{
    for (size_t i = 0; i < s->filter_count; i++) {
        struct filter *f = &s->filter[i];
        if (f->fd >= 0) {
            end_packet(f, begin_packet(f, 'Q'));
            (void)send_out(s, f);
            close(f->fd);
        }
        f->fd = -1;
        f->out.n = f->in.n = f->in_at = 0;
    }
    for (size_t i = 0; i < s->owned_count; i++)
        free(s->owned[i]);
    s->owned_count = 0;
}

static enum step open_all(struct session *s, const struct mail *m, enum outcome *outcome)
{
    enum step step = GO_ON;
    for (size_t i = 0; i < s->filter_count; i++)
        s->filter[i].fd = -1;
    for (size_t i = 0; i < s->filter_count; i++) {
        s->filter[i].done = false;
        if (!dial(s, &s->filter[i], s->addresses[i]) || !negotiate(s, &s->filter[i]))
            return LOST;
    }
    for (size_t i = 0; i < s->filter_count && step == GO_ON; i++)
        step = step_connect(s, &s->filter[i], m, outcome);
    for (size_t i = 0; i < s->filter_count && step == GO_ON; i++)
        if (!s->filter[i].done)
            step = step_helo(s, &s->filter[i], m, outcome);
    return step;
}

static void take_fields(struct session *s, const struct mail *m)
{
    if (s->field_room < m->field_count)
        s->fields = need(s->fields, (s->field_room = m->field_count + 64) * sizeof *s->fields);
    memcpy(s->fields, m->fields, m->field_count * sizeof *s->fields);
    s->field_count = m->field_count;
    s->inserted = 0;
}

enum outcome session_mail(struct session *s, const struct mail *m)
{
    enum outcome outcome = PASSED;
    char id[24];
    s->reply[0] = s->error[0] = '\0';
    take_fields(s, m);
    snprintf(id, sizeof id, "4B%08XZ", s->serial++);
    enum step step = open_all(s, m, &outcome);
    for (size_t i = 0; i < s->filter_count && step == GO_ON; i++)
        if (!s->filter[i].done)
            step = step_mail(s, &s->filter[i], m, &outcome);
    for (size_t i = 0; i < s->filter_count && step == GO_ON; i++)
        if (!s->filter[i].done)
            step = step_rcpt(s, &s->filter[i], m, id, &outcome);
    for (size_t i = 0; i < s->filter_count && step == GO_ON; i++)
        if (!s->filter[i].done)
            step = step_data(s, &s->filter[i], id, &outcome);
    for (size_t i = 0; i < s->filter_count && step == GO_ON; i++)
        if (!s->filter[i].done)
            step = step_content(s, &s->filter[i], m, id, &outcome);
    return step == LOST ? BROKEN : outcome;
}

bool session_open_only(struct session *s, const struct mail *m, bool with_body)
{
    enum outcome outcome = PASSED;
    take_fields(s, m);
    enum step step = open_all(s, m, &outcome);
    for (size_t i = 0; with_body && i < s->filter_count && step == GO_ON; i++) {
        struct filter *f = &s->filter[i];
        step = step_mail(s, f, m, &outcome);
        step = step == GO_ON ? step_rcpt(s, f, m, "4BHOLD", &outcome) : step;
        step = step == GO_ON ? step_data(s, f, "4BHOLD", &outcome) : step;
        step = step == GO_ON ? step_header(s, f, "4BHOLD", &outcome) : step;
        step = step == GO_ON ? step_body(s, f, m, &outcome) : step;
        if (step == GO_ON && !send_out(s, f))
            step = LOST;
    }
    return step == GO_ON;
}
