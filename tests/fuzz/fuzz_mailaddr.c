// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_mailaddr.c - SMTP paths and From fields of any octets. What is taken must be whole: a canonical domain or a
 * literal, and a path that says the same when it is written out and read again.
 */
#include "base/arena.h"
#include "base/domain.h"
#include "standards/message/mailaddr.h"
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_holds(int holds)
{
    if (!holds)
        __builtin_trap();
}

static void check_mailbox(struct arena *arena, const struct mailbox *m, bool null_allowed)
{
    struct buf text = BUF_INIT;
    struct mailbox again;
    check_holds(!m->domain || domain_is_kept(m->domain));
    check_holds(null_allowed || m->domain || m->literal.n);
    mailaddr_add(&text, m);
    if (m->domain && !arena_failed(arena) && text.n <= LIMIT_ADDRESS &&
        mailaddr_path(arena, buf_slice(&text), true, &again) == STATUS_OK) {
        check_holds(slice_eq(again.local, m->local));
        check_holds(again.domain && strcmp(again.domain, m->domain) == 0);
    }
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 20);
    struct slice text = slice_of((const char *)data, size);
    struct mailbox one, *all = NULL;
    size_t count = 0;
    const char *why = NULL;
    for (int utf8 = 0; utf8 < 2; utf8++)
        if (mailaddr_path(arena, text, utf8, &one) == STATUS_OK)
            check_mailbox(arena, &one, true);
    if (mailaddr_from(arena, text, &all, &count, &why) == STATUS_OK) {
        check_holds(count <= MAILADDR_FROM_MAX);
        for (size_t i = 0; i < count; i++)
            check_mailbox(arena, &all[i], false);
    } else {
        check_holds(why != NULL);
    }
    arena_free(arena);
    return 0;
}
