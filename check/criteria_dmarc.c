// SPDX-License-Identifier: BSD-2-Clause
/*
 * criteria_dmarc.c - DMARC (RFC 9989), the keys of DKIM, and BIMI.
 *
 * Pure over the facts. DMARC is read by the project's own engine, so that a check and a verdict see one record. DKIM
 * keys are looked at only where a selector is known: none known is "not known", never a failure.
 */
#include "base/domain.h"
#include "check/testing.h"
#include "standards/dkim/dkim_keyrec.h"
#include "standards/dmarc/dmarc.h"
#include "standards/message/taglist.h"

#define RSA_LEAST 1024u /* RFC 8301 3.2 */
#define RSA_GOOD 2048u
#define KEPT 400u /* octets of a tag that is told again; our own limit */

/* The policy to ask for: where no mail is sent, none can be hurt. */
static const char *wanted_policy(const struct testing *t)
{
    return t->report->sends ? "quarantine" : "reject";
}

/* The record to publish where there is none. A domain that takes no mail has no address for reports. */
static const char *record_fix(struct testing *t)
{
    const char *d = t->facts->domain;
    return t->report->receives ? arena_printf(t->arena, "_dmarc.%s. TXT \"v=DMARC1; p=%s; rua=mailto:dmarc@%s\"", d,
                                              wanted_policy(t), d)
                               : arena_printf(t->arena, "_dmarc.%s. TXT \"v=DMARC1; p=%s\"", d, wanted_policy(t));
}

/* Tells whether a tag goes on to hold when the policy is raised: not what lowers the policy, and no text that a zone
 * file would take for something else. */
static bool is_kept_tag(const struct tag *tag)
{
    static const char *const kept[] = {"rua", "ruf", "fo", "adkim", "aspf", "psd"}, *const below[] = {"sp", "np"};
    bool found = false;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        found = found || slice_eq_nocase(tag->name, slice_str(kept[i]));
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++)
        found = found ||
                (slice_eq_nocase(tag->name, slice_str(below[i])) && slice_eq_nocase(tag->value, SLICE_LIT("reject")));
    for (size_t i = 0; i < tag->value.n; i++)
        found = found && tag->value.p[i] >= ' ' && tag->value.p[i] < 0x7f && !strchr("\"\\", tag->value.p[i]);
    return found && tag->valid && tag->value.n && tag->value.n <= KEPT;
}

/* The record that is there now, or what was meant as one, with a policy that protects. meant: it counts for nothing as
 * it stands, so that nobody's mail is hurt by what it asks for already. */
static const char *policy_fix(struct testing *t, struct slice text, bool meant)
{
    struct taglist_cursor c = TAGLIST_CURSOR(text);
    struct tag tag;
    struct buf b = BUF_INIT;
    bool rua = false;
    const char *policy = wanted_policy(t);
    while (taglist_next(&c, &tag) && b.n <= KEPT) {
        if (is_kept_tag(&tag)) {
            rua = rua || slice_eq_nocase(tag.name, SLICE_LIT("rua"));
            buf_printf(&b, "; %.*s=%.*s", (int)tag.name.n, tag.name.p, (int)tag.value.n, tag.value.p);
        } else if (meant && slice_eq_nocase(tag.name, SLICE_LIT("p")) &&
                   slice_eq_nocase(tag.value, SLICE_LIT("reject"))) {
            policy = "reject";
        }
    }
    const char *fix = rua && !b.failed
                          ? arena_printf(t->arena, "_dmarc.%s. TXT \"v=DMARC1; p=%s%s\"", t->facts->domain, policy, b.p)
                          : record_fix(t);
    buf_release(&b);
    return fix;
}

