// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_message.c - writes and reads the messages of report_message.h.
 *
 * On the wire: the length of what follows (4 octets), the type (1), the numbers (8 each), the texts (2 octets of
 * length, the octets, a NUL); all in the machine's order, since both ends are one program. Promises to read nothing
 * outside of the slice, and that what is accepted has the numbers and texts of its type and nothing else.
 */
#include "feedback/report_message.h"
#include "base/utf8.h"
#include <string.h>

static const struct {
    unsigned numbers, texts;
} shapes[REPORT_MESSAGE_TYPES] = {
    [REPORT_MESSAGE_SENDER] = {0, 1}, [REPORT_MESSAGE_HEAD] = {4, 6}, [REPORT_MESSAGE_DOMAIN] = {0, 1},
    [REPORT_MESSAGE_ROW] = {2, 6},    [REPORT_MESSAGE_END] = {0, 0},  [REPORT_MESSAGE_UNREAD] = {1, 2},
    [REPORT_MESSAGE_BOUNCE] = {0, 4}, [REPORT_MESSAGE_DONE] = {0, 0},
};

static void add_text(struct buf *out, const char *text)
{
    struct slice s = slice_str(text);
    char room[REPORT_MESSAGE_TEXT];
    size_t n = 0;
    while (s.n) {
        size_t len = utf8_length(s);
        if (n + (len ? len : 1) > sizeof room)
            break;
        if (len)
            memcpy(room + n, s.p, len);
        else
            room[n] = '?';
        n += len ? len : 1;
        s = slice_from(s, len ? len : 1);
    }
    uint16_t length = (uint16_t)n;
    buf_add(out, &length, sizeof length);
    buf_add(out, room, n);
    buf_addc(out, '\0');
}

void report_message_add(struct buf *out, const struct report_message *m)
{
    size_t from = out->n;
    uint32_t length = 0;
    buf_add(out, &length, sizeof length);
    buf_addc(out, (char)m->type);
    for (unsigned i = 0; i < shapes[m->type].numbers; i++)
        buf_add(out, &m->number[i], sizeof m->number[i]);
    for (unsigned i = 0; i < shapes[m->type].texts; i++)
        add_text(out, m->text[i]);
    if (out->failed)
        return;
    length = (uint32_t)(out->n - from - sizeof length);
    memcpy(out->p + from, &length, sizeof length);
}

static bool take_octets(struct slice *in, void *out, size_t n)
{
    if (in->n < n)
        return false;
    memcpy(out, in->p, n);
    *in = slice_from(*in, n);
    return true;
}

static bool take_text(struct slice *in, const char **out)
{
    uint16_t n;
    if (!take_octets(in, &n, sizeof n) || n > REPORT_MESSAGE_TEXT || in->n < (size_t)n + 1 || in->p[n] ||
        memchr(in->p, '\0', n) || !utf8_valid(slice_of(in->p, n)))
        return false;
    *out = in->p;
    *in = slice_from(*in, (size_t)n + 1);
    return true;
}

enum status report_message_take(struct slice *in, struct report_message *m)
{
    uint32_t length;
    unsigned char type;
    struct slice s = *in;
    if (!take_octets(&s, &length, sizeof length))
        return STATUS_AGAIN;
    if (length == 0 || length > REPORT_MESSAGE_MOST)
        return STATUS_INVALID;
    if (s.n < length)
        return STATUS_AGAIN;
    *in = slice_from(s, length);
    s.n = length;
    *m = (struct report_message){0};
    if (!take_octets(&s, &type, 1) || type >= REPORT_MESSAGE_TYPES)
        return STATUS_INVALID;
    m->type = (enum report_message_type)type;
    for (unsigned i = 0; i < shapes[type].numbers; i++)
        if (!take_octets(&s, &m->number[i], sizeof m->number[i]))
            return STATUS_INVALID;
    for (unsigned i = 0; i < shapes[type].texts; i++)
        if (!take_text(&s, &m->text[i]))
            return STATUS_INVALID;
    return s.n == 0 ? STATUS_OK : STATUS_INVALID;
}
