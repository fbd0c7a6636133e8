// SPDX-License-Identifier: BSD-2-Clause
/*
 * criteria_mail.c - the mail hosts of a domain: MX, their names and addresses, and whether they answer.
 *
 * Pure over the facts. A host that could not be asked is untested if nothing else of ours worked, and a failure only
 * where its neighbours answered.
 */
#include "check/testing.h"

static const char *address_text(struct testing *t, const struct ip *a)
{
    char text[IP_TEXT];
    const char *kept = arena_strdup(t->arena, ip_text(a, text));
    return kept ? kept : "";
}

static void test_mx(struct testing *t)
{
    const struct mail_hosts *m = &t->mail;
    const char *domain = t->facts->domain;
    if (m->unknown)
        testing_say(t, CHECK_MX, CHECK_UNTESTED, NULL, "MX of %s: %s", domain, testing_failure(t, m->mx));
    else if (m->null_mx_mixed)
        testing_say(t, CHECK_MX, CHECK_FAIL, "Remove the record with the single dot, or all the others.",
                    "a null MX (\"0 .\") stands beside other MX records");
    else if (m->null_mx && m->null_mx_odd)
        testing_say(t, CHECK_MX, CHECK_FAIL, arena_printf(t->arena, "%s. MX 0 .", domain),
                    "the MX record says that the domain takes no mail, but its preference is not 0");
    else if (m->null_mx)
        testing_say(t, CHECK_MX, CHECK_PASS, NULL, "the domain takes no mail (null MX)");
    else if (m->implicit && m->count)
        testing_say(t, CHECK_MX, CHECK_PASS, NULL, "no MX: mail goes to the address of %s itself", domain);
    else if (m->implicit)
        testing_say(t, CHECK_MX, CHECK_PASS, NULL, "no MX and no address: the domain takes no mail");
    else if (m->count)
        testing_say(t, CHECK_MX, CHECK_PASS, NULL, "mail servers: %zu", m->count);
    else
        testing_say(t, CHECK_MX, CHECK_FAIL, "Publish an MX record with the name of a mail server.",
                    "no MX record holds a usable name");
}

/* A mail host that senders without IPv6 cannot reach is no harm beside others (RFC 3974). */
static void test_ipv4(struct testing *t)
{
    const struct mail_host *only6 = NULL;
    for (size_t i = 0; i < t->mail.count; i++) {
        const struct mail_host *h = &t->mail.hosts[i];
        if (h->v4->state != DNS_NODATA && h->v4->state != DNS_NXDOMAIN)
            return;
        if (!only6 && h->v6->state == DNS_FOUND)
            only6 = h;
    }
    if (only6)
        testing_say(t, CHECK_MX_HOST, CHECK_FAIL,
                    testing_print(t, "%s. A <IPv4 address of the mail server>", only6->name),
                    "no mail server has an IPv4 address: senders without IPv6 cannot deliver mail");
}

static void test_names(struct testing *t)
{
    if (t->mail.odd && t->mail.count)
        testing_say(t, CHECK_MX_HOST, CHECK_FAIL, "Publish an MX record with the name of a mail server.",
                    "%s in MX is no name of a host", testing_shown(t, slice_str(t->mail.odd), 200));
    for (size_t i = 0; i < t->mail.count; i++) {
        const struct mail_host *h = &t->mail.hosts[i];
        struct ip literal;
        if (h->itself)
            testing_say(t, CHECK_MX_HOST, CHECK_FAIL,
                        "Publish an MX record with the name of a mail server, or remove it from MX.",
                        "%s is no name of a mail server: it means whoever looks it up", h->name);
        else if (h->alias && !t->mail.implicit)
            testing_say(t, CHECK_MX_HOST, CHECK_FAIL, "Name the host itself in the MX record, not its alias.",
                        "%s is an alias (CNAME)", h->name);
        else if (ip_from_text(slice_str(h->name), &literal) == STATUS_OK)
            testing_say(t, CHECK_MX_HOST, CHECK_FAIL, "An MX record holds a name, not an address.", "%s is an address",
                        h->name);
        else if (h->address_count == 0 && h->failed)
            testing_say(t, CHECK_MX_HOST, CHECK_UNTESTED, NULL, "%s: %s", h->name, testing_word(t, h->failed));
        else if (h->address_count == 0)
            testing_say(t, CHECK_MX_HOST, CHECK_FAIL, "Give the mail server an A record, or remove it from MX.",
                        "%s has no address", h->name);
        else
            testing_say(t, CHECK_MX_HOST, CHECK_PASS, NULL, "every mail server has addresses");
    }
}