/* A text at the right place that was meant as a record and is none. */
static struct slice near_miss(struct testing *t)
{
    const char *name = arena_printf(t->arena, "_dmarc.%s", t->facts->domain);
    const struct dns_answer *a = name ? dns_get(t->scope, name, DNS_TXT) : NULL;
    for (size_t i = 0; a && i < a->count; i++) {
        struct slice text = slice_trim(dns_txt(t->scope, a, i));
        if (text.n >= 4 && !dmarc_is_record(text) &&
            (slice_eq_nocase(slice_of(text.p, 2), SLICE_LIT("v=")) ||
             slice_eq_nocase(slice_of(text.p, 2), SLICE_LIT("p="))))
            return text;
    }
    return SLICE_NULL;
}

/* Which question failed, and how: where the record is looked for is more than one name. */
static void say_not_known(struct testing *t, const struct dmarc_finding *f)
{
    for (size_t i = 0; f->walk && i < f->walk->count; i++) {
        const struct dmarc_step *step = &f->walk->steps[i];
        const struct dns_answer a = {.state = step->state, .why = step->why};
        if (a.state != DNS_TEMPFAIL && a.state != DNS_BOGUS)
            continue;
        const char *name = arena_printf(t->arena, "_dmarc.%s", step->domain);
        testing_say(t, CHECK_DMARC, CHECK_UNTESTED, NULL, "TXT of %s: %s", name ? name : step->domain,
                    testing_failure(t, &a));
        return;
    }
    testing_say(t, CHECK_DMARC, CHECK_UNTESTED, NULL, "%s", testing_word(t, f->reason));
}

static bool test_record(struct testing *t, const struct dmarc_finding *f)
{
    const struct dmarc_step *own = f->walk ? f->walk->author : NULL;
    if (own && own->records > 1) {
        testing_say(t, CHECK_DMARC, CHECK_FAIL, "Leave one DMARC record.", "%u DMARC records at _dmarc.%s",
                    own->records, t->facts->domain);
    } else if (!f->record && f->dns_failed) {
        say_not_known(t, f);
    } else if (!f->record) {
        struct slice close = near_miss(t);
        testing_say(t, CHECK_DMARC, CHECK_FAIL, close.p ? policy_fix(t, close, true) : record_fix(t),
                    close.p ? "there is no DMARC record that can be read; found: %s" : "there is no DMARC record%s",
                    close.p ? testing_shown(t, close, 200) : "");
    } else {
        testing_say(t, CHECK_DMARC, CHECK_PASS, NULL, "_dmarc.%s: %s", f->record_domain,
                    testing_shown(t, slice_str(f->record->text), 450));
        return true;
    }
    return false;
}

/* Tells whether the text has a tag of this name at all, valid or not. */
static bool has_tag(const char *text, const char *tag)
{
    size_t n = strlen(tag);
    for (const char *p = text; p; p = strchr(p, ';')) {
        p += strspn(p, "; \t");
        if (strncasecmp(p, tag, n) == 0 && (p[n] == '=' || p[n] == ' '))
            return true;
    }
    return false;
}

/* Tells whether the text has the tag with none of these values, one letter each. A receiver then takes the default
 * (RFC 9989 4.7). */
static bool has_other_value(const char *text, const char *tag, const char *values)
{
    struct slice rest = slice_str(text);
    while (rest.n) {
        const char *semicolon = memchr(rest.p, ';', rest.n);
        struct slice field = slice_of(rest.p, semicolon ? (size_t)(semicolon - rest.p) : rest.n);
        rest = slice_from(rest, semicolon ? field.n + 1 : field.n);
        const char *equals = field.n ? memchr(field.p, '=', field.n) : NULL;
        size_t name = equals ? (size_t)(equals - field.p) : 0;
        if (!equals || !slice_eq_nocase(slice_trim(slice_of(field.p, name)), slice_str(tag)))
            continue;
        struct slice value = slice_trim(slice_from(field, name + 1));
        const char one[] = {value.n ? value.p[0] : '\0', '\0'};
        return value.n != 1 || strcasestr(values, one) == NULL;
    }
    return false;
}

/* Tells whether something between two semicolons is not NAME=VALUE; only the last may be empty (RFC 9989 4.8). */
static bool has_odd_field(const char *text)
{
    struct slice rest = slice_str(text), field;
    while (taglist_piece(&rest, ';', &field)) {
        const char *equals = field.n ? memchr(field.p, '=', field.n) : NULL;
        if (field.n ? !equals || equals == field.p : rest.p != NULL)
            return true;
    }
    return false;
}

