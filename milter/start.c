// SPDX-License-Identifier: BSD-2-Clause
/*
 * start.c - loads the policy and starts the engines, and handles what can be wrong with them.
 *
 * A policy with errors, missing or unreadable stops only a first start (EX_CONFIG, all errors shown): if the state
 * folder has a snapshot of the last good policy, the daemon runs with that and logs it as an alarm. An invalid trust
 * anchor is EX_CONFIG: without one no answer is ever secure, and a policy that requires DNSSEC would refuse all mail. A
 * journal that cannot be opened is logged, but stops no mail, unless `set journal.when-full defer`.
 */
#include "milter/second_socket.h"
#include "milter/start.h"
#include "dns/dns_replay.h"
#include "dns/dns_unbound.h"
#include "judge/prober.h"
#include "milter/canary.h"
#include "milter/delegation.h"
#include "milter/ending.h"
#include "milter/log.h"
#include "milter/prober_start.h"
#include "milter/wire/wire_limits.h"
#include "standards/dkim/dkim_privkey.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

struct daemon the_daemon;

#define OPEN_FILES 65536u /* contrib/systemd/assay-milter.service */

static const char *policy_path(const struct options *o)
{
    return o->policy ? o->policy : ASSAY_SYSCONFDIR "/policy";
}

/* Prints every diagnostic of at least that severity, in full. */
static void print_report(const struct policy_report *r, enum policy_severity at_least)
{
    struct buf b = BUF_INIT;

    policy_report_print(r, at_least, &b);
    fputs(b.p, stderr);
    buf_release(&b);
}

/* Tells whether that user may open the file. open() alone would not show it, because -t is run by root. false also if
 * there is no such user. */
static bool readable_by(const char *user, const char *path)
{
    gid_t groups[64];
    int count = sizeof groups / sizeof *groups;
    const struct passwd *pw = getpwnam(user);
    struct stat st;

    if (!pw || stat(path, &st) != 0)
        return false;
    if (pw->pw_uid == 0)
        return true;
    if (st.st_uid == pw->pw_uid)
        return st.st_mode & S_IRUSR;
    if (getgrouplist(user, pw->pw_gid, groups, &count) < 0)
        return false;
    for (int i = 0; i < count; i++)
        if (groups[i] == st.st_gid)
            return st.st_mode & S_IRGRP;
    return false;
}

/* Checks the key for ARC seals, if mail is to be sealed: without it mail would be passed on unsealed, and only the log
 * would say so. */
static bool test_seal_key(const struct policy *p, const struct options *o)
{
    const char *path = policy_set_text(p, SETTING_ARC_SEAL_KEY),
               *user = o->user ? o->user : policy_set_text(p, SETTING_MILTER_USER), *error = NULL;
    struct dkim_privkey *key;
    bool good = false;

    if (policy_set_is(p, SETTING_ARC_SEAL, "no"))
        return true;
    key = dkim_privkey_read(path, &error);
    if (!key)
        log_failure("set arc.seal-key %s: %s; mail would not be sealed", path, error ? error : "cannot be used");
    else if (geteuid() == 0 && !readable_by(user, path))
        log_failure("set arc.seal-key %s: user %s may not read it; mail would not be sealed: chown %s %s", path, user,
                    user, path);
    else
        good = true;
    dkim_privkey_free(key);
    return good;
}

int start_modules(struct daemon *d, const struct policy *p)
{
    char why[ENGINE_WHY];

    d->host.engines = &d->engines;
    if (engines_use(&d->engines, p, why) == STATUS_OK)
        return 0;
    log_failure("%s", why);
    return EX_CONFIG;
}

int start_test(const struct options *o)
{
    struct policy_report *r = policy_report_new();
    const struct policy *p = r ? policy_load(policy_path(o), r) : NULL;

    print_report(r, POLICY_WARNING);
    if (p)
        printf("assay-milter: policy %s is good (%s), mode %s\n", policy_path(o), policy_hash(p),
               policy_set_text(p, SETTING_MODE));
    else
        fprintf(stderr, "assay-milter: policy %s has errors\n", policy_path(o));
    const bool good = p && test_seal_key(p, o) && start_modules(&the_daemon, p) == 0;
    policy_unref(p);
    policy_report_free(r);
    return good ? EX_OK : EX_CONFIG;
}

/* "" if the state folder does not exist yet: then there is no snapshot to read.
 */
static void snapshot_path(const struct options *o, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/policy.snapshot", o->state ? o->state : ASSAY_STATEDIR);
}

