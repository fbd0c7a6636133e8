// SPDX-License-Identifier: BSD-2-Clause
/*
 * session_tls.h - what the MTA's words about the session's encryption mean. Pure.
 */
#ifndef ASSAY_JUDGE_SESSION_TLS_H
#define ASSAY_JUDGE_SESSION_TLS_H

#include <stdbool.h>

/* "TLSv1.3" -> 13, "TLSv1" -> 10, "SSLv3" -> 3; NULL or "" -> 0: no TLS. A word that is not known -> 1: encrypted,
 * worse than any. */
unsigned session_tls_version(const char *text);

/* Tells whether it is the name of a version that we know. */
bool session_tls_is_known(const char *text);

/* What is weak in a cipher suite, in words, or NULL. bits: of the cipher, 0 if not known. RFC 7465 (RC4), RFC 9325 4.1
 * (NULL, EXPORT, under 112 bits, single and triple DES, MD5). Anonymous key exchange is no weakness here: between mail
 * servers no name was asked for (RFC 7672 1.3.4). */
const char *session_tls_weakness(const char *cipher, unsigned bits);

#endif
