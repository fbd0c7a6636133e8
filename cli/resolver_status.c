// SPDX-License-Identifier: BSD-2-Clause
/*
 * resolver_status.c - `assay resolver status`: how the resolver's module is, from the status file it writes every two
 * seconds.
 *
 * For people by default, the file itself with --json, metrics with --prometheus (text format 0.0.4). It only reads: it
 * asks the resolver nothing. Exit code: 0 all is well; 1 something needs attention (the policy file is bad and the last
 * good one is in force, a pause, a journal that fails, findings dropped, an exemption no longer needed); 2 the
 * module is not at work or has no policy; 3 there is no status to read.
 */
#include "base/clock.h"
#include "base/words.h"
#include "cli/cli.h"
#include "cli/json_text.h"
#include "cli/table.h"
#include "policy/pause.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STALE_SECONDS 30 /* the module writes every two */

struct status_options {
    const char *dir;
    bool json, prometheus;
};

#define OPTIONS_OF struct status_options
static const struct option_row rows[] = {
    OPTIONS_TEXT('d', "dir", "DIR", dir, "the module's folder (default " ASSAY_STATEDIR "/resolver)"),
    OPTIONS_FLAG(0, "json", json, "the module's status file as it is"),
    OPTIONS_FLAG(0, "prometheus", prometheus, "metrics in Prometheus' text format"),
};

static const struct options_spec command_line = {
    .synopsis = "[--json | --prometheus] [--dir DIR]",
    .text = "The state of the module in Unbound: its policy, what it saw and refused, its queue and journal, the "
            "unsigned domains most asked for, and the broken ones with the reason.",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
};

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static int64_t number_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static int64_t age_of(const json_t *status)
{
    struct tm tm;
    memset(&tm, 0, sizeof tm);
    if (!strptime(text_of(status, "now"), "%Y-%m-%dT%H:%M:%SZ", &tm))
        return INT64_MAX;
    return clock_wall() - timegm(&tm);
}

/* ---- what is wrong ---- */

struct verdict {
    enum cli_exit code;
    struct buf words; /* one line each */
};

static void verdict_complain(struct verdict *v, enum cli_exit code, const char *text)
{
    if (code > v->code)
        v->code = code;
    buf_printf(&v->words, "%s\n", text);
}

/* A pause in force is named: nothing is refused meanwhile. It lies in the folder above the module's own. */
static void judge_pause(const json_t *policy, const char *dir, struct verdict *v)
{
    char above[4096], line[600], until[32] = "?";
    struct pause p;
    struct tm tm;
    snprintf(above, sizeof above, "%s/..", dir);
    bool known = pause_read(above, clock_wall(), &p) == STATUS_OK;
    if (!known && !json_is_true(json_object_get(policy, "paused")))
        return;
    if (known && localtime_r(&p.until, &tm))
        strftime(until, sizeof until, "%Y-%m-%d %H:%M", &tm);
    if (known)
        snprintf(line, sizeof line, "Enforcement is paused until %s by %.100s: %.300s (assay resume ends the pause)",
                 until, p.by, p.because);
    else
        snprintf(line, sizeof line, "Enforcement is paused: assay pause says until when and why.");
    verdict_complain(v, CLI_WARNING, line);
}

static void status_judge(const json_t *s, const char *dir, struct verdict *v)
{
    const json_t *policy = json_object_get(s, "policy"), *journal = json_object_get(s, "journal");
    char line[600];
    if (age_of(s) > STALE_SECONDS) {
        snprintf(line, sizeof line,
                 "The module does not run: its last status is of %s. Is Unbound started with it (assay-unbound(8))?",
                 text_of(s, "now"));
        verdict_complain(v, CLI_CRITICAL, line);
    }
    if (strcmp(text_of(policy, "source"), "none") == 0) {
        snprintf(line, sizeof line, "No policy is in force, every answer passes: %s", text_of(policy, "error"));
        verdict_complain(v, CLI_CRITICAL, line);
    } else if (text_of(policy, "error")[0]) {
        snprintf(line, sizeof line, "The policy file is bad, the last good one is in force: %s",
                 text_of(policy, "error"));
        verdict_complain(v, CLI_WARNING, line);
    }
    judge_pause(policy, dir, v);
    if (!json_is_true(json_object_get(journal, "healthy"))) {
        snprintf(line, sizeof line, "The journal cannot be written: %s", text_of(journal, "error"));
        verdict_complain(v, CLI_WARNING, line);
    }
    if (number_of(json_object_get(s, "queue"), "dropped") > 0)
        verdict_complain(v, CLI_WARNING, "Some answers were judged and not recorded: the queue was full.");
    if (json_array_size(json_object_get(s, "unneeded")) > 0)
        verdict_complain(v, CLI_WARNING, "An exemption is no longer needed: its zone is signed now (below).");
}

/* ---- for people ---- */

