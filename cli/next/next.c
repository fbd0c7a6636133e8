// SPDX-License-Identifier: BSD-2-Clause
/*
 * next.c - `assay next`: which rule can be tightened now, who would be hit, whom to ask first; and the line is written
 * on yes.
 *
 * Promises that what is shown was seen: every step is weighed by the mail in the ledger. Nothing is written unasked;
 * what is written is shown as a diff before, is a policy that loads and asks what was promised, replaces the file whole
 * or not at all, and is taken out again by --undo. A policy that changed between reading and writing is left alone.
 * Exit: 0 nothing is left to do, or done; 1 there are steps; EX_USAGE, EX_CONFIG (policy), EX_NOINPUT (no ledger),
 * EX_TEMPFAIL, EX_NOPERM.
 */
#include "cli/mta_networks.h"
#include "cli/next/next.h"
#include "base/utf8.h"
#include "base/words.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/harden/undo_store.h"
#include "cli/cli.h"
#include "cli/next/policy_write.h"
#include "cli/policy/policy_ledger.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_US INT64_C(86400000000)
#define SHOWN 8 /* senders of a step, without --all */
#define OWN_MOST 8
#define ENFORCE_DAYS 14 /* seen before `set mode enforce` is written */
#define ENFORCE_MAILS 100

struct options {
    const char *policy, *state, *store, *write, *because;
    int64_t days, mails;
    bool json, all, yes, now, undo, trial;
};

#define DAYS_MOST 366
#define MAILS_MOST 1000000
#define OPTIONS_OF struct options
static const struct option_row rows[] = {
    OPTIONS_TEXT('w', "write", "STEP", write,
                 "write this step (its name, or its number), after showing the change and asking"),
    OPTIONS_FLAG(0, "trial", trial, "write it as a trial: judged and logged, but not acted on"),
    OPTIONS_FLAG('y', "yes", yes, "do not ask"),
    OPTIONS_TEXT('b', "because", "TEXT", because,
                 "the reason to write it although it affects somebody, or to enforce early; kept in the policy"),
    OPTIONS_FLAG(0, "now", now, "enforce before there are 14 days and 100 mails; needs --because"),
    OPTIONS_FLAG('u', "undo", undo, "remove the last step from the policy again"),
    OPTIONS_FLAG('a', "all", all, "name every sender that would be affected"),
    OPTIONS_NUMBER(0, "days", "N", days, 1, DAYS_MOST,
                   "days of mail that are enough to be sure (default 14), and how far to look back"),
    OPTIONS_NUMBER(0, "mails", "N", mails, 1, MAILS_MOST, "mails that are enough to be sure (default 100)"),
    OPTIONS_FLAG(0, "json", json, "for programs"),
    OPTIONS_TEXT(0, "store", "STORE", store, "this ledger instead of the policy's"),
    OPTIONS_TEXT('P', "policy", "FILE", policy, "the policy (default " CLI_POLICY_PATH ")"),
    OPTIONS_TEXT('S', "state", "DIR", state,
                 "the state folder (default " ASSAY_STATEDIR "); what is undone is kept in DIR-undo"),
};

static const struct options_spec command_line = {
    .synopsis = "[--write STEP [--trial] [--yes]] [OPTION...]",
    .text = "The next step towards enforcement: which rule can be tightened now, by what the ledger saw; whose mail "
            "that would affect; whom to ask first. Writes the line into the policy if you answer yes.",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .after = "Exit code: 0 nothing is left to do, or it is done; 1 there are steps to take.",
};

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
    int n;
    *o = (struct options){.policy = CLI_POLICY_PATH, .state = ASSAY_STATEDIR, .days = 14, .mails = 100};
    int rc = cli_options(&command_line, argc, argv, o, &n);
    if (rc >= 0)
        return rc;
    if (o->because && (!*o->because || strpbrk(o->because, "\"\\\r\n")))
        return cli_usage("--because needs one line without quotes");
    if ((o->now || o->because) && !o->write)
        return cli_usage("--%s is for --write STEP", o->now ? "now" : "because");
    if ((o->trial || o->yes) && !o->write)
        return cli_usage("--%s is for --write STEP", o->trial ? "trial" : "yes");
    return -1;
}

/* ---- what is shown ---- */

