// SPDX-License-Identifier: BSD-2-Clause
// The three-way undo by lines: what we wrote goes where it still stands as written, what others wrote stays, and what
// cannot be taken back is named.
#include "cli/harden/merge_back.h"
#include "tests/unit/cm.h"
#include <stdio.h>
#include <string.h>

static void undo(const char *before, const char *after, const char *now, const char *expected, const char *left)
{
    struct arena *a = arena_new(64 * 1024 * 1024);
    struct buf words = BUF_INIT;
    struct slice out = SLICE_NULL;
    size_t count = 0;
    assert_int_equal(merge_back(a, slice_str(before), slice_str(after), slice_str(now), &out, &words, &count),
                     STATUS_OK);
    char text[4096];
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(out));
    assert_string_equal(text, expected);
    assert_string_equal(words.p, left);
    assert_int_equal(count > 0, *left != '\0');
    buf_release(&words);
    arena_free(a);
}

static void test_merge_back(void **state)
{
    (void)state;
    /* Nobody changed it: all is back. */
    undo("a\nb\n", "a\nnew\nb\n", "a\nnew\nb\n", "a\nb\n", "");
    undo("a\nold\nb\n", "a\nnew\nb\n", "a\nnew\nb\n", "a\nold\nb\n", "");
    undo("a\nold\nb\n", "a\nb\n", "a\nb\n", "a\nold\nb\n", "");
    undo("", "new\n", "new\n", "", "");
    /* Others wrote elsewhere, also on the next line. */
    undo("a\nb\n", "a\nnew\nb\n", "mine\na\nnew\nb\nmine too\n", "mine\na\nb\nmine too\n", "");
    undo("a\n", "a\nnew\n", "a\nnew\nexempt x\n", "a\nexempt x\n", "");
    undo("a\nold\nb\n", "a\nnew\nb\n", "x\nnew\ny\n", "x\nold\ny\n", "");
    /* Our line is gone or was changed: theirs stays, and there is nothing to remove. */
    undo("a\nb\n", "a\nnew\nb\n", "a\nb\n", "a\nb\n", "");
    undo("a\nb\n", "a\nnew\nb\n", "a\nnew, changed\nb\n", "a\nnew, changed\nb\n", "");
    undo("a\nold\nb\n", "a\nnew\nb\n", "a\nnew 2\nb\n", "a\nnew 2\nb\n", "put back: old\n");
    /* Two of them: the one in its old place; where that is not clear, none. */
    undo("a\nb\n", "a\nnew\nb\n", "new\na\nnew\nb\n", "new\na\nb\n", "");
    undo("a\nold\nb\n", "a\nnew\nb\n", "x\nnew\ny\nnew\nz\n", "x\nnew\ny\nnew\nz\n", "put back: old\n");
    /* Several hunks, and a line put between ours. */
    undo("a\nb\nc\n", "1\na\nb\n2\nc\n3\n", "1\na\nmine\nb\n2\nc\n3\n", "a\nmine\nb\nc\n", "");
    undo("a\n", "a\n\n# ours\nset x\n", "a\n\n# ours\n# mine\nset x\n", "a\n\n# ours\n# mine\n", "");
    /* No newline at the end stays so. */
    undo("a", "a\nnew", "a\nmine\nnew", "a\nmine", "");
}

static void test_big(void **state)
{
    (void)state;
    struct arena *a = arena_new(256 * 1024 * 1024);
    struct buf before = BUF_INIT, after = BUF_INIT, left = BUF_INIT;
    struct slice out;
    size_t count;
    for (int i = 0; i < 5000; i++) {
        buf_printf(&before, "line %d\n", i);
        buf_printf(&after, "line %d\n", i * 2);
    }
    assert_int_equal(merge_back(a, buf_slice(&before), buf_slice(&after), buf_slice(&after), &out, &left, &count),
                     STATUS_OK);
    assert_true(slice_eq(out, buf_slice(&before)));
    for (int i = 0; i < 20000; i++)
        buf_adds(&after, "x\n");
    assert_int_equal(merge_back(a, buf_slice(&before), buf_slice(&after), buf_slice(&after), &out, &left, &count),
                     STATUS_LIMIT);
    buf_release(&before);
    buf_release(&after);
    buf_release(&left);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_merge_back), cmocka_unit_test(test_big)};
    return cmocka_run_group_tests_name("merge_back", tests, NULL, NULL);
}
