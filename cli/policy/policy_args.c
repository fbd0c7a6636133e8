// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_args.c - the arguments of the sub-commands of `assay policy`.
 *
 * The policy is an operand or follows -P; if neither is given, it is the installed one.
 */
#include "cli/policy/policy_cmd.h"
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

enum option_number {
    OPT_JSON = 256,
    OPT_CSV,
    OPT_HTML,
    OPT_DEFAULTS,
    OPT_SETTING,
    OPT_FROM,
    OPT_FOR,
    OPT_STANDARD,
    OPT_CLIENT,
    OPT_NAMES,
    OPT_AT,
    OPT_SIGNED,
    OPT_SUBMISSION,
    OPT_LISTENER,
    OPT_DNS,
    OPT_STATE,
    OPT_ASK_DNS,
    OPT_STRICT,
    OPT_FOR_RELOAD
};

static const struct option options[] = {
    {"policy", required_argument, NULL, 'P'},
    {"help", no_argument, NULL, 'h'},
    {"json", no_argument, NULL, OPT_JSON},
    {"csv", no_argument, NULL, OPT_CSV},
    {"html", no_argument, NULL, OPT_HTML},
    {"defaults", no_argument, NULL, OPT_DEFAULTS},
    {"setting", required_argument, NULL, OPT_SETTING},
    {"from", required_argument, NULL, OPT_FROM},
    {"for", required_argument, NULL, OPT_FOR},
    {"standard", required_argument, NULL, OPT_STANDARD},
    {"client", required_argument, NULL, OPT_CLIENT},
    {"names", no_argument, NULL, OPT_NAMES},
    {"at", required_argument, NULL, OPT_AT},
    {"signed-by", required_argument, NULL, OPT_SIGNED},
    {"submission", no_argument, NULL, OPT_SUBMISSION},
    {"listener", required_argument, NULL, OPT_LISTENER},
    {"dns", required_argument, NULL, OPT_DNS},
    {"ask-dns", no_argument, NULL, OPT_ASK_DNS},
    {"state", required_argument, NULL, OPT_STATE},
    {"strict", no_argument, NULL, OPT_STRICT},
    {"for-reload", no_argument, NULL, OPT_FOR_RELOAD},
    {NULL, 0, NULL, 0},
};

static unsigned bit_of(int o)
{
    switch (o) {
    case 'P':
        return POLICY_ARG_FILE | POLICY_ARG_POLICY;
    case OPT_DNS:
        return POLICY_ARG_MAIL | POLICY_ARG_DNS;
    case OPT_ASK_DNS:
        return POLICY_ARG_DNS;
    case OPT_STATE:
        return POLICY_ARG_STATE;
    case OPT_STRICT:
    case OPT_FOR_RELOAD:
        return POLICY_ARG_CHECK;
    case OPT_JSON:
        return POLICY_ARG_JSON;
    case OPT_CSV:
        return POLICY_ARG_CSV;
    case OPT_HTML:
        return POLICY_ARG_HTML;
    case OPT_DEFAULTS:
    case OPT_SETTING:
        return POLICY_ARG_DEFAULTS;
    case OPT_AT:
        return POLICY_ARG_AT | POLICY_ARG_QUESTION;
    default:
        return POLICY_ARG_QUESTION;
    }
}

/* Noon of that day: exemptions are judged as they stand on it. */
static bool take_day(struct policy_args *a, const char *text)
{
    a->at = policy_day(slice_str(text), 0);
    if (a->at)
        a->at += 43200;
    return a->at != 0;
}

static bool take(struct policy_args *a, int o, const char *value)
{
    switch (o) {
    case 'P':
        a->file = value;
        return true;
    case OPT_STRICT:
        return a->strict = true;
    case OPT_FOR_RELOAD:
        return a->for_reload = true;
    case OPT_JSON:
        return a->json = true;
    case OPT_CSV:
        return a->csv = true;
    case OPT_HTML:
        return a->html = true;
    case OPT_DEFAULTS:
        return a->defaults = true;
    case OPT_SETTING:
        a->setting = value;
        return a->defaults = true;
    case OPT_FROM:
        a->from = value;
        return true;
    case OPT_FOR:
        a->rcpt = value;
        return true;
    case OPT_STANDARD:
        a->standard = value;
        return true;
    case OPT_CLIENT:
        a->client = value;
        return true;
    case OPT_DNS:
        a->dns = value;
        return true;
    case OPT_ASK_DNS:
        return a->ask_dns = true;
    case OPT_STATE:
        a->state = value;
        return true;
    case OPT_NAMES:
        return a->names = true;
    case OPT_SUBMISSION:
        return a->submission = true;
    case OPT_LISTENER:
        a->listener = value;
        return true;
    case OPT_AT:
        return take_day(a, value);
    default:
        if (a->signer_count == POLICY_SIGNERS_MAX)
            return false;
        a->signers[a->signer_count++] = value;
        return true;
    }
}

static int help(const struct policy_usage *u)
{
    printf("Usage: assay policy %s\n\n%s\n\nWithout FILE the policy is %s.\n", u->synopsis, u->text, CLI_POLICY_PATH);
    return EX_OK;
}

int policy_args_read(struct policy_args *a, const struct policy_usage *u, int argc, char **argv, unsigned allowed)
{
    *a = (struct policy_args){0};
    opterr = 0;
    optind = 1;
    for (int o, index = 0; (o = getopt_long(argc, argv, ":P:h", options, &index)) != -1;) {
        if (o == 'h')
            return help(u);
        if (o == '?')
            return cli_usage("there is no option '%s'", argv[optind - 1]);
        if (o != ':' && !(bit_of(o) & allowed))
            return cli_usage("--%s is no option of this command", o == 'P' ? "policy" : options[index].name);
        if (o == ':')
            return cli_usage("'%s' needs a value", argv[optind - 1]);
        if (!take(a, o, optarg))
            return cli_usage("'%s' is not valid for --%s", optarg,
                             o == OPT_AT ? "at (a day: 2027-03-31)" : "signed-by");
    }
    if ((allowed & POLICY_ARG_OTHER) && optind < argc)
        a->other = argv[optind++];
    if ((allowed & POLICY_ARG_MAIL) && optind < argc)
        a->mail = argv[optind++];
    if (!a->file && (allowed & POLICY_ARG_FILE) && optind < argc)
        a->file = argv[optind++];
    if (optind < argc)
        return cli_usage("unexpected argument '%s'", argv[optind]);
    if (!a->file)
        a->file = CLI_POLICY_PATH;
    return -1;
}
