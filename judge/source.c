// SPDX-License-Identifier: BSD-2-Clause
/*
 * source.c - the names of the sources of mail, and which of them are judged.
 *
 * Promises: constant answers. Failure: a value out of range is "?".
 */
#include "judge/facts.h"

const char *judge_source_name(enum judge_source s)
{
    static const char *const names[] = {"internet", "relay", "own-network", "submission", "local", "fleet"};
    return s <= JUDGE_FLEET ? names[s] : "?";
}

bool judge_source_is_judged(enum judge_source s)
{
    return s == JUDGE_INTERNET || s == JUDGE_RELAY;
}
