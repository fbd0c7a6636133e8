// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_post.c - signs a report's mail and hands it over.
 *
 * Promises that a mail that should be signed is never sent unsigned: a key that cannot be used is a failure to send.
 * A mail has one recipient, the null sender, and one way: report.smtp where it is set, else report.sendmail.
 */
#include "feedback/dmarc_post.h"
#include "feedback/dmarc_report.h"
#include "feedback/dmarc_send.h"
#include "feedback/dmarc_sign.h"

enum status dmarc_post(const struct ledger_config *c, const char *to, struct slice mail, char *why)
{
    struct buf signed_mail = BUF_INIT;
    struct dmarc_smtp smtp = ledger_config_smtp(c);
    enum status st = STATUS_OK;
    why[0] = '\0';
    if (c->dkim_key[0]) {
        st = dmarc_sign(mail, dmarc_domain_of(c->from), c->dkim_selector, c->dkim_key, &signed_mail, why);
        mail = buf_slice(&signed_mail);
    }
    if (st == STATUS_OK)
        st = smtp.url[0] ? dmarc_smtp(&smtp, to, mail, DMARC_POST_SECONDS, why)
                         : dmarc_send(c->sendmail, mail, DMARC_POST_SECONDS, why);
    buf_release(&signed_mail);
    return st;
}
