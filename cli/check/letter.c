// SPDX-License-Identifier: BSD-2-Clause
/*
 * letter.c - `assay letter DOMAIN`: the mail to whoever must fix a domain. Polite, exact, and never sent by itself.
 *
 * Written from a check that runs now, or from facts that were saved. It names no mail, no user and no client of ours:
 * only what anybody can see of the domain from outside. Text of a stranger in it was made visible (check/testing.c); in
 * an .eml every line is plain text within RFC 5322's length. What could not be tested is never called good: it is
 * listed, and if nothing at all could be tested there is no letter. Every abbreviation is explained at its end.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "base/domain.h"
#include "cli/check/check_cmd.h"
#include "cli/check/letter_words.h"
#include "cli/cli.h"
#include <stdlib.h>
#include <unistd.h>

#define COLUMNS 76     /* RFC 5322 2.1.1 advises 78 */
#define EXIT_UNKNOWN 3 /* as `assay check`: nothing could be tested */

struct letter {
    struct check_options o;
    bool supplier;
    const char *eml, *owner;
    struct buf out;
    int rc;
};

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
    add_wrapped(&l->out, title, 3);
    add_wrapped(&l->out, text, 6);
}

static void add_finding(struct letter *l, const struct check_report *r, enum check_test test, unsigned number)
{
    const struct check_test_info *info = check_test_info(test);
    buf_printf(&l->out, "\n%u. ", number);
    add_wrapped(&l->out, cli_text(info->sentence), 0);
    add_part(l, _("This is not so. What we found:"), r->results[test].evidence);
    add_part(l, _("Why it matters:"), cli_text(info->breaks));
    if (r->results[test].fix) /* to be copied: never broken into lines */
        buf_printf(&l->out, "   %s\n      %s\n", _("What would mend it:"), r->results[test].fix);
    add_part(l, _("Who can do it:"), cli_text(check_who_words(info->who)));
}

static void add_opening(struct letter *l, const struct check_report *r)
{
    char when[CLOCK_TEXT];
    clock_utc_text(r->at, when);
    when[10] = '\0';
    buf_printf(&l->out, "%s\n\n", _("Dear colleague,"));
    struct buf b = BUF_INIT;
    if (l->supplier)
        buf_printf(
            &b, "%s %s",
            _("Our organisation depends on your services, and we ask of our suppliers that mail and DNS are safe."),
            _("On the day named below we looked at what anybody can see of your domain from outside."));
    else
        buf_printf(&b, "%s %s", _("We exchange mail with your domain, and would like to do so safely."),
                   _("On the day named below we looked at what anybody can see of your domain from outside."));
    add_wrapped(&l->out, b.p, 0);
    buf_release(&b);
    buf_printf(&l->out, "\n%s %s\n%s %s\n", _("Domain:"), r->domain, _("Day:"), when);
}

/* No abbreviation is left unexplained. */
static void add_words(struct letter *l)
{
    bool used[LETTER_WORDS] = {false};
    size_t n = 0;
    letter_words_find(l->out.p, used);
    for (size_t i = 0; letter_word_name(i); i++) {
        if (!used[i])
            continue;
        if (!n++)
            buf_printf(&l->out, "\n%s\n", _("What the abbreviations mean:"));
        struct buf b = BUF_INIT;
        buf_printf(&b, "%s - %s", letter_word_name(i), letter_word_meaning(i));
        add_wrapped(&l->out, b.p, 3);
        buf_release(&b);
    }
}

static void add_closing(struct letter *l)
{
    buf_addc(&l->out, '\n');
    add_wrapped(&l->out,
                _("You can see the same by the command \"assay check\" with the name of your domain, or test it at "
                  "internet.nl."),
                0);
    add_wrapped(&l->out, _("Should we be mistaken, please tell us; we will look again."), 0);
    buf_printf(&l->out, "\n%s\n", _("With kind regards,"));
    if (l->owner && *l->owner)
        buf_printf(&l->out, "%s\n", l->owner);
}

