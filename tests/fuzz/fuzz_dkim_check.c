// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_dkim_check.c - a whole message through DKIM: its signatures read, keyed by a fixed zone, verified both by
 * ourselves and by libopendkim, which must not pass what we do not.
 */
#include "dns/dns_replay.h"
#include "base/limits.h"
#include "standards/dkim/dkim_check.h"
#include "engines/engines.h"
#include "standards/message/header.h"
#include "tests/fuzz/dkim_zone.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool message_verify(struct dns *source, struct slice message, bool opendkim)
{
    struct dkim_check_options options = {.at = 1767225600, .engine = opendkim ? &assay_dkim_engine : NULL};
    struct arena *arena = arena_new(LIMIT_MESSAGE_ARENA);
    struct dns_scope *dns = dns_scope_new(source, arena, NULL);
    struct header_list headers;
    struct slice body = SLICE_NULL;
    const struct dkim_signature *s = NULL;
    size_t count = 0;
    bool passes = false;
    header_list_init(&headers, arena);
    if (header_parse_message(&headers, message, &body) == STATUS_OK) {
        struct dkim_checker *c = dkim_checker_new(dns, arena, &headers, "example.com", &options);
        if (c) {
            dkim_checker_body(c, body);
            if (dkim_checker_end(c, &s, &count) != STATUS_OK)
                count = 0;
            for (size_t i = 0; i < count; i++)
                passes |= s[i].counts;
        }
        dkim_checker_free(c);
    }
    dns_scope_free(dns);
    arena_free(arena);
    return passes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dns *source;
    char *error = NULL;
    if (!source && !(source = dns_replay_text(SLICE_LIT(zone), "zone", &error)))
        abort();
    struct slice message = slice_of((const char *)data, size);
    bool ours = message_verify(source, message, false), library = message_verify(source, message, true);
    if (library && !ours)
        abort();
    return 0;
}
