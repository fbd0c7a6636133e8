// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_read.c - `assay policy read [FILE]`: the whole policy in plain sentences, for someone who knows no
 * abbreviation.
 *
 * What is asked of whom, with what consequence, also where the file says none; what each exception and each trust
 * excuses; for each standard the lines that speak of it, in the order they are tried, so that no reader has to guess
 * which of two wins; and each standard that occurs explained once. What is said alike of many is said once, since a
 * policy may have a file for each of 100,000 customers. Every sentence names the line it stands for. Text is wrapped to
 * the terminal. --json: an object for each statement.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/policy/policy_cmd.h"
#include "cli/policy/policy_examples.h"
#include "cli/policy/policy_words.h"
#include "policy/policy_settings.h"
#include <stdlib.h>

struct reading {
    const struct policy *p;
    struct buf out;
    size_t width;
    uint32_t standards; /* that occurred */
    enum {
        SAID,   /* as it is */
        ALIKE,  /* without whom and where: two statements that read the same are said as one */
        GROUP,  /* with how many instead of whom, and without where */
        NO_LINE /* without where */
    } form;
    size_t members; /* of the group */
};

#define TRIED_MOST 60u
#define MEMBERS_MOST 20u /* of a group, by name */

/* ---- paragraphs ---- */

/* Wraps text at blanks; the first line begins with `first`, the others with as many blanks. */
static void paragraph(struct reading *r, const char *first, const char *text)
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

static void paragraph_of(struct reading *r, const char *first, struct buf *text)
{
    struct buf visible = BUF_INIT;
    utf8_add_visible(&visible, buf_slice(text));
    paragraph(r, first, visible.p);
    buf_release(&visible);
    buf_release(text);
}

static void heading(struct reading *r, const char *text)
{
    buf_printf(&r->out, "\n%s%s%s\n\n", cli_colour(stdout, CLI_BOLD), text, cli_colour(stdout, CLI_PLAIN));
}

/* ---- parts of sentences ---- */

static void put_party(const struct reading *r, const struct policy_party *p, struct buf *out)
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
            buf_printf(out, _("the list \"%s\" (%zu entries)"), p->name, entries);
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
        put_party(r, p, out);
}

static void put_line(const struct reading *r, const struct policy_statement *s, struct buf *out)
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
    put_party(r, &s->who, out);
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
    paragraph_of(r, "      - ", &b);
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
    put_line(r, s, &b);
    put_because(s, &b);
    paragraph_of(r, "  ", &b);
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT; i++)
        if (s->standards & POLICY_BIT(i))
            say_standard(r, s, (enum standard)i);
    if (s->own_from) {
        buf_adds(&b, s->level == POLICY_REQUIRE
                         ? _("the visible sender (From) must be one of our own domains; if not, ")
                         : _("whether the visible sender (From) is one of our own domains is written down; "));
        buf_adds(&b, words_action(s->action));
        buf_addc(&b, '.');
        paragraph_of(r, "      - ", &b);
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
    put_line(r, s, &b);
    put_because(s, &b);
    paragraph_of(r, "  - ", &b);
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
        put_party(r, &s->via, &b);
    }
    if (s->signed_by)
        buf_printf(&b, _(", when it bears a valid signature of %s"), s->signed_by);
    buf_adds(&b, _(": it is still checked and recorded, but nothing is done because of it"));
    if (s->standards & POLICY_BIT(STANDARD_DNSSEC))
        buf_adds(&b, _("; our resolver still refuses its wrongly signed names, but no unsigned ones"));
    buf_addc(&b, '.');
    put_until(s, &b);
    put_because(s, &b);
    put_line(r, s, &b);
    paragraph_of(r, "  - ", &b);
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
        put_party(r, &s->whom, &b);
    }
    if (s->via.kind) {
        buf_adds(&b, _("; only from "));
        put_party(r, &s->via, &b);
    }
    buf_addc(&b, '.');
    put_until(s, &b);
    put_because(s, &b);
    put_line(r, s, &b);
    r->standards |= POLICY_BIT(STANDARD_ARC);
    paragraph_of(r, "  - ", &b);
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
    put_line(r, s, &b);
    paragraph_of(r, "  - ", &b);
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
    put_line(r, s, &b);
    paragraph_of(r, "  - ", &b);
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
    put_line(r, s, &b);
    paragraph_of(r, "  - ", &b);
}

