// SPDX-License-Identifier: BSD-2-Clause
/*
 * mta_asks.c - compares what Postfix asks with where assay-milter and assay-outgoing answer.
 *
 * Promises to change nothing, and to claim something only of entries that are one of our sockets or plainly Assay's: a
 * unix socket in a folder of that name, a socketmap called assay. Each service of master.cf is judged by what it will
 * really use: its own settings (-o), in their absence main.cf's.
 */
#include "cli/harden/mta_asks.h"
#include "cli/harden/postfix_service.h"
#include "policy/policy_settings.h"
#include "policy/setting_types.h"
#include <stdio.h>
#include <string.h>

static const struct asked {
    const char *parameter, *program, *service; /* service: the one whose chroot counts if none runs the program */
    enum mta_asks_of of;
} parameters[] = {
    {"smtpd_milters", "smtpd", "smtp/inet", MTA_ASKS_MILTER},
    {"non_smtpd_milters", "cleanup", "cleanup/unix", MTA_ASKS_MILTER},
    {"smtp_tls_policy_maps", "smtp", "smtp/unix", MTA_ASKS_TLS_POLICY},
};

/* What a service asks, and how. */
enum { LIST, ACTION, PROTOCOL, OVERRIDES, VALUES };

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
    const char *one_form = setting_type_kept(x->postfix->h->arena, TYPE_SOCKET, socket);
    socket = one_form ? slice_str(one_form) : socket;
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

static void look_at_entry(struct asks *x, const struct mta_ask *as, struct slice entry)
{
    struct arena *a = x->postfix->h->arena;
    const bool milter = x->of == MTA_ASKS_MILTER;
    const char *action = milter ? postfix_entry_setting(a, entry, "default_action") : NULL,
               *protocol = milter ? postfix_entry_setting(a, entry, "protocol") : NULL;
    for (const char *at = arena_copy(a, entry.p, entry.n); at && *at;) {
        at += strspn(at, ", \t\r\n{}");
        struct slice word = slice_of(at, strcspn(at, ", \t\r\n{}")), socket = socket_in(x->of, word);
        at += word.n;
        if (!socket.n || x->count == MTA_ASKS_MOST)
            continue;
        const char *found = ours(x, as->service, socket);
        if (!found)
            found = ours_relative(x, as->service, socket);
        if (!found && !is_plainly_assays(x->of, socket))
            continue;
        struct mta_ask *ask = &x->out[x->count++];
        *ask = *as;
        ask->entry = arena_copy(a, socket.p, socket.n);
        ask->socket = found;
        ask->action = action ? action : as->action;
        ask->protocol = protocol ? protocol : as->protocol;
    }
}

static void ask_values(struct postfix *p, const struct asked *asked, const struct postfix_service *service,
                       struct postfix_value v[VALUES])
{
    static const char *const names[] = {
        [ACTION] = "milter_default_action", [PROTOCOL] = "milter_protocol", [OVERRIDES] = "receive_override_options"};
    for (size_t i = 0; i < VALUES; i++)
        v[i] = (struct postfix_value){.name = i == LIST ? asked->parameter : names[i]};
    postfix_values(p, service, v, VALUES);
}

/* Takes one list, with what holds for all its entries: main.cf's (service NULL), or a service's. */
static void list_read(struct asks *x, const struct asked *asked, const struct postfix_service *service,
                      const char *chroot, const struct postfix_value v[VALUES])
{
    struct arena *a = x->postfix->h->arena;
    const bool none =
        strcmp(asked->program, "smtpd") == 0 && v[OVERRIDES].text && strstr(v[OVERRIDES].text, "no_milters");
    const struct mta_ask as = {
        .where = service ? arena_printf(a, "%s of %s (master.cf)", asked->parameter, service->name)
                         : arena_printf(a, "%s of main.cf", asked->parameter),
        .service = chroot,
        .is_own = service != NULL,
        .action = x->of == MTA_ASKS_MILTER && v[ACTION].text ? v[ACTION].text : "",
        .protocol = x->of == MTA_ASKS_MILTER && v[PROTOCOL].text ? v[PROTOCOL].text : "",
    };
    struct slice entry;
    for (const char *at = none || !as.where || !v[LIST].text ? "" : v[LIST].text; postfix_next_entry(&at, &entry);)
        look_at_entry(x, &as, entry);
}

