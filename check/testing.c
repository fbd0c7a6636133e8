// SPDX-License-Identifier: BSD-2-Clause
/*
 * testing.c - records results, and finds a domain's mail hosts (testing.h).
 *
 * Promises one result a test whatever the number of hosts: the most severe state, and the evidence of every host in it.
 * Fails only for memory, which the arena remembers.
 */
#include "check/testing.h"
#include "base/utf8.h"
#include "standards/message/taglist.h"
#include <stdio.h>
#include <stdlib.h>

#define FIX 900          /* octets of what to do: a line of a letter (RFC 5322 2.1.1); our own limit */
#define EVIDENCE 2000    /* octets of one result's evidence; our own limit */
#define TESTING_NAMES 10 /* names of one address that are looked up (RFC 7208 4.6.4 has the same for ptr) */

static const struct check_test_info infos[CHECK_TESTS] = {
#define CHECK_TEST(id, name, standard, level, weight, cap, who, breaks, sentence, source)                              \
    [CHECK_##id] = {name,  STANDARD_##standard, CHECK_##level, weight, CHECK_##cap, CHECK_BY_##who, breaks, sentence,  \
                    source},
#include "check/tests.def"
#undef CHECK_TEST
};

const struct check_test_info *check_test_info(enum check_test t)
{
    return (unsigned)t < CHECK_TESTS ? &infos[t] : NULL;
}

enum check_test check_test_from_name(struct slice name)
{
    int i = 0;
    while (i < CHECK_TESTS && !slice_eq(slice_str(infos[i].name), name))
        i++;
    return (enum check_test)i;
}

const char *check_state_name(enum check_state s)
{
    static const char *const names[] = {LANGUAGE_MARK("not applicable"), LANGUAGE_MARK("pass"),
                                        LANGUAGE_MARK("note"),           LANGUAGE_MARK("untested"),
                                        LANGUAGE_MARK("advice"),         LANGUAGE_MARK("fail")};
    return (unsigned)s < sizeof names / sizeof names[0] ? names[s] : "?";
}

const char *check_who_name(enum check_who w)
{
    static const char *const names[] = {"zone", "dns", "mail"};
    return (unsigned)w < sizeof names / sizeof names[0] ? names[w] : "?";
}

const char *check_who_words(enum check_who w)
{
    static const char *const words[] = {LANGUAGE_MARK("whoever keeps the domain's DNS entries"),
                                        LANGUAGE_MARK("whoever runs the domain's name servers"),
                                        LANGUAGE_MARK("whoever runs the domain's mail servers")};
    return (unsigned)w < sizeof words / sizeof words[0] ? words[w] : "?";
}

const char *check_level_name(enum check_level l)
{
    static const char *const names[] = {"required", "recommended", "optional"};
    return (unsigned)l < sizeof names / sizeof names[0] ? names[l] : "?";
}

enum check_state testing_unmet(enum check_test test)
{
    static const enum check_state states[] = {CHECK_FAIL, CHECK_ADVICE, CHECK_NOTE};
    return states[infos[test].level];
}

const char *testing_tag_twice(struct testing *t, struct slice list)
{
    struct taglist_cursor c = TAGLIST_CURSOR(list);
    struct tag one, other;
    while (taglist_next(&c, &one))
        for (struct taglist_cursor rest = c; one.name.n && taglist_next(&rest, &other);)
            if (slice_eq_nocase(one.name, other.name))
                return testing_shown(t, one.name, 40);
    return NULL;
}

const char *testing_shown(struct testing *t, struct slice text, size_t most)
{
    struct buf b = BUF_INIT;
    utf8_add_visible(&b, slice_of(text.p, text.n > most ? most : text.n));
    if (text.n > most)
        buf_adds(&b, "...");
    const char *out = b.failed ? NULL : arena_copy(t->arena, b.p, b.n);
    buf_release(&b);
    return out ? out : "";
}

const char *testing_word(struct testing *t, const char *word)
{
    return testing_shown(t, slice_str(language_text(t->language, word)), 200);
}

const char *testing_print(struct testing *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    const char *text = arena_vprintf(t->arena, language_text(t->language, format), ap);
    va_end(ap);
    return text ? text : "";
}

