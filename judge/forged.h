// SPDX-License-Identifier: BSD-2-Clause
/*
 * forged.h - notes the header fields of a message that could be taken for ours (RFC 8601 5), also those beyond the
 * limits of the list of fields. Each must be removed, in dry-run too.
 *
 * Noted are Assay-Verdict, and Authentication-Results under our name. Only the number of each field is kept, in 8
 * octets. Beyond FORGED_MAX the message must be refused: an MTA takes seconds to remove that many.
 */
#ifndef ASSAY_JUDGE_FORGED_H
#define ASSAY_JUDGE_FORGED_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

#define FORGED_MAX 10000

struct forged_field {
    uint32_t index;   /* from 1 among the fields of its name, as smfi_chgheader counts */
    bool verdict;     /* Assay-Verdict; else Authentication-Results */
    bool above_trace; /* no Received field is above it: the host that passed the mail on inserted it */
};

struct forged_list {
    struct forged_field *fields; /* in the order of the message */
    size_t count, room;
    uint32_t verdicts, results; /* fields of these names so far, forged or not */
    bool trace;                 /* a Received field has come */
    bool too_many;
};

/* Tells whether a field could be taken for ours, by its name and value alone. */
bool forged_claims_us(struct slice name, struct slice value, const char *authserv_id);

/* Looks at the next field of the message. STATUS_NOMEM. */
enum status forged_note(struct forged_list *list, struct arena *a, const char *authserv_id, struct slice name,
                        struct slice value) MUST_CHECK;

#endif
