// SPDX-License-Identifier: BSD-2-Clause
/*
 * prober_start.c - sets up the prober for this host, and keeps it from connecting to ourselves.
 *
 * A sender could publish an MX that points at our own addresses, or into the networks the policy calls our own, and so
 * make us connect to ourselves. Such addresses are refused. The prober itself refuses special addresses (loopback,
 * private, ...).
 */
#include "milter/prober_start.h"
#include "judge/prober.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include <ifaddrs.h>
#include <stdlib.h>
#include <sys/socket.h>

static bool is_of_this_host(const struct ip *a)
{
    struct ifaddrs *list = NULL;
    bool found = false;

    if (getifaddrs(&list) != 0)
        return true; /* our addresses are not known: better not connect */
    for (const struct ifaddrs *i = list; i && !found; i = i->ifa_next) {
        struct ip ip = ip_from_sockaddr(i->ifa_addr);
        found = ip.family && ip_eq(&ip, a);
    }
    freeifaddrs(list);
    return found;
}

static bool forbidden(void *context, const struct ip *a)
{
    struct daemon *d = context;
    const struct policy *p = policy_live_get(d->policy);
    bool own = policy_is_own_network(p, a) || policy_is_relay(p, a);

    policy_unref(p);
    return own || is_of_this_host(a);
}

struct prober *prober_start(struct daemon *d)
{
    const struct policy *p = policy_live_get(d->policy);
    struct prober_config c = {.dns = d->host.dns,
                              .name = d->host.name,
                              .keep_seconds = (unsigned)policy_set_number(p, SETTING_DANE_PROBE_KEEP),
                              .rate_ms = (unsigned)policy_set_number(p, SETTING_DANE_PROBE_INTERVAL) * 1000,
                              .forbidden = forbidden,
                              .context = d};
    const char *source = policy_set_text(p, SETTING_DANE_PROBE_SOURCE);
    struct prober *prober = NULL;

    if (*source && ip_from_text(slice_str(source), &c.source) != STATUS_OK)
        c.source.family = 0;
    if (*policy_set_text(p, SETTING_DANE_PROBE))
        prober = prober_new(&c);
    policy_unref(p);
    return prober;
}