const char testing_sign_anew[] =
    LANGUAGE_MARK("Ask the DNS host to sign the zone anew, or to make the DS record in the parent zone fit its key.");

bool testing_bogus_alone(const struct testing *t, const struct dns_answer *a)
{
    return a->state == DNS_BOGUS && t->report->results[CHECK_DNSSEC_VALID].state != CHECK_FAIL;
}

const char testing_not_asked[] = LANGUAGE_MARK("not asked");

bool testing_was_not_asked(const struct dns_answer *a)
{
    return a->why && strcmp(a->why, testing_not_asked) == 0;
}

const char *testing_failure(struct testing *t, const struct dns_answer *a)
{
    if (testing_was_not_asked(a))
        return T("not asked");
    const char *words = a->state == DNS_BOGUS ? T("its DNSSEC signatures are not valid") : T("could not be looked up");
    const char *text = a->why ? arena_printf(t->arena, "%s (%s)", words, testing_word(t, a->why)) : words;
    return text ? text : words;
}

/* The text with every octet visible, and its backslashes as they are: parts of it may have been made visible already.
 * What facts say of hosts and outcomes is hostile, wherever it stands. */
static const char *all_visible(struct testing *t, const char *text)
{
    struct buf b = BUF_INIT;
    for (size_t n = strcspn(text, "\n");; n = strcspn(text, "\n")) {
        utf8_add_lines(&b, slice_of(text, n));
        if (!text[n])
            break;
        buf_adds(&b, "\\x0a");
        text += n + 1;
    }
    const char *out = b.failed ? NULL : arena_copy(t->arena, b.p ? b.p : "", b.n);
    buf_release(&b);
    return out;
}

