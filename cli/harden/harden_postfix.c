// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden_postfix.c - makes Postfix ask assay-milter, and sets what mail security needs.
 *
 * main.cf is changed by Postfix's own postconf on a copy, so that comments, order and continuation lines stay as they
 * are; the set then holds the copy's text. An existing milter chain is kept: assay-milter goes first, because it must
 * see the message as it arrived. Settings that would hide mail from it (smtpd_proxy_filter), a main.cf that Postfix
 * itself complains about, and a socket that Postfix's chroot cannot reach are refused, with advice.
 *
 * Settings are only ever tightened: a value that is stricter already is left alone.
 */
#include "cli/mta_networks.h"
#include "cli/harden/postfix_service.h"
#include "base/buf.h"
#include "base/ip.h"
#include "cli/harden/ca_store.h"
#include "cli/harden/mta_asks.h"
#include "cli/harden/service_unit.h"
#include "cli/harden/trial_delivery.h"
#include "net/dial.h"
#include "outgoing/tls_policy.h"
#include "policy/mta_socket.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MILTER_PORT 8891
#define TLS_POLICY_PORT 8892
#define DIAL_MS 500
#define DEFAULT_SOCKET "unix:/run/assay/milter.sock" /* of policy/settings.def */

static const char *socket_file(struct harden *h, const char *file)
{
    const char *slash = strrchr(h->policy_path, '/');
    return arena_printf(h->arena, "%.*s%s", slash ? (int)(slash - h->policy_path) + 1 : 0, h->policy_path, file);
}

/* Records the socket that the MTA asks: from now on it is the default of the setting, so that no policy can lose it. */
static bool write_socket_file(struct harden *h, const char *file, const char *socket)
{
    const char *path = socket_file(h, file), *text = arena_printf(h->arena, "%s\n", socket);
    if (strncmp(socket, "unix:/", 6) != 0)
        return true;
    size_t before = edit_count(h->set);
    if (!path || !text || !harden_write(h, path, slice_str(text), 0644))
        return false;
    if (edit_count(h->set) > before) {
        harden_reason(h, path, "the socket that the mail server asks: no policy can lose it");
        h->socket_is_new |= strcmp(file, MTA_SOCKET_FILE) == 0;
    }
    return true;
}

/* Files are replaced in the order in which they were first looked at: if the power fails between two of them, Postfix
 * must not ask a socket that nobody was told to open. master.cf follows a socket that main.cf leaves, so it goes first:
 * a run after one that was killed between the two still sees which socket that is. */
static bool look_at_files(struct harden *h, const char *dir)
{
    bool exists;
    struct slice text;
    const char *milter = socket_file(h, MTA_SOCKET_FILE), *tls = socket_file(h, MTA_SOCKET_TLS_POLICY_FILE),
               *master = arena_printf(h->arena, "%s/master.cf", dir);
    return milter && tls && master && harden_read(h, milter, &text, &exists) && harden_read(h, tls, &text, &exists) &&
           harden_read(h, master, &text, &exists);
}

bool harden_tell_socket(struct harden *h)
{
    return write_socket_file(h, MTA_SOCKET_FILE, h->socket);
}

/* As every smtpd can use it, if some run in the chroot and some do not: all of them work in the queue folder, so a path
 * without its first slash means the same to both. */
static const char *for_all(struct postfix *p, const char *written)
{
    struct arena *a = p->h->arena;
    struct postfix_service *services = arena_alloc(a, POSTFIX_SERVICES * sizeof *services);
    const size_t n = services ? postfix_services(p, "smtpd", services) : 0;
    const char *queue = postfix_get(p, "queue_directory");
    const char *inside = arena_printf(a, "unix:%s/", queue);
    bool caged = false, uncaged = false;
    for (size_t i = 0; i < n; i++) {
        caged = caged || services[i].caged;
        uncaged = uncaged || !services[i].caged;
    }
    if (!caged || !uncaged || !inside || !*queue || strncmp(p->h->socket, inside, strlen(inside)) != 0)
        return written;
    return arena_printf(a, "unix:%s", p->h->socket + strlen(inside));
}

