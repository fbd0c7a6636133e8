// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_args.c - what the sub-commands of `assay ledger` share: options, the policy's settings, the store.
 *
 * Promises that an option means the same in each of them, and that a mistyped one is named. On failure: EX_USAGE for
 * arguments, EX_CONFIG for a policy that cannot be read, EX_NOINPUT where there is no ledger, EX_TEMPFAIL where it is
 * away, EX_NOPERM where it may not be read.
 */
#include "base/domain.h"
#include "cli/ledger/ledger.h"
#include "ledger/timestamp.h"
#include <stdlib.h>

/* ---- arguments ---- */

enum option_kind { OPTION_TEXT, OPTION_FLAG, OPTION_MOMENT, OPTION_DAY, OPTION_COUNT, OPTION_DOMAIN, OPTION_FORM };

struct option_spec {
    const char *name, *brief;
    enum option_kind kind;
    unsigned bit;
    size_t at;
};

#define AT(field) offsetof(struct ledger_args, field)

static const struct option_spec options[] = {
    {"--policy", "-P", OPTION_TEXT, 0, AT(policy)},
    {"--journal", NULL, OPTION_TEXT, LEDGER_JOURNAL, AT(journal)},
    {"--store", NULL, OPTION_TEXT, LEDGER_STORE, AT(store)},
    {"--since", NULL, OPTION_MOMENT, LEDGER_SINCE, AT(since)},
    {"--until", NULL, OPTION_MOMENT, LEDGER_UNTIL, AT(until)},
    {"--domain", NULL, OPTION_DOMAIN, LEDGER_DOMAIN, AT(domain)},
    {"--limit", "-n", OPTION_COUNT, LEDGER_LIMIT, AT(limit)},
    {"--by", NULL, OPTION_TEXT, LEDGER_BY, AT(by)},
    {"--standard", NULL, OPTION_TEXT, LEDGER_STANDARD, AT(standard)},
    {"--state", NULL, OPTION_TEXT, LEDGER_STATE, AT(state)},
    {"--day", NULL, OPTION_DAY, LEDGER_DAY, AT(day)},
    {"--to", NULL, OPTION_TEXT, LEDGER_TO, AT(to)},
    {"--dns", NULL, OPTION_TEXT, LEDGER_DNS, AT(dns)},
    {"--dry-run", NULL, OPTION_FLAG, LEDGER_DRY_RUN, AT(dry_run)},
    {"--role", NULL, OPTION_TEXT, LEDGER_ROLE, AT(role)},
    {"--maildir", NULL, OPTION_TEXT, LEDGER_MAILDIR, AT(maildir)},
    {"--watch", NULL, OPTION_FLAG, LEDGER_MAILDIR, AT(watch)},
    {"--now", NULL, OPTION_FLAG, LEDGER_NOW, AT(now)},
    {"--names", NULL, OPTION_FLAG, LEDGER_NAMES, AT(names)},
    {"--html", NULL, OPTION_TEXT, LEDGER_HTML, AT(html)},
    {"--text", NULL, OPTION_FORM, LEDGER_TEXT, TABLE_TEXT},
    {"--json", NULL, OPTION_FORM, LEDGER_JSON, TABLE_JSON},
    {"--csv", NULL, OPTION_FORM, LEDGER_CSV, TABLE_CSV},
};

static int set_domain(const char **out, const char *value)
{
    static char kept[LIMIT_DOMAIN + 1];
    if (domain_from_text(slice_str(value), kept) != STATUS_OK)
        return cli_usage("'%s' is no domain name", value);
    *out = kept;
    return -1;
}

static int set_value(struct ledger_args *a, const struct option_spec *o, const char *value)
{
    char *place = (char *)a + o->at, *end;
    switch (o->kind) {
    case OPTION_MOMENT:
        if (timestamp_from_person(value, (int64_t *)(void *)place) &&
            timestamp_day_from_person(value, o->bit == LEDGER_SINCE ? &a->since_day : &a->until_day))
            return -1;
        return cli_usage("%s wants a time: 2026-11-20, '2026-11-20 14:00', yesterday, 24h, 7d, 4w; not '%s'", o->name,
                         value);
    case OPTION_DAY:
        a->day_given = timestamp_day_from_text(value, &a->day);
        return a->day_given ? -1 : cli_usage("%s wants a day such as 2026-11-20 (UTC); not '%s'", o->name, value);
    case OPTION_COUNT:
        a->limit = strtoll(value, &end, 10);
        return *value && !*end && a->limit > 0 && a->limit <= 1000000
                   ? -1
                   : cli_usage("%s wants a number from 1 to 1000000", o->name);
    case OPTION_DOMAIN:
        return set_domain((const char **)(void *)place, value);
    default:
        *(const char **)(void *)place = value;
        return -1;
    }
}

