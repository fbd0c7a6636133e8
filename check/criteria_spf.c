// SPDX-License-Identifier: BSD-2-Clause
/*
 * criteria_spf.c - the SPF record of a domain and all that it includes (RFC 7208).
 *
 * Counts what a receiver would have to look up in the worst case, whoever the client is: each include, a, mx, ptr,
 * exists and redirect is one of the ten terms of section 4.6.4, over the whole tree; names that depend on the mail by
 * their macros are counted and not looked up. Promises to read at most RECORDS records, however they include each
 * other.
 */
#include "base/array.h"
#include "base/domain.h"
#include "check/testing.h"
#include "standards/spf/spf_macro.h"
#include "standards/spf/spf_record.h"
#include <stdlib.h>

#define WIDE6_BITS 8 /* our own limit */
#define RECORDS 40   /* records of one tree; our own limit */
#define TERMS 10u    /* RFC 7208 4.6.4 */
#define VOIDS 2u     /* the same */
#define MX_NAMES 10u /* the same */
#define LABEL 63u    /* octets of a label: RFC 1035 2.3.4 */
#define NAME 253u    /* characters of a name without its final dot: the same */
#define WIDE 1000000.0
#define ANSWER 512u            /* octets of an answer: RFC 7208 3.4 */
#define EVERYBODY 2147483648.0 /* half of all IPv4 addresses */

struct tree {
    struct testing *t;
    unsigned terms, voids, records;
    struct ip_net *nets; /* of IPv4, that are allowed */
    size_t net_count, net_room;
    const char *eleventh; /* the term that is one too many */
    const char *third;    /* the name without an answer that is one too many */
    bool ptr;
    bool allows;  /* a pass of the record being read is a pass of the domain's own: all includes on the way have "+" */
    bool foreign; /* the record being read is an included one */
    bool cut;     /* RECORDS was reached: the rest is not read */
    bool unknown; /* a part could not be looked up */
    bool unread;  /* that part is a record, so its terms are not known */
    unsigned failed; /* names whose look-up failed: they may have an answer or not */
};

enum fetched { FETCHED, FETCHED_NONE, FETCHED_SEVERAL, FETCHED_UNKNOWN };

/* The one SPF record of a name. */
static enum fetched fetch(struct testing *t, const char *domain, struct slice *text, const struct dns_answer **answer)
{
    const struct dns_answer *a = dns_get(t->scope, domain, DNS_TXT);
    unsigned found = 0;
    *answer = a;
    for (size_t i = 0; i < a->count; i++) {
        struct slice one = dns_txt(t->scope, a, i);
        if (one.p && spf_record_is(one)) {
            *text = one;
            found++;
        }
    }
    if (a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS)
        return FETCHED_UNKNOWN;
    return found == 0 ? FETCHED_NONE : found == 1 ? FETCHED : FETCHED_SEVERAL;
}

static bool record_sends_nothing(struct testing *t, struct slice text)
{
    struct spf_record r;
    const char *reason;
    return spf_record_parse(t->arena, text, &r, &reason) == STATUS_OK && spf_record_sends_nothing(&r);
}

bool criteria_spf_sends_nothing(struct testing *t)
{
    struct slice text = SLICE_NULL;
    const struct dns_answer *a;
    return fetch(t, t->facts->domain, &text, &a) == FETCHED && record_sends_nothing(t, text);
}

static const char *term_text(struct tree *w, struct slice term, const char *domain)
{
    return testing_print(w->t, "%s in the record of %s", testing_shown(w->t, term, 200), domain);
}

static void count_term(struct tree *w, struct slice term, const char *domain)
{
    if (++w->terms == TERMS + 1)
        w->eleventh = term_text(w, term, domain);
}

static bool is_none(const struct dns_answer *a)
{
    return a->state == DNS_NXDOMAIN || a->state == DNS_NODATA;
}

/* Tells whether a host has no address, of neither family: who asks with the other one would find none either. */
static bool is_void(const struct dns_answer *v4, const struct dns_answer *v6)
{
    return is_none(v4) && is_none(v6);
}

