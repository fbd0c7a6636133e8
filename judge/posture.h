// SPDX-License-Identifier: BSD-2-Clause
/*
 * posture.h - checks DANE of the sender's domains (RFC 7672), if the policy asks for it. For checks.c and facts.c.
 */
#ifndef ASSAY_JUDGE_POSTURE_H
#define ASSAY_JUDGE_POSTURE_H

#include "judge/checks.h"

/* Asks for the MX set of a sender's domain, if a statement about dane applies to it. NULL is allowed. Never waits. */
void posture_start(struct judge *j, const char *domain);

/* The same for the client's own name. */
void posture_start_client(struct judge *j);

/* Fills facts.dane for MAIL FROM and each author; waits. facts.authors must be there. */
enum status posture_fill(struct judge *j) MUST_CHECK;

#endif
