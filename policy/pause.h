// SPDX-License-Identifier: BSD-2-Clause
/*
 * pause.h - the emergency stop: turns enforcement off for a time, with a reason; it ends by itself.
 *
 * A pause is a small file in the programs' state folder, "pause", written by `assay pause` and read by assay-milter and
 * the resolver's module: until 2026-11-21T01:19:25Z by root because the new policy refuses our own invoices While it
 * lasts, everything is judged, stamped and recorded, and nothing is acted on. It ends at its time by itself, at most
 * PAUSE_MAX_SECONDS after it was created. A file that is not ours, or that others can write, is not a pause:
 * enforcement continues.
 *
 * Threads: any; each call reads the file (one open() if there is none).
 */
#ifndef ASSAY_POLICY_PAUSE_H
#define ASSAY_POLICY_PAUSE_H

#include "base/status.h"
#include <time.h>

#define PAUSE_MAX_SECONDS (72 * 3600) /* a weekend, from Friday afternoon to Monday morning, and some hours */
#define PAUSE_MAX_TEXT "72h"          /* the same, for people */
#define PAUSE_TEXT_MAX 200            /* octets of a reason or a name */

struct pause {
    time_t until;
    char by[PAUSE_TEXT_MAX + 1];
    char because[PAUSE_TEXT_MAX + 1];
};

/* STATUS_OK: a pause is on, as of now. STATUS_MISSING: none is. STATUS_INVALID: the file is not one of ours;
 * STATUS_DENIED: it cannot be read, or others may write it. Anything but STATUS_OK means: enforce. */
enum status pause_read(const char *state_dir, time_t now, struct pause *out) MUST_CHECK;

/* Writes it, whole or not at all. STATUS_INVALID: a text is empty, too long or holds a line end; STATUS_LIMIT: longer
 * than PAUSE_MAX_SECONDS. */
enum status pause_write(const char *state_dir, time_t now, const struct pause *p) MUST_CHECK;

/* Ends a pause. STATUS_MISSING: there was none. */
enum status pause_end(const char *state_dir) MUST_CHECK;

#endif
