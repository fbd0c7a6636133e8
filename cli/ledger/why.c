// SPDX-License-Identifier: BSD-2-Clause
/*
 * why.c - `assay why`: what was decided about a mail, by which line, on what evidence. The mail is named by its queue
 * ID, its Message-ID or the reference in the reply that its sender got; or looked for by sender, client, recipient's
 * domain and time, since mail that was refused at RCPT has no queue ID.
 *
 * Promises to find a mail from the moment the milter acknowledged it (in the journals) until ledger.keep-identity is
 * over (in the ledger), and to show every answer of the policy and every finding it stood on. A mail judged in classes
 * is shown once for each. Several mails that a search finds are listed, the newest first. On failure: EX_NOINPUT if no
 * such mail is known, with how long they are kept.
 */
#include "cli/ledger/why.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/domain.h"
#include "base/ip.h"
#include "cli/ledger/mail_reason.h"
#include "journal/journal_read.h"
#include "judge/reply.h"
#include <stdlib.h>

#define FOUND_DEFAULT 20

static const struct ledger_usage usage = {
    "QUEUE-ID|MESSAGE-ID|REFERENCE [--json]\n[--from DOMAIN] [--client ADDRESS|NETWORK] [--to-domain DOMAIN] "
    "[--since TIME] [-n COUNT] [--json]",
    "What was decided about a mail, by which line of the policy, and on what evidence. REFERENCE stands in the reply "
    "that a refused sender got. Without any of them: searches, and lists the mails it finds, the newest first."};

struct found {
    int64_t t;
    char *line; /* the record; heap */
};

struct why {
    const struct ledger_args *args;
    const char *id; /* NULL: a search */
    const char *from, *to;
    struct ip_net client; /* family 0: any */
    char reference[REPLY_REFERENCE_SIZE];
    char bracketed[1024]; /* the Message-ID with its angle brackets */
    struct found *found;
    size_t count, size, most;
    bool more, failed;
};

/* ---- which mails ---- */

static bool is_one_of(const char *domain, const char *wanted)
{
    return domain && domain_is_within(domain, wanted);
}

static bool has_recipient_at(const struct record *r, const char *wanted)
{
    for (size_t i = 0; i < value_count(r->rcpt_domains) && i < WHY_DOMAINS; i++)
        if (is_one_of(value_text_at(r->rcpt_domains, i), wanted))
            return true;
    return false;
}

static bool is_searched(const struct why *w, const struct record *r)
{
    struct ip client;
    if (r->t < w->args->since || (w->args->until && r->t > w->args->until))
        return false;
    if (w->from && !is_one_of(r->from, w->from) && !is_one_of(r->mail_from, w->from))
        return false;
    if (w->client.base.family &&
        (!r->client || ip_from_text(slice_str(r->client), &client) != STATUS_OK || !ip_in_net(&client, &w->client)))
        return false;
    return !w->to || has_recipient_at(r, w->to);
}

static bool is_it(const struct why *w, const struct record *r)
{
    const char *reference = why_reference(r);
    if (r->kind != RECORD_MAIL)
        return false;
    if (!w->id)
        return is_searched(w, r);
    return (r->id && strcmp(r->id, w->id) == 0) ||
           (r->message_id && (strcmp(r->message_id, w->id) == 0 || strcmp(r->message_id, w->bracketed) == 0)) ||
           (w->reference[0] && reference && strcmp(reference, w->reference) == 0);
}

/* ---- what was found ---- */

static int newest_first(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return x->t != y->t ? (x->t > y->t ? -1 : 1) : strcmp(x->line, y->line);
}

/* Makes room by dropping the oldest; false: out of memory. */
static bool make_room(struct why *w)
{
    if (w->count < w->size)
        return true;
    if (w->size > w->most) {
        qsort(w->found, w->count, sizeof *w->found, newest_first);
        while (w->count > w->most)
            free(w->found[--w->count].line);
        w->more = true;
        return true;
    }
    struct found *more = array_grow(w->found, &w->size, 64, sizeof *more);
    if (!more)
        return false;
    w->found = more;
    return true;
}

/* A segment that is being taken in may show the same mail in the ledger and in the journal: it counts once. */
static void why_keep(struct why *w, const struct record *r, struct slice line)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->found[i].t == r->t && slice_eq(slice_str(w->found[i].line), line))
            return;
    char *copy = make_room(w) ? strndup(line.p, line.n) : NULL;
    if (copy)
        w->found[w->count++] = (struct found){.t = r->t, .line = copy};
    else
        w->failed = true;
}

/* A domain is written in a record as it is (domain.h), so a line without it need not be parsed, which costs most. */
static bool names_it(struct slice line, const char *domain)
{
    return !domain || memmem(line.p, line.n, domain, strlen(domain)) != NULL;
}

static void look_at(struct why *w, struct slice line)
{
    struct record r;
    if (!names_it(line, w->from) || !names_it(line, w->to) || record_parse(line, &r, NULL) != STATUS_OK)
        return;
    if (is_it(w, &r))
        why_keep(w, &r, line);
    record_free(&r);
}