static const char *state_name(enum next_state s)
{
    static const char *const names[] = {[NEXT_READY] = "ready",
                                        [NEXT_ASK_FIRST] = "ask-first",
                                        [NEXT_NOT_YET] = "not-yet",
                                        [NEXT_SAY] = "yours-to-say"};
    return names[s];
}

/* Whether all its mail may be forged: its owner, who may be the victim, is not to be asked. */
static bool only_perhaps(const struct next_hit *h)
{
    return h->mails > 0 && h->perhaps == h->mails;
}

#define NAME_MOST 60    /* a sender's name of more columns has a line of its own */
#define TITLE_COLUMN 17 /* number, state, and the blanks around them */

/* "3 mails, reject; ask postmaster@a.example" */
static void put_hit_words(struct buf *b, const struct next_hit *h)
{
    if (h->answers)
        buf_printf(b, "%lld answer%s, SERVFAIL; ask ", (long long)h->answers, h->answers == 1 ? "" : "s");
    else
        buf_printf(b, "%lld mail%s, %s; %s", (long long)h->mails, h->mails == 1 ? "" : "s",
                   policy_action_name(h->worst),
                   only_perhaps(h) ? "may be forged: too little mail of it was seen to tell"
                   : h->contact    ? "ask "
                   : h->own        ? "in your own name: find out what sends it"
                                   : "nobody can be asked");
    if (h->contact && !only_perhaps(h))
        utf8_add_visible(b, slice_str(h->contact));
}

static void print_hits(const struct next_step *s, bool all)
{
    for (size_t i = 0; i < s->hit_count && (all || i < SHOWN); i++) {
        const struct next_hit *h = &s->hits[i];
        const size_t behind = 6 + cli_columns(h->domain) + 2;
        struct buf words = BUF_INIT, how = BUF_INIT;
        put_hit_words(&words, h);
        utf8_add_visible(&how, slice_str(h->how ? h->how : ""));
        printf("      %s%s%s:", cli_colour(stdout, CLI_BOLD), h->domain, cli_colour(stdout, CLI_PLAIN));
        cli_put_wrapped(behind > NAME_MOST ? "\n        " : " ", behind > NAME_MOST ? 8 : behind, "%s",
                        words.p ? words.p : "");
        cli_put_wrapped("        ", 8, "%s", how.p ? how.p : "");
        buf_release(&words);
        buf_release(&how);
    }
    if (!all && s->hit_count > SHOWN)
        cli_put_wrapped("      ", 6, "and %zu more (--all names %s)", s->hit_count - SHOWN,
                        s->hit_count == SHOWN + 1 ? "it" : "them");
    if (s->more_domains)
        cli_put_wrapped("      ", 6, "and mail of other senders, which are not counted here");
}

/* "14 mails", "1 answer" */
static const char *count_of(char out[48], int64_t n, const char *what)
{
    snprintf(out, 48, "%lld %s%s", (long long)n, what, n == 1 ? "" : "s");
    return out;
}

/* Zones among the hits, or senders of mail. */
static int64_t hits_of(const struct next_step *s, bool zones)
{
    int64_t count = 0;
    for (size_t i = 0; i < s->hit_count; i++)
        count += (s->hits[i].answers > 0) == zones;
    return count;
}

static void print_not_yet(const struct next *n, const struct next_step *s)
{
    char seen[48], days[48], least[48];
    if (!s->names && n->stale > NEXT_STALE_DAYS)
        cli_put_wrapped("      ", 6,
                        "the newest mail in the ledger is %lld days old: does assay-ledger run? assay doctor says",
                        (long long)n->stale);
    else
        cli_put_wrapped("      ", 6,
                        "none of the %s so far would be touched, but only %s on %s; at least %lld over %s are needed",
                        s->names ? "answers" : "mail",
                        count_of(seen, s->names ? n->answers : n->mails, s->names ? "answer" : "mail"),
                        count_of(days, s->names ? n->names_days : n->days, "day"), (long long)n->mails_least,
                        count_of(least, n->days_least, "day"));
    const int64_t kept = policy_set_number(n->now, SETTING_LEDGER_KEEP_IDENTITY) / 86400;
    if (!s->names && kept < n->days_least)
        cli_put_wrapped("      ", 6, "the ledger keeps records for %s only: set ledger.keep-identity %lldd",
                        count_of(days, kept, "day"), (long long)n->days_least);
}

