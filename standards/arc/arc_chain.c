// SPDX-License-Identifier: BSD-2-Clause
/*
 * arc_chain.c - gathers ARC sets and checks their structure (RFC 8617 5.2):
 *
 *   step 1   at most 50 sets
 *   step 2   the newest seal does not itself say that the chain had failed
 *   step 3A  each set is one each of ARC-Authentication-Results, ARC-Message-Signature and ARC-Seal
 *        3B  instances are 1, 2, ... without gap or repetition
 *        3C  cv= is none in the first seal and pass in all others
 *
 * A field whose i= cannot be read belongs to no set, which is a defect too. The first defect found is the one reported.
 * Fails only if memory runs out.
 */
#include "standards/arc/arc_chain.h"
#include "standards/message/header.h"

static const struct slice aar_name = {"arc-authentication-results", 26};
static const struct slice message_name = {"arc-message-signature", 21};
static const struct slice seal_name = {"arc-seal", 8};

/* Blanks, folds and comments (CFWS, RFC 5322 3.2.2) from the start of s. An unfinished comment takes all. */
static struct slice skip_cfws(struct slice s)
{
    unsigned depth = 0;
    size_t i = 0;
    for (; i < s.n; i++) {
        char c = s.p[i];
        if (depth && c == '\\') {
            i++;
        } else if (c == '(') {
            depth++;
        } else if (depth && c == ')') {
            depth--;
        } else if (!depth && c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            break;
        }
    }
    return slice_from(s, i);
}

/* An ARC-Authentication-Results value: the instance before its first ";", and what follows. 0: it has none (RFC 8617
 * 4.1.1). */
static unsigned arc_chain_instance(struct slice value, struct slice *rest)
{
    struct slice s = skip_cfws(value);
    unsigned n = 0, digits = 0;
    if (!s.n || s.p[0] != 'i')
        return 0;
    s = skip_cfws(slice_from(s, 1));
    if (!s.n || s.p[0] != '=')
        return 0;
    s = skip_cfws(slice_from(s, 1));
    while (s.n && s.p[0] >= '0' && s.p[0] <= '9' && digits++ < 2) {
        n = n * 10 + (unsigned)(s.p[0] - '0');
        s = slice_from(s, 1);
    }
    s = skip_cfws(s);
    if (!s.n || s.p[0] != ';' || n > ARC_CHECK_SETS)
        return 0;
    *rest = slice_from(s, 1);
    return n;
}

static void defect(struct arc_chain *c, const char *what)
{
    if (!c->defect)
        c->defect = what;
}

/* The link of this instance, and the place in it that `place` goes to; doubled and unreadable instances are defects. */
static struct arc_link *link_of(struct arc_chain *c, unsigned instance, const char *why_not)
{
    if (!instance) {
        defect(c, why_not);
        return NULL;
    }
    if (instance > c->count)
        c->count = instance;
    return &c->links[instance - 1];
}

static const char *unreadable(struct arena *arena, const char *what, const struct dkim_sigfield *field)
{
    return field->instance ? NULL : arena_printf(arena, "%s without a valid i=: %s", what, field->reason);
}

static void take_aar(struct arc_chain *c, const struct header_list *headers, size_t place)
{
    struct slice rest = SLICE_NULL;
    struct arc_link *link = link_of(c, arc_chain_instance(headers->fields[place].value, &rest),
                                    "an ARC-Authentication-Results without a valid i=");
    if (link && link->aar_place != SIZE_MAX) {
        defect(c, "two ARC-Authentication-Results of one instance");
    } else if (link) {
        link->aar_place = place;
        link->aar = rest;
    }
}

static void take_message(struct arena *arena, struct arc_chain *c, const struct dkim_sigfield *field, size_t place)
{
    struct arc_link *link = link_of(c, field->instance, unreadable(arena, "an ARC-Message-Signature", field));
    if (link && link->message_place != SIZE_MAX) {
        defect(c, "two ARC-Message-Signatures of one instance");
    } else if (link) {
        link->message_place = place;
        link->message = *field;
    }
}

static void take_seal(struct arena *arena, struct arc_chain *c, const struct dkim_sigfield *field, size_t place)
{
    struct arc_link *link = link_of(c, field->instance, unreadable(arena, "an ARC-Seal", field));
    if (link && link->seal_place != SIZE_MAX) {
        defect(c, "two ARC-Seals of one instance");
    } else if (link) {
        link->seal_place = place;
        link->seal = *field;
    }
}

static void check_sets(struct arc_chain *c)
{
    c->readable = true;
    for (size_t i = 0; i < c->count; i++) {
        const struct arc_link *l = &c->links[i];
        if (l->aar_place == SIZE_MAX || l->message_place == SIZE_MAX || l->seal_place == SIZE_MAX) {
            c->readable = false;
            defect(c, "an incomplete ARC set");
        }
    }
    /* The newest first: it has the result of the last hop. */
    for (size_t i = c->count; c->readable && i-- > 0;) {
        enum result cv = c->links[i].seal.cv;
        if (cv == RESULT_FAIL)
            defect(c, "a seal says that the chain had failed (cv=fail)");
        else if (cv != (i ? RESULT_PASS : RESULT_NONE))
            defect(c, i ? "a later seal without cv=pass" : "the first seal without cv=none");
    }
}

enum status arc_chain_read(struct arena *arena, const struct header_list *headers, const struct dkim_fields *index,
                           time_t now, struct arc_chain *c)
{
    size_t aars = dkim_fields_count(index, aar_name), messages = dkim_fields_count(index, message_name),
           seals = dkim_fields_count(index, seal_name);
    *c = (struct arc_chain){0};
    if (!aars && !messages && !seals)
        return STATUS_OK;
    if (aars > ARC_CHECK_SETS || messages > ARC_CHECK_SETS || seals > ARC_CHECK_SETS) {
        c->count = ARC_CHECK_SETS;
        c->defect = "more than 50 ARC sets";
        return STATUS_OK;
    }
    c->links = ARENA_ARRAY(arena, struct arc_link, ARC_CHECK_SETS);
    if (!c->links)
        return STATUS_NOMEM;
    for (size_t i = 0; i < ARC_CHECK_SETS; i++)
        c->links[i].aar_place = c->links[i].message_place = c->links[i].seal_place = SIZE_MAX;
    struct dkim_sigfield field;
    for (size_t at = dkim_fields_top(index, aar_name); at != SIZE_MAX; at = dkim_fields_below(index, at))
        take_aar(c, headers, at);
    for (size_t at = dkim_fields_top(index, message_name); at != SIZE_MAX; at = dkim_fields_below(index, at)) {
        dkim_sigfield_read(arena, SIGFIELD_ARC_MESSAGE, headers->fields[at].value, now, &field);
        take_message(arena, c, &field, at);
    }
    for (size_t at = dkim_fields_top(index, seal_name); at != SIZE_MAX; at = dkim_fields_below(index, at)) {
        dkim_sigfield_read(arena, SIGFIELD_ARC_SEAL, headers->fields[at].value, now, &field);
        take_seal(arena, c, &field, at);
    }
    check_sets(c);
    return arena_failed(arena) ? STATUS_NOMEM : STATUS_OK;
}
