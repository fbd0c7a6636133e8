// SPDX-License-Identifier: BSD-2-Clause
/*
 * suspend.c - remembers which suspensions of validation have ended by themselves.
 *
 * Promises: a suspension is identified by its statement's canonical text (a new date makes it another one); what ended
 * stays ended over restarts, by a file of hashes, one a line; a file that cannot be read or written costs only that
 * memory, never an answer. RFC 7646 2 and 3.
 */
#include "resolver-module/suspend.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct followed {
    uint64_t id;
    int64_t secure_since_ms; /* 0: the last word was bogus, or there was none */
    bool ended;
};

struct suspend {
    char *path;
    pthread_mutex_t lock;
    struct followed all[SUSPEND_MAX];
    unsigned count;
};

static uint64_t id_of(const struct policy_statement *st)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (const char *c = st->text ? st->text : ""; *c; c++)
        h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    return h;
}

static struct followed *find(struct suspend *s, uint64_t id, bool make)
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
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    FILE *f = fopen(path, "re");
    char line[64];
    while (f && fgets(line, sizeof line, f)) {
        char *end;
        uint64_t id = strtoull(line, &end, 16);
        struct followed *e = end == line + 16 ? find(s, id, true) : NULL;
        if (e)
            e->ended = true;
    }
    if (f)
        fclose(f);
    return s;
}

struct suspend *suspend_free(struct suspend *s)
{
    if (!s)
        return NULL;
    pthread_mutex_destroy(&s->lock);
    free(s->path);
    free(s);
    return NULL;
}

static void remember(const struct suspend *s, uint64_t id)
{
    FILE *f = fopen(s->path, "ae");
    if (!f)
        return;
    fprintf(f, "%016" PRIx64 "\n", id);
    fclose(f);
}

bool suspend_note(struct suspend *s, const struct policy_statement *st, bool secure, int64_t now_ms, int64_t settle_ms)
{
    bool ends = false;
    pthread_mutex_lock(&s->lock);
    struct followed *e = find(s, id_of(st), true);
    if (e && !e->ended) {
        if (!secure)
            e->secure_since_ms = 0;
        else if (e->secure_since_ms == 0)
            e->secure_since_ms = now_ms;
        else if (now_ms - e->secure_since_ms >= settle_ms)
            ends = e->ended = true;
    }
    pthread_mutex_unlock(&s->lock);
    if (ends)
        remember(s, id_of(st));
    return ends;
}

bool suspend_ended(const void *arg, const struct policy_statement *st)
{
    struct suspend *s = (struct suspend *)(uintptr_t)arg;
    pthread_mutex_lock(&s->lock);
    const struct followed *e = find(s, id_of(st), false);
    bool ended = e && e->ended;
    pthread_mutex_unlock(&s->lock);
    return ended;
}
