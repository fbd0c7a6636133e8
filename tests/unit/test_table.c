// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_table.c - tables that are wider than the terminal (cli/table.h): a text at the end is wrapped and none of it is
 * lost; what cannot be wrapped is cut, and a mark says so.
 */
#include "cli/table.h"
#include "tests/unit/cm.h"
#include <stdlib.h>

static const struct table_column columns[] = {{"name", "Name"}, {"why", "Because"}, {NULL, NULL}};

/* The table of one row, as wide as that. */
static void shows(const char *name, const char *why, const char *width, const char *expected)
{
    struct table *t = table_new(columns);
    struct buf b = BUF_INIT;
    table_text(t, name);
    table_text(t, why);
    setenv("COLUMNS", width, 1);
    table_write(t, TABLE_TEXT, "none", &b);
    assert_string_equal(b.p, expected);
    buf_release(&b);
    table_free(t);
}

static void wrapped(void **state)
{
    (void)state;
    shows("spf", "no server gave an answer (SERVFAIL)", "80",
          "Name  Because\nspf   no server gave an answer (SERVFAIL)\n");
    shows("spf", "no server gave an answer (SERVFAIL)", "41",
          "Name  Because\nspf   no server gave an answer (SERVFAIL)\n");
    shows("spf", "no server gave an answer (SERVFAIL)", "40",
          "Name  Because\nspf   no server gave an answer\n      (SERVFAIL)\n");
    shows("spf", "_dmarc.a-very-very-very-long-name.example has no answer", "40",
          "Name  Because\nspf   _dmarc.a-very-very-very-long-name.\n      example has no answer\n");
}

static void cells_cut(void **state)
{
    (void)state;
    shows("a-name-that-needs-some-room.example", "no answer", "40",
          "Name                                 Be~\na-name-that-needs-some-room.example  no~\n");
    shows("a-name-that-needs-some-room.example", "no", "40",
          "Name                                 Be~\na-name-that-needs-some-room.example  no\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(wrapped), cmocka_unit_test(cells_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
