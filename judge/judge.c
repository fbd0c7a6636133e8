// SPDX-License-Identifier: BSD-2-Clause
/*
 * judge.c - the stages of judging one message, and the lifetime of its data.
 *
 * Promises: one arena holds everything but the engines' own state; judge_free frees both at any stage. DNS is asked as
 * soon as a name is known, and only judge_end waits for it. Where the caller may not wait, judge_end
 * runs the engines again from their start each time all that was asked has been answered; the digests of the body and
 * the results of signatures are kept, and what a run without all answers found is dropped. Failure: STATUS_NOMEM and
 * STATUS_LIMIT, see judge.h. A header over a limit is not a failure here: header.h notes it, facts.c names the limit,
 * and then the verdict counts nothing as a pass.
 */
#include "base/clock.h"
#include "judge/checks.h"
#include "judge/fleet.h"
#include "standards/dkim/dkim_bodyhash.h"
#include "policy/policy_settings.h"

struct judge *judge_new(const struct judge_host *host, const struct policy *policy, size_t bound)
{
    struct arena *a = arena_new(bound ? bound : LIMIT_MESSAGE_ARENA);
    struct judge *j = a ? ARENA_NEW(a, struct judge) : NULL;

    if (!j) {
        arena_free(a);
        return NULL;
    }
    j->arena = a;
    j->head = BUF_INIT;
    j->host = host;
    j->policy = policy_ref(policy);
    mail_init(&j->mail, a, clock_wall());
    return j;
}

/* Look-ups per minute that one client network may cause; 0: no limit. There is none for a relay, because it passes on
 * everybody's mail. */
static unsigned quota_cap(const struct judge *j)
{
    const bool relay = j->mail.source == JUDGE_RELAY || j->behind_relay || policy_is_relay(j->policy, &j->mail.peer);
    return relay ? 0 : (unsigned)policy_set_number(j->policy, SETTING_DNS_PER_CLIENT);
}

struct judge *judge_free(struct judge *j)
{
    if (!j)
        return NULL;
    dkim_bodyhash_free(j->body);
    buf_release(&j->head);
    arc_checker_free(j->arc);
    dkim_checker_free(j->dkim);
    dns_scope_free(j->scope);
    policy_unref(j->policy);
    arena_free(j->early);
    arena_free(j->arena);
    return NULL;
}

struct arena *judge_arena(struct judge *j)
{
    return j->arena;
}

struct judge_mail *judge_mail(struct judge *j)
{
    return &j->mail;
}

const struct policy *judge_policy(const struct judge *j)
{
    return j->policy;
}

const char *judge_authserv_id(const struct judge *j)
{
    const char *set = policy_set_text(j->policy, SETTING_AUTHSERV_ID);
    return *set ? set : j->mail.mta_name ? j->mail.mta_name : j->host->authserv_id;
}

struct judge_report *judge_report(struct judge *j)
{
    return &j->report;
}

const struct dns_scope *judge_scope(const struct judge *j)
{
    return j->scope;
}

const struct relay_client *judge_relay(const struct judge *j)
{
    return j->behind_relay ? &j->relay : NULL;
}

static bool judged(const struct judge *j)
{
    return judge_source_is_judged(j->mail.source);
}

/* Charges each question to the client's network before it is sent. */
static bool charge(void *judge)
{
    const struct judge *j = judge;
    return quota_take(j->host->quota, &j->mail.peer, 1, quota_cap(j), clock_mono_ms());
}

enum status judge_envelope(struct judge *j)
{
    struct dns_budget budget = {
        .message = true,
        .charge = charge,
        .context = j,
        .lookup_ms = (unsigned)policy_set_number(j->policy, SETTING_DNS_TIMEOUT) * 1000,
        .total_ms = (unsigned)policy_set_number(j->policy, SETTING_MESSAGE_TIMEOUT) * 1000,
    };

    if (!judged(j) || j->scope)
        return STATUS_OK;
    if (quota_cap(j)) /* a relay passes on everybody's mail: nobody is charged */
        budget.client = j->mail.peer;
    j->scope = dns_scope_new(j->host->dns, j->arena, &budget);
    if (!j->scope)
        return STATUS_NOMEM;
    if (j->arrived)
        dns_scope_no_wait(j->scope, j->arrived, j->arrived_context);
    if (j->mail.source == JUDGE_INTERNET)
        checks_start_client(j);
    return STATUS_OK;
}

