// SPDX-License-Identifier: BSD-2-Clause
/*
 * verify_print.c - a judged message for people: who sent it, what each standard found and on which evidence, how the
 * policy came to its verdict, and what the sender would be told.
 *
 * Everything a sender or its DNS wrote is shown with base/utf8.h's escapes. Writes into a buffer; cannot fail but by
 * its mark.
 */
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/verify/verify.h"
#include "judge/relay.h"
#include "judge/reply.h"
#include "judge/stamp.h"
#include "standards/dkim/dkim_canonical.h"

#define LABEL 16

static void put_text(struct buf *out, const char *text)
{
    utf8_add_visible(out, slice_str(text ? text : ""));
}

static void heading(struct buf *out, const char *text)
{
    buf_printf(out, "\n%s%s%s\n", cli_colour(stdout, CLI_BOLD), text, cli_colour(stdout, CLI_PLAIN));
}

static void label(struct buf *out, const char *name)
{
    buf_printf(out, "%-*s", LABEL, name);
}

static const char *result_colour(enum result r)
{
    return cli_colour(stdout, r == RESULT_PASS                            ? CLI_GREEN
                              : r == RESULT_FAIL || r == RESULT_PERMERROR ? CLI_RED
                              : r == RESULT_NONE                          ? CLI_PLAIN
                                                                          : CLI_YELLOW);
}

static const char *action_colour(enum policy_action a)
{
    return cli_colour(stdout, a <= POLICY_TAG ? CLI_GREEN : a == POLICY_REJECT ? CLI_RED : CLI_YELLOW);
}

static const char *security_word(enum dns_security s)
{
    static const char *const words[] = {
        [DNS_UNKNOWN] = "", [DNS_INSECURE] = "unsigned", [DNS_SECURE] = "DNSSEC secure", [DNS_BROKEN] = "DNSSEC bogus"};
    return words[s];
}

/* "  dkim   pass   shop.example: why   [DNSSEC secure]" */
static void finding(struct buf *out, const char *standard, enum result r, const char *subject, const char *reason,
                    enum dns_security s)
{
    const char *word = security_word(s);

    buf_printf(out, "  %-14s %s%-9s%s ", standard, result_colour(r), result_name(r), cli_colour(stdout, CLI_PLAIN));
    put_text(out, subject);
    if (subject && *subject && reason && *reason)
        buf_adds(out, ": ");
    put_text(out, reason);
    if (*word)
        buf_printf(out, "  [%s]", word);
    buf_addc(out, '\n');
}

static void detail(struct buf *out, const char *what, const char *text)
{
    buf_printf(out, "  %-14s   %-8s ", "", what);
    put_text(out, text);
    buf_addc(out, '\n');
}

static void put_envelope(struct buf *out, struct judge *j, const struct verify_guess *g, const char *name)
{
    const struct judge_mail *m = judge_mail(j);
    const struct format_finding *f = &judge_report(j)->format;
    char text[IP_TEXT], time_text[CLOCK_TEXT];

    label(out, "Message");
    put_text(out, name);
    buf_addc(out, '\n');
    label(out, "From");
    for (size_t i = 0; i < f->from_count && i < 4; i++) {
        buf_adds(out, i ? ", " : "");
        utf8_add_visible(out, f->from[i].local);
        buf_printf(out, "@%s", f->from[i].domain ? f->from[i].domain : "?");
    }
    buf_printf(out, "%s\n", f->from_domain ? "" : "(no single author)");
    label(out, "MAIL FROM");
    put_text(out, m->mail_from_text ? m->mail_from_text : "(not known)");
    buf_adds(out, m->mail_from_bad ? "  (not an address by RFC 5321)\n"
                  : g->from        ? "  (from the Return-Path field)\n"
                                   : "\n");
    label(out, "Client");
    buf_printf(out, "%s, HELO ", m->client.family ? ip_text(&m->client, text) : "(not known)");
    put_text(out, m->helo ? m->helo : "(not known)");
    buf_adds(out, g->ip ? "  (from the Received field)\n" : "\n");
    if (judge_relay(j)) {
        label(out, "Relay");
        buf_printf(out, "%s; the client is ", ip_text(&m->peer, text));
        put_text(out, judge_relay(j)->reason);
        buf_addc(out, '\n');
    }
    label(out, "Source");
    buf_printf(out, "%s\n", judge_source_name(m->source));
    label(out, "Judged as of");
    buf_printf(out, "%s\n", clock_utc_text(m->at, time_text));
}

