// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_secret.c - text shown to people contains no password, and nothing that a terminal interprets.
 *
 * Passwords: the parts of an address by RFC 3986 3.2, and libpq's connection URIs. Characters: every code point of
 * Unicode through each way by which we write JSON and lines.
 */
#include "base/json.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "cli/json_text.h"
#include "policy/policy.h"
#include "tests/unit/cm.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void passwords_are_hidden(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"postgresql://u:secret@h/db", "postgresql://u:********@h/db"},
        {"postgres://u:secret@h/db", "postgres://u:********@h/db"},
        {"POSTGRESQL://u:secret@h/db", "POSTGRESQL://u:********@h/db"},
        {"postgresql://u:se@cr@h/db", "postgresql://u:********@h/db"},
        {"postgresql://u:s:e@h:5432/db", "postgresql://u:********@h:5432/db"},
        {"postgresql://u:a/b@h/db", "postgresql://u:********@h/db"},
        {"postgresql://u:a b@h/db", "postgresql://u:********@h/db"},
        {"postgresql://u@h/db?password=x&a=b", "postgresql://u@h/db?password=********&a=b"},
        {"postgresql://h/db?PASSWORD=x", "postgresql://h/db?PASSWORD=********"},
        {"postgresql:///db?a=1&sslpassword=x y", "postgresql:///db?a=1&sslpassword=********"},
        {"postgresql://u:x@h/?password=y&password=z", "postgresql://u:********@h/?password=********&password=********"},
        {"set ledger.store \"postgresql://u:a b\\\"c@h/db\" because \"x@y\"",
         "set ledger.store \"postgresql://u:********@h/db\" because \"x@y\""},
        {"in postgresql://u:x@h/db: no", "in postgresql://u:********@h/db: no"},
        {"a postgresql://u:x@h b postgresql://v:y@i", "a postgresql://u:********@h b postgresql://v:********@i"},
        {"smtps://user:pass@mail.example:465", "smtps://user:********@mail.example:465"},
        /* no password there */
        {"postgresql://u@h/db", "postgresql://u@h/db"},
        {"postgresql://u:@h/db", "postgresql://u:@h/db"},
        {"postgresql://[::1]:5432/db", "postgresql://[::1]:5432/db"},
        {"postgresql://h:5432/db", "postgresql://h:5432/db"},
        {"see https://example.org:8080/a@b", "see https://example.org:8080/a@b"},
        {"mail to x@y: a://b", "mail to x@y: a://b"},
        {"://", "://"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = BUF_INIT;
        secret_add(&b, slice_str(cases[i].text));
        buf_addc(&b, '\0');
        assert_string_equal(b.p, cases[i].shown);
        buf_release(&b);
        char *copy = strdup(cases[i].text);
        assert_non_null(copy);
        assert_int_equal(secret_blank(copy, strlen(copy)), strcmp(cases[i].text, cases[i].shown) != 0);
        assert_int_equal(strlen(copy), strlen(cases[i].text));
        assert_null(strstr(copy, "secret"));
        free(copy);
    }
}