/* One kind of address of a mail host. */
static void test_signed(struct testing *t, const struct mail_host *h, const struct dns_answer *a)
{
    const char *zone = a->security == DNS_INSECURE ? testing_untestable(t, h->name) : NULL;
    if (a->state == DNS_TEMPFAIL)
        testing_say(t, CHECK_DNSSEC_MX, CHECK_UNTESTED, NULL, "%s: %s", h->name, testing_failure(t, a));
    else if (a->state == DNS_FOUND && a->security == DNS_SECURE)
        testing_say(t, CHECK_DNSSEC_MX, CHECK_PASS, NULL, "signed");
    else if (a->state == DNS_FOUND && zone)
        testing_say_untestable(t, CHECK_DNSSEC_MX, zone);
    else if (a->state == DNS_FOUND && a->security == DNS_INSECURE)
        testing_say(t, CHECK_DNSSEC_MX, CHECK_FAIL, "Ask the mail host to sign the zone of its servers with DNSSEC.",
                    "%s is not signed", h->name);
}

static void test_dnssec(struct testing *t)
{
    for (size_t i = 0; i < t->mail.count; i++) {
        const struct mail_host *h = &t->mail.hosts[i];
        if (h->itself || (h->address_count == 0 && !h->failed)) /* that it leads nowhere is said by test_names */
            continue;
        if (mail_host_is_bogus(h)) {
            t->report->mx_bogus = true;
            testing_say(t, CHECK_DNSSEC_MX, CHECK_FAIL, "Ask the mail host to mend the signatures of its zone.",
                        "%s: its DNSSEC signatures are not valid", h->name);
            continue;
        }
        test_signed(t, h, h->v4);
        test_signed(t, h, h->v6);
    }
}

/* Tells whether SMTP was spoken at all: the host is there, whatever it thought of us. */
static bool is_there(const struct facts_smtp *s)
{
    return s && *s->banner;
}

static void test_ipv6(struct testing *t)
{
    for (size_t i = 0; i < t->mail.count; i++) {
        const struct mail_host *h = &t->mail.hosts[i];
        if (testing_reachable(t->facts, h->v6))
            testing_say(t, CHECK_MX_IPV6, CHECK_PASS, NULL, "every mail server has an IPv6 address");
        else if (h->v6->state == DNS_FOUND && testing_reachable(t->facts, h->v4))
            testing_say(t, CHECK_MX_IPV6, CHECK_FAIL,
                        testing_print(t, "%s. AAAA <IPv6 address of the mail server>", h->name),
                        "%s has no IPv6 address of the public internet", h->name);
        else if (h->v6->state == DNS_NODATA && h->address_count)
            testing_say(t, CHECK_MX_IPV6, CHECK_FAIL,
                        testing_print(t, "%s. AAAA <IPv6 address of the mail server>", h->name),
                        "%s has no IPv6 address", h->name);
        else if (h->failed)
            testing_say(t, CHECK_MX_IPV6, CHECK_UNTESTED, NULL, "%s: %s", h->name, testing_failure(t, h->v6));
    }
}

/* Tells whether nobody could send mail there. A host that takes the connection and then waits, or hangs up, may do so
 * with us alone: a server may keep a client waiting for five minutes (RFC 5321 4.5.3.2.1), and refuse whom it likes. */
static bool is_dead(const struct facts_smtp *s)
{
    return strcmp(s->outcome, "unreachable") == 0 || strcmp(s->outcome, "not SMTP") == 0 ||
           (strcmp(s->outcome, "timed out") == 0 && !s->connected);
}