/* A socket that the service cannot make is one that Postfix asks in vain: all mail would wait. */
static bool unit_lets(struct harden *h, const char *service, const char *socket)
{
    const char *folder = service_unit_forbids(h, service, socket);
    if (folder)
        harden_refuse(h,
                      "systemd does not let %s make a socket in %s (ProtectSystem=strict)\n"
                      "let it, then run this again:\n"
                      "  install -d -o assay -g postfix -m 3770 %s\n"
                      "  mkdir -p /etc/systemd/system/%s.service.d\n"
                      "  printf '[Service]\\nReadWritePaths=-%s\\n' >/etc/systemd/system/%s.service.d/socket.conf\n"
                      "  systemctl daemon-reload",
                      service, folder, folder, service, folder, service);
    return !folder;
}

/* Tells whether there are several instances (postmulti(1)): in their chroots they cannot reach a socket in the queue
 * folder of another instance. */
static bool is_one_of_several(struct postfix *p)
{
    return *postfix_get(p, "multi_instance_directories") || *postfix_get(p, "multi_instance_name");
}

/* A value for the socket's setting that this Postfix, or each of several instances, can reach. */
static const char *in_reach(struct postfix *p, const char *name, unsigned port)
{
    return is_one_of_several(p)
               ? arena_printf(p->h->arena, "inet:%u@127.0.0.1\", which every instance reaches; then run this for each",
                              port)
               : arena_printf(p->h->arena, "unix:%s/assay/%s\"", postfix_get(p, "queue_directory"), name);
}

bool postfix_is_served(struct harden *h, const char *socket)
{
    const bool is_file = strncmp(socket, "unix:", 5) == 0;
    const char *at = is_file ? arena_printf(h->arena, "unix:%s%s", h->root, socket + 5) : socket;
    const int fd = at ? dial_named(at, DIAL_MS) : -1;
    if (fd >= 0) {
        close(fd);
        return true;
    }
    /* Its queue is full, or we may not or cannot connect: that the file is there must do. */
    return is_file && at && (errno == EAGAIN || errno == EACCES || errno == ENAMETOOLONG) && access(at + 5, F_OK) == 0;
}

/* How Postfix must write our socket; NULL (refused) if it cannot reach it. */
static const char *socket_for(struct postfix *p)
{
    struct harden *h = p->h;
    const char *queue = postfix_get(p, "queue_directory");
    /* In /run/assay the socket has our group, and Postfix may not open it; the folder in the queue has Postfix's. */
    if (strcmp(h->socket, DEFAULT_SOCKET) == 0 && *queue && !policy_set_is_given(h->policy, SETTING_MILTER_SOCKET))
        h->socket = arena_printf(h->arena, "unix:%s/assay/milter.sock", queue);
    const char *written = h->socket ? postfix_writes(p, "smtp/inet", h->socket) : NULL;
    if (written)
        return unit_lets(h, "assay-milter", h->socket) && harden_tell_socket(h) ? for_all(p, written) : NULL;
    if (!h->refused)
        harden_refuse(h,
                      "Postfix's smtpd runs in the chroot %s and cannot reach %s\nadd to %s:  set milter.socket \"%s",
                      queue, h->socket, h->policy_path, in_reach(p, "milter.sock", MILTER_PORT));
    return NULL;
}

/* Which map Postfix asks: the one with the attributes of MTA-STS if it is 3.10 or later, that map answers now, and this
 * very Postfix delivers a mail by its answer. An earlier one refuses the answer and keeps all mail. */
