// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_connection.c - one MTA connection: the order of commands, macros, and answers.
 *
 * Promises what libmilter promises a filter and an MTA, so that both engines give the same answers: a command out of
 * its order ends the message, and is then taken where it may come before one (else it is left without an answer);
 * macros of a stage hide those of earlier stages, and are forgotten when an earlier stage comes again; after a refusal
 * the MTA may begin a new message. tests/system/milter holds both engines against each other.
 *
 * Stricter than libmilter: a packet of length 0, texts that do not end where their packet ends, an IPv4 address that
 * is not four decimal numbers, and a field without a name close the connection, where libmilter reads on, guesses, or
 * gives no answer at all. Better: skip is answered only where the MTA can understand it, SMFIC_QUIT_NC is obeyed in
 * every state, a last body chunk sent with SMFIC_BODYEOB gets one answer, and a header field may have 1 MiB in place of
 * 64 KiB.
 *
 * Failure: what is not the protocol closes the connection; the MTA then does what it does without a filter
 * (milter_default_action, F=T).
 */
#include "milter/wire/wire_connection.h"
#include "milter/wire/wire_flags.h"
#include "milter/wire/wire_reply.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/un.h>

/* How far a connection is. In this order, since some tests compare. */
enum stage {
    AT_START,
    AT_OPTIONS,
    AT_CONNECT,
    AT_HELO,
    AT_MAIL,
    AT_RCPT,
    AT_DATA,
    AT_HEADER,
    AT_HEADER_END,
    AT_BODY,
    AT_END,
    AT_ABORT,
    AT_UNKNOWN,
    AT_NEW_CLIENT, /* after SMFIC_QUIT_NC */
    STAGES,
};

#define BIT(stage) (1u << (stage))

/* Which stages may follow. */
static const unsigned may_follow[STAGES] = {
    [AT_START] = BIT(AT_OPTIONS),
    [AT_OPTIONS] = BIT(AT_CONNECT) | BIT(AT_UNKNOWN),
    [AT_CONNECT] = BIT(AT_HELO) | BIT(AT_MAIL) | BIT(AT_UNKNOWN),
    [AT_HELO] = BIT(AT_HELO) | BIT(AT_MAIL) | BIT(AT_UNKNOWN),
    [AT_MAIL] = BIT(AT_RCPT) | BIT(AT_ABORT) | BIT(AT_UNKNOWN),
    [AT_RCPT] = BIT(AT_HEADER) | BIT(AT_HEADER_END) | BIT(AT_DATA) | BIT(AT_BODY) | BIT(AT_END) | BIT(AT_RCPT) |
                BIT(AT_ABORT) | BIT(AT_UNKNOWN),
    [AT_DATA] = BIT(AT_HEADER_END) | BIT(AT_HEADER) | BIT(AT_ABORT),
    [AT_HEADER] = BIT(AT_HEADER_END) | BIT(AT_HEADER) | BIT(AT_ABORT),
    [AT_HEADER_END] = BIT(AT_BODY) | BIT(AT_END) | BIT(AT_ABORT),
    [AT_BODY] = BIT(AT_END) | BIT(AT_BODY) | BIT(AT_ABORT),
    [AT_END] = BIT(AT_MAIL) | BIT(AT_UNKNOWN),
    [AT_ABORT] =
        BIT(AT_HELO) | BIT(AT_MAIL) | BIT(AT_RCPT) | BIT(AT_ABORT) | BIT(AT_DATA) | BIT(AT_BODY) | BIT(AT_UNKNOWN),
    [AT_UNKNOWN] =
        BIT(AT_HELO) | BIT(AT_MAIL) | BIT(AT_RCPT) | BIT(AT_ABORT) | BIT(AT_DATA) | BIT(AT_BODY) | BIT(AT_UNKNOWN),
    [AT_NEW_CLIENT] = BIT(AT_CONNECT) | BIT(AT_UNKNOWN),
};

