// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_table.h - the names, records and statements of a replay file, and the search among them. Between dns_replay.c,
 * which reads the file into it, and the scopes that ask. Filled by one thread, then unchanging.
 */
#ifndef ASSAY_DNS_DNS_TABLE_H
#define ASSAY_DNS_DNS_TABLE_H

#include "base/arena.h"
#include "dns/dns_source.h"

#define DNS_TABLE_CHAIN 16 /* CNAME records followed; Unbound's our own limit is 11 */
#define DNS_SECURITY_UNSET ((enum dns_security) - 1)

/* One line of a file. */
struct dns_line {
    struct dns_line *next;
    enum dns_state state;       /* DNS_FOUND: a record */
    enum dns_type type;         /* 0: every type that no other line of the name speaks of */
    enum dns_security security; /* or DNS_SECURITY_UNSET */
    uint32_t ttl;
    const char *as; /* normal form, or NULL */
    const char *why;
    struct slice rdata;
    size_t number; /* of the line in its file */
};

struct dns_table;

struct dns_table *dns_table_new(struct arena *arena) MUST_CHECK;

/* Adds a copy of a line to a name in normal form. */
enum status dns_table_add(struct dns_table *t, const char *name, const struct dns_line *line) MUST_CHECK;

/* See dns_replay_contradiction(). */
size_t dns_table_contradiction(const struct dns_table *t) MUST_CHECK;

/* What holds at name and below if no line says otherwise: DNS_FOUND with a security, or a failing state with words.
 * STATUS_INVALID: it was said before, and otherwise. */
enum status dns_table_zone(struct dns_table *t, const char *name, enum dns_state state, enum dns_security security,
                           const char *why) MUST_CHECK;

/* From now on a question that neither a line nor a zone's statement speaks of fails with these words (static), in place
 * of "no such name" or "no data": what was not asked is not known. */
void dns_table_only_known(struct dns_table *t, const char *why);

/* The answer, CNAME records followed, as a new result; NULL when out of memory. */
struct dns_result *dns_table_answer(const struct dns_table *t, const struct dns_question *q) MUST_CHECK;

#endif