static void say(struct reading *r, const struct policy_statement *s)
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

/* ---- what is said alike ---- */

struct group {
    char *alike;        /* what its statements have in common, in words */
    size_t first, last; /* numbers of its statements */
    size_t members;
    uint64_t hash;
};

struct groups {
    size_t *next;    /* for each statement the next one of its group; SIZE_MAX: none */
    size_t *slots;   /* open addressing: number of a group + 1 */
    struct group *g; /* in the order of their first statements */
    size_t count, slot_count;
    bool failed;
};

static bool groupable(const struct policy_statement *s)
{
    return s->kind == POLICY_RULE || s->kind == POLICY_NAMES_RULE || s->kind == POLICY_EXEMPT ||
           s->kind == POLICY_TRUST || s->kind == POLICY_SUSPEND;
}

/* What is said of statement s in this form, as text of its own. */
static void say_apart(const struct reading *r, const struct policy_statement *s, int form, size_t width,
                      struct buf *into)
{
    struct reading apart = {.p = r->p, .out = *into, .width = width};
    apart.form = form;
    say(&apart, s);
    *into = apart.out;
}

static void put_into_group(const struct reading *r, struct groups *all, size_t i, struct buf *text)
{
    const struct policy_statement *s = policy_statement_at(r->p, i);
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    buf_reset(text);
    if (groupable(s))
        say_apart(r, s, ALIKE, SIZE_MAX / 2, text);
    else
        buf_printf(text, "%zu", i);
    if (text->failed) {
        all->failed = true;
        return;
    }
    for (size_t k = 0; k < text->n; k++)
        hash = (hash ^ (unsigned char)text->p[k]) * UINT64_C(1099511628211);
    size_t slot = hash % all->slot_count;
    for (; all->slots[slot]; slot = (slot + 1) % all->slot_count) {
        struct group *g = &all->g[all->slots[slot] - 1];
        if (g->hash != hash || strcmp(g->alike, text->p) != 0)
            continue;
        all->next[g->last] = i;
        g->last = i;
        g->members++;
        return;
    }
    char *alike = strdup(text->p);
    all->failed |= !alike;
    if (!alike)
        return;
    all->g[all->count] = (struct group){.alike = alike, .first = i, .last = i, .members = 1, .hash = hash};
    all->slots[slot] = ++all->count;
}

static void free_groups(struct groups *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->g[i].alike);
    free(all->g);
    free(all->next);
    free(all->slots);
}

/* The statements of these kinds, as groups of those that differ only in whom they are about. */
static void find_groups(const struct reading *r, uint32_t kinds, struct groups *all)
{
    struct buf text = BUF_INIT;
    const struct policy_statement *s;
    size_t n = 0;
    while (policy_statement_at(r->p, n))
        n++;
    *all = (struct groups){.slot_count = 2 * n + 1};
    all->next = malloc((n + 1) * sizeof *all->next);
    all->slots = calloc(all->slot_count, sizeof *all->slots);
    all->g = calloc(n + 1, sizeof *all->g);
    all->failed = !all->next || !all->slots || !all->g;
    for (size_t i = 0; !all->failed && (s = policy_statement_at(r->p, i)); i++) {
        all->next[i] = SIZE_MAX;
        if (kinds >> s->kind & 1)
            put_into_group(r, all, i, &text);
    }
    buf_release(&text);
}

