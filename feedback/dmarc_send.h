// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_send.h - handing a mail to the MTA's own command.
 */
#ifndef ASSAY_FEEDBACK_DMARC_SEND_H
#define ASSAY_FEEDBACK_DMARC_SEND_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

#define DMARC_SEND_STOP_MS 2000

/* Runs `command` (words between blanks, no shell) with the mail on its standard input; waits at most `seconds`, then
 * ends it by its id. Once stop (may be NULL) returns true, it gets DMARC_SEND_STOP_MS more at most. STATUS_OK: it took the mail (exit 0); why is "". STATUS_MISSING: it says that there is no such
 * address (EX_NOUSER, EX_NOHOST). STATUS_AGAIN: it did not take it; why (200 octets) has how it ended and the first
 * line it wrote to stderr. STATUS_INVALID: there is no such command. SIGPIPE must be ignored
 * by the caller. */
enum status dmarc_send(const char *command, struct slice mail, unsigned seconds, bool (*stop)(void),
                       char *why) MUST_CHECK;

#endif
