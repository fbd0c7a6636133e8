// SPDX-License-Identifier: BSD-2-Clause
/* Rdata of every type we read (the first octet chooses): readers stay within it, and what is printed reads back as the
 * same octets. */
#include "dns/dns_source.h"
#include "dns/dns_text.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_and_read(enum dns_type type, struct slice rdata)
{
    struct buf text = BUF_INIT, back = BUF_INIT;
    const char *why = NULL;
    struct dns_token *t = calloc(DNS_TOKENS, sizeof *t);
    dns_rdata_print(type, rdata, &text);
    size_t n = dns_tokens(buf_slice(&text), t, &why);
    if (n != SIZE_MAX) {
        if (dns_rdata_parse(type, t, n, &back, &why) != STATUS_OK || back.n != rdata.n)
            abort();
        /* Names come back in lower case; all else is the same octets. */
        if (!slice_eq_nocase(buf_slice(&back), rdata))
            abort();
    }
    free(t);
    buf_release(&text);
    buf_release(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dns_type types[] = {DNS_A,  DNS_NS,  DNS_CNAME, DNS_SOA,  DNS_PTR,
                                          DNS_MX, DNS_TXT, DNS_AAAA,  DNS_TLSA, DNS_CAA};
    if (size == 0)
        return 0;
    enum dns_type type = types[data[0] % (sizeof types / sizeof *types)];
    char *copy = malloc(size);
    memcpy(copy, data + 1, size - 1);
    struct slice rdata = slice_of(copy, size - 1);
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *scope = dns_scope_new(NULL, arena, NULL);
    struct dns_answer a = {.name = "x", .type = type, .state = DNS_FOUND, .count = 1, .rdata = &rdata};
    struct ip ip;
    uint16_t preference;
    (void)dns_txt(scope, &a, 0);
    (void)dns_address(&a, 0, &ip);
    (void)dns_host(scope, &a, 0, &preference);
    (void)dns_host_text(scope, &a, 0, NULL);
    print_and_read(type, rdata);
    arena_free(arena);
    free(copy);
    return 0;
}
