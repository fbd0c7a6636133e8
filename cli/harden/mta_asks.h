// SPDX-License-Identifier: BSD-2-Clause
/*
 * mta_asks.h - checks that Postfix asks where assay-milter listens. For `assay doctor` and `assay policy check`.
 */
#ifndef ASSAY_CLI_HARDEN_MTA_ASKS_H
#define ASSAY_CLI_HARDEN_MTA_ASKS_H

#include "base/arena.h"
#include "policy/policy.h"

/* Reads smtpd_milters of main.cf and of every service of master.cf (-o). Returns one line for the first entry that is a
 * socket of Assay's but not one where this policy makes assay-milter listen: mail there is deferred. NULL: there is
 * none, or no Postfix. */
const char *mta_asks_elsewhere(struct arena *a, const struct policy *p);

#endif
