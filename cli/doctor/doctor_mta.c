// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_mta.c - checks that Postfix and Sendmail ask the milter, and have the settings that mail security needs.
 *
 * Postfix is asked by its own postconf; Sendmail's configuration is read as it is. Settings that hide mail from every
 * milter (a content filter before it, which makes all mail seem to come from loopback) are reported too. Changes
 * nothing: that is `assay harden`.
 */
#include "cli/doctor/doctor.h"
#include <stdlib.h>
#include "base/buf.h"
#include "cli/harden/mta_asks.h"
#include "cli/harden/sendmail_cf.h"
#include "net/dial.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <string.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_CF (4 * 1024 * 1024)

/* Where smtpd_milters asks assay-milter at a socket that it answers at: main.cf if it does, else the first service of
 * master.cf; NULL: nowhere. */
static const char *smtpd_asks(const struct mta_ask *asks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (asks[i].socket && strncmp(asks[i].where, "smtpd_milters", 13) == 0)
            return asks[i].where;
    return NULL;
}

/* Those of `not` that take mail from other hosts, or all others: "submission/inet, 127.0.0.1:10025/inet"; "": none. */
static const char *names_of(struct doctor *d, const struct postfix_service *all, size_t count, const bool * not,
                            bool public)
{
    const char *names = "";
    for (size_t i = 0; names && i < count; i++)
        if (not[i] && postfix_service_is_public(&all[i], all, count) == public)
            names = arena_printf(d->arena, "%s%s%s", names, *names ? ", " : "", all[i].name);
    return names ? names : "";
}

/* Whether Postfix asks assay-milter about what comes in by SMTP: each service of smtpd does, or those do not where no
 * mail from outside comes in. */
static void judge_asked(struct doctor *d, struct postfix *p, const struct postfix_service *services, size_t count,
                        const bool * not)
{
    struct mta_ask *asks = arena_alloc(d->arena, MTA_ASKS_MOST * sizeof *asks);
    const char *socket = doctor_setting(d, SETTING_MILTER_SOCKET, "unix:/run/assay/milter.sock");
    if (!asks || !d->policy) {
        doctor_say(d, DOCTOR_UNKNOWN, "whether Postfix asks assay-milter: without a policy its socket is not known");
        return;
    }
    const size_t n = mta_asks(p, d->policy, MTA_ASKS_MILTER, asks);
    const char *elsewhere = mta_asks_elsewhere(p, d->policy, MTA_ASKS_MILTER), *where = smtpd_asks(asks, n);
    const char *open = names_of(d, services, count, not, true), *others = names_of(d, services, count, not, false);
    const bool main_asks = where && strcmp(where, "smtpd_milters of main.cf") == 0;
    if (elsewhere)
        doctor_say(d, DOCTOR_CRITICAL, "%s\nassay harden puts both right; then systemctl restart assay-milter",
                   elsewhere);
    else if (!where)
        doctor_say(d, DOCTOR_CRITICAL, "smtpd_milters does not name %s: mail is not judged\nassay harden puts it there",
                   socket);
    else if (*open)
        doctor_say(d, DOCTOR_CRITICAL, "%s (master.cf) does not ask assay-milter: its mail is not judged\n%s", open,
                   main_asks ? "take its -o smtpd_milters, and no_milters of its -o receive_override_options, out of "
                               "master.cf"
                             : "assay harden puts it into smtpd_milters of main.cf");
    else
        doctor_say(d, DOCTOR_OK, "Postfix asks assay-milter%s%s%s%s%s", main_asks ? "" : " (", main_asks ? "" : where,
                   main_asks ? "" : ")", *others ? "; mail is not judged that comes in at " : "", others);
}

/* What holds while assay-milter is away, and in which protocol it is asked: by each entry that asks it, whose own
 * settings win over main.cf's. Those are the other filters', too, and are not to be changed for ours. */
