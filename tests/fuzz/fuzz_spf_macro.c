// SPDX-License-Identifier: BSD-2-Clause
/* A macro string and the sender's octets in its values: local part and text are the two halves of the input, split at
 * its first line end. */
#include "base/limits.h"
#include "standards/spf/spf.h"
#include "standards/spf/spf_macro.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    const char *newline = size ? memchr(copy, '\n', size) : NULL;
    size_t n = newline ? (size_t)(newline - copy) : 0;
    struct slice text = slice_of(copy + (newline ? n + 1 : 0), size - (newline ? n + 1 : 0));
    struct spf_macro_values v = {.local = slice_of(copy, n), .sender_domain = "sender.example", .domain = "d.example"};
    v.client.family = size % 2 ? 4 : 6;
    for (int use = SPF_MACRO_STRING; use <= SPF_MACRO_EXPLANATION; use++) {
        struct buf out = BUF_INIT, name = BUF_INIT;
        if (!spf_macro_check(text, (enum spf_macro_use)use)) {
            if (spf_macro_expand(text, &v, &out) == STATUS_OK && out.n > LIMIT_SPF_EXPANSION)
                abort();
            if (spf_macro_domain(text, &v, &name) == STATUS_OK && strlen(name.p) != name.n)
                abort();
        }
        buf_release(&out);
        buf_release(&name);
    }
    free(copy);
    return 0;
}
