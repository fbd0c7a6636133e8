// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_record.c - a line of a journal, ingested into an empty ledger in memory, and its DMARC row written as XML.
 */
#include "feedback/dmarc_report.h"
#include "ledger/ingest.h"
#include <stdlib.h>

static bool any_piece(void *context, struct slice piece)
{
    (void)context;
    return piece.n > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct store *s;
    static struct aggregate *t;
    char why[STORE_ERROR];
    struct record r;
    struct slice line = slice_of((const char *)data, size);
    if (!s && (!(s = store_open(":memory:", STORE_WRITE, NULL, why)) || !(t = aggregate_new())))
        abort();
    if (record_parse(line, &r, why) != STATUS_OK)
        return 0;
    if (store_begin(s) != STATUS_OK || ingest_record(s, t, &r, line) != STATUS_OK || aggregate_flush(t, s) != STATUS_OK)
        abort(); /* no contents of a line make a statement fail */
    struct store_rows *rows = store_ask(s, "SELECT " DMARC_ROW_NAMES ", count FROM dmarc_row", "");
    struct arena *a = arena_new(1 << 20);
    while (store_next(rows)) {
        struct dmarc_row row;
        if (!a || !dmarc_row_read(rows, 0, a, NULL, &row))
            abort();
        struct dmarc_report report = {.domain = "example.org",
                                      .published = "{}",
                                      .from = "a@example.org",
                                      .contact = "a@example.org",
                                      .rows = &row,
                                      .row_count = 1};
        if (dmarc_report_xml(&report, DMARC_RFC9990, 1, &(struct dmarc_xml_taker){.take = any_piece}) != STATUS_OK)
            abort();
    }
    if (store_done(rows) != STATUS_OK)
        abort();
    arena_free(a);
    store_rollback(s);
    record_free(&r);
    return 0;
}
