// SPDX-License-Identifier: BSD-2-Clause
/*
 * bounce.h - whether a message says that it is a notification about another one: a delivery status notification (RFC
 * 3461, 3464) or a disposition notification (RFC 8098). Looks only at the form, which anybody can write. Pure.
 */
#ifndef ASSAY_JUDGE_BOUNCE_H
#define ASSAY_JUDGE_BOUNCE_H

#include "standards/message/header.h"

/* multipart/report with report-type delivery-status or disposition-notification (RFC 6522 3). One Content-Type field:
 * with several, readers see different ones. */
bool bounce_is_notification(const struct header_list *list);

#endif