#define ARGUMENTS 64 /* texts of MAIL or RCPT that are kept; RFC 5321 has no command with as many parameters */

struct wire_connection {
    struct mta mta; /* first member */
    const struct wire_host *host;
    struct session *session;
    const char *fault;
    enum stage stage;
    bool refuse, pending, negotiated;
    bool passes;             /* this client's mail is not judged, which its MTA has not been told at connect */
    enum mta_answer owed;    /* the answer that MAIL or RCPT could not give, because the MTA did not wait for it: each
                              * RCPT gives it, or the first later step that the MTA waits for; MTA_CONTINUE: none */
    uint32_t actions, steps; /* negotiated */
    char *macros[WIRE_STAGES];
    uint32_t macro_octets[WIRE_STAGES];
    uint64_t macro_names[WIRE_STAGES]; /* a bit for each name_bit() of a stage: most stages lack most macros */
    struct buf out;
    struct buf reply; /* the packet that the next refusal is answered with; empty: none */
};

/* ---- what a session asks of its MTA ---- */

static struct wire_connection *of(struct mta *mta)
{
    return (struct wire_connection *)(void *)mta;
}

/* The macro may be sent with braces or without if its name is one letter. */
static bool is_name(const char *sent, const char *name)
{
    if (strcmp(sent, name) == 0)
        return true;
    return name[0] && !name[1] && sent[0] == '{' && sent[1] == name[0] && sent[2] == '}' && !sent[3];
}

/* The same bit for a name with and without braces. */
static uint64_t name_bit(const char *name)
{
    unsigned key = 0;

    for (; *name; name++)
        if (*name != '{' && *name != '}')
            key = key * 31 + (unsigned char)*name;
    return UINT64_C(1) << (key & 63);
}

static const char *get_macro(struct mta *mta, const char *name)
{
    const struct wire_connection *c = of(mta);
    const uint64_t bit = name_bit(name);

    for (unsigned stage = WIRE_STAGES; stage-- > 0;) {
        struct slice rest = slice_of(c->macros[stage], c->macro_octets[stage]);
        const char *sent, *value;
        if (!(c->macro_names[stage] & bit))
            continue;
        while (c->macros[stage] && (sent = wire_next_text(&rest)) && (value = wire_next_text(&rest)))
            if (is_name(sent, name))
                return value;
    }
    return NULL;
}

static bool may(const struct wire_connection *c, uint32_t action)
{
    return c->stage == AT_END && (c->actions & action);
}

static bool insert_header(struct mta *mta, const char *name, const char *value)
{
    struct wire_connection *c = of(mta);

    if (!may(c, WIRE_MAY_ADD_HEADERS))
        return false;
    wire_put_insert_header(&c->out, 0, name, value);
    return !c->out.failed;
}

static bool change_header(struct mta *mta, const char *name, unsigned index, const char *value)
{
    struct wire_connection *c = of(mta);

    if (!may(c, WIRE_MAY_CHANGE_HEADERS))
        return false;
    wire_put_change_header(&c->out, index, name, value);
    return !c->out.failed;
}

static bool quarantine(struct mta *mta, const char *reason)
{
    struct wire_connection *c = of(mta);

    if (!may(c, WIRE_MAY_QUARANTINE))
        return false;
    wire_put_quarantine(&c->out, reason);
    return !c->out.failed;
}

static bool set_reply(struct mta *mta, const char *code, const char *enhanced, const char *const *lines, size_t count)
{
    struct wire_connection *c = of(mta);

    buf_reset(&c->reply);
    return wire_put_reply(&c->reply, code, enhanced, lines, count) == STATUS_OK && !c->reply.failed;
}

static const struct mta_ops ops = {get_macro, insert_header, change_header, quarantine, set_reply};

/* ---- life ---- */

