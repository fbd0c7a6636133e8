// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_header.c - saved messages of any octets, through the header list and message-format. A From domain is given only
 * if there is exactly one From field; a list never exceeds its bounds.
 */
#include "base/arena.h"
#include "base/domain.h"
#include "base/limits.h"
#include "standards/message/format.h"
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_holds(int holds)
{
    if (!holds)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(4 << 20);
    struct header_list list;
    struct slice body = SLICE_NULL;
    struct format_finding f;
    header_list_init(&list, arena);
    enum status s = header_parse_message(&list, slice_of((const char *)data, size), &body);
    check_holds(s == STATUS_OK || list.over_limit || arena_failed(arena));
    check_holds(list.count <= LIMIT_HEADER_FIELDS && list.bytes <= LIMIT_HEADER_BYTES && body.n <= size);
    for (size_t i = 0; i < list.count; i++) {
        const struct header_field *field = &list.fields[i];
        check_holds(field->index >= 1 && field->index <= list.count);
        check_holds(header_unfold(arena, field->value).n <= field->value.n);
    }
    struct format_body odd = {.nul = false};
    format_body_chunk(&odd, body, true);
    format_body_end(&odd);
    format_check(arena, &list, &f);
    format_add_body(&odd, &f);
    if (f.from_domain) {
        check_holds(header_count(&list, "From") == 1 && f.from_count >= 1);
        check_holds(domain_is_kept(f.from_domain) && f.domain_count == 1);
    }
    check_holds((f.flaws == 0) == (f.result == RESULT_PASS) || f.result == RESULT_TEMPERROR);
    arena_free(arena);
    return 0;
}