static void follow_log_format(struct daemon *d)
{
    const struct policy *p = policy_live_get(d->policy);

    log_as_json(policy_set_is(p, SETTING_LOG_FORMAT, "json"));
    policy_unref(p);
}

int start_policy(struct daemon *d, const struct options *o, bool *from_snapshot)
{
    struct policy_report *r = policy_report_new();
    enum policy_source source = POLICY_FROM_FILE;

    snapshot_path(o, d->snapshot);
    d->state_dir = o->state ? o->state : ASSAY_STATEDIR;
    d->policy_path = policy_path(o);
    policy_live_settle(d->policy_path, d->snapshot);
    d->policy = r ? policy_live_open(policy_path(o), d->snapshot, r, &source) : NULL;
    log_as_json(policy_report_wants_json(r));
    if (d->policy)
        follow_log_format(d);
    if (log_is_json())
        policy_report_log_errors(r, log_failure);
    else
        print_report(r, POLICY_ERROR);
    policy_report_free(r);
    if (!d->policy) {
        log_failure("no policy to run on: %s cannot be used, and there is no snapshot of an earlier one in %s",
                    policy_path(o), d->snapshot);
        return EX_CONFIG;
    }
    *from_snapshot = source == POLICY_FROM_SNAPSHOT;
    if (*from_snapshot)
        log_failure("%s cannot be used: RUNNING ON THE LAST GOOD POLICY, from %s", policy_path(o), d->snapshot);
    return 0;
}

/* Tells whether any setting dns.* has another value. */
static bool asks_dns_otherwise(const struct policy *before, const struct policy *p)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const enum setting_id id = (enum setting_id)i;
        if (strncmp(policy_setting_name(id), "dns.", 4) == 0 &&
            strcmp(policy_set_text(before, id), policy_set_text(p, id)) != 0)
            return true;
    }
    return false;
}

void daemon_reload(void)
{
    struct policy_report *r = policy_report_new();
    enum policy_source source = POLICY_KEPT;
    char why[ENGINE_WHY];
    const struct policy *before = policy_live_get(the_daemon.policy);

    policy_live_settle(the_daemon.policy_path, the_daemon.snapshot);
    enum status s = policy_live_reload(the_daemon.policy, false, r, &source);
    const struct policy *p = policy_live_get(the_daemon.policy);

    log_as_json(policy_set_is(p, SETTING_LOG_FORMAT, "json"));
    wire_limits_set(p);
    policy_report_log_errors(r, log_failure);
    if (engines_use(&the_daemon.engines, p, why) != STATUS_OK)
        log_say("%s; RUNNING ON the engine in use before", why);
    if (s == STATUS_OK)
        canary_follow(p);
    if (s == STATUS_OK && asks_dns_otherwise(before, p)) {
        dns_forget(the_daemon.host.dns);
        log_say("dns.* has changed: the answers that were kept are dropped");
    }
    if (s == STATUS_OK)
        log_say("policy %s loaded, mode %s%s", policy_hash(p), policy_set_text(p, SETTING_MODE),
                policy_set_is(before, SETTING_MODE, "enforce") && policy_set_is(p, SETTING_MODE, "dry-run")
                    ? ": ENFORCEMENT IS OFF from now on, as the file says"
                    : "");
    if (s == STATUS_OK && the_daemon.main_socket)
        second_socket_listen(p, the_daemon.main_socket);
    if (s != STATUS_OK)
        log_say("the policy could not be loaded (%s): RUNNING ON policy %s", status_text(s), policy_hash(p));
    policy_unref(before);
    policy_unref(p);
    policy_report_free(r);
}

/* A path from the settings. If it is the default and another state folder was given, the same path inside that
 * folder. */
static const char *path_setting(const struct policy *p, enum setting_id id, const struct options *o, char out[PATH_MAX])
{
    const char *path = policy_set_text(p, id), *usual = ASSAY_STATEDIR "/";
    const bool moved = o->state && strncmp(path, usual, strlen(usual)) == 0;

    snprintf(out, PATH_MAX, "%s%s%s", moved ? o->state : "", moved ? "/" : "", moved ? path + strlen(usual) : path);
    return out;
}

const char *start_journal_dir(const struct policy *p, const struct options *o, char out[PATH_MAX])
{
    return path_setting(p, SETTING_JOURNAL_DIR, o, out);
}

/* Look-ups and connections need open files, and the soft limit is often 1,024. Raises it to the hard limit, but not
 * above what the unit file sets. */
