// SPDX-License-Identifier: BSD-2-Clause
/*
 * ingest_ahead.c - ingests records dated in the future, once their time has come.
 *
 * Promises that each is ingested once: it is deleted from the table in the transaction that ingests it. On failure it
 * stays.
 */
#include "base/clock.h"
#include "ledger/ingest.h"
#include <stdlib.h>

#define AT_ONCE 500

struct line {
    int64_t t, number;
    char *text;
};

static enum status read_due(struct store *s, struct line *lines, size_t *n)
{
    struct store_rows *r = store_ask(s, "SELECT t, number, line FROM ahead WHERE t <= $1 ORDER BY t, number LIMIT $2",
                                     "ii", clock_wall_us() + INGEST_AHEAD, (int64_t)AT_ONCE);
    enum status st = STATUS_OK;
    *n = 0;
    while (*n < AT_ONCE && st == STATUS_OK && store_next(r)) {
        lines[*n] = (struct line){store_number(r, 0), store_number(r, 1), strdup(store_text(r, 2))};
        st = lines[(*n)++].text ? STATUS_OK : STATUS_NOMEM;
    }
    enum status done = store_done(r);
    return done == STATUS_OK ? st : done;
}

static enum status ahead_ingest(struct store *s, struct aggregate *t, const struct line *l)
{
    struct record r;
    int64_t gone = 0;
    enum status st = store_run(s, &gone, "DELETE FROM ahead WHERE t = $1 AND number = $2", "ii", l->t, l->number);
    if (st != STATUS_OK || gone == 0 || record_parse(slice_str(l->text), &r, NULL) != STATUS_OK)
        return st;
    st = ingest_record(s, t, &r, slice_str(l->text));
    record_free(&r);
    return st;
}

enum status ingest_ahead(struct store *s, const struct organisation_lists *lists, int64_t *waiting)
{
    struct line *lines = calloc(AT_ONCE, sizeof *lines);
    struct aggregate *t = aggregate_new();
    size_t n = 0;
    if (t)
        aggregate_set_lists(t, lists);
    enum status st = lines && t ? read_due(s, lines, &n) : STATUS_NOMEM;
    if (st == STATUS_OK && n) {
        st = store_begin(s);
        for (size_t i = 0; i < n && st == STATUS_OK; i++)
            st = ahead_ingest(s, t, &lines[i]);
        if (st == STATUS_OK)
            st = aggregate_flush(t, s);
        if (st == STATUS_OK)
            st = store_commit(s);
        if (st != STATUS_OK)
            store_rollback(s);
    }
    for (size_t i = 0; i < n; i++)
        free(lines[i].text);
    free(lines);
    aggregate_free(t);
    *waiting = 0;
    return st == STATUS_OK ? store_ask_number(s, 0, waiting, "SELECT count(*) FROM (SELECT 1 FROM ahead LIMIT $1) x",
                                              "i", (int64_t)INGEST_AHEAD_COUNTED)
                           : st;
}
