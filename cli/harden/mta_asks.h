// SPDX-License-Identifier: BSD-2-Clause
/*
 * mta_asks.h - lists the sockets of Assay's that Postfix asks, and where each of them is answered. For `assay doctor`,
 * `assay harden` and `assay policy check`.
 */
#ifndef ASSAY_CLI_HARDEN_MTA_ASKS_H
#define ASSAY_CLI_HARDEN_MTA_ASKS_H

#include "base/arena.h"
#include "cli/harden/postfix_service.h"
#include "policy/policy.h"

enum mta_asks_of {
    MTA_ASKS_MILTER,     /* smtpd_milters, non_smtpd_milters: assay-milter answers */
    MTA_ASKS_TLS_POLICY, /* smtp_tls_policy_maps: assay-outgoing answers */
};

#define MTA_ASKS_MOST 64 /* entries; what is beyond them is not looked at */

struct mta_ask {
    const char *where;   /* "smtpd_milters of main.cf", "smtpd_milters of submission/inet (master.cf)" */
    const char *entry;   /* the socket, as Postfix writes it */
    const char *socket;  /* the one of ours that this is, as the policy writes it; NULL: none */
    const char *service; /* whose chroot counts: "smtp/inet" */
    bool is_own;         /* not main.cf's as it stands there: the service's line of master.cf sets some of it (-o) */
    /* Of a milter's: what holds for this entry, its own settings, else the service's, else main.cf's. */
    const char *action, *protocol;
};

/* The sockets that this policy makes the programs answer at: the policy's own and the one that `assay harden` told the
 * MTA. Either may be NULL. */
void mta_asks_sockets(const struct policy *p, enum mta_asks_of of, const char *sockets[2]);

/* Reads the lists of main.cf, and of each service of master.cf that uses another, or uses it in another way (-o, also
 * by a $name). Takes an entry for ours only if it is one of these sockets, or is plainly Assay's: a unix socket in a
 * folder of that name, a socketmap called assay. Returns their number. The text is the
 * arena's. */
size_t mta_asks(struct postfix *p, const struct policy *policy, enum mta_asks_of of, struct mta_ask out[MTA_ASKS_MOST]);

/* Tells whether one of them is that socket of ours, whatever the policy says. */
bool mta_asks_socket(struct postfix *p, enum mta_asks_of of, const char *socket);

/* Tells whether an entry of smtpd_milters, as this service reads it, is this socket of ours. */
bool mta_asks_entry(struct postfix *p, const char *service, struct slice entry, const char *socket);

/* Tells whether a service of smtpd asks assay-milter, at a socket that it answers at; else its mail is not judged. */
bool mta_asks_at(struct postfix *p, const struct postfix_service *service, const struct policy *policy);

/* One line for the first of them that nobody answers by this policy: mail waits. NULL: there is none. */
const char *mta_asks_elsewhere(struct postfix *p, const struct policy *policy, enum mta_asks_of of);

#endif
