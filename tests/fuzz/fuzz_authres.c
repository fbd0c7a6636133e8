// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_authres.c - Authentication-Results of any octets read and judged; and any octets written as reason, comment and
 * value, which must come back as exactly the results that were written.
 */
#include "base/arena.h"
#include "standards/message/authres.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_holds(int holds)
{
    if (!holds)
        __builtin_trap();
}

static void check_written(struct arena *arena, struct slice octets)
{
    struct buf out = BUF_INIT;
    struct authres_writer w;
    struct authres a;
    char *text = malloc(octets.n + 1);
    memcpy(text, octets.n ? octets.p : "", octets.n);
    text[octets.n] = '\0';
    authres_begin(&w, &out, "mx.example.org");
    authres_method(&w, "spf", "pass", text);
    authres_comment(&w, text);
    authres_property_slice(&w, "smtp", "mailfrom", octets);
    authres_method(&w, "dkim", "fail", NULL);
    authres_property(&w, "header", "d", text);
    authres_comment(&w, text);
    check_holds(authres_end(&w) == STATUS_OK);
    for (size_t i = 0; i < out.n; i++)
        check_holds((out.p[i] >= 32 && out.p[i] < 127) || out.p[i] == '\t' ||
                    (out.p[i] == '\n' && out.p[i + 1] == '\t'));
    check_holds(authres_parse(arena, buf_slice(&out), &a) == STATUS_OK);
    check_holds(a.count == 2 && a.results[0].property_count == (octets.n > 0) &&
                a.results[1].property_count == (*text != 0));
    check_holds(authres_is_forged(buf_slice(&out), "mx.example.org") &&
                !authres_is_forged(buf_slice(&out), "example.net"));
    buf_release(&out);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(4 << 20);
    struct slice text = slice_of((const char *)data, size);
    struct authres a;
    if (authres_parse(arena, text, &a) == STATUS_OK) {
        char *id = arena_copy(arena, a.id.p, a.id.n);
        if (id && *id && strlen(id) == a.id.n && a.id.n < 256)
            check_holds(authres_is_forged(text, id));
    }
    (void)authres_is_forged(text, "example.net");
    bool strict = authres_parse(arena, text, &a) == STATUS_OK;
    check_holds(authres_parse_lenient(arena, text, &a) == STATUS_OK || !strict);
    if (size <= 4096)
        check_written(arena, text);
    arena_free(arena);
    return 0;
}
