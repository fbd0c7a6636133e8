// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_mta.c - checks that Postfix and Sendmail ask the milter, and have the settings that mail security needs.
 *
 * Postfix is asked by its own postconf; Sendmail's configuration is read as it is. Settings that hide mail from every
 * milter (a content filter before it, which makes all mail seem to come from loopback) are reported too. Changes
 * nothing: that is `assay harden`.
 */
#include "cli/doctor/doctor.h"
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

#define MAX_VALUES 24
#define MAX_CF (4 * 1024 * 1024)

struct value {
    const char *name, *text; /* text: "" when it is set to nothing, NULL when Postfix does not know it */
};

/* Fills in the texts from postconf's lines, "name = value". */
static void read_values(char *lines, struct value *v, size_t count)
{
    char *save = NULL;
    for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *equals = strchr(line, '=');
        if (!equals)
            continue;
        *equals = '\0';
        struct slice name = slice_trim(slice_str(line)), text = slice_trim(slice_str(equals + 1));
        for (size_t i = 0; i < count; i++)
            if (slice_eq(name, slice_str(v[i].name)))
                v[i].text = text.n ? text.p : "";
    }
}

static bool ask_postconf(struct doctor *d, struct value *v, size_t count)
{
    const char *argv[MAX_VALUES + 3] = {"postconf", "-x"}; /* with $names expanded */
    for (size_t i = 0; i < count && i < MAX_VALUES; i++)
        argv[i + 2] = v[i].name;
    const char *out = doctor_run(d, argv, NULL);
    char *lines = out ? arena_strdup(d->arena, out) : NULL;
    if (!lines)
        return false;
    read_values(lines, v, count);
    return true;
}

static const char *value_of(const struct value *v, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(v[i].name, name) == 0)
            return v[i].text ? v[i].text : "";
    return "";
}

/* Where smtpd_milters asks assay-milter at a socket that it answers at: main.cf if it does, else the first service of
 * master.cf; NULL: nowhere. */
static const char *smtpd_asks(const struct mta_ask *asks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (asks[i].socket && strncmp(asks[i].where, "smtpd_milters", 13) == 0)
            return asks[i].where;
    return NULL;
}

