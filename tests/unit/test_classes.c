// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_classes.c - recipients whose policies differ: each is judged by its own, classes are few however many recipients
 * there are.
 */
#include "judge/classes.h"
#include "base/limits.h"
#include "judge/mail.h"
#include "tests/unit/cm.h"
#include <stdio.h>

#define NOW 1790000000

static const char text[] = "record dmarc of everyone\n"
                           "require dmarc of everyone writing to payroll.example.org otherwise reject\n"
                           "require dmarc of everyone writing to sales.example.org otherwise quarantine\n"
                           "require dmarc of everyone writing to board.example.org otherwise reject\n"
                           "trial require dmarc of everyone writing to lab.example.org otherwise reject\n";

static const struct policy *policy(const char *more)
{
    char whole[1024];
    const struct policy *p;

    snprintf(whole, sizeof whole, "%s%s", text, more);
    p = policy_load_text(slice_str(whole), "test", NULL);
    assert_non_null(p);
    return p;
}

static struct facts facts(void)
{
    return (struct facts){.client = {4, {192, 0, 2, 1}},
                          .from = "plain.example",
                          .authors[0].domain = "plain.example",
                          .author_count = 1,
                          .mail_from = "plain.example",
                          .format = RESULT_PASS,
                          .authors[0].dmarc = {.result = RESULT_NONE, .reason = "no record"}};
}

static struct classes decide(struct arena *a, const struct policy *p, const struct mail_rcpt *rcpts, size_t n)
{
    struct facts f = facts();
    struct classes c;

    assert_int_equal(classes_decide(a, &f, p, rcpts, n, NOW, NULL, &c), STATUS_OK);
    return c;
}

static void actions_differ(void **state)
{
    static const struct mail_rcpt rcpts[] = {{"a@example.org", "example.org"},
                                             {"b@payroll.example.org", "payroll.example.org"},
                                             {"c@sales.example.org", "sales.example.org"},
                                             {"d@example.org", "example.org"},
                                             {"e@board.example.org", "board.example.org"},
                                             {"f@lab.example.org", "lab.example.org"}};
    struct arena *a = arena_new(1 << 20);
    const struct policy *p = policy("set mode enforce\n");
    struct classes c = decide(a, p, rcpts, 6);

    (void)state;
    assert_false(c.agree);
    assert_int_equal(c.count, 5);
    assert_int_equal(c.of[0], c.of[3]);
    assert_int_equal(c.list[c.of[0]].verdict.action, POLICY_DELIVER);
    assert_int_equal(c.list[c.of[0]].rcpt_count, 2);
    assert_int_equal(c.list[c.of[1]].verdict.action, POLICY_REJECT);
    assert_int_equal(c.list[c.of[2]].verdict.action, POLICY_QUARANTINE);
    assert_int_equal(c.list[c.of[4]].verdict.action, POLICY_REJECT);
    assert_int_not_equal(c.of[1], c.of[4]); /* by another statement: recorded apart */
    assert_int_equal(c.list[c.of[5]].verdict.action, POLICY_DELIVER);
    assert_int_equal(c.list[c.of[5]].verdict.would, POLICY_REJECT);
    assert_int_equal(c.list[c.mildest].verdict.action, POLICY_DELIVER);
    assert_int_equal(c.list[c.severest].verdict.action, POLICY_REJECT);
    policy_unref(p);
    arena_free(a);
}

static void dry_run_agrees(void **state)
{
    static const struct mail_rcpt rcpts[] = {{"a@example.org", "example.org"},
                                             {"b@payroll.example.org", "payroll.example.org"}};
    struct arena *a = arena_new(1 << 20);
    const struct policy *p = policy("set mode dry-run\n");
    struct classes c = decide(a, p, rcpts, 2);

    (void)state;
    assert_true(c.agree);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.list[1].verdict.would, POLICY_REJECT);
    policy_unref(p);
    arena_free(a);
}

static void none_and_one(void **state)
{
    static const struct mail_rcpt rcpts[] = {{"b@payroll.example.org", "payroll.example.org"}};
    struct arena *a = arena_new(1 << 20);
    const struct policy *p = policy("set mode enforce\n");
    struct classes c = decide(a, p, rcpts, 1);

    (void)state;
    assert_true(c.agree);
    assert_int_equal(c.list[0].verdict.action, POLICY_REJECT);
    c = decide(a, p, NULL, 0);
    assert_true(c.agree);
    assert_int_equal(c.count, 1);
    assert_int_equal(c.list[0].verdict.action, POLICY_DELIVER);
    policy_unref(p);
    arena_free(a);
}