static void test_syntax(struct testing *t, const struct dmarc_record *r)
{
    const struct {
        const char *tag;
        bool wrong;
    } tags[] = {{"p", r->p_state != DMARC_TAG_VALID},
                {"sp", r->sp_state == DMARC_TAG_INVALID},
                {"np", r->np_state == DMARC_TAG_INVALID},
                {"rua", r->rua_wrong || (r->rua_count == 0 && has_tag(r->text, "rua"))},
                {"ruf", r->ruf_wrong || (r->ruf_count == 0 && has_tag(r->text, "ruf"))},
                {"fo", r->fo_wrong},
                {"adkim", has_other_value(r->text, "adkim", "rs")},
                {"aspf", has_other_value(r->text, "aspf", "rs")},
                {"t", has_other_value(r->text, "t", "yn")},
                {"psd", has_other_value(r->text, "psd", "ynu")}};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        if (tags[i].wrong)
            testing_say(t, CHECK_DMARC_SYNTAX, CHECK_FAIL, "Correct the tag.", "the tag %s %s", tags[i].tag,
                        has_tag(r->text, tags[i].tag) ? T("has no value that can be read") : T("is missing"));
    if (has_odd_field(r->text))
        testing_say(t, CHECK_DMARC_SYNTAX, CHECK_FAIL, "Remove it, or correct it.",
                    "something between semicolons is not NAME=VALUE");
    const char *twice = testing_tag_twice(t, slice_str(r->text));
    if (twice)
        testing_say(t, CHECK_DMARC_SYNTAX, CHECK_FAIL, "Leave the tag once.", "the tag %s stands twice", twice);
    testing_say(t, CHECK_DMARC_SYNTAX, CHECK_PASS, NULL, "every tag can be read");
}

static void test_policy(struct testing *t, const struct dmarc_finding *f)
{
    const struct dmarc_record *r = f->record;
    t->rejects = f->policy == DMARC_POLICY_REJECT && !f->testing;
    bool unreadable = r->p_state == DMARC_TAG_VALID && r->p != DMARC_POLICY_NONE &&
                      (r->sp_state == DMARC_TAG_INVALID || r->np_state == DMARC_TAG_INVALID);
    if (f->policy == DMARC_POLICY_NONE && unreadable) /* RFC 9989 4.7 */
        testing_say(t, CHECK_DMARC_POLICY, CHECK_FAIL, "Correct the tag.",
                    "p=%s counts as none, since another tag cannot be read", dmarc_policy_name(r->p));
    else if (f->policy == DMARC_POLICY_NONE)
        testing_say(t, CHECK_DMARC_POLICY, CHECK_FAIL, policy_fix(t, slice_str(r->text), false), "%s=%s%s",
                    *f->tag ? f->tag : "p", dmarc_policy_name(f->published),
                    f->testing ? T(", and t=y lowers it") : "");
    else if (f->testing) /* RFC 9989 4.7: one step weaker than what is published */
        testing_say(
            t, CHECK_DMARC_POLICY, CHECK_NOTE, "Remove t=y once the reports show that no honest mail of yours fails.",
            "%s=%s, and t=y lowers it to %s", f->tag, dmarc_policy_name(f->published), dmarc_policy_name(f->policy));
    else
        testing_say(t, CHECK_DMARC_POLICY, CHECK_PASS, NULL, "%s=%s", f->tag, dmarc_policy_name(f->policy));
    if (r->pct && strcmp(r->pct, "100") != 0 && f->policy != DMARC_POLICY_NONE) /* RFC 9989 knows it no more */
        testing_say(t, CHECK_DMARC_POLICY, CHECK_NOTE, "Remove pct=.",
                    "pct=%s: receivers by the older RFC 7489 apply the policy to that part of the mail alone",
                    testing_shown(t, slice_str(r->pct), 20));
    if (f->source != DMARC_FROM_AUTHOR || f->policy == DMARC_POLICY_NONE)
        return;
    if (r->sp_state == DMARC_TAG_VALID && r->sp < r->p)
        testing_say(t, CHECK_DMARC_SUB, CHECK_FAIL, "Remove sp=, or make it as strict as p=.",
                    "sp=%s is weaker than p=%s", dmarc_policy_name(r->sp), dmarc_policy_name(r->p));
    if (r->np_state == DMARC_TAG_VALID && r->np < r->p)
        testing_say(t, CHECK_DMARC_SUB, CHECK_FAIL, "Remove np=, or make it as strict as p=.",
                    "np=%s is weaker than p=%s", dmarc_policy_name(r->np), dmarc_policy_name(r->p));
    testing_say(t, CHECK_DMARC_SUB, CHECK_PASS, NULL, "as strict as the domain's own");
}

