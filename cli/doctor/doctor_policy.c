// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_policy.c - does the policy load, and what does it do?
 *
 * The details are `assay policy check`'s; here is only whether there is something to see there.
 */
#include "cli/doctor/doctor.h"
#include "policy/policy_settings.h"
#include <unistd.h>

void doctor_policy(struct doctor *d)
{
    struct policy_report *report = policy_report_new();
    struct policy *p = report ? policy_load(d->policy_path, report) : NULL;
    size_t errors = report ? policy_report_count(report, POLICY_ERROR) : 0;
    size_t warnings = report ? policy_report_count(report, POLICY_WARNING) - errors : 0;
    if (!p && access(d->policy_path, F_OK) != 0)
        doctor_say(d, DOCTOR_CRITICAL,
                   "there is no policy %s\ncopy one of contrib/policies there: first-day refuses nothing",
                   d->policy_path);
    else if (!p && d->policy)
        doctor_say(d, DOCTOR_CRITICAL,
                   "%s does not load: %zu errors; the last good one (%s) stays in force\nassay policy check %s",
                   d->policy_path, errors, policy_hash(d->policy), d->policy_path);
    else if (!p)
        doctor_say(d, DOCTOR_CRITICAL, "%s does not load: %zu errors\nassay policy check %s", d->policy_path, errors,
                   d->policy_path);
    else if (warnings)
        doctor_say(d, DOCTOR_WARNING, "%s loads (hash %s) with %zu warnings\nassay policy check %s", d->policy_path,
                   policy_hash(p), warnings, d->policy_path);
    else
        doctor_say(d, DOCTOR_OK, "%s loads (hash %s)", d->policy_path, policy_hash(p));
    if (p && policy_set_is(p, SETTING_MODE, "dry-run"))
        doctor_say(d, DOCTOR_NOTE,
                   "dry-run: everything is judged and recorded, nothing is acted on\nwhen the records look right: set "
                   "mode enforce");
    policy_unref(p);
    policy_report_free(report);
}
