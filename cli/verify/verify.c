// SPDX-License-Identifier: BSD-2-Clause
/*
 * verify.c - `assay verify MESSAGE`: the milter's verdict on a saved message, with every step, by the very code that
 * assay-milter runs.
 *
 * Takes a file (one message or an mbox), a Maildir, a folder, or "-". DNS is asked as the milter asks it, or answered
 * from a file
 * (--dns), and all answers of a run can be kept (--save-dns), so that a case can be judged again years later as of that
 * day (--at; a saved file knows its own day).
 *
 * Exit code by what the policy would do, dry-run or not: 0 deliver or tag, 1 quarantine or hold, 2 reject, 3 defer; of
 * several messages the highest. EX_USAGE, EX_NOINPUT, EX_CONFIG and EX_DATAERR with one line that says what and where.
 */
#include "cli/verify/verify.h"
#include "base/calendar.h"
#include "base/clock.h"
#include "dns/dns_replay.h"
#include "dns/dns_unbound.h"
#include "cli/cli.h"
#include "cli/day.h"
#include "judge/session_tls.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct run {
    const struct verify_options *o;
    const struct policy *policy;
    struct judge_host host;
    struct engines engines;
    time_t at;
    FILE *save; /* into saved.p, which becomes the file at the end */
    struct {
        char *p;
        size_t n;
    } saved;
    struct json json;
    struct buf out;
    int worst; /* exit code so far */
    int error; /* of the system; 0: none */
    unsigned seen;
};

static const char *take_rcpt(void *into, const char *value)
{
    struct verify_options *o = into;
    o->rcpts[o->rcpt_count++] = value; /* there is room for as many as there are words */
    return NULL;
}

#define OPTIONS_OF struct verify_options
static const struct option_row rows[] = {
    OPTIONS_TEXT(0, "ip", "ADDRESS", ip, "the client it came from (default: the topmost Received field)"),
    OPTIONS_TEXT(0, "helo", "NAME", helo, "what the client said in HELO (default: the same field)"),
    OPTIONS_ANY_TEXT(0, "from", "ADDRESS", from, "MAIL FROM; <> for the null sender (default: the Return-Path field)"),
    OPTIONS_TAKE(0, "rcpt", "ADDRESS", take_rcpt, "a recipient; may be given several times"),
    OPTIONS_TEXT(0, "tls", "VERSION", tls, "the session's TLS version, such as 1.3, or VERSION/CIPHER"),
    OPTIONS_TEXT(0, "auth", "USER", auth, "the client logged in: submission"),
    OPTIONS_TEXT('P', "policy", "FILE", policy, "the policy (default " CLI_POLICY_PATH ")"),
    OPTIONS_TEXT(0, "dns", "FILE", dns, "take DNS answers from a file instead of the DNS"),
    OPTIONS_TEXT(0, "save-dns", "FILE", save_dns, "keep the DNS answers of this run"),
    OPTIONS_TEXT(0, "at", "TIME", at,
                 "judge as of that time: 2026-11-20T23:19:25Z, or seconds since 1970 (default: now, or when --dns was "
                 "saved)"),
    OPTIONS_FLAG(0, "header", header,
                 "show the header fields that would be added and removed, and the header as DKIM canonicalises it"),
    OPTIONS_FLAG(0, "brief", brief, "one line a message"),
    OPTIONS_FLAG(0, "json", json, "for programs"),
};

static const struct options_spec command_line = {
    .synopsis = "[OPTION...] MESSAGE",
    .text =
        "Judges a saved message as assay-milter would, and shows every step. MESSAGE: a file, an mbox, a Maildir, a "
        "folder, or - for standard input.",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .after = "Exit code: 0 deliver or tag, 1 quarantine or hold, 2 reject, 3 defer.",
    .needs = "a message, an mbox or a folder",
    .least = 1,
    .most = 1,
};

/* -1: go on; else the exit code. */
static int read_options(struct verify_options *o, int argc, char **argv)
{
    int n;
    const int rc = cli_options(&command_line, argc, argv, o, &n);
    if (rc < 0)
        o->message = argv[1];
    return rc;
}

