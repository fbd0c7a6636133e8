// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns.h - asks DNS, and keeps the security state of every answer.
 *
 * Three things:
 *   struct dns         a source of answers: libunbound (dns_unbound.h) or a saved file (dns_replay.h). Shared by
 *                      threads.
 *   struct dns_scope   one message's (or one check's) use of it: a budget of look-ups, a deadline, and the trace of
 *                      every answer consulted. Belongs to one thread at a time; answers live as long as the scope's
 *                      arena.
 *   struct dns_answer  one answer. Never NULL, never half an answer.
 *
 * dns_start() asks and does not wait; dns_get() waits for the answer, asking first if nobody has. So code that learns a
 * name early calls dns_start(), and the engine that needs the answer later calls dns_get() as if it were synchronous.
 * Asking the same question twice in a scope costs nothing and gives the same answer (one message is judged on one view
 * of DNS).
 *
 * States are never mixed up: "no such name" (RFC 8020: nothing below it either), "no data", "could not be determined
 * now" and "bogus" are four different things. A bogus answer (RFC 4035 4.3) carries no data here, so nobody can use it
 * by mistake.
 */
#ifndef ASSAY_DNS_DNS_H
#define ASSAY_DNS_DNS_H

#include "base/arena.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/slice.h"
#include "base/standard.h"
#include <stdbool.h>
#include <stdint.h>

enum dns_state {
    DNS_FOUND,    /* records of the type asked for; count > 0 */
    DNS_NODATA,   /* the name exists (NOERROR), the type does not */
    DNS_NXDOMAIN, /* the name does not exist */
    DNS_TEMPFAIL, /* time-out, SERVFAIL, refused, budget or deadline reached: nothing is known */
    DNS_BOGUS,    /* DNSSEC validation failed; `why` says how */
    DNS_BADNAME,  /* the text asked for is not a domain name: nothing was asked (label > 63, name > 253, empty label) */
};

enum dns_security {
    DNS_UNKNOWN,  /* no usable answer (TEMPFAIL, BADNAME), or no trust anchor */
    DNS_INSECURE, /* proved to be unsigned */
    DNS_SECURE,   /* validated from the trust anchor */
    DNS_BROKEN,   /* goes with DNS_BOGUS */
};

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_DS = 43,
    DNS_DNSKEY = 48,
    DNS_TLSA = 52,
    DNS_CAA = 257,
};

struct dns_answer {
    const char *name; /* as asked */
    enum dns_type type;
    enum dns_state state;
    enum dns_security security;
    uint32_t ttl;          /* seconds */
    const char *canonical; /* the name at the end of the CNAME chain where it differs from `name`, else NULL */
    const char *why;       /* of TEMPFAIL and BOGUS: words for a log. Static or in the scope's arena; else NULL */
    /* of TEMPFAIL: DNS did not fail, a bound of ours was reached. OF_MESSAGE: this scope's look-ups are used up;
       OF_COST: its look-ups sent too many packets, though servers answered; OF_MOMENT: time, memory, servers that
       failed, or what its client may cost now */
    enum limit_kind limit;
    size_t count;
    const struct slice *rdata;   /* each record's rdata, uncompressed wire form, in the order received */
    const struct dns_held *held; /* for dns_parsed() alone; NULL: none */
};

struct dns; /* a source; see dns_unbound.h, dns_replay.h */
struct dns_scope;
struct dns_held;

/* Closes a source: ends its threads and frees its memory. No scope on it may be left. NULL is allowed. Returns NULL. */
struct dns *dns_close(struct dns *source);

/* Drops all answers that the source keeps, with what was made of them (dns_parsed.h): after its settings have changed.
 * Look-ups under way are not disturbed. Any thread. */
void dns_forget(struct dns *source);

/* What a message's question is for: each purpose has look-ups of its own (base/limits.h). */
enum dns_purpose { DNS_FOR_REST, DNS_FOR_DMARC, DNS_FOR_KEYS, DNS_FOR_SPF, DNS_PURPOSES };

struct dns_budget {
    unsigned lookups;   /* questions in all; 0: LIMIT_DNS_LOOKUPS. Not heeded where `message` is set */
    unsigned lookup_ms; /* one look-up; 0: LIMIT_DNS_SECONDS */
    unsigned total_ms;  /* from dns_scope_new on; 0: LIMIT_MESSAGE_SECONDS */
    bool message;       /* a mail's scope: look-ups are counted by purpose, and LIMIT_DNS_WIRE holds */
    /* Whose mail it is: the source bounds what one client network has under way. Family 0: nobody's. */
    struct ip client;
    /* Asked before each question that the source does not know at once: false: TEMPFAIL, LIMIT_OF_MOMENT. NULL: yes. */
    bool (*charge)(void *context);
    void *context;
};

/* A scope on a source. budget may be NULL. Everything it gives out lives in `arena`. NULL when out of memory. */
struct dns_scope *dns_scope_new(struct dns *source, struct arena *arena, const struct dns_budget *budget);

