// SPDX-License-Identifier: BSD-2-Clause
/*
 * canonical.c - prints a statement as one line of the language, with a fixed order of clauses and one blank between
 * words.
 *
 * Parsing the line gives the same statement. Names are A-labels; files are as the parser resolved them. Pure except for
 * the buffer.
 */
#include "base/domain.h"
#include "policy/model.h"

static void quoted(struct buf *out, const char *before, const char *text)
{
    if (text) {
        buf_adds(out, before);
        canonical_quote(out, text);
    }
}

static void party(struct buf *out, const struct policy_party *p, bool unicode)
{
    char text[LIMIT_DOMAIN * 4];
    _Static_assert(sizeof text >= IP_NET_TEXT, "a network's text must fit");
    const char *name = p->name;
    if (unicode && (p->kind == POLICY_ONLY || p->kind == POLICY_DOMAIN))
        name = domain_to_unicode(name, text, sizeof text);
    switch (p->kind) {
    case POLICY_EVERYONE:
        buf_adds(out, "everyone");
        break;
    case POLICY_SUBMITTERS:
        buf_adds(out, "submission");
        break;
    case POLICY_NETWORK:
        buf_adds(out, ip_net_text(&p->net, text));
        break;
    case POLICY_IN_LIST:
        buf_printf(out, "list %s", p->name);
        break;
    case POLICY_ONLY:
        buf_printf(out, "only %s", name);
        break;
    default:
        buf_adds(out, name);
    }
}

static void standards(struct buf *out, const struct policy_statement *s)
{
    const char *comma = "";
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT; i++) {
        if (!(s->standards & POLICY_BIT(i)))
            continue;
        buf_printf(out, "%s%s", comma, standard_name((enum standard)i));
        comma = ", ";
        if (i == STANDARD_TLS && s->tls_version)
            buf_printf(out, " 1.%u or newer", s->tls_version - 10);
        if (i == STANDARD_DMARC && s->as_published)
            buf_adds(out, " as published");
    }
    if (s->own_from)
        buf_printf(out, "%sown-from", comma);
}

/* A forwarder is meant by its exact name unless the statement says more. */
static void forwarder(struct buf *out, const struct policy_statement *s, bool unicode)
{
    const struct policy_party name = {.kind = POLICY_DOMAIN, .name = s->who.name};
    party(out, &name, unicode);
    if (s->who.kind == POLICY_DOMAIN)
        buf_adds(out, " and below");
}

static void rule(struct buf *out, const struct policy_statement *s)
{
    if (s->always)
        buf_adds(out, "always ");
    if (s->trial)
        buf_adds(out, "trial ");
    buf_printf(out, "%s ", policy_level_name(s->level));
    standards(out, s);
    buf_adds(out, " of ");
    if (s->kind == POLICY_NAMES_RULE && s->who.kind == POLICY_EVERYONE) {
        buf_adds(out, "every name");
    } else {
        if (s->kind == POLICY_NAMES_RULE)
            buf_adds(out, "names in ");
        party(out, &s->who, false);
    }
    if (s->strictly)
        buf_adds(out, " strictly");
    if (s->except_bounces)
        buf_adds(out, " except bounces");
}

static void house(struct buf *out, const struct policy_statement *s, const char *word)
{
    buf_adds(out, word);
    for (size_t i = 0; i < s->item_count; i++)
        buf_printf(out, "%s%s", i ? ", " : " ", s->items[i]);
}

/* A value that would not be parsed as one word is quoted. */
static void value(struct buf *out, const struct policy_statement *s)
{
    buf_printf(out, "set %s", s->name);
    for (size_t i = 0; i < s->item_count; i++) {
        const char *v = s->items[i];
        bool list = strncmp(v, "list ", 5) == 0 && !strpbrk(v + 5, " \t,\"#\\");
        buf_adds(out, i ? ", " : " ");
        if (list || (*v && !strpbrk(v, " \t,\"#\\")))
            buf_adds(out, v);
        else
            canonical_quote(out, v);
    }
}

static void heart(struct buf *out, const struct policy_statement *s)
{
    switch (s->kind) {
    case POLICY_RULE:
    case POLICY_NAMES_RULE:
        rule(out, s);
        break;
    case POLICY_EXEMPT:
        buf_adds(out, "exempt ");
        party(out, &s->who, false);
        buf_adds(out, " from ");
        standards(out, s);
        break;
    case POLICY_SUSPEND:
        buf_printf(out, "suspend validation below %s", s->who.name);
        break;
    case POLICY_TRUST:
        buf_adds(out, "trust ");
        forwarder(out, s, false);
        buf_adds(out, " as forwarder");
        break;
    case POLICY_OWN:
        house(out, s, strcmp(s->name, "domains") == 0 ? "own domains" : "own network");
        break;
    case POLICY_RELAY:
        house(out, s, "relay");
        break;
    case POLICY_SUBMISSION:
        house(out, s, "submission");
        break;
    case POLICY_LISTENER:
        listener_canonical(s, out);
        break;
    case POLICY_LIST:
        buf_printf(out, "list %s", s->name);
        quoted(out, " in ", s->value);
        break;
    case POLICY_INCLUDE:
        quoted(out, "include ", s->name);
        buf_adds(out, s->tightens ? " may tighten" : "");
        break;
    case POLICY_SET:
        value(out, s);
        break;
    case POLICY_TITLE:
        quoted(out, "policy ", s->name);
        quoted(out, " owner ", s->value);
        break;
    }
}

/* What narrows a statement beside its WHO. */
static void conditions(struct buf *out, const struct policy_statement *s, bool unicode)
{
    if (s->whom.kind) {
        buf_adds(out, " writing to ");
        party(out, &s->whom, unicode);
    }
    if (s->via.kind) {
        buf_adds(out, " via ");
        party(out, &s->via, unicode);
    }
    if (s->signed_by)
        buf_printf(out, " signed by %s", s->signed_by);
}

void policy_scope(const struct policy_statement *s, bool unicode, struct buf *out)
{
    if (s->kind == POLICY_TRUST)
        forwarder(out, s, unicode);
    else
        party(out, &s->who, unicode);
    conditions(out, s, unicode);
}

void canonical_statement(const struct policy_statement *s, struct buf *out)
{
    char day[POLICY_DAY_TEXT];
    heart(out, s);
    conditions(out, s, false);
    if (s->action_written)
        buf_printf(out, " otherwise %s", policy_action_name(s->action));
    quoted(out, " ", s->peer_text);
    quoted(out, " because ", s->because);
    quoted(out, " agreed by ", s->agreed_by);
    if (s->since)
        buf_printf(out, " since %s", policy_day_text(s->since, day));
    if (s->until)
        buf_printf(out, " through %s", policy_day_text(s->until - 43200, day));
    quoted(out, " ref ", s->ref);
}