/* The first smtpd of master.cf that has no smtpd_milters of its own (-o), so that main.cf's counts; NULL: none. */
static const char *smtpd_without_its_own(struct doctor *d)
{
    const char *const argv[] = {"postconf", "-M", NULL};
    const char *out = doctor_run(d, argv, NULL);
    char *lines = out ? arena_strdup(d->arena, out) : NULL, *save = NULL;
    for (char *line = lines ? strtok_r(lines, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
        char name[128], type[16], program[64];
        if (sscanf(line, "%127s %15s %*s %*s %*s %*s %*s %63s", name, type, program) != 3 ||
            strcmp(type, "inet") != 0 || strcmp(program, "smtpd") != 0)
            continue;
        const char *service = arena_printf(d->arena, "%s/inet", name),
                   *own = service ? arena_printf(d->arena, "%s/smtpd_milters", service) : NULL;
        const char *const ask[] = {"postconf", "-P", own, NULL};
        const char *value = own ? doctor_run(d, ask, NULL) : NULL;
        if (!value || !*value)
            return service;
    }
    return NULL;
}

/* Whether Postfix asks assay-milter about what comes in by SMTP: by main.cf, or by every smtpd's own setting. */
static void judge_asked(struct doctor *d)
{
    struct mta_ask *asks = arena_alloc(d->arena, MTA_ASKS_MOST * sizeof *asks);
    const char *socket = doctor_setting(d, SETTING_MILTER_SOCKET, "unix:/run/assay/milter.sock");
    if (!asks || !d->policy) {
        doctor_say(d, DOCTOR_UNKNOWN, "whether Postfix asks assay-milter: without a policy its socket is not known");
        return;
    }
    const size_t n = mta_asks(d->arena, d->policy, MTA_ASKS_MILTER, asks);
    const char *elsewhere = mta_asks_elsewhere(d->arena, d->policy, MTA_ASKS_MILTER);
    const char *where = smtpd_asks(asks, n);
    const bool everywhere = where && strcmp(where, "smtpd_milters of main.cf") == 0;
    const char *without = where && !everywhere ? smtpd_without_its_own(d) : NULL;
    if (elsewhere)
        doctor_say(d, DOCTOR_CRITICAL, "%s\nassay harden puts both right; then systemctl restart assay-milter",
                   elsewhere);
    else if (everywhere)
        doctor_say(d, DOCTOR_OK, "Postfix asks assay-milter");
    else if (where && !without)
        doctor_say(d, DOCTOR_OK, "Postfix asks assay-milter (%s)", where);
    else
        doctor_say(d, DOCTOR_CRITICAL,
                   "smtpd_milters%s%s does not name %s: mail is not judged\nassay harden puts it there",
                   without ? " of " : "", without ? without : "", socket);
}

/* What holds while assay-milter is away, and in which protocol it is asked: by each entry that asks it, whose own
 * settings win over main.cf's. Those are the other filters', too, and are not to be changed for ours. */
static void judge_entries(struct doctor *d)
{
    struct mta_ask *asks = arena_alloc(d->arena, MTA_ASKS_MOST * sizeof *asks);
    const size_t n = asks && d->policy ? mta_asks(d->arena, d->policy, MTA_ASKS_MILTER, asks) : 0;
    for (size_t i = 0; i < n; i++) {
        const char *remedy = strcmp(asks[i].where, "smtpd_milters of main.cf") == 0
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

static void judge_filters(struct doctor *d, const struct value *v, size_t n)
{
    const char *proxy = value_of(v, n, "smtpd_proxy_filter"), *content = value_of(v, n, "content_filter");
    if (*proxy)
        doctor_say(d, DOCTOR_CRITICAL,
                   "smtpd_proxy_filter=%s: the milter sees neither header nor body of this mail\nuse content_filter, "
                   "or a milter, instead",
                   proxy);
    if (*content)
        doctor_say(d, DOCTOR_WARNING,
                   "content_filter=%s: mail that comes back from it seems to come from this host\n"
                   "set no smtpd_milters on the listener it comes back to, or call that listener unjudged in the "
                   "policy, so that mail "
                   "is judged once, on arrival",
                   content);
}

static void judge_tls_settings(struct doctor *d, const struct value *v, size_t n)
{
    const char *in = value_of(v, n, "smtpd_tls_security_level"), *out = value_of(v, n, "smtp_tls_security_level");
    const char *newline = value_of(v, n, "smtpd_forbid_bare_newline"), *dns = value_of(v, n, "smtp_dns_support_level");
    if (!*in || strcmp(in, "none") == 0)
        doctor_say(
            d, DOCTOR_WARNING,
            "mail to this host cannot be encrypted\nget a certificate, then postconf -e smtpd_tls_security_level=may");
    if (strcmp(out, "dane") != 0 && strcmp(out, "dane-only") != 0)
        doctor_say(
            d, DOCTOR_WARNING,
            "outgoing mail does not use DANE\npostconf -e smtp_tls_security_level=dane smtp_dns_support_level=dnssec");
    else if (strcmp(dns, "dnssec") != 0)
        doctor_say(d, DOCTOR_WARNING,
                   "smtp_tls_security_level=%s without effect: Postfix does not ask for DNSSEC\npostconf -e "
                   "smtp_dns_support_level=dnssec",
                   out);
    else
        doctor_say(d, DOCTOR_OK,
                   "outgoing mail uses DANE where a domain has it (smtp_tls_security_level=%s, with DNSSEC)", out);
    if (strcmp(newline, "no") == 0)
        doctor_say(
            d, DOCTOR_WARNING,
            "SMTP smuggling is possible: lines may end in a bare newline\npostconf -e smtpd_forbid_bare_newline=yes");
}

/* Postfix ends a field at a NUL when it hands it to a milter: what follows it is delivered, and no milter sees it.
 * (Sendmail refuses such mail by itself.) Whoever signs for a domain of his own can hide another author behind it. Both
 * remedies refuse or change mail, so that `assay harden` sets neither, and a host in dry-run is only told: a hole is
 * worth a warning where the policy refuses mail. */
static void judge_nul(struct doctor *d, const struct value *v, size_t n)
{
    if (strstr(value_of(v, n, "message_reject_characters"), "\\0") ||
        strstr(value_of(v, n, "message_strip_characters"), "\\0"))
        return;
    bool enforces = d->policy && policy_set_is(d->policy, SETTING_MODE, "enforce");
    doctor_say(
        d, enforces ? DOCTOR_WARNING : DOCTOR_NOTE,
        "Postfix hands no milter what stands behind a NUL in a header field, and delivers it: another author can "
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
        doctor_say(d, DOCTOR_CRITICAL,
                   "%s asks %s how mail going out must be protected, and nobody serves it (%s): outgoing mail "
                   "waits\nsystemctl enable --now assay-outgoing, and look at its log",
                   ask->where, path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return served;
}

/* What assay-outgoing answers at and what Postfix asks must be the same, in main.cf and in each service of master.cf: a
 * map that nobody answers keeps all outgoing mail. */
static void judge_outgoing(struct doctor *d)
{
    struct mta_ask *asks = arena_alloc(d->arena, MTA_ASKS_MOST * sizeof *asks);
    const char *sockets[2];
    if (!asks || !d->policy)
        return;
    const size_t n = mta_asks(d->arena, d->policy, MTA_ASKS_TLS_POLICY, asks);
    const char *elsewhere = mta_asks_elsewhere(d->arena, d->policy, MTA_ASKS_TLS_POLICY);
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

void doctor_postfix(struct doctor *d)
{
    struct value v[] = {
        {"smtp_tls_CAfile", NULL},
        {"smtp_tls_CApath", NULL},
        {"tls_append_default_CA", NULL},
        {"smtpd_milters", NULL},
        {"queue_directory", NULL},
        {"smtpd_proxy_filter", NULL},
        {"content_filter", NULL},
        {"smtpd_tls_security_level", NULL},
        {"smtp_tls_security_level", NULL},
        {"message_reject_characters", NULL},
        {"message_strip_characters", NULL},
        {"smtp_dns_support_level", NULL},
        {"smtpd_forbid_bare_newline", NULL},
        {"smtp_tls_policy_maps", NULL},
        {"milter_content_timeout", NULL},
        {"milter_command_timeout", NULL},
        {"mynetworks", NULL},
    };
    size_t n = sizeof v / sizeof v[0];
    if (!ask_postconf(d, v, n)) {
        doctor_say(d, DOCTOR_NOTE, "no Postfix here (postconf gives no answer)");
        return;
    }
    judge_asked(d);
    judge_entries(d);
    doctor_smtpd_chroot(d, value_of(v, n, "smtpd_milters"), value_of(v, n, "queue_directory"));
    doctor_smtpd_waits(d, value_of(v, n, "milter_content_timeout"), value_of(v, n, "milter_command_timeout"));
    doctor_smtpd_networks(d, value_of(v, n, "mynetworks"));
    judge_filters(d, v, n);
    judge_tls_settings(d, v, n);
    judge_nul(d, v, n);
    judge_outgoing(d);
    doctor_smtp(d, &(struct doctor_smtp_settings){.maps = value_of(v, n, "smtp_tls_policy_maps"),
                                                  .file = value_of(v, n, "smtp_tls_CAfile"),
                                                  .folder = value_of(v, n, "smtp_tls_CApath"),
                                                  .append = value_of(v, n, "tls_append_default_CA"),
                                                  .queue = value_of(v, n, "queue_directory")});
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