/* The domain of a mailto: URI, as a canonical name. */
static bool destination(const char *uri, char out[LIMIT_DOMAIN + 1])
{
    const char *at = strncasecmp(uri, "mailto:", 7) == 0 ? strrchr(uri, '@') : NULL;
    return at && domain_from_text(slice_of(at + 1, strcspn(at + 1, "!?/")), out) == STATUS_OK;
}

enum consent { AGREED, AGREED_NOT, AGREED_ELSEWHERE, AGREED_UNKNOWN };

/* RFC 9990 section 4. A record of consent may name another address, on the same host. */
static enum consent agreed(struct testing *t, const char *policy_domain, const char *to)
{
    const struct dmarc_walk *own = dmarc_walk(t->scope, t->arena, policy_domain),
                            *other = dmarc_walk(t->scope, t->arena, to);
    char host[LIMIT_DOMAIN + 1];
    /* If the organisation of one of the two is not known, they may be of the same. */
    const bool unknown = !own || !other || !own->org_domain || !other->org_domain;
    if (own && other && own->org_domain && other->org_domain && strcmp(own->org_domain, other->org_domain) == 0)
        return AGREED;
    const char *name = arena_printf(t->arena, "%s._report._dmarc.%s", policy_domain, to);
    const struct dns_answer *a = name ? dns_get(t->scope, name, DNS_TXT) : NULL;
    for (size_t i = 0; a && i < a->count; i++) {
        struct slice text = dns_txt(t->scope, a, i);
        struct dmarc_record r;
        if (!dmarc_is_record(text))
            continue;
        bool read = dmarc_record_parse(t->arena, text, &r) == STATUS_OK && r.rua_count;
        return read && (!destination(r.rua[0], host) || strcmp(host, to) != 0) ? AGREED_ELSEWHERE : AGREED;
    }
    /* To whoever validates, an answer that is bogus is a failed look-up (RFC 4035 5.5), and that is no refusal. */
    return unknown || !a || a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS ? AGREED_UNKNOWN : AGREED_NOT;
}

/* Tells whether a destination gets the reports: it is the domain's own, or has agreed. */
static void test_destination(struct testing *t, const char *policy_domain, const char *uri)
{
    char to[LIMIT_DOMAIN + 1];
    if (!destination(uri, to))
        return;
    const char *fix = testing_print(t, "Ask whoever keeps %s to publish: %s._report._dmarc.%s. TXT \"v=DMARC1\"", to,
                                    policy_domain, to);
    switch (agreed(t, policy_domain, to)) {
    case AGREED:
        testing_say(t, CHECK_DMARC_EXTERNAL, CHECK_PASS, NULL, "every destination is its own or has agreed");
        return;
    case AGREED_NOT:
        testing_say(t, CHECK_DMARC_EXTERNAL, CHECK_FAIL, fix, "%s has not agreed to receive them", to);
        return;
    case AGREED_ELSEWHERE:
        testing_say(t, CHECK_DMARC_EXTERNAL, CHECK_FAIL, fix,
                    "%s sends them on to another host, so that nobody gets them", to);
        return;
    case AGREED_UNKNOWN:
        testing_say(t, CHECK_DMARC_EXTERNAL, CHECK_UNTESTED, NULL,
                    "whether %s has agreed to receive them could not be looked up", to);
        return;
    }
}

