// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_reply.c - writes what a filter answers over the milter protocol.
 *
 * Each packet is begun with an empty length, which is set when its data is complete. Failure: when memory runs out the
 * buffer is marked, and what it holds must not be sent, since its last packet is not whole.
 */
#include "milter/wire/wire_reply.h"

#define LENGTH_OCTETS 4

enum {
    PUT_OPTIONS = 'O',
    PUT_INSERT_HEADER = 'i',
    PUT_CHANGE_HEADER = 'm',
    PUT_QUARANTINE = 'q',
    PUT_REPLY = 'y',
};

static void write32(char *p, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(number >> (24 - 8 * i) & 0xff);
}

static void put32(struct buf *out, uint32_t number)
{
    char octets[4];

    write32(octets, number);
    buf_add(out, octets, sizeof octets);
}

static void put_text(struct buf *out, const char *text)
{
    buf_add(out, text, strlen(text) + 1);
}

/* Returns where the packet begins. */
static size_t packet_begin(struct buf *out, char letter)
{
    const size_t from = out->n;

    put32(out, 0);
    buf_addc(out, letter);
    return from;
}

static void packet_end(struct buf *out, size_t from)
{
    if (!out->failed)
        write32(out->p + from, (uint32_t)(out->n - from - LENGTH_OCTETS));
}

void wire_put_answer(struct buf *out, enum wire_answer answer)
{
    packet_end(out, packet_begin(out, (char)answer));
}

void wire_put_options(struct buf *out, const struct wire_options *options)
{
    const size_t from = packet_begin(out, PUT_OPTIONS);

    put32(out, options->version);
    put32(out, options->actions);
    put32(out, options->protocol);
    packet_end(out, from);
}

void wire_add_symbols(struct buf *out, size_t from, uint32_t stage, const char *names)
{
    put32(out, stage);
    put_text(out, names);
    packet_end(out, from);
}

static void put_header(struct buf *out, char letter, uint32_t index, const char *name, const char *value)
{
    const size_t from = packet_begin(out, letter);

    put32(out, index);
    put_text(out, name);
    put_text(out, value);
    packet_end(out, from);
}

void wire_put_insert_header(struct buf *out, uint32_t index, const char *name, const char *value)
{
    put_header(out, PUT_INSERT_HEADER, index, name, value);
}

void wire_put_change_header(struct buf *out, uint32_t index, const char *name, const char *value)
{
    put_header(out, PUT_CHANGE_HEADER, index, name, value);
}

void wire_put_quarantine(struct buf *out, const char *reason)
{
    const size_t from = packet_begin(out, PUT_QUARANTINE);

    put_text(out, reason);
    packet_end(out, from);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 5321 4.2.1: reply-code, of a refusal. */
static bool is_code(const char *code)
{
    return (code[0] == '4' || code[0] == '5') && code[1] >= '0' && code[1] <= '5' && is_digit(code[2]) && code[3] == 0;
}

/* RFC 3463 2: class "." subject "." detail, the last two of one to three digits. */
static bool is_enhanced(const char *text, char class)
{
    if (*text++ != class)
        return false;
    for (int part = 0; part < 2; part++) {
        int digits = 0;
        if (*text++ != '.')
            return false;
        for (; is_digit(*text); text++)
            digits++;
        if (digits < 1 || digits > 3)
            return false;
    }
    return *text == 0;
}

static bool is_line(const char *text)
{
    const char *p = text;

    for (; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return false;
    return p - text <= WIRE_REPLY_LINE;
}

static void put_line(struct buf *out, const char *code, const char *enhanced, const char *line, bool last)
{
    buf_adds(out, code);
    buf_addc(out, last ? ' ' : '-');
    if (enhanced) {
        buf_adds(out, enhanced);
        buf_addc(out, ' ');
    }
    for (; *line; line++) {
        if (*line == '%')
            buf_addc(out, '%');
        buf_addc(out, *line);
    }
    if (!last)
        buf_adds(out, "\r\n");
}

enum status wire_put_reply(struct buf *out, const char *code, const char *enhanced, const char *const *lines,
                           size_t count)
{
    size_t from;

    if (!is_code(code) || (enhanced && !is_enhanced(enhanced, code[0])) || count < 1 || count > WIRE_REPLY_LINES)
        return STATUS_INVALID;
    for (size_t i = 0; i < count; i++)
        if (!is_line(lines[i]))
            return STATUS_INVALID;
    from = packet_begin(out, PUT_REPLY);
    for (size_t i = 0; i < count; i++)
        put_line(out, code, enhanced, lines[i], i + 1 == count);
    buf_addc(out, '\0');
    packet_end(out, from);
    return STATUS_OK;
}
