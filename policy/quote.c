// SPDX-License-Identifier: BSD-2-Clause
/*
 * quote.c - a string of the language in its double quotes: '"' and '\' get a '\' before them.
 */
#include "policy/model.h"

void canonical_quote(struct buf *out, const char *text)
{
    buf_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_addc(out, '\\');
        buf_addc(out, *text);
    }
    buf_addc(out, '"');
}