/* main.cf's list for all services that use it as it stands there, or if there are none; then each other service's. */
static void look_at_services(struct asks *x, const struct asked *asked)
{
    struct postfix_service *services = arena_alloc(x->postfix->h->arena, POSTFIX_SERVICES * sizeof *services);
    const size_t n = services ? postfix_services(x->postfix, asked->program, services) : 0;
    struct postfix_value common[VALUES], own[POSTFIX_SERVICES][VALUES];
    const char *chroot = n ? NULL : asked->service;
    ask_values(x->postfix, asked, NULL, common);
    for (size_t i = 0; i < n; i++) {
        if (services[i].option_count)
            ask_values(x->postfix, asked, &services[i], own[i]);
        if (services[i].option_count && !postfix_values_are_same(common, own[i], VALUES))
            continue;
        services[i].option_count = 0;
        chroot = chroot ? chroot : services[i].name;
    }
    if (chroot)
        list_read(x, asked, NULL, chroot, common);
    for (size_t i = 0; i < n; i++)
        if (services[i].option_count)
            list_read(x, asked, &services[i], services[i].name, own[i]);
}

static size_t look_at_all(struct asks *x)
{
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        if (parameters[i].of == x->of)
            look_at_services(x, &parameters[i]);
    return x->count;
}

size_t mta_asks(struct postfix *p, const struct policy *policy, enum mta_asks_of of, struct mta_ask out[MTA_ASKS_MOST])
{
    struct asks x = {.postfix = p, .of = of, .out = out};
    mta_asks_sockets(policy, of, x.sockets);
    return look_at_all(&x);
}

bool mta_asks_socket(struct postfix *p, enum mta_asks_of of, const char *socket)
{
    struct mta_ask found[MTA_ASKS_MOST];
    struct asks x = {.postfix = p, .of = of, .out = found, .sockets = {socket, NULL}};
    for (size_t i = look_at_all(&x); i-- > 0;)
        if (found[i].socket)
            return true;
    return false;
}

bool mta_asks_entry(struct postfix *p, const char *service, struct slice entry, const char *socket)
{
    struct mta_ask found[MTA_ASKS_MOST];
    struct asks x = {.postfix = p, .of = MTA_ASKS_MILTER, .out = found, .sockets = {socket, NULL}};
    const struct mta_ask as = {.where = "", .service = service, .action = "", .protocol = ""};
    look_at_entry(&x, &as, entry);
    for (size_t i = 0; i < x.count; i++)
        if (found[i].socket)
            return true;
    return false;
}

bool mta_asks_at(struct postfix *p, const struct postfix_service *service, const struct policy *policy)
{
    struct mta_ask found[MTA_ASKS_MOST];
    struct asks x = {.postfix = p, .of = MTA_ASKS_MILTER, .out = found};
    struct postfix_value v[VALUES];
    mta_asks_sockets(policy, x.of, x.sockets);
    ask_values(p, &parameters[0], service, v);
    list_read(&x, &parameters[0], service, service->name, v);
    for (size_t i = 0; i < x.count; i++)
        if (found[i].socket)
            return true;
    return false;
}

const char *mta_asks_elsewhere(struct postfix *p, const struct policy *policy, enum mta_asks_of of)
{
    struct arena *a = p->h->arena;
    struct mta_ask all[MTA_ASKS_MOST];
    const char *sockets[2];
    size_t n = mta_asks(p, policy, of, all);
    mta_asks_sockets(policy, of, sockets);
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
