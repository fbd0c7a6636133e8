// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_cmd.h - between the parts of `assay check`: its arguments (check_args.c), the run over one domain or many
 * (check_run.c), and the forms of a report (check_show.c for people, check_write.c for programs and pages,
 * check_profile.c against a list of requirements).
 */
#ifndef ASSAY_CLI_CHECK_CHECK_CMD_H
#define ASSAY_CLI_CHECK_CHECK_CMD_H

#include "base/json.h"
#include "check/check.h"
#include "check/gather.h"
#include "cli/text.h"
#include "policy/policy.h"

#define CHECK_SELECTORS 32     /* given by --selector; our own limit */
#define CHECK_SENDERS 16       /* given by --sender; our own limit */
#define CHECK_DOMAINS 100000   /* of one run; our own limit */
#define CHECK_PARALLEL_MOST 64 /* domains looked at side by side; our own limit */

struct check_options {
    const char *list, *save, *from, *policy, *html, *label, *profile, *resume, *state, *prometheus, *ca_file;
    struct facts_selector selectors[CHECK_SELECTORS];
    size_t selector_count;
    struct facts_sender senders[CHECK_SENDERS];
    size_t sender_count;
    struct cli_language lang;
    unsigned table;
    unsigned parallel, pace_ms, sockets; /* of the options, else of the policy (check_args_settle) */
    size_t memory;                       /* of one domain */
    enum check_grade least;              /* of --min-grade; CHECK_NONE: not asked for */
    bool keep, own, json, csv, fix, tests, nagios, watch, allow_private;
    char **domains;
    size_t domain_count;
};

/* One domain, judged. Everything lives in `arena`. */
struct check_one {
    const char *domain;
    struct arena *arena;
    struct facts *facts;
    struct check_report report;
    const char *error;   /* it could not be judged: why; NULL */
    const char *unsaved; /* its facts could not be saved or kept: why; NULL */
};

/* Reads the arguments. -1: go on; else the exit code. */
int check_args_read(int argc, char **argv, struct check_options *o);

/* Writes the canonical form of a domain's name, without blanks around it. Returns false for an IP address, although it
 * has the form of a name. */
bool check_domain_name(const char *text, char out[LIMIT_DOMAIN + 1]);

/* What the options --selector and --pace take, of this command and of `assay letter`. NULL: taken; else what was
 * expected. */
const char *check_add_selector(struct check_options *o, const char *value);
const char *check_set_pace(struct check_options *o, const char *value);

/* Authorities in place of the computer's. Without them no certificate would be trusted, and that would be told of the
 * domain: NULL, or what the value should be. */
const char *check_set_ca_file(struct check_options *o, const char *value);

/* What no option says is taken from the policy; without one (NULL), the settings' defaults. */
void check_args_settle(struct check_options *o, const struct policy *policy);

/* ---- check_run.c ---- */

/* Every domain, in the order given: `done` is called for each from the main thread, as soon as it and all before it are
 * there, and must not keep it. The exit code of what went wrong, or 0. */
int check_run(const struct check_options *o, const struct policy *policy, char **domains, size_t count,
              void (*done)(void *context, struct check_one *one), void *context);

/* A file of facts. false: one->error says why. */
bool check_read_file(const struct check_options *o, const char *path, struct check_one *one);
void check_one_free(struct check_one *one);

/* ---- forms ---- */

void check_show(const struct check_options *o, const struct check_one *one, struct buf *out);
void check_show_fix(const struct check_one *one, struct buf *out);
void check_show_line(const struct check_one *one, struct buf *out); /* --nagios */
void check_write_json(const struct check_one *one, const char *profile, struct json *j);
void check_write_csv_head(struct buf *out);
void check_write_csv(const struct check_one *one, struct buf *out);
void check_write_html(const struct check_one *one, struct buf *out);
void check_write_label(const struct check_one *one, struct buf *out);

/* Metrics of every domain of a run, each kind by itself: the format wants all lines of one metric together. */
#define CHECK_METRICS 6
struct check_metrics {
    struct buf of[CHECK_METRICS];
};
void check_add_metrics(struct check_metrics *m, const struct check_one *one);
void check_write_metrics(const struct check_metrics *m, struct buf *out);
void check_metrics_release(struct check_metrics *m);

/* "A", or "B to A" where what could not be tested hides something. */
#define CHECK_GRADE_WORDS 24
const char *check_grade_words(const struct check_report *r, char out[CHECK_GRADE_WORDS]);

/* ---- check_profile.c ---- */

struct check_profile_result {
    size_t met, missing, unknown, rules;
    enum check_test first_missing[CHECK_TESTS];
};

bool check_profile_exists(const char *name);
void check_profile_list(struct buf *out);
void check_profile_judge(const char *name, const struct check_report *r, struct check_profile_result *out);
void check_profile_show(const char *name, const struct check_report *r, struct buf *out);

#endif
