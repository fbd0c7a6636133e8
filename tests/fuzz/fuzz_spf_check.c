// SPDX-License-Identifier: BSD-2-Clause
/*
 * A whole check in a world where every TXT is the input: includes and redirects lead to the same record again, hosts
 * and names answer what their type asks for. The limits must end it. By both engines, if there are two.
 */
#include "dns/dns_source.h"
#include "engines/engines.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct everywhere {
    struct dns base;
    struct slice txt;
};

static struct dns_result *everywhere_ask(struct dns *source, const struct dns_question *q, struct dns_flight **flight)
{
    struct slice mx[2] = {SLICE_LIT("\0\1\1a\1b\0"), SLICE_LIT("\0\1\1%\0")}, name = SLICE_LIT("\1d\7example\0");
    struct slice a = SLICE_LIT("\300\0\2\11"), aaaa = SLICE_LIT("\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1");
    struct dns_result r = {.state = DNS_FOUND, .security = DNS_INSECURE, .ttl = 1, .count = 1};
    *flight = NULL;
    if (q->name[0] == 'n')
        r = (struct dns_result){.state = DNS_NXDOMAIN};
    else
        r.rdata = q->type == DNS_TXT    ? &((struct everywhere *)source)->txt
                  : q->type == DNS_MX   ? mx
                  : q->type == DNS_A    ? &a
                  : q->type == DNS_AAAA ? &aaaa
                                        : &name;
    if (q->type == DNS_MX && r.count)
        r.count = 2;
    return dns_result_new(&r);
}

static const struct dns_ops everywhere_ops = {.ask = everywhere_ask};

static void engine_check(struct dns *dns, const struct spf_engine *engine, size_t size)
{
    struct arena *arena = arena_new(16 << 20);
    struct dns_scope *scope = dns_scope_new(dns, arena, NULL);
    struct spf_input in = {.helo = "h.example", .local = SLICE_LIT("l\\o.c@l"), .domain = "d.example"};
    struct spf_finding f;
    in.client = (struct ip){.family = size % 2 ? 4 : 6, .octets = {192, 0, 2, 7}};
    if (spf_check_by(engine, scope, arena, &in, SPF_MAIL_FROM, &f) == STATUS_OK &&
        (!f.reason || f.terms > LIMIT_SPF_TERMS + 1 || f.record_count > LIMIT_SPF_TERMS + 1))
        abort();
    dns_scope_free(scope);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct everywhere w = {.base.ops = &everywhere_ops};
    char *rdata = malloc(size + size / 255 + 2);
    size_t n = 0;
    for (size_t at = 0; at < size; at += 255) {
        size_t piece = size - at > 255 ? 255 : size - at;
        rdata[n++] = (char)piece;
        memcpy(rdata + n, data + at, piece);
        n += piece;
    }
    w.txt = slice_of(rdata, n);
    engine_check(&w.base, NULL, size);
    if (assay_spf_engine.check)
        engine_check(&w.base, &assay_spf_engine, size);
    free(rdata);
    return 0;
}
