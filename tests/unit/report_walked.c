// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_walked.c - what is found in each of many inputs, for tests/system/ledger/shapes_changed.py.
 *
 * Standard input: each input behind its length (4 octets, the lowest first). Standard output, for each: lines "report",
 * with the kind, begin, end, whether it is partial, the octets of its text, the domains, and the counts of its rows;
 * behind that line the text; lines "unread"; a line "done". At the end "memory", the most that it had, in kB. Read in
 * this process, without the limits of report_reader.h, so that a sanitizer sees it.
 */
#include "base/arena.h"
#include "feedback/report_in.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA ((size_t)8 << 20)

static bool print_row(void *context, const struct report_in_row *row)
{
    (void)context;
    printf(" %" PRId64, row->count);
    return true;
}

static void unread(void *context, const char *where, const char *why, enum status st)
{
    (void)context, (void)where, (void)st;
    printf("unread %s\n", why);
}

static void found(void *context, const char *where, struct slice text)
{
    char why[REPORT_IN_WHY] = "";
    struct report_in r;
    struct arena *a = arena_new(ARENA);
    if (!a)
        abort();
    if (report_in_parse(a, text, NULL, &r, why) != STATUS_OK) {
        unread(context, where, why, STATUS_INVALID);
        arena_free(a);
        return;
    }
    printf("report %d %" PRId64 " %" PRId64 " %d %zu ", (int)r.kind, r.begin, r.end, r.partial != NULL, text.n);
    for (size_t i = 0; i < r.domain_count; i++)
        printf("%s%s", i ? "," : "", r.domains[i]);
    arena_reset(a);
    if (report_in_parse(a, text, &(struct report_in_rows){print_row, NULL}, &r, why) != STATUS_OK)
        abort();
    putchar('\n');
    fwrite(text.p, 1, text.n, stdout);
    putchar('\n');
    arena_free(a);
}

/* By the kernel's count since this program began: that of getrusage() has what the process had before. */
static bool print_memory(void)
{
    char line[200];
    FILE *f = fopen("/proc/self/status", "re");
    bool told = false;
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            told = printf("memory %ld\n", strtol(line + 6, NULL, 10)) > 0;
    if (f)
        fclose(f);
    return told;
}

int main(void)
{
    unsigned char length[4];
    while (fread(length, 1, sizeof length, stdin) == sizeof length) {
        size_t n = length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
        char *octets = malloc(n ? n : 1); /* of its own size: a sanitizer sees what is read behind it */
        if (!octets || fread(octets, 1, n, stdin) != n)
            return EXIT_FAILURE;
        report_in_walk(slice_of(octets, n), "input", &(struct report_in_walker){found, unread, NULL, NULL});
        puts("done");
        fflush(stdout);
        free(octets);
    }
    return print_memory() ? EXIT_SUCCESS : EXIT_FAILURE;
}
