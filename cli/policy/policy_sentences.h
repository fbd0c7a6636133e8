// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_sentences.h - what `assay policy read` says of one statement (policy_sentences.c), and how its text is
 * wrapped.
 *
 * Threads: one per reading.
 */
#ifndef ASSAY_CLI_POLICY_POLICY_SENTENCES_H
#define ASSAY_CLI_POLICY_POLICY_SENTENCES_H

#include "base/buf.h"
#include "policy/policy.h"

enum reading_form {
    SAID,   /* as it is */
    ALIKE,  /* without whom and where: two statements that read the same are said as one */
    GROUP,  /* with how many instead of whom, and without where */
    NO_LINE /* without where */
};

struct reading {
    const struct policy *p;
    struct buf out;
    size_t width;
    uint32_t standards; /* that occurred */
    enum reading_form form;
    size_t members; /* of the group */
};

/* The sentences about one statement. */
void sentences_of(struct reading *r, const struct policy_statement *s);

/* ---- their parts ---- */

/* Wraps text at blanks; the first line begins with `first`, the others with as many blanks. */
void sentences_wrap(struct reading *r, const char *first, const char *text);

/* The same of text that may hold anything, which is made visible; gives its memory back. */
void sentences_end(struct reading *r, const char *first, struct buf *text);

void sentences_heading(struct reading *r, const char *text);

/* Appends whom a statement is about, and the line that it stands in. */
void sentences_party(const struct reading *r, const struct policy_party *p, struct buf *out);
void sentences_line(const struct reading *r, const struct policy_statement *s, struct buf *out);

#endif
