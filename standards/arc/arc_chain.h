// SPDX-License-Identifier: BSD-2-Clause
/*
 * arc_chain.h - groups the ARC fields of a message into sets, and checks the rules for their structure (RFC 8617 4.2,
 * 5.2 steps 1 to 3).
 *
 * Internal to arc_*. Everything lives in the arena. One thread at a time.
 */
#ifndef ASSAY_STANDARDS_ARC_ARC_CHAIN_H
#define ASSAY_STANDARDS_ARC_ARC_CHAIN_H

#include "standards/arc/arc_check.h"
#include "standards/dkim/dkim_fields.h"
#include "standards/dkim/dkim_sigfield.h"

struct arc_link {
    size_t aar_place, message_place, seal_place; /* in the header list; SIZE_MAX: not there */
    struct slice aar;                            /* after "i=N;" */
    struct dkim_sigfield message;
    struct dkim_sigfield seal;
};

struct arc_chain {
    size_t count;           /* highest instance */
    struct arc_link *links; /* by instance - 1; NULL if there is no field or there are too many */
    const char *defect;     /* NULL: the structure is valid; else what is wrong with it */
    bool readable;          /* every set is complete, so that all may be reported */
};

/* STATUS_NOMEM only. */
enum status arc_chain_read(struct arena *arena, const struct header_list *headers, const struct dkim_fields *index,
                           time_t now, struct arc_chain *out) MUST_CHECK;

#endif