static const char *policy_map(struct postfix *p, const char *socket)
{
    const char *version = postfix_ask(p, "-h", "mail_version");
    unsigned major = 0, minor = 0;
    int code = -1;

    if (!version || sscanf(version, "%u.%u", &major, &minor) != 2 || major < 3 || (major == 3 && minor < 10))
        return "assay";
    const char *table = arena_printf(p->h->arena, "socketmap:%s:assay-sts", socket), *answer = NULL,
               *why = "assay-outgoing does not answer yet";
    if (table)
        answer = harden_ask(p->h, (const char *const[]){"postmap", "-q", TLS_POLICY_TEST_DOMAIN, table, NULL}, &code);
    if (code == 0 && answer)
        why = trial_delivery(p, arena_copy(p->h->arena, answer, strcspn(answer, "\n")));
    if (!why)
        return "assay-sts";
    harden_note(
        p->h,
        "smtp_tls_policy_maps asks the map assay, without the attributes that Postfix %u.%u needs for TLSRPT: a "
        "trial delivery by the map assay-sts failed (%s)",
        major, minor, why);
    return "assay";
}

/* Where the policy opens a socket for it, Postfix asks us how its own mail must be protected; the site's own exceptions
 * stay, and go first. */
static void edit_policy_maps(struct postfix *p)
{
    const char *socket = policy_set_text(p->h->policy, SETTING_POSTFIX_TLS_POLICY_SOCKET),
               *now = postfix_ask(p, "-h", "smtp_tls_policy_maps");
    const char *map = now ? strstr(now, "socketmap:") : NULL;
    if (!*socket || !now)
        return;
    if (map && strstr(map, ":assay")) { /* it is ours; if the policy moved the socket, the map is changed */
        const bool on_host = strncmp(map, "socketmap:unix:", 15) == 0 && strncmp(socket, "unix:", 5) == 0,
                   moved = (on_host || harden_wrote(p->h, slice_of(map, strcspn(map, ", \t\n")))) &&
                           !mta_asks_socket(p, MTA_ASKS_TLS_POLICY, socket);
        now = moved ? postfix_without_ours(p, now) : NULL;
        if (!now)
            return;
    }
    const char *written = postfix_writes(p, "smtp/unix", socket), *queue = postfix_get(p, "queue_directory");
    if (!written)
        harden_note(p->h,
                    "Postfix's smtp runs in the chroot %s and cannot reach %s: smtp_tls_policy_maps stays; in %s, set "
                    "postfix.tls-policy-socket \"%s",
                    queue, socket, p->h->policy_path, in_reach(p, "tls.sock", TLS_POLICY_PORT));
    else if (unit_lets(p->h, "assay-outgoing", socket) && write_socket_file(p->h, MTA_SOCKET_TLS_POLICY_FILE, socket)) {
        if (!postfix_is_served(p->h, socket))
            harden_reload_by(p->h, "systemctl restart assay-outgoing");
        postfix_edit(
            p, "smtp_tls_policy_maps",
            arena_printf(p->h->arena, "%s%ssocketmap:%s:%s", now, *now ? ", " : "", written, policy_map(p, socket)));
    }
}

static bool is_any(const char *value, const char *a, const char *b)
{
    return strcmp(value, a) == 0 || (b && strcmp(value, b) == 0);
}

/* What Postfix does with mail while assay-milter is away: Postfix's words that keep it from coming in unjudged. */
static bool keeps_mail_out(const char *action)
{
    return is_any(action, "reject", "shutdown") || is_any(action, "quarantine", NULL);
}

/* Tells whether some smtpd of master.cf has another value (-o) than main.cf. */
static bool differs(struct postfix *p, const char *name)
{
    struct postfix_service *services = arena_alloc(p->h->arena, POSTFIX_SERVICES * sizeof *services);
    const size_t n = services ? postfix_services(p, "smtpd", services) : 0;
    struct postfix_value common = {name, NULL}, own = {name, NULL};
    postfix_values(p, NULL, &common, 1);
    for (size_t i = 0; i < n; i++)
        if (services[i].option_count && postfix_values(p, &services[i], &own, 1) &&
            !postfix_values_are_same(&common, &own, 1))
            return true;
    return false;
}