/* 0: no time. */
static time_t time_of(const char *text)
{
    struct tm tm = {0};
    char fault[CALENDAR_FAULT];
    char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    long long n;

    if (end && *end == 0)
        return calendar_fault(slice_of(text, strcspn(text, "T")), fault) ? 0 : timegm(&tm);
    errno = 0;
    n = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == 0 && n > 0 ? (time_t)n : 0;
}

/* "1.3", "TLSv1.3/CIPHER": the version as an MTA writes it, and the cipher. */
static void read_tls(const char *text, struct arena *a, const char **version, const char **cipher)
{
    const char *slash = strchr(text, '/');
    int n = slash ? (int)(slash - text) : (int)strlen(text);
    bool named = strncasecmp(text, "TLS", 3) == 0 || strncasecmp(text, "SSL", 3) == 0;

    *version = arena_printf(a, "%s%.*s", named ? "" : "TLSv", n, text);
    *cipher = slash ? slash + 1 : NULL;
}

static enum status fill_envelope(struct run *r, struct judge *j)
{
    const struct verify_options *o = r->o;
    struct judge_mail *m = judge_mail(j);
    struct arena *a = judge_arena(j);
    enum status s = STATUS_OK;

    m->at = r->at;
    if (o->ip && ip_from_text(slice_str(o->ip), &m->peer) == STATUS_OK)
        m->client = m->peer;
    m->auth_user = o->auth;
    if (o->tls)
        read_tls(o->tls, a, &m->tls.version, &m->tls.cipher);
    if (o->helo)
        s = mail_set_helo(m, a, o->helo);
    if (s == STATUS_OK && o->from)
        s = mail_set_from(m, a, o->from, true);
    for (size_t i = 0; s == STATUS_OK && i < o->rcpt_count; i++)
        s = mail_add_rcpt(m, a, o->rcpts[i]);
    return s;
}

/* Header, body and end, as a milter is told them. */
static enum status message_feed(struct judge *j, struct slice message, const struct verify_options *o,
                                struct verify_guess *guess)
{
    struct judge_mail *m = judge_mail(j);
    struct slice body = SLICE_NULL;
    const char *line = message.n ? memchr(message.p, '\n', message.n) : NULL;
    const bool crlf = line && line > message.p && line[-1] == '\r';
    enum status s = header_parse_message(&m->headers, message, &body);

    if (s == STATUS_LIMIT)
        s = STATUS_OK; /* noted in the list: message-format fails */
    if (s == STATUS_OK)
        s = verify_guess(j, o, guess);
    if (s == STATUS_OK)
        m->source = mail_source(m, judge_policy(j), false);
    if (s == STATUS_OK)
        s = judge_envelope(j);
    if (s == STATUS_OK)
        s = judge_headers_end(j);
    if (s != STATUS_OK)
        return s;
    judge_body(j, body, crlf);
    return judge_end(j);
}

enum status verify_judge(const struct judge_host *host, const struct policy *policy, const struct verify_options *o,
                         time_t at, struct slice message, struct judge **out, const struct classes **classes)
{
    struct run r = {.o = o, .at = at};
    struct verify_guess guess = {0};
    struct judge *j = *out = judge_new(host, policy, 0);
    enum status s = j ? fill_envelope(&r, j) : STATUS_NOMEM;

    if (s == STATUS_OK)
        s = message_feed(j, message, o, &guess);
    return s == STATUS_OK ? judge_verdicts(j, NULL, classes) : s;
}

static int code_of(const struct classes *c)
{
    static const int codes[] = {[POLICY_DELIVER] = 0, [POLICY_TAG] = 0,   [POLICY_QUARANTINE] = 1,
                                [POLICY_HOLD] = 1,    [POLICY_DEFER] = 3, [POLICY_REJECT] = 2};
    int worst = 0;

    for (size_t i = 0; i < c->count; i++)
        if (codes[c->list[i].verdict.would] > worst)
            worst = codes[c->list[i].verdict.would];
    return worst;
}

