// SPDX-License-Identifier: BSD-2-Clause
/*
 * mta_asks.c - compares what Postfix asks with where assay-milter and assay-outgoing answer.
 *
 * Promises to change nothing, and to claim something only of entries that are one of our sockets or plainly Assay's: a
 * unix socket in a folder of that name, a socketmap called assay.
 */
#include "cli/harden/mta_asks.h"
#include "cli/harden/harden_postfix.h"
#include "policy/policy_settings.h"
#include <stdio.h>
#include <string.h>

static const struct asked {
    const char *parameter, *service; /* service: the one whose chroot counts for main.cf's value */
    enum mta_asks_of of;
} asked[] = {
    {"smtpd_milters", "smtp/inet", MTA_ASKS_MILTER},
    {"non_smtpd_milters", "cleanup/unix", MTA_ASKS_MILTER},
    {"smtp_tls_policy_maps", "smtp/unix", MTA_ASKS_TLS_POLICY},
};

struct asks {
    struct postfix *postfix;
    const char *sockets[2];
    enum mta_asks_of of;
    struct mta_ask *out;
    size_t count;
};

void mta_asks_sockets(const struct policy *p, enum mta_asks_of of, const char *sockets[2])
{
    const bool milter = of == MTA_ASKS_MILTER;
    const char *set = policy_set_text(p, milter ? SETTING_MILTER_SOCKET : SETTING_POSTFIX_TLS_POLICY_SOCKET);
    sockets[0] = set && *set ? set : NULL;
    sockets[1] = milter ? policy_mta_socket(p) : policy_mta_tls_policy_socket(p);
    if (sockets[0] && sockets[1] && strcmp(sockets[0], sockets[1]) == 0)
        sockets[1] = NULL;
}

/* The socket in one word of a list: "unix:/x" of a milter's, "unix:/x" of "socketmap:unix:/x:assay". n 0: it is not
 * ours to judge. */
static struct slice socket_in(enum mta_asks_of of, struct slice word)
{
    static const char *const names[] = {":assay", ":assay-sts"};
    if (of == MTA_ASKS_MILTER)
        return memchr(word.p, ':', word.n) ? word : SLICE_NULL;
    if (word.n < 10 || memcmp(word.p, "socketmap:", 10) != 0)
        return SLICE_NULL;
    word = slice_from(word, 10);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (word.n > n && memcmp(word.p + word.n - n, names[i], n) == 0)
            return slice_of(word.p, word.n - n);
    }
    return SLICE_NULL;
}

static bool is_plainly_assays(enum mta_asks_of of, struct slice socket)
{
    return of == MTA_ASKS_TLS_POLICY ||
           (socket.n > 5 && memcmp(socket.p, "unix:", 5) == 0 && memmem(socket.p, socket.n, "assay/", 6) != NULL);
}

/* The one of our sockets that this service means; NULL: none. Seen from the service's chroot, or as written. */
static const char *ours(const struct asks *x, const char *service, struct slice socket)
{
    for (size_t i = 0; i < 2; i++)
        if (x->sockets[i] && slice_eq(socket, slice_str(x->sockets[i])))
            return x->sockets[i];
    for (size_t i = 0; i < 2; i++) {
        const char *written = x->sockets[i] ? postfix_writes(x->postfix, service, x->sockets[i]) : NULL;
        if (written && slice_eq(socket, slice_str(written)))
            return x->sockets[i];
    }
    return NULL;
}

/* A path below the queue folder, written with or without its first slash. */
static const char *ours_relative(const struct asks *x, const char *service, struct slice socket)
{
    struct arena *a = x->postfix->h->arena;
    const char *with = socket.n > 5 && memcmp(socket.p, "unix:", 5) == 0 && socket.p[5] != '/'
                           ? arena_printf(a, "unix:/%.*s", SLICE_ARG(slice_from(socket, 5)))
                           : NULL;
    const char *queue = with ? postfix_get(x->postfix, "queue_directory") : "";
    const char *full = *queue ? arena_printf(a, "unix:%s%s", queue, with + 5) : NULL;
    const char *found = with ? ours(x, service, slice_str(with)) : NULL;
    return found || !full ? found : ours(x, service, slice_str(full));
}

