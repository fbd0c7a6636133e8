// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden_postfix.h - what the two files on Postfix share: a copy of its configuration, on which postconf works.
 */
#ifndef ASSAY_CLI_HARDEN_HARDEN_POSTFIX_H
#define ASSAY_CLI_HARDEN_HARDEN_POSTFIX_H

#include "cli/harden/harden.h"

#define POSTFIX_MAX_EDITS 48
#define POSTFIX_MAX_MILTERS 4096 /* octets of a list of milters or restrictions */

struct postfix {
    struct harden *h;
    char dir[64]; /* the copy */
    const char *original;
    const char *edits[POSTFIX_MAX_EDITS]; /* of main.cf: NAME=VALUE */
    size_t count;
    const char *master[POSTFIX_MAX_EDITS]; /* of master.cf: SERVICE/TYPE/NAME=VALUE */
    size_t master_count;
};

/* postconf's answer to one question without the warnings before it (a parameter set twice); NULL when it failed. */
const char *postfix_ask(struct postfix *p, const char *option, const char *name);

/* Proposes a value. Too many edits are refused. */
void postfix_edit(struct postfix *p, const char *name, const char *value);
void postfix_edit_master(struct postfix *p, const char *name, const char *value);

/* Takes what h->drop and h->drop_policyd name out of every list of milters and restrictions, in main.cf and in
 * master.cf's -o. Returns smtpd_milters as it is after that; NULL: refused. */
const char *postfix_drop(struct postfix *p, const char *socket);

#endif