static void message_show(struct run *r, struct judge *j, const struct classes *c, const struct verify_guess *g,
                         const char *name)
{
    if (r->o->json)
        verify_json(&r->json, j, c, g, name);
    else if (r->o->brief)
        verify_print_brief(&r->out, j, c, name);
    else
        verify_print(&r->out, j, c, r->o, g, name);
    if (!r->o->json) {
        fwrite(r->out.p, 1, r->out.n, stdout);
        buf_reset(&r->out);
    }
}

/* What an editor or a pager did to a saved mail, and what would else only show as a header that is not there. */
static void hint(const char *name, struct slice message)
{
    if (message.n >= 3 && memcmp(message.p, "\xef\xbb\xbf", 3) == 0)
        cli_error("%s: begins with a byte order mark, so its first header field cannot be read: an editor put it there",
                  name);
    else if (message.n && (message.p[0] == '\n' || message.p[0] == '\r'))
        cli_error("%s: the first line is empty, so there is no header and all that follows is body: was it saved with "
                  "an extra line?",
                  name);
}

static bool message_verify(void *context, const char *name, struct slice message)
{
    struct run *r = context;
    struct judge *j = judge_new(&r->host, r->policy, 0);
    const struct classes *c = NULL;
    struct verify_guess guess = {0};
    enum status s = j ? fill_envelope(r, j) : STATUS_NOMEM;

    hint(name, message);
    if (r->seen++ && !r->o->json && !r->o->brief)
        putchar('\n');
    if (s == STATUS_OK)
        s = message_feed(j, message, r->o, &guess);
    if (s == STATUS_OK)
        s = judge_verdicts(j, NULL, &c);
    if (s != STATUS_OK) {
        cli_error("%s: cannot be judged: %s", name, status_text(s));
        r->error = EX_DATAERR;
    } else {
        int code = code_of(c);
        message_show(r, j, c, &guess, name);
        if (code > r->worst)
            r->worst = code;
        if (r->save && judge_scope(j) && dns_replay_write(judge_scope(j), r->save) != STATUS_OK) {
            cli_error("%s: %s", r->o->save_dns, strerror(errno));
            r->error = EX_IOERR;
        }
    }
    judge_free(j);
    return r->error != EX_IOERR;
}

static int open_policy(struct run *r)
{
    const char *path = r->o->policy ? r->o->policy : CLI_POLICY_PATH;
    int rc;

    r->policy = cli_load_policy(path, &rc);
    if (!r->policy)
        cli_error("%s: no policy to judge by%s", path, r->o->policy ? "" : "; give one with --policy");
    return r->policy ? 0 : EX_CONFIG;
}

struct dns *verify_dns(const char *replay, const struct policy *policy)
{
    struct dns *dns;
    char *error = NULL;

    if (replay) {
        dns = dns_replay_new(replay, &error);
    } else {
        struct dns_unbound_config c = {.anchor = dns_anchor_or_system(policy_set_text(policy, SETTING_DNS_ANCHOR)),
                                       .forward = policy_set_text(policy, SETTING_DNS_FORWARD)};
        dns = dns_unbound_new(&c, &error);
    }
    if (!dns)
        cli_error("%s", error ? error : "out of memory");
    free(error);
    return dns;
}

static int open_dns(struct run *r)
{
    r->host.dns = verify_dns(r->o->dns, r->policy);
    return r->host.dns ? 0 : r->o->dns ? EX_NOINPUT : EX_CONFIG;
}

/* The engines that assay-milter would judge by: a verdict by another one would answer another question. */
static int open_engines(struct run *r)
{
    char why[ENGINE_WHY];

    r->host.engines = &r->engines;
    if (engines_use(&r->engines, r->policy, why) == STATUS_OK)
        return 0;
    cli_error("%s", why);
    return EX_CONFIG;
}

static bool is_tls(const char *text)
{
    struct arena *a = arena_new(4096);
    const char *version = NULL, *cipher;

    if (a)
        read_tls(text, a, &version, &cipher);
    bool known = version && session_tls_is_known(version);
    arena_free(a);
    return known;
}

