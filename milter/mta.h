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

#include "base/slice.h"
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
    MTA_PENDING, /* of `end`, where struct mta has `arrived`: answers from DNS are awaited; call it again then */
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
};

/* First member of each engine's own struct. arrived: called by any thread each time an answer from DNS has come for the
 * message; it may not call back into the session. NULL: the callbacks wait for DNS themselves. */
struct mta {
    const struct mta_ops *ops;
    void (*arrived)(void *context);
    void *context;
    /* The MTA does not wait for the answer to RCPT: a refusal there refuses the whole mail, at the first later step
     * that is answered. */
    bool silent_rcpt;
};

/* The macros that we ask for, by the stage at which the MTA sends them (wire/wire_flags.h). */
struct mta_macros {
    unsigned stage;
    const char *names;
};

struct session;
struct sockaddr;

/* What is done at each step of an SMTP session (callbacks.h): one table for all connections. A session may be NULL
 * where `connect` made none; then the answer is a temporary failure. */
struct mta_callbacks {
    const struct mta_macros *macros;
    size_t macro_stages;
    /* What the MTA offers (actions and steps, wire/wire_flags.h) and what of it we use. false: no mail could be judged
     * over this connection, which is logged. */
    bool (*negotiate)(unsigned long actions, unsigned long steps, unsigned long *use_actions, unsigned long *use_steps);
    /* Called for a new connection. Returns true if the MTA must wait for the answer to each RCPT. */
    bool (*answers_rcpt)(void);
    /* address: NULL if the MTA knows none. *out: the new session, or NULL if the answer is not MTA_CONTINUE. */
    enum mta_answer (*connect)(struct mta *mta, const char *host, const struct sockaddr *address, struct session **out);
    enum mta_answer (*helo)(struct session *s, const char *name);
    /* args: the path and its ESMTP parameters, NULL behind the last. */
    enum mta_answer (*mail)(struct mta *mta, struct session *s, const char *const *args);
    enum mta_answer (*rcpt)(struct mta *mta, struct session *s, const char *const *args);
    void (*header)(struct session *s, const char *name, const char *value);
    enum mta_answer (*header_end)(struct session *s);
    enum mta_answer (*body)(struct session *s, struct slice piece);
    enum mta_answer (*end)(struct mta *mta, struct session *s);
    void (*abort)(struct session *s);
    struct session *(*close)(struct session *s); /* returns NULL */
};

#endif
