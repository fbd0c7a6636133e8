// SPDX-License-Identifier: BSD-2-Clause
/*
 * next_steps.c - the ladder from the first day to enforced: which steps there are, and which are not taken yet.
 *
 * Promises that a step is offered only where the policy with its line really asks more: each is read by the policy's
 * own parser as if its file held the line, lists and includes and all, and asked; nothing is written for that. A line
 * that a statement of the policy would hide is not offered. On failure (no memory) no step is.
 */
#include "base/language.h"
#include "cli/next/next.h"
#include "cli/next/policy_write.h"
#include "base/domain.h"
#include "policy/policy_settings.h"
#include <string.h>

/* A rule for everyone: of mail, or (names) of the resolver. level: what is then asked at least. */
struct rung {
    const char *id, *title, *line;
    enum standard standard;
    enum policy_level level;
    bool names;
};

/* In this order: what costs nobody anything first. */
static const struct rung rungs[] = {
    {"format", LANGUAGE_MARK("Refuse messages that show people one sender and programs another"),
     "require message-format of everyone", STANDARD_MESSAGE_FORMAT, POLICY_REQUIRE, false},
    {"dmarc", LANGUAGE_MARK("Do what domain owners ask for mail that is not theirs (DMARC)"),
     "follow dmarc of everyone", STANDARD_DMARC, POLICY_FOLLOW, false},
    {"spf", LANGUAGE_MARK("Do what domain owners ask for mail from unlisted servers (SPF)"), "follow spf of everyone",
     STANDARD_SPF, POLICY_FOLLOW, false},
    {"tls", LANGUAGE_MARK("Refuse mail that comes unencrypted or with outdated encryption (TLS)"),
     "require tls 1.2 or newer of everyone", STANDARD_TLS, POLICY_REQUIRE, false},
    {"names", LANGUAGE_MARK("Do not resolve names whose DNS signatures are broken (DNSSEC)"),
     "follow dnssec of every name", STANDARD_DNSSEC, POLICY_FOLLOW, true},
};

#define A_STRANGER "stranger.invalid" /* RFC 2606: nobody's */

static bool rung_asked(const struct policy *p, const struct rung *r)
{
    struct policy_question q = {.standard = r->standard, .names = r->names, .who = A_STRANGER};
    struct policy_answer a;
    policy_ask(p, &q, &a);
    return a.level >= r->level && !a.trial;
}

/* Tells whether names of this zone must be signed. */
static bool requires_signed(const struct policy *p, const char *zone)
{
    struct policy_question q = {.standard = STANDARD_DNSSEC, .names = true, .who = zone, .no_exemptions = true};
    struct policy_answer a;
    policy_ask(p, &q, &a);
    return a.level == POLICY_REQUIRE && !a.trial;
}

static bool guards(const struct policy *p, const char *domain)
{
    struct policy_question q = {.standard = STANDARD_DMARC, .who = domain};
    struct policy_answer a;
    policy_ask(p, &q, &a);
    return a.level == POLICY_REQUIRE && !a.trial;
}

/* ---- the text with a step in it ---- */

/* The octets of ` because "..."` behind a value, on its line or the one that continues it: the reason was for the old
 * value. 0: there is none. */
static size_t reason_after(const char *p, const char *end)
{
    static const char word[] = "because";
    const char *at = p;
    while (at < end && (strchr(" \t\r", *at) || (*at == '\n' && at + 1 < end && strchr(" \t", at[1]))))
        at++;
    if ((size_t)(end - at) < sizeof word || memcmp(at, word, sizeof word - 1) != 0)
        return 0;
    const char *open = memchr(at, '"', (size_t)(end - at)),
               *close = open ? memchr(open + 1, '"', (size_t)(end - open) - 1) : NULL;
    return close ? (size_t)(close + 1 - p) : 0;
}

