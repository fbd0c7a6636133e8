// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_walk.h - what the parts of report_in_walk() share: report_unpack.c tells what a text is, report_archive.c
 * goes through zip and tar, report_parts.c through mail.
 *
 * One walk is one thread's.
 */
#ifndef ASSAY_FEEDBACK_REPORT_WALK_H
#define ASSAY_FEEDBACK_REPORT_WALK_H

#include "feedback/report_in.h"
#include "feedback/report_scratch.h"

#define REPORT_UNPACKED REPORT_SCRATCH_INIT(REPORT_IN_TEXT + 65536)

struct report_bounce;

/* One thing looked at, and what to call it. */
struct report_item {
    struct slice in;
    const char *where;
    int depth;
    bool expected; /* its type or name says that it is a report: it must not be skipped in silence */
};

struct report_walk {
    const struct report_in_walker *to;
    void (*look)(struct report_walk *w, struct report_item it); /* at anything */
    size_t unpacked;                                            /* octets, in all */
    unsigned parts, found, unread;
    struct report_bounce *bounce; /* inside of one */
    bool full;                    /* that it has too many parts has been said */
};

/* Tells whether a file's name says that it is a report, plain or packed; a signature is named after what it signs, and
 * so is what macOS keeps beside each file of an archive. */
bool report_walk_is_named(struct slice name);

/* Names what cannot be read. */
void report_walk_unread(struct report_walk *w, const char *where, const char *why);
void report_walk_too_many(struct report_walk *w, const char *where);

/* What was to be unpacked into a scratch file, and was not, by its status. */
void report_walk_not_unpacked(struct report_walk *w, const char *where, enum status st);

/* Inflates. bits: 31 gzip, 15 zlib, -15 raw. *used: octets of `in`. NULL: done, or out->status says what is wrong. */
const char *report_walk_inflate(struct report_walk *w, struct slice in, int bits, struct report_scratch *out,
                                size_t *used);

/* Looks at what was unpacked, or names what is wrong (why), and lets go of it. */
void report_walk_look_at(struct report_walk *w, const char *why, struct report_scratch *out, struct report_item it);

#endif
