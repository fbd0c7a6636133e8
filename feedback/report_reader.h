// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_reader.h - reads files with reports of others in a process of its own, with limits.
 *
 * Every octet of such a file is hostile, and the parsers of mail, archives, XML and JSON are large. So each file is
 * read by a child process that has no store, no more than REPORT_READER_MEMORY, and REPORT_READER_SECONDS; what it
 * finds comes back as messages (report_message.h) whose values are checked again. A child that dies costs that file
 * alone.
 *
 * The children are forked from a helper process, which is started before the caller has taken much memory: start it
 * early, before the store is opened.
 *
 * Threads: one at a time; the caller must be a process of one thread when it starts the reader.
 */
#ifndef ASSAY_FEEDBACK_REPORT_READER_H
#define ASSAY_FEEDBACK_REPORT_READER_H

#include "feedback/report_in.h"

/* Octets of its own, besides what any process of the program has. */
#define REPORT_READER_MEMORY ((size_t)32 << 20)
#define REPORT_READER_SECONDS 20             /* of processor time */
#define REPORT_READER_WALL 60                /* seconds in all, but for those that it waits for the caller */
#define REPORT_READER_HEAD ((size_t)4 << 20) /* of a mail: what is looked at for Authentication-Results */

struct report_reader;

/* NULL: no memory, or no process. */
struct report_reader *report_reader_start(void);
struct report_reader *report_reader_end(struct report_reader *r); /* NULL is allowed; returns NULL */

/* What is found in a file. head: a report begins; all that it points to is good until end. proof and sender are of the
 * mail (REPORT_IN_UNKNOWN, NULL: it was not asked for). row: row->about is below r->domain_count. end: whole is false
 * if the child died before all of the report had come: nothing of it is to be kept. unread and
 * bounced: as in struct report_in_walker; none may be NULL. */
struct report_reader_to {
    void (*head)(void *context, const char *where, const struct report_in *r);
    void (*row)(void *context, const struct report_in_row *row);
    void (*end)(void *context, bool whole);
    void (*unread)(void *context, const char *where, const char *why, enum status status);
    void (*bounced)(void *context, const char *where, const char *recipient, const char *code, const char *id);
    void *context;
};

/* Reads one file to its end. name: what to call it. authserv_id: it is a mail, whose Authentication-Results of this
 * name are looked at; NULL: they are not. */
void report_reader_read(struct report_reader *r, int fd, const char *name, const char *authserv_id,
                        const struct report_reader_to *to);

#endif