static void say_group(struct reading *r, const struct groups *all, const struct group *g)
{
    struct buf b = BUF_INIT;
    size_t said = 0;
    r->form = GROUP;
    r->members = g->members;
    say(r, policy_statement_at(r->p, g->first));
    r->form = SAID;
    if (r->out.n > 1 && r->out.p[r->out.n - 2] == '\n')
        r->out.n--; /* the list belongs to it */
    for (size_t i = g->first; i != SIZE_MAX && said < MEMBERS_MOST; i = all->next[i], said++) {
        const struct policy_statement *s = policy_statement_at(r->p, i);
        buf_adds(&b, said ? ", " : "");
        put_party(r, s->whom.kind ? &s->whom : &s->who, &b);
        put_line(r, s, &b);
    }
    if (said < g->members)
        buf_printf(&b, _(", and %zu more; `assay policy read --json` names all."), g->members - said);
    else
        buf_addc(&b, '.');
    paragraph_of(r, "      = ", &b);
    buf_addc(&r->out, '\n');
}

/* A chapter: its heading and every statement of these kinds; what is said alike of many is said once. */
static void chapter(struct reading *r, const char *title, const char *none, uint32_t kinds)
{
    struct groups all;
    heading(r, title);
    find_groups(r, kinds, &all);
    for (size_t i = 0; !all.failed && i < all.count; i++)
        if (all.g[i].members > 1)
            say_group(r, &all, &all.g[i]);
        else
            say(r, policy_statement_at(r->p, all.g[i].first));
    r->out.failed |= all.failed;
    if (!all.count)
        paragraph(r, "  ", none);
    free_groups(&all);
}

/* ---- for programs ---- */

/* The sentences of one statement, on one line. */
static void put_sentence(const struct reading *r, const struct policy_statement *s, struct buf *out)
{
    struct buf said = BUF_INIT;
    say_apart(r, s, NO_LINE, SIZE_MAX / 2, &said);
    out->failed |= said.failed;
    for (char *line = said.failed ? NULL : said.p, *end; line && *line; line = end) {
        line += strspn(line, " ");
        line += strncmp(line, "- ", 2) == 0 ? 2 : 0;
        end = line + strcspn(line, "\n");
        if (end > line)
            buf_printf(out, "%s%.*s", out->n ? " " : "", (int)(end - line), line);
        end += *end == '\n';
    }
    buf_release(&said);
}

static void put_subjects(const struct reading *r, const struct policy_statement *s, struct buf *out)
{
    if (s->who.kind) {
        put_party(r, &s->who, out);
        if (s->whom.kind) {
            buf_adds(out, _(", written to "));
            put_party(r, &s->whom, out);
        }
    }
    for (size_t i = 0; i < s->item_count; i++)
        buf_printf(out, "%s%s", i ? ", " : "", s->items[i]);
}

static bool read_json(struct reading *r)
{
    static const char *const kinds[] = {
        [POLICY_RULE] = "rule",       [POLICY_NAMES_RULE] = "names-rule", [POLICY_EXEMPT] = "exempt",
        [POLICY_SUSPEND] = "suspend", [POLICY_TRUST] = "trust",           [POLICY_OWN] = "own",
        [POLICY_RELAY] = "relay",     [POLICY_SUBMISSION] = "submission", [POLICY_LISTENER] = "listener"};
    const struct policy_statement *s;
    struct json j = JSON_INTO(&r->out);
    struct buf whom = BUF_INIT, sentence = BUF_INIT;
    json_open_array(&j, NULL);
    for (size_t i = 0; (s = policy_statement_at(r->p, i)); i++) {
        if (s->kind >= sizeof kinds / sizeof *kinds)
            continue;
        buf_reset(&whom);
        buf_reset(&sentence);
        buf_adds(&whom, "");
        put_subjects(r, s, &whom);
        put_sentence(r, s, &sentence);
        json_open(&j);
        json_str(&j, "kind", kinds[s->kind]);
        json_slice(&j, "whom", buf_slice(&whom));
        json_slice(&j, "sentence", buf_slice(&sentence));
        json_str(&j, "file", s->file);
        json_int(&j, "line", s->line);
        json_end(&j);
        r->out.failed |= whom.failed || sentence.failed;
    }
    json_end(&j);
    buf_addc(&r->out, '\n');
    buf_release(&whom);
    buf_release(&sentence);
    return cli_flush(&r->out);
}

/* ---- which line wins ---- */

