// SPDX-License-Identifier: BSD-2-Clause
/*
 * retention.c - retention, forgetting, knowledge.
 *
 * Promises that after retention_run no queue-id, Message-ID, HELO name, exact address or raw record older than
 * keep.identity is in the store; that retention_forget leaves no row that names the subject (sums over all domains keep
 * their numbers: they name nobody); and that the knowledge file is whole or the old one. Each is one transaction; on
 * failure nothing has changed.
 */
#include "base/rootfile.h"
#include "ledger/retention.h"
#include "base/clock.h"
#include "journal/known_signers.h"
#include "ledger/inbox.h"
#include "ledger/timestamp.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status add(struct store *s, enum status st, int64_t *rows, const char *sql, int64_t before)
{
    int64_t n = 0;
    if (st == STATUS_OK)
        st = store_run(s, &n, sql, "i", before);
    *rows += st == STATUS_OK ? n : 0;
    return st;
}

static enum status finish(struct store *s, enum status st)
{
    if (st == STATUS_OK)
        st = store_commit(s);
    if (st != STATUS_OK)
        store_rollback(s);
    return st;
}

enum status retention_run(struct store *s, const struct retention_keep *keep, int64_t *rows)
{
    int64_t now = clock_wall_us(), today = timestamp_day(now);
    int64_t identity = now - keep->identity * TIMESTAMP_SECOND, mails = now - keep->mails * TIMESTAMP_SECOND;
    int64_t days = today - keep->days / 86400, hours = (today - RETENTION_HOURS_DAYS) * 24;
    /* Rows of reports hold exact addresses: gone with them, but never before their day's report was due. */
    int64_t reports = today - (keep->identity / 86400 > 3 ? keep->identity / 86400 : 3);
    *rows = 0;
    enum status st = store_months(s, today, today + STORE_MONTHS_AHEAD_DAYS);
    if (st == STATUS_OK)
        st = store_drop_months(s, mails);
    if (st == STATUS_OK)
        st = store_begin(s);
    if (st != STATUS_OK)
        return st;
    st = add(s, st, rows, "DELETE FROM mail WHERE t < $1", mails);
    st = add(s, st, rows,
             "UPDATE mail SET queue_id = NULL, message_id = NULL, helo = NULL, client = NULL, record = NULL, exact = 0 "
             "WHERE exact = 1 AND t < $1",
             identity);
    st = add(s, st, rows, "DELETE FROM dmarc_row WHERE day < $1", reports);
    st = add(s, st, rows, "DELETE FROM dmarc_domain WHERE day < $1", reports);
    st = add(s, st, rows, "DELETE FROM dmarc_behind WHERE day < $1", reports);
    st = add(s, st, rows, "DELETE FROM failure_out WHERE day < $1", reports);
    st = add(s, st, rows, "DELETE FROM standard_hour WHERE hour < $1", hours);
    st = add(s, st, rows, "DELETE FROM verdict_hour WHERE hour < $1", hours);
    st = add(s, st, rows, "DELETE FROM subject_day WHERE day < $1", days);
    st = add(s, st, rows, "DELETE FROM standard_day WHERE day < $1", days);
    st = add(s, st, rows, "DELETE FROM outcome_day WHERE day < $1", days);
    st = add(s, st, rows,
             "DELETE FROM exception WHERE day < $1 AND policy NOT IN (SELECT DISTINCT policy FROM outcome_day)", days);
    st = add(s, st, rows, "DELETE FROM signer_day WHERE day < $1", days);
    st = add(s, st, rows, "DELETE FROM report_out WHERE day < $1", days);
    st = add(s, st, rows, "DELETE FROM selector WHERE last_seen < $1", days * TIMESTAMP_DAY);
    st = add(s, st, rows, "DELETE FROM zone WHERE last_seen < $1", days * TIMESTAMP_DAY);
    st = add(s, st, rows, "DELETE FROM segment WHERE state = 'done' AND changed < $1", now - 400 * TIMESTAMP_DAY);
    if (store_is_shared(s))
        st = add(s, st, rows, "DELETE FROM inbox WHERE refused IS NOT NULL AND sent < $1",
                 now - INBOX_REFUSED_DAYS * TIMESTAMP_DAY);
    st = finish(s, st);
    return st == STATUS_OK && (*rows || store_is_shared(s)) ? store_vacuum(s) : st;
}

/* before, subject with the wildcards of LIKE made plain, after */
static void pattern(char *out, size_t size, const char *before, const char *subject, const char *after)
{
    size_t n = (size_t)snprintf(out, size, "%s", before);
    for (const char *p = subject; *p && n + 3 < size; p++) {
        if (*p == '_' || *p == '%' || *p == '!')
            out[n++] = '!';
        out[n++] = *p;
    }
    snprintf(out + n, size - n, "%s", after);
}

