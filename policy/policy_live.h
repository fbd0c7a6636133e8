// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_live.h - the policy of a running daemon: the last good one, its snapshot, and its reload.
 *
 * A daemon holds a struct policy_live: the file's path, the place of the snapshot, and the policy in force. A load that
 * succeeds becomes the policy in force at once and is kept as the snapshot (all texts in one file, written atomically).
 * A load that fails leaves the old policy in force; at start the snapshot is used. A policy that looks like an accident
 * (policy/guard.h: a list that lost more than 30% of its names, fewer than half of the statements, no `set mode` while
 * the policy in force enforces) is kept out in the same way, against the policy in force or at start against the
 * snapshot, until it is accepted (policy_accept) or forced. A written `set mode dry-run` is obeyed at once. Errors in
 * files included with `may tighten` are reported and do not fail the load: one customer's mistake does not block
 * everybody's policy; such a file stays in force as it was before, or, if it is new, is left out. The report then also
 * says what is used instead. If there is neither policy nor snapshot, statements `suspend validation` that are wrong
 * are left out, and the report says so: without them nothing is loosened.
 *
 * Threads: policy_live_get from any thread, without waiting for a reload; reload from one thread at a time.
 */
#ifndef ASSAY_POLICY_POLICY_LIVE_H
#define ASSAY_POLICY_POLICY_LIVE_H

#include "policy/policy.h"

struct policy_live;

enum policy_source { POLICY_FROM_FILE, POLICY_FROM_SNAPSHOT, POLICY_KEPT };

/* snapshot_path may be NULL: none is kept. NULL: neither file nor snapshot could be read; the caller refuses to start
 * (EX_CONFIG). */
struct policy_live *policy_live_open(const char *path, const char *snapshot_path, struct policy_report *report,
                                     enum policy_source *source);
const struct policy *policy_live_get(struct policy_live *l); /* a reference: policy_unref it */
enum status policy_live_reload(struct policy_live *l, bool force, struct policy_report *report,
                               enum policy_source *source) MUST_CHECK;
struct policy_live *policy_live_close(struct policy_live *l);

/* A file that is still being written is not read yet. policy_live_settled: whether `path` was left alone for
 * POLICY_SETTLE_MS; one stat call. policy_live_settle waits for that, at most POLICY_SETTLE_MAX_MS; a file that does
 * not load, or that says less than the policy of the snapshot (NULL: none), must have been left alone for
 * POLICY_SETTLE_DOUBT_MS. To be called before policy_live_open and policy_live_reload by programs whose thread may
 * wait. */
#define POLICY_SETTLE_MS 1000
#define POLICY_SETTLE_DOUBT_MS 3000
#define POLICY_SETTLE_MAX_MS 10000
bool policy_live_settled(const char *path);
void policy_live_settle(const char *path, const char *snapshot_path);

/* The policy as a program that keeps this snapshot would read it now: a customer's file with errors stays as it was in
 * the snapshot, or is left out. NULL: errors, which the report (may be NULL) has. */
struct policy *policy_load_as_kept(const char *path, const char *snapshot_path, struct policy_report *report);

/* Tells whether a program that keeps this snapshot would take the policy file as it stands now. Changes nothing; the
 * report says why not. */
bool policy_live_takes(const char *path, const char *snapshot_path, struct policy_report *report);

/* The same of a policy that was read from there already. If the snapshot holds that very policy, it is not read. */
bool policy_live_takes_read(const struct policy *p, const char *path, const char *snapshot_path,
                            struct policy_report *report);

/* The policy that a snapshot holds, as it was read from `path`; policy_unref it. NULL: there is none (snapshot_path
 * NULL too), or it cannot be used: then the report, which may be NULL, says why. */
const struct policy *policy_load_snapshot(const char *path, const char *snapshot_path, struct policy_report *report);

/* The hash of the policy in a snapshot, and when it was loaded. If its program still runs, that is the policy it runs
 * with. STATUS_MISSING, STATUS_DENIED, STATUS_INVALID (damaged), ... */
enum status policy_snapshot_says(const char *path, char hash[9], time_t *loaded) MUST_CHECK;

/* Tells the program that owns this snapshot that this very policy may be taken, though it looks like an accident: lists
 * that lost many names, fewer than half of the statements, no `set mode` while the policy in force enforces. It holds
 * until the policy changes again. reason: what went wrong. */
enum status policy_accept(const struct policy *p, const char *snapshot_path, char reason[256]) MUST_CHECK;

/* Tells whether any file, list or folder that the last reading looked at looks other than it did then, whether that
 * reading came to a policy or failed (what only the failed policy names, and the acceptance of one that was kept out,
 * count too): a few stat calls, for programs that watch by themselves. From the thread that reloads. */
bool policy_live_changed(struct policy_live *l);

#endif
