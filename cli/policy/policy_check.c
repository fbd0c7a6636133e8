// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_check.c - `assay policy check [--strict] [--for-reload] [--json] [--at DATE] [FILE]`: is the policy right, and
 * is it wise?
 *
 * Prints every error and warning of the file and of all it includes, then one line that counts. Exit code 0 it loads,
 * with or without warnings; 1 warnings, with --strict; 2 errors: the policy cannot be loaded. --for-reload asks what a
 * program would do that is told to reload: 0 it takes the file, 2 it would keep the policy that it runs on. Of the
 * installed policy, and with --state of any, the plain check warns of that in the same words.
 */
#include "cli/policy/policy_cmd.h"
#include "cli/policy/policy_host.h"
#include "cli/verify/verify.h"
#include "policy/policy_live.h"
#include "policy/report.h"
#include "standards/dmarc/dmarc.h"
#include "base/clock.h"
#include "base/json.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static int exit_code(const struct policy_report *r, const struct policy *p, bool strict)
{
    return !p || policy_report_count(r, POLICY_ERROR)         ? CLI_CRITICAL
           : strict && policy_report_count(r, POLICY_WARNING) ? CLI_WARNING
                                                              : CLI_OK;
}

/* Tells whether the program that reloads would take the file, and could work with it. What speaks against it goes to
 * stderr. */
static int for_reload(const struct policy_args *a)
{
    char snapshot[PATH_MAX];
    const char *program = policy_host_reloads(a->state, snapshot), *kept = program ? snapshot : NULL;
    struct policy_report *r = policy_report_new();
    struct policy *p = policy_load_as_kept(a->file, kept, r);
    const bool takes = p && policy_live_takes_read(p, a->file, kept, r),
               works = takes && policy_host_works(r, p, a->file, a->state);
    if (works) {
        cli_put_visible(stdout, a->file);
        puts(": would be taken");
    } else {
        struct buf b = BUF_INIT;
        policy_report_print(r, POLICY_ERROR, &b);
        fputs(b.p, stderr);
        buf_release(&b);
        cli_error(takes ? "%s: %s would take it, and could not work with it"
                        : "%s: %s would keep the policy that it runs on",
                  a->file, program ? program : "a program");
    }
    policy_unref(p);
    policy_report_free(r);
    return works ? CLI_OK : CLI_CRITICAL;
}