enum status retention_forget(struct store *s, const char *subject, int64_t *rows)
{
    /* $1 the subject, $2 what names below it end with. An address or network never has names below it. */
    static const char *const statements[] = {
        "DELETE FROM mail WHERE from_domain = $1 OR mail_from = $1 OR helo = $1 OR client = $1 OR client_net = $1 OR "
        "from_domain LIKE $2 ESCAPE '!' OR "
        "mail_from LIKE $2 ESCAPE '!' OR helo LIKE $2 ESCAPE '!'",
        "DELETE FROM subject_day WHERE subject = $1 OR subject LIKE $2 ESCAPE '!'",
        "DELETE FROM outcome_day WHERE subject = $1 OR subject LIKE $2 ESCAPE '!'",
        "DELETE FROM selector WHERE domain = $1 OR domain LIKE $2 ESCAPE '!'",
        "DELETE FROM signer_day WHERE domain = $1 OR domain LIKE $2 ESCAPE '!'",
        "DELETE FROM zone WHERE name = $1 OR name LIKE $2 ESCAPE '!'",
        "DELETE FROM dmarc_domain WHERE domain = $1 OR domain LIKE $2 ESCAPE '!'",
        "DELETE FROM dmarc_row WHERE domain = $1 OR domain LIKE $2 ESCAPE '!'",
        "DELETE FROM dmarc_behind WHERE domain = $1 OR domain LIKE $2 ESCAPE '!'",
        "DELETE FROM report_out WHERE domain = $1 OR domain LIKE $2 ESCAPE '!'",
        "DELETE FROM failure_out WHERE domain = $1 OR domain LIKE $2 ESCAPE '!'",
        "DELETE FROM report_in_row WHERE domain = $1 OR source = $1 OR domain LIKE $2 ESCAPE '!'",
        "DELETE FROM report_in WHERE domain = $1 OR domain LIKE $2 ESCAPE '!'",
    };
    char below[600];
    pattern(below, sizeof below, "%.", subject, "");
    *rows = 0;
    enum status st = store_begin(s);
    for (size_t i = 0; i < sizeof statements / sizeof *statements && st == STATUS_OK; i++) {
        int64_t n = 0;
        st = store_run(s, &n, statements[i], "tt", subject, below);
        *rows += n;
    }
    /* A DMARC row is a text with the address in it. */
    char quoted[600];
    pattern(quoted, sizeof quoted, "%\"", subject, "\"%");
    if (st == STATUS_OK) {
        int64_t n = 0;
        st = store_run(s, &n, "DELETE FROM dmarc_row WHERE tuple LIKE $1 ESCAPE '!'", "t", quoted);
        *rows += n;
    }
    return finish(s, st);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char **at;
    size_t count, room;
};

static enum status add_name(struct names *n, const char *name)
{
    if (n->count == n->room) {
        size_t room = n->room ? n->room * 2 : 256;
        char **grown = realloc(n->at, room * sizeof *grown);
        if (!grown)
            return STATUS_NOMEM;
        n->at = grown;
        n->room = room;
    }
    n->at[n->count] = strdup(name);
    return n->at[n->count] ? (n->count++, STATUS_OK) : STATUS_NOMEM;
}

static enum status write_names(const struct names *n, const char *path, char *why)
{
    const struct rootfile_rights rights = {.mode = 0644, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    struct buf text = BUF_INIT;
    buf_printf(&text, "assay-knowledge 1 %zu\n", n->count);
    for (size_t i = 0; i < n->count; i++)
        buf_printf(&text, "%s\n", n->at[i]);
    errno = ENOMEM;
    enum status s = text.failed ? STATUS_NOMEM : rootfile_write(path, buf_slice(&text), &rights);
    if (s != STATUS_OK)
        snprintf(why, STORE_ERROR, "%s: %s", path, strerror(errno));
    buf_release(&text);
    return s == STATUS_OK ? s : STATUS_AGAIN;
}

enum status retention_write_signers(struct store *s, const char *path, size_t *count, char *why)
{
    struct names names = {0};
    struct store_rows *r =
        store_ask(s,
                  "SELECT domain FROM signer_day WHERE day >= $1 GROUP BY domain HAVING sum(signed) >= $2 AND "
                  "sum(signed) * 100 >= sum(passed) * 99 AND max(day) - min(day) >= $3",
                  "iii", timestamp_day(clock_wall_us()) - KNOWN_SIGNERS_WINDOW_DAYS, (int64_t)KNOWN_SIGNERS_PASSES,
                  (int64_t)KNOWN_SIGNERS_SPAN_DAYS);
    enum status added = STATUS_OK;
    while (added == STATUS_OK && store_next(r))
        added = add_name(&names, store_text(r, 0));
    enum status st = store_done(r);
    st = st == STATUS_OK ? added : st;
    if (st == STATUS_OK) {
        if (names.count)
            qsort(names.at, names.count, sizeof *names.at, by_name);
        st = write_names(&names, path, why);
    } else {
        snprintf(why, STORE_ERROR, "%s", store_error(s));
    }
    *count = names.count;
    for (size_t i = 0; i < names.count; i++)
        free(names.at[i]);
    free(names.at);
    return st;
}
