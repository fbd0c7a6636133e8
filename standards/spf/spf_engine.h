// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_engine.h - what the evaluators share. Used by the spf_* files only.
 */
#ifndef ASSAY_STANDARDS_SPF_SPF_ENGINE_H
#define ASSAY_STANDARDS_SPF_SPF_ENGINE_H

#include "standards/spf/spf.h"

/* The domain of an identity (kept, in the arena) and its local part; NULL with *reason set: none usable, or out of
 * memory. */
const char *spf_identity_domain(struct arena *arena, const struct spf_input *in, enum spf_identity identity,
                                struct slice *local, const char **reason);

/* spf_check by libspf2; by our own evaluator where this build has no libspf2. */
enum status spf_check_libspf2(struct dns_scope *scope, struct arena *arena, const struct spf_input *in,
                              enum spf_identity identity, struct spf_finding *out) MUST_CHECK;

#endif
