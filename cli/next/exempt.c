// SPDX-License-Identifier: BSD-2-Clause
/*
 * exempt.c - `assay exempt DOMAIN STANDARD[,...]`: writes an explained exception into the policy.
 *
 * What an exemption needs and the command line does not have (why, who agreed, until when) is asked at a terminal;
 * without one it is demanded (EX_USAGE). So is, where DMARC or SPF is excused, whose mail it is: a network's, a
 * signer's, or explicitly anybody's, which lets forged mail in that name in, too. Promises to write nothing unless the
 * policy with the statement loads; to show the difference and ask before (policy_write.h); and that --undo takes the
 * statement out again. On failure nothing is written.
 */
#include "base/calendar.h"
#include "base/clock.h"
#include "base/domain.h"
#include "base/ip.h"
#include "cli/cli.h"
#include "cli/harden/undo_store.h"
#include "cli/next/next.h"
#include "cli/next/policy_write.h"
#include "policy/policy.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MOST 300
#define TRIES 3

struct exempt_options {
    const char *policy, *state, *because, *agreed_by, *through, *ref, *via, *signed_by, *to;
    bool yes, undo, anyone;
};

#define OPTIONS_OF struct exempt_options
static const struct option_row rows[] = {
    OPTIONS_TEXT('b', "because", "TEXT", because, "why they cannot do it yet"),
    OPTIONS_TEXT(0, "agreed-by", "TEXT", agreed_by, "who agreed to it, and by which decision"),
    OPTIONS_TEXT(0, "through", "DATE", through, "its last day, at most 366 days from now: 2027-03-31"),
    OPTIONS_TEXT(0, "ref", "TEXT", ref, "a ticket or contract"),
    OPTIONS_TEXT(0, "via", "NETWORK", via, "only mail that comes from there: anyone can write a sender's name"),
    OPTIONS_TEXT(0, "signed-by", "DOMAIN", signed_by, "only mail with a valid signature of this domain"),
    OPTIONS_FLAG(0, "anyone", anyone, "mail from anywhere, forged mail in that name too"),
    OPTIONS_TEXT(0, "writing-to", "WHOM", to, "only mail to this domain, address or list"),
    OPTIONS_FLAG('y', "yes", yes, "do not ask before the file is changed"),
    OPTIONS_FLAG('u', "undo", undo, "take the last exemption written so out of the policy again"),
    OPTIONS_TEXT('P', "policy", "FILE", policy, "the policy (default " CLI_POLICY_PATH ")"),
    OPTIONS_TEXT('S', "state", "DIR", state, "the state folder (default " ASSAY_STATEDIR ")"),
};

