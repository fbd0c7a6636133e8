// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_sentences.c - one statement of the policy in plain sentences: what is asked of whom, with what consequence,
 * also where the file names none; what an exception or a trust excuses.
 *
 * Promises that every sentence names the line that it stands for, unless the form leaves it out. Appends to what is
 * printed and fails with it (buf.h).
 */
#include "cli/policy/policy_sentences.h"
#include "base/clock.h"
#include "base/domain.h"
#include "base/utf8.h"
#include "cli/policy/policy_cmd.h"
#include "cli/policy/policy_words.h"

/* ---- paragraphs ---- */

void sentences_wrap(struct reading *r, const char *first, const char *text)
{
    size_t indent = cli_columns(first), column = indent;
    bool start = true;
    buf_adds(&r->out, first);
    while (*text) {
        size_t n = strcspn(text, " ");
        char word[2048];
        snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), text);
        size_t columns = cli_columns(word);
        if (!start && column + 1 + columns > r->width) {
            buf_printf(&r->out, "\n%*s", (int)indent, "");
            column = indent;
            start = true;
        }
        buf_printf(&r->out, "%s%s", start ? "" : " ", word);
        column += columns + !start;
        start = false;
        text += n;
        text += strspn(text, " ");
    }
    buf_addc(&r->out, '\n');
}

void sentences_end(struct reading *r, const char *first, struct buf *text)
{
    struct buf visible = BUF_INIT;
    utf8_add_visible(&visible, buf_slice(text));
    sentences_wrap(r, first, visible.p);
    buf_release(&visible);
    buf_release(text);
}

void sentences_heading(struct reading *r, const char *text)
{
    buf_printf(&r->out, "\n%s%s%s\n\n", cli_colour(stdout, CLI_BOLD), text, cli_colour(stdout, CLI_PLAIN));
}

/* ---- parts of sentences ---- */

void sentences_party(const struct reading *r, const struct policy_party *p, struct buf *out)
{
    char text[LIMIT_DOMAIN * 4];
    const char *file = "?";
    size_t entries = 0;
    switch (p->kind) {
    case POLICY_EVERYONE:
        buf_adds(out, _("everyone"));
        break;
    case POLICY_SUBMITTERS:
        buf_adds(out, _("our own users"));
        break;
    case POLICY_NETWORK:
        buf_printf(out, _("the network %s"), ip_net_text(&p->net, text));
        break;
    case POLICY_IN_LIST:
        if (policy_list(r->p, p->name, &entries, &file) == STATUS_OK)
            buf_printf(out, _("the list \"%s\" (entries: %zu)"), p->name, entries);
        else
            buf_printf(out, _("the list \"%s\""), p->name);
        break;
    case POLICY_ONLY:
        buf_printf(out, _("%s alone"), domain_to_unicode(p->name, text, sizeof text));
        break;
    case POLICY_DOMAIN:
        domain_to_unicode(p->name, text, sizeof text);
        buf_printf(out, _("%s and all names below it"), text);
        if (strcmp(text, p->name) != 0)
            buf_printf(out, " (%s)", p->name);
        break;
    default:
        buf_adds(out, p->name ? p->name : "");
    }
}

/* Whom the statement is about; in a group, how many it is that are named below. */
static void put_whom(const struct reading *r, const struct policy_party *p, struct buf *out)
{
    if (r->form == ALIKE)
        buf_printf(out, "\001%d", (int)p->kind);
    else if (r->form == GROUP)
        buf_printf(out, _("each of the %zu listed below"), r->members);
    else
        sentences_party(r, p, out);
}

void sentences_line(const struct reading *r, const struct policy_statement *s, struct buf *out)
{
    if (r->form != SAID)
        return;
    if (s->id[0] == 'L')
        buf_printf(out, _(" [line %u]"), s->line);
    else
        buf_printf(out, _(" [%s line %u]"), s->file, s->line);
}

static void put_because(const struct policy_statement *s, struct buf *out)
{
    if (s->because)
        buf_printf(out, _(" The reason given: \"%s\"."), s->because);
    if (s->agreed_by)
        buf_printf(out, _(" Agreed by: %s."), s->agreed_by);
    if (s->ref)
        buf_printf(out, _(" Reference: %s."), s->ref);
}

