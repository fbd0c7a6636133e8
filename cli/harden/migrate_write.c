// SPDX-License-Identifier: BSD-2-Clause
/*
 * migrate_write.c - writes the policy that asks for what opendmarc, opendkim and the SPF policy server asked for.
 *
 * Every statement stands below a comment that names file, line and option it comes from. What Assay cannot do is named
 * in a comment of the policy and on the terminal, never dropped silently; where the nearest statement would refuse mail
 * that they let through, it is written on trial. Statements that need an end (exempt, trust) get the longest there is,
 * since the old configuration has none, and say that nobody has agreed to them yet.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "cli/cli.h"
#include "cli/harden/migrate.h"
#include "policy/policy_settings.h"
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#define AGREED "agreed by \"nobody yet: carried over\""
#define TERM_DAYS 365

struct writer {
    struct migrate *m;
    struct buf *out;
    char through[16];
    bool acts; /* some statement acts: mode enforce */
};

/* Text of the old files in a comment or a string: what could end it becomes '?'. */
static void add_shown(struct buf *b, const char *text)
{
    for (; *text; text++)
        buf_addc(b, *text < ' ' || *text == '"' || *text == '\\' || *text > '~' ? '?' : *text);
}

/* "# /etc/opendmarc.conf:12: RejectFailures true", or what holds where it is not set. */
static void from(struct writer *w, enum migrate_program p, const char *name)
{
    const struct migrate_value *v = migrate_value(w->m, p, name);
    buf_adds(w->out, "\n# ");
    if (v) {
        add_shown(w->out, v->file);
        buf_printf(w->out, ":%u: %s ", v->line, v->option->name);
        add_shown(w->out, v->text);
    } else {
        buf_printf(w->out, "%s: %s is not set: %s", migrate_program_name(p), name, migrate_text(w->m, p, name));
    }
    buf_addc(w->out, '\n');
}

static bool value_exists(const struct writer *w, enum migrate_program p, const char *name)
{
    return migrate_value(w->m, p, name) != NULL;
}

/* A name of the old files as the policy takes it; NULL, and said, if it is none. */
static const char *domain_of(struct writer *w, const struct migrate_value *v, const char *name)
{
    char kept[LIMIT_DOMAIN + 1];
    if (domain_from_text(slice_str(name), kept) == STATUS_OK && strchr(kept, '.'))
        return arena_strdup(w->m->h->arena, kept);
    buf_printf(w->out, "# %s: left out, because it is not a domain: ", v->option->name);
    add_shown(w->out, name);
    buf_addc(w->out, '\n');
    harden_note(w->m->h, "%s:%u: %s: '%s' is not a domain, and is left out", v->file, v->line, v->option->name, name);
    return NULL;
}

/* One statement for each domain of an option: BEFORE domain AFTER. */
static bool each_domain(struct writer *w, enum migrate_program p, const char *name, const char *before,
                        const char *after)
{
    const struct migrate_value *v = migrate_value(w->m, p, name);
    struct migrate_set set;
    if (!v)
        return true;
    if (!migrate_entries(w->m, v, &set))
        return false;
    if (!set.name_count && !set.net_count)
        return true;
    from(w, p, name);
    for (size_t i = 0; i < set.name_count; i++) {
        const char *d = domain_of(w, v, set.names[i]);
        if (d)
            buf_printf(w->out, "%s%s%s\n", before, d, after);
    }
    if (set.net_count) {
        buf_printf(w->out, "# %s: addresses in it are left out: only domains are possible\n", name);
        harden_note(w->m->h, "%s:%u: %s: addresses are left out, because domains are expected", v->file, v->line, name);
    }
    return true;
}

static void trusts(struct writer *w, enum migrate_program p, const char *name)
{
    const char *after =
        arena_printf(w->m->h->arena, " as forwarder\n    because \"%s of %s, carried over\" " AGREED " through %s",
                     name, migrate_program_name(p), w->through);
    each_domain(w, p, name, "trust ", after ? after : "");
}

/* ---- whose mail is not judged ---- */

static bool within(const struct ip_net *n, const struct migrate_set *s)
{
    for (size_t i = 0; i < s->net_count; i++)
        if (n->bits >= s->nets[i].bits && ip_in_net(&n->base, &s->nets[i]))
            return true;
    return false;
}

