// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_chain.h - the order of Unbound's modules with ours among them.
 */
#ifndef ASSAY_CLI_HARDEN_UNBOUND_CHAIN_H
#define ASSAY_CLI_HARDEN_UNBOUND_CHAIN_H

#include "base/arena.h"

/* now: module-config as it is ("respip validator iterator"), with ours in it or not. linked: the modules that the
 * Unbound which will run is built with. Returns the chain with dynlib in its place; NULL: *why says what is not to be
 * composed, in words. */
const char *unbound_chain(struct arena *a, const char *now, const char *linked, const char **why);

#endif
