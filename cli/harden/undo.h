// SPDX-License-Identifier: BSD-2-Clause
/*
 * undo.h - `assay harden --undo` and `assay harden --release`.
 */
#ifndef ASSAY_CLI_HARDEN_UNDO_H
#define ASSAY_CLI_HARDEN_UNDO_H

#include "cli/harden/harden.h"
#include "cli/harden/migrate.h"

/* What the command line said; paths are settled. */
struct harden_options {
    const char *policy, *state, *postfix, *root, *release;
    bool yes, untested, dry_run, undo, force, reload, migrate;
    struct migrate_paths old;
};

/* The exit code: 0 all is back (or there was nothing to undo), 1 something was left and named; else of sysexits. */
int harden_undo(struct arena *a, const struct harden_options *o, const char *keep);

/* Before a package goes (o->release: mail or resolver): all sets, and whatever else asks us. */
int harden_release(struct arena *a, const struct harden_options *o, const char *keep);

#endif