static void print_zones(const json_t *s, const char *key, const char *title, const char *none)
{
    static const struct table_column columns[] = {{"zone", "zone"},   {"count", "answers"},  {"refused", "refused"},
                                                  {"first", "since"}, {"last", "last seen"}, {"reason", "why"},
                                                  {NULL, NULL}};
    const json_t *zones = json_object_get(s, key), *z;
    size_t i;
    if (json_array_size(zones) == 0 && !none)
        return;
    printf("\n%s%s%s\n", cli_colour(stdout, CLI_BOLD), title, cli_colour(stdout, CLI_PLAIN));
    struct table *t = table_new(columns);
    json_array_foreach(zones, i, z)
    {
        if (i == 15)
            break;
        table_text(t, text_of(z, "zone"));
        table_number(t, number_of(z, "count"));
        table_number(t, number_of(z, "refused"));
        table_text(t, text_of(z, "first"));
        table_text(t, text_of(z, "last"));
        table_text(t, text_of(z, "reason"));
    }
    (void)table_print(t, TABLE_TEXT, none ? none : "");
    table_free(t);
}

static void print_counts(const json_t *s)
{
    const json_t *answers = json_object_get(s, "answers"), *queue = json_object_get(s, "queue"),
                 *journal = json_object_get(s, "journal");
    printf("answers   %" PRId64 " secure, %" PRId64 " unsigned, %" PRId64 " bogus, %" PRId64 " refused, %" PRId64
           " would be refused\n",
           number_of(answers, "secure"),
           number_of(answers, "insecure") + number_of(answers, "exempt") + number_of(answers, "opt-out"),
           number_of(answers, "bogus"), number_of(answers, "refused"), number_of(answers, "would_refuse"));
    printf("          %" PRId64 " excused, %" PRId64 " suspended, %" PRId64 " local or rewritten, %" PRId64
           " unanswered by anybody\n",
           number_of(answers, "exempt"), number_of(answers, "suspended"),
           number_of(answers, "local") + number_of(answers, "rewritten"), number_of(answers, "failed"));
    printf("queue     %" PRId64 " of %" PRId64 ", %" PRId64 " dropped\n", number_of(queue, "length"),
           number_of(queue, "capacity"), number_of(queue, "dropped"));
    printf("journal   %" PRId64 " record%s, %" PRId64 " lost; %" PRId64 " zone%s known\n",
           number_of(journal, "written"), words_s(number_of(journal, "written")), number_of(journal, "lost"),
           number_of(s, "zones"), words_s(number_of(s, "zones")));
}

/* Several lines, each made harmless. */
static void put_lines(const char *text)
{
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        char *line = strndup(text, (size_t)(end - text));
        cli_put_visible(stdout, line ? line : "?");
        putchar('\n');
        free(line);
    }
}

static void print_text(const json_t *s, const struct verdict *v)
{
    const json_t *policy = json_object_get(s, "policy"), *z;
    size_t i;
    printf("policy    %s", text_of(policy, "hash")[0] ? text_of(policy, "hash") : "none");
    if (text_of(policy, "title")[0]) {
        fputs(" \"", stdout);
        cli_put_visible(stdout, text_of(policy, "title"));
        fputs("\"", stdout);
    }
    printf(", mode %s%s, read %s\n", text_of(policy, "mode"),
           json_is_true(json_object_get(policy, "paused")) ? " (paused)" : "", text_of(policy, "loaded"));
    printf("module    assay %s in unbound %s, since %s\n", text_of(s, "assay"), text_of(s, "unbound"),
           text_of(s, "started"));
    print_counts(s);
    print_zones(s, "insecure", "Not signed, most asked first", "none");
    print_zones(s, "bogus", "Broken: validation fails", NULL);
    print_zones(s, "suspended", "Broken, and excused by a suspension", NULL);
    print_zones(s, "exempt", "Not signed, and excused by an exemption", NULL);
    json_array_foreach(json_object_get(s, "unneeded"), i, z) printf(
        "\nNo longer needed: the exemption %s, since %s is signed.\n", text_of(z, "statement"), text_of(z, "zone"));
    if (v->code != CLI_OK) {
        printf("\n%s", cli_colour(stdout, v->code == CLI_CRITICAL ? CLI_RED : CLI_YELLOW));
        put_lines(v->words.p);
        printf("%s", cli_colour(stdout, CLI_PLAIN));
    }
}

/* ---- for Prometheus ---- */

static void metric(struct buf *b, const char *name, const char *type, const char *what)
{
    buf_printf(b, "# HELP assay_resolver_%s %s\n# TYPE assay_resolver_%s %s\n", name, what, name, type);
}

/* A label's value: backslash, quote and newline escaped. */
static void add_label(struct buf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            buf_addc(b, '\\');
        if (*text == '\n')
            buf_adds(b, "\\n");
        else
            buf_addc(b, *text);
    }
}

