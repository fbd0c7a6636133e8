// SPDX-License-Identifier: BSD-2-Clause
/*
 * classes.c - makes the verdict for each recipient and groups recipients into classes.
 *
 * Promises: each recipient is judged by the policy for its own address, also if a message has ten thousand; memory
 * grows with the number of classes, not of recipients (each verdict is first made in an arena that is reset for the
 * next). A policy without rules for single recipients is asked once for all of them. Failure: STATUS_NOMEM, and the
 * only class defers the mail.
 */
#include "judge/classes.h"
#include "judge/mail.h"

#define SCRATCH (256 * 1024)

static const struct policy_statement *ground(const struct verdict *v)
{
    const struct verdict_line *l = verdict_would_line(v);
    return l ? l->statement : NULL;
}

static bool verdict_same(const struct verdict *a, const struct verdict *b, bool by_action_alone)
{
    if (a->action != b->action)
        return false;
    return by_action_alone || (a->would == b->would && ground(a) == ground(b));
}

/* The class that a verdict belongs to; CLASSES_MAX: none yet. */
static size_t class_find(const struct classes *c, const struct verdict *v)
{
    for (int loose = 0; loose <= 1; loose++) {
        for (size_t i = 0; i < c->count; i++)
            if (verdict_same(&c->list[i].verdict, v, loose))
                return i;
        if (c->count + POLICY_REJECT < CLASSES_MAX) /* leaves room for one class of each action */
            return CLASSES_MAX;
    }
    return CLASSES_MAX;
}

static void sum_up(struct classes *c)
{
    c->agree = true;
    c->mildest = c->severest = 0;
    for (size_t i = 1; i < c->count; i++) {
        const enum policy_action a = c->list[i].verdict.action;
        if (a != c->list[0].verdict.action)
            c->agree = false;
        if (a < c->list[c->mildest].verdict.action)
            c->mildest = i;
        if (a > c->list[c->severest].verdict.action)
            c->severest = i;
    }
}

static enum status classes_fail(struct classes *c)
{
    *c = (struct classes){.count = 1, .agree = true};
    c->list[0].verdict = (struct verdict){.action = POLICY_DEFER, .would = POLICY_DEFER, .policy_hash = ""};
    return STATUS_NOMEM;
}

static enum status gather(struct arena *a, struct arena *scratch, const struct facts *f, const struct policy *p,
                          const struct mail_rcpt *rcpts, size_t n, time_t at, const char *paused, struct classes *out)
{
    unsigned char *of = arena_alloc(a, n);

    if (!of)
        return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct verdict v;
        size_t k;
        arena_reset(scratch);
        if (verdict_decide(scratch, f, p, rcpts[i].address, at, paused, &v) != STATUS_OK)
            return STATUS_NOMEM;
        k = class_find(out, &v);
        if (k == CLASSES_MAX) {
            k = out->count++;
            out->list[k].rcpt = rcpts[i].address;
            if (verdict_decide(a, f, p, rcpts[i].address, at, paused, &out->list[k].verdict) != STATUS_OK)
                return STATUS_NOMEM;
        }
        out->list[k].rcpt_count++;
        of[i] = (unsigned char)k;
    }
    out->of = of;
    return STATUS_OK;
}

enum status classes_decide(struct arena *a, const struct facts *f, const struct policy *p,
                           const struct mail_rcpt *rcpts, size_t n, time_t at, const char *paused, struct classes *out)
{
    struct arena *scratch;
    enum status s;

    *out = (struct classes){0};
    if (n <= 1 || !policy_differs_by_rcpt(p)) {
        out->count = 1;
        out->list[0].rcpt = n ? rcpts[0].address : NULL;
        out->list[0].rcpt_count = n;
        s = verdict_decide(a, f, p, out->list[0].rcpt, at, paused, &out->list[0].verdict);
        if (n && s == STATUS_OK && !(out->of = arena_alloc(a, n)))
            s = STATUS_NOMEM;
    } else {
        scratch = arena_new(SCRATCH);
        s = scratch ? gather(a, scratch, f, p, rcpts, n, at, paused, out) : STATUS_NOMEM;
        arena_free(scratch);
    }
    if (s != STATUS_OK)
        return classes_fail(out);
    sum_up(out);
    return STATUS_OK;
}
