// SPDX-License-Identifier: BSD-2-Clause
/*
 * forged.h - notes the header fields of a message that could be taken for ours (RFC 8601 5), also those beyond the
 * limits of the list of fields. Each must be removed, in dry-run too.
 *
 * Noted are Assay-Verdict, and Authentication-Results under our name; also a field that hides one of them behind a CR
 * or LF alone, at which some readers begin a new line. Only name and number of each field are kept. Beyond FORGED_MAX
 * the message must be refused: an MTA takes seconds to remove that many.
 */
#ifndef ASSAY_JUDGE_FORGED_H
#define ASSAY_JUDGE_FORGED_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

struct header_field;
struct header_list;

#define FORGED_MAX 10000

struct forged_field {
    const char *name;
    uint32_t index;   /* from 1 among the fields of its name, as smfi_chgheader counts */
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

/* Looks at the next field of the message. `kept` is what the list of fields has of it, or NULL; `over_limit`: that list
 * is not whole. STATUS_NOMEM. */
enum status forged_note(struct forged_list *list, struct arena *a, const char *authserv_id, struct slice name,
                        struct slice value, const struct header_field *kept, bool over_limit) MUST_CHECK;

#endif
