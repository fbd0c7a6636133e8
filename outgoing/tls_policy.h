// SPDX-License-Identifier: BSD-2-Clause
/*
 * tls_policy.h - how mail of ours to a domain must be protected: Postfix's question to its smtp_tls_policy_maps,
 * answered by DANE and MTA-STS.
 *
 * DANE first (RFC 7672), for a domain whose MX set is DNSSEC-secure. A host whose look-ups fail or are bogus counts as
 * unreachable (2.1.2): the others are used, and only if none is left is the answer to try later. If every host that is
 * left has secure, usable TLSA records the answer is `dane`, and the domain's MTA-STS policy is not asked.
 *
 * MTA-STS (RFC 8461) for what DANE does not protect: an enforced policy is answered as `secure` with the exact names of
 * the mail hosts that match it (4.1). If some hosts have TLSA records and others do not, and there is an enforced
 * policy, the answer is `dane-only`, so that no host is used that neither protects; at least one host with TLSA records
 * must match the policy, else it is to try later. Everything else is not found, and Postfix does what main.cf says.
 *
 * An MX set that is not DNSSEC-secure can be forged, and so can the TLSA records that a forger chooses. There an
 * enforced policy decides, and the hosts' TLSA records only if there is none.
 *
 * Any number of threads may ask at once. A domain's first policy is waited for, at most TLS_POLICY_WAIT_MS. A policy
 * once fetched holds to its end, whatever happens to its TXT record or web server; it is fetched again when the
 * record's id changes, and once a day by a thread of this file. Policies are kept across a restart.
 */
#ifndef ASSAY_OUTGOING_TLS_POLICY_H
#define ASSAY_OUTGOING_TLS_POLICY_H

#include "base/buf.h"
#include "dns/dns.h"
#include <stdbool.h>

#define TLS_POLICY_WAIT_MS 15000  /* for a fetch; Postfix waits 100 s for a socketmap */
#define TLS_POLICY_FETCH_MS 14000 /* longest fetch: one that begins at once fails, or not, before the wait ends */
#define TLS_POLICY_RETRY_OURS 30  /* seconds after a fetch that failed by our own fault */
#define TLS_POLICY_RETRY 300 /* seconds after a failed fetch (RFC 8461 3.3 advises five minutes), doubled up to ... */
#define TLS_POLICY_RETRY_MAX 21600 /* ... these seconds; our own limit */
#define TLS_POLICY_REFRESH 86400   /* seconds after which a policy that holds is fetched again */
#define TLS_POLICY_LOOKUP_SECONDS 20

struct tls_policy_config {
    struct dns *dns;
    const char *file;    /* where policies are kept; NULL: in memory only */
    const char *ca_file; /* authorities' certificates; NULL: the system's */
    unsigned port;       /* of policy hosts; 0: 443 */
    unsigned fetch_ms;   /* longest fetch; 0: TLS_POLICY_FETCH_MS */
    unsigned tick_ms;    /* how often the file is written where needed; 0: 5,000 */
    unsigned wait_ms;    /* longest wait for a fetch; 0: TLS_POLICY_WAIT_MS */
    size_t queue;        /* tests only: policies that may wait to be fetched; 0: STS_FETCH_QUEUE */
    bool allow_special;  /* tests only: policy hosts may be on loopback */
    bool read_only;      /* the file is read, never written, and nothing is refreshed */
    bool no_fetch;       /* what is not in the file is not fetched */
    void (*note)(void *context, const char *domain,
                 const char *what); /* a policy that could not be fetched, a file not written; NULL: nobody */
    void *context;
};

struct tls_policy;

/* Reads the file and starts the thread: never before a fork. https_begin() must have been called. A file that cannot
 * be read is said by `note`. NULL: out of memory or threads. */
struct tls_policy *tls_policy_new(const struct tls_policy_config *config);

/* Writes the file and ends the thread (a fetch under way is waited for). Nobody may be asking. NULL is allowed; returns
 * NULL. */
struct tls_policy *tls_policy_free(struct tls_policy *o);

enum tls_policy_answer {
    TLS_POLICY_FOUND,     /* text: the policy, as smtp_tls_policy_maps has it */
    TLS_POLICY_NOT_FOUND, /* text: empty */
    TLS_POLICY_LATER,     /* text: why */
    TLS_POLICY_WAITS,     /* only with at_once: the answer must be waited for */
};

/* A domain that cannot be (RFC 6761 6.4): with `attributes` it is answered as one whose policy is enforced, so that a
 * Postfix can be tried with such an answer (`assay harden`). */
#define TLS_POLICY_TEST_DOMAIN "assay-test.invalid"
#define TLS_POLICY_TEST_HOST "mx.assay-test.invalid"

struct tls_policy_question {
    /* The next hop as Postfix asks for it: "example.com", also with ":25" or ":smtp". Hosts in brackets, other ports,
     * addresses and ".example.com" are not found: a policy speaks of mail to the domain by its MX hosts only. */
    const char *key;
    bool attributes; /* add what Postfix 3.10 and later understand, and no older one */
    bool at_once;    /* do not wait: for a caller that has something else to do first, and then asks again */
    /* Told each step of the answer, in words; NULL: nobody. Called by the asking thread. */
    void (*step)(void *context, const char *words);
    void *context;
};

/* Waits, unless at_once is set; any thread. */
enum tls_policy_answer tls_policy_ask(struct tls_policy *o, const struct tls_policy_question *q, struct buf *text);

#endif