/* Tells whether an equal network stands before entry i. */
static bool is_repeat(const struct migrate_set *s, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (s->nets[k].bits == s->nets[i].bits && ip_eq(&s->nets[k].base, &s->nets[i].base))
            return true;
    return false;
}

/* The networks of `s`: our own where `other` (NULL: nobody else judges) passes them over too; else exempt from one
 * standard. */
static void networks(struct writer *w, const struct migrate_set *s, const struct migrate_set *other,
                     const char *standard, const char *option)
{
    char text[IP_NET_TEXT];
    for (size_t i = 0; i < s->net_count; i++) {
        if (is_repeat(s, i))
            continue;
        ip_net_text(&s->nets[i], text);
        if (!other || ip_is_loopback(&s->nets[i].base) || within(&s->nets[i], other))
            buf_printf(w->out, "own network %s\n", text);
        else
            buf_printf(w->out,
                       "exempt everyone from %s via %s\n    because \"%s, carried over\" " AGREED " through %s\n",
                       standard, text, option, w->through);
    }
}

/* Hosts by name, and exclusions: `own network` knows addresses only. */
static void names_left_out(struct writer *w, const struct migrate_value *v, const struct migrate_set *s)
{
    for (size_t i = 0; i < s->name_count; i++) {
        buf_printf(w->out, "# %s: left out, write its addresses: ", v->option->name);
        add_shown(w->out, s->names[i]);
        buf_addc(w->out, '\n');
        harden_note(w->m->h, "%s:%u: %s: '%s' is left out: expected networks; write its addresses by 'own network'",
                    v->file, v->line, v->option->name, s->names[i]);
    }
}

static bool read_hosts(struct writer *w, enum migrate_program p, const char *name, struct migrate_set *set)
{
    const struct migrate_value *v = migrate_value(w->m, p, name);
    const struct migrate_option *none = NULL;
    struct migrate_value initial = {
        .option = none, .file = migrate_program_name(p), .text = migrate_text(w->m, p, name)};
    struct migrate_option as_list = {.program = p, .name = "its initial value"};
    initial.option = &as_list;
    return migrate_entries(w->m, v ? v : *initial.text ? &initial : NULL, set);
}

static void hosts(struct writer *w, enum migrate_program p, const char *name, const struct migrate_set *s,
                  const struct migrate_set *other, const char *standard)
{
    if (!s->net_count && !s->name_count)
        return;
    from(w, p, name);
    networks(w, s, other, standard, name);
    if (value_exists(w, p, name))
        names_left_out(w, migrate_value(w->m, p, name), s);
}

static bool sets_join(struct migrate *m, const struct migrate_set *a, const struct migrate_set *b,
                      struct migrate_set *out)
{
    *out = (struct migrate_set){.nets = ARENA_ARRAY(m->h->arena, struct ip_net, a->net_count + b->net_count + 1)};
    for (size_t i = 0; out->nets && i < a->net_count + b->net_count; i++)
        out->nets[out->net_count++] = i < a->net_count ? a->nets[i] : b->nets[i - a->net_count];
    return out->nets != NULL;
}

static bool write_hosts(struct writer *w)
{
    const bool dmarc = w->m->found[MIGRATE_OPENDMARC], spf = w->m->found[MIGRATE_POLICYD];
    struct migrate_set ignore = {0}, skip = {0}, white = {0}, both = {0}, internal = {0}, peers = {0};
    if (dmarc && !read_hosts(w, MIGRATE_OPENDMARC, "IgnoreHosts", &ignore))
        return false;
    if (spf && (!read_hosts(w, MIGRATE_POLICYD, "skip_addresses", &skip) ||
                !read_hosts(w, MIGRATE_POLICYD, "Whitelist", &white)))
        return false;
    if (!sets_join(w->m, &skip, &white, &both))
        return false;
    hosts(w, MIGRATE_OPENDMARC, "IgnoreHosts", &ignore, spf ? &both : NULL, "dmarc");
    hosts(w, MIGRATE_POLICYD, "skip_addresses", &skip, dmarc ? &ignore : NULL, "spf");
    hosts(w, MIGRATE_POLICYD, "Whitelist", &white, dmarc ? &ignore : NULL, "spf");
    if (dmarc || spf)
        return true;
    if (!read_hosts(w, MIGRATE_OPENDKIM, "InternalHosts", &internal) ||
        !read_hosts(w, MIGRATE_OPENDKIM, "PeerList", &peers))
        return false;
    hosts(w, MIGRATE_OPENDKIM, "InternalHosts", &internal, NULL, "dkim");
    hosts(w, MIGRATE_OPENDKIM, "PeerList", &peers, NULL, "dkim");
    return true;
}