/* Restarts the time for all look-ups (total_ms of the budget): at the end of a message whose body took long, before the
 * caller waits for answers. */
void dns_scope_renew(struct dns_scope *s);

/* From now on the records of each answer come in an order of their octets: those of one name and type are a set, which
 * name servers and caches give in any order (RFC 2181 section 5). For a caller whose words must not depend on it. */
void dns_scope_sort(struct dns_scope *s);

/* For a caller that may not wait: from now on dns_get() gives a temporary failure, "not yet", for an answer that has
 * not come, after it has asked for it, and dns_scope_lacks() says so. What was found out by such a run means
 * nothing: the caller runs again from its start when dns_scope_awaits() says that nothing is under way any more.
 * arrived: called by any thread each time an answer of this scope has come, until dns_scope_free(); it may not call
 * back. A source that cannot tell goes on waiting. */
void dns_scope_no_wait(struct dns_scope *s, void (*arrived)(void *context), void *context);

/* Begins a run: dns_scope_lacks() is false until dns_get() lacks an answer. */
void dns_scope_begin_run(struct dns_scope *s);
bool dns_scope_lacks(const struct dns_scope *s);

/* Takes the answers that have come, and gives up the look-ups whose time is over. Tells whether any is still under way.
 */
bool dns_scope_awaits(struct dns_scope *s);

/* Tells whether a look-up is still without an answer: the cache did not have it. Does not collect answers. */
bool dns_scope_asks(const struct dns_scope *s);

/* Gives up all look-ups that are under way or wait for packets: temporary failures by a limit of the moment. From now
 * on no other is begun. */
void dns_scope_give_up(struct dns_scope *s);

/* Releases look-ups that are still under way. Must come before the arena is freed or reset. NULL is allowed. Returns
 * NULL. */
struct dns_scope *dns_scope_free(struct dns_scope *s);

/* What the questions asked from now on are for; DNS_FOR_REST at first. */
void dns_scope_purpose(struct dns_scope *s, enum dns_purpose purpose);

/* All authors' records and all keys of the message have been asked for: of the packets reserved for them only those of
 * one more tree walk are kept on (base/limits.h). */
void dns_scope_first_asked(struct dns_scope *s);

/* Asks without waiting. If the packet budget of the message is fully reserved, the question waits for others to be
 * answered and is sent by a later call. Failure shows at dns_get(). name: presentation form, ASCII, any case, with or
 * without the final dot; octets other than letters, digits, '-' and '_' may stand as they are or as \DDD (RFC 1035
 * 5.1). */
void dns_start(struct dns_scope *s, const char *name, enum dns_type type);

/* Waits for the answer. Never NULL. */
const struct dns_answer *dns_get(struct dns_scope *s, const char *name, enum dns_type type);

/* The gravest limit of ours that kept back an answer of dns_get() since the last call of this function. So the caller
 * of an engine learns whether DNS or a limit of ours caused a temporary failure, whatever engine it is. */
enum limit_kind dns_scope_limit(struct dns_scope *s);

/* How many questions were answered by a temporary failure. */
size_t dns_scope_failures(const struct dns_scope *s);

/* The trace: every answer this scope got, in the order asked. i from 0; NULL at the end. */
const struct dns_answer *dns_trace(const struct dns_scope *s, size_t i);

/* Tells whether record i of a TXT answer could be joined: its strings, concatenated without separator (RFC 7208 3.3).
 * The result lies in the scope's arena. An rdata of no octets at all gives the empty text. SLICE_NULL when i is out of
 * range or the rdata is malformed. */
struct slice dns_txt(struct dns_scope *s, const struct dns_answer *a, size_t i);

/* The same in another arena. */
struct slice dns_txt_in(struct arena *arena, const struct dns_answer *a, size_t i);

/* The address in record i of an A or AAAA answer. False: none, or an IPv4-mapped one (RFC 4291 2.5.5.2), which nobody
 * can reach by IPv6 and which an A record has to name. */
bool dns_address(const struct dns_answer *a, size_t i, struct ip *out);

/* The host name (canonical form, see domain.h; root as ".") in record i of an MX, PTR, NS or CNAME answer, and an MX's
 * preference (may be NULL). NULL if it has no canonical form. */
const char *dns_host(struct dns_scope *s, const struct dns_answer *a, size_t i, uint16_t *preference);

/* The same name in the form that dns_start takes, whatever octets it holds (as \DDD): for names that are only asked
 * for again. NULL: malformed. */
const char *dns_host_text(struct dns_scope *s, const struct dns_answer *a, size_t i, uint16_t *preference);

const char *dns_state_name(enum dns_state s);       /* "found", "no data", ... */
const char *dns_security_name(enum dns_security s); /* "secure", ... */

/* What the standard dnssec says of such an answer: secure is pass, insecure none, bogus fail, unknown temperror. */
enum result dns_security_result(enum dns_security s);
const char *dns_type_name(enum dns_type t); /* "TXT", ...; "TYPE123" for others is in a static table or "?" */

#endif