/* "Of mail from everyone, writing to payroll.example.org and all names below it," */
static void put_subject(const struct reading *r, const struct policy_statement *s, struct buf *out)
{
    buf_adds(out, s->who.kind == POLICY_NETWORK ? _("Mail that reaches us from ") : _("Mail from "));
    if (!s->whom.kind) {
        put_whom(r, &s->who, out);
        return;
    }
    sentences_party(r, &s->who, out);
    buf_adds(out, _(", written to "));
    put_whom(r, &s->whom, out);
}

/* ---- rules of mail ---- */

static void put_consequence(const struct policy_statement *s, enum standard standard, struct buf *out)
{
    enum policy_action action = s->action_written ? s->action : policy_default_action(standard, s->level);
    bool owner = s->level == POLICY_FOLLOW && standard == STANDARD_DMARC && !s->action_written;
    if (owner && s->as_published)
        buf_adds(out, _("then what the domain's owner asks for is done; but where the owner asks us to refuse, the "
                        "message is put into the junk folder if an aligned signature shows that only its text was "
                        "changed on the way, or if the host that sent it to our relay is not known"));
    else if (owner)
        buf_adds(out, _("then what the owner asks for is done; but where the owner asks us to refuse, the message is "
                        "refused only with a second sign that it is forged, and otherwise put into the junk folder "
                        "(second signs: the domain is our own; it says that it sends no mail; it signs all its mail, "
                        "and not this; a line of this policy names the sender's network). A signature that shows that "
                        "only the text was changed on the way keeps it from being refused, too"));
    else
        buf_printf(out, s->level == POLICY_FOLLOW ? _("then %s") : _("if not, %s"), words_action(action));
    if (!owner && !s->action_written)
        buf_adds(out, _(" (the default)"));
    if (s->level == POLICY_REQUIRE && !s->action_written && standard == STANDARD_DNSSEC)
        buf_adds(out, _("; answers signed wrongly only delay it"));
    if (s->except_bounces && standard == STANDARD_DMARC)
        buf_adds(out, _("; but a message without a sender that has the form of a delivery notice is excused, whoever "
                        "it says it is from"));
    if (s->peer_text && s->action >= POLICY_DEFER)
        buf_printf(out, _(", with the words \"%s\""), s->peer_text);
}

static void say_standard(struct reading *r, const struct policy_statement *s, enum standard standard)
{
    struct buf b = BUF_INIT;
    const char *asks = words_asks(standard, s->level, false);
    r->standards |= POLICY_BIT(standard);
    buf_printf(&b, "%s: ", words_standard(standard));
    if (s->tightens && policy_tightens_nothing(r->p, s, standard, 0, NULL))
        buf_adds(&b, _("changes nothing, since the main policy asks as much or more"));
    else if (s->level == POLICY_IGNORE)
        buf_adds(&b, _("not looked at"));
    else if (s->level == POLICY_RECORD)
        buf_adds(&b, _("checked and recorded; nothing is ever done because of it"));
    else if (s->who.kind == POLICY_NETWORK && standard == STANDARD_DMARC)
        buf_adds(&b, _("mail from there that fails is refused where the owner of its domain asks for that, without a "
                       "second sign "
                       "that it is forged"));
    else if (!asks)
        buf_adds(&b, _("checked and recorded; nothing is done because of it, since this standard publishes no "
                       "wish of the sender's"));
    else {
        buf_adds(&b, asks);
        if (standard == STANDARD_TLS && s->tls_version)
            buf_printf(&b, _(", by TLS 1.%u or newer"), s->tls_version - 10);
        buf_adds(&b, s->level == POLICY_FOLLOW ? ", " : "; ");
        put_consequence(s, standard, &b);
    }
    buf_addc(&b, '.');
    sentences_end(r, "      - ", &b);
}

