// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_parsed.h - what an engine has read out of the records of an answer (a key, an SPF or DMARC record), kept with the
 * answer in the source's cache, so that it is read once as long as the answer is kept.
 *
 * A parsed form is a part of its answer: it has its name, type and security state, and goes with it (dns_cache.h: after
 * the TTL, for keys after an hour; when dns_forget() drops all; when its room is needed). Its octets count with the
 * answer's. So a key that was revoked in DNS is never used longer than the answer that had it.
 *
 * Threads: a form never changes after it was made, and any number of scopes on different threads share it. Two that
 * make it at the same time make two; one is kept. No lock.
 */
#ifndef ASSAY_DNS_DNS_PARSED_H
#define ASSAY_DNS_DNS_PARSED_H

#include "dns/dns.h"

/* A form with more octets is made for one scope, and not kept: a record that is so long is nobody's usual one. */
#define LIMIT_DNS_PARSED 65536

/* How one kind of form is made. One static struct for each kind: an answer keeps one form, and its kind is told by the
 * struct's address. */
struct dns_form {
    /* Makes the form of the answer's records: texts[i] is record i of a TXT answer, its strings joined (SLICE_NULL:
     * malformed; texts of other types are all SLICE_NULL). All of it lies in `arena`, whose copies of the texts may be
     * pointed into. NULL: out of memory. Adds to *outside the octets that it has taken elsewhere. */
    void *(*make)(struct arena *arena, const struct slice *texts, size_t count, size_t *outside);
    /* Releases what does not lie in the arena; NULL: nothing. */
    void (*drop)(void *form);
};

/* The form of an answer of this scope, valid until dns_scope_free(). NULL: out of memory, or the answer has no records.
 */
const void *dns_parsed(struct dns_scope *s, const struct dns_answer *a, const struct dns_form *form);

#endif
