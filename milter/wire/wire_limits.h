// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_limits.h - the bounds of our own milter engine: connections, memory, and whose processes may connect.
 *
 * Threads: wire_limits_set() by one thread at a time, the others by any.
 */
#ifndef ASSAY_MILTER_WIRE_WIRE_LIMITS_H
#define ASSAY_MILTER_WIRE_WIRE_LIMITS_H

#include "policy/limits.h"
#include "policy/policy.h"
#include <stdint.h>

#define WIRE_PEERS_MAX (POLICY_TEXT_MAX / 2 + 1) /* as many names as a setting holds */

/* Takes the settings milter.connections, milter.memory and milter.peers of this policy. */
void wire_limits_set(const struct policy *p);

unsigned wire_limits_connections(void);

/* Adds to the memory in use, in octets; may be negative. */
void wire_limits_count_memory(int64_t octets);
bool wire_limits_memory_is_full(void);

/* Tells whether the process at the other end may speak to us; logs each user once, and each refusal. An inet
 * connection bears no user and may always. */
bool wire_limits_peer_may(int fd);

#endif
