// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish_log.c - the totals that pages for the world show (publish_log.h).
 *
 * Promises that two totals of a list that are shown at one time, on whatever pages, are the same or differ by at least
 * PUBLISH_LEAST, and so do a page's total and the last one of that page. A log that cannot be read is an error: then
 * nothing is published.
 */
#include "report/publish_log.h"
#include "base/rootfile.h"
#include "ledger/published.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_OCTETS 65536
#define HOST_OCTETS 256

static struct slice name_of(const struct publish_total *t)
{
    return slice_str(t->name ? t->name : PUBLISHED_ALL);
}

/* The next line of a log that is about this list: its total. *at is where to look from. */
static bool next_line(const char **at, struct slice name, int64_t *told, int64_t *meets)
{
    while (**at) {
        const char *p = *at;
        size_t line = strcspn(p, "\n"), n = strcspn(p, "\t\n");
        *at = p + line + (p[line] == '\n');
        if (p[n] == '\t' && slice_eq(slice_of(p, n), name)) {
            char *end;
            *told = strtoll(p + n + 1, &end, 10);
            *meets = strtoll(end, NULL, 10);
            return true;
        }
    }
    return false;
}

static bool log_has(const struct buf *log, struct slice name)
{
    const char *at = log->p;
    return next_line(&at, name, &(int64_t){0}, &(int64_t){0});
}

static bool is_near(int64_t a, int64_t b)
{
    return a != b && llabs(a - b) < PUBLISH_LEAST;
}

static bool hold(const struct buf *log, struct publish_total *t)
{
    int64_t told, meets;
    for (const char *at = log->p; next_line(&at, name_of(t), &told, &meets);) {
        if (is_near(t->told, told) || is_near(t->meets, meets)) {
            t->told = told;
            t->meets = meets;
            t->hidden = told < PUBLISH_LEAST;
            return true;
        }
    }
    return false;
}

void publish_log_hold(const struct publish_log *log, struct publish_total *t)
{
    if (!hold(&log->here, t))
        (void)hold(&log->elsewhere, t);
}

bool publish_log_last(const struct publish_log *log, struct publish_total *t)
{
    const char *here = log->here.p, *elsewhere = log->elsewhere.p;
    int64_t told, meets;
    if (!next_line(&here, name_of(t), &told, &meets) && !next_line(&elsewhere, name_of(t), &told, &meets))
        return false;
    t->told = told;
    t->meets = meets;
    t->hidden = told < PUBLISH_LEAST;
    return true;
}

static bool each_line(const struct buf *log, publish_log_fn *each, void *context)
{
    for (const char *p = log->p; *p;) {
        size_t line = strcspn(p, "\n"), n = strcspn(p, "\t\n");
        if (p[n] == '\t') {
            char *end;
            int64_t told = strtoll(p + n + 1, &end, 10), meets = strtoll(end, NULL, 10);
            if (!each(context, slice_of(p, n), told, meets))
                return false;
        }
        p += line + (p[line] == '\n');
    }
    return true;
}

void publish_log_each(const struct publish_log *log, publish_log_fn *each, void *context)
{
    if (each_line(&log->here, each, context))
        (void)each_line(&log->elsewhere, each, context);
}

/* ---- totals of which nobody knows who was counted ---- */

#define FIGURES_MOST 96 /* more: each may be a part of a sum */

struct figure {
    int64_t told, meets;
    bool unknown;
};

struct figures {
    const struct publish_history *history;
    const struct publish_total *all;
    size_t totals;
    struct figure list[FIGURES_MOST];
    size_t count;
    bool full, any_unknown;
};

static bool note_unknown(void *context, struct slice list, int64_t told, int64_t meets)
{
    struct figures *f = context;
    for (size_t i = 0; i < f->totals; i++)
        if (slice_eq(list, name_of(&f->all[i])))
            return true;
    if (publish_history_has(f->history, list, told, meets))
        return true;
    f->full = f->count == FIGURES_MOST;
    f->any_unknown = true;
    if (!f->full)
        f->list[f->count++] = (struct figure){told, meets, true};
    return !f->full;
}

