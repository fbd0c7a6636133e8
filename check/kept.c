// SPDX-License-Identifier: BSD-2-Clause
/*
 * kept.c - the store of kept.h: a hash table of texts under one lock, which lives as long as the run.
 *
 * Promises that a thread that waits for another's answer holds no socket, so that the bound of sockets cannot block
 * the run.
 */
#include "check/kept.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

struct entry {
    struct entry *next;
    char *key;
    char *text;  /* NULL while it is asked, and if it failed */
    bool failed; /* memory ran out: whoever comes next asks anew */
};

struct kept {
    pthread_mutex_t lock;
    pthread_cond_t done, socket_left;
    unsigned sockets, most; /* conversations under way */
    struct entry *buckets[BUCKETS];
};

struct kept *kept_new(unsigned sockets)
{
    struct kept *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->most = sockets;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->done, NULL);
    pthread_cond_init(&k->socket_left, NULL);
    return k;
}

struct kept *kept_free(struct kept *k)
{
    if (!k)
        return NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry *e = k->buckets[i], *next; e; e = next) {
            next = e->next;
            free(e->key);
            free(e->text);
            free(e);
        }
    pthread_cond_destroy(&k->done);
    pthread_cond_destroy(&k->socket_left);
    pthread_mutex_destroy(&k->lock);
    free(k);
    return NULL;
}

/* The entry of a key; *mine: nobody has asked yet, and the caller must. NULL: out of memory. */
static struct entry *claim(struct kept *k, const char *key, bool *mine)
{
    size_t hash = 5381;
    for (const char *c = key; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    struct entry **bucket = &k->buckets[hash % BUCKETS], *e = *bucket;
    *mine = false;
    while (e && strcmp(e->key, key) != 0)
        e = e->next;
    if (e)
        return e;
    e = calloc(1, sizeof *e);
    if (e)
        e->key = strdup(key);
    if (!e || !e->key) {
        free(e);
        return NULL;
    }
    e->next = *bucket;
    *mine = true;
    return *bucket = e;
}

/* One conversation, once there is a socket for it. */
static void converse(struct kept *k, kept_ask ask, void *context, struct buf *out)
{
    pthread_mutex_lock(&k->lock);
    while (k->most && k->sockets >= k->most)
        pthread_cond_wait(&k->socket_left, &k->lock);
    k->sockets++;
    pthread_mutex_unlock(&k->lock);
    ask(context, out);
    pthread_mutex_lock(&k->lock);
    k->sockets--;
    pthread_cond_signal(&k->socket_left);
    pthread_mutex_unlock(&k->lock);
}

void kept_get(struct kept *k, const char *key, kept_ask ask, void *context, struct buf *out)
{
    bool mine = true;
    struct entry *e = NULL;
    if (key) {
        pthread_mutex_lock(&k->lock);
        e = claim(k, key, &mine);
        while (e && !mine && !e->text) {
            mine = e->failed;
            e->failed = false;
            if (!mine)
                pthread_cond_wait(&k->done, &k->lock);
        }
        if (e && !mine)
            buf_adds(out, e->text);
        pthread_mutex_unlock(&k->lock);
        if (e && !mine)
            return;
    }
    struct buf said = BUF_INIT;
    converse(k, ask, context, &said);
    buf_addslice(out, buf_slice(&said));
    out->failed = out->failed || said.failed;
    char *text = said.failed || !e ? NULL : strdup(said.p);
    buf_release(&said);
    if (!e)
        return;
    pthread_mutex_lock(&k->lock);
    e->text = text;
    e->failed = !text;
    pthread_cond_broadcast(&k->done);
    pthread_mutex_unlock(&k->lock);
}
