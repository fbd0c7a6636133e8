// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_arc_check.c - a whole message through ARC: its chain put together and verified against a fixed zone.
 */
#include "dns/dns_replay.h"
#include "base/limits.h"
#include "standards/arc/arc_check.h"
#include "standards/message/header.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char zone[] =
    "brisbane._domainkey.example.com TXT \"v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsE"
    "mGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjx\" \"OCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+R"
    "cac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB\"\n"
    "brisbane._domainkey.football.example.com TXT \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiM"
    "lrwIaaPcHURo=\"\n"
    "test._domainkey.football.example.com TXT \"v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoB"
    "TzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/\" \"J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1L"
    "xj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\"\n"
    "dummy._domainkey.example.org TXT \"v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5"
    "V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/\" \"J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lH"
    "vqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\"\n"
    "zone dead.example timeout\n";

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
