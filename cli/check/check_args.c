// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_args.c - the arguments of `assay check`.
 *
 * A wrong one ends with EX_USAGE and one line that says what would be right; nothing is asked of anybody before all of
 * them are read.
 */
#include "cli/check/check_cmd.h"
#include "cli/cli.h"
#include <getopt.h>
#include <stdlib.h>

enum {
    LIST = 1,
    OWN,
    SELECTOR,
    SAVE,
    FROM,
    TABLE,
    JSON,
    CSV,
    HTML,
    LABEL,
    FIX,
    TESTS,
    PROFILE,
    NAGIOS,
    GRADE,
    WATCH,
    STATE,
    RESUME,
    PARALLEL,
    POLICY,
    PRIVATE,
    CA,
    PACE,
    METRICS
};

static const struct option long_options[] = {{"list", required_argument, NULL, LIST},
                                             {"own", no_argument, NULL, OWN},
                                             {"selector", required_argument, NULL, SELECTOR},
                                             {"save", required_argument, NULL, SAVE},
                                             {"from", required_argument, NULL, FROM},
                                             {"table", required_argument, NULL, TABLE},
                                             {"json", no_argument, NULL, JSON},
                                             {"csv", no_argument, NULL, CSV},
                                             {"html", required_argument, NULL, HTML},
                                             {"label", required_argument, NULL, LABEL},
                                             {"fix", no_argument, NULL, FIX},
                                             {"tests", no_argument, NULL, TESTS},
                                             {"profile", required_argument, NULL, PROFILE},
                                             {"nagios", no_argument, NULL, NAGIOS},
                                             {"min-grade", required_argument, NULL, GRADE},
                                             {"watch", no_argument, NULL, WATCH},
                                             {"state", required_argument, NULL, STATE},
                                             {"resume", required_argument, NULL, RESUME},
                                             {"parallel", required_argument, NULL, PARALLEL},
                                             {"policy", required_argument, NULL, POLICY},
                                             {"allow-private", no_argument, NULL, PRIVATE},
                                             {"ca-file", required_argument, NULL, CA},
                                             {"pace", required_argument, NULL, PACE},
                                             {"prometheus", required_argument, NULL, METRICS},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

static void help(void)
{
    puts("Usage: assay check [OPTION...] DOMAIN...\n"
         "       assay check --list FILE | --own | --from FILE\n"
         "\n"
         "Is a domain safe to write to, and safe from being forged? One grade, and the\n"
         "three things most worth doing. Nothing is sent to anybody.\n"
         "\n"
         "What to check\n"
         "  --list FILE         the domains in a file, one a line\n"
         "  --own               the policy's own domains\n"
         "  --selector NAME     a DKIM selector to look at; may be given several times\n"
         "  --from FILE         judge facts that were saved, and ask nobody\n"
         "  --save FILE         keep the facts; with several domains a folder\n"
         "\n"
         "What to show\n"
         "  --fix               only the three things to do, ready to copy\n"
         "  --json, --csv       for programs\n"
         "  --html FILE         a page\n"
         "  --label FILE        a label for a web page (SVG)\n"
         "  --profile NAME      against a list of requirements: nl, bulk-sender, bod-18-01\n"
         "  --tests             every test, and what it asks for\n"
         "\n"
         "For a timer or a monitoring system\n"
         "  --nagios            one line; exit code 0 good, 1 warning, 2 critical,\n"
         "                      3 unknown\n"
         "  --min-grade GRADE   critical below this grade (A+, A, B, ...)\n"
         "  --watch             say only what changed since the last time\n"
         "  --state FILE        where --watch keeps what it saw\n"
         "  --prometheus FILE   metrics for a node exporter\n"
         "\n"
         "How\n"
         "  --resume FILE       write each result into FILE as a line of JSON, and skip\n"
         "                      the domains that are there already\n"
         "  --parallel N        domains at once (16)\n"
         "  --pace MS           least time between two questions to one address (1000)\n"
         "  --allow-private     ask private and loopback addresses, too\n"
         "  --ca-file FILE      authorities to trust in place of the system's (PEM)\n"
         "  --policy FILE       the policy (for --own, and its dns.* settings)\n"
         "  --table N           grade by this version of the table");
}

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

static int take_text(struct check_options *o, int c, const char *text)
{
    switch (c) {
    case LIST:
        o->list = text;
        break;
    case SELECTOR:
        if (o->selector_count == CHECK_SELECTORS)
            return cli_usage("at most %d selectors", CHECK_SELECTORS);
        o->selectors[o->selector_count++] = (struct facts_selector){text, "option"};
        break;
    case SAVE:
        o->save = text;
        break;
    case FROM:
        o->from = text;
        break;
    case HTML:
        o->html = text;
        break;
    case LABEL:
        o->label = text;
        break;
    case STATE:
        o->state = text;
        break;
    case RESUME:
        o->resume = text;
        break;
    case POLICY:
        o->policy = text;
        break;
    case CA:
        o->ca_file = text;
        break;
    default:
        o->prometheus = text;
    }
    return -1;
}

static int take(struct check_options *o, int c, const char *text)
{
    bool *const flags[] = {
        [OWN] = &o->own,     [JSON] = &o->json,     [CSV] = &o->csv,     [FIX] = &o->fix,
        [TESTS] = &o->tests, [NAGIOS] = &o->nagios, [WATCH] = &o->watch, [PRIVATE] = &o->allow_private};
    if ((size_t)c < sizeof flags / sizeof flags[0] && flags[c]) {
        *flags[c] = true;
        return -1;
    }
    switch (c) {
    case TABLE:
        return number_of(text, 1000, &o->table) && o->table ? -1 : cli_usage("--table %s: a number is wanted", text);
    case PARALLEL:
        return number_of(text, CHECK_PARALLEL_MOST, &o->parallel) && o->parallel
                   ? -1
                   : cli_usage("--parallel %s: a number from 1 to %d is wanted", text, CHECK_PARALLEL_MOST);
    case PACE:
        return number_of(text, 60000, &o->pace_ms)
                   ? -1
                   : cli_usage("--pace %s: milliseconds from 0 to 60000 are wanted", text);
    case PROFILE:
        o->profile = text;
        return check_profile_exists(text)
                   ? -1
                   : cli_usage("--profile %s: there is no such profile; known are nl, bulk-sender, bod-18-01", text);
    case GRADE:
        return read_grade(text, &o->least) ? -1 : cli_usage("--min-grade %s: one of A+, A, B, C, D, E is wanted", text);
    default:
        return take_text(o, c, text);
    }
}

static int check_sense(const struct check_options *o)
{
    int sources = (o->list != NULL) + o->own + (o->from != NULL) + (o->domain_count > 0);
    if (o->tests)
        return -1;
    if (sources == 0)
        return cli_usage("a domain is wanted, or --list, --own or --from");
    if (o->from && (o->list || o->own || o->domain_count))
        return cli_usage("--from judges saved facts and takes no domains");
    if (o->json && o->csv)
        return cli_usage("--json and --csv exclude each other");
    if (o->watch && !o->state)
        return cli_usage("--watch needs --state FILE, where it keeps what it saw");
    if ((o->html || o->label) && (o->list || o->own || o->domain_count > 1))
        return cli_usage("--html and --label take one domain");
    return -1;
}

int check_args_read(int argc, char **argv, struct check_options *o)
{
    int c;
    *o = (struct check_options){.parallel = CHECK_PARALLEL, .pace_ms = GATHER_PACE_MS, .least = CHECK_NONE};
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (c == 'h') {
            help();
            return EX_OK;
        }
        int rc = c == '?' ? cli_usage("see the options") : take(o, c, optarg);
        if (rc != -1)
            return rc;
    }
    o->domains = argv + optind;
    o->domain_count = (size_t)(argc - optind);
    return check_sense(o);
}