enum status judge_header(struct judge *j, struct slice name, struct slice value)
{
    struct header_list *list = &j->mail.headers;
    const size_t before = list->count;
    enum status s = header_list_add(list, name, value);

    if (s != STATUS_OK && s != STATUS_LIMIT) /* the limit is noted in the list; facts.c names it */
        return s;
    return forged_note(&j->forged, j->arena, judge_authserv_id(j), name, value,
                       list->count > before ? &list->fields[before] : NULL, list->over_limit);
}

/* Behind a relay the client is known only now. */
static enum status resolve_relay(struct judge *j)
{
    enum status s = relay_find(j->arena, &j->mail.headers, j->policy, &j->mail.peer, &j->relay);

    if (s != STATUS_OK)
        return s;
    j->behind_relay = true;
    j->mail.client_why = j->relay.reason;
    j->mail.client_hidden = !j->relay.known;
    j->mail.client = j->relay.known ? j->relay.hop.client : (struct ip){0};
    j->mail.helo = j->mail.helo_domain = NULL;
    if (!j->relay.known)
        return STATUS_OK;
    if (j->relay.hop.helo.n == 0)
        return STATUS_OK;
    char *helo = arena_copy(j->arena, j->relay.hop.helo.p, j->relay.hop.helo.n);
    return helo ? mail_set_helo(&j->mail, j->arena, helo) : STATUS_NOMEM;
}

/* Tells whether a fleet proof must be made or checked: then the body must be hashed. */
static enum status prepare_proof(struct judge *j)
{
    if (!judged(j) || !*policy_set_text(j->policy, SETTING_FLEET_KEY_FILE))
        return STATUS_OK;
    j->body = dkim_bodyhash_new(j->arena);
    j->body_number = j->body ? dkim_bodyhash_want(j->body, true, false, 0) : -1;
    return j->body_number >= 0 ? STATUS_OK : STATUS_NOMEM;
}

/* Looks for a field that one key proves; *doubt: why none was. */
static bool proved_by(const struct judge *j, const struct fleet_key *key, const uint8_t hash[32], const char **doubt)
{
    const struct header_field *f;

    for (unsigned i = 1; i <= FLEET_FIELDS_MAX && (f = header_find(&j->mail.headers, "Assay-Verdict", i)) != NULL; i++)
        if (!(*doubt = fleet_doubt(key, f->value, &j->mail, hash, j->mail.at)))
            return true;
    return false;
}

/* Tells whether a host of our fleet (a relay that the policy names) proves by one of the keys that it has judged this
 * very message. If a relay brings a verdict that is not proved, the report says why it is not believed. */
static bool fleet_judged(struct judge *j)
{
    static const enum setting_id ids[] = {SETTING_FLEET_KEY_FILE, SETTING_FLEET_KEY_FILE_OTHER};
    struct fleet_key key;
    uint8_t hash[32];
    uint64_t total;
    const char *why, *doubt = NULL, *first = NULL;

    if (!j->behind_relay || !policy_is_relay(j->policy, &j->mail.peer) ||
        !header_find(&j->mail.headers, "Assay-Verdict", 1))
        return false;
    if (!j->body)
        j->report.fleet_doubt = "there is no key (set fleet.key-file)";
    if (!j->body || dkim_bodyhash_get(j->body, j->body_number, hash, &total) != STATUS_OK)
        return false;
    for (size_t k = 0; k < sizeof ids / sizeof *ids; k++) {
        const char *path = policy_set_text(j->policy, ids[k]);
        if (!*path)
            continue;
        if (!fleet_key_read(path, &key, &why))
            doubt = arena_printf(j->arena, "%s: %s", path, why);
        else if (proved_by(j, &key, hash, &doubt))
            return true;
        if (!first)
            first = doubt;
    }
    j->report.fleet_doubt = first;
    return false;
}

enum status judge_headers_end(struct judge *j)
{
    enum status s = prepare_proof(j);

    if (s != STATUS_OK)
        return s;
    if (j->mail.source == JUDGE_RELAY)
        s = resolve_relay(j);
    if (s != STATUS_OK || !judged(j))
        return s;
    if (!j->scope && (s = judge_envelope(j)) != STATUS_OK)
        return s;
    if (!j->client_started)
        checks_start_client(j);
    j->keep_head = report_mail_may_be(&j->mail);
    return checks_start_header(j);
}

