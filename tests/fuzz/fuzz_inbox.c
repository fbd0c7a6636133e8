// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_inbox.c - the lines that a host inserted into the inbox of a shared ledger: whatever they are, reading them from
 * any place gives the rest of what reading them from the start gives, and never a line twice. The first two octets say
 * where they begin and from where to read.
 */
#include "ledger/inbox.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t lines, octets;
};

static enum status see(void *arg, struct slice line)
{
    struct seen *s = arg;
    if (memchr(line.p, '\n', line.n) || (line.n && line.p[0] == '!'))
        abort();
    s->lines++;
    s->octets += line.n + 1;
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    char *text = malloc(size - 2 ? size - 2 : 1);
    memcpy(text, data + 2, size - 2);
    struct slice in = slice_of(text, size - 2);
    struct seen all = {0}, rest = {0};
    struct inbox_reader a = {.line = see, .arg = &all}, b = {.line = see, .arg = &rest};
    int64_t end, end_of_rest, at = data[0], from = at + data[1];
    enum status st = inbox_lines(in, at, 0, &a, &end);
    if (inbox_lines(in, at, from, &b, &end_of_rest) != st)
        abort();
    if (st == STATUS_OK && (end != end_of_rest || rest.lines > all.lines || b.left_out > a.left_out || end < at))
        abort();
    if (st == STATUS_OK && a.left_out == 0 && (int64_t)all.octets != end - at && at > 0)
        abort(); /* without gaps, what was read is what there is */
    free(text);
    return 0;
}
