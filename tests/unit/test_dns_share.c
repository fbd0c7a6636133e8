// SPDX-License-Identifier: BSD-2-Clause
/* How look-ups are shared out: client networks, zones, the part reserved for others, zones that are dead. */
#include "tests/unit/cm.h"

#include "dns/dns_share.h"
#include <stdio.h>

#define MOST 4096u

struct hall {
    struct dns_share *share;
    struct dns_ticket ticket[MOST];
    unsigned n;
};

static struct ip ip(const char *text)
{
    struct ip a;
    assert_int_equal(ip_from_text(slice_str(text), &a), STATUS_OK);
    return a;
}

static enum dns_admission enter(struct hall *h, const char *client, const char *name, int64_t now)
{
    const struct ip who = client ? ip(client) : (struct ip){0};
    const enum dns_admission a = dns_share_enter(h->share, &who, name, h->n, now, &h->ticket[h->n < MOST ? h->n : 0]);
    if (a == DNS_ADMITTED)
        h->n++;
    return a;
}

static void leave_all(struct hall *h)
{
    while (h->n)
        dns_share_leave(h->share, &h->ticket[--h->n]);
}

/* Enters until it is refused; each look-up in a zone of its own. Zones that share their places in the table of counts
 * with busy ones (rare, by a random key) are skipped for others. */
static unsigned hall_fill(struct hall *h, const char *client, enum dns_admission *why)
{
    unsigned n = 0, asked = 0, shared = 0;
    char name[64];
    do {
        snprintf(name, sizeof name, "k.z%u-%u.example", asked++, h->n);
        *why = enter(h, client, name, 0);
        n += *why == DNS_ADMITTED;
    } while (*why == DNS_ADMITTED || (*why == DNS_ZONE_BUSY && ++shared < 200));
    return n;
}

static void by_network(void **state)
{
    struct hall h = {.share = dns_share_new(MOST)};
    enum dns_admission why;
    assert_in_range(hall_fill(&h, "192.0.2.1", &why), MOST / 9, MOST / 9 + 1);
    assert_int_equal(why, DNS_CLIENT_BUSY);
    assert_int_equal(enter(&h, "192.0.2.200", "a.example", 0), DNS_CLIENT_BUSY);
    assert_int_equal(enter(&h, "192.0.3.1", "a.example", 0), DNS_ADMITTED);
    assert_int_equal(enter(&h, NULL, "a.example", 0), DNS_ADMITTED);
    assert_in_range(hall_fill(&h, "2001:db8:1:100::1", &why), MOST / 11, MOST / 9);
    assert_int_equal(enter(&h, "2001:db8:1:1ff::1", "a.example", 0), DNS_CLIENT_BUSY);
    assert_int_equal(enter(&h, "2001:db8:1:200::1", "a.example", 0), DNS_ADMITTED);
    leave_all(&h);
    assert_int_equal(enter(&h, "192.0.2.1", "a.example", 0), DNS_ADMITTED);
    dns_share_free(h.share);
}

/* Twenty networks flood together: one that has little under way is still let in, with all that a mail needs. */
static void kept_for_others(void **state)
{
    struct hall h = {.share = dns_share_new(MOST)};
    enum dns_admission why;
    char client[32];
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < 20; i++) {
            snprintf(client, sizeof client, "203.0.%u.1", i);
            hall_fill(&h, client, &why);
            assert_int_equal(why, DNS_CLIENT_BUSY);
        }
    assert_in_range(hall_fill(&h, "198.51.100.1", &why), 40, MOST / 8);
    dns_share_free(h.share);
}

static void full(void **state)
{
    struct hall h = {.share = dns_share_new(MOST)};
    enum dns_admission why;
    hall_fill(&h, NULL, &why);
    assert_int_equal(why, DNS_ALL_BUSY);
    assert_int_equal(h.n, MOST);
    dns_share_leave(h.share, &h.ticket[--h.n]);
    assert_int_equal(enter(&h, "192.0.2.1", "a.example", 0), DNS_ADMITTED);
    dns_share_free(h.share);
}

static void by_zone(void **state)
{
    struct hall h = {.share = dns_share_new(MOST)};
    char client[32], name[64];
    for (unsigned i = 0; i < MOST / 9; i++) {
        snprintf(client, sizeof client, "10.%u.%u.1", i / 200, i % 200);
        snprintf(name, sizeof name, "s%u._domainkey.x.evil.example", i);
        assert_int_equal(enter(&h, client, name, 0), DNS_ADMITTED);
    }
    enter(&h, "192.0.2.1", "last.evil.example", 0);
    assert_int_equal(enter(&h, "192.0.2.1", "other.evil.example", 0), DNS_ZONE_BUSY);
    assert_int_equal(enter(&h, "192.0.2.1", "good.example", 0), DNS_ADMITTED);
    leave_all(&h);
    for (unsigned i = 0; i < MOST / 9; i++)
        assert_int_equal(enter(&h, NULL, "a.evil.co.uk", 0), DNS_ADMITTED);
    enter(&h, NULL, "a.evil.co.uk", 0);
    assert_int_equal(enter(&h, NULL, "b.evil.co.uk", 0), DNS_ZONE_BUSY);
    assert_int_equal(enter(&h, NULL, "good.co.uk", 0), DNS_ADMITTED);
    assert_int_equal(enter(&h, NULL, "1.2.0.192.in-addr.arpa", 0), DNS_ADMITTED);
    dns_share_free(h.share);
}

static void fail_one(struct hall *h, const char *name, int64_t now)
{
    assert_int_equal(enter(h, NULL, name, now), DNS_ADMITTED);
    h->n--;
    dns_share_failed(h->share, &h->ticket[h->n], now);
    dns_share_failed(h->share, &h->ticket[h->n], now); /* counts once */
    dns_share_leave(h->share, &h->ticket[h->n]);
}

static void dead_zones(void **state)
{
    struct hall h = {.share = dns_share_new(MOST)};
    for (unsigned i = 0; i < DNS_SHARE_FAILURES; i++)
        fail_one(&h, "a.dead.example", 1000);
    assert_int_equal(enter(&h, NULL, "b.dead.example", 1001), DNS_ZONE_DEAD);
    assert_int_equal(enter(&h, NULL, "dead.other.example", 1001), DNS_ADMITTED);
    /* one tries again every two seconds */
    fail_one(&h, "b.dead.example", 1000 + DNS_SHARE_RETRY_MS);
    assert_int_equal(enter(&h, NULL, "b.dead.example", 1001 + DNS_SHARE_RETRY_MS), DNS_ZONE_DEAD);
    assert_int_equal(enter(&h, NULL, "c.dead.example", 1000 + 2 * DNS_SHARE_RETRY_MS), DNS_ADMITTED);
    dns_share_answered(h.share, &h.ticket[h.n - 1]);
    assert_int_equal(enter(&h, NULL, "c.dead.example", 1001 + 2 * DNS_SHARE_RETRY_MS), DNS_ADMITTED);
    /* an answer in between: it is not dead */
    for (unsigned i = 0; i < 3 * DNS_SHARE_FAILURES; i++) {
        fail_one(&h, "a.shaky.example", 50000);
        if (i % 4 == 3) {
            assert_int_equal(enter(&h, NULL, "b.shaky.example", 50000), DNS_ADMITTED);
            dns_share_answered(h.share, &h.ticket[h.n - 1]);
        }
    }
    dns_share_free(h.share);
    assert_null(dns_share_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_network), cmocka_unit_test(kept_for_others),
                                       cmocka_unit_test(full), cmocka_unit_test(by_zone), cmocka_unit_test(dead_zones)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