/* One family of addresses. A silent host is its own fault only where another one answers us. */
static void test_answers(struct testing *t, enum check_test test, int family)
{
    bool any = false;
    for (size_t i = 0; i < t->mail.count; i++)
        for (size_t k = 0; k < t->mail.hosts[i].address_count; k++)
            any = any || is_there(testing_smtp(t->facts, t->mail.hosts[i].name, &t->mail.hosts[i].addresses[k]));
    for (size_t i = 0; i < t->mail.count; i++)
        for (size_t k = 0; k < t->mail.hosts[i].address_count; k++) {
            const struct mail_host *h = &t->mail.hosts[i];
            const struct facts_smtp *s = testing_smtp(t->facts, h->name, &h->addresses[k]);
            if (h->addresses[k].family != family)
                continue;
            const char *ip = address_text(t, &h->addresses[k]);
            if (!s)
                testing_say(t, test, CHECK_UNTESTED, NULL, "%s (%s) was not asked", h->name, ip);
            else if (is_there(s))
                testing_say(t, test, CHECK_PASS, NULL, "every mail server answers");
            else if (strcmp(s->outcome, "not asked") == 0)
                testing_say(t, test, CHECK_UNTESTED, NULL, "%s (%s): not asked: %s", h->name, ip,
                            testing_word(t, s->reason));
            else
                testing_say(t, test, any && is_dead(s) ? CHECK_FAIL : CHECK_UNTESTED,
                            any && is_dead(s) ? "Start the mail server at this address, or remove the address from DNS."
                                              : NULL,
                            "%s (%s): %s: %s", h->name, ip, testing_word(t, s->outcome), testing_word(t, s->reason));
        }
}

/* Tells whether nobody on the internet can reach the address, so that mail of the internet does not come from it. */
static bool is_hidden(const struct testing *t, const struct mail_host *h, const struct ip *a)
{
    const struct facts_smtp *s = testing_smtp(t->facts, h->name, a);
    return s && strcmp(s->reason, FACTS_NOT_PUBLIC) == 0;
}

static void test_ptr_of(struct testing *t, const struct mail_host *h, const struct ip *a)
{
    char arpa[IP_ARPA_TEXT];
    const char *ip = address_text(t, a);
    switch (testing_confirmed(t, a)) {
    case CONFIRMED:
        testing_say(t, CHECK_MX_PTR, CHECK_PASS, NULL, "every address has a name that leads back to it");
        return;
    case CONFIRMED_UNKNOWN:
        testing_say(t, CHECK_MX_PTR, CHECK_UNTESTED, NULL, "the name of %s could not be looked up", ip);
        return;
    case CONFIRMED_NOT:
        testing_say(t, CHECK_MX_PTR, CHECK_ADVICE, arena_printf(t->arena, "%s. PTR %s.", ip_arpa(a, arpa), h->name),
                    "%s (%s) has no name that leads back to it", h->name, ip);
        return;
    }
}

/* Tells whether the address is that of a web page alone: the domain names no mail server, sends no mail, and nobody
 * answers on port 25. Such a domain takes no mail, though RFC 5321 5.1 lets senders try. */
static bool is_parked(struct testing *t)
{
    const struct mail_host *h = &t->mail.hosts[0];
    if (!t->mail.implicit || !t->mail.count || !criteria_spf_sends_nothing(t))
        return false;
    for (size_t i = 0; i < h->address_count; i++) {
        const struct facts_smtp *s = testing_smtp(t->facts, h->name, &h->addresses[i]);
        if (!s || !is_dead(s))
            return false;
    }
    return h->address_count > 0;
}

void criteria_mail(struct testing *t)
{
    mail_hosts_find(t->scope, t->arena, t->facts->domain, &t->mail);
    if (is_parked(t)) {
        t->mail.count = 0;
        testing_say(t, CHECK_MX, CHECK_ADVICE, arena_printf(t->arena, "%s. MX 0 .", t->facts->domain),
                    "no MX, no mail is sent, and no mail server answers at the address of %s", t->facts->domain);
        return;
    }
    t->report->receives = t->mail.count > 0 || t->mail.unknown;
    test_mx(t);
    test_names(t);
    test_ipv4(t);
    test_dnssec(t);
    test_ipv6(t);
    test_answers(t, CHECK_MX_ANSWER, 4);
    if (t->mail.more)
        testing_say(t, CHECK_MX_ANSWER, CHECK_UNTESTED, NULL,
                    "not all are asked; mail servers: %d, addresses of each: %d", FACTS_MX, TESTING_ADDRESSES);
    if (t->facts->ipv6 == FACTS_YES)
        test_answers(t, CHECK_MX_IPV6_REACH, 6);
    else if (t->report->results[CHECK_MX_IPV6].state == CHECK_PASS)
        testing_say(t, CHECK_MX_IPV6_REACH, CHECK_UNTESTED, NULL, "this computer has no IPv6");
    for (size_t i = 0; i < t->mail.count; i++)
        for (size_t k = 0; k < t->mail.hosts[i].address_count; k++)
            if (!is_hidden(t, &t->mail.hosts[i], &t->mail.hosts[i].addresses[k]))
                test_ptr_of(t, &t->mail.hosts[i], &t->mail.hosts[i].addresses[k]);
}