/* ---- what is asked ---- */

static void write_dmarc(struct writer *w)
{
    if (!w->m->found[MIGRATE_OPENDMARC]) {
        buf_adds(w->out, "\n# opendmarc is not set up here\nrecord  dmarc  of everyone\n");
        return;
    }
    const bool rejects = migrate_switch(w->m, MIGRATE_OPENDMARC, "RejectFailures");
    from(w, MIGRATE_OPENDMARC, "RejectFailures");
    buf_printf(w->out, "%sfollow  dmarc as published  of everyone\n", rejects ? "" : "trial ");
    w->acts |= rejects;
    if (!migrate_switch(w->m, MIGRATE_OPENDMARC, "HoldQuarantinedMessages")) {
        from(w, MIGRATE_OPENDMARC, "HoldQuarantinedMessages");
        buf_adds(w->out, "# p=quarantine is delivered, and marked in Authentication-Results only. Without this line it "
                         "gets X-Spam-Flag.\n"
                         "set quarantine.header \"\"\n");
    }
    each_domain(w, MIGRATE_OPENDMARC, "IgnoreMailFrom", "ignore  dmarc  of only ", "");
    trusts(w, MIGRATE_OPENDMARC, "DomainWhitelist");
    trusts(w, MIGRATE_OPENDMARC, "DomainWhitelistFile");
    if (value_exists(w, MIGRATE_OPENDMARC, "PublicSuffixList")) {
        from(w, MIGRATE_OPENDMARC, "PublicSuffixList");
        buf_adds(w->out, "set dmarc.psl yes\n");
    }
}

static bool is_word(const char *text, const char *a, const char *b, const char *c)
{
    return strcasecmp(text, a) == 0 || (b && strcasecmp(text, b) == 0) || (c && strcasecmp(text, c) == 0);
}

static void write_spf(struct writer *w)
{
    const char *level = migrate_text(w->m, MIGRATE_POLICYD, "Mail_From_reject");
    const struct migrate_value *v = migrate_value(w->m, MIGRATE_POLICYD, "Mail_From_reject");
    const char *test = migrate_text(w->m, MIGRATE_POLICYD, "TestOnly");
    const bool trial = *test == '0' || *test == 'F' || *test == 'f';
    if (!w->m->found[MIGRATE_POLICYD]) {
        buf_adds(w->out, "\n# postfix-policyd-spf-python is not set up here\nrecord  spf  of everyone\n");
        return;
    }
    const bool first_only = migrate_switch(w->m, MIGRATE_POLICYD, "No_Mail");
    const bool rejects = is_word(level, "Fail", "Softfail", "SPF_Not_Pass");
    if (!rejects && !is_word(level, "False", "No_Check", NULL) && v)
        harden_refuse(w->m->h, "%s:%u: Mail_From_reject = %s: expected SPF_Not_Pass, Softfail, Fail, False or No_Check",
                      v->file, v->line, level);
    from(w, MIGRATE_POLICYD, "TestOnly");
    from(w, MIGRATE_POLICYD, "Mail_From_reject");
    if (is_word(level, "Softfail", "SPF_Not_Pass", NULL)) {
        buf_adds(w->out, "# Only fail is refused: softfail and neutral are no longer. 'require spf' would refuse mail "
                         "without a record too.\n");
        harden_note(w->m->h, "%s:%u: Mail_From_reject = %s: from now on only fail is refused", v ? v->file : "",
                    v ? v->line : 0, level);
    }
    buf_adds(w->out, "# Acts where DMARC did not pass. HELO is asked for mail with the null sender only.\n");
    if (rejects)
        buf_printf(w->out, "%sfollow  spf  of everyone  otherwise reject\n", trial || first_only ? "trial " : "");
    else
        buf_adds(w->out, "record  spf  of everyone\n");
    w->acts |= rejects && !trial && !first_only;
    if (value_exists(w, MIGRATE_POLICYD, "Reject_Not_Pass_Domains")) {
        each_domain(w, MIGRATE_POLICYD, "Reject_Not_Pass_Domains",
                    trial ? "trial require spf of only " : "require spf of only ", "  otherwise reject");
        w->acts |= !trial;
    }
    trusts(w, MIGRATE_POLICYD, "Domain_Whitelist");
}

