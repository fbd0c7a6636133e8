// SPDX-License-Identifier: BSD-2-Clause
/*
 * verify_guess.c - what `assay verify` was not known, taken from the saved message: the client and its HELO from the
 * topmost Received field that tells an address that is no loopback (our own MTA's), the MAIL FROM from Return-Path (RFC
 * 5321 4.4).
 *
 * These fields are only worth something in a message that our own MTA delivered; the output says that they were used.
 * Failure: STATUS_NOMEM. What cannot be read is left unknown: address-based standards then say so.
 */
#include "cli/verify/verify.h"
#include "judge/relay.h"

#define RECEIVED_MAX 50

static enum status guess_client(struct judge *j, const struct verify_options *o, struct verify_guess *out)
{
    struct judge_mail *m = judge_mail(j);
    const struct header_field *f;

    for (unsigned i = 1; i <= RECEIVED_MAX && (f = header_find(&m->headers, "Received", i)) != NULL; i++) {
        struct relay_hop hop;
        char *helo;
        if (relay_read(f->value, &hop) != STATUS_OK || ip_is_loopback(&hop.client))
            continue;
        m->peer = m->client = hop.client;
        out->ip = true;
        if (o->helo || hop.helo.n == 0)
            return STATUS_OK;
        helo = arena_copy(judge_arena(j), hop.helo.p, hop.helo.n);
        out->helo = true;
        return helo ? mail_set_helo(m, judge_arena(j), helo) : STATUS_NOMEM;
    }
    return STATUS_OK;
}

enum status verify_guess(struct judge *j, const struct verify_options *o, struct verify_guess *out)
{
    struct judge_mail *m = judge_mail(j);
    const struct header_field *path = o->from ? NULL : header_find(&m->headers, "Return-Path", 1);
    enum status s = STATUS_OK;

    *out = (struct verify_guess){0};
    if (!o->ip)
        s = guess_client(j, o, out);
    if (path && s == STATUS_OK) {
        struct slice text = slice_trim(path->value);
        char *copy = arena_copy(judge_arena(j), text.p, text.n);
        out->from = true;
        s = copy ? mail_set_from(m, judge_arena(j), copy, true) : STATUS_NOMEM;
    }
    return s;
}
