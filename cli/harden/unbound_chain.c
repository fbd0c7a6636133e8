// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_chain.c - composes module-config: keeps the host's own modules, and inserts ours in its place.
 *
 * The order is a table (assay-unbound(8)). dns64 before ours, since it asks for an A record that is judged in its turn;
 * ours before respip and subnetcache, whose answers are judged each time; cachedb behind the validator. python stays
 * before the module that it stood before.
 */
#include "cli/harden/unbound_chain.h"
#include "base/slice.h"
#include <string.h>

#define OURS "dynlib"
#define CHAIN_MAX 12

static const char *const order[] = {"dns64", OURS, "respip", "subnetcache", "validator", "cachedb", "iterator"};
#define ORDER (sizeof order / sizeof *order)

static bool list_has(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = list; at && (at = strstr(at, word)) != NULL; at += n)
        if ((at == list || at[-1] == ' ' || at[-1] == '\t') && (!at[n] || strchr(" \t\n", at[n])))
            return true;
    return false;
}

static bool is_known(const char *word)
{
    for (size_t i = 0; i < ORDER; i++)
        if (strcmp(word, order[i]) == 0)
            return true;
    return strcmp(word, "python") == 0;
}

/* What follows python in the chain as it is. */
static const char *behind_python(struct arena *a, const char *now)
{
    const char *at = strstr(now, "python");
    at = at ? at + strlen("python") : "";
    for (;;) {
        at += strspn(at, " \t");
        size_t n = strcspn(at, " \t");
        const char *word = arena_copy(a, at, n);
        if (!word || !n || strcmp(word, OURS) != 0)
            return word ? word : "";
        at += n;
    }
}

const char *unbound_chain(struct arena *a, const char *now, const char *linked, const char **why)
{
    size_t words = 0;
    for (const char *at = now + strspn(now, " \t"); *at; at += strspn(at, " \t")) {
        size_t n = strcspn(at, " \t");
        const char *word = arena_copy(a, at, n);
        at += n;
        if (!word || !is_known(word) || ++words > CHAIN_MAX) {
            *why = arena_printf(a, "module '%s' has no place beside ours that is known", word ? word : "");
            return NULL;
        }
        if (!list_has(linked, word) && strcmp(word, OURS) != 0) {
            *why = arena_printf(a, "module '%s' is not in the Unbound that would run (it has: %s)", word, linked);
            return NULL;
        }
    }
    if (!list_has(now, "validator") || !list_has(now, "iterator")) {
        *why = arena_printf(a, "module-config \"%s\" validates nothing: it has no %s", now,
                            list_has(now, "validator") ? "iterator" : "validator");
        return NULL;
    }
    const char *before = list_has(now, "python") ? behind_python(a, now) : NULL, *out = "";
    for (size_t i = 0; i < ORDER && out; i++) {
        if (strcmp(order[i], OURS) != 0 && !list_has(now, order[i]))
            continue;
        const char *python = before && strcmp(before, order[i]) == 0 ? "python " : "";
        out = arena_printf(a, "%s%s%s%s", out, *out ? " " : "", python, order[i]);
    }
    return out;
}