static void write_dkim(struct writer *w)
{
    static const struct {
        const char *old, *ours;
    } actions[] = {{"reject", "reject"}, {"discard", "reject"}, {"tempfail", "defer"}, {"quarantine", "hold"}};
    const char *action = migrate_text(w->m, MIGRATE_OPENDKIM, "On-NoSignature"), *ours = NULL;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (tolower((unsigned char)*action) == *actions[i].old)
            ours = actions[i].ours;
    if (!ours && *action && !strchr("aA", *action))
        harden_refuse(w->m->h, "opendkim: On-NoSignature %s: expected accept, discard, quarantine, reject or tempfail",
                      action);
    if (ours) {
        from(w, MIGRATE_OPENDKIM, "On-NoSignature");
        buf_printf(
            w->out,
            "# On trial: it asks for a valid signature of the From domain's organisation, not for any signature.\n"
            "trial require dkim  of everyone  otherwise %s\n",
            ours);
    } else {
        buf_adds(w->out, "\n# opendkim judged nobody by a signature alone\nrecord  dkim  of everyone\n");
    }
    each_domain(w, MIGRATE_OPENDKIM, "ExemptDomains", "ignore  dkim  of only ", "");
}

static void write_format(struct writer *w)
{
    static const struct {
        enum migrate_program p;
        const char *name;
    } asks[] = {{MIGRATE_OPENDMARC, "RequiredHeaders"},
                {MIGRATE_OPENDKIM, "RequiredHeaders"},
                {MIGRATE_OPENDKIM, "StrictHeaders"}};
    bool required = false;
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
        if (migrate_switch(w->m, asks[i].p, asks[i].name)) {
            from(w, asks[i].p, asks[i].name);
            required = true;
        }
    buf_adds(w->out, required ? "require message-format  of everyone  otherwise reject\n"
                              : "\n# None of them asked\nrecord  message-format  of everyone\n");
    buf_adds(w->out, "record  arc, dane, tls, dnssec, rdns  of everyone\nrecord  dnssec  of every name\n");
    w->acts |= required;
}

/* ---- our own house ---- */

static bool write_own_domains(struct writer *w)
{
    static const char *const names[] = {"Domain", "KeyTable"};
    for (size_t k = 0; k < 2; k++) {
        const struct migrate_value *v = migrate_value(w->m, MIGRATE_OPENDKIM, names[k]);
        struct migrate_set set;
        if (!v)
            continue;
        if (k == 1 && !migrate_named_file(v)) {
            harden_note(w->m->h, "%s:%u: KeyTable is no file: name your domains by 'own domains'", v->file, v->line);
            continue;
        }
        if (!migrate_entries(w->m, v, &set))
            return false;
        from(w, MIGRATE_OPENDKIM, names[k]);
        for (size_t i = 0; i < set.name_count; i++) {
            const char *name = set.names[i];
            if (k == 1) { /* NAME DOMAIN:SELECTOR:KEY */
                name += strcspn(name, " \t");
                name += strspn(name, " \t");
                name = arena_copy(w->m->h->arena, name, strcspn(name, ":"));
            }
            if (!name || strcmp(name, "%") == 0)
                continue;
            while (*name == '.' || *name == '*')
                name++;
            const char *d = domain_of(w, v, name);
            if (d)
                buf_printf(w->out, "own domains %s\n", d);
        }
    }
    return true;
}

static void write_name(struct writer *w)
{
    static const char *const names[MIGRATE_PROGRAMS] = {"AuthservID", "AuthservID", "Authserv_Id"};
    for (unsigned p = 0; p < MIGRATE_PROGRAMS; p++) {
        const char *id = migrate_text(w->m, (enum migrate_program)p, names[p]);
        if (!*id || strcmp(id, "HOSTNAME") == 0)
            continue;
        from(w, (enum migrate_program)p, names[p]);
        if (!policy_setting_takes(SETTING_AUTHSERV_ID, slice_str(id))) {
            buf_adds(w->out, "# left out, because it is not a name: the mail server's own is used\n");
            continue;
        }
        buf_adds(w->out, "set authserv-id \"");
        add_shown(w->out, id);
        buf_adds(w->out, "\"\n");
        return;
    }
}