static void ten_thousand(void **state)
{
    struct arena *a = arena_new(LIMIT_MESSAGE_ARENA);
    const struct policy *p = policy("set mode enforce\n");
    struct mail_rcpt *rcpts = ARENA_ARRAY(a, struct mail_rcpt, LIMIT_RECIPIENTS);
    struct classes c;

    (void)state;
    for (size_t i = 0; i < LIMIT_RECIPIENTS; i++)
        rcpts[i] = (struct mail_rcpt){arena_printf(a, "u%zu@%s.example.org", i, i % 2 ? "payroll" : "other"), NULL};
    c = decide(a, p, rcpts, LIMIT_RECIPIENTS);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.list[0].rcpt_count, LIMIT_RECIPIENTS / 2);
    assert_false(c.agree);
    assert_true(arena_used(a) < LIMIT_MESSAGE_ARENA / 8);
    policy_unref(p);
    arena_free(a);
}

/* No rule names a recipient: all are of one class, with the verdict that each would get alone. */
static void rules_without_recipients(void **state)
{
    struct arena *a = arena_new(LIMIT_MESSAGE_ARENA);
    const struct policy *p = policy_load_text(
        SLICE_LIT("require dmarc of everyone otherwise quarantine\nrequire dmarc of plain.example otherwise reject\n"
                  "set mode enforce\n"),
        "test", NULL);
    struct mail_rcpt *rcpts = ARENA_ARRAY(a, struct mail_rcpt, LIMIT_RECIPIENTS);
    struct classes c, alone;

    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < LIMIT_RECIPIENTS; i++)
        rcpts[i] = (struct mail_rcpt){arena_printf(a, "u%zu@example.org", i), NULL};
    c = decide(a, p, rcpts, LIMIT_RECIPIENTS);
    alone = decide(a, p, rcpts + 7, 1);
    assert_true(c.agree);
    assert_int_equal(c.count, 1);
    assert_string_equal(c.list[0].rcpt, "u0@example.org");
    assert_int_equal(c.list[0].rcpt_count, LIMIT_RECIPIENTS);
    for (size_t i = 0; i < LIMIT_RECIPIENTS; i++)
        assert_int_equal(c.of[i], 0);
    assert_int_equal(c.list[0].verdict.action, POLICY_REJECT);
    assert_int_equal(alone.list[0].verdict.action, POLICY_REJECT);
    assert_ptr_equal(verdict_deciding(&c.list[0].verdict)->statement,
                     verdict_deciding(&alone.list[0].verdict)->statement);
    policy_unref(p);
    arena_free(a);
}

/* More statements than classes are kept apart: those with the same action are put together, and no action is lost. */
static void many_statements(void **state)
{
    char many[4096] = "";
    struct mail_rcpt rcpts[40];
    struct arena *a = arena_new(1 << 20);
    const struct policy *p;
    struct classes c;

    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(many + strlen(many), sizeof many - strlen(many),
                 "require dmarc of everyone writing to r%d.example.org otherwise %s\n", i,
                 i == 39 ? "hold"
                 : i % 2 ? "reject"
                         : "quarantine");
        rcpts[i] = (struct mail_rcpt){arena_printf(a, "u@r%d.example.org", i), NULL};
    }
    snprintf(many + strlen(many), sizeof many - strlen(many), "set mode enforce\n");
    p = policy_load_text(slice_str(many), "test", NULL);
    assert_non_null(p);
    c = decide(a, p, rcpts, 40);
    assert_true(c.count <= CLASSES_MAX);
    for (int i = 0; i < 40; i++)
        assert_int_equal(c.list[c.of[i]].verdict.action, i == 39 ? POLICY_HOLD
                                                         : i % 2 ? POLICY_REJECT
                                                                 : POLICY_QUARANTINE);
    policy_unref(p);
    arena_free(a);
}

static void out_of_memory_defers(void **state)
{
    static const struct mail_rcpt rcpts[] = {{"a@example.org", "example.org"},
                                             {"b@payroll.example.org", "payroll.example.org"}};
    struct arena *a = arena_new(600);
    const struct policy *p = policy("set mode enforce\n");
    struct facts f = facts();
    struct classes c;

    (void)state;
    assert_int_equal(classes_decide(a, &f, p, rcpts, 2, NOW, NULL, &c), STATUS_NOMEM);
    assert_int_equal(c.count, 1);
    assert_int_equal(c.list[0].verdict.action, POLICY_DEFER);
    policy_unref(p);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions_differ),
        cmocka_unit_test(dry_run_agrees),
        cmocka_unit_test(none_and_one),
        cmocka_unit_test(ten_thousand),
        cmocka_unit_test(rules_without_recipients),
        cmocka_unit_test(many_statements),
        cmocka_unit_test(out_of_memory_defers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