static const struct options_spec command_line = {
    .synopsis =
        "DOMAIN STANDARD[,STANDARD...] [--because TEXT --agreed-by TEXT --through DATE] [--via NETWORK | --signed-by "
        "DOMAIN | --anyone] [--writing-to WHOM] [--ref TEXT] [--yes]\n--undo",
    .text = "Writes an explained exception into the policy: asks for what the command line does not say. Shows the "
            "change, and writes it if you answer yes.",
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

/* A value that stands in the policy without quotes: one word, or the name of a list. Anything else would add clauses of
 * its own to the statement, or turn the rest of its line into a comment. */
static const char *fault_of_word(const char *text)
{
    const char *word = text + (strncmp(text, "list ", 5) == 0 ? 5 : 0), *fault = fault_of(text);
    return fault ? fault : *word && !strpbrk(word, " #") ? NULL : "must be one word, or 'list NAME'";
}

/* A last day that is over everywhere on earth. */
static bool is_over(const char *day)
{
    char text[CLOCK_TEXT], fault[CALENDAR_FAULT];
    clock_utc_text(clock_wall() - 86400, text);
    return strlen(day) == 10 && !calendar_fault(slice_str(day), fault) && strncmp(day, text, 10) < 0;
}

static bool on_terminal(void)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* Asks for what is missing; -1: there. */
static int need(struct arena *a, const char **into, const char *option, const char *question)
{
    char line[ANSWER_MOST + 2];
    for (int i = 0; !*into && i < TRIES; i++) {
        if (!on_terminal())
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

/* What an exemption from DMARC or SPF lets in that names neither a network nor a signature. */
#define LETS_IN                                                                                                        \
    "%s is only a name, and anyone can write it: without --via or --signed-by the exemption lets in every mail in "    \
    "that name, forged mail too"

/* Which mail of the domain is excused: from where, or signed by whom. -1: said, or it need not be. */
static int need_origin(struct arena *a, struct exempt_options *o, const char *domain, bool by_name)
{
    struct ip_net network;
    char signer[LIMIT_DOMAIN + 1];
    const char *answer = NULL;
    if (!!o->via + !!o->signed_by + o->anyone > 1)
        return cli_usage("--via, --signed-by and --anyone: one of them");
    if (o->via || o->signed_by || o->anyone || !by_name)
        return -1;
    if (!on_terminal())
        return cli_usage(LETS_IN "\nadd --via NETWORK (where their mail comes from; 'assay why --from %s' shows it), "
                                 "--signed-by DOMAIN (who signs it), or --anyone if forged mail may come in",
                         domain, domain);
    printf("\n" LETS_IN ".\n'assay why --from %s' shows from where its mail comes.\n", domain, domain);
    int rc = need(a, &answer, "--via or --signed-by",
                  "Only mail from this network (192.0.2.0/24), or signed by this domain, or 'anyone'");
    if (rc >= 0)
        return rc;
    if (strcasecmp(answer, "anyone") == 0)
        o->anyone = true;
    else if (ip_net_from_text(slice_str(answer), &network) == STATUS_OK || strncmp(answer, "list ", 5) == 0)
        o->via = answer;
    else if (domain_from_text(slice_str(answer), signer) == STATUS_OK)
        o->signed_by = answer;
    else
        return cli_usage("'%s' is neither a network nor a domain: nothing was written", answer);
    return -1;
}

/* -1, unless the network is everybody's: what --anyone lets in must be asked for by that name. */
static int need_some_network(const struct exempt_options *o)
{
    struct ip_net network;
    if (!o->via || ip_net_from_text(slice_str(o->via), &network) != STATUS_OK || network.bits > 0)
        return -1;
    return cli_usage("--via %s is everybody: name their network, or --anyone if forged mail may come in", o->via);
}

static int need_all(struct arena *a, struct exempt_options *o, const char *domain, bool by_name)
{
    int rc = need_origin(a, o, domain, by_name);
    if (rc < 0)
        rc = need_some_network(o);
    if (rc < 0)
        rc = need(a, &o->because, "--because", "Why can they not do it yet");
    if (rc < 0)
        rc = need(a, &o->agreed_by, "--agreed-by", "Who agreed to it");
    if (rc < 0)
        rc = need(a, &o->through, "--through", "Its last day, at most 366 days from now (2027-03-31)");
    const char *words[] = {o->through, o->via, o->signed_by, o->to};
    for (size_t i = 0; rc < 0 && i < sizeof words / sizeof *words; i++)
        if (words[i] && fault_of_word(words[i]))
            rc = cli_usage("'%s': %s", words[i], fault_of_word(words[i]));
    if (rc < 0 && o->ref && fault_of(o->ref))
        rc = cli_usage("'%s': %s", o->ref, fault_of(o->ref));
    if (rc < 0 && is_over(o->through))
        rc = cli_usage("--through: %s is over: the exemption would do nothing", o->through);
    return rc;
}

/* "dmarc,spf" to "dmarc, spf"; NULL: one is not a standard. *by_name: one of them is about whose name a mail bears. */
static const char *standards_of(struct arena *a, const char *text, bool *by_name)
{
    const char *out = "";
    for (const char *p = text; out;) {
        size_t n = strcspn(p, ",");
        struct slice word = slice_trim(slice_of(p, n));
        enum standard standard = standard_from_name(word);
        if (standard >= STANDARD_MAIL_COUNT)
            return NULL;
        *by_name |= standard == STANDARD_DMARC || standard == STANDARD_SPF;
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

/* Whom the exemption lets in besides the domain itself; NULL: it is bound to no network and no signer, and of that the
 * policy's reader warns. */
static const char *beware_of(struct arena *a, const struct exempt_options *o, const char *domain, const char *standards)
{
    if (!o->via && !o->signed_by)
        return NULL;
    return arena_printf(a, "whoever %s %s may then write as %s without %s: at a provider its other customers, too",
                        o->via ? "sends mail through" : "has mail signed by", o->via ? o->via : o->signed_by, domain,
                        standards);
}

/* Adds the statement at the end of the policy. */
static int write_it(struct arena *a, const struct exempt_options *o, const char *statement, const char *beware,
                    const char *keep)
{
    struct policy_write w = {.path = o->policy,
                             .keep = keep,
                             .warn_from_line = 1,
                             .beware = beware,
                             .yes = o->yes,
                             .then = "'assay policy explained' lists it with all others; 'assay exempt --undo' takes "
                                     "it out again."};
    int rc = policy_write_read(a, o->policy, &w.before);
    if (rc >= 0)
        return rc;
    struct buf text = BUF_INIT;
    buf_add(&text, w.before.p, w.before.n);
    policy_write_add(&text, w.before, statement);
    const char *kept = text.failed ? NULL : arena_copy(a, text.p, text.n);
    w.after = kept ? slice_of(kept, text.n) : SLICE_NULL;
    buf_release(&text);
    for (size_t i = 0; i < w.before.n; i++)
        w.warn_from_line += w.before.p[i] == '\n';
    return policy_write(a, &w);
}

static int exempt(struct arena *a, struct exempt_options *o, char **argv, const char *keep)
{
    char domain[LIMIT_DOMAIN + 1];
    if (domain_from_text(slice_str(argv[1]), domain) != STATUS_OK)
        return cli_usage("'%s' is not a domain name", argv[1]);
    bool by_name = false;
    const char *standards = standards_of(a, argv[2], &by_name);
    if (!standards)
        return cli_usage("'%s': what is excused is one or more of spf, dkim, dmarc, arc, dane, tls, dnssec, "
                         "message-format, rdns",
                         argv[2]);
    int rc = need_all(a, o, domain, by_name);
    if (rc >= 0)
        return rc;
    const char *statement = statement_of(a, o, domain, standards);
    return statement ? write_it(a, o, statement, beware_of(a, o, domain, standards), keep) : EX_OSERR;
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
    rc = !keep ? EX_OSERR : o.undo ? next_undo(a, keep, POLICY_WRITE_RELOAD) : exempt(a, &o, argv, keep);
    arena_free(a);
    return rc;
}