/* `set mode` as it stands in the main file: the value's place in the text; n 0: it does not. */
static struct slice mode_value(const struct next *n)
{
    const struct policy_statement *s, *last = NULL;
    for (size_t i = 0; (s = policy_statement_at(n->now, i)) != NULL; i++)
        if (s->kind == POLICY_SET && s->name && strcmp(s->name, "mode") == 0 && s->file &&
            strcmp(s->file, n->path) == 0)
            last = s;
    const char *p = n->text.p, *end = p + n->text.n;
    for (unsigned line = 1; last && p < end && line < last->line; line++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        p = newline ? newline + 1 : end;
    }
    const char *stop = last ? memchr(p, '\n', (size_t)(end - p)) : NULL;
    stop = stop ? stop : end;
    for (; last && p + 7 <= stop; p++)
        if (memcmp(p, "dry-run", 7) == 0)
            return slice_of(p, 7 + reason_after(p + 7, end));
    return SLICE_NULL;
}

/* Where line `line` of the text begins, and where a statement that begins there ends: at a line that does not continue
 * it. */
static struct slice statement_text(struct slice text, unsigned line)
{
    const char *p = text.p, *end = p + text.n, *stop;
    for (unsigned at = 1; p < end && at < line; at++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        p = newline ? newline + 1 : end;
    }
    for (stop = p; stop < end;) {
        const char *newline = memchr(stop, '\n', (size_t)(end - stop));
        stop = newline ? newline + 1 : end;
        if (stop == end || (*stop != ' ' && *stop != '\t'))
            break;
    }
    return slice_of(p, (size_t)(stop - p));
}

/* The place of a standard's name in a list of several, with the comma that goes with it; n 0: it is not there, or
 * alone. */
static struct slice listed(struct slice statement, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 1; i + len < statement.n; i++) {
        const char *p = statement.p + i, *after = p + len;
        if (memcmp(p, name, len) != 0 || !strchr(" \t,", p[-1]) || !strchr(" \t,\r\n", *after))
            continue;
        const char *end = statement.p + statement.n;
        if (*after == ',') {
            for (after++; after < end && strchr(" \t", *after);)
                after++;
            return slice_of(p, (size_t)(after - p));
        }
        while (p > statement.p && strchr(" \t", p[-1]))
            p--;
        return p > statement.p && p[-1] == ',' ? slice_of(p - 1, (size_t)(after - p) + 1) : SLICE_NULL;
    }
    return SLICE_NULL;
}

/* What gives way to the new line: of `mode` the value, else the standard's name in the rule that said less of it, or
 * that whole rule if it says nothing else and gives no reason. */
static struct slice gives_way(const struct next *n, const struct next_step *step)
{
    const struct policy_statement *s = step->instead_of;
    if (step->is_mode)
        return mode_value(n);
    if (!s || !s->file || strcmp(s->file, n->path) != 0)
        return SLICE_NULL;
    struct slice whole = statement_text(n->text, s->line);
    return s->standards == POLICY_BIT(step->standard) && !s->because ? whole
                                                                     : listed(whole, standard_name(step->standard));
}

struct slice next_text(const struct next *n, const struct next_step *step)
{
    static const char set[] = "set mode ";
    struct buf b = BUF_INIT;
    struct slice old = gives_way(n, step);
    size_t before = old.n ? (size_t)(old.p - n->text.p) : n->text.n;
    buf_add(&b, n->text.p, before);
    if (old.n && step->is_mode)
        buf_adds(&b, step->line + sizeof set - 1);
    buf_add(&b, n->text.p + before + old.n, n->text.n - before - old.n);
    policy_write_add(&b, n->text, old.n && step->is_mode ? "" : step->line);
    char *kept = b.failed ? NULL : arena_copy(n->arena, b.p, b.n);
    struct slice out = kept ? slice_of(kept, b.n) : SLICE_NULL;
    buf_release(&b);
    return out;
}

/* ---- the ladder ---- */

/* A rule for everyone, whoever it is sent to, that stands in the main file and decides now. */
static const struct policy_statement *said_of_everyone(const struct policy *p, const struct rung *r)
{
    struct policy_question q = {.standard = r->standard, .names = r->names, .who = A_STRANGER};
    struct policy_answer a;
    policy_ask(p, &q, &a);
    const struct policy_statement *s = a.statement;
    return s && s->who.kind == POLICY_EVERYONE && s->whom.kind == POLICY_PARTY_NONE && !s->always ? s : NULL;
}

