// SPDX-License-Identifier: BSD-2-Clause
/*
 * combinations.c - settings that are right by themselves, and do not work without another one, or beside it.
 *
 * Promises errors only for what cannot work on any host. A snapshot is not looked at: it was in force, and a program
 * that runs without reports or seals is better than none.
 */
#include "base/inet_name.h"
#include "base/ip.h"
#include "policy/load.h"
#include "policy/mta_socket.h"
#include "policy/policy_settings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

static bool setting_is_set(const struct loader *ld, enum setting_id id)
{
    return *policy_set_text(ld->p, id) != '\0';
}

/* Where the policy sets it. false: it does not, and the default holds. */
static bool place_of(const struct loader *ld, enum setting_id id, struct place *at)
{
    const uint32_t item = ld->p->settings[id].item;
    if (item)
        item_place_word(&ld->p->items[item - 1], ld->p->items[item - 1].who_word, at);
    return item != 0;
}

/* An error at `of` if the other setting is empty. */
static void needs(struct loader *ld, enum setting_id of, enum setting_id other, const char *help)
{
    struct place at = {0};
    if (!setting_is_set(ld, other) && (place_of(ld, of, &at) || place_of(ld, other, &at)))
        loader_error(ld, &at, help, "%s %s does nothing without %s", policy_setting_name(of),
                     policy_set_text(ld->p, of), policy_setting_name(other));
}

static void check_seals(struct loader *ld)
{
    if (policy_set_is(ld->p, SETTING_ARC_SEAL, "no"))
        return;
    needs(ld, SETTING_ARC_SEAL, SETTING_ARC_SEAL_DOMAIN,
          "set arc.seal-domain: the domain in whose name mail is sealed");
    needs(ld, SETTING_ARC_SEAL, SETTING_ARC_SEAL_SELECTOR,
          "set arc.seal-selector: the public key stands at SELECTOR._domainkey.DOMAIN");
    needs(ld, SETTING_ARC_SEAL, SETTING_ARC_SEAL_KEY, "set arc.seal-key: the file of the private key");
}

/* Reports are made if both addresses are set. */
static void check_reports(struct loader *ld)
{
    const enum setting_id there =
                              setting_is_set(ld, SETTING_REPORT_FROM) ? SETTING_REPORT_FROM : SETTING_REPORT_CONTACT,
                          other = there == SETTING_REPORT_FROM ? SETTING_REPORT_CONTACT : SETTING_REPORT_FROM;
    struct place at = {0};
    if (!setting_is_set(ld, there))
        return;
    if (!setting_is_set(ld, other)) {
        if (place_of(ld, there, &at))
            loader_warn(ld, &at, "set both, or neither", "no DMARC reports are sent: %s is set, and %s is not",
                        policy_setting_name(there), policy_setting_name(other));
        return;
    }
    if (setting_is_set(ld, SETTING_REPORT_DKIM_KEY))
        needs(ld, SETTING_REPORT_DKIM_KEY, SETTING_REPORT_DKIM_SELECTOR,
              "set report.dkim-selector: the public key stands at SELECTOR._domainkey.DOMAIN");
    if (!setting_is_set(ld, SETTING_REPORT_SMTP) && !setting_is_set(ld, SETTING_REPORT_SENDMAIL) &&
        place_of(ld, SETTING_REPORT_SENDMAIL, &at)) /* but assay ledger dmarc-reports --to writes them into files */
        loader_warn(ld, &at, "leave the line out, or set report.smtp",
                    "DMARC reports are not sent: report.sendmail is empty, and report.smtp, too");
    else if (setting_is_set(ld, SETTING_REPORT_SMTP_LOGIN) &&
             policy_set_is(ld->p, SETTING_REPORT_SMTP_TLS, "opportunistic") &&
             place_of(ld, SETTING_REPORT_SMTP_TLS, &at))
        loader_warn(ld, &at, "set report.smtp-tls required",
                    "DMARC reports are not sent: a password, as report.smtp-login has it, is sent only to a server "
                    "whose certificate is checked");
}

/* ---- sockets ---- */

/* The address of an inet socket's host in one form: "" every address, else an address or a name. */
static void host_in_one_form(const struct inet_name *n, char out[sizeof n->host])
{
    struct ip ip;
    char text[IP_TEXT];
    const char *form = n->host;
    if (ip_from_text(slice_str(n->host), &ip) == STATUS_OK)
        form = ip_text(&ip, text);
    if (strcmp(form, "0.0.0.0") == 0 || strcmp(form, "::") == 0)
        form = "";
    if (strcasecmp(form, "localhost") == 0)
        form = n->family == AF_INET6 ? "::1" : "127.0.0.1";
    snprintf(out, sizeof n->host, "%s", form);
}

