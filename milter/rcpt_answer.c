// SPDX-License-Identifier: BSD-2-Clause
/*
 * rcpt_answer.c - decides whether an MTA is asked to wait for our answer to RCPT.
 *
 * Waiting costs one round trip for each mail. The MTA must wait if the answer may be a refusal: the policy refuses
 * recipients, or `assay doctor` asks its question.
 *
 * Waiting also lets us prefetch DNS. Commands that need no answer stay in the MTA's buffer until it must wait for one
 * (Postfix: until DATA). If it waits at RCPT, we get the envelope early, and look up its names while the client sends
 * the message. This is worth a round trip only if DNS must be asked. If the cache has the answers for nearly all
 * envelopes, new connections do not wait.
 *
 * If the policy changes, a connection keeps what was negotiated. A recipient that should be refused then causes a
 * refusal of the whole mail at its end.
 */
#include "milter/rcpt_answer.h"
#include "base/clock.h"
#include "base/test_message.h"
#include <stdatomic.h>

#define ALL (1 << 16)
#define WINDOW 256         /* length of the moving average, in envelopes */
#define FEW_ASK (ALL / 16) /* our own limit: one envelope in sixteen */

/* The share of the last envelopes that had to ask DNS: a moving average from 0 to ALL. Starts at ALL. */
static atomic_int asking = ALL;

/* Asks the file system at most once in TEST_MESSAGE_NOTICE_MS, not for each connection. */
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

/* If two threads call this at once, one envelope may not be counted. An estimate is enough here. */
void rcpt_answer_learn(bool asks)
{
    const int before = atomic_load_explicit(&asking, memory_order_relaxed);

    atomic_store_explicit(&asking, before + ((asks ? ALL : 0) - before) / WINDOW, memory_order_relaxed);
}