/* -1: all can be judged by; else the exit code. A path that an MTA takes though it is odd (<a..b@x>) is taken, too. */
static int look_at_envelope(struct run *r)
{
    const struct verify_options *o = r->o;
    struct ip ip;

    if (o->ip && ip_from_text(slice_str(o->ip), &ip) != STATUS_OK)
        return cli_usage("--ip '%s' is not an IP address", o->ip);
    if (o->from && strcmp(o->from, "<>") != 0 && *o->from && !strchr(o->from, '@'))
        return cli_usage("--from '%s' is not an address: write USER@DOMAIN, or <> for the null sender", o->from);
    for (size_t i = 0; i < o->rcpt_count; i++)
        if (!strchr(o->rcpts[i], '@') && strcasecmp(o->rcpts[i], "postmaster") != 0 &&
            strcasecmp(o->rcpts[i], "<postmaster>") != 0)
            return cli_usage("--rcpt '%s' is not an address: write USER@DOMAIN", o->rcpts[i]);
    if (o->tls && !is_tls(o->tls))
        return cli_usage("--tls '%s' is not a version of TLS: write 1.3, 1.2, 1.1 or 1.0, or VERSION/CIPHER", o->tls);
    r->at = o->at ? time_of(o->at) : 0;
    if (o->at && !r->at)
        return cli_usage("--at '%s' is not %s", o->at,
                         cli_day_wanted(o->at, "a valid time: write 2026-11-20T23:19:25Z or seconds since 1970"));
    return -1;
}

static int run_prepare(struct run *r)
{
    static char host[256];
    int rc = look_at_envelope(r);

    if (rc >= 0)
        return rc;
    if (gethostname(host, sizeof host - 1) != 0 || !*host)
        snprintf(host, sizeof host, "localhost");
    r->host.name = r->host.authserv_id = host;
    if ((rc = open_policy(r)) != 0 || (rc = open_engines(r)) != 0 || (rc = open_dns(r)) != 0)
        return rc;
    if (!r->at)
        r->at = r->o->dns && dns_replay_time(r->host.dns) ? dns_replay_time(r->host.dns) : clock_wall();
    if (r->o->save_dns && !(r->save = open_memstream(&r->saved.p, &r->saved.n))) {
        cli_error("%s: %s", r->o->save_dns, strerror(errno));
        return EX_OSERR;
    }
    return 0;
}

static int run_finish(struct run *r, int rc)
{
    const char *wrong = !r->save ? NULL
                        : fclose(r->save) != 0
                            ? strerror(errno)
                            : cli_replace_file(r->o->save_dns, slice_of(r->saved.p, r->saved.n), 0644);
    if (wrong) {
        cli_error("%s: %s", r->o->save_dns, wrong);
        rc = rc ? rc : EX_CANTCREAT;
    }
    free(r->saved.p);
    dns_close(r->host.dns);
    policy_unref(r->policy);
    buf_release(&r->out);
    return rc ? rc : r->error ? r->error : r->worst;
}

int cmd_verify(int argc, char **argv)
{
    struct verify_options o = {0};
    struct run r = {.o = &o, .out = BUF_INIT};
    int rc;

    o.rcpts = calloc((size_t)argc + 1, sizeof *o.rcpts);
    rc = o.rcpts ? read_options(&o, argc, argv) : EX_OSERR;
    if (rc < 0) {
        rc = run_prepare(&r);
        r.json = JSON_INTO(&r.out);
        if (rc == 0 && o.json)
            json_open_array(&r.json, NULL);
        if (rc == 0)
            rc = verify_each(o.message, message_verify, &r);
        if (o.json && r.policy && r.host.dns) {
            json_end(&r.json);
            buf_addc(&r.out, '\n');
            fwrite(r.out.p, 1, r.out.n, stdout);
        }
        rc = run_finish(&r, rc);
    }
    free(o.rcpts);
    return rc;
}
