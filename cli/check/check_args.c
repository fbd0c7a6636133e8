// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_args.c - the arguments of `assay check`.
 *
 * A wrong one ends with EX_USAGE and one line that says what would be right; nothing is asked of anybody before all of
 * them are read.
 */
#include "base/domain.h"
#include "cli/check/check_cmd.h"
#include "cli/cli.h"
#include "net/https.h"
#include "policy/policy_settings.h"
#include <stdlib.h>

#define NOT_GIVEN (~0u)

static bool number_of(const char *text, unsigned long most, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    *out = (unsigned)n;
    return *text >= '0' && *text <= '9' && !*end && n <= most;
}

static bool read_grade(const char *text, enum check_grade *out)
{
    for (int g = CHECK_A_PLUS; g <= CHECK_F; g++)
        if (strcasecmp(text, check_grade_name((enum check_grade)g)) == 0) {
            *out = (enum check_grade)g;
            return true;
        }
    return false;
}

bool check_domain_name(const char *text, char out[LIMIT_DOMAIN + 1])
{
    struct ip address;
    return domain_from_text(slice_trim(slice_str(text)), out) == STATUS_OK &&
           ip_from_text(slice_str(out), &address) != STATUS_OK;
}

const char *check_add_selector(struct check_options *o, const char *value)
{
    for (size_t i = 0; i < o->selector_count; i++)
        if (strcasecmp(o->selectors[i].name, value) == 0)
            return NULL;
    if (o->selector_count == CHECK_SELECTORS)
        return "taken: there are too many selectors";
    o->selectors[o->selector_count++] = (struct facts_selector){value, "option"};
    return NULL;
}

static const char *take_selector(void *into, const char *value)
{
    char name[LIMIT_DOMAIN + 1];
    if (domain_from_text(slice_str(value), name) != STATUS_OK)
        return "a DKIM selector, such as mail2026";
    return check_add_selector(into, value);
}

const char *check_set_ca_file(struct check_options *o, const char *value)
{
    o->ca_file = value;
    return https_has_authorities(value) ? NULL : "a file with certificates of authorities (PEM) that can be read";
}

static const char *take_ca_file(void *into, const char *value)
{
    return check_set_ca_file(into, value);
}

static const char *take_sender(void *into, const char *value)
{
    struct check_options *o = into;
    struct facts_sender s = {.source = "option"};
    if (ip_from_text(slice_str(value), &s.address) != STATUS_OK)
        return "an IP address";
    for (size_t i = 0; i < o->sender_count; i++)
        if (ip_eq(&o->senders[i].address, &s.address))
            return NULL;
    if (o->sender_count == CHECK_SENDERS)
        return "taken: there are too many senders";
    o->senders[o->sender_count++] = s;
    return NULL;
}

static const char *take_table(void *into, const char *value)
{
    struct check_options *o = into;
    return number_of(value, 1000, &o->table) && o->table ? NULL : "a number from 1 to 1000";
}

#define STRING(x) #x
#define NUMBER(x) STRING(x)

static const char *take_parallel(void *into, const char *value)
{
    struct check_options *o = into;
    return number_of(value, CHECK_PARALLEL_MOST, &o->parallel) && o->parallel
               ? NULL
               : "a number from 1 to " NUMBER(CHECK_PARALLEL_MOST);
}

const char *check_set_pace(struct check_options *o, const char *value)
{
    return number_of(value, 60000, &o->pace_ms) ? NULL : "milliseconds from 0 to 60000";
}

static const char *take_pace(void *into, const char *value)
{
    return check_set_pace(into, value);
}

static const char *take_profile(void *into, const char *value)
{
    ((struct check_options *)into)->profile = value;
    return check_profile_exists(value) ? NULL : "a profile: nl, bulk-sender, bod-18-01";
}

static const char *take_language(void *into, const char *value)
{
    return cli_take_language(&((struct check_options *)into)->lang, value);
}

static const char *take_grade(void *into, const char *value)
{
    return read_grade(value, &((struct check_options *)into)->least) ? NULL : "one of A+, A, B, C, D, E, F";
}