/* RFC 7208 4.6.4 limits the terms for which there is no answer: an mx is one if none of its hosts has an address. */
static void count_void_term(struct tree *w, struct slice term, const char *domain)
{
    if (++w->voids == VOIDS + 1)
        w->third = term_text(w, term, domain);
}

static void count_void(struct tree *w, const struct dns_answer *a, struct slice term, const char *domain)
{
    if (is_none(a))
        count_void_term(w, term, domain);
}

/* The name a term of the record of `domain` speaks of; NULL: it depends on the mail. */
static const char *target_of(struct testing *t, struct slice spec, const char *domain)
{
    const struct spf_macro_values values = {.sender_domain = t->facts->domain, .domain = domain};
    struct buf name = BUF_INIT;
    if (spec.n == 0)
        return domain;
    bool known = spf_macro_is_fixed(spec) && spf_macro_domain(spec, &values, &name) == STATUS_OK;
    const char *kept = known ? arena_copy(t->arena, name.p, name.n) : NULL;
    buf_release(&name);
    return kept;
}

static void add_net(struct tree *w, const struct ip *a, unsigned bits)
{
    if (a->family != 4)
        return;
    if (w->net_count == w->net_room) {
        struct ip_net *more = array_grow_in(w->t->arena, w->nets, &w->net_room, 64, sizeof *more);
        if (!more)
            return;
        w->nets = more;
    }
    w->nets[w->net_count++] = ip_net_of(a, bits);
}

/* The addresses of an answer, each with the networks of a term around it. */
static void add_answer(struct tree *w, const struct dns_answer *a, const struct spf_term *term)
{
    struct ip address;
    for (size_t i = 0; i < a->count && w->allows && term->qualifier == RESULT_PASS; i++)
        if (dns_address(a, i, &address))
            add_net(w, &address, term->bits4);
}

/* By address, the larger network first. */
static int by_base(const void *a, const void *b)
{
    const struct ip_net *x = a, *y = b;
    int order = memcmp(x->base.octets, y->base.octets, 4);
    return order ? order : (x->bits > y->bits) - (x->bits < y->bits);
}

/* How many IPv4 addresses are allowed. Of two networks one holds the other, or they have nothing in common. */
static double count_addresses(const struct tree *w)
{
    double n = 0;
    const struct ip_net *last = NULL;
    if (w->net_count)
        qsort(w->nets, w->net_count, sizeof *w->nets, by_base);
    for (size_t i = 0; i < w->net_count; i++) {
        if (last && ip_in_net(&w->nets[i].base, last))
            continue;
        last = &w->nets[i];
        n += (double)(UINT64_C(1) << (32 - last->bits));
    }
    return n;
}

/* Notes a look-up that failed. */
static void note_failure(struct tree *w, const struct dns_answer *a)
{
    const bool failed = a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS;
    w->unknown = w->unknown || failed;
    w->failed += failed;
}

/* ip6:, and a or mx with a prefix for IPv6: so much of the address space is the whole internet. */
static bool is_wide6(const struct tree *w, const struct spf_term *term)
{
    unsigned bits = term->kind == SPF_TERM_IP6 ? term->net.bits : term->bits6;
    return w->allows && term->qualifier == RESULT_PASS && bits <= WIDE6_BITS;
}

/* What to do about a record that allows everybody: whoever keeps it can mend it. */
static const char *everybody_fix(struct testing *t, const char *domain, const char *own)
{
    if (domain_is_within(domain, t->facts->domain))
        return own;
    return testing_print(
        t, "Remove what leads to the record of %s, or ask whoever keeps it to allow their own networks only.", domain);
}

static void say_wide6(struct tree *w, const struct spf_term *term, const char *domain)
{
    testing_say(w->t, CHECK_SPF_EVERYBODY, CHECK_FAIL,
                everybody_fix(w->t, domain, LANGUAGE_MARK("List your own networks only.")), "%s",
                term_text(w, term->text, domain));
}

static void walk_address(struct tree *w, const struct spf_term *term, const char *name, const char *domain)
{
    const struct dns_answer *v4 = dns_get(w->t->scope, name, DNS_A), *v6 = dns_get(w->t->scope, name, DNS_AAAA);
    if (is_void(v4, v6))
        count_void(w, v4, term->text, domain);
    note_failure(w, v4);
    add_answer(w, v4, term);
    if (is_wide6(w, term) && v6->state == DNS_FOUND)
        say_wide6(w, term, domain);
}

