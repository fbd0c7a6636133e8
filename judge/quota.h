// SPDX-License-Identifier: BSD-2-Clause
/*
 * quota.h - how much DNS one client network may cost (design section 4).
 *
 * A sender chooses the names that his mail makes us ask for. Each question that no cache answered is charged to the
 * client's network (/24, /56) before it goes out; beyond `per_minute`, by a leak of as many a minute, it does not go
 * out. That is a bound of the moment (base/limits.h): the mail is deferred where the answer was needed. What is under
 * way at one time is bounded besides, by the DNS source (dns/dns_share.h).
 *
 * Bounded: 8,192 networks; when more are seen, those that cost least are forgotten. Any thread.
 */
#ifndef ASSAY_JUDGE_QUOTA_H
#define ASSAY_JUDGE_QUOTA_H

#include "base/ip.h"
#include <stdbool.h>
#include <stdint.h>

struct quota;

struct quota *quota_new(void);
struct quota *quota_free(struct quota *q); /* NULL is fine; returns NULL */

/* Charges questions to the client's network; false: it has reached its cap, and nothing is charged. per_minute 0: no
 * cap. now: clock_mono_ms(). NULL and family 0: true. */
bool quota_take(struct quota *q, const struct ip *client, unsigned questions, unsigned per_minute, int64_t now);

#endif