/* Our entry of the list: with an action and a protocol of its own, so that the other filters keep theirs. */
static const char *our_entry(struct postfix *p, const char *socket)
{
    const char *action = postfix_get(p, "milter_default_action"), *protocol = postfix_get(p, "milter_protocol");
    bool keep = keeps_mail_out(action), six = is_any(protocol, "6", NULL);
    if (keep)
        harden_note(p->h,
                    "milter_default_action = %s stays, for assay-milter too: while it is away, mail does not come "
                    "in unjudged",
                    action);
    else if (!is_any(action, "tempfail", NULL))
        harden_note(p->h, "milter_default_action = %s stays for the other filters; assay-milter's entry says tempfail",
                    action);
    if (!six)
        harden_note(p->h, "milter_protocol = %s stays for the other filters; assay-milter's entry says 6", protocol);
    /* Said in the entry, it holds for each listener, whatever its line of master.cf says. */
    if (keep && !differs(p, "milter_default_action"))
        action = "";
    else if (!keep)
        action = "tempfail";
    if (six && !differs(p, "milter_protocol"))
        protocol = "";
    if (!*action && !*protocol)
        return socket;
    return arena_printf(p->h->arena, "{ %s%s%s%s }", socket, *action ? ", default_action=" : "", action,
                        *protocol ? ", protocol=6" : "");
}

/* Tells whether an entry that asks us already does what our own would: at each listener, by its own settings or, where
 * no listener has others, by main.cf's; and at a socket that a listener outside of the chroot finds, too. */
static bool is_good_entry(struct postfix *p, struct slice entry, const char *socket)
{
    const char *action = postfix_entry_setting(p->h->arena, entry, "default_action"),
               *protocol = postfix_entry_setting(p->h->arena, entry, "protocol");
    if (!action && !differs(p, "milter_default_action"))
        action = postfix_get(p, "milter_default_action");
    if (!protocol && !differs(p, "milter_protocol"))
        protocol = postfix_get(p, "milter_protocol");
    const bool for_all = strncmp(socket, "unix:", 5) != 0 || socket[5] == '/';
    return (for_all || memmem(entry.p, entry.n, socket, strlen(socket))) && action && protocol &&
           (keeps_mail_out(action) || is_any(action, "tempfail", NULL)) && is_any(protocol, "6", NULL);
}

static size_t count_ours(struct postfix *p, const char *list)
{
    struct slice entry;
    size_t n = 0;
    for (const char *at = list; postfix_next_entry(&at, &entry);)
        n += postfix_is_ours(p, entry);
    return n;
}

static bool asks_well(struct postfix *p, const char *list, const char *socket)
{
    struct slice entry;
    for (const char *at = list; postfix_next_entry(&at, &entry);)
        if (postfix_is_ours(p, entry) && mta_asks_entry(p, "smtp/inet", entry, p->h->socket) &&
            is_good_entry(p, entry, socket))
            return true;
    return false;
}

/* An entry of ours that a parameter of the site's brings in: an entry beside it would ask twice, or leave one that
 * nobody answers. */
static bool is_by_parameter(struct postfix *p, const char *list)
{
    const char *full = strchr(list, '$') ? postfix_get(p, "smtpd_milters") : "";
    if (count_ours(p, full) <= count_ours(p, list))
        return false;
    harden_refuse(
        p->h,
        "smtpd_milters = %s asks assay-milter by way of a parameter, and not as the policy says (%s)\nwrite that "
        "parameter's value in smtpd_milters itself, and run this again",
        list, p->h->socket);
    return true;
}

