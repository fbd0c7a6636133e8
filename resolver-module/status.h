// SPDX-License-Identifier: BSD-2-Clause
/*
 * status.h - the module's status as one JSON object, for DIR/status.json. Read by `assay resolver status`; its keys are
 * described in assay-unbound(8).
 */
#ifndef ASSAY_RESOLVER_MODULE_STATUS_H
#define ASSAY_RESOLVER_MODULE_STATUS_H

#include "base/buf.h"
#include "journal/journal.h"
#include "resolver-module/observe.h"

struct status_input {
    struct watch *watch;
    struct zones *zones;
    const char *unbound; /* version, or NULL */
    const char *modules; /* module-config, or NULL */
    int64_t started_us;
    struct worker_queue_counts counts;
    size_t queue_length, queue_capacity;
    bool journal_open;
    struct journal_stats journal;
    const char *journal_error; /* why it is not open, or "" */
};

/* Adds the object to `out`. */
void status_write(const struct status_input *in, struct buf *out);

#endif