static void say_order(struct reading *r, const char *title, unsigned standard, bool names)
{
    const struct policy_statement **order = NULL;
    size_t n = policy_order(r->p, standard, names, &order);
    if (n > 1) {
        struct buf b = BUF_INIT;
        buf_printf(&b, "%s", title);
        paragraph_of(r, "  ", &b);
    }
    for (size_t i = 0; n > 1 && i < n && i < TRIED_MOST; i++) {
        struct buf b = BUF_INIT;
        char first[32];
        snprintf(first, sizeof first, "    %2zu. ", i + 1);
        buf_printf(&b, "%s", order[i]->text);
        put_line(r, order[i], &b);
        paragraph_of(r, first, &b);
    }
    if (n > TRIED_MOST) {
        struct buf b = BUF_INIT;
        buf_printf(&b, _("and %zu more; `assay policy ask` answers for one sender."), n - TRIED_MOST);
        paragraph_of(r, "        ", &b);
    }
    free((void *)(uintptr_t)order);
    if (n > 1)
        buf_addc(&r->out, '\n');
}

static void chapter_conflicts(struct reading *r)
{
    heading(r, _("When two lines speak of the same mail"));
    paragraph(r, "  ",
              _("For each standard one line alone decides, whatever the order they are written in. A line marked "
                "'always' goes first. Then the line that names the "
                "recipient more closely (an address before a domain, a longer domain before a shorter). Then the line "
                "that names the sender more closely (a domain "
                "before a network, a longer name before a shorter, everyone last; a list counts as the name in it that "
                "fits). Of two lines as close as each "
                "other the one further down in the file decides. An exception wins over a line that is not more "
                "closely written than the exception itself, and never "
                "over 'always'. If several standards fail, the most severe consequence is what happens: refuse, before "
                "not now, before hold, before junk, before "
                "a note in the header."));
    buf_addc(&r->out, '\n');
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT; i++) {
        struct buf b = BUF_INIT;
        buf_printf(&b, _("%s: tried in this order, the first that fits decides:"), words_standard((enum standard)i));
        say_order(r, b.p, i, false);
        buf_release(&b);
    }
    say_order(r, _("Names asked of our resolver: tried in this order, the first that fits decides:"), STANDARD_DNSSEC,
              true);
}

static void chapter_standards(struct reading *r)
{
    heading(r, _("The standards in this policy"));
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT; i++) {
        struct buf b = BUF_INIT;
        if (!(r->standards & POLICY_BIT(i)))
            continue;
        buf_printf(&b, "%s. %s", words_standard((enum standard)i), words_what_is((enum standard)i));
        paragraph_of(r, "  - ", &b);
    }
}

static void introduction(struct reading *r)
{
    struct buf b = BUF_INIT;
    buf_printf(&r->out, "%s%s%s\n\n", cli_colour(stdout, CLI_BOLD),
               *policy_title(r->p) ? policy_title(r->p) : _("The policy for mail and DNS"),
               cli_colour(stdout, CLI_PLAIN));
    if (*policy_owner(r->p))
        buf_printf(&b, _("Kept by %s. "), policy_owner(r->p));
    if (policy_set_is(r->p, SETTING_MODE, "enforce"))
        buf_adds(&b, _("It is in force: what it says is done."));
    else
        buf_adds(&b, _("It is a dry run: every message is judged and what would be done is recorded, but nothing "
                       "is done to any message."));
    buf_printf(&b, _(" This page was made from policy version %s; lines in brackets are lines of its file."),
               policy_hash(r->p));
    paragraph_of(r, "", &b);
}

/* What somebody who reads no further wants to know. */
static void chapter_examples(struct reading *r)
{
    struct policy_example e;
    heading(r, _("Six mails, and what becomes of them while the policy is in force"));
    for (size_t i = 0; policy_example(r->p, i, &e); i++) {
        struct buf b = BUF_INIT;
        char first[16];
        buf_printf(&b, "%s ", e.mail);
        if (e.unknown)
            buf_printf(&b, _("Not known: %s."), e.unknown);
        else if (e.action == POLICY_DELIVER)
            buf_adds(&b, _("It is delivered."));
        else
            buf_printf(&b, _("Then %s%s."), words_action(e.action), e.trial ? _(", once the trial is over") : "");
        if (e.statement)
            put_line(r, e.statement, &b);
        snprintf(first, sizeof first, "  %zu. ", i + 1);
        paragraph_of(r, first, &b);
    }
}

