// SPDX-License-Identifier: BSD-2-Clause
/*
 * signatures.c - what the DKIM and ARC engines find in saved messages, one line each: the tool behind run-dkim and
 * run-arc.
 *
 *     signatures dkim|arc DNSFILE [AT] MESSAGE...
 *
 * DNSFILE is in the replay format (dns/dns_replay.h), AT the time to judge as of (seconds since 1970, 0: now). For dkim
 * each message gives "FILE RESULT[,RESULT...] REASON[; ...]", "none" where it is unsigned; for arc "FILE RESULT OLDEST
 * REASON". The body is fed in pieces of 1, 2, 3, ... octets, so that a cut anywhere must make no difference. Exit: 0;
 * 64 usage; 66 a file cannot be read.
 */
#include "base/arena.h"
#include "dns/dns_replay.h"
#include "base/limits.h"
#include "standards/arc/arc_check.h"
#include "standards/dkim/dkim_check.h"
#include "standards/message/header.h"
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static struct slice read_whole(struct arena *arena, const char *path)
{
    FILE *f = fopen(path, "rb");
    char *p = f ? arena_alloc(arena, 1 << 20) : NULL;
    size_t n = p ? fread(p, 1, 1 << 20, f) : 0;
    if (f)
        fclose(f);
    if (!p) {
        fprintf(stderr, "signatures: %s: cannot be read\n", path);
        exit(EX_NOINPUT);
    }
    return slice_of(p, n);
}

static void check_dkim(struct dns_scope *dns, struct arena *arena, const struct header_list *headers, struct slice body,
                       time_t at)
{
    struct dkim_check_options options = {.at = at};
    struct dkim_checker *c = dkim_checker_new(dns, arena, headers, NULL, &options);
    const struct dkim_signature *s = NULL;
    size_t count = 0;
    for (size_t from = 0, n = 1; from < body.n; from += n, n++)
        dkim_checker_body(c, slice_of(body.p + from, n < body.n - from ? n : body.n - from));
    if (dkim_checker_end(c, &s, &count) != STATUS_OK)
        printf(" NOMEM");
    for (size_t i = 0; i < count; i++)
        printf("%c%s%s", i ? ',' : ' ', result_name(s[i].result), s[i].counts ? "+" : "");
    printf("%s", count ? " " : " none ");
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i ? "; " : "", s[i].reason);
    dkim_checker_free(c);
}

static void check_arc(struct dns_scope *dns, struct arena *arena, const struct header_list *headers, struct slice body,
                      time_t at)
{
    struct arc_check_options options = {.at = at};
    struct arc_finding found;
    struct arc_checker *c = arc_checker_new(dns, arena, headers, &options);
    for (size_t from = 0, n = 1; from < body.n; from += n, n++)
        arc_checker_body(c, slice_of(body.p + from, n < body.n - from ? n : body.n - from));
    if (arc_checker_end(c, &found) != STATUS_OK)
        printf(" NOMEM");
    printf(" %s %u %s", result_name(found.result), found.oldest_pass, found.reason);
    arc_checker_free(c);
}

int main(int argc, char **argv)
{
    if (argc < 5 || (strcmp(argv[1], "dkim") != 0 && strcmp(argv[1], "arc") != 0)) {
        fprintf(stderr, "usage: signatures dkim|arc DNSFILE AT MESSAGE...\n");
        return EX_USAGE;
    }
    char *error = NULL;
    struct dns *source = dns_replay_new(argv[2], &error);
    if (!source) {
        fprintf(stderr, "signatures: %s\n", error ? error : argv[2]);
        return EX_NOINPUT;
    }
    for (int i = 4; i < argc; i++) {
        struct arena *arena = arena_new(LIMIT_MESSAGE_ARENA);
        struct dns_scope *dns = dns_scope_new(source, arena, NULL);
        struct header_list headers;
        struct slice body = SLICE_NULL;
        header_list_init(&headers, arena);
        if (header_parse_message(&headers, read_whole(arena, argv[i]), &body) != STATUS_OK)
            return EX_NOINPUT;
        printf("%s", argv[i]);
        (argv[1][0] == 'd' ? check_dkim : check_arc)(dns, arena, &headers, body, (time_t)strtoll(argv[3], NULL, 10));
        printf("\n");
        dns_scope_free(dns);
        arena_free(arena);
    }
    dns_close(source);
    return 0;
}