static void judge_entries(struct doctor *d, struct postfix *p)
{
    struct mta_ask *asks = arena_alloc(d->arena, MTA_ASKS_MOST * sizeof *asks);
    const size_t n = asks && d->policy ? mta_asks(p, d->policy, MTA_ASKS_MILTER, asks) : 0;
    for (size_t i = 0; i < n; i++) {
        const char *remedy = asks[i].is_own
                                 ? "say so in the entry that this service uses, or take its -o out of master.cf"
                             : strcmp(asks[i].where, "smtpd_milters of main.cf") == 0
                                 ? "assay harden says so in this entry, and leaves the other filters as they are"
                                 : "say so in this entry alone";
        if (strcmp(asks[i].action, "accept") == 0)
            doctor_say(d, DOCTOR_WARNING,
                       "%s: default_action is accept for %s: while the milter is away, mail comes in unjudged\n{ %s, "
                       "default_action=tempfail }: %s",
                       asks[i].where, asks[i].entry, asks[i].entry, remedy);
        if (strcmp(asks[i].protocol, "6") != 0)
            doctor_say(d, DOCTOR_WARNING, "%s: the protocol of %s is %s\n{ %s, protocol=6 }: %s", asks[i].where,
                       asks[i].entry, *asks[i].protocol ? asks[i].protocol : "not set", asks[i].entry, remedy);
    }
}

/* The settings that a part looks at. */
struct view {
    const char *where; /* "": main.cf's; of a service that has others, "submission/inet (master.cf): " */
    struct postfix_value v[4];
    size_t n;
    const char *unjudged; /* listeners that only this host reaches, where nothing is judged; "": none, or not all */
};

static const char *view_value(const struct view *w, const char *name)
{
    return postfix_value(w->v, w->n, name);
}

static void judge_filters(struct doctor *d, const struct view *w)
{
    const char *proxy = view_value(w, "smtpd_proxy_filter"), *content = view_value(w, "content_filter");
    if (*proxy)
        doctor_say(d, DOCTOR_CRITICAL,
                   "%ssmtpd_proxy_filter=%s: the milter sees neither header nor body of this mail\nuse content_filter, "
                   "or a milter, instead",
                   w->where, proxy);
    if (*content && *w->unjudged)
        doctor_say(d, DOCTOR_OK, "%scontent_filter=%s: mail that comes back from it, at %s, is not judged again",
                   w->where, content, w->unjudged);
    else if (*content)
        doctor_say(d, DOCTOR_WARNING,
                   "%scontent_filter=%s: mail that comes back from it seems to come from this host\n"
                   "set no smtpd_milters on the listener it comes back to, or call that listener unjudged in the "
                   "policy, so that mail "
                   "is judged once, on arrival",
                   w->where, content);
}

static void look_at_waits(struct doctor *d, const struct view *w)
{
    doctor_smtpd_waits(d, w->where, view_value(w, "milter_content_timeout"), view_value(w, "milter_command_timeout"));
}

static void judge_encryption(struct doctor *d, const struct view *w)
{
    const char *in = view_value(w, "smtpd_tls_security_level");
    if ((!*in || strcmp(in, "none") == 0) && strcmp(view_value(w, "smtpd_tls_wrappermode"), "yes") != 0)
        doctor_say(d, DOCTOR_WARNING,
                   "%smail to this host cannot be encrypted\nget a certificate, then postconf -e "
                   "smtpd_tls_security_level=may%s",
                   w->where, *w->where ? "; and take the -o out of master.cf" : "");
}

static void judge_line_ends(struct doctor *d, const struct view *w)
{
    if (strcmp(view_value(w, "smtpd_forbid_bare_newline"), "no") == 0)
        doctor_say(d, DOCTOR_WARNING, "%sSMTP smuggling is possible: lines may end in a bare newline\n%s", w->where,
                   *w->where ? "take -o smtpd_forbid_bare_newline out of master.cf"
                             : "assay harden sets it right; or: postconf -e smtpd_forbid_bare_newline=yes");
}