struct wire_connection *wire_connection_new(const struct wire_host *host, void (*arrived)(void *context), void *context,
                                            bool refuse)
{
    struct wire_connection *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->mta = (struct mta){.ops = &ops, .arrived = arrived, .context = context};
    c->host = host;
    c->refuse = refuse;
    c->out = c->reply = BUF_INIT;
    return c;
}

/* Forgets the macros of this stage and of those after it. */
static void forget_macros(struct wire_connection *c, unsigned from)
{
    for (unsigned i = from; i < WIRE_STAGES; i++) {
        free(c->macros[i]);
        c->macros[i] = NULL;
        c->macro_octets[i] = 0;
        c->macro_names[i] = 0;
    }
}

static void end_session(struct wire_connection *c)
{
    c->session = c->host->callbacks->close(c->session);
    c->passes = false;
    c->owed = MTA_CONTINUE;
    buf_release(&c->reply); /* it may be of the last client's mail */
}

struct wire_connection *wire_connection_free(struct wire_connection *c)
{
    if (!c)
        return NULL;
    end_session(c);
    forget_macros(c, 0);
    buf_release(&c->out);
    buf_release(&c->reply);
    free(c);
    return NULL;
}

struct buf *wire_connection_out(struct wire_connection *c)
{
    return &c->out;
}

const struct session *wire_connection_session(const struct wire_connection *c)
{
    return c->session;
}

bool wire_connection_in_message(const struct wire_connection *c)
{
    return c->pending || (c->stage >= AT_MAIL && c->stage < AT_END);
}

size_t wire_connection_kept(const struct wire_connection *c)
{
    size_t n = 0;

    for (unsigned i = 0; i < WIRE_STAGES; i++)
        n += c->macro_octets[i];
    return n;
}

const char *wire_connection_fault(const struct wire_connection *c)
{
    return c->fault;
}

static enum wire_next fault(struct wire_connection *c, const char *what)
{
    c->fault = what;
    return WIRE_NEXT_CLOSE;
}

/* ---- answers ---- */

static void put_refusal(struct wire_connection *c, bool permanent)
{
    /* The packet's sixth octet is the first digit of its code. */
    if (c->reply.n > 5 && !c->reply.failed && c->reply.p[5] == (permanent ? '5' : '4'))
        buf_add(&c->out, c->reply.p, c->reply.n);
    else
        wire_put_answer(&c->out, permanent ? WIRE_REJECT : WIRE_TEMPFAIL);
    if (c->owed == MTA_CONTINUE) /* otherwise the next recipient gets it, too */
        buf_release(&c->reply);
}

/* Puts the answer to a command. After one that ends the message, the next may begin; `stays`: a refusal is of one
 * recipient only. */
static enum wire_next connection_answer(struct wire_connection *c, enum mta_answer a, bool stays)
{
    switch (a) {
    case MTA_CONTINUE:
        wire_put_answer(&c->out, WIRE_CONTINUE);
        return WIRE_NEXT_READ;
    case MTA_SKIP:
        wire_put_answer(&c->out, c->steps & WIRE_MAY_SKIP ? WIRE_SKIP : WIRE_CONTINUE);
        return WIRE_NEXT_READ;
    case MTA_PENDING:
        c->pending = true;
        return WIRE_NEXT_WAIT;
    case MTA_ACCEPT:
        wire_put_answer(&c->out, WIRE_ACCEPT);
        break;
    case MTA_DISCARD:
        wire_put_answer(&c->out, WIRE_DISCARD);
        break;
    case MTA_REJECT:
    case MTA_TEMPFAIL:
        put_refusal(c, a == MTA_REJECT);
        break;
    }
    if (!stays || a == MTA_ACCEPT)
        c->stage = AT_HELO;
    return WIRE_NEXT_READ;
}

/* For a command that we asked the MTA not to wait for, where it can do so: the answer is `continue` or nothing. */
static enum wire_next no_answer(struct wire_connection *c, uint32_t step)
{
    if (c->negotiated && !(c->steps & step))
        wire_put_answer(&c->out, WIRE_CONTINUE);
    return WIRE_NEXT_READ;
}