static void put_spf(struct buf *out, const struct spf_finding *f, const char *what)
{
    finding(out, what, f->result, f->domain, f->reason, f->security);
    for (size_t i = 0; i < f->record_count; i++) {
        buf_printf(out, "  %-14s   %-8s ", "", "record");
        put_text(out, f->records[i].domain);
        buf_adds(out, "  ");
        utf8_add_visible(out, f->records[i].text);
        buf_addc(out, '\n');
    }
    if (f->plus_all)
        detail(out, "note", "the record lets everybody send (+all)");
    else if (f->authorised_v4)
        buf_printf(out, "  %-14s   %-8s %llu IPv4 addresses may send; %u of 10 look-ups used\n", "", "range",
                   (unsigned long long)f->authorised_v4, f->terms);
    if (f->explanation)
        detail(out, "its words", f->explanation);
}

static void put_dkim(struct buf *out, const struct judge_report *r)
{
    if (r->dkim_count == 0)
        finding(out, "dkim", RESULT_NONE, NULL, "no signature", DNS_UNKNOWN);
    for (size_t i = 0; i < r->dkim_count; i++) {
        const struct dkim_signature *d = &r->dkim[i];
        finding(out, "dkim", d->result, d->domain, d->reason, d->security);
        buf_printf(out, "  %-14s   %-8s selector %s, %s, %s, %u bits%s%s%s%s%s\n", "", "signature",
                   d->selector ? d->selector : "?", d->algorithm, d->canonicalization, d->key_bits,
                   d->weak_key ? ", weak key" : "", d->testing ? ", testing" : "",
                   d->oversigned_from ? ", From oversigned" : "",
                   d->body_partly_unsigned ? ", BODY PARTLY UNSIGNED" : "",
                   d->counts ? "" : "; does not count for DMARC");
        if (d->result == RESULT_FAIL)
            detail(out, "hashes",
                   d->header_hash_ok ? "the header is as signed, the body is not"
                   : d->body_hash_ok ? "the body is as signed, the header is not"
                                     : "neither header nor body is as signed");
    }
}

static void put_arc(struct buf *out, const struct arc_finding *a)
{
    finding(out, "arc", a->result, NULL, a->reason, a->security);
    for (unsigned i = 0; a->sets && i < a->instance_count; i++)
        buf_printf(out, "  %-14s   set %-4u sealed by %s (%s), it says spf=%s dkim=%s dmarc=%s\n", "",
                   a->sets[i].instance, a->sets[i].sealer ? a->sets[i].sealer : "?", result_name(a->sets[i].seal),
                   result_name(a->sets[i].spf), result_name(a->sets[i].dkim), result_name(a->sets[i].dmarc));
}

/* The names of the bits that are set, if there are any. */
static void put_bits(struct buf *out, const char *what, unsigned bits, const char *(*name)(unsigned bit))
{
    if (!bits)
        return;
    buf_printf(out, "  %-14s   %-8s", "", what);
    for (unsigned bit = 1; bit && bit <= bits; bit <<= 1)
        if (bits & bit)
            buf_printf(out, " %s", name(bit));
    buf_addc(out, '\n');
}

static void put_dmarc(struct buf *out, const struct judge_report *r)
{
    static const char *const words[] = {[DMARC_UNALIGNED] = "not aligned",
                                        [DMARC_ALIGNED] = "aligned",
                                        [DMARC_ALIGNMENT_UNKNOWN] = "alignment not known now"};
    const struct dmarc_finding *d = &r->dmarc;

    finding(out, "dmarc", d->result, d->domain, d->reason, d->security);
    for (size_t i = 0; r->author_count > 1 && i < r->author_count; i++)
        buf_printf(out, "  %-14s   %-8s %s: %s, %s\n", "", "author",
                   r->authors[i].domain ? r->authors[i].domain : "no domain", result_name(r->authors[i].dmarc.result),
                   r->authors[i].dmarc.reason);
    for (size_t i = 0; i < r->identifier_count && i < d->aligned_count; i++)
        buf_printf(out, "  %-14s   %-8s %s: %s, %s%s\n", "", r->identifiers[i].kind == DMARC_SPF ? "by spf" : "by dkim",
                   r->identifiers[i].domain ? r->identifiers[i].domain : "?", result_name(r->identifiers[i].result),
                   words[d->aligned[i].alignment], d->aligned[i].passes ? ": this one makes the pass" : "");
    if (d->record)
        buf_printf(out, "  %-14s   %-8s %s=%s of %s, applied: %s%s\n", "", "policy", *d->tag ? d->tag : "p",
                   dmarc_policy_name(d->published), d->record_domain, dmarc_policy_name(d->policy),
                   d->testing ? " (t=y: the owner is testing)" : "");
    if (d->org_domain)
        detail(out, "org", d->org_domain);
    if (r->dmarc_compared) {
        const struct dmarc_finding *walked = &r->dmarc_by_walk;
        buf_printf(
            out,
            "  %-14s   %-8s the above by the public suffix list (RFC 7489); by the tree walk (RFC 9989): %s, org %s\n",
            "", "compared", result_name(walked->result), walked->org_domain ? walked->org_domain : "not known");
    }
    if (d->walk) {
        struct buf walk = BUF_INIT;
        dmarc_walk_describe(d->walk, &walk);
        for (const char *p = walk.p; *p;) {
            size_t n = strcspn(p, "\n");
            buf_printf(out, "  %-14s   %-8s %.*s\n", "", p == walk.p ? "walk" : "", (int)n, p);
            p += n + (p[n] == '\n');
        }
        buf_release(&walk);
    }
}

