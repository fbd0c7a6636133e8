// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_answer.h - an answer as Unbound stores it, put into the words of decide.h; and what zones.h records of it.
 *
 * Texts lie in the worker's scratch region: good until the next query of this thread. For files that include Unbound's
 * headers only.
 *
 * Threads: all functions from any, each on a query of its own.
 */
#ifndef ASSAY_RESOLVER_MODULE_UNBOUND_ANSWER_H
#define ASSAY_RESOLVER_MODULE_UNBOUND_ANSWER_H

#include "config.h"
#include "util/data/msgreply.h"
#include "util/module.h"

#include "resolver-module/decide.h"
#include "resolver-module/zones.h"

struct answer_name;

struct answer {
    struct decide_input input;
    struct decide_rrset *rrsets;
    struct answer_name *names; /* room for two of each set, and the name asked */
    size_t name_count;
};

/* The query's answer, or the failure in its place. NULL: no memory. */
struct answer *answer_of(struct module_qstate *q);

/* Tells whether the operator's own rules (RPZ, response-ip) made any of it. */
bool answer_has_local(const struct answer *a);

/* What the validator said of one record set. */
enum decide_security answer_security(const struct ub_packed_rrset_key *k);

/* The wire form of a name of the answer's, by its text (the very pointer). NULL: not one of them. */
uint8_t *answer_wire(const struct answer *a, const char *text, size_t *len);

/* A name in wire form as text: lower case, no dot at the end, odd octets as \DDD (RFC 1035 5.1). NULL: no memory. */
const char *answer_name(struct regional *region, const uint8_t *wire);

/* An event with one answer's weight; its texts are "", and only their first octet is set, because they are long. */
void answer_begin(struct zones_event *e, enum decide_state state, uint16_t type);

/* Sets the zone cut that the verdict is about, as far as it is known; for a secure answer also algorithm and key size,
 * for a bogus one the reason. */
void answer_zone(struct module_qstate *q, const struct answer *a, const struct decide_result *r, struct zones_event *e);

/* The part of a name that may be recorded (decide_kept), or "". */
void answer_copy_name(char *out, size_t size, const char *name);

#endif
