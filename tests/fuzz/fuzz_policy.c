// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_policy.c - any octets as a policy: read, and what loads is printed, read back and asked.
 *
 * Besides that nothing crashes: the canonical form of a policy that loads, loads too, and is its own canonical form.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "policy/policy.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void canonical(const struct policy *p, struct buf *out)
{
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(p, i)); i++)
        if (s->id[0] == 'L')
            buf_printf(out, "%s\n", s->text);
}

static void policy_questions(const struct policy *p)
{
    const struct policy_statement *s;
    struct policy_answer a;
    for (size_t i = 0; i < 50 && (s = policy_statement_at(p, i)); i++) {
        struct policy_question q = {
            .standard = (enum standard)(i % STANDARD_MAIL_COUNT), .names = i % 7 == 0, .rcpt = "x+y@b.example"};
        q.who = s->who.name && domain_is_kept(s->who.name) ? s->who.name : "a.example";
        q.who_ip = s->who.kind == POLICY_NETWORK ? &s->who.net.base : NULL;
        policy_ask(p, &q, &a);
        (void)policy_trusted(p, q.who, q.rcpt, NULL, 0);
        (void)policy_suspended(p, q.who, 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clock_set_wall(1795176000);
    char *text = malloc(size ? size : 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    struct policy_report *r = policy_report_new();
    struct policy *p = policy_load_text(slice_of(text, size), "fuzz", r);
    struct buf once = BUF_INIT, twice = BUF_INIT;
    for (size_t i = 0; policy_report_at(r, i); i++)
        policy_message_print(policy_report_at(r, i), &twice);
    buf_reset(&twice);
    if (p) {
        policy_questions(p);
        canonical(p, &once);
        struct policy *again = policy_load_text(buf_slice(&once), "again", NULL);
        if (again)
            canonical(again, &twice);
        if (!again || !slice_eq(buf_slice(&once), buf_slice(&twice)))
            __builtin_trap();
        policy_unref(again);
    } else if (policy_report_count(r, POLICY_ERROR) == 0) {
        __builtin_trap(); /* refused without a reason */
    }
    policy_unref(p);
    policy_report_free(r);
    buf_release(&once);
    buf_release(&twice);
    free(text);
    return 0;
}