/* What each smtpd makes of settings that its line of master.cf may change. */
static const struct {
    void (*judge)(struct doctor *d, const struct view *w);
    const char *names[4];
    bool from_outside; /* of no account where only this host can connect */
} parts[] = {
    {look_at_waits, {"milter_content_timeout", "milter_command_timeout"}, false},
    {judge_filters, {"smtpd_proxy_filter", "content_filter"}, false},
    {judge_encryption, {"smtpd_tls_security_level", "smtpd_tls_wrappermode"}, true},
    {judge_line_ends, {"smtpd_forbid_bare_newline"}, true},
};

/* The listeners that only this host reaches, if none of them is judged: a content filter gives mail back there. */
static const char *all_unjudged(struct doctor *d, const struct postfix_service *services, size_t count,
                                const bool * not)
{
    const char *names = "";
    for (size_t i = 0; d->policy && names && i < count; i++) {
        if (!postfix_is_loopback(services[i].name))
            continue;
        if (!not[i])
            return "";
        names = arena_printf(d->arena, "%s%s%s", names, *names ? ", " : "", services[i].name);
    }
    return names ? names : "";
}

/* Judges main.cf's values if a service uses them or there is none, and those of each service that has others. */
static void judge_part(struct doctor *d, struct postfix *p, size_t part, const struct postfix_service *services,
                       size_t count, const char *unjudged)
{
    struct view common = {.where = "", .unjudged = unjudged}, own = common;
    bool used = count == 0;
    for (; common.n < 4 && parts[part].names[common.n]; own.n = ++common.n)
        common.v[common.n].name = own.v[common.n].name = parts[part].names[common.n];
    postfix_values(p, NULL, common.v, common.n);
    for (size_t i = 0; i < count; i++) {
        const bool asked = services[i].option_count && postfix_values(p, &services[i], own.v, own.n);
        own.where = arena_printf(d->arena, "%s (master.cf): ", services[i].name);
        if (!asked || postfix_values_are_same(common.v, own.v, own.n))
            used = true;
        else if (own.where && (!parts[part].from_outside || !postfix_is_loopback(services[i].name)))
            parts[part].judge(d, &own);
    }
    if (used)
        parts[part].judge(d, &common);
}

/* Tells whether no mail leaves without encryption at this level (postconf(5)). dane would allow that. */
static bool demands_encryption(const char *level)
{
    static const char *const levels[] = {"encrypt", "verify", "secure", "fingerprint"};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(level, levels[i]) == 0)
            return true;
    return false;
}

static void judge_outgoing_tls(struct doctor *d, const struct postfix_value *v, size_t n)
{
    const char *out = postfix_value(v, n, "smtp_tls_security_level"),
               *dns = postfix_value(v, n, "smtp_dns_support_level");
    if (demands_encryption(out))
        doctor_say(
            d, DOCTOR_NOTE,
            "outgoing mail is sent encrypted or not at all (smtp_tls_security_level=%s), without DANE\n"
            "this is right for a smarthost (relayhost), and assay harden does not change it. If mail goes to each "
            "recipient's own server: dane also sends to servers without encryption, and checks those that publish DANE",
            out);
    else if (strcmp(out, "dane") != 0 && strcmp(out, "dane-only") != 0)
        doctor_say(
            d, DOCTOR_WARNING,
            "outgoing mail does not use DANE\nassay harden sets it right; or: postconf -e smtp_tls_security_level=dane "
            "smtp_dns_support_level=dnssec");
    else if (strcmp(dns, "dnssec") != 0)
        doctor_say(d, DOCTOR_WARNING,
                   "smtp_tls_security_level=%s without effect: Postfix does not ask for DNSSEC\npostconf -e "
                   "smtp_dns_support_level=dnssec",
                   out);
    else
        doctor_say(d, DOCTOR_OK,
                   "outgoing mail uses DANE where a domain has it (smtp_tls_security_level=%s, with DNSSEC)", out);
}