/* Who sends mail of the domain is known here or not, and so are routes: whoever gets the letter cannot change it. */
static bool is_ours(enum check_test test)
{
    return test == CHECK_SENDER_PTR || test == CHECK_SENDER_ALIGNED || test == CHECK_SENDER_TLS || test == CHECK_RPKI ||
           test == CHECK_RPKI_NS;
}

/* A test that costs points when it is not met, and could not be run. */
static bool is_open(const struct check_report *r, enum check_test test)
{
    return !is_ours(test) && r->results[test].state == CHECK_UNTESTED && check_test_info(test)->weight > 0;
}

static unsigned open_tests(const struct check_report *r)
{
    unsigned n = 0;
    for (unsigned i = 0; i < CHECK_TESTS; i++)
        n += is_open(r, (enum check_test)i);
    return n;
}

static void add_untested(struct letter *l, const struct check_report *r)
{
    buf_printf(&l->out, "\n%s\n", _("What we could not test:"));
    for (unsigned i = 0; i < CHECK_TESTS; i++)
        if (is_open(r, (enum check_test)i)) {
            const char *text = cli_text(check_test_info((enum check_test)i)->sentence);
            add_part(l, text, r->results[i].evidence);
        }
}

static bool nothing_was_tested(const struct check_report *r)
{
    return !r->counts[CHECK_PASS] && !r->counts[CHECK_ADVICE] && !r->counts[CHECK_FAIL] && open_tests(r) > 0;
}

static void write_letter(struct letter *l, const struct check_report *r)
{
    const unsigned untested = open_tests(r);
    unsigned number = 0;
    add_opening(l, r);
    for (size_t i = 0; i < CHECK_FIRST && r->first[i] != CHECK_TESTS; i++)
        add_finding(l, r, r->first[i], ++number);
    if (!number) {
        buf_addc(&l->out, '\n');
        add_wrapped(&l->out,
                    untested ? _("All that we could test is in order. Thank you.")
                             : _("Everything that we ask for is in order. Thank you."),
                    0);
    }
    if (untested)
        add_untested(l, r);
    add_words(l);
    add_closing(l);
}

/* A header field is ASCII: other text is an encoded word (RFC 2047 2), of which ours are shorter than 75 characters. */
static void add_subject(struct buf *out, const char *text)
{
    const char *p = text;
    while (*p && (unsigned char)*p < 0x80)
        p++;
    if (!*p) {
        buf_adds(out, text);
        return;
    }
    buf_adds(out, "=?utf-8?B?");
    base64_encode(out, slice_str(text), 0);
    buf_adds(out, "?=");
}

/* The letter as a message (RFC 5322): to postmaster, whom every domain must have (RFC 5321 4.5.1). */
static int write_eml(struct letter *l, const char *domain)
{
    struct buf b = BUF_INIT;
    buf_printf(&b, "To: postmaster@%s\nSubject: ", domain);
    add_subject(&b, _("Mail and DNS security of"));
    buf_printf(&b,
               " %s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: "
               "8bit\nX-Unsent: 1\n\n",
               domain);
    buf_addslice(&b, buf_slice(&l->out));
    return cli_flush_to_file(l->eml, &b, 0600) ? EX_OK : EX_CANTCREAT;
}

static void one_done(void *context, struct check_one *one)
{
    struct letter *l = context;
    if (one->error) {
        cli_error("%s: %s", one->domain, one->error);
        l->rc = EX_DATAERR;
        return;
    }
    if (nothing_was_tested(&one->report)) {
        cli_error("%s: nothing could be tested from here, so there is nothing to write: %s", one->domain,
                  one->report.results[CHECK_EXISTS].evidence);
        l->rc = EXIT_UNKNOWN;
        return;
    }
    write_letter(l, &one->report);
    if (l->eml)
        l->rc = write_eml(l, one->domain);
    else
        l->rc = fwrite(l->out.p, 1, l->out.n, stdout) == l->out.n ? EX_OK : EX_IOERR;
}

static const char *take_whom(void *into, const char *value)
{
    struct letter *l = into;
    l->supplier = strcmp(value, "supplier") == 0;
    return l->supplier || strcmp(value, "correspondent") == 0 ? NULL : "one of supplier, correspondent";
}

