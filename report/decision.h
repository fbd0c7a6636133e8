// SPDX-License-Identifier: BSD-2-Clause
/*
 * decision.h - what a report says is to be decided: filled by whoever knows the policy's next steps.
 */
#ifndef ASSAY_REPORT_DECISION_H
#define ASSAY_REPORT_DECISION_H

#include <stdbool.h>
#include <stdint.h>

/* A step that the policy could take next; from `assay next`. */
struct report_decision {
    const char *id, *title, *line; /* title: in English, to be looked up; {1} in it stands for about */
    const char *about;             /* a domain or a list; or NULL */
    bool ready;                    /* nobody would be hit, and enough was seen */
    bool mode;                     /* enforcing what is only recorded now */
    int64_t mails, senders;        /* that would be treated otherwise */
    int64_t stopped;               /* forged mails that it would stop */
};

#endif