static void walk_mx(struct tree *w, const struct spf_term *term, const char *name, const char *domain)
{
    const struct dns_answer *mx = dns_get(w->t->scope, name, DNS_MX);
    count_void(w, mx, term->text, domain);
    note_failure(w, mx);
    if (mx->count > MX_NAMES)
        testing_say(w->t, CHECK_SPF_LOOKUPS, CHECK_FAIL, "List the addresses in place of mx.",
                    "%s: %zu mail hosts, at most %u are looked up", term_text(w, term->text, domain), mx->count,
                    MX_NAMES);
    bool any_address = false, any_void = false;
    for (size_t i = 0; i < mx->count && i < MX_NAMES; i++) {
        const char *host = dns_host_text(w->t->scope, mx, i, NULL);
        const struct dns_answer *a = host && strcmp(host, ".") != 0 ? dns_get(w->t->scope, host, DNS_A) : NULL;
        if (a) {
            note_failure(w, a);
            add_answer(w, a, term);
            any_void = any_void || is_void(a, dns_get(w->t->scope, host, DNS_AAAA));
            any_address = any_address || !is_void(a, dns_get(w->t->scope, host, DNS_AAAA));
        }
        if (host && is_wide6(w, term) && dns_get(w->t->scope, host, DNS_AAAA)->state == DNS_FOUND)
            say_wide6(w, term, domain);
    }
    if (any_void && !any_address)
        count_void_term(w, term->text, domain);
}

/* What is wrong with a domain-spec as a name (RFC 1035 2.3.4): receivers make nothing of it, or an error of the whole
 * record (RFC 7208 4.8). What a macro stands for is not known, and a name that is too long with it is cut (7.3). NULL:
 * nothing. */
static const char *wrong_name(struct slice spec)
{
    const bool macros = memchr(spec.p, '%', spec.n) != NULL;
    size_t label = 0;
    bool whole = true; /* the label is known, octet by octet */
    if (spec.n > 1 && spec.p[spec.n - 1] == '.')
        spec.n--;
    for (size_t i = 0; i <= spec.n; i++) {
        const char c = i < spec.n ? spec.p[i] : '.';
        if (c == '%') { /* "%{...}", or one of "%%", "%_" and "%-" */
            const char *close = i + 1 < spec.n && spec.p[i + 1] == '{' ? memchr(spec.p + i, '}', spec.n - i) : NULL;
            i = close ? (size_t)(close - spec.p) : i + 1;
            whole = false;
        } else if (c != '.') {
            label++;
        } else if (whole && label == 0) {
            return LANGUAGE_MARK("its name has an empty label");
        } else if (label > LABEL) {
            return LANGUAGE_MARK("its name has a label of more than 63 octets");
        } else {
            label = 0;
            whole = true;
        }
    }
    return !macros && spec.n > NAME ? LANGUAGE_MARK("its name has more than 253 octets") : NULL;
}

/* Tells whether the name of a term can be looked up; else says so. */
static bool check_name(struct tree *w, struct slice term, struct slice spec, const char *domain)
{
    const char *why = spec.n ? wrong_name(spec) : NULL;
    if (why)
        testing_say(w->t, CHECK_SPF_SYNTAX, CHECK_FAIL, "Remove this term, or correct its name.", "%s: %s",
                    term_text(w, term, domain), testing_word(w->t, why));
    return !why;
}

static void walk_record(struct tree *w, const char *domain, struct slice text, unsigned depth);

