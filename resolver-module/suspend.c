// SPDX-License-Identifier: BSD-2-Clause
/*
 * suspend.c - remembers which suspensions of validation have ended by themselves.
 *
 * Promises: a suspension is identified by its statement's canonical text (a new date makes it another one); what ended
 * stays ended over restarts, by a file of hashes, one a line, which is replaced as a whole; if the file cannot be read
 * or written only this knowledge is lost, never an answer. No lock is held while a file is used. RFC 7646 2 and 3.
 */
#include "resolver-module/suspend.h"
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAY_MS (60 * 60 * 1000)
#define LINE 17 /* octets of a line: 16 digits and the newline */

struct followed {
    uint64_t id;
    int64_t secure_since_ms; /* 0: the last answer was bogus, or there was none */
    uint64_t secure[SUSPEND_ANSWERS];
    unsigned secure_count; /* different questions answered with secure data since then */
    bool fetched;
    bool ended;
    int64_t said_ms; /* that it is in force again; 0: never */
};

struct suspend {
    atomic_uint users;
    char *path, *fresh;
    pthread_mutex_t lock;
    struct followed all[SUSPEND_MAX];
    unsigned count;
    bool read, changed;
};

static uint64_t id_of(const struct policy_statement *st)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (const char *c = st->text ? st->text : ""; *c; c++)
        h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    return h;
}

static struct followed *followed_find(struct suspend *s, uint64_t id, bool make)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->all[i].id == id)
            return &s->all[i];
    if (!make || s->count == SUSPEND_MAX)
        return NULL;
    s->all[s->count] = (struct followed){.id = id};
    return &s->all[s->count++];
}

struct suspend *suspend_new(const char *path)
{
    struct suspend *s = calloc(1, sizeof *s);
    size_t n = strlen(path);
    if (!s)
        return NULL;
    atomic_store(&s->users, 1);
    pthread_mutex_init(&s->lock, NULL);
    s->path = strdup(path);
    s->fresh = malloc(n + sizeof ".new");
    if (s->path && s->fresh) {
        snprintf(s->fresh, n + sizeof ".new", "%s.new", path);
        return s;
    }
    suspend_release(s);
    return NULL;
}

struct suspend *suspend_hold(struct suspend *s)
{
    atomic_fetch_add(&s->users, 1);
    return s;
}

void suspend_release(struct suspend *s)
{
    if (!s || atomic_fetch_sub(&s->users, 1) != 1)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s->path);
    free(s->fresh);
    free(s);
}

/* ---- the file ---- */

static bool is_file(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static size_t read_file(const struct suspend *s, char *text, size_t size)
{
    int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return 0;
    ssize_t n = is_file(fd) ? read(fd, text, size) : -1;
    (void)close(fd);
    return n > 0 ? (size_t)n : 0;
}

static void take_in(struct suspend *s, const char *text, size_t size)
{
    for (size_t at = 0; at + LINE <= size; at += LINE) {
        char *end, line[LINE];
        memcpy(line, text + at, LINE);
        if (line[LINE - 1] != '\n')
            return;
        line[LINE - 1] = '\0';
        uint64_t id = strtoull(line, &end, 16);
        struct followed *e = end == line + LINE - 1 ? followed_find(s, id, true) : NULL;
        if (e)
            e->ended = true;
    }
}

static bool write_file(const struct suspend *s, const char *text, size_t size)
{
    int fd = open(s->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0644);
    if (fd < 0)
        return false;
    bool ok = is_file(fd) && write(fd, text, size) == (ssize_t)size;
    if (close(fd) != 0)
        ok = false;
    return ok && rename(s->fresh, s->path) == 0;
}

void suspend_keep(struct suspend *s)
{
    char text[SUSPEND_MAX * LINE + 1];
    size_t size = 0;
    if (!s->read) {
        size = read_file(s, text, SUSPEND_MAX * LINE);
        pthread_mutex_lock(&s->lock);
        take_in(s, text, size);
        s->read = true;
        pthread_mutex_unlock(&s->lock);
        size = 0;
    }
    pthread_mutex_lock(&s->lock);
    bool changed = s->changed;
    s->changed = false;
    for (unsigned i = 0; changed && i < s->count; i++)
        if (s->all[i].ended)
            size += (size_t)snprintf(text + size, sizeof text - size, "%016" PRIx64 "\n", s->all[i].id);
    pthread_mutex_unlock(&s->lock);
    if (changed)
        (void)write_file(s, text, size);
}

/* ---- what is seen ---- */

static void begin_again(struct followed *e)
{
    e->secure_since_ms = 0;
    e->secure_count = 0;
    e->fetched = false;
}

static void followed_count(struct followed *e, const struct suspend_answer *a)
{
    e->fetched |= a->fetched;
    for (unsigned i = 0; i < e->secure_count; i++)
        if (e->secure[i] == a->question)
            return;
    if (e->secure_count < SUSPEND_ANSWERS)
        e->secure[e->secure_count++] = a->question;
}

static enum suspend_change followed_note(struct followed *e, const struct suspend_answer *a, int64_t now_ms,
                                         int64_t settle_ms, bool *say)
{
    if (!a->secure) {
        bool again = e->ended;
        begin_again(e);
        e->ended = false;
        if (!again)
            return SUSPEND_SAME;
        *say = e->said_ms == 0 || now_ms - e->said_ms >= SAY_MS;
        if (*say)
            e->said_ms = now_ms;
        return SUSPEND_AGAIN;
    }
    if (e->ended)
        return SUSPEND_SAME;
    if (e->secure_since_ms == 0)
        e->secure_since_ms = now_ms;
    followed_count(e, a);
    if (now_ms - e->secure_since_ms < settle_ms || e->secure_count < SUSPEND_ANSWERS || !e->fetched)
        return SUSPEND_SAME;
    e->ended = true;
    return SUSPEND_ENDED;
}

enum suspend_change suspend_note(struct suspend *s, const struct policy_statement *st, const struct suspend_answer *a,
                                 int64_t now_ms, int64_t settle_ms, bool *say)
{
    enum suspend_change change = SUSPEND_SAME;
    *say = false;
    pthread_mutex_lock(&s->lock);
    struct followed *e = followed_find(s, id_of(st), true);
    if (e)
        change = followed_note(e, a, now_ms, settle_ms, say);
    s->changed |= change != SUSPEND_SAME;
    pthread_mutex_unlock(&s->lock);
    return change;
}

bool suspend_ended(const void *arg, const struct policy_statement *st)
{
    struct suspend *s = (struct suspend *)(uintptr_t)arg;
    pthread_mutex_lock(&s->lock);
    const struct followed *e = followed_find(s, id_of(st), false);
    bool ended = e && e->ended;
    pthread_mutex_unlock(&s->lock);
    return ended;
}