static const char *take_language(void *into, const char *value)
{
    return cli_take_language(&((struct letter *)into)->o.lang, value);
}

static const char *take_selector(void *into, const char *value)
{
    return check_add_selector(&((struct letter *)into)->o, value);
}

static const char *take_pace(void *into, const char *value)
{
    return check_set_pace(&((struct letter *)into)->o, value);
}

static const char *take_ca_file(void *into, const char *value)
{
    struct letter *l = into;
    return check_set_ca_file(&l->o, value);
}

#define OPTIONS_OF struct letter
static const struct option_row rows[] = {
    OPTIONS_TAKE(0, "to", "WHOM", take_whom, "supplier or correspondent (the default)"),
    OPTIONS_TAKE(0, "lang", "LANGUAGE", take_language, LANGUAGE_NAMES "; by default the user's"),
    OPTIONS_TEXT(0, "eml", "FILE", eml, "as a message, to open in a mail program"),
    OPTIONS_TEXT(0, "from", "FILE", o.from, "from facts that `assay check --save` kept"),
    OPTIONS_TAKE(0, "selector", "NAME", take_selector, "a DKIM selector to look at"),
    OPTIONS_TEXT('P', "policy", "FILE", o.policy, "the policy, for its owner and its dns.* settings"),
    OPTIONS_FLAG(0, "allow-private", o.allow_private, "ask private and loopback addresses, too"),
    OPTIONS_TAKE(0, "ca-file", "FILE", take_ca_file, "authorities to trust in place of the system's (PEM)"),
    OPTIONS_TAKE(0, "pace", "MS", take_pace, "least time between two questions to one address (1000)"),
};

static const struct options_spec command_line = {
    .synopsis = "[OPTION...] DOMAIN\n--from FILE",
    .text = "Writes the mail to whoever must fix a domain: what was found, why it matters, what to publish. Nothing is "
            "sent.",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .most = 1,
};

static int read_arguments(int argc, char **argv, struct letter *l)
{
    int n;
    const int rc = cli_options(&command_line, argc, argv, l, &n);
    if (rc >= 0)
        return rc;
    if ((n != 1) != (l->o.from != NULL))
        return cli_usage(l->o.from ? "--from takes no domain" : "give one domain, or --from FILE");
    if (l->eml &&
        ((l->o.from && cli_is_one_file(l->eml, l->o.from)) || (l->o.policy && cli_is_one_file(l->eml, l->o.policy))))
        return cli_usage("--eml must not be the file of --from or --policy");
    return -1;
}

int cmd_letter(int argc, char **argv)
{
    struct letter l = {.o = {.parallel = 1, .pace_ms = GATHER_PACE_MS}, .out = BUF_INIT};
    char name[LIMIT_DOMAIN + 1], *names[] = {name};
    struct check_one one;
    int rc = read_arguments(argc, argv, &l);
    if (rc != -1)
        return rc;
    cli_speak(&l.o.lang, false);
    const char *path = l.o.policy ? l.o.policy : CLI_POLICY_PATH;
    const struct policy *policy = l.o.policy                ? cli_load_policy(path, &rc)
                                  : access(path, R_OK) == 0 ? policy_load(path, NULL)
                                                            : NULL;
    if (l.o.policy && !policy) /* --policy was given: its DNS settings must be used */
        return rc;
    check_args_settle(&l.o, policy);
    l.owner = policy ? policy_owner(policy) : NULL;
    if (l.o.from) {
        (void)check_read_file(&l.o, l.o.from, &one);
        one_done(&l, &one);
        check_one_free(&one);
        rc = l.rc;
    } else if (!check_domain_name(argv[1], name)) {
        rc = cli_usage("'%s' is not a domain name", argv[1]);
    } else {
        rc = check_run(&l.o, policy, names, 1, one_done, &l);
        rc = rc ? rc : l.rc;
    }
    buf_release(&l.out);
    policy_unref(policy);
    return rc;
}
