// SPDX-License-Identifier: BSD-2-Clause
/*
 * authres.c - prints how the Authentication-Results fields of saved messages are treated: the tool behind run-authres.
 *
 *     authres OUR-ID MESSAGE...
 *
 * Each field gives one line: "FILE N forged|kept parsed|unparsed VALUE", N counting from 1 at the top, the value on one
 * line. Exit: 0; 64 usage; 66 a file cannot be read.
 */
#include "base/arena.h"
#include "base/limits.h"
#include "standards/message/authres.h"
#include "standards/message/header.h"
#include <stdio.h>
#include <sysexits.h>

static struct slice read_whole(struct arena *arena, const char *path)
{
    FILE *f = fopen(path, "rb");
    char *p = f ? arena_alloc(arena, LIMIT_HEADER_BYTES) : NULL;
    size_t n = p ? fread(p, 1, LIMIT_HEADER_BYTES, f) : 0;
    if (f)
        fclose(f);
    return slice_of(p, n);
}

static bool file_judge(struct arena *arena, const char *our_id, const char *path)
{
    struct slice text = read_whole(arena, path);
    const struct header_field *field;
    struct header_list list;
    header_list_init(&list, arena);
    if (!text.p || header_parse_message(&list, text, NULL) != STATUS_OK)
        return false;
    for (unsigned i = 1; (field = header_find(&list, "Authentication-Results", i)); i++) {
        struct authres a;
        struct slice line = header_unfold(arena, field->value);
        printf("%s %u %s %s %.*s\n", path, i, authres_is_forged(field->value, our_id) ? "forged" : "kept",
               authres_parse(arena, field->value, &a) == STATUS_OK ? "parsed" : "unparsed", SLICE_ARG(line));
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: authres OUR-ID MESSAGE...\n");
        return EX_USAGE;
    }
    for (int i = 2; i < argc; i++) {
        struct arena *arena = arena_new(LIMIT_MESSAGE_ARENA);
        bool ok = arena && file_judge(arena, argv[1], argv[i]);
        arena_free(arena);
        if (!ok) {
            fprintf(stderr, "authres: %s: cannot be read\n", argv[i]);
            return EX_NOINPUT;
        }
    }
    return 0;
}
