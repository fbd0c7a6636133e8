// SPDX-License-Identifier: BSD-2-Clause
/*
 * facts.c - turns the engines' findings into the facts that the verdict is computed from.
 *
 * Decides nothing: each fact is a value of a finding, or follows from findings by the text of a standard.
 * facts_authors.c fills in what is known about the authors. Failure: STATUS_NOMEM.
 */
#include "judge/bounce.h"
#include "judge/checks.h"
#include "judge/posture.h"
#include "judge/session_tls.h"
#include "standards/message/header.h"

#define LIMIT_TEXT_(n) #n
#define LIMIT_TEXT(n) LIMIT_TEXT_(n)

/* Tells whether an SPF pass shows who sent the mail: the settings accept the record, and it does not let half the
 * internet send. */
static bool spf_proves(const struct judge *j, const struct spf_finding *f)
{
    return checks_spf_counts(j, f) && !f->plus_all && f->authorised_v4 < UINT64_C(1) << 31 &&
           f->authorised_v6 < UINT64_C(1) << 60;
}

/* The forwarders that this mail is proved to have come through, see facts.h. A name in HELO is no proof, not even with
 * the null sender. An ARC set is believed only if the content is unchanged since it was sealed, and the sealer saw
 * DMARC pass for this very From domain. */
static enum status fill_forwarders(struct judge *j, struct facts *f)
{
    const struct judge_report *r = &j->report;
    struct facts_forwarder *list =
        ARENA_ARRAY(j->arena, struct facts_forwarder, r->arc.instance_count + r->dkim_count + 1);
    size_t n = 0;

    if (!list)
        return STATUS_NOMEM;
    for (unsigned i = 0; r->arc.counts && r->arc.sets && i < r->arc.instance_count; i++) {
        const struct arc_set *set = &r->arc.sets[i];
        const bool unchanged = i == 0 || set->instance >= r->arc.oldest_pass;
        if (unchanged && set->sealer && set->dmarc == RESULT_PASS && f->from &&
            (!set->dmarc_from || strcmp(set->dmarc_from, f->from) == 0))
            list[n++] = (struct facts_forwarder){set->sealer, "its ARC seal"};
    }
    for (size_t i = 0; i < r->dkim_count; i++)
        if (r->dkim[i].counts && r->dkim[i].domain)
            list[n++] = (struct facts_forwarder){r->dkim[i].domain, "its DKIM signature"};
    if (r->spf.result == RESULT_PASS && r->spf.domain && !f->null_sender && spf_proves(j, &r->spf))
        list[n++] = (struct facts_forwarder){r->spf.domain, "SPF"};
    f->forwarders = list;
    f->forwarder_count = n;
    return STATUS_OK;
}

enum status facts_fill_early(struct judge *j)
{
    struct facts *f = &j->report.facts;
    const struct judge_mail *m = &j->mail;

    f->source = m->source;
    f->listener = m->daemon;
    f->client = m->client;
    f->client_hidden = m->client_hidden || m->client.family == 0;
    f->mail_from = m->mail_from.domain;
    f->helo = m->helo_domain;
    f->null_sender = m->null_sender;
    f->tls.version = session_tls_version(m->tls.version);
    f->tls.weak = f->tls.version ? session_tls_weakness(m->tls.cipher, m->tls.bits) : NULL;
    f->tls.result = !f->tls.version ? RESULT_NONE : f->tls.weak ? RESULT_POLICY : RESULT_PASS;
    f->tls.words = f->tls.version ? arena_texts(j->arena, m->tls.version, " with ",
                                                m->tls.cipher ? m->tls.cipher : "an unknown cipher")
                                  : "no TLS";
    return f->tls.words ? STATUS_OK : STATUS_NOMEM;
}

/* The message-format finding; a MAIL FROM that is not an address counts in it. */
static void fill_format(struct judge *j, struct facts *f)
{
    f->format = j->report.format.result;
    f->format_reason = j->report.format.reason;
    if (j->mail.mail_from.notes & MAILBOX_ODD_ADDRESS)
        j->report.format.remarks |= FORMAT_REMARK_ODD_SENDER;
    if (j->mail.mail_from_bad) {
        f->format = RESULT_FAIL;
        f->format_reason = "MAIL FROM is not an address (RFC 5321 4.1.2)";
    }
}

enum status facts_fill(struct judge *j)
{
    struct facts *f = &j->report.facts;
    const struct judge_report *r = &j->report;
    enum status s = facts_fill_early(j);

    f->from = r->format.from_domain;
    fill_format(j, f);
    if (j->mail.headers.over_limit)
        f->over_limit = "the header section is larger than we read (" LIMIT_TEXT(LIMIT_HEADER_FIELDS) " fields, 1 MiB)";
    if (j->mail.headers.blind)
        f->unseen = "the header section holds more than we look at for its authors (" LIMIT_TEXT(
            HEADER_DECIDING_FIELDS) " fields beyond the limit, 1 MiB)";
    else if (r->format.many_authors)
        f->unseen = "the From field may be taken to name more than " LIMIT_TEXT(FORMAT_DOMAINS_MAX) " domains";
    if (s != STATUS_OK || !r->judged)
        return s;
    f->notification = bounce_is_notification(&j->mail.headers);
    f->spf.result = r->spf.result;
    f->spf.domain = r->spf.domain;
    f->spf.reason = r->spf.reason;
    f->spf.limit = r->spf_limit;
    f->arc = r->arc.result;
    f->arc_reason = r->arc.reason;
    f->rdns = r->rdns.result;
    f->rdns_reason = r->rdns.reason;
    f->rdns_limit = r->rdns_limit;
    s = facts_fill_authors(j);
    if (s == STATUS_OK)
        s = fill_forwarders(j, f);
    return s == STATUS_OK ? posture_fill(j) : s;
}