/* An include or a redirect: the record there must be. */
static void walk_into(struct tree *w, struct slice term, struct slice spec, const char *domain, unsigned depth)
{
    const char *name = target_of(w->t, spec, domain);
    const struct dns_answer *a = NULL;
    struct slice text = SLICE_NULL;
    count_term(w, term, domain);
    if (!check_name(w, term, spec, domain) || !name)
        return;
    if (w->records >= RECORDS || depth >= RECORDS) {
        w->cut = true;
        return;
    }
    switch (fetch(w->t, name, &text, &a)) {
    case FETCHED:
        walk_record(w, name, text, depth + 1);
        return;
    case FETCHED_NONE:
        count_void(w, a, term, domain);
        testing_say(w->t, CHECK_SPF_SYNTAX, CHECK_FAIL, "Remove this term, or correct its name.",
                    "%s: there is no SPF record", term_text(w, term, domain));
        return;
    case FETCHED_SEVERAL:
        testing_say(w->t, CHECK_SPF_SYNTAX, CHECK_FAIL, "Ask whoever keeps that name to leave one SPF record.",
                    "%s: several SPF records", term_text(w, term, domain));
        return;
    case FETCHED_UNKNOWN:
        w->unknown = w->unread = true;
        if (testing_bogus_alone(w->t, a)) /* RFC 7208 5.2: temperror, each time, and mail is put off */
            testing_say(w->t, CHECK_SPF_SYNTAX, CHECK_FAIL, testing_sign_anew, "%s: %s", term_text(w, term, domain),
                        testing_failure(w->t, a));
        else
            testing_say(w->t, CHECK_SPF_SYNTAX, CHECK_UNTESTED, NULL, "%s: %s", term_text(w, term, domain),
                        testing_failure(w->t, a));
        return;
    }
}

/* A name without macros is the same for every client: if it has an address everybody matches (RFC 7208 5.7). */
static void walk_exists(struct tree *w, const struct spf_term *term, const char *name, const char *domain, bool passes)
{
    const struct dns_answer *a = dns_get(w->t->scope, name, DNS_A);
    count_void(w, a, term->text, domain);
    note_failure(w, a);
    if (passes && a->state == DNS_FOUND)
        testing_say(w->t, CHECK_SPF_EVERYBODY, CHECK_FAIL,
                    everybody_fix(w->t, domain, LANGUAGE_MARK("Remove this term.")),
                    "%s matches whoever sends: the name has an address", term_text(w, term->text, domain));
}

static void walk_term(struct tree *w, const struct spf_term *term, const char *domain, unsigned depth)
{
    const char *name = target_of(w->t, term->domain, domain);
    bool passes = w->allows && term->qualifier == RESULT_PASS;
    switch (term->kind) {
    case SPF_TERM_ALL:
        if (passes)
            testing_say(w->t, CHECK_SPF_EVERYBODY, CHECK_FAIL,
                        everybody_fix(w->t, domain, LANGUAGE_MARK("End the record with -all.")), "%s",
                        term_text(w, term->text, domain));
        return;
    case SPF_TERM_INCLUDE: {
        bool allows = w->allows, foreign = w->foreign;
        w->allows = passes;
        w->foreign = true;
        walk_into(w, term->text, term->domain, domain, depth);
        w->allows = allows;
        w->foreign = foreign;
        return;
    }
    case SPF_TERM_IP4:
        if (passes)
            add_net(w, &term->net.base, term->net.bits);
        return;
    case SPF_TERM_IP6:
        if (is_wide6(w, term))
            say_wide6(w, term, domain);
        return;
    case SPF_TERM_A:
    case SPF_TERM_MX:
    case SPF_TERM_PTR:
    case SPF_TERM_EXISTS:
        count_term(w, term->text, domain);
        w->ptr = w->ptr || term->kind == SPF_TERM_PTR;
        if (!check_name(w, term->text, term->domain, domain))
            return;
        if (name && term->kind == SPF_TERM_A)
            walk_address(w, term, name, domain);
        else if (name && term->kind == SPF_TERM_MX)
            walk_mx(w, term, name, domain);
        else if (name && term->kind == SPF_TERM_EXISTS)
            walk_exists(w, term, name, domain, passes);
        return;
    case SPF_TERM_KINDS:
        return;
    }
}

/* What to do about a record that cannot be read: whoever keeps it can mend it. */
static const char *record_fix(struct testing *t, const char *domain)
{
    if (domain_is_within(domain, t->facts->domain))
        return LANGUAGE_MARK("Correct the record.");
    return testing_print(t, "Ask whoever keeps %s to correct its SPF record, or remove what leads to it.", domain);
}

