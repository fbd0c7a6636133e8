// SPDX-License-Identifier: BSD-2-Clause
/*
 * callbacks.c - copies what libmilter tells into the session, and returns the result to libmilter.
 *
 * Nothing is judged or decided here. Each callback finds its session by session_of(). If there is none (no memory at
 * connect, or a pointer that is not ours), it answers with a temporary failure.
 *
 * Macros are asked for by SMFIF_SETSYMLIST, since MTAs send few by default, and are read at the stage where both
 * Postfix and Sendmail have them: daemon and port at connect; TLS and log-in at MAIL (STARTTLS and AUTH come before
 * it); the queue-id at the end, because Postfix has none before DATA. Field values keep their leading blank
 * (SMFIP_HDR_LEADSPC): without it signatures with simple canonicalisation could not be verified.
 */
#include "milter/callbacks.h"
#include "base/domain.h"
#include "milter/action.h"
#include "milter/end_of_message.h"
#include "milter/daemon.h"
#include "milter/log.h"
#include "milter/doctor_probe.h"
#include "policy/policy_live.h"
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <stdlib.h>

static struct session *session_from(SMFICTX *ctx)
{
    struct session *s = session_of(smfi_getpriv(ctx));

    if (!s)
        log_complain(LOG_MEMORY, "a connection has no state; its mail is deferred");
    return s;
}

/* NULL if the MTA does not send the macro. Tries the name with braces first, as in sendmail.cf; single letters have
 * none. */
static const char *macro(SMFICTX *ctx, const char *name)
{
    char copy[32];

    snprintf(copy, sizeof copy, "%s", name);
    return smfi_getsymval(ctx, copy);
}

static unsigned number(const char *text)
{
    char *end;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;

    return text && *text && *end == 0 && n <= 65535 ? (unsigned)n : 0;
}

