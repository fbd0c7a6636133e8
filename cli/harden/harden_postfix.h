// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden_postfix.h - what the two files on Postfix share: a copy of its configuration, on which postconf works.
 */
#ifndef ASSAY_CLI_HARDEN_HARDEN_POSTFIX_H
#define ASSAY_CLI_HARDEN_HARDEN_POSTFIX_H

#include "base/buf.h"
#include "cli/harden/harden.h"
#include "cli/harden/scratch.h"

#define POSTFIX_MAX_EDITS 48     /* settings of one file that would change; our own limit, beyond it harden refuses */
#define POSTFIX_MAX_MILTERS 4096 /* octets of a list of milters or restrictions */

struct undo_setting;

/* An answer of postconf that is kept. */
struct postfix_answer {
    const char *option, *name, *text;
    struct postfix_answer *next;
};

struct postfix {
    struct harden *h;
    bool only_asked; /* nothing is changed: the same question has the same answer */
    struct postfix_answer *answers;
    struct scratch scratch; /* a folder of our own, if the configuration is copied */
    char dir[SCRATCH_PATH]; /* where postconf works: there, or what is only asked */
    const char *original;
    const char *edits[POSTFIX_MAX_EDITS]; /* of main.cf: NAME=VALUE */
    size_t count;
    const char *master[POSTFIX_MAX_EDITS]; /* of master.cf: SERVICE/TYPE/NAME=VALUE */
    size_t master_count;
};

/* postconf's answer to one question; NULL when it failed. */
const char *postfix_ask(struct postfix *p, const char *option, const char *name);

/* What postconf says to argv of all parameters of a service ("submission/inet"), or (NULL) of main.cf; asked once if
 * p->only_asked. NULL when it failed. */
const char *postfix_table(struct postfix *p, const char *service, const char *const *argv);

/* The value that a parameter has once all $names in it are put in; "" if there is none. */
const char *postfix_get(struct postfix *p, const char *name);

/* The value that main.cf itself gives a parameter, or (master, SERVICE/TYPE/NAME) master.cf a service; NULL: none. */
const char *postfix_explicit(struct postfix *p, bool master, const char *name);

/* Makes the copy of the configuration in p->original. false: refused, since Postfix itself complains of it. */
bool postfix_open(struct postfix *p);
void postfix_close(struct postfix *p);

/* Whether somebody listens there now: Postfix must not ask a socket in vain. */
bool postfix_is_served(struct harden *h, const char *socket);

/* How a service of Postfix must write a socket of ours; NULL if its chroot keeps it from there. */
const char *postfix_writes(struct postfix *p, const char *service, const char *socket);

/* The two halves of it: the edits in the copy (false: refused), and the copy's file proposed. */
bool postfix_run_edits(struct postfix *p, const char *option, const char *const *edits, size_t count);
void postfix_take_copy(struct postfix *p, const char *file);

/* Has postconf make the edits (option -e or -P) in the copy, and proposes the file. */
void postfix_propose(struct postfix *p, const char *option, const char *const *edits, size_t count, const char *file);

/* Postfix's configuration folder; NULL if there is no Postfix, or (refused) if it cannot say. */
const char *postfix_instance(struct harden *h);

/* How the Postfix with this configuration folder is told to read it again. */
const char *postfix_reload_command(struct harden *h, const char *dir);

/* The next entry of a list of milters, maps or restrictions: a word, or all between braces. false at the end. */
bool postfix_next_entry(const char **at, struct slice *entry);

/* What an entry between braces says of a setting of its own: "tempfail" of { SOCKET, default_action = tempfail }. NULL:
 * nothing; then main.cf's setting holds. The text is the arena's. */
const char *postfix_entry_setting(struct arena *a, struct slice entry, const char *name);

/* Tells whether an entry of a list of milters or maps asks us; and the list without such entries (NULL: none is
 * ours). */
bool postfix_is_ours(struct postfix *p, struct slice entry);
const char *postfix_without_ours(struct postfix *p, const char *list);

/* Proposes a value. Too many edits are refused. */
void postfix_edit(struct postfix *p, const char *name, const char *value);
void postfix_edit_master(struct postfix *p, const char *name, const char *value);

/* Takes what h->drop and h->drop_policyd name out of every list of milters and restrictions, in main.cf and in
 * master.cf's -o. Returns smtpd_milters as it is after that; NULL: refused. */
const char *postfix_drop(struct postfix *p, const char *socket);

/* Proposes the socket of now in non_smtpd_milters and in master.cf's -o, where they ask one that smtpd_milters (`was`:
 * as it stands) leaves. */
void postfix_follow(struct postfix *p, const char *was);

/* Takes back, in main.cf or master.cf (path), what these edits wrote and what still stands so; proposes the file. A
 * line for each setting that somebody changed since goes into left, *count of them. */
void postfix_undo_file(struct harden *h, const char *path, const struct undo_setting *edits, struct buf *left,
                       size_t *count);

#endif
