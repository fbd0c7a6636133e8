// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_taglist.c - tag=value lists of any octets. What is taken whole has different names, and each can be found.
 */
#include "standards/message/taglist.h"
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_holds(int holds)
{
    if (!holds)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct taglist list;
    struct slice text = slice_of((const char *)data, size), piece;
    struct taglist_cursor c = TAGLIST_CURSOR(text);
    struct tag t;
    char name[256], squeezed[4096];
    size_t n = 0, tags = 0;
    while (taglist_next(&c, &t))
        tags++;
    if (taglist_parse(text, &list) == STATUS_OK) {
        check_holds(list.count == tags);
        for (size_t i = 0; i < list.count; i++) {
            if (list.tags[i].name.n >= sizeof name)
                continue;
            memcpy(name, list.tags[i].name.p, list.tags[i].name.n);
            name[list.tags[i].name.n] = '\0';
            check_holds(taglist_find(&list, name) == &list.tags[i]);
        }
    }
    for (struct slice rest = text; taglist_piece(&rest, ':', &piece);)
        check_holds(piece.n <= size);
    if (taglist_squeeze(text, squeezed, sizeof squeezed, &n) == STATUS_OK)
        check_holds(n <= size);
    return 0;
}
