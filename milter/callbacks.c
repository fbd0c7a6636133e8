// SPDX-License-Identifier: BSD-2-Clause
/*
 * callbacks.c - copies what the MTA tells into the session, and returns the answer.
 *
 * Nothing is judged or decided here. Where there is no session (no memory at connect), the answer is a temporary
 * failure.
 *
 * Macros are asked for by SMFIF_SETSYMLIST, since MTAs send few by default, and are read at the stage where both
 * Postfix and Sendmail have them: daemon and port at connect; TLS and log-in at MAIL (STARTTLS and AUTH come before
 * it); the queue-id at the end, because Postfix has none before DATA. Field values keep their leading blank
 * (SMFIP_HDR_LEADSPC): without it signatures with simple canonicalisation could not be verified.
 */
#include "milter/callbacks.h"
#include "base/domain.h"
#include "milter/action.h"
#include "milter/daemon.h"
#include "milter/doctor_probe.h"
#include "milter/end_of_message.h"
#include "milter/log.h"
#include "milter/rcpt_answer.h"
#include "milter/session.h"
#include "milter/wire/wire_flags.h"
#include "policy/policy_live.h"
#include <netinet/in.h>
#include <stdlib.h>

static const struct mta_macros macros_wanted[] = {
    {WIRE_STAGE_CONNECT, "j {daemon_name} {daemon_addr} {daemon_port} {client_addr} {client_port}"},
    {WIRE_STAGE_HELO, "{tls_version} {cipher} {cipher_bits}"},
    {WIRE_STAGE_MAIL, "i {auth_type} {auth_authen} {tls_version} {cipher} {cipher_bits} {verify} {cert_subject} "
                      "{cert_issuer} {cert_fp}"},
    {WIRE_STAGE_RCPT, "i"},
    {WIRE_STAGE_END, "i"},
    {WIRE_STAGE_HEADER_END, "i"},
};

static bool has_state(const struct session *s)
{
    if (!s)
        log_complain(LOG_MEMORY, "a connection has no state; its mail is deferred");
    return s != NULL;
}

/* NULL if the MTA does not send the macro. Multi-letter names have braces, as in sendmail.cf. */
static const char *macro(struct mta *mta, const char *name)
{
    return mta->ops->macro(mta, name);
}

static unsigned macro_number(const char *text)
{
    char *end;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;

    return text && *text && *end == 0 && n <= 65535 ? (unsigned)n : 0;
}

static bool on_negotiate(unsigned long actions, unsigned long steps, unsigned long *use_actions,
                         unsigned long *use_steps)
{
    const unsigned long needed = WIRE_MAY_ADD_HEADERS | WIRE_MAY_CHANGE_HEADERS,
                        liked = WIRE_MAY_QUARANTINE | WIRE_MAY_SET_SYMBOLS;

    if ((actions & needed) != needed || !(steps & WIRE_LEADING_SPACE)) {
        log_complain(
            LOG_PROTOCOL,
            "the MTA does not let a filter change header fields, or strips their leading blanks (milter protocol "
            "version 6 is needed: Postfix 2.6, Sendmail 8.14): no mail can be judged");
        return false;
    }
    *use_actions = actions & (needed | liked);
    /* The MTA need not wait for our answer to each field, which saves a round trip each. We do not ask for unknown
     * commands and DATA. */
    *use_steps = steps & (WIRE_LEADING_SPACE | WIRE_NO_REPLY_HEADER | WIRE_MAY_SKIP | WIRE_NO_UNKNOWN | WIRE_NO_DATA);
    return true;
}

static bool answers_rcpt(void)
{
    return rcpt_answer_is_needed(&the_daemon);
}

static unsigned port_of(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port);
    return sa->sa_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)(const void *)sa)->sin6_port) : 0;
}

/* Mail from the sendmail command has no client. Postfix then reports a client at 127.0.0.1 with port 0, which no
 * connection can have; Sendmail reports no address. Loopback with a port is a client like any other: content filters
 * return all mail that way. */
static bool no_client(const char *host, const struct sockaddr *address, const struct ip *peer)
{
    if (!address)
        return host && strcasecmp(host, "localhost") == 0;
    return ip_is_loopback(peer) && port_of(address) == 0;
}

/* The MTA's name for itself (Postfix: myhostname), in its canonical form; NULL: it sends none that could be a name. */
static const char *mta_name(struct mta *mta)
{
    static _Thread_local char name[LIMIT_DOMAIN + 1];
    const char *sent = macro(mta, "j");

    return sent && domain_from_text(slice_str(sent), name) == STATUS_OK && domain_is_host(name) ? name : NULL;
}

static enum mta_answer on_connect(struct mta *mta, const char *host, const struct sockaddr *address,
                                  struct session **out)
{
    const struct policy *p = policy_live_get(the_daemon.policy);
    const bool judged = mail_listener_is_judged(p, macro(mta, "{daemon_name}"));
    struct session *s;

    *out = NULL;
    policy_unref(p);
    if (!judged)
        return MTA_ACCEPT;
    s = session_new();
    if (!s)
        return MTA_TEMPFAIL;
    if (address)
        s->peer = ip_from_sockaddr(address);
    s->no_smtp = no_client(host, address, &s->peer);
    s->port = macro_number(macro(mta, "{daemon_port}"));
    s->peer_port = address ? port_of(address) : 0;
    if (!session_set(s, SESSION_PEER_NAME, host) || !session_set(s, SESSION_DAEMON, macro(mta, "{daemon_name}")) ||
        !session_set(s, SESSION_MTA_NAME, mta_name(mta))) {
        session_free(s);
        return MTA_TEMPFAIL;
    }
    *out = s;
    return MTA_CONTINUE;
}

