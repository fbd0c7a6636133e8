// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_source.h - the interface behind dns.h: the contract between a scope (dns.c) and a source of answers
 * (dns_unbound.c, dns_replay.c). Nobody else includes it, except tests with a source of their own.
 *
 * A source gets questions in normal form and gives either a result at once or a flight to wait for. A result never
 * changes after it was made (but for `parsed`, which is set once), is counted by references, and is one block of
 * memory, so that cache, flights and scopes can share it between threads.
 */
#ifndef ASSAY_DNS_DNS_SOURCE_H
#define ASSAY_DNS_DNS_SOURCE_H

#include "dns/dns.h"
#include "base/status.h"
#include <stdatomic.h>

/* A name in normal form: 255 octets on the wire, each at most four characters in text, and a NUL. */
#define DNS_NAME_TEXT 1021
#define DNS_NAME_WIRE 255

struct dns_form;
struct dns_parsed;

struct dns_question {
    char name[DNS_NAME_TEXT]; /* normal form: lower case, no final dot, \DDD for all but letters, digits, '-', '_';
                                 root: "." */
    enum dns_type type;
    struct ip client; /* on whose behalf; family 0: nobody's. Like `packets` no part of what is asked */
    unsigned packets; /* that its look-up may send; 0: as many as the source allows */
};

struct dns_result {
    atomic_uint refs;
    enum dns_state state;
    enum dns_security security;
    uint32_t ttl;
    int64_t expires; /* monotonic milliseconds (clock.h) when the TTL has run out; 0: the TTL stands still */
    const char *canonical;
    const char *why;
    enum limit_kind limit; /* of TEMPFAIL: a bound of the source's own */
    unsigned packets;      /* sent to find it out, where the source can tell */
    size_t count;
    const struct slice *rdata;
    size_t bytes;                        /* of the whole block */
    _Atomic(struct dns_parsed *) parsed; /* what an engine has read out of it (dns_parsed.h); set at most once */
};

/* A result with one reference, everything copied; NULL when out of memory. `like` needs all fields but refs, bytes and
 * parsed. */
struct dns_result *dns_result_new(const struct dns_result *like) MUST_CHECK;
struct dns_result *dns_result_hold(struct dns_result *r);
void dns_result_drop(struct dns_result *r); /* NULL is allowed */

struct dns_flight; /* a question under way; each source defines its own */

/* Somebody who is told when a flight's answer has come. Lies with the asker, and is the source's while it watches. */
struct dns_watch {
    struct dns_watch *next;
    void (*arrived)(void *context); /* called once, by any thread, under the source's lock: it may not call back */
    void *context;
};

struct dns_ops {
    /* A result (one reference for the caller), or NULL with *flight set; NULL with *flight NULL: out of memory. Never
     * waits. */
    struct dns_result *(*ask)(struct dns *source, const struct dns_question *q, struct dns_flight **flight);
    /* Waits until monotonic time `until` (clock.h); 0: not at all. The result (one reference for the caller), or NULL:
     * not yet. */
    struct dns_result *(*await)(struct dns *source, struct dns_flight *flight, int64_t until);
    /* The asker releases a flight; once for each that `ask` gave. Returns the packets that it has sent and may yet
     * send. */
    unsigned (*let_go)(struct dns *source, struct dns_flight *flight);
    void (*close)(struct dns *source);
    /* As ask, but begins nothing: NULL if the answer is not known. NULL itself: nothing is ever known at once. */
    struct dns_result *(*known)(struct dns *source, const struct dns_question *q);
    /* Has w told when the flight's answer comes. false: it has come already, and w is not told. `unwatch` must come
     * before `let_go`; after it w is not told any more. NULL: there are never flights, or askers must wait. */
    bool (*watch)(struct dns *source, struct dns_flight *flight, struct dns_watch *w);
    void (*unwatch)(struct dns *source, struct dns_flight *flight, struct dns_watch *w);
    /* A parsed form of so many octets now hangs on the result of this question. NULL: nothing is counted. */
    void (*grew)(struct dns *source, const struct dns_question *q, const struct dns_result *r, size_t octets);
    /* Drops every answer that is kept. NULL: none are. */
    void (*forget)(struct dns *source);
};

/* The result that an answer was taken from, as long as its scope lives. */
struct dns_held {
    struct dns_result *result;
    const struct dns_question *q;
};

/* What dns_parsed.c hangs on a result, or on a scope. */
struct dns_parsed {
    struct dns_parsed *next;         /* in its scope's list */
    const struct dns_answer *answer; /* of which it was made, where it is the scope's own */
    const struct dns_form *form;
    struct arena *arena;
    void *made;
    size_t octets;
};

/* Frees a list of them; returns NULL. */
struct dns_parsed *dns_parsed_free(struct dns_parsed *p);

/* For dns_parsed.c: the forms that belong to the scope alone; tells the source that a result has grown. */
struct dns_parsed **dns_scope_forms(struct dns_scope *s);
void dns_scope_grew(struct dns_scope *s, const struct dns_held *held, size_t octets);

/* First member of each source's own struct. */
struct dns {
    const struct dns_ops *ops;
};

/* Text (RFC 1035 5.1) to normal form. STATUS_INVALID: an empty label or a bad escape; STATUS_LIMIT: label or name too
 * long. */
enum status dns_name_normal(const char *text, char out[DNS_NAME_TEXT]) MUST_CHECK;

/* An uncompressed name at the start of n octets, to normal form. Returns the octets it takes, 0: malformed. */
size_t dns_name_from_wire(const void *wire, size_t n, char out[DNS_NAME_TEXT]);

/* The same where the name must fill all n octets. */
bool dns_name_is_whole(const void *wire, size_t n, char out[DNS_NAME_TEXT]);

/* Normal form to wire; returns the octets written. */
size_t dns_name_to_wire(const char *normal, uint8_t out[DNS_NAME_WIRE]);

/* The zone of a name in normal form, guessed by its labels without asking: its last two; three where the second one
 * looks like a registry's (co.uk); the /16 or /32 of a reverse name. A part of `normal`. */
const char *dns_name_zone(const char *normal);

/* The arena a scope was made with. */
struct arena *dns_scope_arena(struct dns_scope *s);

#endif
