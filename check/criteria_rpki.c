// SPDX-License-Identifier: BSD-2-Clause
/*
 * criteria_rpki.c - whether the networks of mail hosts and name servers are protected against a false announcement
 * (RFC 6811).
 *
 * A ROA covers an address when the address is in its network. With the origin of the route known, the route is valid if
 * one ROA names that origin and allows the route's length, invalid if ROAs cover it and none does, and else not found:
 * a ROA longer than the route covers only a part of it (RFC 6811, section 2). Pure: ROAs and origins are facts.
 */
#include "check/testing.h"
#include "base/ip.h"
#include <stdlib.h>

struct roa {
    uint32_t origin;
    struct ip_net network;
    unsigned longest; /* prefix that it allows */
};

/* One entry of a list that is joined by ", ", cut off *list. */
static struct slice next_entry(struct slice *list)
{
    const char *comma = list->n ? memchr(list->p, ',', list->n) : NULL;
    struct slice entry = slice_of(list->p, comma ? (size_t)(comma - list->p) : list->n);
    *list = slice_from(*list, comma ? entry.n + 1 : entry.n);
    return slice_trim(entry);
}

/* "64500 192.0.2.0/24 24"; without the last number it is a route. */
static bool read_entry(struct slice entry, struct roa *out)
{
    char text[IP_NET_TEXT + 32], network[IP_NET_TEXT];
    unsigned long origin, longest = 0;
    char *end;
    if (!entry.n || entry.n >= sizeof text)
        return false;
    memcpy(text, entry.p, entry.n);
    text[entry.n] = '\0';
    origin = strtoul(text, &end, 10);
    if (end == text || *end != ' ' || origin > UINT32_MAX)
        return false;
    size_t n = strcspn(end + 1, " ");
    if (n >= sizeof network)
        return false;
    memcpy(network, end + 1, n);
    network[n] = '\0';
    if (end[1 + n])
        longest = strtoul(end + 1 + n, NULL, 10);
    *out = (struct roa){.origin = (uint32_t)origin, .longest = longest <= 128 ? (unsigned)longest : 0};
    return ip_net_from_text(slice_str(network), &out->network) == STATUS_OK;
}

/* Whether some ROA allows this route. AS 0 allows nothing (RFC 6483, section 4). */
static bool is_allowed(const char *roas, const struct roa *route)
{
    struct slice list = slice_str(roas);
    struct roa r;
    while (list.n)
        if (read_entry(next_entry(&list), &r) && route->origin && r.origin == route->origin &&
            r.network.bits <= route->network.bits && ip_in_net(&route->network.base, &r.network) &&
            route->network.bits <= r.longest)
            return true;
    return false;
}

/* Whether some ROA covers this route: it is no longer, and its network holds the whole route (RFC 6811, section 2). */
static bool is_covered(const char *roas, const struct roa *route)
{
    struct slice list = slice_str(roas);
    struct roa r;
    while (list.n)
        if (read_entry(next_entry(&list), &r) && r.network.bits <= route->network.bits &&
            ip_in_net(&route->network.base, &r.network))
            return true;
    return false;
}

static void test_route(struct testing *t, enum check_test test, const struct facts_rpki *f, const char *where)
{
    struct slice list = slice_str(f->origins);
    struct roa route;
    while (list.n) {
        if (!read_entry(next_entry(&list), &route))
            continue;
        char network[IP_NET_TEXT];
        ip_net_text(&route.network, network);
        if (is_allowed(f->roas, &route))
            testing_say(t, test, CHECK_PASS, NULL, "%s: the route %s of AS%u is valid", where, network,
                        (unsigned)route.origin);
        else if (!is_covered(f->roas, &route))
            testing_say(t, test, CHECK_ADVICE,
                        testing_print(t, "a ROA for %s, origin AS%u, longest prefix %u", network,
                                      (unsigned)route.origin, route.network.bits),
                        "%s: no ROA covers the route %s of AS%u", where, network, (unsigned)route.origin);
        else
            testing_say(t, test, CHECK_FAIL,
                        testing_print(t, "a ROA for %s, origin AS%u, longest prefix %u", network,
                                      (unsigned)route.origin, route.network.bits),
                        "%s: the route %s of AS%u is invalid: no ROA names this origin with this length (ROAs: %s)",
                        where, network, (unsigned)route.origin, testing_shown(t, slice_str(f->roas), 120));
    }
}

static void test_address(struct testing *t, enum check_test test, const struct facts_rpki *f)
{
    char ip[IP_TEXT];
    const char *where =
        arena_printf(t->arena, "%s (%s)", testing_shown(t, slice_str(f->host), 100), ip_text(&f->address, ip));
    if (!where)
        return;
    if (*f->why && !*f->roas)
        testing_say(t, test, CHECK_UNTESTED, NULL, "%s: %s", where, testing_word(t, f->why));
    else if (!*f->roas)
        testing_say(t, test, CHECK_ADVICE,
                    test == CHECK_RPKI ? "a ROA for each network that the mail hosts are in"
                                       : "a ROA for each network that the name servers are in",
                    "%s: no ROA covers this address", where);
    else if (!*f->origins)
        testing_say(t, test, CHECK_PASS, NULL, "%s: a ROA covers this address (%s); origin unknown", where,
                    testing_shown(t, slice_str(f->roas), 120));
    else
        test_route(t, test, f, where);
}

static bool is_mail_address(const struct testing *t, const struct facts_rpki *r)
{
    for (size_t i = 0; i < t->mail.count; i++)
        for (size_t k = 0; k < t->mail.hosts[i].address_count; k++)
            if (ip_eq(&t->mail.hosts[i].addresses[k], &r->address) && strcmp(t->mail.hosts[i].name, r->host) == 0)
                return true;
    return false;
}

static bool is_name_server(const struct name_servers *n, const struct facts_rpki *r)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->names[i], r->host) == 0)
            return true;
    return false;
}

void criteria_rpki(struct testing *t)
{
    const struct facts *f = t->facts;
    const char *why = testing_word(t, *f->rtr ? f->rtr : LANGUAGE_MARK("no address is known"));
    struct name_servers servers = {.count = 0};
    if (f->rpki_count)
        name_servers_find(t->scope, f->domain, &t->mail, &servers);
    for (size_t i = 0; i < f->rpki_count; i++) {
        const struct facts_rpki *r = &f->rpki[i];
        if (r->name_server && is_name_server(&servers, r))
            test_address(t, CHECK_RPKI_NS, r);
        else if (!r->name_server && t->report->receives && is_mail_address(t, r))
            test_address(t, CHECK_RPKI, r);
    }
    if (t->report->receives && !t->report->results[CHECK_RPKI].evidence)
        testing_say(t, CHECK_RPKI, CHECK_UNTESTED, NULL, "%s", why);
    if (!t->report->results[CHECK_RPKI_NS].evidence)
        testing_say(t, CHECK_RPKI_NS, CHECK_UNTESTED, NULL, "%s", why);
}