void judge_body(struct judge *j, struct slice piece, bool crlf)
{
    j->mail.body_octets += piece.n;
    if (j->keep_head && j->head.n < REPORT_MAIL_HEAD) {
        size_t room = REPORT_MAIL_HEAD - j->head.n;
        buf_add(&j->head, piece.p, piece.n < room ? piece.n : room);
        j->mail.body_head = buf_slice(&j->head);
    }
    format_body_chunk(&j->mail.body, piece, !crlf);
    if (j->dkim)
        dkim_checker_body(j->dkim, piece);
    if (j->body)
        dkim_bodyhash_add(j->body, piece);
}

bool judge_wants_body(const struct judge *j)
{
    return judged(j);
}

void judge_no_wait(struct judge *j, void (*arrived)(void *context), void *context)
{
    j->arrived = arrived;
    j->arrived_context = context;
}

bool judge_waits(const struct judge *j)
{
    return j->waits;
}

bool judge_asks_dns(const struct judge *j)
{
    return j->scope && dns_scope_asks(j->scope);
}

/* What the end of the message alone says; once. */
static enum status close_message(struct judge *j)
{
    j->end_began = clock_mono_ms();
    if (judged(j) && !j->dkim) { /* a message without header: judge_headers_end was not called */
        enum status s = judge_headers_end(j);
        if (s != STATUS_OK)
            return s;
    }
    if (j->body)
        dkim_bodyhash_end(j->body);
    if (fleet_judged(j))
        j->mail.source = JUDGE_FLEET;
    j->report.judged = judged(j);
    format_body_end(&j->mail.body);
    if (!j->dkim) /* else checks_start_header() has done so */
        format_check(j->arena, &j->mail.headers, &j->report.format);
    format_add_body(&j->mail.body, &j->report.format);
    if (j->scope)
        dns_scope_renew(j->scope);
    if (j->arrived && j->scope) {
        j->before = ARENA_NEW(j->arena, struct judge_report);
        if (!j->before)
            return STATUS_NOMEM;
        *j->before = j->report;
    }
    j->ending = true;
    return STATUS_OK;
}

static enum status checks_run(struct judge *j)
{
    enum status s;

    j->runs++;
    if (j->before) {
        j->report = *j->before;
        j->mail.to_rua = false;
        dns_scope_begin_run(j->scope);
    }
    s = checks_end(j);
    if (s == STATUS_OK && !(j->before && dns_scope_lacks(j->scope)))
        s = facts_fill(j);
    return s;
}

enum status judge_end(struct judge *j)
{
    /* A second engine asks for keys while it verifies, and does so once: it gets them all. */
    const bool needs_keys = engines_dkim(j->host->engines) != NULL;
    enum status s = j->ending ? STATUS_OK : close_message(j);

    if (s != STATUS_OK)
        return s;
    for (;;) {
        if (j->before && (j->runs || needs_keys) && (j->waits = dns_scope_awaits(j->scope)))
            return STATUS_AGAIN;
        if (j->before && j->runs + 1 >= CHECKS_RUNS)
            dns_scope_give_up(j->scope);
        s = checks_run(j);
        if (s != STATUS_OK || !j->before || !dns_scope_lacks(j->scope))
            break;
    }
    j->report.waited_ms = clock_mono_ms() - j->end_began;
    return s;
}

#define EARLY_ARENA (64 * 1024)

struct arena *judge_early_arena(struct judge *j)
{
    if (j->early)
        arena_reset(j->early);
    else
        j->early = arena_new(EARLY_ARENA);
    return j->early;
}

enum status judge_early(struct judge *j, const char *rcpt, const char *paused, struct verdict *out)
{
    struct arena *a = j->early ? j->early : judge_early_arena(j);

    *out = (struct verdict){.action = POLICY_DEFER, .would = POLICY_DEFER, .policy_hash = policy_hash(j->policy)};
    if (!a || (!j->report.facts.tls.words && facts_fill_early(j) != STATUS_OK))
        return STATUS_NOMEM;
    return verdict_decide_early(a, &j->report.facts, j->policy, rcpt, j->mail.at, paused, out);
}

enum status judge_verdicts(struct judge *j, const char *paused, const struct classes **out)
{
    *out = &j->classes;
    return classes_decide(j->arena, &j->report.facts, j->policy, j->mail.rcpts, j->mail.rcpt_count, j->mail.at, paused,
                          &j->classes);
}
