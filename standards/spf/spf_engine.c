// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_engine.c - one SPF check by whichever evaluator is in use. Fails as that evaluator does.
 */
#include "standards/spf/spf_engine.h"

enum status spf_check_by(const struct spf_engine *engine, struct dns_scope *scope, struct arena *arena,
                         const struct spf_input *in, enum spf_identity identity, struct spf_finding *out)
{
    return engine && engine->check ? engine->check(scope, arena, in, identity, out)
                                   : spf_check(scope, arena, in, identity, out);
}
