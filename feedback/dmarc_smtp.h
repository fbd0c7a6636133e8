// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_smtp.h - a report's mail handed to a mail server by SMTP (RFC 5321), with TLS (RFC 3207, RFC 8314) and a
 * password (RFC 4954) where they are set.
 *
 * For hosts without a mail command of their own: a container, or a ledger that stands apart from the mail servers. The
 * sender is the null one (`MAIL FROM:<>`), so that nothing comes back to be reported on.
 *
 * Threads: one; each call blocks, for no longer than `seconds`, nor than DMARC_SMTP_STOP_MS once stop (may be NULL)
 * returns true.
 */
#ifndef ASSAY_FEEDBACK_DMARC_SMTP_H
#define ASSAY_FEEDBACK_DMARC_SMTP_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

#define DMARC_SMTP_STOP_MS 2000
#define DMARC_SMTP_LOGIN 1024 /* octets of the file with user and password */

struct dmarc_smtp {
    const char *url;     /* smtp://HOST[:PORT], or smtps:// for TLS from the first octet */
    bool opportunistic;  /* smtp:// only: TLS where the server offers it, and no certificate is looked at. Else TLS with
                            a valid certificate for HOST, or no mail */
    const char *ca_file; /* authorities, PEM; "": the system's */
    const char *login;   /* file: the user on its first line, the password on its second; "": no AUTH */
};

/* Tells whether the four fit each other; else why (at most 200 octets, static) says what does not. No file is read. */
bool dmarc_smtp_is_usable(const struct dmarc_smtp *s, const char **why);

/* Hands over a mail with LF line ends. STATUS_OK: the server took it. STATUS_AGAIN: it did not, could not be reached
 * or is not who it should be. STATUS_MISSING: it says that there is no such address (a reply to RCPT: RFC 3463 X.1,
 * X.2 or X.4; or 550, 551, 553 without such a code). STATUS_LIMIT: it will not take this mail to this address now,
 * or at all. STATUS_DENIED: the login file cannot be read, is open to everybody, or has no two lines. why: 200
 * octets, words for the log with the server's last answer; "" for STATUS_OK. The password is in none. */
enum status dmarc_smtp(const struct dmarc_smtp *s, const char *to, struct slice mail, unsigned seconds,
                       bool (*stop)(void), char *why) MUST_CHECK;

#endif
