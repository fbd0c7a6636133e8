// SPDX-License-Identifier: BSD-2-Clause
/* A file of saved answers: read, asked, saved, and read again. */
#include "dns/dns_replay.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void names_ask(struct dns *dns)
{
    static const char *const names[] = {"a", "a.b", "b", ".", "x.a.b"};
    static const enum dns_type types[] = {DNS_A, DNS_TXT, DNS_MX, DNS_CNAME};
    struct arena *arena = arena_new(8 << 20);
    struct dns_scope *scope = dns_scope_new(dns, arena, NULL);
    char *text = NULL, *error = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    for (size_t i = 0; i < 20; i++)
        dns_get(scope, names[i / 4], types[i % 4]);
    if (dns_replay_write(scope, f) != STATUS_OK)
        abort();
    fclose(f);
    struct dns *again = dns_replay_text(slice_of(text, n), "saved", &error);
    if (!again)
        abort();
    dns_close(again);
    dns_scope_free(scope);
    arena_free(arena);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1), *error = NULL;
    memcpy(copy, data, size);
    struct dns *dns = dns_replay_text(slice_of(copy, size), "input", &error);
    if (!dns && !error)
        abort();
    if (dns)
        names_ask(dns);
    dns_close(dns);
    free(error);
    free(copy);
    return 0;
}