/* ---- commands ---- */

static bool memory_is_full(const struct wire_connection *c)
{
    return c->host->memory_is_full && c->host->memory_is_full();
}

static enum wire_next on_negotiate(struct wire_connection *c, struct slice data)
{
    struct wire_options o;
    unsigned long actions, steps;
    const size_t from = c->out.n;

    forget_macros(c, 0);
    if (!wire_read_options(data, &o))
        return fault(c, "the negotiation is not one, or is of a protocol version before 2");
    if (!o.actions)
        o.actions = WIRE_FIRST_ACTIONS;
    if (!o.protocol)
        o.protocol = WIRE_FIRST_STEPS;
    if (!c->host->callbacks->negotiate(o.actions, o.protocol, &actions, &steps))
        return WIRE_NEXT_CLOSE; /* callbacks.c has logged it */
    c->actions = (uint32_t)actions & o.actions;
    /* What these commands do needs no answer: what is to be said is said at the next command that has one. A body
     * chunk costs less than the round trip that could say that we want no more of them. */
    c->steps =
        ((uint32_t)steps | WIRE_NO_REPLY_HELO | WIRE_NO_REPLY_MAIL | WIRE_NO_REPLY_HEADER_END | WIRE_NO_REPLY_BODY) &
        o.protocol;
    if (!c->refuse)
        c->steps |= WIRE_NO_REPLY_CONNECT & o.protocol;
    if (!c->refuse && !memory_is_full(c) && !c->host->callbacks->answers_rcpt())
        c->steps |= WIRE_NO_REPLY_RCPT & o.protocol;
    c->mta.silent_rcpt = c->steps & WIRE_NO_REPLY_RCPT;
    o.version = o.version < WIRE_VERSION_MAX ? o.version : WIRE_VERSION_MAX;
    o.actions = c->actions;
    o.protocol = c->steps;
    c->negotiated = true;
    wire_put_options(&c->out, &o);
    for (size_t i = 0; (c->actions & WIRE_MAY_SET_SYMBOLS) && i < c->host->callbacks->macro_stages; i++)
        wire_add_symbols(&c->out, from, c->host->callbacks->macros[i].stage, c->host->callbacks->macros[i].names);
    return WIRE_NEXT_READ;
}

union address {
    struct sockaddr any;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    struct sockaddr_un local;
};

/* false: the text is no address of that family. */
static bool read_address(const struct wire_connect *in, union address *out)
{
    const char *text = in->address;

    memset(out, 0, sizeof *out);
    if (in->family == '4') {
        out->in4.sin_family = AF_INET;
        out->in4.sin_port = htons(in->port);
        return inet_pton(AF_INET, text, &out->in4.sin_addr) == 1;
    }
    if (in->family == '6') {
        if (strncasecmp(text, "IPv6:", 5) == 0)
            text += 5;
        out->in6.sin6_family = AF_INET6;
        out->in6.sin6_port = htons(in->port);
        return inet_pton(AF_INET6, text, &out->in6.sin6_addr) == 1;
    }
    out->local.sun_family = AF_UNIX;
    if (strlen(text) >= sizeof out->local.sun_path)
        return false;
    memcpy(out->local.sun_path, text, strlen(text));
    return true;
}

static enum wire_next on_connect(struct wire_connection *c, struct slice data)
{
    struct wire_connect in;
    union address address;
    enum mta_answer a;

    forget_macros(c, WIRE_STAGE_HELO);
    if (!wire_read_connect(data, &in))
        return fault(c, "SMFIC_CONNECT is malformed");
    if (in.address && !read_address(&in, &address))
        return fault(c, "the client's address in SMFIC_CONNECT is none");
    end_session(c);
    if (c->refuse)
        return connection_answer(c, MTA_TEMPFAIL, false);
    a = c->host->callbacks->connect(&c->mta, in.host, in.address ? &address.any : NULL, &c->session);
    if (!(c->steps & WIRE_NO_REPLY_CONNECT))
        return connection_answer(c, a, false);
    c->passes = a == MTA_ACCEPT; /* after another answer there is no session, and each MAIL is deferred */
    return WIRE_NEXT_READ;
}

