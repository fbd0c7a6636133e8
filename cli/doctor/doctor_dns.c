// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_dns.c - does DNSSEC validation work, from here and through the resolver that this host uses?
 *
 * "Here" is what assay-milter does: libunbound with our trust anchor. The host's resolver is asked for the root's keys
 * with the AD bit wanted (RFC 6840 5.7); a resolver that validates sets it. Two questions in all.
 */
#include "dns/dns_unbound.h"
#include "cli/doctor/doctor.h"
#include "policy/policy_settings.h"
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <unistd.h>

#define ANSWER_MAX 4096

void doctor_anchor(struct doctor *d)
{
    const char *anchor = doctor_setting(d, SETTING_DNS_ANCHOR, ASSAY_STATEDIR "/root.key");
    if (!d->dns) {
        doctor_say(d, DOCTOR_CRITICAL,
                   "there is no trust anchor: neither %s nor Debian's can be used\nunbound-anchor -a %s", anchor,
                   anchor);
        return;
    }
    if (access(anchor, F_OK) != 0)
        doctor_say(d, DOCTOR_NOTE, "%s is not made yet; assay-milter makes it at its first start", anchor);
    struct dns_budget budget = {.lookups = 2, .lookup_ms = 5000, .total_ms = 8000};
    struct dns_scope *s = dns_scope_new(d->dns, d->arena, &budget);
    if (!s)
        return;
    const struct dns_answer *a = dns_get(s, ".", DNS_DNSKEY);
    if (a->state == DNS_FOUND && a->security == DNS_SECURE)
        doctor_say(d, DOCTOR_OK, "the root's keys validate by our trust anchor");
    else if (a->state == DNS_BOGUS)
        doctor_say(
            d, DOCTOR_CRITICAL,
            "the root's keys do not validate: %s\nlook at the clock, then at the trust anchor: unbound-anchor -a %s",
            a->why ? a->why : "bogus", anchor);
    else if (a->state == DNS_TEMPFAIL)
        doctor_say(d, DOCTOR_UNKNOWN,
                   "the root's name servers do not answer: %s\nlet DNS (port 53, UDP and TCP) out, or set dns.forward",
                   a->why ? a->why : "no answer");
    else
        doctor_say(d, DOCTOR_CRITICAL,
                   "nothing validates here (%s, %s)\nlook at the trust anchor: unbound-anchor -a %s",
                   dns_state_name(a->state), dns_security_name(a->security), anchor);
    dns_scope_free(s);
}

/* The module and the Unbound it was built for (package assay-unbound): do they fit, and is there a newer Unbound to
 * build for? */
static void look_at_module(struct doctor *d)
{
    static const char program[] = "/usr/libexec/assay/assay-unbound-prepare";
    const char *argv[] = {program, "--check", NULL};
    int code;
    if (access(program, X_OK) != 0) {
        doctor_say(d, DOCTOR_NOTE, "the module for Unbound is not installed here (package assay-unbound)");
        return;
    }
    doctor_run(d, argv, &code);
    if (code == 0)
        doctor_say(d, DOCTOR_OK, "the module fits the Unbound it runs in");
    else if (code == 1)
        doctor_say(d, DOCTOR_WARNING,
                   "the distribution has a newer Unbound than the module was built for\napt upgrade assay-unbound, or "
                   "make resolver");
    else
        doctor_say(d, DOCTOR_CRITICAL, "module and Unbound do not fit: names are not judged\n%s --check says why",
                   program);
}

void doctor_resolver(struct doctor *d)
{
    look_at_module(d);
    struct __res_state state;
    unsigned char answer[ANSWER_MAX];
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) {
        doctor_say(d, DOCTOR_UNKNOWN, "this host's resolver settings cannot be read\nlook at /etc/resolv.conf");
        return;
    }
    state.retrans = 2;
    state.retry = 1;
    state.options |= RES_USE_EDNS0 | RES_USE_DNSSEC | RES_TRUSTAD;
    int n = res_nquery(&state, ".", ns_c_in, ns_t_dnskey, answer, sizeof answer);
    res_nclose(&state);
    if (n < (int)sizeof(HEADER))
        doctor_say(d, DOCTOR_UNKNOWN, "this host's resolver does not answer\nlook at /etc/resolv.conf");
    else if (((const HEADER *)(const void *)answer)->ad)
        doctor_say(d, DOCTOR_OK, "this host's resolver validates DNSSEC");
    else
        doctor_say(d, DOCTOR_WARNING,
                   "this host's resolver does not validate DNSSEC: outgoing DANE cannot work\nrun Unbound here, and "
                   "let /etc/resolv.conf say nameserver 127.0.0.1 and options trust-ad");
}
