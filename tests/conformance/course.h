// SPDX-License-Identifier: BSD-2-Clause
/*
 * course.h - compares the answers of two filters to one conversation, if the second need not answer each step. The
 * rules are in conversations.c.
 *
 * An answer does not name its command. In a conversation in the right order, the command is found by counting: what was
 * negotiated and the answers before tell which commands are answered.
 */
#ifndef ASSAY_TESTS_CONFORMANCE_COURSE_H
#define ASSAY_TESTS_CONFORMANCE_COURSE_H

#include "milter/wire/wire_command.h"
#include "milter/wire/wire_flags.h"
#include <string.h>

#define PACKETS 256 /* in a conversation, at most */

/* An answer with the edits before it. */
struct answer {
    struct slice octets;
    char letter; /* 0: none */
    bool edits;
};

static bool refuses(const struct answer *a)
{
    return a->letter && strchr("rty4", a->letter);
}

static bool decides(const struct answer *a)
{
    return refuses(a) || a->letter == 'a' || a->letter == 'd';
}

/* The next answer; none at the end, or if a packet is not whole. */
static struct answer next_answer(struct slice *rest)
{
    struct answer a = {.octets = *rest};
    struct wire_command c;
    long n;

    while ((n = wire_command_first(*rest, WIRE_DATA_64K, &c)) > 0) {
        *rest = slice_from(*rest, (size_t)n);
        a.edits |= strchr("imhq", c.letter) != NULL;
        if (strchr("imhqp", c.letter))
            continue;
        a.letter = c.letter;
        a.octets.n -= rest->n;
        return a;
    }
    a.octets.n = 0;
    return a;
}

/* How far a mail is, if the MTA keeps the order. */
enum mail_stage { NO_MAIL, HAS_SENDER, HAS_RCPT };

/* The flag by which the answer to this command can be left out; 0: it cannot, or our engine does not ask for it. */
static uint32_t flag_of(char letter)
{
    switch (letter) {
    case 'C':
        return WIRE_NO_REPLY_CONNECT;
    case 'H':
        return WIRE_NO_REPLY_HELO;
    case 'M':
        return WIRE_NO_REPLY_MAIL;
    case 'R':
        return WIRE_NO_REPLY_RCPT;
    case 'L':
        return WIRE_NO_REPLY_HEADER;
    case 'N':
        return WIRE_NO_REPLY_HEADER_END;
    case 'B':
        return WIRE_NO_REPLY_BODY;
    default:
        return 0;
    }
}

/* Tells whether a command comes in the right order, and records it. Otherwise it gets no answer. */
static bool in_order(char letter, enum mail_stage *stage)
{
    switch (letter) {
    case 'O':
    case 'C':
    case 'H':
    case 'U':
        return true;
    case 'M':
        *stage = HAS_SENDER;
        return true;
    case 'R':
        *stage = *stage ? HAS_RCPT : NO_MAIL;
        return *stage != NO_MAIL;
    case 'A':
        *stage = NO_MAIL;
        return false;
    case 'T':
    case 'L':
    case 'N':
    case 'B':
    case 'E':
        *stage = *stage == HAS_RCPT ? HAS_RCPT : NO_MAIL;
        return *stage != NO_MAIL;
    default:
        return false;
    }
}

/* What one filter answered to each command of a conversation that keeps the order. */
struct course {
    struct answer to[PACKETS];
    bool due[PACKETS]; /* an answer must come */
    bool in_mail[PACKETS];
    uint32_t steps; /* negotiated */
};

