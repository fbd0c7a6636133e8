// SPDX-License-Identifier: BSD-2-Clause
/*
 * standard_text.h - what each standard is for, in plain sentences (standards.def).
 *
 * Numbers below STANDARD_COUNT are those of base/standard.h; the others, up to STANDARD_TEXT_COUNT, are standards that
 * Assay neither judges nor checks. English texts, to be looked up in the catalogues (base/language.h). All are static;
 * any thread.
 */
#ifndef ASSAY_REPORT_STANDARD_TEXT_H
#define ASSAY_REPORT_STANDARD_TEXT_H

#include "base/standard.h"
#include <stddef.h>

struct standard_text {
    const char *title;    /* its name and RFC */
    const char *protects; /* one sentence: from what */
    const char *acts;     /* one sentence: who has to do what */
    const char *cost;     /* one sentence: of money or time */
    const char *here;     /* one sentence: what Assay does about it */
    const char *status, *address;
};

enum {
    STANDARD_TEXT_COUNT = STANDARD_COUNT
// clang-format off
#define STANDARD_TEXT(name, ...)
#define OTHER_STANDARD(word, ...) + 1
#include "report/standards.def"
#undef STANDARD_TEXT
#undef OTHER_STANDARD
    // clang-format on
};

/* NULL beyond STANDARD_COUNT. */
const struct standard_text *standard_text(enum standard s);

/* Of all, the others too. The word is what the command line takes: "spf", "https". NULL beyond the end. */
const struct standard_text *standard_text_at(size_t i);
const char *standard_text_word(size_t i);

#endif