static struct next_step *offer(struct next *n, const struct next_step *what, const char **why)
{
    if (n->count == NEXT_STEPS_MAX || *why)
        return NULL;
    struct next_step *s = &n->steps[n->count];
    *s = *what;
    struct slice text = s->id && s->line && s->title ? next_text(n, s) : SLICE_NULL;
    s->after = text.n ? policy_load_with(n->path, n->path, text, NULL) : NULL;
    if (!text.n && !*why)
        *why = "out of memory";
    if (s->after)
        n->count++;
    return s->after ? s : NULL;
}

static void take_back(struct next *n)
{
    policy_unref(n->steps[--n->count].after);
}

static bool has_own(const struct policy *p)
{
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(p, i)) != NULL; i++)
        for (size_t k = 0; s->kind == POLICY_OWN && k < s->item_count; k++)
            if (domain_is_kept(s->items[k]))
                return true;
    return false;
}

static void offer_own(struct next *n, const char *const *own, size_t count, const char **why)
{
    struct buf line = BUF_INIT;
    for (size_t i = 0; i < count; i++)
        buf_printf(&line, "%s%s", i ? ", " : "own domains ", own[i]);
    const char *kept = count && !line.failed ? arena_strdup(n->arena, line.p) : NULL;
    struct next_step *s =
        kept ? offer(n,
                     &(struct next_step){
                         .id = "own", .title = LANGUAGE_MARK("Say which domains are yours"), .line = kept},
                     why)
             : NULL;
    if (s)
        s->state = NEXT_SAY;
    buf_release(&line);
}

/* Nobody but us writes in our name. */
static void offer_guards(struct next *n, const char **why)
{
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(n->now, i)) != NULL; i++)
        for (size_t k = 0; s->kind == POLICY_OWN && k < s->item_count && n->count < NEXT_STEPS_MAX - 2; k++) {
            const char *domain = s->items[k];
            if (!domain_is_kept(domain) || guards(n->now, domain))
                continue;
            struct next_step *step = offer(
                n,
                &(struct next_step){.id = arena_printf(n->arena, "in-our-name:%s", domain),
                                    .title = LANGUAGE_MARK("Refuse mail in the name of {1} that does not come from us"),
                                    .about = domain,
                                    .line = arena_printf(
                                        n->arena, "always require dmarc of %s otherwise reject \"This is not from %s\"",
                                        domain, domain)},
                why);
            if (step && !guards(step->after, domain))
                take_back(n);
        }
}

/* Whether a rule for mail asks this of the list's names: `least` or more. */
static bool asked_of_list(const struct policy *p, const char *list, enum standard standard, enum policy_level least)
{
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(p, i)) != NULL; i++)
        if (s->kind == POLICY_RULE && s->who.kind == POLICY_IN_LIST && s->whom.kind == POLICY_PARTY_NONE && !s->trial &&
            strcmp(s->who.name, list) == 0 && s->level >= least &&
            (standard == STANDARD_COUNT || (s->standards & POLICY_BIT(standard))))
            return true;
    return false;
}

static bool names_of_list(const struct policy *p, const char *list)
{
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(p, i)) != NULL; i++)
        if (s->kind == POLICY_NAMES_RULE && s->who.kind == POLICY_IN_LIST && !s->trial && s->level == POLICY_REQUIRE &&
            strcmp(s->who.name, list) == 0)
            return true;
    return false;
}

/* Those of whom the policy speaks by a list are asked for more than everybody is, each list by itself. */
static void offer_lists(struct next *n, const char **why)
{
    static const struct {
        const char *id, *title, *asks;
        enum standard standard;
    } more[] = {
        {"dmarc", LANGUAGE_MARK("Refuse mail from the list {1} that does not prove who sent it (DMARC)"), "dmarc",
         STANDARD_DMARC},
        {"tls", LANGUAGE_MARK("Refuse mail from the list {1} that comes unencrypted or with outdated encryption (TLS)"),
         "tls 1.2 or newer", STANDARD_TLS},
    };
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(n->now, i)) != NULL; i++)
        for (size_t k = 0; s->kind == POLICY_LIST && k < sizeof more / sizeof *more && n->count < NEXT_STEPS_MAX - 2;
             k++) {
            if (!asked_of_list(n->now, s->name, STANDARD_COUNT, POLICY_RECORD) ||
                asked_of_list(n->now, s->name, more[k].standard, POLICY_REQUIRE))
                continue;
            (void)offer(n,
                        &(struct next_step){.id = arena_printf(n->arena, "%s:%s", more[k].id, s->name),
                                            .title = more[k].title,
                                            .about = s->name,
                                            .line = arena_printf(n->arena, "require %s of list %s otherwise reject",
                                                                 more[k].asks, s->name),
                                            .standard = more[k].standard},
                        why);
        }
}

