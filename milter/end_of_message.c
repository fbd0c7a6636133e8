// SPDX-License-Identifier: BSD-2-Clause
/*
 * end_of_message.c - decides what is done with a mail once each class of its recipients has a verdict.
 *
 * If all classes have the same action, it is done. If not, the mail gets 451 once, and the class of each recipient is
 * remembered. On the retry the first recipient determines the class of the transaction, and recipients of other classes
 * get 452 4.5.3, so that each class comes in a transaction of its own. Mail from a relay is never deferred for this
 * reason (it would become a bounce to somebody who never sent it): there the mildest class decides, so that nobody's
 * mail is refused by another's rule.
 *
 * Journal and log are written before the MTA is answered. If the journal cannot be written, `set journal.when-full`
 * says whether the mail is deferred. Failure: when memory runs out the mail is deferred, and the log says so.
 */
#include "milter/end_of_message.h"
#include "base/clock.h"
#include "judge/mail_record.h"
#include "milter/delegation.h"
#include "milter/log.h"
#include "milter/pause_state.h"
#include "milter/rcpt_answer.h"
#include "policy/policy_settings.h"
#include <inttypes.h>

/* The answer to the MTA: this mail is rejected or deferred, with this reply. */
static void set_refusal(struct message_answer *out, const char *code, const char *enhanced, const char *line)
{
    out->refuse = true;
    out->action = code[0] == '5' ? POLICY_REJECT : POLICY_DEFER;
    out->reply = (struct reply){.code = code, .enhanced = enhanced, .lines = {line}, .count = 1};
}

/* FORGED_MAX */
#define FORGED_TOO_MANY "more than 10000 Authentication-Results or Assay-Verdict fields claim to be this server's"

static void cannot_judge(struct message_answer *out, const char *why)
{
    log_complain(LOG_MEMORY, "a mail could not be judged and is deferred: %s", why);
    set_refusal(out, "451", "4.3.0", "This mail could not be judged now, please try again later");
}

static void complain_of(const struct journal *j)
{
    struct journal_stats stats;
    journal_stats(j, &stats);
    log_complain(LOG_JOURNAL, "a finding could not be written to the journal in %s: %s; %" PRIu64 " lost so far",
                 journal_folder(j), stats.error[0] ? stats.error : "no reason is known", stats.lost);
}

#define NO_RECORD "This mail cannot be recorded now, please try again later"
#define RECORD_USUAL 4000 /* octets that a record needs at most, as a rule */

/* Writes log line and journal record of one class. false: the journal could not be written. */
static bool record_verdict(struct daemon *d, struct session *s, const struct class_of_rcpts *c,
                           const struct mail_record_extra *x)
{
    struct buf b = BUF_INIT;
    bool ok = d->journal != NULL; /* one that could not be opened at the start keeps nothing */

    (void)buf_room(&b, RECORD_USUAL);
    mail_record_line(&b, s->judge, c, x, policy_set_is(judge_policy(s->judge), SETTING_LOG_FORMAT, "json"));
    if (b.failed)
        log_complain(LOG_MEMORY, "a log line was lost: out of memory");
    else
        log_line(b.p);
    buf_reset(&b);
    if (d->journal) {
        struct json out = JSON_INTO(&b);
        journal_record(d->journal, &out, "mail");
        mail_record_mail(&out, s->judge, c, x);
        json_end(&out);
        ok = !b.failed && journal_write(d->journal, buf_slice(&b), JOURNAL_WAIT) == STATUS_OK;
        if (!ok)
            complain_of(d->journal);
    }
    buf_release(&b);
    return ok;
}

/* The reply, with its reference, as text; NULL: none, or not enough memory. */
static const char *text_of(struct arena *a, struct reply *r, const char *reference)
{
    return reply_refer(a, r, reference) == STATUS_OK ? reply_text(a, r) : NULL;
}

/* Writes log line and journal record of every class. false: the mail must be deferred, because a record could not be
 * written and the policy says `set journal.when-full defer`. */
