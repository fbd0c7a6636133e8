// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail.c - parses the envelope of a message.
 *
 * Promises that MAIL FROM and RCPT are parsed here, once, by the strict grammar of standards/message/mailaddr.h: every
 * later part of the program sees the same domain (RFC 5321 4.1.2). A MAIL FROM that is not a path is
 * noted and names no sender: it never counts as the null sender, nor as the part of it that looks like an address.
 * Failure: STATUS_NOMEM; the mail is unchanged.
 */
#include "judge/mail.h"
#include "base/array.h"
#include "policy/policy.h"
#include "standards/rdns.h"

#define RCPT_SCRATCH (16 * 1024) /* memory for parsing one path, a few times LIMIT_ADDRESS */

void mail_init(struct judge_mail *m, struct arena *a, time_t at)
{
    *m = (struct judge_mail){.at = at};
    header_list_init(&m->headers, a);
}

enum status mail_set_helo(struct judge_mail *m, struct arena *a, const char *helo)
{
    char name[LIMIT_DOMAIN + 1];

    m->helo_domain = NULL;
    m->helo = arena_strdup(a, helo);
    if (!m->helo)
        return helo ? STATUS_NOMEM : STATUS_OK;
    if (strlen(helo) <= LIMIT_HELO) {
        enum helo_syntax syntax = helo_parse(slice_str(helo), name, NULL);
        if (syntax == HELO_NAME || syntax == HELO_SINGLE_LABEL) {
            m->helo_domain = arena_strdup(a, name);
            if (!m->helo_domain)
                return STATUS_NOMEM;
        }
    }
    return STATUS_OK;
}

enum status mail_set_from(struct judge_mail *m, struct arena *a, const char *path, bool smtputf8)
{
    enum status s;

    m->smtputf8 = smtputf8;
    m->mail_from = (struct mailbox){0};
    m->mail_from_bad = m->null_sender = false;
    m->mail_from_text = arena_strdup(a, path);
    if (!m->mail_from_text)
        return STATUS_NOMEM;
    s = mailaddr_path(a, slice_str(path), smtputf8, &m->mail_from);
    if (s == STATUS_NOMEM)
        return s;
    m->mail_from_bad = s != STATUS_OK;
    m->null_sender = s == STATUS_OK && m->mail_from.local.n == 0 && !m->mail_from.domain && m->mail_from.literal.n == 0;
    return STATUS_OK;
}

static enum status rcpt_grow(struct judge_mail *m, struct arena *a)
{
    struct mail_rcpt *more;

    if (m->rcpt_count < m->rcpt_room)
        return STATUS_OK;
    more = array_grow_in(a, m->rcpts, &m->rcpt_room, 8, sizeof *more);
    if (!more)
        return STATUS_NOMEM;
    m->rcpts = more;
    return STATUS_OK;
}

/* Keeps only the text and the domain of a recipient, so that LIMIT_RECIPIENTS of them fit. */
static enum status keep_rcpt(struct arena *a, struct slice text, struct mail_rcpt *out)
{
    struct arena *scratch = arena_new(RCPT_SCRATCH);
    struct mailbox box = {0};
    enum status s = scratch ? mailaddr_path(scratch, text, true, &box) : STATUS_NOMEM;

    if (text.n >= 2 && text.p[0] == '<' && text.p[text.n - 1] == '>')
        text = slice_of(text.p + 1, text.n - 2);
    if (s != STATUS_NOMEM) {
        *out = (struct mail_rcpt){arena_copy(a, text.p, text.n), arena_strdup(a, box.domain)};
        s = out->address && (out->domain || !box.domain) ? STATUS_OK : STATUS_NOMEM;
    }
    arena_free(scratch);
    return s;
}

enum status mail_add_rcpt(struct judge_mail *m, struct arena *a, const char *path)
{
    enum status s;

    if (m->rcpt_count >= LIMIT_RECIPIENTS)
        return STATUS_LIMIT;
    s = rcpt_grow(m, a);
    if (s == STATUS_OK)
        s = keep_rcpt(a, slice_trim(slice_str(path)), &m->rcpts[m->rcpt_count]);
    if (s == STATUS_OK)
        m->rcpt_count++;
    return s;
}

bool mail_listener_is_judged(const struct policy *p, const char *listener)
{
    const struct policy_statement *s = policy_listener(p, listener);

    return !s || s->listener.as != POLICY_AS_UNJUDGED;
}

enum judge_source mail_source(const struct judge_mail *m, const struct policy *p, bool no_smtp)
{
    const struct policy_statement *listener = policy_listener(p, m->daemon);

    if (no_smtp)
        return JUDGE_LOCAL;
    if (listener && listener->listener.as == POLICY_AS_SUBMISSION)
        return JUDGE_SUBMISSION;
    if (listener && listener->listener.as == POLICY_AS_RELAY)
        return JUDGE_RELAY;
    if (policy_is_submission(p, m->port, m->auth_user != NULL))
        return JUDGE_SUBMISSION;
    if (m->peer.family && policy_is_relay(p, &m->peer))
        return JUDGE_RELAY;
    if (m->peer.family && policy_is_own_network(p, &m->peer))
        return JUDGE_OWN;
    return JUDGE_INTERNET;
}

struct slice mail_message_id(const struct judge_mail *m, struct arena *a)
{
    const struct header_field *f = header_find(&m->headers, "Message-ID", 1);

    if (!f)
        return SLICE_NULL;
    return slice_trim(header_unfold(a, f->value));
}