static void edit_milters(struct postfix *p, const char *socket)
{
    const char *was = postfix_ask(p, "-h", "smtpd_milters"),
               *now = postfix_drop(p, socket); /* unexpanded: $variables stay */
    if (!now)
        return;
    if (was && !p->h->drop_count && !p->h->drop_policyd)
        postfix_follow(p, was);
    const bool same = was && strcmp(was, now) == 0;
    if (asks_well(p, now, socket) || (same && asks_well(p, postfix_get(p, "smtpd_milters"), socket))) {
        if (was && !same)
            postfix_edit(p, "smtpd_milters", now);
        return;
    }
    if (is_by_parameter(p, now))
        return;
    const char *rest = postfix_without_ours(p, now), *ours = our_entry(p, socket);
    rest = rest ? rest : now;
    postfix_edit(p, "smtpd_milters", *rest ? arena_printf(p->h->arena, "%s, %s", ours, rest) : ours);
    if (*rest)
        harden_note(p->h, "smtpd_milters: the filters that are there stay, and are asked after assay-milter: %s", rest);
}

/* Mail to a domain with an enforced MTA-STS policy waits for ever where Postfix knows no authority to check by. */
static void edit_ca(struct postfix *p)
{
    const char *set = postfix_get(p, "smtp_tls_CAfile");
    if (*set && !ca_store_is_good(set))
        harden_note(p->h,
                    "smtp_tls_CAfile = %s stays, but no authority in it can be used: mail to domains with an enforced "
                    "MTA-STS policy waits",
                    set);
    if (*set || *postfix_get(p, "smtp_tls_CApath") || is_any(postfix_get(p, "tls_append_default_CA"), "yes", NULL))
        return;
    const char *file = ca_store_find();
    if (file)
        postfix_edit(p, "smtp_tls_CAfile", file);
    else
        harden_note(p->h,
                    "Postfix knows no certificate authorities (smtp_tls_CAfile), and this host has no list of them "
                    "that verifies: mail to domains with an enforced MTA-STS policy waits; install "
                    "ca-certificates, then run this again");
}

/* With an anonymous cipher (up to TLS 1.2) a server shows no certificate; `assay check` advises against them
 * (tls-anonymous). Postfix reads a list with commas, colons or blanks between (postconf(5)). */
static void edit_ciphers(struct postfix *p)
{
    const char *now = postfix_explicit(p, false, "smtpd_tls_exclude_ciphers");
    for (const char *at = postfix_get(p, "smtpd_tls_exclude_ciphers"); *(at += strspn(at, ", \t\n:"));) {
        const struct slice cipher = slice_of(at, strcspn(at, ", \t\n:"));
        if (slice_eq(cipher, slice_str("aNULL")))
            return;
        at += cipher.n;
    }
    postfix_edit(p, "smtpd_tls_exclude_ciphers", now && *now ? arena_printf(p->h->arena, "%s, aNULL", now) : "aNULL");
}

/* "none" is the name of no file: Postfix then has anonymous ciphers alone (postconf(5), smtpd_tls_cert_file). Without
 * them no session could begin. */
static bool has_certificate(struct postfix *p)
{
    const char *file = postfix_get(p, "smtpd_tls_cert_file");
    return (*file && strcasecmp(file, "none") != 0) || *postfix_get(p, "smtpd_tls_eccert_file") ||
           *postfix_get(p, "smtpd_tls_chain_files");
}

static void edit_rest(struct postfix *p)
{
    if (is_any(postfix_get(p, "smtpd_forbid_bare_newline"), "no", NULL))
        postfix_edit(p, "smtpd_forbid_bare_newline", "yes");
    const char *out = postfix_get(p, "smtp_tls_security_level");
    if (is_any(out, "", "none") || is_any(out, "may", NULL))
        postfix_edit(p, "smtp_tls_security_level", "dane");
    if (!is_any(postfix_get(p, "smtp_dns_support_level"), "dnssec", NULL))
        postfix_edit(p, "smtp_dns_support_level", "dnssec");
    edit_ca(p);
    const char *in = postfix_get(p, "smtpd_tls_security_level");
    const bool certified = has_certificate(p);
    if (certified)
        edit_ciphers(p);
    if (is_any(in, "", "none") && certified)
        postfix_edit(p, "smtpd_tls_security_level", "may");
    else if (is_any(in, "", "none"))
        harden_note(p->h,
                    "Postfix has no certificate: mail to this host stays unencrypted until smtpd_tls_cert_file is set");
}

