// SPDX-License-Identifier: BSD-2-Clause
/*
 * recipient.h - a recipient as given at RCPT, in the forms that `writing to` may mean it by.
 *
 * The local part is matched without regard to ASCII case, as given, without a BATV tag (draft-levine-smtp-batv:
 * prvs=TAG=user), and without +detail (RFC 5233). Quotes that are not needed are taken away (RFC 5321 4.1.2).
 */
#ifndef ASSAY_POLICY_RECIPIENT_H
#define ASSAY_POLICY_RECIPIENT_H

#include "base/limits.h"
#include "policy/keyset.h"

struct recipient {
    char domain[LIMIT_DOMAIN + 1];
    char forms[3][KEYSET_KEY_MAX + 1]; /* local@domain, the most exact first; no two the same */
    size_t form_count;                 /* 0: the local part is longer than any a policy can name */
};

/* false: no domain in it (a bare local part, an address literal). forms false: only the domain is wanted. Takes no
 * memory for ASCII domains. */
bool recipient_parse(const char *rcpt, bool forms, struct recipient *out);

#endif
