// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_options.c - command lines as people type them: every form of an option, in any order; each mistake gets one
 * complaint that names it; the help shows every option and fits its width (base/options.h).
 */
#include "base/options.h"
#include "tests/unit/cm.h"

struct given {
    const char *policy, *from, *day;
    bool quiet, yes, json;
    int64_t limit;
};

static const char *take_day(void *into, const char *value)
{
    ((struct given *)into)->day = value;
    return strlen(value) == 10 ? NULL : "a day such as 2026-11-20";
}

#define OPTIONS_OF struct given
static const struct option_row rows[] = {
    OPTIONS_TEXT('P', "policy", "FILE", policy, "the policy"),
    OPTIONS_ANY_TEXT(0, "from", "WHO", from, "who sent it; empty: nobody"),
    OPTIONS_FLAG('q', "quiet", quiet,
                 "only what is not in order, which is a help text long enough to be broken twice "
                 "over at the width that a terminal has at the very least"),
    OPTIONS_FLAG('y', "yes", yes, "do not ask"),
    OPTIONS_NUMBER('n', "limit", "COUNT", limit, 1, 100, "at most so many"),
    OPTIONS_TAKE(0, "day", "DAY", take_day, "that day"),
    {0, "json", NULL, "for programs", OPTION_FLAG, offsetof(struct given, json), 0, 0, NULL, 2},
    {0, "policies", NULL, "for another command", OPTION_FLAG, offsetof(struct given, json), 0, 0, NULL, 4},
};
static const struct option_word words[] = {{"clock", "the clock is right"}, {"disk", "there is room"}};
static const struct options_spec spec = {
    .synopsis = "[OPTION...] [CHECK...]\n--undo",
    .text =
        "Does what it does, and says so in a paragraph that is longer than eighty columns, so that it has to break.",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .takes = 2,
    .words_are = "Checks:",
    .words = words,
    .word_count = 2,
    .after = "Exit code: 0.",
    .most = 2,
};

#define WORDS_MAX 12