/* Whether the largest of these figures is nearly the sum of the others. */
static bool adds_up(const struct figure *const *parts, size_t count)
{
    int64_t largest = 0, told = 0, meets = 0;
    for (size_t i = 1; i < count; i++)
        if (parts[i]->told > parts[largest]->told)
            largest = (int64_t)i;
    for (size_t i = 0; i < count; i++) {
        told += (int64_t)i == largest ? parts[i]->told : -parts[i]->told;
        meets += (int64_t)i == largest ? parts[i]->meets : -parts[i]->meets;
    }
    return (told > 0 && told < PUBLISH_LEAST) || (told == 0 && meets != 0);
}

/* Tries the sums of parts[0] and those that were chosen before, with up to `more` of the figures from `from` on. */
static bool sums_tell(const struct figures *f, const struct figure **parts, size_t count, size_t from, size_t more)
{
    bool unknown = false;
    for (size_t i = 0; i < count; i++)
        unknown = unknown || parts[i]->unknown;
    if (unknown && adds_up(parts, count))
        return true;
    for (size_t i = from; more && i < f->count; i++) {
        parts[count] = &f->list[i];
        if (sums_tell(f, parts, count + 1, i + 1, more - 1))
            return true;
    }
    return false;
}

bool publish_log_tells(const struct publish_log *log, const struct publish_history *h, const struct publish_total *all,
                       size_t count, size_t i)
{
    struct figures f = {.history = h, .all = all, .totals = count};
    const struct figure own = {all[i].told, all[i].meets, false}, *parts[PUBLISH_SUM + 1] = {&own};
    int64_t told, meets;
    for (const char *at = log->here.p; next_line(&at, name_of(&all[i]), &told, &meets);)
        if (told == all[i].told && meets == all[i].meets)
            return false;
    publish_log_each(log, note_unknown, &f);
    for (size_t k = 0; k < count && f.count < FIGURES_MOST; k++)
        if (k != i && !all[k].hidden)
            f.list[f.count++] = (struct figure){all[k].told, all[k].meets, false};
    return f.any_unknown && (f.full || sums_tell(&f, parts, 1, 0, PUBLISH_SUM));
}

/* ---- reading ---- */

static void add_line(void *context, bool here, const char *list, int64_t organisations, int64_t meets)
{
    struct publish_log *log = context;
    buf_printf(here ? &log->here : &log->elsewhere, "%s\t%lld %lld\n", list, (long long)organisations,
               (long long)meets);
}

/* Of the folder's log, the lists of which the ledger knows nothing there: it was written before the ledger kept them.
 */
static enum status read_file(struct publish_log *log)
{
    struct buf file = BUF_INIT;
    enum status st = rootfile_read(log->path, ROOTFILE_NOBODY, LOG_OCTETS, &file);
    for (const char *p = st == STATUS_OK ? file.p : ""; *p;) {
        size_t line = strcspn(p, "\n"), n = strcspn(p, "\t\n");
        if (p[n] == '\t' && !log_has(&log->here, slice_of(p, n)))
            buf_printf(&log->here, "%.*s\n", (int)line, p);
        p += line + (p[line] == '\n');
    }
    buf_release(&file);
    return st == STATUS_MISSING ? STATUS_OK : st;
}

static enum status name_places(struct publish_log *log, const char *dir)
{
    char host[HOST_OCTETS] = "", folder[PATH_MAX], real[PATH_MAX];
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    int size = snprintf(log->path, sizeof log->path, "%.*s" FOLDER_PUBLISHED, (int)n, dir);
    if (size < 0 || (size_t)size >= sizeof log->path)
        return STATUS_LIMIT;
    snprintf(folder, sizeof folder, "%.*s", (int)n, dir);
    folder_real_path(folder, real);
    (void)gethostname(host, sizeof host - 1);
    snprintf(log->place, sizeof log->place, "%s:%s", host, real);
    return STATUS_OK;
}