static size_t utf8_of(uint32_t c, char out[5])
{
    if (c < 0x80)
        return out[0] = (char)c, 1;
    if (c < 0x800)
        return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 0x3f)), 2;
    if (c < 0x10000)
        return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 0x3f)),
               out[2] = (char)(0x80 | (c & 0x3f)), 3;
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* Controls of C0 and C1 and DEL; the separators and bidi controls of Unicode TR 36. */
static bool is_dangerous(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void assert_safe(struct slice text, bool lines)
{
    while (text.n) {
        size_t n = utf8_length(text);
        assert_int_not_equal(n, 0);
        if (!lines || text.p[0] != '\n')
            assert_false(is_dangerous(utf8_point(text)));
        text = slice_from(text, n);
    }
}

/* Each code point by itself, and all octets from 0x80 on, through every writer. */
static void every_writer_escapes(void **state)
{
    for (uint32_t c = 1; c <= 0x10ffff; c++) {
        char text[5] = "";
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        if (c > 0x30000 && c < 0xe0000)
            continue; /* no characters there */
        size_t n = utf8_of(c, text);
        struct buf b = BUF_INIT;
        struct json j = JSON_INTO(&b);
        json_open(&j);
        json_str(&j, text, text);
        json_slice(&j, "s", slice_of(text, n));
        json_opt(&j, "o", text);
        json_end(&j);
        assert_safe(buf_slice(&b), false);
        json_t *back = json_loadb(b.p, b.n, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(back, "s")), text);
        if (is_dangerous(c) || c < 0x300) {
            char *dump = json_text(back, JSON_INDENT(1));
            assert_non_null(dump);
            assert_safe(slice_str(dump), true);
            free(dump);
        }
        json_decref(back);
        buf_reset(&b);
        utf8_add_visible(&b, slice_of(text, n));
        assert_safe(buf_slice(&b), false);
        buf_reset(&b);
        utf8_add_lines(&b, slice_of(text, n));
        assert_safe(buf_slice(&b), true);
        buf_release(&b);
    }
}

/* What a policy's messages quote: the line, and the words of it. */
static void policy_messages_are_safe(void **state)
{
    static const char *const lines[] = {
        "set ledger.store \"postgresql://u:hidden@h/db\" zap",
        "set ledger.store \"postgresql://u:hidden@h/db?password=hidden\" because",
        "set ledger.stor \"postgresql://u:hidden@h/db\"",
        "set milter.timeout \"postgresql://u:hidden@h/db\"",
        "zap \"postgresql://u:hidden@h/db\"",
        "require dmarc of postgresql://u:hidden@h/db",
        "set ledger.store \"postgres:\xc2\x9b//\xe2\x80\xae\"",
        "require \xc2\x85 of \xe2\x80\xa8 everyone",
        "require \xe2\x81\xa6 dmarc",
        "list x in \"\xc2\x9b\xc2\x85\"",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char path[] = "/tmp/test_secret.XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        FILE *f = fdopen(fd, "w");
        fprintf(f, "policy \"p\" owner \"a@b.example\"\n%s\n", lines[i]);
        fclose(f);
        struct policy_report *r = policy_report_new();
        struct policy *p = policy_load(path, r);
        assert_null(p);
        assert_true(policy_report_count(r, POLICY_ERROR) > 0);
        const struct policy_message *m;
        for (size_t k = 0; (m = policy_report_at(r, k)); k++) {
            assert_null(strstr(m->text, "hidden"));
            assert_safe(slice_str(m->text), false);
            if (m->source) {
                assert_null(strstr(m->source, "hidden"));
                assert_safe(slice_str(m->source), false);
            }
        }
        policy_report_free(r);
        unlink(path);
    }
}

static void log_lines_are_safe(void **state)
{
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"policy 1234, store SQLite", "policy 1234, store SQLite"},
        {"connection to postgresql://u:hidden@h/db failed", "connection to postgresql://u:********@h/db failed"},
        {"FATAL: no\n\tpostgres://h/db?password=hidden\n", NULL},
        {"a\x1b[31mred\rb\xc2\x9b c\xe2\x80\xae", NULL},
        {"already \\x1B escaped", "already \\x1B escaped"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = BUF_INIT;
        buf_adds(&b, "program: ");
        secret_add_line(&b, slice_str(cases[i].text));
        assert_false(b.failed);
        if (cases[i].line)
            assert_string_equal(b.p + 9, cases[i].line);
        assert_null(strstr(b.p, "hidden"));
        assert_null(strchr(b.p, '\n'));
        assert_safe(buf_slice(&b), false);
        buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_are_hidden),
        cmocka_unit_test(every_writer_escapes),
        cmocka_unit_test(log_lines_are_safe),
        cmocka_unit_test(policy_messages_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