/* How many statements there are of each kind, for a policy too long to read. */
static void chapter_counts(struct reading *r)
{
    static const struct {
        enum policy_kind kind;
        const char *one, *many;
    } kinds[] = {
        {POLICY_RULE, N_("rule for mail"), N_("rules for mail")},
        {POLICY_NAMES_RULE, N_("rule for the resolver"), N_("rules for the resolver")},
        {POLICY_EXEMPT, N_("exemption"), N_("exemptions")},
        {POLICY_TRUST, N_("trusted forwarder"), N_("trusted forwarders")},
        {POLICY_SUSPEND, N_("suspension of validation"), N_("suspensions of validation")},
    };
    heading(r, _("How much it says"));
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const struct policy_statement *s;
        struct buf b = BUF_INIT;
        size_t n = 0, of_customers = 0;
        for (size_t i = 0; (s = policy_statement_at(r->p, i)); i++) {
            n += s->kind == kinds[k].kind;
            of_customers += s->kind == kinds[k].kind && s->tightens;
        }
        buf_printf(&b, "%zu %s", n, n == 1 ? _(kinds[k].one) : _(kinds[k].many));
        if (of_customers)
            buf_printf(&b, _(", %zu of them said by recipients themselves"), of_customers);
        buf_addc(&b, '.');
        paragraph_of(r, "  - ", &b);
    }
}

#define KIND(k) (UINT32_C(1) << (k))

int policy_cmd_read(int argc, char **argv)
{
    static const struct policy_usage usage = {
        "[--summary | --json] [FILE]",
        "Six example mails and what becomes of them; then the whole policy in plain sentences: "
        "what is asked of whom, with what consequence, what is excused, "
        "and which of two lines wins. For someone who knows no abbreviation."};
    struct policy_args a;
    int rc = policy_args_read(&a, &usage, argc, argv, POLICY_ARG_FILE | POLICY_ARG_SUMMARY | POLICY_ARG_JSON);
    if (rc >= 0)
        return rc;
    if (a.summary && a.json)
        return cli_usage("--summary and --json do not go together");
    struct policy *p = cli_load_policy(a.file, &rc);
    if (!p)
        return rc;
    struct reading r = {.p = p, .out = BUF_INIT, .width = (size_t)cli_width(stdout)};
    if (a.json) {
        bool whole = read_json(&r);
        policy_unref(p);
        return whole ? EX_OK : EX_SOFTWARE;
    }
    introduction(&r);
    chapter_examples(&r);
    if (a.summary) {
        chapter_counts(&r);
        bool whole = cli_flush(&r.out);
        policy_unref(p);
        return whole ? EX_OK : EX_SOFTWARE;
    }
    chapter(&r, _("What happens to incoming mail"), _("Nothing is asked: all standards are checked and recorded."),
            KIND(POLICY_RULE));
    chapter(&r, _("What our resolver insists on"), _("Nothing: signatures in DNS are checked and recorded."),
            KIND(POLICY_NAMES_RULE));
    chapter(&r, _("What is excused, and why"), _("Nothing and nobody."), KIND(POLICY_EXEMPT) | KIND(POLICY_SUSPEND));
    chapter(&r, _("Who is trusted to forward mail"), _("Nobody."), KIND(POLICY_TRUST));
    chapter(&r, _("Our own house"), _("The policy does not say which domains and networks are our own."),
            KIND(POLICY_OWN) | KIND(POLICY_RELAY) | KIND(POLICY_SUBMISSION) | KIND(POLICY_LISTENER));
    chapter_conflicts(&r);
    chapter_standards(&r);
    bool ok = cli_flush(&r.out);
    policy_unref(p);
    return ok ? EX_OK : EX_SOFTWARE;
}
