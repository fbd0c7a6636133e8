// SPDX-License-Identifier: BSD-2-Clause
/*
 * model.h - every figure that a report shows, asked of the ledger once.
 *
 * report_model_fill() asks; the writers (site.h, annual.h, publish.h) only read, so that no figure is computed twice.
 * What the ledger cannot know is handed in by the caller: the next steps of the policy, and the grades of our own
 * domains. Texts of senders are as they came: only page.h puts them on a page. All memory is the model's arena but for
 * the organisations; report_model_free() gives both back.
 *
 * Threads: one.
 */
#ifndef ASSAY_REPORT_MODEL_H
#define ASSAY_REPORT_MODEL_H

#include "base/arena.h"
#include "base/language.h"
#include "check/check.h"
#include "ledger/exceptions.h"
#include "ledger/organisations.h"
#include "policy/policy.h"
#include "report/decision.h"

#define REPORT_TOP 20            /* rows of a list on a page */
#define REPORT_GROUPS 32         /* lists of the policy that are shown */
#define REPORT_FEW 10            /* below so many organisations: numbers, no per cent */
#define REPORT_COVERED 80        /* per cent of the hours: below, every share says so */
#define REPORT_ENDS_SOON_DAYS 30 /* an exception that ends so soon is to be decided about */
#define REPORT_DECISIONS 16

/* Organisations by their state: of all, or of one standard. */
struct report_counts {
    int64_t meets, explained, misses, untested;
    int64_t not_asked; /* the policy asks nothing of them: counted nowhere else; only of all */
};

/* Those that say anything: meets, explained and misses. */
int64_t report_told(const struct report_counts *t);

struct report_standard {
    enum standard standard;
    struct report_counts now, before; /* organisations of which it is asked */
    int64_t mails, passed;            /* of all mail, asked or not */
    int64_t mails_before, passed_before;
};

struct report_day {
    int64_t day, mails, met;
};

struct report_exception {
    const struct policy_statement *statement;
    const char *scope, *standard; /* standard: NULL of a trust or suspension */
    enum exceptions_state state;
    int64_t used, last; /* microseconds */
    bool ends_soon;
};

struct report_unexplained {
    const char *standard, *domain;
    int64_t mails;
    bool ended; /* an exemption of its ended */
};

/* One day's grade of a domain of ours. */
struct report_grade {
    int64_t day;
    enum check_grade grade, least;
    unsigned score, failed, untested;
};

/* What the newest check found on the way to the mail servers; evidence NULL: it has no such test. */
struct report_own_test {
    enum check_test test;
    enum check_state state;
    const char *evidence;
};

#define REPORT_GRADES 60
#define REPORT_OWN_TESTS 5 /* DNSSEC, encryption, certificate, DANE and its match */
struct report_own {
    const char *domain;
    struct report_grade grades[REPORT_GRADES]; /* the oldest first */
    size_t count;
    enum check_test first[CHECK_FIRST]; /* of the newest */
    struct report_own_test transport[REPORT_OWN_TESTS];
};

struct report_reported {
    const char *domain;
    int64_t reporters, mails, aligned;
    int64_t sessions, sessions_failed; /* TLS reports */
};

struct report_group {
    const char *name;
    int64_t members; /* entries of the list */
    struct report_counts counts, by[STANDARD_MAIL_COUNT];
    size_t *member; /* indexes into model.now.all */
    size_t member_count, member_room;
};

struct report_zone {
    const char *name, *state;
    int64_t asked;
};

struct report_host {
    const char *name;
    int64_t last, mails, dropped, lost;
};

struct report_model {
    enum language language;
    const struct policy *policy;
    struct store *store;
    struct arena *arena;
    int64_t since_day, until_day, before_day; /* the time before ends there, and begins at before_day
                                                (0: is as long) */
    int64_t made;                             /* seconds since 1970 */

    int64_t hours, hours_seen;
    int64_t first_day; /* of the first mail or name in the time; 0: none */
    struct organisations now, before;
    struct report_counts all, all_before;
    struct report_standard standards[STANDARD_MAIL_COUNT];
    enum standard missing_most; /* STANDARD_MAIL_COUNT: none */
    struct report_day *by_day;
    size_t day_count;

    int64_t mails, refused, aside, deferred;  /* done */
    int64_t would_refuse, would_aside;        /* asked by the policy, and only recorded */
    int64_t stopped, stopped_domains;         /* forgery, and the organisations whose name it bore */
    size_t victims[REPORT_TOP], victim_count; /* indexes into now.all, the most forged first */
    bool only_records;                        /* set mode dry-run */

    struct report_decision decisions[REPORT_DECISIONS];
    size_t decision_count;

    struct report_exception *exceptions;
    size_t exception_count;
    int64_t in_force, ended, ending;
    struct report_unexplained unexplained[REPORT_TOP];
    size_t unexplained_count;
    int64_t only_recorded; /* mails that failed DMARC, and of which the policy asks nothing */
    int64_t unexplained_domains;

    struct report_own *own;
    size_t own_count;
    struct report_reported *reported;
    size_t reported_count;

    struct report_group groups[REPORT_GROUPS];
    size_t group_count;
    bool groups_known; /* membership was written */

    size_t *worst; /* indexes into now.all: those that get a page */
    size_t worst_count;

    int64_t names, names_secure, names_insecure, names_bogus;
    struct report_zone zones[REPORT_TOP];
    size_t zone_count;

    struct report_host *hosts;
    size_t host_count;
};

/* Grades of our own domains from facts: those in the ledger, or (folder not NULL) saved ones; none where there is no
 * such folder. policy, arena, store and until_day are set. Statuses of store_done(). model_own.c. */
enum status report_own_read(struct report_model *m, const char *folder) MUST_CHECK;

/* policy, store, arena, language, since_day, until_day, made and what is handed in are set. Statuses as store_ask(). */
enum status report_model_fill(struct report_model *m) MUST_CHECK;
void report_model_free(struct report_model *m);

/* Parts of report_model_fill(). */
enum status report_ask_organisations(struct report_model *m) MUST_CHECK; /* model_organisations.c */
enum status report_ask_groups(struct report_model *m) MUST_CHECK;
enum status report_ask_exceptions(struct report_model *m) MUST_CHECK; /* model_exceptions.c */
enum status report_ask_house(struct report_model *m) MUST_CHECK;      /* model_house.c */
enum status report_ask_names(struct report_model *m) MUST_CHECK;

/* Whether less than REPORT_COVERED per cent of the hours were seen. */
bool report_is_patchy(const struct report_model *m);

/* Minutes of work by effort.def. */
enum report_effort {
#define EFFORT(id, minutes, text) REPORT_EFFORT_##id,
#include "report/effort.def"
#undef EFFORT
    REPORT_EFFORTS
};
struct report_effort_row {
    int64_t minutes;
    const char *text; /* to be looked up */
};
const struct report_effort_row *report_effort(enum report_effort e);

/* What the decisions that are shown, the exceptions that end and our own domains' first tests cost, in minutes; and
 * whom they touch. */
struct report_cost {
    int64_t minutes, mails, senders;
};
void report_cost(const struct report_model *m, struct report_cost *out);

#endif
