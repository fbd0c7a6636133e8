// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_segment.c - a whole file of a journal's folder: its lines one by one, and again from a place in its middle,
 * which must give the same lines; then all of it ingested into an empty ledger in memory as assay-ledger does, which
 * must end with the file gone, set aside, or left alone.
 */
#include "journal/journal_read.h"
#include "ledger/ingest.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/assay-fuzz-segment.XXXXXX";
static const char *const name = "milter-20261120T000000Z-00000001.journal";

static void segment_put(const uint8_t *data, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || (size && write(fd, data, size) != (ssize_t)size) || close(fd) != 0)
        abort();
}

/* Lines from `from` on, and the place behind the first half of them. */
static size_t lines_count(off_t from, off_t *middle, size_t half)
{
    struct journal_lines l;
    struct slice line;
    off_t after, before = from;
    size_t n = 0;
    if (journal_lines_open(&l, dir, name, from) != STATUS_OK)
        abort();
    while (journal_lines_next(&l, &line, &after)) {
        if (after <= before || memchr(line.p, '\n', line.n) || memchr(line.p, '\0', line.n))
            abort();
        before = after;
        if (++n == half)
            *middle = after;
    }
    journal_lines_close(&l);
    return n;
}

static void clean(void)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct store *s;
    static const char *const left[] = {".journal", ".bad", ".bad.why"};
    if (!s && (!mkdtemp(dir) || atexit(clean) != 0 || !(s = store_open(":memory:", STORE_WRITE, NULL, NULL))))
        abort();
    segment_put(data, size);
    off_t middle = 0;
    size_t all = lines_count(0, &middle, 0), half = all / 2;
    if (half && (lines_count(0, &middle, half) != all || lines_count(middle, &middle, 0) != all - half))
        abort();
    struct ingest_report r = {0};
    if (ingest_folder(s, NULL, dir, NULL, &r) != STATUS_OK)
        abort(); /* whatever a file contains, the store must not fail */
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%.*s%s", dir, (int)(strlen(name) - 8), name, left[i]);
        (void)unlink(path);
    }
    if (store_run(s, &(int64_t){0}, "DELETE FROM segment", "") != STATUS_OK)
        abort();
    return 0;
}
