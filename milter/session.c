// SPDX-License-Identifier: BSD-2-Clause
/*
 * session.c - the state of one connection.
 *
 * Promises that abort and close at any stage free everything, and that nothing of one message is seen by the next.
 * Failure: when memory runs out the caller is told, and defers the mail.
 */
#include "milter/session.h"
#include "base/clock.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_uint messages; /* messages being judged, in all sessions */
static atomic_bool stopping;

struct session *session_new(void)
{
    struct session *s = calloc(1, sizeof *s);

    if (s) {
        s->magic = SESSION_MAGIC;
        s->began_ms = clock_mono_ms();
    }
    return s;
}

struct session *session_free(struct session *s)
{
    if (!s)
        return NULL;
    session_end(s);
    for (size_t i = 0; i < SESSION_TEXTS; i++)
        free(s->texts[i]);
    s->magic = 0;
    free(s);
    return NULL;
}

struct session *session_of(void *p)
{
    struct session *s = p;
    return s && s->magic == SESSION_MAGIC ? s : NULL;
}

bool session_set(struct session *s, enum session_text which, const char *text)
{
    char *copy = text && *text ? strdup(text) : NULL;

    if (text && *text && !copy)
        return false;
    s->text_octets += copy ? strlen(copy) : 0;
    s->text_octets -= s->texts[which] ? strlen(s->texts[which]) : 0;
    free(s->texts[which]);
    s->texts[which] = copy;
    return true;
}

/* Copies the connection's texts into the mail, because EHLO and STARTTLS may come again while the mail is being
 * judged. */
static bool copy_texts(const struct session *s, struct judge_mail *m, struct arena *a)
{
    const char *copies[SESSION_TEXTS] = {NULL};

    for (size_t i = 0; i < SESSION_TEXTS; i++) {
        copies[i] = arena_strdup(a, s->texts[i]);
        if (s->texts[i] && !copies[i])
            return false;
    }
    m->peer_name = copies[SESSION_PEER_NAME];
    m->daemon = copies[SESSION_DAEMON];
    m->mta_name = copies[SESSION_MTA_NAME];
    m->auth_user = copies[SESSION_AUTH];
    m->tls = (struct mail_tls){
        .version = copies[SESSION_TLS_VERSION],
        .cipher = copies[SESSION_TLS_CIPHER],
        .bits = s->tls_bits,
        .verify = copies[SESSION_TLS_VERIFY],
        .cert_subject = copies[SESSION_CERT_SUBJECT],
        .cert_issuer = copies[SESSION_CERT_ISSUER],
        .cert_fingerprint = copies[SESSION_CERT_FINGERPRINT],
        .cert_told = copies[SESSION_TLS_VERIFY] != NULL, /* Sendmail; Postfix has no such macro */
    };
    return mail_set_helo(m, a, s->texts[SESSION_HELO]) == STATUS_OK;
}

enum status session_mail(struct session *s, const struct judge_host *host, const struct policy *p, const char *path,
                         bool smtputf8)
{
    struct judge_mail *m;

    session_end(s);
    atomic_fetch_add(&messages, 1);
    if (atomic_load(&stopping) || !(s->judge = judge_new(host, p, 0))) {
        atomic_fetch_sub(&messages, 1);
        return atomic_load(&stopping) ? STATUS_AGAIN : STATUS_NOMEM;
    }
    m = judge_mail(s->judge);
    m->peer = s->peer;
    m->client = s->no_smtp ? (struct ip){0} : s->peer;
    m->port = s->port;
    if (!copy_texts(s, m, judge_arena(s->judge)) ||
        mail_set_from(m, judge_arena(s->judge), path, smtputf8) != STATUS_OK) {
        session_end(s);
        return STATUS_NOMEM;
    }
    m->source = mail_source(m, p, s->no_smtp);
    s->began_ms = clock_mono_ms();
    return STATUS_OK;
}

void session_end(struct session *s)
{
    if (s->judge) {
        s->judge = judge_free(s->judge);
        atomic_fetch_sub(&messages, 1);
    }
    s->split = s->split_class = s->wanted = 0;
    s->refused_rcpt = s->cut = false;
}

size_t session_used(const struct session *s, bool *in_message)
{
    *in_message = s->judge != NULL;
    return s->text_octets + (s->judge ? arena_used(judge_arena(s->judge)) : 0);
}

void session_stop(void)
{
    atomic_store(&stopping, true);
}

bool session_drain(unsigned seconds)
{
    const int64_t until = clock_mono_ms() + seconds * 1000;

    session_stop();
    while (atomic_load(&messages) > 0 && clock_mono_ms() < until)
        usleep(5000);
    return atomic_load(&messages) == 0;
}
