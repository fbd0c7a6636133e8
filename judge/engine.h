// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine.h - opens the second engines (`set spf.engine libspf2`, `set dkim.engine opendkim`); nothing else does.
 *
 * Each is a module of its own, in the folder that is fixed when Assay is built (ASSAY_ENGINE_DIR), and in a package of
 * its own (assay-engines). A module is opened only if the policy asks for it, if root owns it and its folder and nobody
 * else can write to either, and if its stamp equals ours (standards/spf/spf_engine.h). It stays open until the process
 * ends, because other threads may be running in it.
 *
 * Threads: engines_use() by one thread at a time; engines_spf() and engines_dkim() by any.
 */
#ifndef ASSAY_JUDGE_ENGINE_H
#define ASSAY_JUDGE_ENGINE_H

#include "base/status.h"
#include "policy/policy.h"
#include "standards/dkim/dkim_engine.h"
#include "standards/spf/spf_engine.h"
#include <stdatomic.h>

#define ENGINE_WHY 512
#define ENGINE_PACKAGE "assay-engines"

/* The engines in use in this process. All zero: our own. */
struct engines {
    _Atomic(const struct spf_engine *) spf;
    _Atomic(const struct dkim_engine *) dkim;
};

/* Switches to the engines that this policy names. On failure the engine that ran before stays in use, and why names the
 * setting, the file and what is wrong with it: STATUS_MISSING (not installed), STATUS_DENIED (others could change it),
 * STATUS_INVALID (made for another version, or not loadable). Both settings are checked in any case. */
enum status engines_use(struct engines *e, const struct policy *p, char why[ENGINE_WHY]) MUST_CHECK;

/* NULL: our own. e may be NULL. */
const struct spf_engine *engines_spf(const struct engines *e);
const struct dkim_engine *engines_dkim(const struct engines *e);

/* Checks and opens one module; returns its object of that name, which begins with the stamp. NULL: *status and why give
 * the reason. */
const void *engine_open(const char *path, const char *symbol, const char *stamp, enum status *status,
                        char why[ENGINE_WHY]) MUST_CHECK;

#endif