static void say_rule(struct reading *r, const struct policy_statement *s)
{
    struct buf b = BUF_INIT;
    put_subject(r, s, &b);
    if (s->trial)
        buf_adds(&b, _(", on trial (what would be done is only written down; meanwhile no other line acts on it)"));
    if (s->always)
        buf_adds(&b, _(", always: no other line and no exception loosens this"));
    if (s->tightens)
        buf_adds(&b, _(", said by the recipients themselves, and counting only where it asks more than the rest"));
    buf_adds(&b, ":");
    sentences_line(r, s, &b);
    put_because(s, &b);
    sentences_end(r, "  ", &b);
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT; i++)
        if (s->standards & POLICY_BIT(i))
            say_standard(r, s, (enum standard)i);
    if (s->own_from) {
        buf_adds(&b, s->level == POLICY_REQUIRE
                         ? _("the visible sender (From) must be one of our own domains; if not, ")
                         : _("whether the visible sender (From) is one of our own domains is written down; "));
        buf_adds(&b, words_action(s->action));
        buf_addc(&b, '.');
        sentences_end(r, "      - ", &b);
    }
    buf_addc(&r->out, '\n');
}

static void say_names(struct reading *r, const struct policy_statement *s)
{
    struct buf b = BUF_INIT;
    const char *asks = words_asks(STANDARD_DNSSEC, s->level, true);
    r->standards |= POLICY_BIT(STANDARD_DNSSEC);
    buf_adds(&b, _("Questions for "));
    if (s->who.kind == POLICY_EVERYONE)
        buf_adds(&b, _("any name"));
    else
        put_whom(r, &s->who, &b);
    buf_printf(&b, ": %s",
               asks                        ? asks
               : s->level == POLICY_RECORD ? _("whether answers are signed is recorded, and no answer is refused")
                                           : _("not looked at"));
    if (s->strictly)
        buf_adds(&b, _("; so are answers that lead on to an unsigned name elsewhere"));
    if (s->trial)
        buf_adds(&b, _("; on trial: only written down"));
    buf_adds(&b, s->always ? _("; always: no other line loosens this.") : ".");
    sentences_line(r, s, &b);
    put_because(s, &b);
    sentences_end(r, "  - ", &b);
}

/* ---- what is excused ---- */

static void put_until(const struct policy_statement *s, struct buf *out)
{
    char day[POLICY_DAY_TEXT];
    policy_day_text(s->until - 43200, day);
    if (s->until <= clock_wall())
        buf_printf(out, _(" It ended with %s and excuses nothing any more."), day);
    else
        buf_printf(out, _(" It ends by itself with %s."), day);
}

static void say_exempt(struct reading *r, const struct policy_statement *s)
{
    struct buf b = BUF_INIT;
    put_subject(r, s, &b);
    buf_adds(&b, _(" is excused from "));
    const char *comma = "";
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT; i++) {
        if (!(s->standards & POLICY_BIT(i)))
            continue;
        buf_printf(&b, "%s%s", comma, words_standard((enum standard)i));
        comma = ", ";
        r->standards |= POLICY_BIT(i);
    }
    if (s->via.kind) {
        buf_adds(&b, _(", when it comes from "));
        sentences_party(r, &s->via, &b);
    }
    if (s->signed_by)
        buf_printf(&b, _(", when it bears a valid signature of %s"), s->signed_by);
    buf_adds(&b, _(": it is still checked and recorded, but nothing is done because of it"));
    if (s->standards & POLICY_BIT(STANDARD_DNSSEC))
        buf_adds(&b, _("; our resolver still refuses its wrongly signed names, but no unsigned ones"));
    buf_addc(&b, '.');
    put_until(s, &b);
    put_because(s, &b);
    sentences_line(r, s, &b);
    sentences_end(r, "  - ", &b);
}

static void say_trust(struct reading *r, const struct policy_statement *s)
{
    struct buf b = BUF_INIT;
    put_whom(r, &s->who, &b);
    buf_adds(&b, _(" is trusted as a forwarder: when it proves by its own signature or address that a message came "
                   "through it, its word may save a message that fails "
                   "DMARC only because it was forwarded. Merely writing its name is not enough"));
    if (s->whom.kind) {
        buf_adds(&b, _("; only for mail written to "));
        sentences_party(r, &s->whom, &b);
    }
    if (s->via.kind) {
        buf_adds(&b, _("; only from "));
        sentences_party(r, &s->via, &b);
    }
    buf_addc(&b, '.');
    put_until(s, &b);
    put_because(s, &b);
    sentences_line(r, s, &b);
    r->standards |= POLICY_BIT(STANDARD_ARC);
    sentences_end(r, "  - ", &b);
}

