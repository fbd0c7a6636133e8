// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden_drop.c - removes the filters that Assay replaces from Postfix's configuration.
 *
 * A filter is found by the socket its own configuration names, in each way Postfix may write it: unix or local, from
 * the root or from the queue's folder, inet by whatever name of this host. The SPF policy server is found by its
 * service: policyd-spf, or whichever spawn service of master.cf runs it. Its service stays in master.cf, unused, which
 * makes going back easy. A listener with milters of its own (-o smtpd_milters) gets ours in their place. A list that
 * names a filter by way of a parameter ($filters) is refused, since that parameter may stand elsewhere too.
 */
#include "cli/harden/harden_postfix.h"
#include <stdlib.h>

static const char *const lists[] = {
    "smtpd_client_restrictions",      "smtpd_helo_restrictions",      "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",       "smtpd_recipient_restrictions", "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
};

/* Tells whether a list can be taken apart: braces in pairs, and no '\\' that was meant to go on in the next line. */
static bool is_sound(struct postfix *p, const char *name, const char *list)
{
    struct slice entry;
    int depth = 0;
    bool slash = false;
    for (const char *c = list; *c && depth >= 0; c++)
        depth += *c == '{' ? 1 : *c == '}' ? -1 : 0;
    for (const char *at = list; postfix_next_entry(&at, &entry);)
        slash = slash || entry.p[entry.n - 1] == '\\';
    if (depth != 0)
        harden_refuse(p->h, "main.cf: %s = %s: a '%c' has no '%c'", name, list, depth > 0 ? '{' : '}',
                      depth > 0 ? '}' : '{');
    else if (slash)
        harden_refuse(
            p->h,
            "main.cf: %s = %s: Postfix knows no '\\' at the end of a line; a line that begins with a blank goes on",
            name, list);
    return depth == 0 && !slash;
}

/* What an entry connects to: "{ inet:h:1, timeout=1s }" is inet:h:1. */
static struct slice target(struct slice entry)
{
    if (entry.n && *entry.p == '{') {
        struct slice in = slice_trim(slice_of(entry.p + 1, entry.n > 1 ? entry.n - 2 : 0));
        size_t n = 0;
        while (n < in.n && !strchr(", \t", in.p[n]))
            n++;
        return slice_of(in.p, n);
    }
    return entry;
}

