// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_decide.c - the resolver's decision on made-up answers: chains, denials, suspensions, rewritten record sets,
 * under a policy that has one of everything. What is checked is the principle: a record set that is given out was
 * proved, or is excused by itself.
 */
#include "policy/policy.h"
#include "resolver-module/decide.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char lines[] =
    "set mode enforce\n"
    "follow dnssec of every name\n"
    "require dnssec of names in required.example\n"
    "require dnssec of names in strict.example strictly\n"
    "always require dnssec of names in always.example\n"
    "trial require dnssec of names in trial.example\n"
    "require dnssec of names in both.example\n"
    "require dnssec of names in exempt.example\n"
    "exempt exempt.example from dnssec because \"b\" agreed by \"a\" through 2027-03-31\n"
    "suspend validation below suspended.example because \"b\" agreed by \"a\" through 2026-11-22\n"
    "suspend validation below both.example because \"b\" agreed by \"a\" through 2026-11-22\n"
    "suspend validation below always.example because \"b\" agreed by \"a\" through 2026-11-22\n";
#define NOON 1795176000 /* 2026-11-20T12:00:00Z */

static const char *const names[] = {
    "free.example",
    "required.example",
    "strict.example",
    "always.example",
    "trial.example",
    "both.example",
    "exempt.example",
    "suspended.example",
    "www.free.example",
    "www.required.example",
    "www.both.example",
    "www.suspended.example",
    "example",
    "",
    "odd\\010.required.example",
    "d.always.example",
};
static const uint16_t types[] = {1, 5, 39, 46, 6, 47, 50, 2};
#define SETS_MAX 8

struct bytes {
    const uint8_t *at;
    size_t left;
};

static unsigned byte_next(struct bytes *b)
{
    if (b->left == 0)
        return 0;
    b->left--;
    return *b->at++;
}

static size_t make_sets(struct bytes *b, struct decide_rrset *sets)
{
    size_t count = byte_next(b) % (SETS_MAX + 1);
    bool authority = false;
    for (size_t i = 0; i < count; i++) {
        unsigned a = byte_next(b), c = byte_next(b), d = byte_next(b);
        authority |= (d & 0x80) != 0; /* the authority section comes last */
        sets[i] = (struct decide_rrset){.owner = names[a & 15],
                                        .type = types[c & 7],
                                        .target = types[c & 7] == 5 || types[c & 7] == 39 ? names[a >> 4] : NULL,
                                        .security = (enum decide_security)(d % 5),
                                        .authority = authority,
                                        .opt_out = types[c & 7] == 50 && (c & 8),
                                        .local = (c & 0xe0) == 0xe0};
    }
    return count;
}

static bool excused(const struct policy *p, const char *owner)
{
    struct policy_question q = {.standard = STANDARD_DNSSEC, .names = true, .who = decide_kept(owner), .at = NOON};
    struct policy_answer a;
    policy_ask(p, &q, &a);
    return decide_suspension(p, owner, NOON) && !(a.always && a.level == POLICY_REQUIRE);
}

static bool is_synthesized(const struct decide_rrset *sets, size_t i)
{
    return i > 0 && sets[i].type == 5 && sets[i - 1].type == 39;
}

static bool required(const struct policy *p, const char *owner)
{
    struct policy_question q = {.standard = STANDARD_DNSSEC, .names = true, .who = decide_kept(owner), .at = NOON};
    struct policy_answer a;
    policy_ask(p, &q, &a);
    return a.level == POLICY_REQUIRE && !a.trial;
}

/* What passes and is not made SERVFAIL: each record set of the answer is proved, or allowed to be what it is. */
static void check_given_out(const struct policy *p, const struct decide_input *in, const struct decide_result *r)
{
    size_t given = r->what == DECIDE_FOLLOW ? r->keep : in->count;
    for (size_t i = 0; i < given; i++) {
        const struct decide_rrset *s = &in->rrsets[i];
        if (s->local || s->authority || s->security == DECIDE_SECURE || is_synthesized(in->rrsets, i))
            continue;
        bool broken = in->security == DECIDE_BOGUS && s->security < DECIDE_INDETERMINATE;
        if (broken ? !excused(p, s->owner) : s->type != 46 && required(p, s->owner))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct policy *p;
    if (!p && !(p = policy_load_text(slice_str(lines), "fuzz", NULL)))
        abort();
    struct bytes b = {data, size};
    struct decide_rrset sets[SETS_MAX];
    static const unsigned rcodes[] = {0, 0, 0, 3, 6, 2, 5, 3};
    unsigned flags = byte_next(&b), kinds = byte_next(&b), name = byte_next(&b);
    struct decide_input in = {
        .name = names[name & 15],
        .type = types[kinds & 7],
        .class = flags & 1 && flags & 2 ? 3 : 1,
        .rcode = rcodes[kinds >> 3 & 7],
        .security = (enum decide_security)((kinds >> 6 | (name >> 4 & 1) << 2) % 5),
        .rrsets = sets,
        .local_denial = flags & 4,
        .followed = flags & 8,
        .own = (flags & 0x30) == 0x30,
        .client_judges = (flags & 0xc0) == 0xc0,
        .at = NOON,
    };
    in.count = make_sets(&b, sets);
    struct decide_result r, again;
    decide(p, &in, &r);
    decide(p, &in, &again);
    if (r.what != again.what || r.state != again.state || strcmp(r.text, again.text) != 0)
        abort();
    if (!r.subject || (r.what == DECIDE_REFUSE && (!r.text[0] || !r.statement)) || (r.would && !r.text[0]))
        abort();
    if (r.what == DECIDE_FOLLOW &&
        (in.followed || r.keep == 0 || r.keep > in.count || r.next != in.rrsets[r.keep - 1].target || !r.next))
        abort();
    bool answers = in.class == 1 && (in.rcode == 0 || in.rcode == 3 || in.rcode == 6);
    bool servfail = r.what == DECIDE_REFUSE || (r.what == DECIDE_PASS && in.security == DECIDE_BOGUS);
    if (answers && !servfail && !in.own && !in.client_judges && in.security != DECIDE_SECURE)
        check_given_out(p, &in, &r);
    return 0;
}
