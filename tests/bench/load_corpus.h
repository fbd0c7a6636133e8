// SPDX-License-Identifier: BSD-2-Clause
/*
 * load_corpus.h - the mails that a bench sends, read into memory once: fields as an MTA hands them to a filter, body
 * with CRLF.
 *
 * MANIFEST has a line a mail, eight columns with tabs between: id, client address, client name, HELO, MAIL FROM
 * (without <>; "-": the null sender), RCPT TO, the message's file (a relative path: beside the manifest), what is
 * expected (not read here). Everything lives until the program ends. An error ends the program (exit code 2) with its
 * file and line.
 */
#ifndef ASSAY_TESTS_BENCH_LOAD_CORPUS_H
#define ASSAY_TESTS_BENCH_LOAD_CORPUS_H

#include <stddef.h>

struct field {
    const char *name;
    const char *value; /* with its leading blank; folds as LF and white space, as Postfix sends them */
};

struct mail {
    const char *id, *address, *client, *helo, *from, *rcpt;
    struct field *fields;
    size_t field_count;
    const char *body;
    size_t body_size, size; /* octets of the body; of the whole message */
    const char *text;       /* the message as the file has it */
    size_t head_size;       /* octets of its header with the empty line */
};

struct corpus {
    struct mail *mails;
    size_t count;
};

struct corpus corpus_read(const char *manifest);

/* Ends the program: exit code 2. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* malloc and realloc that end the program where there is no memory. */
void *need(void *old, size_t octets);

#endif
