// SPDX-License-Identifier: BSD-2-Clause
/*
 * outgoing.h - assay-milter's part in mail that goes out: outgoing/tls_policy.h behind outgoing/socketmap.h, where the
 * policy asks for it.
 *
 * Called by the main thread at start and end.
 */
#ifndef ASSAY_MILTER_OUTGOING_H
#define ASSAY_MILTER_OUTGOING_H

#include "milter/daemon.h"

#define OUTGOING_FILE "mta-sts" /* in the state folder: policies of domains we sent to */

/* Opens the socket of `set postfix.tls-policy-socket`, if any. 0, or an exit code after a message on stderr. After DNS,
 * before the first mail. */
int outgoing_open(struct daemon *d, const struct policy *p);

/* Before DNS is closed. */
void outgoing_close(struct daemon *d);

#endif
