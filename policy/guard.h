// SPDX-License-Identifier: BSD-2-Clause
/*
 * guard.h - which policies that load are kept out all the same, because they look like an accident.
 */
#ifndef ASSAY_POLICY_GUARD_H
#define ASSAY_POLICY_GUARD_H

#include "policy/model.h"

/* Tells whether `after`, read from `path`, must not replace `before` unseen; each ground is an error in the report
 * (NULL is fine). */
bool guard_keeps_out(const struct policy *before, const struct policy *after, const char *path,
                     struct policy_report *r);

/* Tells whether somebody has looked and said that this very policy may be taken (policy_accept). */
bool guard_is_accepted(const struct policy *p, const char *snapshot_path);

#endif
