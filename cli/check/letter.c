// SPDX-License-Identifier: BSD-2-Clause
/*
 * letter.c - `assay letter DOMAIN`: the mail to whoever must mend a domain. Polite, exact, and never sent by itself.
 *
 * Written from a check that runs now, or from facts that were saved. It names no mail, no user and no client of ours:
 * only what anybody can see of the domain from outside. Text of a stranger in it was made visible (check/testing.c); in
 * an .eml every line is plain text within RFC 5322's length.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "base/language.h"
#include "cli/check/check_cmd.h"
#include "cli/cli.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#define T(text) language_text(l->language, LANGUAGE_MARK(text))
#define COLUMNS 76 /* RFC 5322 2.1.1 advises 78 */

enum { TO = 1, LANG, FROM, EML, POLICY, SELECTOR, PRIVATE, CA, PACE };

struct letter {
    struct check_options o;
    enum language language;
    bool supplier;
    const char *eml, *owner;
    struct buf out;
    int rc;
};

static void help(void)
{
    puts("Usage: assay letter [OPTION...] DOMAIN\n"
         "       assay letter --from FILE\n"
         "\n"
         "Writes the mail to whoever must mend a domain: what was found, why it matters,\n"
         "what to publish. Nothing is sent.\n"
         "\n"
         "  --to WHOM           supplier or correspondent (the default)\n"
         "  --lang LANGUAGE     en or nl; by default the user's\n"
         "  --eml FILE          as a message, to open in a mail program\n"
         "  --from FILE         from facts that `assay check --save` kept\n"
         "  --selector NAME     a DKIM selector to look at\n"
         "  --policy FILE       the policy, for its owner and its dns.* settings\n"
         "  --allow-private     ask private and loopback addresses, too\n"
         "  --ca-file FILE      authorities to trust in place of the system's (PEM)\n"
         "  --pace MS           least time between two questions to one address (1000)");
}

/* Adds text in lines of at most COLUMNS, each behind the same blanks; long words stand alone. */
static void add_wrapped(struct buf *out, const char *text, unsigned indent)
{
    size_t column = 0;
    for (const char *p = text; *p;) {
        size_t blanks = strspn(p, " \n"), n = strcspn(p + blanks, " \n");
        p += blanks;
        if (!n)
            break;
        if (column && column + 1 + n > COLUMNS) {
            buf_addc(out, '\n');
            column = 0;
        }
        if (!column) {
            buf_printf(out, "%*s", (int)indent, "");
            column = indent;
        } else {
            buf_addc(out, ' ');
            column++;
        }
        buf_add(out, p, n);
        column += n;
        p += n;
    }
    buf_addc(out, '\n');
}

static void add_part(struct letter *l, const char *title, const char *text)
{
    buf_printf(&l->out, "   %s\n", title);
    add_wrapped(&l->out, text, 6);
}

static void add_finding(struct letter *l, const struct check_report *r, enum check_test test, unsigned number)
{
    const struct check_test_info *info = check_test_info(test);
    buf_printf(&l->out, "\n%u. ", number);
    add_wrapped(&l->out, language_text(l->language, info->sentence), 0);
    add_part(l, T("This is not so. What we found:"), r->results[test].evidence);
    add_part(l, T("Why it matters:"), language_text(l->language, info->breaks));
    if (r->results[test].fix) /* to be copied: never broken into lines */
        buf_printf(&l->out, "   %s\n      %s\n", T("What would mend it:"), r->results[test].fix);
    add_part(l, T("Who can do it:"), language_text(l->language, check_who_words(info->who)));
}

static void add_opening(struct letter *l, const struct check_report *r)
{
    char when[CLOCK_TEXT];
    clock_utc_text(r->at, when);
    when[10] = '\0';
    buf_printf(&l->out, "%s\n\n", T("Dear colleague,"));
    struct buf b = BUF_INIT;
    if (l->supplier)
        buf_printf(
            &b, "%s %s",
            T("Our organisation depends on your services, and we ask of our suppliers that mail and DNS are safe."),
            T("On the day named below we looked at what anybody can see of your domain from outside."));
    else
        buf_printf(&b, "%s %s", T("We exchange mail with your domain, and would like to do so safely."),
                   T("On the day named below we looked at what anybody can see of your domain from outside."));
    add_wrapped(&l->out, b.p, 0);
    buf_release(&b);
    buf_printf(&l->out, "\n%s %s\n%s %s\n", T("Domain:"), r->domain, T("Day:"), when);
}

static void add_closing(struct letter *l)
{
    buf_addc(&l->out, '\n');
    add_wrapped(&l->out,
                T("You can see the same by the command \"assay check\" with the name of your domain, or test it at "
                  "internet.nl."),
                0);
    add_wrapped(&l->out, T("Should we be mistaken, please tell us; we will look again."), 0);
    buf_printf(&l->out, "\n%s\n", T("With kind regards,"));
    if (l->owner && *l->owner)
        buf_printf(&l->out, "%s\n", l->owner);
}