static void test_reports(struct testing *t, const struct dmarc_finding *f)
{
    const struct dmarc_record *r = f->record;
    char host[LIMIT_DOMAIN + 1];
    size_t by_mail = 0;
    const bool elsewhere = !t->report->receives && strcmp(f->record_domain, t->facts->domain) == 0;
    const char *fix = elsewhere ? T("rua=mailto:<an address of yours that takes mail>")
                                : arena_printf(t->arena, "rua=mailto:dmarc@%s", f->record_domain);
    for (size_t i = 0; i < r->rua_count; i++)
        by_mail += destination(r->rua[i], host);
    if (r->rua_count && !by_mail) /* RFC 9990 section 4: reports go by mail; a receiver ignores what it does not know */
        testing_say(t, CHECK_DMARC_RUA, CHECK_ADVICE, fix,
                    "no destination of rua= is a mailto: address, and reports are sent by mail alone");
    else if (r->rua_count == 0)
        testing_say(t, CHECK_DMARC_RUA, CHECK_ADVICE, fix, "no reports are asked for");
    else
        testing_say(t, CHECK_DMARC_RUA, CHECK_PASS, NULL, "destinations: %zu", r->rua_count);
    for (size_t i = 0; i < r->rua_count; i++)
        test_destination(t, f->record_domain, r->rua[i]);
    for (size_t i = 0; i < r->ruf_count; i++)
        test_destination(t, f->record_domain, r->ruf[i]);
}

/* ---- DKIM ---- */

static void judge_key(struct testing *t, const char *selector, const struct dkim_keyrec *k)
{
    struct dkim_pubkey *key = NULL;
    const char *reason = NULL;
    if (k->revoked) {
        testing_say(t, CHECK_DKIM, CHECK_PASS, NULL, "%s: revoked", selector);
        return;
    }
    if (!k->type_known || dkim_pubkey_get(k->type, k->p, &key, &reason) != STATUS_OK) {
        testing_say(t, CHECK_DKIM, CHECK_FAIL, "Publish the key again.", "%s: %s", selector,
                    testing_word(t, reason ? reason : LANGUAGE_MARK("a kind of key that nobody knows")));
        return;
    }
    /* RFC 6376 3.6.1: a key for other services or other hashes verifies no mail; RFC 8301 3.1: SHA-1 counts no more. */
    if (!k->email || !k->sha256) {
        key = dkim_pubkey_release(key);
        testing_say(t, CHECK_DKIM, CHECK_FAIL,
                    k->email ? "Remove h= from the key record." : "Remove s= from the key record.", "%s: %s", selector,
                    k->email ? T("h= leaves out sha256") : T("s= leaves out email"));
        return;
    }
    unsigned bits = dkim_pubkey_bits(key);
    key = dkim_pubkey_release(key);
    if (k->type != KEY_RSA || bits >= RSA_LEAST)
        t->live_selector = selector;
    if (k->type == KEY_RSA && bits < RSA_LEAST)
        testing_say(t, CHECK_DKIM, CHECK_FAIL, "Make a new key of 2048 bits.", "%s: RSA with %u bits", selector, bits);
    else if (k->type == KEY_RSA && bits < RSA_GOOD)
        testing_say(t, CHECK_DKIM, CHECK_ADVICE, "Make a new key of 2048 bits.", "%s: RSA with %u bits", selector,
                    bits);
    if (k->testing)
        testing_say(t, CHECK_DKIM, CHECK_ADVICE, "Remove t=y.", "%s: the key says that it is a test (t=y)", selector);
    else if (k->type != KEY_RSA || bits >= RSA_GOOD)
        testing_say(t, CHECK_DKIM, CHECK_PASS, NULL, "%s: %s", selector, k->type == KEY_RSA ? "RSA" : "Ed25519");
}

