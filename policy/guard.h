// SPDX-License-Identifier: BSD-2-Clause
/*
 * guard.h - keeps out policies that load but look like an accident.
 */
#ifndef ASSAY_POLICY_GUARD_H
#define ASSAY_POLICY_GUARD_H

#include "policy/model.h"

/* Tells whether `after`, read from `path`, must not replace `before` without being accepted; each reason is an error in
 * the report (NULL is fine). */
bool guard_keeps_out(const struct policy *before, const struct policy *after, const char *path,
                     struct policy_report *r);

/* Tells whether somebody has accepted this very policy (policy_accept). */
bool guard_is_accepted(const struct policy *p, const char *snapshot_path);

#endif
