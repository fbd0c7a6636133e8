// SPDX-License-Identifier: BSD-2-Clause
/*
 * limits.h - the limits on input from outside that more than one folder needs, each with its source.
 *
 * Limits that only one folder needs are in its own headers. Input over a limit gets a clear permanent or temporary
 * error, never a crash.
 *
 * A limit of ours fails closed: what could not be judged because of it is never `none` and never a
 * pass. An engine that stops at a limit says in its finding which kind it is; only judge/verdict_ruling.c decides what
 * follows.
 */
#ifndef ASSAY_BASE_LIMITS_H
#define ASSAY_BASE_LIMITS_H

/* Which kind of limit kept us from finding something out. The greater value outweighs the other: if the message itself
 * is too large, a later attempt will not help. */
enum limit_kind {
    LIMIT_NOT_REACHED,
    LIMIT_OF_MOMENT,  /* load, or a client's budget: a later attempt may succeed. 451 4.4.3 */
    LIMIT_OF_COST,    /* of the moment once, since caches may be cold: met again for long enough, it is the message's */
    LIMIT_OF_MESSAGE, /* the same message meets it every time: a failure, whose reply names the limit */
};

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

/* DNS: look-ups of one scope that does not belong to a message, names in one answer, and the time allowed. */
#define LIMIT_DNS_LOOKUPS 60
#define LIMIT_DNS_RDATA 65535
#define LIMIT_DNS_RRS 512
#define LIMIT_DNS_SECONDS 5
#define LIMIT_MESSAGE_SECONDS 20

/* DNS: questions of one message, by purpose (dns.h), so that none can use up another's. DMARC: the eight names of a
 * walk (RFC 9989 4.10) for each of 16 domains of From. SPF: for MAIL FROM and for HELO the record, ten terms of ten
 * hosts, the reverse name with its ten names, and the explanation (RFC 7208 4.6.4, 6.2). */
#define LIMIT_DNS_DMARC (16 * 8)
#define LIMIT_DNS_KEYS 16
#define LIMIT_DNS_SPF (2 * (1 + 10 + 10 * 10 + 1 + 10 + 1))
#define LIMIT_DNS_REST 60 /* reverse names, MX and TLSA of the sender, keys of ARC */
#define LIMIT_DNS_MESSAGE (LIMIT_DNS_DMARC + LIMIT_DNS_KEYS + LIMIT_DNS_SPF + LIMIT_DNS_REST)

/* DNS: packets that the look-ups of one message may send, and one of them (a chain of CNAME records into a signed zone
 * that nothing is known of needs some 25). Each look-up holds its own limit until it is answered, then it is charged
 * what it sent (dns_loop.h). SPF's greatest record (RFC 7208 4.6.4: 111 look-ups) fits. */
#define LIMIT_DNS_WIRE 150
#define LIMIT_DNS_WIRE_LOOKUP 30
#define LIMIT_DNS_WIRE_LEAST 6     /* what a name in a known zone may send; with fewer packets left none begins */
#define LIMIT_DNS_WIRE_RESERVED 30 /* of these, reserved for DMARC and keys until they have asked */
#define LIMIT_DNS_WIRE_WALK 8      /* of these, kept on when they have: a walk for the name that SPF passes for */

/* Memory one message may use in its arena. The body is never kept, only hashed. */
#define LIMIT_MESSAGE_ARENA (32u * 1024 * 1024)

#endif
