// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy/limits.h - limits on the policy's files. All are our own: far above what a person writes, far below what does
 * harm.
 */
#ifndef ASSAY_POLICY_LIMITS_H
#define ASSAY_POLICY_LIMITS_H

#include <stdint.h>

#define POLICY_FILE_MAX (16u * 1024 * 1024) /* octets of one policy or included file */
#define POLICY_LINE_MAX 16384u              /* octets of one line of it */
#define POLICY_TOKENS_MAX 4096u             /* words of one statement */
#define POLICY_STATEMENTS_MAX 4000000u      /* in all files */
#define POLICY_INCLUDE_DEPTH 8u             /* includes within includes */
#define POLICY_FILES_MAX 400000u            /* files included in all */
#define POLICY_LIST_MAX ((size_t)2 << 30)   /* octets of one list's file */
#define POLICY_LIST_LINE_MAX 1024u          /* octets of one line of it */
#define POLICY_TEXT_MAX 500u                /* octets of a string: because, agreed by, ... */
#define POLICY_PEER_TEXT_MAX                                                                                           \
    350u /* text for the peer: a reply line holds 512 (RFC 5321 4.5.3.1.5), less code, name and link */
#define POLICY_MESSAGES_MAX 200u     /* errors and warnings kept of one reading */
#define POLICY_LIST_MESSAGES_MAX 20u /* of one list's file */
#define POLICY_LISTENERS_MAX 64u     /* `listener` statements; an MTA has a handful */
#define POLICY_EXEMPT_DAYS 366       /* a year, whichever day of a leap year it begins */
#define POLICY_SUSPEND_DAYS 7        /* RFC 7646 section 2: short-lived */
#define POLICY_SHRINK_PERCENT 30u    /* a list may lose so much at a reload without force */
/* Octets of one reading; where addresses have 32 bits, a quarter of them. */
#define POLICY_ARENA_MAX ((size_t)(SIZE_MAX > UINT32_MAX ? (uint64_t)4 << 30 : (uint64_t)1 << 30))

#endif