/* The text, cut behind a whole character where it is too long for evidence. */
static const char *within(struct testing *t, const char *text)
{
    size_t n = text ? strlen(text) : 0, at = EVIDENCE;
    if (n <= EVIDENCE)
        return text;
    while (at && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    return arena_copy(t->arena, text, at);
}

/* What to do, and what else: each address and each host wants its own record, and with the first alone the test is not
 * met. A sentence begins with a capital, or a letter that is no ASCII; a record, or a line of a policy, does not. */
static const char *and_fix(struct testing *t, const char *fix, const char *more)
{
    if (!more || strstr(fix, more) || strlen(fix) + strlen(more) > FIX)
        return fix;
    const bool sentence = (*more >= 'A' && *more <= 'Z') || (unsigned char)*more >= 0x80;
    const char *all = arena_printf(t->arena, sentence ? "%s %s" : "%s; %s", fix, more);
    return all ? all : fix;
}

void testing_say(struct testing *t, enum check_test test, enum check_state state, const char *fix, const char *format,
                 ...)
{
    struct check_result *r = &t->report->results[test];
    va_list ap;
    va_start(ap, format);
    const char *text = arena_vprintf(t->arena, language_text(t->language, format), ap);
    va_end(ap);
    fix = language_text(t->language, fix);
    text = text ? within(t, all_visible(t, text)) : NULL;
    fix = fix ? all_visible(t, fix) : NULL;
    bool first = !r->evidence || state > r->state;
    if (!text || (!first && state < r->state))
        return;
    const char *all = first                       ? text
                      : strstr(r->evidence, text) ? r->evidence
                                                  : arena_printf(t->arena, "%s; %s", r->evidence, text);
    if (all && strlen(all) <= EVIDENCE)
        r->evidence = all;
    r->state = state;
    r->fix = first || !r->fix ? fix : and_fix(t, r->fix, fix);
}

const struct facts_smtp *testing_smtp(const struct facts *f, const char *host, const struct ip *a)
{
    for (size_t i = 0; i < f->smtp_count; i++)
        if (ip_eq(&f->smtp[i].address, a) && strcmp(f->smtp[i].host, host) == 0)
            return &f->smtp[i];
    return NULL;
}

bool testing_is_clear(const struct facts_smtp *s)
{
    static const char refusal[] = "the host refuses STARTTLS: ";
    return strcmp(s->outcome, "no STARTTLS") == 0 ||
           (strcmp(s->outcome, "busy") == 0 && strncmp(s->reason, refusal, strlen(refusal)) == 0 &&
            strncmp(s->reason + strlen(refusal), "421", 3) != 0);
}

/* The facts note why an address was not asked, and go by the registries of their day. */
static bool is_public(const struct facts *f, const struct ip *a)
{
    for (size_t i = 0; i < f->smtp_count; i++)
        if (ip_eq(&f->smtp[i].address, a) && strcmp(f->smtp[i].reason, FACTS_NOT_PUBLIC) == 0)
            return false;
    for (size_t i = 0; i < f->server_count; i++)
        if (ip_eq(&f->servers[i].address, a) && strcmp(f->servers[i].why, FACTS_NOT_PUBLIC) == 0)
            return false;
    return true;
}

bool testing_reachable(const struct facts *f, const struct dns_answer *a)
{
    struct ip one;
    for (size_t i = 0; i < a->count; i++)
        if (dns_address(a, i, &one) && is_public(f, &one))
            return true;
    return false;
}

enum testing_confirmed testing_confirmed(struct testing *t, const struct ip *a)
{
    char arpa[IP_ARPA_TEXT];
    const struct dns_answer *ptr = dns_get(t->scope, ip_arpa(a, arpa), DNS_PTR);
    bool failed = ptr->state == DNS_TEMPFAIL || ptr->state == DNS_BOGUS || ptr->count > TESTING_NAMES;
    for (size_t i = 0; i < ptr->count && i < TESTING_NAMES; i++) {
        const char *name = dns_host(t->scope, ptr, i, NULL);
        const struct dns_answer *back = name ? dns_get(t->scope, name, a->family == 4 ? DNS_A : DNS_AAAA) : NULL;
        struct ip found;
        for (size_t k = 0; back && k < back->count; k++)
            if (dns_address(back, k, &found) && ip_eq(&found, a))
                return CONFIRMED;
        failed = failed || (back && (back->state == DNS_TEMPFAIL || back->state == DNS_BOGUS));
    }
    return failed ? CONFIRMED_UNKNOWN : CONFIRMED_NOT;
}

const char *testing_untestable(struct testing *t, const char *name)
{
    for (; name; name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL) {
        const struct dns_answer *ds = dns_get(t->scope, name, DNS_DS);
        if (ds->security == DNS_SECURE) {
            const struct dns_answer *soa = ds->state == DNS_FOUND ? dns_get(t->scope, name, DNS_SOA) : NULL;
            return soa && soa->security == DNS_INSECURE ? name : NULL;
        }
        if (ds->security != DNS_INSECURE)
            return NULL;
    }
    return NULL;
}

static const char unknown_signature[] =
    LANGUAGE_MARK("%s is signed with an algorithm that this check cannot test (DS: algorithm %u, digest type %u)");

void testing_say_untestable(struct testing *t, enum check_test test, const char *zone)
{
    const struct dns_answer *ds = dns_get(t->scope, zone, DNS_DS);
    const unsigned char *p = ds->count && ds->rdata[0].n > 4 ? (const unsigned char *)ds->rdata[0].p : NULL;
    testing_say(t, test, CHECK_UNTESTED, NULL, unknown_signature, zone, p ? p[2] : 0, p ? p[3] : 0);
}

static void add_name_servers(struct dns_scope *scope, const char *name, struct name_servers *out)
{
    for (; name; name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL) {
        const struct dns_answer *ns = dns_get(scope, name, DNS_NS);
        for (size_t i = 0; i < ns->count && out->count < TESTING_NAME_SERVERS; i++) {
            const char *host = dns_host(scope, ns, i, NULL);
            bool known = !host;
            for (size_t k = 0; k < out->count && !known; k++)
                known = strcmp(out->names[k], host) == 0;
            if (!known)
                out->names[out->count++] = host;
        }
        if (ns->count || ns->state == DNS_TEMPFAIL || ns->state == DNS_BOGUS)
            return;
    }
}

void name_servers_find(struct dns_scope *scope, const char *domain, const struct mail_hosts *mail,
                       struct name_servers *out)
{
    out->count = 0;
    add_name_servers(scope, domain, out);
    for (size_t i = 0; i < mail->count; i++)
        add_name_servers(scope, mail->hosts[i].name, out);
}

/* ---- where the mail goes ---- */

bool mail_host_is_bogus(const struct mail_host *h)
{
    return h->v4->state == DNS_BOGUS || h->v6->state == DNS_BOGUS;
}

static bool is_localhost(const char *name)
{
    const char *last = strrchr(name, '.');
    return strcmp(last ? last + 1 : name, "localhost") == 0;
}

static void find_addresses(struct dns_scope *scope, struct mail_host *h)
{
    h->itself = is_localhost(h->name);
    const struct dns_answer *answers[] = {dns_get(scope, h->name, DNS_A), dns_get(scope, h->name, DNS_AAAA)};
    h->v4 = answers[0];
    h->v6 = answers[1];
    h->alias = dns_get(scope, h->name, DNS_CNAME)->state == DNS_FOUND;
    for (size_t k = 0; k < 2; k++) {
        if (answers[k]->state == DNS_TEMPFAIL || answers[k]->state == DNS_BOGUS)
            h->failed = answers[k]->why ? answers[k]->why : "no answer";
        for (size_t i = 0; i < answers[k]->count && i < TESTING_ADDRESSES; i++)
            if (dns_address(answers[k], i, &h->addresses[h->address_count]))
                h->address_count++;
    }
}

static int by_preference(const void *a, const void *b)
{
    const struct mail_host *x = a, *y = b;
    return x->preference != y->preference ? (x->preference > y->preference ? 1 : -1) : strcmp(x->name, y->name);
}

/* The most preferred FACTS_MX hosts, each name once. */
static void find_mx(struct dns_scope *scope, struct arena *arena, struct mail_hosts *out)
{
    struct mail_host *all = ARENA_ARRAY(arena, struct mail_host, out->mx->count);
    size_t count = 0;
    for (size_t i = 0; all && i < out->mx->count; i++) {
        struct mail_host h = {.name = NULL};
        h.name = dns_host(scope, out->mx, i, &h.preference);
        if (h.name && strcmp(h.name, ".") == 0) {
            out->null_mx = true;
            out->null_mx_odd = out->null_mx_odd || h.preference != 0;
        } else if (h.name) {
            all[count++] = h;
        } else {
            out->odd = dns_host_text(scope, out->mx, i, NULL);
        }
    }
    out->null_mx_mixed = out->null_mx && out->mx->count > 1;
    if (!all || (out->null_mx && !out->null_mx_mixed))
        return;
    qsort(all, count, sizeof *all, by_preference);
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (size_t k = 0; k < out->count; k++)
            known = known || strcmp(out->hosts[k].name, all[i].name) == 0;
        if (!known && out->count == FACTS_MX)
            out->more = true;
        else if (!known)
            out->hosts[out->count++] = all[i];
    }
}

void mail_hosts_find(struct dns_scope *scope, struct arena *arena, const char *domain, struct mail_hosts *out)
{
    *out = (struct mail_hosts){.mx = dns_get(scope, domain, DNS_MX)};
    if (out->mx->state == DNS_FOUND) {
        find_mx(scope, arena, out);
    } else if (out->mx->state == DNS_NODATA) {
        out->implicit = true;
        out->hosts[out->count++] = (struct mail_host){.name = domain};
    } else {
        out->unknown = out->mx->state != DNS_NXDOMAIN;
    }
    for (size_t i = 0; i < out->count; i++) {
        dns_start(scope, out->hosts[i].name, DNS_A);
        dns_start(scope, out->hosts[i].name, DNS_AAAA);
        dns_start(scope, out->hosts[i].name, DNS_CNAME);
    }
    for (size_t i = 0; i < out->count; i++) {
        find_addresses(scope, &out->hosts[i]);
        out->more =
            out->more || out->hosts[i].v4->count > TESTING_ADDRESSES || out->hosts[i].v6->count > TESTING_ADDRESSES;
    }
    if (out->implicit && out->hosts[0].address_count == 0 && !out->hosts[0].failed)
        out->count = 0; /* nothing to send to */
}