static bool record_verdicts(struct daemon *d, struct session *s, const struct classes *c, const char *reply,
                            const char *reference, bool split)
{
    struct mail_record_extra x = {.reply = reply,
                                  .reference = reply && *reference ? reference : NULL,
                                  .stage = "end",
                                  .took_ms = clock_mono_ms() - s->began_ms,
                                  .split = split,
                                  .of = c->of};
    bool ok = true;

    for (size_t i = 0; i < c->count; i++) {
        x.of_class = (unsigned)i;
        ok &= record_verdict(d, s, &c->list[i], &x);
    }
    return ok || !policy_set_is(judge_policy(s->judge), SETTING_JOURNAL_WHEN_FULL, "defer");
}

/* ---- how long the same temporary failure has lasted ---- */

static bool waits(const struct classes *c)
{
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->list[i].verdict.line_count; k++)
            if (c->list[i].verdict.lines[k].temporary)
                return true;
    return false;
}

/* The client's network; NULL: not known. A client may try again from another address of it. */
static const char *network_of(const struct ip *client, char text[IP_NET_TEXT])
{
    struct ip_net net = ip_net_of(client, client->family == 6 ? 56 : 24);

    return client->family ? ip_net_text(&net, text) : NULL;
}

/* When this mail was first deferred. It is recognised by sender, author, Message-ID and the client's network. */
static time_t waiting_since(struct daemon *d, struct session *s)
{
    struct judge_mail *m = judge_mail(s->judge);
    struct slice id = mail_message_id(m, judge_arena(s->judge));
    char text[IP_NET_TEXT];
    const char *parts[] = {"unsure", network_of(&m->client, text), m->mail_from_text,
                           judge_report(s->judge)->format.from_domain,
                           id.n ? arena_copy(judge_arena(s->judge), id.p, id.n) : NULL};

    return memory_first(d->memory, parts, sizeof parts / sizeof *parts, m->at, MEMORY_UNSURE_SECONDS);
}

static bool acts(const struct classes *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].verdict.action > POLICY_DELIVER)
            return true;
    return false;
}

/* A pause only suspends actions, so it is looked for on disk only if there is an action. */
static const struct classes *verdicts_in_force(struct daemon *d, struct session *s)
{
    const struct classes *c;
    const char *paused;

    if (judge_verdicts(s->judge, NULL, &c) != STATUS_OK)
        return NULL;
    if (!acts(c) || !(paused = pause_state_text(judge_arena(s->judge), d->state_dir)))
        return c;
    return judge_verdicts(s->judge, paused, &c) == STATUS_OK ? c : NULL;
}

static const struct classes *verdicts(struct daemon *d, struct session *s)
{
    const struct classes *c = verdicts_in_force(d, s);
    struct facts *f = &judge_report(s->judge)->facts;

    if (!c || !waits(c))
        return c;
    f->unsure_since = waiting_since(d, s);
    return f->unsure_since ? verdicts_in_force(d, s) : c;
}

/* ---- recipients whose policies differ ---- */

static bool may_split(const struct session *s)
{
    return judge_mail(s->judge)->source == JUDGE_INTERNET;
}

static void remember_split(struct daemon *d, struct session *s, const struct classes *c)
{
    const struct judge_mail *m = judge_mail(s->judge);
    const uint64_t mail = memory_random(d->memory);
    char text[IP_NET_TEXT];
    const char *network = network_of(&m->client, text); /* else strangers could split others' mail */

    for (size_t i = 0; i < m->rcpt_count; i++) {
        const char *parts[] = {"split", network, m->mail_from_text, m->rcpts[i].address};
        memory_put(d->memory, parts, 4, m->at, MEMORY_SPLIT_SECONDS,
                   mail << 8 | (uint64_t)(c->list[c->of[i]].verdict.action + 1));
    }
}

/* True if this recipient belongs to another class than those accepted so far. */
static bool other_class(struct daemon *d, struct session *s, const char *address)
{
    const struct judge_mail *m = judge_mail(s->judge);
    char text[IP_NET_TEXT];
    const char *parts[] = {"split", network_of(&m->client, text), m->mail_from_text, address};
    const uint64_t value = memory_get(d->memory, parts, 4, m->at);
    const uint32_t mail = (uint32_t)(value >> 8);
    const unsigned group = value & 0xff;

    if (value == 0)
        return false;
    if (s->split == 0) {
        s->split = mail;
        s->split_class = group;
    }
    return s->split == mail && s->split_class != group;
}

