// SPDX-License-Identifier: BSD-2-Clause
/*
 * secret.h - passwords in addresses (SCHEME://USER:PASSWORD@HOST, and password=... of a database's) are not shown.
 *
 * Where it is not clear what is the password (a database's address with an unescaped '/' or blank in it), rather more
 * is hidden than less. Pure; nothing fails but for memory.
 */
#ifndef ASSAY_BASE_SECRET_H
#define ASSAY_BASE_SECRET_H

#include "base/buf.h"

/* A password in the text from octet `from` on: *start to *end. false: there is none. */
bool secret_find(struct slice text, size_t from, size_t *start, size_t *end);

/* Appends the text; each password becomes eight asterisks, so that its length is not shown either. */
void secret_add(struct buf *out, struct slice text);

/* Appends the text as it may stand in a log: its passwords hidden as above, on one line, and nothing in it that a
 * terminal obeys. A backslash stays as it is, since words of ours may be escaped already. */
void secret_add_line(struct buf *out, struct slice text);

/* The text with an asterisk for each octet of a password, so that all places in it stay the same. Returns whether there
 * was one. */
bool secret_blank(char *text, size_t n);

#endif
