// SPDX-License-Identifier: BSD-2-Clause
/*
 * engines.h - the objects that the modules export. For tests and tools that compare the engines and are linked with
 * them; programs open the modules by judge/engine.h instead.
 */
#ifndef ASSAY_ENGINES_ENGINES_H
#define ASSAY_ENGINES_ENGINES_H

#include "standards/dkim/dkim_engine.h"
#include "standards/spf/spf_engine.h"

#define ENGINE_EXPORT __attribute__((visibility("default")))

extern const struct spf_engine assay_spf_engine;   /* libspf2; its check is NULL in a build without libspf2 */
extern const struct dkim_engine assay_dkim_engine; /* libopendkim */

#endif