#define OPTIONS_OF struct check_options
static const struct option_row rows[] = {
    OPTIONS_HEADING("What to check"),
    OPTIONS_TEXT(0, "list", "FILE", list, "the domains in a file, one a line"),
    OPTIONS_FLAG(0, "own", own, "the policy's own domains"),
    OPTIONS_TAKE(0, "selector", "NAME", take_selector, "a DKIM selector to look at; may be given several times"),
    OPTIONS_TAKE(0, "sender", "ADDRESS", take_sender, "an address that sends mail of it; may be given several times"),
    OPTIONS_TEXT(0, "from", "FILE", from, "judge facts that were saved, and ask nobody"),
    OPTIONS_TEXT(0, "save", "FILE", save, "keep the facts; with several domains a folder"),
    OPTIONS_FLAG(0, "keep", keep, "keep the facts in the ledger, where assay report looks for them"),
    OPTIONS_HEADING("What to show"),
    OPTIONS_FLAG(0, "fix", fix, "only the three things to do, ready to copy"),
    OPTIONS_FLAG(0, "json", json, "for programs"),
    OPTIONS_FLAG(0, "csv", csv, "for spreadsheets"),
    OPTIONS_TEXT(0, "html", "FILE", html, "a page"),
    OPTIONS_TAKE(0, "lang", "LANGUAGE", take_language, LANGUAGE_NAMES "; by default the user's"),
    OPTIONS_TEXT(0, "label", "FILE", label, "a label for a web page (SVG)"),
    OPTIONS_TAKE(0, "profile", "NAME", take_profile, "against a list of requirements: nl, bulk-sender, bod-18-01"),
    OPTIONS_FLAG(0, "tests", tests, "every test, and what it asks for"),
    OPTIONS_HEADING("For a timer or a monitoring system"),
    OPTIONS_FLAG(0, "nagios", nagios, "one line; exit code 0 good, 1 warning, 2 critical, 3 unknown"),
    OPTIONS_TAKE(0, "min-grade", "GRADE", take_grade, "critical below this grade (A+, A, B, ...)"),
    OPTIONS_FLAG(0, "watch", watch, "say only what changed since the last time"),
    OPTIONS_TEXT(0, "state", "FILE", state, "where --watch keeps what it saw, in place of the ledger"),
    OPTIONS_TEXT(0, "prometheus", "FILE", prometheus, "metrics for a node exporter"),
    OPTIONS_HEADING("How"),
    OPTIONS_TEXT(0, "resume", "FILE", resume,
                 "write each result into FILE as a line of JSON, and skip the domains that are there already"),
    OPTIONS_TAKE(0, "parallel", "COUNT", take_parallel, "domains at once (set check.parallel)"),
    OPTIONS_TAKE(0, "pace", "MS", take_pace, "least time between two questions to one address (set check.pace)"),
    OPTIONS_FLAG(0, "allow-private", allow_private, "ask private and loopback addresses, too"),
    OPTIONS_TAKE(0, "ca-file", "FILE", take_ca_file, "authorities to trust in place of the system's (PEM)"),
    OPTIONS_TEXT('P', "policy", "FILE", policy, "the policy (for --own, and its dns.* settings)"),
    OPTIONS_TAKE(0, "table", "N", take_table, "grade by this version of the table"),
};

static const struct options_spec command_line = {
    .synopsis = "[OPTION...] DOMAIN...\n--list FILE | --own | --from FILE",
    .text =
        "Is a domain safe to write to, and safe from being forged? One grade, and the three things most worth doing. "
        "Nothing is sent to anybody.",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .most = OPTIONS_ANY,
};

/* A file that the run writes must not be another file of the run: the second would overwrite the first, or what was
 * read. */
static int check_files(const struct check_options *o)
{
    const struct {
        const char *option, *path;
        bool written;
    } files[] = {{"--html", o->html, true},       {"--label", o->label, true},   {"--prometheus", o->prometheus, true},
                 {"--state", o->state, true},     {"--resume", o->resume, true}, {"--save", o->save, true},
                 {"--from", o->from, false},      {"--list", o->list, false},    {"--policy", o->policy, false},
                 {"--ca-file", o->ca_file, false}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        for (size_t k = 0; k < i; k++)
            if (files[i].path && files[k].path && (files[i].written || files[k].written) &&
                cli_is_one_file(files[i].path, files[k].path))
                return cli_usage("%s and %s are the same file", files[k].option, files[i].option);
    return -1;
}

static int check_sense(const struct check_options *o)
{
    int sources = (o->list != NULL) + o->own + (o->from != NULL) + (o->domain_count > 0);
    if (o->tests)
        return sources ? cli_usage("--tests lists the tests, and takes no domains") : -1;
    if (sources == 0)
        return cli_usage("give a domain, or --list, --own or --from");
    if (o->from && (o->list || o->own || o->domain_count))
        return cli_usage("--from judges saved facts and takes no domains");
    if (o->keep && (o->save || o->from))
        return cli_usage("--keep puts the facts into the ledger, and takes neither --save nor --from");
    if (o->from && (o->save || o->selector_count || o->sender_count || o->resume))
        return cli_usage("--from judges facts as they are: it takes none of --save, --selector, --sender and --resume");
    if (o->watch && (o->json || o->csv))
        return cli_usage("--watch says what changed, in lines: it takes neither --json nor --csv");
    if (o->json + o->csv + o->fix + o->nagios + o->watch > 1)
        return cli_usage("--fix, --json, --csv, --nagios and --watch exclude each other");
    if (o->state && !o->watch)
        return cli_usage("--state is for --watch");
    if ((o->html || o->label) && (o->list || o->own || o->domain_count > 1))
        return cli_usage("--html and --label take one domain");
    return check_files(o);
}

void check_args_settle(struct check_options *o, const struct policy *policy)
{
    const struct policy *p = policy ? policy_ref(policy) : policy_load_text(SLICE_LIT(""), "defaults", NULL);
    if (!o->parallel)
        o->parallel = p ? (unsigned)policy_set_number(p, SETTING_CHECK_PARALLEL) : 1;
    if (o->pace_ms == NOT_GIVEN)
        o->pace_ms = p ? (unsigned)policy_set_number(p, SETTING_CHECK_PACE) * 1000 : GATHER_PACE_MS;
    o->sockets = p ? (unsigned)policy_set_number(p, SETTING_CHECK_SOCKETS) : GATHER_AT_ONCE;
    o->memory = p ? (size_t)policy_set_number(p, SETTING_CHECK_MEMORY) : GATHER_MEMORY;
    policy_unref(p);
}

int check_args_read(int argc, char **argv, struct check_options *o)
{
    int n;
    *o = (struct check_options){.pace_ms = NOT_GIVEN, .least = CHECK_NONE};
    const int rc = cli_options(&command_line, argc, argv, o, &n);
    if (rc >= 0)
        return rc;
    o->domains = argv + 1;
    o->domain_count = (size_t)n;
    cli_speak(&o->lang, o->json || o->csv || o->nagios || o->watch || o->resume);
    return check_sense(o);
}