static void put_findings(struct buf *out, struct judge *j)
{
    const struct judge_report *r = judge_report(j);
    const struct facts *f = &r->facts;
    char text[IP_TEXT];

    heading(out, "What the standards say");
    finding(out, "message-format", f->format, NULL, f->format_reason, DNS_UNKNOWN);
    put_bits(out, "flaws", r->format.flaws, format_flaw_name);
    put_bits(out, "remarks", r->format.remarks, format_remark_name);
    if (!r->judged) {
        buf_printf(out, "  mail from there (%s) is not judged by its sender's names\n", judge_source_name(f->source));
        return;
    }
    put_spf(out, &r->spf, "spf");
    if (!f->null_sender)
        put_spf(out, &r->helo, "spf of HELO");
    put_dkim(out, r);
    put_arc(out, &r->arc);
    put_dmarc(out, r);
    finding(out, "tls", f->tls.result, NULL, f->tls.weak ? f->tls.weak : f->tls.words, DNS_UNKNOWN);
    for (size_t i = 0; i < f->dnssec_count; i++)
        finding(out, "dnssec", dns_security_result(f->dnssec[i].security), NULL, f->dnssec[i].reason, DNS_UNKNOWN);
    for (size_t i = 0; i < f->dane_count; i++)
        finding(out, "dane", f->dane[i].posture, f->dane[i].domain, f->dane[i].reason, DNS_UNKNOWN);
    if (judge_mail(j)->client.family)
        finding(out, "rdns", r->rdns.result, ip_text(&judge_mail(j)->client, text), r->rdns.reason, r->rdns.security);
}

static void put_lookups(struct buf *out, struct judge *j)
{
    const struct dns_answer *a;

    if (!judge_scope(j))
        return;
    heading(out, "DNS answers used");
    for (size_t i = 0; (a = dns_trace(judge_scope(j), i)) != NULL; i++) {
        buf_printf(out, "  %-5s ", dns_type_name(a->type));
        put_text(out, a->name);
        buf_printf(out, "  %s%s%s", dns_state_name(a->state), *security_word(a->security) ? ", " : "",
                   security_word(a->security));
        if (a->why) {
            buf_adds(out, ": ");
            put_text(out, a->why);
        }
        buf_addc(out, '\n');
    }
}

static void put_statement(struct buf *out, const char *what, const struct policy_statement *s)
{
    if (!s)
        return;
    buf_printf(out, "             %s%s (", what, s->id);
    put_text(out, s->file);
    buf_printf(out, ":%u): ", s->line);
    put_text(out, s->text);
    if (s->because) {
        buf_adds(out, "  because \"");
        put_text(out, s->because);
        buf_adds(out, "\"");
    }
    buf_addc(out, '\n');
}

static void put_line(struct buf *out, const struct verdict_line *l)
{
    buf_printf(out, "  %s%-10s%s %s", action_colour(l->action), policy_action_name(l->action),
               cli_colour(stdout, CLI_PLAIN), verdict_line_name(l));
    if (l->subject)
        buf_printf(out, " of %s", l->subject);
    buf_printf(out, ": %s; the policy's level is %s%s. ", result_name(l->result), policy_level_name(l->level),
               l->trial ? ", on trial" : "");
    put_text(out, l->reason);
    buf_addc(out, '\n');
    put_statement(out, "by ", l->statement);
    put_statement(out, "exempt by ", l->exemption);
    put_statement(out, "exemption that has ended: ", l->expired);
    put_statement(out, "trusted by ", l->trust);
    if (l->signal)
        buf_printf(out, "             ground to reject besides p=reject: %s\n", l->signal);
    if (l->override)
        buf_printf(out, "             the owner's policy is overridden (%s): %s\n", verdict_override_name(l->override),
                   l->comment ? l->comment : "");
}

