// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_arc_check.c - a whole message through ARC: its chain put together and verified against a fixed zone.
 */
#include "dns/dns_replay.h"
#include "base/limits.h"
#include "standards/arc/arc_check.h"
#include "standards/message/header.h"
#include "tests/fuzz/dkim_zone.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dns *source;
    char *error = NULL;
    if (!source && !(source = dns_replay_text(SLICE_LIT(zone), "zone", &error)))
        abort();
    struct arc_check_options options = {.at = 1767225600};
    struct arena *arena = arena_new(LIMIT_MESSAGE_ARENA);
    struct dns_scope *dns = dns_scope_new(source, arena, NULL);
    struct header_list headers;
    struct slice body = SLICE_NULL;
    struct arc_finding found;
    header_list_init(&headers, arena);
    if (header_parse_message(&headers, slice_of((const char *)data, size), &body) == STATUS_OK) {
        struct arc_checker *c = arc_checker_new(dns, arena, &headers, &options);
        if (c) {
            arc_checker_body(c, body);
            bool ended = arc_checker_end(c, &found) == STATUS_OK;
            if (ended &&
                (!found.reason || (found.counts && (found.result != RESULT_PASS || found.body_partly_unsigned))))
                abort();
        }
        arc_checker_free(c);
    }
    dns_scope_free(dns);
    arena_free(arena);
    return 0;
}