static enum wire_next on_helo(struct wire_connection *c, struct slice data)
{
    const char *name;
    enum mta_answer a;

    forget_macros(c, WIRE_STAGE_MAIL);
    if (!wire_read_text(data, &name))
        return fault(c, "SMFIC_HELO is malformed");
    if (c->passes)
        return c->steps & WIRE_NO_REPLY_HELO ? WIRE_NEXT_READ : connection_answer(c, MTA_ACCEPT, false);
    a = c->host->callbacks->helo(c->session, name);
    if (!(c->steps & WIRE_NO_REPLY_HELO))
        return connection_answer(c, a, false);
    if (a != MTA_CONTINUE)
        end_session(c); /* each MAIL is then deferred */
    return WIRE_NEXT_READ;
}

/* Remembers an answer that the MTA does not wait for. The result of the mail is then known: nothing of it is kept. */
static enum wire_next owe(struct wire_connection *c, enum mta_answer a)
{
    if (a != MTA_CONTINUE && c->owed == MTA_CONTINUE)
        c->host->callbacks->abort(c->session);
    c->owed = a;
    return WIRE_NEXT_READ;
}

/* A refusal at MAIL that the MTA does not wait for refuses each recipient instead: without one there is no message. */
static enum wire_next on_mail(struct wire_connection *c, const char *const *args)
{
    enum mta_answer a = MTA_TEMPFAIL;

    buf_release(&c->reply);
    c->owed = MTA_CONTINUE;
    if (c->passes)
        a = MTA_ACCEPT;
    else if (!memory_is_full(c))
        a = c->host->callbacks->mail(&c->mta, c->session, args);
    if (!(c->steps & WIRE_NO_REPLY_MAIL))
        return connection_answer(c, a, false);
    return owe(c, a);
}

static enum mta_answer answer_to_rcpt(struct wire_connection *c, const char *const *args)
{
    if (c->passes)
        return MTA_ACCEPT;
    if (c->owed != MTA_CONTINUE)
        return c->owed;
    return memory_is_full(c) ? MTA_TEMPFAIL : c->host->callbacks->rcpt(&c->mta, c->session, args);
}

/* If the MTA does not wait for the answer, a refusal refuses the whole mail, at its end. */
static enum wire_next on_rcpt(struct wire_connection *c, const char *const *args)
{
    const enum mta_answer a = answer_to_rcpt(c, args);

    if (!c->mta.silent_rcpt)
        return connection_answer(c, a, true);
    return owe(c, a);
}

static enum wire_next on_path(struct wire_connection *c, struct slice data, bool is_rcpt)
{
    const char *args[ARGUMENTS + 1];
    size_t n = 0;

    forget_macros(c, is_rcpt ? WIRE_STAGE_DATA : WIRE_STAGE_RCPT);
    if (!wire_are_texts(data))
        return fault(c, "SMFIC_MAIL or SMFIC_RCPT is malformed");
    while (n <= ARGUMENTS && (args[n] = wire_next_text(&data)))
        n++;
    if (n > ARGUMENTS)
        return fault(c, "SMFIC_MAIL or SMFIC_RCPT has more than 64 texts");
    return is_rcpt ? on_rcpt(c, args) : on_mail(c, args);
}

static enum wire_next on_header(struct wire_connection *c, struct slice data)
{
    const char *name, *value;

    if (!wire_read_header(data, &name, &value))
        return fault(c, "SMFIC_HEADER is malformed");
    if (c->owed == MTA_CONTINUE)
        c->host->callbacks->header(c->session, name, value);
    return no_answer(c, WIRE_NO_REPLY_HEADER);
}

