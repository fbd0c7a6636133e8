// SPDX-License-Identifier: BSD-2-Clause
/*
 * exempt.c - `assay exempt DOMAIN STANDARD[,...]`: writes an explained exception into the policy.
 *
 * What an exemption needs and the command line does not have (why, who agreed, until when) is asked at a terminal;
 * without one it is demanded (EX_USAGE). Promises to write nothing unless the policy with the statement loads, by the
 * loader that the programs use; to show the difference and ask before; to keep owner and permissions; to refuse a
 * symbolic link; and that --undo takes the statement out again. On failure nothing is written.
 */
#include "base/domain.h"
#include "cli/cli.h"
#include "cli/harden/undo_store.h"
#include "cli/next/next.h"
#include "policy/policy.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER_MOST 300
#define TRIES 3
#define RELOAD "systemctl reload assay-milter assay-ledger"

struct exempt_options {
    const char *policy, *state, *because, *agreed_by, *through, *ref, *via, *signed_by, *to;
    bool yes, undo;
};

#define OPTIONS_OF struct exempt_options
static const struct option_row rows[] = {
    OPTIONS_TEXT('b', "because", "TEXT", because, "why they cannot do it yet"),
    OPTIONS_TEXT(0, "agreed-by", "TEXT", agreed_by, "who agreed to it, and by which decision"),
    OPTIONS_TEXT(0, "through", "DATE", through, "its last day, at most 366 days from now: 2027-03-31"),
    OPTIONS_TEXT(0, "ref", "TEXT", ref, "a ticket or contract"),
    OPTIONS_TEXT(0, "via", "NETWORK", via, "only mail that comes from there: anyone can write a sender's name"),
    OPTIONS_TEXT(0, "signed-by", "DOMAIN", signed_by, "only mail with a valid signature of this domain"),
    OPTIONS_TEXT(0, "writing-to", "WHOM", to, "only mail to this domain, address or list"),
    OPTIONS_FLAG('y', "yes", yes, "do not ask before the file is changed"),
    OPTIONS_FLAG('u', "undo", undo, "take the last exemption written so out of the policy again"),
    OPTIONS_TEXT('P', "policy", "FILE", policy, "the policy (default " CLI_POLICY_PATH ")"),
    OPTIONS_TEXT('S', "state", "DIR", state, "the state folder (default " ASSAY_STATEDIR ")"),
};

static const struct options_spec command_line = {
    .synopsis = "DOMAIN STANDARD[,STANDARD...] [--because TEXT --agreed-by TEXT --through DATE]\n"
                "        [--via NETWORK | --signed-by DOMAIN] [--writing-to WHOM] [--ref TEXT] [--yes]\n--undo",
    .text = "Writes an explained exception into the policy: what is not said on the command line is asked. Shows the "
            "change, and writes it after yes.",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .most = 2,
};

/* ---- what it needs ---- */

/* One word or sentence in the policy's language; it must not end its string or line. NULL: fine. */
static const char *fault_of(const char *text)
{
    if (strlen(text) > ANSWER_MOST)
        return "too long";
    for (const char *p = text; *p; p++)
        if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ' || *p == 0x7f)
            return "must not hold quotation marks, backslashes or control characters";
    return *text ? NULL : "empty";
}

/* Asks for what is missing; -1: there. */
static int need(struct arena *a, const char **into, const char *option, const char *question)
{
    char line[ANSWER_MOST + 2];
    for (int i = 0; !*into && i < TRIES; i++) {
        if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
            return cli_usage("%s is missing: an exemption says why, who agreed, and until when", option);
        printf("%s: ", question);
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin))
            break;
        struct slice answer = slice_trim(slice_str(line));
        const char *text = arena_copy(a, answer.p, answer.n);
        if (text && !fault_of(text))
            *into = text;
        else
            printf("  %s\n", text ? fault_of(text) : "out of memory");
    }
    if (!*into)
        return cli_usage("%s is missing: nothing was written", option);
    const char *fault = fault_of(*into);
    return fault ? cli_usage("%s: %s", option, fault) : -1;
}

static int need_all(struct arena *a, struct exempt_options *o)
{
    int rc = need(a, &o->because, "--because", "Why can they not do it yet");
    if (rc < 0)
        rc = need(a, &o->agreed_by, "--agreed-by", "Who agreed to it");
    if (rc < 0)
        rc = need(a, &o->through, "--through", "Its last day, at most 366 days from now (2027-03-31)");
    const char *others[] = {o->ref, o->via, o->signed_by, o->to};
    for (size_t i = 0; rc < 0 && i < sizeof others / sizeof *others; i++)
        if (others[i] && fault_of(others[i]))
            rc = cli_usage("'%s': %s", others[i], fault_of(others[i]));
    return rc;
}

/* "dmarc,spf" to "dmarc, spf"; NULL: one is not a standard. */
static const char *standards_of(struct arena *a, const char *text)
{
    const char *out = "";
    for (const char *p = text; out;) {
        size_t n = strcspn(p, ",");
        struct slice word = slice_trim(slice_of(p, n));
        if (standard_from_name(word) >= STANDARD_MAIL_COUNT)
            return NULL;
        out = arena_printf(a, "%s%s%.*s", out, *out ? ", " : "", SLICE_ARG(word));
        if (!p[n])
            break;
        p += n + 1;
    }
    return out;
}

