// SPDX-License-Identifier: BSD-2-Clause
/*
 * next.h - between the parts of `assay next`: the ladder of steps (next_steps.c), what each would have done to the mail
 * (next_weigh.c) and to the names (next_names.c) that were seen, and the command itself with what it shows and writes
 * (next.c).
 */
#ifndef ASSAY_CLI_NEXT_NEXT_H
#define ASSAY_CLI_NEXT_NEXT_H

#include "cli/mail_history.h"
#include "base/arena.h"
#include "base/limits.h"
#include "judge/facts.h"
#include "ledger/record.h"
#include "ledger/store.h"
#include "policy/policy.h"

#define NEXT_STEPS_MAX 24     /* steps that one run looks at; our own limit, further ones are left out */
#define NEXT_HITS_MAX 20000   /* sender domains of one step; more are counted, not named */
#define NEXT_MAILS_MAX 200000 /* the newest mails that are looked at */
#define NEXT_OWN_SIGNED 8     /* own zones that are signed; a step is offered for each */
#define NEXT_STALE_DAYS 3     /* nothing newer, and the ledger is not being filled */

/* One sender domain that a step would touch. */
struct next_hit {
    const char *domain;
    const char *contact; /* whom to ask first: a mail address; NULL: nobody */
    bool own;            /* one of our own domains: its postmaster need not ask himself */
    const char *how;     /* in words: the first such mail */
    int64_t mails;
    int64_t perhaps; /* of these, mails that may be forged: too little of the domain was seen to tell */
    int64_t answers; /* of the resolver: domain is a zone, and these are refused */
    enum policy_action worst;
};

enum next_state {
    NEXT_READY,     /* nobody would be hit, and enough was seen to say so */
    NEXT_ASK_FIRST, /* somebody would be: ask them, or excuse them, first */
    NEXT_NOT_YET,   /* too little was seen */
    NEXT_SAY,       /* yours to fill in */
};

struct next_step {
    const char *id;    /* short, for --write */
    const char *title; /* what it does, in English, to be looked up; {1} in it stands for about: next_title() */
    const char *about; /* a domain or a list; or NULL */
    const char *line;  /* the statement to be written; of `mode` the setting */
    bool is_mode;      /* replaces `set mode` */
    bool names;        /* a statement of the resolver: it changes nothing for mail */
    /* the rule for everyone that says less of `standard`: it says no more of it; or NULL */
    const struct policy_statement *instead_of;
    enum standard standard;
    const struct policy *after;

    enum next_state state;
    int64_t mails;   /* that would be treated differently, except forgery */
    int64_t answers; /* of the resolver that would be refused */
    int64_t stopped; /* forged mail that it would stop: nobody has to act */
    struct next_hit *hits;
    size_t hit_count, hit_room;
    int64_t more_domains;
    struct next_index *index; /* next_hits.c's */
};

struct next {
    struct arena *arena;
    struct mail_history *history;
    struct arena *scratch; /* of one mail, while mails are weighed */
    const char *path;      /* of the policy's main file */
    struct slice text;
    const struct policy *now;

    int64_t since_us, days_least, mails_least, mails_most; /* 0: as the command has them */
    int64_t mails, days;                                   /* seen */
    int64_t stale;                                         /* days since the newest mail */
    int64_t answers, names_days;                           /* of the resolver's module; 0: it has written nothing */
    const char *own_signed[NEXT_OWN_SIGNED];               /* own zones that it saw signed */
    size_t own_signed_count;
    int64_t testing; /* of mails: aligned DKIM signatures pass, all by keys with t=y */
    bool cut;        /* NEXT_MAILS_MAX was reached */

    struct next_step steps[NEXT_STEPS_MAX];
    size_t count;
};

/* ---- next_steps.c ---- */

/* The text of the main file with this step in it. */
struct slice next_text(const struct next *n, const struct next_step *step);

/* What a step does, in a sentence without its full stop; NULL: out of memory. */
const char *next_title(const struct next_step *s, struct arena *a);

/* Fills steps with those that are not taken yet. own: the domains that mail is taken for, most first, or NULL.
 * False: out of memory (why). */
bool next_find_steps(struct next *n, const char *const *own, size_t own_count, const char **why);
void next_release(struct next *n);

void next_end(struct next *n);

/* ---- next_hits.c ---- */

bool next_hits_begin(struct next *n) MUST_CHECK;
void next_hits_end(struct next *n);

/* The hit of a step under this key, made if it is not there yet (*made); NULL: NEXT_HITS_MAX is reached. Between
 * next_hits_begin (false: out of memory) and next_hits_end. */
struct next_hit *next_hit_at(struct next *n, struct next_step *s, const char *key, const char *domain, bool *made);

/* ---- next_weigh.c ---- */

/* Looks at the newest mails since since_us, and fills what the steps would have done to them. */
enum status next_weigh(struct next *n, struct store *s) MUST_CHECK;

/* ---- next_names.c ---- */

/* How much the resolver's module has written since since_us. Before next_find_steps, which else offers no step for the
 * resolver. n->now must be there. */
enum status next_names_seen(struct next *n, struct store *s) MUST_CHECK;

/* What the steps would have done to the zones that were seen. Called by next_weigh. */
enum status next_weigh_names(struct next *n, struct store *s) MUST_CHECK;

/* The domains that mail from outside was for, the most frequent first; at most `most`. */
enum status next_own_domains(struct next *n, struct store *s, const char **out, size_t most, size_t *count) MUST_CHECK;

/* Takes the newest set kept in `keep` back. Returns the exit code. reload: the command that puts it in force. */
int next_undo(struct arena *a, const char *keep, const char *reload);

#endif