static void log_release(struct publish_log *log)
{
    buf_release(&log->here);
    buf_release(&log->elsewhere);
}

enum status publish_log_begin(struct publish_log *log, struct store *kept, const char *dir, char why[FOLDER_WHY])
{
    *log = (struct publish_log){.store = kept, .here = BUF_INIT, .elsewhere = BUF_INIT};
    enum status st = name_places(log, dir);
    if (st != STATUS_OK) {
        snprintf(why, FOLDER_WHY, "the folder's name is too long");
        return st;
    }
    st = published_begin(kept);
    if (st == STATUS_OK) {
        st = published_each(kept, log->place, add_line, log);
        if (st != STATUS_OK)
            store_rollback(kept);
    }
    if (st != STATUS_OK) {
        snprintf(why, FOLDER_WHY, "what was published before is not known: %s", store_error(kept));
        log_release(log);
        return st;
    }
    st = read_file(log);
    if (st != STATUS_OK)
        snprintf(why, FOLDER_WHY, "%.400s cannot be read: what was published before is not known", log->path);
    else if (log->here.failed || log->elsewhere.failed)
        snprintf(why, FOLDER_WHY, "out of memory");
    else
        return STATUS_OK;
    return publish_log_end(log, st == STATUS_OK ? STATUS_NOMEM : st, why);
}

/* ---- writing ---- */

/* What is not shown this time keeps its line: it was published, and is compared with when it is shown again. */
static void keep_lines(const struct publish_log *log, const struct publish_total *all, size_t count, struct buf *out)
{
    for (const char *p = log->here.p; *p;) {
        size_t line = strcspn(p, "\n"), n = strcspn(p, "\t\n");
        bool shown = false;
        for (size_t i = 0; i < count; i++)
            shown = shown || (!all[i].hidden && slice_eq(slice_of(p, n), name_of(&all[i])));
        if (!shown)
            buf_printf(out, "%.*s\n", (int)line, p);
        p += line + (p[line] == '\n');
    }
}

static enum status write_file(const struct publish_log *log, const struct publish_total *all, size_t count)
{
    const struct rootfile_rights rights = {.mode = 0600, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < count; i++)
        if (!all[i].hidden)
            buf_printf(&b, "%.*s\t%lld %lld\n", (int)name_of(&all[i]).n, name_of(&all[i]).p, (long long)all[i].told,
                       (long long)all[i].meets);
    keep_lines(log, all, count, &b);
    enum status st = b.failed           ? STATUS_NOMEM
                     : b.n > LOG_OCTETS ? STATUS_LIMIT
                                        : rootfile_write(log->path, buf_slice(&b), &rights);
    buf_release(&b);
    return st;
}

enum status publish_log_keep(struct publish_log *log, const struct publish_total *all, size_t count, int64_t day,
                             char why[FOLDER_WHY])
{
    for (size_t i = 0; i < count; i++) {
        enum status st =
            all[i].hidden ? STATUS_OK
                          : published_put(log->store, log->place, day, name_of(&all[i]).p, all[i].told, all[i].meets);
        if (st != STATUS_OK) {
            snprintf(why, FOLDER_WHY, "the ledger cannot keep what is published: %s", store_error(log->store));
            return st;
        }
    }
    enum status st = write_file(log, all, count);
    if (st == STATUS_LIMIT)
        snprintf(why, FOLDER_WHY, "%.400s would be over %d octets: it names too many lists", log->path, LOG_OCTETS);
    return st;
}

enum status publish_log_end(struct publish_log *log, enum status st, char why[FOLDER_WHY])
{
    enum status end = st == STATUS_OK ? store_commit(log->store) : st;
    if (end != STATUS_OK)
        store_rollback(log->store);
    if (end != STATUS_OK && st == STATUS_OK)
        snprintf(why, FOLDER_WHY, "the page is written, but the ledger could not keep what it shows: %s",
                 store_error(log->store));
    log_release(log);
    return end;
}
