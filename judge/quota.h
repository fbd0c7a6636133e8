// SPDX-License-Identifier: BSD-2-Clause
/*
 * quota.h - how much DNS one client network may cost (design section 4).
 *
 * A sender chooses the names that his mail makes us ask for. Beyond its cap a network's mail is judged by what the
 * cache knows: what is not there is a temporary failure, which never turns a failure into a pass, and which only mail
 * of that network suffers from. Networks are /24 and /56. Counted are questions that no cache answered, by a leak of
 * `per_minute` a minute; no more than that is held up.
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

/* Whether the client's network may ask more now. per_minute 0: no cap. now: clock_mono_ms(). NULL and family 0: yes. */
bool quota_allows(struct quota *q, const struct ip *client, unsigned per_minute, int64_t now);

/* Adds what a message of that client cost. */
void quota_charge(struct quota *q, const struct ip *client, unsigned questions, unsigned per_minute, int64_t now);

#endif