static void write_dns(struct writer *w)
{
    const enum migrate_program p =
        value_exists(w, MIGRATE_OPENDMARC, "DNSTimeout") ? MIGRATE_OPENDMARC : MIGRATE_OPENDKIM;
    struct migrate_set servers;
    if (value_exists(w, p, "DNSTimeout")) {
        const char *text = migrate_text(w->m, p, "DNSTimeout");
        const long seconds = strtol(text, NULL, 10);
        if (strspn(text, "0123456789") != strlen(text))
            harden_refuse(w->m->h, "%s:%u: DNSTimeout %s: expected a number of seconds",
                          migrate_value(w->m, p, "DNSTimeout")->file, migrate_value(w->m, p, "DNSTimeout")->line, text);
        from(w, p, "DNSTimeout");
        if (seconds < 1 || seconds > 30)
            buf_adds(w->out, "# 1 to 30 seconds are possible\n");
        buf_printf(w->out, "set dns.timeout %lds\n", seconds < 1 || seconds > 30 ? 30 : seconds);
    }
    if (!migrate_entries(w->m, migrate_value(w->m, MIGRATE_OPENDKIM, "Nameservers"), &servers))
        return;
    for (size_t i = 0; i < servers.name_count; i++)
        harden_note(w->m->h, "Nameservers: '%s' is no address, and is left out", servers.names[i]);
    if (servers.net_count) {
        char text[IP_TEXT];
        from(w, MIGRATE_OPENDKIM, "Nameservers");
        if (servers.net_count > 1)
            buf_adds(w->out, "# one resolver can be named: the first\n");
        buf_printf(w->out, "set dns.forward %s\n", ip_text(&servers.nets[0].base, text));
    }
}

/* An answer to a fault of DNS that Assay does not give. */
static void say_dns_error(struct writer *w)
{
    const struct migrate_value *v = migrate_value(w->m, MIGRATE_OPENDKIM, "On-DNSError");
    if (!v || strchr("tTaA", *v->text))
        return;
    from(w, MIGRATE_OPENDKIM, "On-DNSError");
    buf_adds(
        w->out,
        "# Not carried over: for a fault of DNS mail is deferred or accepted (set when-unsure), and never refused.\n");
    harden_note(w->m->h, "%s:%u: On-DNSError %s is not carried over: for a fault of DNS mail is deferred or accepted",
                v->file, v->line, v->text);
}

static void write_unsure(struct writer *w)
{
    enum migrate_program p;
    const char *name;
    say_dns_error(w);
    if (migrate_switch(w->m, MIGRATE_OPENDMARC, "RejectFailures"))
        p = MIGRATE_OPENDMARC, name = "RejectFailures";
    else if (migrate_switch(w->m, MIGRATE_POLICYD, "TempError_Defer"))
        p = MIGRATE_POLICYD, name = "TempError_Defer";
    else if (w->m->found[MIGRATE_OPENDKIM] &&
             tolower((unsigned char)*migrate_text(w->m, MIGRATE_OPENDKIM, "On-DNSError")) == 't' &&
             strchr(migrate_text(w->m, MIGRATE_OPENDKIM, "Mode"), 'v'))
        p = MIGRATE_OPENDKIM, name = "On-DNSError";
    else
        return;
    from(w, p, name);
    buf_adds(w->out, "set when-unsure defer\n");
}