static enum mta_answer on_helo(struct session *s, const char *helo)
{
    return has_state(s) && session_set(s, SESSION_HELO, helo) ? MTA_CONTINUE : MTA_TEMPFAIL;
}

/* Copies the macros about TLS and log-in, which are known at MAIL. */
static bool take_session_macros(struct mta *mta, struct session *s)
{
    static const struct {
        enum session_text which;
        const char *name;
    } macros[] = {
        {SESSION_TLS_VERSION, "{tls_version}"}, {SESSION_TLS_CIPHER, "{cipher}"},
        {SESSION_TLS_VERIFY, "{verify}"},       {SESSION_CERT_SUBJECT, "{cert_subject}"},
        {SESSION_CERT_ISSUER, "{cert_issuer}"}, {SESSION_CERT_FINGERPRINT, "{cert_fp}"},
        {SESSION_AUTH, "{auth_authen}"},
    };

    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
        if (!session_set(s, macros[i].which, macro(mta, macros[i].name)))
            return false;
    if (!s->texts[SESSION_AUTH] && !session_set(s, SESSION_AUTH, macro(mta, "{auth_type}")))
        return false;
    s->tls_bits = macro_number(macro(mta, "{cipher_bits}"));
    return true;
}

static enum mta_answer on_mail(struct mta *mta, struct session *s, const char *const *args)
{
    const struct policy *p;
    enum status status;
    bool smtputf8 = false;
    char words[DOCTOR_PROBE_WORDS];
    struct reply answer;

    if (!has_state(s) || !take_session_macros(mta, s))
        return MTA_TEMPFAIL;
    if (doctor_probe_is_question(&the_daemon, s, args[0] ? args[0] : "", words, &answer))
        return action_refuse(mta, &answer);
    for (const char *const *arg = args + 1; args[0] && *arg; arg++)
        smtputf8 |= strcasecmp(*arg, "SMTPUTF8") == 0;
    p = policy_live_get(the_daemon.policy);
    if (!mail_listener_is_judged(p,
                                 s->texts[SESSION_DAEMON])) { /* so says a policy that is younger than the connection */
        policy_unref(p);
        session_end(s);
        return MTA_ACCEPT;
    }
    status = session_mail(s, &the_daemon.host, p, args[0] ? args[0] : "", smtputf8);
    policy_unref(p);
    if (status == STATUS_OK && mta->arrived)
        judge_no_wait(s->judge, mta->arrived, mta->context);
    doctor_probe_begins(s, args[0] ? args[0] : "");
    return status == STATUS_OK ? MTA_CONTINUE : MTA_TEMPFAIL;
}

static enum mta_answer on_rcpt(struct mta *mta, struct session *s, const char *const *args)
{
    struct message_answer c;

    if (!has_state(s) || !s->judge)
        return MTA_TEMPFAIL;
    if (s->testing)
        return doctor_probe_rcpt(s, args[0] ? args[0] : "") ? MTA_CONTINUE : MTA_TEMPFAIL;
    end_of_message_at_rcpt(&the_daemon, s, args[0] ? args[0] : "", mta->silent_rcpt, &c);
    return c.refuse ? action_refuse(mta, &c.reply) : MTA_CONTINUE;
}

static void on_header(struct session *s, const char *name, const char *value)
{
    if (!has_state(s) || !s->judge)
        return; /* ignored here; the end of the message is answered with a temporary failure */
    if (judge_header(s->judge, slice_str(name), slice_str(value)) != STATUS_OK)
        session_end(s);
}

static enum mta_answer on_header_end(struct session *s)
{
    if (!has_state(s) || !s->judge || judge_headers_end(s->judge) != STATUS_OK)
        return MTA_TEMPFAIL;
    return MTA_CONTINUE;
}

static enum mta_answer on_body(struct session *s, struct slice piece)
{
    if (!has_state(s) || !s->judge)
        return MTA_TEMPFAIL;
    judge_body(s->judge, piece, true);
    return judge_wants_body(s->judge) ? MTA_CONTINUE : MTA_SKIP;
}

static enum mta_answer on_end(struct mta *mta, struct session *s)
{
    struct message_answer c;
    enum mta_answer answer;

    if (!has_state(s) || !s->judge)
        return MTA_TEMPFAIL;
    if (s->testing) {
        if (!doctor_probe_end(&the_daemon, s))
            return MTA_PENDING;
        session_end(s);
        return MTA_DISCARD;
    }
    if (!judge_mail(s->judge)->queue_id) /* else this is not the first call for this message */
        judge_mail(s->judge)->queue_id = arena_strdup(judge_arena(s->judge), macro(mta, "i"));
    if (!end_of_message(&the_daemon, s, &c))
        return MTA_PENDING;
    answer = c.refuse ? action_refuse(mta, &c.reply) : action_pass(mta, s->judge, c.action, &c.stamp);
    session_end(s);
    return answer;
}

static void on_abort(struct session *s)
{
    if (s)
        session_end(s);
}

const struct mta_callbacks callbacks = {
    .macros = macros_wanted,
    .macro_stages = sizeof macros_wanted / sizeof *macros_wanted,
    .negotiate = on_negotiate,
    .answers_rcpt = answers_rcpt,
    .connect = on_connect,
    .helo = on_helo,
    .mail = on_mail,
    .rcpt = on_rcpt,
    .header = on_header,
    .header_end = on_header_end,
    .body = on_body,
    .end = on_end,
    .abort = on_abort,
    .close = session_free,
};