static void ask_for_macros(SMFICTX *ctx)
{
    static const struct {
        int stage;
        const char *names;
    } wanted[] = {
        {SMFIM_CONNECT, "j {daemon_name} {daemon_addr} {daemon_port} {client_addr} {client_port}"},
        {SMFIM_HELO, "{tls_version} {cipher} {cipher_bits}"},
        {SMFIM_ENVFROM, "i {auth_type} {auth_authen} {tls_version} {cipher} {cipher_bits} {verify} {cert_subject} "
                        "{cert_issuer} {cert_fp}"},
        {SMFIM_ENVRCPT, "i"},
        {SMFIM_EOH, "i"},
        {SMFIM_EOM, "i"},
    };

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char names[256];
        snprintf(names, sizeof names, "%s", wanted[i].names);
        smfi_setsymlist(ctx, wanted[i].stage, names);
    }
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2, unsigned long f3,
                             unsigned long *pf0, unsigned long *pf1, unsigned long *pf2, unsigned long *pf3)
{
    const unsigned long needed = SMFIF_ADDHDRS | SMFIF_CHGHDRS, liked = SMFIF_QUARANTINE | SMFIF_SETSYMLIST;

    if ((f0 & needed) != needed || !(f1 & SMFIP_HDR_LEADSPC)) {
        log_complain(
            LOG_PROTOCOL,
            "the MTA does not let a filter change header fields, or strips their leading blanks (milter protocol "
            "version 6 is needed: Postfix 2.6, Sendmail 8.14): no mail can be judged");
        return SMFIS_REJECT;
    }
    *pf0 = f0 & (needed | liked);
    if (f0 & SMFIF_SETSYMLIST)
        ask_for_macros(ctx);
    /* The MTA need not wait for our answer to each field, which saves a round trip each. We do not ask for unknown
     * commands and DATA. */
    *pf1 = f1 & (SMFIP_HDR_LEADSPC | SMFIP_NR_HDR | SMFIP_SKIP | SMFIP_NOUNKNOWN | SMFIP_NODATA);
    *pf2 = *pf3 = 0;
    (void)f2;
    (void)f3;
    return SMFIS_CONTINUE;
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
static const char *mta_name(SMFICTX *ctx)
{
    static _Thread_local char name[LIMIT_DOMAIN + 1];
    const char *sent = macro(ctx, "j");

    return sent && domain_from_text(slice_str(sent), name) == STATUS_OK && domain_is_host(name) ? name : NULL;
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    const struct policy *p = policy_live_get(the_daemon.policy);
    const bool judged = mail_listener_is_judged(p, macro(ctx, "{daemon_name}"));
    struct session *s;

    policy_unref(p);
    if (!judged)
        return SMFIS_ACCEPT;
    s = session_new();
    if (!s)
        return SMFIS_TEMPFAIL;
    if (address)
        s->peer = ip_from_sockaddr((const struct sockaddr *)address);
    s->no_smtp = no_client(host, (const struct sockaddr *)address, &s->peer);
    s->port = number(macro(ctx, "{daemon_port}"));
    s->peer_port = address ? port_of((const struct sockaddr *)address) : 0;
    if (!session_set(s, SESSION_PEER_NAME, host) || !session_set(s, SESSION_DAEMON, macro(ctx, "{daemon_name}")) ||
        !session_set(s, SESSION_MTA_NAME, mta_name(ctx)) || smfi_setpriv(ctx, s) != MI_SUCCESS) {
        session_free(s);
        return SMFIS_TEMPFAIL;
    }
    return SMFIS_CONTINUE;
}

static sfsistat on_helo(SMFICTX *ctx, char *helo)
{
    struct session *s = session_from(ctx);

    return s && session_set(s, SESSION_HELO, helo) ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

/* Copies the macros about TLS and log-in, which are known at MAIL. */
static bool take_session_macros(SMFICTX *ctx, struct session *s)
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
        if (!session_set(s, macros[i].which, macro(ctx, macros[i].name)))
            return false;
    if (!s->texts[SESSION_AUTH] && !session_set(s, SESSION_AUTH, macro(ctx, "{auth_type}")))
        return false;
    s->tls_bits = number(macro(ctx, "{cipher_bits}"));
    return true;
}

static sfsistat on_mail(SMFICTX *ctx, char **args)
{
    struct session *s = session_from(ctx);
    const struct policy *p;
    enum status status;
    bool smtputf8 = false;
    char words[DOCTOR_PROBE_WORDS];
    struct reply answer;

    if (!s || !take_session_macros(ctx, s))
        return SMFIS_TEMPFAIL;
    if (doctor_probe_is_question(&the_daemon, s, args[0] ? args[0] : "", words, &answer))
        return action_refuse(ctx, &answer);
    for (char **arg = args + 1; args[0] && *arg; arg++)
        smtputf8 |= strcasecmp(*arg, "SMTPUTF8") == 0;
    p = policy_live_get(the_daemon.policy);
    status = session_mail(s, &the_daemon.host, p, args[0] ? args[0] : "", smtputf8);
    policy_unref(p);
    doctor_probe_begins(s, args[0] ? args[0] : "");
    return status == STATUS_OK ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

static sfsistat on_rcpt(SMFICTX *ctx, char **args)
{
    struct session *s = session_from(ctx);
    struct message_answer c;

    if (!s || !s->judge)
        return SMFIS_TEMPFAIL;
    if (s->testing)
        return doctor_probe_rcpt(s, args[0] ? args[0] : "") ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
    end_of_message_at_rcpt(&the_daemon, s, args[0] ? args[0] : "", &c);
    return c.refuse ? action_refuse(ctx, &c.reply) : SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    struct session *s = session_from(ctx);

    if (!s || !s->judge)
        return SMFIS_NOREPLY; /* ignored here; the end of the message is answered with a temporary failure */
    if (judge_header(s->judge, slice_str(name), slice_str(value)) != STATUS_OK)
        session_end(s);
    return SMFIS_NOREPLY;
}

static sfsistat on_header_end(SMFICTX *ctx)
{
    struct session *s = session_from(ctx);

    if (!s || !s->judge || judge_headers_end(s->judge) != STATUS_OK)
        return SMFIS_TEMPFAIL;
    return SMFIS_CONTINUE;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *piece, size_t n)
{
    struct session *s = session_from(ctx);

    if (!s || !s->judge)
        return SMFIS_TEMPFAIL;
    judge_body(s->judge, slice_of((const char *)piece, n), true);
    return judge_wants_body(s->judge) ? SMFIS_CONTINUE : SMFIS_SKIP;
}

static sfsistat on_end(SMFICTX *ctx)
{
    struct session *s = session_from(ctx);
    struct message_answer c;
    const char *id;
    sfsistat rc;

    if (!s || !s->judge)
        return SMFIS_TEMPFAIL;
    if (s->testing) {
        doctor_probe_end(&the_daemon, s);
        session_end(s);
        return SMFIS_DISCARD;
    }
    id = macro(ctx, "i");
    judge_mail(s->judge)->queue_id = arena_strdup(judge_arena(s->judge), id);
    end_of_message(&the_daemon, s, &c);
    rc = c.refuse ? action_refuse(ctx, &c.reply) : action_pass(ctx, s->judge, c.action, &c.stamp);
    session_end(s);
    return rc;
}

static sfsistat on_abort(SMFICTX *ctx)
{
    struct session *s = session_of(smfi_getpriv(ctx));

    if (s)
        session_end(s);
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    session_free(session_of(smfi_getpriv(ctx)));
    smfi_setpriv(ctx, NULL);
    return SMFIS_CONTINUE;
}

void callbacks_describe(struct smfiDesc *out)
{
    static char name[] = "assay-milter";

    *out = (struct smfiDesc){
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_header = on_header,
        .xxfi_eoh = on_header_end,
        .xxfi_body = on_body,
        .xxfi_eom = on_end,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_negotiate = on_negotiate,
    };
}