static bool asks_us(struct postfix *p, const char *service, const char *list)
{
    struct slice entry;
    for (const char *at = list; postfix_next_entry(&at, &entry);)
        if (mta_asks_entry(p, service, entry, p->h->socket))
            return true;
    return false;
}

/* A socket with our name that is not the policy's: an earlier one of ours, or another assay-milter. */
static bool asks_a_namesake(struct postfix *p, const struct postfix_service *service, const char *list)
{
    struct slice entry;
    for (const char *at = list; postfix_next_entry(&at, &entry);) {
        if (!postfix_is_ours(p, entry))
            continue;
        harden_note(p->h,
                    "master.cf: %s asks %.*s (-o smtpd_milters), where the assay-milter of %s does not listen: if no "
                    "other does, mail that comes in there is deferred",
                    service->name, SLICE_ARG(entry), p->h->policy_path);
        return true;
    }
    return false;
}

/* Listeners of master.cf that will not ask us, after what is proposed: by their own settings (-o). */
static void look_at_master(struct postfix *p)
{
    struct postfix_service *services = arena_alloc(p->h->arena, POSTFIX_SERVICES * sizeof *services);
    const size_t n = services ? postfix_services(p, "smtpd", services) : 0;
    for (size_t i = 0; i < n; i++) {
        struct postfix_value v[] = {
            {"smtpd_milters", NULL}, {"receive_override_options", NULL}, {"smtpd_proxy_filter", NULL}};
        if (!services[i].option_count || !postfix_values(p, &services[i], v, 3))
            continue;
        const bool asks = v[0].text && asks_us(p, services[i].name, v[0].text),
                   off = v[1].text && strstr(v[1].text, "no_milters");
        if (asks && !off && v[2].text && *v[2].text)
            harden_note(p->h,
                        "master.cf: %s has a smtpd_proxy_filter, which takes the message away before any milter sees "
                        "it: use content_filter or a milter there",
                        services[i].name);
        if (asks && !off)
            continue;
        if (!off && v[0].text && asks_a_namesake(p, &services[i], v[0].text))
            continue;
        harden_note(p->h, "master.cf: %s does not ask assay-milter (-o %s%s): mail that comes in there is not judged",
                    services[i].name,
                    off ? "receive_override_options=no_milters" : "smtpd_milters=", off || !v[0].text ? "" : v[0].text);
    }
}

/* Mail by SMTP from this host and its networks is judged like any other, unless the policy says whose they are.
 * Postfix's mynetworks also lets them relay, and is often wider than it should be; so it is not taken over, but shown
 * as the line to write. */
static void note_own_networks(struct postfix *p)
{
    const struct mta_networks n = mta_networks_unknown(p->h->arena, p->h->policy, postfix_get(p, "mynetworks"));
    if (*n.here || *n.others)
        harden_note(
            p->h,
            "Postfix's mynetworks is not read: mail by SMTP from these networks, this host too, is judged as mail "
            "from outside; if all that comes from there is yours, add to %s%s%s%s: own network %s%s%s",
            p->h->policy_path, *n.left_out ? " (without " : "", n.left_out,
            *n.left_out ? ", which mynetworks leaves out)" : "", n.here, *n.here && *n.others ? ", " : "", n.others);
    if (*n.unread)
        harden_note(p->h,
                    "Postfix's mynetworks also has %s, which is not looked up here: if hosts of yours are named "
                    "there, add them to %s as own network",
                    n.unread, p->h->policy_path);
    if (*n.open)
        harden_note(p->h, "Postfix relays for everybody: mynetworks has %s", n.open);
}

