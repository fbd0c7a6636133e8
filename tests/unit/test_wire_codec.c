// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_wire_codec.c - packets of the milter protocol, octet by octet: what MTAs send (protocol versions 2 to 6,
 * macros of each stage, SMFIC_UNKNOWN, quit for a new connection) and what we answer (skip, progress, edits, replies).
 */
#include "milter/wire/wire_reply.h"
#include "tests/unit/cm.h"
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

#define PACKET(text) slice_of(text, sizeof(text) - 1)
#define FIXED(text) {text, sizeof(text) - 1} /* for a table */

/* Reads one packet from an exact copy of its octets; the caller frees *copy. */
static long first(struct slice in, struct wire_command *out, char **copy)
{
    *copy = exact(in.p, in.n);
    return wire_command_first(slice_of(*copy, in.n), WIRE_DATA_64K, out);
}

static void letters_are_libmilters(void **state)
{
    static const char ours[] = {WIRE_ABORT,    WIRE_BODY,   WIRE_CONNECT, WIRE_MACRO,      WIRE_END,       WIRE_HELO,
                                WIRE_QUIT_NC,  WIRE_HEADER, WIRE_MAIL,    WIRE_HEADER_END, WIRE_NEGOTIATE, WIRE_QUIT,
                                WIRE_RCPT,     WIRE_DATA,   WIRE_UNKNOWN, WIRE_ACCEPT,     WIRE_CONTINUE,  WIRE_DISCARD,
                                WIRE_PROGRESS, WIRE_REJECT, WIRE_SKIP,    WIRE_TEMPFAIL};
    static const char theirs[] = {SMFIC_ABORT,  SMFIC_BODY,     SMFIC_CONNECT, SMFIC_MACRO,    SMFIC_BODYEOB,
                                  SMFIC_HELO,   SMFIC_QUIT_NC,  SMFIC_HEADER,  SMFIC_MAIL,     SMFIC_EOH,
                                  SMFIC_OPTNEG, SMFIC_QUIT,     SMFIC_RCPT,    SMFIC_DATA,     SMFIC_UNKNOWN,
                                  SMFIR_ACCEPT, SMFIR_CONTINUE, SMFIR_DISCARD, SMFIR_PROGRESS, SMFIR_REJECT,
                                  SMFIR_SKIP,   SMFIR_TEMPFAIL};

    assert_int_equal(sizeof ours, sizeof theirs);
    assert_memory_equal(ours, theirs, sizeof ours);
}

static void packets_come_octet_by_octet(void **state)
{
    static const char stream[] = "\0\0\0\5Hmx1\0\0\0\0\1Q";
    struct wire_command c;
    char *copy;

    for (size_t n = 0; n < 9; n++) {
        assert_int_equal(first(slice_of(stream, n), &c, &copy), 0);
        free(copy);
    }
    assert_int_equal(first(PACKET(stream), &c, &copy), 9);
    assert_int_equal(c.letter, WIRE_HELO);
    assert_int_equal(c.data.n, 4);
    assert_int_equal(wire_command_first(slice_of(copy + 9, 5), WIRE_DATA_64K, &c), 5);
    assert_int_equal(c.letter, WIRE_QUIT);
    assert_int_equal(c.data.n, 0);
    free(copy);
}

static void wrong_lengths_are_noticed_at_once(void **state)
{
    struct wire_command c;
    char *copy;

    assert_int_equal(first(PACKET("\0\0\0\0"), &c, &copy), -1);
    free(copy);
    assert_int_equal(first(PACKET("\xff\xff\xff\xff"), &c, &copy), -1);
    free(copy);
    assert_int_equal(first(PACKET("\0\1\0\1"), &c, &copy), -1); /* 65,536 octets of data */
    free(copy);
    assert_int_equal(first(PACKET("\0\1\0\0"), &c, &copy), 0); /* 65,535: the largest chunk of a body */
    assert_int_equal(wire_command_first(slice_of(copy, 4), WIRE_DATA_1M, &c), 0);
    free(copy);
}