/* ---- where ---- */

static void look_in_journals(struct why *w, const struct ledger_config *c)
{
    for (size_t k = 0; k < c->folder_count; k++) {
        struct journal_file *files;
        size_t n;
        if (journal_list(c->folders[k], &files, &n) != STATUS_OK)
            continue;
        for (size_t i = 0; i < n; i++) {
            struct journal_lines l;
            struct slice line;
            off_t after;
            if (journal_lines_open(&l, c->folders[k], files[i].name, 0) != STATUS_OK)
                continue;
            while (journal_lines_next(&l, &line, &after))
                look_at(w, line);
            journal_lines_close(&l);
        }
        journal_list_free(files, n);
    }
}

static enum status look_at_rows(struct why *w, struct store_rows *r)
{
    while (store_next(r)) {
        const char *record = store_record(r, 0);
        if (record)
            look_at(w, slice_str(record));
    }
    return store_done(r);
}

/* By one of its identifiers: each has an index. */
static enum status look_by_name(struct why *w, struct store *s, int64_t keep_us)
{
    enum status st = look_at_rows(
        w, store_ask(s, "SELECT record FROM mail WHERE queue_id = $1 OR message_id = $1 OR message_id = $2 ORDER BY t",
                     "tt", w->id, w->bracketed));
    if (st != STATUS_OK || w->count || !w->reference[0])
        return st;
    return look_at_rows(w, store_ask(s, "SELECT record FROM mail WHERE reference = $1 AND t >= $2 ORDER BY t", "ti",
                                     w->reference, clock_wall_us() - keep_us));
}

/* By the column, which is the record's own while that is there: most records need not be unpacked. */
static bool is_of_client(const struct why *w, const char *client)
{
    struct ip ip;
    return !w->client.base.family ||
           (client && ip_from_text(slice_str(client), &ip) == STATUS_OK && ip_in_net(&ip, &w->client));
}

static enum status look_by_search(struct why *w, struct store *s)
{
    struct buf below = BUF_INIT;
    const int64_t since = w->args->since, until = w->args->until ? w->args->until : INT64_MAX;
    buf_printf(&below, "%%.%s", w->from ? w->from : "");
    struct store_rows *r =
        w->from ? store_ask(s,
                            "SELECT record, client FROM mail WHERE t >= $1 AND t <= $2 AND record IS NOT NULL AND "
                            "(from_domain = $3 OR mail_from = $3 OR from_domain LIKE $4 OR mail_from LIKE $4) ORDER BY "
                            "t DESC",
                            "iitt", since, until, w->from, below.p)
                : store_ask(s,
                            "SELECT record, client FROM mail WHERE t >= $1 AND t <= $2 AND record IS NOT NULL ORDER BY "
                            "t DESC",
                            "ii", since, until);
    while (w->count <= w->most && store_next(r)) {
        const char *record = is_of_client(w, store_text(r, 1)) ? store_record(r, 0) : NULL;
        if (record)
            look_at(w, slice_str(record));
    }
    buf_release(&below);
    return store_done(r);
}

static int look_in_store(struct why *w, const struct ledger_config *c)
{
    char words[STORE_ERROR];
    enum status st = STATUS_OK;
    struct store *s = store_open(c->store, STORE_READ, &st, words);
    if (!s && st == STATUS_MISSING)
        return EX_OK;
    if (!s) {
        cli_error("%s", words);
        return st == STATUS_DENIED ? EX_NOPERM : EX_TEMPFAIL;
    }
    st = w->id ? look_by_name(w, s, c->keep_identity * 1000000) : look_by_search(w, s);
    if (st != STATUS_OK)
        cli_error("%s", store_error(s));
    store_close(s);
    return st == STATUS_OK ? EX_OK : EX_TEMPFAIL;
}

/* ---- the answer ---- */

static void add_row(struct table *t, const struct record *r)
{
    const char *reference = why_reference(r);
    struct buf reason = BUF_INIT;
    mail_reason_add(&reason, r);
    table_moment(t, r->t);
    table_text(t, r->id ? r->id : reference ? reference : r->message_id);
    table_text(t, strcmp(r->action, r->would) == 0 ? r->action : r->would);
    table_text(t, r->held_back ? r->held_back : "");
    table_text(t, r->from);
    table_text(t, r->mail_from ? r->mail_from : "<>");
    table_text(t, r->client);
    table_text(t, r->statement);
    table_text(t, reason.p ? reason.p : "");
    buf_release(&reason);
}

