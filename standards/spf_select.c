// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_select.c - the same check by the engine that the policy names.
 */
#include "standards/spf_engine.h"

bool spf_engine_available(enum spf_engine engine)
{
    return engine == SPF_ENGINE_OWN;
}

enum status spf_check_by(enum spf_engine engine, struct dns_scope *scope, struct arena *arena, const struct spf_input *in,
                         enum spf_identity identity, struct spf_finding *out)
{
    return spf_check(scope, arena, in, identity, out);
}
