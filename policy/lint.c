// SPDX-License-Identifier: BSD-2-Clause
/*
 * lint.c - doubts about a policy that can be read.
 */
#include "policy/load.h"

void lint(struct policy *p, struct policy_report *r, time_t now)
{
}
