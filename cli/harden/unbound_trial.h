// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_trial.h - tries a configuration of Unbound: by unbound-checkconf, and by starting a copy of it.
 */
#ifndef ASSAY_CLI_HARDEN_UNBOUND_TRIAL_H
#define ASSAY_CLI_HARDEN_UNBOUND_TRIAL_H

#include "cli/harden/scratch.h"
#include "cli/harden/unbound_conf.h"

struct unbound_trial {
    struct harden *h;
    const char *unbound, *checkconf, *module; /* programs and our module */
    const char *ours;                         /* our file of settings; what it says is tried too */
    struct scratch scratch;                   /* the folder of the copies; removed by unbound_trial_end */
    int port;                                 /* of the copy */
};

/* Makes the folder. false: refused. */
bool unbound_trial_begin(struct unbound_trial *t);
void unbound_trial_end(struct unbound_trial *t);

/* What unbound-checkconf -o NAME says of the configuration without our part; NULL: it finds a mistake (*said). */
const char *unbound_trial_ask(struct unbound_trial *t, const struct unbound_conf *c, const char *name,
                              const char **said);

/* Writes a copy of it with this chain for a free port of 127.0.0.1 (no control, no pidfile, no log, no chroot; trust
 * anchors and zone files are copies, no primary, master or url, no cachedb backend, no dnstap; the module has a state
 * folder of its own), and has unbound-checkconf read it. false: *said has what it finds. */
bool unbound_trial_check(struct unbound_trial *t, const struct unbound_conf *c, const char *chain, const char **said);

/* Starts that copy. Within UNBOUND_TRIAL_SECONDS it must answer a local question, and the module's status must stand
 * there. Its process group ends with the trial. FAILED: *said has why, in Unbound's words. FORBIDDEN: the system lets
 * it not be started, or not read the copy (AppArmor, SELinux): nothing is known then. */
enum unbound_trial_result { UNBOUND_TRIAL_GOOD, UNBOUND_TRIAL_FAILED, UNBOUND_TRIAL_FORBIDDEN };
enum unbound_trial_result unbound_trial_start(struct unbound_trial *t, const char **said);

#define UNBOUND_TRIAL_SECONDS 10

#endif
