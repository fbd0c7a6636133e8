// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor.h - what the checks of `assay doctor` share.
 *
 * A check looks at one thing of this host and says how it is, with doctor_say(), once or several times; for anything
 * but DOCTOR_OK it says what to do. A check changes nothing, waits at most some seconds, and says DOCTOR_UNKNOWN if it
 * could not find out; it never guesses.
 *
 * Threads: one.
 */
#ifndef ASSAY_CLI_DOCTOR_DOCTOR_H
#define ASSAY_CLI_DOCTOR_DOCTOR_H

#include "base/arena.h"
#include "dns/dns.h"
#include "base/limits.h"
#include "base/status.h"
#include "cli/harden/postfix_service.h"
#include "policy/policy.h"
#include "policy/policy_settings.h"

enum doctor_state {
    DOCTOR_OK,
    DOCTOR_NOTE,    /* not used here, or not to be checked: not a problem */
    DOCTOR_UNKNOWN, /* could not be determined */
    DOCTOR_WARNING,
    DOCTOR_CRITICAL, /* mail or names are judged wrongly, or not at all */
};

struct doctor_finding {
    enum doctor_state state;
    const char *check;
    const char *text;
    const char *remedy; /* what to do; NULL if nothing is to be done */
    struct doctor_finding *next;
};

struct doctor {
    struct arena *arena;
    const char *policy_path;
    const char *state_dir;
    const char *smtp;  /* the server to which the test message is submitted; NULL: this host's loopback address */
    const char *check; /* the name of the check that runs */
    /* the policy in force: the file's, or the last good one if the file does not load. NULL: there is none;
     * doctor_policy() says so, and the other checks do without it */
    const struct policy *policy;
    struct policy_report *report; /* of the reading of the file */
    bool file_loads;              /* `policy` is the file's */
    struct dns *dns;              /* NULL if there is no validating source */
    struct doctor_finding *first, **last;
};

/* text and remedy are formatted together: remedy is what follows the first newline of the format, if any. */
void doctor_say(struct doctor *d, enum doctor_state state, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Runs a program without a shell and returns its first output line's text (trimmed), in the arena; NULL when it could
 * not be run, failed, or took longer than 10 seconds. argv ends with NULL; argv[0] is looked up in PATH. *code gets its
 * exit code, or -1; may be NULL. */
const char *doctor_run(struct doctor *d, const char *const *argv, int *code);

/* The policy's setting, or the fallback if there is no policy. */
const char *doctor_setting(const struct doctor *d, enum setting_id id, const char *fallback);

/* A scope for the look-ups of one domain; NULL if there is no DNS. */
struct dns_scope *doctor_scope(struct doctor *d);

/* Reports a DNS failure; true if there is an answer to look at. */
bool doctor_answered(struct doctor *d, const struct dns_answer *a);

/* Own domain number i of the policy (which must be there), in canonical form; false at the end, or at
 * DOCTOR_OWN_DOMAINS. */
#define DOCTOR_OWN_DOMAINS 50
bool doctor_own_domain(const struct doctor *d, size_t i, char out[LIMIT_DOMAIN + 1]);

void doctor_policy(struct doctor *d); /* doctor_policy.c: does it load, is it the one in force */
void doctor_files(struct doctor *d);  /* doctor_host.c: ownership and modes */
void doctor_clock(struct doctor *d);
void doctor_disk(struct doctor *d);
void doctor_journal(struct doctor *d);
void doctor_postfix(
    struct doctor *d); /* doctor_mta.c: is the milter asked, and are the settings that mail security needs there */
void doctor_sendmail(struct doctor *d);
void doctor_listeners(struct doctor *d); /* doctor_listeners.c: does the MTA know the listeners the policy names */
void doctor_message(struct doctor *d);   /* doctor_message.c: a test message through the MTA */
void doctor_milter(struct doctor *d);    /* doctor_milter.c: does it answer on its socket */
/* doctor_dns.c: does validation work, from here and through the resolvers this host uses */
void doctor_anchor(struct doctor *d);
void doctor_resolver(struct doctor *d);
void doctor_module(struct doctor *d); /* doctor_module.c: is the module at work in the Unbound that runs */
void doctor_own(struct doctor *d);    /* doctor_own.c: our own domains' records */
void doctor_tlsa(
    struct doctor *d); /* doctor_tlsa.c: TLSA against the certificates served, and those of Postfix's files */

/* doctor_smtp.c. Postfix's settings as text, "" where it has none. */
struct doctor_smtp_settings {
    const char *maps;                   /* smtp_tls_policy_maps */
    const char *file, *folder, *append; /* smtp_tls_CAfile, smtp_tls_CApath, tls_append_default_CA */
    const char *queue;                  /* queue_directory: where a chroot is */
};
void doctor_smtp(struct doctor *d, const struct doctor_smtp_settings *s);

/* doctor_smtpd.c. queue, content, command, networks: Postfix's settings as text, "" where it has none. where: what the
 * finding begins with, if the values are not main.cf's. */
void doctor_smtpd_chroot(struct doctor *d, struct postfix *p, const struct postfix_service *services, size_t count,
                         const char *queue);
void doctor_smtpd_waits(struct doctor *d, const char *where, const char *content, const char *command);
void doctor_smtpd_networks(struct doctor *d, const char *networks);

#endif
