// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_wire_codec.c - any octets as what an MTA sends over the milter protocol: a packet is decided once, however the
 * octets come; what is read lies inside it and ends in NUL; an answer that we write is read as one packet again.
 */
#include "milter/wire/wire_reply.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_holds(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static void check_inside(struct slice data, const char *text)
{
    check_holds(text >= data.p && text < data.p + data.n);
    check_holds(text + strlen(text) < data.p + data.n);
}

/* Every other packet that we write, one after the other: each is read again as one, and nothing is left. */
static void answers_come_back(const char *text, uint32_t number)
{
    static const char letters[] = {'O', 'm', 'q', WIRE_PROGRESS, WIRE_ACCEPT};
    const struct wire_options options = {6, number, ~number};
    struct buf out = BUF_INIT;
    struct wire_command c;
    struct wire_options again;
    struct slice rest;

    wire_put_options(&out, &options);
    wire_add_symbols(&out, 0, number % 7, text);
    wire_put_change_header(&out, number, text, "");
    wire_put_quarantine(&out, text);
    wire_put_answer(&out, WIRE_PROGRESS);
    wire_put_answer(&out, WIRE_ACCEPT);
    rest = buf_slice(&out);
    for (size_t i = 0; i < sizeof letters; i++) {
        long used = wire_command_first(rest, UINT32_MAX - 1, &c);
        check_holds(used > 0 && c.letter == letters[i]);
        if (i == 0)
            check_holds(wire_read_options(c.data, &again) && again.actions == number && again.protocol == ~number &&
                        strcmp(c.data.p + 16, text) == 0);
        rest = slice_from(rest, (size_t)used);
    }
    check_holds(rest.n == 0);
    buf_release(&out);
}

/* The text as lines of a reply: refused, or of so many lines as were given, whatever the text holds. */
static void reply_has_its_lines(const char *text, size_t count)
{
    const char *const lines[] = {text, "two", text};
    struct buf out = BUF_INIT;
    size_t breaks = 0;

    if (wire_put_reply(&out, "451", text[0] == '4' ? text : NULL, lines, count) == STATUS_OK) {
        for (size_t i = 5; i < out.n; i++)
            breaks += out.p[i] == '\n';
        check_holds(breaks == count - 1 && out.p[out.n - 1] == 0);
    } else {
        check_holds(out.n == 0);
    }
    check_holds(wire_put_reply(&out, text, NULL, lines, 0) == STATUS_INVALID);
    if (wire_put_reply(&out, text, NULL, lines, 1) == STATUS_OK)
        check_holds(strlen(text) == 3 && (text[0] == '4' || text[0] == '5'));
    buf_release(&out);
}

static void answer_comes_back(const char *name, const char *value)
{
    struct buf out = BUF_INIT;
    struct wire_command c;
    const char *line[] = {value};

    wire_put_insert_header(&out, 1, name, value);
    check_holds(wire_command_first(buf_slice(&out), UINT32_MAX - 1, &c) == (long)out.n && c.letter == 'i');
    check_holds(c.data.n == 4 + strlen(name) + strlen(value) + 2 && strcmp(c.data.p + 4, name) == 0);
    buf_reset(&out);
    if (wire_put_reply(&out, "550", "5.7.1", line, 1) == STATUS_OK) {
        check_holds(wire_command_first(buf_slice(&out), UINT32_MAX - 1, &c) == (long)out.n && c.letter == 'y');
        check_holds(memchr(c.data.p, '\n', c.data.n) == NULL && c.data.p[c.data.n - 1] == 0);
    }
    buf_release(&out);
}

static void read_all(struct slice data)
{
    struct wire_options options;
    struct wire_connect connect;
    struct slice rest = data;
    const char *a, *b;
    size_t count = 0, octets = 0;
    char letter;

    check_holds(!wire_read_options(data, &options) || (data.n >= 12 && options.version >= WIRE_VERSION_MIN));
    if (wire_read_connect(data, &connect)) {
        check_inside(data, connect.host);
        check_holds((connect.address == NULL) == (connect.family == 'U'));
        if (connect.address)
            check_inside(data, connect.address);
    }
    if (wire_read_text(data, &a)) {
        check_holds(a == data.p && strlen(a) + 1 == data.n);
        answers_come_back(a, (uint32_t)data.n * 2654435761u);
        reply_has_its_lines(a, 1 + data.n % 3);
    }
    if (wire_read_header(data, &a, &b)) {
        check_holds(a == data.p && strlen(a) + strlen(b) + 2 == data.n);
        answer_comes_back(a, b);
    }
    if (wire_are_texts(data)) {
        for (; (a = wire_next_text(&rest)); count++, octets += strlen(a) + 1)
            check_inside(data, a);
        check_holds(count > 0 && octets == data.n);
    }
    if (wire_read_macros(data, &letter, &rest)) {
        check_holds(letter == data.p[0]);
        for (count = 0; wire_next_text(&rest); count++)
            ;
        check_holds(count % 2 == 0 && rest.n == 0);
    }
}

/* The first n octets, in a block of their own. */
static long first(const uint8_t *data, size_t n, uint32_t most, bool read)
{
    char *copy = malloc(n ? n : 1);
    struct wire_command c;
    long used;

    if (n)
        memcpy(copy, data, n);
    used = wire_command_first(slice_of(copy, n), most, &c);
    check_holds(used >= -1 && used <= (long)n);
    if (used > 0) {
        check_holds(used >= 5 && c.data.n == (size_t)used - 5 && c.data.n <= most && c.letter == copy[4]);
        if (read)
            read_all(slice_of(copy + 5, c.data.n));
    }
    free(copy);
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint32_t most = size % 3 ? 4096 : 64;
    long whole = first(data, size, most, true), decided = 0;
    char *copy = malloc(size ? size : 1);

    for (size_t n = 0; n <= size && n < 256; n++) {
        long used = first(data, n, most, false);
        check_holds(decided == 0 || used == decided);
        check_holds(n >= 4 || used == 0);
        decided = used;
    }
    check_holds(decided == 0 || decided == whole);
    if (size)
        memcpy(copy, data, size);
    read_all(slice_of(copy, size)); /* data without its packet, so that every reader sees any octets */
    free(copy);
    return 0;
}
