// SPDX-License-Identifier: BSD-2-Clause
/*
 * limits.h - every bound on what comes from outside that more than one room needs, with its source.
 *
 * A room's own bounds stand in its own header. Over a bound there is a clear permanent or temporary error, never a
 * crash.
 */
#ifndef ASSAY_BASE_LIMITS_H
#define ASSAY_BASE_LIMITS_H

/* Domain names: RFC 1035 2.3.4 (255 octets on the wire are 253 in text, without the final dot). */
#define LIMIT_DOMAIN 253
#define LIMIT_LABEL 63

/* Paths in SMTP: RFC 5321 4.5.3.1.1 to .3 (local part 64; path 256 with its angle brackets). SMTPUTF8 may need more
 * octets. */
#define LIMIT_LOCAL_PART 64
#define LIMIT_ADDRESS 1024
#define LIMIT_HELO 1024

/* Header section of a message: own bounds. Postfix stops at 102,400 octets by default; Sendmail at 32,768 a field. */
#define LIMIT_HEADER_BYTES (1024 * 1024)
#define LIMIT_HEADER_FIELDS 2000
#define LIMIT_HEADER_FIELD (256 * 1024)

/* Recipients of one message the judge keeps (RFC 5321 4.5.3.1.8 asks for at least 100). */
#define LIMIT_RECIPIENTS 10000

/* DNS: look-ups one message may cost, names a single answer may hold, and the time allowed. Design section 4. */
#define LIMIT_DNS_LOOKUPS 60
#define LIMIT_DNS_RDATA 65535
#define LIMIT_DNS_RRS 512
#define LIMIT_DNS_SECONDS 5
#define LIMIT_MESSAGE_SECONDS 20

/* Memory one message may use in its arena. The body is never kept, only hashed. */
#define LIMIT_MESSAGE_ARENA (16u * 1024 * 1024)

#endif
