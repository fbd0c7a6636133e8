// SPDX-License-Identifier: BSD-2-Clause
/*
 * tls_policy.h - how mail of ours to a domain must be protected: Postfix's question to its smtp_tls_policy_maps,
 * answered by DANE and MTA-STS.
 *
 * DANE (RFC 7672) first: a domain with a DNSSEC-secure MX set and secure, usable TLSA records at any of its hosts is
 * answered `dane`, and what its MTA-STS policy says is not asked (RFC 8461 section 2 forbids to override DANE by it).
 * Where DANE cannot be found out now the answer is to try later: never MTA-STS instead. Only a domain without DANE gets
 * `secure` with the names of its MTA-STS policy in mode enforce (RFC 8461), fetched by HTTPS (net/https.h) or
 * remembered; everything else is not found, and Postfix does what main.cf says. An MX set that is not DNSSEC-secure is
 * nobody's word: whoever forges it can show TLSA records of his own. So there an enforced policy decides, and the
 * hosts' TLSA records only where there is none.
 *
 * Any number of threads may ask at once; each waits for its own look-ups only, and for a fetch only where it needs that
 * policy. A policy once fetched holds to its end, whatever happens to its TXT record or web server; it is fetched again
 * when the record's id changes, and once a day by a thread of this file. Policies are kept over a restart.
 */
#ifndef ASSAY_OUTGOING_TLS_POLICY_H
#define ASSAY_OUTGOING_TLS_POLICY_H

#include "base/buf.h"
#include "dns/dns.h"

#define TLS_POLICY_FETCHES 32 /* under way at once; more questions that need one are told to come later */
#define TLS_POLICY_RETRY 300  /* seconds after a failed fetch (RFC 8461 3.3 advises five minutes), doubled up to ... */
#define TLS_POLICY_RETRY_MAX 21600
#define TLS_POLICY_REFRESH 86400 /* seconds after which a policy that holds is fetched again */
#define TLS_POLICY_LOOKUP_SECONDS 20

struct tls_policy_config {
    struct dns *dns;
    const char *file;    /* where policies are kept; NULL: in memory only */
    const char *ca_file; /* authorities' certificates; NULL: the system's */
    unsigned port;       /* of policy hosts; 0: 443 */
    unsigned fetch_ms;   /* longest fetch; 0: HTTPS_TOTAL_MS */
    unsigned tick_ms;    /* how often the file is written where needed; 0: 5,000 */
    bool allow_special;  /* tests only: policy hosts may be on loopback */
    void (*note)(void *context, const char *domain,
                 const char *what); /* a policy that could not be fetched, a file not written; NULL: nobody */
    void *context;
};

struct tls_policy;

/* Reads the file and starts the thread: never before a fork. https_begin() must have been called. A file that cannot
 * be read is said by `note`. NULL: out of memory or threads. */
struct tls_policy *tls_policy_new(const struct tls_policy_config *config);

/* Writes the file and ends the thread (a fetch under way is waited for). Nobody may be asking. NULL is fine; returns
 * NULL. */
struct tls_policy *tls_policy_free(struct tls_policy *o);

enum tls_policy_answer {
    TLS_POLICY_FOUND,     /* text: the policy, as smtp_tls_policy_maps has it */
    TLS_POLICY_NOT_FOUND, /* text: empty */
    TLS_POLICY_LATER,     /* text: why */
};

/* key: the next hop as Postfix asks for it: "example.com", also with ":25" or ":smtp". Hosts in brackets, other
 * ports, addresses and ".example.com" are not found: a policy speaks of mail to the domain by its MX hosts only.
 * Waits; any thread. */
enum tls_policy_answer tls_policy_ask(struct tls_policy *o, const char *key, struct buf *text);

#endif
