// SPDX-License-Identifier: BSD-2-Clause
/*
 * chain.c - finds a module-config in which answers would bypass this module.
 *
 * Promises: pure; words are compared in full; the proposed order has each module once. A module that is not in the
 * table stays before the module that it stood before. Limit: for a module-config of more than CHAIN_WORDS words no
 * order is proposed.
 */
#include "resolver-module/chain.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* dns64 asks for an A record, which is judged as a question of its own; answers of respip and subnetcache are judged
 * each time; cachedb keeps what the iterator fetched. */
static const char *const order[] = {"dns64", "dynlib", "respip", "subnetcache", "validator", "cachedb", "iterator"};
enum { DNS64, US, RESPIP, SUBNETCACHE, VALIDATOR, CACHEDB, ITERATOR, PLACES };

struct words {
    size_t count, length[CHAIN_WORDS];
    const char *at[CHAIN_WORDS];
    int place[CHAIN_WORDS]; /* index in the table; PLACES if it is not there */
    bool whole;             /* these are all */
};

static void words_split(const char *modules, struct words *w)
{
    w->count = 0;
    for (const char *at = modules + strspn(modules, " \t"); *at && w->count < CHAIN_WORDS; at += strspn(at, " \t")) {
        size_t n = strcspn(at, " \t"), i = w->count++;
        w->at[i] = at;
        w->length[i] = n;
        w->place[i] = 0;
        while (w->place[i] < PLACES && (strlen(order[w->place[i]]) != n || memcmp(order[w->place[i]], at, n) != 0))
            w->place[i]++;
        at += n;
        w->whole = !at[strspn(at, " \t")];
    }
}

/* The index of the word that has this place; `count` if there is none. */
static size_t where(const struct words *w, int place)
{
    size_t i = 0;
    while (i < w->count && w->place[i] != place)
        i++;
    return i;
}

static void word_add(struct chain *c, const struct words *w, size_t i)
{
    size_t n = strlen(c->right);
    snprintf(c->right + n, sizeof c->right - n, "%s%.*s", n ? " " : "", (int)w->length[i], w->at[i]);
}

static void propose(struct chain *c, const struct words *w)
{
    size_t chars = 0;
    for (size_t i = 0; i < w->count; i++)
        chars += w->length[i] + 1;
    if (!w->whole || chars > sizeof c->right || where(w, VALIDATOR) == w->count || where(w, ITERATOR) == w->count)
        return;
    for (int place = 0; place < PLACES; place++) {
        size_t i = where(w, place), first = i;
        if (i == w->count)
            continue;
        while (first > 0 && w->place[first - 1] == PLACES)
            first--;
        for (; first <= i; first++)
            word_add(c, w, first);
    }
}

void chain_look(const char *modules, struct chain *out)
{
    struct words w = {.whole = true};
    words_split(modules, &w);
    size_t us = where(&w, US), dns64 = where(&w, DNS64), none = w.count;
    *out = (struct chain){.fault = CHAIN_GOOD};
    size_t validator = where(&w, VALIDATOR);
    if (validator == none || (us != none && validator < us)) {
        out->fault = CHAIN_NO_VALIDATOR;
    } else if (us != none && dns64 != none && dns64 > us) {
        out->fault = CHAIN_DNS64_BEHIND;
        out->module = order[DNS64];
    } else if (us != none && (where(&w, SUBNETCACHE) < us || where(&w, CACHEDB) < us)) {
        out->fault = CHAIN_CACHE_BEFORE;
        out->module = order[where(&w, SUBNETCACHE) < us ? SUBNETCACHE : CACHEDB];
    }
    if (out->fault != CHAIN_GOOD)
        propose(out, &w);
}

void chain_say(const struct chain *c, const char *modules, char *out, unsigned size)
{
    const char *right = c->right[0] ? c->right : "dynlib validator iterator";
    switch (c->fault) {
    case CHAIN_NO_VALIDATOR:
        snprintf(out, size,
                 "module-config \"%s\": nothing is validated before this module sees it, so required names would be "
                 "refused once and then served from the cache; write \"%s\"",
                 modules, right);
        break;
    case CHAIN_DNS64_BEHIND:
        snprintf(out, size,
                 "module-config \"%s\": dns64 must stand before dynlib, else its look-ups are stored before they are "
                 "judged; write \"%s\"",
                 modules, right);
        break;
    case CHAIN_CACHE_BEFORE:
        snprintf(out, size,
                 "module-config \"%s\": %s must stand after dynlib, else it answers before this module sees the "
                 "question; write \"%s\"",
                 modules, c->module, right);
        break;
    case CHAIN_GOOD:
        out[0] = '\0';
    }
}
