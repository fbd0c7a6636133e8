// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_args.c - the arguments of the sub-commands of `assay policy`.
 *
 * The policy is an operand or follows -P; if neither is given, it is the installed one.
 */
#include "cli/policy/policy_cmd.h"
#include "cli/day.h"

/* Noon of that day: exemptions are judged as they stand on it. */
static const char *take_day(void *into, const char *value)
{
    struct policy_args *a = into;
    a->at = policy_day(slice_str(value), 0);
    if (!a->at)
        return cli_day_wanted(value, "a day such as 2027-03-31");
    a->at += 43200;
    return NULL;
}

static const char *take_signer(void *into, const char *value)
{
    struct policy_args *a = into;
    if (a->signer_count == POLICY_SIGNERS_MAX)
        return "taken: there are too many";
    a->signers[a->signer_count++] = value;
    return NULL;
}

static const char *take_language(void *into, const char *value)
{
    return cli_take_language(&((struct policy_args *)into)->lang, value);
}

static const char *take_setting(void *into, const char *value)
{
    struct policy_args *a = into;
    a->setting = value;
    a->defaults = true;
    return NULL;
}

// clang-format off
#define AT(field) offsetof(struct policy_args, field)
static const struct option_row rows[] = {
    {0, "from", "DOMAIN", "the sender's domain", OPTION_TEXT, AT(from), 0, 0, NULL, POLICY_ARG_QUESTION},
    {0, "for", "RECIPIENT", "who the mail is for", OPTION_TEXT, AT(rcpt), 0, 0, NULL, POLICY_ARG_QUESTION},
    {0, "standard", "STANDARD", "this standard only", OPTION_TEXT, AT(standard), 0, 0, NULL, POLICY_ARG_QUESTION},
    {0, "client", "ADDRESS", "the client that sends the mail to this server", OPTION_TEXT, AT(client), 0, 0, NULL, POLICY_ARG_QUESTION},
    {0, "signed-by", "DOMAIN", "with a valid signature of this domain; may be given several times", OPTION_TAKE, 0, 0, 0, take_signer, POLICY_ARG_QUESTION},
    {0, "listener", "NAME", "at this listener", OPTION_TEXT, AT(listener), 0, 0, NULL, POLICY_ARG_QUESTION},
    {0, "names", NULL, "as the resolver asks: of a name, not of mail", OPTION_FLAG, AT(names), 0, 0, NULL, POLICY_ARG_QUESTION},
    {0, "submission", NULL, "of mail that our own users send", OPTION_FLAG, AT(submission), 0, 0, NULL, POLICY_ARG_QUESTION},
    {0, "defaults", NULL, "every setting with its value", OPTION_FLAG, AT(defaults), 0, 0, NULL, POLICY_ARG_DEFAULTS},
    {0, "setting", "NAME", "this setting only", OPTION_TAKE, 0, 0, 0, take_setting, POLICY_ARG_DEFAULTS},
    {0, "at", "DATE", "as of that day: 2027-03-31", OPTION_TAKE, 0, 0, 0, take_day, POLICY_ARG_AT | POLICY_ARG_QUESTION},
    {0, "ask-dns", NULL, "check in DNS whether our own domains publish DMARC", OPTION_FLAG, AT(ask_dns), 0, 0, NULL, POLICY_ARG_DNS},
    {0, "dns", "FILE", "saved answers instead of DNS", OPTION_TEXT, AT(dns), 0, 0, NULL, POLICY_ARG_MAIL | POLICY_ARG_DNS},
    {0, "state", "DIR", "the programs' folder (default " ASSAY_STATEDIR ")", OPTION_TEXT, AT(state), 0, 0, NULL, POLICY_ARG_STATE},
    {0, "strict", NULL, "exit with code 1 if there are warnings", OPTION_FLAG, AT(strict), 0, 0, NULL, POLICY_ARG_CHECK},
    {0, "for-reload", NULL, "check whether a reload now would accept the policy", OPTION_FLAG, AT(for_reload), 0, 0, NULL, POLICY_ARG_CHECK},
    {0, "wait", "PROGRAM", "wait, at most 5 seconds, until this program runs on what the file says", OPTION_TEXT, AT(wait), 0, 0, NULL, POLICY_ARG_WAIT},
    {0, "summary", NULL, "only the example mails, and how much the policy says", OPTION_FLAG, AT(summary), 0, 0, NULL, POLICY_ARG_SUMMARY},
    {0, "json", NULL, "for programs", OPTION_FLAG, AT(json), 0, 0, NULL, POLICY_ARG_JSON},
    {0, "csv", NULL, "for spreadsheets", OPTION_FLAG, AT(csv), 0, 0, NULL, POLICY_ARG_CSV},
    {0, "lang", "LANGUAGE", LANGUAGE_NAMES "; by default the user's", OPTION_TAKE, 0, 0, 0, take_language, POLICY_ARG_LANG},
    {0, "html", NULL, "for a browser", OPTION_FLAG, AT(html), 0, 0, NULL, POLICY_ARG_HTML},
    {'P', "policy", "FILE", "the policy (default " CLI_POLICY_PATH ")", OPTION_TEXT, AT(file), 0, 0, NULL, POLICY_ARG_FILE | POLICY_ARG_POLICY},
};
// clang-format on

int policy_args_read(struct policy_args *a, const struct policy_usage *u, int argc, char **argv, unsigned allowed)
{
    const struct options_spec spec = {.synopsis = u->synopsis,
                                      .text = u->text,
                                      .rows = rows,
                                      .row_count = sizeof rows / sizeof *rows,
                                      .takes = allowed,
                                      .most = OPTIONS_ANY};
    int n = 0, used = 0;
    *a = (struct policy_args){0};
    int rc = cli_options(&spec, argc, argv, a, &n);
    if (rc >= 0)
        return rc;
    if ((allowed & POLICY_ARG_OTHER) && used < n)
        a->other = argv[++used];
    if ((allowed & POLICY_ARG_MAIL) && used < n)
        a->mail = argv[++used];
    if (!a->file && (allowed & POLICY_ARG_FILE) && used < n)
        a->file = argv[++used];
    if (used < n)
        return cli_usage("unexpected argument '%s'", argv[used + 1]);
    if (!a->file)
        a->file = CLI_POLICY_PATH;
    return -1;
}
