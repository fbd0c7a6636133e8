// SPDX-License-Identifier: BSD-2-Clause
/*
 * dane_posture.h - finds out whether mail to a domain is protected against redirection and reading (DANE for SMTP, RFC
 * 7672).
 *
 * It checks what is published, not what is served: MX, addresses and TLSA with the DNSSEC state of each, as a sending
 * server with DANE would look at them. That the certificate served matches is another question (a probe answers it),
 * and nothing here makes a connection.
 *
 * dane_start() when the domain is known, dane_check() when the finding is needed; look-ups of all MX hosts run in
 * parallel. At most 1 + 4 for each of ten MX hosts. Everything in a finding lives in the arena. Any thread; a scope
 * belongs to one thread at a time.
 */
#ifndef ASSAY_STANDARDS_DANE_DANE_POSTURE_H
#define ASSAY_STANDARDS_DANE_DANE_POSTURE_H

#include "base/standard.h"
#include "standards/dane/dane_tlsa.h"

#define LIMIT_DANE_HOSTS 10 /* MX hosts looked at, the most preferred first; our own limit */

/* Of the whole domain. In brackets the result it stands for. */
enum dane_state {
    DANE_PROTECTED,   /* [pass] a secure MX set, and each host has secure, usable TLSA records */
    DANE_PARTIAL,     /* [neutral] some MX hosts have them, others not */
    DANE_INSECURE_MX, /* [neutral] hosts have them, but who the hosts are can be forged (RFC 7672 2.2.1) */
    DANE_UNUSABLE,    /* [permerror] records, but none that mail can use: encrypted at most, not authenticated (2.2) */
    DANE_NONE,        /* [none] no secure records, or no host to send to */
    DANE_NO_MAIL,     /* [none] a null MX: the domain takes no mail (RFC 7505) */
    DANE_BROKEN,      /* [fail] bogus answers, or [temperror] TLSA look-ups that fail: senders with DANE cannot send
                         here at all (2.1.2, 2.2) */
    DANE_UNKNOWN,     /* [temperror] could not tell: other look-ups failed, or our budget ended */
};

enum dane_host_state {
    DANE_HOST_PROTECTED,
    DANE_HOST_UNUSABLE,
    DANE_HOST_NONE,       /* no TLSA records, though its zone is signed */
    DANE_HOST_INSECURE,   /* its addresses or its TLSA records are not DNSSEC-secure */
    DANE_HOST_NO_ADDRESS, /* no address to connect to; does not count */
    DANE_HOST_BROKEN,     /* bogus, or a TLSA look-up that fails */
    DANE_HOST_UNKNOWN,
};

struct dane_host {
    const char *name; /* canonical */
    uint16_t preference;
    enum dane_host_state state;
    const char *reason; /* never NULL */
    bool v4, v6;        /* kinds of address it has */
    const char *base;   /* the TLSA base domain whose records count: `name`, or the end of its secure CNAME chain;
                           NULL: none */
    struct dane_records records;
    enum dns_security address_security, tlsa_security;
    bool bogus;
};

struct dane_posture {
    enum dane_state state;
    enum result result;
    const char *domain;
    const char *reason; /* never NULL */
    enum dns_security mx_security;
    enum dns_security security; /* of the weakest answer consulted */
    bool implicit_mx;           /* no MX record: the domain itself is the host (RFC 5321 5.1) */
    size_t mx_count;            /* MX records found */
    struct dane_host *hosts;    /* the first ten by preference, each name once */
    size_t host_count;
};

void dane_start(struct dns_scope *scope, const char *domain);

/* domain: canonical. STATUS_NOMEM: *out is DANE_UNKNOWN. Else STATUS_OK. */
enum status dane_check(struct dns_scope *scope, struct arena *arena, const char *domain,
                       struct dane_posture *out) MUST_CHECK;

/* "protected", "partial", "insecure-mx", "unusable", "none", "no-mail", "broken", "unknown". */
const char *dane_state_name(enum dane_state s);
const char *dane_host_state_name(enum dane_host_state s);

#endif