static void print_step(const struct next *n, size_t i, bool all)
{
    const struct next_step *s = &n->steps[i];
    char seen[48], days[48];
    static const enum cli_colour colours[] = {
        [NEXT_READY] = CLI_GREEN, [NEXT_ASK_FIRST] = CLI_YELLOW, [NEXT_NOT_YET] = CLI_DIM, [NEXT_SAY] = CLI_BLUE};
    printf("%2zu  %s%-12s%s", i + 1, cli_colour(stdout, colours[s->state]), state_name(s->state),
           cli_colour(stdout, CLI_PLAIN));
    cli_put_wrapped(" ", TITLE_COLUMN, "%s: %s", s->id, next_title(s, n->arena));
    printf("      %s\n", s->line); /* to be copied */
    if (s->mails)
        cli_put_wrapped("      ", 6, "%lld of %s would be treated differently, of %s:", (long long)s->mails,
                        count_of(seen, n->mails, "mail"), count_of(days, hits_of(s, false), "sender"));
    if (s->answers)
        cli_put_wrapped("      ", 6,
                        "%lld of the resolver's %s would be refused (SERVFAIL), of %s:", (long long)s->answers,
                        count_of(seen, n->answers, "answer"), count_of(days, hits_of(s, true), "zone"));
    if (s->stopped)
        cli_put_wrapped("      ", 6, "%s would be stopped (from where the domain never sends): nobody has to act",
                        count_of(seen, s->stopped, "forged mail"));
    if (s->state == NEXT_READY)
        cli_put_wrapped("      ", 6, "none of %s in %s would have been %s",
                        count_of(seen, s->names ? n->answers : n->mails, s->names ? "answer" : "mail"),
                        count_of(days, s->names ? n->names_days : n->days, "day"),
                        s->names ? "refused" : "treated differently");
    if (s->state == NEXT_NOT_YET)
        print_not_yet(n, s);
    if (s->state == NEXT_SAY)
        cli_put_wrapped("      ", 6, "these domains received mail so far; remove those that are not yours");
    print_hits(s, all);
}

static int print_text(const struct next *n, const struct options *o)
{
    for (size_t i = 0; i < n->count; i++)
        print_step(n, i, o->all);
    if (n->testing)
        cli_put_wrapped(
            "\n", 0,
            "%lld of %lld mail%s pass DKIM for their author by testing keys alone (t=y). They count, unless you set "
            "dkim.testing-keys ignore.",
            (long long)n->testing, (long long)n->mails, words_s(n->mails));
    if (n->count == 0)
        puts("Nothing is left to tighten on this ladder. assay policy read says what is in force.");
    else
        cli_put_wrapped(
            "\n", 0,
            "Write one: assay next --write %s. Senders you cannot reach can be exempted: exempt ... because ... "
            "agreed by ... through ... "
            "(assay-policy(5)); use --trial to observe first.%s",
            n->steps[0].id, n->cut ? " Only the newest mails were looked at." : "");
    return n->count ? CLI_WARNING : CLI_OK;
}

static void put_step(struct json *j, const struct next *n, const struct next_step *s)
{
    json_open(j);
    json_str(j, "step", s->id);
    json_str(j, "title", next_title(s, n->arena));
    json_str(j, "line", s->line);
    json_str(j, "state", state_name(s->state));
    json_int(j, "mails", s->mails);
    json_int(j, "answers", s->answers);
    json_int(j, "stopped_forgery", s->stopped);
    json_open_array(j, "senders");
    for (size_t i = 0; i < s->hit_count; i++) {
        const struct next_hit *h = &s->hits[i];
        json_open(j);
        json_str(j, "domain", h->domain);
        json_int(j, "mails", h->mails);
        json_int(j, "answers", h->answers);
        json_str(j, "action", h->answers ? "servfail" : policy_action_name(h->worst));
        json_opt(j, "contact", h->contact);
        if (h->perhaps)
            json_int(j, "may_be_forged", h->perhaps);
        json_opt(j, "how", h->how);
        json_end(j);
    }
    json_end(j);
    json_end(j);
}