/* ---- the end of a message ---- */

static void pass_or_refuse(struct daemon *d, struct session *s, const struct classes *c, struct message_answer *out)
{
    struct arena *a = judge_arena(s->judge);
    const struct verdict *v = &c->list[c->agree ? 0 : c->mildest].verdict;
    const char *text = NULL;
    char reference[REPLY_REFERENCE_SIZE] = "";

    out->action = v->action;
    out->refuse = v->action >= POLICY_DEFER;
    if (out->refuse) {
        if (reply_for(a, v, judge_policy(s->judge), judge_authserv_id(s->judge), &out->reply) == STATUS_OK)
            text = text_of(a, &out->reply, reply_new_reference(reference));
    } else if (stamp_make(s->judge, v, &out->stamp) != STATUS_OK) {
        cannot_judge(out, "its header fields could not be made");
    }
    if (judge_report(s->judge)->fleet_problem)
        log_complain(LOG_ACTION, "a mail is passed on without a proof for our fleet: %s",
                     judge_report(s->judge)->fleet_problem);
    if (judge_report(s->judge)->fleet_doubt) {
        char peer[IP_TEXT];
        log_complain(LOG_FLEET, "the verdict that the relay %s brought is not believed: %s",
                     ip_text(&judge_mail(s->judge)->peer, peer), judge_report(s->judge)->fleet_doubt);
    }
    if (judge_report(s->judge)->seal_problem)
        log_complain(LOG_ACTION, "a mail is passed on without an ARC seal: %s", judge_report(s->judge)->seal_problem);
    if (!record_verdicts(d, s, c, text, reference, false))
        set_refusal(out, "451", "4.3.1", NO_RECORD);
}

/* The mail gets 451 once, and the class of each recipient is remembered. */
static void message_split(struct daemon *d, struct session *s, const struct classes *c, struct message_answer *out)
{
    char reference[REPLY_REFERENCE_SIZE];

    remember_split(d, s, c);
    reply_split(&out->reply);
    out->action = POLICY_DEFER;
    const char *text = text_of(judge_arena(s->judge), &out->reply, reply_new_reference(reference));
    record_verdicts(d, s, c, text, reference, true);
}

bool end_of_message(struct daemon *d, struct session *s, struct message_answer *out)
{
    const struct classes *c = NULL;
    enum status status = judge_end(s->judge);

    if (status == STATUS_AGAIN && judge_waits(s->judge))
        return false;
    *out = (struct message_answer){.refuse = true};
    if (stamp_too_many_forged(s->judge)) {
        log_complain(LOG_LIMIT, "a mail is refused in every mode: " FORGED_TOO_MANY);
        set_refusal(out, "550", "5.6.0", FORGED_TOO_MANY);
        return true;
    }
    if (status == STATUS_OK)
        c = verdicts(d, s);
    if (!c)
        cannot_judge(out, status_text(status == STATUS_OK ? STATUS_NOMEM : status));
    else if (c->agree || !may_split(s))
        pass_or_refuse(d, s, c, out);
    else
        message_split(d, s, c, out);
    return true;
}

/* ---- a recipient ---- */

