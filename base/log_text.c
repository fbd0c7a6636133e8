// SPDX-License-Identifier: BSD-2-Clause
/*
 * log_text.c - one line of a daemon's log. Promises that it holds no line end, and that its JSON is valid however long
 * and odd the words are.
 */
#include "base/log_text.h"
#include "base/json.h"
#include "base/secret.h"

#define WORDS_MAX (LOG_TEXT_MAX - 200)
#define JSON_WORDS_MAX (WORDS_MAX / 6) /* each octet may need six */

static const char *const level_names[] = {"notice", "warning", "error"};

/* At most `most` octets, whole characters only. */
static struct slice text_cut(struct slice s, size_t most)
{
    if (s.n <= most)
        return s;
    while (most && ((unsigned char)s.p[most] & 0xc0) == 0x80)
        most--;
    return slice_of(s.p, most);
}

void log_text_add(struct buf *out, const char *program, enum log_level level, const char *words, bool json)
{
    struct buf safe = BUF_INIT;
    struct json j = JSON_INTO(out);

    secret_add_line(&safe, slice_str(words));
    struct slice line = safe.failed ? SLICE_LIT("a line was lost: out of memory") : buf_slice(&safe);
    if (json) {
        json_open(&j);
        json_str(&j, "program", program);
        json_str(&j, "level", level_names[level]);
        json_slice(&j, "message", text_cut(line, JSON_WORDS_MAX));
        json_end(&j);
    } else {
        line = text_cut(line, WORDS_MAX);
        buf_add(out, line.p, line.n);
    }
    buf_release(&safe);
}