static bool is_here(struct slice host)
{
    static const char *const names[] = {"",    "localhost",     "127.0.0.1", "[127.0.0.1]", "[::1]",
                                        "::1", "ip6-localhost", "0.0.0.0",   "[::]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_eq_nocase(host, slice_str(names[i])))
            return true;
    return false;
}

/* "inet:8891@localhost" of a filter against "inet:localhost:8891" of Postfix. */
static bool same_inet(const char *socket, struct slice entry)
{
    const char *port = strchr(socket, ':') + 1, *at = strchr(port, '@');
    struct slice host = slice_str(at ? at + 1 : ""), theirs = slice_from(entry, 5);
    const size_t n = at ? (size_t)(at - port) : strlen(port);
    size_t colon = theirs.n;
    while (colon > 0 && theirs.p[colon - 1] != ':')
        colon--;
    struct slice their_host = slice_of(theirs.p, colon ? colon - 1 : 0);
    return colon && slice_eq(slice_from(theirs, colon), slice_of(port, n)) &&
           (slice_eq_nocase(host, their_host) || (is_here(host) && is_here(their_host)));
}

/* Path of a unix entry against the filter's: the same, or the same seen from the queue's folder. */
static bool same_unix(const char *path, struct slice theirs, const char *queue)
{
    const size_t q = strlen(queue);
    if (slice_eq(theirs, slice_str(path)))
        return true;
    if (strncmp(path, queue, q) != 0 || path[q] != '/')
        return false;
    return slice_eq(theirs, slice_str(path + q)) || slice_eq(theirs, slice_str(path + q + 1));
}

static bool is_old_milter(struct postfix *p, struct slice entry, const char *queue)
{
    struct slice t = target(entry);
    for (size_t i = 0; i < p->h->drop_count; i++) {
        const char *socket = p->h->drop[i], *path = *socket == '/'                      ? socket
                                                    : strncmp(socket, "local:", 6) == 0 ? socket + 6
                                                    : strncmp(socket, "unix:", 5) == 0  ? socket + 5
                                                                                        : NULL;
        if (!path && strncmp(socket, "inet", 4) == 0 && strchr(socket, ':') && t.n > 5 &&
            memcmp(t.p, "inet:", 5) == 0 && same_inet(socket, t))
            return true;
        if (path && t.n > 5 && memcmp(t.p, "unix:", 5) == 0 && same_unix(path, slice_from(t, 5), queue))
            return true;
        if (path && t.n > 6 && memcmp(t.p, "local:", 6) == 0 && same_unix(path, slice_from(t, 6), queue))
            return true;
    }
    return false;
}

/* Tells whether unix:private/NAME is the SPF policy server: by its usual name, or by what master.cf runs there. */
static bool is_policyd(struct postfix *p, struct slice entry)
{
    struct slice t = target(entry);
    if (t.n < 14 || memcmp(t.p, "unix:private/", 13) != 0)
        return false;
    struct slice name = slice_from(t, 13);
    const char *service = arena_printf(p->h->arena, "%.*s/unix", SLICE_ARG(name));
    const char *runs = service ? postfix_ask(p, "-M", service) : NULL;
    return slice_eq(name, slice_str("policyd-spf")) || slice_eq(name, slice_str("policyd-spf-mock")) ||
           (runs && strstr(runs, "policyd-spf"));
}

static void entry_append(struct buf *out, struct slice entry)
{
    if (out->n)
        buf_adds(out, ",");
    if (out->n)
        buf_addc(out, ' ');
    buf_addslice(out, entry);
}

/* The list without the old milters; NULL if none is in it. */
static const char *without_milters(struct postfix *p, const char *list)
{
    const char *queue = postfix_ask(p, "-xh", "queue_directory"), *at = list;
    struct buf out = BUF_INIT;
    struct slice entry;
    bool found = false;
    while (postfix_next_entry(&at, &entry)) {
        if (is_old_milter(p, entry, queue ? queue : ""))
            found = true;
        else
            entry_append(&out, entry);
    }
    const char *result = found && !out.failed ? arena_copy(p->h->arena, out.p, out.n) : NULL;
    buf_release(&out);
    return result;
}

/* The same of check_policy_service and its server. Entries of restrictions keep the blank between a check and its
 * argument. */
static const char *without_policyd(struct postfix *p, const char *list)
{
    struct buf out = BUF_INIT;
    struct slice entry, next;
    bool found = false;
    const char *at = list, *end = list;
    while (postfix_next_entry(&at, &entry)) {
        const char *after = at;
        if (slice_eq(entry, slice_str("check_policy_service")) && postfix_next_entry(&after, &next) &&
            is_policyd(p, next)) {
            at = after;
            found = true;
        } else { /* joined as it was: by a comma or by blanks */
            const bool comma = memchr(end, ',', (size_t)(entry.p - end)) != NULL;
            buf_adds(&out, !out.n ? "" : comma ? ", " : " ");
            buf_addslice(&out, entry);
        }
        end = at;
    }
    const char *result = found && !out.failed ? arena_copy(p->h->arena, out.p, out.n) : NULL;
    buf_release(&out);
    return result;
}

/* Refused: an old filter that is still there when the parameters are put in. */
static void refuse_hidden(struct postfix *p, const char *name, bool milters)
{
    const char *raw = postfix_ask(p, "-h", name), *full = postfix_ask(p, "-xh", name);
    if (raw && full && strchr(raw, '$') && (milters ? without_milters(p, full) : without_policyd(p, full)) &&
        !(milters ? without_milters(p, raw) : without_policyd(p, raw)))
        harden_refuse(p->h,
                      "%s = %s: what is to be taken out is named by way of a parameter\nwrite its value in %s itself, "
                      "and run this again",
                      name, raw, name);
}

/* As master.cf's -o takes it: without blanks. NULL: it cannot be written so. */
static const char *without_blanks(struct postfix *p, const char *list)
{
    struct buf out = BUF_INIT;
    struct slice entry;
    bool good = true;
    for (const char *at = list; postfix_next_entry(&at, &entry);) {
        good = good && *entry.p != '{';
        buf_adds(&out, out.n ? "," : "");
        buf_addslice(&out, entry);
    }
    const char *result = good && !out.failed ? arena_copy(p->h->arena, out.p, out.n) : NULL;
    buf_release(&out);
    return result;
}

/* Lines of `postconf -P`: SERVICE/TYPE/NAME = VALUE. */
static void drop_in_master(struct postfix *p, const char *socket)
{
    const char *all = postfix_ask(p, "-P", NULL);
    for (const char *line = all; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "") {
        const size_t n = strcspn(line, "\n");
        const char *equals = memmem(line, n, " =", 2);
        if (!equals)
            continue;
        const char *name = arena_copy(p->h->arena, line, (size_t)(equals - line)),
                   *value = arena_copy(p->h->arena, equals + 2, n - (size_t)(equals + 2 - line));
        const char *last = name ? strrchr(name, '/') : NULL, *rest = NULL;
        if (!last || !value)
            continue;
        if (strcmp(last, "/smtpd_milters") == 0 && (rest = without_milters(p, value)) != NULL)
            rest = *rest ? arena_printf(p->h->arena, "%s, %s", socket, rest) : socket;
        for (size_t i = 0; !rest && p->h->drop_policyd && i < sizeof lists / sizeof *lists; i++)
            if (strcmp(last + 1, lists[i]) == 0)
                rest = without_policyd(p, value);
        const char *written = rest ? without_blanks(p, rest) : NULL;
        if (written)
            postfix_edit_master(p, name, written);
        else if (rest)
            harden_refuse(
                p->h, "master.cf: %s: a list with { } cannot be changed here; take the old filter out by hand first",
                name);
    }
}

const char *postfix_drop(struct postfix *p, const char *socket)
{
    const char *milters = postfix_ask(p, "-h", "smtpd_milters"), *others = postfix_ask(p, "-h", "non_smtpd_milters");
    if (!milters || strlen(milters) > POSTFIX_MAX_MILTERS) {
        harden_refuse(p->h, "smtpd_milters cannot be read, or is longer than %d octets", POSTFIX_MAX_MILTERS);
        return NULL;
    }
    if (!is_sound(p, "smtpd_milters", milters))
        return NULL;
    if (!p->h->drop_count && !p->h->drop_policyd)
        return milters;
    refuse_hidden(p, "smtpd_milters", true);
    const char *rest = without_milters(p, milters), *other = others ? without_milters(p, others) : NULL;
    if (other)
        postfix_edit(p, "non_smtpd_milters", other);
    for (size_t i = 0; p->h->drop_policyd && i < sizeof lists / sizeof *lists; i++) {
        const char *now = postfix_ask(p, "-h", lists[i]),
                   *left = now && is_sound(p, lists[i], now) ? without_policyd(p, now) : NULL;
        refuse_hidden(p, lists[i], false);
        if (left)
            postfix_edit(p, lists[i], left);
    }
    drop_in_master(p, socket);
    return p->h->refused ? NULL : rest ? rest : milters;
}
