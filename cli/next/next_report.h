// SPDX-License-Identifier: BSD-2-Clause
/*
 * next_report.h - the next steps of a policy, for a report.
 */
#ifndef ASSAY_CLI_NEXT_NEXT_REPORT_H
#define ASSAY_CLI_NEXT_NEXT_REPORT_H

#include "base/arena.h"
#include "ledger/store.h"
#include "report/decision.h"
#include <stddef.h>

/* Finds the steps of the policy file at `path`, weighs them by the newest mail, and gives at most `most` of them, those
 * that can be taken today first. Texts are in the arena. STATUS_OK and none where the policy is no file of its own;
 * else as store_ask(). */
enum status next_decisions(struct arena *a, const char *path, struct store *s, struct report_decision *out, size_t most,
                           size_t *count) MUST_CHECK;

#endif
