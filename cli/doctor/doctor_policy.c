// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_policy.c - checks that the policy loads, and what it does.
 *
 * `assay policy check` prints the details; this check only says whether there are any.
 */
#include "base/clock.h"
#include "cli/doctor/doctor.h"
#include "cli/policy/policy_readers.h"
#include "policy/pause.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* Somebody else than root reads it for the programs. */
static void say_closed(struct doctor *d, const struct policy *p)
{
    struct policy_closed closed;
    struct buf remedy = BUF_INIT;
    if (!p || !policy_readers_closed(p, d->policy_path, d->state_dir, &closed))
        return;
    policy_readers_remedy(&closed, &remedy);
    doctor_say(d, DOCTOR_CRITICAL, "%s runs as user %s, who may not read %s: it keeps its present policy\n%s",
               closed.program, closed.user, closed.file, remedy.p ? remedy.p : "");
    buf_release(&remedy);
}

/* A pause in force is named: nothing is acted on, whatever the policy says. */
static void say_pause(struct doctor *d)
{
    struct pause p;
    char until[CLOCK_TEXT];
    if (pause_read(d->state_dir, clock_wall(), &p) == STATUS_OK)
        doctor_say(d, DOCTOR_WARNING, "enforcement is paused until %s by %s: %s\nassay resume ends the pause",
                   clock_utc_text(p.until, until), p.by, p.because);
}

/* What the milter would do at its next reload or start with the file as it is now. */
static void say_kept_out(struct doctor *d, const struct policy *p)
{
    char snapshot[PATH_MAX];
    struct policy_report *r = policy_report_new();
    snprintf(snapshot, sizeof snapshot, "%s/policy.snapshot", d->state_dir);
    if (p && access(snapshot, R_OK) == 0 && !policy_live_takes_read(p, d->policy_path, snapshot, r)) {
        const struct policy_message *m, *first = NULL;
        for (size_t i = 0; (m = policy_report_at(r, i)) != NULL && !first; i++)
            first = m->severity == POLICY_ERROR ? m : NULL;
        doctor_say(d, DOCTOR_CRITICAL, "%s is kept out, and the policy from before goes on: %s\n%s", d->policy_path,
                   first ? first->text : "it looks like an accident",
                   first && first->help ? first->help : "assay policy accept lets it in");
    }
    policy_report_free(r);
}

void doctor_policy(struct doctor *d)
{
    const struct policy_report *report = d->report;
    const struct policy *p = d->file_loads ? d->policy : NULL;
    size_t errors = report ? policy_report_count(report, POLICY_ERROR) : 0;
    size_t warnings = report ? policy_report_count(report, POLICY_WARNING) - errors : 0;
    if (!p && access(d->policy_path, F_OK) != 0)
        doctor_say(
            d, DOCTOR_CRITICAL,
            "there is no policy %s\ncopy one of /usr/share/assay/policies (in the source: contrib/policies) there: "
            "first-day refuses nothing",
            d->policy_path);
    else if (!p && d->policy)
        doctor_say(d, DOCTOR_CRITICAL,
                   "%s does not load: %zu error%s; the last good one (%s) stays in force\nassay policy check %s",
                   d->policy_path, errors, errors == 1 ? "" : "s", policy_hash(d->policy), d->policy_path);
    else if (!p)
        doctor_say(d, DOCTOR_CRITICAL, "%s does not load: %zu error%s\nassay policy check %s", d->policy_path, errors,
                   errors == 1 ? "" : "s", d->policy_path);
    else if (warnings)
        doctor_say(d, DOCTOR_WARNING, "%s loads (hash %s) with %zu warning%s\nassay policy check %s", d->policy_path,
                   policy_hash(p), warnings, warnings == 1 ? "" : "s", d->policy_path);
    else
        doctor_say(d, DOCTOR_OK, "%s loads (hash %s)", d->policy_path, policy_hash(p));
    if (p && policy_set_is(p, SETTING_MODE, "dry-run"))
        doctor_say(d, DOCTOR_NOTE,
                   "dry-run: everything is judged and recorded, nothing is acted on\nwhen the records look right: set "
                   "mode enforce");
    say_closed(d, p);
    say_kept_out(d, p);
    say_pause(d);
}
