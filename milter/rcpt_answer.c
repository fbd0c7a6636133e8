// SPDX-License-Identifier: BSD-2-Clause
/*
 * rcpt_answer.c - decides whether an MTA is asked to wait for our answer to RCPT.
 *
 * The answer costs both sides a round trip for each mail, and is needed where it may be a refusal: by the policy, or to
 * the question of `assay doctor`. Its other use is the prefetch of DNS. An MTA sends the commands that need no answer
 * only when it has to wait for one, or hands the mail on (Postfix keeps them in its buffer until DATA), and while it
 * then waits for the client's message we look up what the envelope needs. An earlier start is worth a round trip only
 * where DNS has to be asked: when the cache has the answers for nearly all envelopes, new connections need not wait.
 *
 * A connection keeps what was negotiated when the policy changes. What would have been refused at RCPT is then refused
 * at the end of the mail.
 */
#include "milter/rcpt_answer.h"
#include "base/clock.h"
#include "base/test_message.h"
#include <stdatomic.h>

#define ALL (1 << 16)
#define WINDOW 256         /* envelopes that the average speaks of */
#define FEW_ASK (ALL / 16) /* our own limit: fewer than one in sixteen has to wait */

/* Of the last envelopes, how many had to ask DNS: a moving average, 0 to ALL. All, until some have been seen. */
static atomic_int asking = ALL;

/* Not asked of the file system for each connection. */
static bool doctor_may_ask(const struct daemon *d)
{
    static _Atomic int64_t looked_ms;
    static atomic_bool offered;
    const int64_t now = clock_mono_ms();

    if (now - atomic_load_explicit(&looked_ms, memory_order_relaxed) >= TEST_MESSAGE_NOTICE_MS) {
        atomic_store(&offered, test_message_is_offered(d->state_dir, clock_wall()));
        atomic_store(&looked_ms, now);
    }
    return atomic_load(&offered);
}

bool rcpt_answer_is_needed(const struct daemon *d)
{
    const struct policy *p;
    bool decides;

    if (atomic_load_explicit(&asking, memory_order_relaxed) >= FEW_ASK)
        return true;
    p = policy_live_get(d->policy);
    decides = policy_decides_at_rcpt(p);
    policy_unref(p);
    return decides || doctor_may_ask(d);
}

/* Of two threads at once one may not be counted: it is an estimate. */
void rcpt_answer_learn(bool asks)
{
    const int before = atomic_load_explicit(&asking, memory_order_relaxed);

    atomic_store_explicit(&asking, before + ((asks ? ALL : 0) - before) / WINDOW, memory_order_relaxed);
}