/* Tells whether the file is the one that the programs of this host read. */
static bool is_installed(const char *path)
{
    struct stat a, b;
    return strcmp(path, CLI_POLICY_PATH) == 0 ||
           (stat(path, &a) == 0 && stat(CLI_POLICY_PATH, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

/* What a reload would say now of a file that loads: the same words, as warnings. */
static void check_reload(struct policy_report *r, const struct policy *p, const struct policy_args *a)
{
    char snapshot[PATH_MAX];
    struct place at = {.file = a->file};
    const struct policy_message *m;
    const char *program = policy_host_reloads(a->state, snapshot);
    if (!program && errno == EACCES)
        report_add(r, POLICY_NOTE, &at, "ask as root",
                   "whether the running programs would take it is not checked: their state may not be read");
    struct policy_report *said = program ? policy_report_new() : NULL;
    if (said && !policy_live_takes_read(p, a->file, snapshot, said)) {
        for (size_t i = 0; (m = policy_report_at(said, i)); i++)
            if (m->severity == POLICY_ERROR)
                report_add(r, POLICY_WARNING, &(struct place){.file = m->file, .lineno = m->line}, m->help, "%s",
                           m->text);
        report_add(r, POLICY_WARNING, &at, NULL, "a reload would fail: %s would keep the policy that it runs on",
                   program);
    }
    policy_report_free(said);
}

static void print_message(const struct policy_message *m)
{
    struct buf b = BUF_INIT;
    enum cli_colour c = m->severity == POLICY_ERROR ? CLI_RED : m->severity == POLICY_WARNING ? CLI_YELLOW : CLI_BLUE;
    policy_message_print(m, &b);
    size_t line = strcspn(b.p, "\n");
    printf("%s%.*s%s%s", cli_colour(stdout, c), (int)line, b.p, cli_colour(stdout, CLI_PLAIN), b.p + line);
    buf_release(&b);
}

static void print_text(const char *path, const struct policy_report *r, const struct policy *p)
{
    size_t errors = policy_report_count(r, POLICY_ERROR), warnings = policy_report_count(r, POLICY_WARNING) - errors,
           statements = 0;
    for (size_t i = 0; policy_report_at(r, i); i++)
        print_message(policy_report_at(r, i));
    while (p && policy_statement_at(p, statements))
        statements++;
    cli_put_visible(stdout, path);
    if (p && errors)
        printf(": loads, but does not work on this host: %zu error%s, %zu warning%s, policy %s\n", errors,
               errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s", policy_hash(p));
    else if (p)
        printf(": good, %zu statement%s, %zu warning%s, policy %s\n", statements, statements == 1 ? "" : "s", warnings,
               warnings == 1 ? "" : "s", policy_hash(p));
    else
        printf(": %zu error%s, %zu warning%s: not loaded\n", errors, errors == 1 ? "" : "s", warnings,
               warnings == 1 ? "" : "s");
}

static void print_json(const char *path, const struct policy_report *r, const struct policy *p)
{
    static const char *const words[] = {"note", "warning", "error"};
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    json_open(&j);
    json_str(&j, "file", path);
    json_bool(&j, "loads", p != NULL);
    json_opt(&j, "policy", p ? policy_hash(p) : NULL);
    json_open_array(&j, "messages");
    for (size_t i = 0; policy_report_at(r, i); i++) {
        const struct policy_message *m = policy_report_at(r, i);
        json_open(&j);
        json_str(&j, "severity", words[m->severity]);
        json_str(&j, "file", m->file);
        if (m->line) {
            json_int(&j, "line", m->line);
            json_int(&j, "column", m->column);
            json_int(&j, "length", m->length);
        }
        json_str(&j, "text", m->text);
        json_opt(&j, "help", m->help);
        json_opt(&j, "source", m->source);
        json_end(&j);
    }
    json_end(&j);
    json_end(&j);
    buf_addc(&b, '\n');
    cli_flush(&b);
}

/* What the world sees of one of our own domains. */
static void check_own(struct policy_report *r, struct dns *dns, const struct policy_statement *s, const char *domain)
{
    struct arena *arena = arena_new((size_t)16 << 20);
    struct dns_scope *scope = arena ? dns_scope_new(dns, arena, NULL) : NULL;
    struct place at = {.file = s->file, .lineno = s->line};
    struct dmarc_finding f;
    if (!scope || dmarc_check(scope, arena, domain, NULL, 0, &f) != STATUS_OK || f.dns_failed)
        report_add(r, POLICY_WARNING, &at, NULL, "whether our own domain %s publishes DMARC could not be found out",
                   domain);
    else if (!f.record_domain)
        report_add(r, POLICY_WARNING, &at,
                   "publish a TXT record at _dmarc: \"v=DMARC1; p=none; rua=mailto:...\", and tighten it later",
                   "our own domain %s publishes no DMARC record: others cannot tell our mail from forged mail", domain);
    else if (f.policy == DMARC_POLICY_NONE)
        report_add(r, POLICY_NOTE, &at, "p=quarantine or p=reject, when all our mail passes",
                   "our own domain %s asks others to do nothing about mail that fails DMARC (p=none, of %s)", domain,
                   f.record_domain);
    dns_scope_free(scope);
    arena_free(arena);
}

static void check_world(struct policy_report *r, struct dns *dns, const struct policy *p)
{
    const struct policy_statement *s;
    char entry[POLICY_ENTRY_TEXT];
    for (size_t i = 0; (s = policy_statement_at(p, i)); i++) {
        for (size_t k = 0; s->kind == POLICY_OWN && strcmp(s->name, "domains") == 0 && k < s->item_count; k++) {
            size_t at = 0;
            if (strncmp(s->items[k], "list ", 5) != 0)
                check_own(r, dns, s, s->items[k]);
            else
                while (policy_list_next(p, s->items[k] + 5, &at, entry))
                    check_own(r, dns, s, entry);
        }
    }
    report_sort(r);
}

int policy_cmd_check(int argc, char **argv)
{
    static const struct policy_usage usage = {
        "[--strict] [--json] [--at DATE] [--ask-dns | --dns FILE] [--state DIR] [FILE]\n--for-reload [--state DIR] "
        "[FILE]",
        "Reads the policy and shows each error and warning, with its place and a fix. --at judges the dates in it as "
        "of another day. For the installed policy, and with --state for any policy, it also warns if a reload would "
        "reject it. --ask-dns checks in DNS whether our own domains publish DMARC; --dns takes the answers from a "
        "saved file. --for-reload checks only whether a reload now would accept the policy. Exit code: 0 the policy "
        "loads; 1 it has warnings (only with --strict); 2 it has errors, or a reload would reject it (only with "
        "--for-reload)."};
    struct policy_args a;
    int rc = policy_args_read(&a, &usage, argc, argv,
                              POLICY_ARG_JSON | POLICY_ARG_FILE | POLICY_ARG_AT | POLICY_ARG_DNS | POLICY_ARG_STATE |
                                  POLICY_ARG_CHECK);
    if (rc >= 0)
        return rc;
    if (a.for_reload && (a.strict || a.json || a.at || a.dns || a.ask_dns))
        return cli_usage("--for-reload goes with --state alone");
    if (a.for_reload)
        return for_reload(&a);
    if (a.at)
        clock_set_wall(a.at);
    struct policy_report *r = policy_report_new();
    struct policy *p = policy_load(a.file, r);
    struct dns *dns = p && (a.dns || a.ask_dns) ? verify_dns(a.dns, p) : NULL;
    const bool runs_here = a.state || is_installed(a.file);
    if (p)
        policy_host_check(r, p, a.file, a.state, runs_here);
    if (p && !a.at && runs_here)
        check_reload(r, p, &a);
    if (dns)
        check_world(r, dns, p);
    if (a.json)
        print_json(a.file, r, p);
    else
        print_text(a.file, r, p);
    rc = exit_code(r, p, a.strict);
    if (p && (a.dns || a.ask_dns) && !dns)
        rc = EX_NOINPUT;
    dns_close(dns);
    policy_unref(p);
    policy_report_free(r);
    return rc;
}