static void gauge(struct buf *b, const char *name, const char *type, const char *what, int64_t value)
{
    metric(b, name, type, what);
    buf_printf(b, "assay_resolver_%s %" PRId64 "\n", name, value);
}

static void zone_metric(struct buf *b, const json_t *s, const char *key)
{
    const json_t *z;
    size_t i;
    json_array_foreach(json_object_get(s, key), i, z)
    {
        buf_adds(b, "assay_resolver_zone_answers_total{state=\"");
        add_label(b, key);
        buf_adds(b, "\",zone=\"");
        add_label(b, text_of(z, "zone"));
        buf_printf(b, "\"} %" PRId64 "\n", number_of(z, "count"));
    }
}

static bool print_prometheus(const json_t *s)
{
    struct buf b = BUF_INIT;
    const json_t *policy = json_object_get(s, "policy"), *queue = json_object_get(s, "queue"),
                 *journal = json_object_get(s, "journal"), *v;
    const char *key;
    gauge(&b, "up", "gauge", "1 while the module writes its status", age_of(s) <= STALE_SECONDS);
    metric(&b, "policy_info", "gauge", "the policy in force");
    buf_adds(&b, "assay_resolver_policy_info{hash=\"");
    add_label(&b, text_of(policy, "hash"));
    buf_adds(&b, "\",mode=\"");
    add_label(&b, text_of(policy, "mode"));
    buf_adds(&b, "\",source=\"");
    add_label(&b, text_of(policy, "source"));
    buf_adds(&b, "\"} 1\n");
    gauge(&b, "policy_error", "gauge", "1 while the policy file is bad", text_of(policy, "error")[0] != '\0');
    metric(&b, "answers_total", "counter",
           "answers judged, by state; refused and would_refuse are counted there besides");
    json_object_foreach(json_object_get(s, "answers"), key, v)
        buf_printf(&b, "assay_resolver_answers_total{state=\"%s\"} %" PRId64 "\n", key, (int64_t)json_integer_value(v));
    gauge(&b, "queue_length", "gauge", "answers waiting to be recorded", number_of(queue, "length"));
    gauge(&b, "dropped_total", "counter", "answers judged and not recorded, the queue being full",
          number_of(queue, "dropped"));
    gauge(&b, "journal_healthy", "gauge", "1 while the journal can be written",
          json_is_true(json_object_get(journal, "healthy")));
    gauge(&b, "journal_records_total", "counter", "records written to the journal", number_of(journal, "written"));
    gauge(&b, "journal_lost_total", "counter", "records lost on the way to the journal", number_of(journal, "lost"));
    gauge(&b, "zones", "gauge", "zone cuts known, by state", number_of(s, "zones"));
    gauge(&b, "judged_again_total", "counter", "cached answers marked for another judgement after a change of policy",
          number_of(s, "judged_again"));
    metric(&b, "zone_answers_total", "counter", "answers of the zones most asked for that are not secure");
    zone_metric(&b, s, "insecure");
    zone_metric(&b, s, "bogus");
    zone_metric(&b, s, "indeterminate");
    return cli_flush(&b);
}

/* ---- the command ---- */

static json_t *read_status(const char *dir)
{
    struct buf path = BUF_INIT;
    json_error_t error;
    buf_printf(&path, "%s/status.json", dir);
    json_t *s = json_load_file(path.p, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(s)) {
        cli_error("%s: %s: is the module at work there (assay-unbound(8)), and may you read it?", path.p,
                  error.text[0] ? error.text : "not a status");
        json_decref(s);
        s = NULL;
    }
    buf_release(&path);
    return s;
}

static bool print_json(const json_t *s)
{
    char *text = json_text(s, JSON_INDENT(2));
    bool ok = text && puts(text) >= 0 && fflush(stdout) == 0;
    free(text);
    return ok;
}

static int status(int argc, char **argv)
{
    struct status_options o = {.dir = ASSAY_STATEDIR "/resolver"};
    int n, rc = cli_options(&command_line, argc, argv, &o, &n);
    if (rc >= 0)
        return rc;
    json_t *s = read_status(o.dir);
    if (!s)
        return CLI_UNKNOWN;
    struct verdict v = {.code = CLI_OK, .words = BUF_INIT};
    status_judge(s, o.dir, &v);
    bool ok = true;
    if (o.json)
        ok = print_json(s);
    else if (o.prometheus)
        ok = print_prometheus(s);
    else
        print_text(s, &v);
    buf_release(&v.words);
    json_decref(s);
    return ok ? (int)v.code : EX_IOERR;
}

int cmd_resolver(int argc, char **argv)
{
    static const struct cli_command table[] = {
        {"status", status, NULL,
         "the module in Unbound: policy, counters, queue, and the domains most asked for that are not signed"},
        {NULL, NULL, NULL, NULL},
    };
    return cli_dispatch("assay resolver", table, argc, argv);
}