enum clash { NO_CLASH, CLASH_OF_FAMILIES, CLASH };

/* Whether both can be opened. Paths are in one form; an inet socket without a host, or of 0.0.0.0, takes the port at
 * every address of its family, and one of IPv6 that of IPv4, too, unless the host has net.ipv6.bindv6only=1. */
static enum clash clash_of(const char *a, const char *b)
{
    struct inet_name one, two;
    char host_one[sizeof one.host], host_two[sizeof two.host];
    if (strcmp(a, b) == 0)
        return CLASH;
    if (!inet_name_read(a, &one) || !inet_name_read(b, &two) || strcmp(one.port, two.port) != 0)
        return NO_CLASH;
    host_in_one_form(&one, host_one);
    host_in_one_form(&two, host_two);
    if (one.family != two.family)
        return *(one.family == AF_INET6 ? host_one : host_two) ? NO_CLASH : CLASH_OF_FAMILIES;
    return !*host_one || !*host_two || strcasecmp(host_one, host_two) == 0 ? CLASH : NO_CLASH;
}

struct opened {
    enum setting_id id;
    const char *socket; /* NULL: none */
    bool by_harden;     /* opened because the MTA asks there, besides what the policy sets */
};

static void check_pair(struct loader *ld, const struct opened *a, const struct opened *b)
{
    struct place at = {0};
    const enum clash clash = a->socket && b->socket ? clash_of(a->socket, b->socket) : NO_CLASH;
    if (!clash || !*a->socket ||
        !((!b->by_harden && place_of(ld, b->id, &at)) || (!a->by_harden && place_of(ld, a->id, &at))))
        return;
    if (clash == CLASH_OF_FAMILIES)
        loader_warn(ld, &at, "give each its own port",
                    "%s is at all addresses, those of IPv4 with them, unless the host "
                    "has net.ipv6.bindv6only=1: %s and %s cannot both be opened",
                    strncmp(a->socket, "inet6", 5) == 0 ? a->socket : b->socket, a->socket, b->socket);
    else
        loader_error(ld, &at, "give each its own", "%s%s and %s%s are the same socket: %s", policy_setting_name(a->id),
                     a->by_harden ? " (as `assay harden` set it)" : "", policy_setting_name(b->id),
                     b->by_harden ? " (as `assay harden` set it)" : "", b->socket);
}

/* Two programs, or two protocols, cannot share a socket. */
static void check_sockets(struct loader *ld)
{
    const struct policy *p = ld->p;
    const struct opened all[] = {
        {SETTING_MILTER_SOCKET, policy_set_text(p, SETTING_MILTER_SOCKET), false},
        {SETTING_MILTER_SOCKET, p->mta_socket, true},
        {SETTING_POSTFIX_POLICY_SOCKET, policy_set_text(p, SETTING_POSTFIX_POLICY_SOCKET), false},
        {SETTING_POSTFIX_TLS_POLICY_SOCKET, policy_set_text(p, SETTING_POSTFIX_TLS_POLICY_SOCKET), false},
        {SETTING_POSTFIX_TLS_POLICY_SOCKET, p->mta_tls_policy_socket, true},
    };
    const size_t found = ld->errors;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t k = i + 1; k < sizeof all / sizeof *all && ld->errors == found; k++)
            if (all[i].id != all[k].id) /* one program opens both, or finds that they are one */
                check_pair(ld, &all[i], &all[k]);
}

/* assay-milter opens its unix socket under a longer name, and renames it. */
static void check_length(struct loader *ld)
{
    const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - 1 - strlen(MTA_SOCKET_NEW);
    const char *socket = policy_set_text(ld->p, SETTING_MILTER_SOCKET);
    struct place at = {0};
    if (strncmp(socket, "unix:", 5) == 0 && strlen(socket + 5) > most && place_of(ld, SETTING_MILTER_SOCKET, &at))
        loader_error(ld, &at, "choose a shorter path",
                     "the path of milter.socket has %zu octets; at most %zu can be opened", strlen(socket + 5), most);
}

void loader_combinations(struct loader *ld)
{
    if (ld->snapshot || ld->errors) /* a value that is not valid is not there, and its setting seems to be missing */
        return;
    check_seals(ld);
    check_reports(ld);
    check_sockets(ld);
    check_length(ld);
}
