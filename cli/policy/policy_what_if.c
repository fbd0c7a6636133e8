// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_what_if.c - `assay policy what-if OTHER MAIL`: who gets hurt if I turn this on?
 *
 * Judges every saved message twice, by the policy in use and by the other, with the milter's own code, and counts by
 * sender domain those whose outcome would change: what is done (as if both were enforced), or, where that stays, which
 * level decided. MAIL is a file, an mbox, a Maildir or a folder, as for `assay verify`; client, HELO and MAIL FROM are
 * taken from the topmost Received and Return-Path fields, recipients from Delivered-To.
 *
 * DNS is asked as it is now, or answered from a file (--dns): a message of last year may have passed last year. Exit
 * code 0 nothing changes, 1 something does; EX_CONFIG, EX_NOINPUT, EX_USAGE.
 */
#include "base/clock.h"
#include "base/array.h"
#include "base/json.h"
#include "cli/policy/policy_cmd.h"
#include "cli/policy/policy_what_if.h"
#include "cli/verify/verify.h"
#include "policy/map.h"
#include <stdlib.h>
#include <unistd.h>

#define KINDS (POLICY_REJECT + 1)

/* Messages of one sender domain. */
struct sender {
    const char *domain;
    size_t messages, changed;
    size_t moves[KINDS][KINDS]; /* from action to action; the diagonal is what does not change */
    const char *line; /* the other policy's statement that decided a change, the first seen; in the other policy */
};

struct what_if {
    struct policy *now, *other;
    struct judge_host host;
    struct verify_options options;
    time_t at;
    struct arena *arena;
    struct map by_domain;
    struct sender *senders;
    size_t count, size;
    size_t messages, changed, failed;
    bool no_memory;
};

static struct sender *sender_of(struct what_if *w, const char *domain)
{
    const uint64_t *i = map_get(&w->by_domain, slice_str(domain));
    if (i)
        return &w->senders[*i];
    if (w->count == w->size) {
        struct sender *more = array_grow(w->senders, &w->size, 64, sizeof *more);
        if (!more)
            return NULL;
        w->senders = more;
    }
    const char *kept = arena_strdup(w->arena, domain);
    if (!kept || map_put(&w->by_domain, slice_str(kept), w->count) != STATUS_OK)
        return NULL;
    w->senders[w->count] = (struct sender){.domain = kept};
    return &w->senders[w->count++];
}

/* The severest of the classes: what the worst-off recipient would see. */
static const struct verdict *worst(const struct classes *c)
{
    return &c->list[c->severest].verdict;
}

static void what_if_count(struct what_if *w, const struct judge_report *r, const struct verdict *a,
                          const struct verdict *b)
{
    const char *domain = r->facts.from ? r->facts.from : r->facts.mail_from ? r->facts.mail_from : "(no usable sender)";
    struct sender *s = sender_of(w, domain);
    if (!s) {
        w->no_memory = true;
        return;
    }
    s->messages++;
    s->moves[a->would][b->would]++;
    if (a->would == b->would)
        return;
    s->changed++;
    w->changed++;
    const struct verdict_line *line = verdict_would_line(b->would > a->would ? b : a);
    if (!s->line && line && line->statement)
        s->line = arena_strdup(w->arena, line->statement->text);
}

static bool what_if_message(void *context, const char *name, struct slice message)
{
    struct what_if *w = context;
    struct judge *first = NULL, *second = NULL;
    const struct classes *a = NULL, *b = NULL;
    enum status s = verify_judge(&w->host, w->now, &w->options, w->at, message, &first, &a);
    if (s == STATUS_OK)
        s = verify_judge(&w->host, w->other, &w->options, w->at, message, &second, &b);
    w->messages++;
    if (s == STATUS_OK) {
        what_if_count(w, judge_report(first), worst(a), worst(b));
    } else {
        w->failed++;
        cli_error("%s: cannot be judged: %s", name, status_text(s));
    }
    judge_free(first);
    judge_free(second);
    return !w->no_memory;
}

static int by_changed(const void *a, const void *b)
{
    const struct sender *x = a, *y = b;
    if (x->changed != y->changed)
        return x->changed > y->changed ? -1 : 1;
    return strcmp(x->domain, y->domain);
}

static void put_moves(const struct sender *s, struct buf *out)
{
    const char *comma = "";
    for (unsigned from = 0; from < KINDS; from++) {
        for (unsigned to = 0; to < KINDS; to++) {
            if (from == to || !s->moves[from][to])
                continue;
            buf_printf(out, "%s%zu %s -> %s", comma, s->moves[from][to], policy_action_name((enum policy_action)from),
                       policy_action_name((enum policy_action)to));
            comma = ", ";
        }
    }
}

