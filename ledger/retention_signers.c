// SPDX-License-Identifier: BSD-2-Clause
/*
 * retention_signers.c - writes the list of domains that sign all their mail, for the milter.
 *
 * Promises that the file is the complete new one or the old one. On failure the error text names the file.
 */
#include "base/clock.h"
#include "base/array.h"
#include "base/rootfile.h"
#include "journal/known_signers.h"
#include "ledger/retention.h"
#include "ledger/timestamp.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char **at;
    size_t count, room;
};

static enum status add_name(struct names *n, const char *name)
{
    if (n->count == n->room) {
        char **grown = array_grow(n->at, &n->room, 256, sizeof *grown);
        if (!grown)
            return STATUS_NOMEM;
        n->at = grown;
    }
    n->at[n->count] = strdup(name);
    return n->at[n->count] ? (n->count++, STATUS_OK) : STATUS_NOMEM;
}

static enum status write_names(const struct names *n, const char *path, char *why)
{
    const struct rootfile_rights rights = {.mode = 0644, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    struct buf text = BUF_INIT;
    buf_printf(&text, "assay-knowledge 1 %zu\n", n->count);
    for (size_t i = 0; i < n->count; i++)
        buf_printf(&text, "%s\n", n->at[i]);
    errno = ENOMEM;
    enum status s = text.failed ? STATUS_NOMEM : rootfile_write(path, buf_slice(&text), &rights);
    if (s != STATUS_OK)
        snprintf(why, STORE_ERROR, "%s: %s", path, strerror(errno));
    buf_release(&text);
    return s == STATUS_OK ? s : STATUS_AGAIN;
}

enum status retention_write_signers(struct store *s, const char *path, size_t *count, char *why)
{
    struct names names = {0};
    struct store_rows *r =
        store_ask(s,
                  "SELECT domain FROM signer_day WHERE day >= $1 GROUP BY domain HAVING sum(signed) >= $2 AND "
                  "sum(signed) * 100 >= sum(passed) * 99 AND max(day) - min(day) >= $3",
                  "iii", timestamp_day(clock_wall_us()) - KNOWN_SIGNERS_WINDOW_DAYS, (int64_t)KNOWN_SIGNERS_PASSES,
                  (int64_t)KNOWN_SIGNERS_SPAN_DAYS);
    enum status added = STATUS_OK;
    while (added == STATUS_OK && store_next(r))
        added = add_name(&names, store_text(r, 0));
    enum status st = store_done(r);
    st = st == STATUS_OK ? added : st;
    if (st == STATUS_OK) {
        if (names.count)
            qsort(names.at, names.count, sizeof *names.at, by_name);
        st = write_names(&names, path, why);
    } else {
        snprintf(why, STORE_ERROR, "%s", store_error(s));
    }
    *count = names.count;
    for (size_t i = 0; i < names.count; i++)
        free(names.at[i]);
    free(names.at);
    return st;
}