static void walk_record(struct tree *w, const char *domain, struct slice text, unsigned depth)
{
    struct spf_record r;
    const char *reason = NULL;
    w->records++;
    if (spf_record_parse(w->t->arena, text, &r, &reason) != STATUS_OK) {
        testing_say(w->t, CHECK_SPF_SYNTAX, CHECK_FAIL, record_fix(w->t, domain), "the record of %s: %s", domain,
                    testing_word(w->t, reason ? reason : LANGUAGE_MARK("cannot be read")));
        return;
    }
    bool ends = false;
    for (size_t i = 0; i < r.count && !ends; i++) {
        walk_term(w, &r.terms[i], domain, depth);
        ends = r.terms[i].kind == SPF_TERM_ALL;
    }
    /* The explanation is that of the domain's own record, or of the one redirected to (RFC 7208 6.2). */
    if (!w->foreign)
        (void)check_name(w, r.exp, r.exp, domain);
    if (!ends && r.redirect.n)
        walk_into(w, r.redirect_text, r.redirect, domain, depth);
}

/* What the record says of everybody else, redirects followed; NEUTRAL where it says nothing (RFC 7208 4.7). A redirect
 * that leads to no record is PERMERROR (6.1), and one that cannot be followed here TEMPERROR. */
static enum result last_word(struct testing *t, const char *domain, struct slice text)
{
    const struct dns_answer *a;
    for (unsigned hops = 0; hops < TERMS; hops++) {
        struct spf_record r;
        const char *reason;
        if (spf_record_parse(t->arena, text, &r, &reason) != STATUS_OK)
            return RESULT_PERMERROR;
        for (size_t i = 0; i < r.count; i++)
            if (r.terms[i].kind == SPF_TERM_ALL)
                return r.terms[i].qualifier;
        if (!r.redirect.n)
            return RESULT_NEUTRAL;
        domain = target_of(t, r.redirect, domain);
        enum fetched got = domain ? fetch(t, domain, &text, &a) : FETCHED_UNKNOWN;
        if (got != FETCHED)
            return got == FETCHED_UNKNOWN ? RESULT_TEMPERROR : RESULT_PERMERROR;
    }
    return RESULT_PERMERROR;
}

static void judge_spf_policy(struct testing *t, struct slice text)
{
    enum result word = last_word(t, t->facts->domain, text);
    if (word == RESULT_FAIL || word == RESULT_SOFTFAIL)
        testing_say(t, CHECK_SPF_POLICY, CHECK_PASS, NULL, "%s",
                    word == RESULT_FAIL ? T("mail from elsewhere fails (-all)")
                                        : T("mail from elsewhere is doubtful (~all)"));
    else if (word == RESULT_NEUTRAL)
        testing_say(t, CHECK_SPF_POLICY, CHECK_FAIL, "End the record with -all, or with ~all.",
                    "the record says nothing about mail from elsewhere");
    else if (word == RESULT_TEMPERROR)
        testing_say(t, CHECK_SPF_POLICY, CHECK_UNTESTED, NULL, "the redirect could not be followed");
}

/* Says "untested" and returns true if a part that could not be looked up may change the result of this test. */
static bool is_untested(struct testing *t, enum check_test test, bool unknown)
{
    if (unknown)
        testing_say(t, test, CHECK_UNTESTED, NULL, "a part of the record could not be looked up");
    return unknown;
}