/* Postfix ends a field at a NUL when it hands it to a milter: what follows it is delivered, and no milter sees it.
 * (Sendmail refuses such mail by itself.) Whoever signs for a domain of his own can hide another author behind it. Both
 * remedies refuse or change mail, so that `assay harden` sets neither, and a host in dry-run is only told: a hole is
 * worth a warning where the policy refuses mail. */
static void judge_nul(struct doctor *d, const struct postfix_value *v, size_t n)
{
    if (strstr(postfix_value(v, n, "message_reject_characters"), "\\0") ||
        strstr(postfix_value(v, n, "message_strip_characters"), "\\0"))
        return;
    bool enforces = d->policy && policy_set_is(d->policy, SETTING_MODE, "enforce");
    doctor_say(d, enforces ? DOCTOR_WARNING : DOCTOR_NOTE,
               "Postfix passes to no milter what follows a NUL in a header field, but delivers it: another author can "
               "hide there. Such mail is malformed and rare%s\npostconf -e 'message_reject_characters = \\0' refuses "
               "such mail, message_strip_characters takes the NUL out; assay harden sets neither",
               enforces ? "" : "; once the policy enforces, this is a warning");
}

/* Tells whether somebody serves a socket that Postfix asks; says so if nobody does. */
static bool outgoing_is_served(struct doctor *d, const struct mta_ask *ask)
{
    const char *path = strncmp(ask->socket, "unix:", 5) == 0 ? ask->socket + 5 : ask->socket;

    if (*path != '/')
        return true;
    const int fd = dial_named(path, 0);
    const bool served = fd >= 0 || errno == EAGAIN || errno == ENAMETOOLONG || errno == EMFILE;
    if (!served)
        doctor_say(
            d, DOCTOR_CRITICAL,
            "%s asks %s how mail going out must be protected, and nobody serves it (%s): outgoing mail "
            "waits\nsystemctl enable assay-outgoing && systemctl restart assay-outgoing; its log says more: journalctl "
            "-u assay-outgoing",
            ask->where, path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return served;
}

/* What assay-outgoing answers at and what Postfix asks must be the same, in main.cf and in each service of master.cf: a
 * map that nobody answers keeps all outgoing mail. */
static void judge_outgoing(struct doctor *d, struct postfix *p)
{
    struct mta_ask *asks = arena_alloc(d->arena, MTA_ASKS_MOST * sizeof *asks);
    const char *sockets[2];
    if (!asks || !d->policy)
        return;
    const size_t n = mta_asks(p, d->policy, MTA_ASKS_TLS_POLICY, asks);
    const char *elsewhere = mta_asks_elsewhere(p, d->policy, MTA_ASKS_TLS_POLICY);
    bool served = n > 0 && !elsewhere, seen[2] = {false, false};
    mta_asks_sockets(d->policy, MTA_ASKS_TLS_POLICY, sockets);
    if (elsewhere)
        doctor_say(d, DOCTOR_CRITICAL,
                   sockets[0] ? "%s\nassay harden gives both the same socket; or set postfix.tls-policy-socket to it"
                              : "%s\nset postfix.tls-policy-socket in the policy: assay-outgoing then opens it",
                   elsewhere);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 2 && asks[i].socket; k++) {
            if (asks[i].socket != sockets[k] || seen[k])
                continue;
            seen[k] = true;
            served = outgoing_is_served(d, &asks[i]) && served;
        }
    if (served)
        doctor_say(d, DOCTOR_OK, "Postfix asks assay-outgoing how mail going out must be protected, and it answers");
    if (!n && sockets[0])
        doctor_say(
            d, DOCTOR_WARNING,
            "the policy sets postfix.tls-policy-socket %s, but Postfix does not ask it: no MTA-STS for outgoing mail\n"
            "assay harden puts it into smtp_tls_policy_maps, as Postfix writes it and can reach it",
            sockets[0]);
}