static int one_option(struct ledger_args *a, unsigned takes, int argc, char **argv, int *i)
{
    for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
        const struct option_spec *o = &options[k];
        size_t n = strlen(o->name);
        bool inlined = strncmp(argv[*i], o->name, n) == 0 && argv[*i][n] == '=';
        if (!inlined && strcmp(argv[*i], o->name) != 0 && (!o->brief || strcmp(argv[*i], o->brief) != 0))
            continue;
        if (o->bit && !(takes & o->bit))
            break;
        if (o->kind == OPTION_FLAG)
            *((bool *)(void *)((char *)a + o->at)) = true;
        else if (o->kind == OPTION_FORM)
            a->form = (enum table_form)o->at;
        if (o->kind == OPTION_FLAG || o->kind == OPTION_FORM)
            return -1;
        if (!inlined && *i + 1 >= argc)
            return cli_usage("%s wants a value", o->name);
        return set_value(a, o, inlined ? argv[*i] + n + 1 : argv[++*i]);
    }
    return cli_usage("there is no option '%s'", argv[*i]);
}

int ledger_args_read(struct ledger_args *a, int argc, char **argv, unsigned takes, int least, int most,
                     const char *usage)
{
    *a = (struct ledger_args){0};
    a->words = argv + 1;
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        if (!only_words && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            fputs(usage, stdout);
            return EX_OK;
        }
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1]) {
            int rc = one_option(a, takes, argc, argv, &i);
            if (rc >= 0)
                return rc;
        } else {
            a->words[a->word_count++] = argv[i];
        }
    }
    if (a->word_count < least)
        return cli_usage("there is something missing behind '%s'", argv[0]);
    if (a->word_count > most)
        return cli_usage("unexpected argument '%s'", a->words[most]);
    return -1;
}

/* ---- settings and store ---- */

const struct policy *ledger_settings(const struct ledger_args *a, struct ledger_config *c, int *rc)
{
    const char *path = a->policy ? a->policy : CLI_POLICY_PATH;
    struct policy_report *report = policy_report_new();
    const struct policy *p = policy_load(path, report);
    if (!p && !a->policy && (a->store || a->journal))
        p = policy_load_text(SLICE_LIT(""), "defaults", NULL);
    if (p) {
        ledger_config_read(c, p);
        c->store = a->store ? a->store : c->store;
        if (a->journal) {
            c->folder_count = 1;
            c->folders[0] = a->journal;
        }
    } else {
        struct buf b = BUF_INIT;
        policy_report_print(report, POLICY_ERROR, &b);
        fwrite(b.p, 1, b.n, stderr);
        buf_release(&b);
        *rc = EX_CONFIG;
    }
    policy_report_free(report);
    return p;
}

struct store *ledger_store(const struct ledger_args *a, enum store_mode mode, struct ledger_config *c,
                           const struct policy **policy, int *rc)
{
    char why[STORE_ERROR];
    enum status st = STATUS_OK;
    *policy = ledger_settings(a, c, rc);
    if (!*policy)
        return NULL;
    struct store *s = store_open(c->store, mode, &st, why);
    if (!s) {
        cli_error("%s", why);
        *rc = st == STATUS_MISSING  ? EX_NOINPUT
              : st == STATUS_DENIED ? EX_NOPERM
              : st == STATUS_AGAIN  ? EX_TEMPFAIL
                                    : EX_DATAERR;
        policy_unref(*policy);
        *policy = NULL;
    }
    return s;
}

int ledger_end(struct store *s, const struct policy *policy, enum status st)
{
    int rc = st == STATUS_OK ? EX_OK : st == STATUS_AGAIN ? EX_TEMPFAIL : st == STATUS_NOMEM ? EX_OSERR : EX_DATAERR;
    if (st == STATUS_NOMEM)
        cli_error("out of memory");
    else if (st != STATUS_OK)
        cli_error("%s", store_error(s));
    store_close(s);
    policy_unref(policy);
    return rc;
}