/* Reads a command line whose words are separated by blanks. */
static enum options_end read_line(const struct options_spec *s, const char *line, struct given *g, char *operands,
                                  size_t size, char *why)
{
    static char kept[256]; /* texts point into it */
    char *argv[WORDS_MAX + 1] = {NULL}, *at = kept;
    int argc = 0, n = 0;
    struct buf b = BUF_INIT;
    snprintf(kept, sizeof kept, "%s", line);
    while (*at && argc < WORDS_MAX) {
        argv[argc++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    *g = (struct given){0};
    const enum options_end end = options_read(s, argc, argv, g, &n, &b);
    operands[0] = '\0';
    for (int i = 1; end == OPTIONS_OK && i <= n; i++) {
        const size_t used = strlen(operands);
        snprintf(operands + used, size - used, "%s%s", i > 1 ? " " : "", argv[i]);
    }
    snprintf(why, 256, "%.*s", (int)b.n, b.n ? b.p : "");
    buf_release(&b);
    return end;
}

static void every_form(void **state)
{
    static const struct {
        const char *line, *policy, *operands;
        int64_t limit;
        bool quiet, yes;
    } table[] = {
        {"x", NULL, "", 0, false, false},
        {"x --policy FILE", "FILE", "", 0, false, false},
        {"x --policy=FILE", "FILE", "", 0, false, false},
        {"x -P FILE", "FILE", "", 0, false, false},
        {"x -PFILE", "FILE", "", 0, false, false},
        {"x --from=", NULL, "", 0, false, false},
        {"x --from=<>", NULL, "", 0, false, false},
        {"x --policy=a=b", "a=b", "", 0, false, false},
        {"x --policy --quiet", "--quiet", "", 0, false, false},
        {"x --pol=FILE", "FILE", "", 0, false, false}, /* the beginning of a name: of those that this command takes */
        {"x -n5", NULL, "", 5, false, false},
        {"x -n 5", NULL, "", 5, false, false},
        {"x --limit=5", NULL, "", 5, false, false},
        {"x --limit 100", NULL, "", 100, false, false},
        {"x -qy", NULL, "", 0, true, true},
        {"x -qyn7", NULL, "", 7, true, true},
        {"x -qyP FILE disk", "FILE", "disk", 0, true, true},
        {"x disk -q clock", NULL, "disk clock", 0, true, false},
        {"x -- -q", NULL, "-q", 0, false, false},
        {"x -q -- --yes --", NULL, "--yes --", 0, true, false},
        {"x -", NULL, "-", 0, false, false},
        {"x --qui", NULL, "", 0, true, false},
        {"x -P a -P b", "b", "", 0, false, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct given g;
        char operands[128], why[256];
        if (read_line(&spec, table[i].line, &g, operands, sizeof operands, why) != OPTIONS_OK)
            fail_msg("%s: %s", table[i].line, why);
        if (table[i].policy)
            assert_string_equal(g.policy, table[i].policy);
        else
            assert_null(g.policy);
        assert_string_equal(operands, table[i].operands);
        assert_int_equal(g.limit, table[i].limit);
        assert_int_equal(g.quiet, table[i].quiet);
        assert_int_equal(g.yes, table[i].yes);
    }
}

static void one_complaint_each(void **state)
{
    static const struct {
        const char *line, *why;
    } table[] = {
        {"x --nosuch", "unknown option '--nosuch'"},
        {"x --nosuch=1 --worse", "unknown option '--nosuch'"},
        {"x --jsno", "unknown option '--jsno'; did you mean '--json'?"},
        {"x --policies", "unknown option '--policies'"}, /* another command's */
        {"x --", ""},
        {"x -z", "unknown option '-z'"},
        {"x -qzy", "unknown option '-z'"},
        {"x --policy", "option '--policy' needs a value: --policy FILE"},
        {"x -q -P", "option '-P' needs a value: -P FILE"},
        {"x --quiet=yes", "option '--quiet' takes no value"},
        {"x --limit 0", "--limit: '0' is not a number from 1 to 100"},
        {"x --limit=101", "--limit: '101' is not a number from 1 to 100"},
        {"x -n 5x", "--limit: '5x' is not a number from 1 to 100"},
        {"x --limit=", "--limit: '' is not a number from 1 to 100"},
        {"x -n 99999999999999999999", "--limit: '99999999999999999999' is not a number from 1 to 100"},
        {"x --day tomorrow", "--day: 'tomorrow' is not a day such as 2026-11-20"},
        {"x a b c", "unexpected argument 'c'"},
        {"x --policy=", "the value of option '--policy' is empty: --policy FILE"},
        {"x -q --policy  disk", "the value of option '--policy' is empty: --policy FILE"}, /* two blanks: '' */
        {"x -P  disk", "the value of option '--policy' is empty: --policy FILE"},
        {"x disk  clock", "an argument is empty: ''"},
        {"x --  disk", "an argument is empty: ''"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct given g;
        char operands[128], why[256];
        const enum options_end end = read_line(&spec, table[i].line, &g, operands, sizeof operands, why);
        assert_int_equal(end, table[i].why[0] ? OPTIONS_WRONG : OPTIONS_OK);
        assert_string_equal(why, table[i].why);
    }
}

static void names_that_begin_alike(void **state)
{
    struct given g;
    char operands[128], why[256];
    struct options_spec both = spec;
    both.takes = 2 | 4;
    assert_int_equal(read_line(&both, "x --polic FILE", &g, operands, sizeof operands, why), OPTIONS_WRONG);
    assert_string_equal(why, "option '--polic' can be '--policy' or '--policies'");
    assert_int_equal(read_line(&both, "x --policies", &g, operands, sizeof operands, why), OPTIONS_OK);
    assert_true(g.json);
}

static void too_few(void **state)
{
    struct given g;
    char operands[128], why[256];
    struct options_spec one = spec;
    one.least = 1;
    one.needs = "a queue ID or Message-ID";
    assert_int_equal(read_line(&one, "why -q", &g, operands, sizeof operands, why), OPTIONS_WRONG);
    assert_string_equal(why, "'why' needs a queue ID or Message-ID");
    assert_int_equal(read_line(&one, "why -q 4X", &g, operands, sizeof operands, why), OPTIONS_OK);
    assert_string_equal(operands, "4X");
}

static void help_is_asked_for(void **state)
{
    static const char *const lines[] = {"x --help", "x -h", "x -qh", "x --he", "x disk --help --nosuch"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct given g;
        char operands[128], why[256];
        assert_int_equal(read_line(&spec, lines[i], &g, operands, sizeof operands, why), OPTIONS_HELP);
    }
}

static void help_shows_all(void **state)
{
    static const char *const shown[] = {
        "Usage: assay x [OPTION...] [CHECK...]\n       assay x --undo\n\nDoes what",
        "\n  -P, --policy FILE  the policy\n",
        "\n  -q, --quiet        only what",
        "\n  -n, --limit COUNT  at most so many\n",
        "\n      --day DAY      that day\n",
        "\n      --json         for programs\n",
        "\n  -h, --help         show this help\n",
        "\nChecks:\n  clock       the clock is right\n  disk        there is room\n",
        "\nExit code: 0.\n",
    };
    struct buf b = BUF_INIT;
    options_help(&spec, "assay x", &b);
    buf_addc(&b, '\0');
    assert_false(b.failed);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (!strstr(b.p, shown[i]))
            fail_msg("not shown: %s\nin:\n%s", shown[i], b.p);
    assert_null(strstr(b.p, "--policies"));
    for (const char *line = b.p; *line; line += strcspn(line, "\n") + 1) {
        const size_t n = strcspn(line, "\n");
        assert_true(n <= OPTIONS_HELP_WIDTH);
        assert_true(n == 0 || line[n - 1] != ' ');
    }
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form), cmocka_unit_test(one_complaint_each), cmocka_unit_test(names_that_begin_alike),
        cmocka_unit_test(too_few),    cmocka_unit_test(help_is_asked_for),  cmocka_unit_test(help_shows_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
