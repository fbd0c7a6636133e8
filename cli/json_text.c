// SPDX-License-Identifier: BSD-2-Clause
/*
 * json_text.c - libjansson's text, with nothing in it that a terminal obeys.
 *
 * JSON_ENSURE_ASCII leaves DEL as it is. It can stand in strings only, so it may be replaced in the text.
 */
#include "cli/json_text.h"
#include "base/buf.h"
#include <stdlib.h>
#include <string.h>

char *json_text(const json_t *value, size_t flags)
{
    char *text = value ? json_dumps(value, flags | JSON_ENSURE_ASCII) : NULL;
    if (!text || !strchr(text, 0x7f))
        return text;
    struct buf b = BUF_INIT;
    for (const char *p = text; *p; p++) {
        if (*p == 0x7f)
            buf_adds(&b, "\\u007f");
        else
            buf_addc(&b, *p);
    }
    free(text);
    return buf_detach(&b);
}
