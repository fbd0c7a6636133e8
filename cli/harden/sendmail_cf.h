// SPDX-License-Identifier: BSD-2-Clause
/*
 * sendmail_cf.h - finds out what a sendmail.cf makes Sendmail do with assay-milter. For `assay harden` and `assay
 * doctor`.
 *
 * It reads what m4 generated, not sendmail.mc: the filter's definition (X line), the filters that are asked and their
 * order (the last O InputMailFilters), and each listener with filters of its own.
 */
#ifndef ASSAY_CLI_HARDEN_SENDMAIL_CF_H
#define ASSAY_CLI_HARDEN_SENDMAIL_CF_H

#include "base/arena.h"
#include "base/slice.h"

struct sendmail_verdict {
    bool defined;        /* there is a filter called assay, or one that is asked at its socket */
    const char *trouble; /* one line; NULL: Sendmail asks us first, on every listener, and waits while we are away */
};

/* socket: where assay-milter listens, as milter.socket has it; NULL: not compared. */
struct sendmail_verdict sendmail_cf_judge(struct arena *a, struct slice cf, const char *socket);

#endif
