// SPDX-License-Identifier: BSD-2-Clause
/*
 * mta.h - what a session may ask of its MTA, whichever engine speaks the milter protocol: libmilter (libmilter.c) or
 * our own (wire/). callbacks.c and action.c use nothing else, so both engines run the same code.
 *
 * A struct mta belongs to one callback at a time; what it returns lives until that callback returns. Header fields may
 * be changed and a mail put on hold only at the end of a message; `reply` may be called at each answer that refuses.
 */
#ifndef ASSAY_MILTER_MTA_H
#define ASSAY_MILTER_MTA_H

#include <stdbool.h>
#include <stddef.h>

/* What a callback tells the MTA to do. */
enum mta_answer {
    MTA_CONTINUE,
    MTA_ACCEPT,   /* at connect: nothing of this connection is judged; at the end: the mail is passed on */
    MTA_REJECT,   /* permanent, with the reply that was set */
    MTA_TEMPFAIL, /* temporary, with the reply that was set */
    MTA_DISCARD,
    MTA_SKIP,    /* no more of the body is wanted */
    MTA_PENDING, /* answers from DNS are awaited: the engine calls callbacks_end() again when they have come */
};

struct mta;
struct mta_ops {
    /* The value of a macro, "j" or "{daemon_name}"; NULL if the MTA did not send it. */
    const char *(*macro)(struct mta *mta, const char *name);
    /* The others return false if the MTA does not allow it, or memory ran out. */
    bool (*insert_header)(struct mta *mta, const char *name, const char *value);                 /* above all others */
    bool (*change_header)(struct mta *mta, const char *name, unsigned index, const char *value); /* "": removes it */
    bool (*quarantine)(struct mta *mta, const char *reason);
    /* Sets the reply for MTA_REJECT or MTA_TEMPFAIL; the lines are plain text. */
    bool (*reply)(struct mta *mta, const char *code, const char *enhanced, const char *const *lines, size_t count);
    /* false: the engine waits by itself. true: callbacks_end() may answer MTA_PENDING, and `arrived` of struct mta is
     * called by any thread each time an answer comes. */
    bool can_wait;
};

/* First member of each engine's own struct. */
struct mta {
    const struct mta_ops *ops;
    void (*arrived)(void *context);
    void *context;
};

#endif
