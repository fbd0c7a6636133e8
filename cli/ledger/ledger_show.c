// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_show.c - `assay ledger show`: the last findings, read from the journals themselves.
 *
 * Promises to need no database and no daemon: records are shown as soon as they are written. Records that assay-ledger
 * has ingested are gone from the journals (then `assay why`, `assay ledger domain`). Lines that cannot be read are
 * counted on stderr. With --json each record is printed as it stands in the journal, one a line. On failure: EX_NOINPUT
 * if no folder can be read.
 */
#include "base/utf8.h"
#include "base/array.h"
#include "base/words.h"
#include "cli/ledger/ledger.h"
#include "journal/journal_read.h"
#include "ledger/timestamp.h"
#include "ledger/record.h"
#include <stdlib.h>

#define SHOW_DEFAULT 20

static const struct ledger_usage usage = {"[--since TIME] [--domain NAME] [-n COUNT] [--json] [--journal FOLDER]",
                                          "Shows the last findings that are still in the journals, the newest last."};

struct shown {
    int64_t t;
    char *line;
};

struct show {
    const struct ledger_args *args;
    struct shown *kept; /* a ring of the newest, or all */
    size_t count, room, limit;
    uint64_t bad;
};

static bool is_of(const char *name, const char *domain)
{
    return name && strlen(name) >= strlen(domain) && strcmp(name + strlen(name) - strlen(domain), domain) == 0 &&
           (strlen(name) == strlen(domain) || name[strlen(name) - strlen(domain) - 1] == '.');
}

static bool wanted(const struct show *s, const struct record *r)
{
    const char *d = s->args->domain;
    if (r->kind == RECORD_SEGMENT || r->kind == RECORD_END || (s->args->since && r->t < s->args->since))
        return false;
    return !d || is_of(r->from, d) || is_of(r->mail_from, d) || is_of(r->zone, d);
}

static int by_time(const void *a, const void *b)
{
    int64_t x = ((const struct shown *)a)->t, y = ((const struct shown *)b)->t;
    return x < y ? -1 : x > y;
}

/* Keeps at most twice the limit; then the older half goes. */
static bool line_keep(struct show *s, int64_t t, struct slice line)
{
    if (s->limit && s->count >= 2 * s->limit) {
        qsort(s->kept, s->count, sizeof *s->kept, by_time);
        for (size_t i = 0; i < s->count - s->limit; i++)
            free(s->kept[i].line);
        memmove(s->kept, s->kept + (s->count - s->limit), s->limit * sizeof *s->kept);
        s->count = s->limit;
    }
    if (s->count == s->room) {
        struct shown *grown = array_grow(s->kept, &s->room, 64, sizeof *grown);
        if (!grown)
            return false;
        s->kept = grown;
    }
    char *copy = strndup(line.p, line.n);
    if (!copy)
        return false;
    s->kept[s->count++] = (struct shown){t, copy};
    return true;
}

static enum status read_folder(struct show *s, const char *dir)
{
    struct journal_file *files;
    size_t n;
    enum status st = journal_list(dir, &files, &n);
    if (st != STATUS_OK)
        return st;
    for (size_t i = 0; i < n && st == STATUS_OK; i++) {
        struct journal_lines l;
        struct slice line;
        off_t after;
        enum status opened = journal_lines_open(&l, dir, files[i].name, 0);
        if (opened != STATUS_OK) {
            s->bad += opened != STATUS_MISSING; /* taken in meanwhile */
            continue;
        }
        while (st == STATUS_OK && journal_lines_next(&l, &line, &after)) {
            struct record r;
            if (record_parse(line, &r, NULL) != STATUS_OK) {
                s->bad++;
                continue;
            }
            if (wanted(s, &r) && !line_keep(s, r.t, line))
                st = STATUS_NOMEM;
            record_free(&r);
        }
        s->bad += l.bad;
        journal_lines_close(&l);
    }
    journal_list_free(files, n);
    return st;
}

/* "spf=pass dkim=fail ..." in the order found; of several of one standard the first that passes, else the first. */
static void add_results(struct buf *b, const struct record *r)
{
    static const char *const order[] = {"spf", "dkim",   "dmarc",          "arc", "dane",
                                        "tls", "dnssec", "message-format", "rdns"};
    for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
        const char *result = NULL;
        for (size_t i = 0; i < value_count(r->findings) && i < RECORD_FINDINGS_MAX; i++) {
            const struct value *f = value_at(r->findings, i);
            const char *s = value_text(f, "standard"), *v = value_text(f, "result");
            if (s && v && strcmp(s, order[k]) == 0 && (!result || strcmp(v, "pass") == 0))
                result = v;
        }
        if (result && strcmp(result, "none") != 0)
            buf_printf(b, "%s%s=%s", b->n ? " " : "", order[k], result);
    }
}

