// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_share.h - shares out the look-ups that can be under way, and remembers zones whose servers do not answer.
 *
 * A sender chooses the names that his mail makes us ask for, and a server that never answers holds each look-up for
 * seconds. So that no sender can fill the resolver:
 *     a client network (/24, /56) and a zone may each have as many under way as an eighth of those that could still
 *     begin. A single busy one gets a ninth of all; the more are busy, the less each gets, and there is always room
 *     left for one that has few under way (the dynamic threshold of shared switch buffers: Choudhury and Hahne 1998);
 *     a zone in which DNS_SHARE_FAILURES look-ups in a row found no server counts as dead for a while: look-ups in it
 *     fail at once, except one every two seconds that tries again. Any answer ends this.
 * The zone of a name is a guess by its labels (dns_name_zone).
 *
 * Counts are kept by keyed hash in tables of fixed size: two that hash to the same slots share a count, which is rare
 * and only makes a limit tighter. No locking: the caller holds the source's lock. Cannot fail.
 */
#ifndef ASSAY_DNS_DNS_SHARE_H
#define ASSAY_DNS_DNS_SHARE_H

#include "base/ip.h"
#include <stdbool.h>
#include <stdint.h>

#define DNS_SHARE_PART 8 /* of what is free */
#define DNS_SHARE_FEW 4  /* that everybody may have while there is room */
#define DNS_SHARE_FAILURES 8
#define DNS_SHARE_DEAD_MS 30000
#define DNS_SHARE_RETRY_MS 2000

struct dns_share;

enum dns_admission {
    DNS_ADMITTED,
    DNS_CLIENT_BUSY, /* the client network has its share under way */
    DNS_ZONE_BUSY,   /* the zone has */
    DNS_ALL_BUSY,    /* everything is under way */
    DNS_ZONE_DEAD,   /* no server of the zone answers */
};

/* Where a look-up is counted. */
struct dns_ticket {
    uint32_t client[2], zone[2];
    uint64_t zone_tag;
    bool counted, has_client, failed;
};

/* most: look-ups that can be under way. NULL when out of memory. */
struct dns_share *dns_share_new(unsigned most);
struct dns_share *dns_share_free(struct dns_share *s); /* NULL is allowed; returns NULL */

/* Asks for admission of a look-up of `name` (normal form) for `client` (family 0: nobody's), while `under_way` are. If
 * admitted it is counted until dns_share_leave. now: clock_mono_ms(). */
enum dns_admission dns_share_enter(struct dns_share *s, const struct ip *client, const char *name, unsigned under_way,
                                   int64_t now, struct dns_ticket *out);
void dns_share_leave(struct dns_share *s, struct dns_ticket *t);

/* Reports the outcome of a look-up: no server answered (counted once per look-up), or one did. */
void dns_share_failed(struct dns_share *s, struct dns_ticket *t, int64_t now);
void dns_share_answered(struct dns_share *s, const struct dns_ticket *t);

#endif