static void judge_tree(struct testing *t, const struct tree *w)
{
    const double addresses = count_addresses(w);
    if (w->cut)
        testing_say(t, CHECK_SPF_SYNTAX, CHECK_FAIL, "Remove the include that leads back to itself.",
                    "the records include each other without end");
    testing_say(t, CHECK_SPF_SYNTAX, CHECK_PASS, NULL, "records read: %u", w->records);
    if (w->eleventh)
        testing_say(t, CHECK_SPF_LOOKUPS, CHECK_FAIL, "Remove includes, or list the networks they stand for.",
                    "%u look-ups, at most %u; one too many is %s", w->terms, TERMS, w->eleventh);
    else if (!is_untested(t, CHECK_SPF_LOOKUPS, w->unread))
        testing_say(t, CHECK_SPF_LOOKUPS, CHECK_PASS, NULL, "%u of %u look-ups", w->terms, TERMS);
    if (w->third)
        testing_say(t, CHECK_SPF_VOID, CHECK_FAIL, "Remove the names that do not exist.",
                    "%u names without an answer, at most %u; one too many is %s", w->voids, VOIDS, w->third);
    else if (!is_untested(t, CHECK_SPF_VOID, w->unread || w->voids + w->failed > VOIDS))
        testing_say(t, CHECK_SPF_VOID, CHECK_PASS, NULL, "names without an answer: %u", w->voids);
    if (addresses >= EVERYBODY)
        testing_say(t, CHECK_SPF_EVERYBODY, CHECK_FAIL, "List your own networks only.",
                    "the record allows %.0f IPv4 addresses", addresses);
    if (!is_untested(t, CHECK_SPF_EVERYBODY, w->unknown))
        testing_say(t, CHECK_SPF_EVERYBODY, CHECK_PASS, NULL, "not everybody is allowed");
    if (addresses >= WIDE)
        testing_say(t, CHECK_SPF_WIDE, CHECK_ADVICE, "List the networks that really send.",
                    "the record allows %.0f IPv4 addresses", addresses);
    else if (!is_untested(t, CHECK_SPF_WIDE, w->unknown))
        testing_say(t, CHECK_SPF_WIDE, CHECK_PASS, NULL, "%.0f IPv4 addresses are allowed", addresses);
    if (w->ptr)
        testing_say(t, CHECK_SPF_PTR, CHECK_ADVICE, "List the addresses in place of ptr.", "the record uses ptr");
    else if (!is_untested(t, CHECK_SPF_PTR, w->unread))
        testing_say(t, CHECK_SPF_PTR, CHECK_PASS, NULL, "no ptr");
}

/* The octets of an answer with all texts of the domain, without EDNS and signatures: a header, the question, and each
 * record behind a compressed name (RFC 1035 section 4). */
static void test_size(struct testing *t, const struct dns_answer *a)
{
    size_t n = 12 + strlen(t->facts->domain) + 2 + 4;
    for (size_t i = 0; i < a->count; i++)
        n += 12 + a->rdata[i].n;
    if (n > ANSWER)
        testing_say(t, CHECK_SPF_SIZE, CHECK_ADVICE,
                    "Remove texts that nobody needs any more, or list fewer networks in the SPF record.",
                    "an answer with all texts of %s has %zu octets, advised are at most %u", t->facts->domain, n,
                    ANSWER);
    else
        testing_say(t, CHECK_SPF_SIZE, CHECK_PASS, NULL, "%zu of %u octets", n, ANSWER);
}

void criteria_spf(struct testing *t)
{
    struct slice text = SLICE_NULL;
    const struct dns_answer *a = NULL;
    struct tree w = {.t = t, .allows = true};
    enum fetched got = fetch(t, t->facts->domain, &text, &a);
    t->report->sends = true;
    if (got == FETCHED_UNKNOWN) {
        testing_say(t, CHECK_SPF, CHECK_UNTESTED, NULL, "TXT of %s: %s", t->facts->domain, testing_failure(t, a));
        testing_say(t, CHECK_SPF_EVERYBODY, CHECK_UNTESTED, NULL, "the SPF record could not be looked up");
    } else if (got == FETCHED_NONE) {
        /* without MX records mx matches nothing (RFC 7208 5.4) */
        const char *who = t->mail.implicit && t->mail.count ? "a " : t->mail.count || t->mail.unknown ? "mx " : "";
        testing_say(t, CHECK_SPF, CHECK_FAIL,
                    arena_printf(t->arena, "%s. TXT \"v=spf1 %s-all\"", t->facts->domain, who),
                    "there is no SPF record");
    } else if (got == FETCHED_SEVERAL) {
        testing_say(t, CHECK_SPF, CHECK_FAIL, "Join the SPF records into one.", "there are several SPF records");
    } else {
        testing_say(t, CHECK_SPF, CHECK_PASS, NULL, "%s", testing_shown(t, text, 450));
        t->report->sends = !record_sends_nothing(t, text);
        test_size(t, a);
        walk_record(&w, t->facts->domain, text, 0);
        judge_tree(t, &w);
        judge_spf_policy(t, text);
    }
}