static void print_text(const struct what_if *w)
{
    for (size_t i = 0; i < w->count && w->senders[i].changed; i++) {
        const struct sender *s = &w->senders[i];
        struct buf b = BUF_INIT;
        put_moves(s, &b);
        printf("%s%s%s: %zu of %zu: %s\n", cli_colour(stdout, CLI_BOLD), s->domain, cli_colour(stdout, CLI_PLAIN),
               s->changed, s->messages, b.p);
        if (s->line) {
            printf("    by ");
            cli_put_visible(stdout, s->line);
            putchar('\n');
        }
        buf_release(&b);
    }
    size_t domains = 0;
    while (domains < w->count && w->senders[domains].changed)
        domains++;
    printf("%zu of %zu message%s would be treated differently, of %zu sender domain%s.\n", w->changed, w->messages,
           w->messages == 1 ? "" : "s", domains, domains == 1 ? "" : "s");
}

static void print_json(const struct what_if *w)
{
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    json_open(&j);
    json_int(&j, "messages", (int64_t)w->messages);
    json_int(&j, "changed", (int64_t)w->changed);
    json_int(&j, "not_judged", (int64_t)w->failed);
    json_open_array(&j, "senders");
    for (size_t i = 0; i < w->count && w->senders[i].changed; i++) {
        const struct sender *s = &w->senders[i];
        json_open(&j);
        json_str(&j, "domain", s->domain);
        json_int(&j, "messages", (int64_t)s->messages);
        json_int(&j, "changed", (int64_t)s->changed);
        json_opt(&j, "statement", s->line);
        json_open_array(&j, "changes");
        for (unsigned from = 0; from < KINDS; from++) {
            for (unsigned to = 0; to < KINDS; to++) {
                if (from == to || !s->moves[from][to])
                    continue;
                json_open(&j);
                json_str(&j, "from", policy_action_name((enum policy_action)from));
                json_str(&j, "to", policy_action_name((enum policy_action)to));
                json_int(&j, "count", (int64_t)s->moves[from][to]);
                json_end(&j);
            }
        }
        json_end(&j);
        json_end(&j);
    }
    json_end(&j);
    json_end(&j);
    buf_addc(&b, '\n');
    cli_flush(&b);
}

static int load_both(struct what_if *w, const struct policy_args *a)
{
    int rc = 0;
    w->now = cli_load_policy(a->file, &rc);
    w->other = w->now ? cli_load_policy(a->other, &rc) : NULL;
    return rc;
}

static int what_if_prepare(struct what_if *w, const struct policy_args *a)
{
    static char name[256];
    w->host.dns = verify_dns(a->dns, w->now);
    if (!w->host.dns)
        return a->dns ? EX_NOINPUT : EX_CONFIG;
    if (gethostname(name, sizeof name - 1) != 0 || !*name)
        snprintf(name, sizeof name, "localhost");
    w->host.name = w->host.authserv_id = name;
    w->at = a->at ? a->at : clock_wall();
    w->arena = arena_new((size_t)1 << 30);
    map_init(&w->by_domain, 1);
    return w->arena ? 0 : EX_OSERR;
}

static void what_if_release(struct what_if *w)
{
    map_release(&w->by_domain);
    arena_free(w->arena);
    free(w->senders);
    dns_close(w->host.dns);
    policy_unref(w->now);
    policy_unref(w->other);
}

static int over_mail(struct what_if *w, const struct policy_args *a)
{
    int rc = what_if_prepare(w, a);
    if (rc == 0)
        rc = verify_each(a->mail, what_if_message, w);
    if (rc == 0 && w->no_memory)
        rc = EX_OSERR;
    if (rc != 0)
        return rc;
    if (w->count)
        qsort(w->senders, w->count, sizeof *w->senders, by_changed);
    if (a->json)
        print_json(w);
    else
        print_text(w);
    return w->changed ? CLI_WARNING : CLI_OK;
}

#define LEDGER_SINCE (30 * 86400)

int policy_cmd_what_if(int argc, char **argv)
{
    static const struct policy_usage usage = {
        "[--json] [--dns FILE] [--at DATE] [-P FILE] OTHER [MAIL]",
        "Judges saved mail (a file, an mbox, a Maildir, a folder) by the policy and by OTHER, and counts by sender "
        "domain what would be treated differently. --dns answers from a saved file, as for assay verify. Without MAIL: "
        "the mails of the last 30 days, or since --at, as far back as the ledger keeps records (ledger.keep-identity, "
        "14 days by default). Exit code: 0 nothing changes, 1 something does."};
    struct policy_args a;
    struct what_if w = {0};
    int rc = policy_args_read(&a, &usage, argc, argv,
                              POLICY_ARG_JSON | POLICY_ARG_POLICY | POLICY_ARG_OTHER | POLICY_ARG_MAIL | POLICY_ARG_AT);
    if (rc >= 0)
        return rc;
    if (!a.other)
        return cli_usage("which other policy?");
    rc = load_both(&w, &a);
    if (rc == 0 && w.other)
        rc = a.mail ? over_mail(&w, &a)
                    : what_if_ledger(w.now, w.other, a.at ? a.at : clock_wall() - LEDGER_SINCE, a.json);
    what_if_release(&w);
    return rc;
}
