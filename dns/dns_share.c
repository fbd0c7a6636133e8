// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_share.c - counts of look-ups under way by client network and by zone, and the zones that do not answer.
 *
 * Each count is kept in two tables, at slots chosen by two parts of one keyed hash; the smaller of the two counts (a
 * count-min sketch), so that sharing one slot with a busy client does no harm. Dead zones are in a table of their own
 * with the whole hash as a tag; a new one replaces one that failed less often or longer ago.
 */
#include "dns/dns_share.h"
#include "dns/dns_source.h"
#include <stdlib.h>
#include <sys/random.h>

#define PLACES 16384u
#define DEAD_PLACES 4096u

struct dead {
    uint64_t tag; /* 0: free */
    unsigned failures;
    int64_t until, retry; /* dead until; the next try */
    int64_t seen;
};

struct dns_share {
    uint64_t key;
    unsigned most;
    uint16_t client[2][PLACES], zone[2][PLACES];
    struct dead dead[DEAD_PLACES];
};

struct dns_share *dns_share_new(unsigned most)
{
    struct dns_share *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->most = most < UINT16_MAX ? most : UINT16_MAX;
    if (getrandom(&s->key, sizeof s->key, 0) != sizeof s->key)
        s->key = (uint64_t)(uintptr_t)s;
    return s;
}

struct dns_share *dns_share_free(struct dns_share *s)
{
    free(s);
    return NULL;
}

static uint64_t share_hash(const struct dns_share *s, const void *octets, size_t n)
{
    const unsigned char *p = octets;
    uint64_t h = s->key;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ p[i]) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return (h ^ h >> 29) | 1;
}

static void places(uint64_t h, uint32_t out[2])
{
    out[0] = (uint32_t)(h >> 8) % PLACES;
    out[1] = (uint32_t)(h >> 36) % PLACES;
}

static unsigned count_of(uint16_t table[2][PLACES], const uint32_t at[2])
{
    return table[0][at[0]] < table[1][at[1]] ? table[0][at[0]] : table[1][at[1]];
}

static void share_count(uint16_t table[2][PLACES], const uint32_t at[2], int by)
{
    for (int i = 0; i < 2; i++)
        table[i][at[i]] = (uint16_t)(table[i][at[i]] + by);
}

static struct dead *dead_of(struct dns_share *s, uint64_t tag)
{
    return &s->dead[(tag >> 20) % DEAD_PLACES];
}

static bool is_dead(struct dns_share *s, uint64_t tag, int64_t now)
{
    struct dead *d = dead_of(s, tag);
    if (d->tag != tag || d->failures < DNS_SHARE_FAILURES || now >= d->until)
        return false;
    if (now < d->retry)
        return true;
    d->retry = now + DNS_SHARE_RETRY_MS;
    return false;
}

enum dns_admission dns_share_enter(struct dns_share *s, const struct ip *client, const char *name, unsigned under_way,
                                   int64_t now, struct dns_ticket *out)
{
    const char *zone = dns_name_zone(name);
    *out = (struct dns_ticket){.has_client = client->family != 0, .zone_tag = share_hash(s, zone, strlen(zone))};
    places(out->zone_tag, out->zone);
    unsigned of_client = 0;
    if (out->has_client) {
        const struct ip_net net = ip_net_of(client, client->family == 6 ? 56 : 24);
        places(share_hash(s, net.base.octets, sizeof net.base.octets), out->client);
        of_client = count_of(s->client, out->client);
    }
    if (is_dead(s, out->zone_tag, now))
        return DNS_ZONE_DEAD;
    if (under_way >= s->most)
        return DNS_ALL_BUSY;
    unsigned part = (s->most - under_way) / DNS_SHARE_PART;
    if (part < DNS_SHARE_FEW)
        part = DNS_SHARE_FEW;
    if (of_client >= part)
        return DNS_CLIENT_BUSY;
    if (count_of(s->zone, out->zone) >= part)
        return DNS_ZONE_BUSY;
    if (out->has_client)
        share_count(s->client, out->client, 1);
    share_count(s->zone, out->zone, 1);
    out->counted = true;
    return DNS_ADMITTED;
}

void dns_share_leave(struct dns_share *s, struct dns_ticket *t)
{
    if (!t->counted)
        return;
    if (t->has_client)
        share_count(s->client, t->client, -1);
    share_count(s->zone, t->zone, -1);
    t->counted = false;
}

void dns_share_failed(struct dns_share *s, struct dns_ticket *t, int64_t now)
{
    struct dead *d = dead_of(s, t->zone_tag);
    if (t->failed)
        return;
    t->failed = true;
    if (d->tag != t->zone_tag) {
        if (d->tag && d->failures > 1 && now - d->seen < DNS_SHARE_DEAD_MS)
            return;
        *d = (struct dead){.tag = t->zone_tag};
    }
    d->seen = now;
    if (++d->failures >= DNS_SHARE_FAILURES && now >= d->until) {
        d->until = now + DNS_SHARE_DEAD_MS;
        d->retry = now + DNS_SHARE_RETRY_MS;
    }
}

void dns_share_answered(struct dns_share *s, const struct dns_ticket *t)
{
    struct dead *d = dead_of(s, t->zone_tag);
    if (d->tag == t->zone_tag)
        *d = (struct dead){0};
}
