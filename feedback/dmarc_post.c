// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_post.c - signs a report's mail and hands it over.
 *
 * Promises that a mail that should be signed is never sent unsigned: a key that cannot be used is a failure to send.
 * The signature (RFC 6376, relaxed/relaxed) makes the mail pass DMARC by itself (RFC 9990 3.5.2). A mail has one
 * recipient, the null sender, and one way: report.smtp if it is set, else report.sendmail.
 */
#include "feedback/dmarc_post.h"
#include "feedback/dmarc_report.h"
#include "feedback/dmarc_send.h"
#include "feedback/reports_config.h"
#include "standards/dkim/dkim_signer.h"
#include "standards/message/header.h"
#include <stdio.h>

#define SIGN_ARENA ((size_t)16 << 20) /* the index of the fields and the signature; the mail itself is not copied */

static enum status post_complain(char *why, enum status st, const char *key_file, const char *text)
{
    snprintf(why, DMARC_POST_WHY, "DKIM: %.110s: %.70s", key_file, text);
    return st;
}

/* Adds to `out` the mail with a DKIM-Signature field before it. STATUS_DENIED: the key cannot be used. */
static enum status sign(const struct ledger_config *c, struct slice mail, struct buf *out, char *why)
{
    const char *error = "out of memory", *field = NULL, *domain = dmarc_domain_of(c->from);
    struct dkim_privkey *key = dkim_privkey_read(c->dkim_key, &error);
    struct arena *arena = arena_new(SIGN_ARENA);
    struct header_list headers;
    struct slice body;

    if (!key || !arena) {
        dkim_privkey_free(key);
        arena_free(arena);
        return post_complain(why, key ? STATUS_NOMEM : STATUS_DENIED, c->dkim_key, error);
    }
    header_list_init(&headers, arena);
    if (header_parse_message(&headers, mail, &body) == STATUS_OK)
        field = dkim_signer_field(arena, &headers, body, key, domain, c->dkim_selector, 0);
    if (field) {
        buf_printf(out, "DKIM-Signature: %s\n", field);
        buf_addslice(out, mail);
    }
    const bool made = field && !out->failed;
    dkim_privkey_free(key);
    arena_free(arena);
    return made ? STATUS_OK : post_complain(why, STATUS_INVALID, c->dkim_key, "the mail could not be signed");
}

enum status dmarc_post(const struct ledger_config *c, const char *to, struct slice mail, bool (*stop)(void), char *why)
{
    struct buf signed_mail = BUF_INIT;
    struct dmarc_smtp smtp = reports_config_smtp(c);
    enum status st = STATUS_OK;
    why[0] = '\0';
    if (c->dkim_key[0]) {
        st = sign(c, mail, &signed_mail, why);
        mail = buf_slice(&signed_mail);
    }
    if (st == STATUS_OK)
        st = smtp.url[0] ? dmarc_smtp(&smtp, to, mail, DMARC_POST_SECONDS, stop, why)
                         : dmarc_send(c->sendmail, mail, DMARC_POST_SECONDS, stop, why);
    buf_release(&signed_mail);
    return st;
}