/* Why Postfix's settings change: those set here, and those that an old filter is taken out of. */
static void say_why(struct postfix *p)
{
    static const struct harden_reason why[] = {
        {"smtpd_forbid_bare_newline",
         "only CR LF . CR LF ends a mail: nobody smuggles a second, unjudged mail in (SMTP smuggling)"},
        {"smtp_tls_security_level",
         "mail going out is encrypted where the other host can; always, and checked, where it publishes DANE"},
        {"smtp_dns_support_level", "DANE needs answers that are validated by DNSSEC"},
        {"smtp_tls_CAfile", "the authorities that MTA-STS checks by; without them that mail would wait"},
        {"smtpd_tls_security_level", "TLS is offered to whoever sends to this host, and required of nobody"},
        {"smtpd_tls_exclude_ciphers",
         "no anonymous ciphers: with them a server shows no certificate, and an impostor cannot be told from it"},
        {"smtp_tls_policy_maps", "assay-outgoing says how each domain's mail must be protected (DANE, MTA-STS)"},
    };
    for (size_t i = 0; i < p->count; i++) {
        const size_t n = strcspn(p->edits[i], "=");
        const char *name = arena_copy(p->h->arena, p->edits[i], n),
                   *text = "the old filter, whose work assay-milter does, is asked no more";
        if (name && strcmp(name, "smtpd_milters") == 0)
            text = strstr(p->edits[i], "default_action=tempfail")
                       ? "assay-milter judges each mail first; while it does not run, mail waits (tempfail)"
                       : "assay-milter judges each mail first";
        for (size_t k = 0; name && k < sizeof why / sizeof *why; k++)
            if (strcmp(name, why[k].name) == 0)
                text = why[k].text;
        harden_reason(p->h, name, text);
    }
    for (size_t i = 0; i < p->master_count; i++)
        harden_reason(p->h, arena_copy(p->h->arena, p->master[i], strcspn(p->master[i], "=")),
                      "this listener asks assay-milter, or an old filter no more");
}

/* postmulti(1): instances beside the one that is changed. */
static void note_instances(struct postfix *p)
{
    const char *directories = postfix_get(p, "multi_instance_directories");
    if (*directories && !p->h->postfix_dir)
        harden_note(p->h, "Postfix has other instances, which stay as they are: %s; harden --postfix DIR, for each",
                    directories);
}

void harden_postfix(struct harden *h)
{
    struct postfix p = {.h = h};
    const char *dir = postfix_instance(h);
    if (!dir)
        return;
    h->found_mta = true;
    p.original = dir;
    if (look_at_files(h, dir) && postfix_open(&p)) {
        const char *proxy = postfix_get(&p, "smtpd_proxy_filter");
        const char *socket = *proxy ? NULL : socket_for(&p);
        if (*proxy)
            harden_refuse(h,
                          "smtpd_proxy_filter=%s takes the message away before any milter sees it\nmove that filter to "
                          "content_filter or to a milter first",
                          proxy);
        if (socket) {
            edit_milters(&p, socket);
            edit_rest(&p);
            edit_policy_maps(&p);
            postfix_propose(&p, "-e", p.edits, p.count, "main.cf");
            postfix_propose(&p, "-P", p.master, p.master_count, "master.cf");
            say_why(&p);
            look_at_master(&p);
            note_own_networks(&p);
            note_instances(&p);
            /* The milter must listen before Postfix asks. */
            if (h->socket_is_new || (p.count + p.master_count && !postfix_is_served(h, h->socket)))
                harden_reload_by(h, "systemctl restart assay-milter");
            if (p.count + p.master_count)
                harden_reload_by(h, postfix_reload_command(h, dir));
        }
    }
    postfix_close(&p);
}