static unsigned key_records(struct testing *t, const struct dns_answer *a)
{
    struct dkim_keyrec key;
    const char *reason;
    unsigned n = 0;
    for (size_t i = 0; i < a->count; i++) {
        struct slice text = dns_txt(t->scope, a, i);
        n += text.p && dkim_keyrec_read(text, &key, &reason) == STATUS_OK;
    }
    return n;
}

/* Tells whether mail may be signed by it: false where the key is revoked. */
static bool test_selector(struct testing *t, const struct facts_selector *s)
{
    char name[LIMIT_DOMAIN + 1];
    const char *selector = testing_shown(t, slice_str(s->name), 100), *reason = NULL;
    const struct dns_answer *a;
    struct dkim_keyrec key;
    if (!dkim_keyrec_name(s->name, t->facts->domain, name)) {
        testing_say(t, CHECK_DKIM, CHECK_UNTESTED, NULL, "%s: no name of a selector", selector);
        return true;
    }
    a = dns_get(t->scope, name, DNS_TXT);
    if (key_records(t, a) > 1) /* RFC 6376 3.6.2.2: which one a receiver takes is not defined */
        testing_say(t, CHECK_DKIM, CHECK_FAIL, "Leave one key record at each selector.", "%s: key records: %u",
                    selector, key_records(t, a));
    for (size_t i = 0; i < a->count; i++) {
        struct slice text = dns_txt(t->scope, a, i);
        enum status read = text.p ? dkim_keyrec_read(text, &key, &reason) : STATUS_INVALID;
        if (read == STATUS_OK) {
            judge_key(t, selector, &key);
            return !key.revoked;
        }
    }
    if (testing_bogus_alone(t, a)) /* RFC 6376 6.1.2: a key that cannot be fetched verifies nothing */
        testing_say(t, CHECK_DKIM, CHECK_FAIL, testing_sign_anew, "%s: %s", selector, testing_failure(t, a));
    else if (a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS)
        testing_say(t, CHECK_DKIM, CHECK_UNTESTED, NULL, "%s: %s", selector, testing_failure(t, a));
    else
        testing_say(t, CHECK_DKIM, CHECK_FAIL, "Publish the key of this selector, or stop signing with it.", "%s: %s",
                    selector, testing_word(t, reason ? reason : LANGUAGE_MARK("there is no key")));
    return true;
}

/* "v=BIMI1" and the end or a semicolon, blanks around. */
static bool is_bimi(struct slice text)
{
    struct taglist_cursor c = TAGLIST_CURSOR(text);
    struct tag first;
    return taglist_next(&c, &first) && slice_eq(first.name, SLICE_LIT("v")) &&
           slice_eq(first.value, SLICE_LIT("BIMI1"));
}

static bool is_https(struct slice address)
{
    return address.n > 8 && slice_eq_nocase(slice_of(address.p, 8), SLICE_LIT("https://"));
}

/* Returns what is wrong with a BIMI record, or NULL. It is a list of tags (RFC 6376 3.2); l= and a= must be https:
 * addresses. An empty l= says that there is no logo. */
static const char *wrong_bimi(struct testing *t, struct slice text)
{
    struct taglist_cursor c = TAGLIST_CURSOR(text);
    const char *twice = testing_tag_twice(t, text);
    struct tag tag;
    bool logo = false;
    if (twice)
        return testing_print(t, "the tag %s stands twice", twice);
    while (taglist_next(&c, &tag)) {
        const bool is_logo = slice_eq(tag.name, SLICE_LIT("l"));
        logo = logo || is_logo;
        if (is_logo && !tag.value.n)
            return T("the record says that there is no logo (l= is empty)");
        if (is_logo && !is_https(tag.value))
            return T("l= is not an https: address");
        if (slice_eq(tag.name, SLICE_LIT("a")) && tag.value.n && !is_https(tag.value))
            return T("a= is not an https: address");
    }
    return logo ? NULL : T("l= is missing");
}