static void say_suspend(struct reading *r, const struct policy_statement *s)
{
    struct buf b = BUF_INIT;
    put_whom(r, &s->who, &b);
    buf_adds(&b, _(": our resolver does not check signatures there, so that a known mistake of the owner does not cut "
                   "the way. It ends earlier by itself when the "
                   "signatures are right again."));
    put_until(s, &b);
    put_because(s, &b);
    sentences_line(r, s, &b);
    sentences_end(r, "  - ", &b);
}

static void say_house(struct reading *r, const struct policy_statement *s)
{
    struct buf b = BUF_INIT;
    const char *what =
        s->kind == POLICY_RELAY
            ? _("Mail that reaches us through a relay of our own is judged by who gave it to the relay. Our relays: ")
        : s->kind == POLICY_SUBMISSION ? _("Treated as our own users' mail: ")
        : strcmp(s->name, "domains")
            ? _("Mail from our own networks is not judged as mail from outside. Our networks: ")
            : _("Our own domains: ");
    buf_adds(&b, what);
    for (size_t i = 0; i < s->item_count; i++) {
        char text[LIMIT_DOMAIN * 4];
        bool port = s->kind == POLICY_SUBMISSION && strcmp(s->items[i], "auth") != 0;
        const char *shown = s->kind == POLICY_SUBMISSION && !port ? _("login with a password")
                            : s->kind == POLICY_OWN               ? domain_to_unicode(s->items[i], text, sizeof text)
                                                                  : s->items[i];
        buf_printf(&b, "%s%s%s", i ? ", " : "", port ? _("port ") : "", shown);
    }
    buf_addc(&b, '.');
    put_because(s, &b);
    sentences_line(r, s, &b);
    sentences_end(r, "  - ", &b);
}

static void say_listener(struct reading *r, const struct policy_statement *s)
{
    const struct policy_listener *l = &s->listener;
    struct buf b = BUF_INIT;
    buf_adds(&b, _("Mail that comes in where the mail server calls itself "));
    for (size_t i = 0; i < s->item_count; i++)
        buf_printf(&b, "%s\"%s\"", i ? _(" or ") : "", s->items[i]);
    buf_adds(&b, l->as == POLICY_AS_SUBMISSION ? _(" is from our own users, and not judged as mail from outside.")
                 : l->as == POLICY_AS_RELAY
                     ? _(" came through a relay of ours, and we judge the host that handed it to the relay.")
                 : l->as == POLICY_AS_UNJUDGED ? _(" was judged before, and is not looked at again.")
                                               : _(" is judged like any other."));
    if (l->mode)
        buf_adds(&b, strcmp(l->mode, "enforce") == 0
                         ? _(" There, what this policy says is done, whatever holds elsewhere.")
                         : _(" There, what would be done is recorded, and nothing is done."));
    if (l->when_unsure)
        buf_adds(&b, strcmp(l->when_unsure, "defer") == 0
                         ? _(" A check that fails for the moment delays such mail.")
                         : _(" A check that fails for the moment does not delay such mail."));
    put_because(s, &b);
    sentences_line(r, s, &b);
    sentences_end(r, "  - ", &b);
}

void sentences_of(struct reading *r, const struct policy_statement *s)
{
    switch (s->kind) {
    case POLICY_RULE:
        say_rule(r, s);
        break;
    case POLICY_NAMES_RULE:
        say_names(r, s);
        break;
    case POLICY_EXEMPT:
        say_exempt(r, s);
        break;
    case POLICY_TRUST:
        say_trust(r, s);
        break;
    case POLICY_SUSPEND:
        say_suspend(r, s);
        break;
    case POLICY_LISTENER:
        say_listener(r, s);
        break;
    default:
        say_house(r, s);
    }
}