/* Names that must be signed: our own zones that are, and those of whom the policy asks DNSSEC or DANE by a list. */
static void offer_signed(struct next *n, const char **why)
{
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(n->now, i)) != NULL && n->answers; i++) {
        if (s->kind != POLICY_LIST || n->count >= NEXT_STEPS_MAX - 2 || names_of_list(n->now, s->name) ||
            (!asked_of_list(n->now, s->name, STANDARD_DNSSEC, POLICY_REQUIRE) &&
             !asked_of_list(n->now, s->name, STANDARD_DANE, POLICY_REQUIRE)))
            continue;
        (void)offer(n,
                    &(struct next_step){
                        .id = arena_printf(n->arena, "names:%s", s->name),
                        .title = LANGUAGE_MARK("Do not resolve names of the list {1} that are not signed (DNSSEC)"),
                        .about = s->name,
                        .line = arena_printf(n->arena, "require dnssec of names in list %s", s->name),
                        .names = true,
                        .standard = STANDARD_DNSSEC},
                    why);
    }
    for (size_t i = 0; i < n->own_signed_count && n->count < NEXT_STEPS_MAX - 2; i++) {
        const char *zone = n->own_signed[i];
        if (requires_signed(n->now, zone))
            continue;
        struct next_step *step =
            offer(n,
                  &(struct next_step){.id = arena_printf(n->arena, "names-in:%s", zone),
                                      .title = LANGUAGE_MARK("Resolve names in {1} only if they are signed (DNSSEC)"),
                                      .about = zone,
                                      .line = arena_printf(n->arena, "require dnssec of names in %s", zone),
                                      .names = true,
                                      .standard = STANDARD_DNSSEC},
                  why);
        if (step && !requires_signed(step->after, zone))
            take_back(n);
    }
}

bool next_find_steps(struct next *n, const char *const *own, size_t own_count, const char **why)
{
    *why = NULL;
    if (!has_own(n->now))
        offer_own(n, own, own_count, why);
    for (size_t i = 0; i < sizeof rungs / sizeof *rungs && !*why; i++) {
        if (rung_asked(n->now, &rungs[i]) || (rungs[i].names && !n->answers))
            continue;
        struct next_step *step = offer(n,
                                       &(struct next_step){.id = rungs[i].id,
                                                           .title = rungs[i].title,
                                                           .line = rungs[i].line,
                                                           .standard = rungs[i].standard,
                                                           .names = rungs[i].names,
                                                           .instead_of = said_of_everyone(n->now, &rungs[i])},
                                       why);
        if (step && !rung_asked(step->after, &rungs[i]))
            take_back(n);
    }
    offer_lists(n, why);
    offer_guards(n, why);
    offer_signed(n, why);
    if (!*why && policy_set_is(n->now, SETTING_MODE, "dry-run")) {
        struct next_step *step = offer(
            n,
            &(struct next_step){.id = "mode",
                                .title = LANGUAGE_MARK("Act on what the policy asks, instead of only recording it"),
                                .line = "set mode enforce",
                                .is_mode = true},
            why);
        if (step && !policy_set_is(step->after, SETTING_MODE, "enforce"))
            take_back(n);
    }
    return !*why && !arena_failed(n->arena);
}

const char *next_title(const struct next_step *s, struct arena *a)
{
    const char *place = strstr(s->title, "{1}");
    return place ? arena_printf(a, "%.*s%s%s", (int)(place - s->title), s->title, s->about, place + 3) : s->title;
}

void next_release(struct next *n)
{
    while (n->count)
        take_back(n);
    policy_unref(n->now);
}