static enum wire_next on_header_end(struct wire_connection *c)
{
    const bool owed = c->owed != MTA_CONTINUE;
    const enum mta_answer a = owed ? c->owed : c->host->callbacks->header_end(c->session);

    if (!(c->steps & WIRE_NO_REPLY_HEADER_END))
        return connection_answer(c, a, false);
    if (a != MTA_CONTINUE && !owed)
        c->host->callbacks->abort(c->session); /* the body and the end are then answered with a temporary failure */
    return WIRE_NEXT_READ;
}

static enum wire_next on_body(struct wire_connection *c, struct slice data)
{
    const bool owed = c->owed != MTA_CONTINUE;
    const enum mta_answer a = owed ? c->owed : c->host->callbacks->body(c->session, data);

    if (!(c->steps & WIRE_NO_REPLY_BODY))
        return connection_answer(c, a, false);
    if (a != MTA_CONTINUE && a != MTA_SKIP && !owed)
        c->host->callbacks->abort(c->session); /* as above */
    return WIRE_NEXT_READ;
}

static enum wire_next on_end(struct wire_connection *c, struct slice data)
{
    enum mta_answer a;

    if (c->owed != MTA_CONTINUE)
        return connection_answer(c, c->owed, false);
    a = data.n ? c->host->callbacks->body(c->session, data) : MTA_CONTINUE;
    if (a != MTA_CONTINUE && a != MTA_SKIP)
        return connection_answer(c, a, false);
    return connection_answer(c, c->host->callbacks->end(&c->mta, c->session), false);
}

static int stage_of_macros(char letter)
{
    switch (letter) {
    case WIRE_CONNECT:
        return WIRE_STAGE_CONNECT;
    case WIRE_HELO:
        return WIRE_STAGE_HELO;
    case WIRE_MAIL:
        return WIRE_STAGE_MAIL;
    case WIRE_RCPT:
        return WIRE_STAGE_RCPT;
    case WIRE_DATA:
        return WIRE_STAGE_DATA;
    case WIRE_END:
        return WIRE_STAGE_END;
    case WIRE_HEADER_END:
        return WIRE_STAGE_HEADER_END;
    default:
        return -1;
    }
}

/* Macros for another command, and none at all, change nothing. */
static enum wire_next on_macros(struct wire_connection *c, struct slice data)
{
    struct slice pairs;
    const char *name;
    char letter, *copy;

    if (!wire_read_macros(data, &letter, &pairs))
        return fault(c, "SMFIC_MACRO is malformed");
    const int stage = stage_of_macros(letter);
    if (stage < 0 || !pairs.n)
        return WIRE_NEXT_READ;
    copy = malloc(pairs.n);
    if (!copy)
        return WIRE_NEXT_CLOSE;
    memcpy(copy, pairs.p, pairs.n);
    free(c->macros[stage]);
    c->macros[stage] = copy;
    c->macro_octets[stage] = (uint32_t)pairs.n;
    c->macro_names[stage] = 0;
    while ((name = wire_next_text(&pairs)) && wire_next_text(&pairs))
        c->macro_names[stage] |= name_bit(name);
    return WIRE_NEXT_READ;
}

/* The stage that a command leads to; STAGES: the letter is no command. */
static enum stage stage_of(char letter)
{
    switch (letter) {
    case WIRE_NEGOTIATE:
        return AT_OPTIONS;
    case WIRE_CONNECT:
        return AT_CONNECT;
    case WIRE_HELO:
        return AT_HELO;
    case WIRE_MAIL:
        return AT_MAIL;
    case WIRE_RCPT:
        return AT_RCPT;
    case WIRE_DATA:
        return AT_DATA;
    case WIRE_HEADER:
        return AT_HEADER;
    case WIRE_HEADER_END:
        return AT_HEADER_END;
    case WIRE_BODY:
        return AT_BODY;
    case WIRE_END:
        return AT_END;
    case WIRE_ABORT:
        return AT_ABORT;
    case WIRE_UNKNOWN:
        return AT_UNKNOWN;
    default:
        return STAGES;
    }
}

