// SPDX-License-Identifier: BSD-2-Clause
/*
 * why.h - the parts of `assay why`.
 */
#ifndef ASSAY_CLI_LEDGER_WHY_H
#define ASSAY_CLI_LEDGER_WHY_H

#include "cli/ledger/ledger.h"
#include "ledger/record.h"

#define WHY_DOMAINS 50 /* recipients' domains that are shown: as many as a record names */

/* The reference that the reply to the client bore; NULL: the mail was not refused. */
const char *why_reference(const struct record *r);

/* Shows one mail. False, after a message, when stdout took not all. */
bool why_print(const struct record *r);

#endif
