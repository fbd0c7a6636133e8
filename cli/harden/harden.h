// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden.h - what the parts of `assay harden` share.
 *
 * A part reads one program's configuration and adds proposed changes to the set; it writes nothing. If it does not
 * understand something it calls harden_refuse(): then nothing at all is changed. With harden_note() it tells the
 * administrator what does not stop it.
 */
#ifndef ASSAY_CLI_HARDEN_HARDEN_H
#define ASSAY_CLI_HARDEN_HARDEN_H

#include "base/arena.h"
#include "cli/harden/edit.h"
#include "policy/policy.h"

#define HARDEN_RELOADS 8
#define HARDEN_REASONS 64
#define HARDEN_WROTE 64

/* Why a setting changes; shown below the difference, and not written to the file. */
struct harden_reason {
    const char *name, *text;
};

struct harden {
    struct arena *arena;
    struct edit *set;
    const struct policy *policy;
    const char *policy_path;
    const char *root;        /* prefix of every path read or written: "" but in tests */
    const char *postfix_dir; /* Postfix's configuration folder, or NULL: as postconf says */
    const char *socket;      /* milter.socket in force after the changes */
    const char *drop[2];     /* sockets of the filters that Assay replaces, as their own configuration writes them */
    size_t drop_count;
    bool drop_policyd;  /* and the SPF policy server */
    bool socket_is_new; /* the file that says where the MTA asks is written or changes */
    bool untested;      /* --yes-untested */
    bool refused;
    bool found_mta;
    const char *reload[HARDEN_RELOADS]; /* commands to run afterwards, one line each */
    size_t reload_count;
    struct harden_reason reasons[HARDEN_REASONS];
    size_t reason_count;
    const char *wrote[HARDEN_WROTE]; /* entries of Postfix's lists that earlier runs added; more are not known */
    size_t wrote_count;
};

void harden_refuse(struct harden *h, const char *fmt, ...) PRINTF_LIKE(2, 3);
void harden_note(struct harden *h, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Remembers why a setting changes, in the order of the calls; the same setting once. Those over HARDEN_REASONS are not
 * shown. harden_tell_reasons() prints them. */
void harden_reason(struct harden *h, const char *name, const char *text);
void harden_tell_reasons(const struct harden *h);

/* Reads and proposes, with errors turned into a refusal. false: refused. */
bool harden_read(struct harden *h, const char *path, struct slice *text, bool *exists);
bool harden_write(struct harden *h, const char *path, struct slice text, mode_t mode);

/* Runs a program without a shell; its standard output and error in the arena (NULL: could not be run). *code: exit
 * code. */
const char *harden_run(struct harden *h, const char *const *argv, int *code);

/* The same, with the standard output alone: an answer that is used. Programs warn on standard error, before their
 * answer or behind it (postconf of each parameter that nothing uses). */
const char *harden_ask(struct harden *h, const char *const *argv, int *code);

/* Proposes the file with the socket that the MTA asks (policy/mta_socket.h). false: refused. */
bool harden_tell_socket(struct harden *h);

/* Adds a command to run afterwards, unless it is among them. */
void harden_reload_by(struct harden *h, const char *command);

/* Runs the commands of h->reload, or prints them. */
void harden_reload(struct harden *h, bool really);

/* Reads h->wrote from the undo store's folder. harden_wrote() tells whether this very entry is among them. */
void harden_read_earlier(struct harden *h, const char *keep);
bool harden_wrote(const struct harden *h, struct slice entry);

void harden_postfix(struct harden *h);
void harden_sendmail(struct harden *h);
void harden_unbound(struct harden *h);

/* For files that were changed since, and so cannot be restored: proposes to remove only the entries that ask us;
 * refuses if it does not understand them. h->policy may be NULL. */
void harden_postfix_release(struct harden *h);
void harden_sendmail_release(struct harden *h);

#endif
