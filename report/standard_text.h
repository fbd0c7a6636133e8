// SPDX-License-Identifier: BSD-2-Clause
/*
 * standard_text.h - what each standard is for, in plain sentences (standards.def).
 */
#ifndef ASSAY_REPORT_STANDARD_TEXT_H
#define ASSAY_REPORT_STANDARD_TEXT_H

#include "base/standard.h"

struct standard_text {
    const char *title;    /* its name and RFC */
    const char *protects; /* one sentence: from what */
    const char *acts;     /* one sentence: who has to do what */
    const char *cost;     /* one sentence: of money or time */
    const char *here;     /* one sentence: what Assay does about it */
    const char *status, *address;
};

/* Static; NULL beyond the end. */
const struct standard_text *standard_text(enum standard s);

#endif