static int print_json(const struct next *n)
{
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    json_open(&j);
    json_str(&j, "policy", policy_hash(n->now));
    json_int(&j, "mails", n->mails);
    json_int(&j, "days", n->days);
    json_int(&j, "answers", n->answers);
    json_int(&j, "testing_keys", n->testing);
    json_bool(&j, "all_mail_looked_at", !n->cut);
    json_open_array(&j, "steps");
    for (size_t i = 0; i < n->count; i++)
        put_step(&j, n, &n->steps[i]);
    json_end(&j);
    json_end(&j);
    buf_addc(&b, '\n');
    return !cli_flush(&b) ? EX_OSERR : n->count ? CLI_WARNING : CLI_OK;
}

/* ---- writing ---- */

static struct next_step *step_named(struct next *n, const char *name)
{
    char *end;
    const unsigned long i = strtoul(name, &end, 10);
    if (*name && !*end && i >= 1 && i <= n->count)
        return &n->steps[i - 1];
    for (size_t k = 0; k < n->count; k++)
        if (strcmp(n->steps[k].id, name) == 0)
            return &n->steps[k];
    return NULL;
}

/* -1, or the exit code where this step may not be written so. What hits somebody needs a reason; enforcing needs enough
 * seen before, or --now and a reason. A rule that hits nobody may be written at any time. */
static int is_refused(const struct next *n, const struct next_step *step, const struct options *o)
{
    bool enough = n->days >= ENFORCE_DAYS && n->mails >= ENFORCE_MAILS && n->stale <= NEXT_STALE_DAYS;
    if (step->is_mode && !enough && !(o->now && o->because)) {
        cli_error("mode: only %lld mail%s on %lld day%s; at least %d over %d days are needed. Nothing was written; "
                  "--now --because \"...\" enforces all the same",
                  (long long)n->mails, n->mails == 1 ? "" : "s", (long long)n->days, n->days == 1 ? "" : "s",
                  ENFORCE_MAILS, ENFORCE_DAYS);
        return EX_UNAVAILABLE;
    }
    if (step->state == NEXT_NOT_YET && !step->names && n->stale > NEXT_STALE_DAYS) {
        cli_error("%s: not yet: the newest mail in the ledger is %lld days old, so nobody knows whom it would hit. "
                  "Nothing was written; use --trial to observe first",
                  step->id, (long long)n->stale);
        return EX_UNAVAILABLE;
    }
    if (step->state == NEXT_ASK_FIRST && !o->because && (o->yes || !isatty(STDIN_FILENO))) {
        char what[48], of[48];
        cli_error("%s: %s of %s would be %s: ask them first, or exempt them. Nothing was written; --because \"...\" "
                  "writes it "
                  "all the same, use --trial to observe first",
                  step->id, step->mails ? count_of(what, step->mails, "mail") : count_of(what, step->answers, "answer"),
                  count_of(of, hits_of(step, !step->mails), step->mails ? "sender" : "zone"),
                  step->mails ? "treated differently" : "refused");
        return EX_USAGE;
    }
    if (step->state == NEXT_ASK_FIRST)
        print_hits(step, false);
    return -1;
}

/* Whom a step would hit whom the ledger need not have seen yet; NULL: nobody. Such programs may write once a month. */
static const char *beware_of(const struct next *n, const struct next_step *step)
{
    static const char guard[] = "in-our-name:";
    const bool ours = strncmp(step->id, guard, sizeof guard - 1) == 0;
    if (!ours && !step->is_mode)
        return NULL;
    const char *here = mta_networks_unknown(n->arena, n->now, "127.0.0.0/8 [::1]/128").here;
    return arena_printf(n->arena,
                        "%shosts in networks that the policy does not call own are %s refused when they write in %s "
                        "name without proof (DMARC); if they are yours, add: own network %s%stheirs",
                        *here ? "programs on this host, and " : "", ours ? "in mode enforce" : "then",
                        ours ? arena_printf(n->arena, "%s's", step->about) : "your", here, *here ? " and " : "");
}