/* These commands are nothing without data. */
static bool needs_data(char letter)
{
    return memchr("BCHLMORU", letter, 8) != NULL;
}

/* Enters the command's stage. false: it may not come here, not even before a message, and is left without an answer. */
static bool enter(struct wire_connection *c, enum stage next)
{
    if (!(may_follow[c->stage] & BIT(next))) {
        if (c->stage >= AT_MAIL && c->stage < AT_END)
            c->host->callbacks->abort(c->session);
        c->stage = AT_HELO;
        if (!(may_follow[AT_HELO] & BIT(next)))
            return false;
    }
    c->stage = next;
    return true;
}

static enum wire_next carry_out(struct wire_connection *c, const struct wire_command *command)
{
    switch (c->stage) {
    case AT_OPTIONS:
        return on_negotiate(c, command->data);
    case AT_CONNECT:
        return on_connect(c, command->data);
    case AT_HELO:
        return on_helo(c, command->data);
    case AT_MAIL:
    case AT_RCPT:
        return on_path(c, command->data, c->stage == AT_RCPT);
    case AT_HEADER:
        return on_header(c, command->data);
    case AT_HEADER_END:
        return on_header_end(c);
    case AT_BODY:
        return on_body(c, command->data);
    case AT_END:
        return on_end(c, command->data);
    case AT_ABORT:
        c->host->callbacks->abort(c->session);
        return WIRE_NEXT_READ;
    default: /* DATA and unknown commands, which MTAs send only if they cannot leave them out */
        return connection_answer(c, MTA_CONTINUE, true);
    }
}

static enum wire_next on_command(struct wire_connection *c, const struct wire_command *command)
{
    const enum stage next = stage_of(command->letter);

    switch (command->letter) {
    case WIRE_MACRO:
        return command->data.n ? on_macros(c, command->data) : fault(c, "a command without its data");
    case WIRE_QUIT:
        return WIRE_NEXT_CLOSE;
    case WIRE_QUIT_NC:
        end_session(c);
        forget_macros(c, 0);
        if (c->stage != AT_START)
            c->stage = AT_NEW_CLIENT;
        return WIRE_NEXT_READ;
    default:
        break;
    }
    if (next == STAGES)
        return fault(c, "a command that is not of the milter protocol");
    if (!enter(c, next))
        return WIRE_NEXT_READ;
    if (needs_data(command->letter) && !command->data.n)
        return fault(c, "a command without its data");
    return carry_out(c, command);
}

/* How much data the first packet may have. Postfix puts a header field into one packet however long it is (by default
 * up to 102,400 octets), and knows no other way to tell it. */
static uint32_t most_data(struct slice in)
{
    return in.n > 4 && in.p[4] != WIRE_HEADER ? WIRE_DATA_64K : WIRE_DATA_1M;
}

enum wire_next wire_connection_read(struct wire_connection *c, struct slice *in)
{
    enum wire_next next = WIRE_NEXT_READ;
    struct wire_command command;

    while (next == WIRE_NEXT_READ && !c->pending) {
        long n = wire_command_first(*in, most_data(*in), &command);
        if (n == 0)
            break;
        if (n < 0)
            return fault(c, "a packet of a wrong length");
        *in = slice_from(*in, (size_t)n);
        next = on_command(c, &command);
        if (c->out.failed)
            return WIRE_NEXT_CLOSE;
    }
    return c->pending ? WIRE_NEXT_WAIT : next;
}

enum wire_next wire_connection_resume(struct wire_connection *c)
{
    c->pending = false;
    const enum wire_next next = connection_answer(c, c->host->callbacks->end(&c->mta, c->session), false);
    return c->out.failed ? WIRE_NEXT_CLOSE : next;
}

void wire_connection_progress(struct wire_connection *c)
{
    wire_put_answer(&c->out, WIRE_PROGRESS);
}