static void look_at_entry(struct asks *x, const char *where, const char *service, struct slice entry)
{
    struct arena *a = x->postfix->h->arena;
    const bool milter = x->of == MTA_ASKS_MILTER;
    const char *action = milter ? postfix_entry_setting(a, entry, "default_action") : NULL,
               *protocol = milter ? postfix_entry_setting(a, entry, "protocol") : NULL;
    if (milter && !action)
        action = postfix_get(x->postfix, "milter_default_action");
    if (milter && !protocol)
        protocol = postfix_get(x->postfix, "milter_protocol");
    for (const char *at = arena_copy(a, entry.p, entry.n); at && *at;) {
        at += strspn(at, ", \t\r\n{}");
        struct slice word = slice_of(at, strcspn(at, ", \t\r\n{}")), socket = socket_in(x->of, word);
        at += word.n;
        if (!socket.n || x->count == MTA_ASKS_MOST)
            continue;
        const char *found = ours(x, service, socket);
        if (!found)
            found = ours_relative(x, service, socket);
        if (found || is_plainly_assays(x->of, socket))
            x->out[x->count++] = (struct mta_ask){where, arena_copy(a, socket.p, socket.n), found, action, protocol};
    }
}

static void look(struct asks *x, const char *where, const char *service, const char *list)
{
    struct slice entry;
    for (const char *at = list ? list : ""; postfix_next_entry(&at, &entry);)
        look_at_entry(x, where, service, entry);
}

/* "submission/inet/smtpd_milters = LIST", as postconf -P has it. */
static void look_at_service(struct asks *x, const char *parameter, const char *line)
{
    struct arena *a = x->postfix->h->arena;
    const char *slash = strchr(line, '/'), *second = slash ? strchr(slash + 1, '/') : NULL;
    const char *equals = second ? strchr(second, '=') : NULL;
    if (!equals || !slice_eq(slice_trim(slice_of(second + 1, (size_t)(equals - second) - 1)), slice_str(parameter)))
        return;
    const char *service = arena_copy(a, line, (size_t)(second - line));
    const char *where = service ? arena_printf(a, "%s of %s (master.cf)", parameter, service) : NULL;
    if (where)
        look(x, where, service, equals + 1);
}

size_t mta_asks(struct arena *a, const struct policy *policy, enum mta_asks_of of, struct mta_ask out[MTA_ASKS_MOST])
{
    const char *argv[] = {"postconf", "-h", "config_directory", NULL};
    struct harden h = {.arena = a, .root = "", .socket = policy_set_text(policy, SETTING_MILTER_SOCKET)};
    struct postfix p = {.h = &h};
    struct asks x = {.postfix = &p, .of = of, .out = out};
    int code = -1;
    const char *dir = harden_run(&h, argv, &code);
    if (code != 0 || !dir || snprintf(p.dir, sizeof p.dir, "%s", dir) >= (int)sizeof p.dir)
        return 0;
    mta_asks_sockets(policy, of, x.sockets);
    const char *services = postfix_ask(&p, "-Px", NULL);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        const char *where = arena_printf(a, "%s of main.cf", asked[i].parameter);
        if (asked[i].of != of || !where)
            continue;
        look(&x, where, asked[i].service, postfix_get(&p, asked[i].parameter));
        for (const char *line = services; line && *line;) {
            size_t n = strcspn(line, "\n");
            const char *text = arena_copy(a, line, n);
            if (text)
                look_at_service(&x, asked[i].parameter, text);
            line += n + (line[n] == '\n');
        }
    }
    return x.count;
}

const char *mta_asks_elsewhere(struct arena *a, const struct policy *p, enum mta_asks_of of)
{
    struct mta_ask all[MTA_ASKS_MOST];
    const char *sockets[2];
    size_t n = mta_asks(a, p, of, all);
    mta_asks_sockets(p, of, sockets);
    const char *program = of == MTA_ASKS_MILTER ? "assay-milter" : "assay-outgoing",
               *waits = of == MTA_ASKS_MILTER ? "mail is deferred" : "outgoing mail waits",
               *at = sockets[0] ? sockets[0] : sockets[1];
    for (size_t i = 0; i < n; i++)
        if (!all[i].socket)
            return at ? arena_printf(a, "%s asks %s, where %s does not listen (it listens at %s): %s", all[i].where,
                                     all[i].entry, program, at, waits)
                      : arena_printf(a, "%s asks %s, but the policy opens none: %s", all[i].where, all[i].entry, waits);
    return NULL;
}