static void write_reports(struct writer *w)
{
    const bool history = value_exists(w, MIGRATE_OPENDMARC, "HistoryFile"),
               failure = migrate_switch(w->m, MIGRATE_OPENDMARC, "FailureReports");
    const char *by = migrate_text(w->m, MIGRATE_OPENDMARC, "FailureReportsSentBy"),
               *command = migrate_text(w->m, MIGRATE_OPENDMARC, "ReportCommand");
    if (!history && !failure)
        return;
    from(w, MIGRATE_OPENDMARC, history ? "HistoryFile" : "FailureReports");
    if (!history || !policy_setting_takes(SETTING_REPORT_FROM, slice_str(by))) {
        buf_adds(
            w->out,
            history
                ? "# Who sent the reports stood in the options of opendmarc-reports: put it in, and take away the #.\n"
                : "# Failure reports come with aggregate reports here: take away the # where both are wanted.\n");
        harden_note(w->m->h,
                    "no DMARC reports are sent until report.from and report.contact in the policy are filled in");
        buf_adds(w->out, "#set report.from \"");
        add_shown(w->out, *by ? by : "postmaster@your.domain");
        buf_adds(w->out, "\"\n#set report.contact \"postmaster@your.domain\"\n");
    } else {
        from(w, MIGRATE_OPENDMARC, "FailureReportsSentBy");
        buf_adds(w->out, "set report.from \"");
        add_shown(w->out, by);
        buf_adds(w->out, "\"\nset report.contact \"");
        add_shown(w->out, by);
        buf_adds(w->out, "\"\n");
    }
    if (failure) {
        from(w, MIGRATE_OPENDMARC, "FailureReports");
        buf_adds(w->out, "set report.failure redacted\n");
    }
    if (strcmp(command, "/usr/sbin/sendmail") != 0) {
        const bool taken = policy_setting_takes(SETTING_REPORT_SENDMAIL, slice_str(command));
        from(w, MIGRATE_OPENDMARC, "ReportCommand");
        buf_adds(w->out,
                 taken ? ""
                       : "# left out: no shell reads report.sendmail, so it takes no quotes, pipes or variables\n#");
        buf_adds(w->out, "set report.sendmail \"");
        add_shown(w->out, command);
        buf_adds(w->out, "\"\n");
    }
}

/* ---- what became of each option ---- */

/* The first line that the policy has below the comment that names v, and how many more; *line.n 0: it has none. Options
 * that one statement stands for together have their comments right above each other. Where a comment says why it was
 * left out, that is the line. */
static size_t line_for(const struct writer *w, const struct migrate_value *v, struct slice *line)
{
    struct slice text = buf_slice(w->out), now;
    struct buf header = BUF_INIT;
    bool inside = false, alone = true;
    size_t more = 0;
    buf_adds(&header, "# ");
    add_shown(&header, v->file);
    buf_printf(&header, ":%u: %s ", v->line, v->option->name);
    add_shown(&header, v->text);
    *line = (struct slice){0};
    for (; text.n; text = slice_from(text, now.n + (now.n < text.n))) {
        const char *end = memchr(text.p, '\n', text.n);
        now = (struct slice){text.p, end ? (size_t)(end - text.p) : text.n};
        if (!inside) {
            inside = slice_eq(now, buf_slice(&header));
            continue;
        }
        if (now.n == 0 && (line->n || !alone))
            break;
        if (!line->n && slice_begins(now, "# left out"))
            *line = slice_from(now, 2);
        else if (now.n && *now.p == '#')
            alone = alone && (now.n < 2 || now.p[1] == ' ') && memchr(now.p, ':', now.n);
        else if (now.n && *now.p != ' ' && line->n)
            more++;
        else if (now.n && *now.p != ' ')
            *line = now;
    }
    buf_release(&header);
    return more;
}

/* Tells whether it is set to what holds without it: "False" and "no" are one value. */
static bool is_initial(const struct migrate_value *v)
{
    static const char *const sides[2][4] = {{"false", "no", "off", "0"}, {"true", "yes", "on", "1"}};
    for (size_t side = 0; side < 2; side++) {
        bool is = false, was = false;
        for (size_t i = 0; i < 4; i++) {
            is = is || strcasecmp(v->text, sides[side][i]) == 0;
            was = was || strcasecmp(v->option->initial, sides[side][i]) == 0;
        }
        if (is && was)
            return true;
    }
    return strcasecmp(v->text, v->option->initial) == 0;
}

/* It becomes something of Postfix's, and nothing of the policy's. */
static bool is_of_postfix(const struct migrate_value *v)
{
    return strcmp(v->option->name, "Socket") == 0;
}

/* What opendkim's place in Postfix becomes: it signs on, or goes. NULL: the option is another. */
static const char *of_opendkim(const struct writer *w, const struct migrate_value *v)
{
    const bool mode = strcmp(v->option->name, "Mode") == 0;
    if (v->option->program != MIGRATE_OPENDKIM || v->beaten || !(mode || strcmp(v->option->name, "Socket") == 0))
        return NULL;
    if (!w->m->signs)
        return "becomes: Postfix's smtpd_milters loses it: opendkim only verifies, and assay-milter does that";
    return !mode                  ? "stays: opendkim signs, after assay-milter"
           : strchr(v->text, 'v') ? "stays: opendkim signs; it verifies too: write 'Mode s'"
                                  : "stays: opendkim signs";
}

