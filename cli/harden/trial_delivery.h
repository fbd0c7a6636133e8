// SPDX-License-Identifier: BSD-2-Clause
/*
 * trial_delivery.h - does this Postfix deliver a mail by an answer of smtp_tls_policy_maps?
 *
 * A Postfix of its own, in a folder of /tmp with configuration, queue and log, sends one mail to a mail host of ours on
 * loopback, whose certificate is made for it. Nothing leaves the computer. Of the installed configuration only the
 * places of Postfix's programs are read. It takes about two seconds, at most TRIAL_DELIVERY_SECONDS; then all of it is
 * removed. Needs root.
 */
#ifndef ASSAY_CLI_HARDEN_TRIAL_DELIVERY_H
#define ASSAY_CLI_HARDEN_TRIAL_DELIVERY_H

#include "cli/harden/harden_postfix.h"

#define TRIAL_DELIVERY_SECONDS 20

/* answer: as the map gives it for TLS_POLICY_TEST_DOMAIN (outgoing/tls_policy.h). NULL: the mail came, over TLS. Else
 * why not, in Postfix's words where it has some. */
const char *trial_delivery(struct postfix *p, const char *answer);

#endif
