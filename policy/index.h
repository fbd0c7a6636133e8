// SPDX-License-Identifier: BSD-2-Clause
/*
 * index.h - look-ups in a policy's index; see index.c for its form.
 */
#ifndef ASSAY_POLICY_INDEX_H
#define ASSAY_POLICY_INDEX_H

#include "policy/model.h"

/* The chain (item number + 1, or 0) of statements of exactly this WHO under this WHOM. name_hash: keyset_hash of the
 * key. */
uint32_t index_find_who(const struct policy *p, uint32_t whom_id, enum policy_party_kind kind, uint64_t name_hash,
                        struct slice key);

/* The number of a WHOM that is a domain or an address; 0: no statement has it. */
uint32_t index_find_whom(const struct policy *p, enum policy_party_kind kind, uint64_t name_hash, struct slice key);

#endif
