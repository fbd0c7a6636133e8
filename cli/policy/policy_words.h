// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_words.h - the standards in plain sentences: what each is, and what each level asks of it. For people who know
 * no abbreviation.
 *
 * All texts are in the language of the command (cli/text.h); none ends with a newline.
 */
#ifndef ASSAY_CLI_POLICY_POLICY_WORDS_H
#define ASSAY_CLI_POLICY_POLICY_WORDS_H

#include "cli/text.h"
#include "policy/policy.h"

/* "DMARC (the visible sender)" */
const char *words_standard(enum standard s);

/* Two sentences: what it protects from, and who has to act. */
const char *words_what_is(enum standard s);

/* What `follow` and `require` ask: "The message must ...". `names`: of the resolver. NULL if the level asks nothing.
 */
const char *words_asks(enum standard s, enum policy_level level, bool names);

/* What is done: "the message is refused", ... */
const char *words_action(enum policy_action a);

#endif
