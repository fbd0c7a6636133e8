// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_replay.h - answers from a text file: for tests, for `assay verify --dns`, and for judging a saved case years
 * later. The format is assay-dns(5), too.
 *
 * One record or statement per line; `#` or `;` begins a comment; a line that begins with white space belongs to the
 * name of the line before. Names are absolute, with or without the final dot, in any case; other octets as \DDD. Words
 * before TYPE may come in any order:
 *
 *     NAME [SECURITY] [TTL] [as NAME2] TYPE RDATA       a record
 *     NAME [SECURITY] [TTL] [as NAME2] nodata TYPE      the name exists, records of TYPE do not
 *     NAME [SECURITY] [TTL] [as NAME2] nxdomain [TYPE]  no such name (of TYPE: for that question only)
 *     NAME timeout ["why"] [TYPE]             no answer ever comes     \  TYPE left out: all types of that name
 *     NAME servfail ["why"] [TYPE]            the server fails          | that no other line of it speaks of
 *     NAME bogus ["why"] [TYPE]               validation fails         /
 *     zone NAME secure|insecure|bogus|timeout|servfail    what holds at NAME and below if no line says otherwise
 *     time 2026-11-20T23:19:25Z               when the answers were saved (dns_replay_time)
 *
 *   SECURITY  secure or insecure; left out: what `zone` says of the closest enclosing name; else insecure.
 *   TTL       seconds; left out: 300.
 *   as        the answer was found at NAME2, at the end of a CNAME chain (as a saver writes it: the links are not
 *             kept). In a file written by hand, give the CNAME records instead: they are followed, at most 16, and
 *             the chain is as secure as its weakest link.
 *   TYPE      A AAAA CAA CNAME DNSKEY DS MX NS PTR SOA TLSA TXT, or TYPE123. RDATA as in a zone file (RFC 1035 5.1:
 *             strings in quotes or bare, \DDD, several to a TXT), or `\# LENGTH HEX` for any type (RFC 3597
 *             section 5).
 *
 * A name that no line speaks of: no data if names below it are listed (RFC 8020), else no such name. No wildcards, no
 * DNAME.
 *
 *     example.org   secure 300 MX 10 mx.example.org
 *                   TXT "v=spf1 mx -all"
 *     mx.example.org  A 192.0.2.25
 *     slow.example  timeout TXT
 *     zone bad.example bogus
 *
 * The source is unchanging after it was made and may be used by all threads. A `timeout` answers at once: nobody waits
 * in a replay.
 */
#ifndef ASSAY_DNS_DNS_REPLAY_H
#define ASSAY_DNS_DNS_REPLAY_H

#include "dns/dns.h"
#include "base/status.h"
#include <stdio.h>
#include <time.h>

/* A file's size, its line's length, and its records. */
#define LIMIT_REPLAY_BYTES (16u * 1024 * 1024)
#define LIMIT_REPLAY_LINE (256u * 1024)

/* A source from a file, or NULL with *error set to one line with file, line and what is wrong (malloc'ed; the caller
 * frees it). */
struct dns *dns_replay_new(const char *path, char **error) MUST_CHECK;

/* The same from text in memory; `what` names it in errors. */
struct dns *dns_replay_text(struct slice text, const char *what, char **error) MUST_CHECK;

/* From now on a question that neither a line nor a zone's statement speaks of fails with `why` (static words): for
 * answers of which it is known that they are all that was asked. Before the source is shared. */
void dns_replay_only_known(struct dns *source, const char *why);

/* The first line that denies what one before it says of the same name and type: that there are records, that there are
 * none, or that the look-up failed. Of such lines the first counts. 0: there is none; SIZE_MAX: out of memory. */
size_t dns_replay_contradiction(const struct dns *source) MUST_CHECK;

/* When the answers were saved; 0 if the file does not say. */
time_t dns_replay_time(const struct dns *source);

/* Writes every answer that the scope got in that format, with a `time` line. STATUS_AGAIN: writing failed (errno).
 * Replayed, each question gets the same answer: state, security, TTL, canonical name and records. */
enum status dns_replay_write(const struct dns_scope *scope, FILE *to) MUST_CHECK;

#endif