static void raise_open_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= OPEN_FILES)
        return;
    files.rlim_cur = files.rlim_max < OPEN_FILES ? files.rlim_max : OPEN_FILES;
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

static int open_dns(struct daemon *d, const struct policy *p, const struct options *o)
{
    char *error = NULL, anchor[PATH_MAX];

    if (o->dns) {
        d->host.dns = dns_replay_new(o->dns, &error);
    } else {
        struct dns_unbound_config c = {
            .anchor = path_setting(p, SETTING_DNS_ANCHOR, o, anchor),
            .anchor_seed = DNS_SYSTEM_ANCHOR,
            .forward = policy_set_text(p, SETTING_DNS_FORWARD),
        };
        raise_open_files();
        d->host.dns = dns_unbound_new(&c, &error);
        if (d->host.dns) {
            const char *not_taken = dns_unbound_not_taken(d->host.dns);
            if (not_taken)
                log_say("look-ups run without the limit \"%s\": newer versions of libunbound have it. They are bounded "
                        "by other limits too; nothing needs to be done",
                        not_taken);
            canary_start(d, &c);
        }
    }
    if (!d->host.dns)
        log_failure("%s", error ? error : "out of memory");
    free(error);
    return d->host.dns ? 0 : o->dns ? EX_NOINPUT : EX_CONFIG;
}

static int open_journal(struct daemon *d, const struct policy *p, const struct options *o)
{
    struct journal_options options = {
        .host = d->host.name,
        .segment_bytes = (size_t)policy_set_number(p, SETTING_JOURNAL_SEGMENT_SIZE),
        .segment_seconds = (unsigned)policy_set_number(p, SETTING_JOURNAL_SEGMENT_AGE),
        .folder_bytes = (uint64_t)policy_set_number(p, SETTING_JOURNAL_SIZE_CAP),
    };
    const char *error = NULL;
    char dir[PATH_MAX];

    d->journal = journal_open(start_journal_dir(p, o, dir), "milter", &options, &error);
    if (d->journal)
        return 0;
    log_failure("findings cannot be kept: %s", error ? error : "out of memory");
    return policy_set_is(p, SETTING_JOURNAL_WHEN_FULL, "defer") ? EX_CANTCREAT : 0;
}

static int open_delegation(struct daemon *d, const struct policy *p)
{
    const char *socket = policy_set_text(p, SETTING_POSTFIX_POLICY_SOCKET), *error = NULL;

    if (!*socket)
        return 0;
    d->delegation = delegation_open(socket, (unsigned)strtoul(policy_set_text(p, SETTING_MILTER_SOCKET_MODE), NULL, 8),
                                    policy_set_text(p, SETTING_MILTER_SOCKET_GROUP), &error);
    if (!d->delegation)
        log_failure("postfix.policy-socket: %s", error);
    return d->delegation ? 0 : EX_UNAVAILABLE;
}

static bool knows_signer(void *context, const char *domain)
{
    return known_signers_signs(context, domain);
}

int start_engines(struct daemon *d, const struct options *o)
{
    static char host[256];
    char knowledge[PATH_MAX];
    const struct policy *p = policy_live_get(d->policy);
    int rc;

    if (gethostname(host, sizeof host - 1) != 0 || !*host)
        snprintf(host, sizeof host, "localhost");
    d->host.name = d->host.authserv_id = host;
    d->memory = memory_new();
    d->host.quota = quota_new();
    d->knowledge = known_signers_open(path_setting(p, SETTING_LEDGER_KNOWLEDGE, o, knowledge));
    d->host.knows_signer = knows_signer;
    d->host.context = d->knowledge;
    rc = d->memory && d->knowledge ? open_dns(d, p, o) : EX_OSERR;
    if (rc == 0)
        rc = open_journal(d, p, o);
    if (rc == 0)
        rc = open_delegation(d, p);
    if (rc == 0)
        d->host.prober = prober_start(d);
    policy_unref(p);
    return rc;
}

void start_undo(struct daemon *d, int code)
{
    /* First what must not be lost: those below may wait for a slow client, a look-up or a probe under way. */
    d->journal = journal_close(d->journal);
    ending_within(ENDING_NOTHING_LEFT_SECONDS, code);
    d->delegation = delegation_close(d->delegation);
    canary_stop();
    d->host.prober = prober_free(d->host.prober);
    d->host.dns = dns_close(d->host.dns);
    d->memory = memory_free(d->memory);
    d->host.quota = quota_free(d->host.quota);
    d->knowledge = known_signers_close(d->knowledge);
    d->policy = policy_live_close(d->policy);
}
