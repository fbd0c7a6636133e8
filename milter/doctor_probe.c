// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_probe.c - handles the test message of `assay doctor`.
 *
 * Order: the question proves that doctor can read a file that only root and we can read. Our answer proves the same
 * about us, so that doctor sends the message only to a milter that will drop it. The message is judged like any other,
 * by the same engines and the same policy, but nothing about it is recorded. Failure: no receipt is written; the
 * message is dropped all the same.
 */
#include "milter/doctor_probe.h"
#include "base/clock.h"
#include "base/test_message.h"
#include "milter/log.h"
#include "policy/policy_live.h"
#include <stdio.h>

bool doctor_probe_is_question(struct daemon *d, struct session *s, const char *path, char words[DOCTOR_PROBE_WORDS],
                              struct reply *out)
{
    struct test_message m;
    const struct policy *p;
    const char *ask;

    if (!test_message_is_question(path, &ask) || test_message_read(d->state_dir, clock_wall(), &m) != STATUS_OK ||
        strncmp(ask, m.ask, TEST_MESSAGE_SECRET) != 0)
        return false;
    p = policy_live_get(d->policy);
    snprintf(words, DOCTOR_PROBE_WORDS, "assay-milter %s is here: %s policy %s", ASSAY_VERSION, m.answer,
             policy_hash(p));
    policy_unref(p);
    *out = (struct reply){.code = "550", .enhanced = "5.7.0", .lines = {words}, .count = 1};
    s->tester = true;
    return true;
}

void doctor_probe_begins(struct session *s, const char *path)
{
    s->testing = s->tester && (strcmp(path, "<>") == 0 || !*path);
}

bool doctor_probe_rcpt(struct session *s, const char *path)
{
    return mail_add_rcpt(judge_mail(s->judge), judge_arena(s->judge), path) == STATUS_OK &&
           judge_envelope(s->judge) == STATUS_OK;
}

bool doctor_probe_end(struct daemon *d, struct session *s)
{
    const struct judge_mail *m = judge_mail(s->judge);
    const struct classes *c = NULL;
    struct test_message secrets;
    struct test_receipt r = {.fields = m->headers.count, .octets = m->body_octets};

    enum status status = judge_end(s->judge);

    if (status == STATUS_AGAIN && judge_waits(s->judge))
        return false;
    s->tester = false; /* one message for one question */
    if (status != STATUS_OK || judge_verdicts(s->judge, NULL, &c) != STATUS_OK || c->count == 0 ||
        test_message_read(d->state_dir, clock_wall(), &secrets) != STATUS_OK)
        return true;
    r.ms = clock_mono_ms() - s->began_ms;
    snprintf(r.policy, sizeof r.policy, "%s", policy_hash(judge_policy(s->judge)));
    snprintf(r.would, sizeof r.would, "%s", policy_action_name(c->list[0].verdict.would));
    if (test_receipt_write(d->state_dir, &secrets, &r) != STATUS_OK)
        log_complain(LOG_ACTION, "the receipt of a test message cannot be written to %s", d->state_dir);
    return true;
}
