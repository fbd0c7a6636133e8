// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_cache.h - storing in Unbound's message cache what iterator and validator were kept from storing, and marking
 * what is there.
 *
 * An entry marked `unchecked` is never served by a worker: the question for it comes through the modules again, without
 * network. For files that include Unbound's headers only.
 *
 * Threads: all functions from any, each on a query of its own.
 */
#ifndef ASSAY_RESOLVER_MODULE_UNBOUND_CACHE_H
#define ASSAY_RESOLVER_MODULE_UNBOUND_CACHE_H

#include "config.h"
#include "util/module.h"

#include "resolver-module/watch.h"
#include <stdbool.h>
#include <stdint.h>

/* Each stores the query's answer, under the query's name; nothing where the operator's forward-no-cache or
 * stub-no-cache holds. */
void cache_store_passed(struct module_qstate *q); /* as validated; a proof also for the negative cache (RFC 8198) */
void cache_store_unchecked(struct module_qstate *q);
void cache_store_failure(struct module_qstate *q); /* SERVFAIL for a few seconds, unless something better is there */

/* For an answer that the operator's own rules changed: stores what follows the change, so that the next question need
 * not go to the network. All of it is unchecked, and each part is under its own name. */
void cache_store_behind(struct module_qstate *q);

/* Has subnetcache (RFC 7871) keep what it gets, though no_cache_store was `ours` when it began with this query, or with
 * the one that asked for it. */
void cache_let_subnetcache_store(const struct module_qstate *q, int ours);

/* Tells whether the answer came out of subnetcache's own cache, behind which nobody was asked: it is one client
 * network's. */
bool cache_from_subnetcache(const struct module_qstate *q);

/* The place of another module in module-config, as an index of minfo; -1: it is not there. */
int cache_module(const struct module_qstate *q, const char *name);

/* Has a worker refuse this question from the cache by itself, without the module: the stored answer is marked bogus and
 * as refused, until the next cache_mark_all(). Nothing happens where the version of the policy is another now. */
void cache_refuse(struct module_qstate *q, const struct watch *watch, unsigned version);

/* Takes that back, for a question of class IN. */
void cache_refuse_no_more(struct module_env *env, uint8_t *name, size_t length, uint16_t type);

/* Tells whether a stored answer is marked so; and takes the reason of that off a copy of one. */
bool cache_refuses(const struct reply_info *rep);
void cache_clear_mark(struct reply_info *rep);

/* Marks all answers that are neither proved nor failed; their number. Waits for each of the cache's locks in turn. */
uint64_t cache_mark_all(struct module_env *env);

#endif
