// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish_log.h - which totals the pages for the world show, and what may be shown beside them.
 *
 * The ledger keeps them by page, so that a second folder, period or year is compared with the first. FOLDER.published
 * beside a folder keeps those of its page, and tells that the folder is the world's. One transaction on the ledger goes
 * from publish_log_begin() to publish_log_end().
 */
#ifndef ASSAY_REPORT_PUBLISH_LOG_H
#define ASSAY_REPORT_PUBLISH_LOG_H

#include "base/buf.h"
#include "ledger/store.h"
#include "report/folder.h"
#include "report/publish_history.h"
#include <limits.h>

#define PUBLISH_LEAST 5
#define PUBLISH_PLACE (PATH_MAX + 256)

struct publish_total {
    const char *name; /* of the list; NULL: all organisations */
    int64_t told, meets;
    bool hidden;
};

/* Lines of NAME, a tab, told, a blank, meets. */
struct publish_log {
    struct store *store;
    struct buf here, elsewhere;
    char path[PATH_MAX];       /* of the folder's own log */
    char place[PUBLISH_PLACE]; /* HOST:FOLDER */
};

/* kept: the ledger, opened for writing. After STATUS_OK publish_log_end() must follow. */
enum status publish_log_begin(struct publish_log *log, struct store *kept, const char *dir,
                              char why[FOLDER_WHY]) MUST_CHECK;

/* Hands on each line, this page's first, as long as `each` says so. */
typedef bool publish_log_fn(void *context, struct slice list, int64_t told, int64_t meets);
void publish_log_each(const struct publish_log *log, publish_log_fn *each, void *context);

/* The total becomes the last one of its list that this page shows, or else another page. False: there is none. */
bool publish_log_last(const struct publish_log *log, struct publish_total *t);

/* Where the total differs from one that a page shows by fewer than PUBLISH_LEAST, it becomes that one; this page's own
 * comes before those of others. */
void publish_log_hold(const struct publish_log *log, struct publish_total *t);

/* Whether total i and up to PUBLISH_SUM other totals are such that the largest is nearly the sum of the others, and one
 * of them is of those that a page shows, or showed, of which nobody knows who was counted (publish_history_has()) and
 * whose name none of `all` has. Their difference may tell of a few. False where this page shows the same total already.
 */
#define PUBLISH_SUM 3
bool publish_log_tells(const struct publish_log *log, const struct publish_history *h, const struct publish_total *all,
                       size_t count, size_t i);

/* Keeps what is shown now; of lists that are hidden it keeps what was shown. */
enum status publish_log_keep(struct publish_log *log, const struct publish_total *all, size_t count, int64_t day,
                             char why[FOLDER_WHY]) MUST_CHECK;

/* Commits after STATUS_OK, and undoes otherwise. Returns st, or why it could not be kept. */
enum status publish_log_end(struct publish_log *log, enum status st, char why[FOLDER_WHY]) MUST_CHECK;

#endif
