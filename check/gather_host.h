// SPDX-License-Identifier: BSD-2-Clause
/*
 * gather_host.h - what is asked of one address, of a mail host or of a name server, as lines of facts. Between gather.c
 * and gather_host.c.
 *
 * An address of mail hosts sees at most TLS_PROBE_CONNECTIONS connections for one domain: one for each of its names,
 * and the rest for the TLS it accepts, which is asked once in a run, whatever the address is called.
 */
#ifndef ASSAY_CHECK_GATHER_HOST_H
#define ASSAY_CHECK_GATHER_HOST_H

#include "check/gate.h"
#include "check/gather.h"
#include "standards/dane/dane_tlsa.h"

/* A mail host's name at an address: what depends on it is asked of the address under each name. */
struct gather_name {
    const char *host;
    const struct dane_record *records; /* TLSA of the host; NULL: none */
    size_t record_count;
    const char *key; /* of what is kept for the run (kept.h) */
};

/* A question that is put to each name server, under the name it has in the facts (facts.h). */
struct gather_question {
    const char *name, *text;
    enum dns_type type;
};

struct gather_host {
    const struct gather_config *config;
    struct gate *gate;
    struct kept *kept;
    struct ip address;
    struct gather_name names[FACTS_MX]; /* of a mail host's address: as many as lead there; of a name server: one */
    size_t name_count;
    const char *base;                        /* the second name that a certificate may bear (RFC 7672 3.2.2) */
    const struct gather_question *questions; /* to a name server, the most important first */
    size_t question_count;
    bool tcp; /* and whether it answers the first over TCP: there is room for one more */
};

/* Adds the lines; fails by the buffer's mark. Both wait for a socket (kept.h). */
void gather_smtp(const struct gather_host *h, struct buf *out);
void gather_server(const struct gather_host *h, struct buf *out);

/* Asks a name server of the parent zone whom it names for the zone. */
void gather_delegation(const struct gather_host *h, const char *zone, struct buf *out);

/* Why an address is not asked, or NULL. */
const char *gather_forbidden(const struct gather_config *c, const struct ip *a);

#endif
