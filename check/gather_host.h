// SPDX-License-Identifier: BSD-2-Clause
/*
 * gather_host.h - one conversation each with a mail host's address and with a name server, as lines of facts. Between
 * gather.c and gather_host.c.
 */
#ifndef ASSAY_CHECK_GATHER_HOST_H
#define ASSAY_CHECK_GATHER_HOST_H

#include "check/gate.h"
#include "check/gather.h"
#include "standards/dane/dane_tlsa.h"

struct gather_host {
    const struct gather_config *config;
    struct gate *gate;
    const char *host;
    struct ip address;
    const struct dane_record *records; /* TLSA of the host; NULL: none */
    size_t record_count;
    const char *base;   /* the second name that a certificate may bear (RFC 7672 3.2.2) */
    const char *domain; /* asked about, of a name server */
    const char *tlsa;   /* the name whose TLSA is asked of a name server */
};

/* Adds the lines; fails by the buffer's mark. */
void gather_smtp(const struct gather_host *h, struct buf *out);
void gather_server(const struct gather_host *h, struct buf *out);

/* Why an address is not asked, or NULL. */
const char *gather_forbidden(const struct gather_config *c, const struct ip *a);

#endif