/* postmulti(1): instances beside the one that is looked at. */
static void judge_instances(struct doctor *d, const char *directories)
{
    if (*directories && !getenv("MAIL_CONFIG"))
        doctor_say(d, DOCTOR_NOTE,
                   "Postfix has other instances, which are not looked at: %s\nassay doctor --postfix DIR, for each",
                   directories);
}

void doctor_postfix(struct doctor *d)
{
    struct postfix_value v[] = {
        {"smtp_tls_CAfile", NULL},
        {"smtp_tls_CApath", NULL},
        {"tls_append_default_CA", NULL},
        {"queue_directory", NULL},
        {"smtp_tls_security_level", NULL},
        {"message_reject_characters", NULL},
        {"message_strip_characters", NULL},
        {"smtp_dns_support_level", NULL},
        {"smtp_tls_policy_maps", NULL},
        {"mynetworks", NULL},
        {"multi_instance_directories", NULL},
    };
    const size_t n = sizeof v / sizeof v[0];
    struct harden h = {.arena = d->arena, .root = "", .socket = ""};
    struct postfix p;
    bool not[POSTFIX_SERVICES] = {false}; /* does not ask assay-milter */
    struct postfix_service *services = arena_alloc(d->arena, POSTFIX_SERVICES * sizeof *services);
    if (!services || !postfix_find(&p, &h) || !postfix_values(&p, NULL, v, n)) {
        doctor_say(d, DOCTOR_NOTE, "no Postfix here (postconf gives no answer)");
        return;
    }
    judge_instances(d, postfix_value(v, n, "multi_instance_directories"));
    const size_t count = postfix_services(&p, "smtpd", services);
    for (size_t i = 0; d->policy && i < count; i++)
        not[i] = !mta_asks_at(&p, &services[i], d->policy);
    const char *unjudged = all_unjudged(d, services, count, not);
    judge_asked(d, &p, services, count, not);
    judge_entries(d, &p);
    doctor_smtpd_chroot(d, &p, services, count, postfix_value(v, n, "queue_directory"));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        judge_part(d, &p, i, services, count, unjudged);
    doctor_smtpd_networks(d, postfix_value(v, n, "mynetworks"));
    judge_outgoing_tls(d, v, n);
    judge_nul(d, v, n);
    judge_outgoing(d, &p);
    doctor_smtp(d, &(struct doctor_smtp_settings){.maps = postfix_value(v, n, "smtp_tls_policy_maps"),
                                                  .file = postfix_value(v, n, "smtp_tls_CAfile"),
                                                  .folder = postfix_value(v, n, "smtp_tls_CApath"),
                                                  .append = postfix_value(v, n, "tls_append_default_CA"),
                                                  .queue = postfix_value(v, n, "queue_directory")});
}

/* Judged by what sendmail.cf makes Sendmail do: the filter, the order, each listener. */
void doctor_sendmail(struct doctor *d)
{
    struct buf text = BUF_INIT;
    const char *socket = doctor_setting(d, SETTING_MILTER_SOCKET, NULL);
    char part[4096];
    FILE *f = fopen("/etc/mail/sendmail.cf", "re");
    if (!f) {
        doctor_say(d, DOCTOR_NOTE, "no Sendmail here (no /etc/mail/sendmail.cf)");
        return;
    }
    for (size_t n; text.n < MAX_CF && (n = fread(part, 1, sizeof part, f)) > 0;)
        buf_add(&text, part, n);
    fclose(f);
    const char *told = d->policy ? policy_mta_socket(d->policy) : NULL; /* listened at, too */
    struct sendmail_verdict v = sendmail_cf_judge(d->arena, buf_slice(&text), socket),
                            w = told ? sendmail_cf_judge(d->arena, buf_slice(&text), told) : v;
    if (!w.trouble)
        v = w;
    if (v.trouble)
        doctor_say(d, DOCTOR_CRITICAL, "sendmail.cf: %s\nassay harden puts it right, or says what stands in the way",
                   v.trouble);
    else
        doctor_say(d, DOCTOR_OK, "Sendmail asks assay-milter, and waits while it is away");
    buf_release(&text);
}
