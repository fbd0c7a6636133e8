// SPDX-License-Identifier: BSD-2-Clause
/*
 * arc_checker.h - what an ARC checker holds, for arc_check.c and arc_seal.c. Not for other rooms.
 */
#ifndef ASSAY_STANDARDS_ARC_ARC_CHECKER_H
#define ASSAY_STANDARDS_ARC_ARC_CHECKER_H

#include "standards/arc/arc_chain.h"
#include "standards/dkim/dkim_checker.h"

struct arc_checker {
    struct dns_scope *dns;
    struct arena *arena;
    const struct header_list *headers;
    struct dkim_fields *index;
    struct dkim_bodyhash *bodies;
    bool own_bodies;
    size_t from_fields; /* that some reader may see */
    struct arc_chain chain;
    int (*body)[2]; /* per instance - 1: number of its message signature's body hash, and the one for want of c= */
    struct arc_set *sets;
    const char **sealers;
    bool key_seen;
};

#endif