static void options_of_versions_2_to_6(void **state)
{
    for (char version = 0; version < 8; version++) {
        char data[12] = {0, 0, 0, version, 0, 0, 1, (char)0xff, 0, 0x1f, (char)0xff, (char)0xff};
        struct wire_options o;
        char *copy = exact(data, sizeof data);
        assert_int_equal(wire_read_options(slice_of(copy, sizeof data), &o), version >= 2);
        assert_int_equal(o.version, version);
        assert_int_equal(o.actions, SMFI_CURR_ACTS);
        assert_int_equal(o.protocol, SMFI_CURR_PROT);
        assert_false(wire_read_options(slice_of(copy, sizeof data - 1), &o));
        copy[0] = (char)0x80;
        assert_false(wire_read_options(slice_of(copy, sizeof data), &o));
        free(copy);
    }
}

static void connections(void **state)
{
    static const struct {
        struct slice data;
        bool good;
        char family;
        unsigned port;
        const char *address;
    } cases[] = {
        {FIXED("mx.example\0"
               "4\x30\x39"
               "192.0.2.1\0"),
         true, '4', 12345, "192.0.2.1"},
        {FIXED("mx.example\0"
               "6\0\x19"
               "IPv6:2001:db8::1\0"),
         true, '6', 25, "IPv6:2001:db8::1"},
        {FIXED("localhost\0L\0\0/run/x\0"), true, 'L', 0, "/run/x"},
        {FIXED("localhost\0U"), true, 'U', 0, NULL},
        {FIXED("mx.example\0"), false, 0, 0, NULL},
        {FIXED("mx.example"), false, 0, 0, NULL},
        {FIXED(""), false, 0, 0, NULL},
        {FIXED("mx.example\0X\0\x19"
               "192.0.2.1\0"),
         false, 0, 0, NULL},
        {FIXED("mx.example\0"
               "4\0"),
         false, 0, 0, NULL},
        {FIXED("mx.example\0"
               "4\0\x19"
               "192.0.2.1"),
         false, 0, 0, NULL},
        {FIXED("mx.example\0"
               "4\0\x19"
               "192.0.2.1\0more"),
         false, 0, 0, NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_connect c;
        char *copy = exact(cases[i].data.p, cases[i].data.n);
        assert_int_equal(wire_read_connect(slice_of(copy, cases[i].data.n), &c), cases[i].good);
        if (cases[i].good) {
            assert_int_equal(c.family, cases[i].family);
            assert_int_equal(c.port, cases[i].port);
            if (cases[i].address)
                assert_string_equal(c.address, cases[i].address);
            else
                assert_null(c.address);
        }
        free(copy);
    }
}

static void texts_need_their_nul(void **state)
{
    const char *a, *b;
    struct slice rest = PACKET("<a@x.example>\0SIZE=10\0SMTPUTF8\0");

    assert_true(wire_read_text(PACKET("XYZZY one\0"), &a)); /* SMFIC_UNKNOWN: the whole line */
    assert_string_equal(a, "XYZZY one");
    assert_false(wire_read_text(PACKET("XYZZY"), &a));
    assert_false(wire_read_text(PACKET("XY\0ZZY\0"), &a));
    assert_true(wire_are_texts(rest));
    assert_string_equal(wire_next_text(&rest), "<a@x.example>");
    assert_string_equal(wire_next_text(&rest), "SIZE=10");
    assert_string_equal(wire_next_text(&rest), "SMTPUTF8");
    assert_null(wire_next_text(&rest));
    assert_false(wire_are_texts(PACKET("<a@x.example>")));
    assert_false(wire_are_texts(PACKET("")));
    assert_true(wire_read_header(PACKET("Subject\0 a\n b\0"), &a, &b));
    assert_string_equal(a, "Subject");
    assert_string_equal(b, " a\n b");
    assert_false(wire_read_header(PACKET("Subject\0 a"), &a, &b));
    assert_false(wire_read_header(PACKET("Subject\0"), &a, &b));
    assert_false(wire_read_header(PACKET("Subject\0 a\0b\0"), &a, &b));
}

static void macros_of_each_stage(void **state)
{
    static const char stages[] = {WIRE_CONNECT, WIRE_HELO, WIRE_MAIL, WIRE_RCPT, WIRE_DATA, WIRE_END, WIRE_HEADER_END};
    char letter;
    struct slice pairs;

    for (size_t i = 0; i < sizeof stages; i++) {
        char data[] = "?i\0004XYZ\0{auth_type}\0";
        data[0] = stages[i];
        assert_true(wire_read_macros(slice_of(data, sizeof data), &letter, &pairs));
        assert_int_equal(letter, stages[i]);
        assert_string_equal(wire_next_text(&pairs), "i");
        assert_string_equal(wire_next_text(&pairs), "4XYZ");
        assert_string_equal(wire_next_text(&pairs), "{auth_type}");
        assert_string_equal(wire_next_text(&pairs), "");
        assert_null(wire_next_text(&pairs));
        assert_true(wire_read_macros(slice_of(data, 1), &letter, &pairs));
        assert_false(wire_read_macros(slice_of(data, 3), &letter, &pairs)); /* a name without value */
        assert_false(wire_read_macros(slice_of(data, 6), &letter, &pairs)); /* a value without its NUL */
    }
    assert_false(wire_read_macros(PACKET(""), &letter, &pairs));
}

static void codec_answers(void **state)
{
    struct buf out = BUF_INIT;
    static const char want[] = "\0\0\0\1c\0\0\0\1s\0\0\0\1p"
                               "\0\0\0\21O\0\0\0\6\0\0\1\21\0\20\4\200"
                               "\0\0\0\3"
                               "\0\0\0\12i\0\0\0\0A\0 b\0"
                               "\0\0\0\10m\0\0\0\2A\0\0"
                               "\0\0\0\5qwhy\0"
                               "\0\0\0\1a";
    const struct wire_options o = {6, SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_SETSYMLIST,
                                   SMFIP_HDR_LEADSPC | SMFIP_NR_HDR | SMFIP_SKIP};
    size_t from;

    wire_put_answer(&out, WIRE_CONTINUE);
    wire_put_answer(&out, WIRE_SKIP);
    wire_put_answer(&out, WIRE_PROGRESS);
    from = out.n;
    wire_put_options(&out, &o);
    assert_int_equal(out.p[from + 3], 13);
    wire_add_symbols(&out, from, SMFIM_ENVRCPT, "");
    assert_int_equal(out.p[from + 3], 18);
    assert_memory_equal(out.p + from + 17, "\0\0\0\3\0", 5);
    buf_cut(&out, from + 21);
    out.p[from + 3] = 17;
    wire_put_insert_header(&out, 0, "A", " b");
    wire_put_change_header(&out, 2, "A", "");
    wire_put_quarantine(&out, "why");
    wire_put_answer(&out, WIRE_ACCEPT);
    assert_false(out.failed);
    assert_int_equal(out.n, sizeof want - 1);
    assert_memory_equal(out.p, want, out.n);
    buf_release(&out);
}

static void replies(void **state)
{
    static const char *const lines[] = {"100 % sure", "see https://example.org/", "bad\r\n250 ok"};
    static const struct {
        const char *code, *enhanced;
        size_t count;
        const char *want;
    } cases[] = {
        {"550", "5.7.1", 1, "550 5.7.1 100 %% sure"},
        {"451", NULL, 1, "451 100 %% sure"},
        {"550", "5.7.1", 2, "550-5.7.1 100 %% sure\r\n550 5.7.1 see https://example.org/"},
        {"550", "5.7.1", 3, NULL}, /* a line break would be an answer of its own */
        {"550", "4.7.1", 1, NULL},
        {"550", "5.7", 1, NULL},
        {"550", "5.7.1.1", 1, NULL},
        {"550", "5.7777.1", 1, NULL},
        {"250", NULL, 1, NULL},
        {"55", NULL, 1, NULL},
        {"5500", NULL, 1, NULL},
        {"560", NULL, 1, NULL},
        {"550", NULL, 0, NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = BUF_INIT;
        enum status s = wire_put_reply(&out, cases[i].code, cases[i].enhanced, lines, cases[i].count);
        assert_int_equal(s, cases[i].want ? STATUS_OK : STATUS_INVALID);
        if (cases[i].want) {
            assert_int_equal(out.n, 4 + 1 + strlen(cases[i].want) + 1);
            assert_int_equal(out.p[3], out.n - 4);
            assert_int_equal(out.p[4], 'y');
            assert_string_equal(out.p + 5, cases[i].want);
        } else {
            assert_int_equal(out.n, 0);
        }
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_libmilters),
        cmocka_unit_test(packets_come_octet_by_octet),
        cmocka_unit_test(wrong_lengths_are_noticed_at_once),
        cmocka_unit_test(options_of_versions_2_to_6),
        cmocka_unit_test(connections),
        cmocka_unit_test(texts_need_their_nul),
        cmocka_unit_test(macros_of_each_stage),
        cmocka_unit_test(codec_answers),
        cmocka_unit_test(replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
