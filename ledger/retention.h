// SPDX-License-Identifier: BSD-2-Clause
/*
 * retention.h - the other work of assay-ledger on the store: deleting old data, deleting everything about a subject,
 * and telling the milter which domains sign all their mail.
 *
 * Deleting goes in small steps, each a transaction of its own of at most RETENTION_STEP rows: it needs memory and disk
 * space for one step only, other writers wait for one step only, and completed steps stay when it is interrupted.
 */
#ifndef ASSAY_LEDGER_RETENTION_H
#define ASSAY_LEDGER_RETENTION_H

#include "ledger/store.h"

#define RETENTION_STEP 2000
/* A step that took longer is followed by a smaller one: other writers wait for it. */
#define RETENTION_STEP_MS 60
/* If the disk has no room for a step, the step is made smaller, down to this. */
#define RETENTION_STEP_LEAST 25

struct retention_keep {
    int64_t identity, mails, days; /* seconds; settings ledger.keep-* */
};

/* Hours are kept this long, whatever the settings: they answer "what happened last week". */
#define RETENTION_HOURS_DAYS 62
/* How long at most it is kept which reports were sent and received: destinations have local parts. */
#define RETENTION_REPORTS_DAYS 45

/* Rows of a DMARC report of ours that was left out are kept so long, because it can be asked for by --resend; not if
 * ledger.keep-identity is less than RETENTION_IDENTITY_DAYS, its default. */
#define RETENTION_RESEND_DAYS 31
#define RETENTION_IDENTITY_DAYS 14

/* Who is no stranger is known for so long: a domain's days on which its mail passed, or we wrote to it. */
#define RETENTION_CORRESPONDENT_DAYS 90

/* Deletes what is older, at `now` (retention_clock()), than it may be kept, and gives its space back. *rows: how many
 * rows it changed. stop (may be NULL): looked at between steps; true ends early with STATUS_OK. */
enum status retention_run(struct store *s, const struct retention_keep *keep, int64_t now, bool (*stop)(void),
                          int64_t *rows) MUST_CHECK;

/* Deletes everything about a domain (and below) or an address, whatever its age: by the list in subjects.def. subject:
 * a canonical name or address. *rows: how many rows went; with dry_run: how many would go, and nothing is changed. */
enum status retention_forget(struct store *s, const char *subject, bool dry_run, int64_t *rows) MUST_CHECK;

/* ---- the clock that retention uses ---- */

#define RETENTION_JUMP (3 * INT64_C(86400000000))    /* microseconds: a greater jump is not time that passed */
#define RETENTION_ADVANCE (2 * INT64_C(86400000000)) /* in one run at most */
#define RETENTION_STEADY (7 * INT64_C(86400000000))  /* of consistent time, and a jump is believed */

/* What the clocks say. */
struct retention_time {
    int64_t wall, boot; /* microseconds: since 1970; since the machine started, sleep included (CLOCK_BOOTTIME) */
    int64_t boot_id;    /* another after each start of the machine */
};
struct retention_time retention_time_read(void);

/* The time that retention counts from, so that a clock which jumps ahead deletes nothing: it advances by at most
 * RETENTION_ADVANCE, and 25 hours for each 24 that really passed. After a jump *held is true, with words in why
 * (STORE_ERROR), and nothing may be deleted until RETENTION_STEADY has passed, `believe` is given, or the clock is back
 * within RETENTION_JUMP of the time that was kept. Kept in the store. */
enum status retention_clock(struct store *s, const struct retention_time *t, bool believe, int64_t *now, bool *held,
                            char *why) MUST_CHECK;

/* ---- who signs all its mail ---- */

/* Writes the file of known_signers.h, atomically. why: STORE_ERROR octets. */
enum status retention_write_signers(struct store *s, const char *path, size_t *count, char *why) MUST_CHECK;

#endif
