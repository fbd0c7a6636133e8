// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_log_text.c - one line of a daemon's log: valid JSON of one line whatever the words are, bounded, no password.
 */
#include "base/log_pipe.h"
#include "tests/unit/cm.h"
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

static void line_text(void **state)
{
    struct buf b = BUF_INIT;
    log_text_add(&b, "assay-x", LOG_LEVEL_NOTICE, "one\ntwo \x1b[31m http://u:pass@h", false);
    assert_null(memchr(b.p, '\n', b.n));
    assert_null(memchr(b.p, '\x1b', b.n));
    assert_null(strstr(b.p, "pass"));
    buf_release(&b);
}

/* The message of a line as a JSON library reads it; malloc'ed. */
static char *message_of(const char *words, enum log_level level, const char *level_name)
{
    struct buf b = BUF_INIT;
    log_text_add(&b, "assay-x", level, words, true);
    assert_true(b.n <= LOG_TEXT_MAX);
    assert_null(memchr(b.p, '\n', b.n));
    for (size_t i = 0; i < b.n; i++)
        assert_true((unsigned char)b.p[i] >= 0x20 && b.p[i] != 0x7f);
    json_t *j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_int_equal(json_object_size(j), 3);
    assert_string_equal(json_string_value(json_object_get(j, "program")), "assay-x");
    assert_string_equal(json_string_value(json_object_get(j, "level")), level_name);
    char *message = strdup(json_string_value(json_object_get(j, "message")));
    json_decref(j);
    buf_release(&b);
    return message;
}

static void json(void **state)
{
    char *m = message_of("says \"no\" \\ to caf\xc3\xa9", LOG_LEVEL_ERROR, "error");
    assert_string_equal(m, "says \"no\" \\ to caf\xc3\xa9");
    free(m);
    free(message_of("", LOG_LEVEL_NOTICE, "notice"));
    free(message_of("\xff\xfe\x80 no UTF-8", LOG_LEVEL_WARNING, "warning"));
}

static void long_lines(void **state)
{
    static const char *const units[] = {"a",       "\"", "\\", "\x01", "\xff", "\xe2\x80\xae", "\xf0\x9f\x98\x80",
                                        "\xc3\xa9"};
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        struct buf words = BUF_INIT, b = BUF_INIT;
        for (unsigned i = 0; i < 20000; i++)
            buf_adds(&words, units[u]);
        free(message_of(words.p, LOG_LEVEL_NOTICE, "notice"));
        log_text_add(&b, "assay-x", LOG_LEVEL_NOTICE, words.p, false);
        assert_true(b.n <= LOG_TEXT_MAX && b.n > 1000);
        buf_release(&b);
        buf_release(&words);
    }
}

static void write_words(int fd, bool as_json, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void write_words(int fd, bool as_json, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_pipe_say(fd, "assay-x", LOG_LEVEL_ERROR, as_json, fmt, ap);
    va_end(ap);
}

/* A line ends once, at its end; what is too long is cut off; a descriptor that is closed does no harm. */
static void written(void **state)
{
    char got[3 * LOG_TEXT_MAX], *longer = malloc(2 * LOG_TEXT_MAX + 1);
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    write_words(ends[1], false, "%s, %d", "a\nb", 7);
    ssize_t n = read(ends[0], got, sizeof got - 1);
    assert_true(n > 0);
    got[n] = '\0';
    assert_string_equal(got, "assay-x: a\\x0Ab, 7\n");
    write_words(ends[1], true, "%d", 7);
    n = read(ends[0], got, sizeof got - 1);
    assert_true(n > 0);
    got[n] = '\0';
    assert_string_equal(got, "{\"program\":\"assay-x\",\"level\":\"error\",\"message\":\"7\"}\n");
    memset(longer, 'y', 2 * LOG_TEXT_MAX);
    longer[2 * LOG_TEXT_MAX] = '\0';
    write_words(ends[1], false, "%s", longer);
    n = read(ends[0], got, sizeof got);
    assert_in_range(n, LOG_TEXT_MAX / 2, LOG_TEXT_MAX + 16);
    assert_int_equal(got[n - 1], '\n');
    close(ends[0]);
    close(ends[1]);
    write_words(-1, false, "nobody hears it");
    free(longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_text),
        cmocka_unit_test(json),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
