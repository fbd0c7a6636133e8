// SPDX-License-Identifier: BSD-2-Clause
/*
 * sts_answer.h - an enforced MTA-STS policy in the words of Postfix's smtp_tls_policy_maps.
 *
 * This file finds out which mail hosts match the policy (RFC 8461 4.1), by exact names: Postfix before 3.10.5 would
 * take any certificate that fits a pattern at any host that DNS names, and its ".example.com" stands for any number of
 * labels. Pure; any thread.
 */
#ifndef ASSAY_OUTGOING_STS_ANSWER_H
#define ASSAY_OUTGOING_STS_ANSWER_H

#include "base/buf.h"
#include <time.h>

struct sts_answer {
    const char *domain;
    const char *patterns;     /* the policy's mx, a blank between */
    const char *const *hosts; /* the domain's mail hosts, canonical names */
    size_t host_count;
    time_t max_age;
    bool attributes; /* for Postfix 3.10 and later: what its TLSRPT_README calls additional attributes */
};

/* Tells whether a host matches one of the patterns. */
bool sts_answer_matches(const char *patterns, const char *host);

/* "secure match=mx1.example:mx2.example servername=hostname", with the hosts that match, each once. False: none does,
 * and nothing is written. */
bool sts_answer_print(const struct sts_answer *a, struct buf *out);

/* The same with the policy's own patterns in Postfix's form, for a domain whose hosts are not known. */
void sts_answer_print_patterns(const struct sts_answer *a, struct buf *out);

/* For attributes only, if no host matches: an answer by which Postfix 3.10 delivers nowhere and reports the failure by
 * TLSRPT. */
void sts_answer_print_failure(const struct sts_answer *a, struct buf *out);

#endif