static void write_letter(struct letter *l, const struct check_report *r)
{
    unsigned number = 0;
    add_opening(l, r);
    for (size_t i = 0; i < CHECK_FIRST && r->first[i] != CHECK_TESTS; i++)
        add_finding(l, r, r->first[i], ++number);
    if (!number) {
        buf_addc(&l->out, '\n');
        add_wrapped(&l->out, T("Everything that we ask for is in order. Thank you."), 0);
    }
    add_closing(l);
}

/* The letter as a message (RFC 5322): to postmaster, whom every domain must have (RFC 5321 4.5.1). */
static int write_eml(struct letter *l, const char *domain)
{
    struct buf b = BUF_INIT;
    buf_printf(&b,
               "To: postmaster@%s\nSubject: %s %s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
               "Content-Transfer-Encoding: 8bit\nX-Unsent: 1\n\n",
               domain, T("Mail and DNS security of"), domain);
    buf_addslice(&b, buf_slice(&l->out));
    int fd = open(l->eml, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = !b.failed && fd >= 0 && write(fd, b.p, b.n) == (ssize_t)b.n;
    if (!good)
        cli_error("%s: %s", l->eml, b.failed ? "out of memory" : strerror(errno));
    if (fd >= 0)
        close(fd);
    buf_release(&b);
    return good ? EX_OK : EX_CANTCREAT;
}

static void one_done(void *context, struct check_one *one)
{
    struct letter *l = context;
    if (one->error) {
        cli_error("%s: %s", one->domain, one->error);
        l->rc = EX_DATAERR;
        return;
    }
    write_letter(l, &one->report);
    if (l->eml)
        l->rc = write_eml(l, one->domain);
    else
        l->rc = fwrite(l->out.p, 1, l->out.n, stdout) == l->out.n ? EX_OK : EX_IOERR;
}

static int take(struct letter *l, int c, const char *text)
{
    char *end;
    unsigned long pace;
    switch (c) {
    case TO:
        l->supplier = strcmp(text, "supplier") == 0;
        return l->supplier || strcmp(text, "correspondent") == 0
                   ? -1
                   : cli_usage("--to %s: supplier or correspondent is wanted", text);
    case LANG:
        return language_from_name(text, &l->language) ? -1 : cli_usage("--lang %s: en or nl is wanted", text);
    case FROM:
        l->o.from = text;
        return -1;
    case EML:
        l->eml = text;
        return -1;
    case POLICY:
        l->o.policy = text;
        return -1;
    case CA:
        l->o.ca_file = text;
        return -1;
    case PRIVATE:
        l->o.allow_private = true;
        return -1;
    case PACE:
        pace = strtoul(text, &end, 10);
        l->o.pace_ms = (unsigned)pace;
        return *text >= '0' && *text <= '9' && !*end && pace <= 60000
                   ? -1
                   : cli_usage("--pace %s: milliseconds from 0 to 60000 are wanted", text);
    default:
        if (l->o.selector_count == CHECK_SELECTORS)
            return cli_usage("at most %d selectors", CHECK_SELECTORS);
        l->o.selectors[l->o.selector_count++] = (struct facts_selector){text, "option"};
        return -1;
    }
}

static int read_arguments(int argc, char **argv, struct letter *l)
{
    static const struct option options[] = {{"to", required_argument, NULL, TO},
                                            {"lang", required_argument, NULL, LANG},
                                            {"from", required_argument, NULL, FROM},
                                            {"eml", required_argument, NULL, EML},
                                            {"policy", required_argument, NULL, POLICY},
                                            {"selector", required_argument, NULL, SELECTOR},
                                            {"allow-private", no_argument, NULL, PRIVATE},
                                            {"ca-file", required_argument, NULL, CA},
                                            {"pace", required_argument, NULL, PACE},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            help();
            return EX_OK;
        }
        int rc = c == '?' ? cli_usage("see the options") : take(l, c, optarg);
        if (rc != -1)
            return rc;
    }
    if ((argc - optind != 1) != (l->o.from != NULL))
        return cli_usage(l->o.from ? "--from takes no domain" : "one domain is wanted, or --from FILE");
    return -1;
}

int cmd_letter(int argc, char **argv)
{
    struct letter l = {
        .o = {.parallel = 1, .pace_ms = GATHER_PACE_MS}, .language = language_of_user(), .out = BUF_INIT};
    char name[LIMIT_DOMAIN + 1], *names[] = {name};
    struct check_one one;
    int rc = read_arguments(argc, argv, &l);
    if (rc != -1)
        return rc;
    const char *path = l.o.policy ? l.o.policy : CLI_POLICY_PATH;
    const struct policy *policy = access(path, R_OK) == 0 ? policy_load(path, NULL) : NULL;
    l.owner = policy ? policy_owner(policy) : NULL;
    if (l.o.from) {
        (void)check_read_file(&l.o, l.o.from, &one);
        one_done(&l, &one);
        check_one_free(&one);
        rc = l.rc;
    } else if (domain_from_text(slice_str(argv[optind]), name) != STATUS_OK) {
        rc = cli_usage("'%s' is not a domain name", argv[optind]);
    } else {
        rc = check_run(&l.o, policy, names, 1, one_done, &l);
        rc = rc ? rc : l.rc;
    }
    buf_release(&l.out);
    policy_unref(policy);
    return rc;
}
