// SPDX-License-Identifier: BSD-2-Clause
/* An SPF record's text, from octets to terms; what was found right must expand without reading beyond its end. */
#include "standards/spf/spf_macro.h"
#include "standards/spf/spf_record.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    struct arena *arena = arena_new(8 << 20);
    struct spf_record r;
    const char *why = NULL;
    struct spf_macro_values v = {
        .local = SLICE_LIT("a.b-c+d"), .sender_domain = "x.example", .domain = "y.example", .helo = "h\\"};
    memcpy(copy, data, size);
    struct slice text = slice_of(copy, size);
    if (spf_record_is(text)) {
        enum status s = spf_record_parse(arena, text, &r, &why);
        if (s == STATUS_INVALID && !why)
            abort();
        for (size_t i = 0; s == STATUS_OK && i < r.count; i++) {
            struct buf name = BUF_INIT;
            if (r.terms[i].domain.n && spf_macro_domain(r.terms[i].domain, &v, &name) == STATUS_OK &&
                strlen(name.p) != name.n)
                abort();
            buf_release(&name);
        }
    }
    arena_free(arena);
    free(copy);
    return 0;
}