static void add_row(struct table *t, const struct record *r)
{
    struct buf b = BUF_INIT;
    table_moment(t, r->t);
    table_text(t, r->host);
    if (r->kind == RECORD_MAIL) {
        add_results(&b, r);
        bool less = strcmp(r->action, r->would) != 0;
        char action[64];
        snprintf(action, sizeof action, "%.20s%s%.20s%s", r->action, less ? " (" : "", less ? r->would : "",
                 less ? ")" : "");
        table_text(t, action);
        table_text(t, r->statement ? r->statement : "-");
        table_text(t, r->from ? r->from : r->mail_from ? r->mail_from : "<>");
        table_text(t, r->id ? r->id : "-");
    } else if (r->kind == RECORD_NAMES) {
        buf_printf(&b, "asked %lld time%s%s", (long long)r->count, words_s(r->count), r->reason ? ": " : "");
        buf_adds(&b, r->reason ? r->reason : "");
        table_text(t, r->state);
        table_text(t, r->statement ? r->statement : "-");
        table_text(t, r->zone);
        table_text(t, "-");
    } else {
        if (r->dropped || r->lost)
            buf_printf(&b, "%lld finding%s dropped, %lld lost ", (long long)r->dropped, words_s(r->dropped),
                       (long long)r->lost);
        buf_adds(&b, r->text ? r->text : r->reason ? r->reason : "");
        table_text(t, r->note ? r->note : "note");
        table_text(t, "-");
        table_text(t, "-");
        table_text(t, "-");
    }
    table_text(t, b.p);
    buf_release(&b);
}

static bool print(struct show *s)
{
    static const struct table_column columns[] = {{"time", "Time"},      {"host", "Host"},   {"action", "Action"},
                                                  {"statement", "Line"}, {"domain", "From"}, {"id", "Queue-id"},
                                                  {"results", "Found"},  {NULL, NULL}};
    if (s->args->form == TABLE_JSON) {
        for (size_t i = 0; i < s->count; i++)
            puts(s->kept[i].line);
        return true;
    }
    struct table *t = table_new(columns);
    for (size_t i = 0; i < s->count; i++) {
        struct record r;
        if (record_parse(slice_str(s->kept[i].line), &r, NULL) != STATUS_OK)
            continue;
        add_row(t, &r);
        record_free(&r);
    }
    bool ok = table_print(t, TABLE_TEXT, "Nothing in the journals.");
    table_free(t);
    return ok;
}

int ledger_show(int argc, char **argv)
{
    struct ledger_args a;
    struct ledger_config c;
    int rc = ledger_args_read(&a, argc, argv,
                              LEDGER_SINCE | LEDGER_DOMAIN | LEDGER_LIMIT | LEDGER_JOURNAL | LEDGER_JSON, 0, 0, &usage);
    if (rc >= 0)
        return rc;
    const struct policy *p = ledger_settings(&a, &c, &rc);
    if (!p)
        return rc;
    struct show s = {.args = &a, .limit = a.limit ? (size_t)a.limit : a.since ? 0 : SHOW_DEFAULT};
    size_t readable = 0;
    enum status st = STATUS_OK;
    for (size_t i = 0; i < c.folder_count && st != STATUS_NOMEM; i++) {
        st = read_folder(&s, c.folders[i]);
        readable += st == STATUS_OK;
        if (st != STATUS_OK && (st != STATUS_MISSING || c.folder_count == 1))
            cli_error("%s: %s", c.folders[i],
                      st == STATUS_MISSING  ? "there is no such folder"
                      : st == STATUS_DENIED ? "may not be read"
                                            : status_text(st));
    }
    if (s.count)
        qsort(s.kept, s.count, sizeof *s.kept, by_time);
    size_t skip = s.limit && s.count > s.limit ? s.count - s.limit : 0;
    for (size_t i = 0; i < skip; i++)
        free(s.kept[i].line);
    if (skip)
        memmove(s.kept, s.kept + skip, (s.count - skip) * sizeof *s.kept);
    s.count -= skip;
    if (!readable && c.folder_count > 1)
        cli_error("none of the journals' folders is there: %s and others", c.folders[0]);
    rc = !readable ? EX_NOINPUT : print(&s) ? EX_OK : EX_IOERR;
    if (s.bad)
        cli_error("%llu line%s could not be read", (unsigned long long)s.bad, words_s((int64_t)s.bad));
    for (size_t i = 0; i < s.count; i++)
        free(s.kept[i].line);
    free(s.kept);
    policy_unref(p);
    return rc;
}
