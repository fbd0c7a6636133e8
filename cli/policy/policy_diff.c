// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_diff.c - `assay policy diff OLD NEW`: what differs between two policies, not between two files.
 *
 * Compares canonical statements (spelling, comments and blanks do not count), settings with their values, and what
 * lists hold. Order is told where the same statements stand in another one, since the later of two alike counts. Exit
 * code 0 the same, 1 different, like diff.
 */
#include "cli/policy/policy_cmd.h"
#include "policy/map.h"
#include "policy/policy_settings.h"
#include "base/secret.h"
#include "base/utf8.h"
#include <stdlib.h>

struct side {
    const struct policy *p;
    struct map texts; /* canonical statement -> times */
};

/* Safe on a terminal, and without passwords. */
static void diff_put(const char *text)
{
    struct buf safe = BUF_INIT, out = BUF_INIT;
    secret_add(&safe, slice_str(text));
    utf8_add_visible(&out, buf_slice(&safe));
    fwrite(out.p, 1, out.n, stdout);
    buf_release(&safe);
    buf_release(&out);
}

static bool compared_by_value(const struct policy_statement *s)
{
    return s->kind == POLICY_SET || s->kind == POLICY_INCLUDE;
}

static void count_texts(struct side *s)
{
    const struct policy_statement *st;
    map_init(&s->texts, 1);
    for (size_t i = 0; (st = policy_statement_at(s->p, i)); i++) {
        const uint64_t *n = map_get(&s->texts, slice_str(st->text));
        (void)!map_put(&s->texts, slice_str(st->text), n ? *n + 1 : 1);
    }
}

/* Statements of `a` that `b` has not, each with its sign. */
static size_t print_missing(const struct side *a, const struct side *b, char sign, enum cli_colour colour)
{
    const struct policy_statement *s;
    size_t n = 0;
    for (size_t i = 0; (s = policy_statement_at(a->p, i)); i++) {
        if (compared_by_value(s) || map_get(&b->texts, slice_str(s->text)))
            continue;
        printf("%s%c ", cli_colour(stdout, colour), sign);
        diff_put(s->text);
        printf("%s\n", cli_colour(stdout, CLI_PLAIN));
        n++;
    }
    return n;
}

static size_t print_settings(const struct policy *a, const struct policy *b)
{
    struct policy_setting x, y;
    size_t n = 0;
    for (size_t i = 0; policy_setting_at(a, i, &x) && policy_setting_at(b, i, &y); i++) {
        if (strcmp(x.value, y.value) == 0)
            continue;
        printf("~ set %s: ", x.name);
        diff_put(*x.value ? x.value : "(empty)");
        printf(" -> ");
        diff_put(*y.value ? y.value : "(empty)");
        putchar('\n');
        n++;
    }
    return n;
}

/* Entries of list `name` in `a` that its like in `b` has not; the first few are named. */
static size_t print_entries(const struct policy *a, const struct policy *b, const char *name, char sign)
{
    char entry[POLICY_ENTRY_TEXT];
    struct map in_b;
    char *block = NULL;
    size_t at = 0, n = 0, entries = 0, used = 0;
    const char *file;
    if (policy_list(b, name, &entries, &file) != STATUS_OK)
        return 0;
    map_init(&in_b, 1);
    block = calloc(entries + 1, POLICY_ENTRY_TEXT);
    while (block && policy_list_next(b, name, &at, entry)) {
        memcpy(block + used, entry, sizeof entry);
        (void)!map_put(&in_b, slice_str(block + used), 1);
        used += sizeof entry;
    }
    for (at = 0; block && policy_list_next(a, name, &at, entry);) {
        if (map_get(&in_b, slice_str(entry)))
            continue;
        if (n++ < 10) {
            printf("  %c list ", sign);
            diff_put(name);
            printf(": ");
            diff_put(entry);
            putchar('\n');
        }
    }
    if (n > 10) {
        printf("  %c list ", sign);
        diff_put(name);
        printf(": and %zu more\n", n - 10);
    }
    map_release(&in_b);
    free(block);
    return n;
}

static size_t print_lists(const struct policy *a, const struct policy *b)
{
    const struct policy_statement *s;
    size_t n = 0;
    for (size_t i = 0; (s = policy_statement_at(a, i)); i++)
        if (s->kind == POLICY_LIST && s->id[0] == 'L')
            n += print_entries(a, b, s->name, '-') + print_entries(b, a, s->name, '+');
    return n;
}

/* Tells whether the statements that both have stand in another order. */
static size_t print_order(const struct side *a, const struct side *b)
{
    const struct policy_statement *x, *y;
    size_t i = 0, k = 0;
    for (;;) {
        while ((x = policy_statement_at(a->p, i)) && (compared_by_value(x) || !map_get(&b->texts, slice_str(x->text))))
            i++;
        while ((y = policy_statement_at(b->p, k)) && (compared_by_value(y) || !map_get(&a->texts, slice_str(y->text))))
            k++;
        if (!x || !y)
            return 0;
        if (strcmp(x->text, y->text) != 0)
            break;
        i++;
        k++;
    }
    printf("~ the order differs from here on (of two statements as close, the later counts):\n    ");
    diff_put(x->text);
    printf("\n    ");
    diff_put(y->text);
    putchar('\n');
    return 1;
}

size_t policy_diff_print(const struct policy *before, const struct policy *after)
{
    struct side sides[2] = {{.p = before}, {.p = after}};
    count_texts(&sides[0]);
    count_texts(&sides[1]);
    size_t n = print_missing(&sides[0], &sides[1], '-', CLI_RED) + print_missing(&sides[1], &sides[0], '+', CLI_GREEN);
    n += print_settings(before, after) + print_lists(before, after) + print_order(&sides[0], &sides[1]);
    map_release(&sides[0].texts);
    map_release(&sides[1].texts);
    return n;
}

int policy_cmd_diff(int argc, char **argv)
{
    static const struct policy_usage usage = {"OLD NEW", "What differs between two policies: statements, settings, "
                                                         "what lists hold, order. Exit code 0 the same, 1 different."};
    struct policy_args a;
    int rc = policy_args_read(&a, &usage, argc, argv, POLICY_ARG_OTHER | POLICY_ARG_FILE);
    if (rc >= 0)
        return rc;
    if (!a.other)
        return cli_usage("which two policies?");
    struct policy *before = cli_load_policy(a.other, &rc), *after = before ? cli_load_policy(a.file, &rc) : NULL;
    if (after)
        rc = policy_diff_print(before, after) ? CLI_WARNING : CLI_OK;
    policy_unref(before);
    policy_unref(after);
    return rc;
}