static int write_step(struct next *n, const struct options *o, const char *keep)
{
    struct next_step *step = step_named(n, o->write);
    if (!step)
        return cli_usage("there is no step '%s' to take: assay next shows them", o->write);
    int refused = o->trial ? -1 : is_refused(n, step, o);
    if (refused >= 0)
        return refused;
    if (o->trial && (step->is_mode || strncmp(step->line, "own ", 4) == 0))
        return cli_usage("'%s' is not a rule that could be on trial", step->id);
    if (o->trial)
        step->line = strncmp(step->line, "always ", 7) == 0 ? arena_printf(n->arena, "always trial %s", step->line + 7)
                                                            : arena_printf(n->arena, "trial %s", step->line);
    if (o->because && step->line)
        step->line = arena_printf(n->arena, "%s because \"%s\"", step->line, o->because);
    struct policy_write w = {
        .path = n->path,
        .keep = keep,
        .hash = policy_hash(n->now),
        .beware = o->trial ? NULL : beware_of(n, step),
        .yes = o->yes,
        .then = "'assay policy status' shows it, and 'assay next --undo' takes it out again.",
    };
    int rc = step->line ? policy_write_read(n->arena, n->path, &w.before) : EX_OSERR;
    if (rc >= 0)
        return rc;
    if (!slice_eq(w.before, n->text)) {
        cli_error("%s changed meanwhile: nothing was written", n->path);
        return EX_TEMPFAIL;
    }
    w.after = next_text(n, step);
    return policy_write(n->arena, &w);
}

/* ---- the command ---- */

static int weigh(struct next *n, struct store *s)
{
    const char *own[OWN_MOST], *why = NULL;
    size_t own_count = 0;
    enum status st = next_own_domains(n, s, own, OWN_MOST, &own_count);
    if (st == STATUS_OK)
        st = next_names_seen(n, s);
    if (st == STATUS_OK && !next_find_steps(n, own, own_count, &why)) {
        cli_error("%s", why ? why : "out of memory");
        return EX_NOPERM;
    }
    if (st == STATUS_OK)
        st = next_weigh(n, s);
    if (st != STATUS_OK)
        cli_error("the ledger cannot be asked: %s", st == STATUS_NOMEM ? "out of memory" : store_error(s));
    return st == STATUS_OK ? -1 : EX_TEMPFAIL;
}

void next_end(struct next *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->steps[i].hits);
    next_release(n);
}

static int next_run(struct arena *a, const struct options *o, const char *keep)
{
    struct next n = {.arena = a,
                     .path = o->policy,
                     .since_us = clock_wall_us() - o->days * 2 * DAY_US,
                     .days_least = o->days,
                     .mails_least = o->mails};
    struct edit *set = edit_new(a);
    struct policy_report *report = policy_report_new();
    const char *why = NULL;
    bool exists;
    int rc = EX_CONFIG;
    n.now = report ? policy_load(o->policy, report) : NULL;
    if (!n.now || !set || edit_text(set, o->policy, &n.text, &exists, &why) != STATUS_OK) {
        cli_error("%s", n.now && why ? why
                                     : arena_printf(a, "%s does not load: assay policy check %s says why", o->policy,
                                                    o->policy));
        policy_report_free(report);
        policy_unref(n.now);
        return rc;
    }
    const char *where = o->store ? o->store : policy_set_text(n.now, SETTING_LEDGER_STORE);
    enum status st;
    struct store *s = policy_ledger_open_at(where, &st);
    if (!s && st == STATUS_MISSING)
        cli_error("there is no ledger in %s yet: assay-ledger creates it", where);
    rc = s                      ? weigh(&n, s)
         : st == STATUS_DENIED  ? EX_NOPERM
         : st == STATUS_MISSING ? EX_NOINPUT
         : st == STATUS_AGAIN   ? EX_TEMPFAIL
                                : EX_DATAERR;
    if (rc == -1)
        rc = o->write ? write_step(&n, o, keep) : o->json ? print_json(&n) : print_text(&n, o);
    next_end(&n);
    store_close(s);
    policy_report_free(report);
    return rc;
}

int cmd_next(int argc, char **argv)
{
    struct options o;
    int rc = read_options(argc, argv, &o);
    if (rc != -1)
        return rc;
    struct arena *a = arena_new(512 * 1024 * 1024);
    const char *why = NULL, *ignored = NULL;
    const char *keep = a ? undo_place(a, o.state, "next") : NULL;
    if (!keep) {
        cli_error("out of memory");
        arena_free(a);
        return EX_OSERR;
    }
    if (undo_adopt(a, o.state, "next", &ignored, &why) != STATUS_OK)
        cli_error("%s", why ? why : "what an earlier version kept cannot be taken over");
    if (ignored)
        cli_error("%s", ignored);
    rc = o.undo ? next_undo(a, keep, POLICY_WRITE_RELOAD) : next_run(a, &o, keep);
    arena_free(a);
    return rc;
}