static void put_reply(struct buf *out, struct judge *j, const struct verdict *v)
{
    struct verdict as_if = *v;
    struct reply r;

    if (v->would < POLICY_DEFER)
        return;
    as_if.action = v->would; /* what would be said without dry-run */
    if (reply_for(judge_arena(j), &as_if, judge_policy(j), judge_authserv_id(j), &r) != STATUS_OK)
        return;
    buf_adds(out, "  The sender is told:\n");
    for (size_t i = 0; i < r.count; i++)
        buf_printf(out, "             %s%s%s %s\n", r.code, i + 1 < r.count ? "-" : " ", r.enhanced, r.lines[i]);
}

static void put_verdict(struct buf *out, struct judge *j, const struct class_of_rcpts *c)
{
    const struct verdict *v = &c->verdict;
    char title[64];

    snprintf(title, sizeof title, "Verdict%s", c->rcpt_count > 1 ? " for these recipients" : "");
    heading(out, title);
    buf_printf(out, "  %s%s%s", action_colour(v->would), policy_action_name(v->would), cli_colour(stdout, CLI_PLAIN));
    if (v->held_back) {
        buf_printf(out, ", held back (");
        put_text(out, v->held_back);
        buf_printf(out, "): %s", policy_action_name(v->action));
    }
    if (c->rcpt) {
        buf_adds(out, ", for ");
        put_text(out, c->rcpt);
        if (c->rcpt_count > 1)
            buf_printf(out, " and %zu more", c->rcpt_count - 1);
    }
    buf_printf(out, ", by policy %s\n", v->policy_hash);
    for (size_t i = 0; i < v->line_count; i++)
        put_line(out, &v->lines[i]);
    put_reply(out, j, v);
}

static void put_octets(void *context, const char *p, size_t n)
{
    buf_add(context, p, n);
}

/* Fields added and removed, and every field as DKIM's relaxed form has it (RFC 6376 3.4.2): what a signer would have
 * hashed. */
static void put_header(struct buf *out, struct judge *j, const struct verdict *v)
{
    const struct header_list *list = &judge_mail(j)->headers;
    struct stamp stamp;

    heading(out, "Header fields added");
    if (stamp_make(j, v, &stamp) == STATUS_OK)
        for (size_t i = 0; i < stamp.count; i++)
            buf_printf(out, "  %s: %s\n", stamp.fields[i].name, stamp.fields[i].value);
    heading(out, "Header as received, in DKIM's relaxed form");
    for (size_t i = 0; i < list->count; i++) {
        struct buf line = BUF_INIT;
        struct dkim_canonical c = {.sink = put_octets, .context = &line};
        dkim_canonical_field(&c, list->fields[i].name, list->fields[i].value, SLICE_NULL, true, false);
        dkim_canonical_flush(&c);
        const bool goes =
            stamp_is_forged(j, &list->fields[i]) || (stamp.marks && header_is(&list->fields[i], stamp.mark));
        buf_adds(out, goes ? "  (removed) " : "  ");
        utf8_add_visible(out, buf_slice(&line));
        buf_addc(out, '\n');
        buf_release(&line);
    }
}

void verify_print(struct buf *out, struct judge *j, const struct classes *c, const struct verify_options *o,
                  const struct verify_guess *g, const char *name)
{
    put_envelope(out, j, g, name);
    put_findings(out, j);
    put_lookups(out, j);
    if (o->header)
        put_header(out, j, &c->list[0].verdict);
    for (size_t i = 0; i < c->count; i++)
        put_verdict(out, j, &c->list[i]);
    if (!c->agree)
        buf_printf(out,
                   "\n  The recipients' policies differ: the mail would be put off once (451) and taken in parts.\n");
}

void verify_print_brief(struct buf *out, struct judge *j, const struct classes *c, const char *name)
{
    const struct verdict *v = &c->list[c->severest].verdict;
    const struct verdict_line *l = verdict_would_line(v);
    const char *from = judge_report(j)->format.from_domain;

    buf_printf(out, "%s%-10s%s ", action_colour(v->would), policy_action_name(v->would), cli_colour(stdout, CLI_PLAIN));
    put_text(out, name);
    buf_printf(out, "  %s  dmarc=%s", from ? from : "(no author)",
               judge_report(j)->judged ? result_name(judge_report(j)->dmarc.result) : "-");
    if (l) {
        buf_printf(out, "  %s: ", l->statement ? l->statement->id : "default");
        put_text(out, l->reason);
    }
    buf_addc(out, '\n');
}