/* Tells whether DMARC lets receivers show a logo: not with p=none, sp=none, or quarantine of less than 100 percent. */
static bool is_enforced(const struct dmarc_finding *f)
{
    const struct dmarc_record *r = f ? f->record : NULL;
    return r && f->policy != DMARC_POLICY_NONE && !(r->sp_state == DMARC_TAG_VALID && r->sp == DMARC_POLICY_NONE) &&
           !(r->pct && strcmp(r->pct, "100") != 0 && f->policy == DMARC_POLICY_QUARANTINE);
}

/* Finds the BIMI record that applies: the domain's own, or else that of its organisation. */
static const struct dns_answer *find_bimi(struct testing *t, const char **name)
{
    const struct dmarc_walk *walk = dmarc_walk(t->scope, t->arena, t->facts->domain);
    const char *domains[] = {t->facts->domain, walk ? walk->org_domain : NULL};
    const struct dns_answer *a = NULL;
    for (size_t i = 0; i < 2 && domains[i]; i++) {
        *name = arena_printf(t->arena, "default._bimi.%s", domains[i]);
        a = *name ? dns_get(t->scope, *name, DNS_TXT) : NULL;
        for (size_t k = 0; a && k < a->count; k++)
            if (is_bimi(dns_txt(t->scope, a, k)))
                return a;
        if (a && a->state != DNS_NODATA && a->state != DNS_NXDOMAIN && a->state != DNS_FOUND)
            return a;
    }
    return a;
}

/* dmarc: the DMARC finding that applies to the domain; NULL: not known. */
static void test_bimi(struct testing *t, const struct dmarc_finding *dmarc)
{
    const char *name = "", *wrong = NULL;
    const struct dns_answer *a = find_bimi(t, &name);
    const struct check_result *known = &t->report->results[CHECK_DMARC];
    unsigned found = 0;
    for (size_t i = 0; a && i < a->count; i++) {
        struct slice text = dns_txt(t->scope, a, i);
        if (is_bimi(text)) {
            found++;
            wrong = wrong_bimi(t, text);
        }
    }
    if (found > 1)
        testing_say(t, CHECK_BIMI, CHECK_NOTE, NULL, "several BIMI records: they count as none");
    else if (wrong)
        testing_say(t, CHECK_BIMI, CHECK_NOTE, NULL, "%s: %s", name, wrong);
    else if (found && known->state == CHECK_UNTESTED)
        testing_say(t, CHECK_BIMI, CHECK_UNTESTED, NULL, "%s", known->evidence);
    else if (found && !is_enforced(dmarc))
        testing_say(
            t, CHECK_BIMI, CHECK_NOTE, NULL,
            "a record is there, but no logo is shown until the DMARC policy is quarantine or reject, for all mail "
            "and all names");
    else if (found)
        testing_say(t, CHECK_BIMI, CHECK_PASS, NULL, "a record is there");
    else if (a && (a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS))
        testing_say(t, CHECK_BIMI, CHECK_UNTESTED, NULL, "%s: %s", name, testing_failure(t, a));
    else
        testing_say(t, CHECK_BIMI, CHECK_NOTE, NULL, "no record");
}

void criteria_dmarc(struct testing *t)
{
    struct dmarc_finding f;
    const bool known =
        dmarc_check(t->scope, t->arena, t->facts->domain, NULL, 0, &f) == STATUS_OK && test_record(t, &f);
    if (known) {
        test_syntax(t, f.record);
        test_policy(t, &f);
        test_reports(t, &f);
    }
    /* A domain that sends nothing needs no key. */
    bool live = false;
    for (size_t i = 0; i < t->facts->selector_count && t->report->sends; i++)
        live = test_selector(t, &t->facts->selectors[i]) || live;
    if (t->facts->selector_count && t->report->sends && !live)
        testing_say(t, CHECK_DKIM, CHECK_UNTESTED, NULL, "not known: every key that is known here is revoked");
    if (t->facts->selector_count == 0 && t->report->sends)
        testing_say(t, CHECK_DKIM, CHECK_UNTESTED, NULL,
                    "not known: no mail of the domain was seen here, and no selector was named");
    test_bimi(t, known ? &f : NULL);
}
