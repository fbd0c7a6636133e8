// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish_history.h - of whom each total was that a page for the world ever showed, on any page, by any policy.
 *
 * The ledger keeps them (ledger/published.h); a member is kept as the first 64 bits of its name's SHA-256, and whether
 * it met all. The newest PUBLISH_HISTORY_MOST count, and of them as many as have PUBLISH_HISTORY_MEMBERS members
 * together: what was shown before these is not compared with.
 */
#ifndef ASSAY_REPORT_PUBLISH_HISTORY_H
#define ASSAY_REPORT_PUBLISH_HISTORY_H

#include "base/arena.h"
#include "base/slice.h"
#include "ledger/store.h"
#include "report/publish_guard.h"

#define PUBLISH_HISTORY_MOST 256
#define PUBLISH_HISTORY_MEMBERS 4000000

struct publish_shown {
    const char *list; /* PUBLISHED_ALL: all organisations */
    int64_t told, meets;
    struct publish_set set;
};

struct publish_history {
    struct arena *arena;
    struct publish_shown all[PUBLISH_HISTORY_MOST];
    size_t count, members;
    bool failed; /* no memory, or a set that cannot be read */
};

/* The member that stands for an organisation. */
struct publish_member publish_member_of(const char *organisation, bool meets);

/* arena: for all that is read. STATUS_NOMEM, STATUS_INVALID (a set is damaged), or as published_sets_each(). */
enum status publish_history_read(struct publish_history *h, struct arena *a, struct store *s) MUST_CHECK;

/* Whether a set of this list, with these figures, is known. */
bool publish_history_has(const struct publish_history *h, struct slice list, int64_t told, int64_t meets);

/* Keeps who is counted in a total that is shown now. STATUS_NOMEM, or as published_set_put(). */
enum status publish_history_put(struct store *s, int64_t day, const struct publish_shown *shown) MUST_CHECK;

#endif