/* True if TLS alone makes us refuse this recipient, before anything of the mail is known. */
static bool refused_early(struct daemon *d, struct session *s, const char *address, struct message_answer *out)
{
    struct class_of_rcpts c = {.rcpt = address, .rcpt_count = 1};
    char reference[REPLY_REFERENCE_SIZE] = "";
    struct mail_record_extra x = {
        .stage = "rcpt", .took_ms = clock_mono_ms() - s->began_ms, .rcpts_from = judge_mail(s->judge)->rcpt_count - 1};

    struct arena *a = judge_early_arena(s->judge);

    /* A pause is looked for on disk only where something would be refused without it. */
    if (a && judge_early(s->judge, address, NULL, &c.verdict) == STATUS_OK && c.verdict.action < POLICY_DEFER)
        return false;
    a = judge_early_arena(s->judge);
    if (!a || judge_early(s->judge, address, pause_state_text(a, d->state_dir), &c.verdict) != STATUS_OK) {
        cannot_judge(out, "out of memory");
        return true;
    }
    if (c.verdict.action < POLICY_DEFER)
        return false;
    out->refuse = true;
    out->action = c.verdict.action;
    if (reply_for(a, &c.verdict, judge_policy(s->judge), judge_authserv_id(s->judge), &out->reply) == STATUS_OK)
        x.reply = text_of(a, &out->reply, reply_new_reference(reference));
    x.reference = x.reply && *reference ? reference : NULL;
    if (!record_verdict(d, s, &c, &x) && policy_set_is(judge_policy(s->judge), SETTING_JOURNAL_WHEN_FULL, "defer"))
        set_refusal(out, "451", "4.3.1", NO_RECORD);
    return true;
}

/* Takes the digests of the client's certificate that Postfix told by policy delegation; it does so before it tells the
 * milter about a recipient. */
static bool take_digests(struct daemon *d, struct session *s)
{
    struct judge_mail *m = judge_mail(s->judge);
    struct delegation_request note;

    if (s->wanted || !delegation_find(d->delegation, &s->peer, s->peer_port, &note))
        return true;
    m->tls.cert_told = true;
    m->tls.cert_fingerprint = arena_strdup(judge_arena(s->judge), note.cert);
    m->tls.cert_public_key = arena_strdup(judge_arena(s->judge), note.public_key);
    return m->tls.cert_fingerprint && m->tls.cert_public_key;
}

/* The mail has more recipients than we keep. If the MTA waits for our answer, it sends the others in another mail. If
 * it does not wait, it cannot: the mail is then judged for those that we keep, or refused if a rule depends on a single
 * recipient. */
static void too_many(struct session *s, bool silent, struct message_answer *out)
{
    if (!silent || policy_differs_by_rcpt(judge_policy(s->judge)))
        set_refusal(out, "452", "4.5.3", "Too many recipients, please send the rest in another message");
    else if (!s->cut)
        log_complain(LOG_LIMIT, "a mail has more recipients than %d: the others are not recorded", LIMIT_RECIPIENTS);
    s->cut = true;
}

/* Called at the first recipient of a mail: begins the look-ups that its envelope needs. */
static enum status begin_envelope(struct session *s)
{
    const enum status status = judge_envelope(s->judge);

    if (status == STATUS_OK)
        rcpt_answer_learn(judge_asks_dns(s->judge));
    return status;
}

void end_of_message_at_rcpt(struct daemon *d, struct session *s, const char *path, bool silent,
                            struct message_answer *out)
{
    struct judge_mail *m = judge_mail(s->judge);
    enum status status = mail_add_rcpt(m, judge_arena(s->judge), path);
    const bool refusable = !silent && may_split(s);
    /* Another recipient was accepted, and no rule tells the two apart. */
    const bool settled = s->wanted && !policy_differs_by_rcpt(judge_policy(s->judge));
    const char *address;

    *out = (struct message_answer){0};
    if (status == STATUS_LIMIT) {
        too_many(s, silent, out);
        return;
    }
    if (status != STATUS_OK) {
        cannot_judge(out, status_text(status));
        return;
    }
    if (!take_digests(d, s)) {
        cannot_judge(out, "out of memory");
        return;
    }
    address = m->rcpts[m->rcpt_count - 1].address;
    if (refusable && !settled && refused_early(d, s, address, out)) {
        s->refused_rcpt = true;
    } else if (refusable && other_class(d, s, address)) {
        out->refuse = true;
        reply_split_rcpt(&out->reply);
    } else if (s->wanted++ == 0 && begin_envelope(s) != STATUS_OK) {
        cannot_judge(out, "out of memory");
    }
    if (out->refuse)
        m->rcpt_count--; /* it does not belong to this mail */
}
