// SPDX-License-Identifier: BSD-2-Clause
/*
 * quota.h - limits how many DNS questions one client network may cause.
 *
 * A sender chooses the names that we look up for his mail. Each question that no cache answers is charged to the
 * client's network (/24, /56) before it is sent. The account is a leaky bucket of `per_minute` questions that leaks as
 * many per minute; when it is full, the question is not sent. That is a limit of the moment (base/limits.h): the mail
 * is deferred if the answer was needed. The DNS source also limits the questions that are open at one time
 * (dns/dns_share.h).
 *
 * Holds at most 8,192 networks; when there are more, those that cost least are dropped. Any thread.
 */
#ifndef ASSAY_JUDGE_QUOTA_H
#define ASSAY_JUDGE_QUOTA_H

#include "base/ip.h"
#include <stdbool.h>
#include <stdint.h>

struct quota;

struct quota *quota_new(void);
struct quota *quota_free(struct quota *q); /* NULL is allowed; returns NULL */

/* Charges questions to the client's network; false: it has reached its limit, and nothing is charged. per_minute 0: no
 * limit. now: clock_mono_ms(). NULL and family 0: true. */
bool quota_take(struct quota *q, const struct ip *client, unsigned questions, unsigned per_minute, int64_t now);

#endif