/* false: some answers belong to no command. */
static bool attribute(struct slice said, struct slice answers, struct course *out)
{
    enum mail_stage stage = NO_MAIL;
    struct wire_command c, o;
    struct wire_options options;
    long n;

    *out = (struct course){.steps = 0};
    for (size_t i = 0; i < PACKETS && (n = wire_command_first(said, WIRE_DATA_64K, &c)) > 0; i++) {
        said = slice_from(said, (size_t)n);
        out->due[i] = in_order(c.letter, &stage) && !(out->steps & flag_of(c.letter));
        out->in_mail[i] = stage != NO_MAIL;
        if (out->due[i])
            out->to[i] = next_answer(&answers);
        const struct answer *a = &out->to[i];
        if (c.letter == 'O' && a->letter == 'O' && wire_command_first(a->octets, WIRE_DATA_64K, &o) > 0 &&
            o.data.n >= 12 && wire_read_options(slice_of(o.data.p, 12), &options))
            out->steps = options.protocol;
        if (c.letter == 'E' || (decides(a) && !(c.letter == 'R' && refuses(a))))
            stage = NO_MAIL;
    }
    return answers.n == 0;
}

static bool same_answer(const struct answer *a, const struct answer *b)
{
    return a->octets.n == b->octets.n && memcmp(a->octets.p, b->octets.p, a->octets.n) == 0;
}

/* What must follow from an answer that the MTA did not wait for. */
enum owed { NOTHING, ACCEPTANCE, REFUSAL };

/* Tells whether our engine's answer to a command is right, if libmilter's earlier answer was `owed`. */
static bool is_right(const struct course *a, const struct course *b, size_t i, enum owed owed)
{
    const struct answer *ours = &b->to[i];

    if (owed == REFUSAL)
        return !decides(ours) || refuses(ours);
    if (owed == ACCEPTANCE)
        return !decides(ours) || (ours->letter == 'a' && !ours->edits);
    return !b->due[i] || same_answer(&a->to[i], ours);
}

/* Checks a conversation in the right order. NULL: all is right; else what is wrong. */
static const char *compare_courses(struct slice said, struct slice a_answers, struct slice b_answers)
{
    static struct course a, b;
    enum owed of_client = NOTHING, of_mail = NOTHING;
    struct wire_command c;
    long n;

    if (!attribute(said, a_answers, &a))
        return "libmilter answers more than was asked";
    if (!attribute(said, b_answers, &b))
        return "our engine answers more than was asked";
    for (size_t i = 0; i < PACKETS && (n = wire_command_first(said, WIRE_DATA_64K, &c)) > 0; i++) {
        said = slice_from(said, (size_t)n);
        if (c.letter == 'C')
            of_client = of_mail = NOTHING;
        if (c.letter == 'M')
            of_mail = of_client;
        if (c.letter == 'O')
            continue;
        if (!is_right(&a, &b, i, of_mail))
            return "an answer differs";
        if (c.letter == 'E' && b.in_mail[i] && of_mail != NOTHING && !decides(&b.to[i]))
            return "a mail has no end";
        if (b.due[i] || !decides(&a.to[i]) || of_mail != NOTHING)
            continue;
        of_mail = refuses(&a.to[i]) ? REFUSAL : ACCEPTANCE;
        if (c.letter == 'C' || c.letter == 'H')
            of_client = of_mail;
    }
    return NULL;
}

/* Checks a mangled conversation. NULL: libmilter accepted all that our engine accepted; else what is wrong. */
static const char *compare_accepted(struct slice a_rest, struct slice b_rest)
{
    struct answer a, b;
    bool unjudged = false;

    for (struct slice rest = a_rest; (a = next_answer(&rest)).letter;)
        unjudged |= a.letter == 'a' && !a.edits;
    while ((b = next_answer(&b_rest)).letter) {
        if (b.letter != 'a' && b.letter != 'd')
            continue;
        if (!b.edits && unjudged)
            continue;
        do {
            a = next_answer(&a_rest);
        } while (a.letter && !(a.letter == b.letter && same_answer(&a, &b)));
        if (!a.letter)
            return "our engine accepts a mail that libmilter does not accept in this way";
    }
    return b_rest.n ? "an answer is not whole" : NULL;
}

#endif
