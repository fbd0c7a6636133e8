// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_rua.h - where DMARC reports are to go: the rua tag, and whether the place wants them (RFC 9990 sections 3.4 and
 * 4).
 */
#ifndef ASSAY_FEEDBACK_DMARC_RUA_H
#define ASSAY_FEEDBACK_DMARC_RUA_H

#include "base/arena.h"
#include "dns/dns.h"

/* Destinations of one record that are served: the first so many that take reports, those of the owner's own
 * organisation first (RFC 9990 3.4: up to the receiver's limits). */
#define DMARC_RUA_MAX 5
/* ... and that are read: the rest is ignored. */
#define DMARC_RUA_READ 20

struct dmarc_rua {
    const char *address[DMARC_RUA_READ]; /* local@domain, the domain kept; in the arena */
    size_t count;
};

/* Reads a rua tag: URIs between commas; only mailto: with one plain address; "!size" behind it is ignored;
 * percent-encoding undone. What is malformed or of another scheme is left out. STATUS_NOMEM, or STATUS_OK. */
enum status dmarc_rua_parse(struct arena *a, struct slice tag, struct dmarc_rua *out) MUST_CHECK;

/* Puts those of the policy domain's own organisation (org; NULL or "": not known) before the others, so that others
 * who may not even want them do not take their places. */
void dmarc_rua_own_first(struct dmarc_rua *r, const char *domain, const char *org);

enum dmarc_rua_wanted {
    DMARC_WANTED,    /* same organisation, or it says so */
    DMARC_UNWANTED,  /* another organisation that does not say so: the address must be ignored */
    DMARC_ASK_LATER, /* temporary failure of DNS */
};

/* Tells whether reports about the policy domain `domain` (of organisation `org`) may go to `address`. An address that
 * the destination puts in its place, on the same host, replaces *address (in the arena). why: words for a log. */
enum dmarc_rua_wanted dmarc_rua_check(struct dns_scope *s, struct arena *a, const char *domain, const char *org,
                                      const char **address, const char **why);

/* The same for the ruf tag: failure reports. */
enum dmarc_rua_wanted dmarc_ruf_check(struct dns_scope *s, struct arena *a, const char *domain, const char *org,
                                      const char **address, const char **why);

#endif