static const char *statement_of(struct arena *a, const struct exempt_options *o, const char *domain,
                                const char *standards)
{
    struct buf b = BUF_INIT;
    buf_printf(&b, "exempt %s from %s", domain, standards);
    if (o->to)
        buf_printf(&b, " writing to %s", o->to);
    if (o->via)
        buf_printf(&b, " via %s", o->via);
    if (o->signed_by)
        buf_printf(&b, " signed by %s", o->signed_by);
    buf_printf(&b, "\n       because \"%s\"\n       agreed by \"%s\"\n       through %s", o->because, o->agreed_by,
               o->through);
    if (o->ref)
        buf_printf(&b, " ref \"%s\"", o->ref);
    buf_addc(&b, '\n');
    const char *kept = b.failed ? NULL : arena_copy(a, b.p, b.n);
    buf_release(&b);
    return kept;
}

/* ---- the file ---- */

/* Prints what is wrong with the policy that has the statement in it, and what is to be thought of about the statement
 * itself. False: it does not load. */
static bool loads(const char *path, struct slice text, unsigned from_line)
{
    struct policy_report *r = policy_report_new();
    struct policy *p = policy_load_with(path, path, text, r);
    const struct policy_message *m;
    struct buf b = BUF_INIT;
    if (!p) {
        policy_report_print(r, POLICY_ERROR, &b);
        fputs(b.p, stderr);
        cli_error("with this statement the policy would not load: nothing was written");
    }
    for (size_t i = 0; p && (m = policy_report_at(r, i)); i++)
        if (m->severity == POLICY_WARNING && m->line >= from_line && m->file && strcmp(m->file, path) == 0)
            cli_error("warning: %s%s%s", m->text, m->help ? ": " : "", m->help ? m->help : "");
    buf_release(&b);
    policy_report_free(r);
    policy_unref(p);
    return p != NULL;
}

static int write_it(struct arena *a, const struct exempt_options *o, const char *statement, const char *keep)
{
    struct change_set *set = change_set_new(a);
    struct slice before, now;
    struct stat st;
    const char *why = NULL;
    bool exists;
    if (lstat(o->policy, &st) != 0 || !S_ISREG(st.st_mode)) {
        cli_error("%s is not a regular file of its own (a symbolic link?): nothing was written", o->policy);
        return EX_NOINPUT;
    }
    enum status s = set ? change_text(set, o->policy, &before, &exists, &why) : STATUS_NOMEM;
    const char *text = s == STATUS_OK ? arena_printf(a, "%.*s%s%s", SLICE_ARG(before),
                                                     before.n && before.p[before.n - 1] != '\n' ? "\n" : "", statement)
                                      : NULL;
    unsigned lines = 1;
    for (size_t i = 0; text && i < before.n; i++)
        lines += before.p[i] == '\n';
    if (text && !loads(o->policy, slice_str(text), lines))
        return EX_CONFIG;
    if (s == STATUS_OK)
        s = text ? change_propose(set, o->policy, slice_str(text), 0644, &why) : STATUS_NOMEM;
    if (s == STATUS_OK)
        s = change_diff(set, stdout, &why);
    if (s == STATUS_OK && !o->yes && !cli_confirm("\nChange %s?", o->policy)) {
        puts("\nNothing was changed. --yes does it without asking.");
        return CLI_WARNING;
    }
    int lock = s == STATUS_OK ? undo_lock(a, keep, &why) : -1;
    struct change_set *again = lock >= 0 ? change_set_new(a) : NULL; /* reads the file anew */
    if (s == STATUS_OK && !again)
        s = STATUS_DENIED;
    if (s == STATUS_OK)
        s = change_text(again, o->policy, &now, &exists, &why);
    if (s == STATUS_OK && !slice_eq(before, now)) {
        why = "the policy was changed meanwhile; ask again";
        s = STATUS_AGAIN;
    }
    if (s == STATUS_OK)
        s = change_apply(set, keep, &why);
    if (lock >= 0)
        close(lock);
    if (s != STATUS_OK) {
        cli_error("nothing was changed: %s", why ? why : status_text(s));
        return s == STATUS_DENIED ? EX_NOPERM : EX_TEMPFAIL;
    }
    printf("\nDone. The resolver's module takes it up by itself within seconds; for the others:\n  %s\n"
           "'assay policy explained' lists it with all others; 'assay exempt --undo' takes it out again.\n",
           RELOAD);
    return EX_OK;
}

static int exempt(struct arena *a, struct exempt_options *o, char **argv, const char *keep)
{
    char domain[LIMIT_DOMAIN + 1];
    if (domain_from_text(slice_str(argv[1]), domain) != STATUS_OK)
        return cli_usage("'%s' is not a domain name", argv[1]);
    const char *standards = standards_of(a, argv[2]);
    if (!standards)
        return cli_usage("'%s': what is excused is one or more of spf, dkim, dmarc, arc, dane, tls, dnssec, "
                         "message-format, rdns",
                         argv[2]);
    int rc = need_all(a, o);
    if (rc >= 0)
        return rc;
    const char *statement = statement_of(a, o, domain, standards);
    return statement ? write_it(a, o, statement, keep) : EX_OSERR;
}

int cmd_exempt(int argc, char **argv)
{
    struct exempt_options o = {.policy = CLI_POLICY_PATH, .state = ASSAY_STATEDIR};
    int n, rc = cli_options(&command_line, argc, argv, &o, &n);
    if (rc >= 0)
        return rc;
    if (o.undo ? n != 0 : n != 2)
        return cli_usage(o.undo ? "--undo takes no arguments"
                                : "a domain and a standard are needed: assay exempt supplier.example dmarc");
    struct arena *a = arena_new((size_t)64 << 20);
    const char *keep = a ? undo_place(a, o.state, "exempt") : NULL;
    if (!keep)
        cli_error("out of memory");
    rc = !keep ? EX_OSERR : o.undo ? next_undo(a, keep, RELOAD) : exempt(a, &o, argv, keep);
    arena_free(a);
    return rc;
}
