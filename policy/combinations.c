// SPDX-License-Identifier: BSD-2-Clause
/*
 * combinations.c - settings that are right by themselves, and do not work without another one, or beside it.
 *
 * Promises errors only for what cannot work on any host. A snapshot is not looked at: it was in force, and a program
 * that runs without reports or seals is better than none.
 */
#include "policy/load.h"
#include "policy/policy_settings.h"

static bool has(const struct loader *ld, enum setting_id id)
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
    if (!has(ld, other) && (place_of(ld, of, &at) || place_of(ld, other, &at)))
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
    const enum setting_id there = has(ld, SETTING_REPORT_FROM) ? SETTING_REPORT_FROM : SETTING_REPORT_CONTACT,
                          other = there == SETTING_REPORT_FROM ? SETTING_REPORT_CONTACT : SETTING_REPORT_FROM;
    struct place at = {0};
    if (!has(ld, there))
        return;
    if (!has(ld, other)) {
        if (place_of(ld, there, &at))
            loader_warn(ld, &at, "set both, or neither", "no DMARC reports are sent: %s is set, and %s is not",
                        policy_setting_name(there), policy_setting_name(other));
        return;
    }
    if (has(ld, SETTING_REPORT_DKIM_KEY))
        needs(ld, SETTING_REPORT_DKIM_KEY, SETTING_REPORT_DKIM_SELECTOR,
              "set report.dkim-selector: the public key stands at SELECTOR._domainkey.DOMAIN");
    if (!has(ld, SETTING_REPORT_SMTP) && !has(ld, SETTING_REPORT_SENDMAIL) &&
        place_of(ld, SETTING_REPORT_SENDMAIL, &at)) /* but assay ledger dmarc-reports --to writes them into files */
        loader_warn(ld, &at, "leave the line out, or set report.smtp",
                    "DMARC reports are not sent: report.sendmail is empty, and report.smtp, too");
    else if (has(ld, SETTING_REPORT_SMTP_LOGIN) && policy_set_is(ld->p, SETTING_REPORT_SMTP_TLS, "opportunistic") &&
             place_of(ld, SETTING_REPORT_SMTP_TLS, &at))
        loader_warn(ld, &at, "set report.smtp-tls required",
                    "DMARC reports are not sent: a password, as report.smtp-login has it, is sent only to a server "
                    "whose certificate is checked");
}

/* Two programs, or two protocols, cannot share a socket. */
static void check_sockets(struct loader *ld)
{
    static const enum setting_id ids[] = {SETTING_MILTER_SOCKET, SETTING_POSTFIX_POLICY_SOCKET,
                                          SETTING_POSTFIX_TLS_POLICY_SOCKET};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        for (size_t k = i + 1; k < sizeof ids / sizeof *ids; k++) {
            struct place at = {0};
            if (has(ld, ids[i]) && policy_set_is(ld->p, ids[i], policy_set_text(ld->p, ids[k])) &&
                (place_of(ld, ids[k], &at) || place_of(ld, ids[i], &at)))
                loader_error(ld, &at, "give each its own", "%s and %s are the same socket: %s",
                             policy_setting_name(ids[i]), policy_setting_name(ids[k]), policy_set_text(ld->p, ids[k]));
        }
}

void loader_combinations(struct loader *ld)
{
    if (ld->snapshot || ld->errors) /* a value that is not valid is not there, and its setting seems to be missing */
        return;
    check_seals(ld);
    check_reports(ld);
    check_sockets(ld);
}