/* "FILE:LINE: NAME VALUE: becomes: the policy's line", or why there is none. */
static void say_became(const struct writer *w, const struct migrate_value *v, bool same)
{
    static const char *const classes[] = {[MIGRATE_BECOMES] = "becomes",
                                          [MIGRATE_NOTHING] = "not needed",
                                          [MIGRATE_CANNOT] = "NOT CARRIED OVER",
                                          [MIGRATE_SIGNS] = "stays"};
    struct buf b = BUF_INIT;
    struct slice line = {0};
    size_t more = 0;
    if (!v->beaten && (v->option->class == MIGRATE_BECOMES || same))
        more = line_for(w, v, &line);
    buf_printf(&b, "%s:%u: %s %s: ", v->file, v->line, v->option->name, v->text);
    if (slice_begins(line, "left out"))
        buf_printf(&b, "NOT CARRIED OVER: %.*s", (int)line.n, line.p);
    else if (line.n)
        buf_printf(&b, "becomes: %.*s", (int)line.n, line.p);
    else if (of_opendkim(w, v))
        buf_adds(&b, of_opendkim(w, v));
    else if (!v->beaten && v->option->class == MIGRATE_BECOMES && is_initial(v))
        buf_adds(&b, "as it was: it needs no line");
    else if (!v->beaten && v->option->class == MIGRATE_BECOMES && !is_of_postfix(v))
        buf_printf(&b, "no line of its own: %s", v->option->words);
    else
        buf_printf(&b, "%s: %s",
                   v->beaten ? "set again further down"
                   : same    ? "as it was"
                             : classes[v->option->class],
                   v->option->words);
    if (more)
        buf_printf(&b, " (and %zu more line%s)", more, more == 1 ? "" : "s");
    cli_put_visible(stdout, b.failed ? "out of memory" : b.p);
    putchar('\n');
    buf_release(&b);
}

static void account(struct writer *w)
{
    bool first = true;
    puts("What becomes of each option that is set (assay-migration(7) has them all):\n");
    for (size_t i = 0; i < w->m->count; i++) {
        const struct migrate_value *v = &w->m->values[i];
        const bool same = v->option->class == MIGRATE_CANNOT && is_initial(v);
        say_became(w, v, same);
        if (v->beaten || same || v->option->class != MIGRATE_CANNOT)
            continue;
        buf_adds(w->out, first ? "\n# ---- Not carried over ----\n" : "");
        first = false;
        buf_adds(w->out, "# ");
        add_shown(w->out, v->file);
        buf_printf(w->out, ":%u: %s ", v->line, v->option->name);
        add_shown(w->out, v->text);
        buf_printf(w->out, "\n#     %s\n", v->option->words);
    }
    putchar('\n');
}

bool migrate_write(struct migrate *m, struct buf *text)
{
    struct writer w = {.m = m, .out = text};
    const time_t end = clock_wall() + TERM_DAYS * (time_t)86400;
    struct tm tm;
    if (!localtime_r(&end, &tm) || !strftime(w.through, sizeof w.through, "%Y-%m-%d", &tm))
        return false;
    buf_adds(text, "# What opendmarc, opendkim and postfix-policyd-spf-python asked (assay harden --from-opendmarc; "
                   "assay-migration(7)).\n"
                   "policy \"Carried over from opendmarc\"\n");
    write_dmarc(&w);
    write_spf(&w);
    write_dkim(&w);
    write_format(&w);
    bool ok = write_hosts(&w) && write_own_domains(&w);
    buf_adds(text,
             "\n# Who has logged in is not judged (opendmarc: IgnoreAuthenticatedClients true).\nsubmission auth\n");
    write_name(&w);
    write_dns(&w);
    write_unsure(&w);
    write_reports(&w);
    buf_printf(text, "\n# %s\nset mode %s\n", w.acts ? "They refused mail" : "They refused no mail",
               w.acts ? "enforce" : "dry-run");
    account(&w);
    if (text->failed)
        harden_refuse(m->h, "out of memory");
    return ok && !text->failed && !m->h->refused;
}