static bool list_all(const struct why *w)
{
    static const struct table_column columns[] = {{"time", "Time"},     {"id", "Known as"},
                                                  {"would", "Policy"},  {"held_back", "Not done"},
                                                  {"from", "From"},     {"mail_from", "MAIL FROM"},
                                                  {"client", "Client"}, {"statement", "Line"},
                                                  {"reason", "Why"},    {NULL, NULL}};
    struct table *t = table_new(columns);
    for (size_t i = 0; i < w->count; i++) {
        struct record r;
        if (record_parse(slice_str(w->found[i].line), &r, NULL) == STATUS_OK)
            add_row(t, &r);
        record_free(&r);
    }
    bool ok = table_print(t, TABLE_TEXT, "");
    table_free(t);
    if (ok && w->more)
        printf("There are more: -n COUNT shows them.\n");
    return ok && printf("`assay why` with the identifier of one of these mails shows everything about it.\n") > 0;
}

static bool why_show(const struct why *w)
{
    bool ok = true;
    if (w->args->form == TABLE_JSON) {
        for (size_t i = 0; i < w->count; i++)
            ok = puts(w->found[i].line) >= 0 && ok;
        return ok;
    }
    if (!w->id && w->count > 1)
        return list_all(w);
    for (size_t i = w->count; i-- > 0 && ok;) { /* the oldest first: in the order of the attempts */
        struct record r;
        if (record_parse(slice_str(w->found[i].line), &r, NULL) == STATUS_OK)
            ok = (i + 1 == w->count || putchar('\n') != EOF) && why_print(&r);
        record_free(&r);
    }
    return ok;
}

/* ---- the command ---- */

/* "ann@example.org" and "example.org" both name the domain. -1: go on. */
static int read_domain(const char *option, const char *text, char out[LIMIT_DOMAIN + 1], const char **into)
{
    const char *at = text ? strrchr(text, '@') : NULL;
    if (!text)
        return -1;
    if (domain_from_text(slice_str(at ? at + 1 : text), out) != STATUS_OK)
        return cli_usage("--%s wants a domain name, not '%s'", option, text);
    *into = out;
    return -1;
}

static int read_search(struct why *w, const struct ledger_args *a, char from[LIMIT_DOMAIN + 1],
                       char to[LIMIT_DOMAIN + 1])
{
    int rc = read_domain("from", a->from, from, &w->from);
    if (rc < 0)
        rc = read_domain("to-domain", a->to_domain, to, &w->to);
    if (rc < 0 && a->client && ip_net_from_text(slice_str(a->client), &w->client) != STATUS_OK)
        rc = cli_usage("--client wants an address or a network such as 192.0.2.0/24, not '%s'", a->client);
    if (rc < 0 && a->word_count && (w->from || w->to || a->client || a->since || a->until))
        rc = cli_usage("either '%s' or a search by --from, --client, --to-domain, --since", a->words[0]);
    if (rc < 0 && !a->word_count && !w->from && !w->to && !a->client && !a->since)
        rc = cli_usage("'why' needs a queue ID, a Message-ID or a reference; or a search by --from, --client, "
                       "--to-domain, --since");
    return rc;
}

static int not_found(const struct why *w, const struct ledger_config *c)
{
    long long days = (long long)c->keep_identity / 86400;
    if (w->id)
        cli_error("no mail with queue ID, Message-ID or reference '%s' is known; they are kept for %lld day%s", w->id,
                  days, days == 1 ? "" : "s");
    else
        cli_error("no such mail is known; what identifies a mail is kept for %lld day%s", days, days == 1 ? "" : "s");
    return EX_NOINPUT;
}

int cmd_why(int argc, char **argv)
{
    struct ledger_args a;
    struct ledger_config c;
    char from[LIMIT_DOMAIN + 1], to[LIMIT_DOMAIN + 1];
    int rc = ledger_args_read(&a, argc, argv,
                              LEDGER_STORE | LEDGER_JOURNAL | LEDGER_JSON | LEDGER_SEARCH | LEDGER_SINCE |
                                  LEDGER_UNTIL | LEDGER_LIMIT,
                              0, 1, &usage);
    if (rc >= 0)
        return rc;
    struct why w = {.args = &a, .most = a.limit ? (size_t)a.limit : FOUND_DEFAULT};
    if ((rc = read_search(&w, &a, from, to)) >= 0)
        return rc;
    if (a.word_count) {
        w.id = a.words[0];
        w.most = 1000; /* classes and attempts of one mail */
        snprintf(w.bracketed, sizeof w.bracketed, "<%s>", w.id);
        if (!reply_read_reference(w.id, w.reference))
            w.reference[0] = 0;
    }
    const struct policy *p = ledger_settings(&a, &c, &rc);
    if (!p)
        return rc;
    rc = look_in_store(&w, &c);
    if (!w.id || !w.count)
        look_in_journals(&w, &c);
    qsort(w.found, w.count, sizeof *w.found, newest_first);
    while (w.count > w.most) {
        w.more = true;
        free(w.found[--w.count].line);
    }
    if (!w.count && rc == EX_OK)
        rc = not_found(&w, &c);
    else if (!why_show(&w))
        rc = EX_IOERR;
    if (w.failed) {
        cli_error("out of memory");
        rc = EX_OSERR;
    }
    while (w.count)
        free(w.found[--w.count].line);
    free(w.found);
    policy_unref(p);
    return rc;
}
