// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_engine.h - what the evaluators share. Used by the spf_* files only.
 */
#ifndef ASSAY_STANDARDS_SPF_ENGINE_H
#define ASSAY_STANDARDS_SPF_ENGINE_H

#include "standards/spf.h"

/* The domain of an identity (kept, in the arena) and its local part; NULL with *reason set: none usable, or out of memory. */
const char *spf_identity_domain(struct arena *arena, const struct spf_input *in, enum spf_identity identity, struct slice *local,
                                const char **reason);

#endif
