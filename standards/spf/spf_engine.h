// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_engine.h - a second SPF evaluator behind the same question: what a loadable module (engines/libspf2.c) offers.
 *
 * A module exports one object of this type by the name SPF_ENGINE_SYMBOL. judge/engine.c alone opens modules; it
 * compares the stamp before it uses anything else. The stamp names our version and the headers (base, dns, standards)
 * that both sides were compiled with: a module of another build is refused.
 */
#ifndef ASSAY_STANDARDS_SPF_SPF_ENGINE_H
#define ASSAY_STANDARDS_SPF_SPF_ENGINE_H

#include "standards/spf/spf.h"

#define SPF_ENGINE_SYMBOL "assay_spf_engine"
#define SPF_ENGINE_STAMP_OCTETS 64
/* ASSAY_ENGINE_ABI comes from the build (Makefile); defined only where modules are made or opened. */
#define SPF_ENGINE_STAMP "spf " ASSAY_VERSION " " ASSAY_ENGINE_ABI

struct spf_engine {
    char stamp[SPF_ENGINE_STAMP_OCTETS]; /* first in every version, so that a foreign one can be read */
    /* As spf_check. Any thread. NULL: this build has no such library. */
    enum status (*check)(struct dns_scope *scope, struct arena *arena, const struct spf_input *in,
                         enum spf_identity identity, struct spf_finding *out);
};

/* For evaluators. The domain of an identity (canonical, in the arena) and its local part; NULL with *reason set: none
 * usable, or out of memory. */
const char *spf_identity_domain(struct arena *arena, const struct spf_input *in, enum spf_identity identity,
                                struct slice *local, const char **reason);

#endif
